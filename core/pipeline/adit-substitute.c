/* core/pipeline/adit-substitute.c - SPDX-License-Identifier: MIT */
#include "adit-substitute.h"

#include <string.h>

#include "adit-suggest.h"

#define MAX_DEPTH 64
/* what a note kept for an error, and a value written into a tree, count for */
#define PASS_WORK 4
#define COPY_WORK 8

static const AditValue nothing = {NULL, NULL, NULL, FALSE};

static void
pass_free(gpointer data)
{
    AditPass *pass = (AditPass *) data;

    g_free(pass->text);
    g_free(pass);
}

void
adit_substitution_init(AditSubstitution *self, AditDiagnostics *diagnostics,
                       const char *data_folder)
{
    *self = (AditSubstitution){.diagnostics = diagnostics, .data_folder = data_folder};
    self->nodes = g_ptr_array_new_with_free_func((GDestroyNotify) adit_node_unref);
    self->scopes = g_ptr_array_new_with_free_func(g_free);
    self->passes = g_ptr_array_new_with_free_func(pass_free);
}

void
adit_substitution_clear(AditSubstitution *self)
{
    g_clear_pointer(&self->nodes, g_ptr_array_unref);
    g_clear_pointer(&self->scopes, g_ptr_array_unref);
    g_clear_pointer(&self->passes, g_ptr_array_unref);
}

AditScope *
adit_scope_new(AditSubstitution *self, AditScope *parent, const char *name, AditScopeState state,
               AditValue value)
{
    AditScope *scope = g_new0(AditScope, 1);

    scope->parent = parent;
    scope->name = name;
    scope->state = state;
    scope->value = value;
    g_ptr_array_add(self->scopes, scope);
    return scope;
}

const AditPass *
adit_pass_new(AditSubstitution *self, const AditPass *next, const AditPlace *place,
              const char *format, ...)
{
    AditPass *pass = g_new0(AditPass, 1);
    va_list arguments;

    va_start(arguments, format);
    pass->text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    pass->next = next;
    pass->place = *place;
    self->work += PASS_WORK;
    g_ptr_array_add(self->passes, pass);
    return pass;
}

AditNode *
adit_substitution_keep(AditSubstitution *self, AditNode *node)
{
    g_ptr_array_add(self->nodes, node);
    return node;
}

gboolean
adit_substitution_work(AditSubstitution *self, const AditPlace *place, guint64 amount)
{
    self->work += amount;
    if (self->work > ADIT_MAX_WORK && !self->exhausted) {
        self->exhausted = TRUE;
        adit_diagnostics_error(self->diagnostics, place, ADIT_ERROR_INVALID,
                               "parameters and parts unfold to more than %d values", ADIT_MAX_WORK);
    }
    return !self->exhausted;
}

AditScope *
adit_scope_find(AditSubstitution *self, AditScope *scope, const char *name)
{
    for (; scope != NULL; scope = scope->parent) {
        self->work++;
        if (strcmp(scope->name, name) == 0)
            return scope;
    }
    return NULL;
}

AditValue
adit_value_item(AditValue value, guint index)
{
    value.node = adit_node_get_item(value.node, index);
    return value;
}

AditValue
adit_value_get(AditValue value, const char *key)
{
    value.node = adit_node_get(value.node, key);
    return value;
}

void
adit_value_error(AditSubstitution *self, AditValue value, AditError code, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    adit_diagnostics_error(self->diagnostics, &value.node->place, code, "%s", text);
    if (value.node->via.source != NULL)
        adit_diagnostics_note(self->diagnostics, &value.node->via, "%s", value.node->via_note);
    for (const AditPass *pass = value.pass; pass != NULL; pass = pass->next)
        adit_diagnostics_note(self->diagnostics, &pass->place, "%s", pass->text);
}

/* The `$` at byte @offset of a scalar: exact where the text stands in the file as it is. */
static AditPlace
place_within(const AditNode *node, gsize offset, gsize length)
{
    AditPlace place = node->place;
    glong characters = g_utf8_strlen(node->text, -1);
    guint quotes = node->plain ? 0 : 1;

    if (node->literal || place.length != (guint) characters + 2 * quotes)
        return place;
    place.column += quotes + (guint) g_utf8_strlen(node->text, (gssize) offset);
    place.length = (guint) MAX(g_utf8_strlen(node->text + offset, (gssize) length), 1);
    return place;
}

/* An error at the `$` of a scalar. */
static G_GNUC_PRINTF(5, 6) void report(AditSubstitution *self, AditValue value, gsize offset,
                                       gsize length, const char *format, ...)
{
    AditPlace place = place_within(value.node, offset, length);
    AditNode node = *value.node;
    g_autofree char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    node.place = place;
    value.node = &node;
    adit_value_error(self, value, ADIT_ERROR_INVALID, "%s", text);
}

