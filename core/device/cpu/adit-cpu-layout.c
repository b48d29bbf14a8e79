/* core/device/cpu/adit-cpu-layout.c - SPDX-License-Identifier: MIT */
#include "adit-cpu-private.h"

#include "adit-pointwise.h"

#include <string.h>

/* The neurons of thin layers do not fill whole vectors. Their values lie with the rows in the
 * lanes: element i of row r of a panel at [i * pitch + r], if no loop works on them in another way;
 * what stands outside of loops is handed them in the usual order. Below this width all do. */
#define THIN_WIDTH 12
/* Above, up to here, those that would leave so large a share of the lanes empty: weights' gradients
 * are sums along lanes then, which wins nothing below. */
#define MOST_THIN_WIDTH 32
#define EMPTY_SHARE     0.2
/* Beside a value of so many elements the thin ones of a head are nothing, and that slices have
 * whole vectors of rows costs much. */
#define WIDE_WIDTH 4096

typedef struct {
    const AditExecutable *executable;
    guint8 *thin; /* by storage */
    gboolean in_loop;
    gboolean changed;
    gsize widest;
} Layout;

static gboolean
has_lanes(const AditOperand *operand)
{
    return operand->arena == ADIT_ARENA_ROWS && operand->rows && !operand->linear &&
           operand->count > 1;
}

/* Inputs, then the output. */
static const AditOperand *
get_operand(const AditInstruction *instruction, guint i)
{
    return i < instruction->n_inputs ? &instruction->inputs[i] : &instruction->output;
}

/* A pointwise kernel takes lines of equal length, and what is one number for all or one a line. */
static gboolean
is_even(const AditInstruction *instruction)
{
    gsize count = instruction->output.count;

    for (guint i = 0; i < instruction->n_inputs; i++) {
        const AditOperand *input = &instruction->inputs[i];

        if (input->count != count && (input->rows || input->count != 1))
            return FALSE;
    }
    return TRUE;
}

static gboolean
takes_pitch(const AditInstruction *instruction)
{
    if (instruction->kind == ADIT_INSTRUCTION_COPY)
        return TRUE;
    if (instruction->kind != ADIT_INSTRUCTION_OP || !adit_kernel_takes_pitch(instruction->op->name))
        return FALSE;
    return adit_pointwise_find(instruction->op) == NULL || is_even(instruction);
}

static gboolean
all_thin(const guint8 *thin, const AditInstruction *instruction)
{
    for (guint i = 0; i <= instruction->n_inputs; i++) {
        const AditOperand *operand = get_operand(instruction, i);

        if (has_lanes(operand) && !thin[operand->storage])
            return FALSE;
    }
    return TRUE;
}

static void
drop(Layout *self, const AditInstruction *instruction)
{
    for (guint i = 0; i <= instruction->n_inputs; i++) {
        const AditOperand *operand = get_operand(instruction, i);

        if (!has_lanes(operand) || !self->thin[operand->storage])
            continue;
        self->thin[operand->storage] = FALSE;
        self->changed = TRUE;
    }
}

static void
mark(Layout *self, const AditInstruction *instruction)
{
    for (guint i = 0; i <= instruction->n_inputs; i++) {
        const AditOperand *operand = get_operand(instruction, i);

        if (has_lanes(operand) && operand->storage >= 0)
            self->thin[operand->storage] = TRUE;
        if (operand->rows)
            self->widest = MAX(self->widest, operand->count);
    }
}

static gboolean
is_wide(const AditExecutable *executable, gsize count)
{
    gsize lanes = adit_kernel_get_lanes(executable->isa, executable->numbers.f64);
    gsize whole = (count + lanes - 1) / lanes * lanes;

    return count >= THIN_WIDTH &&
           (count > MOST_THIN_WIDTH || (double) (whole - count) < EMPTY_SHARE * (double) whole);
}

/* What cannot be thin: the wide, and what the slices or the host read elsewhere. */
static void
drop_wide(Layout *self, const AditInstruction *instruction)
{
    const GArray *storages = self->executable->program->storages;

    for (guint i = 0; i <= instruction->n_inputs; i++) {
        const AditOperand *operand = get_operand(instruction, i);

        if (has_lanes(operand) &&
            (is_wide(self->executable, operand->count) ||
             g_array_index(storages, AditStorage, operand->storage).stretch == 0))
            self->thin[operand->storage] = FALSE;
    }
}

/* A loop that works on a value the usual way would have to turn it around in every iteration; of a
 * whole stack, each instance would have to be. */
