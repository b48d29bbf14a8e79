/* tests/core/study/test-reports.c - SPDX-License-Identifier: MIT */
#include "adit-study-reports.h"

#include "adit-json.h"

#include <math.h>
#include <string.h>

#define TEXT(text) ((char *) (text))
#define LIST(...)  ((char **) (const char *const[]){__VA_ARGS__, NULL})

/* Through the text of a file and back. */
static GPtrArray *
copy(GPtrArray *reports)
{
    g_autoptr(JsonObject) study = json_object_new();
    g_autoptr(JsonObject) read = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    GPtrArray *copied;

    json_object_set_array_member(study, "report", adit_study_reports_describe(reports));
    text = adit_json_to_text(study);
    read = adit_json_parse("study.json", text, strlen(text), &error);
    g_assert_no_error(error);
    copied = adit_study_reports_read("study.json", read, &error);
    g_assert_no_error(error);
    return copied;
}

static void
assert_equal(const AditStudyReport *a, const AditStudyReport *b)
{
    g_assert_cmpint(a->kind, ==, b->kind);
    g_assert_cmpstr(a->name, ==, b->name);
    g_assert_cmpstrv(a->values, b->values);
    g_assert_cmpstr(a->rows, ==, b->rows);
    g_assert_cmpstr(a->columns, ==, b->columns);
    g_assert_cmpstr(a->x, ==, b->x);
    g_assert_cmpstr(a->y, ==, b->y);
    g_assert_cmpstr(a->lines, ==, b->lines);
    g_assert_cmpstr(a->by, ==, b->by);
    g_assert_cmpstrv(a->pages, b->pages);
    g_assert_cmpstrv(a->over, b->over);
    g_assert_cmpstr(a->beside, ==, b->beside);
    g_assert_true(a->above_chance == b->above_chance ||
                  (isnan(a->above_chance) && isnan(b->above_chance)));
}

static void
test_there_and_back(void)
{
    AditStudyReport reports[] = {
        {.kind = ADIT_STUDY_TABLE,
         .name = TEXT("t"),
         .rows = TEXT("a\"<"),
         .columns = TEXT("b"),
         .values = LIST("v", "w"),
         .beside = TEXT("/x y/p.csv")},
        {.kind = ADIT_STUDY_HEAT_MAP,
         .name = TEXT("h"),
         .x = TEXT("x"),
         .y = TEXT("y"),
         .values = LIST("v"),
         .pages = LIST("p", "q")},
        {.kind = ADIT_STUDY_SCATTER,
         .name = TEXT("s"),
         .x = TEXT("x"),
         .y = TEXT("y"),
         .lines = TEXT("l"),
         .over = LIST("seed")},
        {.kind = ADIT_STUDY_CURVES, .name = TEXT("c"), .x = TEXT("x"), .values = LIST("v")},
        {.kind = ADIT_STUDY_COUNTS,
         .name = TEXT("n"),
         .by = TEXT("b"),
         .values = LIST("v"),
         .above_chance = 0.05},
    };
    static const char *const nothing[] = {NULL};
    g_autoptr(GPtrArray) list = g_ptr_array_new();
    g_autoptr(GPtrArray) copied = NULL;

    for (guint i = 0; i < G_N_ELEMENTS(reports); i++) {
        AditStudyReport *report = &reports[i];

        report->values = report->values != NULL ? report->values : (char **) nothing;
        report->pages = report->pages != NULL ? report->pages : (char **) nothing;
        report->over = report->over != NULL ? report->over : (char **) nothing;
        if (report->kind != ADIT_STUDY_COUNTS)
            report->above_chance = (double) NAN;
        g_ptr_array_add(list, report);
    }
    copied = copy(list);
    g_assert_cmpuint(copied->len, ==, G_N_ELEMENTS(reports));
    for (guint i = 0; i < copied->len; i++)
        assert_equal(copied->pdata[i], &reports[i]);
}

/* A study.json of a version that did not keep them, and none. */
static void
test_none(void)
{
    g_autoptr(JsonObject) study = json_object_new();
    g_autoptr(GPtrArray) old = adit_study_reports_read("x", study, NULL);
    g_autoptr(GPtrArray) none = adit_study_reports_read("x", NULL, NULL);

    g_assert_cmpuint(old->len, ==, 0);
    g_assert_cmpuint(none->len, ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/study/reports/there-and-back", test_there_and_back);
    g_test_add_func("/study/reports/none", test_none);
    return g_test_run();
}
