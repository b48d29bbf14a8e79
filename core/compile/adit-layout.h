/* core/compile/adit-layout.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-graph.h>
#include <adit/adit-initializer.h>

G_BEGIN_DECLS

/**
 * AditSlot: one parameter or state and its place in its arena: all instances of a loop, one behind
 * the other.
 * @names: of the instances, in order: "trunk.1.weight", "trunk.2.weight", ...
 * @n: number of instances
 * @shape: of one instance
 * @offset: in elements, of the first instance
 */
typedef struct {
    GStrv names;
    guint n;
    AditShape shape;
    gsize offset;
    gboolean is_state;
    AditRole role;
    AditInitializer *initializer; /* (nullable): filled with @fill */
    double fill;
} AditSlot;

/**
 * AditLayout: where a model's parameters and states lie. Fixed by the model before any program; the
 * programs of a run bind to it by name. Reference-counted.
 *
 * Gradients and each of the optimizer's slots have arenas of the parameters' layout.
 */
typedef struct {
    gint ref_count;
    GPtrArray *slots; /* AditSlot */
    GHashTable *by_name;
    GHashTable *places; /* name of any instance -> where it lies, by adit_layout_locate() */
    gsize n_parameters; /* elements */
    gsize n_states;
} AditLayout;

/* The layout of everything @graph keeps. */
AditLayout *adit_layout_new(AditGraph *graph);
AditLayout *adit_layout_ref(AditLayout *self);
void adit_layout_unref(AditLayout *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditLayout, adit_layout_unref)

/* The slot that instance @name begins; NULL: none. */
const AditSlot *adit_layout_find(const AditLayout *self, const char *name);
/* Offset of instance @name of a parameter or state. Instances that follow each other in a slot lie
 * so as well: a graph whose loops are shorter than those of the layout's finds its stacks inside.
 */
gsize adit_layout_locate(const AditLayout *self, const char *name);
/* Writes the values that all instances of a slot start with: each is drawn from its own stream, its
 * name. */
void adit_slot_initialize(const AditSlot *slot, guint64 seed, double *values);

G_END_DECLS
