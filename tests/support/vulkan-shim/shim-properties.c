/* tests/support/vulkan-shim/shim-properties.c - SPDX-License-Identifier: MIT */
#include "shim.h"

#include <string.h>

/* The range of a structure's bytes from one member to another. */
#define RANGE(type, first, last)                                                                   \
    offsetof(type, first), offsetof(type, last) + sizeof(((type *) NULL)->last)

typedef enum { HIDES_SUBGROUPS, HIDES_TIMELINE, HIDES_API_1_2, HIDES_API_1_3 } Hides;

/* What reads zero in chained structures, and cannot be enabled, if something is not to be there. */
static const struct {
    Hides hides;
    VkStructureType structure;
    gsize begin;
    gsize end;
} hidden[] = {
    {HIDES_SUBGROUPS, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES,
     RANGE(VkPhysicalDeviceSubgroupProperties, subgroupSize, quadOperationsInAllStages)},
    {HIDES_SUBGROUPS, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_PROPERTIES,
     RANGE(VkPhysicalDeviceVulkan11Properties, subgroupSize, subgroupQuadOperationsInAllStages)},
    {HIDES_SUBGROUPS, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_PROPERTIES,
     RANGE(VkPhysicalDeviceVulkan13Properties, minSubgroupSize, requiredSubgroupSizeStages)},
    {HIDES_SUBGROUPS, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_PROPERTIES,
     RANGE(VkPhysicalDeviceSubgroupSizeControlProperties, minSubgroupSize,
           requiredSubgroupSizeStages)},
    {HIDES_SUBGROUPS, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES,
     RANGE(VkPhysicalDeviceVulkan13Features, subgroupSizeControl, computeFullSubgroups)},
    {HIDES_SUBGROUPS, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES,
     RANGE(VkPhysicalDeviceSubgroupSizeControlFeatures, subgroupSizeControl, computeFullSubgroups)},
    {HIDES_TIMELINE, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES,
     RANGE(VkPhysicalDeviceVulkan12Features, timelineSemaphore, timelineSemaphore)},
    {HIDES_TIMELINE, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES,
     RANGE(VkPhysicalDeviceTimelineSemaphoreFeatures, timelineSemaphore, timelineSemaphore)},
    {HIDES_API_1_2, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES,
     RANGE(VkPhysicalDeviceVulkan11Features, storageBuffer16BitAccess, shaderDrawParameters)},
    {HIDES_API_1_2, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES,
     RANGE(VkPhysicalDeviceVulkan12Features, samplerMirrorClampToEdge, subgroupBroadcastDynamicId)},
    {HIDES_API_1_2, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_PROPERTIES,
     RANGE(VkPhysicalDeviceVulkan11Properties, deviceUUID, maxMemoryAllocationSize)},
    {HIDES_API_1_2, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_PROPERTIES,
     RANGE(VkPhysicalDeviceVulkan12Properties, driverID, framebufferIntegerColorSampleCounts)},
    {HIDES_API_1_3, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES,
     RANGE(VkPhysicalDeviceVulkan13Features, robustImageAccess, maintenance4)},
    {HIDES_API_1_3, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_PROPERTIES,
     RANGE(VkPhysicalDeviceVulkan13Properties, minSubgroupSize, maxBufferSize)},
};

/* Those of 32 bits, which are cut to what is configured. */
#define LIMIT(limit, member)                                                                       \
    {                                                                                              \
        SHIM_LIMIT_##limit, RANGE(VkPhysicalDeviceLimits, member, member)                          \
    }
static const struct {
    ShimLimit limit;
    gsize begin;
    gsize end;
} cut[] = {
    LIMIT(SHARED, maxComputeSharedMemorySize),
    LIMIT(INVOCATIONS, maxComputeWorkGroupInvocations),
    LIMIT(INVOCATIONS, maxComputeWorkGroupSize),
    LIMIT(BUFFERS, maxPerStageDescriptorStorageBuffers),
    LIMIT(BUFFERS, maxDescriptorSetStorageBuffers),
    LIMIT(RANGE, maxStorageBufferRange),
    LIMIT(GROUPS, maxComputeWorkGroupCount),
    LIMIT(PUSH, maxPushConstantsSize),
};

static gboolean
is_hidden(Hides what)
{
    guint32 version = shim_config.api_version != 0 ? shim_config.api_version : G_MAXUINT32;

    switch (what) {
    case HIDES_SUBGROUPS:
        return shim_config.no_subgroups;
    case HIDES_TIMELINE:
        return shim_config.no_timeline;
    case HIDES_API_1_2:
        return version < VK_API_VERSION_1_2;
    default:
        return version < VK_API_VERSION_1_3;
    }
}

