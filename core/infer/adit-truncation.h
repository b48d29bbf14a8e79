/* core/infer/adit-truncation.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-network.h"

G_BEGIN_DECLS

/* What is kept of it in a run's folder of exits (adit-calibration.h). */
#define ADIT_TRUNCATION_FILE "truncation.csv"

/**
 * AditTruncated: a network whose trunk is cut off behind @address.
 * @cost: multiply-adds of a row over those of the whole network
 * @dropped: what is collected until there is all that the head sees
 * @folded: and the mean of what all later blocks add to it, as one constant
 * @constant: (array): that constant, in the shape of what is collected
 */
typedef struct {
    char *address;
    double cost;
    AditScores dropped;
    AditScores folded;
    double *constant;
} AditTruncated;

/**
 * AditTruncation: GloNet's trade-off: what a network comes to when it is cut off behind each item
 * of its trunk, nothing retrained.
 * @networks: (element-type AditTruncated): by depth
 * @shape: of what is collected
 */
typedef struct {
    GArray *networks;
    AditShape shape;
} AditTruncation;

/**
 * adit_truncation_new:
 * @split: what is evaluated
 * @training: whose rows the means are of
 *
 * Late blocks of a trained GloNet add constants rather than nothing, so that leaving them out can
 * hurt although they carry nothing; folding keeps their mean. Fails with ADIT_ERROR_INVALID where
 * what is collected has not one shape from the first item on (the message is complete),
 * ADIT_ERROR_MEMORY or what @setup's function says.
 */
AditTruncation *adit_truncation_new(AditNetwork *network, const AditSplit *split,
                                    const AditSplit *training, const AditEvaluationSetup *setup,
                                    GError **error);
void adit_truncation_free(AditTruncation *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditTruncation, adit_truncation_free)

G_END_DECLS
