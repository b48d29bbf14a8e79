/* tests/core/ops/kernel-test.c - SPDX-License-Identifier: MIT */
#include "kernel-test.h"
#include "adit-philox.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/**
 * Buffer: @size bytes that end where a forbidden page begins.
 */
typedef struct {
    char *pages;
    gsize length;
    char *data;
    gsize size;
} Buffer;

static void
buffer_init(Buffer *self, gsize size)
{
    gsize page = (gsize) sysconf(_SC_PAGESIZE);
    gsize used = (size + page - 1) / page * page;

    self->length = used + 2 * page;
    self->pages =
        mmap(NULL, self->length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    g_assert_true(self->pages != MAP_FAILED);
    g_assert_cmpint(mprotect(self->pages + page + used, page, PROT_NONE), ==, 0);
    self->data = self->pages + page + used - size;
    self->size = size;
    /* all bits set: NaN, so that what was not written shows */
    memset(self->pages, 0xff, page + used);
}

static void
buffer_clear(Buffer *self)
{
    for (const char *p = self->pages; p < self->data; p++)
        g_assert_cmpint(*p, ==, (char) 0xff);
    munmap(self->pages, self->length);
}

static void
buffer_set(Buffer *self, gsize i, gboolean f64, double value)
{
    if (f64)
        ((double *) self->data)[i] = value;
    else
        ((float *) self->data)[i] = (float) value;
}

static double
buffer_get(const Buffer *self, gsize i, gboolean f64)
{
    return f64 ? ((double *) self->data)[i] : (double) ((float *) self->data)[i];
}

void
kernel_test_clear(KernelTest *self)
{
    for (guint i = 0; i < self->n_inputs; i++)
        g_free(self->inputs[i].values);
}

gsize
kernel_test_count(const KernelTest *self, const Operand *operand)
{
    return (operand->rows ? self->rows : 1) * adit_shape_count(&operand->shape);
}

static Operand *
add(KernelTest *self, gboolean rows, AditShape shape)
{
    Operand *operand = &self->inputs[self->n_inputs++];

    operand->rows = rows;
    operand->shape = shape;
    operand->values = g_new(double, kernel_test_count(self, operand));
    return operand;
}

/* The same numbers in every run, so that a limit holds or does not. */
static AditRandom *
ensure_random(void)
{
    static AditRandom random;

    if (random.next == 0)
        adit_random_init(&random, 1, "kernel-test");
    return &random;
}

Operand *
kernel_test_add(KernelTest *self, gboolean rows, AditShape shape, gboolean positive)
{
    Operand *operand = add(self, rows, shape);
    AditRandom *random = ensure_random();

    for (gsize i = 0; i < kernel_test_count(self, operand); i++) {
        double value = 0.125 + 1.875 * adit_random_uniform(random);

        if (adit_random_uniform(random) < 0.25)
            value = round(4 * value + 0.5) / 4;
        if (!positive && adit_random_uniform(random) < 0.5)
            value *= -1;
        operand->values[i] = (double) (float) value;
    }
    return operand;
}

Operand *
kernel_test_add_numbers(KernelTest *self, gboolean rows, AditShape shape, guint n)
{
    Operand *operand = add(self, rows, shape);

    for (gsize i = 0; i < kernel_test_count(self, operand); i++)
        operand->values[i] = adit_random_bits(ensure_random()) % n;
    return operand;
}

double
kernel_test_get(const KernelTest *self, guint i, gsize row, gsize element)
{
    const Operand *operand = &self->inputs[i];
    gsize count = adit_shape_count(&operand->shape);

    return operand->values[(operand->rows ? row * count : 0) + element];
}

static AditView
make_view(const Operand *operand, Buffer *buffer)
{
    return (AditView){buffer->data, operand->rows, operand->shape,
                      adit_shape_count(&operand->shape)};
}

/* @before: (nullable): what the output holds, to go on from */
static double *
run(const KernelTest *self, AditIsa isa, gboolean f64, gsize first, gsize rows,
    const double *before)
{
    AditKernel kernel = adit_kernel_find(self->kernel, isa, f64);
    gsize unit = f64 ? sizeof(double) : sizeof(float);
    gsize n = (self->output.rows ? rows : 1) * adit_shape_count(&self->output.shape);
    double *result = g_new(double, n);
    gsize n_further = adit_shape_count(&self->further.shape);
    Buffer buffers[ADIT_MAX_INPUTS], output, further;
    AditKernelCall call = {.rows = rows,
                           .first_row = first,
                           .batch_rows = self->batch_rows > 0 ? self->batch_rows : self->rows,
                           .step = self->step,
                           .key = self->key,
                           .attributes = self->attributes,
                           .accumulate = before != NULL,
                           .n_inputs = self->n_inputs};

    g_assert_nonnull(kernel);
    for (guint i = 0; i < self->n_inputs; i++) {
        const Operand *operand = &self->inputs[i];
        gsize count = adit_shape_count(&operand->shape);
        gsize skip = operand->rows ? first * count : 0;

        count *= operand->rows ? rows : 1;
        buffer_init(&buffers[i], count * unit);
        for (gsize k = 0; k < count; k++)
            buffer_set(&buffers[i], k, f64, operand->values[skip + k]);
        call.inputs[i] = make_view(operand, &buffers[i]);
    }
    buffer_init(&output, n * unit);
    for (gsize k = 0; before != NULL && k < n; k++)
        buffer_set(&output, k, f64, before[k]);
    call.output = make_view(&self->output, &output);
    buffer_init(&further, n_further * unit);
    if (self->further.values != NULL)
        call.inputs[self->n_inputs] = make_view(&self->further, &further);
    kernel(&call);
    for (gsize k = 0; self->further.values != NULL && k < n_further; k++)
        self->further.values[k] = buffer_get(&further, k, f64);
    for (gsize k = 0; k < n; k++)
        result[k] = buffer_get(&output, k, f64);
    for (guint i = 0; i < self->n_inputs; i++)
        buffer_clear(&buffers[i]);
    buffer_clear(&output);
    buffer_clear(&further);
    return result;
}

double *
kernel_test_run(const KernelTest *self, AditIsa isa, gboolean f64, gsize first, gsize rows)
{
    return run(self, isa, f64, first, rows, NULL);
}

/* What a device does with an operation over rows: each slice, then the combine kernel. */
static double *
run_slices(const KernelTest *self, AditIsa isa, gboolean f64)
{
    KernelTest combine = {.kernel = self->combine,
                          .batch_rows = self->rows,
                          .attributes = self->attributes,
                          .output = self->output,
                          .n_inputs = 1};
    g_autoptr(GArray) parts = g_array_new(FALSE, FALSE, sizeof(double));
    guint count = (guint) adit_shape_count(&self->output.shape);

    for (guint slice = 0; slice < ADIT_SLICES; slice++) {
        gsize begin = adit_slice_begin(self->rows, slice);
        gsize end = adit_slice_begin(self->rows, slice + 1);
        g_autofree double *part = NULL;

        if (begin == end)
            break;
        part = kernel_test_run(self, isa, f64, begin, end - begin);
        g_array_append_vals(parts, part, count);
        combine.rows++;
    }
    combine.inputs[0] = (Operand){TRUE, self->output.shape, (double *) parts->data};
    return kernel_test_run(&combine, isa, f64, 0, combine.rows);
}

static void
assert_near(const KernelTest *self, AditIsa isa, gboolean f64, const double *got,
            const double *expected, double limit)
{
    gsize n = kernel_test_count(self, &self->output);
    double error = 0, power = 0;

    for (gsize i = 0; i < n; i++) {
        error += (got[i] - expected[i]) * (got[i] - expected[i]);
        power += expected[i] * expected[i];
    }
    if (!(error <= limit * power))
        g_test_message("%s, %s, %s, %" G_GSIZE_FORMAT " rows: normalised error %g, at most %g",
                       self->kernel, adit_isa_get_name(isa), f64 ? "float64" : "float32",
                       self->rows, error / power, limit);
    g_assert_true(error <= limit * power);
}

static void
assert_rows_alone(const KernelTest *self, AditIsa isa, gboolean f64, const double *whole,
                  gsize panel)
{
    gsize count = adit_shape_count(&self->output.shape);

    for (gsize first = 0; first < self->rows; first += panel) {
        gsize rows = MIN(panel, self->rows - first);
        g_autofree double *part = kernel_test_run(self, isa, f64, first, rows);

        g_assert_cmpmem(part, rows * count * sizeof(double), whole + first * count,
                        rows * count * sizeof(double));
    }
}

void
kernel_test_check(const KernelTest *self, const double *expected, double limit)
{
    for (guint i = 0; i < 2 * ADIT_N_ISAS; i++) {
        AditIsa isa = (AditIsa) (i / 2);
        gboolean f64 = i % 2 == 1;
        g_autofree double *got = NULL;

        if (!adit_isa_is_available(isa))
            continue;
        if (self->combine != NULL)
            got = run_slices(self, isa, f64);
        else
            got = kernel_test_run(self, isa, f64, 0, self->rows);
        assert_near(self, isa, f64, got, expected, f64 ? 1e-24 : limit);
        if (self->output.rows) {
            assert_rows_alone(self, isa, f64, got, 1);
            assert_rows_alone(self, isa, f64, got, 7);
        }
    }
}

static void
assert_panels(const KernelTest *self, AditIsa isa, gboolean f64, gsize panel)
{
    gsize n = adit_shape_count(&self->output.shape);
    g_autofree double *whole = kernel_test_run(self, isa, f64, 0, self->rows);
    g_autofree double *sum = NULL;

    for (gsize first = 0; first < self->rows; first += panel) {
        gsize rows = MIN(panel, self->rows - first);
        double *next = run(self, isa, f64, first, rows, sum);

        g_free(sum);
        sum = next;
    }
    g_assert_cmpmem(sum, n * sizeof(double), whole, n * sizeof(double));
}

void
kernel_test_check_panels(const KernelTest *self)
{
    for (guint i = 0; i < 2 * ADIT_N_ISAS; i++) {
        if (!adit_isa_is_available((AditIsa) (i / 2)))
            continue;
        for (gsize panel = ADIT_PANEL_ROWS; panel <= 5 * ADIT_PANEL_ROWS; panel += ADIT_PANEL_ROWS)
            assert_panels(self, (AditIsa) (i / 2), i % 2 == 1, panel);
    }
}

/**
 * Pitched: one call's operands feature by feature, all rows of a line and some beyond them.
 */
typedef struct {
    AditKernelCall call;
    gsize first, rows, pitch;
    gboolean f64;
} Pitched;

/* Memory of an operand, NaN but where there are rows. */
static AditView
make_pitched(const Pitched *self, const Operand *operand)
{
    gsize count = adit_shape_count(&operand->shape);
    gsize lines = operand->rows ? self->pitch : 1;
    gsize unit = self->f64 ? sizeof(double) : sizeof(float);
    Buffer buffer = {.data = aligned_alloc(64, (count * lines * unit + 63) / 64 * 64)};

    memset(buffer.data, 0xff, count * lines * unit);
    for (gsize i = 0; i < count && operand->values != NULL; i++) {
        for (gsize r = 0; r < (operand->rows ? self->rows : 1); r++)
            buffer_set(&buffer, i * lines + r, self->f64,
                       operand->values[(operand->rows ? (self->first + r) * count : 0) + i]);
    }
    return make_view(operand, &buffer);
}

/* @before: as for run() */
static double *
run_pitched(const KernelTest *self, AditIsa isa, gboolean f64, gsize first, gsize rows, gsize spare,
            const double *before)
{
    gsize line = (rows + ADIT_PANEL_ROWS - 1) / ADIT_PANEL_ROWS * ADIT_PANEL_ROWS;
    gsize count = adit_shape_count(&self->output.shape);
    gsize step = self->output.rows ? line + spare : 1;
    Pitched pitched = {.first = first, .rows = rows, .pitch = line + spare, .f64 = f64};
    Operand output = {self->output.rows, self->output.shape, (double *) before};
    AditKernelCall *call = &pitched.call;
    double *result = g_new(double, (self->output.rows ? rows : 1) * count);
    Buffer written;

    *call = (AditKernelCall){.rows = rows,
                             .batch_rows = self->rows,
                             .attributes = self->attributes,
                             .accumulate = before != NULL,
                             .pitch = pitched.pitch,
                             .n_inputs = self->n_inputs};
    for (guint i = 0; i < self->n_inputs; i++)
        call->inputs[i] = make_pitched(&pitched, &self->inputs[i]);
    call->output = make_pitched(&pitched, &output);
    adit_kernel_find(self->kernel, isa, f64)(call);
    written.data = call->output.data;
    for (gsize i = 0; i < count; i++) {
        for (gsize r = 0; r < (self->output.rows ? rows : 1); r++)
            result[r * count + i] = buffer_get(&written, i * step + r, f64);
        /* the next panel's rows may lie there */
        for (gsize r = line; self->output.rows && r < step; r++)
            g_assert_true(isnan(buffer_get(&written, i * step + r, f64)));
    }
    for (guint i = 0; i < self->n_inputs; i++)
        free(call->inputs[i].data);
    free(call->output.data);
    return result;
}

static double *
run_pitched_panels(const KernelTest *self, AditIsa isa, gboolean f64, gsize panel)
{
    double *sum = NULL;

    for (gsize first = 0; first < self->rows; first += panel) {
        gsize rows = MIN(panel, self->rows - first);
        double *next = run_pitched(self, isa, f64, first, rows, panel % 48, sum);

        g_free(sum);
        sum = next;
    }
    return sum;
}

static void
check_pitched(const KernelTest *self, AditIsa isa, gboolean f64, gboolean exact)
{
    gsize n = kernel_test_count(self, &self->output);
    g_autofree double *expected = kernel_test_run(self, isa, f64, 0, self->rows);
    g_autofree double *got = run_pitched(self, isa, f64, 0, self->rows, 0, NULL);
    g_autofree double *wider = run_pitched(self, isa, f64, 0, self->rows, 32, NULL);

    if (exact)
        g_assert_cmpmem(got, n * sizeof(double), expected, n * sizeof(double));
    else
        assert_near(self, isa, f64, got, expected, f64 ? 1e-24 : 1e-10);
    g_assert_cmpmem(wider, n * sizeof(double), got, n * sizeof(double));
    for (gsize panel = ADIT_PITCHED_ROWS; !self->output.rows && panel < self->rows;
         panel += ADIT_PITCHED_ROWS) {
        g_autofree double *panels = run_pitched_panels(self, isa, f64, panel);

        g_assert_cmpmem(panels, n * sizeof(double), got, n * sizeof(double));
    }
}

void
kernel_test_check_pitched(const KernelTest *self, gboolean exact)
{
    g_assert_true(adit_kernel_takes_pitch(self->kernel));
    for (guint i = 0; i < 2 * ADIT_N_ISAS; i++) {
        if (adit_isa_is_available((AditIsa) (i / 2)))
            check_pitched(self, (AditIsa) (i / 2), i % 2 == 1, exact);
    }
}
