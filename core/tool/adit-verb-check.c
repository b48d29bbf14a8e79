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

static void
print_study_json(AditInvocation *self, const char *path, const AditStudyPlan *plan)
{
    JsonObject *object = json_object_new();

    json_object_set_string_member(object, "file", path);
    json_object_set_boolean_member(object, "ok", TRUE);
    adit_json_set_unsigned(object, "points", plan->runs->len);
    adit_json_set_unsigned(object, "evaluations", plan->study->evaluations->len);
    adit_json_set_unsigned(object, "graphs", plan->groups->len);
    adit_tool_print_json(self, object);
}

static gboolean
check_study(AditInvocation *self, const char *path, GError **error)
{
    g_autoptr(AditStudy) study = NULL;
    g_autoptr(AditStudyPlan) plan = adit_tool_read_plan(self, path, &study, error);
    g_autofree char *evaluations = NULL;

    if (plan == NULL)
        return FALSE;
    if (self->options.json) {
        print_study_json(self, path, plan);
        return TRUE;
    }
    if (study->evaluations->len > 0)
        evaluations = g_strdup_printf(", %u evaluation%s of each", study->evaluations->len,
                                      study->evaluations->len == 1 ? "" : "s");
    adit_terminal_print(&self->terminal, "%s: ok: %u point%s%s, %u graph%s; nothing was started\n",
                        path, plan->runs->len, plan->runs->len == 1 ? "" : "s",
                        evaluations != NULL ? evaluations : "", plan->groups->len,
                        plan->groups->len == 1 ? "" : "s");
    return TRUE;
}

static gboolean
run(AditInvocation *self, GError **error)
{
    const char *path = self->arguments->pdata[0];

    if (adit_study_is_one(path))
        return check_study(self, path, error);
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
             "told in one pass; the exit code is 2 for those, 3 where data is missing. FILE may be "
             "a study: then this is done for all of its points.",
    .options = (const char *const[]){"override", "data", "json", "color", "quiet", "verbose",
                                     "help", NULL},
    .min_arguments = 1,
    .max_arguments = 1,
    .has_overrides = TRUE,
    .run = run,
};
