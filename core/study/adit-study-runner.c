/* core/study/adit-study-runner.c - SPDX-License-Identifier: MIT */
#include "adit-study-runner.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#define TICK (500) /* milliseconds */

/**
 * Job: what one process does: training runs of one group, or evaluating a run.
 * @runs: (element-type AditStudyRun): in the order of the study; to be evaluated: one
 * @evaluation: (nullable)
 */
typedef struct {
    AditStudyRunner *runner;
    GPtrArray *runs;
    AditStudyEvaluation *evaluation;
    GSubprocess *process;
} Job;

struct _AditStudyRunner {
    const AditStudyFolder *folder;
    AditStudyPlan *plan;
    AditStudyRunnerSetup setup;
    GPtrArray *waiting; /* Job, the next one last */
    GPtrArray *running; /* Job */
    GHashTable *shares; /* AditStudyRun -> double: share done when this call began */
    gint64 began;
    gboolean stopping;
    GError *failure;
};

static void
job_free(gpointer data)
{
    Job *self = data;

    g_clear_object(&self->process);
    g_ptr_array_unref(self->runs);
    g_free(self);
}

static Job *
job_new(AditStudyRunner *runner, AditStudyEvaluation *evaluation)
{
    Job *self = g_new0(Job, 1);

    self->runner = runner;
    self->runs = g_ptr_array_new();
    self->evaluation = evaluation;
    return self;
}

static AditStudyRun *
get_run(const Job *self, guint number)
{
    return self->runs->pdata[number];
}

static double
get_cost(const Job *self)
{
    double cost = 0;

    for (guint i = 0; i < self->runs->len; i++)
        cost += get_run(self, i)->cost;
    return cost;
}

/* ---- what there is to do ---- */

/* The longest last, as the last is taken first; equal ones in the order of the study. */
static int
compare_jobs(gconstpointer a, gconstpointer b)
{
    const Job *one = *(const Job *const *) a, *other = *(const Job *const *) b;
    double cost = get_cost(one), than = get_cost(other);
    const AditStudyRun *first = get_run(one, 0), *second = get_run(other, 0);

    if (cost < than || cost > than)
        return cost < than ? -1 : 1;
    if (first == second)
        return 0;
    return first->point->index > second->point->index ? -1 : 1;
}

static void
add_evaluations(AditStudyRunner *self, AditStudyRun *run)
{
    for (guint i = run->evaluations->len; i > 0; i--) {
        AditStudyEvaluation *evaluation = run->evaluations->pdata[i - 1];

        if (evaluation->figures != NULL)
            continue;
        Job *job = job_new(self, evaluation);

        g_ptr_array_add(job->runs, run);
        g_ptr_array_add(self->waiting, job);
    }
}

/* Epochs of a run that are in its table, as a share of all. */
static double
get_share(const AditStudyRunner *self, const AditStudyRun *run)
{
    g_autofree char *path = g_build_filename(self->folder->path, run->folder, "metrics.csv", NULL);
    g_autofree char *text = NULL;
    guint64 lines = 0;

    if (!g_file_get_contents(path, &text, NULL, NULL) || run->epochs == 0)
        return 0;
    for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    return lines == 0 ? 0 : MIN((double) (lines - 1) / (double) run->epochs, 1);
}

/* The runs of a group that are left go to processes in equal parts, as few as may be. */
static void
add_jobs(AditStudyRunner *self, const AditStudyGroup *group, const GPtrArray *left)
{
    guint most = group->is_timed ? 1 : MAX(self->setup.together, 1);
    guint n_jobs = (left->len + most - 1) / most;

    for (guint i = 0; i < n_jobs; i++) {
        Job *job = job_new(self, NULL);

        for (guint j = left->len * i / n_jobs; j < left->len * (i + 1) / n_jobs; j++)
            g_ptr_array_add(job->runs, left->pdata[j]);
        g_ptr_array_add(self->waiting, job);
    }
}

