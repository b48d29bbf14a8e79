/* core/train/adit-penalty.c - SPDX-License-Identifier: MIT */
#include "adit-penalty.h"

#include <adit/adit-ops.h>

#include "adit-settings.h"

static gboolean
is_in(GHashTable *part, const AditTensor *tensor)
{
    return part == NULL || g_hash_table_contains(part, tensor);
}

/* Instances @begin to @end of a parameter's stack. */
static AditTensor *
slice_instances(AditTensor *parameter, guint n, guint begin, guint end)
{
    if (begin == 0 && end == n)
        return parameter;
    AditShape flat = {.rank = 2, .size = {n, adit_shape_count(&parameter->shape) / n}};
    return adit_slice(adit_reshape(parameter, &flat), 0, begin, end, 1);
}

static AditTensor *
add_term(AditTensor *objective, AditRegularizer *regularizer, AditTensor *matched)
{
    AditTensor *term = ADIT_REGULARIZER_GET_CLASS(regularizer)
                           ->build(regularizer, adit_tensor_get_graph(matched), matched);
    return adit_add(objective, adit_sum(adit_tensor_unroll(term)));
}

static gboolean
is_matched(const AditTensor *parameter, guint instance, const char *const *at)
{
    for (guint i = 0; at != NULL && at[i] != NULL; i++) {
        if (adit_parameter_is_at(parameter, instance, at[i]))
            return TRUE;
    }
    return at == NULL;
}

static AditTensor *
add_weights(AditTensor *objective, AditRegularizer *regularizer, AditGraph *graph, GHashTable *part,
            const char *const *at)
{
    guint n_tensors = graph->tensors->len;
    for (guint i = 0; i < n_tensors; i++) {
        AditTensor *tensor = graph->tensors->pdata[i];
        if (tensor->kind != ADIT_TENSOR_PARAMETER || tensor->role != ADIT_ROLE_WEIGHT ||
            !is_in(part, tensor))
            continue;
        guint n = g_strv_length(tensor->names);
        for (guint begin = 0, end; begin < n; begin = end + 1) {
            for (end = begin; end < n && is_matched(tensor, end, at); end++)
                ;
            if (end > begin)
                objective =
                    add_term(objective, regularizer, slice_instances(tensor, n, begin, end));
        }
    }
    return objective;
}

/* ---- tensors ---- */

/**
 * Found: a tensor that addresses found, and which of its instances.
 * @wanted: (element-type gboolean)
 */
typedef struct {
    AditTensor *tensor;
    GArray *wanted;
} Found;

static void
clear_found(gpointer data)
{
    g_array_unref(((Found *) data)->wanted);
}

static guint
count_instances(const AditTensor *tensor)
{
    guint n = 1;

    for (const AditGraph *graph = tensor->graph; graph->loop != NULL; graph = graph->parent)
        n *= graph->loop->n;
    return n;
}

static Found *
find(GArray *list, AditTensor *tensor)
{
    for (guint i = 0; i < list->len; i++) {
        if (g_array_index(list, Found, i).tensor == tensor)
            return &g_array_index(list, Found, i);
    }
    Found found = {tensor, g_array_new(FALSE, TRUE, sizeof(gboolean))};
    g_array_set_size(found.wanted, count_instances(tensor));
    g_array_append_val(list, found);
    return &g_array_index(list, Found, list->len - 1);
}

/* (element-type Found): what all addresses find together, each once. */
static GArray *
find_tensors(AditGraph *graph, GHashTable *part, const char *const *at)
{
    GArray *list = g_array_new(FALSE, FALSE, sizeof(Found));
    g_array_set_clear_func(list, clear_found);
    for (guint i = 0; at != NULL && at[i] != NULL; i++) {
        g_autoptr(GArray) picks = adit_graph_pick(graph, at[i]);
        for (guint j = 0; j < picks->len; j++) {
            const AditPick *pick = &g_array_index(picks, AditPick, j);
            if (is_in(part, pick->tensor))
                g_array_index(find(list, pick->tensor)->wanted, gboolean, pick->instance) = TRUE;
        }
    }
    return list;
}

