/* core/component/adit-adapter.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-aggregator.h>

G_BEGIN_DECLS

typedef enum {
    ADIT_ADAPT_NONE,
    ADIT_ADAPT_PAD,
    ADIT_ADAPT_PROJECT,
    ADIT_ADAPT_RANDOM,
    ADIT_ADAPT_TRUNCATE,
} AditAdaptWidth;

typedef enum {
    ADIT_ADAPT_SPACE_NONE,
    ADIT_ADAPT_SPACE_POOL,
    ADIT_ADAPT_SPACE_STRIDE,
    ADIT_ADAPT_SPACE_CROP,
} AditAdaptSpace;

typedef enum { ADIT_ADAPT_TO_LAST, ADIT_ADAPT_TO_WIDEST } AditAdaptTo;

/**
 * AditAdapter: how two outputs of unequal shape are made one shape (LANGUAGE 2.4).
 * @width: an AditAdaptWidth
 * @space: an AditAdaptSpace
 * @to: an AditAdaptTo
 */
typedef struct {
    int width;
    int space;
    int to;
} AditAdapter;

/* Makes @fold's collect and @y one shape; @name is the aggregator's, for messages. */
void adit_adapter_join(const AditAdapter *self, const char *name, AditGraph *graph, AditFold *fold,
                       AditTensor **y);
/* Makes all axes but the channels' equal. */
void adit_adapter_join_space(const AditAdapter *self, const char *name, AditGraph *graph,
                             AditFold *fold, AditTensor **y);

G_END_DECLS
