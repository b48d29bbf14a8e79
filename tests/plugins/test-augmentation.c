/* tests/plugins/test-augmentation.c - SPDX-License-Identifier: MIT */
#include <adit/adit-block.h>
#include <adit/adit-ops.h>

#include <math.h>

#include "adit-graph-private.h"
#include "components.h"
#include "rig.h"

/* What blocks for images do to them, number by number. */

#define ROWS 400

/* Image r counts up from 100 r + 1, so that every number says where it was. */
static AditArray *
make_images(const AditShape *shape, gsize rows)
{
    AditArray *images = adit_array_new(ADIT_TYPE_CODE_F64, shape, rows, NULL);
    gsize count = adit_shape_count(shape);

    for (gsize i = 0; i < rows * count; i++)
        ((double *) images->data)[i] = (double) (i / count * 100 + i % count + 1);
    return images;
}

/* What @block makes of ROWS images of @shape at @step, in float64. */
static double *
augment(gpointer block, AditMode mode, const AditShape *shape, guint threads, guint64 step)
{
    AditGraph *graph = adit_graph_new(mode);

    adit_graph_enter_scope(graph, 0, NULL, 0, "augment", NULL);
    AditTensor *x = adit_input(graph, "x", shape, 0);
    AditTensor *y = adit_block_build(block, graph, adit_scale(x, 1));
    g_autoptr(Rig) rig = rig_new(graph);
    guint output = rig_add(rig, ADIT_OUTPUT_READ, adit_scale(y, 1));
    rig_prepare(rig, threads, TRUE, ROWS);
    rig_feed(rig, make_images(shape, ROWS));
    rig_run(rig, ROWS, step);
    return rig_read(rig, output, ROWS);
}

/* The window of a map of 2 x 3 numbers, 1 to 6, at @place. */
static double *
crop(const double *place, gsize height, gsize width, AditOutside outside)
{
    AditGraph *graph = adit_graph_new(ADIT_MODE_TRAINING);
    AditTensor *x = adit_input(graph, "x", &ADIT_SHAPE(1, 2, 3), 0);
    AditTensor *at = adit_constant_array(graph, &ADIT_SHAPE(4), place);
    g_autoptr(Rig) rig = rig_new(graph);
    guint output = rig_add(rig, ADIT_OUTPUT_READ, adit_crop(x, at, height, width, outside));

    rig_prepare(rig, 1, TRUE, 1);
    rig_feed(rig, make_images(&ADIT_SHAPE(1, 2, 3), 1));
    rig_run(rig, 1, 0);
    return rig_read(rig, output, 1);
}

static void
test_crop(void)
{
    static const struct {
        double place[4];
        gsize height;
        gsize width;
        AditOutside outside;
        double expected[6];
    } cases[] = {
        {{0, 0, 1, 1}, 2, 3, ADIT_OUTSIDE_ZERO, {1, 2, 3, 4, 5, 6}},
        {{1, -1, 1, 1}, 2, 3, ADIT_OUTSIDE_ZERO, {0, 4, 5, 0, 0, 0}},
        {{-1, 1, 1, 1}, 2, 3, ADIT_OUTSIDE_ZERO, {0, 0, 0, 2, 3, 0}},
        {{1, -1, 1, 1}, 2, 3, ADIT_OUTSIDE_EDGE, {4, 4, 5, 4, 4, 5}},
        {{0, 2, 1, -1}, 2, 3, ADIT_OUTSIDE_ZERO, {3, 2, 1, 6, 5, 4}},
        {{1, 3, -1, -1}, 2, 3, ADIT_OUTSIDE_ZERO, {0, 6, 5, 0, 3, 2}},
        {{0, 0, 1, 2}, 1, 2, ADIT_OUTSIDE_ZERO, {1, 3}},
        {{0.5, 0.25, 1, 1}, 1, 2, ADIT_OUTSIDE_ZERO, {2.75, 3.75}},
        {{0, -0.5, 1, 0.5}, 1, 3, ADIT_OUTSIDE_ZERO, {0.5, 1, 1.5}},
        {{1.75, 0, 1, 1}, 1, 3, ADIT_OUTSIDE_ZERO, {1, 1.25, 1.5}},
        {{1.75, 0, 1, 1}, 1, 3, ADIT_OUTSIDE_EDGE, {4, 5, 6}},
        {{0, 1e30, 1, 1}, 1, 3, ADIT_OUTSIDE_ZERO, {0, 0, 0}},
        {{0, -1e30, 1, 1}, 1, 3, ADIT_OUTSIDE_EDGE, {1, 1, 1}},
        {{0, NAN, 1, 1}, 1, 3, ADIT_OUTSIDE_EDGE, {0, 0, 0}},
        {{0, 0, INFINITY, 1}, 2, 3, ADIT_OUTSIDE_ZERO, {0, 0, 0, 0, 0, 0}},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree double *got =
            crop(cases[i].place, cases[i].height, cases[i].width, cases[i].outside);

        for (gsize k = 0; k < cases[i].height * cases[i].width; k++)
            g_assert_cmpfloat_with_epsilon(got[k], cases[i].expected[k], 1e-12);
    }
}

