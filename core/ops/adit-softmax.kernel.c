/* core/ops/adit-softmax.kernel.c - SPDX-License-Identifier: MIT */
#include <tgmath.h>

#include "adit-lanes.h"
#include "adit-vector-math.h"

/* Line @i of an input, @n numbers; inputs without rows are repeated for every row. */
ADIT_ALWAYS_INLINE const real *
line_of(const AditKernelCall *call, guint input, gsize i, gsize n)
{
    gsize lines = call->inputs[input].count / n;

    return call_row(call, input, i / lines) + i % lines * n;
}

ADIT_ALWAYS_INLINE gsize
last_size(const AditView *view)
{
    return view->shape.size[view->shape.rank - 1];
}

/* ---- LANES lines side by side ---- */

/**
 * Lines: @some lines of @n numbers, each in a lane of its own; further lanes repeat the last.
 * @first: the number of the first line, or row of pitched operands
 * @among: of pitched operands, which of a row's lines they are
 * @number: where operands with a number for every line have that of the first
 * @line: where each begins; its numbers are @step apart
 * @out: where what comes of the first line goes; its numbers are @out_step apart
 * @block, @loaded: the columns from @loaded on, LANES of them or up to the last
 */
typedef struct {
    gsize first, among, number, some, n;
    const real *line[LANES];
    gsize step;
    real *out;
    gsize out_step;
    vector block[LANES];
    gsize loaded;
} Lines;

#define NO_COLUMN G_MAXSIZE

/* How many times LANES lines the operands of @call have, whose output or first input has lines of
 * @n numbers. */
static gsize
count_groups(const AditKernelCall *call, gsize n)
{
    gsize lines = call->inputs[0].count / n;

    return call->pitch != 0 ? (call->rows + LANES - 1) / LANES * lines
                            : (call->rows * lines + LANES - 1) / LANES;
}

/* Of pitched operands a group has LANES rows; else lines are numbered over all rows. */
ADIT_ALWAYS_INLINE void
lines_init(Lines *self, const AditKernelCall *call, gsize group, gsize n)
{
    const AditView *x = &call->inputs[0];
    gsize lines = x->count / n, row = group / lines * LANES, line = group % lines;
    gsize end = call->pitch != 0 ? call->rows : call->rows * lines;
    real *out = call->output.data;

    self->n = n;
    self->loaded = NO_COLUMN;
    self->first = call->pitch != 0 ? row : group * LANES;
    self->among = line;
    self->number = call->pitch != 0 ? line * call->pitch + row : self->first;
    self->some = MIN(LANES, end - self->first);
    self->step = call->pitch != 0 && x->rows ? call->pitch : 1;
    self->out_step = call->pitch != 0 ? call->pitch : 1;
    self->out = call->pitch != 0 ? out + line * n * call->pitch + row : out + self->first * n;
    for (gsize i = 0; i < LANES; i++) {
        gsize at = self->first + MIN(i, self->some - 1);

        if (call->pitch == 0)
            self->line[i] = line_of(call, 0, at, n);
        else
            self->line[i] = (const real *) x->data + line * n * self->step + (x->rows ? at : 0);
    }
}

/* A number for every line. */
ADIT_ALWAYS_INLINE vector
load_numbers(const Lines *self, const AditKernelCall *call, guint input)
{
    const AditView *view = &call->inputs[input];
    vector numbers;

    if (view->rows)
        return vector_load_some((const real *) view->data + self->number, self->some);
    for (gsize i = 0; i < LANES; i++)
        numbers[i] = *line_of(
            call, input, call->pitch != 0 ? self->among : self->first + MIN(i, self->some - 1), 1);
    return numbers;
}

ADIT_ALWAYS_INLINE void
load_columns(Lines *self, gsize first)
{
    gsize columns = MIN(LANES, self->n - first);

    if (self->loaded == first)
        return;
    self->loaded = first;
    if (self->step > 1) {
        for (gsize i = 0; i < columns; i++)
            self->block[i] = vector_load(self->line[0] + (first + i) * self->step);
        return;
    }
#pragma GCC unroll 16
    for (gsize i = 0; i < LANES; i++)
        self->block[i] = vector_load_some(self->line[i] + first, columns);
    vector_transpose(self->block);
}

/* The columns from @first on, from @block, go out. */
ADIT_ALWAYS_INLINE void
store_columns(const Lines *self, gsize first, vector *block)
{
    gsize columns = MIN(LANES, self->n - first);

    if (self->out_step > 1) {
        for (gsize i = 0; i < columns; i++)
            vector_store(self->out + (first + i) * self->out_step, block[i]);
        return;
    }
    vector_transpose(block);
    for (gsize i = 0; i < self->some; i++)
        vector_store_some(self->out + i * self->n + first, block[i], columns);
}

static vector
greatest(Lines *self)
{
    vector top = {0};

    for (gsize first = 0; first < self->n; first += LANES) {
        load_columns(self, first);
        top = first == 0 ? self->block[0] : top;
        for (gsize i = 0; i < MIN(LANES, self->n - first); i++)
            top = vector_max(top, self->block[i]);
    }
    return top;
}

