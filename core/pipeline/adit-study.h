/* core/pipeline/adit-study.h - SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

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

void adit_study_report_free(AditStudyReport *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditStudyReport, adit_study_report_free)

G_END_DECLS
