/* tests/core/train/test-walk.c - SPDX-License-Identifier: MIT */
#include "adit-course.h"
#include "adit-file.h"
#include "adit-shared-device.h"
#include "adit-train-step.h"
#include "adit-updater.h"
#include "rig.h"

#include <math.h>
#include <string.h>

/* Training steps that a Vulkan device does in two dispatches, and one more for each value that
 * mixes rows, beside the same steps on the CPU and, where bits are meant, beside themselves. */

#define MAX_LOSS   1e-5 /* relative */
#define MAX_NMSE   1e-9
#define MAX_UPDATE 1e-6
#define STEPS      3

static char *folder;

/* Every network has its own `model` and `train`; the data are moons. */
typedef struct {
    const char *name;
    const char *model;
    const char *train;
    gsize rows;
    guint cuts; /* the batch-norms: one forward and one back */
    /* beside float64: behind so many normalisations the CPU's float32 itself has fewer digits */
    gboolean exact;
} Network;

#define GLONET                                                                                     \
    "{stem: {dense: {units: 6}}, trunk: {aggregator: glonet, blocks: [{repeat: {times: 5, "        \
    "blocks: [{dense: {units: 6, activation: silu}}]}}]}, head: {dense: {units: 2}}}"

#define SGD "{loss: cross-entropy, optimizer: {sgd: {lr: 0.05}}, batch: 64, epochs: 1}"
#define RESNET(width, depth)                                                                       \
    "{stem: {dense: {units: " width                                                                \
    "}}, trunk: {aggregator: residual, blocks: [{repeat: {times: " depth                           \
    ", blocks: [{dense: {units: " width ", norm: batch-norm, activation: relu, order: "            \
    "pre}}, {dense: {units: " width ", norm: batch-norm, activation: relu, order: "                \
    "pre}}]}}]}, head: {dense: {units: 2}}}"

static const Network networks[] = {
    {"glonet", GLONET,
     "{loss: cross-entropy, optimizer: {adam: {lr: 0.01}}, regularizers: [{l2: {weight: 1e-3}}], "
     "batch: 64, epochs: 1}",
     64},
    {"few-rows", GLONET, "{loss: cross-entropy, optimizer: {sgd: {lr: 0.1}}, batch: 64, epochs: 1}",
     3},
    {"narrow",
     "{stem: {dense: {units: 1}}, trunk: {aggregator: residual, blocks: [{repeat: {times: 4, "
     "blocks: [{dense: {units: 1, activation: tanh}}]}}]}, head: {dense: {units: 2}}}",
     "{loss: squared-hinge, optimizer: {sgd: {lr: 0.1, momentum: 0.9}}, batch: 64, epochs: 1}", 37},
    {"wide",
     "{stem: {dense: {units: 64}}, trunk: {aggregator: chain, blocks: [{repeat: {times: 3, blocks: "
     "[{dense: {units: 64, activation: gelu}}, layer-norm]}}]}, head: {dense: {units: 2}}}",
     "{loss: cross-entropy, optimizer: {adamw: {lr: 0.01, decay: 0.1}}, batch: 64, epochs: "
     "1}",
     50},
    {"noisy",
     "{stem: {dense: {units: 19}}, trunk: {aggregator: residual, blocks: [{repeat: {times: 4, "
     "blocks: [{dense: {units: 19, activation: sigmoid}}, {dropout: {rate: 0.3}}]}}]}, head: "
     "{dense: {units: 2}}}",
     "{loss: cross-entropy, optimizer: {adam: {lr: 0.01}}, batch: 64, epochs: 1}", 64},
    {"rates", GLONET,
     "{loss: cross-entropy, optimizer: {adam: {lr: 0.01}}, freeze: [trunk.3], rates: [{at: head, "
     "factor: 0.5}], batch: 64, epochs: 1}",
     64},
    {"resnet", RESNET("6", "3"),
     "{loss: cross-entropy, optimizer: {adam: {lr: 0.01}}, regularizers: [{l2: {weight: 1e-3}}], "
     "batch: 64, epochs: 1}",
     64, 2 * 6},
    {"resnet-odd", RESNET("3", "2"), SGD, 61, 2 * 4},
    {"resnet-wide", RESNET("40", "2"), SGD, 50, 2 * 4},
    /* outside of loops, in a loop and in one around it, with one cut an iteration */
    {"batch-norms",
     "{stem: [{dense: {units: 6}}, batch-norm], trunk: {aggregator: chain, blocks: [{repeat: "
     "{times: 3, blocks: [{repeat: {times: 3, blocks: [{dense: {units: 6}}, batch-norm, {dropout: "
     "{rate: 0.1}}, tanh]}}, batch-norm]}}]}, head: [batch-norm, {dense: {units: 2}}]}",
     SGD, 33, 2 * (1 + 3 * (3 + 1) + 1), TRUE},
};

