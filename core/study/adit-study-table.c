/* core/study/adit-study-table.c - SPDX-License-Identifier: MIT */
#include "adit-study-table.h"

#include <math.h>
#include <string.h>

#include "adit-file.h"
#include "adit-json.h"
#include "adit-run.h"

#define EVALUATE "evaluate."
#define EXITS    "exits."

struct _AditStudyTable {
    const AditStudyFolder *folder;
    const AditStudyPlan *plan;
    GHashTable *read;   /* AditStudyRun -> Figures */
    GPtrArray *columns; /* names of figures: those that will come, then others as they were met */
    char *path;
};

/**
 * Figures: what a run that is done left.
 * @values: name -> double
 * @seconds: NaN: they are not its own
 */
typedef struct {
    GHashTable *values;
    guint64 epochs;
    double seconds;
} Figures;

static void
figures_free(gpointer data)
{
    Figures *self = data;

    g_hash_table_unref(self->values);
    g_free(self);
}

AditStudyTable *
adit_study_table_new(const AditStudyFolder *folder, const AditStudyPlan *plan)
{
    AditStudyTable *self = g_new0(AditStudyTable, 1);
    g_autoptr(GPtrArray) sure = adit_study_columns_list_figures(plan->columns);

    self->folder = folder;
    self->plan = plan;
    self->read = g_hash_table_new_full(NULL, NULL, NULL, figures_free);
    self->columns = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < sure->len; i++)
        g_ptr_array_add(self->columns, g_strdup(sure->pdata[i]));
    return self;
}

void
adit_study_table_free(AditStudyTable *self)
{
    g_hash_table_unref(self->read);
    g_ptr_array_unref(self->columns);
    g_free(self->path);
    g_free(self);
}

const char *
adit_study_table_get_path(const AditStudyTable *self)
{
    return self->path;
}

/* ---- what a run left ---- */

static void
set_figure(AditStudyTable *self, GHashTable *values, const char *name, double value)
{
    double *kept = g_new(double, 1);

    *kept = value;
    g_hash_table_insert(values, g_strdup(name), kept);
    if (!g_ptr_array_find_with_equal_func(self->columns, name, g_str_equal, NULL))
        g_ptr_array_add(self->columns, g_strdup(name));
}

/* (element-type GStrv): rows of a table that this program wrote, the head first: no cell of them
 * has quotes. Empty if there is none. */
static GPtrArray *
read_rows(const char *path)
{
    GPtrArray *rows = g_ptr_array_new_with_free_func((GDestroyNotify) g_strfreev);
    g_autofree char *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        return rows;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (guint i = 0; lines[i] != NULL; i++) {
        if (*lines[i] != '\0')
            g_ptr_array_add(rows, g_strsplit(lines[i], ",", -1));
    }
    return rows;
}

/* NaN: there is no such cell, or nothing in it. */
static double
get_cell(const GPtrArray *rows, guint row, guint column)
{
    GStrv cells = rows->pdata[row];

    if (column >= g_strv_length(cells) || *cells[column] == '\0')
        return (double) NAN;
    return g_ascii_strtod(cells[column], NULL);
}

static gboolean
rises(const AditStudyRun *run, const char *figure)
{
    const char *metric = strrchr(figure, '.');

    return metric != NULL &&
           g_ptr_array_find_with_equal_func(run->rising, metric + 1, g_str_equal, NULL);
}

/* Best and last of one column over the epochs. */
static void
read_figure(AditStudyTable *self, const AditStudyRun *run, const GPtrArray *rows, guint column,
            Figures *figures)
{
    const char *name = ((GStrv) rows->pdata[0])[column];
    gboolean up = rises(run, name);
    double best = (double) NAN;
    g_autofree char *best_name = g_strconcat("best.", name, NULL);
    g_autofree char *last_name = g_strconcat("last.", name, NULL);

    for (guint i = 1; i < rows->len; i++) {
        double value = get_cell(rows, i, column);

        if (isnan(best) || (up ? value > best : value < best))
            best = value;
    }
    set_figure(self, figures->values, best_name, best);
    set_figure(self, figures->values, last_name, get_cell(rows, rows->len - 1, column));
}

static void
read_metrics(AditStudyTable *self, const AditStudyRun *run, const char *folder, Figures *figures)
{
    g_autofree char *path = g_build_filename(folder, "metrics.csv", NULL);
    g_autoptr(GPtrArray) rows = read_rows(path);
    GStrv head = rows->len > 1 ? rows->pdata[0] : NULL;

    figures->epochs = rows->len > 1 ? rows->len - 1 : 0;
    for (guint i = 0; head != NULL && head[i] != NULL; i++) {
        if (strcmp(head[i], "seconds") == 0)
            figures->seconds = get_cell(rows, rows->len - 1, i);
        else if (strchr(head[i], '.') != NULL)
            read_figure(self, run, rows, i, figures);
    }
}

