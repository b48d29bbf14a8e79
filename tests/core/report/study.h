/* tests/core/report/study.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-file.h"
#include "adit-report.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

/* A study directory for a test, and what a report of it wrote. */

#define TEXT(text) ((char *) (text))
#define LIST(...)  ((char **) (const char *const[]){__VA_ARGS__, NULL})
#define NONE       ((char **) study_nothing)

static const char *const study_nothing[] = {NULL};
static const char *const study_seed[] = {"seed", NULL};

typedef struct {
    char *path;
} Study;

G_GNUC_UNUSED static void
study_clear(Study *self)
{
    g_autoptr(GError) error = NULL;

    adit_folder_remove(self->path, &error);
    g_assert_no_error(error);
    g_free(self->path);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Study, study_clear)

/* Writes @text as @name, below folders that are made. */
G_GNUC_UNUSED static void
study_write(const Study *self, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(self->path, name, NULL);
    g_autofree char *folder = g_path_get_dirname(path);
    g_autoptr(GError) error = NULL;

    g_assert_true(adit_folder_create(folder, &error));
    g_file_set_contents(path, text, -1, &error);
    g_assert_no_error(error);
}

/* @sweep: the text of sweep.csv */
G_GNUC_UNUSED static Study
study_make(const char *sweep)
{
    Study self = {.path = g_dir_make_tmp("adit-study-XXXXXX", NULL)};

    g_assert_nonnull(self.path);
    study_write(&self, "sweep.csv", sweep);
    return self;
}

/* (transfer full): the text of a file that the report wrote; NULL if it did not */
G_GNUC_UNUSED static char *
study_read(const Study *self, const char *name)
{
    g_autofree char *path = g_build_filename(self->path, "report", name, NULL);
    char *text = NULL;

    return g_file_get_contents(path, &text, NULL, NULL) ? text : NULL;
}

G_GNUC_UNUSED static void
study_assert_file(const Study *self, const char *name, const char *expected)
{
    g_autofree char *text = study_read(self, name);

    g_assert_cmpstr(text, ==, expected);
}

G_GNUC_UNUSED static gboolean
study_try(const Study *self, AditStudyReport *report, GError **error)
{
    g_autoptr(GPtrArray) reports = g_ptr_array_new();

    if (report->name == NULL)
        report->name = TEXT("made");
    if (report->pages == NULL)
        report->pages = NONE;
    if (report->over == NULL)
        report->over = (char **) study_seed;
    if (report->values == NULL)
        report->values = NONE;
    g_ptr_array_add(reports, report);
    return adit_report_write(self->path, reports, error);
}

G_GNUC_UNUSED static void
study_report(const Study *self, AditStudyReport *report)
{
    g_autoptr(GError) error = NULL;

    study_try(self, report, &error);
    g_assert_no_error(error);
}

/* The report must fail with @expected; "%s" in it is the study's folder. */
G_GNUC_UNUSED static void
study_assert_error(const Study *self, AditStudyReport *report, int code, const char *expected)
{
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) parts = g_strsplit(expected, "%s", -1);
    g_autofree char *message = g_strjoinv(self->path, parts);

    g_assert_false(study_try(self, report, &error));
    g_assert_cmpstr(error->message, ==, message);
    g_assert_error(error, ADIT_ERROR, code);
}
