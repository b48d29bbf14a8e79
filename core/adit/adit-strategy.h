/* core/adit/adit-strategy.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-component.h>

G_BEGIN_DECLS

/**
 * AditStrategy: how a stage trains, as a list of pieces carried out by the core.
 */
#define ADIT_TYPE_STRATEGY (adit_strategy_get_type())
G_DECLARE_DERIVABLE_TYPE(AditStrategy, adit_strategy, ADIT, STRATEGY, AditComponent)

/**
 * AditSegments: what a network's segments are, from 0 on. The last has the head as well.
 * @ADIT_SEGMENTS_EXITS: what lies between exits: segment i ends behind the block that exit i is at,
 *   and the last one, number `n_exits`, lies behind all exits
 * @ADIT_SEGMENTS_BLOCKS: the stem, if it has parameters, and each block of the trunk: `n_blocks`
 */
typedef enum {
    ADIT_SEGMENTS_EXITS,
    ADIT_SEGMENTS_BLOCKS,
} AditSegments;

/**
 * AditOutcomeKind: what a network says of a row.
 * @ADIT_OUTCOME_LAST: what its head does
 * @ADIT_OUTCOME_EXIT: what one exit does
 * @ADIT_OUTCOME_FREE: the sum of the logits of all exits and of the head, each times a weight that
 *   is trained with the network (the survey's equation 8)
 * @ADIT_OUTCOME_POSITIVE: the same by weights above 0
 * @ADIT_OUTCOME_SOFTMAX: the same by weights above 0 whose sum is 1
 * @ADIT_OUTCOME_MEAN, @ADIT_OUTCOME_MAX: the mean, or the largest, of what they predict
 * @ADIT_OUTCOME_GATED: what an exit predicts as far as it is trusted, for the rest what comes next
 *   (equation 9)
 */
typedef enum {
    ADIT_OUTCOME_LAST,
    ADIT_OUTCOME_EXIT,
    ADIT_OUTCOME_FREE,
    ADIT_OUTCOME_POSITIVE,
    ADIT_OUTCOME_SOFTMAX,
    ADIT_OUTCOME_MEAN,
    ADIT_OUTCOME_MAX,
    ADIT_OUTCOME_GATED,
} AditOutcomeKind;

/**
 * AditTrust: how far an exit is trusted with a row, 0 to 1.
 * @ADIT_TRUST_GATE: by a sigmoid of an affine map of what it predicts, which is trained
 * @ADIT_TRUST_MAX_PROBABILITY: by the probability of the likeliest class
 * @ADIT_TRUST_ENTROPY: by 1 - H, H being the entropy as a share of the largest possible
 */
typedef enum {
    ADIT_TRUST_GATE,
    ADIT_TRUST_MAX_PROBABILITY,
    ADIT_TRUST_ENTROPY,
} AditTrust;

/**
 * AditOutcome:
 * @exit: (EXIT): its number, from 0
 * @trust: (GATED)
 */
typedef struct {
    AditOutcomeKind kind;
    guint exit;
    AditTrust trust;
} AditOutcome;

/**
 * AditHeads: what becomes of the exits' heads.
 * @ADIT_HEADS_TRAINED: they are trained as anything is
 * @ADIT_HEADS_FIXED: they stay as they were drawn
 * @ADIT_HEADS_FEEDBACK: they are trained, but what they hand back goes through heads of other
 * weights, which stay as they were drawn. Which it is must not depend on the number of exits
 */
typedef enum {
    ADIT_HEADS_TRAINED,
    ADIT_HEADS_FIXED,
    ADIT_HEADS_FEEDBACK,
} AditHeads;

/**
 * AditPiece: a part of a stage: what is trained by which losses, from what, and for how long.
 * @first: segments before it are frozen: as they are, with no way back through them
 * @cache: bytes that what the frozen part gives may take in memory; it is then computed once and
 *   read in every step. Where it would take more, or differs from epoch to epoch (`augment`), it is
 *   computed in every step. Either way the frozen part works as in evaluation. 0: as in training
 * @epochs: its length, in lengths of the stage
 * @restarts: it begins with a fresh optimizer and clock: schedules, `patience` and the best figure
 *   count from here. The first piece always does
 * @outcome: what figures of evaluations are of
 * @outcome_weight: factor of its loss, beside those of exits and the last answer
 * @exit_weights: (array length=n_exits): factor of each exit's loss
 * @final_weight: of the last answer's
 * @ramp_from: the exits' weights c grow with the share e/E of the piece that is done, as
 *   min(c, ramp_from + c e/E); negative: they are c from the start
 * @detached: nothing goes back behind an exit: what lies between two is trained by the second alone
 * @heads: of all exits
 * @similarity: share s of an exit's loss that is how far its rows are alike where their classes are
 *   not: (1 - s) predicted + s similarity
 * @noise: standard deviation of the noise that is added to what a head reads, in training
 * @compression: factor of what the noisy values tell of the input, sum (x^2 + noise^2 - 1 -
 *   log noise^2) / 2, in an exit's loss; for @noise above 0
 * @distillation, @temperature: share a of an exit's loss that is how far it is from the last answer
 */
typedef struct {
    guint first;
    double cache;
    double epochs;
    gboolean restarts;
    AditOutcome outcome;
    double outcome_weight;
    double *exit_weights;
    double final_weight;
    double ramp_from;
    gboolean detached;
    AditHeads heads;
    double similarity;
    double noise;
    double compression;
    double distillation;
    double temperature;
} AditPiece;

/**
 * AditSegmentRate: how fast a segment learns, beside what optimizer and `rates` say.
 * @factor: on the learning rate
 * @until: share of the stage after which it does not learn any more: the factor falls to 0 by half
 *   a cosine; 0: it does not fall
 */
typedef struct {
    double factor;
    double until;
} AditSegmentRate;

/**
 * AditPlan: a stage as data.
 * @n_exits, @n_blocks: what the network has
 * @segments: what they are counted by
 * @rates: (array length=n_segments) (nullable): of segments; NULL: all alike
 * @pieces: (element-type AditPiece): one behind the other
 */
typedef struct {
    guint n_exits;
    guint n_blocks;
    AditSegments segments;
    AditSegmentRate *rates;
    GArray *pieces;
} AditPlan;

/* A piece more at the end: it trains all segments by the last answer's loss alone, from the data,
 * for the length of the stage. Borrowed, until the next is added. */
AditPiece *adit_plan_add(AditPlan *self);
/* Sets a piece's exit weights to what the user gave: one number for all, or one each; none: @def.
 * FALSE with ADIT_ERROR_INVALID: there is another number of exits. */
gboolean adit_plan_set_weights(const AditPlan *self, AditPiece *piece, const GArray *given,
                               double def, GError **error);
/* FALSE with ADIT_ERROR_INVALID unless the network has exits. @self's name is told. */
gboolean adit_plan_need_exits(const AditPlan *self, AditStrategy *strategy, GError **error);

/**
 * AditStrategyClass:
 * @plan: adds pieces, one at least; ADIT_ERROR_INVALID when the parameters do not fit the network
 */
struct _AditStrategyClass {
    AditComponentClass parent_class;

    gboolean (*plan)(AditStrategy *self, AditPlan *plan, GError **error);

    gpointer padding[7];
};

#define ADIT_DEFINE_STRATEGY(TypeName, type_name, CAST)                                            \
    ADIT_DEFINE_COMPONENT(TypeName, type_name, CAST, ADIT_TYPE_STRATEGY)

G_END_DECLS
