/* core/graph/adit-tensor.c - SPDX-License-Identifier: MIT */
#include "adit-graph-private.h"

#include <string.h>

/* A tensor's elements, all instances together, fit into 40 bits. */
#define MAX_ELEMENTS ((gsize) 1 << 40)

AditTensor *
adit_tensor_new(AditGraph *graph, AditTensorKind kind, const AditShape *shape, gboolean rows)
{
    AditGraph *root = graph->root;
    AditTensor *self = g_new0(AditTensor, 1);
    self->graph = graph;
    self->id = graph->tensors->len;
    self->kind = kind;
    self->shape = *shape;
    self->rows = rows;
    self->scope = root->scope;
    if (root->components->len > 0)
        self->component = root->components->pdata[root->components->len - 1];
    g_ptr_array_add(graph->tensors, self);
    return self;
}

AditGraph *
adit_tensor_get_graph(const AditTensor *self)
{
    return self->graph;
}

gboolean
adit_tensor_has_failed(const AditTensor *self)
{
    return self->failed;
}

const AditShape *
adit_tensor_get_shape(const AditTensor *self)
{
    return &self->shape;
}

gboolean
adit_tensor_has_rows(const AditTensor *self)
{
    return self->rows;
}

gsize
adit_tensor_get_width(const AditTensor *self)
{
    return self->shape.rank > 0 ? self->shape.size[self->shape.rank - 1] : 1;
}

guint
adit_tensor_get_classes(const AditTensor *self)
{
    return self->kind == ADIT_TENSOR_CAPTURE ? adit_tensor_get_classes(self->other) : self->classes;
}

const void *
adit_tensor_get_attributes(const AditTensor *self)
{
    /* A gradient rule may see the result through the loops between it and the forward pass. */
    while (self->attributes == NULL && self->other != NULL)
        self = self->other;
    return self->attributes;
}

static gboolean
fits(const AditShape *shape)
{
    gsize count = 1;
    for (guint i = 0; i < shape->rank; i++) {
        if (__builtin_mul_overflow(count, shape->size[i], &count) || count > MAX_ELEMENTS)
            return FALSE;
    }
    return TRUE;
}

/* Operations. */

static gboolean
broadcast_shape(const AditShape *other, AditShape *shape)
{
    AditShape a = *shape, b = *other;
    guint rank = MAX(a.rank, b.rank);
    shape->rank = rank;
    for (guint i = 1; i <= rank; i++) {
        gsize m = i <= a.rank ? a.size[a.rank - i] : 1;
        gsize n = i <= b.rank ? b.size[b.rank - i] : 1;
        if (m != n && m != 1 && n != 1)
            return FALSE;
        shape->size[rank - i] = m == 1 ? n : m;
    }
    return TRUE;
}

static gboolean
infer(const AditOp *op, AditTensor *const *inputs, guint n_inputs, const void *attributes,
      AditShape *shape, gboolean *rows, GError **error)
{
    gboolean agree = TRUE;
    *shape = inputs[0]->shape;
    *rows = FALSE;
    for (guint i = 0; i < n_inputs; i++) {
        agree = agree && broadcast_shape(&inputs[i]->shape, shape);
        *rows = *rows || inputs[i]->rows;
    }
    if (!agree)
        *shape = inputs[0]->shape;
    if (op->over_rows)
        *rows = FALSE;
    if (op->infer != NULL)
        return op->infer(inputs, n_inputs, attributes, shape, rows, error);
    if (!agree) {
        g_autofree char *a = adit_shape_to_string(&inputs[0]->shape);
        g_autofree char *b = adit_shape_to_string(&inputs[1]->shape);
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID, "'%s' cannot join %s and %s", op->name,
                    a, b);
    }
    return agree;
}

AditTensor *
adit_apply(const AditOp *op, AditTensor *const *inputs, guint n_inputs, const void *attributes,
           gsize attributes_size)
{
    g_return_val_if_fail(n_inputs > 0 && n_inputs <= ADIT_MAX_INPUTS, NULL);

    AditGraph *graph = inputs[0]->graph;
    for (guint i = 0; i < n_inputs; i++) {
        if (inputs[i]->failed)
            return inputs[i];
        if (inputs[i]->lead > 0)
            return adit_graph_fail(graph, "'%s' cannot take what a loop stacked of every row",
                                   op->name);
        if (inputs[i]->graph->depth > graph->depth)
            graph = inputs[i]->graph;
    }
    AditShape shape;
    gboolean rows;
    g_autoptr(GError) error = NULL;
    if (!infer(op, inputs, n_inputs, attributes, &shape, &rows, &error))
        return adit_graph_fail(graph, "%s", error->message);
    if (!fits(&shape))
        return adit_graph_fail(graph, "'%s' gives more than 2^40 elements", op->name);

    AditTensor *views[ADIT_MAX_INPUTS];
    for (guint i = 0; i < n_inputs; i++)
        views[i] = adit_graph_import(graph, inputs[i]);
    AditTensor *self = adit_tensor_new(graph, ADIT_TENSOR_OP, &shape, rows);
    self->op = op;
    self->n_inputs = n_inputs;
    self->attributes_size = attributes_size;
    memcpy(self->inputs, views, n_inputs * sizeof(AditTensor *));
    if (attributes_size > 0)
        self->attributes = g_memdup2(attributes, attributes_size);
    return self;
}

