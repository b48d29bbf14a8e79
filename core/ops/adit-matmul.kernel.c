/* core/ops/adit-matmul.kernel.c - SPDX-License-Identifier: MIT */
#include "adit-kernel.h"

/* Both products keep a tile of the result in registers: some lines of one to three vectors, as many
 * as leave room for the vectors of b. An element is the sum of its products in order, each added by
 * one fused multiply-add, whatever tile it lies in. */
#define MAX_VECTORS 3
#define MAX_LINES   16

/**
 * Product: out[m][j] = sum over k of a[m * a_line + k * a_step] b[k * b_step + j], and what is done
 * to it before it is stored.
 * @readable: numbers of b, from its first on, that may be read
 * @addend: (nullable): is added, from line to line @addend_step numbers on
 * @accumulate: the sums go on from what the result holds
 */
typedef struct {
    gsize lines, columns, depth;
    const real *a;
    gsize a_line, a_step;
    const real *b;
    gsize b_step, readable;
    real *out;
    const real *addend;
    gsize addend_step;
    gboolean relu;
    gboolean accumulate;
} Product;

/* Columns of a product: @vectors, the last of @last numbers; the first @whole lines of b have all
 * LANES numbers there that may be read. */
typedef struct {
    gsize column;
    gsize last;
    gsize whole;
} Band;

typedef vector Tile[MAX_LINES][MAX_VECTORS];

ADIT_ALWAYS_INLINE vector
load_numbers(const real *from, gsize n)
{
    return n == LANES ? vector_load(from) : vector_load_part(from, n);
}

ADIT_ALWAYS_INLINE void
store_numbers(real *to, vector value, gsize n)
{
    if (n == LANES)
        vector_store(to, value);
    else
        vector_store_part(to, value, n);
}

/* Lines of a by fours: so they need few addresses. */
typedef const real *Fours[MAX_LINES / 4];

/* Adds the products of one line of b, the last vector of @last numbers. */
ADIT_ALWAYS_INLINE void
add_line(Tile sum, const Fours a, gsize k, gsize a_line, const real *b, gsize last, const gsize m,
         const gsize v)
{
    vector right[MAX_VECTORS];

#pragma GCC unroll 3
    for (gsize j = 0; j < v; j++)
        right[j] = j + 1 < v ? vector_load(b + j * LANES) : load_numbers(b + j * LANES, last);
#pragma GCC unroll 16
    for (gsize i = 0; i < m; i++) {
        vector left = vector_fill(a[i / 4][k + i % 4 * a_line]);

#pragma GCC unroll 3
        for (gsize j = 0; j < v; j++)
            sum[i][j] = VECTOR_FMA(left, right[j], sum[i][j]);
    }
}

/* Adds all products with lines of @a. */
ADIT_ALWAYS_INLINE void
add_lines(Tile sum, const Product *t, const Band *band, const real *a, const gsize m, const gsize v)
{
    const real *b = t->b + band->column;
    gsize step = t->b_step, a_line = t->a_line, k = 0;
    Fours fours;

#pragma GCC unroll 4
    for (gsize i = 0; i < m; i += 4) {
        fours[i / 4] = a + i * a_line;
        __asm__("" : "+r"(fours[i / 4]));
    }
    for (; k + 4 <= band->whole; k += 4) {
#pragma GCC unroll 4
        for (gsize i = 0; i < 4; i++, b += step)
            add_line(sum, fours, k + i, a_line, b, LANES, m, v);
    }
    for (; k < band->whole; k++, b += step)
        add_line(sum, fours, k, a_line, b, LANES, m, v);
    for (; k < t->depth; k++, b += step)
        add_line(sum, fours, k, a_line, b, band->last, m, v);
}

