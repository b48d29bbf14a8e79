/* core/report/adit-scale.h - SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * AditScale: what an axis or a range of colours goes from and to.
 * @is_wide: logarithmic: no number is negative, and those that are not zero span two decades or
 * more, the lowest twentieth of them left out
 * @low, @high: the ends, without a margin; of a wide scale @low is positive, and what is below it
 * lies on the edge, as does what is a thousand times what all but a twentieth of the numbers are
 */
typedef struct {
    gboolean is_wide;
    double low;
    double high;
} AditScale;

/* @numbers: (element-type double): sorted in here; what is not finite does not count. Of none the
 * scale is 0 to 1. */
void adit_scale_init(AditScale *self, GArray *numbers);
/* Makes the scale of the sorted @numbers, as adit_scale_init() left them, one that is not
 * logarithmic. */
void adit_scale_make_even(AditScale *self, const GArray *numbers);
/* Where @number lies: 0 at @low, 1 at @high. */
double adit_scale_place(const AditScale *self, double number);
/* The number at @place: adit_scale_place() backwards. */
double adit_scale_get(const AditScale *self, double place);

G_END_DECLS
