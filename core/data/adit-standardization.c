/* core/data/adit-standardization.c - SPDX-License-Identifier: MIT */
#include "adit-standardization.h"
#include "adit-array-private.h"

#include <adit/adit-error.h>

#include <float.h>
#include <math.h>

void
adit_standardization_clear(AditStandardization *self)
{
    g_clear_pointer(&self->mean, g_free);
    g_clear_pointer(&self->scale, g_free);
    self->count = 0;
}

void
adit_standardization_copy(const AditStandardization *self, AditStandardization *copy)
{
    *copy = *self;
    copy->mean = g_memdup2(self->mean, self->count * sizeof(double));
    copy->scale = g_memdup2(self->scale, self->count * sizeof(double));
}

void
adit_standardization_init(AditStandardization *self, AditStandardize how, const AditShape *shape)
{
    *self = (AditStandardization){.inner = 1};
    if (how == ADIT_STANDARDIZE_NONE)
        return;
    self->count = adit_shape_count(shape);
    if (how == ADIT_STANDARDIZE_CHANNELS && shape->rank == 2)
        self->count = shape->size[1];
    if (how == ADIT_STANDARDIZE_CHANNELS && shape->rank > 2) {
        self->count = shape->size[0];
        self->inner = adit_shape_count(shape) / MAX(shape->size[0], 1);
    }
    self->mean = g_new0(double, self->count);
    self->scale = g_new0(double, self->count);
}

/* (array length=count): where each of @count elements belongs, so that nothing is divided in a loop
 * over the data. */
static gsize *
adit_standardization_list_owners(const AditStandardization *self, gsize count)
{
    gsize *owners = g_new0(gsize, count);

    for (gsize i = 0; i < count && self->count > 0; i++)
        owners[i] = i / self->inner % self->count;
    return owners;
}

/* Means, and which are constants: those get scale 1, the others 0. */
static void
adit_standardization_measure_means(AditStandardization *self, const AditArray *array,
                                   const gint32 *index, gsize rows, const gsize *owners)
{
    gsize count = adit_shape_count(&array->shape);
    double values = (double) rows * (double) (count / self->count);
    g_autofree double *first = g_new(double, self->count);

    for (gsize k = 0; k < self->count; k++) {
        self->mean[k] = 0;
        self->scale[k] = 1;
    }
    for (gsize j = 0; j < count; j++)
        first[owners[j]] = adit_array_get(array, (gsize) index[0] * count + j);
    for (gsize i = 0; i < rows; i++)
        for (gsize j = 0; j < count; j++) {
            double value = adit_array_get(array, (gsize) index[i] * count + j);

            self->mean[owners[j]] += value;
            /* by its values: the variance of a constant may be a rounding error */
            if (value < first[owners[j]] || value > first[owners[j]])
                self->scale[owners[j]] = 0;
        }
    for (gsize k = 0; k < self->count; k++)
        self->mean[k] /= values;
}

void
adit_standardization_measure(AditStandardization *self, const AditArray *array, const gint32 *index,
                             gsize rows)
{
    gsize count = adit_shape_count(&array->shape);
    g_autofree gsize *owners = adit_standardization_list_owners(self, count);
    g_autofree double *squares = g_new0(double, self->count);

    if (self->count == 0 || rows == 0)
        return;
    adit_standardization_measure_means(self, array, index, rows, owners);
    for (gsize i = 0; i < rows; i++)
        for (gsize j = 0; j < count; j++) {
            double value =
                adit_array_get(array, (gsize) index[i] * count + j) - self->mean[owners[j]];

            squares[owners[j]] += value * value;
        }
    for (gsize k = 0; k < self->count; k++)
        if (self->scale[k] < 1)
            self->scale[k] = sqrt(squares[k] / ((double) rows * (double) (count / self->count)));
}

AditArray *
adit_standardization_apply(const AditStandardization *self, AditArray *array, const char *what,
                           GError **error)
{
    g_autoptr(AditArray) result =
        adit_array_new(ADIT_TYPE_CODE_F32, &array->shape, array->rows, error);
    gsize count = adit_shape_count(&array->shape);
    g_autofree gsize *owners = adit_standardization_list_owners(self, count);

    if (result == NULL)
        return NULL;
    for (gsize i = 0; i < array->rows; i++)
        for (gsize j = 0; j < count; j++) {
            double value = adit_array_get(array, i * count + j);

            if (self->count > 0)
                value = (value - self->mean[owners[j]]) / self->scale[owners[j]];
            if (!(fabs(value) <= (double) FLT_MAX)) {
                g_autofree char *place = adit_array_describe_index(array, i * count + j);

                g_set_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED, "%s %s is %g, beyond float32",
                            what, place, value);
                return NULL;
            }
            ((float *) result->data)[i * count + j] = (float) value;
        }
    return g_steal_pointer(&result);
}
