/* core/pipeline/adit-study-check.c - SPDX-License-Identifier: MIT */
#include "adit-study-private.h"

#include <string.h>

#include "adit-binder.h"
#include "adit-suggest.h"

/* Sections of a pipeline whose keys can be turned. */
static const char *const sections[] = {"title", "seed",  "params",    "parts",  "data", "model",
                                       "exits", "train", "inference", "probes", NULL};
/* What can be turned after training. */
static const char *const late[] = {"inference", "probes", "data", NULL};

void
adit_study_pipeline_free(AditStudyPipeline *self)
{
    g_free(self->name);
    g_free(self->path);
    g_ptr_array_unref(self->params);
    g_free(self);
}

/* ---- pipelines ---- */

static AditStudyPipeline *
find_pipeline(const AditStudyReader *self, const char *name)
{
    for (guint i = 0; i < self->pipelines->len; i++) {
        AditStudyPipeline *pipeline = self->pipelines->pdata[i];

        if (strcmp(pipeline->name, name) == 0)
            return pipeline;
    }
    return NULL;
}

static void
list_params(AditStudyPipeline *pipeline, const AditNode *root)
{
    const AditNode *params = adit_node_get(root, "params");

    pipeline->is_read = TRUE;
    for (guint i = 0;
         params != NULL && params->kind == ADIT_NODE_MAPPING && i < adit_node_count(params); i++)
        g_ptr_array_add(pipeline->params, g_strdup(adit_node_get_key(params, i)->text));
}

/* Reads of the file what the axes' names are checked by; the rest is read with each point. */
static void
open_pipeline(AditStudyReader *self, AditStudyPipeline *pipeline, const AditPlace *place)
{
    g_autofree char *text = NULL;

    if (!g_file_test(pipeline->path, G_FILE_TEST_EXISTS)) {
        adit_diagnostics_error(self->diagnostics, place, ADIT_ERROR_NOT_FOUND, "no file '%s'",
                               pipeline->name);
        return;
    }
    if (!adit_bind_read_text(pipeline->path, place, &text, self->diagnostics))
        return;
    g_autoptr(AditSource) source = adit_source_new(pipeline->path, text);
    g_autoptr(AditNode) root = adit_yaml_read(source, self->diagnostics);

    g_ptr_array_add(self->study->sources, adit_source_ref(source));
    if (root == NULL || !adit_bind_check_start(source, root, self->diagnostics))
        return;
    if (adit_node_get(root, "study") != NULL)
        adit_study_error(self, place, "'%s' is a study, not a pipeline", pipeline->name);
    else if (adit_node_get(root, "model") == NULL)
        adit_study_error(self, place, "'%s' is no pipeline; it has no 'model'", pipeline->name);
    else
        list_params(pipeline, root);
}

static void
read_pipeline(AditStudyReader *self, const AditNode *value)
{
    g_auto(GStrv) steps = NULL;

    if (value->kind != ADIT_NODE_SCALAR || *value->text == '\0') {
        g_autofree char *got = adit_node_describe(value);

        adit_study_error(self, &value->place, "'pipeline' must be a file, got %s", got);
        return;
    }
    steps = g_strsplit(value->text, "/", -1);
    if (g_path_is_absolute(value->text) || g_strv_contains((const char *const *) steps, "..")) {
        adit_study_error(self, &value->place,
                         "a pipeline lies beside or below the study, got \"%s\"", value->text);
        return;
    }
    if (find_pipeline(self, value->text) != NULL)
        return;
    AditStudyPipeline *pipeline = g_new0(AditStudyPipeline, 1);
    g_autofree char *folder = g_path_get_dirname(self->study->path);

    pipeline->name = g_strdup(value->text);
    pipeline->path = strcmp(folder, ".") == 0 && !g_str_has_prefix(self->study->path, "./")
                         ? g_strdup(value->text)
                         : g_build_filename(folder, value->text, NULL);
    pipeline->params = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(self->pipelines, pipeline);
    open_pipeline(self, pipeline, &value->place);
}

static gboolean
read_pipelines_of(AditStudyReader *self, const GPtrArray *axes)
{
    const AditStudyAxis *axis = adit_study_find_axis(axes, "pipeline");

    for (guint i = 0; axis != NULL && i < axis->values->len; i++)
        read_pipeline(self, axis->values->pdata[i]);
    return axis != NULL;
}

void
adit_study_read_pipelines(AditStudyReader *self)
{
    gboolean found = read_pipelines_of(self, self->axes), everywhere = self->cases->len > 0;
    AditPlace place = {self->study->source, 1, 1, 1};

    for (guint i = 0; i < self->cases->len; i++)
        everywhere =
            read_pipelines_of(self, ((AditStudyCase *) self->cases->pdata[i])->axes) && everywhere;
    if (self->axes->len > 0)
        place = ((AditStudyAxis *) self->axes->pdata[0])->place;
    if (!found && !everywhere)
        adit_study_error(self, &place, "'vary' needs 'pipeline': the file that is run");
}

