/* core/tool/adit-resume.c - SPDX-License-Identifier: MIT */
#include "adit-tool.h"

#include "adit-checkpoint.h"
#include "adit-devices.h"
#include "adit-json.h"

/* What run.json keeps of the device the run began on. (nullable) */
static JsonObject *
get_began(AditRun *run)
{
    return adit_json_get_object(adit_run_get_members(run), "device");
}

/* How that device is named; a Vulkan device by its UUID, as its number may be another's today.
 * (nullable) */
static char *
make_name(JsonObject *began)
{
    const char *name = adit_json_get_text(began, "name");
    const char *uuid = adit_json_get_text(began, "uuid");

    if (name != NULL && uuid != NULL && g_str_has_prefix(name, "vulkan"))
        return g_strconcat("vulkan:uuid=", uuid, NULL);
    return g_strdup(name);
}

/* Bits depend on device, instruction set, path and what computes convolutions: those the run began
 * with are taken. */
static AditDevice *
open_untested(AditInvocation *self, AditRun *run, GError **error)
{
    JsonObject *began = get_began(run);
    const char *set = began != NULL ? adit_json_get_text(began, "instruction-set") : NULL;
    const char *path = began != NULL ? adit_json_get_text(began, "path") : NULL;
    const char *convolutions = began != NULL ? adit_json_get_text(began, "convolutions") : NULL;
    g_autofree char *name = began != NULL ? make_name(began) : NULL;
    g_autoptr(GError) failure = NULL;

    if (set != NULL)
        g_setenv("ADIT_ISA", set, FALSE);
    if (g_strcmp0(path, "plain") == 0)
        g_setenv("ADIT_FUSE", "0", FALSE);
    if (g_strcmp0(convolutions, ADIT_CPU_BUILT_IN) == 0)
        g_setenv("ADIT_CONVOLUTIONS", convolutions, FALSE);
    if (self->options.device != NULL || name == NULL)
        return adit_tool_open_untested(self, error);
    AditDevice *device = adit_device_open(name, adit_tool_get_threads(self), NULL, &failure);

    if (g_error_matches(failure, ADIT_ERROR, ADIT_ERROR_NO_DEVICE)) {
        g_info("%s", failure->message);
        return adit_device_open("auto", adit_tool_get_threads(self), NULL, error);
    }
    if (failure != NULL)
        g_propagate_error(error, g_steal_pointer(&failure));
    return device;
}

static AditDevice *
open_device(AditInvocation *self, AditRun *run, GError **error)
{
    g_autoptr(AditDevice) device = open_untested(self, run, error);

    if (device == NULL || !adit_tool_check_kernels(self, &device, error))
        return NULL;
    return g_steal_pointer(&device);
}

/* What decides about the last bits beside the device itself, and is told where it differs. */
typedef struct {
    gboolean convolutions;
    gboolean path;
} Differing;

/* ", convolutions by oneDNN 2.6.3, path plain" */
static char *
make_tail(JsonObject *device, const Differing *differing)
{
    const char *convolutions = adit_json_get_text(device, "convolutions");
    GString *text = g_string_new(NULL);

    if (differing->convolutions && g_strcmp0(convolutions, ADIT_CPU_BUILT_IN) == 0)
        g_string_append(text, ", built-in convolutions");
    else if (differing->convolutions)
        g_string_append_printf(text, ", convolutions by %s", convolutions);
    if (differing->path)
        g_string_append_printf(text, ", path %s", adit_json_get_text(device, "path"));
    return g_string_free(text, FALSE);
}

/* "cpu (avx2)", "vulkan:0 (NVIDIA H200, driver NVIDIA 550.54.15)", "cpu (avx2, path plain)" */
static char *
make_title(JsonObject *device, const Differing *differing)
{
    g_autofree char *tail = make_tail(device, differing);
    const char *name = adit_json_get_text(device, "name");
    const char *model = adit_json_get_text(device, "device");
    const char *driver = adit_json_get_text(device, "driver");
    const char *version = adit_json_get_text(device, "driver-version");
    const char *set = adit_json_get_text(device, "instruction-set");

    name = name != NULL ? name : "an unknown device";
    if (model != NULL)
        return g_strdup_printf("%s (%s, driver %s %s%s)", name, model, driver != NULL ? driver : "",
                               version != NULL ? version : "", tail);
    return set != NULL ? g_strdup_printf("%s (%s%s)", name, set, tail)
                       : g_strconcat(name, tail, NULL);
}

/* Whether both say something else of it; what a run of an older version, or another kind of device,
 * does not say nobody can compare. */
static gboolean
differs(JsonObject *began, JsonObject *now, const char *key)
{
    const char *before = began != NULL ? adit_json_get_text(began, key) : NULL;
    const char *after = adit_json_get_text(now, key);

    return before != NULL && after != NULL && !g_str_equal(before, after);
}

/* The device as run.json is to keep it. What computes convolutions is asked for only if the run has
 * some. */
static JsonObject *
describe(AditDevice *device, JsonObject *began)
{
    JsonObject *now = json_object_new();

    adit_device_describe(device, now);
    if (began != NULL && json_object_has_member(began, "convolutions") &&
        g_strcmp0(adit_json_get_text(now, "name"), "cpu") == 0)
        json_object_set_string_member(now, "convolutions",
                                      adit_cpu_device_get_convolutions(device));
    return now;
}

