/* core/tool/adit-session.c - SPDX-License-Identifier: MIT */
#include "adit-tool.h"

#include "adit-json.h"
#include "adit-probe-table.h"
#include "adit-settings.h"
#include "adit-shared-device.h"
#include "adit-trainer.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define BAR_CELLS    24
#define BAR_INTERVAL (G_USEC_PER_SEC / 10)
/* seconds between lines of an epoch that takes long, where there is no bar */
#define LINE_INTERVAL (30 * G_USEC_PER_SEC)
/* between two that show different phases */
#define PHASE_INTERVAL (BAR_INTERVAL / 10)
/* between looks at whether a heartbeat is due */
#define BEAT_INTERVAL G_USEC_PER_SEC

/* ---- signals ---- */

/* A signal handler has no user data. */
static volatile gint stop_signal;
static volatile gint phase;           /* AditTrainingPhase: what is finished yet */
static const char *volatile clearing; /* (nullable): NULL: nothing is said; what goes before it */

/* At once and not when it is done, so from the handler: nothing but write() may be called there. */
static void
say_stopping(void)
{
    static const char *const lines[] = {
        [ADIT_TRAINING_STEPS] = "stopping behind this step; a second signal ends it at once\n",
        [ADIT_TRAINING_EVALUATION] =
            "stopping behind this batch of the evaluation; a second signal ends it at once\n",
        [ADIT_TRAINING_PROBES] =
            "stopping behind the probes, which may take as long as an evaluation; a second signal "
            "ends it at once\n",
    };
    const char *line = lines[g_atomic_int_get(&phase)];
    const char *before = clearing;
    int number = errno;

    if (before != NULL && write(STDERR_FILENO, before, strlen(before)) >= 0 &&
        write(STDERR_FILENO, line, strlen(line)) >= 0)
        errno = number;
    errno = number;
}

static void
handle_signal(int number)
{
    if (!g_atomic_int_compare_and_exchange(&stop_signal, 0, number))
        _exit(128 + number);
    say_stopping();
}

/* @terminal: where it is told that a signal came */
static void
catch_signals(const AditTerminal *terminal)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGUSR1};
    struct sigaction action = {.sa_handler = handle_signal, .sa_flags = SA_RESTART};

    /* the second one waits until the first is noted */
    sigemptyset(&action.sa_mask);
    for (guint i = 0; i < G_N_ELEMENTS(signals); i++)
        sigaddset(&action.sa_mask, signals[i]);
    g_atomic_int_set(&stop_signal, 0);
    g_atomic_int_set(&phase, ADIT_TRAINING_STEPS);
    clearing = adit_terminal_get_clearing(terminal);
    for (guint i = 0; i < G_N_ELEMENTS(signals); i++)
        sigaction(signals[i], &action, NULL);
}

/* ---- heartbeats ---- */

/**
 * Pulse: the heartbeats of runs that one process trains. One of them goes on at a time: whichever
 * it is, it beats for all, lest from elsewhere the others look dead.
 * @runs: (element-type AditRun): that have begun and not ended
 * @looked: monotonic
 */
typedef struct {
    GPtrArray *runs;
    gint64 looked;
} Pulse;

static void
beat(Pulse *self)
{
    gint64 now = g_get_monotonic_time();

    if (now - self->looked < BEAT_INTERVAL)
        return;
    self->looked = now;
    for (guint i = 0; i < self->runs->len; i++)
        adit_run_beat(self->runs->pdata[i], NULL);
}

/* ---- progress ---- */

typedef struct {
    AditSession *session;
    Pulse *pulse;
    gint64 drawn; /* monotonic time */
    AditTrainingPhase drawn_phase;
    gint64 told;
} Progress;

/* Time left is that of the steps: behind the last of them none is known. */
static void
append_steps(GString *text, const AditProgress *progress)
{
    g_autofree char *eta = adit_tool_format_seconds(progress->eta);
    gboolean done = progress->epoch >= progress->epochs;

    g_string_append_printf(text, " step %" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT,
                           done ? progress->steps_per_epoch : progress->steps_done,
                           progress->steps_per_epoch);
    if (progress->steps_done > 0 && !isnan(progress->loss))
        g_string_append_printf(text, " loss %.4g", progress->loss);
    g_string_append_printf(text, " ETA %s", eta);
}

