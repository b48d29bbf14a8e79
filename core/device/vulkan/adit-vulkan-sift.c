/* core/device/vulkan/adit-vulkan-sift.c - SPDX-License-Identifier: MIT */
#include "adit-vulkan-sift.h"

#include <math.h>
#include <string.h>

/* ---- memory ---- */

/* Room for the workgroups of so many dispatches at least. */
#define LEAST_COUNTS 256

static guint
count_room(const AditExecutable *self)
{
    return (guint) MAX(2 * adit_program_count_calls(self->program), LEAST_COUNTS);
}

/* The memory that a sift of @source and the runs of what it leaves need. */
static gboolean
make_buffers(AditExecutable *self, AditExecutable *source, GError **error)
{
    gsize left = (ADIT_VULKAN_LEFT + source->max_rows) * sizeof(guint32);
    gsize counts = (gsize) 4 * count_room(self) * sizeof(guint32);

    if (source->left.handle == VK_NULL_HANDLE) {
        if (!adit_vulkan_buffer_init(self->device, &source->left, left, ADIT_VULKAN_ON_DEVICE,
                                     "row numbers", error))
            return FALSE;
        adit_vulkan_zero(self->device, &source->left);
    }
    return self->counts.handle != VK_NULL_HANDLE ||
           adit_vulkan_buffer_init(self->device, &self->counts, counts, ADIT_VULKAN_ON_DEVICE,
                                   "workgroups", error);
}

AditVulkanSource
adit_vulkan_sift_get_source(const AditFeed *feed)
{
    AditExecutable *from = feed->source;

    return (AditVulkanSource){.data = &from->rows,
                              .index = &from->left,
                              .rows = from->max_rows,
                              .index_rows = from->max_rows,
                              .begin = adit_vulkan_executable_find_output(from, feed->output),
                              .index_begin = ADIT_VULKAN_LEFT};
}

/* The smallest float that is not less: numbers are to it as they are to @threshold. */
static float
round_up(double threshold)
{
    float rounded = (float) threshold;

    return (double) rounded < threshold ? nextafterf(rounded, INFINITY) : rounded;
}

gboolean
adit_vulkan_sift_init(AditVulkanSift *self, AditExecutable *executable, const AditSift *sift,
                      GError **error)
{
    AditExecutable *source = sift->source;

    if (!make_buffers(executable, source, error))
        return FALSE;
    *self = (AditVulkanSift){
        .numbers = &source->rows,
        .begin = adit_vulkan_executable_find_output(source, sift->output),
        .width =
            g_array_index(source->program->outputs, AditProgramOutput, sift->output).operand.count,
        .before = source->sifted != NULL ? &source->sifted->left : NULL,
        .left = &source->left,
        .threshold = round_up(sift->threshold),
        .rises = sift->rises,
        .counts = &executable->counts,
        .room = count_room(executable)};
    return TRUE;
}

/* ---- dispatches ---- */

/* The first words of what instructions have, which the attributes follow. */
#define ATTRIBUTE_WORDS (ADIT_VULKAN_VIEW_WORDS * (1 + ADIT_VULKAN_INPUTS))

/* What a kernel of the sift's reads, or writes: @n elements of a buffer from @begin on. */
typedef struct {
    const AditVulkanBuffer *buffer;
    gsize begin;
    gsize n;
} Part;

static void
bind_part(const AditVulkanDevice *device, const Part *part, AditVulkanWindow *window, guint32 *at)
{
    gsize alignment =
        MAX(device->physical->limits.minStorageBufferOffsetAlignment, sizeof(guint32));
    gsize begin = part->begin * sizeof(guint32), offset = begin / alignment * alignment;

    *window = (AditVulkanWindow){.buffer = part->buffer,
                                 .offset = offset,
                                 .range = begin - offset + part->n * sizeof(guint32)};
    *at = (guint32) ((begin - offset) / sizeof(guint32));
}

