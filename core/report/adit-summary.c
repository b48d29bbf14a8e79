/* core/report/adit-summary.c - SPDX-License-Identifier: MIT */
#include "adit-summary.h"

#include <math.h>

#define DIGITS     4    /* of a number without a spread */
#define MAX_DIGITS 6    /* of a mean with one */
#define SMALLEST   1e-4 /* what is smaller or larger has an exponent */
#define LARGEST    1e7

void
adit_summary_init(AditSummary *self, const double *values, guint n)
{
    double sum = 0, squares = 0;

    *self = (AditSummary){.n = n, .mean = NAN, .low = NAN, .high = NAN};
    if (n == 0)
        return;
    self->low = self->high = values[0];
    for (guint i = 0; i < n; i++) {
        sum += values[i];
        self->low = fmin(self->low, values[i]);
        self->high = fmax(self->high, values[i]);
    }
    self->mean = sum / n;
    for (guint i = 0; i < n; i++)
        squares += (values[i] - self->mean) * (values[i] - self->mean);
    self->deviation = n > 1 ? sqrt(squares / (n - 1)) : 0;
}

/* The place of the first digit of @value: 0 for 1..9, -2 for 0.01..0.09, as %.0e rounds. */
static int
get_magnitude(double value)
{
    return value != 0 ? (int) floor(log10(fabs(value)) + 1e-12) : 0;
}

static char *
format(double value, char conversion, int digits)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    g_autofree char *whole = g_strdup_printf("%%.%d%c", digits, conversion);

    return g_strdup(g_ascii_formatd(text, sizeof text, whole, value));
}

static char *
format_other(double value)
{
    if (isnan(value))
        return g_strdup("nan");
    return g_strdup(value > 0 ? "inf" : "-inf");
}

char *
adit_number_to_data(double value)
{
    return isfinite(value) ? format(value, 'g', 9) : format_other(value);
}

char *
adit_number_to_text(double value)
{
    double size = fabs(value);

    if (!isfinite(value))
        return format_other(value);
    if (value == floor(value) && size < 1e15)
        return format(value, 'f', 0);
    if (size < SMALLEST || size >= LARGEST)
        return format(value, 'e', DIGITS - 1);
    return format(value, 'f', MAX(DIGITS - 1 - get_magnitude(value), 0));
}

/* With so many decimals that the deviation shows two digits. */
static char *
format_pair(double mean, double deviation)
{
    int places = MAX(1 - get_magnitude(deviation), 0);
    int most = MAX(MAX_DIGITS - 1 - get_magnitude(mean), 0);
    g_autofree char *left = NULL;
    g_autofree char *right = NULL;

    if (fabs(mean) >= LARGEST || (fabs(mean) < SMALLEST && deviation < SMALLEST)) {
        left = format(mean, 'e', DIGITS - 1);
        right = format(deviation, 'e', 1);
    } else {
        left = format(mean, 'f', MIN(places, most));
        right = places > most + 1 ? format(deviation, 'e', 0)
                                  : format(deviation, 'f', MIN(places, most));
    }
    return g_strdup_printf("%s ± %s", left, right);
}

char *
adit_summary_to_text(const AditSummary *self, guint expected)
{
    g_autofree char *text = NULL;

    if (self->n == 0)
        return g_strdup(self->failed > 0 ? "failed" : self->diverged > 0 ? "diverged" : "-");
    if (isfinite(self->mean) && self->deviation > 0)
        text = format_pair(self->mean, self->deviation);
    else
        text = adit_number_to_text(self->mean);
    if (self->n == expected)
        return g_steal_pointer(&text);
    GString *counted = g_string_new(text);

    g_string_append_printf(counted, " (n = %u", self->n);
    if (self->failed > 0)
        g_string_append_printf(counted, ", %u failed", self->failed);
    if (self->diverged > 0)
        g_string_append_printf(counted, ", %u diverged", self->diverged);
    g_string_append_c(counted, ')');
    return g_string_free(counted, FALSE);
}
