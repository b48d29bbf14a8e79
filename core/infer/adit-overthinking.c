/* core/infer/adit-overthinking.c - SPDX-License-Identifier: MIT */
#include "adit-overthinking.h"

#include <math.h>

static void
add_row(AditOverthinking *self, const double *right)
{
    guint first = 0;

    while (first < self->n && !(right[first] > 0))
        first++;
    if (first < self->n)
        self->first[first]++;
    for (guint i = first; i < self->n; i++)
        self->any[i]++;
    if (first + 1 < self->n && right[self->n - 1] > 0)
        self->wasteful++;
    else if (first + 1 < self->n)
        self->destructive++;
}

AditOverthinking *
adit_overthinking_new(const AditExitTable *table)
{
    AditOverthinking *self = g_new0(AditOverthinking, 1);
    double rows = (double) MAX(table->rows, 1);

    self->n = table->n;
    self->any = g_new0(double, table->n);
    self->first = g_new0(double, table->n);
    for (gsize row = 0; row < table->rows; row++)
        add_row(self, table->metrics + row * table->n);
    for (guint i = 0; i < table->n; i++) {
        self->any[i] /= rows;
        self->first[i] /= rows;
    }
    self->wasteful /= rows;
    self->destructive /= rows;
    return self;
}

void
adit_overthinking_free(AditOverthinking *self)
{
    g_free(self->any);
    g_free(self->first);
    g_free(self);
}

AditConfusion
adit_confusion_measure(const AditExitTable *table)
{
    double sum = 0, squares = 0, of[2] = {0, 0};
    gsize counts[2] = {0, 0};

    for (gsize row = 0; row < table->rows; row++) {
        gboolean is_right = table->metrics[row * table->n + table->n - 1] > 0;
        double confusion = 0;

        for (guint i = 0; i + 1 < table->n; i++)
            confusion += table->distances[row * table->n + i];
        sum += confusion;
        squares += confusion * confusion;
        of[is_right] += confusion;
        counts[is_right]++;
    }
    double rows = (double) MAX(table->rows, 1), mean = sum / rows;

    return (AditConfusion){.mean = mean,
                           .deviation = sqrt(MAX(squares / rows - mean * mean, 0)),
                           .right = counts[1] > 0 ? of[1] / (double) counts[1] : (double) NAN,
                           .wrong = counts[0] > 0 ? of[0] / (double) counts[0] : (double) NAN};
}

void
adit_confusion_standardize(AditConfusion *self, const AditConfusion *scale)
{
    double unit = scale->deviation > 0 ? scale->deviation : 1;

    self->right = (self->right - scale->mean) / unit;
    self->wrong = (self->wrong - scale->mean) / unit;
}
