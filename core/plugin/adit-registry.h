/* core/plugin/adit-registry.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-plugin.h>

#include "adit-component-private.h"

G_BEGIN_DECLS

/**
 * AditPlugin: one module that was found. @reason is NULL for a good one.
 */
typedef struct {
    char *path;
    char *kind; /* "block" */
    char *name; /* "dense", "acme:swish" */
    char *version;
    char *licence;
    GType type;   /* 0 when broken */
    char *reason; /* why it is broken: "ABI 3, this program has 4" */
} AditPlugin;

/**
 * AditRegistry: the plugins of a program. Made once; scanning reads the folders' names, a module is
 * opened when it is first asked for (its descriptor is checked before any of its code runs) and
 * stays.
 *
 * Search path: `ADIT_PLUGIN_PATH` (colon list, first wins), then `ADIT_PLUGIN_SYSTEM_PATH` if set
 * (empty: none), else the user's data folder adit-1.0/plugins and the installed folder
 * (adit-installation.h).
 */
typedef struct _AditRegistry AditRegistry;

AditRegistry *adit_registry_get(void);
/* A registry over other folders, for tests. */
AditRegistry *adit_registry_new(const char *const *folders);
void adit_registry_free(AditRegistry *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditRegistry, adit_registry_free)

/* The kinds in the order of their chapter in `adit inspect`: "block", "aggregator", ...
 * NULL-terminated. */
const char *const *adit_registry_list_kinds(void);
GType adit_kind_get_type(const char *kind);

/* The type of component @name of @kind, 0 with ADIT_ERROR_PLUGIN when its module is broken ("plugin
 * block-acme-swish.so is broken (ABI 3, this program has 4); adit inspect --broken"), 0 without an
 * error when there is none. */
GType adit_registry_find(AditRegistry *self, const char *kind, const char *name, GError **error);
/* (transfer container): sorted names of a kind, broken ones left out; NULL-terminated, strings
 * owned by the registry. */
const char **adit_registry_list(AditRegistry *self, const char *kind, guint *n);
/* (element-type AditPlugin): every module opened so far; opens all first. */
const GPtrArray *adit_registry_load_all(AditRegistry *self);
/* Operations brought by plugins, by name; NULL: none. */
const AditOp *adit_registry_find_op(AditRegistry *self, const char *name);

G_END_DECLS
