/* tests/core/report/test-pictures.c - SPDX-License-Identifier: MIT */
#include "study.h"

static const char *const sweep =
    "arch,depth,seed,status,run,epochs,parameters,best.test.mse,best.train.accuracy\n"
    "glonet,10,1,done,runs/a,2,100,0.02,0.6\n"
    "glonet,10,2,done,runs/b,2,100,0.04,0.7\n"
    "glonet,100,1,done,runs/c,2,1000,5,0.5\n"
    "resnet,10,1,done,runs/d,2,300,0.01,0.9\n"
    "resnet,100,1,failed,runs/e,,,,\n";

static const char *const metrics = "step,epoch,test.mse\n%d,1,%s\n%d,2,%s\n";

/* Runs with two epochs each. */
static Study
make_study(void)
{
    static const char *const values[][3] = {
        {"a", "1", "0.5"}, {"b", "3", "nan"}, {"c", "2", "0.25"}, {"d", "4", "1"}};
    Study study = study_make(sweep);

    for (guint i = 0; i < G_N_ELEMENTS(values); i++) {
        g_autofree char *name = g_strdup_printf("runs/%s/metrics.csv", values[i][0]);
        g_autofree char *text = g_strdup_printf(metrics, 1, values[i][1], 2, values[i][2]);

        study_write(&study, name, text);
    }
    return study;
}

static gboolean
can_draw(void)
{
    g_autofree char *gnuplot = g_find_program_in_path("gnuplot");

    return gnuplot != NULL;
}

/* How often @needle is in a file that the report wrote. */
static guint
count_in(const Study *study, const char *name, const char *needle)
{
    g_autofree char *text = study_read(study, name);
    guint count = 0;

    g_assert_nonnull(text);
    for (const char *at = text; (at = strstr(at, needle)) != NULL; at++)
        count++;
    return count;
}

/* Where there is a gnuplot: both pictures, and in made.svg as many plots. What gnuplot draws as one
 * is a group of its own there. */
static void
assert_plots(const Study *study, guint expected)
{
    g_autofree char *png = NULL;

    if (!can_draw()) {
        g_test_skip("no gnuplot");
        return;
    }
    png = study_read(study, "made.png");
    g_assert_nonnull(png);
    g_assert_cmpmem(png, 4, "\x89PNG", 4);
    g_assert_cmpuint(count_in(study, "made.svg", "<g id=\"gnuplot_plot_"), ==, expected);
}

/* ---- curves ---- */

/* A page each, so that the lines of two depths are in two panels. */
static void
test_epochs(void)
{
    g_auto(Study) study = make_study();
    AditStudyReport report = {.kind = ADIT_STUDY_CURVES,
                              .x = TEXT("epoch"),
                              .lines = TEXT("arch"),
                              .pages = LIST("depth"),
                              .values = LIST("test.mse")};

    study_report(&study, &report);
    study_assert_file(&study, "made.csv",
                      "depth,arch,value,epoch,mean,low,high,n\n"
                      "10,glonet,test.mse,1,2,1,3,2\n"
                      "10,glonet,test.mse,2,nan,0.5,0.5,2\n"
                      "\n\n"
                      "10,resnet,test.mse,1,4,4,4,1\n"
                      "10,resnet,test.mse,2,1,1,1,1\n"
                      "\n\n"
                      "100,glonet,test.mse,1,2,2,2,1\n"
                      "100,glonet,test.mse,2,0.25,0.25,0.25,1\n");
    /* three lines, each with band and marks */
    assert_plots(&study, 3 * 3);
}

