/* core/pipeline/adit-bind-train.c - SPDX-License-Identifier: MIT */
#include <string.h>

#include "adit-binder.h"
#include "adit-suggest.h"

#define MAX_EPOCHS  2147483647.0
#define MAX_SAMPLES 1e15

static const char *const stage_keys[] = {"loss",         "optimizer",  "batch",       "epochs",
                                         "regularizers", "strategy",   "freeze",      "rates",
                                         "shuffle",      "clip",       "micro-batch", "best",
                                         "patience",     "checkpoint", "data",        "name",
                                         "max-time",     "recompute",  NULL};

/* A stage that is being read. @value: its keys, those it took over included. */
typedef struct {
    AditBinder *binder;
    AditStage *stage;
    AditValue value;
    AditNode *resolved;
} Reading;

/* The bound value of a key; not good: it is not there, or wrong. The key is written to the resolved
 * file;
 * @def: (nullable): what stands there if it is not in the file. */
static AditBound
read_key(Reading *self, const AditParameter *p, const char *def)
{
    AditValue value = adit_value_get(self->value, p->name);
    AditBound bound = {0};

    if (value.node == NULL) {
        if (def != NULL)
            adit_node_set_new(self->resolved, p->name, adit_node_new_scalar(def, TRUE, NULL));
        return bound;
    }
    bound = adit_bind_value(self->binder, p, value, TRUE, self->stage);
    adit_node_set_new(self->resolved, p->name, adit_node_ref(bound.resolved));
    return bound;
}

static void
read_counts(Reading *self)
{
    static const AditParameter batch = {.name = "batch",
                                        .type = ADIT_PARAMETER_AMOUNT,
                                        .form = ADIT_FORM_COUNT,
                                        .min = 1,
                                        .max = MAX_SAMPLES};
    static const AditParameter epochs = {
        .name = "epochs", .type = ADIT_PARAMETER_INT, .min = 1, .max = MAX_EPOCHS};
    static const AditParameter micro = {
        .name = "micro-batch", .type = ADIT_PARAMETER_INT, .min = 1, .max = MAX_SAMPLES};
    AditStage *stage = self->stage;
    AditValue written = adit_value_get(self->value, "batch");
    g_auto(AditBound) size = read_key(self, &batch, NULL);
    g_auto(AditBound) number = read_key(self, &epochs, NULL);
    g_auto(AditBound) part = read_key(self, &micro, NULL);

    stage->batch = size.amount;
    stage->epochs = (guint64) number.integer;
    stage->micro_batch = part.good ? (guint64) part.integer : 0;
    if (written.node != NULL)
        stage->batch_place = written.node->place;
    if (size.good && part.good && size.amount.unit == ADIT_UNIT_NONE &&
        part.number > size.amount.value)
        adit_value_error(&self->binder->substitution, adit_value_get(self->value, "micro-batch"),
                         ADIT_ERROR_INVALID,
                         "'micro-batch' must be at most 'batch' (%.0f), got %.0f",
                         size.amount.value, part.number);
}

static void
read_flags(Reading *self)
{
    static const AditParameter shuffle = {.name = "shuffle", .type = ADIT_PARAMETER_BOOLEAN};
    static const AditParameter recompute = {.name = "recompute", .type = ADIT_PARAMETER_BOOLEAN};
    static const AditParameter clip = {
        .name = "clip", .type = ADIT_PARAMETER_NUMBER, .min = 0, .max = G_MAXDOUBLE};
    static const AditParameter time = {.name = "max-time",
                                       .type = ADIT_PARAMETER_AMOUNT,
                                       .form = ADIT_FORM_TIME,
                                       .max = G_MAXDOUBLE};
    g_auto(AditBound) mixed = read_key(self, &shuffle, "true");
    g_auto(AditBound) norm = read_key(self, &clip, NULL);
    g_auto(AditBound) seconds = read_key(self, &time, NULL);
    g_auto(AditBound) again = read_key(self, &recompute, "false");

    self->stage->shuffle = mixed.good ? mixed.integer != 0 : TRUE;
    self->stage->clip = norm.good ? norm.number : 0;
    self->stage->max_time = seconds.good ? seconds.amount.value : 0;
    self->stage->recompute = again.good && again.integer != 0;
}

