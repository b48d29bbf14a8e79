/* core/ops/adit-dense.c - SPDX-License-Identifier: MIT */
#include <adit/adit-graph.h>
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
adit_dense(AditTensor *x, gsize units, gboolean bias, AditInitializer *initializer,
           const char *prefix)
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
    if (bias) {
        AditTensor *shift =
            adit_parameter_filled(graph, bias_name, ADIT_ROLE_BIAS, &ADIT_SHAPE(units), 0);

        y = adit_add(y, shift);
    }
    return adit_tap(y, "linear");
}
