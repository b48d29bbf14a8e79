/* core/device/adit-verdicts.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-device.h"

G_BEGIN_DECLS

/**
 * AditVerdicts: which form of each kernel computes rightly on one device with one driver, for this
 * build of Adit: its version and its shaders.
 *
 * Kept in $XDG_CACHE_HOME/adit/selftest, a file for each device, driver and build. A file that is
 * damaged, or another's, is as if there were none; with ADIT_CACHE=0 there is none.
 */
typedef struct _AditVerdicts AditVerdicts;

/* None yet. @device: its UUID, or its name where that is not known; @driver: with its version. */
AditVerdicts *adit_verdicts_new(const char *device, const char *driver);
/* Those that were saved; NULL: there are none. */
AditVerdicts *adit_verdicts_load(const char *device, const char *driver);
void adit_verdicts_free(AditVerdicts *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditVerdicts, adit_verdicts_free)

/* What verdicts hold for: the version, the shaders, and whether kernels are joined at run time. */
const char *adit_verdicts_get_build(void);

/* Whether all shapes were tried, not a few of each. */
gboolean adit_verdicts_is_full(const AditVerdicts *self);
void adit_verdicts_set_full(AditVerdicts *self, gboolean full);

/* FALSE: nothing is known of the kernel. @form: (out): ADIT_FORM_NONE: it computes wrongly in all
 * forms. */
gboolean adit_verdicts_lookup(const AditVerdicts *self, const char *kernel, AditKernelForm *form);
void adit_verdicts_set(AditVerdicts *self, const char *kernel, AditKernelForm form);
/* (element-type utf8): names in their alphabet's order; free with g_ptr_array_unref() */
GPtrArray *adit_verdicts_list(const AditVerdicts *self);
/* What @other found worse, and what it alone knows, holds here too: a quick test does not clear
 * what a full one found. */
void adit_verdicts_keep_worse(AditVerdicts *self, const AditVerdicts *other);

/* In one step, with the folders it needs. ADIT_ERROR_OUTPUT. */
gboolean adit_verdicts_save(const AditVerdicts *self, GError **error);
/* The file's path. */
char *adit_verdicts_get_path(const AditVerdicts *self);

/* "subgroup", "optimised", "plain", "none" */
const char *adit_kernel_form_get_name(AditKernelForm form);

G_END_DECLS
