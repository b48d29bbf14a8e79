/* tests/core/pipeline/test-experiment.c - SPDX-License-Identifier: MIT */
#include <string.h>

#include <adit/adit-ops.h>

#include "adit-component-private.h"
#include "adit-paths.h"
#include "adit-selection.h"
#include "adit-sequence.h"
#include "adit-settings.h"
#include "reading.h"

#define FULL                                                                                         \
    "adit: 1\n"                                                                                      \
    "title: costs 5$$ \"each\"\n"                                                                    \
    "seed: 7\n"                                                                                      \
    "include: lib/cells.yaml\n"                                                                      \
    "params: {depth: 3, width: $(depth * 4), rate: 0.1, body: [{cell: {units: 4}}, relu]}\n"         \
    "data:\n"                                                                                        \
    "  - moons: {samples: 400, test: 7%, validation: 10%, transform: [flip, {resize: {size: 2}}]}\n" \
    "  - idx: {name: other, folder: there}\n"                                                        \
    "parts:\n"                                                                                       \
    "  drop: {params: {n: ~}, blocks: [{repeat: {times: $n, index: k, blocks: [{dropout: {rate: "    \
    "$(rate * k / n)}}]}}]}\n"                                                                       \
    "  idle: {blocks: [{repeat: {times: $(depth / 2), blocks: [relu]}}]}\n"                          \
    "model:\n"                                                                                       \
    "  stem: {dense: {units: $width, norm: layer-norm, activation: &act {leaky-relu: {}}}}\n"        \
    "  trunk:\n"                                                                                     \
    "    aggregator: {glonet: {adapt: pad}}\n"                                                       \
    "    blocks:\n"                                                                                  \
    "      - repeat: {times: $depth, blocks: [{dense: {units: 50%}}, {cell: {units: $width}}]}\n"    \
    "      - sequence: {name: tail, aggregator: residual, blocks: $body}\n"                          \
    "      - {drop: {n: 2, name: last}}\n"                                                           \
    "      - repeat: {times: 2, tied: true, index: unused, blocks: [{dense: {units: 4}}]}\n"         \
    "  head: [flatten, {dense: {units: 2, activation: *act}}]\n"                                     \
    "train:\n"                                                                                       \
    "  - {loss: cross-entropy, optimizer: adam, batch: 20%, epochs: 5, regularizers: {l2: {weight: " \
    "1e-5, at: [stem, trunk.1..3]}}, patience: 500 steps, max-time: 2 h, clip: 1, freeze: stem}\n"   \
    "  - {name: fine, freeze: [], rates: [{at: trunk, factor: 0.1}], best: test.accuracy, "          \
    "optimizer: {sgd: {lr: {step: {from: 0.1, factor: 0.5, every: 2}}}}, data: moons}\n"             \
    "inference: {batch: 64}\n"                                                                       \
    "probes: [block-norm, {block-norm: {name: heads, at: [head, \"**:pre\"], data: other, memory: 64 MiB}}]\n"

#define CELLS                                                                                      \
    "adit: 1\n"                                                                                    \
    "params: {slope: 0.2}\n"                                                                       \
    "parts:\n"                                                                                     \
    "  cell: {params: {units: 8, act: {leaky-relu: {slope: $slope}}}, blocks: [{dense: {units: "   \
    "$units, activation: $act}}]}\n"

/* A run's resolved pipeline. */
#define OLD                                                                                        \
    "adit: 1\n"                                                                                    \
    "data: {moons: {samples: 400}}\n"                                                              \
    "parts:\n"                                                                                     \
    "  unit: {params: {units: 4}, blocks: {dense: {units: $units}}}\n"                             \
    "  cell: {blocks: [{unit: {units: 8}}, relu]}\n"                                               \
    "model:\n"                                                                                     \
    "  initializer: glorot-uniform\n"                                                              \
    "  trunk: {aggregator: residual, blocks: [{repeat: {times: 3, blocks: [cell]}}]}\n"            \
    "  head: [unit]\n"                                                                             \
    "train:\n"                                                                                     \
    "- {loss: mse, optimizer: adam, batch: 8, epochs: 2}\n"                                        \
    "- {loss: cross-entropy, epochs: 3}\n"                                                         \
    "- {epochs: 4}\n"

static void
print(const AditDiagnostics *diagnostics)
{
    g_autofree char *text = adit_diagnostics_to_string(diagnostics, FALSE);

    if (adit_diagnostics_count_errors(diagnostics) > 0)
        g_test_message("%s", text);
}

static AditExperiment *
read_good(const Place *place, const char *name, const char *text, const char *arguments)
{
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();
    g_auto(GStrv) list = arguments != NULL ? g_strsplit(arguments, "\t", -1) : NULL;
    AditExperiment *experiment =
        read_text(place, name, text, (const char *const *) list, diagnostics);

    print(diagnostics);
    g_assert_nonnull(experiment);
    return experiment;
}