/* The sum of exp(x - top): of SUM_LANES columns in order, and these in order. */
static vector
exp_sum(Lines *self, vector top)
{
    vector all = {0}, sum = {0};

    for (gsize i = 0; i < self->n; i++) {
        load_columns(self, i / LANES * LANES);
        sum += vector_exp(self->block[i % LANES] - top);
        if (i % SUM_LANES == SUM_LANES - 1 || i == self->n - 1) {
            all += sum;
            sum = (vector){0};
        }
    }
    return all;
}

void
ADIT_KERNEL(softmax)(const AditKernelCall *call)
{
    gsize n = last_size(&call->output);
    Lines lines;

    for (gsize group = 0; group < count_groups(call, n); group++) {
        lines_init(&lines, call, group, n);
        vector top = greatest(&lines), factor = K(1) / exp_sum(&lines, top);

        for (gsize first = 0; first < n; first += LANES) {
            vector block[LANES] = {0};

            load_columns(&lines, first);
            for (gsize i = 0; i < MIN(LANES, n - first); i++)
                block[i] = vector_exp(lines.block[i] - top) * factor;
            store_columns(&lines, first, block);
        }
    }
}

void
ADIT_KERNEL(log_softmax)(const AditKernelCall *call)
{
    gsize n = last_size(&call->output);
    Lines lines;

    for (gsize group = 0; group < count_groups(call, n); group++) {
        lines_init(&lines, call, group, n);
        vector top = greatest(&lines), tail = vector_log(exp_sum(&lines, top));

        for (gsize first = 0; first < n; first += LANES) {
            vector block[LANES] = {0};

            load_columns(&lines, first);
            for (gsize i = 0; i < MIN(LANES, n - first); i++)
                block[i] = lines.block[i] - top - tail;
            store_columns(&lines, first, block);
        }
    }
}

/* The number of each line in the column that @target names; one that is none gives NaN. */
ADIT_ALWAYS_INLINE vector
pick_columns(const Lines *self, vector target)
{
    vector picked;

    for (gsize i = 0; i < LANES; i++)
        picked[i] = target[i] >= 0 && target[i] < (real) self->n
                        ? self->line[i][(gsize) target[i] * self->step]
                        : K(NAN);
    return picked;
}

/* A class number that is none gives NaN. */
void
ADIT_KERNEL(cross_entropy)(const AditKernelCall *call)
{
    gsize n = last_size(&call->inputs[0]);
    Lines lines;

    for (gsize group = 0; group < count_groups(call, n); group++) {
        lines_init(&lines, call, group, n);
        vector top = greatest(&lines);
        vector picked = pick_columns(&lines, load_numbers(&lines, call, 1));
        vector loss = top - picked + vector_log(exp_sum(&lines, top));

        vector_store_some((real *) call->output.data + lines.number, loss, lines.some);
    }
}

/* Inputs: logits, class numbers, dy: (softmax - one-hot) dy. */
void
ADIT_KERNEL(cross_entropy_gradient)(const AditKernelCall *call)
{
    gsize n = last_size(&call->output);
    Lines lines;

    for (gsize group = 0; group < count_groups(call, n); group++) {
        lines_init(&lines, call, group, n);
        vector target = load_numbers(&lines, call, 1), dy = load_numbers(&lines, call, 2);
        vector top = greatest(&lines), factor = K(1) / exp_sum(&lines, top);

        for (gsize first = 0; first < n; first += LANES) {
            vector block[LANES] = {0};

            load_columns(&lines, first);
            for (gsize i = 0; i < MIN(LANES, n - first); i++) {
                vector hit = (vector) ((bit_vector) vector_fill(1) &
                                       (bit_vector) (target == (real) (first + i)));

                block[i] = (vector_exp(lines.block[i] - top) * factor - hit) * dy;
            }
            store_columns(&lines, first, block);
        }
    }
}

/* ---- line by line ---- */

/* Inputs: y, dy: y (dy - sum(y dy)). */
void
ADIT_KERNEL(softmax_gradient)(const AditKernelCall *call)
{
    gsize n = last_size(&call->output), lines = call_count(call) / n;

    for (gsize r = 0; r < lines; r++) {
        const real *y = line_of(call, 0, r, n);
        const real *dy = line_of(call, 1, r, n);
        real *out = (real *) call->output.data + r * n;
        real sum = LANES_SUM(n, y[i] * dy[i]);

        for (gsize i = 0; i < n; i++)
            out[i] = y[i] * (dy[i] - sum);
    }
}

/* Inputs: y, dy: dy - exp(y) sum(dy). */
void
ADIT_KERNEL(log_softmax_gradient)(const AditKernelCall *call)
{
    gsize n = last_size(&call->output), lines = call_count(call) / n;

    for (gsize r = 0; r < lines; r++) {
        const real *y = line_of(call, 0, r, n);
        const real *dy = line_of(call, 1, r, n);
        real *out = (real *) call->output.data + r * n;
        real sum = lanes_sum(n, dy);

        for (gsize i = 0; i < n; i++)
            out[i] = dy[i] - exp(y[i]) * sum;
    }
}
