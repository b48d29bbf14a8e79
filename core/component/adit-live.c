/* core/component/adit-live.c - SPDX-License-Identifier: MIT */
#include "adit-parameter.h"

struct _AditLive {
    gint ref_count;
    double value;
    AditSchedule *schedule; /* NULL: a constant */
};

G_DEFINE_BOXED_TYPE(AditLive, adit_live, adit_live_ref, adit_live_unref)

/**
 * adit_live_new:
 *
 * Returns: (transfer full): a number that stays as it is
 */
AditLive *
adit_live_new(double value)
{
    AditLive *self = g_new0(AditLive, 1);

    self->ref_count = 1;
    self->value = value;
    return self;
}

/**
 * adit_live_new_scheduled:
 * @schedule: (transfer none): says its value at every step
 *
 * Returns: (transfer full): a number that moves
 */
AditLive *
adit_live_new_scheduled(AditSchedule *schedule)
{
    g_return_val_if_fail(ADIT_IS_SCHEDULE(schedule), NULL);

    AditLive *self = adit_live_new(0.0);
    self->schedule = g_object_ref(schedule);
    return self;
}

AditLive *
adit_live_ref(AditLive *self)
{
    g_atomic_int_inc(&self->ref_count);
    return self;
}

void
adit_live_unref(AditLive *self)
{
    if (!g_atomic_int_dec_and_test(&self->ref_count))
        return;
    g_clear_object(&self->schedule);
    g_free(self);
}

double
adit_live_get(const AditLive *self, const AditClock *clock)
{
    if (self->schedule == NULL)
        return self->value;
    return ADIT_SCHEDULE_GET_CLASS(self->schedule)->value(self->schedule, clock);
}

/* (transfer none) (nullable) */
AditSchedule *
adit_live_get_schedule(const AditLive *self)
{
    return self->schedule;
}

gboolean
adit_live_equal(const AditLive *a, const AditLive *b)
{
    if (a->schedule == NULL || b->schedule == NULL)
        return a->schedule == b->schedule && a->value == b->value;
    return adit_component_equal(ADIT_COMPONENT(a->schedule), ADIT_COMPONENT(b->schedule));
}
