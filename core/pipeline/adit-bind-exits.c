/* core/pipeline/adit-bind-exits.c - SPDX-License-Identifier: MIT */
#include "adit-binder.h"
#include "adit-exit.h"

/* The section `exits`: places and heads. */

static void
report(AditBinder *self, AditValue value, const char *text)
{
    adit_value_error(&self->substitution, value, ADIT_ERROR_INVALID, "%s", text);
}

/* A placement rule needs the costs of the network, which this version looks at with `adit inspect`
 * alone. */
static gboolean
bind_at(AditBinder *self, AditValue exit, AditBound *bound, AditNode *resolved)
{
    static const AditParameter parameter = {.name = "at", .type = ADIT_PARAMETER_ADDRESSES};
    AditValue at = adit_substitute(&self->substitution, adit_value_get(exit, "at"));

    if (at.node == NULL) {
        report(self, exit, "an exit needs 'at', which says where it is");
        return FALSE;
    }
    if (at.node->kind == ADIT_NODE_MAPPING) {
        report(self, at, "placing exits by 'cost' is not in this build; write their addresses");
        return FALSE;
    }
    *bound = adit_bind_value(self, &parameter, at, FALSE, NULL);
    adit_node_set_new(resolved, "at", adit_node_ref(bound->resolved));
    return bound->good;
}

/* @head: (out): NULL: the model's own. FALSE: wrong, or of unknown parts. */
static gboolean
bind_head(AditBinder *self, AditValue exit, AditBlock **head, AditNode *resolved)
{
    AditValue value = adit_substitute(&self->substitution, adit_value_get(exit, "head"));
    AditNode *node = NULL;

    if (value.node == NULL) {
        report(self, exit, "an exit needs 'head': a sequence, or shared, which is the model's own");
        return FALSE;
    }
    if (g_strcmp0(value.node->text, "shared") == 0) {
        adit_node_set_new(resolved, "head", adit_node_new_scalar("shared", TRUE, NULL));
        return TRUE;
    }
    *head = adit_bind_sequence(self, value, &node);
    adit_node_set_new(resolved, "head", node);
    return *head != NULL;
}

static gboolean
bind_name(AditBinder *self, AditValue exit, AditBound *bound, AditNode *resolved)
{
    static const AditParameter parameter = {.name = "name", .type = ADIT_PARAMETER_TEXT};
    AditValue name = adit_substitute(&self->substitution, adit_value_get(exit, "name"));

    if (name.node == NULL)
        return TRUE;
    *bound = adit_bind_value(self, &parameter, name, FALSE, NULL);
    if (!bound->good || !adit_bind_check_name(self, name, bound->text, "an exit"))
        return FALSE;
    adit_node_set_new(resolved, "name", adit_node_ref(bound->resolved));
    return TRUE;
}

static gboolean
is_taken(const GPtrArray *exits, const char *name)
{
    for (guint i = 0; i < exits->len; i++) {
        if (g_strcmp0(adit_exit_get_name(exits->pdata[i]), name) == 0)
            return TRUE;
    }
    return FALSE;
}

static void
bind_exit(AditBinder *self, AditValue value, AditNode *resolved)
{
    static const char *const keys[] = {"at", "head", "name", NULL};
    g_auto(AditBound) at = {0}, name = {0};
    g_autoptr(AditBlock) head = NULL;
    AditExit *exit;
    GPtrArray *exits = self->experiment->model.exits;

    value = adit_substitute(&self->substitution, value);
    if (value.node == NULL)
        return;
    if (value.node->kind != ADIT_NODE_MAPPING) {
        report(self, value, "an exit must be a mapping with 'at' and 'head'");
        return;
    }
    AditNode *node = adit_node_new_mapping(NULL);

    adit_node_append(resolved, node);
    adit_bind_check_keys(self, value, keys, "key", "exits");
    gboolean good = bind_name(self, value, &name, node);

    good = bind_at(self, value, &at, node) && good;
    good = bind_head(self, value, &head, node) && good;
    if (good && name.text != NULL && is_taken(exits, name.text)) {
        report(self, adit_value_get(value, "name"), "two exits have this name");
        good = FALSE;
    }
    if (!good)
        return;
    exit = adit_exit_new((const char *const *) at.texts, head, name.text);
    adit_component_set_place(ADIT_COMPONENT(exit), &adit_value_get(value, "at").node->place);
    g_ptr_array_add(exits, exit);
}

void
adit_bind_exits(AditBinder *self, AditValue value, AditNode *resolved)
{
    AditNode *list = adit_node_new_list(NULL);

    self->experiment->model.exits = g_ptr_array_new_with_free_func(g_object_unref);
    if (value.node != NULL)
        adit_node_set_new(resolved, "exits", adit_node_ref(list));
    value = adit_substitute(&self->substitution, value);
    if (value.node != NULL && value.node->kind != ADIT_NODE_LIST)
        bind_exit(self, value, list);
    for (guint i = 0; value.node != NULL && value.node->kind == ADIT_NODE_LIST &&
                      i < adit_node_count(value.node);
         i++)
        bind_exit(self, adit_value_item(value, i), list);
    adit_node_unref(list);
}
