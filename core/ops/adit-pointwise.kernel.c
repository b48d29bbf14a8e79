/* core/ops/adit-pointwise.kernel.c - SPDX-License-Identifier: MIT */
#include <tgmath.h>

#include "adit-kernel.h"

/**
 * Plane: @m lines of @n elements each. The output moves on by @step elements a line, input i by
 * outer[i] elements a line and by inner[i], 0 or 1, an element.
 */
typedef struct {
    gsize m, n;
    real *out;
    gsize step;
    const real *in[3];
    gsize outer[3];
    gsize inner[3];
    real p;
} Plane;

typedef void (*PlaneFunc)(const Plane *plane);

/* Operands: up to three inputs, and the output as the last. */
#define OUTPUT     3
#define N_OPERANDS 4

/* Axes of the call, innermost first, those that all operands walk alike joined into one. */
typedef struct {
    guint n;
    gsize size[ADIT_MAX_RANK + 1];
    gsize stride[N_OPERANDS][ADIT_MAX_RANK + 1];
} Axes;

/* Puts an axis around the others. */
static void
axes_add(Axes *axes, gsize size, const gsize *stride)
{
    gboolean joins = axes->n > 0;

    if (size == 1)
        return;
    for (guint i = 0; i < N_OPERANDS && joins; i++)
        joins = stride[i] == axes->stride[i][axes->n - 1] * axes->size[axes->n - 1];
    if (joins) {
        axes->size[axes->n - 1] *= size;
        return;
    }
    axes->size[axes->n] = size;
    for (guint i = 0; i < N_OPERANDS; i++)
        axes->stride[i][axes->n] = stride[i];
    axes->n++;
}

static const AditView *
get_operand(const AditKernelCall *call, guint i)
{
    return i == OUTPUT ? &call->output : &call->inputs[i];
}

/* Rows are the outermost axis, or, of pitched operands, the innermost. */
static void
axes_init(Axes *axes, const AditKernelCall *call)
{
    const AditShape *shape = &call->output.shape;
    gsize pitch = call->output.rows ? call->pitch : 0;
    gsize contiguous[N_OPERANDS], stride[N_OPERANDS] = {0}, rows[N_OPERANDS] = {0};

    axes->n = 0;
    for (guint i = 0; i < N_OPERANDS; i++) {
        const AditView *view = get_operand(call, i);

        contiguous[i] = 1;
        if (i >= call->n_inputs && i != OUTPUT)
            continue;
        if (view->rows && pitch != 0)
            contiguous[i] = pitch;
        if (view->rows)
            rows[i] = pitch != 0 ? 1 : view->count;
    }
    if (pitch != 0)
        axes_add(axes, call_line(call), rows);
    for (guint k = 1; k <= shape->rank; k++) {
        for (guint i = 0; i < N_OPERANDS; i++) {
            const AditShape *in = &get_operand(call, i)->shape;
            gsize size = k <= in->rank ? in->size[in->rank - k] : 1;

            if (i >= call->n_inputs && i != OUTPUT)
                continue;
            stride[i] = size == 1 ? 0 : contiguous[i];
            contiguous[i] *= size;
        }
        axes_add(axes, shape->size[shape->rank - k], stride);
    }
    if (pitch == 0)
        axes_add(axes, call->output.rows ? call->rows : 1, rows);
}

/* Numbers of the long lines that short ones are put together to. */
#define LONG_LINE 256

/* Runs a plane of short lines, a bias of a thin layer added to every row, as one of long lines:
 * what is the same for every line is written out a few times. FALSE: it is not of this kind. */
