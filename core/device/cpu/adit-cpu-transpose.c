/* core/device/cpu/adit-cpu-transpose.c - SPDX-License-Identifier: MIT */
#include "adit-cpu-private.h"

#include "adit-attributes.h"

#include <stdlib.h>
#include <string.h>

/* The way back multiplies with transposed weights, panel after panel. They are transposed once a
 * run, into memory that is laid out as that part of the parameters' arena is which has them:
 * parameters change only when all instructions are done. */

/* Numbers of iterations of the loops around an instruction. */
typedef struct {
    AditExecutable *executable;
    guint n[ADIT_MAX_LOOPS];
} Search;

static gboolean
reads_transposed(const AditExecutable *self, const AditInstruction *instruction)
{
    const AditMatmulAttributes *attributes = instruction->attributes;

    return self->fuses && instruction->kind == ADIT_INSTRUCTION_OP &&
           strcmp(instruction->op->name, "matmul") == 0 && attributes->transpose_b &&
           !adit_cpu_is_thin(self, instruction) &&
           instruction->inputs[1].arena == ADIT_ARENA_PARAMETERS && instruction->output.rows;
}

gboolean
adit_cpu_is_transposed(const AditExecutable *self, const AditInstruction *instruction)
{
    return self->matrices->len > 0 && reads_transposed(self, instruction);
}

void
adit_cpu_take_transposed(const AditExecutable *self, AditCpuOp *op, guint input)
{
    AditCpuPointer *pointer = &op->inputs[input];
    AditShape *shape = &op->call.inputs[input].shape;
    gsize columns = shape->size[0];

    pointer->base = (char *) self->transposed +
                    (pointer->base - (char *) self->arenas[ADIT_ARENA_PARAMETERS]) -
                    self->transposed_begin * self->numbers.size;
    shape->size[0] = shape->size[1];
    shape->size[1] = columns;
}

/* All matrices that the instruction reads in its iterations. */
static void
add_matrices(Search *self, const AditInstruction *instruction)
{
    const AditOperand *matrix = &instruction->inputs[1];
    guint index[ADIT_MAX_LOOPS] = {0}, level;

    do {
        AditCpuMatrix entry = {matrix->offset, matrix->shape.size[0], matrix->shape.size[1]};

        for (level = 0; level < instruction->level; level++)
            entry.offset += matrix->strides[level].stride * index[level];
        g_array_append_val(self->executable->matrices, entry);
        for (level = 0; level < instruction->level; level++) {
            index[level] = matrix->strides[level].stride > 0 ? index[level] + 1 : self->n[level];
            if (index[level] < self->n[level])
                break;
            index[level] = 0;
        }
    } while (level < instruction->level);
}

static void
search(Search *self, const GPtrArray *instructions)
{
    for (guint i = 0; i < instructions->len; i++) {
        const AditInstruction *instruction = instructions->pdata[i];

        if (instruction->body != NULL) {
            self->n[instruction->level] = instruction->n;
            search(self, instruction->body);
        } else if (reads_transposed(self->executable, instruction)) {
            add_matrices(self, instruction);
        }
    }
}

static int
compare_offsets(gconstpointer a, gconstpointer b)
{
    const AditCpuMatrix *x = a, *y = b;

    return (x->offset > y->offset) - (x->offset < y->offset);
}

/* A matrix that several instructions read is there once, as threads share the matrices out. If one
 * is read in two shapes, or in part, there are none: each would be transposed over the other. */
static void
join_matrices(GArray *matrices)
{
    AditCpuMatrix *all = (AditCpuMatrix *) (gpointer) matrices->data;
    guint n = 0;

    g_array_sort(matrices, compare_offsets);
    for (guint i = 0; i < matrices->len; i++) {
        const AditCpuMatrix *last = n > 0 ? &all[n - 1] : NULL;

        if (last == NULL || all[i].offset >= last->offset + last->rows * last->columns) {
            all[n++] = all[i];
        } else if (memcmp(&all[i], last, sizeof *last) != 0) {
            n = 0;
            break;
        }
    }
    g_array_set_size(matrices, n);
}

gboolean
adit_cpu_find_transposed(AditExecutable *self, GError **error)
{
    Search state = {.executable = self};
    gsize size = 0;

    self->matrices = g_array_new(FALSE, FALSE, sizeof(AditCpuMatrix));
    search(&state, self->program->instructions);
    join_matrices(self->matrices);
    for (guint i = 0; i < self->matrices->len; i++) {
        const AditCpuMatrix *matrix = &g_array_index(self->matrices, AditCpuMatrix, i);

        if (i == 0)
            self->transposed_begin = matrix->offset / 16 * 16;
        size = matrix->offset + matrix->rows * matrix->columns - self->transposed_begin;
    }
    self->transposed = adit_cpu_allocate(size * self->numbers.size, "transposed weights", error);
    self->bytes += size * self->numbers.size;
    self->transpose = adit_kernel_find("matmul-transpose", self->isa, self->numbers.f64);
    return self->transposed != NULL;
}

void
adit_cpu_transpose(AditCpuWorker *self)
{
    const AditExecutable *executable = self->executable;
    gsize size = executable->numbers.size;
    AditKernelCall call = {.rows = 1, .n_inputs = 1};

    for (guint i = self->thread; i < executable->matrices->len; i += executable->n_workers) {
        const AditCpuMatrix *matrix = &g_array_index(executable->matrices, AditCpuMatrix, i);

        call.inputs[0].shape = ADIT_SHAPE(matrix->rows, matrix->columns);
        call.inputs[0].data =
            (char *) executable->arenas[ADIT_ARENA_PARAMETERS] + matrix->offset * size;
        call.output.data = (char *) executable->transposed +
                           (matrix->offset - executable->transposed_begin) * size;
        executable->transpose(&call);
        self->calls++;
    }
    if (executable->matrices->len > 0)
        self->pending = ADIT_CPU_LEFT_WHOLE;
}
