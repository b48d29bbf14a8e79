/* tests/core/ops/test-pitch.c - SPDX-License-Identifier: MIT */
#include "kernel-test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Operands that lie feature by feature. */

static const gsize rows[] = {1, 15, 16, 17, 33, 64, 200, 300};

static void
check_product(gsize n, gsize lead, gsize k, gsize j, gboolean transpose_b)
{
    AditMatmulAttributes attributes = {transpose_b};
    AditShape left = lead > 1 ? ADIT_SHAPE(lead, k) : ADIT_SHAPE(k);
    AditShape result = lead > 1 ? ADIT_SHAPE(lead, j) : ADIT_SHAPE(j);
    g_auto(KernelTest)
        test = {.kernel = "matmul", .rows = n, .attributes = &attributes, .output = {TRUE, result}};

    kernel_test_add(&test, TRUE, left, FALSE);
    kernel_test_add(&test, FALSE, transpose_b ? ADIT_SHAPE(j, k) : ADIT_SHAPE(k, j), FALSE);
    kernel_test_check_pitched(&test, TRUE);
    kernel_test_add(&test, k % 2 == 0, result, FALSE);
    test.kernel = "matmul-add";
    kernel_test_check_pitched(&test, TRUE);
    test.kernel = "matmul-add-relu";
    kernel_test_check_pitched(&test, TRUE);
}

static void
test_products(void)
{
    for (gsize width = 1; width <= 19; width++) {
        for (guint i = 0; i < G_N_ELEMENTS(rows); i += 1 + width % 3)
            check_product(rows[i], 1, width, (5 * width) % 23 + 1, i % 2 == 0);
        check_product(rows[width % 8], 1, width, width, width % 2 == 0);
    }
    check_product(33, 3, 5, 4, FALSE);
    check_product(20, 3, 4, 7, TRUE);
}

static void
check_product_of_rows(gsize n, gsize lead, gsize i, gsize j)
{
    g_auto(KernelTest)
        test = {.kernel = "matmul-rows", .rows = n, .output = {FALSE, ADIT_SHAPE(i, j)}};

    kernel_test_add(&test, TRUE, lead > 1 ? ADIT_SHAPE(lead, i) : ADIT_SHAPE(i), FALSE);
    kernel_test_add(&test, TRUE, lead > 1 ? ADIT_SHAPE(lead, j) : ADIT_SHAPE(j), FALSE);
    kernel_test_check_pitched(&test, FALSE);
}

static void
test_products_of_rows(void)
{
    for (gsize width = 1; width <= 17; width++) {
        check_product_of_rows(rows[width % 8], 1, width, width);
        check_product_of_rows(rows[(3 * width) % 8], 1, width, (7 * width) % 13 + 1);
    }
    check_product_of_rows(200, 3, 4, 5);
    check_product_of_rows(300, 1, 37, 41);
}

static void
test_sums(void)
{
    static const char *const names[] = {"rows-sum", "rows-mean"};

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        for (gsize count = 1; count <= 40; count = 2 * count + 1) {
            g_auto(KernelTest) test = {
                .kernel = names[i % 2], .rows = rows[i], .output = {FALSE, ADIT_SHAPE(count)}};

            kernel_test_add(&test, TRUE, ADIT_SHAPE(count), FALSE);
            kernel_test_check_pitched(&test, FALSE);
        }
    }
}

/* Operands as in the shapes' names: "r" for rows. */
static void
check_pointwise(const char *kernel, gsize n, AditShape result, const Operand *operands,
                guint n_operands)
{
    AditPointwiseAttributes attributes = {0.25};
    g_auto(KernelTest)
        test = {.kernel = kernel, .rows = n, .attributes = &attributes, .output = {TRUE, result}};

    for (guint i = 0; i < n_operands; i++)
        kernel_test_add(&test, operands[i].rows, operands[i].shape, TRUE);
    kernel_test_check_pitched(&test, TRUE);
}

