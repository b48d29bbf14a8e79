/* plugins/exits/always.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditAlways {
    AditPolicy parent_instance;
    gint64 exit;
};
ADIT_DEFINE_POLICY(AditAlways, adit_always, ADIT_ALWAYS)

static gboolean
check_exits(AditPolicy *policy, guint n_exits, GError **error)
{
    gint64 exit = ADIT_ALWAYS(policy)->exit;

    if (exit <= n_exits)
        return TRUE;
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                "'exit' is %" G_GINT64_FORMAT ", but there %s %u exit%s", exit,
                n_exits == 1 ? "is" : "are", n_exits, n_exits == 1 ? "" : "s");
    return FALSE;
}

static guint
fix(AditPolicy *policy, guint n_exits, const double *seconds)
{
    return (guint) ADIT_ALWAYS(policy)->exit - 1;
}

static void
adit_always_class_init(AditComponentClass *klass)
{
    ADIT_POLICY_CLASS(klass)->fix = fix;
    ADIT_POLICY_CLASS(klass)->check_exits = check_exits;
    adit_component_class_describe(klass, "always",
                                  "All rows leave at one exit, as if the network ended there");
    adit_component_class_add_int(klass, "exit", "Its number, from 1", 1, G_MAXINT32, 1,
                                 ADIT_FIELD(AditAlways, exit, gint64));
}

ADIT_PLUGIN("always", "1.0", "MIT", ADIT_TYPES(adit_always_get_type))
