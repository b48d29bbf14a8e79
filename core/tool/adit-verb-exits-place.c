/* core/tool/adit-verb-exits-place.c - SPDX-License-Identifier: MIT */
#include "adit-exits.h"

#include "adit-exit.h"
#include "adit-node.h"
#include "adit-placement.h"

#include <math.h>

typedef enum { BY_SHARES, BY_INEQUALITY, BY_GREED, BY_EXHAUSTION, BY_CONSTANTS } Rule;
typedef enum { IN_MULTIPLY_ADDS, IN_TIME, IN_JOULES } Unit;

/* ---- lists on the command line ---- */

typedef gboolean (*ParseFunc)(const char *option, const char *text, double *value, GError **error);

static gboolean
parse_number(const char *option, const char *text, double *value, GError **error)
{
    char *end;

    *value = g_ascii_strtod(text, &end);
    if (end != text && *end == '\0' && isfinite(*value) && *value >= 0)
        return TRUE;
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                "'--%s' must be numbers of 0 at least, got \"%s\"", option, text);
    return FALSE;
}

/* (element-type double): of "15%,30%" */
static GArray *
parse_list(const char *option, const char *text, ParseFunc parse, GError **error)
{
    g_auto(GStrv) words = g_strsplit(text, ",", -1);
    g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(double));

    for (guint i = 0; words[i] != NULL; i++) {
        double value;

        if (!parse(option, g_strstrip(words[i]), &value, error))
            return NULL;
        g_array_append_val(list, value);
    }
    return g_steal_pointer(&list);
}

/* ---- by shares of the cost: before training ---- */

static void
add_row(GPtrArray *table, const char *const *cells)
{
    g_ptr_array_add(table, g_strdupv((char **) cells));
}

static void
print_candidates(AditInvocation *self, const AditCandidates *found, const GArray *shares)
{
    g_autoptr(GPtrArray) table = g_ptr_array_new_with_free_func((GDestroyNotify) g_strfreev);
    g_autoptr(GString) places = g_string_new(NULL);
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
    guint n = found->addresses->len;
    double whole = MAX(found->costs[n], 1);

    add_row(table, (const char *const[]){"share", "place", "multiply-adds", "of all", NULL});
    for (guint i = 0; i < shares->len; i++) {
        double share = g_array_index(shares, double, i);
        guint nearest = adit_placement_find_nearest(found->costs, n, share * whole);
        const char *address = found->addresses->pdata[nearest];
        g_autofree char *place = g_strndup(address, strcspn(address, ":"));
        g_autofree char *wanted = g_strdup_printf("%.4g%%", 100 * share);
        g_autofree char *cost = adit_tool_format_count((guint64) found->costs[nearest]);
        g_autofree char *got = g_strdup_printf("%.2f%%", 100 * found->costs[nearest] / whole);

        add_row(table, (const char *const[]){wanted, place, cost, got, NULL});
        /* shares may be nearest to the same place, which takes one exit */
        if (g_hash_table_add(seen, GUINT_TO_POINTER(nearest)))
            g_string_append_printf(places, "%s%s", places->len > 0 ? ", " : "", place);
    }
    adit_tool_print_table(self, table, "rlrr");
    adit_terminal_print(&self->terminal, "\nexits:\n  - {at: [%s], head: shared}\n", places->str);
}

static AditCandidates *
find_candidates(AditInvocation *self, const AditExperiment *experiment, const AditCheck *check,
                GError **error)
{
    const char *among = self->options.among != NULL ? self->options.among : "trunk.*";
    g_autofree char *address =
        strchr(among, ':') != NULL ? g_strdup(among) : g_strconcat(among, ":collect", NULL);
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_EVALUATION);
    g_autoptr(AditCandidates) found =
        adit_candidates_new(experiment, &check->shape, (const char *const[]){address, NULL}, graph);
    const GError *wrong = adit_graph_get_error(graph);

    if (wrong == NULL)
        return g_steal_pointer(&found);
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID, "--among=%s: %s", among, wrong->message);
    return NULL;
}

