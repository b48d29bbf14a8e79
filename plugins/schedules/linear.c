/* plugins/schedules/linear.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditLinearSchedule {
    AditSchedule parent_instance;
    double from;
    double to;
};
ADIT_DEFINE_SCHEDULE(AditLinearSchedule, adit_linear_schedule, ADIT_LINEAR_SCHEDULE)

static double
value(AditSchedule *schedule, const AditClock *clock)
{
    AditLinearSchedule *self = ADIT_LINEAR_SCHEDULE(schedule);
    double done = CLAMP((double) clock->step / (double) MAX(clock->steps, 1), 0.0, 1.0);

    return self->from + (self->to - self->from) * done;
}

static void
adit_linear_schedule_class_init(AditComponentClass *klass)
{
    ADIT_SCHEDULE_CLASS(klass)->value = value;
    adit_component_class_describe(klass, "linear", "In a straight line over the whole stage");
    adit_component_class_set_example(klass, "{linear: {from: 0.1}}");
    adit_component_class_add_number(klass, "from", "Value at the stage's start", -1e6, 1e6, 0,
                                    ADIT_FIELD(AditLinearSchedule, from, double));
    adit_component_class_add_number(klass, "to", "Value at the stage's end", -1e6, 1e6, 0,
                                    ADIT_FIELD(AditLinearSchedule, to, double));
    adit_component_class_require(klass, "from");
}

ADIT_PLUGIN("linear", "1.0", "MIT", ADIT_TYPES(adit_linear_schedule_get_type))
