/* core/graph/adit-graph.c - SPDX-License-Identifier: MIT */
#include "adit-graph-private.h"

#include <string.h>

G_DEFINE_BOXED_TYPE(AditGraph, adit_graph, adit_graph_ref, adit_graph_unref)

static void
tensor_free(gpointer data)
{
    AditTensor *self = data;
    g_free(self->attributes);
    g_free(self->name);
    g_free(self->values);
    g_strfreev(self->names);
    if (self->initializer != NULL)
        g_object_unref(self->initializer);
    g_free(self);
}

static void
scope_free(gpointer data)
{
    AditScope *self = data;
    g_free(self->name);
    g_free(self->type);
    g_strfreev(self->other_types);
    g_free(self);
}

static void
loop_free(gpointer data)
{
    AditLoop *self = data;
    adit_graph_unref(self->body);
    g_ptr_array_unref(self->carries);
    g_ptr_array_unref(self->eaches);
    g_ptr_array_unref(self->captures);
    g_ptr_array_unref(self->lasts);
    g_ptr_array_unref(self->stacks);
    g_free(self);
}

static void
clear_warning(gpointer data)
{
    g_free(((AditWarning *) data)->message);
}

static AditGraph *
graph_alloc(void)
{
    AditGraph *self = g_new0(AditGraph, 1);
    self->ref_count = 1;
    self->root = self;
    self->tensors = g_ptr_array_new_with_free_func(tensor_free);
    self->loops = g_ptr_array_new_with_free_func(loop_free);
    return self;
}

AditGraph *
adit_graph_new(AditMode mode)
{
    AditGraph *self = graph_alloc();
    self->mode = mode;
    self->scopes = g_ptr_array_new_with_free_func(scope_free);
    self->components = g_ptr_array_new();
    self->kept = g_ptr_array_new_with_free_func(g_object_unref);
    self->taps = g_array_new(FALSE, FALSE, sizeof(AditTap));
    self->updates = g_array_new(FALSE, FALSE, sizeof(AditStateUpdate));
    self->warnings = g_array_new(FALSE, FALSE, sizeof(AditWarning));
    g_array_set_clear_func(self->warnings, clear_warning);
    self->names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    self->failed = adit_tensor_new(self, ADIT_TENSOR_CONSTANT, &ADIT_SCALAR, FALSE);
    self->failed->failed = TRUE;
    self->failed->values = g_new0(double, 1);
    return self;
}

AditGraph *
adit_graph_ref(AditGraph *self)
{
    g_atomic_int_inc(&self->ref_count);
    return self;
}

void
adit_graph_unref(AditGraph *self)
{
    if (!g_atomic_int_dec_and_test(&self->ref_count))
        return;
    g_ptr_array_unref(self->tensors);
    g_ptr_array_unref(self->loops);
    if (self->root == self) {
        if (self->initializer != NULL)
            g_object_unref(self->initializer);
        g_clear_error(&self->error);
        g_ptr_array_unref(self->scopes);
        g_ptr_array_unref(self->components);
        g_ptr_array_unref(self->kept);
        g_array_unref(self->taps);
        g_array_unref(self->updates);
        g_array_unref(self->warnings);
        g_hash_table_unref(self->names);
        g_strfreev(self->exits);
    }
    g_free(self);
}

AditMode
adit_graph_get_mode(const AditGraph *self)
{
    return self->root->mode;
}

const GError *
adit_graph_get_error(const AditGraph *self)
{
    return self->root->error;
}

gpointer
adit_graph_get_error_component(const AditGraph *self)
{
    return self->root->error_component;
}

AditTensor *
adit_graph_fail(AditGraph *self, const char *format, ...)
{
    AditGraph *root = self->root;
    if (root->error == NULL) {
        va_list arguments;
        va_start(arguments, format);
        root->error = g_error_new_valist(ADIT_ERROR, ADIT_ERROR_INVALID, format, arguments);
        va_end(arguments);
        if (root->components->len > 0)
            root->error_component = root->components->pdata[root->components->len - 1];
    }
    return root->failed;
}