/* Every image is moved by whole pixels, all ways occur, and it hangs on row and step alone. */
static void
test_random_crop(void)
{
    const AditShape shape = ADIT_SHAPE(2, 4, 3);
    g_autoptr(AditBlock) block =
        test_component("block", "random-crop", "padding", (gint64) 1, NULL);
    g_autofree double *y = augment(block, ADIT_MODE_TRAINING, &shape, 1, 5);
    g_autofree double *again = augment(block, ADIT_MODE_TRAINING, &shape, 2, 5);
    g_autofree double *later = augment(block, ADIT_MODE_TRAINING, &shape, 1, 6);
    g_autofree double *still = augment(block, ADIT_MODE_EVALUATION, &shape, 1, 5);
    g_autoptr(AditArray) images = make_images(&shape, ROWS);
    guint ways[3][3] = {{0}};

    test_assert_same(y, again, ROWS * 24);
    g_assert_cmpint(memcmp(y, later, ROWS * 24 * sizeof *y), !=, 0);
    test_assert_same(still, images->data, ROWS * 24);
    for (gsize r = 0; r < ROWS; r++) {
        const double *x = (const double *) images->data + 24 * r;
        /* the middle of the image is always seen: where from? */
        gssize at = (gssize) (y[24 * r + 4] - x[0]);
        gssize down = at / 3 - 1, right = at % 3 - 1;

        g_assert_cmpint(down, >=, -1);
        g_assert_cmpint(down, <=, 1);
        ways[down + 1][right + 1]++;
        for (gssize i = 0; i < 24; i++) {
            gssize line = i / 3 % 4 + down, column = i % 3 + right;
            gboolean inside = line >= 0 && line < 4 && column >= 0 && column < 3;

            g_assert_cmpfloat(y[24 * r + (gsize) i], ==,
                              inside ? x[i / 12 * 12 + line * 3 + column] : 0);
        }
    }
    /* 44 of each are expected; fewer than 15 are a matter of one in a million */
    for (guint i = 0; i < 9; i++)
        g_assert_cmpuint(ways[i / 3][i % 3], >, 15);
}

static void
test_flip(void)
{
    const AditShape shape = ADIT_SHAPE(1, 2, 3);
    g_autoptr(AditBlock) block = test_component("block", "flip", NULL, NULL);
    g_autofree double *y = augment(block, ADIT_MODE_TRAINING, &shape, 1, 5);
    g_autofree double *still = augment(block, ADIT_MODE_EVALUATION, &shape, 1, 5);
    g_autoptr(AditArray) images = make_images(&shape, ROWS);
    guint flipped = 0;

    test_assert_same(still, images->data, ROWS * 6);
    for (gsize r = 0; r < ROWS; r++) {
        const double *x = (const double *) images->data + 6 * r;
        gboolean is_flipped = y[6 * r] != x[0];

        flipped += is_flipped;
        for (gsize i = 0; i < 6; i++)
            g_assert_cmpfloat(y[6 * r + i], ==, is_flipped ? x[i / 3 * 3 + 2 - i % 3] : x[i]);
    }
    g_assert_cmpuint(flipped, >, 150);
    g_assert_cmpuint(flipped, <, 250);
    g_object_set(block, "probability", 0.0, NULL);
    g_autofree double *none = augment(block, ADIT_MODE_TRAINING, &shape, 1, 5);
    test_assert_same(none, images->data, ROWS * 6);
    g_object_set(block, "probability", 1.0, NULL);
    g_autofree double *all = augment(block, ADIT_MODE_TRAINING, &shape, 1, 5);
    for (gsize r = 0; r < ROWS; r++)
        g_assert_cmpfloat(all[6 * r], ==, ((double *) images->data)[6 * r + 2]);
}

/* A square of zeros, the same in all channels, cut off where it stands out. */
static void
test_cutout(void)
{
    const AditShape shape = ADIT_SHAPE(2, 6, 5);
    g_autoptr(AditBlock) block = test_component("block", "cutout", "size", (gint64) 3, NULL);
    g_autofree double *y = augment(block, ADIT_MODE_TRAINING, &shape, 1, 5);
    g_autofree double *still = augment(block, ADIT_MODE_EVALUATION, &shape, 1, 5);
    g_autoptr(AditArray) images = make_images(&shape, ROWS);
    gboolean seen[30] = {FALSE}; /* that pixel is in a hole somewhere */

    test_assert_same(still, images->data, ROWS * 60);
    for (gsize r = 0; r < ROWS; r++) {
        const double *x = (const double *) images->data + 60 * r;
        gsize top = 6, left = 5, bottom = 0, right = 0, holes = 0;

        for (gsize i = 0; i < 60; i++) {
            gboolean is_hole = y[60 * r + i] == 0;

            g_assert_cmpfloat(y[60 * r + i], ==, is_hole ? 0 : x[i]);
            if (!is_hole)
                continue;
            holes++;
            seen[i % 30] = TRUE;
            top = MIN(top, i % 30 / 5);
            bottom = MAX(bottom, i % 30 / 5 + 1);
            left = MIN(left, i % 5);
            right = MAX(right, i % 5 + 1);
        }
        g_assert_cmpuint(holes, ==, 2 * (bottom - top) * (right - left));
        g_assert_true(bottom - top == 3 || (bottom - top == 2 && (top == 0 || bottom == 6)));
        g_assert_true(right - left == 3 || (right - left == 2 && (left == 0 || right == 5)));
    }
    for (guint i = 0; i < 30; i++)
        g_assert_true(seen[i]);
}

