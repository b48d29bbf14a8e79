/* tests/support/vulkan-shim/shim-descriptors.c - SPDX-License-Identifier: MIT */
#include "shim.h"

static gboolean
is_storage_buffer(VkDescriptorType type)
{
    return type == VK_DESCRIPTOR_TYPE_STORAGE_BUFFER ||
           type == VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC;
}

static void
check_buffers(const ShimDevice *device, const char *function, guint64 n)
{
    const VkPhysicalDeviceLimits *limits = &device->allowed.limits;

    shim_check(function, "maxPerStageDescriptorStorageBuffers", n,
               limits->maxPerStageDescriptorStorageBuffers);
    shim_check(function, "maxDescriptorSetStorageBuffers", n,
               limits->maxDescriptorSetStorageBuffers);
}

VKAPI_ATTR VkResult VKAPI_CALL
shim_CreateDescriptorSetLayout(VkDevice handle, const VkDescriptorSetLayoutCreateInfo *info,
                               const VkAllocationCallbacks *allocator,
                               VkDescriptorSetLayout *layout)
{
    ShimDevice *device = shim_device_find(handle);
    guint64 n = 0;

    shim_count(SHIM_CreateDescriptorSetLayout);
    for (guint i = 0; i < info->bindingCount; i++)
        n += is_storage_buffer(info->pBindings[i].descriptorType)
                 ? info->pBindings[i].descriptorCount
                 : 0;
    check_buffers(device, "vkCreateDescriptorSetLayout", n);
    VkResult result = shim_real.CreateDescriptorSetLayout(handle, info, allocator, layout);
    if (result == VK_SUCCESS)
        shim_device_put(device, device->layouts, *layout, n);
    return result;
}

VKAPI_ATTR VkResult VKAPI_CALL
shim_CreatePipelineLayout(VkDevice handle, const VkPipelineLayoutCreateInfo *info,
                          const VkAllocationCallbacks *allocator, VkPipelineLayout *layout)
{
    ShimDevice *device = shim_device_find(handle);
    guint64 n = 0;

    shim_count(SHIM_CreatePipelineLayout);
    for (guint i = 0; i < info->setLayoutCount; i++)
        n += shim_device_get(device, device->layouts, info->pSetLayouts[i]);
    check_buffers(device, "vkCreatePipelineLayout", n);
    for (guint i = 0; i < info->pushConstantRangeCount; i++) {
        const VkPushConstantRange *range = &info->pPushConstantRanges[i];
        shim_check("vkCreatePipelineLayout", "maxPushConstantsSize",
                   (guint64) range->offset + range->size,
                   device->allowed.limits.maxPushConstantsSize);
    }
    return shim_real.CreatePipelineLayout(handle, info, allocator, layout);
}

SHIM_FORWARD(VkResult, AllocateDescriptorSets,
             (VkDevice device, const VkDescriptorSetAllocateInfo *info, VkDescriptorSet *sets),
             (device, info, sets))

static void
check_alignment(const ShimDevice *device, const char *function, guint64 offset)
{
    guint64 alignment = device->allowed.limits.minStorageBufferOffsetAlignment;

    if (offset % alignment != 0)
        shim_fail("%s: minStorageBufferOffsetAlignment: got offset %" G_GUINT64_FORMAT
                  ", the device allows multiples of %" G_GUINT64_FORMAT,
                  function, offset, alignment);
}

static void
check_write(ShimDevice *device, const VkDescriptorBufferInfo *info)
{
    guint64 range = info->range;

    if (range == VK_WHOLE_SIZE)
        range = shim_device_get(device, device->buffers, info->buffer) - info->offset;
    shim_check("vkUpdateDescriptorSets", "maxStorageBufferRange", range,
               device->allowed.limits.maxStorageBufferRange);
    check_alignment(device, "vkUpdateDescriptorSets", info->offset);
}

VKAPI_ATTR void VKAPI_CALL
shim_UpdateDescriptorSets(VkDevice handle, guint32 n, const VkWriteDescriptorSet *writes,
                          guint32 n_copies, const VkCopyDescriptorSet *copies)
{
    ShimDevice *device = shim_device_find(handle);

    shim_count(SHIM_UpdateDescriptorSets);
    for (guint i = 0; i < n; i++) {
        for (guint k = 0; k < writes[i].descriptorCount; k++) {
            if (is_storage_buffer(writes[i].descriptorType))
                check_write(device, &writes[i].pBufferInfo[k]);
        }
    }
    shim_real.UpdateDescriptorSets(handle, n, writes, n_copies, copies);
}

VKAPI_ATTR void VKAPI_CALL
shim_CmdBindDescriptorSets(VkCommandBuffer commands, VkPipelineBindPoint point,
                           VkPipelineLayout layout, guint32 first, guint32 n,
                           const VkDescriptorSet *sets, guint32 n_offsets, const guint32 *offsets)
{
    ShimDevice *device = shim_device_find(commands);

    shim_count(SHIM_CmdBindDescriptorSets);
    for (guint i = 0; i < n_offsets; i++)
        check_alignment(device, "vkCmdBindDescriptorSets", offsets[i]);
    shim_real.CmdBindDescriptorSets(commands, point, layout, first, n, sets, n_offsets, offsets);
}
