/* core/pipeline/adit-convert.c - SPDX-License-Identifier: MIT */
#include "adit-convert.h"

#include "adit-component-private.h"
#include "adit-registry.h"
#include "adit-substitute.h"
#include "adit-suggest.h"

#include <string.h>

/**
 * Converter: it works on the nodes of the resolved file. What it makes are new nodes: those of the
 * file are shared and stay as they are.
 * @parts: (nullable): those of the file
 * @n_skips: sequences whose skips were taken away
 * @obstacle: (nullable): what cannot be converted
 */
typedef struct {
    AditNode *parts;
    AditDiagnostics *diagnostics;
    AditSubstitution substitution;
    guint n_skips;
    char *obstacle;
} Converter;

static AditNode *
wrap(const char *key, AditNode *value)
{
    AditNode *mapping = adit_node_new_mapping(NULL);

    adit_node_set_new(mapping, key, value);
    return mapping;
}

/* What an item is: the name of a component or a part, or a word of the language. */
static const char *
get_name(const AditNode *item)
{
    if (item->kind == ADIT_NODE_SCALAR)
        return item->text;
    if (item->kind == ADIT_NODE_MAPPING && adit_node_count(item) == 1)
        return adit_node_get_key(item, 0)->text;
    return "";
}

static gboolean
is_word_of_language(const AditNode *item, const char *word)
{
    return item->kind == ADIT_NODE_MAPPING && strcmp(get_name(item), word) == 0;
}

/* (nullable): the class of a component; modules stay open, and so do classes. */
static gpointer
find_class(const char *kind, const char *name)
{
    GType type = adit_registry_find(adit_registry_get(), kind, name, NULL);

    return type != 0 ? g_type_class_ref(type) : NULL;
}

static gboolean
has_skips(const AditNode *sequence)
{
    const AditNode *aggregator = adit_node_get(sequence, "aggregator");
    gpointer klass = aggregator != NULL ? find_class("aggregator", get_name(aggregator)) : NULL;

    return klass != NULL && ADIT_AGGREGATOR_CLASS(klass)->skips;
}

/* Parts. */

/* The wiring and blocks of @part with its parameters as @given says. */
static AditNode *
fill_in(Converter *self, const AditNode *part, const AditNode *given)
{
    const AditNode *params = adit_node_get(part, "params");
    AditNode *body = adit_substitution_keep(&self->substitution, adit_node_new_mapping(NULL));
    AditNode *aggregator = adit_node_get(part, "aggregator");
    AditScope *scope = NULL;

    for (guint i = 0; params != NULL && i < adit_node_count(params); i++) {
        const char *name = adit_node_get_key(params, i)->text;
        AditNode *value = given != NULL ? adit_node_get(given, name) : NULL;

        scope = adit_scope_new(
            &self->substitution, scope, name, ADIT_SCOPE_VALUE,
            (AditValue){.node = value != NULL ? value : adit_node_get_item(params, i),
                        .scope = scope});
    }
    if (aggregator != NULL)
        adit_node_set_new(body, "aggregator", adit_node_ref(aggregator));
    adit_node_set_new(body, "blocks", adit_node_ref(adit_node_get(part, "blocks")));
    AditNode *filled =
        adit_substitute_all(&self->substitution, (AditValue){.node = body, .scope = scope});

    /* the file was right, and so is what it unfolds to unless it is too much */
    if (filled == NULL) {
        if (self->obstacle == NULL)
            self->obstacle = g_strdup("its parts unfold to too much");
        return adit_node_ref(body);
    }
    adit_node_escape(filled);
    return filled;
}

/* (nullable): a box as {aggregator, blocks}: a list, a sequence, or what a part says. NULL: it is
 * none, but a component, a repeat or paths. */
