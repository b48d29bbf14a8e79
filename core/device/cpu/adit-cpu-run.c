/* core/device/cpu/adit-cpu-run.c - SPDX-License-Identifier: MIT */
#include "adit-cpu-private.h"

#include <math.h>
#include <string.h>

/* ---- addresses ---- */

/* Where an operand lies in this iteration of the loops, for slice 0 and its first row. */
static inline char *
find_iteration(const AditCpuWorker *self, const AditCpuPointer *pointer)
{
    char *address = pointer->base;

    for (guint i = 0; i < pointer->n_strides; i++) {
        guint index = self->index[pointer->strides[i].level] + pointer->strides[i].shift;

        if (pointer->strides[i].modulo > 0)
            index %= pointer->strides[i].modulo;
        address += index * pointer->strides[i].bytes;
    }
    return address;
}

static inline char *
find_panel(const AditCpuPointer *pointer, const AditCpuPanel *panel)
{
    return pointer->iteration + panel->slice * pointer->slice_bytes +
           panel->row * pointer->row_bytes + panel->linear * pointer->linear_bytes;
}

/* How an address moves with the innermost loop, from where the loop stands now. */
static inline AditCpuMove
find_move(const AditCpuWorker *self, const AditCpuPointer *pointer, guint level, gboolean reverse)
{
    for (guint i = 0; i < pointer->n_strides; i++) {
        gssize bytes = (gssize) pointer->strides[i].bytes;

        if (pointer->strides[i].level != level)
            continue;
        if (pointer->strides[i].modulo == 0)
            return (AditCpuMove){reverse ? -bytes : bytes, 0};
        g_assert(pointer->strides[i].modulo == 2);
        gboolean second = (self->index[level] + pointer->strides[i].shift) % 2 != 0;

        return (AditCpuMove){second ? -bytes : bytes, -1};
    }
    return (AditCpuMove){0};
}

/* Lines of a value of the next iteration that are fetched ahead: where the memory of a deep network
 * is read, the processor finds out about the others. */
#define LINES_AHEAD 4

static inline void *
move(void *address, AditCpuMove *move)
{
    char *moved = (char *) address + move->bytes;

    move->bytes = (move->bytes ^ move->turns) - move->turns;
    if (move->bytes != 0 && move->turns == 0) {
        for (guint i = 0; i < LINES_AHEAD; i++)
            __builtin_prefetch(moved + move->bytes + i * 64);
    }
    return moved;
}

/* The number of the loops' iteration among all of theirs. */
static inline gsize
count_iteration(const AditCpuWorker *self, const AditCpuOp *op)
{
    gsize iteration = 0;

    for (guint i = 0; i < ADIT_MAX_LOOPS; i++)
        iteration += self->index[i] * op->key_strides[i];
    return iteration;
}

static inline void
choose_key(const AditCpuWorker *self, AditCpuOp *op)
{
    op->call.key = op->keys + 2 * count_iteration(self, op);
}

/* Finds the addresses of a list's ops, but for those in loops of their own, in this iteration of
 * the loops around it. */
static void
begin(AditCpuWorker *self, AditCpuOp *ops, guint n_ops)
{
    for (guint i = 0; i < n_ops; i++) {
        AditCpuOp *op = &ops[i];

        if (op->body != NULL)
            continue;
        for (guint j = 0; j < op->n_inputs; j++)
            op->inputs[j].iteration = find_iteration(self, &op->inputs[j]);
        op->output.iteration = find_iteration(self, &op->output);
        if (op->keys != NULL)
            choose_key(self, op);
    }
}

/* Sets what they are called with. */
static void
aim(AditCpuWorker *self, AditCpuOp *ops, guint n_ops, const AditCpuPanel *panel)
{
    const AditCall *current = self->executable->current;

    for (guint i = 0; i < n_ops; i++) {
        AditCpuOp *op = &ops[i];
        AditKernelCall *call = &op->call;

        if (op->body != NULL)
            continue;
        call->rows = panel->rows;
        call->first_row = panel->linear;
        call->batch_rows = current->rows;
        call->slice = panel->slice;
        call->accumulate = panel->row > 0;
        call->step = current->step;
        for (guint j = 0; j < op->n_inputs; j++)
            call->inputs[j].data = find_panel(&op->inputs[j], panel);
        call->output.data = find_panel(&op->output, panel);
    }
}