static gboolean
place_by_shares(AditInvocation *self, GError **error)
{
    const char *word = self->arguments->pdata[0];
    g_autofree char *path = g_file_test(word, G_FILE_TEST_IS_DIR)
                                ? g_build_filename(word, "config.resolved.yaml", NULL)
                                : g_strdup(word);
    g_auto(AditCheck) check = {0};

    if (self->options.shares == NULL) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "say at which shares of the cost: --shares=15%%,30%%,45%%");
        return FALSE;
    }
    g_autoptr(GArray) shares =
        parse_list("shares", self->options.shares, adit_tool_parse_share, error);
    g_autoptr(AditExperiment) experiment =
        shares != NULL ? adit_tool_read_shaped(self, path, &check, error) : NULL;
    g_autoptr(AditCandidates) found =
        experiment != NULL ? find_candidates(self, experiment, &check, error) : NULL;

    if (found == NULL)
        return FALSE;
    print_candidates(self, found, shares);
    return TRUE;
}

/* ---- by what rows do: after training ---- */

/**
 * Placing: the exits of a run being judged.
 * @arriving: (array length=n+1): shares of the rows
 * @constant, @adaptive: (array length=n): what is right of the rows that leave; NaN: not asked
 */
typedef struct {
    AditEvaluation evaluation;
    const AditSplit *split;
    AditExitTable *table;
    AditExitPrices *prices;
    double *arriving;
    double *constant;
    double *adaptive;
    gboolean *kept;
} Placing;

static void
placing_clear(Placing *self)
{
    adit_evaluation_clear(&self->evaluation);
    g_clear_pointer(&self->table, adit_exit_table_free);
    g_clear_pointer(&self->prices, adit_exit_prices_free);
    g_free(self->arriving);
    g_free(self->constant);
    g_free(self->adaptive);
    g_free(self->kept);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Placing, placing_clear)

/* In the unit of the options, without links. */
static gboolean
measure_costs(Placing *self, const AditOptions *options, AditExitPart part, double *costs,
              GError **error)
{
    double rate = 1;

    if (options->unit == IN_TIME) {
        if (!adit_exit_table_measure_seconds(self->table, self->evaluation.network, part,
                                             self->split, self->evaluation.batch, costs, error))
            return FALSE;
        rate = 1e3 / (double) MIN(self->evaluation.batch, self->split->rows);
    } else {
        adit_exit_table_count_work(self->table, self->evaluation.network, part, costs);
        if (options->unit == IN_JOULES && options->rate == NULL) {
            g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                        "joules need a rate: --rate=1e-12, those of a multiply-add");
            return FALSE;
        }
        if (options->unit == IN_JOULES && !parse_number("rate", options->rate, &rate, error))
            return FALSE;
    }
    for (guint i = 0; i < self->table->n; i++)
        costs[i] *= rate;
    return TRUE;
}

/* What it costs to go on from an exit is a cost of the trunk behind it. */
static gboolean
add_links(Placing *self, const char *text, GError **error)
{
    AditExitPrices *prices = self->prices;
    g_autoptr(GArray) links = text != NULL ? parse_list("links", text, parse_number, error) : NULL;
    double sum = 0;

    if (links == NULL)
        return text == NULL;
    if (links->len != prices->n) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "'--links' must be a number for each exit, got %u for %u exit%s", links->len,
                    prices->n, prices->n == 1 ? "" : "s");
        return FALSE;
    }
    for (guint i = 0; i < prices->n; i++) {
        sum += g_array_index(links, double, i);
        prices->trunk[i + 1] += sum;
    }
    return TRUE;
}

