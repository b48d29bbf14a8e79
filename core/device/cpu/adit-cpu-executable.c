/* core/device/cpu/adit-cpu-executable.c - SPDX-License-Identifier: MIT */
#include "adit-cpu-private.h"

#include "adit-graph-private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/**
 * Pointer: an operand's address: @base, plus what slice, row and the loops' indices add.
 */
typedef struct {
    char *base;
    gsize slice_bytes;
    gsize row_bytes; /* of linear operands; others begin with the slice */
    guint n_strides;
    struct {
        guint level;
        gsize bytes;
        guint shift;
        guint modulo;
    } strides[ADIT_MAX_LOOPS];
} Pointer;

/**
 * Op: an instruction made ready. Every thread has its own, as the kernel's arguments change in
 * place.
 */
typedef struct _Op Op;
struct _Op {
    const AditInstruction *instruction;
    AditKernel kernel;
    AditKernelCall call;
    Pointer inputs[ADIT_MAX_INPUTS];
    Pointer output;
    guint32 *keys; /* shared by the threads */
    guint key_strides[ADIT_MAX_LOOPS];
    Op *body;
    guint n_body;
};

/* What a thread has left unseen by the others since all of them last met. */
typedef enum { PENDING_NOTHING, PENDING_SLICES, PENDING_WHOLE } Pending;

typedef struct {
    AditExecutable *executable;
    guint thread;
    Op *ops;
    guint n_ops;
    Op *commits;
    guint n_commits;
    guint index[ADIT_MAX_LOOPS];
    Pending pending;
    guint64 calls; /* of kernels so far */
} Worker;

struct _AditExecutable {
    AditProgram *program;
    AditIsa isa;
    AditTeam *team;
    AditCpuNumbers numbers;
    gsize slice_rows; /* rows a slice has room for */
    void *arenas[ADIT_N_ARENAS];
    GPtrArray *keys; /* owned */
    Worker *workers;
    guint n_workers;
    gsize bytes;  /* of its arenas */
    double *sums; /* one for each output */
    const AditCall *current;
    gsize last_rows;
};

/* Making ready. */

static AditKernel
find_kernel(const AditExecutable *self, const AditInstruction *instruction)
{
    const AditOp *op = instruction->op;
    gboolean f64 = self->numbers.f64;
    if (instruction->kind == ADIT_INSTRUCTION_COMBINE) {
        AditKernel own = f64 ? op->combine_f64 : op->combine_f32;
        return own != NULL ? own
                           : adit_kernel_find(op->combine != NULL ? op->combine : "combine-sum",
                                              self->isa, f64);
    }
    AditKernel own = f64 ? op->kernel_f64 : op->kernel_f32;
    return own != NULL ? own : adit_kernel_find(op->name, self->isa, f64);
}

static Pointer
make_pointer(const AditExecutable *self, const AditOperand *operand, gsize partial)
{
    gsize unit = self->numbers.size;
    Pointer pointer = {0};
    if (operand->arena == ADIT_ARENA_ROWS) {
        unit *= self->slice_rows;
        pointer.slice_bytes = self->program->row_units * unit;
    }
    if (operand->linear)
        pointer.row_bytes = operand->count * unit;
    if (partial > 0)
        pointer.slice_bytes = partial * unit;
    gsize offset = operand->offset;
    if (operand->storage >= 0)
        offset += g_array_index(self->program->storages, AditStorage, operand->storage).offset;
    pointer.base = (char *) self->arenas[operand->arena] + offset * unit;
    for (guint i = 0; i < ADIT_MAX_LOOPS; i++) {
        if (operand->strides[i].stride == 0)
            continue;
        pointer.strides[pointer.n_strides].level = i;
        pointer.strides[pointer.n_strides].bytes = operand->strides[i].stride * unit;
        pointer.strides[pointer.n_strides].shift = operand->strides[i].shift;
        pointer.strides[pointer.n_strides++].modulo = operand->strides[i].modulo;
    }
    return pointer;
}

static AditView
make_view(const AditOperand *operand)
{
    return (AditView){.rows = operand->rows, .shape = operand->shape, .count = operand->count};
}

static guint32 *
make_keys(AditExecutable *self, const AditInstruction *instruction, guint64 seed)
{
    guint n = g_strv_length(instruction->names);
    guint32 *keys = g_new(guint32, 2 * n);
    for (guint i = 0; i < n; i++)
        adit_stream_key(seed, instruction->names[i], keys + 2 * i);
    g_ptr_array_add(self->keys, keys);
    return keys;
}

