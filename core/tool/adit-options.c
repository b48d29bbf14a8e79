/* core/tool/adit-options.c - SPDX-License-Identifier: MIT */
#include "adit-tool.h"

#include "adit-suggest.h"

#include <string.h>

#define FIELD(member) G_STRUCT_OFFSET(AditOptions, member)

static const char *const when_words[] = {"auto", "always", "never", NULL};
static const char *const resume_words[] = {"never", "auto", "must", NULL};
static const char *const rule_words[] = {"shares",     "inequality", "greedy",
                                         "exhaustive", "constant",   NULL};
static const char *const unit_words[] = {"multiply-adds", "time", "joules", NULL};
static const char *const threshold_words[] = {"one", "each", NULL};
static const char *const split_words[] = {"test", "train", "validation", NULL};

/* In the order of the help. */
static const AditOptionRow rows[] = {
    {"override", 'o', ADIT_OPTION_TEXT, FIELD(overrides), "PATH=VALUE",
     "set any key of the pipeline; '+=' appends to a list, '=~' takes a key away; repeatable"},
    {"data", 0, ADIT_OPTION_TEXT, FIELD(data), "DIR", "what $data stands for; else ADIT_DATA"},
    {"device", 0, ADIT_OPTION_TEXT, FIELD(device), "NAME",
     "auto, cpu, vulkan, vulkan:N, vulkan:uuid=UUID or vulkan:name~=TEXT; else ADIT_DEVICE"},
    {"threads", 0, ADIT_OPTION_COUNT, FIELD(threads), "N", "threads of the CPU; else one a core"},
    {"run-dir", 0, ADIT_OPTION_TEXT, FIELD(run_dir), "DIR",
     "the run directory, new or empty; else a new one below --runs"},
    {"runs", 0, ADIT_OPTION_TEXT, FIELD(runs), "DIR", "where new run directories go; else runs"},
    {"resume", 0, ADIT_OPTION_WORD, FIELD(resume), "WHEN",
     "go on with the run in --run-dir: never, auto (if there is one), must", resume_words},
    {"limit-batches", 0, ADIT_OPTION_COUNT, FIELD(limit_batches), "N",
     "cut every epoch to N steps, and every evaluation to as many rows, drawn: a quick look"},
    {"overfit-batches", 0, ADIT_OPTION_COUNT, FIELD(overfit_batches), "N",
     "train on the first N batches alone"},
    {"max-time", 0, ADIT_OPTION_TEXT, FIELD(max_time), "TIME",
     "stop with a checkpoint after 30 s, 5 min, 2 h"},
    {"time", 0, ADIT_OPTION_TEXT, FIELD(time), "TIME", "of each of the five rounds; else 300 ms"},
    {"dry-run", 0, ADIT_OPTION_FLAG, FIELD(dry_run), NULL,
     "read and check everything, the data too, and start nothing"},
    {"strict-device", 0, ADIT_OPTION_FLAG, FIELD(strict_device), NULL,
     "exit with 10 if a kernel of the device is wrong, or right by a plainer form alone"},
    {"full", 0, ADIT_OPTION_FLAG, FIELD(full), NULL, "all shapes; else a few for each kernel"},
    {"split", 0, ADIT_OPTION_TEXT, FIELD(split), "NAME", "test, train or validation; else test",
     split_words},
    {"checkpoint", 0, ADIT_OPTION_TEXT, FIELD(checkpoint), "WHICH",
     "last, best or the number of a step; else last, of 'from' best"},
    {"batch", 0, ADIT_OPTION_COUNT, FIELD(batch), "N",
     "rows at a time; changes the speed and no figure"},
    {"output", 0, ADIT_OPTION_TEXT, FIELD(output), "PATH",
     "where the table goes: a file, for 'probe', 'compare' and 'exits truncate' a folder; else, and for '-', standard "
     "output"},
    {"accuracy-drop", 0, ADIT_OPTION_TEXT, FIELD(accuracy_drop), "SHARE",
     "leave as early as the accuracy, against the last answer's, allows: 0.5%"},
    {"budget", 0, ADIT_OPTION_TEXT, FIELD(budget), "SHARE",
     "the best accuracy at that mean cost, of the network's without exits: 40%"},
    {"latency", 0, ADIT_OPTION_TEXT, FIELD(latency), "TIME",
     "the best accuracy at that mean time of a row by itself on this device: 2 ms"},
    {"thresholds", 0, ADIT_OPTION_WORD, FIELD(thresholds), "WHICH",
     "one for all exits, or each its own: one, each; else one", threshold_words},
    {"by", 0, ADIT_OPTION_WORD, FIELD(by), "RULE",
     "shares, inequality, greedy, exhaustive or constant; else shares", rule_words},
    {"shares", 0, ADIT_OPTION_TEXT, FIELD(shares), "LIST",
     "of the network's cost, by shares: 15%,30%,45%"},
    {"among", 0, ADIT_OPTION_TEXT, FIELD(among), "ADDRESS",
     "where exits could be, by shares; else trunk.*"},
    {"th", 0, ADIT_OPTION_TEXT, FIELD(th), "SHARE",
     "of the greedy rule, the less the more rows must leave; else 100%"},
    {"unit", 0, ADIT_OPTION_WORD, FIELD(unit), "UNIT",
     "of costs: multiply-adds, time (milliseconds, measured on this device) or joules", unit_words},
    {"rate", 0, ADIT_OPTION_TEXT, FIELD(rate), "NUMBER", "joules of a multiply-add: 1e-12"},
    {"links", 0, ADIT_OPTION_TEXT, FIELD(links), "LIST",
     "what it costs to go on from each exit, in the unit: 0,0,5e4; else nothing"},
    {"keep", 0, ADIT_OPTION_COUNT, FIELD(keep), "N",
     "save the network with the trunk's first N items"},
    {"fold", 0, ADIT_OPTION_FLAG, FIELD(fold), NULL,
     "with the mean of what the others add, as one constant"},
    {"study-dir", 0, ADIT_OPTION_TEXT, FIELD(study_dir), "DIR",
     "the study directory; else studies/NAME"},
    {"jobs", 0, ADIT_OPTION_COUNT, FIELD(jobs), "N",
     "points at a time; else one a core on the CPU, one on a GPU"},
    {"together", 0, ADIT_OPTION_COUNT, FIELD(together), "N",
     "points of one graph that a process trains side by side; else 16 on a GPU, else 1"},
    {"shard", 0, ADIT_OPTION_TEXT, FIELD(shard), "I/N",
     "every N-th point, from the I-th on, beside other shards in one directory"},
    {"retry", 0, ADIT_OPTION_FLAG, FIELD(retry), NULL, "try points that diverged again"},
    {"report-only", 0, ADIT_OPTION_FLAG, FIELD(report_only), NULL,
     "run nothing; make table and report of the runs that are there"},
    {"layers", 0, ADIT_OPTION_FLAG, FIELD(layers), NULL,
     "every address with shape, parameters and multiply-adds"},
    {"receptive-field", 0, ADIT_OPTION_FLAG, FIELD(receptive_field), NULL,
     "what each layer sees of the input, on the path where it is least and most, and its kind"},
    {"border-layers", 0, ADIT_OPTION_FLAG, FIELD(border_layers), NULL,
     "drop the layers that see nothing new: all before them saw the whole input"},
    {"resolution", 0, ADIT_OPTION_TEXT, FIELD(resolution), "N|HxW",
     "of the network's input, 32 or 24x32; else the data's"},
    {"except-1x1", 0, ADIT_OPTION_FLAG, FIELD(except_1x1), NULL,
     "layers with a kernel of 1x1 are no border layers"},
    {"dot", 0, ADIT_OPTION_FLAG, FIELD(dot), NULL, "the graph in Graphviz' language"},
    {"broken", 0, ADIT_OPTION_FLAG, FIELD(broken), NULL, "plugins that were refused, and why"},
    {"resolved", 0, ADIT_OPTION_FLAG, FIELD(resolved), NULL,
     "with overrides, parameters and defaults filled in"},
    {"png", 0, ADIT_OPTION_FLAG, FIELD(png), NULL,
     "pictures as PNG as well; a study has them anyway"},
    {"json", 0, ADIT_OPTION_FLAG, FIELD(json), NULL, "JSON on standard output"},
    {"to", 0, ADIT_OPTION_TEXT, FIELD(to), "AGGREGATOR", "what takes the place of skips: glonet"},
    {"color", 0, ADIT_OPTION_WORD, FIELD(colour), "WHEN",
     "colour of messages: auto, always, never; auto honours NO_COLOR", when_words},
    {"progress", 0, ADIT_OPTION_WORD, FIELD(progress), "WHEN",
     "a progress bar: auto (on a terminal), always, never", when_words},
    {"quiet", 'q', ADIT_OPTION_FLAG, FIELD(quiet), NULL, "warnings and errors alone on stderr"},
    {"verbose", 'v', ADIT_OPTION_FLAG, FIELD(verbose), NULL, "say more on stderr"},
    {"help", 'h', ADIT_OPTION_FLAG, FIELD(help), NULL, "show this help"},
};

