/* core/pipeline/adit-origin.c - SPDX-License-Identifier: MIT */
#include "adit-origin.h"

#include "adit-binder.h"

#define CONFIG_NAME "config.resolved.yaml"

static gboolean
is_run(const char *folder)
{
    g_autofree char *record = g_build_filename(folder, "run.json", NULL);

    return g_file_test(record, G_FILE_TEST_EXISTS);
}

char *
adit_origin_find_run(const char *path)
{
    g_autofree char *folder = g_canonicalize_filename(path, NULL);
    g_autofree char *above = g_path_get_dirname(folder);
    g_autofree char *run = g_path_get_dirname(above);

    if (is_run(folder))
        return g_steal_pointer(&folder);
    return g_file_test(folder, G_FILE_TEST_IS_DIR) && is_run(run) ? g_steal_pointer(&run) : NULL;
}

/* "'stem' and 'head'"; NULL: all are there. */
static char *
list_missing(AditValue model)
{
    static const char *const names[] = {"stem", "trunk", "head"};
    g_autoptr(GString) list = g_string_new(NULL);

    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        if (adit_value_get(model, names[i]).node == NULL)
            g_string_append_printf(list, "%s'%s'", list->len > 0 ? " and " : "", names[i]);
    return list->len > 0 ? g_string_free(g_steal_pointer(&list), FALSE) : NULL;
}

/* @path names no run; that is wrong unless it holds weights and the network is written here. */
static void
check_weights(AditBinder *self, AditValue model, AditValue from, const char *path)
{
    const char *written = from.node->origin != NULL ? from.node->origin : from.node->text;
    g_autofree char *manifest = g_build_filename(path, "MANIFEST.json", NULL);
    g_autofree char *missing = list_missing(model);

    if (!g_file_test(path, G_FILE_TEST_EXISTS))
        adit_value_error(&self->substitution, from, ADIT_ERROR_NOT_FOUND,
                         "no run, checkpoint or file '%s'", written);
    else if (g_file_test(path, G_FILE_TEST_IS_DIR) && !g_file_test(manifest, G_FILE_TEST_EXISTS))
        adit_value_error(&self->substitution, from, ADIT_ERROR_NOT_FOUND,
                         "no run in '%s': it has no run.json, and is no checkpoint", written);
    else if (!g_file_test(path, G_FILE_TEST_IS_DIR) && !g_str_has_suffix(path, ".safetensors"))
        adit_value_error(&self->substitution, from, ADIT_ERROR_INVALID,
                         "'from' must be a run, a checkpoint or a .safetensors file, got '%s'",
                         written);
    else if (missing != NULL)
        adit_value_error(&self->substitution, from, ADIT_ERROR_INVALID,
                         "'%s' holds weights without a network; write %s here, [] where there is "
                         "nothing",
                         written, missing);
}

/* The pipeline of a run, opened as a document of its own; NULL: wrong, reported. */
static AditPipelineFile *
open_config(AditBinder *self, AditValue from, const char *run)
{
    g_autofree char *path = g_build_filename(run, CONFIG_NAME, NULL);
    g_autofree char *text = NULL;
    AditPipelineFile *file;

    if (!g_file_get_contents(path, &text, NULL, NULL)) {
        adit_value_error(&self->substitution, from, ADIT_ERROR_NOT_FOUND, "no file '%s'", path);
        return NULL;
    }
    AditSource *source = adit_source_new(path, text);
    AditNode *root = adit_yaml_read(source, self->diagnostics);

    file = adit_pipeline_file_new(self, source, path, root);
    if (root == NULL || !adit_bind_check_start(source, root, self->diagnostics))
        return NULL;
    if (adit_node_get(root, "model") == NULL) {
        adit_value_error(&self->substitution, from, ADIT_ERROR_DAMAGED, "no 'model' in '%s'", path);
        return NULL;
    }
    adit_pipeline_file_open(self, file);
    return file;
}

/* The loss of the last stage, which later stages keep from earlier ones. */
static void
bind_loss(AditBinder *self, AditPipelineFile *file, const AditPass *pass)
{
    AditValue train = {adit_node_get(file->root, "train"), file->scope, pass, FALSE};
    guint n =
        train.node != NULL && train.node->kind == ADIT_NODE_LIST ? adit_node_count(train.node) : 0;
    AditValue loss = {0};
    g_autoptr(AditNode) resolved = NULL;

    if (train.node != NULL && train.node->kind == ADIT_NODE_MAPPING)
        loss = adit_value_get(train, "loss");
    for (guint i = n; i > 0 && loss.node == NULL; i--)
        if (adit_node_get_item(train.node, i - 1)->kind == ADIT_NODE_MAPPING)
            loss = adit_value_get(adit_value_item(train, i - 1), "loss");
    if (loss.node != NULL)
        self->experiment->loss = (AditLoss *) adit_bind_component(self, "loss", loss, &resolved);
}

AditValue
adit_bind_origin(AditBinder *self, AditValue model, AditValue from, const char *path)
{
    gboolean trains = adit_node_get(self->main->root, "train") != NULL;
    gboolean has_exits = adit_node_get(self->main->root, "exits") != NULL;
    g_autofree char *missing = list_missing(model);
    g_autofree char *run = adit_origin_find_run(path);
    AditValue none = {0};

    /* where nothing is missing but exits a run need not be there any more */
    if (missing == NULL && trains && adit_value_get(model, "initializer").node != NULL &&
        (has_exits || run == NULL))
        return none;
    from = adit_substitute(&self->substitution, from);
    if (run == NULL) {
        check_weights(self, model, from, path);
        return none;
    }
    const AditPass *pass =
        adit_pass_new(&self->substitution, NULL, &from.node->place, "taken by 'from' here");
    AditPipelineFile *file = open_config(self, from, run);

    if (file == NULL)
        return none;
    if (!trains)
        bind_loss(self, file, pass);
    if (!has_exits)
        self->taken_exits =
            (AditValue){adit_node_get(file->root, "exits"), file->scope, pass, FALSE};
    return adit_substitute(&self->substitution, (AditValue){adit_node_get(file->root, "model"),
                                                            file->scope, pass, FALSE});
}
