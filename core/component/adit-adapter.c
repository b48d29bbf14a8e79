/* core/component/adit-adapter.c - SPDX-License-Identifier: MIT */
#include "adit-adapter.h"

#include <adit/adit-ops.h>

#include <math.h>

#include "adit-graph-private.h"
#include "adit-philox.h"

static void refuse(AditGraph *graph, const AditFold *fold, AditTensor **y, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

/* Fails the graph with what @y and the collected tensor are and what can be done. */
static void
refuse(AditGraph *graph, const AditFold *fold, AditTensor **y, const char *format, ...)
{
    g_autofree char *got = adit_shape_to_string(adit_tensor_get_shape(*y));
    g_autofree char *sum = adit_shape_to_string(adit_tensor_get_shape(fold->collect));
    g_autofree char *block =
        fold->name != NULL ? g_strdup_printf("'%s'", fold->name) : g_strdup("the block");
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *hint = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    *y =
        adit_graph_fail(graph, "%s gives %s, but the running sum is %s; %s", block, got, sum, hint);
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

static void
draw_weights(const char *name, double *values, gsize n, gpointer data)
{
    const AditShape *shape = data;
    double scale = 1.0 / sqrt((double) shape->size[0]);
    AditRandom random;

    adit_random_init(&random, 0, name);
    for (gsize i = 0; i < n; i++)
        values[i] = scale * adit_random_normal(&random);
}

/* A matrix drawn once and never trained: normal with variance 1 / inputs, from a stream of the
 * place's name alone, so that it is the same in training, evaluation and every run. */
static AditTensor *
random_matrix(AditGraph *graph, AditShape shape)
{
    return adit_constant_drawn(graph, "adapt", &shape, draw_weights, &shape);
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
    int axis = (int) adit_channel_axis(adit_tensor_get_shape(x));
    gsize from = adit_tensor_get_shape(x)->size[axis];

    switch ((AditAdaptWidth) self->width) {
    case ADIT_ADAPT_PAD:
        return adit_pad(x, axis, 0, to - from, 0.0);
    case ADIT_ADAPT_TRUNCATE:
        return adit_slice(x, axis, 0, to, 1);
    case ADIT_ADAPT_RANDOM:
        return mix_channels(x, random_matrix(graph, ADIT_SHAPE(from, to)));
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
    guint axis = adit_channel_axis(shape);
    gsize to = shape->size[axis];
    gsize from = adit_tensor_get_shape(fold->collect)->size[axis];

    if (from == to)
        return;
    if (self->to == ADIT_ADAPT_TO_WIDEST && from > to)
        *y = adapt_width(self, graph, *y, from);
    else if (can_adapt(self, from, to))
        fold->collect = adapt_width(self, graph, fold->collect, to);
    else if (self->width == ADIT_ADAPT_PAD)
        refuse(graph, fold, y,
               "'pad' cannot narrow, set 'adapt-to' to widest or 'adapt' of '%s' (project, random, "
               "truncate)",
               name);
    else
        refuse(graph, fold, y,
               "'truncate' cannot widen, set 'adapt' of '%s' (pad, project, random)", name);
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

/* What the resolution is adapted by: of images means, unless something else is said or nothing is
 * to be adapted at all. */
static AditAdaptSpace
choose_space(const AditAdapter *self, const AditShape *shape)
{
    gboolean adapts = self->width != ADIT_ADAPT_NONE && shape->rank == 3;

    if (self->space == ADIT_ADAPT_SPACE_NONE && adapts)
        return ADIT_ADAPT_SPACE_POOL;
    return (AditAdaptSpace) self->space;
}

/* NULL: @space cannot. */
static AditTensor *
adapt_axis(AditAdaptSpace space, AditTensor *x, guint axis, gsize to)
{
    gsize from = adit_tensor_get_shape(x)->size[axis];
    gsize factor = (from + to - 1) / to;

    if (from == to)
        return x;
    if (from < to)
        return NULL;
    switch (space) {
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

/* Why @space cannot. */
static void
refuse_space(AditAdaptSpace space, const char *name, AditGraph *graph, const AditFold *fold,
             AditTensor **y)
{
    const AditShape *from = adit_tensor_get_shape(fold->collect), *to = adit_tensor_get_shape(*y);
    gboolean larger = FALSE;

    for (guint axis = 0; axis < to->rank; axis++)
        larger = larger || (axis != adit_channel_axis(to) && to->size[axis] > from->size[axis]);
    if (larger)
        refuse(graph, fold, y, "no adapter of '%s' makes a resolution finer", name);
    else if (space == ADIT_ADAPT_SPACE_NONE)
        refuse(graph, fold, y, "set 'adapt-space' of '%s' (crop, pool, stride)", name);
    else if (space == ADIT_ADAPT_SPACE_POOL)
        refuse(graph, fold, y,
               "'pool' needs a whole factor, set 'adapt-space' of '%s' (crop, stride)", name);
    else
        refuse(graph, fold, y, "'stride' needs a whole step, set 'adapt-space' of '%s' (crop)",
               name);
}

void
adit_adapter_join_space(const AditAdapter *self, const char *name, AditGraph *graph, AditFold *fold,
                        AditTensor **y)
{
    if (fold->collect == NULL || adit_tensor_has_failed(fold->collect) ||
        adit_tensor_has_failed(*y))
        return;

    const AditShape *shape = adit_tensor_get_shape(*y);
    AditAdaptSpace space = choose_space(self, shape);
    AditTensor *collect = fold->collect;
    if (adit_tensor_get_shape(collect)->rank != shape->rank) {
        refuse(graph, fold, y, "no adapter joins unequal numbers of axes");
        return;
    }
    for (guint axis = 0; collect != NULL && axis < shape->rank; axis++) {
        if (axis != adit_channel_axis(shape))
            collect = adapt_axis(space, collect, axis, shape->size[axis]);
    }
    if (collect == NULL)
        refuse_space(space, name, graph, fold, y);
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
    guint axis = adit_channel_axis(shape);
    if (self->width == ADIT_ADAPT_NONE && shape->rank == sum->rank &&
        shape->size[axis] != sum->size[axis]) {
        refuse(graph, fold, y, "set 'adapt' of '%s' (pad, project, random, truncate)", name);
        return;
    }
    adit_adapter_join_space(self, name, graph, fold, y);
    if (!adit_tensor_has_failed(*y))
        join_width(self, name, graph, fold, y);
}
