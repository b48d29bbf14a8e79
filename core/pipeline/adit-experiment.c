/* core/pipeline/adit-experiment.c - SPDX-License-Identifier: MIT */
#include "adit-experiment.h"

#include <string.h>

#include "adit-address.h"
#include "adit-binder.h"
#include "adit-settings.h"
#include "adit-suggest.h"

static const char *const sections[] = {"adit",      "title",  "seed",  "include", "params",
                                       "parts",     "data",   "model", "exits",   "train",
                                       "inference", "probes", "study", NULL};

static AditExperiment *
experiment_new(const char *path, const char *const *arguments)
{
    AditExperiment *self = g_new0(AditExperiment, 1);

    self->path = g_strdup(path);
    self->datasets = g_ptr_array_new_with_free_func(g_object_unref);
    self->probes = g_ptr_array_new_with_free_func(g_object_unref);
    self->queries = g_ptr_array_new_with_free_func(g_free);
    self->sources = g_ptr_array_new_with_free_func((GDestroyNotify) adit_source_unref);
    self->places = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify) g_hash_table_unref);
    self->paths = g_array_new(FALSE, FALSE, sizeof(AditPlace));
    self->overrides = g_strdupv((char **) arguments);
    return self;
}

void
adit_experiment_free(AditExperiment *self)
{
    g_free(self->path);
    g_free(self->title);
    g_clear_pointer(&self->datasets, g_ptr_array_unref);
    adit_model_clear(&self->model);
    g_free(self->from);
    g_strfreev(self->load);
    g_clear_pointer(&self->stages, g_ptr_array_unref);
    g_clear_pointer(&self->probes, g_ptr_array_unref);
    g_clear_pointer(&self->queries, g_ptr_array_unref);
    g_free(self->text);
    g_free(self->resolved);
    g_free(self->structure);
    g_free(self->subject);
    g_strfreev(self->overrides);
    g_clear_object(&self->loss);
    g_clear_object(&self->policy);
    g_free(self->fallback);
    g_free(self->policy_text);
    g_clear_pointer(&self->places, g_hash_table_unref);
    g_clear_pointer(&self->paths, g_array_unref);
    g_clear_pointer(&self->sources, g_ptr_array_unref);
    g_free(self);
}

const AditPlace *
adit_experiment_find_place(const AditExperiment *self, gconstpointer owner, const char *key,
                           guint index)
{
    GHashTable *table = (GHashTable *) g_hash_table_lookup(self->places, owner);
    GArray *places = table != NULL ? (GArray *) g_hash_table_lookup(table, key) : NULL;

    return places != NULL && index < places->len ? &g_array_index(places, AditPlace, index) : NULL;
}

/* Sections. */

static AditValue
get_section(AditBinder *self, const char *name)
{
    return (AditValue){.node = adit_node_get(self->main->root, name), .scope = self->main->scope};
}

static char *
make_title(const char *path)
{
    g_autofree char *name = g_path_get_basename(path);
    char *dot = strrchr(name, '.');

    if (dot != NULL && dot != name)
        *dot = '\0';
    return g_steal_pointer(&name);
}

static void
bind_heading(AditBinder *self, AditNode *resolved)
{
    static const AditParameter title = {.name = "title", .type = ADIT_PARAMETER_TEXT};
    static const AditParameter seed = {
        .name = "seed", .type = ADIT_PARAMETER_INT, .min = 0, .max = 9007199254740992.0};
    AditExperiment *experiment = self->experiment;
    AditValue text = get_section(self, "title"), number = get_section(self, "seed");
    g_autofree char *shown = NULL;

    if (text.node != NULL) {
        g_auto(AditBound) bound = adit_bind_value(self, &title, text, FALSE, NULL);

        experiment->title = g_steal_pointer(&bound.text);
    } else {
        experiment->title = make_title(experiment->path);
    }
    if (number.node != NULL) {
        g_auto(AditBound) bound = adit_bind_value(self, &seed, number, FALSE, NULL);

        experiment->seed = (guint64) bound.integer;
    }
    shown = g_strdup_printf("%" G_GUINT64_FORMAT, experiment->seed);
    AditNode *node =
        adit_node_new_scalar(experiment->title != NULL ? experiment->title : "", FALSE, NULL);

    node->literal = TRUE;
    adit_node_set_new(resolved, "adit", adit_node_new_scalar("1", TRUE, NULL));
    adit_node_set_new(resolved, "title", node);
    adit_node_set_new(resolved, "seed", adit_node_new_scalar(shown, TRUE, NULL));
}

