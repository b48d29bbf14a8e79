/* core/component/adit-loss.c - SPDX-License-Identifier: MIT */
#include <adit/adit-loss.h>
#include <adit/adit-ops.h>

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

static const char *
name_of(AditLoss *self)
{
    return ADIT_COMPONENT_GET_CLASS(self)->name;
}

AditTensor *
adit_loss_match_values(AditLoss *self, AditGraph *graph, AditTensor *outputs, AditTensor *targets)
{
    const AditShape *got = adit_tensor_get_shape(outputs);
    const AditShape *expected = adit_tensor_get_shape(targets);
    g_autofree char *got_text = adit_shape_to_string(got);
    g_autofree char *expected_text = adit_shape_to_string(expected);

    if (adit_tensor_has_failed(outputs) || adit_tensor_has_failed(targets))
        return adit_tensor_has_failed(outputs) ? outputs : targets;
    if (adit_tensor_get_classes(targets) > 0)
        return adit_graph_fail(graph, "'%s' needs values as targets, but the data has %u classes",
                               name_of(self), adit_tensor_get_classes(targets));
    if (adit_shape_count(got) != adit_shape_count(expected))
        return adit_graph_fail(
            graph, "'%s' needs %s output%s for the data's targets, but the head gives %s",
            name_of(self), expected_text, adit_shape_count(expected) == 1 ? "" : "s", got_text);
    return adit_reshape(targets, got);
}

AditTensor *
adit_loss_match_classes(AditLoss *self, AditGraph *graph, AditTensor *outputs, AditTensor *targets)
{
    const AditShape *shape = adit_tensor_get_shape(outputs);
    guint classes = adit_tensor_get_classes(targets);
    g_autofree char *got = adit_shape_to_string(shape);

    if (adit_tensor_has_failed(outputs) || adit_tensor_has_failed(targets))
        return adit_tensor_has_failed(outputs) ? outputs : targets;
    if (classes == 0)
        return adit_graph_fail(graph, "'%s' needs classes as targets, but the data has values",
                               name_of(self));
    if (shape->rank != 1 || shape->size[0] != classes)
        return adit_graph_fail(
            graph, "'%s' needs %u logits for the data's %u classes, but the head gives %s",
            name_of(self), classes, classes, got);
    return outputs;
}