static void
add_group(AditStudyRunner *self, const AditStudyGroup *group)
{
    g_autoptr(GPtrArray) left = g_ptr_array_new();

    for (guint i = 0; i < group->runs->len; i++) {
        AditStudyRun *run = group->runs->pdata[i];

        if (!run->mine)
            continue;
        if (run->status == ADIT_STUDY_DONE) {
            add_evaluations(self, run);
            continue;
        }
        if (run->status == ADIT_STUDY_DIVERGED && !self->setup.retry)
            continue;
        double *share = g_new(double, 1);

        *share = get_share(self, run);
        run->step = adit_study_folder_find_step(self->folder, run);
        g_hash_table_insert(self->shares, run, share);
        g_ptr_array_add(left, run);
    }
    add_jobs(self, group, left);
}

AditStudyRunner *
adit_study_runner_new(const AditStudyFolder *folder, AditStudyPlan *plan,
                      const AditStudyRunnerSetup *setup)
{
    AditStudyRunner *self = g_new0(AditStudyRunner, 1);

    self->folder = folder;
    self->plan = plan;
    self->setup = *setup;
    self->waiting = g_ptr_array_new_with_free_func(job_free);
    self->running = g_ptr_array_new_with_free_func(job_free);
    self->shares = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    for (guint i = 0; i < plan->groups->len; i++)
        add_group(self, plan->groups->pdata[i]);
    g_ptr_array_sort(self->waiting, compare_jobs);
    self->setup.jobs = MIN(self->setup.jobs, MAX(self->waiting->len, 1));
    if (self->setup.threads == 0)
        self->setup.threads = MAX(g_get_num_processors() / MAX(self->setup.jobs, 1), 1);
    return self;
}

void
adit_study_runner_free(AditStudyRunner *self)
{
    g_ptr_array_unref(self->waiting);
    g_ptr_array_unref(self->running);
    g_hash_table_unref(self->shares);
    g_clear_error(&self->failure);
    g_free(self);
}

guint
adit_study_runner_count(const AditStudyRunner *self)
{
    guint count = 0;

    for (guint i = 0; i < self->waiting->len; i++)
        count += ((const Job *) self->waiting->pdata[i])->runs->len;
    for (guint i = 0; i < self->running->len; i++)
        count += ((const Job *) self->running->pdata[i])->runs->len;
    return count;
}

guint
adit_study_runner_get_width(const AditStudyRunner *self)
{
    guint most = 1;

    for (guint i = 0; i < self->waiting->len; i++)
        most = MAX(most, ((const Job *) self->waiting->pdata[i])->runs->len);
    return MIN(self->setup.jobs * most, adit_study_runner_count(self));
}

/* ---- processes ---- */

/* In the child: signals of the terminal are ours to hand on, and it does not outlive us. */
static void
set_up_child(gpointer user_data)
{
    setpgid(0, 0);
#ifdef __linux__
    prctl(PR_SET_PDEATHSIG, SIGTERM);
#endif
    if (getppid() != GPOINTER_TO_INT(user_data))
        _exit(128 + SIGTERM);
}

static void
add_words(GPtrArray *words, const char *const *more)
{
    for (guint i = 0; more != NULL && more[i] != NULL; i++)
        g_ptr_array_add(words, g_strdup(more[i]));
}

/* What follows `adit run` or `adit eval`. */
static void
add_run_words(const Job *job, const AditStudyRun *run, GPtrArray *words)
{
    const AditStudyRunnerSetup *setup = &job->runner->setup;
    g_autofree char *folder = g_build_filename(job->runner->folder->path, run->folder, NULL);
    g_autofree char *threads = g_strdup_printf("%u", setup->threads);

    if (job->evaluation == NULL) {
        add_words(words, (const char *[]){run->point->pipeline, NULL});
        add_words(words, (const char *const *) run->arguments);
        add_words(words, (const char *[]){"--run-dir", folder, "--resume", "auto", NULL});
    } else {
        add_words(words, (const char *[]){folder, NULL});
        add_words(words, (const char *const *) job->evaluation->changes);
    }
    add_words(words, (const char *[]){"--threads", threads, "--json", "--quiet", "--color", "never",
                                      NULL});
    add_words(words, (const char *const *) setup->options);
}

