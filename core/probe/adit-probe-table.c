/* core/probe/adit-probe-table.c - SPDX-License-Identifier: MIT */
#include "adit-probe-table.h"

#include "adit-file.h"

#include <stdlib.h>
#include <string.h>

static void
clear_row(gpointer data)
{
    AditProbeRow *self = data;

    g_free(self->data);
    g_free(self->address);
    g_free(self->against);
    g_free(self->layer);
    g_free(self->values);
    g_free(self->note);
}

AditProbeTable *
adit_probe_table_new(const char *name, const char *split, GStrv columns)
{
    AditProbeTable *self = g_new0(AditProbeTable, 1);

    self->name = g_strdup(name);
    self->split = g_strdup(split);
    self->columns = columns;
    self->rows = g_array_new(FALSE, FALSE, sizeof(AditProbeRow));
    g_array_set_clear_func(self->rows, clear_row);
    self->details = g_ptr_array_new_with_free_func((GDestroyNotify) adit_probe_table_free);
    return self;
}

void
adit_probe_table_free(AditProbeTable *self)
{
    g_free(self->name);
    g_free(self->split);
    g_strfreev(self->columns);
    g_array_unref(self->rows);
    g_ptr_array_unref(self->details);
    g_clear_pointer(&self->sentences, g_ptr_array_unref);
    g_free(self);
}

/* The first number among the segments of an address. */
static guint
find_block(const char *address)
{
    const char *dot = address;

    while ((dot = strchr(dot, '.')) != NULL) {
        if (g_ascii_isdigit(*++dot))
            return (guint) strtoul(dot, NULL, 10);
    }
    return 0;
}

void
adit_probe_table_add(AditProbeTable *self, const AditProbeRow *row)
{
    AditProbeRow own = {.data = g_strdup(row->data),
                        .address = g_strdup(row->address),
                        .block = find_block(row->address),
                        .against = g_strdup(row->against),
                        .layer = g_strdup(row->layer),
                        .values = row->values,
                        .note = g_strdup(row->note)};

    g_array_append_val(self->rows, own);
}

char *
adit_probe_table_get_file(const AditProbeTable *self)
{
    return g_strdelimit(g_strconcat(self->name, ".csv", NULL), ":/", '-');
}

char *
adit_probe_table_get_sentences_file(const AditProbeTable *self)
{
    return g_strdelimit(g_strconcat(self->name, ".txt", NULL), ":/", '-');
}

GStrv
adit_probe_read_sentences(const char *folder, const char *name)
{
    g_autofree char *file = g_strdelimit(g_strconcat(name, ".txt", NULL), ":/", '-');
    g_autofree char *path = g_build_filename(folder, file, NULL);
    g_autofree char *text = NULL;
    gsize length = 0;

    if (!adit_file_read(path, 1 << 20, &text, &length, NULL) || length == 0)
        return g_new0(char *, 1);
    return g_strsplit(g_strchomp(text), "\n", -1);
}

static gboolean
write_sentences(const AditProbeTable *self, const char *folder, GError **error)
{
    g_autofree char *file = adit_probe_table_get_sentences_file(self);
    g_autofree char *path = g_build_filename(folder, file, NULL);
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; i < self->sentences->len; i++)
        g_string_append_printf(text, "%s\n", (const char *) self->sentences->pdata[i]);
    return adit_file_write(path, text->str, text->len, error);
}

static void
append_row(GString *text, const AditProbeTable *table, const AditProbeRow *row, const char *when)
{
    g_string_append_printf(text, "%s,%s,%s,%s,", row->data, table->split, when, row->address);
    if (row->block > 0)
        g_string_append_printf(text, "%u", row->block);
    if (table->is_paired)
        g_string_append_printf(text, ",%s", row->against);
    if (table->has_layers)
        g_string_append_printf(text, ",%s", row->layer != NULL ? row->layer : "");
    for (guint i = 0; table->columns[i] != NULL; i++) {
        char number[G_ASCII_DTOSTR_BUF_SIZE];

        g_ascii_formatd(number, sizeof number, "%.9g", row->values[i]);
        g_string_append_printf(text, ",%s", number);
    }
    if (table->has_notes)
        g_string_append_printf(text, ",%s", row->note != NULL ? row->note : "");
    g_string_append_c(text, '\n');
}

/* The rows of a former file that were measured at other times. */
static void
append_others(GString *text, const char *path, const char *when)
{
    g_autofree char *former = NULL;

    if (!g_file_get_contents(path, &former, NULL, NULL))
        return;
    g_auto(GStrv) lines = g_strsplit(former, "\n", -1);

    for (guint i = 1; lines[0] != NULL && lines[i] != NULL; i++) {
        g_auto(GStrv) fields = g_strsplit(lines[i], ",", 4);

        if (g_strv_length(fields) == 4 && !g_str_equal(fields[2], when))
            g_string_append_printf(text, "%s\n", lines[i]);
    }
}

/* A table of details that has no rows is not made, but one of before loses its own. */
static gboolean
has_file(const AditProbeTable *self, const char *folder)
{
    g_autofree char *file = adit_probe_table_get_file(self);
    g_autofree char *path = g_build_filename(folder, file, NULL);

    return self->rows->len > 0 || g_file_test(path, G_FILE_TEST_EXISTS);
}

gboolean
adit_probe_table_write(const AditProbeTable *self, const char *folder, const char *when,
                       GError **error)
{
    g_autofree char *file = adit_probe_table_get_file(self);
    g_autofree char *path = g_build_filename(folder, file, NULL);
    g_autofree char *columns = g_strjoinv(",", self->columns);
    g_autoptr(GString) text = g_string_new(NULL);

    g_string_printf(text, "data,split,when,address,block,%s%s%s%s\n",
                    self->is_paired ? "against," : "", self->has_layers ? "layer," : "", columns,
                    self->has_notes ? ",note" : "");
    append_others(text, path, when);
    for (guint i = 0; i < self->rows->len; i++)
        append_row(text, self, &g_array_index(self->rows, AditProbeRow, i), when);
    if (!adit_folder_create(folder, error) || !adit_file_write(path, text->str, text->len, error))
        return FALSE;
    for (guint i = 0; i < self->details->len; i++) {
        const AditProbeTable *detail = self->details->pdata[i];

        if (has_file(detail, folder) && !adit_probe_table_write(detail, folder, when, error))
            return FALSE;
    }
    return self->sentences == NULL || write_sentences(self, folder, error);
}
