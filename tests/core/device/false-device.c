/* tests/core/device/false-device.c - SPDX-License-Identifier: MIT */
#include "false-device.h"

#include <math.h>
#include <string.h>

typedef struct {
    guint forms;
    FalseHow how;
} Spoiled;

struct _FalseDevice {
    AditDevice parent_instance;
    AditDevice *cpu;
    GHashTable *spoiled;  /* kernel -> Spoiled */
    GHashTable *forms;    /* kernel -> AditKernelForm */
    GHashTable *programs; /* AditExecutable -> AditProgram */
    GArray *together;     /* guint: how many steps came at once */
    guint n_steps;
    gboolean lost;
};

G_DEFINE_FINAL_TYPE(FalseDevice, false_device, ADIT_TYPE_DEVICE)

static const char *
name_of(const AditInstruction *instruction)
{
    if (instruction->kind != ADIT_INSTRUCTION_COMBINE)
        return instruction->op->name;
    return instruction->op->combine != NULL ? instruction->op->combine : "combine-sum";
}

/* How a kernel of the program, in its form, is wrong; NULL: none is. */
static const Spoiled *
find_spoiled(FalseDevice *self, const AditProgram *program)
{
    for (guint i = 0; i < program->instructions->len; i++) {
        const AditInstruction *instruction = program->instructions->pdata[i];
        const char *name = instruction->op != NULL ? name_of(instruction) : "feed";
        const Spoiled *spoiled = g_hash_table_lookup(self->spoiled, name);

        if (spoiled != NULL && spoiled->forms & 1u << false_device_get_form(self, name))
            return spoiled;
    }
    return NULL;
}

static AditMemory *
allocate(AditDevice *device, const AditLayout *layout, guint n_slots, GError **error)
{
    return adit_device_allocate(FALSE_DEVICE(device)->cpu, layout, n_slots, error);
}

static void
free_memory(AditDevice *device, AditMemory *memory)
{
    adit_memory_free(FALSE_DEVICE(device)->cpu, memory);
}

static void
transfer(AditDevice *device, AditMemory *memory, AditArena arena, gsize offset, gsize count,
         double *values, gboolean write)
{
    AditDevice *cpu = FALSE_DEVICE(device)->cpu;

    if (write)
        adit_memory_write(cpu, memory, arena, offset, count, values);
    else
        adit_memory_read(cpu, memory, arena, offset, count, values);
}

static AditExecutable *
prepare(AditDevice *device, AditProgram *program, AditMemory *memory, gsize max_rows, guint64 seed,
        GError **error)
{
    FalseDevice *self = FALSE_DEVICE(device);
    const Spoiled *spoiled = find_spoiled(self, program);

    if (spoiled != NULL && spoiled->how == FALSE_REFUSES) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_FAILED, "the compiler gave up");
        return NULL;
    }
    AditExecutable *executable =
        adit_device_prepare(self->cpu, program, memory, max_rows, seed, error);

    if (executable != NULL)
        g_hash_table_insert(self->programs, executable, program);
    return executable;
}

static void
free_executable(AditDevice *device, AditExecutable *executable)
{
    g_hash_table_remove(FALSE_DEVICE(device)->programs, executable);
    adit_executable_free(FALSE_DEVICE(device)->cpu, executable);
}

static void
run(AditDevice *device, AditExecutable *executable, const AditCall *call)
{
    FalseDevice *self = FALSE_DEVICE(device);
    const Spoiled *spoiled = find_spoiled(self, g_hash_table_lookup(self->programs, executable));

    self->lost = self->lost || (spoiled != NULL && spoiled->how == FALSE_LOSES);
    if (!self->lost)
        adit_device_run(self->cpu, executable, call);
}

static void
run_together(AditDevice *device, const AditDeviceStep *steps, guint n)
{
    g_array_append_val(FALSE_DEVICE(device)->together, n);
    for (guint i = 0; i < n; i++)
        adit_device_run_all(device, steps[i].runs, steps[i].n);
}

static void
run_all(AditDevice *device, const AditDeviceRun *runs, guint n)
{
    FalseDevice *self = FALSE_DEVICE(device);

    self->n_steps++;
    for (guint i = 0; i < n; i++)
        adit_device_run(device, runs[i].executable, &runs[i].call);
}

