/* core/data/adit-split.c - SPDX-License-Identifier: MIT */
#include "adit-split.h"

void
adit_split_clear(AditSplit *self)
{
    g_clear_pointer(&self->inputs, adit_array_unref);
    g_clear_pointer(&self->targets, adit_array_unref);
    g_clear_pointer(&self->index, adit_array_unref);
    self->rows = 0;
}

gsize
adit_split_get_row(const AditSplit *self, gsize row)
{
    return (gsize) ((const gint32 *) self->index->data)[row];
}

static void
gather_f32(const AditSplit *self, const AditArray *array, const gsize *rows, gsize n, float *out)
{
    gsize count = adit_shape_count(&array->shape);

    for (gsize i = 0; i < n; i++) {
        gsize first = adit_split_get_row(self, rows[i]) * count;
        const float *values = (const float *) array->data + first;

        for (gsize j = 0; j < count; j++, out++)
            if (array->type == ADIT_TYPE_CODE_F32)
                *out = values[j];
            else
                *out = (float) adit_array_get(array, first + j);
    }
}

static void
gather_f64(const AditSplit *self, const AditArray *array, const gsize *rows, gsize n, double *out)
{
    gsize count = adit_shape_count(&array->shape);

    for (gsize i = 0; i < n; i++)
        for (gsize j = 0; j < count; j++)
            *out++ = adit_array_get(array, adit_split_get_row(self, rows[i]) * count + j);
}

void
adit_split_gather_f32(const AditSplit *self, const gsize *rows, gsize n, float *out)
{
    gather_f32(self, self->inputs, rows, n, out);
}

void
adit_split_gather_f64(const AditSplit *self, const gsize *rows, gsize n, double *out)
{
    gather_f64(self, self->inputs, rows, n, out);
}

void
adit_split_gather_targets_f32(const AditSplit *self, const gsize *rows, gsize n, float *out)
{
    gather_f32(self, self->targets, rows, n, out);
}

void
adit_split_gather_targets_f64(const AditSplit *self, const gsize *rows, gsize n, double *out)
{
    gather_f64(self, self->targets, rows, n, out);
}

double
adit_split_get_target_variance(const AditSplit *self)
{
    gsize count = self->targets != NULL ? adit_shape_count(&self->targets->shape) : 0;
    double variance = 0;

    if (self->rows == 0 || self->classes > 0)
        return 0;
    for (gsize j = 0; j < count; j++) {
        double mean = 0;

        for (gsize i = 0; i < self->rows; i++)
            mean += adit_array_get(self->targets, adit_split_get_row(self, i) * count + j);
        mean /= (double) self->rows;
        for (gsize i = 0; i < self->rows; i++) {
            double value =
                adit_array_get(self->targets, adit_split_get_row(self, i) * count + j) - mean;

            variance += value * value;
        }
    }
    return count > 0 ? variance / ((double) self->rows * (double) count) : 0;
}

double
adit_split_get_commonest_share(const AditSplit *self)
{
    guint64 most = 0;

    if (self->classes == 0 || self->rows == 0)
        return 0;

    g_autofree guint64 *counts = g_new0(guint64, self->classes);

    for (gsize i = 0; i < self->rows; i++) {
        gsize row = adit_split_get_row(self, i);
        guint64 count = ++counts[(gsize) adit_array_get(self->targets, row)];

        most = MAX(most, count);
    }
    return (double) most / (double) self->rows;
}
