/* core/component/adit-model.c - SPDX-License-Identifier: MIT */
#include "adit-model.h"

#include "adit-component-private.h"
#include "adit-cut.h"
#include "adit-exit.h"
#include "adit-graph-private.h"

void
adit_model_clear(AditModel *self)
{
    g_clear_object(&self->transform);
    g_clear_object(&self->stem);
    g_clear_object(&self->trunk);
    g_clear_object(&self->head);
    g_clear_pointer(&self->exits, g_ptr_array_unref);
    g_clear_object(&self->initializer);
}

AditTensor *
adit_model_build(const AditModel *self, AditGraph *graph, AditTensor *x)
{
    adit_graph_set_initializer(graph, self->initializer);
    adit_exits_announce(self->exits, graph);
    adit_graph_begin_cut(graph);
    x = adit_block_build_named(self->transform, graph, x, "input", NULL);
    x = adit_block_build_named(self->stem, graph, x, "stem", NULL);
    x = adit_block_build_named(self->trunk, graph, x, "trunk", NULL);
    AditTensor *logits = adit_block_build_named(self->head, graph, x, "head", NULL);
    adit_exits_build(self, x, logits);
    return logits;
}

AditTensor *
adit_model_build_head(const AditModel *self, AditTensor *x)
{
    AditGraph *graph = adit_tensor_get_graph(x);
    guint n_taps = graph->root->taps->len;

    adit_graph_share_weights(graph, 1);
    x = adit_block_build_named(self->head, graph, x, "head", NULL);
    adit_graph_share_weights(graph, -1);
    g_array_set_size(graph->root->taps, n_taps);
    return x;
}
