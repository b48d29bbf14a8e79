/* core/pipeline/adit-part.c - SPDX-License-Identifier: MIT */
#include <string.h>

#include "adit-binder.h"
#include "adit-installation.h"
#include "adit-suggest.h"

/* what using a part counts for in the file's work */
#define PART_WORK 20

static const char *const section_words[] = {"adit",      "title",  "seed",  "include", "params",
                                            "parts",     "data",   "model", "exits",   "train",
                                            "inference", "probes", "study", NULL};

/* Files. */

AditPipelineFile *
adit_pipeline_file_new(AditBinder *self, AditSource *source, const char *path, AditNode *root)
{
    AditPipelineFile *file = g_new0(AditPipelineFile, 1);
    g_autofree char *absolute = g_canonicalize_filename(path, NULL);

    file->source = source;
    file->folder = g_path_get_dirname(absolute);
    file->root = root;
    file->parts = g_ptr_array_new_with_free_func(g_free);
    file->includes = g_ptr_array_new();
    g_ptr_array_add(self->experiment->sources, adit_source_ref(source));
    g_hash_table_insert(self->files, g_steal_pointer(&absolute), file);
    return file;
}

void
adit_pipeline_file_free(AditPipelineFile *self)
{
    adit_source_unref(self->source);
    g_free(self->folder);
    g_clear_pointer(&self->root, adit_node_unref);
    g_ptr_array_unref(self->parts);
    g_ptr_array_unref(self->includes);
    g_free(self);
}

AditPipelineFile *
adit_pipeline_file_of(AditBinder *self, const AditNode *node)
{
    GHashTableIter iter;
    gpointer file;

    g_hash_table_iter_init(&iter, self->files);
    while (g_hash_table_iter_next(&iter, NULL, &file))
        if (((AditPipelineFile *) file)->source == node->place.source)
            return (AditPipelineFile *) file;
    return self->main;
}

static void
report(AditBinder *self, const AditNode *node, const char *text)
{
    adit_diagnostics_error(self->diagnostics, &node->place, ADIT_ERROR_INVALID, "%s", text);
}

/* Reads a file of parts; NULL: it is wrong. */
static AditPipelineFile *
read_parts_file(AditBinder *self, const char *path, const char *name, const AditPlace *place)
{
    static const char *const keys[] = {"adit", "title", "include", "params", "parts", NULL};
    g_autofree char *absolute = g_canonicalize_filename(path, NULL);
    AditPipelineFile *file = (AditPipelineFile *) g_hash_table_lookup(self->files, absolute);
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;

    if (file != NULL)
        return file;
    if (!g_file_get_contents(path, &text, NULL, &error)) {
        adit_diagnostics_error(self->diagnostics, place, ADIT_ERROR_NOT_FOUND, "no file '%s'",
                               name);
        return NULL;
    }
    AditSource *source = adit_source_new(name, text);
    AditNode *root = adit_yaml_read(source, self->diagnostics);

    file = adit_pipeline_file_new(self, source, path, root);
    if (root == NULL)
        return NULL;
    if (root->kind != ADIT_NODE_MAPPING || adit_node_get(root, "parts") == NULL) {
        report(self, root, "a file of parts needs 'parts'");
        return NULL;
    }
    for (guint i = 0; i < adit_node_count(root); i++) {
        AditNode *key = adit_node_get_key(root, i);

        if (!g_strv_contains(keys, key->text)) {
            g_autofree char *message =
                g_strdup_printf("a file of parts has no '%s', only params and parts", key->text);

            report(self, key, message);
        }
    }
    adit_pipeline_file_open(self, file);
    return file;
}

static void
include_file(AditBinder *self, AditPipelineFile *file, const AditNode *item)
{
    g_autofree char *folder = g_path_get_dirname(file->source->name);

    if (item->kind != ADIT_NODE_SCALAR || *item->text == '\0') {
        report(self, item, "'include' must be a list of paths");
        return;
    }
    g_auto(GStrv) steps = g_strsplit(item->text, "/", -1);

    if (g_path_is_absolute(item->text) || g_strv_contains((const char *const *) steps, "..")) {
        g_autofree char *message = g_strdup_printf(
            "an included file lies beside or below this one, got \"%s\"", item->text);

        report(self, item, message);
        return;
    }
    g_autofree char *path = g_build_filename(file->folder, item->text, NULL);
    g_autofree char *name = strcmp(folder, ".") == 0 ? g_strdup(item->text)
                                                     : g_build_filename(folder, item->text, NULL);
    AditPipelineFile *included = read_parts_file(self, path, name, &item->place);

    if (included != NULL)
        g_ptr_array_add(file->includes, included);
}

