/* core/pipeline/adit-bind-sequence.c - SPDX-License-Identifier: MIT */
#include <string.h>

#include "adit-binder.h"

/* what binding one item counts for in the file's work */
#define ITEM_WORK 5

/* A list of items that is being filled. @sequence or @items gets them. */
typedef struct {
    AditSequence *sequence;
    GPtrArray *items;
    GHashTable *names; /* name -> the node that says it */
} List;

static void bind_items(AditBinder *self, AditValue value, List *list, AditNode *resolved);

static void
add_item(List *list, AditItem *item)
{
    if (item == NULL)
        return;
    if (list->sequence != NULL)
        adit_sequence_add(list->sequence, item);
    else
        g_ptr_array_add(list->items, item);
}

static AditNode *
wrap(const char *key, AditNode *value)
{
    AditNode *mapping = adit_node_new_mapping(NULL);

    adit_node_set_new(mapping, key, value);
    return mapping;
}

gboolean
adit_bind_check_name(AditBinder *self, AditValue value, const char *name, const char *what)
{
    g_autoptr(AditNode) word = adit_node_new_scalar(name, TRUE, &value.node->place);

    if (!adit_is_word(name))
        adit_value_error(&self->substitution, value, ADIT_ERROR_INVALID,
                         "the name of %s must be a word of a-z, 0-9 and '-', got \"%s\"", what,
                         name);
    else if (adit_registry_find(self->registry, "block", name, NULL) != 0 ||
             adit_part_find(self, word) != NULL)
        adit_value_error(&self->substitution, value, ADIT_ERROR_INVALID,
                         "'%s' is a block; %s's name must be another word", name, what);
    else
        return TRUE;
    return FALSE;
}

static void
check_item_name(AditBinder *self, AditValue value, const char *name, List *list)
{
    const AditNode *other = (const AditNode *) g_hash_table_lookup(list->names, name);

    if (!adit_bind_check_name(self, value, name, "an item"))
        return;
    if (other != NULL && other != value.node)
        adit_value_error(&self->substitution, value, ADIT_ERROR_INVALID,
                         "name '%s' is already taken in line %u", name, other->place.line);
    else
        g_hash_table_insert(list->names, g_strdup(name), value.node);
}

/* The scalar that holds an item's name, for errors. */
static AditValue
find_name(AditValue value)
{
    AditValue inner = adit_value_item(value, 0);
    AditValue name = {0};

    if (inner.node->kind == ADIT_NODE_MAPPING)
        name = adit_value_get(inner, "name");
    return name.node != NULL ? name : value;
}

AditBlock *
adit_bind_block(AditBinder *self, AditValue value, char **item_name, GPtrArray *types,
                AditNode **resolved)
{
    AditNamed named;
    g_autoptr(GError) error = NULL;

    if (!adit_bind_read_name(self, "block", value, &named)) {
        *resolved = adit_bind_nothing();
        return NULL;
    }
    if (!named.opaque) {
        AditPart *part = adit_part_find(self, named.name.node);
        GType found = part == NULL ? adit_registry_find(self->registry, "block",
                                                        named.name.node->text, &error)
                                   : 0;

        if (types != NULL)
            g_ptr_array_add(types, g_strdup(named.name.node->text));
        if (part != NULL)
            return adit_part_bind(self, part, &named, item_name, types, resolved);
        if (found != 0)
            return (AditBlock *) adit_bind_type(self, found, &named, item_name, resolved);
        if (error != NULL)
            adit_value_error(&self->substitution, named.name, ADIT_ERROR_PLUGIN, "%s",
                             error->message);
        else
            adit_bind_unknown(self, "block", named.name);
    }
    AditNode *parameters = named.parameters.node != NULL && !named.parameters.opaque
                               ? adit_substitute_all(&self->substitution, named.parameters)
                               : NULL;

    *resolved = adit_named_resolve(&named, parameters);
    return NULL;
}

/* Repeats. */

typedef struct {
    gboolean known; /* @times is */
    gint64 times;
    gboolean tied;
    AditValue blocks;
    AditValue index; /* no node: none */
} Repeat;

