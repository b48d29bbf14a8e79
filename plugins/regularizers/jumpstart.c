/* plugins/regularizers/jumpstart.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

/* Jumpstart regularization (Riera et al. 2022, section 3): what pre-activations lack of a margin on
 * both sides of 0, of each unit over the batch and of each point, a sample in a layer, over the
 * layer's units. Equations 10 and 12 print max(0, -1 - min g); what constraints 4 and 6 need, and
 * the authors' program computes, is max(0, 1 + min g). */

enum { MEAN, L1, L2, SUM_OF_SQUARES, SUM, BALANCED };
static const char *const aggregations[] = {"mean", "l1",       "l2", "sum-of-squares",
                                           "sum",  "balanced", NULL};
enum { SPACE, POSITION };
static const char *const scopes[] = {"space", "position", NULL};
enum { FIRST, AVERAGE };
static const char *const gradients[] = {"first", "average", NULL};

/* What is measured of a layer: extrema of its units, sums of its points' deficits. */
enum { UNITS, POINTS };

struct _AditJumpstart {
    AditRegularizer parent_instance;
    AditLive *weight;
    double margin;
    double balance;
    int aggregation;
    int scope;
    int gradient;
    gboolean dead_units;
    gboolean linear_units;
    gboolean dead_points;
    gboolean linear_points;
};
ADIT_DEFINE_REGULARIZER(AditJumpstart, adit_jumpstart, ADIT_JUMPSTART)

/**
 * Layer: pre-activations and their axes: the channels, of which units are made, and the others.
 * @reduces: one unit is a channel at all its positions, and one point a sample at all of them
 */
typedef struct {
    AditTensor *g;
    guint channels;
    guint first, n_space;
    gboolean reduces;
} Layer;

static Layer
find_axes(const AditJumpstart *self, AditTensor *g)
{
    const AditShape *shape = adit_tensor_get_shape(g);
    Layer layer = {.g = g, .channels = adit_channel_axis(shape)};

    if (shape->rank == 0)
        layer.g = adit_reshape(g, &ADIT_SHAPE(1));
    layer.first = layer.channels == 0 ? 1 : 0;
    layer.n_space = shape->rank > 0 ? shape->rank - 1 : 0;
    layer.reduces = self->scope == SPACE && layer.n_space > 0;
    return layer;
}

/* ---- the gradient goes to the first ---- */

static AditTensor *
find_first_units(const Layer *layer)
{
    if (!layer->reduces)
        return adit_extrema_rows(layer->g, ADIT_EXTREMA_OF_NUMBERS);
    AditTensor *each =
        adit_extrema(layer->g, ADIT_EXTREMA_OF_NUMBERS, layer->first, layer->n_space);
    return adit_extrema_rows(each, ADIT_EXTREMA_OF_EXTREMA);
}

static AditTensor *
find_first_points(const Layer *layer)
{
    if (!layer->reduces)
        return adit_extrema(layer->g, ADIT_EXTREMA_OF_NUMBERS, layer->channels, 1);
    AditTensor *each =
        adit_extrema(layer->g, ADIT_EXTREMA_OF_NUMBERS, layer->first, layer->n_space);
    return adit_extrema(each, ADIT_EXTREMA_OF_EXTREMA, 0, 1);
}

/* ---- the gradient is shared by all that are equal ---- */

static guint
list_axes(guint first, guint n, int *axes)
{
    for (guint i = 0; i < n; i++)
        axes[i] = (int) (first + i);
    return n;
}

/* What is equal to the extremum of a channel over the batch and all positions, over how many there
 * are: a mean of equal numbers, each of which is given its share. */
static AditTensor *
average_channel(const Layer *layer, AditReduction reduction)
{
    AditShape kept = *adit_tensor_get_shape(layer->g);
    int axes[ADIT_MAX_RANK];
    guint n = list_axes(layer->first, layer->n_space, axes);
    AditTensor *extremum = adit_reduce_rows(adit_reduce(layer->g, reduction, axes, n), reduction);

    for (guint i = 0; i < n; i++)
        kept.size[axes[i]] = 1;
    AditTensor *equal = adit_equal(layer->g, adit_reshape(extremum, &kept));
    AditTensor *sum = adit_reduce(adit_mul(equal, layer->g), ADIT_REDUCE_SUM, axes, n);
    AditTensor *count = adit_reduce(equal, ADIT_REDUCE_SUM, axes, n);

    return adit_div(adit_reduce_rows(sum, ADIT_REDUCE_SUM),
                    adit_reduce_rows(count, ADIT_REDUCE_SUM));
}

