/* core/device/vulkan/adit-vulkan-kernels.c - SPDX-License-Identifier: MIT */
#include "adit-vulkan-private.h"

#include "adit-pointwise.h"
#include "adit-shader-compiler.h"

#include <gio/gio.h>
#include <string.h>

#define SHADERS "/org/adit/shaders/"

/* The specialization constants, by number; shaders take those they declare. */
enum {
    CONSTANT_SIZE = 0, /* invocations a workgroup */
    CONSTANT_ROW = 1,  /* pointwise: number of the operation */
    CONSTANT_ALIKE = 2,
    CONSTANT_TILE_ROWS = 1,
    CONSTANT_TILE_COLUMNS = 2,
    CONSTANT_SUBGROUP = 3,
    CONSTANT_MICRO_ROWS = 4,
    CONSTANT_MICRO_COLUMNS = 5,
};

typedef struct {
    const char *name;
    const char *shader;
    AditVulkanKind kind;
} Row;

static const Row rows[] = {
#define ADIT_VULKAN_KERNEL(name, shader, kind) {name, shader, ADIT_VULKAN_##kind},
#include "adit-vulkan-kernels.def"
};

static const char *const form_names[] = {
    [ADIT_FORM_SUBGROUP] = "subgroup.",
    [ADIT_FORM_OPTIMISED] = "",
    [ADIT_FORM_PLAIN] = "plain.",
};

static const Row *
find_row(const char *name)
{
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    }
    return NULL;
}

/* ---- forms ---- */

