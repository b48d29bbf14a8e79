/* core/component/adit-cut.c - SPDX-License-Identifier: MIT */
#include "adit-cut.h"

#include <adit/adit-ops.h>

void
adit_cut_init(AditCut *self)
{
    *self = (AditCut){.crossing = g_ptr_array_new()};
}

void
adit_cut_clear(AditCut *self)
{
    g_clear_pointer(&self->crossing, g_ptr_array_unref);
}

void
adit_graph_set_cut(AditGraph *graph, AditCut *cut)
{
    graph->root->cut = cut;
}

void
adit_graph_begin_cut(AditGraph *graph)
{
    AditGraph *root = graph->root;

    if (root->cut != NULL && root->cut->frozen != NULL && root->cut->settled)
        root->mode = ADIT_MODE_EVALUATION;
}

AditGrasp
adit_graph_cuts(const AditGraph *graph, guint number)
{
    const AditGraph *root = graph->root;
    const char *const addresses[] = {root->cut != NULL ? root->cut->frozen : NULL,
                                     root->cut != NULL ? root->cut->end : NULL};
    AditGrasp grasp = ADIT_GRASP_NOTHING;

    for (guint i = 0; i < G_N_ELEMENTS(addresses); i++) {
        if (addresses[i] != NULL)
            grasp = MAX(grasp, adit_address_grasp(addresses[i], root->scope, number));
    }
    return grasp;
}

/* ---- crossing ---- */

static AditTensor *
cross(AditGraph *graph, AditTensor *x)
{
    AditCut *cut = graph->root->cut;

    g_ptr_array_add(cut->crossing, x);
    if (!cut->fed)
        return adit_stop_gradient(x);
    g_autofree char *name = g_strdup_printf("kept.%u", cut->crossing->len);

    return adit_input(graph->root, name, adit_tensor_get_shape(x), 0);
}

/* Whether the cut is behind item @number of what is being built. */
static gboolean
is_behind(const AditGraph *root, guint number)
{
    g_autofree char *around = root->scope != NULL ? adit_scope_to_string(root->scope, 0) : NULL;
    g_autofree char *item = number > 0 ? g_strdup_printf("%s.%u", around, number) : NULL;

    return g_strcmp0(item != NULL ? item : around, root->cut->frozen) == 0;
}

void
adit_graph_cross(AditGraph *graph, guint number, AditTensor **feed, AditTensor **collect)
{
    AditGraph *root = graph->root;
    AditCut *cut = root->cut;

    /* the item is in no loop, or the last of one: adit_graph_cuts() saw to that */
    if (cut == NULL || cut->frozen == NULL || graph != root || cut->n_frozen > 0 ||
        !is_behind(root, number))
        return;
    AditTensor *fed = *feed;

    *feed = cross(graph, fed);
    if (collect != NULL && *collect != NULL)
        *collect = *collect == fed ? *feed : cross(graph, *collect);
    cut->n_frozen = root->tensors->len;
    if (cut->settled)
        root->mode = ADIT_MODE_TRAINING;
}

void
adit_graph_detach(AditGraph *graph, AditTensor **feed, AditTensor **collect)
{
    const AditGraph *root = graph->root;

    if (root->cut == NULL || root->cut->detached == NULL)
        return;
    g_autofree char *address = adit_scope_to_string(root->scope, 0);
    AditTensor *fed = *feed;

    if (!g_hash_table_contains(root->cut->detached, address))
        return;
    *feed = adit_stop_gradient(fed);
    if (collect != NULL && *collect != NULL)
        *collect = *collect == fed ? *feed : adit_stop_gradient(*collect);
}

gboolean
adit_graph_has_frozen(const AditGraph *graph, const AditTensor *parameter)
{
    const AditCut *cut = graph->root->cut;

    return cut != NULL && parameter->id < cut->n_frozen;
}