/* ---- what the axes are ---- */

static gboolean
has_param(const AditStudyPipeline *pipeline, const char *name)
{
    return g_ptr_array_find_with_equal_func(pipeline->params, name, g_str_equal, NULL);
}

/* Whether @files, (nullable), has the pipeline among its values; NULL: all do. */
static gboolean
is_among(const AditStudyAxis *files, const AditStudyPipeline *pipeline)
{
    for (guint i = 0; files != NULL && i < files->values->len; i++) {
        if (g_strcmp0(((AditNode *) files->values->pdata[i])->text, pipeline->name) == 0)
            return TRUE;
    }
    return files == NULL;
}

/* The first pipeline of @files without a parameter @name, (nullable); what cannot be read lacks
 * nothing. */
static const AditStudyPipeline *
find_lacking(const AditStudyReader *self, const AditStudyAxis *files, const char *name)
{
    for (guint i = 0; i < self->pipelines->len; i++) {
        const AditStudyPipeline *pipeline = self->pipelines->pdata[i];

        if (pipeline->is_read && is_among(files, pipeline) && !has_param(pipeline, name))
            return pipeline;
    }
    return NULL;
}

/* (nullable): a parameter or section that @name may be a typing error of. */
static const char *
suggest(const AditStudyPipeline *pipeline, const char *name)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    for (guint i = 0; i < pipeline->params->len; i++)
        g_ptr_array_add(names, pipeline->params->pdata[i]);
    for (guint i = 0; sections[i] != NULL; i++)
        g_ptr_array_add(names, (gpointer) sections[i]);
    return adit_suggest(name, (const char *const *) names->pdata, names->len);
}

static gboolean
is_key(const char *name)
{
    g_autofree char *section = g_strndup(name, strcspn(name, "."));

    return g_strv_contains(sections, section);
}

/* @files: (nullable): the pipelines that it is an axis of; NULL: all */
static void
check_axis(AditStudyReader *self, const AditStudyAxis *files, AditStudyAxis *axis)
{
    const AditStudyPipeline *lacking = find_lacking(self, files, axis->name);

    if (strcmp(axis->name, "pipeline") == 0 || self->pipelines->len == 0)
        return;
    axis->is_path = lacking != NULL;
    if (lacking == NULL || is_key(axis->name))
        return;
    const char *nearest = suggest(lacking, axis->name);

    if (nearest != NULL)
        adit_study_error(self, &axis->place,
                         "'%s' is neither a parameter of %s nor a key; did you mean '%s'?",
                         axis->name, lacking->name, nearest);
    else
        adit_study_error(self, &axis->place, "'%s' is neither a parameter of %s nor a key",
                         axis->name, lacking->name);
}

static gboolean
is_late(const char *path)
{
    g_autofree char *section = g_strndup(path, strcspn(path, "."));

    return g_strv_contains(late, section);
}

static void
report_late(AditDiagnostics *diagnostics, const AditStudyAxis *axis)
{
    adit_diagnostics_error(diagnostics, &axis->place, ADIT_ERROR_INVALID,
                           "'%s' cannot be turned after training; put it under 'vary'", axis->name);
}

void
adit_study_check_axes(AditStudyReader *self)
{
    for (guint i = 0; i < self->axes->len; i++)
        check_axis(self, NULL, self->axes->pdata[i]);
    for (guint i = 0; i < self->cases->len; i++) {
        GPtrArray *axes = ((AditStudyCase *) self->cases->pdata[i])->axes;
        const AditStudyAxis *files = adit_study_find_axis(axes, "pipeline");

        for (guint j = 0; j < axes->len; j++)
            check_axis(self, files, axes->pdata[j]);
    }
    for (guint i = 0; i < self->study->evaluated->len; i++) {
        AditStudyAxis *axis = self->study->evaluated->pdata[i];

        check_axis(self, NULL, axis);
        if (strcmp(axis->name, "pipeline") == 0 ||
            (axis->is_path && is_key(axis->name) && !is_late(axis->name)))
            report_late(self->diagnostics, axis);
        else if (g_strv_contains((const char *const *) self->study->axes, axis->name))
            adit_study_error(self, &axis->place, "'%s' is an axis of 'vary' already", axis->name);
    }
}

