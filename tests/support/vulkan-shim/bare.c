/* tests/support/vulkan-shim/bare.c - SPDX-License-Identifier: MIT */
#include "bare.h"

#define DONE(call) g_assert_cmpint((call), ==, VK_SUCCESS)

static VKAPI_ATTR VkBool32 VKAPI_CALL
message_cb(VkDebugUtilsMessageSeverityFlagBitsEXT severity, VkDebugUtilsMessageTypeFlagsEXT type,
           const VkDebugUtilsMessengerCallbackDataEXT *data, void *user_data)
{
    Bare *self = user_data;

    g_test_message("%s", data->pMessage);
    g_atomic_int_inc(&self->n_messages);
    return VK_FALSE;
}

static void
create_instance(Bare *self, gboolean validation)
{
    static const char *const layers[] = {"VK_LAYER_KHRONOS_validation"};
    static const char *const extensions[] = {"VK_EXT_debug_utils"};
    static const VkValidationFeatureEnableEXT enabled[] = {
        VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT};
    VkValidationFeaturesEXT features = {.sType = VK_STRUCTURE_TYPE_VALIDATION_FEATURES_EXT,
                                        .enabledValidationFeatureCount = G_N_ELEMENTS(enabled),
                                        .pEnabledValidationFeatures = enabled};
    VkApplicationInfo application = {.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
                                     .apiVersion = VK_API_VERSION_1_2};
    VkInstanceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
                                 .pApplicationInfo = &application};

    if (validation) {
        info.pNext = &features;
        info.enabledLayerCount = G_N_ELEMENTS(layers);
        info.ppEnabledLayerNames = layers;
        info.enabledExtensionCount = G_N_ELEMENTS(extensions);
        info.ppEnabledExtensionNames = extensions;
    }
    DONE(self->api.CreateInstance(&info, NULL, &self->instance));
}

static void
create_messenger(Bare *self)
{
    VkDebugUtilsMessengerCreateInfoEXT info = {
        .sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT,
        .messageSeverity = VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT |
                           VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
        .messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT,
        .pfnUserCallback = message_cb,
        .pUserData = self};

    DONE(self->api.CreateDebugUtilsMessengerEXT(self->instance, &info, NULL, &self->messenger));
}

void
bare_open_instance(Bare *self, gboolean validation)
{
    g_autoptr(GError) error = NULL;
    guint32 n = 1;

    *self = (Bare){.instance = VK_NULL_HANDLE};
    adit_vulkan_api_load(&self->api, &error);
    g_assert_no_error(error);
    create_instance(self, validation);
    adit_vulkan_api_load_instance(&self->api, self->instance, &error);
    g_assert_no_error(error);
    if (validation)
        create_messenger(self);
    g_assert_cmpint(self->api.EnumeratePhysicalDevices(self->instance, &n, &self->physical), >=, 0);
    g_assert_cmpuint(n, ==, 1);
}

void
bare_close_instance(Bare *self)
{
    if (self->messenger != VK_NULL_HANDLE)
        self->api.DestroyDebugUtilsMessengerEXT(self->instance, self->messenger, NULL);
    self->api.DestroyInstance(self->instance, NULL);
}

VkResult
bare_create_device(Bare *self, const void *chain)
{
    float priority = 1;
    VkDeviceQueueCreateInfo queue = {.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
                                     .queueCount = 1,
                                     .pQueuePriorities = &priority};
    VkDeviceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
                               .pNext = chain,
                               .queueCreateInfoCount = 1,
                               .pQueueCreateInfos = &queue};

    return self->api.CreateDevice(self->physical, &info, NULL, &self->device);
}

static void
create_timeline(Bare *self)
{
    VkSemaphoreTypeCreateInfo type = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
                                      .semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE};
    VkSemaphoreCreateInfo info = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO, .pNext = &type};

    self->value = 0;
    DONE(self->api.CreateSemaphore(self->device, &info, NULL, &self->timeline));
}

void
bare_open_device(Bare *self)
{
    VkPhysicalDeviceTimelineSemaphoreFeatures features = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES,
        .timelineSemaphore = VK_TRUE};
    VkCommandPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                    .flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT};
    VkCommandBufferAllocateInfo commands = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
                                            .commandBufferCount = 1};
    g_autoptr(GError) error = NULL;

    DONE(bare_create_device(self, &features));
    adit_vulkan_api_load_device(&self->api, self->device, &error);
    g_assert_no_error(error);
    self->api.GetDeviceQueue(self->device, 0, 0, &self->queue);
    DONE(self->api.CreateCommandPool(self->device, &pool, NULL, &self->pool));
    commands.commandPool = self->pool;
    DONE(self->api.AllocateCommandBuffers(self->device, &commands, &self->commands));
    create_timeline(self);
}

