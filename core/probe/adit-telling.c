/* core/probe/adit-telling.c - SPDX-License-Identifier: MIT */
#include "adit-telling.h"

#include "adit-lines.h"

#include <math.h>
#include <string.h>

/* What a probe's curve says, in words. Richter et al. 2022, "Should you go deeper?" and the paper
 * on multi-path networks tell tails, skipped layers and dominant paths by looking at curves; these
 * are the rules that stand in for the eye. Progress is 0 to 1. */

#define EQUAL    0.01 /* gains up to this are none */
#define FALL     0.02 /* falls above this are of a skipped layer */
#define APART    0.03 /* ends of paths up to this are together */
#define TAIL     3    /* layers that make a tail, at least */
#define LEFT     0.01 /* of the whole: what is below is nothing */
#define EXAMPLES 3    /* that a sentence has at most */

/**
 * Story: sentences about one column of one data set.
 * @prefix: "DATA: " where there are several
 */
typedef struct {
    GPtrArray *sentences;
    const char *prefix;
    const AditLines *lines;
} Story;

static void say(const Story *self, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void
say(const Story *self, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *sentence = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_ptr_array_add(self->sentences, g_strconcat(self->prefix, sentence, NULL));
}

static const AditSpot *
get_spot(const AditLine *line, guint index)
{
    return &g_array_index(line->spots, AditSpot, index);
}

static const AditSpot *
get_last(const AditLine *line)
{
    return get_spot(line, line->spots->len - 1);
}

/* ---- tails ---- */

/* The layers of the main line before the head. */
static guint
count_layers(const AditLine *line)
{
    guint n = line->spots->len;

    while (n > 0 && g_str_equal(get_spot(line, n - 1)->segments[0], "head"))
        n--;
    return n;
}

static void
tell_tail(const Story *self, const AditLine *line, guint n)
{
    double best = -HUGE_VAL;
    guint first = 0;

    for (guint i = 0; i < n; i++)
        best = fmax(best, get_spot(line, i)->value);
    while (get_spot(line, first)->value < best - EQUAL)
        first++;
    const AditSpot *spot = get_spot(line, first);

    if (n - first - 1 >= TAIL)
        say(self, "tail: behind %s (%.4g) nothing is better by more than %g: %u of %u layers",
            spot->address, spot->value, EQUAL, n - first - 1, n);
    else
        say(self, "no tail: %s (%.4g), layer %u of %u, is the first within %g of the best",
            spot->address, spot->value, first + 1, n, EQUAL);
}

/* ---- skipped layers ---- */

/**
 * Skips: what falls and comes back.
 * @layers: in all stretches
 */
typedef struct {
    guint stretches, layers;
    GString *examples;
} Skips;

static void
add_skip(Skips *self, const AditLine *line, guint fed, guint back)
{
    double least = HUGE_VAL;

    for (guint i = fed + 1; i < back; i++)
        least = fmin(least, get_spot(line, i)->value);
    self->layers += back - fed - 1;
    if (self->stretches++ >= EXAMPLES)
        return;
    g_string_append_printf(self->examples, "%s%s", self->examples->len > 0 ? ", " : "",
                           get_spot(line, fed + 1)->address);
    if (back - fed > 2)
        g_string_append_printf(self->examples, " to %s", get_spot(line, back - 1)->address);
    g_string_append_printf(self->examples, " (%.4g, %.4g, %.4g)", get_spot(line, fed)->value, least,
                           get_spot(line, back)->value);
}

/* What follows layer @fed and is below it by more than FALL, up to what is back; @n: nothing is. */
static guint
find_back(const AditLine *line, guint fed, guint n)
{
    guint i = fed + 1;

    while (i < n && get_spot(line, i)->value < get_spot(line, fed)->value - FALL)
        i++;
    return i;
}

static void
tell_skips(const Story *self, const AditLine *line, guint n)
{
    g_autoptr(GString) examples = g_string_new(NULL);
    Skips skips = {0, 0, examples};
    guint fed = 0, back = 0;

    for (; fed < n && (back = find_back(line, fed, n)) < n; fed = back) {
        if (back > fed + 1)
            add_skip(&skips, line, fed, back);
    }
    if (skips.stretches > 0)
        say(self,
            "skipped, zig-zag: %u of %u layers, in %u stretch%s, fall more than %g below what they "
            "are fed, and what follows is back: %s%s",
            skips.layers, n, skips.stretches, skips.stretches == 1 ? "" : "es", FALL, examples->str,
            skips.stretches > EXAMPLES ? ", ..." : "");
    gboolean decays = fed + 1 < n;

    if (decays)
        say(self,
            "skipped, decay: from %s on all %u layers stay more than %g below %s (%.4g); the last "
            "has %.4g",
            get_spot(line, fed + 1)->address, n - fed - 1, FALL, get_spot(line, fed)->address,
            get_spot(line, fed)->value, get_spot(line, n - 1)->value);
    if (skips.stretches == 0 && !decays)
        say(self, "no layer is skipped: none falls more than %g below what it is fed", FALL);
}

/* ---- parallel paths ---- */

/**
 * Kinship: forks of paths of the same names.
 * @names: of the paths: "long, short"
 * @forks: (element-type AditFork): borrowed
 */
typedef struct {
    char *names;
    GPtrArray *forks;
} Kinship;

static void
kinship_free(gpointer data)
{
    Kinship *self = data;

    g_free(self->names);
    g_ptr_array_unref(self->forks);
    g_free(self);
}

static char *
list_names(const AditFork *fork)
{
    GString *names = g_string_new(NULL);

    for (guint i = 0; i < fork->paths->len; i++)
        g_string_append_printf(names, "%s%s", i > 0 ? ", " : "",
                               adit_fork_get_name(fork, fork->paths->pdata[i]));
    return g_string_free(names, FALSE);
}

static GPtrArray *
group_forks(const AditLines *lines)
{
    GPtrArray *groups = g_ptr_array_new_with_free_func(kinship_free);

    for (guint i = 0; i < lines->forks->len; i++) {
        g_autofree char *names = list_names(lines->forks->pdata[i]);
        Kinship *group = NULL;

        for (guint j = 0; group == NULL && j < groups->len; j++) {
            if (g_str_equal(((Kinship *) groups->pdata[j])->names, names))
                group = groups->pdata[j];
        }
        if (group == NULL) {
            group = g_new0(Kinship, 1);
            group->names = g_steal_pointer(&names);
            group->forks = g_ptr_array_new();
            g_ptr_array_add(groups, group);
        }
        g_ptr_array_add(group->forks, lines->forks->pdata[i]);
    }
    return groups;
}

/* Among the paths' ends, and what they are joined in if it is known. */
static double
find_best_end(const AditFork *fork, gboolean joined)
{
    double best = joined && fork->behind != NULL ? fork->behind->value : -HUGE_VAL;

    for (guint i = 0; i < fork->paths->len; i++)
        best = fmax(best, get_last(fork->paths->pdata[i])->value);
    return best;
}

/* A path that ends below what it is fed, and below another path or what is behind the fork, does
 * not measurably bring the answer nearer. */
static gboolean
is_passed_by(const AditFork *fork, const AditLine *path)
{
    double end = get_last(path)->value;

    return fork->before != NULL && end < fork->before->value - APART &&
           end < find_best_end(fork, TRUE) - APART;
}

static gboolean
is_together(const AditFork *fork)
{
    double best = find_best_end(fork, FALSE);

    for (guint i = 0; i < fork->paths->len; i++) {
        if (get_last(fork->paths->pdata[i])->value < best - APART)
            return FALSE;
    }
    return TRUE;
}

/* Where the path named as number @index of the group does not count. */
static guint
tell_passed_by(const Story *self, const Kinship *group, guint index)
{
    const AditFork *first = group->forks->pdata[0], *worst = NULL;
    const char *name = adit_fork_get_name(first, first->paths->pdata[index]);
    guint n = 0;
    double most = -HUGE_VAL;

    for (guint i = 0; i < group->forks->len; i++) {
        const AditFork *fork = group->forks->pdata[i];
        const AditLine *path = fork->paths->pdata[index];

        if (!is_passed_by(fork, path))
            continue;
        double fall = fork->before->value - get_last(path)->value;

        n++;
        worst = fall > most ? fork : worst;
        most = fmax(most, fall);
    }
    if (n == 0)
        return 0;
    g_autofree char *behind =
        worst->behind != NULL
            ? g_strdup_printf("; behind the block it is %.4g", worst->behind->value)
            : g_strdup("");

    say(self,
        "path '%s' is non-dominant in %u of %u blocks: it ends more than %g below what it is fed, "
        "and below what others give; most in %s: %.4g to %.4g%s",
        name, n, group->forks->len, APART, worst->at, worst->before->value,
        get_last(worst->paths->pdata[index])->value, behind);
    return n;
}

static void
tell_group(const Story *self, const Kinship *group)
{
    const AditFork *first = group->forks->pdata[0];
    guint n_paths = first->paths->len, together = 0;

    for (guint i = 0; i < n_paths; i++) {
        const char *name = adit_fork_get_name(first, first->paths->pdata[i]);
        guint passed = tell_passed_by(self, group, i), dominant = 0;

        for (guint j = 0; passed < group->forks->len && j < group->forks->len; j++) {
            const AditFork *fork = group->forks->pdata[j];
            gboolean others = FALSE;

            for (guint k = 0; k < n_paths; k++)
                others = others || (k != i && is_passed_by(fork, fork->paths->pdata[k]));
            dominant += others && !is_passed_by(fork, fork->paths->pdata[i]);
        }
        if (dominant > 0)
            say(self, "path '%s' is dominant in %u of %u blocks: it advances where others do not",
                name, dominant, group->forks->len);
    }
    for (guint i = 0; i < group->forks->len; i++)
        together += is_together(group->forks->pdata[i]);
    if (n_paths > 1)
        say(self, "paths %s coexist in %u of %u blocks: they end within %g of each other",
            group->names, together, group->forks->len, APART);
}

static void
tell_progress(const Story *self)
{
    const AditLine *line = adit_lines_find(self->lines, "");
    guint n = line != NULL ? count_layers(line) : 0;
    g_autoptr(GPtrArray) groups = group_forks(self->lines);

    if (n > 1) {
        tell_tail(self, line, n);
        tell_skips(self, line, n);
    }
    for (guint i = 0; i < groups->len; i++)
        tell_group(self, groups->pdata[i]);
}

/* ---- flow ---- */

static double
measure_mean(const AditLine *line)
{
    double sum = 0;

    for (guint i = 0; i < line->spots->len; i++)
        sum += get_spot(line, i)->value;
    return sum / line->spots->len;
}

/* How much less comes to path @less than to path @more, over all forks. */
static void
tell_smaller(const Story *self, const Kinship *group, guint less, guint more)
{
    const AditFork *first = group->forks->pdata[0];
    double product = 0;
    guint n = 0;

    for (guint i = 0; i < group->forks->len; i++) {
        const AditFork *fork = group->forks->pdata[i];
        double a = measure_mean(fork->paths->pdata[less]);
        double b = measure_mean(fork->paths->pdata[more]);

        n += a < b;
        product += log(a / b) / group->forks->len;
    }
    say(self,
        "path '%s' is given less than '%s' in %u of %u blocks, %.3g times as much in the mean",
        adit_fork_get_name(first, first->paths->pdata[less]),
        adit_fork_get_name(first, first->paths->pdata[more]), n, group->forks->len, exp(product));
}

static guint
count_spots(const Kinship *group, guint path)
{
    const AditFork *first = group->forks->pdata[0];

    return ((const AditLine *) first->paths->pdata[path])->spots->len;
}

static void
tell_flow(const Story *self)
{
    const AditLine *line = adit_lines_find(self->lines, "");
    guint n = line != NULL ? count_layers(line) : 0;
    g_autoptr(GPtrArray) groups = group_forks(self->lines);

    if (n > 1)
        say(self, "what comes to the first layer, %s, is %.3g times what comes to the last, %s",
            get_spot(line, 0)->address, get_spot(line, 0)->value / get_spot(line, n - 1)->value,
            get_spot(line, n - 1)->address);
    for (guint i = 0; i < groups->len; i++) {
        const Kinship *group = groups->pdata[i];
        guint n_paths = ((const AditFork *) group->forks->pdata[0])->paths->len;

        for (guint j = 0; j < n_paths * n_paths; j++) {
            guint a = j / n_paths, b = j % n_paths;

            /* the longer one first */
            if (a < b && count_spots(group, a) >= count_spots(group, b))
                tell_smaller(self, group, a, b);
            else if (a < b)
                tell_smaller(self, group, b, a);
        }
    }
}

/* ---- depth ---- */

/* The first block behind which there is little from there on. */
static void
tell_depth(const Story *self)
{
    const AditLine *line = adit_lines_find(self->lines, "");
    guint n = line != NULL ? line->spots->len : 0, depth = n;

    while (depth > 0 && get_spot(line, depth - 1)->value <= LEFT)
        depth--;
    if (n == 0)
        return;
    depth = MIN(depth + 1, n);
    const AditSpot *spot = get_spot(line, depth - 1);

    say(self,
        "effective depth %u of %u: what all blocks behind %s add has %.2g of the whole, %g at most",
        depth, n, spot->address, spot->value, LEFT);
}

/* ---- tables ---- */

static guint
find_column(const AditProbeTable *table, const char *name)
{
    guint i = 0;

    while (!g_str_equal(table->columns[i], name))
        i++;
    return i;
}

static void
tell_column(AditProbeTable *self, const AditTelling *telling, const char *data, const char *prefix)
{
    g_autoptr(GPtrArray) addresses = g_ptr_array_new();
    g_autoptr(GArray) values = g_array_new(FALSE, FALSE, sizeof(double));
    guint column = find_column(self, telling->column);

    for (guint i = 0; i < self->rows->len; i++) {
        const AditProbeRow *row = &g_array_index(self->rows, AditProbeRow, i);

        if (!g_str_equal(row->data, data))
            continue;
        g_ptr_array_add(addresses, row->address);
        g_array_append_val(values, row->values[column]);
    }
    g_autoptr(AditLines) lines = adit_lines_new((const char *const *) addresses->pdata,
                                                (double *) (gpointer) values->data, addresses->len);
    Story story = {self->sentences, prefix, lines};

    if (telling->kind == ADIT_TELL_PROGRESS)
        tell_progress(&story);
    else if (telling->kind == ADIT_TELL_FLOW)
        tell_flow(&story);
    else
        tell_depth(&story);
}

void
adit_probe_table_tell(AditProbeTable *self, const AditTelling *telling)
{
    const char *data = NULL;
    const AditProbeRow *rows = (const AditProbeRow *) (gpointer) self->rows->data;

    if (telling == NULL)
        return;
    for (guint i = 0; i < self->rows->len; i++) {
        gboolean many = !g_str_equal(rows[0].data, rows[self->rows->len - 1].data);
        g_autofree char *prefix = g_strconcat(many ? rows[i].data : "", many ? ": " : "", NULL);

        if (g_strcmp0(rows[i].data, data) == 0)
            continue;
        data = rows[i].data;
        tell_column(self, telling, data, prefix);
    }
}
