/* tests/core/data/test-records.c - SPDX-License-Identifier: MIT */
#include <adit/adit-records.h>

#include "adit-loader.h"
#include "scratch.h"

typedef struct {
    Scratch scratch;
    AditLoader *loader;
    AditRecords *records;
} Fixture;

static void
fixture_clear(Fixture *self)
{
    g_clear_pointer(&self->records, adit_records_free);
    g_clear_pointer(&self->loader, adit_loader_free);
    scratch_clear(&self->scratch);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Fixture, fixture_clear)

/* Opens @size bytes as a file called a.csv. */
static gboolean
fixture_open(Fixture *self, const char *text, gsize size, char delimiter, GError **error)
{
    g_autofree char *path = NULL;
    g_autoptr(GInputStream) stream = NULL;

    scratch_init(&self->scratch);
    path = scratch_write(&self->scratch, "a.csv", text, size);
    self->loader = adit_loader_new(self->scratch.path, 0);
    stream = adit_loader_open(self->loader, path, error);
    g_assert_nonnull(stream);
    self->records = adit_records_new(self->loader, stream, delimiter, error);
    return self->records != NULL;
}

static void
fixture_open_text(Fixture *self, const char *text)
{
    g_autoptr(GError) error = NULL;

    fixture_open(self, text, strlen(text), ',', &error);
    g_assert_no_error(error);
}

static void
assert_record(Fixture *self, const char *const *expected)
{
    g_autoptr(GError) error = NULL;
    gboolean there = adit_records_next(self->records, &error);

    g_assert_no_error(error);
    g_assert_true(there);
    for (guint i = 0; expected[i] != NULL; i++)
        g_assert_cmpstr(adit_records_get_text(self->records, i), ==, expected[i]);
}

#define TEXTS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void
assert_end(Fixture *self)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(adit_records_next(self->records, &error));
    g_assert_no_error(error);
}

static void
test_plain(void)
{
    g_auto(Fixture) fixture = {0};

    fixture_open_text(&fixture, "a,Run1 (ms), b \n1,2,3\n\n,x y,\r\n7,8,9");
    g_assert_cmpuint(adit_records_count_columns(fixture.records), ==, 3);
    g_assert_cmpstr(adit_records_get_column(fixture.records, 1), ==, "Run1 (ms)");
    g_assert_cmpstr(adit_records_get_column(fixture.records, 2), ==, "b");
    assert_record(&fixture, TEXTS("1", "2", "3"));
    g_assert_cmpstr(adit_records_get_place(fixture.records), ==, "$data/a.csv:2");
    assert_record(&fixture, TEXTS("", "x y", ""));
    g_assert_cmpstr(adit_records_get_place(fixture.records), ==, "$data/a.csv:4");
    assert_record(&fixture, TEXTS("7", "8", "9"));
    assert_end(&fixture);
    assert_end(&fixture);
}

static void
test_quoted(void)
{
    g_auto(Fixture) fixture = {0};

    fixture_open_text(&fixture, "\xef\xbb\xbf\"a, b\",c\r\n"
                                "\"1\",\"say \"\"x\"\"\"\n"
                                "\"two\nlines\",\"\"\n"
                                "3,4\n");
    g_assert_cmpstr(adit_records_get_column(fixture.records, 0), ==, "a, b");
    assert_record(&fixture, TEXTS("1", "say \"x\""));
    assert_record(&fixture, TEXTS("two\nlines", ""));
    g_assert_cmpstr(adit_records_get_place(fixture.records), ==, "$data/a.csv:3");
    assert_record(&fixture, TEXTS("3", "4"));
    g_assert_cmpstr(adit_records_get_place(fixture.records), ==, "$data/a.csv:5");
    assert_end(&fixture);
}

static void
test_other_delimiter(void)
{
    g_auto(Fixture) fixture = {0};
    g_autoptr(GError) error = NULL;
    const char *text = "a\tb\n1,5\t2\n";

    g_assert_true(fixture_open(&fixture, text, strlen(text), '\t', &error));
    assert_record(&fixture, TEXTS("1,5", "2"));
}

