/* tests/core/base/test-diagnostics.c - SPDX-License-Identifier: MIT */
#include <string.h>

#include "adit-diagnostics.h"

#define TEXT "adit: 1\nmodel:\n  learning_rte: 1e-3\ntrian: {a: 1}\n"

static void
test_one(void)
{
    g_autoptr(AditSource) source = adit_source_new("x.yaml", TEXT);
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();
    const AditPlace place = {source, 4, 1, 5};

    adit_diagnostics_error(diagnostics, &place, ADIT_ERROR_INVALID,
                           "unknown section '%s'; did you mean 'train'?", "trian");
    g_autofree char *line = adit_diagnostics_get_line(diagnostics, 0);
    g_autofree char *text = adit_diagnostics_to_string(diagnostics, FALSE);

    g_assert_cmpstr(line, ==, "x.yaml:4:1: error: unknown section 'trian'; did you mean 'train'?");
    g_assert_cmpstr(text, ==,
                    "x.yaml:4:1: error: unknown section 'trian'; did you mean 'train'?\n"
                    "    4 | trian: {a: 1}\n"
                    "      | ^~~~~ did you mean 'train'?\n"
                    "1 error. Nothing was started.\n");
    g_assert_cmpint(adit_diagnostics_get_code(diagnostics), ==, 2);
}

static void
test_order_and_notes(void)
{
    g_autoptr(AditSource) file = adit_source_new("x.yaml", TEXT);
    g_autoptr(AditSource) argument = adit_source_new_argument(5, "train.lr: 2");
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();
    const AditPlace late = {file, 4, 9, 1}, early = {file, 3, 3, 12}, given = {argument, 1, 11, 1};

    adit_diagnostics_error(diagnostics, &late, ADIT_ERROR_INVALID, "second");
    adit_diagnostics_note(diagnostics, &given, "passed on here");
    adit_diagnostics_error(diagnostics, &early, ADIT_ERROR_INVALID, "first");
    adit_diagnostics_warning(diagnostics, &early, "first as well");
    adit_diagnostics_error(diagnostics, &given, ADIT_ERROR_INVALID, "third");
    g_autofree char *text = adit_diagnostics_to_string(diagnostics, FALSE);

    g_assert_cmpstr(text, ==,
                    "x.yaml:3:3: error: first\n"
                    "    3 |   learning_rte: 1e-3\n"
                    "      |   ^~~~~~~~~~~~\n"
                    "x.yaml:3:3: warning: first as well\n"
                    "    3 |   learning_rte: 1e-3\n"
                    "      |   ^~~~~~~~~~~~\n"
                    "x.yaml:4:9: error: second\n"
                    "    4 | trian: {a: 1}\n"
                    "      |         ^\n"
                    "command-line:5:11: note: passed on here\n"
                    "command-line:5:11: error: third\n"
                    "    1 | train.lr: 2\n"
                    "      |           ^\n"
                    "3 errors. Nothing was started.\n");
    g_assert_cmpuint(adit_diagnostics_count_errors(diagnostics), ==, 3);
    g_assert_cmpuint(adit_diagnostics_count_warnings(diagnostics), ==, 1);
}

static void
test_repetition(void)
{
    g_autoptr(AditSource) source = adit_source_new("x.yaml", TEXT);
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();
    const AditPlace place = {source, 3, 3, 4};

    for (int i = 0; i < 10; i++) {
        adit_diagnostics_error(diagnostics, &place, ADIT_ERROR_INVALID, "'a' must be 1, got %d", i);
        adit_diagnostics_note(diagnostics, &place, "note %d", i);
    }
    adit_diagnostics_error(diagnostics, &place, ADIT_ERROR_INVALID, "'b' must be 1, got 0");
    g_autofree char *text = adit_diagnostics_to_string(diagnostics, FALSE);

    g_assert_cmpuint(adit_diagnostics_count_errors(diagnostics), ==, 2);
    g_assert_nonnull(strstr(text, "note 0"));
    g_assert_null(strstr(text, "note 1"));
}

