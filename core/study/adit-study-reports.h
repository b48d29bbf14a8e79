/* core/study/adit-study-reports.h - SPDX-License-Identifier: MIT */
#pragma once

#include <json-glib/json-glib.h>

#include "adit-study.h"

G_BEGIN_DECLS

/* What a study's `report` asks for, as study.json keeps it: so a report is made again from the
 * study directory alone. */

/* @reports: (element-type AditStudyReport) */
JsonArray *adit_study_reports_describe(const GPtrArray *reports);

/**
 * adit_study_reports_read:
 * @path: of study.json, for messages
 * @study: (nullable): its members
 *
 * Returns: (transfer full) (nullable) (element-type AditStudyReport): none of a study.json that has
 * none; NULL with ADIT_ERROR_DAMAGED for what is no such list
 */
GPtrArray *adit_study_reports_read(const char *path, JsonObject *study, GError **error);

G_END_DECLS
