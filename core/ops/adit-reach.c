/* core/ops/adit-reach.c - SPDX-License-Identifier: MIT */
#include "adit-reach.h"

#include "adit-attributes.h"
#include "adit-graph-private.h"

#include <math.h>

/* How a region of an operation's result maps to its inputs, for all operations that a network is
 * made of. */

static void
follow(AditReach *self, guint axis, int from, double step, gsize extent)
{
    self->from[axis] = from;
    self->step[axis] = step;
    self->extent[axis] = extent;
}

/* Element by element, shapes aligned at their last axes; what is repeated is seen as a whole. */
static void
reach_pointwise(const AditTensor *y, guint input, AditReach *reach)
{
    const AditShape *x = &y->inputs[input]->shape;

    for (guint i = 1; i <= MIN(x->rank, y->shape.rank); i++) {
        if (x->size[x->rank - i] == y->shape.size[y->shape.rank - i])
            follow(reach, y->shape.rank - i, (int) (x->rank - i), 1, 1);
    }
}

static void
reach_regroup(const AditTensor *y, guint input, AditReach *reach)
{
    reach->regroups = TRUE;
}

static void
reach_window(const AditWindow *window, AditReach *reach)
{
    for (guint i = 0; i < 2; i++)
        follow(reach, 1 + i, (int) (1 + i), (double) window->stride[i],
               (window->size[i] - 1) * window->dilation[i] + 1);
    reach->window = TRUE;
}

static void
reach_conv2d(const AditTensor *y, guint input, AditReach *reach)
{
    const AditConvAttributes *attributes = y->attributes;

    if (input == 0)
        reach_window(&attributes->window, reach);
}

static void
reach_pool2d(const AditTensor *y, guint input, AditReach *reach)
{
    const AditPoolAttributes *attributes = y->attributes;

    follow(reach, 0, 0, 1, 1);
    if (!attributes->adaptive)
        reach_window(&attributes->window, reach);
}

static void
reach_reduce(const AditTensor *y, guint input, AditReach *reach)
{
    const AditReduceAttributes *attributes = y->attributes;

    for (guint i = 0; i < y->shape.rank; i++)
        follow(reach, i, (int) (i < attributes->first ? i : i + attributes->n_axes), 1, 1);
}

/* All but the last axis. */
static void
reach_lines(const AditTensor *y, guint input, AditReach *reach)
{
    const AditShape *x = &y->inputs[input]->shape;

    for (guint i = 0; i < y->shape.rank && i + 1 < x->rank; i++)
        follow(reach, i, (int) i, 1, 1);
}

/* A product with constants of which each column has few that are not 0 (resizing): from the first
 * to the last of the widest column. */
static gsize
measure_columns(const AditTensor *matrix, gboolean transposed)
{
    gsize n = matrix->shape.size[transposed ? 1 : 0], columns = matrix->shape.size[!transposed];
    gsize widest = 0;

    for (gsize j = 0; j < columns; j++) {
        gsize first = n, last = 0;

        for (gsize i = 0; i < n; i++) {
            if (fpclassify(matrix->values[transposed ? j * n + i : i * columns + j]) == FP_ZERO)
                continue;
            first = MIN(first, i);
            last = i;
        }
        widest = MAX(widest, first < n ? last - first + 1 : 0);
    }
    return widest;
}

static const AditTensor *
look_through(const AditTensor *tensor)
{
    while (tensor->kind == ADIT_TENSOR_CAPTURE)
        tensor = tensor->other;
    return tensor;
}

static void
reach_matmul(const AditTensor *y, guint input, AditReach *reach)
{
    const AditMatmulAttributes *attributes = y->attributes;
    const AditTensor *x = y->inputs[0], *matrix = look_through(y->inputs[1]);
    guint last = y->shape.rank - 1;

    if (input > 0)
        return;
    reach_lines(y, input, reach);
    if (matrix->kind != ADIT_TENSOR_CONSTANT)
        return;
    gsize extent = measure_columns(matrix, attributes->transpose_b);

    if (extent < x->shape.size[last])
        follow(reach, last, (int) last, (double) x->shape.size[last] / (double) y->shape.size[last],
               MAX(extent, 1));
}

