/* tests/core/plugin/test-registry.c - SPDX-License-Identifier: MIT */
#include "adit-registry.h"

#include <glib/gstdio.h>
#include <string.h>

static char *
get_folder(void)
{
    return g_test_build_filename(G_TEST_BUILT, "core", "plugin", NULL);
}

static AditRegistry *
make_registry(void)
{
    g_autofree char *folder = get_folder();

    return adit_registry_new((const char *const[]){"/no/such/folder", folder, NULL});
}

static void
test_kinds(void)
{
    const char *const *kinds = adit_registry_list_kinds();

    g_assert_cmpstr(kinds[0], ==, "block");
    g_assert_cmpuint(g_strv_length((char **) kinds), ==, 11);
    for (; *kinds != NULL; kinds++) {
        AditComponentClass *klass = g_type_class_ref(adit_kind_get_type(*kinds));
        g_assert_cmpstr(klass->kind, ==, *kinds);
        g_type_class_unref(klass);
    }
    g_assert_cmpuint(adit_kind_get_type("blocks"), ==, 0);
}

static void
test_find(void)
{
    g_autoptr(AditRegistry) registry = make_registry();
    g_autoptr(GError) error = NULL;
    GType type = adit_registry_find(registry, "block", "acme:swish", &error);

    g_assert_no_error(error);
    g_assert_cmpstr(g_type_name(type), ==, "AcmeSwish");
    g_assert_true(g_type_is_a(type, ADIT_TYPE_BLOCK));
    g_assert_cmpuint(adit_registry_find(registry, "block", "acme:swish", NULL), ==, type);

    /* its file is the same, its name is not */
    g_assert_cmpuint(adit_registry_find(registry, "block", "acme-swish", &error), ==, 0);
    g_assert_cmpuint(adit_registry_find(registry, "block", "nothing", &error), ==, 0);
    g_assert_cmpuint(adit_registry_find(registry, "loss", "acme:swish", &error), ==, 0);
    g_assert_no_error(error);
}

static void
assert_broken(AditRegistry *registry, const char *kind, const char *name, const char *expected)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *message = g_strdup_printf(
        "plugin %s-%s.so is broken (%s); adit inspect --broken", kind, name, expected);

    g_assert_cmpuint(adit_registry_find(registry, kind, name, &error), ==, 0);
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_PLUGIN);
    g_assert_cmpstr(error->message, ==, message);
}

static void
test_broken(void)
{
    g_autoptr(AditRegistry) registry = make_registry();
    g_autofree char *abi = g_strdup_printf("ABI %u, this program has %u", ADIT_ABI + 2, ADIT_ABI);

    assert_broken(registry, "block", "no-symbol", "no symbol adit_plugin_descriptor");
    assert_broken(registry, "block", "old-abi", abi);
    assert_broken(registry, "block", "other-base", "base AditBlock has another size");
    assert_broken(registry, "block", "misnamed", "it holds 'another', its file says 'misnamed'");
    assert_broken(registry, "block", "two-names", "none of its types is called 'two-names'");
    assert_broken(registry, "loss", "impostor",
                  "its component is of kind block, its file name says loss");
}

static void
test_unresolved(void)
{
    g_autoptr(AditRegistry) registry = make_registry();
    g_autoptr(GError) error = NULL;

    g_assert_cmpuint(adit_registry_find(registry, "block", "unresolved", &error), ==, 0);
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_PLUGIN);
    g_assert_nonnull(strstr(error->message, "nobody_has_this"));
}

static void
test_duplicate_type(void)
{
    g_autoptr(AditRegistry) registry = make_registry();
    g_autoptr(GError) error = NULL;

    g_assert_cmpuint(adit_registry_find(registry, "block", "twin-a", &error), !=, 0);
    g_assert_no_error(error);
    assert_broken(registry, "block", "twin-b", "a type of the same name exists already");
}

static void
test_ops(void)
{
    g_autoptr(AditRegistry) registry = make_registry();

    g_assert_null(adit_registry_find_op(registry, "acme:nothing"));
    g_assert_cmpuint(adit_registry_find(registry, "block", "acme:swish", NULL), !=, 0);
    g_assert_cmpstr(adit_registry_find_op(registry, "acme:nothing")->name, ==, "acme:nothing");
    assert_broken(registry, "block", "acme-thief", "operation 'acme:nothing' exists already");
}

