/* tests/core/run/test-run.c - SPDX-License-Identifier: MIT */
#include "adit-file.h"
#include "adit-host.h"
#include "adit-json.h"
#include "adit-run.h"
#include "fault.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const overrides[] = {"depth=200", "-o train.epochs=5", NULL};
static const char *const command_line[] = {"adit", "run", "first.yaml", "depth=200", NULL};

static AditRunSetup
make_setup(const char *folder, const char *parent)
{
    return (AditRunSetup){
        .folder = folder,
        .parent = parent,
        .name = "glonet/cifar 10",
        .seed = 42,
        .config = "adit: 1\n",
        .resolved = "adit: 1\nseed: 42\n",
        .overrides = overrides,
        .command_line = command_line,
    };
}

static AditRun *
create_run(const char *folder)
{
    AditRunSetup setup = make_setup(folder, NULL);
    g_autoptr(GError) error = NULL;
    AditRun *run = adit_run_create(&setup, &error);

    g_assert_no_error(error);
    return run;
}

static void
assert_file(const char *folder, const char *name, const char *expected)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autofree char *text = NULL;

    g_assert_true(adit_file_read(path, 1000000, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, expected);
}

static AditRunStatus
read_status(const char *folder)
{
    AditRunStatus status;
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonObject) members = adit_run_read(folder, &status, &error);

    g_assert_no_error(error);
    g_assert_nonnull(members);
    return status;
}

static void
set_status(AditRun *run, AditRunStatus status, int exit_code)
{
    g_autoptr(GError) error = NULL;

    adit_run_set_status(run, status, exit_code, &error);
    g_assert_no_error(error);
}

static void
test_create(void)
{
    g_auto(FaultFolder) parent = fault_make_folder();
    g_autofree char *runs = g_build_filename(parent, "a", "runs", NULL);
    AditRunSetup setup = make_setup(NULL, runs);
    g_autoptr(JsonObject) details = json_object_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(AditRun) run = NULL, another = NULL;
    g_autofree char *name = NULL, *config = NULL;
    JsonObject *members;

    json_object_set_string_member(details, "device", "CPU, AVX2");
    setup.details = details;
    run = adit_run_create(&setup, &error);
    g_assert_no_error(error);
    another = adit_run_create(&setup, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(adit_run_get_folder(run), !=, adit_run_get_folder(another));
    name = g_path_get_basename(adit_run_get_folder(run));
    g_assert_true(
        g_regex_match_simple("^\\d{4}-\\d\\d-\\d\\d_\\d\\d-\\d\\d-\\d\\d_glonet-cifar-10_s42_"
                             "[0-9a-f]{4}$",
                             name, 0, 0));
    assert_file(adit_run_get_folder(run), "config.yaml", "adit: 1\n");
    assert_file(adit_run_get_folder(run), "config.resolved.yaml", "adit: 1\nseed: 42\n");
    assert_file(adit_run_get_folder(run), "overrides.txt", "depth=200\n-o train.epochs=5\n");
    config = adit_run_read_config(run, NULL);
    g_assert_cmpstr(config, ==, "adit: 1\nseed: 42\n");
    g_assert_cmpint(read_status(adit_run_get_folder(run)), ==, ADIT_RUN_QUEUED);
    members = adit_run_get_members(run);
    g_assert_cmpstr(adit_json_get_text(members, "device"), ==, "CPU, AVX2");
    g_assert_cmpstr(adit_json_get_text(members, "adit-version"), !=, NULL);
    g_assert_cmpuint(json_array_get_length(adit_json_get_array(members, "command-line")), ==, 4);
    g_assert_nonnull(adit_json_get_object(members, "process"));
}

static void
test_create_in_folder(void)
{
    g_auto(FaultFolder) folder = fault_make_folder();
    g_autofree char *precious = g_build_filename(folder, "precious", NULL);
    AditRunSetup setup = make_setup(folder, NULL);
    g_autoptr(AditRun) run = create_run(folder);
    g_autoptr(GError) error = NULL;

    g_assert_cmpstr(adit_run_get_folder(run), ==, folder);
    /* not twice, not over somebody's files, not over a file */
    g_assert_null(adit_run_create(&setup, &error));
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_INVALID);
    g_clear_error(&error);
    g_assert_true(adit_file_write(precious, "x", 1, NULL));
    setup.folder = precious;
    g_assert_null(adit_run_create(&setup, &error));
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_INVALID);
    assert_file(folder, "precious", "x");
}

