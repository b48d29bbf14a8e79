/* core/ops/adit-matmul-held.kernel.c - SPDX-License-Identifier: MIT */
#include "adit-tile.h"

/* Products with so few lines of one vector that all of b stays in registers. Every multiply-add
 * then reads one number of a and nothing else: a processor reads no more in the time of one. */

#if defined __AVX512F__

/* Of the result, at once. */
#define HELD_LINES 8

/* @n lines of the result from @line on. @n and @depth are constants at every call, and so is
 * @columns, if it is LANES. */
ADIT_ALWAYS_INLINE void
held_lines(const Product *t, const vector *b, vector addend, gsize line, gsize columns,
           const gsize n, const gsize depth)
{
    const real *a = t->a + line * depth;
    gsize first = line * columns;
    vector sum[HELD_LINES] = {0};

#pragma GCC unroll 16
    for (gsize k = 0; k < depth; k++) {
#pragma GCC unroll 8
        for (gsize i = 0; i < n; i++)
            sum[i] = VECTOR_FMA(vector_fill(a[i * depth + k]), b[k], sum[i]);
    }
    if (t->addend != NULL) {
#pragma GCC unroll 8
        for (gsize i = 0; i < n; i++)
            sum[i] += addend;
    }
    if (t->addend != NULL && t->relu) {
#pragma GCC unroll 8
        for (gsize i = 0; i < n; i++)
            sum[i] = vector_relu(sum[i]);
    }
#pragma GCC unroll 8
    for (gsize i = 0; i < n; i++)
        vector_store_some(t->out + first + i * columns, sum[i], columns);
    if (t->total == NULL)
        return;
#pragma GCC unroll 8
    for (gsize i = 0; i < n; i++, first += columns)
        vector_store_some(t->total + first, vector_load_some(t->collect + first, columns) + sum[i],
                          columns);
}

ADIT_ALWAYS_INLINE void
run_held(const Product *given, gsize columns, const gsize depth)
{
    const Product t = *given;
    vector b[MAX_LINES], addend = {0};
    gsize line = 0;

    if (t.addend != NULL)
        addend = vector_load_some(t.addend, columns);
#pragma GCC unroll 16
    for (gsize k = 0; k < depth; k++)
        b[k] = vector_load_some(t.b + k * t.b_step, columns);
    for (; line + HELD_LINES <= t.lines; line += HELD_LINES)
        held_lines(&t, b, addend, line, columns, HELD_LINES, depth);
    for (; line < t.lines; line++)
        held_lines(&t, b, addend, line, columns, 1, depth);
}

typedef void (*RunHeld)(const Product *t);

#define HELD(v, m)                                                                                 \
    static void held_##m(const Product *t)                                                         \
    {                                                                                              \
        if (t->columns == LANES)                                                                   \
            run_held(t, LANES, m);                                                                 \
        else                                                                                       \
            run_held(t, t->columns, m);                                                            \
    }
#define HELD_ENTRY(v, m) [m] = held_##m,
ALL_16(HELD, 1)

gboolean
ADIT_KERNEL(multiply_held)(const Product *t)
{
    static const RunHeld depths[MAX_LINES + 1] = {ALL_16(HELD_ENTRY, 1)};

    if (t->columns > LANES || t->depth > MAX_LINES || depths[t->depth] == NULL ||
        t->a_line != t->depth || t->further != NULL || (t->addend != NULL && t->addend_step != 0))
        return FALSE;
    depths[t->depth](t);
    return TRUE;
}

#else

/* There are too few registers. */
gboolean
ADIT_KERNEL(multiply_held)(const Product *t)
{
    return FALSE;
}

#endif
