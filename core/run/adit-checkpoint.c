/* core/run/adit-checkpoint.c - SPDX-License-Identifier: MIT */
#include "adit-checkpoint.h"

#include "adit-checkpoints.h"
#include "adit-file.h"
#include "adit-manifest.h"
#include "adit-safetensors.h"

#include <errno.h>
#include <glib/gstdio.h>

#define MODEL_NAME     "model.safetensors"
#define OPTIMIZER_NAME "optimizer.safetensors"
#define STATE_NAME     "state.json"
#define MAX_STATE      ((gsize) 16 << 20)

static char *
get_folder(const char *run_folder)
{
    return g_build_filename(run_folder, "checkpoints", NULL);
}

static gboolean
write_tensors(const char *folder, const char *name, const AditTensorList *tensors,
              AditManifest *manifest, GError **error)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autoptr(AditOutput) output = adit_output_new(path, error);

    if (output == NULL || !adit_safetensors_write(tensors, output, error) ||
        !adit_output_finish(output, error))
        return FALSE;
    adit_manifest_add(manifest, name, adit_output_get_size(output), adit_output_get_sha256(output));
    return TRUE;
}

/* @manifest: (nullable): gets the file */
static gboolean
write_text(const char *folder, const char *name, const char *text, AditManifest *manifest,
           GError **error)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autoptr(AditOutput) output = adit_output_new(path, error);

    if (output == NULL || !adit_output_write(output, text, strlen(text), error) ||
        !adit_output_finish(output, error))
        return FALSE;
    if (manifest != NULL)
        adit_manifest_add(manifest, name, adit_output_get_size(output),
                          adit_output_get_sha256(output));
    return TRUE;
}

/* Fills the empty @folder; the manifest comes last, so a folder that has one is whole. */
static gboolean
write_files(const char *folder, const AditCheckpoint *checkpoint, GError **error)
{
    g_autoptr(AditManifest) manifest = adit_manifest_new();
    g_autofree char *state = adit_json_to_text(checkpoint->state);
    g_autofree char *text = NULL;

    manifest->step = checkpoint->step;
    manifest->score = checkpoint->score;
    manifest->finite = adit_tensor_list_is_finite(checkpoint->model, NULL);
    if (!write_tensors(folder, MODEL_NAME, checkpoint->model, manifest, error))
        return FALSE;
    if (checkpoint->optimizer != NULL &&
        !write_tensors(folder, OPTIMIZER_NAME, checkpoint->optimizer, manifest, error))
        return FALSE;
    if (!write_text(folder, STATE_NAME, state, manifest, error))
        return FALSE;
    text = adit_manifest_to_text(manifest);
    return write_text(folder, ADIT_MANIFEST_NAME, text, NULL, error) &&
           adit_folder_sync(folder, error);
}

/* Writes and renames; leaves nothing behind when it fails. */
static gboolean
write_folder(const char *path, const AditCheckpoint *checkpoint, GError **error)
{
    g_autofree char *temporary = adit_file_make_temporary_path(path);

    if (g_mkdir(temporary, 0777) < 0) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_OUTPUT, "cannot create %s: %s", path,
                    g_strerror(errno));
        return FALSE;
    }
    if (write_files(temporary, checkpoint, error) && adit_folder_replace(temporary, path, error))
        return TRUE;
    if (!adit_folder_remove(temporary, NULL))
        g_debug("%s is left behind until the next start", temporary);
    return FALSE;
}

gboolean
adit_checkpoint_write(const char *run_folder, const AditCheckpoint *checkpoint,
                      const AditRetention *retention, GError **error)
{
    g_autofree char *folder = get_folder(run_folder);
    g_autofree char *path = adit_checkpoints_get_path(folder, checkpoint->step);
    g_autoptr(GPtrArray) whole = NULL;

    if (!adit_folder_create(folder, error) || !write_folder(path, checkpoint, error))
        return FALSE;
    whole = adit_checkpoints_list_whole(folder, checkpoint->step);
    return adit_checkpoints_set_links(folder, whole, retention->best > 0, error) &&
           adit_checkpoints_retain(folder, whole, retention, error);
}

static AditTensorList *
read_tensors(const char *folder, const AditManifestFile *file, GError **error)
{
    g_autofree char *path = g_build_filename(folder, file->name, NULL);
    g_autofree char *sha256 = NULL;
    g_autoptr(AditTensorList) tensors = adit_safetensors_read(path, &sha256, error);

    if (tensors == NULL || !adit_manifest_check_hash(file, path, sha256, error))
        return NULL;
    return g_steal_pointer(&tensors);
}

