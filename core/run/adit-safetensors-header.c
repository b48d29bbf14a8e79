/* core/run/adit-safetensors-header.c - SPDX-License-Identifier: MIT */
#include "adit-safetensors-header.h"

#include "adit-json-cursor.h"

#define MAX_TENSORS 1000000

/* [1, 2, ...], at most @max numbers. */
static gboolean
read_integers(AditJsonCursor *cursor, guint max, guint64 *values, guint *count)
{
    gboolean more;

    *count = 0;
    if (!adit_json_cursor_expect(cursor, '['))
        return FALSE;
    more = !adit_json_cursor_accept(cursor, ']');
    while (more) {
        if (*count == max)
            return adit_json_cursor_fail(cursor, cursor->at,
                                         "expected at most %u numbers, got more", max);
        if (!adit_json_cursor_read_integer(cursor, &values[(*count)++]) ||
            !adit_json_cursor_expect_more(cursor, ']', &more))
            return FALSE;
    }
    return TRUE;
}

static gboolean
read_dtype(AditJsonCursor *cursor, AditSafetensorsEntry *entry)
{
    g_autofree char *name = NULL;
    gsize at = cursor->at;

    if (!adit_json_cursor_read_text(cursor, "the name of a dtype", &name))
        return FALSE;
    return adit_dtype_from_name(name, &entry->dtype) ||
           adit_json_cursor_fail(cursor, at,
                                 "tensor '%s': expected dtype F32, F64, U8 or I64, got '%s'",
                                 entry->name, name);
}

static gboolean
read_shape(AditJsonCursor *cursor, AditSafetensorsEntry *entry)
{
    guint64 sizes[ADIT_MAX_RANK];

    if (!read_integers(cursor, ADIT_MAX_RANK, sizes, &entry->shape.rank))
        return FALSE;
    for (guint i = 0; i < entry->shape.rank; i++)
        entry->shape.size[i] = sizes[i];
    return TRUE;
}

static gboolean
read_offsets(AditJsonCursor *cursor, AditSafetensorsEntry *entry)
{
    guint64 offsets[2];
    gsize at = cursor->at;
    guint count;

    if (!read_integers(cursor, 2, offsets, &count))
        return FALSE;
    if (count != 2)
        return adit_json_cursor_fail(cursor, at, "tensor '%s': expected 2 data_offsets, got %u",
                                     entry->name, count);
    entry->begin = offsets[0];
    entry->end = offsets[1];
    return TRUE;
}

/* {"dtype": ..., "shape": ..., "data_offsets": ...} in any order */
static gboolean
read_entry(AditJsonCursor *cursor, AditSafetensorsEntry *entry)
{
    static const char *const keys[] = {"dtype", "shape", "data_offsets", NULL};
    static gboolean (*const readers[])(AditJsonCursor *, AditSafetensorsEntry *) = {
        read_dtype, read_shape, read_offsets};
    gboolean seen[3] = {FALSE};

    if (!adit_json_cursor_expect(cursor, '{'))
        return FALSE;
    for (gboolean more = TRUE; more;) {
        g_autofree char *key = NULL;
        gsize at = cursor->at;
        guint which = 0;

        if (!adit_json_cursor_read_text(cursor, "'dtype', 'shape' or 'data_offsets'", &key))
            return FALSE;
        while (keys[which] != NULL && !g_str_equal(keys[which], key))
            which++;
        if (keys[which] == NULL)
            return adit_json_cursor_fail(cursor, at, "tensor '%s': unknown key '%s'", entry->name,
                                         key);
        if (seen[which])
            return adit_json_cursor_fail(cursor, at, "tensor '%s': key '%s' is there twice",
                                         entry->name, key);
        seen[which] = TRUE;
        if (!adit_json_cursor_expect(cursor, ':') || !readers[which](cursor, entry) ||
            !adit_json_cursor_expect_more(cursor, '}', &more))
            return FALSE;
    }
    for (guint i = 0; i < G_N_ELEMENTS(seen); i++) {
        if (!seen[i])
            return adit_json_cursor_fail(cursor, cursor->at, "tensor '%s' has no '%s'", entry->name,
                                         keys[i]);
    }
    return TRUE;
}

/* {"key": "value", ...} */
static gboolean
read_texts(AditJsonCursor *cursor, AditTensorList *tensors)
{
    gboolean more;

    if (!adit_json_cursor_expect(cursor, '{'))
        return FALSE;
    more = !adit_json_cursor_accept(cursor, '}');
    while (more) {
        g_autofree char *key = NULL;
        g_autofree char *value = NULL;
        gsize at = cursor->at;

        if (!adit_json_cursor_read_text(cursor, "a key of '__metadata__'", &key))
            return FALSE;
        if (adit_tensor_list_get_text(tensors, key) != NULL)
            return adit_json_cursor_fail(cursor, at, "'__metadata__' has '%s' twice", key);
        if (!adit_json_cursor_expect(cursor, ':') ||
            !adit_json_cursor_read_text(cursor, "a text in '__metadata__'", &value) ||
            !adit_json_cursor_expect_more(cursor, '}', &more))
            return FALSE;
        adit_tensor_list_set_text(tensors, key, value);
    }
    return TRUE;
}

static gboolean
read_member(AditJsonCursor *cursor, AditTensorList *tensors, GPtrArray *entries, GHashTable *names)
{
    g_autoptr(AditSafetensorsEntry) entry = g_new0(AditSafetensorsEntry, 1);
    gsize at = cursor->at;

    if (!adit_json_cursor_read_text(cursor, "the name of a tensor", &entry->name))
        return FALSE;
    if (g_hash_table_contains(names, entry->name))
        return adit_json_cursor_fail(cursor, at, "'%s' is there twice", entry->name);
    if (entries->len == MAX_TENSORS)
        return adit_json_cursor_fail(cursor, at, "expected at most %d tensors, got more",
                                     MAX_TENSORS);
    g_hash_table_add(names, g_strdup(entry->name));
    if (!adit_json_cursor_expect(cursor, ':'))
        return FALSE;
    if (g_str_equal(entry->name, "__metadata__"))
        return read_texts(cursor, tensors);
    if (!read_entry(cursor, entry))
        return FALSE;
    g_ptr_array_add(entries, g_steal_pointer(&entry));
    return TRUE;
}

void
adit_safetensors_entry_free(AditSafetensorsEntry *self)
{
    g_free(self->name);
    g_free(self);
}

GPtrArray *
adit_safetensors_header_parse(const char *path, const char *text, gsize length,
                              AditTensorList *tensors, GError **error)
{
    AditJsonCursor cursor = {
        .name = path, .unit = "header byte", .text = text, .length = length, .error = error};
    g_autoptr(GPtrArray) entries =
        g_ptr_array_new_with_free_func((GDestroyNotify) adit_safetensors_entry_free);
    g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    gboolean more;

    /* the format wants '{' as the first byte: no blanks before it */
    if (length == 0 || text[0] != '{') {
        adit_json_cursor_fail_expected(&cursor, "'{'");
        return NULL;
    }
    cursor.at = 1;
    more = !adit_json_cursor_accept(&cursor, '}');
    while (more) {
        if (!read_member(&cursor, tensors, entries, names) ||
            !adit_json_cursor_expect_more(&cursor, '}', &more))
            return NULL;
    }
    adit_json_cursor_skip_blanks(&cursor);
    if (cursor.at < length) {
        adit_json_cursor_fail_expected(&cursor, "spaces");
        return NULL;
    }
    return g_steal_pointer(&entries);
}
