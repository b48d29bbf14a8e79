/* core/ops/adit-attention.kernel.c - SPDX-License-Identifier: MIT */
#include "adit-lanes.h"
#include "adit-product.h"
#include "adit-vector-math.h"

/* Attention in tiles: a few queries beside all keys, whose weights are there for as long as they
 * are worked on and are computed again on the way back (Dao et al. 2022, section 3.1). A tile has
 * whole lines of scores, so that nothing of a line has to be kept either. */

/* Numbers of a tile; the way back has three. */
#define TILE 32768

/**
 * Attention:
 * @size: of a head, of @width numbers
 * @lines: queries of a tile
 * @rate, @factor: of dropout; @drops: there is any
 * @weights, @mask, @others: tiles: what @factor or 0 the weights are multiplied by, gradients
 */
typedef struct {
    const AditKernelCall *call;
    gsize tokens, width, heads, size, lines;
    gboolean drops;
    real rate, factor;
    real *weights, *mask, *others;
} Attention;

/**
 * Head: one head of one row.
 * @number: counted over all rows of the batch
 * @dy, @y: (nullable): on the way back
 * @out: the result; or the gradient of the queries, and of keys and values @apart behind it
 */
typedef struct {
    guint64 number;
    const real *query, *key, *value, *dy, *y;
    real *out;
    gsize apart;
} Head;

/* ---- weights ---- */

#define OTHER_LANE(d, l) (((l) ^ (d)) % (int) LANES)
/* Each lane with the one @d away. */
#define OTHER_LANES(x, d) __builtin_shufflevector(x, x, EACH_LANE(OTHER_LANE, d))

/* The greatest number and the sum of all lanes, in each of them, by halves. */
ADIT_ALWAYS_INLINE vector
greatest_lane(vector x)
{
    x = LANES > 8 ? vector_max(x, OTHER_LANES(x, 8)) : x;
    x = LANES > 4 ? vector_max(x, OTHER_LANES(x, 4)) : x;
    x = LANES > 2 ? vector_max(x, OTHER_LANES(x, 2)) : x;
    return vector_max(x, OTHER_LANES(x, 1));
}

ADIT_ALWAYS_INLINE vector
sum_of_lanes(vector x)
{
    x = LANES > 8 ? x + OTHER_LANES(x, 8) : x;
    x = LANES > 4 ? x + OTHER_LANES(x, 4) : x;
    x = LANES > 2 ? x + OTHER_LANES(x, 2) : x;
    return x + OTHER_LANES(x, 1);
}

/* In each lane. */
ADIT_ALWAYS_INLINE vector
greatest(gsize n, const real *x)
{
    vector top = vector_fill(x[0]);

    for (gsize i = 0; i + LANES <= n; i += LANES)
        top = vector_max(top, vector_load(x + i));
    if (n >= LANES)
        return greatest_lane(vector_max(top, vector_load(x + n - LANES)));
    for (gsize i = 1; i < n; i++)
        top = vector_max(top, vector_fill(x[i]));
    return top;
}

/* x = softmax(x) of a line. */
static void
weigh_line(gsize n, real *x)
{
    vector top = greatest(n, x), sum = {0}, factor;
    gsize i = 0;

    for (; i + LANES <= n; i += LANES) {
        vector weight = vector_exp(vector_load(x + i) - top);

        vector_store(x + i, weight);
        sum += weight;
    }
    if (i < n) {
        vector_store_part(x + i, vector_exp(vector_load_part(x + i, n - i) - top), n - i);
        sum += vector_load_part(x + i, n - i);
    }
    factor = 1 / sum_of_lanes(sum);
    for (i = 0; i + LANES <= n; i += LANES)
        vector_store(x + i, vector_load(x + i) * factor);
    if (i < n)
        vector_store_part(x + i, vector_load_part(x + i, n - i) * factor, n - i);
}

/* Those of @lines queries from @first on, before dropout. */
static void
weigh(const Attention *t, const Head *head, gsize first, gsize lines)
{
    Product product = {.lines = lines,
                       .columns = t->tokens,
                       .depth = t->size,
                       .a = head->query + first * t->width,
                       .a_line = t->width,
                       .a_step = 1,
                       .b = head->key,
                       .b_step = 1,
                       .b_column = t->width,
                       .out = t->weights};

    ADIT_KERNEL(large_product)(&product);
    for (gsize i = 0; i < lines; i++)
        weigh_line(t->tokens, t->weights + i * t->tokens);
}

/* What they are multiplied by, the numbers that dropout of all weights of the batch would draw:
 * @n, those from query @first on, are neighbours there. */
static void
draw_mask(const Attention *t, const Head *head, gsize first, gsize n)
{
    AditKernelCall noise = {.rows = n,
                            .first_row = (head->number * t->tokens + first) * t->tokens,
                            .step = t->call->step,
                            .key = t->call->key,
                            .output = {.data = t->mask, .rows = TRUE, .count = 1}};

    ADIT_KERNEL(noise_uniform)(&noise);
    for (gsize i = 0; i < n; i++)
        t->mask[i] = t->mask[i] >= t->rate ? t->factor : 0;
}

/* ---- forwards ---- */

