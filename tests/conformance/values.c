/* tests/conformance/values.c - SPDX-License-Identifier: MIT */
#include <adit/adit-loss.h>
#include <adit/adit-ops.h>
#include <adit/adit-optimizer.h>
#include <adit/adit-regularizer.h>
#include <adit/adit-schedule.h>

#include "adit-graph-private.h"
#include "adit-loader.h"
#include "adit-penalty.h"
#include "adit-plan.h"
#include "conformance.h"

#include <math.h>

/* What the other kinds owe whatever they compute; what each computes is tested with the plugins. */

#define ROWS      9
#define TOLERANCE 1e-6

/* Losses. */

typedef struct {
    AditShape outputs;
    AditShape targets;
    guint classes;
} Task;

static const Task tasks[] = {
    {{1, {3}}, {1, {3}}, 0},
    {{2, {2, 3}}, {2, {2, 3}}, 0},
    {{1, {1}}, {0, {0}}, 2},
    {{1, {4}}, {0, {0}}, 4},
};

typedef struct {
    AditGraph *graph;
    AditTensor *outputs;
    AditTensor *targets;
    AditTensor *rows;
} LossGraph;

static LossGraph
build_loss(AditLoss *loss, const Task *task)
{
    LossGraph self = {.graph = adit_graph_new(ADIT_MODE_TRAINING)};

    self.outputs = adit_input(self.graph, "outputs", &task->outputs, 0);
    self.targets = adit_input(self.graph, "targets", &task->targets, task->classes);
    self.rows = ADIT_LOSS_GET_CLASS(loss)->build(loss, self.graph, self.outputs, self.targets);
    return self;
}

static void
feed_task(Rig *rig, const Task *task)
{
    rig_feed(rig, test_array(&task->outputs, ROWS, 7));
    rig_feed(rig, task->classes > 0 ? test_classes(task->classes, ROWS)
                                    : test_array(&task->targets, ROWS, 8));
}

static void
check_loss(AditLoss *loss, const Task *task)
{
    LossGraph built = build_loss(loss, task);
    g_assert_cmpuint(adit_tensor_get_shape(built.rows)->rank, ==, 0);
    g_assert_true(adit_tensor_has_rows(built.rows));
    AditTensor *mean = adit_reduce_rows(built.rows, ADIT_REDUCE_MEAN), *gradient;
    adit_gradient(mean, &built.outputs, 1, ADIT_GRADIENT_KEEP, &gradient);
    g_autoptr(Rig) rig = rig_new(built.graph);
    guint mean_output = rig_add(rig, ADIT_OUTPUT_READ, mean);
    guint gradient_output = rig_add(rig, ADIT_OUTPUT_READ, gradient);

    rig_prepare(rig, 1, TRUE, ROWS);
    feed_task(rig, task);
    rig_check_input_gradient(rig, mean_output, 0, gradient_output, ROWS, TOLERANCE);
    g_assert_cmpfloat(rig_read_scalar(rig, mean_output), >, 0);
}

/* Every loss fits one of the tasks at least, and refuses the others in words. */
static void
for_tasks(const AditPlugin *plugin, void (*check)(AditLoss *loss, const Task *task))
{
    g_autoptr(AditLoss) loss = make_example(plugin);
    guint n = 0;

    for (guint i = 0; i < G_N_ELEMENTS(tasks); i++) {
        LossGraph built = build_loss(loss, &tasks[i]);
        g_autoptr(AditGraph) graph = built.graph;
        const GError *error = adit_graph_get_error(graph);
        if (error != NULL) {
            g_assert_error(error, ADIT_ERROR, ADIT_ERROR_INVALID);
            g_assert_nonnull(strstr(error->message, plugin->name));
            continue;
        }
        check(loss, &tasks[i]);
        n++;
    }
    g_assert_cmpuint(n, >, 0);
}

static void
test_loss_gradient(const AditPlugin *plugin)
{
    for_tasks(plugin, check_loss);
}

