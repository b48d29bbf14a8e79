/* core/infer/adit-outcome.c - SPDX-License-Identifier: MIT */
#include "adit-outcome.h"

#include <adit/adit-ops.h>

#include "adit-plan.h"
#include "adit-selection.h"

#include <math.h>

/* Probabilities are no smaller where their logarithm is taken. */
#define LEAST 1e-30

/* ---- parameters ---- */

/* One for each exit, and the last answer's. They begin as equal shares of 1. */
static AditTensor *
get_weights(AditGraph *graph, AditOutcomeKind kind, guint n)
{
    static const char *const names[] = {[ADIT_OUTCOME_FREE] = "free",
                                        [ADIT_OUTCOME_POSITIVE] = "positive",
                                        [ADIT_OUTCOME_SOFTMAX] = "softmax"};
    double fill = kind == ADIT_OUTCOME_FREE       ? 1.0 / n
                  : kind == ADIT_OUTCOME_POSITIVE ? log(expm1(1.0 / n))
                                                  : 0;
    AditTensor *weights;

    adit_graph_enter_scope(graph, 0, NULL, 0, ADIT_EXITS_ROOT, NULL);
    adit_graph_share_weights(graph, 1);
    weights = adit_parameter_filled(graph, names[kind], ADIT_ROLE_OTHER, &ADIT_SHAPE(n), fill);
    adit_graph_share_weights(graph, -1);
    adit_graph_leave_scope(graph);
    if (kind == ADIT_OUTCOME_POSITIVE)
        return adit_softplus(weights);
    return kind == ADIT_OUTCOME_SOFTMAX ? adit_softmax(weights) : weights;
}

/**
 * Gate: of one exit: how far it trusts itself.
 */
typedef struct {
    AditTensor *weight;
    AditTensor *bias;
} Gate;

/* Features of an answer: what it predicts, and of classes how likely the likeliest is. */
static guint
count_features(const AditTensor *logits, guint classes)
{
    return (guint) adit_shape_count(&logits->shape) + (classes > 0);
}

/* In the scope of exit @number. */
static Gate
get_gate(AditGraph *graph, guint n_features)
{
    Gate gate;

    adit_graph_share_weights(graph, 1);
    gate.weight =
        adit_parameter_filled(graph, "gate.weight", ADIT_ROLE_OTHER, &ADIT_SHAPE(n_features), 0);
    gate.bias = adit_parameter_filled(graph, "gate.bias", ADIT_ROLE_OTHER, &ADIT_SCALAR, 0);
    adit_graph_share_weights(graph, -1);
    return gate;
}

static void
enter_exit(AditGraph *graph, guint exit)
{
    adit_graph_enter_scope(graph, 0, NULL, 0, ADIT_EXITS_ROOT, NULL);
    adit_graph_enter_scope(graph, exit + 1, NULL, exit + 1, NULL, NULL);
}

static void
leave_exit(AditGraph *graph)
{
    adit_graph_leave_scope(graph);
    adit_graph_leave_scope(graph);
}

static void
declare(const AditOutcome *outcome, guint n_exits, AditTensor *last, guint classes)
{
    AditGraph *graph = adit_tensor_get_graph(last);

    if (outcome->kind == ADIT_OUTCOME_FREE || outcome->kind == ADIT_OUTCOME_POSITIVE ||
        outcome->kind == ADIT_OUTCOME_SOFTMAX)
        get_weights(graph, outcome->kind, n_exits + 1);
    for (guint i = 0;
         outcome->kind == ADIT_OUTCOME_GATED && outcome->trust == ADIT_TRUST_GATE && i < n_exits;
         i++) {
        enter_exit(graph, i);
        get_gate(graph, count_features(last, classes));
        leave_exit(graph);
    }
}

static AditPlan *
make_plan(const AditExperiment *experiment, guint stage, guint n_exits)
{
    const AditStage *each = experiment->stages->pdata[stage];

    /* what does not fit is told where the stage is */
    return n_exits > 0 ? adit_plan_new(each->strategy, n_exits, 1, NULL) : NULL;
}

