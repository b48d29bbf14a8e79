/* tests/conformance/test-conformance.c - SPDX-License-Identifier: MIT */
#include "conformance.h"

typedef struct {
    const AditPlugin *plugin;
    void (*test)(const AditPlugin *plugin);
} Case;

static void
run_case(gconstpointer data)
{
    const Case *self = data;

    self->test(self->plugin);
}

void
add_device_case(const AditPlugin *plugin, const char *property, void (*test)(const AditPlugin *))
{
    g_autofree char *path =
        g_strdup_printf("/conformance/%s/%s/%s", plugin->kind, plugin->name, property);
    Case *self = g_new(Case, 1);

    *self = (Case){plugin, test};
    g_test_add_data_func_full(path, self, run_case, g_free);
}

void
add_case(const AditPlugin *plugin, const char *property, void (*test)(const AditPlugin *))
{
    if (g_getenv("ADIT_TEST_DEVICE") == NULL)
        add_device_case(plugin, property, test);
}

static void
test_works(const AditPlugin *plugin)
{
    if (plugin->reason != NULL)
        g_test_message("%s: %s", plugin->path, plugin->reason);
    g_assert_null(plugin->reason);
    g_assert_cmpuint(plugin->type, !=, 0);
    g_assert_cmpuint(strlen(plugin->version), >, 0);
    g_assert_cmpuint(strlen(plugin->licence), >, 0);
}

static void
add_plugin(const AditPlugin *plugin)
{
    static const struct {
        const char *kind;
        void (*add)(const AditPlugin *plugin);
    } kinds[] = {
        {"block", add_block},
        {"aggregator", add_aggregator},
        {"loss", add_loss},
        {"regularizer", add_regularizer},
        {"optimizer", add_optimizer},
        {"schedule", add_schedule},
        {"initializer", add_initializer},
        {"strategy", add_strategy},
        {"policy", add_policy},
        {"dataset", add_dataset},
        {"probe", add_probe},
    };

    add_device_case(plugin, "works", test_works);
    if (plugin->reason != NULL)
        return;
    add_described(plugin);
    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (g_str_equal(kinds[i].kind, plugin->kind))
            kinds[i].add(plugin);
    }
}

/* A walk over nothing would pass. */
static void
test_registry(void)
{
    g_assert_cmpuint(adit_registry_load_all(adit_registry_get())->len, >, 0);
}

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    const GPtrArray *plugins = adit_registry_load_all(adit_registry_get());
    g_test_add_func("/conformance/registry", test_registry);
    for (guint i = 0; i < plugins->len; i++)
        add_plugin(plugins->pdata[i]);
    return g_test_run();
}