static gboolean
find_prices(Placing *self, const AditOptions *options, GError **error)
{
    guint n = self->table->n;
    g_autofree double *trunk = g_new0(double, n);
    g_autofree double *alone = g_new0(double, n);

    if (!measure_costs(self, options, ADIT_EXIT_TRUNK, trunk, error) ||
        !measure_costs(self, options, ADIT_EXIT_ALONE, alone, error))
        return FALSE;
    self->prices = adit_exit_prices_new(n - 1, trunk, alone);
    return add_links(self, options->links, error);
}

static void
count_arriving(Placing *self)
{
    const AditExitTable *table = self->table;

    for (gsize row = 0; row < table->rows; row++) {
        guint reached;

        adit_exit_table_choose(table, NULL, row, &reached);
        for (guint i = 0; i <= reached; i++)
            self->arriving[i] += 1 / (double) table->rows;
    }
}

static gboolean
begin(Placing *self, AditInvocation *invocation, GError **error)
{
    AditEvaluation *evaluation = &self->evaluation;

    if (!adit_evaluation_open(evaluation, invocation, error))
        return FALSE;
    self->split = adit_exits_choose_validation(invocation, evaluation, error);
    if (self->split == NULL || !adit_evaluation_fit(evaluation, invocation, error))
        return FALSE;
    if (evaluation->loss == NULL || !adit_network_has_exits(evaluation->network)) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "there is nothing to choose from: the network has no exits; --by=shares places "
                    "them before training");
        return FALSE;
    }
    AditEvaluationSetup setup = {.rows = self->split->rows, .batch = evaluation->batch};

    self->table = adit_exit_table_new(evaluation->network, self->split, &setup, error);
    if (self->table == NULL)
        return FALSE;
    if (self->table->measures == NULL) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "which rows leave is told by a policy that asks; -o inference.policy=entropy");
        return FALSE;
    }
    self->arriving = g_new0(double, self->table->n + 1);
    self->constant = g_new0(double, self->table->n);
    self->adaptive = g_new0(double, self->table->n);
    self->kept = g_new0(gboolean, self->table->n);
    count_arriving(self);
    return find_prices(self, &invocation->options, error);
}

static gboolean
choose_exhaustively(Placing *self, const AditOptions *options, GError **error)
{
    const AditExitTable *table = self->table;
    double drop = 0, cost, last;

    if (self->prices->n > ADIT_PLACEMENT_MOST) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "all combinations of %u exits are too many; the most is %d, --by=greedy takes "
                    "any number",
                    self->prices->n, ADIT_PLACEMENT_MOST);
        return FALSE;
    }
    if (options->accuracy_drop != NULL &&
        !adit_tool_parse_share("accuracy-drop", options->accuracy_drop, &drop, error))
        return FALSE;
    /* without any exit it is that of the last answer */
    adit_placement_weigh(table, self->prices, self->kept, &cost, &last);
    if (adit_placement_exhaustively(table, self->prices, last - drop, self->kept))
        return TRUE;
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                "no set of exits has an accuracy of %.6g at least and a cost that is a number; "
                "without exits a row costs %.4g",
                last - drop, cost);
    return FALSE;
}

static gboolean
choose(Placing *self, const AditOptions *options, GError **error)
{
    g_autofree double *classes = g_new0(double, self->table->rows + 1);
    g_autofree gsize *rows = g_new(gsize, self->table->rows + 1);
    double th = 1;

    switch ((Rule) options->by) {
    case BY_INEQUALITY:
        adit_placement_by_inequality(self->prices, self->arriving, self->kept);
        return TRUE;
    case BY_GREED:
        if (options->th != NULL && !adit_tool_parse_share("th", options->th, &th, error))
            return FALSE;
        adit_placement_greedily(self->table, self->prices, th, self->kept);
        return TRUE;
    case BY_EXHAUSTION:
        return choose_exhaustively(self, options, error);
    case BY_SHARES:
    case BY_CONSTANTS:
    default:
        for (gsize i = 0; i < self->table->rows; i++)
            rows[i] = i;
        adit_split_gather_targets_f64(self->split, rows, self->table->rows, classes);
        adit_placement_against_constants(self->table, classes, self->constant, self->adaptive,
                                         self->kept);
        return TRUE;
    }
}

