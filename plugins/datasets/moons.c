/* plugins/datasets/moons.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

#include <math.h>

struct _AditMoons {
    AditDataset parent_instance;
    gint64 samples;
    double noise;
    double scale;
};
ADIT_DEFINE_DATASET(AditMoons, adit_moons, MOONS)

static gboolean
describe(AditDataset *dataset, AditLoader *loader, AditSchema *schema, GError **error)
{
    AditMoons *self = MOONS(dataset);

    *schema = (AditSchema){.inputs = ADIT_SHAPE(2), .classes = 2, .rows = (guint64) self->samples};
    return TRUE;
}

/* Point @i of @n evenly spaced on a half circle, both ends included. */
static double
get_angle(gint64 i, gint64 n)
{
    return n > 1 ? G_PI * (double) i / (double) (n - 1) : 0;
}

/* As make_moons of scikit-learn: an outer half circle (cos t, sin t), class 0, and an inner one
 * (1 - cos t, 1/2 - sin t), class 1, that reaches into it; normal noise on both coordinates. */
static gboolean
load(AditDataset *dataset, AditLoader *loader, AditExamples *train, AditExamples *test,
     GError **error)
{
    AditMoons *self = MOONS(dataset);
    AditRandom *random = adit_loader_get_random(loader);
    gint64 outer = self->samples / 2;
    double *point = NULL;

    train->classes = 2;
    train->inputs =
        adit_array_new(ADIT_TYPE_CODE_F64, &ADIT_SHAPE(2), (gsize) self->samples, error);
    if (train->inputs == NULL)
        return FALSE;
    train->targets = adit_array_new(ADIT_TYPE_CODE_I32, &ADIT_SCALAR, (gsize) self->samples, error);
    if (train->targets == NULL)
        return FALSE;
    point = train->inputs->data;
    for (gint64 i = 0; i < self->samples; i++, point += 2) {
        gboolean inner = i >= outer;
        double t = inner ? get_angle(i - outer, self->samples - outer) : get_angle(i, outer);
        double x = inner ? 1 - cos(t) : cos(t);
        double y = inner ? 0.5 - sin(t) : sin(t);

        point[0] = self->scale * (x + self->noise * adit_random_normal(random));
        point[1] = self->scale * (y + self->noise * adit_random_normal(random));
        ((gint32 *) train->targets->data)[i] = inner;
    }
    return TRUE;
}

static void
adit_moons_class_init(AditComponentClass *klass)
{
    AditDatasetClass *dataset_class = ADIT_DATASET_CLASS(klass);

    dataset_class->describe = describe;
    dataset_class->load = load;
    dataset_class->default_test = (AditAmount){.value = 0.25, .unit = ADIT_UNIT_PERCENT};
    adit_component_class_describe(klass, "moons", "Two half circles that reach into each other");
    adit_component_class_add_int(klass, "samples", "Points, half of them in each class", 2,
                                 100000000, 400, ADIT_FIELD(AditMoons, samples, gint64));
    adit_component_class_add_number(klass, "noise", "Standard deviation of the noise", 0, 1000, 0.1,
                                    ADIT_FIELD(AditMoons, noise, double));
    adit_component_class_add_number(klass, "scale", "Factor on all coordinates", -1000, 1000, 1,
                                    ADIT_FIELD(AditMoons, scale, double));
}

ADIT_PLUGIN("moons", "1.0", "MIT", ADIT_TYPES(adit_moons_get_type))
