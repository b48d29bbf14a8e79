/* core/gradient/adit-gradient.c - SPDX-License-Identifier: MIT */
#include "adit-gradient.h"

#include <adit/adit-ops.h>

#include "adit-graph-private.h"

#include <string.h>

/**
 * Pass: the walk back through one graph. For the root graph both sides are the same graph; for a
 * loop,
 * @forward is its body and @reverse the body of the reverse loop.
 */
typedef struct _Pass Pass;
struct _Pass {
    Pass *outer;
    AditGraph *forward;
    AditGraph *reverse;
    AditLoop *forward_loop;
    AditLoop *reverse_loop;
    GHashTable *views;     /* forward tensor -> how the reverse side sees it */
    GHashTable *gradients; /* forward tensor -> gradient, on the reverse side */
    GHashTable *kept;      /* (nullable): where blocks begin and end: all else in them is rebuilt */
    GHashTable
        *inner;      /* source in a loop's body -> its gradient as far as it is stacked, or NULL */
    AditTensor *now; /* the gradient that is being handed on */
};

static void walk_back(Pass *pass);

static void
pass_init(Pass *self, Pass *outer, AditGraph *forward, AditGraph *reverse)
{
    *self = (Pass){.outer = outer, .forward = forward, .reverse = reverse};
    self->kept = outer != NULL ? outer->kept : NULL;
    self->inner = outer != NULL ? outer->inner : NULL;
    self->views = g_hash_table_new(NULL, NULL);
    self->gradients = g_hash_table_new(NULL, NULL);
}

static void
pass_finish(Pass *self)
{
    g_hash_table_unref(self->views);
    g_hash_table_unref(self->gradients);
}

/* Whether the scope is a block of the trunk. */
static gboolean
is_block(const AditScope *scope)
{
    return scope->parent != NULL && scope->parent->parent == NULL &&
           g_strcmp0(scope->parent->name, "trunk") == 0;
}

/* Whether a tensor lies in a block of the trunk and not at its ends. */
static gboolean
is_inner(const Pass *pass, const AditTensor *tensor)
{
    const AditScope *scope = tensor->scope;

    while (scope != NULL && !is_block(scope))
        scope = scope->parent;
    return scope != NULL && !g_hash_table_contains(pass->kept, tensor);
}

static gboolean
is_carried(const Pass *pass, const AditTensor *tensor)
{
    const AditLoop *loop = pass->forward_loop;

    for (guint i = 0; loop != NULL && i < loop->carries->len; i++) {
        if (((const AditTensor *) loop->carries->pdata[i])->next == tensor)
            return TRUE;
    }
    return FALSE;
}

static gboolean
is_given(const AditTensor *tensor)
{
    while (tensor->kind == ADIT_TENSOR_CAPTURE)
        tensor = tensor->other;
    return tensor->kind == ADIT_TENSOR_CONSTANT || tensor->kind == ADIT_TENSOR_LIVE ||
           tensor->kind == ADIT_TENSOR_STEP;
}

/* Whether nothing but noise and given numbers is behind a value, as behind a dropout's mask: noise
 * is drawn again, as its numbers follow from their places. */
static gboolean
is_drawn(const AditTensor *tensor)
{
    if (tensor->kind != ADIT_TENSOR_OP || tensor->op->over_rows)
        return FALSE;
    for (guint i = 0; i < tensor->n_inputs; i++) {
        if (!is_given(tensor->inputs[i]) && !is_drawn(tensor->inputs[i]))
            return FALSE;
    }
    return TRUE;
}

/* Whether a reverse loop computes the value again instead of reading what the forward one kept of
 * it: a normalisation over the batch is cheap, and its own rule reads what was normalised anyway;
 * so is a rectifier, but only behind what is computed again itself nothing else has to be kept. */
static gboolean
is_cheap(const AditTensor *tensor)
{
    static const char *const rectifiers[] = {"relu", "leaky-relu"};

    if (is_drawn(tensor))
        return TRUE;
    if (tensor->kind != ADIT_TENSOR_OP || !tensor->rows)
        return FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(rectifiers); i++) {
        if (strcmp(tensor->op->name, rectifiers[i]) == 0)
            return is_cheap(tensor->inputs[0]);
    }
    return strcmp(tensor->op->name, "normalize") == 0;
}

