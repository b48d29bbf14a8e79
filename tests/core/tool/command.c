/* tests/core/tool/command.c - SPDX-License-Identifier: MIT */
#include "command.h"

#include "adit-file.h"

#include <glib/gstdio.h>
#include <string.h>

static char *folder;

void
command_clear(Command *self)
{
    g_free(self->out);
    g_free(self->err);
}

const char *
command_get_folder(void)
{
    if (folder == NULL) {
        folder = g_dir_make_tmp("adit-tool-XXXXXX", NULL);
        g_assert_nonnull(folder);
    }
    return folder;
}

void
command_remove_folder(void)
{
    g_assert_true(adit_folder_remove(command_get_folder(), NULL));
    g_clear_pointer(&folder, g_free);
}

char *
command_make_path(const char *name)
{
    return g_build_filename(command_get_folder(), name, NULL);
}

void
command_write(const char *name, const char *text)
{
    g_autofree char *path = command_make_path(name);

    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

char *
command_read(const char *name)
{
    g_autofree char *path = command_make_path(name);
    char *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        g_error("cannot read %s", path);
    return text;
}

static void
copy_fixture(const char *name)
{
    g_autofree char *from = g_test_build_filename(G_TEST_DIST, "fixtures", "tool", name, NULL);
    g_autofree char *text = NULL;

    g_assert_true(g_file_get_contents(from, &text, NULL, NULL));
    command_write(name, text);
}

GSubprocess *
command_start(const char *const *words, GSubprocessFlags flags)
{
    static const char *const fixtures[] = {"first.yaml", "values.yaml", "answer.yaml"};
    g_autofree char *program =
        g_test_build_filename(G_TEST_BUILT, "..", "core", "tool", "adit", NULL);
    g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(flags);
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    g_autoptr(GError) error = NULL;

    for (guint i = 0; i < G_N_ELEMENTS(fixtures); i++)
        copy_fixture(fixtures[i]);
    g_subprocess_launcher_set_cwd(launcher, command_get_folder());
    g_subprocess_launcher_setenv(launcher, "ADIT_DATA", command_get_folder(), TRUE);
    /* what is expected are the CPU's bits */
    g_subprocess_launcher_setenv(launcher, "ADIT_DEVICE", "cpu", TRUE);
    g_ptr_array_add(argv, program);
    for (; *words != NULL; words++)
        g_ptr_array_add(argv, (gpointer) *words);
    g_ptr_array_add(argv, NULL);
    GSubprocess *process =
        g_subprocess_launcher_spawnv(launcher, (const char *const *) argv->pdata, &error);

    g_assert_no_error(error);
    return process;
}

Command
command_run(const char *const *words)
{
    Command self = {0};
    g_autoptr(GError) error = NULL;
    g_autoptr(GSubprocess) process =
        command_start(words, G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE);

    g_subprocess_communicate_utf8(process, NULL, NULL, &self.out, &self.err, &error);
    g_assert_no_error(error);
    g_assert_true(g_subprocess_get_if_exited(process));
    self.code = g_subprocess_get_exit_status(process);
    return self;
}

void
assert_code(const Command *self, int code)
{
    if (self->code != code)
        g_test_message("exit code %d, expected %d\n%s%s", self->code, code, self->out, self->err);
    g_assert_cmpint(self->code, ==, code);
}

void
assert_contains(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        g_test_message("expected \"%s\" in:\n%s", part, text);
    g_assert_nonnull(strstr(text, part));
}

void
assert_lacks(const char *text, const char *part)
{
    if (strstr(text, part) != NULL)
        g_test_message("expected no \"%s\" in:\n%s", part, text);
    g_assert_null(strstr(text, part));
}
