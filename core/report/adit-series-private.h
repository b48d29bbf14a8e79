/* core/report/adit-series-private.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-series.h"

G_BEGIN_DECLS

/**
 * AditSeriesPoint: one number, or what several came to.
 * @page, @line: levels of what panels and lines tell apart; @value: number among the report's
 * @is_published: a figure of a paper; it has no @n
 * @n: values behind @y, whose mean it is
 * @shade: what gives a dot its colour, where a value does
 */
typedef struct {
    guint page;
    guint line;
    guint value;
    gboolean is_published;
    guint n;
    double x, y;
    double low, high;
    double shade;
} AditSeriesPoint;

struct _AditSeries {
    const AditResults *results;
    const AditStudyReport *report;
    AditLevels *pages;
    AditLevels *lines;
    GArray *points;   /* AditSeriesPoint */
    GPtrArray *ticks; /* (nullable): names of x = 1, 2, ..., where they are no numbers */
    GArray *marked;   /* (nullable): double: places of x that are shaded */
    const char *mark; /* what they are */
    gboolean has_spreads;
    gboolean has_published;
    gboolean is_column;       /* x is one of sweep.csv */
    gboolean is_axis;         /* and an axis there */
    gboolean is_along;        /* and all that is told apart within a line */
    const char *shade;        /* (nullable): the value that gives dots their colours */
    const char *const *names; /* (nullable): what the values are called in the picture */
    const char *y_label;      /* (nullable): what they are all of */
};

/* Sorts the points by panel, line, value and x, and makes one of what several runs gave for the
 * same x. What came of columns is an average already; several points at one x remain. */
void adit_series_merge(AditSeries *self);
/* Negative, 0, positive as the curve of @a comes before that of @b, is the same, comes behind. */
int adit_series_compare_curves(const AditSeriesPoint *a, const AditSeriesPoint *b);

G_END_DECLS
