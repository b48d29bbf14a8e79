/* tests/core/device/test-vulkan-instance.c - SPDX-License-Identifier: MIT */
#include "adit-vulkan-devices.h"
#include "adit-vulkan-instance.h"

#include <string.h>

/* ---- choosing among devices that are made up ---- */

/* Numbers of drivers as Vulkan gives them out. */
enum { AMD_CLOSED = 1, AMDVLK = 2, RADV = 3, NVIDIA = 4, DOZEN = 23 };

typedef struct {
    const char *name;
    const char *type;
    const char *uuid;
    guint driver;
    const char *reason;
} Made;

static AditVulkanInstance *
make_instance(const Made *rows, guint n)
{
    AditVulkanInstance *self = g_new0(AditVulkanInstance, 1);

    self->ref_count = 1;
    self->physicals = g_ptr_array_new_with_free_func((GDestroyNotify) adit_vulkan_physical_free);
    for (guint i = 0; i < n; i++) {
        AditVulkanPhysical *physical = g_new0(AditVulkanPhysical, 1);

        physical->index = i;
        physical->name = g_strdup(rows[i].name);
        physical->type = rows[i].type;
        physical->uuid = g_strdup(rows[i].uuid);
        physical->driver_id = rows[i].driver;
        physical->reason = g_strdup(rows[i].reason);
        physical->is_software = g_str_equal(rows[i].type, "cpu");
        g_ptr_array_add(self->physicals, physical);
    }
    adit_vulkan_physicals_find_duplicates(self->physicals);
    return self;
}

#define MAKE(...)                                                                                  \
    make_instance((const Made[]){__VA_ARGS__}, G_N_ELEMENTS(((const Made[]){__VA_ARGS__})))

/* Number of the device that is taken. */
static int
choose(const AditVulkanInstance *instance, const char *wanted)
{
    g_autoptr(GError) error = NULL;
    const AditVulkanPhysical *physical = adit_vulkan_instance_choose(instance, wanted, &error);

    g_assert_no_error(error);
    return (int) physical->index;
}

static void
assert_none(const AditVulkanInstance *instance, const char *wanted, const char *expected)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(adit_vulkan_instance_choose(instance, wanted, &error));
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_NO_DEVICE);
    g_assert_cmpstr(error->message, ==, expected);
}

#define A "0000000a-0000-0000-0000-000000000000"
#define B "0000000b-0000-0000-0000-000000000000"
#define C "0000000c-0000-0000-0000-000000000000"
#define D "0000000d-0000-0000-0000-000000000000"

static void
test_order(void)
{
    g_autoptr(AditVulkanInstance) all =
        MAKE({"llvmpipe", "cpu", A}, {"Odd", "other", B}, {"Virtio", "virtual", C},
             {"Intel Iris", "integrated", D}, {"GeForce 1", "discrete"}, {"GeForce 2", "discrete"});
    g_autoptr(AditVulkanInstance) small =
        MAKE({"llvmpipe", "cpu", A}, {"Odd", "other", B}, {"Virtio", "virtual", C},
             {"Intel Iris", "integrated", D});
    g_autoptr(AditVulkanInstance) virtual = MAKE({"Odd", "other", B}, {"llvmpipe", "cpu", A},
                                                 {"Virtio", "virtual", C});
    g_autoptr(AditVulkanInstance) odd = MAKE({"llvmpipe", "cpu", A}, {"Odd", "other", B});

    g_assert_cmpint(choose(all, NULL), ==, 4);
    g_assert_cmpint(choose(small, NULL), ==, 3);
    g_assert_cmpint(choose(virtual, NULL), ==, 2);
    g_assert_cmpint(choose(odd, NULL), ==, 1);
}

static void
test_by_name(void)
{
    g_autoptr(AditVulkanInstance) all =
        MAKE({"llvmpipe", "cpu", A}, {"Intel Iris", "integrated", B}, {"GeForce 1", "discrete", C},
             {"GeForce 2", "discrete", NULL});

    for (guint i = 0; i < 4; i++) {
        g_autofree char *number = g_strdup_printf("%u", i);

        g_assert_cmpint(choose(all, number), ==, (int) i);
    }
    g_assert_cmpint(choose(all, "uuid=" A), ==, 0);
    g_assert_cmpint(choose(all, "uuid=" C), ==, 2);
    g_assert_cmpint(choose(all, "name~=LLVM"), ==, 0);
    g_assert_cmpint(choose(all, "name~=geforce"), ==, 2);
    g_assert_cmpint(choose(all, "name~=e 2"), ==, 3);
    assert_none(all, "4",
                "no Vulkan device matches \"4\"; there is vulkan:0 (llvmpipe); vulkan:1 (Intel "
                "Iris); vulkan:2 (GeForce 1); vulkan:3 (GeForce 2)");
}

