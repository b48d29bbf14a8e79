/* core/pipeline/adit-study.c - SPDX-License-Identifier: MIT */
#include "adit-study-private.h"

#include <string.h>

#include "adit-binder.h"
#include "adit-suggest.h"

void
adit_study_error(AditStudyReader *self, const AditPlace *place, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    adit_diagnostics_error(self->diagnostics, place, ADIT_ERROR_INVALID, "%s", text);
}

void
adit_study_check_keys(AditStudyReader *self, const AditNode *mapping, const char *const *known,
                      const char *of)
{
    guint n = g_strv_length((char **) known);

    for (guint i = 0; i < adit_node_count(mapping); i++) {
        const AditNode *key = adit_node_get_key(mapping, i);
        const char *nearest = adit_suggest(key->text, known, n);
        g_autofree char *list = g_strjoinv(", ", (char **) known);

        if (g_strv_contains(known, key->text))
            continue;
        if (nearest != NULL)
            adit_study_error(self, &key->place, "unknown key '%s' of %s; did you mean '%s'?",
                             key->text, of, nearest);
        else
            adit_study_error(self, &key->place, "unknown key '%s' of %s; there are %s", key->text,
                             of, list);
    }
}

static void
column_free(gpointer data)
{
    AditStudyColumn *self = data;

    g_free(self->name);
    g_free(self);
}

static AditStudy *
study_new(const char *path)
{
    AditStudy *self = g_new0(AditStudy, 1);
    g_autofree char *absolute = g_canonicalize_filename(path, NULL);
    char *dot;

    self->path = g_strdup(path);
    self->folder = g_path_get_dirname(absolute);
    self->name = g_path_get_basename(path);
    dot = strrchr(self->name, '.');
    if (dot != NULL && dot != self->name)
        *dot = '\0';
    self->points = g_ptr_array_new_with_free_func((GDestroyNotify) adit_study_point_free);
    self->evaluations = g_ptr_array_new_with_free_func((GDestroyNotify) adit_study_point_free);
    self->evaluated = g_ptr_array_new_with_free_func((GDestroyNotify) adit_study_axis_free);
    self->reports = g_ptr_array_new_with_free_func((GDestroyNotify) adit_study_report_free);
    self->columns = g_ptr_array_new_with_free_func(column_free);
    self->sources = g_ptr_array_new_with_free_func((GDestroyNotify) adit_source_unref);
    return self;
}

void
adit_study_free(AditStudy *self)
{
    g_free(self->path);
    g_free(self->folder);
    g_free(self->name);
    g_free(self->title);
    g_free(self->text);
    g_strfreev(self->axes);
    g_strfreev(self->evaluate);
    g_ptr_array_unref(self->points);
    g_ptr_array_unref(self->evaluations);
    g_ptr_array_unref(self->evaluated);
    g_ptr_array_unref(self->reports);
    g_ptr_array_unref(self->columns);
    g_clear_pointer(&self->source, adit_source_unref);
    g_ptr_array_unref(self->sources);
    g_free(self);
}

gboolean
adit_study_is_one(const char *path)
{
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();
    g_autofree char *text = NULL;

    if (!adit_bind_read_text(path, NULL, &text, diagnostics))
        return FALSE;
    g_autoptr(AditSource) source = adit_source_new(path, text);
    g_autoptr(AditNode) root = adit_yaml_read(source, diagnostics);

    return root != NULL && root->kind == ADIT_NODE_MAPPING && adit_node_get(root, "study") != NULL;
}

/* ---- sections ---- */

/* What kind of file it is; FALSE: no study. */
static gboolean
check_kind(AditStudyReader *self, const AditNode *root)
{
    static const char *const sections[] = {"adit", "title", "study", NULL};
    AditPlace start = {self->study->source, 1, 1, 1};
    const char *text = NULL;

    if (adit_node_get(root, "study") == NULL && adit_node_get(root, "model") != NULL)
        text = "this is a pipeline; adit run trains it";
    else if (adit_node_get(root, "study") == NULL && adit_node_get(root, "parts") != NULL)
        text = "this file holds parts alone; a study needs 'study'";
    else if (adit_node_get(root, "study") == NULL)
        text = "a study needs 'study'";
    if (text != NULL)
        adit_study_error(self, &start, "%s", text);
    else
        adit_study_check_keys(self, root, sections, "a study's file");
    return text == NULL;
}

