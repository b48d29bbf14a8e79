/* tests/core/device/test-selftest.c - SPDX-License-Identifier: MIT */
#include "adit-selftest-private.h"

static void
assert_well(AditDevice *device, gboolean full)
{
    AditSelftestOptions options = {.full = full};
    g_autoptr(GPtrArray) results = adit_selftest_run(device, &options, NULL, NULL, NULL);
    guint n_runs = 0;

    for (guint i = 0; i < results->len; i++) {
        const AditSelftestResult *result = results->pdata[i];
        g_autofree char *text = adit_selftest_outcome_describe(result->worst);

        n_runs += result->n_runs;
        if (g_getenv("SHOW")) g_test_message("%s: %s", result->kernel, text);
        if (result->form == ADIT_FORM_NONE)
            g_test_message("%s: %s", result->kernel, text);
        if (result->form == ADIT_FORM_NONE)
            g_test_fail();
    }
    g_test_message("%u kernels, %u runs", results->len, n_runs);
}

static void
test_cpu(gconstpointer data)
{
    g_autoptr(AditDevice) device = adit_cpu_device_new(1, FALSE);

    assert_well(device, data != NULL);
}

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/selftest/cpu/quick", NULL, test_cpu);
    g_test_add_data_func("/selftest/cpu/full", "full", test_cpu);
    return g_test_run();
}
