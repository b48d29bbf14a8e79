/* core/device/vulkan/adit-vulkan-api.c - SPDX-License-Identifier: MIT */
#include "adit-vulkan-api.h"

#include "adit-vulkan-loader.h"

typedef PFN_vkVoidFunction (*Lookup)(AditVulkanApi *self, void *handle, const char *name);

static PFN_vkVoidFunction
look_up_in_instance(AditVulkanApi *self, void *handle, const char *name)
{
    return self->GetInstanceProcAddr(handle, name);
}

static PFN_vkVoidFunction
look_up_in_device(AditVulkanApi *self, void *handle, const char *name)
{
    return self->GetDeviceProcAddr(handle, name);
}

static gboolean
find(AditVulkanApi *self, Lookup look_up, void *handle, const char *name, gboolean is_needed,
     PFN_vkVoidFunction *function, GError **error)
{
    *function = look_up(self, handle, name);
    if (*function != NULL || !is_needed)
        return TRUE;
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_NO_DEVICE, "the Vulkan driver has no %s", name);
    return FALSE;
}

#define FIND(look_up, handle, name, is_needed)                                                     \
    &&find(self, look_up, handle, "vk" #name, is_needed, (PFN_vkVoidFunction *) &self->name, error)
#define FIND_GLOBAL(name)            FIND(look_up_in_instance, NULL, name, TRUE)
#define FIND_INSTANCE(name)          FIND(look_up_in_instance, instance, name, TRUE)
#define FIND_INSTANCE_OPTIONAL(name) FIND(look_up_in_instance, instance, name, FALSE)
#define FIND_DEVICE(name)            FIND(look_up_in_device, device, name, TRUE)
#define FIND_DEVICE_OPTIONAL(name)   FIND(look_up_in_device, device, name, FALSE)

gboolean
adit_vulkan_api_load(AditVulkanApi *self, GError **error)
{
    self->GetInstanceProcAddr = (PFN_vkGetInstanceProcAddr) adit_vulkan_loader_open(error);
    if (self->GetInstanceProcAddr == NULL)
        return FALSE;
    return TRUE ADIT_VULKAN_GLOBAL_CALLS(FIND_GLOBAL);
}

gboolean
adit_vulkan_api_load_instance(AditVulkanApi *self, VkInstance instance, GError **error)
{
    return TRUE ADIT_VULKAN_INSTANCE_CALLS(FIND_INSTANCE)
        ADIT_VULKAN_INSTANCE_OPTIONAL_CALLS(FIND_INSTANCE_OPTIONAL);
}

gboolean
adit_vulkan_api_load_device(AditVulkanApi *self, VkDevice device, GError **error)
{
    return TRUE ADIT_VULKAN_DEVICE_CALLS(FIND_DEVICE)
        ADIT_VULKAN_DEVICE_OPTIONAL_CALLS(FIND_DEVICE_OPTIONAL);
}

const char *
adit_vulkan_result_get_name(VkResult result)
{
    switch (result) {
    case VK_SUCCESS:
        return "VK_SUCCESS";
    case VK_TIMEOUT:
        return "VK_TIMEOUT";
    case VK_ERROR_OUT_OF_HOST_MEMORY:
        return "VK_ERROR_OUT_OF_HOST_MEMORY";
    case VK_ERROR_OUT_OF_DEVICE_MEMORY:
        return "VK_ERROR_OUT_OF_DEVICE_MEMORY";
    case VK_ERROR_INITIALIZATION_FAILED:
        return "VK_ERROR_INITIALIZATION_FAILED";
    case VK_ERROR_DEVICE_LOST:
        return "VK_ERROR_DEVICE_LOST";
    case VK_ERROR_MEMORY_MAP_FAILED:
        return "VK_ERROR_MEMORY_MAP_FAILED";
    case VK_ERROR_LAYER_NOT_PRESENT:
        return "VK_ERROR_LAYER_NOT_PRESENT";
    case VK_ERROR_EXTENSION_NOT_PRESENT:
        return "VK_ERROR_EXTENSION_NOT_PRESENT";
    case VK_ERROR_FEATURE_NOT_PRESENT:
        return "VK_ERROR_FEATURE_NOT_PRESENT";
    case VK_ERROR_INCOMPATIBLE_DRIVER:
        return "VK_ERROR_INCOMPATIBLE_DRIVER";
    case VK_ERROR_TOO_MANY_OBJECTS:
        return "VK_ERROR_TOO_MANY_OBJECTS";
    case VK_ERROR_OUT_OF_POOL_MEMORY:
        return "VK_ERROR_OUT_OF_POOL_MEMORY";
    case VK_ERROR_FRAGMENTED_POOL:
        return "VK_ERROR_FRAGMENTED_POOL";
    default:
        return "an unknown Vulkan error";
    }
}
