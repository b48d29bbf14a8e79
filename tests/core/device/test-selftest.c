/* tests/core/device/test-selftest.c - SPDX-License-Identifier: MIT */
#include "adit-file.h"
#include "adit-graph-private.h"
#include "adit-pointwise.h"
#include "adit-selftest-private.h"
#include "false-device.h"

#include <glib/gstdio.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define BIT(form) (1u << (form))
#define ALL_FORMS (BIT(ADIT_FORM_SUBGROUP) | BIT(ADIT_FORM_OPTIMISED) | BIT(ADIT_FORM_PLAIN))

/* ---- right devices ---- */

static void
assert_well(AditDevice *device, gboolean full)
{
    AditSelftestOptions options = {.full = full};
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) results = adit_selftest_run(device, &options, NULL, NULL, &error);
    guint n_runs = 0;

    g_assert_no_error(error);
    for (guint i = 0; i < results->len; i++) {
        const AditSelftestResult *result = results->pdata[i];
        g_autofree char *text = adit_selftest_outcome_describe(result->worst);

        n_runs += result->n_runs;
        if (result->form != ADIT_FORM_NONE && !result->fell_back)
            continue;
        g_test_message("%s: %s", result->kernel, text);
        g_test_fail();
    }
    g_test_message("%u kernels, %u runs", results->len, n_runs);
    g_assert_cmpuint(n_runs, >, full ? 3000 : 300);
}

static void
test_cpu(gconstpointer data)
{
    g_autoptr(AditDevice) device = adit_cpu_device_new(1, FALSE);

    assert_well(device, data != NULL);
}

/* ---- all kernels ---- */

/* Names of all kernels that the program calls. */
static void
collect_calls(const AditProgram *program, GHashTable *calls)
{
    for (guint i = 0; i < program->instructions->len; i++) {
        const AditInstruction *instruction = program->instructions->pdata[i];
        const AditOp *op = instruction->op;

        if (instruction->kind == ADIT_INSTRUCTION_COMBINE)
            g_hash_table_add(calls, (gpointer) (op->combine != NULL ? op->combine : "combine-sum"));
        else if (op != NULL)
            g_hash_table_add(calls, (gpointer) op->name);
    }
}

/* Every kernel is a case's, and each case calls the kernel it is called by. */
static void
test_covers_all(gconstpointer data)
{
    static const char *const kernels[] = {
#define ADIT_KERNEL_ROW(symbol, name, ...) name,
#define ADIT_FUSED_ROW(...)
#include "adit-kernels.def"
#undef ADIT_KERNEL_ROW
#define ADIT_POINTWISE(symbol, name, ...) name,
#include "adit-pointwise.def"
        "feed",
        "guard",
        "note-rows",
        "fused",
    };
    g_autoptr(GPtrArray) cases = adit_selftest_list_cases(data != NULL);
    g_autoptr(GHashTable) covered = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < cases->len; i++) {
        const AditSelftestCase *each = cases->pdata[i];
        g_autoptr(AditSelftestTrial) trial = adit_selftest_trial_new(each);
        g_autoptr(GHashTable) calls = g_hash_table_new(g_str_hash, g_str_equal);

        collect_calls(trial->program, calls);
        g_hash_table_add(covered, (gpointer) each->kernel);
        if (each->kind != ADIT_SELFTEST_OPERATION)
            continue;
        g_assert_true(g_hash_table_contains(calls, each->kernel));
        /* nothing but the kernel and what joins its slices */
        g_assert_cmpuint(g_hash_table_size(calls), <=, 2);
    }
    for (guint i = 0; i < G_N_ELEMENTS(kernels); i++) {
        if (!g_hash_table_contains(covered, kernels[i]))
            g_test_message("no case of '%s'", kernels[i]);
        g_assert_true(g_hash_table_contains(covered, kernels[i]));
    }
    g_assert_cmpuint(g_hash_table_size(covered), ==, G_N_ELEMENTS(kernels));
}

