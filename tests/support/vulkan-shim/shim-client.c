/* tests/support/vulkan-shim/shim-client.c - SPDX-License-Identifier: MIT */
#include "adit-vulkan-shim.h"

#include <gmodule.h>

/* The shim's functions for a test in the same process. They are looked up: a program that were
 * linked with the shim would put its vkGetInstanceProcAddr() before the loader's own. */

typedef void (*Configure)(const char *text);
typedef void (*Reset)(void);
typedef guint (*Count)(const char *name);

static gpointer
look_up(const char *name)
{
    GModule *module = g_module_open(ADIT_SHIM_PATH, G_MODULE_BIND_LAZY | G_MODULE_BIND_LOCAL);
    gpointer symbol = NULL;

    if (module == NULL || !g_module_symbol(module, name, &symbol))
        g_error("%s", g_module_error());
    g_module_make_resident(module);
    return symbol;
}

void
adit_shim_use(void)
{
    g_setenv("ADIT_VULKAN_LIBRARY", ADIT_SHIM_PATH, TRUE);
}

void
adit_shim_configure(const char *text)
{
    ((Configure) look_up("adit_shim_configure"))(text);
}

void
adit_shim_reset(void)
{
    ((Reset) look_up("adit_shim_reset"))();
}

guint
adit_shim_count(const char *name)
{
    return ((Count) look_up("adit_shim_count"))(name);
}