/* Every call fails in turn: an error, and nothing half-written. */
static void
test_create_faults(void)
{
    gboolean struck = TRUE;

    for (guint nth = 1; struck; nth++) {
        g_auto(FaultFolder) parent = fault_make_folder();
        g_autofree char *folder = g_build_filename(parent, "run", NULL);
        AditRunSetup setup = make_setup(folder, NULL);
        g_autoptr(GError) error = NULL;
        g_autoptr(AditRun) run = NULL;

        fault_arm(nth, ENOSPC);
        run = adit_run_create(&setup, &error);
        struck = fault_disarm();
        if (run == NULL) {
            g_assert_error(error, ADIT_ERROR, ADIT_ERROR_OUTPUT);
            g_assert_nonnull(strstr(error->message, "No space left on device"));
            /* a folder whose parent could not be synced was made before any file */
            g_assert_true(!g_file_test(folder, G_FILE_TEST_EXISTS) || adit_folder_is_empty(folder));
        }
        g_assert_true(nth < 100);
    }
}

static void
test_create_refused(void)
{
    static const char *const parents[] = {"/proc", "/dev/null"};

    for (guint i = 0; i < G_N_ELEMENTS(parents); i++) {
        AditRunSetup setup = make_setup(NULL, parents[i]);
        g_autoptr(GError) error = NULL;

        g_assert_null(adit_run_create(&setup, &error));
        g_assert_error(error, ADIT_ERROR, ADIT_ERROR_OUTPUT);
        g_assert_nonnull(strstr(error->message, parents[i]));
    }
}

static void
test_life(void)
{
    g_auto(FaultFolder) folder = fault_make_folder();
    g_autoptr(AditRun) run = create_run(folder);
    g_autoptr(JsonObject) members = NULL;
    g_autoptr(GError) error = NULL;

    set_status(run, ADIT_RUN_RUNNING, 0);
    g_assert_cmpint(read_status(folder), ==, ADIT_RUN_RUNNING);
    adit_run_set_member(run, "data", json_node_init_string(json_node_alloc(), "sha256:12"));
    set_status(run, ADIT_RUN_STOPPED, 75);
    g_assert_cmpint(read_status(folder), ==, ADIT_RUN_STOPPED);
    members = adit_run_read(folder, NULL, NULL);
    g_assert_cmpstr(adit_json_get_text(members, "data"), ==, "sha256:12");
    g_assert_cmpint(json_object_get_int_member(members, "exit-code"), ==, 75);
    g_assert_cmpfloat(adit_host_parse_time(adit_json_get_text(members, "stopped")), >=,
                      adit_host_parse_time(adit_json_get_text(members, "started")));
    g_clear_pointer(&members, json_object_unref);
    g_clear_pointer(&run, adit_run_free);

    run = adit_run_open(folder, &error);
    g_assert_no_error(error);
    set_status(run, ADIT_RUN_RUNNING, 0);
    set_status(run, ADIT_RUN_COMPLETED, 0);
    members = adit_run_read(folder, NULL, NULL);
    g_assert_cmpstr(adit_json_get_text(members, "status"), ==, "COMPLETED");
    g_assert_cmpuint(json_array_get_length(adit_json_get_array(members, "resumed")), ==, 1);
    g_assert_cmpint(json_object_get_int_member(members, "exit-code"), ==, 0);
}

static void
test_heartbeat(void)
{
    g_auto(FaultFolder) folder = fault_make_folder();
    g_autoptr(AditRun) run = create_run(folder);

    /* run.json was written just now: a heartbeat touches no file, so none can fail */
    fault_arm(1, ENOSPC);
    g_assert_true(adit_run_beat(run, NULL));
    g_assert_false(fault_disarm());
    fault_arm(1, ENOSPC);
    g_assert_false(adit_run_set_status(run, ADIT_RUN_FAILED, 1, NULL));
    g_assert_true(fault_disarm());
    g_assert_cmpint(read_status(folder), ==, ADIT_RUN_QUEUED);
}

