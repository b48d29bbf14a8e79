/* core/tool/adit-layers.c - SPDX-License-Identifier: MIT */
#include "adit-tool.h"

#include "adit-cost.h"
#include "adit-graph-private.h"
#include "adit-json.h"
#include "adit-receptive-field.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/**
 * Layer: one tensor with an address.
 * @segments: its address, split at the dots
 * @order: of its tap: siblings that have no numbers keep it
 * @ports: what else can be asked for there: "in linear pre", "head.1:pre"
 */
typedef struct {
    char *address;
    GStrv segments;
    guint order;
    guint instance;
    const AditTensor *tensor;
    GString *ports;
} Layer;

static void
layer_free(gpointer data)
{
    Layer *self = data;

    g_free(self->address);
    g_strfreev(self->segments);
    g_string_free(self->ports, TRUE);
    g_free(self);
}

static Layer *
layer_new(const AditTap *tap, guint order, guint instance)
{
    Layer *self = g_new0(Layer, 1);

    self->address = adit_scope_to_string(tap->scope, instance);
    self->segments = g_strsplit(self->address, ".", -1);
    self->order = order;
    self->instance = instance;
    self->tensor = tap->tensor;
    self->ports = g_string_new(NULL);
    return self;
}

/* Forward order: what is inside comes before what it is inside of, as its output does. */
static int
compare_layers(gconstpointer a, gconstpointer b)
{
    const Layer *x = *(const Layer *const *) a, *y = *(const Layer *const *) b;
    guint i = 0;

    while (x->segments[i] != NULL && g_strcmp0(x->segments[i], y->segments[i]) == 0)
        i++;
    if (x->segments[i] == NULL || y->segments[i] == NULL)
        return (x->segments[i] == NULL) - (y->segments[i] == NULL);
    if (g_ascii_isdigit(x->segments[i][0]) && g_ascii_isdigit(y->segments[i][0]))
        return atoi(x->segments[i]) < atoi(y->segments[i]) ? -1 : 1;
    return x->order < y->order ? -1 : 1;
}

/* The layer of @tensor, if an address of it was met before. */
static Layer *
find_layer(GPtrArray *layers, const AditTensor *tensor, guint instance)
{
    for (guint i = layers->len; i > 0; i--) {
        Layer *layer = layers->pdata[i - 1];

        if (layer->tensor == tensor && layer->instance == instance)
            return layer;
    }
    return NULL;
}

/* A tensor with several addresses is told once, under the shortest. @by_address: every address of
 * it
 * -> its layer */
static void
add_layer(GPtrArray *layers, GHashTable *by_address, const AditTap *tap, guint order,
          guint instance)
{
    Layer *layer = layer_new(tap, order, instance);
    Layer *same = find_layer(layers, tap->tensor, instance);

    if (same == NULL) {
        g_ptr_array_add(layers, layer);
        g_hash_table_insert(by_address, g_strdup(layer->address), layer);
        return;
    }
    g_hash_table_insert(by_address, g_strdup(layer->address), same);
    if (strlen(layer->address) < strlen(same->address)) {
        g_free(same->address);
        g_strfreev(same->segments);
        same->address = g_steal_pointer(&layer->address);
        same->segments = g_steal_pointer(&layer->segments);
        same->order = order;
    }
    layer_free(layer);
}

/* Every sequence has `in` and `collect`; those of an address that is not told are not either. */
static void
add_ports(GHashTable *by_address, const AditTap *tap)
{
    gboolean is_common = g_str_equal(tap->port, "in") || g_str_equal(tap->port, "collect");

    for (guint i = 0; i < adit_scope_count(tap->scope); i++) {
        g_autofree char *address = adit_scope_to_string(tap->scope, i);
        Layer *layer = g_hash_table_lookup(by_address, address);
        gboolean is_own = layer != NULL && g_str_equal(layer->address, address);

        if (layer == NULL || (is_common && !is_own))
            continue;
        if (layer->ports->len > 0)
            g_string_append_c(layer->ports, ' ');
        if (!is_own)
            g_string_append_printf(layer->ports, "%s:", address);
        g_string_append(layer->ports, tap->port);
    }
}

