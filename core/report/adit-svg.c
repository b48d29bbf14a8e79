/* core/report/adit-svg.c - SPDX-License-Identifier: MIT */
#include "adit-svg.h"

#include "adit-html.h"

#include <string.h>

/* The colours of share/plots/common.gp as gnuplot writes them, without blanks. */
static const struct {
    const char *written;
    const char *shown;
} colours[] = {
    {"#ffffff", "none"},
    {"black", "var(--ink)"},
    {"rgb(51,51,51)", "var(--ink)"},
    {"rgb(102,102,102)", "var(--muted)"},
    {"rgb(153,153,153)", "var(--muted)"},
    {"rgb(221,221,221)", "var(--grid)"},
    {"rgb(0,114,178)", "var(--line-1)"},
    {"rgb(213,94,0)", "var(--line-2)"},
    {"rgb(0,158,115)", "var(--line-3)"},
    {"rgb(204,121,167)", "var(--line-4)"},
    {"rgb(230,159,0)", "var(--line-5)"},
    {"rgb(86,180,233)", "var(--line-6)"},
    {"rgb(0,0,0)", "var(--line-7)"},
    {"rgb(138,138,138)", "var(--line-8)"},
};

static gboolean
is_colour(const char *name)
{
    return g_str_equal(name, "fill") || g_str_equal(name, "stroke") || g_str_equal(name, "color");
}

static void
append_colour(GString *html, const char *value)
{
    g_auto(GStrv) parts = g_strsplit(value, " ", -1);
    g_autofree char *dense = g_strjoinv("", parts);

    for (guint i = 0; i < G_N_ELEMENTS(colours); i++) {
        if (g_str_equal(dense, colours[i].written)) {
            g_string_append(html, colours[i].shown);
            return;
        }
    }
    g_string_append(html, dense);
}

/* ids and what refers to them get the picture's number */
static void
append_attribute(GString *html, const char *name, const char *value, guint number)
{
    const char *plain = g_str_equal(name, "xlink:href") ? "href" : name;

    g_string_append_printf(html, " %s=\"", plain);
    if (g_str_equal(name, "id"))
        g_string_append_printf(html, "p%u-%s", number, value);
    else if (g_str_equal(plain, "href") && *value == '#')
        g_string_append_printf(html, "#p%u-%s", number, value + 1);
    else if (g_str_has_prefix(value, "url(#"))
        g_string_append_printf(html, "url(#p%u-%s", number, value + strlen("url(#"));
    else if (is_colour(name))
        append_colour(html, value);
    else
        g_string_append(html, value);
    g_string_append_c(html, '"');
}

/* Appends the tag at @tag, which begins with '<'. Returns: what stands behind it */
static const char *
append_tag(GString *html, const char *tag, guint number)
{
    gsize length = strcspn(tag, " \t\r\n>");
    const char *c = tag + length;

    if (length > 1 && tag[length - 1] == '/')
        c = tag + --length;
    g_string_append_len(html, tag, (gssize) length);
    while (*c != '\0' && *c != '>') {
        gsize n_name = strcspn(c, " \t\r\n=/>");
        g_autofree char *name = g_strndup(c, n_name);
        const char *value = c + n_name + strspn(c + n_name, " \t\r\n=");
        const char *end = *value == '\'' || *value == '"' ? strchr(value + 1, *value) : NULL;

        if (n_name == 0) {
            if (*c == '/')
                g_string_append_c(html, '/');
            c++;
        } else if (end == NULL) {
            c += n_name;
        } else {
            g_autofree char *text = g_strndup(value + 1, (gsize) (end - value) - 1);

            append_attribute(html, name, text, number);
            c = end + 1;
        }
    }
    g_string_append_c(html, '>');
    return *c == '>' ? c + 1 : c;
}

/* Behind the element that begins at @tag, if it is one that only names gnuplot's parts. */
static const char *
skip_name(const char *tag)
{
    const char *end = NULL;

    if (g_str_has_prefix(tag, "<title"))
        end = strstr(tag, "</title>");
    else if (g_str_has_prefix(tag, "<desc"))
        end = strstr(tag, "</desc>");
    return end != NULL ? strchr(end, '>') + 1 : NULL;
}

static gboolean
is_blank(const char *text)
{
    return text[strspn(text, " \t\r\n")] == '\0';
}

/* gnuplot changes its pen more often than it draws: groups with nothing in them go. */
static void
append_parts(GString *html, const char *svg, guint number)
{
    gssize group = -1; /* where a group begins that nothing was drawn in yet */
    gsize content = 0;

    while (*svg != '\0') {
        gsize length = strcspn(svg, "<");
        const char *next = skip_name(svg);

        if (next != NULL) {
            svg = next;
        } else if (length > 0) {
            g_string_append_len(html, svg, (gssize) length);
            svg += length;
        } else if (group >= 0 && g_str_has_prefix(svg, "</g>") && is_blank(html->str + content)) {
            g_string_truncate(html, (gsize) group);
            group = -1;
            svg += strlen("</g>");
        } else {
            group = g_str_has_prefix(svg, "<g ") ? (gssize) html->len : -1;
            svg = append_tag(html, svg, number);
            content = html->len;
        }
    }
}

void
adit_svg_append(GString *html, const char *svg, guint number, const char *label)
{
    const char *start = strstr(svg, "<svg");
    const char *rest = start != NULL ? strchr(start, '>') : NULL;
    const char *box = start != NULL ? strstr(start, "viewBox=\"") : NULL;
    double width = 0, height = 0;
    char **sizes = NULL;

    if (rest == NULL || box == NULL || box > rest)
        return;
    box += strlen("viewBox=\"");

    g_autofree char *values = g_strndup(box, strcspn(box, "\""));

    sizes = g_strsplit(values, " ", 4);
    if (g_strv_length(sizes) == 4) {
        width = g_ascii_strtod(sizes[2], NULL);
        height = g_ascii_strtod(sizes[3], NULL);
    }
    g_strfreev(sizes);
    g_string_append_printf(html,
                           "<svg viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" height=\"%.0f\" "
                           "role=\"img\" aria-label=\"",
                           width, height, width, height);
    adit_html_append(html, label);
    g_string_append(html, "\">");
    append_parts(html, rest + 1, number);
}
