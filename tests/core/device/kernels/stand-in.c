/* tests/core/device/kernels/stand-in.c - SPDX-License-Identifier: MIT */
#include <adit/adit-convolver.h>

#include <gmodule.h>

/* A library for test-convolver.c that gives seven times the first weight, which it wants negated,
 * and gradients of weights that grow from one weight to the next, which it leaves back to front; or
 * does as the environment's STAND_IN says: it is of another version, keeps to no instruction set,
 * takes nothing, fails, or is called newer. */

static gboolean
is_told(const char *what)
{
    return g_strcmp0(g_getenv("STAND_IN"), what) == 0;
}

static const char *
describe(void)
{
    return is_told("newer") ? "stand-in 1.1" : "stand-in 1.0";
}

static gboolean
limit(const char *isa)
{
    return !is_told("no-isa");
}

/* @image, @result: elements of x and of y */
typedef struct {
    AditConvolver head;
    gsize weights;
    gsize image;
    gsize result;
} StandIn;

static gsize
count_elements(const gsize *size)
{
    return size[0] * size[1] * size[2];
}

static AditConvolver *
prepare(const AditConvolution *convolution, AditConvolutionKind kind)
{
    StandIn *self;

    if (kind == ADIT_CONVOLUTION_BACK || is_told("nothing"))
        return NULL;
    self = g_new0(StandIn, 1);
    self->weights = convolution->result[2] * convolution->image[2] / convolution->groups *
                    convolution->window.size[0] * convolution->window.size[1];
    self->image = count_elements(convolution->image);
    self->result = count_elements(convolution->result);
    self->head.kind = kind;
    self->head.packed_bytes = self->weights * sizeof(float);
    self->head.scratch_bytes = 20; /* no whole line */
    return &self->head;
}

static void
stand_in_free(AditConvolver *self)
{
    g_free(self);
}

static gboolean
is_aligned(const void *memory)
{
    return (guintptr) memory % 64 == 0;
}

static gboolean
pack(AditConvolver *convolver, const float *weights, void *packed)
{
    StandIn *self = (StandIn *) convolver;

    for (gsize i = 0; i < self->weights; i++) {
        if (self->head.kind == ADIT_CONVOLUTION_ROWS)
            ((float *) packed)[self->weights - 1 - i] = weights[i];
        else
            ((float *) packed)[i] = -weights[i];
    }
    return is_aligned(packed) && !is_told("no-pack");
}

static gboolean
unpack(AditConvolver *convolver, const void *packed, float *weights)
{
    StandIn *self = (StandIn *) convolver;

    for (gsize i = 0; i < self->weights; i++)
        weights[i] = ((const float *) packed)[self->weights - 1 - i];
    return is_aligned(packed) && !is_told("no-unpack");
}

/* Of weight i: i + 1 times what the first numbers of x and dy give. */
static gboolean
run_rows(const StandIn *self, gsize n, const float *x, const float *dy, float *sum,
         gboolean accumulate)
{
    float product = 0;

    for (gsize r = 0; r < n; r++)
        product += x[r * self->image] * dy[r * self->result];
    for (gsize i = 0; i < self->weights; i++) {
        float *at = &sum[self->weights - 1 - i];

        *at = product * (float) (i + 1) + (accumulate ? *at : 0);
    }
    return is_aligned(sum);
}

/* Else seven times the first weight. */
static gboolean
run(AditConvolver *convolver, gsize n, const float *first, const void *second, void *result,
    gboolean accumulate, void *scratch)
{
    StandIn *self = (StandIn *) convolver;

    if (self->head.kind == ADIT_CONVOLUTION_ROWS)
        return run_rows(self, n, first, second, result, accumulate) && is_aligned(scratch) &&
               !is_told("no-run");
    for (gsize i = 0; i < n * self->result; i++)
        ((float *) result)[i] = -7 * ((const float *) second)[0];
    return is_aligned(second) && is_aligned(scratch) && !is_told("no-run");
}

G_MODULE_EXPORT AditConvolvers adit_convolvers = {
    .version = ADIT_CONVOLVERS_VERSION,
    .describe = describe,
    .limit = limit,
    .prepare = prepare,
    .free = stand_in_free,
    .pack = pack,
    .unpack = unpack,
    .run = run,
};

/* Before the core looks. */
__attribute__((constructor)) static void
begin(void)
{
    if (is_told("old"))
        adit_convolvers.version = 0;
}