static AditNode *
open_box(Converter *self, AditNode *item)
{
    if (item->kind == ADIT_NODE_LIST)
        return wrap("blocks", adit_node_ref(item));
    if (adit_node_get(item, "blocks") != NULL)
        return adit_node_ref(item);
    if (is_word_of_language(item, "sequence"))
        return open_box(self, adit_node_get_item(item, 0));
    const AditNode *part = self->parts != NULL ? adit_node_get(self->parts, get_name(item)) : NULL;

    if (part == NULL)
        return NULL;
    return fill_in(self, part,
                   item->kind == ADIT_NODE_MAPPING ? adit_node_get_item(item, 0) : NULL);
}

/* A part that stands for one reference is that reference. */
static AditNode *
see_through(Converter *self, AditNode *item)
{
    g_autoptr(AditNode) box = open_box(self, item);

    if (box == NULL || adit_node_get(box, "aggregator") != NULL ||
        adit_node_get(box, "blocks")->kind == ADIT_NODE_LIST)
        return adit_node_ref(item);
    return see_through(self, adit_node_get(box, "blocks"));
}

/* What becomes of box @item: a sequence of @list, under the same name. */
static AditNode *
make_box(const AditNode *item, AditNode *list)
{
    const AditNode *inner = item->kind == ADIT_NODE_MAPPING && adit_node_count(item) == 1
                                ? adit_node_get_item(item, 0)
                                : item;
    AditNode *name = adit_node_get(inner, "name");

    if (name == NULL)
        return wrap("sequence", list);
    AditNode *mapping = wrap("blocks", list);

    adit_node_set_new(mapping, "name", adit_node_ref(name));
    return wrap("sequence", mapping);
}

/* Normalisation. */

static gboolean
is_norm(const AditNode *item)
{
    gpointer klass = find_class("block", get_name(item));

    return klass != NULL && ADIT_BLOCK_CLASS(klass)->normalizes;
}

/* A component that holds its neighbours (LANGUAGE 2.4). */
static gboolean
is_affine(const AditNode *component)
{
    gpointer klass = find_class("block", get_name(component));

    return klass != NULL && adit_component_class_find_parameter(klass, "norm") != NULL;
}

/* A component without the norm behind its affine map, if nothing follows that. */
static AditNode *
open_component(AditNode *item)
{
    AditNode *parameters = item->kind == ADIT_NODE_MAPPING ? adit_node_get_item(item, 0) : NULL;
    const AditNode *order = parameters != NULL ? adit_node_get(parameters, "order") : NULL;
    const AditNode *activation =
        parameters != NULL ? adit_node_get(parameters, "activation") : NULL;
    gboolean is_last = activation == NULL || g_strcmp0(activation->text, "identity") == 0;
    guint index;

    /* defaults are filled in; what has no order has but one */
    if (!is_last || (order != NULL && strcmp(order->text, "post") != 0) || parameters == NULL ||
        !adit_node_find(parameters, "norm", &index))
        return adit_node_ref(item);
    parameters = adit_node_copy(parameters);
    adit_node_remove(parameters, index);
    return wrap(get_name(item), parameters);
}

/* @item without the norm that closes it; itself if there is none. */
static AditNode *
open_end(Converter *self, AditNode *item)
{
    g_autoptr(AditNode) seen = see_through(self, item);
    g_autoptr(AditNode) box = open_box(self, seen);
    g_autoptr(AditNode) result = NULL;

    if (box == NULL) {
        result = open_component(seen);
        return adit_node_ref(result != seen ? result : item);
    }
    if (adit_node_get(box, "aggregator") != NULL)
        return adit_node_ref(item);
    AditNode *blocks = adit_node_get(box, "blocks");
    guint n = adit_node_count(blocks), left = n;

    while (left > 0 && is_norm(adit_node_get_item(blocks, left - 1)))
        left--;
    if (left == 0)
        return adit_node_ref(item);
    AditNode *last = adit_node_get_item(blocks, left - 1);
    g_autoptr(AditNode) opened = open_end(self, last);

    if (left == n && opened == last)
        return adit_node_ref(item);
    result = adit_node_new_list(NULL);
    for (guint i = 0; i + 1 < left; i++)
        adit_node_append(result, adit_node_ref(adit_node_get_item(blocks, i)));
    adit_node_append(result, adit_node_ref(opened));
    return make_box(item, adit_node_ref(result));
}