/* Parameters. */

static gboolean
check_parameter_name(AditBinder *self, const AditNode *key, gboolean of_file)
{
    g_autofree char *message = NULL;

    if (!adit_is_word(key->text))
        message = g_strdup_printf("a parameter must be a word of a-z, 0-9 and '-', got \"%s\"",
                                  key->text);
    else if (of_file && g_strv_contains(section_words, key->text))
        message = g_strdup_printf("parameter '%s' is named like a section", key->text);
    if (message != NULL)
        report(self, key, message);
    return message == NULL;
}

/* A text, and no more is asked of it where another value is given: $data may have none. */
static gboolean
is_below_data(const AditNode *node)
{
    return node->kind == ADIT_NODE_SCALAR &&
           (strcmp(node->text, "$data") == 0 || g_str_has_prefix(node->text, "$data/"));
}

/* The default's type binds: an integer stays one, a number may become an integer. */
static gboolean
check_type(AditBinder *self, const char *name, AditValue def, AditValue given)
{
    static const char *const words[] = {
        [ADIT_SCALAR_BOOLEAN] = "true or false",
        [ADIT_SCALAR_INTEGER] = "an integer",
        [ADIT_SCALAR_NUMBER] = "a number",
    };
    AditValue value = adit_substitute(&self->substitution, given);

    if (is_below_data(def.node))
        return value.node != NULL;
    AditValue known = adit_substitute(&self->substitution, def);

    if (known.node == NULL || value.node == NULL || known.opaque || value.opaque ||
        known.node->kind != ADIT_NODE_SCALAR)
        return value.node != NULL;
    AditScalarType expected = adit_node_get_scalar(known.node).type;
    AditScalarType got = adit_node_get_scalar(value.node).type;

    if (expected == ADIT_SCALAR_NULL || expected == ADIT_SCALAR_TEXT || got == expected ||
        (expected == ADIT_SCALAR_NUMBER && got == ADIT_SCALAR_INTEGER))
        return TRUE;
    g_autofree char *shown = adit_node_describe(value.node);

    adit_value_error(&self->substitution, value, ADIT_ERROR_INVALID,
                     "'%s' is %s (default %s in %s:%u), got %s", name, words[expected],
                     known.node->text, def.node->place.source->name, def.node->place.line, shown);
    return FALSE;
}

static AditValue
find_given(AditBinder *self, AditPipelineFile *file, const AditNode *key, AditValue def,
           AditScope *scope)
{
    AditOverride *override = file == self->main && self->overrides != NULL
                                 ? adit_overrides_find(self->overrides, key->text)
                                 : NULL;
    AditValue given = {.scope = scope};

    if (override == NULL)
        return def;
    given.node = adit_node_copy(override->value);
    given.node->via = def.node->place;
    given.node->via_note = "its default stands here";
    adit_substitution_keep(&self->substitution, given.node);
    if (adit_node_is_null(given.node)) {
        adit_value_error(&self->substitution, given, ADIT_ERROR_INVALID,
                         "'%s' must be given a value, got null", key->text);
        return (AditValue){0};
    }
    return check_type(self, key->text, def, given) ? given : (AditValue){0};
}

