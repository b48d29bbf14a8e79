/* tests/core/report/test-pages.c - SPDX-License-Identifier: MIT */
#include "study.h"

#include "adit-comparison.h"

/* The pages of a run, a study and a comparison: what stands in them, and what they are made of. */

#define RECORD(status, more)                                                                       \
    "{\"v\": 1, \"status\": \"" status "\", \"name\": \"net\", \"seed\": 7, \"parameters\": 4321," \
    " \"started\": \"2026-11-21T05:04:10.123Z\", \"stopped\": \"2026-11-21T05:05:15.123Z\","       \
    " \"device\": {\"name\": \"cpu\", \"threads\": 2},"                                            \
    " \"data\": [{\"name\": \"moons\", \"fingerprint\": \"sha256:abc\", \"train\": 75}]" more "}"

static const char *const config = "adit: 1\n"
                                  "title: a <net> of \"one\" & 'two'\n"
                                  "seed: 7\n"
                                  "data: {moons: {split-seed: 3}}\n";
static const char *const metrics =
    "step,epoch,train.loss,test.loss,test.accuracy,learning-rate,seconds\n"
    "10,1,0.9,0.8,0.5,0.1,1\n20,2,0.5,0.4,0.75,0.1,2\n30,3,0.3,0.6,0.7,0.1,3\n";
static const char *const lines =
    "{\"v\":1,\"t\":1,\"run\":\"x\",\"step\":10,\"epoch\":1,\"split\":\"train\","
    "\"values\":{\"loss\":0.9}}\n"
    "{\"v\":1,\"t\":1,\"run\":\"x\",\"step\":10,\"epoch\":1,\"split\":\"test\","
    "\"values\":{\"loss\":0.8}}\n"
    "{\"v\":1,\"t\":2,\"run\":\"x\",\"step\":20,\"epoch\":2,\"split\":\"train\","
    "\"values\":{\"loss\":0.5}}\n";

static Study
make_folder(void)
{
    Study self = {.path = g_dir_make_tmp("adit-pages-XXXXXX", NULL)};

    g_assert_nonnull(self.path);
    return self;
}

static void
write_in(const Study *self, const char *folder, const char *name, const char *text)
{
    g_autofree char *path = g_strdup_printf("%s/%s", folder, name);

    study_write(self, path, text);
}

/* @record, @table: (nullable): NULL: an ordinary one */
static void
make_run(const Study *self, const char *folder, const char *record, const char *table)
{
    write_in(self, folder, "run.json", record != NULL ? record : RECORD("COMPLETED", ""));
    write_in(self, folder, "config.resolved.yaml", config);
    write_in(self, folder, "metrics.jsonl", lines);
    write_in(self, folder, "metrics.csv", table != NULL ? table : metrics);
}

/* (transfer full) (nullable) */
static char *
read_in(const Study *self, const char *path)
{
    g_autofree char *whole = g_build_filename(self->path, path, NULL);
    char *text = NULL;

    return g_file_get_contents(whole, &text, NULL, NULL) ? text : NULL;
}

static gboolean
is_there(const Study *self, const char *path)
{
    g_autofree char *whole = g_build_filename(self->path, path, NULL);

    return g_file_test(whole, G_FILE_TEST_EXISTS);
}

/* (transfer full): the page of @folder, newly written */
static char *
write_page(const Study *self, const char *folder, gboolean png)
{
    g_autofree char *path = g_build_filename(self->path, folder, NULL);
    g_autofree char *page = g_build_filename(folder, "report.html", NULL);
    g_autoptr(GError) error = NULL;
    char *text;

    adit_report_write_page(path, png, &error);
    g_assert_no_error(error);
    text = read_in(self, page);
    g_assert_nonnull(text);
    return text;
}

static void
assert_has(const char *text, const char *needle)
{
    if (strstr(text, needle) == NULL)
        g_error("missing: %s", needle);
}

static void
assert_lacks(const char *text, const char *needle)
{
    if (strstr(text, needle) != NULL)
        g_error("not expected: %s", needle);
}

static void
assert_file(const Study *self, const char *path, const char *expected)
{
    g_autofree char *text = read_in(self, path);

    g_assert_cmpstr(text, ==, expected);
}

/* The page must not come to be; "%s" in @expected is the folder. */
static void
assert_refused(const Study *self, const char *folder, int code, const char *expected)
{
    g_autofree char *path = g_build_filename(self->path, folder, NULL);
    g_autofree char *page = g_build_filename(folder, "report.html", NULL);
    g_auto(GStrv) parts = g_strsplit(expected, "%s", -1);
    g_autofree char *message = g_strjoinv(path, parts);
    g_autoptr(GError) error = NULL;

    g_assert_false(adit_report_write_page(path, FALSE, &error));
    g_assert_cmpstr(error->message, ==, message);
    g_assert_error(error, ADIT_ERROR, code);
    g_assert_false(is_there(self, page));
}

