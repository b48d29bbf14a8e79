/* tests/core/pipeline/test-yaml.c - SPDX-License-Identifier: MIT */
#include <math.h>
#include <string.h>

#include "adit-node.h"

static AditNode *
read_text(const char *text, AditDiagnostics *diagnostics)
{
    g_autoptr(AditSource) source = adit_source_new("x.yaml", text);

    return adit_yaml_read(source, diagnostics);
}

/* Each part of a limit's rows is one @unit, @times times; @line: NULL: it is read. */
static void
check(const char *text, const char *line)
{
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();
    g_autoptr(AditNode) node = read_text(text, diagnostics);

    if (line == NULL) {
        g_assert_cmpuint(adit_diagnostics_count_errors(diagnostics), ==, 0);
        g_assert_nonnull(node);
        return;
    }
    g_assert_null(node);
    g_assert_cmpuint(adit_diagnostics_count_errors(diagnostics), ==, 1);
    g_autofree char *got = adit_diagnostics_get_line(diagnostics, 0);

    g_assert_cmpstr(got, ==, line);
}

static char *
repeat(const char *before, const char *unit, guint times, const char *after)
{
    GString *text = g_string_new(before);

    for (guint i = 0; i < times; i++)
        g_string_append(text, unit);
    g_string_append(text, after);
    return g_string_free(text, FALSE);
}

static void
test_depth(void)
{
    static const struct {
        const char *unit;
        const char *line;
    } rows[] = {{"[", "x.yaml:1:65: error: nested deeper than 64"},
                {"{a: ", "x.yaml:1:257: error: nested deeper than 64"},
                {"- ", "x.yaml:1:129: error: nested deeper than 64"},
                {"? ", "x.yaml:1:129: error: nested deeper than 64"}};
    g_autofree char *half = repeat("", "[", 64, "");
    g_autofree char *good = repeat(half, "]", 64, "");

    check(good, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = repeat("", rows[i].unit, 200000, "");

        check(text, rows[i].line);
    }
}

/* The parser is stopped at once: it has read no more than a few of its buffers. */
static void
test_depth_is_cheap(void)
{
    g_autofree char *text = repeat("", "[", 200000, "");
    gint64 start = g_get_monotonic_time();

    check(text, "x.yaml:1:65: error: nested deeper than 64");
    /* 17 s without the limit */
    g_assert_cmpint(g_get_monotonic_time() - start, <, G_USEC_PER_SEC);
}

static void
test_bomb(void)
{
    g_autoptr(GString) text = g_string_new("adit: 1\na: &a [x,x,x,x,x,x,x,x,x]\n");

    for (char name = 'b'; name <= 'i'; name++) {
        g_string_append_printf(text, "%c: &%c [", name, name);
        for (guint i = 0; i < 9; i++)
            g_string_append_printf(text, "%s*%c", i > 0 ? "," : "", name - 1);
        g_string_append(text, "]\n");
    }
    g_assert_cmpuint(text->len, <, 342);
    check(text->str, "x.yaml:7:8: error: aliases unfold to more than 100000 nodes");
}

static void
test_counts(void)
{
    g_autofree char *nodes = repeat("[", "x,", 99999, "]");
    g_autofree char *too_many = repeat("[", "x,", 100000, "]");
    g_autofree char *aliases = repeat("[&a x,", "*a,", 1024, "]");
    g_autofree char *more_aliases = repeat("[&a x,", "*a,", 1025, "]");
    g_autofree char *long_text = repeat("a: ", "x", 64 * 1024, "");
    g_autofree char *longer_text = repeat("a: ", "x", 64 * 1024 + 1, "");
    g_autofree char *long_key = repeat("", "x", 256, ": 1");
    g_autofree char *longer_key = repeat("", "x", 257, ": 1");
    g_autofree char *large = repeat("# ", "x", 1024 * 1024, "");
    g_autoptr(GString) anchors = g_string_new("[");

    check(nodes, NULL);
    check(too_many, "x.yaml:1:200000: error: more than 100000 nodes");
    check(aliases, NULL);
    check(more_aliases, "x.yaml:1:3079: error: more than 1024 aliases");
    check(long_text, NULL);
    check(longer_text, "x.yaml:1:4: error: text is longer than 64 KiB");
    check(long_key, NULL);
    check(longer_key, "x.yaml:1:1: error: a key is longer than 256 bytes");
    check(large, "x.yaml:1:1: error: the file is larger than 1 MiB");
    for (guint i = 0; i < 256; i++)
        g_string_append_printf(anchors, "&a%u x,\n", i);
    g_autofree char *good = g_strconcat(anchors->str, "]", NULL);
    g_autofree char *bad = g_strconcat(anchors->str, "&b x]", NULL);

    check(good, NULL);
    check(bad, "x.yaml:257:4: error: more than 256 anchors");
}

