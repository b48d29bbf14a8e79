/* core/probe/adit-probe-reader.c - SPDX-License-Identifier: MIT */
#include "adit-probe-reader.h"

#include <string.h>

#include <adit/adit-ops.h>

#include "adit-capture.h"
#include "adit-gradient.h"
#include "adit-settings.h"

/**
 * Reading: one of the probe's.
 * @side: ADIT_PROBE_SIDES: of no address
 * @source: the reading that captures for this one: itself, or where one side is the other
 * @items: what is to be read, one for each address
 * @features: (array): one for each item
 * @shifts: (nullable) (element-type Shift): what is added to what was collected
 */
typedef struct {
    AditReading what;
    guint side;
    guint source;
    AditCaptureItem *items;
    guint n_items;
    AditFeatures *features;
    GArray *shifts;
    const AditSplit *split;
    gsize samples;
} Reading;

/**
 * Shift: of a tensor, in all iterations.
 * @kept: the constants
 * @collect: what they are added to, in the root graph
 * @shape: of one
 */
typedef struct {
    AditTensor *kept;
    AditTensor *collect;
    AditShape shape;
} Shift;

struct _AditProbeReader {
    AditProbe *probe;
    AditProbeClass *klass;
    const AditProbeSettings *settings;
    AditNetwork *network;
    AditGraph *graph;
    AditNetworkTensors tensors;
    AditProbeAddresses addresses;
    Reading *readings;
    guint n_readings;
    AditTeam *team;
    const AditData *data;
    gboolean has_shifts; /* of the data */
};

/* ---- what is read of the network ---- */

static AditTensor *
pool_map(const AditProbeReader *self, AditTensor *tensor)
{
    gsize side = (gsize) self->settings->pool;
    gsize to[2];

    if (side == 0 || tensor->shape.rank != 3 || !tensor->rows)
        return tensor;
    for (guint i = 0; i < 2; i++)
        to[i] = MIN(side, tensor->shape.size[i + 1]);
    if (to[0] == tensor->shape.size[1] && to[1] == tensor->shape.size[2])
        return tensor;
    return adit_pool2d_to(tensor, ADIT_POOL_AVERAGE, to);
}

/* The logits as they would be before a block and behind it. */
static AditTensor *
build_answers(const AditProbeReader *self, const AditPick *pick)
{
    const AditModel *model = &adit_network_get_experiment(self->network)->model;
    AditTensor *before = pick->before != NULL ? adit_graph_import(pick->tensor->graph, pick->before)
                                              : adit_scale(pick->tensor, 0);
    AditTensor *answers[] = {adit_model_build_head(model, before),
                             adit_model_build_head(model, pick->tensor)};

    for (guint i = 0; i < G_N_ELEMENTS(answers); i++)
        answers[i] = adit_reshape(answers[i], &ADIT_SHAPE(1, adit_shape_count(&answers[i]->shape)));
    return adit_concat(answers, G_N_ELEMENTS(answers), 0);
}

/* Something is added to it in every iteration, which is not known before data is read. */
static AditTensor *
shift(Reading *reading, AditTensor *tensor)
{
    Shift own = {.shape = tensor->shape};
    AditTensor *constant = adit_constant_stack(tensor->graph, &tensor->shape, &own.kept);

    if (reading->shifts == NULL)
        reading->shifts = g_array_new(FALSE, FALSE, sizeof(Shift));
    own.collect = adit_tensor_unroll(tensor);
    g_array_append_val(reading->shifts, own);
    return adit_add(tensor, constant);
}

/* What is read is computed where the pick was, in its loop, once for all of it. */
static AditTensor *
build_reading(const AditProbeReader *self, Reading *reading, const AditPick *pick)
{
    AditTensor *tensor = pick->tensor;

    if (reading->what.kind == ADIT_READ_FOLDED)
        tensor = shift(reading, tensor);
    if (reading->what.kind == ADIT_READ_ANSWERS)
        return build_answers(self, pick);
    if (reading->what.kind == ADIT_READ_SCORES || reading->what.kind == ADIT_READ_FOLDED)
        return adit_network_build_scores(adit_network_get_experiment(self->network),
                                         adit_network_get_loss(self->network),
                                         self->tensors.targets, tensor);
    return reading->what.kind == ADIT_READ_GRADIENTS ? tensor : pool_map(self, tensor);
}

