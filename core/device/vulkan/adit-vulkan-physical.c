/* core/device/vulkan/adit-vulkan-physical.c - SPDX-License-Identifier: MIT */
#include "adit-vulkan-instance.h"

#include <string.h>

/* Of drivers that newer headers know. */
#define DRIVER_DOZEN 23
#define DRIVER_NVK   24

#define NVIDIA 0x10de

/* Everything is asked for with structures that are zeroed first: what a driver does not know stays
 * 0, which reads as not known. */

/* Puts @link behind @head in a chain of structures. */
static void
chain(gpointer head, gpointer link)
{
    ((VkBaseOutStructure *) link)->pNext = ((VkBaseOutStructure *) head)->pNext;
    ((VkBaseOutStructure *) head)->pNext = link;
}

/* ---- extensions ---- */

/* Names; none when the driver cannot tell. */
static GPtrArray *
list_extensions(const AditVulkanApi *api, VkPhysicalDevice handle)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    g_autofree VkExtensionProperties *found = NULL;
    guint32 n = 0;
    VkResult result;

    do { /* incomplete: there were more the second time */
        g_clear_pointer(&found, g_free);
        result = api->EnumerateDeviceExtensionProperties(handle, NULL, &n, NULL);
        if (result != VK_SUCCESS)
            return names;
        found = g_new0(VkExtensionProperties, MAX(n, 1));
        result = api->EnumerateDeviceExtensionProperties(handle, NULL, &n, found);
    } while (result == VK_INCOMPLETE);
    for (guint32 i = 0; result == VK_SUCCESS && i < n; i++)
        g_ptr_array_add(names, g_strndup(found[i].extensionName, VK_MAX_EXTENSION_NAME_SIZE));
    return names;
}

static gboolean
has(const GPtrArray *extensions, const char *name)
{
    return g_ptr_array_find_with_equal_func((GPtrArray *) extensions, name, g_str_equal, NULL);
}

/* ---- what it is ---- */

static const char *
get_type(VkPhysicalDeviceType type)
{
    switch (type) {
    case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU:
        return "discrete";
    case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU:
        return "integrated";
    case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU:
        return "virtual";
    case VK_PHYSICAL_DEVICE_TYPE_CPU:
        return "cpu";
    default:
        return "other";
    }
}

static char *
format_uuid(const guint8 *bytes)
{
    static const guint8 none[VK_UUID_SIZE];
    GString *text = g_string_new(NULL);

    if (memcmp(bytes, none, VK_UUID_SIZE) == 0) {
        g_string_free(text, TRUE);
        return NULL;
    }
    for (guint i = 0; i < VK_UUID_SIZE; i++)
        g_string_append_printf(text, "%s%02x", i >= 4 && i <= 10 && i % 2 == 0 ? "-" : "",
                               bytes[i]);
    return g_string_free(text, FALSE);
}

/* A driver's text, whatever bytes it gave. */
static char *
copy_text(const char *text, gsize size)
{
    g_autofree char *ended = g_strndup(text, size);

    return g_utf8_make_valid(ended, -1);
}

/* For drivers that give no text. */
static char *
format_version(guint32 vendor, guint32 version)
{
    if (vendor == NVIDIA)
        return g_strdup_printf("%u.%u.%u.%u", version >> 22, version >> 14 & 0xff,
                               version >> 6 & 0xff, version & 0x3f);
    return g_strdup_printf("%u.%u.%u", VK_API_VERSION_MAJOR(version), VK_API_VERSION_MINOR(version),
                           VK_API_VERSION_PATCH(version));
}

static void
read_driver(AditVulkanPhysical *self, const VkPhysicalDeviceDriverProperties *driver)
{
    self->driver = copy_text(driver->driverName, VK_MAX_DRIVER_NAME_SIZE);
    self->driver_version = copy_text(driver->driverInfo, VK_MAX_DRIVER_INFO_SIZE);
    self->driver_id = (guint32) driver->driverID;
    if (*self->driver_version == '\0') {
        g_free(self->driver_version);
        self->driver_version = format_version(self->vendor, self->raw_driver_version);
    }
}

