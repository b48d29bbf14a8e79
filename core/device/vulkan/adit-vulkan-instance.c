/* core/device/vulkan/adit-vulkan-instance.c - SPDX-License-Identifier: MIT */
#include "adit-vulkan-instance.h"

#include "adit-device-wish.h"

#define VALIDATION_LAYER "VK_LAYER_KHRONOS_validation"

/* ---- what the loader offers ---- */

static gboolean
has_layer(const AditVulkanApi *api, const char *name)
{
    guint32 n = 0;
    gboolean found = FALSE;

    if (api->EnumerateInstanceLayerProperties(&n, NULL) != VK_SUCCESS)
        return FALSE;
    g_autofree VkLayerProperties *layers = g_new0(VkLayerProperties, MAX(n, 1));
    api->EnumerateInstanceLayerProperties(&n, layers);
    for (guint32 i = 0; i < n; i++)
        found = found || g_str_equal(layers[i].layerName, name);
    return found;
}

static gboolean
has_extension(const AditVulkanApi *api, const char *name)
{
    guint32 n = 0;
    gboolean found = FALSE;

    if (api->EnumerateInstanceExtensionProperties(NULL, &n, NULL) != VK_SUCCESS)
        return FALSE;
    g_autofree VkExtensionProperties *extensions = g_new0(VkExtensionProperties, MAX(n, 1));
    api->EnumerateInstanceExtensionProperties(NULL, &n, extensions);
    for (guint32 i = 0; i < n; i++)
        found = found || g_str_equal(extensions[i].extensionName, name);
    return found;
}

/* ---- validation ---- */

static gboolean
read_validation(const AditVulkanApi *api, gboolean *wanted, GError **error)
{
    const char *value = g_getenv("ADIT_VULKAN_VALIDATION");

    *wanted = g_strcmp0(value, "1") == 0;
    if (!*wanted && value != NULL && *value != '\0' && !g_str_equal(value, "0")) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "ADIT_VULKAN_VALIDATION must be 0 or 1, got \"%s\"", value);
        return FALSE;
    }
    if (!*wanted || has_layer(api, VALIDATION_LAYER))
        return TRUE;
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_NO_DEVICE,
                "ADIT_VULKAN_VALIDATION is set, but the layer " VALIDATION_LAYER
                " is not installed");
    return FALSE;
}

static VKAPI_ATTR VkBool32 VKAPI_CALL
tell_message(VkDebugUtilsMessageSeverityFlagBitsEXT severity, VkDebugUtilsMessageTypeFlagsEXT types,
             const VkDebugUtilsMessengerCallbackDataEXT *data, void *user_data)
{
    g_critical("%s: %s", data->pMessageIdName != NULL ? data->pMessageIdName : "validation",
               data->pMessage);
    return VK_FALSE; /* the call goes on as it would without the layer */
}

/* What the loader says of files it cannot read is general, not validation. */
static const VkDebugUtilsMessengerCreateInfoEXT messenger_info = {
    .sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT,
    .messageSeverity = VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT |
                       VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
    .messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT,
    .pfnUserCallback = tell_message,
};

static gboolean
create_messenger(AditVulkanInstance *self, GError **error)
{
    VkResult result = VK_ERROR_EXTENSION_NOT_PRESENT;

    if (self->api.CreateDebugUtilsMessengerEXT != NULL &&
        self->api.DestroyDebugUtilsMessengerEXT != NULL)
        result = self->api.CreateDebugUtilsMessengerEXT(self->handle, &messenger_info, NULL,
                                                        &self->messenger);
    if (result == VK_SUCCESS)
        return TRUE;
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_NO_DEVICE,
                "the validation layer's messages cannot be had: %s",
                adit_vulkan_result_get_name(result));
    return FALSE;
}

/* ---- the instance ---- */

static gboolean
check_version(const AditVulkanApi *api, GError **error)
{
    guint32 version = VK_API_VERSION_1_0;

    if (api->EnumerateInstanceVersion(&version) == VK_SUCCESS && version >= VK_API_VERSION_1_2)
        return TRUE;
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_NO_DEVICE,
                "the Vulkan loader has Vulkan %u.%u, 1.2 is needed", VK_API_VERSION_MAJOR(version),
                VK_API_VERSION_MINOR(version));
    return FALSE;
}

