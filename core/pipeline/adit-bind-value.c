/* core/pipeline/adit-bind-value.c - SPDX-License-Identifier: MIT */
#include <math.h>
#include <string.h>

#include "adit-address.h"
#include "adit-binder.h"
#include "adit-suggest.h"

void
adit_bound_clear(AditBound *self)
{
    g_clear_pointer(&self->text, g_free);
    g_clear_pointer(&self->texts, g_strfreev);
    g_clear_pointer(&self->numbers, g_array_unref);
    g_clear_pointer(&self->live, adit_live_unref);
    g_clear_object(&self->component);
    g_clear_pointer(&self->resolved, adit_node_unref);
}

static AditNode *
plain(const char *text)
{
    return adit_node_new_scalar(text, TRUE, NULL);
}

static AditNode *
from_integer(gint64 value)
{
    g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, value);

    return plain(text);
}

static AditNode *
from_number(double value)
{
    g_autofree char *text = adit_number_to_string(value);

    return plain(text);
}

static AditNode *
from_text(const char *text)
{
    AditNode *node = adit_node_new_scalar(text, FALSE, NULL);

    node->literal = TRUE;
    return node;
}

/* "20%": the shortest number of percents that reads back as @share. */
static AditNode *
from_share(double share)
{
    g_autofree char *number = NULL;

    for (int digits = 15; digits <= 17; digits++) {
        g_free(number);
        number = g_strdup_printf("%.*g", digits, share * 100);
        if (g_ascii_strtod(number, NULL) / 100 == share)
            break;
    }
    g_autofree char *text = g_strconcat(number, "%", NULL);

    return plain(text);
}

