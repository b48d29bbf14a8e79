/* core/study/adit-study-columns.c - SPDX-License-Identifier: MIT */
#include "adit-study-columns.h"

#include <string.h>

#include "adit-exit.h"
#include "adit-probe-addresses.h"
#include "adit-probes.h"
#include "adit-settings.h"
#include "adit-suggest.h"

#define EXITS  "exits."
#define PROBES "probes."
#define MANY   "of a probe only what gives one row is a column, and this one may give several"
#define PLACES "how many places its exits have is not known before the network is built"
#define SPLIT  "whether the data brings a test split is not known before it is read"

/**
 * Names: of the columns of one file, as they are met.
 * @doubts: name -> why it may be missing; NULL: it is sure to come
 */
typedef struct {
    const char *file; /* in messages */
    GPtrArray *names;
    GHashTable *doubts;
} Names;

struct _AditStudyColumns {
    Names table;
    Names metrics;
    Names probes; /* of all tables: "probes.NAME.COLUMN" */
};

static void
names_init(Names *self, const char *file, const char *const *known)
{
    self->file = file;
    self->names = g_ptr_array_new_with_free_func(g_free);
    self->doubts = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; known[i] != NULL; i++) {
        char *name = g_strdup(known[i]);

        g_ptr_array_add(self->names, name);
        g_hash_table_insert(self->doubts, name, NULL);
    }
}

static void
names_clear(Names *self)
{
    g_hash_table_unref(self->doubts);
    g_ptr_array_unref(self->names);
}

static gboolean
names_has(const Names *self, const char *name)
{
    return g_hash_table_contains(self->doubts, name);
}

/* @doubt: (nullable): what one pipeline is sure to give is sure to come */
static void
names_add(Names *self, const char *name, const char *doubt)
{
    gpointer known = NULL, before = NULL;

    if (g_hash_table_lookup_extended(self->doubts, name, &known, &before)) {
        if (before != NULL && doubt == NULL)
            g_hash_table_insert(self->doubts, known, NULL);
        return;
    }
    char *kept = g_strdup(name);

    g_ptr_array_add(self->names, kept);
    g_hash_table_insert(self->doubts, kept, (gpointer) doubt);
}

AditStudyColumns *
adit_study_columns_new(void)
{
    AditStudyColumns *self = g_new0(AditStudyColumns, 1);

    names_init(&self->table, "sweep.csv",
               (const char *const[]){"epochs", "seconds", "seconds-per-epoch", "parameters", NULL});
    names_init(&self->metrics, "the runs' metrics.csv",
               (const char *const[]){"step", "epoch", "seconds", NULL});
    names_init(&self->probes, "the runs' probes", (const char *const[]){NULL});
    return self;
}

void
adit_study_columns_free(AditStudyColumns *self)
{
    names_clear(&self->table);
    names_clear(&self->metrics);
    names_clear(&self->probes);
    g_free(self);
}

/* ---- what a pipeline gives ---- */

static const char *
get_set_name(AditDataset *dataset)
{
    const char *name = adit_dataset_get_settings(dataset)->name;

    return name != NULL ? name : ADIT_COMPONENT_GET_CLASS(dataset)->name;
}

static AditDataset *
find_set(const AditExperiment *experiment, const AditStage *stage)
{
    for (guint i = 0; stage->data != NULL && i < experiment->datasets->len; i++) {
        if (strcmp(get_set_name(experiment->datasets->pdata[i]), stage->data) == 0)
            return experiment->datasets->pdata[i];
    }
    return experiment->datasets->len > 0 ? experiment->datasets->pdata[0] : NULL;
}

/* Of an epoch, and the best and last of all. @set: (nullable): of a further data set */
static void
add_figure(AditStudyColumns *self, const char *set, const char *split, const char *metric,
           const char *doubt)
{
    g_autofree char *name =
        g_strconcat(set != NULL ? set : "", set != NULL ? "." : "", split, ".", metric, NULL);
    g_autofree char *best = g_strconcat("best.", name, NULL);
    g_autofree char *last = g_strconcat("last.", name, NULL);

    names_add(&self->metrics, name, doubt);
    names_add(&self->table, best, doubt);
    names_add(&self->table, last, doubt);
}

static void
add_split(AditStudyColumns *self, const char *set, const char *split, AditLoss *loss,
          const char *doubt)
{
    const char *metric = ADIT_LOSS_GET_CLASS(loss)->metric_name;

    add_figure(self, set, split, "loss", doubt);
    if (metric != NULL)
        add_figure(self, set, split, metric, doubt);
}

