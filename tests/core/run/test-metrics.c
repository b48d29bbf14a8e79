/* tests/core/run/test-metrics.c - SPDX-License-Identifier: MIT */
#include "adit-file.h"
#include "adit-metrics.h"
#include "fault.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <unistd.h>

static char *
read_text(const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    char *text = NULL;

    g_assert_true(adit_file_read(path, 1000000, &text, NULL, NULL));
    return text;
}

static void
append_text(const char *folder, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    FILE *file = fopen(path, "ab");

    g_assert_nonnull(file);
    g_assert_cmpint(fputs(text, file), >=, 0);
    g_assert_cmpint(fclose(file), ==, 0);
}

static AditMetrics *
open_metrics(const char *folder)
{
    g_autoptr(GError) error = NULL;
    AditMetrics *metrics = adit_metrics_open(folder, &error);

    g_assert_no_error(error);
    return metrics;
}

/* One step of a training whose numbers depend on the step alone; ten steps are an epoch. */
static void
train_step(AditMetrics *metrics, guint64 step)
{
    const AditMetric line[] = {{"loss", (double) (1 / (float) step)},
                               {"exact", 1.0 / (double) step, ADIT_METRIC_DOUBLE}};
    const AditMetric row[] = {{"train.loss", 1.0 / (double) step},
                              {"learning-rate", step > 20 ? 1e-5 : 0.01, ADIT_METRIC_DOUBLE}};
    g_autoptr(GError) error = NULL;
    guint64 epoch = (step + 9) / 10;

    adit_metrics_write(metrics, step, epoch, "train", line, G_N_ELEMENTS(line), &error);
    g_assert_no_error(error);
    if (step % 10 == 0)
        adit_metrics_write_row(metrics, step, epoch, row, G_N_ELEMENTS(row), &error);
    g_assert_no_error(error);
}

static void
test_line(void)
{
    g_auto(FaultFolder) folder = fault_make_folder();
    g_autofree char *name = g_path_get_basename(folder);
    g_autoptr(AditMetrics) metrics = open_metrics(folder);
    const AditMetric values[] = {{"loss", (double) 0.1F},      {"exact", 0.1, ADIT_METRIC_DOUBLE},
                                 {"bad", (double) NAN},        {"up", (double) INFINITY},
                                 {"down", (double) -INFINITY}, {"none", 3, ADIT_METRIC_ABSENT}};
    g_autofree char *text = NULL;
    g_autofree char *expected = g_strdup_printf(
        ",\"run\":\"%s\",\"step\":1200,\"epoch\":3,\"split\":\"a \\\"set\\\"\",\"values\":{"
        "\"loss\":0.100000001,\"exact\":0.10000000000000001,\"bad\":\"NaN\",\"up\":\"Infinity\","
        "\"down\":\"-Infinity\"}}\n",
        name);
    const char *rest;

    g_assert_true(adit_metrics_write(metrics, 1200, 3, "a \"set\"", values, 6, NULL));
    g_assert_true(adit_metrics_sync(metrics, NULL));
    text = read_text(folder, "metrics.jsonl");
    g_assert_true(g_str_has_prefix(text, "{\"v\":1,\"t\":"));
    rest = strchr(text + strlen("{\"v\":1,"), ',');
    g_assert_cmpstr(rest, ==, expected);
}

static void
test_read(void)
{
    g_auto(FaultFolder) folder = fault_make_folder();
    g_autoptr(AditMetrics) metrics = open_metrics(folder);
    const AditMetric values[] = {{"loss", 1e-5, ADIT_METRIC_DOUBLE}, {"bad", (double) NAN}};
    g_autoptr(GPtrArray) rows = NULL;
    g_autoptr(GError) error = NULL;
    const AditMetricRow *row;
    double value;

    g_assert_true(adit_metrics_write(metrics, 7, 1, NULL, values, 2, NULL));
    append_text(folder, "metrics.jsonl",
                "{\"v\":1,\"t\":5.5,\"step\":8,\"epoch\":2,\"split\":\"test\",\"name\":\"mse\","
                "\"value\":0.25}\n{\"v\":1,\"t\":6,\"st");
    rows = adit_metrics_read(folder, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(rows->len, ==, 2);
    row = g_ptr_array_index(rows, 0);
    g_assert_cmpuint(row->step, ==, 7);
    g_assert_null(row->split);
    g_assert_true(adit_metric_row_get(row, "loss", &value));
    g_assert_true(value == 1e-5);
    g_assert_true(adit_metric_row_get(row, "bad", &value));
    g_assert_true(isnan(value));
    g_assert_false(adit_metric_row_get(row, "mse", &value));
    row = g_ptr_array_index(rows, 1);
    g_assert_cmpuint(row->epoch, ==, 2);
    g_assert_cmpstr(row->split, ==, "test");
    g_assert_true(row->time == 5.5);
    g_assert_true(adit_metric_row_get(row, "mse", &value));
    g_assert_true(value == 0.25);
}

/* The lines before and behind the damaged one. */
static void
assert_sound(const char *folder)
{
    g_autoptr(GPtrArray) damage = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) rows = NULL;

    append_text(folder, "metrics.jsonl", "{\"t\":1,\"step\":2,\"epoch\":2,\"values\":{\"a\":1}}\n");
    rows = adit_metrics_read_sound(folder, damage, NULL);
    g_assert_cmpuint(rows->len, ==, 2);
    g_assert_cmpuint(((AditMetricRow *) rows->pdata[1])->step, ==, 2);
    g_assert_cmpuint(damage->len, ==, 1);
    g_assert_nonnull(strstr(damage->pdata[0], "metrics.jsonl:2: "));
}

