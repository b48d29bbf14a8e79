/* plugins/probes/logistic.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

/* What a linear classifier makes of each layer's output (Alain and Bengio 2016, "Understanding
 * intermediate layers using linear classifier probes"): fitted to training samples, measured on
 * others. */

struct _AditLogistic {
    AditProbe parent_instance;
    double c;
    int solver;
    gboolean standardize;
    gint64 passes;
    double tolerance;
    int labels;
    gboolean positions;
};
ADIT_DEFINE_PROBE(AditLogistic, adit_logistic, ADIT_LOGISTIC)

enum { LABELS_OWN, LABELS_SHUFFLED };
enum { VALUES, CLASSES, TEST_VALUES, TEST_CLASSES };
enum { TRAIN_ACCURACY, ACCURACY, LOSS, PASSES };

static const AditReading readings[] = {
    [VALUES] = {ADIT_READ_VALUES, "at", TRUE},
    [CLASSES] = {ADIT_READ_CLASSES, NULL, TRUE},
    [TEST_VALUES] = {ADIT_READ_VALUES, "at", FALSE},
    [TEST_CLASSES] = {ADIT_READ_CLASSES, NULL, FALSE},
};
static const char *const columns[] = {"train-accuracy", "accuracy", "train-loss",
                                      "passes",         "note",     NULL};
static const AditTelling telling = {"accuracy", ADIT_TELL_PROGRESS};
static const char *const confusion_columns[] = {"class", "predicted", "samples", "share", NULL};
static const char *const position_columns[] = {"row", "column", "train-accuracy", "accuracy", NULL};
static const AditDetail details[] = {{"confusion", confusion_columns},
                                     {"positions", position_columns}};
enum { CONFUSION, POSITIONS };

static AditLabelled
join(const AditFeatures *values, const AditFeatures *classes)
{
    return (AditLabelled){values->values, classes->values, values->samples,
                          adit_shape_count(&values->shape), classes->classes};
}

static void
write_confusion(const guint64 *confusion, guint n, AditFindings *findings)
{
    for (guint i = 0; i < n; i++) {
        double sum = 0;

        for (guint j = 0; j < n; j++)
            sum += (double) confusion[i * n + j];
        for (guint j = 0; j < n; j++) {
            double samples = (double) confusion[i * n + j];

            adit_findings_add(findings, CONFUSION,
                              (double[]){i, j, samples, sum > 0 ? samples / sum : 0});
        }
    }
}

/* The channels at position @place of maps. */
static float *
take_position(const AditFeatures *features, gsize place)
{
    gsize channels = features->shape.size[0];
    gsize places = features->shape.size[1] * features->shape.size[2];
    float *out = g_new(float, features->samples *channels);

    for (gsize i = 0; i < features->samples * channels; i++)
        out[i] = features->values[i * places + place];
    return out;
}

/* A regression for each position, on its channels alone. */
static void
measure_positions(const AditRegressionSetup *setup, const AditFeatures *read,
                  const AditLabelled *of_all, AditFindings *findings)
{
    const AditShape *shape = &read[VALUES].shape;
    AditLabelled train = *of_all, test = join(&read[TEST_VALUES], &read[TEST_CLASSES]);
    g_autofree guint64 *confusion = g_new(guint64, train.n_classes * train.n_classes);

    train.width = test.width = shape->size[0];
    for (gsize i = 0; i < shape->size[1] * shape->size[2]; i++) {
        g_autofree float *values = take_position(&read[VALUES], i);
        g_autofree float *others = take_position(&read[TEST_VALUES], i);

        train.values = values;
        test.values = others;
        g_autoptr(AditRegression) regression = adit_regression_fit(setup, &train);
        double fitted = adit_regression_count(regression, &train, confusion);

        adit_findings_add(findings, POSITIONS,
                          (double[]){(double) (i / shape->size[2]), (double) (i % shape->size[2]),
                                     fitted, adit_regression_count(regression, &test, confusion)});
    }
}