/* The same with what lies across lines of @a. */
ADIT_ALWAYS_INLINE void
add_across(Tile sum, const Product *t, const Band *band, const real *a, const gsize m,
           const gsize v)
{
    const real *b = t->b + band->column;
    gsize step = t->b_step, a_step = t->a_step, k = 0;

    for (; k + 2 <= band->whole; k += 2) {
#pragma GCC unroll 2
        for (gsize i = 0; i < 2; i++, a += a_step, b += step)
            add_line(sum, (Fours){a, a + 4, a + 8, a + 12}, 0, 1, b, LANES, m, v);
    }
    for (; k < band->whole; k++, a += a_step, b += step)
        add_line(sum, (Fours){a, a + 4, a + 8, a + 12}, 0, 1, b, LANES, m, v);
    for (; k < t->depth; k++, a += a_step, b += step)
        add_line(sum, (Fours){a, a + 4, a + 8, a + 12}, 0, 1, b, band->last, m, v);
}

ADIT_ALWAYS_INLINE void
begin(Tile sum, const Product *t, const real *out, gsize last, const gsize m, const gsize v)
{
#pragma GCC unroll 16
    for (gsize i = 0; i < m; i++, out += t->columns) {
#pragma GCC unroll 3
        for (gsize j = 0; j < v; j++)
            sum[i][j] = load_numbers(out + j * LANES, j + 1 < v ? LANES : last);
    }
}

ADIT_ALWAYS_INLINE void
add_addend(Tile sum, const Product *t, const real *addend, gsize last, const gsize m, const gsize v)
{
#pragma GCC unroll 16
    for (gsize i = 0; i < m; i++, addend += t->addend_step) {
#pragma GCC unroll 3
        for (gsize j = 0; j < v; j++) {
            sum[i][j] += load_numbers(addend + j * LANES, j + 1 < v ? LANES : last);
            if (t->relu)
                sum[i][j] = vector_relu(sum[i][j]);
        }
    }
}

ADIT_ALWAYS_INLINE void
finish(Tile sum, const Product *t, real *out, gsize last, const gsize m, const gsize v)
{
#pragma GCC unroll 16
    for (gsize i = 0; i < m; i++, out += t->columns) {
#pragma GCC unroll 3
        for (gsize j = 0; j < v; j++)
            store_numbers(out + j * LANES, sum[i][j], j + 1 < v ? LANES : last);
    }
}

/* @m lines of @v vectors from @line on. The last three are constants at every call. */
ADIT_ALWAYS_INLINE void
tile(const Product *t, const Band *band, gsize line, const gboolean across, const gsize m,
     const gsize v)
{
    Tile sum = {0};
    real *out = t->out + line * t->columns + band->column;

    if (across && t->accumulate)
        begin(sum, t, out, band->last, m, v);
    if (across)
        add_across(sum, t, band, t->a + line, m, v);
    else
        add_lines(sum, t, band, t->a + line * t->a_line, m, v);
    if (!across && t->addend != NULL)
        add_addend(sum, t, t->addend + line * t->addend_step + band->column, band->last, m, v);
    if (band->last == LANES)
        finish(sum, t, out, LANES, m, v);
    else
        finish(sum, t, out, band->last, m, v);
}

typedef void (*RunTile)(const Product *t, const Band *band, gsize line);

#define TILE(v, m)                                                                                 \
    static void tile_##v##_##m(const Product *t, const Band *band, gsize line)                     \
    {                                                                                              \
        tile(t, band, line, FALSE, m, v);                                                          \
    }
#define ACROSS(v, m)                                                                               \
    static void across_##v##_##m(const Product *t, const Band *band, gsize line)                   \
    {                                                                                              \
        tile(t, band, line, TRUE, m, v);                                                           \
    }

/* The sizes there are for each number of vectors: of lines a few, as there are many of them; across
 * them all, as few lines would wait for each sum. */
