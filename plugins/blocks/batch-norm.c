/* plugins/blocks/batch-norm.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditBatchNorm {
    AditBlock parent_instance;
    double momentum;
    double epsilon;
};
ADIT_DEFINE_BLOCK(AditBatchNorm, adit_batch_norm, ADIT_BATCH_NORM)

/* Moves a running statistic towards row @row of the batch's moments. */
static void
follow(AditTensor *statistic, AditTensor *moments, gsize row, double momentum)
{
    AditTensor *seen =
        adit_reshape(adit_slice(moments, 0, row, row + 1, 1), adit_tensor_get_shape(statistic));

    adit_state_update(statistic,
                      adit_add(adit_scale(statistic, momentum), adit_scale(seen, 1.0 - momentum)));
}

/* Statistics of the batch in training, running ones in evaluation: Ioffe, Szegedy, "Batch
 * normalization", ICML 2015, algorithms 1 and 2, with the biased variance in both as in Keras. */
static AditTensor *
build(AditBlock *block, AditGraph *graph, AditTensor *x)
{
    AditBatchNorm *self = ADIT_BATCH_NORM(block);
    const AditShape *shape = adit_tensor_get_shape(x);

    if (shape->rank == 0 && !adit_tensor_has_failed(x))
        return adit_graph_fail(graph, "'batch-norm' takes a vector or an image, got a number");

    int axis = shape->rank == 3 ? 0 : -1; /* channels come first in images */
    gsize channels = axis == 0 ? shape->size[0] : adit_tensor_get_width(x);
    AditShape row = ADIT_SHAPE(1, channels);
    AditTensor *scale =
        adit_parameter_filled(graph, "scale", ADIT_ROLE_NORM, &ADIT_SHAPE(channels), 1.0);
    AditTensor *shift =
        adit_parameter_filled(graph, "shift", ADIT_ROLE_NORM, &ADIT_SHAPE(channels), 0.0);
    AditTensor *mean = adit_state(graph, "mean", &ADIT_SHAPE(channels), 0.0);
    AditTensor *variance = adit_state(graph, "variance", &ADIT_SHAPE(channels), 1.0);
    AditTensor *moments;

    if (adit_graph_get_mode(graph) == ADIT_MODE_TRAINING) {
        moments = adit_moments(x, axis);
        follow(mean, moments, 0, self->momentum);
        follow(variance, moments, 1, self->momentum);
    } else {
        moments = adit_concat(
            (AditTensor *[]){adit_reshape(mean, &row), adit_reshape(variance, &row)}, 2, 0);
    }
    return adit_normalize(x, moments, scale, shift, axis, self->epsilon);
}

static void
adit_batch_norm_class_init(AditComponentClass *klass)
{
    ADIT_BLOCK_CLASS(klass)->build = build;
    ADIT_BLOCK_CLASS(klass)->normalizes = TRUE;
    adit_component_class_describe(klass, "batch-norm",
                                  "Mean 0 and variance 1 of each channel over the batch");
    adit_component_class_add_number(klass, "momentum",
                                    "Share of the running statistics that is kept", 0, 1, 0.99,
                                    ADIT_FIELD(AditBatchNorm, momentum, double));
    adit_component_class_add_number(klass, "epsilon", "Added to the variance", 0, 1, 1e-3,
                                    ADIT_FIELD(AditBatchNorm, epsilon, double));
}

ADIT_PLUGIN("batch-norm", "1.0", "MIT", ADIT_TYPES(adit_batch_norm_get_type))