/* The words of `adit run FILE ...`, `adit together FILE ... + FILE ...` or `adit eval RUN ...`. */
static GStrv
list_words(const Job *job)
{
    GPtrArray *words = g_ptr_array_new();
    const char *verb = job->evaluation != NULL ? "eval" : job->runs->len > 1 ? "together" : "run";

    add_words(words, (const char *[]){job->runner->setup.program, verb, NULL});
    for (guint i = 0; i < job->runs->len; i++) {
        if (i > 0)
            g_ptr_array_add(words, g_strdup("+"));
        add_run_words(job, get_run(job, i), words);
    }
    g_ptr_array_add(words, NULL);
    return (GStrv) g_ptr_array_free(words, FALSE);
}

/* While a process of ours lives, no other sweep begins, nor this shard again. */
static void
share_locks(const AditStudyRunner *self, GSubprocessLauncher *launcher)
{
    const int locks[] = {self->folder->lock, self->folder->shard_lock};

    for (int i = 0; i < (int) G_N_ELEMENTS(locks); i++) {
        int copy = locks[i] >= 0 ? fcntl(locks[i], F_DUPFD_CLOEXEC, 3) : -1;

        if (copy >= 0)
            g_subprocess_launcher_take_fd(launcher, copy, 3 + i);
    }
}

static void ended_cb(GObject *source, GAsyncResult *result, gpointer user_data);

static gboolean
start(Job *job, GError **error)
{
    AditStudyRunner *self = job->runner;
    g_auto(GStrv) words = list_words(job);
    g_autoptr(GSubprocessLauncher) launcher =
        g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE);

    g_subprocess_launcher_set_child_setup(launcher, set_up_child, GINT_TO_POINTER(getpid()), NULL);
    share_locks(self, launcher);
    job->process = g_subprocess_launcher_spawnv(launcher, (const char *const *) words, error);
    if (job->process == NULL) {
        g_prefix_error(error, "cannot start %s: ", self->setup.program);
        return FALSE;
    }
    for (guint i = 0; job->evaluation == NULL && i < job->runs->len; i++)
        self->setup.began(get_run(job, i), self->setup.user_data);
    g_subprocess_communicate_async(job->process, NULL, NULL, ended_cb, job);
    return TRUE;
}

/* ---- what came of them ---- */

/* What a process complained of last: "the loss is not finite ...". */
static char *
find_reason(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    const char *last = NULL;

    for (guint i = 0; lines[i] != NULL; i++) {
        const char *mark = strstr(lines[i], ": error: ");

        if (mark != NULL && g_str_has_prefix(lines[i], "adit "))
            return g_strdup(mark + strlen(": error: "));
        if (mark != NULL)
            return g_strdup(lines[i]);
        if (*lines[i] != '\0')
            last = lines[i];
    }
    return g_strdup(last);
}

/**
 * Outcome: what a run, or an evaluation, left as a process, or as a part of one.
 * @reason: (nullable): why @code is not 0
 * @summary: (nullable)
 */
typedef struct {
    int code;
    char *reason;
    JsonObject *summary;
} Outcome;

