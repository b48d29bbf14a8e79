/* core/pipeline/adit-experiment.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-dataset.h>
#include <adit/adit-loss.h>
#include <adit/adit-optimizer.h>
#include <adit/adit-policy.h>
#include <adit/adit-probe.h>
#include <adit/adit-regularizer.h>
#include <adit/adit-strategy.h>

#include "adit-diagnostics.h"
#include "adit-model.h"

G_BEGIN_DECLS

/**
 * AditRate: a factor on the learning rate of what lies under @at.
 */
typedef struct {
    GStrv at;
    double factor;
    AditPlace place;
} AditRate;

/**
 * AditStage: one element of `train` (LANGUAGE 2.3), keys of earlier stages carried over.
 */
typedef struct {
    char *name;
    AditLoss *loss;
    AditOptimizer *optimizer;
    AditStrategy *strategy;
    AditAmount batch;
    guint64 epochs;
    GPtrArray *regularizers; /* AditRegularizer */
    GStrv freeze;
    AditPlace freeze_place;
    GArray *rates; /* AditRate */
    gboolean shuffle;
    double clip;         /* 0: none */
    gboolean recompute;  /* what is in blocks is computed again on the way back */
    guint64 micro_batch; /* 0: the batch */
    char *best;          /* "validation.loss"; NULL: the default rule */
    AditAmount patience; /* value 0: none */
    AditAmount checkpoint_every;
    guint keep_last;
    guint keep_best;
    char *data;      /* name of the data set; NULL: the first */
    double max_time; /* seconds; 0: none */
    AditPlace place; /* of the stage; of keys, where errors after parsing point */
    AditPlace batch_place;
    AditPlace best_place;
} AditStage;

typedef enum {
    ADIT_GOAL_NONE,
    ADIT_GOAL_ACCURACY_DROP, /* of all rows, against the last answer */
    ADIT_GOAL_BUDGET,        /* mean cost over that of the network without exits */
    ADIT_GOAL_LATENCY,       /* mean seconds of a row by itself */
} AditGoalKind;

/**
 * AditGoal: what a policy's thresholds are fitted to (LANGUAGE 2.3, `calibrate`).
 * @each: a threshold for each exit; else one for all
 * @place: of the key `calibrate`; of the command line: no source
 */
typedef struct {
    AditGoalKind kind;
    double value;
    gboolean each;
    AditPlace place;
} AditGoal;

/**
 * AditExperiment: a pipeline, bound: every name looked up, every parameter checked. What it holds
 * are components and numbers; nothing has been opened or built.
 *
 * With `model.from` the sections and exits that the file does not write are those of the run it
 * names, and stand in @load before what `model.load` says; their place is that of `from`. @resolved
 * has them in full, with `load` for their weights.
 */
typedef struct {
    char *path;
    char *title;
    guint64 seed;
    GPtrArray *datasets; /* AditDataset; the first is trained on */
    AditModel model;
    char *from;        /* model.from, absolute; NULL: none */
    GStrv load;        /* what takes its weights from there; never NULL */
    AditLoss *loss;    /* of the run at @from, if the file has no `train` */
    GPtrArray *stages; /* AditStage */
    guint64 inference_batch;
    GPtrArray *probes;  /* AditProbe */
    char *text;         /* the file as written */
    char *resolved;     /* config.resolved.yaml */
    char *structure;    /* the same without seed and live values: equal ones share their graphs */
    char *subject;      /* the same without title, inference and probes: what probes look at */
    GPtrArray *queries; /* char *: each of @probes, in full but for when, and in how much memory */
    GStrv overrides;    /* as given */
    GPtrArray *sources; /* AditSource: what places point into */
    AditPolicy *policy; /* inference.policy; NULL: never */
    char *policy_text;  /* as it would be written without its `threshold`; NULL: never */
    AditGoal goal;      /* inference.calibrate */
    char *fallback;     /* "last" or "most-confident" */
    GHashTable *places; /* read by adit_experiment_find_place() */
    GArray *paths;      /* AditPlace: of values that are paths */
} AditExperiment;

/**
 * adit_experiment_read:
 * @path: the pipeline file
 * @arguments: (array zero-terminated=1): overrides: `name=value`, and `path=value` after
 * "-o"; "" stands for any other word of the command line, so that each keeps its number
 * @first_argument: number of @arguments[0] on the command line, counted from the program's name (0)
 * @data_folder: (nullable): what `$data` stands for
 * @diagnostics: gets all errors of the file in one pass
 *
 * Returns: (nullable): the experiment, or NULL if there were errors
 */
AditExperiment *adit_experiment_read(const char *path, const char *const *arguments,
                                     guint first_argument, const char *data_folder,
                                     AditDiagnostics *diagnostics);
void adit_experiment_free(AditExperiment *self);
/* The same with values that are read already. @overrides: (element-type AditOverride): their `used`
 * is set; @study: (nullable): the file they are written in, which paths in them are relative to */
AditExperiment *adit_experiment_read_varied(const char *path, const GPtrArray *overrides,
                                            AditSource *study, const char *data_folder,
                                            AditDiagnostics *diagnostics);

/**
 * adit_experiment_find_place:
 * @owner: a component of the experiment, one of its stages, or @self (for `from` and `load`)
 * @key: a parameter or key that holds addresses, paths or names: "at", "freeze", "path", "data"; or
 * a list of numbers, which has one place
 * @index: which of its values
 *
 * Where a value was written that is found wrong only later, when the network is built or the data
 * is opened: "nothing is at 'trunk.25'".
 *
 * Returns: (transfer none) (nullable): NULL when the file does not say it
 */
const AditPlace *adit_experiment_find_place(const AditExperiment *self, gconstpointer owner,
                                            const char *key, guint index);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditExperiment, adit_experiment_free)

G_END_DECLS