/* What a device is known not to walk. */
static const Network others[] = {
    {"tied",
     "{stem: {dense: {units: 6}}, trunk: {aggregator: glonet, blocks: [{repeat: {times: 5, tied: "
     "true, blocks: [{dense: {units: 6, activation: silu}}]}}]}, head: {dense: {units: 2}}}",
     SGD, 64},
    {"clip", GLONET,
     "{loss: cross-entropy, optimizer: {adam: {lr: 0.01}}, clip: 1, batch: 64, epochs: 1}", 64},
};

/* ---- one side ---- */

typedef struct {
    AditDevice *device;
    AditExperiment *experiment;
    AditData *data;
    AditNetwork *network;
    AditTrainStep *step;
    gsize n;
} Side;

/* @changes: (nullable): words of a command line */
static AditExperiment *
read_experiment(const Network *network, const char *const *changes)
{
    const char *const none[] = {NULL};
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();
    g_autofree char *path = g_build_filename(folder, "walk.yaml", NULL);
    g_autofree char *yaml = g_strdup_printf(
        "adit: 1\ndata: {moons: {samples: 240, noise: 0.1, test: 25%%}}\nmodel: %s\ntrain: %s\n",
        network->model, network->train);
    g_assert_true(g_file_set_contents(path, yaml, -1, NULL));
    AditExperiment *experiment =
        adit_experiment_read(path, changes != NULL ? changes : none, 3, NULL, diagnostics);
    g_autofree char *text = adit_diagnostics_to_string(diagnostics, FALSE);
    g_assert_cmpstr(text, ==, "");
    return experiment;
}

/* @device: taken */
static void
side_init_varied(Side *self, AditDevice *device, const Network *network, const char *const *changes)
{
    g_autoptr(GError) error = NULL;

    self->device = device;
    self->experiment = read_experiment(network, changes);
    self->data = adit_data_open(self->experiment->datasets->pdata[0], NULL, &error);
    g_assert_no_error(error);
    const AditStage *stage = self->experiment->stages->pdata[0];
    AditNetworkShape shape = {self->data->input_shape, self->data->target_shape,
                              self->data->classes};
    self->network = adit_network_new(self->experiment, &shape, stage->loss, device,
                                     adit_stage_count_slots(stage), &error);
    g_assert_no_error(error);
    adit_network_initialize(self->network, self->experiment->seed);
    self->step = adit_train_step_new(self->experiment, stage, self->network, NULL, 64, &error);
    g_assert_no_error(error);
    self->n = adit_network_get_layout(self->network)->n_parameters;
}

static void
side_init(Side *self, AditDevice *device, const Network *network)
{
    side_init_varied(self, device, network, NULL);
}

static void
side_clear(Side *self)
{
    adit_train_step_free(self->step);
    adit_network_free(self->network);
    adit_data_free(self->data);
    adit_experiment_free(self->experiment);
    g_object_unref(self->device);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Side, side_clear)

static gsize
count_numbers(const Side *self, AditArena arena)
{
    return arena == ADIT_ARENA_STATES ? adit_network_get_layout(self->network)->n_states : self->n;
}