static char *
describe_progress(const AditProgress *progress)
{
    GString *text = g_string_new(NULL);

    if (progress->n_stages > 1)
        g_string_append_printf(text, "stage %u/%u ", progress->stage, progress->n_stages);
    g_string_append_printf(text, "epoch %" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT,
                           MIN(progress->epoch + 1, progress->epochs), progress->epochs);
    if (progress->phase == ADIT_TRAINING_EVALUATION && !progress->finished)
        g_string_append_printf(text, " evaluating %s %" G_GSIZE_FORMAT "/%" G_GSIZE_FORMAT,
                               progress->split, progress->rows_done, progress->rows);
    else if (progress->phase == ADIT_TRAINING_PROBES)
        g_string_append(text, " probes");
    else
        append_steps(text, progress);
    return g_string_free(text, FALSE);
}

static char *
make_bar(const AditProgress *progress)
{
    double epochs = (double) progress->epoch;
    g_autofree char *text = describe_progress(progress);
    char cells[BAR_CELLS + 1] = {0};

    if (progress->steps_per_epoch > 0)
        epochs += (double) progress->steps_done / (double) progress->steps_per_epoch;
    double share = progress->epochs > 0 ? MIN(epochs / (double) progress->epochs, 1) : 1;

    for (guint i = 0; i < BAR_CELLS; i++)
        cells[i] = (double) i < share * BAR_CELLS ? '#' : '.';
    return g_strdup_printf("[%s] %3.0f%% %s", cells, 100 * share, text);
}

static void
tell_progress(const AditProgress *progress, gpointer user_data)
{
    Progress *self = user_data;
    AditTerminal *terminal = &self->session->invocation->terminal;
    gint64 now = g_get_monotonic_time();

    g_atomic_int_set(&phase, progress->phase);
    beat(self->pulse);
    if (progress->warning != NULL)
        adit_terminal_warn(terminal, "%s", progress->warning);
    if (progress->finished && (!terminal->bar || terminal->verbose)) {
        adit_terminal_say(terminal, "%s", progress->line);
        self->told = now;
    } else if (progress->finished) {
        g_autofree char *line = g_strconcat(progress->line, "\n", NULL);

        adit_run_log(self->session->run, line, NULL);
    }
    gint64 interval = progress->phase != self->drawn_phase ? PHASE_INTERVAL : BAR_INTERVAL;

    if (terminal->bar && now - self->drawn >= interval) {
        g_autofree char *bar = make_bar(progress);

        adit_terminal_draw_bar(terminal, bar);
        self->drawn = now;
        self->drawn_phase = progress->phase;
    } else if (!terminal->bar && now - self->told >= LINE_INTERVAL) {
        g_autofree char *text = describe_progress(progress);

        adit_terminal_say(terminal, "%s", text);
        self->told = now;
    }
}

/* ---- the end ---- */

/* What its probes tell. */
static void
append_sentences(const AditSession *self, GString *text)
{
    g_autofree char *folder = g_build_filename(adit_run_get_folder(self->run), "probes", NULL);

    for (guint i = 0; i < self->experiment->probes->len; i++) {
        const char *name = adit_probe_get_name(self->experiment->probes->pdata[i]);
        g_auto(GStrv) sentences = adit_probe_read_sentences(folder, name);

        for (guint j = 0; sentences[j] != NULL; j++)
            g_string_append_printf(text, "%s: %s\n", name, sentences[j]);
    }
}

static void
print_summary(AditSession *self, const AditTrainingResult *result)
{
    AditInvocation *invocation = self->invocation;
    g_autoptr(GString) text = g_string_new(NULL);
    g_autofree char *seconds = adit_tool_format_seconds(result->seconds);

    g_string_append_printf(text, "best %s %s %.6g (epoch %" G_GUINT64_FORMAT "), last %.6g\n",
                           result->split, result->metric, result->best, result->best_epoch,
                           result->last);
    if (result->majority > 0)
        g_string_append_printf(text, "share of the commonest class %.6g%s\n", result->majority,
                               result->is_dead ? ": dead, the network does no better" : "");
    else
        g_string_append_printf(text, "variance of the %s target %.6g%s\n", result->split,
                               result->target_variance,
                               result->is_dead ? ": dead, the network does no better" : "");
    append_sentences(self, text);
    g_string_append_printf(text, "%" G_GUINT64_FORMAT " epochs in %s\n%s\n", result->epochs,
                           seconds, adit_run_get_folder(self->run));
    adit_terminal_print(&invocation->terminal, "%s", text->str);
    adit_run_log(self->run, text->str, NULL);
}

