/* core/component/adit-sequence.c - SPDX-License-Identifier: MIT */
#include "adit-sequence.h"

#include <adit/adit-ops.h>

#include "adit-component-private.h"
#include "adit-cut.h"
#include "adit-graph-private.h"
#include "adit-paths.h"
#include "adit-selection.h"

#include <string.h>

struct _AditSequence {
    AditBlock parent_instance;
    AditAggregator *aggregator;
    GPtrArray *items;
};

G_DEFINE_FINAL_TYPE(AditSequence, adit_sequence, ADIT_TYPE_BLOCK)

AditItem *
adit_item_new(AditBlock *block, const char *name, const char *type)
{
    AditItem *self = g_new0(AditItem, 1);
    self->block = g_object_ref(block);
    self->name = g_strdup(name);
    self->type = g_strdup(type);
    return self;
}

void
adit_item_set_other_types(AditItem *self, const char *const *types)
{
    g_strfreev(self->other_types);
    self->other_types = g_strdupv((char **) types);
}

AditItem *
adit_item_new_repeat(guint times, gboolean tied)
{
    AditItem *self = g_new0(AditItem, 1);
    self->times = times;
    self->tied = tied;
    self->items = g_ptr_array_new_with_free_func((GDestroyNotify) adit_item_free);
    return self;
}

void
adit_item_free(AditItem *self)
{
    g_clear_object(&self->block);
    g_free(self->name);
    g_free(self->type);
    g_strfreev(self->other_types);
    g_clear_pointer(&self->items, g_ptr_array_unref);
    g_free(self);
}

static guint
count_items(const GPtrArray *items)
{
    guint count = 0;
    for (guint i = 0; i < items->len; i++) {
        const AditItem *item = items->pdata[i];
        count += item->block != NULL ? 1 : item->times * count_items(item->items);
    }
    return count;
}

/**
 * Builder: the state of building a sequence, in its graph or in the body of a loop.
 * @number: of the next item
 * @strides: how much further on the same item is in the next iteration of each loop
 * @weights: (if @tied) number of the item whose weights the next one has
 * @each: (nullable): the items' part of the fold's `each`, @first being the first one's number
 */
typedef struct {
    AditSequence *sequence;
    AditGraph *graph;
    AditFold fold;
    guint number;
    guint strides[ADIT_MAX_LOOPS];
    gboolean tied;
    guint weights;
    AditTensor *each;
    guint first;
} Builder;

static void build_items(Builder *self, const GPtrArray *items);
static gboolean carries_skip(AditBlock *block);

static AditTensor *
item_part(const Builder *self)
{
    if (self->each == NULL)
        return NULL;
    guint index = self->number - self->first;
    AditShape shape = *adit_tensor_get_shape(self->each);
    AditTensor *part = adit_slice(self->each, 0, index, index + 1, 1);
    memmove(&shape.size[0], &shape.size[1], (ADIT_MAX_RANK - 1) * sizeof(gsize));
    shape.rank = shape.rank > 0 ? shape.rank - 1 : 0;
    return adit_reshape(part, &shape);
}

static gboolean
carry_skips(const GPtrArray *items)
{
    for (guint i = 0; i < items->len; i++) {
        const AditItem *item = items->pdata[i];
        if (item->block == NULL ? carry_skips(item->items) : carries_skip(item->block))
            return TRUE;
    }
    return FALSE;
}

static gboolean
is_empty(AditBlock *block)
{
    return ADIT_IS_SEQUENCE(block) && count_items(ADIT_SEQUENCE(block)->items) == 0;
}

/* The empty path is a skip where what goes by it is added or put beside. */
static gboolean
paths_skip(AditPaths *paths)
{
    AditJoin join = adit_paths_get_join(paths);
    gboolean adds = join != ADIT_JOIN_MAX && join != ADIT_JOIN_PRODUCT;

    for (guint i = 0; i < adit_paths_count(paths); i++) {
        AditBlock *path = adit_paths_get_block(paths, i);
        if ((adds && is_empty(path)) || carries_skip(path))
            return TRUE;
    }
    return FALSE;
}

