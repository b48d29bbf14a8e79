/* core/ops/adit-crop.kernel.c - SPDX-License-Identifier: MIT */
#include <tgmath.h>

#include "adit-kernel.h"

/* Along one axis number i of a window stands at begin + i step of a map, between two of its
 * numbers. A place that is not finite shows nothing. */
typedef struct {
    real begin;
    real step;
    gsize n;    /* of the window */
    gsize full; /* of the map */
    gboolean clamps;
} Axis;

/* Numbers @at and @at + 1 of the map, by the shares 1 - share and share. */
typedef struct {
    gssize at;
    real share;
} Spot;

ADIT_ALWAYS_INLINE Spot
find_spot(const Axis *axis, gsize i)
{
    real place = axis->begin + (real) i * axis->step, end = (real) axis->full;
    real low = K(0);

    if (!isfinite(axis->begin) || !isfinite(axis->step))
        return (Spot){.at = -2};
    if (axis->clamps)
        place = place > K(0) ? (place < end - K(1) ? place : end - K(1)) : K(0);
    if (!(place > K(-1) && place < end))
        return (Spot){.at = -2};
    low = floor(place);
    return (Spot){.at = (gssize) low, .share = place - low};
}

/* Share of number @spot->at + @k; 0 outside of the map. */
ADIT_ALWAYS_INLINE real
get_share(const Axis *axis, const Spot *spot, gsize k)
{
    gssize at = spot->at + (gssize) k;

    if (at < 0 || at >= (gssize) axis->full)
        return K(0);
    return k == 0 ? K(1) - spot->share : spot->share;
}

/* Numbers of the window that stand on numbers of the map one behind the other, if all do: from
 * @first to before @end, number i on @left + i @direction. Images that are only moved or mirrored
 * are read so. */
static gboolean
find_run(const Axis *axis, gssize *left, gssize *direction, gssize *first, gssize *end)
{
    gssize full = (gssize) axis->full, n = (gssize) axis->n;

    if (fabs(axis->step) != K(1) || !(fabs(axis->begin) < K(1000000)) ||
        floor(axis->begin) != axis->begin || axis->clamps)
        return FALSE;
    *left = (gssize) axis->begin;
    *direction = (gssize) axis->step;
    *first = *direction > 0 ? -*left : *left - full + 1;
    *end = *direction > 0 ? full - *left : *left + 1;
    *first = CLAMP(*first, 0, n);
    *end = CLAMP(*end, *first, n);
    return TRUE;
}

/* @out += @weight times the window of line @x. */
static void
add_line(const Axis *axis, real weight, const real *x, real *restrict out)
{
    gssize left, direction, first, end;

    if (find_run(axis, &left, &direction, &first, &end)) {
        for (gssize j = first; j < end; j++)
            out[j] += weight * x[left + j * direction];
        return;
    }
    for (gsize j = 0; j < axis->n; j++) {
        Spot spot = find_spot(axis, j);
        real value = K(0);

        for (gsize k = 0; k < 2; k++) {
            real share = get_share(axis, &spot, k);

            if (share != K(0))
                value += share * x[spot.at + (gssize) k];
        }
        out[j] += weight * value;
    }
}

/* Vertical and horizontal axis of row @r's window; @place: the input that says where. */
static void
find_axes(const AditKernelCall *call, guint place, gsize r, Axis *axes)
{
    const AditCropAttributes *t = call->attributes;
    const real *numbers = call_row(call, place, r);

    axes[0] = (Axis){numbers[0], numbers[2], t->height, t->full_height, t->clamps};
    axes[1] = (Axis){numbers[1], numbers[3], t->width, t->full_width, t->clamps};
}

void
ADIT_KERNEL(crop)(const AditKernelCall *call)
{
    const AditCropAttributes *t = call->attributes;
    gsize rows = call->output.rows ? call->rows : 1;
    gsize channels = call->output.shape.size[0];
    real *out = call->output.data;

    memset(out, 0, rows * call->output.count * sizeof(real));
    for (gsize r = 0; r < rows; r++) {
        const real *x = call_row(call, 0, r);
        Axis axes[2];

        find_axes(call, 1, r, axes);
        for (gsize line = 0; line < channels * t->height; line++, out += t->width) {
            const real *map = x + line / t->height * t->full_height * t->full_width;
            Spot spot = find_spot(&axes[0], line % t->height);

            for (gsize k = 0; k < 2; k++) {
                real share = get_share(&axes[0], &spot, k);

                if (share != K(0))
                    add_line(&axes[1], share, map + (spot.at + (gssize) k) * (gssize) t->full_width,
                             out);
            }
        }
    }
}

/* @out += @weight times what line @dy of a window gives the line of the map it is of. */
static void
spread_line(const Axis *axis, real weight, const real *dy, real *restrict out)
{
    for (gsize j = 0; j < axis->n; j++) {
        Spot spot = find_spot(axis, j);

        for (gsize k = 0; k < 2; k++) {
            real share = get_share(axis, &spot, k);

            if (share != K(0))
                out[spot.at + (gssize) k] += weight * (share * dy[j]);
        }
    }
}

void
ADIT_KERNEL(crop_gradient)(const AditKernelCall *call)
{
    const AditCropAttributes *t = call->attributes;
    gsize rows = call->output.rows ? call->rows : 1;
    gsize channels = call->output.shape.size[0];

    memset(call->output.data, 0, rows * call->output.count * sizeof(real));
    for (gsize r = 0; r < rows; r++) {
        const real *dy = call_row(call, 1, r);
        real *out = (real *) call->output.data + r * call->output.count;
        Axis axes[2];

        find_axes(call, 0, r, axes);
        for (gsize line = 0; line < channels * t->height; line++, dy += t->width) {
            real *map = out + line / t->height * t->full_height * t->full_width;
            Spot spot = find_spot(&axes[0], line % t->height);

            for (gsize k = 0; k < 2; k++) {
                real share = get_share(&axes[0], &spot, k);

                if (share != K(0))
                    spread_line(&axes[1], share, dy,
                                map + (spot.at + (gssize) k) * (gssize) t->full_width);
            }
        }
    }
}
