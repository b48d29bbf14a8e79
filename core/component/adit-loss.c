/* core/component/adit-loss.c - SPDX-License-Identifier: MIT */
#include <adit/adit-loss.h>

G_DEFINE_ABSTRACT_TYPE(AditLoss, adit_loss, ADIT_TYPE_COMPONENT)

static void
adit_loss_class_init(AditLossClass *klass)
{
    ADIT_COMPONENT_CLASS(klass)->kind = "loss";
}

static void
adit_loss_init(AditLoss *self)
{
}
