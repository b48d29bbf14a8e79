/* core/component/adit-adapter.c - SPDX-License-Identifier: MIT */
#include "adit-adapter.h"

#include <adit/adit-ops.h>

#include <math.h>

#include "adit-graph-private.h"
#include "adit-philox.h"

/* Channels come first in images (channels x height x width), else last. */
static guint
channel_axis(const AditShape *shape)
{
    return shape->rank == 3 ? 0 : shape->rank - 1;
}

/* Fails the graph with what @y and the collected tensor are and what can be done. */
static void
refuse(AditGraph *graph, const AditFold *fold, AditTensor **y, const char *hint, const char *name,
       const char *words)
{
    g_autofree char *got = adit_shape_to_string(adit_tensor_get_shape(*y));
    g_autofree char *sum = adit_shape_to_string(adit_tensor_get_shape(fold->collect));
    g_autofree char *block =
        fold->name != NULL ? g_strdup_printf("'%s'", fold->name) : g_strdup("the block");

    *y = adit_graph_fail(graph, "%s gives %s, but the running sum is %s; %s of '%s' (%s)", block,
                         got, sum, hint, name, words);
}

/* Width. */

/* The product with @weight along the channels' axis. */
static AditTensor *
mix_channels(AditTensor *x, AditTensor *weight)
{
    static const int channels_last[] = {1, 2, 0};
    static const int channels_first[] = {2, 0, 1};

    if (adit_tensor_get_shape(x)->rank != 3)
        return adit_matmul(x, weight, FALSE);
    return adit_transpose(adit_matmul(adit_transpose(x, channels_last), weight, FALSE),
                          channels_first);
}

/* A matrix drawn once and never trained: normal with variance 1 / inputs, from a stream of the
 * place's name alone, so that it is the same in training, evaluation and every run. */
static AditTensor *
random_matrix(AditGraph *graph, const AditShape *shape)
{
    g_auto(GStrv) names = adit_graph_list_names(graph, "adapt", TRUE);
    gsize count = adit_shape_count(shape);
    g_autofree double *values = g_new(double, count);
    double scale = 1.0 / sqrt((double) shape->size[0]);
    AditRandom random;

    adit_random_init(&random, 0, names[0]);
    for (gsize i = 0; i < count; i++)
        values[i] = scale * adit_random_normal(&random);
    return adit_constant_array(graph, shape, values);
}

static gboolean
can_adapt(const AditAdapter *self, gsize from, gsize to)
{
    if (self->width == ADIT_ADAPT_PAD)
        return from < to;
    if (self->width == ADIT_ADAPT_TRUNCATE)
        return from > to;
    return TRUE;
}

static AditTensor *
adapt_width(const AditAdapter *self, AditGraph *graph, AditTensor *x, gsize to)
{
    int axis = (int) channel_axis(adit_tensor_get_shape(x));
    gsize from = adit_tensor_get_shape(x)->size[axis];

    switch ((AditAdaptWidth) self->width) {
    case ADIT_ADAPT_PAD:
        return adit_pad(x, axis, 0, to - from, 0.0);
    case ADIT_ADAPT_TRUNCATE:
        return adit_slice(x, axis, 0, to, 1);
    case ADIT_ADAPT_RANDOM:
        return mix_channels(x, random_matrix(graph, &ADIT_SHAPE(from, to)));
    case ADIT_ADAPT_PROJECT:
        return mix_channels(x, adit_parameter(graph, "adapt.weight", ADIT_ROLE_WEIGHT,
                                              &ADIT_SHAPE(from, to), NULL));
    case ADIT_ADAPT_NONE:
    default:
        return x;
    }
}

