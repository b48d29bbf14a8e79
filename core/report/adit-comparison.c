/* core/report/adit-comparison.c - SPDX-License-Identifier: MIT */
#include "adit-comparison-private.h"

#include "adit-json.h"

#include <math.h>
#include <string.h>

#define SEED       "seed"
#define TITLE      "title"
#define FEW_KEYS   2  /* are told in the name of a configuration */
#define SHORT_TEXT 24 /* values that are */

void
adit_comparison_free(AditComparison *self)
{
    g_ptr_array_unref(self->runs);
    g_ptr_array_unref(self->keys);
    g_ptr_array_unref(self->labels);
    g_array_unref(self->first);
    g_free(self->of_run);
    g_clear_pointer(&self->results, adit_results_free);
    g_free(self);
}

static const AditRunRecord *
get_run(const AditComparison *self, guint run)
{
    return g_ptr_array_index(self->runs, run);
}

static const AditRunRecord *
get_first(const AditComparison *self, guint configuration)
{
    return get_run(self, g_array_index(self->first, guint, configuration));
}

/* ---- configurations ---- */

static gboolean
is_everywhere(const AditComparison *self, const char *key)
{
    const char *value = adit_config_keys_find(get_run(self, 0)->keys, key);

    for (guint i = 1; i < self->runs->len; i++) {
        if (g_strcmp0(adit_config_keys_find(get_run(self, i)->keys, key), value) != 0)
            return FALSE;
    }
    return TRUE;
}

/* Every key of any run, in the order of the files. */
static void
find_keys(AditComparison *self)
{
    g_autoptr(GHashTable) known = g_hash_table_new(g_str_hash, g_str_equal);

    g_hash_table_add(known, (gpointer) SEED);
    for (guint i = 0; i < self->runs->len; i++) {
        const AditConfigKeys *keys = get_run(self, i)->keys;

        for (guint j = 0; j < adit_config_keys_count(keys); j++) {
            const char *key = adit_config_keys_get_key(keys, j);

            if (g_hash_table_add(known, (gpointer) key) && !is_everywhere(self, key))
                g_ptr_array_add(self->keys, g_strdup(key));
        }
    }
}

/* What tells the configuration of run @run from others. */
static char *
make_signature(const AditComparison *self, guint run)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < self->keys->len; i++) {
        const char *value =
            adit_config_keys_find(get_run(self, run)->keys, g_ptr_array_index(self->keys, i));

        g_string_append_printf(text, "%zu:%s,", value != NULL ? strlen(value) : 0,
                               value != NULL ? value : "~");
    }
    return g_string_free(text, FALSE);
}

static void
find_configurations(AditComparison *self)
{
    g_autoptr(GHashTable) known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    self->of_run = g_new0(guint, self->runs->len + 1);
    for (guint run = 0; run < self->runs->len; run++) {
        char *signature = make_signature(self, run);
        gpointer number = NULL;

        if (!g_hash_table_lookup_extended(known, signature, NULL, &number)) {
            number = GUINT_TO_POINTER(self->first->len);
            g_array_append_val(self->first, run);
            g_hash_table_insert(known, g_strdup(signature), number);
        }
        self->of_run[run] = GPOINTER_TO_UINT(number);
        g_free(signature);
    }
}

/* ---- their names ---- */

/* A, B, ..., Z, AA, AB, ... */
static char *
make_letters(guint number)
{
    GString *letters = g_string_new(NULL);

    for (number++; number > 0; number = (number - 1) / 26)
        g_string_prepend_c(letters, (char) ('A' + (number - 1) % 26));
    return g_string_free(letters, FALSE);
}

/* "lr 0.001, times 10"; NULL: that would be too much */
static char *
make_description(const AditComparison *self, guint configuration)
{
    g_autoptr(GString) text = g_string_new(NULL);

    if (self->keys->len == 0 || self->keys->len > FEW_KEYS)
        return NULL;
    for (guint i = 0; i < self->keys->len; i++) {
        const char *key = g_ptr_array_index(self->keys, i);
        const char *dot = strrchr(key, '.');
        const char *value = adit_config_keys_find(get_first(self, configuration)->keys, key);

        if (value == NULL || strlen(value) > SHORT_TEXT)
            return NULL;
        g_string_append_printf(text, "%s%s %s", i > 0 ? ", " : "", dot != NULL ? dot + 1 : key,
                               value);
    }
    return g_strdup(text->str);
}

static char *
get_title(const AditComparison *self, guint configuration)
{
    return g_strdup(adit_config_keys_find(get_first(self, configuration)->keys, TITLE));
}

/* Names that @make makes, if every configuration has one of its own. */
static gboolean
name_by(AditComparison *self, char *(*make)(const AditComparison *, guint))
{
    for (guint i = 0; i < self->first->len; i++) {
        g_autofree char *name = make(self, i);

        if (name == NULL ||
            g_ptr_array_find_with_equal_func(self->labels, name, g_str_equal, NULL)) {
            g_ptr_array_set_size(self->labels, 0);
            return FALSE;
        }
        g_ptr_array_add(self->labels, g_steal_pointer(&name));
    }
    return TRUE;
}