static void
outcome_clear(Outcome *self)
{
    g_free(self->reason);
    g_clear_pointer(&self->summary, json_object_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Outcome, outcome_clear)

static void
outcome_init(Outcome *self, int code, const char *output, const char *errors)
{
    *self = (Outcome){.code = code};
    if (code == 0 && *output != '\0')
        self->summary = adit_json_parse("summary", output, strlen(output), NULL);
    if (code == 0)
        return;
    self->reason = find_reason(errors);
    if (self->reason == NULL)
        self->reason = g_strdup_printf("it ended with %d and said nothing", code);
}

static char *
get_text(GBytes *bytes)
{
    gsize length = 0;
    const char *text = bytes != NULL ? g_bytes_get_data(bytes, &length) : NULL;

    return text != NULL ? g_utf8_make_valid(text, (gssize) length) : g_strdup("");
}

static void
outcome_init_process(Outcome *self, GSubprocess *process, const char *output, const char *errors)
{
    if (g_subprocess_get_if_exited(process)) {
        outcome_init(self, g_subprocess_get_exit_status(process), output, errors);
        return;
    }
    int number = g_subprocess_get_term_sig(process);

    *self = (Outcome){.code = ADIT_ERROR_FAILED,
                      .reason =
                          g_strdup_printf("killed by signal %d (%s)", number, g_strsignal(number))};
}

/* (nullable): what `adit together` says of each of its runs; NULL: it did not come that far. */
static JsonArray *
find_points(const Job *job, JsonObject *answer)
{
    JsonArray *points = answer != NULL ? adit_json_get_array(answer, "points") : NULL;

    return points != NULL && json_array_get_length(points) == job->runs->len ? points : NULL;
}

static void
outcome_init_point(Outcome *self, JsonArray *points, guint number)
{
    JsonObject *point = json_array_get_object_element(points, number);
    const char *output = adit_json_get_text(point, "output");
    const char *errors = adit_json_get_text(point, "errors");
    guint64 code = ADIT_ERROR_FAILED;

    adit_json_get_unsigned(point, "code", &code);
    outcome_init(self, (int) code, output != NULL ? output : "", errors != NULL ? errors : "");
}

static gboolean
is_stopped(const AditStudyRunner *self, int code)
{
    return code == ADIT_ERROR_STOPPED || (self->stopping && code != 0);
}

/* @may_be_done: what went wrong may have been another run's */
static void
note_run(AditStudyRunner *self, AditStudyRun *run, Outcome *outcome, gboolean may_be_done)
{
    g_clear_pointer(&run->reason, g_free);
    run->code = 0;
    adit_study_folder_look_at(self->folder, run);
    if (run->status == ADIT_STUDY_DONE && (outcome->code == 0 || may_be_done)) {
        add_evaluations(self, run);
        return;
    }
    if (run->status == ADIT_STUDY_DIVERGED && (outcome->code == ADIT_ERROR_NUMERIC || may_be_done))
        return;
    if (is_stopped(self, outcome->code)) {
        run->status = run->status == ADIT_STUDY_PENDING ? ADIT_STUDY_PENDING : ADIT_STUDY_STOPPED;
        return;
    }
    run->status = ADIT_STUDY_FAILED;
    run->code = outcome->code != 0 ? outcome->code : ADIT_ERROR_FAILED;
    if (run->reason == NULL)
        run->reason = outcome->reason != NULL ? g_steal_pointer(&outcome->reason)
                                              : g_strdup("it ended without finishing its run");
}

static void
set_figure(GHashTable *figures, const char *split, const char *name, double value)
{
    double *kept = g_new(double, 1);

    *kept = value;
    g_hash_table_insert(figures, g_strdup_printf("%s.%s", split, name), kept);
}

/* "exits.accuracy", "exits.cost", "exits.branch.share", "exits.branch.accuracy". */
static void
set_exit_figures(GHashTable *figures, const char *metric, JsonObject *exits)
{
    JsonArray *answers = json_object_get_array_member(exits, "answers");
    double value, rows = 1, taken;

    if (adit_json_get_double(exits, "loss", &value))
        set_figure(figures, "exits", "loss", value);
    if (metric != NULL && adit_json_get_double(exits, "value", &value))
        set_figure(figures, "exits", metric, value);
    if (adit_json_get_double(exits, "cost", &value))
        set_figure(figures, "exits", "cost", value);
    adit_json_get_double(exits, "rows", &rows);
    for (guint i = 0; i < json_array_get_length(answers); i++) {
        JsonObject *answer = json_array_get_object_element(answers, i);
        JsonObject *left = adit_json_get_object(answer, "left");
        g_autofree char *name = g_strconcat("exits.", adit_json_get_text(answer, "name"), NULL);

        if (left != NULL && adit_json_get_double(left, "rows", &taken))
            set_figure(figures, name, "share", taken / rows);
        if (metric != NULL && adit_json_get_double(answer, "value", &value))
            set_figure(figures, name, metric, value);
    }
}

static void
note_evaluation(AditStudyRunner *self, AditStudyEvaluation *evaluation, Outcome *outcome)
{
    JsonObject *summary = outcome->summary;
    int code = outcome->code;
    const char *split = summary != NULL ? adit_json_get_text(summary, "split") : NULL;
    const char *metric = summary != NULL ? adit_json_get_text(summary, "metric") : NULL;
    double value;

    if (code != 0 || split == NULL) {
        evaluation->code = is_stopped(self, code) ? 0 : code != 0 ? code : ADIT_ERROR_FAILED;
        evaluation->reason = g_steal_pointer(&outcome->reason);
        return;
    }
    evaluation->figures = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    if (adit_json_get_double(summary, "loss", &value))
        set_figure(evaluation->figures, split, "loss", value);
    if (metric != NULL && adit_json_get_double(summary, "value", &value))
        set_figure(evaluation->figures, split, metric, value);
    JsonObject *exits = adit_json_get_object(summary, "exits");

    if (exits != NULL)
        set_exit_figures(evaluation->figures, metric, exits);
}

static void
note_end(Job *job, AditStudyRun *run, Outcome *outcome, gboolean may_be_done)
{
    AditStudyRunner *self = job->runner;

    if (job->evaluation != NULL)
        note_evaluation(self, job->evaluation, outcome);
    else
        note_run(self, run, outcome, may_be_done);
    if (!self->setup.ended(run, job->evaluation, outcome->summary, self->setup.user_data,
                           self->failure == NULL ? &self->failure : NULL))
        adit_study_runner_stop(self);
}

/* A run whose folder cannot be made ready fails alone. */
static void
clear_runs(Job *job)
{
    for (guint i = 0; job->evaluation == NULL && i < job->runs->len;) {
        AditStudyRun *run = get_run(job, i);
        g_autoptr(GError) failure = NULL;
        g_auto(Outcome) outcome = {0};

        if (adit_study_folder_clear_run(job->runner->folder, run, &failure)) {
            i++;
            continue;
        }
        outcome.code = failure->code;
        outcome.reason = g_strdup(failure->message);
        g_ptr_array_remove_index(job->runs, i);
        note_end(job, run, &outcome, FALSE);
    }
}

static void
start_more(AditStudyRunner *self)
{
    while (!self->stopping && self->failure == NULL && self->waiting->len > 0 &&
           self->running->len < self->setup.jobs) {
        Job *job = g_ptr_array_steal_index(self->waiting, self->waiting->len - 1);

        g_ptr_array_add(self->running, job);
        clear_runs(job);
        if (job->runs->len == 0) {
            g_ptr_array_remove(self->running, job);
        } else if (self->failure != NULL || !start(job, &self->failure)) {
            g_ptr_array_remove(self->running, job);
            adit_study_runner_stop(self);
        }
    }
}

static void
ended_cb(GObject *source, GAsyncResult *result, gpointer user_data)
{
    Job *job = user_data;
    AditStudyRunner *self = job->runner;
    g_autoptr(GBytes) output_bytes = NULL;
    g_autoptr(GBytes) error_bytes = NULL;

    g_subprocess_communicate_finish(G_SUBPROCESS(source), result, &output_bytes, &error_bytes,
                                    NULL);
    g_autofree char *output = get_text(output_bytes);
    g_autofree char *errors = get_text(error_bytes);
    gboolean are_several = job->runs->len > 1;
    g_autoptr(JsonObject) answer =
        are_several ? adit_json_parse("answer", output, strlen(output), NULL) : NULL;
    JsonArray *points = find_points(job, answer);

    for (guint i = 0; i < job->runs->len; i++) {
        g_auto(Outcome) outcome = {0};

        if (points != NULL)
            outcome_init_point(&outcome, points, i);
        else
            outcome_init_process(&outcome, job->process, output, errors);
        note_end(job, get_run(job, i), &outcome, are_several && points == NULL);
    }
    g_ptr_array_remove(self->running, job);
    start_more(self);
}

static gboolean
tick_cb(gpointer user_data)
{
    AditStudyRunner *self = user_data;

    self->setup.tick(self->setup.user_data);
    return G_SOURCE_CONTINUE;
}

guint
adit_study_runner_count_resumed(const AditStudyRunner *self)
{
    GHashTableIter iter;
    gpointer run;
    guint count = 0;

    g_hash_table_iter_init(&iter, self->shares);
    while (g_hash_table_iter_next(&iter, &run, NULL))
        count += ((const AditStudyRun *) run)->step > 0;
    return count;
}

/* What an earlier call came to does not count any more in runs that are tried again. */
static void
forget_failures(AditStudyRunner *self)
{
    GHashTableIter iter;
    gpointer run;

    g_hash_table_iter_init(&iter, self->shares);
    while (g_hash_table_iter_next(&iter, &run, NULL)) {
        AditStudyRun *waiting = run;

        g_clear_pointer(&waiting->reason, g_free);
        waiting->code = 0;
        if (waiting->status == ADIT_STUDY_DIVERGED)
            waiting->status = ADIT_STUDY_STOPPED;
    }
}

gboolean
adit_study_runner_run(AditStudyRunner *self, GError **error)
{
    guint tick = g_timeout_add(TICK, tick_cb, self);

    self->began = g_get_monotonic_time();
    forget_failures(self);
    start_more(self);
    while (self->running->len > 0)
        g_main_context_iteration(NULL, TRUE);
    g_source_remove(tick);
    if (self->failure == NULL)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&self->failure));
    return FALSE;
}

