/* core/pipeline/adit-bind-component.c - SPDX-License-Identifier: MIT */
#include <string.h>

#include <adit/adit-dataset.h>
#include <adit/adit-regularizer.h>

#include "adit-binder.h"
#include "adit-loader.h"
#include "adit-suggest.h"

#define MAX_LISTED 8

AditNode *
adit_bind_nothing(void)
{
    return adit_node_new_scalar("~", TRUE, NULL);
}

const char *
adit_article(const char *word)
{
    return strchr("aeiou", *word) != NULL ? "an" : "a";
}

void
adit_bind_check_keys(AditBinder *self, AditValue mapping, const char *const *known,
                     const char *what, const char *of)
{
    guint n = g_strv_length((char **) known);

    for (guint i = 0; i < adit_node_count(mapping.node); i++) {
        AditValue key = mapping;

        key.node = adit_node_get_key(mapping.node, i);
        if (g_strv_contains(known, key.node->text))
            continue;
        const char *nearest = adit_suggest(key.node->text, known, n);
        g_autofree char *owner = of != NULL ? g_strdup_printf(" of '%s'", of) : g_strdup("");
        g_autofree char *list = g_strjoinv(", ", (char **) known);

        if (nearest != NULL)
            adit_value_error(&self->substitution, key, ADIT_ERROR_INVALID,
                             "unknown %s '%s'%s; did you mean '%s'?", what, key.node->text, owner,
                             nearest);
        else
            adit_value_error(&self->substitution, key, ADIT_ERROR_INVALID,
                             "unknown %s '%s'%s; there are %s", what, key.node->text, owner, list);
    }
}

/* Names that cannot be found. */

static char *
join_names(AditBinder *self, const char *kind)
{
    guint n = 0;
    g_autofree const char **names = adit_registry_list(self->registry, kind, &n);
    g_autofree char *list = g_strjoinv(", ", (char **) names);

    return n > 0 && n <= MAX_LISTED ? g_strdup_printf(" (%s)", list) : g_strdup("");
}

static gboolean
report_other_kind(AditBinder *self, const char *kind, AditValue name)
{
    const char *const *kinds = adit_registry_list_kinds();

    for (guint i = 0; kinds[i] != NULL; i++) {
        if (strcmp(kinds[i], kind) == 0 ||
            adit_registry_find(self->registry, kinds[i], name.node->text, NULL) == 0)
            continue;
        g_autofree char *list = join_names(self, kind);

        adit_value_error(&self->substitution, name, ADIT_ERROR_INVALID,
                         "'%s' is %s %s, not %s %s%s", name.node->text, adit_article(kinds[i]),
                         kinds[i], adit_article(kind), kind, list);
        return TRUE;
    }
    return FALSE;
}

void
adit_bind_unknown(AditBinder *self, const char *kind, AditValue name)
{
    const char *text = name.node->text;
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    guint n = 0;
    g_autofree const char **listed = adit_registry_list(self->registry, kind, &n);

    if (report_other_kind(self, kind, name))
        return;
    if (strchr(text, ':') != NULL) {
        g_autofree char *file = g_strdelimit(g_strdup(text), ":", '-');

        adit_value_error(
            &self->substitution, name, ADIT_ERROR_INVALID,
            "unknown %s '%s'; no %s-%s.so among installed plugins and in ADIT_PLUGIN_PATH", kind,
            text, kind, file);
        return;
    }
    for (guint i = 0; i < n; i++)
        g_ptr_array_add(names, (gpointer) listed[i]);
    if (strcmp(kind, "block") == 0)
        adit_part_list_names(self, name.node, names);
    const char *nearest = adit_suggest(text, (const char *const *) names->pdata, names->len);

    if (nearest != NULL)
        adit_value_error(&self->substitution, name, ADIT_ERROR_INVALID,
                         "unknown %s '%s'; did you mean '%s'?", kind, text, nearest);
    else if (n == 0)
        adit_value_error(&self->substitution, name, ADIT_ERROR_INVALID,
                         "%s '%s' is not in this build; it has none of this kind", kind, text);
    else
        adit_value_error(&self->substitution, name, ADIT_ERROR_INVALID,
                         "unknown %s '%s'; adit inspect lists those of this build", kind, text);
}

