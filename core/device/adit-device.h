/* core/device/adit-device.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-array.h>
#include <json-glib/json-glib.h>

#include "adit-philox.h"
#include "adit-program.h"

G_BEGIN_DECLS

/**
 * AditMemory: a model's arenas on a device: parameters, gradients, states, the optimizer's slots.
 */
typedef struct _AditMemory AditMemory;

/**
 * AditExecutable: a program made ready for one memory and up to a number of rows.
 */
typedef struct _AditExecutable AditExecutable;

/**
 * AditFeed: where the rows of one input come from: row r of the batch is row
 * @subset[@order(@first + r)] of @array; without an order or a subset these are the identity.
 * @subset: (nullable): row numbers (I32)
 * @is_streamed: rows come to the device batch by batch; else @array and @subset live there, held by
 * a reference, if they fit
 * @source: (nullable): an executable of the same device: row r is that of its output @output which
 * is the r-th that the call's sift left; the others are nothing
 */
typedef struct {
    const AditArray *array;
    const AditArray *subset;
    const AditPermutation *order;
    gsize first;
    gboolean is_streamed;
    AditExecutable *source;
    guint output;
} AditFeed;

/**
 * AditSift: which rows of an executable's last run stay: those of which the first number of output
 * @output is less than @threshold, if @rises, or else is not less. A number that is none stays.
 */
typedef struct {
    AditExecutable *source;
    guint output;
    double threshold;
    gboolean rises;
} AditSift;

/* The row of feed->array that row @row of the batch is. */
gsize adit_feed_get_row(const AditFeed *feed, gsize row);
/* The same of @n rows from @row on. */
void adit_feed_get_rows(const AditFeed *feed, gsize row, gsize n, gsize *rows);

/**
 * AditCall: one run of a program.
 * @step: what random numbers count by: different for every step of a run
 * @update: number of the optimizer's update, 1 for the first
 * @rows: rows of the batch
 * @first_row: number of the batch's first row: where linear inputs and outputs begin in their
 * arena, and what random numbers count on from (a micro-batch is a part of a batch)
 * @feeds: one for each of the program's feeds, in their order
 * @lives: values of the program's live numbers
 * @sift: (nullable): the call is for the rows that this leaves, @rows at most, whose feeds all have
 * its source; nobody has to know how many they are. Nothing but READ and HANDED outputs is left
 * then
 */
typedef struct {
    guint64 step;
    guint64 update;
    gsize rows;
    gsize first_row;
    const AditFeed *feeds;
    const double *lives;
    const AditSift *sift;
} AditCall;

/**
 * AditDeviceRun: a call of an executable.
 */
typedef struct {
    AditExecutable *executable;
    AditCall call;
} AditDeviceRun;

/**
 * AditDeviceStep: what belongs together, in order: @n of them.
 */
typedef struct {
    const AditDeviceRun *runs;
    guint n;
} AditDeviceStep;

/**
 * AditKernelForm: how a kernel's shader was compiled, best first; all forms give the same numbers.
 * @ADIT_FORM_NONE: a self-test's verdict: none does
 */
typedef enum {
    ADIT_FORM_SUBGROUP,
    ADIT_FORM_OPTIMISED,
    ADIT_FORM_PLAIN,
    ADIT_FORM_NONE,
} AditKernelForm;

/**
 * AditDeviceCounts: what a device has done, and holds.
 * @calls: kernel calls (on a Vulkan device: dispatches) of all runs so far
 * @barriers: how often what followed waited for all that was before (of a Vulkan device; else 0)
 * @bytes: of memories and executables there are
 */
typedef struct {
    guint64 calls;
    guint64 barriers;
    guint64 bytes;
} AditDeviceCounts;

/**
 * AditDevice: what runs programs.
 */
#define ADIT_TYPE_DEVICE (adit_device_get_type())
G_DECLARE_DERIVABLE_TYPE(AditDevice, adit_device, ADIT, DEVICE, GObject)

/**
 * AditDeviceClass:
 *
 * Runs are queued in order; whoever reads waits for them. One function is called at a time.
 * A device that fails does nothing any more: what is read is 0, and wait() tells why.
 */
struct _AditDeviceClass {
    GObjectClass parent_class;

    AditMemory *(*allocate)(AditDevice *self, const AditLayout *layout, guint n_slots,
                            GError **error);
    void (*free_memory)(AditDevice *self, AditMemory *memory);
    void (*transfer)(AditDevice *self, AditMemory *memory, AditArena arena, gsize offset,
                     gsize count, double *values, gboolean write);
    AditExecutable *(*prepare)(AditDevice *self, AditProgram *program, AditMemory *memory,
                               gsize max_rows, guint64 seed, GError **error);
    void (*free_executable)(AditDevice *self, AditExecutable *executable);
    void (*run)(AditDevice *self, AditExecutable *executable, const AditCall *call);
    void (*run_all)(AditDevice *self, const AditDeviceRun *runs, guint n); /* or NULL: in turn */
    void (*run_together)(AditDevice *self, const AditDeviceStep *steps, guint n); /* or NULL */
    gboolean (*wait)(AditDevice *self, GError **error);
    gboolean (*is_finite)(AditDevice *self, AditMemory *memory, guint64 *step);
    void (*read_sums)(AditDevice *self, AditExecutable *executable, double *sums);
    void (*set_sums)(AditDevice *self, AditExecutable *executable, const double *sums);
    void (*read_output)(AditDevice *self, AditExecutable *executable, guint output, double *values);
    gboolean (*set_form)(AditDevice *self, const char *kernel, AditKernelForm form); /* or NULL */
    void (*describe)(AditDevice *self, JsonObject *object);
    void (*count)(AditDevice *self, AditDeviceCounts *counts);
    AditCompileFlags (*get_compile_flags)(AditDevice *self); /* or NULL: none */
    gsize (*read_left)(AditDevice *self, AditExecutable *executable, gint32 *rows); /* or NULL */
};

