/* core/pipeline/adit-study-report.c - SPDX-License-Identifier: MIT */
#include "adit-study-private.h"

#include <math.h>
#include <string.h>

#include "adit-suggest.h"

/**
 * Kind: what an element of `report` takes.
 * @keys: (array zero-terminated=1)
 * @needs: those of them that it cannot do without
 */
typedef struct {
    const char *name;
    const char *const *keys;
    const char *const *needs;
} Kind;

static const Kind kinds[] = {
    [ADIT_STUDY_TABLE] = {"table",
                          (const char *const[]){"rows", "columns", "value", "pages", "over",
                                                "beside", NULL},
                          (const char *const[]){"rows", "value", NULL}},
    [ADIT_STUDY_HEAT_MAP] = {"heat-map",
                             (const char *const[]){"x", "y", "value", "pages", "over", "beside",
                                                   NULL},
                             (const char *const[]){"x", "y", "value", NULL}},
    [ADIT_STUDY_SCATTER] = {"scatter",
                            (const char *const[]){"x", "y", "value", "lines", "pages", "over",
                                                  "beside", NULL},
                            (const char *const[]){"x", "y", NULL}},
    [ADIT_STUDY_CURVES] = {"curves",
                           (const char *const[]){"x", "value", "lines", "pages", "over", "beside",
                                                 NULL},
                           (const char *const[]){"x", "value", NULL}},
    [ADIT_STUDY_COUNTS] = {"counts",
                           (const char *const[]){"by", "value", "above-chance", "pages", "over",
                                                 "beside", NULL},
                           (const char *const[]){"by", "value", NULL}},
};

void
adit_study_report_free(AditStudyReport *self)
{
    g_free(self->name);
    g_strfreev(self->values);
    g_free(self->rows);
    g_free(self->columns);
    g_free(self->x);
    g_free(self->y);
    g_free(self->lines);
    g_free(self->by);
    g_strfreev(self->pages);
    g_strfreev(self->over);
    g_free(self->beside);
    g_free(self);
}

/* ---- names ---- */

static gboolean
is_axis(const AditStudyReader *self, const char *name)
{
    return g_strv_contains((const char *const *) self->study->axes, name) ||
           g_strv_contains((const char *const *) self->study->evaluate, name);
}

/* A column of sweep.csv, or, in curves, of the tables that runs keep. */
static gboolean
is_value(const char *name, AditStudyReportKind kind)
{
    static const char *const words[] = {"epochs", "seconds", "seconds-per-epoch", "parameters",
                                        NULL};
    static const char *const prefixes[] = {"best.", "last.", "probes.", "exits.", "evaluate."};
    static const char *const splits[] = {"train.", "validation.", "test.", "learning-rate"};

    if (g_strv_contains(words, name) ||
        (kind == ADIT_STUDY_CURVES && (strcmp(name, "epoch") == 0 || strcmp(name, "block") == 0)))
        return TRUE;
    for (guint i = 0; i < G_N_ELEMENTS(prefixes); i++) {
        if (g_str_has_prefix(name, prefixes[i]) && name[strlen(prefixes[i])] != '\0')
            return TRUE;
    }
    for (guint i = 0; kind == ADIT_STUDY_CURVES && i < G_N_ELEMENTS(splits); i++) {
        if (g_str_has_prefix(name, splits[i]))
            return TRUE;
    }
    return FALSE;
}

static void
check_axis_name(AditStudyReader *self, const AditNode *node)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    if (is_axis(self, node->text))
        return;
    for (guint i = 0; self->study->axes[i] != NULL; i++)
        g_ptr_array_add(names, self->study->axes[i]);
    for (guint i = 0; self->study->evaluate[i] != NULL; i++)
        g_ptr_array_add(names, self->study->evaluate[i]);
    const char *nearest = adit_suggest(node->text, (const char *const *) names->pdata, names->len);

    g_ptr_array_add(names, NULL);
    g_autofree char *list = g_strjoinv(", ", (char **) names->pdata);

    if (nearest != NULL)
        adit_study_error(self, &node->place, "'%s' is no axis of this study; did you mean '%s'?",
                         node->text, nearest);
    else
        adit_study_error(self, &node->place, "'%s' is no axis of this study; there are %s",
                         node->text, list);
}

static void
report_no_value(AditStudyReader *self, const AditNode *node)
{
    adit_study_error(self, &node->place,
                     "'%s' is no value of a run; a value reads best.test.loss, last.train.loss, "
                     "probes.NAME.COLUMN, seconds, seconds-per-epoch, epochs or parameters",
                     node->text);
}

