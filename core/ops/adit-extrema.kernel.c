/* core/ops/adit-extrema.kernel.c - SPDX-License-Identifier: MIT */
#include "adit-extrema.h"
#include "adit-lanes.h"

/* Parts 0 and 2 of extrema are the numbers whose largest and smallest those of the whole are; of
 * other numbers both are all of them. */
ADIT_ALWAYS_INLINE gsize
find_lower(const AditKernelCall *call, gsize count)
{
    const AditExtremaAttributes *attributes = call->attributes;

    return attributes->joins ? 2 * (count / 4) : 0;
}

/**
 * Steps: where element e of row r lies: at [e * element + r * row].
 */
typedef struct {
    gsize element;
    gsize row;
} Steps;

ADIT_ALWAYS_INLINE Steps
find_steps(const AditKernelCall *call, gsize count)
{
    return call->pitch != 0 ? (Steps){call->pitch, 1} : (Steps){1, count};
}

ADIT_ALWAYS_INLINE void
clear(const AditKernelCall *call)
{
    gsize size = call->pitch != 0 ? call->pitch : call->rows;

    memset(call->output.data, 0, call->output.count * size * sizeof(real));
}

/* The number @at as a whole one, of @size; @size: it is none of them. */
ADIT_ALWAYS_INLINE gsize
find_number(real at, gsize size)
{
    gsize number = at >= K(0) && at < (real) size ? (gsize) at : size;

    return (real) number == at ? number : size;
}

/* ---- along axes ---- */

/**
 * Axes: a row as [outer, size, inner], of which the middle is gone through.
 * @part: numbers of a part of the output
 * @lower: how far behind the numbers whose largest is wanted those lie whose smallest is
 */
typedef struct {
    gsize size, inner, part, lower;
} Axes;

ADIT_ALWAYS_INLINE Axes
find_axes(const AditKernelCall *call, const AditView *numbers, const AditView *extrema)
{
    const AditExtremaAttributes *attributes = call->attributes;

    return (Axes){attributes->size, attributes->inner, extrema->count / 4,
                  find_lower(call, numbers->count)};
}

/* Number @j of a part goes through the elements from here on, @inner apart. */
ADIT_ALWAYS_INLINE gsize
find_first(const Axes *t, gsize j)
{
    return j / t->inner * t->size * t->inner + j % t->inner;
}

/* @n numbers, neighbours in all elements: those of one row, or of one element and neighbouring
 * rows. */
ADIT_ALWAYS_INLINE void
take_side_by_side(const Axes *t, const real *x, gsize step, real *out, gsize part, gsize n)
{
    gsize lower = t->lower * (step / t->inner);
    Extrema extrema = extrema_begin(vector_load_some(x, n), vector_load_some(x + lower, n), 0);

    for (gsize i = 1; i < t->size; i++) {
        const real *at = x + i * step;

        extrema_take(&extrema, vector_load_some(at, n), vector_load_some(at + lower, n), i);
    }
    extrema_store(&extrema, out, part, n);
}

/* Lines whose elements are neighbours: LANES of them are turned around at a time. @lines: how many
 * there are. */
ADIT_ALWAYS_INLINE void
take_lines(const Axes *t, const real *const *x, gsize lower, gsize lines, real *const *out)
{
    Extrema extrema;

    for (gsize i = 0; i < t->size; i += LANES) {
        gsize n = MIN(LANES, t->size - i);
        vector upper[LANES], below[LANES];

        for (gsize l = 0; l < LANES; l++) {
            const real *line = x[MIN(l, lines - 1)] + i;

            upper[l] = vector_load_some(line, n);
            if (lower > 0)
                below[l] = vector_load_some(line + lower, n);
        }
        vector_transpose(upper);
        if (lower > 0)
            vector_transpose(below);
        if (i == 0)
            extrema = extrema_begin(upper[0], lower > 0 ? below[0] : upper[0], 0);
        for (gsize k = i == 0 ? 1 : 0; k < n; k++)
            extrema_take(&extrema, upper[k], lower > 0 ? below[k] : upper[k], i + k);
    }
    extrema_store_apart(&extrema, out, t->part, lines);
}

/* What is to be found of one row after the other: @n numbers of rows' @part. */
static void
take_row_lines(const AditKernelCall *call, const Axes *t)
{
    gsize count = call->inputs[0].count, total = call->rows * t->part;
    const real *data = call->inputs[0].data;
    real *to = call->output.data;

    for (gsize done = 0; done < total; done += LANES) {
        gsize lines = MIN(LANES, total - done);
        const real *x[LANES];
        real *out[LANES];

        for (gsize l = 0; l < lines; l++) {
            gsize r = (done + l) / t->part, j = (done + l) % t->part;

            x[l] = data + r * count + j * t->size;
            out[l] = to + r * 4 * t->part + j;
        }
        take_lines(t, x, t->lower, lines, out);
    }
}

