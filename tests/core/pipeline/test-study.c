/* tests/core/pipeline/test-study.c - SPDX-License-Identifier: MIT */
#include "adit-study.h"

#include <math.h>

#include "reading.h"

/* The study @name, a fixture with @from replaced by @to, beside the fixtures it names. */
static AditStudy *
read_study(Place *place, const char *name, const char *from, const char *to,
           const char *const *arguments, AditDiagnostics *diagnostics)
{
    static const char *const others[] = {"sgemm.yaml",  "moons-net.yaml", "b-lenet.yaml",
                                         "table2.yaml", "table1.csv",     "table2.csv",
                                         "b-lenet.csv"};
    g_autofree char *text = read_fixture(name, from, to);

    for (gsize i = 0; i < G_N_ELEMENTS(others); i++) {
        g_autofree char *other = read_fixture(others[i], NULL, NULL);

        write_file(place->folder, others[i], other);
    }
    write_file(place->folder, name, text);
    return adit_study_read(name, arguments, 3, diagnostics);
}

static void
assert_strv(GStrv got, const char *expected)
{
    g_autofree char *text = g_strjoinv(" ", got);

    g_assert_cmpstr(text, ==, expected);
}

static void
assert_good(const AditDiagnostics *diagnostics)
{
    g_autofree char *text = adit_diagnostics_to_string(diagnostics, FALSE);

    g_assert_cmpstr(text, ==, "");
}

/* ---- the papers' studies ---- */

static void
test_table2(void)
{
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();
    Place place;

    place_enter(&place);
    g_autoptr(AditStudy) study = read_study(&place, "table2.yaml", NULL, NULL, NULL, diagnostics);

    assert_good(diagnostics);
    assert_strv(study->axes, "pipeline seed cases arch depth");
    g_assert_cmpstr(study->name, ==, "table2");
    g_assert_cmpstr(study->title, ==, "table2");
    g_assert_cmpuint(study->points->len, ==, 3 * (5 * 5 + 2 * 2));
    g_assert_cmpuint(study->evaluations->len, ==, 0);
    const AditStudyPoint *first = study->points->pdata[0], *last = study->points->pdata[86];

    assert_strv(first->values, "sgemm.yaml 1 figure-2 glonet 10");
    assert_strv(last->values, "sgemm.yaml 3 figure-3 resnetv2 1000");
    g_assert_cmpstr(last->label, ==, "seed=3 cases=figure-3 arch=resnetv2 depth=1000");
    g_assert_cmpstr(last->pipeline, ==, "sgemm.yaml");
    g_assert_cmpuint(last->index, ==, 86);
    place_leave(&place);
}

static void
test_moons(void)
{
    static const char *const narrow[] = {"layout=image", "depth=5,10", NULL};
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();
    Place place;

    place_enter(&place);
    g_autoptr(AditStudy) whole = read_study(&place, "moons.yaml", NULL, NULL, NULL, diagnostics);
    g_autoptr(AditStudy) some = read_study(&place, "moons.yaml", NULL, NULL, narrow, diagnostics);

    assert_good(diagnostics);
    assert_strv(whole->axes, "pipeline layout width depth cases weight");
    g_assert_cmpuint(whole->points->len, ==, 864);
    g_assert_cmpuint(some->points->len, ==, 9 * 2 * 2);
    assert_strv(((AditStudyPoint *) some->points->pdata[35])->values,
                "moons-net.yaml image 25 10 jumpstart 1e-4");
    g_assert_cmpstr(((AditStudyPoint *) some->points->pdata[35])->label, ==,
                    "width=25 depth=10 cases=jumpstart weight=1e-4");
    place_leave(&place);
}

static void
test_b_lenet(void)
{
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();
    Place place;

    place_enter(&place);
    g_autoptr(AditStudy) study =
        read_study(&place, "b-lenet-curve.yaml", NULL, NULL, NULL, diagnostics);

    assert_good(diagnostics);
    g_assert_cmpuint(study->points->len, ==, 3);
    g_assert_cmpuint(study->evaluations->len, ==, 13);
    assert_strv(study->evaluate, "threshold");
    g_assert_cmpstr(((AditStudyPoint *) study->evaluations->pdata[12])->values[0], ==, "10");
    place_leave(&place);
}

/* ---- reports ---- */

