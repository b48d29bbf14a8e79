/* plugins/blocks/resize.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>
#include <math.h>

struct _AditResize {
    AditBlock parent_instance;
    GArray *size;
    int method;
};
ADIT_DEFINE_BLOCK(AditResize, adit_resize, ADIT_RESIZE)

enum { METHOD_BILINEAR, METHOD_NEAREST };

/* Column @to of the matrix from @from pixels to @n: what pixel @to is made of. As PyTorch's
 * interpolate() with align_corners=False. */
static void
fill_column(int method, gsize from, gsize n, gsize to, double *values)
{
    double place = fmax(((double) to + 0.5) * (double) from / (double) n - 0.5, 0.0);
    gsize first = MIN((gsize) place, from - 1), second = MIN(first + 1, from - 1);

    if (method == METHOD_NEAREST) {
        values[to * from / n * n + to] = 1.0;
        return;
    }
    values[first * n + to] += 1.0 - (place - (double) first);
    values[second * n + to] += place - (double) first;
}

/* The last axis of @x, @n pixels long. */
static AditTensor *
resize_last(AditTensor *x, int method, gsize n)
{
    gsize from = adit_tensor_get_width(x);
    g_autofree double *values = g_new0(double, from *n);

    if (from == n)
        return x;
    for (gsize to = 0; to < n; to++)
        fill_column(method, from, n, to, values);
    return adit_matmul(
        x, adit_constant_array(adit_tensor_get_graph(x), &ADIT_SHAPE(from, n), values), FALSE);
}

static AditTensor *
build(AditBlock *block, AditGraph *graph, AditTensor *x)
{
    static const int turned[] = {0, 2, 1};
    AditResize *self = ADIT_RESIZE(block);
    gsize height = (gsize) adit_pair_get(self->size, 0, 1);
    gsize width = (gsize) adit_pair_get(self->size, 1, 1);

    x = adit_block_expect_image(block, x, "reshape");
    if (adit_tensor_has_failed(x))
        return x;
    x = resize_last(x, self->method, width);
    if (adit_tensor_get_shape(x)->size[1] == height)
        return x;
    return adit_transpose(resize_last(adit_transpose(x, turned), self->method, height), turned);
}

static void
adit_resize_class_init(AditComponentClass *klass)
{
    static const char *const methods[] = {"bilinear", "nearest", NULL};

    ADIT_BLOCK_CLASS(klass)->build = build;
    adit_component_class_describe(klass, "resize", "Images with another number of pixels");
    adit_component_class_set_example(klass, "{resize: {size: [3, 5]}}");
    adit_component_class_add_pair(klass, "size", "Height and width, or both at once", 1, 65536,
                                  ADIT_FIELD(AditResize, size, GArray *));
    adit_component_class_require(klass, "size");
    adit_component_class_add_choice(klass, "method",
                                    "Between pixels: straight lines, or the pixel it falls in",
                                    methods, METHOD_BILINEAR, ADIT_FIELD(AditResize, method, int));
}

ADIT_PLUGIN("resize", "1.0", "MIT", ADIT_TYPES(adit_resize_get_type))