static void
hide(VkBaseOutStructure *structure)
{
    for (guint i = 0; i < G_N_ELEMENTS(hidden); i++) {
        if (structure->sType == hidden[i].structure && is_hidden(hidden[i].hides))
            memset((char *) structure + hidden[i].begin, 0, hidden[i].end - hidden[i].begin);
    }
}

static gboolean
enables_hidden(const VkBaseInStructure *structure)
{
    for (guint i = 0; i < G_N_ELEMENTS(hidden); i++) {
        if (structure->sType != hidden[i].structure || !is_hidden(hidden[i].hides))
            continue;
        for (gsize at = hidden[i].begin; at < hidden[i].end; at++) {
            if (((const char *) structure)[at] != 0)
                return TRUE;
        }
    }
    return FALSE;
}

gboolean
shim_wants_hidden(const VkDeviceCreateInfo *info)
{
    for (const VkBaseInStructure *chained = info->pNext; chained != NULL;
         chained = chained->pNext) {
        if (enables_hidden(chained))
            return TRUE;
    }
    return FALSE;
}

static void
edit_limits(VkPhysicalDeviceLimits *limits)
{
    const guint64 *most = shim_config.limits;

    for (guint i = 0; i < G_N_ELEMENTS(cut); i++) {
        for (gsize at = cut[i].begin; most[cut[i].limit] > 0 && at < cut[i].end; at += 4) {
            guint32 *value = (guint32 *) (gpointer) ((char *) limits + at);
            *value = (guint32) MIN(*value, most[cut[i].limit]);
        }
    }
    limits->minStorageBufferOffsetAlignment =
        MAX(limits->minStorageBufferOffsetAlignment, most[SHIM_LIMIT_ALIGNMENT]);
}

/* What is told of a device; of what is told several times, the last. */
static ShimFake
get_fake(const ShimPhysical *physical)
{
    ShimFake told = {.type = -1, .driver = -1};

    for (guint i = 0; i < shim_config.fakes->len; i++) {
        const ShimFake *fake = &g_array_index(shim_config.fakes, ShimFake, i);
        if (fake->index >= 0 && (guint) fake->index != physical->index)
            continue;
        told.type = fake->type >= 0 ? fake->type : told.type;
        told.driver = fake->driver >= 0 ? fake->driver : told.driver;
        told.name = fake->name != NULL ? fake->name : told.name;
    }
    return told;
}

static void
edit_properties(const ShimPhysical *physical, VkPhysicalDeviceProperties *properties)
{
    ShimFake fake = get_fake(physical);

    edit_limits(&properties->limits);
    if (fake.type >= 0)
        properties->deviceType = (VkPhysicalDeviceType) fake.type;
    if (fake.name != NULL)
        g_strlcpy(properties->deviceName, fake.name, sizeof properties->deviceName);
    if (shim_config.api_version != 0)
        properties->apiVersion = MIN(properties->apiVersion, shim_config.api_version);
}

static void
edit_allocation(VkDeviceSize *size)
{
    if (shim_config.limits[SHIM_LIMIT_ALLOCATION] > 0)
        *size = MIN(*size, shim_config.limits[SHIM_LIMIT_ALLOCATION]);
}

static void
edit_uuid(const ShimPhysical *physical, guint8 *uuid)
{
    uuid[VK_UUID_SIZE - 1] ^= (guint8) physical->copy;
}

static void
edit_driver(const ShimPhysical *physical, VkDriverId *driver)
{
    ShimFake fake = get_fake(physical);

    if (fake.driver >= 0)
        *driver = (VkDriverId) fake.driver;
}

/* One structure of the chain of vkGetPhysicalDeviceProperties2. */
static void
edit_chained(const ShimPhysical *physical, gpointer chained)
{
    VkPhysicalDeviceVulkan11Properties *properties = chained;

    switch ((int) ((VkBaseOutStructure *) chained)->sType) {
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_PROPERTIES:
        edit_uuid(physical, properties->deviceUUID);
        edit_allocation(&properties->maxMemoryAllocationSize);
        break;
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES:
        edit_uuid(physical, ((VkPhysicalDeviceIDProperties *) chained)->deviceUUID);
        break;
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES:
        edit_allocation(
            &((VkPhysicalDeviceMaintenance3Properties *) chained)->maxMemoryAllocationSize);
        break;
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_PROPERTIES:
        edit_driver(physical, &((VkPhysicalDeviceVulkan12Properties *) chained)->driverID);
        break;
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES:
        edit_driver(physical, &((VkPhysicalDeviceDriverProperties *) chained)->driverID);
        break;
    default:
        break;
    }
    hide(chained);
}

