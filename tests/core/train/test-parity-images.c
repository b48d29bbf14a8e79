/* tests/core/train/test-parity-images.c - SPDX-License-Identifier: MIT */
#include "adit-file.h"
#include "adit-philox.h"
#include "parity.h"

#include <string.h>

/* The networks of images under `pipelines`, as they stand there but narrow, on images made here:
 * with SiLU in place of rectifiers and means in place of maxima, where all is smooth, and as they
 * are. The initial weights are no state here: what a deep network so narrow makes of different
 * images is so much alike there that batch statistics lose float32's digits, on every device. */

#define BATCH    8 /* where nothing else is said */
#define INTERVAL 5 /* steps to the first state, and from one to the next */
#define STATES   5
#define ROWS     32 /* of a file of CIFAR, of which five are for training: ten batches an epoch */

#define MAX_WORDS 14

/**
 * Network: @narrow: texts of the file, each followed by what stands there instead
 * @smooth: the same, for what takes the place of maxima
 * @batch: 0: BATCH; more where the last images are of one pixel, for the sake of batch statistics
 */
typedef struct {
    const char *name;
    const char *file;
    const char *arguments[MAX_WORDS];
    const char *const *narrow; /* (nullable) */
    const char *smooth[MAX_WORDS];
    gsize batch;
} Network;

/* Of smaller images, as every further rectifier is one more that rounding may turn off. */
#define RESIZE    "{resize: {size: 16}}"
#define NORMALIZE "{normalize: {mean: [0.4914, 0.4822, 0.4465], std: [0.2023, 0.1994, 0.2010]}}"

#define RESNET20(label, arch)                                                                      \
    {                                                                                              \
        .name = label, .file = "glonet/resnet20.yaml", .narrow = resnet20, .arguments = {          \
            arch,                                                                                  \
            "-o",                                                                                  \
            "data.cifar.transform=[" RESIZE ", " NORMALIZE "]"                                     \
        }                                                                                          \
    }
#define MPNET(label, ...)                                                                          \
    {                                                                                              \
        .name = label, .file = "multipath/mpnet.yaml", .narrow = mpnet,                            \
        .arguments = {"size=16", __VA_ARGS__}, .batch = 16                                         \
    }

static const char *const resnet20[] = {"filters: 16", "filters: 4", "filters: 32", "filters: 6",
                                       "filters: 64", "filters: 8", NULL};
static const char *const resnet34[] = {"filters: 64",  "filters: 4",   "filters: 128",
                                       "filters: 6",   "filters: 256", "filters: 8",
                                       "filters: 512", "filters: 8",   NULL};
static const char *const densenet18[] = {"filters: 64", "filters: 8", NULL};
static const char *const mpnet[] = {"filters: 64", "filters: 4", "f: 64",  "f: 4", "f: 128", "f: 5",
                                    "f: 256",      "f: 6",       "f: 512", "f: 8", NULL};
static const char *const b_alexnet[] = {"filters: 32", "filters: 4", "filters: 64", "filters: 6",
                                        "filters: 96", "filters: 8", "units: 256",  "units: 16",
                                        "units: 128",  "units: 12",  NULL};

