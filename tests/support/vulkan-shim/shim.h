/* tests/support/vulkan-shim/shim.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-vulkan-api.h"
#include "adit-vulkan-shim.h"

G_BEGIN_DECLS

/* The functions that are wrapped, and so counted: of instances and physical devices, ... */
#define SHIM_INSTANCE(X)                                                                           \
    X(CreateDevice)                                                                                \
    X(DestroyInstance)                                                                             \
    X(EnumerateDeviceExtensionProperties)                                                          \
    X(EnumeratePhysicalDevices)                                                                    \
    X(GetPhysicalDeviceFeatures)                                                                   \
    X(GetPhysicalDeviceFeatures2)                                                                  \
    X(GetPhysicalDeviceMemoryProperties)                                                           \
    X(GetPhysicalDeviceMemoryProperties2)                                                          \
    X(GetPhysicalDeviceProperties)                                                                 \
    X(GetPhysicalDeviceProperties2)                                                                \
    X(GetPhysicalDeviceQueueFamilyProperties)                                                      \
    X(GetPhysicalDeviceQueueFamilyProperties2)

/* ... and of devices. */
#define SHIM_DEVICE(X)                                                                             \
    X(AllocateCommandBuffers)                                                                      \
    X(AllocateDescriptorSets)                                                                      \
    X(AllocateMemory)                                                                              \
    X(BeginCommandBuffer)                                                                          \
    X(CmdBindDescriptorSets)                                                                       \
    X(CmdBindPipeline)                                                                             \
    X(CmdCopyBuffer)                                                                               \
    X(CmdDispatch)                                                                                 \
    X(CmdDispatchIndirect)                                                                         \
    X(CmdFillBuffer)                                                                               \
    X(CmdPipelineBarrier)                                                                          \
    X(CmdPushConstants)                                                                            \
    X(CreateBuffer)                                                                                \
    X(CreateComputePipelines)                                                                      \
    X(CreateDescriptorSetLayout)                                                                   \
    X(CreatePipelineLayout)                                                                        \
    X(CreateShaderModule)                                                                          \
    X(DestroyDevice)                                                                               \
    X(DeviceWaitIdle)                                                                              \
    X(FlushMappedMemoryRanges)                                                                     \
    X(FreeMemory)                                                                                  \
    X(GetSemaphoreCounterValue)                                                                    \
    X(InvalidateMappedMemoryRanges)                                                                \
    X(MapMemory)                                                                                   \
    X(QueueSubmit)                                                                                 \
    X(UpdateDescriptorSets)                                                                        \
    X(WaitSemaphores)

#define SHIM_NUMBER(name) SHIM_##name,
typedef enum { SHIM_INSTANCE(SHIM_NUMBER) SHIM_DEVICE(SHIM_NUMBER) SHIM_N_FUNCTIONS } ShimFunction;
#undef SHIM_NUMBER

/* The wrappers: shim_CmdDispatch(), ... */
#define SHIM_DECLARE(name) __typeof__(*(PFN_vk##name) NULL) shim_##name;
SHIM_INSTANCE(SHIM_DECLARE)
SHIM_DEVICE(SHIM_DECLARE)
#undef SHIM_DECLARE

/* The loader's own functions, which find the driver by the handle. */
#define SHIM_MEMBER(name) PFN_vk##name name;
typedef struct {
    PFN_vkGetInstanceProcAddr GetInstanceProcAddr;
    PFN_vkGetDeviceProcAddr GetDeviceProcAddr;
    SHIM_INSTANCE(SHIM_MEMBER)
    SHIM_DEVICE(SHIM_MEMBER)
} ShimReal;
#undef SHIM_MEMBER
extern ShimReal shim_real;

