/* core/ops/adit-move.kernel.c - SPDX-License-Identifier: MIT */
#include "adit-product.h"

/* One row: the axes of the output are walked in order, the input's by their strides. */
static void
transpose_row(const AditShape *shape, const gsize *stride, const real *x, real *out)
{
    guint last = shape->rank - 1;
    gsize n = shape->size[last], step = stride[last];
    gsize count = adit_shape_count(shape);
    gsize index[ADIT_MAX_RANK] = {0};

    for (gsize done = 0; done < count; done += n) {
        if (step == 1)
            memcpy(out + done, x, n * sizeof(real));
        for (gsize j = 0; step != 1 && j < n; j++)
            out[done + j] = x[j * step];
        for (guint k = last; k-- > 0;) {
            x += stride[k];
            if (++index[k] < shape->size[k])
                break;
            x -= stride[k] * shape->size[k];
            index[k] = 0;
        }
    }
}

/* Whether the first axes of three change places with the others as one: [lines][columns] becomes
 * [columns][lines]. */
static gboolean
is_plane(const AditShape *from, const guint *axes, gsize *lines, gsize *columns)
{
    guint turn = axes[0];

    if (from->rank != 3 || turn == 0 || axes[1] != (turn + 1) % 3)
        return FALSE;
    *lines = turn == 1 ? from->size[0] : from->size[0] * from->size[1];
    *columns = turn == 1 ? from->size[1] * from->size[2] : from->size[2];
    return TRUE;
}

static void
transpose_plane(const real *x, gsize lines, gsize columns, real *out)
{
    for (gsize i = 0; i < lines; i += LANES) {
        gsize n = MIN(lines - i, LANES);

        for (gsize j = 0; j < columns; j += LANES)
            transpose_block(x + i * columns + j, columns, n, MIN(columns - j, LANES),
                            out + j * lines + i, lines, n);
    }
}

void
ADIT_KERNEL(transpose)(const AditKernelCall *call)
{
    const AditTransposeAttributes *attributes = call->attributes;
    const AditShape *from = &call->inputs[0].shape;
    gsize rows = call->output.rows ? call->rows : 1;
    gsize contiguous[ADIT_MAX_RANK], stride[ADIT_MAX_RANK], lines = 0, columns = 0;
    gboolean plane = is_plane(from, attributes->axes, &lines, &columns);

    for (guint k = from->rank, n = 1; k-- > 0; n *= from->size[k])
        contiguous[k] = n;
    for (guint k = 0; k < from->rank; k++)
        stride[k] = contiguous[attributes->axes[k]];
    for (gsize r = 0; r < rows; r++) {
        real *out = (real *) call->output.data + r * call->output.count;

        if (plane)
            transpose_plane(call_row(call, 0, r), lines, columns, out);
        else if (from->rank == 0)
            *out = *call_row(call, 0, r);
        else
            transpose_row(&call->output.shape, stride, call_row(call, 0, r), out);
    }
}

void
ADIT_KERNEL(concat)(const AditKernelCall *call)
{
    const AditConcatAttributes *attributes = call->attributes;
    gsize rows = call->output.rows ? call->rows : 1;
    gsize line = call->output.shape.size[attributes->axis] * attributes->inner;
    gsize outer = call->output.count / line;
    gsize begin = 0;

    for (guint i = 0; i < call->n_inputs; i++) {
        gsize part = call->inputs[i].shape.size[attributes->axis] * attributes->inner;

        for (gsize r = 0; r < rows; r++) {
            const real *x = call_row(call, i, r);
            real *out = (real *) call->output.data + r * call->output.count + begin;

            for (gsize o = 0; o < outer; o++)
                memcpy(out + o * line, x + o * part, part * sizeof(real));
        }
        begin += part;
    }
}

/* Without rows a slice or its padding is one row: the input has the output's rows. */
void
ADIT_KERNEL(slice)(const AditKernelCall *call)
{
    const AditSliceAttributes *t = call->attributes;
    gsize outer = call_count(call) / (t->size * t->inner);
    const real *x = (const real *) call->inputs[0].data + t->begin * t->inner;
    real *out = call->output.data;

    for (gsize o = 0; o < outer; o++) {
        for (gsize i = 0; i < t->size; i++) {
            memcpy(out, x + i * t->stride * t->inner, t->inner * sizeof(real));
            out += t->inner;
        }
        x += t->full * t->inner;
    }
}

void
ADIT_KERNEL(pad)(const AditKernelCall *call)
{
    const AditSliceAttributes *t = call->attributes;
    gsize n = call_count(call), outer = n / (t->full * t->inner);
    const real *x = call->inputs[0].data;
    real *out = call->output.data;

    for (gsize i = 0; i < n; i++)
        out[i] = K(t->value);
    out += t->begin * t->inner;
    for (gsize o = 0; o < outer; o++) {
        for (gsize i = 0; i < t->size; i++) {
            memcpy(out + i * t->stride * t->inner, x, t->inner * sizeof(real));
            x += t->inner;
        }
        out += t->full * t->inner;
    }
}
