/* core/report/adit-probe-rows.c - SPDX-License-Identifier: MIT */
#include "adit-probe-rows.h"

#include <string.h>

#define MOST_KEYS   2
#define SAMPLE_SIZE 6 /* addresses */
#define MOST_PATHS  8 /* more names within addresses are no paths but names of blocks */

/* A table being read. */
typedef struct {
    const AditFrame *table;
    GArray *rows;     /* guint: those that are looked at */
    GPtrArray *apart; /* names of columns whose texts tell rows apart */
    gboolean has_paths;
} Reader;

enum { LINE, ADDRESS, AGAINST, WHEN, RUN };
static const char *const axes[] = {
    [LINE] = "line", [ADDRESS] = "address", [AGAINST] = "against", [WHEN] = "when", [RUN] = "run"};

void
adit_probe_rows_free(AditProbeRows *self)
{
    g_clear_pointer(&self->results, adit_results_free);
    g_ptr_array_unref(self->numbers);
    g_array_unref(self->x);
    g_array_unref(self->borders);
    g_clear_pointer(&self->ticks, g_ptr_array_unref);
    g_free(self);
}

char *
adit_probe_get_path(const char *address)
{
    g_autofree char *plain = g_strndup(address, strcspn(address, ":"));
    g_auto(GStrv) segments = g_strsplit(plain, ".", -1);
    GString *path = g_string_new(NULL);

    for (guint i = 1; segments[0] != NULL && segments[i] != NULL; i++) {
        if (!g_ascii_isdigit(*segments[i]))
            g_string_append_printf(path, "%s%s", path->len > 0 ? "." : "", segments[i]);
    }
    return g_string_free(path, FALSE);
}

/* "" where the table has no such column */
static const char *
get_text(const AditFrame *table, guint row, const char *name)
{
    guint column = 0;

    return adit_frame_has(table, name, &column) ? adit_frame_get_text(table, row, column) : "";
}

/* ---- columns ---- */

static gboolean
is_known(const char *name)
{
    static const char *const known[] = {"data",    "split", "when", "address", "block",
                                        "against", "layer", "note", "run",     NULL};

    return g_strv_contains(known, name);
}

static gboolean
is_number_column(const AditFrame *table, guint column)
{
    for (guint row = 0; row < adit_frame_count_rows(table); row++) {
        double value = 0;

        if (!adit_frame_is_empty(table, row, column) &&
            !adit_text_to_number(adit_frame_get_text(table, row, column), &value))
            return FALSE;
    }
    return TRUE;
}

/* How many different texts the rows have under @name. */
static guint
count_different(const Reader *self, const char *name)
{
    g_autoptr(GHashTable) known = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < self->rows->len; i++) {
        guint row = g_array_index(self->rows, guint, i);

        g_hash_table_add(known, (gpointer) get_text(self->table, row, name));
    }
    return g_hash_table_size(known);
}

/* Columns that rows differ in and that are neither numbers nor addresses. */
static void
find_apart(Reader *self)
{
    static const char *const first[] = {"data", "split"};

    self->apart = g_ptr_array_new();
    for (guint i = 0; i < G_N_ELEMENTS(first); i++) {
        if (count_different(self, first[i]) > 1)
            g_ptr_array_add(self->apart, (gpointer) first[i]);
    }
    for (guint column = 0; column < adit_frame_count_columns(self->table); column++) {
        const char *name = adit_frame_get_column(self->table, column);

        if (!is_known(name) && !is_number_column(self->table, column) &&
            count_different(self, name) > 1)
            g_ptr_array_add(self->apart, (gpointer) name);
    }
}

/* Names within addresses are paths if they come again: in each block, or block after block. */
static void
find_paths(Reader *self)
{
    g_autoptr(GHashTable) paths = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    guint n_rows = 0;

    for (guint i = 0; i < self->rows->len; i++) {
        guint row = g_array_index(self->rows, guint, i);
        char *path = adit_probe_get_path(get_text(self->table, row, "address"));

        n_rows += *path != '\0';
        g_hash_table_add(paths, path);
    }
    g_hash_table_remove(paths, "");
    self->has_paths = g_hash_table_size(paths) > 0 && g_hash_table_size(paths) <= MOST_PATHS &&
                      n_rows >= 2 * g_hash_table_size(paths);
}

/* ---- rows ---- */

static void
find_rows(Reader *self, gboolean all)
{
    guint n = adit_frame_count_rows(self->table);
    const char *last = n > 0 ? get_text(self->table, n - 1, "when") : "";

    self->rows = g_array_new(FALSE, FALSE, sizeof(guint));
    for (guint row = 0; row < n; row++) {
        if (all || g_str_equal(get_text(self->table, row, "when"), last))
            g_array_append_val(self->rows, row);
    }
}

