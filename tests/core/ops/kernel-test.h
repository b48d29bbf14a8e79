/* tests/core/ops/kernel-test.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-attributes.h"
#include "adit-kernels.h"

/* Calling kernels without a device. */

/**
 * Operand: @values are those of all rows, exact in float32.
 */
typedef struct {
    gboolean rows;
    AditShape shape;
    double *values;
} Operand;

/**
 * KernelTest: one kernel with its inputs. Tests fill the first fields, add inputs and compare.
 * @further: of a fused kernel with a second result: where kernel_test_run() leaves that
 */
typedef struct {
    const char *kernel;
    const char *combine; /* of a kernel over rows */
    gsize rows;
    gsize batch_rows; /* 0: rows */
    const void *attributes;
    const guint32 *key;
    guint64 step;
    Operand output;
    Operand further;

    guint n_inputs;
    Operand inputs[ADIT_MAX_INPUTS];
} KernelTest;

void kernel_test_clear(KernelTest *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(KernelTest, kernel_test_clear)

/* Adds an input with values between 1/8 and 2 in size, positive or of either sign; a quarter of
 * them are multiples of 1/4, so that equal ones occur. */
Operand *kernel_test_add(KernelTest *self, gboolean rows, AditShape shape, gboolean positive);
/* Adds an input of numbers 0..n-1. */
Operand *kernel_test_add_numbers(KernelTest *self, gboolean rows, AditShape shape, guint n);
/* Elements of an operand over all rows. */
gsize kernel_test_count(const KernelTest *self, const Operand *operand);
/* An element of row @row of input @i; inputs without rows repeat. */
double kernel_test_get(const KernelTest *self, guint i, gsize row, gsize element);

/* Runs the kernel on rows @first to @first + @rows - 1. Its buffers end at a page that cannot be
 * touched. */
double *kernel_test_run(const KernelTest *self, AditIsa isa, gboolean f64, gsize first, gsize rows);

/* For every instruction set and both precisions: the result against @expected (normalised mean
 * squared error at most @limit in float32, 1e-24 in float64), and the same bits by single rows, by
 * sevens and at once. */
void kernel_test_check(const KernelTest *self, const double *expected, double limit);

/* For every instruction set and both precisions: the same bits over all rows in one call and in
 * panels that go on from one another. */
void kernel_test_check_panels(const KernelTest *self);

/* For every instruction set and both precisions: with pitched operands, aligned and with NaN where
 * there are no rows, the same numbers as the kernel gives row by row; the same bits if @exact, else
 * with a normalised mean squared error of at most 1e-10 (float64: 1e-24). A kernel over rows gives
 * the same bits at once and in panels. */
void kernel_test_check_pitched(const KernelTest *self, gboolean exact);

#define ELEMENT_WISE 1e-12
#define PRODUCTS     1e-10