static void
attend(const Attention *t, const Head *head, gsize first, gsize lines)
{
    gsize n = lines * t->tokens;
    Product product = {.lines = lines,
                       .columns = t->size,
                       .depth = t->tokens,
                       .a = t->weights,
                       .a_line = t->tokens,
                       .a_step = 1,
                       .b = head->value,
                       .b_step = t->width,
                       .out = head->out + first * t->width,
                       .out_line = t->width};

    weigh(t, head, first, lines);
    if (t->drops) {
        draw_mask(t, head, first, n);
        for (gsize i = 0; i < n; i++)
            t->weights[i] *= t->mask[i];
    }
    ADIT_KERNEL(large_product)(&product);
}

/* ---- backwards ---- */

/* Adds the product of the transpose of a tile with the lines of @b to @out. */
static void
add_transposed(const Attention *t, const real *tile, gsize first, gsize lines, const real *b,
               real *out)
{
    Product product = {.lines = t->tokens,
                       .columns = t->size,
                       .depth = lines,
                       .a = tile,
                       .a_line = 1,
                       .a_step = t->tokens,
                       .b = b + first * t->width,
                       .b_step = t->width,
                       .out = out,
                       .out_line = t->width,
                       .accumulate = first > 0};

    ADIT_KERNEL(large_product)(&product);
}

/* The gradient of the scores in @others; @dy, @y: of the first query. */
static void
differentiate(const Attention *t, const Head *head, gsize first, gsize lines)
{
    gsize n = t->tokens;
    Product product = {.lines = lines,
                       .columns = n,
                       .depth = t->size,
                       .a = head->dy + first * t->width,
                       .a_line = t->width,
                       .a_step = 1,
                       .b = head->value,
                       .b_step = 1,
                       .b_column = t->width,
                       .out = t->others};

    ADIT_KERNEL(large_product)(&product);
    for (gsize line = 0; line < lines; line++) {
        const real *dy = head->dy + (first + line) * t->width;
        const real *y = head->y + (first + line) * t->width;
        const real *weights = t->weights + line * n, *mask = t->mask + line * n;
        real *others = t->others + line * n;
        real mean = LANES_SUM(t->size, dy[i] * y[i]); /* of the gradients by the weights */

        for (gsize i = 0; t->drops && i < n; i++)
            others[i] *= mask[i];
        for (gsize i = 0; i < n; i++)
            others[i] = weights[i] * (others[i] - mean);
    }
}

static void
attend_back(const Attention *t, const Head *head, gsize first, gsize lines)
{
    gsize n = lines * t->tokens;
    const real *kept = t->weights;
    Product product = {.lines = lines,
                       .columns = t->size,
                       .depth = t->tokens,
                       .a = t->others,
                       .a_line = t->tokens,
                       .a_step = 1,
                       .b = head->key,
                       .b_step = t->width,
                       .out = head->out + first * t->width,
                       .out_line = t->width};

    weigh(t, head, first, lines);
    if (t->drops) {
        draw_mask(t, head, first, n);
        for (gsize i = 0; i < n; i++)
            t->others[i] = t->weights[i] * t->mask[i];
        kept = t->others;
    }
    add_transposed(t, kept, first, lines, head->dy, head->out + 2 * head->apart);
    differentiate(t, head, first, lines);
    ADIT_KERNEL(large_product)(&product);
    add_transposed(t, t->others, first, lines, head->query, head->out + head->apart);
}

/* ---- calls ---- */

/* Queries of a tile: as many in each, but the last, and by eights. */
static gsize
count_lines(gsize tokens)
{
    gsize tiles = (tokens * tokens + TILE - 1) / TILE;
    gsize lines = (tokens + tiles - 1) / tiles;

    return MIN((lines + 7) / 8 * 8, tokens);
}

typedef void (*RunTile)(const Attention *t, const Head *head, gsize first, gsize lines);

static void
run_heads(const AditKernelCall *call, RunTile run)
{
    const AditAttentionAttributes *attributes = call->attributes;
    gsize tokens = attributes->tokens, width = call->inputs[0].shape.size[1];
    gsize lines = count_lines(tokens), tile = (lines * tokens + LANES - 1) / LANES * LANES;
    gboolean is_back = call->n_inputs > 3;
    real *tiles = adit_scratch_get(3 * tile * sizeof(real));
    Attention attention = {.call = call,
                           .tokens = tokens,
                           .width = width,
                           .heads = attributes->heads,
                           .size = width / attributes->heads,
                           .lines = lines,
                           .drops = attributes->dropout > 0,
                           .rate = (real) attributes->dropout,
                           .factor = 1 / (1 - (real) attributes->dropout),
                           .weights = tiles,
                           .mask = tiles + tile,
                           .others = tiles + 2 * tile};

    for (gsize i = 0; i < call->rows * attributes->heads; i++) {
        gsize row = i / attributes->heads, at = i % attributes->heads * attention.size;
        Head head = {.number = call->first_row * attributes->heads + i,
                     .query = call_row(call, 0, row) + at,
                     .key = call_row(call, 1, row) + at,
                     .value = call_row(call, 2, row) + at,
                     .dy = is_back ? call_row(call, 3, row) + at : NULL,
                     .y = is_back ? call_row(call, 4, row) + at : NULL,
                     .out = (real *) call->output.data + row * call->output.count + at,
                     .apart = tokens * width};

        for (gsize first = 0; first < tokens; first += lines)
            run(&attention, &head, first, MIN(lines, tokens - first));
    }
}

void
ADIT_KERNEL(attention)(const AditKernelCall *call)
{
    run_heads(call, attend);
}

void
ADIT_KERNEL(attention_gradient)(const AditKernelCall *call)
{
    run_heads(call, attend_back);
}
