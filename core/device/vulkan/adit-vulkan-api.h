/* core/device/vulkan/adit-vulkan-api.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-error.h>

#define VK_NO_PROTOTYPES
#include <vulkan/vulkan.h>

G_BEGIN_DECLS

/* The entry points that are used, by what they are looked up with. */
#define ADIT_VULKAN_GLOBAL_CALLS(X)                                                                \
    X(CreateInstance)                                                                              \
    X(EnumerateInstanceVersion)                                                                    \
    X(EnumerateInstanceExtensionProperties)                                                        \
    X(EnumerateInstanceLayerProperties)

#define ADIT_VULKAN_INSTANCE_CALLS(X)                                                              \
    X(CreateDevice)                                                                                \
    X(DestroyInstance)                                                                             \
    X(EnumerateDeviceExtensionProperties)                                                          \
    X(EnumeratePhysicalDevices)                                                                    \
    X(GetDeviceProcAddr)                                                                           \
    X(GetPhysicalDeviceFeatures2)                                                                  \
    X(GetPhysicalDeviceMemoryProperties2)                                                          \
    X(GetPhysicalDeviceProperties2)                                                                \
    X(GetPhysicalDeviceQueueFamilyProperties)

/* Those of extensions: NULL where the instance was made without. */
#define ADIT_VULKAN_INSTANCE_OPTIONAL_CALLS(X)                                                     \
    X(CreateDebugUtilsMessengerEXT)                                                                \
    X(DestroyDebugUtilsMessengerEXT)

#define ADIT_VULKAN_DEVICE_CALLS(X)                                                                \
    X(AllocateCommandBuffers)                                                                      \
    X(AllocateDescriptorSets)                                                                      \
    X(AllocateMemory)                                                                              \
    X(BeginCommandBuffer)                                                                          \
    X(BindBufferMemory)                                                                            \
    X(CmdBindDescriptorSets)                                                                       \
    X(CmdBindPipeline)                                                                             \
    X(CmdCopyBuffer)                                                                               \
    X(CmdDispatch)                                                                                 \
    X(CmdDispatchIndirect)                                                                         \
    X(CmdFillBuffer)                                                                               \
    X(CmdPipelineBarrier)                                                                          \
    X(CmdPushConstants)                                                                            \
    X(CreateBuffer)                                                                                \
    X(CreateCommandPool)                                                                           \
    X(CreateComputePipelines)                                                                      \
    X(CreateDescriptorPool)                                                                        \
    X(CreateDescriptorSetLayout)                                                                   \
    X(CreatePipelineCache)                                                                         \
    X(CreatePipelineLayout)                                                                        \
    X(CreateSemaphore)                                                                             \
    X(CreateShaderModule)                                                                          \
    X(DestroyBuffer)                                                                               \
    X(DestroyCommandPool)                                                                          \
    X(DestroyDescriptorPool)                                                                       \
    X(DestroyDescriptorSetLayout)                                                                  \
    X(DestroyDevice)                                                                               \
    X(DestroyPipeline)                                                                             \
    X(DestroyPipelineCache)                                                                        \
    X(DestroyPipelineLayout)                                                                       \
    X(DestroySemaphore)                                                                            \
    X(DestroyShaderModule)                                                                         \
    X(DeviceWaitIdle)                                                                              \
    X(EndCommandBuffer)                                                                            \
    X(FlushMappedMemoryRanges)                                                                     \
    X(FreeCommandBuffers)                                                                          \
    X(FreeMemory)                                                                                  \
    X(GetBufferMemoryRequirements)                                                                 \
    X(GetDeviceQueue)                                                                              \
    X(GetPipelineCacheData)                                                                        \
    X(GetSemaphoreCounterValue)                                                                    \
    X(InvalidateMappedMemoryRanges)                                                                \
    X(MapMemory)                                                                                   \
    X(QueueSubmit)                                                                                 \
    X(UnmapMemory)                                                                                 \
    X(UpdateDescriptorSets)                                                                        \
    X(WaitSemaphores)

/* Those of extensions: NULL where the device was made without. */
#define ADIT_VULKAN_DEVICE_OPTIONAL_CALLS(X)                                                       \
    X(GetDeviceFaultInfoEXT)                                                                       \
    X(SetDebugUtilsObjectNameEXT)

#define ADIT_VULKAN_MEMBER(name) PFN_vk##name name;

/**
 * AditVulkanApi: the entry points of one instance and, once loaded, of one device. Everything that
 * is asked of Vulkan goes through such a table: a loader that stands in for the system's, given by
 * ADIT_VULKAN_LIBRARY, sees every call.
 */
typedef struct {
    PFN_vkGetInstanceProcAddr GetInstanceProcAddr;
    ADIT_VULKAN_GLOBAL_CALLS(ADIT_VULKAN_MEMBER)
    ADIT_VULKAN_INSTANCE_CALLS(ADIT_VULKAN_MEMBER)
    ADIT_VULKAN_INSTANCE_OPTIONAL_CALLS(ADIT_VULKAN_MEMBER)
    ADIT_VULKAN_DEVICE_CALLS(ADIT_VULKAN_MEMBER)
    ADIT_VULKAN_DEVICE_OPTIONAL_CALLS(ADIT_VULKAN_MEMBER)
} AditVulkanApi;

/* Opens the Vulkan loader (adit-vulkan-loader.h) and looks up what needs no instance.
 * ADIT_ERROR_NO_DEVICE when there is no loader. */
gboolean adit_vulkan_api_load(AditVulkanApi *self, GError **error);
/* ADIT_ERROR_NO_DEVICE names an entry point that is missing. */
gboolean adit_vulkan_api_load_instance(AditVulkanApi *self, VkInstance instance, GError **error);
gboolean adit_vulkan_api_load_device(AditVulkanApi *self, VkDevice device, GError **error);
/* "VK_ERROR_DEVICE_LOST" */
const char *adit_vulkan_result_get_name(VkResult result);

G_END_DECLS