/* One number for each column, if the probe gave one row at the end. */
static void
read_probe(AditStudyTable *self, const char *path, const char *name, Figures *figures)
{
    static const char *const keys[] = {"data",    "split", "when", "address", "block",
                                       "against", "layer", "note", NULL};
    g_autoptr(GPtrArray) rows = read_rows(path);
    guint when = 0, n = 0, found = 0;

    if (rows->len < 2)
        return;
    GStrv head = rows->pdata[0];

    while (head[when] != NULL && strcmp(head[when], "when") != 0)
        when++;
    for (guint i = 1; head[when] != NULL && i < rows->len; i++) {
        GStrv cells = rows->pdata[i];

        if (g_strv_length(cells) > when && strcmp(cells[when], "end") == 0) {
            found = i;
            n++;
        }
    }
    for (guint i = 0; n == 1 && head[i] != NULL; i++) {
        g_autofree char *column = g_strdup_printf("probes.%s.%s", name, head[i]);

        if (!g_strv_contains(keys, head[i]))
            set_figure(self, figures->values, column, get_cell(rows, found, i));
    }
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static void
read_probes(AditStudyTable *self, const char *folder, Figures *figures)
{
    g_autofree char *probes = g_build_filename(folder, "probes", NULL);
    g_autoptr(GDir) entries = g_dir_open(probes, 0, NULL);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    const char *entry;

    while (entries != NULL && (entry = g_dir_read_name(entries)) != NULL) {
        if (*entry != '.' && g_str_has_suffix(entry, ".csv"))
            g_ptr_array_add(names, g_strndup(entry, strlen(entry) - strlen(".csv")));
    }
    g_ptr_array_sort(names, compare_names);
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *file = g_strconcat(names->pdata[i], ".csv", NULL);
        g_autofree char *path = g_build_filename(probes, file, NULL);

        read_probe(self, path, names->pdata[i], figures);
    }
}

/* How the column of an evaluation's figure is called. */
static char *
name_evaluated(const char *figure)
{
    return g_strconcat(g_str_has_prefix(figure, EXITS) ? "" : EVALUATE, figure, NULL);
}

static void
read_evaluations(AditStudyTable *self, const AditStudyRun *run)
{
    for (guint i = 0; i < run->evaluations->len; i++) {
        const AditStudyEvaluation *evaluation = run->evaluations->pdata[i];
        g_autoptr(GList) names =
            evaluation->figures != NULL ? g_hash_table_get_keys(evaluation->figures) : NULL;

        names = g_list_sort(names, (GCompareFunc) strcmp);
        for (GList *each = names; each != NULL; each = each->next) {
            g_autofree char *column = name_evaluated(each->data);

            if (!g_ptr_array_find_with_equal_func(self->columns, column, g_str_equal, NULL))
                g_ptr_array_add(self->columns, g_steal_pointer(&column));
        }
    }
}

/* A clock tells of all runs that a process trained side by side, not of one of them. */
static void
check_seconds(const char *folder, Figures *figures)
{
    g_autoptr(JsonObject) members = adit_run_read(folder, NULL, NULL);
    guint64 together = 1;

    if (members != NULL)
        adit_json_get_unsigned(members, "together", &together);
    if (together > 1)
        figures->seconds = (double) NAN;
}

/* NULL: the run is not done. */
static const Figures *
find_figures(AditStudyTable *self, AditStudyRun *run)
{
    Figures *figures = g_hash_table_lookup(self->read, run);
    g_autofree char *folder = g_build_filename(self->folder->path, run->folder, NULL);

    if (run->status != ADIT_STUDY_DONE)
        return NULL;
    if (figures != NULL)
        return figures;
    figures = g_new0(Figures, 1);
    figures->values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    read_metrics(self, run, folder, figures);
    check_seconds(folder, figures);
    read_probes(self, folder, figures);
    g_hash_table_insert(self->read, run, figures);
    return figures;
}

/* ---- the text ---- */

static void
append_cell(GString *out, const char *text)
{
    g_auto(GStrv) parts = NULL;
    g_autofree char *doubled = NULL;

    if (out->len > 0 && out->str[out->len - 1] != '\n')
        g_string_append_c(out, ',');
    if (strpbrk(text, ",\"\r\n") == NULL) {
        g_string_append(out, text);
        return;
    }
    parts = g_strsplit(text, "\"", -1);
    doubled = g_strjoinv("\"\"", parts);
    g_string_append_printf(out, "\"%s\"", doubled);
}

/* An empty first cell must be seen to be there. */
static void
append_row_start(GString *out, const char *text)
{
    if (*text == '\0')
        g_string_append(out, "\"\"");
    else
        append_cell(out, text);
}