static gboolean
carries_skip(AditBlock *block)
{
    if (ADIT_IS_PATHS(block))
        return paths_skip(ADIT_PATHS(block));
    if (!ADIT_IS_SEQUENCE(block))
        return FALSE;
    AditSequence *sequence = ADIT_SEQUENCE(block);
    return ADIT_AGGREGATOR_GET_CLASS(sequence->aggregator)->skips || carry_skips(sequence->items);
}

static gboolean
ends_normalized(const AditTensor *y)
{
    return y->component != NULL && ADIT_IS_BLOCK(y->component) &&
           ADIT_BLOCK_GET_CLASS(y->component)->normalizes;
}

static void
build_block(Builder *self, const AditItem *item)
{
    AditAggregator *aggregator = self->sequence->aggregator;
    adit_graph_enter_scope(self->graph, self->number, self->strides,
                           self->tied ? self->weights : self->number, item->name, item->type);
    adit_graph_set_other_types(self->graph, (const char *const *) item->other_types);
    adit_tap(self->fold.feed, "in");
    AditTensor *y = adit_block_build(item->block, self->graph, self->fold.feed);
    AditTensor *before = self->fold.collect;
    y = adit_tap(y, "out");
    self->fold.item = item_part(self);
    self->fold.name = item->type;
    self->fold.skips = carries_skip(item->block);
    self->fold.normalized = ends_normalized(y);
    adit_graph_enter_component(self->graph, item->block); /* errors stand at the item */
    ADIT_AGGREGATOR_GET_CLASS(aggregator)->step(aggregator, self->graph, y, &self->fold);
    adit_graph_leave_component(self->graph);
    adit_graph_cross(self->graph, 0, &self->fold.feed, &self->fold.collect);
    adit_tap_collect(self->fold.collect, before);
    adit_graph_detach(self->graph, &self->fold.feed, &self->fold.collect);
    adit_graph_leave_scope(self->graph);
    self->number++;
    self->weights++;
}

static gboolean
is_same(const AditTensor *a, const AditTensor *b)
{
    return a->rows == b->rows && adit_shape_equal(&a->shape, &b->shape);
}

/* The fold's `each` as the loop's iterations see it: [times, items, ..]. */
static AditTensor *
loop_each(const Builder *self, AditLoop *loop, guint n_items)
{
    guint index = self->number - self->first;
    AditTensor *part = adit_slice(self->each, 0, index, index + loop->n * n_items, 1);
    AditShape shape = *adit_tensor_get_shape(part);
    shape.size[0] = n_items;
    shape = adit_shape_prepend(&shape, loop->n);
    return adit_loop_each(loop, adit_reshape(part, &shape));
}

/* Builds @n iterations as one loop if what it carries keeps its shape; @merged: the block's feed is
 * what is collected, so that one carry serves for both. */
static gboolean
try_loop(Builder *self, const AditItem *repeat, guint n, gboolean merged)
{
    AditMark mark = adit_graph_mark(self->graph);
    AditLoop *loop = adit_loop_new(self->graph, n, FALSE);
    loop->tied = repeat->tied;
    guint n_items = count_items(repeat->items);

    Builder inner = *self;
    inner.graph = loop->body;
    inner.strides[self->graph->depth] = n_items;
    if (self->each != NULL) {
        inner.each = loop_each(self, loop, n_items);
        inner.first = self->number;
    }
    AditTensor *feed = adit_loop_carry(loop, self->fold.feed);
    AditTensor *collect = merged ? feed : adit_loop_carry(loop, self->fold.collect);
    inner.fold.feed = feed;
    inner.fold.collect = collect;
    build_items(&inner, repeat->items);
    if (adit_graph_get_error(self->graph) != NULL)
        return TRUE;
    if (!is_same(inner.fold.feed, feed) || !is_same(inner.fold.collect, collect) ||
        (merged && inner.fold.feed != inner.fold.collect)) {
        adit_graph_rollback(self->graph, &mark);
        return FALSE;
    }
    adit_loop_set_next(loop, feed, inner.fold.feed);
    if (!merged)
        adit_loop_set_next(loop, collect, inner.fold.collect);
    self->fold.feed = adit_loop_last(loop, feed);
    self->fold.collect = adit_loop_last(loop, collect);
    self->number += n * n_items;
    self->weights += n * n_items;
    return TRUE;
}

