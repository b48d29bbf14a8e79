/* plugins/aggregators/residual.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditResidual {
    AditAggregator parent_instance;
};
ADIT_DEFINE_AGGREGATOR(AditResidual, adit_residual, ADIT_RESIDUAL)

/* He, Zhang, Ren, Sun, "Identity mappings in deep residual networks", ECCV 2016, equation 3. */
static void
step(AditAggregator *aggregator, AditGraph *graph, AditTensor *y, AditFold *fold)
{
    adit_aggregator_adapt(aggregator, graph, fold, &y);
    fold->collect = adit_add(fold->collect, y);
    fold->feed = fold->collect;
}

static gboolean
check(AditComponent *component, GError **error)
{
    if (adit_aggregator_counts_input(ADIT_AGGREGATOR(component)))
        return TRUE;
    g_set_error_literal(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                        "'input' of 'residual' is always true: its sum starts with the input");
    return FALSE;
}

static void
adit_residual_class_init(AditComponentClass *klass)
{
    klass->check = check;
    ADIT_AGGREGATOR_CLASS(klass)->step = step;
    ADIT_AGGREGATOR_CLASS(klass)->skips = TRUE;
    adit_component_class_describe(klass, "residual", "Each block is fed the sum of all before it");
    adit_component_class_set_default(klass, "input", TRUE);
}

ADIT_PLUGIN("residual", "1.0", "MIT", ADIT_TYPES(adit_residual_get_type))