/* What has a network of its own for each address is built when it is loaded. */
static void
list_items(const AditProbeReader *self, Reading *reading)
{
    const GArray *found = self->addresses.picks[reading->side];

    reading->n_items = found->len;
    reading->items = g_new0(AditCaptureItem, found->len);
    reading->features = g_new0(AditFeatures, found->len);
    for (guint i = 0; i < found->len; i++) {
        const char *address = g_array_index(found, AditPick, i).address;

        reading->items[i] = (AditCaptureItem){address, NULL, ADIT_SHAPE(2), 0};
        reading->features[i].address = address;
        reading->features[i].shape = ADIT_SHAPE(2);
    }
}

static void
build_items(const AditProbeReader *self, Reading *reading)
{
    const GArray *found = self->addresses.picks[reading->side];
    g_autoptr(GHashTable) built = g_hash_table_new(NULL, NULL);

    reading->n_items = found->len;
    reading->items = g_new0(AditCaptureItem, found->len);
    reading->features = g_new0(AditFeatures, found->len);
    for (guint i = 0; i < found->len; i++) {
        const AditPick *pick = &g_array_index(found, AditPick, i);
        AditTensor *own = g_hash_table_lookup(built, pick->tensor);

        if (own == NULL) {
            own = build_reading(self, reading, pick);
            g_hash_table_insert(built, pick->tensor, own);
        }
        reading->items[i] = (AditCaptureItem){pick->address, own, own->shape, pick->instance};
        reading->features[i].address = pick->address;
        reading->features[i].shape = own->shape;
    }
}

/* Of no address: one for all rows. */
static void
build_single(const AditProbeReader *self, Reading *reading)
{
    reading->features = g_new0(AditFeatures, 1);
    if (reading->what.kind == ADIT_READ_CLASSES)
        return;
    AditTensor *own = reading->what.kind == ADIT_READ_SCORES
                          ? adit_network_join_scores(&self->tensors)
                          : self->tensors.logits;

    reading->n_items = 1;
    reading->items = g_new0(AditCaptureItem, 1);
    reading->items[0] = (AditCaptureItem){"head", own, own->shape, 0};
    reading->features[0].shape = own->shape;
}

/* Each sample's own loss gives the derivatives by what there is of that sample: rows know nothing
 * of each other in evaluation. */
static void
build_gradients(const AditProbeReader *self, Reading *reading)
{
    AditTensor *loss = adit_reduce_rows(self->tensors.loss, ADIT_REDUCE_SUM);
    g_autofree AditTensor **sources = g_new(AditTensor *, reading->n_items + 1);
    g_autofree AditTensor **gradients = g_new(AditTensor *, reading->n_items + 1);

    for (guint i = 0; i < reading->n_items; i++)
        sources[i] = reading->items[i].tensor;
    adit_gradient(loss, sources, reading->n_items, ADIT_GRADIENT_KEEP, gradients);
    for (guint i = 0; i < reading->n_items; i++)
        reading->items[i].tensor = gradients[i];
}

/* In the root graph; what all instances are in one tensor stays so. */
static void
unroll_items(Reading *reading)
{
    for (guint i = 0; i < reading->n_items; i++)
        reading->items[i].tensor = adit_tensor_unroll(reading->items[i].tensor);
}

/* The first reading of the same, if both sides are. */
static guint
find_source(const AditProbeReader *self, guint index)
{
    const AditReading *what = &self->readings[index].what;

    for (guint i = 0; self->addresses.is_own && i < index; i++) {
        const AditReading *other = &self->readings[i].what;

        if (self->readings[i].side < ADIT_PROBE_SIDES && other->kind == what->kind &&
            other->of_training == what->of_training)
            return i;
    }
    return index;
}