/* Number @at, @value, against the extremum so far: @best and @best_at. */
ADIT_ALWAYS_INLINE void
join_number(real value, real at, real *best, real *best_at, const gboolean largest)
{
    gboolean beyond = largest ? is_above(value, *best) : is_below(value, *best);
    gboolean behind = largest ? is_above(*best, value) : is_below(*best, value);

    if (beyond || (!behind && at < *best_at)) {
        *best = value;
        *best_at = at;
    }
}

/* So few numbers side by side that a vector has several elements of each: they go through by
 * themselves, and are joined in the end. */
static void
take_few(const Axes *t, const real *x, real *out)
{
    gsize n = t->inner, count = t->size * n, i = LANES;
    real at[LANES], parts[4][LANES];

    for (gsize l = 0; l < LANES; l++)
        at[l] = (real) (l / n);
    Extrema extrema = {vector_load(x), vector_load(at), vector_load(x), vector_load(at)};

    for (; i + LANES <= count; i += LANES) {
        vector value = vector_load(x + i);

        extrema_take_at(&extrema, value, value, vector_load(at) + vector_fill((real) (i / n)));
    }
    extrema_store(&extrema, parts[0], LANES, LANES);
    for (gsize l = n; l < LANES; l++) {
        join_number(parts[0][l], parts[1][l], &parts[0][l % n], &parts[1][l % n], TRUE);
        join_number(parts[2][l], parts[3][l], &parts[2][l % n], &parts[3][l % n], FALSE);
    }
    for (; i < count; i++) {
        join_number(x[i], (real) (i / n), &parts[0][i % n], &parts[1][i % n], TRUE);
        join_number(x[i], (real) (i / n), &parts[2][i % n], &parts[3][i % n], FALSE);
    }
    for (gsize p = 0; p < 4; p++)
        memcpy(out + p * t->part, parts[p], n * sizeof(real));
}

static void
take_row(const AditKernelCall *call, const Axes *t, gsize r)
{
    const real *x = (const real *) call->inputs[0].data + r * call->inputs[0].count;
    real *out = (real *) call->output.data + r * 4 * t->part;
    gboolean are_few = t->lower == 0 && LANES % t->inner == 0 && t->inner < LANES &&
                       t->size * t->inner >= 2 * LANES;

    for (gsize j = 0; j < t->part; j += t->inner) {
        const real *from = x + j * t->size;

        if (are_few)
            take_few(t, from, out + j);
        for (gsize k = are_few ? t->inner : 0; k < t->inner; k += LANES)
            take_side_by_side(t, from + k, t->inner, out + j + k, t->part,
                              MIN(LANES, t->inner - k));
    }
}

void
ADIT_KERNEL(extrema)(const AditKernelCall *call)
{
    Axes t = find_axes(call, &call->inputs[0], &call->output);
    const real *x = call->inputs[0].data;
    real *out = call->output.data;

    for (gsize j = 0; call->pitch != 0 && j < t.part; j++) {
        for (gsize r = 0; r < call_line(call); r += LANES)
            take_side_by_side(&t, x + find_first(&t, j) * call->pitch + r, t.inner * call->pitch,
                              out + j * call->pitch + r, t.part * call->pitch, LANES);
    }
    if (call->pitch != 0)
        return;
    if (t.inner == 1) {
        take_row_lines(call, &t);
        return;
    }
    for (gsize r = 0; r < call->rows; r++)
        take_row(call, &t, r);
}

/* What line @j of row @r gives to two of its numbers. */
ADIT_ALWAYS_INLINE void
give_line(const AditKernelCall *call, const Axes *t, const Steps *to, const Steps *from, gsize j,
          gsize r)
{
    gsize at = j * from->element + r * from->row, part = t->part * from->element;
    const real *own = (const real *) call->inputs[0].data + at;
    const real *gradient = (const real *) call->inputs[1].data + at;
    gsize largest = find_number(own[part], t->size);
    gsize smallest = find_number(own[3 * part], t->size);
    real *row = (real *) call->output.data + find_first(t, j) * to->element + r * to->row;

    if (largest < t->size)
        row[largest * t->inner * to->element] += gradient[0];
    if (smallest < t->size)
        row[(smallest * t->inner + t->lower) * to->element] += gradient[2 * part];
}

/* All numbers of the lines that begin side by side at @dx; @own, @gradient: of these lines. */
static void
give_lines(const Axes *t, const real *own, const real *gradient, real *dx)
{
    gsize n = t->inner, part = t->part;

    for (gsize k = 0; k < t->size; k++, dx += n) {
        for (gsize i = 0; i < n; i++)
            dx[i] = (own[part + i] == (real) k ? gradient[i] : K(0)) +
                    (own[3 * part + i] == (real) k ? gradient[2 * part + i] : K(0));
    }
}