void
adit_graph_warn(AditGraph *self, const char *format, ...)
{
    AditGraph *root = self->root;
    AditWarning warning = {0};
    va_list arguments;
    va_start(arguments, format);
    warning.message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    if (root->components->len > 0)
        warning.component = root->components->pdata[root->components->len - 1];
    for (guint i = 0; i < root->warnings->len; i++) {
        const AditWarning *other = &g_array_index(root->warnings, AditWarning, i);
        if (other->component == warning.component && g_str_equal(other->message, warning.message)) {
            clear_warning(&warning);
            return;
        }
    }
    g_array_append_val(root->warnings, warning);
}

void
adit_graph_set_initializer(AditGraph *self, AditInitializer *initializer)
{
    AditGraph *root = self->root;
    if (initializer != NULL)
        g_object_ref(initializer);
    if (root->initializer != NULL)
        g_object_unref(root->initializer);
    root->initializer = initializer;
}

void
adit_graph_set_exits(AditGraph *self, GStrv addresses)
{
    g_strfreev(self->root->exits);
    self->root->exits = addresses;
}

/* Who is building, and where. */

void
adit_graph_enter_component(AditGraph *self, gpointer component)
{
    AditGraph *root = self->root;
    g_ptr_array_add(root->components, component);
    if (component != NULL && !g_ptr_array_find(root->kept, component, NULL))
        g_ptr_array_add(root->kept, g_object_ref(component));
}

void
adit_graph_leave_component(AditGraph *self)
{
    GPtrArray *components = self->root->components;
    g_return_if_fail(components->len > 0);
    g_ptr_array_set_size(components, (int) components->len - 1);
}

void
adit_graph_enter_scope(AditGraph *self, guint number, const guint *strides, guint weights,
                       const char *name, const char *type)
{
    AditGraph *root = self->root;
    AditScope *scope = g_new0(AditScope, 1);
    scope->parent = root->scope;
    scope->number = number;
    scope->weights = weights;
    scope->name = g_strdup(name);
    scope->type = g_strdup(type);
    scope->loop = self->loop;
    if (strides != NULL)
        memcpy(scope->strides, strides, sizeof scope->strides);
    g_ptr_array_add(root->scopes, scope);
    root->scope = scope;
}

void
adit_graph_set_other_types(AditGraph *self, const char *const *types)
{
    AditScope *scope = self->root->scope;
    g_return_if_fail(scope != NULL && scope->other_types == NULL);
    scope->other_types = g_strdupv((char **) types);
}

void
adit_graph_leave_scope(AditGraph *self)
{
    g_return_if_fail(self->root->scope != NULL);
    self->root->scope = self->root->scope->parent;
}

gboolean
adit_scope_moves(const AditScope *self, const AditLoop *loop)
{
    for (const AditScope *s = self; s != NULL; s = s->parent) {
        if (s->strides[loop->parent->depth] != 0)
            return TRUE;
    }
    return FALSE;
}

/* Iterations are numbered over all loops around, the innermost fastest. Where parameters are named,
 * @sharer is their scope, and loops that share them do not count; it is NULL where all count. */

static gboolean
counts(const AditLoop *loop, const AditScope *sharer)
{
    return sharer == NULL || (!loop->tied && adit_scope_moves(sharer, loop));
}

static guint
iteration_of(const AditLoop *innermost, guint index, const AditLoop *loop, const AditScope *sharer)
{
    for (const AditLoop *l = innermost; l != NULL; l = l->parent->loop) {
        if (l == loop)
            return counts(l, sharer) ? index % l->n : 0;
        index /= counts(l, sharer) ? l->n : 1;
    }
    return 0;
}

static guint
count_iterations(const AditLoop *innermost, const AditScope *sharer)
{
    guint count = 1;
    for (const AditLoop *l = innermost; l != NULL; l = l->parent->loop)
        count *= counts(l, sharer) ? l->n : 1;
    return count;
}

/* The number of the instance that iteration @index is. */
static guint
scope_number(const AditScope *scope, const AditLoop *innermost, guint index,
             const AditScope *sharer)
{
    guint number = sharer != NULL ? scope->weights : scope->number;
    for (const AditLoop *loop = scope->loop; loop != NULL; loop = loop->parent->loop)
        number +=
            scope->strides[loop->parent->depth] * iteration_of(innermost, index, loop, sharer);
    return number;
}