static void
test_reports(void)
{
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();
    Place place;

    place_enter(&place);
    g_autoptr(AditStudy) study = read_study(&place, "table2.yaml", NULL, NULL, NULL, diagnostics);
    g_autofree char *beside = g_build_filename(study->folder, "table2.csv", NULL);

    g_assert_cmpuint(study->reports->len, ==, 4);
    const AditStudyReport *table = study->reports->pdata[0], *curves = study->reports->pdata[3];

    g_assert_cmpint(table->kind, ==, ADIT_STUDY_TABLE);
    g_assert_cmpstr(table->name, ==, "table-best.test.mse");
    assert_strv(table->values, "best.test.mse last.test.mse");
    g_assert_cmpstr(table->rows, ==, "arch");
    g_assert_cmpstr(table->columns, ==, "depth");
    g_assert_null(table->x);
    assert_strv(table->pages, "");
    assert_strv(table->over, "seed");
    g_assert_cmpstr(table->beside, ==, beside);
    g_assert_true(g_path_is_absolute(table->beside));
    g_assert_true(isnan(table->above_chance));
    g_assert_cmpint(curves->kind, ==, ADIT_STUDY_CURVES);
    g_assert_cmpstr(curves->x, ==, "block");
    g_assert_cmpstr(curves->lines, ==, "arch");
    assert_strv(curves->pages, "depth");
    g_assert_null(curves->beside);
    place_leave(&place);
}

static void
test_more_reports(void)
{
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();
    Place place;

    place_enter(&place);
    g_autoptr(AditStudy) study = read_study(
        &place, "table2.yaml",
        "- curves: {x: epoch, value: test.mse, lines: arch, pages: "
        "depth}",
        "- scatter: {x: parameters, y: best.test.mse, lines: arch, pages: [seed, cases]}\n"
        "    - scatter: {x: depth, y: best.test.mse, over: []}\n"
        "    - heat-map: {x: depth, y: arch, value: seconds}\n"
        "    - counts: {by: cases, value: best.test.mse, above-chance: 0.05}",
        NULL, diagnostics);

    assert_good(diagnostics);
    const AditStudyReport *scatter = study->reports->pdata[2], *second = study->reports->pdata[3];
    const AditStudyReport *heat = study->reports->pdata[4], *counts = study->reports->pdata[5];

    g_assert_cmpstr(scatter->name, ==, "scatter-best.test.mse");
    g_assert_cmpstr(scatter->x, ==, "parameters");
    assert_strv(scatter->values, "");
    assert_strv(scatter->pages, "seed cases");
    assert_strv(scatter->over, "");
    g_assert_cmpstr(second->name, ==, "scatter-best.test.mse_2");
    assert_strv(second->over, "");
    g_assert_cmpstr(heat->name, ==, "heat-map-seconds");
    g_assert_cmpstr(heat->y, ==, "arch");
    assert_strv(heat->over, "seed");
    g_assert_cmpstr(counts->by, ==, "cases");
    g_assert_cmpfloat_with_epsilon(counts->above_chance, 0.05, 1e-12);
    place_leave(&place);
}

/* ---- points as pipelines ---- */

#define NET                                                                                        \
    "adit: 1\n"                                                                                    \
    "params: {depth: 4, rate: 0.1, file: none.csv, word: relu}\n"                                  \
    "data: {csv: {path: $file, target: y}}\n"                                                      \
    "model:\n"                                                                                     \
    "  trunk: [{repeat: {times: $depth, blocks: [{dense: {units: 8, activation: $word}}]}}]\n"     \
    "  head: {dense: {units: 1}}\n"                                                                \
    "train: {loss: mse, optimizer: {sgd: {lr: $rate}}, batch: 32, epochs: 5}\n"

static AditStudy *
read_small(Place *place, const char *vary, const char *const *arguments,
           AditDiagnostics *diagnostics)
{
    g_autofree char *text = g_strdup_printf("adit: 1\nstudy: {%s}\n", vary);

    write_file(place->folder, "net.yaml", NET);
    write_file(place->folder, "none.csv", "y\n1\n");
    write_file(place->folder, "below/net.yaml", NET);
    write_file(place->folder, "small.yaml", text);
    return adit_study_read("small.yaml", arguments, 3, diagnostics);
}

static AditExperiment *
read_point(const Place *place, const AditStudy *study, guint index, AditDiagnostics *diagnostics)
{
    AditExperiment *experiment =
        adit_study_read_point(study, study->points->pdata[index], NULL, place->data, diagnostics);

    assert_good(diagnostics);
    return experiment;
}

