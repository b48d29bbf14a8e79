/* tests/core/probe/test-known-values.c - SPDX-License-Identifier: MIT */
#include <math.h>

#include <adit/adit-regression.h>

#include "adit-probes.h"
#include "adit-registry.h"
#include "known-values.h"

/* Probes beside numpy and scikit-learn: numbers of tests/fixtures/probes. */

#define TOLERANCE 1e-6

static gpointer
make_probe(const char *name)
{
    g_autoptr(GError) error = NULL;
    GType type = adit_registry_find(adit_registry_get(), "probe", name, &error);

    g_assert_no_error(error);
    return g_object_new(type, NULL);
}

static void
assert_near(const char *what, double got, double expected)
{
    if (fabs(got - expected) > TOLERANCE * fmax(1, fabs(expected)))
        g_error("%s: %.12g, expected %.12g", what, got, expected);
}

/* Features as the core hands them to a probe. */
static AditFeatures
make_features(AditProbe *probe, JsonObject *object, const char *member)
{
    AditFeatures features = {.address = member};
    gsize count;
    JsonArray *rows = json_object_get_array_member(object, member);

    features.values = read_floats(rows, &features.samples);
    count = json_array_get_length(json_array_get_array_element(rows, 0));
    features.shape = ADIT_SHAPE(count);
    if (json_object_has_member(object, "shape")) {
        JsonArray *shape = json_object_get_array_member(object, "shape");

        features.shape.rank = json_array_get_length(shape);
        for (guint i = 0; i < features.shape.rank; i++)
            features.shape.size[i] = (gsize) json_array_get_int_element(shape, i);
    }
    return features;
}

/* By pieces of three samples, as a core that captures so many at a time would. */
static void
prepare(AditProbe *probe, AditFeatures *features)
{
    AditProbeClass *klass = ADIT_PROBE_GET_CLASS(probe);
    gsize count = adit_shape_count(&features->shape);

    features->prepared = g_new0(double, klass->count(probe, features));
    for (gsize i = 0; klass->add != NULL && i < features->samples; i += 3) {
        AditFeatures some = *features;

        some.samples = MIN(3, features->samples - i);
        some.values += i * count;
        klass->add(probe, &some, features->prepared);
    }
    if (klass->prepare != NULL)
        g_assert_true(klass->prepare(probe, features, features->prepared, NULL));
}

static void
features_clear(AditFeatures *features)
{
    g_free((float *) features->values);
    g_free(features->prepared);
}

/* ---- similarity ---- */

static void
check_similarity(JsonObject *known, JsonObject *test, JsonObject *expected)
{
    static const char *const estimators[] = {"biased", "debiased", "minibatch", NULL};
    g_autoptr(AditProbe) probe = make_probe("cka");
    const char *estimator = json_object_get_string_member(expected, "estimator");
    const char *kernel = json_object_get_string_member(expected, "kernel");
    int number = 0;
    double values[2];
    AditFindings findings = {.values = values};

    while (!g_str_equal(estimators[number], estimator))
        number++;
    g_object_set(probe, "estimator", number, "kernel", g_str_equal(kernel, "rbf"), "bandwidth",
                 json_object_get_double_member(known, "bandwidth"), "batch",
                 json_object_get_int_member(known, "batch"), NULL);
    AditFeatures read[] = {make_features(probe, test, "x"), make_features(probe, test, "y")};
    g_autofree char *what =
        g_strdup_printf("%s %s %s", json_object_get_string_member(test, "name"), kernel, estimator);

    for (guint i = 0; i < 2; i++)
        prepare(probe, &read[i]);
    g_assert_true(ADIT_PROBE_GET_CLASS(probe)->measure(probe, read, &findings, NULL));
    assert_near(what, values[1], json_object_get_double_member(expected, "hsic"));
    /* what cannot be says why */
    g_assert_true(json_object_get_null_member(expected, "cka") == isnan(values[0]));
    g_assert_true(isnan(values[0]) == (findings.note != NULL));
    if (findings.note == NULL)
        assert_near(what, values[0], json_object_get_double_member(expected, "cka"));
    g_free(findings.note);
    features_clear(&read[0]);
    features_clear(&read[1]);
}