static char *
format(double value)
{
    return isnan(value) ? g_strdup("") : g_strdup_printf("%.5g", value);
}

static void
print_exits(AditInvocation *self, const Placing *placing, const GArray *places)
{
    static const char *const costs[] = {"multiply-adds", "ms", "joules"};
    gboolean constant = self->options.by == BY_CONSTANTS;
    g_autoptr(GPtrArray) table = g_ptr_array_new_with_free_func((GDestroyNotify) g_strfreev);
    const AditExitPrices *prices = placing->prices;
    const char *unit = costs[self->options.unit];

    add_row(table,
            (const char *const[]){"exit", "place", unit, "its head", "arriving", "leaving", "kept",
                                  constant ? "constant" : NULL, "by its head", NULL});
    for (guint i = 0; i < prices->n; i++) {
        g_autofree char *trunk = format(prices->trunk[i]), *head = format(prices->heads[i]);
        g_autofree char *arriving = g_strdup_printf("%.2f%%", 100 * placing->arriving[i]);
        g_autofree char *leaving =
            g_strdup_printf("%.2f%%", 100 * (placing->arriving[i] - placing->arriving[i + 1]));
        g_autofree char *always = format(placing->constant[i]);
        g_autofree char *own = format(placing->adaptive[i]);

        add_row(table,
                (const char *const[]){placing->table->names->pdata[i],
                                      g_array_index(places, AditExitPlace, i).address, trunk, head,
                                      arriving, leaving, placing->kept[i] ? "yes" : "no",
                                      constant ? always : NULL, own, NULL});
    }
    adit_tool_print_table(self, table, constant ? "llrrrrlrr" : "llrrrrl");
}

/* The kept places of an entry of `exits`; their number, too. */
static char *
list_kept(const Placing *placing, const GArray *places, guint entry, guint *n)
{
    g_autoptr(GString) list = g_string_new(NULL);

    *n = 0;
    for (guint i = 0; i < places->len; i++) {
        const AditExitPlace *place = &g_array_index(places, AditExitPlace, i);

        if (!placing->kept[i] || place->index != entry)
            continue;
        g_string_append_printf(list, "%s%s", list->len > 0 ? ", " : "", place->address);
        (*n)++;
    }
    return g_strdup(list->str);
}

/* An exit as an entry of `exits` like the one it came of: one for each place, but a name, which no
 * two entries share, has all its places in one. */
static void
print_entry(AditInvocation *self, const AditNode *entry, const char *places, gboolean several)
{
    const AditNode *name = adit_node_get(entry, "name");
    g_autofree char *head = adit_yaml_write_line(adit_node_get(entry, "head"));
    g_autofree char *word = name != NULL ? adit_yaml_write_line(name) : NULL;

    adit_terminal_print(&self->terminal, "  - {%s%s%sat: %s%s%s, head: %s}\n",
                        word != NULL ? "name: " : "", word != NULL ? word : "",
                        word != NULL ? ", " : "", several ? "[" : "", places, several ? "]" : "",
                        head);
}

static void
print_yaml(AditInvocation *self, const Placing *placing, const GArray *places)
{
    const AditExperiment *experiment = placing->evaluation.experiment;
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();
    g_autoptr(AditSource) source = adit_source_new(experiment->path, experiment->resolved);
    g_autoptr(AditNode) root = adit_yaml_read(source, diagnostics);
    const AditNode *exits = adit_node_get(root, "exits");
    g_autoptr(GHashTable) named = g_hash_table_new(NULL, NULL);
    gboolean any = FALSE;

    for (guint i = 0; i < places->len; i++) {
        const AditExitPlace *place = &g_array_index(places, AditExitPlace, i);
        const AditNode *entry = adit_node_get_item(exits, place->index);
        gboolean has_name = adit_node_get(entry, "name") != NULL;
        guint n;
        g_autofree char *all = list_kept(placing, places, place->index, &n);

        if (!placing->kept[i] || (has_name && !g_hash_table_add(named, (gpointer) entry)))
            continue;
        if (!any)
            adit_terminal_print(&self->terminal, "\nexits:\n");
        print_entry(self, entry, has_name ? all : place->address, has_name && n > 1);
        any = TRUE;
    }
    if (!any)
        adit_terminal_print(&self->terminal, "\nexits: []\n");
}

