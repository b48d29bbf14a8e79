/* tests/plugins/test-schedules.c - SPDX-License-Identifier: MIT */
#include <math.h>

#include "plugin-test.h"

/* 10 epochs of 10 steps. */
static double
value_at(AditSchedule *schedule, guint64 step)
{
    const AditClock clock = {.step = step, .steps = 100, .steps_per_epoch = 10};

    return ADIT_SCHEDULE_GET_CLASS(schedule)->value(schedule, &clock);
}

#define assert_near(a, b) g_assert_cmpfloat(fabs((a) - (b)), <=, 1e-12)

static void
test_constant(void)
{
    g_autoptr(AditSchedule) schedule = make_component("schedule", "constant", "value", 0.25, NULL);

    assert_near(value_at(schedule, 0), 0.25);
    assert_near(value_at(schedule, 99), 0.25);
}

static void
test_step_every(void)
{
    AditAmount epochs = {.value = 2.0};
    AditAmount steps = {.value = 30.0, .unit = ADIT_UNIT_STEPS};
    g_autoptr(AditSchedule) schedule =
        make_component("schedule", "step", "from", 0.1, "factor", 0.5, "every", &epochs, NULL);

    assert_near(value_at(schedule, 0), 0.1);
    assert_near(value_at(schedule, 19), 0.1);
    assert_near(value_at(schedule, 20), 0.05);
    assert_near(value_at(schedule, 99), 0.1 / 16.0);
    g_object_set(schedule, "every", &steps, NULL);
    assert_near(value_at(schedule, 29), 0.1);
    assert_near(value_at(schedule, 90), 0.0125);
}

static void
test_step_at(void)
{
    g_autoptr(GArray) at = make_numbers(3, (double[]){3.0, 6.0, 8.0});
    g_autoptr(AditSchedule) schedule =
        make_component("schedule", "step", "from", 1.0, "factor", 0.1, "at", at, NULL);
    g_autoptr(GError) error = NULL;

    assert_near(value_at(schedule, 29), 1.0);
    assert_near(value_at(schedule, 30), 0.1);
    assert_near(value_at(schedule, 60), 0.01);
    assert_near(value_at(schedule, 80), 0.001);
    g_assert_true(adit_component_check(ADIT_COMPONENT(schedule), NULL));

    g_autoptr(AditSchedule) neither = make_component("schedule", "step", "from", 1.0, NULL);
    g_assert_false(adit_component_check(ADIT_COMPONENT(neither), &error));
    g_assert_cmpstr(error->message, ==, "'step' needs either 'every' or 'at'");
}

static void
test_linear_and_cosine(void)
{
    g_autoptr(AditSchedule) linear =
        make_component("schedule", "linear", "from", 1.0, "to", 0.5, NULL);
    g_autoptr(AditSchedule) cosine =
        make_component("schedule", "cosine", "from", 1.0, "to", 0.5, NULL);

    assert_near(value_at(linear, 0), 1.0);
    assert_near(value_at(linear, 50), 0.75);
    assert_near(value_at(linear, 100), 0.5);
    assert_near(value_at(linear, 200), 0.5);
    assert_near(value_at(cosine, 0), 1.0);
    assert_near(value_at(cosine, 50), 0.75);
    assert_near(value_at(cosine, 25), 0.75 + 0.25 * sqrt(0.5));
    assert_near(value_at(cosine, 100), 0.5);
}

static void
test_warm_up(void)
{
    AditAmount over = {.value = 2.0};
    g_autoptr(AditSchedule) linear = make_component("schedule", "linear", "from", 1.0, NULL);
    g_autoptr(AditLive) then = adit_live_new_scheduled(linear);
    g_autoptr(AditSchedule) schedule =
        make_component("schedule", "warm-up", "over", &over, "then", then, NULL);

    assert_near(value_at(schedule, 0), 0.05);
    assert_near(value_at(schedule, 9), 0.5);
    assert_near(value_at(schedule, 19), 1.0);
    /* what follows has 80 steps of its own */
    assert_near(value_at(schedule, 20), 1.0);
    assert_near(value_at(schedule, 60), 0.5);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/schedules/constant/values", test_constant);
    g_test_add_func("/schedules/step/every", test_step_every);
    g_test_add_func("/schedules/step/at", test_step_at);
    g_test_add_func("/schedules/linear-and-cosine/values", test_linear_and_cosine);
    g_test_add_func("/schedules/warm-up/values", test_warm_up);
    return g_test_run();
}