static void
test_pointwise(void)
{
    const Operand full = {TRUE, ADIT_SHAPE(5), NULL}, bias = {FALSE, ADIT_SHAPE(5), NULL};
    const Operand number = {TRUE, ADIT_SHAPE(1), NULL}, constant = {FALSE, ADIT_SHAPE(), NULL};
    const Operand middle = {TRUE, ADIT_SHAPE(3, 1), NULL}, last = {FALSE, ADIT_SHAPE(4), NULL};
    const Operand all[] = {full, bias, number, constant};

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        for (guint a = 0; a < G_N_ELEMENTS(all); a++) {
            for (guint b = 0; b < G_N_ELEMENTS(all); b++) {
                const Operand three[] = {all[a], all[b], full};

                check_pointwise("sub", rows[i], ADIT_SHAPE(5), (Operand[]){all[a], full}, 2);
                check_pointwise("mul", rows[i], ADIT_SHAPE(5), (Operand[]){full, all[b]}, 2);
                check_pointwise("select", rows[i], ADIT_SHAPE(5), three, 3);
            }
        }
        check_pointwise("relu", rows[i], ADIT_SHAPE(5), &full, 1);
        check_pointwise("copy", rows[i], ADIT_SHAPE(5), &bias, 1);
        check_pointwise("broadcast", rows[i], ADIT_SHAPE(5), &number, 1);
        check_pointwise("broadcast-rows", rows[i], ADIT_SHAPE(5), &bias, 1);
        check_pointwise("broadcast-rows-mean", rows[i], ADIT_SHAPE(5), &bias, 1);
        check_pointwise("add", rows[i], ADIT_SHAPE(3, 4), (Operand[]){middle, last}, 2);
        check_pointwise("add", rows[i], ADIT_SHAPE(3, 4), (Operand[]){last, middle}, 2);
    }
}

static void
test_reductions(void)
{
    static const char *const names[] = {"reduce-sum", "reduce-mean", "reduce-max", "reduce-min",
                                        "reduce-argmax"};

    for (guint i = 0; i < G_N_ELEMENTS(names) * G_N_ELEMENTS(rows); i++) {
        gsize size = 1 + i % 9, inner = i % 3 + 1;
        AditReduceAttributes attributes = {1, 1, size, inner};
        g_auto(KernelTest) test = {.kernel = names[i % G_N_ELEMENTS(names)],
                                   .rows = rows[i / G_N_ELEMENTS(names)],
                                   .attributes = &attributes,
                                   .output = {TRUE, ADIT_SHAPE(2, inner)}};

        kernel_test_add(&test, TRUE, ADIT_SHAPE(2, size, inner), FALSE);
        kernel_test_check_pitched(&test, FALSE);
    }
}

/* There and back; nothing but the padding is lost. */
static void
check_conversions(AditIsa isa, gsize n, gsize count)
{
    gsize pitch = (n + 15) / 16 * 16 + 16 * (count % 2);
    float *from = g_new(float, n *count), *back = g_new(float, n *count + 1);
    float *pitched = aligned_alloc(64, count * pitch * sizeof(float));
    AditKernelCall call = {.rows = n, .batch_rows = n, .pitch = pitch, .n_inputs = 1};

    for (gsize i = 0; i < n * count; i++)
        from[i] = (float) i;
    back[n * count] = -1;
    call.inputs[0] = (AditView){from, TRUE, ADIT_SHAPE(count), count};
    call.output = (AditView){pitched, TRUE, ADIT_SHAPE(count), count};
    adit_kernel_find("to-pitch", isa, FALSE)(&call);
    for (gsize i = 0; i < n * count; i++)
        g_assert_cmpfloat(pitched[i % count * pitch + i / count], ==, from[i]);
    call.inputs[0].data = pitched;
    call.output.data = back;
    adit_kernel_find("from-pitch", isa, FALSE)(&call);
    g_assert_cmpmem(back, n * count * sizeof(float), from, n * count * sizeof(float));
    g_assert_cmpfloat(back[n * count], ==, -1);
    g_free(from);
    g_free(back);
    free(pitched);
}

static void
test_conversions(void)
{
    for (guint isa = 0; isa < ADIT_N_ISAS; isa++) {
        if (!adit_isa_is_available((AditIsa) isa))
            continue;
        for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
            for (gsize count = 1; count <= 37; count++)
                check_conversions((AditIsa) isa, rows[i], count);
        }
    }
}

static void
test_names(void)
{
    g_assert_true(adit_kernel_takes_pitch("matmul-add-relu"));
    g_assert_true(adit_kernel_takes_pitch("relu-gradient"));
    g_assert_false(adit_kernel_takes_pitch("softmax-gradient"));
    g_assert_false(adit_kernel_takes_pitch("combine-sum"));
    g_assert_false(adit_kernel_takes_pitch("no-such-operation"));
}