static void
test_columns(void)
{
    g_auto(Study) study = make_study();
    g_autofree char *beside = g_build_filename(study.path, "paper.csv", NULL);
    AditStudyReport report = {.kind = ADIT_STUDY_CURVES,
                              .x = TEXT("depth"),
                              .lines = TEXT("arch"),
                              .beside = beside,
                              .values = LIST("best.test.mse")};

    study_write(&study, "paper.csv", "arch,depth,best.test.mse\nglonet,24,0.5\nresnet,1000,-\n");
    study_report(&study, &report);
    study_assert_file(&study, "made.csv",
                      "arch,value,depth,mean,low,high,n\n"
                      "glonet,best.test.mse,10,0.03,0.02,0.04,2\n"
                      "glonet,best.test.mse,100,5,5,5,1\n"
                      "\n\n"
                      "glonet,best.test.mse,24,0.5,0.5,0.5,\n"
                      "\n\n"
                      "resnet,best.test.mse,10,0.01,0.01,0.01,1\n");
    /* two lines with band and marks, and circles */
    assert_plots(&study, 2 * 3 + 1);
    g_assert_cmpuint(count_in(&study, "made.gp", "log_y = 1\n"), ==, 1);
    g_assert_cmpuint(count_in(&study, "made.gp", "log_x = 0\n"), ==, 1);
}

/* The values of an axis that are no numbers are numbered. */
static void
test_names(void)
{
    g_auto(Study) study = make_study();
    AditStudyReport report = {.kind = ADIT_STUDY_CURVES,
                              .x = TEXT("arch"),
                              .lines = TEXT("depth"),
                              .values = LIST("parameters")};

    study_report(&study, &report);
    study_assert_file(&study, "made.csv",
                      "depth,value,arch,position,mean,low,high,n\n"
                      "10,parameters,glonet,1,100,100,100,2\n"
                      "10,parameters,resnet,2,300,300,300,1\n"
                      "\n\n"
                      "100,parameters,glonet,1,1000,1000,1000,1\n");
    g_assert_cmpuint(count_in(&study, "made.gp", "array ticks[2] = ['glonet', 'resnet']\n"), ==, 1);
    g_assert_cmpuint(count_in(&study, "made.gp", "['depth 10', 'depth 100']\n"), ==, 1);
}

/* Published figures stand where their names do; where nothing can show them they are refused. */
static void
test_published(void)
{
    g_auto(Study) study = make_study();
    g_autofree char *beside = g_build_filename(study.path, "paper.csv", NULL);
    AditStudyReport report = {.kind = ADIT_STUDY_CURVES,
                              .x = TEXT("arch"),
                              .lines = TEXT("depth"),
                              .beside = beside,
                              .values = LIST("parameters")};

    study_write(&study, "paper.csv", "arch,depth,parameters\nresnet,100,2500\nother,100,1\n");
    study_report(&study, &report);
    study_assert_file(&study, "made.csv",
                      "depth,value,arch,position,mean,low,high,n\n"
                      "10,parameters,glonet,1,100,100,100,2\n"
                      "10,parameters,resnet,2,300,300,300,1\n"
                      "\n\n"
                      "100,parameters,glonet,1,1000,1000,1000,1\n"
                      "\n\n"
                      "100,parameters,resnet,2,2500,2500,2500,\n");
    report.x = TEXT("epoch");
    report.lines = TEXT("arch");
    report.pages = LIST("depth");
    report.values = LIST("test.mse");
    study_assert_error(&study, &report, ADIT_ERROR_INVALID,
                       "report 'made': published figures go with an 'x' that is a column of "
                       "sweep.csv, got 'epoch'");
    report.kind = ADIT_STUDY_COUNTS;
    study_assert_error(&study, &report, ADIT_ERROR_INVALID,
                       "report 'made': 'counts' shows no published figures; a table, curves or a "
                       "scatter does");
}

/* Of a probe's table the last measurement on the first set, the deviation of the samples as a band;
 * the number of the row is the block. */
