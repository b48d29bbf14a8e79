/* core/compile/adit-segments.c - SPDX-License-Identifier: MIT */
#include "adit-segments.h"

#include <adit/adit-ops.h>

#include "adit-compile-private.h"

#include <string.h>

/**
 * Value: a tensor in one iteration of the loops around it, all of which are written out.
 * @inputs: (element-type Value): what it is computed from
 * @segment: the first that needs it
 * @last: the last that needs it
 * @copy: in the graph of the segment that is being made
 * @copied: that segment, counted from 1
 */
typedef struct {
    AditTensor *tensor;
    guint instance;
    GPtrArray *inputs;
    guint segment;
    guint last;
    AditTensor *copy;
    guint copied;
} Value;

/**
 * Cutting: one call of adit_graph_cut().
 * @live: set of AditTensor: what the ends need
 * @opened: set of AditLoop: with an end in them
 * @values: (element-type Value): inputs come before what is computed from them
 * @found: (element-type Value): by tensor and instance
 * @same: (element-type Value): operations by what they do to what
 * @current: the segment that needs what is being found, or that is being made
 */
typedef struct {
    GHashTable *live;
    GHashTable *opened;
    GPtrArray *values;
    GHashTable *found;
    GHashTable *same;
    guint current;
    GError *error;
} Cutting;

static void
value_free(gpointer data)
{
    g_ptr_array_unref(((Value *) data)->inputs);
    g_free(data);
}

static void
segment_free(gpointer data)
{
    AditSegment *self = data;

    g_clear_pointer(&self->graph, adit_graph_unref);
    g_clear_pointer(&self->handed, g_ptr_array_unref);
    g_clear_pointer(&self->taken, g_ptr_array_unref);
    g_free(self);
}

static void
cutting_clear(Cutting *self)
{
    g_clear_pointer(&self->live, g_hash_table_unref);
    g_clear_pointer(&self->opened, g_hash_table_unref);
    g_clear_pointer(&self->found, g_hash_table_unref);
    g_clear_pointer(&self->same, g_hash_table_unref);
    g_clear_pointer(&self->values, g_ptr_array_unref);
    g_clear_error(&self->error);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Cutting, cutting_clear)

/* ---- what values there are ---- */

static guint
hash_place(gconstpointer key)
{
    const Value *value = key;

    return g_direct_hash(value->tensor) * 31 + value->instance;
}

static gboolean
is_at_place(gconstpointer a, gconstpointer b)
{
    const Value *one = a, *other = b;

    return one->tensor == other->tensor && one->instance == other->instance;
}

static guint
hash_work(gconstpointer key)
{
    const Value *value = key;
    guint hash = g_direct_hash(value->tensor->op);

    for (guint i = 0; i < value->inputs->len; i++)
        hash = hash * 31 + g_direct_hash(value->inputs->pdata[i]);
    return hash;
}

/* Whether two operations do the same to the same. */
static gboolean
is_same_work(gconstpointer a, gconstpointer b)
{
    const Value *one = a, *other = b;
    const AditTensor *mine = one->tensor, *its = other->tensor;

    return mine->op == its->op && one->inputs->len == other->inputs->len &&
           memcmp(one->inputs->pdata, other->inputs->pdata, one->inputs->len * sizeof(gpointer)) ==
               0 &&
           mine->attributes_size == its->attributes_size &&
           (mine->attributes_size == 0 ||
            memcmp(mine->attributes, its->attributes, mine->attributes_size) == 0);
}

static Value *find_value(Cutting *self, AditTensor *tensor, guint instance);

static void
refuse(Cutting *self, const AditTensor *tensor, const char *why)
{
    if (self->error == NULL)
        g_set_error(&self->error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "a row cannot leave: '%s' %s, and the others would have other answers",
                    tensor->op != NULL ? tensor->op->name : "a loop", why);
}

/* A row's value must be that of the row alone, wherever it stands. */
static void
check_operation(Cutting *self, const AditTensor *tensor)
{
    if (tensor->op->over_rows)
        refuse(self, tensor, "joins rows");
    if (tensor->names != NULL)
        refuse(self, tensor, "counts rows");
}

/* An instance counts the innermost loop's iterations last. */
static guint
get_iteration(const AditLoop *loop, guint instance)
{
    return instance % loop->n;
}