static void
test_refused(void)
{
    static const char old[] = "it has Vulkan 1.1, 1.2 is needed";
    g_autoptr(AditVulkanInstance) some =
        MAKE({"Old", "discrete", A, 0, old}, {"Intel Iris", "integrated", B});
    g_autoptr(AditVulkanInstance) none =
        MAKE({"llvmpipe", "cpu", A}, {"Old", "discrete", B, 0, old});
    g_autoptr(AditVulkanInstance) empty = make_instance(NULL, 0);
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(choose(some, NULL), ==, 1);
    assert_none(some, "0", "vulkan:0 (Old) cannot be used: it has Vulkan 1.1, 1.2 is needed");
    assert_none(none, NULL,
                "no GPU that can be used: vulkan:0 (llvmpipe) computes on the CPU, it is taken "
                "only by name; vulkan:1 (Old) cannot be used: it has Vulkan 1.1, 1.2 is needed");
    assert_none(empty, NULL, "Vulkan lists no device");
    assert_none(empty, "0", "Vulkan lists no device");
    g_assert_null(adit_vulkan_instance_choose(some, "first", &error));
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_INVALID);
}

static int
get_other(const AditVulkanInstance *instance, guint index)
{
    return ((const AditVulkanPhysical *) instance->physicals->pdata[index])->duplicate_of;
}

static void
test_duplicates(void)
{
    g_autoptr(AditVulkanInstance) drivers = MAKE(
        {"D", "discrete", A, DOZEN}, {"P", "discrete", A, AMD_CLOSED}, {"?", "discrete", A, 999},
        {"V", "discrete", A, AMDVLK}, {"R", "discrete", A, RADV}, {"N", "discrete", B, NVIDIA});
    g_autoptr(AditVulkanInstance) broken =
        MAKE({"R", "discrete", A, RADV, "it has no timeline semaphores"},
             {"P", "discrete", A, AMD_CLOSED}, {"V", "discrete", A, AMDVLK});
    g_autoptr(AditVulkanInstance) unknown =
        MAKE({"X", "discrete", NULL, RADV}, {"Y", "discrete", NULL, RADV});

    for (guint i = 0; i < 4; i++)
        g_assert_cmpint(get_other(drivers, i), ==, 4);
    g_assert_cmpint(get_other(drivers, 4), ==, -1);
    g_assert_cmpint(get_other(drivers, 5), ==, -1);
    g_assert_cmpint(choose(drivers, NULL), ==, 4);
    g_assert_cmpint(choose(drivers, "uuid=" A), ==, 4);
    /* whoever names a duplicate gets it */
    g_assert_cmpint(choose(drivers, "1"), ==, 1);
    g_assert_cmpint(choose(drivers, "name~=v"), ==, 3);

    g_assert_cmpint(get_other(broken, 0), ==, 2);
    g_assert_cmpint(get_other(broken, 1), ==, 2);
    g_assert_cmpint(choose(broken, NULL), ==, 2);

    g_assert_cmpint(get_other(unknown, 0), ==, -1);
    g_assert_cmpint(get_other(unknown, 1), ==, -1);
}

/* ---- what is there ---- */

/* NULL: the test is skipped. */
static AditVulkanInstance *
open_instance(void)
{
    g_autoptr(GError) error = NULL;
    AditVulkanInstance *instance = adit_vulkan_instance_new(&error);

    if (instance == NULL)
        g_test_skip(error->message);
    else if (instance->physicals->len == 0)
        g_test_skip("no Vulkan device");
    return instance;
}

static void
assert_known(const AditVulkanPhysical *physical, guint index)
{
    g_assert_cmpuint(physical->index, ==, index);
    g_assert_cmpstr(physical->name, !=, "");
    g_assert_cmpstr(physical->driver_version, !=, "");
    g_assert_cmpuint(physical->api_version, >=, VK_API_VERSION_1_0);
    if (physical->uuid != NULL)
        g_assert_cmpuint(strlen(physical->uuid), ==, strlen(A));
    if (physical->reason != NULL)
        return;
    g_assert_cmpuint(physical->memory, >, 0);
    g_assert_cmpuint(physical->max_allocation, >, 0);
    g_assert_cmpuint(physical->budget, <=, physical->memory);
    g_assert_cmpuint(physical->memory_properties.memoryTypeCount, >, 0);
    g_assert_cmpuint(physical->limits.maxPerStageDescriptorStorageBuffers, >=, 8);
    g_assert_cmpuint(physical->subgroup_size & (physical->subgroup_size - 1), ==, 0);
    if (!physical->subgroup_full)
        return;
    g_assert_cmpuint(physical->subgroup_size, >=, physical->min_subgroup_size);
    g_assert_cmpuint(physical->subgroup_size, <=, physical->max_subgroup_size);
}

