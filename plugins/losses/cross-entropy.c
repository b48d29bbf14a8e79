/* plugins/losses/cross-entropy.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditCrossEntropy {
    AditLoss parent_instance;
};
ADIT_DEFINE_LOSS(AditCrossEntropy, adit_cross_entropy_loss, ADIT_CROSS_ENTROPY)

static AditTensor *
build(AditLoss *loss, AditGraph *graph, AditTensor *outputs, AditTensor *targets)
{
    return adit_cross_entropy(adit_loss_match_classes(loss, graph, outputs, targets), targets);
}

static AditTensor *
accuracy(AditLoss *loss, AditGraph *graph, AditTensor *outputs, AditTensor *targets)
{
    outputs = adit_loss_match_classes(loss, graph, outputs, targets);
    return adit_equal(adit_reduce(outputs, ADIT_REDUCE_ARGMAX, (int[]){-1}, 1), targets);
}

static AditTensor *
predict(AditLoss *loss, AditGraph *graph, AditTensor *outputs)
{
    return adit_softmax(outputs);
}

static void
adit_cross_entropy_loss_class_init(AditComponentClass *klass)
{
    ADIT_LOSS_CLASS(klass)->build = build;
    ADIT_LOSS_CLASS(klass)->metric = accuracy;
    ADIT_LOSS_CLASS(klass)->metric_name = "accuracy";
    ADIT_LOSS_CLASS(klass)->metric_rises = TRUE;
    ADIT_LOSS_CLASS(klass)->predict = predict;
    adit_component_class_describe(klass, "cross-entropy",
                                  "Negative log-likelihood of the class by the logits' softmax");
}

ADIT_PLUGIN("cross-entropy", "1.0", "MIT", ADIT_TYPES(adit_cross_entropy_loss_get_type))
