/* core/device/cpu/adit-cpu-private.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-cpu-convolver.h"
#include "adit-device.h"
#include "adit-kernels.h"
#include "adit-team.h"

G_BEGIN_DECLS

#define ADIT_N_ARENAS (ADIT_ARENA_LIVE + 1)

/**
 * AditCpuNumbers: how numbers lie in memory: float32, or float64 for the oracle.
 */
typedef struct {
    gboolean f64;
    gsize size; /* bytes */
} AditCpuNumbers;

/**
 * AditMemory:
 * @arenas: those of the model; the others are the executable's
 * @is_stopped: a guarded value was not finite, in the call of step @failed_step
 */
struct _AditMemory {
    void *arenas[ADIT_N_ARENAS];
    gsize bytes;
    gboolean is_stopped;
    guint64 failed_step;
};

/* Zeroed and aligned to a cache line; NULL with ADIT_ERROR_MEMORY. */
void *adit_cpu_allocate(gsize bytes, const char *what, GError **error);
/* Instances of a stack with rows: their rows lie by themselves, as far apart as there is room for.
 * 1: it is none. */
gsize adit_cpu_count_instances(const AditTensor *tensor);

static inline double
adit_cpu_load(const AditCpuNumbers *numbers, const void *data, gsize index)
{
    return numbers->f64 ? ((const double *) data)[index] : (double) ((const float *) data)[index];
}

static inline void
adit_cpu_store(const AditCpuNumbers *numbers, void *data, gsize index, double value)
{
    if (numbers->f64)
        ((double *) data)[index] = value;
    else
        ((float *) data)[index] = (float) value;
}

/**
 * AditCpuPanel: the rows that a run of kernels is for.
 * @row: number of the first within its slice
 * @linear: its number in the whole batch, and in the arena of linear operands
 * @is_last: of its slice
 */
typedef struct {
    guint slice;
    gsize row;
    gsize linear;
    gsize rows;
    gboolean is_last;
} AditCpuPanel;

/**
 * AditCpuPointer: an operand's address: @base, plus what slice, row and the loops' indices add.
 * @slice_bytes, @row_bytes: from one slice, and one row of a slice, to the next
 * @linear_bytes: from one row to the next, counted through the whole batch
 * @iteration: @base in the iteration of the loops that is under way
 */
typedef struct {
    char *base;
    char *iteration;
    gsize slice_bytes;
    gsize row_bytes;
    gsize linear_bytes;
    guint n_strides;
    struct {
        guint level;
        gsize bytes;
        guint shift;
        guint modulo;
    } strides[ADIT_MAX_LOOPS];
} AditCpuPointer;

/**
 * AditCpuMove: what the next iteration of the loop adds to an address: @bytes; to and fro if
 * @turns is -1 (0: always on).
 */
typedef struct {
    gssize bytes;
    gssize turns;
} AditCpuMove;

/**
 * AditCpuPacking: how what a convolver reads or leaves lies.
 * @stays: (of weights' gradients): packed, in their usual place
 * @bytes: of packed weights, which one iteration after the other lie behind each other; 0: the
 * convolver packs them itself
 * @offset: where those of the first iteration lie, in the executable's memory
 * @begin: where they lie in the network, as the loops around the stretch stand
 * @list: (nullable): (of the first op of a stretch): the weights to pack for it
 */
typedef struct {
    gboolean stays;
    gsize bytes;
    gsize offset;
    const char *begin;
    GArray *list;
} AditCpuPacking;

/**
 * AditCpuOp: an instruction, or several that are one kernel, made ready. Every thread has its own,
 * as the kernel's arguments change in place.
 * @inputs: places of the call's inputs, and, behind them, of the results that a fused kernel has
 * besides its output: the call has them there too
 * @n_inputs: of both kinds
 * @moves: of the inputs; [ADIT_MAX_INPUTS]: of the output
 * @turned: (nullable): of each input, and of the output behind ADIT_MAX_INPUTS: memory for it in
 * the usual order, where it lies with the rows in the lanes but the kernel does not take that
 * @convolver: (nullable): does the kernel's work, by a library; of what joins in turn: the one
 * whose gradients are joined as they are packed
 * @packing: how what the convolver reads or leaves lies
 * @keys: of the random stream, for all iterations; shared by the threads
 * @turns: (nullable): for all iterations, the slice that is to be joined next; shared by the
 * threads
 * @room: rows that the memory of input 0 and of the output has room for (copies of stacks)
 */