void
bare_close_device(Bare *self)
{
    self->api.DestroySemaphore(self->device, self->timeline, NULL);
    self->api.DestroyCommandPool(self->device, self->pool, NULL);
    self->api.DestroyDevice(self->device, NULL);
}

void
bare_open(Bare *self)
{
    bare_open_instance(self, FALSE);
    bare_open_device(self);
}

void
bare_close(Bare *self)
{
    bare_close_device(self);
    bare_close_instance(self);
}

/* A type of memory that the host sees and need not flush; every device has one, and its buffers
 * can lie in it. */
static guint
find_memory_type(Bare *self)
{
    const VkMemoryPropertyFlags wanted =
        VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
    VkPhysicalDeviceMemoryProperties2 memory = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2};
    const VkPhysicalDeviceMemoryProperties *types = &memory.memoryProperties;

    self->api.GetPhysicalDeviceMemoryProperties2(self->physical, &memory);
    for (guint i = 0; i < types->memoryTypeCount; i++) {
        if ((types->memoryTypes[i].propertyFlags & wanted) == wanted)
            return i;
    }
    g_assert_not_reached();
}

VkResult
bare_allocate(Bare *self, gsize bytes, VkDeviceMemory *memory)
{
    VkMemoryAllocateInfo info = {.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                 .allocationSize = bytes,
                                 .memoryTypeIndex = find_memory_type(self)};

    return self->api.AllocateMemory(self->device, &info, NULL, memory);
}

BareBuffer
bare_buffer(Bare *self, gsize bytes)
{
    VkBufferCreateInfo info = {.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
                               .size = bytes,
                               .usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT |
                                        VK_BUFFER_USAGE_TRANSFER_SRC_BIT |
                                        VK_BUFFER_USAGE_TRANSFER_DST_BIT};
    VkMemoryRequirements needs;
    BareBuffer buffer;

    DONE(self->api.CreateBuffer(self->device, &info, NULL, &buffer.buffer));
    self->api.GetBufferMemoryRequirements(self->device, buffer.buffer, &needs);
    DONE(bare_allocate(self, needs.size, &buffer.memory));
    DONE(self->api.BindBufferMemory(self->device, buffer.buffer, buffer.memory, 0));
    DONE(self->api.MapMemory(self->device, buffer.memory, 0, VK_WHOLE_SIZE, 0,
                             (void **) &buffer.words));
    return buffer;
}

void
bare_buffer_clear(Bare *self, BareBuffer *buffer)
{
    self->api.DestroyBuffer(self->device, buffer->buffer, NULL);
    self->api.FreeMemory(self->device, buffer->memory, NULL);
}

VkDescriptorSetLayout
bare_set_layout(Bare *self, guint n, VkDescriptorType type)
{
    g_autofree VkDescriptorSetLayoutBinding *bindings = g_new0(VkDescriptorSetLayoutBinding, n);
    VkDescriptorSetLayoutCreateInfo info = {.sType =
                                                VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
                                            .bindingCount = n,
                                            .pBindings = bindings};
    VkDescriptorSetLayout layout;

    for (guint i = 0; i < n; i++)
        bindings[i] = (VkDescriptorSetLayoutBinding){.binding = i,
                                                     .descriptorType = type,
                                                     .descriptorCount = 1,
                                                     .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT};
    DONE(self->api.CreateDescriptorSetLayout(self->device, &info, NULL, &layout));
    return layout;
}

VkPipelineLayout
bare_layout(Bare *self, guint n_sets, const VkDescriptorSetLayout *sets, guint32 push_bytes)
{
    VkPushConstantRange push = {.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT, .size = push_bytes};
    VkPipelineLayoutCreateInfo info = {.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
                                       .setLayoutCount = n_sets,
                                       .pSetLayouts = sets,
                                       .pushConstantRangeCount = push_bytes > 0 ? 1 : 0,
                                       .pPushConstantRanges = &push};
    VkPipelineLayout layout;

    DONE(self->api.CreatePipelineLayout(self->device, &info, NULL, &layout));
    return layout;
}

VkShaderModule
bare_module(Bare *self, const guint32 *words, gsize bytes)
{
    VkShaderModuleCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO, .codeSize = bytes, .pCode = words};
    VkShaderModule module;

    DONE(self->api.CreateShaderModule(self->device, &info, NULL, &module));
    return module;
}

