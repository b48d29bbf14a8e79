/* core/compile/adit-channels-last.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-program.h"

G_BEGIN_DECLS

/**
 * AditChannelsLast: which images [channels, height, width] of a graph lie [height, width, channels]
 * in a program's memory.
 * @tensors: set of AditTensor that do
 * @attributes: AditTensor -> attributes: the operations that take and leave images so, with what
 * they are given then, owned by the program
 */
typedef struct {
    GHashTable *tensors;
    GHashTable *attributes;
} AditChannelsLast;

/* None do. */
void adit_channels_last_init(AditChannelsLast *self);
void adit_channels_last_clear(AditChannelsLast *self);
/* Finds those of @live tensors that do, for a program whose outputs are known. */
void adit_channels_last_find(AditChannelsLast *self, AditProgram *program, GHashTable *live);
gboolean adit_channels_last_has(const AditChannelsLast *self, const AditTensor *tensor);
/* Whether an operation takes images so; else it takes them as the graph says. */
gboolean adit_channels_last_takes(const AditChannelsLast *self, const AditTensor *tensor);
/* Gives the instruction of such an operation shapes and attributes. */
void adit_channels_last_set(const AditChannelsLast *self, AditInstruction *instruction);

G_END_DECLS
