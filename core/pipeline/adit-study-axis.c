/* core/pipeline/adit-study-axis.c - SPDX-License-Identifier: MIT */
#include "adit-study-private.h"

#include <string.h>

#include "adit-suggest.h"

/* of one range */
#define MAX_VALUES 10000
/* values that a message lists */
#define MAX_LISTED 12

void
adit_study_axis_free(AditStudyAxis *self)
{
    g_free(self->name);
    g_ptr_array_unref(self->values);
    g_free(self);
}

void
adit_study_case_free(AditStudyCase *self)
{
    g_free(self->name);
    g_ptr_array_unref(self->axes);
    g_free(self);
}

AditStudyAxis *
adit_study_find_axis(const GPtrArray *axes, const char *name)
{
    for (guint i = 0; i < axes->len; i++) {
        AditStudyAxis *axis = (AditStudyAxis *) axes->pdata[i];

        if (strcmp(axis->name, name) == 0)
            return axis;
    }
    return NULL;
}

char *
adit_study_print_value(const AditNode *value)
{
    return value->kind == ADIT_NODE_SCALAR ? g_strdup(value->text) : adit_yaml_write_line(value);
}

/* ---- values ---- */

/* "10..50/5"; FALSE: @text is no range. */
static gboolean
read_range(const char *text, gint64 *first, gint64 *last, gint64 *step)
{
    char *end = NULL;

    *first = g_ascii_strtoll(text, &end, 10);
    if (end == text || !g_str_has_prefix(end, ".."))
        return FALSE;
    text = end + 2;
    *last = g_ascii_strtoll(text, &end, 10);
    if (end == text || (*end != '\0' && *end != '/'))
        return FALSE;
    *step = 1;
    if (*end == '\0')
        return TRUE;
    text = end + 1;
    *step = g_ascii_strtoll(text, &end, 10);
    return end != text && *end == '\0';
}

static void
add_range(AditStudyReader *self, const AditNode *node, gint64 first, gint64 last, gint64 step,
          GPtrArray *values)
{
    if (step < 1 || last < first) {
        adit_study_error(self, &node->place,
                         "a range goes up, from its first value to its last by a step of 1 or "
                         "more, got %s",
                         node->text);
        return;
    }
    /* from one end of the integers to the other: only without a sign there is room for what is
     * between */
    guint64 steps = ((guint64) last - (guint64) first) / (guint64) step;

    if (steps >= MAX_VALUES) {
        adit_study_error(self, &node->place, "a range has at most %d values, got %s", MAX_VALUES,
                         node->text);
        return;
    }
    for (guint64 i = 0; i <= steps; i++) {
        gint64 value = (gint64) ((guint64) first + i * (guint64) step);
        g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, value);

        g_ptr_array_add(values, adit_node_new_scalar(text, TRUE, &node->place));
    }
}

static void
add_value(AditStudyReader *self, AditNode *node, GPtrArray *values)
{
    gint64 first, last, step;

    if (node->kind == ADIT_NODE_SCALAR && node->plain &&
        read_range(node->text, &first, &last, &step))
        add_range(self, node, first, last, step, values);
    else
        g_ptr_array_add(values, adit_node_ref(node));
}

/* Numbers by what they are worth, all else as it is written. */
static gboolean
is_equal(const AditNode *a, const AditNode *b)
{
    AditScalar one = adit_node_get_scalar(a), other = adit_node_get_scalar(b);
    gboolean numbers = (one.type == ADIT_SCALAR_INTEGER || one.type == ADIT_SCALAR_NUMBER) &&
                       (other.type == ADIT_SCALAR_INTEGER || other.type == ADIT_SCALAR_NUMBER);
    g_autofree char *text = adit_yaml_write_line(a);
    g_autofree char *expected = adit_yaml_write_line(b);

    return numbers ? !(one.number < other.number || one.number > other.number)
                   : strcmp(text, expected) == 0;
}

static gboolean
contains(const GPtrArray *values, guint n, const AditNode *value)
{
    for (guint i = 0; i < n; i++) {
        if (is_equal(values->pdata[i], value))
            return TRUE;
    }
    return FALSE;
}

/* A value or a list of them; what is wrong is reported. */
static GPtrArray *
read_values(AditStudyReader *self, const char *name, const AditPlace *place, AditNode *node)
{
    GPtrArray *values = g_ptr_array_new_with_free_func((GDestroyNotify) adit_node_unref);
    gboolean list = node->kind == ADIT_NODE_LIST;

    for (guint i = 0; i < (list ? adit_node_count(node) : 1); i++)
        add_value(self, list ? adit_node_get_item(node, i) : node, values);
    if (list && adit_node_count(node) == 0)
        adit_study_error(self, place, "axis '%s' has no values", name);
    for (guint i = 1; i < values->len; i++) {
        const AditNode *value = values->pdata[i];

        if (contains(values, i, value)) {
            g_autofree char *text = adit_study_print_value(value);

            adit_study_error(self, &value->place, "axis '%s' has the value %s twice", name, text);
        }
    }
    return values;
}

GPtrArray *
adit_study_read_axes(AditStudyReader *self, const AditNode *mapping)
{
    GPtrArray *axes = g_ptr_array_new_with_free_func((GDestroyNotify) adit_study_axis_free);

    for (guint i = 0; i < adit_node_count(mapping); i++) {
        const AditNode *key = adit_node_get_key(mapping, i);

        if (strcmp(key->text, "cases") == 0)
            continue;
        AditStudyAxis *axis = g_new0(AditStudyAxis, 1);

        axis->name = g_strdup(key->text);
        axis->place = key->place;
        axis->values = read_values(self, key->text, &key->place, adit_node_get_item(mapping, i));
        g_ptr_array_add(axes, axis);
    }
    return axes;
}

