/* core/device/vulkan/adit-vulkan-queue.c - SPDX-License-Identifier: MIT */
#include "adit-vulkan-private.h"

/* Drivers give up on a submission that takes too long (amdgpu and Windows after 2 s): a submission
 * gets as much work as the device has shown to do in this time. */
#define BUDGET 0.25 /* seconds */
/* A device that was lost may have been given too much at a time. */
#define MIN_BUDGET 0.02
static double budget = BUDGET;
/* After this time without an answer somebody is told. */
#define PATIENCE (30 * G_GUINT64_CONSTANT(1000000000)) /* nanoseconds */
/* What is submitted before the first measurement, and how much more than the last at a time. */
#define FIRST_WORK 64.0
#define GROWTH     2.0
/* Submissions under way: one is worked on while the next one waits. */
#define MAX_UNDER_WAY 2

/**
 * Submission: @serial: number of the last call that is done with it
 * @what: (owned): its first commands
 * @step: of training that they are part of, counted from 1; 0: none
 * @behind: the last such step that was queued before
 */
typedef struct {
    guint64 value;
    guint64 serial;
    double work;
    gint64 submitted;
    guint64 step;
    guint64 behind;
    char *what;
} Submission;

struct _AditVulkanQueue {
    AditVulkanDevice *device;
    VkSemaphore timeline;
    guint64 value;    /* signalled by the last submission */
    GQueue under_way; /* Submission */
    GArray *commands; /* VkCommandBuffer: of the next submission */
    Submission next;
    guint64 step;       /* the last that was queued */
    guint64 done;       /* all calls up to this number are */
    double rate;        /* work a second; 0: not measured yet */
    double limit;       /* work of a submission */
    gint64 finished;    /* when the last one was seen to be done */
    gboolean is_serial; /* one submission at a time, for finding the kernel that fails */
};

AditVulkanQueue *
adit_vulkan_queue_new(AditVulkanDevice *device)
{
    AditVulkanQueue *self = g_new0(AditVulkanQueue, 1);
    VkSemaphoreTypeCreateInfo type = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
                                      .semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE};
    VkSemaphoreCreateInfo info = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO, .pNext = &type};

    self->device = device;
    g_queue_init(&self->under_way);
    self->commands = g_array_new(FALSE, FALSE, sizeof(VkCommandBuffer));
    self->limit = FIRST_WORK;
    self->is_serial = g_strcmp0(g_getenv("ADIT_VULKAN_SERIAL"), "1") == 0;
    VkResult result = device->api.CreateSemaphore(device->handle, &info, NULL, &self->timeline);
    if (result != VK_SUCCESS)
        adit_vulkan_fail(device, result, "making a semaphore");
    return self;
}

static void
submission_free(gpointer data)
{
    Submission *submission = data;

    g_free(submission->what);
    g_free(submission);
}

void
adit_vulkan_queue_free(AditVulkanQueue *self)
{
    g_queue_clear_full(&self->under_way, submission_free);
    g_array_unref(self->commands);
    g_free(self->next.what);
    self->device->api.DestroySemaphore(self->device->handle, self->timeline, NULL);
    g_free(self);
}

/* Learns from a submission that has just been seen to be done. */
static void
measure(AditVulkanQueue *self, const Submission *submission)
{
    gint64 now = g_get_monotonic_time();
    double seconds = (double) (now - MAX(submission->submitted, self->finished)) * 1e-6;

    self->finished = now;
    if (self->is_serial)
        g_debug("%s: %.3f ms", submission->what, 1e3 * seconds);
    self->rate = submission->work / MAX(seconds, 1e-6);
    self->limit = CLAMP(self->rate * budget, FIRST_WORK, self->limit * GROWTH);
}

/* What is told when the device is lost: all that is known of where it was. */
static char *
describe(AditVulkanQueue *self, const char *doing)
{
    const Submission *first = g_queue_peek_head(&self->under_way);
    g_autofree char *where = NULL;

    if (first == NULL)
        return g_strdup(doing);
    if (first->step > 0)
        where = g_strdup_printf("of step %" G_GUINT64_FORMAT, first->step);
    else if (first->behind > 0)
        where = g_strdup_printf("behind step %" G_GUINT64_FORMAT, first->behind);
    else
        where = g_strdup("before its first step");
    return g_strdup_printf("%s, at or behind %s %s, submitted %.3f s before", doing, first->what,
                           where, (double) (g_get_monotonic_time() - first->submitted) * 1e-6);
}

