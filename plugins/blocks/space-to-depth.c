/* plugins/blocks/space-to-depth.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditSpaceToDepth {
    AditBlock parent_instance;
    gint64 factor;
};
ADIT_DEFINE_BLOCK(AditSpaceToDepth, adit_space_to_depth, ADIT_SPACE_TO_DEPTH)

/* The pixels of each square one behind the other, row by row, each with all its channels: as ONNX's
 * SpaceToDepth and the code of Belilovsky, Eickenberg, Oyallon, "Greedy layerwise learning can
 * scale to ImageNet", ICML 2019. */
static AditTensor *
build(AditBlock *block, AditGraph *graph, AditTensor *x)
{
    static const int order[] = {2, 4, 0, 1, 3};
    const AditShape *shape = adit_tensor_get_shape(x);
    gsize factor = (gsize) ADIT_SPACE_TO_DEPTH(block)->factor;

    x = adit_block_expect_image(block, x, "reshape");
    if (adit_tensor_has_failed(x))
        return x;
    g_autofree char *got = adit_shape_to_string(shape);
    gsize channels = shape->size[0];
    gsize height = shape->size[1] / factor, width = shape->size[2] / factor;
    if (height * factor != shape->size[1] || width * factor != shape->size[2])
        return adit_graph_fail(graph, "'factor' must divide height and width, got %zu for %s",
                               factor, got);
    AditTensor *squares = adit_reshape(x, &ADIT_SHAPE(channels, height, factor, width, factor));

    return adit_reshape(adit_transpose(squares, order),
                        &ADIT_SHAPE(factor * factor * channels, height, width));
}

static void
adit_space_to_depth_class_init(AditComponentClass *klass)
{
    ADIT_BLOCK_CLASS(klass)->build = build;
    adit_component_class_describe(klass, "space-to-depth", "Squares of pixels become channels");
    adit_component_class_add_int(klass, "factor", "Side of the squares", 1, 1024, 2,
                                 ADIT_FIELD(AditSpaceToDepth, factor, gint64));
}

ADIT_PLUGIN("space-to-depth", "1.0", "MIT", ADIT_TYPES(adit_space_to_depth_get_type))
