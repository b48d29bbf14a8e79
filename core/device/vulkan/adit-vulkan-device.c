/* core/device/vulkan/adit-vulkan-device.c - SPDX-License-Identifier: MIT */
#include "adit-kernels.h"
#include "adit-shader-compiler.h"
#include "adit-vulkan-join.h"

#include "adit-vulkan-pipeline-cache.h"
#include "adit-vulkan-together.h"

#include <string.h>

G_DEFINE_FINAL_TYPE(AditVulkanDevice, adit_vulkan_device, ADIT_TYPE_DEVICE)

/* ---- failures ---- */

/* What the driver knows of why the device was lost; "" where it does not say. */
static char *
describe_fault(AditVulkanDevice *self)
{
    VkDeviceFaultCountsEXT counts = {.sType = VK_STRUCTURE_TYPE_DEVICE_FAULT_COUNTS_EXT};
    VkDeviceFaultInfoEXT info = {.sType = VK_STRUCTURE_TYPE_DEVICE_FAULT_INFO_EXT};

    if (!self->physical->has_device_fault || self->api.GetDeviceFaultInfoEXT == NULL ||
        self->api.GetDeviceFaultInfoEXT(self->handle, &counts, NULL) != VK_SUCCESS)
        return g_strdup("");
    counts.addressInfoCount = counts.vendorInfoCount = 0;
    counts.vendorBinarySize = 0;
    if (self->api.GetDeviceFaultInfoEXT(self->handle, &counts, &info) < 0)
        return g_strdup("");
    return g_strdup_printf("; the driver says: %.*s", (int) sizeof info.description,
                           info.description);
}

gboolean
adit_vulkan_fail(AditVulkanDevice *self, VkResult result, const char *what)
{
    const AditVulkanPhysical *physical = self->physical;

    if (self->error != NULL)
        return FALSE;
    if (result == VK_ERROR_DEVICE_LOST) {
        g_autofree char *fault = describe_fault(self);

        g_set_error(&self->error, ADIT_ERROR, ADIT_ERROR_DEVICE_LOST,
                    "device '%s' (%s %s) was lost %s%s", physical->name, physical->driver,
                    physical->driver_version, what, fault);
    } else {
        gboolean is_memory =
            result == VK_ERROR_OUT_OF_DEVICE_MEMORY || result == VK_ERROR_OUT_OF_HOST_MEMORY;

        g_set_error(&self->error, ADIT_ERROR, is_memory ? ADIT_ERROR_MEMORY : ADIT_ERROR_FAILED,
                    "device '%s' (%s %s) failed %s: %s", physical->name, physical->driver,
                    physical->driver_version, what, adit_vulkan_result_get_name(result));
    }
    return FALSE;
}

/* ---- commands ---- */

VkCommandBuffer
adit_vulkan_commands_begin(AditVulkanDevice *self)
{
    VkCommandBuffer commands = NULL;
    VkCommandBufferAllocateInfo info = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
                                        .commandPool = self->pool,
                                        .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
                                        .commandBufferCount = 1};
    /* several steps of the same commands may wait in the queue */
    VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                      .flags = VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT};
    VkResult result = self->api.AllocateCommandBuffers(self->handle, &info, &commands);

    if (result == VK_SUCCESS)
        result = self->api.BeginCommandBuffer(commands, &begin);
    if (result == VK_SUCCESS)
        return commands;
    adit_vulkan_fail(self, result, "recording commands");
    return NULL;
}

gboolean
adit_vulkan_commands_end(AditVulkanDevice *self, VkCommandBuffer commands)
{
    VkResult result = self->api.EndCommandBuffer(commands);

    return result == VK_SUCCESS || adit_vulkan_fail(self, result, "recording commands");
}

/* ---- the device ---- */

