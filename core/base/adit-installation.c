/* core/base/adit-installation.c - SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* dladdr */
#include "adit-installation.h"

#include <dlfcn.h>
#include <stdlib.h>

#define OWN_FOLDER "adit-1.0"

/* @address: of something in the library */
static char *
find_folder(const void *address)
{
    Dl_info info;
    char *folder = NULL;

    if (dladdr(address, &info) == 0 || info.dli_fname == NULL)
        return NULL;

    char *path = realpath(info.dli_fname, NULL);

    if (path != NULL)
        folder = g_path_get_dirname(path);
    free(path);
    return folder;
}

const char *
adit_installation_get_folder(void)
{
    static gsize found = 0;
    static char *folder = NULL;

    if (g_once_init_enter(&found)) {
        folder = find_folder(&found);
        g_once_init_leave(&found, 1);
    }
    return folder;
}

/* The first of @places, relative to @folder and ending with NULL, that passes @test. */
static char *
find(const char *folder, const char *const *places, GFileTest test)
{
    for (; folder != NULL && *places != NULL; places++) {
        g_autofree char *path = g_canonicalize_filename(*places, folder);

        if (g_file_test(path, test))
            return g_steal_pointer(&path);
    }
    return NULL;
}

char *
adit_installation_find_plugins(const char *folder)
{
    static const char *const places[] = {OWN_FOLDER, NULL};
    char *found = find(folder, places, G_FILE_TEST_IS_DIR);

    return found != NULL ? found : g_strdup(ADIT_PLUGINS_DIR);
}

static void
add_folders(GPtrArray *folders, const char *list)
{
    g_auto(GStrv) parts = g_strsplit(list, G_SEARCHPATH_SEPARATOR_S, -1);

    for (guint i = 0; parts[i] != NULL; i++) {
        if (parts[i][0] != '\0')
            g_ptr_array_add(folders, g_strdup(parts[i]));
    }
}

char **
adit_installation_list_plugins(void)
{
    GPtrArray *folders = g_ptr_array_new();
    const char *user = g_getenv("ADIT_PLUGIN_PATH");
    const char *system = g_getenv("ADIT_PLUGIN_SYSTEM_PATH");

    if (user != NULL)
        add_folders(folders, user);
    if (system != NULL) {
        add_folders(folders, system);
    } else {
        g_ptr_array_add(folders,
                        g_build_filename(g_get_user_data_dir(), OWN_FOLDER, "plugins", NULL));
        g_ptr_array_add(folders, adit_installation_find_plugins(adit_installation_get_folder()));
    }
    g_ptr_array_add(folders, NULL);
    return (char **) g_ptr_array_free(folders, FALSE);
}

char *
adit_installation_find_pipelines(const char *folder)
{
    static const char *const places[] = {
        "../share/" OWN_FOLDER "/pipelines",
        "../../share/" OWN_FOLDER "/pipelines",
        NULL,
    };
    char *found = find(folder, places, G_FILE_TEST_IS_DIR);

    return found != NULL ? found : g_strdup(ADIT_PIPELINES_DIR);
}

char *
adit_installation_find_plots(const char *folder)
{
    static const char *const places[] = {
        "../share/" OWN_FOLDER "/plots",
        "../../share/" OWN_FOLDER "/plots",
        NULL,
    };
    char *found = find(folder, places, G_FILE_TEST_IS_DIR);

    return found != NULL ? found : g_strdup(ADIT_PLOTS_DIR);
}

char *
adit_installation_find_fallback(const char *folder, const char *library)
{
    g_autofree char *place = g_build_filename(OWN_FOLDER, "fallback", library, NULL);

    return find(folder, (const char *const[]){place, NULL}, G_FILE_TEST_IS_REGULAR);
}