static gboolean
read_repeat(AditBinder *self, AditValue value, Repeat *repeat, AditNode *resolved)
{
    static const char *const keys[] = {"times", "blocks", "index", "tied", NULL};
    static const AditParameter times = {
        .name = "times", .type = ADIT_PARAMETER_INT, .min = 0, .max = ADIT_MAX_BLOCKS};
    static const AditParameter tied = {.name = "tied", .type = ADIT_PARAMETER_BOOLEAN};
    AditValue count, flag;

    if (value.node->kind != ADIT_NODE_MAPPING) {
        adit_value_error(&self->substitution, value, ADIT_ERROR_INVALID,
                         "'repeat' must be a mapping with 'times' and 'blocks'");
        return FALSE;
    }
    adit_bind_check_keys(self, value, keys, "key", "repeat");
    count = adit_value_get(value, "times");
    flag = adit_value_get(value, "tied");
    repeat->blocks = adit_value_get(value, "blocks");
    repeat->index = adit_value_get(value, "index");
    if (count.node == NULL || repeat->blocks.node == NULL) {
        adit_value_error(&self->substitution, value, ADIT_ERROR_INVALID, "'repeat' needs '%s'",
                         count.node == NULL ? "times" : "blocks");
        return FALSE;
    }
    g_auto(AditBound) number = adit_bind_value(self, &times, count, FALSE, NULL);

    repeat->known = number.good;
    repeat->times = number.integer;
    adit_node_set_new(resolved, "times", adit_node_ref(number.resolved));
    if (repeat->index.node != NULL)
        adit_node_set_new(resolved, "index", adit_node_copy(repeat->index.node));
    if (flag.node != NULL) {
        g_auto(AditBound) boolean = adit_bind_value(self, &tied, flag, FALSE, NULL);

        repeat->tied = boolean.good && boolean.integer;
        adit_node_set_new(resolved, "tied", adit_node_ref(boolean.resolved));
    }
    return TRUE;
}

static gboolean
check_index(AditBinder *self, AditValue index)
{
    if (index.node == NULL)
        return TRUE;
    if (index.node->kind == ADIT_NODE_SCALAR && adit_is_word(index.node->text))
        return TRUE;
    g_autofree char *got = adit_node_describe(index.node);

    adit_value_error(&self->substitution, index, ADIT_ERROR_INVALID,
                     "'index' must be a word of a-z, 0-9 and '-', got %s", got);
    return FALSE;
}

/* Instances that differ: one after the other, each with its own index. */
static void
unroll(AditBinder *self, const Repeat *repeat, List *list)
{
    if (repeat->tied) {
        adit_value_error(&self->substitution, repeat->index, ADIT_ERROR_INVALID,
                         "'tied' instances share their weights and cannot use '$%s'",
                         repeat->index.node->text);
        return;
    }
    for (gint64 i = 1; i <= repeat->times; i++) {
        g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, i);
        AditNode *number = adit_substitution_keep(
            &self->substitution, adit_node_new_scalar(text, TRUE, &repeat->index.node->place));
        AditScope *scope =
            adit_scope_new(&self->substitution, repeat->blocks.scope, repeat->index.node->text,
                           ADIT_SCOPE_VALUE, (AditValue){.node = number});
        AditValue blocks = repeat->blocks;
        g_autoptr(AditNode) unused = adit_node_new_list(NULL);

        if (!adit_substitution_work(&self->substitution, &blocks.node->place, ITEM_WORK))
            return;
        blocks.scope = scope;
        bind_items(self, blocks, list, unused);
    }
}

static void
bind_repeat(AditBinder *self, AditValue value, List *list, AditNode *resolved)
{
    AditNode *mapping = adit_node_new_mapping(NULL);
    AditNode *blocks = adit_node_new_list(NULL);
    Repeat repeat = {0};
    AditScope *scope = NULL;

    adit_node_append(resolved, wrap("repeat", mapping));
    if (!read_repeat(self, value, &repeat, mapping) || !check_index(self, repeat.index)) {
        adit_node_unref(blocks);
        return;
    }
    g_autoptr(AditItem) item =
        adit_item_new_repeat(repeat.known ? (guint) repeat.times : 1, repeat.tied);
    List inner = {NULL, item->items, list->names};
    AditValue body = repeat.blocks;

    if (repeat.index.node != NULL) {
        scope = adit_scope_new(&self->substitution, body.scope, repeat.index.node->text,
                               ADIT_SCOPE_OPAQUE, (AditValue){0});
        body.scope = scope;
    }
    bind_items(self, body, &inner, blocks);
    adit_node_set_new(mapping, "blocks", blocks);
    if (scope != NULL && scope->used && repeat.known)
        unroll(self, &repeat, list);
    else if (repeat.known)
        add_item(list, g_steal_pointer(&item));
}

/* Items. */

/* @types: (element-type utf8): the first is what it is called in messages */
static void
add_block(List *list, AditBlock *block, const char *name, GPtrArray *types)
{
    g_autoptr(AditItem) item = NULL;

    if (block == NULL)
        return;
    g_ptr_array_add(types, NULL);
    item = adit_item_new(block, name, (const char *) types->pdata[0]);
    if (types->len > 2)
        adit_item_set_other_types(item, (const char *const *) types->pdata + 1);
    add_item(list, g_steal_pointer(&item));
}

