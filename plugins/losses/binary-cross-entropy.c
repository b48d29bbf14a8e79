/* plugins/losses/binary-cross-entropy.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditBinaryCrossEntropy {
    AditLoss parent_instance;
};
ADIT_DEFINE_LOSS(AditBinaryCrossEntropy, adit_binary_cross_entropy, ADIT_BINARY_CROSS_ENTROPY)

/* The one logit as a scalar. */
static AditTensor *
get_logit(AditGraph *graph, AditTensor *outputs)
{
    const AditShape *shape = adit_tensor_get_shape(outputs);
    g_autofree char *got = adit_shape_to_string(shape);

    if (adit_shape_count(shape) != 1)
        return adit_graph_fail(graph, "'binary-cross-entropy' needs 1 logit, but the head gives %s",
                               got);
    return adit_reshape(outputs, &ADIT_SCALAR);
}

/* The target, 0 or 1, as a scalar. */
static AditTensor *
get_target(AditGraph *graph, AditTensor *targets)
{
    const AditShape *shape = adit_tensor_get_shape(targets);
    guint classes = adit_tensor_get_classes(targets);
    g_autofree char *got = adit_shape_to_string(shape);

    if (classes > 2)
        return adit_graph_fail(graph, "'binary-cross-entropy' needs 2 classes, but the data has %u",
                               classes);
    if (adit_shape_count(shape) != 1)
        return adit_graph_fail(
            graph, "'binary-cross-entropy' needs 1 target for each sample, but the data has %s",
            got);
    return adit_reshape(targets, &ADIT_SCALAR);
}

/* -t log s(z) - (1 - t) log(1 - s(z)) = softplus(z) - t z, which does not overflow. */
static AditTensor *
build(AditLoss *loss, AditGraph *graph, AditTensor *outputs, AditTensor *targets)
{
    AditTensor *logit = get_logit(graph, outputs);

    return adit_sub(adit_softplus(logit), adit_mul(get_target(graph, targets), logit));
}

static AditTensor *
accuracy(AditLoss *loss, AditGraph *graph, AditTensor *outputs, AditTensor *targets)
{
    AditTensor *positive = adit_greater(get_logit(graph, outputs), adit_constant(graph, 0.0));

    return adit_equal(positive, get_target(graph, targets));
}

static AditTensor *
predict(AditLoss *loss, AditGraph *graph, AditTensor *outputs)
{
    return adit_sigmoid(outputs);
}

static void
adit_binary_cross_entropy_class_init(AditComponentClass *klass)
{
    ADIT_LOSS_CLASS(klass)->build = build;
    ADIT_LOSS_CLASS(klass)->metric = accuracy;
    ADIT_LOSS_CLASS(klass)->metric_name = "accuracy";
    ADIT_LOSS_CLASS(klass)->metric_rises = TRUE;
    ADIT_LOSS_CLASS(klass)->predict = predict;
    adit_component_class_describe(klass, "binary-cross-entropy",
                                  "Negative log-likelihood of one of two classes by one logit");
}

ADIT_PLUGIN("binary-cross-entropy", "1.0", "MIT", ADIT_TYPES(adit_binary_cross_entropy_get_type))