static void
print_summary_json(AditSession *self, const AditTrainingResult *result)
{
    JsonObject *object = json_object_new();

    json_object_set_string_member(object, "run", adit_run_get_folder(self->run));
    json_object_set_string_member(object, "split", result->split);
    json_object_set_string_member(object, "metric", result->metric);
    adit_json_set_double(object, "best", result->best);
    adit_json_set_unsigned(object, "best-epoch", result->best_epoch);
    adit_json_set_double(object, "last", result->last);
    adit_json_set_double(object, "last-loss", result->last_loss);
    adit_json_set_unsigned(object, "epochs", result->epochs);
    adit_json_set_double(object, "target-variance", result->target_variance);
    adit_json_set_double(object, "majority", result->majority);
    json_object_set_boolean_member(object, "dead", result->is_dead);
    adit_json_set_double(object, "seconds", result->seconds);
    adit_tool_print_json(self->invocation, object);
}

/* Notes how the run ended, and says what can be done. */
static void
note_end(AditSession *self, const GError *error)
{
    AditTerminal *terminal = &self->invocation->terminal;
    const char *folder = adit_run_get_folder(self->run);
    AditRunStatus status = ADIT_RUN_COMPLETED;
    int code = 0;
    g_autoptr(GError) failure = NULL;

    if (error != NULL) {
        code = error->domain == ADIT_ERROR ? error->code : ADIT_ERROR_FAILED;
        status = code == ADIT_ERROR_STOPPED ? ADIT_RUN_STOPPED : ADIT_RUN_FAILED;
    }
    if (status == ADIT_RUN_FAILED)
        adit_run_set_member(self->run, "reason",
                            json_node_init_string(json_node_alloc(), error->message));
    if (!adit_run_set_status(self->run, status, code, &failure))
        adit_terminal_warn(terminal, "%s", failure->message);
    if (status == ADIT_RUN_STOPPED)
        adit_terminal_say(terminal, "stopped, state saved; adit resume %s goes on", folder);
    else if (status == ADIT_RUN_FAILED)
        adit_terminal_say(terminal, "run %s", folder);
}

/* ---- training ---- */

/**
 * Task: a session that is trained.
 * @max_time: seconds from @began on; 0: no limit
 * @failure: (nullable): why it failed, or has to be taken up again
 * @is_done: that was told
 */
typedef struct {
    AditSession *session;
    AditTraining training;
    AditTrainingResult result;
    Progress progress;
    double max_time;
    gint64 began;
    GError *failure;
    gboolean is_done;
} Task;

static gboolean
prepare(AditSession *self, AditTraining *training, GError **error)
{
    const AditOptions *options = &self->invocation->options;
    JsonObject *members = adit_run_get_members(self->run);

    training->experiment = self->experiment;
    training->data = self->data;
    training->run = self->run;
    training->stop = (const gint *) &stop_signal;
    adit_json_get_unsigned(members, "limit-batches", &training->limit_batches);
    adit_json_get_unsigned(members, "overfit-batches", &training->overfit_batches);
    return options->max_time == NULL ||
           adit_tool_parse_time("max-time", options->max_time, &training->max_time, error);
}

/* The CPU goes without saying. */
static void
tell_device(AditSession *self)
{
    g_autoptr(JsonObject) device = json_object_new();

    adit_device_describe(self->device, device);
    if (adit_json_get_text(device, "device") != NULL)
        adit_terminal_say(&self->invocation->terminal, "computing on %s (%s)",
                          adit_json_get_text(device, "name"), adit_json_get_text(device, "device"));
}

/* With how many others it was trained in one process, at most: what a clock says of it since is
 * theirs too. */
static void
note_together(AditRun *run, guint n)
{
    guint64 before = 1;

    adit_json_get_unsigned(adit_run_get_members(run), "together", &before);
    adit_run_set_member(run, "together",
                        json_node_init_int(json_node_alloc(), (gint64) MAX(before, n)));
}

/* @n: sessions that are trained side by side. FALSE: it has failed before there was anything to
 * tell of. */
static gboolean
task_begin(Task *self, AditSession *session, guint n, Pulse *pulse)
{
    AditTerminal *terminal = &session->invocation->terminal;

    self->session = session;
    self->began = g_get_monotonic_time();
    self->progress = (Progress){.session = session, .pulse = pulse, .told = self->began};
    self->training.progress = tell_progress;
    self->training.user_data = &self->progress;
    if (prepare(session, &self->training, &self->failure)) {
        self->max_time = self->training.max_time;
        terminal->run = session->run;
        adit_tool_tell_device_note(session->invocation);
        adit_terminal_say(terminal, "run %s", adit_run_get_folder(session->run));
        tell_device(session);
        note_together(session->run, n);
        if (adit_run_set_status(session->run, ADIT_RUN_RUNNING, 0, &self->failure)) {
            g_ptr_array_add(pulse->runs, session->run);
            return TRUE;
        }
        terminal->run = NULL;
    }
    adit_terminal_complain(terminal, session->invocation->verb->name, self->failure);
    self->is_done = TRUE;
    return FALSE;
}

