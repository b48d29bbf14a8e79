/* core/pipeline/adit-study-points.c - SPDX-License-Identifier: MIT */
#include "adit-study-private.h"

#include <string.h>

/* characters of a point that a message shows */
#define MAX_SHOWN 200

void
adit_study_point_free(AditStudyPoint *self)
{
    g_free(self->pipeline);
    g_free(self->label);
    g_strfreev(self->values);
    g_ptr_array_unref(self->overrides);
    g_free(self);
}

/* ---- all combinations ---- */

static AditOverride *
copy_override(const AditOverride *override)
{
    AditOverride *copy = adit_override_new(override->path, override->is_path, &override->place,
                                           adit_node_ref(override->value));

    copy->append = override->append;
    return copy;
}

static void
set_value(AditStudyPoint *point, GStrv names, const char *name, char *text)
{
    guint index = 0;

    while (strcmp(names[index], name) != 0)
        index++;
    g_free(point->values[index]);
    point->values[index] = text;
}

static char *
find_file(const AditStudyReader *self, const char *name)
{
    for (guint i = 0; i < self->pipelines->len; i++) {
        const AditStudyPipeline *pipeline = self->pipelines->pdata[i];

        if (strcmp(pipeline->name, name) == 0)
            return g_strdup(pipeline->path);
    }
    return NULL;
}

/* The point at which axis i has its value number @digits[i]. */
static AditStudyPoint *
make_point(const AditStudyReader *self, GStrv names, const char *case_name, const GPtrArray *axes,
           const guint *digits)
{
    AditStudyPoint *point = g_new0(AditStudyPoint, 1);
    guint n = g_strv_length(names);

    point->values = g_new0(char *, n + 1);
    for (guint i = 0; i < n; i++)
        point->values[i] = g_strdup("");
    point->overrides = g_ptr_array_new_with_free_func((GDestroyNotify) adit_override_free);
    if (case_name != NULL)
        set_value(point, names, "cases", g_strdup(case_name));
    for (guint i = 0; i < axes->len; i++) {
        const AditStudyAxis *axis = axes->pdata[i];
        AditNode *value = axis->values->pdata[digits[i]];

        set_value(point, names, axis->name, adit_study_print_value(value));
        if (strcmp(axis->name, "pipeline") == 0)
            point->pipeline = find_file(self, value->text);
        else
            g_ptr_array_add(
                point->overrides,
                adit_override_new(axis->name, axis->is_path, &axis->place, adit_node_ref(value)));
    }
    return point;
}

static guint64
count_points(const GPtrArray *axes)
{
    guint64 count = 1;

    for (guint i = 0; i < axes->len; i++)
        count = MIN(count * ((AditStudyAxis *) axes->pdata[i])->values->len, G_MAXUINT32);
    return count;
}

/* The last axis turns fastest. */
static void
add_points(const AditStudyReader *self, GStrv names, const char *case_name, const GPtrArray *axes,
           GPtrArray *points)
{
    g_autofree guint *digits = g_new0(guint, axes->len + 1);
    guint64 n = count_points(axes);

    for (guint64 i = 0; i < n; i++) {
        guint64 rest = i;

        for (guint j = axes->len; j > 0; j--) {
            guint base = ((AditStudyAxis *) axes->pdata[j - 1])->values->len;

            digits[j - 1] = (guint) (rest % base);
            rest /= base;
        }
        AditStudyPoint *point = make_point(self, names, case_name, axes, digits);

        point->index = points->len;
        g_ptr_array_add(points, point);
    }
}

/* (element-type AditStudyAxis): of a case, with those of `vary` around it; borrowed. */
static GPtrArray *
join_axes(const AditStudyReader *self, const AditStudyCase *each)
{
    GPtrArray *axes = g_ptr_array_new();

    for (guint i = 0; i < self->n_before; i++)
        g_ptr_array_add(axes, self->axes->pdata[i]);
    for (guint i = 0; i < each->axes->len; i++)
        g_ptr_array_add(axes, each->axes->pdata[i]);
    for (guint i = self->n_before; i < self->axes->len; i++)
        g_ptr_array_add(axes, self->axes->pdata[i]);
    return axes;
}

static gboolean
check_count(AditStudyReader *self)
{
    AditPlace place = {self->study->source, 1, 1, 1};
    guint64 n = 0;

    for (guint i = 0; i < self->cases->len; i++) {
        g_autoptr(GPtrArray) axes = join_axes(self, self->cases->pdata[i]);

        n += count_points(axes);
    }
    n *= count_points(self->study->evaluated);
    if (self->axes->len > 0)
        place = ((AditStudyAxis *) self->axes->pdata[0])->place;
    if (n > ADIT_STUDY_MAX_POINTS)
        adit_study_error(self, &place, "a study has at most %d points, got %s%" G_GUINT64_FORMAT,
                         ADIT_STUDY_MAX_POINTS, n >= G_MAXUINT32 ? "more than " : "", n);
    else if (n == 0)
        adit_study_error(self, &place, "no point of the study is left");
    return n > 0 && n <= ADIT_STUDY_MAX_POINTS;
}

/* ---- labels ---- */

