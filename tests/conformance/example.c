/* tests/conformance/example.c - SPDX-License-Identifier: MIT */
#include <adit/adit-dataset.h>

#include "adit-node.h"
#include "conformance.h"

static gpointer make_reference(const char *kind, const AditNode *node);

static GArray *
read_numbers(const AditNode *node)
{
    GArray *numbers = g_array_new(FALSE, FALSE, sizeof(double));

    for (guint i = 0; i < adit_node_count(node); i++) {
        double number = adit_node_get_scalar(adit_node_get_item(node, i)).number;
        g_array_append_val(numbers, number);
    }
    return numbers;
}

static AditLive *
read_live(const AditNode *node)
{
    if (node->kind == ADIT_NODE_SCALAR)
        return adit_live_new(adit_node_get_scalar(node).number);
    g_autoptr(AditSchedule) schedule = make_reference("schedule", node);
    return adit_live_new_scheduled(schedule);
}

static int
read_choice(const AditParameter *parameter, const AditNode *node)
{
    int index = 0;

    while (parameter->words[index] != NULL && !g_str_equal(parameter->words[index], node->text))
        index++;
    return index;
}

/* Plain values as examples have them: no percentages and no units. */
static void
read_value(const AditParameter *parameter, const AditNode *node, GValue *value)
{
    AditScalar scalar = {0};

    if (node->kind == ADIT_NODE_SCALAR)
        scalar = adit_node_get_scalar(node);
    g_value_init(value, parameter->pspec->value_type);
    switch (parameter->type) {
    case ADIT_PARAMETER_INT:
        g_value_set_int64(value, scalar.integer);
        break;
    case ADIT_PARAMETER_NUMBER:
        g_value_set_double(value, scalar.number);
        break;
    case ADIT_PARAMETER_BOOLEAN:
        g_value_set_boolean(value, scalar.boolean);
        break;
    case ADIT_PARAMETER_TEXT:
    case ADIT_PARAMETER_PATH:
        g_value_set_string(value, node->text);
        break;
    case ADIT_PARAMETER_CHOICE:
        g_value_set_int(value, read_choice(parameter, node));
        break;
    case ADIT_PARAMETER_AMOUNT:
        g_value_set_boxed(value, &(AditAmount){.value = scalar.number});
        break;
    case ADIT_PARAMETER_LIVE:
        g_value_take_boxed(value, read_live(node));
        break;
    case ADIT_PARAMETER_NUMBERS:
        g_value_take_boxed(value, read_numbers(node));
        break;
    case ADIT_PARAMETER_REFERENCE: {
        AditComponentClass *klass = g_type_class_ref(parameter->kind);
        g_value_take_object(value, make_reference(klass->kind, node));
        g_type_class_unref(klass);
        break;
    }
    case ADIT_PARAMETER_TEXTS:
    case ADIT_PARAMETER_ADDRESSES:
    default: {
        const char *texts[] = {node->text, NULL};
        g_value_set_boxed(value, texts);
        break;
    }
    }
}

static gpointer
make(GType type, const AditNode *parameters)
{
    g_autoptr(GError) error = NULL;
    AditComponent *component = g_object_new(type, NULL);

    for (guint i = 0; parameters != NULL && i < adit_node_count(parameters); i++) {
        const char *name = adit_node_get_key(parameters, i)->text;
        const AditParameter *parameter =
            adit_component_class_find_parameter(ADIT_COMPONENT_GET_CLASS(component), name);
        g_auto(GValue) value = G_VALUE_INIT;
        g_assert_nonnull(parameter);
        read_value(parameter, adit_node_get_item(parameters, i), &value);
        g_assert_true(g_param_value_is_valid(parameter->pspec, &value));
        g_object_set_property(G_OBJECT(component), name, &value);
    }
    /* a dataset may want files, which no example can name */
    if (!ADIT_IS_DATASET(component)) {
        adit_component_check(component, &error);
        g_assert_no_error(error);
    }
    return component;
}

static gpointer
make_reference(const char *kind, const AditNode *node)
{
    g_autoptr(GError) error = NULL;
    gboolean named = node->kind == ADIT_NODE_MAPPING;
    const char *name = named ? adit_node_get_key(node, 0)->text : node->text;
    GType type = adit_registry_find(adit_registry_get(), kind, name, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(type, !=, 0);
    return make(type, named ? adit_node_get_item(node, 0) : NULL);
}

gpointer
make_example(const AditPlugin *plugin)
{
    g_autoptr(AditComponentClass) klass = g_type_class_ref(plugin->type);
    if (klass->example == NULL)
        return make(plugin->type, NULL);

    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();
    g_autoptr(AditSource) source = adit_source_new("example", klass->example);
    g_autoptr(AditNode) node = adit_yaml_read(source, diagnostics);
    g_assert_nonnull(node);
    g_assert_cmpint(node->kind, ==, ADIT_NODE_MAPPING);
    g_assert_cmpstr(adit_node_get_key(node, 0)->text, ==, plugin->name);
    return make_reference(plugin->kind, node);
}