static void
build_readings(AditProbeReader *self)
{
    guint n;
    const AditReading *what = adit_probe_class_get_readings(self->klass, &n);

    self->n_readings = n;
    self->readings = g_new0(Reading, n);
    for (guint i = 0; i < n; i++) {
        Reading *reading = &self->readings[i];

        reading->what = what[i];
        if (self->klass->ask != NULL)
            self->klass->ask(self->probe, &reading->what);
        reading->side = adit_probe_addresses_find_side(&self->addresses, &reading->what);
        reading->source = i;
        if (reading->side == ADIT_PROBE_SIDES)
            build_single(self, reading);
        else if (reading->what.kind == ADIT_READ_ABLATED)
            list_items(self, reading);
        else if ((reading->source = find_source(self, i)) == i)
            build_items(self, reading);
        if (reading->what.kind == ADIT_READ_GRADIENTS && reading->items != NULL)
            build_gradients(self, reading);
        if (reading->what.kind != ADIT_READ_ABLATED)
            unroll_items(reading);
    }
}

AditProbeReader *
adit_probe_reader_new(AditProbe *probe, AditNetwork *network, GError **error)
{
    g_autoptr(AditProbeReader) self = g_new0(AditProbeReader, 1);
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();

    self->probe = probe;
    self->klass = ADIT_PROBE_GET_CLASS(probe);
    self->settings = adit_probe_get_settings(probe);
    self->network = network;
    if ((adit_probe_class_reads(self->klass, ADIT_READ_SCORES) ||
         adit_probe_class_reads(self->klass, ADIT_READ_GRADIENTS)) &&
        adit_network_get_loss(network) == NULL) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "probe '%s' needs a loss and targets: the data has no targets, or the pipeline "
                    "no loss",
                    ADIT_COMPONENT_CLASS(self->klass)->name);
        return NULL;
    }
    self->graph = adit_network_copy_graph(network, &self->tensors);
    adit_probe_addresses_find(&self->addresses, probe, adit_network_get_experiment(network),
                              self->graph, diagnostics);
    if (adit_diagnostics_fail(diagnostics, error))
        return NULL;
    build_readings(self);
    adit_network_diagnose(self->graph, diagnostics);
    self->team = adit_team_new(adit_device_get_threads(adit_network_get_device(network)));
    return adit_diagnostics_fail(diagnostics, error) ? NULL : g_steal_pointer(&self);
}

static void
clear_features(AditFeatures *features)
{
    g_clear_pointer((float **) &features->values, g_free);
    g_clear_pointer(&features->prepared, g_free);
}

void
adit_probe_reader_free(AditProbeReader *self)
{
    for (guint i = 0; i < self->n_readings; i++) {
        Reading *reading = &self->readings[i];

        for (guint j = 0; reading->features != NULL && j < MAX(reading->n_items, 1); j++)
            clear_features(&reading->features[j]);
        g_clear_pointer(&reading->shifts, g_array_unref);
        g_free(reading->features);
        g_free(reading->items);
    }
    g_free(self->readings);
    adit_probe_addresses_clear(&self->addresses);
    g_clear_pointer(&self->graph, adit_graph_unref);
    g_clear_pointer(&self->team, adit_team_free);
    g_free(self);
}

const AditProbeAddresses *
adit_probe_reader_get_addresses(const AditProbeReader *self)
{
    return &self->addresses;
}

AditTeam *
adit_probe_reader_get_team(const AditProbeReader *self)
{
    return self->team;
}

/* ---- what is read of the data ---- */

static const AditSplit *
get_split(const AditData *data, const char *name)
{
    if (g_str_equal(name, "train"))
        return &data->train;
    return g_str_equal(name, "validation") ? &data->validation : &data->test;
}

static gsize
count_samples(const AditProbeSettings *settings, gsize rows)
{
    AditAmount amount = settings->samples;
    double count = amount.unit == ADIT_UNIT_PERCENT ? amount.value * (double) rows : amount.value;
    return (gsize) CLAMP(count, 1.0, (double) rows);
}

/* Whether the loss is looked at. */
static gboolean
needs_targets(AditReadingKind kind)
{
    return kind == ADIT_READ_SCORES || kind == ADIT_READ_FOLDED || kind == ADIT_READ_ABLATED ||
           kind == ADIT_READ_GRADIENTS;
}

static gboolean
check_split(const AditProbeReader *self, const Reading *reading, const char *data, GError **error)
{
    const char *lacks = NULL;

    if (reading->split->rows == 0 ||
        (reading->what.kind == ADIT_READ_FOLDED && self->data->train.rows == 0))
        lacks = "training rows";
    else if (needs_targets(reading->what.kind) && reading->split->targets == NULL)
        lacks = "targets";
    else if (reading->what.kind == ADIT_READ_CLASSES && reading->split->classes == 0)
        lacks = "classes";
    if (lacks == NULL)
        return TRUE;
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID, "probe '%s' needs %s, data '%s' has none",
                adit_probe_get_name(self->probe), lacks, data);
    return FALSE;
}

