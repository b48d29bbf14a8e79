/* tests/support/vulkan-shim/test-vulkan-shim.c - SPDX-License-Identifier: MIT */
#include "adit-vulkan-shim.h"
#include "bare.h"

#include <glib/gstdio.h>
#include <string.h>

#define STORAGE VK_DESCRIPTOR_TYPE_STORAGE_BUFFER
#define DYNAMIC VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC

static const guint32 fill_words[] = {
#include "fill.comp.inc"
};
static const guint32 measured_words[] = {
#include "measured.comp.inc"
};
static const guint32 fixed_words[] = {
#include "fixed.comp.inc"
};
static const guint32 subgroups_words[] = {
#include "subgroups.comp.inc"
};

/* Runs the test's own process again, with the environment's ADIT_SHIM; it must end at a check. */
static void
assert_ends(const char *expected)
{
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_failed();
    g_test_trap_assert_stderr(expected);
}

/* Faults */

/* Writes @word to all of a buffer. */
static VkResult
fill(Bare *bare, const BareBuffer *buffer, guint32 word)
{
    bare_begin(bare);
    bare->api.CmdFillBuffer(bare->commands, buffer->buffer, 0, VK_WHOLE_SIZE, word);
    return bare_submit(bare);
}

static void
assert_lost(Bare *bare, const BareBuffer *buffer)
{
    VkResult lost = VK_ERROR_DEVICE_LOST;
    guint64 value;
    void *data;

    g_assert_cmpint(bare_wait(bare), ==, lost);
    g_assert_cmpint(fill(bare, buffer, 99), ==, lost);
    g_assert_cmpint(bare->api.DeviceWaitIdle(bare->device), ==, lost);
    g_assert_cmpint(bare->api.GetSemaphoreCounterValue(bare->device, bare->timeline, &value), ==,
                    lost);
    g_assert_cmpint(bare->api.MapMemory(bare->device, buffer->memory, 0, 4, 0, &data), ==, lost);
    g_assert_cmpuint(buffer->words[0], !=, 99);
}

static void
assert_works(Bare *bare, BareBuffer *buffer)
{
    g_assert_cmpint(fill(bare, buffer, 7), ==, VK_SUCCESS);
    g_assert_cmpint(bare_wait(bare), ==, VK_SUCCESS);
    g_assert_cmpuint(buffer->words[0], ==, 7);
}

static void
test_lost(void)
{
    Bare bare;

    adit_shim_configure("lost:3");
    bare_open(&bare);
    BareBuffer buffer = bare_buffer(&bare, 64);
    assert_works(&bare, &buffer);
    g_assert_cmpint(fill(&bare, &buffer, 8), ==, VK_ERROR_DEVICE_LOST);
    assert_lost(&bare, &buffer);
    g_assert_cmpuint(buffer.words[0], ==, 7);
    bare_buffer_clear(&bare, &buffer);
    bare_close_device(&bare);

    bare_open_device(&bare);
    buffer = bare_buffer(&bare, 64);
    for (guint i = 0; i < 3; i++)
        assert_works(&bare, &buffer);
    bare_buffer_clear(&bare, &buffer);
    bare_close(&bare);
}

/* Others that are there at the same time are not lost. */
static void
test_lost_alone(void)
{
    Bare lost, other;

    adit_shim_configure("lost:2");
    bare_open(&lost);
    bare_open(&other);
    BareBuffer lost_buffer = bare_buffer(&lost, 64), other_buffer = bare_buffer(&other, 64);
    g_assert_cmpint(fill(&lost, &lost_buffer, 8), ==, VK_SUCCESS);
    assert_lost(&lost, &lost_buffer);
    assert_works(&other, &other_buffer);
    bare_buffer_clear(&lost, &lost_buffer);
    bare_buffer_clear(&other, &other_buffer);
    bare_close(&lost);
    bare_close(&other);
}

static void
test_lost_again(void)
{
    Bare bare;

    adit_shim_configure("lost-submit:2:2");
    bare_open_instance(&bare, FALSE);
    for (guint i = 0; i < 3; i++) {
        bare_open_device(&bare);
        BareBuffer buffer = bare_buffer(&bare, 64);
        assert_works(&bare, &buffer);
        g_assert_cmpint(fill(&bare, &buffer, 8), ==, i < 2 ? VK_ERROR_DEVICE_LOST : VK_SUCCESS);
        if (i < 2)
            assert_lost(&bare, &buffer);
        else
            assert_works(&bare, &buffer);
        bare_buffer_clear(&bare, &buffer);
        bare_close_device(&bare);
    }
    bare_close_instance(&bare);
}

/* What was submitted before is done, so that all may be destroyed: the validation is content. */
static void
test_lost_wait(void)
{
    Bare bare;

    adit_shim_configure("lost-wait:2");
    bare_open_instance(&bare, TRUE);
    bare_open_device(&bare);
    BareBuffer buffer = bare_buffer(&bare, 64);
    assert_works(&bare, &buffer);
    g_assert_cmpint(fill(&bare, &buffer, 8), ==, VK_SUCCESS);
    g_assert_cmpint(bare_wait(&bare), ==, VK_ERROR_DEVICE_LOST);
    g_assert_cmpuint(buffer.words[0], ==, 8);
    assert_lost(&bare, &buffer);
    bare_buffer_clear(&bare, &buffer);
    bare_close(&bare);
    g_assert_cmpint(bare.n_messages, ==, 0);
}

