/* core/report/adit-config-keys.c - SPDX-License-Identifier: MIT */
#include "adit-config-keys.h"

#include "adit-node.h"

struct _AditConfigKeys {
    GPtrArray *keys;
    GHashTable *values; /* by key */
};

void
adit_config_keys_free(AditConfigKeys *self)
{
    g_ptr_array_unref(self->keys);
    g_hash_table_unref(self->values);
    g_free(self);
}

static void
add_value(AditConfigKeys *self, const char *key, const char *value)
{
    char *kept = g_strdup(key);

    if (g_hash_table_insert(self->values, kept, g_strdup(value)))
        g_ptr_array_add(self->keys, kept);
}

static void
add_node(AditConfigKeys *self, const char *key, const AditNode *node)
{
    gboolean is_list = node->kind == ADIT_NODE_LIST;

    if (node->kind == ADIT_NODE_SCALAR) {
        add_value(self, key, node->text);
        return;
    }
    if (is_list && adit_node_count(node) == 1 &&
        adit_node_get_item(node, 0)->kind == ADIT_NODE_MAPPING) {
        add_node(self, key, adit_node_get_item(node, 0));
        return;
    }
    if (adit_node_count(node) == 0)
        add_value(self, key, is_list ? "[]" : "{}");
    for (guint i = 0; i < adit_node_count(node); i++) {
        g_autofree char *item =
            is_list ? g_strdup_printf("%u", i + 1) : g_strdup(adit_node_get_key(node, i)->text);
        g_autofree char *path = *key != '\0' ? g_strdup_printf("%s.%s", key, item) : g_strdup(item);

        add_node(self, path, adit_node_get_item(node, i));
    }
}

AditConfigKeys *
adit_config_keys_new(const char *path, const char *text, GError **error)
{
    g_autoptr(AditSource) source = adit_source_new(path, text);
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();
    g_autoptr(AditNode) root = adit_yaml_read(source, diagnostics);
    AditConfigKeys *self;

    if (root == NULL || adit_diagnostics_count_errors(diagnostics) > 0 ||
        root->kind != ADIT_NODE_MAPPING) {
        g_autofree char *line = adit_diagnostics_count_errors(diagnostics) > 0
                                    ? adit_diagnostics_get_line(diagnostics, 0)
                                    : g_strdup_printf("%s: expected keys and values", path);

        g_set_error_literal(error, ADIT_ERROR, ADIT_ERROR_DAMAGED, line);
        return NULL;
    }
    self = g_new0(AditConfigKeys, 1);
    self->keys = g_ptr_array_new();
    self->values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    add_node(self, "", root);
    return self;
}

guint
adit_config_keys_count(const AditConfigKeys *self)
{
    return self->keys->len;
}

const char *
adit_config_keys_get_key(const AditConfigKeys *self, guint index)
{
    return g_ptr_array_index(self->keys, index);
}

const char *
adit_config_keys_find(const AditConfigKeys *self, const char *key)
{
    return g_hash_table_lookup(self->values, key);
}
