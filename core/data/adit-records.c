/* core/data/adit-records.c - SPDX-License-Identifier: MIT */
#include <adit/adit-records.h>

#include "adit-loader.h"
#include "adit-suggest.h"

#include <math.h>
#include <string.h>

#define LINE_MAX_SIZE (16 * 1024 * 1024)
#define COLUMNS_MAX   1000000
#define BUFFER_SIZE   (256 * 1024)

typedef struct {
    char *text; /* ends with a NUL */
    gsize size;
} AditField;

struct _AditRecords {
    AditLoader *loader;
    GInputStream *stream;
    const char *name;
    char delimiter;

    char *buffer; /* one byte longer than capacity, for the last field's NUL */
    gsize capacity;
    gsize start; /* of what has not been read */
    gsize end;
    gboolean at_end; /* of the file */

    guint64 line; /* of the current record's first line */
    guint64 next_line;
    GArray *fields; /* AditField */
    GStrv columns;
    guint n_columns;
    char place[512];
};

const char *
adit_records_get_place(AditRecords *self)
{
    g_snprintf(self->place, sizeof self->place, "%s:%" G_GUINT64_FORMAT, self->name, self->line);
    return self->place;
}

G_GNUC_PRINTF(3, 4)
static gboolean
adit_records_fail(AditRecords *self, GError **error, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED, "%s: %s", adit_records_get_place(self),
                text);
    return FALSE;
}

/* Moves what is left to the buffer's start and reads behind it. */
static gboolean
adit_records_fill(AditRecords *self, GError **error)
{
    g_autoptr(GError) failure = NULL;
    gssize got = 0;

    if (self->start > 0) {
        memmove(self->buffer, self->buffer + self->start, self->end - self->start);
        self->end -= self->start;
        self->start = 0;
    }
    if (self->end == self->capacity) {
        if (self->capacity >= LINE_MAX_SIZE)
            return adit_records_fail(self, error, "a record of more than 16 MiB");
        self->capacity *= 2;
        self->buffer = g_realloc(self->buffer, self->capacity + 1);
    }
    got = g_input_stream_read(self->stream, self->buffer + self->end, self->capacity - self->end,
                              NULL, &failure);
    if (got < 0) {
        adit_loader_propagate(self->loader, self->stream, g_steal_pointer(&failure), error);
        return FALSE;
    }
    self->at_end = got == 0;
    self->end += (gsize) got;
    return TRUE;
}

/* The size of the record at start without its line end if all of it is in the buffer. @quoted:
 * whether there are quotes in it; @lines: how many lines it takes. */
static gboolean
adit_records_measure(AditRecords *self, gsize *size, gboolean *quoted, guint64 *lines)
{
    const char *start = self->buffer + self->start;
    gsize left = self->end - self->start;
    const char *newline = left > 0 ? memchr(start, '\n', left) : NULL;
    const char *limit = newline != NULL ? newline : start + left;
    gboolean inside = FALSE;
    gsize i = 0;

    *lines = 1;
    *quoted = memchr(start, '"', (gsize) (limit - start)) != NULL;
    if (!*quoted) {
        *size = (gsize) (limit - start);
        return newline != NULL || self->at_end;
    }
    for (i = 0; i < left && (inside || start[i] != '\n'); i++) {
        inside ^= start[i] == '"';
        *lines += start[i] == '\n';
    }
    *size = i;
    return i < left || self->at_end;
}

/* Cuts the record of @size bytes at @text into fields where no quotes are. */
static void
adit_records_split(AditRecords *self, char *text, gsize size)
{
    char *end = text + size;

    while (TRUE) {
        char *stop = memchr(text, self->delimiter, (gsize) (end - text));
        AditField field = {.text = text, .size = (gsize) ((stop != NULL ? stop : end) - text)};

        text[field.size] = '\0';
        g_array_append_val(self->fields, field);
        if (stop == NULL)
            return;
        text = stop + 1;
    }
}

/* Takes the quotes off the field at @text, in place; returns where it ended. NULL: no closing
 * quote. */