static void
add_set(AditStudyColumns *self, const AditStage *stage, AditDataset *dataset, gboolean is_trained)
{
    const AditDatasetSettings *settings = adit_dataset_get_settings(dataset);
    const AditDatasetClass *klass = ADIT_DATASET_GET_CLASS(dataset);
    const char *set = is_trained ? NULL : get_set_name(dataset);
    double held_out = settings->test.value >= 0 ? settings->test.value : klass->default_test.value;

    if (is_trained)
        add_split(self, NULL, "train", stage->loss, NULL);
    if (settings->validation.value > 0)
        add_split(self, set, "validation", stage->loss, NULL);
    if (held_out > 0)
        add_split(self, set, "test", stage->loss, NULL);
    else if (settings->test.value < 0 && klass->has_test)
        add_split(self, set, "test", stage->loss, SPLIT);
}

static void
add_stage(AditStudyColumns *self, const AditExperiment *experiment, const AditStage *stage)
{
    AditDataset *trained = find_set(experiment, stage);

    if (trained != NULL)
        add_set(self, stage, trained, TRUE);
    for (guint i = 0; i < experiment->datasets->len; i++) {
        if (experiment->datasets->pdata[i] != trained)
            add_set(self, stage, experiment->datasets->pdata[i], FALSE);
    }
    for (guint i = 0; i < stage->regularizers->len; i++) {
        g_autofree char *figure = adit_regularizers_name_figure(stage->regularizers, i);

        if (figure != NULL)
            add_figure(self, NULL, "train", figure, NULL);
    }
    if (g_object_class_find_property(G_OBJECT_GET_CLASS(stage->optimizer), "lr") != NULL)
        names_add(&self->metrics, "learning-rate", NULL);
}

/* Whether addresses are one that can find one thing only. */
static gboolean
is_one_address(const char *const *at)
{
    return at != NULL && at[0] != NULL && at[1] == NULL && strchr(at[0], '*') == NULL &&
           strstr(at[0], "..") == NULL;
}

/* Whether it looks at one address of one set, or one against one, and so gives one row. */
static gboolean
gives_one_row(const AditExperiment *experiment, AditProbe *probe)
{
    const AditProbeClass *klass = ADIT_PROBE_GET_CLASS(probe);
    const AditProbeSettings *settings = adit_probe_get_settings(probe);
    const char *const by_default[] = {klass->default_at, NULL};
    guint n_sets =
        settings->data != NULL ? g_strv_length(settings->data) : experiment->datasets->len;
    gboolean one = n_sets == 1;
    guint n;
    const AditReading *readings = adit_probe_class_get_readings(klass, &n);

    for (guint i = 0; i < n && one; i++) {
        g_auto(GStrv) given = NULL;

        if (readings[i].at == NULL)
            continue;
        g_object_get(probe, readings[i].at, &given, NULL);
        if (given != NULL && given[0] != NULL)
            one = is_one_address((const char *const *) given);
        else if (g_str_equal(readings[i].at, "at"))
            one = is_one_address(by_default);
    }
    return one;
}

static void
add_probe(AditStudyColumns *self, const AditExperiment *experiment, AditProbe *probe)
{
    const AditProbeSettings *settings = adit_probe_get_settings(probe);
    const AditStage *last = experiment->stages->pdata[experiment->stages->len - 1];
    g_auto(GStrv) columns = adit_probe_list_columns(probe, last->loss);
    g_autofree char *file = g_strdup(adit_probe_get_name(probe));
    gboolean ends =
        settings->when == NULL || g_strv_contains((const char *const *) settings->when, "end");
    const char *doubt = gives_one_row(experiment, probe) ? NULL : MANY;

    g_strdelimit(file, ":/", '-');
    for (guint i = 0; columns[i] != NULL; i++) {
        g_autofree char *name = g_strconcat(PROBES, file, ".", columns[i], NULL);

        names_add(&self->probes, name, NULL);
        if (ends)
            names_add(&self->table, name, doubt);
    }
}

static void
add_exit(AditStudyColumns *self, const char *name, const char *metric, const char *doubt)
{
    g_autofree char *share = g_strconcat(EXITS, name, ".share", NULL);
    g_autofree char *own = g_strconcat(EXITS, name, ".", metric, NULL);

    names_add(&self->table, share, doubt);
    if (metric != NULL)
        names_add(&self->table, own, doubt);
}

/* Exits without a name have numbers, as many as the network will have places for them. */
static void
add_exits(AditStudyColumns *self, const GPtrArray *exits, const char *metric)
{
    g_autofree char *all = g_strconcat(EXITS, metric, NULL);

    if (exits == NULL || exits->len == 0)
        return;
    names_add(&self->table, EXITS "loss", NULL);
    names_add(&self->table, EXITS "cost", NULL);
    if (metric != NULL)
        names_add(&self->table, all, NULL);
    add_exit(self, "last", metric, NULL);
    for (guint i = 0; i < exits->len; i++) {
        const AditExit *exit = exits->pdata[i];
        const char *name = adit_exit_get_name(exit);
        g_autofree char *number = g_strdup_printf("%u", i + 1);

        add_exit(self, name != NULL ? name : number, metric,
                 adit_exit_is_single(exit) ? NULL : PLACES);
    }
}

