/* tests/core/tool/test-command.c - SPDX-License-Identifier: MIT */
#include "command.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static const char *const verbs[] = {"run",      "resume",  "check",   "inspect", "devices",
                                    "selftest", "eval",    "predict", "probe",   "bench",
                                    "config",   "convert", "prune",   "report",  "compare"};

static void
assert_width(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (guint i = 0; lines[i] != NULL; i++) {
        if (g_utf8_strlen(lines[i], -1) > 80)
            g_test_message("too wide: %s", lines[i]);
        g_assert_cmpint(g_utf8_strlen(lines[i], -1), <=, 80);
    }
}

static void
test_help(void)
{
    g_auto(Command) all = RUN("--help");

    assert_code(&all, 0);
    g_assert_cmpstr(all.err, ==, "");
    assert_width(all.out);
    for (guint i = 0; i < G_N_ELEMENTS(verbs); i++) {
        g_auto(Command) one = RUN(verbs[i], "--help");
        g_auto(Command) same = RUN("help", verbs[i]);
        g_autofree char *usage = g_strdup_printf("usage: adit %s", verbs[i]);

        assert_code(&one, 0);
        g_assert_cmpstr(one.err, ==, "");
        g_assert_true(g_str_has_prefix(one.out, usage));
        g_assert_cmpstr(one.out, ==, same.out);
        assert_width(one.out);
        assert_contains(all.out, verbs[i]);
    }
}

static void
test_version(void)
{
    g_auto(Command) command = RUN("--version");

    assert_code(&command, 0);
    g_assert_true(g_str_has_prefix(command.out, "adit "));
    g_assert_cmpstr(command.err, ==, "");
}

static void
assert_error(const Command *command, const char *message)
{
    assert_code(command, 2);
    g_assert_cmpstr(command->out, ==, "");
    g_assert_cmpstr(command->err, ==, message);
}

static void
test_bad_words(void)
{
    g_auto(Command) nothing = command_run((const char *const[]){NULL});
    g_auto(Command) verb = RUN("chekc", "first.yaml");
    g_auto(Command) strange = RUN("frobnicate");
    g_auto(Command) option = RUN("run", "first.yaml", "--treads=3");
    g_auto(Command) letter = RUN("run", "-x", "first.yaml");
    g_auto(Command) foreign = RUN("check", "first.yaml", "--threads", "2");
    g_auto(Command) few = RUN("check");
    g_auto(Command) many = RUN("check", "first.yaml", "second.yaml");
    g_auto(Command) joined = RUN("check", "first.yaml", "-otrain.epochs=3");
    g_auto(Command) bare = RUN("check", "first.yaml", "-o");

    assert_code(&nothing, 2);
    g_assert_cmpstr(nothing.out, ==, "");
    assert_contains(nothing.err, "usage: adit VERB");
    assert_error(&verb, "adit: error: unknown verb 'chekc'; did you mean 'check'?\n");
    assert_error(&strange, "adit: error: unknown verb 'frobnicate'; adit --help lists the verbs\n");
    assert_error(&option,
                 "adit run: error: unknown option '--treads'; did you mean '--threads'?\n");
    assert_error(&letter, "adit run: error: unknown option '-x'; adit run --help lists them\n");
    assert_error(&foreign,
                 "adit check: error: unknown option '--threads'; adit check --help lists them\n");
    assert_error(&few, "adit check: error: too few arguments; usage: adit check FILE "
                       "[name=value ...] [options]\n");
    assert_error(&many, "adit check: error: unexpected argument 'second.yaml'; usage: adit check "
                        "FILE [name=value ...] [options]\n");
    assert_error(&joined, "adit check: error: '-otrain.epochs=3' must be two words: -o "
                          "PATH=VALUE\n");
    assert_error(&bare, "adit check: error: '-o' needs a value: -o PATH=VALUE\n");
}

static void
test_bad_values(void)
{
    g_auto(Command) count = RUN("run", "first.yaml", "--threads", "two");
    g_auto(Command) zero = RUN("run", "first.yaml", "--limit-batches=0");
    g_auto(Command) word = RUN("run", "first.yaml", "--color", "blue");
    g_auto(Command) time = RUN("run", "first.yaml", "--max-time", "soon");
    g_auto(Command) device = RUN("run", "first.yaml", "--device", "gpu");

    assert_error(&count,
                 "adit run: error: '--threads' must be a whole number above 0, got \"two\"\n");
    assert_error(&zero,
                 "adit run: error: '--limit-batches' must be a whole number above 0, got \"0\"\n");
    assert_error(&word, "adit run: error: '--color' must be one of auto, always, never, got "
                        "\"blue\"\n");
    assert_error(&time, "adit run: error: '--max-time' must be a time like 30 s, 5 min or 2 h, got "
                        "\"soon\"\n");
    assert_error(&device, "adit run: error: --device: a device is called auto, cpu, vulkan, "
                          "vulkan:N, vulkan:uuid=UUID or vulkan:name~=TEXT, got \"gpu\"\n");
}

