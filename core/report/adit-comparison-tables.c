/* core/report/adit-comparison-tables.c - SPDX-License-Identifier: MIT */
#include "adit-comparison-private.h"

#include "adit-json.h"

#define FEW_COLUMNS 6 /* configurations that stand side by side */

static GPtrArray *
new_rows(void)
{
    return g_ptr_array_new_with_free_func((GDestroyNotify) g_strfreev);
}

/* Ends a row and makes it one of @rows. */
static void
add_row(GPtrArray *rows, GPtrArray *cells)
{
    g_ptr_array_add(cells, NULL);
    g_ptr_array_add(rows, g_ptr_array_free(cells, FALSE));
}

/* @name, then every configuration. */
static void
add_head(const AditComparison *self, GPtrArray *rows, const char *name)
{
    GPtrArray *cells = g_ptr_array_new();

    g_ptr_array_add(cells, g_strdup(name));
    for (guint i = 0; i < self->labels->len; i++)
        g_ptr_array_add(cells, g_strdup(g_ptr_array_index(self->labels, i)));
    add_row(rows, cells);
}

GPtrArray *
adit_comparison_list_runs(const AditComparison *self)
{
    static const char *const head[] = {"configuration", "seed", "status", "run", NULL};
    GPtrArray *rows = new_rows();

    g_ptr_array_add(rows, g_strdupv((char **) head));
    for (guint i = 0; i < self->runs->len; i++) {
        const AditRunRecord *run = g_ptr_array_index(self->runs, i);
        GPtrArray *cells = g_ptr_array_new();

        g_ptr_array_add(cells, g_strdup(g_ptr_array_index(self->labels, self->of_run[i])));
        g_ptr_array_add(cells, adit_run_record_get_seed(run));
        g_ptr_array_add(cells, adit_run_record_get_status(run));
        g_ptr_array_add(cells, g_strdup(run->folder));
        add_row(rows, cells);
    }
    return rows;
}

/* ---- differences ---- */

static void
add_keys(const AditComparison *self, GPtrArray *rows)
{
    for (guint i = 0; i < self->keys->len; i++) {
        const char *key = g_ptr_array_index(self->keys, i);
        GPtrArray *cells = g_ptr_array_new();

        g_ptr_array_add(cells, g_strdup(key));
        for (guint j = 0; j < self->first->len; j++) {
            const AditRunRecord *run =
                g_ptr_array_index(self->runs, g_array_index(self->first, guint, j));
            const char *value = adit_config_keys_find(run->keys, key);

            g_ptr_array_add(cells, g_strdup(value != NULL ? value : "-"));
        }
        add_row(rows, cells);
    }
}

/* (nullable): @path within the members of run.json, one object deep: "device.name" */
static const char *
find_fact(const AditRunRecord *run, const char *object, const char *name)
{
    JsonObject *members =
        object != NULL ? adit_json_get_object(run->members, object) : run->members;

    return members != NULL ? adit_json_get_text(members, name) : NULL;
}

/* The different values that the runs of a configuration have, "a, b". */
static char *
join_facts(const AditComparison *self, guint configuration, const char *object, const char *name)
{
    g_autoptr(GPtrArray) values = g_ptr_array_new();

    for (guint i = 0; i < self->runs->len; i++) {
        const char *value = find_fact(g_ptr_array_index(self->runs, i), object, name);

        value = value != NULL ? value : "-";
        if (self->of_run[i] == configuration &&
            !g_ptr_array_find_with_equal_func(values, value, g_str_equal, NULL))
            g_ptr_array_add(values, (gpointer) value);
    }
    g_ptr_array_add(values, NULL);
    return g_strjoinv(", ", (char **) values->pdata);
}

/* Whether the runs do not all say the same. */
static gboolean
is_different(const AditComparison *self, const char *object, const char *name)
{
    const char *first = find_fact(g_ptr_array_index(self->runs, 0), object, name);

    for (guint i = 1; i < self->runs->len; i++) {
        if (g_strcmp0(find_fact(g_ptr_array_index(self->runs, i), object, name), first) != 0)
            return TRUE;
    }
    return FALSE;
}