#define FEW_4(f, v)  f(v, 1) f(v, 2) f(v, 4)
#define FEW_6(f, v)  FEW_4(f, v) f(v, 6)
#define FEW_8(f, v)  FEW_4(f, v) f(v, 8)
#define FEW_16(f, v) FEW_8(f, v) f(v, 16)
#define ALL_4(f, v)  f(v, 1) f(v, 2) f(v, 3) f(v, 4)
#define ALL_6(f, v)  ALL_4(f, v) f(v, 5) f(v, 6)
#define ALL_8(f, v)  ALL_6(f, v) f(v, 7) f(v, 8)
#define ALL_12(f, v) ALL_8(f, v) f(v, 9) f(v, 10) f(v, 11) f(v, 12)
#define ALL_16(f, v) ALL_12(f, v) f(v, 13) f(v, 14) f(v, 15) f(v, 16)
#if defined __AVX512F__ || defined __aarch64__
#define TILES(f)        FEW_16(f, 1) FEW_8(f, 2) FEW_8(f, 3)
#define TILES_ACROSS(f) ALL_16(f, 1) ALL_12(f, 2) ALL_8(f, 3)
#define MOST_ACROSS                                                                                \
    {                                                                                              \
        16, 12, 8                                                                                  \
    }
#else
#define TILES(f)        FEW_8(f, 1) FEW_6(f, 2) FEW_4(f, 3)
#define TILES_ACROSS(f) ALL_8(f, 1) ALL_6(f, 2) ALL_4(f, 3)
#define MOST_ACROSS                                                                                \
    {                                                                                              \
        8, 6, 4                                                                                    \
    }
#endif
TILES(TILE)
TILES_ACROSS(ACROSS)

/* All lines of a band. */
static void
run_band(const Product *t, const Band *band, gsize v)
{
#define TILE_ENTRY(v, m) [v - 1][m] = tile_##v##_##m,
    static const RunTile tiles[MAX_VECTORS][MAX_LINES + 1] = {TILES(TILE_ENTRY)};
    gsize m = MAX_LINES;

    for (gsize line = 0; line < t->lines;) {
        while (m > t->lines - line || tiles[v - 1][m] == NULL)
            m--;
        tiles[v - 1][m](t, band, line);
        line += m;
    }
}

/* The same across a's lines, in tiles as equal as can be. */
static void
run_band_across(const Product *t, const Band *band, gsize v)
{
#define ACROSS_ENTRY(v, m) [v - 1][m] = across_##v##_##m,
    static const RunTile tiles[MAX_VECTORS][MAX_LINES + 1] = {TILES_ACROSS(ACROSS_ENTRY)};
    static const guint8 most[MAX_VECTORS] = MOST_ACROSS;
    guint left = (guint) t->lines, n = (left + most[v - 1] - 1) / most[v - 1];

    for (gsize line = 0; left > 0; n--) {
        guint m = (left + n - 1) / n;

        tiles[v - 1][m](t, band, line);
        line += m;
        left -= m;
    }
}

/* The product with a's lines, a_step 1, or across them, a_line 1. */
static void
multiply(const Product *t, gboolean across)
{
    gsize vectors = (t->columns + LANES - 1) / LANES;

    for (gsize first = 0, n; first < vectors; first += n) {
        gsize end;
        Band band = {first * LANES, LANES, t->depth};

        n = vectors - first;
        n = n > 4 || n == 3 ? 3 : MIN(n, 2);
        end = (first + n) * LANES;
        if (end > t->columns) {
            band.last = t->columns + LANES - end;
            band.whole = t->readable < end ? 0 : (t->readable - end) / t->b_step + 1;
            band.whole = MIN(band.whole, t->depth);
        }
        if (across)
            run_band_across(t, &band, n);
        else
            run_band(t, &band, n);
    }
}

/* LANES lines of @from, @step apart, as columns. */
ADIT_ALWAYS_INLINE void
transpose_block(const real *from, gsize step, gsize lines, gsize columns, real *to, gsize to_step)
{
    vector block[LANES];

#pragma GCC unroll 16
    for (gsize i = 0; i < LANES; i++)
        block[i] = i < lines ? load_numbers(from + i * step, columns) : (vector){0};
    vector_transpose(block);
#pragma GCC unroll 16
    for (gsize i = 0; i < LANES; i++) {
        if (i < columns)
            vector_store(to + i * to_step, block[i]);
    }
}

