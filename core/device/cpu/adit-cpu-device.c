/* core/device/cpu/adit-cpu-device.c - SPDX-License-Identifier: MIT */
#include "adit-cpu-private.h"

#include "adit-graph-private.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Memory as large as this is asked to be of pages as large as this: a deep network's history is
 * read all over, and of many small pages the processor has to look up where they are. */
#define HUGE_PAGE ((gsize) 2 * 1024 * 1024)

#define ADIT_TYPE_CPU_DEVICE (adit_cpu_device_get_type())
G_DECLARE_FINAL_TYPE(AditCpuDevice, adit_cpu_device, ADIT, CPU_DEVICE, AditDevice)

struct _AditCpuDevice {
    AditDevice parent_instance;
    AditIsa isa;
    AditCpuNumbers numbers;
    AditTeam *team;
    AditDeviceCounts counts;
    const char *convolutions; /* (nullable): what they are computed by, once there were some */
};

G_DEFINE_FINAL_TYPE(AditCpuDevice, adit_cpu_device, ADIT_TYPE_DEVICE)

void *
adit_cpu_allocate(gsize bytes, const char *what, GError **error)
{
    void *data = NULL;
    gsize alignment = bytes >= HUGE_PAGE ? HUGE_PAGE : 64;
    bytes = MAX(bytes, 64);
    if (bytes > G_MAXSSIZE || posix_memalign(&data, alignment, bytes) != 0) {
        g_autofree char *size = g_format_size_full(bytes, G_FORMAT_SIZE_IEC_UNITS);
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_MEMORY, "no memory for %s of %s", size, what);
        return NULL;
    }
#ifdef MADV_HUGEPAGE
    /* a wish; pages of the usual size do as well */
    if (alignment == HUGE_PAGE)
        madvise(data, bytes / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
#endif
    memset(data, 0, bytes);
    return data;
}

gsize
adit_cpu_count_instances(const AditTensor *tensor)
{
    gsize instances = 1;
    for (guint i = 0; i < tensor->lead; i++)
        instances *= tensor->shape.size[i];
    return instances;
}

static void
free_memory(AditDevice *device, AditMemory *memory)
{
    ADIT_CPU_DEVICE(device)->counts.bytes -= memory->bytes;
    for (guint i = 0; i < ADIT_N_ARENAS; i++)
        free(memory->arenas[i]);
    g_free(memory);
}

static AditMemory *
allocate(AditDevice *device, const AditLayout *layout, guint n_slots, GError **error)
{
    AditCpuDevice *self = ADIT_CPU_DEVICE(device);
    const struct {
        AditArena arena;
        gsize count;
        const char *what;
    } arenas[] = {
        {ADIT_ARENA_PARAMETERS, layout->n_parameters, "parameters"},
        {ADIT_ARENA_GRADIENTS, layout->n_parameters, "gradients"},
        {ADIT_ARENA_STATES, layout->n_states, "states"},
        {ADIT_ARENA_OPTIMIZER, layout->n_parameters * n_slots, "the optimizer's state"},
    };
    AditMemory *memory = g_new0(AditMemory, 1);
    for (guint i = 0; i < G_N_ELEMENTS(arenas); i++) {
        void *data = adit_cpu_allocate(arenas[i].count * self->numbers.size, arenas[i].what, error);
        memory->arenas[arenas[i].arena] = data;
        if (data == NULL) {
            free_memory(device, memory);
            return NULL;
        }
        memory->bytes += arenas[i].count * self->numbers.size;
        self->counts.bytes += arenas[i].count * self->numbers.size;
    }
    return memory;
}

static void
transfer(AditDevice *device, AditMemory *memory, AditArena arena, gsize offset, gsize count,
         double *values, gboolean write)
{
    AditCpuDevice *self = ADIT_CPU_DEVICE(device);
    void *data = memory->arenas[arena];
    for (gsize i = 0; i < count; i++) {
        if (write)
            adit_cpu_store(&self->numbers, data, offset + i, values[i]);
        else
            values[i] = adit_cpu_load(&self->numbers, data, offset + i);
    }
}

static AditExecutable *
prepare(AditDevice *device, AditProgram *program, AditMemory *memory, gsize max_rows, guint64 seed,
        GError **error)
{
    AditCpuDevice *self = ADIT_CPU_DEVICE(device);
    AditExecutable *executable = adit_cpu_executable_new(program, memory, self->isa, self->team,
                                                         self->numbers, max_rows, seed, error);
    if (executable != NULL)
        self->counts.bytes += adit_cpu_executable_count(executable).bytes;
    if (adit_cpu_has_convolutions(program))
        adit_cpu_device_get_convolutions(device);
    return executable;
}

static void
free_executable(AditDevice *device, AditExecutable *executable)
{
    ADIT_CPU_DEVICE(device)->counts.bytes -= adit_cpu_executable_count(executable).bytes;
    adit_cpu_executable_free(executable);
}