static void
test_read_refuses(void)
{
    static const char *const lines[] = {"{\"v\":1}\n",
                                        "nonsense\n",
                                        "\n",
                                        "[]\n",
                                        "{\"t\":1,\"step\":-1,\"epoch\":1,\"values\":{}}\n",
                                        "{\"t\":1,\"step\":1,\"epoch\":1,\"values\":{\"a\":[]}}\n",
                                        "{\"t\":1,\"step\":1,\"epoch\":1,\"name\":\"a\"}\n",
                                        "{\"t\":1,\"step\":1.5,\"epoch\":1,\"values\":{}}\n"};

    for (guint i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_auto(FaultFolder) folder = fault_make_folder();
        g_autoptr(GError) error = NULL;

        append_text(folder, "metrics.jsonl",
                    "{\"t\":1,\"step\":1,\"epoch\":1,\"values\":{\"a\":1}}\n");
        append_text(folder, "metrics.jsonl", lines[i]);
        g_assert_null(adit_metrics_read(folder, &error));
        g_assert_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED);
        g_assert_nonnull(strstr(error->message, "metrics.jsonl:2: "));
        assert_sound(folder);
    }
}

static void
test_read_missing(void)
{
    g_auto(FaultFolder) folder = fault_make_folder();
    g_autoptr(GError) error = NULL;

    g_assert_null(adit_metrics_read(folder, &error));
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_NOT_FOUND);
}

static void
test_table(void)
{
    g_auto(FaultFolder) folder = fault_make_folder();
    g_autoptr(AditMetrics) metrics = open_metrics(folder);
    const AditMetric first[] = {{"train.loss", (double) 0.1F},
                                {"test.mse", 0, ADIT_METRIC_ABSENT},
                                {"a,\"b\"", 3, ADIT_METRIC_DOUBLE}};
    const AditMetric second[] = {{"a,\"b\"", (double) NAN}, {"test.mse", (double) -INFINITY}};
    const AditMetric third[] = {{"other", 1}};
    g_autofree char *text = NULL;

    g_assert_true(adit_metrics_write_row(metrics, 10, 1, first, 3, NULL));
    g_assert_true(adit_metrics_write_row(metrics, 20, 2, second, 2, NULL));
    text = read_text(folder, "metrics.csv");
    g_assert_cmpstr(text, ==,
                    "step,epoch,train.loss,test.mse,\"a,\"\"b\"\"\"\n"
                    "10,1,0.100000001,,3\n20,2,,-Infinity,NaN\n");
    /* the columns are still known after a restart, that with the comma too */
    g_clear_pointer(&metrics, adit_metrics_free);
    metrics = open_metrics(folder);
    g_assert_true(adit_metrics_write_row(metrics, 30, 3, second, 2, NULL));
    g_assert_true(adit_metrics_resume(metrics, 10, NULL));
    g_free(text);
    text = read_text(folder, "metrics.csv");
    g_assert_cmpstr(text, ==,
                    "step,epoch,train.loss,test.mse,\"a,\"\"b\"\"\"\n10,1,0.100000001,,3\n");
    /* a name that is no column yet, and after that the columns there were */
    g_assert_true(adit_metrics_write_row(metrics, 20, 2, third, 1, NULL));
    g_assert_true(adit_metrics_write_row(metrics, 30, 3, first, 1, NULL));
    g_free(text);
    text = read_text(folder, "metrics.csv");
    g_assert_cmpstr(text, ==,
                    "step,epoch,train.loss,test.mse,\"a,\"\"b\"\"\",other\n"
                    "10,1,0.100000001,,3,\n20,2,,,,1\n30,3,0.100000001,,,\n");
}

