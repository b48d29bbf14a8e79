/* core/report/adit-probe-pictures.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-report-private.h"

G_BEGIN_DECLS

/**
 * adit_probe_pictures_write:
 * @writer: gets the pictures; its results are not looked at
 * @name: of the probe
 * @table: a probe's table: data, split, when, address, block, then what was measured; where it has
 * a column `run`, runs are averaged over
 *
 * Writes what the last measurement found, a picture for each measured column, or for those of the
 * splits of one thing ("train-accuracy", "test-accuracy"); COLUMN-std is the band of COLUMN. Which
 * picture is decided by the table alone:
 *
 * - A second column of addresses makes pairs: a heat map. Other columns of texts, data sets, splits
 *   and paths (the names within addresses: `trunk.2.long.3` is of path `long`) are lines.
 * - Along addresses: curves in forward order, over the number of the block where that tells them
 *   apart, else over their names; of few addresses that are no blocks, bars.
 * - Several rows of an address, told apart by the first number of each: a heat map of addresses and
 *   these ("number" of an eigenvalue); by the first two: a heat map of these for each of some
 *   addresses ("class", "predicted"); by more: nothing.
 * - Measured several times: a heat map of addresses and times besides; of one address, curves over
 *   the times.
 */
gboolean adit_probe_pictures_write(const AditReportWriter *writer, const char *name,
                                   const AditFrame *table, GError **error);

G_END_DECLS
