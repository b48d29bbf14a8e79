/* shaders/include/walk-sums.glsl - SPDX-License-Identifier: MIT */

/* The second kernel of a walk. A job is a gradient: for each of its instances the sum over the rows of
 * the outer products of two values of a row, the first of which may be 1; or what takes no sum: a
 * gradient of numbers that the first kernel has joined, or states that are replaced. A workgroup has TILES tiles
 * of TILE_ROWS x TILE_COLUMNS elements of one instance, and an invocation a tile in one of the eight
 * slices of the batch. No choice of them changes a bit.
 * What the slices come to is added up in their order; then each invocation has one element, whose
 * gradient and update it computes.
 *
 * The text behind this gives walk_is_sound(), whether the guarded values are finite;
 * walk_finish(job, e, sum), the gradient of element e of all instances; and walk_update(at, gradient,
 * lives), the update of an element of the arena with the live numbers from @lives on. */

#include "walk.glsl"

layout(local_size_x = 128) in;

#define TILES        16u
#define TILE         (TILE_ROWS * TILE_COLUMNS)
#define SLICES       8u
#define AHEAD        8u /* rows that are read before they are added: reading takes long */

/* A job's words. */
#define JOB_WORDS      12u
#define JOB_GROUP      0u /* its first workgroup */
#define JOB_GROUPS     1u /* workgroups an instance */
#define JOB_ROWS       2u
#define JOB_COLUMNS    3u
#define JOB_LEFT       4u /* where the first instance's values lie, and how far apart they are */
#define JOB_LEFT_STEP  5u
#define JOB_RIGHT      6u
#define JOB_RIGHT_STEP 7u
#define JOB_KIND       8u
#define JOB_AT         9u /* in the arena */
#define JOB_LIVES      10u /* where the instances' live numbers are told */
#define JOB_STEP       11u /* elements an instance */

#define SUM     1u /* the left value is 1 */
#define ELEMENT 2u /* there is no sum */
#define STATE   3u /* nor a gradient */

#define NO_LIVES 0xffffffffu /* it is not updated */

shared float walk_stage[max(SLICES * TILES * TILE, 128u)];

bool walk_is_sound();
float walk_finish(uint job, uint e, float sum);
void walk_update(uint at, float gradient, uint lives);

/* The sum of the batch's numbers from KEPT[from] on; all invocations must call it together, as the
 * next. */
float
walk_fold(uint from, uint n)
{
    precise float sum = 0.0;
    uint own = gl_LocalInvocationID.x;

    for (uint i = own; i < n; i += 128u)
        sum += KEPT[from + i];
    barrier();
    walk_stage[own] = sum;
    for (uint half_ = 64u; half_ > 0u; half_ /= 2u) {
        barrier();
        if (own < half_) {
            precise float joined = walk_stage[own] + walk_stage[own + half_];

            walk_stage[own] = joined;
        }
    }
    barrier();
    return walk_stage[0];
}

#define JOB(job, word) WORD(push.key + (job) *JOB_WORDS + (word))

void
walk_add_row(float a[TILE_ROWS], float b[TILE_COLUMNS], inout float sum[TILE])
{
    for (uint k = 0u; k < TILE_ROWS; k++) {
        for (uint m = 0u; m < TILE_COLUMNS; m++) {
            precise float next = fma(a[k], b[m], sum[k * TILE_COLUMNS + m]);

            sum[k * TILE_COLUMNS + m] = next;
        }
    }
}

