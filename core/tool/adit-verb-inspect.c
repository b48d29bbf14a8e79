/* core/tool/adit-verb-inspect.c - SPDX-License-Identifier: MIT */
#include "adit-tool.h"

#include "adit-json.h"
#include "adit-parameter.h"
#include "adit-registry.h"
#include "adit-suggest.h"

#include <math.h>
#include <string.h>

static const AditComponentClass *
ref_class(GType type)
{
    return g_type_class_ref(type);
}

/* ---- the list ---- */

static void
print_kind(AditInvocation *self, const char *kind)
{
    guint n = 0;
    g_autofree const char **names = adit_registry_list(adit_registry_get(), kind, &n);
    g_autoptr(GPtrArray) table = g_ptr_array_new_with_free_func((GDestroyNotify) g_strfreev);

    if (n == 0)
        return;
    adit_terminal_print(&self->terminal, "%s (%u)\n", kind, n);
    for (guint i = 0; i < n; i++) {
        GType type = adit_registry_find(adit_registry_get(), kind, names[i], NULL);
        char **row = g_new0(char *, 4);

        row[0] = g_strdup(" ");
        row[1] = g_strdup(names[i]);
        row[2] = g_strdup(type != 0 ? ref_class(type)->blurb : "");
        g_ptr_array_add(table, row);
    }
    adit_tool_print_table(self, table, "lll");
}

static void
print_list(AditInvocation *self, const char *only)
{
    const char *const *kinds = adit_registry_list_kinds();
    const GPtrArray *plugins = adit_registry_load_all(adit_registry_get());
    guint n_broken = 0;

    for (guint i = 0; kinds[i] != NULL; i++) {
        if (only == NULL || g_str_equal(only, kinds[i]))
            print_kind(self, kinds[i]);
    }
    for (guint i = 0; i < plugins->len; i++)
        n_broken += ((const AditPlugin *) plugins->pdata[i])->reason != NULL;
    if (n_broken > 0)
        adit_terminal_say(&self->terminal, "%u broken plugin%s: adit inspect --broken", n_broken,
                          n_broken == 1 ? "" : "s");
}

static void
print_list_json(AditInvocation *self, const char *only, gboolean broken)
{
    const GPtrArray *plugins = adit_registry_load_all(adit_registry_get());
    JsonObject *object = json_object_new();
    JsonArray *array = json_array_new();

    for (guint i = 0; i < plugins->len; i++) {
        const AditPlugin *plugin = plugins->pdata[i];
        JsonObject *row;

        if ((plugin->reason != NULL) != broken ||
            (only != NULL && !g_str_equal(only, plugin->kind)))
            continue;
        row = json_object_new();
        json_object_set_string_member(row, "kind", plugin->kind);
        json_object_set_string_member(row, "name", plugin->name);
        json_object_set_string_member(row, "file", plugin->path);
        if (broken)
            json_object_set_string_member(row, "reason", plugin->reason);
        else
            json_object_set_string_member(row, "about", ref_class(plugin->type)->blurb);
        json_array_add_object_element(array, row);
    }
    json_object_set_array_member(object, "plugins", array);
    adit_tool_print_json(self, object);
}

static void
print_broken(AditInvocation *self)
{
    const GPtrArray *plugins = adit_registry_load_all(adit_registry_get());

    for (guint i = 0; i < plugins->len; i++) {
        const AditPlugin *plugin = plugins->pdata[i];

        if (plugin->reason != NULL)
            adit_terminal_print(&self->terminal, "%s: %s\n", plugin->path, plugin->reason);
    }
}

/* ---- one component ---- */

static char *
describe_type(const AditParameter *parameter)
{
    static const char *const names[] = {
        [ADIT_PARAMETER_INT] = "integer",         [ADIT_PARAMETER_NUMBER] = "number",
        [ADIT_PARAMETER_BOOLEAN] = "boolean",     [ADIT_PARAMETER_TEXT] = "text",
        [ADIT_PARAMETER_PATH] = "path",           [ADIT_PARAMETER_CHOICE] = "choice",
        [ADIT_PARAMETER_LIVE] = "number, live",   [ADIT_PARAMETER_TEXTS] = "list of texts",
        [ADIT_PARAMETER_ADDRESSES] = "addresses",
    };
    static const char *const forms[] = {
        [ADIT_FORM_SHARE] = "share", [ADIT_FORM_COUNT] = "count", [ADIT_FORM_WIDTH] = "width",
        [ADIT_FORM_SPAN] = "span",   [ADIT_FORM_TIME] = "time",   [ADIT_FORM_BYTES] = "bytes",
    };

    if (parameter->type == ADIT_PARAMETER_AMOUNT)
        return g_strdup(forms[parameter->form]);
    if (parameter->pair)
        return g_strdup("integer or two");
    if (parameter->type == ADIT_PARAMETER_NUMBERS)
        return g_strdup(parameter->whole ? "list of integers" : "list of numbers");
    if (parameter->type == ADIT_PARAMETER_REFERENCE) {
        const AditComponentClass *klass = ref_class(parameter->kind);

        return g_strdup(klass->kind);
    }
    return g_strdup(names[parameter->type]);
}