static void
join_width(const AditAdapter *self, const char *name, AditGraph *graph, AditFold *fold,
           AditTensor **y)
{
    const AditShape *shape = adit_tensor_get_shape(*y);
    guint axis = channel_axis(shape);
    gsize to = shape->size[axis];
    gsize from = adit_tensor_get_shape(fold->collect)->size[axis];

    if (from == to)
        return;
    if (self->to == ADIT_ADAPT_TO_WIDEST && from > to)
        *y = adapt_width(self, graph, *y, from);
    else if (can_adapt(self, from, to))
        fold->collect = adapt_width(self, graph, fold->collect, to);
    else if (self->width == ADIT_ADAPT_PAD)
        refuse(graph, fold, y, "'pad' cannot narrow, set 'adapt-to' to widest or 'adapt'", name,
               "project, random, truncate");
    else
        refuse(graph, fold, y, "'truncate' cannot widen, set 'adapt'", name,
               "pad, project, random");
}

/* Resolution. */

/* The mean of each group of @factor elements of @axis. */
static AditTensor *
pool(AditTensor *x, guint axis, gsize factor)
{
    AditShape shape = *adit_tensor_get_shape(x);
    AditShape split = {.rank = shape.rank + 1};

    for (guint i = 0; i < split.rank; i++)
        split.size[i] = shape.size[i <= axis ? i : i - 1];
    split.size[axis] /= factor;
    split.size[axis + 1] = factor;
    return adit_reduce(adit_reshape(x, &split), ADIT_REDUCE_MEAN, (int[]){(int) axis + 1}, 1);
}

/* NULL: the adapter cannot. */
static AditTensor *
adapt_axis(const AditAdapter *self, AditTensor *x, guint axis, gsize to)
{
    gsize from = adit_tensor_get_shape(x)->size[axis];
    gsize factor = (from + to - 1) / to;

    if (from == to)
        return x;
    if (from < to)
        return NULL;
    switch ((AditAdaptSpace) self->space) {
    case ADIT_ADAPT_SPACE_POOL:
        return from == factor * to ? pool(x, axis, factor) : NULL;
    case ADIT_ADAPT_SPACE_STRIDE:
        return (from + factor - 1) / factor == to ? adit_slice(x, (int) axis, 0, from, factor)
                                                  : NULL;
    case ADIT_ADAPT_SPACE_CROP:
        return adit_slice(x, (int) axis, (from - to) / 2, (from - to) / 2 + to, 1);
    case ADIT_ADAPT_SPACE_NONE:
    default:
        return NULL;
    }
}

void
adit_adapter_join_space(const AditAdapter *self, const char *name, AditGraph *graph, AditFold *fold,
                        AditTensor **y)
{
    if (fold->collect == NULL || adit_tensor_has_failed(fold->collect) ||
        adit_tensor_has_failed(*y))
        return;

    const AditShape *shape = adit_tensor_get_shape(*y);
    AditTensor *collect = fold->collect;
    if (adit_tensor_get_shape(collect)->rank != shape->rank) {
        refuse(graph, fold, y, "no adapter", name, "joins unequal numbers of axes");
        return;
    }
    for (guint axis = 0; collect != NULL && axis < shape->rank; axis++) {
        if (axis != channel_axis(shape))
            collect = adapt_axis(self, collect, axis, shape->size[axis]);
    }
    if (collect == NULL)
        refuse(graph, fold, y, "set 'adapt-space'", name, "crop, pool, stride");
    else
        fold->collect = collect;
}

void
adit_adapter_join(const AditAdapter *self, const char *name, AditGraph *graph, AditFold *fold,
                  AditTensor **y)
{
    if (fold->collect == NULL || adit_tensor_has_failed(fold->collect) ||
        adit_tensor_has_failed(*y))
        return;

    const AditShape *shape = adit_tensor_get_shape(*y);
    const AditShape *sum = adit_tensor_get_shape(fold->collect);
    if (adit_shape_equal(shape, sum))
        return;
    if (shape->rank == sum->rank && shape->rank > 0 &&
        shape->size[channel_axis(shape)] != sum->size[channel_axis(sum)] &&
        self->width == ADIT_ADAPT_NONE) {
        refuse(graph, fold, y, "set 'adapt'", name, "pad, project, random, truncate");
        return;
    }
    adit_adapter_join_space(self, name, graph, fold, y);
    if (!adit_tensor_has_failed(*y))
        join_width(self, name, graph, fold, y);
}