static GBytes *
load_form(const char *shader, AditKernelForm form)
{
    g_autofree char *path = g_strconcat(SHADERS, shader, ".", form_names[form], "spv", NULL);

    return g_resources_lookup_data(path, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
}

static gboolean
has_subgroups(const AditVulkanPhysical *physical)
{
    return physical->subgroup_full && physical->subgroup_shuffle && physical->subgroup_size >= 4 &&
           physical->subgroup_size <= 64;
}

/* The form that was set for a kernel, else the best that the device can have. */
static AditKernelForm
choose_form(AditVulkanDevice *device, const char *name)
{
    gpointer set = g_hash_table_lookup(device->forms, name);

    if (set != NULL)
        return (AditKernelForm) (GPOINTER_TO_UINT(set) - 1);
    return has_subgroups(device->physical) ? ADIT_FORM_SUBGROUP : ADIT_FORM_OPTIMISED;
}

/* The code of a shader in form @form or, where it has none, the next best. */
static GBytes *
load_code(const char *shader, AditKernelForm *form)
{
    for (; *form < G_N_ELEMENTS(form_names); (*form)++) {
        GBytes *code = load_form(shader, *form);

        if (code != NULL)
            return code;
    }
    return NULL;
}

gboolean
adit_vulkan_kernel_set_form(AditVulkanDevice *device, const char *name, AditKernelForm form)
{
    const Row *row = find_row(name);
    const char *shader = row != NULL ? row->shader : "pointwise";
    g_autoptr(GBytes) code = load_form(shader, form);

    if (code == NULL || (form == ADIT_FORM_SUBGROUP && !has_subgroups(device->physical)))
        return FALSE;
    g_hash_table_insert(device->forms, g_strdup(name), GUINT_TO_POINTER(form + 1));
    return TRUE;
}

/* ---- tiles ---- */

typedef struct {
    gsize most; /* columns, or lines of an image's tiles, up to which it is taken */
    guint32 rows, across, micro_rows, micro_columns;
} Tile;

/* None has more than 128 invocations; which one is taken changes no bit of a product. */
static const Tile tiles[] = {
    {4, 128, 4, 4, 1},
    {16, 64, 16, 4, 2},
    {32, 64, 32, 4, 4},
    {G_MAXSIZE, 64, 64, 8, 4},
};
static const Tile slice_tile = {G_MAXSIZE, 16, 16, 2, 1};
static const Tile image_tiles[] = {
    {4, 4, 128, 1, 4}, {16, 16, 64, 2, 4}, {32, 32, 64, 4, 4}, {G_MAXSIZE, 64, 64, 8, 4}};
static const Tile kernel_tiles[] = {{16, 16, 32, 2, 2}, {G_MAXSIZE, 32, 32, 4, 2}};
static const Tile direct_tiles[] = {{4, 128, 4, 1, 4}, {G_MAXSIZE, 32, 16, 1, 4}};

static gboolean
is_product(AditVulkanKind kind)
{
    return kind == ADIT_VULKAN_TILES || kind == ADIT_VULKAN_SLICE_TILES ||
           kind == ADIT_VULKAN_BATCH_TILES;
}

/* Sums up to this length need no shared memory: what neighbours read lies in the nearest cache. */
static gboolean
is_direct(AditVulkanKind kind, const AditVulkanShape *shape)
{
    return shape->depth <= (kind == ADIT_VULKAN_SLICE_TILES ? 256 : 64);
}

const char *
adit_vulkan_find_product(AditVulkanKind kind, const AditVulkanShape *shape)
{
    if (kind == ADIT_VULKAN_SLICE_TILES)
        return is_direct(kind, shape) ? "matmul-rows-direct" : "matmul-rows";
    if (kind == ADIT_VULKAN_BATCH_TILES)
        return is_direct(kind, shape) ? "batch-matmul-direct" : "batch-matmul";
    return is_direct(kind, shape) ? "matmul-direct" : "matmul";
}

/* The tile for a product, from the table of its kind. */
static const Tile *
find_tile(AditVulkanKind kind, const AditVulkanShape *shape)
{
    gboolean is_image = kind == ADIT_VULKAN_IMAGE_TILES || kind == ADIT_VULKAN_KERNEL_TILES;
    const Tile *tile = kind == ADIT_VULKAN_IMAGE_TILES    ? image_tiles
                       : kind == ADIT_VULKAN_KERNEL_TILES ? kernel_tiles
                       : is_direct(kind, shape)           ? direct_tiles
                       : kind == ADIT_VULKAN_SLICE_TILES  ? &slice_tile
                                                          : tiles;

    while (tile->most < (is_image ? shape->lines : shape->columns))
        tile++;
    return tile;
}

static void
set_tile(guint32 *constants, AditVulkanKind kind, const AditVulkanShape *shape)
{
    const Tile *tile = find_tile(kind, shape);

    constants[CONSTANT_TILE_ROWS] = tile->rows;
    constants[CONSTANT_TILE_COLUMNS] = tile->across;
    constants[CONSTANT_MICRO_ROWS] = tile->micro_rows;
    constants[CONSTANT_MICRO_COLUMNS] = tile->micro_columns;
    constants[CONSTANT_SIZE] = tile->rows / tile->micro_rows * (tile->across / tile->micro_columns);
}

/* ---- making ---- */

static guint
find_pointwise(const AditOp *op)
{
    guint n;
    const AditPointwise *list = adit_pointwise_list(&n);

    for (guint i = 0; op != NULL && i < n; i++) {
        if (list[i].op == op)
            return i;
    }
    return G_MAXUINT;
}

/* What a driver cannot make of one shader says nothing of the others, unless the device is lost or
 * full; always FALSE. */
static gboolean
fail_to_make(AditVulkanDevice *device, VkResult result, const char *what, GError **error)
{
    gboolean is_last = result == VK_ERROR_DEVICE_LOST || result == VK_ERROR_OUT_OF_HOST_MEMORY ||
                       result == VK_ERROR_OUT_OF_DEVICE_MEMORY;

    if (is_last) {
        adit_vulkan_fail(device, result, what);
        g_propagate_error(error, g_error_copy(device->error));
        return FALSE;
    }
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_FAILED, "device '%s' (%s %s) failed %s: %s",
                device->physical->name, device->physical->driver, device->physical->driver_version,
                what, adit_vulkan_result_get_name(result));
    return FALSE;
}

static VkShaderModule
make_module(AditVulkanDevice *device, GBytes *code, GError **error)
{
    VkShaderModule module = VK_NULL_HANDLE;
    gsize size;
    const guint32 *words = g_bytes_get_data(code, &size);
    VkShaderModuleCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO, .codeSize = size, .pCode = words};
    VkResult result = device->api.CreateShaderModule(device->handle, &info, NULL, &module);

    if (result != VK_SUCCESS)
        fail_to_make(device, result, "making a shader", error);
    return module;
}