static char *
format_bound(double value)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];

    if (fabs(value) >= 9.0e18)
        return g_strdup("");
    return g_strdup(g_ascii_formatd(text, sizeof text, "%.15g", value));
}

static char *
describe_range(const AditParameter *parameter)
{
    gboolean ranged =
        parameter->type == ADIT_PARAMETER_INT || parameter->type == ADIT_PARAMETER_NUMBER ||
        parameter->type == ADIT_PARAMETER_AMOUNT || parameter->type == ADIT_PARAMETER_LIVE ||
        parameter->type == ADIT_PARAMETER_NUMBERS;

    if (parameter->type == ADIT_PARAMETER_CHOICE)
        return g_strjoinv("|", (char **) parameter->words);
    if (!ranged)
        return g_strdup("");
    g_autofree char *min = format_bound(parameter->min);
    g_autofree char *max = format_bound(parameter->max);
    g_autofree char *words =
        parameter->words != NULL ? g_strjoinv("|", (char **) parameter->words) : g_strdup("");

    if (*min == '\0' && *max == '\0')
        return g_steal_pointer(&words);
    return g_strdup_printf("%s%s%s..%s", words, *words != '\0' ? "|" : "", min, max);
}

static char *
format_amount(const AditAmount *amount)
{
    static const char *const units[] = {
        [ADIT_UNIT_NONE] = "",      [ADIT_UNIT_PERCENT] = "%", [ADIT_UNIT_STEPS] = " steps",
        [ADIT_UNIT_SECONDS] = " s", [ADIT_UNIT_BYTES] = "",
    };
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    double value = amount->unit == ADIT_UNIT_PERCENT ? amount->value * 100 : amount->value;

    if (amount->unit == ADIT_UNIT_BYTES && fmod(value, 1024.0 * 1024 * 1024) == 0)
        return g_strdup_printf("%.0f GiB", value / (1024.0 * 1024 * 1024));
    g_ascii_formatd(text, sizeof text, "%.15g", value);
    return g_strconcat(text, units[amount->unit], NULL);
}

static char *
describe_default(AditComponentClass *klass, const AditParameter *parameter)
{
    /* what is held out is for each data set to say */
    if (ADIT_IS_DATASET_CLASS(klass) && g_str_equal(parameter->name, "test"))
        return format_amount(&ADIT_DATASET_CLASS(klass)->default_test);
    if (parameter->required)
        return g_strdup("required");
    /* what lies outside of the range stands for "not said" */
    if (parameter->type == ADIT_PARAMETER_AMOUNT && parameter->def_amount.value < parameter->min)
        return g_strdup("none");
    if (parameter->type == ADIT_PARAMETER_AMOUNT)
        return format_amount(&parameter->def_amount);
    if (parameter->type == ADIT_PARAMETER_BOOLEAN)
        return g_strdup(parameter->def != 0 ? "true" : "false");
    if (parameter->type == ADIT_PARAMETER_CHOICE)
        return g_strdup(parameter->words[(int) parameter->def]);
    if (parameter->type == ADIT_PARAMETER_INT || parameter->type == ADIT_PARAMETER_NUMBER ||
        parameter->type == ADIT_PARAMETER_LIVE)
        return format_bound(parameter->def);
    return g_strdup(parameter->def_text != NULL ? parameter->def_text : "none");
}

static const AditPlugin *
find_plugin(const char *kind, const char *name)
{
    const GPtrArray *plugins = adit_registry_load_all(adit_registry_get());

    for (guint i = 0; i < plugins->len; i++) {
        const AditPlugin *plugin = plugins->pdata[i];

        if (plugin->reason == NULL && g_str_equal(plugin->kind, kind) &&
            g_str_equal(plugin->name, name))
            return plugin;
    }
    return NULL;
}

static void
print_parameters(AditInvocation *self, AditComponentClass *klass, GPtrArray *parameters)
{
    g_autoptr(GPtrArray) table = g_ptr_array_new_with_free_func((GDestroyNotify) g_strfreev);
    const char *const head[] = {"parameter", "type", "range", "default", "meaning", NULL};

    g_ptr_array_add(table, g_strdupv((char **) head));
    for (guint i = 0; i < parameters->len; i++) {
        const AditParameter *parameter = parameters->pdata[i];
        char **row = g_new0(char *, 6);

        row[0] = g_strdup(parameter->name);
        row[1] = describe_type(parameter);
        row[2] = describe_range(parameter);
        row[3] = describe_default(klass, parameter);
        row[4] = g_strdup(parameter->blurb);
        g_ptr_array_add(table, row);
    }
    adit_tool_print_table(self, table, "lllll");
}

