/* tests/core/tool/test-check.c - SPDX-License-Identifier: MIT */
#include "command.h"

static void
assert_refused(const Command *command, int code, const char *message)
{
    assert_code(command, code);
    g_assert_cmpstr(command->out, ==, "");
    g_assert_cmpstr(command->err, ==, message);
}

static void
test_good(void)
{
    g_auto(Command) command = RUN("check", "first.yaml");
    g_auto(Command) deeper = RUN("check", "first.yaml", "depth=200", "-o", "train.epochs=5");

    assert_code(&command, 0);
    g_assert_cmpstr(command.out, ==,
                    "first.yaml: ok: 1,482 parameters, 20 blocks, input 2, output 2; nothing was "
                    "started\n");
    g_assert_cmpstr(command.err, ==, "");
    assert_contains(deeper.out, "ok: 14,442 parameters, 200 blocks");
    command_write("bare.yaml", "adit: 1\nmodel: {head: {dense: {units: 2}}}\n");
    g_auto(Command) bare = RUN("check", "bare.yaml");
    g_auto(Command) run = RUN("run", "bare.yaml");
    g_auto(Command) folder = RUN("check", ".");

    g_assert_cmpstr(bare.out, ==,
                    "bare.yaml: ok: without 'data' no shape is known; nothing was started\n");
    assert_code(&run, 2);
    assert_contains(run.err, "bare.yaml has no section 'train'");
    assert_code(&folder, 2);
    assert_contains(folder.err, "'.' is a folder, not a pipeline");
}

/* LANGUAGE section 6, rows 23 to 25: an argument counts from the program's name, which is 0,
 * whatever options stand between. */
static void
test_arguments(void)
{
    g_auto(Command) name = RUN("run", "first.yaml", "dept=3");
    g_auto(Command) type = RUN("run", "first.yaml", "depth=ten");
    g_auto(Command) path = RUN("run", "first.yaml", "-o", "train.optimizer.sgd.lr=0.1");
    g_auto(Command) behind = RUN("run", "--threads", "1", "first.yaml", "-q", "dept=3");

    assert_refused(&name, 2,
                   "command-line:3:1: error: no parameter 'dept' in first.yaml; did you mean "
                   "'depth'?\n"
                   "    1 | dept: 3\n"
                   "      | ^~~~ did you mean 'depth'?\n"
                   "1 error. Nothing was started.\n");
    assert_refused(&type, 2,
                   "command-line:3:8: error: 'depth' is an integer (default 20 in first.yaml:3), "
                   "got \"ten\"\n"
                   "    1 | depth: ten\n"
                   "      |        ^~~\n"
                   "first.yaml:3:17: note: its default stands here\n"
                   "1 error. Nothing was started.\n");
    assert_refused(&path, 2,
                   "command-line:4:1: error: 'train.optimizer' is 'adam' (first.yaml:16), not "
                   "'sgd'\n"
                   "    1 | train.optimizer.sgd.lr: 0.1\n"
                   "      | ^~~~~~~~~~~~~~~~~~~~~~\n"
                   "1 error. Nothing was started.\n");
    g_assert_true(g_str_has_prefix(behind.err, "command-line:6:1: error: no parameter 'dept'"));
}

/* Row 28: missing data has its own exit code and stands where the path was written. */
static void
test_missing_data(void)
{
    g_auto(Command) command = RUN("check", "values.yaml");
    g_auto(Command) file = RUN("check", "nowhere.yaml");

    g_autofree char *told = g_strdup_printf("values.yaml:3:20: error: no file '$data/values.csv'; "
                                            "$data is %s (ADIT_DATA or --data)\n",
                                            command_get_folder());

    assert_code(&command, 3);
    g_assert_true(g_str_has_prefix(command.err, told));
    assert_refused(&file, 3, "adit check: error: no file 'nowhere.yaml'\n");
}

/* Addresses are looked up in the network that was built; each error stands at its address. */
static void
test_addresses(void)
{
    g_auto(Command) probe = RUN("check", "first.yaml", "-o", "probes.1.block-norm.at=trunk.25");
    g_auto(Command) port = RUN("check", "first.yaml", "-o", "probes.1.block-norm.at=head:pre");
    g_auto(Command) l2 = RUN("check", "first.yaml", "-o", "train.regularizers.1.l2.at=trunk.77");
    g_auto(Command) both = RUN("check", "first.yaml", "-o", "train.freeze=[stem, trunk.99]", "-o",
                               "train.rates=[{at: head.4, factor: 2}]");

    assert_refused(&probe, 2,
                   "command-line:4:25: error: nothing is at 'trunk.25'; 'trunk' has 20 items\n"
                   "    1 | probes.1.block-norm.at: trunk.25\n"
                   "      |                         ^~~~~~~~ 'trunk' has 20 items\n"
                   "1 error. Nothing was started.\n");
    assert_contains(port.err, "command-line:4:25: error: 'head' has no ':pre'; it is a 'head'");
    assert_contains(l2.err, "command-line:4:29: error: nothing is at 'trunk.77'");
    assert_code(&both, 2);
    assert_contains(both.err, "command-line:4:22: error: nothing is at 'trunk.99'");
    assert_contains(both.err,
                    "command-line:6:20: error: nothing is at 'head.4'; 'head' has 1 item\n");
    assert_contains(both.err, "2 errors. Nothing was started.\n");
}

