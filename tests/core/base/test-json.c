/* tests/core/base/test-json.c - SPDX-License-Identifier: MIT */
#include "adit-json.h"

#include <float.h>
#include <math.h>

static void
test_doubles_keep_their_bits(void)
{
    static const double values[] = {0.0,
                                    -0.0,
                                    1.0,
                                    -1.0,
                                    0.1,
                                    1.0 / 3,
                                    1e22,
                                    1e300,
                                    DBL_MAX,
                                    -DBL_MAX,
                                    DBL_MIN,
                                    4.9406564584124654e-324,
                                    1e-310,
                                    DBL_EPSILON,
                                    123456789.0,
                                    1e17,
                                    9007199254740993.0,
                                    18446744073709551616.0,
                                    2.5e-5,
                                    (double) INFINITY,
                                    (double) -INFINITY};

    for (guint i = 0; i < G_N_ELEMENTS(values); i++) {
        g_autoptr(JsonObject) object = json_object_new();
        g_autoptr(JsonObject) back = NULL;
        g_autoptr(GError) error = NULL;
        g_autofree char *text = NULL;
        double value = 77;

        adit_json_set_double(object, "x", values[i]);
        text = adit_json_to_text(object);
        back = adit_json_parse("test", text, strlen(text), &error);
        g_assert_no_error(error);
        g_assert_true(adit_json_get_double(back, "x", &value));
        g_assert_cmpmem(&value, sizeof(value), &values[i], sizeof(value));
    }
}

static void
test_random_doubles_keep_their_bits(void)
{
    for (guint i = 0; i < 20000; i++) {
        guint64 bits = ((guint64) g_test_rand_int() << 32) | (guint32) g_test_rand_int();
        g_autoptr(JsonObject) object = json_object_new();
        g_autoptr(JsonObject) back = NULL;
        g_autofree char *text = NULL;
        double value, got = 77;

        memcpy(&value, &bits, sizeof(value));
        adit_json_set_double(object, "x", value);
        text = adit_json_to_text(object);
        back = adit_json_parse("test", text, strlen(text), NULL);
        g_assert_nonnull(back);
        g_assert_true(adit_json_get_double(back, "x", &got));
        if (isnan(value))
            g_assert_true(isnan(got));
        else
            g_assert_cmpmem(&got, sizeof(got), &value, sizeof(value));
    }
}

/* Numbers as other programs write them, and what they are. */
static void
test_reads_numbers(void)
{
    static const struct {
        const char *text;
        double value;
    } numbers[] = {{"1e-05", 1e-05},
                   {"1E5", 1e5},
                   {"1e+22", 1e22},
                   {"-0", -0.0},
                   {"2.5e-5", 2.5e-5},
                   {"0.1e1", 1},
                   {"1e999", (double) INFINITY},
                   {"18446744073709551616", 18446744073709551616.0},
                   {"-7", -7}};

    for (guint i = 0; i < G_N_ELEMENTS(numbers); i++) {
        g_autofree char *text = g_strdup_printf("{\"x\":%s}", numbers[i].text);
        g_autoptr(JsonObject) object = adit_json_parse("test", text, strlen(text), NULL);
        double value = 77;

        g_assert_nonnull(object);
        g_assert_true(adit_json_get_double(object, "x", &value));
        g_assert_cmpmem(&value, sizeof(value), &numbers[i].value, sizeof(value));
    }
}

static void
test_unsigned(void)
{
    static const guint64 values[] = {0, 1, G_MAXINT64, (guint64) G_MAXINT64 + 1, G_MAXUINT64};

    for (guint i = 0; i < G_N_ELEMENTS(values); i++) {
        g_autoptr(JsonObject) object = json_object_new();
        g_autoptr(JsonObject) back = NULL;
        g_autofree char *text = NULL;
        guint64 value = 77;

        adit_json_set_unsigned(object, "x", values[i]);
        text = adit_json_to_text(object);
        back = adit_json_parse("test", text, strlen(text), NULL);
        g_assert_true(adit_json_get_unsigned(back, "x", &value));
        g_assert_cmpuint(value, ==, values[i]);
    }
}

