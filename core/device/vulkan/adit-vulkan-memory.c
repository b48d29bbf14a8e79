/* core/device/vulkan/adit-vulkan-memory.c - SPDX-License-Identifier: MIT */
#include "adit-vulkan-private.h"

#include <string.h>

/* ---- buffers ---- */

/* Memory types by what they are used for: all of the first, else all of the second; there is
 * always one that is visible and coherent. */
static const VkMemoryPropertyFlags wanted_flags[][2] = {
    [ADIT_VULKAN_ON_DEVICE] = {VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT, 0},
    [ADIT_VULKAN_FOR_WRITING] = {VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
                                     VK_MEMORY_PROPERTY_HOST_COHERENT_BIT,
                                 VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
                                     VK_MEMORY_PROPERTY_HOST_COHERENT_BIT},
    /* reading memory that the host does not cache is a hundred times slower */
    [ADIT_VULKAN_FOR_READING] = {VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
                                     VK_MEMORY_PROPERTY_HOST_COHERENT_BIT |
                                     VK_MEMORY_PROPERTY_HOST_CACHED_BIT,
                                 VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
                                     VK_MEMORY_PROPERTY_HOST_COHERENT_BIT},
};

static void
set_memory_error(AditVulkanDevice *device, gsize size, const char *what, GError **error)
{
    g_autofree char *needed = g_format_size_full(size, G_FORMAT_SIZE_IEC_UNITS);
    g_autofree char *taken = g_format_size_full(device->allocated, G_FORMAT_SIZE_IEC_UNITS);
    g_autofree char *all = g_format_size_full(device->physical->memory, G_FORMAT_SIZE_IEC_UNITS);

    g_set_error(error, ADIT_ERROR, ADIT_ERROR_MEMORY,
                "no memory for %s of %s on %s: it has %s, of which this program holds %s", needed,
                what, device->physical->name, all, taken);
}

/* Tries the memory types that have @flags, in the driver's order. */
static VkResult
allocate(AditVulkanDevice *device, const VkMemoryRequirements *needs, VkMemoryPropertyFlags flags,
         VkDeviceMemory *memory)
{
    const VkPhysicalDeviceMemoryProperties *types = &device->physical->memory_properties;
    VkResult result = VK_ERROR_OUT_OF_DEVICE_MEMORY;

    for (guint i = 0; i < types->memoryTypeCount; i++) {
        VkMemoryAllocateInfo info = {.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                     .allocationSize = needs->size,
                                     .memoryTypeIndex = i};

        if ((needs->memoryTypeBits & 1u << i) == 0 ||
            (types->memoryTypes[i].propertyFlags & flags) != flags)
            continue;
        result = device->api.AllocateMemory(device->handle, &info, NULL, memory);
        if (result == VK_SUCCESS)
            return result;
    }
    return result;
}

static VkResult
bind_memory(AditVulkanDevice *device, AditVulkanBuffer *self, AditVulkanUse use)
{
    VkMemoryRequirements needs;

    device->api.GetBufferMemoryRequirements(device->handle, self->handle, &needs);
    if (device->physical->max_allocation > 0 && needs.size > device->physical->max_allocation)
        return VK_ERROR_OUT_OF_DEVICE_MEMORY;
    VkResult result = allocate(device, &needs, wanted_flags[use][0], &self->memory);
    if (result == VK_ERROR_OUT_OF_DEVICE_MEMORY)
        result = allocate(device, &needs, wanted_flags[use][1], &self->memory);
    if (result == VK_SUCCESS)
        result = device->api.BindBufferMemory(device->handle, self->handle, self->memory, 0);
    if (result == VK_SUCCESS && use != ADIT_VULKAN_ON_DEVICE)
        result =
            device->api.MapMemory(device->handle, self->memory, 0, VK_WHOLE_SIZE, 0, &self->mapped);
    return result;
}

gboolean
adit_vulkan_buffer_init(AditVulkanDevice *device, AditVulkanBuffer *self, gsize size,
                        AditVulkanUse use, const char *what, GError **error)
{
    /* whole words of four, so that every window can be filled and copied */
    VkBufferCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
        .size = MAX(size, 16) / 16 * 16 + (size % 16 > 0 ? 16 : 0),
        .usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_INDIRECT_BUFFER_BIT |
                 VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT};

    *self = (AditVulkanBuffer){.size = info.size};
    if (size > device->physical->memory) {
        set_memory_error(device, size, what, error);
        return FALSE;
    }
    VkResult result = device->api.CreateBuffer(device->handle, &info, NULL, &self->handle);
    if (result == VK_SUCCESS)
        result = bind_memory(device, self, use);
    if (result == VK_SUCCESS) {
        device->allocated += self->size;
        return TRUE;
    }
    if (self->handle != VK_NULL_HANDLE)
        device->allocated += self->size; /* clear takes it off again */
    adit_vulkan_buffer_clear(device, self);
    if (result == VK_ERROR_OUT_OF_DEVICE_MEMORY || result == VK_ERROR_OUT_OF_HOST_MEMORY) {
        set_memory_error(device, info.size, what, error);
        return FALSE;
    }
    adit_vulkan_fail(device, result, "allocating memory");
    g_propagate_error(error, g_error_copy(device->error));
    return FALSE;
}

