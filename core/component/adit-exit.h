/* core/component/adit-exit.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-block.h>

#include "adit-component-private.h"
#include "adit-model.h"

G_BEGIN_DECLS

/**
 * AditExit: an element of `exits` (LANGUAGE 2.3): places of a network, and the head that each of
 * them has. Every place found is an exit of its own. Its place in the file is that of `at`.
 */
#define ADIT_TYPE_EXIT (adit_exit_get_type())
G_DECLARE_FINAL_TYPE(AditExit, adit_exit, ADIT, EXIT, AditComponent)

/**
 * adit_exit_new:
 * @at: addresses; an exit reads `:collect` unless its address has a port
 * @head: (transfer none) (nullable): NULL: the model's own, with its weights
 * @name: (nullable): of all its places
 */
AditExit *adit_exit_new(const char *const *at, AditBlock *head, const char *name);

/**
 * adit_exit_place_by_cost:
 * @shares: (element-type double): of the network's cost; its addresses are those among which it is
 *   placed, and the places are found when the network is known (adit_exit_set_places())
 */
void adit_exit_place_by_cost(AditExit *self, GArray *shares);
/* (nullable): NULL: it is at its addresses */
const GArray *adit_exit_get_shares(const AditExit *self);
/* (nullable): those among which it is placed by cost, with their ports */
const char *const *adit_exit_get_among(const AditExit *self);
/* Where an exit that is placed by cost is. @at: addresses with their ports */
void adit_exit_set_places(AditExit *self, const char *const *at);

/* (nullable) */
const char *adit_exit_get_name(const AditExit *self);
/* Addresses with their ports. */
const char *const *adit_exit_get_at(const AditExit *self);
/* (nullable): NULL: the model's own */
AditBlock *adit_exit_get_head(const AditExit *self);
/* Whether it is at one place, whatever the network is: one address without wildcards. */
gboolean adit_exit_is_single(const AditExit *self);

/**
 * adit_exits_announce:
 * @exits: (nullable) (element-type AditExit)
 *
 * Before the network is built: a repeat's instances run as one loop only as far as they have the
 * same exits.
 */
void adit_exits_announce(const GPtrArray *exits, AditGraph *graph);
/**
 * AditExitPlace: where an exit is.
 * @address: "trunk.7"
 * @index: of its element of `exits`
 */
typedef struct {
    char *address;
    guint index;
} AditExitPlace;

/* (transfer full) (element-type AditExitPlace): of all exits in a network that was built, by
 * number. */
GArray *adit_exits_list_places(const GPtrArray *exits, AditGraph *graph);

/**
 * adit_exits_build:
 * @model: whose head gave @logits from @x
 *
 * On the network that was built: the heads of all exits, `exits.1`, `exits.2`, ... by depth, which
 * leave logits of @logits' shape. What does not fit fails the graph.
 */
void adit_exits_build(const AditModel *model, AditTensor *x, AditTensor *logits);

G_END_DECLS
