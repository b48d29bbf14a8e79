/* core/adit/adit-schedule.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-component.h>

G_BEGIN_DECLS

/**
 * AditSchedule: the value of a live number as training goes on.
 */
#define ADIT_TYPE_SCHEDULE (adit_schedule_get_type())
G_DECLARE_DERIVABLE_TYPE(AditSchedule, adit_schedule, ADIT, SCHEDULE, AditComponent)

/**
 * AditClock: where a stage stands.
 * @step: steps done
 * @steps: steps of the stage
 * @steps_per_epoch: at least 1
 */
typedef struct {
    guint64 step;
    guint64 steps;
    guint64 steps_per_epoch;
} AditClock;

/**
 * AditScheduleClass:
 * @value: the value for the step that comes next; a pure function, called on the training thread
 */
struct _AditScheduleClass {
    AditComponentClass parent_class;

    double (*value)(AditSchedule *self, const AditClock *clock);

    gpointer padding[7];
};

/* The current value of a live number. */
double adit_live_get(const AditLive *self, const AditClock *clock);
/* A span in steps: a bare number counts epochs. */
double adit_clock_span(const AditClock *clock, AditAmount span);

#define ADIT_DEFINE_SCHEDULE(TypeName, type_name, CAST)                                            \
    ADIT_DEFINE_COMPONENT(TypeName, type_name, CAST, ADIT_TYPE_SCHEDULE)

G_END_DECLS
