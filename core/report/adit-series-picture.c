/* core/report/adit-series-picture.c - SPDX-License-Identifier: MIT */
#include "adit-series-private.h"

#include "adit-scale.h"
#include "adit-text.h"

#include <math.h>

#define FEW_POINTS 30   /* of a line, each with a mark */
#define MARGIN     0.04 /* beyond the ends of a scale, as a part of it */
#define MAX_TICKS  12   /* values of x that are written below the axis, one and all */
#define MIN_GAP    0.05 /* between two of them, as a part of the axis */

/* What is drawn as one: where its points are in the file, and how they look. */
typedef struct {
    GArray *panels; /* double, from 1, as in gnuplot */
    GArray *lines;
    GArray *published;
    GPtrArray *labels; /* of the lines */
    guint longest;     /* points */
    guint most;        /* runs behind a point */
} Blocks;

static void
blocks_clear(Blocks *self)
{
    g_array_unref(self->panels);
    g_array_unref(self->lines);
    g_array_unref(self->published);
    g_ptr_array_unref(self->labels);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Blocks, blocks_clear)

static void
blocks_add(Blocks *self, const AditSeries *series, const AditSeriesPoint *point)
{
    double panel = point->page + 1;
    double line = point->line * g_strv_length(series->report->values) + point->value + 1;
    double published = point->is_published;

    g_array_append_val(self->panels, panel);
    g_array_append_val(self->lines, line);
    g_array_append_val(self->published, published);
}

/* "glonet", "depth 10", "glonet, best.test.mse", or the value alone */
static char *
get_line_label(const AditSeries *self, guint line, guint value)
{
    const char *const *levels = g_ptr_array_index(self->lines->values, line);
    double number = 0;
    gboolean is_number = levels[0] != NULL && adit_text_to_number(levels[0], &number);
    g_autofree char *label = adit_levels_get_label(self->lines, line, is_number);

    const char *name = self->names != NULL ? self->names[value] : self->report->values[value];

    if (self->names == NULL && g_strv_length(self->report->values) == 1)
        return g_steal_pointer(&label);
    if (*label == '\0' || *name == '\0')
        return g_strdup(*label != '\0' ? label : name);
    return g_strdup_printf("%s, %s", label, name);
}

static void
blocks_label(Blocks *self, const AditSeries *series)
{
    for (guint line = 0; line < adit_levels_count(series->lines); line++) {
        for (guint value = 0; series->report->values[value] != NULL; value++)
            g_ptr_array_add(self->labels, get_line_label(series, line, value));
    }
}

static void
append_values(GString *data, const AditLevels *levels, guint level)
{
    const char *const *values = g_ptr_array_index(levels->values, level);

    for (guint i = 0; values[i] != NULL; i++)
        adit_csv_append(data, values[i]);
}

static void
append_header(const AditSeries *self, GString *data)
{
    static const char *const numbers[] = {"mean", "low", "high", "n"};

    for (guint i = 0; self->pages->names[i] != NULL; i++)
        adit_csv_append(data, self->pages->names[i]);
    for (guint i = 0; self->lines->names[i] != NULL; i++)
        adit_csv_append(data, self->lines->names[i]);
    adit_csv_append(data, "value");
    adit_csv_append(data, self->report->x);
    if (self->ticks != NULL)
        adit_csv_append(data, "position");
    for (guint i = 0; i < G_N_ELEMENTS(numbers); i++)
        adit_csv_append(data, numbers[i]);
    if (self->shade != NULL)
        adit_csv_append(data, self->shade);
    adit_csv_end_row(data);
}

static void
append_point(const AditSeries *self, GString *data, const AditSeriesPoint *point)
{
    append_values(data, self->pages, point->page);
    append_values(data, self->lines, point->line);
    adit_csv_append(data, self->report->values[point->value]);
    if (self->ticks != NULL)
        adit_csv_append(data, g_ptr_array_index(self->ticks, (guint) point->x - 1));
    adit_csv_append_number(data, point->x, TRUE);
    adit_csv_append_number(data, point->y, TRUE);
    adit_csv_append_number(data, point->low, TRUE);
    adit_csv_append_number(data, point->high, TRUE);
    adit_csv_append_number(data, point->n, !point->is_published);
    if (self->shade != NULL)
        adit_csv_append_number(data, point->shade, TRUE);
    adit_csv_end_row(data);
}

/* All points, an empty line or two between curves: gnuplot counts blocks by them, and readers of
 * CSV pass over them. */