/* The CPU. @threads 0: one for each core; @f64: compute in float64, the oracle of tests. */
AditDevice *adit_cpu_device_new(guint threads, gboolean f64);
/* "avx512": the instruction set the kernels were chosen for. */
const char *adit_cpu_device_get_isa(AditDevice *self);
guint adit_cpu_device_get_threads(AditDevice *self);
/* Threads that the host may compute with beside a device: those of a CPU; else one for each core.
 */
guint adit_device_get_threads(AditDevice *self);
/* What convolutions are computed by, in whose last bits such libraries differ: "oneDNN 2.6.3",
 * which is opened for that; ADIT_CPU_BUILT_IN: the core's own kernels. */
const char *adit_cpu_device_get_convolutions(AditDevice *self);
#define ADIT_CPU_BUILT_IN "built-in"

/**
 * adit_device_describe:
 *
 * Writes what a run keeps of the device it computes on into @object: "name" ("cpu", "vulkan:0"),
 * then of the CPU "instruction-set", "convolutions" (by what: once that was asked for, or a program
 * with some prepared), "threads" and "cores", of a Vulkan device "type", "uuid" (if known),
 * "device", "driver" and "driver-version". Last "path", which decides about the last bits:
 * "walk" where operations are joined as far as they can be, "plain" where each is by itself.
 */
void adit_device_describe(AditDevice *self, JsonObject *object);

/* Arenas with room for @n_slots optimizer slots, zeroed; ADIT_ERROR_MEMORY when they do not fit.
 * The device outlives them. */
AditMemory *adit_device_allocate(AditDevice *self, const AditLayout *layout, guint n_slots,
                                 GError **error);
void adit_memory_free(AditDevice *device, AditMemory *memory);
/* Elements of an arena as numbers; the optimizer's slots lie one behind the other. */
void adit_memory_read(AditDevice *device, AditMemory *memory, AditArena arena, gsize offset,
                      gsize count, double *values);
void adit_memory_write(AditDevice *device, AditMemory *memory, AditArena arena, gsize offset,
                       gsize count, const double *values);
/* @program must outlive the executable. @seed: of its random streams. */
AditExecutable *adit_device_prepare(AditDevice *self, AditProgram *program, AditMemory *memory,
                                    gsize max_rows, guint64 seed, GError **error);
void adit_executable_free(AditDevice *device, AditExecutable *executable);
/* Does nothing once a guarded value of a run on the same memory was not finite. */
void adit_device_run(AditDevice *self, AditExecutable *executable, const AditCall *call);
/**
 * adit_device_run_all:
 * @runs: (array length=n): of one step, in order: the gradient, the update of each range
 *
 * As adit_device_run() of each in turn, and leaves the same, up to rounding, in the arenas and
 * sums. A device may join them: what lies between two of them, inside its own memory, is then never
 * there. Whether it does follows from the programs, their memory and the runs' rows alone, so that
 * a run that is resumed does the same.
 */
void adit_device_run_all(AditDevice *self, const AditDeviceRun *runs, guint n);
/**
 * adit_device_run_together:
 * @steps: (array length=n): of different memories
 *
 * As adit_device_run_all() of each in turn, and to the same bits. A device may do them side by
 * side.
 */
void adit_device_run_together(AditDevice *self, const AditDeviceStep *steps, guint n);
/* Waits until everything queued is done. Fails with ADIT_ERROR_DEVICE_LOST, or with what went wrong
 * while something was queued (ADIT_ERROR_MEMORY); always so from then on. */
gboolean adit_device_wait(AditDevice *self, GError **error);
/* Whether all guarded values of runs on this memory so far were finite; a FALSE is told once and
 * then forgotten. @step: (out) (optional): that of the call whose value was not: nothing has been
 * computed on this memory since. */
gboolean adit_memory_is_finite(AditDevice *device, AditMemory *memory, guint64 *step);
/* The sums of the program's SUM outputs over all rows of all runs, in order, on top of what they
 * were set to; 0 at first. */
void adit_executable_read_sums(AditDevice *device, AditExecutable *executable, double *sums);
void adit_executable_set_sums(AditDevice *device, AditExecutable *executable, const double *sums);
/* A READ output of the last run: row after row, a stack's axes first. */
void adit_executable_read_output(AditDevice *device, AditExecutable *executable, guint output,
                                 double *values);

/* Whether calls may have a sift. */
gboolean adit_device_can_sift(AditDevice *self);

/* Which rows of the executable's last run the last sift of it left, in order, and how many.
 * @rows: (out caller-allocates): room for all of them */
gsize adit_executable_read_left(AditDevice *device, AditExecutable *executable, gint32 *rows);

/* What programs for this device are to be compiled with. */
AditCompileFlags adit_device_get_compile_flags(AditDevice *self);

/* @counts: (out caller-allocates) */
void adit_device_count(AditDevice *self, AditDeviceCounts *counts);

/* Programs prepared from now on take kernel @kernel in this form; FALSE: there is no such form. */
gboolean adit_device_set_form(AditDevice *self, const char *kernel, AditKernelForm form);

G_END_DECLS
