/* core/ops/adit-product.kernel.c - SPDX-License-Identifier: MIT */
#include "adit-product.h"

/* Large products after Goto and van de Geijn, "Anatomy of high-performance matrix multiplication",
 * 2008: a block of b is packed into slivers of one to three vectors, in the order in which they are
 * read, and stays in the second cache; lines of a go by it, a few at a time, which stay in the
 * first. What a block of the depth gives is kept in the result until the next one goes on from it:
 * an element is the sum of its products in order, each added by one fused multiply-add. */
#if defined __AVX512F__ || defined __aarch64__
#define LINES 8
#else
#define LINES 4
#endif
#define VECTORS 3
/* Of a block: its depth, and how many numbers it has at most. */
#define BLOCK_DEPTH 256
#define BLOCK_BYTES (512 * 1024)

typedef vector Tile[LINES][VECTORS];

/**
 * Step: lines of a beside a sliver of b.
 * @a: number k of line i lies at i * a_line + k * a_step
 * @last: numbers of the last vector of columns
 * @begins: there are no sums yet to go on from
 * @ends: the sums are whole after it
 */
typedef struct {
    const Product *product;
    gsize depth;
    const real *a;
    gsize a_line, a_step;
    const real *b;
    gsize line, column, last;
    gboolean begins, ends;
} Step;

typedef void (*RunStep)(const Step *step);

/* What lies at the place of the tile in @from, of lines @step apart. */
ADIT_ALWAYS_INLINE void
add_tile(Tile sum, const real *from, gsize step, gsize last, const gsize m, const gsize v)
{
#pragma GCC unroll 8
    for (gsize i = 0; i < m; i++, from += step) {
#pragma GCC unroll 3
        for (gsize j = 0; j < v; j++)
            sum[i][j] += vector_load_some(from + j * LANES, j + 1 < v ? LANES : last);
    }
}

ADIT_ALWAYS_INLINE void
load_tile(Tile sum, const real *from, gsize step, gsize last, const gsize m, const gsize v)
{
#pragma GCC unroll 8
    for (gsize i = 0; i < m; i++, from += step) {
#pragma GCC unroll 3
        for (gsize j = 0; j < v; j++)
            sum[i][j] = vector_load_some(from + j * LANES, j + 1 < v ? LANES : last);
    }
}

ADIT_ALWAYS_INLINE void
store_tile(const Tile sum, real *to, gsize step, gsize last, const gsize m, const gsize v)
{
#pragma GCC unroll 8
    for (gsize i = 0; i < m; i++, to += step) {
#pragma GCC unroll 3
        for (gsize j = 0; j < v; j++)
            vector_store_some(to + j * LANES, sum[i][j], j + 1 < v ? LANES : last);
    }
}

ADIT_ALWAYS_INLINE void
rectify_tile(Tile sum, const gsize m, const gsize v)
{
#pragma GCC unroll 8
    for (gsize i = 0; i < m; i++) {
#pragma GCC unroll 3
        for (gsize j = 0; j < v; j++)
            sum[i][j] = vector_relu(sum[i][j]);
    }
}

/* What is done to sums that are whole. */
ADIT_ALWAYS_INLINE void
finish_tile(Tile sum, const Step *step, const gsize m, const gsize v)
{
    const Product *t = step->product;
    gsize at = step->line * t->columns + step->column, last = step->last;

    if (t->addend != NULL)
        add_tile(sum, t->addend + step->line * t->addend_step + step->column, t->addend_step, last,
                 m, v);
    if (t->addend != NULL && t->relu)
        rectify_tile(sum, m, v);
    if (t->further != NULL)
        add_tile(sum, t->further + at, t->columns, last, m, v);
    if (t->total == NULL)
        return;
    Tile total;

    load_tile(total, t->collect + at, t->columns, last, m, v);
#pragma GCC unroll 8
    for (gsize i = 0; i < m; i++) {
#pragma GCC unroll 3
        for (gsize j = 0; j < v; j++)
            total[i][j] += sum[i][j];
    }
    store_tile(total, t->total + at, t->columns, last, m, v);
}

/* @m lines, @v vectors: constants at every call. Lines of a go by fours: few addresses do for them.
 */