static void
free_memory(AditDevice *device, AditMemory *memory)
{
    AditVulkanDevice *self = ADIT_VULKAN_DEVICE(device);

    adit_vulkan_queue_drain(self->queue);
    self->n_memories--;
    for (guint i = 0; i <= ADIT_ARENA_OPTIMIZER; i++) {
        adit_vulkan_copies_forget(self, &memory->arenas[i]);
        adit_vulkan_buffer_clear(self, &memory->arenas[i]);
    }
    adit_vulkan_copies_forget(self, &memory->block);
    adit_vulkan_buffer_clear(self, &memory->block);
    adit_vulkan_buffer_clear(self, &memory->ring);
    g_free(memory);
}

/* The first call finds a block of zeros. */
static gboolean
make_block(AditVulkanDevice *self, AditMemory *memory, GError **error)
{
    gsize block = ADIT_BLOCK_WORDS * sizeof(guint32);
    gsize ring = (gsize) ADIT_RING_SLOTS * ADIT_RING_WORDS * sizeof(guint32);

    if (!adit_vulkan_buffer_init(self, &memory->block, block, ADIT_VULKAN_ON_DEVICE,
                                 "the block of a call", error) ||
        !adit_vulkan_buffer_init(self, &memory->ring, ring, ADIT_VULKAN_FOR_WRITING,
                                 "the ring of calls", error))
        return FALSE;
    adit_vulkan_zero(self, &memory->block);
    return TRUE;
}

static AditMemory *
allocate(AditDevice *device, const AditLayout *layout, guint n_slots, GError **error)
{
    AditVulkanDevice *self = ADIT_VULKAN_DEVICE(device);
    const struct {
        AditArena arena;
        gsize count;
        const char *what;
    } arenas[] = {
        {ADIT_ARENA_PARAMETERS, layout->n_parameters, "parameters"},
        {ADIT_ARENA_GRADIENTS, layout->n_parameters, "gradients"},
        {ADIT_ARENA_STATES, layout->n_states, "states"},
        {ADIT_ARENA_OPTIMIZER, layout->n_parameters * n_slots, "the optimizer's state"},
    };
    AditMemory *memory = g_new0(AditMemory, 1);

    self->n_memories++;
    for (guint i = 0; i < G_N_ELEMENTS(arenas); i++) {
        AditVulkanBuffer *buffer = &memory->arenas[arenas[i].arena];

        if (!adit_vulkan_buffer_init(self, buffer, arenas[i].count * sizeof(float),
                                     ADIT_VULKAN_ON_DEVICE, arenas[i].what, error)) {
            free_memory(device, memory);
            return NULL;
        }
        adit_vulkan_zero(self, buffer);
    }
    if (make_block(self, memory, error))
        return memory;
    free_memory(device, memory);
    return NULL;
}

static void
transfer(AditDevice *device, AditMemory *memory, AditArena arena, gsize offset, gsize count,
         double *values, gboolean write)
{
    AditVulkanDevice *self = ADIT_VULKAN_DEVICE(device);
    const AditVulkanBuffer *buffer = &memory->arenas[arena];
    gsize first = offset * sizeof(float), size = count * sizeof(float);
    g_autofree float *numbers = g_new(float, count + 1);

    if (!write)
        adit_vulkan_read(self, buffer, first, size, numbers);
    for (gsize i = 0; i < count; i++) {
        if (write)
            numbers[i] = (float) values[i];
        else
            values[i] = (double) numbers[i];
    }
    if (write)
        adit_vulkan_write(self, buffer, first, size, numbers);
}

static AditExecutable *
prepare(AditDevice *device, AditProgram *program, AditMemory *memory, gsize max_rows, guint64 seed,
        GError **error)
{
    return adit_vulkan_executable_new(ADIT_VULKAN_DEVICE(device), program, memory, max_rows, seed,
                                      error);
}

static void
free_executable(AditDevice *device, AditExecutable *executable)
{
    adit_vulkan_executable_free(executable);
}

static void
run(AditDevice *device, AditExecutable *executable, const AditCall *call)
{
    AditDeviceRun only = {executable, *call};

    if (!adit_vulkan_join_run(ADIT_VULKAN_DEVICE(device), &only, 1))
        adit_vulkan_executable_run(executable, call);
}

