/* core/pipeline/adit-address.c - SPDX-License-Identifier: MIT */
#include "adit-address.h"

#include <string.h>

#include "adit-node.h"
#include "adit-suggest.h"

static const char *const roots[] = {"input", "stem", "trunk", "head", "exits", "*", "**", NULL};
static const char *const ports[] = {"in", "linear", "pre", "out", "collect", NULL};

static char *
check_port(const char *text, const char *port, gboolean parameters)
{
    const char *nearest = adit_suggest(port, ports, G_N_ELEMENTS(ports) - 1);

    if (!g_strv_contains(ports, port))
        return nearest != NULL
                   ? g_strdup_printf("no port ':%s' in address '%s'; did you mean ':%s'?", port,
                                     text, nearest)
                   : g_strdup_printf(
                         "no port ':%s' in address '%s'; ports are in, linear, pre, out, collect",
                         port, text);
    if (parameters)
        return g_strdup_printf("address '%s' must name parameters, and ':%s' is a tensor", text,
                               port);
    return NULL;
}

static gboolean
read_number(const char *text, guint64 *number)
{
    return g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT, number, NULL);
}

static char *
check_range(const char *text, const char *segment)
{
    g_auto(GStrv) halves = g_strsplit(segment, "..", 2);
    g_auto(GStrv) end = g_strsplit(halves[1], "/", 2);
    guint64 first = 0, last = 0, step = 1;

    if (!read_number(halves[0], &first) || end[0] == NULL || !read_number(end[0], &last) ||
        (end[1] != NULL && !read_number(end[1], &step)))
        return g_strdup_printf("'%s' in address '%s' is no range; write 5..15 or 5..15/5", segment,
                               text);
    if (first == 0)
        return g_strdup_printf("items are counted from 1, but address '%s' says '%s'", text,
                               segment);
    if (first > last)
        return g_strdup_printf("range '%s' in address '%s' runs backwards", segment, text);
    if (step == 0)
        return g_strdup_printf("range '%s' in address '%s' has step 0", segment, text);
    return NULL;
}

static char *
check_segment(const char *text, const char *segment)
{
    guint64 number;

    if (*segment == '\0')
        return g_strdup_printf("address '%s' has an empty segment", text);
    if (strcmp(segment, "*") == 0 || strcmp(segment, "**") == 0 || adit_is_word(segment))
        return NULL;
    if (strstr(segment, "..") != NULL)
        return check_range(text, segment);
    if (!read_number(segment, &number))
        return g_strdup_printf("'%s' in address '%s' is no segment; it is a number, a name, '*', "
                               "'**' or a range",
                               segment, text);
    if (number == 0)
        return g_strdup_printf("items are counted from 1, but address '%s' says '0'", text);
    return NULL;
}

static char *
check_root(const char *text, const char *root)
{
    const char *nearest = adit_suggest(root, roots, G_N_ELEMENTS(roots) - 1);

    if (g_strv_contains(roots, root))
        return NULL;
    if (nearest != NULL)
        return g_strdup_printf("address '%s' begins with '%s'; did you mean '%s'?", text, root,
                               nearest);
    return g_strdup_printf(
        "address '%s' must begin with input, stem, trunk, head, exits, '*' or '**'", text);
}

/* The end of the segment that begins at @at: a dot, but not one of the two in a range. */
static const char *
find_end(const char *at)
{
    for (const char *start = at; *at != '\0'; at++) {
        if (at > start && at[0] == '.' && at[1] == '.' && g_ascii_isdigit(at[-1]))
            at++;
        else if (*at == '.')
            break;
    }
    return at;
}

char *
adit_address_check(const char *text, gboolean parameters)
{
    const char *colon = strchr(text, ':');
    g_autofree char *path =
        colon != NULL ? g_strndup(text, (gsize) (colon - text)) : g_strdup(text);
    const char *at = path, *end = find_end(at);
    g_autofree char *root = g_strndup(at, (gsize) (end - at));
    char *message = NULL;

    if (*text == '\0')
        return g_strdup("an address is missing");
    message = check_root(text, root);
    while (message == NULL && *end != '\0') {
        at = end + 1;
        end = find_end(at);
        g_autofree char *segment = g_strndup(at, (gsize) (end - at));

        message = check_segment(text, segment);
    }
    if (message == NULL && colon != NULL)
        message = check_port(text, colon + 1, parameters);
    return message;
}
