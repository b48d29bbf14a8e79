/* core/report/adit-page-parts.c - SPDX-License-Identifier: MIT */
#include "adit-report-pages.h"

#include "adit-file.h"
#include "adit-html.h"

#include <math.h>
#include <string.h>

#define MOST_ROWS 300 /* of a table in a page */
#define LONG_TEXT 40

/* ---- the head ---- */

void
adit_page_append_status(GString *html, const char *status)
{
    static const struct {
        const char *status;
        const char *class;
        const char *sign;
    } signs[] = {
        {"completed", "good", "✓"}, {"done", "good", "✓"},    {"failed", "bad", "✗"},
        {"diverged", "bad", "✗"},   {"died", "bad", "✗"},     {"interrupted", "bad", "✗"},
        {"stopped", "wait", "❚❚"},  {"running", "wait", "…"}, {"queued", "wait", "…"},
        {"pending", "wait", "…"},
    };
    const char *class = "wait", *sign = "…";

    for (guint i = 0; i < G_N_ELEMENTS(signs); i++) {
        if (g_str_equal(signs[i].status, status)) {
            class = signs[i].class;
            sign = signs[i].sign;
        }
    }
    g_string_append_printf(html, "<span class=\"status %s\"><span aria-hidden=\"true\">%s</span> ",
                           class, sign);
    adit_html_append(html, status);
    g_string_append(html, "</span>");
}

void
adit_page_add_title(AditPage *self, const char *title, const char *status, const char *const *facts)
{
    GString *html = adit_page_get_body(self);

    adit_html_append_element(html, "h1", title);
    g_string_append(html, "<p class=\"facts\">");
    if (status != NULL)
        adit_page_append_status(html, status);
    for (guint i = 0; facts[i] != NULL; i++) {
        g_string_append(html, status != NULL || i > 0 ? " · " : "");
        adit_html_append(html, facts[i]);
    }
    g_string_append(html, "</p>\n");
}

void
adit_page_add_warnings(AditPage *self, const GPtrArray *warnings)
{
    GString *html = adit_page_get_body(self);

    if (warnings->len == 0)
        return;
    g_string_append(html, "<div class=\"warnings\" role=\"note\"><strong>To know before</strong>\n"
                          "<ul>\n");
    for (guint i = 0; i < warnings->len; i++)
        adit_html_append_element(html, "li", g_ptr_array_index(warnings, i));
    g_string_append(html, "</ul></div>\n");
}

char *
adit_page_format_seconds(double seconds)
{
    guint whole = seconds < G_MAXUINT32 / 2 ? (guint) (seconds + 0.5) : 0;

    if (!isfinite(seconds) || seconds < 0)
        return g_strdup("not known");
    if (seconds < 60) {
        g_autofree char *text = adit_number_to_text(seconds);

        return g_strdup_printf("%s s", text);
    }
    if (whole < 3600)
        return g_strdup_printf("%u:%02u min", whole / 60, whole % 60);
    return g_strdup_printf("%u:%02u:%02u h", whole / 3600, whole / 60 % 60, whole % 60);
}

char *
adit_page_format_time(const char *time)
{
    g_autoptr(GDateTime) moment = time != NULL ? g_date_time_new_from_iso8601(time, NULL) : NULL;

    return moment != NULL ? g_date_time_format(moment, "%Y-%m-%d %H:%M:%S UTC") : g_strdup(time);
}

/* ---- members of JSON ---- */

static void append_node(GString *text, JsonNode *node);

static gboolean
is_long(JsonNode *node)
{
    return json_node_get_value_type(node) == G_TYPE_STRING &&
           strlen(json_node_get_string(node)) > LONG_TEXT;
}

/* Long texts stand on a line each. */
static void
append_array(GString *text, JsonArray *array)
{
    for (guint i = 0; i < json_array_get_length(array); i++) {
        JsonNode *node = json_array_get_element(array, i);

        g_string_append(text, i == 0 ? "" : is_long(node) ? "\n" : ", ");
        append_node(text, node);
    }
    if (json_array_get_length(array) == 0)
        g_string_append(text, "none");
}

static void
append_object(GString *text, JsonObject *object)
{
    JsonObjectIter iter;
    const char *name;
    JsonNode *node;
    gboolean is_first = TRUE;

    json_object_iter_init_ordered(&iter, object);
    while (json_object_iter_next_ordered(&iter, &name, &node)) {
        g_string_append_printf(text, "%s%s ", is_first ? "" : ", ", name);
        append_node(text, node);
        is_first = FALSE;
    }
}