static void
read_classes(Reading *reading)
{
    AditFeatures *features = reading->features;
    g_autofree gsize *rows = g_new(gsize, reading->samples);

    for (gsize i = 0; i < reading->samples; i++)
        rows[i] = i;
    features->values = g_new(float, reading->samples);
    features->classes = reading->split->classes;
    adit_split_gather_targets_f32(reading->split, rows, reading->samples,
                                  (float *) features->values);
}

gboolean
adit_probe_reader_open(AditProbeReader *self, const AditData *data, GError **error)
{
    self->data = data;
    self->has_shifts = FALSE;
    for (guint i = 0; i < self->n_readings; i++) {
        Reading *reading = &self->readings[i];

        reading->split =
            reading->what.of_training ? &data->train : get_split(data, self->settings->split);
        if (!check_split(self, reading, data->name, error))
            return FALSE;
        reading->samples = count_samples(self->settings, reading->split->rows);
        for (guint j = 0; reading->features != NULL && j < MAX(reading->n_items, 1); j++)
            reading->features[j].samples = reading->samples;
        if (reading->side == ADIT_PROBE_SIDES)
            clear_features(reading->features);
        if (reading->what.kind == ADIT_READ_CLASSES)
            read_classes(reading);
    }
    return TRUE;
}

/* ---- some addresses at a time ---- */

static gboolean
adds_up(const AditProbeReader *self, const Reading *reading)
{
    return self->klass->add != NULL && reading == &self->readings[0];
}

static gsize
count_prepared(const AditProbeReader *self, const AditFeatures *features)
{
    return self->klass->count != NULL ? self->klass->count(self->probe, features) : 0;
}

double
adit_probe_reader_count_bytes(const AditProbeReader *self, guint side, guint index)
{
    double bytes = 0;

    for (guint i = 0; i < self->n_readings; i++) {
        const Reading *reading = &self->readings[i];

        if (reading->side != side || reading->source != i)
            continue;
        const AditFeatures *features = &reading->features[index];
        double width = (double) adit_shape_count(&features->shape);
        double kept = adds_up(self, reading) ? 0 : (double) reading->samples;

        kept += (double) MIN(reading->samples, ADIT_CAPTURE_SAMPLES);
        bytes += kept * width * sizeof(float);
        bytes += (double) count_prepared(self, features) * sizeof(double);
    }
    return bytes;
}

/**
 * Load: one pass over a split.
 * @readings, @features, @items: in step
 */
typedef struct {
    AditProbeReader *self;
    GPtrArray *readings;
    GPtrArray *features;
    GArray *items;
    gsize first;
    gsize samples;
    float *const *values;
    gint next;
} Load;

/* Features by features, on any thread. */
static void
take_up(gpointer data, guint thread)
{
    Load *load = data;
    AditProbeReader *self = load->self;
    guint i;

    while ((i = (guint) g_atomic_int_add(&load->next, 1)) < load->features->len) {
        AditFeatures *features = load->features->pdata[i];
        gsize count = adit_shape_count(&features->shape);

        if (!adds_up(self, load->readings->pdata[i])) {
            memcpy((float *) features->values + load->first * count, load->values[i],
                   load->samples * count * sizeof(float));
            continue;
        }
        AditFeatures some = *features;
        some.samples = load->samples;
        some.values = load->values[i];
        self->klass->add(self->probe, &some, features->prepared);
    }
}

static void
receive(gsize first, gsize samples, float *const *values, gpointer user_data)
{
    Load *load = user_data;

    load->first = first;
    load->samples = samples;
    load->values = values;
    load->next = 0;
    adit_team_run(load->self->team, take_up, load);
}

