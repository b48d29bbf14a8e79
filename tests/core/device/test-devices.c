/* tests/core/device/test-devices.c - SPDX-License-Identifier: MIT */
#include "adit-device-wish.h"
#include "adit-devices.h"

#include <string.h>

#define UUID   "6d657361-3232-2e33-2e36-00000000000f"
#define OTHER  "6d657361-3232-2e33-2e36-000000000000"
#define DIGITS "6D65736132322e332e3600000000000F"

static gboolean
matches(const char *wanted, guint index, const char *uuid, const char *name)
{
    g_autoptr(GError) error = NULL;
    g_auto(AditDeviceWish) wish = {0};

    adit_device_wish_init(&wish, wanted, &error);
    g_assert_no_error(error);
    return adit_device_wish_matches(&wish, index, uuid, name);
}

static void
test_wishes(void)
{
    g_assert_true(matches(NULL, 3, NULL, "any"));
    g_assert_true(matches("3", 3, NULL, "any"));
    g_assert_false(matches("3", 0, UUID, "3"));
    g_assert_true(matches("uuid=" UUID, 0, UUID, "any"));
    g_assert_true(matches("uuid=" DIGITS, 0, UUID, "any"));
    g_assert_false(matches("uuid=" UUID, 0, OTHER, "any"));
    /* a device that does not tell its UUID has none */
    g_assert_false(matches("uuid=00000000000000000000000000000000", 0, NULL, "any"));
    g_assert_true(matches("name~=radeon", 0, NULL, "AMD Radeon RX 6800 (RADV NAVI21)"));
    g_assert_true(matches("name~=RX 68", 0, NULL, "AMD Radeon RX 6800 (RADV NAVI21)"));
    g_assert_false(matches("name~=geforce", 0, NULL, "AMD Radeon RX 6800 (RADV NAVI21)"));
}

static void
test_bad_names(void)
{
    static const struct {
        const char *name;
        const char *expected;
    } rows[] = {
        {"gpu", "a device is called auto, cpu, vulkan, vulkan:N, vulkan:uuid=UUID or "
                "vulkan:name~=TEXT, got \"gpu\""},
        {"vulkano", "a device is called auto, cpu, vulkan, vulkan:N, vulkan:uuid=UUID or "
                    "vulkan:name~=TEXT, got \"vulkano\""},
        {"vulkan:", "a Vulkan device is called vulkan, vulkan:N, vulkan:uuid=UUID or "
                    "vulkan:name~=TEXT, got \"vulkan:\""},
        {"vulkan:-1", "a Vulkan device is called vulkan, vulkan:N, vulkan:uuid=UUID or "
                      "vulkan:name~=TEXT, got \"vulkan:-1\""},
        {"vulkan:99999999999", "a Vulkan device is called vulkan, vulkan:N, vulkan:uuid=UUID or "
                               "vulkan:name~=TEXT, got \"vulkan:99999999999\""},
        {"vulkan:name~=", "a Vulkan device is called vulkan, vulkan:N, vulkan:uuid=UUID or "
                          "vulkan:name~=TEXT, got \"vulkan:name~=\""},
        {"vulkan:uuid=12-34", "a UUID has 32 hexadecimal digits, got \"12-34\""},
        {"vulkan:uuid=" UUID "0", "a UUID has 32 hexadecimal digits, got \"" UUID "0\""},
        {"vulkan:uuid=6d657361-3232-2e33-2e36-00000000000g",
         "a UUID has 32 hexadecimal digits, got \"6d657361-3232-2e33-2e36-00000000000g\""},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(adit_device_open(rows[i].name, 1, NULL, &error));
        g_assert_error(error, ADIT_ERROR, ADIT_ERROR_INVALID);
        g_assert_cmpstr(error->message, ==, rows[i].expected);
    }
}

static void
assert_cpu(const char *name, guint threads)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *note = NULL;
    g_autoptr(AditDevice) device = adit_device_open(name, threads, &note, &error);
    g_autoptr(JsonObject) object = json_object_new();

    g_assert_no_error(error);
    g_assert_null(note);
    adit_device_describe(device, object);
    g_assert_cmpstr(json_object_get_string_member(object, "name"), ==, "cpu");
    g_assert_cmpstr(json_object_get_string_member(object, "instruction-set"), ==,
                    adit_cpu_device_get_isa(device));
    g_assert_cmpint(json_object_get_int_member(object, "threads"), ==, threads);
    g_assert_cmpint(json_object_get_int_member(object, "cores"), ==, g_get_num_processors());
}

static void
test_cpu(void)
{
    assert_cpu("cpu", 2);
}

/* Also what a build without Vulkan does. */
static void
test_no_loader(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonObject) object = NULL;

    g_setenv("ADIT_VULKAN_LIBRARY", "/nonexistent/libvulkan.so", TRUE);
    assert_cpu("auto", 1);
    assert_cpu("", 1);
    assert_cpu(NULL, 3);
    g_assert_null(adit_device_open("vulkan", 1, NULL, &error));
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_NO_DEVICE);
    g_assert_true(g_str_has_prefix(error->message, "no device 'vulkan': "));

    object = adit_devices_describe();
    g_assert_cmpint(json_array_get_length(json_object_get_array_member(object, "devices")), ==, 1);
    g_assert_false(json_object_get_boolean_member(object, "vulkan"));
    g_assert_cmpstr(json_object_get_string_member(object, "auto"), ==, "cpu");
    g_assert_nonnull(strstr(error->message, json_object_get_string_member(object, "auto-reason")));
    g_unsetenv("ADIT_VULKAN_LIBRARY");
}

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/devices/wishes", test_wishes);
    g_test_add_func("/devices/bad-names", test_bad_names);
    g_test_add_func("/devices/cpu", test_cpu);
    g_test_add_func("/devices/no-loader", test_no_loader);
    return g_test_run();
}
