/* plugins/schedules/cosine.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>
#include <math.h>

struct _AditCosineSchedule {
    AditSchedule parent_instance;
    double from;
    double to;
};
ADIT_DEFINE_SCHEDULE(AditCosineSchedule, adit_cosine_schedule, ADIT_COSINE_SCHEDULE)

/* Loshchilov, Hutter, "SGDR", ICLR 2017, equation 5, one cycle. */
static double
value(AditSchedule *schedule, const AditClock *clock)
{
    AditCosineSchedule *self = ADIT_COSINE_SCHEDULE(schedule);
    double done = CLAMP((double) clock->step / (double) MAX(clock->steps, 1), 0.0, 1.0);

    return self->to + (self->from - self->to) * 0.5 * (1.0 + cos(G_PI * done));
}

static void
adit_cosine_schedule_class_init(AditComponentClass *klass)
{
    ADIT_SCHEDULE_CLASS(klass)->value = value;
    adit_component_class_describe(klass, "cosine", "Along half a cosine over the whole stage");
    adit_component_class_set_example(klass, "{cosine: {from: 0.1}}");
    adit_component_class_add_number(klass, "from", "Value at the stage's start", -1e6, 1e6, 0,
                                    ADIT_FIELD(AditCosineSchedule, from, double));
    adit_component_class_add_number(klass, "to", "Value at the stage's end", -1e6, 1e6, 0,
                                    ADIT_FIELD(AditCosineSchedule, to, double));
    adit_component_class_require(klass, "from");
}

ADIT_PLUGIN("cosine", "1.0", "MIT", ADIT_TYPES(adit_cosine_schedule_get_type))
