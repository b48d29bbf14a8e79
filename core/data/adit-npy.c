/* core/data/adit-npy.c - SPDX-License-Identifier: MIT */
#include <adit/adit-npy.h>

#include <string.h>

/* NumPy refuses longer ones too: the header is Python text, and this is ample for numbers. */
#define HEADER_MAX 10000

G_GNUC_PRINTF(4, 5)
static gboolean
fail(AditLoader *loader, GInputStream *stream, GError **error, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED, "%s: %s",
                adit_loader_get_name(loader, stream), text);
    return FALSE;
}

/* "<f4", ">i8", "|u1" */
static gboolean
decode_type(const char *text, AditEncoding *encoding)
{
    static const char kinds[] = {'u', 'i', 'f', 'b'}; /* in the order of AditEncodingKind */
    const char *kind = NULL;
    gint64 size = 0;

    if (strlen(text) != 3 || strchr("<>|=", text[0]) == NULL)
        return FALSE;
    kind = memchr(kinds, text[1], sizeof kinds);
    size = g_ascii_digit_value(text[2]);
    if (kind == NULL || (size != 1 && size != 2 && size != 4 && size != 8))
        return FALSE;
    encoding->kind = (AditEncodingKind) (kind - kinds);
    encoding->size = (guint) size;
    encoding->big_endian = text[0] == '>' || (text[0] == '=' && G_BYTE_ORDER == G_BIG_ENDIAN);
    return (encoding->kind != ADIT_ENCODING_REAL || size >= 4) &&
           (encoding->kind != ADIT_ENCODING_BOOLEAN || size == 1);
}

/* What stands behind @key in the header, blanks skipped. */
static const char *
find_value(const char *text, const char *key)
{
    const char *at = strstr(text, key);

    if (at == NULL)
        return NULL;
    at += strlen(key);
    at += strspn(at, " ");
    if (*at != ':')
        return NULL;
    return at + 1 + strspn(at + 1, " ");
}

/* "(60000, 28, 28)", "(5,)"; "()" is a single number, which has no rows. */
static gboolean
parse_shape(const char *text, AditNpyHeader *header)
{
    guint64 sizes[ADIT_MAX_RANK + 1] = {0};
    guint rank = 0;

    if (text == NULL || *text++ != '(')
        return FALSE;
    for (text += strspn(text, " "); *text != ')'; text += strspn(text, " ")) {
        char *end = NULL;

        if (!g_ascii_isdigit(*text) || rank > ADIT_MAX_RANK)
            return FALSE;
        sizes[rank] = g_ascii_strtoull(text, &end, 10);
        if (sizes[rank++] > G_MAXINT64)
            return FALSE;
        text = end + strspn(end, " L");
        if (*text == ',')
            text++;
        else if (*text != ')')
            return FALSE;
    }
    header->rows = sizes[0];
    for (guint i = 1; i < rank; i++)
        header->shape.size[header->shape.rank++] = sizes[i];
    return rank > 0;
}

static gboolean
parse_header(AditLoader *loader, GInputStream *stream, const char *text, AditNpyHeader *header,
             GError **error)
{
    const char *type = find_value(text, "'descr'");
    const char *order = find_value(text, "'fortran_order'");
    g_autofree char *name = NULL;

    if (type == NULL || order == NULL || !parse_shape(find_value(text, "'shape'"), header))
        return fail(loader, stream, error,
                    "damaged header, expected 'descr', 'fortran_order' and a 'shape' with rows");
    name = g_strndup(type + 1, *type == '\'' ? strcspn(type + 1, "'") : 0);
    if (!decode_type(name, &header->encoding))
        return fail(loader, stream, error,
                    "numbers of type '%.20s', expected f4, f8, i1..i8, u1..u8 or b1",
                    *type == '\'' ? name : "(a structure)");
    header->fortran = g_str_has_prefix(order, "True");
    return TRUE;
}

gboolean
adit_loader_read_npy_header(AditLoader *loader, GInputStream *stream, AditNpyHeader *header,
                            GError **error)
{
    guint8 start[8] = {0};
    guint8 length[4] = {0};
    guint32 size = 0;
    g_autofree char *text = NULL;

    *header = (AditNpyHeader){0};
    if (!adit_loader_read(loader, stream, start, sizeof start, "the header", error))
        return FALSE;
    if (memcmp(start, "\x93NUMPY", 6) != 0 || start[6] < 1 || start[6] > 3)
        return fail(loader, stream, error, "no NPY file of version 1 to 3");
    if (!adit_loader_read(loader, stream, length, start[6] == 1 ? 2 : 4, "the header", error))
        return FALSE;
    size = length[0] | (guint32) length[1] << 8 | (guint32) length[2] << 16 |
           (guint32) length[3] << 24;
    if (size > HEADER_MAX)
        return fail(loader, stream, error, "a header of %u bytes, expected at most %d", size,
                    HEADER_MAX);
    text = g_malloc0(size + 1);
    return adit_loader_read(loader, stream, text, size, "the header", error) &&
           parse_header(loader, stream, text, header, error);
}

/* @array, one number a row in the order of the file, as rows of @header's shape. */
static AditArray *
transpose(const AditArray *array, const AditNpyHeader *header, GError **error)
{
    AditArray *result = adit_array_new(array->type, &header->shape, header->rows, error);
    gsize size = adit_type_code_get_size(array->type);
    gsize count = adit_shape_count(&header->shape);

    for (gsize i = 0; i < array->rows && result != NULL; i++) {
        gsize left = i % count;
        gsize from = 0;

        /* Horner's rule from the last axis, fastest here and slowest there, to the rows */
        for (guint axis = header->shape.rank; axis > 0; axis--) {
            gsize below = 1;

            for (guint before = 0; before + 1 < axis; before++)
                below *= header->shape.size[before];
            from += left % header->shape.size[axis - 1] * below;
            left /= header->shape.size[axis - 1];
        }
        from = from * header->rows + i / count;
        memcpy((guint8 *) result->data + i * size, (const guint8 *) array->data + from * size,
               size);
    }
    if (result != NULL)
        result->scale = array->scale;
    return result;
}

AditArray *
adit_loader_read_npy(AditLoader *loader, GInputStream *stream, const AditNpyHeader *header,
                     GError **error)
{
    gboolean turned = header->fortran && header->shape.rank > 0;
    guint64 rows = header->rows;
    g_autoptr(AditArray) array = NULL;

    /* in the order of the file every number is a row of its own */
    for (guint i = 0; i < header->shape.rank && turned; i++)
        if (!g_uint64_checked_mul(&rows, rows, header->shape.size[i])) {
            fail(loader, stream, error, "the sizes of the array are too large");
            return NULL;
        }
    array =
        adit_loader_read_array(loader, stream, &header->encoding,
                               turned ? &ADIT_SCALAR : &header->shape, rows, "the array", error);
    if (array == NULL || !adit_loader_read_end(loader, stream, "the array", error))
        return NULL;
    return turned ? transpose(array, header, error) : g_steal_pointer(&array);
}
