/* core/run/adit-console.c - SPDX-License-Identifier: MIT */
#include "adit-console.h"

/* Where the escape sequence at @text ends (ECMA-48: CSI up to its final byte, OSC up to BEL or ST,
 * else two characters). */
static const char *
skip_escape(const char *text)
{
    const char *at = text + 1;

    if (*at == '[') {
        at++;
        while (*at != '\0' && (*at < 0x40 || *at > 0x7e))
            at++;
    } else if (*at == ']') {
        while (*at != '\0' && *at != '\a' && !(at[0] == '\033' && at[1] == '\\'))
            at++;
        if (*at == '\033')
            at++;
    }
    return *at != '\0' ? at + 1 : at;
}

char *
adit_console_to_plain(const char *text)
{
    g_autoptr(GString) plain = g_string_new(NULL);

    while (*text != '\0') {
        if (*text == '\033') {
            text = skip_escape(text);
            continue;
        }
        if (*text != '\r')
            g_string_append_c(plain, *text);
        text++;
    }
    if (plain->len > 0 && plain->str[plain->len - 1] != '\n')
        g_string_append_c(plain, '\n');
    return g_string_free(g_steal_pointer(&plain), FALSE);
}
