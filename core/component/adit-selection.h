/* core/component/adit-selection.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-graph-private.h"

G_BEGIN_DECLS

/* What an address (LANGUAGE 2.6, its grammar checked by the reader) means in a built graph. */

/**
 * AditPick: one tensor that an address found.
 * @address: "trunk.7:pre"; of several the shortest that was asked for
 * @tensor: where it was made, perhaps in a loop's body
 * @before: (nullable): of a `:collect`: what was collected before the item; NULL: nothing
 * @instance: which iteration of all loops around it
 * @order: of the address among all, in the order of building
 */
typedef struct {
    char *address;
    AditTensor *tensor;
    AditTensor *before;
    guint instance;
    guint order;
} AditPick;

/* (transfer full) (element-type AditPick): the tensors at @address in forward order, one pick for
 * each tensor however many addresses it has; empty: nothing is there. */
GArray *adit_graph_pick(AditGraph *graph, const char *address);
/* (GCompareFunc): whether an AditPick comes before another in forward order. */
int adit_pick_compare(gconstpointer a, gconstpointer b);

/**
 * AditGrasp: what of an item an address may find.
 */
typedef enum {
    ADIT_GRASP_NOTHING,
    ADIT_GRASP_ITEM,   /* the item itself, and nothing else inside it */
    ADIT_GRASP_INSIDE, /* perhaps what is in it */
} AditGrasp;

/* Of item @number of what is being built at @around, before it is. */
AditGrasp adit_address_grasp(const char *address, const AditScope *around, guint number);
/* Adds what another address found, behind what is there; no address twice. @more: (transfer full)
 */
void adit_picks_merge(GArray *picks, GArray *more);
/* Whether an item or anything around it is at @address: what is inside belongs to it. */
gboolean adit_address_covers(const char *address, const AditScope *scope, guint instance);
/* Whether instance @instance of a parameter or state of the root graph is at or below @address. */
gboolean adit_parameter_is_at(const AditTensor *parameter, guint instance, const char *address);
/* The root of the exits' addresses, and whether @scope (nullable) lies below it. */
#define ADIT_EXITS_ROOT "exits"
gboolean adit_scope_is_of_exit(const AditScope *scope);
guint adit_graph_count_exits(AditGraph *graph);
/* What exit @exit of a network that was built reads. */
AditTensor *adit_graph_find_exit_input(const AditGraph *graph, const AditPick *exit);
/* The segment of addresses of heads with fixed weights, `exits.1.feedback`, and whether @scope
 * (nullable) lies below it. */
#define ADIT_EXIT_FEEDBACK "feedback"
gboolean adit_scope_is_of_feedback(const AditScope *scope);
/* Why adit_graph_pick() found nothing: "nothing is at 'trunk.25'; 'trunk' has 20 items". */
char *adit_graph_explain_address(AditGraph *graph, const char *address);

G_END_DECLS