/* Tells what came of it. */
static void
task_end(Task *self)
{
    AditInvocation *invocation = self->session->invocation;

    adit_terminal_clear_bar(&invocation->terminal);
    if (self->failure == NULL && invocation->options.json)
        print_summary_json(self->session, &self->result);
    else if (self->failure == NULL)
        print_summary(self->session, &self->result);
    else if (self->failure->code != ADIT_ERROR_STOPPED)
        adit_terminal_complain(&invocation->terminal, invocation->verb->name, self->failure);
    note_end(self->session, self->failure);
    g_ptr_array_remove(self->progress.pulse->runs, self->session->run);
    invocation->terminal.run = NULL;
    self->is_done = TRUE;
}

/* A device that is lost this often within this time does not come back. */
#define MAX_LOSSES    3
#define LOSSES_WITHIN (10 * 60 * (gint64) G_USEC_PER_SEC)

/**
 * Round: tasks that are trained together, and what went wrong before.
 * @left: (element-type Task): what is to be trained, the next ones first
 * @most: so many at a time
 * @n: of the round under way
 * @losses: monotonic, of the last times that the device was lost
 */
typedef struct {
    AditDevice *device;
    GPtrArray *left;
    guint most;
    guint n;
    gint64 losses[MAX_LOSSES];
    guint n_losses;
} Round;

/* FALSE: it was lost too often. */
static gboolean
note_loss(Round *self)
{
    gint64 now = g_get_monotonic_time();

    self->losses[self->n_losses++ % MAX_LOSSES] = now;
    return self->n_losses < MAX_LOSSES ||
           now - self->losses[self->n_losses % MAX_LOSSES] > LOSSES_WITHIN;
}

/* Whether a task that failed so can be taken up again: by itself there is as much memory as there
 * will ever be. */
static gboolean
is_passing(const Round *self, const GError *failure)
{
    return g_error_matches(failure, ADIT_ERROR, ADIT_ERROR_DEVICE_LOST) ||
           (g_error_matches(failure, ADIT_ERROR, ADIT_ERROR_MEMORY) && self->n > 1);
}

static void
train_one(AditDevice *device, guint number, gpointer user_data)
{
    const Round *round = user_data;
    Task *self = round->left->pdata[number];
    double seconds = (double) (g_get_monotonic_time() - self->began) * 1e-6;

    adit_terminal_take_thread(&self->session->invocation->terminal);
    beat(self->progress.pulse);
    self->training.device = device;
    if (self->max_time > 0)
        self->training.max_time = MAX(self->max_time - seconds, 1e-3);
    g_clear_error(&self->failure);
    if (adit_train(&self->training, &self->result, &self->failure) ||
        !is_passing(round, self->failure))
        task_end(self);
    /* one alone is on the thread that goes on when its terminal is gone */
    adit_terminal_take_thread(NULL);
}

/* The run goes on elsewhere. */
static void
note_device(AditSession *self, JsonObject *now)
{
    adit_terminal_warn(&self->invocation->terminal, "the run goes on on '%s': the last bits differ",
                       adit_json_get_text(now, "name"));
    adit_run_set_member(self->run, "device", json_node_init_object(json_node_alloc(), now));
}

/* Opens the device that was lost, or what there is now, anew. */
static gboolean
reopen_device(Round *self, GError **error)
{
    AditInvocation *invocation = ((Task *) self->left->pdata[0])->session->invocation;
    g_autoptr(JsonObject) lost = json_object_new();
    g_autoptr(JsonObject) found = json_object_new();
    g_autofree char *name = NULL;
    g_autoptr(GError) failure = NULL;

    adit_device_describe(self->device, lost);
    g_clear_object(&self->device);
    if (adit_json_get_text(lost, "uuid") != NULL)
        name = g_strconcat("vulkan:uuid=", adit_json_get_text(lost, "uuid"), NULL);
    char *wanted = invocation->options.device;
    if (name != NULL)
        invocation->options.device = name;
    self->device = adit_tool_open_device(invocation, &failure);
    invocation->options.device = wanted;
    if (self->device == NULL) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_DEVICE_LOST,
                    "the device that was lost cannot be opened again: %s", failure->message);
        return FALSE;
    }
    adit_device_describe(self->device, found);
    if (g_strcmp0(adit_json_get_text(lost, "uuid"), adit_json_get_text(found, "uuid")) == 0)
        return TRUE;
    for (guint i = 0; i < self->left->len; i++)
        note_device(((Task *) self->left->pdata[i])->session, found);
    return TRUE;
}

