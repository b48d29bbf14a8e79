/* plugins/blocks/attention.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>
#include <math.h>

struct _AditAttention {
    AditBlock parent_instance;
    gint64 heads;
    gboolean bias;
    double dropout;
    AditInitializer *initializer;
};
ADIT_DEFINE_BLOCK(AditAttention, adit_attention_block, ADIT_ATTENTION)

/* An affine map of each token, with parameters @name.weight and @name.bias. */
static AditTensor *
project(AditAttention *self, AditTensor *x, const char *name)
{
    AditGraph *graph = adit_tensor_get_graph(x);
    gsize width = adit_tensor_get_width(x);
    g_autofree char *weight_name = g_strconcat(name, ".weight", NULL);
    g_autofree char *bias_name = g_strconcat(name, ".bias", NULL);
    AditTensor *weight = adit_parameter(graph, weight_name, ADIT_ROLE_WEIGHT,
                                        &ADIT_SHAPE(width, width), self->initializer);
    AditTensor *y = adit_matmul(x, weight, FALSE);

    return self->bias ? adit_add(y, adit_parameter_filled(graph, bias_name, ADIT_ROLE_BIAS,
                                                          &ADIT_SHAPE(width), 0))
                      : y;
}

static AditTensor *
build(AditBlock *block, AditGraph *graph, AditTensor *x)
{
    AditAttention *self = ADIT_ATTENTION(block);
    AditShape shape = *adit_tensor_get_shape(x);
    AditTensor *query, *key, *value, *y;

    x = adit_block_expect_tokens(block, x, "patch-embed");
    if (adit_tensor_has_failed(x))
        return x;
    if (shape.size[1] % (gsize) self->heads != 0)
        return adit_graph_fail(graph,
                               "'heads' must divide the width, got %" G_GINT64_FORMAT
                               " heads for a width of %" G_GSIZE_FORMAT,
                               self->heads, shape.size[1]);
    query = project(self, x, "query");
    key = project(self, x, "key");
    value = project(self, x, "value");
    /* the scale belongs to the scores; of the query there is less */
    query = adit_scale(query, sqrt((double) self->heads / (double) shape.size[1]));
    y = adit_attention(query, key, value, (gsize) self->heads, self->dropout, "dropout");
    return adit_tap(project(self, y, "output"), "linear");
}

static void
adit_attention_block_class_init(AditComponentClass *klass)
{
    ADIT_BLOCK_CLASS(klass)->build = build;
    /* Vaswani et al. 2017, equation 1 and section 3.2.2 */
    adit_component_class_describe(
        klass, "attention",
        "Multi-head self-attention: matrices query, key, value and output, each width x width");
    adit_component_class_set_example(klass, "{attention: {heads: 2}}");
    adit_component_class_add_int(klass, "heads", "Parts of the width that attend separately", 1,
                                 65536, 1, ADIT_FIELD(AditAttention, heads, gint64));
    adit_component_class_add_boolean(klass, "bias", "Whether each matrix has a bias", TRUE,
                                     ADIT_FIELD(AditAttention, bias, gboolean));
    adit_component_class_add_number(klass, "dropout", "Share of the attention that is zeroed", 0,
                                    0.999, 0, ADIT_FIELD(AditAttention, dropout, double));
    adit_component_class_add_reference(klass, "initializer", "Of the matrices; else the model's",
                                       ADIT_TYPE_INITIALIZER,
                                       ADIT_FIELD(AditAttention, initializer, AditInitializer *));
}

ADIT_PLUGIN("attention", "1.0", "MIT", ADIT_TYPES(adit_attention_block_get_type))
