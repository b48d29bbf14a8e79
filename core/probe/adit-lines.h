/* core/probe/adit-lines.h - SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/*
 * Which layers follow each other, by their addresses alone. A name inside of an address is that of
 * a path: "trunk.2.1.long.3:linear" lies on the line "trunk.2.1.long", which branches off the line
 * it lies on, here the main one (""), at "trunk.2.1". What has no path is on the main line.
 */

/**
 * AditSpot: a measured address.
 * @segments: of the address without its port
 * @port: in the order in which a layer has them: in, linear, pre, out, collect
 */
typedef struct {
    const char *address;
    double value;
    GStrv segments;
    guint port;
} AditSpot;

/**
 * AditLine: layers that follow each other.
 * @key: "trunk.2.1.long"; "": the main line
 * @spots: (element-type AditSpot): in forward order; what is inside of an item is before its own
 */
typedef struct {
    char *key;
    GArray *spots;
} AditLine;

/**
 * AditFork: where lines branch off side by side.
 * @at: the address of what they are joined in
 * @paths: (element-type AditLine): borrowed; those that have spots, in the order of their names
 * @before, @behind: (nullable): what was measured last before them, and first behind them
 */
typedef struct {
    char *at;
    GPtrArray *paths;
    const AditSpot *before;
    const AditSpot *behind;
} AditFork;

/**
 * AditLines: all of them. Exits are no part of the network's way.
 * @lines: (element-type AditLine): by key
 * @forks: (element-type AditFork): in forward order
 */
typedef struct {
    GPtrArray *lines;
    GPtrArray *forks;
} AditLines;

/* @addresses, @values: (array length=n): borrowed; a value that is not finite is left out, and so
 * is an address that is there already */
AditLines *adit_lines_new(const char *const *addresses, const double *values, guint n);
void adit_lines_free(AditLines *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditLines, adit_lines_free)

/* (nullable): of that key */
const AditLine *adit_lines_find(const AditLines *self, const char *key);
/* What the paths of a fork are called: behind its address. */
const char *adit_fork_get_name(const AditFork *self, const AditLine *path);

G_END_DECLS