void
adit_study_columns_add(AditStudyColumns *self, const AditExperiment *experiment, gboolean evaluates)
{
    const AditStage *last = experiment->stages->pdata[experiment->stages->len - 1];
    const char *metric = ADIT_LOSS_GET_CLASS(last->loss)->metric_name;
    g_autofree char *figure = g_strconcat("evaluate.test.", metric, NULL);

    if (experiment->stages->len > 1)
        names_add(&self->metrics, "stage", NULL);
    for (guint i = 0; i < experiment->stages->len; i++)
        add_stage(self, experiment, experiment->stages->pdata[i]);
    for (guint i = 0; i < experiment->probes->len; i++)
        add_probe(self, experiment, experiment->probes->pdata[i]);
    if (evaluates) {
        names_add(&self->table, "evaluate.test.loss", NULL);
        if (metric != NULL)
            names_add(&self->table, figure, NULL);
        add_exits(self, experiment->model.exits, metric);
    }
}

GPtrArray *
adit_study_columns_list_figures(const AditStudyColumns *self)
{
    GPtrArray *figures = g_ptr_array_new();

    for (guint i = 0; i < self->table.names->len; i++) {
        char *name = self->table.names->pdata[i];

        if ((g_str_has_prefix(name, "best.") || g_str_has_prefix(name, "last.")) &&
            g_hash_table_lookup(self->table.doubts, name) == NULL)
            g_ptr_array_add(figures, name);
    }
    return figures;
}

/* ---- what the reports name ---- */

/* Whether a report reads sweep.csv alone: all do but curves over what happened in each run. */
static gboolean
reads_table(const AditStudyColumns *self, const AditStudy *study, const AditStudyReport *report)
{
    if (report->kind != ADIT_STUDY_CURVES || report->x == NULL)
        return TRUE;
    if (g_strv_contains((const char *const *) study->axes, report->x) ||
        g_strv_contains((const char *const *) study->evaluate, report->x))
        return TRUE;
    for (guint i = 0; report->values[i] != NULL; i++) {
        if (!names_has(&self->table, report->values[i]))
            return FALSE;
    }
    return names_has(&self->table, report->x);
}

/* Where a column must be; NULL: in a probe's table, where `block` counts the rows. */
static const Names *
find_names(const AditStudyColumns *self, const AditStudy *study, const AditStudyColumn *column)
{
    const AditStudyReport *report = column->report;

    if (reads_table(self, study, report))
        return &self->table;
    if (!column->is_x)
        return g_str_has_prefix(column->name, PROBES) ? &self->probes : &self->metrics;
    return report->values[0] != NULL && g_str_has_prefix(report->values[0], PROBES)
               ? NULL
               : &self->metrics;
}

/* (nullable): the nearest name; that of an epoch's figure stands for its best. */
static const char *
suggest(const Names *names, const char *name)
{
    g_autofree char *best = g_strconcat("best.", name, NULL);
    const char *const *known = (const char *const *) names->names->pdata;
    const char *nearest = adit_suggest(name, known, names->names->len);

    return nearest != NULL ? nearest : adit_suggest(best, known, names->names->len);
}

static void
report_missing(const Names *names, const AditStudyColumn *column, AditDiagnostics *diagnostics)
{
    const char *nearest = suggest(names, column->name);
    g_autofree char *list = NULL;

    if (nearest != NULL) {
        adit_diagnostics_error(diagnostics, &column->place, ADIT_ERROR_INVALID,
                               "'%s' will be no column of %s; did you mean '%s'?", column->name,
                               names->file, nearest);
        return;
    }
    g_ptr_array_add(names->names, NULL);
    list = g_strjoinv(", ", (char **) names->names->pdata);
    g_ptr_array_remove_index(names->names, names->names->len - 1);
    adit_diagnostics_error(diagnostics, &column->place, ADIT_ERROR_INVALID,
                           "'%s' will be no column of %s; there will be %s", column->name,
                           names->file, *list != '\0' ? list : "none");
}

void
adit_study_columns_check(const AditStudyColumns *self, const AditStudy *study,
                         AditDiagnostics *diagnostics)
{
    for (guint i = 0; i < study->columns->len; i++) {
        const AditStudyColumn *column = study->columns->pdata[i];
        const Names *names = find_names(self, study, column);
        const char *doubt = NULL;

        if (names == NULL)
            continue;
        if (!names_has(names, column->name)) {
            report_missing(names, column, diagnostics);
            continue;
        }
        doubt = g_hash_table_lookup(names->doubts, column->name);
        if (doubt != NULL)
            adit_diagnostics_warning(diagnostics, &column->place, "'%s' may be no column of %s; %s",
                                     column->name, names->file, doubt);
    }
}