static AditExperiment *
read_full(Place *place, const char *arguments)
{
    place_enter(place);
    write_file(place->folder, "lib/cells.yaml", CELLS);
    write_file(place->folder, "there/x", "");
    write_file(place->folder, "here/x", "");
    return read_good(place, "full.yaml", FULL, arguments);
}

/* The resolved file, read alone, says the same. */
static void
check_fixed_point(const Place *place, const AditExperiment *experiment)
{
    g_autoptr(AditExperiment) again =
        read_good(place, "config.resolved.yaml", experiment->resolved, NULL);

    g_assert_cmpstr(again->resolved, ==, experiment->resolved);
    g_assert_cmpstr(again->title, ==, experiment->title);
    g_assert_cmpuint(again->seed, ==, experiment->seed);
    g_assert_cmpuint(again->stages->len, ==, experiment->stages->len);
    g_assert_cmpuint(again->datasets->len, ==, experiment->datasets->len);
    for (guint i = 0; i < again->datasets->len; i++)
        g_assert_true(
            adit_component_equal(again->datasets->pdata[i], experiment->datasets->pdata[i]));
    for (guint i = 0; i < again->probes->len; i++)
        g_assert_true(adit_component_equal(again->probes->pdata[i], experiment->probes->pdata[i]));
}

static void check_same_items(const GPtrArray *a, const GPtrArray *b);

static void
check_same_block(AditBlock *a, AditBlock *b)
{
    if (a == NULL || b == NULL) {
        g_assert_true(a == b);
        return;
    }
    g_assert_true(G_OBJECT_TYPE(a) == G_OBJECT_TYPE(b));
    if (!ADIT_IS_SEQUENCE(a)) {
        g_assert_true(adit_component_equal(ADIT_COMPONENT(a), ADIT_COMPONENT(b)));
        return;
    }
    g_assert_true(
        adit_component_equal(ADIT_COMPONENT(adit_sequence_get_aggregator(ADIT_SEQUENCE(a))),
                             ADIT_COMPONENT(adit_sequence_get_aggregator(ADIT_SEQUENCE(b)))));
    check_same_items(adit_sequence_get_items(ADIT_SEQUENCE(a)),
                     adit_sequence_get_items(ADIT_SEQUENCE(b)));
}

static void
check_same_items(const GPtrArray *a, const GPtrArray *b)
{
    g_assert_cmpuint(a->len, ==, b->len);
    for (guint i = 0; i < a->len; i++) {
        const AditItem *left = (const AditItem *) a->pdata[i];
        const AditItem *right = (const AditItem *) b->pdata[i];

        g_assert_cmpstr(left->name, ==, right->name);
        g_assert_cmpstr(left->type, ==, right->type);
        g_assert_cmpuint(left->times, ==, right->times);
        g_assert_cmpint(left->tied, ==, right->tied);
        check_same_block(left->block, right->block);
        if (left->items != NULL)
            check_same_items(left->items, right->items);
    }
}

static void
test_fixed_points(void)
{
    static const struct {
        const char *file;
        const char *arguments;
    } rows[] = {
        {"sgemm.yaml", NULL},
        {"sgemm.yaml", "arch=resnetv2\tdepth=10"},
        {"sgemm.yaml", "arch=vanilla-no-bn"},
        {"resnet20.yaml", NULL},
        {"resnet20.yaml", "arch=glonet-stages"},
        {"resnet20.yaml", "arch=glonet\tnorm=layer-norm"},
        {"vit.yaml", "arch=glonet"},
        {"densenet18.yaml", "growth=12"},
        {"mpnet.yaml", NULL},
        {"mpnet.yaml", "blocks=1\tn2=1\tk2=11"},
        {"moons-net.yaml", NULL},
        {"moons-net.yaml", "layout=plain\tweight=0"},
        {"truncation.yaml", "run=runs/x"},
    };
    Place place;

    place_enter(&place);
    write_file(place.folder, "runs/x/run.json", "{}");
    write_file(place.folder, "runs/x/config.resolved.yaml", OLD);
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = read_fixture(rows[i].file, NULL, NULL);
        g_autoptr(AditExperiment) experiment =
            read_good(&place, rows[i].file, text, rows[i].arguments);
        g_autoptr(AditExperiment) again =
            read_good(&place, "config.resolved.yaml", experiment->resolved, NULL);

        check_fixed_point(&place, experiment);
        check_same_block(experiment->model.stem, again->model.stem);
        check_same_block(experiment->model.trunk, again->model.trunk);
        check_same_block(experiment->model.head, again->model.head);
    }
    place_leave(&place);
}