static void
test_similarity(void)
{
    g_autoptr(JsonObject) known = read_known_values();
    JsonArray *tests = json_object_get_array_member(known, "similarity");

    g_assert_cmpuint(json_array_get_length(tests), >, 0);
    for (guint i = 0; i < json_array_get_length(tests); i++) {
        JsonObject *test = json_array_get_object_element(tests, i);
        JsonArray *expected = json_object_get_array_member(test, "expected");

        for (guint j = 0; j < json_array_get_length(expected); j++)
            check_similarity(known, test, json_array_get_object_element(expected, j));
    }
}

/* ---- canonical correlations ---- */

static void
check_correlation(JsonObject *test)
{
    g_autoptr(AditProbe) probe = make_probe("svcca");
    JsonObject *expected = json_object_get_object_member(test, "expected");
    const char *name = json_object_get_string_member(test, "name");
    AditFeatures read[] = {make_features(probe, test, "x"), make_features(probe, test, "y")};
    double values[3] = {0};
    AditFindings findings = {.values = values};

    for (guint i = 0; i < 2; i++)
        prepare(probe, &read[i]);
    g_assert_true(ADIT_PROBE_GET_CLASS(probe)->measure(probe, read, &findings, NULL));
    assert_near(name, values[0], json_object_get_double_member(expected, "svcca"));
    assert_near(name, values[1], json_object_get_double_member(expected, "pwcca"));
    assert_near(name, values[2], json_object_get_double_member(expected, "dimensions"));
    g_free(findings.note);
    features_clear(&read[0]);
    features_clear(&read[1]);
}

static void
test_correlation(void)
{
    g_autoptr(JsonObject) known = read_known_values();
    JsonArray *tests = json_object_get_array_member(known, "correlation");

    g_assert_cmpuint(json_array_get_length(tests), >, 0);
    for (guint i = 0; i < json_array_get_length(tests); i++)
        check_correlation(json_array_get_object_element(tests, i));
}

/* ---- saturation ---- */

static void
check_spectrum(JsonObject *expected, const GArray *details)
{
    if (!json_object_has_member(expected, "spectrum"))
        return;
    JsonArray *spectrum = json_object_get_array_member(expected, "spectrum");

    g_assert_cmpuint(details->len, ==, json_array_get_length(spectrum));
    for (guint i = 0; i < details->len; i++) {
        const double *row = (const double *) (gpointer) details->data + 3 * i;

        g_assert_cmpfloat(row[0], ==, i + 1);
        assert_near("eigenvalue", row[1], json_array_get_double_element(spectrum, i));
    }
}

static void
check_saturation(JsonObject *test, guint rule)
{
    static const char *const reductions[] = {"positions", "mean", "max", "flatten", NULL};
    static const char *const rules[] = {"textbook", "delve"};
    g_autoptr(AditProbe) probe = make_probe("saturation");
    JsonObject *expected = json_object_get_object_member(test, "expected");
    const char *name = json_object_get_string_member(test, "name");
    g_autoptr(GArray) details = g_array_new(FALSE, FALSE, 3 * sizeof(double));
    GArray *tables[] = {details};
    double values[5] = {0};
    AditFindings findings = {.values = values, .details = tables};
    int reduce = 0;

    while (!g_str_equal(reductions[reduce], json_object_get_string_member(test, "reduce")))
        reduce++;
    g_object_set(probe, "rule", rule, "reduce", reduce, "delta",
                 json_object_get_double_member(test, "delta"), NULL);
    AditFeatures read = make_features(probe, test, "x");

    prepare(probe, &read);
    g_assert_true(ADIT_PROBE_GET_CLASS(probe)->measure(probe, &read, &findings, NULL));
    assert_near(name, values[1], json_object_get_double_member(expected, rules[rule]));
    assert_near(name, values[0], values[1] / values[2]);
    assert_near(name, values[3], json_object_get_double_member(expected, "trace"));
    if (json_object_has_member(expected, "log-determinant"))
        assert_near(name, values[4], json_object_get_double_member(expected, "log-determinant"));
    check_spectrum(expected, details);
    g_assert_true((values[1] == 0) == (findings.note != NULL));
    g_free(findings.note);
    features_clear(&read);
}