static gboolean
can_draw(void)
{
    g_autofree char *gnuplot = g_find_program_in_path("gnuplot");

    return gnuplot != NULL;
}

/* ---- a run ---- */

static void
test_run(void)
{
    static const char *const parts[] = {
        "<h1>a &lt;net&gt; of &quot;one&quot; &amp; &#39;two&#39;</h1>",
        "completed",
        "2026-11-21 05:04:10 UTC",
        "<td>test.loss</td><td class=\"n\">0.4000</td><td class=\"n\">2</td><td class=\"n\">0.6000</td>",
        "<td>test.accuracy</td><td class=\"n\">0.7500</td><td class=\"n\">2</td>",
        "<h2>Learning curves</h2>",
        "<h2>Configuration</h2>",
        "<dt>parameters</dt><dd>4321</dd>",
        "<dt>data.moons.split-seed</dt><dd>3</dd>",
        "<dt>from start to stop</dt><dd>1:05 min</dd>",
        "<dt>training, an epoch</dt><dd>1 s</dd>",
        "<dt>threads</dt><dd>2</dd>",
        "<dt>fingerprint</dt><dd>sha256:abc</dd>",
        "title: a &lt;net&gt; of &quot;one&quot;",
        "href=\"./metrics.csv\"",
    };
    g_auto(Study) study = make_folder();
    g_autofree char *page = NULL;

    make_run(&study, "x", NULL, NULL);
    page = write_page(&study, "x", FALSE);
    for (guint i = 0; i < G_N_ELEMENTS(parts); i++)
        assert_has(page, parts[i]);
    assert_lacks(page, "class=\"warnings\"");
    assert_file(
        &study, "x/report/curves-loss.csv",
        "value,epoch,mean,low,high,n\n"
        "train.loss,1,0.9,0.9,0.9,1\ntrain.loss,2,0.5,0.5,0.5,1\n"
        "train.loss,3,0.3,0.3,0.3,1\n\n\n"
        "test.loss,1,0.8,0.8,0.8,1\ntest.loss,2,0.4,0.4,0.4,1\ntest.loss,3,0.6,0.6,0.6,1\n");
    g_assert_true(is_there(&study, "x/report/curves-accuracy.csv"));
    g_assert_false(is_there(&study, "x/report/curves-seconds.csv"));
    g_assert_false(is_there(&study, "x/report/curves-loss.png"));
    if (!can_draw()) {
        g_test_skip("no gnuplot");
        return;
    }
    /* loss, accuracy, learning rate */
    assert_has(page, "id=\"p3-gnuplot_canvas\"");
    assert_lacks(page, "id=\"p4-gnuplot_canvas\"");
}

static void
test_png(void)
{
    g_auto(Study) study = make_folder();
    g_autofree char *page = NULL;

    if (!can_draw()) {
        g_test_skip("no gnuplot");
        return;
    }
    make_run(&study, "x", NULL, NULL);
    page = write_page(&study, "x", TRUE);
    assert_has(page, "./report/curves-loss.png");
    g_assert_true(is_there(&study, "x/report/curves-loss.png"));
}

/* What an earlier report made goes, what others put there stays. */
static void
test_stale(void)
{
    g_auto(Study) study = make_folder();
    g_autofree char *page = NULL;

    make_run(&study, "x", NULL, NULL);
    write_in(&study, "x/report", "bars-old.csv", "");
    write_in(&study, "x/report", "mine.csv", "");
    page = write_page(&study, "x", FALSE);
    g_assert_false(is_there(&study, "x/report/bars-old.csv"));
    g_assert_true(is_there(&study, "x/report/mine.csv"));
}

/* Several stages count their own epochs: curves go along the steps. */
static void
test_stages(void)
{
    g_auto(Study) study = make_folder();
    g_autofree char *page = NULL;

    make_run(&study, "x", NULL,
             "stage,step,epoch,train.loss,seconds\n1,10,1,0.9,1\n1,20,2,0.8,2\n2,30,1,0.7,3\n");
    page = write_page(&study, "x", FALSE);
    assert_has(page, "at step");
    assert_file(&study, "x/report/curves-loss.csv",
                "value,step,mean,low,high,n\ntrain.loss,10,0.9,0.9,0.9,1\n"
                "train.loss,20,0.8,0.8,0.8,1\ntrain.loss,30,0.7,0.7,0.7,1\n");
}

/* ---- its warnings ---- */

static void
assert_warned(const char *record, const char *warning)
{
    g_auto(Study) study = make_folder();
    g_autofree char *page = NULL;

    make_run(&study, "x", record, NULL);
    page = write_page(&study, "x", FALSE);
    assert_has(page, "class=\"warnings\"");
    assert_has(page, warning);
}

