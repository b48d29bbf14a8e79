/* core/tool/adit-verb-compare.c - SPDX-License-Identifier: MIT */
#include "adit-tool.h"

#include "adit-comparison.h"

#define MOST_ROWS 60 /* differences that are printed */

/* Takes @rows, all but the first column flush @side; those behind the @most-th are counted alone.
 */
static void
print_table(AditInvocation *self, GPtrArray *rows, char side, guint most)
{
    guint n = g_strv_length(g_ptr_array_index(rows, 0));
    g_autofree char *rest = g_strnfill(n - 1, side);
    g_autofree char *align = g_strconcat("l", rest, NULL);
    guint left = rows->len > most ? rows->len - most : 0;

    g_ptr_array_set_size(rows, (gint) (rows->len - left));
    adit_tool_print_table(self, rows, align);
    if (left > 0)
        adit_terminal_print(&self->terminal, "and %u more\n", left);
    g_ptr_array_unref(rows);
}

static void
print_tables(AditInvocation *self, const AditComparison *comparison)
{
    GPtrArray *differences = adit_comparison_list_differences(comparison);

    print_table(self, adit_comparison_list_runs(comparison), 'l', G_MAXUINT);
    adit_terminal_print(&self->terminal, "\n");
    if (differences->len > 1) {
        print_table(self, differences, 'r', MOST_ROWS);
    } else {
        adit_terminal_print(&self->terminal, "no differences but the seed\n");
        g_ptr_array_unref(differences);
    }
    adit_terminal_print(&self->terminal, "\n");
    print_table(self, adit_comparison_list_figures(comparison), 'r', G_MAXUINT);
}

static gboolean
run(AditInvocation *self, GError **error)
{
    const char *folder = self->options.output;
    gboolean to_page = folder != NULL && !g_str_equal(folder, "-");

    g_ptr_array_add(self->arguments, NULL);

    g_autoptr(AditComparison) comparison =
        adit_comparison_new((const char *const *) self->arguments->pdata, error);

    g_ptr_array_set_size(self->arguments, (gint) self->arguments->len - 1);
    if (comparison == NULL ||
        (to_page && !adit_comparison_write(comparison, folder, self->options.png, error)))
        return FALSE;
    if (self->options.json)
        adit_tool_print_json(self, adit_comparison_describe(comparison));
    else
        print_tables(self, comparison);
    if (to_page)
        adit_terminal_say(&self->terminal, "%s/report.html", folder);
    else
        adit_terminal_say(&self->terminal, "the curves: --output=DIR writes a page with all of it");
    return TRUE;
}

const AditVerb adit_verb_compare = {
    .name = "compare",
    .usage = "RUN RUN... [options]",
    .summary = "runs beside each other: differences, figures, curves",
    .about =
        "Prints which runs are of one configuration, the keys in which their pipelines differ, "
        "and best and last of every figure, mean ± standard deviation over the runs of a "
        "configuration: those that differ in the seed alone. Best is the most of an accuracy "
        "and the least of everything else.\n"
        "--output=DIR writes DIR/report.html, a page that needs nothing but itself, with "
        "the learning curves and those of the probes over each other as well, and DIR/report "
        "with what it is made of.",
    .options =
        (const char *const[]){"output", "png", "json", "color", "quiet", "verbose", "help", NULL},
    .min_arguments = 2,
    .max_arguments = G_MAXUINT,
    .run = run,
};
