/* core/pipeline/adit-yaml-error.c - SPDX-License-Identifier: MIT */
#include "adit-yaml-error.h"

#include <string.h>

const char *
adit_yaml_locate(const AditSource *source, yaml_mark_t mark)
{
    const char *text = source->text;

    for (gsize line = 0; line < mark.line; line++) {
        const char *end = strchr(text, '\n');

        if (end == NULL)
            return text + strlen(text);
        text = end + 1;
    }
    for (gsize column = 0; column < mark.column && *text != '\0' && *text != '\n'; column++)
        text = g_utf8_next_char(text);
    return text;
}

char *
adit_yaml_cut(const char *text)
{
    return g_strndup(text, strcspn(text, " \t\r\n,[]{}"));
}

AditPlace
adit_yaml_place(AditSource *source, yaml_mark_t mark, guint length)
{
    return (AditPlace){source, (guint) mark.line + 1, (guint) mark.column + 1, MAX(length, 1)};
}

/* Whether the bracket that @text begins with finds its partner before the text ends; brackets in
 * quotes and comments do not count. */
static gboolean
is_closed(const char *text)
{
    g_autoptr(GString) expected = g_string_new(NULL);
    char before = ' ';

    for (; *text != '\0'; before = *text, text++) {
        gboolean starts = strchr(" \t\n[{,:", before) != NULL;

        if (*text == '[' || *text == '{') {
            g_string_append_c(expected, *text == '[' ? ']' : '}');
        } else if (*text == ']' || *text == '}') {
            if (expected->str[expected->len - 1] != *text)
                return FALSE;
            g_string_truncate(expected, expected->len - 1);
            if (expected->len == 0)
                return TRUE;
        } else if (*text == '#' && g_ascii_isspace(before)) {
            text += strcspn(text, "\n") - 1;
        } else if (starts && (*text == '"' || *text == '\'')) {
            char quote = *text++;

            for (; *text != '\0' && *text != quote; text++)
                if (quote == '"' && *text == '\\' && text[1] != '\0')
                    text++;
            if (*text == '\0')
                return FALSE;
        }
    }
    return FALSE;
}

static const AditPlace *
find_unclosed(GArray *open)
{
    for (guint i = 0; i < open->len; i++) {
        const AditPlace *place = &g_array_index(open, AditPlace, i);
        yaml_mark_t mark = {0, place->line - 1, place->column - 1};

        if (!is_closed(adit_yaml_locate(place->source, mark)))
            return place;
    }
    return NULL;
}

static gboolean
report_character(const yaml_parser_t *parser, AditSource *source, AditDiagnostics *diagnostics)
{
    const char *at = adit_yaml_locate(source, parser->problem_mark);
    AditPlace place = adit_yaml_place(source, parser->problem_mark, 1);

    gboolean tab = strstr(parser->problem, "found a tab character") != NULL;

    if (strstr(parser->problem, "cannot start any token") == NULL && !tab)
        return FALSE;
    if (*at == '\t' || tab) {
        adit_diagnostics_error(diagnostics, &place, ADIT_ERROR_INVALID,
                               "a tab cannot indent; use spaces");
        return TRUE;
    }
    g_autofree char *text = adit_yaml_cut(at);

    place.length = (guint) g_utf8_strlen(text, -1);
    adit_diagnostics_error(diagnostics, &place, ADIT_ERROR_INVALID,
                           "text that begins with '%c' must be quoted: \"%s\"", *at, text);
    return TRUE;
}

static gboolean
report_indicator(const yaml_parser_t *parser, AditSource *source, AditDiagnostics *diagnostics)
{
    const char *context = parser->context != NULL ? parser->context : "";
    g_autofree char *text = adit_yaml_cut(adit_yaml_locate(source, parser->context_mark));
    AditPlace place =
        adit_yaml_place(source, parser->context_mark, (guint) g_utf8_strlen(text, -1));

    if (strstr(context, "scanning an alias") != NULL)
        adit_diagnostics_error(diagnostics, &place, ADIT_ERROR_INVALID,
                               "an address that begins with '*' must be quoted: \"%s\"", text);
    else if (strstr(context, "scanning an anchor") != NULL)
        adit_diagnostics_error(diagnostics, &place, ADIT_ERROR_INVALID,
                               "text that begins with '&' must be quoted: \"%s\"", text);
    else if (strstr(context, "scanning a tag") != NULL || strstr(parser->problem, "tag") != NULL)
        adit_diagnostics_error(diagnostics, &place, ADIT_ERROR_INVALID, "tag '%s' is not allowed",
                               text);
    else if (strstr(context, "quoted scalar") != NULL &&
             strstr(parser->problem, "end of stream") != NULL)
        adit_diagnostics_error(diagnostics, &place, ADIT_ERROR_INVALID,
                               "the quote is never closed");
    else
        return FALSE;
    return TRUE;
}

