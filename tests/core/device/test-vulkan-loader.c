/* tests/core/device/test-vulkan-loader.c - SPDX-License-Identifier: MIT */
#include "adit-vulkan-loader.h"

#include "adit-file.h"
#include "adit-installation.h"

#include <glib/gstdio.h>
#include <string.h>

#define LIBRARY     "libvulkan.so.1"
#define OWN_LIBRARY "libadit-1.0.so.0"

/*
 * Which loader is opened is told by a second process of this program. The library it runs with is a
 * copy in a folder made for it, around which a loader may lie, and LD_LIBRARY_PATH says what the
 * system has: stand-ins that give their names.
 */
typedef struct {
    char *root;
    char *given;
    char *environment; /* LD_LIBRARY_PATH: root/system and root/lib */
} Fixture;

static char *program;

static void
copy(const char *from, const char *to)
{
    g_autofree char *folder = g_path_get_dirname(to);
    g_autofree char *contents = NULL;
    g_autoptr(GError) error = NULL;
    gsize length = 0;

    g_assert_cmpint(g_mkdir_with_parents(folder, 0700), ==, 0);
    g_file_get_contents(from, &contents, &length, &error);
    g_assert_no_error(error);
    g_file_set_contents_full(to, contents, (gssize) length, G_FILE_SET_CONTENTS_NONE, 0700, &error);
    g_assert_no_error(error);
}

static char *
get_stand_in(const char *name)
{
    g_autofree char *file = g_strdup_printf("loader-%s.so", name);

    return g_test_build_filename(G_TEST_BUILT, "core", "device", file, NULL);
}

static void
add_stand_in(Fixture *self, const char *name, const char *place)
{
    g_autofree char *from = get_stand_in(name);
    g_autofree char *to = g_build_filename(self->root, place, LIBRARY, NULL);

    copy(from, to);
}

static void
set_up(Fixture *self, gconstpointer unused)
{
    g_autofree char *own = g_build_filename(adit_installation_get_folder(), OWN_LIBRARY, NULL);
    g_autoptr(GError) error = NULL;

    self->root = g_dir_make_tmp("adit loader XXXXXX", &error);
    g_assert_no_error(error);
    self->given = get_stand_in("given");

    g_autofree char *copied = g_build_filename(self->root, "lib", OWN_LIBRARY, NULL);

    copy(own, copied);
    self->environment = g_strdup_printf("%s/system:%s/lib", self->root, self->root);
}

static void
tear_down(Fixture *self, gconstpointer unused)
{
    g_assert_true(adit_folder_remove(self->root, NULL));
    g_free(self->root);
    g_free(self->given);
    g_free(self->environment);
}

/* What the second process prints: the loader's name or the error. @given: (nullable) */
static char *
ask(Fixture *self, const char *given)
{
    const char *argv[] = {program, "--open", NULL};
    g_auto(GStrv) environment = g_get_environ();
    g_autoptr(GError) error = NULL;
    char *output = NULL;

    environment = g_environ_setenv(environment, "LD_LIBRARY_PATH", self->environment, TRUE);
    environment = g_environ_unsetenv(environment, "ADIT_VULKAN_LIBRARY");
    if (given != NULL)
        environment = g_environ_setenv(environment, "ADIT_VULKAN_LIBRARY", given, TRUE);
    g_spawn_sync(NULL, (char **) argv, environment, G_SPAWN_DEFAULT, NULL, NULL, &output, NULL,
                 NULL, &error);
    g_assert_no_error(error);
    return output;
}

static void
assert_loader(Fixture *self, const char *given, const char *expected)
{
    g_autofree char *got = ask(self, given);

    g_assert_cmpstr(got, ==, expected);
}

static void
test_given(Fixture *self, gconstpointer unused)
{
    add_stand_in(self, "system", "system");
    add_stand_in(self, "fallback", "lib/adit-1.0/fallback");
    assert_loader(self, self->given, "given");
    assert_loader(self, "", "system");
}

/* Who names a loader wants that one and no other. */
static void
test_given_missing(Fixture *self, gconstpointer unused)
{
    add_stand_in(self, "system", "system");
    add_stand_in(self, "fallback", "lib/adit-1.0/fallback");

    g_autofree char *got = ask(self, "/nonexistent/libvulkan.so");

    g_assert_true(g_str_has_prefix(got, "no Vulkan loader: /nonexistent/libvulkan.so: "));
}

static void
test_system_first(Fixture *self, gconstpointer unused)
{
    add_stand_in(self, "system", "system");
    assert_loader(self, NULL, "system");
    add_stand_in(self, "fallback", "lib/adit-1.0/fallback");
    assert_loader(self, NULL, "system");
}

/* A file that is no library stands for a system without: the real one must not be found. */
static void
hide_system(Fixture *self)
{
    g_autofree char *folder = g_build_filename(self->root, "system", NULL);
    g_autofree char *path = g_build_filename(folder, LIBRARY, NULL);

    g_assert_cmpint(g_mkdir_with_parents(folder, 0700), ==, 0);
    g_assert_true(g_file_set_contents(path, "", 0, NULL));
}

static void
test_fallback(Fixture *self, gconstpointer unused)
{
    hide_system(self);
    add_stand_in(self, "fallback", "lib/adit-1.0/fallback");
    assert_loader(self, NULL, "fallback");
}

/* The system's reason is the one that is told. */
static void
test_none(Fixture *self, gconstpointer unused)
{
    g_autofree char *expected =
        g_strdup_printf("no Vulkan loader: %s/system/" LIBRARY ": ", self->root);

    hide_system(self);

    g_autofree char *got = ask(self, NULL);

    g_assert_true(g_str_has_prefix(got, expected));
}

static int
open_loader(void)
{
    g_autoptr(GError) error = NULL;
    const char *(*get_name)(void) = (const char *(*) (void) ) adit_vulkan_loader_open(&error);

    g_print("%s", get_name != NULL ? get_name() : error->message);
    return 0;
}

#define ADD(name, function)                                                                        \
    g_test_add("/device/vulkan-loader/" name, Fixture, NULL, set_up, function, tear_down)

int
main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--open") == 0)
        return open_loader();
    g_test_init(&argc, &argv, NULL);
    program = g_file_read_link("/proc/self/exe", NULL);
    ADD("given", test_given);
    ADD("given-missing", test_given_missing);
    ADD("system-first", test_system_first);
    ADD("fallback", test_fallback);
    ADD("none", test_none);

    int status = g_test_run();

    g_free(program);
    return status;
}
