/* core/pipeline/adit-node.c - SPDX-License-Identifier: MIT */
#include "adit-node.h"

#include <errno.h>
#include <math.h>
#include <string.h>

static AditNode *
node_new(AditNodeKind kind, const AditPlace *place)
{
    AditNode *self = g_new0(AditNode, 1);

    self->references = 1;
    self->kind = kind;
    if (place != NULL)
        self->place = *place;
    return self;
}

AditNode *
adit_node_new_scalar(const char *text, gboolean plain, const AditPlace *place)
{
    AditNode *self = node_new(ADIT_NODE_SCALAR, place);

    self->text = g_strdup(text);
    self->plain = plain;
    return self;
}

AditNode *
adit_node_new_list(const AditPlace *place)
{
    AditNode *self = node_new(ADIT_NODE_LIST, place);

    self->items = g_ptr_array_new_with_free_func((GDestroyNotify) adit_node_unref);
    return self;
}

AditNode *
adit_node_new_mapping(const AditPlace *place)
{
    AditNode *self = node_new(ADIT_NODE_MAPPING, place);

    self->items = g_ptr_array_new_with_free_func((GDestroyNotify) adit_node_unref);
    self->keys = g_ptr_array_new_with_free_func((GDestroyNotify) adit_node_unref);
    return self;
}

AditNode *
adit_node_ref(AditNode *self)
{
    self->references++;
    return self;
}

void
adit_node_unref(AditNode *self)
{
    if (--self->references > 0)
        return;
    g_free(self->text);
    g_free(self->origin);
    g_clear_pointer(&self->keys, g_ptr_array_unref);
    g_clear_pointer(&self->items, g_ptr_array_unref);
    g_free(self);
}

AditNode *
adit_node_copy_top(const AditNode *self)
{
    AditNode *copy = node_new(self->kind, &self->place);

    copy->plain = self->plain;
    copy->literal = self->literal;
    copy->live = self->live;
    copy->text = g_strdup(self->text);
    copy->origin = g_strdup(self->origin);
    copy->via = self->via;
    copy->via_note = self->via_note;
    if (self->items != NULL)
        copy->items = g_ptr_array_new_with_free_func((GDestroyNotify) adit_node_unref);
    if (self->keys != NULL)
        copy->keys = g_ptr_array_new_with_free_func((GDestroyNotify) adit_node_unref);
    for (guint i = 0; i < adit_node_count(self); i++) {
        g_ptr_array_add(copy->items, adit_node_ref(adit_node_get_item(self, i)));
        if (self->keys != NULL)
            g_ptr_array_add(copy->keys, adit_node_ref(adit_node_get_key(self, i)));
    }
    return copy;
}

static void
unshare(GPtrArray *nodes, guint index)
{
    AditNode *shared = (AditNode *) g_ptr_array_index(nodes, index);

    g_ptr_array_index(nodes, index) = adit_node_copy(shared);
    adit_node_unref(shared);
}

AditNode *
adit_node_copy(const AditNode *self)
{
    AditNode *copy = adit_node_copy_top(self);

    for (guint i = 0; i < adit_node_count(copy); i++) {
        unshare(copy->items, i);
        if (copy->keys != NULL)
            unshare(copy->keys, i);
    }
    return copy;
}

void
adit_node_append(AditNode *list, AditNode *item)
{
    g_ptr_array_add(list->items, item);
}

void
adit_node_set(AditNode *mapping, AditNode *key, AditNode *value)
{
    guint index;

    if (adit_node_find(mapping, key->text, &index)) {
        adit_node_unref(key);
        adit_node_unref(adit_node_get_item(mapping, index));
        g_ptr_array_index(mapping->items, index) = value;
        return;
    }
    g_ptr_array_add(mapping->keys, key);
    g_ptr_array_add(mapping->items, value);
}

void
adit_node_set_new(AditNode *mapping, const char *key, AditNode *value)
{
    adit_node_set(mapping, adit_node_new_scalar(key, TRUE, NULL), value);
}

void
adit_node_remove(AditNode *self, guint index)
{
    g_ptr_array_remove_index(self->items, index);
    if (self->keys != NULL)
        g_ptr_array_remove_index(self->keys, index);
}

AditNode *
adit_node_get_item(const AditNode *self, guint index)
{
    return (AditNode *) g_ptr_array_index(self->items, index);
}

AditNode *
adit_node_get_key(const AditNode *mapping, guint index)
{
    return (AditNode *) g_ptr_array_index(mapping->keys, index);
}

gboolean
adit_node_find(const AditNode *mapping, const char *key, guint *index)
{
    for (guint i = 0; mapping->kind == ADIT_NODE_MAPPING && i < mapping->keys->len; i++)
        if (g_strcmp0(adit_node_get_key(mapping, i)->text, key) == 0) {
            *index = i;
            return TRUE;
        }
    return FALSE;
}

AditNode *
adit_node_get(const AditNode *mapping, const char *key)
{
    guint index;

    return adit_node_find(mapping, key, &index) ? adit_node_get_item(mapping, index) : NULL;
}

gboolean
adit_is_word(const char *text)
{
    if (!g_ascii_islower(*text))
        return FALSE;
    for (; *text != '\0'; text++)
        if (!g_ascii_islower(*text) && !g_ascii_isdigit(*text) && *text != '-')
            return FALSE;
    return TRUE;
}

static gboolean
is_one_of(const char *text, const char *const *words)
{
    return g_strv_contains(words, text);
}

