/* core/run/adit-host.h - SPDX-License-Identifier: MIT */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* What tells this process from every other, on this machine until it starts again: host, pid,
 * boot-id, start-ticks (a pid is given out anew, with another start). */
JsonObject *adit_host_describe_process(void);

typedef enum {
    ADIT_PROCESS_GONE,
    ADIT_PROCESS_RUNNING,
    ADIT_PROCESS_ELSEWHERE, /* on another machine: cannot be told from here */
} AditProcessState;

/* The state of the process that adit_host_describe_process() described; GONE for what it never
 * said. */
AditProcessState adit_host_find_process(JsonObject *process);

/**
 * adit_host_describe_git:
 * @folder: a folder within a working tree
 *
 * Reads HEAD as it stands in `.git`, running no program.
 *
 * Returns: (nullable): {"commit": ..., "branch": ...}, the branch only if one is checked out; NULL
 * outside a working tree
 */
JsonObject *adit_host_describe_git(const char *folder);

/* Bytes this process has had in memory at most; 0: not known. */
guint64 adit_host_get_peak_memory(void);
/* (transfer full): "AMD EPYC 9354 32-Core Processor"; "unknown" where the system does not say. */
char *adit_host_get_processor(void);

/* Now, in UTC to the millisecond: "2026-11-21T05:04:10.123Z". */
char *adit_host_format_now(void);
/* The time of such a text in seconds since 1970; 0 if it is none. */
double adit_host_parse_time(const char *text);

G_END_DECLS
