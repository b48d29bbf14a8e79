/* core/report/adit-html.c - SPDX-License-Identifier: MIT */
#include "adit-html.h"

#include <string.h>

static void
append_character(GString *html, char c)
{
    if (c == '&')
        g_string_append(html, "&amp;");
    else if (c == '<')
        g_string_append(html, "&lt;");
    else if (c == '>')
        g_string_append(html, "&gt;");
    else if (c == '"')
        g_string_append(html, "&quot;");
    else if (c == '\'')
        g_string_append(html, "&#39;");
    else
        g_string_append_c(html, g_ascii_iscntrl(c) && c != '\n' ? ' ' : c);
}

/* U+FFFE and U+FFFF are valid in UTF-8 and not in XML. */
static gboolean
is_no_character(const char *c)
{
    return strncmp(c, "\xef\xbf\xbe", 3) == 0 || strncmp(c, "\xef\xbf\xbf", 3) == 0;
}

void
adit_html_append(GString *html, const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);

    for (const char *c = valid; *c != '\0'; c++) {
        if (is_no_character(c)) {
            g_string_append(html, "\xef\xbf\xbd");
            c += 2;
        } else {
            append_character(html, *c);
        }
    }
}

char *
adit_html_escape(const char *text)
{
    GString *html = g_string_new(NULL);

    adit_html_append(html, text);
    return g_string_free(html, FALSE);
}

void
adit_html_append_element(GString *html, const char *tag, const char *text)
{
    g_autofree char *name = g_strndup(tag, strcspn(tag, " "));

    g_string_append_printf(html, "<%s>", tag);
    adit_html_append(html, text);
    g_string_append_printf(html, "</%s>\n", name);
}

void
adit_html_append_link(GString *html, const char *path, const char *label)
{
    /* "./": a name with a colon is no scheme */
    g_autofree char *uri = g_uri_escape_string(path, "/", FALSE);

    g_string_append_printf(html, "<a href=\"./%s\">", uri);
    adit_html_append(html, label);
    g_string_append(html, "</a>");
}

/* ---- tables ---- */

static gboolean
is_like_number(const char *cell)
{
    cell += *cell == '-' || *cell == '+';
    return (g_ascii_isdigit(*cell) && strpbrk(cell, "<:") == NULL) || g_str_has_prefix(cell, "inf");
}

/* What stands where a number is missing. */
static gboolean
is_gap(const char *cell)
{
    static const char *const gaps[] = {"", "-", "nan", "failed", "diverged", NULL};

    return g_strv_contains(gaps, cell);
}

/* Times and links begin like numbers, and are none. */
static gboolean
is_number_column(const GPtrArray *rows, guint column)
{
    gboolean is_any = FALSE;

    for (guint i = 1; i < rows->len; i++) {
        const char *cell = ((GStrv) g_ptr_array_index(rows, i))[column];
        gboolean is_number = is_like_number(cell);

        if (!is_number && !is_gap(cell))
            return FALSE;
        is_any = is_any || is_number;
    }
    return is_any;
}

static void
append_row(GString *html, const GStrv cells, gboolean is_head, const gboolean *is_number)
{
    const char *tag = is_head ? "th" : "td";

    g_string_append(html, "<tr>");
    for (guint i = 0; cells[i] != NULL; i++)
        g_string_append_printf(html, "<%s%s%s>%s</%s>", tag, is_head ? " scope=\"col\"" : "",
                               is_number[i] ? " class=\"n\"" : "", cells[i], tag);
    g_string_append(html, "</tr>\n");
}

void
adit_html_append_table(GString *html, const GPtrArray *rows)
{
    guint n = g_strv_length(g_ptr_array_index(rows, 0));
    g_autofree gboolean *is_number = g_new0(gboolean, n + 1);

    for (guint i = 0; i < n; i++)
        is_number[i] = is_number_column(rows, i);
    g_string_append(html, "<div class=\"scroll\" tabindex=\"0\"><table>\n<thead>");
    append_row(html, g_ptr_array_index(rows, 0), TRUE, is_number);
    g_string_append(html, "</thead>\n<tbody>");
    for (guint i = 1; i < rows->len; i++)
        append_row(html, g_ptr_array_index(rows, i), FALSE, is_number);
    g_string_append(html, "</tbody>\n</table></div>\n");
}

void
adit_html_append_list(GString *html, const GPtrArray *names, const GPtrArray *values)
{
    g_string_append(html, "<dl>\n");
    for (guint i = 0; i < names->len; i++)
        g_string_append_printf(html, "<dt>%s</dt><dd>%s</dd>\n",
                               (const char *) g_ptr_array_index(names, i),
                               (const char *) g_ptr_array_index(values, i));
    g_string_append(html, "</dl>\n");
}
