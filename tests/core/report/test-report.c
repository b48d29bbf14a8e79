/* tests/core/report/test-report.c - SPDX-License-Identifier: MIT */
#include "study.h"

/* Two architectures, two depths, two seeds; in resnet one point of depth 10 failed, one of depth 24
 * is not there yet, the other gave no number. */
static const char *const sweep =
    "arch,depth,seed,status,run,epochs,seconds-per-epoch,best.test.mse\n"
    "glonet,10,1,done,runs/a,2,0.5,0.021\n"
    "glonet,10,2,done,runs/b,2,0.5,0.023\n"
    "glonet,24,1,done,runs/c,2,1.5,0.02\n"
    "glonet,24,2,done,runs/d,2,1.25,0.02\n"
    "resnet,10,1,done,runs/e,2,1,0.018\n"
    "resnet,10,2,failed,runs/f,,,\n"
    "resnet,24,1,pending,,,,\n"
    "resnet,24,2,done,runs/g,2,2,nan\n";

static AditStudyReport
table_of(const char *value)
{
    return (AditStudyReport){.kind = ADIT_STUDY_TABLE,
                             .rows = TEXT("arch"),
                             .columns = TEXT("depth"),
                             .values = g_strdupv(LIST(value))};
}

static void
test_table(void)
{
    g_auto(Study) study = study_make(sweep);
    AditStudyReport report = table_of("best.test.mse");

    study_report(&study, &report);
    study_assert_file(&study, "made.md",
                      "# best.test.mse\n"
                      "\n"
                      "Mean ± standard deviation over seed, n = 2.\n"
                      "\n"
                      "## best.test.mse\n"
                      "\n"
                      "| arch / depth |                        10 |          24 |\n"
                      "| :----------- | ------------------------: | ----------: |\n"
                      "| glonet       |           0.0220 ± 0.0014 |     0.02000 |\n"
                      "| resnet       | 0.01800 (n = 1, 1 failed) | nan (n = 1) |\n");
    study_assert_file(&study, "made.csv",
                      "arch,depth,value,n,failed,diverged,mean,deviation,low,high\n"
                      "glonet,10,best.test.mse,2,0,0,0.022,0.00141421356,0.021,0.023\n"
                      "glonet,24,best.test.mse,2,0,0,0.02,0,0.02,0.02\n"
                      "resnet,10,best.test.mse,1,1,0,0.018,,0.018,0.018\n"
                      "resnet,24,best.test.mse,1,0,0,nan,,nan,nan\n");
    g_strfreev(report.values);
}

/* Figures of a paper: one row below, in the axis' own spelling or another. */
static void
test_beside(void)
{
    g_auto(Study) study = study_make(sweep);
    AditStudyReport report = table_of("best.test.mse");
    g_autofree char *beside = g_build_filename(study.path, "paper.csv", NULL);

    study_write(&study, "paper.csv",
                "arch,depth,best.test.mse\nglonet,10.0,0.020\nglonet,24,-\nother,10,1\n");
    report.beside = beside;
    study_report(&study, &report);
    study_assert_file(&study, "made.md",
                      "# best.test.mse\n"
                      "\n"
                      "Mean ± standard deviation over seed, n = 2.\n"
                      "\n"
                      "*published*: the figures of paper.csv.\n"
                      "\n"
                      "## best.test.mse\n"
                      "\n"
                      "| arch / depth |                        10 |          24 |\n"
                      "| :----------- | ------------------------: | ----------: |\n"
                      "| glonet       |           0.0220 ± 0.0014 |     0.02000 |\n"
                      "| *published*  |                     0.020 |           - |\n"
                      "| resnet       | 0.01800 (n = 1, 1 failed) | nan (n = 1) |\n");
    g_strfreev(report.values);
}

/* Without columns the values stand side by side. */
static void
test_flat(void)
{
    g_auto(Study) study = study_make("threshold,seed,status,run,accuracy,cost\n"
                                     "0.5,1,done,runs/a,0.9,100\n"
                                     "0.5,2,done,runs/b,0.92,110\n"
                                     "1,1,done,runs/a,0.8,50\n"
                                     "1,2,failed,runs/b,,\n"
                                     "2,1,failed,runs/a,,\n"
                                     "4,1,stopped,runs/a,0.1,7\n");
    g_autofree char *beside = g_build_filename(study.path, "paper.csv", NULL);
    AditStudyReport report = {.kind = ADIT_STUDY_TABLE,
                              .rows = TEXT("threshold"),
                              .values = LIST("accuracy", "cost"),
                              .beside = beside};

    study_write(&study, "paper.csv", "threshold,accuracy\n5e-1,0.95\n2,0.6\n");
    study_report(&study, &report);
    study_assert_file(
        &study, "made.md",
        "# accuracy, cost\n"
        "\n"
        "Mean ± standard deviation over seed, n = 2.\n"
        "\n"
        "*published*: the figures of paper.csv.\n"
        "\n"
        "| threshold |                 accuracy | *published* |                 cost |\n"
        "| :-------- | -----------------------: | ----------: | -------------------: |\n"
        "| 0.5       |            0.910 ± 0.014 |        0.95 |          105.0 ± 7.1 |\n"
        "| 1         | 0.8000 (n = 1, 1 failed) |           - | 50 (n = 1, 1 failed) |\n"
        "| 2         |                   failed |         0.6 |               failed |\n"
        "| 4         |                        - |           - |                    - |\n");
}