static void
test_shapes(void)
{
    g_auto(Command) logits = RUN("check", "first.yaml", "-o", "model.head.1.dense.units=9");
    g_auto(Command) sum =
        RUN("check", "first.yaml", "-o", "model.trunk.blocks+={dense: {units: 3}}");
    g_auto(Command) from = RUN("check", "first.yaml", "-o", "model.from=some/run");

    assert_refused(&logits, 2,
                   "first.yaml:15:9: error: 'cross-entropy' needs 2 logits for the data's 2 "
                   "classes, but the head gives 9\n"
                   "   15 |   loss: cross-entropy\n"
                   "      |         ^~~~~~~~~~~~~\n"
                   "1 error. Nothing was started.\n");
    assert_code(&sum, 2);
    assert_contains(sum.err, "'dense' gives 3, but the running sum is 8; set 'adapt' of 'glonet'");
    assert_code(&from, 3);
    assert_contains(from.err, "command-line:4:13: error: no run, checkpoint or file 'some/run'");
}

static void
test_json(void)
{
    g_auto(Command) good = RUN("check", "first.yaml", "--json");
    g_auto(Command) bad = RUN("check", "first.yaml", "dept=3", "--json");

    assert_code(&good, 0);
    assert_contains(good.out, "\"parameters\" : 1482");
    assert_contains(good.out, "\"ok\" : true");
    assert_code(&bad, 2);
    assert_contains(bad.out, "\"ok\" : false");
    assert_contains(bad.out, "\"command-line:3:1: error: no parameter 'dept' in first.yaml; did "
                             "you mean 'depth'?\"");
    assert_contains(bad.err, "1 error. Nothing was started.\n");
}

/* The resolved pipeline stands alone: nothing in it is left to bind. */
static void
test_config(void)
{
    g_auto(Command) plain = RUN("config", "first.yaml");
    g_autofree char *written = command_read("first.yaml");
    g_auto(Command) resolved = RUN("config", "first.yaml", "--resolved", "depth=7");

    assert_code(&plain, 0);
    g_assert_cmpstr(plain.out, ==, written);
    assert_code(&resolved, 0);
    assert_lacks(resolved.out, "$");
    assert_contains(resolved.out, "times: 7\n");
    assert_contains(resolved.out, "beta1: 0.9");
    command_write("resolved.yaml", resolved.out);
    g_auto(Command) check = RUN("check", "resolved.yaml");

    assert_contains(check.out, "7 blocks");
}

static void
test_augment(void)
{
    g_auto(Command) dense =
        RUN("check", "first.yaml", "-o", "data.moons.augment=[{dense: {units: 2}}]");
    g_auto(Command) dropout =
        RUN("check", "first.yaml", "-o", "data.moons.augment=[{dropout: {rate: 0.1}}]");
    /* the network is one for both */
    g_auto(Command) shapes =
        RUN("check", "first.yaml", "-o", "data.moons.augment=[{reshape: {shape: [1, 2]}}]");

    assert_code(&dense, 2);
    assert_contains(dense.err, "error: what augments the data cannot have parameters\n");
    assert_code(&shapes, 2);
    assert_contains(shapes.err, "error: 'augment' gives 1x2, but 'eval-augment' 2; both must give "
                                "one shape\n");
    assert_code(&dropout, 0);
}

/* A split that is right is not suggested in its own place. */
static void
test_best(void)
{
    g_auto(Command) command = RUN("check", "first.yaml", "-o", "train.best=test.more.loss");

    assert_code(&command, 2);
    assert_contains(command.err, "(test.loss), got \"test.more.loss\"\n");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tool/check/good", test_good);
    g_test_add_func("/tool/check/augment", test_augment);
    g_test_add_func("/tool/check/best", test_best);
    g_test_add_func("/tool/check/arguments", test_arguments);
    g_test_add_func("/tool/check/missing-data", test_missing_data);
    g_test_add_func("/tool/check/addresses", test_addresses);
    g_test_add_func("/tool/check/shapes", test_shapes);
    g_test_add_func("/tool/check/json", test_json);
    g_test_add_func("/tool/check/config", test_config);
    int result = g_test_run();

    command_remove_folder();
    return result;
}
