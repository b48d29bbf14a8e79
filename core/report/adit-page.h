/* core/report/adit-page.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-error.h>

G_BEGIN_DECLS

/**
 * AditPage: a page that needs nothing but itself: style and pictures stand in it; its links lead to
 * files beside it.
 */
typedef struct _AditPage AditPage;

/* @title: plain text */
AditPage *adit_page_new(const char *title);
void adit_page_free(AditPage *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditPage, adit_page_free)

/* What has been written so far, to be gone on with (adit-html.h). Owned by @self. */
GString *adit_page_get_body(AditPage *self);
/* Ends the section before and begins one, which the list of contents then has. @title: plain text
 */
void adit_page_begin_section(AditPage *self, const char *title);
/* Begins what figures stand side by side in, until adit_page_end_figures(). */
void adit_page_begin_figures(AditPage *self);
void adit_page_end_figures(AditPage *self);

/**
 * adit_page_add_figure:
 * @path: (nullable): of the files it was made of, without their endings, from the page
 * @caption: plain text
 * @svg: (nullable): what gnuplot drew; NULL: there is no picture
 * @has_png: NAME.png is there
 * @is_broad: it takes the page's width
 */
void adit_page_add_figure(AditPage *self, const char *path, const char *caption, const char *svg,
                          gboolean has_png, gboolean is_broad);

/* (transfer full): the page. @plots: the folder that has report.css */
GString *adit_page_finish(AditPage *self, const char *plots, GError **error);

G_END_DECLS