static gboolean
allocate(const AditProbeReader *self, const Reading *reading, AditFeatures *features,
         GError **error)
{
    gsize count = adit_shape_count(&features->shape) * reading->samples;
    gsize prepared = reading->side < ADIT_PROBE_SIDES ? count_prepared(self, features) : 0;

    if (!adds_up(self, reading))
        features->values = g_try_new(float, count + 1);
    if (prepared > 0)
        features->prepared = g_try_new0(double, prepared);
    if ((adds_up(self, reading) || features->values != NULL) &&
        (prepared == 0 || features->prepared != NULL))
        return TRUE;
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_MEMORY,
                "no memory for %" G_GSIZE_FORMAT " features of '%s'", count, features->address);
    return FALSE;
}

static gboolean
is_loaded(const AditFeatures *features)
{
    return features->values != NULL || features->prepared != NULL;
}

static gboolean
add_wanted(Load *load, guint index, AditRange range, GError **error)
{
    Reading *reading = &load->self->readings[index];

    for (guint i = range.first; i < range.end; i++) {
        AditFeatures *features = &reading->features[i];

        if (is_loaded(features))
            continue;
        if (!allocate(load->self, reading, features, error))
            return FALSE;
        g_ptr_array_add(load->readings, reading);
        g_ptr_array_add(load->features, features);
        g_array_append_val(load->items, reading->items[i]);
    }
    return TRUE;
}

/* Both sides' if they are one. */
static gboolean
add_side(Load *load, guint index, const AditRange *ranges, GError **error)
{
    const AditProbeReader *self = load->self;
    guint side = self->readings[index].side;

    if (side == ADIT_PROBE_SIDES)
        return add_wanted(load, index, (AditRange){0, 1}, error);
    if (!add_wanted(load, index, ranges[side], error))
        return FALSE;
    return !self->addresses.is_own || add_wanted(load, index, ranges[1 - side], error);
}

/* ---- what is still to be collected, in the mean ---- */

/**
 * Means: of tensors over training samples.
 * @items: (element-type AditCaptureItem)
 * @sums: (element-type double *): of each, over the samples
 * @first: item that is captured first
 */
typedef struct {
    GArray *items;
    GPtrArray *sums;
    guint first, end;
} Means;

static const AditCaptureItem *
get_item(const Means *self, guint index)
{
    return &g_array_index(self->items, AditCaptureItem, index);
}

/* @tensor: in the root graph, the axes of loops first */
static void
add_means(Means *self, AditTensor *tensor, const AditShape *shape)
{
    gsize n = adit_shape_count(shape), instances = adit_shape_count(&tensor->shape) / n;

    for (guint i = 0; i < instances; i++) {
        AditCaptureItem item = {"what is collected", tensor, *shape, i};

        g_array_append_val(self->items, item);
        g_ptr_array_add(self->sums, g_new0(double, n + 1));
    }
}

static void
add_sums(gsize first, gsize samples, float *const *values, gpointer user_data)
{
    const Means *self = user_data;

    for (guint i = self->first; i < self->end; i++) {
        gsize n = adit_shape_count(&get_item(self, i)->shape);
        double *sum = self->sums->pdata[i];

        for (gsize j = 0; j < samples * n; j++)
            sum[j % n] += (double) values[i - self->first][j];
    }
}

/* As many as fit the memory in one pass. */
static gboolean
measure_means(AditProbeReader *self, Means *means, gsize samples, GError **error)
{
    for (means->first = 0; means->first < means->items->len; means->first = means->end) {
        double bytes = 0;

        means->end = means->first;
        do
            bytes += (double) adit_shape_count(&get_item(means, means->end++)->shape) *
                     ADIT_CAPTURE_SAMPLES * sizeof(float);
        while (means->end < means->items->len && bytes < self->settings->memory.value / 2);
        if (!adit_capture(self->network, self->graph, get_item(means, means->first),
                          means->end - means->first, &self->data->train, samples, add_sums, means,
                          error))
            return FALSE;
    }
    return TRUE;
}

/* What is added to a tensor: the end's mean less its own. @index: of the tensor's first item */
static void
fill_shift(const Shift *shift, const Means *means, guint index, gsize samples)
{
    gsize n = adit_shape_count(&shift->shape), count = adit_shape_count(&shift->kept->shape);
    const double *end = means->sums->pdata[0];

    for (gsize i = 0; i < count; i++) {
        const double *own = means->sums->pdata[index + i / n];

        shift->kept->values[i] = (end[i % n] - own[i % n]) / (double) samples;
    }
}

