/* core/data/adit-encoding.c - SPDX-License-Identifier: MIT */
#include <adit/adit-dataset.h>

#include "adit-array-private.h"
#include "adit-loader.h"

#include <math.h>
#include <string.h>

/* Read at once: large enough that a call costs nothing, small enough that a header that lies about
 * the file's size costs no memory. */
#define CHUNK_SIZE (256 * 1024)
/* Above this a label is no class number but something else. */
#define CLASSES_MAX 1000000

static guint64
adit_encoding_get_bits(const AditEncoding *self, const guint8 *bytes)
{
    guint64 bits = 0;

    for (guint i = 0; i < self->size; i++)
        bits |= (guint64) bytes[self->big_endian ? self->size - 1 - i : i] << (8 * i);
    return bits;
}

static double
adit_encoding_get(const AditEncoding *self, const guint8 *bytes)
{
    guint64 bits = adit_encoding_get_bits(self, bytes);
    guint32 low = (guint32) bits;
    float narrow = 0;
    double wide = 0;

    switch (self->kind) {
    case ADIT_ENCODING_REAL:
        memcpy(&narrow, &low, sizeof narrow);
        memcpy(&wide, &bits, sizeof wide);
        return self->size == sizeof narrow ? (double) narrow : wide;
    case ADIT_ENCODING_SIGNED:
        /* the sign bit moves to the top and back */
        return (double) ((gint64) (bits << (64 - 8 * self->size)) >> (64 - 8 * self->size));
    case ADIT_ENCODING_BOOLEAN:
        return bits != 0;
    case ADIT_ENCODING_UNSIGNED:
    default:
        return (double) bits;
    }
}

static AditTypeCode
adit_encoding_choose_type(const AditEncoding *self)
{
    if (self->size == 1 && self->kind != ADIT_ENCODING_SIGNED)
        return ADIT_TYPE_CODE_U8;
    if (self->size <= 2 || (self->kind == ADIT_ENCODING_REAL && self->size == 4))
        return ADIT_TYPE_CODE_F32;
    return ADIT_TYPE_CODE_F64;
}

/**
 * AditFill: an array that grows as its bytes arrive, so that a header cannot ask for memory that
 * the file does not back.
 */
typedef struct {
    AditLoader *loader;
    GInputStream *stream;
    const AditEncoding *encoding;
    const char *what;
    AditArray *array;
    gsize count;    /* elements there shall be */
    gsize done;     /* elements there are */
    gsize capacity; /* elements that fit */
} AditFill;

static gboolean
adit_fill_reserve(AditFill *self, gsize count, GError **error)
{
    gsize size = adit_type_code_get_size(self->array->type);
    gsize capacity = MIN(MAX(self->capacity * 2, self->done + count), self->count);
    void *data = NULL;

    if (self->done + count <= self->capacity)
        return TRUE;
    if (capacity <= G_MAXSIZE / size)
        data = g_try_realloc(self->array->data, capacity * size);
    if (data == NULL) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_MEMORY,
                    "%s: %" G_GSIZE_FORMAT " numbers do not fit into memory",
                    adit_loader_get_name(self->loader, self->stream), self->count);
        return FALSE;
    }
    self->array->data = data;
    self->capacity = capacity;
    return TRUE;
}

static gboolean
adit_fill_check(AditFill *self, gsize index, double value, GError **error)
{
    g_autofree char *place = NULL;

    if (isfinite(value))
        return TRUE;
    place = adit_array_describe_index(self->array, index);
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED,
                "%s: element %s is %g, expected a finite number",
                adit_loader_get_name(self->loader, self->stream), place, value);
    return FALSE;
}

static gboolean
adit_fill_decode(AditFill *self, const guint8 *bytes, gsize count, GError **error)
{
    float *narrow = self->array->data;
    double *wide = self->array->data;

    if (self->array->type == ADIT_TYPE_CODE_U8) {
        memcpy((guint8 *) self->array->data + self->done, bytes, count);
        return TRUE;
    }
    for (gsize i = self->done; i < self->done + count; i++, bytes += self->encoding->size) {
        double value = adit_encoding_get(self->encoding, bytes);

        if (!adit_fill_check(self, i, value, error))
            return FALSE;
        if (self->array->type == ADIT_TYPE_CODE_F32)
            narrow[i] = (float) value;
        else
            wide[i] = value;
    }
    return TRUE;
}

