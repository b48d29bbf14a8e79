/* core/data/adit-loader.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-tree.h>

#include "adit-digest.h"

G_BEGIN_DECLS

/* @data_folder: (nullable): what `$data` stands for; @seed: of what generators draw */
AditLoader *adit_loader_new(const char *data_folder, guint64 seed);
void adit_loader_free(AditLoader *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditLoader, adit_loader_free)

/* Threads that reading is shared out among: 0, the default: one a processor. */
void adit_loader_set_threads(AditLoader *self, guint threads);
guint adit_loader_count_threads(AditLoader *self);

/* (transfer full): @path as messages show it: `$data/...` under the data folder. */
char *adit_loader_show_path(AditLoader *self, const char *path);

/* (transfer full): @message, and what `$data` stands for if it speaks of that. @data_folder:
 * (nullable) */
char *adit_loader_explain(const char *message, const char *data_folder);

/* (transfer full) (nullable): where the digest of what is read of folder @path goes; NULL if it has
 * been opened before. */
AditDigest *adit_loader_add_folder(AditLoader *self, const char *path);

/* (transfer full): one text for each file opened, as sha256sum prints it (the digest of its bytes
 * on disk, two blanks, its name in messages), in the order of opening; empty when none was. NULL
 * with ADIT_ERROR_NOT_FOUND when a file cannot be read any more. */
GStrv adit_loader_list_files(AditLoader *self, GError **error);

/* Whoever opened the tree. */
AditLoader *adit_tree_get_loader(const AditTree *tree);

/* For streams: an error of GIO becomes ADIT_ERROR_NOT_FOUND with the file's name; ours stay. */
void adit_loader_propagate(AditLoader *self, GInputStream *stream, GError *failure, GError **error);

G_END_DECLS