/* ---- the command line ---- */

/* "10,24" and "[10, 24]" are two values. */
static GPtrArray *
read_given(AditStudyReader *self, const AditOverride *override)
{
    AditNode *node = override->value;
    g_autoptr(AditNode) list = NULL;

    if (node->kind == ADIT_NODE_SCALAR && node->plain && strchr(node->text, ',') != NULL) {
        g_auto(GStrv) texts = g_strsplit(node->text, ",", -1);
        AditPlace place = node->place;

        list = adit_node_new_list(&node->place);
        for (guint i = 0; texts[i] != NULL; i++) {
            place.length = (guint) MAX(g_utf8_strlen(texts[i], -1), 1);
            adit_node_append(list, adit_node_new_scalar(g_strstrip(texts[i]), TRUE, &place));
            place.column += place.length + 1;
        }
        node = list;
    }
    return read_values(self, override->path, &override->place, node);
}

static char *
list_values(const GPtrArray *axes)
{
    GString *text = g_string_new(NULL);
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (guint i = 0; i < axes->len; i++) {
        const AditStudyAxis *axis = axes->pdata[i];

        for (guint j = 0; j < axis->values->len; j++) {
            char *value = adit_study_print_value(axis->values->pdata[j]);
            guint n = g_hash_table_size(seen);

            if (n < MAX_LISTED && !g_hash_table_contains(seen, value))
                g_string_append_printf(text, "%s%s", n > 0 ? ", " : "", value);
            else if (n == MAX_LISTED && !g_hash_table_contains(seen, value))
                g_string_append(text, ", ...");
            g_hash_table_add(seen, value);
        }
    }
    return g_string_free(text, FALSE);
}

/* All that @values leave of the axes called @override->path; a value that none has is an error. */
static void
narrow(AditStudyReader *self, const AditOverride *override, const GPtrArray *axes)
{
    g_autoptr(GPtrArray) values = read_given(self, override);

    for (guint i = 0; i < values->len; i++) {
        const AditNode *value = values->pdata[i];
        gboolean known = FALSE;

        for (guint j = 0; j < axes->len; j++) {
            const AditStudyAxis *axis = axes->pdata[j];

            known = known || contains(axis->values, axis->values->len, value);
        }
        if (known)
            continue;
        g_autofree char *text = adit_study_print_value(value), *list = list_values(axes);

        adit_study_error(self, &value->place,
                         "%s is not among the values of '%s' in %s; there are %s",
                         *text != '\0' ? text : "nothing", override->path, self->study->path, list);
    }
    for (guint j = 0; j < axes->len; j++) {
        AditStudyAxis *axis = axes->pdata[j];

        for (guint i = axis->values->len; i > 0; i--) {
            if (!contains(values, values->len, axis->values->pdata[i - 1]))
                g_ptr_array_remove_index(axis->values, i - 1);
        }
    }
}

static void
narrow_cases(AditStudyReader *self, const AditOverride *override)
{
    g_autoptr(GPtrArray) values = read_given(self, override);
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    for (guint i = 0; i < self->cases->len; i++)
        g_ptr_array_add(names, ((AditStudyCase *) self->cases->pdata[i])->name);
    for (guint i = 0; i < values->len; i++) {
        const AditNode *value = values->pdata[i];
        g_autofree char *text = adit_study_print_value(value);

        if (g_ptr_array_find_with_equal_func(names, text, g_str_equal, NULL))
            continue;
        g_ptr_array_add(names, NULL);
        g_autofree char *list = g_strjoinv(", ", (char **) names->pdata);

        g_ptr_array_set_size(names, (int) self->cases->len);
        adit_study_error(self, &value->place, "no case '%s' in %s; there are %s", text,
                         self->study->path, list);
    }
    for (guint i = self->cases->len; i > 0; i--) {
        g_autoptr(AditNode) name = adit_node_new_scalar(names->pdata[i - 1], TRUE, NULL);

        if (!contains(values, values->len, name))
            g_ptr_array_remove_index(self->cases, i - 1);
    }
}

/* (element-type AditStudyAxis): everywhere it stands; borrowed. */
static GPtrArray *
find_axes(const AditStudyReader *self, const char *name)
{
    GPtrArray *found = g_ptr_array_new();
    AditStudyAxis *axis = adit_study_find_axis(self->axes, name);

    if (axis == NULL)
        axis = adit_study_find_axis(self->study->evaluated, name);
    if (axis != NULL)
        g_ptr_array_add(found, axis);
    for (guint i = 0; i < self->cases->len; i++) {
        axis = adit_study_find_axis(((AditStudyCase *) self->cases->pdata[i])->axes, name);
        if (axis != NULL)
            g_ptr_array_add(found, axis);
    }
    return found;
}

void
adit_study_narrow(AditStudyReader *self)
{
    gboolean has_cases = g_strv_contains((const char *const *) self->study->axes, "cases");

    for (guint i = 0; i < self->given->len; i++) {
        AditOverride *override = self->given->pdata[i];
        g_autoptr(GPtrArray) axes = find_axes(self, override->path);
        gboolean is_cases = has_cases && strcmp(override->path, "cases") == 0;

        if (axes->len == 0 && !is_cases)
            g_ptr_array_add(self->fixed, override);
        else if (override->append)
            adit_study_error(self, &override->place,
                             "'%s' is an axis of %s and can only be narrowed: %s=VALUE,VALUE",
                             override->path, self->study->path, override->path);
        else if (is_cases)
            narrow_cases(self, override);
        else
            narrow(self, override, axes);
    }
}
