/* core/ops/adit-dense.c - SPDX-License-Identifier: MIT */
#include <adit/adit-graph.h>
#include <adit/adit-initializer.h>
#include <adit/adit-ops.h>

/* Layers made of other operations. */

AditTensor *
adit_dropout(AditTensor *x, AditTensor *rate, const char *name)
{
    AditGraph *graph = adit_tensor_get_graph(x);
    AditTensor *noise, *keep, *factor;

    if (adit_tensor_has_failed(x) || adit_graph_get_mode(graph) == ADIT_MODE_EVALUATION)
        return x;
    noise = adit_noise_uniform(graph, name, adit_tensor_get_shape(x));
    keep = adit_greater_equal(noise, rate);
    factor = adit_reciprocal(adit_offset(adit_neg(rate), 1));
    return adit_mul(x, adit_mul(keep, factor));
}

AditTensor *
adit_bias(AditTensor *weight, const char *name, AditInitializer *initializer)
{
    AditGraph *graph = adit_tensor_get_graph(weight);
    const AditShape *shape = adit_tensor_get_shape(weight);
    /* filters come first, units last */
    AditShape units = ADIT_SHAPE(shape->rank == 4 ? shape->size[0] : adit_tensor_get_width(weight));
    g_autoptr(AditInitializer) drawn = NULL;

    if (adit_tensor_has_failed(weight))
        return weight;
    if (initializer == NULL)
        return adit_parameter_filled(graph, name, ADIT_ROLE_BIAS, &units, 0);
    drawn = adit_initializer_new_for_bias(initializer, shape);
    return adit_parameter(graph, name, ADIT_ROLE_BIAS, &units, drawn);
}

AditTensor *
adit_dense(AditTensor *x, gsize units, gboolean bias, AditInitializer *initializer,
           AditInitializer *bias_initializer, const char *prefix)
{
    AditGraph *graph = adit_tensor_get_graph(x);
    gboolean is_prefixed = prefix != NULL && *prefix != '\0';
    g_autofree char *weight_name =
        g_strconcat(is_prefixed ? prefix : "", is_prefixed ? "." : "", "weight", NULL);
    g_autofree char *bias_name =
        g_strconcat(is_prefixed ? prefix : "", is_prefixed ? "." : "", "bias", NULL);
    AditTensor *weight, *y;

    if (adit_tensor_has_failed(x))
        return x;
    if (units == 0)
        return adit_graph_fail(graph, "dense: expected at least one unit, got 0");
    weight = adit_parameter(graph, weight_name, ADIT_ROLE_WEIGHT,
                            &ADIT_SHAPE(adit_tensor_get_width(x), units), initializer);
    y = adit_matmul(x, weight, FALSE);
    if (bias)
        y = adit_add(y, adit_bias(weight, bias_name, bias_initializer));
    return adit_tap(y, "linear");
}
