/* core/device/vulkan/adit-vulkan-loader.c - SPDX-License-Identifier: MIT */
#include "adit-vulkan-loader.h"

#include "adit-installation.h"

#include <gmodule.h>

#define LIBRARY "libvulkan.so.1"

static gpointer
open_library(const char *path, GError **error)
{
    GModule *module = g_module_open(path, G_MODULE_BIND_LAZY | G_MODULE_BIND_LOCAL);
    gpointer symbol = NULL;

    if (module == NULL || !g_module_symbol(module, "vkGetInstanceProcAddr", &symbol)) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_NO_DEVICE, "no Vulkan loader: %s",
                    g_module_error());
        return NULL;
    }
    /* drivers leave threads and exit handlers behind */
    g_module_make_resident(module);
    return symbol;
}

gpointer
adit_vulkan_loader_open(GError **error)
{
    const char *given = g_getenv("ADIT_VULKAN_LIBRARY");
    g_autoptr(GError) reason = NULL;

    if (given != NULL && *given != '\0')
        return open_library(given, error);

    gpointer symbol = open_library(LIBRARY, &reason);

    /* The driver is made for the system's loader, so that one comes first. */
    if (symbol == NULL) {
        g_autofree char *fallback =
            adit_installation_find_fallback(adit_installation_get_folder(), LIBRARY);

        symbol = fallback != NULL ? open_library(fallback, NULL) : NULL;
    }
    if (symbol == NULL)
        g_propagate_error(error, g_steal_pointer(&reason));
    return symbol;
}
