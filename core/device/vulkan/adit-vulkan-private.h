/* core/device/vulkan/adit-vulkan-private.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-vulkan-device.h"

G_BEGIN_DECLS

/* Bytes of the host memory that transfers go through. */
#define ADIT_VULKAN_STAGING    ((gsize) 16 << 20)
#define ADIT_VULKAN_BINDINGS   8
#define ADIT_VULKAN_INPUTS     5
#define ADIT_VULKAN_CONSTANTS  6
#define ADIT_VULKAN_LANES      16
#define ADIT_VULKAN_VIEW_WORDS 11

/* The block, as shaders/include/adit.glsl has it: what changes from call to call. */
enum {
    ADIT_BLOCK_STATUS = 0,
    ADIT_BLOCK_FAILED_SERIAL = 1,
    ADIT_BLOCK_FAILED_STEP = 2,
    ADIT_BLOCK_SERIAL = 5, /* from here on it is one call's slot of the ring */
    ADIT_BLOCK_STEP = 6,
    ADIT_BLOCK_FIRST_ROW = 8,
    ADIT_BLOCK_LOG = 9,
    ADIT_BLOCK_ROWS = 12,
    ADIT_BLOCK_FEEDS = 16,
    ADIT_BLOCK_FEED_WORDS = 12,
    ADIT_BLOCK_LIVES = 64,
    ADIT_BLOCK_WORDS = 256,
};
#define ADIT_RING_WORDS       (ADIT_BLOCK_WORDS - ADIT_BLOCK_SERIAL)
#define ADIT_RING_SLOTS       256
#define ADIT_VULKAN_MAX_FEEDS ((ADIT_BLOCK_LIVES - ADIT_BLOCK_FEEDS) / ADIT_BLOCK_FEED_WORDS)
#define ADIT_VULKAN_MAX_LIVES (ADIT_BLOCK_WORDS - ADIT_BLOCK_LIVES - 1)

/**
 * AditVulkanBuffer:
 * @mapped: (nullable): where the host sees it
 */
typedef struct {
    VkBuffer handle;
    VkDeviceMemory memory;
    gsize size; /* bytes */
    void *mapped;
} AditVulkanBuffer;

typedef enum {
    ADIT_VULKAN_ON_DEVICE,
    ADIT_VULKAN_FOR_WRITING, /* host memory that the device reads */
    ADIT_VULKAN_FOR_READING, /* host memory, cached: for what is read back */
} AditVulkanUse;

/**
 * AditVulkanKind: how many workgroups a kernel gets: shaders/README.md.
 */
typedef enum {
    ADIT_VULKAN_ELEMENTS,
    ADIT_VULKAN_INPUT_ELEMENTS,
    ADIT_VULKAN_LINES,
    ADIT_VULKAN_RESULTS,
    ADIT_VULKAN_COLUMNS,
    ADIT_VULKAN_CHANNELS,
    ADIT_VULKAN_SLICES,
    ADIT_VULKAN_PARTS,
    ADIT_VULKAN_TILES,
    ADIT_VULKAN_SLICE_TILES,
    ADIT_VULKAN_BATCH_TILES,
    ADIT_VULKAN_IMAGE_TILES,
    ADIT_VULKAN_KERNEL_TILES,
    ADIT_VULKAN_ONE,
} AditVulkanKind;

/**
 * AditVulkanKernel: a shader as it is used: with its specialization constants.
 */
typedef struct {
    VkPipeline pipeline;
    AditVulkanKind kind;
    guint32 constants[ADIT_VULKAN_CONSTANTS];
} AditVulkanKernel;

/**
 * AditVulkanPush: the push constants of shaders/include/adit.glsl.
 */
typedef struct {
    guint32 words;
    guint32 row;
    guint32 rows;
    guint32 batch;
    guint32 slice;
    guint32 part;
    guint32 key;
    guint32 out_at;
    guint32 in_at[ADIT_VULKAN_INPUTS];
} AditVulkanPush;

typedef struct _AditVulkanQueue AditVulkanQueue;

#define ADIT_TYPE_VULKAN_DEVICE (adit_vulkan_device_get_type())
G_DECLARE_FINAL_TYPE(AditVulkanDevice, adit_vulkan_device, ADIT, VULKAN_DEVICE, AditDevice)