static char *
adit_records_unquote(char *text, char *end, AditField *field)
{
    char *to = text;
    char *from = text + 1;

    field->text = text;
    while (from < end) {
        if (*from == '"' && (from + 1 == end || from[1] != '"')) {
            field->size = (gsize) (to - text);
            return from + 1;
        }
        from += *from == '"';
        *to++ = *from++;
    }
    return NULL;
}

/* The same where some are. */
static gboolean
adit_records_split_quoted(AditRecords *self, char *text, gsize size, GError **error)
{
    char *end = text + size;

    while (TRUE) {
        AditField field = {.text = text};
        char *stop = NULL;

        if (text < end && *text == '"') {
            stop = adit_records_unquote(text, end, &field);
            if (stop == NULL)
                return adit_records_fail(self, error, "a quote is never closed");
            if (stop < end && *stop != self->delimiter)
                return adit_records_fail(self, error, "text behind a closing quote");
        } else {
            stop = memchr(text, self->delimiter, (gsize) (end - text));
            stop = stop != NULL ? stop : end;
            field.size = (gsize) (stop - text);
            if (memchr(text, '"', field.size) != NULL)
                return adit_records_fail(self, error, "a quote inside a field that is not quoted");
        }
        field.text[field.size] = '\0';
        g_array_append_val(self->fields, field);
        if (stop == end)
            return TRUE;
        text = stop + 1;
    }
}

/* Cuts the next record that is not empty into fields; FALSE without an error at the end. */
static gboolean
adit_records_read(AditRecords *self, GError **error)
{
    gboolean quoted = FALSE;
    gsize size = 0;
    char *text = NULL;

    do {
        guint64 lines = 0;

        self->line = self->next_line;
        while (!adit_records_measure(self, &size, &quoted, &lines))
            if (!adit_records_fill(self, error))
                return FALSE;
        if (self->start == self->end)
            return FALSE;
        text = self->buffer + self->start;
        self->start = MIN(self->start + size + 1, self->end);
        self->next_line += lines;
        size -= size > 0 && text[size - 1] == '\r';
    } while (size == 0);

    if (memchr(text, '\0', size) != NULL)
        return adit_records_fail(self, error, "a NUL byte; this is no text file");
    g_array_set_size(self->fields, 0);
    if (quoted)
        return adit_records_split_quoted(self, text, size, error);
    adit_records_split(self, text, size);
    return TRUE;
}

/* Passes over the byte order mark that spreadsheets put before UTF-8. */
static gboolean
adit_records_skip_mark(AditRecords *self, GError **error)
{
    while (self->end < 3 && !self->at_end)
        if (!adit_records_fill(self, error))
            return FALSE;
    if (self->end >= 3 && memcmp(self->buffer, "\xef\xbb\xbf", 3) == 0)
        self->start = 3;
    return TRUE;
}

static gboolean
adit_records_read_header(AditRecords *self, GError **error)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GError) failure = NULL;

    if (!adit_records_skip_mark(self, &failure) || !adit_records_read(self, &failure)) {
        if (failure != NULL)
            g_propagate_error(error, g_steal_pointer(&failure));
        else
            g_set_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED, "%s: empty, expected a header line",
                        self->name);
        return FALSE;
    }
    if (self->fields->len > COLUMNS_MAX)
        return adit_records_fail(self, error, "more than %d columns", COLUMNS_MAX);
    self->n_columns = self->fields->len;
    self->columns = g_new0(char *, self->n_columns + 1);
    for (guint i = 0; i < self->n_columns; i++) {
        AditField *field = &g_array_index(self->fields, AditField, i);

        if (!g_utf8_validate(field->text, -1, NULL))
            return adit_records_fail(self, error, "the header is not UTF-8 text");
        self->columns[i] = g_strstrip(g_strdup(field->text));
        if (!g_hash_table_add(seen, self->columns[i]))
            return adit_records_fail(self, error, "column '%s' stands twice in the header",
                                     self->columns[i]);
    }
    return TRUE;
}