static void
test_physicals(void)
{
    g_autoptr(AditVulkanInstance) instance = open_instance();

    for (guint i = 0; instance != NULL && i < instance->physicals->len; i++) {
        const AditVulkanPhysical *physical = instance->physicals->pdata[i];

        assert_known(physical, i);
        if (physical->is_software)
            g_assert_cmpstr(physical->type, ==, "cpu");
    }
}

/* The software device of the test machines, as its driver is known to be. */
static void
test_llvmpipe(void)
{
    g_autoptr(AditVulkanInstance) instance = open_instance();
    const AditVulkanPhysical *physical = NULL;

    if (instance != NULL)
        physical = adit_vulkan_instance_choose(instance, "name~=llvmpipe", NULL);
    if (physical == NULL) {
        g_test_skip("no llvmpipe");
        return;
    }
    g_assert_cmpstr(physical->reason, ==, NULL);
    g_assert_true(physical->is_software);
    g_assert_nonnull(strstr(physical->driver_version, "Mesa"));
    g_assert_nonnull(physical->uuid);
    g_assert_cmpuint(physical->subgroup_size, >=, 4);
    g_assert_true(physical->subgroup_shuffle);
    g_assert_true(physical->has_fp64);
    g_assert_false(physical->has_cooperative_matrix);
    g_assert_false(physical->has_portability_subset);
    g_assert_cmpuint(physical->limits.maxComputeSharedMemorySize, >=, 16384);
}

static void
test_references(void)
{
    AditVulkanInstance *instance = open_instance();

    if (instance == NULL)
        return;
    g_assert_true(adit_vulkan_instance_ref(instance) == instance);
    adit_vulkan_instance_unref(instance);
    g_assert_cmpuint(instance->physicals->len, >, 0);
    adit_vulkan_instance_unref(instance);
}

/* ---- validation ---- */

static void
test_validation(void)
{
    g_setenv("ADIT_VULKAN_VALIDATION", "1", TRUE);
    g_autoptr(AditVulkanInstance) instance = open_instance();

    g_unsetenv("ADIT_VULKAN_VALIDATION");
    if (instance == NULL)
        return;
    const AditVulkanPhysical *physical = instance->physicals->pdata[0];
    VkPhysicalDeviceFeatures2 wrong = {.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO};

    /* a structure of the wrong type: what the layer is there for */
    g_test_expect_message("adit-device", G_LOG_LEVEL_CRITICAL, "VUID-*sType*");
    instance->api.GetPhysicalDeviceFeatures2(physical->handle, &wrong);
    g_test_assert_expected_messages();
}

/* A device with one buffer of 64 bytes and commands being recorded. */
typedef struct {
    AditVulkanInstance *instance;
    AditVulkanApi api;
    VkDevice device;
    VkBuffer buffer;
    VkDeviceMemory memory;
    VkCommandPool pool;
    VkCommandBuffer commands;
} Bench;

static void
bench_make_device(Bench *self, const AditVulkanPhysical *physical)
{
    const float priority = 1;
    VkDeviceQueueCreateInfo queue = {.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
                                     .queueFamilyIndex = physical->queue_family,
                                     .queueCount = 1,
                                     .pQueuePriorities = &priority};
    VkDeviceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
                               .queueCreateInfoCount = 1,
                               .pQueueCreateInfos = &queue};

    self->api = self->instance->api;
    g_assert_cmpint(self->api.CreateDevice(physical->handle, &info, NULL, &self->device), ==,
                    VK_SUCCESS);
    g_assert_true(adit_vulkan_api_load_device(&self->api, self->device, NULL));
}

static void
bench_make_buffer(Bench *self)
{
    VkBufferCreateInfo info = {.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
                               .size = 64,
                               .usage = VK_BUFFER_USAGE_TRANSFER_DST_BIT};
    VkMemoryRequirements needs;
    VkMemoryAllocateInfo allocation = {.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO};

    g_assert_cmpint(self->api.CreateBuffer(self->device, &info, NULL, &self->buffer), ==,
                    VK_SUCCESS);
    self->api.GetBufferMemoryRequirements(self->device, self->buffer, &needs);
    allocation.allocationSize = needs.size;
    allocation.memoryTypeIndex = (guint32) g_bit_nth_lsf(needs.memoryTypeBits, -1);
    g_assert_cmpint(self->api.AllocateMemory(self->device, &allocation, NULL, &self->memory), ==,
                    VK_SUCCESS);
    g_assert_cmpint(self->api.BindBufferMemory(self->device, self->buffer, self->memory, 0), ==,
                    VK_SUCCESS);
}