static void
read_file_parameters(AditBinder *self, AditPipelineFile *file)
{
    AditNode *params = adit_node_get(file->root, "params");

    if (params == NULL)
        return;
    if (params->kind != ADIT_NODE_MAPPING) {
        report(self, params, "'params' must be a mapping of names to values");
        return;
    }
    for (guint i = 0; i < adit_node_count(params); i++) {
        AditNode *key = adit_node_get_key(params, i);
        AditValue def = {.node = adit_node_get_item(params, i), .scope = file->scope};

        if (!check_parameter_name(self, key, TRUE))
            continue;
        AditValue value = find_given(self, file, key, def, file->scope);
        gboolean missing = value.node != NULL && adit_node_is_null(value.node);
        g_autoptr(AditNode) checked =
            missing || value.node == NULL ? NULL : adit_substitute_all(&self->substitution, value);

        if (checked == NULL && !missing)
            value.node = NULL;
        else if (checked != NULL && checked->kind == ADIT_NODE_SCALAR)
            value = adit_substitute(&self->substitution, value);
        file->scope = adit_scope_new(&self->substitution, file->scope, key->text,
                                     missing ? ADIT_SCOPE_MISSING : ADIT_SCOPE_VALUE, value);
        file->opaque_scope = adit_scope_new(&self->substitution, file->opaque_scope, key->text,
                                            ADIT_SCOPE_OPAQUE, (AditValue){0});
    }
}

/* Parts. */

static gboolean
check_part_name(AditBinder *self, const AditNode *key)
{
    static const char *const words[] = {"repeat",     "sequence", "paths",
                                        "aggregator", "blocks",   NULL};
    g_autofree char *message = NULL;

    if (!adit_is_word(key->text))
        message = g_strdup_printf("a part's name must be a word of a-z, 0-9 and '-', got \"%s\"",
                                  key->text);
    else if (g_strv_contains(words, key->text))
        message = g_strdup_printf("part '%s' is named like a word of the language", key->text);
    else if (adit_registry_find(self->registry, "block", key->text, NULL) != 0)
        message = g_strdup_printf("part '%s' is named like a block that exists", key->text);
    if (message != NULL)
        report(self, key, message);
    return message == NULL;
}

static gboolean
check_part(AditBinder *self, const AditNode *key, AditNode *node)
{
    static const char *const keys[] = {"about", "params", "aggregator", "blocks", NULL};
    g_autofree char *name = g_strdup_printf("part '%s'", key->text);
    AditNode *params = adit_node_get(node, "params");

    if (node->kind != ADIT_NODE_MAPPING) {
        g_autofree char *got = adit_node_describe(node);
        g_autofree char *message =
            g_strdup_printf("%s must be a mapping with 'blocks', got %s", name, got);

        report(self, node, message);
        return FALSE;
    }
    adit_bind_check_keys(self, (AditValue){.node = node}, keys, "key", key->text);
    if (adit_node_get(node, "blocks") == NULL) {
        g_autofree char *message = g_strdup_printf("%s needs 'blocks'", name);

        report(self, key, message);
        return FALSE;
    }
    if (params != NULL && params->kind != ADIT_NODE_MAPPING) {
        report(self, params, "'params' must be a mapping of names to values");
        return FALSE;
    }
    gboolean good = TRUE;

    for (guint i = 0; params != NULL && i < adit_node_count(params); i++)
        good = check_parameter_name(self, adit_node_get_key(params, i), FALSE) && good;
    return good;
}

static void
read_parts(AditBinder *self, AditPipelineFile *file)
{
    AditNode *parts = adit_node_get(file->root, "parts");

    if (parts == NULL)
        return;
    if (parts->kind != ADIT_NODE_MAPPING) {
        report(self, parts, "'parts' must be a mapping of names to parts");
        return;
    }
    for (guint i = 0; i < adit_node_count(parts); i++) {
        AditNode *key = adit_node_get_key(parts, i), *node = adit_node_get_item(parts, i);

        if (!check_part_name(self, key) || !check_part(self, key, node))
            continue;
        AditPart *part = g_new0(AditPart, 1);

        part->file = file;
        part->name = key;
        part->node = node;
        g_ptr_array_add(file->parts, part);
    }
}

void
adit_pipeline_file_open(AditBinder *self, AditPipelineFile *file)
{
    AditNode *include = adit_node_get(file->root, "include");

    if (include != NULL && include->kind == ADIT_NODE_LIST) {
        for (guint i = 0; i < adit_node_count(include); i++)
            include_file(self, file, adit_node_get_item(include, i));
    } else if (include != NULL) {
        include_file(self, file, include);
    }
    read_file_parameters(self, file);
    read_parts(self, file);
}

