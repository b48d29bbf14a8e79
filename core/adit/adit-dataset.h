/* core/adit/adit-dataset.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-array.h>
#include <adit/adit-component.h>
#include <adit/adit-random.h>

G_BEGIN_DECLS

/**
 * AditDataset: schema and stream -> arrays. A plugin parses; opening, decompressing, splitting,
 * standardising, shuffling and residence are the core's.
 */
#define ADIT_TYPE_DATASET (adit_dataset_get_type())
G_DECLARE_DERIVABLE_TYPE(AditDataset, adit_dataset, ADIT, DATASET, AditComponent)

/**
 * AditExamples: what a file or a generator gave.
 * @inputs: the features
 * @targets: (nullable): values (F32, F64 or U8), or class numbers (I32, scalar shape); as many rows
 * @classes: number of classes; 0 for values
 */
typedef struct {
    AditArray *inputs;
    AditArray *targets;
    guint classes;
} AditExamples;

void adit_examples_clear(AditExamples *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AditExamples, adit_examples_clear)

/**
 * AditSchema: what is known from headers alone. @rows 0: not known without reading all.
 */
typedef struct {
    AditShape inputs;
    AditShape targets;
    guint classes;
    guint64 rows;
} AditSchema;

/**
 * AditLoader: what a dataset plugin reads through.
 */
typedef struct _AditLoader AditLoader;

/* Opens @path, or @path.gz, or @path.xz if that exists instead, decompressed by content. NULL with
 * ADIT_ERROR_NOT_FOUND (the message names the path as the user wrote it) or ADIT_ERROR_DAMAGED. */
GInputStream *adit_loader_open(AditLoader *loader, const char *path, GError **error);
/* Whether @path, @path.gz or @path.xz exists. */
gboolean adit_loader_exists(AditLoader *loader, const char *path);
/* Reads exactly @size bytes, or fails with ADIT_ERROR_DAMAGED: "FILE: truncated: got 12 of 16 bytes
 * of WHAT". */
gboolean adit_loader_read(AditLoader *loader, GInputStream *stream, void *buffer, gsize size,
                          const char *what, GError **error);
/* The stream a generator draws from: depends on the split seed alone. */
AditRandom *adit_loader_get_random(AditLoader *loader);

/**
 * AditDatasetClass:
 * @describe: fills @schema from headers (`adit check`); opens files, reads no bulk
 * @load: fills @train and, if the data has a test set of its own, @test. Errors:
 * ADIT_ERROR_NOT_FOUND, ADIT_ERROR_DAMAGED, ADIT_ERROR_INVALID, with file, line, got and expected.
 * @default_test: what is held out when the user does not say and @load gives no test set
 * @has_test: whether @load may give a test set of its own
 */
struct _AditDatasetClass {
    AditComponentClass parent_class;

    gboolean (*describe)(AditDataset *self, AditLoader *loader, AditSchema *schema, GError **error);
    gboolean (*load)(AditDataset *self, AditLoader *loader, AditExamples *train, AditExamples *test,
                     GError **error);
    AditAmount default_test;
    gboolean has_test;

    gpointer padding[5];
};

#define ADIT_DEFINE_DATASET(TypeName, type_name, CAST)                                             \
    ADIT_DEFINE_COMPONENT(TypeName, type_name, CAST, ADIT_TYPE_DATASET)

G_END_DECLS