static void
run(AditDevice *device, AditExecutable *executable, const AditCall *call)
{
    AditCpuDevice *self = ADIT_CPU_DEVICE(device);
    AditMemory *memory = executable->memory;
    if (memory->is_stopped)
        return;
    guint64 before = adit_cpu_executable_count(executable).calls;
    memory->is_stopped = !adit_cpu_executable_run(executable, call);
    memory->failed_step = call->step;
    self->counts.calls += adit_cpu_executable_count(executable).calls - before;
}

/* A run is over when it returns. */
static gboolean
wait(AditDevice *device, GError **error)
{
    return TRUE;
}

static gboolean
is_finite(AditDevice *device, AditMemory *memory, guint64 *step)
{
    gboolean is_stopped = memory->is_stopped;
    if (is_stopped && step != NULL)
        *step = memory->failed_step;
    memory->is_stopped = FALSE;
    return !is_stopped;
}

static void
read_sums(AditDevice *device, AditExecutable *executable, double *sums)
{
    adit_cpu_executable_read_sums(executable, sums);
}

static void
set_sums(AditDevice *device, AditExecutable *executable, const double *sums)
{
    adit_cpu_executable_set_sums(executable, sums);
}

static void
read_output(AditDevice *device, AditExecutable *executable, guint output, double *values)
{
    adit_cpu_executable_read_output(executable, output, values);
}

static void
count(AditDevice *device, AditDeviceCounts *counts)
{
    *counts = ADIT_CPU_DEVICE(device)->counts;
}

static void
describe(AditDevice *device, JsonObject *object)
{
    json_object_set_string_member(object, "name", "cpu");
    json_object_set_string_member(object, "instruction-set", adit_cpu_device_get_isa(device));
    if (ADIT_CPU_DEVICE(device)->convolutions != NULL)
        json_object_set_string_member(object, "convolutions",
                                      ADIT_CPU_DEVICE(device)->convolutions);
    json_object_set_int_member(object, "threads", adit_cpu_device_get_threads(device));
    json_object_set_int_member(object, "cores", g_get_num_processors());
}

static void
adit_cpu_device_finalize(GObject *object)
{
    g_clear_pointer(&ADIT_CPU_DEVICE(object)->team, adit_team_free);
    G_OBJECT_CLASS(adit_cpu_device_parent_class)->finalize(object);
}

/* Kernels are fastest on vectors of channels. */
static AditCompileFlags
get_compile_flags(AditDevice *device)
{
    gboolean fuses = adit_may_fuse();

    return ADIT_COMPILE_IN_TURN | ADIT_COMPILE_AT_ONCE | (fuses ? ADIT_COMPILE_CHANNELS_LAST : 0);
}

static void
adit_cpu_device_class_init(AditCpuDeviceClass *klass)
{
    AditDeviceClass *device_class = ADIT_DEVICE_CLASS(klass);
    G_OBJECT_CLASS(klass)->finalize = adit_cpu_device_finalize;
    device_class->allocate = allocate;
    device_class->free_memory = free_memory;
    device_class->transfer = transfer;
    device_class->prepare = prepare;
    device_class->free_executable = free_executable;
    device_class->run = run;
    device_class->wait = wait;
    device_class->is_finite = is_finite;
    device_class->read_sums = read_sums;
    device_class->set_sums = set_sums;
    device_class->read_output = read_output;
    device_class->describe = describe;
    device_class->get_compile_flags = get_compile_flags;
    device_class->count = count;
}

static void
adit_cpu_device_init(AditCpuDevice *self)
{
}

AditDevice *
adit_cpu_device_new(guint threads, gboolean f64)
{
    AditCpuDevice *self = g_object_new(ADIT_TYPE_CPU_DEVICE, NULL);
    self->isa = adit_isa_detect();
    self->numbers = (AditCpuNumbers){f64, f64 ? sizeof(double) : sizeof(float)};
    self->team = adit_team_new(threads > 0 ? threads : g_get_num_processors());
    return ADIT_DEVICE(self);
}

const char *
adit_cpu_device_get_isa(AditDevice *self)
{
    return adit_isa_get_name(ADIT_CPU_DEVICE(self)->isa);
}

guint
adit_cpu_device_get_threads(AditDevice *self)
{
    return adit_team_get_size(ADIT_CPU_DEVICE(self)->team);
}

guint
adit_device_get_threads(AditDevice *self)
{
    return ADIT_IS_CPU_DEVICE(self) ? adit_cpu_device_get_threads(self) : g_get_num_processors();
}

const char *
adit_cpu_device_get_convolutions(AditDevice *device)
{
    AditCpuDevice *self = ADIT_CPU_DEVICE(device);
    const AditConvolvers *library = adit_cpu_convolvers_find(self->isa, self->numbers.f64);

    self->convolutions = library != NULL ? library->describe() : ADIT_CPU_BUILT_IN;
    return self->convolutions;
}
