/* core/component/adit-block.c - SPDX-License-Identifier: MIT */
#include <adit/adit-block.h>
#include <adit/adit-graph.h>

#include "adit-graph-private.h"

G_DEFINE_ABSTRACT_TYPE(AditBlock, adit_block, ADIT_TYPE_COMPONENT)

static void
adit_block_class_init(AditBlockClass *klass)
{
    ADIT_COMPONENT_CLASS(klass)->kind = "block";
}

static void
adit_block_init(AditBlock *self)
{
}

AditTensor *
adit_block_build(AditBlock *self, AditGraph *graph, AditTensor *x)
{
    if (self == NULL)
        return x;

    adit_graph_enter_component(graph, self);
    AditTensor *y = ADIT_BLOCK_GET_CLASS(self)->build(self, graph, x);
    if (y == NULL)
        y = adit_graph_fail(graph, "block '%s' built nothing",
                            ADIT_COMPONENT_GET_CLASS(self)->name);
    adit_graph_leave_component(graph);
    return y;
}