static void
test_warnings(void)
{
    assert_warned(RECORD("FAILED", ", \"exit-code\": 9, \"reason\": \"block 3 <nan>\""),
                  "<li>It diverged: block 3 &lt;nan&gt;.</li>");
    assert_warned(RECORD("FAILED", ", \"exit-code\": 5, \"reason\": \"disk full\""),
                  "<li>It failed with exit code 5: disk full.</li>");
    assert_warned(RECORD("STOPPED", ", \"exit-code\": 75"), "It was stopped before its end");
    assert_warned(RECORD("QUEUED", ""), "not at its end yet");
    assert_warned(RECORD("COMPLETED", ", \"resumed\": [\"2026-11-21T05:04:30Z\"]"),
                  "<li>It was resumed 1 time: 2026-11-21T05:04:30Z.</li>");
    assert_warned(RECORD("COMPLETED", ", \"limit-batches\": 3"), "cut to 3 steps");
    assert_warned(RECORD("COMPLETED", ", \"together\": 4"), "4 runs in all");
    assert_warned(RECORD("COMPLETED", ", \"config\": \"sha256:0\""), "it was edited since");
}

/* A table that is torn or no table: the lines beside it still have the figures. */
static void
test_damaged_metrics(void)
{
    static const char *const tables[] = {"step,epoch,test.loss\n10,1,0.5\n20,2\n",
                                         "step,epoch,test.loss\n10,1,zero\n", "\"torn"};

    for (guint i = 0; i < G_N_ELEMENTS(tables); i++) {
        g_auto(Study) study = make_folder();
        g_autofree char *page = NULL;

        make_run(&study, "x", NULL, tables[i]);
        page = write_page(&study, "x", FALSE);
        assert_has(page, "The figures are those of metrics.jsonl: ");
        assert_file(&study, "x/report/curves-loss.csv",
                    "value,epoch,mean,low,high,n\ntrain.loss,1,0.9,0.9,0.9,1\n"
                    "train.loss,2,0.5,0.5,0.5,1\n\n\ntest.loss,1,0.8,0.8,0.8,1\n");
    }
}

static void
test_damaged_lines(void)
{
    g_auto(Study) study = make_folder();
    g_autoptr(GString) text = g_string_new(lines);
    g_autofree char *page = NULL;

    for (guint i = 0; i < 7; i++)
        g_string_append(text, "{\"v\":1,<torn>\n");
    make_run(&study, "x", NULL, NULL);
    write_in(&study, "x", "metrics.jsonl", text->str);
    page = write_page(&study, "x", FALSE);
    assert_has(page, "A damaged line was passed over: ");
    assert_has(page, "metrics.jsonl:4: ");
    assert_has(page, "metrics.jsonl:8: ");
    assert_lacks(page, "metrics.jsonl:9: ");
    assert_has(page, "<li>2 more damaged lines were passed over.</li>");
    assert_lacks(page, "<torn>");
}

static void
test_no_metrics(void)
{
    g_auto(Study) study = make_folder();
    g_autofree char *page = NULL;

    write_in(&study, "x", "run.json",
             RECORD("FAILED", ", \"exit-code\": 8, \"reason\": \"memory\""));
    page = write_page(&study, "x", FALSE);
    assert_has(page, "There are no metrics: not one epoch came to its end.");
    assert_has(page, "Its pipeline is not there: ");
    assert_has(page, "<p>There are no metrics.</p>");
    assert_has(page, "<dt>fingerprint</dt>");
}

static void
test_wrong(void)
{
    g_auto(Study) study = make_folder();

    write_in(&study, "empty", "x", "");
    write_in(&study, "torn", "run.json", "{\"v\": 1, \"sta");
    write_in(&study, "odd", "run.json", "{\"v\": 1, \"status\": \"BUSY\"}");
    assert_refused(&study, "empty", ADIT_ERROR_NOT_FOUND,
                   "%s: expected the folder of a run or a study, got one without run.json and "
                   "sweep.csv");
    assert_refused(&study, "empty/x", ADIT_ERROR_NOT_FOUND,
                   "%s: expected the folder of a run or a study, got a file");
    assert_refused(&study, "nothing", ADIT_ERROR_NOT_FOUND,
                   "%s: expected the folder of a run or a study, got nothing that exists");
    assert_refused(&study, "odd", ADIT_ERROR_DAMAGED,
                   "%s/run.json: expected a status from QUEUED to STOPPED, got BUSY");
    g_autofree char *torn = g_build_filename(study.path, "torn", NULL);
    g_autoptr(GError) error = NULL;

    g_assert_false(adit_report_write_page(torn, FALSE, &error));
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED);
    g_assert_nonnull(strstr(error->message, "torn/run.json"));
}

