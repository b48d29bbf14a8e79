/* core/tool/adit-verb-devices.c - SPDX-License-Identifier: MIT */
#include "adit-tool.h"

#include "adit-devices.h"
#include "adit-json.h"

/* Where what is told of a device begins. */
#define INDENT 10
/* And behind the name of what is told. */
#define VALUE_INDENT 18

/* "15.6 GiB", "128 MiB" */
static char *
format_size(JsonObject *object, const char *key)
{
    guint64 size = 0;

    adit_json_get_unsigned(object, key, &size);
    if (size < (guint64) 1 << 30)
        return g_strdup_printf("%" G_GUINT64_FORMAT " MiB", size >> 20);
    return g_strdup_printf("%.1f GiB", (double) size / (1024.0 * 1024.0 * 1024.0));
}

static gboolean
get_flag(JsonObject *object, const char *key)
{
    return json_object_get_boolean_member_with_default(object, key, FALSE);
}

/* One line, or more if @text is long: "          memory  15.6 GiB". @label: (nullable) */
static void
append_line(GString *out, const char *label, const char *text)
{
    if (label == NULL) {
        g_string_append_printf(out, "%*s", INDENT, "");
        adit_help_fill(out, text, INDENT, INDENT);
        return;
    }
    g_string_append_printf(out, "%*s%-*s", INDENT, "", VALUE_INDENT - INDENT, label);
    adit_help_fill(out, text, VALUE_INDENT, VALUE_INDENT);
}

static void
append_cpu(GString *out, JsonObject *device)
{
    g_autofree char *memory = format_size(device, "memory");
    guint64 cores = 1;

    adit_json_get_unsigned(device, "cores", &cores);
    g_string_append_printf(out, "%-*s%" G_GUINT64_FORMAT " core%s, %s, %s of memory\n", INDENT,
                           "cpu", cores, cores == 1 ? "" : "s",
                           adit_json_get_text(device, "instruction-set"), memory);
}

/* The heaps: "139.8 GiB (138.2 GiB free), 94.0 GiB of the host" */
static void
append_memory(GString *out, JsonObject *device)
{
    JsonArray *heaps = adit_json_get_array(device, "heaps");
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; i < json_array_get_length(heaps); i++) {
        JsonObject *heap = json_array_get_object_element(heaps, i);
        g_autofree char *size = format_size(heap, "size");
        g_autofree char *free = format_size(heap, "free");

        g_string_append_printf(text, "%s%s", i > 0 ? ", " : "", size);
        if (!get_flag(heap, "on-device"))
            g_string_append(text, " of the host");
        if (json_object_has_member(heap, "free"))
            g_string_append_printf(text, " (%s free)", free);
    }
    append_line(out, "memory", text->str);
}

static void
append_limits(GString *out, JsonObject *device)
{
    const char *key = "max-memory-allocation-size";
    g_autofree char *range = format_size(device, "max-storage-buffer-range");
    g_autofree char *allocation = format_size(device, key);
    g_autoptr(GString) text = g_string_new(NULL);

    g_string_append_printf(text, "%s of a buffer at a time", range);
    if (json_object_has_member(device, key))
        g_string_append_printf(text, ", %s an allocation", allocation);
    append_line(out, "limits", text->str);
}

static void
append_abilities(GString *out, JsonObject *device)
{
    static const struct {
        const char *key;
        const char *name;
    } abilities[] = {{"fp16", "fp16"},
                     {"fp64", "fp64"},
                     {"int8", "int8"},
                     {"cooperative-matrix", "cooperative matrices"}};
    g_autoptr(GString) text = g_string_new(NULL);
    guint64 size = 0;

    for (guint i = 0; i < G_N_ELEMENTS(abilities); i++) {
        if (get_flag(device, abilities[i].key))
            g_string_append_printf(text, "%s, ", abilities[i].name);
    }
    if (adit_json_get_unsigned(device, "subgroup-size", &size))
        g_string_append_printf(text, "subgroups of %" G_GUINT64_FORMAT, size);
    else
        g_string_append(text, "no subgroups to rely on");
    append_line(out, "has", text->str);
}

