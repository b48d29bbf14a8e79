/* core/study/adit-study-plan.c - SPDX-License-Identifier: MIT */
#include "adit-study-plan.h"

#include <string.h>

#include "adit-check.h"
#include "adit-override.h"

/* digits of a run's hash in its folder's name */
#define SHORT_HASH 12
/* characters of a pipeline's title there */
#define MAX_TITLE 40

const char *
adit_study_status_get_name(AditStudyStatus status)
{
    static const char *const names[] = {
        [ADIT_STUDY_PENDING] = "pending",   [ADIT_STUDY_DONE] = "done",
        [ADIT_STUDY_FAILED] = "failed",     [ADIT_STUDY_STOPPED] = "stopped",
        [ADIT_STUDY_DIVERGED] = "diverged",
    };

    return names[status];
}

static void
evaluation_free(gpointer data)
{
    AditStudyEvaluation *self = data;

    g_free(self->id);
    g_strfreev(self->changes);
    g_free(self->reason);
    g_clear_pointer(&self->figures, g_hash_table_unref);
    g_free(self);
}

static void
run_free(gpointer data)
{
    AditStudyRun *self = data;

    g_free(self->id);
    g_free(self->folder);
    g_strfreev(self->arguments);
    g_ptr_array_unref(self->rising);
    g_free(self->reason);
    g_ptr_array_unref(self->evaluations);
    g_free(self);
}

static void
group_free(gpointer data)
{
    AditStudyGroup *self = data;

    g_ptr_array_unref(self->runs);
    g_free(self);
}

void
adit_study_plan_free(AditStudyPlan *self)
{
    g_ptr_array_unref(self->runs);
    g_ptr_array_unref(self->groups);
    adit_study_columns_free(self->columns);
    g_free(self);
}

/* ---- runs ---- */

/* The name says what is in it, the hash which one. */
static char *
make_folder(const AditExperiment *experiment, const char *id)
{
    g_autofree char *title = g_utf8_make_valid(experiment->title, -1);
    g_autofree char *name = g_strndup(title, MAX_TITLE);

    g_strcanon(name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-_", '-');
    return g_strdup_printf("runs/%s-%.*s", name, SHORT_HASH, id);
}

static AditStudyRun *
run_new(const AditStudy *study, const AditStudyPoint *point, const AditExperiment *experiment)
{
    AditStudyRun *self = g_new0(AditStudyRun, 1);

    self->point = point;
    self->id = g_compute_checksum_for_string(G_CHECKSUM_SHA256, experiment->resolved, -1);
    self->folder = make_folder(experiment, self->id);
    self->arguments = adit_study_list_arguments(study, point, experiment);
    self->rising = g_ptr_array_new_with_free_func(g_free);
    self->evaluations = g_ptr_array_new_with_free_func(evaluation_free);
    self->mine = TRUE;
    for (guint i = 0; i < experiment->stages->len; i++) {
        const AditStage *stage = experiment->stages->pdata[i];
        AditLossClass *loss = ADIT_LOSS_GET_CLASS(stage->loss);

        self->epochs += stage->epochs;
        if (loss->metric_rises)
            g_ptr_array_add(self->rising, g_strdup(loss->metric_name));
    }
    return self;
}

/* `adit eval` runs no probes. */
static gboolean
check_changes(const AditStudyEvaluation *evaluation, AditDiagnostics *diagnostics)
{
    const AditOverride *first = evaluation->point->overrides->pdata[0];

    for (guint i = 0; evaluation->changes[i] != NULL; i++) {
        if (!g_str_has_prefix(evaluation->changes[i], "probes="))
            continue;
        adit_diagnostics_error(diagnostics, &first->place, ADIT_ERROR_INVALID,
                               "'probes' cannot be evaluated after training in this build; 'data' "
                               "and 'inference' can");
        return FALSE;
    }
    return TRUE;
}

/* What of a run is evaluated, once it is there. */
static void
add_evaluations(AditStudyRun *self, const AditStudy *study, const AditExperiment *trained,
                const char *data_folder, AditDiagnostics *diagnostics)
{
    for (guint i = 0; i < study->evaluations->len; i++) {
        const AditStudyPoint *point = study->evaluations->pdata[i];
        g_autoptr(AditExperiment) experiment =
            adit_study_read_point(study, self->point, point, data_folder, diagnostics);
        AditStudyEvaluation *evaluation;

        if (experiment == NULL)
            continue;
        evaluation = g_new0(AditStudyEvaluation, 1);
        evaluation->point = point;
        evaluation->changes = adit_study_list_changes(trained, experiment);
        g_autofree char *words = g_strjoinv("\n", evaluation->changes);
        g_autofree char *text = g_strdup_printf("%s\n%s", self->id, words);

        evaluation->id = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
        g_ptr_array_add(self->evaluations, evaluation);
        if (!check_changes(evaluation, diagnostics))
            return;
    }
}

/* ---- groups ---- */

static gboolean
check_trains(const AditStudy *study, const AditStudyPoint *point, const AditExperiment *experiment,
             AditDiagnostics *diagnostics)
{
    AditPlace start = {study->source, 1, 1, 1};

    if (experiment->stages->len > 0)
        return TRUE;
    adit_diagnostics_error(diagnostics, &start, ADIT_ERROR_INVALID,
                           "%s has no section 'train': a study trains its pipelines",
                           point->pipeline);
    return FALSE;
}

static gboolean
is_timed(const AditExperiment *experiment)
{
    for (guint i = 0; i < experiment->stages->len; i++) {
        if (((const AditStage *) experiment->stages->pdata[i])->max_time > 0)
            return TRUE;
    }
    return FALSE;
}

/* The group of @experiment; the first of its runs builds the graph. */
static AditStudyGroup *
find_group(AditStudyPlan *self, GHashTable *groups, const AditExperiment *experiment,
           const char *data_folder, AditDiagnostics *diagnostics)
{
    AditStudyGroup *group = g_hash_table_lookup(groups, experiment->structure);
    g_auto(AditCheck) check = {0};

    if (group != NULL)
        return group;
    adit_check_experiment(experiment, data_folder, &check, diagnostics);
    group = g_new0(AditStudyGroup, 1);
    group->parameters = check.parameters;
    group->rows = check.rows;
    group->is_timed = is_timed(experiment);
    group->runs = g_ptr_array_new();
    g_ptr_array_add(self->groups, group);
    adit_study_columns_add(self->columns, experiment, self->study->evaluations->len > 0);
    g_hash_table_insert(groups, g_strdup(experiment->structure), group);
    return group;
}

static void
estimate(AditStudyRun *run)
{
    const AditStudyGroup *group = run->group;

    run->cost =
        (double) MAX(group->parameters, 1) * (double) MAX(group->rows, 1) * (double) run->epochs;
}

static void
add_point(AditStudyPlan *self, GHashTable *groups, const AditStudyPoint *point,
          const char *data_folder, AditDiagnostics *diagnostics)
{
    guint errors = adit_diagnostics_count_errors(diagnostics);
    g_autoptr(AditExperiment) experiment =
        adit_study_read_point(self->study, point, NULL, data_folder, diagnostics);

    if (experiment == NULL || !check_trains(self->study, point, experiment, diagnostics))
        return;
    AditStudyRun *run = run_new(self->study, point, experiment);

    g_ptr_array_add(self->runs, run);
    run->group = find_group(self, groups, experiment, data_folder, diagnostics);
    g_ptr_array_add(run->group->runs, run);
    estimate(run);
    add_evaluations(run, self->study, experiment, data_folder, diagnostics);
    if (adit_diagnostics_count_errors(diagnostics) > errors && self->study->points->len > 1)
        adit_diagnostics_note(diagnostics, NULL, "at the point %s of %s", point->label,
                              self->study->path);
}

/* ---- all of it ---- */

/* Names the axes in which two points differ, though their pipelines do not. */
static void
report_equal(const AditStudyPlan *self, const AditStudyRun *one, const AditStudyRun *other,
             AditDiagnostics *diagnostics)
{
    AditPlace start = {self->study->source, 1, 1, 1};

    adit_diagnostics_error(diagnostics, &start, ADIT_ERROR_INVALID,
                           "points '%s' and '%s' are equal; what they differ in changes nothing "
                           "in %s",
                           one->point->label, other->point->label, other->point->pipeline);
}

/* One pair is told: where an axis has no effect, all points come in pairs. */
static void
check_equal(const AditStudyPlan *self, AditDiagnostics *diagnostics)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < self->runs->len; i++) {
        AditStudyRun *run = self->runs->pdata[i];
        const AditStudyRun *other = g_hash_table_lookup(seen, run->id);

        if (other != NULL) {
            report_equal(self, other, run, diagnostics);
            return;
        }
        g_hash_table_insert(seen, run->id, run);
    }
}