/* At a loop's first iteration. */
static void
find_moves(AditCpuWorker *self, AditCpuOp *ops, guint n_ops, const AditInstruction *loop)
{
    for (guint i = 0; i < n_ops; i++) {
        AditCpuOp *op = &ops[i];

        if (op->body != NULL)
            continue;
        for (guint j = 0; j < op->n_inputs; j++)
            op->moves[j] = find_move(self, &op->inputs[j], loop->level, loop->reverse);
        op->moves[ADIT_MAX_INPUTS] = find_move(self, &op->output, loop->level, loop->reverse);
    }
}

/* The next iteration. */
static inline void
advance(AditCpuWorker *self, AditCpuOp *ops, guint n_ops)
{
    for (guint i = 0; i < n_ops; i++) {
        AditCpuOp *op = &ops[i];
        AditKernelCall *call = &op->call;

        if (op->body != NULL)
            continue;
        for (guint j = 0; j < op->n_inputs; j++)
            call->inputs[j].data = move(call->inputs[j].data, &op->moves[j]);
        call->output.data = move(call->output.data, &op->moves[ADIT_MAX_INPUTS]);
        if (op->keys != NULL)
            choose_key(self, op);
    }
}

/* ---- single ops ---- */

static void
gather_row(const AditCpuNumbers *numbers, const AditArray *array, gsize row, void *data,
           gsize count)
{
    gsize first = row * count;

    if (array->type == ADIT_TYPE_CODE_F32 && !numbers->f64) {
        if (count == 1)
            *(float *) data = ((const float *) array->data)[first];
        else
            memcpy(data, (const float *) array->data + first, count * sizeof(float));
        return;
    }
    for (gsize i = 0; i < count; i++)
        adit_cpu_store(numbers, data, i, adit_array_get(array, first + i));
}

/* Rows of bytes: what each of the 256 is read as is worked out once. */
static void
gather_bytes(const AditCpuNumbers *numbers, const AditArray *array, const gsize *rows, gsize n,
             void *data, gsize count)
{
    union {
        float narrow[256];
        double wide[256];
    } values;

    for (guint i = 0; i < 256; i++)
        adit_cpu_store(numbers, &values, i, i * array->scale);
    for (gsize r = 0; r < n; r++) {
        const guint8 *from = (const guint8 *) array->data + rows[r] * count;
        float *narrow = (float *) data + r * count;
        double *wide = (double *) data + r * count;

        for (gsize i = 0; i < count; i++) {
            if (numbers->f64)
                wide[i] = values.wide[from[i]];
            else
                narrow[i] = values.narrow[from[i]];
        }
    }
}

/* Begins of a row, and where it may end in another line, its end. To the second cache, to which
 * more can be on its way at once. A call of its own the compiler would leave out, as it gives
 * nothing. */
static inline __attribute__((always_inline)) void
fetch_row(const AditArray *array, gsize row, gsize bytes)
{
    const char *data = (const char *) array->data + row * bytes;

    for (gsize at = 0; at < MIN(bytes, 256); at += 64)
        __builtin_prefetch(data + at, 0, 2);
    if (bytes > 0 && 64 % bytes != 0)
        __builtin_prefetch(data + bytes - 1, 0, 2);
}

static gboolean
same_order(const AditFeed *a, const AditFeed *b)
{
    return a->order == b->order && a->subset == b->subset && a->first == b->first;
}

/* Has the next @n of the rows fetched, for all feeds in their order: where they lie is all over the
 * memory. */
static void
fetch_rows(const AditCpuWorker *self, AditCpuRows *rows, gsize n)
{
    const AditCall *current = self->executable->current;
    gsize end = MIN(rows->n_fetched + n, rows->n);

    for (guint i = 0; i < self->executable->program->feeds->len; i++) {
        const AditFeed *feed = &current->feeds[i];
        const AditArray *array = feed->array;
        gsize bytes;

        if (!same_order(feed, rows->feed))
            continue;
        bytes = adit_shape_count(&array->shape) * adit_type_code_get_size(array->type);
        for (gsize j = rows->n_fetched; j < end; j++)
            fetch_row(array, rows->numbers[j], bytes);
    }
    rows->n_fetched = end;
}

static void
set_rows(const AditCpuWorker *self, AditCpuRows *rows, const AditFeed *feed, gsize begin, gsize n)
{
    *rows = (AditCpuRows){.run = self->executable->n_runs,
                          .begin = begin,
                          .n = n,
                          .feed = feed,
                          .numbers = rows->numbers};
    adit_feed_get_rows(feed, begin, n, rows->numbers);
}

static gboolean
has_rows(const AditCpuWorker *self, const AditCpuRows *rows, const AditFeed *feed, gsize begin)
{
    return rows->run == self->executable->n_runs && rows->begin == begin &&
           same_order(rows->feed, feed);
}

