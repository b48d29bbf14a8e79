/* core/report/adit-published.c - SPDX-License-Identifier: MIT */
#include "adit-published.h"

struct _AditPublished {
    char *name;
    AditFrame *frame;
};

void
adit_published_free(AditPublished *self)
{
    g_free(self->name);
    g_clear_pointer(&self->frame, adit_frame_free);
    g_free(self);
}

static gboolean
is_shown(const char *axis, const AditLevels *const *shown, guint n_shown)
{
    for (guint i = 0; i < n_shown; i++) {
        if (g_strv_contains((const char *const *) shown[i]->names, axis))
            return TRUE;
    }
    return FALSE;
}

/* Every column is one of sweep.csv; the axes among them are told apart, the others hold numbers. */
static gboolean
check_column(const AditPublished *self, guint column, const AditResults *results,
             const AditLevels *const *shown, guint n_shown, const char *path, GError **error)
{
    const char *name = adit_frame_get_column(self->frame, column);
    guint there = 0;
    double value = 0;

    if (!adit_frame_has(results->frame, name, &there)) {
        const char *near = adit_frame_suggest(results->frame, name);

        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "%s:1: no axis or value '%s' in the study%s%s%s", path, name,
                    near != NULL ? "; did you mean '" : "", near != NULL ? near : "",
                    near != NULL ? "'?" : "");
        return FALSE;
    }
    if (there < results->n_axes && !is_shown(name, shown, n_shown)) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "%s:1: figures for each '%s', but the report does not tell '%s' apart", path,
                    name, name);
        return FALSE;
    }
    for (guint row = 0; there >= results->n_axes && row < adit_frame_count_rows(self->frame);
         row++) {
        if (!g_str_equal(adit_frame_get_text(self->frame, row, column), "-") &&
            !adit_frame_get_number(self->frame, row, column, &value, error))
            return FALSE;
    }
    return TRUE;
}

AditPublished *
adit_published_read(const char *path, const AditResults *results, const AditLevels *const *shown,
                    guint n_shown, GError **error)
{
    g_autoptr(AditPublished) self = g_new0(AditPublished, 1);

    self->name = g_path_get_basename(path);
    self->frame = adit_frame_read(path, error);
    if (self->frame == NULL)
        return NULL;
    for (guint i = 0; i < adit_frame_count_columns(self->frame); i++) {
        if (!check_column(self, i, results, shown, n_shown, path, error))
            return NULL;
    }
    return g_steal_pointer(&self);
}

const char *
adit_published_get_name(const AditPublished *self)
{
    return self->name;
}

guint
adit_published_count(const AditPublished *self)
{
    return adit_frame_count_rows(self->frame);
}

gboolean
adit_published_has(const AditPublished *self, const char *value)
{
    return adit_frame_has(self->frame, value, NULL);
}

/* "10" is "10.0", and "1e-4" is "0.0001". */
static gboolean
is_same(const char *a, const char *b)
{
    double x = 0, y = 0;

    if (g_str_equal(a, b))
        return TRUE;
    return adit_text_to_number(a, &x) && adit_text_to_number(b, &y) && x == y;
}

static gboolean
match_one(const AditPublished *self, guint row, const AditChoice *choice)
{
    const char *const *values = g_ptr_array_index(choice->levels->values, choice->level);

    for (guint i = 0; choice->levels->names[i] != NULL; i++) {
        guint column = 0;

        if (adit_frame_has(self->frame, choice->levels->names[i], &column) &&
            !is_same(adit_frame_get_text(self->frame, row, column), values[i]))
            return FALSE;
    }
    return TRUE;
}

gboolean
adit_published_match(const AditPublished *self, guint row, const AditChoice *choices,
                     guint n_choices)
{
    for (guint i = 0; i < n_choices; i++) {
        if (!match_one(self, row, &choices[i]))
            return FALSE;
    }
    return TRUE;
}

const char *
adit_published_get_text(const AditPublished *self, guint row, const char *name)
{
    guint column = 0;

    return adit_frame_has(self->frame, name, &column)
               ? adit_frame_get_text(self->frame, row, column)
               : NULL;
}

gboolean
adit_published_get(const AditPublished *self, guint row, const char *value, double *figure)
{
    const char *text = adit_published_get_text(self, row, value);

    return text != NULL && adit_text_to_number(text, figure);
}

const char *
adit_published_find(const AditPublished *self, const AditChoice *choices, guint n_choices,
                    const char *value)
{
    guint column = 0;
    double figure = 0;

    if (!adit_frame_has(self->frame, value, &column))
        return NULL;
    for (guint row = 0; row < adit_published_count(self); row++) {
        if (adit_published_match(self, row, choices, n_choices) &&
            adit_published_get(self, row, value, &figure))
            return adit_frame_get_text(self->frame, row, column);
    }
    return NULL;
}
