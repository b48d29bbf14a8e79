/* core/device/cpu/adit-cpu-ops.c - SPDX-License-Identifier: MIT */
#include "adit-cpu-private.h"

#include "adit-attributes.h"
#include "adit-graph-private.h"

#include <string.h>

/* ---- panels ---- */

/* A value of the panel should stay in the first cache between the kernel that writes it and the one
 * that reads it; all of them together, if they can, in the second. */
#define PANEL_VALUE_BYTES (8 * 1024)
#define PANEL_BYTES       (1024 * 1024)
#define LEAST_PANEL_ROWS  32

/**
 * Need: what a program's slices ask of a panel.
 * @least: rows
 * @widest: elements a row of the largest value
 * @whole: an operation over rows must see all rows of a slice at once
 */
typedef struct {
    gsize least;
    gsize widest;
    gboolean whole;
} Need;

/* Lanes are added up once for so many rows: with fewer in a panel that is most of the work,
 * whatever cache they leave (record 0014). */
static gboolean
sums_lanes(const AditExecutable *self, const AditInstruction *instruction)
{
    return instruction->op != NULL && instruction->op->over_rows && instruction->n_inputs > 1 &&
           adit_cpu_is_thin(self, instruction);
}

static void
look_at(Need *need, const AditExecutable *self, const GPtrArray *instructions)
{
    for (guint i = 0; i < instructions->len; i++) {
        const AditInstruction *instruction = instructions->pdata[i];
        const AditOp *op = instruction->op;

        if (instruction->body != NULL)
            look_at(need, self, instruction->body);
        if (instruction->domain != ADIT_DOMAIN_SLICES || instruction->body != NULL)
            continue;
        need->whole = need->whole || (op != NULL && op->over_rows && !op->accumulates);
        for (guint j = 0; j < instruction->n_inputs; j++) {
            if (instruction->inputs[j].rows)
                need->widest = MAX(need->widest, instruction->inputs[j].count);
        }
        if (instruction->output.rows)
            need->widest = MAX(need->widest, instruction->output.count);
        if (sums_lanes(self, instruction))
            need->least = ADIT_PITCHED_ROWS;
    }
}

void
adit_cpu_choose_panel(AditExecutable *self)
{
    const AditProgram *program = self->program;
    gsize size = self->numbers.size;
    gsize units = program->row_units - program->crossing_units;
    Need need = {.least = LEAST_PANEL_ROWS, .widest = 1};

    look_at(&need, self, program->instructions);
    look_at(&need, self, program->commits);
    gsize rows = PANEL_VALUE_BYTES / (need.widest * size);

    rows = MIN(rows, PANEL_BYTES / (MAX(units, 1) * size));
    rows = MAX(rows, need.least) / ADIT_PANEL_ROWS * ADIT_PANEL_ROWS;
    gsize most = (self->slice_rows + ADIT_PANEL_ROWS - 1) / ADIT_PANEL_ROWS * ADIT_PANEL_ROWS;

    self->panel_rows = need.whole || !self->fuses ? most : MIN(rows, most);
}

/* ---- addresses ---- */

/* Rows that the memory of an operand with rows has room for. */
static gsize
find_room(const AditExecutable *self, const AditOperand *operand)
{
    const AditStorage *storage =
        operand->storage >= 0
            ? &g_array_index(self->program->storages, AditStorage, operand->storage)
            : NULL;

    return storage != NULL && storage->stretch != 0 ? self->panel_rows : self->slice_rows;
}

static void
set_strides(AditCpuPointer *pointer, const AditOperand *operand, gsize unit)
{
    for (guint i = 0; i < ADIT_MAX_LOOPS; i++) {
        const AditStride *stride = &operand->strides[i];

        if (stride->stride == 0)
            continue;
        pointer->strides[pointer->n_strides].level = i;
        pointer->strides[pointer->n_strides].bytes = stride->stride * unit;
        pointer->strides[pointer->n_strides].shift = stride->shift;
        pointer->strides[pointer->n_strides++].modulo = stride->modulo;
    }
}

