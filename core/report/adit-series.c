/* core/report/adit-series.c - SPDX-License-Identifier: MIT */
#include "adit-series-private.h"

#include "adit-published.h"

#include <math.h>

void
adit_series_free(AditSeries *self)
{
    g_clear_pointer(&self->pages, adit_levels_free);
    g_clear_pointer(&self->lines, adit_levels_free);
    g_clear_pointer(&self->ticks, g_ptr_array_unref);
    g_clear_pointer(&self->marked, g_array_unref);
    g_array_unref(self->points);
    g_free(self);
}

AditSeries *
adit_series_new(const AditResults *results, const AditStudyReport *report, const char *lines,
                GError **error)
{
    g_autoptr(AditSeries) self = g_new0(AditSeries, 1);

    self->results = results;
    self->report = report;
    self->points = g_array_new(FALSE, FALSE, sizeof(AditSeriesPoint));
    self->pages = adit_levels_new(results, (const char *const *) report->pages, error);
    self->lines = self->pages != NULL ? adit_levels_new_single(results, lines, error) : NULL;
    return self->lines != NULL ? g_steal_pointer(&self) : NULL;
}

const AditLevels *
adit_series_get_pages(const AditSeries *self)
{
    return self->pages;
}

const AditLevels *
adit_series_get_lines(const AditSeries *self)
{
    return self->lines;
}

void
adit_series_set_shade(AditSeries *self, const char *name)
{
    self->shade = name;
}

void
adit_series_set_names(AditSeries *self, const char *y_label, const char *const *names)
{
    self->y_label = y_label;
    self->names = names;
}

void
adit_series_set_ticks(AditSeries *self, GPtrArray *ticks)
{
    g_clear_pointer(&self->ticks, g_ptr_array_unref);
    self->ticks = ticks;
    self->is_axis = TRUE;
}

void
adit_series_set_marked(AditSeries *self, GArray *at, const char *what)
{
    g_clear_pointer(&self->marked, g_array_unref);
    self->marked = g_array_ref(at);
    self->mark = what;
}

void
adit_series_add(AditSeries *self, guint row, guint value, double x, double y, double spread)
{
    gboolean has_spread = !isnan(spread);
    AditSeriesPoint point = {
        .page = self->pages->of_row[row],
        .line = self->lines->of_row[row],
        .value = value,
        .n = 1,
        .x = x,
        .y = y,
        .low = has_spread ? y - spread : y,
        .high = has_spread ? y + spread : y,
        .shade = NAN,
    };

    self->has_spreads |= has_spread;
    g_array_append_val(self->points, point);
}

/* ---- points that stand in sweep.csv ---- */

/* The levels of all axes that nothing else accounts for. */
static AditLevels *
find_steps(const AditSeries *self, GError **error)
{
    const char *const *over = (const char *const *) self->report->over;
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    for (guint i = 0; i < self->results->n_axes; i++) {
        const char *name = adit_frame_get_column(self->results->frame, i);

        if ((over == NULL || !g_strv_contains(over, name)) &&
            !g_strv_contains((const char *const *) self->pages->names, name) &&
            !g_strv_contains((const char *const *) self->lines->names, name))
            g_ptr_array_add(names, (gpointer) name);
    }
    g_ptr_array_add(names, NULL);
    return adit_levels_new(self->results, (const char *const *) names->pdata, error);
}

/* Where the values of x are no numbers they are numbered. */
static void
find_ticks(AditSeries *self, const AditLevels *x)
{
    gboolean are_numbers = TRUE;
    double number = 0;

    for (guint i = 0; i < adit_levels_count(x); i++)
        are_numbers &= adit_text_to_number(((GStrv) g_ptr_array_index(x->values, i))[0], &number);
    if (are_numbers)
        return;
    self->ticks = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < adit_levels_count(x); i++)
        g_ptr_array_add(self->ticks, adit_levels_get_label(x, i, FALSE));
}