/* Looking up. */

static int
compare_texts(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* The installed parts are read when a name is found nowhere else. */
static void
ensure_installed(AditBinder *self)
{
    const char *given = g_getenv("ADIT_PIPELINES_DIR");
    g_autofree char *root = given != NULL
                                ? g_strdup(given)
                                : adit_installation_find_pipelines(adit_installation_get_folder());
    g_autofree char *folder = g_build_filename(root, "parts", NULL);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    const char *name;

    if (self->installed != NULL)
        return;
    self->installed = g_ptr_array_new();
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL)
        if (g_str_has_suffix(name, ".yaml"))
            g_ptr_array_add(names, g_strdup(name));
    g_ptr_array_sort(names, compare_texts);
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *path = g_build_filename(folder, (const char *) names->pdata[i], NULL);
        AditPipelineFile *file = read_parts_file(self, path, path, NULL);

        if (file != NULL)
            g_ptr_array_add(self->installed, file);
    }
}

static AditPart *
find_in(const AditPipelineFile *file, const char *name)
{
    for (guint i = 0; i < file->parts->len; i++) {
        AditPart *part = (AditPart *) file->parts->pdata[i];

        if (strcmp(part->name->text, name) == 0)
            return part;
    }
    return NULL;
}

static AditPart *
find_in_files(const GPtrArray *files, const char *name)
{
    AditPart *part = NULL;

    for (guint i = 0; part == NULL && i < files->len; i++)
        part = find_in((const AditPipelineFile *) files->pdata[i], name);
    return part;
}

AditPart *
adit_part_find(AditBinder *self, const AditNode *name)
{
    const AditPipelineFile *file = adit_pipeline_file_of(self, name);
    AditPart *part = find_in(file, name->text);

    if (part == NULL)
        part = find_in_files(file->includes, name->text);
    if (part != NULL || adit_registry_find(self->registry, "block", name->text, NULL) != 0)
        return part;
    ensure_installed(self);
    return find_in_files(self->installed, name->text);
}

void
adit_part_list_names(AditBinder *self, const AditNode *name, GPtrArray *names)
{
    AditPipelineFile *file = adit_pipeline_file_of(self, name);
    g_autoptr(GPtrArray) files = g_ptr_array_copy(file->includes, NULL, NULL);

    g_ptr_array_insert(files, 0, file);
    ensure_installed(self);
    g_ptr_array_extend(files, self->installed, NULL, NULL);
    for (guint i = 0; i < files->len; i++) {
        const AditPipelineFile *seen = (const AditPipelineFile *) files->pdata[i];

        for (guint j = 0; j < seen->parts->len; j++)
            g_ptr_array_add(names, ((AditPart *) seen->parts->pdata[j])->name->text);
    }
}

/* Using. */

static gboolean
check_recursion(AditBinder *self, AditPart *part, const AditNamed *named)
{
    g_autoptr(GString) path = g_string_new(NULL);
    gboolean reported = FALSE;
    guint first;

    if (!g_ptr_array_find(self->stack, part, &first))
        return TRUE;
    for (guint i = first; i < self->stack->len; i++) {
        AditPart *inner = (AditPart *) self->stack->pdata[i];

        g_string_append_printf(path, "%s -> ", inner->name->text);
        reported = reported || inner->loops;
        inner->loops = TRUE;
    }
    if (reported)
        return FALSE;
    g_string_append(path, part->name->text);
    adit_value_error(&self->substitution, named->name, ADIT_ERROR_INVALID,
                     "part '%s' uses itself (%s)", part->name->text, path->str);
    return FALSE;
}

