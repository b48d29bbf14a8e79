/* core/device/vulkan/adit-vulkan-fold.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-vulkan-plan.h"

G_BEGIN_DECLS

typedef enum {
    ADIT_FOLD_NONE,   /* to be done in its turn */
    ADIT_FOLD_FOLDED, /* by those who read it */
    ADIT_FOLD_DONE,
} AditVulkanFold;

/**
 * AditVulkanFolds: which instructions of a list have no kernel of their own, because all who read
 * their results compute them on the way: a convolution while it reads its images, or elementwise
 * work. That holds for elementwise instructions over images that cost little, and whose inputs are
 * still there when their results are read for the last time. If a reader cannot, the instruction is
 * done before that reader, and nobody computes it any more.
 *
 * It also knows which instructions are done: what is joined with others may be done before its
 * turn.
 *
 * @readers: adit_vulkan_count_readers()
 * @index: of the loops: which parts of memory the operands are
 * @states: (element-type AditVulkanFold): of each instruction of @list
 * @most: bytes that a binding may have
 */
typedef struct {
    const AditProgram *program;
    const AditVulkanPlaces *places;
    GHashTable *readers;
    const guint *index;
    const GPtrArray *list;
    guint8 *states;
    gsize most;
} AditVulkanFolds;

/* How many instructions of @program read each storage; -1 those that are read by the host too. */
GHashTable *adit_vulkan_count_readers(const AditProgram *program);

/* @index stays the caller's, and is not to change meanwhile. */
void adit_vulkan_folds_init(AditVulkanFolds *self, const AditProgram *program,
                            const AditVulkanPlaces *places, GHashTable *readers,
                            const GPtrArray *list, const guint *index, gsize most);
void adit_vulkan_folds_clear(AditVulkanFolds *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AditVulkanFolds, adit_vulkan_folds_clear)
/* Position of the folded instruction that @operand is the result of; -1: there is none. */
int adit_vulkan_folds_find(const AditVulkanFolds *self, const AditOperand *operand);

/* ---- what instructions are ---- */

/**
 * AditVulkanChannelOp: a row of adit-vulkan-channel-ops.def.
 * @terms: (array zero-terminated): u, v, w
 */
typedef struct {
    const char *name;
    const char *value;
    const char *terms[4];
} AditVulkanChannelOp;

/* NULL: it is none. */
const AditVulkanChannelOp *adit_vulkan_find_channel_op(const AditInstruction *instruction);
/* Whether every number of its result is made of numbers at the same place of its inputs, and of
 * what is the same for rows or channels. */
gboolean adit_vulkan_is_elementwise(const AditInstruction *instruction);

/**
 * AditVulkanProduct: an operation that a kernel begins with, and others may be joined to.
 * @has_results: elementwise work on its results can be
 * @loads: bits of those of its inputs that are images whose numbers may be computed on reading
 */
typedef struct {
    const char *name;
    AditVulkanKind kind;
    gboolean has_results;
    guint loads;
} AditVulkanProduct;

/* NULL: it is none. */
const AditVulkanProduct *adit_vulkan_find_product_op(const AditInstruction *instruction);

/* ---- where operands are ---- */

/* The same value at the same place. */
gboolean adit_vulkan_is_same(const AditOperand *a, const AditOperand *b);
/* Whether they share memory. */
gboolean adit_vulkan_overlaps(const AditVulkanFolds *self, const AditOperand *a,
                              const AditOperand *b);
/* Whether @instruction writes to @operand's memory. */
gboolean adit_vulkan_writes(const AditVulkanFolds *self, const AditInstruction *instruction,
                            const AditOperand *operand);

G_END_DECLS
