/* tests/support/vulkan-shim/shim-table.c - SPDX-License-Identifier: MIT */
#include "shim.h"

#include <gmodule.h>
#include <stdlib.h>
#include <string.h>

#define LIBRARY "libvulkan.so.1"

ShimReal shim_real;

typedef struct {
    const char *name;
    PFN_vkVoidFunction function;
    PFN_vkVoidFunction *real;
} Entry;

#define ENTRY(name)                                                                                \
    {"vk" #name, (PFN_vkVoidFunction) shim_##name, (PFN_vkVoidFunction *) &shim_real.name},

/* by ShimFunction */
static const Entry entries[SHIM_N_FUNCTIONS] = {SHIM_INSTANCE(ENTRY) SHIM_DEVICE(ENTRY)};
static gint counts[SHIM_N_FUNCTIONS]; /* atomic */
static gint ahead;                    /* atomic */

/* What would get around a fault or a check, without the suffix of an extension. */
static const char *const ways_around[] = {
    "vkCmdDispatchBase",
    "vkCmdPipelineBarrier2",
    "vkCmdPushDescriptorSet",
    "vkCmdPushDescriptorSetWithTemplate",
    "vkCreateDescriptorUpdateTemplate",
    "vkCreateRayTracingPipelines",
    "vkGetFenceStatus",
    "vkMapMemory2",
    "vkQueueSubmit2",
    "vkQueueWaitIdle",
    "vkUpdateDescriptorSetWithTemplate",
    "vkWaitForFences",
};

void
shim_fail(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_printerr("adit-vulkan-shim: %s\n", text);
    abort();
}

void
shim_check(const char *function, const char *limit, guint64 got, guint64 most)
{
    if (got > most)
        shim_fail("%s: %s: got %" G_GUINT64_FORMAT ", the device allows %" G_GUINT64_FORMAT,
                  function, limit, got, most);
}

static void
load(void)
{
    GModule *module = g_module_open(LIBRARY, G_MODULE_BIND_LAZY | G_MODULE_BIND_LOCAL);

    if (module == NULL ||
        !g_module_symbol(module, "vkGetInstanceProcAddr",
                         (gpointer *) &shim_real.GetInstanceProcAddr) ||
        !g_module_symbol(module, "vkGetDeviceProcAddr", (gpointer *) &shim_real.GetDeviceProcAddr))
        shim_fail("no Vulkan loader: %s", g_module_error());
    g_module_make_resident(module);
    for (guint i = 0; i < SHIM_N_FUNCTIONS; i++) {
        if (!g_module_symbol(module, entries[i].name, (gpointer *) entries[i].real))
            shim_fail("%s has no %s", LIBRARY, entries[i].name);
    }
}

/* Opens the loader and reads the environment, once. */
static void
ensure_loaded(void)
{
    static gsize is_loaded;

    if (!g_once_init_enter(&is_loaded))
        return;
    const char *text = g_getenv("ADIT_SHIM");
    load();
    shim_config_set(text != NULL ? text : "");
    g_once_init_leave(&is_loaded, 1);
}

/* Returns: the name without the suffix of the extension that the function once came from */
static char *
drop_suffix(const char *name)
{
    gsize length = strlen(name);

    if (g_str_has_suffix(name, "KHR") || g_str_has_suffix(name, "EXT"))
        length -= 3;
    return g_strndup(name, length);
}

/* Whether the shim answers for a function. @function: what it hands out, NULL: nothing */
static gboolean
is_ours(const char *full_name, PFN_vkVoidFunction *function)
{
    g_autofree char *name = drop_suffix(full_name);

    *function = NULL;
    for (guint i = 0; i < SHIM_N_FUNCTIONS; i++) {
        if (g_str_equal(name, entries[i].name)) {
            *function = entries[i].function;
            return TRUE;
        }
    }
    for (guint i = 0; i < G_N_ELEMENTS(ways_around); i++) {
        if (g_str_equal(name, ways_around[i]))
            return TRUE;
    }
    /* their handles are the shim's */
    return g_str_has_prefix(name, "vkGetPhysicalDevice") ||
           g_str_has_prefix(name, "vkEnumeratePhysicalDevice") ||
           g_str_has_prefix(name, "vkEnumerateDevice");
}

static PFN_vkVoidFunction VKAPI_CALL
get_device_function(VkDevice device, const char *name)
{
    PFN_vkVoidFunction real = shim_real.GetDeviceProcAddr(device, name);
    PFN_vkVoidFunction ours;

    if (g_str_equal(name, "vkGetDeviceProcAddr"))
        return (PFN_vkVoidFunction) get_device_function;
    return real != NULL && is_ours(name, &ours) ? ours : real;
}

G_MODULE_EXPORT VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL vkGetInstanceProcAddr(VkInstance instance,
                                                                               const char *name);

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL
vkGetInstanceProcAddr(VkInstance instance, const char *name)
{
    PFN_vkVoidFunction ours;

    ensure_loaded();
    if (g_str_equal(name, "vkGetInstanceProcAddr"))
        return (PFN_vkVoidFunction) vkGetInstanceProcAddr;
    PFN_vkVoidFunction real = shim_real.GetInstanceProcAddr(instance, name);
    if (real != NULL && g_str_equal(name, "vkGetDeviceProcAddr"))
        return (PFN_vkVoidFunction) get_device_function;
    return real != NULL && is_ours(name, &ours) ? ours : real;
}

guint
shim_count(ShimFunction function)
{
    return (guint) g_atomic_int_add(&counts[function], 1) + 1;
}

void
shim_count_ahead(void)
{
    g_atomic_int_inc(&ahead);
}

void
shim_write_counts(void)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GError) error = NULL;

    if (shim_config.count_file == NULL)
        return;
    for (guint i = 0; i < SHIM_N_FUNCTIONS; i++)
        g_string_append_printf(text, "%s %d\n", entries[i].name, g_atomic_int_get(&counts[i]));
    g_string_append_printf(text, "ahead %d\n", g_atomic_int_get(&ahead));
    if (!g_file_set_contents(shim_config.count_file, text->str, -1, &error))
        shim_fail("%s", error->message);
}

G_MODULE_EXPORT void
adit_shim_configure(const char *text)
{
    ensure_loaded();
    shim_config_set(text);
    for (guint i = 0; i < SHIM_N_FUNCTIONS; i++)
        g_atomic_int_set(&counts[i], 0);
    g_atomic_int_set(&ahead, 0);
}

G_MODULE_EXPORT void
adit_shim_reset(void)
{
    adit_shim_configure("");
}

G_MODULE_EXPORT guint
adit_shim_count(const char *name)
{
    for (guint i = 0; i < SHIM_N_FUNCTIONS; i++) {
        if (g_str_equal(name, entries[i].name))
            return (guint) g_atomic_int_get(&counts[i]);
    }
    shim_fail("calls of '%s' are not counted", name);
}
