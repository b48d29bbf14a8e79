/* tests/support/vulkan-shim/shim-commands.c - SPDX-License-Identifier: MIT */
#include "shim.h"

VKAPI_ATTR void VKAPI_CALL
shim_CmdDispatch(VkCommandBuffer commands, guint32 x, guint32 y, guint32 z)
{
    static const char *const names[] = {"maxComputeWorkGroupCount[0]",
                                        "maxComputeWorkGroupCount[1]",
                                        "maxComputeWorkGroupCount[2]"};
    const guint32 *most = shim_device_find(commands)->allowed.limits.maxComputeWorkGroupCount;
    guint32 groups[] = {x, y, z};

    shim_count(SHIM_CmdDispatch);
    for (guint i = 0; i < G_N_ELEMENTS(groups); i++)
        shim_check("vkCmdDispatch", names[i], groups[i], most[i]);
    shim_real.CmdDispatch(commands, x, y, z);
}

VKAPI_ATTR void VKAPI_CALL
shim_CmdPipelineBarrier(VkCommandBuffer commands, VkPipelineStageFlags from,
                        VkPipelineStageFlags to, VkDependencyFlags flags, guint32 n_memory,
                        const VkMemoryBarrier *memory, guint32 n_buffers,
                        const VkBufferMemoryBarrier *buffers, guint32 n_images,
                        const VkImageMemoryBarrier *images)
{
    if (shim_count(SHIM_CmdPipelineBarrier) != shim_config.no_barrier_at)
        shim_real.CmdPipelineBarrier(commands, from, to, flags, n_memory, memory, n_buffers,
                                     buffers, n_images, images);
}

VKAPI_ATTR void VKAPI_CALL
shim_CmdPushConstants(VkCommandBuffer commands, VkPipelineLayout layout, VkShaderStageFlags stages,
                      guint32 offset, guint32 size, const void *values)
{
    shim_count(SHIM_CmdPushConstants);
    shim_check("vkCmdPushConstants", "maxPushConstantsSize", (guint64) offset + size,
               shim_device_find(commands)->allowed.limits.maxPushConstantsSize);
    shim_real.CmdPushConstants(commands, layout, stages, offset, size, values);
}

SHIM_FORWARD(VkResult, AllocateCommandBuffers,
             (VkDevice device, const VkCommandBufferAllocateInfo *info, VkCommandBuffer *commands),
             (device, info, commands))
SHIM_FORWARD(VkResult, BeginCommandBuffer,
             (VkCommandBuffer commands, const VkCommandBufferBeginInfo *info), (commands, info))
SHIM_FORWARD(void, CmdBindPipeline,
             (VkCommandBuffer commands, VkPipelineBindPoint point, VkPipeline pipeline),
             (commands, point, pipeline))
SHIM_FORWARD(void, CmdDispatchIndirect,
             (VkCommandBuffer commands, VkBuffer buffer, VkDeviceSize offset),
             (commands, buffer, offset))
SHIM_FORWARD(void, CmdCopyBuffer,
             (VkCommandBuffer commands, VkBuffer from, VkBuffer to, guint32 n,
              const VkBufferCopy *regions),
             (commands, from, to, n, regions))
SHIM_FORWARD(void, CmdFillBuffer,
             (VkCommandBuffer commands, VkBuffer buffer, VkDeviceSize offset, VkDeviceSize size,
              guint32 word),
             (commands, buffer, offset, size, word))
