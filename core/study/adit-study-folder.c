/* core/study/adit-study-folder.c - SPDX-License-Identifier: MIT */
#include "adit-study-folder.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "adit-checkpoints.h"
#include "adit-file.h"
#include "adit-host.h"
#include "adit-json.h"
#include "adit-manifest.h"
#include "adit-output.h"
#include "adit-run.h"
#include "adit-study-reports.h"

/* Processes of a sweep that was killed write a checkpoint before they go. */
#define MAX_WAIT  (120 * G_USEC_PER_SEC)
#define WAIT_STEP (G_USEC_PER_SEC / 20)

static char *
get_path(const AditStudyFolder *self, const char *name, const char *ending)
{
    g_autofree char *file = g_strconcat(name, self->suffix, ending, NULL);

    return g_build_filename(self->path, file, NULL);
}

/* ---- the lock ---- */

/* Whether the process that signed @path is there no more; @holder: what it is called. */
static gboolean
is_gone(const char *path, char **holder)
{
    g_autoptr(JsonObject) process = adit_json_read(path, NULL);
    guint64 pid = 0;

    if (process == NULL)
        return FALSE; /* just being written */
    adit_json_get_unsigned(process, "pid", &pid);
    const char *host = adit_json_get_text(process, "host");

    g_free(*holder);
    *holder = g_strdup_printf("process %" G_GUINT64_FORMAT "%s%s", pid, host != NULL ? " on " : "",
                              host != NULL ? host : "");
    return adit_host_find_process(process) == ADIT_PROCESS_GONE;
}

/* The same of all shards, which have signed locks of their own beside @path. */
static gboolean
are_shards_gone(const char *path, char **holder)
{
    g_autofree char *folder = g_path_get_dirname(path);
    g_autoptr(GDir) entries = g_dir_open(folder, 0, NULL);
    const char *name;

    while (entries != NULL && (name = g_dir_read_name(entries)) != NULL) {
        g_autofree char *lock = g_build_filename(folder, name, NULL);

        if (g_str_has_prefix(name, ".lock.") && !is_gone(lock, holder))
            return FALSE;
    }
    return TRUE;
}

static gboolean
is_orphaned(const char *path, char **holder)
{
    GStatBuf status;

    return g_stat(path, &status) == 0 && status.st_size == 0 ? are_shards_gone(path, holder)
                                                             : is_gone(path, holder);
}

/* Says who holds the lock; a reader that comes too early finds no JSON and waits. Nobody signs what
 * is shared: the last one would be taken for all. */
static void
sign_lock(int descriptor, gboolean is_shared)
{
    g_autoptr(JsonObject) process = adit_host_describe_process();
    g_autofree char *text = adit_json_to_text(process);
    gsize length = is_shared ? 0 : strlen(text);

    if (pwrite(descriptor, text, length, 0) != (gssize) length ||
        ftruncate(descriptor, (off_t) length) < 0)
        g_debug("cannot sign the lock: %s", g_strerror(errno));
}

/* Locks @path as flock() does; -1 without an error: the file system has no locks. */
static int
lock_file(const char *path, int how, void (*tell)(gpointer), gpointer user_data, GError **error)
{
    int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    gint64 began = g_get_monotonic_time();
    g_autofree char *holder = g_strdup("another process");
    gboolean told = FALSE;

    if (descriptor < 0) {
        adit_output_fail(error, "open", path, errno);
        return -1;
    }
    while (flock(descriptor, how | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) {
            g_message("%s cannot be locked (%s): see to it that one sweep alone works there", path,
                      g_strerror(errno));
            close(descriptor);
            return -1;
        }
        if (errno == EWOULDBLOCK &&
            (!is_orphaned(path, &holder) || g_get_monotonic_time() - began > MAX_WAIT)) {
            g_set_error(error, ADIT_ERROR, ADIT_ERROR_FAILED,
                        "another sweep is at work in this directory (%s)", holder);
            close(descriptor);
            return -1;
        }
        if (!told)
            tell(user_data);
        told = TRUE;
        g_usleep(WAIT_STEP);
    }
    sign_lock(descriptor, how == LOCK_SH);
    return descriptor;
}

/* A whole sweep has the directory for itself; shards share it, each having its number. */
static gboolean
take_locks(AditStudyFolder *self, gboolean is_shard, void (*tell)(gpointer), gpointer user_data,
           GError **error)
{
    g_autofree char *whole = g_build_filename(self->path, ".lock", NULL);
    g_autofree char *part = get_path(self, ".lock", "");
    g_autoptr(GError) failure = NULL;

    self->lock = lock_file(whole, is_shard ? LOCK_SH : LOCK_EX, tell, user_data, &failure);
    if (failure == NULL && is_shard)
        self->shard_lock = lock_file(part, LOCK_EX, tell, user_data, &failure);
    if (failure == NULL)
        return TRUE;
    g_propagate_prefixed_error(error, g_steal_pointer(&failure), "%s: ", self->path);
    return FALSE;
}

