/* core/study/adit-study-reports.c - SPDX-License-Identifier: MIT */
#include "adit-study-reports.h"

#include "adit-json.h"

#include <math.h>

static const char *const kinds[] = {
    [ADIT_STUDY_TABLE] = "table",     [ADIT_STUDY_HEAT_MAP] = "heat-map",
    [ADIT_STUDY_SCATTER] = "scatter", [ADIT_STUDY_CURVES] = "curves",
    [ADIT_STUDY_COUNTS] = "counts",
};

/* Members that are texts, and those that are lists of them. */
static const struct {
    const char *name;
    gsize field;
} texts[] =
    {
        {"name", G_STRUCT_OFFSET(AditStudyReport, name)},
        {"rows", G_STRUCT_OFFSET(AditStudyReport, rows)},
        {"columns", G_STRUCT_OFFSET(AditStudyReport, columns)},
        {"x", G_STRUCT_OFFSET(AditStudyReport, x)},
        {"y", G_STRUCT_OFFSET(AditStudyReport, y)},
        {"lines", G_STRUCT_OFFSET(AditStudyReport, lines)},
        {"by", G_STRUCT_OFFSET(AditStudyReport, by)},
        {"beside", G_STRUCT_OFFSET(AditStudyReport, beside)},
},
  lists[] = {
      {"values", G_STRUCT_OFFSET(AditStudyReport, values)},
      {"pages", G_STRUCT_OFFSET(AditStudyReport, pages)},
      {"over", G_STRUCT_OFFSET(AditStudyReport, over)},
};

/* ---- writing ---- */

static JsonArray *
describe_list(const GStrv list)
{
    JsonArray *array = json_array_new();

    for (guint i = 0; list != NULL && list[i] != NULL; i++)
        json_array_add_string_element(array, list[i]);
    return array;
}

static JsonObject *
describe(const AditStudyReport *report)
{
    JsonObject *object = json_object_new();

    json_object_set_string_member(object, "kind", kinds[report->kind]);
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        const char *text = G_STRUCT_MEMBER(char *, report, texts[i].field);

        if (text != NULL)
            json_object_set_string_member(object, texts[i].name, text);
    }
    for (guint i = 0; i < G_N_ELEMENTS(lists); i++)
        json_object_set_array_member(object, lists[i].name,
                                     describe_list(G_STRUCT_MEMBER(GStrv, report, lists[i].field)));
    if (!isnan(report->above_chance))
        adit_json_set_double(object, "above-chance", report->above_chance);
    return object;
}

JsonArray *
adit_study_reports_describe(const GPtrArray *reports)
{
    JsonArray *array = json_array_new();

    for (guint i = 0; i < reports->len; i++)
        json_array_add_object_element(array, describe(g_ptr_array_index(reports, i)));
    return array;
}

/* ---- reading ---- */

/* (nullable): NULL: there is something that is no text */
static GStrv
read_list(JsonArray *array)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; array != NULL && i < json_array_get_length(array); i++) {
        JsonNode *node = json_array_get_element(array, i);
        const char *text = JSON_NODE_HOLDS_VALUE(node) ? json_node_get_string(node) : NULL;

        if (text == NULL)
            return NULL;
        g_ptr_array_add(list, g_strdup(text));
    }
    g_ptr_array_add(list, NULL);
    return (GStrv) g_ptr_array_steal(list, NULL);
}

static gboolean
find_kind(const char *name, AditStudyReportKind *kind)
{
    for (guint i = 0; name != NULL && i < G_N_ELEMENTS(kinds); i++) {
        if (g_str_equal(kinds[i], name)) {
            *kind = (AditStudyReportKind) i;
            return TRUE;
        }
    }
    return FALSE;
}

/* The name becomes that of files. */
static gboolean
is_file_name(const char *name)
{
    return name != NULL && *name != '\0' && *name != '.' && strchr(name, '/') == NULL;
}

/* (nullable) */
static AditStudyReport *
read_report(JsonObject *object)
{
    g_autoptr(AditStudyReport) report = g_new0(AditStudyReport, 1);

    report->above_chance = (double) NAN;
    adit_json_get_double(object, "above-chance", &report->above_chance);
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
        G_STRUCT_MEMBER(char *, report, texts[i].field) =
            g_strdup(adit_json_get_text(object, texts[i].name));
    for (guint i = 0; i < G_N_ELEMENTS(lists); i++) {
        GStrv list = read_list(adit_json_get_array(object, lists[i].name));

        if (list == NULL)
            return NULL;
        G_STRUCT_MEMBER(GStrv, report, lists[i].field) = list;
    }
    if (!find_kind(adit_json_get_text(object, "kind"), &report->kind) ||
        !is_file_name(report->name))
        return NULL;
    return g_steal_pointer(&report);
}

GPtrArray *
adit_study_reports_read(const char *path, JsonObject *study, GError **error)
{
    g_autoptr(GPtrArray) reports =
        g_ptr_array_new_with_free_func((GDestroyNotify) adit_study_report_free);
    JsonArray *array = study != NULL ? adit_json_get_array(study, "report") : NULL;

    for (guint i = 0; array != NULL && i < json_array_get_length(array); i++) {
        JsonNode *node = json_array_get_element(array, i);
        AditStudyReport *report =
            JSON_NODE_HOLDS_OBJECT(node) ? read_report(json_node_get_object(node)) : NULL;

        if (report == NULL) {
            g_set_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED,
                        "%s: 'report', element %u: expected a kind, a name and texts", path, i + 1);
            return NULL;
        }
        g_ptr_array_add(reports, report);
    }
    return g_steal_pointer(&reports);
}