static void
set_key_strides(Op *op)
{
    guint stride = 1;
    for (const AditLoop *loop = op->instruction->tensor->graph->loop; loop != NULL;
         loop = loop->parent->loop) {
        op->key_strides[loop->parent->depth] = stride;
        stride *= loop->n;
    }
}

static Op *
make_ops(AditExecutable *self, const GPtrArray *instructions, guint64 seed, const Op *first,
         guint *n_ops)
{
    Op *ops = g_new0(Op, instructions->len);
    *n_ops = instructions->len;
    for (guint i = 0; i < instructions->len; i++) {
        const AditInstruction *instruction = instructions->pdata[i];
        Op *op = &ops[i];
        op->instruction = instruction;
        if (instruction->kind == ADIT_INSTRUCTION_LOOP) {
            op->body = make_ops(self, instruction->body, seed, first != NULL ? first[i].body : NULL,
                                &op->n_body);
            continue;
        }
        gboolean combines = instruction->kind == ADIT_INSTRUCTION_COMBINE;
        if (instruction->op != NULL)
            op->kernel = find_kernel(self, instruction);
        op->call.attributes = instruction->attributes;
        op->call.n_inputs = instruction->n_inputs;
        for (guint j = 0; j < instruction->n_inputs; j++) {
            op->inputs[j] = make_pointer(self, &instruction->inputs[j], 0);
            op->call.inputs[j] = make_view(&instruction->inputs[j]);
        }
        op->output = make_pointer(self, &instruction->output, combines ? 0 : instruction->partial);
        op->call.output = make_view(&instruction->output);
        if (instruction->names != NULL) {
            op->keys = first != NULL ? first[i].keys : make_keys(self, instruction, seed);
            set_key_strides(op);
        }
    }
    return ops;
}

static void
free_ops(Op *ops, guint n_ops)
{
    for (guint i = 0; i < n_ops; i++) {
        if (ops[i].body != NULL)
            free_ops(ops[i].body, ops[i].n_body);
    }
    g_free(ops);
}

static gboolean
allocate_arenas(AditExecutable *self, const AditMemory *memory, GError **error)
{
    const AditProgram *program = self->program;
    gsize size = self->numbers.size;
    gsize rows;
    if (__builtin_mul_overflow(program->row_units, ADIT_SLICES * self->slice_rows * size, &rows))
        rows = G_MAXSIZE;
    for (guint i = ADIT_ARENA_PARAMETERS; i <= ADIT_ARENA_OPTIMIZER; i++)
        self->arenas[i] = memory->arenas[i];
    self->arenas[ADIT_ARENA_ROWS] = adit_cpu_allocate(rows, "activations", error);
    if (self->arenas[ADIT_ARENA_ROWS] == NULL)
        return FALSE;
    self->arenas[ADIT_ARENA_SHARED] =
        adit_cpu_allocate(program->shared_size * size, "partial results", error);
    if (self->arenas[ADIT_ARENA_SHARED] == NULL)
        return FALSE;
    self->arenas[ADIT_ARENA_CONSTANTS] =
        adit_cpu_allocate(program->constants->len * size, "constants", error);
    self->arenas[ADIT_ARENA_LIVE] =
        adit_cpu_allocate((program->lives->len + 1) * size, "live numbers", error);
    if (self->arenas[ADIT_ARENA_CONSTANTS] == NULL || self->arenas[ADIT_ARENA_LIVE] == NULL)
        return FALSE;
    self->bytes =
        rows + (program->shared_size + program->constants->len + program->lives->len) * size;
    for (guint i = 0; i < program->constants->len; i++)
        adit_cpu_store(&self->numbers, self->arenas[ADIT_ARENA_CONSTANTS], i,
                       g_array_index(program->constants, double, i));
    return TRUE;
}