static void
test_probe(void)
{
    g_auto(Study) study = study_make("arch,seed,status,run\n"
                                     "glonet,1,done,runs/a\n"
                                     "glonet,2,done,runs/b\n");
    AditStudyReport report = {.kind = ADIT_STUDY_CURVES,
                              .x = TEXT("block"),
                              .lines = TEXT("arch"),
                              .values = LIST("probes.my-norm.l1")};

    study_write(&study, "runs/a/probes/my-norm.csv",
                "data,split,when,address,l1,l1-std\n"
                "clean,test,1,trunk.1,9,9\n"
                "clean,test,1,trunk.2,9,9\n"
                "clean,test,end,trunk.1,3,1\n"
                "clean,test,end,trunk.2,1,0.5\n"
                "noisy,test,end,trunk.1,7,7\n"
                "noisy,test,end,trunk.2,7,7\n");
    study_write(&study, "runs/b/probes/my-norm.csv",
                "data,split,when,address,l1,l1-std\n"
                "clean,test,end,trunk.1,5,2\n"
                "clean,test,end,trunk.2,2,0\n");
    study_report(&study, &report);
    study_assert_file(&study, "made.csv",
                      "arch,value,block,mean,low,high,n\n"
                      "glonet,probes.my-norm.l1,1,4,2.5,5.5,2\n"
                      "glonet,probes.my-norm.l1,2,1.5,1.25,1.75,2\n");
    assert_plots(&study, 3);
    report.x = TEXT("layer");
    study_assert_error(&study, &report, ADIT_ERROR_INVALID,
                       "report 'made': %s/runs/a/probes/my-norm.csv:1: no column 'layer'; columns: "
                       "data, split, when, address, l1, l1-std");
    report.x = TEXT("block");
    report.values = LIST("probes.norm.l1");
    study_assert_error(&study, &report, ADIT_ERROR_NOT_FOUND,
                       "report 'made': no file '%s/runs/a/probes/norm.csv'");
}

/* A run's folder is one of the study's: sweep.csv reaches no other file. */
static void
test_outside(void)
{
    static const char *const runs[] = {"/etc", "../elsewhere", "runs/../../x", ""};

    for (guint i = 0; i < G_N_ELEMENTS(runs); i++) {
        g_autofree char *text =
            g_strdup_printf("arch,seed,status,run\nglonet,1,done,%s\n", runs[i]);
        g_autofree char *expected =
            g_strdup_printf("report 'made': %%s/sweep.csv:2: column 'run': got '%s', expected a "
                            "folder inside of the study's",
                            runs[i]);
        g_auto(Study) study = study_make(text);
        AditStudyReport report = {
            .kind = ADIT_STUDY_CURVES, .x = TEXT("epoch"), .values = LIST("test.mse")};

        report.lines = TEXT("arch");
        study_assert_error(&study, &report, ADIT_ERROR_DAMAGED, expected);
    }
}

/* ---- the other kinds ---- */

/* x is a value: a point for each point of the study, the seed averaged away in both directions. */
static void
test_scatter(void)
{
    g_auto(Study) study = make_study();
    AditStudyReport report = {.kind = ADIT_STUDY_SCATTER,
                              .x = TEXT("parameters"),
                              .y = TEXT("best.train.accuracy"),
                              .lines = TEXT("arch")};

    study_report(&study, &report);
    study_assert_file(&study, "made.csv",
                      "arch,value,parameters,mean,low,high,n\n"
                      "glonet,best.train.accuracy,100,0.65,0.6,0.7,2\n"
                      "glonet,best.train.accuracy,1000,0.5,0.5,0.5,1\n"
                      "\n\n"
                      "resnet,best.train.accuracy,300,0.9,0.9,0.9,1\n");
    assert_plots(&study, 2);
}

/* A value gives the colours; x is an axis, and each point of the study a dot. */
static void
test_shades(void)
{
    g_auto(Study) study = make_study();
    AditStudyReport report = {.kind = ADIT_STUDY_SCATTER,
                              .x = TEXT("depth"),
                              .y = TEXT("best.test.mse"),
                              .values = LIST("parameters")};

    study_report(&study, &report);
    study_assert_file(&study, "made.csv",
                      "value,depth,mean,low,high,n,parameters\n"
                      "best.test.mse,10,0.03,0.02,0.04,2,100\n"
                      "best.test.mse,10,0.01,0.01,0.01,1,300\n"
                      "best.test.mse,100,5,5,5,1,1000\n");
    assert_plots(&study, 1);
    g_assert_cmpuint(count_in(&study, "made.gp", "array value_high[1] = [1000]\n"), ==, 1);
    report.values = LIST("parameters", "epochs");
    study_assert_error(&study, &report, ADIT_ERROR_INVALID,
                       "report 'made': 'scatter' takes one 'value' for the colours beside 'y', "
                       "got 2");
}

