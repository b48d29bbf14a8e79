/* core/ops/adit-reach.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-graph.h>

G_BEGIN_DECLS

/**
 * AditReach: what an element of an operation's result sees of one of its inputs. Along the axes of
 * the input that no axis of the result follows it sees everything.
 * @from: for each axis of the result: the input's axis that it moves along; -1: none
 * @step: how far what it sees moves with it, in the input's elements
 * @extent: from the first to the last that it sees, gaps included; 0: it sees one, which is
 * somewhere along the axis
 * @regroups: the elements stay in their order and the axes do not (reshape); nothing else holds
 * @window: it is a layer that looks through a window, a convolution or a pooling
 */
typedef struct {
    int from[ADIT_MAX_RANK];
    double step[ADIT_MAX_RANK];
    gsize extent[ADIT_MAX_RANK];
    gboolean regroups;
    gboolean window;
} AditReach;

/* Fills @reach for input @input of @y, the result of an operation. Of operations that are not
 * known, a plugin's, every element sees all of every input. */
void adit_reach_find(const AditTensor *y, guint input, AditReach *reach);

G_END_DECLS
