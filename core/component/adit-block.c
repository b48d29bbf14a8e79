/* core/component/adit-block.c - SPDX-License-Identifier: MIT */
#include <adit/adit-block.h>
#include <adit/adit-graph.h>

#include "adit-component-private.h"
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

AditTensor *
adit_block_build_named(AditBlock *self, AditGraph *graph, AditTensor *x, const char *name,
                       const char *const *types)
{
    adit_graph_enter_scope(graph, 0, NULL, 0, name, types != NULL ? types[0] : NULL);
    if (types != NULL)
        adit_graph_set_other_types(graph, types + 1);
    adit_tap(x, "in");
    AditTensor *y = adit_block_build(self, graph, x);
    adit_tap(y, "out");
    adit_tap(y, "collect");
    adit_graph_leave_scope(graph);
    return y;
}