static void
drop_turning(Layout *self, const AditInstruction *instruction)
{
    gboolean turns = !self->in_loop && adit_cpu_count_instances(instruction->tensor) == 1;

    if (!turns && !(takes_pitch(instruction) && all_thin(self->thin, instruction)))
        drop(self, instruction);
}

static void
walk(Layout *self, const GPtrArray *instructions,
     void (*look)(Layout *self, const AditInstruction *instruction))
{
    for (guint i = 0; i < instructions->len; i++) {
        const AditInstruction *instruction = instructions->pdata[i];
        gboolean in_loop = self->in_loop;

        if (instruction->body == NULL) {
            look(self, instruction);
            continue;
        }
        self->in_loop = TRUE;
        walk(self, instruction->body, look);
        self->in_loop = in_loop;
    }
}

void
adit_cpu_find_thin(AditExecutable *self)
{
    const AditProgram *program = self->program;
    Layout layout = {.executable = self, .thin = g_new0(guint8, program->storages->len + 1)};

    self->thin = layout.thin;
    self->to_thin = adit_kernel_find("to-pitch", self->isa, self->numbers.f64);
    self->from_thin = adit_kernel_find("from-pitch", self->isa, self->numbers.f64);
    if (!self->fuses)
        return;
    walk(&layout, program->instructions, mark);
    if (layout.widest >= WIDE_WIDTH)
        memset(self->thin, FALSE, program->storages->len);
    walk(&layout, program->instructions, drop_wide);
    do {
        layout.changed = FALSE;
        walk(&layout, program->instructions, drop_turning);
    } while (layout.changed);
}

static gboolean
lies_thin(const AditExecutable *self, const AditOperand *operand)
{
    return has_lanes(operand) && self->thin[operand->storage];
}

gboolean
adit_cpu_touches_thin(const AditExecutable *self, const AditInstruction *instruction)
{
    for (guint i = 0; i <= instruction->n_inputs; i++) {
        if (lies_thin(self, get_operand(instruction, i)))
            return TRUE;
    }
    return FALSE;
}

gboolean
adit_cpu_is_thin(const AditExecutable *self, const AditInstruction *instruction)
{
    return adit_cpu_touches_thin(self, instruction) && takes_pitch(instruction) &&
           all_thin(self->thin, instruction);
}

/* ---- turning around ---- */

void
adit_cpu_turn(const AditExecutable *self, AditCpuOp *op, const AditOperand *const *operands)
{
    for (guint i = 0; i <= op->call.n_inputs; i++) {
        const AditOperand *operand = operands[i];
        guint slot = i < op->call.n_inputs ? i : ADIT_MAX_INPUTS;

        if (!lies_thin(self, operand))
            continue;
        if (op->turned == NULL)
            op->turned = g_new0(void *, ADIT_MAX_INPUTS + 1);
        op->turned[slot] =
            g_aligned_alloc0(operand->count * self->panel_rows, self->numbers.size, 64);
    }
}

void
adit_cpu_free_turned(AditCpuOp *op)
{
    for (guint i = 0; op->turned != NULL && i <= ADIT_MAX_INPUTS; i++)
        g_aligned_free(op->turned[i]);
    g_free(op->turned);
}

static void
turn(const AditExecutable *self, AditKernel kernel, const AditKernelCall *like,
     const AditView *view, void *from, void *to)
{
    AditKernelCall call = {.rows = like->rows,
                           .batch_rows = like->batch_rows,
                           .pitch = self->panel_rows,
                           .n_inputs = 1,
                           .inputs = {*view},
                           .output = *view};

    call.inputs[0].data = from;
    call.output.data = to;
    kernel(&call);
}

void
adit_cpu_run_turned(AditCpuWorker *self, AditCpuOp *op,
                    void (*run)(AditCpuWorker *self, const AditCpuOp *op))
{
    const AditExecutable *executable = self->executable;
    AditKernelCall *call = &op->call;
    void *output = call->output.data, *turned = op->turned[ADIT_MAX_INPUTS];

    for (guint i = 0; i < call->n_inputs; i++) {
        if (op->turned[i] == NULL)
            continue;
        turn(executable, executable->from_thin, call, &call->inputs[i], call->inputs[i].data,
             op->turned[i]);
        call->inputs[i].data = op->turned[i];
    }
    if (turned != NULL)
        call->output.data = turned;
    run(self, op);
    call->output.data = output;
    if (turned != NULL)
        turn(executable, executable->to_thin, call, &call->output, turned, output);
}