const AditOptionRow *
adit_option_find(const char *name)
{
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (g_str_equal(rows[i].name, name))
            return &rows[i];
    }
    return NULL;
}

char *
adit_option_describe(const AditOptionRow *row)
{
    GString *text = g_string_new(NULL);

    if (row->letter != 0)
        g_string_append_printf(text, "-%c, ", row->letter);
    g_string_append_printf(text, "--%s", row->name);
    if (row->argument != NULL)
        g_string_append_printf(text, "%c%s", row->letter != 0 ? ' ' : '=', row->argument);
    return g_string_free(text, FALSE);
}

/* ---- reading ---- */

/* Where GOption leaves the texts of options that are no flags, until they are checked. */
typedef struct {
    char *values[G_N_ELEMENTS(rows)];
} Texts;

static gboolean
takes(const AditVerb *verb, const AditOptionRow *row)
{
    return g_strv_contains(verb->options, row->name);
}

static GOptionEntry *
make_entries(const AditVerb *verb, AditOptions *options, Texts *texts)
{
    GOptionEntry *entries = g_new0(GOptionEntry, G_N_ELEMENTS(rows) + 1);
    guint n = 0;

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        const AditOptionRow *row = &rows[i];
        gboolean flag = row->kind == ADIT_OPTION_FLAG;

        if (!takes(verb, row) || g_str_equal(row->name, "override"))
            continue;
        entries[n].long_name = row->name;
        entries[n].short_name = row->letter;
        entries[n].arg = flag ? G_OPTION_ARG_NONE : G_OPTION_ARG_FILENAME;
        entries[n].arg_data =
            flag ? (gpointer) G_STRUCT_MEMBER_P(options, row->field) : &texts->values[i];
        n++;
    }
    return entries;
}