static gboolean
load_shifts(AditProbeReader *self, const Reading *reading, GError **error)
{
    g_autoptr(GArray) picks = adit_graph_pick(self->graph, "head:in");
    AditTensor *end = g_array_index(picks, AditPick, 0).tensor;
    g_autoptr(GArray) items = g_array_new(FALSE, FALSE, sizeof(AditCaptureItem));
    g_autoptr(GPtrArray) sums = g_ptr_array_new_with_free_func(g_free);
    gsize samples = count_samples(self->settings, self->data->train.rows);
    Means means = {items, sums, 0, 0};

    add_means(&means, end, &end->shape);
    for (guint i = 0; i < reading->shifts->len; i++) {
        const Shift *each = &g_array_index(reading->shifts, Shift, i);

        add_means(&means, each->collect, &each->shape);
    }
    if (!measure_means(self, &means, samples, error))
        return FALSE;
    for (guint i = 0, index = 1; i < reading->shifts->len; i++) {
        const Shift *each = &g_array_index(reading->shifts, Shift, i);

        fill_shift(each, &means, index, samples);
        index += (guint) (adit_shape_count(&each->kept->shape) / adit_shape_count(&each->shape));
    }
    return TRUE;
}

/**
 * Ablation: of one address.
 * @item, @port: its parts
 */
typedef struct {
    const AditScope *scope;
    const char *item;
    const char *port;
} Ablation;

static gboolean
is_at(const AditScope *scope, guint instance, const char *item)
{
    g_autofree char *address = adit_scope_to_string(scope, instance);

    return g_str_equal(address, item);
}

static void
fill_gate(guint instance, double *values, gsize n, gpointer data)
{
    const Ablation *ablation = data;

    values[0] = is_at(ablation->scope, instance, ablation->item) ? 0 : 1;
}

/* (AditAlter) */
static AditTensor *
ablate(AditTensor *x, const char *port, gpointer data)
{
    Ablation *ablation = data;
    AditGraph *graph = x->graph;
    gboolean found = FALSE;

    ablation->scope = graph->root->scope;
    for (guint i = 0; g_str_equal(port, ablation->port) && i < adit_scope_count(ablation->scope);
         i++)
        found = found || is_at(ablation->scope, i, ablation->item);
    return found ? adit_mul(x, adit_constant_each(graph, &ADIT_SCALAR, fill_gate, ablation)) : x;
}

static gboolean
capture_ablated(Load *load, const Reading *reading, guint index, GError **error)
{
    AditProbeReader *self = load->self;
    AditCaptureItem item = reading->items[index];
    g_autofree char *name = g_strndup(item.address, strcspn(item.address, ":"));
    const char *colon = strchr(item.address, ':');
    Ablation ablation = {NULL, name, colon != NULL ? colon + 1 : "out"};
    AditNetworkTensors tensors;
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();
    AditNetworkUse use = {
        .loss = adit_network_get_loss(self->network), .alter = ablate, .alter_data = &ablation};
    g_autoptr(AditGraph) graph =
        adit_network_build(adit_network_get_experiment(self->network), ADIT_MODE_EVALUATION,
                           adit_network_get_shape(self->network), &use, &tensors);

    item.tensor = adit_network_join_scores(&tensors);
    adit_network_diagnose(graph, diagnostics);
    return !adit_diagnostics_fail(diagnostics, error) &&
           adit_capture(self->network, graph, &item, 1, reading->split, reading->samples, receive,
                        load, error);
}