/* A wrapper that only counts. */
#define SHIM_FORWARD(type, name, parameters, arguments)                                            \
    VKAPI_ATTR type VKAPI_CALL shim_##name parameters                                              \
    {                                                                                              \
        shim_count(SHIM_##name);                                                                   \
        return shim_real.name arguments;                                                           \
    }

/* Counts a call. Returns: its number, from 1 */
guint shim_count(ShimFunction function);
/* Counts a wait for less than all that was submitted. */
void shim_count_ahead(void);
/* Writes the counts of the configuration's file, if it has one. */
void shim_write_counts(void);

/* One line on stderr, then the end of the process. */
void shim_fail(const char *format, ...) G_GNUC_PRINTF(1, 2) G_GNUC_NORETURN;
/* Fails if @got is more than the device allows. */
void shim_check(const char *function, const char *limit, guint64 got, guint64 most);

typedef enum {
    SHIM_LIMIT_SHARED,
    SHIM_LIMIT_INVOCATIONS,
    SHIM_LIMIT_BUFFERS,
    SHIM_LIMIT_RANGE,
    SHIM_LIMIT_GROUPS,
    SHIM_LIMIT_ALIGNMENT,
    SHIM_LIMIT_PUSH,
    SHIM_LIMIT_ALLOCATION,
    SHIM_N_LIMITS
} ShimLimit;

/* What the calls are that a device is lost at. */
typedef enum { SHIM_LOSS_NONE, SHIM_LOSS_SUBMIT, SHIM_LOSS_WAIT, SHIM_LOSS_ANY } ShimLoss;

/* What is told of one reported device, or of all. */
typedef struct {
    int index; /* -1: all */
    int type;  /* VkPhysicalDeviceType; -1: as it is */
    int driver;
    char *name; /* NULL: as it is */
} ShimFake;

/* What the text says; 0 and NULL: nothing. */
typedef struct {
    guint64 limits[SHIM_N_LIMITS];
    gboolean no_subgroups;
    gboolean no_timeline;
    guint32 api_version;

    ShimLoss loss;
    guint loss_at;
    gint losses_left; /* atomic */
    guint memory_at;
    gboolean memory_on;
    guint64 heap;
    guint no_barrier_at;

    int n_devices; /* -1: as many as there are */
    gboolean duplicate;
    GArray *fakes; /* (element-type ShimFake) */

    char *count_file;
} ShimConfig;
extern ShimConfig shim_config;

/* Replaces the configuration; fails for a text that cannot be read. */
void shim_config_set(const char *text);

/* A physical device as it is reported; its handle is a pointer to this. */
typedef struct {
    VkPhysicalDevice real;
    guint index; /* as reported */
    guint copy;  /* which of those made from the same real one; duplicates are the same */
} ShimPhysical;

/* The driver's handle. */
VkPhysicalDevice shim_get_real(VkPhysicalDevice physical);

/* What a device is said to allow. */
typedef struct {
    VkPhysicalDeviceLimits limits;
    guint64 max_allocation;
    gboolean has_subgroups;
} ShimAllowed;

ShimAllowed shim_get_allowed(VkPhysicalDevice physical);
/* Whether a chain for vkCreateDevice enables what the device is said not to have. */
gboolean shim_wants_hidden(const VkDeviceCreateInfo *info);

/* A VkDevice and what the checks need to know of its objects. */
typedef struct {
    VkDevice handle;
    ShimAllowed allowed;
    GMutex mutex;
    gint is_lost; /* atomic */
    guint calls[SHIM_LOSS_ANY];
    guint64 signalled; /* by the last submission, of its timeline */
    /* from handles, which are not forgotten: some drivers give one out several times */
    GHashTable *buffers; /* bytes */
    GHashTable *layouts; /* storage buffers */
    GHashTable *modules; /* GBytes */
    GHashTable *memory;  /* bytes */
} ShimDevice;

/* @handle: of a device, a queue or a command buffer. */
ShimDevice *shim_device_find(gpointer handle);
/* Keeps a number for an object in one of the device's tables. */
void shim_device_put(ShimDevice *self, GHashTable *table, gpointer handle, guint64 value);
/* 0 for an object that is not there. */
guint64 shim_device_get(ShimDevice *self, GHashTable *table, gpointer handle);

/* Forgets the memory that a device still has when it is destroyed. */
void shim_memory_forget(ShimDevice *device);

/* What a compute module takes. */
typedef struct {
    guint64 size[3]; /* of a workgroup */
    guint64 shared;  /* bytes, without any padding between its variables */
} ShimKernel;

/* @n: words. Fails if the module is no SPIR-V. */
gboolean shim_spirv_has_subgroups(const guint32 *words, gsize n);
/* Fails if the module has several entry points or constants that this cannot evaluate. */
ShimKernel shim_spirv_measure(const guint32 *words, gsize n, const VkSpecializationInfo *special);

G_END_DECLS
