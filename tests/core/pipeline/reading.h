/* tests/core/pipeline/reading.h - SPDX-License-Identifier: MIT */
#pragma once

#include <string.h>

#include <glib/gstdio.h>

#include "adit-experiment.h"

/* Reads pipelines in a temporary folder, so that messages name them by their file names alone. */
typedef struct {
    char *folder;
    char *before;
    char *data;
} Place;

static inline void
write_file(const char *folder, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autofree char *parent = g_path_get_dirname(path);

    g_assert_cmpint(g_mkdir_with_parents(parent, 0700), ==, 0);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static inline void
place_enter(Place *place)
{
    static const char *const files[] = {"sgemm/sgemm_product.csv", "mnist/x", "cifar-10/x",
                                        "noisy/x.npy", "noisy/y.npy"};

    place->before = g_get_current_dir();
    place->folder = g_dir_make_tmp("adit-XXXXXX", NULL);
    place->data = g_build_filename(place->folder, "data", NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(files); i++)
        write_file(place->data, files[i], "");
    g_assert_cmpint(g_chdir(place->folder), ==, 0);
}

static inline void
remove_all(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *inner = g_build_filename(path, name, NULL);

        remove_all(inner);
    }
    g_remove(path);
}

static inline void
place_leave(Place *place)
{
    g_assert_cmpint(g_chdir(place->before), ==, 0);
    remove_all(place->folder);
    g_free(place->before);
    g_free(place->folder);
    g_free(place->data);
}

/* The text of a fixture with its first @from replaced by @to. */
static inline char *
read_fixture(const char *name, const char *from, const char *to)
{
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "fixtures", "pipelines", name, NULL);
    g_autofree char *text = NULL;
    const char *at;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    if (from == NULL)
        return g_steal_pointer(&text);
    at = strstr(text, from);
    if (at == NULL)
        g_error("%s holds no '%s'", name, from);
    return g_strdup_printf("%.*s%s%s", (int) (at - text), text, to, at + strlen(from));
}

static inline AditExperiment *
read_text(const Place *place, const char *name, const char *text, const char *const *arguments,
          AditDiagnostics *diagnostics)
{
    write_file(place->folder, name, text);
    return adit_experiment_read(name, arguments, 3, place->data, diagnostics);
}

static inline guint
count_messages(const AditDiagnostics *diagnostics)
{
    return adit_diagnostics_count_errors(diagnostics) +
           adit_diagnostics_count_warnings(diagnostics);
}
