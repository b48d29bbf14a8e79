/* shaders/attention.comp - SPDX-License-Identifier: MIT */
#version 450

#include "attention.glsl"

/* Makes weights of the scores in the tile, not divided by their sum yet. */
void
weigh(uint query, uint key, uint n, float top)
{
    uint i = own_query();
    float factor = adit_attribute_float(3);
    bool drops = has_dropout();

    for (uint j = own_lane(); j < n; j += LANES) {
        float weight = adit_exp(tile[j * QUERIES + i] - top);

        if (drops)
            weight *= is_kept(query + i, key + j) ? factor : 0.0;
        tile[j * QUERIES + i] = weight;
    }
}

/* Adds what the keys in the tile give: an invocation has a number of four queries. */
void
add_values(uint query, uint key, uint n)
{
    bool is_last = key + n == tokens;

    for (uint unit = gl_LocalInvocationID.x; unit < QUERIES / 4u * head_size; unit += THREADS) {
        uint c = unit % head_size, i = unit / head_size * 4u;
        uint value_at = value_head + key * width + c;
        precise float sum[4] = {0.0, 0.0, 0.0, 0.0};

        for (uint j = 0u; j < n; j++) {
            float value = IN2(value_at + j * width);

            [[unroll]] for (uint l = 0u; l < 4u; l++)
                sum[l] = fma(tile[j * QUERIES + i + l], value, sum[l]);
        }
        [[unroll]] for (uint l = 0u; l < 4u; l++) {
            uint at = head_at + (query + i + l) * width + c;
            precise float y = sum[l];

            if (query + i + l >= tokens)
                continue;
            if (key > 0u)
                y += OUT(at) * query_scale[i + l];
            OUT(at) = is_last ? y / query_sum[i + l] : y;
        }
    }
}

void
main()
{
    attention_begin();

    uint query = tile_number * QUERIES;
    float top = LEAST, sum = 0.0;

    for (uint key = 0u; key < tokens; key += KEYS) {
        uint n = min(KEYS, tokens - key);

        fill_scores(query, key, n);
        barrier();
        float share = add_scores(n, key == 0u, top, sum);

        weigh(query, key, n, top);
        if (own_lane() == 0u) {
            query_scale[own_query()] = share;
            query_sum[own_query()] = sum;
        }
        barrier();
        add_values(query, key, n);
        barrier();
    }
}
