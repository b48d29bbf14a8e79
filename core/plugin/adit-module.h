/* core/plugin/adit-module.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-plugin.h>

G_BEGIN_DECLS

/**
 * adit_module_open:
 * @path: the module's file
 * @reason: (out): why it is refused: "ABI 3, this program has 4"
 *
 * Opens a module for good and checks its descriptor; none of its code runs but what the dynamic
 * linker runs.
 *
 * Returns: (nullable): its descriptor
 */
const AditPluginDescriptor *adit_module_open(const char *path, char **reason);

/**
 * adit_module_register:
 * @kind_type: the base type that the component must have
 *
 * Registers the descriptor's types and initialises their classes, under the crash guard.
 *
 * Returns: the component's type: the first whose class is called as the descriptor says; 0 with
 * @reason
 */
GType adit_module_register(const AditPluginDescriptor *descriptor, const char *path,
                           GType kind_type, char **reason);

G_END_DECLS
