/* core/report/adit-document.c - SPDX-License-Identifier: MIT */
#include "adit-document.h"

#include "adit-html.h"
#include "adit-text.h"

/* Begins a cell that is emphasized. No text of others keeps a control character. */
#define EMPHASIS '\001'

AditDocument *
adit_document_new(void)
{
    AditDocument *self = g_new0(AditDocument, 1);

    self->markdown = g_string_new(NULL);
    self->html = g_string_new(NULL);
    return self;
}

void
adit_document_free(AditDocument *self)
{
    g_string_free(self->markdown, TRUE);
    g_string_free(self->html, TRUE);
    g_free(self);
}

/* Markdown's parts are parted by an empty line. */
static void
part(AditDocument *self)
{
    if (self->markdown->len > 0)
        g_string_append_c(self->markdown, '\n');
}

void
adit_document_add_heading(AditDocument *self, guint level, const char *text)
{
    /* the page has its own title, and a heading above this text */
    g_autofree char *tag = g_strdup_printf("h%u", level + 1);

    part(self);
    for (guint i = 0; i < level; i++)
        g_string_append_c(self->markdown, '#');
    g_string_append_c(self->markdown, ' ');
    adit_markdown_append(self->markdown, text);
    g_string_append_c(self->markdown, '\n');
    if (level > 1)
        adit_html_append_element(self->html, tag, text);
}

void
adit_document_add_paragraph(AditDocument *self, const char *lead, const char *text)
{
    part(self);
    g_string_append(self->html, "<p class=\"note\">");
    if (lead != NULL) {
        g_string_append_printf(self->markdown, "*%s*: ", lead);
        g_string_append_printf(self->html, "<em>%s</em>: ", lead);
    }
    adit_markdown_append(self->markdown, text);
    adit_html_append(self->html, text);
    g_string_append_c(self->markdown, '\n');
    g_string_append(self->html, "</p>\n");
}

char *
adit_document_emphasize(const char *text)
{
    return g_strdup_printf("%c%s", EMPHASIS, text);
}

static char *
make_markdown(const char *cell)
{
    gboolean is_emphasized = *cell == EMPHASIS;
    GString *text = g_string_new(is_emphasized ? "*" : "");

    adit_markdown_append(text, cell + is_emphasized);
    g_string_append(text, is_emphasized ? "*" : "");
    return g_string_free(text, FALSE);
}

static char *
make_html(const char *cell)
{
    gboolean is_emphasized = *cell == EMPHASIS;
    GString *text = g_string_new(is_emphasized ? "<em>" : "");

    adit_html_append(text, cell + is_emphasized);
    g_string_append(text, is_emphasized ? "</em>" : "");
    return g_string_free(text, FALSE);
}

/* (element-type GStrv): @rows, each cell as @make makes it */
static GPtrArray *
make_rows(const GPtrArray *rows, char *(*make)(const char *) )
{
    GPtrArray *made = g_ptr_array_new_with_free_func((GDestroyNotify) g_strfreev);

    for (guint i = 0; i < rows->len; i++) {
        const char *const *cells = g_ptr_array_index(rows, i);
        GStrv row = g_new0(char *, g_strv_length((char **) cells) + 1);

        for (guint j = 0; cells[j] != NULL; j++)
            row[j] = make(cells[j]);
        g_ptr_array_add(made, row);
    }
    return made;
}

void
adit_document_add_table(AditDocument *self, const GPtrArray *rows)
{
    g_autoptr(GPtrArray) markdown = make_rows(rows, make_markdown);
    g_autoptr(GPtrArray) html = make_rows(rows, make_html);

    part(self);
    adit_markdown_append_table(self->markdown, markdown);
    adit_html_append_table(self->html, html);
}
