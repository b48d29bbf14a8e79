/* core/device/vulkan/adit-vulkan-record.c - SPDX-License-Identifier: MIT */
#include "adit-vulkan-record.h"

/* Work of the commands that are submitted as one at least: half of it is the overhead of a
 * dispatch.
 */
#define PIECE 64.0
/* And at most: up to here what may run side by side stays together. */
#define LARGEST_PIECE (32 * PIECE)

/**
 * Access: a part of a buffer that was touched since the last barrier.
 */
typedef struct {
    const AditVulkanBuffer *buffer;
    gsize begin, end;
    gboolean is_written;
} Access;

typedef struct {
    AditVulkanDevice *device;
    AditVulkanRecording *recording;
    VkCommandBuffer commands; /* under way; NULL: none */
    double work;
    const AditVulkanDispatch *first; /* of those commands */
    GArray *accesses;
    gboolean is_serial;
} Recorder;

/* ---- barriers ---- */

static void
add_barrier(Recorder *self)
{
    VkMemoryBarrier barrier = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
        .srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT,
        .dstAccessMask = VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT};
    VkPipelineStageFlags before =
        VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT;
    VkPipelineStageFlags behind = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT;

    if (self->recording->sift.source != NULL) {
        before |= VK_PIPELINE_STAGE_DRAW_INDIRECT_BIT;
        behind |= VK_PIPELINE_STAGE_DRAW_INDIRECT_BIT;
        barrier.dstAccessMask |= VK_ACCESS_INDIRECT_COMMAND_READ_BIT;
    }
    self->device->api.CmdPipelineBarrier(self->commands, before, behind, 0, 1, &barrier, 0, NULL, 0,
                                         NULL);
    g_array_set_size(self->accesses, 0);
    self->recording->barriers++;
}

static gboolean
conflicts(const Recorder *self, const AditVulkanWindow *window)
{
    for (guint i = 0; i < self->accesses->len; i++) {
        const Access *access = &g_array_index(self->accesses, Access, i);

        if (access->buffer == window->buffer && (access->is_written || window->is_written) &&
            access->begin < window->offset + window->range && window->offset < access->end)
            return TRUE;
    }
    return FALSE;
}

static void
note_accesses(Recorder *self, const AditVulkanDispatch *dispatch)
{
    for (guint i = 0; i < ADIT_VULKAN_BINDINGS; i++) {
        const AditVulkanWindow *window = &dispatch->windows[i];
        Access access = {window->buffer, window->offset, window->offset + window->range,
                         window->is_written};

        if (window->buffer != NULL)
            g_array_append_val(self->accesses, access);
    }
}

static gboolean
needs_barrier(const Recorder *self, const AditVulkanDispatch *dispatch)
{
    for (guint i = 0; i < ADIT_VULKAN_BINDINGS; i++) {
        if (dispatch->windows[i].buffer != NULL && conflicts(self, &dispatch->windows[i]))
            return TRUE;
    }
    return FALSE;
}

/* ---- descriptor sets ---- */

static gboolean
make_pool(Recorder *self, guint n)
{
    VkDescriptorPoolSize size = {.type = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                                 .descriptorCount = n * ADIT_VULKAN_BINDINGS};
    VkDescriptorPoolCreateInfo info = {.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
                                       .maxSets = n,
                                       .poolSizeCount = 1,
                                       .pPoolSizes = &size};
    AditVulkanDevice *device = self->device;
    VkResult result =
        device->api.CreateDescriptorPool(device->handle, &info, NULL, &self->recording->sets);

    return result == VK_SUCCESS || adit_vulkan_fail(device, result, "making descriptors");
}