static void
append_number(GString *out, double value)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];

    append_cell(out, g_ascii_formatd(text, sizeof text, "%.9g", value));
}

/* NaN: nobody knows. */
static void
append_seconds(GString *out, double seconds)
{
    if (isnan(seconds))
        append_cell(out, "");
    else
        append_number(out, seconds);
}

static void
append_names(GString *out, const char *const *names)
{
    for (guint i = 0; names[i] != NULL; i++)
        append_cell(out, names[i]);
}

static void
append_head(const AditStudyTable *self, GString *out)
{
    static const char *const fixed[] = {
        "status", "run", "epochs", "seconds", "seconds-per-epoch", "parameters", "reason", NULL};
    const AditStudy *study = self->plan->study;

    append_names(out, (const char *const *) study->axes);
    append_names(out, (const char *const *) study->evaluate);
    append_names(out, fixed);
    for (guint i = 0; i < self->columns->len; i++)
        append_cell(out, self->columns->pdata[i]);
    g_string_append_c(out, '\n');
}

static gboolean
is_evaluated(const char *column)
{
    return g_str_has_prefix(column, EVALUATE) || g_str_has_prefix(column, EXITS);
}

static void
append_figures(const AditStudyTable *self, GString *out, const Figures *figures,
               const AditStudyEvaluation *evaluation)
{
    for (guint i = 0; i < self->columns->len; i++) {
        const char *name = self->columns->pdata[i];
        const double *value = figures != NULL ? g_hash_table_lookup(figures->values, name) : NULL;

        if (evaluation != NULL && evaluation->figures != NULL && is_evaluated(name))
            value = g_hash_table_lookup(evaluation->figures, g_str_has_prefix(name, EVALUATE)
                                                                 ? name + strlen(EVALUATE)
                                                                 : name);
        if (value != NULL)
            append_number(out, *value);
        else
            append_cell(out, "");
    }
}

/* A run whose evaluation failed or is missing is no finished row. */
static AditStudyStatus
get_status(const AditStudyRun *run, const AditStudyEvaluation *evaluation)
{
    if (run->status != ADIT_STUDY_DONE || evaluation == NULL || evaluation->figures != NULL)
        return run->status;
    return evaluation->code != 0 ? ADIT_STUDY_FAILED : ADIT_STUDY_PENDING;
}

/* (nullable): why there are no figures */
static const char *
get_reason(const AditStudyRun *run, const AditStudyEvaluation *evaluation)
{
    if (run->status == ADIT_STUDY_FAILED || run->status == ADIT_STUDY_DIVERGED)
        return run->reason;
    return evaluation != NULL && evaluation->code != 0 ? evaluation->reason : NULL;
}

static void
append_row(AditStudyTable *self, GString *out, AditStudyRun *run,
           const AditStudyEvaluation *evaluation)
{
    const Figures *figures = find_figures(self, run);
    const char *reason = get_reason(run, evaluation);

    append_row_start(out, run->point->values[0]);
    append_names(out, (const char *const *) run->point->values + 1);
    if (evaluation != NULL)
        append_names(out, (const char *const *) evaluation->point->values);
    append_cell(out, adit_study_status_get_name(get_status(run, evaluation)));
    append_cell(out, run->folder);
    if (figures == NULL) {
        append_cell(out, "");
        append_cell(out, "");
        append_cell(out, "");
    } else {
        append_number(out, (double) figures->epochs);
        append_seconds(out, figures->seconds);
        append_seconds(out, figures->epochs > 0 ? figures->seconds / (double) figures->epochs
                                                : (double) NAN);
    }
    append_number(out, (double) run->group->parameters);
    append_cell(out, reason != NULL ? reason : "");
    append_figures(self, out, figures, evaluation);
    g_string_append_c(out, '\n');
}

gboolean
adit_study_table_write(AditStudyTable *self, gboolean whole, GError **error)
{
    g_autoptr(GString) out = g_string_new(NULL);
    g_autofree char *name = g_strconcat("sweep", whole ? "" : self->folder->suffix, ".csv", NULL);
    GPtrArray *runs = self->plan->runs;

    /* first all columns, then the rows */
    for (guint i = 0; i < runs->len; i++)
        find_figures(self, runs->pdata[i]);
    for (guint i = 0; i < runs->len; i++)
        read_evaluations(self, runs->pdata[i]);
    append_head(self, out);
    for (guint i = 0; i < runs->len; i++) {
        AditStudyRun *run = runs->pdata[i];

        if (!run->mine && !whole)
            continue;
        if (run->evaluations->len == 0)
            append_row(self, out, run, NULL);
        for (guint j = 0; j < run->evaluations->len; j++)
            append_row(self, out, run, run->evaluations->pdata[j]);
    }
    g_free(self->path);
    self->path = g_build_filename(self->folder->path, name, NULL);
    return adit_file_write(self->path, out->str, out->len, error);
}