static VkPipeline
create_pipeline(Bare *self, const BareKernel *kernel, const guint32 *constants, guint n_constants)
{
    g_autofree VkSpecializationMapEntry *entries = g_new0(VkSpecializationMapEntry, n_constants);
    VkSpecializationInfo special = {.mapEntryCount = n_constants,
                                    .pMapEntries = entries,
                                    .dataSize = n_constants * sizeof *constants,
                                    .pData = constants};
    VkComputePipelineCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
        .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                  .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                  .module = kernel->module,
                  .pName = "main",
                  .pSpecializationInfo = &special},
        .layout = kernel->layout};
    VkPipeline pipeline;

    for (guint i = 0; i < n_constants; i++)
        entries[i] = (VkSpecializationMapEntry){i, i * sizeof *constants, sizeof *constants};
    DONE(self->api.CreateComputePipelines(self->device, VK_NULL_HANDLE, 1, &info, NULL, &pipeline));
    return pipeline;
}

static void
create_set(Bare *self, BareKernel *kernel, VkDescriptorType type)
{
    VkDescriptorPoolSize size = {.type = type, .descriptorCount = 1};
    VkDescriptorPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
                                       .maxSets = 1,
                                       .poolSizeCount = 1,
                                       .pPoolSizes = &size};
    VkDescriptorSetAllocateInfo set = {.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
                                       .descriptorSetCount = 1,
                                       .pSetLayouts = &kernel->set_layout};

    DONE(self->api.CreateDescriptorPool(self->device, &pool, NULL, &kernel->pool));
    set.descriptorPool = kernel->pool;
    DONE(self->api.AllocateDescriptorSets(self->device, &set, &kernel->set));
}

BareKernel
bare_kernel(Bare *self, VkDescriptorType type, const guint32 *words, gsize bytes,
            const guint32 *constants, guint n_constants)
{
    BareKernel kernel = {.set_layout = bare_set_layout(self, 1, type),
                         .module = bare_module(self, words, bytes)};

    kernel.layout = bare_layout(self, 1, &kernel.set_layout, 0);
    kernel.pipeline = create_pipeline(self, &kernel, constants, n_constants);
    create_set(self, &kernel, type);
    return kernel;
}

void
bare_kernel_clear(Bare *self, BareKernel *kernel)
{
    self->api.DestroyDescriptorPool(self->device, kernel->pool, NULL);
    self->api.DestroyPipeline(self->device, kernel->pipeline, NULL);
    self->api.DestroyPipelineLayout(self->device, kernel->layout, NULL);
    self->api.DestroyShaderModule(self->device, kernel->module, NULL);
    self->api.DestroyDescriptorSetLayout(self->device, kernel->set_layout, NULL);
}

void
bare_update(Bare *self, BareKernel *kernel, VkDescriptorType type, VkBuffer buffer,
            VkDeviceSize offset, VkDeviceSize range)
{
    VkDescriptorBufferInfo info = {.buffer = buffer, .offset = offset, .range = range};
    VkWriteDescriptorSet write = {.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                  .dstSet = kernel->set,
                                  .descriptorCount = 1,
                                  .descriptorType = type,
                                  .pBufferInfo = &info};

    self->api.UpdateDescriptorSets(self->device, 1, &write, 0, NULL);
}

void
bare_begin(Bare *self)
{
    VkCommandBufferBeginInfo info = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};

    DONE(self->api.BeginCommandBuffer(self->commands, &info));
}

VkResult
bare_submit(Bare *self)
{
    guint64 value = self->value + 1;
    VkTimelineSemaphoreSubmitInfo timeline = {.sType =
                                                  VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
                                              .signalSemaphoreValueCount = 1,
                                              .pSignalSemaphoreValues = &value};
    VkSubmitInfo info = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                         .pNext = &timeline,
                         .commandBufferCount = 1,
                         .pCommandBuffers = &self->commands,
                         .signalSemaphoreCount = 1,
                         .pSignalSemaphores = &self->timeline};

    DONE(self->api.EndCommandBuffer(self->commands));
    self->value = value;
    return self->api.QueueSubmit(self->queue, 1, &info, VK_NULL_HANDLE);
}

VkResult
bare_wait(Bare *self)
{
    VkSemaphoreWaitInfo info = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
                                .semaphoreCount = 1,
                                .pSemaphores = &self->timeline,
                                .pValues = &self->value};

    return self->api.WaitSemaphores(self->device, &info, G_MAXUINT64);
}