static void
read_subgroups(AditVulkanPhysical *self, const VkPhysicalDeviceSubgroupProperties *subgroups,
               const VkPhysicalDeviceSubgroupSizeControlProperties *control)
{
    const VkSubgroupFeatureFlags shuffles =
        VK_SUBGROUP_FEATURE_SHUFFLE_BIT | VK_SUBGROUP_FEATURE_SHUFFLE_RELATIVE_BIT;
    guint size = subgroups->subgroupSize;

    if ((subgroups->supportedStages & VK_SHADER_STAGE_COMPUTE_BIT) != 0 && size >= 4 &&
        size <= 128 && (size & (size - 1)) == 0)
        self->subgroup_size = size;
    self->subgroup_shuffle =
        self->subgroup_size > 0 && (subgroups->supportedOperations & shuffles) == shuffles;
    if ((control->requiredSubgroupSizeStages & VK_SHADER_STAGE_COMPUTE_BIT) != 0) {
        self->min_subgroup_size = control->minSubgroupSize;
        self->max_subgroup_size = control->maxSubgroupSize;
    }
}

static void
read_properties(AditVulkanPhysical *self, const AditVulkanApi *api, const GPtrArray *extensions)
{
    VkPhysicalDeviceIDProperties id = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES};
    VkPhysicalDeviceSubgroupProperties subgroups = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES};
    VkPhysicalDeviceMaintenance3Properties sizes = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES};
    VkPhysicalDeviceDriverProperties driver = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES};
    VkPhysicalDeviceSubgroupSizeControlProperties control = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_PROPERTIES};
    VkPhysicalDeviceProperties2 all = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2};
    const VkPhysicalDeviceProperties *plain = &all.properties;

    api->GetPhysicalDeviceProperties2(self->handle, &all);
    self->api_version = plain->apiVersion;
    if (self->api_version >= VK_API_VERSION_1_1) {
        chain(&all, &id);
        chain(&all, &subgroups);
        chain(&all, &sizes);
    }
    if (self->api_version >= VK_API_VERSION_1_2 || has(extensions, "VK_KHR_driver_properties"))
        chain(&all, &driver);
    if (has(extensions, VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME))
        chain(&all, &control);
    api->GetPhysicalDeviceProperties2(self->handle, &all);

    self->uuid = format_uuid(id.deviceUUID);
    self->name = copy_text(plain->deviceName, VK_MAX_PHYSICAL_DEVICE_NAME_SIZE);
    self->type = get_type(plain->deviceType);
    self->is_software = plain->deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU;
    self->vendor = plain->vendorID;
    self->device = plain->deviceID;
    self->raw_driver_version = plain->driverVersion;
    memcpy(self->cache_uuid, plain->pipelineCacheUUID, VK_UUID_SIZE);
    self->limits = plain->limits;
    self->max_allocation = sizes.maxMemoryAllocationSize;
    read_driver(self, &driver);
    read_subgroups(self, &subgroups, &control);
}

/* ---- what it can do ---- */

/* Whether it has timeline semaphores. */
static gboolean
read_features(AditVulkanPhysical *self, const AditVulkanApi *api, const GPtrArray *extensions)
{
    VkPhysicalDeviceVulkan12Features newer = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES};
    VkPhysicalDeviceSubgroupSizeControlFeatures control = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES};
    VkPhysicalDeviceFaultFeaturesEXT fault = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FAULT_FEATURES_EXT};
    VkPhysicalDeviceFeatures2 all = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2};

    if (self->api_version >= VK_API_VERSION_1_2)
        chain(&all, &newer);
    if (has(extensions, VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME))
        chain(&all, &control);
    if (has(extensions, VK_EXT_DEVICE_FAULT_EXTENSION_NAME))
        chain(&all, &fault);
    api->GetPhysicalDeviceFeatures2(self->handle, &all);

    self->has_fp64 = all.features.shaderFloat64;
    self->has_fp16 = newer.shaderFloat16;
    self->has_int8 = newer.shaderInt8;
    self->has_device_fault = fault.deviceFault;
    self->has_cooperative_matrix = has(extensions, "VK_KHR_cooperative_matrix") ||
                                   has(extensions, VK_NV_COOPERATIVE_MATRIX_EXTENSION_NAME);
    self->has_memory_budget = has(extensions, VK_EXT_MEMORY_BUDGET_EXTENSION_NAME);
    self->has_portability_subset = has(extensions, "VK_KHR_portability_subset");
    self->subgroup_full = control.subgroupSizeControl && control.computeFullSubgroups &&
                          self->subgroup_size > 0 &&
                          self->subgroup_size >= self->min_subgroup_size &&
                          self->subgroup_size <= self->max_subgroup_size;
    if (!self->subgroup_full)
        self->min_subgroup_size = self->max_subgroup_size = 0;
    return newer.timelineSemaphore;
}