/* Few numbers of many lines side by side: vectors of lines. */
static void
give_side_by_side(const AditKernelCall *call, const Axes *t)
{
    for (gsize r = 0; r < call->rows; r++) {
        const real *own = (const real *) call->inputs[0].data + r * 4 * t->part;
        const real *gradient = (const real *) call->inputs[1].data + r * 4 * t->part;
        real *dx = (real *) call->output.data + r * call->output.count;

        for (gsize j = 0; j < t->part; j += t->inner)
            give_lines(t, own + j, gradient + j, dx + j * t->size);
    }
}

/* Inputs: extrema, the gradient by them; 0 to all elements but two of each line. They are gone
 * through as they lie. */
void
ADIT_KERNEL(extrema_gradient)(const AditKernelCall *call)
{
    Axes t = find_axes(call, &call->output, &call->inputs[0]);
    Steps to = find_steps(call, call->output.count), from = find_steps(call, 4 * t.part);

    if (call->pitch == 0 && t.lower == 0 && t.inner >= LANES && t.size <= LANES) {
        give_side_by_side(call, &t);
        return;
    }
    clear(call);
    for (gsize j = 0; call->pitch != 0 && j < t.part; j++) {
        for (gsize r = 0; r < call->rows; r++)
            give_line(call, &t, &to, &from, j, r);
    }
    for (gsize r = 0; call->pitch == 0 && r < call->rows; r++) {
        for (gsize j = 0; j < t.part; j++)
            give_line(call, &t, &to, &from, j, r);
    }
}

/* ---- over rows ---- */

/* @n numbers of all rows, one row behind the other. */
ADIT_ALWAYS_INLINE void
take_rows(const AditKernelCall *call, const real *x, gsize lower, real *out, gsize part, gsize n)
{
    gsize count = call->inputs[0].count;
    gsize begin = call->accumulate ? 0 : 1;
    Extrema extrema = call->accumulate
                          ? extrema_load(out, part, n)
                          : extrema_begin(vector_load_some(x, n), vector_load_some(x + lower, n),
                                          call->first_row);

    for (gsize r = begin; r < call->rows; r++) {
        const real *row = x + r * count;

        extrema_take(&extrema, vector_load_some(row, n), vector_load_some(row + lower, n),
                     call->first_row + r);
    }
    extrema_store(&extrema, out, part, n);
}

/* The same of rows in the lanes. */
ADIT_ALWAYS_INLINE void
take_pitched_rows(const AditKernelCall *call, const real *x, gsize lower, real *out, gsize part,
                  gsize n)
{
    Extrema extrema = {0};

    if (call->accumulate)
        extrema = extrema_load(out, part, n);
    for (gsize r = 0; r < call->rows; r += LANES) {
        gsize rows = MIN(LANES, call->rows - r);
        vector upper[LANES], below[LANES];

        for (gsize l = 0; l < LANES; l++) {
            const real *line = x + MIN(l, n - 1) * call->pitch + r;

            upper[l] = vector_load(line);
            if (lower > 0)
                below[l] = vector_load(line + lower);
        }
        vector_transpose(upper);
        if (lower > 0)
            vector_transpose(below);
        if (r == 0 && !call->accumulate)
            extrema = extrema_begin(upper[0], lower > 0 ? below[0] : upper[0], call->first_row);
        for (gsize k = r == 0 && !call->accumulate ? 1 : 0; k < rows; k++)
            extrema_take(&extrema, upper[k], lower > 0 ? below[k] : upper[k],
                         call->first_row + r + k);
    }
    extrema_store(&extrema, out, part, n);
}

void
ADIT_KERNEL(rows_extrema)(const AditKernelCall *call)
{
    gsize part = call->output.count / 4, lower = find_lower(call, call->inputs[0].count);
    const real *x = call->inputs[0].data;
    real *out = call->output.data;

    for (gsize j = 0; j < part; j += LANES) {
        gsize n = MIN(LANES, part - j);

        if (call->pitch != 0)
            take_pitched_rows(call, x + j * call->pitch, lower * call->pitch, out + j, part, n);
        else if (n == LANES)
            take_rows(call, x + j, lower, out + j, part, LANES);
        else
            take_rows(call, x + j, lower, out + j, part, n);
    }
}

/* Images that lie with their channels last are told of as if these came first. */
void
ADIT_KERNEL(combine_extrema)(const AditKernelCall *call)
{
    const AditExtremaAttributes *attributes = call->attributes;
    gsize part = call->output.count / 4, channels = attributes->inner, pixels = part / channels;
    const real *x = call->inputs[0].data;
    real *out = call->output.data;

    for (gsize j = 0; j < part; j++) {
        gsize to = j % channels * pixels + j / channels;
        const real *largest = x + j, *smallest = x + 2 * part + j;

        for (gsize s = 1; s < call->rows; s++) {
            const real *other = x + s * 4 * part + j;

            largest = is_above(other[0], largest[0]) ? other : largest;
            smallest = is_below(other[2 * part], smallest[0]) ? other + 2 * part : smallest;
        }
        out[to] = largest[0];
        out[part + to] = largest[part];
        out[2 * part + to] = smallest[0];
        out[3 * part + to] = smallest[part];
    }
}