AditRecords *
adit_records_new(AditLoader *loader, GInputStream *stream, char delimiter, GError **error)
{
    g_autoptr(AditRecords) self = g_new0(AditRecords, 1);

    self->loader = loader;
    self->stream = g_object_ref(stream);
    self->name = adit_loader_get_name(loader, stream);
    self->delimiter = delimiter;
    self->capacity = BUFFER_SIZE;
    self->buffer = g_malloc(self->capacity + 1);
    self->next_line = 1;
    self->fields = g_array_new(FALSE, FALSE, sizeof(AditField));
    if (!adit_records_read_header(self, error))
        return NULL;
    return g_steal_pointer(&self);
}

void
adit_records_free(AditRecords *self)
{
    g_object_unref(self->stream);
    g_free(self->buffer);
    g_array_unref(self->fields);
    g_strfreev(self->columns);
    g_free(self);
}

guint
adit_records_count_columns(const AditRecords *self)
{
    return self->n_columns;
}

const char *
adit_records_get_column(const AditRecords *self, guint column)
{
    g_return_val_if_fail(column < self->n_columns, NULL);
    return self->columns[column];
}

static void
adit_records_set_unknown(const AditRecords *self, const char *pattern, GError **error)
{
    const char *near = adit_suggest(pattern, (const char *const *) self->columns, self->n_columns);
    g_autoptr(GString) columns = g_string_new(NULL);

    for (guint i = 0; i < self->n_columns && columns->len < 200; i++)
        g_string_append_printf(columns, "%s%s", i == 0 ? "" : ", ", self->columns[i]);
    if (near != NULL)
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "no column '%s' in %s; did you mean '%s'?", pattern, self->name, near);
    else
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID, "no column '%s' in %s; columns: %s%s",
                    pattern, self->name, columns->str, columns->len < 200 ? "" : ", ...");
}

/* A column may be called like a glob: its exact name comes first. */
static gboolean
adit_records_match_one(const AditRecords *self, const char *pattern, gboolean *chosen)
{
    g_autoptr(GPatternSpec) glob = g_pattern_spec_new(pattern);
    gboolean found = FALSE;

    for (guint i = 0; i < self->n_columns; i++)
        if (g_str_equal(self->columns[i], pattern)) {
            chosen[i] = TRUE;
            return TRUE;
        }
    for (guint i = 0; i < self->n_columns; i++)
        if (g_pattern_spec_match_string(glob, self->columns[i]))
            found = chosen[i] = TRUE;
    return found;
}

gboolean
adit_records_match(const AditRecords *self, const char *const *patterns, gboolean *chosen,
                   GError **error)
{
    for (gsize i = 0; patterns[i] != NULL; i++)
        if (!adit_records_match_one(self, patterns[i], chosen)) {
            adit_records_set_unknown(self, patterns[i], error);
            return FALSE;
        }
    return TRUE;
}

gboolean
adit_records_next(AditRecords *self, GError **error)
{
    if (!adit_records_read(self, error))
        return FALSE;
    if (self->fields->len != self->n_columns)
        return adit_records_fail(self, error, "%u field%s, expected %u", self->fields->len,
                                 self->fields->len == 1 ? "" : "s", self->n_columns);
    return TRUE;
}

const char *
adit_records_get_text(const AditRecords *self, guint column)
{
    g_return_val_if_fail(column < self->fields->len, NULL);
    return g_array_index(self->fields, AditField, column).text;
}

static gboolean
adit_records_fail_number(AditRecords *self, guint column, const char *what, GError **error)
{
    g_autofree char *text = g_utf8_make_valid(adit_records_get_text(self, column), -1);

    if (g_utf8_strlen(text, -1) > 40)
        strcpy(g_utf8_offset_to_pointer(text, 37), "...");
    return adit_records_fail(self, error, "column '%s': '%s' is not a %s", self->columns[column],
                             text, what);
}

gboolean
adit_records_get_number(AditRecords *self, guint column, double *value, GError **error)
{
    const AditField *field = &g_array_index(self->fields, AditField, column);
    char *end = NULL;

    *value = g_ascii_strtod(field->text, &end);
    if (end == field->text || strpbrk(field->text, "xX") != NULL)
        return adit_records_fail_number(self, column, "number", error);
    while (g_ascii_isspace(*end))
        end++;
    if (*end != '\0')
        return adit_records_fail_number(self, column, "number", error);
    if (!isfinite(*value))
        return adit_records_fail_number(self, column, "finite number", error);
    return TRUE;
}
