/* core/device/vulkan/adit-shader-compiler.c - SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* strchrnul */
#include "adit-shader-compiler.h"

#include "adit-cache.h"

#include <gio/gio.h>
#include <string.h>

#define BUNDLE "/org/adit/shaders/"

static int
compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static void
hash_folder(const char *folder, GChecksum *checksum)
{
    g_auto(GStrv) names = g_resources_enumerate_children(folder, 0, NULL);
    guint n_names = names != NULL ? g_strv_length(names) : 0;

    if (n_names > 0)
        qsort(names, n_names, sizeof(char *), compare_names);
    for (guint i = 0; i < n_names; i++) {
        g_autofree char *path = g_strconcat(folder, names[i], NULL);
        g_autoptr(GBytes) bytes = NULL;
        guint64 size;

        if (g_str_has_suffix(path, "/")) {
            hash_folder(path, checksum);
            continue;
        }
        bytes = g_resources_lookup_data(path, 0, NULL);
        size = g_bytes_get_size(bytes);
        g_checksum_update(checksum, (const guchar *) path, (gssize) strlen(path) + 1);
        g_checksum_update(checksum, (const guchar *) &size, sizeof(size));
        g_checksum_update(checksum, g_bytes_get_data(bytes, NULL), (gssize) size);
    }
}

static char *
hash_resources(const char *folder)
{
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);

    hash_folder(folder, checksum);
    return g_strdup(g_checksum_get_string(checksum));
}

const char *
adit_shader_hash_bundle(void)
{
    static gsize hash = 0;

    if (g_once_init_enter(&hash))
        g_once_init_leave(&hash, GPOINTER_TO_SIZE(hash_resources(BUNDLE)));
    return GSIZE_TO_POINTER(hash);
}

gboolean
adit_shader_can_compile(void)
{
#ifdef ADIT_HAVE_SHADERC
    return TRUE;
#else
    return FALSE;
#endif
}

#ifdef ADIT_HAVE_SHADERC

#include <shaderc/shaderc.h>

#define TEXTS   BUNDLE "include/"
#define KIND    "shaders"
#define NO_TEXT "Adit has no such text"

typedef struct {
    shaderc_include_result result; /* what the compiler sees of it */
    char *name;
    GBytes *bytes;
} Include;

static shaderc_include_result *
include_cb(void *user_data, const char *name, int type, const char *from, size_t depth)
{
    Include *self = g_new0(Include, 1);
    g_autofree char *path = g_strconcat(TEXTS, name, NULL);

    self->bytes = g_resources_lookup_data(path, 0, NULL);
    if (self->bytes != NULL) {
        self->name = g_strdup(name);
        self->result.source_name = self->name;
        self->result.source_name_length = strlen(name);
        self->result.content = g_bytes_get_data(self->bytes, &self->result.content_length);
    } else {
        /* the compiler adds the name */
        self->result.source_name = "";
        self->result.content = NO_TEXT;
        self->result.content_length = strlen(NO_TEXT);
    }
    self->result.user_data = self;
    return &self->result;
}

static void
release_include_cb(void *user_data, shaderc_include_result *result)
{
    Include *self = result->user_data;

    g_clear_pointer(&self->bytes, g_bytes_unref);
    g_free(self->name);
    g_free(self);
}

static shaderc_compile_options_t
make_options(const char *const *defines, gboolean optimised)
{
    shaderc_compile_options_t options = shaderc_compile_options_initialize();

    shaderc_compile_options_set_target_env(options, shaderc_target_env_vulkan,
                                           shaderc_env_version_vulkan_1_2);
    shaderc_compile_options_set_target_spirv(options, shaderc_spirv_version_1_5);
    shaderc_compile_options_set_forced_version_profile(options, 450, shaderc_profile_core);
    shaderc_compile_options_set_optimization_level(
        options,
        optimised ? shaderc_optimization_level_performance : shaderc_optimization_level_zero);
    shaderc_compile_options_set_include_callbacks(options, include_cb, release_include_cb, NULL);
    for (guint i = 0; defines != NULL && defines[i] != NULL; i++) {
        const char *end = strchrnul(defines[i], '=');
        const char *value = *end != '\0' ? end + 1 : end;

        shaderc_compile_options_add_macro_definition(
            options, defines[i], (gsize) (end - defines[i]), value, strlen(value));
    }
    return options;
}

