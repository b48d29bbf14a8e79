/* core/data/adit-data.c - SPDX-License-Identifier: MIT */
#include "adit-data.h"
#include "adit-array-private.h"
#include "adit-loader.h"
#include "adit-philox.h"

#include <math.h>

void
adit_examples_clear(AditExamples *self)
{
    g_clear_pointer(&self->inputs, adit_array_unref);
    g_clear_pointer(&self->targets, adit_array_unref);
    self->classes = 0;
}

void
adit_data_free(AditData *self)
{
    g_free(self->name);
    adit_split_clear(&self->train);
    adit_split_clear(&self->validation);
    adit_split_clear(&self->test);
    adit_standardization_clear(&self->standardization);
    g_strfreev(self->files);
    g_free(self->fingerprint);
    g_free(self);
}

G_GNUC_PRINTF(3, 4)
static gboolean
adit_data_fail(const AditData *self, GError **error, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED, "data '%s': %s", self->name, text);
    return FALSE;
}

static gboolean
adit_data_check_array(const AditData *self, const AditArray *array, guint classes, const char *what,
                      GError **error)
{
    gsize count = array->rows * adit_shape_count(&array->shape);

    for (gsize i = 0; i < count && array->type != ADIT_TYPE_CODE_U8; i++) {
        double value = adit_array_get(array, i);
        g_autofree char *place = NULL;

        if (isfinite(value) && (classes == 0 || (value >= 0 && value < classes)))
            continue;
        place = adit_array_describe_index(array, i);
        if (!isfinite(value))
            return adit_data_fail(self, error, "%s %s is %g, expected a finite number", what, place,
                                  value);
        return adit_data_fail(self, error, "%s %s is class %.0f, expected 0..%u", what, place,
                              value, classes - 1);
    }
    return TRUE;
}

/* What a plugin gave holds together: rows, class numbers, numbers. */
static gboolean
adit_data_check(const AditData *self, const AditExamples *examples, GError **error)
{
    const AditArray *inputs = examples->inputs;
    const AditArray *targets = examples->targets;

    if (inputs == NULL || inputs->rows == 0)
        return adit_data_fail(self, error, "no rows");
    if (adit_shape_count(&inputs->shape) == 0) {
        g_autofree char *shape = adit_shape_to_string(&inputs->shape);

        return adit_data_fail(self, error, "inputs are %s, which is no number at all", shape);
    }
    if (targets != NULL && targets->rows != inputs->rows)
        return adit_data_fail(self, error,
                              "%" G_GSIZE_FORMAT " inputs, but %" G_GSIZE_FORMAT " targets",
                              inputs->rows, targets->rows);
    if (targets != NULL && (targets->type == ADIT_TYPE_CODE_I32) != (examples->classes > 0))
        return adit_data_fail(self, error, "targets are either class numbers or values");
    return adit_data_check_array(self, inputs, 0, "inputs", error) &&
           (targets == NULL ||
            adit_data_check_array(self, targets, examples->classes, "targets", error));
}

/* A test set of its own is like the training set. */
static gboolean
adit_data_check_test(const AditData *self, const AditExamples *train, const AditExamples *test,
                     GError **error)
{
    g_autofree char *got = adit_shape_to_string(&test->inputs->shape);
    g_autofree char *expected = adit_shape_to_string(&train->inputs->shape);

    if (!adit_shape_equal(&test->inputs->shape, &train->inputs->shape))
        return adit_data_fail(self, error, "inputs of the test set are %s, expected %s", got,
                              expected);
    if ((test->targets != NULL) != (train->targets != NULL))
        return adit_data_fail(self, error, "one of training and test set has no targets");
    if (test->classes > train->classes)
        return adit_data_fail(self, error, "the test set has %u classes, expected %u",
                              test->classes, train->classes);
    if (train->targets != NULL && !adit_shape_equal(&test->targets->shape, &train->targets->shape))
        return adit_data_fail(self, error, "targets of the test set have another shape");
    return TRUE;
}

/* How many of @rows @amount is. */
static gboolean
adit_data_count(const char *key, AditAmount amount, gsize rows, gsize *count, GError **error)
{
    gboolean share = amount.unit == ADIT_UNIT_PERCENT;
    double value = share ? round(amount.value * (double) rows) : amount.value;

    *count = 0;
    if (amount.value <= 0)
        return TRUE;
    if (value < 1) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "%s: %g%% of %" G_GSIZE_FORMAT " rows is no row", key, amount.value * 100,
                    rows);
        return FALSE;
    }
    *count = value < (double) rows ? (gsize) value : rows;
    return TRUE;
}

/* The same, and something is left of @left rows. */
static gboolean
adit_data_take(const char *key, AditAmount amount, gsize rows, gsize *left, gsize *count,
               GError **error)
{
    if (!adit_data_count(key, amount, rows, count, error))
        return FALSE;
    if (*count >= *left) {
        gboolean share = amount.unit == ADIT_UNIT_PERCENT;

        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "%s: %.15g%s leaves nothing to train on; it takes from %" G_GSIZE_FORMAT
                    " rows",
                    key, share ? amount.value * 100 : amount.value, share ? "%" : "", *left);
        return FALSE;
    }
    *left -= *count;
    return TRUE;
}