/* A kernel over the last axis, of lines of @n classes; @target: it is told the right ones. */
static void
check_classes(const char *kernel, gsize n_rows, gsize lines, gsize n, gboolean target)
{
    AditShape all = lines > 1 ? ADIT_SHAPE(lines, n) : ADIT_SHAPE(n);
    AditShape one = lines > 1 ? ADIT_SHAPE(lines) : ADIT_SHAPE();
    gboolean is_loss = g_str_equal(kernel, "cross-entropy");
    g_auto(KernelTest)
        test = {.kernel = kernel, .rows = n_rows, .output = {TRUE, is_loss ? one : all}};

    kernel_test_add(&test, TRUE, all, FALSE);
    if (target)
        kernel_test_add_numbers(&test, TRUE, one, (guint) n);
    if (target && !is_loss)
        kernel_test_add(&test, lines == 1, one, FALSE);
    kernel_test_check_pitched(&test, TRUE);
}

static void
test_classes(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        for (gsize n = 1; n <= 40; n = 3 * n + 1) {
            check_classes("softmax", rows[i], 1 + i % 3, n, FALSE);
            check_classes("log-softmax", rows[i], 1 + i % 3, n, FALSE);
            check_classes("cross-entropy", rows[i], 1 + i % 3, n, TRUE);
            check_classes("cross-entropy-gradient", rows[i], 1 + i % 3, n, TRUE);
        }
    }
}

/* ---- kernels that do the work of several ---- */

/**
 * Layers: one fused call and the single ones, of one instruction set and precision.
 * @pitch: room for all rows; the panel's are @rows
 */
typedef struct {
    AditIsa isa;
    gboolean f64;
    gsize rows, pitch;
    GPtrArray *memory;
    GRand *random;
} Layers;

/* An operand of random numbers, some of them 0; without rows there is a line of one. */
static AditView
make_operand(Layers *self, gboolean has_rows, AditShape shape)
{
    gsize count = adit_shape_count(&shape), n = count * (has_rows ? self->pitch : 1);
    void *data = aligned_alloc(64, (n * sizeof(double) + 63) / 64 * 64);

    for (gsize i = 0; i < n; i++) {
        double value = g_rand_int_range(self->random, -8, 8) + g_rand_double(self->random);

        value = has_rows && i % self->pitch >= self->rows ? (double) NAN : MAX(value, -4);
        value = value == -4 ? 0 : value;
        if (self->f64)
            ((double *) data)[i] = value;
        else
            ((float *) data)[i] = (float) value;
    }
    g_ptr_array_add(self->memory, data);
    return (AditView){data, has_rows, shape, count};
}

static void
call_kernel(const Layers *self, const char *name, const void *attributes, gboolean accumulate,
            const AditView *inputs, guint n_inputs, guint n_results, AditView output)
{
    AditKernelCall call = {.rows = self->rows,
                           .batch_rows = self->rows,
                           .attributes = attributes,
                           .accumulate = accumulate,
                           .pitch = self->pitch,
                           .n_inputs = n_inputs,
                           .output = output};

    g_assert_true(adit_kernel_takes_pitch(name));
    for (guint i = 0; i < n_inputs + n_results; i++)
        call.inputs[i] = inputs[i];
    adit_kernel_find(name, self->isa, self->f64)(&call);
}

/* The rows there are. */
static void
assert_same(const Layers *self, const AditView *a, const AditView *b)
{
    gsize unit = self->f64 ? sizeof(double) : sizeof(float);

    for (gsize i = 0; i < (a->rows ? a->count : 1); i++) {
        gsize at = i * self->pitch * unit, n = (a->rows ? self->rows : a->count) * unit;

        g_assert_cmpmem((char *) a->data + at, n, (char *) b->data + at, n);
    }
}

static void
check_layer(Layers *self, gsize k, gsize j)
{
    static const AditMatmulAttributes plain = {FALSE};
    AditShape out = ADIT_SHAPE(j);
    AditView x = make_operand(self, TRUE, ADIT_SHAPE(k));
    AditView w = make_operand(self, FALSE, ADIT_SHAPE(k, j));
    AditView bias = make_operand(self, FALSE, out), collect = make_operand(self, TRUE, out);
    AditView y = make_operand(self, TRUE, out), total = make_operand(self, TRUE, out);
    AditView got = make_operand(self, TRUE, out), all = make_operand(self, TRUE, out);

    call_kernel(self, "matmul-add-relu", &plain, FALSE, (AditView[]){x, w, bias}, 3, 0, y);
    call_kernel(self, "add", NULL, FALSE, (AditView[]){collect, y}, 2, 0, total);
    call_kernel(self, "matmul-add-relu-add", &plain, FALSE, (AditView[]){x, w, bias, collect, all},
                4, 1, got);
    assert_same(self, &got, &y);
    assert_same(self, &all, &total);
}