AditExecutable *
adit_cpu_executable_new(AditProgram *program, AditMemory *memory, AditIsa isa, AditTeam *team,
                        AditCpuNumbers numbers, gsize max_rows, guint64 seed, GError **error)
{
    AditExecutable *self = g_new0(AditExecutable, 1);
    self->program = program;
    self->isa = isa;
    self->team = team;
    self->numbers = numbers;
    /* whole cache lines, so that slices of different threads share none */
    self->slice_rows = ((max_rows + ADIT_SLICES - 1) / ADIT_SLICES + 15) / 16 * 16;
    self->keys = g_ptr_array_new_with_free_func(g_free);
    self->sums = g_new0(double, program->outputs->len + 1);
    if (!allocate_arenas(self, memory, error)) {
        adit_cpu_executable_free(self);
        return NULL;
    }
    self->n_workers = adit_team_get_size(team);
    self->workers = g_new0(Worker, self->n_workers);
    for (guint i = 0; i < self->n_workers; i++) {
        Worker *worker = &self->workers[i];
        worker->executable = self;
        worker->thread = i;
        worker->ops = make_ops(self, program->instructions, seed,
                               i > 0 ? self->workers[0].ops : NULL, &worker->n_ops);
        worker->commits = make_ops(self, program->commits, seed, NULL, &worker->n_commits);
    }
    return self;
}

void
adit_cpu_executable_free(AditExecutable *self)
{
    for (guint i = 0; i < self->n_workers; i++) {
        free_ops(self->workers[i].ops, self->workers[i].n_ops);
        free_ops(self->workers[i].commits, self->workers[i].n_commits);
    }
    for (guint i = ADIT_ARENA_ROWS; i < ADIT_N_ARENAS; i++)
        free(self->arenas[i]);
    g_free(self->workers);
    g_free(self->sums);
    g_ptr_array_unref(self->keys);
    g_free(self);
}

/* Running. */

static inline void *
resolve(const Worker *worker, const Pointer *pointer, guint slice, gsize first_row)
{
    char *address = pointer->base + slice * pointer->slice_bytes + first_row * pointer->row_bytes;
    for (guint i = 0; i < pointer->n_strides; i++) {
        guint index = worker->index[pointer->strides[i].level] + pointer->strides[i].shift;
        if (pointer->strides[i].modulo > 0)
            index %= pointer->strides[i].modulo;
        address += index * pointer->strides[i].bytes;
    }
    return address;
}

static void
gather_row(const AditCpuNumbers *numbers, const AditArray *array, gsize row, void *data,
           gsize count)
{
    gsize first = row * count;
    if (array->type == ADIT_TYPE_CODE_F32 && !numbers->f64) {
        memcpy(data, (const float *) array->data + first, count * sizeof(float));
        return;
    }
    for (gsize i = 0; i < count; i++)
        adit_cpu_store(numbers, data, i, adit_array_get(array, first + i));
}

static void
gather(const Worker *worker, const Op *op, guint slice)
{
    const AditExecutable *self = worker->executable;
    const AditCall *call = self->current;
    const AditFeed *feed = &call->feeds[op->instruction->feed];
    gsize begin = adit_slice_begin(call->rows, slice);
    gsize end = adit_slice_begin(call->rows, slice + 1);
    gsize count = op->instruction->output.count;
    char *data = resolve(worker, &op->output, slice, 0);
    for (gsize row = begin; row < end; row++, data += count * self->numbers.size)
        gather_row(&self->numbers, feed->array, adit_feed_get_row(feed, row), data, count);
}

static void
copy(const Worker *worker, const Op *op, guint slice, gsize first_row, gsize rows)
{
    const AditExecutable *self = worker->executable;
    const AditInstruction *instruction = op->instruction;
    /* a stack's rows lie apart by what a slice has room for */
    gsize n = instruction->tensor->lead > 0 ? self->slice_rows : rows;
    memcpy(resolve(worker, &op->output, slice, first_row),
           resolve(worker, &op->inputs[0], slice, first_row),
           n * instruction->output.count * self->numbers.size);
}

static void
run_op(Worker *worker, Op *op, guint slice, gsize begin, gsize rows)
{
    const AditCall *current = worker->executable->current;
    AditKernelCall *call = &op->call;
    gsize linear = current->first_row + begin;
    if (op->instruction->kind == ADIT_INSTRUCTION_COPY) {
        copy(worker, op, slice, linear, rows);
        return;
    }
    call->rows = rows;
    call->first_row = linear;
    call->batch_rows = current->rows;
    call->slice = slice;
    call->step = current->step;
    for (guint i = 0; i < call->n_inputs; i++)
        call->inputs[i].data = resolve(worker, &op->inputs[i], slice, linear);
    call->output.data = resolve(worker, &op->output, slice, linear);
    if (op->keys != NULL) {
        gsize iteration = 0;
        for (guint i = 0; i < ADIT_MAX_LOOPS; i++)
            iteration += worker->index[i] * op->key_strides[i];
        call->key = op->keys + 2 * iteration;
    }
    op->kernel(call);
    worker->calls++;
}

