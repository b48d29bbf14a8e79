/* tests/bench/kernels.c - SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "adit-attributes.h"
#include "adit-kernels.h"
#include "adit-rates.h"

/* Speed of the kernels of thin layers on one core, for panels as they go through a network: of
 * products as a share of the measured peak of fused multiply-adds, of the others in cycles of it (a
 * cycle: the time of the peak's two fused multiply-adds of whole vectors). Rows with a bar are of
 * operands that lie feature by feature. Behind them the products of wide layers, of 16 rows of 65
 * tokens: forward, by the input with the weights transposed and as they are, by the weights. Run it
 * alone on a core (taskset -c 1 ...); arguments name the instruction sets. */

#define MAX_ROWS  128
#define MAX_WIDTH 64
/* Numbers of a panel's memory. Panels do not begin at like places of pages: there a load waits for
 * a store a little before it. */
#define PANEL (MAX_ROWS * MAX_WIDTH + 336)

/* Layers that are thin enough to be measured feature by feature, too. */
#define MAX_THIN 16

typedef struct {
    AditIsa isa;
    gboolean pitched;
    double peak;
    float *x, *y, *z, *w;
} Bench;

/* Seconds of a call, the best of 60 rounds of @at_once or more. */
static double
time_call(const char *name, AditIsa isa, const AditKernelCall *call, guint at_once)
{
    AditKernel kernel = adit_kernel_find(name, isa, FALSE);
    double best = G_MAXDOUBLE;

    for (guint round = 0; round < 60; round++) {
        gint64 begin = g_get_monotonic_time(), end = begin;
        guint n = 0;

        for (; end - begin < 300; end = g_get_monotonic_time()) {
            for (guint i = 0; i < at_once; i++, n++)
                kernel(call);
        }
        best = MIN(best, 1e-6 * (double) (end - begin) / n);
    }
    return best;
}

static float *
make_numbers(gsize n)
{
    float *data = aligned_alloc(64, n * sizeof(float));

    for (gsize i = 0; i < n; i++)
        data[i] = (float) (i % 17) / 17 - 0.5f;
    return data;
}

static void
print_share(const Bench *self, const char *name, gsize rows, gsize width,
            const AditKernelCall *call)
{
    double flop = 2 * (double) (rows * width * width);
    double seconds = time_call(name, self->isa, call, 64);

    g_print(" %6.1f", 100 * flop / seconds / self->peak);
}

static AditKernelCall
make_call(const Bench *self, gsize rows, gsize width)
{
    AditView panel = {self->x, TRUE, ADIT_SHAPE(width), width};
    AditKernelCall call = {
        .rows = rows, .batch_rows = rows, .pitch = self->pitched ? rows : 0, .n_inputs = 2};

    call.inputs[0] = call.inputs[1] = call.output = panel;
    call.inputs[1].data = self->y;
    call.output.data = self->z;
    return call;
}

static void
measure_products(const Bench *self, gsize rows, gsize width)
{
    static const AditMatmulAttributes plain = {FALSE}, transposed = {TRUE};
    AditView weights = {self->w, FALSE, ADIT_SHAPE(width, width), width * width};
    AditView bias = {self->w, FALSE, ADIT_SHAPE(width), width};
    AditKernelCall call = make_call(self, rows, width);

    g_print("%-8s%c %4" G_GSIZE_FORMAT " %5" G_GSIZE_FORMAT, adit_isa_get_name(self->isa),
            self->pitched ? '|' : ' ', rows, width);
    call.inputs[1] = weights;
    call.inputs[2] = bias;
    call.attributes = &plain;
    print_share(self, "matmul", rows, width, &call);
    call.n_inputs = 3;
    print_share(self, "matmul-add-relu", rows, width, &call);
    call.n_inputs = 2;
    call.attributes = &transposed;
    print_share(self, "matmul", rows, width, &call);
    call = make_call(self, rows, width);
    call.output = weights;
    print_share(self, "matmul-rows", rows, width, &call);
    call.accumulate = TRUE;
    print_share(self, "matmul-rows", rows, width, &call);
}

