/* plugins/datasets/csv.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { REDUCE_NONE, REDUCE_MEAN, REDUCE_SUM, REDUCE_MIN, REDUCE_MAX, REDUCE_MEDIAN };
enum { TRANSFORM_NONE, TRANSFORM_LOG2, TRANSFORM_LN, TRANSFORM_LOG10 };

static const char *const reductions[] = {"none", "mean", "sum", "min", "max", "median", NULL};
static const char *const transforms[] = {"none", "log2", "ln", "log10", NULL};

struct _AditCsv {
    AditDataset parent_instance;
    char *path;
    GStrv inputs;
    GStrv target;
    int target_reduce;
    int target_transform;
    gint64 classes;
    char *delimiter;
};
ADIT_DEFINE_DATASET(AditCsv, adit_csv, CSV)

/**
 * Plan: what each column is for.
 */
typedef struct {
    AditRecords *records;
    gboolean *is_input;  /* by column */
    gboolean *is_target; /* by column */
    guint n_inputs;
    guint n_targets;
} Plan;

static void
plan_clear(Plan *self)
{
    g_clear_pointer(&self->records, adit_records_free);
    g_clear_pointer(&self->is_input, g_free);
    g_clear_pointer(&self->is_target, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Plan, plan_clear)

static gboolean fail(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static gboolean
fail(GError **error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    if (error != NULL)
        *error = g_error_new_valist(ADIT_ERROR, ADIT_ERROR_INVALID, format, arguments);
    va_end(arguments);
    return FALSE;
}

static gboolean
plan_columns(Plan *plan, AditCsv *self, GError **error)
{
    guint n = adit_records_count_columns(plan->records);

    plan->is_input = g_new0(gboolean, n);
    plan->is_target = g_new0(gboolean, n);
    if (self->target != NULL &&
        !adit_records_match(plan->records, (const char *const *) self->target, plan->is_target,
                            error))
        return FALSE;
    if (self->inputs != NULL &&
        !adit_records_match(plan->records, (const char *const *) self->inputs, plan->is_input,
                            error))
        return FALSE;
    for (guint i = 0; i < n; i++) {
        if (self->inputs == NULL)
            plan->is_input[i] = !plan->is_target[i];
        if (plan->is_input[i] && plan->is_target[i])
            return fail(error, "column '%s' is both an input and a target",
                        adit_records_get_column(plan->records, i));
        plan->n_inputs += plan->is_input[i];
        plan->n_targets += plan->is_target[i];
    }
    if (plan->n_inputs == 0)
        return fail(error, "no column is left as an input");
    if (self->classes > 0 && plan->n_targets != 1)
        return fail(error, "'classes' needs one target column, got %u", plan->n_targets);
    return TRUE;
}

static gboolean
open_plan(Plan *plan, AditCsv *self, AditLoader *loader, GError **error)
{
    g_autoptr(GInputStream) stream = adit_loader_open(loader, self->path, error);

    if (stream == NULL)
        return FALSE;
    plan->records = adit_records_new(loader, stream, self->delimiter[0], error);
    return plan->records != NULL && plan_columns(plan, self, error);
}

static guint
count_target_values(AditCsv *self, const Plan *plan)
{
    return self->target_reduce == REDUCE_NONE ? plan->n_targets : MIN(plan->n_targets, 1);
}

static gboolean
describe(AditDataset *dataset, AditLoader *loader, AditSchema *schema, GError **error)
{
    AditCsv *self = CSV(dataset);
    g_auto(Plan) plan = {0};

    if (!open_plan(&plan, self, loader, error))
        return FALSE;
    schema->inputs = ADIT_SHAPE(plan.n_inputs);
    schema->classes = (guint) self->classes;
    if (self->classes == 0 && plan.n_targets > 0)
        schema->targets = ADIT_SHAPE(count_target_values(self, &plan));
    return TRUE;
}

static int
compare_numbers(const void *a, const void *b)
{
    double x = *(const double *) a;
    double y = *(const double *) b;

    return (x > y) - (x < y);
}

/* Reduces @values to values[0]. */
static void
reduce(int how, double *values, guint n)
{
    double sum = 0;

    if (how == REDUCE_MIN || how == REDUCE_MAX || how == REDUCE_MEDIAN)
        qsort(values, n, sizeof *values, compare_numbers);
    for (guint i = 0; i < n; i++)
        sum += values[i];
    if (how == REDUCE_MEAN)
        values[0] = sum / n;
    if (how == REDUCE_SUM)
        values[0] = sum;
    if (how == REDUCE_MAX)
        values[0] = values[n - 1];
    if (how == REDUCE_MEDIAN)
        values[0] = (values[(n - 1) / 2] + values[n / 2]) / 2;
}

static double
transform(int how, double value)
{
    switch (how) {
    case TRANSFORM_LOG2:
        return log2(value);
    case TRANSFORM_LN:
        return log(value);
    case TRANSFORM_LOG10:
        return log10(value);
    default:
        return value;
    }
}

/* The numbers of the columns that are @chosen. */
static gboolean
read_numbers(const Plan *plan, const gboolean *chosen, double *values, GError **error)
{
    guint n = adit_records_count_columns(plan->records);

    for (guint i = 0; i < n; i++)
        if (chosen[i] && !adit_records_get_number(plan->records, i, values++, error))
            return FALSE;
    return TRUE;
}

static gboolean
read_target_values(AditCsv *self, const Plan *plan, double *values, GError **error)
{
    guint n = count_target_values(self, plan);

    if (!read_numbers(plan, plan->is_target, values, error))
        return FALSE;
    if (self->target_reduce != REDUCE_NONE)
        reduce(self->target_reduce, values, plan->n_targets);
    for (guint i = 0; i < n; i++) {
        if (self->target_transform != TRANSFORM_NONE && values[i] <= 0) {
            g_set_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED, "%s: a target of %g has no %s",
                        adit_records_get_place(plan->records), values[i],
                        transforms[self->target_transform]);
            return FALSE;
        }
        values[i] = transform(self->target_transform, values[i]);
    }
    return TRUE;
}

/* Numbers in their order, before other texts in theirs. */
static int
compare_texts(const void *a, const void *b)
{
    const char *texts[] = {*(const char *const *) a, *(const char *const *) b};
    double numbers[] = {(double) INFINITY, (double) INFINITY};

    for (guint i = 0; i < 2; i++) {
        char *end = NULL;
        double number = g_ascii_strtod(texts[i], &end);

        if (end != texts[i] && *end == '\0' && !isnan(number))
            numbers[i] = number;
    }
    if (numbers[0] < numbers[1] || numbers[0] > numbers[1])
        return numbers[0] < numbers[1] ? -1 : 1;
    return strcmp(texts[0], texts[1]);
}

/* The class of each row from its text; equal texts are one pointer. */
static AditArray *
number_classes(AditCsv *self, const GPtrArray *texts, GError **error)
{
    g_autoptr(GHashTable) numbers = g_hash_table_new(NULL, NULL);
    g_autofree gpointer *distinct = NULL;
    AditArray *labels = NULL;
    guint n = 0;

    for (guint i = 0; i < texts->len; i++)
        g_hash_table_add(numbers, g_ptr_array_index(texts, i));
    distinct = g_hash_table_get_keys_as_array(numbers, &n);
    if (n != self->classes) {
        fail(error, "the target has %u distinct values, but 'classes' is %" G_GINT64_FORMAT, n,
             self->classes);
        return NULL;
    }
    qsort(distinct, n, sizeof *distinct, compare_texts);
    for (guint i = 0; i < n; i++)
        g_hash_table_insert(numbers, distinct[i], GUINT_TO_POINTER(i));
    labels = adit_array_new(ADIT_TYPE_CODE_I32, &ADIT_SCALAR, texts->len, error);
    for (guint i = 0; i < texts->len && labels != NULL; i++)
        ((gint32 *) labels->data)[i] =
            GPOINTER_TO_INT(g_hash_table_lookup(numbers, g_ptr_array_index(texts, i)));
    return labels;
}

/* Reads all records; the class column goes to @texts. */
static gboolean
read_rows(AditCsv *self, const Plan *plan, AditExamples *train, GStringChunk *chunk,
          GPtrArray *texts, GError **error)
{
    guint n = adit_records_count_columns(plan->records);
    g_autofree double *values = g_new(double, n);
    GError *failure = NULL;
    guint column = 0;

    while (column + 1 < n && !plan->is_target[column])
        column++;
    while (adit_records_next(plan->records, &failure)) {
        if (!read_numbers(plan, plan->is_input, values, error) ||
            !adit_array_append(train->inputs, values, error))
            return FALSE;
        if (self->classes > 0)
            g_ptr_array_add(texts, g_string_chunk_insert_const(
                                       chunk, adit_records_get_text(plan->records, column)));
        else if (train->targets != NULL && (!read_target_values(self, plan, values, error) ||
                                            !adit_array_append(train->targets, values, error)))
            return FALSE;
    }
    if (failure != NULL)
        g_propagate_error(error, failure);
    return failure == NULL;
}

static gboolean
load(AditDataset *dataset, AditLoader *loader, AditExamples *train, AditExamples *test,
     GError **error)
{
    AditCsv *self = CSV(dataset);
    g_auto(Plan) plan = {0};
    g_autoptr(GStringChunk) chunk = g_string_chunk_new(4096);
    g_autoptr(GPtrArray) texts = g_ptr_array_new();

    if (!open_plan(&plan, self, loader, error))
        return FALSE;
    train->inputs = adit_array_new(ADIT_TYPE_CODE_F64, &ADIT_SHAPE(plan.n_inputs), 0, error);
    if (self->classes == 0 && plan.n_targets > 0)
        train->targets = adit_array_new(ADIT_TYPE_CODE_F64,
                                        &ADIT_SHAPE(count_target_values(self, &plan)), 0, error);
    if (!read_rows(self, &plan, train, chunk, texts, error))
        return FALSE;
    train->classes = (guint) self->classes;
    if (self->classes > 0)
        train->targets = number_classes(self, texts, error);
    return self->classes == 0 || train->targets != NULL;
}

static gboolean
check(AditComponent *component, GError **error)
{
    AditCsv *self = CSV(component);

    if (strlen(self->delimiter) != 1 || strchr("\"\r\n", self->delimiter[0]) != NULL)
        return fail(error, "'delimiter' must be one character, got \"%s\"", self->delimiter);
    if (self->classes > 0 &&
        (self->target_reduce != REDUCE_NONE || self->target_transform != TRANSFORM_NONE))
        return fail(error, "'classes' takes neither 'target-reduce' nor 'target-transform'");
    return TRUE;
}

static void
adit_csv_class_init(AditComponentClass *klass)
{
    AditDatasetClass *dataset_class = ADIT_DATASET_CLASS(klass);

    klass->check = check;
    dataset_class->describe = describe;
    dataset_class->load = load;
    dataset_class->default_test = (AditAmount){.value = 0.2, .unit = ADIT_UNIT_PERCENT};
    adit_component_class_describe(klass, "csv", "Delimited text with a header line");
    adit_component_class_add_path(klass, "path", "File; .gz and .xz are unpacked", NULL,
                                  ADIT_FIELD(AditCsv, path, char *));
    adit_component_class_require(klass, "path");
    adit_component_class_add_texts(klass, "target", "Columns by name, or globs (* and ?)",
                                   ADIT_FIELD(AditCsv, target, GStrv));
    adit_component_class_add_texts(klass, "inputs", "Columns; by default all that are no target",
                                   ADIT_FIELD(AditCsv, inputs, GStrv));
    adit_component_class_add_choice(klass, "target-reduce", "Makes one number of several columns",
                                    reductions, REDUCE_NONE,
                                    ADIT_FIELD(AditCsv, target_reduce, int));
    adit_component_class_add_choice(klass, "target-transform", "Logarithm taken of the target",
                                    transforms, TRANSFORM_NONE,
                                    ADIT_FIELD(AditCsv, target_transform, int));
    adit_component_class_add_int(
        klass, "classes",
        "Number of classes: the target's distinct values, sorted, numbered "
        "from 0; 0: the target is a number",
        0, 1000000, 0, ADIT_FIELD(AditCsv, classes, gint64));
    adit_component_class_add_text(klass, "delimiter", "Character between fields", ",",
                                  ADIT_FIELD(AditCsv, delimiter, char *));
}

ADIT_PLUGIN("csv", "1.0", "MIT", ADIT_TYPES(adit_csv_get_type))
