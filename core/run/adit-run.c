/* core/run/adit-run.c - SPDX-License-Identifier: MIT */
#include "adit-run.h"

#include "adit-checkpoint.h"
#include "adit-console.h"
#include "adit-file.h"
#include "adit-host.h"
#include "adit-output.h"

#include <errno.h>
#include <glib/gstdio.h>

#define RECORD_NAME   "run.json"
#define RESOLVED_NAME "config.resolved.yaml"
#define MAX_CONFIG    ((gsize) 64 << 20)
#define MAX_NAME      64
#define HASH_PREFIX   "sha256:"

struct _AditRun {
    char *folder;
    char *record_path;
    JsonObject *members;
    AditOutput *console;
    gint64 written; /* monotonic time of the last writing of run.json */
};

static const char *const status_names[] = {
    [ADIT_RUN_QUEUED] = "QUEUED",
    [ADIT_RUN_RUNNING] = "RUNNING",
    [ADIT_RUN_COMPLETED] = "COMPLETED",
    [ADIT_RUN_FAILED] = "FAILED",
    [ADIT_RUN_INTERRUPTED] = "INTERRUPTED",
    [ADIT_RUN_STOPPED] = "STOPPED",
    [ADIT_RUN_DIED] = "DIED",
};

const char *
adit_run_status_get_name(AditRunStatus status)
{
    return status_names[status];
}

static gboolean
parse_status(const char *name, AditRunStatus *status)
{
    for (guint i = 0; name != NULL && i < ADIT_RUN_DIED; i++) {
        if (g_str_equal(name, status_names[i])) {
            *status = (AditRunStatus) i;
            return TRUE;
        }
    }
    return FALSE;
}

static AditRun *
wrap(const char *folder)
{
    AditRun *self = g_new0(AditRun, 1);

    self->folder = g_strdup(folder);
    self->record_path = g_build_filename(folder, RECORD_NAME, NULL);
    return self;
}

void
adit_run_free(AditRun *self)
{
    g_clear_pointer(&self->console, adit_output_free);
    g_clear_pointer(&self->members, json_object_unref);
    g_free(self->record_path);
    g_free(self->folder);
    g_free(self);
}

/* DATE_TIME_NAME_sSEED_XXXX */
static char *
make_name(const AditRunSetup *setup)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_local();
    g_autofree char *time = g_date_time_format(now, "%Y-%m-%d_%H-%M-%S");
    g_autofree char *name = g_strndup(setup->name, MAX_NAME);

    g_strcanon(name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-_.", '-');
    return g_strdup_printf("%s_%s_s%" G_GUINT64_FORMAT "_%04x", time, name, setup->seed,
                           g_random_int() & 0xffff);
}

/* A folder of its own below the parent: two runs that start in one second differ by their last
 * part. */
static char *
make_folder(const AditRunSetup *setup, GError **error)
{
    const char *parent = setup->parent != NULL ? setup->parent : "runs";

    if (!adit_folder_create(parent, error))
        return NULL;
    while (TRUE) {
        g_autofree char *name = make_name(setup);
        g_autofree char *folder = g_build_filename(parent, name, NULL);

        if (g_mkdir(folder, 0777) == 0)
            return g_steal_pointer(&folder);
        if (errno != EEXIST) {
            adit_output_fail(error, "create", folder, errno);
            return NULL;
        }
    }
}

/* Makes @setup->folder or sees that it is empty; @made says which. */
static char *
claim_folder(const AditRunSetup *setup, gboolean *made, GError **error)
{
    *made = !g_file_test(setup->folder, G_FILE_TEST_EXISTS);
    if (*made)
        return adit_folder_create(setup->folder, error) ? g_strdup(setup->folder) : NULL;
    if (adit_folder_is_empty(setup->folder))
        return g_strdup(setup->folder);
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                "%s: expected a new or empty folder for the run, got %s", setup->folder,
                g_file_test(setup->folder, G_FILE_TEST_IS_DIR) ? "one with files in it"
                                                               : "something else");
    return NULL;
}

static void
remove_contents(const char *folder)
{
    g_autoptr(GDir) entries = g_dir_open(folder, 0, NULL);
    const char *name;

    while (entries != NULL && (name = g_dir_read_name(entries)) != NULL) {
        g_autofree char *path = g_build_filename(folder, name, NULL);

        if (g_unlink(path) < 0)
            g_debug("cannot remove %s: %s", path, g_strerror(errno));
    }
}

static void
set_text(AditRun *self, const char *name, const char *text)
{
    json_object_set_string_member(self->members, name, text);
}

static void
set_now(AditRun *self, const char *name)
{
    g_autofree char *now = adit_host_format_now();

    set_text(self, name, now);
}