/* Rows that leave slices empty, inputs beside the limits, all kinds of special values. */
static void
test_what_is_fed(void)
{
    g_autoptr(GPtrArray) cases = adit_selftest_list_cases(TRUE);
    g_autoptr(GHashTable) rows = g_hash_table_new(NULL, NULL);
    gboolean nan = FALSE, infinite = FALSE, denormal = FALSE;

    for (guint i = 0; i < cases->len; i++) {
        const AditSelftestCase *each = cases->pdata[i];
        g_autoptr(AditSelftestTrial) trial = adit_selftest_trial_new(each);

        for (guint j = 0; j < each->n_runs; j++)
            g_hash_table_add(rows, GSIZE_TO_POINTER(each->runs[j].rows));
        denormal = denormal || trial->has_denormals;
        for (gsize j = 0; j < trial->layout->n_parameters; j++) {
            nan = nan || isnan(trial->parameters[j]);
            infinite = infinite || isinf(trial->parameters[j]);
        }
    }
    g_assert_true(nan && infinite && denormal);
    for (guint i = 0; i < 6; i++)
        g_assert_true(
            g_hash_table_contains(rows, GSIZE_TO_POINTER(((gsize[]){1, 7, 8, 9, 100, 129})[i])));
}

/* ---- wrong devices ---- */

static GPtrArray *
run_false(FalseDevice *device)
{
    AditSelftestOptions options = {.full = FALSE};
    g_autoptr(GError) error = NULL;
    GPtrArray *results = adit_selftest_run(ADIT_DEVICE(device), &options, NULL, NULL, &error);

    g_assert_no_error(error);
    return results;
}

static const AditSelftestResult *
find(const GPtrArray *results, const char *kernel)
{
    for (guint i = 0; i < results->len; i++) {
        const AditSelftestResult *result = results->pdata[i];

        if (g_str_equal(result->kernel, kernel))
            return result;
    }
    g_error("no result of '%s'", kernel);
}

/* All kernels but @kernel are well, and by their best form; what is joined of many is passed over.
 */
static void
assert_others_well(const GPtrArray *results, const char *kernel)
{
    for (guint i = 0; i < results->len; i++) {
        const AditSelftestResult *result = results->pdata[i];
        gboolean has_subgroup = strstr(result->kernel, "sum") != NULL;

        if (g_str_equal(result->kernel, kernel) || g_str_equal(result->kernel, "fused"))
            continue;
        g_assert_false(result->fell_back);
        g_assert_cmpint(result->form, ==, has_subgroup ? ADIT_FORM_SUBGROUP : ADIT_FORM_OPTIMISED);
    }
}

static void
test_wrong_kernel(gconstpointer data)
{
    const char *kernel = data;
    g_autoptr(FalseDevice) device = false_device_new();

    false_device_spoil(device, kernel, ALL_FORMS, FALSE_ADDS);
    g_autoptr(GPtrArray) results = run_false(device);
    const AditSelftestResult *result = find(results, kernel);
    g_autofree char *text = adit_selftest_outcome_describe(result->worst);

    assert_others_well(results, kernel);
    g_assert_cmpint(result->form, ==, ADIT_FORM_NONE);
    g_assert_false(result->worst->passed);
    g_assert_cmpstr(result->worst->kernel, ==, kernel);
    g_assert_cmpfloat(fabs(result->worst->got - result->worst->expected - 1.0 / 64), <, 1e-3);
    g_assert_cmpuint(result->worst->index, ==, 0);
    g_assert_nonnull(strstr(text, "got "));
    g_assert_nonnull(strstr(text, "expected "));
}

/* What joins slices cannot be seen without them, nor they without it. */
static void
test_wrong_combine(void)
{
    g_autoptr(FalseDevice) device = false_device_new();
    guint n_wrong = 0;

    false_device_spoil(device, "combine-mean", ALL_FORMS, FALSE_ADDS);
    g_autoptr(GPtrArray) results = run_false(device);

    for (guint i = 0; i < results->len; i++)
        n_wrong += ((const AditSelftestResult *) results->pdata[i])->form == ADIT_FORM_NONE;
    g_assert_cmpint(find(results, "combine-mean")->form, ==, ADIT_FORM_NONE);
    g_assert_cmpint(find(results, "rows-mean")->form, ==, ADIT_FORM_NONE);
    g_assert_cmpuint(n_wrong, ==, 2 + (find(results, "fused")->form == ADIT_FORM_NONE));
}

