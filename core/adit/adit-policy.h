/* core/adit/adit-policy.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-component.h>

G_BEGIN_DECLS

/**
 * AditPolicy: an exit's answer -> whether a row may leave with it.
 */
#define ADIT_TYPE_POLICY (adit_policy_get_type())
G_DECLARE_DERIVABLE_TYPE(AditPolicy, adit_policy, ADIT, POLICY, AditComponent)

/**
 * AditExitStep: an answer as a policy meets it that goes from exit to exit.
 * @probabilities: (inout): of the classes, two at least, by the exit's head. What a policy puts in
 *   their place is what a row answers with that leaves here: an ensemble's mean
 * @exit: number of the answer, a scalar: 0 at the first exit, @n_exits at the network's own end
 * @state: (inout): count_state() numbers of every row, as the answer before left them; 0 at first
 */
typedef struct {
    AditTensor *probabilities;
    AditTensor *exit;
    guint n_exits;
    AditTensor *state;
} AditExitStep;

/**
 * AditPolicyClass:
 * @measure: (nullable): how sure an answer is by itself, a scalar for every row. @probabilities: of
 *   the classes, two at least, by the exit's head
 * @rises: a row leaves where the measure is at least the exit's threshold; else where it is less
 * @threshold: where the user gives none. Every policy has the parameter `threshold`: one number, or
 *   one for each exit
 * @follow: (nullable): in place of @measure, where it depends on the answers before or on which
 *   answer it is. Called once for each answer, by depth, or once for all iterations of a loop,
 * whose carry the state then is. @probabilities, @state and what is returned are of one graph
 * @count_state: (nullable): numbers that @follow hands on for each row; 0 without it
 * @fix: (nullable): in place of both: the answer that all rows leave with, whatever it is, so that
 *   no other head is computed. @seconds: (nullable): see @is_timed
 * @is_timed: @fix is given the time until each answer of @n_exits + 1, measured on the device
 * @share: (nullable): thresholds are not given but fitted, on a split that training never sees, so
 *   that of all its rows so many leave at each exit. @shares: (array length=n_exits): in 0..1,
 *   together 1 at most
 * @check_exits: (nullable): refuses a number of exits that the parameters do not fit, with
 *   ADIT_ERROR_INVALID; called before all others
 *
 * How rows leave never depends on the batch they are in, unless time decides (@is_timed). A policy
 * without @measure, @follow and @fix never lets a row leave.
 */
struct _AditPolicyClass {
    AditComponentClass parent_class;

    AditTensor *(*measure)(AditPolicy *self, AditGraph *graph, AditTensor *probabilities);
    gboolean rises;
    double threshold;
    AditTensor *(*follow)(AditPolicy *self, AditGraph *graph, AditExitStep *step);
    guint (*count_state)(AditPolicy *self, guint classes);
    guint (*fix)(AditPolicy *self, guint n_exits, const double *seconds);
    gboolean is_timed;
    void (*share)(AditPolicy *self, guint n_exits, double *shares);
    gboolean (*check_exits)(AditPolicy *self, guint n_exits, GError **error);

    gpointer padding[4];
};

/* How sure an answer is, the more the surer: by @of (nullable: the probability of the likeliest
 * class), for a policy that orders rows by another. */
AditTensor *adit_policy_trust(AditPolicy *of, AditGraph *graph, AditTensor *probabilities);
/* Refuses an @of that does not say how sure an answer is by itself; ADIT_ERROR_INVALID. */
gboolean adit_policy_check_trust(AditPolicy *of, GError **error);

#define ADIT_DEFINE_POLICY(TypeName, type_name, CAST)                                              \
    ADIT_DEFINE_COMPONENT(TypeName, type_name, CAST, ADIT_TYPE_POLICY)

G_END_DECLS
