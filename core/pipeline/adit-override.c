/* core/pipeline/adit-override.c - SPDX-License-Identifier: MIT */
#include "adit-override.h"

#include <string.h>

/* What a mapping's keys are: names of keys, or (in a reference) the one name of a component, whose
 * parameters stand under it. */
typedef enum { ROLE_KEYS, ROLE_REFERENCE } Role;

/* A walk down the tree. @at is what @path, the first @n_done segments, leads to. */
typedef struct {
    const GPtrArray *overrides; /* (element-type AditOverride): all of them */
    const AditOverride *override;
    const AditNode *root;
    AditDiagnostics *diagnostics;
    char **segments;
    guint n_done;
    AditNode *parent;
    guint index; /* of @at in its parent */
    AditNode *at;
    Role role;
} Walk;

AditOverride *
adit_override_new(const char *path, gboolean is_path, const AditPlace *place, AditNode *value)
{
    AditOverride *self = g_new0(AditOverride, 1);

    self->place = *place;
    self->path = g_strdup(path);
    self->value = value;
    self->is_path = is_path;
    self->remove = is_path && adit_node_is_null(value);
    return self;
}

void
adit_override_free(AditOverride *self)
{
    g_free(self->path);
    g_clear_pointer(&self->value, adit_node_unref);
    g_free(self);
}

/* Arguments are read as the line "name: value" that they stand for, so that places in the value are
 * those of that line. */
static AditOverride *
read_argument(const char *argument, guint number, gboolean is_path, GPtrArray *sources,
              AditDiagnostics *diagnostics)
{
    const char *equals = strchr(argument, '=');
    gsize length = equals != NULL ? (gsize) (equals - argument) : strlen(argument);
    g_autofree char *name = g_strndup(argument, length);
    g_autofree char *line =
        equals != NULL ? g_strdup_printf("%s: %s", name, equals + 1) : g_strdup(argument);
    AditSource *source = adit_source_new_argument(number, line);
    AditPlace place = {source, 1, 1, (guint) MAX(g_utf8_strlen(name, -1), 1)};

    g_ptr_array_add(sources, source);
    if (equals == NULL || length == 0 || *argument == '+') {
        adit_diagnostics_error(diagnostics, &place, ADIT_ERROR_INVALID,
                               "an override reads %s, got \"%s\"",
                               is_path ? "'path=value'" : "'name=value'", argument);
        return NULL;
    }
    g_autoptr(AditNode) node = adit_yaml_read(source, diagnostics);

    if (node == NULL)
        return NULL;
    if (node->kind != ADIT_NODE_MAPPING || adit_node_count(node) != 1) {
        adit_diagnostics_error(diagnostics, &place, ADIT_ERROR_INVALID,
                               "an override sets one value, got \"%s\"", argument);
        return NULL;
    }
    gboolean appends = g_str_has_suffix(name, "+");

    if (appends)
        name[--length] = '\0';
    place.length = (guint) MAX(g_utf8_strlen(name, -1), 1);
    AditOverride *override =
        adit_override_new(name, is_path, &place, adit_node_ref(adit_node_get_item(node, 0)));

    override->append = appends;
    return override;
}

GPtrArray *
adit_overrides_read(const char *const *arguments, guint first_argument, GPtrArray *sources,
                    AditDiagnostics *diagnostics)
{
    GPtrArray *overrides = g_ptr_array_new_with_free_func((GDestroyNotify) adit_override_free);

    for (guint i = 0; arguments != NULL && arguments[i] != NULL; i++) {
        gboolean is_path = strcmp(arguments[i], "-o") == 0 && arguments[i + 1] != NULL;

        if (is_path)
            i++;
        if (*arguments[i] == '\0' && !is_path)
            continue;
        AditOverride *override =
            read_argument(arguments[i], first_argument + i, is_path, sources, diagnostics);

        if (override != NULL)
            g_ptr_array_add(overrides, override);
    }
    return overrides;
}

AditOverride *
adit_overrides_find(const GPtrArray *overrides, const char *name)
{
    AditOverride *found = NULL;

    for (guint i = 0; i < overrides->len; i++) {
        AditOverride *override = (AditOverride *) g_ptr_array_index(overrides, i);

        if (!override->is_path && strcmp(override->path, name) == 0) {
            override->used = TRUE;
            found = override;
        }
    }
    return found;
}

/* The path walked so far: "train.optimizer". */
static char *
get_done(const Walk *walk)
{
    GString *path = g_string_new(NULL);

    for (guint i = 0; i < walk->n_done; i++)
        g_string_append_printf(path, "%s%s", i > 0 ? "." : "", walk->segments[i]);
    return g_string_free(path, FALSE);
}

static char *
get_origin(const AditNode *node)
{
    if (node->place.source == NULL)
        return g_strdup("the command line");
    return node->place.source->is_argument
               ? g_strdup(node->place.source->name)
               : g_strdup_printf("%s:%u", node->place.source->name, node->place.line);
}

