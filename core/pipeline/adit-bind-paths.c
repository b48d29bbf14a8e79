/* core/pipeline/adit-bind-paths.c - SPDX-License-Identifier: MIT */
#include "adit-binder.h"
#include "adit-paths.h"

/* Parallel lists: {of: {word: sequence, ...}, join, axis}. */

static void
report(AditBinder *self, AditValue value, const char *text)
{
    adit_value_error(&self->substitution, value, ADIT_ERROR_INVALID, "%s", text);
}

/* Binds the choice @key of the block, or takes its default. FALSE: it is wrong or not known. */
static gboolean
bind_choice(AditBinder *self, AditPaths *paths, AditValue value, const char *key,
            AditNode *resolved)
{
    const AditParameter *parameter =
        adit_component_class_find_parameter(ADIT_COMPONENT_GET_CLASS(paths), key);

    if (value.node == NULL) {
        adit_node_set_new(resolved, key, adit_resolve_default(parameter));
        return TRUE;
    }
    g_auto(AditBound) bound = adit_bind_value(self, parameter, value, FALSE, NULL);

    adit_node_set_new(resolved, key, adit_node_ref(bound.resolved));
    if (bound.good)
        g_object_set(paths, key, (int) bound.integer, NULL);
    return bound.good;
}

static gboolean
bind_join(AditBinder *self, AditPaths *paths, AditValue mapping, AditNode *resolved)
{
    AditValue join = adit_value_get(mapping, "join"), axis = adit_value_get(mapping, "axis");
    gboolean known = bind_choice(self, paths, join, "join", resolved);
    gboolean is_concat = known && adit_paths_get_join(paths) == ADIT_JOIN_CONCAT;

    if (axis.node == NULL && !is_concat)
        return known;
    if (known && !is_concat) {
        report(self, axis, "'axis' is where 'join: concat' joins; no other join takes it");
        return FALSE;
    }
    return bind_choice(self, paths, axis, "axis", resolved) && known;
}

/* Adds path number @index. FALSE: it is wrong or not known. */
static gboolean
bind_path(AditBinder *self, AditPaths *paths, AditValue of, guint index, AditNode *resolved)
{
    g_autoptr(GPtrArray) types = g_ptr_array_new_with_free_func(g_free);
    AditNode *name = adit_node_get_key(of.node, index);
    AditValue key = {.node = name, .scope = of.scope, .pass = of.pass};
    gboolean good = adit_bind_check_name(self, key, name->text, "a path");
    AditNode *node = NULL;
    g_autoptr(AditBlock) block =
        adit_bind_typed_sequence(self, adit_value_item(of, index), types, &node);

    adit_node_set_new(resolved, name->text, node);
    if (block == NULL || !good)
        return FALSE;
    g_ptr_array_add(types, NULL);
    adit_paths_add(paths, name->text, block, (const char *const *) types->pdata);
    return TRUE;
}

static gboolean
bind_of(AditBinder *self, AditPaths *paths, AditValue mapping, AditNode *resolved)
{
    AditValue of = adit_value_get(mapping, "of");
    AditNode *node = adit_node_new_mapping(NULL);
    gboolean good = TRUE;

    if (of.node == NULL) {
        report(self, mapping, "'paths' needs 'of'");
        adit_node_unref(node);
        return FALSE;
    }
    of = adit_substitute(&self->substitution, of);
    if (of.node == NULL || of.opaque) {
        adit_node_unref(node);
        adit_node_set_new(resolved, "of",
                          of.node != NULL ? adit_node_copy(of.node) : adit_bind_nothing());
        return FALSE;
    }
    adit_node_set_new(resolved, "of", node);
    if (of.node->kind != ADIT_NODE_MAPPING || adit_node_count(of.node) == 0) {
        g_autofree char *got = adit_node_describe(of.node);

        adit_value_error(&self->substitution, of, ADIT_ERROR_INVALID,
                         "'of' must be at least one path, {name: sequence, ...}, got %s", got);
        return FALSE;
    }
    for (guint i = 0; i < adit_node_count(of.node); i++)
        good = bind_path(self, paths, of, i, node) && good;
    return good;
}

AditBlock *
adit_bind_paths(AditBinder *self, AditValue value, const AditPlace *place, AditNode **resolved)
{
    static const char *const keys[] = {"of", "join", "axis", "name", NULL};
    g_autoptr(AditPaths) paths = adit_paths_new();

    value = adit_substitute(&self->substitution, value);
    if (value.node == NULL || value.opaque) {
        *resolved = value.node == NULL ? adit_bind_nothing() : adit_node_copy(value.node);
        return NULL;
    }
    *resolved = adit_node_new_mapping(NULL);
    if (value.node->kind != ADIT_NODE_MAPPING) {
        report(self, value, "'paths' must be a mapping with 'of'");
        return NULL;
    }
    adit_bind_check_keys(self, value, keys, "key", "paths");
    adit_component_set_place(ADIT_COMPONENT(paths), place);
    gboolean good = bind_of(self, paths, value, *resolved);

    good = bind_join(self, paths, value, *resolved) && good;
    adit_bind_keep_node(paths, ADIT_NODE_OWN, *resolved);
    return good ? (AditBlock *) g_steal_pointer(&paths) : NULL;
}
