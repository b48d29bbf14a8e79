/* core/study/adit-study-columns.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-experiment.h"
#include "adit-study.h"

G_BEGIN_DECLS

/**
 * AditStudyColumns: the columns that pipelines will give, known from losses, metrics, splits, data
 * sets and probes before anything is trained: of sweep.csv, of metrics.csv, and of probes' tables.
 */
typedef struct _AditStudyColumns AditStudyColumns;

AditStudyColumns *adit_study_columns_new(void);
void adit_study_columns_free(AditStudyColumns *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditStudyColumns, adit_study_columns_free)

/* Adds what runs of @experiment will have. @evaluates: and what `evaluate` adds to it */
void adit_study_columns_add(AditStudyColumns *self, const AditExperiment *experiment,
                            gboolean evaluates);
/* (transfer container) (element-type utf8): figures of sweep.csv that are sure to come, as best and
 * last of metrics.csv, in its order. */
GPtrArray *adit_study_columns_list_figures(const AditStudyColumns *self);
/* Reports what the study's reports name and no run will have, with the nearest name; warns of what
 * is known after training alone. */
void adit_study_columns_check(const AditStudyColumns *self, const AditStudy *study,
                              AditDiagnostics *diagnostics);

G_END_DECLS
