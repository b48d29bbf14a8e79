/* core/train/adit-stage-plan.c - SPDX-License-Identifier: MIT */
#include "adit-stage-plan.h"

#include "adit-component-private.h"
#include "adit-selection.h"

#include <string.h>

/* ---- where segments end ---- */

/* (nullable): the item that ends where the exit is: the shortest address of those that made what it
 * reads. */
static char *
find_end(const AditGraph *graph, const AditPick *exit)
{
    const AditTensor *source = adit_graph_find_exit_input(graph, exit);
    char *end = NULL;

    for (guint i = 0; i < graph->taps->len; i++) {
        const AditTap *tap = &g_array_index(graph->taps, AditTap, i);

        if (tap->tensor != source || adit_scope_is_of_exit(tap->scope) ||
            g_str_equal(tap->port, "in"))
            continue;
        g_autofree char *address = adit_scope_to_string(tap->scope, exit->instance);

        if (end != NULL && strlen(end) <= strlen(address))
            continue;
        g_free(end);
        end = g_steal_pointer(&address);
    }
    return end;
}

static GPtrArray *
list_exit_ends(AditGraph *graph)
{
    GPtrArray *ends = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GArray) exits = adit_graph_pick(graph, ADIT_EXITS_ROOT ".*");

    for (guint i = 0; i < exits->len; i++) {
        char *end = find_end(graph, &g_array_index(exits, AditPick, i));

        /* what comes in before the first block */
        g_ptr_array_add(ends, end != NULL ? end : g_strdup("input"));
    }
    return ends;
}

static gboolean
has_parameters(const AditGraph *graph, const char *address)
{
    for (guint i = 0; i < graph->tensors->len; i++) {
        const AditTensor *tensor = graph->tensors->pdata[i];

        if (tensor->kind == ADIT_TENSOR_PARAMETER && adit_parameter_is_at(tensor, 0, address))
            return TRUE;
    }
    return FALSE;
}

static GPtrArray *
list_block_ends(AditGraph *graph)
{
    GPtrArray *ends = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GArray) blocks = adit_graph_pick(graph, "trunk.*:collect");

    if (has_parameters(graph, "stem"))
        g_ptr_array_add(ends, g_strdup("stem"));
    for (guint i = 0; i < blocks->len; i++) {
        const AditPick *pick = &g_array_index(blocks, AditPick, i);
        const AditScope *scope = g_array_index(graph->taps, AditTap, pick->order).scope;

        g_ptr_array_add(ends, adit_scope_to_string(scope, pick->instance));
    }
    if (blocks->len == 0)
        g_ptr_array_add(ends, g_strdup("trunk"));
    return ends;
}

/* ---- the plan ---- */

/* Where the numbers are that do not fit. */
static const AditPlace *
find_numbers(const AditExperiment *experiment, AditComponent *strategy)
{
    g_autoptr(GPtrArray) parameters =
        adit_component_class_list_parameters(ADIT_COMPONENT_GET_CLASS(strategy));

    for (guint i = 0; i < parameters->len; i++) {
        const AditParameter *parameter = parameters->pdata[i];
        const AditPlace *place =
            parameter->type == ADIT_PARAMETER_NUMBERS
                ? adit_experiment_find_place(experiment, strategy, parameter->name, 0)
                : NULL;

        if (place != NULL)
            return place;
    }
    return adit_component_get_place(strategy);
}

AditStagePlan *
adit_stage_plan_new(const AditExperiment *experiment, const AditStage *stage, AditGraph *graph,
                    AditDiagnostics *diagnostics)
{
    g_autoptr(AditStagePlan) self = g_new0(AditStagePlan, 1);
    g_autoptr(GPtrArray) exits = list_exit_ends(graph);
    g_autoptr(GPtrArray) blocks = list_block_ends(graph);
    g_autoptr(GError) wrong = NULL;

    self->plan = adit_plan_new(stage->strategy, exits->len, blocks->len, &wrong);
    if (self->plan == NULL) {
        adit_diagnostics_error(diagnostics,
                               find_numbers(experiment, ADIT_COMPONENT(stage->strategy)),
                               wrong->code, "%s", wrong->message);
        return NULL;
    }
    self->ends = g_ptr_array_ref(self->plan->segments == ADIT_SEGMENTS_EXITS ? exits : blocks);
    self->all_ends = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < self->ends->len; i++)
        g_hash_table_add(self->all_ends, self->ends->pdata[i]);
    return g_steal_pointer(&self);
}

void
adit_stage_plan_free(AditStagePlan *self)
{
    g_clear_pointer(&self->plan, adit_plan_free);
    g_clear_pointer(&self->all_ends, g_hash_table_unref);
    g_clear_pointer(&self->ends, g_ptr_array_unref);
    g_free(self);
}

/* (nullable): the last exit that @piece trains by, where it trains by nothing behind it. */
static const char *
find_last_trained(const AditStagePlan *self, const AditPiece *piece)
{
    const char *end = NULL;

    if (piece->final_weight != 0 || adit_outcome_is_mixture(&piece->outcome) ||
        self->plan->segments != ADIT_SEGMENTS_EXITS)
        return NULL;
    for (guint i = 0; i < self->plan->n_exits; i++) {
        if (piece->exit_weights[i] != 0)
            end = self->ends->pdata[i];
    }
    return end;
}

/* Whether exits are not to be in loops: what is made of them is made of all rows or of several. */
static gboolean
stands_alone(const AditPiece *piece)
{
    return adit_outcome_is_mixture(&piece->outcome) || piece->similarity > 0 ||
           piece->distillation > 0 || piece->noise > 0;
}

void
adit_stage_plan_cut(const AditStagePlan *self, guint piece, AditCut *cut)
{
    const AditPiece *part = adit_plan_get(self->plan, piece);

    if (part->first > 0)
        cut->frozen = self->ends->pdata[part->first - 1];
    cut->settled = part->cache > 0;
    cut->alone = stands_alone(part);
    cut->detached = part->detached ? self->all_ends : NULL;
    cut->feedback = part->heads == ADIT_HEADS_FEEDBACK;
    cut->noise = part->noise;
    cut->end = find_last_trained(self, part);
}

AditSegmentRate
adit_stage_plan_get_rate(const AditStagePlan *self, const AditTensor *parameter, guint instance)
{
    const AditSegmentRate *rates = self->plan->rates;

    for (guint i = 0; rates != NULL && i + 1 < self->ends->len; i++) {
        if (adit_parameter_is_at(parameter, instance, self->ends->pdata[i]))
            return rates[i];
    }
    return rates != NULL ? rates[self->ends->len - 1] : (AditSegmentRate){1, 0};
}