static void
test_devices(void)
{
    g_auto(Command) list = RUN("devices");
    g_auto(Command) json = RUN("devices", "--json");

    assert_code(&list, 0);
    g_assert_true(g_str_has_prefix(list.out, "cpu "));
    assert_contains(list.out, "\nauto ");
    assert_code(&json, 0);
    assert_contains(json.out, "\"instruction-set\"");
}

/* NO_COLOR is set for all tests. */
static void
test_colour(void)
{
    g_auto(Command) plain = RUN("check", "first.yaml", "depth=ten");
    g_auto(Command) never = RUN("check", "first.yaml", "depth=ten", "--color=never");
    g_auto(Command) always = RUN("check", "first.yaml", "depth=ten", "--color=always");

    assert_code(&plain, 2);
    assert_lacks(plain.err, "\033");
    g_assert_cmpstr(never.err, ==, plain.err);
    assert_contains(always.err, "\033[1;31merror:\033[0m");
}

static int
run_into(int descriptor)
{
    static const char *const words[] = {"inspect", NULL};
    g_autoptr(GSubprocess) process = NULL;
    int kept = dup(STDOUT_FILENO);

    g_assert_cmpint(dup2(descriptor, STDOUT_FILENO), >=, 0);
    process = command_start(words, G_SUBPROCESS_FLAGS_STDERR_SILENCE);
    dup2(kept, STDOUT_FILENO);
    close(kept);
    g_assert_true(g_subprocess_wait(process, NULL, NULL));
    return g_subprocess_get_if_exited(process) ? g_subprocess_get_exit_status(process) : -1;
}

static void
test_full_output(void)
{
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

    if (full < 0) {
        g_test_skip("no /dev/full");
        return;
    }
    g_assert_cmpint(run_into(full), ==, 5);
    close(full);
}

static void
test_closed_pipe(void)
{
    int ends[2];

    g_assert_cmpint(pipe(ends), ==, 0);
    close(ends[0]);
    g_assert_cmpint(run_into(ends[1]), ==, 0);
    close(ends[1]);
}

/* Every option as a help or a manual page names it: "--run-dir". */
static char *
list_options(const char *text)
{
    g_autoptr(GRegex) regex =
        g_regex_new("^(?: *|\\.B )(?:-(.), )?(--[a-z-]+)", G_REGEX_MULTILINE, 0, NULL);
    g_autoptr(GMatchInfo) match = NULL;
    GString *list = g_string_new(NULL);

    g_regex_match(regex, text, 0, &match);
    for (; g_match_info_matches(match); g_match_info_next(match, NULL)) {
        g_autofree char *letter = g_match_info_fetch(match, 1);
        g_autofree char *name = g_match_info_fetch(match, 2);

        g_string_append_printf(list, "%s %s\n", letter, name);
    }
    return g_string_free(list, FALSE);
}

static void
test_manual(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(verbs); i++) {
        g_autofree char *name = g_strdup_printf("adit-%s.1", verbs[i]);
        g_autofree char *path =
            g_test_build_filename(G_TEST_BUILT, "..", "core", "tool", name, NULL);
        g_auto(Command) help = RUN(verbs[i], "--help");
        g_autofree char *page = NULL;

        g_assert_true(g_file_get_contents(path, &page, NULL, NULL));
        g_auto(GStrv) parts = g_strsplit(page, "\\-", -1);
        g_autofree char *text = g_strjoinv("-", parts);
        g_autofree char *in_page = list_options(text);
        g_autofree char *in_help = list_options(help.out);

        g_assert_cmpstr(in_page, ==, in_help);
        assert_contains(in_help, "--help");
        assert_contains(text, ".SH NAME\nadit-");
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tool/command/help", test_help);
    g_test_add_func("/tool/command/version", test_version);
    g_test_add_func("/tool/command/bad-words", test_bad_words);
    g_test_add_func("/tool/command/bad-values", test_bad_values);
    g_test_add_func("/tool/command/devices", test_devices);
    g_test_add_func("/tool/command/colour", test_colour);
    g_test_add_func("/tool/command/full-output", test_full_output);
    g_test_add_func("/tool/command/closed-pipe", test_closed_pipe);
    g_test_add_func("/tool/command/manual", test_manual);
    int result = g_test_run();

    command_remove_folder();
    return result;
}
