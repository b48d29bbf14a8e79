/* core/ops/adit-attributes.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-op.h>
#include <adit/adit-ops.h>

#include "adit-pointwise.h"

G_BEGIN_DECLS

/* What builders give to kernels and to gradient rules. A row is seen as [outer, size, inner]; outer
 * follows from the number of elements. */

typedef struct {
    gboolean transpose_b;
} AditMatmulAttributes;

typedef struct {
    gboolean transpose_a;
    gboolean transpose_b;
} AditBatchMatmulAttributes;

/* Reductions over neighbouring axes @first, ... of @size elements together. */
typedef struct {
    guint first;
    guint n_axes;
    gsize size;
    gsize inner;
} AditReduceAttributes;

typedef struct {
    AditShape shape;
} AditShapeAttributes;

typedef struct {
    guint axes[ADIT_MAX_RANK];
} AditTransposeAttributes;

typedef struct {
    guint axis;
    gsize inner;
} AditConcatAttributes;

/* Elements begin, begin + stride, ... (@size of them) of an axis of @full elements; or, padding, an
 * axis of @size elements put there among @full with @value between them. */
typedef struct {
    guint axis;
    gsize begin;
    gsize stride;
    gsize size;
    gsize full;
    gsize inner;
    double value;
} AditSliceAttributes;

typedef struct {
    gsize size; /* rows of the table, or classes */
} AditGatherAttributes;

/* A window, and the map that it is of. @clamps: what is outside of the map is as its edge. */
typedef struct {
    gsize height;
    gsize width;
    gsize full_height;
    gsize full_width;
    gboolean clamps;
} AditCropAttributes;

/* @joins: the input is of extrema itself, [4, ...], and what is here said is of its parts.
 * @inner: of operations over rows the channels of images that lie with them last, else 1; their
 * results are as if they lay first
 * @shape: of the input */
typedef struct {
    gsize size;
    gsize inner;
    gboolean joins;
    AditShape shape;
} AditExtremaAttributes;

/* Deficits: upper max(0, margin - largest) + lower max(0, margin + smallest). */
typedef struct {
    double margin;
    double upper;
    double lower;
} AditDeficitsAttributes;

/* Channels along an axis of @size elements. */
typedef struct {
    guint axis;
    gsize size;
    gsize inner;
    double epsilon;
} AditChannelAttributes;

/* @dropout: share of the weights that is zeroed; 0: none is, and nothing is drawn. */
typedef struct {
    gsize heads;
    gsize tokens;
    double dropout;
} AditAttentionAttributes;

/* @image: height and width of what the window moves over.
 * @channels_last: images lie [height, width, channels], else [channels, height, width]. */
typedef struct {
    AditWindow window;
    gsize groups;
    gsize image[2];
    gboolean channels_last;
} AditConvAttributes;

/* So few channels and filters would leave most of a vector empty, if they were its numbers; windows
 * fill it, if an image has enough of them. */
#define ADIT_THIN_CHANNELS 8
#define ADIT_THIN_WINDOW   25
#define ADIT_THIN_IMAGE    64

/* Whether a convolution is computed with windows in the lanes, unless images lie with their
 * channels last. @weights: the shape [filters, channels, height, width]. */
static inline gboolean
adit_conv_is_thin(const AditConvAttributes *attributes, const AditShape *weights)
{
    const AditWindow *window = &attributes->window;

    return attributes->groups == 1 && window->stride[0] == 1 && window->stride[1] == 1 &&
           weights->size[0] <= ADIT_THIN_CHANNELS && weights->size[1] <= ADIT_THIN_CHANNELS &&
           weights->size[2] * weights->size[3] <= ADIT_THIN_WINDOW &&
           attributes->image[0] * attributes->image[1] >= ADIT_THIN_IMAGE;
}

/* @adaptive: of @window nothing holds; the windows follow from the sizes of image and output. */
typedef struct {
    AditWindow window;
    gboolean adaptive;
    gsize image[2];
    gboolean channels_last;
} AditPoolAttributes;

G_END_DECLS