static JsonObject *
read_state(const char *folder, const AditManifestFile *file, GError **error)
{
    g_autofree char *path = g_build_filename(folder, file->name, NULL);
    g_autofree char *sha256 = NULL;
    g_autofree char *text = NULL;
    gsize length;

    if (!adit_file_read(path, MAX_STATE, &text, &length, error))
        return NULL;
    sha256 = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *) text, length);
    if (!adit_manifest_check_hash(file, path, sha256, error))
        return NULL;
    return adit_json_parse(path, text, length, error);
}

/* The manifest of a checkpoint whose files are all there with their sizes. */
static AditManifest *
read_manifest(const char *path, GError **error)
{
    g_autoptr(AditManifest) manifest = adit_manifest_read(path, error);

    if (manifest == NULL || !adit_manifest_check_sizes(manifest, path, error))
        return NULL;
    if (adit_manifest_find(manifest, MODEL_NAME) == NULL ||
        adit_manifest_find(manifest, STATE_NAME) == NULL) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED,
                    "%s/" ADIT_MANIFEST_NAME ": expected " MODEL_NAME " and " STATE_NAME
                    " among the files",
                    path);
        return NULL;
    }
    return g_steal_pointer(&manifest);
}

void
adit_checkpoint_clear(AditCheckpoint *self)
{
    g_clear_pointer(&self->model, adit_tensor_list_unref);
    g_clear_pointer(&self->optimizer, adit_tensor_list_unref);
    g_clear_pointer(&self->state, json_object_unref);
}

gboolean
adit_checkpoint_read(const char *path, AditCheckpoint *checkpoint, GError **error)
{
    g_auto(AditCheckpoint) read = {0};
    g_autoptr(AditManifest) manifest = read_manifest(path, error);
    const AditManifestFile *optimizer;

    *checkpoint = (AditCheckpoint){0};
    if (manifest == NULL)
        return FALSE;
    read.step = manifest->step;
    read.score = manifest->score;
    read.model = read_tensors(path, adit_manifest_find(manifest, MODEL_NAME), error);
    if (read.model == NULL)
        return FALSE;
    optimizer = adit_manifest_find(manifest, OPTIMIZER_NAME);
    if (optimizer != NULL && (read.optimizer = read_tensors(path, optimizer, error)) == NULL)
        return FALSE;
    read.state = read_state(path, adit_manifest_find(manifest, STATE_NAME), error);
    if (read.state == NULL)
        return FALSE;
    *checkpoint = read;
    read = (AditCheckpoint){0};
    return TRUE;
}

gboolean
adit_checkpoint_verify(const char *path, GError **error)
{
    g_autoptr(AditManifest) manifest = read_manifest(path, error);

    for (guint i = 0; manifest != NULL && i < manifest->files->len; i++) {
        const AditManifestFile *file = g_ptr_array_index(manifest->files, i);
        g_autofree char *file_path = g_build_filename(path, file->name, NULL);
        g_autofree char *sha256 = adit_file_hash(file_path, error);

        if (sha256 == NULL || !adit_manifest_check_hash(file, file_path, sha256, error))
            return FALSE;
    }
    return manifest != NULL;
}

char *
adit_checkpoint_find(const char *run_folder, GStrv *reasons)
{
    g_autofree char *folder = get_folder(run_folder);
    g_autoptr(GArray) steps = adit_checkpoints_list(folder);
    g_autoptr(GStrvBuilder) passed_over = g_strv_builder_new();
    char *found = NULL;

    for (guint i = 0; i < steps->len && found == NULL; i++) {
        g_autofree char *path = adit_checkpoints_get_path(folder, g_array_index(steps, guint64, i));
        g_autoptr(GError) reason = NULL;

        if (adit_checkpoint_verify(path, &reason))
            found = g_steal_pointer(&path);
        else
            g_strv_builder_add(passed_over, reason->message);
    }
    if (reasons != NULL)
        *reasons = g_strv_builder_end(passed_over);
    return found;
}

gboolean
adit_checkpoint_clean(const char *run_folder, GError **error)
{
    g_autofree char *folder = get_folder(run_folder);

    return adit_folder_restore(folder, error);
}

gboolean
adit_checkpoint_discard_after(const char *run_folder, guint64 step, GError **error)
{
    g_autofree char *folder = get_folder(run_folder);
    g_autofree char *best = g_build_filename(folder, "best", NULL);
    gboolean has_best = g_file_test(best, G_FILE_TEST_IS_SYMLINK);
    g_autoptr(GArray) steps = adit_checkpoints_list(folder);
    g_autoptr(GPtrArray) whole = NULL;

    for (guint i = 0; i < steps->len; i++) {
        guint64 candidate = g_array_index(steps, guint64, i);
        g_autofree char *path = adit_checkpoints_get_path(folder, candidate);

        if (candidate > step && !adit_folder_retire(path, error))
            return FALSE;
    }
    whole = adit_checkpoints_list_whole(folder, step);
    return adit_checkpoints_set_links(folder, whole, has_best, error);
}