static gpointer
wait_in_thread(gpointer data)
{
    return GINT_TO_POINTER(bare_wait(data));
}

/* A wait that is under way ends. */
static void
test_lost_while_waiting(void)
{
    Bare bare;

    adit_shim_configure("lost-submit:1");
    bare_open(&bare);
    bare.value = 1;
    g_autoptr(GThread) thread = g_thread_new("wait", wait_in_thread, &bare);
    while (adit_shim_count("vkWaitSemaphores") == 0)
        g_usleep(1000);
    BareBuffer buffer = bare_buffer(&bare, 64);
    g_assert_cmpint(fill(&bare, &buffer, 8), ==, VK_ERROR_DEVICE_LOST);
    g_assert_cmpint(GPOINTER_TO_INT(g_thread_join(g_steal_pointer(&thread))), ==,
                    VK_ERROR_DEVICE_LOST);
    bare_buffer_clear(&bare, &buffer);
    bare_close(&bare);
}

/* Allocates @bytes so often, and says which of it worked: "11011". */
static char *
allocate(gsize bytes, guint times)
{
    GString *worked = g_string_new(NULL);
    g_autofree VkDeviceMemory *memory = g_new0(VkDeviceMemory, times);
    Bare bare;

    bare_open(&bare);
    for (guint i = 0; i < times; i++) {
        VkResult result = bare_allocate(&bare, bytes, &memory[i]);
        g_string_append_c(worked, result == VK_SUCCESS ? '1' : '0');
        if (result != VK_SUCCESS)
            g_assert_cmpint(result, ==, VK_ERROR_OUT_OF_DEVICE_MEMORY);
    }
    for (guint i = 0; i < times; i++)
        bare.api.FreeMemory(bare.device, memory[i], NULL);
    bare_close(&bare);
    return g_string_free(worked, FALSE);
}

static void
test_memory(void)
{
    static const struct {
        const char *text;
        const char *expected;
    } cases[] = {
        {"", "11111"},          {"memory:2", "10111"},  {"memory:3+", "11000"},
        {"heap:3000", "11000"}, {"heap:4999", "11110"}, {"heap:5000", "11111"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        adit_shim_configure(cases[i].text);
        g_autofree char *got = allocate(g_str_has_prefix(cases[i].text, "heap:3") ? 1500 : 1000, 5);
        g_assert_cmpstr(got, ==, cases[i].expected);
    }
}

/* What is freed can be allocated again, and what a device had when it was destroyed. */
static void
test_heap_again(void)
{
    Bare bare;
    VkDeviceMemory memory[2];

    adit_shim_configure("heap:1000");
    bare_open(&bare);
    g_assert_cmpint(bare_allocate(&bare, 900, &memory[0]), ==, VK_SUCCESS);
    g_assert_cmpint(bare_allocate(&bare, 101, &memory[1]), ==, VK_ERROR_OUT_OF_DEVICE_MEMORY);
    bare.api.FreeMemory(bare.device, memory[0], NULL);
    g_assert_cmpint(bare_allocate(&bare, 901, &memory[0]), ==, VK_SUCCESS);
    bare.api.FreeMemory(bare.device, memory[0], NULL);
    bare_close(&bare);
}

static void
test_heap_reported(void)
{
    const guint64 cut = 1 << 20;
    VkPhysicalDeviceMemoryBudgetPropertiesEXT budget = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT};
    VkPhysicalDeviceMemoryProperties2 memory = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2, .pNext = &budget};
    Bare bare;

    adit_shim_reset();
    bare_open_instance(&bare, FALSE);
    bare.api.GetPhysicalDeviceMemoryProperties2(bare.physical, &memory);
    g_assert_cmpuint(memory.memoryProperties.memoryHeaps[0].size, >, cut);
    adit_shim_configure("heap:1048576");
    /* a driver without budgets leaves it alone */
    for (guint i = 0; i < VK_MAX_MEMORY_HEAPS; i++)
        budget.heapBudget[i] = 3 * cut;
    bare.api.GetPhysicalDeviceMemoryProperties2(bare.physical, &memory);
    for (guint i = 0; i < memory.memoryProperties.memoryHeapCount; i++) {
        g_assert_cmpuint(memory.memoryProperties.memoryHeaps[i].size, ==, cut);
        g_assert_cmpuint(budget.heapBudget[i], ==, cut);
    }
    bare_close_instance(&bare);
}

/* Fills a buffer and copies it, with a barrier between. Returns: messages of the validation */
static int
copy_behind_barrier(void)
{
    VkMemoryBarrier barrier = {.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
                               .srcAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT,
                               .dstAccessMask = VK_ACCESS_TRANSFER_READ_BIT};
    VkBufferCopy region = {.size = 64};
    Bare bare;

    bare_open_instance(&bare, TRUE);
    bare_open_device(&bare);
    BareBuffer from = bare_buffer(&bare, 64), to = bare_buffer(&bare, 64);
    bare_begin(&bare);
    bare.api.CmdFillBuffer(bare.commands, from.buffer, 0, VK_WHOLE_SIZE, 5);
    bare.api.CmdPipelineBarrier(bare.commands, VK_PIPELINE_STAGE_TRANSFER_BIT,
                                VK_PIPELINE_STAGE_TRANSFER_BIT, 0, 1, &barrier, 0, NULL, 0, NULL);
    bare.api.CmdCopyBuffer(bare.commands, from.buffer, to.buffer, 1, &region);
    g_assert_cmpint(bare_submit(&bare), ==, VK_SUCCESS);
    g_assert_cmpint(bare_wait(&bare), ==, VK_SUCCESS);
    bare_buffer_clear(&bare, &from);
    bare_buffer_clear(&bare, &to);
    bare_close(&bare);
    return bare.n_messages;
}