/* @adds: there is an addend. The last call leaves dx where one of the operands is. */
static void
check_backward(Layers *self, gsize k, gsize j, gboolean adds, gboolean accumulate)
{
    static const AditMatmulAttributes transposed = {TRUE};
    AditShape out = ADIT_SHAPE(j), in = ADIT_SHAPE(k), matrix = ADIT_SHAPE(k, j);
    AditView y = make_operand(self, TRUE, out), x = make_operand(self, TRUE, in);
    AditView dy = make_operand(self, TRUE, out), addend = make_operand(self, TRUE, out);
    AditView w = make_operand(self, FALSE, matrix), sum = make_operand(self, TRUE, out);
    AditView delta[2], weights[3], bias[3], dx[2];

    for (guint i = 0; i < 3; i++) {
        weights[i] = make_operand(self, FALSE, matrix);
        bias[i] = make_operand(self, FALSE, out);
        memcpy(weights[i].data, weights[0].data, k * j * (self->f64 ? 8 : 4));
        memcpy(bias[i].data, bias[0].data, j * (self->f64 ? 8 : 4));
    }
    for (guint i = 0; i < 2; i++) {
        delta[i] = make_operand(self, TRUE, out);
        dx[i] = make_operand(self, TRUE, in);
    }
    call_kernel(self, "add", NULL, FALSE, (AditView[]){dy, addend}, 2, 0, sum);
    call_kernel(self, "relu-gradient", NULL, FALSE, (AditView[]){y, adds ? sum : dy}, 2, 0,
                delta[0]);
    call_kernel(self, "matmul-rows", NULL, accumulate, (AditView[]){x, delta[0]}, 2, 0, weights[0]);
    call_kernel(self, "rows-sum", NULL, accumulate, delta, 1, 0, bias[0]);
    call_kernel(self, "matmul", &transposed, FALSE, (AditView[]){delta[0], w}, 2, 0, dx[0]);

    AditView plain[] = {y, x, dy, addend, addend, addend};
    AditView joined[] = {y, x, w, dy, addend, addend, addend};
    guint n = adds ? 4 : 3;

    plain[n] = weights[1];
    plain[n + 1] = bias[1];
    call_kernel(self, "relu-backward", NULL, accumulate, plain, n, 2, delta[1]);
    joined[n + 1] = weights[2];
    joined[n + 2] = bias[2];
    if (k == j)
        dx[1].data = ((void *[]){y.data, x.data, dy.data, addend.data})[(self->rows + k) % 4];
    call_kernel(self, "relu-backward-matmul", NULL, accumulate, joined, n + 1, 2, dx[1]);
    assert_same(self, &delta[1], &delta[0]);
    assert_same(self, &dx[1], &dx[0]);
    for (guint i = 1; i < 3; i++) {
        assert_same(self, &weights[i], &weights[0]);
        assert_same(self, &bias[i], &bias[0]);
    }
}

static void
check_layers(guint variant, gsize n, gsize width)
{
    g_autoptr(GPtrArray) memory = g_ptr_array_new_with_free_func(free);
    Layers layers = {(AditIsa) (variant / 2),
                     variant % 2 == 1,
                     n,
                     (n + 15) / 16 * 16 + 16 * (width % 3),
                     memory,
                     g_rand_new_with_seed((guint32) (100 * n + width))};

    check_layer(&layers, width, width);
    check_layer(&layers, width, (5 * width) % 11 + 1);
    for (guint i = 0; i < 4; i++)
        check_backward(&layers, width, width, i % 2 == 1, i / 2 == 1);
    check_backward(&layers, width, (5 * width) % 11 + 1, width % 2 == 1, n % 2 == 1);
    g_rand_free(layers.random);
}

static void
test_layers(void)
{
    for (guint variant = 0; variant < 2 * ADIT_N_ISAS; variant++) {
        if (!adit_isa_is_available((AditIsa) (variant / 2)))
            continue;
        for (gsize width = 1; width <= 13; width++) {
            for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
                check_layers(variant, rows[i], width);
        }
        for (gsize width = 17; width <= 41; width += 8)
            check_layers(variant, rows[width % 8], width);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ops/pitch/products", test_products);
    g_test_add_func("/ops/pitch/products-of-rows", test_products_of_rows);
    g_test_add_func("/ops/pitch/sums", test_sums);
    g_test_add_func("/ops/pitch/pointwise", test_pointwise);
    g_test_add_func("/ops/pitch/reductions", test_reductions);
    g_test_add_func("/ops/pitch/conversions", test_conversions);
    g_test_add_func("/ops/pitch/classes", test_classes);
    g_test_add_func("/ops/pitch/names", test_names);
    g_test_add_func("/ops/pitch/layers", test_layers);
    return g_test_run();
}
