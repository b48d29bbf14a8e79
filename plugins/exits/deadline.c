/* plugins/exits/deadline.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditDeadline {
    AditPolicy parent_instance;
    AditAmount time;
};
ADIT_DEFINE_POLICY(AditDeadline, adit_deadline, ADIT_DEADLINE)

/* The deepest answer that is there in time; the first where none is. */
static guint
fix(AditPolicy *policy, guint n_exits, const double *seconds)
{
    guint exit = 0;

    for (guint i = 1; i <= n_exits; i++) {
        if (seconds[i] <= ADIT_DEADLINE(policy)->time.value)
            exit = i;
    }
    return exit;
}

static void
adit_deadline_class_init(AditComponentClass *klass)
{
    ADIT_POLICY_CLASS(klass)->fix = fix;
    ADIT_POLICY_CLASS(klass)->is_timed = TRUE;
    adit_component_class_describe(
        klass, "deadline", "The deepest answer that a batch comes to in time on this device");
    adit_component_class_add_amount(klass, "time", "That a batch may take", ADIT_FORM_TIME, 0, 3600,
                                    (AditAmount){0.01, ADIT_UNIT_SECONDS},
                                    ADIT_FIELD(AditDeadline, time, AditAmount));
}

ADIT_PLUGIN("deadline", "1.0", "MIT", ADIT_TYPES(adit_deadline_get_type))