/* The rows of a slice, of a tile whose first element is row i, column j. */
void
walk_sum_tile(uint job, uint instance, uint slice, uint i, uint j, out float sum[TILE])
{
    uint rows = JOB(job, JOB_ROWS), columns = JOB(job, JOB_COLUMNS);
    uint left = JOB(job, JOB_LEFT) + instance * JOB(job, JOB_LEFT_STEP);
    uint right = JOB(job, JOB_RIGHT) + instance * JOB(job, JOB_RIGHT_STEP);
    uint left_at[TILE_ROWS], right_at[TILE_COLUMNS];
    uint end = adit_slice_begin(slice + 1u);
    bool is_sum = JOB(job, JOB_KIND) == SUM;

    for (uint k = 0u; k < TILE_ROWS; k++)
        left_at[k] = left + min(i + k, rows - 1u);
    for (uint k = 0u; k < TILE_COLUMNS; k++)
        right_at[k] = right + min(j + k, columns - 1u);
    for (uint k = 0u; k < TILE; k++)
        sum[k] = 0.0;
    uint r = adit_slice_begin(slice);
    for (; r + AHEAD <= end; r += AHEAD) {
        float a[AHEAD][TILE_ROWS], b[AHEAD][TILE_COLUMNS];

        for (uint n = 0u; n < AHEAD; n++) {
            for (uint k = 0u; k < TILE_ROWS; k++)
                a[n][k] = is_sum ? 1.0 : KEPT[left_at[k] + (r + n) * rows];
            for (uint m = 0u; m < TILE_COLUMNS; m++)
                b[n][m] = KEPT[right_at[m] + (r + n) * columns];
        }
        for (uint n = 0u; n < AHEAD; n++)
            walk_add_row(a[n], b[n], sum);
    }
    for (; r < end; r++) {
        float a[TILE_ROWS], b[TILE_COLUMNS];

        for (uint k = 0u; k < TILE_ROWS; k++)
            a[k] = is_sum ? 1.0 : KEPT[left_at[k] + r * rows];
        for (uint m = 0u; m < TILE_COLUMNS; m++)
            b[m] = KEPT[right_at[m] + r * columns];
        walk_add_row(a, b, sum);
    }
}

void
walk_do_job(uint job)
{
    uint rows = JOB(job, JOB_ROWS), columns = JOB(job, JOB_COLUMNS), own = gl_LocalInvocationID.x;
    uint group = adit_group() - JOB(job, JOB_GROUP), groups = JOB(job, JOB_GROUPS);
    uint instance = group / groups, first = group % groups * TILES;
    uint across = (columns + TILE_COLUMNS - 1u) / TILE_COLUMNS;
    uint tile = first + own % TILES, slice = own / TILES, kind = JOB(job, JOB_KIND);
    float sum[TILE];

    for (uint k = 0u; k < TILE; k++)
        sum[k] = 0.0;
    if (kind < ELEMENT)
        walk_sum_tile(job, instance, slice, tile / across * TILE_ROWS, tile % across * TILE_COLUMNS, sum);
    for (uint k = 0u; k < TILE; k++)
        walk_stage[slice * TILES * TILE + own % TILES * TILE + k] = sum[k];
    barrier();
    tile = first + own / TILE;
    uint i = tile / across * TILE_ROWS + own % TILE / TILE_COLUMNS;
    uint j = tile % across * TILE_COLUMNS + own % TILE_COLUMNS;
    if (own < TILES * TILE && i < rows && j < columns) {
        precise float total = walk_stage[own];

        for (uint s = 1u; s < SLICES && adit_slice_begin(s) < push.batch; s++)
            total += walk_stage[s * TILES * TILE + own];
        uint e = instance * JOB(job, JOB_STEP) + i * columns + j;
        uint at = JOB(job, JOB_AT) + e, lives = WORD(JOB(job, JOB_LIVES) + instance);
        float gradient = walk_finish(job, e, total);

        if (kind == STATE)
            STATES[at] = gradient;
        else
            GRADIENTS[at] = gradient;
        if (lives != NO_LIVES)
            walk_update(at, gradient, lives);
    }
}

void
main()
{
    uint cursor = block[BLOCK_WALK_CURSOR], group = adit_group(), jobs = push.part, job = 0u;
    bool is_running = block[BLOCK_WALK_STATUS] == 0u;

    bool is_sound = walk_is_sound();
    if (group == 0u && gl_LocalInvocationID.x == 0u) {
        block[BLOCK_CURSOR] = cursor + 1u;
        if (is_running && !is_sound) {
            block[BLOCK_STATUS] = 1u;
            block[BLOCK_FAILED_SERIAL] = ADIT_CALL(BLOCK_SERIAL);
            block[BLOCK_FAILED_STEP] = ADIT_CALL(BLOCK_STEP);
            block[BLOCK_FAILED_STEP + 1] = ADIT_CALL(BLOCK_STEP + 1);
        }
    }
    if (is_running && is_sound && group < push.slice) {
        while (job + 1u < jobs && group >= JOB(job + 1u, JOB_GROUP))
            job++;
        walk_do_job(job);
    }
}
