/* core/adit/adit-loss.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-component.h>

G_BEGIN_DECLS

/**
 * AditLoss: outputs and targets -> a loss for every row. The step minimises its mean over the
 * batch.
 */
#define ADIT_TYPE_LOSS (adit_loss_get_type())
G_DECLARE_DERIVABLE_TYPE(AditLoss, adit_loss, ADIT, LOSS, AditComponent)

/**
 * AditLossClass:
 * @build: a scalar for every row. @targets are values, or class numbers (a scalar a row, with
 *   adit_tensor_get_classes()). Outputs that do not fit fail the graph.
 * @metric: the loss's measure, a scalar for every row, averaged over a set: NULL: the loss itself
 * @metric_name: "mse", "accuracy"
 * @metric_rises: whether more is better
 * @predict: (nullable): what `adit predict` writes from the outputs; NULL: the outputs
 */
struct _AditLossClass {
    AditComponentClass parent_class;

    AditTensor *(*build)(AditLoss *self, AditGraph *graph, AditTensor *outputs,
                         AditTensor *targets);
    AditTensor *(*metric)(AditLoss *self, AditGraph *graph, AditTensor *outputs,
                          AditTensor *targets);
    const char *metric_name;
    gboolean metric_rises;
    AditTensor *(*predict)(AditLoss *self, AditGraph *graph, AditTensor *outputs);

    gpointer padding[5];
};

/* @targets in the shape of @outputs, for a loss of values; fails the graph when the data has
 * classes or other sizes. */
AditTensor *adit_loss_match_values(AditLoss *self, AditGraph *graph, AditTensor *outputs,
                                   AditTensor *targets);
/* @outputs, when they are one logit for each of the data's classes; else fails the graph. */
AditTensor *adit_loss_match_classes(AditLoss *self, AditGraph *graph, AditTensor *outputs,
                                    AditTensor *targets);

#define ADIT_DEFINE_LOSS(TypeName, type_name, CAST)                                                \
    ADIT_DEFINE_COMPONENT(TypeName, type_name, CAST, ADIT_TYPE_LOSS)

G_END_DECLS
