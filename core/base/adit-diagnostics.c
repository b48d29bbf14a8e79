/* core/base/adit-diagnostics.c - SPDX-License-Identifier: MIT */
#include "adit-diagnostics.h"

#include <string.h>

/* characters of a source line that are shown */
#define EXCERPT_WIDTH 120

typedef enum { LEVEL_ERROR, LEVEL_WARNING, LEVEL_NOTE } Level;

typedef struct {
    Level level;
    AditPlace place;
    char *text;
    guint rank;       /* of its source, in the order sources were met */
    GPtrArray *notes; /* Message */
} Message;

struct _AditDiagnostics {
    GPtrArray *messages;
    GPtrArray *sources;
    GHashTable *seen;
    Message *last; /* NULL after a repeated message: its notes go with it */
    guint n_errors;
    guint n_warnings;
    int code;
};

static void
source_clear(gpointer data)
{
    AditSource *source = (AditSource *) data;

    g_free(source->name);
    g_free(source->text);
}

AditSource *
adit_source_new(const char *name, const char *text)
{
    AditSource *source = g_atomic_rc_box_new0(AditSource);

    source->name = g_strdup(name);
    source->text = g_strdup(text);
    return source;
}

AditSource *
adit_source_new_argument(guint number, const char *text)
{
    g_autofree char *name = g_strdup_printf("command-line:%u", number);
    AditSource *source = adit_source_new(name, text);

    source->is_argument = TRUE;
    return source;
}

AditSource *
adit_source_ref(AditSource *source)
{
    return (AditSource *) g_atomic_rc_box_acquire(source);
}

void
adit_source_unref(AditSource *source)
{
    g_atomic_rc_box_release_full(source, source_clear);
}

static void
message_free(gpointer data)
{
    Message *message = (Message *) data;

    g_free(message->text);
    g_clear_pointer(&message->notes, g_ptr_array_unref);
    g_free(message);
}

AditDiagnostics *
adit_diagnostics_new(void)
{
    AditDiagnostics *self = g_new0(AditDiagnostics, 1);

    self->messages = g_ptr_array_new_with_free_func(message_free);
    self->sources = g_ptr_array_new_with_free_func((GDestroyNotify) adit_source_unref);
    self->seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return self;
}

void
adit_diagnostics_free(AditDiagnostics *self)
{
    g_ptr_array_unref(self->messages);
    g_ptr_array_unref(self->sources);
    g_hash_table_unref(self->seen);
    g_free(self);
}

/* A file that is read for every point of a study is one file. */
static gboolean
is_same_source(gconstpointer a, gconstpointer b)
{
    const AditSource *one = (const AditSource *) a, *other = (const AditSource *) b;

    return one == other ||
           (strcmp(one->name, other->name) == 0 && strcmp(one->text, other->text) == 0);
}

static guint
find_rank(AditDiagnostics *self, AditSource *source)
{
    guint index;

    if (source == NULL)
        return 0;
    if (!g_ptr_array_find_with_equal_func(self->sources, source, is_same_source, &index)) {
        index = self->sources->len;
        g_ptr_array_add(self->sources, adit_source_ref(source));
    }
    return index + 1;
}

static G_GNUC_PRINTF(4, 0) Message *message_new(AditDiagnostics *self, Level level,
                                                const AditPlace *place, const char *format,
                                                va_list arguments)
{
    Message *message = g_new0(Message, 1);

    message->level = level;
    message->text = g_strdup_vprintf(format, arguments);
    if (place != NULL && place->source != NULL)
        message->place = *place;
    message->rank = find_rank(self, message->place.source);
    /* the one that is kept, as the other may go */
    if (message->rank > 0)
        message->place.source = g_ptr_array_index(self->sources, message->rank - 1);
    return message;
}

/* What makes a second message about one place a repetition: a part that is used many times is wrong
 * many times, perhaps with other values ("got ..."), and is reported once. */
static char *
make_fingerprint(const Message *message)
{
    const char *got = strstr(message->text, ", got ");
    int length = (int) (got != NULL ? (gsize) (got - message->text) : strlen(message->text));

    return g_strdup_printf("%u:%u:%u:%d:%.*s", message->rank, message->place.line,
                           message->place.column, (int) message->level, length, message->text);
}

