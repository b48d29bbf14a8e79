/* core/tool/adit-verb-devices.c - SPDX-License-Identifier: MIT */
#include "adit-tool.h"

#include "adit-json.h"

#include <unistd.h>

static guint64
get_memory(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);

    return pages > 0 && size > 0 ? (guint64) pages * (guint64) size : 0;
}

static gboolean
run(AditInvocation *self, GError **error)
{
    g_autoptr(AditDevice) cpu = adit_cpu_device_new(0, FALSE);
    guint cores = g_get_num_processors();
    guint64 memory = get_memory();

    if (self->options.json) {
        JsonObject *object = json_object_new();
        JsonArray *devices = json_array_new();
        JsonObject *device = json_object_new();

        json_object_set_string_member(device, "name", "cpu");
        json_object_set_string_member(device, "type", "cpu");
        adit_json_set_unsigned(device, "cores", cores);
        json_object_set_string_member(device, "instruction-set", adit_cpu_device_get_isa(cpu));
        adit_json_set_unsigned(device, "memory", memory);
        json_array_add_object_element(devices, device);
        json_object_set_array_member(object, "devices", devices);
        json_object_set_boolean_member(object, "vulkan", FALSE);
        adit_tool_print_json(self, object);
        return TRUE;
    }
    adit_terminal_print(&self->terminal, "cpu  %u core%s, %s, %.1f GiB of memory\n", cores,
                        cores == 1 ? "" : "s", adit_cpu_device_get_isa(cpu),
                        (double) memory / (1024.0 * 1024.0 * 1024.0));
    adit_terminal_print(&self->terminal, "This build has no Vulkan device.\n");
    return TRUE;
}

const AditVerb adit_verb_devices = {
    .name = "devices",
    .usage = "[options]",
    .summary = "list what can compute",
    .about = "Lists the devices that --device can name, with cores, instruction set and memory.",
    .options = (const char *const[]){"json", "color", "quiet", "verbose", "help", NULL},
    .run = run,
};