static void
set_heartbeat(const char *folder, const char *host, const char *time)
{
    g_autofree char *path = g_build_filename(folder, "run.json", NULL);
    g_autoptr(JsonObject) members = adit_json_read(path, NULL);

    json_object_set_string_member(members, "heartbeat", time);
    if (host != NULL)
        json_object_set_string_member(adit_json_get_object(members, "process"), "host", host);
    g_assert_true(adit_json_write(path, members, NULL));
}

static void
test_running_elsewhere_is_left_alone(void)
{
    g_auto(FaultFolder) folder = fault_make_folder();
    g_autoptr(AditRun) run = create_run(folder);
    g_autofree char *now = adit_host_format_now();
    g_autoptr(GError) error = NULL;

    /* by this process, however old its heartbeat */
    set_status(run, ADIT_RUN_RUNNING, 0);
    set_heartbeat(folder, NULL, "2001-02-03T04:05:06.789Z");
    g_assert_cmpint(read_status(folder), ==, ADIT_RUN_RUNNING);
    g_assert_null(adit_run_open(folder, &error));
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_FAILED);
    g_assert_nonnull(strstr(error->message, "is being run by process"));
    g_clear_error(&error);
    /* on another machine: by the heartbeat */
    set_heartbeat(folder, "another-machine", now);
    g_assert_cmpint(read_status(folder), ==, ADIT_RUN_RUNNING);
    g_assert_null(adit_run_open(folder, &error));
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_FAILED);
    g_clear_error(&error);
    set_heartbeat(folder, "another-machine", "2001-02-03T04:05:06.789Z");
    g_assert_cmpint(read_status(folder), ==, ADIT_RUN_DIED);
    g_clear_pointer(&run, adit_run_free);
    run = adit_run_open(folder, &error);
    g_assert_no_error(error);
}

/* Runs until it is killed; says so by a byte in @ready. */
static void
run_until_killed(const char *folder, int ready)
{
    g_autoptr(AditRun) run = create_run(folder);

    if (!adit_run_set_status(run, ADIT_RUN_RUNNING, 0, NULL) || write(ready, "x", 1) != 1)
        _exit(1);
    while (TRUE)
        pause();
}

static void
test_died(void)
{
    g_auto(FaultFolder) folder = fault_make_folder();
    g_autofree char *leftover = g_build_filename(folder, ".tmp-run.json-1-1", NULL);
    g_autoptr(AditRun) run = NULL;
    g_autoptr(GError) error = NULL;
    int ready[2], status;
    char byte;
    pid_t child;

    g_assert_cmpint(pipe(ready), ==, 0);
    child = fork();
    if (child == 0)
        run_until_killed(folder, ready[1]);
    g_assert_cmpint(read(ready[0], &byte, 1), ==, 1);
    g_assert_null(adit_run_open(folder, &error));
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_FAILED);
    g_clear_error(&error);
    g_assert_cmpint(kill(child, SIGKILL), ==, 0);
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    close(ready[0]);
    close(ready[1]);
    /* dead is said after three heartbeats, but resuming need not wait for them */
    g_assert_cmpint(read_status(folder), ==, ADIT_RUN_RUNNING);
    g_assert_true(adit_file_write(leftover, "half", 4, NULL));
    run = adit_run_open(folder, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(fault_count_entries(folder, ".tmp-"), ==, 0);
    set_heartbeat(folder, NULL, "2001-02-03T04:05:06.789Z");
    g_assert_cmpint(read_status(folder), ==, ADIT_RUN_DIED);
}

static void
assert_open_refused(const char *folder, AditError code, const char *part)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(adit_run_open(folder, &error));
    g_assert_error(error, ADIT_ERROR, (int) code);
    g_assert_nonnull(strstr(error->message, part));
}

