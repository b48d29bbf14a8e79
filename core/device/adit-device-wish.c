/* core/device/adit-device-wish.c - SPDX-License-Identifier: MIT */
#include "adit-device-wish.h"

#include <string.h>

#define UUID_DIGITS 32

/* The digits of a UUID; NULL: it is none. */
static char *
read_uuid(const char *text)
{
    g_autoptr(GString) digits = g_string_new(NULL);

    for (; *text != '\0'; text++) {
        if (g_ascii_isxdigit(*text))
            g_string_append_c(digits, g_ascii_tolower(*text));
        else if (*text != '-')
            return NULL;
    }
    return digits->len == UUID_DIGITS ? g_strdup(digits->str) : NULL;
}

static gboolean
read_name(AditDeviceWish *self, const char *text)
{
    if (*text == '\0' || !g_utf8_validate(text, -1, NULL))
        return FALSE;
    self->by = ADIT_DEVICE_BY_NAME;
    self->text = g_utf8_casefold(text, -1);
    return TRUE;
}

gboolean
adit_device_wish_init(AditDeviceWish *self, const char *wanted, GError **error)
{
    *self = (AditDeviceWish){ADIT_DEVICE_BY_RANK};
    if (wanted == NULL)
        return TRUE;
    if (g_str_has_prefix(wanted, "uuid=")) {
        self->by = ADIT_DEVICE_BY_UUID;
        self->text = read_uuid(wanted + strlen("uuid="));
        if (self->text != NULL)
            return TRUE;
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "a UUID has %d hexadecimal digits, got \"%s\"", UUID_DIGITS,
                    wanted + strlen("uuid="));
        return FALSE;
    }
    if (g_str_has_prefix(wanted, "name~=") && read_name(self, wanted + strlen("name~=")))
        return TRUE;
    self->by = ADIT_DEVICE_BY_INDEX;
    if (g_ascii_string_to_unsigned(wanted, 10, 0, G_MAXUINT32, &self->index, NULL))
        return TRUE;
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                "a Vulkan device is called vulkan, vulkan:N, vulkan:uuid=UUID or "
                "vulkan:name~=TEXT, got \"vulkan:%s\"",
                wanted);
    return FALSE;
}

void
adit_device_wish_clear(AditDeviceWish *self)
{
    g_clear_pointer(&self->text, g_free);
}

gboolean
adit_device_wish_matches(const AditDeviceWish *self, guint index, const char *uuid,
                         const char *name)
{
    if (self->by == ADIT_DEVICE_BY_INDEX)
        return index == self->index;
    if (self->by == ADIT_DEVICE_BY_UUID) {
        g_autofree char *digits = uuid != NULL ? read_uuid(uuid) : NULL;

        return g_strcmp0(digits, self->text) == 0;
    }
    if (self->by == ADIT_DEVICE_BY_NAME) {
        g_autofree char *folded = g_utf8_casefold(name, -1);

        return strstr(folded, self->text) != NULL;
    }
    return TRUE;
}