void
adit_study_runner_stop(AditStudyRunner *self)
{
    self->stopping = TRUE;
    for (guint i = 0; i < self->running->len; i++) {
        const Job *job = self->running->pdata[i];

        if (job->process != NULL)
            g_subprocess_send_signal(job->process, SIGTERM);
    }
}

/* ---- progress ---- */

static gboolean
is_running(const AditStudyRunner *self, const AditStudyRun *run)
{
    for (guint i = 0; i < self->running->len; i++) {
        const Job *job = self->running->pdata[i];

        if (job->evaluation == NULL && g_ptr_array_find(job->runs, run, NULL))
            return TRUE;
    }
    return FALSE;
}

AditStudyProgress
adit_study_runner_get_progress(const AditStudyRunner *self)
{
    AditStudyProgress progress = {.eta = (double) INFINITY};
    double all = 0, done = 0, here = 0;
    double seconds = (double) (g_get_monotonic_time() - self->began) * 1e-6;

    for (guint i = 0; i < self->plan->runs->len; i++) {
        const AditStudyRun *run = self->plan->runs->pdata[i];
        const double *before = g_hash_table_lookup(self->shares, run);
        gboolean runs = is_running(self, run);
        gboolean ended = run->status == ADIT_STUDY_DONE || (run->code != 0 && !runs);
        double share;

        if (!run->mine)
            continue;
        share = ended ? 1 : runs ? get_share(self, run) : before != NULL ? *before : 0;
        all += run->cost;
        done += run->cost * share;
        here += before != NULL ? run->cost * MAX(share - *before, 0) : 0;
        progress.total++;
        progress.done +=
            run->status == ADIT_STUDY_DONE || (run->status == ADIT_STUDY_DIVERGED && !runs);
        progress.running += runs;
        progress.failed += run->status == ADIT_STUDY_FAILED && run->code != 0 && !runs;
    }
    progress.share = all > 0 ? done / all : 1;
    if (here > 0)
        progress.eta = (all - done) / here * seconds;
    return progress;
}
