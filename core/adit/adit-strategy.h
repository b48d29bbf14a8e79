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
 * @ramp_from: the exits' weights c grow with the share e/E of the stage that is done, as
 *   min(c, ramp_from + c e/E); negative, as on entry: they are c from the start
 */
typedef struct {
    guint n_exits;
    double *exit_weights;
    double final_weight;
    double ramp_from;
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
