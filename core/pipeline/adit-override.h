/* core/pipeline/adit-override.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-node.h"

G_BEGIN_DECLS

/**
 * AditOverride: a value that is set from outside of the file: an argument of the command line, or
 * the value of a study's axis.
 * @place: where @path was written
 * @is_path: it came after "-o" and sets any key; else it sets a declared parameter
 * @append: "path+=value"
 * @remove: "path=~"
 * @used: it met what it sets: a declared parameter, or for "path=~" a key to take away
 */
typedef struct {
    AditPlace place;
    char *path;
    AditNode *value;
    gboolean is_path;
    gboolean append;
    gboolean remove;
    gboolean used;
} AditOverride;

/* @value: taken */
AditOverride *adit_override_new(const char *path, gboolean is_path, const AditPlace *place,
                                AditNode *value);
void adit_override_free(AditOverride *self);
/* (element-type AditOverride): reads arguments as in adit_experiment_read(); their sources are
 * added to
 * @sources. Wrong ones are reported and left out. */
GPtrArray *adit_overrides_read(const char *const *arguments, guint first_argument,
                               GPtrArray *sources, AditDiagnostics *diagnostics);
/* Carries out those with a path on the file's tree, in turn. */
void adit_overrides_apply(const GPtrArray *overrides, AditNode *root, AditDiagnostics *diagnostics);
/* (nullable): the last one that sets parameter @name; all of that name count as used. */
AditOverride *adit_overrides_find(const GPtrArray *overrides, const char *name);

G_END_DECLS