static gboolean
is_rebuilt(const Pass *pass, const AditTensor *tensor)
{
    if (pass->kept != NULL && tensor->kind == ADIT_TENSOR_OP && tensor->rows &&
        is_inner(pass, tensor) && !is_carried(pass, tensor))
        return TRUE;
    return pass->outer != NULL && is_cheap(tensor);
}

static AditTensor *see(Pass *pass, AditTensor *tensor);

static AditTensor *
rebuild(Pass *pass, AditTensor *tensor)
{
    AditTensor *inputs[ADIT_MAX_INPUTS];

    for (guint i = 0; i < tensor->n_inputs; i++)
        inputs[i] = see(pass, tensor->inputs[i]);
    AditTensor *again = adit_tensor_repeat(tensor, pass->reverse, inputs);
    /* in the graph that it was computed in nothing else would make it wait; a body's runs then */
    if (pass->outer == NULL && !again->failed)
        again->after = pass->now;
    return again;
}

/* A forward tensor as seen on the reverse side: what an iteration computed is stacked by the
 * forward loop and read back by the reverse one, or computed again from what is. */
static AditTensor *
see(Pass *pass, AditTensor *tensor)
{
    AditTensor *view = g_hash_table_lookup(pass->views, tensor);
    if (view != NULL)
        return view;
    if (pass->outer == NULL && !is_rebuilt(pass, tensor))
        return tensor;
    if (tensor->kind == ADIT_TENSOR_CAPTURE)
        view = see(pass->outer, tensor->other);
    else if (tensor->kind == ADIT_TENSOR_EACH)
        view = adit_loop_each(pass->reverse_loop, see(pass->outer, tensor->other));
    else if (is_rebuilt(pass, tensor))
        view = rebuild(pass, tensor);
    else
        view = adit_loop_each(pass->reverse_loop,
                              see(pass->outer, adit_loop_stack(pass->forward_loop, tensor)));
    view = adit_graph_import(pass->reverse, view);
    g_hash_table_insert(pass->views, tensor, view);
    return view;
}

static AditTensor *
zeros(AditGraph *graph, const AditTensor *like)
{
    AditTensor *zero = adit_constant(graph, 0);
    /* rows first: what has rows waits for nothing */
    if (like->rows)
        zero = adit_broadcast_rows(zero);
    return adit_broadcast(zero, &like->shape);
}

static void
add_gradient(Pass *pass, AditTensor *tensor, AditTensor *gradient)
{
    if (gradient == NULL || gradient->failed)
        return;
    if (!adit_shape_equal(&tensor->shape, &gradient->shape) || (gradient->rows && !tensor->rows)) {
        adit_graph_fail(pass->reverse, "the gradient of '%s' has another shape",
                        tensor->op != NULL ? tensor->op->name : "a source");
        return;
    }
    if (tensor->rows && !gradient->rows)
        gradient = adit_broadcast_rows(gradient);
    AditTensor *sum = g_hash_table_lookup(pass->gradients, tensor);
    if (sum != NULL)
        gradient = adit_add(sum, gradient);
    g_hash_table_insert(pass->gradients, tensor, gradient);
}

static void
op_gradient(Pass *pass, AditTensor *y, AditTensor *dy)
{
    if (y->op->gradient == NULL || y->n_inputs == 0)
        return;
    AditTensor *inputs[ADIT_MAX_INPUTS];
    AditTensor *dx[ADIT_MAX_INPUTS] = {NULL};
    pass->now = dy;
    for (guint i = 0; i < y->n_inputs; i++)
        inputs[i] = see(pass, y->inputs[i]);
    y->op->gradient(see(pass, y), dy, inputs, dx);
    for (guint i = 0; i < y->n_inputs; i++)
        add_gradient(pass, y->inputs[i], dx[i]);
}

/* The sum over all iterations of the gradient by a tensor of the surrounding graph. */
static void
capture_gradient(Pass *outer, Pass *pass, AditTensor *capture)
{
    AditTensor *gradient = g_hash_table_lookup(pass->gradients, capture);
    if (gradient == NULL)
        return;
    AditTensor *sum = adit_loop_carry(pass->reverse_loop, zeros(outer->reverse, capture));
    adit_loop_set_next(pass->reverse_loop, sum, adit_add(sum, gradient));
    add_gradient(outer, capture->other, adit_loop_last(pass->reverse_loop, sum));
}