struct _AditVulkanDevice {
    AditDevice parent_instance;
    AditVulkanInstance *instance;
    const AditVulkanPhysical *physical;
    AditVulkanApi api;
    VkDevice handle;
    VkQueue queue_handle;
    VkCommandPool pool;
    AditVulkanQueue *queue;

    VkDescriptorSetLayout set_layout;
    VkPipelineLayout layout;
    VkPipelineCache cache;
    GHashTable *kernels; /* text -> AditVulkanKernel */
    GHashTable *forms;   /* kernel's name -> AditKernelForm + 1 */

    AditVulkanBuffer staging;
    GHashTable *copies; /* recorded transfers */
    GHashTable *words;  /* GBytes -> AditVulkanBuffer: of recordings */
    GHashTable *arrays; /* AditArray -> AditVulkanBuffer: data that lives on the device */
    guint64 serial;     /* calls queued so far */

    gboolean can_fuse; /* ADIT_FUSE */
    gboolean fuses;
    gsize allocated;    /* bytes */
    guint64 dispatches; /* of all calls queued so far */
    guint64 barriers;
    guint n_memories;
    GPtrArray *together; /* adit-vulkan-together.h */
    GError *error;       /* the first that cannot be undone; nothing is done any more */
};

/* adit-vulkan-device.c */

/* Notes that @what failed with @result, unless something did before; FALSE. */
gboolean adit_vulkan_fail(AditVulkanDevice *self, VkResult result, const char *what);
/* Commands that can be submitted any number of times; NULL: the device failed. */
VkCommandBuffer adit_vulkan_commands_begin(AditVulkanDevice *self);
gboolean adit_vulkan_commands_end(AditVulkanDevice *self, VkCommandBuffer commands);

/* adit-vulkan-memory.c */

/* @what: for the message of ADIT_ERROR_MEMORY: "activations". Not zeroed. */
gboolean adit_vulkan_buffer_init(AditVulkanDevice *device, AditVulkanBuffer *self, gsize size,
                                 AditVulkanUse use, const char *what, GError **error);
void adit_vulkan_buffer_clear(AditVulkanDevice *device, AditVulkanBuffer *self);
/* Copies between host and device when everything queued before is done; sticky errors. */
void adit_vulkan_read(AditVulkanDevice *device, const AditVulkanBuffer *buffer, gsize offset,
                      gsize size, void *data);
void adit_vulkan_write(AditVulkanDevice *device, const AditVulkanBuffer *buffer, gsize offset,
                       gsize size, const void *data);
void adit_vulkan_zero(AditVulkanDevice *device, const AditVulkanBuffer *buffer);
/* The array in device memory, kept for the next caller: bytes as they are, other numbers as
 * float32, row numbers as words. */
const AditVulkanBuffer *adit_vulkan_get_array(AditVulkanDevice *device, const AditArray *array,
                                              gboolean is_index, GError **error);
/* Bytes of a number of the array where the device reads it: 1 or 4; NULL: of a program's output. */
gsize adit_vulkan_get_number_size(const AditArray *array);
/* A plan's words in device memory, kept for other recordings that have the same: those of an update
 * differ in their rows alone. */
const AditVulkanBuffer *adit_vulkan_get_words(AditVulkanDevice *device, const GArray *words,
                                              GError **error);
/* Whether a feed's rows are taken from an array that lives on the device. */
gboolean adit_vulkan_lives_on_device(AditVulkanDevice *device, const AditFeed *feed);
/* The table of recorded transfers, and what to drop from it when a buffer goes. */
GHashTable *adit_vulkan_copies_new(void);
void adit_vulkan_copies_forget(AditVulkanDevice *device, const AditVulkanBuffer *buffer);

/* adit-vulkan-queue.c: submissions within a budget of time. */

/**
 * AditVulkanCommands: recorded commands that are submitted as one.
 * @work: a dispatch of a million operations is about 2
 * @what: (owned): what they begin with, for messages
 * @is_last: with them a call is done
 */
typedef struct {
    VkCommandBuffer handle;
    double work;
    char *what;
    gboolean is_last;
} AditVulkanCommands;

