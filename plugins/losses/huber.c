/* plugins/losses/huber.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditHuber {
    AditLoss parent_instance;
    double delta;
};
ADIT_DEFINE_LOSS(AditHuber, adit_huber, ADIT_HUBER)

/* e^2 / 2 up to delta, then delta (|e| - delta / 2): Huber, "Robust estimation of a location
 * parameter", 1964. */
static AditTensor *
build(AditLoss *loss, AditGraph *graph, AditTensor *outputs, AditTensor *targets)
{
    double delta = ADIT_HUBER(loss)->delta;
    AditTensor *limit = adit_constant(graph, delta);

    targets = adit_loss_match_values(loss, graph, outputs, targets);
    AditTensor *error = adit_abs(adit_sub(outputs, targets));
    AditTensor *square = adit_scale(adit_square(error), 0.5);
    AditTensor *line = adit_scale(adit_offset(error, -0.5 * delta), delta);
    return adit_mean(adit_select(adit_less_equal(error, limit), square, line));
}

static AditTensor *
squared_error(AditLoss *self, AditGraph *graph, AditTensor *outputs, AditTensor *targets)
{
    targets = adit_loss_match_values(self, graph, outputs, targets);
    return adit_mean(adit_square(adit_sub(outputs, targets)));
}

static void
adit_huber_class_init(AditComponentClass *klass)
{
    ADIT_LOSS_CLASS(klass)->build = build;
    ADIT_LOSS_CLASS(klass)->metric = squared_error;
    ADIT_LOSS_CLASS(klass)->metric_name = "mse";
    adit_component_class_describe(klass, "huber", "Squared errors that go on in straight lines");
    adit_component_class_add_number(klass, "delta", "Error from which the lines go on", 1e-6, 1e6,
                                    1, ADIT_FIELD(AditHuber, delta, double));
}

ADIT_PLUGIN("huber", "1.0", "MIT", ADIT_TYPES(adit_huber_get_type))