static gboolean
run_long_lines(const Plane *plane, guint n_inputs, PlaneFunc function)
{
    real repeated[3][LONG_LINE];
    gsize n = plane->n, lines = LONG_LINE / MAX(n, 1);
    Plane whole = *plane, rest;

    if (lines < 4 || plane->m < lines || plane->step != n)
        return FALSE;
    for (guint i = 0; i < n_inputs; i++) {
        if (plane->outer[i] != 0 && (plane->inner[i] != 1 || plane->outer[i] != n))
            return FALSE;
    }
    whole.m = plane->m / lines;
    whole.n = whole.step = lines * n;
    for (guint i = 0; i < n_inputs; i++) {
        whole.outer[i] *= lines;
        if (plane->outer[i] != 0 || plane->inner[i] == 0)
            continue;
        memcpy(repeated[i], plane->in[i], n * sizeof(real));
        for (gsize done = n; done < whole.n; done *= 2)
            memcpy(repeated[i] + done, repeated[i], MIN(done, whole.n - done) * sizeof(real));
        whole.in[i] = repeated[i];
    }
    function(&whole);

    rest = whole;
    rest.m = 1;
    rest.n = rest.step = plane->m % lines * n;
    rest.out += whole.m * whole.n;
    for (guint i = 0; i < n_inputs; i++)
        rest.in[i] += whole.m * whole.outer[i];
    function(&rest);
    return TRUE;
}

/* Calls @function for every plane of the innermost two axes. */
static void
run_axes(const Axes *axes, guint n_inputs, Plane *plane, PlaneFunc function)
{
    gsize index[ADIT_MAX_RANK + 1] = {0};

    plane->n = axes->n > 0 ? axes->size[0] : 1;
    plane->m = axes->n > 1 ? axes->size[1] : 1;
    plane->step = axes->n > 1 ? axes->stride[OUTPUT][1] : plane->n;
    for (guint i = 0; i < n_inputs; i++) {
        plane->inner[i] = axes->n > 0 ? axes->stride[i][0] : 0;
        plane->outer[i] = axes->n > 1 ? axes->stride[i][1] : 0;
    }
    for (;;) {
        guint k = 2;

        if (!run_long_lines(plane, n_inputs, function))
            function(plane);
        for (; k < axes->n; k++) {
            gboolean wraps = ++index[k] == axes->size[k];
            gssize steps = wraps ? -(gssize) (axes->size[k] - 1) : 1;

            plane->out += steps * (gssize) axes->stride[OUTPUT][k];
            for (guint i = 0; i < n_inputs; i++)
                plane->in[i] += steps * (gssize) axes->stride[i][k];
            if (!wraps)
                break;
            index[k] = 0;
        }
        if (k >= axes->n)
            return;
    }
}

/* Pitched operands of as many elements a row, or of one: lines of rows. FALSE: it is not of this
 * kind. */
static gboolean
set_pitched_lines(Plane *plane, const AditKernelCall *call)
{
    gsize pitch = call->pitch, count = call->output.count;

    for (guint i = 0; i < call->n_inputs; i++) {
        const AditView *in = &call->inputs[i];

        if (in->count != count && in->count != 1)
            return FALSE;
        plane->inner[i] = in->rows ? 1 : 0;
        plane->outer[i] = in->count == count ? (in->rows ? pitch : 1) : 0;
    }
    plane->m = count;
    plane->n = call_line(call);
    plane->step = pitch;
    return TRUE;
}

static void
run_unlike(const AditKernelCall *call, Plane *plane, PlaneFunc function)
{
    Axes axes;

    if (call->pitch != 0 && call->output.rows && set_pitched_lines(plane, call)) {
        function(plane);
        return;
    }
    axes_init(&axes, call);
    run_axes(&axes, call->n_inputs, plane, function);
}

/* Elements of the output where it and operands like it are one line; 0: they are several. */
ADIT_ALWAYS_INLINE gsize
count_line(const AditKernelCall *call)
{
    gsize count = call->output.count;

    if (!call->output.rows)
        return count;
    if (call->pitch == 0)
        return count * call->rows;
    return call->pitch == call_line(call) ? count * call->pitch : 0;
}

ADIT_ALWAYS_INLINE void
run(const AditKernelCall *call, guint arity, PlaneFunc function)
{
    Plane plane;
    gboolean alike = TRUE;

    plane.m = 1;
    plane.n = plane.step = count_line(call);
    plane.out = call->output.data;
    for (guint i = 0; i < arity; i++) {
        const AditView *in = &call->inputs[i];

        plane.in[i] = in->data;
        plane.inner[i] = 1;
        plane.outer[i] = 0;
        alike = alike && in->count == call->output.count &&
                (in->rows == call->output.rows || (call->rows == 1 && call->pitch == 0));
    }
    if (call->attributes != NULL)
        plane.p = K(((const AditPointwiseAttributes *) call->attributes)->value);
    if (alike && plane.n > 0)
        function(&plane);
    else
        run_unlike(call, &plane, function);
}