static void
test_ranges(void)
{
    static const struct {
        const char *written;
        const char *values;
    } rows[] = {
        {"1..5", "1 2 3 4 5"},
        {"[1..3, 10..25/5]", "1 2 3 10 15 20 25"},
        {"-2..2/2", "-2 0 2"},
        {"10..24/5", "10 15 20"},
        {"9223372036854770000..9223372036854775807/4000",
         "9223372036854770000 9223372036854774000"},
        {"-9223372036854775808..9223372036854775807/9223372036854775807",
         "-9223372036854775808 -1 9223372036854775806"},
        {"7", "7"},
        {"[7, 0x10]", "7 0x10"},
    };
    Place place;

    place_enter(&place);
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();
        g_autoptr(GString) found = g_string_new(NULL);
        g_autofree char *vary =
            g_strdup_printf("vary: {pipeline: net.yaml, seed: %s}", rows[i].written);
        g_autoptr(AditStudy) study = read_small(&place, vary, NULL, diagnostics);

        assert_good(diagnostics);
        for (guint j = 0; j < study->points->len; j++)
            g_string_append_printf(found, "%s%s", j > 0 ? " " : "",
                                   ((AditStudyPoint *) study->points->pdata[j])->values[1]);
        g_assert_cmpstr(found->str, ==, rows[i].values);
    }
    place_leave(&place);
}

/* A quoted range is a text. */
static void
test_quoted_range(void)
{
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();
    Place place;

    place_enter(&place);
    g_autoptr(AditStudy) study = read_small(
        &place, "vary: {pipeline: net.yaml, title: [\"1..5\", trunk.1..3]}", NULL, diagnostics);

    assert_good(diagnostics);
    g_assert_cmpuint(study->points->len, ==, 2);
    place_leave(&place);
}

/* A case with pipelines of its own turns their parameters. */
static void
test_own_pipelines(void)
{
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();
    g_autofree char *other = NULL;
    Place place;

    place_enter(&place);
    g_auto(GStrv) parts = g_strsplit(NET, "depth", -1);

    other = g_strjoinv("height", parts);
    write_file(place.folder, "other.yaml", other);
    g_autoptr(AditStudy) study = read_small(
        &place,
        "vary: {seed: 1, cases: {a: {pipeline: net.yaml, depth: [1, 2]}, b: {pipeline: other.yaml, "
        "height: 3}}}",
        NULL, diagnostics);

    assert_good(diagnostics);
    assert_strv(study->axes, "seed cases pipeline depth height");
    g_assert_cmpuint(study->points->len, ==, 3);
    assert_strv(((AditStudyPoint *) study->points->pdata[2])->values, "1 b other.yaml  3");
    g_autoptr(AditExperiment) experiment = read_point(&place, study, 2, diagnostics);

    g_assert_nonnull(experiment);
    place_leave(&place);
}

/* The words for the command say what the study says, so that both give one pipeline. */
static void
test_arguments(void)
{
    static const char *const given[] = {"-o", "train.epochs=9", "", "word=tanh", NULL};
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();
    Place place;

    place_enter(&place);
    g_autoptr(AditStudy) study = read_small(
        &place,
        "vary: {pipeline: [net.yaml, below/net.yaml], depth: 3, seed: 5, file: none.csv, "
        "train.clip: [~, 1.5], train.regularizers: [[], [{l2: {weight: 1e-3}}]], "
        "title: \"a, b: 'c' # d\"}",
        given, diagnostics);

    g_assert_cmpuint(study->points->len, ==, 8);
    assert_good(diagnostics);
    for (guint i = 0; i < study->points->len; i++) {
        const AditStudyPoint *point = study->points->pdata[i];
        g_autoptr(AditExperiment) experiment = read_point(&place, study, i, diagnostics);
        g_auto(GStrv) words = adit_study_list_arguments(study, point, experiment);
        g_autoptr(AditExperiment) again = adit_experiment_read(
            point->pipeline, (const char *const *) words, 3, place.data, diagnostics);

        assert_good(diagnostics);
        g_assert_cmpstr(again->resolved, ==, experiment->resolved);
        g_assert_cmpuint(experiment->seed, ==, 5);
        g_assert_cmpstr(experiment->title, ==, "a, b: 'c' # d");
    }
    place_leave(&place);
}