/* Nothing of a device that cannot be used. */
static void
append_verdict(GString *out, JsonObject *device)
{
    const char *verdict = adit_json_get_text(device, "selftest");
    JsonArray *wrong = adit_json_get_array(device, "wrong-kernels");
    g_autoptr(GString) text = g_string_new(verdict);

    if (verdict == NULL)
        return;
    for (guint i = 0; wrong != NULL && i < json_array_get_length(wrong); i++)
        g_string_append_printf(text, "%s%s", i > 0 ? ", " : ": ",
                               json_array_get_string_element(wrong, i));
    if (!json_object_has_member(device, "selftest-full"))
        g_string_append_printf(text, " with this driver: adit selftest --device %s",
                               adit_json_get_text(device, "name"));
    else if (wrong == NULL)
        g_string_append(text, get_flag(device, "selftest-full") ? ", all shapes of each kernel"
                                                                : ", a few shapes of each kernel");
    append_line(out, "tested", text->str);
}

static void
append_vulkan(GString *out, JsonObject *device)
{
    const char *uuid = adit_json_get_text(device, "uuid");
    const char *reason = adit_json_get_text(device, "reason");
    const char *other = adit_json_get_text(device, "duplicate-of");
    g_autofree char *kind = g_strdup_printf("%s, Vulkan %s", adit_json_get_text(device, "type"),
                                            adit_json_get_text(device, "vulkan"));
    g_autofree char *driver = g_strdup_printf("%s, %s", adit_json_get_text(device, "driver"),
                                              adit_json_get_text(device, "driver-version"));
    g_autofree char *unusable = g_strdup_printf("cannot be used: %s", reason);
    g_autofree char *duplicate = g_strdup_printf("the same GPU as %s, which stands for it", other);

    g_string_append_printf(out, "%-*s", INDENT, adit_json_get_text(device, "name"));
    adit_help_fill(out, adit_json_get_text(device, "device"), INDENT, INDENT);
    append_line(out, "type", kind);
    append_line(out, "driver", driver);
    append_line(out, "uuid", uuid != NULL ? uuid : "not known");
    append_memory(out, device);
    append_limits(out, device);
    append_abilities(out, device);
    append_verdict(out, device);
    if (reason != NULL)
        append_line(out, NULL, unusable);
    else if (other == NULL && get_flag(device, "software"))
        append_line(out, NULL, "computes on the CPU: taken only by name");
    if (other != NULL)
        append_line(out, NULL, duplicate);
}

static char *
make_list(JsonObject *object)
{
    JsonArray *devices = adit_json_get_array(object, "devices");
    const char *reason = adit_json_get_text(object, "auto-reason");
    GString *out = g_string_new(NULL);

    append_cpu(out, json_array_get_object_element(devices, 0));
    for (guint i = 1; i < json_array_get_length(devices); i++)
        append_vulkan(out, json_array_get_object_element(devices, i));
    g_string_append_printf(out, "%-*s", INDENT, "auto");
    if (reason == NULL) {
        g_string_append_printf(out, "%s\n", adit_json_get_text(object, "auto"));
    } else {
        g_autofree char *text =
            g_strdup_printf("%s: %s", adit_json_get_text(object, "auto"), reason);

        adit_help_fill(out, text, INDENT, INDENT);
    }
    return g_string_free(out, FALSE);
}

static gboolean
run(AditInvocation *self, GError **error)
{
    JsonObject *object = adit_devices_describe();

    if (self->options.json) {
        adit_tool_print_json(self, object);
        return TRUE;
    }
    g_autofree char *list = make_list(object);

    adit_terminal_print(&self->terminal, "%s", list);
    json_object_unref(object);
    return TRUE;
}

const AditVerb adit_verb_devices = {
    .name = "devices",
    .usage = "[options]",
    .summary = "list what can compute",
    .about =
        "Lists the devices that --device can name: the CPU, then those of Vulkan by their numbers "
        "in its loader's order, with those that cannot be used and why, and what 'auto' takes: a "
        "discrete GPU before an integrated before a virtual one, else the CPU.\n"
        "A Vulkan device is vulkan:N, vulkan:uuid=UUID or vulkan:name~=TEXT, a part of its name; "
        "'vulkan' is the best of them. One that computes on the CPU is taken only by name.",
    .options = (const char *const[]){"json", "color", "quiet", "verbose", "help", NULL},
    .run = run,
};
