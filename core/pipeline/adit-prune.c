/* core/pipeline/adit-prune.c - SPDX-License-Identifier: MIT */
#include "adit-prune.h"

#include "adit-node.h"
#include "adit-parameter.h"
#include "adit-paths.h"
#include "adit-receptive-field.h"
#include "adit-sequence.h"

#include <math.h>
#include <string.h>

/* What is inside of a block: @WEIGHTY: something that is neither a border layer nor changes nothing
 * in shape and receptive field. */
typedef enum { LIGHT, BORDER, WEIGHTY } Content;

typedef struct {
    GHashTable *fields;
    AditPruning *result;
    GError *error;
} Prune;

/**
 * List: the items of a sequence being written.
 * @prefix: the sequence's address
 * @number: of the next item
 * @branches: items are joined with each other, so that they must keep their shape
 * @keep: the sequence must keep its shape
 * @behind: the last layer is gone, and what stood behind it goes too
 * @changed: something is gone
 */
typedef struct {
    const char *prefix;
    guint number;
    gboolean branches;
    gboolean keep;
    gboolean behind;
    gboolean changed;
} List;

void
adit_pruning_free(AditPruning *self)
{
    g_free(self->text);
    g_ptr_array_unref(self->dropped);
    g_ptr_array_unref(self->narrowed);
    g_free(self);
}

/* ---- what there is ---- */

static const AditReceptiveField *
find(const Prune *self, const char *address)
{
    return g_hash_table_lookup(self->fields, address);
}

static gboolean
keeps_shape(const Prune *self, const char *address)
{
    const AditReceptiveField *field = find(self, address);

    return field != NULL && adit_shape_equal(&field->shape, &field->fed_shape);
}

static Content
look_at_leaf(const Prune *self, const char *address)
{
    const AditReceptiveField *field = find(self, address);
    gboolean light = field != NULL && field->kind == ADIT_LAYER_NONE && keeps_shape(self, address);

    if (field != NULL && field->kind == ADIT_LAYER_BORDER)
        return BORDER;
    for (guint i = 0; light && i < 2; i++)
        light = isfinite(field->min[i]) && !(field->min[i] > field->fed[i]);
    return light ? LIGHT : WEIGHTY;
}

static void
add_content(Content *content, Content part)
{
    *content = MAX(*content, part);
}

static char *
number_address(const char *prefix, guint number)
{
    return g_strdup_printf("%s.%u", prefix, number);
}

static Content look_at(const Prune *self, AditBlock *block, const char *address, GPtrArray *layers);

static Content
look_at_items(const Prune *self, const GPtrArray *items, const char *prefix, guint *number,
              GPtrArray *layers)
{
    Content content = LIGHT;

    for (guint i = 0; i < items->len; i++) {
        const AditItem *item = items->pdata[i];

        for (guint j = 0; item->block == NULL && j < item->times; j++)
            add_content(&content, look_at_items(self, item->items, prefix, number, layers));
        if (item->block == NULL)
            continue;
        g_autofree char *address = number_address(prefix, (*number)++);

        add_content(&content, look_at(self, item->block, address, layers));
    }
    return content;
}

/* @layers: (nullable) (element-type utf8): gets the border layers' addresses */
static Content
look_at(const Prune *self, AditBlock *block, const char *address, GPtrArray *layers)
{
    Content content = LIGHT;
    guint number = 1;

    if (ADIT_IS_SEQUENCE(block))
        return look_at_items(self, adit_sequence_get_items(ADIT_SEQUENCE(block)), address, &number,
                             layers);
    if (!ADIT_IS_PATHS(block)) {
        content = look_at_leaf(self, address);
        if (content == BORDER && layers != NULL)
            g_ptr_array_add(layers, g_strdup(address));
        return content;
    }
    for (guint i = 0; i < adit_paths_count(ADIT_PATHS(block)); i++) {
        g_autofree char *path =
            g_strconcat(address, ".", adit_paths_get_name(ADIT_PATHS(block), i), NULL);

        add_content(&content,
                    look_at(self, adit_paths_get_block(ADIT_PATHS(block), i), path, layers));
    }
    return content;
}

