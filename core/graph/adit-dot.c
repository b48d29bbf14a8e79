/* core/graph/adit-dot.c - SPDX-License-Identifier: MIT */
#include "adit-graph-private.h"

static const char *const kind_names[] = {
    "operation", "input", "constant", "live",    "step", "parameter",
    "state",     "carry", "each",     "capture", "last", "stack",
};

static void
append_edge(GString *text, const AditTensor *from, const AditTensor *to, const char *style)
{
    g_string_append_printf(text, "  t%p -> t%p%s;\n", (const void *) from, (const void *) to,
                           style);
}

static void
append_node(GString *text, const AditTensor *tensor)
{
    g_autofree char *shape = adit_shape_to_string(&tensor->shape);
    const char *label = tensor->op != NULL ? tensor->op->name : kind_names[tensor->kind];
    const char *name = tensor->name;
    if (tensor->names != NULL)
        name = tensor->names[0];
    g_string_append_printf(text, "  t%p [label=\"%s%s%s\\n%s%s\"];\n", (const void *) tensor, label,
                           name != NULL ? " " : "", name != NULL ? name : "",
                           tensor->rows ? "rows x " : "", shape);
    for (guint i = 0; i < tensor->n_inputs; i++)
        append_edge(text, tensor->inputs[i], tensor, "");
    if (tensor->other != NULL)
        append_edge(text, tensor->other, tensor, " [style=dashed]");
    if (tensor->kind == ADIT_TENSOR_CARRY) {
        append_edge(text, tensor->initial, tensor, " [style=dashed]");
        if (tensor->next != NULL)
            append_edge(text, tensor->next, tensor, " [style=dotted, constraint=false]");
    }
}

static void
append_graph(GString *text, const AditGraph *graph)
{
    for (guint i = 0; i < graph->tensors->len; i++)
        append_node(text, graph->tensors->pdata[i]);
    for (guint i = 0; i < graph->loops->len; i++) {
        const AditLoop *loop = graph->loops->pdata[i];
        g_string_append_printf(text, "  subgraph cluster_%p {\n  label=\"%sloop of %u\";\n",
                               (const void *) loop, loop->reverse ? "reverse " : "", loop->n);
        append_graph(text, loop->body);
        g_string_append(text, "  }\n");
    }
}

char *
adit_graph_to_dot(const AditGraph *self)
{
    GString *text = g_string_new("digraph adit {\n  rankdir=TB;\n  node [shape=box];\n");
    append_graph(text, self);
    g_string_append(text, "}\n");
    return g_string_free(text, FALSE);
}