static gboolean
differs(const GPtrArray *points, guint axis)
{
    for (guint i = 1; i < points->len; i++) {
        if (strcmp(((AditStudyPoint *) points->pdata[i])->values[axis],
                   ((AditStudyPoint *) points->pdata[0])->values[axis]) != 0)
            return TRUE;
    }
    return FALSE;
}

static char *
make_label(const AditStudyPoint *point, GStrv axes, const gboolean *shown, const char *name)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; axes[i] != NULL; i++) {
        if (shown[i] && *point->values[i] != '\0')
            g_string_append_printf(text, "%s%s=%s", text->len > 0 ? " " : "", axes[i],
                                   point->values[i]);
    }
    if (g_utf8_strlen(text->str, -1) > MAX_SHOWN) {
        g_string_truncate(text,
                          (gsize) (g_utf8_offset_to_pointer(text->str, MAX_SHOWN) - text->str));
        g_string_append(text, "...");
    }
    return g_strdup(text->len > 0 ? text->str : name);
}

/* What is the same in all points does not tell them apart. */
static void
set_labels(const GPtrArray *points, GStrv axes, const char *name)
{
    guint n = g_strv_length(axes);
    g_autofree gboolean *shown = g_new0(gboolean, n + 1);

    for (guint i = 0; i < n; i++)
        shown[i] = differs(points, i);
    for (guint i = 0; i < points->len; i++) {
        AditStudyPoint *point = points->pdata[i];

        point->label = make_label(point, axes, shown, name);
    }
}

void
adit_study_make_points(AditStudyReader *self)
{
    AditStudy *study = self->study;

    if (!check_count(self))
        return;
    for (guint i = 0; i < self->cases->len; i++) {
        const AditStudyCase *each = self->cases->pdata[i];
        g_autoptr(GPtrArray) axes = join_axes(self, each);

        add_points(self, study->axes, each->name, axes, study->points);
    }
    for (guint i = 0; i < study->points->len; i++) {
        AditStudyPoint *point = study->points->pdata[i];

        for (guint j = 0; j < self->fixed->len; j++)
            g_ptr_array_add(point->overrides, copy_override(self->fixed->pdata[j]));
    }
    if (study->evaluated->len > 0)
        add_points(self, study->evaluate, NULL, study->evaluated, study->evaluations);
    set_labels(study->points, study->axes, study->name);
    set_labels(study->evaluations, study->evaluate, study->name);
}

/* ---- a point as a pipeline ---- */

AditExperiment *
adit_study_read_point(const AditStudy *self, const AditStudyPoint *point,
                      const AditStudyPoint *evaluation, const char *data_folder,
                      AditDiagnostics *diagnostics)
{
    g_autoptr(GPtrArray) overrides = g_ptr_array_new();
    guint errors = adit_diagnostics_count_errors(diagnostics);

    for (guint i = 0; i < point->overrides->len; i++)
        g_ptr_array_add(overrides, point->overrides->pdata[i]);
    for (guint i = 0; evaluation != NULL && i < evaluation->overrides->len; i++)
        g_ptr_array_add(overrides, evaluation->overrides->pdata[i]);
    AditExperiment *experiment = adit_experiment_read_varied(
        point->pipeline, overrides, self->source, data_folder, diagnostics);

    if (adit_diagnostics_count_errors(diagnostics) > errors && self->points->len > 1)
        adit_diagnostics_note(diagnostics, NULL, "at the point %s of %s", point->label, self->path);
    return experiment;
}

/* ---- a point as arguments ---- */

static gboolean
is_same_place(const AditPlace *a, const AditPlace *b)
{
    return a->source == b->source && a->line == b->line && a->column == b->column;
}

/* Makes paths that the study wrote absolute, as arguments are relative to the working directory. */
static void
lead_paths(const AditStudy *self, AditNode *node, const GArray *paths)
{
    for (guint i = 0; i < adit_node_count(node); i++)
        lead_paths(self, adit_node_get_item(node, i), paths);
    if (node->kind != ADIT_NODE_SCALAR || node->place.source != self->source || *node->text == '$')
        return;
    for (guint i = 0; i < paths->len; i++) {
        if (!is_same_place(&g_array_index(paths, AditPlace, i), &node->place))
            continue;
        g_autofree char *old = g_steal_pointer(&node->text);

        node->text = g_canonicalize_filename(old, self->folder);
        return;
    }
}

GStrv
adit_study_list_arguments(const AditStudy *self, const AditStudyPoint *point,
                          const AditExperiment *experiment)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new();

    for (guint i = 0; i < point->overrides->len; i++) {
        const AditOverride *override = point->overrides->pdata[i];
        g_autoptr(AditNode) value = adit_node_copy(override->value);

        /* there was nothing to take away */
        if (override->remove && !override->used)
            continue;
        lead_paths(self, value, experiment->paths);
        g_autofree char *text = adit_yaml_write_line(value);

        if (override->is_path)
            g_ptr_array_add(words, g_strdup("-o"));
        g_ptr_array_add(
            words, g_strdup_printf("%s%s=%s", override->path, override->append ? "+" : "", text));
    }
    g_ptr_array_add(words, NULL);
    return (GStrv) g_ptr_array_free(g_steal_pointer(&words), FALSE);
}