static gboolean
read_integer(const char *text, AditScalar *scalar)
{
    guint base = 10;
    const char *digits = text + (*text == '-' || *text == '+');
    char *end = NULL;

    if (g_str_has_prefix(text, "0x"))
        base = 16;
    else if (g_str_has_prefix(text, "0o"))
        base = 8;
    if (base != 10)
        digits = text + 2;
    if (*digits == '\0' || strspn(digits, base == 16  ? "0123456789abcdefABCDEF"
                                          : base == 8 ? "01234567"
                                                      : "0123456789") != strlen(digits))
        return FALSE;
    errno = 0;
    scalar->type = ADIT_SCALAR_INTEGER;
    scalar->integer = g_ascii_strtoll(base == 10 ? text : digits, &end, base);
    scalar->huge = errno == ERANGE;
    scalar->number =
        scalar->huge && base == 10 ? g_ascii_strtod(text, NULL) : (double) scalar->integer;
    return TRUE;
}

/* [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )? : g_ascii_strtod alone would
 * also take "inf", "nan" and hexadecimal fractions. */
static gboolean
looks_like_number(const char *text)
{
    const char *at = text + (*text == '-' || *text == '+');
    gsize whole = strspn(at, "0123456789"), fraction = 0;

    at += whole;
    if (*at == '.') {
        fraction = strspn(at + 1, "0123456789");
        at += 1 + fraction;
    }
    if (whole + fraction == 0)
        return FALSE;
    if (*at == 'e' || *at == 'E') {
        at += 1 + (at[1] == '-' || at[1] == '+');
        gsize exponent = strspn(at, "0123456789");

        if (exponent == 0)
            return FALSE;
        at += exponent;
    }
    return *at == '\0';
}

AditScalar
adit_node_get_scalar(const AditNode *self)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const trues[] = {"true", "True", "TRUE", NULL};
    static const char *const falses[] = {"false", "False", "FALSE", NULL};
    static const char *const nans[] = {".nan", ".NaN", ".NAN", NULL};
    static const char *const infinities[] = {".inf", ".Inf", ".INF", NULL};
    AditScalar scalar = {.type = ADIT_SCALAR_TEXT};
    const char *text = self->text;

    if (self->kind != ADIT_NODE_SCALAR || !self->plain)
        return scalar;
    if (is_one_of(text, nulls)) {
        scalar.type = ADIT_SCALAR_NULL;
    } else if (is_one_of(text, trues) || is_one_of(text, falses)) {
        scalar.type = ADIT_SCALAR_BOOLEAN;
        scalar.boolean = is_one_of(text, trues);
    } else if (read_integer(text, &scalar)) {
        return scalar;
    } else if (looks_like_number(text)) {
        scalar.type = ADIT_SCALAR_NUMBER;
        scalar.number = g_ascii_strtod(text, NULL);
    } else if (is_one_of(text, nans)) {
        scalar.type = ADIT_SCALAR_NUMBER;
        scalar.number = NAN;
    } else if (is_one_of(text + (*text == '-' || *text == '+'), infinities)) {
        scalar.type = ADIT_SCALAR_NUMBER;
        scalar.number = *text == '-' ? -INFINITY : INFINITY;
    }
    return scalar;
}

gboolean
adit_node_is_null(const AditNode *self)
{
    return self->kind == ADIT_NODE_SCALAR && adit_node_get_scalar(self).type == ADIT_SCALAR_NULL;
}

char *
adit_node_describe(const AditNode *self)
{
    if (self->kind == ADIT_NODE_LIST)
        return g_strdup(self->items->len == 0 ? "an empty list" : "a list");
    if (self->kind == ADIT_NODE_MAPPING)
        return g_strdup(self->items->len == 0 ? "an empty mapping" : "a mapping");

    AditScalar scalar = adit_node_get_scalar(self);
    g_autofree char *shown = NULL;

    if (scalar.type == ADIT_SCALAR_NULL)
        shown = g_strdup("null");
    else if (scalar.type == ADIT_SCALAR_TEXT && g_utf8_strlen(self->text, -1) > 60)
        shown = g_strdup_printf("\"%.*s...\"",
                                (int) (g_utf8_offset_to_pointer(self->text, 57) - self->text),
                                self->text);
    else if (scalar.type == ADIT_SCALAR_TEXT)
        shown = g_strdup_printf("\"%s\"", self->text);
    else if (scalar.type == ADIT_SCALAR_NUMBER && self->origin != NULL)
        shown = g_strdup_printf("%g", scalar.number);
    else
        shown = g_strdup(self->text);
    return self->origin != NULL ? g_strdup_printf("%s from %s", shown, self->origin)
                                : g_steal_pointer(&shown);
}

char *
adit_number_to_string(double value)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];

    if (isnan(value))
        return g_strdup(".nan");
    if (isinf(value))
        return g_strdup(value < 0 ? "-.inf" : ".inf");
    for (int digits = 15; digits <= 17; digits++) {
        char format[] = {'%', '.', '1', (char) ('0' + digits % 10), 'g', '\0'};

        g_ascii_formatd(text, sizeof text, format, value);
        if (g_ascii_strtod(text, NULL) == value)
            break;
    }
    return g_strdup(text);
}

void
adit_node_escape(AditNode *self)
{
    if (self->kind == ADIT_NODE_SCALAR && self->literal && strchr(self->text, '$') != NULL) {
        g_autoptr(GString) text = g_string_new(NULL);

        for (const char *at = self->text; *at != '\0'; at++)
            g_string_append(text, *at == '$' ? "$$" : (char[]){*at, '\0'});
        g_free(self->text);
        self->text = g_strdup(text->str);
        self->literal = FALSE;
    }
    for (guint i = 0; i < adit_node_count(self); i++)
        adit_node_escape(adit_node_get_item(self, i));
}
