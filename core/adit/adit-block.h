/* core/adit/adit-block.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-component.h>

G_BEGIN_DECLS

/**
 * AditBlock: a layer, or several: tensor in, tensor out, in graph operations.
 */
#define ADIT_TYPE_BLOCK (adit_block_get_type())
G_DECLARE_DERIVABLE_TYPE(AditBlock, adit_block, ADIT, BLOCK, AditComponent)

/**
 * AditBlockClass:
 * @build: writes the block into @graph and returns its output. Called once for every place the
 * block stands in (once for a whole loop), on the thread that builds the graph; must not keep
 * tensors. Errors are sticky: a failed tensor may be used like any other. Parameters it makes are
 * named in the block's own scope: "weight" becomes "trunk.7.weight".
 * @normalizes: its output is normalised (what GloNet's section 4 warns of at a block's end)
 */
struct _AditBlockClass {
    AditComponentClass parent_class;

    AditTensor *(*build)(AditBlock *self, AditGraph *graph, AditTensor *x);
    gboolean normalizes;

    gpointer padding[7];
};

/**
 * adit_block_build:
 * @self: (nullable): a block; NULL is the identity
 *
 * Builds a block inside another one. Its tensors keep the caller's address; errors name @self.
 *
 * Returns: (transfer none): the output; a failed tensor after an error
 */
AditTensor *adit_block_build(AditBlock *self, AditGraph *graph, AditTensor *x);

/**
 * adit_block_expect_image:
 * @self: whom the message names
 * @remedy: the block that makes an image of something else: "reshape"
 *
 * Refuses what is no image, channels x height x width.
 *
 * Returns: (transfer none): @x, or a failed tensor
 */
AditTensor *adit_block_expect_image(AditBlock *self, AditTensor *x, const char *remedy);
/* The same of tokens x width. */
AditTensor *adit_block_expect_tokens(AditBlock *self, AditTensor *x, const char *remedy);

/* A block type; see ADIT_DEFINE_COMPONENT. */
#define ADIT_DEFINE_BLOCK(TypeName, type_name, CAST)                                               \
    ADIT_DEFINE_COMPONENT(TypeName, type_name, CAST, ADIT_TYPE_BLOCK)

G_END_DECLS