static void
read_memory(AditVulkanPhysical *self, const AditVulkanApi *api)
{
    VkPhysicalDeviceMemoryBudgetPropertiesEXT budget = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT};
    VkPhysicalDeviceMemoryProperties2 all = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2};

    if (self->has_memory_budget)
        chain(&all, &budget);
    api->GetPhysicalDeviceMemoryProperties2(self->handle, &all);
    self->memory_properties = all.memoryProperties;
    for (guint i = 0; i < self->memory_properties.memoryHeapCount; i++) {
        const VkMemoryHeap *heap = &self->memory_properties.memoryHeaps[i];

        if (budget.heapBudget[i] > budget.heapUsage[i])
            self->heap_budgets[i] = budget.heapBudget[i] - budget.heapUsage[i];
        if ((heap->flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT) == 0 || heap->size <= self->memory)
            continue;
        self->memory = heap->size;
        self->budget = self->heap_budgets[i];
    }
}

static gboolean
read_queues(AditVulkanPhysical *self, const AditVulkanApi *api)
{
    guint32 n = 0;
    gboolean found = FALSE;

    api->GetPhysicalDeviceQueueFamilyProperties(self->handle, &n, NULL);
    g_autofree VkQueueFamilyProperties *families = g_new0(VkQueueFamilyProperties, MAX(n, 1));
    api->GetPhysicalDeviceQueueFamilyProperties(self->handle, &n, families);
    for (guint32 i = 0; i < n; i++) {
        gboolean computes =
            families[i].queueCount > 0 && (families[i].queueFlags & VK_QUEUE_COMPUTE_BIT) != 0;
        gboolean is_plain = (families[i].queueFlags & VK_QUEUE_GRAPHICS_BIT) == 0;

        if (!computes || (found && !is_plain))
            continue;
        self->queue_family = i;
        found = TRUE;
        if (is_plain)
            break;
    }
    return found;
}

/* ---- whether it can be used ---- */

static char *
find_reason(const AditVulkanPhysical *self, gboolean has_timeline, gboolean has_queue)
{
    const VkPhysicalDeviceLimits *limits = &self->limits;
    const struct {
        const char *what;
        guint got;
        guint needed;
    } least[] = {
        {"storage buffers a shader", limits->maxPerStageDescriptorStorageBuffers,
         ADIT_VULKAN_MIN_STORAGE_BUFFERS},
        {"storage buffers a set", limits->maxDescriptorSetStorageBuffers,
         ADIT_VULKAN_MIN_STORAGE_BUFFERS},
        {"bytes of push constants", limits->maxPushConstantsSize, ADIT_VULKAN_MIN_PUSH_CONSTANTS},
        {"bytes of shared memory", limits->maxComputeSharedMemorySize,
         ADIT_VULKAN_MIN_SHARED_MEMORY},
        {"invocations a workgroup",
         MIN(limits->maxComputeWorkGroupInvocations, limits->maxComputeWorkGroupSize[0]),
         ADIT_VULKAN_MIN_INVOCATIONS},
        {"workgroups along x", limits->maxComputeWorkGroupCount[0], ADIT_VULKAN_MIN_WORKGROUPS},
        {"workgroups along y", limits->maxComputeWorkGroupCount[1], ADIT_VULKAN_MIN_WORKGROUPS},
        {"workgroups along z", limits->maxComputeWorkGroupCount[2], ADIT_VULKAN_MIN_WORKGROUPS},
    };

    if (self->api_version < VK_API_VERSION_1_2)
        return g_strdup_printf("it has Vulkan %u.%u, 1.2 is needed",
                               VK_API_VERSION_MAJOR(self->api_version),
                               VK_API_VERSION_MINOR(self->api_version));
    if (!has_timeline)
        return g_strdup("it has no timeline semaphores");
    if (!has_queue)
        return g_strdup("it has no queue that computes");
    for (guint i = 0; i < G_N_ELEMENTS(least); i++) {
        if (least[i].got < least[i].needed)
            return g_strdup_printf("it has %u %s, %u are needed", least[i].got, least[i].what,
                                   least[i].needed);
    }
    return NULL;
}