/* ---- what is left ---- */

static AditNode *
get_node(gpointer component, const char *which)
{
    AditNode *node = g_object_get_data(G_OBJECT(component), which);

    return node != NULL ? adit_node_copy(node) : NULL;
}

static AditNode *
wrap(const char *key, AditNode *value)
{
    AditNode *mapping = adit_node_new_mapping(NULL);

    adit_node_set_new(mapping, key, value);
    return mapping;
}

static void
set_value(AditNode *mapping, const char *key, AditNode *value)
{
    guint index;

    if (adit_node_find(mapping, key, &index))
        adit_node_remove(mapping, index);
    adit_node_set_new(mapping, key, value);
}

/* The layer with a kernel of 1x1; NULL: it has no kernel. */
static AditNode *
narrow(AditBlock *block)
{
    static const char *const of_kernel[] = {"dilation", "padding"};
    g_autoptr(AditNode) node = get_node(block, ADIT_NODE_OWN);
    guint index;

    if (adit_component_class_find_parameter(ADIT_COMPONENT_GET_CLASS(block), "kernel") == NULL ||
        node->kind != ADIT_NODE_MAPPING)
        return NULL;
    AditNode *parameters = adit_node_get_item(node, 0);

    set_value(parameters, "kernel", adit_node_new_scalar("1", TRUE, NULL));
    for (guint i = 0; i < G_N_ELEMENTS(of_kernel); i++) {
        if (adit_node_find(parameters, of_kernel[i], &index))
            adit_node_remove(parameters, index);
    }
    return g_steal_pointer(&node);
}

static AditNode *write_block(Prune *self, AditBlock *block, const char *address, gboolean keep,
                             gboolean *changed);
static void write_items(Prune *self, const GPtrArray *items, List *list, AditNode *out);

static void
drop(Prune *self, AditBlock *block, const char *address)
{
    look_at(self, block, address, self->result->dropped);
}

/* NULL: it is gone. */
static AditNode *
write_leaf(Prune *self, AditBlock *block, const char *address, gboolean keep, gboolean *changed)
{
    AditNode *part = get_node(block, ADIT_NODE_PART);
    AditNode *narrowed = NULL;

    if (keep && look_at_leaf(self, address) == BORDER && !keeps_shape(self, address))
        narrowed = narrow(block);
    if (narrowed == NULL)
        return part != NULL ? part : get_node(block, ADIT_NODE_OWN);
    g_clear_pointer(&part, adit_node_unref);
    g_ptr_array_add(self->result->narrowed, g_strdup(address));
    *changed = TRUE;
    return narrowed;
}

/* A list, or a mapping where the blocks are not just one behind the other. */
static AditNode *
write_sequence(Prune *self, AditSequence *sequence, const char *address, gboolean keep,
               gboolean *changed)
{
    AditAggregator *aggregator = adit_sequence_get_aggregator(sequence);
    gboolean is_chain = g_str_equal(ADIT_COMPONENT_GET_CLASS(aggregator)->name, "chain");
    AditNode *items = adit_node_new_list(NULL);
    List list = {.prefix = address, .number = 1, .branches = !is_chain, .keep = keep};

    write_items(self, adit_sequence_get_items(sequence), &list, items);
    *changed = *changed || list.changed;
    if (is_chain)
        return items;
    AditNode *mapping = wrap("aggregator", get_node(aggregator, ADIT_NODE_OWN));

    adit_node_set_new(mapping, "blocks", items);
    return mapping;
}

/* One of the paths: NULL: nothing is left of it. @all: nothing would be left of any */
static AditNode *
write_path(Prune *self, AditBlock *block, const char *address, gboolean all, gboolean *changed)
{
    if (all || look_at(self, block, address, NULL) != BORDER)
        return write_block(self, block, address, TRUE, changed);
    drop(self, block, address);
    *changed = TRUE;
    return NULL;
}

