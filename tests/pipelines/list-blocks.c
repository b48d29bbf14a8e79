/* tests/pipelines/list-blocks.c - SPDX-License-Identifier: MIT */
#include "adit-exit.h"
#include "adit-experiment.h"
#include "adit-json.h"
#include "adit-node.h"
#include "adit-paths.h"
#include "adit-sequence.h"

/* Prints what a pipeline comes to as JSON: every block with all its parameters, parts, repeats and
 * references filled in, and the data and stages beside it. Parameters are texts, as they are bound.
 *
 *   list-blocks FILE DATA [name=value ...] [-o path=value ...] */

static JsonNode *
write_node(const AditNode *node)
{
    JsonNode *json = json_node_alloc();
    JsonObject *object;
    JsonArray *array;

    if (node->kind == ADIT_NODE_SCALAR)
        return json_node_init_string(json, node->text);
    if (node->kind == ADIT_NODE_LIST) {
        array = json_array_new();
        for (guint i = 0; i < adit_node_count(node); i++)
            json_array_add_element(array, write_node(adit_node_get_item(node, i)));
        json_node_init_array(json, array);
        json_array_unref(array);
        return json;
    }
    object = json_object_new();
    for (guint i = 0; i < adit_node_count(node); i++)
        json_object_set_member(object, adit_node_get_key(node, i)->text,
                               write_node(adit_node_get_item(node, i)));
    json_node_init_object(json, object);
    json_object_unref(object);
    return json;
}

/* As the component was bound; NULL: there is none. */
static JsonNode *
write_component(gpointer component)
{
    return component == NULL ? json_node_new(JSON_NODE_NULL)
                             : write_node(g_object_get_data(component, ADIT_NODE_OWN));
}

static JsonNode *write_block(AditBlock *block);

static void
write_items(const GPtrArray *items, JsonArray *array)
{
    for (guint i = 0; i < items->len; i++) {
        const AditItem *item = items->pdata[i];

        for (guint j = 0; item->items != NULL && j < item->times; j++)
            write_items(item->items, array);
        if (item->items == NULL)
            json_array_add_element(array, write_block(item->block));
    }
}

static JsonNode *
write_sequence(AditSequence *sequence)
{
    JsonNode *json = json_node_new(JSON_NODE_OBJECT);
    JsonObject *object = json_object_new();
    JsonArray *items = json_array_new();

    write_items(adit_sequence_get_items(sequence), items);
    json_object_set_member(object, "aggregator",
                           write_component(adit_sequence_get_aggregator(sequence)));
    json_object_set_array_member(object, "items", items);
    json_node_take_object(json, object);
    return json;
}

static JsonNode *
write_paths(AditPaths *paths)
{
    static const char *const joins[] = {"sum", "mean", "max", "product", "concat"};
    JsonNode *json = json_node_new(JSON_NODE_OBJECT);
    JsonObject *object = json_object_new(), *of = json_object_new();

    for (guint i = 0; i < adit_paths_count(paths); i++)
        json_object_set_member(of, adit_paths_get_name(paths, i),
                               write_block(adit_paths_get_block(paths, i)));
    json_object_set_string_member(object, "join", joins[adit_paths_get_join(paths)]);
    json_object_set_object_member(object, "of", of);
    json_node_take_object(json, object);
    return json;
}

static JsonNode *
write_block(AditBlock *block)
{
    if (block != NULL && ADIT_IS_SEQUENCE(block))
        return write_sequence(ADIT_SEQUENCE(block));
    if (block != NULL && ADIT_IS_PATHS(block))
        return write_paths(ADIT_PATHS(block));
    return write_component(block);
}

static JsonNode *
write_stage(const AditStage *stage)
{
    JsonNode *json = json_node_new(JSON_NODE_OBJECT);
    JsonObject *object = json_object_new();
    JsonArray *regularizers = json_array_new();

    for (guint i = 0; i < stage->regularizers->len; i++)
        json_array_add_element(regularizers, write_component(stage->regularizers->pdata[i]));
    json_object_set_member(object, "loss", write_component(stage->loss));
    json_object_set_member(object, "optimizer", write_component(stage->optimizer));
    json_object_set_array_member(object, "regularizers", regularizers);
    json_object_set_double_member(object, "batch", stage->batch.value);
    json_object_set_int_member(object, "epochs", (gint64) stage->epochs);
    json_object_set_boolean_member(object, "shuffle", stage->shuffle);
    json_node_take_object(json, object);
    return json;
}

static JsonArray *
write_exits(const GPtrArray *exits)
{
    JsonArray *array = json_array_new();

    for (guint i = 0; i < exits->len; i++) {
        const AditExit *exit = exits->pdata[i];
        JsonObject *object = json_object_new();
        g_autofree char *at = g_strjoinv(" ", (char **) adit_exit_get_at(exit));

        json_object_set_string_member(object, "at", at);
        json_object_set_member(object, "head", write_block(adit_exit_get_head(exit)));
        json_array_add_object_element(array, object);
    }
    return array;
}

static char *
write_experiment(const AditExperiment *experiment)
{
    JsonObject *object = json_object_new();
    JsonArray *stages = json_array_new();
    char *text;

    for (guint i = 0; i < experiment->stages->len; i++)
        json_array_add_element(stages, write_stage(experiment->stages->pdata[i]));
    json_object_set_member(object, "data", write_component(experiment->datasets->pdata[0]));
    json_object_set_member(object, "initializer", write_component(experiment->model.initializer));
    json_object_set_member(object, "stem", write_block(experiment->model.stem));
    json_object_set_member(object, "trunk", write_block(experiment->model.trunk));
    json_object_set_member(object, "head", write_block(experiment->model.head));
    json_object_set_array_member(object, "exits", write_exits(experiment->model.exits));
    json_object_set_array_member(object, "stages", stages);
    text = adit_json_to_text(object);
    json_object_unref(object);
    return text;
}

int
main(int argc, char **argv)
{
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();

    if (argc < 3) {
        g_printerr("usage: list-blocks FILE DATA [name=value ...] [-o path=value ...]\n");
        return 2;
    }
    g_autoptr(AditExperiment) experiment =
        adit_experiment_read(argv[1], (const char *const *) argv + 3, 3, argv[2], diagnostics);

    if (experiment == NULL) {
        g_autofree char *text = adit_diagnostics_to_string(diagnostics, FALSE);

        g_printerr("%s", text);
        return 2;
    }
    g_autofree char *text = write_experiment(experiment);

    g_print("%s", text);
    return 0;
}