static void
test_no_barrier(void)
{
    adit_shim_reset();
    g_assert_cmpint(copy_behind_barrier(), ==, 0);
    adit_shim_configure("nobarrier:2");
    g_assert_cmpint(copy_behind_barrier(), ==, 0);
    g_assert_cmpuint(adit_shim_count("vkCmdPipelineBarrier"), ==, 1);
    g_assert_cmpint(copy_behind_barrier(), ==, 1);
    g_assert_cmpint(copy_behind_barrier(), ==, 0);
}

/* Limits */

static void
get_properties(Bare *bare, VkPhysicalDeviceProperties2 *properties, gpointer chain)
{
    *properties = (VkPhysicalDeviceProperties2){
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, .pNext = chain};
    bare->api.GetPhysicalDeviceProperties2(bare->physical, properties);
}

static void
test_small(void)
{
    VkPhysicalDeviceProperties2 properties;
    const VkPhysicalDeviceLimits *limits = &properties.properties.limits;
    Bare bare;

    adit_shim_configure("small,groups:100");
    bare_open_instance(&bare, FALSE);
    get_properties(&bare, &properties, NULL);
    g_assert_cmpuint(limits->maxComputeSharedMemorySize, ==, 16384);
    g_assert_cmpuint(limits->maxComputeWorkGroupInvocations, ==, 128);
    g_assert_cmpuint(limits->maxPerStageDescriptorStorageBuffers, ==, 8);
    g_assert_cmpuint(limits->maxDescriptorSetStorageBuffers, ==, 8);
    g_assert_cmpuint(limits->maxStorageBufferRange, ==, 1 << 20);
    g_assert_cmpuint(limits->minStorageBufferOffsetAlignment, ==, 256);
    g_assert_cmpuint(limits->maxPushConstantsSize, ==, 128);
    for (guint i = 0; i < 3; i++) {
        g_assert_cmpuint(limits->maxComputeWorkGroupCount[i], ==, 100);
        g_assert_cmpuint(limits->maxComputeWorkGroupSize[i], <=, 128);
    }
    bare_close_instance(&bare);
}

/* A limit above the driver's is not reported. */
static void
test_large(void)
{
    VkPhysicalDeviceProperties2 real, properties;
    Bare bare;

    adit_shim_reset();
    bare_open_instance(&bare, FALSE);
    get_properties(&bare, &real, NULL);
    adit_shim_configure("shared:99999999999,invocations:1000000,buffers:4000000,groups:4294967295,"
                        "range:99999999999,alignment:1,push:1000000");
    get_properties(&bare, &properties, NULL);
    g_assert_cmpmem(&properties.properties.limits, sizeof properties.properties.limits,
                    &real.properties.limits, sizeof real.properties.limits);
    bare_close_instance(&bare);
}

static void
test_allocation_reported(void)
{
    VkPhysicalDeviceVulkan11Properties versioned = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_PROPERTIES};
    VkPhysicalDeviceMaintenance3Properties maintenance = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES, .pNext = &versioned};
    VkPhysicalDeviceProperties2 properties;
    Bare bare;

    adit_shim_configure("allocation:1000000");
    bare_open_instance(&bare, FALSE);
    get_properties(&bare, &properties, &maintenance);
    g_assert_cmpuint(maintenance.maxMemoryAllocationSize, ==, 1000000);
    g_assert_cmpuint(versioned.maxMemoryAllocationSize, ==, 1000000);
    bare_close_instance(&bare);
}

/* What is told of subgroups: their size, what they can do, the size that can be asked for. */
static void
get_subgroups(Bare *bare, guint *told)
{
    VkPhysicalDeviceSubgroupSizeControlProperties control = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_PROPERTIES};
    VkPhysicalDeviceVulkan13Properties versioned_control = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_PROPERTIES, .pNext = &control};
    VkPhysicalDeviceVulkan11Properties versioned = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_PROPERTIES,
        .pNext = &versioned_control};
    VkPhysicalDeviceSubgroupProperties subgroups = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES, .pNext = &versioned};
    VkPhysicalDeviceSubgroupSizeControlFeatures features = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES};
    VkPhysicalDeviceFeatures2 all = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2,
                                     .pNext = &features};
    VkPhysicalDeviceProperties2 properties;

    get_properties(bare, &properties, &subgroups);
    bare->api.GetPhysicalDeviceFeatures2(bare->physical, &all);
    told[0] = subgroups.subgroupSize;
    told[1] = subgroups.supportedOperations;
    told[2] = versioned.subgroupSize;
    told[3] = versioned.subgroupSupportedOperations;
    told[4] = control.maxSubgroupSize;
    told[5] = versioned_control.maxSubgroupSize;
    told[6] = features.subgroupSizeControl;
    told[7] = features.computeFullSubgroups;
    /* the rest of the structure stays */
    g_assert_cmpuint(versioned.maxMemoryAllocationSize, >, 0);
}

