/* core/component/adit-selection.c - SPDX-License-Identifier: MIT */
#include "adit-selection.h"

#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH 64

/**
 * Path: the segments from the root to a scope, of one instance.
 */
typedef struct {
    guint length;
    guint numbers[MAX_DEPTH];
    const AditScope *scopes[MAX_DEPTH];
} Path;

static void
path_init(Path *self, const AditScope *scope, guint instance)
{
    g_autofree char *text = adit_scope_to_string(scope, instance);
    g_auto(GStrv) words = g_strsplit(text, ".", -1);
    self->length = 0;
    for (const AditScope *s = scope; s != NULL; s = s->parent)
        self->length++;
    self->length = MIN(self->length, MAX_DEPTH);
    guint i = self->length;
    for (const AditScope *s = scope; s != NULL && i > 0; s = s->parent) {
        i--;
        self->scopes[i] = s;
        self->numbers[i] = s->number > 0 ? (guint) strtoul(words[i], NULL, 10) : 0;
    }
}

static gboolean
in_range(const char *segment, guint number)
{
    char *end;
    gulong from = strtoul(segment, &end, 10);
    if (*end == '\0')
        return number == from;
    gulong to = strtoul(end + 2, &end, 10);
    gulong by = *end == '/' ? strtoul(end + 1, NULL, 10) : 1;
    return number >= from && number <= to && (number - from) % MAX(by, 1) == 0;
}

static gboolean
has_type(const AditScope *scope, const char *word)
{
    return g_strcmp0(word, scope->type) == 0 ||
           (scope->other_types != NULL &&
            g_strv_contains((const char *const *) scope->other_types, word));
}

static gboolean
segment_matches(const char *segment, const Path *path, guint index)
{
    const AditScope *scope = path->scopes[index];
    if (g_str_equal(segment, "*"))
        return TRUE;
    if (g_ascii_isdigit(segment[0]))
        return scope->number > 0 && in_range(segment, path->numbers[index]);
    return g_strcmp0(segment, scope->name) == 0 || has_type(scope, segment);
}

/* "**" stands for any number of segments, at the end for at least one. */
static gboolean
matches(char **segments, const Path *path, guint index)
{
    if (*segments == NULL)
        return index == path->length;
    if (!g_str_equal(*segments, "**"))
        return index < path->length && segment_matches(*segments, path, index) &&
               matches(segments + 1, path, index + 1);
    for (guint i = index + (segments[1] == NULL); i <= path->length; i++) {
        if (matches(segments + 1, path, i))
            return TRUE;
    }
    return FALSE;
}

static char **
split_address(const char *address, const char **port)
{
    const char *colon = strchr(address, ':');
    g_autofree char *item =
        colon != NULL ? g_strndup(address, (gsize) (colon - address)) : g_strdup(address);
    /* a range has dots of its own */
    g_auto(GStrv) parts = g_strsplit(item, "..", -1);
    GString *joined = g_string_new(parts[0]);
    for (guint i = 1; parts[i] != NULL; i++)
        g_string_append_printf(joined, "\001\001%s", parts[i]);
    char **segments = g_strsplit(joined->str, ".", -1);
    for (char **segment = segments; *segment != NULL; segment++)
        g_strdelimit(*segment, "\001", '.');
    g_string_free(joined, TRUE);
    *port = g_intern_string(colon != NULL ? colon + 1 : "out");
    return segments;
}

/* Takes @address, of tap @order, for an instance of its tensor; of several it keeps the shortest.
 * @seen: tensor -> instances + 1 -> number of the pick + 1. */
static void
add_pick(GArray *picks, GHashTable *seen, const AditTap *tap, guint order, guint instance,
         char *address)
{
    AditTensor *tensor = tap->tensor;
    GHashTable *instances = g_hash_table_lookup(seen, tensor);
    gpointer key = GUINT_TO_POINTER(instance + 1);
    if (instances == NULL) {
        instances = g_hash_table_new(NULL, NULL);
        g_hash_table_insert(seen, tensor, instances);
    }
    guint number = GPOINTER_TO_UINT(g_hash_table_lookup(instances, key));
    if (number == 0) {
        AditPick pick = {address, tensor, tap->before, instance, order};
        g_array_append_val(picks, pick);
        g_hash_table_insert(instances, key, GUINT_TO_POINTER(picks->len));
        return;
    }
    AditPick *pick = &g_array_index(picks, AditPick, number - 1);
    if (strlen(address) < strlen(pick->address)) {
        g_free(pick->address);
        pick->address = address;
        pick->before = tap->before;
        pick->order = order;
        return;
    }
    g_free(address);
}

static void
clear_pick(gpointer data)
{
    g_free(((AditPick *) data)->address);
}

static int
compare_segments(const char *a, const char *b)
{
    static const char *const roots[] = {"input", "augment", "stem",
                                        "trunk", "head",    ADIT_EXITS_ROOT};
    gulong m = strtoul(a, NULL, 10), n = strtoul(b, NULL, 10);
    for (guint i = 0; i < G_N_ELEMENTS(roots); i++) {
        m = g_str_equal(a, roots[i]) ? i : m;
        n = g_str_equal(b, roots[i]) ? i : n;
    }
    return m < n ? -1 : m > n;
}

