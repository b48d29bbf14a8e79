/* core/report/adit-document.h - SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * AditDocument: a text with headings and tables, written as Markdown and as HTML at once. What is
 * handed in is plain text; what adit_document_emphasize() made is emphasized.
 */
typedef struct {
    GString *markdown;
    GString *html;
} AditDocument;

AditDocument *adit_document_new(void);
void adit_document_free(AditDocument *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditDocument, adit_document_free)

/* @level: 1: the title, which the page has a heading of its own for; 2, 3 */
void adit_document_add_heading(AditDocument *self, guint level, const char *text);
/* @lead: (nullable): emphasized before the text: "*published*: the figures of ..." */
void adit_document_add_paragraph(AditDocument *self, const char *lead, const char *text);
/* @rows: (element-type GStrv): the header first, all of the same length. */
void adit_document_add_table(AditDocument *self, const GPtrArray *rows);
/* (transfer full): @text as an emphasized cell of a table */
char *adit_document_emphasize(const char *text);

G_END_DECLS
