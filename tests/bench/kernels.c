/* tests/bench/kernels.c - SPDX-License-Identifier: MIT */
#include <adit/adit-op.h>

#include "adit-attributes.h"
#include "adit-kernels.h"

/* Speed of the matrix products on one core, per instruction set, at the sizes that matter. */

static double
time_call(AditKernel kernel, const AditKernelCall *call)
{
    double best = G_MAXDOUBLE;

    for (guint round = 0; round < 7; round++) {
        gint64 begin = g_get_monotonic_time();
        guint n = 0;

        while (g_get_monotonic_time() - begin < 20000) {
            for (guint i = 0; i < 16; i++, n++)
                kernel(call);
        }
        best = MIN(best, 1e-6 * (double) (g_get_monotonic_time() - begin) / n);
    }
    return best;
}

static void
print_row(const char *name, AditIsa isa, gsize rows, gsize k, gsize j, double flop, double seconds)
{
    g_print("%-12s %-9s rows %4" G_GSIZE_FORMAT "  %3" G_GSIZE_FORMAT " x %-3" G_GSIZE_FORMAT
            " %8.2f GFLOP/s %10.2f us\n",
            name, adit_isa_get_name(isa), rows, k, j, 1e-9 * flop / seconds, 1e6 * seconds);
}

static void
fill(float *data, gsize n)
{
    for (gsize i = 0; i < n; i++)
        data[i] = (float) (i % 17) / 17 - 0.5f;
}

static void
measure(AditIsa isa, gsize rows, gsize k, gsize j)
{
    g_autofree float *x = g_new(float, rows *k);
    g_autofree float *w = g_new(float, k *j);
    g_autofree float *y = g_new(float, rows *j);
    AditView vx = {x, TRUE, ADIT_SHAPE(k), k}, vw = {w, FALSE, ADIT_SHAPE(k, j), k * j};
    AditView vy = {y, TRUE, ADIT_SHAPE(j), j};
    AditMatmulAttributes plain = {FALSE}, transposed = {TRUE};
    AditKernel matmul = adit_kernel_find("matmul", isa, FALSE);
    double flop = 2 * (double) (rows * k * j);
    AditKernelCall call = {.rows = rows, .batch_rows = rows, .n_inputs = 2};

    fill(x, rows * k);
    fill(w, k * j);
    fill(y, rows * j);
    call.inputs[0] = vx;
    call.inputs[1] = vw;
    call.output = vy;
    call.attributes = &plain;
    print_row("matmul", isa, rows, k, j, flop, time_call(matmul, &call));

    call.inputs[0] = vy;
    call.output = vx;
    call.attributes = &transposed;
    print_row("transposed", isa, rows, k, j, flop, time_call(matmul, &call));

    call.inputs[0] = vx;
    call.inputs[1] = vy;
    call.output = vw;
    call.attributes = NULL;
    print_row("matmul-rows", isa, rows, k, j, flop,
              time_call(adit_kernel_find("matmul-rows", isa, FALSE), &call));
}

static void
measure_pointwise(AditIsa isa, gsize rows, gsize count)
{
    static const char *const names[] = {"add", "relu", "relu-gradient", "tanh"};
    g_autofree float *a = g_new(float, rows *count);
    g_autofree float *b = g_new(float, rows *count);
    g_autofree float *y = g_new(float, rows *count);
    AditKernelCall call = {.rows = rows, .batch_rows = rows, .n_inputs = 2};

    fill(a, rows * count);
    fill(b, rows * count);
    call.inputs[0] = (AditView){a, TRUE, ADIT_SHAPE(count), count};
    call.inputs[1] = (AditView){b, TRUE, ADIT_SHAPE(count), count};
    call.output = (AditView){y, TRUE, ADIT_SHAPE(count), count};
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        call.n_inputs = i == 0 || i == 2 ? 2 : 1;
        print_row(names[i], isa, rows, count, 1, (double) (rows * count),
                  time_call(adit_kernel_find(names[i], isa, FALSE), &call));
    }
    call.n_inputs = 2;
    call.inputs[1].rows = FALSE;
    print_row("add bias", isa, rows, count, 1, (double) (rows * count),
              time_call(adit_kernel_find("add", isa, FALSE), &call));
}

int
main(void)
{
    static const gsize sizes[][3] = {{128, 16, 16}, {128, 14, 16},   {128, 16, 1},
                                     {128, 64, 64}, {128, 784, 128}, {7, 16, 16}};

    for (guint isa = 0; isa < ADIT_N_ISAS; isa++) {
        if (!adit_isa_is_available((AditIsa) isa))
            continue;
        for (guint i = 0; i < G_N_ELEMENTS(sizes); i++)
            measure((AditIsa) isa, sizes[i][0], sizes[i][1], sizes[i][2]);
        measure_pointwise((AditIsa) isa, 128, 16);
    }
    return 0;
}