/* Skips inside of blocks. */

static AditNode *remove_skips(Converter *self, AditNode *item);

static AditNode *
remove_skips_of_list(Converter *self, const AditNode *items)
{
    AditNode *list = adit_node_new_list(NULL);

    for (guint i = 0; i < adit_node_count(items); i++)
        adit_node_append(list, remove_skips(self, adit_node_get_item(items, i)));
    return list;
}

static AditNode *
copy_repeat(AditNode *repeat, AditNode *blocks)
{
    AditNode *inner = adit_node_copy_top(adit_node_get_item(repeat, 0));

    adit_node_set_new(inner, "blocks", blocks);
    return wrap("repeat", inner);
}

/* The list of a sequence's items; one reference is a list of one. */
static AditNode *
get_list(AditNode *box)
{
    AditNode *blocks = adit_node_get(box, "blocks");

    if (blocks->kind == ADIT_NODE_LIST)
        return adit_node_ref(blocks);
    AditNode *list = adit_node_new_list(NULL);

    adit_node_append(list, adit_node_ref(blocks));
    return list;
}

static gboolean changes_nothing(Converter *self, AditNode *item);

static gboolean
list_changes_nothing(Converter *self, const AditNode *items)
{
    for (guint i = 0; i < adit_node_count(items); i++)
        if (!changes_nothing(self, adit_node_get_item(items, i)))
            return FALSE;
    return TRUE;
}

/* Whether what comes out of @item is what went in. */
static gboolean
changes_nothing(Converter *self, AditNode *item)
{
    g_autoptr(AditNode) seen = see_through(self, item);
    g_autoptr(AditNode) box = open_box(self, seen);
    const AditNode *aggregator = box != NULL ? adit_node_get(box, "aggregator") : NULL;

    if (is_word_of_language(seen, "repeat")) {
        const AditNode *inner = adit_node_get_item(seen, 0);

        return g_strcmp0(adit_node_get(inner, "times")->text, "0") == 0 ||
               list_changes_nothing(self, adit_node_get(inner, "blocks"));
    }
    if (box == NULL)
        return strcmp(get_name(seen), "identity") == 0;
    if (aggregator != NULL && strcmp(get_name(aggregator), "chain") != 0)
        return FALSE;
    g_autoptr(AditNode) items = get_list(box);

    return list_changes_nothing(self, items);
}

/* A path that changes nothing is a skip too where paths are added, but not one that a sum over
 * blocks could replace. */
static void
check_paths(Converter *self, const AditNode *paths)
{
    const AditNode *join = adit_node_get(paths, "join"), *of = adit_node_get(paths, "of");

    if (join != NULL && strcmp(join->text, "sum") != 0 && strcmp(join->text, "mean") != 0)
        return;
    for (guint i = 0; i < adit_node_count(of) && self->obstacle == NULL; i++) {
        if (changes_nothing(self, adit_node_get_item(of, i)))
            self->obstacle = g_strdup_printf(
                "path '%s' is a skip made of paths; write the blocks under an aggregator",
                adit_node_get_key(of, i)->text);
    }
}

/* Paths without the skips inside of each; @item itself if there are none. */
static AditNode *
remove_skips_of_paths(Converter *self, AditNode *item)
{
    AditNode *paths = adit_node_get_item(item, 0);
    const AditNode *of = adit_node_get(paths, "of");
    g_autoptr(AditNode) opened = adit_node_new_mapping(NULL);
    guint before = self->n_skips;

    check_paths(self, paths);
    for (guint i = 0; i < adit_node_count(of); i++)
        adit_node_set_new(opened, adit_node_get_key(of, i)->text,
                          remove_skips(self, adit_node_get_item(of, i)));
    if (self->n_skips == before)
        return adit_node_ref(item);
    AditNode *copy = adit_node_copy_top(paths);

    adit_node_set_new(copy, "of", g_steal_pointer(&opened));
    return wrap("paths", copy);
}

