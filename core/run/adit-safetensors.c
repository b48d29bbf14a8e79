/* core/run/adit-safetensors.c - SPDX-License-Identifier: MIT */
#include "adit-safetensors.h"

#include "adit-file.h"
#include "adit-safetensors-header.h"

#include <json-glib/json-glib.h>

/* numbers are stored as they lie in memory */
G_STATIC_ASSERT(G_BYTE_ORDER == G_LITTLE_ENDIAN);

static gint
compare_for_writing(gconstpointer a, gconstpointer b)
{
    const AditStoredTensor *left = *(AditStoredTensor *const *) a;
    const AditStoredTensor *right = *(AditStoredTensor *const *) b;
    gsize left_size = adit_dtype_get_size(left->dtype);
    gsize right_size = adit_dtype_get_size(right->dtype);

    if (left_size != right_size)
        return left_size < right_size ? 1 : -1;
    return strcmp(left->name, right->name);
}

static GPtrArray *
sort_for_writing(const AditTensorList *tensors)
{
    GPtrArray *sorted = g_ptr_array_new();

    for (guint i = 0; i < adit_tensor_list_get_length(tensors); i++)
        g_ptr_array_add(sorted, (gpointer) adit_tensor_list_get(tensors, i));
    g_ptr_array_sort(sorted, compare_for_writing);
    return sorted;
}

static void
build_texts(JsonBuilder *builder, const AditTensorList *tensors)
{
    g_autoptr(GList) keys = adit_tensor_list_get_text_keys(tensors);

    if (keys == NULL)
        return;
    json_builder_set_member_name(builder, "__metadata__");
    json_builder_begin_object(builder);
    for (GList *key = keys; key != NULL; key = key->next) {
        json_builder_set_member_name(builder, key->data);
        json_builder_add_string_value(builder, adit_tensor_list_get_text(tensors, key->data));
    }
    json_builder_end_object(builder);
}

static void
build_entry(JsonBuilder *builder, const AditStoredTensor *tensor, guint64 begin)
{
    json_builder_set_member_name(builder, tensor->name);
    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "dtype");
    json_builder_add_string_value(builder, adit_dtype_get_name(tensor->dtype));
    json_builder_set_member_name(builder, "shape");
    json_builder_begin_array(builder);
    for (guint i = 0; i < tensor->shape.rank; i++)
        json_builder_add_int_value(builder, (gint64) tensor->shape.size[i]);
    json_builder_end_array(builder);
    json_builder_set_member_name(builder, "data_offsets");
    json_builder_begin_array(builder);
    json_builder_add_int_value(builder, (gint64) begin);
    json_builder_add_int_value(builder, (gint64) (begin + tensor->length));
    json_builder_end_array(builder);
    json_builder_end_object(builder);
}

static GString *
build_header(const AditTensorList *tensors, GPtrArray *sorted)
{
    g_autoptr(JsonBuilder) builder = json_builder_new_immutable();
    g_autoptr(JsonNode) root = NULL;
    g_autofree char *text = NULL;
    guint64 begin = 0;
    GString *header;

    json_builder_begin_object(builder);
    build_texts(builder, tensors);
    for (guint i = 0; i < sorted->len; i++) {
        const AditStoredTensor *tensor = g_ptr_array_index(sorted, i);

        build_entry(builder, tensor, begin);
        begin += tensor->length;
    }
    json_builder_end_object(builder);
    root = json_builder_get_root(builder);
    text = json_to_string(root, FALSE);
    header = g_string_new(text);
    while (header->len % 8 != 0)
        g_string_append_c(header, ' ');
    return header;
}

