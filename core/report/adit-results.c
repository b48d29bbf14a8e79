/* core/report/adit-results.c - SPDX-License-Identifier: MIT */
#include "adit-results.h"

#include <string.h>

static const char *const status_names[] = {"done", "failed", "stopped", "pending", "diverged"};

void
adit_results_free(AditResults *self)
{
    g_free(self->folder);
    g_clear_pointer(&self->frame, adit_frame_free);
    g_free(self->statuses);
    g_free(self);
}

static gboolean
adit_results_read_statuses(AditResults *self, GError **error)
{
    guint n_rows = adit_frame_count_rows(self->frame);

    self->statuses = g_new0(AditPointStatus, n_rows + 1);
    for (guint row = 0; row < n_rows; row++) {
        const char *text = adit_frame_get_text(self->frame, row, self->n_axes);
        guint status = 0;

        while (status < G_N_ELEMENTS(status_names) && !g_str_equal(text, status_names[status]))
            status++;
        if (status == G_N_ELEMENTS(status_names))
            return adit_frame_fail(self->frame, row, error,
                                   "column 'status': got '%.40s', expected done, failed, stopped, "
                                   "pending or diverged",
                                   text);
        self->statuses[row] = status;
    }
    return TRUE;
}

AditResults *
adit_results_read(const char *folder, GError **error)
{
    g_autoptr(AditResults) self = g_new0(AditResults, 1);
    g_autofree char *path = g_build_filename(folder, "sweep.csv", NULL);

    self->folder = g_strdup(folder);
    self->frame = adit_frame_read(path, error);
    if (self->frame == NULL || !adit_frame_find(self->frame, "status", &self->n_axes, error) ||
        !adit_frame_find(self->frame, "run", &self->run, error) ||
        !adit_results_read_statuses(self, error))
        return NULL;
    self->has_reason = adit_frame_has(self->frame, "reason", &self->reason);
    return g_steal_pointer(&self);
}

AditResults *
adit_results_new(AditFrame *frame, guint n_axes)
{
    AditResults *self = g_new0(AditResults, 1);

    self->frame = frame;
    self->n_axes = n_axes;
    self->statuses = g_new0(AditPointStatus, adit_frame_count_rows(frame) + 1);
    return self;
}

guint
adit_results_count(const AditResults *self, AditPointStatus status)
{
    guint count = 0;

    for (guint row = 0; row < adit_frame_count_rows(self->frame); row++)
        count += self->statuses[row] == status;
    return count;
}

char *
adit_results_get_run(const AditResults *self, guint row, GError **error)
{
    const char *run = adit_frame_get_text(self->frame, row, self->run);
    g_auto(GStrv) segments = g_strsplit(run, "/", -1);

    if (*run != '\0' && !g_path_is_absolute(run) &&
        !g_strv_contains((const char *const *) segments, ".."))
        return g_build_filename(self->folder, run, NULL);
    adit_frame_fail(self->frame, row, error,
                    "column 'run': got '%.80s', expected a folder inside of the study's", run);
    return NULL;
}

AditFrame *
adit_results_read_run(const AditResults *self, guint row, const char *file, GError **error)
{
    g_autofree char *run = adit_results_get_run(self, row, error);
    g_autofree char *path = run != NULL ? g_build_filename(run, file, NULL) : NULL;

    return path != NULL ? adit_frame_read(path, error) : NULL;
}

/* ---- levels ---- */

void
adit_levels_free(AditLevels *self)
{
    g_strfreev(self->names);
    g_ptr_array_unref(self->values);
    g_free(self->of_row);
    g_free(self);
}

/* (transfer full): what @row has in @columns, ending with NULL */
static GStrv
copy_values(const AditFrame *frame, guint row, const guint *columns, guint n_columns)
{
    GStrv values = g_new0(char *, n_columns + 1);

    for (guint i = 0; i < n_columns; i++)
        values[i] = g_strdup(adit_frame_get_text(frame, row, columns[i]));
    return values;
}

static void
adit_levels_fill(AditLevels *self, const AditFrame *frame, const guint *columns, guint n_columns)
{
    g_autoptr(GHashTable) known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (guint row = 0; row < adit_frame_count_rows(frame); row++) {
        g_auto(GStrv) values = copy_values(frame, row, columns, n_columns);
        /* no cell holds a NUL, but one may hold any other character: lengths keep them apart */
        GString *key = g_string_new(NULL);
        gpointer level = NULL;

        for (guint i = 0; i < n_columns; i++)
            g_string_append_printf(key, "%zu:%s", strlen(values[i]), values[i]);
        if (!g_hash_table_lookup_extended(known, key->str, NULL, &level)) {
            level = GUINT_TO_POINTER(self->values->len);
            g_hash_table_insert(known, g_strdup(key->str), level);
            g_ptr_array_add(self->values, g_steal_pointer(&values));
        }
        g_string_free(key, TRUE);
        self->of_row[row] = GPOINTER_TO_UINT(level);
    }
}

