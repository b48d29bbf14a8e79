/* core/device/adit-shared-device.c - SPDX-License-Identifier: MIT */
#include "adit-shared-device.h"

/* Steps that a thread may have queued before it must let the others go on. Changing threads costs
 * as much as a step of a thin network. */
#define MAX_AHEAD 8
/* What is queued is not to keep a thread from looking at its clock for longer than this. */
#define LONG_FLUSH (G_USEC_PER_SEC / 100)

typedef enum {
    MEMBER_READY,
    MEMBER_WAITS, /* for its steps to be run */
    MEMBER_DONE,
} MemberState;

typedef struct _Ensemble Ensemble;

#define ADIT_TYPE_SHARED_DEVICE (adit_shared_device_get_type())
G_DECLARE_FINAL_TYPE(AditSharedDevice, adit_shared_device, ADIT, SHARED_DEVICE, AditDevice)

/**
 * AditSharedDevice: what one thread of an ensemble sees of the device.
 * @turn: it is this one's
 * @steps: (element-type AditDeviceStep): queued, with all that they point to
 */
struct _AditSharedDevice {
    AditDevice parent_instance;
    Ensemble *ensemble;
    guint number;
    GThread *thread;
    GCond turn;
    MemberState state;
    GQueue steps;
};

G_DEFINE_FINAL_TYPE(AditSharedDevice, adit_shared_device, ADIT_TYPE_DEVICE)

/**
 * Ensemble: threads that share a device.
 * @baton: who has it goes on; nothing else is done at the same time
 * @current: number of the one whose turn it is
 * @programs: AditExecutable -> AditProgram
 * @ahead: steps that may be queued: as many as are done in no time
 */
struct _Ensemble {
    AditDevice *device;
    AditSharedFunc func;
    gpointer user_data;
    GMutex baton;
    guint current;
    AditSharedDevice **members;
    guint n_members;
    GHashTable *programs;
    guint ahead;
};

/* ---- steps ---- */

static void
clear_call(AditCall *call, guint n_feeds)
{
    for (guint i = 0; i < n_feeds; i++)
        g_free((AditPermutation *) call->feeds[i].order);
    g_free((AditFeed *) call->feeds);
    g_free((double *) call->lives);
}

static void
step_free(const Ensemble *ensemble, AditDeviceStep *self)
{
    for (guint i = 0; i < self->n; i++) {
        AditDeviceRun *run = (AditDeviceRun *) &self->runs[i];
        const AditProgram *program = g_hash_table_lookup(ensemble->programs, run->executable);

        clear_call(&run->call, program->feeds->len);
    }
    g_free((AditDeviceRun *) self->runs);
    g_free(self);
}

static void
copy_call(AditCall *call, const AditProgram *program)
{
    AditFeed *feeds = g_memdup2(call->feeds, program->feeds->len * sizeof *feeds);

    for (guint i = 0; i < program->feeds->len; i++)
        feeds[i].order =
            g_memdup2(feeds[i].order, feeds[i].order != NULL ? sizeof *feeds->order : 0);
    call->feeds = feeds;
    call->lives = g_memdup2(call->lives, program->lives->len * sizeof *call->lives);
}

static AditDeviceStep *
step_new(const Ensemble *ensemble, const AditDeviceRun *runs, guint n)
{
    AditDeviceRun *copies = g_memdup2(runs, n * sizeof *runs);
    AditDeviceStep step = {copies, n};

    for (guint i = 0; i < n; i++)
        copy_call(&copies[i].call, g_hash_table_lookup(ensemble->programs, runs[i].executable));
    return g_memdup2(&step, sizeof step);
}

/* The first steps of all members that have one; FALSE: nobody has. */
static gboolean
run_first(Ensemble *self)
{
    g_autofree AditDeviceStep **first = g_new0(AditDeviceStep *, self->n_members);
    g_autofree AditDeviceStep *steps = g_new0(AditDeviceStep, self->n_members);
    guint n = 0;

    for (guint i = 0; i < self->n_members; i++) {
        AditDeviceStep *step = g_queue_pop_head(&self->members[i]->steps);

        if (step == NULL)
            continue;
        first[n] = step;
        steps[n++] = *step;
    }
    if (n == 0)
        return FALSE;
    adit_device_run_together(self->device, steps, n);
    for (guint i = 0; i < n; i++)
        step_free(self, first[i]);
    return TRUE;
}

