/* core/device/cpu/adit-cpu-pack.c - SPDX-License-Identifier: MIT */
#include "adit-cpu-private.h"

/* Convolutions by a library read their weights slice after slice, in an order of the library's own.
 * Weights are packed into that once a run: parameters change only when all instructions are done.
 */

/**
 * Job: weights to pack, with a worker's own convolver, into the executable's memory from byte
 * @offset on.
 */
typedef struct {
    AditConvolver *convolver;
    const float *weights;
    gsize offset;
} Job;

static gboolean
is_packed(const AditCpuOp *op)
{
    return op->convolver != NULL && op->convolver->packed_bytes > 0 &&
           op->instruction->inputs[1].arena == ADIT_ARENA_PARAMETERS;
}

/* Iterations of the loops around it that have weights of their own. */
static gsize
count_instances(const AditInstruction *instruction)
{
    gsize n = 1;

    for (const AditLoop *loop = instruction->tensor->graph->loop; loop != NULL;
         loop = loop->parent->loop) {
        if (instruction->inputs[1].strides[loop->parent->depth].stride > 0)
            n *= loop->n;
    }
    return n;
}

static gsize
fill_line(gsize bytes)
{
    return (bytes + 63) / 64 * 64;
}

/* Gives the ops their places from @size on, and adds a job for every instance; returns where the
 * places end. */
static gsize
place(AditCpuWorker *self, AditCpuOp *ops, guint n_ops, gsize size)
{
    for (guint i = 0; i < n_ops; i++) {
        AditCpuOp *op = &ops[i];
        gsize bytes = is_packed(op) ? fill_line(op->convolver->packed_bytes) : 0;

        if (op->body != NULL)
            size = place(self, op->body, op->n_body, size);
        if (bytes == 0)
            continue;
        op->packed_offset = size;
        op->packed_bytes = bytes;
        for (gsize j = 0; j < count_instances(op->instruction); j++, size += bytes) {
            Job job = {.convolver = op->convolver,
                       .weights = (const float *) (gpointer) op->inputs[1].base +
                                  j * op->call.inputs[1].count,
                       .offset = size};

            g_array_append_val(self->packing, job);
        }
    }
    return size;
}

gboolean
adit_cpu_find_packed(AditExecutable *self, GError **error)
{
    gsize size = 0;

    for (guint i = 0; i < self->n_workers; i++) {
        AditCpuWorker *worker = &self->workers[i];

        worker->packing = g_array_new(FALSE, FALSE, sizeof(Job));
        size = place(worker, worker->ops, worker->n_ops, 0);
    }
    self->packed = adit_cpu_allocate(size, "packed weights", error);
    self->bytes += size;
    return self->packed != NULL;
}

void
adit_cpu_leave_convolvers(AditExecutable *self)
{
    if (g_atomic_int_compare_and_exchange(&self->is_alone, FALSE, TRUE))
        g_warning("%s failed; convolutions are computed without it", self->convolvers->describe());
}

void
adit_cpu_pack(AditCpuWorker *self)
{
    AditExecutable *executable = self->executable;

    for (guint i = self->thread; i < self->packing->len; i += executable->n_workers) {
        const Job *job = &g_array_index(self->packing, Job, i);

        if (!executable->convolvers->pack(job->convolver, job->weights,
                                          executable->packed + job->offset))
            adit_cpu_leave_convolvers(executable);
        self->calls++;
    }
    if (self->packing->len > 0)
        self->pending = ADIT_CPU_LEFT_WHOLE;
}

const void *
adit_cpu_get_packed(const AditExecutable *self, const AditCpuOp *op)
{
    const AditView *weights = &op->call.inputs[1];
    gsize instance;

    if (op->packed_bytes == 0)
        return NULL;
    instance =
        (gsize) ((char *) weights->data - op->inputs[1].base) / (weights->count * sizeof(float));
    return self->packed + op->packed_offset + instance * op->packed_bytes;
}
