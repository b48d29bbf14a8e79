/* core/device/vulkan/adit-vulkan-plan.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-vulkan-private.h"

G_BEGIN_DECLS

/**
 * AditVulkanWindow: the part of a buffer that a binding shows. A @buffer of NULL stands for the
 * plan's words.
 */
typedef struct {
    const AditVulkanBuffer *buffer;
    gsize offset; /* bytes */
    gsize range;
    gboolean is_written;
} AditVulkanWindow;

/**
 * AditVulkanSpread: how many workgroups some of a dispatch's rows need: n of them take
 * @together ceil(n @work / @group). @work 0: they are no matter of rows, or lie in another order.
 */
typedef struct {
    guint32 work, group, together;
} AditVulkanSpread;

/**
 * AditVulkanDispatch: one call of a kernel with everything that is recorded.
 * @counted: (nullable): the device has counted @groups: they lie there, at byte @counted_at
 * @name: of the kernel, @tensor: (nullable): what it computes: for messages
 */
typedef struct {
    const AditVulkanKernel *kernel;
    const char *name;
    const AditTensor *tensor;
    AditVulkanWindow windows[ADIT_VULKAN_BINDINGS];
    AditVulkanPush push;
    guint32 groups[3];
    AditVulkanSpread spread;
    const AditVulkanBuffer *counted;
    gsize counted_at;
    double work;
} AditVulkanDispatch;

/**
 * AditVulkanSource: where the rows of one feed lie.
 * @data: (nullable): NULL: not known yet, only for finding out whether everything fits
 * @array: (nullable): what @data holds: bytes, or else float32; NULL: a program's output
 * @index: (nullable): row numbers; NULL: the identity
 * @rows: of @data
 * @begin, @index_begin: elements before the first row, and before the first row number
 */
typedef struct {
    const AditVulkanBuffer *data;
    const AditArray *array;
    const AditVulkanBuffer *index;
    gsize rows;
    gsize index_rows;
    gsize begin;
    gsize index_begin;
} AditVulkanSource;

typedef struct _AditVulkanSift AditVulkanSift;

/**
 * AditVulkanPlaces: what a plan is made for.
 * @room: rows that every value with rows has room for
 * @rows: of the batch
 * @first_row: of linear operands
 * @ring: where calls are taken from
 * @log: a row for each SUM output, @log_room numbers each
 * @sift: (nullable): the program is for the rows that it leaves
 */
typedef struct {
    const AditVulkanBuffer *arenas[ADIT_ARENA_LIVE + 1];
    const AditVulkanBuffer *ring;
    const AditVulkanBuffer *log;
    gsize log_room;
    gsize room;
    gsize rows;
    gsize first_row;
    guint64 seed;
    const AditVulkanSource *sources;
    const AditVulkanSift *sift;
} AditVulkanPlaces;

/**
 * AditVulkanPlan: a program as a list of dispatches, its loops unrolled.
 * @words: what they read of themselves
 */
typedef struct {
    GArray *dispatches; /* AditVulkanDispatch */
    GArray *words;      /* guint32 */
} AditVulkanPlan;

/* ADIT_ERROR_NO_DEVICE (an operation without a shader), ADIT_ERROR_MEMORY (an operand is larger
 * than what the device can bind). */
gboolean adit_vulkan_plan_init(AditVulkanPlan *self, AditVulkanDevice *device,
                               const AditProgram *program, const AditVulkanPlaces *places,
                               GError **error);
void adit_vulkan_plan_clear(AditVulkanPlan *self);
/* The words of one of the device's own kernels: they have attributes only, and an output and input
 * without rows; where they begin. */
guint32 adit_vulkan_add_attributes(AditVulkanPlan *self, const guint32 *attributes, guint n);
/* The table for shaders/include/data.glsl, behind the words there are: what each of the 256 bytes
 * of
 * @array is read as; where it begins. 0: there is none, it is no array of bytes. */
guint32 adit_vulkan_add_table(AditVulkanPlan *self, const AditArray *array);
/* First element of an operand for the loops' indices @index, in the buffer of its arena. */
gsize adit_vulkan_find_operand(const AditProgram *program, const AditVulkanPlaces *places,
                               const AditOperand *operand, const guint *index);

G_END_DECLS
