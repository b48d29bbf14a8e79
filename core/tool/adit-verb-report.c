/* core/tool/adit-verb-report.c - SPDX-License-Identifier: MIT */
#include "adit-tool.h"

#include "adit-report.h"

/* One that fails does not hold up the others; the first failure is the end's. */
static gboolean
run(AditInvocation *self, GError **error)
{
    g_autoptr(GError) first = NULL;

    for (guint i = 0; i < self->arguments->len; i++) {
        const char *folder = self->arguments->pdata[i];
        g_autofree char *page = g_build_filename(folder, "report.html", NULL);
        g_autoptr(GError) failure = NULL;

        if (adit_report_write_page(folder, self->options.png, &failure))
            adit_terminal_print(&self->terminal, "%s\n", page);
        else if (first == NULL)
            first = g_steal_pointer(&failure);
        else
            adit_terminal_complain(&self->terminal, self->verb->name, failure);
    }
    if (first == NULL)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&first));
    return FALSE;
}

const AditVerb adit_verb_report = {
    .name = "report",
    .usage = "RUN|STUDY... [options]",
    .summary = "a page with the pictures and tables of a run or a study",
    .about =
        "Writes report.html into the folder of each run and study: one page that needs "
        "nothing but itself, for a screen of any width, light or dark, and for paper. Of a "
        "run it has the learning curves, what its exits come to over their cost, every table in "
        "its folder 'probes' as curves, bars or heat map, the pipeline, device, seeds, data, times, and what to know before; of a "
        "study what its 'report' asks for and a line for each run.\n"
        "The pictures and what they are made of lie in the folder 'report' beside it: CSV, "
        "SVG and a script that draws each again. Without gnuplot the page comes with the "
        "tables alone. The page's path is printed.",
    .options = (const char *const[]){"png", "color", "quiet", "verbose", "help", NULL},
    .min_arguments = 1,
    .max_arguments = G_MAXUINT,
    .run = run,
};
