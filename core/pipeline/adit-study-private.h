/* core/pipeline/adit-study-private.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-override.h"
#include "adit-study.h"

G_BEGIN_DECLS

#define ADIT_STUDY_MAX_POINTS 100000

/**
 * AditStudyAxis: a key of `vary`, of one of its cases, or of `evaluate`.
 * @place: of the key
 * @is_path: a key of the pipeline and no parameter
 * @values: AditNode
 */
typedef struct {
    char *name;
    AditPlace place;
    gboolean is_path;
    GPtrArray *values;
} AditStudyAxis;

/**
 * AditStudyCase: one of `cases`; without any there is one whose name is NULL.
 * @axes: AditStudyAxis
 */
typedef struct {
    char *name;
    GPtrArray *axes;
} AditStudyCase;

/**
 * AditStudyPipeline: a pipeline that is varied.
 * @name: as the study writes it
 * @is_read: FALSE: it is not there or is none, and what it has is not known
 * @params: names of its parameters
 */
typedef struct {
    char *name;
    char *path;
    gboolean is_read;
    GPtrArray *params;
} AditStudyPipeline;

/**
 * AditStudyReader: one reading of a study.
 * @axes: AditStudyAxis: those of `vary` itself
 * @n_before: how many of them stand before `cases`
 * @cases: AditStudyCase
 * @pipelines: AditStudyPipeline
 * @given: AditOverride: the command line
 * @fixed: AditOverride: those of @given that are no axes, borrowed
 */
typedef struct {
    AditStudy *study;
    AditDiagnostics *diagnostics;
    GPtrArray *axes;
    guint n_before;
    AditPlace cases_place;
    GPtrArray *cases;
    GPtrArray *pipelines;
    GPtrArray *given;
    GPtrArray *fixed;
} AditStudyReader;

/* adit-study.c */
void adit_study_error(AditStudyReader *self, const AditPlace *place, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
/* Reports keys of @mapping that are none of @known. @of: what has them, for the message. */
void adit_study_check_keys(AditStudyReader *self, const AditNode *mapping, const char *const *known,
                           const char *of);

/* adit-study-axis.c */
void adit_study_axis_free(AditStudyAxis *self);
void adit_study_case_free(AditStudyCase *self);
/* The axes of @mapping, without "cases", reported where they are wrong. */
GPtrArray *adit_study_read_axes(AditStudyReader *self, const AditNode *mapping);
/* NULL: there is none. */
AditStudyAxis *adit_study_find_axis(const GPtrArray *axes, const char *name);
/* Leaves the axes that the command line names the values given; the rest of it becomes @fixed. */
void adit_study_narrow(AditStudyReader *self);
/* A value as a cell of sweep.csv. */
char *adit_study_print_value(const AditNode *value);

/* adit-study-check.c */
void adit_study_pipeline_free(AditStudyPipeline *self);
/* Opens the pipelines, and finds out what the axes are in them. */
void adit_study_read_pipelines(AditStudyReader *self);
void adit_study_check_axes(AditStudyReader *self);
void adit_study_check_fixed(AditStudyReader *self);

/* adit-study-points.c */
void adit_study_point_free(AditStudyPoint *self);
void adit_study_make_points(AditStudyReader *self);

/* adit-study-report.c */
void adit_study_read_reports(AditStudyReader *self, const AditNode *list);

G_END_DECLS
