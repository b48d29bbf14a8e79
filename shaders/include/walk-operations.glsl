/* shaders/include/walk-operations.glsl - SPDX-License-Identifier: MIT */

/* The operations of a walk that see more of a row than one number: what they read lies in shared
 * memory, from walk_stage[x] on. adit-vulkan-walk-ops.def has the expressions that call them. */

/* sum = the sum of TERM, an expression in `i`, for i from 0 to n - 1, in the order of
 * core/ops/adit-lanes.h. */
#define WALK_SUM(sum, n, term)                                                                     \
    {                                                                                              \
        float lanes_[16];                                                                          \
        for (uint l_ = 0u; l_ < 16u; l_++) {                                                       \
            precise float own_ = 0.0;                                                              \
            for (uint i = l_; i < (n); i += 16u)                                                   \
                own_ += (term);                                                                    \
            lanes_[l_] = own_;                                                                     \
        }                                                                                          \
        for (uint half_ = 8u; half_ > 0u; half_ /= 2u) {                                           \
            for (uint l_ = 0u; l_ < half_; l_++) {                                                 \
                precise float joined_ = lanes_[l_] + lanes_[l_ + half_];                           \
                lanes_[l_] = joined_;                                                              \
            }                                                                                      \
        }                                                                                          \
        sum = lanes_[0];                                                                           \
    }

/* What the n numbers from walk_stage[x] on, @step apart, come to. */
float
walk_sum(uint x, uint step, uint n)
{
    float sum;

    WALK_SUM(sum, n, walk_stage[x + i * step]);
    return sum;
}

/* NaN wins. */
float
walk_max(uint x, uint step, uint n)
{
    float best = walk_stage[x];

    for (uint i = 1u; i < n && !adit_is_nan(best); i++) {
        float next = walk_stage[x + i * step];

        best = adit_is_nan(next) ? next : max(best, next);
    }
    return best;
}

float
walk_min(uint x, uint step, uint n)
{
    float best = walk_stage[x];

    for (uint i = 1u; i < n && !adit_is_nan(best); i++) {
        float next = walk_stage[x + i * step];

        best = adit_is_nan(next) ? next : min(best, next);
    }
    return best;
}

/* Which is the greatest, and of equals the first; NaN counts as the greatest. */
float
walk_argmax(uint x, uint step, uint n)
{
    uint at = 0u;

    for (uint i = 1u; i < n && !adit_is_nan(walk_stage[x + at * step]); i++) {
        float next = walk_stage[x + i * step];

        if (adit_is_nan(next) || next > walk_stage[x + at * step])
            at = i;
    }
    return float(at);
}

/* ---- lines of n numbers, from walk_stage[x] on; number i ---- */

float
walk_sum_exp(uint x, uint n, float top)
{
    float sum;

    WALK_SUM(sum, n, adit_exp(walk_stage[x + i] - top));
    return sum;
}

float
walk_softmax(uint x, uint n, uint i)
{
    float top = walk_max(x, 1u, n);

    return adit_exp(walk_stage[x + i] - top) / walk_sum_exp(x, n, top);
}

float
walk_softmax_gradient(uint y, uint dy, uint n, uint k)
{
    float sum;

    WALK_SUM(sum, n, walk_stage[y + i] * walk_stage[dy + i]);
    return walk_stage[y + k] * (walk_stage[dy + k] - sum);
}

float
walk_log_softmax(uint x, uint n, uint i)
{
    float top = walk_max(x, 1u, n);

    return walk_stage[x + i] - top - adit_log(walk_sum_exp(x, n, top));
}

float
walk_log_softmax_gradient(uint y, uint dy, uint n, uint i)
{
    return walk_stage[dy + i] - adit_exp(walk_stage[y + i]) * walk_sum(dy, 1u, n);
}

/* A class number that is none gives NaN. */
float
walk_cross_entropy(uint x, uint n, float target)
{
    float top = walk_max(x, 1u, n);
    float tail = adit_log(walk_sum_exp(x, n, top));

    if (adit_is_nan(target) || target < 0.0 || target >= float(n))
        return ADIT_NAN;
    return top - walk_stage[x + uint(target)] + tail;
}

/* Mean, and 1 / sqrt(variance + epsilon). */
void
walk_find_moments(uint x, uint n, float epsilon, out float mean, out float inverse)
{
    float squares;

    mean = walk_sum(x, 1u, n) / float(n);
    WALK_SUM(squares, n, (walk_stage[x + i] - mean) * (walk_stage[x + i] - mean));
    inverse = 1.0 / adit_sqrt(squares / float(n) + epsilon);
}

float
walk_standardize(uint x, uint n, uint i, float epsilon)
{
    float mean, inverse;

    walk_find_moments(x, n, epsilon, mean, inverse);
    return (walk_stage[x + i] - mean) * inverse;
}

/* With g = dy scale and h the standardised x: (g - mean(g) - h mean(g h)) inverse. */
float
walk_layer_norm_gradient(uint x, uint dy, uint scale, uint n, uint k, float epsilon)
{
    float mean, inverse, g, gh;

    walk_find_moments(x, n, epsilon, mean, inverse);
    WALK_SUM(g, n, walk_stage[dy + i] * PARAMETERS[scale + i]);
    WALK_SUM(gh, n, walk_stage[dy + i] * PARAMETERS[scale + i] * (walk_stage[x + i] - mean));
    g /= float(n);
    gh = gh * inverse / float(n);
    precise float dx = (walk_stage[dy + k] * PARAMETERS[scale + k] - g -
                        (walk_stage[x + k] - mean) * inverse * gh) * inverse;
    return dx;
}

/* As pad.comp: number i of an axis. */
float
walk_pad(uint x, uint outer, uint i, uint rest, uint begin, uint stride, uint size, uint inner,
         float value)
{
    uint from = (i - begin) / stride;

    if (i >= begin && from * stride == i - begin && from < size)
        return walk_stage[x + (outer * size + from) * inner + rest];
    return value;
}
