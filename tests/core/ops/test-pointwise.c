/* tests/core/ops/test-pointwise.c - SPDX-License-Identifier: MIT */
#include "kernel-test.h"

#include <math.h>
#include <string.h>

#define PARAMETER 0.25
#define K(value)  ((double) (value))

/* The table's expressions in float64, called one number at a time. */
#define ADIT_POINTWISE(symbol, name, arity, parameters, expression, glsl, ...)                     \
    static double symbol##_value(double a, double b, double c, double p)                           \
    {                                                                                              \
        return expression;                                                                         \
    }
#include "adit-pointwise.def"

typedef double (*Value)(double a, double b, double c, double p);

static const Value values[] = {
#define ADIT_POINTWISE(symbol, ...) symbol##_value,
#include "adit-pointwise.def"
};

/* Where an operand's value for an element of the broadcast result lies: by its definition. */
static double
pick(const KernelTest *test, guint i, gsize row, gsize element)
{
    const AditShape *shape = &test->inputs[i].shape, *out = &test->output.shape;
    gsize offset = 0, step = 1;

    for (guint k = 1; k <= shape->rank; k++) {
        gsize index = element % out->size[out->rank - k];

        element /= out->size[out->rank - k];
        if (shape->size[shape->rank - k] > 1)
            offset += index * step;
        step *= shape->size[shape->rank - k];
    }
    return kernel_test_get(test, i, row, offset);
}

typedef struct {
    gboolean rows[3];
    AditShape shapes[3];
    AditShape out;
} Layout;

static gboolean
needs_positive(const char *name)
{
    return g_str_has_prefix(name, "pow") || g_str_has_prefix(name, "log") ||
           g_str_has_prefix(name, "sqrt");
}

static void
check(const AditPointwise *row, Value value, const Layout *layout, gsize rows)
{
    AditPointwiseAttributes attributes = {PARAMETER};
    g_auto(KernelTest) test = {.kernel = row->name, .rows = rows, .output = {.shape = layout->out}};
    g_autofree double *expected = NULL;
    gsize count = adit_shape_count(&layout->out);

    if (row->n_parameters > 0)
        test.attributes = &attributes;
    for (guint i = 0; i < row->arity; i++) {
        kernel_test_add(&test, layout->rows[i], layout->shapes[i], needs_positive(row->name));
        test.output.rows = test.output.rows || layout->rows[i];
    }
    if (!test.output.rows)
        test.rows = 1;
    expected = g_new(double, test.rows *count);
    for (gsize k = 0; k < test.rows * count; k++) {
        double a[3] = {0};

        for (guint i = 0; i < row->arity; i++)
            a[i] = pick(&test, i, k / count, k % count);
        expected[k] = value(a[0], a[1], a[2], PARAMETER);
    }
    kernel_test_check(&test, expected, ELEMENT_WISE);
}

static void
test_values(gconstpointer data)
{
    static const gsize rows[] = {1, 2, 13};
    const Layout layouts[] = {
        {{1, 1, 1}, {ADIT_SHAPE(1), ADIT_SHAPE(1), ADIT_SHAPE(1)}, ADIT_SHAPE(1)},
        {{1, 1, 1}, {ADIT_SHAPE(17), ADIT_SHAPE(17), ADIT_SHAPE(17)}, ADIT_SHAPE(17)},
        {{0, 0, 0}, {ADIT_SHAPE(7), ADIT_SHAPE(7), ADIT_SHAPE(7)}, ADIT_SHAPE(7)},
    };
    guint i = GPOINTER_TO_UINT(data), n;
    const AditPointwise *row = &adit_pointwise_list(&n)[i];

    for (guint k = 0; k < G_N_ELEMENTS(layouts); k++) {
        for (guint r = 0; r < G_N_ELEMENTS(rows); r++)
            check(row, values[i], &layouts[k], rows[r]);
    }
}

