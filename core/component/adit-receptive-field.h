/* core/component/adit-receptive-field.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-graph.h>

G_BEGIN_DECLS

/**
 * AditLayerKind: what a layer that looks through a window (a convolution, a pooling) sees that the
 * layers before it did not see. Richter et al. 2021, "Should you go deeper? Optimizing
 * convolutional neural network architectures without training by receptive field analysis".
 * @ADIT_LAYER_NONE: it is no such layer
 * @ADIT_LAYER_INSIDE: its smallest receptive field is no larger than the input
 * @ADIT_LAYER_PARTLY: it is, along one axis
 * @ADIT_LAYER_CRITICAL: it is, along both
 * @ADIT_LAYER_BORDER: and all that feeds it has seen the whole input already on every path; or its
 * kernel covers the whole map it looks at
 * @ADIT_LAYER_WHOLE: no path leads to it on which something has not been taken over all positions
 */
typedef enum {
    ADIT_LAYER_NONE,
    ADIT_LAYER_INSIDE,
    ADIT_LAYER_PARTLY,
    ADIT_LAYER_CRITICAL,
    ADIT_LAYER_BORDER,
    ADIT_LAYER_WHOLE,
} AditLayerKind;

/**
 * AditReceptiveField: what a position of a tensor sees of the network's input, height and width,
 * in its pixels, those beyond its edge counted; INFINITY: the whole input, by an operation over all
 * positions.
 * @min, @max: on the path where it sees least, and most
 * @stride: pixels between neighbouring positions; 0: it has none
 * @map: its positions; 0: it has none
 * @kind: of the layer that gives the tensor
 * @fed: @min of what the item is fed
 * @shape, @fed_shape: of the tensor, and of what the item is fed
 */
typedef struct {
    double min[2];
    double max[2];
    double stride[2];
    gsize map[2];
    AditLayerKind kind;
    double fed[2];
    AditShape shape;
    AditShape fed_shape;
} AditReceptiveField;

/* "border" */
const char *adit_layer_kind_to_string(AditLayerKind kind);

/**
 * adit_graph_find_receptive_fields:
 * @graph: a network for evaluation
 * @except_points: layers with a kernel of 1x1 are no border layers
 *
 * What every item sees of the tensor at `input`. Fails with ADIT_ERROR_INVALID if that is no image.
 * Each operation adds (extent - 1) times the stride so far; parallel paths keep the least and the
 * most; iterations of loops are gone through one by one.
 *
 * Returns: (transfer full) (element-type utf8 AditReceptiveField): address of an item -> its field;
 * items that see nothing of the input are not in it
 */
GHashTable *adit_graph_find_receptive_fields(AditGraph *graph, gboolean except_points,
                                             GError **error);

G_END_DECLS