static void
read_title(AditStudyReader *self, const AditNode *root)
{
    const AditNode *title = adit_node_get(root, "title");

    if (title == NULL) {
        self->study->title = g_strdup(self->study->name);
    } else if (title->kind != ADIT_NODE_SCALAR || adit_node_is_null(title)) {
        g_autofree char *got = adit_node_describe(title);

        adit_study_error(self, &title->place, "'title' must be text, got %s", got);
    } else {
        self->study->title = g_strdup(title->text);
    }
}

static void
read_case(AditStudyReader *self, const AditNode *key, const AditNode *value)
{
    AditStudyCase *each;

    if (value->kind != ADIT_NODE_MAPPING) {
        g_autofree char *got = adit_node_describe(value);

        adit_study_error(self, &value->place, "case '%s' must be a mapping of axes, got %s",
                         key->text, got);
        return;
    }
    each = g_new0(AditStudyCase, 1);
    each->name = g_strdup(key->text);
    each->axes = adit_study_read_axes(self, value);
    g_ptr_array_add(self->cases, each);
    for (guint i = 0; i < each->axes->len; i++) {
        const AditStudyAxis *axis = each->axes->pdata[i];

        if (adit_study_find_axis(self->axes, axis->name) != NULL)
            adit_study_error(self, &axis->place, "'%s' is an axis of 'vary' already", axis->name);
    }
}

static void
read_cases(AditStudyReader *self, const AditNode *vary)
{
    AditStudyCase *only;
    guint index;

    if (!adit_node_find(vary, "cases", &index)) {
        only = g_new0(AditStudyCase, 1);
        only->axes = g_ptr_array_new_with_free_func((GDestroyNotify) adit_study_axis_free);
        self->n_before = self->axes->len;
        g_ptr_array_add(self->cases, only);
        return;
    }
    const AditNode *cases = adit_node_get_item(vary, index);

    self->n_before = MIN(index, self->axes->len);
    self->cases_place = adit_node_get_key(vary, index)->place;
    if (cases->kind != ADIT_NODE_MAPPING || adit_node_count(cases) == 0) {
        g_autofree char *got = adit_node_describe(cases);

        adit_study_error(self, &cases->place,
                         "'cases' must be a mapping of names to axes, got %s; for example {small: "
                         "{depth: 5}, large: {depth: 50}}",
                         got);
        return;
    }
    for (guint i = 0; i < adit_node_count(cases); i++)
        read_case(self, adit_node_get_key(cases, i), adit_node_get_item(cases, i));
}

/* A section that must be a mapping with something in it; NULL: reported. */
static const AditNode *
get_mapping(AditStudyReader *self, const AditNode *parent, const char *name)
{
    const AditNode *node = adit_node_get(parent, name);
    guint index = 0;

    if (node != NULL && node->kind == ADIT_NODE_MAPPING && adit_node_count(node) > 0)
        return node;
    if (node == NULL) {
        adit_study_error(self, &parent->place, "a study needs '%s'", name);
        return NULL;
    }
    g_autofree char *got = adit_node_describe(node);

    adit_node_find(parent, name, &index);
    adit_study_error(self, &adit_node_get_key(parent, index)->place,
                     "'%s' must be a mapping of axes to values, got %s", name, got);
    return NULL;
}

/* Names of the axes in the order of the columns. */
static GStrv
list_axes(const AditStudyReader *self)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    const AditStudyCase *first = self->cases->len > 0 ? self->cases->pdata[0] : NULL;

    for (guint i = 0; i <= self->axes->len; i++) {
        if (i == self->n_before && first != NULL && first->name != NULL)
            g_ptr_array_add(names, g_strdup("cases"));
        for (guint j = 0; i == self->n_before && j < self->cases->len; j++) {
            const AditStudyCase *each = self->cases->pdata[j];

            for (guint k = 0; k < each->axes->len; k++) {
                const AditStudyAxis *axis = each->axes->pdata[k];

                if (!g_ptr_array_find_with_equal_func(names, axis->name, g_str_equal, NULL))
                    g_ptr_array_add(names, g_strdup(axis->name));
            }
        }
        if (i < self->axes->len)
            g_ptr_array_add(names, g_strdup(((AditStudyAxis *) self->axes->pdata[i])->name));
    }
    g_ptr_array_add(names, NULL);
    return (GStrv) g_ptr_array_free(g_steal_pointer(&names), FALSE);
}