static gboolean
set_count(const AditOptionRow *row, const char *text, guint64 *value, GError **error)
{
    if (g_ascii_string_to_unsigned(text, 10, 1, G_MAXINT64, value, NULL))
        return TRUE;
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                "'--%s' must be a whole number above 0, got \"%s\"", row->name, text);
    return FALSE;
}

static gboolean
check_word(const AditOptionRow *row, const char *text, int *value, GError **error)
{
    g_autofree char *list = g_strjoinv(", ", (char **) row->words);

    for (int i = 0; row->words[i] != NULL; i++) {
        if (g_str_equal(row->words[i], text)) {
            *value = i;
            return TRUE;
        }
    }
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID, "'--%s' must be one of %s, got \"%s\"",
                row->name, list, text);
    return FALSE;
}

static gboolean
set_texts(AditOptions *options, Texts *texts, GError **error)
{
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        const AditOptionRow *row = &rows[i];
        gpointer field = G_STRUCT_MEMBER_P(options, row->field);
        g_autofree char *text = g_steal_pointer(&texts->values[i]);
        int index = 0;

        if (text == NULL)
            continue;
        if (row->kind == ADIT_OPTION_COUNT && !set_count(row, text, field, error))
            return FALSE;
        if (row->words != NULL && !check_word(row, text, &index, error))
            return FALSE;
        if (row->kind == ADIT_OPTION_WORD)
            *(int *) field = index;
        if (row->kind == ADIT_OPTION_TEXT)
            *(char **) field = g_steal_pointer(&text);
    }
    return TRUE;
}