static const Network networks[] = {
    RESNET20("resnet20", "arch=resnet20"),
    RESNET20("resnet20 glonet", "arch=glonet"),
    RESNET20("resnet20 glonet-stages", "arch=glonet-stages"),
    {.name = "vit",
     .file = "glonet/vit.yaml",
     .arguments = {"encoders=2", "width=16", "hidden=32"}},
    {.name = "vit glonet",
     .file = "glonet/vit.yaml",
     .arguments = {"arch=glonet", "encoders=3", "width=16", "hidden=32"}},
    {.name = "resnet34",
     .batch = 16,
     .file = "multipath/resnet34.yaml",
     .narrow = resnet34,
     .smooth = {"padding: 1}}]", "padding: 1, type: average}}]"}},
    {.name = "vgg16",
     .batch = 16,
     .file = "multipath/vgg16.yaml",
     .arguments = {"width=4"},
     .smooth = {", pool]", ", {pool: {type: average}}]"}},
    {.name = "densenet18",
     .batch = 16,
     .file = "multipath/densenet18.yaml",
     .arguments = {"growth=4"},
     .narrow = densenet18,
     .smooth = {"padding: 1}}]", "padding: 1, type: average}}]"}},
    MPNET("mpnet 5a", "blocks=1"),
    MPNET("mpnet 5b", "blocks=2"),
    MPNET("mpnet 6a", "blocks=1", "n1=8", "n2=1", "k2=11", "d2=2"),
    MPNET("mpnet 7", "n1=2", "n2=2"),
    MPNET("mpnet 8a", "n2=2"),
    MPNET("mpnet 8c", "blocks=1", "n1=8", "n2=1"),
    MPNET("mpnet 9", "blocks=1", "n1=8", "n2=8", "k2=3"),
    {.name = "bypass", .file = "multipath/bypass.yaml", .arguments = {"depth=32", "width=8"}},
    {.name = "b-lenet",
     .file = "exits/b-lenet.yaml",
     .arguments = {"-o", "data.idx.validation=4"},
     .smooth = {"padding: same", "padding: same, type: average"}},
    {.name = "b-alexnet",
     .file = "exits/b-alexnet.yaml",
     .arguments = {"-o", "data.cifar.validation=4"},
     .narrow = b_alexnet,
     .smooth = {"padding: end", "padding: end, type: average"}},
    {.name = "jumpstart mnist",
     .file = "jumpstart/mnist.yaml",
     .arguments = {"width=2", "depth=8"}},
    {.name = "jumpstart cifar",
     .file = "jumpstart/cifar.yaml",
     .arguments = {"width=4", "depth=10", "-o", "data.cifar.transform=" RESIZE},
     .smooth = {"type: both", "type: average"}},
    {.name = "jumpstart moons image",
     .file = "jumpstart/moons-net.yaml",
     .arguments = {"depth=10"}},
    {.name = "jumpstart moons plain",
     .file = "jumpstart/moons-net.yaml",
     .arguments = {"layout=plain", "depth=10"}},
};

static char *folder; /* of what this test writes */

/* ---- data ---- */

static void
write_bytes(const char *name, const GByteArray *bytes)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autofree char *below = g_path_get_dirname(path);

    g_assert_cmpint(g_mkdir_with_parents(below, 0700), ==, 0);
    g_assert_true(g_file_set_contents(path, (const char *) bytes->data, (gssize) bytes->len, NULL));
}

/* @n pixels: noise, and a tenth of them, whose place is the class, brighter. */
static void
append_plane(GByteArray *bytes, AditRandom *random, guint n, guint label)
{
    for (guint i = 0; i < n; i++) {
        guint noise = adit_random_bits(random) % 136;

        g_byte_array_append(bytes, &(guint8){(guint8) (noise + (i * 10 / n == label ? 120 : 0))},
                            1);
    }
}

static void
write_cifar(void)
{
    static const char *const names[] = {"data_batch_1", "data_batch_2", "data_batch_3",
                                        "data_batch_4", "data_batch_5", "test_batch"};
    AditRandom random;

    adit_random_init(&random, 1, "cifar");
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(GByteArray) bytes = g_byte_array_new();
        g_autofree char *name = g_strdup_printf("cifar-10/%s.bin", names[i]);

        for (guint row = 0; row < ROWS; row++) {
            guint label = adit_random_bits(&random) % 10;

            g_byte_array_append(bytes, &(guint8){(guint8) label}, 1);
            for (guint plane = 0; plane < 3; plane++)
                append_plane(bytes, &random, 32 * 32, label);
        }
        write_bytes(name, bytes);
    }
}