/* (element-type utf8): the different addresses, in forward order */
static GPtrArray *
list_addresses(const Reader *self)
{
    g_autoptr(GHashTable) known = g_hash_table_new(g_str_hash, g_str_equal);
    GPtrArray *addresses = g_ptr_array_new();

    for (guint i = 0; i < self->rows->len; i++) {
        const char *address = get_text(self->table, g_array_index(self->rows, guint, i), "address");

        if (g_hash_table_add(known, (gpointer) address))
            g_ptr_array_add(addresses, (gpointer) address);
    }
    return addresses;
}

/* Leaves the rows of a few addresses. */
static void
sample_rows(Reader *self)
{
    g_autoptr(GPtrArray) addresses = list_addresses(self);
    g_autoptr(GHashTable) kept = g_hash_table_new(g_str_hash, g_str_equal);
    guint n = addresses->len, n_kept = MIN(n, SAMPLE_SIZE), n_rows = 0;

    for (guint i = 0; i < n_kept; i++)
        g_hash_table_add(kept, addresses->pdata[n_kept > 1 ? i * (n - 1) / (n_kept - 1) : 0]);
    for (guint i = 0; i < self->rows->len; i++) {
        guint row = g_array_index(self->rows, guint, i);

        if (g_hash_table_contains(kept, get_text(self->table, row, "address")))
            g_array_index(self->rows, guint, n_rows++) = row;
    }
    g_array_set_size(self->rows, n_rows);
}

/* "test, long" */
static char *
get_line(const Reader *self, guint row)
{
    GString *line = g_string_new(NULL);

    for (guint i = 0; i < self->apart->len; i++)
        g_string_append_printf(line, "%s%s", line->len > 0 ? ", " : "",
                               get_text(self->table, row, g_ptr_array_index(self->apart, i)));
    if (self->has_paths) {
        g_autofree char *path = adit_probe_get_path(get_text(self->table, row, "address"));

        g_string_append_printf(line, "%s%s", line->len > 0 ? ", " : "",
                               *path != '\0' ? path : "outside paths");
    }
    return g_string_free(line, FALSE);
}

static gboolean
is_paired(const Reader *self)
{
    return adit_frame_has(self->table, "against", NULL) && count_different(self, "against") > 1;
}

/* Whether every row has a block, another one than the other addresses. */
static gboolean
are_blocks(const Reader *self)
{
    g_autoptr(GHashTable) owners = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < self->rows->len; i++) {
        guint row = g_array_index(self->rows, guint, i);
        const char *block = get_text(self->table, row, "block");
        const char *address = get_text(self->table, row, "address");
        const char *owner = g_hash_table_lookup(owners, block);

        if (*block == '\0' || (owner != NULL && !g_str_equal(owner, address)))
            return FALSE;
        g_hash_table_insert(owners, (gpointer) block, (gpointer) address);
    }
    return TRUE;
}

/* Whether two rows of @frame are alike in their first @n columns. */
static gboolean
are_repeated(const AditFrame *frame, guint n)
{
    g_autoptr(GHashTable) known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (guint row = 0; row < adit_frame_count_rows(frame); row++) {
        GString *key = g_string_new(NULL);

        for (guint i = 0; i < n; i++)
            g_string_append_printf(key, "%s\n", adit_frame_get_text(frame, row, i));
        if (!g_hash_table_add(known, g_string_free(key, FALSE)))
            return TRUE;
    }
    return FALSE;
}

/* ---- building ---- */

static AditFrame *
make_frame(const AditProbeRows *self)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    for (guint i = 0; i < G_N_ELEMENTS(axes); i++)
        g_ptr_array_add(names, (gpointer) axes[i]);
    if (g_str_equal(self->x_label, "block"))
        names->pdata[ADDRESS] = (gpointer) self->x_label;
    for (guint i = 0; i < self->numbers->len; i++)
        g_ptr_array_add(names, g_ptr_array_index(self->numbers, i));
    g_ptr_array_add(names, NULL);
    return adit_frame_new("probe", (const char *const *) names->pdata);
}

/* @is_swapped: the pair the other way round */
static void
add_row(const AditProbeRows *self, AditFrame *frame, const Reader *reader, guint row,
        gboolean is_swapped)
{
    const char *address = get_text(reader->table, row, is_swapped ? "against" : "address");
    const char *against = get_text(reader->table, row, is_swapped ? "address" : "against");
    g_autofree char *line = get_line(reader, row);
    g_autoptr(GPtrArray) cells = g_ptr_array_new();

    g_ptr_array_add(cells, line);
    g_ptr_array_add(cells, g_str_equal(self->x_label, "block")
                               ? (gpointer) get_text(reader->table, row, "block")
                               : (gpointer) address);
    g_ptr_array_add(cells, self->is_paired ? (gpointer) against : (gpointer) "");
    g_ptr_array_add(cells, (gpointer) get_text(reader->table, row, "when"));
    g_ptr_array_add(cells, (gpointer) get_text(reader->table, row, "run"));
    for (guint i = 0; i < self->numbers->len; i++)
        g_ptr_array_add(
            cells, (gpointer) get_text(reader->table, row, g_ptr_array_index(self->numbers, i)));
    adit_frame_add(frame, (const char *const *) cells->pdata);
}

/* Of addresses with themselves a probe measures every two once: what it finds is the same the other
 * way round. */