static void
tell_outcome(AditInvocation *self, const Placing *placing)
{
    double whole = placing->prices->trunk[placing->prices->n], cost, metric;
    g_autofree gboolean *all = g_new0(gboolean, placing->table->n);

    for (guint i = 0; i < placing->prices->n; i++)
        all[i] = TRUE;
    adit_placement_weigh(placing->table, placing->prices, all, &cost, &metric);
    adit_terminal_say(
        &self->terminal,
        "with all exits: accuracy %.6g at %.4g of the cost of the network without them", metric,
        cost / whole);
    adit_placement_weigh(placing->table, placing->prices, placing->kept, &cost, &metric);
    adit_terminal_say(&self->terminal, "with those that are kept: accuracy %.6g at %.4g", metric,
                      cost / whole);
}

static gboolean
place_by_rows(AditInvocation *self, GError **error)
{
    g_auto(Placing) placing = {0};

    if (!begin(&placing, self, error))
        return FALSE;
    for (guint i = 0; i < placing.table->n; i++)
        placing.constant[i] = placing.adaptive[i] = (double) NAN;
    if (!choose(&placing, &self->options, error))
        return FALSE;
    g_autoptr(GArray) places =
        adit_exits_list_places(placing.evaluation.experiment->model.exits,
                               adit_network_get_graph(placing.evaluation.network));

    print_exits(self, &placing, places);
    print_yaml(self, &placing, places);
    tell_outcome(self, &placing);
    return TRUE;
}

static gboolean
run(AditInvocation *self, GError **error)
{
    return self->options.by == BY_SHARES ? place_by_shares(self, error)
                                         : place_by_rows(self, error);
}

const AditVerb adit_verb_exits_place = {
    .name = "exits place",
    .usage = "FILE --shares=LIST | RUN --by=RULE [options]",
    .summary = "where exits are worth their cost",
    .about =
        "Prints a table and, as YAML, the exits that a rule chooses.\n"
        "--by=shares needs no training: of the places --among, those whose multiply-adds are nearest "
        "to the given shares of the network's. In a pipeline the same is written as at: {cost: "
        "{shares: [15%, 30%], among: trunk.*}}.\n"
        "The others choose among the exits of the trained network RUN, by what its policy lets the "
        "rows of the validation split do. inequality: an exit stays if leaving there saves more "
        "than it costs (inequality 4 of the survey, with the rows that arrive). greedy: from the "
        "input on, inequality 5 with --th; the layers and rows of an exit that is dropped are the "
        "next one's. exhaustive: of all sets of up to 16 exits the cheapest that loses no more than "
        "--accuracy-drop. constant: exits whose head is right more often than the commonest class "
        "of the rows that leave there.\n"
        "Costs are multiply-adds, milliseconds of a row in a batch as measured on this device, or "
        "joules at a --rate; --links adds what it costs to go on from each exit.",
    .options = (const char *const[]){"by",      "shares",     "among", "th",       "accuracy-drop",
                                     "unit",    "rate",       "links", "override", "data",
                                     "split",   "checkpoint", "batch", "device",   "strict-device",
                                     "threads", "color",      "quiet", "verbose",  "help",
                                     NULL},
    .min_arguments = 1,
    .max_arguments = 1,
    .has_overrides = TRUE,
    .run = run,
};