static AditNode *
from_amount(AditAmount amount)
{
    static const char *const words[] = {[ADIT_UNIT_STEPS] = "steps", [ADIT_UNIT_SECONDS] = "s"};
    static const char *const sizes[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    guint size = 0;

    while (amount.unit == ADIT_UNIT_BYTES && size + 1 < G_N_ELEMENTS(sizes) &&
           amount.value >= 1024 && fmod(amount.value, 1024) == 0) {
        amount.value /= 1024;
        size++;
    }
    g_autofree char *number = adit_number_to_string(amount.value);

    if (amount.unit == ADIT_UNIT_PERCENT)
        return from_share(amount.value);
    if (amount.unit == ADIT_UNIT_NONE)
        return plain(number);
    g_autofree char *text = g_strdup_printf(
        "%s %s", number, amount.unit == ADIT_UNIT_BYTES ? sizes[size] : words[amount.unit]);

    return plain(text);
}

AditNode *
adit_resolve_default(const AditParameter *p)
{
    if (p->required)
        return NULL;
    switch (p->type) {
    case ADIT_PARAMETER_INT:
        return from_integer((gint64) p->def);
    case ADIT_PARAMETER_NUMBER:
    case ADIT_PARAMETER_LIVE:
        return isfinite(p->def) ? from_number(p->def) : NULL;
    case ADIT_PARAMETER_BOOLEAN:
        return plain(p->def != 0 ? "true" : "false");
    case ADIT_PARAMETER_CHOICE:
        return from_text(p->words[(int) p->def]);
    case ADIT_PARAMETER_AMOUNT:
        /* a negative amount stands for "what the component says" */
        return p->def_amount.value < 0 ? NULL : from_amount(p->def_amount);
    case ADIT_PARAMETER_TEXT:
    case ADIT_PARAMETER_PATH:
    case ADIT_PARAMETER_ADDRESSES:
        return p->def_text != NULL ? from_text(p->def_text) : NULL;
    case ADIT_PARAMETER_NUMBERS:
    case ADIT_PARAMETER_TEXTS:
    case ADIT_PARAMETER_REFERENCE:
    default:
        return NULL;
    }
}

/* Ranges in words. */

static gboolean
has_maximum(const AditParameter *p)
{
    return p->max < 9e18;
}

static gboolean
has_minimum(const AditParameter *p)
{
    return p->min > -9e18;
}

/* " in 0..65536", " of at least 1" or nothing. */
static char *
describe_range(const AditParameter *p, const char *at_least)
{
    g_autofree char *min = adit_number_to_string(p->min);
    g_autofree char *max = adit_number_to_string(p->max);

    if (has_maximum(p) && has_minimum(p))
        return g_strdup_printf(" in %s..%s", min, max);
    if (has_minimum(p))
        return g_strdup_printf(" %s %s", at_least, min);
    return has_maximum(p) ? g_strdup_printf(" at most %s", max) : g_strdup("");
}

static gboolean
report_type(AditBinder *self, const AditParameter *p, AditValue value, const char *expected)
{
    g_autofree char *got = adit_node_describe(value.node);

    adit_value_error(&self->substitution, value, ADIT_ERROR_INVALID, "'%s' must be %s, got %s",
                     p->name, expected, got);
    return FALSE;
}

static gboolean
report_range(AditBinder *self, const AditParameter *p, AditValue value)
{
    g_autofree char *range = describe_range(p, "at least");
    g_autofree char *got = adit_node_describe(value.node);

    adit_value_error(&self->substitution, value, ADIT_ERROR_INVALID, "'%s' must be%s, got %s",
                     p->name, range, got);
    return FALSE;
}

/* A schedule where the number is fixed; FALSE: it is none. */
static gboolean
report_schedule(AditBinder *self, const AditParameter *p, AditValue value)
{
    if (value.node->kind != ADIT_NODE_MAPPING || adit_node_count(value.node) != 1)
        return FALSE;
    if (adit_registry_find(self->registry, "schedule", adit_node_get_key(value.node, 0)->text,
                           NULL) == 0)
        return FALSE;
    adit_value_error(&self->substitution, value, ADIT_ERROR_INVALID,
                     "'%s' is fixed when the network is built and takes no schedule", p->name);
    return TRUE;
}

static gboolean
bind_integer(AditBinder *self, const AditParameter *p, AditValue value, AditBound *bound)
{
    AditScalar scalar = adit_node_get_scalar(value.node);
    g_autofree char *range = describe_range(p, "of at least");
    g_autofree char *expected = g_strdup_printf("an integer%s", range);

    if (report_schedule(self, p, value))
        return FALSE;
    if (scalar.type != ADIT_SCALAR_INTEGER)
        return report_type(self, p, value, expected);
    if (scalar.huge || scalar.number < p->min || scalar.number > p->max)
        return report_range(self, p, value);
    bound->integer = scalar.integer;
    bound->number = scalar.number;
    bound->resolved = from_integer(scalar.integer);
    return TRUE;
}

static gboolean
bind_number(AditBinder *self, const AditParameter *p, AditValue value, const char *expected,
            AditBound *bound)
{
    AditScalar scalar = adit_node_get_scalar(value.node);
    g_autofree char *got = adit_node_describe(value.node);

    if (scalar.type != ADIT_SCALAR_INTEGER && scalar.type != ADIT_SCALAR_NUMBER)
        return report_type(self, p, value, expected);
    if (!isfinite(scalar.number)) {
        adit_value_error(&self->substitution, value, ADIT_ERROR_INVALID,
                         "'%s' must be finite, got %s", p->name, got);
        return FALSE;
    }
    if (scalar.huge || scalar.number < p->min || scalar.number > p->max)
        return report_range(self, p, value);
    bound->number = scalar.number;
    bound->resolved = scalar.type == ADIT_SCALAR_INTEGER ? from_integer(scalar.integer)
                                                         : from_number(scalar.number);
    return TRUE;
}

static gboolean
bind_boolean(AditBinder *self, const AditParameter *p, AditValue value, AditBound *bound)
{
    AditScalar scalar = adit_node_get_scalar(value.node);

    if (scalar.type != ADIT_SCALAR_BOOLEAN)
        return report_type(self, p, value, "true or false");
    bound->integer = scalar.boolean;
    bound->resolved = plain(scalar.boolean ? "true" : "false");
    return TRUE;
}

static gboolean
bind_text(AditBinder *self, const AditParameter *p, AditValue value, AditBound *bound)
{
    if (value.node->kind != ADIT_NODE_SCALAR || adit_node_is_null(value.node))
        return report_type(self, p, value, "text");
    bound->text = g_strdup(value.node->text);
    bound->resolved = from_text(bound->text);
    return TRUE;
}

static gboolean
bind_choice(AditBinder *self, const AditParameter *p, AditValue value, AditBound *bound)
{
    g_autofree char *words = g_strjoinv(", ", (char **) p->words);
    g_autofree char *got = adit_node_describe(value.node);
    const char *text = value.node->kind == ADIT_NODE_SCALAR ? value.node->text : "";
    const char *nearest = adit_suggest(text, p->words, g_strv_length((char **) p->words));

    for (int i = 0; p->words[i] != NULL; i++)
        if (strcmp(p->words[i], text) == 0) {
            bound->integer = i;
            bound->resolved = from_text(text);
            return TRUE;
        }
    if (nearest != NULL)
        adit_value_error(&self->substitution, value, ADIT_ERROR_INVALID,
                         "'%s' must be one of %s, got %s; did you mean '%s'?", p->name, words, got,
                         nearest);
    else
        adit_value_error(&self->substitution, value, ADIT_ERROR_INVALID,
                         "'%s' must be one of %s, got %s", p->name, words, got);
    return FALSE;
}

/* Amounts: a number and the word behind it. */

typedef struct {
    const char *word;
    double factor;
    AditUnit unit;
} Unit;

static const Unit percents[] = {{"%", 0.01, ADIT_UNIT_PERCENT}, {NULL, 0, ADIT_UNIT_NONE}};
static const Unit spans[] = {
    {"steps", 1, ADIT_UNIT_STEPS}, {"step", 1, ADIT_UNIT_STEPS}, {NULL, 0, ADIT_UNIT_NONE}};
static const Unit times[] = {{"ms", 0.001, ADIT_UNIT_SECONDS},
                             {"s", 1, ADIT_UNIT_SECONDS},
                             {"min", 60, ADIT_UNIT_SECONDS},
                             {"h", 3600, ADIT_UNIT_SECONDS},
                             {NULL, 0, ADIT_UNIT_NONE}};
static const Unit sizes[] = {{"B", 1, ADIT_UNIT_BYTES},
                             {"KiB", 1024, ADIT_UNIT_BYTES},
                             {"MiB", 1024.0 * 1024, ADIT_UNIT_BYTES},
                             {"GiB", 1024.0 * 1024 * 1024, ADIT_UNIT_BYTES},
                             {"TiB", 1024.0 * 1024 * 1024 * 1024, ADIT_UNIT_BYTES},
                             {NULL, 0, ADIT_UNIT_NONE}};

static const struct {
    const char *expected;
    const Unit *units;
    gboolean bare; /* a number without unit is allowed */
} forms[] = {
    [ADIT_FORM_SHARE] = {"a share (20% or 0.2)", percents, TRUE},
    [ADIT_FORM_COUNT] = {"a count or a percentage", percents, TRUE},
    [ADIT_FORM_WIDTH] = {"an integer or a percentage of the input", percents, TRUE},
    [ADIT_FORM_SPAN] = {"a number of epochs or \"N steps\"", spans, TRUE},
    [ADIT_FORM_TIME] = {"a time (ms, s, min or h)", times, FALSE},
    [ADIT_FORM_BYTES] = {"a number of bytes (KiB, MiB or GiB)", sizes, FALSE},
};

/* "250 ms": number, blank or none, unit. */
static gboolean
read_unit(const char *text, const Unit *units, AditAmount *amount)
{
    gsize length = strspn(text, "+-.0123456789eE");

    while (length > 0 && !g_ascii_isdigit(text[length - 1]) && text[length - 1] != '.')
        length--;
    g_autofree char *number = g_strndup(text, length);
    g_autoptr(AditNode) node = plain(number);
    AditScalar scalar = adit_node_get_scalar(node);
    const char *word = text + length + (text[length] == ' ');

    if (scalar.type != ADIT_SCALAR_INTEGER && scalar.type != ADIT_SCALAR_NUMBER)
        return FALSE;
    for (; units->word != NULL; units++)
        if (strcmp(units->word, word) == 0) {
            /* dividing keeps 20% the number that 0.2 is */
            amount->value =
                units->factor == 0.01 ? scalar.number / 100 : scalar.number * units->factor;
            amount->unit = units->unit;
            return TRUE;
        }
    return FALSE;
}

static gboolean
check_percentage(const AditParameter *p, double share)
{
    if (!isfinite(share) || share < 0 || (share == 0 && p->min > 0))
        return FALSE;
    return share <= 1 || p->form == ADIT_FORM_WIDTH;
}

static gboolean
bind_bare_amount(AditBinder *self, const AditParameter *p, AditValue value, AditScalar scalar,
                 AditBound *bound)
{
    gboolean counts = p->form == ADIT_FORM_COUNT || p->form == ADIT_FORM_WIDTH;
    g_autofree char *got = adit_node_describe(value.node);

    if (!forms[p->form].bare && scalar.number != 0) {
        adit_value_error(&self->substitution, value, ADIT_ERROR_INVALID,
                         "'%s' must be %s, got %s; a unit is missing", p->name,
                         forms[p->form].expected, got);
        return FALSE;
    }
    if (counts && scalar.type == ADIT_SCALAR_NUMBER && scalar.number > 0 && scalar.number < 1) {
        g_autoptr(AditNode) share = from_share(scalar.number);

        adit_value_error(&self->substitution, value, ADIT_ERROR_INVALID,
                         "'%s' must be %s, got %s; a share is written %s", p->name,
                         forms[p->form].expected, got, share->text);
        return FALSE;
    }
    if (counts && scalar.type != ADIT_SCALAR_INTEGER)
        return report_type(self, p, value, forms[p->form].expected);
    if (!bind_number(self, p, value, forms[p->form].expected, bound))
        return FALSE;
    bound->amount = (AditAmount){scalar.number, ADIT_UNIT_NONE};
    return TRUE;
}

static gboolean
bind_amount(AditBinder *self, const AditParameter *p, AditValue value, AditBound *bound)
{
    AditScalar scalar = adit_node_get_scalar(value.node);

    if (report_schedule(self, p, value))
        return FALSE;
    if (scalar.type == ADIT_SCALAR_INTEGER || scalar.type == ADIT_SCALAR_NUMBER)
        return bind_bare_amount(self, p, value, scalar, bound);
    if (value.node->kind != ADIT_NODE_SCALAR || scalar.type != ADIT_SCALAR_TEXT ||
        !read_unit(value.node->text, forms[p->form].units, &bound->amount))
        return report_type(self, p, value, forms[p->form].expected);
    if (bound->amount.unit == ADIT_UNIT_PERCENT) {
        if (!check_percentage(p, bound->amount.value)) {
            g_autofree char *got = adit_node_describe(value.node);

            adit_value_error(&self->substitution, value, ADIT_ERROR_INVALID,
                             "'%s' must be %s, got %s", p->name,
                             p->form == ADIT_FORM_WIDTH ? "more than 0%" : "in 0..100%", got);
            return FALSE;
        }
        if (p->form == ADIT_FORM_SHARE)
            bound->amount.unit = ADIT_UNIT_NONE;
        bound->resolved = from_share(bound->amount.value);
        return TRUE;
    }
    if (bound->amount.value < p->min || bound->amount.value > p->max)
        return report_range(self, p, value);
    bound->resolved = from_amount(bound->amount);
    return TRUE;
}

static gboolean
bind_live(AditBinder *self, const AditParameter *p, AditValue value, AditBound *bound)
{
    AditScalar scalar = adit_node_get_scalar(value.node);
    gboolean names = value.node->kind == ADIT_NODE_SCALAR && scalar.type == ADIT_SCALAR_TEXT &&
                     adit_registry_find(self->registry, "schedule", value.node->text, NULL) != 0;

    if (value.node->kind != ADIT_NODE_MAPPING && !names) {
        if (!bind_number(self, p, value, "a number or a schedule", bound))
            return FALSE;
        bound->live = adit_live_new(bound->number);
        return TRUE;
    }
    g_autoptr(AditComponent) schedule =
        adit_bind_component(self, "schedule", value, &bound->resolved);

    if (schedule == NULL)
        return FALSE;
    bound->live = adit_live_new_scheduled(ADIT_SCHEDULE(schedule));
    return TRUE;
}

/* Lists. */

/* (nullable): where a relative path begins; NULL: in the working directory. */
static char *
find_folder(AditBinder *self, const AditNode *node)
{
    const AditSource *source = node->place.source;
    AditPipelineFile *file = adit_pipeline_file_of(self, node);

    if (source != NULL && source->is_argument)
        return NULL;
    if (source != NULL && source == self->study) {
        g_autofree char *path = g_canonicalize_filename(source->name, NULL);

        return g_path_get_dirname(path);
    }
    return file != NULL ? g_strdup(file->folder) : NULL;
}

static gboolean
bind_path(AditBinder *self, const AditParameter *p, AditValue value, AditBound *bound)
{
    if (!bind_text(self, p, value, bound))
        return FALSE;
    if (*bound->text == '\0')
        return report_type(self, p, value, "a path");
    g_autofree char *folder = find_folder(self, value.node);
    g_autofree char *path = g_canonicalize_filename(bound->text, folder);

    g_array_append_val(self->experiment->paths, value.node->place);
    g_clear_pointer(&bound->resolved, adit_node_unref);
    g_free(bound->text);
    bound->text = g_steal_pointer(&path);
    bound->resolved = from_text(bound->text);
    return TRUE;
}

/* A word that an item may be in place of a number; FALSE: it is none, though not told yet. */
static gboolean
bind_list_word(const AditParameter *p, AditValue value, AditBound *bound)
{
    for (int i = 0; p->words != NULL && p->words[i] != NULL; i++) {
        double number = -1.0 - i;

        if (value.node->kind != ADIT_NODE_SCALAR || strcmp(p->words[i], value.node->text) != 0)
            continue;
        g_array_append_val(bound->numbers, number);
        adit_node_append(bound->resolved, from_text(p->words[i]));
        return TRUE;
    }
    return FALSE;
}

static gboolean
bind_list_number(AditBinder *self, const AditParameter *p, AditValue value, AditBound *bound)
{
    g_auto(AditBound) one = {0};

    if (bind_list_word(p, value, bound))
        return TRUE;
    if (p->words != NULL && adit_node_get_scalar(value.node).type == ADIT_SCALAR_TEXT) {
        g_autofree char *words = g_strjoinv(", ", (char **) p->words);
        g_autofree char *range = describe_range(p, "of at least");
        g_autofree char *expected =
            g_strdup_printf("%s or %s%s", words, p->whole ? "an integer" : "a number", range);

        return report_type(self, p, value, expected);
    }
    if (p->whole ? !bind_integer(self, p, value, &one)
                 : !bind_number(self, p, value, "a number or a list of numbers", &one))
        return FALSE;
    g_array_append_val(bound->numbers, one.number);
    adit_node_append(bound->resolved, g_steal_pointer(&one.resolved));
    return TRUE;
}

static gboolean
bind_list_text(AditBinder *self, const AditParameter *p, AditValue value, gboolean parameters,
               GPtrArray *texts, AditBound *bound)
{
    g_auto(AditBound) one = {0};
    g_autofree char *message = NULL;

    if (!bind_text(self, p, value, &one))
        return FALSE;
    if (p->type == ADIT_PARAMETER_ADDRESSES)
        message = adit_address_check(one.text, parameters);
    if (message != NULL) {
        adit_value_error(&self->substitution, value, ADIT_ERROR_INVALID, "%s", message);
        return FALSE;
    }
    g_ptr_array_add(texts, g_steal_pointer(&one.text));
    adit_node_append(bound->resolved, g_steal_pointer(&one.resolved));
    return TRUE;
}

static gboolean
bind_list_item(AditBinder *self, const AditParameter *p, AditValue value, gboolean parameters,
               GPtrArray *texts, AditBound *bound)
{
    value = adit_substitute(&self->substitution, value);
    if (value.node == NULL)
        return FALSE;
    if (value.opaque) {
        adit_node_append(bound->resolved, adit_node_copy(value.node));
        return FALSE;
    }
    return p->type == ADIT_PARAMETER_NUMBERS
               ? bind_list_number(self, p, value, bound)
               : bind_list_text(self, p, value, parameters, texts, bound);
}

static gboolean
bind_list(AditBinder *self, const AditParameter *p, AditValue value, gboolean parameters,
          gconstpointer owner, AditBound *bound)
{
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GArray) places = g_array_new(FALSE, FALSE, sizeof(AditPlace));
    gboolean list = value.node->kind == ADIT_NODE_LIST, good = TRUE;
    guint n = list ? adit_node_count(value.node) : 1;

    bound->numbers = g_array_new(FALSE, FALSE, sizeof(double));
    bound->resolved = adit_node_new_list(NULL);
    for (guint i = 0; i < n; i++) {
        AditValue item = list ? adit_value_item(value, i) : value;

        good = bind_list_item(self, p, item, parameters, texts, bound) && good;
        g_array_append_val(places, item.node->place);
    }
    g_ptr_array_add(texts, NULL);
    bound->texts = (GStrv) g_ptr_array_free(g_steal_pointer(&texts), FALSE);
    /* of numbers it is their number that may turn out to be wrong */
    if (p->type == ADIT_PARAMETER_NUMBERS)
        adit_bind_keep_places(self, owner, p->name, &value.node->place, 1);
    else
        adit_bind_keep_places(self, owner, p->name, (const AditPlace *) (gpointer) places->data, n);
    return good;
}