/* The iteration of @loop that is computed @step-th. */
static guint
get_index(const AditLoop *loop, guint step)
{
    return loop->reverse ? loop->n - 1 - step : step;
}

static Value *
find_carry(Cutting *self, const AditTensor *carry, guint instance)
{
    const AditLoop *loop = carry->loop;
    guint index = get_iteration(loop, instance), step = get_index(loop, index);

    if (step == 0 || carry->next == NULL)
        return find_value(self, carry->initial, instance / loop->n);
    return find_value(self, carry->next, instance - index + get_index(loop, step - 1));
}

/* Another value that a tensor stands for; NULL: none. */
static Value *
find_alias(Cutting *self, AditTensor *tensor, guint instance)
{
    const AditLoop *loop = tensor->loop;

    switch (tensor->kind) {
    case ADIT_TENSOR_CARRY:
        return find_carry(self, tensor, instance);
    case ADIT_TENSOR_CAPTURE:
        return find_value(self, tensor->other, instance / loop->n);
    case ADIT_TENSOR_EACH:
        if (tensor->other->kind == ADIT_TENSOR_STACK &&
            g_hash_table_contains(self->opened, tensor->other->loop))
            return find_value(self, tensor->other->other,
                              instance / loop->n * tensor->other->loop->n +
                                  get_iteration(loop, instance));
        return NULL;
    case ADIT_TENSOR_LAST:
        if (!g_hash_table_contains(self->opened, loop))
            return NULL;
        if (tensor->other->next == NULL)
            return find_value(self, tensor->other->initial, instance);
        return find_value(self, tensor->other->next,
                          instance * loop->n + get_index(loop, loop->n - 1));
    case ADIT_TENSOR_OP:
    case ADIT_TENSOR_INPUT:
    case ADIT_TENSOR_CONSTANT:
    case ADIT_TENSOR_LIVE:
    case ADIT_TENSOR_STEP:
    case ADIT_TENSOR_PARAMETER:
    case ADIT_TENSOR_STATE:
    case ADIT_TENSOR_STACK:
    default:
        return NULL;
    }
}

/* Of a loop that stays one, all of its body that @tensor needs, and of that the values around it.
 */
static void
reach(Cutting *self, Value *value, AditTensor *tensor, GHashTable *seen)
{
    if (tensor == NULL || !g_hash_table_add(seen, tensor))
        return;
    if (tensor->graph == value->tensor->graph) {
        g_ptr_array_add(value->inputs, find_value(self, tensor, value->instance));
        return;
    }
    if (tensor->op != NULL)
        check_operation(self, tensor);
    for (guint i = 0; i < tensor->n_inputs; i++)
        reach(self, value, tensor->inputs[i], seen);
    reach(self, value, tensor->other, seen);
    reach(self, value, tensor->initial, seen);
    reach(self, value, tensor->next, seen);
}

/* A loop that stays one is run once, where the first of what it leaves is needed, for all of it. */
static void
find_loop_inputs(Cutting *self, Value *value)
{
    const AditLoop *loop = value->tensor->loop;
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);

    for (guint i = 0; i < loop->lasts->len + loop->stacks->len; i++) {
        AditTensor *leaving = i < loop->lasts->len ? loop->lasts->pdata[i]
                                                   : loop->stacks->pdata[i - loop->lasts->len];
        const Value key = {.tensor = leaving, .instance = value->instance};
        const Value *other = g_hash_table_lookup(self->found, &key);

        if (other != NULL)
            value->segment = other->segment;
        if (g_hash_table_contains(self->live, leaving))
            reach(self, value, leaving->other, seen);
    }
}

static void
find_inputs(Cutting *self, Value *value)
{
    AditTensor *tensor = value->tensor;

    switch (tensor->kind) {
    case ADIT_TENSOR_OP:
        for (guint i = 0; i < tensor->n_inputs; i++)
            g_ptr_array_add(value->inputs, find_value(self, tensor->inputs[i], value->instance));
        check_operation(self, tensor);
        break;
    case ADIT_TENSOR_EACH:
        g_ptr_array_add(value->inputs,
                        find_value(self, tensor->other, value->instance / tensor->loop->n));
        break;
    case ADIT_TENSOR_STACK:
        if (g_hash_table_contains(self->opened, tensor->loop))
            refuse(self, tensor, "is read whole");
        else
            find_loop_inputs(self, value);
        break;
    case ADIT_TENSOR_LAST:
        find_loop_inputs(self, value);
        break;
    case ADIT_TENSOR_INPUT:
    case ADIT_TENSOR_CONSTANT:
    case ADIT_TENSOR_LIVE:
    case ADIT_TENSOR_STEP:
    case ADIT_TENSOR_PARAMETER:
    case ADIT_TENSOR_STATE:
    case ADIT_TENSOR_CARRY:
    case ADIT_TENSOR_CAPTURE:
    default:
        break;
    }
}

