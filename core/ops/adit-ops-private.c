/* core/ops/adit-ops-private.c - SPDX-License-Identifier: MIT */
#include "adit-ops-private.h"

gboolean
adit_infer_fail(GError **error, const AditTensor *got, const char *format, ...)
{
    g_autofree char *shape = adit_shape_to_string(adit_tensor_get_shape(got));
    g_autofree char *message = NULL;
    va_list args;

    va_start(args, format);
    message = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID, "%s, got %s%s", message, shape,
                adit_tensor_has_rows(got) ? "" : " without rows");
    return FALSE;
}

/* Whether @other broadcasts into @shape or the other way round; if so @shape is their common shape.
 */
static gboolean
join(AditShape *shape, const AditShape *other)
{
    AditShape joined = {.rank = MAX(shape->rank, other->rank)};

    for (guint i = 1; i <= joined.rank; i++) {
        gsize a = i <= shape->rank ? shape->size[shape->rank - i] : 1;
        gsize b = i <= other->rank ? other->size[other->rank - i] : 1;

        if (a != b && a != 1 && b != 1)
            return FALSE;
        joined.size[joined.rank - i] = a == 1 ? b : a;
    }
    *shape = joined;
    return TRUE;
}

gboolean
adit_infer_broadcast(const char *name, AditTensor *const *inputs, guint n_inputs, AditShape *shape,
                     GError **error)
{
    *shape = ADIT_SCALAR;
    for (guint i = 0; i < n_inputs; i++) {
        const AditShape *other = adit_tensor_get_shape(inputs[i]);

        if (!join(shape, other)) {
            g_autofree char *got = adit_shape_to_string(shape);
            g_autofree char *wanted = adit_shape_to_string(other);

            g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID, "cannot %s %s and %s", name, got,
                        wanted);
            return FALSE;
        }
    }
    return TRUE;
}

gboolean
adit_resolve_axis(AditTensor *x, const char *name, int axis, guint *resolved)
{
    const AditShape *shape = adit_tensor_get_shape(x);
    int rank = (int) shape->rank;

    if (axis < -rank || axis >= rank) {
        g_autofree char *text = adit_shape_to_string(shape);

        adit_graph_fail(adit_tensor_get_graph(x), "%s: axis %d is not one of the %d axes of %s",
                        name, axis, rank, text);
        return FALSE;
    }
    *resolved = (guint) (axis < 0 ? axis + rank : axis);
    return TRUE;
}

guint
adit_channel_axis(const AditShape *shape)
{
    return shape->rank == 3 || shape->rank == 0 ? 0 : shape->rank - 1;
}

gsize
adit_inner_count(const AditShape *shape, guint axis)
{
    gsize count = 1;

    for (guint i = axis + 1; i < shape->rank; i++)
        count *= shape->size[i];
    return count;
}

/* The axes of @x along which something of shape @like was repeated. */
static guint
list_repeated(const AditShape *shape, const AditShape *like, int *axes)
{
    guint n = 0;

    for (guint i = 0; i < shape->rank; i++) {
        guint missing = shape->rank > like->rank ? shape->rank - like->rank : 0;
        gboolean is_missing = i < missing;

        if (is_missing || (like->size[i - missing] == 1 && shape->size[i] != 1))
            axes[n++] = (int) i;
    }
    return n;
}

AditTensor *
adit_sum_to(AditTensor *dy, AditTensor *like)
{
    const AditShape *target = adit_tensor_get_shape(like);
    int axes[ADIT_MAX_RANK];
    guint n;

    if (adit_tensor_has_failed(dy) || adit_tensor_has_failed(like))
        return dy;
    /* axes first: what is left of a row is small */
    n = list_repeated(adit_tensor_get_shape(dy), target, axes);
    if (n > 0)
        dy = adit_reduce(dy, ADIT_REDUCE_SUM, axes, n);
    if (adit_tensor_has_rows(dy) && !adit_tensor_has_rows(like))
        dy = adit_reduce_rows(dy, ADIT_REDUCE_SUM);
    if (adit_shape_count(adit_tensor_get_shape(dy)) == adit_shape_count(target))
        dy = adit_reshape(dy, target);
    else
        dy = adit_broadcast(dy, target);
    if (adit_tensor_has_rows(like) && !adit_tensor_has_rows(dy))
        dy = adit_broadcast_rows(dy);
    return dy;
}

void
adit_gradient_zero(AditTensor *y, AditTensor *dy, AditTensor *const *inputs, AditTensor **dx)
{
}