AditVulkanQueue *adit_vulkan_queue_new(AditVulkanDevice *device);
void adit_vulkan_queue_free(AditVulkanQueue *self);
/* Adds commands of call @serial; @step: of training, counted from 1; 0: they are of none. */
void adit_vulkan_queue_add(AditVulkanQueue *self, const AditVulkanCommands *commands,
                           guint64 serial, guint64 step);
/* Hands over what has been added, however little it is. FALSE: the device failed. */
gboolean adit_vulkan_queue_flush(AditVulkanQueue *self);
/* Waits until all calls up to @serial are done. FALSE: the device failed. */
gboolean adit_vulkan_queue_wait(AditVulkanQueue *self, guint64 serial);
gboolean adit_vulkan_queue_finish(AditVulkanQueue *self);
/* The same, also on a device that failed: nothing is in use any more and may be freed. */
void adit_vulkan_queue_drain(AditVulkanQueue *self);
/* Runs commands of no call behind everything else and waits. */
gboolean adit_vulkan_queue_run(AditVulkanQueue *self, VkCommandBuffer commands, const char *what);

/* adit-vulkan-kernels.c */

/**
 * AditVulkanShape: what the choice of a kernel depends on beside its name.
 * @columns, @depth: of a matrix product: of the result, and how many products are summed
 * @lines: of a convolution: filters or channels, whichever the result has, of a group
 * @is_alike: (pointwise): output and inputs have the same rows and shape
 */
typedef struct {
    gsize columns;
    gsize depth;
    gsize lines;
    gboolean is_alike;
} AditVulkanShape;

/* The kernel called @name (of operation @op, or the device's own), made when it is first asked for;
 * it lives as long as the device. */
const AditVulkanKernel *adit_vulkan_kernel_get(AditVulkanDevice *device, const char *name,
                                               const AditOp *op, const AditVulkanShape *shape,
                                               GError **error);
/* The kernel of a text that was made for it; @shape: of a matrix product, its columns 0: it is
 * none. */
const AditVulkanKernel *adit_vulkan_kernel_get_fused(AditVulkanDevice *device, const char *text,
                                                     const AditVulkanShape *shape, GError **error);
/* The kernel of a walk; @constants: (element-type guint32): its specialization constants, from 0
 * on. */
const AditVulkanKernel *adit_vulkan_kernel_get_walk(AditVulkanDevice *device, const char *text,
                                                    const GArray *constants, GError **error);
/* The shader of a product (TILES, SLICE_TILES, BATCH_TILES). */
const char *adit_vulkan_find_product(AditVulkanKind kind, const AditVulkanShape *shape);
/* Makes the kernels of @name anew in @form; FALSE: there is no such form. */
gboolean adit_vulkan_kernel_set_form(AditVulkanDevice *device, const char *name,
                                     AditKernelForm form);
void adit_vulkan_kernels_clear(AditVulkanDevice *device);

/* adit-vulkan-executable.c */

/**
 * AditMemory: what the calls on it share, and no other call touches: so those of two memories may
 * run side by side.
 * @block: of the call under way, and the status
 * @ring: slots that the host writes calls to
 * @calls: begun so far; each has the next slot
 * @serials: of the call that had each slot last
 */
struct _AditMemory {
    AditVulkanBuffer arenas[ADIT_ARENA_OPTIMIZER + 1];
    AditVulkanBuffer block;
    AditVulkanBuffer ring;
    guint64 calls;
    guint64 serials[ADIT_RING_SLOTS];
};

AditExecutable *adit_vulkan_executable_new(AditVulkanDevice *device, AditProgram *program,
                                           AditMemory *memory, gsize max_rows, guint64 seed,
                                           GError **error);
void adit_vulkan_executable_free(AditExecutable *self);
void adit_vulkan_executable_run(AditExecutable *self, const AditCall *call);
void adit_vulkan_executable_read_sums(AditExecutable *self, double *sums);
void adit_vulkan_executable_set_sums(AditExecutable *self, const double *sums);
void adit_vulkan_executable_read_output(AditExecutable *self, guint output, double *values);
gsize adit_vulkan_executable_read_left(AditExecutable *self, gint32 *rows);

G_END_DECLS
