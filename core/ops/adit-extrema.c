/* core/ops/adit-extrema.c - SPDX-License-Identifier: MIT */
#include "adit-attributes.h"
#include "adit-image-layout.h"
#include "adit-ops-private.h"

/* The largest and the smallest together, each with the number of the first that is it: the way back
 * needs no more than that. And the sums of the deficits that are made of them. */

/* Numbers are kept as float32, which is exact up to here. */
#define MAX_NUMBER ((gsize) 1 << 24)

#define N_PARTS 4

/* Whether @x, where it is to be made of extrema, is some: [4, ...]. */
static gboolean
expect_parts(const AditTensor *x, gboolean joins, GError **error)
{
    const AditShape *shape = adit_tensor_get_shape(x);

    if (!joins || (shape->rank > 0 && shape->size[0] == N_PARTS))
        return TRUE;
    return adit_infer_fail(error, x, "extrema: expected extrema, 4 x numbers");
}

static gsize
count_items(const AditTensor *x, gboolean joins)
{
    return adit_shape_count(adit_tensor_get_shape(x)) / (joins ? N_PARTS : 1);
}

static gboolean
extrema_infer(AditTensor *const *inputs, guint n_inputs, const void *data, AditShape *shape,
              gboolean *rows, GError **error)
{
    const AditExtremaAttributes *attributes = data;

    if (!expect_parts(inputs[0], attributes->joins, error))
        return FALSE;
    if (attributes->size > MAX_NUMBER)
        return adit_infer_fail(error, inputs[0], "extrema: expected at most 2^24 numbers");
    *shape = ADIT_SHAPE(N_PARTS, count_items(inputs[0], attributes->joins) / attributes->size);
    return TRUE;
}

static gboolean
shape_infer(AditTensor *const *inputs, guint n_inputs, const void *data, AditShape *shape,
            gboolean *rows, GError **error)
{
    *shape = ((const AditExtremaAttributes *) data)->shape;
    return TRUE;
}

static gboolean
shape_rows_infer(AditTensor *const *inputs, guint n_inputs, const void *data, AditShape *shape,
                 gboolean *rows, GError **error)
{
    *rows = TRUE;
    return shape_infer(inputs, n_inputs, data, shape, rows, error);
}

/* What is left of an image, and its numbers along the axes, come in the same order. */
static gboolean
extrema_lay(const AditShape *image, void *data)
{
    AditExtremaAttributes *attributes = data;
    gsize channels = image->size[0], pixels = image->size[1] * image->size[2];

    if (attributes->joins)
        return FALSE;
    if (attributes->size == pixels && attributes->inner == 1)
        attributes->inner = channels;
    else if (attributes->size == channels && attributes->inner == pixels)
        attributes->inner = 1;
    else
        return attributes->size == 1;
    return TRUE;
}

static gboolean
extrema_rows_lay(const AditShape *image, void *data)
{
    AditExtremaAttributes *attributes = data;

    attributes->inner = image->size[0];
    return TRUE;
}

/* Inputs: extrema, the gradient by them. */
static const AditOp extrema_gradient_op = {.name = "extrema-gradient",
                                           .encode = adit_encode_extrema,
                                           .lay_channels_last = extrema_lay,
                                           .infer = shape_infer};
static const AditOp rows_extrema_gradient_op = {.name = "rows-extrema-gradient",
                                                .encode = adit_encode_extrema,
                                                .lay_channels_last = extrema_rows_lay,
                                                .infer = shape_rows_infer};

static void
gradient(const AditOp *op, AditTensor *y, AditTensor *dy, AditTensor **dx)
{
    const AditExtremaAttributes *attributes = adit_tensor_get_attributes(y);

    dx[0] = adit_apply(op, (AditTensor *[]){y, dy}, 2, attributes, sizeof *attributes);
}

static void
extrema_gradient(AditTensor *y, AditTensor *dy, AditTensor *const *inputs, AditTensor **dx)
{
    gradient(&extrema_gradient_op, y, dy, dx);
}

static void
rows_extrema_gradient(AditTensor *y, AditTensor *dy, AditTensor *const *inputs, AditTensor **dx)
{
    gradient(&rows_extrema_gradient_op, y, dy, dx);
}

static const AditOp extrema_op = {.name = "extrema",
                                  .encode = adit_encode_extrema,
                                  .lay_channels_last = extrema_lay,
                                  .infer = extrema_infer,
                                  .gradient = extrema_gradient};

static gboolean
extrema_rows_infer(AditTensor *const *inputs, guint n_inputs, const void *data, AditShape *shape,
                   gboolean *rows, GError **error)
{
    const AditExtremaAttributes *attributes = data;

    if (!adit_tensor_has_rows(inputs[0]))
        return adit_infer_fail(error, inputs[0], "extrema: expected a value for every row");
    *shape = ADIT_SHAPE(N_PARTS, count_items(inputs[0], attributes->joins));
    return expect_parts(inputs[0], attributes->joins, error);
}