static void
run_all(AditDevice *device, const AditDeviceRun *runs, guint n)
{
    if (n > 1 && adit_vulkan_join_run(ADIT_VULKAN_DEVICE(device), runs, n))
        return;
    for (guint i = 0; i < n; i++)
        run(device, runs[i].executable, &runs[i].call);
}

static void
run_together(AditDevice *device, const AditDeviceStep *steps, guint n)
{
    adit_vulkan_together_run(ADIT_VULKAN_DEVICE(device), steps, n);
}

static gboolean
wait(AditDevice *device, GError **error)
{
    AditVulkanDevice *self = ADIT_VULKAN_DEVICE(device);

    if (adit_vulkan_queue_finish(self->queue))
        return TRUE;
    g_propagate_error(error, g_error_copy(self->error));
    return FALSE;
}

static gboolean
is_finite(AditDevice *device, AditMemory *memory, guint64 *step)
{
    AditVulkanDevice *self = ADIT_VULKAN_DEVICE(device);
    guint32 status[ADIT_BLOCK_FAILED_STEP + 2];
    const guint32 well = 0;

    adit_vulkan_read(self, &memory->block, 0, sizeof status, status);
    if (status[ADIT_BLOCK_STATUS] == 0)
        return TRUE;
    if (step != NULL)
        *step = status[ADIT_BLOCK_FAILED_STEP] | (guint64) status[ADIT_BLOCK_FAILED_STEP + 1] << 32;
    adit_vulkan_write(self, &memory->block, 0, sizeof well, &well);
    return FALSE;
}

static void
read_sums(AditDevice *device, AditExecutable *executable, double *sums)
{
    adit_vulkan_executable_read_sums(executable, sums);
}

static void
set_sums(AditDevice *device, AditExecutable *executable, const double *sums)
{
    adit_vulkan_executable_set_sums(executable, sums);
}

static void
read_output(AditDevice *device, AditExecutable *executable, guint output, double *values)
{
    adit_vulkan_executable_read_output(executable, output, values);
}

static gsize
read_left(AditDevice *device, AditExecutable *executable, gint32 *rows)
{
    return adit_vulkan_executable_read_left(executable, rows);
}

static gboolean
set_form(AditDevice *device, const char *kernel, AditKernelForm form)
{
    AditVulkanDevice *self = ADIT_VULKAN_DEVICE(device);

    if (strcmp(kernel, "fused") != 0)
        return adit_vulkan_kernel_set_form(self, kernel, form);
    /* the plain form is one kernel for each operation */
    if (form == ADIT_FORM_SUBGROUP || (form == ADIT_FORM_OPTIMISED && !self->can_fuse))
        return FALSE;
    self->fuses = form == ADIT_FORM_OPTIMISED;
    return TRUE;
}

static void
count(AditDevice *device, AditDeviceCounts *counts)
{
    AditVulkanDevice *self = ADIT_VULKAN_DEVICE(device);

    *counts = (AditDeviceCounts){
        .calls = self->dispatches, .barriers = self->barriers, .bytes = self->allocated};
}

static void
describe(AditDevice *device, JsonObject *object)
{
    AditVulkanDevice *self = ADIT_VULKAN_DEVICE(device);

    adit_vulkan_physical_describe(self->physical, object);
    json_object_set_string_member(object, "path", self->fuses ? "walk" : "plain");
}

/* ---- making and unmaking ---- */

