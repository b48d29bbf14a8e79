/* core/device/vulkan/adit-vulkan-devices.c - SPDX-License-Identifier: MIT */
#include "adit-vulkan-devices.h"

#include "adit-vulkan-device.h"

#include <gmodule.h>

char *
adit_vulkan_make_hint(const char *control, const char *library)
{
    if (!g_file_test(control, G_FILE_TEST_EXISTS))
        return NULL;
    GModule *module = g_module_open(library, G_MODULE_BIND_LAZY | G_MODULE_BIND_LOCAL);

    if (module == NULL)
        return g_strdup_printf("NVIDIA's driver is in the kernel, but Vulkan's part of it is "
                               "missing (%s); a container needs NVIDIA_DRIVER_CAPABILITIES=all",
                               g_module_error());
    /* drivers do not like to be closed */
    g_module_make_resident(module);
    return g_strdup_printf(
        "NVIDIA's driver is there, but the Vulkan loader does not find it: VK_DRIVER_FILES must "
        "name a file with {\"file_format_version\": \"1.0.1\", \"ICD\": {\"library_path\": \"%s\", "
        "\"api_version\": \"1.3.0\"}}, and libnvidia-glvkspirv must be installed",
        library);
}

/* Whether Vulkan found anything but software devices. */
static gboolean
has_gpu(const AditVulkanInstance *instance)
{
    for (guint i = 0; i < instance->physicals->len; i++) {
        if (!((const AditVulkanPhysical *) instance->physicals->pdata[i])->is_software)
            return TRUE;
    }
    return FALSE;
}

/* @instance: (nullable) */
static void
add_hint(const AditVulkanInstance *instance, GError **error)
{
    g_autofree char *hint = adit_vulkan_make_hint("/dev/nvidiactl", "libEGL_nvidia.so.0");

    if (error == NULL || hint == NULL || (instance != NULL && has_gpu(instance)))
        return;
    g_autofree char *text = g_strdup_printf("%s; %s", (*error)->message, hint);

    g_free((*error)->message);
    (*error)->message = g_steal_pointer(&text);
}

static AditVulkanInstance *
connect(gboolean *has_loader, GError **error)
{
    AditVulkanApi api = {0};

    /* without a loader nothing is known of drivers, and no hint is due */
    *has_loader = adit_vulkan_api_load(&api, error);
    if (!*has_loader)
        return NULL;
    AditVulkanInstance *instance = adit_vulkan_instance_new(error);

    if (instance == NULL)
        add_hint(NULL, error);
    return instance;
}

AditDevice *
adit_vulkan_devices_open(const char *wanted, GError **error)
{
    gboolean has_loader;
    g_autoptr(AditVulkanInstance) instance = connect(&has_loader, error);
    const AditVulkanPhysical *physical = NULL;

    if (instance != NULL)
        physical = adit_vulkan_instance_choose(instance, wanted, error);
    if (instance != NULL && physical == NULL)
        add_hint(instance, error);
    return physical != NULL ? adit_vulkan_device_new(instance, physical, error) : NULL;
}

/* Takes the best GPU; where there are but software devices, the error says no more than that. */
static const AditVulkanPhysical *
choose_best(const AditVulkanInstance *instance, GError **error)
{
    const AditVulkanPhysical *physical =
        adit_vulkan_instance_choose(instance, NULL, has_gpu(instance) ? error : NULL);

    if (physical == NULL && error != NULL && *error == NULL)
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_NO_DEVICE, "Vulkan finds no GPU");
    if (physical == NULL)
        add_hint(instance, error);
    return physical;
}

