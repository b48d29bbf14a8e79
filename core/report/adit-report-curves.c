/* core/report/adit-report-curves.c - SPDX-License-Identifier: MIT */
#include "adit-report-private.h"

#include "adit-series.h"

#include <math.h>
#include <string.h>

#define PROBES "probes."

/* A value of curves that stands in the files of the runs: "test.mse" in metrics.csv, or
 * "probes.NAME.COLUMN" in probes/NAME.csv. */
typedef struct {
    const char *x;
    guint value;  /* number among those of the report */
    char *file;   /* in the run directory */
    char *column; /* of it */
    char *spread; /* the column that holds its standard deviation, if there is one */
    gboolean is_probe;
} Source;

static void
source_clear(Source *self)
{
    g_free(self->file);
    g_free(self->column);
    g_free(self->spread);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Source, source_clear)

static void
source_init(Source *self, const AditStudyReport *report, guint value)
{
    const char *name = report->values[value];
    const char *last = strrchr(name, '.');

    *self = (Source){.x = report->x, .value = value};
    self->is_probe = g_str_has_prefix(name, PROBES) && last > name + strlen(PROBES);
    if (self->is_probe) {
        g_autofree char *probe =
            g_strndup(name + strlen(PROBES), (gsize) (last - name) - strlen(PROBES));

        self->file = g_strdup_printf("probes/%s.csv", g_strdelimit(probe, ":/", '-'));
        self->column = g_strdup(last + 1);
    } else {
        self->file = g_strdup("metrics.csv");
        self->column = g_strdup(name);
    }
    self->spread = g_strconcat(self->column, "-std", NULL);
}

/* The columns of one run's file. */
typedef struct {
    const AditFrame *frame;
    gboolean has_x; /* FALSE: a row's number */
    guint x;
    guint y;
    gboolean has_spread;
    guint spread;
} Columns;

/* In a probe's table `block`, unless it has a column of that name, is the number of the row: one
 * address after the other in forward order. */
static gboolean
columns_find(Columns *self, const Source *source, GError **error)
{
    if (!adit_frame_find(self->frame, source->column, &self->y, error))
        return FALSE;
    self->has_spread = adit_frame_has(self->frame, source->spread, &self->spread);
    self->has_x = TRUE;
    if (source->is_probe && g_str_equal(source->x, "block") &&
        !adit_frame_has(self->frame, source->x, NULL))
        self->has_x = FALSE;
    return !self->has_x || adit_frame_find(self->frame, source->x, &self->x, error);
}

/* Whether row @row of a probe's table was measured on the first set and split of the file, and at
 * the same time as the last row: of all measurements the final one. */
static gboolean
is_final(const AditFrame *frame, guint row)
{
    static const char *const names[] = {"data", "split", "when"};
    guint last = adit_frame_count_rows(frame) - 1;

    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        guint column = 0;
        guint like = g_str_equal(names[i], "when") ? last : 0;

        if (adit_frame_has(frame, names[i], &column) &&
            !g_str_equal(adit_frame_get_text(frame, row, column),
                         adit_frame_get_text(frame, like, column)))
            return FALSE;
    }
    return TRUE;
}

/* Adds what the run of point @point has in @frame. */
static gboolean
add_frame(AditSeries *series, guint point, const Source *source, const AditFrame *frame,
          GError **error)
{
    Columns columns = {.frame = frame};
    guint n_final = 0;

    if (!columns_find(&columns, source, error))
        return FALSE;
    for (guint row = 0; row < adit_frame_count_rows(frame); row++) {
        double x = 0, y = 0, spread = NAN;

        if (adit_frame_is_empty(frame, row, columns.y) ||
            (source->is_probe && !is_final(frame, row)))
            continue;
        x = ++n_final;
        if ((columns.has_x && !adit_frame_get_number(frame, row, columns.x, &x, error)) ||
            !adit_frame_get_number(frame, row, columns.y, &y, error) ||
            (columns.has_spread &&
             !adit_frame_get_number(frame, row, columns.spread, &spread, error)))
            return FALSE;
        adit_series_add(series, point, source->value, x, y, spread);
    }
    return TRUE;
}

static gboolean
add_runs(AditSeries *series, const AditResults *results, const Source *source, GError **error)
{
    for (guint point = 0; point < adit_frame_count_rows(results->frame); point++) {
        g_autoptr(AditFrame) frame = NULL;

        if (results->statuses[point] != ADIT_POINT_DONE)
            continue;
        frame = adit_results_read_run(results, point, source->file, error);
        if (frame == NULL || !add_frame(series, point, source, frame, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
add_all_runs(AditSeries *series, const AditResults *results, const AditStudyReport *report,
             GError **error)
{
    const AditLevels *shown[] = {adit_series_get_pages(series), adit_series_get_lines(series)};

    if (!adit_results_check_shown(results, shown, G_N_ELEMENTS(shown),
                                  (const char *const *) report->over, error))
        return FALSE;
    for (guint value = 0; report->values[value] != NULL; value++) {
        g_auto(Source) source = {0};

        source_init(&source, report, value);
        if (!add_runs(series, results, &source, error))
            return FALSE;
    }
    return TRUE;
}

/* Whether the curves go over points of the study, not over what happened in each run: x is an axis,
 * or x and the values all are columns of sweep.csv. */
static gboolean
is_over_points(const AditResults *results, const AditStudyReport *report)
{
    guint x = 0;

    if (!adit_frame_has(results->frame, report->x, &x))
        return FALSE;
    for (guint i = 0; x >= results->n_axes && report->values[i] != NULL; i++) {
        if (!adit_frame_has(results->frame, report->values[i], NULL))
            return FALSE;
    }
    return TRUE;
}

gboolean
adit_report_write_curves(const AditReportWriter *self, const AditStudyReport *report,
                         GError **error)
{
    g_autoptr(AditSeries) series = adit_series_new(self->results, report, report->lines, error);

    if (series == NULL)
        return FALSE;
    if (is_over_points(self->results, report)) {
        if (!adit_series_add_columns(series, error))
            return FALSE;
    } else if (report->beside != NULL) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "published figures go with an 'x' that is a column of sweep.csv, got '%s'",
                    report->x);
        return FALSE;
    } else if (!add_all_runs(series, self->results, report, error)) {
        return FALSE;
    }
    return adit_series_write(series, self, "curves.gp", error);
}