static void
test_saturation(void)
{
    g_autoptr(JsonObject) known = read_known_values();
    JsonArray *tests = json_object_get_array_member(known, "saturation");

    g_assert_cmpuint(json_array_get_length(tests), >, 0);
    for (guint i = 0; i < 2 * json_array_get_length(tests); i++)
        check_saturation(json_array_get_object_element(tests, i / 2), i % 2);
}

/* ---- activation ---- */

static void
check_activation(JsonObject *test)
{
    g_autoptr(AditProbe) probe = make_probe("activation");
    JsonArray *expected = json_object_get_array_member(test, "expected");
    JsonArray *positive = json_object_get_array_member(test, "positive");
    const char *name = json_object_get_string_member(test, "name");
    g_autoptr(GArray) details = g_array_new(FALSE, FALSE, 3 * sizeof(double));
    GArray *tables[] = {details};
    double values[5] = {0};
    AditFindings findings = {.values = values, .details = tables};
    AditFeatures read = make_features(probe, test, "x");
    guint n = json_array_get_length(positive);

    prepare(probe, &read);
    g_assert_true(ADIT_PROBE_GET_CLASS(probe)->measure(probe, &read, &findings, NULL));
    for (guint i = 0; i < G_N_ELEMENTS(values); i++)
        assert_near(name, values[i], json_array_get_double_element(expected, i));
    g_assert_cmpuint(details->len, >=, n);
    for (guint i = 0; i < 3 * n; i++)
        assert_near(
            name, ((const double *) (gpointer) details->data)[3 * (details->len - n) + i],
            json_array_get_double_element(json_array_get_array_element(positive, i / 3), i % 3));
    features_clear(&read);
}

static void
test_activation(void)
{
    g_autoptr(JsonObject) known = read_known_values();
    JsonArray *tests = json_object_get_array_member(known, "activation");

    g_assert_cmpuint(json_array_get_length(tests), >, 0);
    for (guint i = 0; i < json_array_get_length(tests); i++)
        check_activation(json_array_get_object_element(tests, i));
}

/* ---- logistic ---- */

/* What is minimised goes to its least, but for what float32 makes of each sample. */
static void
check_logistic(JsonObject *test)
{
    JsonObject *expected = json_object_get_object_member(test, "expected");
    AditRegressionSetup setup = {.solver = ADIT_SOLVER_LBFGS,
                                 .standardize = TRUE,
                                 .c = json_object_get_double_member(test, "c"),
                                 .passes = 10000,
                                 .tolerance = 1e-5};
    AditLabelled data = {.n_classes = (guint) json_object_get_int_member(test, "classes")};
    JsonArray *rows = json_object_get_array_member(test, "x");
    g_autofree float *values = read_floats(rows, &data.samples);
    g_autofree float *classes = read_floats(json_object_get_array_member(test, "y"), &data.samples);
    g_autofree guint64 *confusion = g_new(guint64, data.n_classes * data.n_classes);

    data.width = json_array_get_length(json_array_get_array_element(rows, 0));
    data.values = values;
    data.classes = classes;
    g_autoptr(AditRegression) regression = adit_regression_fit(&setup, &data);

    g_test_message("%s: %u passes, residue %g", json_object_get_string_member(test, "name"),
                   regression->passes, regression->residue);
    g_assert_true(regression->has_converged);
    assert_near(json_object_get_string_member(test, "name"),
                adit_regression_count(regression, &data, confusion),
                json_object_get_double_member(expected, "accuracy"));
    if (json_object_has_member(expected, "loss"))
        g_assert_cmpfloat_with_epsilon(regression->loss,
                                       json_object_get_double_member(expected, "loss"), 1e-5);
}