AditDevice *
adit_vulkan_devices_open_best(char **note)
{
    gboolean has_loader;
    g_autoptr(GError) error = NULL;
    g_autoptr(AditVulkanInstance) instance = connect(&has_loader, &error);
    const AditVulkanPhysical *physical = NULL;
    AditDevice *device = NULL;

    *note = NULL;
    if (instance != NULL)
        physical = choose_best(instance, &error);
    if (physical != NULL)
        device = adit_vulkan_device_new(instance, physical, &error);
    if (device != NULL)
        return device;
    if (!has_loader)
        g_info("%s", error->message);
    else if (physical != NULL)
        *note = g_strdup_printf("computing on the CPU: vulkan:%u (%s): %s", physical->index,
                                physical->name, error->message);
    else
        *note = g_strdup_printf("computing on the CPU: %s", error->message);
    return NULL;
}

/* ---- the list ---- */

static void
set_size(JsonObject *object, const char *key, guint64 size)
{
    if (size > 0) /* else it is not known */
        json_object_set_int_member(object, key, (gint64) MIN(size, G_MAXINT64));
}

static JsonArray *
describe_heaps(const AditVulkanPhysical *physical)
{
    JsonArray *heaps = json_array_new();

    for (guint i = 0; i < physical->memory_properties.memoryHeapCount; i++) {
        const VkMemoryHeap *heap = &physical->memory_properties.memoryHeaps[i];
        JsonObject *object = json_object_new();

        set_size(object, "size", heap->size);
        set_size(object, "free", physical->heap_budgets[i]);
        json_object_set_boolean_member(object, "on-device",
                                       (heap->flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT) != 0);
        json_array_add_object_element(heaps, object);
    }
    return heaps;
}

static void
describe_abilities(const AditVulkanPhysical *physical, JsonObject *object)
{
    json_object_set_boolean_member(object, "fp16", physical->has_fp16);
    json_object_set_boolean_member(object, "fp64", physical->has_fp64);
    json_object_set_boolean_member(object, "int8", physical->has_int8);
    json_object_set_boolean_member(object, "cooperative-matrix", physical->has_cooperative_matrix);
    set_size(object, "subgroup-size", physical->subgroup_size);
    set_size(object, "shared-memory", physical->limits.maxComputeSharedMemorySize);
    set_size(object, "max-storage-buffer-range", physical->limits.maxStorageBufferRange);
    set_size(object, "max-memory-allocation-size", physical->max_allocation);
}

static JsonObject *
describe_physical(const AditVulkanPhysical *physical)
{
    JsonObject *object = json_object_new();
    g_autofree char *version = g_strdup_printf(
        "%u.%u.%u", VK_API_VERSION_MAJOR(physical->api_version),
        VK_API_VERSION_MINOR(physical->api_version), VK_API_VERSION_PATCH(physical->api_version));

    adit_vulkan_physical_describe(physical, object);
    json_object_set_int_member(object, "index", physical->index);
    json_object_set_string_member(object, "vulkan", version);
    json_object_set_boolean_member(object, "software", physical->is_software);
    json_object_set_boolean_member(object, "usable", physical->reason == NULL);
    if (physical->reason != NULL)
        json_object_set_string_member(object, "reason", physical->reason);
    if (physical->duplicate_of >= 0) {
        g_autofree char *other = g_strdup_printf("vulkan:%d", physical->duplicate_of);

        json_object_set_string_member(object, "duplicate-of", other);
    }
    set_size(object, "memory", physical->memory);
    set_size(object, "free-memory", physical->budget);
    json_object_set_array_member(object, "heaps", describe_heaps(physical));
    describe_abilities(physical, object);
    return object;
}

gboolean
adit_vulkan_devices_describe(JsonArray *devices, char **best, GError **error)
{
    gboolean has_loader;
    g_autoptr(AditVulkanInstance) instance = connect(&has_loader, error);

    *best = NULL;
    if (instance == NULL)
        return FALSE;
    for (guint i = 0; i < instance->physicals->len; i++)
        json_array_add_object_element(devices, describe_physical(instance->physicals->pdata[i]));
    const AditVulkanPhysical *physical = choose_best(instance, error);

    if (physical != NULL)
        *best = g_strdup_printf("vulkan:%u", physical->index);
    return physical != NULL;
}