AditStudyFolder *
adit_study_folder_open(const char *path, guint shard, guint n_shards, void (*tell)(gpointer),
                       gpointer user_data, GError **error)
{
    g_autoptr(AditStudyFolder) self = g_new0(AditStudyFolder, 1);
    g_autofree char *runs = g_build_filename(path, "runs", NULL);

    self->path = g_strdup(path);
    self->suffix = shard > 0 ? g_strdup_printf(".%u-of-%u", shard, n_shards) : g_strdup("");
    self->lock = self->shard_lock = -1;
    if (!adit_folder_create(runs, error) || !take_locks(self, shard > 0, tell, user_data, error))
        return NULL;
    return g_steal_pointer(&self);
}

void
adit_study_folder_free(AditStudyFolder *self)
{
    if (self->shard_lock >= 0)
        close(self->shard_lock);
    if (self->lock >= 0)
        close(self->lock);
    g_free(self->suffix);
    g_free(self->path);
    g_free(self);
}

/* ---- runs ---- */

/* Whether there is a run in @folder. FALSE with an error: nobody can tell, as where a file system
 * does not answer. */
static gboolean
find_run(const char *folder, gboolean *found, GError **error)
{
    g_autofree char *record = g_build_filename(folder, "run.json", NULL);
    GStatBuf status;
    int number = g_stat(record, &status) == 0 ? 0 : errno;

    *found = number == 0;
    if (number == 0 || number == ENOENT)
        return TRUE;
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_NOT_FOUND, "cannot look at %s: %s", record,
                g_strerror(number));
    return FALSE;
}

/* run.json is there before the first checkpoint: no kill leaves one without it. */
static gboolean
check_unbegun(const char *folder, GError **error)
{
    g_autofree char *path = g_build_filename(folder, "checkpoints", NULL);
    g_autoptr(GArray) steps = adit_checkpoints_list(path);

    if (steps->len == 0)
        return TRUE;
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED,
                "%s has checkpoints, but no run.json: put that back to go on, or remove the folder "
                "to begin anew",
                folder);
    return FALSE;
}

guint64
adit_study_folder_find_step(const AditStudyFolder *self, const AditStudyRun *run)
{
    g_autofree char *path = g_build_filename(self->path, run->folder, "checkpoints", NULL);
    g_autoptr(GPtrArray) whole = adit_checkpoints_list_whole(path, G_MAXUINT64);

    return whole->len > 0 ? ((const AditManifest *) whole->pdata[0])->step : 0;
}

gboolean
adit_study_folder_clear_run(const AditStudyFolder *self, const AditStudyRun *run, GError **error)
{
    g_autofree char *folder = g_build_filename(self->path, run->folder, NULL);
    gboolean found;

    return find_run(folder, &found, error) &&
           (found || (check_unbegun(folder, error) && adit_folder_remove(folder, error)));
}

/* Whether the run that is there is the point's. */
static gboolean
is_point(const char *folder, const AditStudyRun *run, GError **error)
{
    g_autofree char *path = g_build_filename(folder, "config.resolved.yaml", NULL);
    g_autofree char *hash = adit_file_hash(path, error);

    if (hash == NULL)
        return FALSE;
    if (strcmp(hash, run->id) == 0)
        return TRUE;
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED,
                "%s is the run of another pipeline: got %s, expected %s", folder, hash, run->id);
    return FALSE;
}

/* What run.json says of the end of a run that failed. Where its loss was not finite it would end
 * there again, for equal pipelines give equal numbers. */
static void
note_failure(AditStudyRun *run, JsonObject *members)
{
    const char *reason = adit_json_get_text(members, "reason");
    guint64 code = 0;

    adit_json_get_unsigned(members, "exit-code", &code);
    if (code == ADIT_ERROR_NUMERIC)
        run->status = ADIT_STUDY_DIVERGED;
    if (run->reason != NULL)
        return;
    run->code = (int) code;
    run->reason = g_strdup(reason != NULL               ? reason
                           : code == ADIT_ERROR_NUMERIC ? "the loss is not finite"
                                                        : "run.json does not say why");
}

