/* core/ops/adit-matmul.kernel.c - SPDX-License-Identifier: MIT */
#include "adit-tile.h"

/* Columns of a product: @vectors, the last of @last numbers; the first @whole lines of b have all
 * LANES numbers there that may be read. */
typedef struct {
    gsize column;
    gsize last;
    gsize whole;
} Band;

/* Lines of a by fours: so that few addresses do for them. */
typedef const real *Fours[MAX_LINES / 4];

/* Adds the products of one line of b, the last vector of @last numbers. */
ADIT_ALWAYS_INLINE void
add_line(Tile sum, const Fours a, const gsize *a_line, const real *b, gsize last, const gsize m,
         const gsize v)
{
    vector right[MAX_VECTORS];

#pragma GCC unroll 3
    for (gsize j = 0; j < v; j++)
        right[j] = j + 1 < v ? vector_load(b + j * LANES) : vector_load_some(b + j * LANES, last);
#pragma GCC unroll 16
    for (gsize i = 0; i < m; i++) {
        vector left = vector_fill(a[i / 4][a_line[i % 4]]);

#pragma GCC unroll 3
        for (gsize j = 0; j < v; j++)
            sum[i][j] = VECTOR_FMA(left, right[j], sum[i][j]);
    }
}

/* Adds the products of @n lines of @b, the last vector of @last numbers, to those of lines of a;
 * moves all pointers on. */
ADIT_ALWAYS_INLINE const real *
add_lines(Tile sum, Fours a, gsize a_line, const real *b, gsize b_step, gsize n, gsize last,
          const gsize m, const gsize v)
{
    gsize three = 3 * a_line;

    KEEP(three);
    for (gsize k = 0; k < n; k++, b += b_step) {
        add_line(sum, a, (gsize[]){0, a_line, 2 * a_line, three}, b, last, m, v);
#pragma GCC unroll 4
        for (gsize i = 0; i < m; i += 4) {
            a[i / 4]++;
            KEEP(a[i / 4]);
        }
    }
    return b;
}

/* The same with what lies across lines of @a, @a_step apart. */
ADIT_ALWAYS_INLINE void
add_across(Tile sum, const real *a, gsize a_step, const real *b, gsize b_step, gsize n, gsize last,
           const gsize m, const gsize v)
{
    for (gsize k = 0; k < n; k++, a += a_step, b += b_step)
        add_line(sum, (Fours){a, a + 4, a + 8, a + 12}, (gsize[]){0, 1, 2, 3}, b, last, m, v);
}

ADIT_ALWAYS_INLINE void
add_addend(Tile sum, const real *addend, gsize step, gboolean relu, gsize last, const gsize m,
           const gsize v)
{
#pragma GCC unroll 16
    for (gsize i = 0; i < m; i++, addend += step) {
#pragma GCC unroll 3
        for (gsize j = 0; j < v; j++) {
            sum[i][j] += vector_load_some(addend + j * LANES, j + 1 < v ? LANES : last);
            if (relu)
                sum[i][j] = vector_relu(sum[i][j]);
        }
        KEEP(addend);
    }
}

ADIT_ALWAYS_INLINE void
collect_sum(Tile sum, const real *collect, real *total, gsize step, gsize last, const gsize m,
            const gsize v)
{
#pragma GCC unroll 16
    for (gsize i = 0; i < m; i++, collect += step, total += step) {
#pragma GCC unroll 3
        for (gsize j = 0; j < v; j++) {
            gsize n = j + 1 < v ? LANES : last;

            vector_store_some(total + j * LANES,
                              vector_load_some(collect + j * LANES, n) + sum[i][j], n);
        }
    }
}

/* As many tiles of @m lines of @v vectors as there are from @line on. Gives the line after them. @m
 * and @v are constants at every call. What is read of @t is read once: stores might change it. */
ADIT_ALWAYS_INLINE gsize
tiles(const Product *t, const Band *band, gsize line, const gsize m, const gsize v)
{
    gsize lines = t->lines, last = band->last, whole = band->whole, part = t->depth - whole;
    gsize a_line = t->a_line, b_step = t->b_step, columns = t->columns;
    gsize addend_step = t->addend_step;
    const real *a = t->a + line * a_line;
    const real *b = t->b + band->column;
    const real *addend = t->addend == NULL ? NULL : t->addend + line * addend_step + band->column;
    real *out = t->out + line * columns + band->column;
    gboolean relu = t->relu;

    for (; line + m <= lines; line += m) {
        Tile sum = {0};
        Fours fours;
        const real *rest;

#pragma GCC unroll 4
        for (gsize i = 0; i < m; i += 4)
            fours[i / 4] = a + i * a_line;
        rest = add_lines(sum, fours, a_line, b, b_step, whole, LANES, m, v);
        if (part > 0)
            add_lines(sum, fours, a_line, rest, b_step, part, last, m, v);
        if (addend != NULL) {
            add_addend(sum, addend, addend_step, relu, last, m, v);
            addend += m * addend_step;
        }
        if (t->further != NULL)
            add_addend(sum, t->further + line * columns + band->column, columns, FALSE, last, m, v);
        if (last == LANES)
            finish(sum, out, columns, LANES, m, v);
        else
            finish(sum, out, columns, last, m, v);
        if (t->total != NULL) {
            gsize first = line * columns + band->column;

            collect_sum(sum, t->collect + first, t->total + first, columns, last, m, v);
        }
        a += m * a_line;
        out += m * columns;
    }
    return line;
}

