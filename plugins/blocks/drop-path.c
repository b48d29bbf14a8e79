/* plugins/blocks/drop-path.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditDropPath {
    AditBlock parent_instance;
    AditLive *rate;
};
ADIT_DEFINE_BLOCK(AditDropPath, adit_drop_path, ADIT_DROP_PATH)

/* Huang, Sun, Liu, Sedra, Weinberger, "Deep networks with stochastic depth", ECCV 2016, equation 2,
 * for each sample by itself and scaled while training, so that evaluation is the identity. */
static AditTensor *
build(AditBlock *block, AditGraph *graph, AditTensor *x)
{
    if (adit_graph_get_mode(graph) == ADIT_MODE_EVALUATION)
        return x;

    AditTensor *rate = adit_live(graph, ADIT_DROP_PATH(block)->rate);
    AditTensor *noise = adit_noise_uniform(graph, "drop-path", &ADIT_SCALAR);
    AditTensor *keep = adit_greater_equal(noise, rate);
    AditTensor *share = adit_offset(adit_neg(rate), 1.0);

    return adit_mul(x, adit_div(keep, share));
}

static void
adit_drop_path_class_init(AditComponentClass *klass)
{
    ADIT_BLOCK_CLASS(klass)->build = build;
    adit_component_class_describe(klass, "drop-path", "Zeroes whole samples while training");
    adit_component_class_add_live(klass, "rate", "Share of the samples that is zeroed", 0, 0.999,
                                  0.1, ADIT_FIELD(AditDropPath, rate, AditLive *));
}

ADIT_PLUGIN("drop-path", "1.0", "MIT", ADIT_TYPES(adit_drop_path_get_type))
