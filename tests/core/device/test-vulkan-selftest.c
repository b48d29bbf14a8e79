/* tests/core/device/test-vulkan-selftest.c - SPDX-License-Identifier: MIT */
#include "adit-selftest-private.h"
#include "rig.h"

/* All kernels of the device that ADIT_TEST_DEVICE names, in all their forms. */

/* The number of kernels that have a form among @forms. */
static guint
assert_well(AditDevice *device, const AditSelftestOptions *options)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) results = adit_selftest_run(device, options, NULL, NULL, &error);
    guint n_kernels = 0, n_runs = 0;

    g_assert_no_error(error);
    for (guint i = 0; i < results->len; i++) {
        const AditSelftestResult *result = results->pdata[i];

        n_kernels += result->n_runs > 0;
        n_runs += result->n_runs;
        if (result->n_runs == 0 || (result->form != ADIT_FORM_NONE && !result->fell_back))
            continue;
        g_autofree char *text = adit_selftest_outcome_describe(result->worst);

        g_test_message("%s: %s", result->kernel, text);
        g_test_fail();
    }
    g_test_message("%u kernels, %u runs", n_kernels, n_runs);
    return n_kernels;
}

static void
test_quick(void)
{
    AditSelftestOptions options = {.full = FALSE};
    g_autoptr(AditDevice) device = test_device(1);

    assert_well(device, &options);
}

static void
test_form(gconstpointer data)
{
    AditKernelForm form = (AditKernelForm) GPOINTER_TO_UINT(data);
    AditSelftestOptions options = {.full = TRUE, .forms = 1u << form};
    g_autoptr(AditDevice) device = test_device(1);

    /* every kernel has the two that need no subgroups; what joins some may be left out */
    guint n = assert_well(device, &options);

    if (form != ADIT_FORM_SUBGROUP)
        g_assert_cmpuint(n, >=, 96);
}

/* What a Vulkan device has: each kernel is one of these, or what begins every program, or finds the
 * rows that another leaves (tests/core/device/test-sift.c). */
static void
test_covers_all(void)
{
    static const char *const kernels[] = {
#define ADIT_VULKAN_KERNEL(name, shader, kind) name,
#include "adit-vulkan-kernels.def"
    };
    static const char *const no_operations[] = {"begin", "sift", "spread", NULL};
    g_autoptr(GPtrArray) cases = adit_selftest_list_cases(FALSE);

    for (guint i = 0; i < G_N_ELEMENTS(kernels); i++) {
        guint n = g_strv_contains(no_operations, kernels[i]);

        for (guint j = 0; j < cases->len; j++)
            n += g_str_equal(kernels[i], ((const AditSelftestCase *) cases->pdata[j])->kernel);
        if (n == 0)
            g_test_message("no case of '%s'", kernels[i]);
        g_assert_cmpuint(n, >, 0);
    }
}

/* A shader is found by its kernel's name, and pointwise operations share one. */
static void
test_names_once(void)
{
    static const char *const kernels[] = {
#define ADIT_VULKAN_KERNEL(name, shader, kind) name,
#include "adit-vulkan-kernels.def"
#define ADIT_POINTWISE(symbol, name, ...) name,
#include "adit-pointwise.def"
    };
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < G_N_ELEMENTS(kernels); i++)
        g_assert_true(g_hash_table_add(names, (gpointer) kernels[i]));
}

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/vulkan/selftest/covers-all", test_covers_all);
    g_test_add_func("/vulkan/selftest/names-once", test_names_once);
    g_test_add_func("/vulkan/selftest/quick", test_quick);
    for (guint form = ADIT_FORM_SUBGROUP; form < ADIT_FORM_NONE; form++) {
        g_autofree char *path = g_strdup_printf("/vulkan/selftest/%s",
                                                adit_kernel_form_get_name((AditKernelForm) form));

        g_test_add_data_func(path, GUINT_TO_POINTER(form), test_form);
    }
    return g_test_run();
}
