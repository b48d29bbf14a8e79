/* core/pipeline/adit-bind-inference.c - SPDX-License-Identifier: MIT */
#include "adit-binder.h"

/* The section `inference`: how an answer is taken. */

#define DEFAULT_BATCH 1000

static void
report(AditBinder *self, AditValue value, const char *text)
{
    adit_value_error(&self->substitution, value, ADIT_ERROR_INVALID, "%s", text);
}

/* ---- calibrate ---- */

static const char *const goals[] = {
    [ADIT_GOAL_ACCURACY_DROP] = "accuracy-drop",
    [ADIT_GOAL_BUDGET] = "budget",
    [ADIT_GOAL_LATENCY] = "latency",
};

/* The one goal that is written; FALSE: none, or several. */
static gboolean
find_goal(AditBinder *self, AditValue calibrate, AditGoalKind *kind)
{
    *kind = ADIT_GOAL_NONE;
    for (guint i = ADIT_GOAL_ACCURACY_DROP; i < G_N_ELEMENTS(goals); i++) {
        AditValue value = adit_value_get(calibrate, goals[i]);

        if (value.node == NULL)
            continue;
        if (*kind != ADIT_GOAL_NONE) {
            adit_value_error(&self->substitution, value, ADIT_ERROR_INVALID,
                             "'calibrate' has one goal, got 2 ('%s', '%s')", goals[*kind],
                             goals[i]);
            return FALSE;
        }
        *kind = i;
    }
    if (*kind != ADIT_GOAL_NONE)
        return TRUE;
    report(self, calibrate, "'calibrate' needs a goal: accuracy-drop, budget or latency");
    return FALSE;
}

static void
bind_thresholds(AditBinder *self, AditValue calibrate, AditNode *resolved)
{
    static const char *const words[] = {"one", "each", NULL};
    static const AditParameter parameter = {
        .name = "thresholds", .type = ADIT_PARAMETER_CHOICE, .words = words};
    AditValue value = adit_value_get(calibrate, "thresholds");

    if (value.node != NULL) {
        g_auto(AditBound) bound = adit_bind_value(self, &parameter, value, FALSE, NULL);

        self->experiment->goal.each = bound.good && bound.integer == 1;
    }
    adit_node_set_new(resolved, "thresholds",
                      adit_node_new_scalar(words[self->experiment->goal.each ? 1 : 0], TRUE, NULL));
}

static void
bind_calibrate(AditBinder *self, AditValue inference, AditNode *resolved)
{
    static const char *const keys[] = {"accuracy-drop", "budget", "latency", "thresholds", NULL};
    AditGoal *goal = &self->experiment->goal;
    AditValue calibrate =
        adit_substitute(&self->substitution, adit_value_get(inference, "calibrate"));
    AditNode *node = adit_node_new_mapping(NULL);
    guint index;

    adit_node_set_new(resolved, "calibrate", node);
    if (adit_node_find(inference.node, "calibrate", &index))
        goal->place = adit_node_get_key(inference.node, index)->place;
    if (calibrate.node == NULL)
        return;
    if (calibrate.node->kind != ADIT_NODE_MAPPING) {
        report(self, calibrate, "'calibrate' must be a mapping: {accuracy-drop: 0.5%}");
        return;
    }
    adit_bind_check_keys(self, calibrate, keys, "key", "calibrate");
    if (!find_goal(self, calibrate, &goal->kind))
        return;
    AditParameter parameter = {.name = goals[goal->kind],
                               .type = ADIT_PARAMETER_AMOUNT,
                               .form = goal->kind == ADIT_GOAL_LATENCY ? ADIT_FORM_TIME
                                                                       : ADIT_FORM_SHARE,
                               .max = goal->kind == ADIT_GOAL_LATENCY ? 3600 : 1};
    g_auto(AditBound) bound =
        adit_bind_value(self, &parameter, adit_value_get(calibrate, parameter.name), FALSE, NULL);

    goal->value = bound.amount.value;
    if (bound.resolved != NULL)
        adit_node_set_new(node, parameter.name, adit_node_ref(bound.resolved));
    bind_thresholds(self, calibrate, node);
}