gboolean
adit_safetensors_write(const AditTensorList *tensors, AditOutput *output, GError **error)
{
    g_autoptr(GPtrArray) sorted = sort_for_writing(tensors);
    g_autoptr(GString) header = build_header(tensors, sorted);
    guint64 length = GUINT64_TO_LE(header->len);

    if (!adit_output_write(output, &length, sizeof(length), error) ||
        !adit_output_write(output, header->str, header->len, error))
        return FALSE;
    for (guint i = 0; i < sorted->len; i++) {
        const AditStoredTensor *tensor = g_ptr_array_index(sorted, i);

        if (tensor->length > 0 && !adit_output_write(output, tensor->data, tensor->length, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean fail(GError **error, const char *path, const char *format, ...) G_GNUC_PRINTF(3, 4);

static gboolean
fail(GError **error, const char *path, const char *format, ...)
{
    g_autofree char *message = NULL;
    va_list arguments;

    va_start(arguments, format);
    message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED, "%s: %s", path, message);
    return FALSE;
}

static gint
compare_by_offset(gconstpointer a, gconstpointer b)
{
    const AditSafetensorsEntry *left = *(AditSafetensorsEntry *const *) a;
    const AditSafetensorsEntry *right = *(AditSafetensorsEntry *const *) b;

    if (left->begin != right->begin)
        return left->begin < right->begin ? -1 : 1;
    if (left->end != right->end)
        return left->end < right->end ? -1 : 1;
    return strcmp(left->name, right->name);
}

/* Whether @entry, the next in the file, begins at @at and is as long as its shape says. */
static gboolean
check_entry(const char *path, const AditSafetensorsEntry *entry, guint64 at, guint64 data_length,
            GError **error)
{
    gsize length;

    if (entry->begin != at)
        return fail(error, path,
                    "tensor '%s': expected to begin at byte %" G_GUINT64_FORMAT
                    " of the data, got %" G_GUINT64_FORMAT " (%s)",
                    entry->name, at, entry->begin, entry->begin < at ? "an overlap" : "a hole");
    if (entry->end < entry->begin || entry->end > data_length)
        return fail(error, path,
                    "tensor '%s': expected to end within bytes %" G_GUINT64_FORMAT
                    " to %" G_GUINT64_FORMAT " of the data, got %" G_GUINT64_FORMAT,
                    entry->name, entry->begin, data_length, entry->end);
    if (!adit_stored_shape_get_length(entry->dtype, &entry->shape, &length))
        return fail(error, path, "tensor '%s': expected at most 2^40 elements, got more",
                    entry->name);
    if (length != entry->end - entry->begin)
        return fail(error, path,
                    "tensor '%s': expected %" G_GSIZE_FORMAT
                    " bytes for its shape, got %" G_GUINT64_FORMAT,
                    entry->name, length, entry->end - entry->begin);
    return TRUE;
}

static gboolean
check_entries(const char *path, GPtrArray *entries, guint64 data_length, GError **error)
{
    guint64 at = 0;

    g_ptr_array_sort(entries, compare_by_offset);
    for (guint i = 0; i < entries->len; i++) {
        const AditSafetensorsEntry *entry = g_ptr_array_index(entries, i);

        if (!check_entry(path, entry, at, data_length, error))
            return FALSE;
        at = entry->end;
    }
    if (at != data_length)
        return fail(error, path,
                    "expected %" G_GUINT64_FORMAT " bytes of data, got %" G_GUINT64_FORMAT, at,
                    data_length);
    return TRUE;
}

static void
take_tensors(AditTensorList *tensors, GPtrArray *entries, const guchar *data)
{
    for (guint i = 0; i < entries->len; i++) {
        AditSafetensorsEntry *entry = g_ptr_array_index(entries, i);
        AditStoredTensor tensor = {
            .name = g_steal_pointer(&entry->name),
            .dtype = entry->dtype,
            .shape = entry->shape,
            .length = (gsize) (entry->end - entry->begin),
            .data = data + entry->begin,
        };

        /* other writers need not sort by alignment */
        if (entry->begin % adit_dtype_get_size(entry->dtype) != 0)
            tensor.data = tensor.owned = g_memdup2(tensor.data, tensor.length);
        adit_tensor_list_take(tensors, &tensor);
    }
}

/* Where the header ends in @file; 0 with @error. */
static gsize
find_data(const char *path, const char *file, gsize length, GError **error)
{
    guint64 header_length;

    if (length < sizeof(header_length)) {
        fail(error, path, "expected at least 8 bytes, got %" G_GSIZE_FORMAT, length);
        return 0;
    }
    memcpy(&header_length, file, sizeof(header_length));
    header_length = GUINT64_FROM_LE(header_length);
    if (header_length > ADIT_SAFETENSORS_MAX_HEADER) {
        fail(error, path, "expected a header of at most %d bytes, got %" G_GUINT64_FORMAT,
             ADIT_SAFETENSORS_MAX_HEADER, header_length);
        return 0;
    }
    if (header_length > length - sizeof(header_length)) {
        fail(error, path, "expected a header of %" G_GUINT64_FORMAT " bytes, got %" G_GSIZE_FORMAT,
             header_length, length - sizeof(header_length));
        return 0;
    }
    return sizeof(header_length) + (gsize) header_length;
}

static char *
hash(const char *data, gsize length)
{
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);

    while (length > 0) {
        gsize part = MIN(length, (gsize) 1 << 30);

        g_checksum_update(checksum, (const guchar *) data, (gssize) part);
        data += part;
        length -= part;
    }
    return g_strdup(g_checksum_get_string(checksum));
}

AditTensorList *
adit_safetensors_read(const char *path, char **sha256, GError **error)
{
    g_autoptr(AditTensorList) tensors = adit_tensor_list_new();
    g_autoptr(GPtrArray) entries = NULL;
    g_autofree char *file = NULL;
    g_autofree char *sum = NULL;
    gsize length, data_at;

    if (!adit_file_read(path, G_MAXSSIZE - 1, &file, &length, error))
        return NULL;
    data_at = find_data(path, file, length, error);
    if (data_at == 0)
        return NULL;
    entries = adit_safetensors_header_parse(path, file + sizeof(guint64), data_at - sizeof(guint64),
                                            tensors, error);
    if (entries == NULL || !check_entries(path, entries, length - data_at, error))
        return NULL;
    sum = sha256 != NULL ? hash(file, length) : NULL;
    /* the tensors are aligned if the data is */
    if (data_at % 8 != 0)
        memmove(file, file + data_at, length - data_at);
    take_tensors(tensors, entries, (guchar *) file + (data_at % 8 != 0 ? 0 : data_at));
    adit_tensor_list_take_block(tensors, g_steal_pointer(&file));
    if (sha256 != NULL)
        *sha256 = g_steal_pointer(&sum);
    return g_steal_pointer(&tensors);
}