AditCpuPointer
adit_cpu_pointer(const AditExecutable *self, const AditOperand *operand, gsize partial,
                 const AditCpuWorker *worker)
{
    const AditStorage *storage =
        operand->storage >= 0
            ? &g_array_index(self->program->storages, AditStorage, operand->storage)
            : NULL;
    gsize size = self->numbers.size, unit = size;
    gsize offset = operand->offset + (storage != NULL ? storage->offset : 0);
    AditCpuPointer pointer = {
        .base = operand->arena == ADIT_ARENA_THREAD ? worker->parts : self->arenas[operand->arena]};

    if (operand->arena == ADIT_ARENA_ROWS)
        unit *= find_room(self, operand);
    if (operand->arena == ADIT_ARENA_ROWS && storage->stretch != 0) {
        pointer.base = worker->panel;
        offset -= self->program->crossing_units;
    } else if (operand->arena == ADIT_ARENA_ROWS) {
        pointer.slice_bytes = self->program->crossing_units * unit;
        pointer.row_bytes = operand->count * size;
    }
    if (operand->linear)
        pointer.linear_bytes = operand->count * size;
    if (partial > 0)
        pointer.slice_bytes = partial * size;
    pointer.base += offset * unit;
    set_strides(&pointer, operand, unit);
    return pointer;
}

/* ---- kernels ---- */

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

static guint32 *
make_keys(AditExecutable *self, const AditInstruction *instruction, guint64 seed)
{
    guint n = g_strv_length(instruction->names);
    guint32 *keys = g_new(guint32, 2 * n);

    for (guint i = 0; i < n; i++)
        adit_stream_key(seed, instruction->names[i], keys + 2 * i);
    g_ptr_array_add(self->shared, keys);
    return keys;
}

/* Returns how many iterations there are. */
static guint
set_key_strides(AditCpuOp *op)
{
    guint stride = 1;

    for (const AditLoop *loop = op->instruction->tensor->graph->loop; loop != NULL;
         loop = loop->parent->loop) {
        op->key_strides[loop->parent->depth] = stride;
        stride *= loop->n;
    }
    return stride;
}

static void
make_turns(AditExecutable *self, AditCpuOp *op, const AditCpuOp *first)
{
    guint n = set_key_strides(op);

    op->turns = first != NULL ? first->turns : g_new0(gint, n);
    if (first == NULL)
        g_ptr_array_add(self->shared, op->turns);
}

/* ---- ops ---- */

/**
 * Maker: one worker's ops being made.
 */
typedef struct {
    AditCpuWorker *worker;
    guint64 seed;
    GArray *readers; /* guint, by storage */
} Maker;

static AditView
make_view(const AditOperand *operand)
{
    return (AditView){.rows = operand->rows, .shape = operand->shape, .count = operand->count};
}

static void
add_input(const Maker *self, AditCpuOp *op, const AditOperand *operand, gsize partial)
{
    op->inputs[op->n_inputs] =
        adit_cpu_pointer(self->worker->executable, operand, partial, self->worker);
    op->call.inputs[op->n_inputs++] = make_view(operand);
}

static void
set_output(const Maker *self, AditCpuOp *op, const AditOperand *operand, gsize partial)
{
    op->output = adit_cpu_pointer(self->worker->executable, operand, partial, self->worker);
    op->call.output = make_view(operand);
}

/* Only copies are of whole stacks: a row is one of each instance. */
static void
set_stack_rows(AditCpuOp *op)
{
    gsize instances = adit_cpu_count_instances(op->instruction->tensor);

    op->inputs[0].row_bytes /= instances;
    op->output.row_bytes /= instances;
}

static void
make_op(const Maker *self, AditCpuOp *op, const AditCpuOp *first)
{
    AditExecutable *executable = self->worker->executable;
    const AditInstruction *instruction = op->instruction;
    gboolean combines = instruction->kind == ADIT_INSTRUCTION_COMBINE;

    if (instruction->op != NULL)
        op->kernel = find_kernel(executable, instruction);
    if (executable->convolvers != NULL)
        op->convolver = adit_cpu_convolver_new(executable->convolvers, instruction);
    op->call.n_inputs = instruction->n_inputs;
    for (guint i = 0; i < instruction->n_inputs; i++)
        add_input(self, op, &instruction->inputs[i], 0);
    set_output(self, op, &instruction->output, combines ? 0 : instruction->partial);
    if (instruction->kind == ADIT_INSTRUCTION_COPY)
        set_stack_rows(op);
    if (adit_cpu_is_thin(executable, instruction)) {
        op->call.pitch = executable->panel_rows;
    } else {
        const AditOperand *operands[ADIT_MAX_INPUTS + 1];

        for (guint i = 0; i <= instruction->n_inputs; i++)
            operands[i] =
                i < instruction->n_inputs ? &instruction->inputs[i] : &instruction->output;
        adit_cpu_turn(executable, op, operands);
    }
    if (adit_cpu_is_transposed(executable, instruction)) {
        static const AditMatmulAttributes plain = {.transpose_b = FALSE};

        op->call.attributes = &plain;
        adit_cpu_take_transposed(executable, op, 1);
    }
    op->room[0] = instruction->n_inputs > 0 ? find_room(executable, &instruction->inputs[0]) : 0;
    op->room[1] = find_room(executable, &instruction->output);
    if (instruction->names != NULL) {
        op->keys = first != NULL ? first->keys : make_keys(executable, instruction, self->seed);
        set_key_strides(op);
    }
    if (instruction->in_turn)
        make_turns(executable, op, first);
}