/* Records that lie across the borders of the buffer. */
static void
test_long_file(void)
{
    g_auto(Fixture) fixture = {0};
    g_autoptr(GString) text = g_string_new("n,text\n");
    g_autofree char *filler = g_strnfill(997, 'x');

    for (guint i = 0; i < 2000; i++)
        g_string_append_printf(text, i % 3 == 0 ? "%u,\"%s\n\"\n" : "%u,%s\n", i, filler);
    fixture_open_text(&fixture, text->str);
    for (guint i = 0; i < 2000; i++) {
        g_autoptr(GError) error = NULL;
        double n = -1;

        g_assert_true(adit_records_next(fixture.records, &error));
        g_assert_true(adit_records_get_number(fixture.records, 0, &n, &error));
        g_assert_cmpfloat(n, ==, i);
        g_assert_cmpuint(strlen(adit_records_get_text(fixture.records, 1)), ==,
                         i % 3 == 0 ? 998 : 997);
    }
    assert_end(&fixture);
}

static void
test_numbers(void)
{
    static const struct {
        const char *text;
        double value;
        const char *message;
    } cases[] = {
        {"1", 1, NULL},
        {"-2.5e-3", -2.5e-3, NULL},
        {" 7 ", 7, NULL},
        {"1e308", 1e308, NULL},
        {"abc", 0, "$data/a.csv:2: column 'b': 'abc' is not a number"},
        {"", 0, "$data/a.csv:2: column 'b': '' is not a number"},
        {"0x10", 0, "$data/a.csv:2: column 'b': '0x10' is not a number"},
        {"1 2", 0, "$data/a.csv:2: column 'b': '1 2' is not a number"},
        {"nan", 0, "$data/a.csv:2: column 'b': 'nan' is not a finite number"},
        {"-inf", 0, "$data/a.csv:2: column 'b': '-inf' is not a finite number"},
        {"1e999", 0, "$data/a.csv:2: column 'b': '1e999' is not a finite number"},
        {"a\xff", 0, "$data/a.csv:2: column 'b': 'a\xef\xbf\xbd' is not a number"},
        {"01234567890123456789012345678901234567890x", 0,
         "$data/a.csv:2: column 'b': '0123456789012345678901234567890123456...' is not a number"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Fixture) fixture = {0};
        g_autofree char *text = g_strdup_printf("a,b\n0,%s\n", cases[i].text);
        g_autoptr(GError) error = NULL;
        double value = -1;

        fixture_open_text(&fixture, text);
        g_assert_true(adit_records_next(fixture.records, &error));
        if (adit_records_get_number(fixture.records, 1, &value, &error))
            g_assert_cmpfloat(value, ==, cases[i].value);
        g_assert_cmpstr(error != NULL ? error->message : NULL, ==, cases[i].message);
    }
}

static void
test_refused_files(void)
{
    static const struct {
        const char *text;
        gsize size; /* 0: up to the NUL */
        const char *message;
    } cases[] = {
        {"\n\n", 0, "$data/a.csv: empty, expected a header line"},
        {"a,b\n1,2\n1,2,3\n", 0, "$data/a.csv:3: 3 fields, expected 2"},
        {"a,b\n1\n", 0, "$data/a.csv:2: 1 field, expected 2"},
        {"a,b,a\n", 0, "$data/a.csv:1: column 'a' stands twice in the header"},
        {"a\xff,b\n", 0, "$data/a.csv:1: the header is not UTF-8 text"},
        {"a,b\n1,\"2\n3,4\n", 0, "$data/a.csv:2: a quote is never closed"},
        {"a,b\n\"1\"x,2\n", 0, "$data/a.csv:2: text behind a closing quote"},
        {"a,b\n5\"x\",2\n", 0, "$data/a.csv:2: a quote inside a field that is not quoted"},
        {"a,b\n1,\0002\n", 9, "$data/a.csv:2: a NUL byte; this is no text file"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Fixture) fixture = {0};
        g_autoptr(GError) error = NULL;
        gsize size = cases[i].size > 0 ? cases[i].size : strlen(cases[i].text);

        if (fixture_open(&fixture, cases[i].text, size, ',', &error))
            while (adit_records_next(fixture.records, &error))
                continue;
        g_assert_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED);
        g_assert_cmpstr(error->message, ==, cases[i].message);
    }
}