static const AditOp rows_extrema_op = {.name = "rows-extrema",
                                       .encode = adit_encode_extrema,
                                       .lay_channels_last = extrema_rows_lay,
                                       .infer = extrema_rows_infer,
                                       .gradient = rows_extrema_gradient,
                                       .combine = "combine-extrema",
                                       .over_rows = TRUE,
                                       .accumulates = TRUE};

/* Where neighbouring axes begin and how many numbers they have. FALSE: it failed the graph. */
static gboolean
find_axes(AditTensor *x, gboolean joins, guint first, guint n_axes, AditExtremaAttributes *found)
{
    const AditShape *shape = adit_tensor_get_shape(x);
    guint parts = joins ? 1 : 0;

    *found = (AditExtremaAttributes){.size = 1, .inner = 1, .joins = joins, .shape = *shape};
    if (first + n_axes + parts > shape->rank) {
        g_autofree char *text = adit_shape_to_string(shape);

        adit_graph_fail(adit_tensor_get_graph(x), "extrema: %s has no axes %u to %u", text, first,
                        first + n_axes - 1);
        return FALSE;
    }
    for (guint i = first + parts; i < shape->rank; i++) {
        if (i < first + parts + n_axes)
            found->size *= shape->size[i];
        else
            found->inner *= shape->size[i];
    }
    return TRUE;
}

AditTensor *
adit_extrema(AditTensor *x, AditExtremaOf of, guint first, guint n_axes)
{
    AditExtremaAttributes attributes;

    if (adit_tensor_has_failed(x))
        return x;
    if (!find_axes(x, of == ADIT_EXTREMA_OF_EXTREMA, first, n_axes, &attributes))
        return adit_graph_fail(adit_tensor_get_graph(x), "extrema: bad axes");
    return adit_apply(&extrema_op, &x, 1, &attributes, sizeof attributes);
}

AditTensor *
adit_extrema_rows(AditTensor *x, AditExtremaOf of)
{
    AditExtremaAttributes attributes = {.size = 1, .inner = 1};

    if (adit_tensor_has_failed(x))
        return x;
    attributes.joins = of == ADIT_EXTREMA_OF_EXTREMA;
    attributes.shape = *adit_tensor_get_shape(x);
    return adit_apply(&rows_extrema_op, &x, 1, &attributes, sizeof attributes);
}

/* Deficits. */

static gboolean
deficits_infer(AditTensor *const *inputs, guint n_inputs, const void *data, AditShape *shape,
               gboolean *rows, GError **error)
{
    if (!adit_tensor_has_rows(inputs[0]))
        return adit_infer_fail(error, inputs[0], "deficits: expected a value for every row");
    *shape = ADIT_SHAPE(2);
    return expect_parts(inputs[0], TRUE, error);
}

static gboolean
deficits_gradient_infer(AditTensor *const *inputs, guint n_inputs, const void *data,
                        AditShape *shape, gboolean *rows, GError **error)
{
    *shape = *adit_tensor_get_shape(inputs[0]);
    *rows = TRUE;
    return TRUE;
}

/* Inputs: extrema, the gradient by the sums. */
static const AditOp deficits_gradient_op = {.name = "rows-deficits-gradient",
                                            .encode = adit_encode_deficits,
                                            .infer = deficits_gradient_infer};

static void
deficits_gradient(AditTensor *y, AditTensor *dy, AditTensor *const *inputs, AditTensor **dx)
{
    const AditDeficitsAttributes *attributes = adit_tensor_get_attributes(y);

    dx[0] = adit_apply(&deficits_gradient_op, (AditTensor *[]){inputs[0], dy}, 2, attributes,
                       sizeof *attributes);
}

static const AditOp rows_deficits_op = {.name = "rows-deficits",
                                        .encode = adit_encode_deficits,
                                        .infer = deficits_infer,
                                        .gradient = deficits_gradient,
                                        .over_rows = TRUE,
                                        .accumulates = TRUE};

AditTensor *
adit_deficits_rows(AditTensor *extrema, double margin, double upper, double lower)
{
    AditDeficitsAttributes attributes = {margin, upper, lower};

    if (adit_tensor_has_failed(extrema))
        return extrema;
    return adit_apply(&rows_deficits_op, &extrema, 1, &attributes, sizeof attributes);
}

AditTensor *
adit_deficits(AditTensor *extrema, double margin, double upper, double lower)
{
    int last = (int) adit_tensor_get_shape(extrema)->rank - 1;
    AditTensor *largest = adit_slice(extrema, last - 1, 0, 1, 1);
    AditTensor *smallest = adit_slice(extrema, last - 1, 2, 3, 1);
    AditTensor *above = adit_relu(adit_offset(adit_neg(largest), margin));
    AditTensor *below = adit_relu(adit_offset(smallest, margin));

    return adit_add(adit_scale(above, upper), adit_scale(below, lower));
}