static const char *
suggest_name(AditScope *scope, const char *name)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    for (; scope != NULL; scope = scope->parent)
        g_ptr_array_add(names, (gpointer) scope->name);
    return adit_suggest(name, (const char *const *) names->pdata, names->len);
}

/* "depth-1": a difference without blanks is a name. */
static char *
split_difference(AditSubstitution *self, AditScope *scope, const char *name)
{
    for (const char *minus = strchr(name, '-'); minus != NULL; minus = strchr(minus + 1, '-')) {
        g_autofree char *left = g_strndup(name, (gsize) (minus - name));

        if (minus[1] != '\0' && adit_scope_find(self, scope, left) != NULL)
            return g_strdup_printf("$(%s - %s)", left, minus + 1);
    }
    return NULL;
}

static void
report_unknown(AditSubstitution *self, AditValue value, gsize offset, gsize length,
               const char *name)
{
    g_autofree char *difference = split_difference(self, value.scope, name);
    const char *nearest = suggest_name(value.scope, name);

    if (difference != NULL)
        report(self, value, offset, length, "no parameter '%s' here; write %s for a difference",
               name, difference);
    else if (nearest != NULL)
        report(self, value, offset, length, "no parameter '%s' here; did you mean '%s'?", name,
               nearest);
    else
        report(self, value, offset, length, "no parameter '%s' here", name);
}

static AditValue
get_data_folder(AditSubstitution *self, AditValue value, gsize offset)
{
    AditValue result = value;

    if (self->data_folder == NULL) {
        AditNode node = *value.node;

        node.place = place_within(value.node, offset, 5);
        value.node = &node;
        adit_value_error(self, value, ADIT_ERROR_NOT_FOUND,
                         "'$data' has no value; set ADIT_DATA or give --data");
        return nothing;
    }
    result.node = adit_substitution_keep(
        self, adit_node_new_scalar(self->data_folder, FALSE, &value.node->place));
    result.node->literal = TRUE;
    result.node->origin = g_strdup("$data");
    return result;
}

static const AditPass *
join_passes(AditSubstitution *self, const AditPass *first, const AditPass *rest)
{
    if (first == NULL)
        return rest;
    return adit_pass_new(self, join_passes(self, first->next, rest), &first->place, "%s",
                         first->text);
}

/* What $@name stands for; the `$` is at @offset of @value's text. */
static AditValue
get_name(AditSubstitution *self, AditValue value, const char *name, gsize offset, gsize length)
{
    AditScope *scope = adit_scope_find(self, value.scope, name);

    if (scope == NULL && strcmp(name, "data") == 0)
        return get_data_folder(self, value, offset);
    if (scope == NULL) {
        report_unknown(self, value, offset, length, name);
        return nothing;
    }
    scope->used = TRUE;
    if (scope->state == ADIT_SCOPE_MISSING) {
        report(self, value, offset, length, "'%s' has no default; give it: adit run FILE %s=...",
               name, name);
        return nothing;
    }
    if (scope->state == ADIT_SCOPE_OPAQUE)
        return (AditValue){value.node, value.scope, value.pass, TRUE};
    AditValue result = scope->value;

    if (result.node == NULL)
        return nothing;
    AditPlace place = place_within(value.node, offset, length);
    const AditPass *here = adit_pass_new(self, value.pass, &place, "passed on as '$%s' here", name);

    result.pass = join_passes(self, result.pass, here);
    return adit_substitute(self, result);
}

typedef struct {
    AditSubstitution *substitution;
    AditValue value;
    gsize offset;
    gsize length;
    const AditPass *pass;
} Expression;

static AditQuantity
lookup_cb(const char *word, gpointer user_data)
{
    Expression *expression = (Expression *) user_data;
    AditSubstitution *self = expression->substitution;
    AditValue value =
        get_name(self, expression->value, word, expression->offset, expression->length);
    AditQuantity result = {.wrong = value.node == NULL, .opaque = value.opaque};

    if (result.wrong || result.opaque)
        return result;
    AditScalar scalar = adit_node_get_scalar(value.node);
    g_autofree char *shown = adit_node_describe(value.node);

    if ((scalar.type != ADIT_SCALAR_INTEGER && scalar.type != ADIT_SCALAR_NUMBER) || scalar.huge) {
        report(self, expression->value, expression->offset, expression->length,
               "'%s' is not a number to compute with, but %s", word, shown);
        adit_diagnostics_note(self->diagnostics, &value.node->place, "'%s' is set here", word);
        return (AditQuantity){.wrong = TRUE};
    }
    expression->pass =
        adit_pass_new(self, expression->pass, &value.node->place, "'%s' is %s here", word, shown);
    result.is_integer = scalar.type == ADIT_SCALAR_INTEGER;
    result.integer = scalar.integer;
    result.number = scalar.number;
    return result;
}