void
adit_study_folder_look_at(const AditStudyFolder *self, AditStudyRun *run)
{
    static const AditStudyStatus found[] = {
        [ADIT_RUN_QUEUED] = ADIT_STUDY_STOPPED,      [ADIT_RUN_RUNNING] = ADIT_STUDY_PENDING,
        [ADIT_RUN_COMPLETED] = ADIT_STUDY_DONE,      [ADIT_RUN_FAILED] = ADIT_STUDY_FAILED,
        [ADIT_RUN_INTERRUPTED] = ADIT_STUDY_STOPPED, [ADIT_RUN_STOPPED] = ADIT_STUDY_STOPPED,
        [ADIT_RUN_DIED] = ADIT_STUDY_STOPPED,
    };
    g_autofree char *folder = g_build_filename(self->path, run->folder, NULL);
    AditRunStatus status = ADIT_RUN_QUEUED;
    g_autoptr(GError) failure = NULL;
    g_autoptr(JsonObject) members = NULL;
    gboolean is_there;

    if (find_run(folder, &is_there, &failure) && !is_there) {
        run->status = ADIT_STUDY_PENDING;
        return;
    }
    if (failure == NULL)
        members = adit_run_read(folder, &status, &failure);
    run->status = members != NULL ? found[status] : ADIT_STUDY_FAILED;
    if ((run->status == ADIT_STUDY_DONE || status == ADIT_RUN_FAILED) &&
        !is_point(folder, run, &failure))
        run->status = ADIT_STUDY_FAILED;
    else if (status == ADIT_RUN_FAILED)
        note_failure(run, members);
    if (failure != NULL && run->reason == NULL) {
        run->code = failure->code;
        run->reason = g_strdup(failure->message);
    }
}

/* ---- study.json ---- */

static JsonArray *
describe_runs(const AditStudyPlan *plan)
{
    JsonArray *runs = json_array_new();

    for (guint i = 0; i < plan->runs->len; i++) {
        const AditStudyRun *run = plan->runs->pdata[i];
        JsonObject *object = json_object_new();

        json_object_set_string_member(object, "point", run->point->label);
        json_object_set_string_member(object, "id", run->id);
        json_object_set_string_member(object, "run", run->folder);
        json_object_set_string_member(object, "status", adit_study_status_get_name(run->status));
        if (run->reason != NULL && run->status != ADIT_STUDY_DONE) {
            adit_json_set_unsigned(object, "exit-code", (guint64) run->code);
            json_object_set_string_member(object, "reason", run->reason);
        }
        json_array_add_object_element(runs, object);
    }
    return runs;
}

/* What the file at @path keeps of evaluations; those that it alone knows are of points that this
 * call leaves out. */
static JsonObject *
read_evaluations(const char *path)
{
    g_autoptr(JsonObject) object = adit_json_read(path, NULL);
    JsonObject *kept = object != NULL ? adit_json_get_object(object, "evaluations") : NULL;

    return kept != NULL ? json_object_ref(kept) : json_object_new();
}

static JsonObject *
describe_evaluations(const AditStudyPlan *plan, const char *path)
{
    JsonObject *all = read_evaluations(path);

    for (guint i = 0; i < plan->runs->len; i++) {
        const AditStudyRun *run = plan->runs->pdata[i];

        for (guint j = 0; j < run->evaluations->len; j++) {
            const AditStudyEvaluation *evaluation = run->evaluations->pdata[j];
            GHashTableIter iter;
            gpointer name, value;

            if (evaluation->figures == NULL)
                continue;
            JsonObject *figures = json_object_new();

            g_hash_table_iter_init(&iter, evaluation->figures);
            while (g_hash_table_iter_next(&iter, &name, &value))
                adit_json_set_double(figures, name, *(double *) value);
            json_object_set_object_member(all, evaluation->id, figures);
        }
    }
    return all;
}

gboolean
adit_study_folder_write_state(const AditStudyFolder *self, const AditStudyPlan *plan,
                              const char *state, GError **error)
{
    g_autoptr(JsonObject) object = json_object_new();
    g_autofree char *path = get_path(self, "study", ".json");
    g_autofree char *copy = g_build_filename(self->path, "study.yaml", NULL);
    g_autofree char *now = adit_host_format_now();

    json_object_set_int_member(object, "v", 1);
    json_object_set_string_member(object, "study", plan->study->path);
    json_object_set_string_member(object, "title", plan->study->title);
    json_object_set_string_member(object, "status", state);
    json_object_set_string_member(object, "written", now);
    json_object_set_string_member(object, "adit-version", ADIT_VERSION);
    json_object_set_object_member(object, "process", adit_host_describe_process());
    json_object_set_array_member(object, "report",
                                 adit_study_reports_describe(plan->study->reports));
    json_object_set_array_member(object, "points", describe_runs(plan));
    json_object_set_object_member(object, "evaluations", describe_evaluations(plan, path));
    return adit_file_write(copy, plan->study->text, strlen(plan->study->text), error) &&
           adit_json_write(path, object, error);
}

