/* core/pipeline/adit-bind-exits.c - SPDX-License-Identifier: MIT */
#include "adit-binder.h"
#include "adit-exit.h"

/* The section `exits`: places and heads. */

static void
report(AditBinder *self, AditValue value, const char *text)
{
    adit_value_error(&self->substitution, value, ADIT_ERROR_INVALID, "%s", text);
}

/* The list under `shares`: shares above 0, below 1, in order. */
static GArray *
bind_shares(AditBinder *self, AditValue value, AditNode *resolved)
{
    static const AditParameter parameter = {
        .name = "shares", .type = ADIT_PARAMETER_AMOUNT, .form = ADIT_FORM_SHARE, .max = 1};
    gboolean is_list = value.node->kind == ADIT_NODE_LIST;
    g_autoptr(GArray) shares = g_array_new(FALSE, FALSE, sizeof(double));

    for (guint i = 0; i < (is_list ? adit_node_count(value.node) : 1); i++) {
        g_auto(AditBound) bound = adit_bind_value(
            self, &parameter, is_list ? adit_value_item(value, i) : value, FALSE, NULL);

        if (!bound.good)
            return NULL;
        adit_node_append(resolved, adit_node_ref(bound.resolved));
        g_array_append_val(shares, bound.amount.value);
    }
    if (shares->len > 0)
        return g_steal_pointer(&shares);
    report(self, value, "'shares' must have one share at least");
    return NULL;
}

/* `{cost: {shares: [15%, 30%], among: trunk.*}}`; @shares: (out) */
static gboolean
bind_cost(AditBinder *self, AditValue at, AditBound *among, GArray **shares, AditNode *resolved)
{
    static const char *const rules[] = {"cost", NULL};
    static const char *const keys[] = {"shares", "among", NULL};
    static const AditParameter parameter = {.name = "among", .type = ADIT_PARAMETER_ADDRESSES};
    AditNode *cost = adit_node_new_mapping(NULL), *list = adit_node_new_list(NULL);
    AditValue rule = adit_substitute(&self->substitution, adit_value_get(at, "cost"));

    adit_node_set_new(resolved, "cost", cost);
    adit_node_set_new(cost, "shares", list);
    adit_bind_check_keys(self, at, rules, "key", "at");
    if (rule.node == NULL || rule.node->kind != ADIT_NODE_MAPPING) {
        report(self, at, "exits are placed by {cost: {shares: [15%, 30%], among: trunk.*}}");
        return FALSE;
    }
    adit_bind_check_keys(self, rule, keys, "key", "cost");
    AditValue given = adit_substitute(&self->substitution, adit_value_get(rule, "shares"));
    AditValue where = adit_value_get(rule, "among");

    if (given.node == NULL || where.node == NULL) {
        report(self, rule, "'cost' needs 'shares' and 'among'");
        return FALSE;
    }
    *shares = bind_shares(self, given, list);
    *among = adit_bind_value(self, &parameter, where, FALSE, NULL);
    adit_node_set_new(cost, "among", adit_node_ref(among->resolved));
    return *shares != NULL && among->good;
}

/* @shares: (out): NULL unless it is placed by cost */
static gboolean
bind_at(AditBinder *self, AditValue exit, AditBound *bound, GArray **shares, AditNode *resolved)
{
    static const AditParameter parameter = {.name = "at", .type = ADIT_PARAMETER_ADDRESSES};
    AditValue at = adit_substitute(&self->substitution, adit_value_get(exit, "at"));

    if (at.node == NULL) {
        report(self, exit, "an exit needs 'at', which says where it is");
        return FALSE;
    }
    if (at.node->kind == ADIT_NODE_MAPPING) {
        AditNode *node = adit_node_new_mapping(NULL);

        adit_node_set_new(resolved, "at", node);
        return bind_cost(self, at, bound, shares, node);
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
    g_autoptr(GArray) shares = NULL;
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

    good = bind_at(self, value, &at, &shares, node) && good;
    good = bind_head(self, value, &head, node) && good;
    if (good && name.text != NULL && is_taken(exits, name.text)) {
        report(self, adit_value_get(value, "name"), "two exits have this name");
        good = FALSE;
    }
    if (!good)
        return;
    exit = adit_exit_new((const char *const *) at.texts, head, name.text);
    if (shares != NULL)
        adit_exit_place_by_cost(exit, shares);
    adit_component_set_place(ADIT_COMPONENT(exit), &adit_value_get(value, "at").node->place);
    g_ptr_array_add(exits, exit);
}

void
adit_bind_exits(AditBinder *self, AditValue value, AditNode *resolved)
{
    AditNode *list = adit_node_new_list(NULL);

    self->experiment->model.exits = g_ptr_array_new_with_free_func(g_object_unref);
    /* left out beside `from` they would be the run's */
    if (value.node != NULL || self->experiment->from != NULL)
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
