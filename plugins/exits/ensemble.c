/* plugins/exits/ensemble.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

#include <math.h>

/* A row answers with the weighted mean of all answers up to where it leaves (Belilovsky,
 * Eickenberg, Oyallon, "Greedy layerwise learning can scale to ImageNet", ICML 2019: weights 2^i).
 */

struct _AditEnsemble {
    AditPolicy parent_instance;
    GArray *weights;
};
ADIT_DEFINE_POLICY(AditEnsemble, adit_ensemble, ADIT_ENSEMBLE)

static gboolean
check_exits(AditPolicy *policy, guint n_exits, GError **error)
{
    const GArray *weights = ADIT_ENSEMBLE(policy)->weights;

    if (weights->len <= 1 || weights->len == n_exits + 1)
        return TRUE;
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                "%u weights for %u exit%s and the last answer; one number stands for all",
                weights->len, n_exits, n_exits == 1 ? "" : "s");
    return FALSE;
}

/* The sum of the probabilities so far, each times its weight, and that of the weights. */
static guint
count_state(AditPolicy *policy, guint classes)
{
    return classes + 1;
}

/* That of the answer @step is at, a scalar. */
static AditTensor *
find_weight(const AditEnsemble *self, AditGraph *graph, const AditExitStep *step)
{
    guint n = step->n_exits + 1;
    g_autofree double *weights = g_new(double, n), *numbers = g_new(double, n);

    for (guint i = 0; i < n; i++) {
        numbers[i] = i;
        weights[i] = self->weights->len == 0
                         ? 1
                         : g_array_index(self->weights, double, self->weights->len == 1 ? 0 : i);
    }
    AditTensor *is_here =
        adit_equal(adit_constant_array(graph, &ADIT_SHAPE(n), numbers), step->exit);

    return adit_sum_last(adit_mul(is_here, adit_constant_array(graph, &ADIT_SHAPE(n), weights)));
}

static AditTensor *
follow(AditPolicy *policy, AditGraph *graph, AditExitStep *step)
{
    gsize classes = adit_tensor_get_width(step->probabilities);
    AditTensor *one = adit_constant_array(graph, &ADIT_SHAPE(1), (double[]){1});
    AditTensor *weight = find_weight(ADIT_ENSEMBLE(policy), graph, step);
    AditTensor *first = adit_slice(step->state, 0, classes, classes + 1, 1);
    AditTensor *added = adit_add(first, adit_mul(one, weight));
    AditTensor *sum =
        adit_add(adit_slice(step->state, 0, 0, classes, 1), adit_mul(step->probabilities, weight));

    step->state = adit_concat((AditTensor *[]){sum, added}, 2, 0);
    /* before the first answer that counts there is only the answer itself */
    step->probabilities =
        adit_select(adit_greater(added, adit_scale(one, 0)),
                    adit_div(sum, adit_max(added, adit_scale(one, 1e-30))), step->probabilities);
    return adit_reduce(step->probabilities, ADIT_REDUCE_MAX, (int[]){-1}, 1);
}

static void
adit_ensemble_class_init(AditComponentClass *klass)
{
    ADIT_POLICY_CLASS(klass)->follow = follow;
    ADIT_POLICY_CLASS(klass)->count_state = count_state;
    ADIT_POLICY_CLASS(klass)->check_exits = check_exits;
    ADIT_POLICY_CLASS(klass)->rises = TRUE;
    ADIT_POLICY_CLASS(klass)->threshold = 2;
    adit_component_class_describe(
        klass, "ensemble",
        "The mean of all answers so far; leaves where its likeliest class "
        "has the threshold, 2: never");
    adit_component_class_add_numbers(klass, "weights",
                                     "Of each exit and the last answer, or one for all; else 1",
                                     FALSE, 0, 1e6, ADIT_FIELD(AditEnsemble, weights, GArray *));
}

ADIT_PLUGIN("ensemble", "1.0", "MIT", ADIT_TYPES(adit_ensemble_get_type))
