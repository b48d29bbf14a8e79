/* plugins/blocks/dense.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>
#include <math.h>

struct _AditDense {
    AditBlock parent_instance;
    AditAmount units;
    gboolean bias;
    AditBlock *norm;
    AditBlock *activation;
    int order;
    AditInitializer *initializer;
    AditInitializer *bias_initializer;
};
ADIT_DEFINE_BLOCK(AditDense, adit_dense_block, ADIT_DENSE)

enum { ORDER_POST, ORDER_PRE };

/* Number of outputs for inputs of @width; 0: not whole. */
static gsize
count_units(AditDense *self, gsize width)
{
    double units = self->units.value;

    if (self->units.unit == ADIT_UNIT_PERCENT)
        units *= (double) width;
    return fabs(units - round(units)) < 1e-6 ? (gsize) round(units) : 0;
}

static AditTensor *
apply_affine(AditDense *self, AditGraph *graph, AditTensor *x)
{
    const AditShape *shape = adit_tensor_get_shape(x);
    gsize width = adit_tensor_get_width(x);
    gsize units = count_units(self, width);

    if (adit_tensor_has_failed(x))
        return x;
    if (shape->rank < 1 || shape->rank > 2) {
        g_autofree char *got = adit_shape_to_string(shape);
        return adit_graph_fail(
            graph, "'dense' takes a vector, got %s; put 'flatten' or 'global-pool' before it", got);
    }
    if (units == 0)
        return adit_graph_fail(graph, "'units' must come out whole, got %g%% of %zu",
                               100.0 * self->units.value, width);
    return adit_dense(x, units, self->bias, self->initializer, self->bias_initializer, "");
}

static AditTensor *
build(AditBlock *block, AditGraph *graph, AditTensor *x)
{
    AditDense *self = ADIT_DENSE(block);

    if (self->order == ORDER_POST)
        x = apply_affine(self, graph, x);
    x = adit_block_build(self->norm, graph, x);
    x = adit_block_build(self->activation, graph, x);
    if (self->order == ORDER_PRE)
        x = apply_affine(self, graph, x);
    return x;
}

static void
adit_dense_block_class_init(AditComponentClass *klass)
{
    static const char *const orders[] = {"post", "pre", NULL};

    ADIT_BLOCK_CLASS(klass)->build = build;
    adit_component_class_describe(klass, "dense",
                                  "Affine map of a vector, or of each token, with its neighbours");
    adit_component_class_set_example(klass, "{dense: {units: 4, activation: relu}}");
    adit_component_class_add_amount(klass, "units", "Outputs", ADIT_FORM_WIDTH, 1, 1e9,
                                    (AditAmount){.value = 1.0},
                                    ADIT_FIELD(AditDense, units, AditAmount));
    adit_component_class_require(klass, "units");
    adit_component_class_add_boolean(klass, "bias", "Whether a trained number is added to each",
                                     TRUE, ADIT_FIELD(AditDense, bias, gboolean));
    adit_component_class_add_reference(klass, "norm", "Normalisation", ADIT_TYPE_BLOCK,
                                       ADIT_FIELD(AditDense, norm, AditBlock *));
    adit_component_class_add_reference(klass, "activation", "Activation", ADIT_TYPE_BLOCK,
                                       ADIT_FIELD(AditDense, activation, AditBlock *));
    adit_component_class_add_choice(klass, "order",
                                    "post: affine, norm, activation; pre: norm, activation, affine",
                                    orders, ORDER_POST, ADIT_FIELD(AditDense, order, int));
    adit_component_class_add_reference(klass, "initializer", "Of the weights; else the model's",
                                       ADIT_TYPE_INITIALIZER,
                                       ADIT_FIELD(AditDense, initializer, AditInitializer *));
    adit_component_class_add_reference(
        klass, "bias-initializer", "Of the biases, with the fans of the weights; else zeros",
        ADIT_TYPE_INITIALIZER, ADIT_FIELD(AditDense, bias_initializer, AditInitializer *));
}

ADIT_PLUGIN("dense", "1.0", "MIT", ADIT_TYPES(adit_dense_block_get_type))