/* The x of the points that meet @choices, of which the last is the step. */
static gboolean
find_x(const AditSeries *self, const AditChoice *choices, guint n_choices, guint column, double *x,
       GError **error)
{
    const AditChoice *step = &choices[n_choices - 1];
    AditSummary summary;

    if (!self->is_along) {
        if (!adit_results_summarize(self->results, choices, n_choices, column, &summary, error))
            return FALSE;
        *x = summary.mean;
    } else if (self->ticks != NULL) {
        *x = step->level + 1;
    } else {
        adit_text_to_number(((GStrv) g_ptr_array_index(step->levels->values, step->level))[0], x);
    }
    return TRUE;
}

static gboolean
find_shade(const AditSeries *self, const AditChoice *choices, guint n_choices, double *shade,
           GError **error)
{
    AditSummary summary;
    guint column = 0;

    if (self->shade == NULL)
        return TRUE;
    if (!adit_frame_find(self->results->frame, self->shade, &column, error) ||
        !adit_results_summarize(self->results, choices, n_choices, column, &summary, error))
        return FALSE;
    *shade = summary.mean;
    return TRUE;
}

/* The point of one page, line and step for each value. */
static gboolean
add_point(AditSeries *self, const AditChoice choices[3], guint x_column, GError **error)
{
    AditSeriesPoint point = {.page = choices[0].level, .line = choices[1].level, .shade = NAN};

    if (!find_x(self, choices, 3, x_column, &point.x, error) ||
        !find_shade(self, choices, 3, &point.shade, error))
        return FALSE;
    for (; self->report->values[point.value] != NULL; point.value++) {
        AditSummary summary;
        guint column = 0;

        if (!adit_frame_find(self->results->frame, self->report->values[point.value], &column,
                             error) ||
            !adit_results_summarize(self->results, choices, 3, column, &summary, error))
            return FALSE;
        point.n = summary.n;
        point.y = summary.mean;
        point.low = summary.low;
        point.high = summary.high;
        if (summary.n > 0)
            g_array_append_val(self->points, point);
    }
    return TRUE;
}

static gboolean
find_published_x(const AditSeries *self, const AditPublished *published, guint row, double *x)
{
    const char *text = adit_published_get_text(published, row, self->report->x);
    guint tick = 0;

    if (self->ticks == NULL)
        return text != NULL && adit_text_to_number(text, x);
    if (text == NULL || !g_ptr_array_find_with_equal_func(self->ticks, text, g_str_equal, &tick))
        return FALSE;
    *x = tick + 1;
    return TRUE;
}

/* The figures of one page and line; x is a column of theirs. */
static void
add_published_line(AditSeries *self, const AditPublished *published, const AditChoice choices[2])
{
    for (guint row = 0; row < adit_published_count(published); row++) {
        AditSeriesPoint point = {
            .page = choices[0].level, .line = choices[1].level, .is_published = TRUE};

        if (!adit_published_match(published, row, choices, 2) ||
            !find_published_x(self, published, row, &point.x))
            continue;
        if (self->shade == NULL || !adit_published_get(published, row, self->shade, &point.shade))
            point.shade = NAN;
        for (; self->report->values[point.value] != NULL; point.value++) {
            if (!adit_published_get(published, row, self->report->values[point.value], &point.y))
                continue;
            point.low = point.high = point.y;
            g_array_append_val(self->points, point);
            self->has_published = TRUE;
        }
    }
}

static gboolean
add_published(AditSeries *self, const AditLevels *steps, GError **error)
{
    const AditLevels *shown[] = {self->pages, self->lines, steps};
    g_autoptr(AditPublished) published = NULL;

    if (self->report->beside == NULL)
        return TRUE;
    published =
        adit_published_read(self->report->beside, self->results, shown, G_N_ELEMENTS(shown), error);
    if (published == NULL)
        return FALSE;
    for (guint page = 0; page < adit_levels_count(self->pages); page++) {
        for (guint line = 0; line < adit_levels_count(self->lines); line++) {
            const AditChoice choices[] = {{self->pages, page}, {self->lines, line}};

            add_published_line(self, published, choices);
        }
    }
    return TRUE;
}