static void
test_subgroups(void)
{
    guint told[8];
    Bare bare;

    adit_shim_reset();
    bare_open_instance(&bare, FALSE);
    get_subgroups(&bare, told);
    for (guint i = 0; i < G_N_ELEMENTS(told); i++)
        g_assert_cmpuint(told[i], >, 0);
    adit_shim_configure("subgroups:none");
    get_subgroups(&bare, told);
    for (guint i = 0; i < G_N_ELEMENTS(told); i++)
        g_assert_cmpuint(told[i], ==, 0);
    bare_close_instance(&bare);
}

/* Calls that take an amount of something. */

static void
call_dispatch(Bare *bare, guint n, guint axis)
{
    BareKernel kernel = bare_kernel(bare, STORAGE, fill_words, sizeof fill_words, NULL, 0);
    BareBuffer buffer = bare_buffer(bare, 4096);
    guint groups[] = {1, 1, 1};

    groups[axis] = n;
    bare_update(bare, &kernel, STORAGE, buffer.buffer, 0, VK_WHOLE_SIZE);
    bare_begin(bare);
    bare->api.CmdBindPipeline(bare->commands, VK_PIPELINE_BIND_POINT_COMPUTE, kernel.pipeline);
    bare->api.CmdBindDescriptorSets(bare->commands, VK_PIPELINE_BIND_POINT_COMPUTE, kernel.layout,
                                    0, 1, &kernel.set, 0, NULL);
    bare->api.CmdDispatch(bare->commands, groups[0], groups[1], groups[2]);
    g_assert_cmpint(bare_submit(bare), ==, VK_SUCCESS);
    g_assert_cmpint(bare_wait(bare), ==, VK_SUCCESS);
    for (guint i = 0; i < groups[0]; i++)
        g_assert_cmpuint(buffer.words[i], ==, i + 1);
    bare_buffer_clear(bare, &buffer);
    bare_kernel_clear(bare, &kernel);
}

static void
call_dispatch_x(Bare *bare, guint n)
{
    call_dispatch(bare, n, 0);
}

static void
call_dispatch_z(Bare *bare, guint n)
{
    call_dispatch(bare, n, 2);
}

static void
call_push(Bare *bare, guint n)
{
    static const guint8 bytes[256];
    VkPhysicalDeviceProperties2 properties;

    get_properties(bare, &properties, NULL);
    VkPipelineLayout layout =
        bare_layout(bare, 0, NULL, properties.properties.limits.maxPushConstantsSize);
    bare_begin(bare);
    bare->api.CmdPushConstants(bare->commands, layout, VK_SHADER_STAGE_COMPUTE_BIT, 4, n - 4,
                               bytes);
    g_assert_cmpint(bare->api.EndCommandBuffer(bare->commands), ==, VK_SUCCESS);
    bare->api.DestroyPipelineLayout(bare->device, layout, NULL);
}

static void
call_push_layout(Bare *bare, guint n)
{
    bare->api.DestroyPipelineLayout(bare->device, bare_layout(bare, 0, NULL, n), NULL);
}

static void
call_set_layout(Bare *bare, guint n)
{
    bare->api.DestroyDescriptorSetLayout(bare->device, bare_set_layout(bare, n, STORAGE), NULL);
}

/* All of them in one binding. */
static void
call_array_layout(Bare *bare, guint n)
{
    VkDescriptorSetLayoutBinding binding = {
        .descriptorType = STORAGE, .descriptorCount = n, .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT};
    VkDescriptorSetLayoutCreateInfo info = {.sType =
                                                VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
                                            .bindingCount = 1,
                                            .pBindings = &binding};
    VkDescriptorSetLayout layout;

    g_assert_cmpint(bare->api.CreateDescriptorSetLayout(bare->device, &info, NULL, &layout), ==,
                    VK_SUCCESS);
    bare->api.DestroyDescriptorSetLayout(bare->device, layout, NULL);
}

static void
call_several_sets(Bare *bare, guint n)
{
    VkDescriptorSetLayout single = bare_set_layout(bare, 1, DYNAMIC);
    VkDescriptorSetLayout sets[] = {single, single, single, single};

    bare->api.DestroyPipelineLayout(bare->device, bare_layout(bare, n, sets, 0), NULL);
    bare->api.DestroyDescriptorSetLayout(bare->device, single, NULL);
}

static void
call_update(Bare *bare, gsize bytes, guint64 offset, guint64 range)
{
    BareKernel kernel = bare_kernel(bare, STORAGE, fill_words, sizeof fill_words, NULL, 0);
    BareBuffer buffer = bare_buffer(bare, bytes);

    bare_update(bare, &kernel, STORAGE, buffer.buffer, offset, range);
    bare_buffer_clear(bare, &buffer);
    bare_kernel_clear(bare, &kernel);
}

static void
call_range(Bare *bare, guint n)
{
    call_update(bare, 1 << 21, 0, n);
}

static void
call_whole_range(Bare *bare, guint n)
{
    call_update(bare, 1024 + n, 1024, VK_WHOLE_SIZE);
}