static void
check_metric(AditLoss *loss, const Task *task)
{
    AditLossClass *klass = ADIT_LOSS_GET_CLASS(loss);
    LossGraph built = build_loss(loss, task);
    AditTensor *metric = built.rows, *prediction = built.outputs;

    if (klass->metric != NULL)
        metric = klass->metric(loss, built.graph, built.outputs, built.targets);
    if (klass->predict != NULL)
        prediction = klass->predict(loss, built.graph, built.outputs);
    g_autoptr(Rig) rig = rig_new(built.graph);
    g_assert_cmpuint(adit_tensor_get_shape(metric)->rank, ==, 0);
    guint metric_output = rig_add(rig, ADIT_OUTPUT_READ, metric);
    guint prediction_output = rig_add(rig, ADIT_OUTPUT_READ, prediction);
    rig_prepare(rig, 1, TRUE, ROWS);
    feed_task(rig, task);
    rig_run(rig, ROWS, 0);
    g_autofree double *metrics = rig_read(rig, metric_output, ROWS);
    g_autofree double *predictions = rig_read(rig, prediction_output, ROWS);
    for (guint i = 0; i < ROWS; i++)
        g_assert_true(isfinite(metrics[i]));
    for (gsize i = 0; i < ROWS * adit_shape_count(adit_tensor_get_shape(prediction)); i++)
        g_assert_true(isfinite(predictions[i]));
}

static void
test_loss_metric(const AditPlugin *plugin)
{
    g_autoptr(AditLossClass) klass = g_type_class_ref(plugin->type);

    g_assert_nonnull(klass->metric_name);
    for_tasks(plugin, check_metric);
}

void
add_loss(const AditPlugin *plugin)
{
    add_case(plugin, "gradient", test_loss_gradient);
    add_case(plugin, "metric", test_loss_metric);
}

/* Regularizers. */

static void
test_regularizer_gradient(const AditPlugin *plugin)
{
    g_autoptr(AditRegularizer) regularizer = make_example(plugin);
    g_autoptr(AditInitializer) initializer =
        test_component("initializer", "normal", "std", 1.0, NULL);
    AditRegularizerClass *klass = ADIT_REGULARIZER_GET_CLASS(regularizer);
    AditGraph *graph = adit_graph_new(ADIT_MODE_TRAINING);
    AditTensor *matched =
        adit_parameter(graph, "weight", ADIT_ROLE_WEIGHT, &ADIT_SHAPE(3, 4), initializer);
    gboolean tensors = klass->match == ADIT_MATCH_TENSORS;

    if (tensors)
        matched = adit_mul(matched, adit_input(graph, "x", &ADIT_SHAPE(3, 4), 0));
    adit_graph_enter_scope(graph, 0, NULL, 0, "trunk", NULL);
    adit_tap(matched, "pre");
    adit_graph_leave_scope(graph);
    AditTensor *figure;
    AditTensor *term = adit_penalty_add(adit_constant(graph, 0), regularizer, graph, NULL, &figure);
    g_assert_no_error(adit_graph_get_error(graph));
    g_assert_cmpuint(adit_tensor_get_shape(term)->rank, ==, 0);
    g_assert_false(adit_tensor_has_rows(term));
    g_autoptr(Rig) rig = rig_new(graph);
    guint output = rig_add(rig, ADIT_OUTPUT_READ, term);
    rig_add_gradients(rig, term);
    rig_prepare(rig, 1, TRUE, ROWS);
    if (tensors)
        rig_feed(rig, test_array(&ADIT_SHAPE(3, 4), ROWS, 9));
    rig_run(rig, ROWS, 0);
    g_assert_cmpfloat(rig_read_scalar(rig, output), >, 0);
    rig_check_gradients(rig, output, ROWS, TOLERANCE);
}

void
add_regularizer(const AditPlugin *plugin)
{
    add_case(plugin, "gradient", test_regularizer_gradient);
}

/* Optimizers: their update, written out for numbers that lie in a row. */

#define N_NUMBERS 5

typedef struct {
    Rig *rig;
    guint n_slots;
    guint value;
    guint slots[ADIT_MAX_SLOTS];
    double numbers[2 + ADIT_MAX_SLOTS][N_NUMBERS]; /* values, gradients, slots */
} Update;

static AditTensor *
add_number(Update *self, AditGraph *graph, guint index)
{
    g_autofree char *name = g_strdup_printf("number-%u", index);

    return adit_input(graph, name, &ADIT_SCALAR, 0);
}

