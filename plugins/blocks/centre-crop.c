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

    if (adit_tensor_has_failed(x))
        return x;
    if (shape.rank != 3) {
        g_autofree char *got = adit_shape_to_string(&shape);

        return adit_graph_fail(graph, "'centre-crop' takes channels x height x width, got %s", got);
    }
    for (guint i = 0; i < 2; i++) {
        gsize full = shape.size[i + 1];
        gsize wanted = (gsize) g_array_index(size, double, i < size->len ? i : 0);

        if (wanted > full)
            return adit_graph_fail(graph,
                                   "'centre-crop' cannot cut %" G_GSIZE_FORMAT
                                   " pixels out of %" G_GSIZE_FORMAT,
                                   wanted, full);
        x = adit_slice(x, (int) i + 1, (full - wanted) / 2, (full - wanted) / 2 + wanted, 1);
    }
    return x;
}

static gboolean
check(AditComponent *component, GError **error)
{
    guint n = CENTRE_CROP(component)->size->len;

    if (n == 1 || n == 2)
        return TRUE;
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                "'size' is a height and a width, or one number for both; got %u numbers", n);
    return FALSE;
}

static void
adit_centre_crop_class_init(AditComponentClass *klass)
{
    klass->check = check;
    ADIT_BLOCK_CLASS(klass)->build = build;
    adit_component_class_describe(klass, "centre-crop", "The middle of images");
    adit_component_class_set_example(klass, "{centre-crop: {size: [2, 3]}}");
    adit_component_class_add_numbers(klass, "size", "Height and width of what stays", TRUE, 1,
                                     65536, ADIT_FIELD(AditCentreCrop, size, GArray *));
    adit_component_class_require(klass, "size");
}

ADIT_PLUGIN("centre-crop", "1.0", "MIT", ADIT_TYPES(adit_centre_crop_get_type))
