/* plugins/blocks/random-resized-crop.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

#include <math.h>

struct _AditRandomResizedCrop {
    AditBlock parent_instance;
    GArray *size;
    double min_area;
    double stretch;
};
ADIT_DEFINE_BLOCK(AditRandomResizedCrop, adit_random_resized_crop, RANDOM_RESIZED_CROP)

static AditTensor *
draw(AditGraph *graph, const char *name)
{
    return adit_noise_uniform(graph, name, &ADIT_SHAPE(1));
}

static AditTensor *
make_number(AditGraph *graph, double value)
{
    return adit_constant_array(graph, &ADIT_SHAPE(1), &value);
}

/**
 * Extent: what is cut out of an image, and what it becomes, along one axis.
 * @part: size of the part, @begin: where it begins; of every row their own
 * @full, @wanted: of the image, of the result
 */
typedef struct {
    AditTensor *part;
    AditTensor *begin;
    gsize full;
    gsize wanted;
} Extent;

/* Distance between neighbours of the result, and the first one's place: middles of pixels. */
static void
place_pixels(const Extent *self, AditTensor **begin, AditTensor **step)
{
    *step = adit_scale(self->part, 1.0 / (double) self->wanted);
    *begin = adit_offset(adit_add(self->begin, adit_scale(*step, 0.5)), -0.5);
}

/* A part of the given share of the area and of a random form: sqrt(area ratio) wide, sqrt(area /
 * ratio) high, not larger than the image (Szegedy et al. 2015, section 6; where they draw again
 * until it fits, it is cut). */
static void
choose_part(AditRandomResizedCrop *self, AditGraph *graph, Extent *extents)
{
    double pixels = (double) extents[0].full * (double) extents[1].full;
    AditTensor *area = adit_scale(
        adit_offset(adit_scale(draw(graph, "area"), 1 - self->min_area), self->min_area), pixels);
    AditTensor *half = adit_scale(adit_offset(draw(graph, "ratio"), -0.5), log(self->stretch));
    AditTensor *side = adit_sqrt(area);
    AditTensor *sides[] = {adit_mul(side, adit_exp(adit_neg(half))),
                           adit_mul(side, adit_exp(half))};

    for (guint i = 0; i < 2; i++) {
        AditTensor *full = make_number(graph, (double) extents[i].full);

        extents[i].part = adit_min(sides[i], full);
        extents[i].begin =
            adit_mul(draw(graph, i == 0 ? "top" : "left"), adit_sub(full, extents[i].part));
    }
}

static AditTensor *
build(AditBlock *block, AditGraph *graph, AditTensor *x)
{
    AditRandomResizedCrop *self = RANDOM_RESIZED_CROP(block);
    const AditShape *shape = adit_tensor_get_shape(x);
    AditTensor *place[4];
    Extent extents[2];

    x = adit_block_expect_image(block, x, "reshape");
    if (adit_tensor_has_failed(x))
        return x;
    for (guint i = 0; i < 2; i++) {
        gsize full = shape->size[i + 1];

        extents[i] = (Extent){.part = make_number(graph, (double) full),
                              .begin = make_number(graph, 0),
                              .full = full,
                              .wanted = (gsize) adit_pair_get(self->size, i, (double) full)};
    }
    if (adit_graph_get_mode(graph) == ADIT_MODE_TRAINING)
        choose_part(self, graph, extents);
    for (guint i = 0; i < 2; i++)
        place_pixels(&extents[i], &place[i], &place[i + 2]);
    return adit_crop(x, adit_concat(place, 4, 0), extents[0].wanted, extents[1].wanted,
                     ADIT_OUTSIDE_EDGE);
}

static void
adit_random_resized_crop_class_init(AditComponentClass *klass)
{
    ADIT_BLOCK_CLASS(klass)->build = build;
    adit_component_class_describe(klass, "random-resized-crop",
                                  "A random part of images, resized, while training; else all");
    adit_component_class_add_pair(klass, "size",
                                  "Height and width of the result; else the image's own", 1, 65536,
                                  ADIT_FIELD(AditRandomResizedCrop, size, GArray *));
    adit_component_class_add_number(klass, "min-area", "Least share of the image that is shown",
                                    1e-4, 1, 0.08,
                                    ADIT_FIELD(AditRandomResizedCrop, min_area, double));
    adit_component_class_add_number(
        klass, "stretch", "Width to height of the part is between 1 / stretch and stretch", 1, 100,
        4.0 / 3, ADIT_FIELD(AditRandomResizedCrop, stretch, double));
}

ADIT_PLUGIN("random-resized-crop", "1.0", "MIT", ADIT_TYPES(adit_random_resized_crop_get_type))