/* Whether the runs will have it is known once their pipelines are read (core/study). */
static void
note_column(AditStudyReader *self, const AditNode *node, const AditStudyReport *report,
            gboolean is_x)
{
    AditStudyColumn *column = g_new0(AditStudyColumn, 1);

    column->name = g_strdup(node->text);
    column->report = report;
    column->is_x = is_x;
    column->place = node->place;
    g_ptr_array_add(self->study->columns, column);
}

/* ---- keys ---- */

/* A word; NULL: there is none, or it is wrong. */
static const AditNode *
get_word(AditStudyReader *self, const AditNode *mapping, const char *key)
{
    const AditNode *node = adit_node_get(mapping, key);

    if (node == NULL || (node->kind == ADIT_NODE_SCALAR && *node->text != '\0'))
        return node;
    g_autofree char *got = adit_node_describe(node);

    adit_study_error(self, &node->place, "'%s' must be a name, got %s", key, got);
    return NULL;
}

static char *
read_axis(AditStudyReader *self, const AditNode *mapping, const char *key)
{
    const AditNode *node = get_word(self, mapping, key);

    if (node == NULL)
        return NULL;
    check_axis_name(self, node);
    return g_strdup(node->text);
}

static char *
read_either(AditStudyReader *self, const AditNode *mapping, const char *key,
            const AditStudyReport *report)
{
    const AditNode *node = get_word(self, mapping, key);

    if (node == NULL)
        return NULL;
    if (!is_axis(self, node->text) && !is_value(node->text, report->kind))
        check_axis_name(self, node);
    else if (!is_axis(self, node->text))
        note_column(self, node, report, strcmp(key, "x") == 0);
    return g_strdup(node->text);
}

/* One name or a list of them; never NULL. @values: of values and not of axes */
static GStrv
read_names(AditStudyReader *self, const AditNode *mapping, const char *key, gboolean values,
           const AditStudyReport *report)
{
    const AditNode *node = adit_node_get(mapping, key);
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    gboolean list = node != NULL && node->kind == ADIT_NODE_LIST;

    for (guint i = 0; node != NULL && i < (list ? adit_node_count(node) : 1); i++) {
        const AditNode *item = list ? adit_node_get_item(node, i) : node;

        if (item->kind != ADIT_NODE_SCALAR || *item->text == '\0') {
            g_autofree char *got = adit_node_describe(item);

            adit_study_error(self, &item->place, "'%s' must be a name or a list of names, got %s",
                             key, got);
            continue;
        }
        if (values && is_value(item->text, report->kind))
            note_column(self, item, report, FALSE);
        else if (values)
            report_no_value(self, item);
        else
            check_axis_name(self, item);
        g_ptr_array_add(names, g_strdup(item->text));
    }
    g_ptr_array_add(names, NULL);
    return (GStrv) g_ptr_array_free(g_steal_pointer(&names), FALSE);
}

static char *
read_beside(AditStudyReader *self, const AditNode *mapping)
{
    const AditNode *node = get_word(self, mapping, "beside");
    g_autofree char *path = NULL;

    if (node == NULL)
        return NULL;
    path = g_canonicalize_filename(node->text, self->study->folder);
    if (!g_file_test(path, G_FILE_TEST_IS_REGULAR))
        adit_diagnostics_error(self->diagnostics, &node->place, ADIT_ERROR_NOT_FOUND,
                               "no file '%s' beside the study", node->text);
    return g_steal_pointer(&path);
}

static double
read_above_chance(AditStudyReader *self, const AditNode *mapping)
{
    const AditNode *node = adit_node_get(mapping, "above-chance");
    AditScalar scalar;

    if (node == NULL)
        return (double) NAN;
    scalar = adit_node_get_scalar(node);
    if ((scalar.type == ADIT_SCALAR_INTEGER || scalar.type == ADIT_SCALAR_NUMBER) &&
        scalar.number >= 0 && scalar.number <= 1)
        return scalar.number;
    g_autofree char *got = adit_node_describe(node);

    adit_study_error(self, &node->place, "'above-chance' must be in 0..1, got %s", got);
    return (double) NAN;
}