static gboolean
adit_fill_read(AditFill *self, GError **error)
{
    gsize size = self->encoding->size;
    g_autofree guint8 *buffer = g_malloc(CHUNK_SIZE);

    while (self->done < self->count) {
        gsize count = MIN(self->count - self->done, CHUNK_SIZE / size);
        g_autoptr(GError) failure = NULL;
        gsize got = 0;

        if (!g_input_stream_read_all(self->stream, buffer, count * size, &got, NULL, &failure)) {
            adit_loader_propagate(self->loader, self->stream, g_steal_pointer(&failure), error);
            return FALSE;
        }
        if (got < count * size) {
            g_set_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED,
                        "%s: truncated: got %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT " bytes of %s",
                        adit_loader_get_name(self->loader, self->stream), self->done * size + got,
                        self->count * size, self->what);
            return FALSE;
        }
        if (!adit_fill_reserve(self, count, error) || !adit_fill_decode(self, buffer, count, error))
            return FALSE;
        self->done += count;
    }
    return TRUE;
}

/* FALSE: there are more than a size can say, in the file or in memory. */
static gboolean
count_numbers(const AditEncoding *encoding, const AditShape *shape, guint64 rows, gsize *count)
{
    gsize widest = MAX(encoding->size, sizeof(double)), bytes = 0;

    *count = 1;
    for (guint i = 0; i < shape->rank; i++)
        if (!g_size_checked_mul(count, *count, shape->size[i]))
            return FALSE;
    /* of one row, too, if there are none */
    return g_size_checked_mul(&bytes, *count, widest) && g_size_checked_mul(count, *count, rows) &&
           g_size_checked_mul(&bytes, *count, widest);
}

AditArray *
adit_loader_read_array(AditLoader *loader, GInputStream *stream, const AditEncoding *encoding,
                       const AditShape *shape, guint64 rows, const char *what, GError **error)
{
    AditTypeCode type = adit_encoding_choose_type(encoding);
    AditFill fill = {.loader = loader, .stream = stream, .encoding = encoding, .what = what};
    g_autoptr(AditArray) array = NULL;

    if (!count_numbers(encoding, shape, rows, &fill.count)) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED, "%s: the sizes of %s are too large",
                    adit_loader_get_name(loader, stream), what);
        return NULL;
    }
    array = fill.array = adit_array_new(type, shape, 0, error);
    if (array == NULL || !adit_fill_read(&fill, error))
        return NULL;
    array->rows = rows;
    array->capacity = rows;
    if (encoding->kind == ADIT_ENCODING_UNSIGNED && encoding->size == 1)
        array->scale = 1.0 / 255.0;
    return g_steal_pointer(&array);
}

static gboolean
adit_label_check(AditLoader *loader, GInputStream *stream, gsize index, double label, guint classes,
                 GError **error)
{
    double highest = classes > 0 ? classes - 1 : CLASSES_MAX - 1;

    if (label >= 0 && label <= highest)
        return TRUE;
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED,
                "%s: label %.0f at [%" G_GSIZE_FORMAT "], expected 0..%.0f",
                adit_loader_get_name(loader, stream), label, index, highest);
    return FALSE;
}

AditArray *
adit_loader_read_labels(AditLoader *loader, GInputStream *stream, const AditEncoding *encoding,
                        guint64 rows, guint *classes, GError **error)
{
    g_autoptr(AditArray) read = NULL;
    g_autoptr(AditArray) labels = NULL;
    guint highest = 0;

    g_return_val_if_fail(encoding->kind != ADIT_ENCODING_REAL, NULL);

    read =
        adit_loader_read_array(loader, stream, encoding, &ADIT_SCALAR, rows, "the labels", error);
    if (read == NULL)
        return NULL;
    read->scale = 1;
    labels = adit_array_new(ADIT_TYPE_CODE_I32, &ADIT_SCALAR, read->rows, error);
    if (labels == NULL)
        return NULL;
    for (gsize i = 0; i < read->rows; i++) {
        double label = adit_array_get(read, i);

        if (!adit_label_check(loader, stream, i, label, *classes, error))
            return NULL;
        ((gint32 *) labels->data)[i] = (gint32) label;
        highest = MAX(highest, (guint) label);
    }
    if (*classes == 0)
        *classes = highest + 1;
    return g_steal_pointer(&labels);
}
