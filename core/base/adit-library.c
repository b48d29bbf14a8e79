/* core/base/adit-library.c - SPDX-License-Identifier: MIT */
#include "adit-library.h"

#include <gmodule.h>
#include <string.h>

#include "adit-installation.h"

/* (nullable): the module in @folder; of several the first by name. */
static char *
find_module(const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    g_autofree char *first = NULL;
    const char *name;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        if (g_str_has_suffix(name, "." G_MODULE_SUFFIX) &&
            (first == NULL || strcmp(name, first) < 0)) {
            g_free(first);
            first = g_strdup(name);
        }
    }
    return first != NULL ? g_build_filename(folder, first, NULL) : NULL;
}

static gconstpointer
open_module(const char *path, const char *name, guint version, const char *without)
{
    GModule *module = g_module_open(path, G_MODULE_BIND_LOCAL);
    gpointer symbol = NULL;

    if (module == NULL) {
        g_message("no %s: %s; %s", path, g_module_error(), without);
        return NULL;
    }
    g_module_make_resident(module);
    if (!g_module_symbol(module, name, &symbol) || *(const guint *) symbol != version) {
        g_message("%s is of another version of Adit; %s", path, without);
        return NULL;
    }
    return symbol;
}

gconstpointer
adit_library_find(const char *folder, const char *symbol, guint version, const char *without)
{
    g_auto(GStrv) folders = adit_installation_list_plugins();
    gconstpointer library = NULL;

    for (guint i = 0; library == NULL && folders[i] != NULL; i++) {
        g_autofree char *path = g_build_filename(folders[i], folder, NULL);
        g_autofree char *module = find_module(path);

        library = module != NULL ? open_module(module, symbol, version, without) : NULL;
    }
    return library;
}