/* (array length=rows): 0, 1, 2, ... or, where something is drawn, a permutation of that. */
static gsize *
adit_data_order(gsize rows, gboolean draw, gint64 seed)
{
    gsize *order = g_new(gsize, rows);
    AditPermutation permutation;

    adit_permutation_init(&permutation, (guint64) seed, "split", rows);
    for (gsize i = 0; i < rows; i++)
        order[i] = draw ? (gsize) adit_permutation_at(&permutation, i) : i;
    return order;
}

static gboolean
adit_split_choose(AditSplit *self, const gsize *order, gsize rows, GError **error)
{
    self->index = adit_array_new(ADIT_TYPE_CODE_I32, &ADIT_SCALAR, rows, error);
    if (self->index == NULL)
        return FALSE;
    for (gsize i = 0; i < rows; i++)
        ((gint32 *) self->index->data)[i] = (gint32) order[i];
    self->rows = rows;
    return TRUE;
}

/* Chooses the rows of each split. Clears @test, the set's own, when the user wants another. */
static gboolean
adit_data_split(AditData *self, AditDataset *dataset, const AditExamples *train, AditExamples *test,
                GError **error)
{
    const AditDatasetSettings *settings = adit_dataset_get_settings(dataset);
    AditAmount held =
        settings->test.value < 0 ? ADIT_DATASET_GET_CLASS(dataset)->default_test : settings->test;
    gsize rows = train->inputs->rows;
    gsize left = rows;
    gsize n_test = 0;
    gsize n_validation = 0;
    g_autofree gsize *order = NULL;
    g_autofree gsize *own = NULL; /* of a test set that comes with the data */

    if (rows > G_MAXINT32) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_MEMORY,
                    "data '%s' has %" G_GSIZE_FORMAT " rows, expected at most %d", self->name, rows,
                    G_MAXINT32);
        return FALSE;
    }
    if (settings->test.value >= 0)
        adit_examples_clear(test);
    if (test->inputs == NULL && !adit_data_take("test", held, rows, &left, &n_test, error))
        return FALSE;
    if (!adit_data_take("validation", settings->validation, rows, &left, &n_validation, error))
        return FALSE;
    order = adit_data_order(rows, left < rows, settings->split_seed);
    if (test->inputs != NULL)
        own = adit_data_order(test->inputs->rows, FALSE, 0);
    return adit_split_choose(&self->test, own != NULL ? own : order,
                             own != NULL ? test->inputs->rows : n_test, error) &&
           adit_split_choose(&self->validation, order + n_test, n_validation, error) &&
           adit_split_choose(&self->train, order + n_test + n_validation, left, error);
}

static void
adit_split_bind(AditSplit *self, const AditExamples *examples, guint classes, gboolean streams)
{
    if (self->rows == 0)
        return;
    self->inputs = adit_array_ref(examples->inputs);
    self->targets = examples->targets != NULL ? adit_array_ref(examples->targets) : NULL;
    self->classes = classes;
    self->is_streamed = streams;
}

/* Replaces @array by what a device takes: bytes and class numbers as they are unless standardised,
 * other numbers as F32. */
static gboolean
adit_data_convert(const AditData *self, AditArray **array, const AditStandardization *how,
                  const char *what, GError **error)
{
    AditArray *converted = NULL;
    g_autofree char *place = g_strdup_printf("data '%s': %s", self->name, what);

    if (*array == NULL || (how->count == 0 && (*array)->type != ADIT_TYPE_CODE_F64 &&
                           ((*array)->type != ADIT_TYPE_CODE_F32 || (*array)->scale == 1)))
        return TRUE;
    converted = adit_standardization_apply(how, *array, place, error);
    if (converted == NULL)
        return FALSE;
    adit_array_unref(*array);
    *array = converted;
    return TRUE;
}

static gboolean
adit_data_convert_all(const AditData *self, AditExamples *examples, GError **error)
{
    static const AditStandardization nothing = {.inner = 1};

    return adit_data_convert(self, &examples->inputs, &self->standardization, "inputs", error) &&
           adit_data_convert(self, &examples->targets, &nothing, "targets", error);
}

/* Measures the training rows, or takes what is @given. */
static gboolean
adit_data_standardize(AditData *self, AditDataset *dataset, const AditExamples *train,
                      const AditStandardization *given, GError **error)
{
    int how = adit_dataset_get_settings(dataset)->standardize;
    gsize count = adit_shape_count(&self->input_shape);

    if (given == NULL) {
        adit_standardization_init(&self->standardization, (AditStandardize) how,
                                  &self->input_shape);
        adit_standardization_measure(&self->standardization, train->inputs, self->train.index->data,
                                     self->train.rows);
        return TRUE;
    }
    if (given->count > 0 && count % (given->count * given->inner) != 0) {
        g_autofree char *shape = adit_shape_to_string(&self->input_shape);

        g_set_error(
            error, ADIT_ERROR, ADIT_ERROR_INVALID,
            "data '%s': inputs are %s, but what they are standardised by has %" G_GSIZE_FORMAT
            " values",
            self->name, shape, given->count);
        return FALSE;
    }
    adit_standardization_copy(given, &self->standardization);
    return TRUE;
}