/* Inputs: extrema over the rows, the gradient by them; 0 to all rows but two of each element. */
void
ADIT_KERNEL(rows_extrema_gradient)(const AditKernelCall *call)
{
    const AditExtremaAttributes *attributes = call->attributes;
    gsize part = call->inputs[0].count / 4, channels = attributes->inner, pixels = part / channels;
    gsize lower = find_lower(call, call->output.count);
    Steps to = find_steps(call, call->output.count);
    const real *y = call->inputs[0].data, *dy = call->inputs[1].data;
    real *dx = call->output.data;

    clear(call);
    for (gsize j = 0; j < part; j++) {
        gsize e = j % pixels * channels + j / pixels;
        gsize largest = find_number(y[part + j] - (real) call->first_row, call->rows);
        gsize smallest = find_number(y[3 * part + j] - (real) call->first_row, call->rows);

        if (largest < call->rows)
            dx[e * to.element + largest * to.row] += dy[j];
        if (smallest < call->rows)
            dx[(e + lower) * to.element + smallest * to.row] += dy[2 * part + j];
    }
}

/* ---- deficits ---- */

typedef struct {
    real margin, upper, lower;
} Deficits;

ADIT_ALWAYS_INLINE Deficits
find_deficits(const AditKernelCall *call)
{
    const AditDeficitsAttributes *attributes = call->attributes;

    return (Deficits){(real) attributes->margin, (real) attributes->upper,
                      (real) attributes->lower};
}

ADIT_ALWAYS_INLINE real
find_deficit(const Deficits *t, real largest, real smallest)
{
    real above = t->margin - largest, below = t->margin + smallest;

    return t->upper * (above < K(0) ? K(0) : above) + t->lower * (below < K(0) ? K(0) : below);
}

/* The sums of ADIT_PANEL_ROWS rows by halves, and these in order: panels go on from one another. */
void
ADIT_KERNEL(rows_deficits)(const AditKernelCall *call)
{
    Deficits t = find_deficits(call);
    gsize part = call->inputs[0].count / 4;
    Steps step = find_steps(call, 4 * part);
    const real *x = call->inputs[0].data;
    real *out = call->output.data;
    real sum[2] = {call->accumulate ? out[0] : K(0), call->accumulate ? out[1] : K(0)};

    for (gsize first = 0; first < call->rows; first += SUM_LANES) {
        gsize n = MIN(SUM_LANES, call->rows - first);
        real sums[SUM_LANES] = {0}, squares[SUM_LANES] = {0};

        for (gsize j = 0; j < part; j++) {
            const real *largest = x + j * step.element + first * step.row;
            const real *smallest = largest + 2 * part * step.element;

            for (gsize r = 0; r < n; r++) {
                real deficit = find_deficit(&t, largest[r * step.row], smallest[r * step.row]);

                sums[r] += deficit;
                squares[r] += deficit * deficit;
            }
        }
        sum[0] += lanes_join(sums);
        sum[1] += lanes_join(squares);
    }
    out[0] = sum[0];
    out[1] = sum[1];
}

/* Of @n numbers side by side; parts are @part apart. @dy: the gradients by both sums. */
static void
deficits_gradient(const Deficits *t, const real *dy, const real *x, real *dx, gsize part, gsize n)
{
    for (gsize i = 0; i < n; i++) {
        gsize below = i + 2 * part;
        real by = dy[0] + K(2) * find_deficit(t, x[i], x[below]) * dy[1];

        dx[i] = t->margin - x[i] > K(0) ? -(t->upper * by) : K(0);
        dx[below] = t->margin + x[below] > K(0) ? t->lower * by : K(0);
    }
}

/* Inputs: extrema, the gradients by both sums. */
void
ADIT_KERNEL(rows_deficits_gradient)(const AditKernelCall *call)
{
    Deficits t = find_deficits(call);
    gsize part = call->inputs[0].count / 4, pitch = call->pitch;
    const real *x = call->inputs[0].data, *dy = call->inputs[1].data;
    real *dx = call->output.data;

    clear(call);
    for (gsize j = 0; pitch != 0 && j < part; j++)
        deficits_gradient(&t, dy, x + j * pitch, dx + j * pitch, part * pitch, call->rows);
    for (gsize r = 0; pitch == 0 && r < call->rows; r++)
        deficits_gradient(&t, dy, x + r * 4 * part, dx + r * 4 * part, part, part);
}