/* A metric is named by its split: "validation.accuracy". */
static void
check_metric(Reading *self, AditValue value, const char *text)
{
    static const char *const splits[] = {"train", "validation", "test", NULL};
    g_auto(GStrv) words = g_strsplit(text, ".", 2);

    if (words[0] != NULL && words[1] != NULL && g_strv_contains(splits, words[0]) &&
        adit_is_word(words[1]))
        return;
    const char *nearest =
        words[0] != NULL ? adit_suggest(words[0], splits, G_N_ELEMENTS(splits) - 1) : NULL;

    if (nearest != NULL && !g_str_equal(nearest, words[0]) && words[1] != NULL)
        adit_value_error(&self->binder->substitution, value, ADIT_ERROR_INVALID,
                         "'best' must be a split and a metric, got \"%s\"; did you mean '%s.%s'?",
                         text, nearest, words[1]);
    else
        adit_value_error(&self->binder->substitution, value, ADIT_ERROR_INVALID,
                         "'best' must be a split and a metric (test.loss), got \"%s\"", text);
}

static void
read_choice_of_best(Reading *self)
{
    static const AditParameter best = {.name = "best", .type = ADIT_PARAMETER_TEXT};
    static const AditParameter patience = {.name = "patience",
                                           .type = ADIT_PARAMETER_AMOUNT,
                                           .form = ADIT_FORM_SPAN,
                                           .max = G_MAXDOUBLE};
    AditValue written = adit_value_get(self->value, "best");
    g_auto(AditBound) metric = read_key(self, &best, NULL);
    g_auto(AditBound) span = read_key(self, &patience, NULL);

    if (metric.good) {
        check_metric(self, adit_substitute(&self->binder->substitution, written), metric.text);
        self->stage->best = g_steal_pointer(&metric.text);
        self->stage->best_place = written.node->place;
        adit_bind_keep_places(self->binder, self->stage, "best", &written.node->place, 1);
    }
    if (span.good)
        self->stage->patience = span.amount;
}

static void
read_checkpoint(Reading *self)
{
    static const char *const keys[] = {"every", "keep-last", "keep-best", NULL};
    static const AditParameter every = {
        .name = "every", .type = ADIT_PARAMETER_AMOUNT, .form = ADIT_FORM_SPAN, .max = G_MAXDOUBLE};
    static const AditParameter last = {
        .name = "keep-last", .type = ADIT_PARAMETER_INT, .min = 1, .max = 1e6};
    static const AditParameter best = {
        .name = "keep-best", .type = ADIT_PARAMETER_INT, .min = 0, .max = 1e6};
    AditValue value =
        adit_substitute(&self->binder->substitution, adit_value_get(self->value, "checkpoint"));
    Reading inner = *self;
    g_autoptr(AditNode) empty = adit_node_new_mapping(NULL);

    if (value.node != NULL && value.node->kind != ADIT_NODE_MAPPING) {
        adit_value_error(&self->binder->substitution, value, ADIT_ERROR_INVALID,
                         "'checkpoint' must be a mapping with 'every', 'keep-last', 'keep-best'");
        return;
    }
    if (value.node != NULL)
        adit_bind_check_keys(self->binder, value, keys, "key", "checkpoint");
    inner.value = value.node != NULL ? value : (AditValue){.node = empty};
    inner.resolved = adit_node_new_mapping(NULL);
    adit_node_set_new(self->resolved, "checkpoint", inner.resolved);
    g_auto(AditBound) span = read_key(&inner, &every, "1");
    g_auto(AditBound) n_last = read_key(&inner, &last, "2");
    g_auto(AditBound) n_best = read_key(&inner, &best, "1");

    self->stage->checkpoint_every = span.good ? span.amount : (AditAmount){1, ADIT_UNIT_NONE};
    self->stage->keep_last = n_last.good ? (guint) n_last.integer : 2;
    self->stage->keep_best = n_best.good ? (guint) n_best.integer : 1;
}

/* Whole keys that hold components. @def: (nullable): the language's default. */
static AditComponent *
read_component(Reading *self, const char *key, const char *def)
{
    AditValue value = adit_value_get(self->value, key);
    AditNode *resolved = NULL;
    AditComponent *component = NULL;

    if (value.node != NULL) {
        component = adit_bind_component(self->binder, key, value, &resolved);
    } else if (def != NULL) {
        component = adit_bind_default(self->binder, key, def, &self->stage->place, &resolved);
    }
    if (resolved != NULL)
        adit_node_set_new(self->resolved, key, resolved);
    return component;
}

