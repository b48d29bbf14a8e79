/* plugins/blocks/identity.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditIdentity {
    AditBlock parent_instance;
};
ADIT_DEFINE_BLOCK(AditIdentity, adit_identity, ADIT_IDENTITY)

static AditTensor *
build(AditBlock *block, AditGraph *graph, AditTensor *x)
{
    return x;
}

static void
adit_identity_class_init(AditComponentClass *klass)
{
    ADIT_BLOCK_CLASS(klass)->build = build;
    adit_component_class_describe(klass, "identity", "Does nothing");
}

ADIT_PLUGIN("identity", "1.0", "MIT", ADIT_TYPES(adit_identity_get_type))