static void
read_evaluate(AditStudyReader *self, const AditNode *study)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    const AditNode *node =
        adit_node_get(study, "evaluate") != NULL ? get_mapping(self, study, "evaluate") : NULL;

    if (node != NULL) {
        g_ptr_array_unref(self->study->evaluated);
        self->study->evaluated = adit_study_read_axes(self, node);
    }
    for (guint i = 0; i < self->study->evaluated->len; i++) {
        const AditStudyAxis *axis = self->study->evaluated->pdata[i];

        g_ptr_array_add(names, g_strdup(axis->name));
    }
    g_ptr_array_add(names, NULL);
    self->study->evaluate = (GStrv) g_ptr_array_free(g_steal_pointer(&names), FALSE);
}

static void
read_study(AditStudyReader *self, const AditNode *root)
{
    static const char *const keys[] = {"vary", "evaluate", "report", NULL};
    const AditNode *study = adit_node_get(root, "study");

    read_title(self, root);
    if (study->kind != ADIT_NODE_MAPPING) {
        g_autofree char *got = adit_node_describe(study);

        adit_study_error(self, &study->place, "'study' must be a mapping with 'vary', got %s", got);
        return;
    }
    adit_study_check_keys(self, study, keys, "'study'");
    const AditNode *vary = get_mapping(self, study, "vary");

    if (vary == NULL)
        return;
    self->axes = adit_study_read_axes(self, vary);
    read_cases(self, vary);
    self->study->axes = list_axes(self);
    read_evaluate(self, study);
    adit_study_read_pipelines(self);
    adit_study_check_axes(self);
    adit_study_narrow(self);
    adit_study_check_fixed(self);
    if (adit_node_get(study, "report") != NULL)
        adit_study_read_reports(self, adit_node_get(study, "report"));
    if (adit_diagnostics_count_errors(self->diagnostics) == 0)
        adit_study_make_points(self);
}

static void
reader_clear(AditStudyReader *self)
{
    g_clear_pointer(&self->axes, g_ptr_array_unref);
    g_clear_pointer(&self->cases, g_ptr_array_unref);
    g_clear_pointer(&self->pipelines, g_ptr_array_unref);
    g_clear_pointer(&self->given, g_ptr_array_unref);
    g_clear_pointer(&self->fixed, g_ptr_array_unref);
}

AditStudy *
adit_study_read(const char *path, const char *const *arguments, guint first_argument,
                AditDiagnostics *diagnostics)
{
    g_autoptr(AditStudy) study = study_new(path);
    AditStudyReader reader = {.study = study, .diagnostics = diagnostics};
    guint errors = adit_diagnostics_count_errors(diagnostics);

    if (!adit_bind_read_text(path, NULL, &study->text, diagnostics))
        return NULL;
    study->source = adit_source_new(path, study->text);
    g_autoptr(AditNode) root = adit_yaml_read(study->source, diagnostics);

    reader.cases = g_ptr_array_new_with_free_func((GDestroyNotify) adit_study_case_free);
    reader.pipelines = g_ptr_array_new_with_free_func((GDestroyNotify) adit_study_pipeline_free);
    reader.given = adit_overrides_read(arguments, first_argument, study->sources, diagnostics);
    reader.fixed = g_ptr_array_new();
    if (root != NULL && adit_bind_check_start(study->source, root, diagnostics) &&
        check_kind(&reader, root))
        read_study(&reader, root);
    reader_clear(&reader);
    return adit_diagnostics_count_errors(diagnostics) > errors ? NULL : g_steal_pointer(&study);
}