static Value *
add_value(Cutting *self, AditTensor *tensor, guint instance)
{
    Value *value = g_new0(Value, 1), *other = NULL;

    value->tensor = tensor;
    value->instance = instance;
    value->inputs = g_ptr_array_new();
    value->segment = value->last = self->current;
    find_inputs(self, value);
    if (tensor->kind == ADIT_TENSOR_OP && value->inputs->len > 0) {
        other = g_hash_table_lookup(self->same, value);
        if (other == NULL)
            g_hash_table_add(self->same, value);
    }
    if (other != NULL) {
        value_free(value);
        return other;
    }
    g_ptr_array_add(self->values, value);
    return value;
}

static Value *
find_value(Cutting *self, AditTensor *tensor, guint instance)
{
    const Value key = {.tensor = tensor, .instance = instance};
    Value *value = NULL;

    if (g_hash_table_lookup_extended(self->found, &key, NULL, (gpointer *) &value))
        return value;
    value = find_alias(self, tensor, instance);
    if (value == NULL)
        value = add_value(self, tensor, instance);
    g_hash_table_insert(self->found, g_memdup2(&key, sizeof key), value);
    return value;
}

/* Whether it is handed from segment to segment: what has no rows is made anew. */
static gboolean
is_handed(const Value *value)
{
    return value->tensor->rows;
}

/* What a segment reads lasts until then. */
static void
find_lifetimes(Cutting *self, Value *const *ends, guint n)
{
    for (guint i = 0; i < self->values->len; i++) {
        const Value *value = self->values->pdata[i];

        for (guint j = 0; j < value->inputs->len; j++) {
            Value *input = value->inputs->pdata[j];

            input->last = MAX(input->last, value->segment);
        }
    }
    for (guint i = 0; i < n; i++)
        ends[i]->last = MAX(ends[i]->last, i);
}

/* ---- their copies ---- */

static AditTensor *copy_value(Cutting *self, AditGraph *graph, Value *value);

/* Sources of the network, by the same names. */
static AditTensor *
copy_source(AditGraph *graph, const AditTensor *tensor)
{
    if (tensor->kind == ADIT_TENSOR_INPUT)
        return adit_input(graph, tensor->name, &tensor->shape, tensor->classes);
    if (tensor->kind == ADIT_TENSOR_LIVE)
        return adit_live(graph, tensor->live);
    if (tensor->kind == ADIT_TENSOR_STEP)
        return adit_step(graph);
    if (tensor->kind == ADIT_TENSOR_CONSTANT)
        return adit_constant_array(graph, &tensor->shape, tensor->values);
    AditTensor *copy = adit_tensor_new(graph, tensor->kind, &tensor->shape, FALSE);

    copy->names = g_strdupv(tensor->names);
    copy->role = tensor->role;
    copy->fill = tensor->fill;
    return copy;
}

/* An iteration's part of what has no rows. */
static AditTensor *
copy_part(AditTensor *stack, const AditTensor *tensor, guint iteration)
{
    return adit_reshape(adit_slice(stack, 0, iteration, iteration + 1, 1), &tensor->shape);
}

/**
 * Inner: what of a loop that stays one has been copied.
 * @value: what it is copied for
 * @loops: AditLoop -> its copy
 * @copies: AditTensor of its body -> its copy
 * @pending: (element-type AditTensor): carries whose next value has not been copied
 */
typedef struct {
    Cutting *cutting;
    AditGraph *graph;
    Value *value;
    GHashTable *loops;
    GHashTable *copies;
    GPtrArray *pending;
} Inner;

static AditTensor *copy_inner(Inner *self, AditTensor *tensor);

