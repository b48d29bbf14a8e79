/* core/tool/adit-start.c - SPDX-License-Identifier: MIT */
#include "adit-tool.h"

#include "adit-component-private.h"
#include "adit-json.h"
#include "adit-registry.h"

#include <string.h>

/* ---- what run.json keeps ---- */

static JsonArray *
make_numbers(const double *values, gsize n)
{
    JsonArray *array = json_array_new();

    for (gsize i = 0; i < n; i++)
        json_array_add_double_element(array, values[i]);
    return array;
}

/* What a network without an idea gets: share of the commonest class of each split. */
static JsonObject *
describe_classes(const AditData *data)
{
    const AditSplit *const splits[] = {&data->train, &data->validation, &data->test};
    static const char *const names[] = {"train", "validation", "test"};
    JsonObject *shares = json_object_new();

    for (guint i = 0; i < G_N_ELEMENTS(splits); i++) {
        if (splits[i]->rows > 0)
            adit_json_set_double(shares, names[i], adit_split_get_commonest_share(splits[i]));
    }
    return shares;
}

static JsonArray *
describe_data(GPtrArray *data)
{
    JsonArray *sets = json_array_new();

    for (guint i = 0; i < data->len; i++) {
        const AditData *each = data->pdata[i];
        const AditStandardization *how = &each->standardization;
        JsonObject *set = json_object_new();
        JsonArray *files = json_array_new();

        for (guint j = 0; each->files[j] != NULL; j++)
            json_array_add_string_element(files, each->files[j]);
        json_object_set_string_member(set, "name", each->name);
        json_object_set_string_member(set, "fingerprint", each->fingerprint);
        json_object_set_array_member(set, "files", files);
        adit_json_set_unsigned(set, "train", each->train.rows);
        adit_json_set_unsigned(set, "validation", each->validation.rows);
        adit_json_set_unsigned(set, "test", each->test.rows);
        if (each->train.classes > 0)
            json_object_set_object_member(set, "commonest-class", describe_classes(each));
        if (how->count > 0) {
            JsonObject *kept = json_object_new();

            adit_json_set_unsigned(kept, "inner", how->inner);
            json_object_set_array_member(kept, "mean", make_numbers(how->mean, how->count));
            json_object_set_array_member(kept, "scale", make_numbers(how->scale, how->count));
            json_object_set_object_member(set, "standardization", kept);
        }
        json_array_add_object_element(sets, set);
    }
    return sets;
}

static void
describe_device(const AditInvocation *invocation, AditDevice *device, JsonObject *details)
{
    JsonObject *object = json_object_new();

    adit_device_describe(device, object);
    if (invocation->kernels != NULL)
        json_object_set_object_member(object, "kernels", json_object_ref(invocation->kernels));
    json_object_set_object_member(details, "device", object);
}

/* Versions of the plugins: all that are installed, as any may stand in the pipeline's parts. */
static JsonObject *
describe_plugins(void)
{
    JsonObject *object = json_object_new();
    const GPtrArray *plugins = adit_registry_load_all(adit_registry_get());

    for (guint i = 0; i < plugins->len; i++) {
        const AditPlugin *plugin = plugins->pdata[i];
        g_autofree char *name = g_strdup_printf("%s-%s", plugin->kind, plugin->name);

        if (plugin->reason == NULL)
            json_object_set_string_member(object, name, plugin->version);
    }
    return object;
}

static JsonObject *
describe(const AditInvocation *invocation, GPtrArray *data, AditDevice *device)
{
    JsonObject *details = json_object_new();
    const AditOptions *options = &invocation->options;

    describe_device(invocation, device, details);
    json_object_set_array_member(details, "data", describe_data(data));
    json_object_set_object_member(details, "plugins", describe_plugins());
    /* they change the numbers, so that resuming keeps them */
    adit_json_set_unsigned(details, "limit-batches", options->limit_batches);
    adit_json_set_unsigned(details, "overfit-batches", options->overfit_batches);
    return details;
}

/* ---- a new run ---- */

/* Whether there is a run in @folder. */
static gboolean
is_run(const char *folder)
{
    g_autofree char *record = g_build_filename(folder, "run.json", NULL);

    return g_file_test(record, G_FILE_TEST_EXISTS);
}

/* The short name of a pipeline: its file's, without its ending. */
static char *
make_name(const char *path)
{
    char *name = g_path_get_basename(path);
    char *dot = strrchr(name, '.');

    if (dot != NULL && dot != name)
        *dot = '\0';
    return name;
}