static void
test_full(void)
{
    Place place;
    g_autoptr(AditExperiment) experiment = read_full(&place, NULL);

    check_fixed_point(&place, experiment);
    g_assert_null(strstr(experiment->resolved, "idle"));
    g_assert_null(strstr(experiment->resolved, "include"));
    g_assert_nonnull(strstr(experiment->resolved, "rate: $(0.1 * k / n)"));
    g_assert_nonnull(strstr(experiment->resolved, "memory: 1 GiB"));
    g_assert_nonnull(strstr(experiment->resolved, "memory: 64 MiB"));
    g_assert_nonnull(strstr(experiment->resolved, "act: {leaky-relu: {slope: 0.2}}"));
    g_assert_cmpstr(experiment->title, ==, "costs 5$ \"each\"");
    g_assert_cmpuint(experiment->inference_batch, ==, 64);
    place_leave(&place);
}

static const AditItem *
get_item(const GPtrArray *items, guint index)
{
    g_assert_cmpuint(index, <, items->len);
    return (const AditItem *) items->pdata[index];
}

static void
test_structure(void)
{
    Place place;
    g_autoptr(AditExperiment) experiment = read_full(&place, NULL);
    AditSequence *trunk = ADIT_SEQUENCE(experiment->model.trunk);
    const GPtrArray *items = adit_sequence_get_items(trunk);
    const AditItem *tail = get_item(items, 1), *last = get_item(items, 2);

    /* one reference is that block; a list is a sequence */
    g_assert_cmpstr(ADIT_COMPONENT_GET_CLASS(experiment->model.stem)->name, ==, "dense");
    g_assert_true(ADIT_IS_SEQUENCE(experiment->model.head));
    g_assert_cmpuint(adit_sequence_count(trunk), ==, 3 * 2 + 1 + 1 + 2);
    g_assert_cmpuint(get_item(items, 0)->times, ==, 3);
    g_assert_cmpstr(get_item(get_item(items, 0)->items, 1)->type, ==, "cell");
    g_assert_cmpstr(tail->name, ==, "tail");
    g_assert_cmpstr(tail->type, ==, "sequence");
    g_assert_cmpstr(last->name, ==, "last");
    g_assert_cmpstr(last->type, ==, "drop");
    g_assert_true(get_item(items, 3)->tied);
    g_assert_cmpuint(get_item(items, 3)->times, ==, 2);

    /* an index that is used makes items of their own */
    const GPtrArray *drops = adit_sequence_get_items(ADIT_SEQUENCE(last->block));
    const AditClock start = {.steps = 1, .steps_per_epoch = 1};

    g_assert_cmpuint(drops->len, ==, 2);
    for (guint i = 0; i < 2; i++) {
        g_autoptr(AditLive) rate = NULL;

        g_object_get(get_item(drops, i)->block, "rate", &rate, NULL);
        g_assert_cmpfloat(adit_live_get(rate, &start), ==, i == 0 ? 0.05 : 0.1);
    }
    place_leave(&place);
}

/* What is one reference is found under every name it has. */
static void
test_types(void)
{
    static const char text[] =
        "adit: 1\n"
        "parts:\n"
        "  unit: {blocks: {dense: {units: 4}}}\n"
        "  wrap: {params: {of: unit}, blocks: {sequence: $of}}\n"
        "  layer: {blocks: [unit, wrap]}\n"
        "model: {trunk: [{repeat: {times: 2, blocks: [layer]}}, {sequence: {blocks: wrap}}, relu]}\n";
    static const struct {
        const char *address;
        const char *found;
    } rows[] = {
        {"trunk.**.dense", "trunk.1.1 trunk.1.2 trunk.2.1 trunk.2.2 trunk.3"},
        {"trunk.**.unit", "trunk.1.1 trunk.1.2 trunk.2.1 trunk.2.2 trunk.3"},
        {"trunk.**.wrap", "trunk.1.2 trunk.2.2 trunk.3"},
        {"trunk.*.sequence", "trunk.1.2 trunk.2.2"},
        {"trunk.sequence:linear", "trunk.3:linear"},
        {"trunk.layer", "trunk.1 trunk.2"},
        {"trunk.unit", "trunk.3"},
        {"trunk.**.relu", "trunk.4"},
    };
    Place place;

    place_enter(&place);
    g_autoptr(AditExperiment) experiment = read_good(&place, "types.yaml", text, NULL);
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_TRAINING);

    adit_model_build(&experiment->model, graph, adit_input(graph, "x", &ADIT_SHAPE(4), 0));
    g_assert_no_error(adit_graph_get_error(graph));
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GArray) picks = adit_graph_pick(graph, rows[i].address);
        g_autoptr(GString) found = g_string_new(NULL);

        for (guint j = 0; j < picks->len; j++)
            g_string_append_printf(found, "%s%s", j > 0 ? " " : "",
                                   g_array_index(picks, AditPick, j).address);
        g_assert_cmpstr(found->str, ==, rows[i].found);
    }
    place_leave(&place);
}