static GString *
make_data(const AditSeries *self, Blocks *blocks)
{
    GString *data = g_string_new(NULL);
    guint length = 0;

    append_header(self, data);
    for (guint i = 0; i < self->points->len; i++) {
        const AditSeriesPoint *point = &g_array_index(self->points, AditSeriesPoint, i);

        if (i == 0 || adit_series_compare_curves(point - 1, point) != 0) {
            if (i > 0)
                g_string_append(data, "\n\n");
            blocks_add(blocks, self, point);
            length = 0;
        }
        append_point(self, data, point);
        blocks->longest = MAX(blocks->longest, ++length);
        blocks->most = MAX(blocks->most, point->n);
    }
    return data;
}

/* Sets NAME_low and NAME_high, a little further apart, and log_NAME. */
static void
set_scale(AditPicture *picture, const char *name, const AditScale *scale)
{
    g_autofree char *low = g_strdup_printf("%s_low", name);
    g_autofree char *high = g_strdup_printf("%s_high", name);
    g_autofree char *wide = g_strdup_printf("log_%s", name);

    adit_picture_set_number(picture, wide, scale->is_wide);
    adit_picture_set_number(picture, low, adit_scale_get(scale, -MARGIN));
    adit_picture_set_number(picture, high, adit_scale_get(scale, 1 + MARGIN));
}

/* Whether the numbers @at, ascending, are few and far enough from each other to be written below
 * the axis themselves. */
static gboolean
are_ticks(const GArray *at, const AditScale *x)
{
    for (guint i = 1; i < at->len; i++) {
        double a = g_array_index(at, double, i - 1), b = g_array_index(at, double, i);

        if (adit_scale_place(x, b) - adit_scale_place(x, a) < MIN_GAP)
            return FALSE;
    }
    return at->len > 0 && at->len <= MAX_TICKS;
}

/* Takes repetitions out of the sorted numbers @at. */
static void
keep_different(GArray *at)
{
    guint kept = 0;

    for (guint i = 0; i < at->len; i++) {
        double number = g_array_index(at, double, i);

        if (i == 0 || number != g_array_index(at, double, kept - 1))
            g_array_index(at, double, kept++) = number;
    }
    g_array_set_size(at, kept);
}

/* `ticks` at `tick_at`: names; or the values of x where they are few; none: gnuplot's own. */
static void
set_ticks(const AditSeries *self, AditPicture *picture, GArray *at, const AditScale *x)
{
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);

    keep_different(at);
    if (!self->is_axis || (self->ticks == NULL && !are_ticks(at, x)))
        g_array_set_size(at, 0);
    for (guint i = 0; i < at->len; i++) {
        double number = g_array_index(at, double, i);

        g_ptr_array_add(texts, self->ticks != NULL
                                   ? g_strdup(g_ptr_array_index(self->ticks, (guint) number - 1))
                                   : adit_number_to_data(number));
    }
    adit_picture_set_texts(picture, "ticks", texts);
    adit_picture_set_numbers(picture, "tick_at", at);
}

/* Bands belong to the scale of y as long as they do not make it what the means would not: a band
 * may go below zero. */
static void
set_scales(const AditSeries *self, AditPicture *picture)
{
    g_autoptr(GArray) at = g_array_new(FALSE, FALSE, sizeof(double));
    g_autoptr(GArray) means = g_array_new(FALSE, FALSE, sizeof(double));
    g_autoptr(GArray) bands = g_array_new(FALSE, FALSE, sizeof(double));
    AditScale x, y, band;

    for (guint i = 0; i < self->points->len; i++) {
        const AditSeriesPoint *point = &g_array_index(self->points, AditSeriesPoint, i);

        g_array_append_val(at, point->x);
        g_array_append_val(means, point->y);
        g_array_append_val(bands, point->low);
        g_array_append_val(bands, point->high);
    }
    adit_scale_init(&x, at);
    adit_scale_init(&y, means);
    adit_scale_init(&band, bands);
    x.is_wide = x.is_wide && self->is_column && self->ticks == NULL;
    if (!y.is_wide) {
        y.low = MIN(y.low, band.is_wide ? 0 : band.low);
        y.high = MAX(y.high, band.high);
    }
    set_scale(picture, "x", &x);
    set_scale(picture, "y", &y);
    set_ticks(self, picture, at, &x);
}

