/* core/adit/adit-shape.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-types.h>

G_BEGIN_DECLS

#define ADIT_MAX_RANK 8

/**
 * AditShape:
 * @rank: number of axes; 0 is a single number
 * @size: elements along each axis
 *
 * A shape by value, without the batch: {16} is a vector, {65, 128} tokens x width, {3, 32, 32}
 * channels x height x width.
 */
typedef struct {
    guint rank;
    gsize size[ADIT_MAX_RANK];
} AditShape;

#define ADIT_SHAPE(...)                                                                            \
    ((AditShape){.rank = sizeof((gsize[]){__VA_ARGS__}) / sizeof(gsize), .size = {__VA_ARGS__}})
#define ADIT_SCALAR ((AditShape){.rank = 0})

/* Number of elements; 1 for a scalar. */
gsize adit_shape_count(const AditShape *shape);
gboolean adit_shape_equal(const AditShape *a, const AditShape *b);
/* "3x32x32"; "1" for a scalar. */
char *adit_shape_to_string(const AditShape *shape);
/* @shape with @size elements put before its first axis. */
AditShape adit_shape_prepend(const AditShape *shape, gsize size);

G_END_DECLS
