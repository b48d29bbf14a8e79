/* plugins/blocks/random-crop.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditRandomCrop {
    AditBlock parent_instance;
    gint64 padding;
    GArray *size;
};
ADIT_DEFINE_BLOCK(AditRandomCrop, adit_random_crop, RANDOM_CROP)

/* Where the window begins: in training anywhere where it lies within the padded image, in
 * evaluation in the middle. @room: by how much the padded image is higher and wider. */
static AditTensor *
choose_offset(AditGraph *graph, const gsize *room, double padding)
{
    double middle[] = {(double) (room[0] / 2), (double) (room[1] / 2)};
    double last[] = {(double) room[0], (double) room[1]};
    double places[] = {last[0] + 1, last[1] + 1};
    AditTensor *offset = NULL;

    if (adit_graph_get_mode(graph) == ADIT_MODE_EVALUATION)
        return adit_offset(adit_constant_array(graph, &ADIT_SHAPE(2), middle), -padding);
    /* the product may be rounded up to the number of places */
    offset = adit_floor(adit_mul(adit_noise_uniform(graph, "random-crop", &ADIT_SHAPE(2)),
                                 adit_constant_array(graph, &ADIT_SHAPE(2), places)));
    offset = adit_min(offset, adit_constant_array(graph, &ADIT_SHAPE(2), last));
    return adit_offset(offset, -padding);
}

static AditTensor *
build(AditBlock *block, AditGraph *graph, AditTensor *x)
{
    AditRandomCrop *self = RANDOM_CROP(block);
    const AditShape *shape = adit_tensor_get_shape(x);
    AditShape size = *shape;
    gsize room[2];

    x = adit_block_expect_image(block, x, "reshape");
    if (adit_tensor_has_failed(x))
        return x;
    for (guint i = 0; i < 2; i++) {
        gsize full = shape->size[i + 1] + 2 * (gsize) self->padding;

        size.size[i + 1] = (gsize) adit_pair_get(self->size, i, (double) shape->size[i + 1]);
        if (size.size[i + 1] > full)
            return adit_graph_fail(graph,
                                   "'random-crop' cannot cut %" G_GSIZE_FORMAT
                                   " pixels out of %" G_GSIZE_FORMAT ", padding included",
                                   size.size[i + 1], full);
        room[i] = full - size.size[i + 1];
    }
    AditTensor *steps = adit_constant_array(graph, &ADIT_SHAPE(2), (double[]){1, 1});
    AditTensor *parts[] = {choose_offset(graph, room, (double) self->padding), steps};
    return adit_crop(x, adit_concat(parts, 2, 0), size.size[1], size.size[2], ADIT_OUTSIDE_ZERO);
}

static void
adit_random_crop_class_init(AditComponentClass *klass)
{
    ADIT_BLOCK_CLASS(klass)->build = build;
    adit_component_class_describe(klass, "random-crop",
                                  "Moves images at random while training; else the middle");
    adit_component_class_set_example(klass, "{random-crop: {padding: 4}}");
    adit_component_class_add_int(klass, "padding", "Zeros around the image, on every side", 0,
                                 65536, 4, ADIT_FIELD(AditRandomCrop, padding, gint64));
    adit_component_class_add_pair(klass, "size",
                                  "Height and width that are cut out; else the image's own", 1,
                                  65536, ADIT_FIELD(AditRandomCrop, size, GArray *));
}

ADIT_PLUGIN("random-crop", "1.0", "MIT", ADIT_TYPES(adit_random_crop_get_type))
