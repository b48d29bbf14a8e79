/* core/device/vulkan/adit-vulkan-instance.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-vulkan-api.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* What shaders count on: bindings, bytes, invocations a workgroup; the least any device has, but
 * for the storage buffers, which are 4 there. */
#define ADIT_VULKAN_MIN_STORAGE_BUFFERS 8
#define ADIT_VULKAN_MIN_PUSH_CONSTANTS  128
#define ADIT_VULKAN_MIN_INVOCATIONS     128
#define ADIT_VULKAN_MIN_SHARED_MEMORY   16384
#define ADIT_VULKAN_MIN_WORKGROUPS      65535

/**
 * AditVulkanInstance: one connection to Vulkan. Reference-counted; the last reference tears it
 * down.
 */
typedef struct {
    gint ref_count;
    AditVulkanApi api;
    VkInstance handle;
    VkDebugUtilsMessengerEXT messenger;
    GPtrArray
        *physicals; /* AditVulkanPhysical, in the loader's order, those that can be used or not */
} AditVulkanInstance;

/**
 * AditVulkanPhysical: what a device says of itself.
 * @index: its number in the loader's order: vulkan:N
 * @uuid: (nullable): as 32 hexadecimal digits in groups: "6d657361-3232-2e33-2e36-000000000000";
 * NULL: not known
 * @type: "discrete", "integrated", "virtual", "cpu" or "other"
 * @driver: "" if the driver does not say
 * @driver_version: as the driver writes it
 * @driver_id: a VkDriverId; 0: not known
 * @is_software: computes on the CPU: taken only if named
 * @reason: (nullable): why it cannot be used: "it has no timeline semaphores"; NULL: it can
 * @duplicate_of: number of the device of the same UUID that stands for it; -1: none
 * @queue_family: of compute: without graphics if there is one
 * @memory: bytes of the largest device-local heap
 * @budget: bytes of it that are free, by VK_EXT_memory_budget; 0: not known
 * @heap_budgets: the same for each heap
 * @max_allocation: bytes of one allocation; 0: not known
 * @subgroup_size: 0: not to be relied on
 * @min_subgroup_size, @max_subgroup_size: what may be asked for if @subgroup_full, else 0
 * @subgroup_shuffle: compute shaders may shuffle, by distance as well
 * @subgroup_full: workgroups of full subgroups of a size that is asked for
 * @has_portability_subset: VK_KHR_portability_subset, which must be enabled where it is offered
 */
typedef struct {
    VkPhysicalDevice handle;
    guint index;
    char *uuid;
    char *name;
    const char *type;
    char *driver;
    char *driver_version;
    guint32 driver_id;
    guint32 vendor;
    guint32 device;
    guint32 raw_driver_version;
    guint8 cache_uuid[VK_UUID_SIZE];
    guint32 api_version;
    gboolean is_software;
    char *reason;
    int duplicate_of;
    guint queue_family;

    VkPhysicalDeviceLimits limits;
    VkPhysicalDeviceMemoryProperties memory_properties;
    guint64 memory;
    guint64 budget;
    guint64 heap_budgets[VK_MAX_MEMORY_HEAPS];
    guint64 max_allocation;
    guint subgroup_size;
    guint min_subgroup_size;
    guint max_subgroup_size;
    gboolean subgroup_shuffle;
    gboolean subgroup_full;
    gboolean has_fp16;
    gboolean has_fp64;
    gboolean has_int8;
    gboolean has_cooperative_matrix;
    gboolean has_device_fault;
    gboolean has_memory_budget;
    gboolean has_portability_subset;
} AditVulkanPhysical;

/**
 * adit_vulkan_instance_new:
 *
 * Connects and looks at all devices. The environment's ADIT_VULKAN_VALIDATION=1 turns on the
 * validation layer with synchronisation validation (ADIT_ERROR_NO_DEVICE when it is not installed);
 * every message of it is a g_critical(). ADIT_ERROR_NO_DEVICE: no loader, no driver.
 */
AditVulkanInstance *adit_vulkan_instance_new(GError **error);
AditVulkanInstance *adit_vulkan_instance_ref(AditVulkanInstance *self);
void adit_vulkan_instance_unref(AditVulkanInstance *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditVulkanInstance, adit_vulkan_instance_unref)

/**
 * adit_vulkan_instance_choose:
 * @wanted: (nullable): what follows "vulkan:" in a device's name: "1", "uuid=...", "name~=radeon";
 * NULL: the best that is no software device
 *
 * Discrete before integrated before virtual, else the loader's order. ADIT_ERROR_NO_DEVICE tells
 * why there is none, ADIT_ERROR_INVALID that @wanted cannot be read.
 *
 * Returns: (transfer none) (nullable)
 */
const AditVulkanPhysical *adit_vulkan_instance_choose(const AditVulkanInstance *self,
                                                      const char *wanted, GError **error);

/* adit-vulkan-physical.c */

/* Asks device number @index of the loader's order everything. */
AditVulkanPhysical *adit_vulkan_physical_new(const AditVulkanApi *api, VkPhysicalDevice handle,
                                             guint index);
void adit_vulkan_physical_free(AditVulkanPhysical *self);
/* What a run keeps of the device it computed on: "name" ("vulkan:0"), "type", "uuid" if known,
 * "device", "driver", "driver-version". */
void adit_vulkan_physical_describe(const AditVulkanPhysical *self, JsonObject *object);
/* Finds those that stand for others of the same UUID: one that can be used before one that cannot,
 * then open drivers before closed ones, layers over other interfaces last. */
void adit_vulkan_physicals_find_duplicates(GPtrArray *physicals);

G_END_DECLS
