/* tests/core/device/test-shared-device.c - SPDX-License-Identifier: MIT */
#include "adit-shared-device.h"
#include "false-device.h"
#include "rig.h"

#include <adit/adit-ops.h>

#include <math.h>

#define ROWS    4
#define MEMBERS 3

/**
 * Member: what one thread does, and finds.
 * @steps: that it queues
 * @bad: number of the one whose value is not finite; @steps: none is
 * @looks: after every step
 * @failed: the step that its device tells of; @steps: none
 */
typedef struct {
    guint steps;
    guint bad;
    gboolean looks;
    double count;
    double sum;
    guint64 failed;
} Member;

/* A graph that counts its steps and adds up what it is fed with. */
static Rig *
make_rig(AditDevice *device)
{
    AditGraph *graph = adit_graph_new(ADIT_MODE_TRAINING);
    AditTensor *x = adit_input(graph, "x", &ADIT_SCALAR, 0);
    AditTensor *state = adit_state(graph, "count", &ADIT_SCALAR, 0);

    adit_state_update(state, adit_offset(state, 1));
    Rig *rig = rig_new(graph);
    rig_add(rig, ADIT_OUTPUT_GUARD, adit_reduce_rows(adit_log(x), ADIT_REDUCE_SUM));
    rig_add(rig, ADIT_OUTPUT_SUM, x);
    rig_add_states(rig);
    rig->device = g_object_ref(device);
    rig_prepare(rig, 1, FALSE, ROWS);
    return rig;
}

/* What a step points to is gone when it is run. */
static void
queue_step(Rig *rig, const AditArray *array, guint64 step, gboolean is_bad)
{
    AditPermutation order;
    AditFeed feed = {.array = array, .order = &order, .first = is_bad ? ROWS : 0};
    AditDeviceRun run = {.executable = rig->executable,
                         .call = {.step = step, .update = 1, .rows = ROWS, .feeds = &feed}};

    adit_permutation_init(&order, 1, "order", ROWS);
    if (is_bad)
        feed.order = NULL;
    adit_device_run_all(rig->device, &run, 1);
    memset(&feed, 0xff, sizeof feed);
    memset(&order, 0xff, sizeof order);
}

static void
work(AditDevice *device, guint number, gpointer user_data)
{
    Member *self = (Member *) user_data + number;
    g_autoptr(Rig) rig = make_rig(device);
    g_autoptr(AditArray) array = test_array(&ADIT_SCALAR, 2 * ROWS, 1);

    for (guint i = 0; i < 2 * ROWS; i++)
        ((double *) array->data)[i] = i < ROWS ? number + 1.5 + i : -1;
    for (guint i = 0; i < self->steps; i++) {
        queue_step(rig, array, i, i == self->bad);
        if (self->looks)
            adit_executable_read_sums(device, rig->executable, &self->sum);
    }
    self->failed = self->steps;
    adit_executable_read_sums(device, rig->executable, &self->sum);
    adit_memory_is_finite(device, rig->memory, &self->failed);
    adit_memory_read(device, rig->memory, ADIT_ARENA_STATES, 0, 1, &self->count);
}

/* Each finds what it would find alone; @together: steps of so many at once, counted from 1. */
static void
check(Member *members, guint *together)
{
    g_autoptr(FalseDevice) device = false_device_new();

    adit_device_share(ADIT_DEVICE(device), MEMBERS, work, members);
    for (guint i = 0; i < MEMBERS; i++) {
        Member alone = {members[i].steps, members[i].bad, members[i].looks, 0, 0, 0};
        Member row[MEMBERS] = {0};
        g_autoptr(AditDevice) own = adit_cpu_device_new(1, FALSE);

        row[i] = alone;
        work(own, i, row);
        g_assert_cmpfloat(members[i].count, ==, MIN(members[i].bad, members[i].steps));
        g_assert_cmpfloat(members[i].count, ==, row[i].count);
        g_assert_cmpfloat(members[i].sum, ==, row[i].sum);
        g_assert_cmpuint(members[i].failed, ==, row[i].failed);
        together[i] = false_device_count_together(device, i + 1);
    }
}

static void
test_alike(void)
{
    Member members[] = {{20, 20, .looks = FALSE}, {20, 20, .looks = TRUE}, {20, 20}};
    guint together[MEMBERS];

    check(members, together);
    /* who does not look goes ahead, and the others come after */
    g_assert_cmpuint(together[0] + 2 * together[1] + 3 * together[2], ==, 60);
    g_assert_cmpuint(together[2], >=, 1);

    Member all_look[] = {{20, 20, TRUE}, {20, 20, TRUE}, {20, 20, TRUE}};

    check(all_look, together);
    g_assert_cmpuint(together[2], ==, 20);
}

/* Nobody waits for who has returned. */
static void
test_early(void)
{
    Member members[] = {{5, 5, TRUE}, {0, 0, TRUE}, {12, 12, TRUE}};
    guint together[MEMBERS];

    check(members, together);
    g_assert_cmpuint(together[1], ==, 5);
    g_assert_cmpuint(together[0], ==, 7);
}

/* A value that is not finite stops its own steps. */
static void
test_not_finite(void)
{
    Member members[] = {{9, 9}, {9, 4}, {9, 0}};
    guint together[MEMBERS];

    check(members, together);
    g_assert_cmpfloat(members[0].count, ==, 9);
    g_assert_cmpuint(members[1].failed, ==, 4);
    g_assert_cmpuint(members[2].failed, ==, 0);
}

static void
test_one(void)
{
    Member member = {3, 3};
    g_autoptr(FalseDevice) device = false_device_new();

    adit_device_share(ADIT_DEVICE(device), 1, work, &member);
    g_assert_cmpfloat(member.count, ==, 3);
}

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/shared-device/alike", test_alike);
    g_test_add_func("/shared-device/early", test_early);
    g_test_add_func("/shared-device/not-finite", test_not_finite);
    g_test_add_func("/shared-device/one", test_one);
    return g_test_run();
}
