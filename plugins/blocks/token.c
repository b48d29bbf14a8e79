/* plugins/blocks/token.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditToken {
    AditBlock parent_instance;
    gint64 index;
};
ADIT_DEFINE_BLOCK(AditToken, adit_token_block, ADIT_TOKEN)

static AditTensor *
build(AditBlock *block, AditGraph *graph, AditTensor *x)
{
    gsize index = (gsize) ADIT_TOKEN(block)->index;
    const AditShape *shape = adit_tensor_get_shape(x);

    x = adit_block_expect_tokens(block, x, "patch-embed");
    if (adit_tensor_has_failed(x))
        return x;
    if (index > shape->size[0])
        return adit_graph_fail(graph,
                               "'index' must be in 1..%" G_GSIZE_FORMAT
                               ", the number of tokens, got %" G_GSIZE_FORMAT,
                               shape->size[0], index);
    return adit_reshape(adit_slice(x, 0, index - 1, index, 1),
                        &ADIT_SHAPE(adit_tensor_get_width(x)));
}

static void
adit_token_block_class_init(AditComponentClass *klass)
{
    ADIT_BLOCK_CLASS(klass)->build = build;
    adit_component_class_describe(klass, "token", "One of the tokens, as a vector");
    adit_component_class_add_int(klass, "index", "Its number, from 1", 1, 1000000, 1,
                                 ADIT_FIELD(AditToken, index, gint64));
}

ADIT_PLUGIN("token", "1.0", "MIT", ADIT_TYPES(adit_token_block_get_type))
