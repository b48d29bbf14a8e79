/* core/tool/adit-verb-sweep.c - SPDX-License-Identifier: MIT */
#include "adit-tool.h"

#include <glib-unix.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#ifdef ADIT_HAVE_REPORT
#include "adit-report.h"
#endif
#include "adit-study-runner.h"
#include "adit-study-table.h"

#define BAR_CELLS 24
/* Runs of one graph that a GPU is given side by side. */
#define MOST_TOGETHER 16
/* between lines where there is no bar */
#define LINE_INTERVAL (60 * G_USEC_PER_SEC)

/**
 * Sweep: a study under way.
 * @stopped: number of the first signal; 0: none
 * @trained: runs that this call has brought to their end; @resumed: those of them that went on from
 * a checkpoint
 */
typedef struct {
    AditInvocation *invocation;
    const AditStudy *study;
    AditStudyPlan *plan;
    AditStudyFolder *folder;
    AditStudyTable *table;
    AditStudyRunner *runner;
    guint shard;
    guint n_shards;
    int stopped;
    guint trained;
    guint resumed;
    gint64 began;
    gint64 told;
} Sweep;

static void
sweep_clear(Sweep *self)
{
    g_clear_pointer(&self->runner, adit_study_runner_free);
    g_clear_pointer(&self->table, adit_study_table_free);
    g_clear_pointer(&self->folder, adit_study_folder_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Sweep, sweep_clear)

/* ---- the report ---- */

/* Pictures and tables of the study's section `report`, from sweep.csv and the runs. */
static gboolean
write_report(Sweep *self, GError **error)
{
#ifdef ADIT_HAVE_REPORT
    if (!adit_report_write(self->folder->path, self->study->reports, error))
        return FALSE;
    if (self->study->reports->len > 0 && !self->invocation->options.json)
        adit_terminal_print(&self->invocation->terminal, "%s/report/index.md\n%s/report.html\n",
                            self->folder->path, self->folder->path);
    return TRUE;
#else
    if (self->study->reports->len > 0)
        adit_terminal_say(&self->invocation->terminal,
                          "'report' is not in this build: the table is all there is");
    return TRUE;
#endif
}

/* ---- signals ---- */

static gboolean
stop(Sweep *self, int number)
{
    AditTerminal *terminal = &self->invocation->terminal;

    adit_study_runner_stop(self->runner);
    if (self->stopped != 0) {
        adit_terminal_clear_bar(terminal);
        _exit(128 + number);
    }
    self->stopped = number;
    adit_terminal_say(terminal, "stopping: the points under way save their state");
    return G_SOURCE_CONTINUE;
}

static gboolean
interrupt_cb(gpointer user_data)
{
    return stop(user_data, SIGINT);
}

static gboolean
terminate_cb(gpointer user_data)
{
    return stop(user_data, SIGTERM);
}

static gboolean
user_cb(gpointer user_data)
{
    return stop(user_data, SIGUSR1);
}

/* ---- progress ---- */

static char *
describe_progress(const AditStudyProgress *progress)
{
    g_autofree char *eta = adit_tool_format_seconds(progress->eta);
    GString *text = g_string_new(NULL);

    g_string_append_printf(text, "%u of %u done, %u running", progress->done, progress->total,
                           progress->running);
    if (progress->failed > 0)
        g_string_append_printf(text, ", %u failed", progress->failed);
    g_string_append_printf(text, " ETA %s", eta);
    return g_string_free(text, FALSE);
}

static void
tick(gpointer user_data)
{
    Sweep *self = user_data;
    AditTerminal *terminal = &self->invocation->terminal;
    gint64 now = g_get_monotonic_time();
    char cells[BAR_CELLS + 1] = {0};

    if (!terminal->bar && now - self->told < LINE_INTERVAL)
        return;
    AditStudyProgress progress = adit_study_runner_get_progress(self->runner);
    g_autofree char *text = describe_progress(&progress);

    for (guint i = 0; i < BAR_CELLS; i++)
        cells[i] = (double) i < progress.share * BAR_CELLS ? '#' : '.';
    g_autofree char *bar = g_strdup_printf("[%s] %3.0f%% %s", cells, 100 * progress.share, text);

    self->told = now;
    if (terminal->bar)
        adit_terminal_draw_bar(terminal, bar);
    else
        adit_terminal_say(terminal, "%s", text);
}

/* "best test mse 0.0123 (epoch 17 of 200), 1:05" */
static char *
describe_summary(JsonObject *summary)
{
    const char *split = summary != NULL ? adit_json_get_text(summary, "split") : NULL;
    const char *metric = summary != NULL ? adit_json_get_text(summary, "metric") : NULL;
    double best = (double) NAN, seconds = (double) NAN;
    guint64 epoch = 0, epochs = 0;

    if (split == NULL || metric == NULL)
        return g_strdup("done");
    adit_json_get_double(summary, "best", &best);
    adit_json_get_double(summary, "seconds", &seconds);
    adit_json_get_unsigned(summary, "best-epoch", &epoch);
    adit_json_get_unsigned(summary, "epochs", &epochs);
    g_autofree char *time = adit_tool_format_seconds(seconds);

    return g_strdup_printf("best %s %s %.6g (epoch %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
                           "), %s",
                           split, metric, best, epoch, epochs, time);
}

static void
tell_run(Sweep *self, const AditStudyRun *run, JsonObject *summary)
{
    AditTerminal *terminal = &self->invocation->terminal;
    const char *point = run->point->label;
    g_autofree char *text = describe_summary(summary);
    guint done = adit_study_plan_count_ended(self->plan, TRUE);
    AditStudyProgress progress = adit_study_runner_get_progress(self->runner);

    if (run->status == ADIT_STUDY_FAILED)
        adit_terminal_warn(terminal, "%s failed with %d: %s", point, run->code, run->reason);
    else if (run->status == ADIT_STUDY_DIVERGED)
        adit_terminal_warn(terminal, "%s diverged: %s", point, run->reason);
    else if (run->status == ADIT_STUDY_DONE && (!terminal->bar || terminal->verbose))
        adit_terminal_say(terminal, "%u/%u %s: %s", done, progress.total, point, text);
}

static void
tell_evaluation(Sweep *self, const AditStudyRun *run, const AditStudyEvaluation *evaluation)
{
    if (evaluation->code != 0)
        adit_terminal_warn(&self->invocation->terminal, "%s evaluated with %s failed with %d: %s",
                           run->point->label, evaluation->point->label, evaluation->code,
                           evaluation->reason);
}

static void
began(const AditStudyRun *run, gpointer user_data)
{
    Sweep *self = user_data;

    if (run->step > 0 && (self->invocation->terminal.verbose || !self->invocation->terminal.bar))
        adit_terminal_say(&self->invocation->terminal,
                          "%s goes on from step %" G_GUINT64_FORMAT ": %s", run->point->label,
                          run->step, run->folder);
    else if (self->invocation->terminal.verbose)
        adit_terminal_say(&self->invocation->terminal, "%s begins: %s", run->point->label,
                          run->folder);
}

static gboolean
ended(const AditStudyRun *run, const AditStudyEvaluation *evaluation, JsonObject *summary,
      gpointer user_data, GError **error)
{
    Sweep *self = user_data;

    if (evaluation != NULL) {
        tell_evaluation(self, run, evaluation);
    } else {
        gboolean has_ended = run->status == ADIT_STUDY_DONE || run->status == ADIT_STUDY_DIVERGED;

        self->trained += has_ended;
        self->resumed += has_ended && run->step > 0;
        tell_run(self, run, summary);
    }
    return adit_study_table_write(self->table, self->shard == 0, error) &&
           adit_study_folder_write_state(self->folder, self->plan, "RUNNING", error);
}

/* ---- running ---- */

/* Our own program, wherever it was found. */
static char *
find_program(const AditInvocation *invocation)
{
    char *path = g_file_read_link("/proc/self/exe", NULL);

    return path != NULL ? path : g_find_program_in_path(invocation->command_line[0]);
}

typedef enum {
    DEVICE_CPU,
    DEVICE_SOFTWARE, /* a Vulkan device that is the CPU */
    DEVICE_GPU,
} DeviceKind;

static DeviceKind
find_kind(JsonObject *device)
{
    if (adit_json_get_text(device, "device") == NULL)
        return DEVICE_CPU;
    return g_strcmp0(adit_json_get_text(device, "type"), "cpu") == 0 ? DEVICE_SOFTWARE : DEVICE_GPU;
}

/* Options that the points are run with; the device is named, so that all take one. */
static gboolean
list_options(Sweep *self, GPtrArray *words, DeviceKind *kind, GError **error)
{
    const AditOptions *options = &self->invocation->options;
    g_autoptr(AditDevice) device = adit_tool_open_device(self->invocation, error);
    g_autoptr(JsonObject) described = json_object_new();

    if (device == NULL)
        return FALSE;
    adit_device_describe(device, described);
    *kind = find_kind(described);
    g_ptr_array_add(words, g_strdup("--device"));
    g_ptr_array_add(words,
                    g_strdup(options->device != NULL ? options->device
                                                     : adit_json_get_text(described, "name")));
    if (adit_tool_get_data_folder(self->invocation) != NULL) {
        g_ptr_array_add(words, g_strdup("--data"));
        g_ptr_array_add(words, g_strdup(adit_tool_get_data_folder(self->invocation)));
    }
    if (options->strict_device)
        g_ptr_array_add(words, g_strdup("--strict-device"));
    return TRUE;
}

static gboolean
run_points(Sweep *self, guint n, GError **error)
{
    AditInvocation *invocation = self->invocation;
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *program = find_program(invocation);
    const AditOptions *options = &invocation->options;
    DeviceKind kind = DEVICE_CPU;
    guint signals[3];

    if (!list_options(self, words, &kind, error))
        return FALSE;
    g_ptr_array_add(words, NULL);
    AditStudyRunnerSetup setup = {
        .program = program,
        .options = (GStrv) words->pdata,
        .jobs = options->jobs > 0    ? (guint) MIN(options->jobs, G_MAXUINT16)
                : kind == DEVICE_CPU ? g_get_num_processors()
                                     : 1,
        .threads = options->threads > 0 ? adit_tool_get_threads(invocation) : 0,
        .together = options->together > 0 ? (guint) MIN(options->together, G_MAXUINT16)
                    : kind == DEVICE_GPU  ? MOST_TOGETHER
                                          : 1,
        .retry = options->retry,
        .began = began,
        .ended = ended,
        .tick = tick,
        .user_data = self,
    };

    adit_study_runner_free(self->runner);
    self->runner = adit_study_runner_new(self->folder, self->plan, &setup);
    signals[0] = g_unix_signal_add(SIGINT, interrupt_cb, self);
    signals[1] = g_unix_signal_add(SIGTERM, terminate_cb, self);
    signals[2] = g_unix_signal_add(SIGUSR1, user_cb, self);
    guint resumed = adit_study_runner_count_resumed(self->runner);
    g_autofree char *from =
        resumed > 0 ? g_strdup_printf(" (%u from a checkpoint on)", resumed) : g_strdup("");

    adit_terminal_say(&invocation->terminal, "%s: %u to do%s, %u at a time, in %s",
                      self->study->title, n, from, adit_study_runner_get_width(self->runner),
                      self->folder->path);
    gboolean good = adit_study_runner_run(self->runner, error);

    for (guint i = 0; i < G_N_ELEMENTS(signals); i++)
        g_source_remove(signals[i]);
    adit_terminal_clear_bar(&invocation->terminal);
    return good;
}

/* ---- the end ---- */

static gboolean
is_evaluated(const AditStudyRun *run)
{
    return run->mine && run->status == ADIT_STUDY_DONE;
}

static guint
count_evaluations(const Sweep *self, gboolean failed)
{
    guint count = 0;

    for (guint i = 0; i < self->plan->runs->len; i++) {
        const AditStudyRun *run = self->plan->runs->pdata[i];

        for (guint j = 0; is_evaluated(run) && j < run->evaluations->len; j++) {
            const AditStudyEvaluation *evaluation = run->evaluations->pdata[j];

            count += failed ? evaluation->code != 0
                            : evaluation->figures == NULL && evaluation->code == 0;
        }
    }
    return count;
}

static void
add_failure(GPtrArray *table, const char *point, int code, const char *reason)
{
    char **row = g_new0(char *, 4);

    row[0] = g_strdup(point);
    row[1] = g_strdup_printf("%d", code);
    row[2] = g_strdup(reason != NULL ? reason : "");
    g_ptr_array_add(table, row);
}

/* (element-type GStrv): point, exit code and reason of all that failed or that diverged, a head
 * first. */
static GPtrArray *
list_failures(const Sweep *self, AditStudyStatus status)
{
    GPtrArray *table = g_ptr_array_new_with_free_func((GDestroyNotify) g_strfreev);

    g_ptr_array_add(table, g_strdupv((char **) (const char *[]){adit_study_status_get_name(status),
                                                                "exit", "why", NULL}));
    for (guint i = 0; i < self->plan->runs->len; i++) {
        const AditStudyRun *run = self->plan->runs->pdata[i];
        const char *point = run->point->label;

        if (run->mine && run->status == status)
            add_failure(table, point, run->code, run->reason);
        for (guint j = 0; run->mine && status == ADIT_STUDY_FAILED && j < run->evaluations->len;
             j++) {
            const AditStudyEvaluation *each = run->evaluations->pdata[j];
            g_autofree char *both = g_strdup_printf("%s, %s", point, each->point->label);

            if (each->code != 0)
                add_failure(table, both, each->code, each->reason);
        }
    }
    return table;
}

static void
print_summary(Sweep *self)
{
    AditInvocation *invocation = self->invocation;
    g_autoptr(GPtrArray) failures = list_failures(self, ADIT_STUDY_FAILED);
    g_autoptr(GPtrArray) diverged = list_failures(self, ADIT_STUDY_DIVERGED);
    g_autoptr(GString) text = g_string_new(NULL);
    g_autofree char *time =
        adit_tool_format_seconds((double) (g_get_monotonic_time() - self->began) * 1e-6);
    guint total = 0;

    for (guint i = 0; i < self->plan->runs->len; i++)
        total += ((AditStudyRun *) self->plan->runs->pdata[i])->mine;
    g_string_append_printf(text, "%s: %u point%s", self->study->title, total,
                           total == 1 ? "" : "s");
    for (guint status = ADIT_STUDY_PENDING; status < ADIT_STUDY_N_STATUSES; status++) {
        guint n = adit_study_plan_count(self->plan, (AditStudyStatus) status, TRUE);

        if (n > 0)
            g_string_append_printf(text, ", %u %s", n,
                                   adit_study_status_get_name((AditStudyStatus) status));
    }
    if (self->trained > 0)
        g_string_append_printf(text, "; %u trained here in %s", self->trained, time);
    if (self->resumed > 0)
        g_string_append_printf(text, ", %u from a checkpoint on", self->resumed);
    adit_terminal_print(&invocation->terminal, "%s\n%s\n", text->str,
                        adit_study_table_get_path(self->table));
    if (failures->len > 1)
        adit_tool_print_table(invocation, failures, "lrl");
    if (diverged->len > 1)
        adit_tool_print_table(invocation, diverged, "lrl");
}

static void
print_summary_json(Sweep *self)
{
    JsonObject *object = json_object_new();
    JsonArray *failed = json_array_new();
    g_autoptr(GPtrArray) failures = list_failures(self, ADIT_STUDY_FAILED);

    json_object_set_string_member(object, "study", self->study->path);
    json_object_set_string_member(object, "folder", self->folder->path);
    json_object_set_string_member(object, "table", adit_study_table_get_path(self->table));
    for (guint status = ADIT_STUDY_PENDING; status < ADIT_STUDY_N_STATUSES; status++)
        adit_json_set_unsigned(object, adit_study_status_get_name((AditStudyStatus) status),
                               adit_study_plan_count(self->plan, (AditStudyStatus) status, TRUE));
    adit_json_set_unsigned(object, "trained", self->trained);
    adit_json_set_unsigned(object, "resumed", self->resumed);
    adit_json_set_double(object, "seconds", (double) (g_get_monotonic_time() - self->began) * 1e-6);
    for (guint i = 1; i < failures->len; i++) {
        GStrv row = failures->pdata[i];
        JsonObject *failure = json_object_new();

        json_object_set_string_member(failure, "point", row[0]);
        adit_json_set_unsigned(failure, "exit-code", g_ascii_strtoull(row[1], NULL, 10));
        json_object_set_string_member(failure, "reason", row[2]);
        json_array_add_object_element(failed, failure);
    }
    json_object_set_array_member(object, "failures", failed);
    adit_tool_print_json(self->invocation, object);
}

/* The table of this call; that of the whole study too, once all shards are done. */
static gboolean
write_tables(Sweep *self, const char *state, GError **error)
{
    adit_study_folder_look(self->folder, self->plan);
    gboolean all = adit_study_plan_count_ended(self->plan, FALSE) == self->plan->runs->len;

    if (!adit_study_table_write(self->table, self->shard == 0, error) ||
        !adit_study_folder_write_state(self->folder, self->plan, state, error))
        return FALSE;
    return self->shard == 0 || !all || adit_study_table_write(self->table, TRUE, error);
}

/* A shard leaves the report to the last one. Where points failed, that is what is told. */
static gboolean
finish_report(Sweep *self, gboolean failed, GError **error)
{
    g_autoptr(GError) failure = NULL;
    guint missing = self->plan->runs->len - adit_study_plan_count_ended(self->plan, FALSE);

    if ((self->shard > 0 && missing > 0) || write_report(self, &failure))
        return TRUE;
    if (!failed) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    adit_terminal_warn(&self->invocation->terminal, "%s", failure->message);
    return TRUE;
}

static void
tell_summary(Sweep *self)
{
    if (self->invocation->options.json)
        print_summary_json(self);
    else
        print_summary(self);
}

/* A sweep that cannot go on leaves its table and what it knows, as far as they can be written.
 * @reason: taken */
static gboolean
break_off(Sweep *self, GError *reason, GError **error)
{
    g_autoptr(GError) failure = NULL;

    if (!write_tables(self, "FAILED", &failure)) {
        adit_study_folder_write_state(self->folder, self->plan, "FAILED", NULL);
        if (!g_str_equal(failure->message, reason->message))
            adit_terminal_warn(&self->invocation->terminal, "%s", failure->message);
    }
    tell_summary(self);
    g_propagate_error(error, reason);
    return FALSE;
}

static gboolean
finish(Sweep *self, GError **error)
{
    AditTerminal *terminal = &self->invocation->terminal;
    guint failed =
        adit_study_plan_count(self->plan, ADIT_STUDY_FAILED, TRUE) + count_evaluations(self, TRUE);
    guint left = adit_study_plan_count(self->plan, ADIT_STUDY_PENDING, TRUE) +
                 adit_study_plan_count(self->plan, ADIT_STUDY_STOPPED, TRUE) +
                 count_evaluations(self, FALSE);
    gboolean runs_nothing = self->invocation->options.report_only;
    g_autoptr(GError) failure = NULL;

    if (!write_tables(self, left > 0 ? "STOPPED" : failed > 0 ? "FAILED" : "COMPLETED", &failure))
        return break_off(self, g_steal_pointer(&failure), error);
    tell_summary(self);
    if (!runs_nothing && (self->stopped != 0 || (left > 0 && failed == 0))) {
        adit_terminal_say(terminal, "stopped, state saved; the same command goes on");
        return adit_tool_fail_told(ADIT_ERROR_STOPPED, error);
    }
    if (!finish_report(self, failed > 0 && !runs_nothing, error))
        return FALSE;
    return runs_nothing || failed == 0 || adit_tool_fail_told(ADIT_ERROR_SWEEP, error);
}

/* ---- the beginning ---- */

static gboolean
parse_shard(Sweep *self, GError **error)
{
    const char *text = self->invocation->options.shard;
    guint64 shard = 0, n = 0;

    if (text == NULL)
        return TRUE;
    g_auto(GStrv) parts = g_strsplit(text, "/", 2);

    if (g_strv_length(parts) == 2 &&
        g_ascii_string_to_unsigned(parts[0], 10, 1, G_MAXUINT16, &shard, NULL) &&
        g_ascii_string_to_unsigned(parts[1], 10, 1, G_MAXUINT16, &n, NULL) && shard <= n) {
        self->shard = (guint) shard;
        self->n_shards = (guint) n;
        return TRUE;
    }
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                "'--shard' must be I/N with I from 1 to N, got \"%s\"", text);
    return FALSE;
}

