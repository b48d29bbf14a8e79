/* core/adit/adit-random.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-types.h>

G_BEGIN_DECLS

/* Reading a random stream: Philox4x32-10 keyed by seed and stream name, so the values depend on
 * nothing else. */

guint32 adit_random_bits(AditRandom *random);
/* Uniform in (0, 1), 23 bits. */
double adit_random_uniform(AditRandom *random);
/* Standard normal: Box and Muller 1958, both values of a pair are used in turn by drawing two words
 * a call. */
double adit_random_normal(AditRandom *random);

G_END_DECLS