/* 0: not found; reported unless @quiet. */
static GType
find_type(AditBinder *self, const char *kind, AditValue name)
{
    g_autoptr(GError) error = NULL;
    GType type = adit_registry_find(self->registry, kind, name.node->text, &error);

    if (error != NULL)
        adit_value_error(&self->substitution, name, ADIT_ERROR_PLUGIN, "%s", error->message);
    else if (type == 0)
        adit_bind_unknown(self, kind, name);
    return type;
}

/* References. */

static gboolean
report_no_name(AditBinder *self, const char *kind, AditValue value)
{
    g_autofree char *got = adit_node_describe(value.node);

    adit_value_error(&self->substitution, value, ADIT_ERROR_INVALID,
                     "%s %s must be a name or 'name: {parameters}', got %s", adit_article(kind),
                     kind, got);
    return FALSE;
}

/* The name of a reference, which may be a parameter: {$arch: {depth: 9}}. */
static gboolean
read_key(AditBinder *self, const char *kind, AditValue value, AditNamed *named)
{
    AditValue key = value;

    key.node = adit_node_get_key(value.node, 0);
    named->name = adit_substitute(&self->substitution, key);
    if (named->name.node == NULL)
        return FALSE;
    named->opaque = named->name.opaque;
    if (named->opaque)
        return TRUE;
    if (named->name.node->kind != ADIT_NODE_SCALAR ||
        (named->name.node != key.node &&
         adit_node_get_scalar(named->name.node).type != ADIT_SCALAR_TEXT)) {
        g_autofree char *got = adit_node_describe(named->name.node);

        adit_value_error(&self->substitution, named->name, ADIT_ERROR_INVALID,
                         "the name of %s %s must be a word, got %s", adit_article(kind), kind, got);
        return FALSE;
    }
    return TRUE;
}

static gboolean
read_parameters(AditBinder *self, AditValue value, AditNamed *named)
{
    AditValue key = value;
    AditValue parameters = adit_substitute(&self->substitution, adit_value_item(value, 0));
    const char *name = named->name.node->text;

    key.node = adit_node_get_key(value.node, 0);
    if (parameters.node == NULL)
        return FALSE;
    if (parameters.opaque) {
        named->opaque = TRUE;
    } else if (adit_node_is_null(parameters.node)) {
        adit_value_error(&self->substitution, key, ADIT_ERROR_INVALID,
                         "'%s' has no parameters here; write '%s' without the colon, or '%s: {}'",
                         name, name, name);
        return FALSE;
    } else if (parameters.node->kind != ADIT_NODE_MAPPING) {
        g_autofree char *got = adit_node_describe(parameters.node);

        adit_value_error(&self->substitution, parameters, ADIT_ERROR_INVALID,
                         "the parameters of '%s' must be a mapping, got %s", name, got);
        return FALSE;
    }
    named->parameters = parameters;
    return TRUE;
}

gboolean
adit_bind_read_name(AditBinder *self, const char *kind, AditValue value, AditNamed *named)
{
    *named = (AditNamed){0};
    value = adit_substitute(&self->substitution, value);
    if (value.node == NULL)
        return FALSE;
    named->name = value;
    named->opaque = value.opaque;
    if (value.opaque)
        return TRUE;
    if (value.node->kind == ADIT_NODE_SCALAR)
        return adit_node_get_scalar(value.node).type == ADIT_SCALAR_TEXT &&
                       *value.node->text != '\0'
                   ? TRUE
                   : report_no_name(self, kind, value);
    if (value.node->kind == ADIT_NODE_LIST || adit_node_count(value.node) == 0)
        return report_no_name(self, kind, value);
    if (adit_node_count(value.node) > 1) {
        AditValue second = value;

        second.node = adit_node_get_key(value.node, 1);
        adit_value_error(&self->substitution, second, ADIT_ERROR_INVALID,
                         "%s %s has one name, got %u ('%s', '%s'%s); a list item holds one",
                         adit_article(kind), kind, adit_node_count(value.node),
                         adit_node_get_key(value.node, 0)->text, second.node->text,
                         adit_node_count(value.node) > 2 ? ", ..." : "");
        return FALSE;
    }
    return read_key(self, kind, value, named) && read_parameters(self, value, named);
}

