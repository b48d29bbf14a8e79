/* core/device/vulkan/adit-vulkan-pipeline-cache.c - SPDX-License-Identifier: MIT */
#include "adit-vulkan-pipeline-cache.h"

#include "adit-cache.h"
#include "adit-shader-compiler.h"

#include <string.h>

#define KIND "pipelines"

static GBytes *
make_key(const AditVulkanPhysical *physical)
{
    g_autoptr(GString) text = g_string_new(NULL);

    g_string_printf(text, "vendor %08x\ndevice %08x\ndriver %08x\ncache ", physical->vendor,
                    physical->device, physical->raw_driver_version);
    for (guint i = 0; i < VK_UUID_SIZE; i++)
        g_string_append_printf(text, "%02x", physical->cache_uuid[i]);
    g_string_append_printf(text, "\nshaders %s\n", adit_shader_hash_bundle());
    return g_string_free_to_bytes(g_steal_pointer(&text));
}

/* Drivers have crashed on caches of others, so the head that Vulkan demands is looked at here too.
 */
static gboolean
is_of_device(GBytes *bytes, const AditVulkanPhysical *physical)
{
    gsize size;
    const void *data = g_bytes_get_data(bytes, &size);
    VkPipelineCacheHeaderVersionOne header;

    if (size < sizeof(header))
        return FALSE;
    memcpy(&header, data, sizeof(header));
    return header.headerSize == sizeof(header) &&
           header.headerVersion == VK_PIPELINE_CACHE_HEADER_VERSION_ONE &&
           header.vendorID == physical->vendor && header.deviceID == physical->device &&
           memcmp(header.pipelineCacheUUID, physical->cache_uuid, VK_UUID_SIZE) == 0;
}

/* What is saved for a device, fit to be given to its driver. */
static GBytes *
load(const AditVulkanPhysical *physical)
{
    g_autoptr(GBytes) key = make_key(physical);
    g_autoptr(GBytes) bytes = adit_cache_load(KIND, key);

    return bytes != NULL && is_of_device(bytes, physical) ? g_steal_pointer(&bytes) : NULL;
}

static VkPipelineCache
create(const AditVulkanApi *api, VkDevice device, GBytes *bytes)
{
    VkPipelineCacheCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO,
        .initialDataSize = bytes != NULL ? g_bytes_get_size(bytes) : 0,
        .pInitialData = bytes != NULL ? g_bytes_get_data(bytes, NULL) : NULL,
    };
    VkPipelineCache cache = VK_NULL_HANDLE;
    VkResult result = api->CreatePipelineCache(device, &info, NULL, &cache);

    if (result == VK_SUCCESS)
        return cache;
    g_debug("no pipeline cache: %s", adit_vulkan_result_get_name(result));
    return VK_NULL_HANDLE;
}

VkPipelineCache
adit_vulkan_pipeline_cache_load(const AditVulkanApi *api, VkDevice device,
                                const AditVulkanPhysical *physical)
{
    g_autoptr(GBytes) bytes = load(physical);
    VkPipelineCache cache = create(api, device, bytes);

    return cache != VK_NULL_HANDLE || bytes == NULL ? cache : create(api, device, NULL);
}

static GBytes *
get_data(const AditVulkanApi *api, VkDevice device, VkPipelineCache cache)
{
    g_autofree guint8 *data = NULL;
    size_t size = 0;

    if (api->GetPipelineCacheData(device, cache, &size, NULL) != VK_SUCCESS || size == 0)
        return NULL;
    data = g_try_malloc(size);
    if (data == NULL || api->GetPipelineCacheData(device, cache, &size, data) != VK_SUCCESS)
        return NULL;
    return g_bytes_new_take(g_steal_pointer(&data), size);
}

void
adit_vulkan_pipeline_cache_save(const AditVulkanApi *api, VkDevice device,
                                const AditVulkanPhysical *physical, VkPipelineCache cache)
{
    g_autoptr(GBytes) bytes = NULL;
    g_autoptr(GBytes) saved = NULL;
    g_autoptr(GBytes) key = NULL;

    if (cache == VK_NULL_HANDLE)
        return;
    bytes = get_data(api, device, cache);
    /* some drivers give nothing but the head */
    if (bytes == NULL || g_bytes_get_size(bytes) <= sizeof(VkPipelineCacheHeaderVersionOne))
        return;
    saved = load(physical);
    if (saved != NULL && g_bytes_get_size(saved) >= g_bytes_get_size(bytes))
        return;
    key = make_key(physical);
    adit_cache_save(KIND, key, bytes);
}