static void
test_table_foreign(void)
{
    g_auto(FaultFolder) folder = fault_make_folder();
    g_autoptr(GError) error = NULL;

    append_text(folder, "metrics.csv", "time,loss\n1,2\n");
    g_assert_null(adit_metrics_open(folder, &error));
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED);
}

static void
assert_same_rows(const char *folder, GPtrArray *expected)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) rows = adit_metrics_read(folder, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(rows->len, ==, expected->len);
    for (guint i = 0; i < rows->len; i++) {
        const AditMetricRow *row = g_ptr_array_index(rows, i);
        const AditMetricRow *want = g_ptr_array_index(expected, i);
        static const char *const names[] = {"loss", "exact"};

        g_assert_cmpuint(row->step, ==, want->step);
        g_assert_cmpuint(row->epoch, ==, want->epoch);
        g_assert_cmpstr(row->split, ==, want->split);
        g_assert_cmpuint(row->values->len, ==, want->values->len);
        for (guint k = 0; k < G_N_ELEMENTS(names); k++) {
            double a = 0, b = 1;

            g_assert_true(adit_metric_row_get(row, names[k], &a));
            g_assert_true(adit_metric_row_get(want, names[k], &b));
            g_assert_true(a == b);
        }
    }
}

/* Cut off after any step, in the middle of a line, and taken up from any step before: the same file
 * of rows and the same lines as if nothing had happened. */
static void
test_resume_everywhere(void)
{
    g_auto(FaultFolder) whole = fault_make_folder();
    g_autoptr(AditMetrics) uninterrupted = open_metrics(whole);
    g_autoptr(GPtrArray) expected = NULL;
    g_autofree char *table = NULL;

    for (guint64 step = 1; step <= 30; step++)
        train_step(uninterrupted, step);
    expected = adit_metrics_read(whole, NULL);
    g_assert_cmpuint(expected->len, ==, 30);
    table = read_text(whole, "metrics.csv");
    for (guint64 cut = 0; cut <= 29; cut += 3) {
        for (guint64 from = 0; from <= cut; from += 3) {
            g_auto(FaultFolder) folder = fault_make_folder();
            g_autoptr(AditMetrics) metrics = open_metrics(folder);
            g_autofree char *resumed = NULL;

            for (guint64 step = 1; step <= cut; step++)
                train_step(metrics, step);
            g_clear_pointer(&metrics, adit_metrics_free);
            append_text(folder, "metrics.jsonl", "{\"v\":1,\"t\":17");
            append_text(folder, "metrics.csv", "30,3,0.0");
            metrics = open_metrics(folder);
            g_assert_true(adit_metrics_resume(metrics, from, NULL));
            for (guint64 step = from + 1; step <= 30; step++)
                train_step(metrics, step);
            resumed = read_text(folder, "metrics.csv");
            g_assert_cmpstr(resumed, ==, table);
            assert_same_rows(folder, expected);
        }
    }
}

/* Disks fill up and empty again; what was refused is not there by half. */
static void
test_faults(void)
{
    g_auto(FaultFolder) folder = fault_make_folder();
    g_autoptr(AditMetrics) metrics = open_metrics(folder);
    const AditMetric values[] = {{"loss", 1}};
    g_autoptr(GPtrArray) rows = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;

    fault_arm_short_write(1);
    fault_arm(2, ENOSPC);
    g_assert_false(adit_metrics_write(metrics, 1, 1, "train", values, 1, &error));
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_OUTPUT);
    g_assert_nonnull(strstr(error->message, "metrics.jsonl: No space left on device"));
    g_clear_error(&error);
    fault_arm(1, ENOSPC);
    g_assert_false(adit_metrics_write_row(metrics, 1, 1, values, 1, &error));
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_OUTPUT);
    fault_disarm();
    g_assert_true(adit_metrics_write(metrics, 1, 1, "train", values, 1, NULL));
    g_assert_true(adit_metrics_write_row(metrics, 1, 1, values, 1, NULL));
    rows = adit_metrics_read(folder, NULL);
    g_assert_cmpuint(rows->len, ==, 1);
    text = read_text(folder, "metrics.csv");
    g_assert_cmpstr(text, ==, "step,epoch,loss\n1,1,1\n");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/run/metrics/line", test_line);
    g_test_add_func("/run/metrics/read", test_read);
    g_test_add_func("/run/metrics/read-refuses", test_read_refuses);
    g_test_add_func("/run/metrics/read-missing", test_read_missing);
    g_test_add_func("/run/metrics/table", test_table);
    g_test_add_func("/run/metrics/table-of-another-program", test_table_foreign);
    g_test_add_func("/run/metrics/resume-everywhere", test_resume_everywhere);
    g_test_add_func("/run/metrics/faults", test_faults);
    return g_test_run();
}