AditNode *
adit_named_resolve(const AditNamed *named, AditNode *parameters)
{
    AditNode *name = adit_node_copy(named->name.node);

    /* an opaque reference that is one `$x` holds its parameters as well */
    if (parameters == NULL || adit_node_count(parameters) == 0) {
        g_clear_pointer(&parameters, adit_node_unref);
        return name;
    }
    AditNode *mapping = adit_node_new_mapping(NULL);

    adit_node_set(mapping, name, parameters);
    return mapping;
}

/* Components. */

static void
report_parameter(AditBinder *self, AditComponentClass *klass, AditValue parameters, guint index)
{
    g_autoptr(GPtrArray) declared = adit_component_class_list_parameters(klass);
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    AditValue key = parameters;
    AditNode *item = adit_node_get_item(parameters.node, index);

    key.node = adit_node_get_key(parameters.node, index);
    for (guint i = 0; i < declared->len; i++)
        g_ptr_array_add(names, (gpointer) ((const AditParameter *) declared->pdata[i])->name);
    const char *nearest =
        adit_suggest(key.node->text, (const char *const *) names->pdata, names->len);
    gboolean digits =
        strspn(key.node->text, "0123456789") == strlen(key.node->text) && *item->text == '\0';

    if (item->kind == ADIT_NODE_SCALAR && digits)
        adit_value_error(&self->substitution, key, ADIT_ERROR_INVALID,
                         "unknown parameter '%s' of %s '%s'; decimals take a point", key.node->text,
                         klass->kind, klass->name);
    else if (nearest != NULL)
        adit_value_error(&self->substitution, key, ADIT_ERROR_INVALID,
                         "unknown parameter '%s' of %s '%s'; did you mean '%s'?", key.node->text,
                         klass->kind, klass->name, nearest);
    else
        adit_value_error(&self->substitution, key, ADIT_ERROR_INVALID,
                         "unknown parameter '%s' of %s '%s'; adit inspect %s lists them",
                         key.node->text, klass->kind, klass->name, klass->name);
}

static void
set_parameter(AditComponent *component, const AditParameter *p, AditBound *bound)
{
    g_auto(GValue) value = G_VALUE_INIT;

    g_value_init(&value, p->pspec->value_type);
    switch (p->type) {
    case ADIT_PARAMETER_INT:
        g_value_set_int64(&value, bound->integer);
        break;
    case ADIT_PARAMETER_NUMBER:
        g_value_set_double(&value, bound->number);
        break;
    case ADIT_PARAMETER_BOOLEAN:
        g_value_set_boolean(&value, (gboolean) bound->integer);
        break;
    case ADIT_PARAMETER_TEXT:
    case ADIT_PARAMETER_PATH:
        g_value_set_string(&value, bound->text);
        break;
    case ADIT_PARAMETER_CHOICE:
        g_value_set_int(&value, (int) bound->integer);
        break;
    case ADIT_PARAMETER_AMOUNT:
        g_value_set_boxed(&value, &bound->amount);
        break;
    case ADIT_PARAMETER_LIVE:
        g_value_set_boxed(&value, bound->live);
        break;
    case ADIT_PARAMETER_NUMBERS:
        g_value_set_boxed(&value, bound->numbers);
        break;
    case ADIT_PARAMETER_REFERENCE:
        g_value_set_object(&value, bound->component);
        break;
    case ADIT_PARAMETER_TEXTS:
    case ADIT_PARAMETER_ADDRESSES:
    default:
        g_value_set_boxed(&value, bound->texts);
        break;
    }
    g_object_set_property(G_OBJECT(component), p->name, &value);
}

