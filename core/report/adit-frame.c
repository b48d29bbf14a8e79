/* core/report/adit-frame.c - SPDX-License-Identifier: MIT */
#include "adit-frame.h"

#include <adit/adit-records.h>

#include "adit-loader.h"
#include "adit-suggest.h"

#include <math.h>
#include <string.h>

struct _AditFrame {
    char *path;
    GStringChunk *texts;
    GPtrArray *columns; /* names */
    GPtrArray *cells;   /* row after row */
    GArray *lines;      /* guint64: where each row stands */
};

void
adit_frame_free(AditFrame *self)
{
    g_free(self->path);
    g_string_chunk_free(self->texts);
    g_ptr_array_unref(self->columns);
    g_ptr_array_unref(self->cells);
    g_array_unref(self->lines);
    g_free(self);
}

static AditFrame *
adit_frame_new_empty(const char *path)
{
    AditFrame *self = g_new0(AditFrame, 1);

    self->path = g_filename_display_name(path);
    self->texts = g_string_chunk_new(4096);
    self->columns = g_ptr_array_new();
    self->cells = g_ptr_array_new();
    self->lines = g_array_new(FALSE, FALSE, sizeof(guint64));
    return self;
}

/* Many cells of a column are alike: each text is kept once. What is no UTF-8 is made so: it ends up
 * in pictures and pages. */
static void
adit_frame_add_text(AditFrame *self, GPtrArray *list, const char *text)
{
    g_autofree char *valid = g_utf8_validate(text, -1, NULL) ? NULL : g_utf8_make_valid(text, -1);

    g_ptr_array_add(list, g_string_chunk_insert_const(self->texts, valid != NULL ? valid : text));
}

AditFrame *
adit_frame_new(const char *name, const char *const *columns)
{
    AditFrame *self = adit_frame_new_empty(name);

    for (guint i = 0; columns[i] != NULL; i++)
        adit_frame_add_text(self, self->columns, columns[i]);
    return self;
}

void
adit_frame_add(AditFrame *self, const char *const *cells)
{
    guint64 line = self->lines->len + 2;

    g_array_append_val(self->lines, line);
    for (guint i = 0; i < self->columns->len; i++)
        adit_frame_add_text(self, self->cells, cells[i]);
}

static void
adit_frame_add_row(AditFrame *self, AditRecords *records)
{
    const char *place = adit_records_get_place(records);
    guint64 line = g_ascii_strtoull(strrchr(place, ':') + 1, NULL, 10);

    g_array_append_val(self->lines, line);
    for (guint i = 0; i < self->columns->len; i++)
        adit_frame_add_text(self, self->cells, adit_records_get_text(records, i));
}

AditFrame *
adit_frame_read(const char *path, GError **error)
{
    g_autoptr(AditFrame) self = adit_frame_new_empty(path);
    g_autoptr(AditLoader) loader = adit_loader_new(NULL, 0);
    g_autoptr(GInputStream) stream = NULL;
    g_autoptr(AditRecords) records = NULL;
    g_autoptr(GError) failure = NULL;

    if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_NOT_FOUND, "no file '%s'", self->path);
        return NULL;
    }
    stream = adit_loader_open(loader, path, error);
    records = stream != NULL ? adit_records_new(loader, stream, ',', error) : NULL;
    if (records == NULL)
        return NULL;
    for (guint i = 0; i < adit_records_count_columns(records); i++)
        adit_frame_add_text(self, self->columns, adit_records_get_column(records, i));
    while (adit_records_next(records, &failure))
        adit_frame_add_row(self, records);
    if (failure != NULL) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return NULL;
    }
    return g_steal_pointer(&self);
}

guint
adit_frame_count_rows(const AditFrame *self)
{
    return self->lines->len;
}

guint
adit_frame_count_columns(const AditFrame *self)
{
    return self->columns->len;
}

const char *
adit_frame_get_column(const AditFrame *self, guint column)
{
    g_return_val_if_fail(column < self->columns->len, "");
    return g_ptr_array_index(self->columns, column);
}

gboolean
adit_frame_has(const AditFrame *self, const char *name, guint *column)
{
    guint found = 0;

    if (!g_ptr_array_find_with_equal_func(self->columns, name, g_str_equal, &found))
        return FALSE;
    if (column != NULL)
        *column = found;
    return TRUE;
}

/* "a, b, c", cut where it gets long */
static char *
adit_frame_list_columns(const AditFrame *self)
{
    GString *list = g_string_new(NULL);

    for (guint i = 0; i < self->columns->len; i++) {
        if (list->len > 200) {
            g_string_append(list, ", ...");
            break;
        }
        g_string_append_printf(list, "%s%s", i == 0 ? "" : ", ", adit_frame_get_column(self, i));
    }
    return g_string_free(list, FALSE);
}

const char *
adit_frame_suggest(const AditFrame *self, const char *name)
{
    return adit_suggest(name, (const char *const *) self->columns->pdata, self->columns->len);
}

gboolean
adit_frame_find(const AditFrame *self, const char *name, guint *column, GError **error)
{
    const char *near = NULL;
    g_autofree char *list = NULL;

    if (adit_frame_has(self, name, column))
        return TRUE;
    near = adit_frame_suggest(self, name);
    list = adit_frame_list_columns(self);
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID, "%s:1: no column '%s'; %s%s%s", self->path,
                name, near != NULL ? "did you mean '" : "columns: ", near != NULL ? near : list,
                near != NULL ? "'?" : "");
    return FALSE;
}

const char *
adit_frame_get_text(const AditFrame *self, guint row, guint column)
{
    g_return_val_if_fail(row < self->lines->len && column < self->columns->len, "");
    return g_ptr_array_index(self->cells, (gsize) row * self->columns->len + column);
}

gboolean
adit_frame_is_empty(const AditFrame *self, guint row, guint column)
{
    return *adit_frame_get_text(self, row, column) == '\0';
}

gboolean
adit_text_to_number(const char *text, double *value)
{
    char *end = NULL;

    *value = g_ascii_strtod(text, &end);
    return end != text && *end == '\0' && strpbrk(text, "xX") == NULL && !g_ascii_isspace(*text);
}

gboolean
adit_frame_get_number(const AditFrame *self, guint row, guint column, double *value, GError **error)
{
    const char *text = adit_frame_get_text(self, row, column);

    *value = NAN;
    if (*text == '\0' || adit_text_to_number(text, value))
        return TRUE;
    return adit_frame_fail(self, row, error, "column '%s': '%.40s' is not a number",
                           adit_frame_get_column(self, column), text);
}

gboolean
adit_frame_fail(const AditFrame *self, guint row, GError **error, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED, "%s:%" G_GUINT64_FORMAT ": %s", self->path,
                g_array_index(self->lines, guint64, row), text);
    return FALSE;
}
