/* core/component/adit-parameter.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-component-private.h"

G_BEGIN_DECLS

/**
 * AditField: a parameter and where its value lies.
 * @offset: from the instance; negative in a kind's private data
 */
typedef struct {
    AditParameter parameter;
    gssize offset;
} AditField;

/* The property that checks @field's values; kept by the field as well. */
GParamSpec *adit_field_make_pspec(AditField *field);
AditField *adit_field_from_pspec(GParamSpec *pspec);

/* What follows works on the value of @field in @instance. */

/* The default; what was there is not freed. */
void adit_field_reset(const AditField *field, gpointer instance);
void adit_field_clear(const AditField *field, gpointer instance);
void adit_field_set(const AditField *field, gpointer instance, const GValue *value);
void adit_field_get(const AditField *field, gpointer instance, GValue *value);
/* Refuses a pair that is none. */
gboolean adit_field_check(const AditField *field, gpointer instance, GError **error);
gboolean adit_field_equal(const AditField *field, gpointer a, gpointer b);

gboolean adit_live_equal(const AditLive *a, const AditLive *b);

G_END_DECLS