/* A number that is not finite and one that is; two of different kinds. */
static void
test_wrong_kinds(void)
{
    g_autoptr(FalseDevice) nans = false_device_new(), infinite = false_device_new();

    false_device_spoil(nans, "softmax", ALL_FORMS, FALSE_NANS);
    g_autoptr(GPtrArray) results = run_false(nans);

    g_assert_cmpint(find(results, "softmax")->form, ==, ADIT_FORM_NONE);
    g_assert_true(isnan(find(results, "softmax")->worst->got));
    g_assert_true(isfinite(find(results, "softmax")->worst->expected));
    assert_others_well(results, "softmax");

    /* the first of the special values is NaN */
    false_device_spoil(infinite, "exp", ALL_FORMS, FALSE_INFINITE);
    g_autoptr(GPtrArray) others = run_false(infinite);

    g_assert_cmpint(find(others, "exp")->form, ==, ADIT_FORM_NONE);
    g_assert_true(isinf(find(others, "exp")->worst->got));
    g_assert_true(isnan(find(others, "exp")->worst->expected));
    assert_others_well(others, "exp");
}

/* The first form that is right is taken, and the device left with it. */
static void
test_falls_back(void)
{
    g_autoptr(FalseDevice) device = false_device_new();

    false_device_spoil(device, "reduce-sum", BIT(ADIT_FORM_SUBGROUP) | BIT(ADIT_FORM_OPTIMISED),
                       FALSE_ADDS);
    g_autoptr(GPtrArray) results = run_false(device);
    const AditSelftestResult *result = find(results, "reduce-sum");

    assert_others_well(results, "reduce-sum");
    g_assert_cmpint(result->form, ==, ADIT_FORM_PLAIN);
    g_assert_true(result->fell_back);
    g_assert_false(result->worst->passed); /* what the better form did is told */
    g_assert_cmpint(false_device_get_form(device, "reduce-sum"), ==, ADIT_FORM_PLAIN);
}

/* What joins slices is found first, so that what they are joined of is not blamed. */
static void
test_falls_back_below(void)
{
    g_autoptr(FalseDevice) device = false_device_new();

    false_device_spoil(device, "combine-sum", BIT(ADIT_FORM_SUBGROUP), FALSE_ADDS);
    g_autoptr(GPtrArray) results = run_false(device);

    g_assert_cmpint(find(results, "combine-sum")->form, ==, ADIT_FORM_OPTIMISED);
    assert_others_well(results, "combine-sum");
}

/* The other way round: the joining is blamed first, and tried again when its slices are right. */
static void
test_tries_again(void)
{
    g_autoptr(FalseDevice) device = false_device_new();

    false_device_spoil(device, "rows-sum", BIT(ADIT_FORM_SUBGROUP), FALSE_ADDS);
    g_autoptr(GPtrArray) results = run_false(device);

    g_assert_cmpint(find(results, "rows-sum")->form, ==, ADIT_FORM_OPTIMISED);
    assert_others_well(results, "rows-sum");
}

static void
test_refuses(void)
{
    g_autoptr(FalseDevice) device = false_device_new();

    false_device_spoil(device, "gelu", ALL_FORMS, FALSE_REFUSES);
    g_autoptr(GPtrArray) results = run_false(device);
    const AditSelftestResult *result = find(results, "gelu");

    assert_others_well(results, "gelu");
    g_assert_cmpint(result->form, ==, ADIT_FORM_NONE);
    g_assert_cmpstr(result->worst->reason, ==, "the compiler gave up");
}

static void
test_lost(void)
{
    AditSelftestOptions options = {.full = FALSE};
    g_autoptr(FalseDevice) device = false_device_new();
    g_autoptr(GError) error = NULL;

    false_device_spoil(device, "matmul", ALL_FORMS, FALSE_LOSES);
    g_assert_null(adit_selftest_run(ADIT_DEVICE(device), &options, NULL, NULL, &error));
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_DEVICE_LOST);
    g_assert_cmpstr(error->message, ==, "'matmul': the device was lost");
}