/* An item that holds others: `sequence` or `paths`. */
static void
bind_box(AditBinder *self, AditValue value, List *list, AditNode *resolved)
{
    const AditNode *key = adit_node_get_key(value.node, 0);
    gboolean is_paths = strcmp(key->text, "paths") == 0;
    AditValue inner = adit_substitute(&self->substitution, adit_value_item(value, 0));
    g_autoptr(GPtrArray) types = g_ptr_array_new_with_free_func(g_free);
    AditNode *node = NULL;
    g_autofree char *name = NULL;

    if (inner.node == NULL) {
        adit_node_append(resolved, adit_bind_nothing());
        return;
    }
    g_ptr_array_add(types, g_strdup(key->text));
    g_autoptr(AditBlock) block = is_paths ? adit_bind_paths(self, inner, &key->place, &node)
                                          : adit_bind_typed_sequence(self, inner, types, &node);
    AditValue named = inner.node->kind == ADIT_NODE_MAPPING && !inner.opaque &&
                              adit_node_get(inner.node, is_paths ? "of" : "blocks") != NULL
                          ? adit_value_get(inner, "name")
                          : (AditValue){0};

    if (named.node != NULL && named.node->kind == ADIT_NODE_SCALAR) {
        name = g_strdup(named.node->text);
        check_item_name(self, named, name, list);
        adit_node_set_new(node, "name", adit_node_copy(named.node));
    }
    adit_node_append(resolved, wrap(key->text, node));
    add_block(list, block, name, types);
}

static void
bind_plain_item(AditBinder *self, AditValue value, List *list, AditNode *resolved)
{
    g_autoptr(GPtrArray) types = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *name = NULL;
    AditNode *node = NULL;
    g_autoptr(AditBlock) block = adit_bind_block(self, value, &name, types, &node);

    adit_node_append(resolved, node);
    if (name != NULL)
        check_item_name(self, find_name(value), name, list);
    add_block(list, block, name, types);
}

static void
bind_item(AditBinder *self, AditValue value, List *list, AditNode *resolved)
{
    value = adit_substitute(&self->substitution, value);
    if (value.node == NULL)
        return;
    if (value.opaque) {
        adit_node_append(resolved, adit_node_copy(value.node));
        return;
    }
    if (!adit_substitution_work(&self->substitution, &value.node->place, ITEM_WORK))
        return;
    if (value.node->kind == ADIT_NODE_LIST) {
        adit_value_error(&self->substitution, value, ADIT_ERROR_INVALID,
                         "an item is one block, got a list; write {sequence: [...]}");
        return;
    }
    const char *word = value.node->kind == ADIT_NODE_MAPPING && adit_node_count(value.node) > 0
                           ? adit_node_get_key(value.node, 0)->text
                           : "";
    AditValue key = value;

    if (strcmp(word, "aggregator") == 0 || strcmp(word, "blocks") == 0) {
        key.node = adit_node_get_key(value.node, 0);
        adit_value_error(&self->substitution, key, ADIT_ERROR_INVALID,
                         "'%s' stands in a sequence; write {sequence: {%s: ...}}", word, word);
    } else if (adit_node_count(value.node) == 1 && strcmp(word, "repeat") == 0) {
        AditValue inner = adit_substitute(&self->substitution, adit_value_item(value, 0));

        if (inner.node != NULL)
            bind_repeat(self, inner, list, resolved);
    } else if (adit_node_count(value.node) == 1 &&
               (strcmp(word, "sequence") == 0 || strcmp(word, "paths") == 0)) {
        bind_box(self, value, list, resolved);
    } else {
        bind_plain_item(self, value, list, resolved);
    }
}

static void
bind_items(AditBinder *self, AditValue value, List *list, AditNode *resolved)
{
    value = adit_substitute(&self->substitution, value);
    if (value.node == NULL)
        return;
    if (value.opaque) {
        adit_node_append(resolved, adit_node_copy(value.node));
        return;
    }
    if (value.node->kind != ADIT_NODE_LIST) {
        bind_item(self, value, list, resolved);
        return;
    }
    for (guint i = 0; i < adit_node_count(value.node); i++)
        bind_item(self, adit_value_item(value, i), list, resolved);
}

/* Sequences. */

static AditSequence *
make_sequence(AditBinder *self, AditAggregator *aggregator, const AditPlace *place)
{
    g_autoptr(AditNode) resolved = NULL;
    g_autoptr(AditComponent) chain =
        aggregator == NULL ? adit_bind_default(self, "aggregator", "chain", place, &resolved)
                           : NULL;
    AditSequence *sequence = NULL;

    if (aggregator == NULL)
        aggregator = (AditAggregator *) chain;
    if (aggregator == NULL)
        return NULL;
    sequence = adit_sequence_new(aggregator);
    adit_component_set_place(ADIT_COMPONENT(sequence), place);
    return sequence;
}