/* One line; the strides are constants where it is called, so that each case becomes a vector loop.
 */
#define LINE_1(symbol, value)                                                                      \
    ADIT_ALWAYS_INLINE void symbol##_line(const Plane *t, gsize i, gsize sa)                       \
    {                                                                                              \
        real *restrict out = t->out + i * t->step;                                                 \
        const real *restrict pa = t->in[0] + i * t->outer[0];                                      \
        const real p G_GNUC_UNUSED = t->p;                                                         \
        for (gsize j = 0, n = t->n; j < n; j++) {                                                  \
            real a = pa[j * sa];                                                                   \
            out[j] = value;                                                                        \
        }                                                                                          \
    }                                                                                              \
    static void symbol##_plane(const Plane *t)                                                     \
    {                                                                                              \
        for (gsize i = 0; i < t->m; i++) {                                                         \
            if (t->inner[0] == 1)                                                                  \
                symbol##_line(t, i, 1);                                                            \
            else                                                                                   \
                symbol##_line(t, i, 0);                                                            \
        }                                                                                          \
    }

#define LINE_2(symbol, value)                                                                      \
    ADIT_ALWAYS_INLINE void symbol##_line(const Plane *t, gsize i, gsize sa, gsize sb)             \
    {                                                                                              \
        real *restrict out = t->out + i * t->step;                                                 \
        const real *restrict pa = t->in[0] + i * t->outer[0];                                      \
        const real *restrict pb = t->in[1] + i * t->outer[1];                                      \
        const real p G_GNUC_UNUSED = t->p;                                                         \
        for (gsize j = 0, n = t->n; j < n; j++) {                                                  \
            real a = pa[j * sa];                                                                   \
            real b = pb[j * sb];                                                                   \
            out[j] = value;                                                                        \
        }                                                                                          \
    }                                                                                              \
    static void symbol##_plane(const Plane *t)                                                     \
    {                                                                                              \
        for (gsize i = 0; i < t->m; i++) {                                                         \
            if (t->inner[0] == 1 && t->inner[1] == 1)                                              \
                symbol##_line(t, i, 1, 1);                                                         \
            else if (t->inner[0] == 1)                                                             \
                symbol##_line(t, i, 1, 0);                                                         \
            else                                                                                   \
                symbol##_line(t, i, 0, t->inner[1]);                                               \
        }                                                                                          \
    }

#define LINE_3(symbol, value)                                                                      \
    ADIT_ALWAYS_INLINE void symbol##_line(const Plane *t, gsize i, gsize sa, gsize sb, gsize sc)   \
    {                                                                                              \
        real *restrict out = t->out + i * t->step;                                                 \
        const real *restrict pa = t->in[0] + i * t->outer[0];                                      \
        const real *restrict pb = t->in[1] + i * t->outer[1];                                      \
        const real *restrict pc = t->in[2] + i * t->outer[2];                                      \
        for (gsize j = 0, n = t->n; j < n; j++) {                                                  \
            real a = pa[j * sa];                                                                   \
            real b = pb[j * sb];                                                                   \
            real c = pc[j * sc];                                                                   \
            out[j] = value;                                                                        \
        }                                                                                          \
    }                                                                                              \
    static void symbol##_plane(const Plane *t)                                                     \
    {                                                                                              \
        for (gsize i = 0; i < t->m; i++) {                                                         \
            if (t->inner[0] == 1 && t->inner[1] == 1 && t->inner[2] == 1)                          \
                symbol##_line(t, i, 1, 1, 1);                                                      \
            else                                                                                   \
                symbol##_line(t, i, t->inner[0], t->inner[1], t->inner[2]);                        \
        }                                                                                          \
    }

#define ADIT_POINTWISE(symbol, name, arity, parameters, value, glsl, ...)                          \
    LINE_##arity(symbol, value) void ADIT_KERNEL(symbol)(const AditKernelCall *call)               \
    {                                                                                              \
        run(call, arity, symbol##_plane);                                                          \
    }
#include "adit-pointwise.def"