/* A page is whole or not there, and the last one stays until the next is. */
static void
test_unwritable(void)
{
    g_auto(Study) study = make_folder();
    g_autofree char *folder = g_build_filename(study.path, "x", NULL);
    g_autoptr(GError) error = NULL;

    make_run(&study, "x", NULL, NULL);
    write_in(&study, "x", "report.html", "old");
    write_in(&study, "x", "report", "a file where the folder should be");
    g_assert_false(adit_report_write_page(folder, FALSE, &error));
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_OUTPUT);
    assert_file(&study, "x/report.html", "old");
}

typedef char *SavedPath;

static void
saved_path_clear(SavedPath *self)
{
    g_setenv("PATH", *self, TRUE);
    g_free(*self);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SavedPath, saved_path_clear)

static void
test_no_gnuplot(void)
{
    g_auto(Study) study = make_folder();
    g_auto(SavedPath) path = g_strdup(g_getenv("PATH"));
    g_autofree char *page = NULL;

    g_assert_nonnull(path);
    make_run(&study, "x", NULL, NULL);
    g_setenv("PATH", study.path, TRUE);
    g_test_expect_message("adit-report", G_LOG_LEVEL_MESSAGE,
                          "no gnuplot: the pictures are left out");
    page = write_page(&study, "x", FALSE);
    g_test_assert_expected_messages();
    assert_has(page, "<li>There was no gnuplot: ");
    assert_has(page, "./report/curves-loss.csv");
    assert_lacks(page, "<svg");
    assert_lacks(page, "curves-loss.svg");
}

/* ---- its probes ---- */

#define HEAD "data,split,when,address,block,"

static char *
write_probe(const Study *study, const char *table)
{
    make_run(study, "x", NULL, NULL);
    write_in(study, "x/probes", "p.csv", table);
    return write_page(study, "x", FALSE);
}

/* Over blocks, with a band, and, measured twice, a map of blocks and times. */
static void
test_blocks(void)
{
    g_auto(Study) study = make_folder();
    g_autofree char *page =
        write_probe(&study, HEAD "l1,l1-std\nm,test,1,trunk.1,1,5,1\nm,test,1,trunk.2,2,6,1\n"
                                 "m,test,end,trunk.1,1,3,0.5\nm,test,end,trunk.2,2,4,0.25\n");

    assert_has(page, "<h2>Probe p</h2>");
    assert_has(page, "href=\"./probes/p.csv\"");
    assert_has(page, "<td class=\"n\">0.25</td>");
    assert_file(&study, "x/report/curves-p-l1.csv",
                "value,block,mean,low,high,n\nl1,1,3,2.5,3.5,1\nl1,2,4,3.75,4.25,1\n");
    assert_file(&study, "x/report/heat-map-p-l1.csv",
                "value,block,when,x,y,mean,n,failed\n"
                "l1,1,1,1,1,5,1,0\nl1,2,1,2,1,6,1,0\nl1,1,end,1,2,3,1,0\nl1,2,end,2,2,4,1,0\n");
    g_assert_false(is_there(&study, "x/report/curves-p-l1-std.csv"));
}

/* Names within addresses are paths, a line each; splits of one thing share a picture. */
static void
test_paths(void)
{
    g_auto(Study) study = make_folder();
    g_autofree char *page = write_probe(
        &study, HEAD "train-accuracy,test-accuracy\n"
                     "m,test,end,stem,,0.5,0.4\n"
                     "m,test,end,trunk.1.a.1,1,0.6,0.5\nm,test,end,trunk.1.b:pre,1,0.7,0.6\n"
                     "m,test,end,trunk.2.a.1,2,0.8,0.7\nm,test,end,trunk.2.b:pre,2,0.9,0.8\n");

    g_clear_pointer(&page, g_free);
    assert_file(&study, "x/report/bars-p-accuracy.csv",
                "line,value,address,position,mean,low,high,n\n"
                "outside paths,train-accuracy,stem,1,0.5,0.5,0.5,1\n\n\n"
                "outside paths,test-accuracy,stem,1,0.4,0.4,0.4,1\n\n\n"
                "a,train-accuracy,trunk.1.a.1,2,0.6,0.6,0.6,1\n"
                "a,train-accuracy,trunk.2.a.1,4,0.8,0.8,0.8,1\n\n\n"
                "a,test-accuracy,trunk.1.a.1,2,0.5,0.5,0.5,1\n"
                "a,test-accuracy,trunk.2.a.1,4,0.7,0.7,0.7,1\n\n\n"
                "b,train-accuracy,trunk.1.b:pre,3,0.7,0.7,0.7,1\n"
                "b,train-accuracy,trunk.2.b:pre,5,0.9,0.9,0.9,1\n\n\n"
                "b,test-accuracy,trunk.1.b:pre,3,0.6,0.6,0.6,1\n"
                "b,test-accuracy,trunk.2.b:pre,5,0.8,0.8,0.8,1\n");
    g_assert_false(is_there(&study, "x/report/curves-p-accuracy.csv"));
}

