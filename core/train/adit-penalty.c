/* core/train/adit-penalty.c - SPDX-License-Identifier: MIT */
#include "adit-penalty.h"

#include <adit/adit-ops.h>

#include "adit-settings.h"

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
add_weights(AditTensor *objective, AditRegularizer *regularizer, AditGraph *graph,
            const char *const *at)
{
    guint n_tensors = graph->tensors->len;
    for (guint i = 0; i < n_tensors; i++) {
        AditTensor *tensor = graph->tensors->pdata[i];
        if (tensor->kind != ADIT_TENSOR_PARAMETER || tensor->role != ADIT_ROLE_WEIGHT)
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

/* Tensors inside a loop give one term for each iteration; those not picked are left out of the sum.
 */
static AditTensor *
add_tensors(AditTensor *objective, AditRegularizer *regularizer, AditGraph *graph,
            const char *address)
{
    g_autoptr(GArray) picks = adit_graph_pick(graph, address);
    g_autoptr(GHashTable) terms = g_hash_table_new(NULL, NULL);
    for (guint i = 0; i < picks->len; i++) {
        const AditPick *pick = &g_array_index(picks, AditPick, i);
        AditTensor *stack = g_hash_table_lookup(terms, pick->tensor);
        if (stack == NULL) {
            AditTensor *term =
                ADIT_REGULARIZER_GET_CLASS(regularizer)
                    ->build(regularizer, adit_tensor_get_graph(pick->tensor), pick->tensor);
            stack = adit_tensor_unroll(term);
            gsize count = adit_shape_count(&stack->shape);
            stack = adit_reshape(stack, &ADIT_SHAPE(count));
            g_hash_table_insert(terms, pick->tensor, stack);
        }
        objective = adit_add(objective,
                             adit_sum(adit_slice(stack, 0, pick->instance, pick->instance + 1, 1)));
    }
    return objective;
}

AditTensor *
adit_penalty_add(AditTensor *objective, AditRegularizer *regularizer, AditGraph *graph)
{
    AditRegularizerClass *klass = ADIT_REGULARIZER_GET_CLASS(regularizer);
    const char *const *at = adit_regularizer_get_at(regularizer);
    const char *const defaults[] = {klass->default_at, NULL};
    if (at == NULL && klass->default_at != NULL)
        at = defaults;
    adit_graph_enter_component(graph, regularizer);
    if (klass->match == ADIT_MATCH_WEIGHTS)
        objective = add_weights(objective, regularizer, graph, at);
    for (guint i = 0; klass->match == ADIT_MATCH_TENSORS && at != NULL && at[i] != NULL; i++)
        objective = add_tensors(objective, regularizer, graph, at[i]);
    adit_graph_leave_component(graph);
    return objective;
}