/* Seeds and live values share a graph, all else has its own. */
static void
test_structure(void)
{
    static const struct {
        const char *vary;
        gboolean same;
    } rows[] = {
        {"seed: 1..2", TRUE},
        {"rate: [0.1, 0.2]", TRUE},
        {"train.optimizer.sgd.lr: [0.1, {cosine: {from: 0.1, to: 0.01}}]", TRUE},
        {"depth: 3..4", FALSE},
        {"word: [relu, tanh]", FALSE},
        {"train.batch: [16, 32]", FALSE},
    };
    Place place;

    place_enter(&place);
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();
        g_autofree char *vary = g_strdup_printf(
            "vary: {pipeline: net.yaml, train.optimizer.sgd.momentum: 0.9, %s}", rows[i].vary);

        g_autoptr(AditStudy) study = read_small(&place, vary, NULL, diagnostics);

        assert_good(diagnostics);
        g_autoptr(AditExperiment) one = read_point(&place, study, 0, diagnostics);
        g_autoptr(AditExperiment) other = read_point(&place, study, 1, diagnostics);

        g_assert_cmpstr(one->resolved, !=, other->resolved);
        g_assert_cmpint(strcmp(one->structure, other->structure) == 0, ==, rows[i].same);
    }
    place_leave(&place);
}

static void
test_is_one(void)
{
    Place place;

    place_enter(&place);
    write_file(place.folder, "study.yaml", "adit: 1\nstudy: {}\n");
    write_file(place.folder, "net.yaml", NET);
    write_file(place.folder, "torn.yaml", "adit: 1\nstudy: {\n");
    g_assert_true(adit_study_is_one("study.yaml"));
    g_assert_false(adit_study_is_one("net.yaml"));
    g_assert_false(adit_study_is_one("torn.yaml"));
    g_assert_false(adit_study_is_one("nothing.yaml"));
    place_leave(&place);
}

/* ---- messages ---- */

/**
 * Row: one change in a study expects one message, whole.
 * @file: (nullable): a fixture; NULL: @from is what stands in "study: {...}"
 * @arguments: (nullable): separated by tabs
 */
typedef struct {
    const char *path;
    const char *file;
    const char *from;
    const char *to;
    const char *arguments;
    const char *line;
} Row;

