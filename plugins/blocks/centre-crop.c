/* plugins/blocks/centre-crop.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditCentreCrop {
    AditBlock parent_instance;
    GArray *size;
};
ADIT_DEFINE_BLOCK(AditCentreCrop, adit_centre_crop, CENTRE_CROP)

static AditTensor *
build(AditBlock *block, AditGraph *graph, AditTensor *x)
{
    const GArray *size = CENTRE_CROP(block)->size;
    AditShape shape = *adit_tensor_get_shape(x);

    x = adit_block_expect_image(block, x, "reshape");
    if (adit_tensor_has_failed(x))
        return x;
    for (guint i = 0; i < 2; i++) {
        gsize full = shape.size[i + 1];
        gsize wanted = (gsize) adit_pair_get(size, i, (double) full);

        if (wanted > full)
            return adit_graph_fail(graph,
                                   "'centre-crop' cannot cut %" G_GSIZE_FORMAT
                                   " pixels out of %" G_GSIZE_FORMAT,
                                   wanted, full);
        x = adit_slice(x, (int) i + 1, (full - wanted) / 2, (full - wanted) / 2 + wanted, 1);
    }
    return x;
}

static void
adit_centre_crop_class_init(AditComponentClass *klass)
{
    ADIT_BLOCK_CLASS(klass)->build = build;
    adit_component_class_describe(klass, "centre-crop", "The middle of images");
    adit_component_class_set_example(klass, "{centre-crop: {size: [2, 3]}}");
    adit_component_class_add_pair(klass, "size", "Height and width of what stays", 1, 65536,
                                  ADIT_FIELD(AditCentreCrop, size, GArray *));
    adit_component_class_require(klass, "size");
}

ADIT_PLUGIN("centre-crop", "1.0", "MIT", ADIT_TYPES(adit_centre_crop_get_type))
