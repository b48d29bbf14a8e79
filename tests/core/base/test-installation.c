/* tests/core/base/test-installation.c - SPDX-License-Identifier: MIT */
#include "adit-installation.h"
#include "fault.h"

#include <glib/gstdio.h>
#include <string.h>

/* Makes folder @path below @root; the caller owns its name. */
static char *
make_folder(const char *root, const char *path)
{
    char *folder = g_build_filename(root, path, NULL);

    g_assert_cmpint(g_mkdir_with_parents(folder, 0700), ==, 0);
    return folder;
}

static void
assert_path(char *path, const char *expected)
{
    g_assert_cmpstr(path, ==, expected);
    g_free(path);
}

static void
test_own_folder(void)
{
    const char *folder = adit_installation_get_folder();
    g_autofree char *library = g_build_filename(folder, "libadit-1.0.so.0", NULL);

    g_assert_true(g_path_is_absolute(folder));
    g_assert_true(g_file_test(library, G_FILE_TEST_IS_REGULAR));
    g_assert_null(strstr(folder, "/.."));
    g_assert_true(adit_installation_get_folder() == folder);
}

/* An unpacked bundle, in a folder that somebody named. */
static void
test_bundle(void)
{
    g_auto(FaultFolder) root = fault_make_folder();
    g_autofree char *libraries = make_folder(root, "my tools: é/adit-1/lib");
    g_autofree char *plugins = make_folder(libraries, "adit-1.0");
    g_autofree char *fallbacks = make_folder(plugins, "fallback");
    g_autofree char *library = g_build_filename(fallbacks, "libvulkan.so.1", NULL);
    g_autofree char *pipelines = make_folder(root, "my tools: é/adit-1/share/adit-1.0/pipelines");
    g_autofree char *plots = make_folder(root, "my tools: é/adit-1/share/adit-1.0/plots");

    g_assert_true(g_file_set_contents(library, "", 0, NULL));
    assert_path(adit_installation_find_plugins(libraries), plugins);
    assert_path(adit_installation_find_pipelines(libraries), pipelines);
    assert_path(adit_installation_find_plots(libraries), plots);
    assert_path(adit_installation_find_fallback(libraries, "libvulkan.so.1"), library);
    g_assert_null(adit_installation_find_fallback(libraries, "libother.so.1"));
}

/* An installation on a system with a library folder for each architecture. */
static void
test_architecture(void)
{
    g_auto(FaultFolder) root = fault_make_folder();
    g_autofree char *libraries = make_folder(root, "usr/lib/x86_64-linux-gnu");
    g_autofree char *plugins = make_folder(libraries, "adit-1.0");
    g_autofree char *pipelines = make_folder(root, "usr/share/adit-1.0/pipelines");
    g_autofree char *plots = make_folder(root, "usr/share/adit-1.0/plots");

    assert_path(adit_installation_find_plugins(libraries), plugins);
    assert_path(adit_installation_find_pipelines(libraries), pipelines);
    assert_path(adit_installation_find_plots(libraries), plots);
    g_assert_null(adit_installation_find_fallback(libraries, "libvulkan.so.1"));
}

/* A build folder has nothing around the library. */
static void
test_nothing_around(void)
{
    g_auto(FaultFolder) root = fault_make_folder();
    g_autofree char *libraries = make_folder(root, "build/core");

    assert_path(adit_installation_find_plugins(libraries), ADIT_PLUGINS_DIR);
    assert_path(adit_installation_find_pipelines(libraries), ADIT_PIPELINES_DIR);
    assert_path(adit_installation_find_plugins(NULL), ADIT_PLUGINS_DIR);
    assert_path(adit_installation_find_pipelines(NULL), ADIT_PIPELINES_DIR);
    assert_path(adit_installation_find_plots(libraries), ADIT_PLOTS_DIR);
    assert_path(adit_installation_find_plots(NULL), ADIT_PLOTS_DIR);
    g_assert_null(adit_installation_find_fallback(NULL, "libvulkan.so.1"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/installation/own-folder", test_own_folder);
    g_test_add_func("/base/installation/bundle", test_bundle);
    g_test_add_func("/base/installation/architecture", test_architecture);
    g_test_add_func("/base/installation/nothing-around", test_nothing_around);
    return g_test_run();
}
