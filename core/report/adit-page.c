/* core/report/adit-page.c - SPDX-License-Identifier: MIT */
#include "adit-page.h"

#include "adit-file.h"
#include "adit-html.h"
#include "adit-svg.h"

#define STYLE_MAX_SIZE (1024 * 1024)

struct _AditPage {
    char *title;
    GString *body;
    GString *contents; /* links to the sections */
    guint n_sections;
    guint n_pictures;
};

AditPage *
adit_page_new(const char *title)
{
    AditPage *self = g_new0(AditPage, 1);

    self->title = g_strdup(title);
    self->body = g_string_new(NULL);
    self->contents = g_string_new(NULL);
    return self;
}

void
adit_page_free(AditPage *self)
{
    g_free(self->title);
    g_string_free(self->body, TRUE);
    g_string_free(self->contents, TRUE);
    g_free(self);
}

GString *
adit_page_get_body(AditPage *self)
{
    return self->body;
}

static void
end_section(AditPage *self)
{
    if (self->n_sections > 0)
        g_string_append(self->body, "</section>\n");
}

void
adit_page_begin_section(AditPage *self, const char *title)
{
    end_section(self);
    self->n_sections++;
    g_string_append_printf(self->body, "<section id=\"s%u\">\n", self->n_sections);
    adit_html_append_element(self->body, "h2", title);
    g_string_append_printf(self->contents, "<a href=\"#s%u\">", self->n_sections);
    adit_html_append(self->contents, title);
    g_string_append(self->contents, "</a>\n");
}

void
adit_page_begin_figures(AditPage *self)
{
    g_string_append(self->body, "<div class=\"figures\">\n");
}

void
adit_page_end_figures(AditPage *self)
{
    g_string_append(self->body, "</div>\n");
}

static void
append_file(GString *html, const char *path, const char *ending, const char *label)
{
    g_autofree char *file = g_strconcat(path, ending, NULL);

    g_string_append_c(html, ' ');
    adit_html_append_link(html, file, label);
}

void
adit_page_add_figure(AditPage *self, const char *path, const char *caption, const char *svg,
                     gboolean has_png, gboolean is_broad)
{
    g_string_append_printf(self->body, "<figure%s>\n", is_broad ? " class=\"broad\"" : "");
    if (svg != NULL) {
        g_string_append(self->body, "<div class=\"scroll\">");
        adit_svg_append(self->body, svg, ++self->n_pictures, caption);
        g_string_append(self->body, "</div>\n");
    }
    g_string_append(self->body, "<figcaption>");
    adit_html_append(self->body, caption);
    if (path != NULL) {
        g_string_append(self->body, " <span class=\"files\">");
        append_file(self->body, path, ".csv", "CSV");
        append_file(self->body, path, ".gp", "gnuplot");
        if (svg != NULL)
            append_file(self->body, path, ".svg", "SVG");
        if (svg != NULL && has_png)
            append_file(self->body, path, ".png", "PNG");
        g_string_append(self->body, "</span>");
    }
    g_string_append(self->body, "</figcaption>\n</figure>\n");
}

/* Nothing may be loaded or run, whatever should have found its way into the page. */
static const char head[] =
    "<!DOCTYPE html>\n"
    "<html lang=\"en\">\n"
    "<head>\n"
    "<meta charset=\"utf-8\"/>\n"
    "<meta http-equiv=\"Content-Security-Policy\" "
    "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\"/>\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
    "<meta name=\"generator\" content=\"adit " ADIT_VERSION "\"/>\n"
    "<meta name=\"color-scheme\" content=\"light dark\"/>\n";

GString *
adit_page_finish(AditPage *self, const char *plots, GError **error)
{
    g_autofree char *path = g_build_filename(plots, "report.css", NULL);
    g_autofree char *style = NULL;
    GString *page;

    if (!adit_file_read(path, STYLE_MAX_SIZE, &style, NULL, error))
        return NULL;
    end_section(self);
    self->n_sections = 0;
    page = g_string_new(head);
    adit_html_append_element(page, "title", self->title);
    g_string_append_printf(page, "<style>\n%s</style>\n</head>\n<body>\n", style);
    g_string_append_printf(page, "<nav aria-label=\"Contents\">\n%s</nav>\n<main>\n",
                           self->contents->str);
    g_string_append_printf(page, "%s</main>\n</body>\n</html>\n", self->body->str);
    return page;
}