static gboolean
fail(AditVulkanQueue *self, VkResult result, const char *doing)
{
    g_autofree char *what = describe(self, doing);

    if (result == VK_ERROR_DEVICE_LOST)
        budget = MAX(budget / 2, MIN_BUDGET);
    return adit_vulkan_fail(self->device, result, what);
}

static gboolean
wait_for_first(AditVulkanQueue *self)
{
    AditVulkanDevice *device = self->device;
    const Submission *first = g_queue_peek_head(&self->under_way);
    VkSemaphoreWaitInfo info = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
                                .semaphoreCount = 1,
                                .pSemaphores = &self->timeline,
                                .pValues = &first->value};
    VkResult result = device->api.WaitSemaphores(device->handle, &info, PATIENCE);

    if (result == VK_TIMEOUT) {
        g_autofree char *what = describe(self, "waiting");

        g_message("device '%s' does not answer: %s", device->physical->name, what);
        result = device->api.WaitSemaphores(device->handle, &info, G_MAXUINT64);
    }
    if (result != VK_SUCCESS)
        return fail(self, result, "waiting");
    measure(self, first);
    self->done = first->serial;
    submission_free(g_queue_pop_head(&self->under_way));
    return TRUE;
}

static gboolean
submit(AditVulkanQueue *self)
{
    AditVulkanDevice *device = self->device;
    guint64 value = self->value + 1;
    VkTimelineSemaphoreSubmitInfo timeline = {.sType =
                                                  VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
                                              .signalSemaphoreValueCount = 1,
                                              .pSignalSemaphoreValues = &value};
    VkSubmitInfo info = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                         .pNext = &timeline,
                         .commandBufferCount = self->commands->len,
                         .pCommandBuffers = (VkCommandBuffer *) self->commands->data,
                         .signalSemaphoreCount = 1,
                         .pSignalSemaphores = &self->timeline};

    while (self->under_way.length >= MAX_UNDER_WAY) {
        if (!wait_for_first(self))
            return FALSE;
    }
    Submission *submission = g_memdup2(&self->next, sizeof self->next);
    submission->value = value;
    submission->submitted = g_get_monotonic_time();
    g_queue_push_tail(&self->under_way, submission);
    self->next = (Submission){.serial = submission->serial};
    VkResult result = device->api.QueueSubmit(device->queue_handle, 1, &info, VK_NULL_HANDLE);
    g_array_set_size(self->commands, 0);
    if (result != VK_SUCCESS)
        return fail(self, result, "submitting");
    self->value = value;
    /* the first ones are waited for, so that the limit grows from what was measured */
    if (self->is_serial || self->rate == 0 || self->limit < FIRST_WORK * GROWTH * GROWTH)
        return wait_for_first(self);
    return TRUE;
}

void
adit_vulkan_queue_add(AditVulkanQueue *self, const AditVulkanCommands *commands, guint64 serial,
                      guint64 step)
{
    if (self->device->error != NULL)
        return;
    if (self->commands->len > 0 &&
        (self->is_serial || self->next.work + commands->work > self->limit) && !submit(self))
        return;
    if (self->commands->len == 0) {
        self->next.what = g_strdup(commands->what);
        self->next.step = step;
        self->next.behind = self->step;
    }
    if (step > 0)
        self->step = step;
    g_array_append_val(self->commands, commands->handle);
    self->next.work += commands->work;
    if (commands->is_last)
        self->next.serial = serial;
}

gboolean
adit_vulkan_queue_flush(AditVulkanQueue *self)
{
    if (self->device->error != NULL)
        return FALSE;
    return self->commands->len == 0 || submit(self);
}

gboolean
adit_vulkan_queue_wait(AditVulkanQueue *self, guint64 serial)
{
    if (self->device->error != NULL)
        return FALSE;
    if (self->commands->len > 0 && self->done < serial && !submit(self))
        return FALSE;
    while (self->done < serial && self->under_way.length > 0) {
        if (!wait_for_first(self))
            return FALSE;
    }
    return TRUE;
}

gboolean
adit_vulkan_queue_finish(AditVulkanQueue *self)
{
    return adit_vulkan_queue_wait(self, G_MAXUINT64);
}

void
adit_vulkan_queue_drain(AditVulkanQueue *self)
{
    /* a device that has failed for want of memory may still work on what it got before */
    if (!adit_vulkan_queue_finish(self))
        self->device->api.DeviceWaitIdle(self->device->handle);
}

gboolean
adit_vulkan_queue_run(AditVulkanQueue *self, VkCommandBuffer commands, const char *what)
{
    AditVulkanCommands alone = {.handle = commands, .work = 1, .what = (char *) what};

    adit_vulkan_queue_add(self, &alone, 0, 0);
    return adit_vulkan_queue_finish(self);
}