static void
test_aliases_are_copies(void)
{
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();
    g_autoptr(AditNode) node = read_text("a: &a {x: [1]}\nb: *a\n", diagnostics);
    AditNode *first = adit_node_get(node, "a"), *second = adit_node_get(node, "b");

    g_assert_true(adit_node_get(first, "x") != adit_node_get(second, "x"));
    g_assert_cmpuint(second->via.line, ==, 2);
    g_assert_cmpuint(second->via.column, ==, 4);
    check("a: &a [*a]", "x.yaml:1:8: error: alias '*a' stands inside its own anchor");
}

static void
test_places(void)
{
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();
    g_autoptr(AditNode) node =
        read_text("\xc3\xa4\xc3\xb6: [\"x\\ty\", &a word]\nb: |\n  text\n", diagnostics);
    AditNode *list = adit_node_get_item(node, 0), *block = adit_node_get(node, "b");

    g_assert_cmpuint(adit_node_get_item(list, 0)->place.column, ==, 6);
    g_assert_cmpuint(adit_node_get_item(list, 0)->place.length, ==, 6);
    g_assert_false(adit_node_get_item(list, 0)->plain);
    g_assert_cmpstr(adit_node_get_item(list, 0)->text, ==, "x\ty");
    g_assert_cmpuint(adit_node_get_item(list, 1)->place.column, ==, 17);
    g_assert_cmpuint(adit_node_get_item(list, 1)->place.length, ==, 4);
    g_assert_cmpstr(block->text, ==, "text\n");
    g_assert_false(block->plain);
}

static void
test_core_schema(void)
{
    static const struct {
        const char *text;
        AditScalarType type;
        double number;
    } rows[] = {
        {"12", ADIT_SCALAR_INTEGER, 12},
        {"-3", ADIT_SCALAR_INTEGER, -3},
        {"0x1f", ADIT_SCALAR_INTEGER, 31},
        {"0o17", ADIT_SCALAR_INTEGER, 15},
        {"017", ADIT_SCALAR_INTEGER, 17},
        {"1e-5", ADIT_SCALAR_NUMBER, 1e-5},
        {".5", ADIT_SCALAR_NUMBER, 0.5},
        {"1.", ADIT_SCALAR_NUMBER, 1},
        {"-1.5E3", ADIT_SCALAR_NUMBER, -1500},
        {"1e400", ADIT_SCALAR_NUMBER, INFINITY},
        {".inf", ADIT_SCALAR_NUMBER, INFINITY},
        {"-.inf", ADIT_SCALAR_NUMBER, -INFINITY},
        {"true", ADIT_SCALAR_BOOLEAN, 0},
        {"False", ADIT_SCALAR_BOOLEAN, 0},
        {"~", ADIT_SCALAR_NULL, 0},
        {"null", ADIT_SCALAR_NULL, 0},
        {"", ADIT_SCALAR_NULL, 0},
        {"yes", ADIT_SCALAR_TEXT, 0},
        {"on", ADIT_SCALAR_TEXT, 0},
        {"12:30", ADIT_SCALAR_TEXT, 0},
        {"1_000", ADIT_SCALAR_TEXT, 0},
        {"0x", ADIT_SCALAR_TEXT, 0},
        {"inf", ADIT_SCALAR_TEXT, 0},
        {"nan", ADIT_SCALAR_TEXT, 0},
        {"1e", ADIT_SCALAR_TEXT, 0},
        {".", ADIT_SCALAR_TEXT, 0},
        {"+", ADIT_SCALAR_TEXT, 0},
        {"0x1p3", ADIT_SCALAR_TEXT, 0},
        {"1,5", ADIT_SCALAR_TEXT, 0},
        {"20%", ADIT_SCALAR_TEXT, 0},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(AditNode) plain = adit_node_new_scalar(rows[i].text, TRUE, NULL);
        g_autoptr(AditNode) quoted = adit_node_new_scalar(rows[i].text, FALSE, NULL);
        AditScalar scalar = adit_node_get_scalar(plain);

        g_test_message("'%s'", rows[i].text);
        g_assert_cmpint(scalar.type, ==, rows[i].type);
        g_assert_true(scalar.number == rows[i].number);
        g_assert_cmpint(adit_node_get_scalar(quoted).type, ==, ADIT_SCALAR_TEXT);
    }
    g_autoptr(AditNode) huge = adit_node_new_scalar("9223372036854775808", TRUE, NULL);
    g_autoptr(AditNode) largest = adit_node_new_scalar("9223372036854775807", TRUE, NULL);

    g_assert_true(adit_node_get_scalar(huge).huge);
    g_assert_false(adit_node_get_scalar(largest).huge);
    g_assert_cmpint(adit_node_get_scalar(largest).integer, ==, G_MAXINT64);
}