static VkResult
create_handle(AditVulkanInstance *self, gboolean validates)
{
    static const VkValidationFeatureEnableEXT enabled[] = {
        VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT};
    const char *layers[] = {VALIDATION_LAYER};
    const char *extensions[3];
    VkApplicationInfo application = {.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
                                     .pApplicationName = "adit",
                                     .pEngineName = "adit",
                                     .apiVersion = VK_API_VERSION_1_2};
    VkDebugUtilsMessengerCreateInfoEXT messenger = messenger_info;
    VkValidationFeaturesEXT features = {.sType = VK_STRUCTURE_TYPE_VALIDATION_FEATURES_EXT,
                                        .pNext = &messenger,
                                        .enabledValidationFeatureCount = G_N_ELEMENTS(enabled),
                                        .pEnabledValidationFeatures = enabled};
    VkInstanceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
                                 .pApplicationInfo = &application,
                                 .ppEnabledExtensionNames = extensions};

    if (validates) {
        info.pNext = &features;
        info.enabledLayerCount = G_N_ELEMENTS(layers);
        info.ppEnabledLayerNames = layers;
        extensions[info.enabledExtensionCount++] = VK_EXT_DEBUG_UTILS_EXTENSION_NAME;
        extensions[info.enabledExtensionCount++] = VK_EXT_VALIDATION_FEATURES_EXTENSION_NAME;
    }
    if (has_extension(&self->api, VK_KHR_PORTABILITY_ENUMERATION_EXTENSION_NAME)) {
        info.flags = VK_INSTANCE_CREATE_ENUMERATE_PORTABILITY_BIT_KHR;
        extensions[info.enabledExtensionCount++] = VK_KHR_PORTABILITY_ENUMERATION_EXTENSION_NAME;
    }
    return self->api.CreateInstance(&info, NULL, &self->handle);
}

static gboolean
create(AditVulkanInstance *self, gboolean validates, GError **error)
{
    VkResult result = create_handle(self, validates);

    if (result == VK_ERROR_INCOMPATIBLE_DRIVER)
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_NO_DEVICE,
                    "the Vulkan loader finds no driver that works");
    else if (result != VK_SUCCESS)
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_NO_DEVICE, "Vulkan cannot be started: %s",
                    adit_vulkan_result_get_name(result));
    if (result != VK_SUCCESS) {
        self->handle = NULL;
        return FALSE;
    }
    return adit_vulkan_api_load_instance(&self->api, self->handle, error) &&
           (!validates || create_messenger(self, error));
}

static gboolean
find_physicals(AditVulkanInstance *self, GError **error)
{
    g_autofree VkPhysicalDevice *handles = NULL;
    guint32 n = 0;
    VkResult result;

    do { /* incomplete: there were more the second time */
        g_clear_pointer(&handles, g_free);
        result = self->api.EnumeratePhysicalDevices(self->handle, &n, NULL);
        if (result != VK_SUCCESS)
            break;
        handles = g_new0(VkPhysicalDevice, MAX(n, 1));
        result = self->api.EnumeratePhysicalDevices(self->handle, &n, handles);
    } while (result == VK_INCOMPLETE);
    /* a loader whose drivers all failed says so here, not when it is started */
    if (result != VK_SUCCESS && result != VK_ERROR_INITIALIZATION_FAILED) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_NO_DEVICE, "Vulkan cannot list its devices: %s",
                    adit_vulkan_result_get_name(result));
        return FALSE;
    }
    for (guint32 i = 0; result == VK_SUCCESS && i < n; i++)
        g_ptr_array_add(self->physicals, adit_vulkan_physical_new(&self->api, handles[i], i));
    adit_vulkan_physicals_find_duplicates(self->physicals);
    return TRUE;
}