/* @item with all skips inside it taken away; itself if there are none. */
static AditNode *
remove_skips(Converter *self, AditNode *item)
{
    guint before = self->n_skips;

    if (is_word_of_language(item, "paths"))
        return remove_skips_of_paths(self, item);
    if (is_word_of_language(item, "repeat")) {
        const AditNode *blocks = adit_node_get(adit_node_get_item(item, 0), "blocks");
        AditNode *list = remove_skips_of_list(self, blocks);

        return copy_repeat(item, list);
    }
    g_autoptr(AditNode) box = open_box(self, item);

    if (box == NULL)
        return adit_node_ref(item);
    g_autoptr(AditNode) items = get_list(box);
    g_autoptr(AditNode) list = remove_skips_of_list(self, items);

    if (has_skips(box)) {
        self->n_skips++;
        adit_node_unref(g_steal_pointer(&box));
        box = wrap("blocks", adit_node_ref(list));
    }
    if (self->n_skips == before)
        return adit_node_ref(item);
    if (adit_node_get(box, "aggregator") == NULL)
        return make_box(item, g_steal_pointer(&list));
    AditNode *mapping = adit_node_copy_top(box);

    adit_node_set_new(mapping, "blocks", g_steal_pointer(&list));
    return wrap("sequence", mapping);
}

/* Splitting. */

/* Ends the simple block that @open holds the beginning of; without one there is nothing to end. */
static void
end_block(Converter *self, AditNode *open, AditNode *out)
{
    guint n = adit_node_count(open);

    if (n == 0)
        return;
    g_autoptr(AditNode) list = adit_node_copy_top(open);
    g_autoptr(AditNode) block =
        n == 1 ? adit_node_ref(adit_node_get_item(open, 0)) : wrap("sequence", adit_node_ref(list));

    adit_node_append(out, open_end(self, block));
    while (n > 0)
        adit_node_remove(open, --n);
}

static AditNode *split_list(Converter *self, const AditNode *items);

/* @open: items of the simple block that is not complete yet */
static void
split_item(Converter *self, AditNode *item, AditNode *open, AditNode *out)
{
    g_autoptr(AditNode) seen = see_through(self, item);
    g_autoptr(AditNode) box = is_word_of_language(seen, "sequence") ? NULL : open_box(self, seen);

    if (is_word_of_language(item, "repeat")) {
        end_block(self, open, out);
        adit_node_append(
            out, copy_repeat(
                     item, split_list(self, adit_node_get(adit_node_get_item(item, 0), "blocks"))));
        return;
    }
    if (box != NULL && adit_node_get(box, "aggregator") == NULL) {
        const AditNode *blocks = adit_node_get(box, "blocks");

        for (guint i = 0; i < adit_node_count(blocks); i++)
            split_item(self, adit_node_get_item(blocks, i), open, out);
        return;
    }
    adit_node_append(open, remove_skips(self, item));
    if (box != NULL || is_word_of_language(seen, "sequence") ||
        is_word_of_language(seen, "paths") || is_affine(seen))
        end_block(self, open, out);
}

/* What stands behind the last affine map of a block belongs to the last simple block, norms not. */
static void
close_block(AditNode *open, AditNode *out)
{
    g_autoptr(AditNode) list = adit_node_new_list(NULL);
    guint last = adit_node_count(out);

    if (last > 0)
        adit_node_append(list, adit_node_ref(adit_node_get_item(out, last - 1)));
    for (guint i = 0; i < adit_node_count(open); i++) {
        if (!is_norm(adit_node_get_item(open, i)))
            adit_node_append(list, adit_node_ref(adit_node_get_item(open, i)));
    }
    if (adit_node_count(list) < 2 || is_word_of_language(adit_node_get_item(list, 0), "repeat"))
        return;
    adit_node_remove(out, last - 1);
    adit_node_append(out, wrap("sequence", adit_node_ref(list)));
}

