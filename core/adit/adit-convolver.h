/* core/adit/adit-convolver.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-op.h>
#include <adit/adit-ops.h>

G_BEGIN_DECLS

/*
 * Convolutions on the CPU by a library that does them faster than the core's own kernels. A module
 * kernels/NAME.so in a plugin folder (of several the first by name) exports `const AditConvolvers
 * adit_convolvers`. It is opened when a program has convolutions, on the CPU, in float32; what it
 * does not take, and everything where it is not there, the core computes itself.
 */

#define ADIT_CONVOLVERS_VERSION 2

/**
 * AditConvolution: a convolution of images [height, width, channels] (channels last), with weights
 * [filters, channels / @groups, height, width].
 * @image, @result: height, width and channels of x and of y
 */
typedef struct {
    AditWindow window;
    gsize groups;
    gsize image[3];
    gsize result[3];
} AditConvolution;

typedef enum {
    ADIT_CONVOLUTION_FORWARD, /* x, weights -> y */
    ADIT_CONVOLUTION_BACK,    /* dy, weights -> dx */
    ADIT_CONVOLUTION_ROWS,    /* x, dy -> dweights, summed over the images */
} AditConvolutionKind;

/**
 * AditConvolver: one of a convolution's computations made ready. One thread uses it at a time. A
 * library's own data are behind this.
 * @kind: that it was prepared for
 * @packed_bytes: of the weights as @run takes them or, of ROWS, of their gradient as it leaves it
 * @scratch_bytes: that @run needs
 */
typedef struct {
    AditConvolutionKind kind;
    gsize packed_bytes;
    gsize scratch_bytes;
} AditConvolver;

/**
 * AditConvolvers:
 * @version: ADIT_CONVOLVERS_VERSION
 * @describe: the library's name and version, for people
 * @limit: before all else: the instruction set to keep to, by the name that ADIT_ISA takes; FALSE:
 *   it cannot
 * @prepare: NULL: the library does not take this convolution
 * @pack: weights as they lie in a network into what @run takes; of ROWS: their gradient into how
 *   @run leaves it
 * @unpack: (ROWS): the other way. Numbers change places, no more: sums of packed gradients are
 *   packed sums
 * @run: computes @n images, one behind the other; @second: the packed weights or, of ROWS, dy; of
 *   ROWS @result is packed. Of FORWARD and BACK an image's result has the same bits whatever images
 *   are computed with it; of ROWS @accumulate adds to what @result holds, and the sum has the same
 *   bits in one call and in several of which all but the last have a multiple of ADIT_PANEL_ROWS
 *   images
 *
 * What is packed, and @scratch, is aligned to 64 bytes. All compute in the calling thread alone.
 * FALSE: it failed; the core then computes the whole step anew, without the library
 */
typedef struct {
    guint version;
    const char *(*describe)(void);
    gboolean (*limit)(const char *isa);
    AditConvolver *(*prepare)(const AditConvolution *convolution, AditConvolutionKind kind);
    void (*free)(AditConvolver *self);
    gboolean (*pack)(AditConvolver *self, const float *weights, void *packed);
    gboolean (*unpack)(AditConvolver *self, const void *packed, float *weights);
    gboolean (*run)(AditConvolver *self, gsize n, const float *first, const void *second,
                    void *result, gboolean accumulate, void *scratch);
} AditConvolvers;

G_END_DECLS
