/* plugins/schedules/warm-up.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditWarmUp {
    AditSchedule parent_instance;
    AditAmount over;
    double from;
    AditLive *then;
};
ADIT_DEFINE_SCHEDULE(AditWarmUp, adit_warm_up, ADIT_WARM_UP)

/* A straight line to what comes next, reached with the span's last step (Goyal et al., "Accurate,
 * large minibatch SGD", 2017, section 2.2), whose own clock starts then. */
static double
value(AditSchedule *schedule, const AditClock *clock)
{
    AditWarmUp *self = ADIT_WARM_UP(schedule);
    double span = adit_clock_span(clock, self->over);
    double step = (double) clock->step;
    AditClock rest = *clock;

    rest.step = step > span ? (guint64) (step - span) : 0;
    rest.steps = (double) clock->steps > span ? (guint64) ((double) clock->steps - span) : 1;

    double next = adit_live_get(self->then, &rest);
    if (step + 1.0 >= span)
        return next;
    return self->from + (next - self->from) * (step + 1.0) / span;
}

static void
adit_warm_up_class_init(AditComponentClass *klass)
{
    ADIT_SCHEDULE_CLASS(klass)->value = value;
    adit_component_class_describe(klass, "warm-up", "A rise before another schedule or number");
    adit_component_class_set_example(klass, "{warm-up: {over: 5, then: {cosine: {from: 0.1}}}}");
    adit_component_class_add_amount(klass, "over", "How long the rise takes", ADIT_FORM_SPAN, 0,
                                    1e15, (AditAmount){.value = 1.0},
                                    ADIT_FIELD(AditWarmUp, over, AditAmount));
    adit_component_class_add_number(klass, "from", "Where the rise starts", -1e6, 1e6, 0,
                                    ADIT_FIELD(AditWarmUp, from, double));
    adit_component_class_add_live(klass, "then", "What follows", -1e6, 1e6, 0,
                                  ADIT_FIELD(AditWarmUp, then, AditLive *));
    adit_component_class_require(klass, "then");
}

ADIT_PLUGIN("warm-up", "1.0", "MIT", ADIT_TYPES(adit_warm_up_get_type))