static VkDescriptorSet
make_set(Recorder *self, const AditVulkanDispatch *dispatch)
{
    AditVulkanDevice *device = self->device;
    VkDescriptorSet set = VK_NULL_HANDLE;
    VkDescriptorSetAllocateInfo info = {.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
                                        .descriptorPool = self->recording->sets,
                                        .descriptorSetCount = 1,
                                        .pSetLayouts = &device->set_layout};
    VkDescriptorBufferInfo buffers[ADIT_VULKAN_BINDINGS];
    VkWriteDescriptorSet write = {.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                  .descriptorCount = ADIT_VULKAN_BINDINGS,
                                  .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                                  .pBufferInfo = buffers};
    VkResult result = device->api.AllocateDescriptorSets(device->handle, &info, &set);

    if (result != VK_SUCCESS) {
        adit_vulkan_fail(device, result, "making descriptors");
        return VK_NULL_HANDLE;
    }
    for (guint i = 0; i < ADIT_VULKAN_BINDINGS; i++) {
        const AditVulkanWindow *window = &dispatch->windows[i];
        const AditVulkanBuffer *words = self->recording->words;

        buffers[i] =
            window->buffer != NULL
                ? (VkDescriptorBufferInfo){window->buffer->handle, window->offset, window->range}
                : (VkDescriptorBufferInfo){words->handle, 0, words->size};
    }
    write.dstSet = set;
    device->api.UpdateDescriptorSets(device->handle, 1, &write, 0, NULL);
    return set;
}

/* ---- commands ---- */

char *
adit_vulkan_name_tensor(const AditTensor *tensor)
{
    const char *what = tensor->op != NULL     ? tensor->op->name
                       : tensor->name != NULL ? tensor->name
                                              : "value";
    g_autofree char *address =
        tensor->scope != NULL ? adit_scope_to_string(tensor->scope, 0) : NULL;

    return address != NULL && *address != '\0' ? g_strdup_printf("'%s' in %s", what, address)
                                               : g_strdup_printf("'%s'", what);
}

static gboolean
begin_commands(Recorder *self, const AditVulkanDispatch *dispatch)
{
    self->commands = adit_vulkan_commands_begin(self->device);
    self->first = dispatch;
    self->work = 0;
    if (self->commands == NULL)
        return FALSE;
    /* whatever ran before */
    add_barrier(self);
    return TRUE;
}

static gboolean
end_commands(Recorder *self, gboolean is_last)
{
    const AditTensor *tensor = self->first->tensor;
    g_autofree char *name = tensor != NULL ? adit_vulkan_name_tensor(tensor) : NULL;
    AditVulkanCommands commands = {
        .handle = self->commands,
        .work = self->work,
        .what = name != NULL ? g_strdup_printf("kernel '%s' for %s", self->first->name, name)
                             : g_strdup_printf("kernel '%s'", self->first->name),
        .is_last = is_last,
    };

    g_array_append_val(self->recording->commands, commands);
    self->commands = NULL;
    return adit_vulkan_commands_end(self->device, commands.handle);
}

static gboolean
record_dispatch(Recorder *self, const AditVulkanDispatch *dispatch)
{
    const AditVulkanApi *api = &self->device->api;
    VkDescriptorSet set = make_set(self, dispatch);

    if (set == VK_NULL_HANDLE)
        return FALSE;
    if (needs_barrier(self, dispatch))
        add_barrier(self);
    note_accesses(self, dispatch);
    api->CmdBindPipeline(self->commands, VK_PIPELINE_BIND_POINT_COMPUTE,
                         dispatch->kernel->pipeline);
    api->CmdBindDescriptorSets(self->commands, VK_PIPELINE_BIND_POINT_COMPUTE, self->device->layout,
                               0, 1, &set, 0, NULL);
    api->CmdPushConstants(self->commands, self->device->layout, VK_SHADER_STAGE_COMPUTE_BIT, 0,
                          sizeof dispatch->push, &dispatch->push);
    if (dispatch->counted != NULL)
        api->CmdDispatchIndirect(self->commands, dispatch->counted->handle, dispatch->counted_at);
    else
        api->CmdDispatch(self->commands, dispatch->groups[0], dispatch->groups[1],
                         dispatch->groups[2]);
    self->work += dispatch->work;
    return TRUE;
}