static void
edit_heaps(VkDeviceSize *sizes, guint n, gsize stride)
{
    for (guint i = 0; i < n && shim_config.heap > 0; i++) {
        VkDeviceSize *size = (VkDeviceSize *) (gpointer) ((char *) sizes + i * stride);
        *size = MIN(*size, shim_config.heap);
    }
}

static void
edit_memory(VkPhysicalDeviceMemoryProperties *memory)
{
    edit_heaps(&memory->memoryHeaps[0].size, memory->memoryHeapCount, sizeof(VkMemoryHeap));
}

ShimAllowed
shim_get_allowed(VkPhysicalDevice physical)
{
    VkPhysicalDeviceSubgroupProperties subgroups = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES};
    VkPhysicalDeviceMaintenance3Properties maintenance = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES, .pNext = &subgroups};
    VkPhysicalDeviceProperties2 properties = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, .pNext = &maintenance};

    shim_real.GetPhysicalDeviceProperties2(shim_get_real(physical), &properties);
    edit_limits(&properties.properties.limits);
    edit_allocation(&maintenance.maxMemoryAllocationSize);
    return (ShimAllowed){.limits = properties.properties.limits,
                         .max_allocation = maintenance.maxMemoryAllocationSize,
                         .has_subgroups = subgroups.subgroupSize > 0 && !shim_config.no_subgroups};
}

VKAPI_ATTR void VKAPI_CALL
shim_GetPhysicalDeviceProperties(VkPhysicalDevice physical, VkPhysicalDeviceProperties *properties)
{
    shim_count(SHIM_GetPhysicalDeviceProperties);
    shim_real.GetPhysicalDeviceProperties(shim_get_real(physical), properties);
    edit_properties((const ShimPhysical *) physical, properties);
}

VKAPI_ATTR void VKAPI_CALL
shim_GetPhysicalDeviceProperties2(VkPhysicalDevice physical,
                                  VkPhysicalDeviceProperties2 *properties)
{
    shim_count(SHIM_GetPhysicalDeviceProperties2);
    shim_real.GetPhysicalDeviceProperties2(shim_get_real(physical), properties);
    edit_properties((const ShimPhysical *) physical, &properties->properties);
    for (VkBaseOutStructure *chained = properties->pNext; chained != NULL; chained = chained->pNext)
        edit_chained((const ShimPhysical *) physical, chained);
}

SHIM_FORWARD(void, GetPhysicalDeviceFeatures,
             (VkPhysicalDevice physical, VkPhysicalDeviceFeatures *features),
             (shim_get_real(physical), features))

VKAPI_ATTR void VKAPI_CALL
shim_GetPhysicalDeviceFeatures2(VkPhysicalDevice physical, VkPhysicalDeviceFeatures2 *features)
{
    shim_count(SHIM_GetPhysicalDeviceFeatures2);
    shim_real.GetPhysicalDeviceFeatures2(shim_get_real(physical), features);
    for (VkBaseOutStructure *chained = features->pNext; chained != NULL; chained = chained->pNext)
        hide(chained);
}

VKAPI_ATTR void VKAPI_CALL
shim_GetPhysicalDeviceMemoryProperties(VkPhysicalDevice physical,
                                       VkPhysicalDeviceMemoryProperties *memory)
{
    shim_count(SHIM_GetPhysicalDeviceMemoryProperties);
    shim_real.GetPhysicalDeviceMemoryProperties(shim_get_real(physical), memory);
    edit_memory(memory);
}

VKAPI_ATTR void VKAPI_CALL
shim_GetPhysicalDeviceMemoryProperties2(VkPhysicalDevice physical,
                                        VkPhysicalDeviceMemoryProperties2 *memory)
{
    shim_count(SHIM_GetPhysicalDeviceMemoryProperties2);
    shim_real.GetPhysicalDeviceMemoryProperties2(shim_get_real(physical), memory);
    edit_memory(&memory->memoryProperties);
    for (VkBaseOutStructure *chained = memory->pNext; chained != NULL; chained = chained->pNext) {
        if (chained->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT)
            edit_heaps(((VkPhysicalDeviceMemoryBudgetPropertiesEXT *) chained)->heapBudget,
                       memory->memoryProperties.memoryHeapCount, sizeof(VkDeviceSize));
    }
}