typedef struct {
    guint n;
    guint n_failed;
} Counts;

static void
count(const AditSelftestOutcome *outcome, gpointer user_data)
{
    Counts *counts = user_data;

    g_assert_cmpstr(outcome->kernel, ==, "tanh");
    g_assert_cmpuint(outcome->rows, >, 0);
    g_assert_true(outcome->passed == (outcome->error <= outcome->limit));
    counts->n++;
    counts->n_failed += !outcome->passed;
}

/* One kernel in one form alone; every run is told. */
static void
test_one(void)
{
    AditSelftestOptions options = {.kernel = "tanh", .forms = BIT(ADIT_FORM_PLAIN)};
    g_autoptr(FalseDevice) device = false_device_new();
    g_autoptr(GError) error = NULL;
    Counts counts = {0};

    false_device_spoil(device, "tanh", BIT(ADIT_FORM_OPTIMISED), FALSE_ADDS);
    g_autoptr(GPtrArray) results =
        adit_selftest_run(ADIT_DEVICE(device), &options, count, &counts, &error);
    const AditSelftestResult *result = find(results, "tanh");

    g_assert_no_error(error);
    g_assert_cmpuint(results->len, ==, 1);
    g_assert_cmpint(result->form, ==, ADIT_FORM_PLAIN);
    g_assert_false(result->fell_back);
    g_assert_cmpuint(counts.n, ==, result->n_runs);
    g_assert_cmpuint(counts.n_failed, ==, 0);
}

/* ---- verdicts ---- */

static AditVerdicts *
make_verdicts(void)
{
    AditVerdicts *verdicts = adit_verdicts_new("6d657361-3232", "llvmpipe Mesa 22.3.6 (LLVM/15)");

    adit_verdicts_set(verdicts, "matmul", ADIT_FORM_OPTIMISED);
    adit_verdicts_set(verdicts, "reduce-sum", ADIT_FORM_SUBGROUP);
    adit_verdicts_set(verdicts, "gelu", ADIT_FORM_PLAIN);
    adit_verdicts_set(verdicts, "pow", ADIT_FORM_NONE);
    return verdicts;
}

static AditVerdicts *
load_verdicts(void)
{
    return adit_verdicts_load("6d657361-3232", "llvmpipe Mesa 22.3.6 (LLVM/15)");
}

static void
assert_form(const AditVerdicts *verdicts, const char *kernel, AditKernelForm expected)
{
    AditKernelForm form;

    g_assert_true(adit_verdicts_lookup(verdicts, kernel, &form));
    g_assert_cmpint(form, ==, expected);
}

static void
assert_made(const AditVerdicts *verdicts)
{
    g_autoptr(GPtrArray) names = adit_verdicts_list(verdicts);
    AditKernelForm form;

    g_assert_cmpuint(names->len, ==, 4);
    g_assert_cmpstr(names->pdata[0], ==, "gelu");
    assert_form(verdicts, "matmul", ADIT_FORM_OPTIMISED);
    assert_form(verdicts, "reduce-sum", ADIT_FORM_SUBGROUP);
    assert_form(verdicts, "gelu", ADIT_FORM_PLAIN);
    assert_form(verdicts, "pow", ADIT_FORM_NONE);
    g_assert_false(adit_verdicts_lookup(verdicts, "exp", &form));
}

static void
test_round_trip(void)
{
    g_autoptr(AditVerdicts) verdicts = make_verdicts();
    g_autoptr(GError) error = NULL;
    g_autofree char *path = adit_verdicts_get_path(verdicts);
    g_autofree char *cache = g_build_filename(g_get_user_cache_dir(), "adit", "selftest", NULL);

    adit_verdicts_set_full(verdicts, TRUE);
    g_assert_true(g_str_has_prefix(path, cache));
    g_assert_true(adit_verdicts_save(verdicts, &error));
    g_assert_no_error(error);
    g_autoptr(AditVerdicts) loaded = load_verdicts();

    g_assert_nonnull(loaded);
    g_assert_true(adit_verdicts_is_full(loaded));
    assert_made(loaded);
}