/* Pages are headings, and what is in names is shown as it is. */
static void
test_pages(void)
{
    g_auto(Study) study = study_make("layout,\"a|b\",status,run,x\n"
                                     "image,\"[relu, \"\"q\"\"]\",done,runs/a,3\n"
                                     "plain,\"[relu, \"\"q\"\"]\",done,runs/b,4\n"
                                     "plain,<b>,done,runs/c,5\n");
    AditStudyReport report = {.kind = ADIT_STUDY_TABLE,
                              .rows = TEXT("a|b"),
                              .pages = LIST("layout"),
                              .over = NONE,
                              .values = LIST("x")};

    study_report(&study, &report);
    study_assert_file(&study, "made.md",
                      "# x\n"
                      "\n"
                      "## layout image\n"
                      "\n"
                      "| a\\|b          |   x |\n"
                      "| :------------ | --: |\n"
                      "| \\[relu, \"q\"\\] |   3 |\n"
                      "| &lt;b>        |   - |\n"
                      "\n"
                      "## layout plain\n"
                      "\n"
                      "| a\\|b          |   x |\n"
                      "| :------------ | --: |\n"
                      "| \\[relu, \"q\"\\] |   4 |\n"
                      "| &lt;b>        |   5 |\n");
    study_assert_file(&study, "made.csv",
                      "layout,a|b,value,n,failed,diverged,mean,deviation,low,high\n"
                      "image,\"[relu, \"\"q\"\"]\",x,1,0,0,3,,3,3\n"
                      "image,<b>,x,0,0,0,,,,\n"
                      "plain,\"[relu, \"\"q\"\"]\",x,1,0,0,4,,4,4\n"
                      "plain,<b>,x,1,0,0,5,,5,5\n");
}

static void
test_empty(void)
{
    g_auto(Study) study = study_make("arch,depth,seed,status,run,best.test.mse\n");
    AditStudyReport report = table_of("best.test.mse");

    study_report(&study, &report);
    study_assert_file(&study, "made.csv",
                      "arch,depth,value,n,failed,diverged,mean,deviation,low,high\n");
    g_strfreev(report.values);
}

/* ---- what is wrong ---- */

static void
assert_sweep_error(const char *text, int code, const char *expected)
{
    g_auto(Study) study = study_make(text);
    AditStudyReport report = table_of("x");

    study_assert_error(&study, &report, code, expected);
    g_strfreev(report.values);
}

static void
test_damaged(void)
{
    assert_sweep_error("", ADIT_ERROR_DAMAGED, "%s/sweep.csv: empty, expected a header line");
    assert_sweep_error("arch,depth,seed,status,run,x\na,1,1,done,r\n", ADIT_ERROR_DAMAGED,
                       "%s/sweep.csv:2: 5 fields, expected 6");
    assert_sweep_error("arch,depth,seed,status,run,x\na,1,1,\"done,r,1\n", ADIT_ERROR_DAMAGED,
                       "%s/sweep.csv:2: a quote is never closed");
    assert_sweep_error("arch,depth,seed,status,run,x\n\na,1,1,DONE,r,1\n", ADIT_ERROR_DAMAGED,
                       "%s/sweep.csv:3: column 'status': got 'DONE', expected done, failed, "
                       "stopped, pending or diverged");
    assert_sweep_error("arch,depth,seed,status,run,x\na,1,1,done,r,0x10\n", ADIT_ERROR_DAMAGED,
                       "report 'made': %s/sweep.csv:2: column 'x': '0x10' is not a number");
    assert_sweep_error("arch,depth,arch,status,run,x\n", ADIT_ERROR_DAMAGED,
                       "%s/sweep.csv:1: column 'arch' stands twice in the header");
    assert_sweep_error("arch,depth,seed,run,x\n", ADIT_ERROR_INVALID,
                       "%s/sweep.csv:1: no column 'status'; columns: arch, depth, seed, run, x");
}