/* "mean over seed; band: smallest to largest" */
static char *
describe(const AditSeries *self, const Blocks *blocks, gboolean has_bands)
{
    g_autofree char *over = adit_report_describe_over(self->report);
    GString *text = g_string_new(NULL);

    if (over != NULL && blocks->most > 1)
        g_string_append_printf(text, "mean over %s", over);
    if (has_bands)
        g_string_append_printf(text, "%sband: %s", text->len > 0 ? ", " : "",
                               self->has_spreads ? "± one standard deviation of the samples"
                                                 : "smallest to largest");
    if (self->has_published)
        g_string_append_printf(text, "%scircles: published", text->len > 0 ? ", " : "");
    if (self->marked != NULL)
        g_string_append_printf(text, "%s%s", text->len > 0 ? ", " : "", self->mark);
    return g_string_free(text, FALSE);
}

static void
set_shades(const AditSeries *self, AditPicture *picture)
{
    const char *const names[] = {self->shade, NULL};
    g_autoptr(GPtrArray) numbers = g_ptr_array_new_with_free_func((GDestroyNotify) g_array_unref);
    GArray *shades = g_array_new(FALSE, FALSE, sizeof(double));

    g_ptr_array_add(numbers, shades);
    for (guint i = 0; i < self->points->len; i++)
        g_array_append_val(shades, g_array_index(self->points, AditSeriesPoint, i).shade);
    adit_picture_set_colours(picture, names, numbers, FALSE);
}

/* Epochs, blocks, steps: nothing lies between them. */
static gboolean
are_whole(const AditSeries *self)
{
    for (guint i = 0; i < self->points->len; i++) {
        double x = g_array_index(self->points, AditSeriesPoint, i).x;

        if (x != floor(x))
            return FALSE;
    }
    return TRUE;
}

static void
set_marked(const AditSeries *self, AditPicture *picture)
{
    g_autoptr(GArray) none = g_array_new(FALSE, FALSE, sizeof(double));

    adit_picture_set_numbers(picture, "marked", self->marked != NULL ? self->marked : none);
}

static void
set_panels(const AditSeries *self, AditPicture *picture)
{
    g_autoptr(GPtrArray) panels = g_ptr_array_new_with_free_func(g_free);

    for (guint page = 0; page < adit_levels_count(self->pages); page++)
        g_ptr_array_add(panels, adit_levels_get_label(self->pages, page, TRUE));
    adit_picture_set_texts(picture, "panels", panels);
}

gboolean
adit_series_write(AditSeries *self, const AditReportWriter *writer, const char *script,
                  GError **error)
{
    const AditStudyReport *report = self->report;
    g_autoptr(AditPicture) picture = adit_picture_new();
    g_autoptr(GString) data = NULL;
    g_autofree char *y_label = adit_report_join((const char *const *) report->values);
    g_autofree char *note = NULL;
    gboolean has_bands = FALSE;
    g_auto(Blocks) blocks = {
        .panels = g_array_new(FALSE, FALSE, sizeof(double)),
        .lines = g_array_new(FALSE, FALSE, sizeof(double)),
        .published = g_array_new(FALSE, FALSE, sizeof(double)),
        .labels = g_ptr_array_new_with_free_func(g_free),
    };

    adit_series_merge(self);
    blocks_label(&blocks, self);
    data = make_data(self, &blocks);
    has_bands = report->kind == ADIT_STUDY_CURVES && (self->has_spreads || blocks.most > 1);
    note = describe(self, &blocks, has_bands);
    adit_picture_set_text(picture, "x_label", report->x);
    adit_picture_set_text(picture, "y_label", self->y_label != NULL ? self->y_label : y_label);
    adit_picture_set_caption(picture, self->y_label != NULL ? self->y_label : report->name);
    adit_picture_set_text(picture, "note", note);
    adit_picture_set_number(picture, "x_column",
                            g_strv_length(self->pages->names) + g_strv_length(self->lines->names) +
                                (self->ticks != NULL ? 3 : 2));
    adit_picture_set_number(picture, "has_bands", has_bands);
    adit_picture_set_number(picture, "has_marks", blocks.longest <= FEW_POINTS);
    set_scales(self, picture);
    if (self->shade != NULL)
        set_shades(self, picture);
    set_panels(self, picture);
    set_marked(self, picture);
    adit_picture_set_texts(picture, "labels", blocks.labels);
    adit_picture_set_number(picture, "x_is_shared", self->is_column);
    adit_picture_set_number(picture, "x_is_whole", are_whole(self));
    adit_picture_set_numbers(picture, "block_panel", blocks.panels);
    adit_picture_set_numbers(picture, "block_line", blocks.lines);
    adit_picture_set_numbers(picture, "block_published", blocks.published);
    return adit_picture_write(picture, writer, report->name, script, data, error);
}