static void
call_offset(Bare *bare, guint n)
{
    call_update(bare, 4096, n, 64);
}

static void
call_dynamic_offset(Bare *bare, guint n)
{
    BareKernel kernel = bare_kernel(bare, DYNAMIC, fill_words, sizeof fill_words, NULL, 0);
    BareBuffer buffer = bare_buffer(bare, 4096);

    bare_update(bare, &kernel, DYNAMIC, buffer.buffer, 0, 64);
    bare_begin(bare);
    bare->api.CmdBindDescriptorSets(bare->commands, VK_PIPELINE_BIND_POINT_COMPUTE, kernel.layout,
                                    0, 1, &kernel.set, 1, &n);
    g_assert_cmpint(bare->api.EndCommandBuffer(bare->commands), ==, VK_SUCCESS);
    bare_buffer_clear(bare, &buffer);
    bare_kernel_clear(bare, &kernel);
}

static void
call_allocate(Bare *bare, guint n)
{
    VkDeviceMemory memory;

    g_assert_cmpint(bare_allocate(bare, n, &memory), ==, VK_SUCCESS);
    bare->api.FreeMemory(bare->device, memory, NULL);
}

static void
make_kernel(Bare *bare, const guint32 *words, gsize bytes, const guint32 *constants)
{
    BareKernel kernel = bare_kernel(bare, STORAGE, words, bytes, constants, 4);

    bare_kernel_clear(bare, &kernel);
}

static void
call_invocations(Bare *bare, guint n)
{
    make_kernel(bare, measured_words, sizeof measured_words, (const guint32[]){n / 2, 2, 4, 0});
}

static void
call_width(Bare *bare, guint n)
{
    make_kernel(bare, measured_words, sizeof measured_words, (const guint32[]){n, 1, 4, 0});
}

static void
call_fixed(Bare *bare, guint n)
{
    make_kernel(bare, fixed_words, sizeof fixed_words, (const guint32[]){0, 0, 4, 0});
}

/* By the shader's comments: 16 n (n + 1) + 8 10 + 4 2 3 + 36 + 4 n / 2 bytes for n rows. */
static void
call_shared(Bare *bare, guint n)
{
    make_kernel(bare, measured_words, sizeof measured_words, (const guint32[]){10, 1, n, 0});
}

/* 4 2 64 bytes of flags instead. */
static void
call_wide_shared(Bare *bare, guint n)
{
    make_kernel(bare, measured_words, sizeof measured_words, (const guint32[]){10, 1, n, 1});
}

static void
call_module(Bare *bare, guint n)
{
    VkShaderModule module = n == 0 ? bare_module(bare, measured_words, sizeof measured_words)
                                   : bare_module(bare, subgroups_words, sizeof subgroups_words);

    bare->api.DestroyShaderModule(bare->device, module, NULL);
}

static const struct {
    const char *name;
    const char *text;
    void (*call)(Bare *bare, guint n);
    guint allowed;
    guint refused;
    const char *message;
} limited[] = {
    {"groups", "groups:100", call_dispatch_x, 100, 101,
     "vkCmdDispatch: maxComputeWorkGroupCount[0]: got 101, the device allows 100"},
    {"groups-z", "groups:100", call_dispatch_z, 100, 102,
     "vkCmdDispatch: maxComputeWorkGroupCount[2]: got 102, the device allows 100"},
    {"push", "push:64", call_push, 64, 68,
     "vkCmdPushConstants: maxPushConstantsSize: got 68, the device allows 64"},
    {"push-layout", "push:64", call_push_layout, 64, 68,
     "vkCreatePipelineLayout: maxPushConstantsSize: got 68, the device allows 64"},
    {"buffers", "buffers:8", call_set_layout, 8, 9,
     "vkCreateDescriptorSetLayout: maxPerStageDescriptorStorageBuffers: got 9, the device allows "
     "8"},
    {"buffers-in-array", "buffers:8", call_array_layout, 8, 9,
     "vkCreateDescriptorSetLayout: maxPerStageDescriptorStorageBuffers: got 9, the device allows "
     "8"},
    {"buffers-of-sets", "buffers:3", call_several_sets, 3, 4,
     "vkCreatePipelineLayout: maxPerStageDescriptorStorageBuffers: got 4, the device allows 3"},
    {"range", "range:1048576", call_range, 1048576, 1048580,
     "vkUpdateDescriptorSets: maxStorageBufferRange: got 1048580, the device allows 1048576"},
    {"whole-range", "range:1048576", call_whole_range, 1048576, 1048580,
     "vkUpdateDescriptorSets: maxStorageBufferRange: got 1048580, the device allows 1048576"},
    {"alignment", "alignment:256", call_offset, 512, 320,
     "vkUpdateDescriptorSets: minStorageBufferOffsetAlignment: got offset 320, the device allows "
     "multiples of 256"},
    {"dynamic-alignment", "alignment:256", call_dynamic_offset, 512, 320,
     "vkCmdBindDescriptorSets: minStorageBufferOffsetAlignment: got offset 320, the device allows "
     "multiples of 256"},
    {"allocation", "allocation:65536", call_allocate, 65536, 65537,
     "vkAllocateMemory: maxMemoryAllocationSize: got 65537, the device allows 65536"},
    {"invocations", "invocations:128", call_invocations, 128, 130,
     "vkCreateComputePipelines: maxComputeWorkGroupInvocations: got 130, the device allows 128"},
    {"width", "invocations:128", call_width, 128, 129,
     "vkCreateComputePipelines: maxComputeWorkGroupSize[0]: got 129, the device allows 128"},
    {"fixed-size", "invocations:32,shared:452", call_fixed, 0, 0, NULL},
    {"fixed-invocations", "invocations:31", call_fixed, 0, 0,
     "vkCreateComputePipelines: maxComputeWorkGroupInvocations: got 32, the device allows 31"},
    {"fixed-shared", "shared:451", call_fixed, 0, 0,
     "vkCreateComputePipelines: maxComputeSharedMemorySize: got 452, the device allows 451"},
    {"shared", "shared:1920", call_shared, 10, 12,
     "vkCreateComputePipelines: maxComputeSharedMemorySize: got 2660, the device allows 1920"},
    {"shared-choice", "shared:2408", call_wide_shared, 10, 12,
     "vkCreateComputePipelines: maxComputeSharedMemorySize: got 3148, the device allows 2408"},
    {"subgroups", "subgroups:none", call_module, 0, 1,
     "vkCreateShaderModule: the module uses subgroups, the device has none"},
};

