/* core/device/cpu/adit-cpu-executable.c - SPDX-License-Identifier: MIT */
#include "adit-cpu-private.h"

#include <stdlib.h>
#include <string.h>

static gboolean
allocate_arenas(AditExecutable *self, const AditMemory *memory, GError **error)
{
    const AditProgram *program = self->program;
    gsize size = self->numbers.size;
    gsize rows;
    if (__builtin_mul_overflow(program->crossing_units, ADIT_SLICES * self->slice_rows * size,
                               &rows))
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
        rows + (program->shared_size + program->constants->len + program->lives->len + 1) * size;
    for (guint i = 0; i < program->constants->len; i++)
        adit_cpu_store(&self->numbers, self->arenas[ADIT_ARENA_CONSTANTS], i,
                       g_array_index(program->constants, double, i));
    return TRUE;
}

/* Rows that a slice has room for. Kernels of values with the rows in the lanes read and write whole
 * vectors of rows. Else lines of cache are filled, so that slices of different threads share none,
 * where that adds little. */
static gsize
count_slice_rows(const AditExecutable *self, gsize max_rows)
{
    gsize rows = (max_rows + ADIT_SLICES - 1) / ADIT_SLICES;
    gboolean fills = rows >= 4 * ADIT_PANEL_ROWS;

    for (guint i = 0; i < self->program->storages->len && !fills; i++)
        fills = self->thin[i];
    return fills ? (rows + ADIT_PANEL_ROWS - 1) / ADIT_PANEL_ROWS * ADIT_PANEL_ROWS : rows;
}

static gboolean
make_workers(AditExecutable *self, guint64 seed, GError **error)
{
    const AditProgram *program = self->program;
    gsize size = self->numbers.size;
    gsize bytes = (program->row_units - program->crossing_units) * self->panel_rows * size;
    self->n_workers = adit_team_get_size(self->team);
    self->workers = g_new0(AditCpuWorker, self->n_workers);
    for (guint i = 0; i < self->n_workers; i++) {
        AditCpuWorker *worker = &self->workers[i];
        worker->executable = self;
        worker->thread = i;
        worker->panel = adit_cpu_allocate(bytes, "activations", error);
        if (worker->panel == NULL)
            return FALSE;
        worker->parts = adit_cpu_allocate(program->thread_size * size, "partial results", error);
        if (worker->parts == NULL)
            return FALSE;
        self->bytes += bytes + program->thread_size * size;
        worker->rows.numbers = g_new(gsize, self->panel_rows);
        worker->rows_ahead.numbers = g_new(gsize, self->panel_rows);
        adit_cpu_make_ops(worker, i > 0 ? self->workers : NULL, seed);
    }
    return TRUE;
}

AditExecutable *
adit_cpu_executable_new(AditProgram *program, AditMemory *memory, AditIsa isa, AditTeam *team,
                        AditCpuNumbers numbers, gsize max_rows, guint64 seed, GError **error)
{
    AditExecutable *self = g_new0(AditExecutable, 1);
    self->program = program;
    self->memory = memory;
    self->isa = isa;
    self->team = team;
    self->numbers = numbers;
    self->shared = g_ptr_array_new_with_free_func(g_free);
    self->sums = g_new0(double, program->outputs->len + 1);
    self->left = g_array_new(FALSE, FALSE, sizeof(gint32));
    self->fuses = adit_may_fuse();
    if (adit_cpu_has_convolutions(program))
        self->convolvers = adit_cpu_convolvers_find(isa, numbers.f64);
    adit_cpu_find_thin(self);
    self->slice_rows = count_slice_rows(self, max_rows);
    adit_cpu_choose_panel(self);
    if (!allocate_arenas(self, memory, error)) {
        adit_cpu_executable_free(self);
        return NULL;
    }
    if (!adit_cpu_find_transposed(self, error) || !make_workers(self, seed, error) ||
        !adit_cpu_find_packed(self, error)) {
        adit_cpu_executable_free(self);
        return NULL;
    }
    return self;
}

void
adit_cpu_executable_free(AditExecutable *self)
{
    for (guint i = 0; i < self->n_workers; i++) {
        adit_cpu_free_ops(&self->workers[i]);
        free(self->workers[i].panel);
        free(self->workers[i].parts);
        g_free(self->workers[i].rows.numbers);
        g_free(self->workers[i].rows_ahead.numbers);
    }
    for (guint i = ADIT_ARENA_ROWS; i < ADIT_N_ARENAS; i++)
        free(self->arenas[i]);
    g_free(self->thin);
    free(self->transposed);
    free(self->packed);
    g_clear_pointer(&self->matrices, g_array_unref);
    g_free(self->workers);
    g_free(self->sums);
    g_array_unref(self->left);
    g_ptr_array_unref(self->shared);
    g_free(self);
}

