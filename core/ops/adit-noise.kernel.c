/* core/ops/adit-noise.kernel.c - SPDX-License-Identifier: MIT */
#include <tgmath.h>

#include "adit-kernel.h"
#include "adit-philox.h"

/* Element e of the batch, counted over its rows, takes word e % 4 of block (e / 4, step). */

typedef void (*Draw)(const guint32 *words, real *values);

ADIT_ALWAYS_INLINE void
fill(const AditKernelCall *call, Draw draw)
{
    guint64 e = (guint64) call->first_row * call->output.count;
    guint64 end = e + call_count(call);
    real *out = call->output.data;

    while (e < end) {
        guint32 words[4] = {(guint32) (e / 4), (guint32) (e / 4 >> 32), (guint32) call->step,
                            (guint32) (call->step >> 32)};
        real values[4];
        guint first = e % 4, n = (guint) MIN(4 - first, end - e);

        adit_philox(words, call->key, words);
        draw(words, values);
        memcpy(out, values + first, n * sizeof(real));
        out += n;
        e += n;
    }
}

static void
draw_uniform(const guint32 *words, real *values)
{
    for (guint i = 0; i < 4; i++)
        values[i] = (real) adit_uniform(words[i]);
}

/* Box and Muller 1958: a pair of uniforms gives a pair of normals. */
static void
draw_normal(const guint32 *words, real *values)
{
    for (guint i = 0; i < 4; i += 2) {
        real radius = sqrt(K(-2) * log((real) adit_uniform(words[i])));
        real angle = K(2 * G_PI) * (real) adit_uniform(words[i + 1]);

        values[i] = radius * cos(angle);
        values[i + 1] = radius * sin(angle);
    }
}

void
ADIT_KERNEL(noise_uniform)(const AditKernelCall *call)
{
    fill(call, draw_uniform);
}

void
ADIT_KERNEL(noise_normal)(const AditKernelCall *call)
{
    fill(call, draw_normal);
}
