/* plugins/strategies/freezeout.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

#include <math.h>

struct _AditFreezeout {
    AditStrategy parent_instance;
    double t0;
    int curve;
    gboolean scaled;
    GArray *weights;
    double final_weight;
};
ADIT_DEFINE_STRATEGY(AditFreezeout, adit_freezeout, ADIT_FREEZEOUT)

static const char *const curves[] = {"linear", "squared", "cubic", NULL};

/* Share of the stage after which block @block of @n is frozen, r = s(t0 + (1 - t0) i / i_max)
 * (Brock et al. 2017, "FreezeOut", section 3; its code). With t0 = 1/n and s(t) = t these are the
 * equally spaced points of the survey's figure 4. */
static double
get_end(const AditFreezeout *self, guint block, guint n)
{
    double t0 = self->t0 >= 0 ? self->t0 : 1.0 / n;

    return block + 1 < n ? pow(t0 + (1 - t0) * block / (n - 1), self->curve + 1) : 1;
}

static gboolean
plan(AditStrategy *strategy, AditPlan *plan, GError **error)
{
    AditFreezeout *self = ADIT_FREEZEOUT(strategy);

    plan->segments = ADIT_SEGMENTS_BLOCKS;
    plan->rates = g_new0(AditSegmentRate, plan->n_blocks);
    for (guint i = 0; i < plan->n_blocks; i++) {
        AditPiece *piece = adit_plan_add(plan);
        double end = get_end(self, i, plan->n_blocks);

        piece->first = i;
        piece->epochs = end - (i > 0 ? plan->rates[i - 1].until : 0);
        piece->restarts = i == 0;
        piece->final_weight = self->final_weight;
        plan->rates[i] = (AditSegmentRate){self->scaled ? 1 / end : 1, end};
        if (!adit_plan_set_weights(plan, piece, self->weights, 1, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
check(AditComponent *component, GError **error)
{
    if (ADIT_FREEZEOUT(component)->t0 != 0)
        return TRUE;
    g_set_error_literal(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                        "'t0' must be above 0: the first block would never be trained");
    return FALSE;
}

static void
adit_freezeout_class_init(AditComponentClass *klass)
{
    ADIT_STRATEGY_CLASS(klass)->plan = plan;
    klass->check = check;
    adit_component_class_describe(klass, "freezeout",
                                  "Rates fall to 0 block by block, and the way back gets shorter");
    adit_component_class_add_number(
        klass, "t0",
        "Share of the stage, before the curve, after which the first block is frozen; "
        "-1: 1 / blocks",
        -1, 1, -1, ADIT_FIELD(AditFreezeout, t0, double));
    adit_component_class_add_choice(klass, "curve", "Power of the shares that blocks are frozen at",
                                    curves, 0, ADIT_FIELD(AditFreezeout, curve, int));
    adit_component_class_add_boolean(klass, "scaled",
                                     "Whether rates are larger the sooner a block is frozen: all "
                                     "learn as much in sum",
                                     FALSE, ADIT_FIELD(AditFreezeout, scaled, gboolean));
    adit_component_class_add_numbers(
        klass, "weights", "Factors of the exits' losses, one for all or one each; else 1", FALSE, 0,
        1e6, ADIT_FIELD(AditFreezeout, weights, GArray *));
    adit_component_class_add_number(klass, "final-weight", "Factor of the last answer's loss", 0,
                                    1e6, 1, ADIT_FIELD(AditFreezeout, final_weight, double));
}

ADIT_PLUGIN("freezeout", "1.0", "MIT", ADIT_TYPES(adit_freezeout_get_type))