static void
test_logistic(void)
{
    g_autoptr(JsonObject) known = read_known_values();
    JsonArray *tests = json_object_get_array_member(known, "logistic");

    g_assert_cmpuint(json_array_get_length(tests), >, 0);
    for (guint i = 0; i < json_array_get_length(tests); i++)
        check_logistic(json_array_get_object_element(tests, i));
}

/* ---- any probe ---- */

static AditFeatures
read_features(JsonObject *object)
{
    AditFeatures features = make_features(NULL, object, "values");

    if (json_object_has_member(object, "classes"))
        features.classes = (guint) json_object_get_int_member(object, "classes");
    return features;
}

/* JSON's numbers as the parameter's own. */
static void
set_parameters(AditProbe *probe, JsonObject *set)
{
    g_autoptr(GList) names = json_object_get_members(set);

    for (GList *name = names; name != NULL; name = name->next) {
        GParamSpec *spec = g_object_class_find_property(G_OBJECT_GET_CLASS(probe), name->data);
        g_auto(GValue) value = G_VALUE_INIT, wanted = G_VALUE_INIT;

        g_assert_nonnull(spec);
        json_node_get_value(json_object_get_member(set, name->data), &value);
        g_value_init(&wanted, spec->value_type);
        g_assert_true(g_value_transform(&value, &wanted));
        g_object_set_property(G_OBJECT(probe), name->data, &wanted);
    }
}

static void
check_row(const char *what, const AditFindings *findings, JsonArray *expected)
{
    gboolean missing = FALSE;

    for (guint i = 0; i < json_array_get_length(expected); i++) {
        gboolean is_missing = json_array_get_null_element(expected, i);

        missing = missing || is_missing;
        if (is_missing)
            g_assert_true(isnan(findings->values[i]));
        else
            assert_near(what, findings->values[i], json_array_get_double_element(expected, i));
    }
    g_assert_true(missing == (findings->note != NULL));
}

static void
check_probe(JsonObject *test)
{
    const char *kind = json_object_get_string_member(test, "probe");
    g_autoptr(AditProbe) probe = make_probe(kind);
    AditProbeClass *klass = ADIT_PROBE_GET_CLASS(probe);
    JsonArray *given = json_object_get_array_member(test, "read");
    guint n = json_array_get_length(given);
    g_autofree AditFeatures *read = g_new(AditFeatures, n);
    double values[16] = {0};
    AditFindings findings = {.values = values};
    g_autofree char *what =
        g_strdup_printf("%s %s", kind, json_object_get_string_member(test, "name"));

    set_parameters(probe, json_object_get_object_member(test, "set"));
    for (guint i = 0; i < n; i++) {
        read[i] = read_features(json_array_get_object_element(given, i));
        if (klass->count != NULL && (i == 0 || klass->prepare != NULL))
            prepare(probe, &read[i]);
    }
    g_assert_true(klass->measure(probe, read, &findings, NULL));
    check_row(what, &findings, json_object_get_array_member(test, "expected"));
    g_free(findings.note);
    for (guint i = 0; i < n; i++)
        features_clear(&read[i]);
}

static void
test_probes(void)
{
    g_autoptr(JsonObject) known = read_known_values();
    JsonArray *tests = json_object_get_array_member(known, "probes");

    g_assert_cmpuint(json_array_get_length(tests), >, 0);
    for (guint i = 0; i < json_array_get_length(tests); i++)
        check_probe(json_array_get_object_element(tests, i));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/core/probe/known-values/similarity", test_similarity);
    g_test_add_func("/core/probe/known-values/correlation", test_correlation);
    g_test_add_func("/core/probe/known-values/saturation", test_saturation);
    g_test_add_func("/core/probe/known-values/activation", test_activation);
    g_test_add_func("/core/probe/known-values/logistic", test_logistic);
    g_test_add_func("/core/probe/known-values/probes", test_probes);
    return g_test_run();
}