ADIT_ALWAYS_INLINE void
run_step(const Step *step, const gsize m, const gsize v)
{
    const Product *t = step->product;
    gsize one = step->a_line, three = 3 * one, a_step = step->a_step;
    const real *a[] = {step->a, step->a + 4 * one}, *b = step->b;
    const gsize lines[] = {0, one, 2 * one, three};
    gsize out_line = t->out_line > 0 ? t->out_line : t->columns;
    real *out = t->out + step->line * out_line + step->column;
    Tile sum = {0};

    if (!step->begins)
        load_tile(sum, out, out_line, step->last, m, v);
    for (gsize k = step->depth; k > 0; k--, b += v * LANES) {
        vector right[VECTORS];

#pragma GCC unroll 3
        for (gsize j = 0; j < v; j++)
            right[j] = vector_load(b + j * LANES);
#pragma GCC unroll 8
        for (gsize i = 0; i < m; i++) {
            vector left = vector_fill(a[i / 4][lines[i % 4]]);

#pragma GCC unroll 3
            for (gsize j = 0; j < v; j++)
                sum[i][j] = VECTOR_FMA(left, right[j], sum[i][j]);
        }
#pragma GCC unroll 2
        for (gsize i = 0; i < m; i += 4) {
            a[i / 4] += a_step;
            KEEP(a[i / 4]);
        }
    }
    if (step->ends)
        finish_tile(sum, step, m, v);
    if (step->last == LANES)
        store_tile(sum, out, out_line, LANES, m, v);
    else
        store_tile(sum, out, out_line, step->last, m, v);
}

#define STEP(v, m)                                                                                 \
    static void step_##v##_##m(const Step *step)                                                   \
    {                                                                                              \
        run_step(step, m, v);                                                                      \
    }
#define STEP_ENTRY(v, m) [v - 1][m] = step_##v##_##m,
#if LINES == 8
#define EACH_LINES(f, v) f(v, 1) f(v, 2) f(v, 4) f(v, 8)
#else
#define EACH_LINES(f, v) f(v, 1) f(v, 2) f(v, 4)
#endif
#define EACH_STEP(f) EACH_LINES(f, 1) EACH_LINES(f, 2) EACH_LINES(f, 3)
EACH_STEP(STEP)

/* ---- packing ---- */

/* LANES columns of b as lines, @to_step numbers apart: @columns of them there are, of @depth
 * numbers.
 */
ADIT_ALWAYS_INLINE void
pack_across(const Product *t, const real *from, gsize columns, gsize depth, real *to, gsize to_step)
{
    for (gsize k = 0; k < depth; k += LANES) {
        gsize n = MIN(LANES, depth - k);
        vector block[LANES];

#pragma GCC unroll 16
        for (gsize j = 0; j < LANES; j++)
            block[j] = j < columns ? vector_load_some(from + j * t->b_column + k, n) : (vector){0};
        vector_transpose(block);
        for (gsize i = 0; i < n; i++)
            vector_store(to + (k + i) * to_step, block[i]);
    }
}

/* Vectors of the sliver that begins at @column. */
ADIT_ALWAYS_INLINE gsize
count_vectors(gsize column, gsize end)
{
    return MIN(VECTORS, (end - column + LANES - 1) / LANES);
}

/* Columns @column to @end of @depth lines of b, from @first on: one sliver after the other, each
 * line by line. Vectors that are not whole are filled with 0. */
static void
pack_columns(const Product *t, gsize first, gsize depth, gsize column, gsize end, real *to)
{
    for (gsize n; column < end; column += n * LANES, to += depth * n * LANES) {
        n = count_vectors(column, end);
        for (gsize j = 0; j < n; j++) {
            gsize at = column + j * LANES;

            pack_across(t, t->b + first + at * t->b_column, MIN(LANES, end - at), depth,
                        to + j * LANES, n * LANES);
        }
    }
}

