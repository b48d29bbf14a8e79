/* plugins/losses/squared-hinge.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditSquaredHinge {
    AditLoss parent_instance;
};
ADIT_DEFINE_LOSS(AditSquaredHinge, adit_squared_hinge, ADIT_SQUARED_HINGE)

/* Two classes may have one output, whose sign is the class. */
static gboolean
is_binary(AditTensor *outputs, AditTensor *targets)
{
    return adit_tensor_get_classes(targets) == 2 &&
           adit_shape_count(adit_tensor_get_shape(outputs)) == 1;
}

/* The mean of max(0, 1 - t y)^2 over the outputs y, each against the rest: t is 1 for the class, -1
 * for the others. Crammer and Singer's form is another. */
static AditTensor *
build(AditLoss *loss, AditGraph *graph, AditTensor *outputs, AditTensor *targets)
{
    AditTensor *hot;

    if (is_binary(outputs, targets)) {
        hot = targets;
        outputs = adit_reshape(outputs, &ADIT_SCALAR);
    } else {
        outputs = adit_loss_match_classes(loss, graph, outputs, targets);
        hot = adit_one_hot(targets, adit_tensor_get_classes(targets));
    }
    AditTensor *sign = adit_offset(adit_scale(hot, 2.0), -1.0);
    AditTensor *margin = adit_offset(adit_neg(adit_mul(sign, outputs)), 1.0);
    return adit_mean(adit_square(adit_relu(margin)));
}

static AditTensor *
accuracy(AditLoss *loss, AditGraph *graph, AditTensor *outputs, AditTensor *targets)
{
    AditTensor *guess;

    if (is_binary(outputs, targets)) {
        outputs = adit_reshape(outputs, &ADIT_SCALAR);
        guess = adit_greater(outputs, adit_constant(graph, 0.0));
    } else {
        outputs = adit_loss_match_classes(loss, graph, outputs, targets);
        guess = adit_reduce(outputs, ADIT_REDUCE_ARGMAX, (int[]){-1}, 1);
    }
    return adit_equal(guess, targets);
}

static void
adit_squared_hinge_class_init(AditComponentClass *klass)
{
    ADIT_LOSS_CLASS(klass)->build = build;
    ADIT_LOSS_CLASS(klass)->metric = accuracy;
    ADIT_LOSS_CLASS(klass)->metric_name = "accuracy";
    ADIT_LOSS_CLASS(klass)->metric_rises = TRUE;
    adit_component_class_describe(klass, "squared-hinge",
                                  "Squared margin violations, each class against the rest");
}

ADIT_PLUGIN("squared-hinge", "1.0", "MIT", ADIT_TYPES(adit_squared_hinge_get_type))