/* What is no part of a pipeline and may still change figures, or times. */
static void
add_facts(const AditComparison *self, GPtrArray *rows)
{
    static const struct {
        const char *object;
        const char *name;
    } facts[] = {
        {NULL, "adit-version"},        {"git", "commit"},    {"device", "name"},
        {"device", "instruction-set"}, {"device", "driver"}, {"process", "host"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(facts); i++) {
        const char *object = facts[i].object;
        GPtrArray *cells;

        if (!is_different(self, object, facts[i].name))
            continue;
        cells = g_ptr_array_new();
        g_ptr_array_add(cells, g_strdup_printf("run.json: %s%s%s", object != NULL ? object : "",
                                               object != NULL ? "." : "", facts[i].name));
        for (guint j = 0; j < self->first->len; j++)
            g_ptr_array_add(cells, join_facts(self, j, object, facts[i].name));
        add_row(rows, cells);
    }
}

GPtrArray *
adit_comparison_list_differences(const AditComparison *self)
{
    GPtrArray *rows = new_rows();

    add_head(self, rows, "key");
    add_keys(self, rows);
    add_facts(self, rows);
    return rows;
}

/* ---- figures ---- */

static void
summarize(const AditComparison *self, guint configuration, guint column, AditSummary *summary)
{
    const AditFrame *frame = self->results->frame;
    g_autoptr(GArray) values = g_array_new(FALSE, FALSE, sizeof(double));

    for (guint run = 0; run < self->runs->len; run++) {
        double value = 0;

        if (self->of_run[run] == configuration && !adit_frame_is_empty(frame, run, column) &&
            adit_frame_get_number(frame, run, column, &value, NULL))
            g_array_append_val(values, value);
    }
    adit_summary_init(summary, (const double *) values->data, values->len);
}

static guint
count_runs(const AditComparison *self, guint configuration)
{
    guint n = 0;

    for (guint run = 0; run < self->runs->len; run++)
        n += self->of_run[run] == configuration;
    return n;
}

static GPtrArray *
transpose(const GPtrArray *rows)
{
    GPtrArray *turned = new_rows();
    guint n = g_strv_length(g_ptr_array_index(rows, 0));

    for (guint column = 0; column < n; column++) {
        GPtrArray *cells = g_ptr_array_new();

        for (guint row = 0; row < rows->len; row++)
            g_ptr_array_add(cells, g_strdup(((GStrv) g_ptr_array_index(rows, row))[column]));
        add_row(turned, cells);
    }
    return turned;
}

static void
add_counts(const AditComparison *self, GPtrArray *rows)
{
    GPtrArray *cells = g_ptr_array_new();

    g_ptr_array_add(cells, g_strdup("runs"));
    for (guint i = 0; i < self->first->len; i++)
        g_ptr_array_add(cells, g_strdup_printf("%u", count_runs(self, i)));
    add_row(rows, cells);
}

GPtrArray *
adit_comparison_list_figures(const AditComparison *self)
{
    g_autoptr(GPtrArray) rows = new_rows();
    const AditFrame *frame = self->results->frame;

    add_head(self, rows, "figure");
    add_counts(self, rows);
    for (guint column = 3; column < adit_frame_count_columns(frame); column++) {
        GPtrArray *cells = g_ptr_array_new();

        g_ptr_array_add(cells, g_strdup(adit_frame_get_column(frame, column)));
        for (guint i = 0; i < self->first->len; i++) {
            AditSummary summary;

            summarize(self, i, column, &summary);
            g_ptr_array_add(cells, adit_summary_to_text(&summary, count_runs(self, i)));
        }
        add_row(rows, cells);
    }
    return self->first->len > FEW_COLUMNS ? transpose(rows) : g_steal_pointer(&rows);
}

/* ---- for programs ---- */

static JsonObject *
describe_figures(const AditComparison *self, guint configuration)
{
    JsonObject *figures = json_object_new();
    const AditFrame *frame = self->results->frame;

    for (guint column = 3; column < adit_frame_count_columns(frame); column++) {
        JsonObject *figure = json_object_new();
        AditSummary summary;

        summarize(self, configuration, column, &summary);
        adit_json_set_unsigned(figure, "n", summary.n);
        adit_json_set_double(figure, "mean", summary.mean);
        adit_json_set_double(figure, "deviation", summary.deviation);
        adit_json_set_double(figure, "low", summary.low);
        adit_json_set_double(figure, "high", summary.high);
        json_object_set_object_member(figures, adit_frame_get_column(frame, column), figure);
    }
    return figures;
}

static JsonArray *
describe_runs(const AditComparison *self, guint configuration)
{
    JsonArray *runs = json_array_new();

    for (guint i = 0; i < self->runs->len; i++) {
        const AditRunRecord *run = g_ptr_array_index(self->runs, i);
        g_autofree char *folder = g_utf8_make_valid(run->folder, -1);

        if (self->of_run[i] == configuration)
            json_array_add_string_element(runs, folder);
    }
    return runs;
}

/* Keys that differ, and what the configuration has; null: it has no such key. */
static JsonObject *
describe_keys(const AditComparison *self, guint configuration)
{
    const AditRunRecord *run =
        g_ptr_array_index(self->runs, g_array_index(self->first, guint, configuration));
    JsonObject *keys = json_object_new();

    for (guint i = 0; i < self->keys->len; i++) {
        const char *key = g_ptr_array_index(self->keys, i);
        const char *value = adit_config_keys_find(run->keys, key);

        if (value != NULL)
            json_object_set_string_member(keys, key, value);
        else
            json_object_set_null_member(keys, key);
    }
    return keys;
}

JsonObject *
adit_comparison_describe(const AditComparison *self)
{
    JsonObject *object = json_object_new();
    JsonArray *configurations = json_array_new();

    for (guint i = 0; i < self->first->len; i++) {
        JsonObject *configuration = json_object_new();

        json_object_set_string_member(configuration, "name", g_ptr_array_index(self->labels, i));
        json_object_set_array_member(configuration, "runs", describe_runs(self, i));
        json_object_set_object_member(configuration, "differences", describe_keys(self, i));
        json_object_set_object_member(configuration, "figures", describe_figures(self, i));
        json_array_add_object_element(configurations, configuration);
    }
    json_object_set_array_member(object, "configurations", configurations);
    return object;
}
