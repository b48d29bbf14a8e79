/* core/component/adit-strategy.c - SPDX-License-Identifier: MIT */
#include <adit/adit-strategy.h>

G_DEFINE_ABSTRACT_TYPE(AditStrategy, adit_strategy, ADIT_TYPE_COMPONENT)

static void
adit_strategy_class_init(AditStrategyClass *klass)
{
    ADIT_COMPONENT_CLASS(klass)->kind = "strategy";
}

static void
adit_strategy_init(AditStrategy *self)
{
}
