/* plugins/blocks/global-pool.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditGlobalPool {
    AditBlock parent_instance;
    int type;
};
ADIT_DEFINE_BLOCK(AditGlobalPool, adit_global_pool, ADIT_GLOBAL_POOL)

enum { TYPE_AVERAGE, TYPE_MAX, TYPE_BOTH };

static AditTensor *
build(AditBlock *block, AditGraph *graph, AditTensor *x)
{
    static const int axes[] = {1, 2};
    AditGlobalPool *self = ADIT_GLOBAL_POOL(block);

    x = adit_block_expect_image(block, x, "reshape");
    if (adit_tensor_has_failed(x))
        return x;
    if (self->type == TYPE_AVERAGE)
        return adit_reduce(x, ADIT_REDUCE_MEAN, axes, 2);
    if (self->type == TYPE_MAX)
        return adit_reduce(x, ADIT_REDUCE_MAX, axes, 2);
    return adit_concat((AditTensor *[]){adit_reduce(x, ADIT_REDUCE_MEAN, axes, 2),
                                        adit_reduce(x, ADIT_REDUCE_MAX, axes, 2)},
                       2, 0);
}

static void
adit_global_pool_class_init(AditComponentClass *klass)
{
    static const char *const types[] = {"average", "max", "both", NULL};

    ADIT_BLOCK_CLASS(klass)->build = build;
    adit_component_class_describe(klass, "global-pool", "One number for each channel of an image");
    adit_component_class_add_choice(klass, "type",
                                    "The mean, the largest, or both: all means, then the largest",
                                    types, TYPE_AVERAGE, ADIT_FIELD(AditGlobalPool, type, int));
}

ADIT_PLUGIN("global-pool", "1.0", "MIT", ADIT_TYPES(adit_global_pool_get_type))