static void
append_scope(GString *text, const AditScope *scope, const AditLoop *innermost, guint index,
             const AditScope *sharer)
{
    if (scope->parent != NULL) {
        append_scope(text, scope->parent, innermost, index, sharer);
        g_string_append_c(text, '.');
    }
    if (scope->number == 0)
        g_string_append(text, scope->name);
    else
        g_string_append_printf(text, "%u", scope_number(scope, innermost, index, sharer));
}

char *
adit_scope_to_string(const AditScope *self, guint index)
{
    GString *text = g_string_new(NULL);
    append_scope(text, self, self->loop, index, NULL);
    return g_string_free(text, FALSE);
}

guint
adit_scope_count(const AditScope *self)
{
    return count_iterations(self->loop, NULL);
}

void
adit_graph_share_weights(AditGraph *self, int change)
{
    self->root->sharing += change;
}

GStrv
adit_graph_list_names(AditGraph *self, const char *name, gboolean tied)
{
    static const AditScope nowhere;
    const AditScope *scope = self->root->scope;
    const AditScope *sharer = scope != NULL ? scope : &nowhere;
    sharer = tied ? sharer : NULL;
    guint count = count_iterations(self->loop, sharer);
    GStrv names = g_new0(char *, count + 1);
    for (guint i = 0; i < count; i++) {
        GString *text = g_string_new(NULL);
        if (scope != NULL) {
            append_scope(text, scope, self->loop, i, sharer);
            g_string_append_c(text, '.');
        }
        g_string_append(text, name);
        names[i] = g_string_free(text, FALSE);
    }
    return names;
}

/* Trials. */

AditMark
adit_graph_mark(AditGraph *self)
{
    AditGraph *root = self->root;
    AditMark mark = {
        .taps = root->taps->len, .updates = root->updates->len, .scopes = root->scopes->len};
    for (AditGraph *g = self; g != NULL; g = g->parent) {
        mark.tensors[g->depth] = g->tensors->len;
        mark.loops[g->depth] = g->loops->len;
    }
    return mark;
}

static void
forget_names(AditGraph *root, const AditTensor *tensor)
{
    for (guint i = 0; tensor->names != NULL && tensor->names[i] != NULL; i++)
        g_hash_table_remove(root->names, tensor->names[i]);
}

/* Drops the views of an enclosing loop that lie beyond their graph's mark. */
static void
trim_views(GPtrArray *views, guint mark)
{
    while (views->len > 0 && ((AditTensor *) views->pdata[views->len - 1])->id >= mark)
        g_ptr_array_set_size(views, (int) views->len - 1);
}

void
adit_graph_rollback(AditGraph *self, const AditMark *mark)
{
    AditGraph *root = self->root;
    for (guint i = mark->tensors[0]; i < root->tensors->len; i++)
        forget_names(root, root->tensors->pdata[i]);
    for (AditGraph *g = self; g != NULL; g = g->parent) {
        if (g->loop != NULL) {
            trim_views(g->loop->carries, mark->tensors[g->depth]);
            trim_views(g->loop->eaches, mark->tensors[g->depth]);
            trim_views(g->loop->captures, mark->tensors[g->depth]);
            trim_views(g->loop->lasts, mark->tensors[g->depth - 1]);
            trim_views(g->loop->stacks, mark->tensors[g->depth - 1]);
        }
        g_ptr_array_set_size(g->loops, (int) mark->loops[g->depth]);
        g_ptr_array_set_size(g->tensors, (int) mark->tensors[g->depth]);
    }
    g_array_set_size(root->taps, mark->taps);
    g_array_set_size(root->updates, mark->updates);
    g_ptr_array_set_size(root->scopes, (int) mark->scopes);
}

AditGraph *
adit_graph_new_body(AditGraph *parent, AditLoop *loop)
{
    AditGraph *self = graph_alloc();
    self->root = parent->root;
    self->parent = parent;
    self->loop = loop;
    self->depth = parent->depth + 1;
    return self;
}