static double *
read_arena(const Side *self, AditArena arena)
{
    gsize n = count_numbers(self, arena);
    double *values = g_new0(double, n + 1);

    if (n > 0)
        adit_memory_read(self->device, adit_network_get_memory(self->network), arena, 0, n, values);
    return values;
}

/* Gives the loss. */
static double
side_step(Side *self, guint number, gsize rows)
{
    double sums[ADIT_COURSE_SUMS] = {0};
    AditPermutation order;
    AditClock clock = {.step = number, .steps = STEPS, .steps_per_epoch = STEPS};
    AditBatch batch = {.split = &self->data->train,
                       .order = &order,
                       .first = number * rows % 100,
                       .rows = rows,
                       .step = number,
                       .clock = clock};

    adit_permutation_init(&order, 1, "order", self->data->train.rows);
    adit_train_step_set_sums(self->step, sums);
    adit_train_step_run(self->step, &batch);
    adit_train_step_read_sums(self->step, sums);
    return sums[0] / (double) rows;
}

static guint64
count(const Side *self)
{
    AditDeviceCounts counts;

    adit_device_count(self->device, &counts);
    return counts.calls;
}

/* ---- tests ---- */

/* Squares of the differences over those of what is expected, both from @start on. */
static double
compare(const double *got, const double *expected, const double *start, gsize n)
{
    double error = 0, power = 0;

    for (gsize i = 0; i < n; i++) {
        double wanted = expected[i] - (start != NULL ? start[i] : 0);
        double off = got[i] - expected[i];

        error += off * off;
        power += wanted * wanted;
    }
    g_assert_cmpfloat(power, >, 0);
    return error / power;
}

/* Running statistics. */
static void
check_states(const Side *cpu, const Side *device)
{
    g_autofree double *expected = read_arena(cpu, ADIT_ARENA_STATES);
    g_autofree double *got = read_arena(device, ADIT_ARENA_STATES);
    gsize n = count_numbers(cpu, ADIT_ARENA_STATES);

    if (n > 0)
        g_assert_cmpfloat(compare(got, expected, NULL, n), <=, MAX_NMSE);
}

/**
 * Sides: the device; the CPU, whose states the steps begin with; and the one of both its gradients
 * and updates are compared with: the CPU, or the same in float64.
 */
typedef struct {
    Side cpu, exact, device;
    const Side *expected;
} Sides;

static void
sides_clear(Sides *self)
{
    if (self->expected == &self->exact)
        side_clear(&self->exact);
    side_clear(&self->cpu);
    side_clear(&self->device);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Sides, sides_clear)

/* A step from a state of the CPU. */
static double
step_from(Side *self, const double *start, guint number, gsize rows)
{
    adit_memory_write(self->device, adit_network_get_memory(self->network), ADIT_ARENA_PARAMETERS,
                      0, self->n, start);
    return side_step(self, number, rows);
}

/* The same step from the same state. */
static void
check_step(Sides *sides, guint number, gsize rows)
{
    Side *cpu = &sides->cpu, *device = &sides->device;
    g_autofree double *start = read_arena(cpu, ADIT_ARENA_PARAMETERS);
    double expected_loss = side_step(cpu, number, rows);
    double loss = step_from(device, start, number, rows);

    if (sides->expected == &sides->exact)
        step_from(&sides->exact, start, number, rows);
    g_autofree double *expected = read_arena(sides->expected, ADIT_ARENA_GRADIENTS);
    g_autofree double *got = read_arena(device, ADIT_ARENA_GRADIENTS);
    g_autofree double *expected_values = read_arena(sides->expected, ADIT_ARENA_PARAMETERS);
    g_autofree double *values = read_arena(device, ADIT_ARENA_PARAMETERS);
    double gradient = compare(got, expected, NULL, cpu->n);
    double update = compare(values, expected_values, start, cpu->n);

    g_test_message("step %u  loss %g off by %.1e  gradient %.1e  update %.1e", number, loss,
                   fabs(loss - expected_loss), gradient, update);
    g_assert_cmpfloat(fabs(loss - expected_loss), <=, MAX_LOSS * fabs(expected_loss));
    g_assert_cmpfloat(gradient, <=, MAX_NMSE);
    g_assert_cmpfloat(update, <=, MAX_UPDATE);
    check_states(cpu, device);
}

