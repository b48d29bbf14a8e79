/* core/report/adit-config-keys.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-error.h>

G_BEGIN_DECLS

/**
 * AditConfigKeys: a pipeline as keys and values, written as the command line writes them:
 * "train.optimizer.adam.lr" is "0.001", "model.trunk.2" is "relu". Items of lists count from 1; a
 * list of one mapping is that mapping, as `train` may be written either way.
 */
typedef struct _AditConfigKeys AditConfigKeys;

/* @text: of config.resolved.yaml; @path: for messages. ADIT_ERROR_DAMAGED */
AditConfigKeys *adit_config_keys_new(const char *path, const char *text, GError **error);
void adit_config_keys_free(AditConfigKeys *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditConfigKeys, adit_config_keys_free)

/* In the order of the file. */
guint adit_config_keys_count(const AditConfigKeys *self);
const char *adit_config_keys_get_key(const AditConfigKeys *self, guint index);
/* (nullable): NULL: it has no such key; owned by @self */
const char *adit_config_keys_find(const AditConfigKeys *self, const char *key);

G_END_DECLS
