/* plugins/blocks/cutout.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditCutout {
    AditBlock parent_instance;
    gint64 size;
};
ADIT_DEFINE_BLOCK(AditCutout, adit_cutout, CUTOUT)

/* 1 where number i of an axis of @n lies within the square around @centre, else 0: of @shape. */
static AditTensor *
find_inside(AditCutout *self, AditTensor *centre, gsize n, const AditShape *shape)
{
    AditGraph *graph = adit_tensor_get_graph(centre);
    g_autofree double *numbers = g_new(double, n);
    AditTensor *begin =
        adit_reshape(adit_offset(centre, -(double) (self->size / 2)), &ADIT_SHAPE(1, 1));
    AditTensor *distance = NULL;

    for (gsize i = 0; i < n; i++)
        numbers[i] = (double) i;
    distance = adit_sub(adit_constant_array(graph, shape, numbers), begin);
    return adit_mul(adit_greater_equal(distance, adit_constant(graph, 0)),
                    adit_less(distance, adit_constant(graph, (double) self->size)));
}

/* DeVries and Taylor 2017, section 3: the centre is any pixel, so that the square may stand out. */
static AditTensor *
build(AditBlock *block, AditGraph *graph, AditTensor *x)
{
    AditCutout *self = CUTOUT(block);
    AditShape shape = *adit_tensor_get_shape(x);
    AditTensor *inside[2];

    x = adit_block_expect_image(block, x, "reshape");
    if (adit_tensor_has_failed(x))
        return x;
    if (adit_graph_get_mode(graph) == ADIT_MODE_EVALUATION)
        return x;
    for (guint i = 0; i < 2; i++) {
        gsize n = shape.size[i + 1];
        AditTensor *uniform = adit_noise_uniform(graph, i == 0 ? "line" : "column", &ADIT_SHAPE(1));
        /* the product may be rounded up to n */
        AditTensor *centre = adit_min(adit_floor(adit_scale(uniform, (double) n)),
                                      adit_constant(graph, (double) n - 1));

        inside[i] = find_inside(self, centre, n, i == 0 ? &ADIT_SHAPE(n, 1) : &ADIT_SHAPE(1, n));
    }
    return adit_select(adit_mul(inside[0], inside[1]), adit_constant(graph, 0), x);
}

static void
adit_cutout_class_init(AditComponentClass *klass)
{
    ADIT_BLOCK_CLASS(klass)->build = build;
    adit_component_class_describe(klass, "cutout",
                                  "Zeroes a square of images at random while training");
    adit_component_class_add_int(klass, "size", "Side of the square in pixels", 1, 65536, 16,
                                 ADIT_FIELD(AditCutout, size, gint64));
}

ADIT_PLUGIN("cutout", "1.0", "MIT", ADIT_TYPES(adit_cutout_get_type))
