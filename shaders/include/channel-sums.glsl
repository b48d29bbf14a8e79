/* shaders/include/channel-sums.glsl - SPDX-License-Identifier: MIT */

/* For kernels of kind CHANNELS: 16 lanes for each of the channels, which lie along the middle of
 * [lines, size, inner], lines over the rows of the slice. They give compute(channel, n): n numbers
 * belong to a channel. Groups beyond the end get n = 0: they take part in sums, and write nothing.
 */

#include "channels.glsl"
#include "slices.glsl"

void compute(uint channel, uint n);

void
main()
{
    uint channel = adit_lane_group(), size = adit_channels();
    bool wanted = adit_is_running() && channel < size;

    compute(wanted ? channel : 0u, wanted ? adit_slice_rows() * (adit_count(1) / size) : 0u);
}

/* Where a lane has come to in a channel: element @at of the inputs, number @i of a line of @inner.
 * Going 16 numbers on is going @step elements on and @rest within the line, and @wrap elements more
 * where that is beyond the line. */
struct AditChannelWalk {
    uint at;
    uint i;
    uint inner;
    uint step;
    uint rest;
    uint wrap;
};

AditChannelWalk
adit_channel_begin(uint channel)
{
    uint size = adit_channels(), inner = adit_attribute(1);
    uint i = adit_lane() % inner, line = adit_lane() / inner * size + channel;
    uint rest = ADIT_LANES % inner;

    return AditChannelWalk(adit_slice_first() * adit_count(1) + line * inner + i, i, inner,
                           ADIT_LANES / inner * size * inner + rest, rest, (size - 1u) * inner);
}

void
adit_channel_advance(inout AditChannelWalk walk)
{
    walk.at += walk.step;
    walk.i += walk.rest;
    if (walk.i >= walk.inner) {
        walk.i -= walk.inner;
        walk.at += walk.wrap;
    }
}

/* sum = the sum of TERM, an expression in `at`, over the channel's n numbers. Four are read at once and
 * added in order. */
#define ADIT_CHANNEL_SUM(sum, channel, n, term)                                                    \
    {                                                                                              \
        AditChannelWalk walk_ = adit_channel_begin(channel);                                       \
        precise float own_ = 0.0;                                                                  \
        uint k_ = adit_lane();                                                                     \
        for (; k_ + 3u * ADIT_LANES < (n); k_ += 4u * ADIT_LANES) {                                \
            precise float term_[4];                                                                \
            for (uint l_ = 0u; l_ < 4u; l_++) {                                                    \
                uint at = walk_.at;                                                                \
                term_[l_] = (term);                                                                \
                adit_channel_advance(walk_);                                                       \
            }                                                                                      \
            for (uint l_ = 0u; l_ < 4u; l_++)                                                      \
                own_ += term_[l_];                                                                 \
        }                                                                                          \
        for (; k_ < (n); k_ += ADIT_LANES) {                                                       \
            uint at = walk_.at;                                                                    \
            own_ += (term);                                                                        \
            adit_channel_advance(walk_);                                                           \
        }                                                                                          \
        sum = adit_lanes_sum(own_);                                                                \
    }