static void
test_open_refuses(void)
{
    g_auto(FaultFolder) folder = fault_make_folder();
    g_autofree char *path = g_build_filename(folder, "run.json", NULL);

    assert_open_refused("/no/such/run", ADIT_ERROR_NOT_FOUND, "/no/such/run/run.json");
    assert_open_refused(folder, ADIT_ERROR_NOT_FOUND, "run.json");
    g_assert_true(adit_file_write(path, "{", 1, NULL));
    assert_open_refused(folder, ADIT_ERROR_DAMAGED, "run.json: byte 1: expected");
    g_assert_true(adit_file_write(path, "{}", 2, NULL));
    assert_open_refused(folder, ADIT_ERROR_DAMAGED, "got none");
    g_assert_true(adit_file_write(path, "{\"status\":\"DIED\"}", 17, NULL));
    assert_open_refused(folder, ADIT_ERROR_DAMAGED, "got DIED");
}

static void
test_log(void)
{
    g_auto(FaultFolder) folder = fault_make_folder();
    g_autoptr(AditRun) run = create_run(folder);

    g_assert_true(adit_run_log(run, "\033[1;31merror:\033[0m bad\r\n", NULL));
    g_assert_true(adit_run_log(run, "\033]8;;http://x\033\\link\033]8;;\a no newline", NULL));
    g_assert_true(adit_run_log(run, "\033(Bcharset \u00e9\n\033[", NULL));
    assert_file(folder, "console.log", "error: bad\nlink no newline\nBcharset \u00e9\n");
}

static void
write_git(const char *folder, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(folder, ".git", name, NULL);
    g_autofree char *parent = g_path_get_dirname(path);

    g_assert_true(adit_folder_create(parent, NULL));
    g_assert_true(adit_file_write(path, text, strlen(text), NULL));
}

#define COMMIT "0123456789abcdef0123456789abcdef01234567"
#define OTHER  "fedcba98765432100123456789abcdef01234567"

static void
assert_git(const char *folder, const char *branch, const char *commit)
{
    g_autoptr(JsonObject) git = adit_host_describe_git(folder);

    g_assert_true((git == NULL) == (commit == NULL));
    if (git == NULL)
        return;
    g_assert_cmpstr(adit_json_get_text(git, "branch"), ==, branch);
    g_assert_cmpstr(adit_json_get_text(git, "commit"), ==, commit);
}

static void
test_git(void)
{
    g_auto(FaultFolder) folder = fault_make_folder();
    g_autofree char *below = g_build_filename(folder, "a", "b", NULL);

    g_assert_true(adit_folder_create(below, NULL));
    write_git(folder, "HEAD", COMMIT "\n");
    assert_git(below, NULL, COMMIT);
    write_git(folder, "HEAD", "ref: refs/heads/depth/one\n");
    assert_git(below, NULL, NULL);
    write_git(folder, "packed-refs", "# pack-refs\n" OTHER " refs/heads/depth/one\n");
    assert_git(below, "depth/one", OTHER);
    write_git(folder, "refs/heads/depth/one", COMMIT "\n");
    assert_git(folder, "depth/one", COMMIT);
    write_git(folder, "HEAD", "ref: refs/heads/../../../secret\n");
    assert_git(folder, NULL, NULL);
}

static void
test_host(void)
{
    gsize size = (gsize) 32 << 20;
    g_autofree char *memory = g_malloc(size);
    g_autofree char *processor = adit_host_get_processor();

    memset(memory, 1, size);
    g_assert_cmpuint(adit_host_get_peak_memory(), >, size);
    g_assert_cmpuint(strlen(processor), >, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/run/run/create", test_create);
    g_test_add_func("/run/run/create-in-folder", test_create_in_folder);
    g_test_add_func("/run/run/create-faults", test_create_faults);
    g_test_add_func("/run/run/create-refused", test_create_refused);
    g_test_add_func("/run/run/life", test_life);
    g_test_add_func("/run/run/heartbeat", test_heartbeat);
    g_test_add_func("/run/run/running-is-left-alone", test_running_elsewhere_is_left_alone);
    g_test_add_func("/run/run/died", test_died);
    g_test_add_func("/run/run/open-refuses", test_open_refuses);
    g_test_add_func("/run/run/log", test_log);
    g_test_add_func("/run/run/git", test_git);
    g_test_add_func("/run/host", test_host);
    return g_test_run();
}