static void
test_list(void)
{
    g_autoptr(AditRegistry) registry = make_registry();
    guint n;
    g_autofree const char **names = adit_registry_list(registry, "block", &n);

    g_assert_cmpuint(n, ==, 2);
    g_assert_cmpstr(names[0], ==, "acme:swish");
    g_assert_cmpstr(names[1], ==, "twin-a");
    g_assert_null(names[2]);
}

static void
test_load_all(void)
{
    g_autoptr(AditRegistry) registry = make_registry();
    const GPtrArray *plugins = adit_registry_load_all(registry);
    guint broken = 0;

    g_assert_cmpuint(plugins->len, ==, 11);
    for (guint i = 0; i < plugins->len; i++) {
        const AditPlugin *plugin = plugins->pdata[i];
        g_assert_true((plugin->type == 0) == (plugin->reason != NULL));
        g_assert_nonnull(plugin->name);
        broken += plugin->reason != NULL ? 1 : 0;
        if (strcmp(plugin->name, "acme:swish") != 0)
            continue;
        g_assert_cmpstr(plugin->kind, ==, "block");
        g_assert_cmpstr(plugin->version, ==, "2.5");
        g_assert_cmpstr(plugin->licence, ==, "Apache-2.0");
    }
    g_assert_cmpuint(broken, ==, 9);
}

static void
test_crash_is_named(void)
{
    if (g_test_subprocess()) {
        g_autofree char *folder =
            g_test_build_filename(G_TEST_BUILT, "core", "plugin", "crash", NULL);
        g_autoptr(AditRegistry) registry = adit_registry_new((const char *const[]){folder, NULL});
        adit_registry_find(registry, "block", "aborts", NULL);
        return;
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_failed();
    g_test_trap_assert_stderr("error: plugin block-aborts.so crashed in its class_init\n");
}

static void
test_first_folder_wins(void)
{
    g_autofree char *folder = get_folder();
    g_autofree char *other = g_dir_make_tmp("adit-plugins-XXXXXX", NULL);
    g_autofree char *file = g_build_filename(other, "block-acme-swish.so", NULL);
    g_autoptr(GError) error = NULL;

    g_assert_true(g_file_set_contents(file, "no module", -1, NULL));
    g_autoptr(AditRegistry) broken_first =
        adit_registry_new((const char *const[]){other, folder, NULL});
    g_autoptr(AditRegistry) good_first =
        adit_registry_new((const char *const[]){folder, other, NULL});
    g_assert_cmpuint(adit_registry_find(good_first, "block", "acme:swish", NULL), !=, 0);
    g_assert_cmpuint(adit_registry_find(broken_first, "block", "acme:swish", &error), ==, 0);
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_PLUGIN);
    g_assert_cmpint(g_remove(file), ==, 0);
    g_assert_cmpint(g_rmdir(other), ==, 0);
}

static void
test_search_path(void)
{
    g_autofree char *folder = get_folder();
    g_autofree char *path = g_strconcat("/no/such/folder:", folder, NULL);

    g_setenv("ADIT_PLUGIN_PATH", path, TRUE);
    AditRegistry *registry = adit_registry_get();
    g_assert_true(registry == adit_registry_get());
    g_assert_cmpuint(adit_registry_find(registry, "block", "acme:swish", NULL), !=, 0);
    /* from ADIT_PLUGIN_SYSTEM_PATH, the folder of the build */
    g_assert_cmpuint(adit_registry_find(registry, "block", "dense", NULL), !=, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/plugin/registry/kinds", test_kinds);
    g_test_add_func("/plugin/registry/find", test_find);
    g_test_add_func("/plugin/registry/broken", test_broken);
    g_test_add_func("/plugin/registry/unresolved", test_unresolved);
    g_test_add_func("/plugin/registry/duplicate-type", test_duplicate_type);
    g_test_add_func("/plugin/registry/ops", test_ops);
    g_test_add_func("/plugin/registry/list", test_list);
    g_test_add_func("/plugin/registry/load-all", test_load_all);
    g_test_add_func("/plugin/registry/crash-is-named", test_crash_is_named);
    g_test_add_func("/plugin/registry/first-folder-wins", test_first_folder_wins);
    g_test_add_func("/plugin/registry/search-path", test_search_path);
    return g_test_run();
}