/* Of an image that grows evenly to the right and downwards any part does, and lies within it. */
static void
test_random_resized_crop(void)
{
    const AditShape shape = ADIT_SHAPE(1, 8, 8);
    g_autoptr(GArray) size = g_array_new(FALSE, FALSE, sizeof(double));
    g_autoptr(AditBlock) block =
        test_component("block", "random-resized-crop", "min-area", 0.25, "stretch", 1.5, NULL);
    g_autoptr(AditArray) images = make_images(&shape, ROWS);
    guint smaller = 0;

    g_array_append_vals(size, (double[]){2}, 1);
    g_object_set(block, "size", size, NULL);
    g_autofree double *y = augment(block, ADIT_MODE_TRAINING, &shape, 1, 5);
    for (gsize r = 0; r < ROWS; r++) {
        const double *got = y + 4 * r;
        double begin = (double) (100 * r + 1), right = got[1] - got[0], down = got[2] - got[0];

        g_assert_cmpfloat(got[0], >=, begin);
        g_assert_cmpfloat(got[3], <=, begin + 63);
        g_assert_cmpfloat_with_epsilon(got[3], got[0] + right + down, 1e-9);
        /* middles of halves: half the part's size apart, down in lines of 8 */
        double area = 2 * right * 2 * down / 8, ratio = right / (down / 8);
        g_assert_cmpfloat(area, <=, 64.0001);
        g_assert_cmpfloat(area, >=, 12); /* a quarter, but for what does not fit */
        g_assert_cmpfloat(ratio, <=, 1.5001);
        g_assert_cmpfloat(ratio, >=, 1 / 1.5001);
        smaller += area < 32;
    }
    g_assert_cmpuint(smaller, >, 80);
    /* all of it, as it is */
    g_array_set_size(size, 0);
    g_object_set(block, "size", size, "min-area", 1.0, "stretch", 1.0, NULL);
    g_autofree double *whole = augment(block, ADIT_MODE_TRAINING, &shape, 1, 5);
    for (gsize i = 0; i < ROWS * 64; i++)
        g_assert_cmpfloat_with_epsilon(whole[i], ((double *) images->data)[i], 1e-6);
    g_autofree double *still = augment(block, ADIT_MODE_EVALUATION, &shape, 1, 5);
    test_assert_same(still, images->data, ROWS * 64);
}

static void
test_centre_crop(void)
{
    g_autoptr(GArray) size = g_array_new(FALSE, FALSE, sizeof(double));

    g_array_append_vals(size, (double[]){2, 1}, 2);
    g_autoptr(AditBlock) block = test_component("block", "centre-crop", "size", size, NULL);
    g_autofree double *y = augment(block, ADIT_MODE_TRAINING, &ADIT_SHAPE(1, 5, 3), 1, 5);
    /* lines 1 and 2, column 1 */
    g_assert_cmpfloat(y[0], ==, 5);
    g_assert_cmpfloat(y[1], ==, 8);
    g_assert_cmpfloat(y[2], ==, 105);
}

static void
test_normalize(void)
{
    g_autoptr(GArray) mean = g_array_new(FALSE, FALSE, sizeof(double));
    g_autoptr(GArray) std = g_array_new(FALSE, FALSE, sizeof(double));

    g_array_append_vals(mean, (double[]){1, 3}, 2);
    g_array_append_vals(std, (double[]){2, 4}, 2);
    g_autoptr(AditBlock) block =
        test_component("block", "normalize", "mean", mean, "std", std, NULL);
    g_autofree double *maps = augment(block, ADIT_MODE_TRAINING, &ADIT_SHAPE(2, 1, 3), 1, 5);
    for (guint i = 0; i < 6; i++)
        g_assert_cmpfloat(maps[i], ==, i < 3 ? i / 2.0 : ((double) i - 2) / 4);
    g_autofree double *vectors = augment(block, ADIT_MODE_EVALUATION, &ADIT_SHAPE(2), 1, 5);
    g_assert_cmpfloat(vectors[0], ==, 0);
    g_assert_cmpfloat(vectors[1], ==, -0.25);
}

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/augmentation/crop", test_crop);
    g_test_add_func("/augmentation/random-crop", test_random_crop);
    g_test_add_func("/augmentation/flip", test_flip);
    g_test_add_func("/augmentation/cutout", test_cutout);
    g_test_add_func("/augmentation/random-resized-crop", test_random_resized_crop);
    g_test_add_func("/augmentation/centre-crop", test_centre_crop);
    g_test_add_func("/augmentation/normalize", test_normalize);
    return g_test_run();
}