static gboolean
fail(const Walk *walk, const char *text)
{
    adit_diagnostics_error(walk->diagnostics, &walk->override->place, ADIT_ERROR_INVALID, "%s",
                           text);
    return FALSE;
}

static gboolean
fail_name(const Walk *walk, const AditNode *name)
{
    g_autofree char *done = get_done(walk);
    g_autofree char *origin = get_origin(name);
    g_autofree char *text = g_strdup_printf("'%s' is '%s' (%s), not '%s'", done, name->text, origin,
                                            walk->segments[walk->n_done]);

    return fail(walk, text);
}

/* (nullable): what parameter @name of the file will stand for. */
static const AditNode *
find_parameter(const Walk *walk, const char *name)
{
    const AditNode *params = adit_node_get(walk->root, "params");
    const AditNode *value =
        params != NULL && params->kind == ADIT_NODE_MAPPING ? adit_node_get(params, name) : NULL;

    for (guint i = 0; value != NULL && i < walk->overrides->len; i++) {
        const AditOverride *override = (const AditOverride *) walk->overrides->pdata[i];

        if (!override->is_path && strcmp(override->path, name) == 0)
            value = override->value;
    }
    return value;
}

/* "$set" is called what parameter `set` says. In a part the parameter may be the part's own, which
 * has a value only where the part is used. */
static gboolean
is_chosen(const Walk *walk, const AditNode *name, const char *segment)
{
    if (*name->text != '$' || strcmp(walk->segments[0], "parts") == 0)
        return FALSE;
    const AditNode *value = find_parameter(walk, name->text + 1);

    return value != NULL && value->kind == ADIT_NODE_SCALAR && strcmp(value->text, segment) == 0;
}

static gboolean
is_reference(const AditNode *node, Role role)
{
    return role == ROLE_REFERENCE && node->kind == ADIT_NODE_MAPPING &&
           adit_node_count(node) == 1 && adit_node_get(node, "blocks") == NULL &&
           adit_node_get(node, "aggregator") == NULL;
}

/* Keys under which keys follow again; under all others stand values, which may be references. */
static Role
get_role(const Walk *walk, const char *key)
{
    static const char *const root[] = {"params", "parts", "model", "train", "inference", NULL};
    guint depth = walk->n_done;

    if (depth == 0)
        return g_strv_contains(root, key) ? ROLE_KEYS : ROLE_REFERENCE;
    if (strcmp(walk->segments[0], "parts") == 0 && (depth == 1 || strcmp(key, "params") == 0))
        return ROLE_KEYS;
    if (strcmp(walk->segments[0], "train") == 0 && strcmp(key, "checkpoint") == 0)
        return ROLE_KEYS;
    if (strcmp(walk->segments[depth - 1], "paths") == 0 && strcmp(key, "of") == 0)
        return ROLE_KEYS;
    return ROLE_REFERENCE;
}

/* An item by its number from 1, its `name`, or what it is. */
static gboolean
find_item(const AditNode *list, const char *segment, guint *index)
{
    guint64 number;

    if (g_ascii_string_to_unsigned(segment, 10, 1, MAX(list->items->len, 1), &number, NULL) &&
        number <= list->items->len) {
        *index = (guint) number - 1;
        return TRUE;
    }
    for (guint pass = 0; pass < 2; pass++)
        for (guint i = 0; i < list->items->len; i++) {
            AditNode *item = adit_node_get_item(list, i);
            AditNode *inner = item;
            const char *kind = item->text;

            if (item->kind == ADIT_NODE_MAPPING && item->items->len == 1) {
                kind = adit_node_get_key(item, 0)->text;
                inner = adit_node_get_item(item, 0);
            }
            AditNode *name = adit_node_get(item, "name");

            if (name == NULL)
                name = adit_node_get(inner, "name");
            if (g_strcmp0(pass == 0 ? (name != NULL ? name->text : NULL) : kind, segment) == 0) {
                *index = i;
                return TRUE;
            }
        }
    return FALSE;
}

static void
replace(Walk *walk, AditNode *node)
{
    adit_node_unref(walk->at);
    g_ptr_array_index(walk->parent->items, walk->index) = node;
    walk->at = node;
}

/* A bare name becomes `name: {}` when its parameters are set. */
static gboolean
open_name(Walk *walk)
{
    const char *segment = walk->segments[walk->n_done];
    AditNode *name = walk->at;

    if (walk->role != ROLE_REFERENCE || !adit_is_word(name->text) || !name->plain ||
        adit_node_get_scalar(name).type != ADIT_SCALAR_TEXT) {
        g_autofree char *done = get_done(walk), *shown = adit_node_describe(name);
        g_autofree char *text =
            g_strdup_printf("'%s' is %s and has no '%s' in it", done, shown, segment);

        return fail(walk, text);
    }
    if (strcmp(name->text, segment) != 0)
        return fail_name(walk, name);
    AditNode *mapping = adit_node_new_mapping(&name->place);

    adit_node_set(mapping, adit_node_ref(name), adit_node_new_mapping(&name->place));
    replace(walk, mapping);
    return TRUE;
}