/* A program that reads values, gradients and slots and gives the new ones. */
static void
update_init(Update *self, AditOptimizer *optimizer, double factor)
{
    AditOptimizerClass *klass = ADIT_OPTIMIZER_GET_CLASS(optimizer);
    AditGraph *graph = adit_graph_new(ADIT_MODE_TRAINING);
    AditUpdate update = {.value = add_number(self, graph, 0),
                         .gradient = add_number(self, graph, 1),
                         .factor = adit_constant(graph, factor),
                         .step = adit_step(graph)};

    *self = (Update){.n_slots = klass->count_slots != NULL ? klass->count_slots(optimizer) : 0};
    g_assert_cmpuint(self->n_slots, <=, ADIT_MAX_SLOTS);
    for (guint i = 0; i < self->n_slots; i++)
        update.slots[i] = add_number(self, graph, 2 + i);
    klass->update(optimizer, graph, &update);
    self->rig = rig_new(graph);
    self->value = rig_add(self->rig, ADIT_OUTPUT_READ, update.value);
    for (guint i = 0; i < self->n_slots; i++)
        self->slots[i] = rig_add(self->rig, ADIT_OUTPUT_READ, update.slots[i]);
    rig_prepare(self->rig, 1, TRUE, N_NUMBERS);
    for (guint i = 0; i < 2 + self->n_slots; i++)
        rig_feed(self->rig, test_array(&ADIT_SCALAR, N_NUMBERS, 1));
}

static void
update_run(Update *self, gsize rows, guint64 step)
{
    for (guint i = 0; i < 2 + self->n_slots; i++) {
        const AditArray *array = self->rig->feeds->pdata[i];
        memcpy(array->data, self->numbers[i], rows * sizeof(double));
    }
    rig_run(self->rig, rows, step);
    adit_executable_read_output(self->rig->device, self->rig->executable, self->value,
                                self->numbers[0]);
    for (guint i = 0; i < self->n_slots; i++)
        adit_executable_read_output(self->rig->device, self->rig->executable, self->slots[i],
                                    self->numbers[2 + i]);
}

/* Goes down a bowl, from both sides. */
static void
test_optimizer_descends(const AditPlugin *plugin)
{
    static const double from[N_NUMBERS] = {1, -1, 0.5, -2, 0.1};
    g_autoptr(AditOptimizer) optimizer = make_example(plugin);
    Update update;

    update_init(&update, optimizer, 1);
    memcpy(update.numbers[0], from, sizeof from);
    for (guint step = 0; step < 50; step++) {
        memcpy(update.numbers[1], update.numbers[0], sizeof from);
        update_run(&update, N_NUMBERS, step);
    }
    for (guint i = 0; i < N_NUMBERS; i++)
        g_assert_cmpfloat(fabs(update.numbers[0][i]), <, fabs(from[i]));
    rig_free(update.rig);
}

/* A group whose factor is 0 stays. */
static void
test_optimizer_factor(const AditPlugin *plugin)
{
    g_autoptr(AditOptimizer) optimizer = make_example(plugin);
    Update update;

    update_init(&update, optimizer, 0);
    for (guint step = 0; step < 3; step++) {
        update.numbers[0][0] = 0.75;
        update.numbers[1][0] = -3;
        update_run(&update, 1, step);
        g_assert_cmpfloat(update.numbers[0][0], ==, 0.75);
    }
    rig_free(update.rig);
}

/* Every number is updated by itself: alone or with others, the same bits. */
static void
test_optimizer_pointwise(const AditPlugin *plugin)
{
    static const double values[N_NUMBERS] = {1, -1, 0.5, -2, 0.1};
    static const double gradients[N_NUMBERS] = {0.3, 1e-9, -20, 0, 1};
    g_autoptr(AditOptimizer) optimizer = make_example(plugin);
    Update together, alone;

    update_init(&together, optimizer, 1);
    memcpy(together.numbers[0], values, sizeof values);
    for (guint step = 0; step < 3; step++) {
        memcpy(together.numbers[1], gradients, sizeof gradients);
        update_run(&together, N_NUMBERS, step);
    }
    for (guint i = 0; i < N_NUMBERS; i++) {
        update_init(&alone, optimizer, 1);
        alone.numbers[0][0] = values[i];
        for (guint step = 0; step < 3; step++) {
            alone.numbers[1][0] = gradients[i];
            update_run(&alone, 1, step);
        }
        test_assert_same(&alone.numbers[0][0], &together.numbers[0][i], 1);
        rig_free(alone.rig);
    }
    rig_free(together.rig);
}