/* Data that is missing is said with everything else that is wrong. */
static void
check_path(AditBinder *self, const AditParameter *p, AditValue value, const char *path)
{
    value = adit_substitute(&self->substitution, value);
    if (value.node == NULL || value.opaque || self->checking)
        return;
    for (guint i = 0; i < 3; i++) {
        static const char *const suffixes[] = {"", ".gz", ".xz"};
        g_autofree char *file = g_strconcat(path, suffixes[i], NULL);

        if (g_file_test(file, G_FILE_TEST_EXISTS))
            return;
    }
    const char *written = value.node->origin != NULL ? value.node->origin : value.node->text;
    const char *what = strstr(p->name, "folder") != NULL ? "folder" : "file";

    g_autofree char *text = g_strdup_printf("no %s '%s'", what, written);
    g_autofree char *message = adit_loader_explain(text, self->substitution.data_folder);

    adit_value_error(&self->substitution, value, ADIT_ERROR_NOT_FOUND, "%s", message);
}

/* Binds one written parameter; FALSE: the component cannot be used. */
static gboolean
bind_parameter(AditBinder *self, AditComponent *component, const AditParameter *p, AditValue value,
               AditNode *resolved)
{
    gboolean weights = ADIT_IS_REGULARIZER(component) &&
                       ADIT_REGULARIZER_GET_CLASS(component)->match == ADIT_MATCH_WEIGHTS;
    g_auto(AditBound) bound = adit_bind_value(self, p, value, weights, component);

    adit_node_set_new(resolved, p->name, adit_node_ref(bound.resolved));
    if (!bound.good)
        return FALSE;
    if (p->type == ADIT_PARAMETER_ADDRESSES && bound.texts[0] == NULL) {
        adit_value_error(&self->substitution, value, ADIT_ERROR_INVALID,
                         "'%s' must be at least one address, got an empty list", p->name);
        return FALSE;
    }
    if (p->type == ADIT_PARAMETER_PATH && ADIT_IS_DATASET(component))
        check_path(self, p, value, bound.text);
    set_parameter(component, p, &bound);
    return TRUE;
}

static gboolean
is_item_name(AditComponentClass *klass, const char *key, char **item_name)
{
    return item_name != NULL && strcmp(key, "name") == 0 &&
           adit_component_class_find_parameter(klass, key) == NULL;
}

static void
take_item_name(AditBinder *self, AditValue value, char **item_name, AditNode *resolved)
{
    static const AditParameter name = {.name = "name", .type = ADIT_PARAMETER_TEXT};
    g_auto(AditBound) bound = adit_bind_value(self, &name, value, FALSE, NULL);

    adit_node_set_new(resolved, "name", adit_node_ref(bound.resolved));
    if (bound.good)
        *item_name = g_steal_pointer(&bound.text);
}

static gboolean
check_unknown(AditBinder *self, AditComponentClass *klass, AditValue parameters, char **item_name)
{
    gboolean good = TRUE;

    for (guint i = 0; parameters.node != NULL && i < adit_node_count(parameters.node); i++) {
        const char *key = adit_node_get_key(parameters.node, i)->text;

        if (adit_component_class_find_parameter(klass, key) != NULL ||
            is_item_name(klass, key, item_name))
            continue;
        report_parameter(self, klass, parameters, i);
        good = FALSE;
    }
    return good;
}