/* A network for each address. */
static gboolean
load_ablated(AditProbeReader *self, Reading *reading, AditRange range, GError **error)
{
    g_autoptr(GPtrArray) readings = g_ptr_array_new();
    g_autoptr(GPtrArray) features = g_ptr_array_new();
    Load load = {.self = self, .readings = readings, .features = features};

    g_ptr_array_add(readings, reading);
    for (guint i = range.first; i < range.end; i++) {
        if (is_loaded(&reading->features[i]))
            continue;
        g_ptr_array_set_size(features, 0);
        g_ptr_array_add(features, &reading->features[i]);
        if (!allocate(self, reading, &reading->features[i], error) ||
            !capture_ablated(&load, reading, i, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
load_split(Load *load, const AditRange *ranges, gboolean of_training, GError **error)
{
    AditProbeReader *self = load->self;
    const Reading *any = NULL;

    g_ptr_array_set_size(load->readings, 0);
    g_ptr_array_set_size(load->features, 0);
    g_array_set_size(load->items, 0);
    for (guint i = 0; i < self->n_readings; i++) {
        Reading *reading = &self->readings[i];

        if (reading->items == NULL || reading->source != i ||
            reading->what.of_training != of_training)
            continue;
        if (reading->what.kind == ADIT_READ_ABLATED) {
            if (!load_ablated(self, reading, ranges[reading->side], error))
                return FALSE;
            continue;
        }
        any = reading;
        if (!add_side(load, i, ranges, error))
            return FALSE;
    }
    return load->items->len == 0 ||
           adit_capture(self->network, self->graph, (const AditCaptureItem *) load->items->data,
                        load->items->len, any->split, any->samples, receive, load, error);
}

/**
 * Preparation: of what a load brought.
 * @error: (nullable): the first
 */
typedef struct {
    const Load *load;
    gint next;
    GMutex mutex;
    GError *error;
} Preparation;

static void
prepare(gpointer data, guint thread)
{
    Preparation *preparation = data;
    const Load *load = preparation->load;
    const AditProbeReader *self = load->self;
    guint i;

    while ((i = (guint) g_atomic_int_add(&preparation->next, 1)) < load->features->len) {
        AditFeatures *features = load->features->pdata[i];
        g_autoptr(GError) error = NULL;

        if (features->prepared == NULL ||
            self->klass->prepare(self->probe, features, features->prepared, &error))
            continue;
        g_mutex_lock(&preparation->mutex);
        if (preparation->error == NULL)
            preparation->error = g_steal_pointer(&error);
        g_mutex_unlock(&preparation->mutex);
    }
}

static gboolean
prepare_all(const Load *load, GError **error)
{
    Preparation preparation = {.load = load};

    if (load->self->klass->prepare == NULL)
        return TRUE;
    g_mutex_init(&preparation.mutex);
    adit_team_run(load->self->team, prepare, &preparation);
    g_mutex_clear(&preparation.mutex);
    if (preparation.error == NULL)
        return TRUE;
    g_propagate_error(error, preparation.error);
    return FALSE;
}

/* Once for each set of data. */
static gboolean
ensure_shifts(AditProbeReader *self, GError **error)
{
    for (guint i = 0; !self->has_shifts && i < self->n_readings; i++) {
        if (self->readings[i].shifts != NULL && !load_shifts(self, &self->readings[i], error))
            return FALSE;
    }
    self->has_shifts = TRUE;
    return TRUE;
}

gboolean
adit_probe_reader_load(AditProbeReader *self, const AditRange ranges[ADIT_PROBE_SIDES],
                       GError **error)
{
    g_autoptr(GPtrArray) readings = g_ptr_array_new();
    g_autoptr(GPtrArray) features = g_ptr_array_new();
    g_autoptr(GArray) items = g_array_new(FALSE, FALSE, sizeof(AditCaptureItem));
    Load load = {.self = self, .readings = readings, .features = features, .items = items};

    if (!ensure_shifts(self, error))
        return FALSE;
    for (gboolean of_training = FALSE; of_training <= TRUE; of_training++) {
        if (!load_split(&load, ranges, of_training, error) || !prepare_all(&load, error))
            return FALSE;
    }
    return TRUE;
}

void
adit_probe_reader_drop(AditProbeReader *self, guint side, AditRange range)
{
    for (guint i = 0; i < self->n_readings; i++) {
        const Reading *reading = &self->readings[i];

        if (reading->side != side && !(self->addresses.is_own && reading->side < ADIT_PROBE_SIDES))
            continue;
        for (guint j = range.first; reading->source == i && j < range.end; j++)
            clear_features(&reading->features[j]);
    }
}

void
adit_probe_reader_get(const AditProbeReader *self, const guint index[ADIT_PROBE_SIDES],
                      AditFeatures *read)
{
    for (guint i = 0; i < self->n_readings; i++) {
        const Reading *reading = &self->readings[i];

        read[i] = reading->side == ADIT_PROBE_SIDES
                      ? reading->features[0]
                      : self->readings[reading->source].features[index[reading->side]];
    }
}