static void
tell_wait(gpointer user_data)
{
    const Sweep *self = user_data;

    adit_terminal_say(&self->invocation->terminal,
                      "waiting for the points of a sweep that was killed to save their state");
}

static gboolean
open_folder(Sweep *self, GError **error)
{
    const char *given = self->invocation->options.study_dir;
    g_autofree char *path =
        given != NULL ? g_strdup(given) : g_build_filename("studies", self->study->name, NULL);

    self->folder =
        adit_study_folder_open(path, self->shard, self->n_shards, tell_wait, self, error);
    if (self->folder == NULL)
        return FALSE;
    if (self->shard > 0)
        adit_study_plan_take_shard(self->plan, self->shard, self->n_shards);
    adit_study_folder_look(self->folder, self->plan);
    if (self->invocation->options.report_only &&
        !adit_study_folder_check_points(self->folder, self->plan, error))
        return FALSE;
    self->table = adit_study_table_new(self->folder, self->plan);
    return adit_study_table_write(self->table, self->shard == 0, error) &&
           adit_study_folder_write_state(self->folder, self->plan, "RUNNING", error);
}

static gboolean
run(AditInvocation *self, GError **error)
{
    g_auto(Sweep) sweep = {.invocation = self};
    g_autoptr(AditStudy) study = NULL;
    g_autoptr(AditStudyPlan) plan = NULL;
    AditStudyRunnerSetup nothing = {.retry = self->options.retry};
    g_autoptr(GError) failure = NULL;

    if (!parse_shard(&sweep, error))
        return FALSE;
    plan = adit_tool_read_plan(self, self->arguments->pdata[0], &study, error);
    if (plan == NULL)
        return FALSE;
    sweep.study = study;
    sweep.plan = plan;
    sweep.began = sweep.told = g_get_monotonic_time();
    if (!open_folder(&sweep, error))
        return FALSE;
    sweep.runner = adit_study_runner_new(sweep.folder, plan, &nothing);
    guint n = adit_study_runner_count(sweep.runner);

    if (n == 0 || self->options.report_only || run_points(&sweep, n, &failure))
        return finish(&sweep, error);
    return break_off(&sweep, g_steal_pointer(&failure), error);
}