/* The simple blocks of a list of blocks. */
static AditNode *
split_list(Converter *self, const AditNode *items)
{
    AditNode *out = adit_node_new_list(NULL);

    for (guint i = 0; i < adit_node_count(items); i++) {
        g_autoptr(AditNode) open = adit_node_new_list(NULL);

        split_item(self, adit_node_get_item(items, i), open, out);
        close_block(open, out);
    }
    return out;
}

/* The trunk. */

/* Blocks that lost their skips, and do not end with a norm. */
static AditNode *
open_list(Converter *self, const AditNode *items)
{
    AditNode *list = adit_node_new_list(NULL);

    for (guint i = 0; i < adit_node_count(items); i++) {
        AditNode *item = adit_node_get_item(items, i);

        if (is_word_of_language(item, "repeat"))
            adit_node_append(
                list, copy_repeat(item, open_list(self, adit_node_get(adit_node_get_item(item, 0),
                                                                      "blocks"))));
        else
            adit_node_append(list, open_end(self, item));
    }
    return list;
}

/* The aggregator with the adapters of the one it replaces; else outputs are embedded in the widest
 * (behind the paper's equation 2), which changes none of equal width. */
static AditNode *
make_aggregator(const AditNode *old, const char *name)
{
    static const char *const kept[] = {"adapt", "adapt-space", "adapt-to"};
    AditNode *parameters = adit_node_new_mapping(NULL);
    const AditNode *given =
        old != NULL && old->kind == ADIT_NODE_MAPPING ? adit_node_get_item(old, 0) : NULL;
    const AditNode *adapt = given != NULL ? adit_node_get(given, "adapt") : NULL;

    if (adapt == NULL || strcmp(adapt->text, "none") == 0) {
        adit_node_set_new(parameters, "adapt", adit_node_new_scalar("pad", TRUE, NULL));
        adit_node_set_new(parameters, "adapt-to", adit_node_new_scalar("widest", TRUE, NULL));
        return wrap(name, parameters);
    }
    for (guint i = 0; i < G_N_ELEMENTS(kept); i++) {
        AditNode *value = adit_node_get(given, kept[i]);

        if (value != NULL)
            adit_node_set_new(parameters, kept[i], adit_node_ref(value));
    }
    return wrap(name, parameters);
}

static AditNode *
convert_trunk(Converter *self, AditNode *trunk, const char *aggregator)
{
    g_autoptr(AditNode) seen = see_through(self, trunk);
    g_autoptr(AditNode) opened = open_box(self, seen);
    /* a component or paths are a list of one */
    g_autoptr(AditNode) box =
        opened != NULL ? adit_node_ref(opened) : wrap("blocks", adit_node_ref(seen));
    AditNode *result = adit_node_new_mapping(NULL);
    g_autoptr(AditNode) items = get_list(box);
    const AditNode *old = adit_node_get(box, "aggregator");
    AditNode *blocks = NULL;

    if (has_skips(box)) {
        self->n_skips++;
        blocks = split_list(self, items);
    } else {
        g_autoptr(AditNode) list = remove_skips_of_list(self, items);

        blocks = open_list(self, list);
    }
    adit_node_set_new(result, "aggregator", make_aggregator(old, aggregator));
    adit_node_set_new(result, "blocks", blocks);
    return result;
}

/* Parts that nothing uses any more. */

