/* core/adit/adit-tree.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-dataset.h>

G_BEGIN_DECLS

/**
 * AditTree: a folder with all that is in it and below it, or a tar archive of one (packed with gzip
 * or xz, or not). Entries are in the order of their names, byte by byte; hidden ones (".name") are
 * left out. Names begin at the root, with "/" between their parts; those of folders end with "/".
 */
typedef struct _AditTree AditTree;

/* The tree at @path (or, an archive, @path.gz or @path.xz). An archive is read whole and kept in
 * memory until the tree is freed; of a folder nothing but the names. NULL with ADIT_ERROR_NOT_FOUND
 * or ADIT_ERROR_DAMAGED: no archive, an archive with links or names that lead out of it or are
 * there twice, more than a million entries, folders more than 16 deep. The tree must not outlive
 * the loader. */
AditTree *adit_loader_open_tree(AditLoader *loader, const char *path, GError **error);
/* The same for whoever describes what there is: of an archive, too, nothing is kept but the names
 * and what adit_tree_read() is asked for. That goes through the archive once more for each file, up
 * to it, and from one thread alone. */
AditTree *adit_loader_list_tree(AditLoader *loader, const char *path, GError **error);
void adit_tree_free(AditTree *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditTree, adit_tree_free)

guint adit_tree_count_entries(const AditTree *self);
/* "train/", "train/cat/", "train/cat/0001.jpg" */
const char *adit_tree_get_entry(const AditTree *self, guint entry);
/* (transfer full): what messages call an entry, or something else in the tree. */
char *adit_tree_show(const AditTree *self, const char *name);
/* The bytes of a file. From any thread, not twice at once for one entry. */
GBytes *adit_tree_read(AditTree *self, guint entry, GError **error);

/**
 * adit_tree_read_images:
 * @entries: (array length=n): files of @self: JPEG or PNG
 * @shape: (inout): channels x height x width. Channels are 3 (red, green, blue) or 1 (grey: luma as
 *   ITU-R BT.601 weighs it). Height and width are those that all images must have; 0: those of the
 *   first image
 * @scales: images of another size are scaled instead, keeping their proportions, until they cover
 *   @shape, and what stands out is cut off evenly
 *
 * Decodes images on the threads of the loader into rows of bytes, in the order given; what is
 * transparent is not. Errors: ADIT_ERROR_DAMAGED with the name of the first file that is no image,
 * damaged, truncated, of more than 65536 x 65536 or 256 million pixels, or of another size;
 * ADIT_ERROR_MEMORY; ADIT_ERROR_FAILED where this build reads no images.
 *
 * Returns: (nullable): @n rows of @shape, U8 read as 0..1
 */
AditArray *adit_tree_read_images(AditTree *self, const guint *entries, gsize n, AditShape *shape,
                                 gboolean scales, GError **error);

G_END_DECLS