/* What the command line adds must be known to every pipeline. */
void
adit_study_check_fixed(AditStudyReader *self)
{
    for (guint i = 0; i < self->fixed->len; i++) {
        const AditOverride *override = self->fixed->pdata[i];
        const AditStudyPipeline *lacking = find_lacking(self, NULL, override->path);

        if (override->is_path || lacking == NULL)
            continue;
        g_autoptr(GPtrArray) names = g_ptr_array_new();

        for (guint j = 0; j < lacking->params->len; j++)
            g_ptr_array_add(names, lacking->params->pdata[j]);
        for (guint j = 0; self->study->axes[j] != NULL; j++)
            g_ptr_array_add(names, self->study->axes[j]);
        const char *nearest =
            adit_suggest(override->path, (const char *const *) names->pdata, names->len);

        if (nearest != NULL)
            adit_study_error(self, &override->place,
                             "'%s' is neither an axis of %s nor a parameter of %s; did you mean "
                             "'%s'?",
                             override->path, self->study->path, lacking->name, nearest);
        else if (is_key(override->path))
            adit_study_error(self, &override->place,
                             "'%s' is neither an axis of %s nor a parameter of %s; a key is set by "
                             "-o %s=...",
                             override->path, self->study->path, lacking->name, override->path);
        else
            adit_study_error(self, &override->place,
                             "'%s' is neither an axis of %s nor a parameter of %s", override->path,
                             self->study->path, lacking->name);
    }
}

/* ---- what `evaluate` reaches ---- */

static AditNode *
read_resolved(const AditExperiment *experiment)
{
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();
    g_autoptr(AditSource) source = adit_source_new(experiment->path, experiment->resolved);

    return adit_yaml_read(source, diagnostics);
}

static gboolean
is_same(const AditNode *one, const AditNode *other, const char *section)
{
    const AditNode *a = adit_node_get(one, section), *b = adit_node_get(other, section);
    g_autofree char *text = a != NULL ? adit_yaml_write_line(a) : NULL;
    g_autofree char *expected = b != NULL ? adit_yaml_write_line(b) : NULL;

    return g_strcmp0(text, expected) == 0;
}

/* Whether sections of @one that training depends on are as they are in @other. */
static gboolean
is_trained_alike(const AditNode *one, const AditNode *other)
{
    for (guint i = 0; i < adit_node_count(one); i++) {
        const char *section = adit_node_get_key(one, i)->text;

        if (!g_strv_contains(late, section) && !is_same(one, other, section))
            return FALSE;
    }
    return TRUE;
}

/* Whether @evaluated differs from @trained in what may change after training alone. */
static gboolean
differs_late(const AditExperiment *trained, const AditExperiment *evaluated)
{
    g_autoptr(AditNode) one = read_resolved(trained), other = read_resolved(evaluated);

    return is_trained_alike(one, other) && is_trained_alike(other, one);
}

static gboolean
check_late(const AditStudy *self, const AditStudyPoint *point, const AditExperiment *trained,
           const AditStudyAxis *axis, const char *data_folder, AditDiagnostics *diagnostics)
{
    for (guint i = 0; i < axis->values->len; i++) {
        g_autoptr(GPtrArray) overrides =
            g_ptr_array_new_with_free_func((GDestroyNotify) adit_override_free);
        AditStudyPoint evaluation = {.overrides = overrides};

        g_ptr_array_add(overrides, adit_override_new(axis->name, axis->is_path, &axis->place,
                                                     adit_node_ref(axis->values->pdata[i])));
        g_autoptr(AditExperiment) evaluated =
            adit_study_read_point(self, point, &evaluation, data_folder, diagnostics);

        if (evaluated == NULL)
            return FALSE;
        if (!differs_late(trained, evaluated)) {
            report_late(diagnostics, axis);
            return FALSE;
        }
    }
    return TRUE;
}

void
adit_study_check_evaluate(const AditStudy *self, const char *data_folder,
                          AditDiagnostics *diagnostics)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; self->evaluated->len > 0 && i < self->points->len; i++) {
        const AditStudyPoint *point = self->points->pdata[i];

        if (!g_hash_table_add(seen, point->pipeline))
            continue;
        g_autoptr(AditExperiment) trained =
            adit_study_read_point(self, point, NULL, data_folder, diagnostics);

        for (guint j = 0; trained != NULL && j < self->evaluated->len; j++)
            check_late(self, point, trained, self->evaluated->pdata[j], data_folder, diagnostics);
    }
}

GStrv
adit_study_list_changes(const AditExperiment *trained, const AditExperiment *evaluated)
{
    g_autoptr(AditNode) one = read_resolved(trained), other = read_resolved(evaluated);
    g_autoptr(GPtrArray) words = g_ptr_array_new();

    for (guint i = 0; late[i] != NULL; i++) {
        const AditNode *section = adit_node_get(other, late[i]);

        if (section == NULL || is_same(one, other, late[i]))
            continue;
        g_autofree char *text = adit_yaml_write_line(section);

        g_ptr_array_add(words, g_strdup("-o"));
        g_ptr_array_add(words, g_strdup_printf("%s=%s", late[i], text));
    }
    g_ptr_array_add(words, NULL);
    return (GStrv) g_ptr_array_free(g_steal_pointer(&words), FALSE);
}