static gboolean
is_half(const Reader *self)
{
    g_autoptr(GHashTable) pairs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GHashTable) left = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < self->rows->len; i++) {
        guint row = g_array_index(self->rows, guint, i);
        const char *address = get_text(self->table, row, "address");
        const char *against = get_text(self->table, row, "against");
        g_autofree char *swapped = g_strdup_printf("%s\n%s", against, address);

        if (!g_str_equal(address, against) && g_hash_table_contains(pairs, swapped))
            return FALSE;
        g_hash_table_add(left, (gpointer) address);
        g_hash_table_add(pairs, g_strdup_printf("%s\n%s", address, against));
    }
    for (guint i = 0; i < self->rows->len; i++) {
        guint row = g_array_index(self->rows, guint, i);

        if (!g_hash_table_contains(left, get_text(self->table, row, "against")))
            return FALSE;
    }
    return TRUE;
}

static void
fill_frame(AditProbeRows *self, const Reader *reader)
{
    AditFrame *frame = make_frame(self);
    guint n_axes = G_N_ELEMENTS(axes), most;
    gboolean half = self->is_paired && is_half(reader);

    for (guint i = 0; i < reader->rows->len; i++) {
        guint row = g_array_index(reader->rows, guint, i);

        add_row(self, frame, reader, row, FALSE);
        if (half && !g_str_equal(get_text(reader->table, row, "address"),
                                 get_text(reader->table, row, "against")))
            add_row(self, frame, reader, row, TRUE);
    }
    /* a key without anything measured behind it is none */
    most = self->numbers->len > 0 ? MIN(MOST_KEYS, self->numbers->len - 1) : 0;
    self->is_repeated = are_repeated(frame, n_axes);
    while (self->is_repeated && self->n_keys < most)
        self->is_repeated = are_repeated(frame, n_axes + ++self->n_keys);
    if (self->is_repeated)
        self->n_keys = 0;
    self->results = adit_results_new(frame, n_axes + self->n_keys);
}

/* The place of each row: the number of its block, else that of its name. */
static void
find_places(AditProbeRows *self)
{
    const AditFrame *frame = self->results->frame;
    gboolean is_block = g_str_equal(self->x_label, "block");
    guint from = g_str_equal(self->x_label, "when") ? WHEN : ADDRESS;
    g_autoptr(GHashTable) places = g_hash_table_new(g_str_hash, g_str_equal);

    if (!is_block)
        self->ticks = g_ptr_array_new_with_free_func(g_free);
    for (guint row = 0; row < adit_frame_count_rows(frame); row++) {
        const char *name = adit_frame_get_text(frame, row, from);
        double x = GPOINTER_TO_UINT(g_hash_table_lookup(places, name));

        if (is_block) {
            adit_text_to_number(name, &x);
        } else if (x == 0) {
            g_ptr_array_add(self->ticks, g_strdup(name));
            x = self->ticks->len;
            g_hash_table_insert(places, (gpointer) name, GUINT_TO_POINTER(self->ticks->len));
        }
        g_array_append_val(self->x, x);
    }
}

/* Rows of pairs may be there twice. */
static void
find_borders(AditProbeRows *self, const Reader *reader)
{
    for (guint i = 0; !self->is_paired && i < reader->rows->len; i++) {
        const char *layer = get_text(reader->table, g_array_index(reader->rows, guint, i), "layer");

        if (g_str_equal(layer, "border"))
            g_array_append_val(self->borders, g_array_index(self->x, double, i));
    }
}

AditProbeRows *
adit_probe_rows_new(const AditFrame *table, AditProbeScope scope)
{
    AditProbeRows *self = g_new0(AditProbeRows, 1);
    Reader reader = {.table = table};

    self->numbers = g_ptr_array_new();
    self->x = g_array_new(FALSE, FALSE, sizeof(double));
    self->borders = g_array_new(FALSE, FALSE, sizeof(double));
    for (guint column = 0; column < adit_frame_count_columns(table); column++) {
        const char *name = adit_frame_get_column(table, column);

        if (!is_known(name) && is_number_column(table, column))
            g_ptr_array_add(self->numbers, (gpointer) name);
    }
    find_rows(&reader, scope == ADIT_PROBE_ALL);
    if (scope == ADIT_PROBE_SAMPLE)
        sample_rows(&reader);
    find_apart(&reader);
    find_paths(&reader);
    self->n_addresses = count_different(&reader, "address");
    self->n_times = count_different(&reader, "when");
    self->is_paired = is_paired(&reader);
    reader.has_paths = reader.has_paths && !self->is_paired;
    self->has_lines = reader.apart->len > 0 || reader.has_paths;
    self->x_label = self->n_addresses == 1 && self->n_times > 1 ? "when"
                    : !self->is_paired && are_blocks(&reader)   ? "block"
                                                                : "address";
    fill_frame(self, &reader);
    find_places(self);
    find_borders(self, &reader);
    g_array_unref(reader.rows);
    g_ptr_array_unref(reader.apart);
    return self;
}
