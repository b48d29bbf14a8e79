/* tests/core/data/test-data.c - SPDX-License-Identifier: MIT */
#include "adit-data.h"

#include <math.h>
#include <string.h>

/* A data set whose row i has the input (i, 7, i * i) and the target i, or class i % 4. */
struct _TestRows {
    AditDataset parent_instance;
    gint64 rows;
    gint64 test_rows;
    gint64 classes;
    char *damage;
};
ADIT_DEFINE_DATASET(TestRows, test_rows, TEST_ROWS)

static gboolean
fill(TestRows *self, AditExamples *examples, gint64 rows, GError **error)
{
    examples->classes = (guint) self->classes;
    examples->inputs = adit_array_new(ADIT_TYPE_CODE_F64, &ADIT_SHAPE(3), 0, error);
    examples->targets = self->classes > 0
                            ? adit_array_new(ADIT_TYPE_CODE_I32, &ADIT_SCALAR, 0, error)
                            : adit_array_new(ADIT_TYPE_CODE_F64, &ADIT_SHAPE(1), 0, error);
    for (gint64 i = 0; i < rows; i++) {
        double target = (double) i;
        gint32 label = (gint32) (i % 4);

        if (!adit_array_append(examples->inputs,
                               ((double[]){(double) i, 7.1, (double) i * (double) i}), error) ||
            !adit_array_append(examples->targets,
                               self->classes > 0 ? (void *) &label : (void *) &target, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
load(AditDataset *dataset, AditLoader *loader, AditExamples *train, AditExamples *test,
     GError **error)
{
    TestRows *self = TEST_ROWS(dataset);
    const char *damage = self->damage != NULL ? self->damage : "";

    if (!fill(self, train, self->rows, error) ||
        (self->test_rows > 0 && !fill(self, test, self->test_rows, error)))
        return FALSE;
    if (g_str_equal(damage, "nan"))
        ((double *) train->inputs->data)[7] = (double) NAN;
    if (g_str_equal(damage, "rows"))
        train->targets->rows--;
    if (g_str_equal(damage, "empty"))
        train->inputs->shape = ADIT_SHAPE(1, 0);
    if (g_str_equal(damage, "shape"))
        test->inputs->shape = ADIT_SHAPE(1, 3);
    return TRUE;
}

static gboolean
describe(AditDataset *dataset, AditLoader *loader, AditSchema *schema, GError **error)
{
    schema->inputs = ADIT_SHAPE(3);
    return TRUE;
}

static void
test_rows_class_init(AditComponentClass *klass)
{
    AditDatasetClass *dataset_class = ADIT_DATASET_CLASS(klass);

    dataset_class->load = load;
    dataset_class->describe = describe;
    dataset_class->has_test = TRUE;
    dataset_class->default_test = (AditAmount){.value = 0.25, .unit = ADIT_UNIT_PERCENT};
    adit_component_class_describe(klass, "test-rows", "Rows that say who they are");
    adit_component_class_add_int(klass, "rows", "Rows", 0, G_MAXINT64, 100,
                                 ADIT_FIELD(TestRows, rows, gint64));
    adit_component_class_add_int(klass, "test-rows", "Rows of a test set of its own", 0, G_MAXINT64,
                                 0, ADIT_FIELD(TestRows, test_rows, gint64));
    adit_component_class_add_int(klass, "classes", "Classes", 0, 100, 0,
                                 ADIT_FIELD(TestRows, classes, gint64));
    adit_component_class_add_text(klass, "damage", "What is wrong", NULL,
                                  ADIT_FIELD(TestRows, damage, char *));
}

static AditAmount
percent(double value)
{
    return (AditAmount){.value = value / 100, .unit = ADIT_UNIT_PERCENT};
}

static AditAmount
count(double value)
{
    return (AditAmount){.value = value};
}

static AditData *
open_rows(const AditAmount *test, const AditAmount *validation, gint64 seed, gint64 own)
{
    g_autoptr(AditDataset) dataset =
        g_object_new(test_rows_get_type(), "split-seed", seed, "test-rows", own, NULL);
    g_autoptr(GError) error = NULL;
    AditData *data = NULL;

    if (test != NULL)
        g_object_set(dataset, "test", test, NULL);
    if (validation != NULL)
        g_object_set(dataset, "validation", validation, NULL);
    data = adit_data_open(dataset, NULL, &error);
    g_assert_no_error(error);
    return data;
}

/* Marks the rows of @split; none may be marked already. */
static void
mark(const AditSplit *split, guint8 *seen)
{
    for (gsize i = 0; i < split->rows; i++) {
        g_assert_cmpuint(seen[adit_split_get_row(split, i)], ==, 0);
        seen[adit_split_get_row(split, i)] = 1;
        g_assert_cmpfloat(adit_array_get(split->targets, adit_split_get_row(split, i)), ==,
                          (double) adit_split_get_row(split, i));
    }
}

static void
assert_partition(const AditData *data, gsize train, gsize validation, gsize test)
{
    guint8 seen[100] = {0};

    g_assert_cmpuint(data->train.rows, ==, train);
    g_assert_cmpuint(data->validation.rows, ==, validation);
    g_assert_cmpuint(data->test.rows, ==, test);
    mark(&data->train, seen);
    mark(&data->validation, seen);
    mark(&data->test, seen);
    g_assert_null(memchr(seen, 0, sizeof seen));
}

static void
test_splits(void)
{
    AditAmount fifth = percent(20);
    AditAmount seven = count(7);
    AditAmount none = count(0);
    g_autoptr(AditData) by_default = open_rows(NULL, NULL, 0, 0);
    g_autoptr(AditData) shares = open_rows(&fifth, &fifth, 0, 0);
    g_autoptr(AditData) counts = open_rows(&seven, &seven, 0, 0);
    g_autoptr(AditData) whole = open_rows(&none, NULL, 0, 0);

    assert_partition(by_default, 75, 0, 25);
    assert_partition(shares, 60, 20, 20);
    assert_partition(counts, 86, 7, 7);
    assert_partition(whole, 100, 0, 0);
    for (gsize i = 0; i < 100; i++)
        g_assert_cmpuint(adit_split_get_row(&whole->train, i), ==, i);
    g_assert_null(whole->test.inputs);
}

/* A test set of its own stays as it is unless the user wants another. */
static void
test_own_test_set(void)
{
    AditAmount ten = count(10);
    g_autoptr(AditData) own = open_rows(NULL, &ten, 0, 30);
    g_autoptr(AditData) drawn = open_rows(&ten, NULL, 0, 30);

    g_assert_cmpuint(own->train.rows, ==, 90);
    g_assert_cmpuint(own->validation.rows, ==, 10);
    g_assert_cmpuint(own->test.rows, ==, 30);
    g_assert_true(own->test.inputs != own->train.inputs);
    for (gsize i = 0; i < 30; i++)
        g_assert_cmpuint(adit_split_get_row(&own->test, i), ==, i);
    assert_partition(drawn, 90, 0, 10);
}

static void
test_split_seed(void)
{
    g_autoptr(AditData) a = open_rows(NULL, NULL, 1, 0);
    g_autoptr(AditData) again = open_rows(NULL, NULL, 1, 0);
    g_autoptr(AditData) b = open_rows(NULL, NULL, 2, 0);

    g_assert_cmpmem(a->test.index->data, 25 * sizeof(gint32), again->test.index->data,
                    25 * sizeof(gint32));
    g_assert_true(memcmp(a->test.index->data, b->test.index->data, 25 * sizeof(gint32)) != 0);
    g_assert_cmpstr(a->fingerprint, ==, b->fingerprint);
}

static void
test_impossible_splits(void)
{
    const struct {
        AditAmount test;
        AditAmount validation;
        const char *message;
    } cases[] = {
        {percent(100), count(0), "test: 100% leaves nothing to train on; it takes from 100 rows"},
        {count(500), count(0), "test: 500 leaves nothing to train on; it takes from 100 rows"},
        {percent(20), percent(80),
         "validation: 80% leaves nothing to train on; it takes from 80 rows"},
        {percent(0.1), count(0), "test: 0.1% of 100 rows is no row"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(AditDataset) dataset = g_object_new(test_rows_get_type(), "test", &cases[i].test,
                                                      "validation", &cases[i].validation, NULL);
        g_autoptr(GError) error = NULL;
        g_autoptr(AditData) data = adit_data_open(dataset, NULL, &error);

        g_assert_null(data);
        g_assert_error(error, ADIT_ERROR, ADIT_ERROR_INVALID);
        g_assert_cmpstr(error->message, ==, cases[i].message);
    }
}

static void
test_refused_data(void)
{
    static const struct {
        const char *damage;
        gint64 rows;
        gint64 classes;
        const char *message;
    } cases[] = {
        {"nan", 100, 0, "data 'noisy': inputs [2, 1] is nan, expected a finite number"},
        {"rows", 100, 0, "data 'noisy': 100 inputs, but 99 targets"},
        {"shape", 100, 0, "data 'noisy': inputs of the test set are 1x3, expected 3"},
        {"empty", 100, 0, "data 'noisy': inputs are 1x0, which is no number at all"},
        {"", 0, 0, "data 'noisy': no rows"},
        {"", 100, 3, "data 'noisy': targets [3] is class 3, expected 0..2"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(AditDataset) dataset = g_object_new(
            test_rows_get_type(), "name", "noisy", "rows", cases[i].rows, "classes",
            cases[i].classes, "test-rows", (gint64) 5, "damage", cases[i].damage, NULL);
        g_autoptr(GError) error = NULL;
        g_autoptr(AditData) data = adit_data_open(dataset, NULL, &error);

        g_assert_null(data);
        g_assert_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED);
        g_assert_cmpstr(error->message, ==, cases[i].message);
    }
}

/* Mean 0 and variance 1 over the training rows; what was constant is 0; the test set by the same.
 */
static void
test_standardizes_features(void)
{
    g_autoptr(AditDataset) dataset =
        g_object_new(test_rows_get_type(), "standardize", (int) ADIT_STANDARDIZE_FEATURES,
                     "test-rows", (gint64) 10, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(AditData) data = adit_data_open(dataset, NULL, &error);
    const AditStandardization *how = NULL;

    g_assert_no_error(error);
    how = &data->standardization;
    g_assert_cmpuint(how->count, ==, 3);
    g_assert_cmpfloat_with_epsilon(how->mean[0], 49.5, 1e-12);
    g_assert_cmpfloat_with_epsilon(how->scale[0], sqrt(833.25), 1e-12);
    g_assert_cmpfloat(how->scale[1], ==, 1);
    g_assert_cmpfloat_with_epsilon(adit_array_get(data->train.inputs, 1), 0, 1e-12);
    for (gsize i = 0; i < 10; i++)
        g_assert_cmpfloat_with_epsilon(adit_array_get(data->test.inputs, 3 * i),
                                       ((double) i - 49.5) / sqrt(833.25), 1e-7);
}

/* New data is standardised by what the old was. */
static void
test_standardizes_as(void)
{
    g_autoptr(AditDataset) dataset = g_object_new(test_rows_get_type(), NULL);
    AditStandardization how = {
        .count = 3, .inner = 1, .mean = (double[]){1, 2, 3}, .scale = (double[]){2, 1, 4}};
    g_autoptr(GError) error = NULL;
    g_autoptr(AditData) data = adit_data_open_as(dataset, NULL, 0, &how, &error);
    g_autoptr(AditData) other = NULL;

    g_assert_no_error(error);
    g_assert_cmpfloat_with_epsilon(adit_array_get(data->train.inputs, 3 * 5), 2, 1e-7);
    g_assert_cmpfloat_with_epsilon(adit_array_get(data->train.inputs, 3 * 5 + 2), 5.5, 1e-7);
    how.count = 2;
    other = adit_data_open_as(dataset, NULL, 0, &how, &error);
    g_assert_null(other);
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_INVALID);
    g_assert_cmpstr(
        error->message, ==,
        "data 'test-rows': inputs are 3, but what they are standardised by has 2 values");
}

static void
test_standardizes_channels(void)
{
    const gint32 index[] = {0, 1};
    float images[] = {1, 2, 3, 4, 10, 10, 10, 10, 5, 6, 7, 8, 10, 10, 10, 10};
    float tokens[] = {1, 2, 3, 4, 5, 6};
    AditArray image_array = {.type = ADIT_TYPE_CODE_F32,
                             .rows = 2,
                             .shape = ADIT_SHAPE(2, 2, 2),
                             .scale = 1,
                             .data = images};
    AditArray token_array = {.type = ADIT_TYPE_CODE_F32,
                             .rows = 1,
                             .shape = ADIT_SHAPE(3, 2),
                             .scale = 1,
                             .data = tokens};
    AditStandardization how = {0};

    adit_standardization_init(&how, ADIT_STANDARDIZE_CHANNELS, &image_array.shape);
    adit_standardization_measure(&how, &image_array, index, 2);
    g_assert_cmpuint(how.count, ==, 2);
    g_assert_cmpfloat_with_epsilon(how.mean[0], 4.5, 1e-12);
    g_assert_cmpfloat_with_epsilon(how.scale[0], sqrt(5.25), 1e-12);
    g_assert_cmpfloat(how.mean[1], ==, 10);
    g_assert_cmpfloat(how.scale[1], ==, 1);
    adit_standardization_clear(&how);

    adit_standardization_init(&how, ADIT_STANDARDIZE_CHANNELS, &token_array.shape);
    adit_standardization_measure(&how, &token_array, index, 1);
    g_assert_cmpuint(how.count, ==, 2);
    g_assert_cmpfloat_with_epsilon(how.mean[0], 3, 1e-12);
    g_assert_cmpfloat_with_epsilon(how.mean[1], 4, 1e-12);
    adit_standardization_clear(&how);
}

static void
test_gathers(void)
{
    gint32 index[] = {2, 0};
    AditArray index_array = {
        .type = ADIT_TYPE_CODE_I32, .rows = 2, .shape = ADIT_SCALAR, .scale = 1, .data = index};
    guint8 bytes[] = {0, 51, 255, 1, 102, 204};
    gint32 labels[] = {4, 5, 6};
    AditArray inputs = {.type = ADIT_TYPE_CODE_U8,
                        .rows = 3,
                        .shape = ADIT_SHAPE(2),
                        .scale = 1.0 / 255.0,
                        .data = bytes};
    AditArray targets = {
        .type = ADIT_TYPE_CODE_I32, .rows = 3, .shape = ADIT_SCALAR, .scale = 1, .data = labels};
    AditSplit split = {
        .inputs = &inputs, .targets = &targets, .classes = 7, .index = &index_array, .rows = 2};
    const gsize rows[] = {1, 0, 1};
    float narrow[6] = {0};
    double wide[6] = {0};
    const double expected[] = {0, 0.2, 0.4, 0.8, 0, 0.2};

    adit_split_gather_f32(&split, rows, 3, narrow);
    adit_split_gather_f64(&split, rows, 3, wide);
    for (guint i = 0; i < 6; i++) {
        g_assert_cmpfloat_with_epsilon((double) narrow[i], expected[i], 1e-7);
        g_assert_cmpfloat_with_epsilon(wide[i], expected[i], 1e-15);
    }
    adit_split_gather_targets_f32(&split, rows, 3, narrow);
    adit_split_gather_targets_f64(&split, rows, 3, wide);
    g_assert_cmpfloat((double) narrow[0], ==, 4);
    g_assert_cmpfloat(wide[1], ==, 6);
    g_assert_cmpfloat(adit_split_get_target_variance(&split), ==, 0);
}

/* Of the split's own rows, not of all that the arrays hold. */
static void
test_commonest_share(void)
{
    gint32 index[] = {0, 1, 2, 4};
    gint32 labels[] = {2, 0, 2, 1, 2, 1, 1, 1};
    AditArray index_array = {
        .type = ADIT_TYPE_CODE_I32, .rows = 4, .shape = ADIT_SCALAR, .scale = 1, .data = index};
    AditArray targets = {
        .type = ADIT_TYPE_CODE_I32, .rows = 8, .shape = ADIT_SCALAR, .scale = 1, .data = labels};
    AditSplit split = {.targets = &targets, .classes = 3, .index = &index_array, .rows = 4};

    g_assert_cmpfloat(adit_split_get_commonest_share(&split), ==, 0.75);
    split.rows = 0;
    g_assert_cmpfloat(adit_split_get_commonest_share(&split), ==, 0);
    split.rows = 4;
    split.classes = 0;
    g_assert_cmpfloat(adit_split_get_commonest_share(&split), ==, 0);
}

static void
test_target_variance(void)
{
    AditAmount none = count(0);
    g_autoptr(AditData) data = open_rows(&none, NULL, 0, 0);

    g_assert_cmpfloat_with_epsilon(adit_split_get_target_variance(&data->train), 833.25, 1e-9);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/data/data/splits", test_splits);
    g_test_add_func("/data/data/own-test-set", test_own_test_set);
    g_test_add_func("/data/data/split-seed", test_split_seed);
    g_test_add_func("/data/data/impossible-splits", test_impossible_splits);
    g_test_add_func("/data/data/refused-data", test_refused_data);
    g_test_add_func("/data/data/standardizes-features", test_standardizes_features);
    g_test_add_func("/data/data/standardizes-as", test_standardizes_as);
    g_test_add_func("/data/data/standardizes-channels", test_standardizes_channels);
    g_test_add_func("/data/data/gathers", test_gathers);
    g_test_add_func("/data/data/target-variance", test_target_variance);
    g_test_add_func("/data/data/commonest-share", test_commonest_share);
    return g_test_run();
}
