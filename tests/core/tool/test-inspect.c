/* tests/core/tool/test-inspect.c - SPDX-License-Identifier: MIT */
#include "command.h"

static void
test_list(void)
{
    g_auto(Command) all = RUN("inspect");
    g_auto(Command) kind = RUN("inspect", "aggregator");
    g_auto(Command) json = RUN("inspect", "loss", "--json");

    assert_code(&all, 0);
    assert_contains(all.out, "block (");
    assert_contains(all.out, "\n   glonet    Each block is fed the one before it, the head the sum "
                             "of all\n");
    assert_code(&kind, 0);
    g_assert_true(g_str_has_prefix(kind.out, "aggregator (4)\n"));
    assert_lacks(kind.out, "adam");
    assert_code(&json, 0);
    assert_contains(json.out, "\"name\" : \"mse\"");
    assert_lacks(json.out, "adam");
}

static void
test_component(void)
{
    g_auto(Command) dense = RUN("inspect", "dense");
    g_auto(Command) adam = RUN("inspect", "adam");
    g_auto(Command) json = RUN("inspect", "adam", "--json");

    assert_code(&dense, 0);
    assert_contains(dense.out, "block dense: ");
    assert_contains(dense.out, "block-dense.so, version 1.0, licence MIT\n");
    assert_contains(dense.out, "units             width        1..");
    assert_contains(dense.out, "  required  Outputs\n");
    assert_lacks(dense.out, "A live number");
    assert_contains(adam.out, "A live number takes a schedule");
    assert_contains(dense.out, "post|pre");
    assert_contains(adam.out, "lr         number, live  0..");
    assert_contains(json.out, "\"live\" : true");
}

static void
test_ambiguous(void)
{
    g_auto(Command) both = RUN("inspect", "constant");
    g_auto(Command) colon = RUN("inspect", "initializer:constant");
    g_auto(Command) words = RUN("inspect", "schedule", "constant");
    g_auto(Command) missing = RUN("inspect", "glonett");

    assert_code(&both, 2);
    assert_contains(both.err, "'constant' is the name of several components (");
    g_assert_true(g_str_has_prefix(colon.out, "initializer constant: "));
    g_assert_true(g_str_has_prefix(words.out, "schedule constant: "));
    assert_code(&missing, 3);
    g_assert_cmpstr(missing.err, ==,
                    "adit inspect: error: no kind, component or file 'glonett'; did you mean "
                    "'glonet'?\n");
}

/* Parameters and multiply-adds by hand: 2 x 8 + 8 and 2 x 8 for the stem, 8 x 8 + 8 and 8 x 8 for
 * a block, 8 x 2 + 2 and 8 x 2 for the head. */
static void
test_layers(void)
{
    g_auto(Command) command = RUN("inspect", "first.yaml", "--layers", "depth=3");
    g_auto(Command) json = RUN("inspect", "first.yaml", "--layers", "--json");

    assert_code(&command, 0);
    g_assert_cmpstr(command.out, ==,
                    "address  shape  parameters  multiply-adds  ports\n"
                    "input        2           0              0  in collect\n"
                    "stem         8          24             16  in stem.1:linear collect\n"
                    "trunk.1      8          72             64  in linear pre collect\n"
                    "trunk.2      8          72             64  in linear pre collect\n"
                    "trunk.3      8          72             64  in linear pre collect\n"
                    "trunk        8         216            192  in collect\n"
                    "head         2          18             16  in head.1:linear collect\n"
                    "total                  258            224\n");
    assert_contains(json.out, "\"address\" : \"trunk.20\"");
}

/* Weights of a tied repeat are one set; the work is done each time. */
static void
test_tied(void)
{
    g_auto(Command) command =
        RUN("inspect", "first.yaml", "--layers", "-o",
            "model.trunk.blocks=[{repeat: {times: 3, tied: true, blocks: [{dense: {units: 8}}]}}]");

    assert_code(&command, 0);
    assert_contains(command.out, "total                  114            224\n");
}

static void
test_dot(void)
{
    g_auto(Command) command = RUN("inspect", "first.yaml", "--dot");

    assert_code(&command, 0);
    g_assert_true(g_str_has_prefix(command.out, "digraph adit {\n"));
    assert_contains(command.out, "loop of 19");
    g_assert_true(g_str_has_suffix(command.out, "}\n"));
}

static void
test_broken(void)
{
    g_autofree char *modules = command_make_path("modules");
    g_autofree char *module = command_make_path("modules/block-rotten.so");

    g_assert_cmpint(g_mkdir_with_parents(modules, 0777), ==, 0);
    g_assert_true(g_file_set_contents(module, "no module", -1, NULL));
    g_setenv("ADIT_PLUGIN_PATH", modules, TRUE);
    g_auto(Command) list = RUN("inspect");
    g_auto(Command) broken = RUN("inspect", "--broken");
    g_auto(Command) one = RUN("inspect", "rotten");

    g_unsetenv("ADIT_PLUGIN_PATH");
    assert_code(&list, 0);
    assert_contains(list.err, "1 broken plugin: adit inspect --broken\n");
    assert_code(&broken, 0);
    assert_contains(broken.out, "block-rotten.so: ");
    assert_code(&one, 12);
    assert_contains(one.err, "block-rotten.so is broken: ");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tool/inspect/list", test_list);
    g_test_add_func("/tool/inspect/component", test_component);
    g_test_add_func("/tool/inspect/ambiguous", test_ambiguous);
    g_test_add_func("/tool/inspect/layers", test_layers);
    g_test_add_func("/tool/inspect/tied", test_tied);
    g_test_add_func("/tool/inspect/dot", test_dot);
    g_test_add_func("/tool/inspect/broken", test_broken);
    int result = g_test_run();

    command_remove_folder();
    return result;
}