static gboolean
make_pipeline(AditVulkanDevice *device, AditVulkanKernel *self, VkShaderModule module,
              AditKernelForm form, const guint32 *values, guint n_values, GError **error)
{
    g_autofree VkSpecializationMapEntry *entries = g_new(VkSpecializationMapEntry, n_values + 1);
    for (guint32 i = 0; i < n_values; i++)
        entries[i] = (VkSpecializationMapEntry){i, i * sizeof(guint32), sizeof(guint32)};
    VkSpecializationInfo constants = {.mapEntryCount = n_values,
                                      .pMapEntries = entries,
                                      .dataSize = n_values * sizeof(guint32),
                                      .pData = values};
    VkPipelineShaderStageRequiredSubgroupSizeCreateInfo subgroup = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_REQUIRED_SUBGROUP_SIZE_CREATE_INFO,
        .requiredSubgroupSize = device->physical->subgroup_size};
    gboolean is_full = form == ADIT_FORM_SUBGROUP;
    VkComputePipelineCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
        .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                  .pNext = is_full ? &subgroup : NULL,
                  .flags = is_full ? VK_PIPELINE_SHADER_STAGE_CREATE_REQUIRE_FULL_SUBGROUPS_BIT : 0,
                  .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                  .module = module,
                  .pName = "main",
                  .pSpecializationInfo = &constants},
        .layout = device->layout};
    VkResult result = device->api.CreateComputePipelines(device->handle, device->cache, 1, &info,
                                                         NULL, &self->pipeline);

    return result == VK_SUCCESS || fail_to_make(device, result, "making a pipeline", error);
}

static void
set_constants(AditVulkanDevice *device, AditVulkanKernel *self, const AditOp *op,
              const AditVulkanShape *shape)
{
    guint number = find_pointwise(op);

    self->constants[CONSTANT_SIZE] = 64;
    self->constants[CONSTANT_SUBGROUP] = device->physical->subgroup_size;
    if (self->kind >= ADIT_VULKAN_TILES && self->kind <= ADIT_VULKAN_KERNEL_TILES)
        set_tile(self->constants, self->kind, shape);
    if (number != G_MAXUINT) {
        self->constants[CONSTANT_ROW] = number;
        self->constants[CONSTANT_ALIKE] = shape->is_alike;
    }
}

/* The name of the shader, and how many workgroups it gets; NULL: the text that @op brings. */
static const char *
find_shader(const char *name, const AditOp *op, const AditVulkanShape *shape, AditVulkanKind *kind)
{
    const Row *row = find_row(name);

    *kind = row != NULL ? row->kind : ADIT_VULKAN_ELEMENTS;
    if (is_product(*kind))
        return adit_vulkan_find_product(*kind, shape);
    if (row != NULL)
        return row->shader;
    return find_pointwise(op) != G_MAXUINT ? "pointwise" : NULL;
}

/* Why a plugin's operation cannot be computed here; NULL: it can. */
static const char *
find_obstacle(const AditOp *op)
{
    if (op == NULL || op->shader == NULL)
        return "has no shader";
    if (op->over_rows)
        return "sums over rows, which a plugin's shader cannot";
    return adit_shader_can_compile() ? NULL : "needs its shader compiled, and this build cannot";
}

static GBytes *
make_code(const char *name, const AditOp *op, const char *shader, AditKernelForm *form,
          GError **error)
{
    GBytes *code = shader != NULL ? load_code(shader, form) : NULL;
    const char *obstacle = code == NULL ? find_obstacle(op) : NULL;

    if (code != NULL)
        return code;
    if (obstacle != NULL) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_NO_DEVICE,
                    "operation '%s' %s: it runs on the CPU only; use --device cpu", name, obstacle);
        return NULL;
    }
    *form = MAX(*form, ADIT_FORM_OPTIMISED);
    return adit_shader_compile_op(op, *form == ADIT_FORM_OPTIMISED, error);
}