/* A list of components of one kind, or one of them. */
static void
bind_components(AditBinder *self, const char *section, const char *kind, GPtrArray *components,
                AditNode *resolved)
{
    AditValue value = adit_substitute(&self->substitution, get_section(self, section));
    gboolean list = value.node != NULL && value.node->kind == ADIT_NODE_LIST;

    if (value.node == NULL)
        return;
    AditNode *nodes = list ? adit_node_new_list(NULL) : NULL;

    if (list)
        adit_node_set_new(resolved, section, nodes);
    for (guint i = 0; i < (list ? adit_node_count(value.node) : 1); i++) {
        AditNode *node = NULL;
        AditComponent *component =
            adit_bind_component(self, kind, list ? adit_value_item(value, i) : value, &node);

        /* one that stands alone keeps its path: data.moons.noise */
        if (list)
            adit_node_append(nodes, node);
        else
            adit_node_set_new(resolved, section, node);
        if (component != NULL)
            g_ptr_array_add(components, component);
    }
}

static const char *
get_dataset_name(AditDataset *dataset)
{
    const AditDatasetSettings *settings = adit_dataset_get_settings(dataset);

    return settings->name != NULL ? settings->name : ADIT_COMPONENT_GET_CLASS(dataset)->name;
}

static void
check_dataset_names(AditBinder *self)
{
    GPtrArray *datasets = self->experiment->datasets;

    for (guint i = 1; i < datasets->len; i++)
        for (guint j = 0; j < i; j++) {
            AditDataset *dataset = ADIT_DATASET(datasets->pdata[i]);

            if (strcmp(get_dataset_name(dataset), get_dataset_name(datasets->pdata[j])) == 0)
                adit_diagnostics_error(
                    self->diagnostics, adit_component_get_place(ADIT_COMPONENT(dataset)),
                    ADIT_ERROR_INVALID, "two data sets are named '%s'; give one a 'name'",
                    get_dataset_name(dataset));
        }
}

/* A data set that a stage or a probe names. */
static void
check_dataset_name(AditBinder *self, const char *name, gconstpointer owner, guint index)
{
    GPtrArray *datasets = self->experiment->datasets;
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    for (guint i = 0; i < datasets->len; i++) {
        g_ptr_array_add(names, (gpointer) get_dataset_name(datasets->pdata[i]));
        if (strcmp((const char *) names->pdata[i], name) == 0)
            return;
    }
    const char *nearest = adit_suggest(name, (const char *const *) names->pdata, names->len);
    const AditPlace *place = adit_experiment_find_place(self->experiment, owner, "data", index);

    if (nearest != NULL)
        adit_diagnostics_error(self->diagnostics, place, ADIT_ERROR_INVALID,
                               "no data set is named '%s'; did you mean '%s'?", name, nearest);
    else
        adit_diagnostics_error(self->diagnostics, place, ADIT_ERROR_INVALID,
                               "no data set is named '%s'", name);
}

static void
check_names(AditBinder *self)
{
    const AditExperiment *experiment = self->experiment;

    check_dataset_names(self);
    /* a set that is wrong itself has no name to compare with */
    if (adit_diagnostics_count_errors(self->diagnostics) > 0)
        return;
    for (guint i = 0; i < experiment->stages->len; i++) {
        const AditStage *stage = (const AditStage *) experiment->stages->pdata[i];

        if (stage->data != NULL)
            check_dataset_name(self, stage->data, stage, 0);
    }
    for (guint i = 0; i < experiment->probes->len; i++) {
        AditProbe *probe = ADIT_PROBE(experiment->probes->pdata[i]);
        GStrv data = adit_probe_get_settings(probe)->data;

        for (guint j = 0; data != NULL && data[j] != NULL; j++)
            check_dataset_name(self, data[j], probe, j);
    }
}

