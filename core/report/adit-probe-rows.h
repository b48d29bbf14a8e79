/* core/report/adit-probe-rows.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-results.h"

G_BEGIN_DECLS

/**
 * AditProbeRows: rows of a probe's table as points of results, and how they lie.
 * @results: columns line, address, against, when, run (axes), then the numbers of the table. Where
 * a block's number is enough, `block` stands in the place of `address`
 * @numbers: (element-type utf8): names of the columns of numbers, borrowed from the table
 * @x: (element-type double): of each row: its place in forward order, or of one address its time
 * @borders: (element-type double): where border layers lie along x
 * @x_label: what x is: "block", "address", "when"
 * @ticks: (nullable) (element-type utf8): names of x = 1, 2, ...
 * @has_lines: rows differ in data, split, path or a text; `line` says in what
 * @is_paired: rows are of two addresses, several of each
 * @n_keys: an address has several rows, told apart by so many of the first columns of @numbers,
 * which are axes as well: 1: "number" of an eigenvalue; 2: "class" and "predicted"
 * @is_repeated: nothing tells them apart
 */
typedef struct {
    AditResults *results;
    GPtrArray *numbers;
    GArray *x;
    GArray *borders;
    const char *x_label;
    GPtrArray *ticks;
    guint n_addresses;
    guint n_times;
    gboolean has_lines;
    gboolean is_paired;
    guint n_keys;
    gboolean is_repeated;
} AditProbeRows;

typedef enum {
    ADIT_PROBE_LAST,   /* of the last measurement */
    ADIT_PROBE_SAMPLE, /* of these, of many addresses a few: the first, the last, some between */
    ADIT_PROBE_ALL,    /* of all measurements */
} AditProbeScope;

AditProbeRows *adit_probe_rows_new(const AditFrame *table, AditProbeScope scope);
void adit_probe_rows_free(AditProbeRows *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditProbeRows, adit_probe_rows_free)

/* (transfer full): the names within @address: of "trunk.2.long.3:pre" "long"; "" of none */
char *adit_probe_get_path(const char *address);

G_END_DECLS