static void
call_with(const char *text, gsize i, guint n)
{
    Bare bare;

    adit_shim_configure(text);
    bare_open(&bare);
    limited[i].call(&bare, n);
    bare_close(&bare);
}

static void
test_limit(gconstpointer data)
{
    gsize i = GPOINTER_TO_SIZE(data);
    g_autofree char *expected = g_strdup_printf("*adit-vulkan-shim: %s\n*", limited[i].message);

    if (g_test_subprocess()) {
        call_with(limited[i].text, i, limited[i].refused);
        return;
    }
    call_with("", i, limited[i].refused);
    if (limited[i].allowed != limited[i].refused || limited[i].message == NULL)
        call_with(limited[i].text, i, limited[i].allowed);
    if (limited[i].message != NULL)
        assert_ends(expected);
}

/* Devices and features */

/* The devices that are reported, each as "type name uuid's last byte driver"; with '|' between. */
static char *
list_devices(Bare *bare)
{
    GString *list = g_string_new(NULL);
    VkPhysicalDevice physicals[16], again[16];
    guint32 n, n_again = G_N_ELEMENTS(again);

    g_assert_cmpint(bare->api.EnumeratePhysicalDevices(bare->instance, &n, NULL), ==, VK_SUCCESS);
    g_assert_cmpint(bare->api.EnumeratePhysicalDevices(bare->instance, &n, physicals), ==,
                    VK_SUCCESS);
    g_assert_cmpint(bare->api.EnumeratePhysicalDevices(bare->instance, &n_again, again), ==,
                    VK_SUCCESS);
    g_assert_cmpmem(again, n_again * sizeof *again, physicals, n * sizeof *physicals);
    for (guint i = 0; i < n; i++) {
        VkPhysicalDeviceDriverProperties driver = {
            .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES};
        VkPhysicalDeviceIDProperties id = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES,
                                           .pNext = &driver};
        VkPhysicalDeviceProperties2 properties;
        bare->physical = physicals[i];
        get_properties(bare, &properties, &id);
        g_string_append_printf(list, "%s%d %.4s %d %d", i > 0 ? "|" : "",
                               properties.properties.deviceType, properties.properties.deviceName,
                               id.deviceUUID[VK_UUID_SIZE - 1], driver.driverID);
    }
    return g_string_free(list, FALSE);
}

static void
test_devices(void)
{
    /* types: 0 other, 1 integrated, 2 discrete, 3 virtual, 4 cpu; 13: llvmpipe */
    static const struct {
        const char *text;
        const char *expected;
    } cases[] = {
        {"", "4 llvm 0 13"},
        {"devices:none", ""},
        {"devices:2", "4 llvm 0 13|4 llvm 1 13"},
        {"duplicate", "4 llvm 0 13|4 llvm 0 13"},
        {"devices:2,duplicate", "4 llvm 0 13|4 llvm 1 13|4 llvm 0 13|4 llvm 1 13"},
        {"type:discrete", "2 llvm 0 13"},
        {"devices:4,type:virtual,type:discrete:1,type:integrated:2,name:Card:1,name:Chip:2,"
         "type:other:3",
         "3 llvm 0 13|2 Card 1 13|1 Chip 2 13|0 llvm 3 13"},
        {"duplicate,driver:1:0,driver:3:1", "4 llvm 0 1|4 llvm 0 3"},
    };
    Bare bare;

    bare_open_instance(&bare, FALSE);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        adit_shim_configure(cases[i].text);
        g_autofree char *got = list_devices(&bare);
        g_assert_cmpstr(got, ==, cases[i].expected);
    }
    bare_close_instance(&bare);
}

