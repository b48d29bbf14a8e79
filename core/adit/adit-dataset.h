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
 * AditLoader: what a dataset plugin reads through. Messages name a file as the loader found it:
 * `$data/...` where it lies under the data folder.
 */
typedef struct _AditLoader AditLoader;

/* Opens @path, or @path.gz, or @path.xz if that exists instead, decompressed by content. NULL with
 * ADIT_ERROR_NOT_FOUND or ADIT_ERROR_DAMAGED. */
GInputStream *adit_loader_open(AditLoader *loader, const char *path, GError **error);
/* Opens one member of a zip archive (.npz), its checksum already checked. */
GInputStream *adit_loader_open_member(AditLoader *loader, const char *path, const char *member,
                                      GError **error);
/* Whether @path, @path.gz or @path.xz exists. */
gboolean adit_loader_exists(AditLoader *loader, const char *path);
/* What messages call the file behind a stream of this loader; lives as long as the loader. */
const char *adit_loader_get_name(AditLoader *loader, GInputStream *stream);
/* Reads exactly @size bytes, or fails with ADIT_ERROR_DAMAGED: "FILE: truncated: got 12 of 16 bytes
 * of WHAT". */
gboolean adit_loader_read(AditLoader *loader, GInputStream *stream, void *buffer, gsize size,
                          const char *what, GError **error);
/* Reads up to @size bytes; @got: (out): how many there were, fewer than @size at the file's end. */
gboolean adit_loader_read_some(AditLoader *loader, GInputStream *stream, void *buffer, gsize size,
                               gsize *got, GError **error);
/* Refuses bytes behind what was read: "FILE: trailing bytes behind WHAT". */
gboolean adit_loader_read_end(AditLoader *loader, GInputStream *stream, const char *what,
                              GError **error);
/* The stream a generator draws from: depends on the split seed alone. */
AditRandom *adit_loader_get_random(AditLoader *loader);

typedef enum {
    ADIT_ENCODING_UNSIGNED,
    ADIT_ENCODING_SIGNED,
    ADIT_ENCODING_REAL,
    ADIT_ENCODING_BOOLEAN,
} AditEncodingKind;

/**
 * AditEncoding: how a number lies in a file.
 * @kind: what it is; a boolean is one byte, 0 or 1
 * @size: bytes: 1, 2, 4, 8; of a real number 4 or 8
 */
typedef struct {
    AditEncodingKind kind;
    guint size;
    gboolean big_endian;
} AditEncoding;

/* Reads @rows rows of @shape that lie one after the other. Unsigned bytes stay bytes, read as 0..1;
 * other numbers become F32 where that is exact, else F64. Numbers that are not finite are refused:
 * "FILE: element [16, 4] is nan, expected a finite number". */
AditArray *adit_loader_read_array(AditLoader *loader, GInputStream *stream,
                                  const AditEncoding *encoding, const AditShape *shape,
                                  guint64 rows, const char *what, GError **error);
/* Reads @rows whole numbers as class numbers. @classes: in: how many classes there are, 0: as many
 * as the highest number says; out: how many there are. */
AditArray *adit_loader_read_labels(AditLoader *loader, GInputStream *stream,
                                   const AditEncoding *encoding, guint64 rows, guint *classes,
                                   GError **error);

/**
 * AditDatasetClass:
 * @describe: fills @schema from headers (`adit check`); opens files, reads no bulk
 * @load: fills @train and, if the data has a test set of its own, @test. Errors:
 *   ADIT_ERROR_NOT_FOUND, ADIT_ERROR_DAMAGED, ADIT_ERROR_INVALID, with file, line, got and
 *   expected.
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