/* Every two once: the map has both ways round; a hole stays one. */
static void
test_pairs(void)
{
    g_auto(Study) study = make_folder();
    g_autofree char *page = write_probe(
        &study, HEAD "against,cka,note\n"
                     "m,test,end,trunk.1,1,trunk.1,1,\nm,test,end,trunk.1,1,trunk.2,0.5,\n"
                     "m,test,end,trunk.2,2,trunk.2,nan,a <constant>\n");

    assert_has(page, "a &lt;constant&gt;");
    assert_file(&study, "x/report/heat-map-p-cka.csv",
                "value,address,against,x,y,mean,n,failed\n"
                "cka,trunk.1,trunk.1,1,1,1,1,0\ncka,trunk.2,trunk.1,2,1,0.5,1,0\n"
                "cka,trunk.1,trunk.2,1,2,0.5,1,0\ncka,trunk.2,trunk.2,2,2,nan,1,0\n");
}

/* Two lists of addresses are no halves of one. */
static void
test_oblong(void)
{
    g_auto(Study) study = make_folder();
    g_autofree char *page =
        write_probe(&study, HEAD "against,cka\nm,test,end,a.1,1,b.1,1\nm,test,end,a.1,1,b.2,0.5\n"
                                 "m,test,end,a.2,2,b.1,0.25\nm,test,end,a.2,2,b.2,0.75\n");

    g_clear_pointer(&page, g_free);
    assert_file(&study, "x/report/heat-map-p-cka.csv",
                "value,address,against,x,y,mean,n,failed\n"
                "cka,a.1,b.1,1,1,1,1,0\ncka,a.2,b.1,2,1,0.25,1,0\n"
                "cka,a.1,b.2,1,2,0.5,1,0\ncka,a.2,b.2,2,2,0.75,1,0\n");
}

/* Texts of a column tell lines apart; of one address the measurements are a curve. */
static void
test_texts_and_times(void)
{
    g_auto(Study) study = make_folder();
    g_auto(Study) other = make_folder();
    g_autofree char *page =
        write_probe(&study, HEAD "rule,value\nm,test,end,trunk.1,1,x,1\nm,test,end,trunk.1,1,y,2\n"
                                 "m,test,end,trunk.2,2,x,3\nm,test,end,trunk.2,2,y,4\n");
    g_autofree char *second = write_probe(
        &other, HEAD "depth\nm,test,1,trunk,,3\nm,test,2,trunk,,4\nm,test,end,trunk,,5\n");

    assert_has(page, "<h2>Probe p</h2>");
    assert_has(second, "<h2>Probe p</h2>");
    assert_file(&study, "x/report/curves-p-value.csv",
                "line,value,block,mean,low,high,n\nx,value,1,1,1,1,1\nx,value,2,3,3,3,1\n\n\n"
                "y,value,1,2,2,2,1\ny,value,2,4,4,4,1\n");
    assert_file(&other, "x/report/curves-p-depth.csv",
                "value,when,position,mean,low,high,n\ndepth,1,1,3,3,3,1\ndepth,2,2,4,4,4,1\n"
                "depth,end,3,5,5,5,1\n");
}

/* Rows that their first number tells apart go up beside the addresses. */
static void
test_spectrum(void)
{
    g_auto(Study) study = make_folder();
    g_autofree char *page = write_probe(
        &study, HEAD "number,share\nm,test,end,trunk.1,1,1,0.5\nm,test,end,trunk.1,1,2,0.9\n"
                     "m,test,end,trunk.2,2,1,0.7\n");

    g_clear_pointer(&page, g_free);
    assert_file(&study, "x/report/heat-map-p-share.csv",
                "value,block,number,x,y,mean,n,failed\nshare,1,1,1,1,0.5,1,0\n"
                "share,2,1,2,1,0.7,1,0\nshare,1,2,1,2,0.9,1,0\nshare,2,2,2,2,,0,0\n");
    g_assert_false(is_there(&study, "x/report/heat-map-p-number.csv"));
}

/* Two numbers that tell rows apart: a map of them for each of a few addresses, the first and last
 * among them. */
static void
test_confusion(void)
{
    g_auto(Study) study = make_folder();
    g_autoptr(GString) table = g_string_new(HEAD "class,predicted,samples\n");
    g_autofree char *page = NULL;
    g_autofree char *data = NULL;

    for (guint i = 0; i < 80; i++)
        g_string_append_printf(table, "m,test,end,trunk.%u,%u,%u,%u,%u\n", i / 4 + 1, i / 4 + 1,
                               i / 2 % 2, i % 2, i);
    page = write_probe(&study, table->str);
    data = read_in(&study, "x/report/heat-map-p-samples.csv");
    g_assert_true(g_str_has_prefix(data, "block,value,predicted,class,x,y,mean,n,failed\n"
                                         "1,samples,0,0,1,1,0,1,0\n1,samples,1,0,2,1,1,1,0\n"
                                         "1,samples,0,1,1,2,2,1,0\n1,samples,1,1,2,2,3,1,0\n"));
    g_assert_true(g_str_has_suffix(data, "\n20,samples,1,1,2,2,79,1,0\n"));
    g_assert_nonnull(strstr(data, "\n4,samples,"));
    g_assert_null(strstr(data, "\n5,samples,"));
}