/* One `$name`, `$(...)` or `$$` in a text. */
typedef struct {
    gsize length; /* with the `$`; 0: wrong */
    char *name;
    char *sum;
} Reference;

static gsize
find_closing(const char *text)
{
    guint depth = 0;

    for (gsize i = 0; text[i] != '\0'; i++) {
        depth += text[i] == '(';
        if (text[i] == ')' && --depth == 0)
            return i;
    }
    return 0;
}

static Reference
read_reference(AditSubstitution *self, AditValue value, gsize offset)
{
    const char *at = value.node->text + offset + 1;
    Reference reference = {0};

    if (*at == '$') {
        reference.length = 2;
    } else if (g_ascii_islower(*at)) {
        gsize length = strspn(at, "abcdefghijklmnopqrstuvwxyz0123456789-");

        reference.name = g_strndup(at, length);
        reference.length = length + 1;
    } else if (*at == '(') {
        gsize end = find_closing(at);

        if (end == 0) {
            report(self, value, offset, 2, "'$(' is never closed");
            return reference;
        }
        reference.sum = g_strndup(at + 1, end - 1);
        reference.length = end + 2;
    } else if (*at == '{') {
        report(self, value, offset, 2,
               "'${' does not substitute; write $name, or $(...) to compute");
    } else {
        report(self, value, offset, 1, "'$' begins $name or $(...); write $$ for a dollar");
    }
    return reference;
}

static AditValue
compute(AditSubstitution *self, AditValue value, const Reference *reference, gsize offset)
{
    Expression expression = {self, value, offset, reference->length, value.pass};
    g_autoptr(GString) bound = g_string_new("$(");
    g_autofree char *message = NULL;
    AditQuantity quantity =
        adit_arithmetic(reference->sum, lookup_cb, &expression, bound, &message);
    AditPlace place = place_within(value.node, offset, reference->length);

    if (message != NULL)
        report(self, value, offset, reference->length, "%s", message);
    if (quantity.wrong)
        return nothing;
    g_autofree char *text =
        quantity.opaque ? g_strdup_printf("%s)", bound->str) : adit_quantity_to_string(quantity);
    AditNode *node = adit_substitution_keep(self, adit_node_new_scalar(text, TRUE, &place));

    node->literal = !quantity.opaque;
    node->origin = g_strdup_printf("$(%s)", reference->sum);
    return (AditValue){node, value.scope, expression.pass, quantity.opaque};
}

static AditValue
substitute_reference(AditSubstitution *self, AditValue value, const Reference *reference,
                     gsize offset)
{
    return reference->name != NULL
               ? get_name(self, value, reference->name, offset, reference->length)
               : compute(self, value, reference, offset);
}

/* A text that is put together: as it is, and as it must be written while a parameter is opaque. */
typedef struct {
    GString *text;
    GString *bound;
    gboolean opaque;
} Composition;

static void
append_text(Composition *out, const char *text)
{
    g_string_append(out->text, text);
    for (; *text != '\0'; text++)
        g_string_append(out->bound, *text == '$' ? "$$" : (char[]){*text, '\0'});
}

static gboolean
print_reference(AditSubstitution *self, AditValue value, const Reference *reference, gsize offset,
                Composition *out)
{
    if (reference->name == NULL && reference->sum == NULL) {
        append_text(out, "$");
        return TRUE;
    }
    AditValue inner = substitute_reference(self, value, reference, offset);

    if (inner.node == NULL)
        return FALSE;
    if (inner.opaque) {
        out->opaque = TRUE;
        if (reference->sum != NULL)
            g_string_append(out->bound, inner.node->text);
        else
            g_string_append_len(out->bound, value.node->text + offset, (gssize) reference->length);
        return TRUE;
    }
    if (inner.node->kind != ADIT_NODE_SCALAR) {
        report(self, value, offset, reference->length, "'$%s' is %s and cannot stand within text",
               reference->name, inner.node->kind == ADIT_NODE_LIST ? "a list" : "a mapping");
        return FALSE;
    }
    append_text(out, inner.node->text);
    if (out->text->len <= ADIT_YAML_MAX_SCALAR)
        return TRUE;
    report(self, value, offset, reference->length, "text grows longer than 64 KiB");
    return FALSE;
}

