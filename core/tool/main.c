/* core/tool/main.c - SPDX-License-Identifier: MIT */
#include "adit-tool.h"

#include "adit-suggest.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static const AditVerb *const verbs[] = {
    &adit_verb_run,
    &adit_verb_resume,
    &adit_verb_sweep,
    &adit_verb_check,
    &adit_verb_inspect,
    &adit_verb_devices,
    &adit_verb_selftest,
    &adit_verb_eval,
    &adit_verb_exits_eval,
    &adit_verb_exits_calibrate,
    &adit_verb_exits_place,
    &adit_verb_exits_truncate,
    &adit_verb_predict,
    &adit_verb_probe,
    &adit_verb_report,
    &adit_verb_compare,
    &adit_verb_bench,
    &adit_verb_config,
    &adit_verb_convert,
    &adit_verb_prune,
    NULL,
};

/* Not shown: what the build calls, and what `sweep` does. */
static const AditVerb *const hidden_verbs[] = {&adit_verb_man, &adit_verb_together, NULL};

const AditVerb *const *
adit_verbs_list(void)
{
    return verbs;
}

/* @more: (nullable): the word behind @word, which may be a part of the name */
static const AditVerb *
find_verb(const AditVerb *const *list, const char *word, const char *more)
{
    g_autofree char *both = g_strconcat(word, " ", more, NULL);

    for (; *list != NULL; list++) {
        if (g_str_equal((*list)->name, word) || g_str_equal((*list)->name, both))
            return *list;
    }
    return NULL;
}

/* "eval, calibrate": what may follow the word; NULL: it begins no verb of two words. */
static char *
list_seconds(const char *word)
{
    g_autofree char *begin = g_strconcat(word, " ", NULL);
    g_autoptr(GString) list = g_string_new(NULL);

    for (guint i = 0; verbs[i] != NULL; i++) {
        if (g_str_has_prefix(verbs[i]->name, begin))
            g_string_append_printf(list, "%s%s", list->len > 0 ? ", " : "",
                                   verbs[i]->name + strlen(begin));
    }
    return list->len > 0 ? g_string_free(g_steal_pointer(&list), FALSE) : NULL;
}

static void
suggest_verb(AditTerminal *terminal, const char *word)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    g_autofree char *seconds = list_seconds(word);

    if (seconds != NULL) {
        g_autoptr(GError) unfinished = g_error_new(ADIT_ERROR, ADIT_ERROR_INVALID,
                                                   "'%s' needs one of %s behind it", word, seconds);

        adit_terminal_complain(terminal, NULL, unfinished);
        return;
    }
    for (guint i = 0; verbs[i] != NULL; i++)
        g_ptr_array_add(names, (gpointer) verbs[i]->name);
    const char *near = adit_suggest(word, (const char *const *) names->pdata, names->len);
    const char *what = word[0] == '-' ? "option" : "verb";
    g_autoptr(GError) error =
        near != NULL ? g_error_new(ADIT_ERROR, ADIT_ERROR_INVALID,
                                   "unknown %s '%s'; did you mean '%s'?", what, word, near)
                     : g_error_new(ADIT_ERROR, ADIT_ERROR_INVALID,
                                   "unknown %s '%s'; adit --help lists the verbs", what, word);

    adit_terminal_complain(terminal, NULL, error);
}

/* Writes what was printed; @code, or that of the failure to write. */
static int
finish(AditTerminal *terminal, const char *verb, int code)
{
    g_autoptr(GError) error = NULL;

    if (!adit_terminal_flush(terminal, &error)) {
        adit_terminal_complain(terminal, verb, error);
        code = code != 0 ? code : error->code;
    }
    adit_terminal_clear(terminal);
    return code;
}

static int
run_verb(const AditVerb *verb, char **words)
{
    AditInvocation self = {.verb = verb, .command_line = (const char *const *) words};
    g_autoptr(GError) error = NULL;
    gboolean good = adit_invocation_parse(&self, &error);
    int code = 0;

    adit_terminal_init(&self.terminal, (AditWhen) self.options.colour,
                       (AditWhen) self.options.progress);
    self.terminal.quiet = self.options.quiet;
    self.terminal.verbose = self.options.verbose;
    adit_terminal_take_log(&self.terminal);
    if (good && self.options.help) {
        g_autofree char *help = adit_help_make(verb);

        adit_terminal_print(&self.terminal, "%s", help);
    } else if (good) {
        good = verb->run(&self, &error);
    }
    if (!good) {
        code = error->domain == ADIT_ERROR ? error->code : ADIT_ERROR_FAILED;
        adit_terminal_complain(&self.terminal, verb->name, error);
    }
    code = finish(&self.terminal, verb->name, code);
    adit_invocation_clear(&self);
    return code;
}

/* `adit`, `adit --help`, `adit --version`, `adit help VERB`. */
static int
run_without_verb(const char *word, const char *topic, const char *more)
{
    AditTerminal terminal = {0};
    const AditVerb *verb = topic != NULL ? find_verb(verbs, topic, more) : NULL;
    gboolean asked = word != NULL && (g_str_equal(word, "--help") || g_str_equal(word, "-h") ||
                                      g_str_equal(word, "help"));
    int code = 0;

    adit_terminal_init(&terminal, ADIT_WHEN_AUTO, ADIT_WHEN_NEVER);
    if (asked && (topic == NULL || verb != NULL)) {
        g_autofree char *help = adit_help_make(verb);

        adit_terminal_print(&terminal, "%s", help);
    } else if (word != NULL && g_str_equal(word, "--version")) {
        adit_terminal_print(&terminal, "adit %s\n", ADIT_VERSION);
    } else if (word != NULL) {
        suggest_verb(&terminal, asked ? topic : word);
        code = ADIT_ERROR_INVALID;
    } else {
        g_autofree char *help = adit_help_make(NULL);

        adit_terminal_say(&terminal, "%s", g_strchomp(help));
        code = ADIT_ERROR_INVALID;
    }
    return finish(&terminal, NULL, code);
}

/* A standard stream that is closed would be the next file opened, and get what is said. What stands
 * in for it refuses to be used the way it would be, so that this is seen. */
static void
fill_standard_streams(void)
{
    static const int flags[] = {O_WRONLY, O_RDONLY, O_RDONLY};

    for (int i = 0; i < (int) G_N_ELEMENTS(flags); i++) {
        if (fcntl(i, F_GETFD) < 0 && open("/dev/null", flags[i]) != i)
            _exit(ADIT_ERROR_FAILED);
    }
}

int
main(int argc, char **argv)
{
    const char *more = argc > 2 ? argv[2] : NULL;
    const AditVerb *verb = argc > 1 ? find_verb(verbs, argv[1], more) : NULL;

    fill_standard_streams();
    /* a reader that goes away and a limit on files are seen where the writing fails */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    if (verb == NULL && argc > 1)
        verb = find_verb(hidden_verbs, argv[1], NULL);
    if (verb != NULL)
        return run_verb(verb, argv);
    return run_without_verb(argc > 1 ? argv[1] : NULL, more, argc > 3 ? argv[3] : NULL);
}
