/* core/report/adit-html.h - SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* HTML that is XML as well. What others wrote (titles, addresses, paths, messages) comes in through
 * adit_html_append() alone, which lets no character of it be mark-up. */

/* Appends @text such that it is shown as it is, in an element or in an attribute's quotes. Line
 * ends stay; other control characters, which XML does not have, become blanks, and what is no UTF-8
 * is replaced. */
void adit_html_append(GString *html, const char *text);
/* (transfer full): the same as a text of its own */
char *adit_html_escape(const char *text);
/* Appends "<TAG>TEXT</TAG>". @tag: ours, with attributes as it may have: "td class='n'" */
void adit_html_append_element(GString *html, const char *tag, const char *text);
/* Appends a link to @path, relative to the page, called @label. */
void adit_html_append_link(GString *html, const char *path, const char *label);

/**
 * adit_html_append_table:
 * @rows: (element-type GStrv): the header first, all of the same length, cells already HTML
 *
 * Appends a table that scrolls by itself where it is too wide. A column whose cells all begin like
 * numbers, or are "-" or empty, is to the right.
 */
void adit_html_append_table(GString *html, const GPtrArray *rows);
/* The same of @names and @values, one line each. Both are already HTML. */
void adit_html_append_list(GString *html, const GPtrArray *names, const GPtrArray *values);

G_END_DECLS
