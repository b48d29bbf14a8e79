/* core/tool/adit-help.c - SPDX-License-Identifier: MIT */
#include "adit-tool.h"

#include <string.h>

#define WIDTH        79
#define OPTION_WIDTH 28

void
adit_help_fill(GString *out, const char *text, gsize column, gsize indent)
{
    g_auto(GStrv) words = g_strsplit(text, " ", -1);

    for (guint i = 0; words[i] != NULL; i++) {
        gsize length = (gsize) g_utf8_strlen(words[i], -1);

        if (i > 0 && column + 1 + length > WIDTH) {
            g_string_append_printf(out, "\n%*s", (int) indent, "");
            column = indent;
        } else if (i > 0) {
            g_string_append_c(out, ' ');
            column++;
        }
        g_string_append(out, words[i]);
        column += length;
    }
    g_string_append_c(out, '\n');
}

static void
append_option(GString *out, const AditOptionRow *row)
{
    g_autofree char *form = adit_option_describe(row);
    g_autofree char *padded = g_strdup_printf("  %s", form);
    int missing = OPTION_WIDTH - (int) strlen(padded);

    g_string_append(out, padded);
    if (missing > 1)
        g_string_append_printf(out, "%*s", missing, "");
    else
        g_string_append_printf(out, "\n%*s", OPTION_WIDTH, "");
    adit_help_fill(out, row->help, OPTION_WIDTH, OPTION_WIDTH);
}

static void
append_verb_help(GString *out, const AditVerb *verb)
{
    g_auto(GStrv) paragraphs = g_strsplit(verb->about, "\n", -1);
    g_autofree char *usage = g_strdup_printf("usage: adit %s %s", verb->name, verb->usage);

    adit_help_fill(out, usage, 0, strlen("usage: adit ") + strlen(verb->name) + 1);
    for (guint i = 0; paragraphs[i] != NULL; i++) {
        g_string_append_c(out, '\n');
        adit_help_fill(out, paragraphs[i], 0, 0);
    }
    g_string_append(out, "\nOptions:\n");
    for (guint i = 0; verb->options[i] != NULL; i++)
        append_option(out, adit_option_find(verb->options[i]));
}

char *
adit_help_make(const AditVerb *verb)
{
    GString *out = g_string_new(NULL);

    if (verb != NULL) {
        append_verb_help(out, verb);
        return g_string_free(out, FALSE);
    }
    g_string_append(out, "usage: adit VERB [arguments] [options]\n"
                         "       adit --version\n\n"
                         "Experiments on how deep networks are wired and what their depth does.\n\n"
                         "Verbs:\n");
    for (const AditVerb *const *each = adit_verbs_list(); *each != NULL; each++)
        g_string_append_printf(out, "  %-15s %s\n", (*each)->name, (*each)->summary);
    g_string_append(
        out, "\n'adit VERB --help' tells a verb's arguments and options.\n\n"
             "Exit codes: 0 done; 1 failed; 2 bad command line or pipeline; 3 input not\n"
             "found; 4 input damaged; 5 output not written; 6 no device; 7 device lost;\n"
             "8 out of memory; 9 loss not finite; 10 check failed; 11 points of a study\n"
             "failed; 12 plugin refused; 75 stopped on request, state saved; 128+N ended at\n"
             "once by signal N (130: Ctrl-C), back to the last checkpoint if there is one.\n");
    return g_string_free(out, FALSE);
}