static void
name_configurations(AditComparison *self)
{
    if (self->first->len == 1)
        g_ptr_array_add(self->labels, g_strdup(adit_run_record_get_title(get_run(self, 0))));
    else if (!name_by(self, make_description) && !name_by(self, get_title))
        for (guint i = 0; i < self->first->len; i++)
            g_ptr_array_add(self->labels, make_letters(i));
}

/* ---- figures ---- */

/* "best.test.loss", "last.test.loss" of every figure that any run has */
static GPtrArray *
list_columns(const AditComparison *self)
{
    static const char *const fixed[] = {"configuration", SEED, "run", "seconds"};
    GPtrArray *columns = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < G_N_ELEMENTS(fixed); i++)
        g_ptr_array_add(columns, g_strdup(fixed[i]));
    for (guint run = 0; run < self->runs->len; run++) {
        const AditRunRecord *record = get_run(self, run);
        g_autoptr(GArray) figures = adit_run_record_list_figures(record);

        for (guint i = 0; i < figures->len; i++) {
            const char *name = adit_frame_get_column(
                record->metrics, g_array_index(figures, AditRunFigure, i).column);
            g_autofree char *best = g_strconcat("best.", name, NULL);

            if (g_ptr_array_find_with_equal_func(columns, best, g_str_equal, NULL))
                continue;
            g_ptr_array_add(columns, g_steal_pointer(&best));
            g_ptr_array_add(columns, g_strconcat("last.", name, NULL));
        }
    }
    g_ptr_array_add(columns, NULL);
    return columns;
}

static void
set_cell(const GPtrArray *columns, GStrv cells, const char *kind, const char *name, double value)
{
    g_autofree char *column = g_strconcat(kind, name, NULL);

    for (guint i = 0; columns->pdata[i] != NULL; i++) {
        if (g_str_equal(columns->pdata[i], column) && !isnan(value)) {
            g_free(cells[i]);
            cells[i] = adit_number_to_data(value);
        }
    }
}

static GStrv
make_row(const AditComparison *self, guint run, const GPtrArray *columns)
{
    const AditRunRecord *record = get_run(self, run);
    g_autoptr(GArray) figures = adit_run_record_list_figures(record);
    GStrv cells = g_new0(char *, columns->len);

    cells[0] = g_strdup(g_ptr_array_index(self->labels, self->of_run[run]));
    cells[1] = adit_run_record_get_seed(record);
    cells[2] = g_strdup(record->folder);
    for (guint i = 3; columns->pdata[i] != NULL; i++)
        cells[i] = g_strdup("");
    set_cell(columns, cells, "", "seconds", adit_run_record_get_seconds(record));
    for (guint i = 0; i < figures->len; i++) {
        const AditRunFigure *figure = &g_array_index(figures, AditRunFigure, i);
        const char *name = adit_frame_get_column(record->metrics, figure->column);

        set_cell(columns, cells, "best.", name, figure->best);
        set_cell(columns, cells, "last.", name, figure->last);
    }
    return cells;
}

static void
make_results(AditComparison *self)
{
    g_autoptr(GPtrArray) columns = list_columns(self);
    AditFrame *frame = adit_frame_new("runs", (const char *const *) columns->pdata);

    for (guint run = 0; run < self->runs->len; run++) {
        g_auto(GStrv) cells = make_row(self, run, columns);

        adit_frame_add(frame, (const char *const *) cells);
    }
    self->results = adit_results_new(frame, 2);
}

/* ---- all of them ---- */

static gboolean
add_run(AditComparison *self, const char *folder, GError **error)
{
    AditRunRecord *run = adit_run_record_read(folder, error);

    if (run == NULL)
        return FALSE;
    g_ptr_array_add(self->runs, run);
    if (run->keys != NULL && run->metrics != NULL)
        return TRUE;
    /* the last of its warnings says why */
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_NOT_FOUND, "%s: nothing to compare: %s", folder,
                (const char *) g_ptr_array_index(run->warnings, run->warnings->len - 1));
    return FALSE;
}

AditComparison *
adit_comparison_new(const char *const *folders, GError **error)
{
    g_autoptr(AditComparison) self = g_new0(AditComparison, 1);

    self->runs = g_ptr_array_new_with_free_func((GDestroyNotify) adit_run_record_free);
    self->keys = g_ptr_array_new_with_free_func(g_free);
    self->labels = g_ptr_array_new_with_free_func(g_free);
    self->first = g_array_new(FALSE, FALSE, sizeof(guint));
    for (; *folders != NULL; folders++) {
        if (!add_run(self, *folders, error))
            return NULL;
    }
    find_keys(self);
    find_configurations(self);
    name_configurations(self);
    make_results(self);
    return g_steal_pointer(&self);
}
