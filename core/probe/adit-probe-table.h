/* core/probe/adit-probe-table.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-probe.h>

G_BEGIN_DECLS

/**
 * AditProbeRow: what a probe measured at one address, or two, of one data set.
 * @block: number of the section's item that the address lies in (trunk.7:pre and trunk.7.2: 7); 0:
 * it is a section as a whole
 * @against: (nullable): the other address of a pair
 * @layer: (nullable): what the layer sees of an image: "border"
 * @values: one for each of the table's columns
 * @note: (nullable): why some are not there
 */
typedef struct {
    char *data;
    char *address;
    guint block;
    char *against;
    char *layer;
    double *values;
    char *note;
} AditProbeRow;

/**
 * AditProbeTable: what a probe found.
 * @name: the probe's `name`, else its kind; of its details NAME-DETAIL
 * @split: whose samples were looked at
 * @is_paired: its rows are of two addresses
 * @has_layers: there is a column of what layers see
 * @has_notes: there is a column of notes
 * @columns: names of the measured columns
 * @rows: (element-type AditProbeRow): data set by data set, addresses in forward order
 * @details: (element-type AditProbeTable): further tables of the probe
 * @sentences: (nullable) (element-type utf8): what is told of it; NULL: nothing ever is
 */
typedef struct {
    char *name;
    char *split;
    gboolean is_paired;
    gboolean has_layers;
    gboolean has_notes;
    GStrv columns;
    GArray *rows;
    GPtrArray *details;
    GPtrArray *sentences;
} AditProbeTable;

/* @columns: (transfer full) */
AditProbeTable *adit_probe_table_new(const char *name, const char *split, GStrv columns);
void adit_probe_table_free(AditProbeTable *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditProbeTable, adit_probe_table_free)

/* Copies the row but for the values, which are taken; the block follows from the address. */
void adit_probe_table_add(AditProbeTable *self, const AditProbeRow *row);
/* "NAME.csv" */
char *adit_probe_table_get_file(const AditProbeTable *self);
/* "NAME.txt", of its sentences */
char *adit_probe_table_get_sentences_file(const AditProbeTable *self);
/* (transfer full): the lines of NAME.txt in @folder: what was told when NAME.csv was last written;
 * none if there is no such file */
GStrv adit_probe_read_sentences(const char *folder, const char *name);

/**
 * adit_probe_table_write:
 * @folder: where the file goes; made if missing
 * @when: "end", the epoch, or "STAGE.EPOCH" where there are several stages
 *
 * Writes NAME.csv: data,split,when,address,block, of pairs against, layer, then the measured
 * columns, and note if there are notes; a file for each of its details that has rows; and the
 * sentences as NAME.txt. A file that is there already keeps its rows of other @when. Fails with
 * ADIT_ERROR_OUTPUT.
 */
gboolean adit_probe_table_write(const AditProbeTable *self, const char *folder, const char *when,
                                GError **error);

G_END_DECLS