static void
check_place(const AditPlace *place, const char *source, guint line, guint column)
{
    g_assert_nonnull(place);
    g_assert_cmpstr(place->source->name, ==, source);
    g_assert_cmpuint(place->line, ==, line);
    g_assert_cmpuint(place->column, ==, column);
}

static void
check_block(AditBlock *block, const char *expected)
{
    g_assert_nonnull(block);
    g_assert_cmpstr(ADIT_COMPONENT_GET_CLASS(block)->name, ==, expected);
}

/* Parallel paths, in all their forms, and what the command line changes in them. */
static void
test_parallel(void)
{
    static const char text[] =
        "adit: 1\n"
        "params: {join: mean, way: {dense: {units: 4}}, deep: [relu, tanh]}\n"
        "parts:\n"
        "  cell: {params: {left: relu}, blocks: {paths: {of: {left: $left, right: $way}}}}\n"
        "  idle: {params: {of: ~, join: sum}, blocks: {paths: {of: $of, join: $join, axis: width}}}\n"
        "model:\n"
        "  stem: {paths: {of: {only: []}}}\n"
        "  trunk:\n"
        "    - paths: {name: first, join: $join, of: {a: [relu, tanh], b: {sequence: [relu]}, c: $deep}}\n"
        "    - repeat: {times: 2, index: k, blocks: [{cell: {left: {dropout: {rate: $(0.1 * k)}}}}]}\n"
        "  head: [{paths: {join: concat, of: {x: {paths: {of: {y: []}}}}}}]\n";
    Place place;

    place_enter(&place);
    g_autoptr(AditExperiment) experiment =
        read_good(&place, "paths.yaml", text,
                  "-o\tmodel.trunk.first.paths.of.d=gelu\t-o\tmodel.trunk.first.paths.of.b=~\t-o\t"
                  "model.trunk.first.paths.of.a+=silu\t-o\tmodel.stem.paths.of.other=relu\t-o\t"
                  "model.head.1.paths.axis=tokens");
    const GPtrArray *items = adit_sequence_get_items(ADIT_SEQUENCE(experiment->model.trunk));
    AditPaths *stem = ADIT_PATHS(experiment->model.stem);
    AditPaths *first = ADIT_PATHS(get_item(items, 0)->block);
    AditPaths *cell = ADIT_PATHS(get_item(items, 2)->block);

    g_assert_cmpuint(adit_paths_count(stem), ==, 2);
    g_assert_cmpuint(adit_sequence_count(ADIT_SEQUENCE(adit_paths_get_block(stem, 0))), ==, 0);
    g_assert_cmpstr(get_item(items, 0)->name, ==, "first");
    g_assert_cmpstr(get_item(items, 0)->type, ==, "paths");
    g_assert_cmpint(adit_paths_get_join(first), ==, ADIT_JOIN_MEAN);
    g_assert_cmpuint(adit_paths_count(first), ==, 3);
    g_assert_cmpuint(adit_sequence_count(ADIT_SEQUENCE(adit_paths_get_block(first, 0))), ==, 3);
    g_assert_cmpstr(adit_paths_get_name(first, 2), ==, "d");
    check_block(adit_paths_get_block(first, 2), "gelu");
    g_assert_cmpstr(get_item(items, 2)->type, ==, "cell");
    g_assert_cmpstr(get_item(items, 2)->other_types[0], ==, "paths");
    check_block(adit_paths_get_block(cell, 0), "dropout");
    check_block(adit_paths_get_block(cell, 1), "dense");
    check_place(adit_component_get_place(ADIT_COMPONENT(stem)), "paths.yaml", 7, 10);
    check_fixed_point(&place, experiment);
    g_assert_nonnull(strstr(experiment->resolved, "axis: tokens"));
    place_leave(&place);
}

static AditExperiment *
read_from(Place *place, const char *model)
{
    g_autofree char *text = g_strdup_printf("adit: 1\n%s", model);

    place_enter(place);
    write_file(place->folder, "runs/x/run.json", "{}");
    write_file(place->folder, "runs/x/config.resolved.yaml", OLD);
    write_file(place->folder, "runs/x/checkpoints/best/MANIFEST.json", "{}");
    return read_good(place, "new.yaml", text, NULL);
}

static void
check_texts(GStrv texts, const char *expected)
{
    g_autofree char *got = g_strjoinv(" ", texts);

    g_assert_cmpstr(got, ==, expected);
}

