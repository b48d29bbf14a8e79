/* tests/plugins/test-attention.c - SPDX-License-Identifier: MIT */
#include <math.h>

#include "components.h"
#include "rig.h"

/* What the blocks of a transformer compute, in float64 on the CPU, with weights set by hand,
 * against the formulas of their papers written out here. */

/* A block made ready for @rows rows of @shape; @parameters of it are set before rig_run(). */
static Rig *
prepare(gpointer block, const AditShape *shape, gsize rows, const double *values, AditShape *result)
{
    g_autoptr(AditBlock) taken = block;
    AditGraph *graph = adit_graph_new(ADIT_MODE_EVALUATION);
    AditTensor *y = adit_block_build(taken, graph, adit_input(graph, "x", shape, 0));
    Rig *rig = rig_new(graph);
    AditArray *array = test_array(shape, rows, 1);

    *result = *adit_tensor_get_shape(y);
    memcpy(array->data, values, rows * adit_shape_count(shape) * sizeof(double));
    rig_add(rig, ADIT_OUTPUT_READ, y);
    rig_prepare(rig, 1, TRUE, rows);
    rig_feed(rig, array);
    return rig;
}

/* Sets the parameter @name, which has @n elements. */
static void
set(Rig *rig, const char *name, gsize n, const double *values)
{
    gsize count, offset = rig_find(rig, name, &count);

    g_assert_cmpuint(count, ==, n);
    adit_memory_write(rig->device, rig->memory, ADIT_ARENA_PARAMETERS, offset, n, values);
}

static void
assert_output(Rig *rig, gsize rows, gsize n, const double *expected)
{
    rig_run(rig, rows, 0);
    g_autofree double *got = rig_read(rig, 0, rows);

    for (gsize i = 0; i < n; i++)
        g_assert_cmpfloat_with_epsilon(got[i], expected[i], 1e-12);
}

/* ---- attention ---- */

enum { ROWS = 2, TOKENS = 3, WIDTH = 6, HEADS = 2, SIZE = WIDTH / HEADS };

typedef struct {
    double weight[WIDTH][WIDTH]; /* in x out */
    double bias[WIDTH];
} Matrix;

/* Numbers without a symmetry. */
static void
fill(Matrix *self, double phase)
{
    for (int i = 0; i < WIDTH; i++) {
        for (int j = 0; j < WIDTH; j++)
            self->weight[i][j] = sin(phase + 1.7 * i + 0.6 * j * j);
        self->bias[i] = 0.3 * cos(phase + i);
    }
}

static void
project(const Matrix *self, const double *x, double *y)
{
    for (int j = 0; j < WIDTH; j++) {
        y[j] = self->bias[j];
        for (int i = 0; i < WIDTH; i++)
            y[j] += x[i] * self->weight[i][j];
    }
}

/* Vaswani et al. 2017, equation 1: what head @head of token @token sees of all tokens. */
static void
attend(double query[TOKENS][WIDTH], double key[TOKENS][WIDTH], double value[TOKENS][WIDTH],
       int token, int head, double *seen)
{
    double weights[TOKENS], sum = 0;

    for (int other = 0; other < TOKENS; other++) {
        double score = 0;

        for (int i = head * SIZE; i < (head + 1) * SIZE; i++)
            score += query[token][i] * key[other][i];
        weights[other] = exp(score / sqrt(SIZE));
        sum += weights[other];
    }
    for (int i = head * SIZE; i < (head + 1) * SIZE; i++) {
        seen[i] = 0;
        for (int other = 0; other < TOKENS; other++)
            seen[i] += weights[other] / sum * value[other][i];
    }
}

/* Section 3.2.2: the heads side by side, through the last matrix. */
static void
attention(const Matrix *matrices, double x[TOKENS][WIDTH], double y[TOKENS][WIDTH])
{
    double query[TOKENS][WIDTH], key[TOKENS][WIDTH], value[TOKENS][WIDTH], seen[WIDTH];

    for (int token = 0; token < TOKENS; token++) {
        project(&matrices[0], x[token], query[token]);
        project(&matrices[1], x[token], key[token]);
        project(&matrices[2], x[token], value[token]);
    }
    for (int token = 0; token < TOKENS; token++) {
        for (int head = 0; head < HEADS; head++)
            attend(query, key, value, token, head, seen);
        project(&matrices[3], seen, y[token]);
    }
}