static void
test_devices_work(void)
{
    VkPhysicalDevice physicals[3];
    guint32 n = 2;
    Bare bare;

    adit_shim_configure("devices:3,type:discrete:2");
    bare_open_instance(&bare, FALSE);
    g_assert_cmpint(bare.api.EnumeratePhysicalDevices(bare.instance, &n, physicals), ==,
                    VK_INCOMPLETE);
    g_assert_cmpuint(n, ==, 2);
    n = 3;
    g_assert_cmpint(bare.api.EnumeratePhysicalDevices(bare.instance, &n, physicals), ==,
                    VK_SUCCESS);
    bare.physical = physicals[2];
    guint32 n_families = 0, n_extensions = 0;
    bare.api.GetPhysicalDeviceQueueFamilyProperties(bare.physical, &n_families, NULL);
    g_assert_cmpuint(n_families, >, 0);
    g_assert_cmpint(
        bare.api.EnumerateDeviceExtensionProperties(bare.physical, NULL, &n_extensions, NULL), ==,
        VK_SUCCESS);
    g_assert_cmpuint(n_extensions, >, 0);
    bare_open_device(&bare);
    call_dispatch_x(&bare, 10);
    bare_close(&bare);
}

static void
test_api(void)
{
    VkPhysicalDeviceVulkan12Properties later = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_PROPERTIES};
    VkPhysicalDeviceProperties2 properties;
    Bare bare;

    adit_shim_reset();
    bare_open_instance(&bare, FALSE);
    get_properties(&bare, &properties, &later);
    g_assert_cmpuint(properties.properties.apiVersion, >=, VK_API_VERSION_1_2);
    g_assert_cmpuint(later.driverID, !=, 0);
    adit_shim_configure("api:1.1");
    get_properties(&bare, &properties, &later);
    g_assert_cmpuint(properties.properties.apiVersion, ==, VK_API_VERSION_1_1);
    g_assert_cmpuint(later.driverID, ==, 0);
    bare_close_instance(&bare);
}

static gboolean
has_timeline(Bare *bare)
{
    VkPhysicalDeviceTimelineSemaphoreFeatures timeline = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES};
    VkPhysicalDeviceVulkan12Features versioned = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES, .pNext = &timeline};
    VkPhysicalDeviceFeatures2 features = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2,
                                          .pNext = &versioned};

    bare->api.GetPhysicalDeviceFeatures2(bare->physical, &features);
    g_assert_cmpuint(timeline.timelineSemaphore, ==, versioned.timelineSemaphore);
    g_assert_true(versioned.bufferDeviceAddress);
    return timeline.timelineSemaphore;
}

/* What is not there cannot be enabled. */
static void
test_no_timeline(void)
{
    VkPhysicalDeviceVulkan12Features wanted = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES,
        .bufferDeviceAddress = VK_TRUE};
    Bare bare;

    adit_shim_reset();
    bare_open_instance(&bare, FALSE);
    g_assert_true(has_timeline(&bare));
    adit_shim_configure("notimeline");
    g_assert_false(has_timeline(&bare));
    g_assert_cmpint(bare_create_device(&bare, &wanted), ==, VK_SUCCESS);
    PFN_vkDestroyDevice destroy =
        (PFN_vkDestroyDevice) bare.api.GetDeviceProcAddr(bare.device, "vkDestroyDevice");
    destroy(bare.device, NULL);
    wanted.timelineSemaphore = VK_TRUE;
    g_assert_cmpint(bare_create_device(&bare, &wanted), ==, VK_ERROR_FEATURE_NOT_PRESENT);
    bare_close_instance(&bare);
}

/* Counting, look-up, configuration */

static void
test_count(void)
{
    static const struct {
        const char *name;
        guint expected;
    } counts[] = {
        {"vkBeginCommandBuffer", 1},     {"vkCmdDispatch", 1},
        {"vkCmdPipelineBarrier", 0},     {"vkQueueSubmit", 1},
        {"vkWaitSemaphores", 1},         {"vkAllocateMemory", 1},
        {"vkCreateComputePipelines", 1}, {"vkAllocateDescriptorSets", 1},
        {"vkDestroyInstance", 1},
    };
    g_autofree char *path = g_build_filename(g_get_tmp_dir(), "adit-shim-XXXXXX", NULL);
    g_autofree char *text = NULL;

    g_close(g_mkstemp(path), NULL);
    g_autofree char *item = g_strconcat("count:", path, NULL);
    call_with(item, 0, 1);
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    for (guint i = 0; i < G_N_ELEMENTS(counts); i++) {
        g_autofree char *line = g_strdup_printf("\n%s %u\n", counts[i].name, counts[i].expected);
        g_assert_cmpuint(adit_shim_count(counts[i].name), ==, counts[i].expected);
        g_assert_nonnull(strstr(text, line));
    }
    adit_shim_reset();
    g_assert_cmpuint(adit_shim_count("vkCmdDispatch"), ==, 0);
    g_assert_cmpint(g_unlink(path), ==, 0);
}

static void
test_count_unknown(void)
{
    if (g_test_subprocess())
        adit_shim_count("vkCmdDispach");
    assert_ends("*adit-vulkan-shim: calls of 'vkCmdDispach' are not counted\n*");
}

static gpointer
count_in_thread(gpointer data)
{
    Bare *bare = data;
    guint64 value;

    for (guint i = 0; i < 1000; i++)
        bare->api.GetSemaphoreCounterValue(bare->device, bare->timeline, &value);
    return NULL;
}

static void
test_count_threads(void)
{
    GThread *threads[4];
    Bare bare;

    adit_shim_reset();
    bare_open(&bare);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("count", count_in_thread, &bare);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        g_thread_join(threads[i]);
    g_assert_cmpuint(adit_shim_count("vkGetSemaphoreCounterValue"), ==, 4000);
    bare_close(&bare);
}