static void
test_form(void)
{
    check("a: 1\n\tb: 2\n", "x.yaml:2:1: error: a tab cannot indent; use spaces");
    check("a: {b: 1,\n\tc: 2}\n", "x.yaml:2:1: error: a tab cannot indent; use spaces");
    check("a:\t1\n", NULL);
    check("a: \"\xff\"", "x.yaml:1:5: error: byte 0xff is not UTF-8");
    check("a: \x01", "x.yaml:1:4: error: control character U+0001 is not allowed");
    check("a: 1\na: 2\n", "x.yaml:2:1: error: key 'a' is already set in line 1");
    check("a: !!int 2\n", "x.yaml:1:4: error: tag '!!int' is not allowed");
    check("a: &x !t 2\n", "x.yaml:1:7: error: tag '!t' is not allowed");
    check("a: \"\\z\"\n",
          "x.yaml:1:5: error: unknown escape; in single quotes a backslash is a backslash");
    check("a: [1, 2\nb: {}\n", "x.yaml:1:4: error: '[' is never closed");
    check("a: [1, 2}\n", "x.yaml:1:4: error: '[' is never closed");
    check("a: [\"]\", 2\n", "x.yaml:1:4: error: '[' is never closed");
    check("{: 1}\n", "x.yaml:1:2: error: a key or a value is missing here");
    check("{? : 1}\n", "x.yaml:1:4: error: a key is missing before ':'");
}

static void
test_writing(void)
{
    static const char text[] =
        "a: 1\n"
        "b: [x, \"1\", \"true\", \"~\", 'a: b', \"two\\nlines\", 1.5, \"\"]\n"
        "c: {d: [], e: {}, f: {g: {h: [1, 2]}}}\n";
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();
    g_autoptr(AditNode) first = read_text(text, diagnostics);
    g_autofree char *written = adit_yaml_write(first);
    g_autoptr(AditNode) second = read_text(written, diagnostics);
    g_autofree char *again = adit_yaml_write(second);
    AditNode *list = adit_node_get(second, "b");

    g_assert_cmpuint(adit_diagnostics_count_errors(diagnostics), ==, 0);
    g_assert_cmpstr(written, ==, again);
    for (guint i = 0; i < adit_node_count(list); i++) {
        const AditNode *before = adit_node_get_item(adit_node_get(first, "b"), i);
        const AditNode *after = adit_node_get_item(list, i);

        g_assert_cmpstr(before->text, ==, after->text);
        g_assert_cmpint(adit_node_get_scalar(before).type, ==, adit_node_get_scalar(after).type);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pipeline/yaml/depth", test_depth);
    g_test_add_func("/pipeline/yaml/depth-is-cheap", test_depth_is_cheap);
    g_test_add_func("/pipeline/yaml/bomb", test_bomb);
    g_test_add_func("/pipeline/yaml/counts", test_counts);
    g_test_add_func("/pipeline/yaml/aliases-are-copies", test_aliases_are_copies);
    g_test_add_func("/pipeline/yaml/places", test_places);
    g_test_add_func("/pipeline/yaml/core-schema", test_core_schema);
    g_test_add_func("/pipeline/yaml/form", test_form);
    g_test_add_func("/pipeline/yaml/writing", test_writing);
    return g_test_run();
}