AditLevels *
adit_levels_new(const AditResults *results, const char *const *names, GError **error)
{
    static const char *const none[] = {NULL};
    g_autoptr(AditLevels) self = g_new0(AditLevels, 1);
    guint n_columns = names != NULL ? g_strv_length((char **) names) : 0;
    g_autofree guint *columns = g_new0(guint, n_columns + 1);

    self->names = g_strdupv((char **) (names != NULL ? names : none));
    self->values = g_ptr_array_new_with_free_func((GDestroyNotify) g_strfreev);
    self->of_row = g_new0(guint, adit_frame_count_rows(results->frame) + 1);
    for (guint i = 0; i < n_columns; i++) {
        if (!adit_frame_find(results->frame, names[i], &columns[i], error))
            return NULL;
    }
    adit_levels_fill(self, results->frame, columns, n_columns);
    if (n_columns == 0 && self->values->len == 0)
        g_ptr_array_add(self->values, g_strdupv((char **) none));
    return g_steal_pointer(&self);
}

AditLevels *
adit_levels_new_single(const AditResults *results, const char *name, GError **error)
{
    const char *const names[] = {name, NULL};

    return adit_levels_new(results, names, error);
}

guint
adit_levels_count(const AditLevels *self)
{
    return self->values->len;
}

char *
adit_levels_get_label(const AditLevels *self, guint level, gboolean with_names)
{
    const char *const *values = g_ptr_array_index(self->values, level);
    GString *label = g_string_new(NULL);

    for (guint i = 0; values[i] != NULL; i++) {
        g_string_append(label, i == 0 ? "" : ", ");
        if (with_names)
            g_string_append_printf(label, "%s ", self->names[i]);
        /* an axis of another case, which has no value here */
        g_string_append(label, *values[i] != '\0' ? values[i] : "(default)");
    }
    return g_string_free(label, FALSE);
}

/* ---- cells ---- */

gboolean
adit_results_match(const AditChoice *choices, guint n_choices, guint row)
{
    for (guint i = 0; i < n_choices; i++) {
        if (choices[i].levels->of_row[row] != choices[i].level)
            return FALSE;
    }
    return TRUE;
}

gboolean
adit_results_summarize(const AditResults *self, const AditChoice *choices, guint n_choices,
                       guint column, AditSummary *summary, GError **error)
{
    g_autoptr(GArray) values = g_array_new(FALSE, FALSE, sizeof(double));
    guint failed = 0, diverged = 0;

    for (guint row = 0; row < adit_frame_count_rows(self->frame); row++) {
        double value = 0;

        if (!adit_results_match(choices, n_choices, row))
            continue;
        failed += self->statuses[row] == ADIT_POINT_FAILED;
        diverged += self->statuses[row] == ADIT_POINT_DIVERGED;
        if (self->statuses[row] != ADIT_POINT_DONE || adit_frame_is_empty(self->frame, row, column))
            continue;
        if (!adit_frame_get_number(self->frame, row, column, &value, error))
            return FALSE;
        g_array_append_val(values, value);
    }
    adit_summary_init(summary, (const double *) values->data, values->len);
    summary->failed = failed;
    summary->diverged = diverged;
    return TRUE;
}

/* Whether @axis is told apart or averaged over. */
static gboolean
is_accounted(const char *axis, const AditLevels *const *shown, guint n_shown,
             const char *const *over)
{
    for (guint i = 0; i < n_shown; i++) {
        if (g_strv_contains((const char *const *) shown[i]->names, axis))
            return TRUE;
    }
    return over != NULL && g_strv_contains(over, axis);
}

/* The first point of each cell, by a key of its levels. */
static char *
make_key(const AditLevels *const *shown, guint n_shown, guint row)
{
    GString *key = g_string_new(NULL);

    for (guint i = 0; i < n_shown; i++)
        g_string_append_printf(key, "%u,", shown[i]->of_row[row]);
    return g_string_free(key, FALSE);
}

static gboolean
check_axis(const AditResults *self, guint axis, const AditLevels *const *shown, guint n_shown,
           GError **error)
{
    g_autoptr(GHashTable) first = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (guint row = 0; row < adit_frame_count_rows(self->frame); row++) {
        g_autofree char *key = make_key(shown, n_shown, row);
        const char *text = adit_frame_get_text(self->frame, row, axis);
        const char *other = g_hash_table_lookup(first, key);

        if (other == NULL) {
            g_hash_table_insert(first, g_steal_pointer(&key), (gpointer) text);
        } else if (!g_str_equal(other, text)) {
            g_autoptr(GError) place = NULL;
            const char *name = adit_frame_get_column(self->frame, axis);

            adit_frame_fail(self->frame, row, &place,
                            "'%s' is '%.40s' and '%.40s' in points that would be shown as one; "
                            "name '%s' among what is told apart or in 'over'",
                            name, other, text, name);
            g_set_error_literal(error, ADIT_ERROR, ADIT_ERROR_INVALID, place->message);
            return FALSE;
        }
    }
    return TRUE;
}

gboolean
adit_results_check_shown(const AditResults *self, const AditLevels *const *shown, guint n_shown,
                         const char *const *over, GError **error)
{
    for (guint axis = 0; axis < self->n_axes; axis++) {
        const char *name = adit_frame_get_column(self->frame, axis);

        if (!is_accounted(name, shown, n_shown, over) &&
            !check_axis(self, axis, shown, n_shown, error))
            return FALSE;
    }
    return TRUE;
}