static void
adit_data_digest_array(GChecksum *checksum, const AditArray *array)
{
    g_autofree char *shape = array != NULL ? adit_shape_to_string(&array->shape) : NULL;
    gsize count = 0;

    if (array == NULL)
        return;
    count = array->rows * adit_shape_count(&array->shape);
    g_checksum_update(checksum, (const guchar *) shape, -1);
    g_checksum_update(checksum, array->data,
                      (gssize) (count * adit_type_code_get_size(array->type)));
}

static gboolean
adit_data_fingerprint(AditData *self, AditLoader *loader, const AditExamples *train,
                      const AditExamples *test, GError **error)
{
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
    guint n = 0;

    self->files = adit_loader_list_files(loader, error);
    if (self->files == NULL)
        return FALSE;
    n = g_strv_length(self->files);
    for (guint i = 0; i < n; i++) {
        g_checksum_update(checksum, (const guchar *) self->files[i], 64);
        g_checksum_update(checksum, (const guchar *) "\n", 1);
    }
    if (n == 0) {
        adit_data_digest_array(checksum, train->inputs);
        adit_data_digest_array(checksum, train->targets);
        adit_data_digest_array(checksum, test->inputs);
        adit_data_digest_array(checksum, test->targets);
    }
    self->fingerprint = n == 1 ? g_strdup_printf("sha256:%.64s", self->files[0])
                               : g_strconcat("sha256:", g_checksum_get_string(checksum), NULL);
    return TRUE;
}

static const char *
adit_data_choose_name(AditDataset *dataset)
{
    const char *name = adit_dataset_get_settings(dataset)->name;

    return name != NULL ? name : ADIT_COMPONENT_GET_CLASS(dataset)->name;
}

/* Loads, checks both sets, and takes their shapes. */
static gboolean
adit_data_load(AditData *self, AditDataset *dataset, AditLoader *loader, AditExamples *train,
               AditExamples *test, GError **error)
{
    if (!ADIT_DATASET_GET_CLASS(dataset)->load(dataset, loader, train, test, error) ||
        !adit_data_check(self, train, error) ||
        !adit_data_fingerprint(self, loader, train, test, error))
        return FALSE;
    if (test->inputs != NULL &&
        (!adit_data_check(self, test, error) || !adit_data_check_test(self, train, test, error)))
        return FALSE;
    self->input_shape = train->inputs->shape;
    self->target_shape = train->targets != NULL ? train->targets->shape : ADIT_SCALAR;
    self->classes = train->classes;
    return TRUE;
}

AditData *
adit_data_open_as(AditDataset *dataset, const char *data_folder, guint threads,
                  const AditStandardization *standardization, GError **error)
{
    g_autoptr(AditData) self = g_new0(AditData, 1);
    gint64 seed = adit_dataset_get_settings(dataset)->split_seed;
    g_autoptr(AditLoader) loader = adit_loader_new(data_folder, (guint64) seed);
    g_auto(AditExamples) train = {0};
    g_auto(AditExamples) test = {0};

    gboolean streams = adit_dataset_get_settings(dataset)->resident == ADIT_RESIDENT_NO;

    self->name = g_strdup(adit_data_choose_name(dataset));
    adit_loader_set_threads(loader, threads);
    if (!adit_data_load(self, dataset, loader, &train, &test, error) ||
        !adit_data_split(self, dataset, &train, &test, error) ||
        !adit_data_standardize(self, dataset, &train, standardization, error) ||
        !adit_data_convert_all(self, &train, error) ||
        (test.inputs != NULL && !adit_data_convert_all(self, &test, error)))
        return NULL;
    adit_split_bind(&self->train, &train, self->classes, streams);
    adit_split_bind(&self->validation, &train, self->classes, streams);
    adit_split_bind(&self->test, test.inputs != NULL ? &test : &train, self->classes, streams);
    return g_steal_pointer(&self);
}

AditData *
adit_data_open(AditDataset *dataset, const char *data_folder, GError **error)
{
    return adit_data_open_as(dataset, data_folder, 0, NULL, error);
}

gboolean
adit_data_describe(AditDataset *dataset, const char *data_folder, AditSchema *schema,
                   GError **error)
{
    gint64 seed = adit_dataset_get_settings(dataset)->split_seed;
    g_autoptr(AditLoader) loader = adit_loader_new(data_folder, (guint64) seed);

    *schema = (AditSchema){0};
    return ADIT_DATASET_GET_CLASS(dataset)->describe(dataset, loader, schema, error);
}