static AditTensor *
average_units(const Layer *layer, AditReduction reduction)
{
    return layer->reduces ? average_channel(layer, reduction)
                          : adit_reduce_rows(layer->g, reduction);
}

static AditTensor *
average_points(const Layer *layer, AditReduction reduction)
{
    if (layer->reduces)
        return adit_reduce(layer->g, reduction, NULL, 0);
    return adit_reduce(layer->g, reduction, (int[]){(int) layer->channels}, 1);
}

/* Extrema without the numbers: [4, n], of which every second part counts. */
static AditTensor *
find_averages(const Layer *layer, AditTensor *(*average)(const Layer *layer, AditReduction of))
{
    AditTensor *largest = average(layer, ADIT_REDUCE_MAX);
    AditTensor *smallest = average(layer, ADIT_REDUCE_MIN);
    AditShape line = ADIT_SHAPE(1, adit_shape_count(adit_tensor_get_shape(largest)));

    largest = adit_reshape(largest, &line);
    smallest = adit_reshape(smallest, &line);
    return adit_concat((AditTensor *[]){largest, largest, smallest, smallest}, 4, 0);
}

/* ---- deficits ---- */

/* The positive deficits' share, and the negative ones', of those that are wanted. */
static double
get_upper(const AditJumpstart *self, gboolean wanted)
{
    return wanted ? self->balance : 0;
}

static double
get_lower(const AditJumpstart *self, gboolean wanted)
{
    return wanted ? 1 - self->balance : 0;
}

static void
measure(AditRegularizer *regularizer, AditGraph *graph, AditTensor *matched, AditTensor **values)
{
    const AditJumpstart *self = ADIT_JUMPSTART(regularizer);
    Layer layer = find_axes(self, matched);
    gboolean first = self->gradient == FIRST;

    if (self->dead_units || self->linear_units)
        values[UNITS] = first ? find_first_units(&layer) : find_averages(&layer, average_units);
    if (!self->dead_points && !self->linear_points)
        return;
    AditTensor *points = first ? find_first_points(&layer) : find_averages(&layer, average_points);
    values[POINTS] = adit_deficits_rows(points, self->margin, get_upper(self, self->dead_points),
                                        get_lower(self, self->linear_points));
}

/**
 * Totals: over all layers.
 * @count: how many deficits there are, of points in each sample
 */
typedef struct {
    AditTensor *sum, *squares;
    double count;
} Totals;

static Totals
begin_totals(AditGraph *graph)
{
    return (Totals){adit_constant(graph, 0), adit_constant(graph, 0), 0};
}

static void
add_units(const AditJumpstart *self, const AditMeasured *layers, Totals *totals)
{
    AditTensor *extrema = layers->values[UNITS];

    if (extrema == NULL)
        return;
    AditTensor *deficits = adit_deficits(extrema, self->margin, get_upper(self, self->dead_units),
                                         get_lower(self, self->linear_units));
    totals->sum = adit_add(totals->sum, adit_sum(deficits));
    totals->squares = adit_add(totals->squares, adit_sum(adit_square(deficits)));
    totals->count += (double) adit_shape_count(adit_tensor_get_shape(deficits));
}

static void
add_points(const AditJumpstart *self, const AditMeasured *layers, Totals *totals)
{
    const AditShape *shape = &layers->shape;
    AditTensor *sums = layers->values[POINTS];
    gsize points = 1;

    if (sums == NULL)
        return;
    if (self->scope == POSITION && shape->rank > 0)
        points = adit_shape_count(shape) / shape->size[adit_channel_axis(shape)];
    totals->sum = adit_add(totals->sum, adit_sum(adit_slice(sums, 1, 0, 1, 1)));
    totals->squares = adit_add(totals->squares, adit_sum(adit_slice(sums, 1, 1, 2, 1)));
    totals->count += (double) (layers->n * points);
}

/* The root, whose gradient is 0 where there is nothing left to lack. */
static AditTensor *
find_root(AditTensor *squares)
{
    AditGraph *graph = adit_tensor_get_graph(squares);
    AditTensor *lacks = adit_greater(squares, adit_constant(graph, 0));

    return adit_mul(lacks, adit_sqrt(adit_select(lacks, squares, adit_constant(graph, 1))));
}

/* The number of rows of the batch. */
static AditTensor *
count_rows(AditGraph *graph)
{
    return adit_reduce_rows(adit_broadcast_rows(adit_constant(graph, 1)), ADIT_REDUCE_SUM);
}

/* @count of them each in @rows samples. */
static AditTensor *
find_mean(const Totals *totals, AditTensor *rows)
{
    if (totals->count <= 0)
        return totals->sum;
    return adit_div(totals->sum, adit_scale(rows, totals->count));
}