static void
write_mnist(void)
{
    static const char *const names[] = {"train", "t10k"};
    AditRandom random;

    adit_random_init(&random, 1, "mnist");
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(GByteArray) images = g_byte_array_new();
        g_autoptr(GByteArray) labels = g_byte_array_new();
        g_autofree char *of_images = g_strdup_printf("mnist/%s-images-idx3-ubyte", names[i]);
        g_autofree char *of_labels = g_strdup_printf("mnist/%s-labels-idx1-ubyte", names[i]);

        g_byte_array_append(
            images, (const guint8[]){0, 0, 8, 3, 0, 0, 0, 5 * ROWS, 0, 0, 0, 28, 0, 0, 0, 28}, 16);
        g_byte_array_append(labels, (const guint8[]){0, 0, 8, 1, 0, 0, 0, 5 * ROWS}, 8);
        for (guint row = 0; row < 5 * ROWS; row++) {
            guint label = adit_random_bits(&random) % 10;

            append_plane(images, &random, 28 * 28, label);
            g_byte_array_append(labels, &(guint8){(guint8) label}, 1);
        }
        write_bytes(of_images, images);
        write_bytes(of_labels, labels);
    }
}

/* ---- the pipelines ---- */

/* Every text that is to be replaced is there. */
static void
replace(GString *text, const char *const *words)
{
    for (; words != NULL && words[0] != NULL; words += 2)
        g_assert_cmpuint(g_string_replace(text, words[0], words[1], 0), >, 0);
}

static AditExperiment *
read_experiment(const Network *network, gboolean is_smooth)
{
    g_autofree char *shipped = parity_read_pipeline(network->file);
    g_autoptr(GString) text = g_string_new(shipped);
    g_autofree char *base = g_path_get_basename(network->file);
    g_autofree char *path = g_build_filename(folder, base, NULL);

    replace(text, network->narrow);
    if (is_smooth) {
        g_string_replace(text, "relu", "silu", 0);
        replace(text, network->smooth);
    }
    g_assert_true(g_file_set_contents(path, text->str, -1, NULL));
    return parity_read(path, network->arguments, folder);
}

static void
compare(const Network *network, gboolean is_smooth)
{
    g_autoptr(AditExperiment) experiment = read_experiment(network, is_smooth);
    g_autoptr(GError) error = NULL;
    g_autoptr(AditData) data = adit_data_open(experiment->datasets->pdata[0], folder, &error);
    g_autofree char *name =
        g_strdup_printf("%-22s  %s", network->name, is_smooth ? "smooth" : "as it is");
    Parity parities[STATES] = {0};

    g_assert_no_error(error);
    gsize batch = network->batch > 0 ? network->batch : BATCH;
    ParityRun run = {name, experiment, data, batch, INTERVAL, INTERVAL, STATES};

    parity_measure(&run, parities);
    parity_check(&run, parities, !is_smooth);
}

static void
test_smooth(gconstpointer user_data)
{
    compare(user_data, TRUE);
}

static void
test_as_it_is(gconstpointer user_data)
{
    compare(user_data, FALSE);
}

static void
add(const Network *network, const char *kind, GTestDataFunc test)
{
    g_autofree char *path = g_strdup_printf("/parity-images/%s/%s", network->name, kind);

    g_test_add_data_func(g_strdelimit(path, " ", '-'), network, test);
}

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_assert_nonnull(g_getenv("ADIT_TEST_DEVICE"));
    folder = g_dir_make_tmp("adit-parity-XXXXXX", NULL);
    write_cifar();
    write_mnist();
    for (guint i = 0; i < G_N_ELEMENTS(networks); i++) {
        add(&networks[i], "smooth", test_smooth);
        add(&networks[i], "as-it-is", test_as_it_is);
    }
    int code = g_test_run();

    adit_folder_remove(folder, NULL);
    g_free(folder);
    return code;
}