/* Runs all that is queued; nobody waits any more. */
static void
flush(Ensemble *self)
{
    gint64 began = g_get_monotonic_time();

    while (run_first(self))
        ;
    for (guint i = 0; i < self->n_members; i++) {
        if (self->members[i]->state == MEMBER_WAITS)
            self->members[i]->state = MEMBER_READY;
    }
    gboolean is_long = g_get_monotonic_time() - began > LONG_FLUSH;

    self->ahead = is_long ? MAX(self->ahead / 2, 1) : MIN(self->ahead * 2, MAX_AHEAD);
}

/* ---- turns ---- */

/* The next one behind @number that is ready; NULL: none is. */
static AditSharedDevice *
find_ready(const Ensemble *self, guint number)
{
    for (guint i = 1; i <= self->n_members; i++) {
        AditSharedDevice *member = self->members[(number + i) % self->n_members];

        if (member->state == MEMBER_READY)
            return member;
    }
    return NULL;
}

/* One that is not ready lets the others go on; when none of them is, what they have queued is run.
 */
static void
hand_on(AditSharedDevice *self)
{
    Ensemble *ensemble = self->ensemble;
    AditSharedDevice *next = find_ready(ensemble, self->number);

    if (next == NULL) {
        flush(ensemble);
        next = find_ready(ensemble, self->number);
    }
    if (next == NULL || next == self)
        return;
    ensemble->current = next->number;
    g_cond_signal(&next->turn);
}

static void
wait_for_turn(AditSharedDevice *self)
{
    while (self->ensemble->current != self->number)
        g_cond_wait(&self->turn, &self->ensemble->baton);
}

/* Returns when all steps that were queued here are with the device. */
static AditDevice *
catch_up(AditDevice *device)
{
    AditSharedDevice *self = ADIT_SHARED_DEVICE(device);

    if (self->steps.length > 0) {
        self->state = MEMBER_WAITS;
        hand_on(self);
        wait_for_turn(self);
    }
    return self->ensemble->device;
}

static gpointer
run_member(gpointer data)
{
    AditSharedDevice *self = data;
    Ensemble *ensemble = self->ensemble;

    g_mutex_lock(&ensemble->baton);
    wait_for_turn(self);
    ensemble->func(ADIT_DEVICE(self), self->number, ensemble->user_data);
    catch_up(ADIT_DEVICE(self));
    self->state = MEMBER_DONE;
    hand_on(self);
    g_mutex_unlock(&ensemble->baton);
    return NULL;
}

/* ---- the device ---- */

static void
run_all(AditDevice *device, const AditDeviceRun *runs, guint n)
{
    AditSharedDevice *self = ADIT_SHARED_DEVICE(device);

    if (n == 0)
        return;
    g_queue_push_tail(&self->steps, step_new(self->ensemble, runs, n));
    if (self->steps.length >= self->ensemble->ahead)
        catch_up(device);
}

static AditMemory *
allocate(AditDevice *device, const AditLayout *layout, guint n_slots, GError **error)
{
    return adit_device_allocate(catch_up(device), layout, n_slots, error);
}

static void
free_memory(AditDevice *device, AditMemory *memory)
{
    adit_memory_free(catch_up(device), memory);
}

static void
transfer(AditDevice *device, AditMemory *memory, AditArena arena, gsize offset, gsize count,
         double *values, gboolean write)
{
    AditDevice *inner = catch_up(device);

    ADIT_DEVICE_GET_CLASS(inner)->transfer(inner, memory, arena, offset, count, values, write);
}

static AditExecutable *
prepare(AditDevice *device, AditProgram *program, AditMemory *memory, gsize max_rows, guint64 seed,
        GError **error)
{
    AditExecutable *executable =
        adit_device_prepare(catch_up(device), program, memory, max_rows, seed, error);

    if (executable != NULL)
        g_hash_table_insert(ADIT_SHARED_DEVICE(device)->ensemble->programs, executable, program);
    return executable;
}

static void
free_executable(AditDevice *device, AditExecutable *executable)
{
    AditDevice *inner = catch_up(device);

    g_hash_table_remove(ADIT_SHARED_DEVICE(device)->ensemble->programs, executable);
    adit_executable_free(inner, executable);
}

