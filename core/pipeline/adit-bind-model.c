/* core/pipeline/adit-bind-model.c - SPDX-License-Identifier: MIT */
#include <string.h>

#include "adit-binder.h"
#include "adit-paths.h"

/* The section `model`: its sequences, written here or taken from the run that `from` names. */

static const char *const names[] = {"stem", "trunk", "head"};

static void
report(AditBinder *self, AditValue value, const char *text)
{
    adit_value_error(&self->substitution, value, ADIT_ERROR_INVALID, "%s", text);
}

/* Limits. */

static guint64 count_blocks(AditBlock *block);

static guint64
count_items(const GPtrArray *items)
{
    guint64 count = 0;

    for (guint i = 0; i < items->len && count <= ADIT_MAX_BLOCKS; i++) {
        const AditItem *item = (const AditItem *) items->pdata[i];

        count += item->block != NULL ? count_blocks(item->block)
                                     : item->times * count_items(item->items);
    }
    return MIN(count, ADIT_MAX_BLOCKS + 1);
}

static guint64
count_paths(AditPaths *paths)
{
    guint64 count = 1; /* joining them is work too */

    for (guint i = 0; i < adit_paths_count(paths) && count <= ADIT_MAX_BLOCKS; i++)
        count += count_blocks(adit_paths_get_block(paths, i));
    return count;
}

static guint64
count_blocks(AditBlock *block)
{
    if (block == NULL)
        return 0;
    if (ADIT_IS_PATHS(block))
        return count_paths(ADIT_PATHS(block));
    return ADIT_IS_SEQUENCE(block) ? count_items(adit_sequence_get_items(ADIT_SEQUENCE(block))) : 1;
}

/* Where weights come from. */

/* (nullable): the path that `from` says, whose place is kept */
static char *
bind_from(AditBinder *self, AditValue from, AditNode *resolved)
{
    static const AditParameter parameter = {.name = "from", .type = ADIT_PARAMETER_PATH};

    if (from.node == NULL)
        return NULL;
    g_auto(AditBound) bound = adit_bind_value(self, &parameter, from, FALSE, self->experiment);

    adit_node_set_new(resolved, "from", adit_node_ref(bound.resolved));
    return g_steal_pointer(&bound.text);
}

static void
add_address(const char *address, const AditPlace *place, GPtrArray *texts, GArray *places,
            AditNode *resolved)
{
    AditNode *node = adit_node_new_scalar(address, FALSE, NULL);

    node->literal = TRUE;
    adit_node_append(resolved, node);
    g_ptr_array_add(texts, g_strdup(address));
    g_array_append_vals(places, place, 1);
}

/* What takes its weights from there: the sections and exits taken whole, then what `load` says.
 * Written out, a section that was taken stands under `load`, so that it keeps its weights. */
static void
bind_load(AditBinder *self, AditValue model, AditValue origin, AditNode *resolved)
{
    static const AditParameter parameter = {.name = "load", .type = ADIT_PARAMETER_ADDRESSES};
    AditExperiment *experiment = self->experiment;
    AditValue load = adit_value_get(model, "load");
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GArray) places = g_array_new(FALSE, FALSE, sizeof(AditPlace));
    AditNode *list = adit_node_new_list(NULL);

    for (guint i = 0; origin.node != NULL && i < G_N_ELEMENTS(names); i++)
        if (adit_value_get(model, names[i]).node == NULL &&
            adit_value_get(origin, names[i]).node != NULL)
            add_address(names[i], adit_experiment_find_place(experiment, experiment, "from", 0),
                        texts, places, list);
    if (self->taken_exits.node != NULL)
        add_address("exits", adit_experiment_find_place(experiment, experiment, "from", 0), texts,
                    places, list);
    if (load.node != NULL) {
        g_auto(AditBound) bound = adit_bind_value(self, &parameter, load, TRUE, experiment);

        for (guint i = 0; bound.good && bound.texts[i] != NULL; i++)
            add_address(bound.texts[i],
                        adit_experiment_find_place(experiment, experiment, "load", i), texts,
                        places, list);
        if (adit_value_get(model, "from").node == NULL)
            report(self, load, "'load' needs 'from', which says where the weights are");
    }
    if (texts->len > 0)
        adit_node_set_new(resolved, "load", adit_node_ref(list));
    adit_bind_keep_places(self, experiment, "load", (const AditPlace *) (gpointer) places->data,
                          places->len);
    g_ptr_array_add(texts, NULL);
    experiment->load = (GStrv) g_ptr_array_free(g_steal_pointer(&texts), FALSE);
    adit_node_unref(list);
}

/* The network. */

static void
bind_initializer(AditBinder *self, AditValue model, AditValue origin, AditNode *resolved)
{
    AditValue written = adit_value_get(model, "initializer");
    AditComponent *initializer;
    AditNode *node = NULL;

    if (written.node == NULL && origin.node != NULL)
        written = adit_value_get(origin, "initializer");
    if (written.node != NULL)
        initializer = adit_bind_component(self, "initializer", written, &node);
    else
        initializer =
            adit_bind_default(self, "initializer", "he-normal", &model.node->place, &node);
    self->experiment->model.initializer = (AditInitializer *) initializer;
    adit_node_set_new(resolved, "initializer", node);
}

/* Beside `from` an empty section is written out as well: left out it would be the run's. */
static AditBlock *
bind_part_of_model(AditBinder *self, AditValue model, AditValue origin, const char *name,
                   AditNode *resolved)
{
    AditValue value = adit_value_get(model, name);
    AditBlock *block = NULL;
    AditNode *node = NULL;

    if (value.node == NULL && origin.node != NULL)
        value = adit_value_get(origin, name);
    if (value.node == NULL && self->experiment->from != NULL)
        value.node =
            adit_substitution_keep(&self->substitution, adit_node_new_list(&model.node->place));
    if (value.node == NULL)
        return NULL;
    block = adit_bind_sequence(self, value, &node);
    adit_node_set_new(resolved, name, node);
    return block;
}

void
adit_bind_model(AditBinder *self, AditValue value, AditNode *resolved)
{
    static const char *const keys[] = {"stem", "trunk", "head", "initializer",
                                       "from", "load",  NULL};
    AditExperiment *experiment = self->experiment;
    AditModel *model = &experiment->model;
    AditBlock **blocks[] = {&model->stem, &model->trunk, &model->head};
    AditNode *node = adit_node_new_mapping(NULL);
    AditValue origin = {0};
    guint64 count = 0;

    value = adit_substitute(&self->substitution, value);
    if (value.node == NULL || value.node->kind != ADIT_NODE_MAPPING) {
        if (value.node != NULL)
            report(self, value, "'model' must be a mapping with stem, trunk and head");
        adit_node_unref(node);
        return;
    }
    adit_node_set_new(resolved, "model", node);
    adit_bind_check_keys(self, value, keys, "key", "model");
    AditValue from = adit_value_get(value, "from");

    experiment->from = bind_from(self, from, node);
    if (experiment->from != NULL)
        origin = adit_bind_origin(self, value, from, experiment->from);
    if (origin.node != NULL && origin.node->kind != ADIT_NODE_MAPPING)
        origin.node = NULL;
    bind_load(self, value, origin, node);
    bind_initializer(self, value, origin, node);
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        *blocks[i] = bind_part_of_model(self, value, origin, names[i], node);
        count += count_blocks(*blocks[i]);
    }
    if (count > ADIT_MAX_BLOCKS)
        report(self, value, "the network has more than 65536 blocks");
}
