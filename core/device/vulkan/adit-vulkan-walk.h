/* core/device/vulkan/adit-vulkan-walk.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-vulkan-plan.h"

G_BEGIN_DECLS

/*
 * A training step in two dispatches. The first is parallel over rows: its text walks through the
 * program's instructions that do not mix rows, forward loop, what lies between and reverse loop,
 * loops as loops; values stay in registers. The second is parallel over the elements of the
 * parameters: it sums over the rows, in the order of the slices, and updates.
 *
 * A value that mixes rows and is read by rows again, the moments of a batch, is a *cut*: the first
 * kernel ends there and goes on in another dispatch. The *pieces* between cuts are kernels of their
 * own, the same for all iterations of a loop.
 *
 * What the second reads of the first, and what the reverse loop reads of the forward loop, is
 * *kept* in a buffer of its own, behind the figures.
 */

/**
 * AditVulkanWalkText: a kernel that is made for a program.
 * @text: GLSL
 * @constants: (element-type guint32): specialization constants c0, c1, ...: addresses
 * @words: (element-type guint32): WORD(0), ...: loop counts, factors
 * @keys: (element-type guint32): the keys of every iteration's noise. They grow with the depth, and
 * come behind all other words in the end
 * @key_constants: (element-type guint): the constants that say where keys begin
 */
typedef struct {
    GString *text;
    GArray *constants;
    GArray *words;
    GArray *keys;
    GArray *key_constants;
} AditVulkanWalkText;

/**
 * AditVulkanWalkStep: a dispatch of the first kernel.
 * @piece: number of its text
 * @index: of the loops around where the piece begins
 */
typedef struct {
    guint piece;
    guint32 index[ADIT_MAX_LOOPS];
} AditVulkanWalkStep;

/**
 * AditVulkanWalkFeed: the words of a piece that say of an input whether there are numbers of its
 * rows, and where the table of its bytes begins.
 */
typedef struct {
    guint piece;
    guint numbers;
    guint table;
} AditVulkanWalkFeed;

/**
 * AditVulkanWalkRange: elements of the parameters' arena that are updated alike.
 * @lives: number of the live number that the update's begin with
 */
typedef struct {
    gsize begin;
    gsize end;
    guint lives;
} AditVulkanWalkRange;

/**
 * AditVulkanWalk:
 * @lanes: invocations for a row
 * @stage: numbers that a row puts into shared memory at once
 * @pieces: (element-type AditVulkanWalkText*): the first kernel, from walk-rows.glsl on
 * @steps: (element-type AditVulkanWalkStep): its dispatches, one more than there are cuts
 * @sums: the second kernel, from walk-sums.glsl on
 * @feeds: of each input
 * @n_terms: penalties: sums over parameters, how many numbers each has in the words of the first
 * piece from @terms on
 * @n_chunks: sums that the penalties are cut into
 * @chunks_at: where they lie in the kept numbers, from the beginning of the buffer
 * @n_jobs, @jobs: gradients, and where their table begins in the words of @sums
 * @n_groups: workgroups of the second kernel
 * @tile_rows, @tile_columns: elements that one of its invocations sums
 * @size: numbers of the buffer
 * @joined: numbers of shared memory for what a workgroup joins
 * @has_sums: there is a second kernel: the program has gradients
 * @reads_states: the first kernel reads running statistics
 */
typedef struct {
    guint lanes;
    gsize stage;
    GPtrArray *pieces;
    GArray *steps;
    AditVulkanWalkText sums;
    AditVulkanWalkFeed feeds[2];
    guint n_terms;
    guint terms;
    guint n_chunks;
    gsize chunks_at;
    guint n_jobs;
    guint jobs;
    guint n_groups;
    guint tile_rows;
    guint tile_columns;
    gsize size;
    gsize joined;
    gboolean has_sums;
    gboolean reads_states;
} AditVulkanWalk;

/**
 * AditVulkanWalkNeeds: what a walk is made of.
 * @update: (nullable): the program over the elements of arenas that follows
 * @ranges: (element-type AditVulkanWalkRange) (nullable): what it updates
 * @places: rooms and seed; figures come first in the buffer
 */
typedef struct {
    const AditProgram *program;
    const AditProgram *update;
    const GArray *ranges;
    const AditVulkanPlaces *places;
} AditVulkanWalkNeeds;

/**
 * adit_vulkan_walk_new:
 * @reason: (out): why there is none: "operation 'moments' sums over rows"
 *
 * Returns: (nullable): NULL: the program cannot be walked
 */
AditVulkanWalk *adit_vulkan_walk_new(const AditVulkanWalkNeeds *needs, char **reason);
void adit_vulkan_walk_free(AditVulkanWalk *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditVulkanWalk, adit_vulkan_walk_free)

G_END_DECLS
