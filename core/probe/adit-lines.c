/* core/probe/adit-lines.c - SPDX-License-Identifier: MIT */
#include "adit-lines.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static guint
find_word(const char *const *words, guint n, const char *word)
{
    guint i = 0;

    while (i < n && !g_str_equal(words[i], word))
        i++;
    return i;
}

static void
clear_spot(gpointer data)
{
    g_strfreev(((AditSpot *) data)->segments);
}

static void
line_free(gpointer data)
{
    AditLine *self = data;

    g_free(self->key);
    g_array_unref(self->spots);
    g_free(self);
}

static void
fork_free(gpointer data)
{
    AditFork *self = data;

    g_free(self->at);
    g_ptr_array_unref(self->paths);
    g_free(self);
}

/* ---- order ---- */

static int
compare_segments(const char *a, const char *b, gboolean first)
{
    static const char *const roots[] = {"input", "stem", "trunk", "head"};
    gulong x = strtoul(a, NULL, 10), y = strtoul(b, NULL, 10);

    if (first) {
        x = find_word(roots, G_N_ELEMENTS(roots), a);
        y = find_word(roots, G_N_ELEMENTS(roots), b);
    }
    return x != y ? (x < y ? -1 : 1) : strcmp(a, b);
}

static int
compare_addresses(const char *const *a, const char *const *b)
{
    guint i = 0;

    while (a[i] != NULL && g_strcmp0(a[i], b[i]) == 0)
        i++;
    if (a[i] == NULL || b[i] == NULL)
        return (a[i] == NULL) - (b[i] == NULL);
    return compare_segments(a[i], b[i], i == 0);
}

static int
compare_spots(gconstpointer a, gconstpointer b)
{
    const AditSpot *x = a, *y = b;
    int order =
        compare_addresses((const char *const *) x->segments, (const char *const *) y->segments);

    return order != 0 ? order : (int) x->port - (int) y->port;
}

static int
compare_lines(gconstpointer a, gconstpointer b)
{
    return strcmp((*(const AditLine *const *) a)->key, (*(const AditLine *const *) b)->key);
}

static int
compare_forks(gconstpointer a, gconstpointer b)
{
    g_auto(GStrv) x = g_strsplit((*(const AditFork *const *) a)->at, ".", -1);
    g_auto(GStrv) y = g_strsplit((*(const AditFork *const *) b)->at, ".", -1);

    return compare_addresses((const char *const *) x, (const char *const *) y);
}

/* ---- lines ---- */

/* How many of the segments name the line: up to the last that is a name. */
static guint
count_key(char **segments)
{
    guint n = g_strv_length(segments);

    while (n > 1 && g_ascii_isdigit(segments[n - 1][0]))
        n--;
    return n > 1 ? n : 0;
}

static char *
join_segments(char **segments, guint n)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < n; i++)
        g_string_append_printf(text, "%s%s", i > 0 ? "." : "", segments[i]);
    return g_string_free(text, FALSE);
}

static AditLine *
ensure_line(AditLines *self, char **segments)
{
    g_autofree char *key = join_segments(segments, count_key(segments));
    AditLine *line = (AditLine *) adit_lines_find(self, key);

    if (line != NULL)
        return line;
    line = g_new0(AditLine, 1);
    line->key = g_steal_pointer(&key);
    line->spots = g_array_new(FALSE, FALSE, sizeof(AditSpot));
    g_array_set_clear_func(line->spots, clear_spot);
    g_ptr_array_add(self->lines, line);
    return line;
}

static void
add_spot(AditLines *self, const char *address, double value)
{
    static const char *const ports[] = {"in", "linear", "pre", "out", "collect"};
    const char *colon = strchr(address, ':');
    g_autofree char *plain = g_strndup(address, strcspn(address, ":"));
    AditSpot spot = {address, value, g_strsplit(plain, ".", -1),
                     find_word(ports, G_N_ELEMENTS(ports), colon != NULL ? colon + 1 : "out")};
    AditLine *line = ensure_line(self, spot.segments);

    for (guint i = 0; i < line->spots->len; i++) {
        if (g_str_equal(g_array_index(line->spots, AditSpot, i).address, address)) {
            clear_spot(&spot);
            return;
        }
    }
    g_array_append_val(line->spots, spot);
}

/* ---- forks ---- */

static AditFork *
ensure_fork(AditLines *self, const char *at)
{
    AditFork *fork;

    for (guint i = 0; i < self->forks->len; i++) {
        fork = self->forks->pdata[i];
        if (g_str_equal(fork->at, at))
            return fork;
    }
    fork = g_new0(AditFork, 1);
    fork->at = g_strdup(at);
    fork->paths = g_ptr_array_new();
    g_ptr_array_add(self->forks, fork);
    return fork;
}

/* What lies before and behind it on the line that it is on. */
static void
find_ends(const AditLines *self, AditFork *fork)
{
    g_auto(GStrv) segments = g_strsplit(fork->at, ".", -1);
    g_autofree char *key = join_segments(segments, count_key(segments));
    const AditLine *line = adit_lines_find(self, key);

    for (guint i = 0; line != NULL && fork->behind == NULL && i < line->spots->len; i++) {
        const AditSpot *spot = &g_array_index(line->spots, AditSpot, i);
        int order =
            compare_addresses((const char *const *) spot->segments, (const char *const *) segments);

        if (order < 0 || (order == 0 && spot->port == 0))
            fork->before = spot;
        else
            fork->behind = spot;
    }
}

AditLines *
adit_lines_new(const char *const *addresses, const double *values, guint n)
{
    AditLines *self = g_new0(AditLines, 1);

    self->lines = g_ptr_array_new_with_free_func(line_free);
    self->forks = g_ptr_array_new_with_free_func(fork_free);
    for (guint i = 0; i < n; i++) {
        if (isfinite(values[i]) && !g_str_has_prefix(addresses[i], "exits"))
            add_spot(self, addresses[i], values[i]);
    }
    g_ptr_array_sort(self->lines, compare_lines);
    for (guint i = 0; i < self->lines->len; i++) {
        AditLine *line = self->lines->pdata[i];
        const char *name = strrchr(line->key, '.');

        g_array_sort(line->spots, compare_spots);
        if (name == NULL)
            continue;
        g_autofree char *at = g_strndup(line->key, (gsize) (name - line->key));
        g_ptr_array_add(ensure_fork(self, at)->paths, line);
    }
    for (guint i = 0; i < self->forks->len; i++)
        find_ends(self, self->forks->pdata[i]);
    g_ptr_array_sort(self->forks, compare_forks);
    return self;
}

void
adit_lines_free(AditLines *self)
{
    g_ptr_array_unref(self->forks);
    g_ptr_array_unref(self->lines);
    g_free(self);
}

const AditLine *
adit_lines_find(const AditLines *self, const char *key)
{
    for (guint i = 0; i < self->lines->len; i++) {
        const AditLine *line = self->lines->pdata[i];

        if (g_str_equal(line->key, key))
            return line;
    }
    return NULL;
}

const char *
adit_fork_get_name(const AditFork *self, const AditLine *path)
{
    return path->key + strlen(self->at) + 1;
}
