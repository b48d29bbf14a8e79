/* tests/support/cache-tests.h - SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

/**
 * CacheTest: a test that finds the caches of the program empty, in a folder that goes when all are
 * done. (GLib's G_TEST_OPTION_ISOLATE_DIRS does that too, but leaks.)
 */
typedef struct {
    const char *path;
    void (*run)(void);
} CacheTest;

/* Runs the tests, after g_test_init(); what main() returns. */
int cache_tests_run(const CacheTest *tests, guint n_tests);
