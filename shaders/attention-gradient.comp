/* shaders/attention-gradient.comp - SPDX-License-Identifier: MIT */
#version 450

/* Inputs 3 and 4: dy, y. A workgroup goes through all tiles of a head, for each adds to the gradients of
 * keys and values: an invocation always to the same numbers. */

#define ADIT_COLUMNS
#include "lanes.glsl"

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
    uint i = lanes_query();
    bool drops = has_dropout();

    for (uint j = adit_lane(); j < n; j += ADIT_LANES) {
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

/* Adds to numbers of the gradient @of, those of @n keys from @key on, the tile's numbers times the
 * queries' numbers in TERM, an expression in `at`, which is how far into a head they lie. */
#define ADD_TO_KEYS(of, query, key, n, number, term)                                               \
    for (uint e = gl_LocalInvocationID.x; e < (n) * head_size; e += THREADS) {                     \
        uint j = e / head_size, c = e % head_size;                                                 \
        uint to = gradient_at(of) + ((key) + j) * width + c;                                       \
        precise float sum = (query) > 0u ? OUT(to) : 0.0;                                          \
        for (uint i = 0u; i < QUERIES; i++) {                                                      \
            float weight = tile[j * QUERIES + i];                                                  \
            uint at = query_at(query, i) + c;                                                      \
            if ((query) + i < tokens)                                                              \
                sum = fma(number, term, sum);                                                      \
        }                                                                                          \
        OUT(to) = sum;                                                                             \
    }

/* Makes the gradient of the scores of the weights. */
void
differentiate(uint query, uint key, uint n)
{
    uint at[QUERIES];

    for (uint i = 0u; i < QUERIES; i++)
        at[i] = head_at + query_at(query, i);
    for (uint j = gl_LocalInvocationID.x; j < n; j += THREADS) {
        precise float sum[QUERIES] = {0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0};
        uint value_at = value_head + (key + j) * width;

        for (uint c = 0u; c < head_size; c++) {
            float value = IN2(value_at + c);

            for (uint i = 0u; i < QUERIES; i++)
                sum[i] = fma(IN3(at[i] + c), value, sum[i]);
        }
        for (uint i = 0u; i < QUERIES; i++) {
            float weight = tile[j * QUERIES + i];
            precise float dy = sum[i] * mask_of(weight) - query_sum[i];

            tile[j * QUERIES + i] = query + i < tokens ? abs(weight) * dy : 0.0;
        }
    }
}

/* Adds to the gradient of the queries: an invocation has a number of two. */
void
add_to_queries(uint query, uint key, uint n)
{
    for (uint unit = gl_LocalInvocationID.x; unit < QUERIES / 2u * head_size; unit += THREADS) {
        uint c = unit % head_size, i = unit / head_size * 2u;
        uint key_at = key_head + key * width + c;
        precise float sum[2] = {0.0, 0.0};

        for (uint j = 0u; j < n; j++) {
            float k = IN1(key_at + j * width);

            sum[0] = fma(tile[j * QUERIES + i], k, sum[0]);
            sum[1] = fma(tile[j * QUERIES + i + 1u], k, sum[1]);
        }
        for (uint l = 0u; l < 2u; l++) {
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
    for (uint query = 0u; query < tokens; query += QUERIES) {
        float top = ADIT_GREATEST_BEGIN, sum = 0.0, mean;
        uint at = head_at + query_at(query, lanes_query());

        for (uint key = 0u; key < tokens; key += KEYS) {
            barrier();
            fill_scores(query, key, min(KEYS, tokens - key));
            barrier();
            add_scores(min(KEYS, tokens - key), key == 0u, top, sum);
        }
        ADIT_LANES_SUM(mean, head_size, IN3(at + i) * IN4(at + i));
        if (adit_lane() == 0u)
            query_sum[lanes_query()] = mean;
        for (uint key = 0u; key < tokens; key += KEYS) {
            uint n = min(KEYS, tokens - key);

            if (tokens > KEYS) {
                barrier();
                fill_scores(query, key, n);
                barrier();
            }
            weigh(query, key, n, top, sum);
            barrier();
            ADD_TO_KEYS(2u, query, key, n, abs(weight) * mask_of(weight), IN3(head_at + at))
            barrier();
            differentiate(query, key, n);
            barrier();
            add_to_queries(query, key, n);
            ADD_TO_KEYS(1u, query, key, n, weight, IN0(query_head + at))
        }
    }
}
