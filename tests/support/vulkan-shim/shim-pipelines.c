/* tests/support/vulkan-shim/shim-pipelines.c - SPDX-License-Identifier: MIT */
#include "shim.h"

static void
keep_module(ShimDevice *device, VkShaderModule module, const VkShaderModuleCreateInfo *info)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&device->mutex);

    g_hash_table_insert(device->modules, module, g_bytes_new(info->pCode, info->codeSize));
}

VKAPI_ATTR VkResult VKAPI_CALL
shim_CreateShaderModule(VkDevice handle, const VkShaderModuleCreateInfo *info,
                        const VkAllocationCallbacks *allocator, VkShaderModule *module)
{
    ShimDevice *device = shim_device_find(handle);

    shim_count(SHIM_CreateShaderModule);
    if (!device->allowed.has_subgroups && shim_spirv_has_subgroups(info->pCode, info->codeSize / 4))
        shim_fail("vkCreateShaderModule: the module uses subgroups, the device has none");
    VkResult result = shim_real.CreateShaderModule(handle, info, allocator, module);
    if (result == VK_SUCCESS)
        keep_module(device, *module, info);
    return result;
}

static GBytes *
find_module(ShimDevice *device, VkShaderModule module)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&device->mutex);
    GBytes *code = g_hash_table_lookup(device->modules, module);

    if (code == NULL)
        shim_fail("vkCreateComputePipelines: a module that vkCreateShaderModule did not make");
    return g_bytes_ref(code);
}

static void
check_pipeline(ShimDevice *device, const VkComputePipelineCreateInfo *info)
{
    static const char *const names[] = {"maxComputeWorkGroupSize[0]", "maxComputeWorkGroupSize[1]",
                                        "maxComputeWorkGroupSize[2]"};
    const char *function = "vkCreateComputePipelines";
    const VkPhysicalDeviceLimits *limits = &device->allowed.limits;
    g_autoptr(GBytes) code = find_module(device, info->stage.module);
    gsize size;
    const guint32 *words = g_bytes_get_data(code, &size);
    ShimKernel kernel = shim_spirv_measure(words, size / 4, info->stage.pSpecializationInfo);

    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        shim_check(function, names[i], kernel.size[i], limits->maxComputeWorkGroupSize[i]);
    shim_check(function, "maxComputeWorkGroupInvocations",
               kernel.size[0] * kernel.size[1] * kernel.size[2],
               limits->maxComputeWorkGroupInvocations);
    shim_check(function, "maxComputeSharedMemorySize", kernel.shared,
               limits->maxComputeSharedMemorySize);
}

VKAPI_ATTR VkResult VKAPI_CALL
shim_CreateComputePipelines(VkDevice handle, VkPipelineCache cache, guint32 n,
                            const VkComputePipelineCreateInfo *infos,
                            const VkAllocationCallbacks *allocator, VkPipeline *pipelines)
{
    ShimDevice *device = shim_device_find(handle);

    shim_count(SHIM_CreateComputePipelines);
    for (guint i = 0; i < n; i++)
        check_pipeline(device, &infos[i]);
    return shim_real.CreateComputePipelines(handle, cache, n, infos, allocator, pipelines);
}