/* The same across a's lines, of a single tile. */
ADIT_ALWAYS_INLINE void
tile_across(const Product *t, const Band *band, gsize line, const gsize m, const gsize v)
{
    Tile sum = {0};
    gsize columns = t->columns, last = band->last, whole = band->whole, part = t->depth - whole;
    gsize a_step = t->a_step, b_step = t->b_step;
    const real *a = t->a + line, *b = t->b + band->column;
    real *out = t->out + line * columns + band->column;

    if (t->accumulate)
        begin(sum, out, columns, last, m, v);
    add_across(sum, a, a_step, b, b_step, whole, LANES, m, v);
    if (part > 0)
        add_across(sum, a + whole * a_step, a_step, b + whole * b_step, b_step, part, last, m, v);
    if (last == LANES)
        finish(sum, out, columns, LANES, m, v);
    else
        finish(sum, out, columns, last, m, v);
}

typedef gsize (*RunTiles)(const Product *t, const Band *band, gsize line);
typedef void (*RunTile)(const Product *t, const Band *band, gsize line);

#define TILE(v, m)                                                                                 \
    static gsize tiles_##v##_##m(const Product *t, const Band *band, gsize line)                   \
    {                                                                                              \
        return tiles(t, band, line, m, v);                                                         \
    }
#define ACROSS(v, m)                                                                               \
    static void across_##v##_##m(const Product *t, const Band *band, gsize line)                   \
    {                                                                                              \
        tile_across(t, band, line, m, v);                                                          \
    }

/* The sizes there are for each number of vectors: of lines a few, as there are many of them; across
 * them all, as few lines would wait for each sum. */