/* (element-type Layer) */
static GPtrArray *
list_layers(AditGraph *graph)
{
    GPtrArray *layers = g_ptr_array_new_with_free_func(layer_free);
    g_autoptr(GHashTable) by_address = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    const char *out = g_intern_string("out");

    for (guint i = 0; i < graph->taps->len; i++) {
        const AditTap *tap = &g_array_index(graph->taps, AditTap, i);

        for (guint j = 0; tap->port == out && j < adit_scope_count(tap->scope); j++)
            add_layer(layers, by_address, tap, i, j);
    }
    for (guint i = 0; i < graph->taps->len; i++) {
        const AditTap *tap = &g_array_index(graph->taps, AditTap, i);

        if (tap->port != out)
            add_ports(by_address, tap);
    }
    g_ptr_array_sort(layers, compare_layers);
    return layers;
}

/* ---- what is told of a layer ---- */

/* "16x8", or one number if both are the same; "whole" is no number. */
static char *
format_pair(const double *pair)
{
    char *texts[2];
    char *result;

    for (guint i = 0; i < 2; i++) {
        char text[G_ASCII_DTOSTR_BUF_SIZE];

        texts[i] = g_strdup(isinf(pair[i]) ? "whole"
                                           : g_ascii_formatd(text, sizeof text, "%.6g", pair[i]));
    }
    result = g_str_equal(texts[0], texts[1]) ? g_strdup(texts[0])
                                             : g_strconcat(texts[0], "x", texts[1], NULL);
    g_free(texts[0]);
    g_free(texts[1]);
    return result;
}

static char *
format_map(const AditReceptiveField *field)
{
    if (field->map[0] == 0 && field->map[1] == 0)
        return g_strdup("");
    return g_strdup_printf("%" G_GSIZE_FORMAT "x%" G_GSIZE_FORMAT, field->map[0], field->map[1]);
}

/* Five cells; @field: (nullable). */
static void
add_field_cells(GPtrArray *row, const AditReceptiveField *field)
{
    if (field == NULL) {
        for (guint i = 0; i < 5; i++)
            g_ptr_array_add(row, g_strdup(""));
        return;
    }
    g_ptr_array_add(row, format_pair(field->min));
    g_ptr_array_add(row, format_pair(field->max));
    g_ptr_array_add(row, field->map[0] == 0 ? g_strdup("") : format_pair(field->stride));
    g_ptr_array_add(row, format_map(field));
    g_ptr_array_add(row, g_strdup(adit_layer_kind_to_string(field->kind)));
}

static void
add_cost_cells(GPtrArray *row, const AditCost *cost)
{
    g_ptr_array_add(row, adit_tool_format_count(cost->parameters));
    g_ptr_array_add(row, adit_tool_format_count(cost->multiply_adds));
}

static void
finish_row(GPtrArray *table, GPtrArray *row)
{
    g_ptr_array_add(row, NULL);
    g_ptr_array_add(table, g_ptr_array_free(row, FALSE));
}

static GPtrArray *
make_head(gboolean costs, gboolean fields)
{
    GPtrArray *row = g_ptr_array_new();
    const char *const cells[] = {"address", "shape", "parameters", "multiply-adds", NULL};
    const char *const field_cells[] = {"field", "largest", "stride", "map", "kind", NULL};

    for (guint i = 0; cells[i] != NULL && (costs || i < 2); i++)
        g_ptr_array_add(row, g_strdup(cells[i]));
    for (guint i = 0; fields && field_cells[i] != NULL; i++)
        g_ptr_array_add(row, g_strdup(field_cells[i]));
    if (costs)
        g_ptr_array_add(row, g_strdup("ports"));
    return row;
}

static void
add_total(GPtrArray *table, GHashTable *costs, gboolean fields)
{
    GPtrArray *row = g_ptr_array_new();
    AditCost total = adit_costs_find(costs, "");

    g_ptr_array_add(row, g_strdup("total"));
    g_ptr_array_add(row, g_strdup(""));
    add_cost_cells(row, &total);
    if (fields)
        add_field_cells(row, NULL);
    g_ptr_array_add(row, g_strdup(""));
    finish_row(table, row);
}