static gboolean
write_record(AditRun *self, GError **error)
{
    set_now(self, "heartbeat");
    if (!adit_json_write(self->record_path, self->members, error))
        return FALSE;
    self->written = g_get_monotonic_time();
    return TRUE;
}

static JsonArray *
make_array(const char *const *texts)
{
    JsonArray *array = json_array_new();

    for (guint i = 0; texts != NULL && texts[i] != NULL; i++) {
        g_autofree char *valid = g_utf8_make_valid(texts[i], -1);

        json_array_add_string_element(array, valid);
    }
    return array;
}

static void
fill_record(AditRun *self, const AditRunSetup *setup)
{
    g_autofree char *here = g_get_current_dir();
    g_autofree char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, setup->resolved, -1);
    g_autofree char *config = g_strconcat(HASH_PREFIX, hash, NULL);
    JsonObject *git = adit_host_describe_git(here);

    self->members = json_object_new();
    json_object_set_int_member(self->members, "v", 1);
    set_text(self, "status", status_names[ADIT_RUN_QUEUED]);
    set_text(self, "name", setup->name);
    set_now(self, "created");
    set_now(self, "heartbeat");
    adit_json_set_unsigned(self->members, "seed", setup->seed);
    set_text(self, "config", config);
    json_object_set_object_member(self->members, "process", adit_host_describe_process());
    set_text(self, "adit-version", ADIT_VERSION);
    set_text(self, "working-directory", here);
    if (git != NULL)
        json_object_set_object_member(self->members, "git", git);
    json_object_set_array_member(self->members, "command-line", make_array(setup->command_line));
    json_object_set_array_member(self->members, "resumed", json_array_new());
    if (setup->details != NULL) {
        JsonObjectIter iter;
        const char *name;
        JsonNode *node;

        json_object_iter_init_ordered(&iter, setup->details);
        while (json_object_iter_next_ordered(&iter, &name, &node))
            json_object_set_member(self->members, name, json_node_copy(node));
    }
}

static gboolean
write_text(const AditRun *self, const char *name, const char *text, GError **error)
{
    g_autofree char *path = g_build_filename(self->folder, name, NULL);

    return adit_file_write(path, text, strlen(text), error);
}

static gboolean
open_console(AditRun *self, GError **error)
{
    g_autofree char *path = g_build_filename(self->folder, "console.log", NULL);

    self->console = adit_output_append(path, error);
    return self->console != NULL;
}

/* run.json comes last: a folder without it is no run. */
static gboolean
write_files(AditRun *self, const AditRunSetup *setup, GError **error)
{
    g_autofree char *joined =
        setup->overrides != NULL ? g_strjoinv("\n", (char **) setup->overrides) : g_strdup("");
    g_autofree char *overrides = *joined != '\0' ? g_strconcat(joined, "\n", NULL) : g_strdup("");

    fill_record(self, setup);
    return write_text(self, "config.yaml", setup->config, error) &&
           write_text(self, RESOLVED_NAME, setup->resolved, error) &&
           write_text(self, "overrides.txt", overrides, error) && open_console(self, error) &&
           write_record(self, error);
}

AditRun *
adit_run_create(const AditRunSetup *setup, GError **error)
{
    gboolean made = TRUE;
    g_autofree char *folder =
        setup->folder != NULL ? claim_folder(setup, &made, error) : make_folder(setup, error);
    g_autoptr(AditRun) self = NULL;

    if (folder == NULL)
        return NULL;
    self = wrap(folder);
    if (write_files(self, setup, error))
        return g_steal_pointer(&self);
    remove_contents(folder);
    if (made && g_rmdir(folder) < 0)
        g_debug("cannot remove %s: %s", folder, g_strerror(errno));
    return NULL;
}

/* Seconds since the heartbeat. */
static double
get_age(JsonObject *members)
{
    double beat = adit_host_parse_time(adit_json_get_text(members, "heartbeat"));

    return (double) g_get_real_time() / G_USEC_PER_SEC - beat;
}

static AditProcessState
find_process(JsonObject *members)
{
    JsonObject *process = adit_json_get_object(members, "process");

    return process != NULL ? adit_host_find_process(process) : ADIT_PROCESS_GONE;
}

JsonObject *
adit_run_read(const char *folder, AditRunStatus *status, GError **error)
{
    g_autofree char *path = g_build_filename(folder, RECORD_NAME, NULL);
    g_autoptr(JsonObject) members = adit_json_read(path, error);
    AditRunStatus stored;

    if (members == NULL)
        return NULL;
    if (!parse_status(adit_json_get_text(members, "status"), &stored)) {
        const char *got = adit_json_get_text(members, "status");

        g_set_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED,
                    "%s: expected a status from QUEUED to STOPPED, got %s", path,
                    got != NULL ? got : "none");
        return NULL;
    }
    if (stored == ADIT_RUN_RUNNING && get_age(members) > 3 * ADIT_RUN_HEARTBEAT &&
        find_process(members) != ADIT_PROCESS_RUNNING)
        stored = ADIT_RUN_DIED;
    if (status != NULL)
        *status = stored;
    return g_steal_pointer(&members);
}