static guint
count_slices(gsize rows)
{
    guint n = ADIT_SLICES;
    while (n > 1 && adit_slice_begin(rows, n - 1) >= rows)
        n--;
    return n;
}

static void
run_whole(Worker *worker, Op *op, guint first, guint step)
{
    const AditInstruction *instruction = op->instruction;
    if (instruction->kind == ADIT_INSTRUCTION_LOOP) {
        for (guint i = first; i < instruction->n; i += step) {
            worker->index[instruction->level] = instruction->reverse ? instruction->n - 1 - i : i;
            for (guint j = 0; j < op->n_body; j++)
                run_whole(worker, &op->body[j], 0, 1);
        }
        return;
    }
    gboolean combines = instruction->kind == ADIT_INSTRUCTION_COMBINE;
    run_op(worker, op, 0, 0, combines ? count_slices(worker->executable->current->rows) : 1);
}

static void
run_slice(Worker *worker, Op *op, guint slice)
{
    const AditInstruction *instruction = op->instruction;
    if (instruction->kind == ADIT_INSTRUCTION_LOOP) {
        for (guint i = 0; i < instruction->n; i++) {
            worker->index[instruction->level] = instruction->reverse ? instruction->n - 1 - i : i;
            for (guint j = 0; j < op->n_body; j++)
                run_slice(worker, &op->body[j], slice);
        }
        return;
    }
    if (instruction->kind == ADIT_INSTRUCTION_GATHER) {
        gather(worker, op, slice);
        return;
    }
    gsize rows = worker->executable->current->rows;
    gsize begin = adit_slice_begin(rows, slice);
    run_op(worker, op, slice, begin, adit_slice_begin(rows, slice + 1) - begin);
}

static void
meet(Worker *worker)
{
    if (worker->pending != PENDING_NOTHING)
        adit_team_wait(worker->executable->team);
    worker->pending = PENDING_NOTHING;
}

/* Instructions that run slice by slice go through together, so that a slice's values stay in cache.
 */
static guint
run_slices(Worker *worker, Op *ops, guint n_ops)
{
    const AditExecutable *self = worker->executable;
    guint n = 0;
    while (n < n_ops && ops[n].instruction->domain == ADIT_DOMAIN_SLICES)
        n++;
    if (worker->pending == PENDING_WHOLE)
        meet(worker);
    guint n_slices = count_slices(self->current->rows);
    for (guint slice = worker->thread; slice < n_slices; slice += self->n_workers) {
        for (guint i = 0; i < n; i++)
            run_slice(worker, &ops[i], slice);
    }
    worker->pending = PENDING_SLICES;
    return n;
}

/* Iterations that do not depend on each other are shared out; the rest is thread 0's. */
static void
run_once(Worker *worker, Op *op)
{
    gboolean shared = op->instruction->independent && worker->executable->n_workers > 1;
    if (worker->pending == PENDING_SLICES || shared)
        meet(worker);
    if (shared)
        run_whole(worker, op, worker->thread, worker->executable->n_workers);
    else if (worker->thread == 0)
        run_whole(worker, op, 0, 1);
    worker->pending = PENDING_WHOLE;
    if (shared)
        meet(worker);
}

static void
run_list(Worker *worker, Op *ops, guint n_ops)
{
    for (guint i = 0; i < n_ops;) {
        const AditInstruction *instruction = ops[i].instruction;
        if (instruction->domain == ADIT_DOMAIN_SLICES) {
            i += run_slices(worker, &ops[i], n_ops - i);
            continue;
        }
        if (instruction->domain == ADIT_DOMAIN_WHOLE) {
            run_once(worker, &ops[i]);
        } else {
            meet(worker);
            for (guint j = 0; j < instruction->n; j++) {
                worker->index[instruction->level] =
                    instruction->reverse ? instruction->n - 1 - j : j;
                run_list(worker, ops[i].body, ops[i].n_body);
            }
            meet(worker);
        }
        i++;
    }
}