#define FEW_4(f, v)  f(v, 1) f(v, 2) f(v, 4)
#define FEW_6(f, v)  FEW_4(f, v) f(v, 6)
#define FEW_8(f, v)  FEW_4(f, v) f(v, 8)
#define FEW_16(f, v) FEW_8(f, v) f(v, 16)
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
#define TILE_ENTRY(v, m) [v - 1][m] = tiles_##v##_##m,
    static const RunTiles sizes[MAX_VECTORS][MAX_LINES + 1] = {TILES(TILE_ENTRY)};
    gsize line = 0;

    for (gsize m = MAX_LINES; line < t->lines; m--) {
        if (line + m <= t->lines && sizes[v - 1][m] != NULL)
            line = sizes[v - 1][m](t, band, line);
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

void
ADIT_KERNEL(multiply)(const Product *t, gboolean across)
{
    gsize vectors = (t->columns + LANES - 1) / LANES;

    if (t->b_column > 1 || product_is_large(t)) {
        ADIT_KERNEL(large_product)(t);
        return;
    }
    if (!across && ADIT_KERNEL(multiply_held)(t))
        return;
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

/* The transpose of @from, [@columns][@depth], with lines @step numbers apart. Lines may be written
 * up to the next full vector. */
static void
transpose_to(const real *from, gsize columns, gsize depth, real *to, gsize step)
{
    for (gsize j = 0; j < columns; j += LANES) {
        for (gsize k = 0; k < depth; k += LANES)
            transpose_block(from + j * depth + k, depth, MIN(columns - j, LANES),
                            MIN(depth - k, LANES), to + k * step + j, step, LANES);
    }
}

/* The transpose of b, [columns][depth], as [depth][columns padded to vectors] in scratch memory. */
static void
transpose(Product *t)
{
    gsize step = (t->columns + LANES - 1) / LANES * LANES;
    real *to = adit_scratch_get(t->depth * step * sizeof(real));

    transpose_to(t->b, t->columns, t->depth, to, step);
    t->b = to;
    t->b_step = step;
    t->b_column = 1;
    t->readable = t->depth * step;
}

/* A matrix, transposed. */
void
ADIT_KERNEL(matmul_transpose)(const AditKernelCall *call)
{
    gsize rows = call->inputs[0].shape.size[0], columns = call->inputs[0].shape.size[1];
    gsize step = (rows + LANES - 1) / LANES * LANES;
    const real *from = call->inputs[0].data;
    real *to = call->output.data;

    if (step == rows) {
        transpose_to(from, rows, columns, to, rows);
        return;
    }
    for (gsize i = 0; i < columns; i++) {
        for (gsize j = 0; j < rows; j++)
            to[i * rows + j] = from[j * columns + i];
    }
}

/* The part of a product with a matrix that is the same for all of matmul's forms. */
ADIT_ALWAYS_INLINE void
product_init(Product *self, const AditKernelCall *call)
{
    const AditMatmulAttributes *attributes = call->attributes;
    const AditShape *a = &call->inputs[0].shape;
    const AditShape *b = &call->inputs[1].shape;
    gsize depth = a->size[a->rank - 1];
    gsize columns = b->size[attributes->transpose_b ? 0 : 1];
    gsize count = call->output.count;

    self->lines = count == columns ? 1 : count / columns;
    if (call->output.rows)
        self->lines *= call->rows;
    self->columns = columns;
    self->depth = depth;
    self->a = call->inputs[0].data;
    self->a_line = depth;
    self->a_step = 1;
    self->b = call->inputs[1].data;
    self->b_step = attributes->transpose_b ? 1 : columns;
    self->b_column = attributes->transpose_b ? depth : 1;
    self->readable = depth * columns;
    self->out = call->output.data;
    self->out_line = 0;
    self->addend = NULL;
    self->further = NULL;
    self->total = NULL;
    self->accumulate = FALSE;
    if (attributes->transpose_b && !product_is_large(self))
        transpose(self);
}

void
ADIT_KERNEL(matmul)(const AditKernelCall *call)
{
    Product product;

    if (call->pitch != 0) {
        ADIT_KERNEL(pitched_matmul)(call, FALSE);
        return;
    }
    product_init(&product, call);
    ADIT_KERNEL(multiply)(&product, FALSE);
}

/* An addend without rows is the same for all: of one line, or of as many as a row has. @collects:
 * besides, inputs[3] plus the result becomes inputs[4]; else inputs[3], if there is one, is a
 * further addend, with rows. */
static void
multiply_add(const AditKernelCall *call, gboolean relu, gboolean collects)
{
    Product product;
    const AditView *addend = &call->inputs[2];
    gsize rows = call->output.rows ? call->rows : 1;

    if (call->pitch != 0) {
        ADIT_KERNEL(pitched_matmul)(call, relu);
        return;
    }
    product_init(&product, call);
    product.addend = addend->data;
    product.addend_step = addend->rows ? product.columns : 0;
    product.relu = relu;
    product.further = !collects && call->n_inputs > 3 ? call->inputs[3].data : NULL;
    product.collect = collects ? call->inputs[3].data : NULL;
    product.total = collects ? call->inputs[4].data : NULL;
    if (addend->rows || addend->count == product.columns) {
        ADIT_KERNEL(multiply)(&product, FALSE);
        return;
    }
    product.addend_step = product.columns;
    product.lines /= rows;
    for (gsize r = 0; r < rows; r++) {
        ADIT_KERNEL(multiply)(&product, FALSE);
        product.a += product.lines * product.depth;
        product.out += product.lines * product.columns;
        product.further += product.further != NULL ? call->output.count : 0;
        product.collect += collects ? call->output.count : 0;
        product.total += collects ? call->output.count : 0;
    }
}

void
ADIT_KERNEL(matmul_add)(const AditKernelCall *call)
{
    multiply_add(call, FALSE, FALSE);
}

void
ADIT_KERNEL(matmul_add_relu)(const AditKernelCall *call)
{
    multiply_add(call, TRUE, FALSE);
}

/* Inputs: a, b, an addend, and with rows what the result is added to besides; that sum is the
 * further result. */
void
ADIT_KERNEL(matmul_add_relu_add)(const AditKernelCall *call)
{
    multiply_add(call, TRUE, TRUE);
}

/* The sum over r of a[r][i] b[r][j]: the product of a's transpose with b. */
void
ADIT_KERNEL(matmul_rows)(const AditKernelCall *call)
{
    gsize lines = call->output.shape.size[0];
    gsize columns = call->output.shape.size[1];
    const AditView *a = &call->inputs[0];
    Product product = {.a_line = 1, .b_column = 1};

    if (call->pitch != 0) {
        ADIT_KERNEL(pitched_matmul_rows)(call);
        return;
    }
    product.lines = lines;
    product.columns = columns;
    product.depth = (a->rows ? call->rows : 1) * (a->count == lines ? 1 : a->count / lines);
    product.a = a->data;
    product.a_step = lines;
    product.b = call->inputs[1].data;
    product.b_step = columns;
    product.readable = product.depth * columns;
    product.out = call->output.data;
    product.accumulate = call->accumulate;
    ADIT_KERNEL(multiply)(&product, TRUE);
}