static AditRegressionSetup
get_setup(const AditLogistic *self)
{
    return (AditRegressionSetup){(AditSolver) self->solver, self->standardize, self->c,
                                 (guint) self->passes, self->tolerance};
}

static gboolean
measure(AditProbe *probe, const AditFeatures *read, AditFindings *findings, GError **error)
{
    AditLogistic *self = ADIT_LOGISTIC(probe);
    AditRegressionSetup setup = get_setup(self);
    AditLabelled train = join(&read[VALUES], &read[CLASSES]);
    AditLabelled test = join(&read[TEST_VALUES], &read[TEST_CLASSES]);
    guint n = train.n_classes;
    g_autofree guint64 *confusion = g_new(guint64, n * n);
    g_autofree float *shuffled = NULL;

    if (self->labels == LABELS_SHUFFLED)
        train.classes = shuffled = adit_labelled_shuffle(&train);
    g_autoptr(AditRegression) regression = adit_regression_fit(&setup, &train);

    findings->values[TRAIN_ACCURACY] = adit_regression_count(regression, &train, confusion);
    findings->values[ACCURACY] = adit_regression_count(regression, &test, confusion);
    findings->values[LOSS] = regression->loss;
    findings->values[PASSES] = regression->passes;
    write_confusion(confusion, n, findings);
    if (self->positions && read[VALUES].shape.rank == 3)
        measure_positions(&setup, read, &train, findings);
    if (!regression->has_converged && setup.solver == ADIT_SOLVER_LBFGS)
        adit_findings_note(findings, "not converged: the largest derivative is %.2g",
                           regression->residue);
    return TRUE;
}

static void
adit_logistic_class_init(AditComponentClass *klass)
{
    static const char *const solvers[] = {"lbfgs", "saga", NULL};
    static const char *const labels[] = {"own", "shuffled", NULL};
    AditProbeClass *probe_class = ADIT_PROBE_CLASS(klass);

    probe_class->default_at = "trunk.*";
    probe_class->readings = readings;
    probe_class->n_readings = G_N_ELEMENTS(readings);
    probe_class->columns = columns;
    probe_class->details = details;
    probe_class->n_details = G_N_ELEMENTS(details);
    probe_class->measure = measure;
    probe_class->telling = &telling;
    adit_component_class_describe(klass, "logistic",
                                  "Accuracy of a logistic regression on each layer's output");
    adit_component_class_add_number(klass, "c",
                                    "The weights' squares count 1 / (2 c) of one sample's loss",
                                    1e-12, 1e12, 1, ADIT_FIELD(AditLogistic, c, double));
    adit_component_class_add_choice(
        klass, "solver",
        "lbfgs: until it has converged; saga: as scikit-learn does, sample by sample", solvers,
        ADIT_SOLVER_LBFGS, ADIT_FIELD(AditLogistic, solver, int));
    adit_component_class_add_boolean(
        klass, "standardize",
        "Whether features are given mean 0 and variance 1 first, by training "
        "samples",
        TRUE, ADIT_FIELD(AditLogistic, standardize, gboolean));
    adit_component_class_add_int(klass, "passes", "Over the training samples, at most", 1,
                                 G_MAXINT32, 1000, ADIT_FIELD(AditLogistic, passes, gint64));
    adit_component_class_add_number(
        klass, "tolerance",
        "It ends where the largest derivative, or saga's largest change of a weight, is below", 0,
        1, 1e-4, ADIT_FIELD(AditLogistic, tolerance, double));
    adit_component_class_add_choice(klass, "labels",
                                    "own, or shuffled: a control, which chance alone can answer",
                                    labels, LABELS_OWN, ADIT_FIELD(AditLogistic, labels, int));
    adit_component_class_add_boolean(klass, "positions",
                                     "Whether each position of a map has a regression besides",
                                     FALSE, ADIT_FIELD(AditLogistic, positions, gboolean));
    adit_component_class_set_default(klass, "pool", 4);
}

ADIT_PLUGIN("logistic", "1.0", "MIT", ADIT_TYPES(adit_logistic_get_type))
