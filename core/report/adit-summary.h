/* core/report/adit-summary.h - SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * AditSummary: some values as one.
 * @n: how many there are
 * @failed, @diverged: points that did, and so have none
 * @mean: NaN or infinite as soon as one value is; NaN of none
 * @deviation: standard deviation of a sample (n - 1); 0 of one value
 */
typedef struct {
    guint n;
    guint failed;
    guint diverged;
    double mean;
    double deviation;
    double low;
    double high;
} AditSummary;

void adit_summary_init(AditSummary *self, const double *values, guint n);

/* (transfer full): "0.0251 ± 0.0015": two digits of the deviation and the mean down to them; one
 * value or equal values as adit_number_to_text(). "failed" or "diverged" if all that is known is
 * that, "-" if nothing is. @expected: how many values there should be; another number is said: "(n
 * = 2, 1 failed)". */
char *adit_summary_to_text(const AditSummary *self, guint expected);
/* (transfer full): four significant digits; integers whole; "nan", "inf", "-inf" */
char *adit_number_to_text(double value);
/* (transfer full): nine significant digits, for files that programs read */
char *adit_number_to_data(double value);

G_END_DECLS
