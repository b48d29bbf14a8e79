/* core/ops/adit-extrema-relu.kernel.c - SPDX-License-Identifier: MIT */
#include "adit-extrema.h"
#include "adit-lanes.h"

/* A rectifier, the extrema of what it is given, of each line of channels and over the rows, and the
 * lines' deficits; and the way back through all of them: the bits of the single kernels. */

/**
 * Layer: @rows rows of @points lines of @channels numbers @g. Number e of a row is unit @e /
 * channels
 * + e % channels * points of the extrema over rows, which tell of channels first.
 */
typedef struct {
    gsize rows, points, channels;
} Layer;

ADIT_ALWAYS_INLINE gsize
find_unit(const Layer *t, gsize e)
{
    return e / t->channels + e % t->channels * t->points;
}

/* ---- forward ---- */

/**
 * Forward: results. Of the extrema over rows @units [4][count], which go on if @accumulate.
 */
typedef struct {
    const real *g;
    real *y, *units, *extrema, *sums;
    AditDeficitsAttributes deficits;
    gsize first_row;
    gboolean accumulate;
} Forward;

/* Numbers below 0 become 0; NaN stays. */
ADIT_ALWAYS_INLINE vector
cut_off(vector value)
{
    bit_vector negative = (bit_vector) (value < (vector){0});

    return (vector) ((bit_vector) value & ~negative);
}

/* What a block of rows, a vector of each part, lacks: as rows-deficits sums it. */
ADIT_ALWAYS_INLINE void
sum_deficits(const Forward *f, const Extrema *lines, gsize rows, real *sums, real *squares)
{
    vector margin = vector_fill((real) f->deficits.margin);
    vector upper = vector_fill((real) f->deficits.upper);
    vector lower = vector_fill((real) f->deficits.lower);
    vector deficit =
        upper * cut_off(margin - lines->largest) + lower * cut_off(margin + lines->smallest);

    vector_store_some(sums, (vector){0} + deficit, rows);
    vector_store_some(squares, (vector){0} + deficit * deficit, rows);
}

/* LANES rows, @rows of which there are, of @n numbers each: from registers to all results. */
ADIT_ALWAYS_INLINE void
go_through(const Forward *f, gsize row, gsize rows, gsize n, Extrema *units, Extrema *lines)
{
    vector block[LANES];

    for (gsize r = 0; r < LANES; r++) {
        gsize at = (row + MIN(r, rows - 1)) * n;

        block[r] = vector_load_some(f->g + at, n);
        if (r < rows)
            vector_store_some(f->y + at, vector_relu(block[r]), n);
    }
    for (gsize r = row > 0 || f->accumulate ? 0 : 1; r < rows; r++)
        extrema_take(units, block[r], block[r], f->first_row + row + r);
    vector_transpose(block);
    *lines = extrema_begin(block[0], block[0], 0);
    for (gsize k = 1; k < n; k++)
        extrema_take(lines, block[k], block[k], k);
}

/* Layers of one line of at most LANES channels. */
ADIT_ALWAYS_INLINE void
run_narrow(const Forward *given, gsize rows, gsize n)
{
    const Forward own = *given, *f = &own;
    Extrema units;
    real sum[2] = {f->accumulate ? f->sums[0] : K(0), f->accumulate ? f->sums[1] : K(0)};

    if (f->accumulate) {
        units = extrema_load(f->units, n, n);
    } else {
        vector first = vector_load_some(f->g, n);

        units = extrema_begin(first, first, f->first_row);
    }
    for (gsize first = 0; first < rows; first += SUM_LANES) {
        gsize end = MIN(first + SUM_LANES, rows);
        real sums[SUM_LANES] = {0}, squares[SUM_LANES] = {0};

        for (gsize row = first; row < end; row += LANES) {
            gsize some = MIN(LANES, end - row);
            real *out[LANES];
            Extrema lines;

            for (gsize r = 0; r < some; r++)
                out[r] = f->extrema + (row + r) * 4;
            go_through(f, row, some, n, &units, &lines);
            extrema_store_apart(&lines, out, 1, some);
            sum_deficits(f, &lines, some, sums + (row - first), squares + (row - first));
        }
        sum[0] += lanes_join(sums);
        sum[1] += lanes_join(squares);
    }
    extrema_store(&units, f->units, n, n);
    f->sums[0] = sum[0];
    f->sums[1] = sum[1];
}

