/* core/device/adit-rates.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-kernels.h"

G_BEGIN_DECLS

/*
 * What the processor can do at most, measured: what a speed is a share of. The best of as many
 * short rounds as fit into @seconds counts, so that other programs on the machine matter little; on
 * threads made for it.
 */

/* Operations a second, float32: two for each multiply-add, in registers alone, with @isa. */
double adit_rates_measure_fma(AditIsa isa, guint threads, double seconds);
/* Bytes a second, read and written, of copies between two buffers of adit_rates_get_copy_size().
 * ADIT_ERROR_MEMORY: there is no room for them; 0. */
double adit_rates_measure_copy(guint threads, double seconds, GError **error);
/* Four times the last cache, in bytes, within 64 and 128 MiB. */
gsize adit_rates_get_copy_size(void);

G_END_DECLS
