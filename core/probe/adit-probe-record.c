/* core/probe/adit-probe-record.c - SPDX-License-Identifier: MIT */
#include "adit-probe-record.h"

#include "adit-file.h"
#include "adit-json.h"

#define TABLES  "tables"
#define MOMENTS "moments"

static void
add_text(GChecksum *checksum, const char *text)
{
    /* with its end, so that neighbours cannot trade letters */
    g_checksum_update(checksum, (const guchar *) text, (gssize) strlen(text) + 1);
}

static void
add_weights(GChecksum *checksum, AditNetwork *network)
{
    g_autoptr(AditTensorList) tensors = adit_network_save(network);

    for (guint i = 0; i < adit_tensor_list_get_length(tensors); i++) {
        const AditStoredTensor *tensor = adit_tensor_list_get(tensors, i);
        g_autofree char *shape = adit_shape_to_string(&tensor->shape);

        add_text(checksum, tensor->name);
        add_text(checksum, shape);
        g_checksum_update(checksum, tensor->data, (gssize) tensor->length);
    }
}

static const char *
get_query(AditProbe *probe, const AditExperiment *experiment)
{
    guint index = 0;

    return g_ptr_array_find(experiment->probes, probe, &index) ? experiment->queries->pdata[index]
                                                               : "";
}

char *
adit_probe_fingerprint(AditProbe *probe, AditNetwork *network, const GPtrArray *data,
                       GError **error)
{
    const AditExperiment *experiment = adit_network_get_experiment(network);
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);

    add_text(checksum, ADIT_VERSION);
    add_text(checksum, experiment->subject);
    add_text(checksum, get_query(probe, experiment));
    for (guint i = 0; i < data->len; i++)
        add_text(checksum, ((const AditData *) data->pdata[i])->fingerprint);
    add_weights(checksum, network);
    if (!adit_device_wait(adit_network_get_device(network), error))
        return NULL;
    return g_strdup(g_checksum_get_string(checksum));
}

static char *
get_path(const AditProbeTable *table, const char *folder)
{
    g_autofree char *file = adit_probe_table_get_file(table);
    g_autofree char *name =
        g_strdup_printf(".%.*s.json", (int) (strlen(file) - strlen(".csv")), file);

    return g_build_filename(folder, name, NULL);
}

/* @file: (transfer full): one that is not there counts as such */
static void
add_file(GChecksum *checksum, const char *folder, char *file)
{
    g_autofree char *own = file;
    g_autofree char *path = g_build_filename(folder, own, NULL);
    g_autofree char *digest = adit_file_hash(path, NULL);

    add_text(checksum, digest != NULL ? digest : "");
}

/* Adds the digests of the table's file, of its sentences and of its details. */
static void
add_files(GChecksum *checksum, const AditProbeTable *table, const char *folder)
{
    add_file(checksum, folder, adit_probe_table_get_file(table));
    if (table->sentences != NULL)
        add_file(checksum, folder, adit_probe_table_get_sentences_file(table));
    for (guint i = 0; i < table->details->len; i++)
        add_files(checksum, table->details->pdata[i], folder);
}

static char *
hash_tables(const AditProbeTable *table, const char *folder)
{
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);

    add_files(checksum, table, folder);
    return g_strdup(g_checksum_get_string(checksum));
}

/* (transfer full) (nullable): the moments whose rows are in the tables, as nobody touched them */
static JsonObject *
read_moments(const AditProbeTable *table, const char *folder)
{
    g_autofree char *path = get_path(table, folder);
    g_autofree char *tables = hash_tables(table, folder);
    g_autoptr(JsonObject) record = adit_json_read(path, NULL);
    JsonObject *moments = record != NULL ? adit_json_get_object(record, MOMENTS) : NULL;

    if (moments == NULL || g_strcmp0(adit_json_get_text(record, TABLES), tables) != 0)
        return NULL;
    return json_object_ref(moments);
}

gboolean
adit_probe_record_has(const AditProbeTable *table, const char *folder, const char *when,
                      const char *fingerprint)
{
    g_autoptr(JsonObject) moments = read_moments(table, folder);

    return moments != NULL && g_strcmp0(adit_json_get_text(moments, when), fingerprint) == 0;
}

gboolean
adit_probe_record_write(const AditProbeTable *table, const char *folder, const char *when,
                        const char *fingerprint, GError **error)
{
    g_autofree char *path = get_path(table, folder);
    g_autoptr(JsonObject) record = json_object_new();
    /* before the files change */
    JsonObject *moments = read_moments(table, folder);

    if (moments == NULL)
        moments = json_object_new();
    json_object_set_string_member(moments, when, fingerprint);
    json_object_set_object_member(record, MOMENTS, moments);
    if (!adit_probe_table_write(table, folder, when, error))
        return FALSE;
    g_autofree char *tables = hash_tables(table, folder);

    json_object_set_string_member(record, TABLES, tables);
    return adit_json_write(path, record, error);
}
