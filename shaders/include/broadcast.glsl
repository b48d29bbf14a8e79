/* shaders/include/broadcast.glsl - SPDX-License-Identifier: MIT */

/* Element of an input that goes with element e of the output (both of this dispatch's rows): the
 * shapes are aligned at their last axes, and an axis of size 1, a missing one or missing rows are
 * repeated. */
uint
adit_broadcast(uint view, uint e)
{
    uint count = adit_count(0), rest = e % count, stride = 1, at = 0;
    uint rank = adit_rank(view), beyond = adit_rank(0) - rank;

    if (adit_count(view) == count)
        return adit_row_of(view, e / count) + rest;
    for (uint k = rank; k-- > 0;) {
        uint size = adit_size(view, k), full = adit_size(0, beyond + k);

        at += size == 1 ? 0 : rest % full * stride;
        rest /= full;
        stride *= size;
    }
    return adit_row_of(view, e / count) + at;
}