void
adit_outcomes_declare(const AditExperiment *experiment, guint n_exits, AditTensor *last,
                      guint classes)
{
    for (guint i = 0; experiment->stages != NULL && i < experiment->stages->len; i++) {
        g_autoptr(AditPlan) plan = make_plan(experiment, i, n_exits);

        for (guint j = 0; plan != NULL && j < plan->pieces->len; j++)
            declare(&adit_plan_get(plan, j)->outcome, n_exits, last, classes);
    }
}

gboolean
adit_experiment_has_feedback(const AditExperiment *experiment)
{
    gboolean found = FALSE;

    for (guint i = 0; experiment->stages != NULL && i < experiment->stages->len; i++) {
        g_autoptr(AditPlan) plan = make_plan(experiment, i, 1);

        for (guint j = 0; plan != NULL && j < plan->pieces->len; j++)
            found = found || adit_plan_get(plan, j)->heads == ADIT_HEADS_FEEDBACK;
    }
    return found;
}

AditOutcome
adit_outcome_find(const AditExperiment *experiment, guint n_exits)
{
    guint n = experiment->stages != NULL ? experiment->stages->len : 0;
    g_autoptr(AditPlan) plan = n > 0 ? make_plan(experiment, n - 1, n_exits) : NULL;
    AditOutcome outcome = {ADIT_OUTCOME_LAST};

    if (plan == NULL)
        return outcome;
    outcome = adit_plan_get(plan, plan->pieces->len - 1)->outcome;
    return adit_outcome_is_mixture(&outcome) ? outcome : (AditOutcome){ADIT_OUTCOME_LAST};
}

/* ---- answers ---- */

static guint
count_answers(const AditOutcomeInputs *self)
{
    return self->exits->len + 1;
}

static AditTensor *
get_logits(const AditOutcomeInputs *self, guint answer)
{
    return answer < self->exits->len ? g_array_index(self->exits, AditPick, answer).tensor
                                     : self->last;
}

static gboolean
has_probabilities(const AditOutcomeInputs *self)
{
    return self->classes > 0 && self->loss != NULL &&
           ADIT_LOSS_GET_CLASS(self->loss)->predict != NULL;
}

static AditTensor *
predict(const AditOutcomeInputs *self, AditTensor *logits)
{
    if (!has_probabilities(self))
        return logits;
    return ADIT_LOSS_GET_CLASS(self->loss)
        ->predict(self->loss, adit_tensor_get_graph(logits), logits);
}

static AditTensor *
log_of(AditTensor *probability)
{
    return adit_log(
        adit_max(probability, adit_constant(adit_tensor_get_graph(probability), LEAST)));
}

/* Logits that predict @y: of probabilities of all classes their logarithms, whose softmax they are
 * over their sum; of that of the second of two its log odds. */
static AditTensor *
unpredict(const AditOutcomeInputs *self, AditTensor *y)
{
    if (!has_probabilities(self))
        return y;
    if (adit_shape_count(adit_tensor_get_shape(y)) > 1)
        return log_of(y);
    return adit_sub(log_of(y), log_of(adit_offset(adit_neg(y), 1)));
}

/* ---- mixtures ---- */

/* Scardapane et al. 2020, equation 8: y = sum_i w_i y_i, over the logits. */
static AditTensor *
combine(const AditOutcomeInputs *self, AditOutcomeKind kind)
{
    guint n = count_answers(self);
    AditTensor *weights = get_weights(adit_tensor_get_graph(self->last), kind, n), *sum = NULL;

    for (guint i = 0; i < n; i++) {
        AditTensor *weight = adit_reshape(adit_slice(weights, 0, i, i + 1, 1), &ADIT_SCALAR);
        AditTensor *term = adit_mul(get_logits(self, i), weight);

        sum = sum != NULL ? adit_add(sum, term) : term;
    }
    return sum;
}

/* Mean or largest of the predictions (section 5.2). */
static AditTensor *
pool(const AditOutcomeInputs *self, AditOutcomeKind kind)
{
    guint n = count_answers(self);
    AditTensor *y = predict(self, self->last);

    for (guint i = 0; i + 1 < n; i++) {
        AditTensor *other = predict(self, get_logits(self, i));

        y = kind == ADIT_OUTCOME_MAX ? adit_max(y, other) : adit_add(y, other);
    }
    return unpredict(self, kind == ADIT_OUTCOME_MEAN ? adit_scale(y, 1.0 / n) : y);
}