static void
test_heat_map(void)
{
    g_auto(Study) study = make_study();
    AditStudyReport report = {.kind = ADIT_STUDY_HEAT_MAP,
                              .x = TEXT("depth"),
                              .y = TEXT("arch"),
                              .values = LIST("best.train.accuracy", "best.test.mse")};

    study_report(&study, &report);
    study_assert_file(&study, "made.csv",
                      "value,depth,arch,x,y,mean,n,failed\n"
                      "best.train.accuracy,10,glonet,1,1,0.65,2,0\n"
                      "best.train.accuracy,100,glonet,2,1,0.5,1,0\n"
                      "best.train.accuracy,10,resnet,1,2,0.9,1,0\n"
                      "best.train.accuracy,100,resnet,2,2,,0,1\n"
                      "\n\n"
                      "best.test.mse,10,glonet,1,1,0.03,2,0\n"
                      "best.test.mse,100,glonet,2,1,5,1,0\n"
                      "best.test.mse,10,resnet,1,2,0.01,1,0\n"
                      "best.test.mse,100,resnet,2,2,,0,1\n");
    /* cells, crosses and numbers of two panels */
    assert_plots(&study, 2 * 3);
    g_assert_cmpuint(count_in(&study, "made.gp", "array value_log[2] = [0, 1]\n"), ==, 1);
}

static void
test_counts(void)
{
    static const char *const without[] = {"", ", \"data\": []", ", \"data\": [5]",
                                          ", \"data\": [{}]",
                                          ", \"data\": [{\"commonest-class\": {\"test\": 0.5}}]"};
    g_auto(Study) study = make_study();
    AditStudyReport report = {.kind = ADIT_STUDY_COUNTS,
                              .by = TEXT("arch"),
                              .values = LIST("best.train.accuracy"),
                              .above_chance = 0.05};

    for (const char *run = "abcd"; *run != '\0'; run++) {
        g_autofree char *name = g_strdup_printf("runs/%c/run.json", *run);

        study_write(&study, name,
                    "{\"v\": 1, \"status\": \"COMPLETED\", \"data\": [{\"name\": \"moons\", "
                    "\"commonest-class\": {\"train\": 0.55, \"test\": 0.9}}]}\n");
    }
    study_report(&study, &report);
    study_assert_file(&study, "made.md",
                      "# Points by arch\n"
                      "\n"
                      "Above chance: best.train.accuracy is more than 0.05 above the share of the "
                      "commonest class.\n"
                      "\n"
                      "| arch   | points | done | failed | above chance |\n"
                      "| :----- | -----: | ---: | -----: | -----------: |\n"
                      "| glonet |      3 |    3 |      0 |     1 (33 %) |\n"
                      "| resnet |      2 |    1 |      1 |     1 (50 %) |\n");
    study_assert_file(&study, "made.csv",
                      "arch,value,position,points,done,failed,above-chance\n"
                      "glonet,best.train.accuracy,1,3,3,0,1\n"
                      "resnet,best.train.accuracy,2,2,1,1,1\n");
    /* outer bars, inner bars, numbers */
    assert_plots(&study, 3);
    for (guint i = 0; i < G_N_ELEMENTS(without); i++) {
        g_autofree char *text =
            g_strdup_printf("{\"v\": 1, \"status\": \"COMPLETED\"%s}\n", without[i]);

        study_write(&study, "runs/c/run.json", text);
        study_assert_error(&study, &report, ADIT_ERROR_INVALID,
                           "report 'made': %s/runs/c/run.json: no 'commonest-class' of the train "
                           "split: 'above-chance' counts runs that tell classes apart");
    }
    report.above_chance = (double) NAN;
    study_report(&study, &report);
    study_assert_file(&study, "made.csv",
                      "arch,value,position,points,done,failed,above-chance\n"
                      "glonet,best.train.accuracy,1,3,3,0,\n"
                      "resnet,best.train.accuracy,2,2,1,1,\n");
}