/* "${x}" ends the scalar at the brace inside flow collections. */
static gboolean
report_brace(const yaml_parser_t *parser, AditSource *source, AditDiagnostics *diagnostics)
{
    const char *at = adit_yaml_locate(source, parser->problem_mark);

    if (*at != '{' || at == source->text || at[-1] != '$')
        return FALSE;
    AditPlace place = adit_yaml_place(source, parser->problem_mark, 2);

    place.column--;
    adit_diagnostics_error(diagnostics, &place, ADIT_ERROR_INVALID,
                           "'${' does not substitute; write $name, or $(...) to compute");
    return TRUE;
}

static const struct {
    const char *problem;
    const char *text;
} problems[] = {
    {"mapping values are not allowed", "a ':' cannot stand here; quote text that holds ': '"},
    {"could not find expected ':'", "a ':' is missing; a line of a mapping reads 'key: value'"},
    {"did not find expected key",
     "no key where one is expected; keys of a mapping stand in one column"},
    {"did not find expected '-' indicator",
     "no '-' where one is expected; items of a list stand in one column"},
    {"expected ',' or ']'", "a ',' or ']' is missing here"},
    {"expected ',' or '}'", "a ',' or '}' is missing here"},
    {"block sequence entries are not allowed",
     "a list item cannot begin here; put it into a line of its own"},
    {"found unknown escape character",
     "unknown escape; in single quotes a backslash is a backslash"},
    {"did not find expected <document start>", "the document ended before this"},
    {"unexpected document indicator", "a quoted text cannot hold a line that begins with '---'"},
    {"did not find expected node content", "a key or a value is missing here"},
};

static void
report_rest(const yaml_parser_t *parser, AditSource *source, AditDiagnostics *diagnostics)
{
    AditPlace place = adit_yaml_place(source, parser->problem_mark, 1);

    for (gsize i = 0; i < G_N_ELEMENTS(problems); i++)
        if (strstr(parser->problem, problems[i].problem) != NULL) {
            adit_diagnostics_error(diagnostics, &place, ADIT_ERROR_INVALID, "%s", problems[i].text);
            return;
        }
    adit_diagnostics_error(diagnostics, &place, ADIT_ERROR_INVALID, "this is not YAML: %s",
                           parser->problem);
}

static void
report_bytes(const yaml_parser_t *parser, AditSource *source, AditDiagnostics *diagnostics)
{
    AditPlace place = {source, 1, 1, 1};
    gsize offset = MIN(parser->problem_offset, strlen(source->text));
    const char *at = source->text;

    for (; at < source->text + offset; at = g_utf8_next_char(at)) {
        place.column++;
        if (*at == '\n') {
            place.line++;
            place.column = 1;
        }
    }
    adit_diagnostics_error(diagnostics, &place, ADIT_ERROR_INVALID,
                           "control character U+%04X is not allowed", g_utf8_get_char(at));
}

void
adit_yaml_report(const yaml_parser_t *parser, AditSource *source, GArray *open,
                 AditDiagnostics *diagnostics)
{
    if (parser->error == YAML_READER_ERROR) {
        report_bytes(parser, source, diagnostics);
        return;
    }
    if (parser->problem == NULL) {
        adit_diagnostics_error(diagnostics, NULL, ADIT_ERROR_MEMORY, "out of memory");
        return;
    }
    if (report_brace(parser, source, diagnostics) ||
        report_character(parser, source, diagnostics) ||
        report_indicator(parser, source, diagnostics))
        return;
    const AditPlace *unclosed = find_unclosed(open);

    if (unclosed != NULL) {
        yaml_mark_t mark = {0, unclosed->line - 1, unclosed->column - 1};

        adit_diagnostics_error(diagnostics, unclosed, ADIT_ERROR_INVALID, "'%c' is never closed",
                               *adit_yaml_locate(source, mark));
        return;
    }
    report_rest(parser, source, diagnostics);
}