static void
test_codes(void)
{
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(adit_diagnostics_get_code(diagnostics), ==, 0);
    g_assert_false(adit_diagnostics_fail(diagnostics, &error));
    g_assert_no_error(error);
    adit_diagnostics_error(diagnostics, NULL, ADIT_ERROR_NOT_FOUND, "no file 'x'");
    g_assert_cmpint(adit_diagnostics_get_code(diagnostics), ==, 3);
    adit_diagnostics_error(diagnostics, NULL, ADIT_ERROR_INVALID, "bad");
    g_assert_cmpint(adit_diagnostics_get_code(diagnostics), ==, 2);
    adit_diagnostics_error(diagnostics, NULL, ADIT_ERROR_NOT_FOUND, "no file 'y'");
    g_assert_true(adit_diagnostics_fail(diagnostics, &error));
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_INVALID);
    g_assert_cmpstr(error->message, ==,
                    "error: no file 'x'\nerror: bad\nerror: no file 'y'\n"
                    "3 errors. Nothing was started.");
}

/* Wide characters, tabs and control characters keep the caret in its column. */
static void
test_cells(void)
{
    g_autoptr(AditSource) source = adit_source_new("x.yaml", "a:\t\"\xe5\xb1\x82\x1b\" b\n");
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();
    const AditPlace place = {source, 1, 8, 1};

    adit_diagnostics_error(diagnostics, &place, ADIT_ERROR_INVALID, "bad");
    g_autofree char *text = adit_diagnostics_to_string(diagnostics, FALSE);

    g_assert_cmpstr(text, ==,
                    "x.yaml:1:8: error: bad\n"
                    "    1 | a: \"\xe5\xb1\x82?\" b\n"
                    "      |         ^\n"
                    "1 error. Nothing was started.\n");
}

static void
test_long_line(void)
{
    g_autofree char *left = g_strnfill(1000, 'l'), *right = g_strnfill(1000, 'r');
    g_autofree char *line = g_strconcat(left, "BAD", right, NULL);
    g_autoptr(AditSource) source = adit_source_new("x.yaml", line);
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();
    const AditPlace place = {source, 1, 1001, 3};

    adit_diagnostics_error(diagnostics, &place, ADIT_ERROR_INVALID, "bad");
    g_autofree char *text = adit_diagnostics_to_string(diagnostics, FALSE);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    g_assert_cmpuint(strlen(lines[1]), <, 150);
    g_assert_cmpint(strstr(lines[1], "BAD") - lines[1], ==, strstr(lines[2], "^~~") - lines[2]);
}

static void
test_colour(void)
{
    g_autoptr(AditSource) source = adit_source_new("x.yaml", TEXT);
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();
    const AditPlace place = {source, 1, 1, 4};

    adit_diagnostics_error(diagnostics, &place, ADIT_ERROR_INVALID, "bad");
    g_autofree char *text = adit_diagnostics_to_string(diagnostics, TRUE);

    g_assert_nonnull(strstr(text, "\033[1;31merror:\033[0m bad"));
    g_assert_nonnull(strstr(text, "\033[1;32m^~~~\033[0m"));
}

/* What is printed may be older than what was read. */
static void
test_sources_stay(void)
{
    AditSource *source = adit_source_new("x.yaml", TEXT);
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();

    adit_diagnostics_error(diagnostics, &(AditPlace){source, 1, 1, 4}, ADIT_ERROR_INVALID, "bad");
    adit_source_unref(source);
    g_autofree char *text = adit_diagnostics_to_string(diagnostics, FALSE);

    g_assert_nonnull(strstr(text, "    1 | adit: 1\n"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/diagnostics/one", test_one);
    g_test_add_func("/base/diagnostics/order-and-notes", test_order_and_notes);
    g_test_add_func("/base/diagnostics/repetition", test_repetition);
    g_test_add_func("/base/diagnostics/codes", test_codes);
    g_test_add_func("/base/diagnostics/cells", test_cells);
    g_test_add_func("/base/diagnostics/long-line", test_long_line);
    g_test_add_func("/base/diagnostics/colour", test_colour);
    g_test_add_func("/base/diagnostics/sources-stay", test_sources_stay);
    return g_test_run();
}
