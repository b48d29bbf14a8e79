/* core/plugin/adit-module.c - SPDX-License-Identifier: MIT */
#include "adit-module.h"

#include <gmodule.h>

#include "adit-crash-guard.h"

/* In the order of ADIT_BASE_SIZES: an instance and a class each. */
static const char *const base_names[] = {
    "AditComponent",   "AditBlock",    "AditAggregator", "AditLoss",
    "AditRegularizer", "AditPolicy",   "AditProbe",      "AditDataset",
    "AditOptimizer",   "AditSchedule", "AditStrategy",   "AditInitializer",
};
static const guint16 base_sizes[] = ADIT_BASE_SIZES;
G_STATIC_ASSERT(2 * G_N_ELEMENTS(base_names) == G_N_ELEMENTS(base_sizes));

/* NULL: nothing is wrong. The ABI comes first: beyond its number and the size nothing else of
 * another ABI's descriptor can be trusted. */
static char *
check_descriptor(const AditPluginDescriptor *descriptor)
{
    if (descriptor->abi != ADIT_ABI)
        return g_strdup_printf("ABI %u, this program has %u", descriptor->abi, ADIT_ABI);
    if (descriptor->size != sizeof(AditPluginDescriptor))
        return g_strdup_printf("descriptor of %u bytes, this program has %zu", descriptor->size,
                               sizeof(AditPluginDescriptor));
    if (descriptor->bases == NULL || descriptor->n_bases != G_N_ELEMENTS(base_sizes))
        return g_strdup_printf("%u base sizes, this program has %zu", descriptor->n_bases,
                               G_N_ELEMENTS(base_sizes));
    for (guint i = 0; i < descriptor->n_bases; i++) {
        if (descriptor->bases[i] != base_sizes[i])
            return g_strdup_printf("base %s%s has another size", base_names[i / 2],
                                   i % 2 == 0 ? "" : "Class");
    }
    if (descriptor->name == NULL || descriptor->version == NULL || descriptor->licence == NULL)
        return g_strdup("no name, version or licence");
    if (descriptor->types == NULL || descriptor->types[0] == NULL)
        return g_strdup("no component");
    return NULL;
}

const AditPluginDescriptor *
adit_module_open(const char *path, char **reason)
{
    GModule *module = g_module_open(path, G_MODULE_BIND_LOCAL);
    gpointer symbol;

    if (module == NULL) {
        *reason = g_strdup(g_module_error());
        return NULL;
    }
    /* types cannot be unregistered, so no module ever leaves */
    g_module_make_resident(module);
    if (!g_module_symbol(module, "adit_plugin_descriptor", &symbol) || symbol == NULL) {
        *reason = g_strdup("no symbol adit_plugin_descriptor");
        return NULL;
    }

    const AditPluginDescriptor *descriptor = symbol;
    *reason = check_descriptor(descriptor);
    return *reason == NULL ? descriptor : NULL;
}

static char *
check_component(GType type, GType kind_type)
{
    AditComponentClass *klass = g_type_class_peek(type);

    if (!g_type_is_a(type, kind_type)) {
        AditComponentClass *kind_class = g_type_class_ref(kind_type);
        return g_strdup_printf("its component is of kind %s, its file name says %s", klass->kind,
                               kind_class->kind);
    }
    if (klass->blurb == NULL)
        return g_strdup("its component has no blurb");
    return NULL;
}

/* The component among the registered @types, classes initialised; 0 with @reason. */
static GType
find_component(const AditPluginDescriptor *descriptor, GType kind_type, char **reason)
{
    for (const AditTypeGetter *getter = descriptor->types; *getter != NULL; getter++) {
        GType type = (*getter)();
        if (type == 0 || type == G_TYPE_NONE) {
            *reason = g_strdup("a type of the same name exists already");
            return 0;
        }
        if (!g_type_is_a(type, ADIT_TYPE_COMPONENT)) {
            *reason = g_strdup_printf("%s is no component", g_type_name(type));
            return 0;
        }
        /* a class that stays, like its module */
        AditComponentClass *klass = g_type_class_ref(type);
        if (g_strcmp0(klass->name, descriptor->name) != 0)
            continue;
        *reason = check_component(type, kind_type);
        return *reason == NULL ? type : 0;
    }
    *reason = g_strdup_printf("none of its types is called '%s'", descriptor->name);
    return 0;
}

GType
adit_module_register(const AditPluginDescriptor *descriptor, const char *path, GType kind_type,
                     char **reason)
{
    g_autofree char *name = g_path_get_basename(path);

    adit_crash_guard_enter(name);
    GType type = find_component(descriptor, kind_type, reason);
    adit_crash_guard_leave();
    return type;
}