/* Forward order, as built; what is inside an item comes before the item's own output. Instances of
 * a loop were built at once: items go by their numbers. */
int
adit_pick_compare(gconstpointer a, gconstpointer b)
{
    const AditPick *x = a, *y = b;
    g_auto(GStrv) p = g_strsplit_set(x->address, ".:", -1);
    g_auto(GStrv) q = g_strsplit_set(y->address, ".:", -1);
    guint i = 0;
    while (p[i] != NULL && g_strcmp0(p[i], q[i]) == 0)
        i++;
    if (p[i] == NULL || q[i] == NULL)
        return (p[i] == NULL) - (q[i] == NULL);
    if (i == 0 || (g_ascii_isdigit(p[i][0]) && g_ascii_isdigit(q[i][0])))
        return compare_segments(p[i], q[i]);
    return x->order < y->order ? -1 : 1;
}

GArray *
adit_graph_pick(AditGraph *graph, const char *address)
{
    GArray *picks = g_array_new(FALSE, FALSE, sizeof(AditPick));
    g_array_set_clear_func(picks, clear_pick);
    const char *port;
    g_auto(GStrv) segments = split_address(address, &port);
    g_autoptr(GHashTable) seen =
        g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify) g_hash_table_unref);
    const GArray *taps = graph->root->taps;
    for (guint i = 0; i < taps->len; i++) {
        const AditTap *tap = &g_array_index(taps, AditTap, i);
        guint count = tap->port == port ? adit_scope_count(tap->scope) : 0;
        for (guint j = 0; j < count; j++) {
            Path path;
            path_init(&path, tap->scope, j);
            if (!matches(segments, &path, 0))
                continue;
            g_autofree char *text = adit_scope_to_string(tap->scope, j);
            add_pick(picks, seen, tap, i, j,
                     g_str_equal(port, "out") ? g_steal_pointer(&text)
                                              : g_strdup_printf("%s:%s", text, port));
        }
    }
    g_array_sort(picks, adit_pick_compare);
    return picks;
}

AditGrasp
adit_address_grasp(const char *address, const AditScope *around, guint number)
{
    const char *port;
    g_auto(GStrv) segments = split_address(address, &port);
    char **segment = segments;
    Path path;

    path_init(&path, around, 0);
    for (guint i = 0; i < path.length; i++, segment++) {
        if (*segment == NULL || g_str_equal(*segment, "**"))
            break;
        if (!segment_matches(*segment, &path, i))
            return ADIT_GRASP_NOTHING;
    }
    if (*segment == NULL)
        return ADIT_GRASP_NOTHING;
    if (g_ascii_isdigit((*segment)[0]) && !in_range(*segment, number))
        return ADIT_GRASP_NOTHING;
    /* a name may be that of any item */
    gboolean certain = g_ascii_isdigit((*segment)[0]) || g_str_equal(*segment, "*");
    return certain && segment[1] == NULL ? ADIT_GRASP_ITEM : ADIT_GRASP_INSIDE;
}

static gboolean
has_pick(const GArray *picks, const char *address)
{
    for (guint i = 0; i < picks->len; i++) {
        if (g_str_equal(g_array_index(picks, AditPick, i).address, address))
            return TRUE;
    }
    return FALSE;
}

void
adit_picks_merge(GArray *picks, GArray *more)
{
    for (guint i = 0; i < more->len; i++) {
        AditPick pick = g_array_index(more, AditPick, i);
        if (has_pick(picks, pick.address))
            continue;
        pick.address = g_strdup(pick.address);
        g_array_append_val(picks, pick);
    }
    g_array_unref(more);
}

gboolean
adit_address_covers(const char *address, const AditScope *scope, guint instance)
{
    const char *port;
    g_auto(GStrv) segments = split_address(address, &port);
    Path path;
    path_init(&path, scope, instance);
    for (guint length = path.length; length > 0; length--) {
        path.length = length;
        if (matches(segments, &path, 0))
            return TRUE;
    }
    return FALSE;
}

gboolean
adit_parameter_is_at(const AditTensor *parameter, guint instance, const char *address)
{
    if (parameter->scope == NULL)
        return FALSE;
    /* instances of a tied loop share one parameter: it is where the first of them is */
    gboolean tied = g_strv_length(parameter->names) != adit_scope_count(parameter->scope);
    return adit_address_covers(address, parameter->scope, tied ? 0 : instance);
}

gboolean
adit_scope_is_of_exit(const AditScope *scope)
{
    while (scope != NULL && scope->parent != NULL)
        scope = scope->parent;
    return scope != NULL && g_strcmp0(scope->name, ADIT_EXITS_ROOT) == 0;
}

