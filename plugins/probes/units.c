/* plugins/probes/units.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

#include <math.h>

/* Which units and points are dead, linear or neither (Riera et al. 2022, definitions 1 and 2), told
 * of pre-activations: a rectifier gives 0 for what is not above 0. Beside them the chances that
 * section 3 gives a layer and a point to be dead if units were so independently: p^n and q^n. (It
 * prints 1 - prod (1 - p)^n, the chance that at least one unit is dead, for a network with a dead
 * layer; 1 - prod (1 - p^n) is meant.) */

enum { SPACE, POSITION };
static const char *const scopes[] = {"space", "position", NULL};

struct _AditUnits {
    AditProbe parent_instance;
    int scope;
};
ADIT_DEFINE_PROBE(AditUnits, adit_units, ADIT_UNITS)

static const char *const columns[] = {"units",
                                      "dead-units",
                                      "linear-units",
                                      "nonlinear-units",
                                      "points",
                                      "dead-points",
                                      "linear-points",
                                      "nonlinear-points",
                                      "dead-layer",
                                      "linear-layer",
                                      "dead-unit-share",
                                      "linear-unit-share",
                                      "dead-point-share",
                                      "linear-point-share",
                                      "inactive-share",
                                      "dead-layer-chance",
                                      "dead-point-chance",
                                      NULL};

/* What was seen of a unit or a point: numbers above 0, and others. */
enum { ABOVE = 1, BELOW = 2 };

/**
 * Layer: how a sample's numbers make units and points.
 * @channels, @positions: how many there are
 * @channels_first: numbers of a channel are neighbours
 * @joins: all positions are of one unit, and of one point
 */
typedef struct {
    gsize channels, positions;
    gboolean channels_first;
    gboolean joins;
} Layer;

static Layer
find_layer(const AditUnits *self, const AditShape *shape)
{
    guint axis = adit_channel_axis(shape);
    gsize count = adit_shape_count(shape);
    Layer layer = {.channels = shape->rank > 0 ? shape->size[axis] : 1,
                   .channels_first = axis == 0,
                   .joins = self->scope == SPACE};

    layer.positions = count / layer.channels;
    return layer;
}

static gsize
find_channel(const Layer *layer, gsize number)
{
    return layer->channels_first ? number / layer->positions : number % layer->channels;
}

static gsize
find_position(const Layer *layer, gsize number)
{
    return layer->channels_first ? number % layer->positions : number / layer->channels;
}

/**
 * Seen: of all units, of the points of a sample and of its pairs of both.
 */
typedef struct {
    gsize n_units, n_points;
    guint8 *units, *points, *pairs;
    gsize dead_points, linear_points, inactive;
} Seen;

static void
look_at_sample(const Layer *layer, const float *sample, Seen *seen)
{
    gsize count = layer->channels * layer->positions;

    memset(seen->points, 0, seen->n_points);
    memset(seen->pairs, 0, seen->n_units);
    for (gsize i = 0; i < count; i++) {
        guint8 side = sample[i] > 0 ? ABOVE : BELOW;

        seen->pairs[layer->joins ? find_channel(layer, i) : i] |= side;
        seen->points[layer->joins ? 0 : find_position(layer, i)] |= side;
    }
    for (gsize i = 0; i < seen->n_units; i++) {
        seen->units[i] |= seen->pairs[i];
        seen->inactive += seen->pairs[i] == BELOW;
    }
    for (gsize i = 0; i < seen->n_points; i++) {
        seen->dead_points += seen->points[i] == BELOW;
        seen->linear_points += seen->points[i] == ABOVE;
    }
}

static void
tell(const Layer *layer, const Seen *seen, gsize samples, double *values)
{
    double units = (double) seen->n_units, points = (double) (seen->n_points * samples);
    double pairs = units * (double) samples, dead = 0, linear = 0;

    for (gsize i = 0; i < seen->n_units; i++) {
        dead += seen->units[i] == BELOW;
        linear += seen->units[i] == ABOVE;
    }
    const double dead_points = (double) seen->dead_points;
    const double linear_points = (double) seen->linear_points;
    const double inactive = (double) seen->inactive / pairs;
    const double told[] = {
        units,
        dead,
        linear,
        units - dead - linear,
        points,
        dead_points,
        linear_points,
        points - dead_points - linear_points,
        dead >= units,
        linear >= units,
        dead / units,
        linear / units,
        dead_points / points,
        linear_points / points,
        inactive,
        pow(dead / units, units),
        pow(inactive, (double) layer->channels),
    };

    memcpy(values, told, sizeof told);
}

static gboolean
measure(AditProbe *probe, const AditFeatures *features, AditFindings *findings, GError **error)
{
    Layer layer = find_layer(ADIT_UNITS(probe), &features->shape);
    gsize count = layer.channels * layer.positions;
    Seen seen = {.n_units = layer.joins ? layer.channels : count,
                 .n_points = layer.joins ? 1 : layer.positions};
    g_autofree guint8 *units = g_new0(guint8, seen.n_units);
    g_autofree guint8 *points = g_new0(guint8, seen.n_points);
    g_autofree guint8 *pairs = g_new0(guint8, seen.n_units);

    seen.units = units;
    seen.points = points;
    seen.pairs = pairs;
    for (gsize row = 0; row < features->samples; row++)
        look_at_sample(&layer, features->values + row * count, &seen);
    tell(&layer, &seen, features->samples, findings->values);
    return TRUE;
}

static void
adit_units_class_init(AditComponentClass *klass)
{
    ADIT_PROBE_CLASS(klass)->measure = measure;
    ADIT_PROBE_CLASS(klass)->columns = columns;
    ADIT_PROBE_CLASS(klass)->default_at = "**:pre";
    adit_component_class_describe(klass, "units",
                                  "Dead, linear and nonlinear units and points of each layer");
    adit_component_class_add_choice(
        klass, "scope",
        "Of maps: one unit a channel and one point a sample (space), or "
        "one unit an element and one point a position",
        scopes, SPACE, ADIT_FIELD(AditUnits, scope, int));
}

ADIT_PLUGIN("units", "1.0", "MIT", ADIT_TYPES(adit_units_get_type))