static void
test_missing(void)
{
    g_auto(Study) study = study_make("");
    AditStudyReport report = table_of("x");
    g_autofree char *path = g_build_filename(study.path, "sweep.csv", NULL);

    g_assert_cmpint(g_remove(path), ==, 0);
    study_assert_error(&study, &report, ADIT_ERROR_NOT_FOUND, "no file '%s/sweep.csv'");
    g_strfreev(report.values);
}

static void
test_unknown_axis(void)
{
    g_auto(Study) study = study_make(sweep);
    AditStudyReport report = table_of("best.test.mse");

    report.columns = TEXT("dept");
    study_assert_error(&study, &report, ADIT_ERROR_INVALID,
                       "report 'made': %s/sweep.csv:1: no column 'dept'; did you mean 'depth'?");
    report.columns = TEXT("depth");
    report.pages = LIST("bn");
    study_assert_error(&study, &report, ADIT_ERROR_INVALID,
                       "report 'made': %s/sweep.csv:1: no column 'bn'; columns: arch, depth, seed, "
                       "status, run, epochs, seconds-per-epoch, best.test.mse");
    g_strfreev(report.values);
}

/* A mean over two architectures would say nothing. */
static void
test_mixed(void)
{
    g_auto(Study) study = study_make(sweep);
    AditStudyReport report = table_of("best.test.mse");

    report.columns = NULL;
    study_assert_error(&study, &report, ADIT_ERROR_INVALID,
                       "report 'made': %s/sweep.csv:4: 'depth' is '10' and '24' in points that "
                       "would be shown as one; name 'depth' among what is told apart or in 'over'");
    report.over = LIST("seed", "depth");
    study_report(&study, &report);
    g_strfreev(report.values);
}

static void
assert_beside_error(const char *text, int code, const char *expected)
{
    g_auto(Study) study = study_make(sweep);
    AditStudyReport report = table_of("best.test.mse");
    g_autofree char *beside = g_build_filename(study.path, "paper.csv", NULL);

    if (text != NULL)
        study_write(&study, "paper.csv", text);
    report.beside = beside;
    study_assert_error(&study, &report, code, expected);
    g_strfreev(report.values);
}

static void
test_beside_errors(void)
{
    assert_beside_error(NULL, ADIT_ERROR_NOT_FOUND, "report 'made': no file '%s/paper.csv'");
    assert_beside_error("arch,dpth,best.test.mse\n", ADIT_ERROR_INVALID,
                        "report 'made': %s/paper.csv:1: no axis or value 'dpth' in the study; did "
                        "you mean 'depth'?");
    assert_beside_error("arch,depth,seed,best.test.mse\n", ADIT_ERROR_INVALID,
                        "report 'made': %s/paper.csv:1: figures for each 'seed', but the report "
                        "does not tell 'seed' apart");
    assert_beside_error("arch,depth,best.test.mse\nglonet,10,\"0,02\"\n", ADIT_ERROR_DAMAGED,
                        "report 'made': %s/paper.csv:2: column 'best.test.mse': '0,02' is not a "
                        "number");
}

/* ---- the index ---- */

/* What fails does not hold up the rest. */
static void
test_index(void)
{
    g_auto(Study) study = study_make(sweep);
    AditStudyReport bad = table_of("worst.test.mse"), good = table_of("best.test.mse");
    g_autoptr(GPtrArray) reports = g_ptr_array_new();
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) parts = NULL;
    g_autofree char *expected = NULL;

    study_write(&study, "study.json",
                "{\"title\": \"Tables 1 & 2\", \"study\": \"table2.yaml\", \"command-line\": "
                "[\"adit\", \"sweep\", \"my studies/table2.yaml\", \"depth=10,24\"]}\n");
    bad.name = TEXT("table-worst");
    good.name = TEXT("table-best");
    bad.pages = good.pages = NONE;
    bad.over = good.over = LIST("seed");
    g_ptr_array_add(reports, &bad);
    g_ptr_array_add(reports, &good);
    g_assert_false(adit_report_write(study.path, reports, &error));
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_INVALID);
    parts = g_strsplit("# Tables 1 & 2\n"
                       "\n"
                       "    adit sweep 'my studies/table2.yaml' depth=10,24\n"
                       "\n"
                       "8 points: 6 done, 1 failed, 1 pending.\n"
                       "\n"
                       "## table-worst\n"
                       "\n"
                       "Not made: report 'table-worst': %s/sweep.csv:1: no column "
                       "'worst.test.mse'; did you mean 'best.test.mse'?\n"
                       "\n"
                       "## table-best\n"
                       "\n"
                       "Files: [table](table-best.md) [CSV](table-best.csv)\n"
                       "\n"
                       "## Failed\n"
                       "\n"
                       "- arch resnet, depth 10, seed 2: runs/f\n",
                       "%s", -1);
    expected = g_strjoinv(study.path, parts);
    study_assert_file(&study, "index.md", expected);
    g_strfreev(bad.values);
    g_strfreev(good.values);
}