static void
measure_others(const Bench *self, gsize rows, gsize width)
{
    static const struct {
        const char *name;
        guint n_inputs;
        gboolean bias;
        gboolean over_rows;
    } kernels[] = {{"add", 2, FALSE, FALSE},  {"add", 2, TRUE, FALSE},
                   {"relu", 1, FALSE, FALSE}, {"relu-gradient", 2, FALSE, FALSE},
                   {"copy", 1, FALSE, FALSE}, {"rows-sum", 1, FALSE, TRUE}};
    const double lanes[ADIT_N_ISAS] = {4, 8, 16, 4};

    for (guint i = 0; i < G_N_ELEMENTS(kernels); i++) {
        AditKernelCall call = make_call(self, rows, width);

        call.n_inputs = kernels[i].n_inputs;
        call.inputs[1].rows = !kernels[i].bias;
        call.output.rows = !kernels[i].over_rows;
        g_print(" %6.0f", time_call(kernels[i].name, self->isa, &call, 64) * self->peak /
                              (4 * lanes[self->isa]));
    }
    g_print("\n");
}

/* Of layers of @from to @to numbers. */
static void
measure_large(const Bench *self, gsize from, gsize to)
{
    static const AditMatmulAttributes plain = {FALSE}, transposed = {TRUE};
    const gsize rows = 16, tokens = 65;
    g_autofree float *numbers = make_numbers(rows * tokens * (from + to) + from * to);
    AditView x = {numbers, TRUE, ADIT_SHAPE(tokens, from), tokens * from};
    AditView y = {numbers + rows * x.count, TRUE, ADIT_SHAPE(tokens, to), tokens * to};
    AditView w = {(float *) y.data + rows * y.count, FALSE, ADIT_SHAPE(from, to), from * to};
    AditView back = {w.data, FALSE, ADIT_SHAPE(to, from), from * to};
    const AditKernelCall calls[] = {
        {.attributes = &plain, .inputs = {x, w}, .output = y},
        {.attributes = &plain, .inputs = {y, back}, .output = x},
        {.attributes = &transposed, .inputs = {y, w}, .output = x},
        {.inputs = {x, y}, .output = w},
    };

    g_print("%-8s %5" G_GSIZE_FORMAT " to %5" G_GSIZE_FORMAT, adit_isa_get_name(self->isa), from,
            to);
    for (guint i = 0; i < G_N_ELEMENTS(calls); i++) {
        AditKernelCall call = calls[i];
        const char *name = call.attributes != NULL ? "matmul" : "matmul-rows";
        double flop = 2 * (double) (rows * tokens * from * to);

        call.rows = call.batch_rows = rows;
        call.n_inputs = 2;
        g_print(" %6.1f", 100 * flop / time_call(name, self->isa, &call, 1) / self->peak);
    }
    g_print("\n");
}

static void
measure(AditIsa isa)
{
    static const gsize widths[] = {3, 8, 14, 16, 25, 32, 64};
    Bench self = {.isa = isa, .peak = adit_rates_measure_fma(isa, 1, 0.1)};

    self.x = make_numbers(3 * PANEL + MAX_WIDTH * MAX_WIDTH);
    self.y = self.x + PANEL;
    self.z = self.y + PANEL;
    self.w = self.z + PANEL;
    g_print("%s: peak %.1f GFLOP/s\n", adit_isa_get_name(isa), 1e-9 * self.peak);
    g_print("%-9s %4s %5s %6s %6s %6s %6s %6s  %6s %6s %6s %6s %6s %6s\n", "", "rows", "width",
            "matmul", "fused", "transp", "rows", "going", "add", "bias", "relu", "grad", "copy",
            "sum");
    for (guint i = 0; i < G_N_ELEMENTS(widths); i++) {
        for (gsize rows = 32; rows <= MAX_ROWS; rows *= 2) {
            for (guint pitched = 0; pitched < (widths[i] <= MAX_THIN ? 2 : 1); pitched++) {
                self.pitched = pitched == 1;
                memset(self.w, 0, MAX_WIDTH * MAX_WIDTH * sizeof(float));
                measure_products(&self, rows, widths[i]);
                g_print(" ");
                measure_others(&self, rows, widths[i]);
            }
        }
    }
    free(self.x);
    g_print("%-17s %6s %6s %6s %6s\n", "", "matmul", "back", "transp", "rows");
    measure_large(&self, 128, 128);
    measure_large(&self, 128, 2048);
    measure_large(&self, 2048, 128);
}

int
main(int argc, char **argv)
{
    for (guint isa = 0; isa < ADIT_N_ISAS; isa++) {
        gboolean wanted = argc < 2;

        for (int i = 1; i < argc; i++)
            wanted = wanted || strcmp(argv[i], adit_isa_get_name((AditIsa) isa)) == 0;
        if (wanted && adit_isa_is_available((AditIsa) isa))
            measure((AditIsa) isa);
    }
    return 0;
}
