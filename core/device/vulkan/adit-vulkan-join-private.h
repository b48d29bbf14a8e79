/* core/device/vulkan/adit-vulkan-join-private.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-vulkan-executable.h"
#include "adit-vulkan-walk.h"

G_BEGIN_DECLS

/* Invocations a workgroup of the first kernel has at most; and at least, to join. */
#define MAX_SIZE 128
#define MIN_SIZE 8
/* Bytes of shared memory that every device has, less those of a penalty's sums and of a call. */
#define MAX_SHARED (((gsize) 16 << 10) - 256 - 1024)

/* Rows that are joined first, where the first kernel is cut, as far as a workgroup has them. */
#define GROUP 16

/**
 * AditVulkanJoin:
 * @update: of all runs but the first
 * @ranges: (element-type AditVulkanWalkRange): what they update
 * @walk: (nullable): NULL: they are run in turn
 * @rows_a_group: of the first kernel; changes no bit
 * @fastest: what that is to be; another one is another kernel, which is tried before it is taken
 * @is_tried, @is_tuned: it was found out whether it does what the runs do in turn, and how fast
 */
struct _AditVulkanJoin {
    AditVulkanDevice *device;
    AditExecutable *gradient;
    AditExecutable *update;
    GArray *ranges;
    AditVulkanWalk *walk;
    guint rows_a_group;
    guint fastest;
    gboolean is_tried;
    gboolean is_tuned;
    GPtrArray *pieces; /* const AditVulkanKernel, of the first kernel's texts */
    const AditVulkanKernel *sums;
    GPtrArray *recordings; /* AditVulkanRecording */
};

/* Rows a workgroup that the first kernel may have: powers of two up to this. */
guint adit_vulkan_join_get_most_rows(const AditVulkanJoin *self);
/* No fewer, so that a group of rows that is joined lies in one workgroup. It follows from the walk
 * alone. */
guint adit_vulkan_join_get_least_rows(const AditVulkanJoin *self);
/* The whole texts of the kernels, with what is defined before them; free with g_free(). */
char *adit_vulkan_join_make_piece_text(const AditVulkanJoin *self, const AditVulkanWalkText *piece,
                                       guint rows);
char *adit_vulkan_join_make_sums_text(const AditVulkanWalk *walk);
/* Takes another number of them. */
gboolean adit_vulkan_join_set_rows(AditVulkanJoin *self, guint rows, GError **error);
/* The recording for @call; @whole: else of the first kernel alone. NULL without an error: its data
 * cannot be bound. */
AditVulkanRecording *adit_vulkan_join_record(AditVulkanJoin *self, const AditCall *call,
                                             gboolean whole, GError **error);

/* adit-vulkan-join-trial.c */

/* Whether a few rows of these runs, joined by the kernels that it has now, leave what they leave in
 * turn; known from the cache, or tried and put there. Everything is as it was before. */
gboolean adit_vulkan_join_try(AditVulkanJoin *self, const AditDeviceRun *runs, guint n);
/* Finds the fastest number of rows a workgroup, known from the cache or measured; the call's words
 * are in the ring, and nothing of it is queued. Its kernels stay. */
guint adit_vulkan_join_tune(AditVulkanJoin *self, const AditCall *call);

G_END_DECLS
