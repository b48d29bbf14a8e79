/* core/component/adit-model.c - SPDX-License-Identifier: MIT */
#include "adit-model.h"

#include "adit-graph-private.h"

void
adit_model_clear(AditModel *self)
{
    g_clear_object(&self->transform);
    g_clear_object(&self->stem);
    g_clear_object(&self->trunk);
    g_clear_object(&self->head);
    g_clear_object(&self->initializer);
}

static AditTensor *
build_section(AditBlock *block, AditGraph *graph, AditTensor *x, const char *name)
{
    adit_graph_enter_scope(graph, 0, NULL, 0, name, NULL);
    adit_tap(x, "in");
    AditTensor *y = adit_block_build(block, graph, x);
    adit_tap(y, "out");
    adit_tap(y, "collect");
    adit_graph_leave_scope(graph);
    return y;
}

AditTensor *
adit_model_build(const AditModel *self, AditGraph *graph, AditTensor *x)
{
    adit_graph_set_initializer(graph, self->initializer);
    x = build_section(self->transform, graph, x, "input");
    x = build_section(self->stem, graph, x, "stem");
    x = build_section(self->trunk, graph, x, "trunk");
    return build_section(self->head, graph, x, "head");
}

AditTensor *
adit_model_build_head(const AditModel *self, AditTensor *x)
{
    AditGraph *graph = adit_tensor_get_graph(x);

    adit_graph_share_weights(graph, 1);
    x = build_section(self->head, graph, x, "head");
    adit_graph_share_weights(graph, -1);
    return x;
}
