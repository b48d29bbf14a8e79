/* core/report/adit-scale.c - SPDX-License-Identifier: MIT */
#include "adit-scale.h"

#include <math.h>

#define WIDE    100.0 /* two decades */
#define OUTLIER 20    /* one in so many does not decide */
#define DEEPEST 1e-9  /* the end of a wide scale, as a part of its highest number */
#define HIGHEST 1000  /* its other end, as a multiple of what the numbers are, outliers apart */

static int
compare(gconstpointer a, gconstpointer b)
{
    double x = *(const double *) a, y = *(const double *) b;

    return (x > y) - (x < y);
}

static void
keep_finite(GArray *numbers)
{
    guint kept = 0;

    for (guint i = 0; i < numbers->len; i++) {
        double number = g_array_index(numbers, double, i);

        if (isfinite(number))
            g_array_index(numbers, double, kept++) = number;
    }
    g_array_set_size(numbers, kept);
}

void
adit_scale_init(AditScale *self, GArray *numbers)
{
    guint zeros = 0;

    keep_finite(numbers);
    g_array_sort(numbers, compare);
    *self = (AditScale){.low = 0, .high = 1};
    if (numbers->len == 0)
        return;
    self->low = g_array_index(numbers, double, 0);
    self->high = g_array_index(numbers, double, numbers->len - 1);
    while (zeros < numbers->len && g_array_index(numbers, double, zeros) == 0)
        zeros++;
    if (self->low < 0 || zeros == numbers->len)
        return;

    double lowest = g_array_index(numbers, double, zeros);
    guint outliers = (numbers->len - zeros) / OUTLIER;
    double usual = g_array_index(numbers, double, zeros + outliers);
    double most = g_array_index(numbers, double, numbers->len - 1 - outliers);

    self->is_wide = self->high >= WIDE * usual;
    if (!self->is_wide)
        return;
    self->high = fmin(self->high, HIGHEST * most);
    self->low = fmax(lowest, self->high * DEEPEST);
}

void
adit_scale_make_even(AditScale *self, const GArray *numbers)
{
    self->is_wide = FALSE;
    if (numbers->len == 0)
        return;
    self->low = g_array_index(numbers, double, 0);
    self->high = g_array_index(numbers, double, numbers->len - 1);
}

double
adit_scale_place(const AditScale *self, double number)
{
    if (self->low == self->high)
        return 0.5;
    return self->is_wide ? log(number / self->low) / log(self->high / self->low)
                         : (number - self->low) / (self->high - self->low);
}

double
adit_scale_get(const AditScale *self, double place)
{
    if (self->low == self->high) /* around the one number that there is */
        return self->low + (place - 0.5) * (self->low != 0 ? fabs(self->low) : 1);
    return self->is_wide ? self->low * pow(self->high / self->low, place)
                         : self->low + (self->high - self->low) * place;
}