static gboolean
is_used(const AditNode *node, const char *name)
{
    if (node->kind == ADIT_NODE_SCALAR)
        return strcmp(node->text, name) == 0;
    for (guint i = 0; i < adit_node_count(node); i++) {
        if (node->kind == ADIT_NODE_MAPPING && strcmp(adit_node_get_key(node, i)->text, name) == 0)
            return TRUE;
        if (is_used(adit_node_get_item(node, i), name))
            return TRUE;
    }
    return FALSE;
}

static gboolean
is_part_used(const AditNode *root, const AditNode *parts, guint index)
{
    const char *name = adit_node_get_key(parts, index)->text;

    for (guint i = 0; i < adit_node_count(parts); i++) {
        if (i != index && is_used(adit_node_get_item(parts, i), name))
            return TRUE;
    }
    for (guint i = 0; i < adit_node_count(root); i++) {
        const AditNode *section = adit_node_get_item(root, i);

        if (section != parts && section->kind != ADIT_NODE_SCALAR && is_used(section, name))
            return TRUE;
    }
    return FALSE;
}

static void
drop_parts(AditNode *root)
{
    AditNode *parts = adit_node_get(root, "parts");
    guint before, index;

    if (parts == NULL)
        return;
    do {
        before = adit_node_count(parts);
        for (guint i = before; i > 0; i--) {
            if (!is_part_used(root, parts, i - 1))
                adit_node_remove(parts, i - 1);
        }
    } while (adit_node_count(parts) < before);
    if (before == 0 && adit_node_find(root, "parts", &index))
        adit_node_remove(root, index);
}

/* The file. */

static gboolean
check_aggregator(const char *name, GError **error)
{
    gpointer klass = find_class("aggregator", name);
    guint n = 0;
    g_autofree const char **names = adit_registry_list(adit_registry_get(), "aggregator", &n);
    const char *nearest = adit_suggest(name, names, n);

    if (klass != NULL && !ADIT_AGGREGATOR_CLASS(klass)->skips)
        return TRUE;
    if (klass != NULL)
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "skips are what is taken away, and '%s' makes some", name);
    else if (nearest != NULL)
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "unknown aggregator '%s'; did you mean '%s'?", name, nearest);
    else
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID, "unknown aggregator '%s'", name);
    return FALSE;
}

static void
convert(Converter *self, AditNode *root, const char *aggregator)
{
    AditNode *model = adit_node_get(root, "model");
    AditNode *trunk = adit_node_get(model, "trunk");
    AditNode *title = adit_node_get(root, "title");
    g_autofree char *text = g_strdup_printf("%s-%s", title->text, aggregator);

    self->parts = adit_node_get(root, "parts");
    if (adit_node_get(model, "from") != NULL) {
        self->obstacle = g_strdup("'model.from' brings a trained network; convert the file that "
                                  "it was trained from");
        return;
    }
    if (trunk != NULL) {
        adit_node_set_new(model, "trunk", convert_trunk(self, trunk, aggregator));
        adit_node_set_new(root, "title", adit_node_new_scalar(text, FALSE, NULL));
        drop_parts(root);
    }
    if (self->n_skips == 0 && self->obstacle == NULL)
        self->obstacle =
            g_strdup("no aggregator in 'trunk' makes skips, so there is nothing to convert");
}

char *
adit_convert_skips(const AditExperiment *experiment, const char *aggregator, GError **error)
{
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();
    Converter self = {.diagnostics = diagnostics};
    char *result = NULL;

    if (!check_aggregator(aggregator, error))
        return NULL;
    AditSource *source = adit_source_new(experiment->path, experiment->resolved);
    g_autoptr(AditNode) root = adit_yaml_read(source, diagnostics);

    adit_substitution_init(&self.substitution, diagnostics, NULL);
    convert(&self, root, aggregator);
    if (self.obstacle != NULL)
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID, "%s: %s", experiment->path,
                    self.obstacle);
    else
        result = adit_yaml_write(root);
    adit_substitution_clear(&self.substitution);
    adit_source_unref(source);
    g_free(self.obstacle);
    return result;
}