/* The same of lines whose numbers are neighbours: read as they lie. */
static void
pack(const Product *t, gsize first, gsize depth, gsize column, gsize end, real *to)
{
    for (gsize k = 0; k < depth; k++) {
        const real *from = t->b + (first + k) * t->b_step;
        real *line = to;

        for (gsize at = column, n; at < end; at += n * LANES, line += depth * n * LANES) {
            n = count_vectors(at, end);
            for (gsize j = 0; j < n; j++)
                vector_store(
                    line + (k * n + j) * LANES,
                    vector_load_some(from + at + j * LANES, MIN(LANES, end - at - j * LANES)));
        }
    }
}

/* @n lines of a, from @line and @first on, as they are read: LINES of them together, and what is
 * left by halves. */
static void
pack_lines(const Product *t, gsize line, gsize n, gsize first, gsize depth, real *to)
{
    const real *from = t->a + line * t->a_line + first * t->a_step;

    for (gsize k = 0; k < depth; k++, from += t->a_step) {
        gsize i = 0;

        for (; i + LINES <= n; i += LINES)
            memcpy(to + i * depth + k * LINES, from + i, LINES * sizeof(real));
        for (gsize m = LINES / 2; m > 0; m /= 2) {
            if (i + m > n)
                continue;
            memcpy(to + i * depth + k * m, from + i, m * sizeof(real));
            i += m;
        }
    }
}

/* ---- blocks ---- */

/**
 * Block: of b, packed: columns @column to @end of @depth lines from @first on.
 * @lines: room for lines of a
 */
typedef struct {
    const Product *product;
    gsize first, depth;
    gsize column, end;
    real *b;
    real *lines;
} Block;

/* Lines of a that are packed together: their numbers are whole cache lines. */
#define GROUP 64

/* @m lines beside a block; @packed: (nullable): those lines as they are read. */
static void
run_lines(const Block *block, gsize line, gsize m, const real *packed)
{
    static const RunStep steps[VECTORS][LINES + 1] = {EACH_STEP(STEP_ENTRY)};
    const Product *t = block->product;
    Step step = {.product = t,
                 .depth = block->depth,
                 .a = packed != NULL ? packed : t->a + line * t->a_line + block->first,
                 .a_line = packed != NULL ? 1 : t->a_line,
                 .a_step = packed != NULL ? m : 1,
                 .b = block->b,
                 .line = line,
                 .begins = block->first == 0 && !t->accumulate,
                 .ends = block->first + block->depth == t->depth};

    for (gsize column = block->column, n; column < block->end; column += n * LANES) {
        n = count_vectors(column, block->end);
        step.column = column;
        step.last = MIN(LANES, block->end - column - (n - 1) * LANES);
        steps[n - 1][m](&step);
        step.b += block->depth * n * LANES;
    }
}

/* @n lines, LINES at a time, what is left by halves. */
static void
run_group(const Block *block, gsize first, gsize n)
{
    const Product *t = block->product;
    gboolean packs = t->a_step != 1;
    gsize i = 0;

    if (packs)
        pack_lines(t, first, n, block->first, block->depth, block->lines);
    for (gsize m = LINES; m > 0; m /= 2) {
        for (; i + m <= n; i += m)
            run_lines(block, first + i, m, packs ? block->lines + i * block->depth : NULL);
    }
}

static void
run_block(const Block *block)
{
    const Product *t = block->product;

    (t->b_column > 1 ? pack_columns : pack)(t, block->first, block->depth, block->column,
                                            block->end, block->b);
    for (gsize line = 0; line < t->lines; line += GROUP)
        run_group(block, line, MIN(GROUP, t->lines - line));
}

void
ADIT_KERNEL(large_product)(const Product *t)
{
    gsize depth = MIN(t->depth, BLOCK_DEPTH), sliver = VECTORS * LANES;
    gsize width = MAX(BLOCK_BYTES / sizeof(real) / depth / sliver, 1) * sliver;
    Block block = {.product = t};

    width = MIN(width, (t->columns + LANES - 1) / LANES * LANES);
    block.b = adit_scratch_get_further((width + GROUP) * depth * sizeof(real));
    block.lines = block.b + width * depth;
    for (block.column = 0; block.column < t->columns; block.column = block.end) {
        block.end = MIN(block.column + width, t->columns);
        for (block.first = 0; block.first < t->depth; block.first += depth) {
            block.depth = MIN(depth, t->depth - block.first);
            run_block(&block);
        }
    }
}
