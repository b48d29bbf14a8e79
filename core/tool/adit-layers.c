/* core/tool/adit-layers.c - SPDX-License-Identifier: MIT */
#include "adit-tool.h"

#include "adit-cost.h"
#include "adit-graph-private.h"
#include "adit-json.h"

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

static void
add_row(GPtrArray *table, const char *address, const char *shape, const AditCost *cost,
        const char *ports)
{
    char **row = g_new0(char *, 6);

    row[0] = g_strdup(address);
    row[1] = g_strdup(shape);
    row[2] = adit_tool_format_count(cost->parameters);
    row[3] = adit_tool_format_count(cost->multiply_adds);
    row[4] = g_strdup(ports);
    g_ptr_array_add(table, row);
}

static void
print_table(AditInvocation *self, GPtrArray *layers, GHashTable *costs)
{
    g_autoptr(GPtrArray) table = g_ptr_array_new_with_free_func((GDestroyNotify) g_strfreev);
    const char *const head[] = {"address", "shape", "parameters", "multiply-adds", "ports", NULL};
    AditCost total = adit_costs_find(costs, "");

    g_ptr_array_add(table, g_strdupv((char **) head));
    for (guint i = 0; i < layers->len; i++) {
        const Layer *layer = layers->pdata[i];
        g_autofree char *shape = adit_shape_to_string(&layer->tensor->shape);
        AditCost cost = adit_costs_find(costs, layer->address);

        add_row(table, layer->address, shape, &cost, layer->ports->str);
    }
    add_row(table, "total", "", &total, "");
    adit_tool_print_table(self, table, "lrrrl");
}

static void
set_costs(JsonObject *object, const AditCost *cost)
{
    adit_json_set_unsigned(object, "parameters", cost->parameters);
    adit_json_set_unsigned(object, "multiply-adds", cost->multiply_adds);
}

static void
print_json(AditInvocation *self, GPtrArray *layers, GHashTable *costs)
{
    JsonObject *object = json_object_new();
    JsonArray *array = json_array_new();
    AditCost total = adit_costs_find(costs, "");

    for (guint i = 0; i < layers->len; i++) {
        const Layer *layer = layers->pdata[i];
        g_autofree char *shape = adit_shape_to_string(&layer->tensor->shape);
        AditCost cost = adit_costs_find(costs, layer->address);
        JsonObject *row = json_object_new();

        json_object_set_string_member(row, "address", layer->address);
        json_object_set_string_member(row, "shape", shape);
        set_costs(row, &cost);
        json_object_set_string_member(row, "ports", layer->ports->str);
        json_array_add_object_element(array, row);
    }
    json_object_set_array_member(object, "layers", array);
    set_costs(object, &total);
    adit_tool_print_json(self, object);
}

void
adit_layers_print(AditInvocation *self, AditGraph *graph)
{
    g_autoptr(GPtrArray) layers = list_layers(graph);
    g_autoptr(GHashTable) costs = adit_graph_count_costs(graph);

    if (self->options.json)
        print_json(self, layers, costs);
    else
        print_table(self, layers, costs);
}