static void
test_foreign(void)
{
    g_autoptr(AditVerdicts) verdicts = make_verdicts();
    g_autoptr(AditVerdicts) newer = adit_verdicts_new("6d657361-3232", "llvmpipe Mesa 22.3.7");
    g_autofree char *path = adit_verdicts_get_path(verdicts);
    g_autofree char *other = adit_verdicts_get_path(newer);
    g_autofree char *text = NULL;
    gsize length;

    g_assert_true(adit_verdicts_save(verdicts, NULL));
    g_assert_null(adit_verdicts_load("6d657361-3232", "llvmpipe Mesa 22.3.7"));
    g_assert_null(adit_verdicts_load("6d657361-3233", "llvmpipe Mesa 22.3.6 (LLVM/15)"));
    /* under another's name it is another's still */
    g_assert_true(g_file_get_contents(path, &text, &length, NULL));
    g_assert_true(g_file_set_contents(other, text, (gssize) length, NULL));
    g_assert_null(adit_verdicts_load("6d657361-3232", "llvmpipe Mesa 22.3.7"));
    g_autoptr(AditVerdicts) loaded = load_verdicts();

    g_assert_nonnull(loaded);
}

static void
assert_damaged(const char *path, const char *text, gsize length)
{
    /* a new file: some file systems wait for the disk when one is written anew */
    g_assert_cmpint(g_unlink(path), ==, 0);
    FILE *file = fopen(path, "w");

    g_assert_cmpuint(fwrite(text, 1, length, file), ==, length);
    g_assert_cmpint(fclose(file), ==, 0);
    g_autoptr(AditVerdicts) loaded = load_verdicts();

    if (loaded != NULL)
        g_test_message("taken for whole: %.*s", (int) length, text);
    g_assert_null(loaded);
}

static void
test_damaged(void)
{
    g_autoptr(AditVerdicts) verdicts = make_verdicts();
    g_autofree char *path = adit_verdicts_get_path(verdicts);
    g_autofree char *text = NULL;
    gsize length;

    g_assert_true(adit_verdicts_save(verdicts, NULL));
    g_assert_true(g_file_get_contents(path, &text, &length, NULL));
    g_assert_cmpint(text[length - 1], ==, '\n');
    for (gsize i = 0; i < length; i++) {
        g_autofree char *copy = g_memdup2(text, length);

        if (i < length - 1) /* the newline says nothing */
            assert_damaged(path, text, i);
        for (guint bit = 0; bit < 8; bit++) {
            copy[i] = (char) (text[i] ^ (1 << bit));
            assert_damaged(path, copy, length);
        }
    }
    assert_damaged(path, "", 0);
    g_assert_cmpint(g_unlink(path), ==, 0);
    g_assert_null(load_verdicts());
}

static void
test_not_writable(void)
{
    g_autoptr(AditVerdicts) verdicts = make_verdicts();
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = g_build_filename(g_get_user_cache_dir(), "adit", NULL);

    g_assert_true(adit_folder_remove(folder, NULL));
    g_assert_true(g_file_set_contents(folder, "in the way", -1, NULL));
    g_assert_null(load_verdicts());
    g_assert_false(adit_verdicts_save(verdicts, &error));
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_OUTPUT);
    g_assert_cmpint(g_unlink(folder), ==, 0);
}

/* A quick test that found nothing does not clear what a full one found. */
static void
test_keeps_worse(void)
{
    g_autoptr(AditVerdicts) full = make_verdicts();
    g_autoptr(AditVerdicts) quick = adit_verdicts_new("6d657361-3232", "driver");

    adit_verdicts_set_full(full, TRUE);
    adit_verdicts_set(quick, "gelu", ADIT_FORM_OPTIMISED);
    adit_verdicts_set(quick, "matmul", ADIT_FORM_NONE);
    adit_verdicts_set(quick, "exp", ADIT_FORM_OPTIMISED);
    adit_verdicts_keep_worse(quick, full);
    g_assert_true(adit_verdicts_is_full(quick));
    assert_form(quick, "gelu", ADIT_FORM_PLAIN);
    assert_form(quick, "matmul", ADIT_FORM_NONE);
    assert_form(quick, "exp", ADIT_FORM_OPTIMISED);
    assert_form(quick, "reduce-sum", ADIT_FORM_SUBGROUP);
}

