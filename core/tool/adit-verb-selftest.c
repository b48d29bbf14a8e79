/* core/tool/adit-verb-selftest.c - SPDX-License-Identifier: MIT */
#include "adit-tool.h"

#include "adit-json.h"
#include "adit-selftest.h"

#define BAR_INTERVAL (G_USEC_PER_SEC / 10)

/**
 * Counts: of kernels.
 * @plainer: well by a plainer form than the best
 */
typedef struct {
    guint well;
    guint plainer;
    guint failed;
} Counts;

static Counts
count(const GPtrArray *results)
{
    Counts counts = {0};

    for (guint i = 0; i < results->len; i++) {
        const AditSelftestResult *result = results->pdata[i];

        counts.failed += result->form == ADIT_FORM_NONE;
        counts.well += result->form != ADIT_FORM_NONE;
        counts.plainer += result->fell_back;
    }
    return counts;
}

/* ---- progress ---- */

typedef struct {
    AditTerminal *terminal;
    gint64 drawn; /* monotonic time */
} Progress;

static void
tell_progress(const AditSelftestOutcome *outcome, gpointer user_data)
{
    Progress *self = user_data;
    gint64 now = g_get_monotonic_time();

    if (!outcome->passed) {
        g_autofree char *text = adit_selftest_outcome_describe(outcome);

        g_info("%s: %s", outcome->kernel, text);
    }
    if (!self->terminal->bar || now - self->drawn < BAR_INTERVAL)
        return;
    g_autofree char *text = g_strdup_printf("testing %s", outcome->kernel);

    adit_terminal_draw_bar(self->terminal, text);
    self->drawn = now;
}

/* ---- telling ---- */

/* "vulkan:0, NVIDIA H200, driver NVIDIA 550.54.15", "cpu, avx2" */
static char *
make_title(AditDevice *device)
{
    g_autoptr(JsonObject) object = json_object_new();

    adit_device_describe(device, object);
    const char *name = adit_json_get_text(object, "name");
    const char *driver = adit_json_get_text(object, "driver");

    if (driver == NULL)
        return g_strdup_printf("%s, %s", name, adit_json_get_text(object, "instruction-set"));
    return g_strdup_printf("%s, %s, driver %s %s", name, adit_json_get_text(object, "device"),
                           driver, adit_json_get_text(object, "driver-version"));
}

static void
print_results(AditInvocation *self, AditDevice *device, const GPtrArray *results)
{
    Counts counts = count(results);
    g_autofree char *title = make_title(device);

    for (guint i = 0; i < results->len; i++) {
        const AditSelftestResult *result = results->pdata[i];
        g_autofree char *text = adit_selftest_outcome_describe(result->worst);

        if (result->form == ADIT_FORM_NONE)
            adit_terminal_print(&self->terminal, "%s: wrong: %s\n", result->kernel, text);
        else if (result->fell_back)
            adit_terminal_print(&self->terminal, "%s: %s; a better form was wrong: %s\n",
                                result->kernel, adit_kernel_form_get_name(result->form), text);
    }
    adit_terminal_print(&self->terminal, "%u kernels, %u well; %u by a plainer form; %s\n",
                        results->len, counts.well, counts.plainer, title);
}

static JsonObject *
describe_result(const AditSelftestResult *result, gboolean has_forms)
{
    JsonObject *object = json_object_new();
    const AditSelftestOutcome *worst = result->worst;

    json_object_set_string_member(object, "name", result->kernel);
    json_object_set_boolean_member(object, "well", result->form != ADIT_FORM_NONE);
    if (has_forms)
        json_object_set_string_member(object, "form", adit_kernel_form_get_name(result->form));
    json_object_set_boolean_member(object, "fell-back", result->fell_back);
    adit_json_set_unsigned(object, "runs", result->n_runs);
    json_object_set_string_member(object, "shapes", worst->shapes);
    adit_json_set_unsigned(object, "rows", worst->rows);
    if (worst->reason != NULL) {
        json_object_set_string_member(object, "reason", worst->reason);
        return object;
    }
    adit_json_set_double(object, "error", worst->error);
    adit_json_set_double(object, "limit", worst->limit);
    adit_json_set_unsigned(object, "index", worst->index);
    adit_json_set_double(object, "got", worst->got);
    adit_json_set_double(object, "expected", worst->expected);
    return object;
}

static void
print_results_json(AditInvocation *self, AditDevice *device, const GPtrArray *results)
{
    Counts counts = count(results);
    JsonObject *object = json_object_new(), *described = json_object_new();
    JsonArray *kernels = json_array_new();

    adit_device_describe(device, described);
    for (guint i = 0; i < results->len; i++)
        json_array_add_object_element(
            kernels, describe_result(results->pdata[i], adit_tool_has_forms(device)));
    json_object_set_object_member(object, "device", described);
    json_object_set_boolean_member(object, "full", self->options.full);
    adit_json_set_unsigned(object, "well", counts.well);
    adit_json_set_unsigned(object, "plainer", counts.plainer);
    adit_json_set_unsigned(object, "failed", counts.failed);
    json_object_set_array_member(object, "kernels", kernels);
    adit_tool_print_json(self, object);
}

static gboolean
judge(const AditInvocation *self, const GPtrArray *results, GError **error)
{
    Counts counts = count(results);

    if (counts.failed > 0)
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_CHECK,
                    "%u of %u kernels compute wrongly in all forms", counts.failed, results->len);
    else if (counts.plainer > 0 && self->options.strict_device)
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_CHECK,
                    "%u of %u kernels compute rightly by a plainer form alone", counts.plainer,
                    results->len);
    else
        return TRUE;
    return FALSE;
}

static gboolean
run(AditInvocation *self, GError **error)
{
    AditSelftestOptions options = {.full = self->options.full};
    Progress progress = {.terminal = &self->terminal};
    g_autoptr(AditDevice) device = adit_tool_open_untested(self, error);

    if (device == NULL)
        return FALSE;
    adit_tool_tell_device_note(self);
    g_autoptr(GPtrArray) results =
        adit_selftest_run(device, &options, tell_progress, &progress, error);

    adit_terminal_clear_bar(&self->terminal);
    if (results == NULL)
        return FALSE;
    if (adit_tool_has_forms(device))
        adit_verdicts_free(adit_tool_save_verdicts(self, device, results, self->options.full));
    if (self->options.json)
        print_results_json(self, device, results);
    else
        print_results(self, device, results);
    return judge(self, results, error);
}

const AditVerb adit_verb_selftest = {
    .name = "selftest",
    .usage = "[options]",
    .summary = "test whether a device computes rightly",
    .about =
        "Runs every kernel of a device on small shapes and on numbers that are easily got wrong, "
        "and compares with the CPU in float64. It prints a line for each kernel that is not well, "
        "then a summary, and exits with 10 if one is wrong.\n"
        "The kernels of a Vulkan device have up to three forms; the first that is right is taken. "
        "What was found is kept for this device, driver and version of Adit, and used by 'adit "
        "run', 'resume', 'eval' and 'predict', which test a device themselves when they use it for "
        "the first time. If a kernel is wrong in all forms they compute on the CPU.",
    .options = (const char *const[]){"device", "threads", "full", "strict-device", "json", "color",
                                     "progress", "quiet", "verbose", "help", NULL},
    .run = run,
};
