/* core/graph/adit-dot.c - SPDX-License-Identifier: MIT */
#include "adit-graph-private.h"

static const char *const kind_names[] = {
    "operation", "input", "constant", "live",    "step", "parameter",
    "state",     "carry", "each",     "capture", "last", "stack",
};

typedef struct {
    GString *text;
    GHashTable *numbers; /* of tensors, in the order they are met: equal graphs give equal texts */
    guint n_loops;
} Dot;

static guint
get_number(Dot *self, const AditTensor *tensor)
{
    guint number = GPOINTER_TO_UINT(g_hash_table_lookup(self->numbers, tensor));
    if (number == 0) {
        number = g_hash_table_size(self->numbers) + 1;
        g_hash_table_insert(self->numbers, (gpointer) tensor, GUINT_TO_POINTER(number));
    }
    return number;
}

static void
append_edge(Dot *self, const AditTensor *from, const AditTensor *to, const char *style)
{
    g_string_append_printf(self->text, "  t%u -> t%u%s;\n", get_number(self, from),
                           get_number(self, to), style);
}

static void
append_node(Dot *self, const AditTensor *tensor)
{
    g_autofree char *shape = adit_shape_to_string(&tensor->shape);
    const char *label = tensor->op != NULL ? tensor->op->name : kind_names[tensor->kind];
    const char *name = tensor->name;
    if (tensor->names != NULL)
        name = tensor->names[0];
    g_string_append_printf(self->text, "  t%u [label=\"%s%s%s\\n%s%s\"];\n",
                           get_number(self, tensor), label, name != NULL ? " " : "",
                           name != NULL ? name : "", tensor->rows ? "rows x " : "", shape);
    for (guint i = 0; i < tensor->n_inputs; i++)
        append_edge(self, tensor->inputs[i], tensor, "");
    if (tensor->other != NULL)
        append_edge(self, tensor->other, tensor, " [style=dashed]");
    if (tensor->kind == ADIT_TENSOR_CARRY) {
        append_edge(self, tensor->initial, tensor, " [style=dashed]");
        if (tensor->next != NULL)
            append_edge(self, tensor->next, tensor, " [style=dotted, constraint=false]");
    }
}

static void
append_graph(Dot *self, const AditGraph *graph)
{
    for (guint i = 0; i < graph->tensors->len; i++)
        append_node(self, graph->tensors->pdata[i]);
    for (guint i = 0; i < graph->loops->len; i++) {
        const AditLoop *loop = graph->loops->pdata[i];
        g_string_append_printf(self->text, "  subgraph cluster_%u {\n  label=\"%sloop of %u\";\n",
                               ++self->n_loops, loop->reverse ? "reverse " : "", loop->n);
        append_graph(self, loop->body);
        g_string_append(self->text, "  }\n");
    }
}

char *
adit_graph_to_dot(const AditGraph *self)
{
    g_autoptr(GHashTable) numbers = g_hash_table_new(NULL, NULL);
    Dot dot = {.text = g_string_new("digraph adit {\n  rankdir=TB;\n  node [shape=box];\n"),
               .numbers = numbers};
    append_graph(&dot, self);
    g_string_append(dot.text, "}\n");
    return g_string_free(dot.text, FALSE);
}