static void
test_attention(void)
{
    static const char *const names[] = {"query", "key", "value", "output"};
    double x[ROWS][TOKENS][WIDTH], y[ROWS][TOKENS][WIDTH];
    Matrix matrices[4];
    AditShape result;

    for (int i = 0; i < ROWS * TOKENS * WIDTH; i++)
        (&x[0][0][0])[i] = cos(0.9 * i * i);
    g_autoptr(Rig) rig =
        prepare(test_component("block", "attention", "heads", (gint64) HEADS, NULL),
                &ADIT_SHAPE(TOKENS, WIDTH), ROWS, &x[0][0][0], &result);
    for (int i = 0; i < 4; i++) {
        g_autofree char *weight = g_strconcat(names[i], ".weight", NULL);
        g_autofree char *bias = g_strconcat(names[i], ".bias", NULL);

        fill(&matrices[i], i);
        set(rig, weight, WIDTH * WIDTH, &matrices[i].weight[0][0]);
        set(rig, bias, WIDTH, matrices[i].bias);
    }
    for (int row = 0; row < ROWS; row++)
        attention(matrices, x[row], y[row]);
    g_assert_true(adit_shape_equal(&result, &ADIT_SHAPE(TOKENS, WIDTH)));
    assert_output(rig, ROWS, ROWS * TOKENS * WIDTH, &y[0][0][0]);
}

/* ---- tokens ---- */

/* Two channels of 4x4 pixels: channel, line, column are the digits of a number. The matrix hands
 * the pixels of a patch on as they come. */
static void
test_patch_embed(void)
{
    const double tokens[4][8] = {{0, 1, 10, 11, 100, 101, 110, 111},
                                 {2, 3, 12, 13, 102, 103, 112, 113},
                                 {20, 21, 30, 31, 120, 121, 130, 131},
                                 {22, 23, 32, 33, 122, 123, 132, 133}};
    double x[2][4][4], identity[8][8] = {{0}}, bias[8], expected[4][8];
    AditShape result;

    for (int i = 0; i < 32; i++)
        (&x[0][0][0])[i] = 100 * (i / 16) + 10 * (i / 4 % 4) + i % 4;
    for (int i = 0; i < 8; i++) {
        identity[i][i] = 1;
        bias[i] = 0.01 * i;
        for (int token = 0; token < 4; token++)
            expected[token][i] = tokens[token][i] + bias[i];
    }
    g_autoptr(Rig) rig = prepare(
        test_component("block", "patch-embed", "patch", (gint64) 2, "width", (gint64) 8, NULL),
        &ADIT_SHAPE(2, 4, 4), 1, &x[0][0][0], &result);
    set(rig, "weight", 64, &identity[0][0]);
    set(rig, "bias", 8, bias);
    g_assert_true(adit_shape_equal(&result, &ADIT_SHAPE(4, 8)));
    assert_output(rig, 1, 32, &expected[0][0]);
}

/* In front of the others, the same in every row. */
static void
test_class_token(void)
{
    const double x[2][2][3] = {{{1, 2, 3}, {4, 5, 6}}, {{-1, -2, -3}, {-4, -5, -6}}};
    const double y[2][3][3] = {{{7, 8, 9}, {1, 2, 3}, {4, 5, 6}},
                               {{7, 8, 9}, {-1, -2, -3}, {-4, -5, -6}}};
    AditShape result;
    g_autoptr(Rig) rig = prepare(test_component("block", "class-token", NULL), &ADIT_SHAPE(2, 3), 2,
                                 &x[0][0][0], &result);

    set(rig, "token", 3, (double[]){7, 8, 9});
    g_assert_true(adit_shape_equal(&result, &ADIT_SHAPE(3, 3)));
    assert_output(rig, 2, 18, &y[0][0][0]);
}

static void
test_positions(void)
{
    const double x[2][2][2] = {{{1, 2}, {3, 4}}, {{5, 6}, {7, 8}}};
    const double y[2][2][2] = {{{11, 22}, {33, 44}}, {{15, 26}, {37, 48}}};
    AditShape result;
    g_autoptr(Rig) rig = prepare(test_component("block", "positions", NULL), &ADIT_SHAPE(2, 2), 2,
                                 &x[0][0][0], &result);

    set(rig, "position", 4, (double[]){10, 20, 30, 40});
    assert_output(rig, 2, 8, &y[0][0][0]);
}

/* Tokens are counted from 1. */
static void
test_token(void)
{
    const double x[3][2] = {{1, 2}, {3, 4}, {5, 6}};

    for (int index = 1; index <= 3; index++) {
        AditShape result;
        g_autoptr(Rig) rig =
            prepare(test_component("block", "token", "index", (gint64) index, NULL),
                    &ADIT_SHAPE(3, 2), 1, &x[0][0], &result);

        g_assert_true(adit_shape_equal(&result, &ADIT_SHAPE(2)));
        assert_output(rig, 1, 2, x[index - 1]);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/blocks/attention/values", test_attention);
    g_test_add_func("/blocks/patch-embed/values", test_patch_embed);
    g_test_add_func("/blocks/class-token/values", test_class_token);
    g_test_add_func("/blocks/positions/values", test_positions);
    g_test_add_func("/blocks/token/values", test_token);
    return g_test_run();
}
