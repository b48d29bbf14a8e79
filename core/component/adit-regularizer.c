/* core/component/adit-regularizer.c - SPDX-License-Identifier: MIT */
#include "adit-settings.h"

typedef struct {
    GStrv at;
} AditRegularizerPrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE(AditRegularizer, adit_regularizer, ADIT_TYPE_COMPONENT)

static void
adit_regularizer_class_init(AditRegularizerClass *klass)
{
    AditComponentClass *component_class = ADIT_COMPONENT_CLASS(klass);

    component_class->kind = "regularizer";
    adit_component_class_add_addresses(component_class, "at", "What is regularized", NULL,
                                       (gsize) G_PRIVATE_OFFSET(AditRegularizer, at));
}

static void
adit_regularizer_init(AditRegularizer *self)
{
}

const char *const *
adit_regularizer_get_at(AditRegularizer *self)
{
    AditRegularizerPrivate *priv = adit_regularizer_get_instance_private(self);

    return (const char *const *) priv->at;
}

char *
adit_regularizers_name_figure(const GPtrArray *regularizers, guint index)
{
    AditComponentClass *own = ADIT_COMPONENT_GET_CLASS(regularizers->pdata[index]);
    guint n = 1;

    if (ADIT_REGULARIZER_CLASS(own)->join == NULL)
        return NULL;
    for (guint i = 0; i < index; i++)
        n += ADIT_COMPONENT_GET_CLASS(regularizers->pdata[i]) == own;
    return n == 1 ? g_strdup(own->name) : g_strdup_printf("%s-%u", own->name, n);
}
