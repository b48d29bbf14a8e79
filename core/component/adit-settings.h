/* core/component/adit-settings.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-dataset.h>
#include <adit/adit-policy.h>
#include <adit/adit-probe.h>
#include <adit/adit-regularizer.h>

G_BEGIN_DECLS

/* The parameters that a kind gives to all its components: declared by the kind's base class, kept
 * in its private data, read here. Borrowed from the component. */

typedef enum {
    ADIT_STANDARDIZE_NONE,
    ADIT_STANDARDIZE_FEATURES,
    ADIT_STANDARDIZE_CHANNELS
} AditStandardize;
typedef enum { ADIT_RESIDENT_AUTO, ADIT_RESIDENT_YES, ADIT_RESIDENT_NO } AditResident;

/**
 * AditDatasetSettings: LANGUAGE 2.3, "every dataset".
 * @name: NULL: the component's name
 * @test: what is held out; a negative value: the plugin's default
 * @standardize: an AditStandardize
 * @resident: an AditResident
 * @augment, @eval_augment, @transform: (nullable): blocks
 */
typedef struct {
    char *name;
    AditAmount test;
    AditAmount validation;
    gint64 split_seed;
    int standardize;
    int resident;
    AditBlock *augment;
    AditBlock *eval_augment;
    AditBlock *transform;
} AditDatasetSettings;

const AditDatasetSettings *adit_dataset_get_settings(AditDataset *self);

/**
 * AditProbeSettings: LANGUAGE 2.3, "every probe".
 * @at: NULL: the class's default
 * @data: NULL: all sets
 * @split: "test", "train", "validation"
 * @when: "start", "end" and epochs as texts; NULL: at the end
 * @every: value 0: never
 * @pool: maps larger than so many x so many are averaged to that; 0: none are
 * @memory: in bytes
 */
typedef struct {
    char *name;
    GStrv at;
    char *split;
    GStrv data;
    AditAmount samples;
    GStrv when;
    AditAmount every;
    gint64 pool;
    AditAmount memory;
} AditProbeSettings;

const AditProbeSettings *adit_probe_get_settings(AditProbe *self);
/* Of its table: its `name`, else its kind. */
const char *adit_probe_get_name(AditProbe *self);

/* @thresholds: (array length=n_exits): of each exit. ADIT_ERROR_INVALID when the user gave another
 * number of them, or something else does not fit so many exits. */
gboolean adit_policy_get_thresholds(AditPolicy *self, double *thresholds, guint n_exits,
                                    GError **error);

/* Whether they were given or fitted, and are not just the class's default. */
gboolean adit_policy_has_thresholds(AditPolicy *self);
/* Takes thresholds that were fitted, one for each exit, in place of what the user gave. */
void adit_policy_set_thresholds(AditPolicy *self, const double *thresholds, guint n_exits);

/* The addresses a regularizer looks at; NULL: the class's default. */
const char *const *adit_regularizer_get_at(AditRegularizer *self);
/* Under which name number @index of @regularizers (element-type AditRegularizer) tells of itself:
 * its own, "jumpstart", and of further ones of a list "jumpstart-2"; NULL: it tells nothing. */
char *adit_regularizers_name_figure(const GPtrArray *regularizers, guint index);

G_END_DECLS