/* A figure of the table's own split, beside that of another. */
static void
test_own_split(void)
{
    g_auto(Study) study = make_folder();
    g_autofree char *page =
        write_probe(&study, HEAD "train-accuracy,accuracy\nm,test,end,trunk.1,1,0.9,0.8\n"
                                 "m,test,end,trunk.2,2,0.7,0.6\n");
    g_autofree char *script = read_in(&study, "x/report/curves-p-accuracy.gp");

    g_assert_nonnull(page);
    assert_has(script, "labels[2] = ['train', 'test']\n");
}

/* Several rows of an address that nothing tells apart, and a torn file: the table alone, or why
 * there is none; the rest of the page comes. */
static void
test_odd_probes(void)
{
    g_auto(Study) study = make_folder();
    g_auto(Study) torn = make_folder();
    g_autofree char *page =
        write_probe(&study, HEAD "bin,count\nm,test,end,trunk.1,1,0,5\nm,test,end,trunk.1,1,0,6\n");
    g_autofree char *other = NULL;

    assert_has(page, "<td class=\"n\">6</td>");
    g_assert_false(is_there(&study, "x/report/curves-p-count.csv"));
    g_test_expect_message("adit-report", G_LOG_LEVEL_MESSAGE, "*probes/p.csv*");
    other = write_probe(&torn, HEAD "l1\nm,test\n");
    g_test_assert_expected_messages();
    assert_has(other, "<p>Not made: ");
    assert_has(other, "<h2>Origin and files</h2>");
}

/* Nothing that stands in the files is mark-up, a command, or the way out of the folder. */
static void
test_hostile(void)
{
    g_auto(Study) study = make_folder();
    g_autofree char *page = NULL;

    make_run(&study, "x", RECORD("COMPLETED", ", \"x<i>\": \"</dd><script>\""),
             "step,epoch,../../../evil,<b>.loss,`touch y`.loss\n1,1,2,3,4\n");
    write_in(&study, "x/probes", "a<b>'c.csv",
             HEAD "\"../../up\",\"'; system(\"\"touch z\"\")\"\n"
                  "m,test,end,\"<script>alert(1)</script>\",,1,2\nm,test,end,\"'`\",,3,4\n");
    page = write_page(&study, "x", FALSE);
    assert_lacks(page, "<script");
    assert_lacks(page, "<b>");
    assert_lacks(page, "<i>");
    assert_has(page, "<h2>Probe a&lt;b&gt;&#39;c</h2>");
    assert_has(page, "&lt;script&gt;alert(1)&lt;/script&gt;");
    g_assert_false(is_there(&study, "evil.csv"));
    g_assert_false(is_there(&study, "x/report/y"));
    g_assert_false(is_there(&study, "x/report/z"));
}

/* ---- a study ---- */

static const char *const sweep =
    "arch,depth,seed,status,run,epochs,reason,best.test.mse\n"
    "<glonet>,10,1,done,runs/a,2,,0.02\n<glonet>,10,2,done,runs/b,2,,0.04\n"
    "<glonet>,24,1,failed,runs/c,,no & data,\n";
static const char *const elements =
    "{\"v\": 1, \"title\": \"T & U\", \"report\": ["
    "{\"kind\": \"table\", \"name\": \"table-x\", \"rows\": \"arch\", \"columns\": \"depth\","
    " \"values\": [\"best.test.mse\"], \"pages\": [], \"over\": [\"seed\"]},"
    "{\"kind\": \"curves\", \"name\": \"curves-x\", \"x\": \"depth\", \"values\": [\"nothing\"],"
    " \"pages\": [], \"over\": [\"seed\"]}]}";

static void
test_study(void)
{
    static const char *const parts[] = {
        "<h1>T &amp; U</h1>",
        "3 points: 2 done, 1 failed",
        "<h2>Table: best.test.mse</h2>",
        "<td>&lt;glonet&gt;</td><td class=\"n\">0.030 ± 0.014</td><td>failed</td>",
        "<h2>Curves: nothing over depth</h2>\n<p>Not made: report &#39;curves-x&#39;: ",
        "<h2>Runs</h2>",
        "<a href=\"./runs/a/report.html\">runs/a</a>",
        "<a href=\"./runs/b\">runs/b</a>",
        "no &amp; data",
        "href=\"./sweep.csv\"",
        "href=\"./report/table-x.csv\"",
    };
    g_auto(Study) study = study_make(sweep);
    g_autofree char *page = NULL;
    g_autoptr(GError) error = NULL;

    study_write(&study, "study.json", elements);
    study_write(&study, "runs/a/report.html", "");
    g_assert_false(adit_report_write_page(study.path, FALSE, &error));
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_INVALID);
    page = read_in(&study, "report.html");
    for (guint i = 0; i < G_N_ELEMENTS(parts); i++)
        assert_has(page, parts[i]);
    g_assert_true(is_there(&study, "report/index.md"));
}

