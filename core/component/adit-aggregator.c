/* core/component/adit-aggregator.c - SPDX-License-Identifier: MIT */
#include <adit/adit-aggregator.h>

#include "adit-adapter.h"

typedef struct {
    gboolean input;
    AditAdapter adapter;
} AditAggregatorPrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE(AditAggregator, adit_aggregator, ADIT_TYPE_COMPONENT)

#define FIELD(member) ((gsize) G_PRIVATE_OFFSET(AditAggregator, member))

static void
begin(AditAggregator *self, AditGraph *graph, AditTensor *x, AditFold *fold)
{
    fold->feed = x;
    fold->collect = x;
}

static gboolean
check(AditComponent *component, GError **error)
{
    AditAggregatorPrivate *priv = adit_aggregator_get_instance_private(ADIT_AGGREGATOR(component));

    if (priv->adapter.width != ADIT_ADAPT_TRUNCATE || priv->adapter.to != ADIT_ADAPT_TO_WIDEST)
        return TRUE;
    g_set_error_literal(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                        "'adapt' truncate cannot widen; set 'adapt-to' to last");
    return FALSE;
}

static void
adit_aggregator_class_init(AditAggregatorClass *klass)
{
    static const char *const widths[] = {"none", "pad", "project", "random", "truncate", NULL};
    static const char *const spaces[] = {"none", "pool", "stride", "crop", NULL};
    static const char *const targets[] = {"last", "widest", NULL};
    AditComponentClass *component_class = ADIT_COMPONENT_CLASS(klass);

    component_class->kind = "aggregator";
    component_class->check = check;
    klass->begin = begin;
    adit_component_class_add_boolean(component_class, "input",
                                     "Whether the sequence's input counts as an output", FALSE,
                                     FIELD(input));
    adit_component_class_add_choice(component_class, "adapt",
                                    "What makes unequal widths equal: zeros, a learned or a fixed "
                                    "random 1x1, leaving channels out",
                                    widths, ADIT_ADAPT_NONE, FIELD(adapter.width));
    adit_component_class_add_choice(component_class, "adapt-space",
                                    "What makes unequal resolutions equal: means, every n-th, the "
                                    "centre; left at none, means where 'adapt' is set",
                                    spaces, ADIT_ADAPT_SPACE_NONE, FIELD(adapter.space));
    adit_component_class_add_choice(component_class, "adapt-to",
                                    "The width all become: the last output's or the widest",
                                    targets, ADIT_ADAPT_TO_LAST, FIELD(adapter.to));
}

static void
adit_aggregator_init(AditAggregator *self)
{
}

gboolean
adit_aggregator_counts_input(AditAggregator *self)
{
    AditAggregatorPrivate *priv = adit_aggregator_get_instance_private(self);

    return priv->input;
}

void
adit_aggregator_adapt(AditAggregator *self, AditGraph *graph, AditFold *fold, AditTensor **y)
{
    AditAggregatorPrivate *priv = adit_aggregator_get_instance_private(self);

    adit_adapter_join(&priv->adapter, ADIT_COMPONENT_GET_CLASS(self)->name, graph, fold, y);
}

void
adit_aggregator_adapt_space(AditAggregator *self, AditGraph *graph, AditFold *fold, AditTensor **y)
{
    AditAggregatorPrivate *priv = adit_aggregator_get_instance_private(self);

    adit_adapter_join_space(&priv->adapter, ADIT_COMPONENT_GET_CLASS(self)->name, graph, fold, y);
}