static AditValue
find_key(AditBinder *self, const char *section)
{
    AditValue value = get_section(self, section);
    guint index;

    if (adit_node_find(self->main->root, section, &index))
        value.node = adit_node_get_key(self->main->root, index);
    return value;
}

/* The file. */

gboolean
adit_bind_check_start(AditSource *source, const AditNode *root, AditDiagnostics *diagnostics)
{
    AditPlace start = {source, 1, 1, 1};
    const char *first = "nothing";
    g_autofree char *shown = NULL;

    if (root->kind == ADIT_NODE_MAPPING && adit_node_count(root) > 0)
        first = shown = g_strdup_printf("'%s'", adit_node_get_key(root, 0)->text);
    else if (root->kind != ADIT_NODE_MAPPING && !adit_node_is_null(root))
        first = shown = adit_node_describe(root);
    if (g_strcmp0(first, "'adit'") != 0) {
        adit_diagnostics_error(diagnostics, &start, ADIT_ERROR_INVALID,
                               "the first key must be 'adit: 1', got %s", first);
        return root->kind == ADIT_NODE_MAPPING && adit_node_count(root) > 0;
    }
    AditScalar version = adit_node_get_scalar(adit_node_get_item(root, 0));

    if (version.type != ADIT_SCALAR_INTEGER || version.integer != 1) {
        g_autofree char *got = adit_node_describe(adit_node_get_item(root, 0));

        adit_diagnostics_error(diagnostics, &adit_node_get_item(root, 0)->place, ADIT_ERROR_INVALID,
                               "this program reads 'adit: 1', got %s", got);
    }
    return TRUE;
}

/* What kind of file it is; FALSE: not one that runs. */
static gboolean
check_kind(AditBinder *self)
{
    AditNode *root = self->main->root;
    AditPlace start = {self->main->source, 1, 1, 1};
    const char *text = NULL;

    if (adit_node_get(root, "study") != NULL)
        text = "this is a study; adit sweep runs it";
    else if (adit_node_get(root, "model") == NULL && adit_node_get(root, "parts") != NULL)
        text = "this file holds parts alone; a pipeline needs 'model'";
    else if (adit_node_get(root, "model") == NULL)
        text = "a pipeline needs 'model'";
    if (text == NULL && adit_node_get(root, "train") != NULL && adit_node_get(root, "data") == NULL)
        adit_diagnostics_error(self->diagnostics, &find_key(self, "train").node->place,
                               ADIT_ERROR_INVALID, "'train' needs 'data'");
    if (text != NULL)
        adit_diagnostics_error(self->diagnostics, &start, ADIT_ERROR_INVALID, "%s", text);
    return text == NULL;
}

static void
report_override(AditBinder *self, const AditOverride *override)
{
    const AditPlace place = override->place;
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    const char *path = override->path, *file = self->main->source->name;

    for (AditScope *scope = self->main->scope; scope != NULL; scope = scope->parent)
        g_ptr_array_add(names, (gpointer) scope->name);
    const char *nearest = adit_suggest(path, (const char *const *) names->pdata, names->len);
    g_auto(GStrv) segments = g_strsplit(path, ".", 2);

    if (nearest != NULL)
        adit_diagnostics_error(self->diagnostics, &place, ADIT_ERROR_INVALID,
                               "no parameter '%s' in %s; did you mean '%s'?", path, file, nearest);
    else if (segments[0] != NULL && g_strv_contains(sections, segments[0]))
        adit_diagnostics_error(self->diagnostics, &place, ADIT_ERROR_INVALID,
                               "no parameter '%s' in %s; a key is set by -o %s=...", path, file,
                               path);
    else if (names->len == 0)
        adit_diagnostics_error(self->diagnostics, &place, ADIT_ERROR_INVALID,
                               "no parameter '%s' in %s; it declares none", path, file);
    else
        adit_diagnostics_error(self->diagnostics, &place, ADIT_ERROR_INVALID,
                               "no parameter '%s' in %s", path, file);
}