/* Address of row @row of an output with rows, of instance @instance if it is a stack. */
static const void *
output_row(const AditExecutable *self, const AditOperand *operand, gsize instance, gsize width,
           gsize row)
{
    AditCpuPointer pointer = adit_cpu_pointer(self, operand, 0, NULL);
    if (operand->linear)
        return pointer.base + row * width * self->numbers.size;
    guint slice = 0;
    while (adit_slice_begin(self->last_rows, slice + 1) <= row)
        slice++;
    gsize offset = instance * self->slice_rows + row - adit_slice_begin(self->last_rows, slice);
    return pointer.base + slice * pointer.slice_bytes + offset * width * self->numbers.size;
}

/* A scalar for every row, or the same for all. */
static double
sum_rows(const AditExecutable *self, const AditOperand *operand, double sum)
{
    if (!operand->rows) {
        AditCpuPointer pointer = adit_cpu_pointer(self, operand, 0, NULL);
        double value = adit_cpu_load(&self->numbers, pointer.base, 0);
        for (gsize row = 0; row < self->last_rows; row++)
            sum += value;
        return sum;
    }
    for (guint slice = 0; slice < ADIT_SLICES; slice++) {
        gsize begin = adit_slice_begin(self->last_rows, slice);
        gsize rows = adit_slice_begin(self->last_rows, slice + 1) - begin;
        const void *data = rows > 0 ? output_row(self, operand, 0, 1, begin) : NULL;
        for (gsize row = 0; row < rows; row++)
            sum += adit_cpu_load(&self->numbers, data, row);
    }
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
    self->n_runs++;
    self->last_rows = call->rows;
    adit_team_run(self->team, adit_cpu_run_worker, self);
    if (self->has_failed) {
        self->has_failed = FALSE;
        self->is_alone = TRUE;
        adit_team_run(self->team, adit_cpu_run_worker, self);
    }

    gboolean finite = adit_cpu_guards_hold(self);
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
        AditCpuPointer pointer = adit_cpu_pointer(self, &output->operand, 0, NULL);
        for (gsize i = 0; i < count; i++)
            values[i] = adit_cpu_load(&self->numbers, pointer.base, i);
        return;
    }
    gsize instances = adit_cpu_count_instances(output->tensor);
    gsize width = count / instances;
    for (gsize instance = 0; instance < instances; instance++) {
        for (guint slice = 0; slice < ADIT_SLICES; slice++) {
            gsize begin = adit_slice_begin(self->last_rows, slice);
            gsize n = width * (adit_slice_begin(self->last_rows, slice + 1) - begin);
            const void *data =
                n > 0 ? output_row(self, &output->operand, instance, width, begin) : NULL;
            for (gsize i = 0; i < n; i++)
                *values++ = adit_cpu_load(&self->numbers, data, i);
        }
    }
}

void
adit_cpu_executable_gather(const AditExecutable *self, guint output, gsize first, gsize n,
                           void *data)
{
    const AditOperand *operand =
        &g_array_index(self->program->outputs, AditProgramOutput, output).operand;
    const gint32 *left = &g_array_index(self->left, gint32, first);
    AditCpuPointer pointer = adit_cpu_pointer(self, operand, 0, NULL);
    gsize length = MAX(adit_slice_begin(self->last_rows, 1), 1);
    gsize bytes = operand->count * self->numbers.size;

    for (gsize i = 0; i < n; i++) {
        gsize row = (gsize) left[i], slice = row / length;

        memcpy((char *) data + i * bytes,
               pointer.base + slice * pointer.slice_bytes + (row - slice * length) * bytes, bytes);
    }
}

static void
sift(const AditSift *sift)
{
    AditExecutable *self = sift->source;
    const AditOperand *operand =
        &g_array_index(self->program->outputs, AditProgramOutput, sift->output).operand;

    g_array_set_size(self->left, 0);
    for (gsize row = 0; row < self->last_rows; row++) {
        const void *data = output_row(self, operand, 0, operand->count, row);
        double number = adit_cpu_load(&self->numbers, data, 0);
        gint32 kept = (gint32) row;

        if (sift->rises ? !(number >= sift->threshold) : !(number < sift->threshold))
            g_array_append_val(self->left, kept);
    }
}

gboolean
adit_cpu_executable_run_left(AditExecutable *self, const AditCall *call)
{
    AditCall left = *call;

    sift(call->sift);
    left.rows = call->sift->source->left->len;
    self->last_rows = 0;
    return left.rows == 0 || adit_cpu_executable_run(self, &left);
}