/* A section that is used again inside a loop is built as it was outside. */
static gboolean
is_within_loop(const AditGraph *graph)
{
    for (; graph->loop != NULL; graph = graph->parent) {
        if (adit_scope_moves(graph->root->scope, graph->loop))
            return TRUE;
    }
    return FALSE;
}

/* A loop of two within a loop costs more than it saves: what it is fed would be copied into the
 * history that the outer one keeps. */
static gboolean
can_loop(Builder *self, const AditItem *repeat, guint n)
{
    guint least = is_within_loop(self->graph) ? 3 : 2;
    if (n < least || self->graph->depth >= ADIT_MAX_LOOPS || self->fold.collect == NULL)
        return FALSE;
    if (self->fold.feed == self->fold.collect && try_loop(self, repeat, n, TRUE))
        return TRUE;
    return try_loop(self, repeat, n, FALSE);
}

static gboolean
has_exits(const AditGraph *root, guint number)
{
    for (char **address = root->exits; address != NULL && *address != NULL; address++) {
        if (adit_address_grasp(*address, root->scope, number) != ADIT_GRASP_NOTHING)
            return TRUE;
    }
    return FALSE;
}

/* Whether items @number and @like have the same exits, and none of them within. */
static gboolean
have_same_exits(const AditGraph *root, guint number, guint like)
{
    for (char **address = root->exits; address != NULL && *address != NULL; address++) {
        AditGrasp grasp = adit_address_grasp(*address, root->scope, number);

        if (grasp == ADIT_GRASP_INSIDE || grasp != adit_address_grasp(*address, root->scope, like))
            return FALSE;
    }
    return TRUE;
}

/* How many of @times iterations from here on have the same exits at the same items and no cut
 * between them. A cut may be behind the last of them, unless exits there are to be on its far side.
 * 0: the next one has a cut, or exits that may be within its items or are to stand alone. */
static guint
count_alike(const Builder *self, guint n_items, guint times)
{
    const AditGraph *root = self->graph->root;

    if (root->exits == NULL && root->cut == NULL)
        return times;
    for (guint i = 0; i < times * n_items; i++) {
        guint number = self->number + i;
        AditGrasp cut = adit_graph_cuts(root, number);
        gboolean is_last = (i + 1) % n_items == 0;

        if (!have_same_exits(root, number, self->number + i % n_items))
            return i / n_items;
        if (cut == ADIT_GRASP_ITEM && is_last && !has_exits(root, number))
            return (i + 1) / n_items;
        if (cut != ADIT_GRASP_NOTHING ||
            (root->cut != NULL && root->cut->alone && has_exits(root, number)))
            return i / n_items;
    }
    return times;
}

/* Iterations that change the shape of what is carried stand alone; if the third still does, all do.
 */
static void
build_repeat(Builder *self, const AditItem *repeat)
{
    gboolean outer_tied = self->tied;
    guint weights = outer_tied ? self->weights : self->number;
    guint n_items = count_items(repeat->items);
    if (repeat->tied) {
        self->tied = TRUE;
        adit_graph_share_weights(self->graph, 1);
    }
    for (guint i = 0, alone = 0, n; i < repeat->times && n_items > 0; i += n) {
        if (repeat->tied)
            self->weights = weights;
        n = count_alike(self, n_items, repeat->times - i);
        if (n > 1 && alone < 3 && can_loop(self, repeat, n)) {
            adit_graph_cross(self->graph, self->number - 1, &self->fold.feed, &self->fold.collect);
            continue;
        }
        alone += n > 1;
        build_items(self, repeat->items);
        n = 1;
    }
    if (repeat->tied) {
        self->tied = outer_tied;
        self->weights = weights + n_items;
        adit_graph_share_weights(self->graph, -1);
    }
}