/* Two processes must not write one run. One on this machine is asked for by its id; one elsewhere
 * is known by its heartbeat alone. */
static gboolean
check_free(const char *folder, JsonObject *members, AditRunStatus status, GError **error)
{
    AditProcessState state = find_process(members);
    JsonObject *process = adit_json_get_object(members, "process");
    guint64 pid = 0;

    if (status != ADIT_RUN_RUNNING || state == ADIT_PROCESS_GONE)
        return TRUE;
    adit_json_get_unsigned(process, "pid", &pid);
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_FAILED,
                "%s is being run by process %" G_GUINT64_FORMAT " on %s, heartbeat %.0f s ago",
                folder, pid, adit_json_get_text(process, "host"), get_age(members));
    return FALSE;
}

AditRun *
adit_run_open(const char *folder, GError **error)
{
    g_autoptr(AditRun) self = wrap(folder);
    AditRunStatus status;

    self->members = adit_run_read(folder, &status, error);
    if (self->members == NULL || !check_free(folder, self->members, status, error))
        return NULL;
    if (!adit_folder_restore(folder, error) || !adit_checkpoint_clean(folder, error) ||
        !open_console(self, error))
        return NULL;
    return g_steal_pointer(&self);
}

const char *
adit_run_get_folder(const AditRun *self)
{
    return self->folder;
}

char *
adit_run_read_config(const AditRun *self, GError **error)
{
    g_autofree char *path = g_build_filename(self->folder, RESOLVED_NAME, NULL);
    char *text = NULL;

    return adit_file_read(path, MAX_CONFIG, &text, NULL, error) ? text : NULL;
}

gboolean
adit_run_check_config(const char *folder, JsonObject *members, GError **error)
{
    const char *expected = adit_json_get_text(members, "config");
    g_autofree char *path = g_build_filename(folder, RESOLVED_NAME, NULL);
    g_autofree char *hash = expected != NULL ? adit_file_hash(path, error) : NULL;
    g_autofree char *got = hash != NULL ? g_strconcat(HASH_PREFIX, hash, NULL) : NULL;

    /* of a run of an older version nobody knows */
    if (expected == NULL || g_strcmp0(got, expected) == 0)
        return TRUE;
    if (got != NULL)
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED,
                    "%s is not what the run began with, it was edited since: got %s, expected %s",
                    path, got, expected);
    return FALSE;
}

JsonObject *
adit_run_get_members(const AditRun *self)
{
    return self->members;
}

void
adit_run_set_member(AditRun *self, const char *name, JsonNode *value)
{
    json_object_set_member(self->members, name, value);
}

gboolean
adit_run_save(AditRun *self, GError **error)
{
    return write_record(self, error);
}

static void
note_start(AditRun *self)
{
    JsonArray *resumed = adit_json_get_array(self->members, "resumed");
    g_autofree char *now = adit_host_format_now();

    if (adit_json_get_text(self->members, "started") == NULL)
        set_text(self, "started", now);
    else if (resumed != NULL)
        json_array_add_string_element(resumed, now);
    json_object_remove_member(self->members, "stopped");
    json_object_remove_member(self->members, "exit-code");
    json_object_remove_member(self->members, "reason");
    json_object_set_object_member(self->members, "process", adit_host_describe_process());
}

gboolean
adit_run_set_status(AditRun *self, AditRunStatus status, int exit_code, GError **error)
{
    g_return_val_if_fail(status < ADIT_RUN_DIED, FALSE);
    set_text(self, "status", status_names[status]);
    if (status == ADIT_RUN_RUNNING) {
        note_start(self);
    } else if (status != ADIT_RUN_QUEUED) {
        set_now(self, "stopped");
        json_object_set_int_member(self->members, "exit-code", exit_code);
    }
    return write_record(self, error);
}

gboolean
adit_run_beat(AditRun *self, GError **error)
{
    if (g_get_monotonic_time() - self->written < ADIT_RUN_HEARTBEAT * G_USEC_PER_SEC)
        return TRUE;
    return write_record(self, error);
}

gboolean
adit_run_log(AditRun *self, const char *text, GError **error)
{
    g_autofree char *plain = adit_console_to_plain(text);

    return adit_output_write_line(self->console, plain, strlen(plain), error);
}
