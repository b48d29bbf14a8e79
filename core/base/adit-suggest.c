/* core/base/adit-suggest.c - SPDX-License-Identifier: MIT */
#include "adit-suggest.h"

#include <string.h>

#define MAX_WORD 64

/* Optimal string alignment: Damerau-Levenshtein without edits inside a transposed pair. */
static guint
measure_distance(const char *a, gsize n_a, const char *b, gsize n_b)
{
    guint rows[3][MAX_WORD + 1];
    guint *before = rows[0], *last = rows[1], *row = rows[2];

    for (gsize j = 0; j <= n_b; j++)
        last[j] = (guint) j;
    for (gsize i = 1; i <= n_a; i++) {
        row[0] = (guint) i;
        for (gsize j = 1; j <= n_b; j++) {
            guint cost = a[i - 1] != b[j - 1];

            row[j] = MIN(MIN(row[j - 1], last[j]) + 1, last[j - 1] + cost);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = MIN(row[j], before[j - 2] + 1);
        }
        guint *oldest = before;

        before = last;
        last = row;
        row = oldest;
    }
    return last[n_b];
}

const char *
adit_suggest(const char *word, const char *const *candidates, gsize n_candidates)
{
    const char *nearest = NULL;
    guint least = G_MAXUINT;
    gsize n_word = strlen(word);

    if (n_word == 0 || n_word > MAX_WORD)
        return NULL;
    for (gsize i = 0; i < n_candidates; i++) {
        gsize n = strlen(candidates[i]);

        if (n == 0 || n > MAX_WORD)
            continue;
        guint distance = measure_distance(word, n_word, candidates[i], n);
        guint allowed = MAX(1, (guint) (MAX(n, n_word) / 3));
        gboolean begins = n > n_word && strncmp(word, candidates[i], n_word) == 0;

        /* a word all of whose letters would change is not a typing error */
        if (distance > allowed || distance >= MIN(n, n_word))
            continue;
        /* letters left out at the end are an abbreviation: nothing written is wrong */
        if (begins)
            distance = 1;
        if (distance < least) {
            least = distance;
            nearest = candidates[i];
        }
    }
    return nearest;
}