/* Goes down by one segment; @last: the segment need not exist. Returns FALSE after an error. */
static gboolean
step(Walk *walk, gboolean last, gboolean *missing)
{
    const char *segment = walk->segments[walk->n_done];
    guint index = 0;

    *missing = FALSE;
    if (walk->at->kind == ADIT_NODE_SCALAR && adit_node_is_null(walk->at))
        replace(walk, adit_node_new_mapping(&walk->at->place));
    if (walk->at->kind == ADIT_NODE_SCALAR && !open_name(walk))
        return FALSE;
    if (walk->at->kind == ADIT_NODE_LIST) {
        if (!find_item(walk->at, segment, &index)) {
            g_autofree char *done = get_done(walk);
            g_autofree char *text =
                g_strdup_printf("'%s' has no item '%s' but %u; append one with '%s+='", done,
                                segment, walk->at->items->len, done);

            return fail(walk, text);
        }
    } else {
        gboolean reference = is_reference(walk->at, walk->role);
        Role role = reference ? ROLE_KEYS : get_role(walk, segment);

        /* where the key is a reference's one name, @index is that of it */
        if (!adit_node_find(walk->at, segment, &index) &&
            !(reference && is_chosen(walk, adit_node_get_key(walk->at, 0), segment))) {
            if (reference)
                return fail_name(walk, adit_node_get_key(walk->at, 0));
            *missing = last;
            if (last)
                return TRUE;
            const AditPlace *place = &walk->override->place;

            index = adit_node_count(walk->at);
            adit_node_set(walk->at, adit_node_new_scalar(segment, TRUE, place),
                          adit_node_new_mapping(place));
        }
        /* under the parameters of a component stand values again */
        walk->role = reference && !last ? ROLE_KEYS : role;
    }
    AditNode *at = adit_node_get_item(walk->at, index);

    walk->parent = walk->at;
    walk->index = index;
    walk->at = at;
    walk->n_done++;
    return TRUE;
}

static AditNode *
take_value(const Walk *walk, const AditNode *old)
{
    AditNode *value = adit_node_copy(walk->override->value);

    if (old != NULL && old->place.source != NULL) {
        value->via = old->place;
        value->via_note = walk->override->place.source->is_argument
                              ? "the command line replaced the value from here"
                              : "the study replaced the value from here";
    }
    return value;
}

static void
append(Walk *walk)
{
    g_autoptr(AditNode) value = take_value(walk, NULL);

    if (walk->at->kind != ADIT_NODE_LIST) {
        AditNode *list = adit_node_new_list(&walk->at->place);

        adit_node_append(list, adit_node_ref(walk->at));
        replace(walk, list);
    }
    if (value->kind != ADIT_NODE_LIST) {
        adit_node_append(walk->at, g_steal_pointer(&value));
        return;
    }
    for (guint i = 0; i < value->items->len; i++)
        adit_node_append(walk->at, adit_node_ref(adit_node_get_item(value, i)));
}

/* Sets a key that is not there yet in the mapping that the walk stands at. */
static void
set_missing(Walk *walk)
{
    const AditOverride *override = walk->override;
    AditNode *value = take_value(walk, NULL);

    if (override->remove && !override->place.source->is_argument) {
        /* an axis has it at one point, and not at another */
        adit_node_unref(value);
        return;
    }
    if (override->remove) {
        g_autofree char *text =
            g_strdup_printf("nothing is at '%s' that could be taken away", override->path);

        adit_node_unref(value);
        fail(walk, text);
        return;
    }
    if (override->append && value->kind != ADIT_NODE_LIST) {
        AditNode *list = adit_node_new_list(&value->place);

        adit_node_append(list, value);
        value = list;
    }
    adit_node_set(walk->at,
                  adit_node_new_scalar(walk->segments[walk->n_done], TRUE, &override->place),
                  value);
}

static void
apply(AditOverride *override, const GPtrArray *overrides, AditNode *root,
      AditDiagnostics *diagnostics)
{
    g_auto(GStrv) segments = g_strsplit(override->path, ".", -1);
    Walk walk = {.overrides = overrides,
                 .override = override,
                 .root = root,
                 .diagnostics = diagnostics,
                 .segments = segments};
    guint n = g_strv_length(segments);
    gboolean missing = FALSE;

    walk.at = root;
    for (guint i = 0; i < n; i++) {
        if (*segments[i] == '\0') {
            fail(&walk, "a path is keys joined by dots; one of them is empty");
            return;
        }
        if (!step(&walk, i + 1 == n, &missing))
            return;
    }
    override->used = !missing;
    if (missing)
        set_missing(&walk);
    else if (override->append)
        append(&walk);
    else if (override->remove)
        adit_node_remove(walk.parent, walk.index);
    else
        replace(&walk, take_value(&walk, walk.at));
}

void
adit_overrides_apply(const GPtrArray *overrides, AditNode *root, AditDiagnostics *diagnostics)
{
    for (guint i = 0; i < overrides->len; i++) {
        AditOverride *override = (AditOverride *) g_ptr_array_index(overrides, i);

        if (override->is_path)
            apply(override, overrides, root, diagnostics);
    }
}