/* Dispatches of the last steps. */
static guint64
check_steps(const Network *network)
{
    g_auto(Sides) sides = {0};

    side_init(&sides.cpu, adit_cpu_device_new(1, FALSE), network);
    sides.expected = network->exact ? &sides.exact : &sides.cpu;
    if (network->exact)
        side_init(&sides.exact, adit_cpu_device_new(1, TRUE), network);
    side_init(&sides.device, test_device(1), network);
    check_step(&sides, 0, network->rows);
    guint64 before = count(&sides.device);
    for (guint i = 1; i < STEPS; i++)
        check_step(&sides, i, network->rows);
    return count(&sides.device) - before;
}

static void
test_walk(gconstpointer user_data)
{
    const Network *network = user_data;

    g_assert_cmpuint(check_steps(network), ==, (2 + network->cuts) * (STEPS - 1));
}

static void
test_other(gconstpointer user_data)
{
    g_assert_cmpuint(check_steps(user_data), >, 2 * (STEPS - 1));
}

static double *
train(const Network *network, const char *rows, gsize *size)
{
    g_auto(Side) side = {0};

    if (rows != NULL)
        g_setenv("ADIT_WALK_ROWS", rows, TRUE);
    side_init(&side, test_device(1), network);
    for (guint i = 0; i < STEPS; i++)
        side_step(&side, i, network->rows);
    g_unsetenv("ADIT_WALK_ROWS");
    *size = side.n * sizeof(double);
    return read_arena(&side, ADIT_ARENA_PARAMETERS);
}

/* The same bits whatever the workgroups are, and every time. */
static void
test_bits(gconstpointer user_data)
{
    const Network *network = user_data;
    gsize size;
    g_autofree double *usual = train(network, NULL, &size);
    g_autofree double *again = train(network, NULL, &size);
    g_autofree double *one = train(network, "1", &size);
    g_autofree double *measured = train(network, "measure", &size);

    g_assert_cmpmem(again, size, usual, size);
    g_assert_cmpmem(one, size, usual, size);
    g_assert_cmpmem(measured, size, usual, size);
}

/* A loss that is not finite changes nothing, from its step on. */
static void
test_not_finite(gconstpointer user_data)
{
    const Network *network = user_data;
    g_auto(Side) side = {0};
    guint64 step = 0;
    const double large = 1e30;

    side_init(&side, test_device(1), network);
    AditMemory *memory = adit_network_get_memory(side.network);
    side_step(&side, 0, 64);
    g_assert_true(adit_memory_is_finite(side.device, memory, NULL));
    adit_memory_write(side.device, memory, ADIT_ARENA_PARAMETERS, 0, 1, &large);
    g_autofree double *before = read_arena(&side, ADIT_ARENA_PARAMETERS);
    g_autofree double *states_before = read_arena(&side, ADIT_ARENA_STATES);
    guint64 dispatches = count(&side);
    g_assert_cmpfloat(side_step(&side, 7, 64), ==, 0);
    side_step(&side, 8, 64);
    g_assert_cmpuint(count(&side) - dispatches, ==, 2 * (2 + network->cuts));
    g_autofree double *after = read_arena(&side, ADIT_ARENA_PARAMETERS);
    g_autofree double *states_after = read_arena(&side, ADIT_ARENA_STATES);
    g_assert_cmpmem(after, side.n * sizeof *after, before, side.n * sizeof *before);
    gsize size = count_numbers(&side, ADIT_ARENA_STATES) * sizeof(double);
    g_assert_cmpmem(states_after, size, states_before, size);
    g_assert_false(adit_memory_is_finite(side.device, memory, &step));
    g_assert_cmpuint(step, ==, 7);
    g_assert_true(adit_memory_is_finite(side.device, memory, NULL));
}