/* ---- the policy ---- */

/* A policy that never lets a row leave is as good as none. */
static gboolean
lets_leave(AditPolicy *policy)
{
    const AditPolicyClass *klass = ADIT_POLICY_GET_CLASS(policy);

    return klass->measure != NULL || klass->follow != NULL || klass->fix != NULL;
}

static char *
make_text(const AditNode *policy)
{
    g_autoptr(AditNode) copy = adit_node_copy(policy);
    guint index;

    if (copy->kind == ADIT_NODE_MAPPING && adit_node_count(copy) > 0 &&
        adit_node_get_item(copy, 0)->kind == ADIT_NODE_MAPPING &&
        adit_node_find(adit_node_get_item(copy, 0), "threshold", &index))
        adit_node_remove(adit_node_get_item(copy, 0), index);
    return adit_yaml_write_line(copy);
}

static void
bind_policy(AditBinder *self, AditValue value, AditNode *resolved)
{
    AditExperiment *experiment = self->experiment;
    AditNode *node = NULL;

    if (value.node == NULL) {
        adit_node_set_new(resolved, "policy", adit_node_new_scalar("never", TRUE, NULL));
        return;
    }
    experiment->policy = (AditPolicy *) adit_bind_component(self, "policy", value, &node);
    adit_node_set_new(resolved, "policy", node);
    if (experiment->policy == NULL)
        return;
    if (lets_leave(experiment->policy))
        experiment->policy_text = make_text(node);
    else
        g_clear_object(&experiment->policy);
}

/* ---- the section ---- */

static void
bind_keys(AditBinder *self, AditValue value, AditNode *resolved)
{
    static const char *const keys[] = {"policy", "fallback", "batch", "calibrate", NULL};
    static const char *const fallbacks[] = {"last", "most-confident", NULL};
    static const AditParameter fallback = {
        .name = "fallback", .type = ADIT_PARAMETER_CHOICE, .words = fallbacks};
    static const AditParameter batch = {
        .name = "batch", .type = ADIT_PARAMETER_INT, .min = 1, .max = 1e9};
    AditExperiment *experiment = self->experiment;
    AditValue last = adit_value_get(value, "fallback"), size = adit_value_get(value, "batch");

    adit_bind_check_keys(self, value, keys, "key", "inference");
    bind_policy(self, adit_value_get(value, "policy"), resolved);
    if (last.node != NULL) {
        g_auto(AditBound) bound = adit_bind_value(self, &fallback, last, FALSE, NULL);

        experiment->fallback = bound.good ? g_strdup(fallbacks[bound.integer]) : NULL;
    }
    if (size.node != NULL) {
        g_auto(AditBound) bound = adit_bind_value(self, &batch, size, FALSE, NULL);

        experiment->inference_batch = bound.good ? (guint64) bound.integer : DEFAULT_BATCH;
    }
    if (adit_value_get(value, "calibrate").node != NULL)
        bind_calibrate(self, value, resolved);
}

void
adit_bind_inference(AditBinder *self, AditValue value, AditNode *resolved)
{
    AditExperiment *experiment = self->experiment;
    AditNode *node = adit_node_new_mapping(NULL);
    g_autofree char *shown = NULL;

    adit_node_set_new(resolved, "inference", node);
    experiment->inference_batch = DEFAULT_BATCH;
    value = adit_substitute(&self->substitution, value);
    if (value.node != NULL && value.node->kind != ADIT_NODE_MAPPING)
        report(self, value, "'inference' must be a mapping");
    else if (value.node != NULL)
        bind_keys(self, value, node);
    else
        bind_policy(self, value, node);
    if (experiment->fallback == NULL)
        experiment->fallback = g_strdup("last");
    shown = g_strdup_printf("%" G_GUINT64_FORMAT, experiment->inference_batch);
    adit_node_set_new(node, "fallback", adit_node_new_scalar(experiment->fallback, TRUE, NULL));
    adit_node_set_new(node, "batch", adit_node_new_scalar(shown, TRUE, NULL));
}