/* A point that diverged has come to its result; why points have none stands in the index. */
static void
test_diverged(void)
{
    g_auto(Study) study =
        study_make("rate,seed,status,run,reason,x\n"
                   "0.1,1,done,runs/a,,3\n0.1,2,diverged,runs/b,\"not finite, at step 7\",\n"
                   "1,1,diverged,runs/c,at step 1,\n1,2,diverged,runs/d,at step 2,\n"
                   "9,1,failed,runs/e,killed by signal 9,\n9,2,failed,runs/f,,\n");
    AditStudyReport report = {.kind = ADIT_STUDY_TABLE, .rows = TEXT("rate"), .values = LIST("x")};
    g_autofree char *text = NULL;

    study_report(&study, &report);
    study_assert_file(&study, "made.md",
                      "# x\n"
                      "\n"
                      "| rate |        x |\n"
                      "| :--- | -------: |\n"
                      "| 0.1  |        3 |\n"
                      "| 1    | diverged |\n"
                      "| 9    |   failed |\n");
    text = study_read(&study, "index.md");
    g_assert_nonnull(strstr(text, "6 points: 1 done, 2 failed, 3 diverged.\n"));
    g_assert_nonnull(strstr(text, "\n## Failed\n\n"
                                  "- rate 9, seed 1: runs/e: killed by signal 9\n"
                                  "- rate 9, seed 2: runs/f\n"
                                  "\n## Diverged\n\n"
                                  "- rate 0.1, seed 2: runs/b: not finite, at step 7\n"));
}

/* What an earlier report made does not stay beside this one; other files do. */
static void
test_stale(void)
{
    static const char *const made[] = {"index.md", "table-old.md", "heat-map-best.x.svg"};
    g_auto(Study) study = study_make("arch,status,run,x\na,done,runs/a,1\n");
    AditStudyReport report = {.kind = ADIT_STUDY_TABLE, .rows = TEXT("arch"), .values = LIST("y")};
    g_autoptr(GPtrArray) none = g_ptr_array_new();
    g_autoptr(GError) error = NULL;

    for (guint i = 0; i < G_N_ELEMENTS(made); i++) {
        g_autofree char *name = g_build_filename("report", made[i], NULL);

        study_write(&study, name, "old");
    }
    study_write(&study, "report/notes.md", "mine");
    g_assert_false(study_try(&study, &report, &error));
    for (guint i = 1; i < G_N_ELEMENTS(made); i++)
        study_assert_file(&study, made[i], NULL);
    g_autofree char *index = study_read(&study, "index.md");

    g_assert_true(g_str_has_prefix(index, "# adit-study-"));
    study_assert_file(&study, "notes.md", "mine");
    g_clear_error(&error);
    g_assert_true(adit_report_write(study.path, none, &error));
    study_assert_file(&study, "index.md", NULL);
}

/* A study.json without the command, and none at all. */
static void
test_origin(void)
{
    g_auto(Study) study = study_make("arch,status,run,x\n");
    AditStudyReport report = {.kind = ADIT_STUDY_TABLE, .rows = TEXT("arch"), .values = LIST("x")};
    g_autofree char *name = g_path_get_basename(study.path);
    g_autofree char *text = NULL;
    g_autofree char *start = g_strdup_printf("# %s\n\n0 points: none.\n", name);

    study_report(&study, &report);
    text = study_read(&study, "index.md");
    g_assert_true(g_str_has_prefix(text, start));
    study_write(&study, "study.json",
                "{\"study\": \"a/b.yaml\", \"title\": \"b\", \"command-line\": {}}");
    study_report(&study, &report);
    g_free(text);
    text = study_read(&study, "index.md");
    g_assert_true(g_str_has_prefix(text, "# b\n\nThe study a/b.yaml.\n\n0 points: none.\n"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/report/table/exact", test_table);
    g_test_add_func("/report/table/beside", test_beside);
    g_test_add_func("/report/table/flat", test_flat);
    g_test_add_func("/report/table/pages", test_pages);
    g_test_add_func("/report/table/empty", test_empty);
    g_test_add_func("/report/wrong/damaged", test_damaged);
    g_test_add_func("/report/wrong/missing", test_missing);
    g_test_add_func("/report/wrong/unknown-axis", test_unknown_axis);
    g_test_add_func("/report/wrong/mixed", test_mixed);
    g_test_add_func("/report/wrong/beside", test_beside_errors);
    g_test_add_func("/report/index/all", test_index);
    g_test_add_func("/report/index/origin", test_origin);
    g_test_add_func("/report/index/diverged", test_diverged);
    g_test_add_func("/report/index/stale", test_stale);
    return g_test_run();
}
