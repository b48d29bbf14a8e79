/* core/report/adit-picture.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-report-private.h"

G_BEGIN_DECLS

/**
 * AditPicture: a script for gnuplot being put together: settings (`x_label = 'depth'`), then the
 * text of share/plots/common.gp and of the kind's own script. So the file draws its picture alone,
 * wherever it is taken together with its data.
 */
typedef struct _AditPicture AditPicture;

AditPicture *adit_picture_new(void);
void adit_picture_free(AditPicture *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditPicture, adit_picture_free)

/* What stands below it in a page; else its name. */
void adit_picture_set_caption(AditPicture *self, const char *caption);
/* Settings. Texts may hold anything: none is read as a command, or as mark-up. */
void adit_picture_set_number(AditPicture *self, const char *name, double value);
void adit_picture_set_text(AditPicture *self, const char *name, const char *text);
/* An array, and `n_NAME`, its length. @texts: (element-type utf8) */
void adit_picture_set_texts(AditPicture *self, const char *name, const GPtrArray *texts);
/* The same. @numbers: (element-type double) */
void adit_picture_set_numbers(AditPicture *self, const char *name, const GArray *numbers);

/* Scales of colours, one for each of the values @names, which then means the same in all panels.
 * @numbers: (element-type GArray): double: what each value is anywhere in the picture; sorted in
 * here. @is_even: no scale is logarithmic */
void adit_picture_set_colours(AditPicture *self, const char *const *names, const GPtrArray *numbers,
                              gboolean is_even);

/* Writes NAME.gp with what share/plots/@script does, NAME.csv with @data, and has gnuplot, if there
 * is one, draw NAME.svg and, unless the writer leaves that out, NAME.png. Then it goes into the
 * writer's page. */
gboolean adit_picture_write(AditPicture *self, const AditReportWriter *writer, const char *name,
                            const char *script, const GString *data, GError **error);

G_END_DECLS