void
adit_bind_keep_places(AditBinder *self, gconstpointer owner, const char *key,
                      const AditPlace *places, guint n)
{
    GHashTable *all = self->experiment->places;

    if (owner == NULL)
        return;
    GHashTable *table = (GHashTable *) g_hash_table_lookup(all, owner);

    if (table == NULL) {
        table =
            g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_array_unref);
        g_hash_table_insert(all, (gpointer) owner, table);
    }
    GArray *kept = g_array_new(FALSE, FALSE, sizeof(AditPlace));

    g_array_append_vals(kept, places, n);
    g_hash_table_replace(table, g_strdup(key), kept);
}

static gboolean
bind_reference(AditBinder *self, const AditParameter *p, AditValue value, AditBound *bound)
{
    const char *const *kinds = adit_registry_list_kinds();

    if (p->kind == ADIT_TYPE_BLOCK) {
        bound->component = (AditComponent *) adit_bind_sequence(self, value, &bound->resolved);
        return bound->component != NULL;
    }
    for (guint i = 0; kinds[i] != NULL; i++)
        if (adit_kind_get_type(kinds[i]) == p->kind)
            bound->component = adit_bind_component(self, kinds[i], value, &bound->resolved);
    return bound->component != NULL;
}

static gboolean
bind_known(AditBinder *self, const AditParameter *p, AditValue value, gboolean parameters,
           gconstpointer owner, AditBound *bound)
{
    switch (p->type) {
    case ADIT_PARAMETER_INT:
        return bind_integer(self, p, value, bound);
    case ADIT_PARAMETER_NUMBER:
        if (report_schedule(self, p, value))
            return FALSE;
        return bind_number(self, p, value, "a number", bound);
    case ADIT_PARAMETER_BOOLEAN:
        return bind_boolean(self, p, value, bound);
    case ADIT_PARAMETER_TEXT:
        return bind_text(self, p, value, bound);
    case ADIT_PARAMETER_PATH:
        adit_bind_keep_places(self, owner, p->name, &value.node->place, 1);
        return bind_path(self, p, value, bound);
    case ADIT_PARAMETER_CHOICE:
        return bind_choice(self, p, value, bound);
    case ADIT_PARAMETER_AMOUNT:
        return bind_amount(self, p, value, bound);
    case ADIT_PARAMETER_LIVE:
        return bind_live(self, p, value, bound);
    case ADIT_PARAMETER_REFERENCE:
        return bind_reference(self, p, value, bound);
    case ADIT_PARAMETER_NUMBERS:
    case ADIT_PARAMETER_TEXTS:
    case ADIT_PARAMETER_ADDRESSES:
    default:
        return bind_list(self, p, value, parameters, owner, bound);
    }
}

AditBound
adit_bind_value(AditBinder *self, const AditParameter *parameter, AditValue value,
                gboolean parameters, gconstpointer owner)
{
    AditBound bound = {0};

    value = adit_substitute(&self->substitution, value);
    if (value.node != NULL && value.opaque)
        bound.resolved = adit_node_copy(value.node);
    else if (value.node != NULL)
        bound.good = bind_known(self, parameter, value, parameters, owner, &bound);
    if (bound.resolved == NULL)
        bound.resolved = adit_bind_nothing();
    bound.resolved->live = parameter->type == ADIT_PARAMETER_LIVE;
    return bound;
}