/* Probabilities of all classes, where @y may be that of the second of two. */
static AditTensor *
spread(AditTensor *y)
{
    if (adit_shape_count(adit_tensor_get_shape(y)) > 1)
        return y;
    y = adit_reshape(y, &ADIT_SHAPE(1));
    return adit_concat((AditTensor *[]){adit_offset(adit_neg(y), 1), y}, 2, 0);
}

static AditTensor *
find_likeliest(AditTensor *y)
{
    return adit_reduce(spread(y), ADIT_REDUCE_MAX, NULL, 0);
}

/* 1 - H, H being the entropy as a share of the largest possible: entropy itself, as printed, is the
 * opposite of trust. */
static AditTensor *
find_certainty(AditTensor *y)
{
    AditTensor *all = spread(y);
    double largest = log((double) adit_shape_count(adit_tensor_get_shape(all)));
    AditTensor *negative = adit_sum(adit_mul(all, log_of(all)));

    return adit_offset(adit_scale(negative, 1 / largest), 1);
}

static AditTensor *
flatten(AditTensor *x)
{
    return adit_reshape(x, &ADIT_SHAPE(adit_shape_count(adit_tensor_get_shape(x))));
}

/* g = sigmoid(v x + b), a scalar for every row. */
static AditTensor *
build_gate(const AditOutcomeInputs *self, guint exit, AditTensor *y)
{
    AditGraph *graph = adit_tensor_get_graph(y);
    AditTensor *x = flatten(y), *g;
    Gate gate;

    if (self->classes > 0)
        x = adit_concat((AditTensor *[]){x, flatten(find_likeliest(y))}, 2, 0);
    enter_exit(graph, exit);
    gate = get_gate(graph, count_features(get_logits(self, exit), self->classes));
    g = adit_sigmoid(adit_add(adit_sum(adit_mul(x, gate.weight)), gate.bias));
    adit_tap(g, "gate");
    leave_exit(graph);
    return g;
}

static AditTensor *
find_trust(const AditOutcomeInputs *self, AditTrust trust, guint exit, AditTensor *y)
{
    if (trust == ADIT_TRUST_GATE)
        return build_gate(self, exit, y);
    if (!has_probabilities(self))
        return adit_graph_fail(adit_tensor_get_graph(y),
                               "trust by '%s' needs the probabilities of classes; the loss '%s' "
                               "gives none",
                               trust == ADIT_TRUST_ENTROPY ? "entropy" : "max-probability",
                               self->loss != NULL ? ADIT_COMPONENT_GET_CLASS(self->loss)->name
                                                  : "none");
    return trust == ADIT_TRUST_ENTROPY ? find_certainty(y) : find_likeliest(y);
}

/* Equation 9: y~_i = g_i y_i + (1 - g_i) y~_(i+1), from the last answer on. */
static AditTensor *
gate_all(const AditOutcomeInputs *self, AditTrust trust)
{
    AditTensor *y = predict(self, self->last);

    for (guint i = self->exits->len; i > 0; i--) {
        AditTensor *own = predict(self, get_logits(self, i - 1));
        AditTensor *g = find_trust(self, trust, i - 1, own);

        y = adit_add(y, adit_mul(adit_sub(own, y), g));
    }
    return unpredict(self, y);
}

AditTensor *
adit_outcome_build(const AditOutcome *self, const AditOutcomeInputs *inputs)
{
    switch (self->kind) {
    case ADIT_OUTCOME_EXIT:
        return get_logits(inputs, self->exit);
    case ADIT_OUTCOME_FREE:
    case ADIT_OUTCOME_POSITIVE:
    case ADIT_OUTCOME_SOFTMAX:
        return combine(inputs, self->kind);
    case ADIT_OUTCOME_MEAN:
    case ADIT_OUTCOME_MAX:
        return pool(inputs, self->kind);
    case ADIT_OUTCOME_GATED:
        return gate_all(inputs, self->trust);
    case ADIT_OUTCOME_LAST:
    default:
        return inputs->last;
    }
}