void
adit_tensor_set_streams(AditTensor *self, GStrv names)
{
    g_auto(GStrv) taken = names;
    if (!self->failed)
        self->names = g_steal_pointer(&taken);
}

GStrv
adit_tensor_get_streams(const AditTensor *self)
{
    /* as attributes are */
    while (self->kind != ADIT_TENSOR_OP && self->other != NULL)
        self = self->other;
    return self->names;
}

/* Sources. Those that are the same for all iterations live in the root graph and are looked at from
 * wherever they are used. */

AditTensor *
adit_input(AditGraph *graph, const char *name, const AditShape *shape, guint classes)
{
    AditTensor *self = adit_tensor_new(graph->root, ADIT_TENSOR_INPUT, shape, TRUE);
    self->name = g_strdup(name);
    self->classes = classes;
    return adit_graph_import(graph, self);
}

AditTensor *
adit_constant(AditGraph *graph, double value)
{
    return adit_constant_array(graph, &ADIT_SCALAR, &value);
}

AditTensor *
adit_constant_array(AditGraph *graph, const AditShape *shape, const double *values)
{
    AditTensor *self = adit_tensor_new(graph->root, ADIT_TENSOR_CONSTANT, shape, FALSE);
    self->values = g_memdup2(values, adit_shape_count(shape) * sizeof(double));
    return adit_graph_import(graph, self);
}

AditTensor *
adit_live(AditGraph *graph, AditLive *live)
{
    AditTensor *self = adit_tensor_new(graph->root, ADIT_TENSOR_LIVE, &ADIT_SCALAR, FALSE);
    self->live = live;
    return adit_graph_import(graph, self);
}

AditTensor *
adit_step(AditGraph *graph)
{
    AditTensor *self = adit_tensor_new(graph->root, ADIT_TENSOR_STEP, &ADIT_SCALAR, FALSE);
    return adit_graph_import(graph, self);
}

static gboolean
is_shared(const AditGraph *graph)
{
    return graph->loop->tied || !adit_scope_moves(graph->root->scope, graph->loop);
}

/* A parameter or state of the root graph as seen from @graph: a stack with an axis for every loop
 * whose iterations have one each. *@kept is made unless it exists. */
static AditTensor *
kept_tensor(AditGraph *graph, AditTensorKind kind, const AditShape *shape, AditTensor **kept)
{
    if (graph->parent == NULL) {
        if (*kept == NULL)
            *kept = adit_tensor_new(graph, kind, shape, FALSE);
        return *kept;
    }
    if (is_shared(graph))
        return adit_graph_import(graph, kept_tensor(graph->parent, kind, shape, kept));
    AditShape stack = adit_shape_prepend(shape, graph->loop->n);
    return adit_loop_each(graph->loop, kept_tensor(graph->parent, kind, &stack, kept));
}

/* A parameter seen again, by a tied repeat or by another use of a section: it must be of the same
 * shape, in loops of the same kind. */
static AditTensor *
shared_tensor(AditGraph *graph, AditTensorKind kind, const AditShape *shape, const GStrv names,
              AditTensor *kept)
{
    AditShape stack = *shape;

    for (const AditGraph *g = graph; g->parent != NULL; g = g->parent)
        stack = is_shared(g) ? stack : adit_shape_prepend(&stack, g->loop->n);
    if (kept->kind != kind ||
        !g_strv_equal((const char *const *) names, (const char *const *) kept->names))
        return adit_graph_fail(
            graph, "tied blocks cannot share '%s': they are repeated differently", names[0]);
    if (!adit_shape_equal(&stack, &kept->shape)) {
        g_autofree char *old = adit_shape_to_string(&kept->shape);
        g_autofree char *new = adit_shape_to_string(&stack);
        return adit_graph_fail(graph, "tied blocks cannot share '%s': it is %s and would be %s",
                               names[0], old, new);
    }
    return kept_tensor(graph, kind, shape, &kept);
}

