/* core/device/cpu/adit-cpu-pack.c - SPDX-License-Identifier: MIT */
#include "adit-cpu-private.h"

/* Convolutions by a library read their weights slice after slice, in an order of the library's own.
 * Weights are packed into that once for each stretch that reads them; the stretches share the
 * place. Gradients of weights that are joined in turn stay packed until they are. */

/**
 * Weights: those that an op of the stretch reads, in each of @n iterations.
 * @depth: of the loops around the stretch
 */
typedef struct {
    AditCpuOp *op;
    gsize n;
    guint depth;
} Weights;

/* ---- finding ---- */

static gboolean
is_packed(const AditCpuOp *op)
{
    return op->convolver != NULL && op->convolver->kind != ADIT_CONVOLUTION_ROWS &&
           op->turns == NULL && op->instruction->inputs[1].arena == ADIT_ARENA_PARAMETERS;
}

/* Iterations of the loops within the stretch that have weights of their own. */
static gsize
count_instances(const AditInstruction *instruction, guint depth)
{
    gsize n = 1;

    for (const AditLoop *loop = instruction->tensor->graph->loop; loop != NULL;
         loop = loop->parent->loop) {
        if (loop->parent->depth >= depth &&
            instruction->inputs[1].strides[loop->parent->depth].stride > 0)
            n *= loop->n;
    }
    return n;
}

/* Adds to @list what the ops of a stretch read, from byte @size on; returns where it ends. */
static gsize
place(GArray *list, AditCpuOp *ops, guint n_ops, guint depth, gsize size)
{
    for (guint i = 0; i < n_ops; i++) {
        AditCpuOp *op = &ops[i];
        Weights weights = {op, 0, depth};

        if (op->body != NULL)
            size = place(list, op->body, op->n_body, depth, size);
        if (op->body != NULL || !is_packed(op))
            continue;
        weights.n = count_instances(op->instruction, depth);
        op->packing.offset = size;
        op->packing.bytes = (op->convolver->packed_bytes + 63) / 64 * 64;
        size += weights.n * op->packing.bytes;
        g_array_append_val(list, weights);
    }
    return size;
}

/* The most that a stretch reads. */
static gsize
place_stretches(AditCpuOp *ops, guint n_ops, guint depth)
{
    gsize most = 0;

    for (guint i = 0, n; i < n_ops; i += MAX(n, 1)) {
        g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(Weights));
        gsize size;

        for (n = 0; i + n < n_ops && ops[i + n].instruction->domain == ADIT_DOMAIN_SLICES;)
            n++;
        size = n > 0 ? place(list, &ops[i], n, depth, 0)
                     : place_stretches(ops[i].body, ops[i].n_body, depth + 1);
        if (list->len > 0)
            ops[i].packing.list = g_steal_pointer(&list);
        most = MAX(most, size);
    }
    return most;
}

/* The op among @ops that leaves the partial result which @join joins. */
static AditCpuOp *
find_writer(AditCpuOp *ops, const AditCpuOp *join)
{
    for (AditCpuOp *op = ops; op < join; op++) {
        if (op->body == NULL && op->convolver != NULL &&
            op->instruction->output.storage == join->instruction->inputs[0].storage)
            return op;
    }
    return NULL;
}

static gboolean
is_aligned(const AditCpuPointer *pointer)
{
    return (guintptr) pointer->base % 64 == 0;
}

/* Gradients stay packed where that takes their place and no more. */
static void
keep_packed(AditCpuOp *ops, guint n_ops)
{
    for (guint i = 0; i < n_ops; i++) {
        AditCpuOp *join = &ops[i], *writer;

        if (join->body != NULL)
            keep_packed(join->body, join->n_body);
        writer = join->turns != NULL ? find_writer(ops, join) : NULL;
        if (writer == NULL || writer->convolver->kind != ADIT_CONVOLUTION_ROWS ||
            writer->convolver->packed_bytes != writer->call.output.count * sizeof(float) ||
            !is_aligned(&writer->output))
            continue;
        writer->packing.stays = TRUE;
        join->packing.stays = TRUE;
        join->convolver = writer->convolver;
    }
}

gboolean
adit_cpu_find_packed(AditExecutable *self, GError **error)
{
    gsize size = 0;

    for (guint i = 0; i < self->n_workers; i++) {
        AditCpuWorker *worker = &self->workers[i];

        keep_packed(worker->ops, worker->n_ops);
        size = place_stretches(worker->ops, worker->n_ops, 0);
    }
    self->packed = adit_cpu_allocate(size, "packed weights", error);
    self->bytes += size;
    return self->packed != NULL;
}

/* ---- packing ---- */

/* Where input 1 lies in the first iteration of the loops from @depth on. */
static const char *
find_begin(const AditCpuWorker *self, const AditCpuPointer *pointer, guint depth)
{
    const char *address = pointer->base;

    for (guint i = 0; i < pointer->n_strides; i++) {
        if (pointer->strides[i].level < depth)
            address += self->index[pointer->strides[i].level] * pointer->strides[i].bytes;
    }
    return address;
}

static gboolean
pack(const AditExecutable *self, const AditCpuOp *op, gsize instance)
{
    const AditView *weights = &op->call.inputs[1];
    const char *from = op->packing.begin + instance * weights->count * sizeof(float);

    return self->convolvers->pack(op->convolver, (const float *) (gconstpointer) from,
                                  self->packed + op->packing.offset + instance * op->packing.bytes);
}

void
adit_cpu_pack(AditCpuWorker *self, AditCpuOp *first)
{
    AditExecutable *executable = self->executable;
    const GArray *list = first->packing.list;
    gsize number = 0;

    if (list == NULL || executable->is_alone)
        return;
    adit_cpu_meet(self); /* the others may still read what the last stretch reads */
    for (guint i = 0; i < list->len; i++) {
        const Weights *weights = &g_array_index(list, Weights, i);

        weights->op->packing.begin = find_begin(self, &weights->op->inputs[1], weights->depth);
        for (gsize j = 0; j < weights->n; j++) {
            if (number++ % executable->n_workers != self->thread)
                continue;
            if (!pack(executable, weights->op, j))
                adit_cpu_fail(executable);
            self->calls++;
        }
    }
    self->pending = ADIT_CPU_LEFT_WHOLE;
}

const void *
adit_cpu_get_packed(const AditExecutable *self, const AditCpuOp *op)
{
    const AditCpuPacking *packing = &op->packing;
    const AditView *weights = &op->call.inputs[1];
    gsize instance;

    if (packing->stays)
        return op->call.output.data;
    if (packing->bytes == 0)
        return NULL;
    instance =
        (gsize) ((const char *) weights->data - packing->begin) / (weights->count * sizeof(float));
    return self->packed + packing->offset + instance * packing->bytes;
}

void
adit_cpu_fail(AditExecutable *self)
{
    if (g_atomic_int_compare_and_exchange(&self->has_failed, FALSE, TRUE))
        g_warning("%s failed; convolutions are computed without it", self->convolvers->describe());
}
