/* core/report/adit-published.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-results.h"

G_BEGIN_DECLS

/**
 * AditPublished: figures of a paper, from the file that `beside` names: a CSV whose header holds
 * names of axes and of values of the study ("arch,depth,best.test.mse"). An empty cell and "-" are
 * no figure.
 */
typedef struct _AditPublished AditPublished;

/**
 * adit_published_read:
 * @shown: (array length=n_shown): what the report tells apart; every axis of the file must be there
 *
 * ADIT_ERROR_NOT_FOUND, ADIT_ERROR_DAMAGED; ADIT_ERROR_INVALID for a column that the study does not
 * have or the report does not tell apart.
 */
AditPublished *adit_published_read(const char *path, const AditResults *results,
                                   const AditLevels *const *shown, guint n_shown, GError **error);
void adit_published_free(AditPublished *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditPublished, adit_published_free)

/* "table2.csv" */
const char *adit_published_get_name(const AditPublished *self);
guint adit_published_count(const AditPublished *self);
gboolean adit_published_has(const AditPublished *self, const char *value);
/* Whether figure @row is one of all of @choices: their values are the same texts or numbers. */
gboolean adit_published_match(const AditPublished *self, guint row, const AditChoice *choices,
                              guint n_choices);
/* (nullable): what @row has in the column @name, NULL without that column; owned by @self */
const char *adit_published_get_text(const AditPublished *self, guint row, const char *name);
/* The figure called @value of @row; FALSE if there is none. */
gboolean adit_published_get(const AditPublished *self, guint row, const char *value,
                            double *figure);
/* (nullable): the figure called @value that all of @choices fit, as it was printed; owned by @self
 */
const char *adit_published_find(const AditPublished *self, const AditChoice *choices,
                                guint n_choices, const char *value);

G_END_DECLS