static void
test_apply(void)
{
    g_autoptr(AditVerdicts) verdicts = make_verdicts();
    g_autoptr(FalseDevice) device = false_device_new();
    g_autoptr(GPtrArray) plainer = adit_selftest_apply(ADIT_DEVICE(device), verdicts);

    g_assert_cmpuint(plainer->len, ==, 2);
    g_assert_cmpstr(plainer->pdata[0], ==, "gelu");
    g_assert_cmpstr(plainer->pdata[1], ==, "pow");
    g_assert_cmpint(false_device_get_form(device, "gelu"), ==, ADIT_FORM_PLAIN);
    g_assert_cmpint(false_device_get_form(device, "matmul"), ==, ADIT_FORM_OPTIMISED);
    g_assert_cmpint(false_device_get_form(device, "reduce-sum"), ==, ADIT_FORM_SUBGROUP);
}

static void
test_noted(void)
{
    g_autoptr(FalseDevice) device = false_device_new();
    g_autoptr(AditVerdicts) verdicts = adit_verdicts_new("device", "driver");

    false_device_spoil(device, "gelu", BIT(ADIT_FORM_OPTIMISED), FALSE_ADDS);
    false_device_spoil(device, "concat", ALL_FORMS, FALSE_ADDS);
    g_autoptr(GPtrArray) results = run_false(device);

    adit_selftest_note(results, verdicts);
    assert_form(verdicts, "gelu", ADIT_FORM_PLAIN);
    assert_form(verdicts, "concat", ADIT_FORM_NONE);
    assert_form(verdicts, "exp", ADIT_FORM_OPTIMISED);
}

int
main(int argc, char *argv[])
{
    static const char *const wrong[] = {"matmul", "tanh",          "moments-gradient",
                                        "concat", "noise-uniform", "layer-norm-gradient"};
    g_autofree char *cache = g_dir_make_tmp("adit-selftest-XXXXXX", NULL);

    g_setenv("XDG_CACHE_HOME", cache, TRUE);
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/selftest/cpu/quick", NULL, test_cpu);
    g_test_add_data_func("/selftest/cpu/full", "full", test_cpu);
    g_test_add_data_func("/selftest/covers-all/quick", NULL, test_covers_all);
    g_test_add_data_func("/selftest/covers-all/full", "full", test_covers_all);
    g_test_add_func("/selftest/what-is-fed", test_what_is_fed);
    for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autofree char *path = g_strdup_printf("/selftest/wrong/%s", wrong[i]);

        g_test_add_data_func(path, wrong[i], test_wrong_kernel);
    }
    g_test_add_func("/selftest/wrong-combine", test_wrong_combine);
    g_test_add_func("/selftest/wrong-kinds", test_wrong_kinds);
    g_test_add_func("/selftest/falls-back", test_falls_back);
    g_test_add_func("/selftest/falls-back-below", test_falls_back_below);
    g_test_add_func("/selftest/tries-again", test_tries_again);
    g_test_add_func("/selftest/refuses", test_refuses);
    g_test_add_func("/selftest/lost", test_lost);
    g_test_add_func("/selftest/one", test_one);
    g_test_add_func("/verdicts/round-trip", test_round_trip);
    g_test_add_func("/verdicts/foreign", test_foreign);
    g_test_add_func("/verdicts/damaged", test_damaged);
    g_test_add_func("/verdicts/not-writable", test_not_writable);
    g_test_add_func("/verdicts/keeps-worse", test_keeps_worse);
    g_test_add_func("/verdicts/apply", test_apply);
    g_test_add_func("/verdicts/noted", test_noted);
    int code = g_test_run();

    adit_folder_remove(cache, NULL);
    return code;
}