static const Row rows[] = {
    /* the reference's, by their numbers there */
    {"39", "table2.yaml", "depth: [600", "dept: [600", NULL,
     "table2.yaml:9:44: error: 'dept' is neither a parameter of sgemm.yaml nor a key; did you mean "
     "'depth'?"},
    {"40", "b-lenet-curve.yaml", "{threshold:", "{seed:", NULL,
     "b-lenet-curve.yaml:5:14: error: 'seed' cannot be turned after training; put it under 'vary'"},
    /* the file */
    {"pipeline", "sgemm.yaml", NULL, NULL, NULL,
     "sgemm.yaml:1:1: error: this is a pipeline; adit run trains it"},
    {"version", "table2.yaml", "adit: 1\n", "", NULL,
     "table2.yaml:1:1: error: the first key must be 'adit: 1', got 'study'"},
    {"section", "table2.yaml", "study:", "seed: 1\nstudy:", NULL,
     "table2.yaml:3:1: error: unknown key 'seed' of a study's file; there are adit, title, study"},
    {"title", "table2.yaml", "study:", "title: [a]\nstudy:", NULL,
     "table2.yaml:3:8: error: 'title' must be text, got a list"},
    {"key", "table2.yaml", "report:", "reports:", NULL,
     "table2.yaml:10:3: error: unknown key 'reports' of 'study'; did you mean 'report'?"},
    {"no-vary", NULL, "evaluate: {noise: 1}", NULL, NULL,
     "small.yaml:2:8: error: a study needs 'vary'"},
    {"list-of-axes", NULL, "vary: [pipeline]", NULL, NULL,
     "small.yaml:2:9: error: 'vary' must be a mapping of axes to values, got a list"},
    {"no-study", NULL, "", NULL, NULL, "small.yaml:2:8: error: a study needs 'vary'"},
    /* axes */
    {"axis-twice", NULL, "vary: {pipeline: net.yaml, seed: 1, seed: 2}", NULL, NULL,
     "small.yaml:2:45: error: key 'seed' is already set in line 2"},
    {"axis-of-case", NULL, "vary: {pipeline: net.yaml, seed: 1, cases: {a: {seed: 2}}}", NULL, NULL,
     "small.yaml:2:57: error: 'seed' is an axis of 'vary' already"},
    {"axis-of-evaluate", NULL, "vary: {pipeline: net.yaml, file: a}, evaluate: {file: b}", NULL,
     NULL, "small.yaml:2:57: error: 'file' is an axis of 'vary' already"},
    {"no-values", NULL, "vary: {pipeline: net.yaml, seed: []}", NULL, NULL,
     "small.yaml:2:36: error: axis 'seed' has no values"},
    {"value-twice", NULL, "vary: {pipeline: net.yaml, seed: [1..5, 3]}", NULL, NULL,
     "small.yaml:2:49: error: axis 'seed' has the value 3 twice"},
    {"range-down", NULL, "vary: {pipeline: net.yaml, seed: 5..1}", NULL, NULL,
     "small.yaml:2:42: error: a range goes up, from its first value to its last by a step of 1 or "
     "more, got 5..1"},
    {"range-step", NULL, "vary: {pipeline: net.yaml, seed: 1..5/0}", NULL, NULL,
     "small.yaml:2:42: error: a range goes up, from its first value to its last by a step of 1 or "
     "more, got 1..5/0"},
    {"range-long", NULL, "vary: {pipeline: net.yaml, seed: 1..99999}", NULL, NULL,
     "small.yaml:2:42: error: a range has at most 10000 values, got 1..99999"},
    {"many-points", NULL, "vary: {pipeline: net.yaml, seed: 1..1000, depth: 1..1000}", NULL, NULL,
     "small.yaml:2:16: error: a study has at most 100000 points, got 1000000"},
    {"cases-list", NULL, "vary: {pipeline: net.yaml, cases: [a]}", NULL, NULL,
     "small.yaml:2:43: error: 'cases' must be a mapping of names to axes, got a list; for example "
     "{small: {depth: 5}, large: {depth: 50}}"},
    {"case-list", NULL, "vary: {pipeline: net.yaml, cases: {a: [1]}}", NULL, NULL,
     "small.yaml:2:47: error: case 'a' must be a mapping of axes, got a list"},
    /* pipelines */
    {"no-pipeline", NULL, "vary: {seed: 1}", NULL, NULL,
     "small.yaml:2:16: error: 'vary' needs 'pipeline': the file that is run"},
    {"missing", NULL, "vary: {pipeline: nets.yaml}", NULL, NULL,
     "small.yaml:2:26: error: no file 'nets.yaml'"},
    {"above", NULL, "vary: {pipeline: ../net.yaml}", NULL, NULL,
     "small.yaml:2:26: error: a pipeline lies beside or below the study, got \"../net.yaml\""},
    {"itself", NULL, "vary: {pipeline: small.yaml}", NULL, NULL,
     "small.yaml:2:26: error: 'small.yaml' is a study, not a pipeline"},
    {"no-model", NULL, "vary: {pipeline: none.csv}", NULL, NULL,
     "none.csv:1:1: error: the first key must be 'adit: 1', got \"y 1\""},
    {"mapping", NULL, "vary: {pipeline: {file: net.yaml}}", NULL, NULL,
     "small.yaml:2:26: error: 'pipeline' must be a file, got a mapping"},
    /* evaluate */
    {"late-pipeline", NULL,
     "vary: {seed: 1, cases: {a: {pipeline: net.yaml}}}, evaluate: "
     "{model.head: relu}",
     NULL, NULL,
     "small.yaml:2:71: error: 'model.head' cannot be turned after training; put it under 'vary'"},
    {"late-unknown", NULL, "vary: {pipeline: net.yaml}, evaluate: {wrd: relu}", NULL, NULL,
     "small.yaml:2:48: error: 'wrd' is neither a parameter of net.yaml nor a key; did you mean "
     "'word'?"},
    /* the command line */
    {"not-there", "table2.yaml", NULL, NULL, "depth=10,25",
     "command-line:3:11: error: 25 is not among the values of 'depth' in table2.yaml; there are 10, "
     "24, 50, 100, 200, 600, 1000"},
    {"nothing", "table2.yaml", NULL, NULL, "seed=",
     "command-line:3:6: error: nothing is not among the values of 'seed' in table2.yaml; there are "
     "1, 2, 3"},
    {"no-case", "table2.yaml", NULL, NULL, "cases=figure-4",
     "command-line:3:8: error: no case 'figure-4' in table2.yaml; there are figure-2, figure-3"},
    {"none-left", "table2.yaml", NULL, NULL, "depth=10\tcases=figure-3",
     "table2.yaml:5:5: error: no point of the study is left"},
    {"appended", "table2.yaml", NULL, NULL, "-o\tseed+=4",
     "command-line:4:1: error: 'seed' is an axis of table2.yaml and can only be narrowed: "
     "seed=VALUE,VALUE"},
    {"a-key", "table2.yaml", NULL, NULL, "train.epochs=4",
     "command-line:3:1: error: 'train.epochs' is neither an axis of table2.yaml nor a parameter of "
     "sgemm.yaml; a key is set by -o train.epochs=..."},
    /* reports */
    {"report-kind", "table2.yaml", "- curves", "- curve", NULL,
     "table2.yaml:13:7: error: unknown report 'curve'; did you mean 'curves'?"},
    {"report-bare", "table2.yaml",
     "- curves: {x: epoch, value: test.mse, lines: arch, pages: depth}", "- curves", NULL,
     "table2.yaml:13:7: error: a report is one of table, heat-map, scatter, curves, counts with its "
     "keys; for example {table: {rows: arch, value: best.test.loss}}"},
    {"report-mapping", NULL, "vary: {pipeline: net.yaml}, report: {table: {}}", NULL, NULL,
     "small.yaml:2:45: error: 'report' must be a list, got a mapping"},
    {"report-key", "table2.yaml", "{rows: arch, columns", "{rows: arch, column", NULL,
     "table2.yaml:11:27: error: unknown key 'column' of 'table'; did you mean 'columns'?"},
    {"report-needs", "table2.yaml", "{rows: arch, columns", "{columns", NULL,
     "table2.yaml:11:7: error: 'table' needs 'rows'"},
    {"report-axis", "table2.yaml", "{rows: arch", "{rows: archs", NULL,
     "table2.yaml:11:21: error: 'archs' is no axis of this study; did you mean 'arch'?"},
    {"report-other-axis", "table2.yaml", "{rows: arch", "{rows: width", NULL,
     "table2.yaml:11:21: error: 'width' is no axis of this study; there are pipeline, seed, cases, "
     "arch, depth"},
    {"report-value", "table2.yaml", "[best.test.mse", "[test.mse", NULL,
     "table2.yaml:11:51: error: 'test.mse' is no value of a run; a value reads best.test.loss, "
     "last.train.loss, probes.NAME.COLUMN, seconds, seconds-per-epoch, epochs or parameters"},
    {"report-beside", "table2.yaml", "beside: table2.csv", "beside: table3.csv", NULL,
     "table2.yaml:11:90: error: no file 'table3.csv' beside the study"},
    {"report-chance", "moons.yaml", "above-chance: 0.05", "above-chance: 5%", NULL,
     "moons.yaml:12:69: error: 'above-chance' must be in 0..1, got \"5%\""},
};

