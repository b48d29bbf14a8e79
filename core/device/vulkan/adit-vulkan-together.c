/* core/device/vulkan/adit-vulkan-together.c - SPDX-License-Identifier: MIT */
#include "adit-vulkan-together.h"

#include "adit-vulkan-executable.h"

/* Sets of recordings that are kept; runs that share a graph need one for the full batch and one for
 * the last, more when they are at different steps. */
#define MAX_KEPT 8

/**
 * Together: the dispatches of several recordings, recorded side by side.
 * @of: (element-type AditVulkanRecording): borrowed
 */
typedef struct {
    AditVulkanDevice *device;
    GPtrArray *of;
    AditVulkanRecording *recording;
} Together;

static void
together_free(gpointer data)
{
    Together *self = data;

    adit_vulkan_queue_drain(self->device->queue);
    adit_vulkan_recording_free(self->device, self->recording);
    g_ptr_array_unref(self->of);
    g_free(self);
}

GPtrArray *
adit_vulkan_together_table_new(void)
{
    return g_ptr_array_new_with_free_func(together_free);
}

void
adit_vulkan_together_forget(AditVulkanDevice *device, const AditVulkanRecording *recording)
{
    for (guint i = device->together->len; i > 0; i--) {
        const Together *self = device->together->pdata[i - 1];

        if (g_ptr_array_find(self->of, recording, NULL))
            g_ptr_array_remove_index(device->together, i - 1);
    }
}

/* ---- recording ---- */

/* The first dispatches of all, then the second ones: barriers stand where one of a recording's own
 * waits for another, and so serve all. */
static void
interleave(const GPtrArray *of, GArray *dispatches)
{
    guint before;

    for (guint number = 0;; number++) {
        before = dispatches->len;
        for (guint i = 0; i < of->len; i++) {
            const GArray *own = ((const AditVulkanRecording *) of->pdata[i])->kept;

            if (number < own->len)
                g_array_append_vals(dispatches, &g_array_index(own, AditVulkanDispatch, number), 1);
        }
        if (dispatches->len == before)
            return;
    }
}

static Together *
together_new(AditVulkanDevice *device, const GPtrArray *of)
{
    g_autoptr(GArray) dispatches = g_array_new(FALSE, FALSE, sizeof(AditVulkanDispatch));
    g_autoptr(GArray) words = g_array_new(FALSE, FALSE, sizeof(guint32));
    g_autoptr(GError) error = NULL;
    AditVulkanPlan plan = {dispatches, words};

    interleave(of, dispatches);
    AditVulkanRecording *recording = adit_vulkan_recording_new(device, &plan, NULL, &error);
    if (recording == NULL) {
        g_info("steps are run in turn: %s", error->message);
        return NULL;
    }
    Together *self = g_new0(Together, 1);

    self->device = device;
    self->of = g_ptr_array_copy((GPtrArray *) of, NULL, NULL);
    self->recording = recording;
    return self;
}

static gboolean
is_of(const Together *self, const GPtrArray *of)
{
    gboolean same = self->of->len == of->len;

    for (guint i = 0; same && i < of->len; i++)
        same = self->of->pdata[i] == of->pdata[i];
    return same;
}

/* The one that was used last is the last. */
static AditVulkanRecording *
find(AditVulkanDevice *device, const GPtrArray *of)
{
    GPtrArray *kept = device->together;
    Together *found = NULL;

    for (guint i = kept->len; i > 0 && found == NULL; i--) {
        if (is_of(kept->pdata[i - 1], of))
            found = g_ptr_array_steal_index(kept, i - 1);
    }
    if (found == NULL)
        found = together_new(device, of);
    if (found == NULL)
        return NULL;
    if (kept->len == MAX_KEPT)
        g_ptr_array_remove_index(kept, 0);
    g_ptr_array_add(kept, found);
    return found->recording;
}

/* ---- running ---- */

static void
run_in_turn(AditVulkanDevice *device, const AditDeviceStep *steps, guint n)
{
    for (guint i = 0; i < n; i++)
        adit_device_run_all(ADIT_DEVICE(device), steps[i].runs, steps[i].n);
}

/* @of: their recordings */
static void
run_side_by_side(AditVulkanDevice *device, const AditDeviceStep *steps, const GPtrArray *of)
{
    AditVulkanRecording *recording = of->len > 1 ? find(device, of) : NULL;

    if (recording == NULL) {
        run_in_turn(device, steps, of->len);
        return;
    }
    for (guint i = 0; i < of->len; i++) {
        if (!adit_vulkan_executable_begin(steps[i].runs->executable, of->pdata[i], steps[i].runs,
                                          steps[i].n))
            return;
    }
    for (guint i = 0; i < of->len; i++)
        adit_vulkan_executable_note(steps[i].runs->executable, &steps[i].runs->call);
    adit_vulkan_recording_queue(device, recording, &steps->runs->call);
}

void
adit_vulkan_together_run(AditVulkanDevice *device, const AditDeviceStep *steps, guint n)
{
    g_autofree AditDeviceStep *ready = g_new0(AditDeviceStep, n);
    g_autoptr(GPtrArray) of = g_ptr_array_new();

    for (guint i = 0; i < n; i++) {
        AditVulkanRecording *recording = adit_vulkan_join_find(device, steps[i].runs, steps[i].n);

        if (recording == NULL) {
            run_in_turn(device, &steps[i], 1);
            continue;
        }
        ready[of->len] = steps[i];
        g_ptr_array_add(of, recording);
    }
    run_side_by_side(device, ready, of);
}
