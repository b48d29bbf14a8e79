/* core/adit/adit-optimizer.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-component.h>

G_BEGIN_DECLS

#define ADIT_MAX_SLOTS 4

/**
 * AditOptimizer: a pointwise update of every trained number from its gradient.
 *
 * The update is written once, in graph operations on scalars, and carried out for all parameters.
 */
#define ADIT_TYPE_OPTIMIZER (adit_optimizer_get_type())
G_DECLARE_DERIVABLE_TYPE(AditOptimizer, adit_optimizer, ADIT, OPTIMIZER, AditComponent)

/**
 * AditUpdate: one trained number.
 * @value: in: its value; set it to the new one
 * @gradient: the loss's gradient, regularizers included
 * @factor: the factor on the learning rate of the group the parameter is in (`rates`); 1 by default
 * @step: number of this update, 1 for the first (a stage starts its own count)
 * @slots: in: what was kept (0 at first); set each to what is kept for the next step
 */
typedef struct {
    AditTensor *value;
    AditTensor *gradient;
    AditTensor *factor;
    AditTensor *step;
    AditTensor *slots[ADIT_MAX_SLOTS];
} AditUpdate;

/**
 * AditOptimizerClass:
 * @count_slots: how many numbers are kept for each parameter, at most ADIT_MAX_SLOTS; NULL: none
 * @update: replaces @update's value and slots; pointwise operations only
 */
struct _AditOptimizerClass {
    AditComponentClass parent_class;

    guint (*count_slots)(AditOptimizer *self);
    void (*update)(AditOptimizer *self, AditGraph *graph, AditUpdate *update);

    gpointer padding[6];
};

#define ADIT_DEFINE_OPTIMIZER(TypeName, type_name, CAST)                                           \
    ADIT_DEFINE_COMPONENT(TypeName, type_name, CAST, ADIT_TYPE_OPTIMIZER)

G_END_DECLS
