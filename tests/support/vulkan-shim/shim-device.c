/* tests/support/vulkan-shim/shim-device.c - SPDX-License-Identifier: MIT */
#include "shim.h"

/* Waits are cut into pieces of so many nanoseconds: one that is under way ends when the device is
 * lost. */
#define PIECE 10000000

/* from the loader's table, to which all handles of a device point, to its ShimDevice */
static GHashTable *devices;
static GMutex devices_mutex;

static void
device_free(gpointer data)
{
    ShimDevice *self = data;

    g_hash_table_unref(self->buffers);
    g_hash_table_unref(self->layouts);
    g_hash_table_unref(self->modules);
    g_hash_table_unref(self->memory);
    g_mutex_clear(&self->mutex);
    g_free(self);
}

static ShimDevice *
device_new(VkDevice handle, VkPhysicalDevice physical)
{
    ShimDevice *self = g_new0(ShimDevice, 1);

    self->handle = handle;
    self->allowed = shim_get_allowed(physical);
    self->buffers = g_hash_table_new(NULL, NULL);
    self->layouts = g_hash_table_new(NULL, NULL);
    self->modules = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify) g_bytes_unref);
    self->memory = g_hash_table_new(NULL, NULL);
    g_mutex_init(&self->mutex);
    return self;
}

static gpointer
get_key(gpointer handle)
{
    return *(gpointer *) handle;
}

ShimDevice *
shim_device_find(gpointer handle)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&devices_mutex);
    ShimDevice *self = devices != NULL ? g_hash_table_lookup(devices, get_key(handle)) : NULL;

    if (self == NULL)
        shim_fail("a handle of no device");
    return self;
}

void
shim_device_put(ShimDevice *self, GHashTable *table, gpointer handle, guint64 value)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&self->mutex);

    g_hash_table_insert(table, handle, GSIZE_TO_POINTER(value));
}

guint64
shim_device_get(ShimDevice *self, GHashTable *table, gpointer handle)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&self->mutex);

    return GPOINTER_TO_SIZE(g_hash_table_lookup(table, handle));
}

VKAPI_ATTR VkResult VKAPI_CALL
shim_CreateDevice(VkPhysicalDevice physical, const VkDeviceCreateInfo *info,
                  const VkAllocationCallbacks *allocator, VkDevice *device)
{
    shim_count(SHIM_CreateDevice);
    if (shim_wants_hidden(info))
        return VK_ERROR_FEATURE_NOT_PRESENT;
    VkResult result = shim_real.CreateDevice(shim_get_real(physical), info, allocator, device);
    if (result != VK_SUCCESS)
        return result;
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&devices_mutex);
    if (devices == NULL)
        devices = g_hash_table_new_full(NULL, NULL, NULL, device_free);
    g_hash_table_insert(devices, get_key(*device), device_new(*device, physical));
    return VK_SUCCESS;
}

VKAPI_ATTR void VKAPI_CALL
shim_DestroyDevice(VkDevice device, const VkAllocationCallbacks *allocator)
{
    shim_count(SHIM_DestroyDevice);
    if (device == VK_NULL_HANDLE)
        return;
    shim_memory_forget(shim_device_find(device));
    g_mutex_lock(&devices_mutex);
    g_hash_table_remove(devices, get_key(device));
    g_mutex_unlock(&devices_mutex);
    shim_real.DestroyDevice(device, allocator);
}

static gboolean
is_lost(ShimDevice *self)
{
    return g_atomic_int_get(&self->is_lost);
}

/* Whether the device is to be lost with its latest call. */
static gboolean
is_due(const ShimDevice *self, ShimLoss call)
{
    guint so_far = self->calls[call];

    if (shim_config.loss == SHIM_LOSS_ANY)
        so_far = self->calls[SHIM_LOSS_SUBMIT] + self->calls[SHIM_LOSS_WAIT];
    return (shim_config.loss & call) != 0 && so_far == shim_config.loss_at &&
           g_atomic_int_add(&shim_config.losses_left, -1) > 0;
}

/* Counts a call at which the device may be lost; with the device's mutex. Returns: whether it is
 * lost, then or before */
static gboolean
count_call(ShimDevice *self, ShimLoss call)
{
    self->calls[call]++;
    if (!is_lost(self) && is_due(self, call)) {
        /* what was submitted is done, so that all may be destroyed */
        shim_real.DeviceWaitIdle(self->handle);
        g_atomic_int_set(&self->is_lost, TRUE);
    }
    return is_lost(self);
}

/* What a submission signals on its timeline; 0: nothing. */
static guint64
find_signalled(const VkSubmitInfo *submit)
{
    const VkBaseInStructure *next = submit->pNext;

    while (next != NULL && next->sType != VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO)
        next = next->pNext;
    const VkTimelineSemaphoreSubmitInfo *timeline = (const void *) next;
    return timeline != NULL && timeline->signalSemaphoreValueCount > 0
               ? timeline->pSignalSemaphoreValues[0]
               : 0;
}

VKAPI_ATTR VkResult VKAPI_CALL
shim_QueueSubmit(VkQueue queue, guint32 n, const VkSubmitInfo *submits, VkFence fence)
{
    ShimDevice *device = shim_device_find(queue);
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&device->mutex);

    shim_count(SHIM_QueueSubmit);
    if (count_call(device, SHIM_LOSS_SUBMIT))
        return VK_ERROR_DEVICE_LOST;
    device->signalled = n > 0 ? find_signalled(&submits[n - 1]) : 0;
    return shim_real.QueueSubmit(queue, n, submits, fence);
}

VKAPI_ATTR VkResult VKAPI_CALL
shim_WaitSemaphores(VkDevice handle, const VkSemaphoreWaitInfo *info, guint64 timeout)
{
    ShimDevice *device = shim_device_find(handle);

    shim_count(SHIM_WaitSemaphores);
    g_mutex_lock(&device->mutex);
    gboolean lost = count_call(device, SHIM_LOSS_WAIT);
    if (info->semaphoreCount == 1 && info->pValues[0] < device->signalled)
        shim_count_ahead();
    g_mutex_unlock(&device->mutex);
    while (!lost) {
        guint64 piece = MIN(timeout, PIECE);
        VkResult result = shim_real.WaitSemaphores(handle, info, piece);

        if (result != VK_TIMEOUT || piece == timeout)
            return result;
        timeout -= piece;
        lost = is_lost(device);
    }
    return VK_ERROR_DEVICE_LOST;
}

/* A wrapper that tells a lost device. */
#define FORWARD_UNLESS_LOST(name, parameters, arguments)                                           \
    VKAPI_ATTR VkResult VKAPI_CALL shim_##name parameters                                          \
    {                                                                                              \
        shim_count(SHIM_##name);                                                                   \
        return is_lost(shim_device_find(device)) ? VK_ERROR_DEVICE_LOST                            \
                                                 : shim_real.name arguments;                       \
    }

FORWARD_UNLESS_LOST(DeviceWaitIdle, (VkDevice device), (device))
FORWARD_UNLESS_LOST(GetSemaphoreCounterValue,
                    (VkDevice device, VkSemaphore semaphore, guint64 *value),
                    (device, semaphore, value))
FORWARD_UNLESS_LOST(MapMemory,
                    (VkDevice device, VkDeviceMemory memory, VkDeviceSize offset, VkDeviceSize size,
                     VkMemoryMapFlags flags, void **data),
                    (device, memory, offset, size, flags, data))
