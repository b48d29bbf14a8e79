/* plugins/probes/subspace-match.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

#include <math.h>
#include <string.h>

/* How many units of two layers say the same: Wang et al. 2018, "Towards understanding learning
 * representations: to what extent do different neural networks learn the same representation". A
 * unit is the vector of its outputs for all samples. Two sets of units match if each of one is no
 * further than epsilon of its length from the span of the other; the largest such sets are what
 * remains when those that are further are taken away again and again (their algorithm 1). */

struct _AditSubspaceMatch {
    AditProbe parent_instance;
    GStrv against;
    double epsilon;
};
ADIT_DEFINE_PROBE(AditSubspaceMatch, adit_subspace_match, ADIT_SUBSPACE_MATCH)

enum { MATCH, MATCHED, MATCHED_AGAINST };

/* What rounding leaves of an eigenvalue that is 0, of the largest. */
#define NOTHING 1e-12

static const AditReading readings[] = {
    {ADIT_READ_VALUES, "at", FALSE},
    {ADIT_READ_VALUES, "against", FALSE},
};
static const char *const columns[] = {"match", "matched", "matched-against", NULL};

/**
 * Units: of a layer.
 * @products: of each two, n times n
 * @kept: n numbers of units, of which the first @n_kept are left
 */
typedef struct {
    gsize n;
    const double *products;
    gsize *kept;
    gsize n_kept;
} Units;

static AditSamples
get_samples(const AditFeatures *features)
{
    return (AditSamples){features->values, features->samples, adit_shape_count(&features->shape),
                         NULL};
}

static gsize
count(AditProbe *probe, const AditFeatures *features)
{
    gsize width = adit_shape_count(&features->shape);

    return width * width;
}

static gboolean
prepare(AditProbe *probe, const AditFeatures *features, double *prepared, GError **error)
{
    AditSamples samples = get_samples(features);

    adit_samples_multiply(&samples, &samples, prepared, FALSE);
    return TRUE;
}

/* The directions of the span of the units that are left, each of length 1 as a sum of units: rows
 * of n_kept factors. Returns how many there are; -1 with @error. */
static gssize
find_span(const Units *self, double *directions, GError **error)
{
    gsize k = self->n_kept;
    g_autofree double *values = g_new(double, k);

    for (gsize i = 0; i < k * k; i++)
        directions[i] = self->products[self->kept[i / k] * self->n + self->kept[i % k]];
    if (!adit_matrix_decompose(directions, k, values, TRUE, error))
        return -1;
    gsize rank = 0;

    for (; rank < k && values[rank] > values[0] * NOTHING; rank++) {
        for (gsize i = 0; i < k; i++)
            directions[rank * k + i] /= sqrt(values[rank]);
    }
    return (gssize) rank;
}

/* The squared length of what of a unit lies in a span. @cross: its products with the other layer's
 * units, @step apart */
static double
project(const Units *other, const double *directions, gsize rank, const double *cross, gsize step)
{
    double sum = 0;

    for (gsize r = 0; r < rank; r++) {
        double part = 0;

        for (gsize i = 0; i < other->n_kept; i++)
            part += directions[r * other->n_kept + i] * cross[other->kept[i] * step];
        sum += part * part;
    }
    return sum;
}

/**
 * drop_far:
 * @cross, @own_step, @other_step: the products of the layers' units, and how far apart they are
 *
 * Leaves those units of @self that the other's span has all but epsilon of. FALSE with @error.
 */
static gboolean
drop_far(const AditSubspaceMatch *probe, Units *self, const Units *other, const double *cross,
         gsize own_step, gsize other_step, GError **error)
{
    g_autofree double *directions = g_new(double, other->n_kept * other->n_kept + 1);
    gssize rank = other->n_kept > 0 ? find_span(other, directions, error) : 0;
    gsize left = 0;

    for (gsize i = 0; rank >= 0 && i < self->n_kept; i++) {
        gsize unit = self->kept[i];
        double length = self->products[unit * self->n + unit];
        double in = project(other, directions, (gsize) rank, cross + unit * own_step, other_step);

        if (length - in <= probe->epsilon * probe->epsilon * length)
            self->kept[left++] = unit;
    }
    self->n_kept = left;
    return rank >= 0;
}

static void
units_init(Units *self, const AditFeatures *features)
{
    gsize n = adit_shape_count(&features->shape);

    *self = (Units){n, features->prepared, g_new(gsize, n), n};
    for (gsize i = 0; i < n; i++)
        self->kept[i] = i;
}

static gboolean
measure(AditProbe *probe, const AditFeatures *read, AditFindings *findings, GError **error)
{
    AditSubspaceMatch *self = ADIT_SUBSPACE_MATCH(probe);
    AditSamples a = get_samples(&read[0]), b = get_samples(&read[1]);
    g_autofree double *cross = g_new(double, a.width *b.width);
    Units x, y;
    gsize before;
    gboolean done = TRUE;

    adit_samples_multiply(&a, &b, cross, FALSE);
    units_init(&x, &read[0]);
    units_init(&y, &read[1]);
    do {
        before = x.n_kept + y.n_kept;
        done = drop_far(self, &x, &y, cross, b.width, 1, error) &&
               drop_far(self, &y, &x, cross, 1, b.width, error);
    } while (done && x.n_kept + y.n_kept < before);
    findings->values[MATCH] = (double) before / (double) (x.n + y.n);
    findings->values[MATCHED] = (double) x.n_kept;
    findings->values[MATCHED_AGAINST] = (double) y.n_kept;
    g_free(x.kept);
    g_free(y.kept);
    return done;
}

static gboolean
check(AditComponent *component, GError **error)
{
    return adit_matrix_check(error);
}

static void
adit_subspace_match_class_init(AditComponentClass *klass)
{
    AditProbeClass *probe_class = ADIT_PROBE_CLASS(klass);

    klass->check = check;
    probe_class->default_at = "trunk.*";
    probe_class->readings = readings;
    probe_class->n_readings = G_N_ELEMENTS(readings);
    probe_class->columns = columns;
    probe_class->count = count;
    probe_class->prepare = prepare;
    probe_class->measure = measure;
    adit_component_class_describe(klass, "subspace-match",
                                  "Share of two layers' units that span the same");
    adit_component_class_add_addresses(klass, "against",
                                       "What they are compared with; else with each other", NULL,
                                       ADIT_FIELD(AditSubspaceMatch, against, GStrv));
    adit_component_class_add_number(klass, "epsilon",
                                    "How far a unit may be from the others' span, of its length", 0,
                                    1, 0.25, ADIT_FIELD(AditSubspaceMatch, epsilon, double));
    adit_component_class_set_default(klass, "pool", 4);
}

ADIT_PLUGIN("subspace-match", "1.0", "MIT", ADIT_TYPES(adit_subspace_match_get_type))
