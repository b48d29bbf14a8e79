/* plugins/blocks/class-token.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditClassToken {
    AditBlock parent_instance;
    AditInitializer *initializer;
};
ADIT_DEFINE_BLOCK(AditClassToken, adit_class_token_block, ADIT_CLASS_TOKEN)

static AditTensor *
build(AditBlock *block, AditGraph *graph, AditTensor *x)
{
    AditClassToken *self = ADIT_CLASS_TOKEN(block);
    AditShape shape = ADIT_SHAPE(1, adit_tensor_get_width(x));
    AditTensor *token;

    x = adit_block_expect_tokens(block, x, "patch-embed");
    if (adit_tensor_has_failed(x))
        return x;
    token = self->initializer != NULL
                ? adit_parameter(graph, "token", ADIT_ROLE_OTHER, &shape, self->initializer)
                : adit_parameter_filled(graph, "token", ADIT_ROLE_OTHER, &shape, 0);
    return adit_concat((AditTensor *[]){token, x}, 2, 0);
}

static void
adit_class_token_block_class_init(AditComponentClass *klass)
{
    ADIT_BLOCK_CLASS(klass)->build = build;
    /* Dosovitskiy et al. 2021, section 3.1 */
    adit_component_class_describe(klass, "class-token", "A trained token in front of the others");
    adit_component_class_add_reference(klass, "initializer", "Of the token; else zeros",
                                       ADIT_TYPE_INITIALIZER,
                                       ADIT_FIELD(AditClassToken, initializer, AditInitializer *));
}

ADIT_PLUGIN("class-token", "1.0", "MIT", ADIT_TYPES(adit_class_token_block_get_type))