/* As given, one a line: "depth=3", "-o train.epochs=5". */
static GStrv
list_overrides(const AditInvocation *self)
{
    GStrvBuilder *builder = g_strv_builder_new();

    for (guint i = 0; self->overrides->pdata[i] != NULL; i++) {
        const char *word = self->overrides->pdata[i];
        g_autofree char *path = NULL;

        if (g_str_equal(word, "-o"))
            word = path = g_strconcat("-o ", self->overrides->pdata[++i], NULL);
        if (*word != '\0')
            g_strv_builder_add(builder, word);
    }
    GStrv overrides = g_strv_builder_end(builder);

    g_strv_builder_unref(builder);
    return overrides;
}

static AditRun *
create_run(AditInvocation *self, const AditExperiment *experiment, const AditCheck *check,
           GPtrArray *data, AditDevice *device, GError **error)
{
    g_autofree char *name = make_name(experiment->path);
    g_auto(GStrv) overrides = list_overrides(self);
    g_autoptr(JsonObject) details = describe(self, data, device);
    AditRunSetup setup = {
        .folder = self->options.run_dir,
        .parent = self->options.runs,
        .name = name,
        .seed = experiment->seed,
        .config = experiment->text,
        .resolved = experiment->resolved,
        .overrides = (const char *const *) overrides,
        .command_line = self->command_line,
        .details = details,
    };

    adit_json_set_unsigned(details, "parameters", check->parameters);
    return adit_run_create(&setup, error);
}

static void
tell_dry_run(AditInvocation *self, const AditCheck *check, GPtrArray *data)
{
    g_autofree char *parameters = adit_tool_format_count(check->parameters);
    const AditData *first = data->pdata[0];
    g_autofree char *rows = adit_tool_format_count(first->train.rows);

    adit_terminal_print(&self->terminal,
                        "%s: ok: %s parameters, %s rows to train on; nothing was started\n",
                        (const char *) self->arguments->pdata[0], parameters, rows);
}

/* Whether the other session's data is what would be opened. */
static gboolean
shares_data(const AditSession *self)
{
    const AditSession *other = self->other;
    gboolean same = other != NULL && other->data != NULL &&
                    other->experiment->datasets->len == self->experiment->datasets->len &&
                    g_strcmp0(adit_tool_get_data_folder(self->invocation),
                              adit_tool_get_data_folder(other->invocation)) == 0;

    for (guint i = 0; same && i < self->experiment->datasets->len; i++)
        same = adit_component_equal(self->experiment->datasets->pdata[i],
                                    other->experiment->datasets->pdata[i]);
    return same;
}

gboolean
adit_session_open_data(AditSession *self, GError **error)
{
    self->data = shares_data(self)
                     ? g_ptr_array_ref(self->other->data)
                     : adit_tool_open_data(self->invocation, self->experiment, NULL, error);
    return self->data != NULL;
}

/* Everything that can be found wrong before anything is started is looked at here. */
static gboolean
start(AditSession *self, const char *path, GError **error)
{
    AditInvocation *invocation = self->invocation;
    const AditOptions *options = &invocation->options;
    g_auto(AditCheck) check = {0};
    double max_time;

    if (self->device == NULL)
        self->device = adit_tool_open_silently(invocation, error);
    if (self->device == NULL ||
        (options->max_time != NULL &&
         !adit_tool_parse_time("max-time", options->max_time, &max_time, error)))
        return FALSE;
    self->experiment = adit_tool_read_ready(invocation, path, &check, error);
    if (self->experiment == NULL)
        return FALSE;
    if (self->experiment->stages->len == 0) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "%s has no section 'train': nothing to run; adit eval and adit predict take it",
                    path);
        return FALSE;
    }
    if (!adit_session_open_data(self, error))
        return FALSE;
    if (options->dry_run) {
        tell_dry_run(invocation, &check, self->data);
        return TRUE;
    }
    self->run = create_run(invocation, self->experiment, &check, self->data, self->device, error);
    return self->run != NULL;
}

gboolean
adit_session_begin(AditSession *self, GError **error)
{
    const AditOptions *options = &self->invocation->options;
    const char *path = self->invocation->arguments->pdata[0];

    if (options->resume == ADIT_RESUME_NEVER)
        return start(self, path, error);
    if (options->run_dir == NULL) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "'--resume' needs the run's directory: --run-dir DIR");
        return FALSE;
    }
    if (is_run(options->run_dir))
        return adit_session_take_up(self, options->run_dir, path, error);
    if (options->resume == ADIT_RESUME_MUST) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_NOT_FOUND, "no run in '%s'", options->run_dir);
        return FALSE;
    }
    return start(self, path, error);
}