AditVulkanPhysical *
adit_vulkan_physical_new(const AditVulkanApi *api, VkPhysicalDevice handle, guint index)
{
    AditVulkanPhysical *self = g_new0(AditVulkanPhysical, 1);
    g_autoptr(GPtrArray) extensions = list_extensions(api, handle);

    self->handle = handle;
    self->index = index;
    self->duplicate_of = -1;
    read_properties(self, api, extensions);
    gboolean has_timeline = read_features(self, api, extensions);
    read_memory(self, api);
    gboolean has_queue = read_queues(self, api);
    self->reason = find_reason(self, has_timeline, has_queue);
    return self;
}

void
adit_vulkan_physical_free(AditVulkanPhysical *self)
{
    g_free(self->uuid);
    g_free(self->name);
    g_free(self->driver);
    g_free(self->driver_version);
    g_free(self->reason);
    g_free(self);
}

void
adit_vulkan_physical_describe(const AditVulkanPhysical *self, JsonObject *object)
{
    g_autofree char *name = g_strdup_printf("vulkan:%u", self->index);

    json_object_set_string_member(object, "name", name);
    json_object_set_string_member(object, "type", self->type);
    if (self->uuid != NULL)
        json_object_set_string_member(object, "uuid", self->uuid);
    json_object_set_string_member(object, "device", self->name);
    json_object_set_string_member(object, "driver", self->driver);
    json_object_set_string_member(object, "driver-version", self->driver_version);
}

/* ---- duplicates ---- */

/* Which driver of several for one GPU is taken: the lowest. */
static guint
rank_driver(guint32 driver)
{
    switch (driver) {
    case VK_DRIVER_ID_MESA_RADV:
    case VK_DRIVER_ID_INTEL_OPEN_SOURCE_MESA:
    case VK_DRIVER_ID_NVIDIA_PROPRIETARY: /* the open one is much slower */
        return 0;
    case VK_DRIVER_ID_AMD_OPEN_SOURCE:
    case DRIVER_NVK:
        return 1;
    case DRIVER_DOZEN:
        return 4;
    case VK_DRIVER_ID_AMD_PROPRIETARY:
    case VK_DRIVER_ID_INTEL_PROPRIETARY_WINDOWS:
        return 3;
    default:
        return 2;
    }
}

static gboolean
stands_before(const AditVulkanPhysical *a, const AditVulkanPhysical *b)
{
    guint rank_a = rank_driver(a->driver_id), rank_b = rank_driver(b->driver_id);

    if ((a->reason == NULL) != (b->reason == NULL))
        return a->reason == NULL;
    return rank_a != rank_b ? rank_a < rank_b : a->index < b->index;
}

void
adit_vulkan_physicals_find_duplicates(GPtrArray *physicals)
{
    for (guint i = 0; i < physicals->len; i++) {
        AditVulkanPhysical *self = physicals->pdata[i];
        const AditVulkanPhysical *best = self;

        for (guint j = 0; self->uuid != NULL && j < physicals->len; j++) {
            const AditVulkanPhysical *other = physicals->pdata[j];

            if (g_strcmp0(other->uuid, self->uuid) == 0 && stands_before(other, best))
                best = other;
        }
        self->duplicate_of = best == self ? -1 : (int) best->index;
    }
}
