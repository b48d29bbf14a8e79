/* core/base/adit-json-cursor.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-error.h>

G_BEGIN_DECLS

/**
 * AditJsonCursor: reads the elements of JSON (RFC 8259) from a text that nobody vouches for.
 * @name: what the text is, @unit: what @at counts: "NAME: UNIT 17: expected ..., got ..."
 *
 * Every reader takes what it reads; on failure it sets @error to ADIT_ERROR_DAMAGED and returns
 * FALSE.
 */
typedef struct {
    const char *name;
    const char *unit;
    const char *text;
    gsize length;
    gsize at;
    GError **error;
} AditJsonCursor;

gboolean adit_json_cursor_fail(const AditJsonCursor *cursor, gsize at, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
/* Fails with "expected @expected, got" what stands at the cursor. */
gboolean adit_json_cursor_fail_expected(const AditJsonCursor *cursor, const char *expected);
void adit_json_cursor_skip_blanks(AditJsonCursor *cursor);
/* Whether @character comes next, blanks aside; no error if not. */
gboolean adit_json_cursor_accept(AditJsonCursor *cursor, char character);
gboolean adit_json_cursor_expect(AditJsonCursor *cursor, char character);
/* After an element: a comma (@more: TRUE) or @closing (@more: FALSE). */
gboolean adit_json_cursor_expect_more(AditJsonCursor *cursor, char closing, gboolean *more);
/* A text, in UTF-8 and without NUL; @string is owned by the caller. */
gboolean adit_json_cursor_read_text(AditJsonCursor *cursor, const char *expected, char **string);
/* An integer from 0 to 2^64 - 1 without fraction or exponent. */
gboolean adit_json_cursor_read_integer(AditJsonCursor *cursor, guint64 *value);

G_END_DECLS