AditStudyPlan *
adit_study_plan_new(const AditStudy *study, const char *data_folder, AditDiagnostics *diagnostics)
{
    g_autoptr(AditStudyPlan) self = g_new0(AditStudyPlan, 1);
    g_autoptr(GHashTable) groups = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    guint errors = adit_diagnostics_count_errors(diagnostics);

    self->study = study;
    self->runs = g_ptr_array_new_with_free_func(run_free);
    self->groups = g_ptr_array_new_with_free_func(group_free);
    self->columns = adit_study_columns_new();
    adit_study_check_evaluate(study, data_folder, diagnostics);
    for (guint i = 0; i < study->points->len; i++)
        add_point(self, groups, study->points->pdata[i], data_folder, diagnostics);
    if (adit_diagnostics_count_errors(diagnostics) == errors) {
        check_equal(self, diagnostics);
        adit_study_columns_check(self->columns, study, diagnostics);
    }
    return adit_diagnostics_count_errors(diagnostics) > errors ? NULL : g_steal_pointer(&self);
}

void
adit_study_plan_take_shard(AditStudyPlan *self, guint shard, guint n_shards)
{
    for (guint i = 0; i < self->runs->len; i++)
        ((AditStudyRun *) self->runs->pdata[i])->mine = i % n_shards == shard - 1;
}

guint
adit_study_plan_count(const AditStudyPlan *self, AditStudyStatus status, gboolean mine)
{
    guint count = 0;

    for (guint i = 0; i < self->runs->len; i++) {
        const AditStudyRun *run = self->runs->pdata[i];

        count += run->status == status && (run->mine || !mine);
    }
    return count;
}

guint
adit_study_plan_count_ended(const AditStudyPlan *self, gboolean mine)
{
    return adit_study_plan_count(self, ADIT_STUDY_DONE, mine) +
           adit_study_plan_count(self, ADIT_STUDY_DIVERGED, mine);
}