static void
test_row(gconstpointer data)
{
    const Row *row = data;
    g_auto(GStrv) arguments = row->arguments != NULL ? g_strsplit(row->arguments, "\t", -1) : NULL;
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();
    g_autoptr(AditStudy) study = NULL;
    g_autoptr(GString) lines = g_string_new(NULL);
    Place place;

    place_enter(&place);
    if (row->file != NULL)
        study = read_study(&place, row->file, row->from, row->to, (const char *const *) arguments,
                           diagnostics);
    else
        study = read_small(&place, row->from, (const char *const *) arguments, diagnostics);
    g_assert_null(study);
    for (guint i = 0; i < count_messages(diagnostics); i++) {
        g_autofree char *line = adit_diagnostics_get_line(diagnostics, i);

        g_string_append_printf(lines, "%s%s", i > 0 ? "\n" : "", line);
    }
    /* the report of 40 shows the axis that the change takes away */
    if (strcmp(row->path, "40") == 0)
        g_string_truncate(lines, strcspn(lines->str, "\n"));
    g_assert_cmpstr(lines->str, ==, row->line);
    place_leave(&place);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pipeline/study/table2", test_table2);
    g_test_add_func("/pipeline/study/moons", test_moons);
    g_test_add_func("/pipeline/study/b-lenet-curve", test_b_lenet);
    g_test_add_func("/pipeline/study/reports", test_reports);
    g_test_add_func("/pipeline/study/more-reports", test_more_reports);
    g_test_add_func("/pipeline/study/ranges", test_ranges);
    g_test_add_func("/pipeline/study/quoted-range", test_quoted_range);
    g_test_add_func("/pipeline/study/own-pipelines", test_own_pipelines);
    g_test_add_func("/pipeline/study/arguments", test_arguments);
    g_test_add_func("/pipeline/study/structure", test_structure);
    g_test_add_func("/pipeline/study/is-one", test_is_one);
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *path = g_strdup_printf("/pipeline/study/messages/%s", rows[i].path);

        g_test_add_data_func(path, &rows[i], test_row);
    }
    return g_test_run();
}