static void
check_overrides(AditBinder *self)
{
    for (guint i = 0; i < self->overrides->len; i++) {
        const AditOverride *override = (const AditOverride *) self->overrides->pdata[i];

        if (override->append && !override->is_path) {
            adit_diagnostics_error(self->diagnostics, &override->place, ADIT_ERROR_INVALID,
                                   "'%s+=' appends to a key; write -o %s+=...", override->path,
                                   override->path);
        } else if (!override->is_path && !override->used) {
            report_override(self, override);
        }
    }
}

/* Live values and seeds do not change what is computed, only with which numbers. */
static void
drop_live(AditNode *node)
{
    for (guint i = adit_node_count(node); i > 0; i--) {
        if (adit_node_get_item(node, i - 1)->live)
            adit_node_remove(node, i - 1);
        else
            drop_live(adit_node_get_item(node, i - 1));
    }
}

static void
drop_keys(AditNode *mapping, const char *const *keys)
{
    guint index;

    for (; *keys != NULL; keys++) {
        if (adit_node_find(mapping, *keys, &index))
            adit_node_remove(mapping, index);
    }
}

static char *
make_structure(const AditNode *resolved)
{
    static const char *const others[] = {"seed", NULL};
    g_autoptr(AditNode) copy = adit_node_copy(resolved);

    drop_keys(copy, others);
    drop_live(copy);
    return adit_yaml_write(copy);
}

static char *
make_subject(const AditNode *resolved)
{
    static const char *const others[] = {"title", "inference", "probes", NULL};
    g_autoptr(AditNode) copy = adit_node_copy(resolved);

    drop_keys(copy, others);
    return adit_yaml_write(copy);
}

/* @probes: (nullable): what was bound: a probe, NAME: {parameters}, or a list of them */
static void
make_queries(const AditNode *probes, GPtrArray *queries)
{
    static const char *const others[] = {"when", "every", "memory", NULL};
    gboolean list = probes != NULL && probes->kind == ADIT_NODE_LIST;
    guint n = list ? adit_node_count(probes) : probes != NULL;

    for (guint i = 0; i < n; i++) {
        g_autoptr(AditNode) copy = adit_node_copy(list ? adit_node_get_item(probes, i) : probes);

        if (copy->kind == ADIT_NODE_MAPPING && adit_node_count(copy) == 1)
            drop_keys(adit_node_get_item(copy, 0), others);
        g_ptr_array_add(queries, adit_yaml_write(copy));
    }
}

static void
bind_sections(AditBinder *self)
{
    g_autoptr(AditNode) resolved = adit_node_new_mapping(NULL);
    g_autoptr(AditNode) body = adit_node_new_mapping(NULL);
    AditExperiment *experiment = self->experiment;

    bind_heading(self, resolved);
    bind_components(self, "data", "dataset", experiment->datasets, body);
    adit_bind_model(self, get_section(self, "model"), body);
    AditValue exits = get_section(self, "exits");

    adit_bind_exits(self, exits.node != NULL ? exits : self->taken_exits, body);
    adit_bind_train(self, get_section(self, "train"), body);
    adit_bind_inference(self, get_section(self, "inference"), body);
    bind_components(self, "probes", "probe", experiment->probes, body);
    check_names(self);

    AditNode *parts = adit_part_resolve_all(self);

    if (adit_node_count(parts) > 0)
        adit_node_set_new(resolved, "parts", parts);
    else
        adit_node_unref(parts);
    for (guint i = 0; i < adit_node_count(body); i++)
        adit_node_set(resolved, adit_node_ref(adit_node_get_key(body, i)),
                      adit_node_copy(adit_node_get_item(body, i)));
    if (adit_diagnostics_count_errors(self->diagnostics) > 0)
        return;
    adit_node_escape(resolved);
    experiment->resolved = adit_yaml_write(resolved);
    experiment->structure = make_structure(resolved);
    experiment->subject = make_subject(resolved);
    make_queries(adit_node_get(resolved, "probes"), experiment->queries);
}

