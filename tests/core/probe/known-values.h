/* tests/core/probe/known-values.h - SPDX-License-Identifier: MIT */
#pragma once

#include <json-glib/json-glib.h>

#include <adit/adit-probe.h>

/* What tests/fixtures/probes/make.py wrote. */
JsonObject *read_known_values(void);

/* A list of numbers, or of lists of numbers one behind the other, in float32. @n: (out): of how
 * many the outer list is */
float *read_floats(JsonArray *rows, gsize *n);
