/* tests/support/vulkan-shim/shim-config.c - SPDX-License-Identifier: MIT */
#include "shim.h"

ShimConfig shim_config = {.n_devices = -1};

static const struct {
    const char *name;
    guint64 small; /* 0: not among those of "small" */
} limits[SHIM_N_LIMITS] = {
    [SHIM_LIMIT_SHARED] = {"shared", 16384}, [SHIM_LIMIT_INVOCATIONS] = {"invocations", 128},
    [SHIM_LIMIT_BUFFERS] = {"buffers", 8},   [SHIM_LIMIT_RANGE] = {"range", 1 << 20},
    [SHIM_LIMIT_GROUPS] = {"groups", 65535}, [SHIM_LIMIT_ALIGNMENT] = {"alignment", 256},
    [SHIM_LIMIT_PUSH] = {"push", 128},       [SHIM_LIMIT_ALLOCATION] = {"allocation", 0},
};

static const char *const types[] = {
    [VK_PHYSICAL_DEVICE_TYPE_OTHER] = "other",
    [VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU] = "integrated",
    [VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU] = "discrete",
    [VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU] = "virtual",
    [VK_PHYSICAL_DEVICE_TYPE_CPU] = "cpu",
};

/* @value: NULL for an item without a colon. Returns: whether it can be read */
typedef gboolean (*Set)(ShimConfig *config, const char *value);

static void
fake_clear(gpointer data)
{
    g_free(((ShimFake *) data)->name);
}

static gboolean
read_number(const char *text, guint64 most, guint64 *number)
{
    return text != NULL && g_ascii_string_to_unsigned(text, 10, 0, most, number, NULL);
}

static gboolean
read_count(const char *text, guint *count)
{
    guint64 number;

    if (!read_number(text, G_MAXUINT, &number) || number == 0)
        return FALSE;
    *count = (guint) number;
    return TRUE;
}

/* "N" or "N:R" */
static gboolean
set_loss(ShimConfig *config, const char *value, ShimLoss loss)
{
    g_auto(GStrv) parts = g_strsplit(value != NULL ? value : "", ":", 2);
    guint times = 1;

    if (!read_count(parts[0], &config->loss_at) ||
        (g_strv_length(parts) == 2 && !read_count(parts[1], &times)))
        return FALSE;
    config->loss = loss;
    config->losses_left = (gint) MIN(times, G_MAXINT);
    return TRUE;
}

static gboolean
set_lost(ShimConfig *config, const char *value)
{
    return set_loss(config, value, SHIM_LOSS_ANY);
}

static gboolean
set_lost_submit(ShimConfig *config, const char *value)
{
    return set_loss(config, value, SHIM_LOSS_SUBMIT);
}

static gboolean
set_lost_wait(ShimConfig *config, const char *value)
{
    return set_loss(config, value, SHIM_LOSS_WAIT);
}

static gboolean
set_memory(ShimConfig *config, const char *value)
{
    g_autofree char *number = g_strdup(value);

    config->memory_on = value != NULL && g_str_has_suffix(value, "+");
    if (config->memory_on)
        number[strlen(number) - 1] = '\0';
    return read_count(number, &config->memory_at);
}

static gboolean
set_heap(ShimConfig *config, const char *value)
{
    return read_number(value, G_MAXUINT64, &config->heap) && config->heap > 0;
}

static gboolean
set_no_barrier(ShimConfig *config, const char *value)
{
    return read_count(value, &config->no_barrier_at);
}

static gboolean
set_subgroups(ShimConfig *config, const char *value)
{
    config->no_subgroups = TRUE;
    return g_strcmp0(value, "none") == 0;
}

static gboolean
set_small(ShimConfig *config, const char *value)
{
    for (guint i = 0; i < SHIM_N_LIMITS; i++) {
        if (limits[i].small > 0)
            config->limits[i] = limits[i].small;
    }
    config->no_subgroups = TRUE;
    return value == NULL;
}

static gboolean
set_api(ShimConfig *config, const char *value)
{
    g_auto(GStrv) parts = g_strsplit(value != NULL ? value : "", ".", 2);
    guint64 major, minor;

    if (g_strv_length(parts) != 2 || !read_number(parts[0], 127, &major) ||
        !read_number(parts[1], 1023, &minor))
        return FALSE;
    config->api_version = VK_MAKE_API_VERSION(0, (guint32) major, (guint32) minor, 0);
    return TRUE;
}

