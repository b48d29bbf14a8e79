/* core/adit/adit-npy.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-dataset.h>

G_BEGIN_DECLS

/**
 * AditNpyHeader: what stands before the numbers of an NPY file (NumPy enhancement proposal 1,
 * versions 1 to 3).
 * @fortran: the first axis runs fastest in the file
 * @rows: the first axis
 * @shape: the others; a scalar for a vector of numbers
 */
typedef struct {
    AditEncoding encoding;
    gboolean fortran;
    guint64 rows;
    AditShape shape;
} AditNpyHeader;

/* ADIT_ERROR_DAMAGED for what is no NPY file, a header of more than 10000 bytes, and what are no
 * numbers (objects, structures, texts, dates, complex and half-precision numbers). */
gboolean adit_loader_read_npy_header(AditLoader *loader, GInputStream *stream,
                                     AditNpyHeader *header, GError **error);
/* The numbers behind the header, row after row whatever the order in the file, and the file's end.
 */
AditArray *adit_loader_read_npy(AditLoader *loader, GInputStream *stream,
                                const AditNpyHeader *header, GError **error);

G_END_DECLS