static void
read_regularizers(Reading *self)
{
    AditValue value =
        adit_substitute(&self->binder->substitution, adit_value_get(self->value, "regularizers"));
    AditNode *resolved = adit_node_new_list(NULL);
    gboolean list = value.node != NULL && value.node->kind == ADIT_NODE_LIST;
    guint n = value.node == NULL ? 0 : list ? adit_node_count(value.node) : 1;

    adit_node_set_new(self->resolved, "regularizers", resolved);
    for (guint i = 0; i < n; i++) {
        AditNode *node = NULL;
        AditComponent *component = adit_bind_component(
            self->binder, "regularizer", list ? adit_value_item(value, i) : value, &node);

        adit_node_append(resolved, node);
        if (component != NULL)
            g_ptr_array_add(self->stage->regularizers, component);
    }
}

static void
rate_clear(gpointer data)
{
    g_strfreev(((AditRate *) data)->at);
}

static void
read_rate(Reading *self, AditValue value, AditNode *resolved)
{
    static const char *const keys[] = {"at", "factor", NULL};
    static const AditParameter at = {.name = "at", .type = ADIT_PARAMETER_ADDRESSES};
    static const AditParameter factor = {
        .name = "factor", .type = ADIT_PARAMETER_NUMBER, .min = 0, .max = 1e9};
    Reading inner = *self;

    value = adit_substitute(&self->binder->substitution, value);
    if (value.node == NULL)
        return;
    if (value.node->kind != ADIT_NODE_MAPPING || adit_node_get(value.node, "at") == NULL ||
        adit_node_get(value.node, "factor") == NULL) {
        adit_value_error(&self->binder->substitution, value, ADIT_ERROR_INVALID,
                         "an item of 'rates' must be {at: addresses, factor: number}");
        return;
    }
    adit_bind_check_keys(self->binder, value, keys, "key", "rates");
    inner.value = value;
    inner.resolved = resolved;

    AditValue where = adit_substitute(&self->binder->substitution, adit_value_get(value, "at"));
    g_auto(AditBound) addresses = read_key(&inner, &at, NULL);
    g_auto(AditBound) number = read_key(&inner, &factor, NULL);
    AditRate rate = {.factor = number.number};

    if (!addresses.good || !number.good)
        return;
    rate.at = g_steal_pointer(&addresses.texts);
    rate.place = where.node->place;
    g_array_append_val(self->stage->rates, rate);
}

static void
read_addresses(Reading *self)
{
    static const AditParameter freeze = {.name = "freeze", .type = ADIT_PARAMETER_ADDRESSES};
    AditValue written = adit_value_get(self->value, "freeze");
    AditValue rates =
        adit_substitute(&self->binder->substitution, adit_value_get(self->value, "rates"));
    AditNode *list = adit_node_new_list(NULL);
    g_auto(AditBound) frozen = read_key(self, &freeze, NULL);

    if (frozen.good)
        self->stage->freeze = g_steal_pointer(&frozen.texts);
    if (written.node != NULL)
        self->stage->freeze_place = written.node->place;
    if (rates.node != NULL)
        adit_node_set_new(self->resolved, "rates", list);
    gboolean many = rates.node != NULL && rates.node->kind == ADIT_NODE_LIST;
    guint n = rates.node == NULL ? 0 : many ? adit_node_count(rates.node) : 1;

    for (guint i = 0; i < n; i++) {
        AditNode *resolved = adit_node_new_mapping(NULL);

        read_rate(self, many ? adit_value_item(rates, i) : rates, resolved);
        adit_node_append(list, resolved);
    }
    if (rates.node == NULL)
        adit_node_unref(list);
}

static void
read_data(Reading *self)
{
    static const AditParameter data = {.name = "data", .type = ADIT_PARAMETER_TEXT};
    g_auto(AditBound) name = read_key(self, &data, NULL);

    if (name.good)
        self->stage->data = g_steal_pointer(&name.text);
    if (name.good)
        adit_bind_keep_places(self->binder, self->stage, "data",
                              &adit_value_get(self->value, "data").node->place, 1);
}

static void
stage_free(gpointer data)
{
    AditStage *stage = (AditStage *) data;

    g_free(stage->name);
    g_clear_object(&stage->loss);
    g_clear_object(&stage->optimizer);
    g_clear_object(&stage->strategy);
    g_ptr_array_unref(stage->regularizers);
    g_strfreev(stage->freeze);
    g_array_unref(stage->rates);
    g_free(stage->best);
    g_free(stage->data);
    g_free(stage);
}