static void
print_table(AditInvocation *self, GPtrArray *layers, GHashTable *costs, GHashTable *fields)
{
    g_autoptr(GPtrArray) table = g_ptr_array_new_with_free_func((GDestroyNotify) g_strfreev);
    gboolean with_costs = fields == NULL || self->options.layers;
    const char *align = fields == NULL ? "lrrrl" : with_costs ? "lrrrrrrrll" : "lrrrrrl";

    finish_row(table, make_head(with_costs, fields != NULL));
    for (guint i = 0; i < layers->len; i++) {
        const Layer *layer = layers->pdata[i];
        AditCost cost = adit_costs_find(costs, layer->address);
        GPtrArray *row = g_ptr_array_new();

        g_ptr_array_add(row, g_strdup(layer->address));
        g_ptr_array_add(row, adit_shape_to_string(&layer->tensor->shape));
        if (with_costs)
            add_cost_cells(row, &cost);
        if (fields != NULL)
            add_field_cells(row, g_hash_table_lookup(fields, layer->address));
        if (with_costs)
            g_ptr_array_add(row, g_strdup(layer->ports->str));
        finish_row(table, row);
    }
    if (with_costs)
        add_total(table, costs, fields != NULL);
    adit_tool_print_table(self, table, align);
}

static void
set_costs(JsonObject *object, const AditCost *cost)
{
    adit_json_set_unsigned(object, "parameters", cost->parameters);
    adit_json_set_unsigned(object, "multiply-adds", cost->multiply_adds);
}

/* Height and width; null: the whole input. */
static void
set_pair(JsonObject *object, const char *name, const double *pair)
{
    JsonArray *array = json_array_new();

    for (guint i = 0; i < 2; i++) {
        if (isinf(pair[i]))
            json_array_add_null_element(array);
        else
            json_array_add_double_element(array, pair[i]);
    }
    json_object_set_array_member(object, name, array);
}

static void
set_field(JsonObject *row, const AditReceptiveField *field)
{
    JsonObject *object = json_object_new();
    double map[2] = {(double) field->map[0], (double) field->map[1]};

    set_pair(object, "min", field->min);
    set_pair(object, "max", field->max);
    if (field->map[0] > 0) {
        set_pair(object, "stride", field->stride);
        set_pair(object, "map", map);
    }
    if (field->kind != ADIT_LAYER_NONE)
        json_object_set_string_member(object, "kind", adit_layer_kind_to_string(field->kind));
    json_object_set_object_member(row, "receptive-field", object);
}

static void
print_json(AditInvocation *self, GPtrArray *layers, GHashTable *costs, GHashTable *fields)
{
    JsonObject *object = json_object_new();
    JsonArray *array = json_array_new();
    AditCost total = adit_costs_find(costs, "");

    for (guint i = 0; i < layers->len; i++) {
        const Layer *layer = layers->pdata[i];
        g_autofree char *shape = adit_shape_to_string(&layer->tensor->shape);
        AditCost cost = adit_costs_find(costs, layer->address);
        const AditReceptiveField *field =
            fields != NULL ? g_hash_table_lookup(fields, layer->address) : NULL;
        JsonObject *row = json_object_new();

        json_object_set_string_member(row, "address", layer->address);
        json_object_set_string_member(row, "shape", shape);
        set_costs(row, &cost);
        json_object_set_string_member(row, "ports", layer->ports->str);
        if (field != NULL)
            set_field(row, field);
        json_array_add_object_element(array, row);
    }
    json_object_set_array_member(object, "layers", array);
    set_costs(object, &total);
    adit_tool_print_json(self, object);
}

gboolean
adit_layers_print(AditInvocation *self, AditGraph *graph, GError **error)
{
    g_autoptr(GHashTable) fields = NULL;

    if (self->options.receptive_field) {
        fields = adit_graph_find_receptive_fields(graph, self->options.except_1x1, error);
        if (fields == NULL)
            return FALSE;
    }
    g_autoptr(GPtrArray) layers = list_layers(graph);
    g_autoptr(GHashTable) costs = adit_graph_count_costs(graph);

    if (self->options.json)
        print_json(self, layers, costs, fields);
    else
        print_table(self, layers, costs, fields);
    return TRUE;
}