static gboolean
set_no_timeline(ShimConfig *config, const char *value)
{
    config->no_timeline = TRUE;
    return value == NULL;
}

static gboolean
set_devices(ShimConfig *config, const char *value)
{
    guint64 number = 0;

    if (g_strcmp0(value, "none") != 0 && !read_number(value, 255, &number))
        return FALSE;
    config->n_devices = (int) number;
    return TRUE;
}

static gboolean
set_duplicate(ShimConfig *config, const char *value)
{
    config->duplicate = TRUE;
    return value == NULL;
}

/* "TEXT" or "TEXT:INDEX". Returns: (transfer full) (nullable): the text */
static char *
add_fake(ShimConfig *config, const char *value, ShimFake **fake)
{
    g_auto(GStrv) parts = g_strsplit(value != NULL ? value : "", ":", 2);
    ShimFake added = {.index = -1, .type = -1, .driver = -1};
    guint64 index;

    if (parts[0] == NULL || *parts[0] == '\0')
        return NULL;
    if (parts[1] != NULL) {
        if (!read_number(parts[1], G_MAXINT, &index))
            return NULL;
        added.index = (int) index;
    }
    g_array_append_val(config->fakes, added);
    *fake = &g_array_index(config->fakes, ShimFake, config->fakes->len - 1);
    return g_strdup(parts[0]);
}

static gboolean
set_type(ShimConfig *config, const char *value)
{
    ShimFake *fake = NULL;
    g_autofree char *text = add_fake(config, value, &fake);

    for (guint i = 0; text != NULL && i < G_N_ELEMENTS(types); i++) {
        if (g_str_equal(text, types[i]))
            fake->type = (int) i;
    }
    return text != NULL && fake->type >= 0;
}

static gboolean
set_name(ShimConfig *config, const char *value)
{
    ShimFake *fake = NULL;
    char *text = add_fake(config, value, &fake);

    if (text != NULL)
        fake->name = text;
    return text != NULL;
}

static gboolean
set_driver(ShimConfig *config, const char *value)
{
    ShimFake *fake = NULL;
    g_autofree char *text = add_fake(config, value, &fake);
    guint64 id;

    if (!read_number(text, G_MAXINT, &id))
        return FALSE;
    fake->driver = (int) id;
    return TRUE;
}

static gboolean
set_count(ShimConfig *config, const char *value)
{
    g_free(config->count_file);
    config->count_file = g_strdup(value);
    return value != NULL && *value != '\0';
}

static const struct {
    const char *name;
    Set set;
} items[] = {
    {"lost", set_lost},
    {"lost-submit", set_lost_submit},
    {"lost-wait", set_lost_wait},
    {"memory", set_memory},
    {"heap", set_heap},
    {"nobarrier", set_no_barrier},
    {"subgroups", set_subgroups},
    {"small", set_small},
    {"api", set_api},
    {"notimeline", set_no_timeline},
    {"devices", set_devices},
    {"duplicate", set_duplicate},
    {"type", set_type},
    {"name", set_name},
    {"driver", set_driver},
    {"count", set_count},
};

static gboolean
set_item(ShimConfig *config, const char *name, const char *value)
{
    for (guint i = 0; i < SHIM_N_LIMITS; i++) {
        if (g_str_equal(name, limits[i].name))
            return read_number(value, G_MAXUINT64, &config->limits[i]) && config->limits[i] > 0;
    }
    for (guint i = 0; i < G_N_ELEMENTS(items); i++) {
        if (g_str_equal(name, items[i].name))
            return items[i].set(config, value);
    }
    return FALSE;
}

void
shim_config_set(const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, ",", 0);

    g_clear_pointer(&shim_config.fakes, g_array_unref);
    g_free(shim_config.count_file);
    shim_config = (ShimConfig){.n_devices = -1};
    shim_config.fakes = g_array_new(FALSE, FALSE, sizeof(ShimFake));
    g_array_set_clear_func(shim_config.fakes, fake_clear);
    for (guint i = 0; parts[i] != NULL; i++) {
        g_auto(GStrv) pair = g_strsplit(parts[i], ":", 2);
        if (pair[0] == NULL || !set_item(&shim_config, pair[0], pair[1]))
            shim_fail("cannot read '%s' in '%s'", parts[i], text);
    }
}
