/* core/tool/adit-tool.c - SPDX-License-Identifier: MIT */
#include "adit-tool.h"

#include "adit-devices.h"
#include "adit-json.h"
#include "adit-settings.h"
#include "adit-weights.h"

#include <math.h>
#include <string.h>

const char *
adit_tool_get_data_folder(const AditInvocation *self)
{
    const char *folder = self->options.data != NULL ? self->options.data : g_getenv("ADIT_DATA");

    return folder != NULL && *folder != '\0' ? folder : NULL;
}

gboolean
adit_tool_fail_told(int code, GError **error)
{
    g_set_error_literal(error, ADIT_ERROR, code, "");
    return FALSE;
}

/* Messages as JSON on standard output, besides those for people. */
static void
print_messages(AditInvocation *self, const char *path, const AditDiagnostics *diagnostics)
{
    JsonObject *object = json_object_new();
    JsonArray *messages = json_array_new();
    guint n =
        adit_diagnostics_count_errors(diagnostics) + adit_diagnostics_count_warnings(diagnostics);

    for (guint i = 0; i < n; i++) {
        g_autofree char *line = adit_diagnostics_get_line(diagnostics, i);

        json_array_add_string_element(messages, line);
    }
    json_object_set_string_member(object, "file", path);
    json_object_set_boolean_member(object, "ok", FALSE);
    json_object_set_array_member(object, "messages", messages);
    adit_tool_print_json(self, object);
}

/* Tells what was found; FALSE if there is an error among it. */
static gboolean
tell_diagnostics(AditInvocation *self, const char *path, const AditDiagnostics *diagnostics,
                 GError **error)
{
    adit_terminal_show(&self->terminal, diagnostics);
    if (adit_diagnostics_count_errors(diagnostics) == 0)
        return TRUE;
    if (self->options.json)
        print_messages(self, path, diagnostics);
    return adit_tool_fail_told(adit_diagnostics_get_code(diagnostics), error);
}

/* A pipeline file that cannot be read at all has no line to point at. */
static gboolean
check_file(const char *path, GError **error)
{
    if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_NOT_FOUND, "no file '%s'", path);
        return FALSE;
    }
    return TRUE;
}

/* @check: (nullable) */
static AditExperiment *
read_experiment(AditInvocation *self, const char *path, AditCheck *check, gboolean begins,
                GError **error)
{
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();
    const char *folder = adit_tool_get_data_folder(self);

    if (!check_file(path, error))
        return NULL;
    g_autoptr(AditExperiment) experiment =
        adit_experiment_read(path, (const char *const *) self->overrides->pdata,
                             adit_invocation_get_first_word(self), folder, diagnostics);

    if (experiment != NULL && check != NULL) {
        adit_terminal_begin_wait(&self->terminal, "checking the pipeline against its data");
        adit_check_experiment(experiment, folder, check, diagnostics);
        adit_terminal_end_wait(&self->terminal);
    }
    if (experiment != NULL && begins && experiment->from != NULL)
        adit_weights_check_from(experiment, check->graph, diagnostics);
    if (!tell_diagnostics(self, path, diagnostics, error)) {
        if (check != NULL)
            adit_check_clear(check);
        return NULL;
    }
    return g_steal_pointer(&experiment);
}

AditExperiment *
adit_tool_read(AditInvocation *self, const char *path, GError **error)
{
    return read_experiment(self, path, NULL, FALSE, error);
}

AditExperiment *
adit_tool_read_checked(AditInvocation *self, const char *path, AditCheck *check, GError **error)
{
    *check = (AditCheck){0};
    return read_experiment(self, path, check, FALSE, error);
}

AditExperiment *
adit_tool_read_shaped(AditInvocation *self, const char *path, AditCheck *check, GError **error)
{
    g_autoptr(AditExperiment) experiment = adit_tool_read_checked(self, path, check, error);

    if (experiment == NULL || check->graph != NULL)
        return g_steal_pointer(&experiment);
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                "%s has no section 'data': the shapes are not known", path);
    return NULL;
}

AditExperiment *
adit_tool_read_ready(AditInvocation *self, const char *path, AditCheck *check, GError **error)
{
    *check = (AditCheck){0};
    return read_experiment(self, path, check, TRUE, error);
}