static gboolean
fail_unknown(const AditVerb *verb, const char *word, GError **error)
{
    g_autofree char *name = g_strndup(word + 2, strcspn(word + 2, "="));
    const char *near = g_str_has_prefix(word, "--")
                           ? adit_suggest(name, verb->options, g_strv_length((GStrv) verb->options))
                           : NULL;
    g_autofree char *hint = near != NULL ? g_strdup_printf("did you mean '--%s'?", near)
                                         : g_strdup_printf("adit %s --help lists them", verb->name);
    g_autofree char *shown = g_strndup(word, strcspn(word, "="));

    g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID, "unknown option '%s'; %s", shown, hint);
    return FALSE;
}

/* The first word that looks like an option and is none of @verb's. */
static const char *
find_unknown(const AditVerb *verb, char **words)
{
    for (; *words != NULL && !g_str_equal(*words, "--"); words++) {
        g_autofree char *name = g_strndup(*words, strcspn(*words, "="));
        gboolean known = FALSE;

        if (name[0] != '-' || name[1] == '\0')
            continue;
        for (const char *const *option = verb->options; *option != NULL; option++) {
            const AditOptionRow *row = adit_option_find(*option);

            known = known || (name[1] == '-' && g_str_equal(name + 2, *option)) ||
                    (name[1] != '-' && row->letter == name[1]);
        }
        if (!known)
            return *words;
    }
    return NULL;
}

/* Reads the options out of @words, which lose them. */
static gboolean
read_options(AditInvocation *self, int *n_words, char ***words, GError **error)
{
    Texts texts = {0};
    g_autofree GOptionEntry *entries = make_entries(self->verb, &self->options, &texts);
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autoptr(GError) failure = NULL;
    const char *unknown = find_unknown(self->verb, *words + 1);

    g_option_context_set_help_enabled(context, FALSE);
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, n_words, words, &failure)) {
        for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
            g_free(texts.values[i]);
        if (g_error_matches(failure, G_OPTION_ERROR, G_OPTION_ERROR_UNKNOWN_OPTION) &&
            unknown != NULL)
            return fail_unknown(self->verb, unknown, error);
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID, "%s; adit %s --help", failure->message,
                    self->verb->name);
        return FALSE;
    }
    gboolean good = set_texts(&self->options, &texts, error);

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        g_free(texts.values[i]);
    return good;
}

/* Whether @word is a parameter being set: name=value. */
static gboolean
is_assignment(const char *word)
{
    const char *equals = strchr(word, '=');

    return equals != NULL && g_ascii_islower(word[0]) &&
           memchr(word, '/', (gsize) (equals - word)) == NULL;
}