guint
adit_graph_count_exits(AditGraph *graph)
{
    g_autoptr(GArray) picks = adit_graph_pick(graph, ADIT_EXITS_ROOT ".*");

    return picks->len;
}

AditTensor *
adit_graph_find_exit_input(const AditGraph *graph, const AditPick *exit)
{
    const AditScope *scope = g_array_index(graph->taps, AditTap, exit->order).scope;

    for (guint i = 0; i < graph->taps->len; i++) {
        const AditTap *tap = &g_array_index(graph->taps, AditTap, i);

        if (tap->scope == scope && g_str_equal(tap->port, "in"))
            return tap->tensor;
    }
    g_return_val_if_reached(NULL);
}

gboolean
adit_scope_is_of_feedback(const AditScope *scope)
{
    for (; scope != NULL; scope = scope->parent) {
        if (scope->number == 0 && g_strcmp0(scope->name, ADIT_EXIT_FEEDBACK) == 0 &&
            adit_scope_is_of_exit(scope))
            return TRUE;
    }
    return FALSE;
}

/* A section is called by its name. */
static const char *
get_type(const AditScope *scope)
{
    if (scope->type != NULL)
        return scope->type;
    return scope->parent != NULL ? "path" : scope->name;
}

/* The ports of the item at @segments, and its type; NULL if there is no such item. */
static GPtrArray *
list_ports(AditGraph *graph, char **segments, const char **type)
{
    GPtrArray *ports = NULL;
    const GArray *taps = graph->root->taps;
    for (guint i = 0; i < taps->len; i++) {
        const AditTap *tap = &g_array_index(taps, AditTap, i);
        for (guint j = 0; j < adit_scope_count(tap->scope); j++) {
            Path path;
            path_init(&path, tap->scope, j);
            if (!matches(segments, &path, 0))
                continue;
            if (ports == NULL)
                ports = g_ptr_array_new();
            if (!g_ptr_array_find(ports, tap->port, NULL))
                g_ptr_array_add(ports, (gpointer) tap->port);
            *type = get_type(tap->scope);
            break;
        }
    }
    return ports;
}

/* Highest number among the items of the sequence at @segments. */
static guint
count_children(AditGraph *graph, char **segments)
{
    guint count = 0;
    const GArray *taps = graph->root->taps;
    for (guint i = 0; i < taps->len; i++) {
        const AditTap *tap = &g_array_index(taps, AditTap, i);
        if (tap->scope->number == 0)
            continue;
        for (guint j = 0; j < adit_scope_count(tap->scope); j++) {
            Path path;
            path_init(&path, tap->scope, j);
            guint number = path.numbers[path.length - 1];
            path.length--;
            if (number > count && matches(segments, &path, 0))
                count = number;
        }
    }
    return count;
}

/* Whether what @scope is in is at @segments. */
static gboolean
is_child(const AditScope *scope, char **segments)
{
    for (guint i = 0; i < adit_scope_count(scope); i++) {
        Path path;
        path_init(&path, scope, i);
        path.length--;
        if (matches(segments, &path, 0))
            return TRUE;
    }
    return FALSE;
}

/* (nullable): the names of the paths at @segments: "short, long". */
static char *
list_paths(AditGraph *graph, char **segments)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    const GArray *taps = graph->root->taps;
    for (guint i = 0; i < taps->len; i++) {
        const AditScope *scope = g_array_index(taps, AditTap, i).scope;
        if (scope->number == 0 && scope->parent != NULL && is_child(scope, segments) &&
            !g_ptr_array_find_with_equal_func(names, scope->name, g_str_equal, NULL))
            g_ptr_array_add(names, scope->name);
    }
    g_ptr_array_add(names, NULL);
    return names->len > 1 ? g_strjoinv(", ", (char **) names->pdata) : NULL;
}

char *
adit_graph_explain_address(AditGraph *graph, const char *address)
{
    const char *port, *type = NULL;
    g_auto(GStrv) segments = split_address(address, &port);
    g_autoptr(GPtrArray) ports = list_ports(graph, segments, &type);
    if (ports != NULL) {
        g_autofree char *item = g_strndup(address, strcspn(address, ":"));
        g_ptr_array_add(ports, NULL);
        g_autofree char *list = g_strjoinv(", ", (char **) ports->pdata);
        return g_strdup_printf("'%s' has no ':%s'; it is a '%s' (%s)", item, port, type, list);
    }
    for (guint n = g_strv_length(segments); n > 1; n--) {
        g_clear_pointer(&segments[n - 1], g_free);
        guint count = count_children(graph, segments);
        g_autofree char *around = g_strjoinv(".", segments);
        g_autofree char *paths = list_paths(graph, segments);
        if (paths != NULL)
            return g_strdup_printf("nothing is at '%s'; '%s' has the paths %s", address, around,
                                   paths);
        if (count > 0)
            return g_strdup_printf("nothing is at '%s'; '%s' has %u item%s", address, around, count,
                                   count == 1 ? "" : "s");
    }
    return g_strdup_printf("nothing is at '%s'", address);
}