static AditNode *
write_paths(Prune *self, AditPaths *paths, const char *address, gboolean *changed)
{
    AditNode *node = get_node(paths, ADIT_NODE_OWN);
    AditNode *of = adit_node_new_mapping(NULL);
    gboolean all = look_at(self, ADIT_BLOCK(paths), address, NULL) == BORDER;

    for (guint i = 0; i < adit_paths_count(paths); i++) {
        const char *name = adit_paths_get_name(paths, i);
        g_autofree char *path = g_strconcat(address, ".", name, NULL);
        AditNode *left = write_path(self, adit_paths_get_block(paths, i), path, all, changed);

        if (left != NULL)
            adit_node_set_new(of, name, left);
    }
    set_value(node, "of", of);
    return wrap("paths", node);
}

/* The block in the place of a sequence; a part of which nothing is gone is referred to. */
static AditNode *
write_block(Prune *self, AditBlock *block, const char *address, gboolean keep, gboolean *changed)
{
    g_autoptr(AditNode) node = NULL;
    gboolean inner = FALSE;

    if (!ADIT_IS_SEQUENCE(block) && !ADIT_IS_PATHS(block))
        return write_leaf(self, block, address, keep, changed);
    node = ADIT_IS_PATHS(block) ? write_paths(self, ADIT_PATHS(block), address, &inner)
                                : write_sequence(self, ADIT_SEQUENCE(block), address, keep, &inner);
    *changed = *changed || inner;
    if (!inner && g_object_get_data(G_OBJECT(block), ADIT_NODE_PART) != NULL)
        return get_node(block, ADIT_NODE_PART);
    return g_steal_pointer(&node);
}

/* A sequence among items is a box, which has its own name. */
static AditNode *
box(AditNode *node, const AditItem *item)
{
    gboolean is_list = node->kind == ADIT_NODE_LIST;
    gboolean is_wired = node->kind == ADIT_NODE_MAPPING && adit_node_get(node, "blocks") != NULL;

    if (!is_list && !is_wired)
        return node;
    if (is_list && item->name != NULL)
        node = wrap("blocks", node);
    if (item->name != NULL)
        adit_node_set_new(node, "name", adit_node_new_scalar(item->name, TRUE, NULL));
    return wrap("sequence", node);
}

static void
write_item(Prune *self, const AditItem *item, List *list, AditNode *out)
{
    g_autofree char *address = number_address(list->prefix, list->number++);
    Content content = look_at(self, item->block, address, NULL);
    gboolean fits = list->branches || !list->keep || keeps_shape(self, address);

    if (content == BORDER && fits) {
        drop(self, item->block, address);
        list->behind = list->changed = TRUE;
        return;
    }
    if (content == LIGHT && list->behind && !list->branches)
        return;
    list->behind = FALSE;
    AditNode *node =
        write_block(self, item->block, address, list->keep || list->branches, &list->changed);

    adit_node_append(out, box(node, item));
}

static AditNode *
make_repeat(guint times, gboolean tied, AditNode *blocks)
{
    g_autofree char *count = g_strdup_printf("%u", times);
    AditNode *node = wrap("times", adit_node_new_scalar(count, TRUE, NULL));

    if (tied)
        adit_node_set_new(node, "tied", adit_node_new_scalar("true", TRUE, NULL));
    adit_node_set_new(node, "blocks", blocks);
    return wrap("repeat", node);
}

/* Adds @times iterations that are alike. */
static void
add_iterations(AditNode *out, guint times, const AditNode *blocks)
{
    if (times == 0 || adit_node_count(blocks) == 0)
        return;
    if (times > 1) {
        adit_node_append(out, make_repeat(times, FALSE, adit_node_copy(blocks)));
        return;
    }
    for (guint i = 0; i < adit_node_count(blocks); i++)
        adit_node_append(out, adit_node_ref(adit_node_get_item(blocks, i)));
}

/* Neighbouring iterations that are alike stay a repeat. @iterations: (element-type AditNode) */
static void
add_groups(AditNode *out, const GPtrArray *iterations)
{
    g_autofree char *last = NULL;
    guint begin = 0;

    for (guint i = 0; i <= iterations->len; i++) {
        g_autofree char *text = i < iterations->len ? adit_yaml_write(iterations->pdata[i]) : NULL;

        if (i > 0 && g_strcmp0(text, last) != 0) {
            add_iterations(out, i - begin, iterations->pdata[begin]);
            begin = i;
        }
        g_free(last);
        last = g_steal_pointer(&text);
    }
}

