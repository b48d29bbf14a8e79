/* core/run/adit-host.c - SPDX-License-Identifier: MIT */
#include "adit-host.h"

#include "adit-file.h"
#include "adit-json.h"

#include <unistd.h>

/* The first line of a small file, blanks removed; NULL if it cannot be read. Files below /proc have
 * no size, so adit_file_read() does not serve for them. */
static char *
read_first_line(const char *path)
{
    char *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        return NULL;
    text[strcspn(text, "\n")] = '\0';
    return g_strstrip(text);
}

static char *
read_boot_id(void)
{
    char *id = read_first_line("/proc/sys/kernel/random/boot_id");

    return id != NULL ? id : g_strdup("");
}

/* The start of a process in clock ticks since the machine's; 0 if there is none, or only its
 * unwaited-for rest. */
static guint64
read_start_ticks(gint64 pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%" G_GINT64_FORMAT "/stat", pid);
    g_autofree char *line = read_first_line(path);
    /* the second field is the program's name in parentheses and may hold anything */
    const char *after_name = line != NULL ? strrchr(line, ')') : NULL;
    g_auto(GStrv) fields = after_name != NULL ? g_strsplit(after_name + 1, " ", -1) : NULL;

    /* fields[1] is the third of proc(5), the state; the start is the 22nd */
    if (fields == NULL || g_strv_length(fields) < 21 || strchr("ZX", *fields[1]) != NULL)
        return 0;
    return g_ascii_strtoull(fields[20], NULL, 10);
}

JsonObject *
adit_host_describe_process(void)
{
    JsonObject *process = json_object_new();
    g_autofree char *boot_id = read_boot_id();

    json_object_set_string_member(process, "host", g_get_host_name());
    json_object_set_int_member(process, "pid", getpid());
    json_object_set_string_member(process, "boot-id", boot_id);
    adit_json_set_unsigned(process, "start-ticks", read_start_ticks(getpid()));
    return process;
}

AditProcessState
adit_host_find_process(JsonObject *process)
{
    const char *host = adit_json_get_text(process, "host");
    const char *boot_id = adit_json_get_text(process, "boot-id");
    g_autofree char *own_boot_id = read_boot_id();
    guint64 pid = 0, ticks = 0;

    if (host == NULL || boot_id == NULL || !adit_json_get_unsigned(process, "pid", &pid) ||
        !adit_json_get_unsigned(process, "start-ticks", &ticks) || pid == 0 || pid > G_MAXINT32)
        return ADIT_PROCESS_GONE;
    if (!g_str_equal(host, g_get_host_name()))
        return ADIT_PROCESS_ELSEWHERE;
    if (!g_str_equal(boot_id, own_boot_id))
        return ADIT_PROCESS_GONE;
    return ticks != 0 && read_start_ticks((gint64) pid) == ticks ? ADIT_PROCESS_RUNNING
                                                                 : ADIT_PROCESS_GONE;
}

/* The `.git` folder of the working tree around @folder. */
static char *
find_git(const char *folder)
{
    g_autofree char *at = g_canonicalize_filename(folder, NULL);

    while (TRUE) {
        g_autofree char *git = g_build_filename(at, ".git", NULL);
        g_autofree char *parent = g_path_get_dirname(at);
        g_autofree char *line = NULL;

        if (g_file_test(git, G_FILE_TEST_IS_DIR))
            return g_steal_pointer(&git);
        /* in a further working tree `.git` is a file that says where */
        line = g_file_test(git, G_FILE_TEST_IS_REGULAR) ? read_first_line(git) : NULL;
        if (line != NULL && g_str_has_prefix(line, "gitdir: "))
            return g_canonicalize_filename(line + strlen("gitdir: "), at);
        if (g_str_equal(parent, at))
            return NULL;
        g_free(at);
        at = g_steal_pointer(&parent);
    }
}

/* The commit of @reference in the file of packed ones: lines "COMMIT REFERENCE". */
static char *
find_packed(const char *git, const char *reference)
{
    g_autofree char *path = g_build_filename(git, "packed-refs", NULL);
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;

    if (!adit_file_read(path, (gsize) 64 << 20, &text, NULL, NULL))
        return NULL;
    lines = g_strsplit(text, "\n", -1);
    for (guint i = 0; lines[i] != NULL; i++) {
        char *blank = strchr(lines[i], ' ');

        if (blank != NULL && g_str_equal(blank + 1, reference))
            return g_strndup(lines[i], (gsize) (blank - lines[i]));
    }
    return NULL;
}

static char *
resolve(const char *git, const char *reference)
{
    g_autofree char *path = g_build_filename(git, reference, NULL);
    g_autofree char *common_path = g_build_filename(git, "commondir", NULL);
    g_autofree char *common_line = read_first_line(common_path);
    g_autofree char *common = NULL;
    char *commit = read_first_line(path);

    if (commit == NULL)
        commit = find_packed(git, reference);
    if (commit != NULL || common_line == NULL)
        return commit;
    /* branches of a further working tree lie in the first one */
    common = g_canonicalize_filename(common_line, git);
    return resolve(common, reference);
}

static gboolean
is_commit(const char *text)
{
    return text != NULL && strlen(text) >= 40 && strspn(text, "0123456789abcdef") == strlen(text);
}

JsonObject *
adit_host_describe_git(const char *folder)
{
    g_autofree char *git = find_git(folder);
    g_autofree char *path = git != NULL ? g_build_filename(git, "HEAD", NULL) : NULL;
    g_autofree char *head = path != NULL ? read_first_line(path) : NULL;
    g_autofree char *commit = NULL;
    g_autoptr(JsonObject) object = json_object_new();

    if (head == NULL)
        return NULL;
    if (g_str_has_prefix(head, "ref: refs/heads/") && strstr(head, "..") == NULL) {
        commit = resolve(git, head + strlen("ref: "));
        json_object_set_string_member(object, "branch", head + strlen("ref: refs/heads/"));
    } else {
        commit = g_strdup(head);
    }
    if (!is_commit(commit))
        return NULL;
    json_object_set_string_member(object, "commit", commit);
    return g_steal_pointer(&object);
}

/* What stands behind the colon in the first line of @path that begins with @key; NULL if none does.
 */
static char *
find_line(const char *path, const char *key)
{
    g_autofree char *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        return NULL;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (guint i = 0; lines[i] != NULL; i++) {
        const char *colon = g_str_has_prefix(lines[i], key) ? strchr(lines[i], ':') : NULL;

        if (colon != NULL)
            return g_strstrip(g_strdup(colon + 1));
    }
    return NULL;
}

guint64
adit_host_get_peak_memory(void)
{
    /* getrusage() tells of what ran in this process before, too */
    g_autofree char *kib = find_line("/proc/self/status", "VmHWM");

    return kib != NULL ? 1024 * g_ascii_strtoull(kib, NULL, 10) : 0;
}

char *
adit_host_get_processor(void)
{
    char *name = find_line("/proc/cpuinfo", "model name");

    return name != NULL ? name : g_strdup("unknown");
}

char *
adit_host_format_now(void)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *seconds = g_date_time_format(now, "%Y-%m-%dT%H:%M:%S");

    return g_strdup_printf("%s.%03dZ", seconds, g_date_time_get_microsecond(now) / 1000);
}

double
adit_host_parse_time(const char *text)
{
    g_autoptr(GDateTime) time = text != NULL ? g_date_time_new_from_iso8601(text, NULL) : NULL;

    if (time == NULL)
        return 0;
    return (double) g_date_time_to_unix(time) + g_date_time_get_microsecond(time) / 1e6;
}