/* The seed is averaged over, unless the report shows it. */
static GStrv
read_over(AditStudyReader *self, const AditNode *mapping, const AditStudyReport *report)
{
    const char *const shown[] = {report->rows, report->columns, report->x,
                                 report->y,    report->lines,   report->by};
    gboolean used = g_strv_contains((const char *const *) report->pages, "seed");

    if (adit_node_get(mapping, "over") != NULL)
        return read_names(self, mapping, "over", FALSE, report);
    for (guint i = 0; i < G_N_ELEMENTS(shown); i++)
        used = used || g_strcmp0(shown[i], "seed") == 0;
    return used || !is_axis(self, "seed") ? g_new0(char *, 1)
                                          : g_strdupv((char **) (const char *[]){"seed", NULL});
}

/* ---- an element ---- */

static char *
make_name(const AditStudyReader *self, const AditStudyReport *report)
{
    const char *value = report->values[0] != NULL ? report->values[0] : report->y;
    g_autofree char *stem =
        g_strdup_printf("%s-%s", kinds[report->kind].name, value != NULL ? value : "");
    guint same = 0;

    g_strcanon(stem, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-_.", '-');
    for (guint i = 0; i < self->study->reports->len; i++) {
        const AditStudyReport *other = self->study->reports->pdata[i];
        const char *rest = g_str_has_prefix(other->name, stem) ? other->name + strlen(stem) : NULL;

        same += rest != NULL && (*rest == '\0' || *rest == '_');
    }
    return same == 0 ? g_steal_pointer(&stem) : g_strdup_printf("%s_%u", stem, same + 1);
}

static void
read_report(AditStudyReader *self, AditStudyReportKind kind, const AditNode *key,
            const AditNode *mapping)
{
    AditStudyReport *report = g_new0(AditStudyReport, 1);
    g_autofree char *of = g_strdup_printf("'%s'", kinds[kind].name);

    adit_study_check_keys(self, mapping, kinds[kind].keys, of);
    for (guint i = 0; kinds[kind].needs[i] != NULL; i++) {
        if (adit_node_get(mapping, kinds[kind].needs[i]) == NULL)
            adit_study_error(self, &key->place, "'%s' needs '%s'", kinds[kind].name,
                             kinds[kind].needs[i]);
    }
    report->kind = kind;
    report->values = read_names(self, mapping, "value", TRUE, report);
    report->rows = read_axis(self, mapping, "rows");
    report->columns = read_axis(self, mapping, "columns");
    report->x = read_either(self, mapping, "x", report);
    report->y = read_either(self, mapping, "y", report);
    report->lines = read_axis(self, mapping, "lines");
    report->by = read_axis(self, mapping, "by");
    report->pages = read_names(self, mapping, "pages", FALSE, report);
    report->over = read_over(self, mapping, report);
    report->beside = read_beside(self, mapping);
    report->above_chance = read_above_chance(self, mapping);
    report->name = make_name(self, report);
    g_ptr_array_add(self->study->reports, report);
}

static void
read_element(AditStudyReader *self, const AditNode *node)
{
    const char *names[G_N_ELEMENTS(kinds) + 1] = {NULL};
    const AditNode *key;

    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++)
        names[i] = kinds[i].name;
    g_autofree char *list = g_strjoinv(", ", (char **) names);

    if (node->kind != ADIT_NODE_MAPPING || adit_node_count(node) != 1 ||
        adit_node_get_item(node, 0)->kind != ADIT_NODE_MAPPING) {
        adit_study_error(self, &node->place,
                         "a report is one of %s with its keys; for example {table: {rows: arch, "
                         "value: best.test.loss}}",
                         list);
        return;
    }
    key = adit_node_get_key(node, 0);
    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (strcmp(kinds[i].name, key->text) == 0) {
            read_report(self, (AditStudyReportKind) i, key, adit_node_get_item(node, 0));
            return;
        }
    }
    const char *nearest = adit_suggest(key->text, names, G_N_ELEMENTS(kinds));

    if (nearest != NULL)
        adit_study_error(self, &key->place, "unknown report '%s'; did you mean '%s'?", key->text,
                         nearest);
    else
        adit_study_error(self, &key->place, "unknown report '%s'; there are %s", key->text, list);
}

void
adit_study_read_reports(AditStudyReader *self, const AditNode *list)
{
    if (list->kind != ADIT_NODE_LIST) {
        g_autofree char *got = adit_node_describe(list);

        adit_study_error(self, &list->place, "'report' must be a list, got %s", got);
        return;
    }
    for (guint i = 0; i < adit_node_count(list); i++)
        read_element(self, adit_node_get_item(list, i));
}