/* All weights of @section. */
static void
scale(const Side *self, const char *section, double factor)
{
    const GPtrArray *slots = adit_network_get_layout(self->network)->slots;
    AditMemory *memory = adit_network_get_memory(self->network);
    g_autofree double *values = read_arena(self, ADIT_ARENA_PARAMETERS);

    for (guint i = 0; i < slots->len; i++) {
        const AditSlot *slot = slots->pdata[i];
        gsize n = slot->n * adit_shape_count(&slot->shape);

        if (!g_str_has_prefix(slot->names[0], section) ||
            !g_str_has_suffix(slot->names[0], ".weight"))
            continue;
        for (gsize j = 0; j < n; j++)
            values[slot->offset + j] *= factor;
    }
    adit_memory_write(self->device, memory, ADIT_ARENA_PARAMETERS, 0, self->n, values);
}

/* Where the plain step's loss is finite and its gradient is not, a trial finds nothing out: the
 * walk is not given up for it. */
static void
test_overflow(gconstpointer user_data)
{
    const Network network = {"overflow",
                             "{stem: {dense: {units: 2}}, trunk: {aggregator: chain, blocks: "
                             "[{repeat: {times: 4, blocks: [{dense: {units: 2}}]}}]}, head: "
                             "{dense: {units: 2}}}",
                             SGD, 64};
    g_auto(Side) side = {0};

    g_setenv("ADIT_CACHE", "0", TRUE); /* what is known is not tried */
    side_init(&side, test_device(1), &network);
    scale(&side, "stem.", 1e-37);
    scale(&side, "trunk.", 1e13);
    g_assert_cmpfloat(side_step(&side, 0, 64), <, G_MAXFLOAT);
    g_autofree double *gradients = read_arena(&side, ADIT_ARENA_GRADIENTS);
    g_assert_false(isfinite(gradients[0]));
    guint64 before = count(&side);
    side_step(&side, 1, 64);
    g_unsetenv("ADIT_CACHE");
    g_assert_cmpuint(count(&side) - before, ==, 2);
}

/* ---- together ---- */

#define TOGETHER 3

/* Seeds and a rate: live values all. */
static const char *const changes[TOGETHER][5] = {
    {"-o", "seed=7", NULL},
    {"-o", "seed=8", NULL},
    {"-o", "seed=9", "-o", "train.optimizer.adam.lr=0.02", NULL},
};

/* @values: what each leaves */
typedef struct {
    const Network *network;
    guint steps;
    guint first; /* of the changes */
    double *values[TOGETHER];
    gsize size;
} Together;

static void
train_one(AditDevice *device, guint number, gpointer user_data)
{
    Together *self = user_data;
    g_auto(Side) side = {0};

    side_init_varied(&side, g_object_ref(device), self->network, changes[self->first + number]);
    for (guint i = 0; i < self->steps; i++)
        side_step(&side, i, i % 3 == 2 ? 40 : 64);
    self->values[self->first + number] = read_arena(&side, ADIT_ARENA_PARAMETERS);
    self->size = side.n * sizeof(double);
}

/* Dispatches and barriers of @n runs. */
static AditDeviceCounts
train_together(Together *self, guint n)
{
    g_autoptr(AditDevice) device = test_device(1);
    AditDeviceCounts before, after;

    adit_device_count(device, &before);
    adit_device_share(device, n, train_one, self);
    adit_device_count(device, &after);
    return (AditDeviceCounts){after.calls - before.calls, after.barriers - before.barriers, 0};
}

static void
together_clear(Together *self)
{
    for (guint i = 0; i < TOGETHER; i++)
        g_free(self->values[i]);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Together, together_clear)