/* ---- gnuplot ---- */

/* A panel, or a whole picture, that nothing came of is drawn all the same. */
static void
test_no_points(void)
{
    g_auto(Study) study = study_make("arch,depth,seed,status,run,mse\n"
                                     "glonet,10,1,done,runs/a,1\n"
                                     "glonet,24,1,failed,runs/b,\n"
                                     "resnet,10,1,pending,,\n"
                                     "resnet,24,1,pending,,\n");
    AditStudyReport reports[] = {
        {.kind = ADIT_STUDY_CURVES, .x = TEXT("depth"), .pages = LIST("arch")},
        {.kind = ADIT_STUDY_CURVES,
         .x = TEXT("epoch"),
         .lines = TEXT("arch"),
         .pages = LIST("depth")},
        {.kind = ADIT_STUDY_SCATTER, .x = TEXT("depth"), .lines = TEXT("arch")},
        {.kind = ADIT_STUDY_HEAT_MAP, .x = TEXT("depth"), .y = TEXT("arch")},
        {.kind = ADIT_STUDY_COUNTS, .by = TEXT("arch"), .above_chance = (double) NAN},
    };

    study_write(&study, "runs/a/metrics.csv", "step,epoch,mse\n1,1,3\n");
    for (guint i = 0; i < G_N_ELEMENTS(reports); i++) {
        reports[i].values = LIST("mse");
        study_report(&study, &reports[i]);
    }
    study_write(&study, "sweep.csv",
                "arch,depth,seed,status,run,mse\n"
                "glonet,10,1,pending,,\n"
                "glonet,24,1,failed,runs/b,\n");
    for (guint i = 0; i < G_N_ELEMENTS(reports); i++) {
        reports[i].values = LIST("mse");
        study_report(&study, &reports[i]);
    }
}

/* What stands in sweep.csv is text in a picture, never a command. */
static void
test_hostile_names(void)
{
    g_auto(Study) study = study_make("arch,depth,seed,status,run,mse\n"
                                     "\"`touch owned`\",1,1,done,runs/a,1\n"
                                     "\"'; system('touch owned'); '\",1,1,done,runs/b,2\n"
                                     "\"@x {/Bold a}_b^c \\n \"\"q\"\" $(touch owned)\nset output\""
                                     ",1,1,done,runs/c,3\n");
    AditStudyReport report = {.kind = ADIT_STUDY_CURVES,
                              .x = TEXT("depth"),
                              .lines = TEXT("arch"),
                              .values = LIST("mse")};
    g_autofree char *owned = g_build_filename(study.path, "report", "owned", NULL);

    study_report(&study, &report);
    g_assert_false(g_file_test(owned, G_FILE_TEST_EXISTS));
    assert_plots(&study, 3 * 2);
    if (can_draw()) {
        g_assert_cmpuint(count_in(&study, "made.svg", "`touch owned`"), ==, 1);
        g_assert_cmpuint(count_in(&study, "made.svg", "@x {/Bold a}_b^c"), ==, 1);
    }
}

/* Leaves PATH as it was. */
typedef char *SavedPath;

static void
saved_path_restore(SavedPath path)
{
    g_setenv("PATH", path, TRUE);
    g_free(path);
}
G_DEFINE_AUTO_CLEANUP_FREE_FUNC(SavedPath, saved_path_restore, NULL)