static void
test_broadcasting(gconstpointer data)
{
    const Layout layouts[] = {
        /* a bias, from either side */
        {{1, 0, 0}, {ADIT_SHAPE(16), ADIT_SHAPE(16), ADIT_SHAPE(16)}, ADIT_SHAPE(16)},
        {{0, 1, 1}, {ADIT_SHAPE(5), ADIT_SHAPE(5), ADIT_SHAPE(5)}, ADIT_SHAPE(5)},
        /* one number for all, one number a row */
        {{1, 0, 0}, {ADIT_SHAPE(9), ADIT_SCALAR, ADIT_SCALAR}, ADIT_SHAPE(9)},
        {{1, 1, 1}, {ADIT_SHAPE(9), ADIT_SCALAR, ADIT_SHAPE(1)}, ADIT_SHAPE(9)},
        {{0, 1, 1}, {ADIT_SCALAR, ADIT_SHAPE(9), ADIT_SHAPE(9)}, ADIT_SHAPE(9)},
        /* a scalar with rows against a vector without */
        {{1, 0, 0}, {ADIT_SCALAR, ADIT_SHAPE(6), ADIT_SHAPE(6)}, ADIT_SHAPE(6)},
        /* single axes, missing axes */
        {{1, 0, 1},
         {ADIT_SHAPE(3, 1, 5), ADIT_SHAPE(4, 1), ADIT_SHAPE(3, 4, 5)},
         ADIT_SHAPE(3, 4, 5)},
        {{1, 1, 0},
         {ADIT_SHAPE(2, 3, 1, 2), ADIT_SHAPE(1, 4, 1), ADIT_SHAPE(2)},
         ADIT_SHAPE(2, 3, 4, 2)},
        {{0, 0, 0}, {ADIT_SHAPE(3, 1), ADIT_SHAPE(1, 3), ADIT_SCALAR}, ADIT_SHAPE(3, 3)},
    };
    guint i = GPOINTER_TO_UINT(data), n;
    const AditPointwise *row = &adit_pointwise_list(&n)[i];

    for (guint k = 0; k < G_N_ELEMENTS(layouts); k++)
        check(row, values[i], &layouts[k], k == 0 ? 150 : 11);
}

/* Formulas against values from elsewhere (tables, or a calculation by hand). */
static void
test_known_values(void)
{
    static const struct {
        const char *name;
        double a, b, c, expected;
    } cases[] = {
        {"gelu", 1, 0, 0, 0.84134474606854293},
        {"gelu", -3, 0, 0, -0.0040496940948902838},
        {"sigmoid", 0, 0, 0, 0.5},
        {"sigmoid", 2, 0, 0, 0.88079707797788243},
        {"silu", 1, 0, 0, 0.73105857863000488},
        {"tanh", 0.5, 0, 0, 0.46211715726000975},
        {"softplus", 0, 0, 0, 0.69314718055994531},
        {"softplus", 100, 0, 0, 100},
        {"softplus", -1, 0, 0, 0.31326168751822284},
        {"relu", -1, 0, 0, 0},
        {"relu", 3, 0, 0, 3},
        {"leaky-relu", -2, 0, 0, -2 * PARAMETER},
        {"leaky-relu", 2, 0, 0, 2},
        {"sign", -2, 0, 0, -1},
        {"sign", 0, 0, 0, 0},
        {"sign", 2, 0, 0, 1},
        {"floor", -1.25, 0, 0, -2},
        {"floor", 2, 0, 0, 2},
        {"floor", 2.75, 0, 0, 2},
        {"scale", 3, 0, 0, 3 * PARAMETER},
        {"offset", 3, 0, 0, 3 + PARAMETER},
        {"select", 2, 3, 4, 3},
        {"select", 0, 3, 4, 4},
        {"min", 2, 3, 0, 2},
        {"max", 2, 3, 0, 3},
        {"less", 2, 2, 0, 0},
        {"less-equal", 2, 2, 0, 1},
        {"greater", 2, 2, 0, 0},
        {"greater-equal", 2, 2, 0, 1},
        {"equal", 2, 2, 0, 1},
        {"equal", 2, 3, 0, 0},
        {"sub", 2, 3, 0, -1},
        {"div", 3, 2, 0, 1.5},
        {"pow", 2, 3, 0, 8},
        {"reciprocal", 4, 0, 0, 0.25},
        {"square", -3, 0, 0, 9},
        {"abs", -3, 0, 0, 3},
        {"exp", 1, 0, 0, 2.7182818284590452},
        {"log", 10, 0, 0, 2.3025850929940457},
        {"max-gradient", 2, 2, 3, 1.5},
        {"relu-gradient", 0, 5, 0, 0},
    };
    guint n;
    const AditPointwise *rows = adit_pointwise_list(&n);

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        guint k = 0;

        while (k < n && strcmp(rows[k].name, cases[i].name) != 0)
            k++;
        g_assert_cmpuint(k, <, n);
        g_assert_cmpfloat_with_epsilon(values[k](cases[i].a, cases[i].b, cases[i].c, PARAMETER),
                                       cases[i].expected, 1e-15);
    }
}