static void
test_limits(void)
{
    g_auto(Fixture) long_line = {0};
    g_auto(Fixture) wide = {0};
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) text = g_string_new("a\n\"");
    g_autoptr(GString) header = g_string_new("0");

    for (guint i = 0; i < 17; i++) {
        g_autofree char *filler = g_strnfill(1024 * 1024, 'x');

        g_string_append(text, filler);
    }
    g_assert_true(fixture_open(&long_line, text->str, text->len, ',', &error));
    g_assert_false(adit_records_next(long_line.records, &error));
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED);
    g_assert_cmpstr(error->message, ==, "$data/a.csv:2: a record of more than 16 MiB");
    g_clear_error(&error);
    for (guint i = 1; i <= 1000000; i++)
        g_string_append_printf(header, ",%u", i);
    g_assert_false(fixture_open(&wide, header->str, header->len, ',', &error));
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED);
    g_assert_cmpstr(error->message, ==, "$data/a.csv:1: more than 1000000 columns");
}

static void
test_matches_columns(void)
{
    g_auto(Fixture) fixture = {0};
    g_autoptr(GError) error = NULL;
    gboolean chosen[5] = {FALSE};

    fixture_open_text(&fixture, "MWG,NWG,Run1 (ms),Run2 (ms),R*\n");
    g_assert_true(adit_records_match(fixture.records, TEXTS("Run*", "NWG"), chosen, &error));
    g_assert_cmpmem(chosen, sizeof chosen, ((gboolean[]){FALSE, TRUE, TRUE, TRUE, FALSE}),
                    sizeof chosen);
    memset(chosen, 0, sizeof chosen);
    g_assert_true(adit_records_match(fixture.records, TEXTS("R*"), chosen, &error));
    g_assert_cmpmem(chosen, sizeof chosen, ((gboolean[]){FALSE, FALSE, FALSE, FALSE, TRUE}),
                    sizeof chosen);
    g_assert_false(adit_records_match(fixture.records, TEXTS("MGW"), chosen, &error));
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_INVALID);
    g_assert_cmpstr(error->message, ==, "no column 'MGW' in $data/a.csv; did you mean 'MWG'?");
    g_clear_error(&error);
    g_assert_false(adit_records_match(fixture.records, TEXTS("time*"), chosen, &error));
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_INVALID);
    g_assert_cmpstr(
        error->message, ==,
        "no column 'time*' in $data/a.csv; columns: MWG, NWG, Run1 (ms), Run2 (ms), R*");
}

/* Cut anywhere: an error or records that are all there. */
static void
test_truncated_anywhere(void)
{
    static const char text[] = "a,\"b\"\n1,\"2\"\n\"3\n\",4\n";

    for (gsize size = 0; size < strlen(text); size++) {
        g_auto(Fixture) fixture = {0};
        g_autoptr(GError) error = NULL;

        if (fixture_open(&fixture, text, size, ',', &error))
            while (adit_records_next(fixture.records, &error))
                for (guint i = 0; i < adit_records_count_columns(fixture.records); i++)
                    g_assert_nonnull(adit_records_get_text(fixture.records, i));
        g_assert_true(error == NULL || error->code == ADIT_ERROR_DAMAGED);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/data/records/plain", test_plain);
    g_test_add_func("/data/records/quoted", test_quoted);
    g_test_add_func("/data/records/other-delimiter", test_other_delimiter);
    g_test_add_func("/data/records/long-file", test_long_file);
    g_test_add_func("/data/records/numbers", test_numbers);
    g_test_add_func("/data/records/refused-files", test_refused_files);
    g_test_add_func("/data/records/limits", test_limits);
    g_test_add_func("/data/records/matches-columns", test_matches_columns);
    g_test_add_func("/data/records/truncated-anywhere", test_truncated_anywhere);
    return g_test_run();
}
