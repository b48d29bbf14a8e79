/* core/device/adit-selftest-list.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-selftest-private.h"

G_BEGIN_DECLS

/* What a kernel may be off by: if it moves numbers, computes each by itself, sums products. */
#define MOVES    0.0
#define ELEMENTS 1e-12
#define PRODUCTS 1e-10

/**
 * AditSelftestList: cases that are being listed.
 * @full: all, else those of the quick test
 */
typedef struct {
    GPtrArray *cases;
    gboolean full;
} AditSelftestList;

/* (transfer none): a new case, without inputs. */
AditSelftestCase *adit_selftest_add(AditSelftestList *list, const char *kernel,
                                    AditSelftestBuild build, double limit);
void adit_selftest_add_input(AditSelftestCase *self, gboolean rows, AditShape shape);
/* A case of an operation with one input. */
AditSelftestCase *adit_selftest_add_one(AditSelftestList *list, const char *kernel,
                                        AditSelftestBuild build, double limit, gboolean rows,
                                        AditShape shape);
void adit_selftest_list_images(AditSelftestList *list);
void adit_selftest_list_extrema(AditSelftestList *list);

G_END_DECLS
