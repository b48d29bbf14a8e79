/* core/train/adit-joint-loss.c - SPDX-License-Identifier: MIT */
#include "adit-joint-loss.h"

#include <adit/adit-ops.h>
#include <adit/adit-schedule.h>

#include "adit-exit-terms.h"
#include "adit-selection.h"

#include <math.h>

/* ---- weights that grow ---- */

/* The share e/E of a stage's epochs that are done. */
struct _AditEpochShare {
    AditSchedule parent_instance;
};
ADIT_DEFINE_SCHEDULE(AditEpochShare, adit_epoch_share, ADIT_EPOCH_SHARE)

static double
get_share(AditSchedule *schedule, const AditClock *clock)
{
    guint64 epochs = clock->steps / clock->steps_per_epoch;

    return (double) (clock->step / clock->steps_per_epoch) / (double) MAX(epochs, 1);
}

static void
adit_epoch_share_class_init(AditComponentClass *klass)
{
    ADIT_SCHEDULE_CLASS(klass)->value = get_share;
    adit_component_class_describe(klass, "epoch-share", "Share of the piece's epochs done");
}

/* One for all graphs, which borrow it. */
static AditLive *
get_epoch_share(void)
{
    static gsize share = 0;

    if (g_once_init_enter(&share)) {
        g_autoptr(AditSchedule) schedule = g_object_new(adit_epoch_share_get_type(), NULL);

        g_once_init_leave(&share, (gsize) adit_live_new_scheduled(schedule));
    }
    return (AditLive *) share;
}

/* min(c, ramp_from + c e/E) for each weight c. */
static AditTensor *
grow(AditTensor *weights, double from)
{
    AditTensor *done = adit_live(adit_tensor_get_graph(weights), get_epoch_share());

    return adit_min(weights, adit_offset(adit_mul(weights, done), from));
}

/* ---- sums ---- */

/* What the exits of @logits weigh, one for each iteration of the loops around, as their body sees
 * its own. */
static AditTensor *
make_weights(AditTensor *logits, const GArray *exits, const AditPiece *piece)
{
    AditShape shape = {0};
    AditLoop *loops[ADIT_MAX_LOOPS];
    guint n_loops = logits->graph->depth, i = n_loops;
    g_autofree double *values = NULL;

    for (AditLoop *loop = logits->graph->loop; loop != NULL; loop = loop->parent->loop) {
        loops[--i] = loop;
        shape.size[i] = loop->n;
    }
    shape.rank = n_loops;
    values = g_new0(double, adit_shape_count(&shape) + 1);
    for (i = 0; i < exits->len; i++) {
        const AditPick *pick = &g_array_index(exits, AditPick, i);

        if (pick->tensor == logits)
            values[pick->instance] = piece->exit_weights[i];
    }
    AditTensor *weights = adit_constant_array(logits->graph->root, &shape, values);

    if (piece->ramp_from >= 0)
        weights = grow(weights, piece->ramp_from);
    for (i = 0; i < n_loops; i++)
        weights = adit_loop_each(loops[i], weights);
    return weights;
}

/* The sum over all iterations of the loops around @term, which is a scalar for every row. */
static AditTensor *
sum_iterations(AditTensor *term)
{
    while (term->graph->loop != NULL) {
        AditLoop *loop = term->graph->loop;
        AditTensor *nothing = adit_broadcast_rows(adit_constant(loop->parent, 0));
        AditTensor *sum = adit_loop_carry(loop, nothing);

        adit_loop_set_next(loop, sum, adit_add(sum, term));
        term = adit_loop_last(loop, sum);
    }
    return term;
}

static gboolean
weighs(AditTensor *logits, const GArray *exits, const AditPiece *piece)
{
    for (guint i = 0; i < exits->len; i++) {
        if (g_array_index(exits, AditPick, i).tensor == logits && piece->exit_weights[i] != 0)
            return TRUE;
    }
    return FALSE;
}

/* Whether @logits, of exit @exit, stand alone and their loss counts as it is. */
static gboolean
weighs_one(const AditTensor *logits, guint exit, const AditPiece *piece)
{
    return logits->graph->loop == NULL && piece->exit_weights[exit] == 1 && piece->ramp_from < 0;
}

/* Of every row, by @logits. */
static AditTensor *
get_loss(const AditNetworkTensors *tensors, AditTensor *logits, AditLoss *loss)
{
    AditNetworkTensors answer = {.logits = logits, .targets = tensors->targets};

    if (logits == tensors->logits)
        return tensors->loss;
    adit_network_build_loss(loss, &answer);
    return answer.loss;
}

/* @total: (nullable) */
static AditTensor *
add_weighted(AditTensor *total, const AditNetworkTensors *tensors, AditTensor *logits,
             double weight, AditLoss *loss)
{
    AditTensor *term;

    if (weight == 0)
        return total;
    term = get_loss(tensors, logits, loss);
    if (weight != 1)
        term = adit_scale(term, weight);
    return total != NULL ? adit_add(total, term) : term;
}

AditTensor *
adit_joint_loss_build(AditGraph *graph, const AditNetworkTensors *tensors, const GArray *exits,
                      const AditPiece *piece, AditLoss *loss)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
    AditTensor *total = NULL;

    total = add_weighted(NULL, tensors, tensors->last, piece->final_weight, loss);
    total = add_weighted(total, tensors, tensors->logits, piece->outcome_weight, loss);
    for (guint i = 0; i < exits->len; i++) {
        AditTensor *logits = g_array_index(exits, AditPick, i).tensor;

        if (!g_hash_table_add(seen, logits) || !weighs(logits, exits, piece))
            continue;
        AditTensor *lost = get_loss(tensors, logits, loss);
        AditExitTerms terms = {
            .x = adit_graph_find_exit_input(graph, &g_array_index(exits, AditPick, i)),
            .logits = logits,
            .predicted = lost,
            .network = tensors,
            .loss = loss};

        lost = adit_exit_terms_build(&terms, piece);
        if (adit_tensor_has_failed(lost))
            return lost;
        AditTensor *term = weighs_one(logits, i, piece)
                               ? lost
                               : sum_iterations(adit_mul(lost, make_weights(logits, exits, piece)));

        total = total != NULL ? adit_add(total, term) : term;
    }
    return total != NULL ? total : adit_scale(tensors->loss, 0);
}