static void
write_repeat(Prune *self, const AditItem *item, List *list, AditNode *out)
{
    g_autoptr(GPtrArray) iterations =
        g_ptr_array_new_with_free_func((GDestroyNotify) adit_node_unref);
    gboolean before = list->changed;

    /* what is repeated no time at all has no layers to lose */
    if (item->times == 0)
        return;
    list->changed = FALSE;
    for (guint i = 0; i < item->times; i++) {
        AditNode *blocks = adit_node_new_list(NULL);

        write_items(self, item->items, list, blocks);
        g_ptr_array_add(iterations, blocks);
    }
    if (!list->changed)
        adit_node_append(
            out, make_repeat(item->times, item->tied, adit_node_copy(iterations->pdata[0])));
    else if (!item->tied)
        add_groups(out, iterations);
    else if (self->error == NULL)
        g_set_error(&self->error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "a repeat in '%s' is tied and has border layers; its instances share their "
                    "weights and cannot become different",
                    list->prefix);
    list->changed = list->changed || before;
}

static void
write_items(Prune *self, const GPtrArray *items, List *list, AditNode *out)
{
    for (guint i = 0; i < items->len; i++) {
        const AditItem *item = items->pdata[i];

        if (item->block != NULL)
            write_item(self, item, list, out);
        else
            write_repeat(self, item, list, out);
    }
}

/* ---- the pipeline ---- */

static void
prune_section(Prune *self, AditNode *model, const char *name, AditBlock *block)
{
    gboolean changed = FALSE;
    AditNode *node;

    if (block == NULL)
        return;
    if (look_at(self, block, name, NULL) == BORDER) {
        drop(self, block, name);
        set_value(model, name, adit_node_new_list(NULL));
        return;
    }
    node = write_block(self, block, name, FALSE, &changed);
    if (changed)
        set_value(model, name, node);
    else
        adit_node_unref(node);
}

AditPruning *
adit_prune_border_layers(const AditExperiment *experiment, GHashTable *fields, GError **error)
{
    g_autoptr(AditPruning) result = g_new0(AditPruning, 1);
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();
    g_autoptr(AditSource) source = adit_source_new(experiment->path, experiment->resolved);
    g_autoptr(AditNode) root = adit_yaml_read(source, diagnostics);
    Prune self = {fields, result, NULL};

    result->dropped = g_ptr_array_new_with_free_func(g_free);
    result->narrowed = g_ptr_array_new_with_free_func(g_free);
    if (experiment->from != NULL) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "'model.from' takes weights from a run, where items have other addresses; "
                    "prune the pipeline that was trained there");
        return NULL;
    }
    AditNode *model = adit_node_get(root, "model");

    prune_section(&self, model, "stem", experiment->model.stem);
    prune_section(&self, model, "trunk", experiment->model.trunk);
    if (self.error != NULL) {
        g_propagate_error(error, self.error);
        return NULL;
    }
    result->text = adit_yaml_write(root);
    return g_steal_pointer(&result);
}

/* ---- a trunk that is cut off ---- */

static guint
count_items(const GPtrArray *items)
{
    guint n = 0;

    for (guint i = 0; i < items->len; i++) {
        const AditItem *item = items->pdata[i];

        n += item->block != NULL ? 1 : item->times * count_items(item->items);
    }
    return n;
}

