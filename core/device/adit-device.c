/* core/device/adit-device.c - SPDX-License-Identifier: MIT */
#include "adit-device.h"

#include "adit-kernels.h"

G_DEFINE_ABSTRACT_TYPE(AditDevice, adit_device, G_TYPE_OBJECT)

static void
adit_device_class_init(AditDeviceClass *klass)
{
}

static void
adit_device_init(AditDevice *self)
{
}

void
adit_device_describe(AditDevice *self, JsonObject *object)
{
    gboolean fuses = adit_may_fuse();

    ADIT_DEVICE_GET_CLASS(self)->describe(self, object);
    if (!json_object_has_member(object, "path"))
        json_object_set_string_member(object, "path", fuses ? "walk" : "plain");
}

AditMemory *
adit_device_allocate(AditDevice *self, const AditLayout *layout, guint n_slots, GError **error)
{
    return ADIT_DEVICE_GET_CLASS(self)->allocate(self, layout, n_slots, error);
}

void
adit_memory_free(AditDevice *device, AditMemory *memory)
{
    if (memory != NULL)
        ADIT_DEVICE_GET_CLASS(device)->free_memory(device, memory);
}

void
adit_memory_read(AditDevice *device, AditMemory *memory, AditArena arena, gsize offset, gsize count,
                 double *values)
{
    ADIT_DEVICE_GET_CLASS(device)->transfer(device, memory, arena, offset, count, values, FALSE);
}

void
adit_memory_write(AditDevice *device, AditMemory *memory, AditArena arena, gsize offset,
                  gsize count, const double *values)
{
    ADIT_DEVICE_GET_CLASS(device)->transfer(device, memory, arena, offset, count, (double *) values,
                                            TRUE);
}

AditExecutable *
adit_device_prepare(AditDevice *self, AditProgram *program, AditMemory *memory, gsize max_rows,
                    guint64 seed, GError **error)
{
    return ADIT_DEVICE_GET_CLASS(self)->prepare(self, program, memory, max_rows, seed, error);
}

void
adit_executable_free(AditDevice *device, AditExecutable *executable)
{
    if (executable != NULL)
        ADIT_DEVICE_GET_CLASS(device)->free_executable(device, executable);
}

void
adit_device_run(AditDevice *self, AditExecutable *executable, const AditCall *call)
{
    ADIT_DEVICE_GET_CLASS(self)->run(self, executable, call);
}

void
adit_device_run_all(AditDevice *self, const AditDeviceRun *runs, guint n)
{
    AditDeviceClass *klass = ADIT_DEVICE_GET_CLASS(self);

    if (klass->run_all != NULL) {
        klass->run_all(self, runs, n);
        return;
    }
    for (guint i = 0; i < n; i++)
        adit_device_run(self, runs[i].executable, &runs[i].call);
}

void
adit_device_run_together(AditDevice *self, const AditDeviceStep *steps, guint n)
{
    AditDeviceClass *klass = ADIT_DEVICE_GET_CLASS(self);

    if (klass->run_together != NULL && n > 1) {
        klass->run_together(self, steps, n);
        return;
    }
    for (guint i = 0; i < n; i++)
        adit_device_run_all(self, steps[i].runs, steps[i].n);
}

gboolean
adit_device_wait(AditDevice *self, GError **error)
{
    return ADIT_DEVICE_GET_CLASS(self)->wait(self, error);
}

gboolean
adit_memory_is_finite(AditDevice *device, AditMemory *memory, guint64 *step)
{
    return ADIT_DEVICE_GET_CLASS(device)->is_finite(device, memory, step);
}

void
adit_executable_read_sums(AditDevice *device, AditExecutable *executable, double *sums)
{
    ADIT_DEVICE_GET_CLASS(device)->read_sums(device, executable, sums);
}

void
adit_executable_set_sums(AditDevice *device, AditExecutable *executable, const double *sums)
{
    ADIT_DEVICE_GET_CLASS(device)->set_sums(device, executable, sums);
}

gboolean
adit_device_set_form(AditDevice *self, const char *kernel, AditKernelForm form)
{
    AditDeviceClass *klass = ADIT_DEVICE_GET_CLASS(self);

    return klass->set_form != NULL && klass->set_form(self, kernel, form);
}

void
adit_device_count(AditDevice *self, AditDeviceCounts *counts)
{
    ADIT_DEVICE_GET_CLASS(self)->count(self, counts);
}

gsize
adit_feed_get_row(const AditFeed *feed, gsize row)
{
    row += feed->first;
    if (feed->order != NULL)
        row = adit_permutation_at(feed->order, row);
    return feed->subset != NULL ? (gsize) ((const gint32 *) feed->subset->data)[row] : row;
}

void
adit_feed_get_rows(const AditFeed *feed, gsize row, gsize n, gsize *rows)
{
    const gint32 *subset = feed->subset != NULL ? feed->subset->data : NULL;

    if (feed->order != NULL)
        adit_permutation_fill(feed->order, feed->first + row, n, rows);
    for (gsize i = 0; i < n; i++) {
        if (feed->order == NULL)
            rows[i] = feed->first + row + i;
        if (subset != NULL)
            __builtin_prefetch(&subset[rows[i]]);
    }
    for (gsize i = 0; i < n && subset != NULL; i++)
        rows[i] = (gsize) subset[rows[i]];
}

void
adit_executable_read_output(AditDevice *device, AditExecutable *executable, guint output,
                            double *values)
{
    ADIT_DEVICE_GET_CLASS(device)->read_output(device, executable, output, values);
}

AditCompileFlags
adit_device_get_compile_flags(AditDevice *self)
{
    AditDeviceClass *klass = ADIT_DEVICE_GET_CLASS(self);

    return klass->get_compile_flags != NULL ? klass->get_compile_flags(self) : 0;
}

gboolean
adit_device_can_sift(AditDevice *self)
{
    return ADIT_DEVICE_GET_CLASS(self)->read_left != NULL;
}

gsize
adit_executable_read_left(AditDevice *device, AditExecutable *executable, gint32 *rows)
{
    return ADIT_DEVICE_GET_CLASS(device)->read_left(device, executable, rows);
}
