/* tests/support/vulkan-shim/shim-memory.c - SPDX-License-Identifier: MIT */
#include "shim.h"

static guint64 allocated; /* bytes, on all devices */
static GMutex mutex;

/* Takes bytes of what the configuration allows. */
static gboolean
take(guint64 bytes)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&mutex);

    if (shim_config.heap > 0 &&
        (allocated > shim_config.heap || bytes > shim_config.heap - allocated))
        return FALSE;
    allocated += bytes;
    return TRUE;
}

static void
give_back(guint64 bytes)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&mutex);

    allocated -= bytes;
}

/* Whether allocation number @call is to fail. */
static gboolean
fails(guint call)
{
    return shim_config.memory_at > 0 && (call == shim_config.memory_at ||
                                         (shim_config.memory_on && call > shim_config.memory_at));
}

VKAPI_ATTR VkResult VKAPI_CALL
shim_AllocateMemory(VkDevice handle, const VkMemoryAllocateInfo *info,
                    const VkAllocationCallbacks *allocator, VkDeviceMemory *memory)
{
    ShimDevice *device = shim_device_find(handle);
    guint call = shim_count(SHIM_AllocateMemory);

    shim_check("vkAllocateMemory", "maxMemoryAllocationSize", info->allocationSize,
               device->allowed.max_allocation);
    if (fails(call) || !take(info->allocationSize))
        return VK_ERROR_OUT_OF_DEVICE_MEMORY;
    VkResult result = shim_real.AllocateMemory(handle, info, allocator, memory);
    if (result == VK_SUCCESS)
        shim_device_put(device, device->memory, *memory, info->allocationSize);
    else
        give_back(info->allocationSize);
    return result;
}

VKAPI_ATTR void VKAPI_CALL
shim_FreeMemory(VkDevice handle, VkDeviceMemory memory, const VkAllocationCallbacks *allocator)
{
    ShimDevice *device = shim_device_find(handle);

    shim_count(SHIM_FreeMemory);
    give_back(shim_device_get(device, device->memory, memory));
    shim_device_put(device, device->memory, memory, 0);
    shim_real.FreeMemory(handle, memory, allocator);
}

void
shim_memory_forget(ShimDevice *device)
{
    GHashTableIter iter;
    gpointer bytes;

    g_hash_table_iter_init(&iter, device->memory);
    while (g_hash_table_iter_next(&iter, NULL, &bytes))
        give_back(GPOINTER_TO_SIZE(bytes));
}

VKAPI_ATTR VkResult VKAPI_CALL
shim_CreateBuffer(VkDevice handle, const VkBufferCreateInfo *info,
                  const VkAllocationCallbacks *allocator, VkBuffer *buffer)
{
    ShimDevice *device = shim_device_find(handle);
    VkResult result = shim_real.CreateBuffer(handle, info, allocator, buffer);

    shim_count(SHIM_CreateBuffer);
    if (result == VK_SUCCESS)
        shim_device_put(device, device->buffers, *buffer, info->size);
    return result;
}

SHIM_FORWARD(VkResult, FlushMappedMemoryRanges,
             (VkDevice device, guint32 n, const VkMappedMemoryRange *ranges), (device, n, ranges))
SHIM_FORWARD(VkResult, InvalidateMappedMemoryRanges,
             (VkDevice device, guint32 n, const VkMappedMemoryRange *ranges), (device, n, ranges))
