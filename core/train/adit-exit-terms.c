/* core/train/adit-exit-terms.c - SPDX-License-Identifier: MIT */
#include "adit-exit-terms.h"

#include <adit/adit-ops.h>

#include <math.h>

/* Added to squared lengths, so that nothing has length 0. */
#define LEAST 1e-8

static AditTensor *
flatten(AditTensor *x)
{
    return adit_reshape(x, &ADIT_SHAPE(adit_shape_count(adit_tensor_get_shape(x))));
}

/* ---- similarity ---- */

/* What rows are compared by: a vector; of an image each channel's standard deviation. */
static AditTensor *
make_features(AditTensor *x)
{
    const AditShape *shape = adit_tensor_get_shape(x);
    const int area[] = {1, 2};
    AditShape channels = {.rank = 3, .size = {shape->size[0], 1, 1}};

    if (shape->rank != 3)
        return flatten(x);
    AditTensor *mean = adit_reshape(adit_reduce(x, ADIT_REDUCE_MEAN, area, 2), &channels);
    AditTensor *square = adit_square(adit_sub(x, mean));

    return adit_sqrt(adit_offset(adit_reduce(square, ADIT_REDUCE_MEAN, area, 2), LEAST));
}

/* Less its mean, of length 1. */
static AditTensor *
make_direction(AditTensor *x)
{
    AditTensor *centred = adit_sub(x, adit_mean(x));
    AditTensor *length = adit_sqrt(adit_offset(adit_sum(adit_square(centred)), LEAST));

    return adit_div(centred, length);
}

/* ||A^T B||^2 over the rows */
static AditTensor *
square_product(AditTensor *a, AditTensor *b)
{
    return adit_sum(adit_square(adit_matmul_rows(a, b)));
}

AditTensor *
adit_similarity_build(AditTensor *x, AditTensor *targets)
{
    AditGraph *graph = adit_tensor_get_graph(x);
    guint classes = adit_tensor_get_classes(targets);
    AditTensor *a, *b, *difference, *rows;

    if (classes == 0)
        return adit_graph_fail(graph, "similarity is of classes; the data has values");
    a = make_direction(make_features(x));
    b = make_direction(adit_one_hot(targets, classes));
    difference = adit_add(adit_sub(square_product(a, a), adit_scale(square_product(a, b), 2)),
                          square_product(b, b));
    rows = adit_reduce_rows(adit_broadcast_rows(adit_constant(graph, 1)), ADIT_REDUCE_SUM);
    return adit_div(difference, adit_square(rows));
}

/* ---- compression, distillation ---- */

AditTensor *
adit_compression_build(AditTensor *x, double noise)
{
    double variance = noise * noise;
    double count = (double) adit_shape_count(adit_tensor_get_shape(x));

    return adit_scale(adit_offset(adit_sum(adit_square(x)), count * (variance - 1 - log(variance))),
                      0.5);
}

AditTensor *
adit_distillation_build(AditTensor *logits, AditTensor *teacher, guint classes, double temperature)
{
    AditTensor *from = adit_stop_gradient(teacher), *p;

    if (classes < 2 || adit_shape_count(adit_tensor_get_shape(logits)) != classes)
        return adit_mean(adit_square(adit_sub(logits, from)));
    from = adit_log_softmax(adit_scale(from, 1 / temperature));
    logits = adit_log_softmax(adit_scale(logits, 1 / temperature));
    p = adit_stop_gradient(adit_exp(from));
    return adit_scale(adit_sum(adit_mul(p, adit_sub(from, logits))), temperature * temperature);
}

/* ---- together ---- */

/* (1 - share) a + share b */
static AditTensor *
mix(AditTensor *a, AditTensor *b, double share)
{
    if (share == 0)
        return a;
    return share == 1 ? b : adit_add(adit_scale(a, 1 - share), adit_scale(b, share));
}

AditTensor *
adit_exit_terms_build(const AditExitTerms *self, const AditPiece *piece)
{
    AditTensor *targets = self->network->targets, *lost = self->predicted;

    if (piece->distillation > 0)
        lost = mix(lost,
                   adit_distillation_build(self->logits, self->network->last,
                                           adit_tensor_get_classes(targets), piece->temperature),
                   piece->distillation);
    if (piece->similarity > 0)
        lost = mix(lost, adit_broadcast_rows(adit_similarity_build(self->x, targets)),
                   piece->similarity);
    if (piece->noise > 0)
        lost = adit_add(
            lost, adit_scale(adit_compression_build(self->x, piece->noise), piece->compression));
    return lost;
}
