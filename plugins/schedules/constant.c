/* plugins/schedules/constant.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditConstantSchedule {
    AditSchedule parent_instance;
    double value;
};
ADIT_DEFINE_SCHEDULE(AditConstantSchedule, adit_constant_schedule, ADIT_CONSTANT_SCHEDULE)

static double
value(AditSchedule *schedule, const AditClock *clock)
{
    return ADIT_CONSTANT_SCHEDULE(schedule)->value;
}

static void
adit_constant_schedule_class_init(AditComponentClass *klass)
{
    ADIT_SCHEDULE_CLASS(klass)->value = value;
    adit_component_class_describe(klass, "constant", "One value throughout");
    adit_component_class_set_example(klass, "{constant: {value: 0.1}}");
    adit_component_class_add_number(klass, "value", "The value", -1e6, 1e6, 0,
                                    ADIT_FIELD(AditConstantSchedule, value, double));
    adit_component_class_require(klass, "value");
}

ADIT_PLUGIN("constant", "1.0", "MIT", ADIT_TYPES(adit_constant_schedule_get_type))