static void
compare_device(AditInvocation *self, AditRun *run, AditDevice *device)
{
    static const char *const keys[] = {"instruction-set", "uuid", "device", "driver",
                                       "driver-version"};
    JsonObject *began = get_began(run);
    g_autoptr(JsonObject) now = describe(device, began);
    Differing differing = {differs(began, now, "convolutions"), differs(began, now, "path")};
    gboolean same = !differing.convolutions && !differing.path;

    for (guint i = 0; began != NULL && i < G_N_ELEMENTS(keys); i++)
        same = same &&
               g_strcmp0(adit_json_get_text(began, keys[i]), adit_json_get_text(now, keys[i])) == 0;
    if (same)
        return;
    g_autofree char *from = make_title(began, &differing);
    g_autofree char *to = make_title(now, &differing);

    adit_terminal_warn(&self->terminal,
                       "the run began on %s, this goes on on %s: the last bits differ", from, to);
    /* whoever takes it up again stays here */
    JsonNode *node = json_node_init_object(json_node_alloc(), now);

    adit_run_set_member(run, "device", node);
}

/* A run goes on with the data it began with. */
static gboolean
compare_data(AditRun *run, GPtrArray *data, GError **error)
{
    JsonArray *sets = adit_json_get_array(adit_run_get_members(run), "data");

    for (guint i = 0; sets != NULL && i < data->len && i < json_array_get_length(sets); i++) {
        const AditData *each = data->pdata[i];
        const char *expected =
            adit_json_get_text(json_array_get_object_element(sets, i), "fingerprint");

        if (expected == NULL || g_str_equal(expected, each->fingerprint))
            continue;
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED,
                    "data '%s' is not what the run began with: got %s, expected %s", each->name,
                    each->fingerprint, expected);
        return FALSE;
    }
    return TRUE;
}

static void
tell_checkpoint(AditInvocation *self, AditRun *run)
{
    g_auto(GStrv) reasons = NULL;
    g_autofree char *found = adit_checkpoint_find(adit_run_get_folder(run), &reasons);

    for (guint i = 0; reasons != NULL && reasons[i] != NULL; i++)
        adit_terminal_warn(&self->terminal, "passed over: %s", reasons[i]);
    if (found != NULL)
        adit_terminal_say(&self->terminal, "going on from %s", found);
    else
        adit_terminal_say(&self->terminal, "no checkpoint yet: starting from the beginning");
}

/* A run goes on with the pipeline it began with. */
static gboolean
compare_config(AditRun *run, GError **error)
{
    const char *folder = adit_run_get_folder(run);
    g_autoptr(GError) failure = NULL;

    if (adit_run_check_config(folder, adit_run_get_members(run), &failure))
        return TRUE;
    g_set_error(error, failure->domain, failure->code,
                "%s; put it back (config.yaml and overrides.txt tell what it was), or begin "
                "another run with it: adit run %s/config.resolved.yaml --run-dir DIR",
                failure->message, folder);
    return FALSE;
}

/* Whether the pipeline at @path is the one the run was made of. */
static gboolean
compare_pipeline(AditInvocation *self, AditRun *run, const char *path, GError **error)
{
    g_autoptr(AditExperiment) experiment = adit_tool_read(self, path, error);
    g_autofree char *config = NULL;

    if (experiment == NULL)
        return FALSE;
    config = adit_run_read_config(run, error);
    if (config == NULL)
        return FALSE;
    if (g_str_equal(config, experiment->resolved))
        return TRUE;
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                "%s was made from another pipeline than %s with these parameters; 'adit resume' "
                "needs no file, and -o 'model={from: %s}' with another --run-dir begins a run "
                "with its weights",
                adit_run_get_folder(run), path, adit_run_get_folder(run));
    return FALSE;
}

/* The run's own pipeline has nothing left to override. */
static AditExperiment *
read_config(AditInvocation *self, AditRun *run, AditCheck *check, GError **error)
{
    g_autofree char *path =
        g_build_filename(adit_run_get_folder(run), "config.resolved.yaml", NULL);

    g_ptr_array_set_size(self->overrides, 0);
    g_ptr_array_add(self->overrides, NULL);
    self->n_overrides = 0;
    return adit_tool_read_checked(self, path, check, error);
}

static gboolean
is_complete(AditInvocation *self, AditRun *run)
{
    const char *status = adit_json_get_text(adit_run_get_members(run), "status");

    if (g_strcmp0(status, adit_run_status_get_name(ADIT_RUN_COMPLETED)) != 0)
        return FALSE;
    adit_terminal_say(&self->terminal, "%s is complete: nothing to go on with",
                      adit_run_get_folder(run));
    return TRUE;
}

gboolean
adit_session_take_up(AditSession *self, const char *folder, const char *path, GError **error)
{
    AditInvocation *invocation = self->invocation;
    g_autoptr(AditRun) run = adit_run_open(folder, error);
    g_auto(AditCheck) check = {0};

    if (run == NULL || !compare_config(run, error) ||
        (path != NULL && !compare_pipeline(invocation, run, path, error)))
        return FALSE;
    if (is_complete(invocation, run))
        return TRUE;
    if (self->device == NULL)
        self->device = open_device(invocation, run, error);
    if (self->device == NULL)
        return FALSE;
    compare_device(invocation, run, self->device);
    self->experiment = read_config(invocation, run, &check, error);
    if (self->experiment == NULL)
        return FALSE;
    if (!adit_session_open_data(self, error) || !compare_data(run, self->data, error))
        return FALSE;
    tell_checkpoint(invocation, run);
    self->run = g_steal_pointer(&run);
    return TRUE;
}