void
add_optimizer(const AditPlugin *plugin)
{
    add_case(plugin, "descends", test_optimizer_descends);
    add_case(plugin, "factor", test_optimizer_factor);
    add_case(plugin, "pointwise", test_optimizer_pointwise);
}

/* Schedules: a pure function of the clock, finite wherever the clock stands. */
static void
test_schedule_pure(const AditPlugin *plugin)
{
    g_autoptr(AditSchedule) schedule = make_example(plugin);
    AditScheduleClass *klass = ADIT_SCHEDULE_GET_CLASS(schedule);
    static const AditClock clocks[] = {
        {0, 1000, 10},   {1, 1000, 10},    {500, 1000, 10},
        {999, 1000, 10}, {1000, 1000, 10}, {5000, 1000, 10},
        {0, 1, 1},       {0, 0, 1},        {G_MAXUINT32, G_MAXUINT32, 1},
    };
    double values[G_N_ELEMENTS(clocks)];

    for (guint i = 0; i < G_N_ELEMENTS(clocks); i++) {
        values[i] = klass->value(schedule, &clocks[i]);
        g_assert_true(isfinite(values[i]));
    }
    for (guint i = G_N_ELEMENTS(clocks); i > 0; i--) {
        double again = klass->value(schedule, &clocks[i - 1]);
        test_assert_same(&again, &values[i - 1], 1);
    }
}

void
add_schedule(const AditPlugin *plugin)
{
    add_case(plugin, "pure", test_schedule_pure);
}

/* Initializers: every number is set, by the stream alone. */

static void
fill(AditInitializer *initializer, const AditShape *shape, const char *name, double *values)
{
    AditRandom random;

    adit_random_init(&random, 11, name);
    for (gsize i = 0; i < adit_shape_count(shape); i++)
        values[i] = (double) NAN;
    ADIT_INITIALIZER_GET_CLASS(initializer)->fill(initializer, shape, &random, values);
}

static void
test_initializer_fills(const AditPlugin *plugin)
{
    static const AditShape shapes[] = {{0, {0}}, {1, {5}}, {2, {3, 4}}, {4, {3, 3, 2, 4}}};
    g_autoptr(AditInitializer) initializer = make_example(plugin);

    for (guint i = 0; i < G_N_ELEMENTS(shapes); i++) {
        gsize count = adit_shape_count(&shapes[i]);
        g_autofree double *a = g_new(double, count + 1);
        g_autofree double *b = g_new(double, count + 1);
        a[count] = b[count] = 4711;
        fill(initializer, &shapes[i], "trunk.1.weight", a);
        fill(initializer, &shapes[i], "trunk.1.weight", b);
        test_assert_same(a, b, count);
        for (gsize j = 0; j < count; j++)
            g_assert_true(isfinite(a[j]));
        g_assert_cmpfloat(a[count], ==, 4711);
    }
}

void
add_initializer(const AditPlugin *plugin)
{
    add_case(plugin, "fills", test_initializer_fills);
}

/* Strategies: pieces that can be trained, for no exit and for several. */
static void
check_piece(const AditPlan *plan, const AditPiece *piece)
{
    double sum = piece->final_weight + piece->outcome_weight;

    for (guint i = 0; i < plan->n_exits; i++) {
        g_assert_cmpfloat(piece->exit_weights[i], >=, 0);
        sum += piece->exit_weights[i];
    }
    g_assert_cmpfloat(sum, >, 0);
    g_assert_true(isfinite(sum));
    g_assert_cmpuint(piece->first, <, adit_plan_count_segments(plan) + 1);
    g_assert_cmpfloat(piece->epochs, >, 0);
    g_assert_cmpfloat(piece->cache, >=, 0);
    if (piece->outcome.kind == ADIT_OUTCOME_EXIT)
        g_assert_cmpuint(piece->outcome.exit, <, plan->n_exits);
}