static void
bench_begin(Bench *self, guint queue_family)
{
    VkCommandPoolCreateInfo info = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                    .queueFamilyIndex = queue_family};
    VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};

    g_assert_cmpint(self->api.CreateCommandPool(self->device, &info, NULL, &self->pool), ==,
                    VK_SUCCESS);
    VkCommandBufferAllocateInfo allocation = {.sType =
                                                  VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
                                              .commandPool = self->pool,
                                              .commandBufferCount = 1};
    g_assert_cmpint(self->api.AllocateCommandBuffers(self->device, &allocation, &self->commands),
                    ==, VK_SUCCESS);
    g_assert_cmpint(self->api.BeginCommandBuffer(self->commands, &begin), ==, VK_SUCCESS);
}

static void
bench_clear(Bench *self)
{
    self->api.EndCommandBuffer(self->commands);
    self->api.DestroyCommandPool(self->device, self->pool, NULL);
    self->api.DestroyBuffer(self->device, self->buffer, NULL);
    self->api.FreeMemory(self->device, self->memory, NULL);
    self->api.DestroyDevice(self->device, NULL);
}

/* Two writes without a barrier between them: synchronisation validation. */
static void
test_hazards(void)
{
    g_setenv("ADIT_VULKAN_VALIDATION", "1", TRUE);
    g_autoptr(AditVulkanInstance) instance = open_instance();
    Bench bench = {instance};

    g_unsetenv("ADIT_VULKAN_VALIDATION");
    if (instance == NULL)
        return;
    const AditVulkanPhysical *physical = instance->physicals->pdata[0];

    bench_make_device(&bench, physical);
    bench_make_buffer(&bench);
    bench_begin(&bench, physical->queue_family);
    bench.api.CmdFillBuffer(bench.commands, bench.buffer, 0, 64, 1);
    g_test_expect_message("adit-device", G_LOG_LEVEL_CRITICAL, "SYNC-HAZARD-WRITE-AFTER-WRITE*");
    bench.api.CmdFillBuffer(bench.commands, bench.buffer, 0, 64, 2);
    g_test_assert_expected_messages();
    bench_clear(&bench);
}

static void
test_validation_values(void)
{
    g_autoptr(GError) error = NULL;
    AditVulkanApi api = {0};

    if (!adit_vulkan_api_load(&api, &error)) {
        g_test_skip(error->message);
        return;
    }
    g_setenv("ADIT_VULKAN_VALIDATION", "yes", TRUE);
    g_assert_null(adit_vulkan_instance_new(&error));
    g_unsetenv("ADIT_VULKAN_VALIDATION");
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_INVALID);
    g_assert_cmpstr(error->message, ==, "ADIT_VULKAN_VALIDATION must be 0 or 1, got \"yes\"");
}

/* ---- hints ---- */

static void
test_hint(void)
{
    g_autofree char *none = adit_vulkan_make_hint("/nonexistent/nvidiactl", "libc.so.6");
    g_autofree char *missing = adit_vulkan_make_hint("/dev/null", "libnone.so.1");
    g_autofree char *hidden = adit_vulkan_make_hint("/dev/null", "libm.so.6");

    g_assert_null(none);
    g_assert_nonnull(strstr(missing, "libnone.so.1"));
    g_assert_nonnull(strstr(missing, "NVIDIA_DRIVER_CAPABILITIES"));
    g_assert_nonnull(strstr(hidden, "\"library_path\": \"libm.so.6\""));
    g_assert_nonnull(strstr(hidden, "VK_DRIVER_FILES"));
}

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/vulkan-instance/order", test_order);
    g_test_add_func("/vulkan-instance/by-name", test_by_name);
    g_test_add_func("/vulkan-instance/refused", test_refused);
    g_test_add_func("/vulkan-instance/duplicates", test_duplicates);
    g_test_add_func("/vulkan-instance/physicals", test_physicals);
    g_test_add_func("/vulkan-instance/llvmpipe", test_llvmpipe);
    g_test_add_func("/vulkan-instance/references", test_references);
    g_test_add_func("/vulkan-instance/validation/messages", test_validation);
    g_test_add_func("/vulkan-instance/validation/hazards", test_hazards);
    g_test_add_func("/vulkan-instance/validation/values", test_validation_values);
    g_test_add_func("/vulkan-instance/hint", test_hint);
    return g_test_run();
}