static gboolean
add_message(AditDiagnostics *self, Message *message)
{
    self->last = NULL;
    if (!g_hash_table_add(self->seen, make_fingerprint(message))) {
        message_free(message);
        return FALSE;
    }
    g_ptr_array_add(self->messages, message);
    self->last = message;
    return TRUE;
}

void
adit_diagnostics_error(AditDiagnostics *self, const AditPlace *place, AditError code,
                       const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    Message *message = message_new(self, LEVEL_ERROR, place, format, arguments);
    va_end(arguments);
    if (!add_message(self, message))
        return;
    self->n_errors++;
    if (self->code == 0 || (self->code == ADIT_ERROR_NOT_FOUND && code == ADIT_ERROR_INVALID))
        self->code = (int) code;
}

void
adit_diagnostics_warning(AditDiagnostics *self, const AditPlace *place, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    Message *message = message_new(self, LEVEL_WARNING, place, format, arguments);
    va_end(arguments);
    if (add_message(self, message))
        self->n_warnings++;
}

void
adit_diagnostics_note(AditDiagnostics *self, const AditPlace *place, const char *format, ...)
{
    va_list arguments;

    if (self->last == NULL)
        return;
    va_start(arguments, format);
    Message *message = message_new(self, LEVEL_NOTE, place, format, arguments);
    va_end(arguments);
    if (self->last->notes == NULL)
        self->last->notes = g_ptr_array_new_with_free_func(message_free);
    g_ptr_array_add(self->last->notes, message);
}

guint
adit_diagnostics_count_errors(const AditDiagnostics *self)
{
    return self->n_errors;
}

guint
adit_diagnostics_count_warnings(const AditDiagnostics *self)
{
    return self->n_warnings;
}

int
adit_diagnostics_get_code(const AditDiagnostics *self)
{
    return self->code;
}

static int
compare_messages(gconstpointer a, gconstpointer b)
{
    const Message *left = *(const Message *const *) a;
    const Message *right = *(const Message *const *) b;

    gboolean left_given = left->place.source != NULL && left->place.source->is_argument;
    gboolean right_given = right->place.source != NULL && right->place.source->is_argument;

    /* files before arguments */
    if (left_given != right_given)
        return left_given ? 1 : -1;
    if (left->rank != right->rank)
        return left->rank < right->rank ? -1 : 1;
    if (left->place.line != right->place.line)
        return left->place.line < right->place.line ? -1 : 1;
    if (left->place.column != right->place.column)
        return left->place.column < right->place.column ? -1 : 1;
    return 0;
}

/* g_ptr_array_sort is stable. */
static GPtrArray *
sort_messages(const AditDiagnostics *self)
{
    GPtrArray *sorted = g_ptr_array_new();

    for (guint i = 0; i < self->messages->len; i++)
        g_ptr_array_add(sorted, g_ptr_array_index(self->messages, i));
    g_ptr_array_sort(sorted, compare_messages);
    return sorted;
}

typedef struct {
    const char *place;
    const char *error;
    const char *warning;
    const char *note;
    const char *caret;
    const char *end;
} Palette;

static const Palette no_colours = {"", "", "", "", "", ""};
static const Palette colours = {"\033[1m",    "\033[1;31m", "\033[1;35m",
                                "\033[1;36m", "\033[1;32m", "\033[0m"};

static void
print_first_line(const Message *message, const Palette *palette, GString *out)
{
    const AditPlace *place = &message->place;
    const char *word = "error", *colour = palette->error;

    if (message->level == LEVEL_WARNING) {
        word = "warning";
        colour = palette->warning;
    } else if (message->level == LEVEL_NOTE) {
        word = "note";
        colour = palette->note;
    }
    if (place->source != NULL) {
        g_string_append_printf(out, "%s%s:", palette->place, place->source->name);
        if (!place->source->is_argument)
            g_string_append_printf(out, "%u:", place->line);
        g_string_append_printf(out, "%u:%s ", place->column, palette->end);
    }
    g_string_append_printf(out, "%s%s:%s %s", colour, word, palette->end, message->text);
}

static const char *
find_line(const char *text, guint line)
{
    for (guint i = 1; i < line; i++) {
        const char *end = strchr(text, '\n');

        if (end == NULL)
            return NULL;
        text = end + 1;
    }
    return text;
}