static gboolean
make_device(AditVulkanDevice *self, GError **error)
{
    const AditVulkanPhysical *physical = self->physical;
    const char *extensions[4];
    guint n_extensions = 0;
    const float priority = 1;
    VkDeviceQueueCreateInfo queue = {.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
                                     .queueFamilyIndex = physical->queue_family,
                                     .queueCount = 1,
                                     .pQueuePriorities = &priority};
    VkPhysicalDeviceFaultFeaturesEXT fault = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FAULT_FEATURES_EXT, .deviceFault = VK_TRUE};
    VkPhysicalDeviceSubgroupSizeControlFeatures subgroups = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES,
        .subgroupSizeControl = VK_TRUE,
        .computeFullSubgroups = VK_TRUE};
    VkPhysicalDeviceVulkan12Features features = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES,
        .timelineSemaphore = VK_TRUE};
    if (physical->has_portability_subset)
        extensions[n_extensions++] = "VK_KHR_portability_subset";
    if (physical->has_device_fault) {
        extensions[n_extensions++] = VK_EXT_DEVICE_FAULT_EXTENSION_NAME;
        fault.pNext = features.pNext;
        features.pNext = &fault;
    }
    if (physical->subgroup_full) {
        extensions[n_extensions++] = VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME;
        subgroups.pNext = features.pNext;
        features.pNext = &subgroups;
    }
    VkDeviceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
                               .pNext = &features,
                               .queueCreateInfoCount = 1,
                               .pQueueCreateInfos = &queue,
                               .enabledExtensionCount = n_extensions,
                               .ppEnabledExtensionNames = extensions};
    VkResult result =
        self->instance->api.CreateDevice(physical->handle, &info, NULL, &self->handle);
    if (result != VK_SUCCESS) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_NO_DEVICE, "device '%s' cannot be opened: %s",
                    physical->name, adit_vulkan_result_get_name(result));
        return FALSE;
    }
    if (!adit_vulkan_api_load_device(&self->api, self->handle, error)) {
        /* with half of the entry points there is nothing to tear down with */
        if (self->api.DestroyDevice != NULL)
            self->api.DestroyDevice(self->handle, NULL);
        self->handle = VK_NULL_HANDLE;
        return FALSE;
    }
    self->api.GetDeviceQueue(self->handle, physical->queue_family, 0, &self->queue_handle);
    return TRUE;
}

/* One layout for all kernels: those that are not used by one are bound to something all the same.
 */
static VkResult
make_layout(AditVulkanDevice *self)
{
    VkDescriptorSetLayoutBinding bindings[ADIT_VULKAN_BINDINGS];
    for (guint i = 0; i < ADIT_VULKAN_BINDINGS; i++)
        bindings[i] =
            (VkDescriptorSetLayoutBinding){.binding = i,
                                           .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                                           .descriptorCount = 1,
                                           .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT};
    VkDescriptorSetLayoutCreateInfo set = {.sType =
                                               VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
                                           .bindingCount = ADIT_VULKAN_BINDINGS,
                                           .pBindings = bindings};
    VkPushConstantRange push = {.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
                                .size = sizeof(AditVulkanPush)};
    VkPipelineLayoutCreateInfo layout = {.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
                                         .setLayoutCount = 1,
                                         .pSetLayouts = &self->set_layout,
                                         .pushConstantRangeCount = 1,
                                         .pPushConstantRanges = &push};
    VkResult result =
        self->api.CreateDescriptorSetLayout(self->handle, &set, NULL, &self->set_layout);

    if (result == VK_SUCCESS)
        result = self->api.CreatePipelineLayout(self->handle, &layout, NULL, &self->layout);
    return result;
}

/* A device that has no memory, or fails with the first that it is given to do, is not opened. */
static gboolean
make_staging(AditVulkanDevice *self, GError **error)
{
    if (!adit_vulkan_buffer_init(self, &self->staging, ADIT_VULKAN_STAGING, ADIT_VULKAN_FOR_READING,
                                 "staging", error))
        return FALSE;
    adit_vulkan_zero(self, &self->staging);
    return wait(ADIT_DEVICE(self), error);
}

static gboolean
set_up(AditVulkanDevice *self, GError **error)
{
    VkCommandPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                    .queueFamilyIndex = self->physical->queue_family};

    if (!make_device(self, error))
        return FALSE;
    self->cache = adit_vulkan_pipeline_cache_load(&self->api, self->handle, self->physical);
    VkResult result = self->api.CreateCommandPool(self->handle, &pool, NULL, &self->pool);
    if (result == VK_SUCCESS)
        result = make_layout(self);
    if (result != VK_SUCCESS)
        adit_vulkan_fail(self, result, "being set up");
    self->queue = adit_vulkan_queue_new(self);
    if (self->error != NULL) {
        g_propagate_error(error, g_error_copy(self->error));
        return FALSE;
    }
    return make_staging(self, error);
}