/* One after the other. */
static void
run_each(const AditKernelCall *call)
{
    const AditView *results = &call->inputs[call->n_inputs];
    gsize points = results[1].count / 4;
    AditExtremaAttributes axes = {
        .size = call->output.count / points, .inner = 1, .shape = call->output.shape};
    AditExtremaAttributes rows = {.size = 1, .inner = 1, .shape = call->output.shape};
    AditKernelCall next = *call;

    ADIT_KERNEL(relu)(&next);
    next.attributes = &rows;
    next.output = results[0];
    ADIT_KERNEL(rows_extrema)(&next);
    next.attributes = &axes;
    next.output = results[1];
    ADIT_KERNEL(extrema)(&next);
    next.attributes = call->attributes;
    next.inputs[0] = results[1];
    next.output = results[2];
    ADIT_KERNEL(rows_deficits)(&next);
}

/* Input: g; results: rectified; over rows extrema; lines' extrema; over rows sums of deficits. */
void
ADIT_KERNEL(relu_extrema)(const AditKernelCall *call)
{
    const AditView *results = &call->inputs[call->n_inputs];
    gsize n = call->output.count;
    Forward forward = {.g = call->inputs[0].data,
                       .y = call->output.data,
                       .units = results[0].data,
                       .extrema = results[1].data,
                       .sums = results[2].data,
                       .deficits = *(const AditDeficitsAttributes *) call->attributes,
                       .first_row = call->first_row,
                       .accumulate = call->accumulate};

    if (call->pitch != 0 || results[1].count != 4 || n > LANES)
        run_each(call);
    else if (n == LANES)
        run_narrow(&forward, call->rows, LANES);
    else
        run_narrow(&forward, call->rows, n);
}

/* ---- back ---- */

/**
 * Backward: inputs, and the gradient @dx. @by: the gradients by both sums of deficits.
 */
typedef struct {
    Layer layer;
    const real *y, *dy, *extrema, *by, *units, *by_units;
    real *dx;
    AditDeficitsAttributes deficits;
    gsize first_row;
    gsize element, row; /* number e of row r lies at [e * element + r * row] */
    gsize line_element, line_row;
} Backward;

/* What the deficit of line @j of row @r gives its number @k, as extrema-gradient has it. */
ADIT_ALWAYS_INLINE real
give_line(const Backward *b, gsize r, gsize j, real k)
{
    gsize part = b->layer.points * b->line_element;
    const real *own = b->extrema + j * b->line_element + r * b->line_row;
    real margin = (real) b->deficits.margin, upper = (real) b->deficits.upper;
    real lower = (real) b->deficits.lower;
    real above = margin - own[0], below = margin + own[2 * part];
    real deficit = upper * (above < K(0) ? K(0) : above) + lower * (below < K(0) ? K(0) : below);
    real by = b->by[0] + K(2) * deficit * b->by[1];
    real given = K(0);

    if (own[part] == k)
        given += above > K(0) ? -(upper * by) : K(0);
    if (own[3 * part] == k)
        given += below > K(0) ? lower * by : K(0);
    return given;
}

/* The same of the units' deficits over rows. */
ADIT_ALWAYS_INLINE real
give_unit(const Backward *b, gsize r, gsize u)
{
    gsize part = b->layer.points * b->layer.channels;
    real row = (real) (b->first_row + r), given = K(0);

    if (b->units[part + u] == row)
        given += b->by_units[u];
    if (b->units[3 * part + u] == row)
        given += b->by_units[2 * part + u];
    return given;
}

static void
set_number(const Backward *b, gsize r, gsize e)
{
    gsize at = e * b->element + r * b->row, channels = b->layer.channels;
    real gate = b->y[at] > K(0) ? b->dy[at] : K(0);

    b->dx[at] = (give_line(b, r, e / channels, (real) (e % channels)) +
                 give_unit(b, r, find_unit(&b->layer, e))) +
                gate;
}

/* Few numbers are given anything: those of lines, of which some lack something. */
ADIT_ALWAYS_INLINE void
set_lines(const Backward *b)
{
    const Layer *t = &b->layer;
    gsize part = t->points * b->line_element;
    real margin = (real) b->deficits.margin;

    for (gsize r = 0; r < t->rows; r++) {
        for (gsize j = 0; j < t->points; j++) {
            const real *own = b->extrema + j * b->line_element + r * b->line_row;

            if (margin - own[0] > K(0))
                set_number(b, r, j * t->channels + (gsize) own[part]);
            if (margin + own[2 * part] > K(0))
                set_number(b, r, j * t->channels + (gsize) own[3 * part]);
        }
    }
}

