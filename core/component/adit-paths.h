/* core/component/adit-paths.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-block.h>

G_BEGIN_DECLS

typedef enum {
    ADIT_JOIN_SUM,
    ADIT_JOIN_MEAN,
    ADIT_JOIN_MAX,
    ADIT_JOIN_PRODUCT,
    ADIT_JOIN_CONCAT,
} AditJoin;

/**
 * AditPaths: a block made of parallel blocks: all are fed the same, their ends are joined.
 *
 * Its parameters are `join`, an AditJoin, and `axis`: whether concat joins widths (channels of
 * images, else the last axis) or tokens. Ends are joined in the order of the paths. A path is found
 * in addresses by its name: `trunk.2.long.3`.
 */
#define ADIT_TYPE_PATHS (adit_paths_get_type())
G_DECLARE_FINAL_TYPE(AditPaths, adit_paths, ADIT, PATHS, AditBlock)

AditPaths *adit_paths_new(void);
/* Adds a path. @block: a sequence of no items is the identity. @types: (nullable): what it is as
 * well, if it is one reference: parts and the component. */
void adit_paths_add(AditPaths *self, const char *name, AditBlock *block, const char *const *types);
guint adit_paths_count(AditPaths *self);
const char *adit_paths_get_name(AditPaths *self, guint index);
AditBlock *adit_paths_get_block(AditPaths *self, guint index);
AditJoin adit_paths_get_join(AditPaths *self);

G_END_DECLS
