/* plugins/blocks/positions.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditPositions {
    AditBlock parent_instance;
    AditInitializer *initializer;
};
ADIT_DEFINE_BLOCK(AditPositions, adit_positions_block, ADIT_POSITIONS)

static AditTensor *
build(AditBlock *block, AditGraph *graph, AditTensor *x)
{
    AditPositions *self = ADIT_POSITIONS(block);
    const AditShape *shape = adit_tensor_get_shape(x);

    x = adit_block_expect_tokens(block, x, "patch-embed");
    if (adit_tensor_has_failed(x))
        return x;
    return adit_add(x,
                    adit_parameter(graph, "position", ADIT_ROLE_OTHER, shape, self->initializer));
}

static void
adit_positions_block_class_init(AditComponentClass *klass)
{
    ADIT_BLOCK_CLASS(klass)->build = build;
    /* Dosovitskiy et al. 2021, section 3.1 */
    adit_component_class_describe(klass, "positions",
                                  "Adds trained numbers to each token, by where it stands");
    adit_component_class_add_reference(klass, "initializer", "Of the numbers; else the model's",
                                       ADIT_TYPE_INITIALIZER,
                                       ADIT_FIELD(AditPositions, initializer, AditInitializer *));
}

ADIT_PLUGIN("positions", "1.0", "MIT", ADIT_TYPES(adit_positions_block_get_type))
