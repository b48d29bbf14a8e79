/* core/adit/adit-plugin.h - SPDX-License-Identifier: MIT */
#pragma once

/* Everything a plugin needs. A plugin is one module, KIND-NAME.so (`block-highway.so`, for a
 * vendor's `block-acme-swish.so`), with one exported symbol, the descriptor. */

#include <adit/adit-aggregator.h>
#include <adit/adit-algebra.h>
#include <adit/adit-array.h>
#include <adit/adit-block.h>
#include <adit/adit-component.h>
#include <adit/adit-dataset.h>
#include <adit/adit-error.h>
#include <adit/adit-graph.h>
#include <adit/adit-initializer.h>
#include <adit/adit-loss.h>
#include <adit/adit-npy.h>
#include <adit/adit-op.h>
#include <adit/adit-ops.h>
#include <adit/adit-optimizer.h>
#include <adit/adit-policy.h>
#include <adit/adit-probe.h>
#include <adit/adit-random.h>
#include <adit/adit-records.h>
#include <adit/adit-regression.h>
#include <adit/adit-regularizer.h>
#include <adit/adit-schedule.h>
#include <adit/adit-shape.h>
#include <adit/adit-similarity.h>
#include <adit/adit-strategy.h>
#include <adit/adit-tree.h>

G_BEGIN_DECLS

typedef GType (*AditTypeGetter)(void);

/**
 * AditPluginDescriptor: the one symbol of a plugin, `adit_plugin_descriptor`: data that is checked
 * before any of the plugin's code runs.
 * @size: sizeof(AditPluginDescriptor)
 * @abi: ADIT_ABI
 * @bases: sizes of every base instance and class the plugin was compiled against; a base that grew
 *   would corrupt the plugin's fields silently
 * @n_bases: their number
 * @name: the component's name in YAML
 * @version, @licence: for `adit inspect`
 * @types: (array zero-terminated=1): the component types, registered in order
 * @ops: (nullable) (array zero-terminated=1): operations it brings
 */
typedef struct {
    guint32 size;
    guint32 abi;
    const guint16 *bases;
    guint32 n_bases;
    const char *name;
    const char *version;
    const char *licence;
    const AditTypeGetter *types;
    const AditOp *const *ops;
} AditPluginDescriptor;

#define ADIT_BASE_SIZES_OF(Type) sizeof(Type), sizeof(Type##Class)
#define ADIT_BASE_SIZES                                                                            \
    {                                                                                              \
        ADIT_BASE_SIZES_OF(AditComponent), ADIT_BASE_SIZES_OF(AditBlock),                          \
            ADIT_BASE_SIZES_OF(AditAggregator), ADIT_BASE_SIZES_OF(AditLoss),                      \
            ADIT_BASE_SIZES_OF(AditRegularizer), ADIT_BASE_SIZES_OF(AditPolicy),                   \
            ADIT_BASE_SIZES_OF(AditProbe), ADIT_BASE_SIZES_OF(AditDataset),                        \
            ADIT_BASE_SIZES_OF(AditOptimizer), ADIT_BASE_SIZES_OF(AditSchedule),                   \
            ADIT_BASE_SIZES_OF(AditStrategy), ADIT_BASE_SIZES_OF(AditInitializer)                  \
    }

#define ADIT_TYPES(...) ((const AditTypeGetter[]){__VA_ARGS__, NULL})
#define ADIT_OPS(...)   ((const AditOp *const[]){__VA_ARGS__, NULL})

/**
 * ADIT_PLUGIN:
 *
 * Ends a plugin file: `ADIT_PLUGIN("highway", "1.0", "MIT", ADIT_TYPES(adit_highway_get_type))`.
 * ADIT_PLUGIN_WITH_OPS takes operations too: `ADIT_OPS(&first, &second)`.
 */
#define ADIT_PLUGIN(plugin_name, plugin_version, plugin_licence, plugin_types)                     \
    ADIT_PLUGIN_WITH_OPS(plugin_name, plugin_version, plugin_licence, plugin_types, NULL)
#define ADIT_PLUGIN_WITH_OPS(plugin_name, plugin_version, plugin_licence, plugin_types,            \
                             plugin_ops)                                                           \
    static const guint16 adit_plugin_bases[] = ADIT_BASE_SIZES;                                    \
    G_MODULE_EXPORT extern const AditPluginDescriptor adit_plugin_descriptor;                      \
    const AditPluginDescriptor adit_plugin_descriptor = {                                          \
        .size = sizeof(AditPluginDescriptor),                                                      \
        .abi = ADIT_ABI,                                                                           \
        .bases = adit_plugin_bases,                                                                \
        .n_bases = G_N_ELEMENTS(adit_plugin_bases),                                                \
        .name = (plugin_name),                                                                     \
        .version = (plugin_version),                                                               \
        .licence = (plugin_licence),                                                               \
        .types = (plugin_types),                                                                   \
        .ops = (plugin_ops),                                                                       \
    };

G_END_DECLS
