/* tests/core/device/test-pipeline-cache.c - SPDX-License-Identifier: MIT */
#include "adit-file.h"
#include "adit-vulkan-pipeline-cache.h"
#include "cache-tests.h"

#include <glib/gstdio.h>

/* A driver that keeps what it is given and gives what it is told to. */
static struct {
    GBytes *given;      /* to the cache that was created last; NULL: nothing */
    GBytes *holds;      /* what its caches hold */
    gboolean is_choosy; /* takes no caches of others */
    gboolean is_broken; /* makes none at all */
    guint n_created;
} driver;

static VKAPI_ATTR VkResult VKAPI_CALL
create_cache(VkDevice device, const VkPipelineCacheCreateInfo *info,
             const VkAllocationCallbacks *allocator, VkPipelineCache *cache)
{
    driver.n_created++;
    if (driver.is_broken || (driver.is_choosy && info->initialDataSize > 0))
        return VK_ERROR_INITIALIZATION_FAILED;
    g_clear_pointer(&driver.given, g_bytes_unref);
    if (info->initialDataSize > 0)
        driver.given = g_bytes_new(info->pInitialData, info->initialDataSize);
    *cache = (VkPipelineCache) (gsize) 1;
    return VK_SUCCESS;
}

static VKAPI_ATTR VkResult VKAPI_CALL
get_data(VkDevice device, VkPipelineCache cache, size_t *size, void *data)
{
    gsize length;
    const void *bytes = g_bytes_get_data(driver.holds, &length);

    if (data != NULL)
        memcpy(data, bytes, length);
    *size = length;
    return VK_SUCCESS;
}

static const AditVulkanApi api = {
    .CreatePipelineCache = create_cache,
    .GetPipelineCacheData = get_data,
};

static const AditVulkanPhysical physical = {
    .vendor = 0x10de,
    .device = 0x2335,
    .raw_driver_version = 0x8a4c0000,
    .cache_uuid = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16},
};

/* What a driver says of @of: its head and @length bytes behind it. */
static GBytes *
make_data(const AditVulkanPhysical *of, gsize length)
{
    VkPipelineCacheHeaderVersionOne header = {
        .headerSize = sizeof(header),
        .headerVersion = VK_PIPELINE_CACHE_HEADER_VERSION_ONE,
        .vendorID = of->vendor,
        .deviceID = of->device,
    };
    guint8 *data = g_malloc0(sizeof(header) + length);

    memcpy(header.pipelineCacheUUID, of->cache_uuid, VK_UUID_SIZE);
    memcpy(data, &header, sizeof(header));
    memset(data + sizeof(header), (int) length, length);
    return g_bytes_new_take(data, sizeof(header) + length);
}

static void
hold(GBytes *bytes)
{
    g_clear_pointer(&driver.holds, g_bytes_unref);
    driver.holds = bytes;
}

static void
save(const AditVulkanPhysical *of)
{
    adit_vulkan_pipeline_cache_save(&api, NULL, of, (VkPipelineCache) (gsize) 1);
}

/* What the driver is given for @of; NULL: nothing. */
static GBytes *
load(const AditVulkanPhysical *of)
{
    driver.n_created = 0;
    g_assert_true(adit_vulkan_pipeline_cache_load(&api, NULL, of) != VK_NULL_HANDLE);
    return driver.given;
}

static guint
count_entries(char **path)
{
    g_autofree char *folder = g_build_filename(g_get_user_cache_dir(), "adit", "pipelines", NULL);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;
    guint count = 0;

    for (; dir != NULL && (name = g_dir_read_name(dir)) != NULL; count++) {
        if (path != NULL)
            *path = g_build_filename(folder, name, NULL);
    }
    return count;
}

static void
test_kept(void)
{
    g_assert_null(load(&physical));
    hold(make_data(&physical, 100));
    save(&physical);
    g_assert_true(g_bytes_equal(load(&physical), driver.holds));
    g_assert_cmpuint(driver.n_created, ==, 1);
}

static void
test_only_grown(void)
{
    g_autoptr(GBytes) large = make_data(&physical, 101);

    hold(make_data(&physical, 0));
    save(&physical);
    g_assert_cmpuint(count_entries(NULL), ==, 0);
    hold(make_data(&physical, 100));
    save(&physical);
    hold(g_bytes_ref(large));
    save(&physical);
    hold(make_data(&physical, 99));
    save(&physical);
    g_assert_true(g_bytes_equal(load(&physical), large));
    g_assert_cmpuint(count_entries(NULL), ==, 1);
    adit_vulkan_pipeline_cache_save(&api, NULL, &physical, VK_NULL_HANDLE);
    g_assert_true(g_bytes_equal(load(&physical), large));
}

static void
test_of_others(void)
{
    AditVulkanPhysical others[] = {physical, physical, physical, physical};

    others[0].vendor++;
    others[1].device++;
    others[2].raw_driver_version++;
    others[3].cache_uuid[15]++;
    hold(make_data(&physical, 100));
    save(&physical);
    for (guint i = 0; i < G_N_ELEMENTS(others); i++)
        g_assert_null(load(&others[i]));
    g_assert_nonnull(load(&physical));
}

/* A head that tells of another device is not given to the driver, whoever wrote it. */
static void
test_foreign_head(void)
{
    AditVulkanPhysical other = physical;

    other.cache_uuid[0]++;
    hold(make_data(&other, 100));
    save(&physical);
    g_assert_cmpuint(count_entries(NULL), ==, 1);
    g_assert_null(load(&physical));
    hold(make_data(&physical, 50));
    save(&physical);
    g_assert_true(g_bytes_equal(load(&physical), driver.holds));
}

static void
test_damaged(void)
{
    g_autofree char *path = NULL;
    g_autofree char *file = NULL;
    gsize size;

    hold(make_data(&physical, 100));
    save(&physical);
    g_assert_cmpuint(count_entries(&path), ==, 1);
    g_assert_true(adit_file_read(path, 10000, &file, &size, NULL));
    for (gsize i = 0; i < size; i++) {
        file[i] ^= 0x10;
        g_assert_true(g_file_set_contents_full(path, file, (gssize) size,
                                               G_FILE_SET_CONTENTS_CONSISTENT, 0600, NULL));
        g_assert_null(load(&physical));
        file[i] ^= 0x10;
    }
    save(&physical);
    g_assert_true(g_bytes_equal(load(&physical), driver.holds));
}

static void
test_refused(void)
{
    hold(make_data(&physical, 100));
    save(&physical);
    driver.is_choosy = TRUE;
    g_assert_null(load(&physical));
    g_assert_cmpuint(driver.n_created, ==, 2);
    driver.is_choosy = FALSE;
    driver.is_broken = TRUE;
    g_assert_true(adit_vulkan_pipeline_cache_load(&api, NULL, &physical) == VK_NULL_HANDLE);
    driver.is_broken = FALSE;
}

int
main(int argc, char **argv)
{
    static const CacheTest tests[] = {
        {"/pipeline-cache/kept", test_kept},
        {"/pipeline-cache/only-grown", test_only_grown},
        {"/pipeline-cache/of-others", test_of_others},
        {"/pipeline-cache/foreign-head", test_foreign_head},
        {"/pipeline-cache/damaged", test_damaged},
        {"/pipeline-cache/refused", test_refused},
    };
    int result;

    g_test_init(&argc, &argv, NULL);
    result = cache_tests_run(tests, G_N_ELEMENTS(tests));
    g_clear_pointer(&driver.given, g_bytes_unref);
    g_clear_pointer(&driver.holds, g_bytes_unref);
    return result;
}
