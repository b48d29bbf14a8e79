/* tests/support/vulkan-shim/bare.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-vulkan-api.h"

G_BEGIN_DECLS

/**
 * Bare: a device of Vulkan's with nothing around it. What fails, fails the test.
 * @n_messages: of the validation layer
 */
typedef struct {
    AditVulkanApi api;
    VkInstance instance;
    VkDebugUtilsMessengerEXT messenger;
    gint n_messages;
    VkPhysicalDevice physical; /* the first one */
    VkDevice device;
    VkQueue queue;
    VkCommandPool pool;
    VkCommandBuffer commands;
    VkSemaphore timeline;
    guint64 value; /* of the last submission */
} Bare;

/* A buffer in memory of its own, which is mapped. */
typedef struct {
    VkBuffer buffer;
    VkDeviceMemory memory;
    guint32 *words;
} BareBuffer;

/* A compute pipeline with one set of two storage buffers (dynamic or not) and push constants. */
typedef struct {
    VkDescriptorSetLayout set_layout;
    VkPipelineLayout layout;
    VkShaderModule module;
    VkPipeline pipeline;
    VkDescriptorPool pool;
    VkDescriptorSet set;
} BareKernel;

void bare_open_instance(Bare *self, gboolean validation);
void bare_close_instance(Bare *self);
/* @info: is extended by a queue. */
VkResult bare_create_device(Bare *self, const void *chain);
/* Makes the device with timeline semaphores, its queue and the rest. */
void bare_open_device(Bare *self);
void bare_close_device(Bare *self);
/* Both. */
void bare_open(Bare *self);
void bare_close(Bare *self);

VkResult bare_allocate(Bare *self, gsize bytes, VkDeviceMemory *memory);
BareBuffer bare_buffer(Bare *self, gsize bytes);
void bare_buffer_clear(Bare *self, BareBuffer *buffer);

/* @n: of storage buffers, all of @type, a binding each */
VkDescriptorSetLayout bare_set_layout(Bare *self, guint n, VkDescriptorType type);
VkPipelineLayout bare_layout(Bare *self, guint n_sets, const VkDescriptorSetLayout *sets,
                             guint32 push_bytes);
VkShaderModule bare_module(Bare *self, const guint32 *words, gsize bytes);
/* @constants: values of the specialization constants 0, 1, ... */
BareKernel bare_kernel(Bare *self, VkDescriptorType type, const guint32 *words, gsize bytes,
                       const guint32 *constants, guint n_constants);
void bare_kernel_clear(Bare *self, BareKernel *kernel);
/* Binds a storage buffer to binding 0 of the set. */
void bare_update(Bare *self, BareKernel *kernel, VkDescriptorType type, VkBuffer buffer,
                 VkDeviceSize offset, VkDeviceSize range);

void bare_begin(Bare *self);
/* Ends what is recorded and submits it; it makes the timeline reach the next value. */
VkResult bare_submit(Bare *self);
VkResult bare_wait(Bare *self);

G_END_DECLS