/* Both ways of looking up give the wrapper, and nothing leads around it. */
static void
test_look_up(void)
{
    static const char *const wrapped[] = {"vkQueueSubmit", "vkWaitSemaphores", "vkCmdDispatch",
                                          "vkGetDeviceProcAddr"};
    static const char *const absent[] = {"vkQueueSubmit2", "vkQueueSubmit2KHR", "vkCmdDispatchBase",
                                         "vkWaitForFences", "vkUpdateDescriptorSetWithTemplate"};
    Bare bare;

    adit_shim_reset();
    bare_open(&bare);
    for (guint i = 0; i < G_N_ELEMENTS(wrapped); i++) {
        PFN_vkVoidFunction found = bare.api.GetInstanceProcAddr(bare.instance, wrapped[i]);
        g_assert_nonnull(found);
        g_assert_true(found == bare.api.GetDeviceProcAddr(bare.device, wrapped[i]));
    }
    for (guint i = 0; i < G_N_ELEMENTS(absent); i++) {
        g_assert_null(bare.api.GetInstanceProcAddr(bare.instance, absent[i]));
        g_assert_null(bare.api.GetDeviceProcAddr(bare.device, absent[i]));
    }
    g_assert_null(bare.api.GetInstanceProcAddr(bare.instance, "vkGetPhysicalDeviceToolProperties"));
    g_assert_null(bare.api.GetInstanceProcAddr(bare.instance, "vkEnumerateDeviceLayerProperties"));
    g_assert_null(bare.api.GetInstanceProcAddr(NULL, "vkQueueSubmit"));
    g_assert_null(bare.api.GetDeviceProcAddr(bare.device, "vkCreateDevice"));
    bare_close(&bare);
}

static void
test_environment(void)
{
    if (g_test_subprocess()) {
        g_setenv("ADIT_SHIM", "groups:2", TRUE);
        Bare bare;
        bare_open(&bare);
        call_dispatch_x(&bare, 3);
        return;
    }
    assert_ends("*vkCmdDispatch: maxComputeWorkGroupCount[0]: got 3, the device allows 2\n*");
}

static void
test_bad_text(gconstpointer data)
{
    g_autofree char *expected =
        g_strdup_printf("*adit-vulkan-shim: cannot read '%s' in 'small,%s'\n*", (const char *) data,
                        (const char *) data);
    g_autofree char *text = g_strconcat("small,", data, NULL);

    if (g_test_subprocess())
        adit_shim_configure(text);
    assert_ends(expected);
}

static void
add_bad_texts(void)
{
    static const char *const texts[] = {
        "",          "lots:1",     "lost",         "lost:0",      "lost:1:0",    "lost:1:2:3",
        "memory:+",  "memory:1x",  "heap:1k",      "heap:0",      "range:-1",    "range",
        "small:1",   "api:1",      "api:one.two",  "subgroups:8", "devices:256", "devices:some",
        "type:fast", "type:cpu:x", "name:",        "driver:x",    "count",       "notimeline:1",
        "nobarrier", "buffers:0",  "invocations:",
    };

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autofree char *path = g_strdup_printf("/vulkan-shim/refuses/%u", i);
        g_test_add_data_func(path, texts[i], test_bad_text);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    adit_shim_use();
    g_test_add_func("/vulkan-shim/lost", test_lost);
    g_test_add_func("/vulkan-shim/lost/alone", test_lost_alone);
    g_test_add_func("/vulkan-shim/lost/again", test_lost_again);
    g_test_add_func("/vulkan-shim/lost/wait", test_lost_wait);
    g_test_add_func("/vulkan-shim/lost/while-waiting", test_lost_while_waiting);
    g_test_add_func("/vulkan-shim/memory", test_memory);
    g_test_add_func("/vulkan-shim/heap/again", test_heap_again);
    g_test_add_func("/vulkan-shim/heap/reported", test_heap_reported);
    g_test_add_func("/vulkan-shim/no-barrier", test_no_barrier);
    g_test_add_func("/vulkan-shim/small", test_small);
    g_test_add_func("/vulkan-shim/large", test_large);
    g_test_add_func("/vulkan-shim/allocation-reported", test_allocation_reported);
    g_test_add_func("/vulkan-shim/subgroups", test_subgroups);
    for (gsize i = 0; i < G_N_ELEMENTS(limited); i++) {
        g_autofree char *path = g_strconcat("/vulkan-shim/limit/", limited[i].name, NULL);
        g_test_add_data_func(path, GSIZE_TO_POINTER(i), test_limit);
    }
    g_test_add_func("/vulkan-shim/devices", test_devices);
    g_test_add_func("/vulkan-shim/devices/work", test_devices_work);
    g_test_add_func("/vulkan-shim/api", test_api);
    g_test_add_func("/vulkan-shim/no-timeline", test_no_timeline);
    g_test_add_func("/vulkan-shim/count", test_count);
    g_test_add_func("/vulkan-shim/count/unknown", test_count_unknown);
    g_test_add_func("/vulkan-shim/count/threads", test_count_threads);
    g_test_add_func("/vulkan-shim/look-up", test_look_up);
    g_test_add_func("/vulkan-shim/environment", test_environment);
    add_bad_texts();
    return g_test_run();
}