static AditLoop *
copy_loop(Inner *self, const AditLoop *loop)
{
    AditLoop *copy = g_hash_table_lookup(self->loops, loop);

    if (copy != NULL)
        return copy;
    AditGraph *around = self->graph;

    if (loop->parent != self->value->tensor->graph)
        around = copy_loop(self, loop->parent->loop)->body;
    copy = adit_loop_new(around, loop->n, loop->reverse);
    copy->tied = loop->tied;
    g_hash_table_insert(self->loops, (gpointer) loop, copy);
    return copy;
}

/* What the next iteration is given comes later: it may need what is being copied now. */
static AditTensor *
copy_carry(Inner *self, AditTensor *tensor)
{
    g_ptr_array_add(self->pending, tensor);
    return adit_loop_carry(copy_loop(self, tensor->loop), copy_inner(self, tensor->initial));
}

static void
copy_nexts(Inner *self)
{
    while (self->pending->len > 0) {
        AditTensor *tensor = g_ptr_array_steal_index(self->pending, 0);

        if (tensor->next != NULL)
            adit_loop_set_next(copy_loop(self, tensor->loop), copy_inner(self, tensor),
                               copy_inner(self, tensor->next));
    }
}

static AditTensor *
copy_operation(Inner *self, AditTensor *tensor)
{
    AditTensor *inputs[ADIT_MAX_INPUTS];

    for (guint i = 0; i < tensor->n_inputs; i++)
        inputs[i] = copy_inner(self, tensor->inputs[i]);
    return adit_tensor_repeat(tensor, copy_loop(self, tensor->graph->loop)->body, inputs);
}

static AditTensor *
copy_new(Inner *self, AditTensor *tensor)
{
    switch (tensor->kind) {
    case ADIT_TENSOR_OP:
        return copy_operation(self, tensor);
    case ADIT_TENSOR_CARRY:
        return copy_carry(self, tensor);
    case ADIT_TENSOR_EACH:
        return adit_loop_each(copy_loop(self, tensor->loop), copy_inner(self, tensor->other));
    case ADIT_TENSOR_CAPTURE:
        return adit_graph_import(copy_loop(self, tensor->loop)->body,
                                 copy_inner(self, tensor->other));
    case ADIT_TENSOR_LAST: {
        AditTensor *carry = copy_inner(self, tensor->other);
        return adit_loop_last(copy_loop(self, tensor->loop), carry);
    }
    case ADIT_TENSOR_STACK: {
        AditTensor *part = copy_inner(self, tensor->other);
        return adit_loop_stack(copy_loop(self, tensor->loop), part);
    }
    case ADIT_TENSOR_INPUT:
    case ADIT_TENSOR_CONSTANT:
    case ADIT_TENSOR_LIVE:
    case ADIT_TENSOR_STEP:
    case ADIT_TENSOR_PARAMETER:
    case ADIT_TENSOR_STATE:
    default:
        g_return_val_if_reached(NULL);
    }
}

static AditTensor *
copy_inner(Inner *self, AditTensor *tensor)
{
    AditTensor *copy = g_hash_table_lookup(self->copies, tensor);

    if (copy != NULL)
        return copy;
    if (tensor != self->value->tensor && tensor->graph == self->value->tensor->graph)
        return copy_value(self->cutting, self->graph,
                          find_value(self->cutting, tensor, self->value->instance));
    copy = copy_new(self, tensor);
    g_hash_table_insert(self->copies, tensor, copy);
    return copy;
}

/* What a loop that stays one leaves, all of it together. */
static AditTensor *
copy_last(Cutting *self, AditGraph *graph, Value *value)
{
    Inner inner = {self, graph, value};

    inner.loops = g_hash_table_new(NULL, NULL);
    inner.copies = g_hash_table_new(NULL, NULL);
    inner.pending = g_ptr_array_new();
    AditTensor *copy = copy_inner(&inner, value->tensor);
    const AditLoop *loop = value->tensor->loop;

    for (guint i = 0; i < loop->lasts->len; i++) {
        const Value key = {.tensor = loop->lasts->pdata[i], .instance = value->instance};
        Value *other = g_hash_table_lookup(self->found, &key);

        if (other == NULL || other == value)
            continue;
        other->copy = copy_new(&inner, other->tensor);
        other->copied = self->current + 1;
    }
    copy_nexts(&inner);
    g_ptr_array_unref(inner.pending);
    g_hash_table_unref(inner.loops);
    g_hash_table_unref(inner.copies);
    return copy;
}