static void
test_no_gnuplot(void)
{
    g_auto(Study) study = make_study();
    g_auto(SavedPath) path = g_strdup(g_getenv("PATH"));
    AditStudyReport report = {.kind = ADIT_STUDY_CURVES,
                              .x = TEXT("epoch"),
                              .lines = TEXT("arch"),
                              .pages = LIST("depth"),
                              .values = LIST("test.mse")};
    g_autofree char *png = NULL;

    g_assert_nonnull(path);
    g_setenv("PATH", study.path, TRUE);
    g_test_expect_message("adit-report", G_LOG_LEVEL_MESSAGE,
                          "no gnuplot: the pictures are left out");
    study_report(&study, &report);
    g_test_assert_expected_messages();
    png = study_read(&study, "made.png");
    g_assert_null(png);
    g_assert_cmpuint(count_in(&study, "made.csv", "glonet"), ==, 4);
    g_assert_cmpuint(count_in(&study, "made.gp", "x_label = 'epoch'\n"), ==, 1);
    g_assert_cmpuint(count_in(&study, "index.md", "the pictures are left out"), ==, 1);
    g_assert_cmpuint(count_in(&study, "index.md", "made.svg"), ==, 0);
}

static void
test_gnuplot_fails(void)
{
    g_auto(Study) study = make_study();
    g_auto(SavedPath) path = g_strdup(g_getenv("PATH"));
    g_autofree char *program = g_build_filename(study.path, "gnuplot", NULL);
    AditStudyReport report = {.kind = ADIT_STUDY_CURVES,
                              .x = TEXT("depth"),
                              .lines = TEXT("arch"),
                              .values = LIST("best.test.mse")};

    study_write(&study, "gnuplot", "#!/bin/sh\necho one >&2\necho 'no terminal' >&2\nexit 3\n");
    g_assert_cmpint(g_chmod(program, 0755), ==, 0);
    g_assert_nonnull(path);
    g_setenv("PATH", study.path, TRUE);
    study_assert_error(&study, &report, ADIT_ERROR_FAILED,
                       "report 'made': gnuplot cannot draw %s/report/made.gp: no terminal");
}

/* `gnuplot made.gp` in the folder draws the same again, without the installation. */
static void
test_redraw(void)
{
    g_auto(Study) study = make_study();
    AditStudyReport report = {.kind = ADIT_STUDY_CURVES,
                              .x = TEXT("depth"),
                              .lines = TEXT("arch"),
                              .values = LIST("best.test.mse")};
    g_autofree char *folder = g_build_filename(study.path, "report", NULL);
    g_autofree char *svg = g_build_filename(folder, "made.svg", NULL);
    const char *const arguments[] = {"gnuplot", "made.gp", NULL};
    g_autofree char *first = NULL;
    g_autofree char *second = NULL;
    g_autoptr(GError) error = NULL;
    int status = 0;

    if (!can_draw()) {
        g_test_skip("no gnuplot");
        return;
    }
    study_report(&study, &report);
    first = study_read(&study, "made.svg");
    g_assert_cmpint(g_remove(svg), ==, 0);
    g_spawn_sync(folder, (char **) arguments, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL,
                 &status, &error);
    g_assert_no_error(error);
    g_assert_cmpint(status, ==, 0);
    second = study_read(&study, "made.svg");
    g_assert_cmpstr(first, ==, second);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/report/curves/epochs", test_epochs);
    g_test_add_func("/report/curves/columns", test_columns);
    g_test_add_func("/report/curves/names", test_names);
    g_test_add_func("/report/curves/published", test_published);
    g_test_add_func("/report/curves/probe", test_probe);
    g_test_add_func("/report/curves/outside", test_outside);
    g_test_add_func("/report/scatter/values", test_scatter);
    g_test_add_func("/report/scatter/shades", test_shades);
    g_test_add_func("/report/heat-map/cells", test_heat_map);
    g_test_add_func("/report/counts/chance", test_counts);
    g_test_add_func("/report/gnuplot/no-points", test_no_points);
    g_test_add_func("/report/gnuplot/hostile-names", test_hostile_names);
    g_test_add_func("/report/gnuplot/none", test_no_gnuplot);
    g_test_add_func("/report/gnuplot/fails", test_gnuplot_fails);
    g_test_add_func("/report/gnuplot/redraw", test_redraw);
    return g_test_run();
}
