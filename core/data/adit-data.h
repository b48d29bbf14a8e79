/* core/data/adit-data.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-dataset.h>

#include "adit-split.h"
#include "adit-standardization.h"

G_BEGIN_DECLS

/**
 * AditData: a data set in memory, checked, split and standardised.
 * @name: its `name`, else its kind
 * @input_shape, @target_shape: without the batch; a class number is a scalar
 * @classes: number of classes; 0 for values
 * @train, @validation, @test: rows 0 where there is none. A split that was drawn is in the order
 * drawn, so that its first rows are a random sample; what is not split is in the order of its file.
 * @standardization: what was done to the inputs, measured on @train; count 0: nothing
 * @files: what was read, as sha256sum prints it; of a folder that is read whole the digest of such
 *   lines; empty for what is generated
 * @fingerprint: "sha256:HEX": of the file as it lies on disk; of several files, of their digests,
 * one a line, in the order of opening; of generated data, of its shapes and values
 */
typedef struct {
    char *name;
    AditShape input_shape;
    AditShape target_shape;
    guint classes;
    AditSplit train;
    AditSplit validation;
    AditSplit test;
    AditStandardization standardization;
    GStrv files;
    char *fingerprint;
} AditData;

/**
 * adit_data_open:
 * @data_folder: (nullable): what `$data` stands for
 *
 * Loads a data set, checks it, splits it by its settings (LANGUAGE 2.3) and standardises it by
 * its training rows. `test` of the user is drawn from the training rows, and a test set the data
 * brings is then left aside; `validation` always is. A share is one of all rows that are split.
 *
 * Returns: (nullable): the set, or NULL with ADIT_ERROR_NOT_FOUND, ADIT_ERROR_DAMAGED,
 * ADIT_ERROR_INVALID or ADIT_ERROR_MEMORY
 */
AditData *adit_data_open(AditDataset *dataset, const char *data_folder, GError **error);

/* The same, by up to @threads threads (0: one a processor), and, unless @standardization is NULL,
 * standardised by what another set was (that of a finished run), not by this one. */
AditData *adit_data_open_as(AditDataset *dataset, const char *data_folder, guint threads,
                            const AditStandardization *standardization, GError **error);
void adit_data_free(AditData *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditData, adit_data_free)

/* What is known from headers; reads no bulk. Errors as of adit_data_open(). */
gboolean adit_data_describe(AditDataset *dataset, const char *data_folder, AditSchema *schema,
                            GError **error);

G_END_DECLS
