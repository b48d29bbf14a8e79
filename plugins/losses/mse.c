/* plugins/losses/mse.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditMse {
    AditLoss parent_instance;
};
ADIT_DEFINE_LOSS(AditMse, adit_mse, ADIT_MSE)

static AditTensor *
build(AditLoss *loss, AditGraph *graph, AditTensor *outputs, AditTensor *targets)
{
    targets = adit_loss_match_values(loss, graph, outputs, targets);
    return adit_mean(adit_square(adit_sub(outputs, targets)));
}

static void
adit_mse_class_init(AditComponentClass *klass)
{
    ADIT_LOSS_CLASS(klass)->build = build;
    ADIT_LOSS_CLASS(klass)->metric_name = "mse";
    adit_component_class_describe(klass, "mse", "Mean of the squared errors");
}

ADIT_PLUGIN("mse", "1.0", "MIT", ADIT_TYPES(adit_mse_get_type))
