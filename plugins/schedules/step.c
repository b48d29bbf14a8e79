/* plugins/schedules/step.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>
#include <math.h>

struct _AditStepSchedule {
    AditSchedule parent_instance;
    double from;
    double factor;
    AditAmount every;
    GArray *at;
};
ADIT_DEFINE_SCHEDULE(AditStepSchedule, adit_step_schedule, ADIT_STEP_SCHEDULE)

static double
count_drops(AditStepSchedule *self, const AditClock *clock)
{
    double step = (double) clock->step;
    double drops = 0.0;

    if (self->every.value > 0.0)
        return floor(step / adit_clock_span(clock, self->every));
    for (guint i = 0; i < self->at->len; i++) {
        double epoch = g_array_index(self->at, double, i);
        if (step >= epoch * (double) clock->steps_per_epoch)
            drops += 1.0;
    }
    return drops;
}

static double
value(AditSchedule *schedule, const AditClock *clock)
{
    AditStepSchedule *self = ADIT_STEP_SCHEDULE(schedule);

    return self->from * pow(self->factor, count_drops(self, clock));
}

static gboolean
check(AditComponent *component, GError **error)
{
    AditStepSchedule *self = ADIT_STEP_SCHEDULE(component);

    if ((self->every.value > 0.0) != (self->at->len > 0))
        return TRUE;
    g_set_error_literal(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                        "'step' needs either 'every' or 'at'");
    return FALSE;
}

static void
adit_step_schedule_class_init(AditComponentClass *klass)
{
    klass->check = check;
    ADIT_SCHEDULE_CLASS(klass)->value = value;
    adit_component_class_describe(klass, "step", "Multiplied by a factor again and again");
    adit_component_class_set_example(klass, "{step: {from: 0.1, factor: 0.1, every: 50}}");
    adit_component_class_add_number(klass, "from", "First value", -1e6, 1e6, 0,
                                    ADIT_FIELD(AditStepSchedule, from, double));
    adit_component_class_add_number(klass, "factor", "Factor of every drop", 0, 1e6, 0.1,
                                    ADIT_FIELD(AditStepSchedule, factor, double));
    adit_component_class_add_amount(klass, "every", "Time between drops; 0: see at", ADIT_FORM_SPAN,
                                    0, 1e15, (AditAmount){0},
                                    ADIT_FIELD(AditStepSchedule, every, AditAmount));
    adit_component_class_add_numbers(klass, "at", "Epochs before which it drops", FALSE, 0, 1e15,
                                     ADIT_FIELD(AditStepSchedule, at, GArray *));
    adit_component_class_require(klass, "from");
}

ADIT_PLUGIN("step", "1.0", "MIT", ADIT_TYPES(adit_step_schedule_get_type))