/* Makes @kernel's pipeline and keeps it by @key; @values: its specialization constants. */
static const AditVulkanKernel *
keep_kernel(AditVulkanDevice *device, const AditVulkanKernel *kernel, char *key, GBytes *code,
            AditKernelForm form, const guint32 *values, guint n_values, GError **error)
{
    g_autofree char *owned = key;
    g_autofree AditVulkanKernel *self = g_memdup2(kernel, sizeof *kernel);
    VkShaderModule module = make_module(device, code, error);

    if (module == VK_NULL_HANDLE)
        return NULL;
    gboolean made = make_pipeline(device, self, module, form, values, n_values, error);
    device->api.DestroyShaderModule(device->handle, module, NULL);
    if (!made)
        return NULL;
    g_hash_table_insert(device->kernels, g_steal_pointer(&owned), self);
    return g_steal_pointer(&self);
}

const AditVulkanKernel *
adit_vulkan_kernel_get(AditVulkanDevice *device, const char *name, const AditOp *op,
                       const AditVulkanShape *shape, GError **error)
{
    AditVulkanKernel kernel = {0};
    AditKernelForm form = choose_form(device, name);
    const char *shader = find_shader(name, op, shape, &kernel.kind);

    set_constants(device, &kernel, op, shape);
    const guint32 *c = kernel.constants;
    g_autofree char *key =
        g_strdup_printf("%s %u %u %u %u %u %u", name, form, c[0], c[1], c[2], c[4], c[5]);
    const AditVulkanKernel *known = g_hash_table_lookup(device->kernels, key);
    if (known != NULL)
        return known;
    g_autoptr(GBytes) code = make_code(name, op, shader, &form, error);
    if (code == NULL)
        return NULL;
    return keep_kernel(device, &kernel, g_steal_pointer(&key), code, form, kernel.constants,
                       ADIT_VULKAN_CONSTANTS, error);
}

const AditVulkanKernel *
adit_vulkan_kernel_get_fused(AditVulkanDevice *device, const char *text,
                             const AditVulkanShape *shape, GError **error)
{
    AditVulkanKernel kernel = {.kind =
                                   shape->columns > 0 ? ADIT_VULKAN_TILES : ADIT_VULKAN_ELEMENTS};

    set_constants(device, &kernel, NULL, shape);
    g_autofree char *key =
        g_strdup_printf("%u %u %s", kernel.constants[0], kernel.constants[1], text);
    const AditVulkanKernel *known = g_hash_table_lookup(device->kernels, key);
    if (known != NULL)
        return known;
    g_autoptr(GBytes) code = adit_shader_compile("fused", text, NULL, error);
    if (code == NULL)
        return NULL;
    return keep_kernel(device, &kernel, g_steal_pointer(&key), code, ADIT_FORM_OPTIMISED,
                       kernel.constants, ADIT_VULKAN_CONSTANTS, error);
}

const AditVulkanKernel *
adit_vulkan_kernel_get_walk(AditVulkanDevice *device, const char *text, const GArray *constants,
                            GError **error)
{
    AditVulkanKernel kernel = {.kind = ADIT_VULKAN_ONE};
    const guint32 *values = (const guint32 *) constants->data;
    g_autoptr(GString) key = g_string_new("walk");

    for (guint i = 0; i < constants->len; i++)
        g_string_append_printf(key, " %u", values[i]);
    g_string_append(key, text);
    const AditVulkanKernel *known = g_hash_table_lookup(device->kernels, key->str);
    if (known != NULL)
        return known;
    g_autoptr(GBytes) code = adit_shader_compile("walk", text, NULL, error);
    if (code == NULL)
        return NULL;
    return keep_kernel(device, &kernel, g_strdup(key->str), code, ADIT_FORM_OPTIMISED, values,
                       constants->len, error);
}

void
adit_vulkan_kernels_clear(AditVulkanDevice *device)
{
    GHashTableIter iter;
    gpointer kernel;

    g_hash_table_iter_init(&iter, device->kernels);
    while (g_hash_table_iter_next(&iter, NULL, &kernel))
        device->api.DestroyPipeline(device->handle, ((AditVulkanKernel *) kernel)->pipeline, NULL);
    g_hash_table_remove_all(device->kernels);
}