static double
run_one(const char *name, AditIsa isa, gboolean f64, const double *in, guint n_inputs)
{
    AditPointwiseAttributes attributes = {PARAMETER};
    g_auto(KernelTest) test = {
        .kernel = name, .rows = 1, .attributes = &attributes, .output = {TRUE, ADIT_SHAPE(1)}};
    g_autofree double *result = NULL;

    for (guint i = 0; i < n_inputs; i++)
        kernel_test_add(&test, TRUE, ADIT_SHAPE(1), FALSE)->values[0] = in[i];
    result = kernel_test_run(&test, isa, f64, 0, 1);
    return result[0];
}

/* NaN goes through everything but comparisons. Vectors and single numbers take different paths, so
 * that the row-by-row comparison of the other tests covers the rest. */
static void
test_nan(void)
{
    static const char *const names[] = {
        "copy",   "add",        "sub",      "mul",  "div",  "min",   "max",
        "neg",    "abs",        "sign",     "exp",  "log",  "sqrt",  "square",
        "relu",   "reciprocal", "gelu",     "silu", "tanh", "scale", "leaky-relu",
        "offset", "sigmoid",    "softplus", "pow",  "floor"};
    guint n;
    const AditPointwise *rows = adit_pointwise_list(&n);

    for (guint k = 0; k < n; k++) {
        if (!g_strv_contains((const char *const *) names, rows[k].name) ||
            rows[k].op->gradient == NULL)
            continue;
        for (guint i = 0; i < rows[k].arity * ADIT_N_ISAS * 2; i++) {
            AditIsa isa = (AditIsa) (i / rows[k].arity / 2);
            double in[2] = {2, 2};

            if (!adit_isa_is_available(isa))
                continue;
            in[i % rows[k].arity] = NAN;
            g_assert_true(
                isnan(run_one(rows[k].name, isa, i / rows[k].arity % 2 == 1, in, rows[k].arity)));
        }
    }
}

static void
test_infinity(void)
{
    static const struct {
        const char *name;
        double in, out;
    } cases[] = {
        {"exp", -INFINITY, 0},        {"exp", INFINITY, INFINITY},      {"log", 0, -INFINITY},
        {"tanh", INFINITY, 1},        {"tanh", -INFINITY, -1},          {"sigmoid", -INFINITY, 0},
        {"sigmoid", INFINITY, 1},     {"softplus", INFINITY, INFINITY}, {"softplus", -INFINITY, 0},
        {"relu", INFINITY, INFINITY}, {"relu", -INFINITY, 0},           {"exp", 1000, INFINITY},
        {"sigmoid", -1000, 0},        {"reciprocal", 0, INFINITY},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases) * ADIT_N_ISAS * 2; i++) {
        guint k = i / ADIT_N_ISAS / 2;
        AditIsa isa = (AditIsa) (i / 2 % ADIT_N_ISAS);

        if (adit_isa_is_available(isa))
            g_assert_cmpfloat(run_one(cases[k].name, isa, i % 2 == 1, &cases[k].in, 1), ==,
                              cases[k].out);
    }
}

int
main(int argc, char **argv)
{
    guint n;
    const AditPointwise *rows = adit_pointwise_list(&n);

    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < n; i++) {
        g_autofree char *plain = g_strdup_printf("/ops/pointwise/values/%s", rows[i].name);
        g_autofree char *broadcast = g_strdup_printf("/ops/pointwise/broadcast/%s", rows[i].name);

        g_test_add_data_func(plain, GUINT_TO_POINTER(i), test_values);
        g_test_add_data_func(broadcast, GUINT_TO_POINTER(i), test_broadcasting);
    }
    g_test_add_func("/ops/pointwise/known-values", test_known_values);
    g_test_add_func("/ops/pointwise/nan", test_nan);
    g_test_add_func("/ops/pointwise/infinity", test_infinity);
    return g_test_run();
}
