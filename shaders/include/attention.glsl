/* shaders/include/attention.glsl - SPDX-License-Identifier: MIT */

/* What attention and its gradient share: core/ops/adit-attention.kernel.c. A workgroup has one head of a
 * row and a tile of QUERIES queries beside up to KEYS keys, in shared memory; of more keys it goes
 * through one part after the other. Inputs 0 to 2: queries, keys, values.
 *
 * What is taken together of a line is taken by the 16 lanes of its query, which leave their parts in
 * shared memory: fewer barriers than lanes.glsl has. */

#extension GL_EXT_control_flow_attributes : require

#include "adit.glsl"

#include "math.glsl"
#include "philox.glsl"

#define QUERIES 8u
#define KEYS    448u
#define LANES   16u
#define THREADS 128u
#define LEAST   uintBitsToFloat(0xff800000u)

layout(local_size_x = 128) in;

/* Number j * QUERIES + i is that of query i and key j. */
shared float tile[QUERIES * KEYS];
/* For each query. */
shared float query_scale[QUERIES];
shared float query_sum[QUERIES];
/* For each lane of each query. Two: what is in one is read by all when the other is full. */
shared float parts[2][THREADS];

/* Tokens, 0: there is nothing to do; numbers of a token, and of a head; the row and the head of the
 * workgroup, and the number of its tile. */
uint tokens, width, head_size, row, head, tile_number;
/* First number of the head in what is of this row, and in the inputs, which may be the same for all. */
uint head_at, query_head, key_head, value_head;

/* @tiles: workgroups of a head. */
void
attention_begin()
{
    uint per_row = adit_attribute(0), heads = adit_attribute(1), group = adit_group();
    uint tiles = per_row / heads;

    tokens = adit_size(1, 0u);
    width = adit_size(1, 1u);
    head_size = width / heads;
    row = min(group / per_row, push.rows - 1u);
    head = group % per_row / tiles;
    tile_number = group % tiles;
    head_at = row * tokens * width + head * head_size;
    query_head = adit_row_of(1u, row) + head * head_size;
    key_head = adit_row_of(2u, row) + head * head_size;
    value_head = adit_row_of(3u, row) + head * head_size;
    if (!adit_is_running() || group / per_row >= push.rows)
        tokens = 0u;
}

/* The query and the lane that this invocation is one of. */
uint
own_query()
{
    return gl_LocalInvocationID.x % QUERIES;
}

uint
own_lane()
{
    return gl_LocalInvocationID.x / QUERIES;
}

/* The greatest, or the sum, of what the query's lanes have, in order. */
float
greatest_part(uint which, float own)
{
    float greatest = LEAST;

    parts[which][gl_LocalInvocationID.x] = own;
    barrier();
    for (uint lane = 0u; lane < LANES; lane++)
        greatest = adit_max_of(greatest, parts[which][lane * QUERIES + own_query()]);
    return greatest;
}

float
sum_of_parts(uint which, float own)
{
    precise float sum = 0.0;

    parts[which][gl_LocalInvocationID.x] = own;
    barrier();
    for (uint lane = 0u; lane < LANES; lane++)
        sum += parts[which][lane * QUERIES + own_query()];
    return sum;
}

/* How far into a head query i of the tile lies that begins with query @first; beyond the last: that one.
 */
uint
query_at(uint first, uint i)
{
    return min(first + i, tokens - 1u) * width;
}

/* The scores of the queries from @query on beside the keys from @key on, @n of them. */
void
fill_scores(uint query, uint key, uint n)
{
    uint at[QUERIES];

    [[unroll]] for (uint i = 0u; i < QUERIES; i++)
        at[i] = query_head + query_at(query, i);
    /* the same steps for all: what is read of queries is then the same, too */
    for (uint step = 0u; step < n; step += THREADS) {
        precise float sum[QUERIES] = {0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0};
        uint j = step + gl_LocalInvocationID.x;
        uint key_at = key_head + (key + min(j, n - 1u)) * width;

        for (uint c = 0u; c < head_size; c++) {
            float k = IN1(key_at + c);

            [[unroll]] for (uint i = 0u; i < QUERIES; i++)
                sum[i] = fma(IN0(at[i] + c), k, sum[i]);
        }
        if (j >= n)
            continue;
        [[unroll]] for (uint i = 0u; i < QUERIES; i++)
            tile[j * QUERIES + i] = sum[i];
    }
}

/* The greatest score of the lanes' query and, relative to it, the sum of their exponentials: @top, @sum of
 * the keys so far become those with the @n keys in the tile. Gives what goes on from earlier ones. */
float
add_scores(uint n, bool is_first, inout float top, inout float sum)
{
    uint i = own_query();
    float next = top;
    precise float own = 0.0;

    for (uint j = own_lane(); j < n; j += LANES)
        next = adit_max_of(next, tile[j * QUERIES + i]);
    next = greatest_part(0u, next);
    for (uint j = own_lane(); j < n; j += LANES)
        own += adit_exp(tile[j * QUERIES + i] - next);

    float share = is_first ? 0.0 : adit_exp(top - next);
    precise float total = is_first ? 0.0 : sum * share;

    sum = total + sum_of_parts(1u, own);
    top = next;
    return share;
}

/* Whether dropout, where there is any, leaves the weight of a query and a key. */
bool
is_kept(uint query, uint key)
{
    uint count = adit_attribute(1) * tokens * tokens, word;
    uint e = (head * tokens + query) * tokens + key;
    uvec2 stream = uvec2(words[push.key], words[push.key + 1u]);
    uvec4 bits = adit_noise_of(push.row + row, count, e, stream, word);

    return adit_uniform(bits[word]) >= adit_attribute_float(2);
}

bool
has_dropout()
{
    return adit_attribute_float(2) > 0.0;
}