static gboolean
has_live(const GPtrArray *parameters)
{
    for (guint i = 0; i < parameters->len; i++) {
        if (((const AditParameter *) parameters->pdata[i])->type == ADIT_PARAMETER_LIVE)
            return TRUE;
    }
    return FALSE;
}

static void
print_component(AditInvocation *self, const AditPlugin *plugin)
{
    AditComponentClass *klass = g_type_class_ref(plugin->type);
    g_autoptr(GPtrArray) parameters = adit_component_class_list_parameters(klass);

    adit_terminal_print(&self->terminal, "%s %s: %s\n%s, version %s, licence %s\n", plugin->kind,
                        plugin->name, klass->blurb, plugin->path, plugin->version, plugin->licence);
    if (klass->example != NULL)
        adit_terminal_print(&self->terminal, "example: %s\n", klass->example);
    if (parameters->len == 0) {
        adit_terminal_print(&self->terminal, "\nno parameters\n");
        return;
    }
    adit_terminal_print(&self->terminal, "\n");
    print_parameters(self, klass, parameters);
    if (has_live(parameters))
        adit_terminal_print(
            &self->terminal,
            "\nA live number takes a schedule; the others are fixed when the network is "
            "built.\n");
}

static void
print_component_json(AditInvocation *self, const AditPlugin *plugin)
{
    AditComponentClass *klass = g_type_class_ref(plugin->type);
    g_autoptr(GPtrArray) parameters = adit_component_class_list_parameters(klass);
    JsonObject *object = json_object_new();
    JsonArray *array = json_array_new();

    json_object_set_string_member(object, "kind", plugin->kind);
    json_object_set_string_member(object, "name", plugin->name);
    json_object_set_string_member(object, "about", klass->blurb);
    json_object_set_string_member(object, "file", plugin->path);
    json_object_set_string_member(object, "version", plugin->version);
    json_object_set_string_member(object, "licence", plugin->licence);
    for (guint i = 0; i < parameters->len; i++) {
        const AditParameter *parameter = parameters->pdata[i];
        g_autofree char *type = describe_type(parameter);
        g_autofree char *range = describe_range(parameter);
        g_autofree char *standard = describe_default(klass, parameter);
        JsonObject *row = json_object_new();

        json_object_set_string_member(row, "name", parameter->name);
        json_object_set_string_member(row, "type", type);
        json_object_set_string_member(row, "range", range);
        json_object_set_boolean_member(row, "required", parameter->required);
        if (!parameter->required)
            json_object_set_string_member(row, "default", standard);
        json_object_set_boolean_member(row, "live", parameter->type == ADIT_PARAMETER_LIVE);
        json_object_set_string_member(row, "meaning", parameter->blurb);
        json_array_add_object_element(array, row);
    }
    json_object_set_array_member(object, "parameters", array);
    adit_tool_print_json(self, object);
}

/* ---- finding it ---- */

/* Kinds that have a component called @name, or @only of them. */
static GPtrArray *
find_kinds(const char *name, const char *only)
{
    GPtrArray *found = g_ptr_array_new();
    const char *const *kinds = adit_registry_list_kinds();

    for (guint i = 0; kinds[i] != NULL; i++) {
        if ((only == NULL || g_str_equal(only, kinds[i])) && find_plugin(kinds[i], name) != NULL)
            g_ptr_array_add(found, (gpointer) kinds[i]);
    }
    return found;
}

static gboolean
fail_missing(const char *name, GError **error)
{
    const GPtrArray *plugins = adit_registry_load_all(adit_registry_get());
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    for (guint i = 0; i < plugins->len; i++) {
        const AditPlugin *plugin = plugins->pdata[i];

        if (plugin->reason == NULL) {
            g_ptr_array_add(names, plugin->name);
        } else if (g_strcmp0(plugin->name, name) == 0) {
            g_set_error(error, ADIT_ERROR, ADIT_ERROR_PLUGIN, "plugin %s is broken: %s",
                        plugin->path, plugin->reason);
            return FALSE;
        }
    }
    const char *near = adit_suggest(name, (const char *const *) names->pdata, names->len);
    g_autofree char *hint = near != NULL ? g_strdup_printf("did you mean '%s'?", near)
                                         : g_strdup("adit inspect lists what there is");

    g_set_error(error, ADIT_ERROR, ADIT_ERROR_NOT_FOUND, "no kind, component or file '%s'; %s",
                name, hint);
    return FALSE;
}