/* What the file does not write is the run's, and is written out with `load` for its weights. */
static void
test_from(void)
{
    static const char *const models[] = {
        "model: {from: runs/x}\n",
        "model: {from: runs/x/checkpoints/best/, trunk: [relu], load: trunk.1}\n",
        "parts: {cell: {blocks: [{unit: {units: 8}}, relu]}, unit: {params: {units: 4}, blocks: "
        "{dense: {units: $units}}}}\n"
        "model: {from: runs/x, stem: {dense: {units: 8}}, head: [cell, {dense: {units: 3}}], "
        "initializer: he-uniform, load: [head.1, stem]}\n",
        "model: {from: runs/x, stem: [], trunk: [], head: [], load: head}\n",
    };
    static const char *const loads[] = {"trunk head", "head trunk.1", "trunk head.1 stem", "head"};
    static const char *const initializers[] = {"glorot-uniform", "glorot-uniform", "he-uniform",
                                               "glorot-uniform"};

    for (gsize i = 0; i < G_N_ELEMENTS(models); i++) {
        Place place;
        g_autoptr(AditExperiment) experiment = read_from(&place, models[i]);
        g_autofree char *folder = g_canonicalize_filename("runs/x", NULL);
        g_autoptr(AditExperiment) again =
            read_good(&place, "config.resolved.yaml", experiment->resolved, NULL);

        check_texts(experiment->load, loads[i]);
        g_assert_true(g_str_has_prefix(experiment->from, folder));
        g_assert_cmpstr(ADIT_COMPONENT_GET_CLASS(experiment->model.initializer)->name, ==,
                        initializers[i]);
        g_assert_nonnull(experiment->loss);
        g_assert_cmpstr(ADIT_COMPONENT_GET_CLASS(experiment->loss)->name, ==, "cross-entropy");
        check_fixed_point(&place, experiment);
        check_texts(again->load, loads[i]);
        check_same_block(experiment->model.trunk, again->model.trunk);
        check_same_block(experiment->model.head, again->model.head);
        place_leave(&place);
    }
}

/* The network taken is the run's, and errors of its weights stand at `from`. */
static void
test_from_network(void)
{
    Place place;
    g_autoptr(AditExperiment) experiment =
        read_from(&place, "model: {from: runs/x, head: [{dense: {units: 3}}]}\n");
    AditSequence *trunk = ADIT_SEQUENCE(experiment->model.trunk);
    const AditItem *head =
        get_item(adit_sequence_get_items(ADIT_SEQUENCE(experiment->model.head)), 0);
    const AditPlace *place_of_cell;

    g_assert_cmpuint(adit_sequence_count(ADIT_SEQUENCE(experiment->model.stem)), ==, 0);
    g_assert_cmpuint(adit_sequence_count(trunk), ==, 3);
    g_assert_cmpstr(ADIT_COMPONENT_GET_CLASS(adit_sequence_get_aggregator(trunk))->name, ==,
                    "residual");
    g_assert_cmpstr(head->type, ==, "dense");
    check_place(adit_experiment_find_place(experiment, experiment, "load", 0), "new.yaml", 2, 15);
    g_assert_null(adit_experiment_find_place(experiment, experiment, "load", 1));
    place_of_cell = adit_component_get_place(
        ADIT_COMPONENT(get_item(get_item(adit_sequence_get_items(trunk), 0)->items, 0)->block));
    g_assert_true(g_str_has_suffix(place_of_cell->source->name, "runs/x/config.resolved.yaml"));
    g_assert_cmpuint(place_of_cell->line, ==, 8);
    place_leave(&place);
}

/* Once written out, the run is needed for its weights alone. */
static void
test_from_gone(void)
{
    Place place;
    g_autoptr(AditExperiment) experiment =
        read_from(&place, "data: {moons: {samples: 40}}\n"
                          "model: {from: runs/x, head: [{dense: {units: 3}}]}\n"
                          "train: {loss: mse, optimizer: adam, batch: 8, epochs: 2}\n");

    g_assert_null(experiment->loss);
    remove_all("runs");
    check_fixed_point(&place, experiment);
    place_leave(&place);
}