typedef struct _AditCpuOp AditCpuOp;
struct _AditCpuOp {
    const AditInstruction *instruction;
    AditKernel kernel;
    AditKernelCall call;
    AditCpuMove moves[ADIT_MAX_INPUTS + 1];
    guint n_inputs;
    AditCpuPointer inputs[ADIT_MAX_INPUTS];
    AditCpuPointer output;
    gsize room[2];
    void **turned;
    AditConvolver *convolver;
    AditCpuPacking packing;
    guint32 *keys;
    gint *turns;
    guint key_strides[ADIT_MAX_LOOPS];
    AditCpuOp *body;
    guint n_body;
};

/* Instructions that one kernel does, and results it has. */
#define ADIT_CPU_MAX_FUSED   6
#define ADIT_CPU_MAX_RESULTS 4

/**
 * AditCpuFusion: instructions that are one kernel.
 * @instructions: their numbers in the list, in any order
 * @place: the number of the one in whose place the kernel runs
 * @attributes: those of the first, if no other are the kernel's
 * @transposed: (nullable): that of the inputs which the kernel takes as adit_cpu_transpose() leaves
 * it
 * @results: the kernel's output, then what else it leaves
 * @is_thin: all operands lie with the rows in the lanes
 * @partials: (of results over rows): elements of one slice's, else 0
 */
typedef struct {
    AditKernel kernel;
    const void *attributes;
    guint n;
    guint instructions[ADIT_CPU_MAX_FUSED];
    guint place;
    guint n_inputs;
    const AditOperand *inputs[ADIT_MAX_INPUTS];
    const AditOperand *transposed;
    guint n_results;
    const AditOperand *results[ADIT_CPU_MAX_RESULTS];
    gsize partials[ADIT_CPU_MAX_RESULTS];
    gboolean is_thin;
} AditCpuFusion;

/* What a thread has left unseen by the others since all of them last met. */
typedef enum { ADIT_CPU_SEEN, ADIT_CPU_LEFT_SLICES, ADIT_CPU_LEFT_WHOLE } AditCpuPending;

/**
 * AditCpuRows: which rows of the data a panel's are.
 * @run, @begin, @n, @feed: what they were found for
 * @n_fetched: how many of them are in cache, or on their way there
 */
typedef struct {
    guint64 run;
    gsize begin, n;
    const AditFeed *feed;
    gsize n_fetched;
    gsize *numbers;
} AditCpuRows;

/**
 * AditCpuWorker: a thread's part of an executable.
 * @panel: memory of the values that live within a stretch (AditStorage), for one panel of rows
 * @parts: the THREAD arena
 * @rows, @rows_ahead: of the panel under way, and of the next
 * @next: the panel that comes next in a stretch; of no rows: none does
 * @calls: of kernels, in all runs so far
 */
typedef struct {
    AditExecutable *executable;
    guint thread;
    void *panel;
    void *parts;
    AditCpuRows rows, rows_ahead;
    AditCpuPanel next;
    AditCpuOp *ops;
    guint n_ops;
    AditCpuOp *commits;
    guint n_commits;
    guint index[ADIT_MAX_LOOPS];
    AditCpuPending pending;
    guint64 calls;
} AditCpuWorker;

/**
 * AditCpuMatrix: weights that are transposed before a run; @offset: elements in the arena.
 */
typedef struct {
    gsize offset;
    gsize rows;
    gsize columns;
} AditCpuMatrix;

/**
 * AditExecutable:
 * @fuses: panels, kernels for several instructions, and thin layers by feature (ADIT_FUSE);
 * without, the same bits but for thin layers
 * @slice_rows: rows a slice has room for
 * @panel_rows: rows a panel has room for
 * @thin: by storage: whether its values lie with the rows in the lanes
 * @matrices: (element-type AditCpuMatrix)
 * @transposed: they, as they lie in the parameters' arena from element @transposed_begin on
 * @convolvers: (nullable): the library that convolutions are computed by
 * @packed: memory of the weights that a stretch reads packed
 * @has_failed: atomic: the library failed in the run under way, which is done once more
 * @is_alone: it failed once, and is not called any more
 * @shared: what ops of all threads share, owned
 * @bytes: of its arenas and panels
 * @sums: one for each output
 * @n_runs: runs so far, the one under way too
 */
struct _AditExecutable {
    AditProgram *program;
    AditMemory *memory;
    AditIsa isa;
    AditTeam *team;
    AditCpuNumbers numbers;
    gboolean fuses;
    gsize slice_rows;
    gsize panel_rows;
    void *arenas[ADIT_N_ARENAS];
    guint8 *thin;
    AditKernel to_thin, from_thin;
    GArray *matrices;
    void *transposed;
    gsize transposed_begin;
    AditKernel transpose;
    const AditConvolvers *convolvers;
    char *packed;
    gint has_failed;
    gboolean is_alone;
    GPtrArray *shared;
    AditCpuWorker *workers;
    guint n_workers;
    gsize bytes;
    double *sums;
    const AditCall *current;
    guint64 n_runs;
    gsize last_rows;
};

