/* shaders/attention-gradient.comp - SPDX-License-Identifier: MIT */
#version 450

/* Inputs 3 and 4: dy, y. A workgroup goes through all tiles of a head, for each adds to the gradients of
 * keys and values: an invocation always to the same numbers. */

#include "attention.glsl"

/* First number of the head in the gradient of input @input, of the same row. */
uint
gradient_at(uint of)
{
    return head_at + (2u * row + of) * tokens * width;
}

/* Makes weights of the scores in the tile; those that are dropped out have a sign. Queries that there are
 * not have none. */
void
weigh(uint query, uint key, uint n, float top, float sum)
{
    uint i = own_query();
    bool drops = has_dropout();

    for (uint j = own_lane(); j < n; j += LANES) {
        float weight = adit_exp(tile[j * QUERIES + i] - top) / sum;

        if (drops && !is_kept(query + i, key + j))
            weight = -weight;
        tile[j * QUERIES + i] = query + i < tokens ? weight : 0.0;
    }
}

bool
is_dropped(float weight)
{
    return floatBitsToUint(weight) >> 31 != 0u;
}

/* What a weight is multiplied by. */
float
mask_of(float weight)
{
    return is_dropped(weight) ? 0.0 : adit_attribute_float(3);
}

/* Adds to the gradient @of, its lines of @n keys from @key on, the tile's numbers, NUMBER of `weight`, times
 * the queries' lines of FROM, an input, from @base on. An invocation has four keys by four numbers. */
#define ADD_TO_KEYS(of, query, key, n, number, from, base)                                         \
    for (uint unit = gl_LocalInvocationID.x; unit < ((n) + 3u) / 4u * quads; unit += THREADS) {    \
        uint j = unit / quads * 4u, c = unit % quads * 4u;                                         \
        uint to = gradient_at(of) + ((key) + j) * width + c;                                       \
        precise float sum[16];                                                                     \
        [[unroll]] for (uint l = 0u; l < 16u; l++) {                                               \
            bool is_there = j + l / 4u < (n) && c + l % 4u < head_size;                            \
            sum[l] = is_there && (query) > 0u ? OUT(to + l / 4u * width + l % 4u) : 0.0;           \
        }                                                                                          \
        for (uint i = 0u; i < min(QUERIES, tokens - (query)); i++) {                               \
            float left[4], right[4];                                                               \
            [[unroll]] for (uint l = 0u; l < 4u; l++) {                                            \
                float weight = tile[min(j + l, (n) - 1u) * QUERIES + i];                           \
                left[l] = number;                                                                  \
                right[l] = from((base) + ((query) + i) * width + min(c + l, head_size - 1u));      \
            }                                                                                      \
            [[unroll]] for (uint l = 0u; l < 16u; l++)                                             \
                sum[l] = fma(left[l / 4u], right[l % 4u], sum[l]);                                 \
        }                                                                                          \
        [[unroll]] for (uint l = 0u; l < 16u; l++) {                                               \
            if (j + l / 4u < (n) && c + l % 4u < head_size)                                        \
                OUT(to + l / 4u * width + l % 4u) = sum[l];                                        \
        }                                                                                          \
    }

/* Makes the gradient of the scores of the weights. */
void
differentiate(uint query, uint key, uint n)
{
    uint at[QUERIES];

    [[unroll]] for (uint i = 0u; i < QUERIES; i++)
        at[i] = head_at + query_at(query, i);
    for (uint step = 0u; step < n; step += THREADS) {
        precise float sum[QUERIES] = {0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0};
        uint j = step + gl_LocalInvocationID.x;
        uint value_at = value_head + (key + min(j, n - 1u)) * width;

        for (uint c = 0u; c < head_size; c++) {
            float value = IN2(value_at + c);

            [[unroll]] for (uint i = 0u; i < QUERIES; i++)
                sum[i] = fma(IN3(at[i] + c), value, sum[i]);
        }
        if (j >= n)
            continue;
        [[unroll]] for (uint i = 0u; i < QUERIES; i++) {
            float weight = tile[j * QUERIES + i];
            precise float dy = sum[i] * mask_of(weight) - query_sum[i];

            tile[j * QUERIES + i] = query + i < tokens ? abs(weight) * dy : 0.0;
        }
    }
}

/* Adds to the gradient of the queries: an invocation has a number of four. */
void
add_to_queries(uint query, uint key, uint n)
{
    for (uint unit = gl_LocalInvocationID.x; unit < QUERIES / 4u * head_size; unit += THREADS) {
        uint c = unit % head_size, i = unit / head_size * 4u;
        uint key_at = key_head + key * width + c;
        precise float sum[4] = {0.0, 0.0, 0.0, 0.0};

        for (uint j = 0u; j < n; j++) {
            float k = IN1(key_at + j * width);

            [[unroll]] for (uint l = 0u; l < 4u; l++)
                sum[l] = fma(tile[j * QUERIES + i + l], k, sum[l]);
        }
        [[unroll]] for (uint l = 0u; l < 4u; l++) {
            uint to = gradient_at(0u) + (query + i + l) * width + c;

            if (query + i + l < tokens)
                OUT(to) = key > 0u ? OUT(to) + sum[l] : sum[l];
        }
    }
}

void
main()
{
    attention_begin();

    uint quads = (head_size + 3u) / 4u;

    for (uint query = 0u; query < tokens; query += QUERIES) {
        float top = LEAST, sum = 0.0;
        precise float own = 0.0;
        uint at = head_at + query_at(query, own_query());

        for (uint key = 0u; key < tokens; key += KEYS) {
            barrier();
            fill_scores(query, key, min(KEYS, tokens - key));
            barrier();
            add_scores(min(KEYS, tokens - key), key == 0u, top, sum);
        }
        for (uint c = own_lane(); c < head_size; c += LANES)
            own += IN3(at + c) * IN4(at + c);

        float mean = sum_of_parts(0u, own);

        if (own_lane() == 0u)
            query_sum[own_query()] = mean;
        for (uint key = 0u; key < tokens; key += KEYS) {
            uint n = min(KEYS, tokens - key);

            if (tokens > KEYS) {
                barrier();
                fill_scores(query, key, n);
                barrier();
            }
            weigh(query, key, n, top, sum);
            barrier();
            ADD_TO_KEYS(2u, query, key, n, abs(weight) * mask_of(weight), IN3, head_at)
            barrier();
            differentiate(query, key, n);
            barrier();
            add_to_queries(query, key, n);
            ADD_TO_KEYS(1u, query, key, n, weight, IN0, query_head)
        }
    }
}