static void
test_from_errors(void)
{
    static const struct {
        const char *model;
        const char *message;
        int code;
    } rows[] = {
        {"{from: nowhere}", "new.yaml:2:15: error: no run, checkpoint or file 'nowhere'",
         ADIT_ERROR_NOT_FOUND},
        {"{from: runs}",
         "new.yaml:2:15: error: no run in 'runs': it has no run.json, and is no checkpoint",
         ADIT_ERROR_NOT_FOUND},
        {"{from: x.safetensors, trunk: []}",
         "new.yaml:2:15: error: 'x.safetensors' holds weights without a network; write 'stem' and "
         "'head' here, [] where there is nothing",
         ADIT_ERROR_INVALID},
        {"{from: alone, trunk: [], head: []}",
         "new.yaml:2:15: error: 'alone' holds weights without a network; write 'stem' here, [] "
         "where there is nothing",
         ADIT_ERROR_INVALID},
        {"{from: new.yaml}",
         "new.yaml:2:15: error: 'from' must be a run, a checkpoint or a .safetensors file, got "
         "'new.yaml'",
         ADIT_ERROR_INVALID},
        {"{from: empty}", "no file '", ADIT_ERROR_NOT_FOUND},
        {"{from: damaged}",
         "damaged/config.resolved.yaml:2:16: error: unknown block 'densee'; did "
         "you mean 'dense'?",
         ADIT_ERROR_INVALID},
        {"{from: later}",
         "later/config.resolved.yaml:1:7: error: this program reads 'adit: 1', "
         "got 2",
         ADIT_ERROR_INVALID},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();
        g_autofree char *text = g_strdup_printf("adit: 1\nmodel: %s\n", rows[i].model);
        Place place;

        place_enter(&place);
        write_file(place.folder, "runs/x/run.json", "{}");
        write_file(place.folder, "empty/run.json", "{}");
        write_file(place.folder, "damaged/run.json", "{}");
        write_file(place.folder, "damaged/config.resolved.yaml",
                   "adit: 1\nmodel: {trunk: densee}\n");
        write_file(place.folder, "later/run.json", "{}");
        write_file(place.folder, "later/config.resolved.yaml", "adit: 2\nmodel: {trunk: []}\n");
        write_file(place.folder, "alone/MANIFEST.json", "{}");
        write_file(place.folder, "x.safetensors", "");
        g_assert_null(read_text(&place, "new.yaml", text, NULL, diagnostics));
        g_autofree char *output = adit_diagnostics_to_string(diagnostics, FALSE);

        if (strstr(output, rows[i].message) == NULL)
            g_test_message("expected \"%s\" in:\n%s", rows[i].message, output);
        g_assert_nonnull(strstr(output, rows[i].message));
        g_assert_cmpint(adit_diagnostics_get_code(diagnostics), ==, rows[i].code);
        place_leave(&place);
    }
}

static void
test_stages(void)
{
    Place place;
    g_autoptr(AditExperiment) experiment = read_full(&place, NULL);
    const AditStage *first = (const AditStage *) experiment->stages->pdata[0];
    const AditStage *second = (const AditStage *) experiment->stages->pdata[1];
    const AditRate *rate = &g_array_index(second->rates, AditRate, 0);

    g_assert_cmpstr(first->name, ==, "1");
    g_assert_cmpfloat(first->batch.value, ==, 0.2);
    g_assert_cmpint(first->batch.unit, ==, ADIT_UNIT_PERCENT);
    g_assert_cmpint(first->patience.unit, ==, ADIT_UNIT_STEPS);
    g_assert_cmpfloat(first->max_time, ==, 7200);
    g_assert_cmpstr(first->freeze[0], ==, "stem");
    g_assert_true(first->shuffle);
    g_assert_cmpstr(second->name, ==, "fine");
    g_assert_cmpuint(second->epochs, ==, 5);
    g_assert_cmpfloat(second->clip, ==, 1);
    g_assert_cmpuint(second->regularizers->len, ==, 1);
    g_assert_null(second->freeze[0]);
    g_assert_cmpstr(rate->at[0], ==, "trunk");
    g_assert_cmpfloat(rate->factor, ==, 0.1);
    g_assert_cmpstr(second->best, ==, "test.accuracy");
    g_assert_cmpuint(second->keep_last, ==, 2);
    place_leave(&place);
}

static void
test_places(void)
{
    Place place;
    g_autoptr(AditExperiment) experiment = read_full(&place, "-o\ttrain.1.freeze=head");
    const AditStage *first = (const AditStage *) experiment->stages->pdata[0];
    const AditStage *second = (const AditStage *) experiment->stages->pdata[1];
    AditProbe *probe = ADIT_PROBE(experiment->probes->pdata[1]);
    const GPtrArray *items = adit_sequence_get_items(ADIT_SEQUENCE(experiment->model.trunk));

    check_place(adit_experiment_find_place(experiment, probe, "at", 0), "full.yaml", 26, 54);
    check_place(adit_experiment_find_place(experiment, probe, "at", 1), "full.yaml", 26, 60);
    check_place(adit_experiment_find_place(experiment, probe, "data", 0), "full.yaml", 26, 77);
    g_assert_null(adit_experiment_find_place(experiment, probe, "at", 2));
    g_assert_null(adit_experiment_find_place(experiment, experiment->probes->pdata[0], "at", 0));
    check_place(adit_experiment_find_place(experiment, first, "freeze", 0), "command-line:4", 1,
                17);
    check_place(adit_experiment_find_place(experiment, second, "best", 0), "full.yaml", 24, 71);
    check_place(adit_component_get_place(ADIT_COMPONENT(experiment->datasets->pdata[1])),
                "full.yaml", 8, 5);
    check_place(adit_component_get_place(ADIT_COMPONENT(get_item(items, 2)->block)), "full.yaml",
                19, 10);
    place_leave(&place);
}