static void
take_figures(AditStudyEvaluation *evaluation, JsonObject *figures)
{
    g_autoptr(GList) names = json_object_get_members(figures);

    evaluation->figures = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    for (GList *each = names; each != NULL; each = each->next) {
        double *value = g_new0(double, 1);

        adit_json_get_double(figures, each->data, value);
        g_hash_table_insert(evaluation->figures, g_strdup(each->data), value);
    }
}

/* Figures of evaluations that an earlier call or a shard kept. */
static void
take_state(AditStudyPlan *plan, const char *path)
{
    g_autoptr(JsonObject) kept = read_evaluations(path);

    for (guint i = 0; i < plan->runs->len; i++) {
        const AditStudyRun *run = plan->runs->pdata[i];

        for (guint j = 0; j < run->evaluations->len; j++) {
            AditStudyEvaluation *evaluation = run->evaluations->pdata[j];
            JsonObject *figures = adit_json_get_object(kept, evaluation->id);

            if (evaluation->figures == NULL && figures != NULL)
                take_figures(evaluation, figures);
        }
    }
}

void
adit_study_folder_look(const AditStudyFolder *self, AditStudyPlan *plan)
{
    g_autoptr(GDir) entries = g_dir_open(self->path, 0, NULL);
    const char *name;

    while (entries != NULL && (name = g_dir_read_name(entries)) != NULL) {
        g_autofree char *path = g_build_filename(self->path, name, NULL);

        if (g_str_has_prefix(name, "study.") && g_str_has_suffix(name, ".json"))
            take_state(plan, path);
    }
    for (guint i = 0; i < plan->runs->len; i++) {
        AditStudyRun *run = plan->runs->pdata[i];

        if (run->code == 0)
            adit_study_folder_look_at(self, run);
    }
}

/* ---- results of another study ---- */

static gboolean
has_ended(JsonObject *point)
{
    const char *status = adit_json_get_text(point, "status");

    return g_strcmp0(status, adit_study_status_get_name(ADIT_STUDY_DONE)) == 0 ||
           g_strcmp0(status, adit_study_status_get_name(ADIT_STUDY_DIVERGED)) == 0;
}

/* Counts the points of the file at @path that came to their end and are none of @known. @first:
 * (nullable): the label of one of them */
static guint
count_others(const char *path, GHashTable *known, char **first)
{
    g_autoptr(JsonObject) object = adit_json_read(path, NULL);
    JsonArray *points = object != NULL ? adit_json_get_array(object, "points") : NULL;
    guint count = 0;

    for (guint i = 0; points != NULL && i < json_array_get_length(points); i++) {
        JsonObject *point = json_array_get_object_element(points, i);
        const char *id = adit_json_get_text(point, "id");

        if (id == NULL || !has_ended(point) || !g_hash_table_add(known, g_strdup(id)))
            continue;
        if (count++ == 0 && *first == NULL)
            *first = g_strdup(adit_json_get_text(point, "point"));
    }
    return count;
}

/* Of the same study fewer points may be asked for, on the command line. */
static gboolean
is_same_study(const AditStudyFolder *self, const AditStudy *study)
{
    g_autofree char *path = g_build_filename(self->path, "study.yaml", NULL);
    g_autofree char *text = NULL;

    return g_file_get_contents(path, &text, NULL, NULL) && strcmp(text, study->text) == 0;
}

gboolean
adit_study_folder_check_points(const AditStudyFolder *self, const AditStudyPlan *plan,
                               GError **error)
{
    g_autoptr(GHashTable) known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GDir) entries = g_dir_open(self->path, 0, NULL);
    g_autofree char *first = NULL;
    const char *name;
    guint others = 0;

    for (guint i = 0; i < plan->runs->len; i++)
        g_hash_table_add(known, g_strdup(((AditStudyRun *) plan->runs->pdata[i])->id));
    while (entries != NULL && (name = g_dir_read_name(entries)) != NULL) {
        g_autofree char *path = g_build_filename(self->path, name, NULL);

        if (g_str_has_prefix(name, "study.") && g_str_has_suffix(name, ".json"))
            others += count_others(path, known, &first);
    }
    if (others == 0 ||
        (is_same_study(self, plan->study) && adit_study_plan_count_ended(plan, FALSE) > 0))
        return TRUE;
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                "%s holds results of %u point%s that %s and its pipelines, changed since, do not "
                "have (%s): nothing was written; put them back, take another --study-dir, or "
                "sweep without --report-only",
                self->path, others, others == 1 ? "" : "s", plan->study->path,
                first != NULL ? first : "");
    return FALSE;
}