static gboolean
inspect_component(AditInvocation *self, const char *kind, const char *name, GError **error)
{
    g_autoptr(GPtrArray) kinds = find_kinds(name, kind);

    if (kinds->len == 0)
        return fail_missing(name, error);
    if (kinds->len > 1) {
        g_ptr_array_add(kinds, NULL);
        g_autofree char *list = g_strjoinv(", ", (char **) kinds->pdata);

        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "'%s' is the name of several components (%s); write adit inspect %s:%s", name,
                    list, (const char *) kinds->pdata[0], name);
        return FALSE;
    }
    const AditPlugin *plugin = find_plugin(kinds->pdata[0], name);

    if (self->options.json)
        print_component_json(self, plugin);
    else
        print_component(self, plugin);
    return TRUE;
}

static gboolean
inspect_file(AditInvocation *self, const char *path, GError **error)
{
    g_auto(AditCheck) check = {0};
    g_autoptr(AditExperiment) experiment = adit_tool_read_shaped(self, path, &check, error);

    if (experiment == NULL)
        return FALSE;
    if (self->options.dot) {
        g_autofree char *text = adit_graph_to_dot(check.graph);

        adit_terminal_print(&self->terminal, "%s", text);
        return TRUE;
    }
    g_autoptr(AditGraph) graph = adit_tool_build_at_resolution(self, experiment, &check, error);

    return graph != NULL && adit_layers_print(self, graph, error);
}

/* What says how receptive fields are looked at needs them. */
static gboolean
check_field_options(AditInvocation *self, GError **error)
{
    const char *alone = self->options.resolution != NULL ? "--resolution"
                        : self->options.except_1x1       ? "--except-1x1"
                                                         : NULL;

    if (alone == NULL || self->options.receptive_field)
        return TRUE;
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                "%s goes with --receptive-field: adit inspect FILE --receptive-field", alone);
    return FALSE;
}

static gboolean
run(AditInvocation *self, GError **error)
{
    const char *word = self->arguments->len > 0 ? self->arguments->pdata[0] : NULL;
    const char *second = self->arguments->len > 1 ? self->arguments->pdata[1] : NULL;
    const char *colon = word != NULL ? strchr(word, ':') : NULL;
    g_autofree char *prefix = colon != NULL ? g_strndup(word, (gsize) (colon - word)) : NULL;
    gboolean is_kind =
        word != NULL && second == NULL && g_strv_contains(adit_registry_list_kinds(), word);

    if (!check_field_options(self, error))
        return FALSE;
    if (self->options.layers || self->options.receptive_field || self->options.dot) {
        if (word != NULL && second == NULL)
            return inspect_file(self, word, error);
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "--layers, --receptive-field and --dot take one pipeline: adit inspect FILE "
                    "--layers");
        return FALSE;
    }
    if (self->options.json && (word == NULL || is_kind))
        print_list_json(self, word, self->options.broken);
    else if (self->options.broken)
        print_broken(self);
    else if (word == NULL || is_kind)
        print_list(self, word);
    else if (second != NULL)
        return inspect_component(self, word, second, error);
    else if (prefix != NULL && g_strv_contains(adit_registry_list_kinds(), prefix))
        return inspect_component(self, prefix, colon + 1, error);
    else if (g_str_has_suffix(word, ".yaml") || g_file_test(word, G_FILE_TEST_IS_REGULAR))
        return inspect_file(self, word, error);
    else
        return inspect_component(self, NULL, word, error);
    return TRUE;
}

const AditVerb adit_verb_inspect = {
    .name = "inspect",
    .usage = "[KIND] [NAME] | FILE [--layers|--receptive-field|--dot] [name=value ...] [options]",
    .summary = "list components, parameters or the layers of a pipeline",
    .about =
        "Without an argument lists every kind and component with one line each; with a KIND, that "
        "kind. With a NAME (or KIND:NAME, or KIND NAME) prints its parameters with type, range, "
        "default and meaning, and where it comes from.\n"
        "With a pipeline FILE builds its network and prints every address with its shape, "
        "parameters and multiply-adds a sample (in matrix products). A row counts all that is "
        "inside it; ports are what else an address may ask for, as in trunk.7:pre.\n"
        "With --receptive-field prints what a position of each layer sees of the input, in pixels, "
        "on the path where it sees least (field) and most (largest); how many pixels lie between "
        "positions (stride), how many positions there are (map); and of convolutions and poolings "
        "the kind: inside; partly, critical: the field is larger than the input along one axis, "
        "along both; border: so it is, and all that feeds the layer saw the whole input already, or "
        "its kernel covers its whole map; whole: behind an operation over all positions. Border "
        "layers see nothing new; adit prune drops them.",
    .options = (const char *const[]){"layers", "receptive-field", "resolution", "except-1x1", "dot",
                                     "broken", "override", "data", "json", "color", "quiet",
                                     "verbose", "help", NULL},
    .max_arguments = 2,
    .has_overrides = TRUE,
    .run = run,
};
