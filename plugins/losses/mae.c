/* plugins/losses/mae.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditMae {
    AditLoss parent_instance;
};
ADIT_DEFINE_LOSS(AditMae, adit_mae, ADIT_MAE)

static AditTensor *
build(AditLoss *loss, AditGraph *graph, AditTensor *outputs, AditTensor *targets)
{
    targets = adit_loss_match_values(loss, graph, outputs, targets);
    return adit_mean(adit_abs(adit_sub(outputs, targets)));
}

static AditTensor *
squared_error(AditLoss *self, AditGraph *graph, AditTensor *outputs, AditTensor *targets)
{
    targets = adit_loss_match_values(self, graph, outputs, targets);
    return adit_mean(adit_square(adit_sub(outputs, targets)));
}

static void
adit_mae_class_init(AditComponentClass *klass)
{
    ADIT_LOSS_CLASS(klass)->build = build;
    ADIT_LOSS_CLASS(klass)->metric = squared_error;
    ADIT_LOSS_CLASS(klass)->metric_name = "mse";
    adit_component_class_describe(klass, "mae", "Mean of the absolute errors");
}

ADIT_PLUGIN("mae", "1.0", "MIT", ADIT_TYPES(adit_mae_get_type))
