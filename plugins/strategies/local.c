/* plugins/strategies/local.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditLocal {
    AditStrategy parent_instance;
    int by;
    double beta;
    int heads;
    double noise;
    double information;
};
ADIT_DEFINE_STRATEGY(AditLocal, adit_local, ADIT_LOCAL)

enum { PREDICTED, SIMILARITY, MIXED, BOTTLENECK };
static const char *const losses[] = {"predicted", "similarity", "mixed", "bottleneck", NULL};
static const char *const heads[] = {"trained", "fixed", "feedback", NULL};

/* What lies between two exits learns by the second alone, all at once (Scardapane et al. 2020,
 * sections 7.1 and 7.3). */
static gboolean
plan(AditStrategy *strategy, AditPlan *plan, GError **error)
{
    AditLocal *self = ADIT_LOCAL(strategy);
    AditPiece *piece;

    if (!adit_plan_need_exits(plan, strategy, error))
        return FALSE;
    piece = adit_plan_add(plan);
    piece->detached = TRUE;
    piece->heads = (AditHeads) self->heads;
    piece->similarity = self->by == SIMILARITY ? 1 : self->by == MIXED ? self->beta : 0;
    piece->noise = self->by == BOTTLENECK ? self->noise : 0;
    piece->compression = 1 / self->information;
    for (guint i = 0; i < plan->n_exits; i++)
        piece->exit_weights[i] = 1;
    return TRUE;
}

static void
adit_local_class_init(AditComponentClass *klass)
{
    ADIT_STRATEGY_CLASS(klass)->plan = plan;
    adit_component_class_describe(klass, "local",
                                  "All at once, but nothing goes back behind an exit");
    adit_component_class_add_choice(klass, "by", "An exit's loss", losses, PREDICTED,
                                    ADIT_FIELD(AditLocal, by, int));
    adit_component_class_add_number(klass, "beta", "Share of the similarity in the loss 'mixed'", 0,
                                    1, 0.99, ADIT_FIELD(AditLocal, beta, double));
    adit_component_class_add_choice(klass, "heads",
                                    "Exits' heads are trained, stay as drawn, or hand back through "
                                    "others that do",
                                    heads, ADIT_HEADS_TRAINED, ADIT_FIELD(AditLocal, heads, int));
    adit_component_class_add_number(klass, "noise",
                                    "Standard deviation of the noise of 'bottleneck'", 1e-6, 1e6, 1,
                                    ADIT_FIELD(AditLocal, noise, double));
    adit_component_class_add_number(
        klass, "information", "What is told of the class counts so often as what is of the input",
        1e-6, 1e12, 1000, ADIT_FIELD(AditLocal, information, double));
}

ADIT_PLUGIN("local", "1.0", "MIT", ADIT_TYPES(adit_local_get_type))