/* Leaves what has to be taken up again; FALSE: it has failed for good. */
static gboolean
look_at_round(Round *self)
{
    gboolean is_lost = FALSE, lacks_memory = FALSE;

    for (guint i = self->n; i > 0; i--) {
        Task *task = self->left->pdata[i - 1];

        if (task->is_done) {
            g_ptr_array_remove_index(self->left, i - 1);
            continue;
        }
        if (g_error_matches(task->failure, ADIT_ERROR, ADIT_ERROR_MEMORY))
            lacks_memory = TRUE;
        else
            is_lost = TRUE;
    }
    if (lacks_memory)
        self->most = MAX(self->n / 2, 1);
    return !is_lost || note_loss(self);
}

/* A lost device is opened again and the runs go on from their last checkpoints, to the same
 * numbers; so they do, fewer at a time, when there was no memory for all. */
static gboolean
take_up_again(Round *self)
{
    g_autoptr(GError) error = NULL;

    for (guint i = 0; i < self->left->len; i++) {
        const Task *task = self->left->pdata[i];

        if (task->failure != NULL)
            adit_terminal_warn(&task->session->invocation->terminal, "%s", task->failure->message);
    }
    gboolean is_open = reopen_device(self, &error);

    for (guint i = 0; i < self->left->len; i++) {
        Task *task = self->left->pdata[i];

        if (is_open && task->failure != NULL)
            adit_terminal_say(&task->session->invocation->terminal,
                              g_error_matches(task->failure, ADIT_ERROR, ADIT_ERROR_MEMORY)
                                  ? "beside others there is no memory: going on with fewer of them"
                                  : "the device is open again: going on from the last checkpoint");
        g_clear_error(&task->failure);
        if (!is_open)
            task->failure = g_error_copy(error);
    }
    return is_open;
}

/* Ends what is left when nothing is taken up any more. Whom the last loss found waiting has no
 * failure of its own, and was not trained: it fails for the same. */
static void
end_left(Round *self)
{
    const GError *lost = NULL;

    for (guint i = 0; i < self->left->len; i++) {
        const Task *task = self->left->pdata[i];

        if (g_error_matches(task->failure, ADIT_ERROR, ADIT_ERROR_DEVICE_LOST))
            lost = task->failure;
    }
    for (guint i = 0; i < self->left->len; i++) {
        Task *task = self->left->pdata[i];

        if (task->failure == NULL)
            task->failure = g_error_copy(lost);
        task_end(task);
    }
}

static void
train(Round *self)
{
    gboolean goes_on = TRUE;

    while (goes_on && self->left->len > 0) {
        guint before = self->left->len;

        self->n = MIN(before, self->most);
        adit_device_share(self->device, self->n, train_one, self);
        goes_on =
            look_at_round(self) && (self->left->len + self->n == before || take_up_again(self));
    }
    end_left(self);
    g_clear_object(&self->device);
}

void
adit_session_train_together(AditSession *const *sessions, guint n, GError **failures)
{
    g_autofree Task *tasks = g_new0(Task, n);
    g_autoptr(GPtrArray) left = g_ptr_array_new();
    g_autoptr(GPtrArray) runs = g_ptr_array_new();
    Pulse pulse = {.runs = runs};
    Round round = {.device = g_steal_pointer(&sessions[0]->device), .left = left, .most = n};

    catch_signals(&sessions[0]->invocation->terminal);
    for (guint i = 0; i < n; i++) {
        if (i > 0)
            g_clear_object(&sessions[i]->device);
        sessions[i]->device = round.device;
        if (task_begin(&tasks[i], sessions[i], n, &pulse))
            g_ptr_array_add(left, &tasks[i]);
        sessions[i]->device = NULL;
    }
    train(&round);
    for (guint i = 0; i < n; i++)
        failures[i] = tasks[i].failure;
}

gboolean
adit_session_train(AditSession *self, GError **error)
{
    g_autoptr(GError) failure = NULL;

    adit_session_train_together(&self, 1, &failure);
    return failure == NULL ||
           adit_tool_fail_told(failure->domain == ADIT_ERROR ? failure->code : ADIT_ERROR_FAILED,
                               error);
}

void
adit_session_clear(AditSession *self)
{
    g_clear_object(&self->device);
    g_clear_pointer(&self->run, adit_run_free);
    g_clear_pointer(&self->data, g_ptr_array_unref);
    g_clear_pointer(&self->experiment, adit_experiment_free);
}
