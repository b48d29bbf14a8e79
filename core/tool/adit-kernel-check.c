/* core/tool/adit-kernel-check.c - SPDX-License-Identifier: MIT */
#include "adit-tool.h"

#include "adit-devices.h"
#include "adit-json.h"
#include "adit-selftest.h"

/* Whether a device's kernels compute rightly is tested when it is first used with its driver, and
 * kept. */

/**
 * Identity: what a verdict is of.
 * @title: for people: "vulkan:0 (NVIDIA H200)"
 */
typedef struct {
    char *device;
    char *driver;
    char *title;
} Identity;

static void
identity_clear(Identity *self)
{
    g_free(self->device);
    g_free(self->driver);
    g_free(self->title);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Identity, identity_clear)

static void
identity_init(Identity *self, AditDevice *device)
{
    g_autoptr(JsonObject) object = json_object_new();

    adit_device_describe(device, object);
    const char *uuid = adit_json_get_text(object, "uuid");
    const char *model = adit_json_get_text(object, "device");

    self->device = g_strdup(uuid != NULL ? uuid : model);
    self->driver = g_strdup_printf("%s %s", adit_json_get_text(object, "driver"),
                                   adit_json_get_text(object, "driver-version"));
    self->title = g_strdup_printf("%s (%s)", adit_json_get_text(object, "name"), model);
}

gboolean
adit_tool_has_forms(AditDevice *device)
{
    return ADIT_DEVICE_GET_CLASS(device)->set_form != NULL;
}

AditVerdicts *
adit_tool_save_verdicts(AditInvocation *self, AditDevice *device, const GPtrArray *results,
                        gboolean full)
{
    g_auto(Identity) identity = {0};
    g_autoptr(GError) error = NULL;

    identity_init(&identity, device);
    g_autoptr(AditVerdicts) before = adit_verdicts_load(identity.device, identity.driver);
    AditVerdicts *verdicts = adit_verdicts_new(identity.device, identity.driver);

    adit_selftest_note(results, verdicts);
    adit_verdicts_set_full(verdicts, full);
    if (before != NULL && adit_verdicts_is_full(before) && !full)
        adit_verdicts_keep_worse(verdicts, before);
    if (!adit_verdicts_save(verdicts, &error))
        adit_terminal_warn(&self->terminal, "the self-test's result is not kept: %s",
                           error->message);
    return verdicts;
}

/* The first use: a few shapes of each kernel. NULL with an error: the device was lost. */
static AditVerdicts *
test_first(AditInvocation *self, AditDevice *device, const char *title, GError **error)
{
    AditSelftestOptions options = {.full = FALSE};

    adit_terminal_say(&self->terminal, "testing the kernels of %s (first use with this driver)",
                      title);
    g_autoptr(GPtrArray) results = adit_selftest_run(device, &options, NULL, NULL, error);

    return results != NULL ? adit_tool_save_verdicts(self, device, results, FALSE) : NULL;
}

/* Those of @kernels that have no good form, or those that have: "gelu, pow"; NULL: none. */
static char *
list_names(const AditVerdicts *verdicts, const GPtrArray *kernels, gboolean failed)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    for (guint i = 0; i < kernels->len; i++) {
        AditKernelForm form = ADIT_FORM_NONE;

        adit_verdicts_lookup(verdicts, kernels->pdata[i], &form);
        if ((form == ADIT_FORM_NONE) == failed)
            g_ptr_array_add(names, kernels->pdata[i]);
    }
    g_ptr_array_add(names, NULL);
    return names->len > 1 ? g_strjoinv(", ", (char **) names->pdata) : NULL;
}

/* What run.json tells of them. */
static void
keep_kernels(AditInvocation *self, const AditVerdicts *verdicts, const GPtrArray *kernels)
{
    g_clear_pointer(&self->kernels, json_object_unref);
    self->kernels = json_object_new();
    for (guint i = 0; i < kernels->len; i++) {
        AditKernelForm form = ADIT_FORM_NONE;

        adit_verdicts_lookup(verdicts, kernels->pdata[i], &form);
        json_object_set_string_member(self->kernels, kernels->pdata[i],
                                      adit_kernel_form_get_name(form));
    }
}

static void
go_to_cpu(AditInvocation *self, AditDevice **device, const char *title, const char *reason)
{
    adit_terminal_warn(&self->terminal, "%s: %s; computing on the CPU", title, reason);
    g_object_unref(*device);
    *device = adit_cpu_device_new(adit_tool_get_threads(self), FALSE);
}

static gboolean
fail_strictly(const char *title, const char *reason, GError **error)
{
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_CHECK, "%s: %s", title, reason);
    return FALSE;
}

/* Takes the forms that passed, or the CPU where there are none. */
static gboolean
take_verdicts(AditInvocation *self, AditDevice **device, const AditVerdicts *verdicts,
              const char *title, GError **error)
{
    g_autoptr(GPtrArray) kernels = adit_selftest_apply(*device, verdicts);
    g_autofree char *failed = list_names(verdicts, kernels, TRUE);
    g_autofree char *plainer = list_names(verdicts, kernels, FALSE);
    g_autofree char *reason = NULL;

    keep_kernels(self, verdicts, kernels);
    if (kernels->len == 0)
        return TRUE;
    if (failed != NULL)
        reason = g_strconcat("kernels that compute wrongly: ", failed, NULL);
    else
        reason =
            g_strconcat("kernels that compute rightly by a plainer form alone: ", plainer, NULL);
    if (self->options.strict_device)
        return fail_strictly(title, reason, error);
    if (failed != NULL)
        go_to_cpu(self, device, title, reason);
    else
        g_info("%s: %s", title, reason);
    return TRUE;
}

gboolean
adit_tool_check_kernels(AditInvocation *self, AditDevice **device, GError **error)
{
    g_auto(Identity) identity = {0};
    g_autoptr(GError) failure = NULL;

    if (!adit_tool_has_forms(*device))
        return TRUE;
    identity_init(&identity, *device);
    g_autoptr(AditVerdicts) verdicts = adit_verdicts_load(identity.device, identity.driver);

    if (verdicts == NULL)
        verdicts = test_first(self, *device, identity.title, &failure);
    if (verdicts != NULL)
        return take_verdicts(self, device, verdicts, identity.title, error);
    if (self->options.strict_device)
        return fail_strictly(identity.title, failure->message, error);
    go_to_cpu(self, device, identity.title, failure->message);
    return TRUE;
}