/* The rows of a panel, which are the same for all feeds in one order. Those of the next panel are
 * found too, to be fetched little by little until then. */
static const gsize *
find_rows(AditCpuWorker *self, const AditFeed *feed, gsize begin, gsize n)
{
    const AditCall *current = self->executable->current;
    AditCpuRows *rows = &self->rows, *ahead = &self->rows_ahead;

    if (has_rows(self, rows, feed, begin))
        return rows->numbers;
    if (has_rows(self, ahead, feed, begin)) {
        AditCpuRows found = *ahead;

        *ahead = *rows;
        *rows = found;
    } else {
        set_rows(self, rows, feed, begin, n);
    }
    fetch_rows(self, rows, n);
    if (self->next.rows > 0 && same_order(feed, current->feeds))
        set_rows(self, ahead, feed, self->next.linear - current->first_row, self->next.rows);
    return rows->numbers;
}

static void
gather(AditCpuWorker *self, const AditCpuOp *op)
{
    const AditExecutable *executable = self->executable;
    const AditCall *current = executable->current;
    const AditKernelCall *call = &op->call;
    const AditFeed *feed = &current->feeds[op->instruction->feed];
    gsize first = call->first_row - current->first_row, count = call->output.count;
    char *data = call->output.data;

    if (feed->source != NULL) {
        adit_cpu_executable_gather(feed->source, feed->output, first, call->rows, data);
        return;
    }
    const gsize *rows = find_rows(self, feed, first, call->rows);

    /* for a few, working out all 256 is more work than they are */
    if (feed->array->type == ADIT_TYPE_CODE_U8 && call->rows * count >= 1024) {
        gather_bytes(&executable->numbers, feed->array, rows, call->rows, data, count);
        return;
    }
    for (gsize i = 0; i < call->rows; i++, data += count * executable->numbers.size)
        gather_row(&executable->numbers, feed->array, rows[i], data, count);
}

static void
copy(const AditCpuWorker *self, const AditCpuOp *op)
{
    const AditKernelCall *call = &op->call;
    gsize size = self->executable->numbers.size;
    gsize instances = adit_cpu_count_instances(op->instruction->tensor);

    if (call->pitch != 0) {
        memcpy(call->output.data, call->inputs[0].data, call->output.count * call->pitch * size);
        return;
    }
    gsize row_bytes = call->output.count / instances * size;

    for (gsize i = 0; i < instances; i++)
        memcpy((char *) call->output.data + i * op->room[1] * row_bytes,
               (const char *) call->inputs[0].data + i * op->room[0] * row_bytes,
               call->rows * row_bytes);
}

static guint count_slices(gsize rows);

/* Adds to what lies joined, packed, what this slice left, which is packed too. Behind the last
 * slice the sum, where it has its place, lies as it does in a network. */
static void
join_packed(AditCpuWorker *self, const AditCpuOp *op, AditKernelCall *call, gboolean ends)
{
    void *joined = call->output.data, *part = call->inputs[0].data;

    if (!ends) {
        op->kernel(call);
        return;
    }
    if (call->accumulate) {
        call->output.data = part;
        call->inputs[0].data = joined;
        op->kernel(call);
    }
    if (!self->executable->convolvers->unpack(op->convolver, part, joined))
        adit_cpu_fail(self->executable);
}

/* Joins what a slice left with what those before it did. */
static void
run_in_turn(AditCpuWorker *self, const AditCpuOp *op, const AditCpuPanel *panel)
{
    gint *turn = &op->turns[count_iteration(self, op)];
    gboolean ends = panel->slice + 1 == count_slices(op->call.batch_rows);
    AditKernelCall call = op->call;

    if (!panel->is_last)
        return;
    call.rows = 1;
    call.accumulate = panel->slice > 0;
    adit_team_await(turn, (gint) panel->slice);
    if (op->packing.stays && !self->executable->is_alone)
        join_packed(self, op, &call, ends);
    else
        op->kernel(&call);
    g_atomic_int_set(turn, ends ? 0 : (gint) panel->slice + 1);
}

/* By the library. If it fails, what the run gives is of no matter. */
static void
convolve(AditExecutable *self, const AditCpuOp *op)
{
    if (!adit_cpu_convolver_run(self->convolvers, op->convolver, &op->call,
                                adit_cpu_get_packed(self, op)))
        adit_cpu_fail(self);
}

static void
run_single_op(AditCpuWorker *self, const AditCpuOp *op)
{
    if (op->convolver != NULL && !self->executable->is_alone)
        convolve(self->executable, op);
    else if (op->kernel != NULL)
        op->kernel(&op->call);
    else if (op->instruction->kind == ADIT_INSTRUCTION_GATHER)
        gather(self, op);
    else
        copy(self, op);
}