/* Buffers that are kept by what is in them. */
static void
free_kept(AditVulkanDevice *self, GHashTable *table)
{
    GHashTableIter iter;
    gpointer buffer;

    g_hash_table_iter_init(&iter, table);
    while (g_hash_table_iter_next(&iter, NULL, &buffer)) {
        adit_vulkan_buffer_clear(self, buffer);
        g_free(buffer);
    }
    g_hash_table_remove_all(table);
}

static void
tear_down(AditVulkanDevice *self)
{
    const AditVulkanApi *api = &self->api;

    api->DeviceWaitIdle(self->handle);
    if (self->error == NULL)
        adit_vulkan_pipeline_cache_save(api, self->handle, self->physical, self->cache);
    g_ptr_array_set_size(self->together, 0);
    adit_vulkan_kernels_clear(self);
    free_kept(self, self->arrays);
    free_kept(self, self->words);
    adit_vulkan_buffer_clear(self, &self->staging);
    g_clear_pointer(&self->queue, adit_vulkan_queue_free);
    api->DestroyPipelineCache(self->handle, self->cache, NULL);
    api->DestroyPipelineLayout(self->handle, self->layout, NULL);
    api->DestroyDescriptorSetLayout(self->handle, self->set_layout, NULL);
    api->DestroyCommandPool(self->handle, self->pool, NULL);
    api->DestroyDevice(self->handle, NULL);
}

static void
adit_vulkan_device_finalize(GObject *object)
{
    AditVulkanDevice *self = ADIT_VULKAN_DEVICE(object);

    if (self->handle != VK_NULL_HANDLE)
        tear_down(self);
    g_hash_table_unref(self->kernels);
    g_hash_table_unref(self->forms);
    g_hash_table_unref(self->copies);
    g_hash_table_unref(self->arrays);
    g_hash_table_unref(self->words);
    g_ptr_array_unref(self->together);
    g_clear_error(&self->error);
    g_clear_pointer(&self->instance, adit_vulkan_instance_unref);
    G_OBJECT_CLASS(adit_vulkan_device_parent_class)->finalize(object);
}

static void
adit_vulkan_device_class_init(AditVulkanDeviceClass *klass)
{
    AditDeviceClass *device_class = ADIT_DEVICE_CLASS(klass);

    G_OBJECT_CLASS(klass)->finalize = adit_vulkan_device_finalize;
    device_class->allocate = allocate;
    device_class->free_memory = free_memory;
    device_class->transfer = transfer;
    device_class->prepare = prepare;
    device_class->free_executable = free_executable;
    device_class->run = run;
    device_class->run_all = run_all;
    device_class->run_together = run_together;
    device_class->wait = wait;
    device_class->is_finite = is_finite;
    device_class->read_sums = read_sums;
    device_class->set_sums = set_sums;
    device_class->read_output = read_output;
    device_class->read_left = read_left;
    device_class->set_form = set_form;
    device_class->describe = describe;
    device_class->count = count;
}

static void
adit_vulkan_device_init(AditVulkanDevice *self)
{
    self->kernels = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    self->forms = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    self->copies = adit_vulkan_copies_new();
    self->together = adit_vulkan_together_table_new();
    self->arrays = g_hash_table_new_full(g_direct_hash, g_direct_equal,
                                         (GDestroyNotify) adit_array_unref, NULL);
    self->words =
        g_hash_table_new_full(g_bytes_hash, g_bytes_equal, (GDestroyNotify) g_bytes_unref, NULL);
}

AditDevice *
adit_vulkan_device_new(AditVulkanInstance *instance, const AditVulkanPhysical *physical,
                       GError **error)
{
    g_autoptr(AditVulkanDevice) self = g_object_new(ADIT_TYPE_VULKAN_DEVICE, NULL);

    self->instance = adit_vulkan_instance_ref(instance);
    self->physical = physical;
    self->api = instance->api;
    self->can_fuse = adit_shader_can_compile() && adit_may_fuse();
    self->fuses = self->can_fuse;
    return set_up(self, error) ? ADIT_DEVICE(g_steal_pointer(&self)) : NULL;
}