static AditBlock *
bind_list(AditBinder *self, AditValue value, AditAggregator *aggregator, const AditPlace *place,
          AditNode **resolved)
{
    g_autoptr(AditSequence) sequence = make_sequence(self, aggregator, place);
    g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GPtrArray) dropped = g_ptr_array_new_with_free_func((GDestroyNotify) adit_item_free);
    List list = {sequence, dropped, names};

    *resolved = adit_node_new_list(NULL);
    bind_items(self, value, &list, *resolved);
    return (AditBlock *) g_steal_pointer(&sequence);
}

AditBlock *
adit_bind_wired(AditBinder *self, AditValue mapping, const AditPlace *place, GPtrArray *types,
                AditNode *resolved)
{
    AditValue wiring = adit_value_get(mapping, "aggregator");
    AditValue blocks = adit_value_get(mapping, "blocks");
    g_autoptr(AditComponent) aggregator = NULL;
    AditNode *node = NULL;

    if (wiring.node != NULL) {
        aggregator = adit_bind_component(self, "aggregator", wiring, &node);
        adit_node_set_new(resolved, "aggregator", node);
    }
    if (blocks.node == NULL) {
        adit_value_error(&self->substitution, mapping, ADIT_ERROR_INVALID,
                         "a sequence needs 'blocks'");
        return NULL;
    }
    blocks = adit_substitute(&self->substitution, blocks);
    AditBlock *block = NULL;

    if (blocks.node != NULL && blocks.opaque)
        node = adit_node_copy(blocks.node);
    else if (blocks.node == NULL)
        node = adit_bind_nothing();
    else if (wiring.node == NULL && blocks.node->kind != ADIT_NODE_LIST)
        block = adit_bind_typed_sequence(self, blocks, types, &node);
    else
        block = bind_list(self, blocks, (AditAggregator *) aggregator, place, &node);
    adit_node_set_new(resolved, "blocks", node);
    return block;
}

static AditBlock *
bind_mapping(AditBinder *self, AditValue value, GPtrArray *types, AditNode **resolved)
{
    static const char *const keys[] = {"aggregator", "blocks", "name", NULL};

    adit_bind_check_keys(self, value, keys, "key", "sequence");
    *resolved = adit_node_new_mapping(NULL);
    return adit_bind_wired(self, value, &value.node->place, types, *resolved);
}

AditBlock *
adit_bind_sequence(AditBinder *self, AditValue value, AditNode **resolved)
{
    return adit_bind_typed_sequence(self, value, NULL, resolved);
}

AditBlock *
adit_bind_typed_sequence(AditBinder *self, AditValue value, GPtrArray *types, AditNode **resolved)
{
    value = adit_substitute(&self->substitution, value);
    *resolved = NULL;
    if (value.node == NULL || value.opaque) {
        *resolved = value.node == NULL ? adit_bind_nothing() : adit_node_copy(value.node);
        return NULL;
    }
    if (value.node->kind == ADIT_NODE_LIST)
        return bind_list(self, value, NULL, &value.node->place, resolved);
    if (value.node->kind == ADIT_NODE_SCALAR || adit_node_count(value.node) == 0)
        return adit_bind_block(self, value, NULL, types, resolved);
    if (adit_node_get(value.node, "blocks") != NULL ||
        adit_node_get(value.node, "aggregator") != NULL)
        return bind_mapping(self, value, types, resolved);

    AditValue key = value;

    key.node = adit_node_get_key(value.node, 0);
    if (adit_node_count(value.node) == 1 && strcmp(key.node->text, "sequence") == 0) {
        if (types != NULL)
            g_ptr_array_add(types, g_strdup("sequence"));
        return adit_bind_typed_sequence(self, adit_value_item(value, 0), types, resolved);
    }
    if (adit_node_count(value.node) == 1 && strcmp(key.node->text, "paths") == 0) {
        if (types != NULL)
            g_ptr_array_add(types, g_strdup("paths"));
        AditNode *node = NULL;
        AditBlock *block =
            adit_bind_paths(self, adit_value_item(value, 0), &key.node->place, &node);

        *resolved = wrap("paths", node);
        return block;
    }
    if (strcmp(key.node->text, "repeat") == 0) {
        adit_value_error(&self->substitution, key, ADIT_ERROR_INVALID,
                         "'repeat' adds to a list; write [{repeat: ...}]");
        *resolved = adit_bind_nothing();
        return NULL;
    }
    return adit_bind_block(self, value, NULL, types, resolved);
}
