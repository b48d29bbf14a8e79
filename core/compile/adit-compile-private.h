/* core/compile/adit-compile-private.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-channels-last.h"
#include "adit-graph-private.h"
#include "adit-program.h"

G_BEGIN_DECLS

/* The passes of adit_compile(), in their order. */

/* Every tensor that an output needs (set of AditTensor). */
GHashTable *adit_simplify(const AditProgramOutput *outputs, guint n_outputs);
/* Fills the program with instructions in an order that respects who reads what. */
void adit_lower(AditProgram *program, const AditLayout *layout, const AditProgramInput *inputs,
                guint n_inputs, GHashTable *live, const AditChannelsLast *images,
                AditCompileFlags flags);
/* Orders the instructions so that slices wait for each other as rarely as possible. */
void adit_schedule(GPtrArray *instructions);
/* Gives storages their offsets. */
void adit_plan_memory(AditProgram *program);

/**
 * AditNode: an instruction while it is compiled.
 * @needs: instructions of the same list it comes behind, not owned; freed by the scheduler
 * @readers: instructions of the list that need it
 * @is_free: may run in any phase before them
 * @begin, @end: positions in the final order; a loop's span its body's; neighbours that a device
 * may run as one kernel have one span
 * @stretch: number of the stretch it belongs to: neighbours in one list, with all that is in them,
 * that run slice by slice; 0: none
 * @stretch_level: number of loops around the stretch
 */
typedef struct {
    AditInstruction instruction;
    GPtrArray *needs;
    guint readers;
    gboolean is_free;
    guint begin;
    guint end;
    guint stretch;
    guint stretch_level;
} AditNode;

G_END_DECLS