static void
check_arguments(AditBinder *self, AditPart *part, AditValue arguments, gboolean with_name)
{
    AditNode *params = adit_node_get(part->node, "params");
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    for (guint i = 0; params != NULL && i < adit_node_count(params); i++)
        g_ptr_array_add(names, adit_node_get_key(params, i)->text);
    for (guint i = 0; arguments.node != NULL && i < adit_node_count(arguments.node); i++) {
        AditValue key = arguments;
        guint index;

        key.node = adit_node_get_key(arguments.node, i);
        if (params != NULL && adit_node_find(params, key.node->text, &index))
            continue;
        if (with_name && strcmp(key.node->text, "name") == 0)
            continue;
        const char *nearest =
            adit_suggest(key.node->text, (const char *const *) names->pdata, names->len);

        if (nearest != NULL)
            adit_value_error(&self->substitution, key, ADIT_ERROR_INVALID,
                             "unknown parameter '%s' of part '%s'; did you mean '%s'?",
                             key.node->text, part->name->text, nearest);
        else
            adit_value_error(&self->substitution, key, ADIT_ERROR_INVALID,
                             "unknown parameter '%s' of part '%s'", key.node->text,
                             part->name->text);
    }
}

/* The parameters of a part as its blocks see them. */
static AditScope *
open_part(AditBinder *self, AditPart *part, const AditNamed *named, AditNode *resolved)
{
    AditScope *scope = self->checking ? part->file->opaque_scope : part->file->scope;
    AditNode *params = adit_node_get(part->node, "params");
    AditSubstitution *substitution = &self->substitution;

    for (guint i = 0; params != NULL && i < adit_node_count(params); i++) {
        const char *name = adit_node_get_key(params, i)->text;
        AditValue def = {.node = adit_node_get_item(params, i), .scope = scope};
        AditValue value = {0};

        if (named->parameters.node != NULL)
            value = adit_value_get(named->parameters, name);
        if (value.node != NULL) {
            AditNode *text = adit_substitute_all(substitution, value);

            if (!check_type(self, name, def, value))
                value.node = NULL;
            adit_node_set_new(resolved, name, text != NULL ? text : adit_bind_nothing());
        } else if (adit_node_is_null(def.node)) {
            adit_value_error(substitution, named->name, ADIT_ERROR_INVALID, "part '%s' needs '%s'",
                             part->name->text, name);
        } else {
            value = def;
        }
        scope = adit_scope_new(substitution, scope, name, ADIT_SCOPE_VALUE, value);
    }
    return scope;
}

static void
take_name(AditBinder *self, const AditNamed *named, char **item_name, AditNode *resolved)
{
    static const AditParameter name = {.name = "name", .type = ADIT_PARAMETER_TEXT};
    AditValue value = adit_value_get(named->parameters, "name");

    if (value.node == NULL)
        return;
    g_auto(AditBound) bound = adit_bind_value(self, &name, value, FALSE, NULL);

    adit_node_set_new(resolved, "name", adit_node_ref(bound.resolved));
    if (bound.good)
        *item_name = g_steal_pointer(&bound.text);
}

static gboolean
declares(const AditPart *part, const char *name)
{
    AditNode *params = adit_node_get(part->node, "params");

    return params != NULL && adit_node_get(params, name) != NULL;
}

AditBlock *
adit_part_bind(AditBinder *self, AditPart *part, const AditNamed *named, char **item_name,
               GPtrArray *types, AditNode **resolved)
{
    AditNode *arguments = adit_node_new_mapping(NULL);
    g_autoptr(AditNode) body = adit_node_new_mapping(NULL);
    gboolean with_name = item_name != NULL && !declares(part, "name");
    AditBlock *block = NULL;

    self->substitution.work += PART_WORK;
    part->used = part->used || !self->checking;
    if (with_name && named->parameters.node != NULL)
        take_name(self, named, item_name, arguments);
    check_arguments(self, part, named->parameters, with_name);
    AditScope *scope = open_part(self, part, named, arguments);

    *resolved = adit_named_resolve(named, arguments);
    if (!check_recursion(self, part, named))
        return NULL;
    g_ptr_array_add(self->stack, part);
    block = adit_bind_wired(self, (AditValue){.node = part->node, .scope = scope},
                            &named->name.node->place, types, body);
    g_ptr_array_set_size(self->stack, (int) self->stack->len - 1);
    if (block != NULL)
        adit_bind_keep_node(block, ADIT_NODE_PART, *resolved);
    return block;
}

/* By themselves. */