static AditTensor *
aggregate(const AditJumpstart *self, AditGraph *graph, const Totals *units, const Totals *points)
{
    AditTensor *sum = adit_add(units->sum, points->sum);
    AditTensor *squares = adit_add(units->squares, points->squares);

    switch (self->aggregation) {
    case MEAN:
        return adit_div(sum,
                        adit_offset(adit_scale(count_rows(graph), points->count), units->count));
    case L2:
        return find_root(squares);
    case SUM_OF_SQUARES:
        return squares;
    case BALANCED:
        return adit_add(find_mean(units, adit_constant(graph, 1)),
                        find_mean(points, count_rows(graph)));
    case L1:
    case SUM:
    default:
        return sum;
    }
}

static AditTensor *
join(AditRegularizer *regularizer, AditGraph *graph, const AditMeasured *measured, guint n_measured,
     AditTensor **figure)
{
    const AditJumpstart *self = ADIT_JUMPSTART(regularizer);
    Totals units = begin_totals(graph), points = begin_totals(graph);

    for (guint i = 0; i < n_measured; i++) {
        add_units(self, &measured[i], &units);
        add_points(self, &measured[i], &points);
    }
    *figure = aggregate(self, graph, &units, &points);
    return adit_mul(adit_live(graph, self->weight), *figure);
}

static gboolean
check(AditComponent *component, GError **error)
{
    const AditJumpstart *self = ADIT_JUMPSTART(component);

    if (self->dead_units || self->linear_units || self->dead_points || self->linear_points)
        return TRUE;
    g_set_error_literal(
        error, ADIT_ERROR, ADIT_ERROR_INVALID,
        "'jumpstart' has all four terms switched off; leave one on, or leave it out");
    return FALSE;
}

static void
adit_jumpstart_class_init(AditComponentClass *klass)
{
    ADIT_REGULARIZER_CLASS(klass)->match = ADIT_MATCH_TENSORS;
    ADIT_REGULARIZER_CLASS(klass)->default_at = "**:pre";
    ADIT_REGULARIZER_CLASS(klass)->needs = "activations";
    ADIT_REGULARIZER_CLASS(klass)->measure = measure;
    ADIT_REGULARIZER_CLASS(klass)->join = join;
    klass->check = check;
    adit_component_class_describe(
        klass, "jumpstart",
        "Weight times what pre-activations lack of a margin on both sides "
        "of 0, so that units and points neither die nor become linear");
    adit_component_class_add_live(klass, "weight", "Coefficient; with 0 it is told all the same", 0,
                                  1e6, 1e-4, ADIT_FIELD(AditJumpstart, weight, AditLive *));
    adit_component_class_add_number(klass, "margin", "How far from 0 they should reach", 0, 1e6, 1,
                                    ADIT_FIELD(AditJumpstart, margin, double));
    adit_component_class_add_number(klass, "balance",
                                    "Share of what is lacking above 0, against dying; the rest is "
                                    "that of what is lacking below",
                                    0, 1, 0.5, ADIT_FIELD(AditJumpstart, balance, double));
    adit_component_class_add_choice(
        klass, "aggregation",
        "What all deficits of all layers come to; they are not "
        "negative, so l1 and sum are one; balanced: the mean over units "
        "plus that over points",
        aggregations, MEAN, ADIT_FIELD(AditJumpstart, aggregation, int));
    adit_component_class_add_choice(
        klass, "scope",
        "Of maps: one unit a channel and one point a sample (space), or "
        "one unit an element and one point a position",
        scopes, SPACE, ADIT_FIELD(AditJumpstart, scope, int));
    adit_component_class_add_choice(klass, "gradient",
                                    "Of equal extrema: to the first, or on average to all",
                                    gradients, FIRST, ADIT_FIELD(AditJumpstart, gradient, int));
    adit_component_class_add_boolean(klass, "dead-units", "Units must reach the margin above 0",
                                     TRUE, ADIT_FIELD(AditJumpstart, dead_units, gboolean));
    adit_component_class_add_boolean(klass, "linear-units", "Units must reach it below 0", TRUE,
                                     ADIT_FIELD(AditJumpstart, linear_units, gboolean));
    adit_component_class_add_boolean(klass, "dead-points", "Points must reach it above 0", TRUE,
                                     ADIT_FIELD(AditJumpstart, dead_points, gboolean));
    adit_component_class_add_boolean(klass, "linear-points", "Points must reach it below 0", TRUE,
                                     ADIT_FIELD(AditJumpstart, linear_points, gboolean));
}

ADIT_PLUGIN("jumpstart", "1.0", "MIT", ADIT_TYPES(adit_jumpstart_get_type))