static void
test_getters_want_their_type(void)
{
    static const char text[] = "{\"n\":-1,\"t\":\"x\",\"o\":{},\"a\":[],\"z\":null,\"b\":true}";
    g_autoptr(JsonObject) object = adit_json_parse("test", text, strlen(text), NULL);
    static const char *const keys[] = {"t", "o", "a", "z", "b", "missing"};
    guint64 number = 5;
    double value = 5;

    g_assert_nonnull(object);
    for (guint i = 0; i < G_N_ELEMENTS(keys); i++) {
        g_assert_false(adit_json_get_double(object, keys[i], &value));
        g_assert_false(adit_json_get_unsigned(object, keys[i], &number));
        g_assert_true((adit_json_get_text(object, keys[i]) != NULL) == (*keys[i] == 't'));
        g_assert_true((adit_json_get_object(object, keys[i]) != NULL) == (*keys[i] == 'o'));
        g_assert_true((adit_json_get_array(object, keys[i]) != NULL) == (*keys[i] == 'a'));
    }
    g_assert_false(adit_json_get_unsigned(object, "n", &number));
    g_assert_true(adit_json_get_double(object, "n", &value));
    g_assert_true(value < 0);
    g_assert_cmpuint(number, ==, 5);
}

static void
test_refuses(void)
{
    static const char *const texts[] = {"",
                                        " ",
                                        "{",
                                        "}",
                                        "[]",
                                        "1",
                                        "\"a\"",
                                        "null",
                                        "{\"a\":}",
                                        "{\"a\" 1}",
                                        "{'a':1}",
                                        "{\"a\":1} x",
                                        "/* */ {}",
                                        "{\"a\":1 // b\n}",
                                        "{\"a\":nan}",
                                        "{\"a\":\"\xff\"}",
                                        "{\"a\":1",
                                        "{\"a\":\"b",
                                        "{\"a\":\"b\\",
                                        "{,}",
                                        "{\"a\":1,\"a\":2}",
                                        "{\"a\":01}",
                                        "{\"a\":1.}",
                                        "{\"a\":.5}",
                                        "{\"a\":+1}",
                                        "{\"a\":1e}",
                                        "{\"a\":--1}",
                                        "{\"a\":truth}",
                                        "{\"a\":tru",
                                        "{\"a\":1}{\"b\":2}"};

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(JsonObject) object =
            adit_json_parse("x.json", texts[i], strlen(texts[i]), &error);

        g_assert_null(object);
        g_assert_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED);
        g_assert_true(g_str_has_prefix(error->message, "x.json"));
    }
}

static void
test_refuses_deep(void)
{
    static const char *const openings[] = {"[", "{\"a\":"};

    for (guint i = 0; i < G_N_ELEMENTS(openings); i++) {
        g_autoptr(GString) text = g_string_new("{\"a\":");
        g_autoptr(GError) error = NULL;

        while (text->len < 1000000)
            g_string_append(text, openings[i]);
        g_assert_null(adit_json_parse("x.json", text->str, text->len, &error));
        g_assert_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED);
        g_assert_nonnull(strstr(error->message, "at most 32"));
    }
}

static void
test_format(void)
{
    g_autofree char *single = adit_json_format_double((double) 0.1F, 9);
    g_autofree char *wide = adit_json_format_double(0.1, 17);
    g_autofree char *nan = adit_json_format_double((double) NAN, 9);
    g_autofree char *low = adit_json_format_double((double) -INFINITY, 9);

    g_assert_cmpstr(single, ==, "0.100000001");
    g_assert_cmpstr(wide, ==, "0.10000000000000001");
    g_assert_cmpstr(nan, ==, "\"NaN\"");
    g_assert_cmpstr(low, ==, "\"-Infinity\"");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/run/json/doubles-keep-their-bits", test_doubles_keep_their_bits);
    g_test_add_func("/run/json/random-doubles-keep-their-bits",
                    test_random_doubles_keep_their_bits);
    g_test_add_func("/run/json/reads-numbers", test_reads_numbers);
    g_test_add_func("/run/json/unsigned", test_unsigned);
    g_test_add_func("/run/json/getters-want-their-type", test_getters_want_their_type);
    g_test_add_func("/run/json/refuses", test_refuses);
    g_test_add_func("/run/json/refuses-deep-nesting", test_refuses_deep);
    g_test_add_func("/run/json/format", test_format);
    return g_test_run();
}
