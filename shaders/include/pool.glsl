/* shaders/include/pool.glsl - SPDX-License-Identifier: MIT */

/* How windows lie on an image, for kernels of one number each: axis 0 is height, 1 is width. The
 * kernel says which view has the image (POOL_IMAGE) and which the windows (POOL_WINDOWS). */

/* Pixels of a window along an axis: begin, begin + step, ... below end. */
struct PoolSpan {
    uint begin;
    uint end;
    uint step;
};

bool
pool_is_adaptive()
{
    return adit_attribute(8) != 0u;
}

uint
pool_image(uint axis)
{
    return adit_size(POOL_IMAGE, 1u + axis);
}

uint
pool_windows(uint axis)
{
    return adit_size(POOL_WINDOWS, 1u + axis);
}

/* What window @o sees. */
PoolSpan
pool_span(uint axis, uint o)
{
    uint size = adit_attribute(axis), step = adit_attribute(4u + axis);
    uint before = adit_attribute(6u + axis), begin = o * adit_attribute(2u + axis);
    uint end = begin + (size - 1u) * step + 1u, image = pool_image(axis), n = pool_windows(axis);

    if (pool_is_adaptive())
        return PoolSpan(o * image / n, ((o + 1u) * image + n - 1u) / n, 1u);
    if (begin < before)
        begin += (before - begin + step - 1u) / step * step;
    return PoolSpan(begin - before, min(end - before, image), step);
}

uint
pool_count(PoolSpan span)
{
    return (span.end - span.begin + span.step - 1u) / span.step;
}

/* Those windows that may see pixel @i: from x to below y. */
uvec2
pool_windows_of(uint axis, uint i)
{
    uint extent = (adit_attribute(axis) - 1u) * adit_attribute(4u + axis) + 1u;
    uint stride = adit_attribute(2u + axis), at = i + adit_attribute(6u + axis);
    uint image = pool_image(axis), n = pool_windows(axis);

    if (pool_is_adaptive())
        return uvec2(i * n / image, ((i + 1u) * n + image - 1u) / image);
    return uvec2(at < extent ? 0u : (at - extent) / stride + 1u, min(at / stride + 1u, n));
}

bool
pool_sees(PoolSpan span, uint i)
{
    return i >= span.begin && i < span.end && (i - span.begin) % span.step == 0u;
}