gboolean
adit_series_add_columns(AditSeries *self, GError **error)
{
    g_autoptr(AditLevels) along = adit_levels_new_single(self->results, self->report->x, error);
    g_autoptr(AditLevels) apart = along != NULL ? find_steps(self, error) : NULL;
    guint x = 0;

    if (apart == NULL || !adit_frame_find(self->results->frame, self->report->x, &x, error))
        return FALSE;
    self->is_column = TRUE;
    self->is_axis = x < self->results->n_axes;
    if (self->is_axis)
        find_ticks(self, along);
    self->is_along =
        self->is_axis && (self->report->kind == ADIT_STUDY_CURVES || self->ticks != NULL);

    const AditLevels *steps = self->is_along ? along : apart;
    const AditLevels *shown[] = {self->pages, self->lines, steps};

    if (!adit_results_check_shown(self->results, shown, G_N_ELEMENTS(shown),
                                  (const char *const *) self->report->over, error))
        return FALSE;
    for (guint page = 0; page < adit_levels_count(self->pages); page++) {
        for (guint i = 0; i < adit_levels_count(self->lines) * adit_levels_count(steps); i++) {
            const AditChoice choices[] = {{self->pages, page},
                                          {self->lines, i / adit_levels_count(steps)},
                                          {steps, i % adit_levels_count(steps)}};

            if (!add_point(self, choices, x, error))
                return FALSE;
        }
    }
    return add_published(self, steps, error);
}

/* ---- one point for each x ---- */

int
adit_series_compare_curves(const AditSeriesPoint *a, const AditSeriesPoint *b)
{
    const int differences[] = {
        (a->page > b->page) - (a->page < b->page),
        (a->line > b->line) - (a->line < b->line),
        (a->value > b->value) - (a->value < b->value),
        a->is_published - b->is_published,
    };

    for (guint i = 0; i < G_N_ELEMENTS(differences); i++) {
        if (differences[i] != 0)
            return differences[i];
    }
    return 0;
}

static int
compare_points(gconstpointer a, gconstpointer b)
{
    const AditSeriesPoint *p = a, *q = b;
    int difference = adit_series_compare_curves(p, q);

    return difference != 0 ? difference : (p->x > q->x) - (p->x < q->x);
}

/* Points @first to @end, the same curve at the same x, as one. */
static AditSeriesPoint
merge_points(const AditSeries *self, guint first, guint end)
{
    AditSeriesPoint merged = g_array_index(self->points, AditSeriesPoint, first);
    double sum = 0, lows = 0, highs = 0;
    guint n = end - first;

    for (guint i = first; i < end; i++) {
        const AditSeriesPoint *point = &g_array_index(self->points, AditSeriesPoint, i);

        sum += point->y;
        lows += point->low;
        highs += point->high;
        merged.low = fmin(merged.low, point->low);
        merged.high = fmax(merged.high, point->high);
    }
    merged.n = n;
    merged.y = sum / n;
    if (self->has_spreads) {
        merged.low = lows / n;
        merged.high = highs / n;
    }
    return merged;
}

void
adit_series_merge(AditSeries *self)
{
    GArray *merged = g_array_new(FALSE, FALSE, sizeof(AditSeriesPoint));
    guint end = 0;

    g_array_sort(self->points, compare_points);
    for (guint first = 0; first < self->points->len && !self->is_column; first = end) {
        const AditSeriesPoint *point = &g_array_index(self->points, AditSeriesPoint, first);

        for (end = first + 1; end < self->points->len; end++) {
            if (compare_points(point, &g_array_index(self->points, AditSeriesPoint, end)) != 0)
                break;
        }

        AditSeriesPoint one = merge_points(self, first, end);

        g_array_append_val(merged, one);
    }
    if (self->is_column) {
        g_array_unref(merged);
        return;
    }
    g_array_unref(self->points);
    self->points = merged;
}