static void
build_items(Builder *self, const GPtrArray *items)
{
    for (guint i = 0; i < items->len; i++) {
        const AditItem *item = items->pdata[i];
        if (adit_graph_get_error(self->graph) != NULL)
            return;
        if (item->block != NULL)
            build_block(self, item);
        else
            build_repeat(self, item);
    }
}

static AditTensor *
build(AditBlock *block, AditGraph *graph, AditTensor *x)
{
    AditSequence *self = ADIT_SEQUENCE(block);
    Builder builder = {.sequence = self, .graph = graph, .number = 1};
    builder.fold = (AditFold){.feed = x, .count = count_items(self->items)};
    if (builder.fold.count == 0)
        return x;
    adit_graph_enter_component(graph, self->aggregator);
    ADIT_AGGREGATOR_GET_CLASS(self->aggregator)->begin(self->aggregator, graph, x, &builder.fold);
    adit_graph_leave_component(graph);
    builder.each = builder.fold.each;
    builder.first = 1;
    build_items(&builder, self->items);
    return builder.fold.collect != NULL ? builder.fold.collect : x;
}

static gboolean
equal_items(const GPtrArray *a, const GPtrArray *b)
{
    if (a->len != b->len)
        return FALSE;
    for (guint i = 0; i < a->len; i++) {
        const AditItem *x = a->pdata[i], *y = b->pdata[i];
        if ((x->block == NULL) != (y->block == NULL))
            return FALSE;
        if (x->block != NULL &&
            !adit_component_equal(ADIT_COMPONENT(x->block), ADIT_COMPONENT(y->block)))
            return FALSE;
        if (x->block == NULL &&
            (x->times != y->times || x->tied != y->tied || !equal_items(x->items, y->items)))
            return FALSE;
    }
    return TRUE;
}

static gboolean
equal(AditComponent *component, AditComponent *other)
{
    AditSequence *a = ADIT_SEQUENCE(component);
    AditSequence *b = ADIT_SEQUENCE(other);
    return adit_component_equal(ADIT_COMPONENT(a->aggregator), ADIT_COMPONENT(b->aggregator)) &&
           equal_items(a->items, b->items);
}

static void
adit_sequence_finalize(GObject *object)
{
    AditSequence *self = ADIT_SEQUENCE(object);
    g_clear_object(&self->aggregator);
    g_clear_pointer(&self->items, g_ptr_array_unref);
    G_OBJECT_CLASS(adit_sequence_parent_class)->finalize(object);
}

static void
adit_sequence_class_init(AditSequenceClass *klass)
{
    AditComponentClass *component_class = ADIT_COMPONENT_CLASS(klass);
    G_OBJECT_CLASS(klass)->finalize = adit_sequence_finalize;
    ADIT_BLOCK_CLASS(klass)->build = build;
    component_class->equal = equal;
    adit_component_class_describe(component_class, "sequence", "Blocks and how they are wired");
}

static void
adit_sequence_init(AditSequence *self)
{
    self->items = g_ptr_array_new_with_free_func((GDestroyNotify) adit_item_free);
}

AditSequence *
adit_sequence_new(AditAggregator *aggregator)
{
    AditSequence *self = g_object_new(ADIT_TYPE_SEQUENCE, NULL);
    self->aggregator = g_object_ref(aggregator);
    return self;
}

void
adit_sequence_add(AditSequence *self, AditItem *item)
{
    g_ptr_array_add(self->items, item);
}

AditAggregator *
adit_sequence_get_aggregator(AditSequence *self)
{
    return self->aggregator;
}

const GPtrArray *
adit_sequence_get_items(AditSequence *self)
{
    return self->items;
}

guint
adit_sequence_count(AditSequence *self)
{
    return count_items(self->items);
}