/* Without study.json the runs alone; the file of a shard will do. */
static void
test_study_without(void)
{
    g_auto(Study) study = study_make(sweep);
    g_autofree char *page = write_page(&study, ".", FALSE);
    g_autofree char *sharded = NULL;
    g_autoptr(GError) error = NULL;

    assert_has(page, "best.test.mse");
    assert_lacks(page, "Table: ");
    study_write(&study, "study.1-of-2.json", elements);
    g_assert_false(adit_report_write_page(study.path, FALSE, &error));
    sharded = read_in(&study, "report.html");
    assert_has(sharded, "<h2>Table: best.test.mse</h2>");
}

static void
test_study_damaged(void)
{
    static const char *const texts[] = {
        "{\"report\": [3]}", "{\"report\": [{\"kind\": \"pie\", \"name\": \"x\"}]}",
        "{\"report\": [{\"kind\": \"table\", \"name\": \"../x\"}]}",
        "{\"report\": [{\"kind\": \"table\", \"name\": \"x\", \"values\": [1]}]}"};

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_auto(Study) study = study_make(sweep);

        study_write(&study, "study.json", texts[i]);
        assert_refused(&study, ".", ADIT_ERROR_DAMAGED,
                       "%s/study.json: 'report', element 1: expected a kind, a name and texts");
    }
}

/* ---- a comparison ---- */

static void
make_configured(const Study *study, const char *folder, guint seed, const char *rate,
                const char *loss)
{
    g_autofree char *text = g_strdup_printf("title: t\nseed: %u\ntrain:\n- {lr: %s}\n", seed, rate);
    g_autofree char *record =
        g_strdup_printf("{\"v\": 1, \"status\": \"COMPLETED\", \"seed\": %u}", seed);
    g_autofree char *table =
        g_strdup_printf("step,epoch,test.loss,seconds\n1,1,9,1\n2,2,%s,2\n", loss);

    write_in(study, folder, "run.json", record);
    write_in(study, folder, "config.resolved.yaml", text);
    write_in(study, folder, "metrics.csv", table);
}

static AditComparison *
compare(const Study *study, const char *const *names, GError **error)
{
    g_autoptr(GPtrArray) folders = g_ptr_array_new_with_free_func(g_free);

    for (; *names != NULL; names++)
        g_ptr_array_add(folders, g_build_filename(study->path, *names, NULL));
    g_ptr_array_add(folders, NULL);
    return adit_comparison_new((const char *const *) folders->pdata, error);
}

/* Takes @rows. */
static void
assert_rows(GPtrArray *rows, const char *expected)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; i < rows->len; i++) {
        g_autofree char *row = g_strjoinv("|", g_ptr_array_index(rows, i));

        g_string_append_printf(text, "%s\n", row);
    }
    g_assert_cmpstr(text->str, ==, expected);
    g_ptr_array_unref(rows);
}

static void
test_comparison(void)
{
    const char *const names[] = {"a", "b", "c", NULL};
    g_auto(Study) study = make_folder();
    g_autoptr(GError) error = NULL;
    g_autoptr(AditComparison) comparison = NULL;
    g_autofree char *folder = g_build_filename(study.path, "out", NULL);
    g_autofree char *page = NULL;

    make_configured(&study, "a", 1, "0.1", "0.2");
    make_configured(&study, "b", 2, "0.1", "0.4");
    make_configured(&study, "c", 1, "0.01", "0.5");
    comparison = compare(&study, names, &error);
    g_assert_no_error(error);
    assert_rows(adit_comparison_list_differences(comparison),
                "key|lr 0.1|lr 0.01\ntrain.lr|0.1|0.01\n");
    assert_rows(adit_comparison_list_figures(comparison),
                "figure|lr 0.1|lr 0.01\nruns|2|1\nseconds|2|2\n"
                "best.test.loss|0.30 ± 0.14|0.5000\nlast.test.loss|0.30 ± 0.14|0.5000\n");
    adit_comparison_write(comparison, folder, FALSE, &error);
    g_assert_no_error(error);
    page = read_in(&study, "out/report.html");
    assert_has(page, "<td>train.lr</td><td class=\"n\">0.1</td><td class=\"n\">0.01</td>");
    assert_file(&study, "out/report/curves-test.loss.csv",
                "configuration,value,epoch,mean,low,high,n\n"
                "lr 0.1,test.loss,1,9,9,9,2\nlr 0.1,test.loss,2,0.3,0.2,0.4,2\n\n\n"
                "lr 0.01,test.loss,1,9,9,9,1\nlr 0.01,test.loss,2,0.5,0.5,0.5,1\n");
    assert_file(&study, "out/report/table-differences.csv",
                "key,lr 0.1,lr 0.01\ntrain.lr,0.1,0.01\n");
}