/* *@made: the root graph's new tensor, or NULL when there was nothing to make. */
static AditTensor *
named_tensor(AditGraph *graph, const char *name, AditTensorKind kind, const AditShape *shape,
             AditTensor **made)
{
    AditGraph *root = graph->root;
    *made = NULL;
    if (root->error != NULL)
        return root->failed;
    if (shape->rank + graph->depth > ADIT_MAX_RANK)
        return adit_graph_fail(graph, "'%s' has more than %d axes with its loops", name,
                               ADIT_MAX_RANK);
    if (!fits(shape))
        return adit_graph_fail(graph, "'%s' has more than 2^40 elements", name);
    g_auto(GStrv) names = adit_graph_list_names(graph, name, TRUE);
    AditTensor *kept = g_hash_table_lookup(root->names, names[0]);
    if (kept != NULL && root->sharing > 0)
        return shared_tensor(graph, kind, shape, names, kept);

    AditTensor *self = kept_tensor(graph, kind, shape, made);
    for (guint i = 0; names[i] != NULL; i++) {
        if (!g_hash_table_insert(root->names, g_strdup(names[i]), *made))
            return adit_graph_fail(graph, "parameter '%s' is made twice", names[i]);
    }
    (*made)->names = g_steal_pointer(&names);
    return self;
}

AditTensor *
adit_constant_drawn(AditGraph *graph, const char *name, const AditShape *shape, AditDraw draw,
                    gpointer data)
{
    g_auto(GStrv) names = adit_graph_list_names(graph, name, TRUE);
    gsize n = adit_shape_count(shape);
    AditTensor *kept = NULL;
    AditTensor *self = kept_tensor(graph, ADIT_TENSOR_CONSTANT, shape, &kept);

    kept->values = g_new(double, g_strv_length(names) * n);
    for (guint i = 0; names[i] != NULL; i++)
        draw(names[i], kept->values + i * n, n, data);
    return self;
}

AditTensor *
adit_constant_stack(AditGraph *graph, const AditShape *shape, AditTensor **kept)
{
    if (graph->parent == NULL) {
        *kept = adit_tensor_new(graph, ADIT_TENSOR_CONSTANT, shape, FALSE);
        (*kept)->values = g_new0(double, adit_shape_count(shape));
        return *kept;
    }
    AditShape stack = adit_shape_prepend(shape, graph->loop->n);

    return adit_loop_each(graph->loop, adit_constant_stack(graph->parent, &stack, kept));
}

static AditTensor *
each_tensor(AditGraph *graph, const AditShape *shape, AditTensor **kept)
{
    if (graph->parent == NULL)
        return *kept = adit_tensor_new(graph, ADIT_TENSOR_CONSTANT, shape, FALSE);
    if (!adit_scope_moves(graph->root->scope, graph->loop))
        return adit_graph_import(graph, each_tensor(graph->parent, shape, kept));
    AditShape stack = adit_shape_prepend(shape, graph->loop->n);
    return adit_loop_each(graph->loop, each_tensor(graph->parent, &stack, kept));
}

AditTensor *
adit_constant_each(AditGraph *graph, const AditShape *shape, AditFill fill, gpointer data)
{
    AditTensor *kept;
    AditTensor *self = each_tensor(graph, shape, &kept);
    gsize n = adit_shape_count(shape);
    guint count = (guint) (adit_shape_count(&kept->shape) / n);

    kept->values = g_new0(double, count *n);
    for (guint i = 0; i < count; i++)
        fill(i, kept->values + i * n, n, data);
    return self;
}

AditTensor *
adit_parameter(AditGraph *graph, const char *name, AditRole role, const AditShape *shape,
               AditInitializer *initializer)
{
    AditTensor *parameter;
    AditTensor *self = named_tensor(graph, name, ADIT_TENSOR_PARAMETER, shape, &parameter);
    if (parameter == NULL)
        return self;
    if (initializer == NULL)
        initializer = graph->root->initializer;
    if (initializer != NULL)
        parameter->initializer = (AditInitializer *) g_object_ref((gpointer) initializer);
    parameter->role = role;
    return self;
}

AditTensor *
adit_parameter_filled(AditGraph *graph, const char *name, AditRole role, const AditShape *shape,
                      double value)
{
    AditTensor *parameter;
    AditTensor *self = named_tensor(graph, name, ADIT_TENSOR_PARAMETER, shape, &parameter);
    if (parameter == NULL)
        return self;
    parameter->role = role;
    parameter->fill = value;
    return self;
}