static gboolean
bind_parameters(AditBinder *self, AditComponent *component, const AditNamed *named,
                char **item_name, AditNode *resolved)
{
    AditComponentClass *klass = ADIT_COMPONENT_GET_CLASS(component);
    g_autoptr(GPtrArray) declared = adit_component_class_list_parameters(klass);
    AditValue parameters = named->parameters, none = {0};
    gboolean known = check_unknown(self, klass, parameters, item_name), good = known;
    AditValue name = parameters.node != NULL && is_item_name(klass, "name", item_name)
                         ? adit_value_get(parameters, "name")
                         : none;

    if (name.node != NULL)
        take_item_name(self, name, item_name, resolved);
    for (guint i = 0; i < declared->len; i++) {
        const AditParameter *p = (const AditParameter *) declared->pdata[i];
        AditValue value = parameters.node != NULL ? adit_value_get(parameters, p->name) : none;

        if (value.node != NULL) {
            good = bind_parameter(self, component, p, value, resolved) && good;
        } else if (p->required) {
            /* what is missing may be what was misspelt */
            good = FALSE;
            if (!known)
                continue;
            adit_value_error(&self->substitution, named->name, ADIT_ERROR_INVALID,
                             "%s '%s' needs '%s'", klass->kind, klass->name, p->name);
        } else {
            AditNode *def = adit_resolve_default(p);

            if (def != NULL)
                adit_node_set_new(resolved, p->name, def);
        }
    }
    return good;
}

/* A check's message begins with the parameter that it is about: that is where it is said, if it was
 * written. */
static AditValue
find_faulty(AditBinder *self, const AditNamed *named, const char *message)
{
    AditNode *parameters = named->parameters.node;
    const char *end = *message == '\'' ? strchr(message + 1, '\'') : NULL;
    guint index = 0;

    if (end == NULL || parameters == NULL || parameters->kind != ADIT_NODE_MAPPING)
        return named->name;
    g_autofree char *name = g_strndup(message + 1, (gsize) (end - message - 1));

    if (!adit_node_find(parameters, name, &index))
        return named->name;
    AditValue value =
        adit_substitute(&self->substitution, adit_value_item(named->parameters, index));

    return value.node != NULL && !value.opaque ? value : named->name;
}

void
adit_bind_keep_node(gpointer component, const char *which, AditNode *node)
{
    g_object_set_data_full(G_OBJECT(component), which, adit_node_ref(node),
                           (GDestroyNotify) adit_node_unref);
}

AditComponent *
adit_bind_type(AditBinder *self, GType type, const AditNamed *named, char **item_name,
               AditNode **resolved)
{
    g_autoptr(AditComponent) component = ADIT_COMPONENT(g_object_new(type, NULL));
    AditNode *parameters = adit_node_new_mapping(NULL);
    gboolean good = bind_parameters(self, component, named, item_name, parameters);
    g_autoptr(GError) error = NULL;

    adit_component_set_place(component, &named->name.node->place);
    *resolved = adit_named_resolve(named, parameters);
    if (!good)
        return NULL;
    if (!adit_component_check(component, &error)) {
        adit_value_error(&self->substitution, find_faulty(self, named, error->message),
                         (AditError) error->code, "%s", error->message);
        return NULL;
    }
    adit_bind_keep_node(component, ADIT_NODE_OWN, *resolved);
    return g_steal_pointer(&component);
}

AditComponent *
adit_bind_component(AditBinder *self, const char *kind, AditValue value, AditNode **resolved)
{
    AditNamed named;
    GType type = 0;

    *resolved = NULL;
    if (!adit_bind_read_name(self, kind, value, &named)) {
        *resolved = adit_bind_nothing();
        return NULL;
    }
    if (!named.opaque)
        type = find_type(self, kind, named.name);
    if (type != 0)
        return adit_bind_type(self, type, &named, NULL, resolved);
    AditNode *parameters = named.parameters.node != NULL && !named.parameters.opaque
                               ? adit_substitute_all(&self->substitution, named.parameters)
                               : NULL;

    *resolved = adit_named_resolve(&named, parameters);
    return NULL;
}

AditComponent *
adit_bind_default(AditBinder *self, const char *kind, const char *name, const AditPlace *place,
                  AditNode **resolved)
{
    g_autoptr(AditNode) node = adit_node_new_scalar(name, TRUE, place);

    return adit_bind_component(self, kind, (AditValue){.node = node}, resolved);
}
