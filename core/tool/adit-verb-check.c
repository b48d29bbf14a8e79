/* core/tool/adit-verb-check.c - SPDX-License-Identifier: MIT */
#include "adit-tool.h"

#include "adit-json.h"

static void
print_report(AditInvocation *self, const char *path, const AditCheck *check)
{
    JsonObject *object = json_object_new();
    g_autofree char *shape = adit_shape_to_string(&check->shape.inputs);

    json_object_set_string_member(object, "file", path);
    json_object_set_boolean_member(object, "ok", TRUE);
    adit_json_set_unsigned(object, "parameters", check->parameters);
    adit_json_set_unsigned(object, "blocks", check->blocks);
    adit_json_set_unsigned(object, "multiply-adds", check->multiply_adds);
    json_object_set_string_member(object, "inputs", shape);
    adit_json_set_unsigned(object, "classes", check->shape.classes);
    adit_json_set_unsigned(object, "rows", check->rows);
    adit_tool_print_json(self, object);
}

static gboolean
run(AditInvocation *self, GError **error)
{
    const char *path = self->arguments->pdata[0];
    g_auto(AditCheck) check = {0};
    g_autoptr(AditExperiment) experiment = adit_tool_read_ready(self, path, &check, error);

    if (experiment == NULL)
        return FALSE;
    if (self->options.json) {
        print_report(self, path, &check);
        return TRUE;
    }
    if (check.graph == NULL) {
        adit_terminal_print(&self->terminal,
                            "%s: ok: without 'data' no shape is known; nothing was started\n",
                            path);
        return TRUE;
    }
    g_autofree char *parameters = adit_tool_format_count(check.parameters);
    g_autofree char *inputs = adit_shape_to_string(&check.shape.inputs);
    g_autofree char *outputs = adit_shape_to_string(&check.outputs);

    adit_terminal_print(&self->terminal,
                        "%s: ok: %s parameters, %u block%s, input %s, output %s; nothing was "
                        "started\n",
                        path, parameters, check.blocks, check.blocks == 1 ? "" : "s", inputs,
                        outputs);
    return TRUE;
}

const AditVerb adit_verb_check = {
    .name = "check",
    .usage = "FILE [name=value ...] [options]",
    .summary = "read everything, build the shapes and start nothing",
    .about = "Reads the pipeline FILE, of its data the headers, builds the network for training "
             "and evaluation, looks up every address in it, and starts nothing. All errors are "
             "told in one pass; the exit code is 2 for those, 3 where data is missing.",
    .options = (const char *const[]){"override", "data", "json", "color", "quiet", "verbose",
                                     "help", NULL},
    .min_arguments = 1,
    .max_arguments = 1,
    .has_overrides = TRUE,
    .run = run,
};
