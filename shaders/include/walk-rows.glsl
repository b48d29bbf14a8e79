/* shaders/include/walk-rows.glsl - SPDX-License-Identifier: MIT */

/* The first kernel of a walk: ROWS rows a workgroup, LANES invocations a row. Number e of a value is
 * with lane e % LANES; a value of one number is with all of them. What lanes give each other goes
 * through STAGE numbers of shared memory a row, in two halves that take turns: who has passed the
 * barrier behind one half has done with the other.
 *
 * The text behind this gives walk(), and walk_term(term, e): number e of what penalty number `term` is
 * the sum of. Workgroups behind those of the rows sum penalties, CHUNK numbers each. Only the first
 * piece of a walk, TAKES_CALL, has them.
 *
 * No choice of ROWS changes a bit. */

#ifdef TAKES_CALL
#define ADIT_CALL(word) walk_call[(word) - BLOCK_SERIAL]
shared uint walk_call[RING_WORDS]; /* the call's slot of the ring, CALL_WORDS of it */
#endif

/* Data is read as words. */
#define ADIT_INPUT3_TYPE uint
#define ADIT_INPUT4_TYPE uint

#include "walk.glsl"

#include "data.glsl"

layout(local_size_x = SIZE) in;

#define CHUNK      4096u
#define CHUNK_SUMS 64u

shared float walk_stage[2u * ROWS * STAGE];
shared float walk_sums[CHUNK_SUMS];

uint walk_half = 0u;
uint walk_at;      /* where the row's numbers lie in shared memory */
uint walk_row;     /* of the batch */
uint walk_lane;
bool walk_is_row;  /* else beyond the end: it computes something and writes nothing */
uint i0, i1, i2, i3; /* the iteration of the loops around, where they are written out */

void walk();
float walk_term(uint term, uint e);

/* Before numbers are put into shared memory. */
void
walk_turn()
{
    walk_half ^= 1u;
    walk_at = (walk_half * ROWS + gl_LocalInvocationID.x / LANES) * STAGE;
}

/* The row of the data that is the row's, of feed @feed. */
uint
walk_find_row(uint feed, bool has_numbers)
{
    uint words_at = BLOCK_FEEDS + BLOCK_FEED_WORDS * feed;
    uint row = ADIT_CALL(words_at) + walk_row;

    if (ADIT_CALL(words_at + 1u) != 0u)
        row = adit_permute(words_at, row);
    return has_numbers ? ROW_NUMBERS[row] : row;
}

/* Number @e of the data of a feed; @table as in data.glsl. */
#define DATA_0(table, e) adit_data_number(table, e, input3_numbers[adit_data_word(table, e)])
#define DATA_1(table, e) adit_data_number(table, e, input4_numbers[adit_data_word(table, e)])

#include "walk-operations.glsl"

#if JOINED > 0
#include "walk-cuts.glsl"
#endif

#ifdef TAKES_CALL

/* ---- penalties ---- */

/* The sum of chunk number @chunk, counted over all penalties, to KEPT: @first is where the table of
 * penalties begins in the words: how many numbers each has. The order is the same for every size of
 * the workgroup. */
void
walk_sum_chunk(uint chunk, uint first, uint to)
{
    uint term = 0u, begin = chunk;

    for (uint n = (WORD(first) + CHUNK - 1u) / CHUNK; begin >= n;
         n = (WORD(first + term) + CHUNK - 1u) / CHUNK) {
        begin -= n;
        term++;
    }
    uint end = min((begin + 1u) * CHUNK, WORD(first + term));
    for (uint sum = gl_LocalInvocationID.x; sum < CHUNK_SUMS; sum += SIZE) {
        precise float own = 0.0;

        for (uint e = begin * CHUNK + sum; e < end; e += CHUNK_SUMS)
            own += walk_term(term, e);
        walk_sums[sum] = own;
    }
    barrier();
    if (gl_LocalInvocationID.x == 0u) {
        precise float total = 0.0;

        for (uint sum = 0u; sum < CHUNK_SUMS; sum++)
            total += walk_sums[sum];
        KEPT[to + chunk] = total;
    }
}

/* Fetches the call's words; the first workgroup leaves them for the second kernel. */
void
walk_fetch_call(uint slot, bool is_first)
{
    for (uint i = gl_LocalInvocationID.x; i < CALL_WORDS; i += SIZE) {
        uint word = input0_numbers[slot + i], to = BLOCK_SERIAL + i;

        walk_call[i] = word;
        if (is_first && to != BLOCK_WALK_CURSOR && to != BLOCK_WALK_STATUS)
            block[to] = word;
    }
    barrier();
}

/* Cursor and status for the second kernel. */
void
walk_take_call(uint group)
{
    uint cursor = block[BLOCK_CURSOR];

    walk_fetch_call(cursor % RING_SLOTS * RING_WORDS, group == 0u);
    if (group == 0u && gl_LocalInvocationID.x == 0u) {
        block[BLOCK_WALK_CURSOR] = cursor;
        block[BLOCK_WALK_STATUS] = block[BLOCK_STATUS];
    }
}

#endif

void
main()
{
    uint status = block[BLOCK_STATUS], group = adit_group();
    uint groups = (push.rows + ROWS - 1u) / ROWS;
    uint row = group * ROWS + gl_LocalInvocationID.x / LANES;

#ifdef TAKES_CALL
    walk_take_call(group);
#endif
    i0 = push.in_at[0];
    i1 = push.in_at[1];
    i2 = push.in_at[2];
    i3 = push.in_at[3];
    walk_lane = gl_LocalInvocationID.x % LANES;
    walk_is_row = row < push.rows;
    walk_row = min(row, push.rows - 1u);
    if (status == 0u) {
        if (group < groups)
            walk();
#ifdef TAKES_CALL
        else if (group < groups + push.part)
            walk_sum_chunk(group - groups, push.key, push.out_at);
#endif
    }
}
