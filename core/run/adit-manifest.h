/* core/run/adit-manifest.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-error.h>

G_BEGIN_DECLS

#define ADIT_MANIFEST_NAME "MANIFEST.json"

typedef struct {
    char *name;
    guint64 size;
    char *sha256;
} AditManifestFile;

/**
 * AditManifest: the list of a checkpoint's files, written after all of them.
 */
typedef struct {
    guint64 step;
    double score;
    gboolean finite;
    GPtrArray *files; /* AditManifestFile */
} AditManifest;

AditManifest *adit_manifest_new(void);
void adit_manifest_free(AditManifest *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditManifest, adit_manifest_free)

void adit_manifest_add(AditManifest *self, const char *name, guint64 size, const char *sha256);
/* Returns: (nullable): the file called @name */
const AditManifestFile *adit_manifest_find(const AditManifest *self, const char *name);

/* The manifest as the text of MANIFEST.json. */
char *adit_manifest_to_text(const AditManifest *self);
/* Reads FOLDER/MANIFEST.json; names in it must be plain file names. ADIT_ERROR_NOT_FOUND or
 * ADIT_ERROR_DAMAGED. */
AditManifest *adit_manifest_read(const char *folder, GError **error);
/* Whether every file is there with its size. */
gboolean adit_manifest_check_sizes(const AditManifest *self, const char *folder, GError **error);
/* Whether what was read is what the manifest says; @path for the message. */
gboolean adit_manifest_check_hash(const AditManifestFile *file, const char *path,
                                  const char *sha256, GError **error);

G_END_DECLS
