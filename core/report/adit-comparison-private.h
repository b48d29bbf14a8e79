/* core/report/adit-comparison-private.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-comparison.h"
#include "adit-results.h"
#include "adit-run-record.h"

G_BEGIN_DECLS

/**
 * AditComparison:
 * @runs: (element-type AditRunRecord)
 * @keys: (element-type utf8): those in which pipelines differ, the seed left out
 * @labels: (element-type utf8): of the configurations
 * @first: (element-type guint): the first run of each configuration
 * @of_run: the configuration of each run
 * @results: configuration, seed (axes), run, then best and last of every figure; a row for each run
 */
struct _AditComparison {
    GPtrArray *runs;
    GPtrArray *keys;
    GPtrArray *labels;
    GArray *first;
    guint *of_run;
    AditResults *results;
};

G_END_DECLS
