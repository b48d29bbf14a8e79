/* core/component/adit-block.c - SPDX-License-Identifier: MIT */
#include <adit/adit-block.h>
#include <adit/adit-graph.h>

#include "adit-component-private.h"
#include "adit-cut.h"
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

/* @words: what is expected, with @rank axes */
static AditTensor *
expect(AditBlock *self, AditTensor *x, guint rank, const char *words, const char *remedy)
{
    const AditShape *shape = adit_tensor_get_shape(x);
    g_autofree char *got = NULL;

    if (adit_tensor_has_failed(x) || shape->rank == rank)
        return x;
    got = adit_shape_to_string(shape);
    return adit_graph_fail(adit_tensor_get_graph(x), "'%s' takes %s, got %s; put '%s' before it",
                           ADIT_COMPONENT_GET_CLASS(self)->name, words, got, remedy);
}

AditTensor *
adit_block_expect_image(AditBlock *self, AditTensor *x, const char *remedy)
{
    return expect(self, x, 3, "an image (channels x height x width)", remedy);
}

AditTensor *
adit_block_expect_tokens(AditBlock *self, AditTensor *x, const char *remedy)
{
    return expect(self, x, 2, "tokens x width", remedy);
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
    adit_graph_cross(graph, 0, &y, NULL);
    y = adit_tap(y, "out");
    adit_tap(y, "collect");
    adit_graph_detach(graph, &y, NULL);
    adit_graph_leave_scope(graph);
    return y;
}
