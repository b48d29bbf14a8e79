/* plugins/blocks/patch-embed.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditPatchEmbed {
    AditBlock parent_instance;
    gint64 patch;
    gint64 width;
    gboolean bias;
    AditInitializer *initializer;
    AditInitializer *bias_initializer;
};
ADIT_DEFINE_BLOCK(AditPatchEmbed, adit_patch_embed_block, ADIT_PATCH_EMBED)

/* An image's patches, line by line, each as a vector of channel x height x width. */
static AditTensor *
cut(AditTensor *x, gsize patch)
{
    const gsize *size = adit_tensor_get_shape(x)->size;
    gsize channels = size[0], down = size[1] / patch, across = size[2] / patch;
    AditShape patches = ADIT_SHAPE(channels, down, patch, across, patch);
    AditShape tokens = ADIT_SHAPE(down * across, channels * patch * patch);

    x = adit_transpose(adit_reshape(x, &patches), (int[]){1, 3, 0, 2, 4});
    return adit_reshape(x, &tokens);
}

static AditTensor *
build(AditBlock *block, AditGraph *graph, AditTensor *x)
{
    AditPatchEmbed *self = ADIT_PATCH_EMBED(block);
    const AditShape *shape = adit_tensor_get_shape(x);
    g_autofree char *got = adit_shape_to_string(shape);
    gsize patch = (gsize) self->patch;

    if (adit_tensor_has_failed(x))
        return x;
    if (shape->rank != 3)
        return adit_graph_fail(graph, "'patch-embed' takes channels x height x width, got %s", got);
    if (shape->size[1] % patch != 0 || shape->size[2] % patch != 0)
        return adit_graph_fail(
            graph, "'patch' must divide height and width, got %" G_GINT64_FORMAT " for %s",
            self->patch, got);
    return adit_dense(cut(x, patch), (gsize) self->width, self->bias, self->initializer,
                      self->bias_initializer, "");
}

static void
adit_patch_embed_block_class_init(AditComponentClass *klass)
{
    ADIT_BLOCK_CLASS(klass)->build = build;
    /* Dosovitskiy et al. 2021, equation 1 */
    adit_component_class_describe(klass, "patch-embed",
                                  "An affine map of each patch of an image to a token");
    adit_component_class_set_example(klass, "{patch-embed: {patch: 1, width: 3}}");
    adit_component_class_add_int(klass, "patch", "Height and width of a patch", 1, 65536, 16,
                                 ADIT_FIELD(AditPatchEmbed, patch, gint64));
    adit_component_class_require(klass, "patch");
    adit_component_class_add_int(klass, "width", "Numbers of a token", 1, 1000000, 1,
                                 ADIT_FIELD(AditPatchEmbed, width, gint64));
    adit_component_class_require(klass, "width");
    adit_component_class_add_boolean(klass, "bias", "Whether a trained number is added to each",
                                     TRUE, ADIT_FIELD(AditPatchEmbed, bias, gboolean));
    adit_component_class_add_reference(klass, "initializer", "Of the weights; else the model's",
                                       ADIT_TYPE_INITIALIZER,
                                       ADIT_FIELD(AditPatchEmbed, initializer, AditInitializer *));
    adit_component_class_add_reference(
        klass, "bias-initializer", "Of the biases, with the fans of the weights; else zeros",
        ADIT_TYPE_INITIALIZER, ADIT_FIELD(AditPatchEmbed, bias_initializer, AditInitializer *));
}

ADIT_PLUGIN("patch-embed", "1.0", "MIT", ADIT_TYPES(adit_patch_embed_block_get_type))