static gboolean
has_gradient(Pass *pass, const AditLoop *loop)
{
    for (guint i = 0; i < loop->lasts->len; i++) {
        if (g_hash_table_contains(pass->gradients, loop->lasts->pdata[i]))
            return TRUE;
    }
    for (guint i = 0; i < loop->stacks->len; i++) {
        if (g_hash_table_contains(pass->gradients, loop->stacks->pdata[i]))
            return TRUE;
    }
    return FALSE;
}

static AditTensor *
last_gradient(Pass *pass, const AditLoop *loop, const AditTensor *carry)
{
    for (guint i = 0; i < loop->lasts->len; i++) {
        AditTensor *last = loop->lasts->pdata[i];
        if (last->other == carry)
            return g_hash_table_lookup(pass->gradients, last);
    }
    return NULL;
}

/* Sources of the loop's body, or of loops in it, as stacks of all iterations. */
static void
stack_inner(Pass *pass)
{
    GHashTableIter iter;
    gpointer key, value;

    g_hash_table_iter_init(&iter, pass->inner);
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        const AditTensor *source = key;
        AditTensor *gradient = value;

        if (source->graph == pass->forward) {
            gradient = g_hash_table_lookup(pass->gradients, source);
            if (gradient == NULL)
                gradient = zeros(pass->reverse, source);
        } else if (gradient == NULL || gradient->graph != pass->reverse) {
            continue;
        }
        g_hash_table_iter_replace(&iter, adit_loop_stack(pass->reverse_loop, gradient));
    }
}

static void
loop_gradient(Pass *pass, AditLoop *loop)
{
    AditLoop *reverse = adit_loop_new(pass->reverse, loop->n, !loop->reverse);
    g_autofree AditTensor **carries = g_new0(AditTensor *, loop->carries->len + 1);
    Pass inner;
    pass_init(&inner, pass, loop->body, reverse->body);
    inner.forward_loop = loop;
    inner.reverse_loop = reverse;

    for (guint i = 0; i < loop->carries->len; i++) {
        AditTensor *carry = loop->carries->pdata[i];
        AditTensor *gradient = last_gradient(pass, loop, carry);
        if (gradient == NULL)
            gradient = zeros(pass->reverse, carry);
        carries[i] = adit_loop_carry(reverse, gradient);
        add_gradient(&inner, carry->next, carries[i]);
    }
    guint n_stacks = loop->stacks->len;
    for (guint i = 0; i < n_stacks; i++) {
        AditTensor *stack = loop->stacks->pdata[i];
        AditTensor *gradient = g_hash_table_lookup(pass->gradients, stack);
        if (gradient != NULL)
            add_gradient(&inner, stack->other, adit_loop_each(reverse, gradient));
    }
    walk_back(&inner);

    for (guint i = 0; i < loop->carries->len; i++) {
        AditTensor *carry = loop->carries->pdata[i];
        AditTensor *gradient = g_hash_table_lookup(inner.gradients, carry);
        if (gradient == NULL)
            gradient = zeros(reverse->body, carry);
        adit_loop_set_next(reverse, carries[i], gradient);
        add_gradient(pass, carry->initial, adit_loop_last(reverse, carries[i]));
    }
    for (guint i = 0; i < loop->eaches->len; i++) {
        AditTensor *each = loop->eaches->pdata[i];
        AditTensor *gradient = g_hash_table_lookup(inner.gradients, each);
        if (gradient != NULL)
            add_gradient(pass, each->other, adit_loop_stack(reverse, gradient));
    }
    for (guint i = 0; i < loop->captures->len; i++)
        capture_gradient(pass, &inner, loop->captures->pdata[i]);
    stack_inner(&inner);
    pass_finish(&inner);
}

