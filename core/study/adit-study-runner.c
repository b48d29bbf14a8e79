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
 * Job: what one process does: training a run, or evaluating it.
 * @evaluation: (nullable)
 */
typedef struct {
    AditStudyRunner *runner;
    AditStudyRun *run;
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
    g_free(self);
}

static Job *
job_new(AditStudyRunner *runner, AditStudyRun *run, AditStudyEvaluation *evaluation)
{
    Job *self = g_new0(Job, 1);

    self->runner = runner;
    self->run = run;
    self->evaluation = evaluation;
    return self;
}

/* ---- what there is to do ---- */

/* The longest last, as the last is taken first; equal ones in the order of the study. */
static int
compare_jobs(gconstpointer a, gconstpointer b)
{
    const Job *one = *(const Job *const *) a, *other = *(const Job *const *) b;

    if (one->run->cost < other->run->cost || one->run->cost > other->run->cost)
        return one->run->cost < other->run->cost ? -1 : 1;
    if (one->run == other->run)
        return 0;
    return one->run->point->index > other->run->point->index ? -1 : 1;
}

static void
add_evaluations(AditStudyRunner *self, AditStudyRun *run)
{
    for (guint i = run->evaluations->len; i > 0; i--) {
        AditStudyEvaluation *evaluation = run->evaluations->pdata[i - 1];

        if (evaluation->figures == NULL)
            g_ptr_array_add(self->waiting, job_new(self, run, evaluation));
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

/* A group's runs follow each other. They go one by one, each in a process; a worker that trains
 * several of them together would take them from here at once. */
static void
add_group(AditStudyRunner *self, const AditStudyGroup *group)
{
    for (guint i = 0; i < group->runs->len; i++) {
        AditStudyRun *run = group->runs->pdata[i];

        if (!run->mine)
            continue;
        if (run->status == ADIT_STUDY_DONE) {
            add_evaluations(self, run);
            continue;
        }
        double *share = g_new(double, 1);

        *share = get_share(self, run);
        g_hash_table_insert(self->shares, run, share);
        g_ptr_array_add(self->waiting, job_new(self, run, NULL));
    }
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
    return self->waiting->len + self->running->len;
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

/* The words of `adit run FILE ...` or `adit eval RUN ...`. */
static GStrv
list_words(const Job *job)
{
    const AditStudyRunnerSetup *setup = &job->runner->setup;
    g_autofree char *folder = g_build_filename(job->runner->folder->path, job->run->folder, NULL);
    g_autofree char *threads = g_strdup_printf("%u", setup->threads);
    GPtrArray *words = g_ptr_array_new();

    if (job->evaluation == NULL) {
        add_words(words, (const char *[]){setup->program, "run", job->run->point->pipeline, NULL});
        add_words(words, (const char *const *) job->run->arguments);
        add_words(words, (const char *[]){"--run-dir", folder, "--resume", "auto", NULL});
    } else {
        add_words(words, (const char *[]){setup->program, "eval", folder, NULL});
        add_words(words, (const char *const *) job->evaluation->changes);
    }
    add_words(words, (const char *[]){"--threads", threads, "--json", "--quiet", "--color", "never",
                                      NULL});
    add_words(words, (const char *const *) setup->options);
    g_ptr_array_add(words, NULL);
    return (GStrv) g_ptr_array_free(words, FALSE);
}

/* While a process of ours lives, no other sweep begins. */
static void
share_lock(const AditStudyRunner *self, GSubprocessLauncher *launcher)
{
    int copy = self->folder->lock >= 0 ? fcntl(self->folder->lock, F_DUPFD_CLOEXEC, 3) : -1;

    if (copy >= 0)
        g_subprocess_launcher_take_fd(launcher, copy, 3);
}

static void ended_cb(GObject *source, GAsyncResult *result, gpointer user_data);

static gboolean
start(Job *job, GError **error)
{
    AditStudyRunner *self = job->runner;
    g_auto(GStrv) words = list_words(job);
    g_autoptr(GSubprocessLauncher) launcher =
        g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE);

    if (job->evaluation == NULL && !adit_study_folder_clear_run(self->folder, job->run, error))
        return FALSE;
    g_subprocess_launcher_set_child_setup(launcher, set_up_child, GINT_TO_POINTER(getpid()), NULL);
    share_lock(self, launcher);
    job->process = g_subprocess_launcher_spawnv(launcher, (const char *const *) words, error);
    if (job->process == NULL) {
        g_prefix_error(error, "cannot start %s: ", self->setup.program);
        return FALSE;
    }
    if (job->evaluation == NULL)
        self->setup.began(job->run, self->setup.user_data);
    g_subprocess_communicate_async(job->process, NULL, NULL, ended_cb, job);
    return TRUE;
}

static void
start_more(AditStudyRunner *self)
{
    while (!self->stopping && self->failure == NULL && self->waiting->len > 0 &&
           self->running->len < self->setup.jobs) {
        Job *job = g_ptr_array_steal_index(self->waiting, self->waiting->len - 1);

        g_ptr_array_add(self->running, job);
        if (!start(job, &self->failure)) {
            g_ptr_array_remove(self->running, job);
            adit_study_runner_stop(self);
        }
    }
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

/* Exit code of a process that has ended, and why it is not 0. */
static int
get_outcome(GSubprocess *process, GBytes *errors, char **reason)
{
    gsize length = 0;
    const char *bytes = errors != NULL ? g_bytes_get_data(errors, &length) : NULL;
    g_autofree char *text =
        bytes != NULL ? g_utf8_make_valid(bytes, (gssize) length) : g_strdup("");

    if (!g_subprocess_get_if_exited(process)) {
        int number = g_subprocess_get_term_sig(process);

        *reason = g_strdup_printf("killed by signal %d (%s)", number, g_strsignal(number));
        return ADIT_ERROR_FAILED;
    }
    int code = g_subprocess_get_exit_status(process);

    if (code == 0)
        return 0;
    *reason = find_reason(text);
    if (*reason == NULL)
        *reason = g_strdup_printf("it ended with %d and said nothing", code);
    return code;
}

static JsonObject *
read_summary(GBytes *output)
{
    gsize length = 0;
    const char *text = output != NULL ? g_bytes_get_data(output, &length) : NULL;

    return text != NULL && length > 0 ? adit_json_parse("summary", text, length, NULL) : NULL;
}

static gboolean
is_stopped(const AditStudyRunner *self, int code)
{
    return code == ADIT_ERROR_STOPPED || (self->stopping && code != 0);
}

static void
note_run(AditStudyRunner *self, AditStudyRun *run, int code, char *reason)
{
    g_clear_pointer(&run->reason, g_free);
    run->code = 0;
    adit_study_folder_look_at(self->folder, run);
    if (code == 0 && run->status == ADIT_STUDY_DONE) {
        g_free(reason);
        add_evaluations(self, run);
        return;
    }
    if (is_stopped(self, code)) {
        run->status = run->status == ADIT_STUDY_PENDING ? ADIT_STUDY_PENDING : ADIT_STUDY_STOPPED;
        g_free(reason);
        return;
    }
    run->status = ADIT_STUDY_FAILED;
    run->code = code != 0 ? code : ADIT_ERROR_FAILED;
    if (run->reason == NULL)
        run->reason = reason != NULL ? reason : g_strdup("it ended without finishing its run");
    else
        g_free(reason);
}

static void
set_figure(GHashTable *figures, const char *split, const char *name, double value)
{
    double *kept = g_new(double, 1);

    *kept = value;
    g_hash_table_insert(figures, g_strdup_printf("%s.%s", split, name), kept);
}

static void
note_evaluation(AditStudyRunner *self, AditStudyEvaluation *evaluation, int code, char *reason,
                JsonObject *summary)
{
    const char *split = summary != NULL ? adit_json_get_text(summary, "split") : NULL;
    const char *metric = summary != NULL ? adit_json_get_text(summary, "metric") : NULL;
    double value;

    if (code != 0 || split == NULL) {
        evaluation->code = is_stopped(self, code) ? 0 : code != 0 ? code : ADIT_ERROR_FAILED;
        evaluation->reason = reason;
        return;
    }
    g_free(reason);
    evaluation->figures = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    if (adit_json_get_double(summary, "loss", &value))
        set_figure(evaluation->figures, split, "loss", value);
    if (metric != NULL && adit_json_get_double(summary, "value", &value))
        set_figure(evaluation->figures, split, metric, value);
}

static void
ended_cb(GObject *source, GAsyncResult *result, gpointer user_data)
{
    Job *job = user_data;
    AditStudyRunner *self = job->runner;
    g_autoptr(GBytes) output = NULL;
    g_autoptr(GBytes) errors = NULL;
    char *reason = NULL;

    g_subprocess_communicate_finish(G_SUBPROCESS(source), result, &output, &errors, NULL);
    int code = get_outcome(job->process, errors, &reason);
    g_autoptr(JsonObject) summary = code == 0 ? read_summary(output) : NULL;

    if (job->evaluation != NULL)
        note_evaluation(self, job->evaluation, code, reason, summary);
    else
        note_run(self, job->run, code, reason);
    if (!self->setup.ended(job->run, job->evaluation, summary, self->setup.user_data,
                           self->failure == NULL ? &self->failure : NULL))
        adit_study_runner_stop(self);
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

gboolean
adit_study_runner_run(AditStudyRunner *self, GError **error)
{
    guint tick = g_timeout_add(TICK, tick_cb, self);

    self->began = g_get_monotonic_time();
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

        if (job->run == run && job->evaluation == NULL)
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
        progress.done += run->status == ADIT_STUDY_DONE;
        progress.running += runs;
        progress.failed += run->code != 0 && !runs;
    }
    progress.share = all > 0 ? done / all : 1;
    if (here > 0)
        progress.eta = (all - done) / here * seconds;
    return progress;
}
