/* plugins/exits/never.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditNever {
    AditPolicy parent_instance;
};
ADIT_DEFINE_POLICY(AditNever, adit_never, ADIT_NEVER)

static void
adit_never_class_init(AditComponentClass *klass)
{
    adit_component_class_describe(klass, "never", "No answer leaves early; exits are not computed");
}

ADIT_PLUGIN("never", "1.0", "MIT", ADIT_TYPES(adit_never_get_type))
