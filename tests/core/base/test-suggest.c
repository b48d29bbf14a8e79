/* tests/core/base/test-suggest.c - SPDX-License-Identifier: MIT */
#include "adit-suggest.h"

#define SUGGEST(word, ...)                                                                         \
    adit_suggest(word, (const char *const[]){__VA_ARGS__},                                         \
                 G_N_ELEMENTS(((const char *const[]){__VA_ARGS__})))

static void
test_typing_errors(void)
{
    g_assert_cmpstr(SUGGEST("trian", "model", "train", "data"), ==, "train");
    g_assert_cmpstr(SUGGEST("dept", "depth", "width"), ==, "depth");
    g_assert_cmpstr(SUGGEST("Dense", "dense", "relu"), ==, "dense");
    g_assert_cmpstr(SUGGEST("lerning-rtae", "momentum", "learning-rate"), ==, "learning-rate");
    g_assert_cmpstr(SUGGEST("lr2", "lr", "decay"), ==, "lr");
}

static void
test_nearest(void)
{
    g_assert_cmpstr(SUGGEST("step", "stop", "steps", "stem"), ==, "stop");
    g_assert_cmpstr(SUGGEST("glonett", "glorot", "glonet"), ==, "glonet");
    g_assert_cmpstr(SUGGEST("best.test.acc", "best.test.loss", "best.test.accuracy"), ==,
                    "best.test.accuracy");
}

static void
test_too_far(void)
{
    g_assert_null(SUGGEST("happiness", "mse", "mae"));
    g_assert_null(SUGGEST("a", "b", "c"));
    g_assert_null(SUGGEST("", "b"));
    g_assert_null(adit_suggest("word", NULL, 0));
    g_assert_null(SUGGEST("relu", "tanh", "gelusil"));
}

static void
test_long_words(void)
{
    g_autofree char *word = g_strnfill(100000, 'a');

    g_assert_null(SUGGEST(word, "a", "aa"));
    g_assert_null(SUGGEST("a", word));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/suggest/typing-errors", test_typing_errors);
    g_test_add_func("/base/suggest/nearest", test_nearest);
    g_test_add_func("/base/suggest/too-far", test_too_far);
    g_test_add_func("/base/suggest/long-words", test_long_words);
    return g_test_run();
}