static void
run(AditDevice *device, AditExecutable *executable, const AditCall *call)
{
    adit_device_run(catch_up(device), executable, call);
}

static gboolean
wait(AditDevice *device, GError **error)
{
    return adit_device_wait(catch_up(device), error);
}

static gboolean
is_finite(AditDevice *device, AditMemory *memory, guint64 *step)
{
    return adit_memory_is_finite(catch_up(device), memory, step);
}

static void
read_sums(AditDevice *device, AditExecutable *executable, double *sums)
{
    adit_executable_read_sums(catch_up(device), executable, sums);
}

static void
set_sums(AditDevice *device, AditExecutable *executable, const double *sums)
{
    adit_executable_set_sums(catch_up(device), executable, sums);
}

static void
read_output(AditDevice *device, AditExecutable *executable, guint output, double *values)
{
    adit_executable_read_output(catch_up(device), executable, output, values);
}

static gboolean
set_form(AditDevice *device, const char *kernel, AditKernelForm form)
{
    return adit_device_set_form(catch_up(device), kernel, form);
}

static void
describe(AditDevice *device, JsonObject *object)
{
    adit_device_describe(ADIT_SHARED_DEVICE(device)->ensemble->device, object);
}

static void
count(AditDevice *device, AditDeviceCounts *counts)
{
    adit_device_count(catch_up(device), counts);
}

static void
adit_shared_device_finalize(GObject *object)
{
    g_cond_clear(&ADIT_SHARED_DEVICE(object)->turn);
    G_OBJECT_CLASS(adit_shared_device_parent_class)->finalize(object);
}

static AditCompileFlags
get_compile_flags(AditDevice *device)
{
    return adit_device_get_compile_flags(ADIT_SHARED_DEVICE(device)->ensemble->device);
}

static void
adit_shared_device_class_init(AditSharedDeviceClass *klass)
{
    AditDeviceClass *device_class = ADIT_DEVICE_CLASS(klass);

    G_OBJECT_CLASS(klass)->finalize = adit_shared_device_finalize;
    device_class->allocate = allocate;
    device_class->free_memory = free_memory;
    device_class->transfer = transfer;
    device_class->prepare = prepare;
    device_class->free_executable = free_executable;
    device_class->run = run;
    device_class->run_all = run_all;
    device_class->wait = wait;
    device_class->is_finite = is_finite;
    device_class->read_sums = read_sums;
    device_class->set_sums = set_sums;
    device_class->read_output = read_output;
    device_class->set_form = set_form;
    device_class->describe = describe;
    device_class->get_compile_flags = get_compile_flags;
    device_class->count = count;
}

static void
adit_shared_device_init(AditSharedDevice *self)
{
    g_cond_init(&self->turn);
    g_queue_init(&self->steps);
}

/* ---- sharing ---- */

static AditSharedDevice *
member_new(Ensemble *ensemble, guint number)
{
    AditSharedDevice *self = g_object_new(ADIT_TYPE_SHARED_DEVICE, NULL);

    self->ensemble = ensemble;
    self->number = number;
    return self;
}

void
adit_device_share(AditDevice *device, guint n, AditSharedFunc func, gpointer user_data)
{
    g_autofree AditSharedDevice **members = g_new0(AditSharedDevice *, n);
    Ensemble ensemble = {.device = device,
                         .func = func,
                         .user_data = user_data,
                         .members = members,
                         .n_members = n,
                         .ahead = 1};

    if (n == 1) {
        func(device, 0, user_data);
        return;
    }
    g_mutex_init(&ensemble.baton);
    ensemble.programs = g_hash_table_new(NULL, NULL);
    for (guint i = 0; i < n; i++)
        members[i] = member_new(&ensemble, i);
    for (guint i = 0; i < n; i++)
        members[i]->thread = g_thread_new("adit-run", run_member, members[i]);
    for (guint i = 0; i < n; i++)
        g_thread_join(members[i]->thread);
    for (guint i = 0; i < n; i++)
        g_object_unref(members[i]);
    g_hash_table_unref(ensemble.programs);
    g_mutex_clear(&ensemble.baton);
}