/* As people write it: nesting is at most what adit_json_parse() lets through. */
static void
append_node(GString *text, JsonNode *node)
{
    if (JSON_NODE_HOLDS_OBJECT(node)) {
        append_object(text, json_node_get_object(node));
    } else if (JSON_NODE_HOLDS_ARRAY(node)) {
        append_array(text, json_node_get_array(node));
    } else if (json_node_get_value_type(node) == G_TYPE_STRING) {
        g_string_append(text, json_node_get_string(node));
    } else {
        g_autofree char *value = json_to_string(node, FALSE);

        g_string_append(text, value);
    }
}

void
adit_page_add_members(AditPage *self, JsonObject *members, const char *const *known)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) values = g_ptr_array_new_with_free_func(g_free);
    JsonObjectIter iter;
    const char *name;
    JsonNode *node;

    json_object_iter_init_ordered(&iter, members);
    while (json_object_iter_next_ordered(&iter, &name, &node)) {
        g_autoptr(GString) text = g_string_new(NULL);

        if (g_strv_contains(known, name))
            continue;
        append_node(text, node);
        g_ptr_array_add(names, adit_html_escape(name));
        g_ptr_array_add(values, adit_html_escape(text->str));
    }
    if (names->len > 0)
        adit_html_append_list(adit_page_get_body(self), names, values);
}

/* ---- long things ---- */

static void
begin_details(GString *html, const char *class, const char *summary)
{
    g_string_append_printf(html, "<details class=\"%s\">", class);
    adit_html_append_element(html, "summary", summary);
}

void
adit_page_add_text(AditPage *self, const char *summary, const char *text)
{
    GString *html = adit_page_get_body(self);

    begin_details(html, "text", summary);
    g_string_append(html, "<pre tabindex=\"0\">");
    adit_html_append(html, text);
    g_string_append(html, "</pre></details>\n");
}

static GStrv
make_row(const AditFrame *frame, guint row)
{
    guint n = adit_frame_count_columns(frame);
    GStrv cells = g_new0(char *, n + 1);

    for (guint column = 0; column < n; column++)
        cells[column] = adit_html_escape(adit_frame_get_text(frame, row, column));
    return cells;
}

static GStrv
make_head(const AditFrame *frame)
{
    guint n = adit_frame_count_columns(frame);
    GStrv cells = g_new0(char *, n + 1);

    for (guint column = 0; column < n; column++)
        cells[column] = adit_html_escape(adit_frame_get_column(frame, column));
    return cells;
}

/* Of many rows every so many-th, and the last. */
void
adit_page_add_frame(AditPage *self, const char *summary, const AditFrame *frame, const char *path)
{
    g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func((GDestroyNotify) g_strfreev);
    GString *html = adit_page_get_body(self);
    guint n = adit_frame_count_rows(frame);
    guint every = (n + MOST_ROWS - 1) / MOST_ROWS;

    begin_details(html, "rows", summary);
    g_ptr_array_add(rows, make_head(frame));
    for (guint row = 0; row < n; row++) {
        if (row % every == 0 || row + 1 == n)
            g_ptr_array_add(rows, make_row(frame, row));
    }
    if (path != NULL || every > 1) {
        g_string_append(html, "<p class=\"note\">");
        if (every > 1)
            g_string_append_printf(html, "One row in %u, and the last. ", every);
        if (path != NULL) {
            g_string_append(html, "All as CSV: ");
            adit_html_append_link(html, path, path);
        }
        g_string_append(html, "</p>\n");
    }
    adit_html_append_table(html, rows);
    g_string_append(html, "</details>\n");
}

gboolean
adit_page_add_failure(AditPage *self, GError *failure, GError **error)
{
    g_autofree char *text = g_strdup_printf("Not made: %s", failure->message);

    if (g_error_matches(failure, ADIT_ERROR, ADIT_ERROR_OUTPUT)) {
        g_propagate_error(error, failure);
        return FALSE;
    }
    g_message("%s", failure->message);
    g_error_free(failure);
    adit_html_append_element(adit_page_get_body(self), "p", text);
    return TRUE;
}

void
adit_page_add_files(AditPage *self, const char *folder, const char *const *paths)
{
    GString *html = adit_page_get_body(self);
    gboolean is_first = TRUE;

    g_string_append(html, "<p>");
    for (; *paths != NULL; paths++) {
        g_autofree char *path = g_build_filename(folder, *paths, NULL);

        if (!g_file_test(path, G_FILE_TEST_EXISTS))
            continue;
        g_string_append(html, is_first ? "" : " · ");
        adit_html_append_link(html, *paths, *paths);
        is_first = FALSE;
    }
    g_string_append(html, is_first ? "None.</p>\n" : "</p>\n");
}

gboolean
adit_page_write(AditPage *self, const AditReportWriter *writer, const char *path, GError **error)
{
    GString *text = adit_page_finish(self, writer->plots, error);
    gboolean good;

    if (text == NULL)
        return FALSE;
    good = adit_file_write(path, text->str, text->len, error);
    g_string_free(text, TRUE);
    return good;
}
