/* tests/core/train/test-pieces.c - SPDX-License-Identifier: MIT */
#include "adit-pieces.h"

#include "adit-file.h"
#include "adit-updater.h"
#include "rig.h"

#include <math.h>

/* Pieces of a stage: what each costs, counted by hand, and how fast what is in it learns. */

#define ROWS  32
#define WIDTH 12

static char *folder;

typedef struct {
    AditDevice *device;
    AditExperiment *experiment;
    AditData *data;
    AditNetwork *network;
    AditPieces *pieces;
    AditCourse course;
} Stage;

static AditExperiment *
read_experiment(const char *aggregator, const char *exits, const char *strategy)
{
    const char *const none[] = {NULL};
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();
    g_autofree char *path = g_build_filename(folder, "pieces.yaml", NULL);
    g_autofree char *yaml = g_strdup_printf(
        "adit: 1\ndata: {moons: {samples: 240, noise: 0.1, test: 25%%}}\n"
        "model: {stem: {dense: {units: 12}}, trunk: {aggregator: %s, blocks: [{repeat: {times: 6, "
        "blocks: [{dense: {units: 12, activation: tanh}}]}}]}, head: {dense: {units: 2}}}\n"
        "exits: [%s]\n"
        "train: {loss: cross-entropy, optimizer: {sgd: {lr: 0.5}}, batch: 32, epochs: 3, strategy: "
        "%s}\n",
        aggregator, exits, strategy);

    g_assert_true(g_file_set_contents(path, yaml, -1, NULL));
    AditExperiment *experiment = adit_experiment_read(path, none, 3, NULL, diagnostics);
    g_autofree char *text = adit_diagnostics_to_string(diagnostics, FALSE);

    g_assert_cmpstr(text, ==, "");
    return experiment;
}

static void
stage_init(Stage *self, const char *aggregator, const char *exits, const char *strategy)
{
    g_autoptr(GError) error = NULL;

    self->device = adit_cpu_device_new(1, FALSE);
    self->experiment = read_experiment(aggregator, exits, strategy);
    self->data = adit_data_open(self->experiment->datasets->pdata[0], NULL, &error);
    g_assert_no_error(error);
    const AditStage *stage = self->experiment->stages->pdata[0];
    AditNetworkShape shape = {self->data->input_shape, self->data->target_shape,
                              self->data->classes};

    self->network =
        adit_network_new(self->experiment, &shape, stage->loss, self->device, 0, &error);
    g_assert_no_error(error);
    adit_network_initialize(self->network, 1);
    self->pieces = adit_pieces_new(self->experiment, stage, self->network, &self->data->train, ROWS,
                                   10, 0, &error);
    g_assert_no_error(error);
    adit_course_begin_stage(&self->course, 0);
}

static void
stage_clear(Stage *self)
{
    adit_pieces_free(self->pieces);
    adit_network_free(self->network);
    adit_data_free(self->data);
    adit_experiment_free(self->experiment);
    g_object_unref(self->device);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Stage, stage_clear)

static void
begin(Stage *self)
{
    g_autoptr(GError) error = NULL;
    AditEvaluationSetup setup = {.batch = 50};

    adit_pieces_begin(self->pieces, &self->course, &setup, &error);
    g_assert_no_error(error);
}

/* Multiply-adds of a row in a step of the piece under way. */
static guint64
count(Stage *self)
{
    AditWork work = {0};

    adit_train_step_add_work(self->pieces->step, ROWS, &work);
    g_assert_cmpuint(work.multiply_adds % ROWS, ==, 0);
    return work.multiply_adds / ROWS;
}

#define BLOCK ((guint64) WIDTH * WIDTH)
#define HEAD  ((guint64) WIDTH * 2)
#define EXITS "{at: [trunk.2, trunk.4], head: [{dense: {units: 2}}]}"

/* Forward, and back to its weights and to what it is fed: three times a layer. The first that is
 * trained hands nothing back, unless it is the first iteration of a loop, as the two behind the
 * last exit are. */
static void
test_layer_wise(gconstpointer data)
{
    gboolean kept = GPOINTER_TO_INT(data);
    guint64 stem = 2 * WIDTH;
    guint64 before[] = {0, stem + 2 * BLOCK, stem + 4 * BLOCK};
    guint64 trained[] = {2 * stem + 6 * BLOCK + 3 * HEAD, 5 * BLOCK + 3 * HEAD,
                         6 * BLOCK + 3 * HEAD};
    g_auto(Stage) stage = {0};

    stage_init(&stage, "chain", EXITS, kept ? "layer-wise" : "{layer-wise: {cache: 1 KiB}}");
    for (guint i = 0; i < 3; i++) {
        adit_course_begin_piece(&stage.course, i);
        begin(&stage);
        g_assert_cmpuint(stage.pieces->part.piece, ==, i);
        g_assert_cmpint(stage.pieces->part.is_fed, ==, kept && i > 0);
        g_assert_cmpuint(count(&stage), ==, trained[i] + (kept ? 0 : before[i]));
    }
}

static void
test_separate(void)
{
    g_auto(Stage) stage = {0};

    stage_init(&stage, "chain", EXITS, "separate");
    for (guint i = 0; i < 3; i++) {
        adit_course_begin_piece(&stage.course, i);
        begin(&stage);
        g_assert_cmpuint(count(&stage), ==,
                         i == 0 ? 2 * 2 * WIDTH + 18 * BLOCK + 3 * HEAD : 2 * HEAD);
    }
}

