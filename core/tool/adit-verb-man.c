/* core/tool/adit-verb-man.c - SPDX-License-Identifier: MIT */
#include "adit-tool.h"

/* Manual pages, printed for the build out of what the help is made of. */

/* Text as roff reads it: a minus as such, no line that begins like a request. */
static char *
escape(const char *text)
{
    GString *out = g_string_new(NULL);

    if (*text == '.' || *text == '\'')
        g_string_append(out, "\\&");
    for (; *text != '\0'; text++) {
        if (*text == '-')
            g_string_append(out, "\\-");
        else if (*text == '\\')
            g_string_append(out, "\\e");
        else
            g_string_append_c(out, *text);
    }
    return g_string_free(out, FALSE);
}

static void
print_escaped(AditTerminal *terminal, const char *format, const char *text)
{
    g_autofree char *escaped = escape(text);
    g_auto(GStrv) parts = g_strsplit(format, "@", 2);

    adit_terminal_print(terminal, "%s%s%s", parts[0], escaped, parts[1]);
}

static void
print_heading(AditTerminal *terminal, const char *page, const char *summary)
{
    g_autofree char *upper = g_ascii_strup(page, -1);

    print_escaped(terminal, ".TH @ 1 \"\" \"adit " ADIT_VERSION "\" \"User Commands\"\n", upper);
    print_escaped(terminal, ".SH NAME\n@", page);
    print_escaped(terminal, " \\- @\n", summary);
}

/* "adit-exits-eval" */
static char *
name_page(const AditVerb *verb)
{
    return g_strdelimit(g_strconcat("adit-", verb->name, NULL), " ", '-');
}

static void
print_verb(AditTerminal *terminal, const AditVerb *verb)
{
    g_autofree char *page = name_page(verb);
    g_auto(GStrv) paragraphs = g_strsplit(verb->about, "\n", -1);

    print_heading(terminal, page, verb->summary);
    print_escaped(terminal, ".SH SYNOPSIS\n.B adit @\n", verb->name);
    print_escaped(terminal, "@\n.SH DESCRIPTION\n", verb->usage);
    for (guint i = 0; paragraphs[i] != NULL; i++)
        print_escaped(terminal, ".PP\n@\n", paragraphs[i]);
    adit_terminal_print(terminal, ".SH OPTIONS\n");
    for (guint i = 0; verb->options[i] != NULL; i++) {
        const AditOptionRow *row = adit_option_find(verb->options[i]);
        g_autofree char *form = adit_option_describe(row);

        print_escaped(terminal, ".TP\n.B @\n", form);
        print_escaped(terminal, "@\n", row->help);
    }
    adit_terminal_print(terminal, ".SH SEE ALSO\n.BR adit (1)\n");
}

static void
print_main(AditTerminal *terminal)
{
    g_autofree char *help = adit_help_make(NULL);
    g_autofree char *escaped = escape(help);
    const AditVerb *const *verbs = adit_verbs_list();

    print_heading(terminal, "adit",
                  "experiments on how deep networks are wired and what their depth does");
    adit_terminal_print(terminal, ".SH DESCRIPTION\n.nf\n%s.fi\n.SH ENVIRONMENT\n", escaped);
    print_escaped(terminal, ".TP\n.B ADIT_DATA\n@\n", "what $data stands for without --data");
    print_escaped(terminal, ".TP\n.B ADIT_DEVICE\n@\n", "the device without --device");
    print_escaped(terminal, ".TP\n.B ADIT_VULKAN_LIBRARY\n@\n",
                  "the Vulkan loader; else libvulkan.so.1");
    print_escaped(terminal, ".TP\n.B ADIT_VULKAN_VALIDATION\n@\n",
                  "1: every call of Vulkan is checked by its validation layer");
    print_escaped(terminal, ".TP\n.B ADIT_ISA\n@\n",
                  "the instruction set of the CPU: portable, avx2, avx512, neon; else the best");
    print_escaped(terminal, ".TP\n.B ADIT_PLUGIN_PATH\n@\n",
                  "folders with plugins, parted by colons, looked at first");
    print_escaped(terminal, ".TP\n.B NO_COLOR\n@\n", "any text: no colour unless --color=always");
    adit_terminal_print(terminal, ".SH SEE ALSO\n");
    for (guint i = 0; verbs[i] != NULL; i++) {
        g_autofree char *page = name_page(verbs[i]);

        print_escaped(terminal, ".BR @ (1)", page);
        adit_terminal_print(terminal, "%s\n", verbs[i + 1] != NULL ? "," : "");
    }
}

static gboolean
run(AditInvocation *self, GError **error)
{
    const char *name = self->arguments->len > 0 ? self->arguments->pdata[0] : NULL;
    const AditVerb *const *verbs = adit_verbs_list();

    if (name == NULL) {
        print_main(&self->terminal);
        return TRUE;
    }
    for (guint i = 0; verbs[i] != NULL; i++) {
        if (g_str_equal(verbs[i]->name, name)) {
            print_verb(&self->terminal, verbs[i]);
            return TRUE;
        }
    }
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID, "no verb '%s'", name);
    return FALSE;
}

const AditVerb adit_verb_man = {
    .name = "man",
    .usage = "[VERB]",
    .summary = "print a manual page",
    .about = "Prints the manual page of a verb, or of the command, in roff.",
    .options = (const char *const[]){"color", "help", NULL},
    .max_arguments = 1,
    .run = run,
};