static AditTensor *
copy_new_value(Cutting *self, AditGraph *graph, Value *value)
{
    AditTensor *tensor = value->tensor, *inputs[ADIT_MAX_INPUTS] = {NULL};

    if (tensor->kind == ADIT_TENSOR_LAST || tensor->kind == ADIT_TENSOR_STACK)
        return copy_last(self, graph, value);
    for (guint i = 0; i < value->inputs->len; i++)
        inputs[i] = copy_value(self, graph, value->inputs->pdata[i]);
    if (tensor->kind == ADIT_TENSOR_OP)
        return adit_tensor_repeat(tensor, graph, inputs);
    if (tensor->kind == ADIT_TENSOR_EACH)
        return copy_part(inputs[0], tensor, get_iteration(tensor->loop, value->instance));
    return copy_source(graph, tensor);
}

static AditTensor *
copy_value(Cutting *self, AditGraph *graph, Value *value)
{
    if (value->copied != self->current + 1) {
        value->copy = copy_new_value(self, graph, value);
        value->copied = self->current + 1;
    }
    return value->copy;
}

/* ---- segments ---- */

static void
take(Cutting *self, AditSegment *segment, Value *value)
{
    value->copy = adit_input(segment->graph, "handed", &value->tensor->shape, 0);
    value->copied = self->current + 1;
    g_ptr_array_add(segment->taken, value->copy);
}

static AditSegment *
make_segment(Cutting *self, Value *end)
{
    AditSegment *segment = g_new0(AditSegment, 1);

    segment->graph = adit_graph_new(ADIT_MODE_EVALUATION);
    segment->handed = g_ptr_array_new();
    segment->taken = g_ptr_array_new();
    for (guint i = 0; i < self->values->len; i++) {
        Value *value = self->values->pdata[i];

        if (is_handed(value) && value->segment < self->current && value->last >= self->current)
            take(self, segment, value);
    }
    segment->end = copy_value(self, segment->graph, end);
    for (guint i = 0; i < self->values->len; i++) {
        Value *value = self->values->pdata[i];

        if (is_handed(value) && value->segment <= self->current && value->last > self->current)
            g_ptr_array_add(segment->handed, copy_value(self, segment->graph, value));
    }
    return segment;
}

static void
open_loops(Cutting *self, const AditTensor *end)
{
    for (AditLoop *loop = end->graph->loop; loop != NULL; loop = loop->parent->loop)
        g_hash_table_add(self->opened, loop);
}

GPtrArray *
adit_graph_cut(AditGraph *graph, const AditSegmentEnd *ends, guint n, GError **error)
{
    g_auto(Cutting) self = {.opened = g_hash_table_new(NULL, NULL)};
    g_autoptr(GPtrArray) segments = g_ptr_array_new_with_free_func(segment_free);
    g_autofree Value **values = g_new0(Value *, n + 1);
    g_autofree AditProgramOutput *outputs = g_new0(AditProgramOutput, n + 1);

    g_return_val_if_fail(adit_graph_get_error(graph) == NULL, NULL);
    self.values = g_ptr_array_new_with_free_func(value_free);
    self.found = g_hash_table_new_full(hash_place, is_at_place, g_free, NULL);
    self.same = g_hash_table_new(hash_work, is_same_work);
    for (guint i = 0; i < n; i++) {
        outputs[i].tensor = ends[i].tensor;
        open_loops(&self, ends[i].tensor);
    }
    self.live = adit_simplify(outputs, n);
    for (self.current = 0; self.current < n; self.current++)
        values[self.current] =
            find_value(&self, ends[self.current].tensor, ends[self.current].instance);
    if (self.error != NULL) {
        g_propagate_error(error, g_steal_pointer(&self.error));
        return NULL;
    }
    find_lifetimes(&self, values, n);
    for (self.current = 0; self.current < n; self.current++) {
        AditSegment *segment = make_segment(&self, values[self.current]);
        const GError *wrong = adit_graph_get_error(segment->graph);

        g_ptr_array_add(segments, segment);
        if (wrong != NULL) {
            g_propagate_error(error, g_error_copy(wrong));
            return NULL;
        }
    }
    return g_steal_pointer(&segments);
}