/* And those of units. */
ADIT_ALWAYS_INLINE void
set_units(const Backward *b)
{
    const Layer *t = &b->layer;
    gsize part = t->points * t->channels;

    for (gsize i = 0; i < 2; i++) {
        const real *numbers = b->units + (2 * i + 1) * part, *by = b->by_units + 2 * i * part;

        for (gsize u = 0; u < part; u++) {
            gsize r = (gsize) numbers[u] - b->first_row;

            if (by[u] != K(0) && r < t->rows)
                set_number(b, r, u % t->points * t->channels + u / t->points);
        }
    }
}

/* @n numbers side by side: what the rectifier lets through. */
ADIT_ALWAYS_INLINE void
let_through(const Backward *b, gsize begin, gsize n)
{
    for (gsize at = begin; at < begin + n; at += LANES) {
        gsize some = MIN(LANES, begin + n - at);
        bit_vector open = (bit_vector) (vector_load_some(b->y + at, some) > (vector){0});
        vector dy = (vector) ((bit_vector) vector_load_some(b->dy + at, some) & open);

        vector_store_some(b->dx + at, (vector){0} + dy, some);
    }
}

/* What extrema along axes give number @k of line @own; @by: the gradient by them. Parts are @part
 * apart. */
ADIT_ALWAYS_INLINE real
give_extremum(const real *own, const real *by, gsize part, real k)
{
    real given = K(0);

    if (own[part] == k)
        given += by[0];
    if (own[3 * part] == k)
        given += by[2 * part];
    return given;
}

/* Inputs: y and its gradient; extrema along axes, and the gradient by them. */
static void
run_axes(const AditKernelCall *call)
{
    const AditExtremaAttributes *axes = call->attributes;
    const real *extrema = call->inputs[2].data, *by = call->inputs[3].data;
    gsize pitch = call->pitch, count = call->output.count, part = call->inputs[2].count / 4;
    gsize element = pitch != 0 ? pitch : 1, row = pitch != 0 ? 1 : count;
    Backward b = {.y = call->inputs[0].data, .dy = call->inputs[1].data, .dx = call->output.data};

    for (gsize e = 0; pitch != 0 && e < count; e++)
        let_through(&b, e * pitch, call_line(call));
    if (pitch == 0)
        let_through(&b, 0, call->rows * count);
    for (gsize i = 0; i < call->rows * part; i++) {
        gsize r = i / part, j = i % part, at = j * element + r * (pitch != 0 ? 1 : 4 * part);
        gsize first = j / axes->inner * axes->size * axes->inner + j % axes->inner;

        for (gsize p = 0; p < 4; p += 2) {
            real k = extrema[at + (p + 1) * part * element];
            gsize e = (first + (gsize) k * axes->inner) * element + r * row;
            real gate = b.y[e] > K(0) ? b.dy[e] : K(0);

            if (by[at + p * part * element] != K(0))
                b.dx[e] = give_extremum(extrema + at, by + at, part * element, k) + gate;
        }
    }
}

/* Inputs: y and its gradient, with rows; lines' extrema with rows, the gradients by the sums of
 * their deficits; extrema over rows and the gradient by them. Or those of run_axes(). */
void
ADIT_KERNEL(relu_gradient_extrema)(const AditKernelCall *call)
{
    gsize count = call->output.count, pitch = call->pitch, points = call->inputs[2].count / 4;

    if (call->n_inputs == 4) {
        run_axes(call);
        return;
    }
    Backward b = {.layer = {call->rows, points, count / points},
                  .y = call->inputs[0].data,
                  .dy = call->inputs[1].data,
                  .extrema = call->inputs[2].data,
                  .by = call->inputs[3].data,
                  .units = call->inputs[4].data,
                  .by_units = call->inputs[5].data,
                  .dx = call->output.data,
                  .deficits = *(const AditDeficitsAttributes *) call->attributes,
                  .first_row = call->first_row,
                  .element = pitch != 0 ? pitch : 1,
                  .row = pitch != 0 ? 1 : count,
                  .line_element = pitch != 0 ? pitch : 1,
                  .line_row = pitch != 0 ? 1 : 4 * points};

    for (gsize e = 0; pitch != 0 && e < count; e++)
        let_through(&b, e * pitch, call_line(call));
    if (pitch == 0)
        let_through(&b, 0, call->rows * count);
    set_lines(&b);
    set_units(&b);
}