void
adit_vulkan_buffer_clear(AditVulkanDevice *device, AditVulkanBuffer *self)
{
    if (self->handle == VK_NULL_HANDLE)
        return;
    device->api.DestroyBuffer(device->handle, self->handle, NULL);
    device->api.FreeMemory(device->handle, self->memory, NULL);
    device->allocated -= self->size;
    *self = (AditVulkanBuffer){0};
}

/* ---- transfers ---- */

/* Transfers are recorded once for every place and size, as programs are. */
typedef struct {
    VkBuffer buffer;
    gsize offset;
    gsize size;
    gboolean writes;
} Copy;

static guint
copy_hash(gconstpointer data)
{
    const Copy *copy = data;

    return g_direct_hash((gpointer) copy->buffer) ^ (guint) (copy->offset * 31 + copy->size * 7) ^
           (guint) copy->writes;
}

static gboolean
copy_equal(gconstpointer a, gconstpointer b)
{
    const Copy *left = a, *right = b;

    return left->buffer == right->buffer && left->offset == right->offset &&
           left->size == right->size && left->writes == right->writes;
}

GHashTable *
adit_vulkan_copies_new(void)
{
    return g_hash_table_new_full(copy_hash, copy_equal, g_free, NULL);
}

static void
record_copy(AditVulkanDevice *device, VkCommandBuffer commands, const Copy *copy)
{
    const AditVulkanApi *api = &device->api;
    VkBufferCopy region = {.srcOffset = copy->writes ? 0 : copy->offset,
                           .dstOffset = copy->writes ? copy->offset : 0,
                           .size = copy->size};
    VkMemoryBarrier before = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
        .srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT,
        .dstAccessMask = VK_ACCESS_TRANSFER_READ_BIT | VK_ACCESS_TRANSFER_WRITE_BIT};
    VkMemoryBarrier after = {.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
                             .srcAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT,
                             .dstAccessMask = VK_ACCESS_SHADER_READ_BIT |
                                              VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_HOST_READ_BIT};

    api->CmdPipelineBarrier(commands,
                            VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT,
                            VK_PIPELINE_STAGE_TRANSFER_BIT, 0, 1, &before, 0, NULL, 0, NULL);
    api->CmdCopyBuffer(commands, copy->writes ? device->staging.handle : copy->buffer,
                       copy->writes ? copy->buffer : device->staging.handle, 1, &region);
    api->CmdPipelineBarrier(commands, VK_PIPELINE_STAGE_TRANSFER_BIT,
                            VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_HOST_BIT |
                                VK_PIPELINE_STAGE_TRANSFER_BIT,
                            0, 1, &after, 0, NULL, 0, NULL);
}

static VkCommandBuffer
get_copy(AditVulkanDevice *device, const Copy *copy)
{
    VkCommandBuffer commands = g_hash_table_lookup(device->copies, copy);

    if (commands != NULL)
        return commands;
    commands = adit_vulkan_commands_begin(device);
    if (commands == NULL)
        return NULL;
    record_copy(device, commands, copy);
    if (!adit_vulkan_commands_end(device, commands))
        return NULL;
    g_hash_table_insert(device->copies, g_memdup2(copy, sizeof *copy), commands);
    return commands;
}

static void
transfer(AditVulkanDevice *device, const AditVulkanBuffer *buffer, gsize offset, gsize size,
         char *data, gboolean writes)
{
    if (size == 0 || device->error != NULL || !adit_vulkan_queue_finish(device->queue))
        return;
    while (size > 0) {
        Copy copy = {buffer->handle, offset, MIN(size, device->staging.size), writes};
        VkCommandBuffer commands = get_copy(device, &copy);

        if (commands == NULL)
            return;
        if (writes)
            memcpy(device->staging.mapped, data, copy.size);
        if (!adit_vulkan_queue_run(device->queue, commands, "a transfer"))
            return;
        if (!writes)
            memcpy(data, device->staging.mapped, copy.size);
        data += copy.size;
        offset += copy.size;
        size -= copy.size;
    }
}

void
adit_vulkan_read(AditVulkanDevice *device, const AditVulkanBuffer *buffer, gsize offset, gsize size,
                 void *data)
{
    memset(data, 0, size);
    transfer(device, buffer, offset, size, data, FALSE);
}

void
adit_vulkan_write(AditVulkanDevice *device, const AditVulkanBuffer *buffer, gsize offset,
                  gsize size, const void *data)
{
    transfer(device, buffer, offset, size, (char *) data, TRUE);
}