/* ---- lists ---- */

static void run_ops(AditCpuWorker *self, AditCpuOp *ops, guint n_ops, const AditCpuPanel *panel);

static void
run_loop(AditCpuWorker *self, AditCpuOp *loop, const AditCpuPanel *panel)
{
    const AditInstruction *instruction = loop->instruction;
    guint *index = &self->index[instruction->level];

    *index = instruction->reverse ? instruction->n - 1 : 0;
    begin(self, loop->body, loop->n_body);
    aim(self, loop->body, loop->n_body, panel);
    find_moves(self, loop->body, loop->n_body, instruction);
    run_ops(self, loop->body, loop->n_body, panel);
    for (guint i = 1; i < instruction->n; i++) {
        *index += instruction->reverse ? -1u : 1u;
        advance(self, loop->body, loop->n_body);
        run_ops(self, loop->body, loop->n_body, panel);
    }
}

/* Rows of the next panel that are fetched while an op runs: not so many that it would have to wait
 * for them. */
#define ROWS_AHEAD 8

static void
run_ops(AditCpuWorker *self, AditCpuOp *ops, guint n_ops, const AditCpuPanel *panel)
{
    for (guint i = 0; i < n_ops; i++) {
        AditCpuOp *op = &ops[i];

        if (self->rows_ahead.n_fetched < self->rows_ahead.n)
            fetch_rows(self, &self->rows_ahead, ROWS_AHEAD);
        self->calls += op->kernel != NULL;
        if (op->body != NULL)
            run_loop(self, op, panel);
        else if (op->turns != NULL)
            run_in_turn(self, op, panel);
        else if (op->turned != NULL)
            adit_cpu_run_turned(self, op, run_single_op);
        else
            run_single_op(self, op);
    }
}

static guint
count_slices(gsize rows)
{
    guint n = ADIT_SLICES;

    while (n > 1 && adit_slice_begin(rows, n - 1) >= rows)
        n--;
    return n;
}

void
adit_cpu_meet(AditCpuWorker *self)
{
    if (self->pending != ADIT_CPU_SEEN)
        adit_team_wait(self->executable->team);
    self->pending = ADIT_CPU_SEEN;
}

/* Makes @panel, of which slice and row are set, the thread's first from there on; of no rows, if
 * there is none. */
static void
place_panel(const AditCpuWorker *self, AditCpuPanel *panel)
{
    const AditExecutable *executable = self->executable;
    gsize rows = executable->current->rows, first;
    guint n_slices = count_slices(rows);

    if (panel->slice < n_slices && adit_slice_begin(rows, panel->slice) + panel->row >=
                                       adit_slice_begin(rows, panel->slice + 1)) {
        panel->slice += executable->n_workers;
        panel->row = 0;
    }
    panel->rows = 0;
    if (panel->slice >= n_slices)
        return;
    first = adit_slice_begin(rows, panel->slice) + panel->row;
    panel->linear = executable->current->first_row + first;
    panel->rows = MIN(executable->panel_rows, adit_slice_begin(rows, panel->slice + 1) - first);
    panel->is_last = first + panel->rows == adit_slice_begin(rows, panel->slice + 1);
}

/* A stretch: instructions that run slice by slice go through together, panel by panel, so that a
 * panel's values stay in cache. Returns how many they are. */
static guint
run_stretch(AditCpuWorker *self, AditCpuOp *ops, guint n_ops)
{
    AditCpuPanel panel = {.slice = self->thread};
    guint n = 0;

    while (n < n_ops && ops[n].instruction->domain == ADIT_DOMAIN_SLICES)
        n++;
    adit_cpu_pack(self, ops);
    if (self->pending == ADIT_CPU_LEFT_WHOLE)
        adit_cpu_meet(self);
    begin(self, ops, n);
    for (place_panel(self, &panel); panel.rows > 0; panel = self->next) {
        self->next = panel;
        self->next.row += panel.rows;
        place_panel(self, &self->next);
        aim(self, ops, n, &panel);
        run_ops(self, ops, n, &panel);
    }
    self->pending = ADIT_CPU_LEFT_SLICES;
    return n;
}

/* @combines: the op joins what the slices left */
static void
run_single(AditCpuWorker *self, AditCpuOp *op)
{
    gsize rows = self->executable->current->rows;
    gboolean combines = op->instruction->kind == ADIT_INSTRUCTION_COMBINE;
    AditCpuPanel panel = {.linear = self->executable->current->first_row,
                          .rows = combines ? count_slices(rows) : 1};

    begin(self, op, 1);
    aim(self, op, 1, &panel);
    run_ops(self, op, 1, &panel);
}

