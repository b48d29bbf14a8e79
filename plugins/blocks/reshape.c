/* plugins/blocks/reshape.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditReshape {
    AditBlock parent_instance;
    GArray *shape;
};
ADIT_DEFINE_BLOCK(AditReshape, adit_reshape_block, ADIT_RESHAPE)

static AditShape
get_shape(AditReshape *self)
{
    AditShape shape = {.rank = self->shape->len};

    for (guint i = 0; i < shape.rank; i++)
        shape.size[i] = (gsize) g_array_index(self->shape, double, i);
    return shape;
}

static AditTensor *
build(AditBlock *block, AditGraph *graph, AditTensor *x)
{
    AditShape shape = get_shape(ADIT_RESHAPE(block));
    g_autofree char *expected = adit_shape_to_string(&shape);
    g_autofree char *got = adit_shape_to_string(adit_tensor_get_shape(x));

    if (!adit_tensor_has_failed(x) &&
        adit_shape_count(&shape) != adit_shape_count(adit_tensor_get_shape(x)))
        return adit_graph_fail(graph, "'reshape' cannot make %s of %s; the numbers differ",
                               expected, got);
    return adit_reshape(x, &shape);
}

static gboolean
check(AditComponent *component, GError **error)
{
    guint rank = ADIT_RESHAPE(component)->shape->len;

    if (rank >= 1 && rank <= ADIT_MAX_RANK)
        return TRUE;
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID, "'shape' must have 1..%d sizes, got %u",
                ADIT_MAX_RANK, rank);
    return FALSE;
}

static void
adit_reshape_block_class_init(AditComponentClass *klass)
{
    klass->check = check;
    ADIT_BLOCK_CLASS(klass)->build = build;
    adit_component_class_describe(klass, "reshape", "The same numbers in another shape");
    adit_component_class_set_example(klass, "{reshape: {shape: [2, 2, 1]}}");
    adit_component_class_add_numbers(klass, "shape", "Sizes along the axes, without the batch",
                                     TRUE, 1, 1e9, ADIT_FIELD(AditReshape, shape, GArray *));
    adit_component_class_require(klass, "shape");
}

ADIT_PLUGIN("reshape", "1.0", "MIT", ADIT_TYPES(adit_reshape_block_get_type))