static void
check_required(Reading *self, AditValue written)
{
    static const char *const required[] = {"loss", "optimizer", "batch", "epochs"};

    for (gsize i = 0; i < G_N_ELEMENTS(required); i++)
        if (adit_node_get(self->value.node, required[i]) == NULL)
            adit_value_error(&self->binder->substitution, written, ADIT_ERROR_INVALID,
                             "'train' needs '%s'", required[i]);
}

/* @merged: the keys of the stages before, to which this one's are added. */
static void
read_stage(AditBinder *self, AditValue written, AditNode *merged, guint number, AditNode *resolved)
{
    static const AditParameter name = {.name = "name", .type = ADIT_PARAMETER_TEXT};
    g_autofree char *default_name = g_strdup_printf("%u", number);
    AditStage *stage = g_new0(AditStage, 1);
    Reading reading = {self, stage, written, resolved};
    guint index;

    if (adit_node_find(merged, "name", &index))
        adit_node_remove(merged, index);
    for (guint i = 0; i < adit_node_count(written.node); i++)
        adit_node_set(merged, adit_node_ref(adit_node_get_key(written.node, i)),
                      adit_node_ref(adit_node_get_item(written.node, i)));
    stage->regularizers = g_ptr_array_new_with_free_func(g_object_unref);
    stage->rates = g_array_new(FALSE, TRUE, sizeof(AditRate));
    g_array_set_clear_func(stage->rates, rate_clear);
    stage->place = written.node->place;
    g_ptr_array_add(self->experiment->stages, stage);

    adit_bind_check_keys(self, written, stage_keys, "key", "train");
    reading.value.node = merged;
    check_required(&reading, written);
    g_auto(AditBound) text = read_key(&reading, &name, NULL);

    stage->name = text.good ? g_strdup(text.text) : g_steal_pointer(&default_name);
    for (guint i = 0; i + 1 < self->experiment->stages->len; i++) {
        const AditStage *other = self->experiment->stages->pdata[i];

        if (strcmp(other->name, stage->name) == 0)
            adit_diagnostics_error(self->diagnostics, &stage->place, ADIT_ERROR_INVALID,
                                   "two stages are named '%s'; give one another 'name'",
                                   stage->name);
    }
    adit_node_set_new(resolved, "name", adit_node_new_scalar(stage->name, FALSE, NULL));
    adit_node_get(resolved, "name")->literal = TRUE;
    stage->loss = (AditLoss *) read_component(&reading, "loss", NULL);
    stage->optimizer = (AditOptimizer *) read_component(&reading, "optimizer", NULL);
    stage->strategy = (AditStrategy *) read_component(&reading, "strategy", "joint");
    read_counts(&reading);
    read_regularizers(&reading);
    read_addresses(&reading);
    read_flags(&reading);
    read_choice_of_best(&reading);
    read_checkpoint(&reading);
    read_data(&reading);
}

void
adit_bind_train(AditBinder *self, AditValue value, AditNode *resolved)
{
    AditNode *merged = adit_substitution_keep(&self->substitution, adit_node_new_mapping(NULL));

    self->experiment->stages = g_ptr_array_new_with_free_func(stage_free);
    if (value.node == NULL)
        return;
    value = adit_substitute(&self->substitution, value);
    if (value.node == NULL)
        return;
    gboolean list = value.node->kind == ADIT_NODE_LIST;
    AditNode *stages = adit_node_new_list(NULL);

    for (guint i = 0; i < (list ? adit_node_count(value.node) : 1); i++) {
        AditValue stage =
            list ? adit_substitute(&self->substitution, adit_value_item(value, i)) : value;
        AditNode *node = adit_node_new_mapping(NULL);

        adit_node_append(stages, node);
        if (stage.node == NULL)
            continue;
        if (stage.node->kind == ADIT_NODE_MAPPING) {
            read_stage(self, stage, merged, i + 1, node);
            continue;
        }
        g_autofree char *got = adit_node_describe(stage.node);

        adit_value_error(&self->substitution, stage, ADIT_ERROR_INVALID,
                         "'train' must be a stage or a list of stages, got %s", got);
    }
    if (list && adit_node_count(value.node) == 0)
        adit_value_error(&self->substitution, value, ADIT_ERROR_INVALID,
                         "'train' must have at least one stage, got an empty list");
    adit_node_set_new(resolved, "train",
                      list ? adit_node_ref(stages) : adit_node_ref(adit_node_get_item(stages, 0)));
    adit_node_unref(stages);
}