const AditVerb adit_verb_sweep = {
    .name = "sweep",
    .usage = "STUDY [name=value,value ...] [-o path=value ...] [options]",
    .summary = "run a study: a pipeline over a grid",
    .about =
        "Runs every point of the study STUDY in a process of its own, the longest first, and "
        "writes sweep.csv, one row a point, after each. name=value leaves an axis the values "
        "given; what is no axis is set in every point.\n"
        "Points that differ in seed and live values alone share a graph. A GPU, which one thin "
        "network leaves idle, trains up to 16 of them side by side in one process, to the same "
        "numbers as alone; 'seconds' would be those of all of them and stay empty. --together=1 trains "
        "each by itself, as those with a 'max-time' are anyhow.\n"
        "A point is known by its pipeline with everything filled in. What is done is not done "
        "again, so the same command goes on after a stop, a kill or a failure. A point that fails "
        "does not stop the others; the exit code is then 11. One whose loss is no number any more has "
        "diverged: that is its result, which it would come to again, and no failure; --retry tries "
        "it all the same. Ctrl-C, SIGTERM or SIGUSR1 let the "
        "points under way save their state and exit with 75; a second signal stops at once.",
    .options = (const char *const[]){"override", "data", "study-dir", "jobs", "together", "shard",
                                     "retry", "report-only", "device", "strict-device", "threads",
                                     "json", "color", "progress", "quiet", "verbose", "help", NULL},
    .min_arguments = 1,
    .max_arguments = 1,
    .has_overrides = TRUE,
    .run = run,
};
