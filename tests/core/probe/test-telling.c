/* tests/core/probe/test-telling.c - SPDX-License-Identifier: MIT */
#include <math.h>

#include "adit-telling.h"

/* Curves of known shapes, some with the numbers that were published for them, and what is told. */

typedef struct {
    const char *address;
    double value;
} Point;

static char *
tell(AditTellingKind kind, const Point *points, guint n)
{
    const AditTelling telling = {"found", kind};
    const char *const columns[] = {"other", "found", NULL};
    g_autoptr(AditProbeTable) table =
        adit_probe_table_new("probe", "test", g_strdupv((char **) columns));

    table->sentences = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < n; i++) {
        AditProbeRow row = {.data = (char *) "set",
                            .address = (char *) points[i].address,
                            .values =
                                g_memdup2((double[]){-1, points[i].value}, 2 * sizeof(double))};

        adit_probe_table_add(table, &row);
    }
    adit_probe_table_tell(table, &telling);
    g_ptr_array_add(table->sentences, NULL);
    return g_strjoinv("\n", (char **) table->sentences->pdata);
}

#define assert_told(kind, expected, ...)                                                           \
    do {                                                                                           \
        const Point points[] = {__VA_ARGS__};                                                      \
        g_autofree char *told = tell(kind, points, G_N_ELEMENTS(points));                          \
        g_assert_cmpstr(told, ==, expected);                                                       \
    } while (0)

/* It stops rising and stays: a network without skips. */
static void
test_tail(void)
{
    assert_told(ADIT_TELL_PROGRESS,
                "tail: behind trunk.3 (0.86) nothing is better by more than 0.01: 4 of 8 layers\n"
                "no layer is skipped: none falls more than 0.02 below what it is fed",
                {"stem", 0.4}, {"trunk.1", 0.6}, {"trunk.2", 0.8}, {"trunk.3", 0.86},
                {"trunk.4", 0.865}, {"trunk.5", 0.85}, {"trunk.6", 0.86}, {"trunk.7", 0.869},
                {"head", 0.87});
    assert_told(ADIT_TELL_PROGRESS,
                "no tail: trunk.3 (0.8), layer 4 of 4, is the first within 0.01 of the best\n"
                "no layer is skipped: none falls more than 0.02 below what it is fed",
                {"stem", 0.4}, {"trunk.1", 0.6}, {"trunk.2", 0.7}, {"trunk.3", 0.8});
}

/* What residual blocks compute is worse than what they add it to. Rows come by patterns. */
static void
test_zig_zag(void)
{
    assert_told(
        ADIT_TELL_PROGRESS,
        "tail: behind trunk.1 (0.8) nothing is better by more than 0.01: 8 of 10 layers\n"
        "skipped, zig-zag: 5 of 10 layers, in 3 stretches, fall more than 0.02 below what "
        "they are fed, and what follows is back: trunk.2.1:linear to trunk.2.2:linear (0.8, "
        "0.7, 0.805), trunk.3.1:linear to trunk.3.2:linear (0.805, 0.65, 0.8), trunk.4.1 "
        "(0.8, 0.75, 0.81)",
        {"trunk.2.1:linear", 0.75}, {"trunk.2.2:linear", 0.7}, {"trunk.3.1:linear", 0.65},
        {"trunk.3.2:linear", 0.66}, {"trunk.4.1", 0.75}, {"stem", 0.5}, {"trunk.1", 0.8},
        {"trunk.2", 0.805}, {"trunk.3", 0.8}, {"trunk.4", 0.81});
}

/* The last dense block, which the head sees beside what it is fed. */
static void
test_decay(void)
{
    assert_told(
        ADIT_TELL_PROGRESS,
        "tail: behind trunk.10 (0.87) nothing is better by more than 0.01: 3 of 6 layers\n"
        "skipped, decay: from trunk.11.1 on all 3 layers stay more than 0.02 below trunk.10 "
        "(0.87); the last has 0.7",
        {"stem", 0.5}, {"trunk.2", 0.8}, {"trunk.10", 0.87}, {"trunk.11.1", 0.8},
        {"trunk.11.2", 0.75}, {"trunk.11.3", 0.7}, {"head", 0.86});
}

/* MPNet (1: 3x3, 4: 7x7) with one block a stage, as published: the second block's long path. */
static void
test_dominant(void)
{
    assert_told(
        ADIT_TELL_PROGRESS,
        "no tail: trunk.4.1 (0.875), layer 5 of 5, is the first within 0.01 of the best\n"
        "no layer is skipped: none falls more than 0.02 below what it is fed\n"
        "path 'long' is non-dominant in 1 of 4 blocks: it ends more than 0.03 below what it "
        "is fed, and below what others give; most in trunk.2.1: 0.635 to 0.335; behind the "
        "block it is 0.75\n"
        "path 'short' is dominant in 1 of 4 blocks: it advances where others do not\n"
        "paths long, short coexist in 1 of 4 blocks: they end within 0.03 of each other",
        {"stem:linear", 0.38}, {"trunk.1.1.short.1:linear", 0.6}, {"trunk.1.1.long.1:linear", 0.5},
        {"trunk.1.1.long.4:linear", 0.685}, {"trunk.1.1", 0.635},
        {"trunk.2.1.short.1:linear", 0.75}, {"trunk.2.1.long.2:linear", 0.6},
        {"trunk.2.1.long.4:linear", 0.335}, {"trunk.2.1", 0.75}, {"trunk.3.1.short.1:linear", 0.78},
        {"trunk.3.1.long.4:linear", 0.835}, {"trunk.3.1", 0.78}, {"trunk.4.1.short.1:linear", 0.8},
        {"trunk.4.1.long.4:linear", 0.785}, {"trunk.4.1", 0.875}, {"head", 0.8225});
}