AditVulkanInstance *
adit_vulkan_instance_new(GError **error)
{
    g_autoptr(AditVulkanInstance) self = g_new0(AditVulkanInstance, 1);
    gboolean validates = FALSE;

    self->ref_count = 1;
    self->physicals = g_ptr_array_new_with_free_func((GDestroyNotify) adit_vulkan_physical_free);
    if (!adit_vulkan_api_load(&self->api, error) || !check_version(&self->api, error) ||
        !read_validation(&self->api, &validates, error) || !create(self, validates, error) ||
        !find_physicals(self, error))
        return NULL;
    return g_steal_pointer(&self);
}

AditVulkanInstance *
adit_vulkan_instance_ref(AditVulkanInstance *self)
{
    g_atomic_int_inc(&self->ref_count);
    return self;
}

void
adit_vulkan_instance_unref(AditVulkanInstance *self)
{
    if (!g_atomic_int_dec_and_test(&self->ref_count))
        return;
    if (self->messenger != VK_NULL_HANDLE)
        self->api.DestroyDebugUtilsMessengerEXT(self->handle, self->messenger, NULL);
    if (self->handle != NULL && self->api.DestroyInstance != NULL)
        self->api.DestroyInstance(self->handle, NULL);
    g_ptr_array_unref(self->physicals);
    g_free(self);
}

/* ---- choosing ---- */

static guint
rank_type(const AditVulkanPhysical *physical)
{
    static const char *const order[] = {"discrete", "integrated", "virtual", "other", "cpu"};
    guint rank = 0;

    while (!g_str_equal(order[rank], physical->type))
        rank++;
    return rank;
}

/* Usable before not usable, what stands for itself before duplicates, then by type. */
static gboolean
is_better(const AditVulkanPhysical *a, const AditVulkanPhysical *b)
{
    if ((a->reason == NULL) != (b->reason == NULL))
        return a->reason == NULL;
    if ((a->duplicate_of < 0) != (b->duplicate_of < 0))
        return a->duplicate_of < 0;
    return rank_type(a) < rank_type(b);
}

static const AditVulkanPhysical *
find(const AditVulkanInstance *self, const AditDeviceWish *wish)
{
    const AditVulkanPhysical *best = NULL;

    for (guint i = 0; i < self->physicals->len; i++) {
        const AditVulkanPhysical *each = self->physicals->pdata[i];
        gboolean is_named = wish->by != ADIT_DEVICE_BY_RANK;

        if (!adit_device_wish_matches(wish, each->index, each->uuid, each->name) ||
            (!is_named && (each->reason != NULL || each->is_software)))
            continue;
        if (best == NULL || is_better(each, best))
            best = each;
    }
    return best;
}

/* "vulkan:0 (llvmpipe) computes on the CPU and is taken only by its name; vulkan:1 (...) ..." */
static char *
list_passed_over(const AditVulkanInstance *self, gboolean is_named)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; i < self->physicals->len; i++) {
        const AditVulkanPhysical *each = self->physicals->pdata[i];

        g_string_append_printf(text, "%svulkan:%u (%s)", i > 0 ? "; " : "", each->index,
                               each->name);
        if (is_named)
            continue;
        if (each->reason != NULL)
            g_string_append_printf(text, " cannot be used: %s", each->reason);
        else
            g_string_append(text, " computes on the CPU, it is taken only by name");
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

const AditVulkanPhysical *
adit_vulkan_instance_choose(const AditVulkanInstance *self, const char *wanted, GError **error)
{
    g_auto(AditDeviceWish) wish = {0};

    if (!adit_device_wish_init(&wish, wanted, error))
        return NULL;
    const AditVulkanPhysical *found = find(self, &wish);

    if (found != NULL && found->reason == NULL)
        return found;
    if (found != NULL) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_NO_DEVICE, "vulkan:%u (%s) cannot be used: %s",
                    found->index, found->name, found->reason);
        return NULL;
    }
    g_autofree char *list = list_passed_over(self, wanted != NULL);

    if (self->physicals->len == 0)
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_NO_DEVICE, "Vulkan lists no device");
    else if (wanted != NULL)
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_NO_DEVICE,
                    "no Vulkan device matches \"%s\"; there is %s", wanted, list);
    else
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_NO_DEVICE, "no GPU that can be used: %s", list);
    return NULL;
}