static AditValue
substitute_text(AditSubstitution *self, AditValue value)
{
    g_autoptr(GString) plain = g_string_new(NULL), bound = g_string_new(NULL);
    Composition out = {plain, bound, FALSE};
    const char *text = value.node->text;

    for (gsize i = 0; text[i] != '\0';) {
        if (text[i] != '$') {
            append_text(&out, (char[]){text[i++], '\0'});
            continue;
        }
        Reference reference = read_reference(self, value, i);
        gboolean good = reference.length > 0 && print_reference(self, value, &reference, i, &out);

        i += reference.length;
        g_free(reference.name);
        g_free(reference.sum);
        if (!good)
            return nothing;
    }
    AditNode *node =
        adit_node_new_scalar(out.opaque ? bound->str : plain->str, FALSE, &value.node->place);

    node->literal = !out.opaque;
    node->origin = g_strdup(text);
    return (AditValue){adit_substitution_keep(self, node), value.scope, value.pass, out.opaque};
}

static AditValue
substitute_scalar(AditSubstitution *self, AditValue value)
{
    if (value.node->text[0] == '$') {
        Reference reference = read_reference(self, value, 0);
        gboolean whole = reference.length == strlen(value.node->text) &&
                         (reference.name != NULL || reference.sum != NULL);
        AditValue result = nothing;

        if (whole)
            result = substitute_reference(self, value, &reference, 0);
        g_free(reference.name);
        g_free(reference.sum);
        if (whole || reference.length == 0)
            return result;
    }
    return substitute_text(self, value);
}

AditValue
adit_substitute(AditSubstitution *self, AditValue value)
{
    AditNode *node = value.node;

    if (node == NULL || value.opaque)
        return value;
    if (!adit_substitution_work(self, &node->place, 1))
        return nothing;
    if (node->kind != ADIT_NODE_SCALAR || node->literal || strchr(node->text, '$') == NULL)
        return value;
    if (self->depth >= MAX_DEPTH) {
        adit_value_error(self, value, ADIT_ERROR_INVALID,
                         "parameters lead to each other more than %d times", MAX_DEPTH);
        return nothing;
    }
    self->depth++;
    value = substitute_scalar(self, value);
    self->depth--;
    return value;
}

/* A repeat's index is known only inside it. */
static AditScope *
open_repeat(AditSubstitution *self, AditValue value)
{
    AditNode *index = adit_node_get(value.node, "index");

    if (index == NULL || index->kind != ADIT_NODE_SCALAR)
        return value.scope;
    return adit_scope_new(self, value.scope, index->text, ADIT_SCOPE_OPAQUE, nothing);
}

/* Keys stay, but for the name in a reference. */
static AditNode *
substitute_key(AditSubstitution *self, AditValue value, guint index)
{
    AditNode *key = adit_node_get_key(value.node, index);

    if (adit_node_count(value.node) != 1 || key->text[0] != '$')
        return adit_node_ref(key);
    value.node = key;
    AditNode *name = adit_substitute_all(self, value);

    if (name == NULL || name->kind == ADIT_NODE_SCALAR)
        return name;
    adit_node_unref(name);
    return adit_node_ref(key);
}

static AditNode *
substitute_collection(AditSubstitution *self, AditValue value)
{
    AditNode *node = value.node;
    g_autoptr(AditNode) result = node->kind == ADIT_NODE_LIST ? adit_node_new_list(&node->place)
                                                              : adit_node_new_mapping(&node->place);

    for (guint i = 0; i < adit_node_count(node); i++) {
        AditValue item = adit_value_item(value, i);

        self->work += COPY_WORK;
        if (node->kind == ADIT_NODE_MAPPING && item.node->kind == ADIT_NODE_MAPPING &&
            strcmp(adit_node_get_key(node, i)->text, "repeat") == 0)
            item.scope = open_repeat(self, item);
        g_autoptr(AditNode) child = adit_substitute_all(self, item);
        g_autoptr(AditNode) key =
            node->kind == ADIT_NODE_MAPPING ? substitute_key(self, value, i) : NULL;

        if (child == NULL || (key == NULL && node->kind == ADIT_NODE_MAPPING))
            return NULL;
        if (node->kind == ADIT_NODE_LIST)
            adit_node_append(result, g_steal_pointer(&child));
        else
            adit_node_set(result, g_steal_pointer(&key), g_steal_pointer(&child));
    }
    return g_steal_pointer(&result);
}

AditNode *
adit_substitute_all(AditSubstitution *self, AditValue value)
{
    AditValue known = adit_substitute(self, value);

    if (known.node == NULL)
        return NULL;
    if (known.opaque)
        return adit_node_copy(known.node);
    if (known.node->kind != ADIT_NODE_SCALAR)
        return substitute_collection(self, known);
    AditNode *copy = adit_node_copy(known.node);

    copy->literal = TRUE;
    return copy;
}