/* Appends up to @n characters; what would disturb a terminal is shown as a blank or a question
 * mark. Returns the width in cells. */
static guint
print_characters(GString *out, const char **text, guint n)
{
    guint cells = 0;

    for (; n > 0 && **text != '\0' && **text != '\n' && **text != '\r'; n--) {
        gunichar c = g_utf8_get_char_validated(*text, -1);

        if (c == (gunichar) -1 || c == (gunichar) -2) {
            g_string_append_c(out, '?');
            (*text)++;
            cells++;
            continue;
        }
        if (c == '\t')
            c = ' ';
        else if (g_unichar_iscntrl(c))
            c = '?';
        g_string_append_unichar(out, c);
        cells += g_unichar_iszerowidth(c) ? 0 : g_unichar_iswide(c) ? 2 : 1;
        *text = g_utf8_next_char(*text);
    }
    return cells;
}

static void
skip_characters(const char **text, guint n)
{
    g_autoptr(GString) dropped = g_string_new(NULL);

    print_characters(dropped, text, n);
}

static void
print_excerpt(const Message *message, const Palette *palette, GString *out)
{
    const AditPlace *place = &message->place;
    const char *line = find_line(place->source->text, place->line);
    guint before = place->column - 1, indent = 0;

    if (line == NULL)
        return;
    g_string_append_printf(out, "%5u | ", place->line);
    if (before > EXCERPT_WIDTH * 2 / 3) {
        skip_characters(&line, before - EXCERPT_WIDTH / 2);
        before = EXCERPT_WIDTH / 2;
        g_string_append(out, "...");
        indent = 3;
    }
    guint length = MIN(MAX(place->length, 1), EXCERPT_WIDTH - before);

    indent += print_characters(out, &line, before);
    guint marked = print_characters(out, &line, length);

    print_characters(out, &line, EXCERPT_WIDTH - before - length);
    if (*line != '\0' && *line != '\n' && *line != '\r')
        g_string_append(out, "...");
    g_string_append_printf(out, "\n      | %*s%s^", (int) indent, "", palette->caret);
    for (guint i = 1; i < marked; i++)
        g_string_append_c(out, '~');

    const char *hint = strstr(message->text, "; ");

    if (hint != NULL)
        g_string_append_printf(out, " %s", hint + 2);
    g_string_append_printf(out, "%s\n", palette->end);
}

char *
adit_diagnostics_get_line(const AditDiagnostics *self, guint index)
{
    g_autoptr(GPtrArray) sorted = sort_messages(self);
    g_autoptr(GString) out = g_string_new(NULL);

    g_return_val_if_fail(index < sorted->len, NULL);
    print_first_line((const Message *) g_ptr_array_index(sorted, index), &no_colours, out);
    return g_string_free(g_steal_pointer(&out), FALSE);
}

char *
adit_diagnostics_to_string(const AditDiagnostics *self, gboolean colour)
{
    g_autoptr(GPtrArray) sorted = sort_messages(self);
    g_autoptr(GString) out = g_string_new(NULL);
    const Palette *palette = colour ? &colours : &no_colours;

    for (guint i = 0; i < sorted->len; i++) {
        const Message *message = (const Message *) g_ptr_array_index(sorted, i);

        print_first_line(message, palette, out);
        g_string_append_c(out, '\n');
        if (message->place.source != NULL)
            print_excerpt(message, palette, out);
        for (guint j = 0; message->notes != NULL && j < message->notes->len; j++) {
            print_first_line((const Message *) g_ptr_array_index(message->notes, j), palette, out);
            g_string_append_c(out, '\n');
        }
    }
    if (self->n_errors > 0)
        g_string_append_printf(out, "%u error%s. Nothing was started.\n", self->n_errors,
                               self->n_errors == 1 ? "" : "s");
    return g_string_free(g_steal_pointer(&out), FALSE);
}

gboolean
adit_diagnostics_fail(const AditDiagnostics *self, GError **error)
{
    if (self->n_errors == 0)
        return FALSE;
    g_autofree char *text = adit_diagnostics_to_string(self, FALSE);

    g_set_error_literal(error, ADIT_ERROR, self->code, g_strchomp(text));
    return TRUE;
}