AditStudyPlan *
adit_tool_read_plan(AditInvocation *self, const char *path, AditStudy **study, GError **error)
{
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();
    g_autoptr(AditStudyPlan) plan = NULL;

    *study = NULL;
    if (!check_file(path, error))
        return NULL;
    g_autoptr(AditStudy) read = adit_study_read(path, (const char *const *) self->overrides->pdata,
                                                adit_invocation_get_first_word(self), diagnostics);

    if (read != NULL)
        plan = adit_study_plan_new(read, adit_tool_get_data_folder(self), diagnostics);
    if (!tell_diagnostics(self, path, diagnostics, error))
        return NULL;
    *study = g_steal_pointer(&read);
    return g_steal_pointer(&plan);
}

guint
adit_tool_get_threads(const AditInvocation *self)
{
    return (guint) MIN(self->options.threads, G_MAXUINT16);
}

AditDevice *
adit_tool_open_untested(AditInvocation *self, GError **error)
{
    const char *name = self->options.device;
    const char *source = name != NULL ? "--device" : "ADIT_DEVICE";
    g_autoptr(GError) failure = NULL;

    if (name == NULL)
        name = g_getenv("ADIT_DEVICE");
    g_clear_pointer(&self->device_note, g_free);
    AditDevice *device =
        adit_device_open(name, adit_tool_get_threads(self), &self->device_note, &failure);

    if (g_error_matches(failure, ADIT_ERROR, ADIT_ERROR_INVALID))
        g_prefix_error(&failure, "%s: ", source);
    if (failure != NULL)
        g_propagate_error(error, g_steal_pointer(&failure));
    return device;
}

AditDevice *
adit_tool_open_silently(AditInvocation *self, GError **error)
{
    g_autoptr(AditDevice) device = adit_tool_open_untested(self, error);

    if (device == NULL || !adit_tool_check_kernels(self, &device, error))
        return NULL;
    return g_steal_pointer(&device);
}

void
adit_tool_tell_device_note(AditInvocation *self)
{
    g_autofree char *note = g_steal_pointer(&self->device_note);

    if (note != NULL)
        adit_terminal_say(&self->terminal, "%s", note);
}

AditDevice *
adit_tool_open_device(AditInvocation *self, GError **error)
{
    AditDevice *device = adit_tool_open_silently(self, error);

    if (device != NULL)
        adit_tool_tell_device_note(self);
    return device;
}

/* What the inputs of set @index were standardised by when the run began; FALSE: nothing is kept. */
static gboolean
find_standardization(JsonObject *run, guint index, AditStandardization *found)
{
    JsonArray *sets = run != NULL ? adit_json_get_array(run, "data") : NULL;
    JsonObject *set = sets != NULL && index < json_array_get_length(sets)
                          ? json_array_get_object_element(sets, index)
                          : NULL;
    JsonObject *kept = set != NULL ? adit_json_get_object(set, "standardization") : NULL;
    JsonArray *mean = kept != NULL ? adit_json_get_array(kept, "mean") : NULL;
    JsonArray *scale = kept != NULL ? adit_json_get_array(kept, "scale") : NULL;
    guint64 inner = 1;

    if (mean == NULL || scale == NULL || !adit_json_get_unsigned(kept, "inner", &inner) ||
        json_array_get_length(mean) != json_array_get_length(scale))
        return FALSE;
    found->count = json_array_get_length(mean);
    found->inner = MAX(inner, 1);
    found->mean = g_new(double, found->count);
    found->scale = g_new(double, found->count);
    for (guint i = 0; i < found->count; i++) {
        found->mean[i] = json_array_get_double_element(mean, i);
        found->scale[i] = json_array_get_double_element(scale, i);
    }
    return TRUE;
}

static AditData *
open_set(AditInvocation *self, AditDataset *dataset, JsonObject *run, guint index, GError **error)
{
    AditStandardization kept = {0};
    gboolean is_kept = find_standardization(run, index, &kept);
    gboolean standardized =
        adit_dataset_get_settings(dataset)->standardize != ADIT_STANDARDIZE_NONE;
    AditData *data =
        adit_data_open_as(dataset, adit_tool_get_data_folder(self), adit_tool_get_threads(self),
                          is_kept && standardized ? &kept : NULL, error);

    if (data != NULL && is_kept && !standardized)
        adit_terminal_warn(&self->terminal,
                           "the network was trained on standardised inputs, those of '%s' are as "
                           "they are; set 'standardize'",
                           data->name);
    adit_standardization_clear(&kept);
    return data;
}