static void
test_overrides(void)
{
    Place place;
    g_autoptr(AditExperiment) experiment =
        read_full(&place, "-o\ttrain.1.epochs=9\tdepth=2\t-o\ttrain.1.optimizer.adam.lr=0.5\t-o\t"
                          "probes+=block-norm\t-o\ttrain.1.clip=~\t-o\t"
                          "data.other.idx.folder=here\t-o\ttrain.fine.rates+={at: head, factor: 2}"
                          "\tdepth=4\t-o\ttrain.1.checkpoint.keep-last=5");
    const AditStage *first = (const AditStage *) experiment->stages->pdata[0];
    const AditStage *second = (const AditStage *) experiment->stages->pdata[1];
    AditAmount *units = NULL;

    g_assert_cmpuint(first->epochs, ==, 9);
    g_assert_cmpuint(second->epochs, ==, 9);
    g_assert_cmpfloat(first->clip, ==, 0);
    g_assert_cmpuint(first->keep_last, ==, 5);
    g_assert_cmpuint(experiment->probes->len, ==, 3);
    g_assert_cmpuint(second->rates->len, ==, 2);
    g_assert_cmpuint(adit_sequence_count(ADIT_SEQUENCE(experiment->model.trunk)), ==, 12);
    /* the last one holds, and parameters are bound after all overrides */
    g_object_get(experiment->model.stem, "units", &units, NULL);
    g_assert_cmpfloat(units->value, ==, 16);
    g_free(units);
    check_fixed_point(&place, experiment);
    place_leave(&place);
}

/* A component whose name a parameter chooses is found under the name chosen. */
static void
test_overrides_of_choice(void)
{
    static const char text[] = "adit: 1\n"
                               "params: {set: moons}\n"
                               "data: {$set: {samples: 100}}\n"
                               "model: {trunk: []}\n";
    Place place;
    guint64 samples = 0;

    place_enter(&place);
    g_autoptr(AditExperiment) file =
        read_good(&place, "p.yaml", text, "-o\tdata.moons.samples=200\t-o\tdata.moons.noise=0.5");
    g_object_get(file->datasets->pdata[0], "samples", &samples, NULL);
    g_assert_cmpuint(samples, ==, 200);
    g_autoptr(AditExperiment) given = read_good(&place, "p.yaml",
                                                "adit: 1\n"
                                                "params: {set: csv}\n"
                                                "data: {$set: {noise: 0.1}}\n"
                                                "model: {trunk: []}\n",
                                                "-o\tdata.moons.samples=300\tset=csv\tset=moons");
    g_object_get(given->datasets->pdata[0], "samples", &samples, NULL);
    g_assert_cmpuint(samples, ==, 300);
    place_leave(&place);
}

/* A path belongs to the file that says it; on the command line to the working directory. */
static void
test_paths(void)
{
    static const char text[] = "adit: 1\n"
                               "params: {folder: there}\n"
                               "data: {idx: {folder: $folder}}\n"
                               "model: {trunk: []}\n";
    g_autofree char *inner = NULL, *outer = NULL, *got = NULL;
    Place place;

    place_enter(&place);
    write_file(place.folder, "below/there/x", "");
    write_file(place.folder, "there/x", "");
    g_autoptr(AditExperiment) file = read_good(&place, "below/p.yaml", text, NULL);
    g_autoptr(AditExperiment) argument = read_good(&place, "below/p.yaml", text, "folder=there");

    inner = g_canonicalize_filename("below/there", NULL);
    outer = g_canonicalize_filename("there", NULL);
    g_object_get(file->datasets->pdata[0], "folder", &got, NULL);
    g_assert_cmpstr(got, ==, inner);
    g_free(g_steal_pointer(&got));
    g_object_get(argument->datasets->pdata[0], "folder", &got, NULL);
    g_assert_cmpstr(got, ==, outer);
    place_leave(&place);
}