static gboolean
guards_hold(const AditExecutable *self)
{
    for (guint i = 0; i < self->program->outputs->len; i++) {
        const AditProgramOutput *output =
            &g_array_index(self->program->outputs, AditProgramOutput, i);
        if (output->kind != ADIT_OUTPUT_GUARD)
            continue;
        Pointer pointer = make_pointer(self, &output->operand, 0);
        if (!isfinite(adit_cpu_load(&self->numbers, pointer.base, 0)))
            return FALSE;
    }
    return TRUE;
}

static void
run_worker(gpointer data, guint thread)
{
    AditExecutable *self = data;
    Worker *worker = &self->workers[thread];
    worker->pending = PENDING_NOTHING;
    run_list(worker, worker->ops, worker->n_ops);
    meet(worker);
    if (guards_hold(self))
        run_list(worker, worker->commits, worker->n_commits);
}

/* Address of row @row of an output with rows, of instance @instance if it is a stack. */
static const void *
output_row(const AditExecutable *self, const AditOperand *operand, gsize instance, gsize width,
           gsize row)
{
    Pointer pointer = make_pointer(self, operand, 0);
    if (operand->linear)
        return pointer.base + row * width * self->numbers.size;
    guint slice = 0;
    while (adit_slice_begin(self->last_rows, slice + 1) <= row)
        slice++;
    gsize offset = instance * self->slice_rows + row - adit_slice_begin(self->last_rows, slice);
    return pointer.base + slice * pointer.slice_bytes + offset * width * self->numbers.size;
}

static double
sum_rows(const AditExecutable *self, const AditOperand *operand, double sum)
{
    for (gsize row = 0; row < self->last_rows; row++)
        sum += adit_cpu_load(&self->numbers, output_row(self, operand, 0, 1, row), 0);
    return sum;
}

gboolean
adit_cpu_executable_run(AditExecutable *self, const AditCall *call)
{
    void *live = self->arenas[ADIT_ARENA_LIVE];
    adit_cpu_store(&self->numbers, live, 0, (double) call->update);
    for (guint i = 0; i < self->program->lives->len; i++)
        adit_cpu_store(&self->numbers, live, i + 1, call->lives[i]);
    self->current = call;
    self->last_rows = call->rows;
    adit_team_run(self->team, run_worker, self);

    gboolean finite = guards_hold(self);
    for (guint i = 0; finite && i < self->program->outputs->len; i++) {
        const AditProgramOutput *output =
            &g_array_index(self->program->outputs, AditProgramOutput, i);
        if (output->kind == ADIT_OUTPUT_SUM)
            self->sums[i] = sum_rows(self, &output->operand, self->sums[i]);
    }
    return finite;
}

AditDeviceCounts
adit_cpu_executable_count(const AditExecutable *self)
{
    AditDeviceCounts counts = {.bytes = self->bytes};
    for (guint i = 0; i < self->n_workers; i++)
        counts.calls += self->workers[i].calls;
    return counts;
}

void
adit_cpu_executable_read_sums(AditExecutable *self, double *sums)
{
    for (guint i = 0; i < self->program->outputs->len; i++) {
        if (g_array_index(self->program->outputs, AditProgramOutput, i).kind == ADIT_OUTPUT_SUM)
            *sums++ = self->sums[i];
    }
}

void
adit_cpu_executable_set_sums(AditExecutable *self, const double *sums)
{
    for (guint i = 0; i < self->program->outputs->len; i++) {
        if (g_array_index(self->program->outputs, AditProgramOutput, i).kind == ADIT_OUTPUT_SUM)
            self->sums[i] = *sums++;
    }
}

void
adit_cpu_executable_read_output(AditExecutable *self, guint index, double *values)
{
    const AditProgramOutput *output =
        &g_array_index(self->program->outputs, AditProgramOutput, index);
    gsize count = output->operand.count;
    if (!output->operand.rows) {
        Pointer pointer = make_pointer(self, &output->operand, 0);
        for (gsize i = 0; i < count; i++)
            values[i] = adit_cpu_load(&self->numbers, pointer.base, i);
        return;
    }
    gsize instances = 1;
    for (guint i = 0; i < output->tensor->lead; i++)
        instances *= output->tensor->shape.size[i];
    gsize width = count / instances;
    for (gsize instance = 0; instance < instances; instance++) {
        for (gsize row = 0; row < self->last_rows; row++) {
            const void *data = output_row(self, &output->operand, instance, width, row);
            for (gsize i = 0; i < width; i++)
                *values++ = adit_cpu_load(&self->numbers, data, i);
        }
    }
}