static void
test_strategy_plans(const AditPlugin *plugin)
{
    g_autoptr(AditStrategy) strategy = make_example(plugin);

    for (guint n = 0; n < 4; n++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(AditPlan) plan = adit_plan_new(strategy, n, 5, &error);

        if (n == 0 && plan == NULL) {
            g_assert_error(error, ADIT_ERROR, ADIT_ERROR_INVALID);
            g_assert_nonnull(strstr(error->message, "needs exits"));
            continue;
        }
        g_assert_no_error(error);
        g_assert_true(adit_plan_get(plan, 0)->restarts);
        for (guint i = 0; i < plan->pieces->len; i++)
            check_piece(plan, adit_plan_get(plan, i));
        for (guint i = 0; plan->rates != NULL && i < adit_plan_count_segments(plan); i++) {
            g_assert_cmpfloat(plan->rates[i].factor, >, 0);
            g_assert_cmpfloat(plan->rates[i].until, <=, 1);
        }
    }
}

void
add_strategy(const AditPlugin *plugin)
{
    add_case(plugin, "plans", test_strategy_plans);
}

/* Datasets: what the headers say is what is loaded. */

/* Where the data lies that a plugin reads: property and path below ADIT_DATA. */
static const struct {
    const char *name;
    const char *property;
    const char *path;
} places[] = {{"idx", "folder", "mnist"},
              {"image-folder", "folder", "cifar10-jpeg/cifar10-jpeg.tar"}};

/* Whether a dataset is not given its files. */
static gboolean
lacks_files(AditDataset *dataset)
{
    AditComponentClass *klass = ADIT_COMPONENT_GET_CLASS(dataset);
    g_autoptr(GPtrArray) parameters = adit_component_class_list_parameters(klass);

    for (guint i = 0; i < parameters->len; i++) {
        const AditParameter *parameter = parameters->pdata[i];
        g_autofree char *path = NULL;
        if (parameter->type == ADIT_PARAMETER_PATH)
            g_object_get(dataset, parameter->name, &path, NULL);
        if (parameter->required && path == NULL)
            return TRUE;
    }
    return !adit_component_check(ADIT_COMPONENT(dataset), NULL);
}

static AditDataset *
make_dataset(const AditPlugin *plugin)
{
    const char *folder = g_getenv("ADIT_DATA");
    AditDataset *dataset = make_example(plugin);

    for (guint i = 0; folder != NULL && i < G_N_ELEMENTS(places); i++) {
        if (!g_str_equal(places[i].name, plugin->name))
            continue;
        g_autofree char *path = g_build_filename(folder, places[i].path, NULL);
        g_object_set(dataset, places[i].property, path, NULL);
    }
    return dataset;
}

static void
test_dataset_agrees(const AditPlugin *plugin)
{
    g_autoptr(AditDataset) dataset = make_dataset(plugin);
    AditDatasetClass *klass = ADIT_DATASET_GET_CLASS(dataset);
    g_autoptr(AditLoader) loader = adit_loader_new(g_getenv("ADIT_DATA"), 0);
    g_autoptr(GError) error = NULL;
    g_auto(AditExamples) train = {NULL}, test = {NULL};
    AditSchema schema = {.rows = 0};

    if (lacks_files(dataset)) {
        g_test_skip("its files are not here");
        return;
    }
    gboolean described = klass->describe(dataset, loader, &schema, &error);
    g_assert_no_error(error);
    g_assert_true(described);
    gboolean loaded = klass->load(dataset, loader, &train, &test, &error);
    g_assert_no_error(error);
    g_assert_true(loaded);
    g_assert_true(adit_shape_equal(&train.inputs->shape, &schema.inputs));
    g_assert_cmpuint(train.classes, ==, schema.classes);
    if (schema.rows > 0)
        g_assert_cmpuint(train.inputs->rows, ==, schema.rows);
    if (train.targets != NULL) {
        g_assert_cmpuint(train.targets->rows, ==, train.inputs->rows);
        g_assert_true(adit_shape_equal(&train.targets->shape, &schema.targets));
    }
    if (test.inputs != NULL) {
        g_assert_true(klass->has_test);
        g_assert_true(adit_shape_equal(&test.inputs->shape, &schema.inputs));
        g_assert_cmpuint(test.classes, ==, schema.classes);
    }
}

void
add_dataset(const AditPlugin *plugin)
{
    add_case(plugin, "agrees", test_dataset_agrees);
}