static void
bind_file(AditBinder *self)
{
    static const AditValue none = {0};
    AditValue root = none;

    if (!adit_bind_check_start(self->main->source, self->main->root, self->diagnostics))
        return;
    adit_overrides_apply(self->overrides, self->main->root, self->diagnostics);
    root.node = self->main->root;
    adit_bind_check_keys(self, root, sections, "section", NULL);
    adit_pipeline_file_open(self, self->main);
    check_overrides(self);
    if (check_kind(self))
        bind_sections(self);
}

gboolean
adit_bind_read_text(const char *path, const AditPlace *place, char **text,
                    AditDiagnostics *diagnostics)
{
    g_autoptr(GError) error = NULL;
    gsize length = 0;

    if (!g_file_get_contents(path, text, &length, &error)) {
        if (g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOENT))
            adit_diagnostics_error(diagnostics, place, ADIT_ERROR_NOT_FOUND, "no file '%s'", path);
        else if (g_file_test(path, G_FILE_TEST_IS_DIR))
            adit_diagnostics_error(diagnostics, place, ADIT_ERROR_INVALID,
                                   "'%s' is a folder, not a pipeline", path);
        else
            adit_diagnostics_error(diagnostics, place, ADIT_ERROR_NOT_FOUND, "cannot read '%s': %s",
                                   path, error->message);
        return FALSE;
    }
    if (strlen(*text) == length)
        return TRUE;
    adit_diagnostics_error(diagnostics, place, ADIT_ERROR_INVALID, "'%s' is not a text", path);
    return FALSE;
}

static void
binder_clear(AditBinder *self)
{
    adit_substitution_clear(&self->substitution);
    g_clear_pointer(&self->overrides, g_ptr_array_unref);
    g_clear_pointer(&self->files, g_hash_table_unref);
    g_clear_pointer(&self->installed, g_ptr_array_unref);
    g_clear_pointer(&self->stack, g_ptr_array_unref);
}

/* @overrides: as they are, or NULL: read from @arguments */
static AditExperiment *
read_file(const char *path, const char *const *arguments, guint first_argument,
          const GPtrArray *overrides, AditSource *study, const char *data_folder,
          AditDiagnostics *diagnostics)
{
    g_autoptr(AditExperiment) experiment = experiment_new(path, arguments);
    g_autofree char *data = data_folder != NULL ? g_canonicalize_filename(data_folder, NULL) : NULL;
    AditBinder binder = {.diagnostics = diagnostics, .experiment = experiment};
    guint errors = adit_diagnostics_count_errors(diagnostics);

    if (!adit_bind_read_text(path, NULL, &experiment->text, diagnostics))
        return NULL;
    binder.registry = adit_registry_get();
    binder.stack = g_ptr_array_new();
    binder.files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                         (GDestroyNotify) adit_pipeline_file_free);
    adit_substitution_init(&binder.substitution, diagnostics, data);

    AditSource *source = adit_source_new(path, experiment->text);
    AditNode *root = adit_yaml_read(source, diagnostics);

    binder.main = adit_pipeline_file_new(&binder, source, path, root);
    binder.study = study;
    binder.overrides = overrides != NULL ? g_ptr_array_ref((GPtrArray *) overrides)
                                         : adit_overrides_read(arguments, first_argument,
                                                               experiment->sources, diagnostics);
    if (root != NULL)
        bind_file(&binder);
    binder_clear(&binder);
    /* an error that another reading of the file had already reported is not counted again */
    return adit_diagnostics_count_errors(diagnostics) > errors || experiment->resolved == NULL
               ? NULL
               : g_steal_pointer(&experiment);
}

AditExperiment *
adit_experiment_read(const char *path, const char *const *arguments, guint first_argument,
                     const char *data_folder, AditDiagnostics *diagnostics)
{
    return read_file(path, arguments, first_argument, NULL, NULL, data_folder, diagnostics);
}

AditExperiment *
adit_experiment_read_varied(const char *path, const GPtrArray *overrides, AditSource *study,
                            const char *data_folder, AditDiagnostics *diagnostics)
{
    for (guint i = 0; i < overrides->len; i++)
        ((AditOverride *) overrides->pdata[i])->used = FALSE;
    return read_file(path, NULL, 0, overrides, study, data_folder, diagnostics);
}