/* A kernel with up to five inputs, of which it writes the first, and the block, if it says so. */
static gboolean
add_kernel(AditVulkanPlan *plan, AditVulkanDevice *device, const AditVulkanPlaces *places,
           const char *name, const Part *inputs, guint n, GError **error)
{
    const AditVulkanBuffer *block = places->arenas[ADIT_ARENA_LIVE];
    AditVulkanShape shape = {0};
    AditVulkanDispatch dispatch = {
        .name = name,
        .kernel = adit_vulkan_kernel_get(device, name, NULL, &shape, error),
        .push = {.rows = (guint32) places->rows, .batch = (guint32) places->rows},
        .groups = {1, 1, 1},
        .work = 1,
    };

    if (dispatch.kernel == NULL)
        return FALSE;
    dispatch.windows[0] =
        (AditVulkanWindow){.buffer = block, .range = block->size, .is_written = TRUE};
    for (guint i = 0; i < ADIT_VULKAN_INPUTS; i++)
        bind_part(device, &inputs[MIN(i, n - 1)], &dispatch.windows[3 + i],
                  &dispatch.push.in_at[i]);
    dispatch.windows[2] = dispatch.windows[3];
    dispatch.windows[3].is_written = TRUE;
    g_array_append_val(plan->dispatches, dispatch);
    return TRUE;
}

static AditVulkanDispatch *
get_last(const AditVulkanPlan *plan)
{
    return &g_array_index(plan->dispatches, AditVulkanDispatch, plan->dispatches->len - 1);
}

gboolean
adit_vulkan_sift_plan(AditVulkanPlan *plan, AditVulkanDevice *device,
                      const AditVulkanPlaces *places, GError **error)
{
    const AditVulkanSift *sift = places->sift;
    guint32 attributes[] = {sift->before != NULL, (guint32) sift->width, 0, sift->rises};
    const Part count = {sift->left, 0, 1};
    const Part sifted[] = {{sift->left, 0, ADIT_VULKAN_LEFT + places->rows},
                           {sift->numbers, sift->begin, places->rows * sift->width},
                           {sift->before != NULL ? sift->before : sift->left, 0, 1}};
    const Part counted[] = {{sift->counts, 0, (gsize) 4 * sift->room}, count};

    memcpy(&attributes[2], &sift->threshold, sizeof sift->threshold);
    if (!add_kernel(plan, device, places, "sift", sifted, G_N_ELEMENTS(sifted), error))
        return FALSE;
    get_last(plan)->push.words =
        adit_vulkan_add_attributes(plan, attributes, G_N_ELEMENTS(attributes));
    return add_kernel(plan, device, places, "spread", counted, G_N_ELEMENTS(counted), error);
}

void
adit_vulkan_sift_spread(AditVulkanPlan *plan, AditVulkanDevice *device,
                        const AditVulkanPlaces *places, guint first)
{
    const AditVulkanSift *sift = places->sift;
    guint32 words = plan->words->len, n = 0;

    g_array_set_size(plan->words, words + ATTRIBUTE_WORDS + 2);
    for (guint i = first + 1; i < plan->dispatches->len && n < sift->room; i++) {
        AditVulkanDispatch *dispatch = &g_array_index(plan->dispatches, AditVulkanDispatch, i);
        const AditVulkanSpread *spread = &dispatch->spread;
        const guint32 row[] = {dispatch->push.row, dispatch->push.rows, spread->work, spread->group,
                               spread->together};

        if (spread->work == 0)
            continue;
        dispatch->counted = sift->counts;
        dispatch->counted_at = (gsize) 4 * sizeof(guint32) * n++;
        g_array_append_vals(plan->words, row, G_N_ELEMENTS(row));
    }
    g_array_index(plan->words, guint32, words + ATTRIBUTE_WORDS) = n;
    g_array_index(plan->words, guint32, words + ATTRIBUTE_WORDS + 1) =
        device->physical->limits.maxComputeWorkGroupCount[0];
    g_array_index(plan->dispatches, AditVulkanDispatch, first).push.words = words;
}
