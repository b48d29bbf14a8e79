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
    gsize columns; /* up to which it is taken */
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

static void
set_tile(guint32 *constants, AditVulkanKind kind, gsize columns)
{
    const Tile *tile = kind == ADIT_VULKAN_SLICE_TILES ? &slice_tile : tiles;

    while (tile->columns < columns)
        tile++;
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

static VkShaderModule
make_module(AditVulkanDevice *device, GBytes *code, GError **error)
{
    VkShaderModule module = VK_NULL_HANDLE;
    gsize size;
    const guint32 *words = g_bytes_get_data(code, &size);
    VkShaderModuleCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO, .codeSize = size, .pCode = words};
    VkResult result = device->api.CreateShaderModule(device->handle, &info, NULL, &module);

    if (result != VK_SUCCESS) {
        adit_vulkan_fail(device, result, "making a shader");
        g_propagate_error(error, g_error_copy(device->error));
    }
    return module;
}

static gboolean
make_pipeline(AditVulkanDevice *device, AditVulkanKernel *self, VkShaderModule module,
              AditKernelForm form, GError **error)
{
    VkSpecializationMapEntry entries[ADIT_VULKAN_CONSTANTS];
    for (guint32 i = 0; i < ADIT_VULKAN_CONSTANTS; i++)
        entries[i] = (VkSpecializationMapEntry){i, i * sizeof(guint32), sizeof(guint32)};
    VkSpecializationInfo constants = {.mapEntryCount = ADIT_VULKAN_CONSTANTS,
                                      .pMapEntries = entries,
                                      .dataSize = sizeof self->constants,
                                      .pData = self->constants};
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

    if (result == VK_SUCCESS)
        return TRUE;
    adit_vulkan_fail(device, result, "making a pipeline");
    g_propagate_error(error, g_error_copy(device->error));
    return FALSE;
}

static void
set_constants(AditVulkanDevice *device, AditVulkanKernel *self, const AditOp *op,
              const AditVulkanShape *shape)
{
    guint number = find_pointwise(op);

    self->constants[CONSTANT_SIZE] = 64;
    self->constants[CONSTANT_SUBGROUP] = device->physical->subgroup_size;
    if (self->kind == ADIT_VULKAN_TILES || self->kind == ADIT_VULKAN_SLICE_TILES)
        set_tile(self->constants, self->kind, shape->columns);
    if (number != G_MAXUINT) {
        self->constants[CONSTANT_ROW] = number;
        self->constants[CONSTANT_ALIKE] = shape->is_alike;
    }
}

/* The name of the shader, and how many workgroups it gets; NULL: the text that @op brings. */
static const char *
find_shader(const char *name, const AditOp *op, AditVulkanKind *kind)
{
    const Row *row = find_row(name);

    *kind = row != NULL ? row->kind : ADIT_VULKAN_ELEMENTS;
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

const AditVulkanKernel *
adit_vulkan_kernel_get(AditVulkanDevice *device, const char *name, const AditOp *op,
                       const AditVulkanShape *shape, GError **error)
{
    AditVulkanKernel kernel = {0};
    AditKernelForm form = choose_form(device, name);
    const char *shader = find_shader(name, op, &kernel.kind);

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
    VkShaderModule module = make_module(device, code, error);
    if (module == VK_NULL_HANDLE)
        return NULL;
    gboolean made = make_pipeline(device, &kernel, module, form, error);
    device->api.DestroyShaderModule(device->handle, module, NULL);
    if (!made)
        return NULL;
    AditVulkanKernel *self = g_memdup2(&kernel, sizeof kernel);
    g_hash_table_insert(device->kernels, g_steal_pointer(&key), self);
    return self;
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