/* The transpose of b, [columns][depth], as [depth][columns padded to vectors] in scratch memory. */
static void
transpose(Product *t)
{
    gsize step = (t->columns + LANES - 1) / LANES * LANES;
    real *to = adit_scratch_get(t->depth * step * sizeof(real));

    for (gsize j = 0; j < t->columns; j += LANES) {
        for (gsize k = 0; k < t->depth; k += LANES)
            transpose_block(t->b + j * t->depth + k, t->depth, MIN(t->columns - j, LANES),
                            MIN(t->depth - k, LANES), to + k * step + j, step);
    }
    t->b = to;
    t->b_step = step;
    t->readable = t->depth * step;
}

/* The part of a product with a matrix that is the same for all of matmul's forms. */
static Product
make_product(const AditKernelCall *call)
{
    const AditMatmulAttributes *attributes = call->attributes;
    const AditShape *a = &call->inputs[0].shape;
    const AditShape *b = &call->inputs[1].shape;
    gsize depth = a->size[a->rank - 1];
    gsize columns = b->size[attributes->transpose_b ? 0 : 1];
    gsize count = call->output.count;
    Product product = {.lines = count == columns ? 1 : count / columns,
                       .columns = columns,
                       .depth = depth,
                       .a = call->inputs[0].data,
                       .a_line = depth,
                       .a_step = 1,
                       .b = call->inputs[1].data,
                       .b_step = columns,
                       .readable = depth * columns,
                       .out = call->output.data};

    if (call->output.rows)
        product.lines *= call->rows;
    if (attributes->transpose_b)
        transpose(&product);
    return product;
}

void
ADIT_KERNEL(matmul)(const AditKernelCall *call)
{
    Product product = make_product(call);

    multiply(&product, FALSE);
}

/* An addend without rows is the same for all: of one line, or of as many as a row has. */
static void
multiply_add(const AditKernelCall *call, gboolean relu)
{
    Product product = make_product(call);
    const AditView *addend = &call->inputs[2];
    gsize rows = call->output.rows ? call->rows : 1;

    product.addend = addend->data;
    product.relu = relu;
    if (addend->rows || rows == 1)
        product.addend_step = product.columns;
    if (addend->rows || rows == 1 || addend->count == product.columns) {
        multiply(&product, FALSE);
        return;
    }
    product.addend_step = product.columns;
    product.lines /= rows;
    for (gsize r = 0; r < rows; r++) {
        multiply(&product, FALSE);
        product.a += product.lines * product.depth;
        product.out += product.lines * product.columns;
    }
}

void
ADIT_KERNEL(matmul_add)(const AditKernelCall *call)
{
    multiply_add(call, FALSE);
}

void
ADIT_KERNEL(matmul_add_relu)(const AditKernelCall *call)
{
    multiply_add(call, TRUE);
}

/* The sum over r of a[r][i] b[r][j]: the product of a's transpose with b. */
void
ADIT_KERNEL(matmul_rows)(const AditKernelCall *call)
{
    gsize lines = call->output.shape.size[0];
    gsize columns = call->output.shape.size[1];
    const AditView *a = &call->inputs[0];
    gsize depth = (a->rows ? call->rows : 1) * (a->count == lines ? 1 : a->count / lines);
    Product product = {.lines = lines,
                       .columns = columns,
                       .depth = depth,
                       .a = a->data,
                       .a_line = 1,
                       .a_step = lines,
                       .b = call->inputs[1].data,
                       .b_step = columns,
                       .readable = depth * columns,
                       .out = call->output.data,
                       .accumulate = call->accumulate};

    multiply(&product, TRUE);
}