/* ---- freezeout ---- */

/* Points of 30 steps at which each block stops. */
static void
assert_ends(const char *strategy, const guint *ends)
{
    g_auto(Stage) stage = {0};

    stage_init(&stage, "chain", "", strategy);
    g_assert_cmpuint(adit_pieces_count_epochs(stage.pieces, 0), ==, 3);
    for (guint step = 0; step < 30; step++) {
        guint frozen = 0;

        while (frozen < 6 && ends[frozen] <= step)
            frozen++;
        stage.course.stage_step = step;
        if (!adit_pieces_is_at(stage.pieces, &stage.course) || step == 0)
            begin(&stage);
        g_assert_cmpuint(adit_plan_get(stage.pieces->plan->plan, stage.pieces->part.piece)->first,
                         ==, frozen);
    }
}

static void
test_freezing_points(void)
{
    /* stem and six blocks: 30 i / 7 */
    assert_ends("freezeout", (guint[]){4, 9, 13, 17, 21, 26});
    /* 30 (0.4 + 0.1 i) to the first, second and third power */
    assert_ends("{freezeout: {t0: 0.4}}", (guint[]){12, 15, 18, 21, 24, 27});
    assert_ends("{freezeout: {t0: 0.4, curve: squared}}", (guint[]){5, 8, 11, 15, 19, 24});
    assert_ends("{freezeout: {t0: 0.4, curve: cubic}}", (guint[]){2, 4, 6, 10, 15, 22});
}

/* What is frozen is computed forward and not back. */
static void
test_freezeout_costs(void)
{
    guint64 forward = 2 * WIDTH + 6 * BLOCK + HEAD;
    g_auto(Stage) stage = {0};

    stage_init(&stage, "residual", "", "{freezeout: {t0: 0.4}}");
    for (guint frozen = 0; frozen < 7; frozen++) {
        guint64 back = 2 * HEAD;

        stage.course.stage_step = frozen == 0 ? 0 : 9 + 3 * frozen;
        begin(&stage);
        g_assert_cmpuint(stage.pieces->part.piece, ==, frozen);
        if (frozen == 0)
            back += 2 * WIDTH + 12 * BLOCK;
        else
            back += (frozen < 6 ? 2 * (7 - frozen) : 1) * BLOCK;
        g_assert_cmpuint(count(&stage), ==, forward + back);
    }
}

static void
read_parameters(const Stage *self, double *values)
{
    adit_memory_read(self->device, adit_network_get_memory(self->network), ADIT_ARENA_PARAMETERS, 0,
                     adit_network_get_layout(self->network)->n_parameters, values);
}

/* How far a step of plain SGD moves a parameter, at step @step of the stage. */
static double
find_move(const char *strategy, guint step, const char *name)
{
    g_auto(Stage) stage = {0};
    gsize n;

    stage_init(&stage, "chain", "", strategy);
    n = adit_network_get_layout(stage.network)->n_parameters;
    g_autofree double *before = g_new(double, n), *after = g_new(double, n);

    stage.course.stage_step = step;
    begin(&stage);
    AditBatch batch = {.split = &stage.pieces->train,
                       .rows = ROWS,
                       .clock = adit_pieces_get_clock(stage.pieces, &stage.course)};

    read_parameters(&stage, before);
    adit_train_step_run(stage.pieces->step, &batch);
    read_parameters(&stage, after);
    gsize offset = adit_layout_locate(adit_network_get_layout(stage.network), name);

    return after[offset] - before[offset];
}

/* Equation 10: half a cosine from the rate to 0 at the block's own point; scaled by 1 / its share.
 */
static void
test_freezeout_rates(void)
{
    const char *const names[] = {"stem.bias", "trunk.2.bias", "trunk.6.bias", "head.bias"};
    double ends[] = {0.4, 0.6, 1, 1};

    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        double whole = find_move("plain", 0, names[i]);

        g_assert_cmpfloat(fabs(whole), >, 1e-9);
        for (guint step = 0; step < 30; step += 3) {
            double share = step / 30.0 / ends[i];
            double factor = share < 1 ? 0.5 * (1 + cos(G_PI * share)) : 0;
            double got = find_move("{freezeout: {t0: 0.4}}", step, names[i]);
            double scaled = find_move("{freezeout: {t0: 0.4, scaled: true}}", step, names[i]);

            g_assert_cmpfloat(fabs(got - factor * whole), <, 1e-5 * fabs(whole) + 1e-8);
            g_assert_cmpfloat(fabs(scaled - factor / ends[i] * whole), <,
                              1e-5 * fabs(whole / ends[i]) + 1e-8);
        }
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    folder = g_dir_make_tmp("adit-XXXXXX", NULL);
    g_assert_nonnull(folder);
    g_test_add_data_func("/pieces/layer-wise/kept", GINT_TO_POINTER(TRUE), test_layer_wise);
    g_test_add_data_func("/pieces/layer-wise/computed", GINT_TO_POINTER(FALSE), test_layer_wise);
    g_test_add_func("/pieces/separate", test_separate);
    g_test_add_func("/pieces/freezeout/points", test_freezing_points);
    g_test_add_func("/pieces/freezeout/costs", test_freezeout_costs);
    g_test_add_func("/pieces/freezeout/rates", test_freezeout_rates);
    int code = g_test_run();

    adit_folder_remove(folder, NULL);
    g_free(folder);
    return code;
}