GPtrArray *
adit_tool_open_data(AditInvocation *self, const AditExperiment *experiment, JsonObject *run,
                    GError **error)
{
    g_autoptr(GPtrArray) sets = g_ptr_array_new_with_free_func((GDestroyNotify) adit_data_free);
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();
    const char *folder = adit_tool_get_data_folder(self);

    for (guint i = 0; i < experiment->datasets->len; i++) {
        AditDataset *dataset = experiment->datasets->pdata[i];
        g_autoptr(GError) failure = NULL;

        adit_terminal_begin_wait(&self->terminal, "reading data");
        AditData *data = open_set(self, dataset, run, i, &failure);

        adit_terminal_end_wait(&self->terminal);
        if (data != NULL)
            g_ptr_array_add(sets, data);
        else
            adit_check_report_data(experiment, dataset, folder, failure, diagnostics);
    }
    return tell_diagnostics(self, experiment->path, diagnostics, error) ? g_steal_pointer(&sets)
                                                                        : NULL;
}

gboolean
adit_tool_parse_share(const char *option, const char *text, double *share, GError **error)
{
    char *end;
    double value = g_ascii_strtod(text, &end);

    if (g_str_equal(end, "%"))
        value /= 100;
    if (end != text && (*end == '\0' || g_str_equal(end, "%")) && value >= 0 && value <= 1) {
        *share = value;
        return TRUE;
    }
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                "'--%s' must be a share of 100%% at most, like 0.5%%, got \"%s\"", option, text);
    return FALSE;
}

gboolean
adit_tool_parse_time(const char *option, const char *text, double *seconds, GError **error)
{
    static const struct {
        const char *name;
        double seconds;
    } units[] = {{"ms", 1e-3}, {"s", 1}, {"min", 60}, {"h", 3600}};
    char *end;
    double value = g_ascii_strtod(text, &end);

    for (guint i = 0; end != text && i < G_N_ELEMENTS(units); i++) {
        const char *unit = end + strspn(end, " ");

        if (g_str_equal(unit, units[i].name) && isfinite(value) && value > 0) {
            *seconds = value * units[i].seconds;
            return TRUE;
        }
    }
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                "'--%s' must be a time like 30 s, 5 min or 2 h, got \"%s\"", option, text);
    return FALSE;
}

char *
adit_tool_format_seconds(double seconds)
{
    guint64 whole = (guint64) (seconds + 0.5);
    guint hours = (guint) (whole / 3600), minutes = (guint) (whole / 60 % 60);

    if (!isfinite(seconds))
        return g_strdup("-:--");
    if (hours > 0)
        return g_strdup_printf("%u:%02u:%02u", hours, minutes, (guint) (whole % 60));
    return g_strdup_printf("%u:%02u", minutes, (guint) (whole % 60));
}

char *
adit_tool_format_count(guint64 count)
{
    g_autofree char *digits = g_strdup_printf("%" G_GUINT64_FORMAT, count);
    gsize length = strlen(digits);
    GString *text = g_string_new(NULL);

    for (gsize i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            g_string_append_c(text, ',');
        g_string_append_c(text, digits[i]);
    }
    return g_string_free(text, FALSE);
}

static gsize
find_width(GPtrArray *table, guint column)
{
    gsize width = 0;

    for (guint i = 0; i < table->len; i++) {
        char **row = table->pdata[i];

        width = MAX(width, (gsize) g_utf8_strlen(row[column], -1));
    }
    return width;
}

void
adit_tool_print_table(AditInvocation *self, GPtrArray *table, const char *align)
{
    gsize n = strlen(align);

    for (guint i = 0; i < table->len; i++) {
        char **row = table->pdata[i];
        g_autoptr(GString) line = g_string_new(NULL);

        for (guint j = 0; j < n; j++) {
            int missing = (int) (find_width(table, j) - (gsize) g_utf8_strlen(row[j], -1));
            gboolean right = align[j] == 'r';

            g_string_append_printf(line, "%s%*s%s%*s", j > 0 ? "  " : "", right ? missing : 0, "",
                                   row[j], right ? 0 : missing, "");
        }
        adit_terminal_print(&self->terminal, "%s\n", g_strchomp(line->str));
    }
}

void
adit_tool_print_json(AditInvocation *self, JsonObject *object)
{
    g_autofree char *text = adit_json_to_text(object);

    adit_terminal_print(&self->terminal, "%s", text);
    json_object_unref(object);
}
