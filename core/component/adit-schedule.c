/* core/component/adit-schedule.c - SPDX-License-Identifier: MIT */
#include <adit/adit-schedule.h>

G_DEFINE_ABSTRACT_TYPE(AditSchedule, adit_schedule, ADIT_TYPE_COMPONENT)

static void
adit_schedule_class_init(AditScheduleClass *klass)
{
    ADIT_COMPONENT_CLASS(klass)->kind = "schedule";
}

static void
adit_schedule_init(AditSchedule *self)
{
}

double
adit_clock_span(const AditClock *clock, AditAmount span)
{
    if (span.unit == ADIT_UNIT_STEPS)
        return span.value;
    return span.value * (double) clock->steps_per_epoch;
}