/* Adds the first @left items, which are counted down. */
static void
cut_items(Prune *self, const GPtrArray *items, guint *left, List *list, AditNode *out)
{
    for (guint i = 0; i<items->len && * left> 0; i++) {
        const AditItem *item = items->pdata[i];
        g_autoptr(GPtrArray) iterations =
            g_ptr_array_new_with_free_func((GDestroyNotify) adit_node_unref);
        guint before = *left;

        if (item->block != NULL) {
            write_item(self, item, list, out);
            (*left)--;
            continue;
        }
        for (guint j = 0; j<item->times && * left> 0; j++) {
            AditNode *blocks = adit_node_new_list(NULL);

            cut_items(self, item->items, left, list, blocks);
            g_ptr_array_add(iterations, blocks);
        }
        /* what is repeated no time at all adds nothing */
        if (iterations->len == 0)
            continue;
        if (!item->tied)
            add_groups(out, iterations);
        else if ((before - *left) % MAX(count_items(item->items), 1) == 0)
            adit_node_append(
                out, make_repeat(iterations->len, TRUE, adit_node_copy(iterations->pdata[0])));
        else if (self->error == NULL)
            g_set_error(&self->error, ADIT_ERROR, ADIT_ERROR_INVALID,
                        "a repeat in '%s' is tied, and the cut goes through one of its instances",
                        list->prefix);
    }
}

static AditNode *
cut_trunk(Prune *self, AditSequence *trunk, guint keep, gboolean fold)
{
    AditNode *items = adit_node_new_list(NULL);
    List list = {.prefix = "trunk", .number = 1, .branches = TRUE, .keep = TRUE};
    AditNode *mapping =
        wrap("aggregator", get_node(adit_sequence_get_aggregator(trunk), ADIT_NODE_OWN));

    cut_items(self, adit_sequence_get_items(trunk), &keep, &list, items);
    if (fold)
        adit_node_append(items, adit_node_new_scalar("constant", TRUE, NULL));
    adit_node_set_new(mapping, "blocks", items);
    return mapping;
}

static void
remove_key(AditNode *mapping, const char *key)
{
    guint index;

    if (adit_node_find(mapping, key, &index))
        adit_node_remove(mapping, index);
}

/* What says something of what is gone. */
static void
clean(AditNode *root)
{
    static const char *const of_stage[] = {"strategy", "freeze", "rates"};
    AditNode *train = adit_node_get(root, "train"), *inference = adit_node_get(root, "inference");
    gboolean is_list = train != NULL && train->kind == ADIT_NODE_LIST;

    remove_key(root, "exits");
    remove_key(root, "probes");
    for (guint i = 0; train != NULL && i < (is_list ? adit_node_count(train) : 1); i++) {
        for (guint j = 0; j < G_N_ELEMENTS(of_stage); j++)
            remove_key(is_list ? adit_node_get_item(train, i) : train, of_stage[j]);
    }
    if (inference == NULL)
        return;
    set_value(inference, "policy", adit_node_new_scalar("never", TRUE, NULL));
    remove_key(inference, "calibrate");
}

char *
adit_prune_trunk(const AditExperiment *experiment, guint keep, gboolean fold, const char *from,
                 GError **error)
{
    static const char *const sections[] = {"stem", "trunk", "head"};
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();
    g_autoptr(AditSource) source = adit_source_new(experiment->path, experiment->resolved);
    g_autoptr(AditNode) root = adit_yaml_read(source, diagnostics);
    g_autoptr(GHashTable) fields = g_hash_table_new(g_str_hash, g_str_equal);
    AditNode *model = adit_node_get(root, "model"), *load = adit_node_new_list(NULL);
    Prune self = {fields, NULL, NULL};
    guint n = 0;

    if (ADIT_IS_SEQUENCE(experiment->model.trunk))
        n = count_items(adit_sequence_get_items(ADIT_SEQUENCE(experiment->model.trunk)));
    if (n <= keep) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "nothing is to be cut off: 'trunk' has %u item%s", n, n == 1 ? "" : "s");
        adit_node_unref(load);
        return NULL;
    }
    set_value(model, "trunk", cut_trunk(&self, ADIT_SEQUENCE(experiment->model.trunk), keep, fold));
    for (guint i = 0; i < G_N_ELEMENTS(sections); i++) {
        adit_node_append(load, adit_node_new_scalar(sections[i], TRUE, NULL));
        if (adit_node_get(model, sections[i]) == NULL)
            adit_node_set_new(model, sections[i], adit_node_new_list(NULL));
    }
    set_value(model, "from", adit_node_new_scalar(from, FALSE, NULL));
    set_value(model, "load", load);
    clean(root);
    if (self.error == NULL)
        return adit_yaml_write(root);
    g_propagate_error(error, self.error);
    return NULL;
}
