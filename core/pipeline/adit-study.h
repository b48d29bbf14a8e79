/* core/pipeline/adit-study.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-experiment.h"

G_BEGIN_DECLS

typedef enum {
    ADIT_STUDY_TABLE,
    ADIT_STUDY_HEAT_MAP,
    ADIT_STUDY_SCATTER,
    ADIT_STUDY_CURVES,
    ADIT_STUDY_COUNTS,
} AditStudyReportKind;

/**
 * AditStudyReport: one element of `report` (LANGUAGE 2.8). Axes and values are columns of
 * sweep.csv; for curves, a value and @x may be a column of the runs' metrics or of a probe's table
 * instead.
 */
typedef struct {
    AditStudyReportKind kind;
    char *name;    /* stem of the files: kind and value, unique: "table-best.test.mse" */
    GStrv values;  /* columns of sweep.csv */
    char *rows;    /* (nullable): an axis or a value, like the next five */
    char *columns; /* (nullable) */
    char *x;       /* (nullable) */
    char *y;       /* (nullable) */
    char *lines;   /* (nullable) */
    char *by;      /* (nullable) */
    GStrv pages;   /* axes; never NULL */
    GStrv over;    /* axes averaged, with spread: {"seed"} where the study has it; never NULL */
    char *beside;  /* (nullable): absolute path of a CSV of published figures */
    double above_chance; /* counts: NaN where not given */
} AditStudyReport;

/**
 * AditStudyColumn: a name in `report` that is no axis, and so must be a column of what is measured.
 * @report: what names it, borrowed from the study
 * @is_x: it is the report's @x, not a value of it
 */
typedef struct {
    char *name;
    const AditStudyReport *report;
    gboolean is_x;
    AditPlace place;
} AditStudyColumn;

void adit_study_report_free(AditStudyReport *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditStudyReport, adit_study_report_free)

/**
 * AditStudyPoint: one value for every axis.
 * @index: from 0, among the points of the study
 * @pipeline: its file, as it can be opened
 * @values: (array): texts of the values, as many as the study has axes; "" where the point's case
 * lacks the axis
 * @label: "arch=glonet depth=24": what tells it from the others; the study's name if it is alone
 * @overrides: (element-type AditOverride): what the axes and the command line set in the pipeline
 */
typedef struct {
    guint index;
    char *pipeline;
    GStrv values;
    char *label;
    GPtrArray *overrides;
} AditStudyPoint;

/**
 * AditStudy: a study file, read, with what the command line narrows and adds.
 * @name: the file's name without its ending
 * @axes: names of the axes of `vary` in order; "cases" stands before what only cases have
 * @evaluate: names of the axes of `evaluate`
 * @points: (element-type AditStudyPoint): all combinations of `vary`
 * @evaluations: (element-type AditStudyPoint): all combinations of `evaluate`, no pipeline; empty
 * without it
 * @reports: (element-type AditStudyReport)
 * @columns: (element-type AditStudyColumn): what the reports name beside axes
 */
typedef struct {
    char *path;
    char *folder; /* absolute: pipelines and paths in it begin there */
    char *name;
    char *title;
    char *text;
    GStrv axes;
    GStrv evaluate;
    GPtrArray *points;
    GPtrArray *evaluations;
    GPtrArray *reports;
    GPtrArray *columns;
    AditSource *source;
    GPtrArray *evaluated; /* AditStudyAxis, private */
    GPtrArray *sources;   /* AditSource: the command line's */
} AditStudy;

/* Whether the file at @path is a study: it is YAML with a section `study`. */
gboolean adit_study_is_one(const char *path);

/**
 * adit_study_read:
 * @path: the study's file
 * @arguments, @first_argument: as of adit_experiment_read(). What names an axis leaves it the
 * values given, "depth=10,24"; other parameters and keys are set in every pipeline
 * @diagnostics: gets all errors; of the pipelines only what concerns the axes' names
 *
 * Returns: (nullable): the study, or NULL if there were errors
 */
AditStudy *adit_study_read(const char *path, const char *const *arguments, guint first_argument,
                           AditDiagnostics *diagnostics);
void adit_study_free(AditStudy *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditStudy, adit_study_free)

/* The pipeline of a point. @evaluation: (nullable): set on top; errors name the point in a note. */
AditExperiment *adit_study_read_point(const AditStudy *self, const AditStudyPoint *point,
                                      const AditStudyPoint *evaluation, const char *data_folder,
                                      AditDiagnostics *diagnostics);
/* Looks at whether the axes of `evaluate` reach what may change after training alone. */
void adit_study_check_evaluate(const AditStudy *self, const char *data_folder,
                               AditDiagnostics *diagnostics);
/* The words that set the point's values behind `adit run FILE`: "depth=24", "-o", "seed=1". Paths
 * that the study wrote are absolute. @experiment: as just read by adit_study_read_point() */
GStrv adit_study_list_arguments(const AditStudy *self, const AditStudyPoint *point,
                                const AditExperiment *experiment);
/* The words "-o", "data={...}" that turn the run of @point, read as @trained, into @evaluated. */
GStrv adit_study_list_changes(const AditExperiment *trained, const AditExperiment *evaluated);

G_END_DECLS
