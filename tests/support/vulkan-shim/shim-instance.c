/* tests/support/vulkan-shim/shim-instance.c - SPDX-License-Identifier: MIT */
#include "shim.h"

/* from VkInstance to its ShimPhysicals */
static GHashTable *instances;
static GMutex mutex;

VkPhysicalDevice
shim_get_real(VkPhysicalDevice physical)
{
    return ((ShimPhysical *) physical)->real;
}

SHIM_FORWARD(void, GetPhysicalDeviceQueueFamilyProperties,
             (VkPhysicalDevice physical, guint32 *n, VkQueueFamilyProperties *families),
             (shim_get_real(physical), n, families))
SHIM_FORWARD(void, GetPhysicalDeviceQueueFamilyProperties2,
             (VkPhysicalDevice physical, guint32 *n, VkQueueFamilyProperties2 *families),
             (shim_get_real(physical), n, families))
SHIM_FORWARD(VkResult, EnumerateDeviceExtensionProperties,
             (VkPhysicalDevice physical, const char *layer, guint32 *n,
              VkExtensionProperties *extensions),
             (shim_get_real(physical), layer, n, extensions))

/* The handle for device @index of an instance; the same whenever it is asked for. */
static VkPhysicalDevice
ensure_physical(VkInstance instance, guint index, VkPhysicalDevice real, guint copy)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&mutex);

    if (instances == NULL)
        instances = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify) g_ptr_array_unref);
    GPtrArray *physicals = g_hash_table_lookup(instances, instance);
    if (physicals == NULL) {
        physicals = g_ptr_array_new_with_free_func(g_free);
        g_hash_table_insert(instances, instance, physicals);
    }
    for (guint i = 0; i < physicals->len; i++) {
        const ShimPhysical *known = physicals->pdata[i];
        if (known->index == index && known->real == real && known->copy == copy)
            return (VkPhysicalDevice) known;
    }
    ShimPhysical *physical = g_new0(ShimPhysical, 1);
    *physical = (ShimPhysical){.real = real, .index = index, .copy = copy};
    g_ptr_array_add(physicals, physical);
    return (VkPhysicalDevice) physical;
}

/* Returns: (element-type VkPhysicalDevice): the reported ones; NULL: the call failed */
static GPtrArray *
list_devices(VkInstance instance, VkResult *result)
{
    VkPhysicalDevice real[64];
    guint32 n_real = G_N_ELEMENTS(real);

    *result = shim_real.EnumeratePhysicalDevices(instance, &n_real, real);
    if (*result != VK_SUCCESS)
        return NULL;
    guint n = shim_config.n_devices >= 0 && n_real > 0 ? (guint) shim_config.n_devices : n_real;
    guint reported = shim_config.duplicate ? 2 * n : n;
    GPtrArray *physicals = g_ptr_array_new();
    for (guint i = 0; i < reported; i++)
        g_ptr_array_add(physicals,
                        ensure_physical(instance, i, real[i % n % n_real], i % n / n_real));
    return physicals;
}

VKAPI_ATTR VkResult VKAPI_CALL
shim_EnumeratePhysicalDevices(VkInstance instance, guint32 *n, VkPhysicalDevice *physicals)
{
    VkResult result;
    g_autoptr(GPtrArray) all = list_devices(instance, &result);

    shim_count(SHIM_EnumeratePhysicalDevices);
    if (all == NULL)
        return result;
    if (physicals == NULL) {
        *n = all->len;
        return VK_SUCCESS;
    }
    *n = MIN(*n, all->len);
    for (guint i = 0; i < *n; i++)
        physicals[i] = all->pdata[i];
    return *n < all->len ? VK_INCOMPLETE : VK_SUCCESS;
}

VKAPI_ATTR void VKAPI_CALL
shim_DestroyInstance(VkInstance instance, const VkAllocationCallbacks *allocator)
{
    shim_count(SHIM_DestroyInstance);
    shim_real.DestroyInstance(instance, allocator);
    g_mutex_lock(&mutex);
    if (instances != NULL)
        g_hash_table_remove(instances, instance);
    g_mutex_unlock(&mutex);
    shim_write_counts();
}