/* MPNet (2: 3x3, 2: 7x7): both rise at one pace. A number that is not there says nothing. */
static void
test_coexisting(void)
{
    assert_told(ADIT_TELL_PROGRESS,
                "no tail: trunk.2 (0.74), layer 3 of 3, is the first within 0.01 of the best\n"
                "no layer is skipped: none falls more than 0.02 below what it is fed\n"
                "paths long, short coexist in 2 of 2 blocks: they end within 0.03 of each other",
                {"stem", 0.38}, {"trunk.1.long.1", 0.5}, {"trunk.1.long.2", 0.66},
                {"trunk.1.short.1", 0.6}, {"trunk.1.short.2", 0.65}, {"trunk.1", 0.66},
                {"trunk.2.long.1", (double) NAN}, {"trunk.2.long.2", 0.74},
                {"trunk.2.short.2", 0.73}, {"trunk.2", 0.74}, {"exits.1", 0.1});
}

/* 128 layers beside an empty path; their own address is one of them. */
static void
test_bypass(void)
{
    assert_told(
        ADIT_TELL_PROGRESS,
        "no tail: stem (0.964), layer 1 of 3, is the first within 0.01 of the best\n"
        "no layer is skipped: none falls more than 0.02 below what it is fed\n"
        "path 'through' is non-dominant in 1 of 1 blocks: it ends more than 0.03 below what "
        "it is fed, and below what others give; most in trunk.1: 0.964 to 0.114; behind the "
        "block it is 0.964",
        {"stem", 0.964}, {"trunk.1.through.1", 0.954}, {"trunk.1.through.2", 0.9},
        {"trunk.1.through.10", 0.114}, {"trunk.1.through", 0.114}, {"trunk.1", 0.964},
        {"trunk.2", 0.959});
}

/* A path within a path branches off that one. */
static void
test_nested(void)
{
    assert_told(
        ADIT_TELL_PROGRESS,
        "path 'b' is non-dominant in 1 of 1 blocks: it ends more than 0.03 below what it is "
        "fed, and below what others give; most in trunk.1.a.2: 0.6 to 0.2; behind the block "
        "it is 0.7",
        {"trunk.1.a.1", 0.6}, {"trunk.1.a.2.b.1", 0.2}, {"trunk.1.a.2", 0.7});
}

static void
test_flow(void)
{
    assert_told(ADIT_TELL_FLOW,
                "path 'long' is given less than 'short' in 1 of 2 blocks, 0.5 times as much in the "
                "mean",
                {"trunk.1.long.1", 1e-7}, {"trunk.1.long.2", 3e-7}, {"trunk.1.short.1", 2e-7},
                {"trunk.2.long.1", 1e-7}, {"trunk.2.long.2", 1e-7}, {"trunk.2.short.1", 4e-7});
    assert_told(ADIT_TELL_FLOW,
                "what comes to the first layer, trunk.1, is 0.25 times what comes to the last, "
                "trunk.3",
                {"trunk.1", 1e-7}, {"trunk.2", 3e-7}, {"trunk.3", 4e-7});
}

static void
test_depth(void)
{
    assert_told(
        ADIT_TELL_LEFT,
        "effective depth 3 of 5: what all blocks behind trunk.3:collect add has 0.009 of the "
        "whole, 0.01 at most",
        {"trunk.1:collect", 0.005}, {"trunk.2:collect", 0.02}, {"trunk.3:collect", 0.009},
        {"trunk.4:collect", 0.001}, {"trunk.5:collect", 0});
    assert_told(ADIT_TELL_LEFT,
                "effective depth 1 of 2: what all blocks behind trunk.1:collect add has 0 of the "
                "whole, 0.01 at most",
                {"trunk.1:collect", 0}, {"trunk.2:collect", 0});
    assert_told(ADIT_TELL_LEFT, "", {"trunk.1:collect", (double) NAN});
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/core/probe/telling/tail", test_tail);
    g_test_add_func("/core/probe/telling/zig-zag", test_zig_zag);
    g_test_add_func("/core/probe/telling/decay", test_decay);
    g_test_add_func("/core/probe/telling/dominant", test_dominant);
    g_test_add_func("/core/probe/telling/coexisting", test_coexisting);
    g_test_add_func("/core/probe/telling/bypass", test_bypass);
    g_test_add_func("/core/probe/telling/nested", test_nested);
    g_test_add_func("/core/probe/telling/flow", test_flow);
    g_test_add_func("/core/probe/telling/depth", test_depth);
    return g_test_run();
}
