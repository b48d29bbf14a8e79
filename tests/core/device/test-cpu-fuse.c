/* tests/core/device/test-cpu-fuse.c - SPDX-License-Identifier: MIT */
#include <adit/adit-ops.h>

#include "rig.h"

#include <math.h>

/* What kernels for several instructions, panels, thin layers and transposed weights leave is what
 * instructions by themselves leave, to rounding in float64. */

#define MAX_ROWS 600

typedef AditTensor *(*Build)(AditGraph *graph, AditTensor *x);

static AditTensor *
weight(AditGraph *graph, const char *name, gsize rows, gsize columns)
{
    return adit_parameter_filled(graph, name, ADIT_ROLE_WEIGHT, &ADIT_SHAPE(rows, columns), 0.1);
}

/* A layer of three lines a row, with an addend for each that is the same for all rows. */
static AditTensor *
build_lines(AditGraph *graph, AditTensor *x)
{
    AditTensor *lines = adit_reshape(x, &ADIT_SHAPE(3, 4));
    AditTensor *skip = adit_matmul(lines, weight(graph, "b", 4, 16), FALSE);
    AditTensor *product = adit_matmul(lines, weight(graph, "a", 4, 16), FALSE);
    AditTensor *y = adit_relu(adit_add(product, weight(graph, "position", 3, 16)));

    return adit_add(y, skip);
}

/* A matrix and a part of it, both transposed. */
static AditTensor *
build_parts(AditGraph *graph, AditTensor *x)
{
    AditTensor *a = weight(graph, "a", 20, 12);
    AditTensor *whole = adit_matmul(x, a, TRUE);
    AditTensor *part = adit_matmul(x, adit_slice(a, 0, 7, 19, 1), TRUE);

    return adit_add(adit_slice(whole, -1, 0, 12, 1), part);
}

/* A matrix in two shapes, both transposed. */
static AditTensor *
build_shapes(AditGraph *graph, AditTensor *x)
{
    AditTensor *a = weight(graph, "a", 24, 12);
    AditTensor *other = adit_reshape(a, &ADIT_SHAPE(12, 24));
    AditTensor *whole = adit_matmul(x, a, TRUE);

    return adit_matmul(whole, other, TRUE);
}

/* The same weights twice, in a loop. */
static AditTensor *
build_tied(AditGraph *graph, AditTensor *x)
{
    AditTensor *a = weight(graph, "a", 12, 12), *b = weight(graph, "b", 12, 12);
    AditLoop *loop = adit_loop_new(graph, 3, FALSE);
    AditTensor *carry = adit_loop_carry(loop, x);
    AditTensor *y = adit_relu(adit_add(adit_matmul(carry, a, FALSE), carry));

    adit_loop_set_next(loop, carry, adit_matmul(adit_matmul(y, b, TRUE), a, TRUE));
    return adit_loop_last(loop, carry);
}

/* Stacks that are carried through a loop, each to the other's place, and read when all slices have
 * met. */
static AditTensor *
swap_stacks(AditGraph *graph, AditTensor *x, AditTensor *middle)
{
    AditLoop *first = adit_loop_new(graph, 2, FALSE);
    AditTensor *carry = adit_loop_carry(first, x), *stacks[2];

    stacks[0] = adit_loop_stack(first, adit_scale(carry, 2));
    adit_loop_set_next(first, carry, adit_offset(adit_tanh(carry), 1));
    stacks[1] = adit_loop_stack(first, carry);
    AditLoop *swap = adit_loop_new(graph, 3, FALSE);
    AditTensor *a = adit_loop_carry(swap, stacks[0]), *b = adit_loop_carry(swap, stacks[1]);
    adit_loop_set_next(swap, a, b);
    adit_loop_set_next(swap, b, a);
    middle = adit_sub(middle, adit_reduce_rows(middle, ADIT_REDUCE_MEAN));
    AditLoop *last = adit_loop_new(graph, 2, FALSE);
    AditTensor *sum = adit_loop_carry(last, middle);
    AditTensor *each = adit_loop_each(last, adit_loop_last(swap, a));
    AditTensor *other = adit_loop_each(last, adit_loop_last(swap, b));
    adit_loop_set_next(last, sum, adit_add(adit_mul(sum, each), other));
    return adit_loop_last(last, sum);
}

static AditTensor *
build_stacks(AditGraph *graph, AditTensor *x)
{
    return swap_stacks(graph, x, x);
}

/* The same of @width features, and layers behind them, whose rows lie in lanes. */
static AditTensor *
build_lanes(AditGraph *graph, AditTensor *x, gsize width)
{
    AditTensor *y = adit_matmul(x, weight(graph, "a", 12, width), FALSE);

    y = build_stacks(graph, y);
    AditLoop *loop = adit_loop_new(graph, 4, FALSE);
    AditTensor *carry = adit_loop_carry(loop, y);
    AditTensor *w = weight(loop->body, "w", width, width);
    adit_loop_set_next(loop, carry, adit_relu(adit_add(adit_matmul(carry, w, FALSE), carry)));
    return adit_loop_last(loop, carry);
}

static AditTensor *
build_thin(AditGraph *graph, AditTensor *x)
{
    return build_lanes(graph, x, 3);
}

