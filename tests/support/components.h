/* tests/support/components.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-model.h"
#include "adit-registry.h"
#include "adit-sequence.h"

/* Makes component @name of @kind with properties, ended by NULL, as g_object_new() takes them; the
 * test fails when there is none. */
gpointer test_component(const char *kind, const char *name, const char *first, ...);

/* A dense block; @activation: (nullable): the name of a block. */
AditBlock *test_dense(double units, const char *activation);
/* The same after norm and activation, either may be NULL. */
AditBlock *test_dense_pre(double units, const char *norm, const char *activation);

/* A sequence wired by an aggregator, taken. */
AditSequence *test_sequence(AditAggregator *aggregator);
/* Adds a block, taken, called @type in addresses. */
void test_add(AditSequence *sequence, AditBlock *block, const char *name, const char *type);
/* Adds @times times a block, taken: as a repeat, or written out one by one. */
void test_add_repeat(AditSequence *sequence, guint times, gboolean tied, gboolean unrolled,
                     AditBlock *block, const char *type);