void
adit_vulkan_zero(AditVulkanDevice *device, const AditVulkanBuffer *buffer)
{
    VkCommandBuffer commands = adit_vulkan_commands_begin(device);

    if (commands == NULL)
        return;
    VkMemoryBarrier after = {.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
                             .srcAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT,
                             .dstAccessMask =
                                 VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT |
                                 VK_ACCESS_TRANSFER_READ_BIT | VK_ACCESS_TRANSFER_WRITE_BIT};
    device->api.CmdFillBuffer(commands, buffer->handle, 0, buffer->size, 0);
    device->api.CmdPipelineBarrier(commands, VK_PIPELINE_STAGE_TRANSFER_BIT,
                                   VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT |
                                       VK_PIPELINE_STAGE_TRANSFER_BIT,
                                   0, 1, &after, 0, NULL, 0, NULL);
    if (adit_vulkan_commands_end(device, commands))
        adit_vulkan_queue_run(device->queue, commands, "filling with zeros");
    device->api.FreeCommandBuffers(device->handle, device->pool, 1, &commands);
}

/* Recorded transfers of a buffer that goes: its handle may be given out anew. */
void
adit_vulkan_copies_forget(AditVulkanDevice *device, const AditVulkanBuffer *buffer)
{
    GHashTableIter iter;
    gpointer key, commands;

    g_hash_table_iter_init(&iter, device->copies);
    while (g_hash_table_iter_next(&iter, &key, &commands)) {
        VkCommandBuffer handle = commands;

        if (((const Copy *) key)->buffer != buffer->handle)
            continue;
        device->api.FreeCommandBuffers(device->handle, device->pool, 1, &handle);
        g_hash_table_iter_remove(&iter);
    }
}

/* ---- data that lives on the device ---- */

gsize
adit_vulkan_get_number_size(const AditArray *array)
{
    return array != NULL && array->type == ADIT_TYPE_CODE_U8 ? sizeof(guint8) : sizeof(float);
}

/* Numbers that are no bytes. */
static void
write_numbers(AditVulkanDevice *device, const AditVulkanBuffer *buffer, const AditArray *array,
              gboolean is_index)
{
    gsize count = array->rows * adit_shape_count(&array->shape);
    gsize step = ADIT_VULKAN_STAGING / sizeof(float);
    g_autofree float *numbers = g_new(float, MIN(count, step) + 1);

    for (gsize first = 0; first < count; first += step) {
        gsize n = MIN(step, count - first);

        for (gsize i = 0; i < n; i++) {
            if (is_index)
                ((guint32 *) numbers)[i] = (guint32) ((const gint32 *) array->data)[first + i];
            else
                numbers[i] = (float) adit_array_get(array, first + i);
        }
        adit_vulkan_write(device, buffer, first * sizeof(float), n * sizeof(float), numbers);
    }
}

/* Bytes of an array in device memory. */
static gsize
measure(const AditArray *array)
{
    return array->rows * adit_shape_count(&array->shape) * adit_vulkan_get_number_size(array);
}

/* Data that takes more than half of the memory would leave too little for the network; row numbers
 * are bound whole. */
gboolean
adit_vulkan_lives_on_device(AditVulkanDevice *device, const AditFeed *feed)
{
    gsize bytes = measure(feed->array);
    gsize numbers = feed->subset != NULL ? feed->subset->rows * sizeof(guint32) : 0;

    return !feed->is_streamed && bytes <= device->physical->memory / 2 &&
           numbers <= device->physical->limits.maxStorageBufferRange;
}

const AditVulkanBuffer *
adit_vulkan_get_array(AditVulkanDevice *device, const AditArray *array, gboolean is_index,
                      GError **error)
{
    AditVulkanBuffer *buffer = g_hash_table_lookup(device->arrays, array);

    if (buffer != NULL)
        return buffer;
    buffer = g_new0(AditVulkanBuffer, 1);
    gsize size = measure(array);
    if (!adit_vulkan_buffer_init(device, buffer, size, ADIT_VULKAN_ON_DEVICE, "data", error)) {
        g_free(buffer);
        return NULL;
    }
    if (array->type == ADIT_TYPE_CODE_U8)
        adit_vulkan_write(device, buffer, 0, size, array->data);
    else
        write_numbers(device, buffer, array, is_index);
    g_hash_table_insert(device->arrays, adit_array_ref((AditArray *) array), buffer);
    return buffer;
}

const AditVulkanBuffer *
adit_vulkan_get_words(AditVulkanDevice *device, const GArray *words, GError **error)
{
    gsize size = words->len * sizeof(guint32);
    g_autoptr(GBytes) key = g_bytes_new(words->data, size);
    AditVulkanBuffer *buffer = g_hash_table_lookup(device->words, key);

    if (buffer != NULL)
        return buffer;
    buffer = g_new0(AditVulkanBuffer, 1);
    if (!adit_vulkan_buffer_init(device, buffer, size, ADIT_VULKAN_ON_DEVICE, "kernels' words",
                                 error)) {
        g_free(buffer);
        return NULL;
    }
    adit_vulkan_write(device, buffer, 0, size, words->data);
    g_hash_table_insert(device->words, g_bytes_ref(key), buffer);
    return buffer;
}