/* adit-cpu-ops.c: making ready. */

/* Sets self->panel_rows from what the program needs for a row. */
void adit_cpu_choose_panel(AditExecutable *self);
/* @worker: (nullable): whose memory it may be in */
AditCpuPointer adit_cpu_pointer(const AditExecutable *self, const AditOperand *operand,
                                gsize partial, const AditCpuWorker *worker);
/* The worker's ops; @first: (nullable): a worker that is ready, whose keys serve as well. */
void adit_cpu_make_ops(AditCpuWorker *self, const AditCpuWorker *first, guint64 seed);
void adit_cpu_free_ops(AditCpuWorker *self);

/* adit-cpu-fuse.c */

/* Whether the instructions from @first on begin with some that are one kernel; @fusion: (out). */
gboolean adit_cpu_fuse(const AditExecutable *self, const GPtrArray *instructions, guint first,
                       const GArray *readers, AditCpuFusion *fusion);

/* adit-cpu-layout.c: how values of thin layers lie. */

/* Decides it: self->thin. Before any op is made. */
void adit_cpu_find_thin(AditExecutable *self);
/* Whether all operands of the instruction lie with the rows in the lanes, and its kernel takes
 * that.
 */
gboolean adit_cpu_is_thin(const AditExecutable *self, const AditInstruction *instruction);
/* Whether any lies so. */
gboolean adit_cpu_touches_thin(const AditExecutable *self, const AditInstruction *instruction);
/* Gives an op memory to turn those operands around in that its kernel does not take as they lie:
 * @operands: its inputs, then its output. */
void adit_cpu_turn(const AditExecutable *self, AditCpuOp *op, const AditOperand *const *operands);
void adit_cpu_free_turned(AditCpuOp *op);
/* Turns inputs around, runs @run, turns the output around. */
void adit_cpu_run_turned(AditCpuWorker *self, AditCpuOp *op,
                         void (*run)(AditCpuWorker *self, const AditCpuOp *op));

/* adit-cpu-transpose.c: weights that the way back reads transposed. */

/* Whether the instruction is a product with such weights. */
gboolean adit_cpu_is_transposed(const AditExecutable *self, const AditInstruction *instruction);
/* Makes the op read them, its input number @input, where adit_cpu_transpose() leaves them. */
void adit_cpu_take_transposed(const AditExecutable *self, AditCpuOp *op, guint input);
/* Finds all of them and allocates their memory: ADIT_ERROR_MEMORY. */
gboolean adit_cpu_find_transposed(AditExecutable *self, GError **error);
/* A worker's share, at the begin of a run. */
void adit_cpu_transpose(AditCpuWorker *self);

/* adit-cpu-pack.c: weights of convolutions by a library, and their gradients. */

/* Finds all of them, behind all ops, and allocates their memory: ADIT_ERROR_MEMORY. */
gboolean adit_cpu_find_packed(AditExecutable *self, GError **error);
/* Packs a worker's share of what the stretch that begins with @first reads. */
void adit_cpu_pack(AditCpuWorker *self, AditCpuOp *first);
/* Where the weights of the op's call lie packed, or its output if that is to; NULL: nowhere. */
const void *adit_cpu_get_packed(const AditExecutable *self, const AditCpuOp *op);
/* Says that the library failed, once: the run is done again, without it. */
void adit_cpu_fail(AditExecutable *self);

/* adit-cpu-run.c: running. */

/* Until the others have seen what this thread left, and it sees what they left. */
void adit_cpu_meet(AditCpuWorker *self);

/* A thread's part of a run, for adit_team_run(); @data: the executable, with `current` set. */
void adit_cpu_run_worker(gpointer data, guint thread);
/* Whether all guarded values are finite. */
gboolean adit_cpu_guards_hold(const AditExecutable *self);

AditExecutable *adit_cpu_executable_new(AditProgram *program, AditMemory *memory, AditIsa isa,
                                        AditTeam *team, AditCpuNumbers numbers, gsize max_rows,
                                        guint64 seed, GError **error);
void adit_cpu_executable_free(AditExecutable *self);
/* Whether all guarded values are finite. */
gboolean adit_cpu_executable_run(AditExecutable *self, const AditCall *call);
/* Kernel calls of all its runs, and the memory it holds in bytes. */
AditDeviceCounts adit_cpu_executable_count(const AditExecutable *self);
void adit_cpu_executable_read_sums(AditExecutable *self, double *sums);
void adit_cpu_executable_set_sums(AditExecutable *self, const double *sums);
void adit_cpu_executable_read_output(AditExecutable *self, guint output, double *values);

G_END_DECLS