/* The bits of each alone; and what all of them wait for is what one waits for. */
static void
test_together(gconstpointer user_data)
{
    const Network *network = user_data;
    guint64 dispatches = 6 * (2 + network->cuts);
    g_auto(Together) few = {network, 6}, more = {network, 12}, less = {network, 6};
    g_auto(Together) alone = {network, 12};

    AditDeviceCounts six = train_together(&few, TOGETHER);
    AditDeviceCounts twelve = train_together(&more, TOGETHER);
    AditDeviceCounts six_alone = train_together(&less, 1);
    AditDeviceCounts twelve_alone = train_together(&alone, 1);

    g_assert_cmpuint(twelve_alone.calls - six_alone.calls, ==, dispatches);
    g_assert_cmpuint(twelve.calls - six.calls, ==, TOGETHER * dispatches);
    g_assert_cmpuint(twelve_alone.barriers - six_alone.barriers, ==, dispatches);
    g_assert_cmpuint(twelve.barriers - six.barriers, ==, dispatches);
    for (alone.first = 1; alone.first < TOGETHER; alone.first++)
        train_together(&alone, 1);
    for (guint i = 0; i < TOGETHER; i++) {
        g_assert_cmpmem(more.values[i], more.size, alone.values[i], alone.size);
        for (guint j = 0; j < i; j++)
            g_assert_cmpint(memcmp(more.values[i], more.values[j], more.size), !=, 0);
    }
}

static double
evaluate(const Side *self, gsize batch)
{
    AditScores scores = {0};
    g_autoptr(GError) error = NULL;

    adit_network_evaluate(self->network, &self->data->train, batch, &scores, &error);
    g_assert_no_error(error);
    return scores.loss;
}

/* Two dispatches a batch, with running statistics too; the figures of the CPU, and the same bits
 * for every batch. */
static void
test_evaluation(gconstpointer user_data)
{
    const Network *network = user_data;
    g_auto(Side) cpu = {0}, device = {0};

    side_init(&cpu, adit_cpu_device_new(1, FALSE), network);
    side_init(&device, test_device(1), network);
    side_step(&cpu, 0, network->rows);
    side_step(&device, 0, network->rows);
    double expected = evaluate(&cpu, 64), got = evaluate(&device, 64);
    guint64 before = count(&device);
    g_assert_cmpfloat(evaluate(&device, 64), ==, got);
    g_assert_cmpuint(count(&device) - before, ==, 2 * ((device.data->train.rows + 63) / 64));
    g_assert_cmpfloat(evaluate(&device, 17), ==, got);
    g_assert_cmpfloat(fabs(got - expected), <=, MAX_LOSS * expected);
}

static const struct {
    const char *name;
    const char *network;
    GTestDataFunc test;
} more[] = {
    {"bits", "glonet", test_bits},
    {"bits", "resnet-odd", test_bits}, /* workgroups of 16 or 32 rows */
    {"not-finite", "glonet", test_not_finite},
    {"not-finite", "resnet-odd", test_not_finite},
    {"overflow", "glonet", test_overflow},
    {"evaluation", "glonet", test_evaluation},
    {"evaluation", "resnet", test_evaluation},
    {"together", "glonet", test_together},
    {"together", "resnet", test_together},
};

static const Network *
find_network(const char *name)
{
    guint i = 0;

    while (!g_str_equal(networks[i].name, name))
        i++;
    return &networks[i];
}

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    folder = g_dir_make_tmp("adit-walk-XXXXXX", NULL);
    for (guint i = 0; i < G_N_ELEMENTS(networks); i++) {
        g_autofree char *path = g_strdup_printf("/walk/%s", networks[i].name);

        g_test_add_data_func(path, &networks[i], test_walk);
    }
    for (guint i = 0; i < G_N_ELEMENTS(others); i++) {
        g_autofree char *path = g_strdup_printf("/walk/not/%s", others[i].name);

        g_test_add_data_func(path, &others[i], test_other);
    }
    for (guint i = 0; i < G_N_ELEMENTS(more); i++) {
        const Network *network = find_network(more[i].network);
        g_autofree char *path = g_strdup_printf("/walk/%s/%s", more[i].name, network->name);

        g_test_add_data_func(path, network, more[i].test);
    }
    int code = g_test_run();

    adit_folder_remove(folder, NULL);
    g_free(folder);
    return code;
}
