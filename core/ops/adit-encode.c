/* core/ops/adit-encode.c - SPDX-License-Identifier: MIT */
#include "adit-attributes.h"
#include "adit-ops-private.h"

/* Attributes as the words of a shader. */

static guint32
float_bits(double value)
{
    union {
        float number;
        guint32 bits;
    } both = {.number = (float) value};

    return both.bits;
}

guint
adit_encode_matmul(const void *data, guint32 *words)
{
    const AditMatmulAttributes *attributes = data;

    words[0] = attributes->transpose_b ? 1 : 0;
    return 1;
}

guint
adit_encode_batch_matmul(const void *data, guint32 *words)
{
    const AditBatchMatmulAttributes *attributes = data;

    words[0] = attributes->transpose_a ? 1 : 0;
    words[1] = attributes->transpose_b ? 1 : 0;
    return 2;
}

guint
adit_encode_reduce(const void *data, guint32 *words)
{
    const AditReduceAttributes *attributes = data;

    words[0] = (guint32) attributes->size;
    words[1] = (guint32) attributes->inner;
    return 2;
}

guint
adit_encode_transpose(const void *data, guint32 *words)
{
    const AditTransposeAttributes *attributes = data;

    for (guint i = 0; i < ADIT_MAX_RANK; i++)
        words[i] = attributes->axes[i];
    return ADIT_MAX_RANK;
}

guint
adit_encode_concat(const void *data, guint32 *words)
{
    const AditConcatAttributes *attributes = data;

    words[0] = attributes->axis;
    words[1] = (guint32) attributes->inner;
    return 2;
}

guint
adit_encode_slice(const void *data, guint32 *words)
{
    const AditSliceAttributes *attributes = data;

    words[0] = (guint32) attributes->begin;
    words[1] = (guint32) attributes->stride;
    words[2] = (guint32) attributes->size;
    words[3] = (guint32) attributes->full;
    words[4] = (guint32) attributes->inner;
    words[5] = float_bits(attributes->value);
    return 6;
}

guint
adit_encode_crop(const void *data, guint32 *words)
{
    const AditCropAttributes *attributes = data;

    words[0] = (guint32) attributes->height;
    words[1] = (guint32) attributes->width;
    words[2] = (guint32) attributes->full_height;
    words[3] = (guint32) attributes->full_width;
    words[4] = attributes->clamps ? 1 : 0;
    return 5;
}

static guint
encode_attention(const AditAttentionAttributes *attributes, gsize groups, guint32 *words)
{
    words[0] = (guint32) groups;
    words[1] = (guint32) attributes->heads;
    words[2] = float_bits(attributes->dropout);
    words[3] = float_bits(1 / (1 - attributes->dropout));
    return 4;
}

/* QUERIES of shaders/include/attention.glsl. */
#define ATTENTION_QUERIES 8

guint
adit_encode_attention(const void *data, guint32 *words)
{
    const AditAttentionAttributes *attributes = data;
    gsize tiles = (attributes->tokens + ATTENTION_QUERIES - 1) / ATTENTION_QUERIES;

    return encode_attention(attributes, attributes->heads * tiles, words);
}

guint
adit_encode_attention_gradient(const void *data, guint32 *words)
{
    const AditAttentionAttributes *attributes = data;

    return encode_attention(attributes, attributes->heads, words);
}

guint
adit_encode_gather(const void *data, guint32 *words)
{
    const AditGatherAttributes *attributes = data;

    words[0] = (guint32) attributes->size;
    return 1;
}

guint
adit_encode_channels(const void *data, guint32 *words)
{
    const AditChannelAttributes *attributes = data;

    words[0] = (guint32) attributes->size;
    words[1] = (guint32) attributes->inner;
    words[2] = float_bits(attributes->epsilon);
    return 3;
}

guint
adit_encode_extrema(const void *data, guint32 *words)
{
    const AditExtremaAttributes *attributes = data;

    words[0] = (guint32) attributes->size;
    words[1] = (guint32) attributes->inner;
    words[2] = attributes->joins ? 1 : 0;
    return 3;
}

guint
adit_encode_deficits(const void *data, guint32 *words)
{
    const AditDeficitsAttributes *attributes = data;

    words[0] = float_bits(attributes->margin);
    words[1] = float_bits(attributes->upper);
    words[2] = float_bits(attributes->lower);
    return 3;
}

guint
adit_encode_pointwise(const void *data, guint32 *words)
{
    const AditPointwiseAttributes *attributes = data;

    words[0] = float_bits(attributes->value);
    return 1;
}

static guint
encode_window(const AditWindow *window, guint32 *words)
{
    for (guint i = 0; i < 2; i++) {
        words[i] = (guint32) window->size[i];
        words[2 + i] = (guint32) window->stride[i];
        words[4 + i] = (guint32) window->dilation[i];
        words[6 + i] = (guint32) window->before[i];
    }
    return 8;
}

guint
adit_encode_conv(const void *data, guint32 *words)
{
    const AditConvAttributes *attributes = data;
    guint n = encode_window(&attributes->window, words);

    words[n++] = (guint32) attributes->groups;
    return n;
}

guint
adit_encode_pool(const void *data, guint32 *words)
{
    const AditPoolAttributes *attributes = data;
    guint n = encode_window(&attributes->window, words);

    words[n++] = attributes->adaptive ? 1 : 0;
    return n;
}
