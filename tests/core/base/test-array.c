/* tests/core/base/test-array.c - SPDX-License-Identifier: MIT */
#include "adit-array-private.h"

#include <adit/adit-error.h>

static void
test_new_is_zero(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AditArray) array = adit_array_new(ADIT_TYPE_CODE_F32, &ADIT_SHAPE(2, 3), 4, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(array->rows, ==, 4);
    for (gsize i = 0; i < 24; i++)
        g_assert_true(adit_array_get(array, i) == 0);
}

static void
test_append(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AditArray) array = adit_array_new(ADIT_TYPE_CODE_I32, &ADIT_SHAPE(2), 1, &error);

    for (gint32 i = 1; i < 1000; i++)
        g_assert_true(adit_array_append(array, ((gint32[]){i, -i}), &error));
    g_assert_cmpuint(array->rows, ==, 1000);
    for (gsize i = 0; i < 1000; i++) {
        g_assert_true(adit_array_get(array, 2 * i) == (double) i);
        g_assert_true(adit_array_get(array, 2 * i + 1) == -(double) i);
    }
}

static void
test_scale(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AditArray) array = adit_array_new(ADIT_TYPE_CODE_U8, &ADIT_SCALAR, 0, &error);
    g_autoptr(AditArray) other = adit_array_ref(array);

    array->scale = 1.0 / 255.0;
    g_assert_true(adit_array_append(array, ((guint8[]){51}), &error));
    g_assert_cmpint((int) (adit_array_get(other, 0) * 1e6 + 0.5), ==, 200000);
}

static void
assert_too_large(const AditShape *shape, gsize rows, const char *message)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AditArray) array = adit_array_new(ADIT_TYPE_CODE_F64, shape, rows, &error);

    g_assert_null(array);
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_MEMORY);
    g_assert_cmpstr(error->message, ==, message);
}

static void
test_too_large(void)
{
    assert_too_large(&ADIT_SHAPE(28, 28), G_MAXSIZE / 2,
                     "9223372036854775807 rows of 28x28 do not fit into memory");
    assert_too_large(&ADIT_SHAPE(G_MAXSIZE, 4), 1,
                     "1 rows of 18446744073709551615x4 do not fit into memory");
}

static void
test_describes_indices(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AditArray) array = adit_array_new(ADIT_TYPE_CODE_U8, &ADIT_SHAPE(3, 4), 10, &error);
    g_autoptr(AditArray) labels = adit_array_new(ADIT_TYPE_CODE_I32, &ADIT_SCALAR, 10, &error);
    g_autofree char *inner = adit_array_describe_index(array, 2 * 12 + 1 * 4 + 3);
    g_autofree char *label = adit_array_describe_index(labels, 7);

    g_assert_cmpstr(inner, ==, "[2, 1, 3]");
    g_assert_cmpstr(label, ==, "[7]");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/array/new-is-zero", test_new_is_zero);
    g_test_add_func("/base/array/append", test_append);
    g_test_add_func("/base/array/scale", test_scale);
    g_test_add_func("/base/array/too-large", test_too_large);
    g_test_add_func("/base/array/describes-indices", test_describes_indices);
    return g_test_run();
}