/* Takes "-o PATH=VALUE" off the words behind the verb; what is left of them goes to @rest. */
static gboolean
take_paths(AditInvocation *self, GPtrArray *rest, GError **error)
{
    const char *const *words = self->command_line;
    gboolean open = TRUE;

    for (guint i = adit_invocation_get_first_word(self); words[i] != NULL; i++) {
        gboolean is_path =
            open && (g_str_equal(words[i], "-o") || g_str_equal(words[i], "--override"));

        if (open && !is_path &&
            (g_str_has_prefix(words[i], "--override=") ||
             (g_str_has_prefix(words[i], "-o") && self->verb->has_overrides))) {
            g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                        "'%s' must be two words: -o PATH=VALUE", words[i]);
            return FALSE;
        }
        open = open && !g_str_equal(words[i], "--");
        if (!is_path || !self->verb->has_overrides) {
            g_ptr_array_add(rest, (gpointer) words[i]);
            g_ptr_array_add(self->overrides, g_strdup(""));
            continue;
        }
        if (words[i + 1] == NULL) {
            g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID, "'%s' needs a value: -o PATH=VALUE",
                        words[i]);
            return FALSE;
        }
        g_ptr_array_add(self->overrides, g_strdup("-o"));
        g_ptr_array_add(self->overrides, g_strdup(words[++i]));
        self->n_overrides++;
    }
    g_ptr_array_add(self->overrides, NULL);
    return TRUE;
}

guint
adit_invocation_get_first_word(const AditInvocation *self)
{
    return strchr(self->verb->name, ' ') != NULL ? 3 : 2;
}

/* Number of @word, which is one of the command line's by its address. */
static guint
find_word(const AditInvocation *self, const char *word)
{
    guint first = adit_invocation_get_first_word(self), i = first;

    while (self->command_line[i] != NULL && self->command_line[i] != word)
        i++;
    return i - first;
}

static gboolean
sort_words(AditInvocation *self, char **words, GError **error)
{
    const AditVerb *verb = self->verb;

    for (; *words != NULL; words++) {
        gboolean is_first = self->arguments->len == 0 && verb->min_arguments > 0;

        if (self->arguments->len == 0 && g_str_equal(*words, "--"))
            continue;
        if (verb->has_overrides && !is_first && is_assignment(*words)) {
            char **slot = (char **) &self->overrides->pdata[find_word(self, *words)];

            g_free(*slot);
            *slot = g_strdup(*words);
            self->n_overrides++;
            continue;
        }
        if (self->arguments->len == verb->max_arguments) {
            g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                        "unexpected argument '%s'; usage: adit %s %s", *words, verb->name,
                        verb->usage);
            return FALSE;
        }
        g_ptr_array_add(self->arguments, g_strdup(*words));
    }
    if (self->arguments->len >= verb->min_arguments || self->options.help)
        return TRUE;
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID, "too few arguments; usage: adit %s %s",
                verb->name, verb->usage);
    return FALSE;
}

gboolean
adit_invocation_parse(AditInvocation *self, GError **error)
{
    g_autoptr(GPtrArray) rest = g_ptr_array_new();
    int n_words;

    self->arguments = g_ptr_array_new_with_free_func(g_free);
    self->overrides = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(rest, (gpointer) self->command_line[0]);
    if (!take_paths(self, rest, error))
        return FALSE;
    n_words = (int) rest->len;
    g_ptr_array_add(rest, NULL);
    char **words = (char **) rest->pdata;

    return read_options(self, &n_words, &words, error) && sort_words(self, words + 1, error);
}

void
adit_invocation_clear(AditInvocation *self)
{
    AditOptions *options = &self->options;

    g_clear_pointer(&self->kernels, json_object_unref);
    g_clear_pointer(&self->device_note, g_free);
    g_clear_pointer(&self->arguments, g_ptr_array_unref);
    g_clear_pointer(&self->overrides, g_ptr_array_unref);
    g_free(options->data);
    g_free(options->device);
    g_free(options->run_dir);
    g_free(options->runs);
    g_free(options->max_time);
    g_free(options->time);
    g_free(options->split);
    g_free(options->checkpoint);
    g_free(options->output);
    g_free(options->study_dir);
    g_free(options->shard);
    g_free(options->to);
    g_free(options->resolution);
    g_free(options->accuracy_drop);
    g_free(options->budget);
    g_free(options->latency);
    g_free(options->shares);
    g_free(options->among);
    g_free(options->th);
    g_free(options->rate);
    g_free(options->links);
}