/* The next run of wanted instances from *@begin on; FALSE: there is none. */
static gboolean
find_run(const Found *found, guint *begin, guint *end)
{
    const gboolean *wanted = (const gboolean *) found->wanted->data;
    while (*begin < found->wanted->len && !wanted[*begin])
        (*begin)++;
    for (*end = *begin; *end < found->wanted->len && wanted[*end]; (*end)++)
        ;
    return *end > *begin;
}

/* A value without rows outside of all loops: [instances, its shape]. */
static AditTensor *
stack_value(AditTensor *value, guint instances)
{
    AditShape shape = adit_shape_prepend(adit_tensor_get_shape(value), instances);
    return adit_reshape(adit_tensor_unroll(value), &shape);
}

static AditTensor *
add_built(AditTensor *objective, AditRegularizer *regularizer, const Found *found)
{
    AditTensor *term = ADIT_REGULARIZER_GET_CLASS(regularizer)
                           ->build(regularizer, found->tensor->graph, found->tensor);
    AditTensor *stack = stack_value(term, found->wanted->len);
    for (guint begin = 0, end; find_run(found, &begin, &end); begin = end)
        objective = adit_add(objective, adit_sum(adit_slice(stack, 0, begin, end, 1)));
    return objective;
}

/* Measures a tensor in its loop; one AditMeasured for each run of its instances. */
static void
measure(AditRegularizer *regularizer, const Found *found, GArray *measured)
{
    AditTensor *values[ADIT_MAX_MEASURES] = {NULL};
    ADIT_REGULARIZER_GET_CLASS(regularizer)
        ->measure(regularizer, found->tensor->graph, found->tensor, values);
    for (guint i = 0; i < ADIT_MAX_MEASURES; i++) {
        if (values[i] != NULL)
            values[i] = stack_value(values[i], found->wanted->len);
    }
    for (guint begin = 0, end; find_run(found, &begin, &end); begin = end) {
        AditMeasured own = {.n = end - begin, .shape = found->tensor->shape};
        for (guint i = 0; i < ADIT_MAX_MEASURES; i++)
            own.values[i] = values[i] != NULL ? adit_slice(values[i], 0, begin, end, 1) : NULL;
        g_array_append_val(measured, own);
    }
}

static AditTensor *
add_tensors(AditTensor *objective, AditRegularizer *regularizer, AditGraph *graph, GHashTable *part,
            const char *const *at, AditTensor **figure)
{
    AditRegularizerClass *klass = ADIT_REGULARIZER_GET_CLASS(regularizer);
    g_autoptr(GArray) list = find_tensors(graph, part, at);
    g_autoptr(GArray) measured = g_array_new(FALSE, FALSE, sizeof(AditMeasured));
    for (guint i = 0; i < list->len; i++) {
        const Found *found = &g_array_index(list, Found, i);
        if (klass->join != NULL)
            measure(regularizer, found, measured);
        else
            objective = add_built(objective, regularizer, found);
    }
    if (measured->len == 0)
        return objective;
    return adit_add(objective, klass->join(regularizer, graph, (AditMeasured *) measured->data,
                                           measured->len, figure));
}

AditTensor *
adit_penalty_add(AditTensor *objective, AditRegularizer *regularizer, AditGraph *graph,
                 GHashTable *part, AditTensor **figure)
{
    AditRegularizerClass *klass = ADIT_REGULARIZER_GET_CLASS(regularizer);
    const char *const *at = adit_regularizer_get_at(regularizer);
    const char *const defaults[] = {klass->default_at, NULL};
    *figure = NULL;
    if (at == NULL && klass->default_at != NULL)
        at = defaults;
    adit_graph_enter_component(graph, regularizer);
    if (klass->match == ADIT_MATCH_WEIGHTS)
        objective = add_weights(objective, regularizer, graph, part, at);
    else
        objective = add_tensors(objective, regularizer, graph, part, at, figure);
    adit_graph_leave_component(graph);
    return objective;
}
