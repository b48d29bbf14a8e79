/* tests/support/cache-tests.c - SPDX-License-Identifier: MIT */
#include "cache-tests.h"

#include "adit-file.h"

static void
remove_caches(void)
{
    g_autofree char *folder = g_build_filename(g_get_user_cache_dir(), "adit", NULL);
    g_autoptr(GError) error = NULL;

    adit_folder_remove(folder, &error);
    g_assert_no_error(error);
}

static void
run(gconstpointer data)
{
    const CacheTest *test = data;

    remove_caches();
    test->run();
}

int
cache_tests_run(const CacheTest *tests, guint n_tests)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *home = g_dir_make_tmp("adit-caches-XXXXXX", &error);
    int result;

    g_assert_no_error(error);
    g_setenv("XDG_CACHE_HOME", home, TRUE);
    /* GLib asks for it once */
    g_assert_cmpstr(g_get_user_cache_dir(), ==, home);
    for (guint i = 0; i < n_tests; i++)
        g_test_add_data_func(tests[i].path, &tests[i], run);
    result = g_test_run();
    adit_folder_remove(home, &error);
    g_assert_no_error(error);
    return result;
}