/* Probes of all runs over each other, those of one configuration as one line. */
static void
test_comparison_probes(void)
{
    const char *const names[] = {"a", "b", "c", NULL};
    g_auto(Study) study = make_folder();
    g_autoptr(AditComparison) comparison = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = g_build_filename(study.path, "out", NULL);

    make_configured(&study, "a", 1, "0.1", "0.2");
    make_configured(&study, "b", 2, "0.1", "0.4");
    make_configured(&study, "c", 1, "0.01", "0.5");
    write_in(&study, "a/probes", "p.csv",
             HEAD "l1\nm,test,end,trunk.1,1,1\nm,test,end,trunk.2,2,3\n");
    write_in(&study, "b/probes", "p.csv",
             HEAD "l1\nm,test,end,trunk.1,1,3\nm,test,end,trunk.2,2,5\n");
    write_in(&study, "c/probes", "p.csv",
             HEAD "l1\nm,test,end,trunk.1,1,7\nm,test,end,trunk.2,2,8\n");
    comparison = compare(&study, names, &error);
    g_assert_no_error(error);
    adit_comparison_write(comparison, folder, FALSE, &error);
    g_assert_no_error(error);
    assert_file(&study, "out/report/curves-p-l1.csv",
                "line,value,block,mean,low,high,n\nlr 0.1,l1,1,2,1,3,2\nlr 0.1,l1,2,4,3,5,2\n\n\n"
                "lr 0.01,l1,1,7,7,7,1\nlr 0.01,l1,2,8,8,8,1\n");
}

static void
test_comparison_wrong(void)
{
    const char *const missing[] = {"a", "nothing", NULL};
    const char *const empty[] = {"a", "empty", NULL};
    const char *const same[] = {"a", "a", NULL};
    g_auto(Study) study = make_folder();
    g_autofree char *folder = g_build_filename(study.path, "a", NULL);
    g_autoptr(AditComparison) comparison = NULL;
    g_autoptr(GError) error = NULL;

    make_configured(&study, "a", 1, "0.1", "0.2");
    make_configured(&study, "empty", 1, "0.1", "0.2");
    write_in(&study, "empty", "metrics.csv", "step,epoch,test.loss\n");
    g_assert_null(compare(&study, missing, &error));
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_NOT_FOUND);
    g_clear_error(&error);
    g_assert_null(compare(&study, empty, &error));
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_NOT_FOUND);
    g_assert_nonnull(strstr(error->message, "/empty: nothing to compare: There are no metrics"));
    g_clear_error(&error);
    comparison = compare(&study, same, &error);
    g_assert_no_error(error);
    assert_rows(adit_comparison_list_differences(comparison), "key|t\n");
    g_assert_false(adit_comparison_write(comparison, folder, FALSE, &error));
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_INVALID);
    g_assert_false(is_there(&study, "a/report.html"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/report/run/whole", test_run);
    g_test_add_func("/report/run/png", test_png);
    g_test_add_func("/report/run/stale", test_stale);
    g_test_add_func("/report/run/stages", test_stages);
    g_test_add_func("/report/run/warnings", test_warnings);
    g_test_add_func("/report/run/damaged-metrics", test_damaged_metrics);
    g_test_add_func("/report/run/damaged-lines", test_damaged_lines);
    g_test_add_func("/report/run/no-metrics", test_no_metrics);
    g_test_add_func("/report/run/wrong", test_wrong);
    g_test_add_func("/report/run/unwritable", test_unwritable);
    g_test_add_func("/report/run/no-gnuplot", test_no_gnuplot);
    g_test_add_func("/report/probe/blocks", test_blocks);
    g_test_add_func("/report/probe/paths", test_paths);
    g_test_add_func("/report/probe/pairs", test_pairs);
    g_test_add_func("/report/probe/oblong", test_oblong);
    g_test_add_func("/report/probe/texts-and-times", test_texts_and_times);
    g_test_add_func("/report/probe/spectrum", test_spectrum);
    g_test_add_func("/report/probe/confusion", test_confusion);
    g_test_add_func("/report/probe/own-split", test_own_split);
    g_test_add_func("/report/probe/odd", test_odd_probes);
    g_test_add_func("/report/probe/hostile", test_hostile);
    g_test_add_func("/report/study/page", test_study);
    g_test_add_func("/report/study/without", test_study_without);
    g_test_add_func("/report/study/damaged", test_study_damaged);
    g_test_add_func("/report/comparison/tables", test_comparison);
    g_test_add_func("/report/comparison/probes", test_comparison_probes);
    g_test_add_func("/report/comparison/wrong", test_comparison_wrong);
    return g_test_run();
}
