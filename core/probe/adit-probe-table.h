/* core/probe/adit-probe-table.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-probe.h>

G_BEGIN_DECLS

/**
 * AditProbeRow: what a probe measured at one address of one data set.
 * @block: number of the section's item that the address lies in (trunk.7:pre and trunk.7.2: 7); 0:
 * it is a section as a whole
 * @values: one for each of the table's columns
 */
typedef struct {
    char *data;
    char *address;
    guint block;
    double *values;
} AditProbeRow;

/**
 * AditProbeTable: what a probe found.
 * @name: the probe's `name`, else its kind
 * @split: whose samples were looked at
 * @columns: names of the measured columns
 * @rows: (element-type AditProbeRow): data set by data set, addresses in forward order
 */
typedef struct {
    char *name;
    char *split;
    GStrv columns;
    GArray *rows;
} AditProbeTable;

/* @columns: (transfer full) */
AditProbeTable *adit_probe_table_new(const char *name, const char *split, GStrv columns);
void adit_probe_table_free(AditProbeTable *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditProbeTable, adit_probe_table_free)

/* @values: (transfer full) */
void adit_probe_table_add(AditProbeTable *self, const char *data, const char *address,
                          double *values);
/* "NAME.csv" */
char *adit_probe_table_get_file(const AditProbeTable *self);

/**
 * adit_probe_table_write:
 * @folder: where the file goes; made if missing
 * @when: "end", the epoch, or "STAGE.EPOCH" where there are several stages
 *
 * Writes NAME.csv: data,split,when,address,block, then the measured columns. A file that is there
 * already keeps its rows of other @when. Fails with ADIT_ERROR_OUTPUT.
 */
gboolean adit_probe_table_write(const AditProbeTable *self, const char *folder, const char *when,
                                GError **error);

G_END_DECLS
