/* core/graph/adit-loop.c - SPDX-License-Identifier: MIT */
#include "adit-graph-private.h"

AditLoop *
adit_loop_new(AditGraph *parent, guint n, gboolean reverse)
{
    AditLoop *self = g_new0(AditLoop, 1);
    self->parent = parent;
    self->n = n;
    self->reverse = reverse;
    self->body = adit_graph_new_body(parent, self);
    self->carries = g_ptr_array_new();
    self->eaches = g_ptr_array_new();
    self->captures = g_ptr_array_new();
    self->lasts = g_ptr_array_new();
    self->stacks = g_ptr_array_new();
    g_ptr_array_add(parent->loops, self);
    return self;
}

/* The view of @other that the loop has already, so that one tensor is seen through one view. */
static AditTensor *
find_view(const GPtrArray *views, const AditTensor *other)
{
    for (guint i = 0; i < views->len; i++) {
        AditTensor *view = views->pdata[i];
        if (view->other == other)
            return view;
    }
    return NULL;
}

static AditTensor *
add_view(AditLoop *self, AditGraph *graph, GPtrArray *views, AditTensorKind kind,
         const AditShape *shape, AditTensor *other)
{
    AditTensor *view = adit_tensor_new(graph, kind, shape, other->rows);
    view->loop = self;
    view->other = other;
    view->component = other->component;
    g_ptr_array_add(views, view);
    return view;
}

AditTensor *
adit_loop_carry(AditLoop *self, AditTensor *initial)
{
    if (initial->failed)
        return initial;
    initial = adit_graph_import(self->parent, initial);
    AditTensor *carry =
        adit_tensor_new(self->body, ADIT_TENSOR_CARRY, &initial->shape, initial->rows);
    carry->loop = self;
    carry->lead = initial->lead;
    carry->initial = initial;
    carry->component = initial->component;
    g_ptr_array_add(self->carries, carry);
    return carry;
}

void
adit_loop_set_next(AditLoop *self, AditTensor *carry, AditTensor *next)
{
    if (carry->failed || next->failed)
        return;
    g_return_if_fail(carry->kind == ADIT_TENSOR_CARRY && carry->loop == self);
    g_return_if_fail(adit_shape_equal(&carry->shape, &next->shape) && carry->rows == next->rows);
    carry->next = adit_graph_import(self->body, next);
}

AditTensor *
adit_loop_each(AditLoop *self, AditTensor *stack)
{
    if (stack->failed)
        return stack;
    stack = adit_graph_import(self->parent, stack);
    g_return_val_if_fail(stack->shape.rank > 0 && stack->shape.size[0] == self->n, NULL);
    g_return_val_if_fail(!stack->rows || stack->lead > 0, NULL);
    AditTensor *view = find_view(self->eaches, stack);
    if (view != NULL)
        return view;
    AditShape shape = {.rank = stack->shape.rank - 1};
    for (guint i = 0; i < shape.rank; i++)
        shape.size[i] = stack->shape.size[i + 1];
    view = add_view(self, self->body, self->eaches, ADIT_TENSOR_EACH, &shape, stack);
    view->lead = stack->rows ? stack->lead - 1 : 0;
    return view;
}

AditTensor *
adit_loop_last(AditLoop *self, AditTensor *carry)
{
    if (carry->failed)
        return carry;
    AditTensor *last = find_view(self->lasts, carry);
    if (last != NULL)
        return last;
    last = add_view(self, self->parent, self->lasts, ADIT_TENSOR_LAST, &carry->shape, carry);
    last->lead = carry->lead;
    if (carry->next != NULL)
        last->component = carry->next->component;
    return last;
}

AditTensor *
adit_loop_stack(AditLoop *self, AditTensor *tensor)
{
    if (tensor->failed)
        return tensor;
    tensor = adit_graph_import(self->body, tensor);
    AditTensor *stack = find_view(self->stacks, tensor);
    if (stack != NULL)
        return stack;
    AditShape shape = adit_shape_prepend(&tensor->shape, self->n);
    stack = add_view(self, self->parent, self->stacks, ADIT_TENSOR_STACK, &shape, tensor);
    stack->lead = tensor->rows ? tensor->lead + 1 : 0;
    return stack;
}

AditTensor *
adit_graph_import(AditGraph *graph, AditTensor *tensor)
{
    if (tensor->failed || tensor->graph == graph)
        return tensor;
    g_return_val_if_fail(graph->parent != NULL, tensor);
    AditTensor *outer = adit_graph_import(graph->parent, tensor);
    AditTensor *view = find_view(graph->loop->captures, outer);
    if (view != NULL)
        return view;
    view = add_view(graph->loop, graph, graph->loop->captures, ADIT_TENSOR_CAPTURE, &outer->shape,
                    outer);
    view->lead = outer->lead;
    return view;
}

AditTensor *
adit_tensor_unroll(AditTensor *tensor)
{
    while (!tensor->failed && tensor->graph->loop != NULL)
        tensor = adit_loop_stack(tensor->graph->loop, tensor);
    return tensor;
}