/* Lines that leave many lanes of their last vector empty. */
static AditTensor *
build_uneven(AditGraph *graph, AditTensor *x)
{
    return build_lanes(graph, x, 18);
}

/* Stacks with their rows in lanes, handed on to where they lie in the usual order. */
static AditTensor *
build_thin_stacks(AditGraph *graph, AditTensor *x)
{
    return swap_stacks(graph, adit_matmul(x, weight(graph, "a", 12, 3), FALSE),
                       adit_matmul(x, weight(graph, "b", 12, 3), FALSE));
}

/* Layers behind normalisations of the batch, each on what the one before gives, with a skip; of
 * lines of @width numbers. */
static AditTensor *
build_normalized(AditGraph *graph, AditTensor *x, gsize width)
{
    AditLoop *loop = adit_loop_new(graph, 3, FALSE);
    AditTensor *carry = adit_loop_carry(loop, adit_matmul(x, weight(graph, "a", 12, width), FALSE));
    AditTensor *y = carry;

    for (guint i = 0; i < 2; i++) {
        g_autofree char *name = g_strdup_printf("w%u", i);
        AditTensor *scale = adit_reshape(weight(loop->body, name, 1, width), &ADIT_SHAPE(width));
        AditTensor *w = weight(loop->body, i == 0 ? "b" : "c", width, width);

        y = adit_normalize(y, adit_moments(y, -1), scale, scale, -1, 1e-3);
        y = adit_add(adit_matmul(adit_relu(y), w, FALSE), scale);
    }
    adit_loop_set_next(loop, carry, adit_add(carry, y));
    return adit_loop_last(loop, carry);
}

/* Lines of a vector of some instruction sets, and of more. */
static AditTensor *
build_vectors(AditGraph *graph, AditTensor *x)
{
    return build_normalized(graph, x, 8);
}

static AditTensor *
build_lines_of_more(AditGraph *graph, AditTensor *x)
{
    return build_normalized(graph, x, 13);
}

/* A loop in which nothing is left to be done. */
static AditTensor *
build_empty(AditGraph *graph, AditTensor *x)
{
    AditLoop *loop = adit_loop_new(graph, 3, FALSE);
    AditTensor *carry = adit_loop_carry(loop, x);

    adit_loop_set_next(loop, carry, carry);
    return adit_matmul(adit_loop_last(loop, carry), weight(graph, "a", 12, 5), FALSE);
}

static double *
train(Build build, gboolean fuse, guint threads, gsize rows, gsize *n)
{
    AditGraph *graph = adit_graph_new(ADIT_MODE_TRAINING);
    AditTensor *x = adit_input(graph, "x", &ADIT_SHAPE(12), 0);
    AditTensor *y = build(graph, x);
    AditTensor *loss = test_weigh(adit_square(y));
    g_autoptr(Rig) rig = rig_new(graph);
    guint output = rig_add(rig, ADIT_OUTPUT_READ, y);
    gsize count = adit_shape_count(adit_tensor_get_shape(y)) * rows;

    if (build != build_thin_stacks) /* which keep values beyond their stretch */
        rig_add_gradients(rig, loss);
    g_setenv("ADIT_FUSE", fuse ? "1" : "0", TRUE);
    rig_prepare(rig, threads, TRUE, MAX_ROWS);
    rig_scatter(rig, 0.3);
    rig_feed(rig, test_array(&ADIT_SHAPE(12), MAX_ROWS, 1));
    rig_run(rig, rows, 1);
    rig_run(rig, rows, 1);
    g_autofree double *read = rig_read(rig, output, rows);
    g_autofree double *gradients = rig_read_arena(rig, ADIT_ARENA_GRADIENTS);
    *n = count + rig->layout->n_parameters;
    double *values = g_new(double, *n);
    for (gsize i = 0; i < *n; i++)
        values[i] = i < count ? read[i] : gradients[i - count];
    return values;
}

static void
test_fused(gconstpointer data)
{
    static const gsize rows[] = {1, 3, 8, 21, 350, MAX_ROWS};
    Build build = *(const Build *) data;

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        gsize n;
        g_autofree double *plain = train(build, FALSE, 1, rows[i], &n);
        g_autofree double *fused = train(build, TRUE, i % 2 == 0 ? 3 : 1, rows[i], &n);
        double error = 0, square = 0;
        for (gsize j = 0; j < n; j++) {
            error += (fused[j] - plain[j]) * (fused[j] - plain[j]);
            square += plain[j] * plain[j];
        }
        g_test_message("%" G_GSIZE_FORMAT " rows: error %g of %g", rows[i], error, square);
        g_assert_cmpfloat(square, >, 0);
        g_assert_cmpfloat(error, <=, 1e-24 * square);
    }
}

int
main(int argc, char *argv[])
{
    static const struct {
        const char *name;
        Build build;
    } cases[] = {{"lines", build_lines},     {"parts", build_parts},
                 {"shapes", build_shapes},   {"tied", build_tied},
                 {"stacks", build_stacks},   {"thin", build_thin},
                 {"uneven", build_uneven},   {"thin-stacks", build_thin_stacks},
                 {"vectors", build_vectors}, {"lines-of-more", build_lines_of_more},
                 {"empty", build_empty}};

    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_strdup_printf("/cpu-fuse/%s", cases[i].name);
        g_test_add_data_func(path, &cases[i].build, test_fused);
    }
    return g_test_run();
}