static void
test_whole_output(void)
{
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();
    g_autofree char *text = read_fixture("sgemm.yaml", "lr: 0.01", "lr: fast");
    const char *const arguments[] = {"arch=glonett", NULL};
    Place place;

    place_enter(&place);
    g_autoptr(AditExperiment) experiment =
        read_text(&place, "sgemm.yaml", text, arguments, diagnostics);
    g_autofree char *output = adit_diagnostics_to_string(diagnostics, FALSE);

    g_assert_null(experiment);
    g_assert_cmpstr(
        output, ==,
        "sgemm.yaml:13:43: error: 'lr' must be a number or a schedule, got \"fast\"\n"
        "   13 | train: {loss: mse, optimizer: {adam: {lr: fast}}, regularizers: [{l2: {weight: 1e-5}}], "
        "batch: 1024, epochs: 200}\n"
        "      |                                           ^~~~\n"
        "command-line:3:7: error: unknown block 'glonett'; did you mean 'glonet'?\n"
        "    1 | arch: glonett\n"
        "      |       ^~~~~~~ did you mean 'glonet'?\n"
        "sgemm.yaml:3:16: note: its default stands here\n"
        "sgemm.yaml:12:44: note: passed on as '$arch' here\n"
        "2 errors. Nothing was started.\n");
    place_leave(&place);
}

static void
test_codes(void)
{
    g_autoptr(AditDiagnostics) none = adit_diagnostics_new(), data = adit_diagnostics_new();
    g_autofree char *text = read_fixture("sgemm.yaml", NULL, NULL);
    Place place;

    place_enter(&place);
    g_assert_null(adit_experiment_read("nothing.yaml", NULL, 3, NULL, none));
    g_assert_cmpint(adit_diagnostics_get_code(none), ==, ADIT_ERROR_NOT_FOUND);
    write_file(place.folder, "sgemm.yaml", text);
    g_assert_null(adit_experiment_read("sgemm.yaml", NULL, 3, NULL, data));
    g_assert_cmpint(adit_diagnostics_get_code(data), ==, ADIT_ERROR_NOT_FOUND);
    g_autofree char *line = adit_diagnostics_get_line(data, 0);

    g_assert_cmpstr(line, ==,
                    "sgemm.yaml:5:15: error: '$data' has no value; set ADIT_DATA or give --data");
    place_leave(&place);
}

/* Values that double with every line are stopped by their number, not by the memory. */
static void
test_unfolding(void)
{
    static const struct {
        const char *first;
        const char *next;
        const char *trunk;
        const char *message;
    } rows[] = {
        {"params: {p0: [1]", ", p%u: [$p%u, $p%u]", "[]", "unfold to more than"},
        {"params: {p0: x", ", p%u: $p%u$p%u", "[]", "text grows longer than 64 KiB"},
        {"parts: {p0: {blocks: [relu]}", ", p%u: {blocks: [p%u, p%u]}", "p59",
         "unfold to more than"},
    };
    Place place;

    place_enter(&place);
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GString) text = g_string_new("adit: 1\n");
        g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();

        g_string_append(text, rows[i].first);
        for (guint j = 1; j < 60; j++) {
            g_auto(GStrv) pieces = g_strsplit(rows[i].next, "%u", -1);

            g_string_append_printf(text, "%s%u%s%u%s%u%s", pieces[0], j, pieces[1], j - 1,
                                   pieces[2], j - 1, pieces[3]);
        }
        g_string_append_printf(text, "}\nmodel: {trunk: %s}\n", rows[i].trunk);
        g_assert_null(read_text(&place, "x.yaml", text->str, NULL, diagnostics));
        g_autofree char *line = adit_diagnostics_get_line(diagnostics, 0);

        g_assert_nonnull(strstr(line, rows[i].message));
    }
    place_leave(&place);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pipeline/experiment/fixed-points", test_fixed_points);
    g_test_add_func("/pipeline/experiment/full", test_full);
    g_test_add_func("/pipeline/experiment/structure", test_structure);
    g_test_add_func("/pipeline/experiment/types", test_types);
    g_test_add_func("/pipeline/experiment/from", test_from);
    g_test_add_func("/pipeline/experiment/from-network", test_from_network);
    g_test_add_func("/pipeline/experiment/from-gone", test_from_gone);
    g_test_add_func("/pipeline/experiment/from-errors", test_from_errors);
    g_test_add_func("/pipeline/experiment/stages", test_stages);
    g_test_add_func("/pipeline/experiment/places", test_places);
    g_test_add_func("/pipeline/experiment/overrides", test_overrides);
    g_test_add_func("/pipeline/experiment/overrides-of-choice", test_overrides_of_choice);
    g_test_add_func("/pipeline/experiment/parallel", test_parallel);
    g_test_add_func("/pipeline/experiment/paths", test_paths);
    g_test_add_func("/pipeline/experiment/whole-output", test_whole_output);
    g_test_add_func("/pipeline/experiment/codes", test_codes);
    g_test_add_func("/pipeline/experiment/unfolding", test_unfolding);
    return g_test_run();
}
