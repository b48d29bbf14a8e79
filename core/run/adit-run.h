/* core/run/adit-run.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-error.h>
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/*
 * A run directory:
 *
 *   config.yaml            the pipeline as written
 *   config.resolved.yaml   with overrides, parameters and defaults bound: it runs alone
 *   overrides.txt          one a line
 *   run.json               status, times, process, versions, ...; rewritten whole; a folder that
 * has one is a run metrics.jsonl, metrics.csv, console.log, checkpoints/
 *
 * Every failure to write is ADIT_ERROR_OUTPUT. There is no lock file: whether a run goes on is told
 * by its process and its heartbeat.
 */

/* Seconds between heartbeats; a run without one for three of them, whose process is gone, has died.
 */
#define ADIT_RUN_HEARTBEAT 10

typedef enum {
    ADIT_RUN_QUEUED,
    ADIT_RUN_RUNNING,
    ADIT_RUN_COMPLETED,
    ADIT_RUN_FAILED,
    ADIT_RUN_INTERRUPTED, /* cut off by a second signal, state not saved */
    ADIT_RUN_STOPPED,     /* stopped on request, state saved */
    ADIT_RUN_DIED,        /* only ever derived, never stored */
} AditRunStatus;

/* "RUNNING" */
const char *adit_run_status_get_name(AditRunStatus status);

/**
 * AditRunSetup: what a new run directory gets.
 * @folder: (nullable): where it is; must not exist or be empty. NULL: a new one in @parent
 * @parent: (nullable): NULL: "runs"
 * @name: short name of the pipeline, part of the folder's name; other characters than letters,
 * digits,
 *   '-', '_' and '.' become '-'
 * @config: the pipeline as written
 * @resolved: the pipeline with everything bound
 * @overrides: (nullable): as given
 * @command_line: (nullable): the program's arguments
 * @details: (nullable): further members of run.json: device, data fingerprints, versions of plugins
 */
typedef struct {
    const char *folder;
    const char *parent;
    const char *name;
    guint64 seed;
    const char *config;
    const char *resolved;
    const char *const *overrides;
    const char *const *command_line;
    JsonObject *details;
} AditRunSetup;

/**
 * AditRun: a run directory held for writing by this process.
 */
typedef struct _AditRun AditRun;

/**
 * adit_run_create:
 *
 * Makes a run directory with status QUEUED. Its name, if @setup gives none, is
 * DATE_TIME_NAME_sSEED_XXXX in local time: "2026-11-21_05-04-10_glonet-cifar10_s42_7f3a", the last
 * part random. After a failure nothing of it is left. ADIT_ERROR_INVALID if the folder is not
 * empty.
 */
AditRun *adit_run_create(const AditRunSetup *setup, GError **error);

/**
 * adit_run_open:
 * @folder: a run directory
 *
 * Takes up a run to go on with it: tidies what a kill left behind; the status stays until
 * adit_run_set_status(). Fails with ADIT_ERROR_NOT_FOUND (no run), ADIT_ERROR_DAMAGED,
 * ADIT_ERROR_OUTPUT (read-only), or ADIT_ERROR_FAILED while another process runs it.
 */
AditRun *adit_run_open(const char *folder, GError **error);
void adit_run_free(AditRun *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditRun, adit_run_free)

const char *adit_run_get_folder(const AditRun *self);
/* The text of config.resolved.yaml; ADIT_ERROR_NOT_FOUND. */
char *adit_run_read_config(const AditRun *self, GError **error);
/* Whether config.resolved.yaml of the run in @folder, with @members in run.json, is what it was
 * made with: ADIT_ERROR_DAMAGED, ADIT_ERROR_NOT_FOUND. */
gboolean adit_run_check_config(const char *folder, JsonObject *members, GError **error);
/* The members of run.json; owned by @self, changed by adit_run_set_member(). */
JsonObject *adit_run_get_members(const AditRun *self);
/* Sets a member of run.json, which the next heartbeat or status writes. Takes @value. */
void adit_run_set_member(AditRun *self, const char *name, JsonNode *value);
/* Writes run.json now. */
gboolean adit_run_save(AditRun *self, GError **error);

/* Sets and writes the status. RUNNING notes this process and the start, or, in a run that began
 * before, one more resumption; what ends a run notes the stop and @exit_code. */
gboolean adit_run_set_status(AditRun *self, AditRunStatus status, int exit_code, GError **error);
/* Writes the heartbeat if ADIT_RUN_HEARTBEAT seconds have passed since run.json was written. */
gboolean adit_run_beat(AditRun *self, GError **error);
/* Appends to console.log, without escape sequences and carriage returns. */
gboolean adit_run_log(AditRun *self, const char *text, GError **error);

/**
 * adit_run_read:
 * @status: (out) (optional): the status; DIED for a run that says RUNNING whose process is gone and
 * whose heartbeat is older than three periods
 *
 * Reads a run directory without writing to it. ADIT_ERROR_NOT_FOUND, ADIT_ERROR_DAMAGED
 *
 * Returns: (transfer full) (nullable): the members of run.json
 */
JsonObject *adit_run_read(const char *folder, AditRunStatus *status, GError **error);

G_END_DECLS
