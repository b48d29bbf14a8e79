/* tests/core/device/test-shader-compiler.c - SPDX-License-Identifier: MIT */
#include "adit-cache.h"
#include "adit-file.h"
#include "adit-shader-compiler.h"
#include "cache-tests.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <unistd.h>

#define HEAD  "#include \"elements.glsl\"\n"
#define TWICE HEAD "void compute(uint e) { OUT(e) = IN0(e) * 2.0; }\n"

/* Of a cache's file: core/base/adit-cache.c. */
#define AT_CHECKSUM 48
#define HEADER_SIZE 80

static GBytes *
compile(const char *text, const char *const *defines)
{
    g_autoptr(GError) error = NULL;
    GBytes *bytes = adit_shader_compile("test", text, defines, &error);

    g_assert_no_error(error);
    return bytes;
}

static void
assert_valid(GBytes *bytes)
{
    g_autofree char *program = g_find_program_in_path("spirv-val");
    g_autofree char *path = g_build_filename(g_get_user_cache_dir(), "shader.spv", NULL);
    g_autofree char *told = NULL;
    g_autoptr(GError) error = NULL;
    const char *words[] = {program, "--target-env", "vulkan1.2", path, NULL};
    const guint32 *spirv = g_bytes_get_data(bytes, NULL);
    int status;

    /* the magic number; version 1.5 */
    g_assert_cmphex(spirv[0], ==, 0x07230203);
    g_assert_cmphex(spirv[1], ==, 0x00010500);
    g_assert_cmpuint(g_bytes_get_size(bytes) % 4, ==, 0);
    if (program == NULL)
        return;
    g_mkdir_with_parents(g_get_user_cache_dir(), 0700);
    adit_file_write(path, spirv, g_bytes_get_size(bytes), &error);
    g_assert_no_error(error);
    g_spawn_sync(NULL, (char **) words, NULL, 0, NULL, NULL, NULL, &told, &status, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(told, ==, "");
    g_assert_cmpint(status, ==, 0);
}

static void
test_operation(void)
{
    static const char *const bodies[] = {
        "void compute(uint e) { OUT(e) = IN0(e) * 2.0; }",
        "#include \"broadcast.glsl\"\nvoid compute(uint e)\n{\n"
        "    OUT(e) = IN0(adit_broadcast(1, e)) * adit_attribute_float(0);\n}\n",
        "void compute(uint e) { OUT(e) = adit_is_nan(IN4(e)) ? 1.0 : 0.0; }",
    };

    for (guint i = 0; i < G_N_ELEMENTS(bodies); i++) {
        AditOp op = {.name = "acme:test", .shader = bodies[i]};
        g_autoptr(GError) error = NULL;
        g_autoptr(GBytes) optimised = adit_shader_compile_op(&op, TRUE, &error);
        g_autoptr(GBytes) plain = adit_shader_compile_op(&op, FALSE, &error);

        g_assert_no_error(error);
        assert_valid(optimised);
        assert_valid(plain);
        g_assert_cmpuint(g_bytes_get_size(optimised), <, g_bytes_get_size(plain));
    }
}

/* What the kernels of shaders/ say is taken, and makes no difference. */
static void
test_version(void)
{
    g_autoptr(GBytes) with = compile("#version 450\n" TWICE, NULL);
    g_autoptr(GBytes) without = compile(TWICE, NULL);

    g_assert_true(g_bytes_equal(with, without));
}

static void
test_defines(void)
{
    static const char text[] = HEAD "#ifdef SQUARED\n#define OF(x) ((x) * (x))\n#else\n"
                                    "#define OF(x) (x)\n#endif\n"
                                    "void compute(uint e) { OUT(e) = OF(IN0(e)) * FACTOR; }\n";
    static const char *const two[] = {"FACTOR=2.0", NULL};
    static const char *const three[] = {"FACTOR=3.0", NULL};
    static const char *const squared[] = {"FACTOR=2.0", "SQUARED", NULL};
    g_autoptr(GBytes) a = compile(text, two);
    g_autoptr(GBytes) b = compile(text, three);
    g_autoptr(GBytes) c = compile(text, squared);
    g_autoptr(GBytes) again = compile(text, two);

    assert_valid(a);
    assert_valid(c);
    g_assert_false(g_bytes_equal(a, b));
    g_assert_false(g_bytes_equal(a, c));
    g_assert_true(g_bytes_equal(a, again));
}

static void
test_errors(void)
{
    static const struct {
        const char *text;
        const char *message;
    } rows[] = {
        {HEAD "\nvoid compute(uint e) { OUT(e) = IN0(f); }\n", "test:3: 'f' : *"},
        {HEAD "#include \"nothing.glsl\"\n", "test:2: *Adit has no such text*nothing.glsl"},
        /* nor anything else of the bundle, nor of the disk */
        {HEAD "#include \"../copy.spv\"\n", "test:2: *Adit has no such text*../copy.spv"},
        {HEAD "#include \"/dev/null\"\n", "test:2: *Adit has no such text*/dev/null"},
        {HEAD "#error not so\n", "test:2: *not so"},
        {HEAD "uniform float x;\n", "test:2: *not allowed when using GLSL for Vulkan*"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *expected =
            g_strconcat("cannot compile the shader ", rows[i].message, NULL);
        g_autoptr(GError) error = NULL;

        g_assert_null(adit_shader_compile("test", rows[i].text, NULL, &error));
        g_assert_error(error, ADIT_ERROR, ADIT_ERROR_FAILED);
        if (!g_pattern_match_simple(expected, error->message))
            g_error("expected %s, got %s", expected, error->message);
    }
}

/* A plugin's lines are counted from its own first one. */
static void
test_operation_error(void)
{
    AditOp op = {.name = "acme:test",
                 .shader = "/* one */\nvoid compute(uint e) { OUT(e) = IN5(e); }"};
    g_autoptr(GError) error = NULL;

    g_assert_null(adit_shader_compile_op(&op, TRUE, &error));
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_PLUGIN);
    g_assert_cmpstr(
        error->message, ==,
        "cannot compile the shader acme:test:2: 'IN5' : no matching overloaded function "
        "found");
}

static char *
find_only_entry(void)
{
    g_autofree char *folder = g_build_filename(g_get_user_cache_dir(), "adit", "shaders", NULL);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    char *path;

    g_assert_nonnull(dir);
    path = g_build_filename(folder, g_dir_read_name(dir), NULL);
    g_assert_null(g_dir_read_name(dir));
    return path;
}

/* Changes the last word of what an entry keeps, so that it is known where a shader came from. */
static void
mark_entry(const char *path, gsize length)
{
    g_autoptr(GChecksum) sha256 = g_checksum_new(G_CHECKSUM_SHA256);
    g_autofree char *file = NULL;
    gsize size, digest = HEADER_SIZE - AT_CHECKSUM;

    g_assert_true(adit_file_read(path, 1000000, &file, &size, NULL));
    file[HEADER_SIZE + length - 1] ^= 1;
    g_checksum_update(sha256, (guchar *) file, AT_CHECKSUM);
    g_checksum_update(sha256, (guchar *) file + HEADER_SIZE, (gssize) (size - HEADER_SIZE));
    g_checksum_get_digest(sha256, (guint8 *) file + AT_CHECKSUM, &digest);
    g_assert_true(g_file_set_contents_full(path, file, (gssize) size,
                                           G_FILE_SET_CONTENTS_CONSISTENT, 0600, NULL));
}

static void
test_cached(void)
{
    g_autoptr(GBytes) first = compile(TWICE, NULL);
    g_autofree char *path = find_only_entry();
    gsize length = g_bytes_get_size(first);

    mark_entry(path, length);
    g_autoptr(GBytes) second = compile(TWICE, NULL);
    g_assert_false(g_bytes_equal(first, second));
    /* damaged: made anew, and kept again */
    g_assert_cmpint(truncate(path, 1000), ==, 0);
    g_autoptr(GBytes) third = compile(TWICE, NULL);
    g_assert_true(g_bytes_equal(first, third));
    mark_entry(path, length);
    g_autoptr(GBytes) fourth = compile(TWICE, NULL);
    g_assert_true(g_bytes_equal(second, fourth));
    /* another text, the other form: other entries */
    g_autoptr(GBytes) plain = adit_shader_compile_plain("test", TWICE, NULL, NULL);
    g_autoptr(GBytes) other = compile(TWICE "/* more */\n", NULL);
    g_assert_false(g_bytes_equal(plain, first));
    g_assert_true(g_bytes_equal(other, first));
}

static void
test_not_cached(void)
{
    g_setenv("ADIT_CACHE", "0", TRUE);
    g_autoptr(GBytes) bytes = compile(TWICE, NULL);
    g_autofree char *folder = g_build_filename(g_get_user_cache_dir(), "adit", NULL);

    g_unsetenv("ADIT_CACHE");
    assert_valid(bytes);
    g_assert_false(g_file_test(folder, G_FILE_TEST_EXISTS));
    /* nor is what is wrong */
    g_assert_null(adit_shader_compile("test", "nonsense", NULL, NULL));
    g_assert_false(g_file_test(folder, G_FILE_TEST_EXISTS));
}

static gpointer
compile_many(gpointer user_data)
{
    for (guint i = 0; i < 10; i++) {
        g_autofree char *text =
            g_strdup_printf(HEAD "void compute(uint e) { OUT(e) = IN0(e) * %d.%u; }\n",
                            GPOINTER_TO_INT(user_data), i);
        g_autoptr(GBytes) bytes = compile(text, NULL);
        g_autoptr(GBytes) again = compile(text, NULL);

        g_assert_true(g_bytes_equal(bytes, again));
        g_assert_null(adit_shader_compile("test", HEAD "nonsense", NULL, NULL));
    }
    return NULL;
}

static void
test_threads(void)
{
    GThread *threads[4];

    for (int i = 0; i < 4; i++)
        threads[i] = g_thread_new("compile", compile_many, GINT_TO_POINTER(i));
    for (int i = 0; i < 4; i++)
        g_thread_join(threads[i]);
}

static void
test_bundle(void)
{
    const char *hash = adit_shader_hash_bundle();

    g_assert_cmpuint(strlen(hash), ==, 64);
    g_assert_true(hash == adit_shader_hash_bundle());
}

static void
test_without(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(adit_shader_compile("test", TWICE, NULL, &error));
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_FAILED);
    g_assert_cmpstr(error->message, ==,
                    "cannot compile the shader test: this build has no shaderc");
}

int
main(int argc, char **argv)
{
    static const CacheTest tests[] = {
        {"/shader-compiler/bundle", test_bundle},
        {"/shader-compiler/operation", test_operation},
        {"/shader-compiler/version", test_version},
        {"/shader-compiler/defines", test_defines},
        {"/shader-compiler/errors", test_errors},
        {"/shader-compiler/operation-error", test_operation_error},
        {"/shader-compiler/cached", test_cached},
        {"/shader-compiler/not-cached", test_not_cached},
        {"/shader-compiler/threads", test_threads},
    };
    static const CacheTest without[] = {{"/shader-compiler/without", test_without}};

    g_test_init(&argc, &argv, NULL);
    return adit_shader_can_compile() ? cache_tests_run(tests, G_N_ELEMENTS(tests))
                                     : cache_tests_run(without, G_N_ELEMENTS(without));
}
