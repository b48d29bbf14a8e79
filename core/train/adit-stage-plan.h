/* core/train/adit-stage-plan.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-cut.h"
#include "adit-experiment.h"
#include "adit-plan.h"

G_BEGIN_DECLS

/**
 * AditStagePlan: the plan of a stage's strategy for its network.
 * @ends: (element-type utf8): address of the item with which segment i ends; of segments between
 *   exits the last has none
 * @all_ends: (element-type utf8): a set of them
 */
typedef struct {
    AditPlan *plan;
    GPtrArray *ends;
    GHashTable *all_ends;
} AditStagePlan;

/* @graph: the network, built in any way. NULL: the strategy does not fit it, which @diagnostics is
 * told. */
AditStagePlan *adit_stage_plan_new(const AditExperiment *experiment, const AditStage *stage,
                                   AditGraph *graph, AditDiagnostics *diagnostics);
void adit_stage_plan_free(AditStagePlan *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditStagePlan, adit_stage_plan_free)

/* Where the network is taken apart for a piece. @cut: as adit_cut_init() left it; borrows the plan
 */
void adit_stage_plan_cut(const AditStagePlan *self, guint piece, AditCut *cut);
/* How fast instance @instance of @parameter learns. */
AditSegmentRate adit_stage_plan_get_rate(const AditStagePlan *self, const AditTensor *parameter,
                                         guint instance);

G_END_DECLS
