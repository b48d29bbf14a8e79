/* core/adit/adit-strategy.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-component.h>

G_BEGIN_DECLS

/**
 * AditStrategy: how a stage trains, as a list of stages carried out by the core.
 */
#define ADIT_TYPE_STRATEGY (adit_strategy_get_type())
G_DECLARE_DERIVABLE_TYPE(AditStrategy, adit_strategy, ADIT, STRATEGY, AditComponent)

/**
 * AditPlan: one stage as data.
 * @exit_weights: (array length=n_exits): factor of each exit's loss, set to 0 on entry
 * @final_weight: factor of the last answer's loss, 1 on entry
 */
typedef struct {
    guint n_exits;
    double *exit_weights;
    double final_weight;
} AditPlan;

/**
 * AditStrategyClass:
 * @plan: fills @plan; ADIT_ERROR_INVALID when the parameters do not fit the exits
 */
struct _AditStrategyClass {
    AditComponentClass parent_class;

    gboolean (*plan)(AditStrategy *self, AditPlan *plan, GError **error);

    gpointer padding[7];
};

#define ADIT_DEFINE_STRATEGY(TypeName, type_name, CAST)                                            \
    ADIT_DEFINE_COMPONENT(TypeName, type_name, CAST, ADIT_TYPE_STRATEGY)

G_END_DECLS