static void
make_fused(const Maker *self, AditCpuOp *op, const AditCpuFusion *fusion)
{
    op->kernel = fusion->kernel;
    op->call.attributes = fusion->attributes;
    op->call.n_inputs = fusion->n_inputs;
    for (guint i = 0; i < fusion->n_inputs; i++) {
        add_input(self, op, fusion->inputs[i], 0);
        if (fusion->inputs[i] == fusion->transposed)
            adit_cpu_take_transposed(self->worker->executable, op, i);
    }
    for (guint i = 1; i < fusion->n_results; i++)
        add_input(self, op, fusion->results[i], fusion->partials[i]);
    set_output(self, op, fusion->results[0], fusion->partials[0]);
    if (fusion->is_thin)
        op->call.pitch = self->worker->executable->panel_rows;
}

static gboolean
is_free(const AditCpuFusion *fusion, const guint8 *taken)
{
    for (guint i = 0; i < fusion->n; i++) {
        if (taken[fusion->instructions[i]])
            return FALSE;
    }
    return TRUE;
}

static AditCpuOp *make_ops(const Maker *self, const GPtrArray *instructions, const AditCpuOp *first,
                           guint *n_ops);

static void
make_any(const Maker *self, AditCpuOp *op, const AditCpuFusion *fusion, const AditCpuOp *first)
{
    const AditInstruction *instruction = op->instruction;

    op->call.attributes = instruction->attributes;
    if (fusion->n > 0)
        make_fused(self, op, fusion);
    else if (instruction->body != NULL)
        op->body =
            make_ops(self, instruction->body, first != NULL ? first->body : NULL, &op->n_body);
    else
        make_op(self, op, first);
}

static AditCpuOp *
make_ops(const Maker *self, const GPtrArray *instructions, const AditCpuOp *first, guint *n_ops)
{
    AditCpuOp *ops = g_new0(AditCpuOp, instructions->len);
    g_autofree guint8 *taken = g_new0(guint8, instructions->len);
    g_autofree AditCpuFusion *fusions = g_new0(AditCpuFusion, instructions->len); /* by place */
    AditCpuFusion fusion;

    *n_ops = 0;
    for (guint i = 0; i < instructions->len; i++) {
        const AditInstruction *instruction = instructions->pdata[i];

        if (!taken[i] &&
            adit_cpu_fuse(self->worker->executable, instructions, i, self->readers, &fusion) &&
            is_free(&fusion, taken)) {
            for (guint j = 0; j < fusion.n; j++)
                taken[fusion.instructions[j]] = TRUE;
            fusions[fusion.place] = fusion;
        }
        if ((taken[i] && fusions[i].n == 0) ||
            (instruction->body != NULL && instruction->body->len == 0))
            continue;
        ops[*n_ops].instruction = instruction;
        make_any(self, &ops[*n_ops], &fusions[i], first != NULL ? &first[*n_ops] : NULL);
        (*n_ops)++;
    }
    return ops;
}

void
adit_cpu_make_ops(AditCpuWorker *self, const AditCpuWorker *first, guint64 seed)
{
    const AditProgram *program = self->executable->program;
    g_autoptr(GArray) readers = adit_program_count_readers(program);
    Maker maker = {self, seed, readers};

    self->ops =
        make_ops(&maker, program->instructions, first != NULL ? first->ops : NULL, &self->n_ops);
    self->commits =
        make_ops(&maker, program->commits, first != NULL ? first->commits : NULL, &self->n_commits);
}

static void
free_ops(const AditExecutable *self, AditCpuOp *ops, guint n_ops)
{
    for (guint i = 0; i < n_ops; i++) {
        if (ops[i].body != NULL)
            free_ops(self, ops[i].body, ops[i].n_body);
        adit_cpu_free_turned(&ops[i]);
        g_clear_pointer(&ops[i].packing.list, g_array_unref);
        if (ops[i].convolver != NULL && ops[i].turns == NULL) /* else another's */
            self->convolvers->free(ops[i].convolver);
    }
    g_free(ops);
}

void
adit_cpu_free_ops(AditCpuWorker *self)
{
    free_ops(self->executable, self->ops, self->n_ops);
    free_ops(self->executable, self->commits, self->n_commits);
}
