/* core/compile/adit-cost.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-program.h"

G_BEGIN_DECLS

/**
 * AditCost: what a part of a network costs.
 * @parameters: trained numbers; those of a tied repeat count once, where the first instance is
 * @multiply_adds: of one row's forward pass, in matrix products
 */
typedef struct {
    guint64 parameters;
    guint64 multiply_adds;
} AditCost;

/* (transfer full) (element-type utf8 AditCost): address of every item that costs something -> the
 * cost of all that is inside it; "" -> that of the whole network. */
GHashTable *adit_graph_count_costs(AditGraph *graph);
/* The cost at @address in such a table; 0 where there is none. */
AditCost adit_costs_find(GHashTable *costs, const char *address);

/**
 * AditWork: what running a program takes.
 * @multiply_adds: in matrix products
 * @bytes: read and written if every operation reads its operands and writes its result, in float32
 */
typedef struct {
    guint64 multiply_adds;
    guint64 bytes;
} AditWork;

/* Adds the work of one run of @program with @rows rows. */
void adit_program_add_work(const AditProgram *program, gsize rows, AditWork *work);

G_END_DECLS