static void
run_whole(AditCpuWorker *self, AditCpuOp *op, guint first, guint step)
{
    const AditInstruction *instruction = op->instruction;

    if (op->body == NULL) {
        run_single(self, op);
        return;
    }
    for (guint i = first; i < instruction->n; i += step) {
        self->index[instruction->level] = instruction->reverse ? instruction->n - 1 - i : i;
        for (guint j = 0; j < op->n_body; j++)
            run_whole(self, &op->body[j], 0, 1);
    }
}

/**
 * Wholes: instructions that run once, one after the other.
 */
typedef struct {
    AditCpuWorker *worker;
    AditCpuOp *ops;
    guint n;
} Wholes;

static void
run_wholes(gpointer data, guint thread)
{
    const Wholes *wholes = data;

    for (guint i = 0; i < wholes->n; i++)
        run_whole(wholes->worker, &wholes->ops[i], 0, 1);
}

/* Iterations that do not depend on each other are shared out. */
static gboolean
is_shared(const AditCpuWorker *self, const AditCpuOp *op)
{
    return op->instruction->independent && self->executable->n_workers > 1;
}

static void
run_shared(AditCpuWorker *self, AditCpuOp *op)
{
    adit_cpu_meet(self);
    run_whole(self, op, self->thread, self->executable->n_workers);
    self->pending = ADIT_CPU_LEFT_WHOLE;
    adit_cpu_meet(self);
}

/* What runs once behind the slices is done by the thread that comes last, so that all meet only
 * once; else by thread 0. Returns how many instructions it was. */
static guint
run_once(AditCpuWorker *self, AditCpuOp *ops, guint n_ops)
{
    Wholes wholes = {self, ops, 0};

    while (wholes.n < n_ops && ops[wholes.n].instruction->domain == ADIT_DOMAIN_WHOLE &&
           !is_shared(self, &ops[wholes.n]))
        wholes.n++;
    if (wholes.n == 0) {
        run_shared(self, ops);
        return 1;
    }
    if (self->pending == ADIT_CPU_LEFT_SLICES) {
        adit_team_meet(self->executable->team, run_wholes, &wholes, self->thread);
        self->pending = ADIT_CPU_SEEN;
        return wholes.n;
    }
    if (self->thread == 0)
        run_wholes(&wholes, 0);
    self->pending = ADIT_CPU_LEFT_WHOLE;
    return wholes.n;
}

static void
run_list(AditCpuWorker *self, AditCpuOp *ops, guint n_ops)
{
    for (guint i = 0; i < n_ops;) {
        const AditInstruction *instruction = ops[i].instruction;

        if (instruction->domain == ADIT_DOMAIN_SLICES) {
            i += run_stretch(self, &ops[i], n_ops - i);
            continue;
        }
        if (instruction->domain == ADIT_DOMAIN_WHOLE) {
            i += run_once(self, &ops[i], n_ops - i);
            continue;
        }
        adit_cpu_meet(self);
        for (guint j = 0; j < instruction->n; j++) {
            self->index[instruction->level] = instruction->reverse ? instruction->n - 1 - j : j;
            run_list(self, ops[i].body, ops[i].n_body);
        }
        adit_cpu_meet(self);
        i++;
    }
}

gboolean
adit_cpu_guards_hold(const AditExecutable *self)
{
    for (guint i = 0; i < self->program->outputs->len; i++) {
        const AditProgramOutput *output =
            &g_array_index(self->program->outputs, AditProgramOutput, i);

        if (output->kind != ADIT_OUTPUT_GUARD)
            continue;
        AditCpuPointer pointer = adit_cpu_pointer(self, &output->operand, 0, NULL);

        if (!isfinite(adit_cpu_load(&self->numbers, pointer.base, 0)))
            return FALSE;
    }
    return TRUE;
}

void
adit_cpu_run_worker(gpointer data, guint thread)
{
    AditExecutable *self = data;
    AditCpuWorker *worker = &self->workers[thread];

    worker->pending = ADIT_CPU_SEEN;
    worker->rows_ahead.n = 0;
    adit_cpu_transpose(worker);
    run_list(worker, worker->ops, worker->n_ops);
    adit_cpu_meet(worker);
    /* nothing but the executable's own memory has changed so far */
    if (!g_atomic_int_get(&self->has_failed) && adit_cpu_guards_hold(self))
        run_list(worker, worker->commits, worker->n_commits);
}