AditTensor *
adit_state(AditGraph *graph, const char *name, const AditShape *shape, double value)
{
    AditTensor *state;
    AditTensor *self = named_tensor(graph, name, ADIT_TENSOR_STATE, shape, &state);
    if (state != NULL)
        state->fill = value;
    return self;
}

/* @value in the root graph: all iterations' new values of a stack of states; of a state that the
 * iterations share, what the last of them leaves. */
static AditTensor *
leave_loops(AditTensor *state, AditTensor *value)
{
    value = adit_graph_import(state->graph, value);
    for (AditLoop *loop = state->graph->loop; loop != NULL; loop = loop->parent->loop) {
        gboolean is_shared = state->kind != ADIT_TENSOR_EACH;
        state = state->other;
        if (!is_shared) {
            value = adit_loop_stack(loop, value);
            continue;
        }
        AditTensor *carry = adit_loop_carry(loop, state);
        adit_loop_set_next(loop, carry, value);
        value = adit_loop_last(loop, carry);
    }
    return value;
}

void
adit_state_update(AditTensor *state, AditTensor *value)
{
    AditGraph *root = state->graph->root;
    if (root->mode != ADIT_MODE_TRAINING || state->failed || value->failed)
        return;
    if (!adit_shape_equal(&state->shape, &value->shape) || value->rows) {
        adit_graph_fail(root, "a state's new value has another shape");
        return;
    }
    AditTensor *kept = state;
    while (kept->kind == ADIT_TENSOR_EACH || kept->kind == ADIT_TENSOR_CAPTURE)
        kept = kept->other;
    g_return_if_fail(kept->kind == ADIT_TENSOR_STATE);
    if (value->graph->depth > state->graph->depth)
        state = adit_graph_import(value->graph, state);
    AditStateUpdate update = {kept, leave_loops(state, value)};
    g_array_append_val(root->updates, update);
}

const AditOp adit_op_noise_uniform = {.name = "noise-uniform"};
const AditOp adit_op_noise_normal = {.name = "noise-normal"};

static AditTensor *
noise(AditGraph *graph, const AditOp *op, const char *name, const AditShape *shape)
{
    if (graph->root->error != NULL)
        return graph->root->failed;
    AditTensor *self = adit_tensor_new(graph, ADIT_TENSOR_OP, shape, TRUE);
    self->op = op;
    self->names = adit_graph_list_names(graph, name, FALSE);
    return self;
}

AditTensor *
adit_noise_uniform(AditGraph *graph, const char *name, const AditShape *shape)
{
    return noise(graph, &adit_op_noise_uniform, name, shape);
}

AditTensor *
adit_noise_normal(AditGraph *graph, const char *name, const AditShape *shape)
{
    return noise(graph, &adit_op_noise_normal, name, shape);
}

AditTensor *
adit_tensor_repeat(const AditTensor *self, AditGraph *graph, AditTensor *const *inputs)
{
    AditTensor *copy;
    if (self->n_inputs > 0) {
        copy =
            adit_apply(self->op, inputs, self->n_inputs, self->attributes, self->attributes_size);
    } else {
        copy = adit_tensor_new(graph, ADIT_TENSOR_OP, &self->shape, self->rows);
        copy->op = self->op;
    }
    adit_tensor_set_streams(copy, g_strdupv(self->names));
    return copy;
}

AditTensor *
adit_tap(AditTensor *x, const char *port)
{
    AditGraph *root = x->graph->root;
    if (x->failed || root->scope == NULL)
        return x;
    const char *in = g_intern_static_string("in");
    port = g_intern_string(port);
    /* a scope's first tap is its "in": what lies before belongs to others */
    for (guint i = root->taps->len; i > 0; i--) {
        const AditTap *tap = &g_array_index(root->taps, AditTap, i - 1);
        if (tap->scope == root->scope && tap->port == port)
            return x;
        if (tap->scope == root->scope && tap->port == in)
            break;
    }
    AditTap tap = {root->scope, port, x, NULL};
    g_array_append_val(root->taps, tap);
    return root->alter != NULL ? root->alter(x, port, root->alter_data) : x;
}

void
adit_graph_set_alter(AditGraph *self, AditAlter alter, gpointer data)
{
    self->root->alter = alter;
    self->root->alter_data = data;
}

void
adit_tap_collect(AditTensor *collect, AditTensor *before)
{
    GArray *taps = collect->graph->root->taps;
    guint n = taps->len;

    adit_tap(collect, "collect");
    if (taps->len > n)
        g_array_index(taps, AditTap, n).before = before;
}