static AditNode *
resolve_part(AditBinder *self, AditPart *part)
{
    AditScope *scope = self->checking ? part->file->opaque_scope : part->file->scope;
    AditNode *params = adit_node_get(part->node, "params");
    AditNode *about = adit_node_get(part->node, "about");
    AditNode *result = adit_node_new_mapping(NULL);
    AditNode *defaults = adit_node_new_mapping(NULL);

    for (guint i = 0; params != NULL && i < adit_node_count(params); i++) {
        const char *name = adit_node_get_key(params, i)->text;
        AditValue def = {.node = adit_node_get_item(params, i), .scope = scope};
        AditNode *text = adit_substitute_all(&self->substitution, def);

        adit_node_set_new(defaults, name, text != NULL ? text : adit_bind_nothing());
        scope = adit_scope_new(&self->substitution, scope, name, ADIT_SCOPE_OPAQUE, (AditValue){0});
    }
    if (about != NULL)
        adit_node_set_new(result, "about", adit_node_copy(about));
    if (params != NULL)
        adit_node_set_new(result, "params", defaults);
    else
        adit_node_unref(defaults);
    g_ptr_array_add(self->stack, part);
    AditBlock *block = adit_bind_wired(self, (AditValue){.node = part->node, .scope = scope},
                                       &part->name->place, NULL, result);

    g_clear_object(&block);
    g_ptr_array_set_size(self->stack, (int) self->stack->len - 1);
    return result;
}

static GPtrArray *
list_files(AditBinder *self)
{
    GPtrArray *files = g_ptr_array_copy(self->main->includes, NULL, NULL);
    GHashTableIter iter;
    gpointer file;

    g_ptr_array_insert(files, 0, self->main);
    g_hash_table_iter_init(&iter, self->files);
    while (g_hash_table_iter_next(&iter, NULL, &file))
        if (!g_ptr_array_find(files, file, NULL) &&
            (self->installed == NULL || !g_ptr_array_find(self->installed, file, NULL)))
            g_ptr_array_add(files, file);
    return files;
}

/* Two files may have one part: a run and the pipeline that goes on from it. @body: taken */
static void
compare_parts(AditBinder *self, const AditPart *part, const AditNode *other, AditNode *body)
{
    g_autofree char *text = adit_yaml_write(body);
    g_autofree char *expected = adit_yaml_write(other);
    g_autofree char *message = g_strdup_printf(
        "two parts named '%s' are used; one of them needs another name", part->name->text);

    if (strcmp(text, expected) != 0)
        report(self, part->name, message);
    adit_node_unref(body);
}

/* Adds the parts of @file that are used and not listed yet; TRUE: there were any. */
static gboolean
list_used(AditBinder *self, const AditPipelineFile *file, AditNode *parts)
{
    gboolean any = FALSE;

    for (guint i = 0; i < file->parts->len; i++) {
        AditPart *part = (AditPart *) file->parts->pdata[i];

        if (!part->used || part->listed)
            continue;
        part->listed = any = TRUE;
        AditNode *body = resolve_part(self, part);

        if (adit_node_get(parts, part->name->text) == NULL)
            adit_node_set_new(parts, part->name->text, body);
        else
            compare_parts(self, part, adit_node_get(parts, part->name->text), body);
    }
    return any;
}

AditNode *
adit_part_resolve_all(AditBinder *self)
{
    g_autoptr(GPtrArray) files = list_files(self);
    AditNode *parts = adit_node_new_mapping(NULL);
    gboolean any = TRUE;

    while (any) {
        any = FALSE;
        for (guint i = 0; i < files->len; i++)
            any = list_used(self, (const AditPipelineFile *) files->pdata[i], parts) || any;
        for (guint i = 0; self->installed != NULL && i < self->installed->len; i++)
            any =
                list_used(self, (const AditPipelineFile *) self->installed->pdata[i], parts) || any;
    }
    self->checking = TRUE;
    for (guint i = 0; i < files->len; i++) {
        const AditPipelineFile *file = (const AditPipelineFile *) files->pdata[i];

        for (guint j = 0; j < file->parts->len; j++) {
            AditPart *part = (AditPart *) file->parts->pdata[j];

            if (!part->listed)
                adit_node_unref(resolve_part(self, part));
        }
    }
    self->checking = FALSE;
    return parts;
}
