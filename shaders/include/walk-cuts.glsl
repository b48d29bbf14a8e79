/* shaders/include/walk-cuts.glsl - SPDX-License-Identifier: MIT */

/* Where the first kernel of a walk is cut: GROUP rows leave two numbers a channel, and every workgroup
 * of the next dispatch joins those of all groups for itself: eight slices of whole groups, group after
 * group, then slice after slice. GROUP follows from shapes alone, so no choice of ROWS changes a bit.
 * Channels lie along the middle of [lines, size, inner] of a row's numbers. */

#define STRANDS 8u

shared float walk_joined[JOINED];
shared float walk_strands[2u * SIZE];

/* ---- parts ---- */

/* What a task is about: channel number task % size of a group of the workgroup. It has @n rows, the
 * first of which is row @first of the workgroup, and leaves its numbers at KEPT[to]. */
void
walk_find_part(uint task, uint size, out uint first, out uint n, inout uint to)
{
    uint group = adit_group() * (ROWS / GROUP) + task / size, begin = group * GROUP;

    first = task / size * GROUP;
    n = begin < push.rows ? min(GROUP, push.rows - begin) : 0u;
    to += 2u * (group * size + task % size);
}

/* Number @x of row @row of the workgroup. */
float
walk_staged(uint row, uint x)
{
    return walk_stage[(walk_half * ROWS + row) * STAGE + x];
}

#define WALK_PART_SUM(sum, term)                                                                   \
    {                                                                                              \
        precise float sum_ = 0.0;                                                                  \
        for (uint r = first; r < first + n; r++) {                                                 \
            for (uint k = 0u; k < lines * inner; k++) {                                            \
                uint at = (k / inner * size + channel) * inner + k % inner;                        \
                sum_ += (term);                                                                    \
            }                                                                                      \
        }                                                                                          \
        sum = sum_;                                                                                \
    }

/* Mean, and the sum of the squares of what is off it. */
void
walk_part_moments(uint task, uint x, uint lines, uint size, uint inner, uint to)
{
    uint first, n, channel = task % size;
    float mean, squares;

    walk_find_part(task, size, first, n, to);
    if (n == 0u)
        return;
    WALK_PART_SUM(mean, walk_staged(r, x + at));
    mean /= float(n * lines * inner);
    WALK_PART_SUM(squares, (walk_staged(r, x + at) - mean) * (walk_staged(r, x + at) - mean));
    KEPT[to] = mean;
    KEPT[to + 1u] = squares;
}

/* The sums of dy and of dy times the normalised x. */
void
walk_part_sums(uint task, uint x, uint dy, uint lines, uint size, uint inner, float mean,
               float inverse, uint to)
{
    uint first, n, channel = task % size;
    float plain, weighted;

    walk_find_part(task, size, first, n, to);
    if (n == 0u)
        return;
    WALK_PART_SUM(plain, walk_staged(r, dy + at));
    WALK_PART_SUM(weighted, walk_staged(r, dy + at) * (walk_staged(r, x + at) - mean));
    KEPT[to] = plain;
    KEPT[to + 1u] = weighted * inverse;
}

/* ---- joining ---- */

/* First group of a strand. */
uint
walk_strand_begin(uint strand)
{
    uint groups = (push.batch + GROUP - 1u) / GROUP;

    return min(strand * ((groups + STRANDS - 1u) / STRANDS), groups);
}

/* Rows of groups @begin to @end - 1. */
uint
walk_count_rows(uint begin, uint end)
{
    return min(end * GROUP, push.batch) - min(begin * GROUP, push.batch);
}

/* Chan, Golub and LeVeque 1979, equation 1.5: mean and squares of @n numbers and of @m more. */
void
walk_add_moments(inout float mean, inout float squares, float n, float more_mean, float more_squares,
                 float m)
{
    precise float weight = m / (n + m), delta = more_mean - mean;
    precise float next_squares = squares + more_squares + delta * delta * n * weight;
    precise float next_mean = mean + weight * delta;

    squares = next_squares;
    mean = next_mean;
}

/* Keeps what a channel comes to, for this dispatch and the following. */
void
walk_keep_joined(uint channel, uint size, uint to, uint kept, float first, float second)
{
    walk_joined[to + channel] = first;
    walk_joined[to + size + channel] = second;
    if (adit_group() == 0u) {
        KEPT[kept + channel] = first;
        KEPT[kept + size + channel] = second;
    }
}

/* Mean and variance of each of @size channels, of which every row has @a_row numbers. All invocations
 * must call it together, as the next. */
void
walk_join_moments(uint from, uint size, uint a_row, uint to, uint kept)
{
    uint own = gl_LocalInvocationID.x, strand = own % STRANDS;
    uint begin = walk_strand_begin(strand), end = walk_strand_begin(strand + 1u);

    for (uint first = 0u; first < size; first += SIZE / STRANDS) {
        uint channel = min(first + own / STRANDS, size - 1u);
        float mean = 0.0, squares = 0.0;

        for (uint g = begin; g < end; g++) {
            uint at = from + 2u * (g * size + channel);

            walk_add_moments(mean, squares, float(walk_count_rows(begin, g) * a_row), KEPT[at],
                             KEPT[at + 1u], float(walk_count_rows(g, g + 1u) * a_row));
        }
        walk_strands[2u * own] = mean;
        walk_strands[2u * own + 1u] = squares;
        barrier();
        if (strand == 0u && first + own / STRANDS < size) {
            for (uint s = 1u; s < STRANDS && walk_strand_begin(s) < walk_strand_begin(STRANDS); s++) {
                uint before = walk_count_rows(0u, walk_strand_begin(s));
                uint more = walk_count_rows(walk_strand_begin(s), walk_strand_begin(s + 1u));

                walk_add_moments(mean, squares, float(before * a_row), walk_strands[2u * (own + s)],
                                 walk_strands[2u * (own + s) + 1u], float(more * a_row));
            }
            walk_keep_joined(channel, size, to, kept, mean, squares / float(push.batch * a_row));
        }
        barrier();
    }
}

void
walk_join_sums(uint from, uint size, uint to, uint kept)
{
    uint own = gl_LocalInvocationID.x, strand = own % STRANDS;
    uint begin = walk_strand_begin(strand), end = walk_strand_begin(strand + 1u);

    for (uint first = 0u; first < size; first += SIZE / STRANDS) {
        uint channel = min(first + own / STRANDS, size - 1u);
        precise float plain = 0.0, weighted = 0.0;

        for (uint g = begin; g < end; g++) {
            plain += KEPT[from + 2u * (g * size + channel)];
            weighted += KEPT[from + 2u * (g * size + channel) + 1u];
        }
        walk_strands[2u * own] = plain;
        walk_strands[2u * own + 1u] = weighted;
        barrier();
        if (strand == 0u && first + own / STRANDS < size) {
            for (uint s = 1u; s < STRANDS; s++) {
                plain += walk_strands[2u * (own + s)];
                weighted += walk_strands[2u * (own + s) + 1u];
            }
            walk_keep_joined(channel, size, to, kept, plain, weighted);
        }
        barrier();
    }
}
