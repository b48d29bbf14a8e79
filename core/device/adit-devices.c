/* core/device/adit-devices.c - SPDX-License-Identifier: MIT */
#include "adit-devices.h"

#include "adit-device-wish.h"
#include "adit-json.h"
#include "adit-kernels.h"
#include "adit-verdicts.h"

#include <string.h>
#include <unistd.h>

#ifdef ADIT_HAVE_VULKAN
#include "adit-vulkan-devices.h"
#else

/* A build without Vulkan. */

static void
set_absent(GError **error)
{
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_NO_DEVICE, "this program was built without Vulkan");
}

static AditDevice *
adit_vulkan_devices_open(const char *wanted, GError **error)
{
    set_absent(error);
    return NULL;
}

static AditDevice *
adit_vulkan_devices_open_best(char **note)
{
    g_autoptr(GError) error = NULL;

    set_absent(&error);
    g_info("%s", error->message);
    *note = NULL;
    return NULL;
}

static gboolean
adit_vulkan_devices_describe(JsonArray *devices, char **best, GError **error)
{
    *best = NULL;
    set_absent(error);
    return FALSE;
}

#endif

#define VULKAN "vulkan"

/* Whether @name is a Vulkan device's; @wanted: what follows "vulkan:", NULL: nothing. */
static gboolean
split_name(const char *name, const char **wanted)
{
    const char *rest = g_str_has_prefix(name, VULKAN) ? name + strlen(VULKAN) : "?";

    *wanted = *rest == ':' ? rest + 1 : NULL;
    return *rest == '\0' || *rest == ':';
}

static AditDevice *
open_vulkan(const char *name, const char *wanted, GError **error)
{
    g_auto(AditDeviceWish) wish = {0};
    g_autoptr(GError) failure = NULL;

    if (!adit_device_wish_init(&wish, wanted, error))
        return NULL;
    AditDevice *device = adit_vulkan_devices_open(wanted, &failure);

    if (g_error_matches(failure, ADIT_ERROR, ADIT_ERROR_NO_DEVICE))
        g_prefix_error(&failure, "no device '%s': ", name);
    if (failure != NULL)
        g_propagate_error(error, g_steal_pointer(&failure));
    return device;
}

AditDevice *
adit_device_open(const char *name, guint threads, char **note, GError **error)
{
    g_autofree char *told = NULL;
    const char *wanted = NULL;
    AditDevice *device = NULL;

    if (name == NULL || *name == '\0' || g_str_equal(name, "auto")) {
        device = adit_vulkan_devices_open_best(&told);
        if (device == NULL)
            device = adit_cpu_device_new(threads, FALSE);
    } else if (g_str_equal(name, "cpu")) {
        device = adit_cpu_device_new(threads, FALSE);
    } else if (split_name(name, &wanted)) {
        device = open_vulkan(name, wanted, error);
    } else {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "a device is called auto, cpu, vulkan, vulkan:N, vulkan:uuid=UUID or "
                    "vulkan:name~=TEXT, got \"%s\"",
                    name);
    }
    if (note != NULL)
        *note = g_steal_pointer(&told);
    return device;
}

static JsonObject *
describe_cpu(void)
{
    JsonObject *object = json_object_new();
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);

    json_object_set_string_member(object, "name", "cpu");
    json_object_set_string_member(object, "type", "cpu");
    json_object_set_int_member(object, "cores", g_get_num_processors());
    json_object_set_string_member(object, "instruction-set", adit_isa_get_name(adit_isa_detect()));
    if (pages > 0 && size > 0)
        json_object_set_int_member(object, "memory", (gint64) pages * size);
    return object;
}

/* Names of the kernels without a form that computes rightly. */
static JsonArray *
list_wrong(const AditVerdicts *verdicts)
{
    g_autoptr(GPtrArray) kernels = adit_verdicts_list(verdicts);
    JsonArray *wrong = json_array_new();

    for (guint i = 0; i < kernels->len; i++) {
        AditKernelForm form = ADIT_FORM_NONE;

        adit_verdicts_lookup(verdicts, kernels->pdata[i], &form);
        if (form == ADIT_FORM_NONE)
            json_array_add_string_element(wrong, kernels->pdata[i]);
    }
    return wrong;
}

/* What a self-test found. */
static void
describe_verdict(JsonObject *device)
{
    const char *uuid = adit_json_get_text(device, "uuid");
    g_autofree char *driver = g_strdup_printf("%s %s", adit_json_get_text(device, "driver"),
                                              adit_json_get_text(device, "driver-version"));
    g_autoptr(AditVerdicts) verdicts =
        adit_verdicts_load(uuid != NULL ? uuid : adit_json_get_text(device, "device"), driver);

    if (verdicts == NULL) {
        json_object_set_string_member(device, "selftest", "not run");
        return;
    }
    g_autoptr(JsonArray) wrong = list_wrong(verdicts);
    gboolean failed = json_array_get_length(wrong) > 0;

    json_object_set_string_member(device, "selftest", failed ? "failed" : "passed");
    json_object_set_boolean_member(device, "selftest-full", adit_verdicts_is_full(verdicts));
    if (failed)
        json_object_set_array_member(device, "wrong-kernels", g_steal_pointer(&wrong));
}

JsonObject *
adit_devices_describe(void)
{
    JsonObject *object = json_object_new();
    JsonArray *devices = json_array_new();
    g_autofree char *best = NULL;
    g_autoptr(GError) error = NULL;

    json_array_add_object_element(devices, describe_cpu());
    adit_vulkan_devices_describe(devices, &best, &error);
    for (guint i = 1; i < json_array_get_length(devices); i++) {
        JsonObject *device = json_array_get_object_element(devices, i);

        if (json_object_get_boolean_member(device, "usable"))
            describe_verdict(device);
    }
    json_object_set_array_member(object, "devices", devices);
    json_object_set_boolean_member(object, "vulkan", json_array_get_length(devices) > 1);
    json_object_set_string_member(object, "auto", best != NULL ? best : "cpu");
    if (best == NULL)
        json_object_set_string_member(object, "auto-reason", error->message);
    return object;
}