static gboolean
wait_for(AditDevice *device, GError **error)
{
    FalseDevice *self = FALSE_DEVICE(device);

    if (self->lost)
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_DEVICE_LOST, "the device was lost");
    return !self->lost && adit_device_wait(self->cpu, error);
}

static gboolean
is_finite(AditDevice *device, AditMemory *memory, guint64 *step)
{
    return adit_memory_is_finite(FALSE_DEVICE(device)->cpu, memory, step);
}

static void
read_sums(AditDevice *device, AditExecutable *executable, double *sums)
{
    adit_executable_read_sums(FALSE_DEVICE(device)->cpu, executable, sums);
}

static void
set_sums(AditDevice *device, AditExecutable *executable, const double *sums)
{
    adit_executable_set_sums(FALSE_DEVICE(device)->cpu, executable, sums);
}

/* The first number: how many there are for this run is not known here. */
static void
read_output(AditDevice *device, AditExecutable *executable, guint output, double *values)
{
    FalseDevice *self = FALSE_DEVICE(device);
    const Spoiled *spoiled = find_spoiled(self, g_hash_table_lookup(self->programs, executable));

    if (self->lost)
        return;
    adit_executable_read_output(self->cpu, executable, output, values);
    if (spoiled == NULL)
        return;
    if (spoiled->how == FALSE_ADDS)
        *values += 1.0 / 64;
    else if (spoiled->how == FALSE_NANS)
        *values = (double) NAN;
    else if (isnan(*values))
        *values = (double) INFINITY;
}

static gboolean
set_form(AditDevice *device, const char *kernel, AditKernelForm form)
{
    FalseDevice *self = FALSE_DEVICE(device);

    if (form == ADIT_FORM_SUBGROUP && strstr(kernel, "sum") == NULL)
        return FALSE;
    g_hash_table_insert(self->forms, g_strdup(kernel), GUINT_TO_POINTER(form));
    return TRUE;
}

AditKernelForm
false_device_get_form(FalseDevice *self, const char *kernel)
{
    return (AditKernelForm) GPOINTER_TO_UINT(g_hash_table_lookup(self->forms, kernel));
}

void
false_device_spoil(FalseDevice *self, const char *kernel, guint forms, FalseHow how)
{
    Spoiled spoiled = {forms, how};

    g_hash_table_insert(self->spoiled, g_strdup(kernel), g_memdup2(&spoiled, sizeof spoiled));
}

guint
false_device_count_together(const FalseDevice *self, guint n)
{
    guint count = 0, steps = 0;

    for (guint i = 0; i < self->together->len; i++) {
        guint each = g_array_index(self->together, guint, i);

        count += each == n;
        steps += each;
    }
    return n == 1 ? self->n_steps - steps : count;
}

static void
false_device_finalize(GObject *object)
{
    FalseDevice *self = FALSE_DEVICE(object);

    g_object_unref(self->cpu);
    g_hash_table_unref(self->spoiled);
    g_hash_table_unref(self->forms);
    g_hash_table_unref(self->programs);
    g_array_unref(self->together);
    G_OBJECT_CLASS(false_device_parent_class)->finalize(object);
}

static void
false_device_class_init(FalseDeviceClass *klass)
{
    AditDeviceClass *device_class = ADIT_DEVICE_CLASS(klass);

    G_OBJECT_CLASS(klass)->finalize = false_device_finalize;
    device_class->allocate = allocate;
    device_class->free_memory = free_memory;
    device_class->transfer = transfer;
    device_class->prepare = prepare;
    device_class->free_executable = free_executable;
    device_class->run = run;
    device_class->run_all = run_all;
    device_class->run_together = run_together;
    device_class->wait = wait_for;
    device_class->is_finite = is_finite;
    device_class->read_sums = read_sums;
    device_class->set_sums = set_sums;
    device_class->read_output = read_output;
    device_class->set_form = set_form;
}

static void
false_device_init(FalseDevice *self)
{
    self->cpu = adit_cpu_device_new(1, FALSE);
    self->spoiled = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    self->forms = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    self->programs = g_hash_table_new(NULL, NULL);
    self->together = g_array_new(FALSE, FALSE, sizeof(guint));
}

FalseDevice *
false_device_new(void)
{
    return g_object_new(FALSE_TYPE_DEVICE, NULL);
}