/* Whether the commands under way end before @dispatch: best where it waits for them anyway. */
static gboolean
is_piece(const Recorder *self, const AditVulkanDispatch *dispatch)
{
    return self->commands != NULL && (self->is_serial || self->work >= LARGEST_PIECE ||
                                      (self->work >= PIECE && needs_barrier(self, dispatch)));
}

static gboolean
record_all(Recorder *self, const GArray *dispatches)
{
    for (guint i = 0; i < dispatches->len; i++) {
        const AditVulkanDispatch *dispatch = &g_array_index(dispatches, AditVulkanDispatch, i);

        if (is_piece(self, dispatch) && !end_commands(self, FALSE))
            return FALSE;
        if (self->commands == NULL && !begin_commands(self, dispatch))
            return FALSE;
        if (!record_dispatch(self, dispatch))
            return FALSE;
    }
    return self->commands == NULL || end_commands(self, TRUE);
}

AditVulkanRecording *
adit_vulkan_recording_new(AditVulkanDevice *device, const AditVulkanPlan *plan,
                          const AditSift *sift, GError **error)
{
    AditVulkanRecording *self = g_new0(AditVulkanRecording, 1);
    g_autoptr(GArray) accesses = g_array_new(FALSE, FALSE, sizeof(Access));
    Recorder recorder = {.device = device,
                         .recording = self,
                         .accesses = accesses,
                         .is_serial = g_strcmp0(g_getenv("ADIT_VULKAN_SERIAL"), "1") == 0};

    if (sift != NULL)
        self->sift = *sift;
    self->commands = g_array_new(FALSE, FALSE, sizeof(AditVulkanCommands));
    self->dispatches = plan->dispatches->len;
    self->words = adit_vulkan_get_words(device, plan->words, error);
    if (self->words != NULL && make_pool(&recorder, plan->dispatches->len) &&
        record_all(&recorder, plan->dispatches))
        return self;
    if (error != NULL && *error == NULL && device->error != NULL)
        *error = g_error_copy(device->error);
    adit_vulkan_recording_free(device, self);
    return NULL;
}

/* The plan's own words are a buffer now. */
void
adit_vulkan_recording_keep(AditVulkanRecording *self, const AditVulkanPlan *plan)
{
    self->kept = g_array_copy(plan->dispatches);
    for (guint i = 0; i < self->kept->len; i++) {
        AditVulkanDispatch *dispatch = &g_array_index(self->kept, AditVulkanDispatch, i);

        for (guint j = 0; j < ADIT_VULKAN_BINDINGS; j++) {
            if (dispatch->windows[j].buffer == NULL)
                dispatch->windows[j] =
                    (AditVulkanWindow){.buffer = self->words, .range = self->words->size};
        }
    }
}

void
adit_vulkan_recording_queue(AditVulkanDevice *device, const AditVulkanRecording *self,
                            const AditCall *call)
{
    device->dispatches += self->dispatches;
    device->barriers += self->barriers;
    for (guint i = 0; i < self->commands->len; i++)
        adit_vulkan_queue_add(device->queue, &g_array_index(self->commands, AditVulkanCommands, i),
                              device->serial, call->update > 0 ? call->step + 1 : 0);
}

void
adit_vulkan_recording_free(AditVulkanDevice *device, AditVulkanRecording *self)
{
    for (guint i = 0; i < self->commands->len; i++) {
        AditVulkanCommands *commands = &g_array_index(self->commands, AditVulkanCommands, i);

        device->api.FreeCommandBuffers(device->handle, device->pool, 1, &commands->handle);
        g_free(commands->what);
    }
    g_array_unref(self->commands);
    g_clear_pointer(&self->kept, g_array_unref);
    device->api.DestroyDescriptorPool(device->handle, self->sets, NULL);
    g_free(self);
}