/* All that reads a loop's outputs lies behind the first of them. */
static gboolean
is_first_output(const AditTensor *tensor)
{
    const AditLoop *loop = tensor->loop;
    for (guint i = 0; i < loop->lasts->len; i++) {
        if (((AditTensor *) loop->lasts->pdata[i])->id < tensor->id)
            return FALSE;
    }
    for (guint i = 0; i < loop->stacks->len; i++) {
        if (((AditTensor *) loop->stacks->pdata[i])->id < tensor->id)
            return FALSE;
    }
    return TRUE;
}

static void
walk_back(Pass *pass)
{
    for (guint i = pass->forward->tensors->len; i > 0; i--) {
        AditTensor *tensor = pass->forward->tensors->pdata[i - 1];
        if (tensor->kind == ADIT_TENSOR_LAST || tensor->kind == ADIT_TENSOR_STACK) {
            if (is_first_output(tensor) && has_gradient(pass, tensor->loop))
                loop_gradient(pass, tensor->loop);
            continue;
        }
        AditTensor *gradient = g_hash_table_lookup(pass->gradients, tensor);
        if (gradient != NULL && tensor->kind == ADIT_TENSOR_OP)
            op_gradient(pass, tensor, gradient);
    }
}

/* Where the blocks of the trunk begin and end. */
static GHashTable *
collect_ends(const AditGraph *graph)
{
    GHashTable *ends = g_hash_table_new(NULL, NULL);

    for (guint i = 0; i < graph->taps->len; i++) {
        const AditTap *tap = &g_array_index(graph->taps, AditTap, i);

        if (tap->scope != NULL && is_block(tap->scope) &&
            (g_str_equal(tap->port, "in") || g_str_equal(tap->port, "out") ||
             g_str_equal(tap->port, "collect")))
            g_hash_table_add(ends, tap->tensor);
    }
    return ends;
}

void
adit_gradient(AditTensor *loss, AditTensor *const *sources, guint n_sources,
              AditGradientFlags flags, AditTensor **gradients)
{
    for (guint i = 0; i < n_sources; i++)
        gradients[i] = sources[i];
    if (loss->failed)
        return;
    g_return_if_fail(loss->graph->parent == NULL && !loss->rows && loss->shape.rank == 0);

    Pass pass;
    pass_init(&pass, NULL, loss->graph, loss->graph);
    if (flags & ADIT_GRADIENT_RECOMPUTE)
        pass.kept = collect_ends(loss->graph);
    pass.inner = g_hash_table_new(NULL, NULL);
    for (guint i = 0; i < n_sources; i++) {
        if (sources[i]->graph != loss->graph)
            g_hash_table_insert(pass.inner, sources[i], NULL);
    }
    add_gradient(&pass, loss, adit_constant(loss->graph, 1));
    walk_back(&pass);
    for (guint i = 0; i < n_sources; i++) {
        gboolean is_inner_source = sources[i]->graph != loss->graph;

        gradients[i] =
            g_hash_table_lookup(is_inner_source ? pass.inner : pass.gradients, sources[i]);
        if (gradients[i] == NULL)
            gradients[i] = zeros(loss->graph, adit_tensor_unroll(sources[i]));
    }
    g_hash_table_unref(pass.inner);
    g_clear_pointer(&pass.kept, g_hash_table_unref);
    pass_finish(&pass);
}

/* ---- what depends on what ---- */

static void
look_at(GPtrArray *waiting, GHashTable *seen, AditTensor *tensor)
{
    if (tensor != NULL && g_hash_table_add(seen, tensor))
        g_ptr_array_add(waiting, tensor);
}

GHashTable *
adit_gradient_reach(AditTensor *from, gboolean past_stops)
{
    GHashTable *seen = g_hash_table_new(NULL, NULL);
    g_autoptr(GPtrArray) waiting = g_ptr_array_new();

    look_at(waiting, seen, from);
    while (waiting->len > 0) {
        AditTensor *tensor = g_ptr_array_steal_index(waiting, waiting->len - 1);

        if (!past_stops && tensor->op != NULL && strcmp(tensor->op->name, "stop-gradient") == 0)
            continue;
        for (guint i = 0; i < tensor->n_inputs; i++)
            look_at(waiting, seen, tensor->inputs[i]);
        look_at(waiting, seen, tensor->other);
        look_at(waiting, seen, tensor->initial);
        look_at(waiting, seen, tensor->next);
    }
    return seen;
}