static void
reach_batch_matmul(const AditTensor *y, guint input, AditReach *reach)
{
    const AditBatchMatmulAttributes *attributes = y->attributes;
    guint last = y->shape.rank - 1;

    for (guint i = 0; i + 1 < last; i++)
        follow(reach, i, (int) i, 1, 1);
    if (input == 0)
        follow(reach, last - 1, (int) (attributes->transpose_a ? last : last - 1), 1, 1);
    else
        follow(reach, last, (int) (attributes->transpose_b ? last - 1 : last), 1, 1);
}

static void
reach_transpose(const AditTensor *y, guint input, AditReach *reach)
{
    const AditTransposeAttributes *attributes = y->attributes;

    for (guint i = 0; i < y->shape.rank; i++)
        follow(reach, i, (int) attributes->axes[i], 1, 1);
}

static void
reach_concat(const AditTensor *y, guint input, AditReach *reach)
{
    const AditConcatAttributes *attributes = y->attributes;

    for (guint i = 0; i < y->shape.rank; i++)
        follow(reach, i, (int) i, 1, i == attributes->axis ? 0 : 1);
}

static void
reach_slice(const AditTensor *y, guint input, AditReach *reach)
{
    const AditSliceAttributes *attributes = y->attributes;

    reach_pointwise(y, input, reach);
    follow(reach, attributes->axis, (int) attributes->axis, (double) attributes->stride, 1);
}

static void
reach_pad(const AditTensor *y, guint input, AditReach *reach)
{
    const AditSliceAttributes *attributes = y->attributes;

    reach_pointwise(y, input, reach);
    follow(reach, attributes->axis, (int) attributes->axis, 1.0 / (double) attributes->stride, 1);
}

static gboolean
is_whole(double number)
{
    return fpclassify(number - round(number)) == FP_ZERO;
}

/* Two neighbours, unless it falls on numbers; a place that depends on the row may be anywhere. */
static void
reach_crop(const AditTensor *y, guint input, AditReach *reach)
{
    const AditTensor *place = look_through(y->inputs[1]);

    follow(reach, 0, 0, 1, 1);
    for (guint i = 0; place->kind == ADIT_TENSOR_CONSTANT && i < 2; i++) {
        double begin = place->values[i], step = place->values[2 + i];

        follow(reach, 1 + i, (int) (1 + i), fabs(step), is_whole(begin) && is_whole(step) ? 1 : 2);
    }
}

typedef struct {
    const char *op;
    void (*find)(const AditTensor *y, guint input, AditReach *reach);
} Row;

/* Beside the pointwise operations; of what is in neither, an element sees all there is (attention).
 */
static const Row table[] = {
    {"conv2d", reach_conv2d},
    {"pool-max", reach_pool2d},
    {"pool-average", reach_pool2d},
    {"reduce-sum", reach_reduce},
    {"reduce-mean", reach_reduce},
    {"reduce-max", reach_reduce},
    {"reduce-min", reach_reduce},
    {"matmul", reach_matmul},
    {"batch-matmul", reach_batch_matmul},
    {"reshape", reach_regroup},
    {"transpose", reach_transpose},
    {"concat", reach_concat},
    {"slice", reach_slice},
    {"pad", reach_pad},
    {"crop", reach_crop},
    {"broadcast", reach_pointwise},
    {"broadcast-rows", reach_pointwise},
    {"stop-gradient", reach_pointwise},
    {"normalize", reach_pointwise},
    {"layer-norm", reach_lines},
    {"softmax", reach_lines},
    {"log-softmax", reach_lines},
};

void
adit_reach_find(const AditTensor *y, guint input, AditReach *reach)
{
    *reach = (AditReach){0};
    for (guint i = 0; i < ADIT_MAX_RANK; i++)
        follow(reach, i, -1, 1, 1);
    if (adit_pointwise_find(y->op) != NULL)
        reach_pointwise(y, input, reach);
    for (guint i = 0; i < G_N_ELEMENTS(table); i++) {
        if (g_str_equal(table[i].op, y->op->name))
            table[i].find(y, input, reach);
    }
}
