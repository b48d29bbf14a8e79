/* core/train/adit-check.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-network.h"

G_BEGIN_DECLS

/**
 * AditCheck: what is known of an experiment before anything is started.
 * @shape: what its first data set asks of the network
 * @rows: of that set; 0: not known without reading it
 * @graph: the network for evaluation; with a loss, if the experiment trains
 * @outputs: shape of the logits
 * @blocks: items of the trunk, repeats unrolled
 */
typedef struct {
    AditNetworkShape shape;
    guint64 rows;
    AditGraph *graph;
    AditShape outputs;
    guint64 parameters;
    guint64 multiply_adds;
    guint blocks;
} AditCheck;

void adit_check_clear(AditCheck *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AditCheck, adit_check_clear)

/**
 * adit_check_experiment:
 * @data_folder: (nullable): what `$data` stands for
 * @check: (out caller-allocates): cleared by the caller, also after errors
 * @diagnostics: gets all errors, at their places
 *
 * Looks at everything that can be wrong before the first step: reads the headers of the data,
 * builds the network for evaluation and for every stage's training, and looks up the addresses of
 * probes, regularizers, `freeze`, `rates` and `load` in it. Starts nothing. The weights at `from`
 * are not looked at: adit_weights_check_from() does.
 *
 * Returns: whether there were no errors
 */
gboolean adit_check_experiment(const AditExperiment *experiment, const char *data_folder,
                               AditCheck *check, AditDiagnostics *diagnostics);

/* Adds @failure, which opening or describing @dataset gave, at the place that names the file. */
void adit_check_report_data(const AditExperiment *experiment, AditDataset *dataset,
                            const char *data_folder, const GError *failure,
                            AditDiagnostics *diagnostics);

G_END_DECLS
