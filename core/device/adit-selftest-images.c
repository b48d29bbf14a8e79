/* core/device/adit-selftest-images.c - SPDX-License-Identifier: MIT */
#include "adit-selftest-expressions.h"
#include "adit-selftest-list.h"

#include <adit/adit-ops.h>

/* The cases of kernels over images: convolution, pooling, windows that rows choose. */

/* Images and windows on them: strides, gaps, padding larger on one side, groups up to one for each
 * channel, windows of one pixel and of all; more filters and windows than a tile has. The first few
 * are the quick test's. */
static const struct {
    AditShape image;
    gsize filters;
    AditWindow window;
    guint groups;
} windows[] = {
    {{3, {3, 7, 6}}, 5, {{3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}}, 1},
    {{3, {4, 9, 8}}, 6, {{3, 2}, {2, 3}, {1, 2}, {0, 1}, {2, 0}}, 2},
    {{3, {5, 8, 8}}, 5, {{3, 3}, {2, 2}, {1, 1}, {1, 1}, {1, 1}}, 5},
    {{3, {17, 4, 5}}, 33, {{1, 1}, {1, 1}, {1, 1}, {0, 0}, {0, 0}}, 1},
    {{3, {2, 5, 7}}, 3, {{5, 7}, {1, 1}, {1, 1}, {0, 0}, {0, 0}}, 1},
    {{3, {1, 2, 1}}, 3, {{2, 1}, {1, 1}, {1, 1}, {0, 0}, {1, 0}}, 1},
    {{3, {3, 11, 9}}, 2, {{2, 3}, {1, 1}, {5, 2}, {2, 3}, {3, 1}}, 1},
    {{3, {2, 1, 65}}, 1, {{1, 7}, {1, 4}, {1, 3}, {0, 9}, {0, 8}}, 1},
    {{3, {16, 4, 6}}, 70, {{3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}}, 1},
    {{3, {68, 5, 5}}, 12, {{2, 2}, {2, 2}, {1, 1}, {0, 0}, {1, 1}}, 4},
};
#define QUICK_WINDOWS 2

static guint
count_windows(const AditSelftestList *list)
{
    return list->full ? G_N_ELEMENTS(windows) : QUICK_WINDOWS;
}

/* A case with a window on its image. */
static AditSelftestCase *
add_window(AditSelftestList *list, const char *kernel, AditSelftestBuild build, double limit,
           guint i, gsize last)
{
    const AditWindow *window = &windows[i].window;
    AditSelftestCase *self =
        adit_selftest_add_one(list, kernel, build, limit, TRUE, windows[i].image);

    for (guint axis = 0; axis < 2; axis++) {
        self->numbers[axis] = window->size[axis];
        self->numbers[2 + axis] = window->stride[axis];
        self->numbers[4 + axis] = window->dilation[axis];
        self->numbers[6 + axis] = window->before[axis];
        self->numbers[8 + axis] = window->after[axis];
    }
    self->numbers[10] = last;
    return self;
}

static void
list_conv2d(AditSelftestList *list, const char *kernel, gboolean of_gradient)
{
    for (guint i = 0; i < count_windows(list); i++) {
        AditSelftestCase *self =
            add_window(list, kernel, adit_selftest_build_conv2d, PRODUCTS, i, windows[i].groups);
        const AditWindow *window = &windows[i].window;

        adit_selftest_add_input(self, FALSE,
                                ADIT_SHAPE(windows[i].filters,
                                           windows[i].image.size[0] / windows[i].groups,
                                           window->size[0], window->size[1]));
        self->of_gradient = of_gradient;
    }
}

/* How the @i-th image is pooled: by its window, with plain and with special numbers, and to a size.
 */
static void
add_pool2d(AditSelftestList *list, const char *kernel, AditPooling pooling, double limit, guint i,
           AditSelftestSpread spread, const gsize *to)
{
    AditSelftestCase *self =
        add_window(list, kernel, adit_selftest_build_pool2d, limit, i, pooling);

    self->of_gradient = !g_str_equal(kernel, "pool-max") && !g_str_equal(kernel, "pool-average");
    self->spread = spread;
    self->positions = windows[i].image.size[1] * windows[i].image.size[2];
    if (g_str_equal(kernel, "pool-max-back"))
        self->values[0] = ADIT_VALUES_POSITIONS;
    if (to == NULL)
        return;
    self->numbers[0] = to[0];
    self->numbers[1] = to[1];
    self->numbers[2] = 0;
}

static void
list_pool2d(AditSelftestList *list, const char *kernel, AditPooling pooling, double limit)
{
    static const gsize to[][2] = {{2, 3}, {1, 1}, {7, 6}, {4, 5}};

    for (guint i = 0; i < count_windows(list); i++) {
        add_pool2d(list, kernel, pooling, limit, i, ADIT_SPREAD_PLAIN, NULL);
        add_pool2d(list, kernel, pooling, limit, i, ADIT_SPREAD_SPRINKLED, NULL);
    }
    for (guint i = 0; i < (list->full ? G_N_ELEMENTS(to) : 1); i++)
        add_pool2d(list, kernel, pooling, limit, 0, ADIT_SPREAD_PLAIN, to[i]);
}

/* Windows at any place, and at whole ones: these read nothing beside the number they stand on. */
static void
list_crops(AditSelftestList *list, const char *kernel, gboolean of_gradient)
{
    static const gsize maps[][3] = {{3, 9, 7}, {1, 5, 33}, {2, 17, 4}};

    for (guint i = 0; i < 8 * G_N_ELEMENTS(maps); i++) {
        const gsize *map = maps[i / 8];
        AditSelftestCase *self =
            adit_selftest_add_one(list, kernel, adit_selftest_build_crop, PRODUCTS, i % 2 == 0,
                                  ADIT_SHAPE(map[0], map[1], map[2]));

        adit_selftest_add_input(self, i / 2 % 2 == 0 || i % 2 == 1, ADIT_SHAPE(4));
        self->of_gradient = of_gradient;
        self->numbers[0] = i % 4 == 3 ? map[1] : 6;
        self->numbers[1] = i % 4 == 3 ? map[2] : 11;
        self->numbers[2] = i / 2 % 2;
        if (i / 4 % 2 == 0)
            continue;
        self->positions = 4;
        self->values[of_gradient ? 0 : 1] = ADIT_VALUES_POSITIONS;
        self->spread = ADIT_SPREAD_SPRINKLED;
    }
}

void
adit_selftest_list_images(AditSelftestList *list)
{
    list_conv2d(list, "conv2d", FALSE);
    list_conv2d(list, "conv2d-back", TRUE);
    list_conv2d(list, "conv2d-rows", TRUE);
    list_pool2d(list, "pool-max", ADIT_POOL_MAX, MOVES);
    list_pool2d(list, "pool-argmax", ADIT_POOL_MAX, MOVES);
    list_pool2d(list, "pool-max-back", ADIT_POOL_MAX, ELEMENTS);
    list_pool2d(list, "pool-average", ADIT_POOL_AVERAGE, ELEMENTS);
    list_pool2d(list, "pool-average-back", ADIT_POOL_AVERAGE, ELEMENTS);
    list_crops(list, "crop", FALSE);
    list_crops(list, "crop-gradient", TRUE);
}