/* Of "NAME:LINE: error: MESSAGE" in a list of complaints the first, without the word. */
static char *
find_first_error(const char *messages)
{
    static const char word[] = ": error: ";
    g_auto(GStrv) lines = g_strsplit(messages, "\n", -1);

    for (guint i = 0; lines[i] != NULL; i++) {
        char *at = strstr(lines[i], word);

        if (at == NULL)
            continue;
        *at = '\0';
        return g_strconcat(lines[i], ": ", at + strlen(word), NULL);
    }
    return g_strdup(lines[0] != NULL ? lines[0] : "");
}

static GBytes *
compile(const char *name, const char *text, const char *const *defines, gboolean optimised,
        GError **error)
{
    static gsize compiler = 0;
    shaderc_compile_options_t options = make_options(defines, optimised);
    shaderc_compilation_result_t result;
    GBytes *bytes = NULL;

    /* for the life of the program: starting one takes as long as a short text */
    if (g_once_init_enter(&compiler))
        g_once_init_leave(&compiler, GPOINTER_TO_SIZE(shaderc_compiler_initialize()));
    result = shaderc_compile_into_spv(GSIZE_TO_POINTER(compiler), text, strlen(text),
                                      shaderc_compute_shader, name, "main", options);
    if (shaderc_result_get_compilation_status(result) == shaderc_compilation_status_success) {
        bytes = g_bytes_new(shaderc_result_get_bytes(result), shaderc_result_get_length(result));
    } else {
        g_autofree char *message = find_first_error(shaderc_result_get_error_message(result));

        g_set_error(error, ADIT_ERROR, ADIT_ERROR_FAILED, "cannot compile the shader %s", message);
    }
    shaderc_result_release(result);
    shaderc_compile_options_release(options);
    return bytes;
}

static void
add_text(GByteArray *bytes, const char *text)
{
    /* with its end, so that no two lists of texts make the same bytes */
    g_byte_array_append(bytes, (const guint8 *) text, (guint) strlen(text) + 1);
}

static const char *
hash_texts(void)
{
    static gsize hash = 0;

    if (g_once_init_enter(&hash))
        g_once_init_leave(&hash, GPOINTER_TO_SIZE(hash_resources(TEXTS)));
    return GSIZE_TO_POINTER(hash);
}

static GBytes *
make_key(const char *text, const char *const *defines, gboolean optimised)
{
    GByteArray *bytes = g_byte_array_new();

    add_text(bytes, "Adit " ADIT_VERSION ", shaderc " ADIT_SHADERC_VERSION);
    add_text(bytes, hash_texts());
    add_text(bytes, optimised ? "optimised" : "plain");
    for (guint i = 0; defines != NULL && defines[i] != NULL; i++)
        add_text(bytes, defines[i]);
    add_text(bytes, "");
    add_text(bytes, text);
    return g_byte_array_free_to_bytes(bytes);
}

static GBytes *
compile_or_load(const char *name, const char *text, const char *const *defines, gboolean optimised,
                GError **error)
{
    g_autoptr(GBytes) key = make_key(text, defines, optimised);
    GBytes *bytes = adit_cache_load(KIND, key);

    if (bytes != NULL)
        return bytes;
    bytes = compile(name, text, defines, optimised, error);
    if (bytes != NULL)
        adit_cache_save(KIND, key, bytes);
    return bytes;
}

#else

static GBytes *
compile_or_load(const char *name, const char *text, const char *const *defines, gboolean optimised,
                GError **error)
{
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_FAILED,
                "cannot compile the shader %s: this build has no shaderc", name);
    return NULL;
}

#endif

GBytes *
adit_shader_compile(const char *name, const char *text, const char *const *defines, GError **error)
{
    return compile_or_load(name, text, defines, TRUE, error);
}

GBytes *
adit_shader_compile_plain(const char *name, const char *text, const char *const *defines,
                          GError **error)
{
    return compile_or_load(name, text, defines, FALSE, error);
}

GBytes *
adit_shader_compile_op(const AditOp *op, gboolean optimised, GError **error)
{
    g_autofree char *text = g_strconcat("#include \"elements.glsl\"\n#line 1\n", op->shader, NULL);
    GError *reason = NULL;
    GBytes *bytes = compile_or_load(op->name, text, NULL, optimised, &reason);

    if (reason != NULL && adit_shader_can_compile())
        reason->code = ADIT_ERROR_PLUGIN;
    if (reason != NULL)
        g_propagate_error(error, reason);
    return bytes;
}
