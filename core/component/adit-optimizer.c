/* core/component/adit-optimizer.c - SPDX-License-Identifier: MIT */
#include <adit/adit-optimizer.h>

G_DEFINE_ABSTRACT_TYPE(AditOptimizer, adit_optimizer, ADIT_TYPE_COMPONENT)

static void
adit_optimizer_class_init(AditOptimizerClass *klass)
{
    ADIT_COMPONENT_CLASS(klass)->kind = "optimizer";
}

static void
adit_optimizer_init(AditOptimizer *self)
{
}
