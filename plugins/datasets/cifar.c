/* plugins/datasets/cifar.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

#define IMAGE_SIZE (3 * 32 * 32)
#define PIXELS     ((const AditShape *) &ADIT_SHAPE(3, 32, 32))
#define FILES_MAX  5

typedef enum { FINE, COARSE } Labels;

struct _AditCifar {
    AditDataset parent_instance;
    char *folder;
    int labels;
};
ADIT_DEFINE_DATASET(AditCifar, adit_cifar, CIFAR)

/**
 * Version: one of the two sets, in its binary version (Krizhevsky, "Learning Multiple Layers of
 * Features from Tiny Images", 2009; the web page of the sets gives the layout): records of
 * @n_labels label bytes and 3072 bytes, the image's red, green and blue plane.
 * @classes: by label byte
 */
typedef struct {
    const char *name;
    const char *folder; /* that the archive unpacks to */
    const char *train[FILES_MAX + 1];
    const char *test;
    guint n_labels;
    guint classes[2];
    const char *other; /* file of the Python version */
} Version;

static const Version versions[] = {
    {"CIFAR-10",
     "cifar-10-batches-bin",
     {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
      "data_batch_5.bin"},
     "test_batch.bin",
     1,
     {10},
     "data_batch_1"},
    {"CIFAR-100", "cifar-100-binary", {"train.bin"}, "test.bin", 2, {20, 100}, "train"},
};

/* Which set there is, and in which folder. */
typedef struct {
    const Version *version;
    char *folder;
} Place;

static void
place_clear(Place *self)
{
    g_free(self->folder);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Place, place_clear)

static gboolean
exists(AditLoader *loader, const char *folder, const char *file)
{
    g_autofree char *path = g_build_filename(folder, file, NULL);

    return adit_loader_exists(loader, path);
}

static gboolean
find(AditCifar *self, AditLoader *loader, Place *place, GError **error)
{
    g_autofree char *first = g_build_filename(self->folder, versions[0].train[0], NULL);

    for (guint i = 0; i < G_N_ELEMENTS(versions); i++) {
        const Version *version = &versions[i];
        g_autofree char *below = g_build_filename(self->folder, version->folder, NULL);
        gboolean is_here = exists(loader, self->folder, version->train[0]);

        if (is_here || exists(loader, below, version->train[0])) {
            place->version = version;
            place->folder = is_here ? g_strdup(self->folder) : g_steal_pointer(&below);
            return TRUE;
        }
        if (exists(loader, self->folder, version->other)) {
            g_set_error(error, ADIT_ERROR, ADIT_ERROR_NOT_FOUND,
                        "the folder has the Python version of %s, expected the binary version: "
                        "'%s'",
                        version->name, version->train[0]);
            return FALSE;
        }
    }
    /* the loader says that there is none */
    g_autoptr(GInputStream) stream = adit_loader_open(loader, first, error);
    return FALSE;
}

/* Which of a record's label bytes is the target. */
static guint
get_label(AditCifar *self, const Version *version)
{
    return version->n_labels == 1 || self->labels == COARSE ? 0 : 1;
}

/* Appends the records of a file. */
static gboolean
read_file(AditCifar *self, AditLoader *loader, const Place *place, const char *file,
          AditExamples *examples, GError **error)
{
    const Version *version = place->version;
    guint8 record[2 + IMAGE_SIZE];
    gsize size = version->n_labels + IMAGE_SIZE, got = size;
    g_autofree char *path = g_build_filename(place->folder, file, NULL);
    g_autoptr(GInputStream) stream = adit_loader_open(loader, path, error);

    for (gsize row = 0; stream != NULL; row++) {
        if (!adit_loader_read_some(loader, stream, record, size, &got, error))
            return FALSE;
        if (got == 0 && row > 0)
            return TRUE;
        if (got == 0) {
            g_set_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED,
                        "%s: the file is empty, expected records of %" G_GSIZE_FORMAT " bytes",
                        adit_loader_get_name(loader, stream), size);
            return FALSE;
        }
        if (got < size) {
            g_set_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED,
                        "%s: truncated: got %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT
                        " bytes of image [%" G_GSIZE_FORMAT "]; is it a file of %s?",
                        adit_loader_get_name(loader, stream), got, size, row, version->name);
            return FALSE;
        }
        for (guint i = 0; i < version->n_labels; i++)
            if (record[i] >= version->classes[i]) {
                g_set_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED,
                            "%s: label %u at [%" G_GSIZE_FORMAT "], expected 0..%u; is it a file "
                            "of %s with records of %" G_GSIZE_FORMAT " bytes?",
                            adit_loader_get_name(loader, stream), record[i], row,
                            version->classes[i] - 1, version->name, size);
                return FALSE;
            }
        gint32 label = record[get_label(self, version)];
        if (!adit_array_append(examples->targets, &label, error) ||
            !adit_array_append(examples->inputs, record + version->n_labels, error))
            return FALSE;
    }
    return FALSE;
}

/* @files: ends with NULL */
static gboolean
read_files(AditCifar *self, AditLoader *loader, const Place *place, const char *const *files,
           AditExamples *examples, GError **error)
{
    examples->classes = place->version->classes[get_label(self, place->version)];
    examples->inputs = adit_array_new(ADIT_TYPE_CODE_U8, PIXELS, 0, error);
    examples->targets = adit_array_new(ADIT_TYPE_CODE_I32, &ADIT_SCALAR, 0, error);
    examples->inputs->scale = 1.0 / 255.0;
    for (guint i = 0; files[i] != NULL; i++)
        if (!read_file(self, loader, place, files[i], examples, error))
            return FALSE;
    return TRUE;
}

static gboolean
load(AditDataset *dataset, AditLoader *loader, AditExamples *train, AditExamples *test,
     GError **error)
{
    AditCifar *self = CIFAR(dataset);
    g_auto(Place) place = {0};

    if (!find(self, loader, &place, error) ||
        !read_files(self, loader, &place, place.version->train, train, error))
        return FALSE;
    return read_files(self, loader, &place, (const char *const[]){place.version->test, NULL}, test,
                      error);
}

/* Everything is known when it is known which set it is. */
static gboolean
describe(AditDataset *dataset, AditLoader *loader, AditSchema *schema, GError **error)
{
    AditCifar *self = CIFAR(dataset);
    g_auto(Place) place = {0};

    if (!find(self, loader, &place, error))
        return FALSE;
    schema->inputs = *PIXELS;
    schema->targets = ADIT_SCALAR;
    schema->classes = place.version->classes[get_label(self, place.version)];
    return TRUE;
}

static void
adit_cifar_class_init(AditComponentClass *klass)
{
    static const char *const labels[] = {"fine", "coarse", NULL};
    AditDatasetClass *dataset_class = ADIT_DATASET_CLASS(klass);

    dataset_class->describe = describe;
    dataset_class->load = load;
    dataset_class->has_test = TRUE;
    dataset_class->default_test = (AditAmount){.value = 0.2, .unit = ADIT_UNIT_PERCENT};
    adit_component_class_describe(klass, "cifar", "CIFAR-10 or CIFAR-100, the binary version");
    adit_component_class_add_path(klass, "folder",
                                  "Folder with data_batch_1.bin to data_batch_5.bin and "
                                  "test_batch.bin (CIFAR-10) or train.bin and test.bin "
                                  "(CIFAR-100); .gz and .xz are unpacked",
                                  NULL, ADIT_FIELD(AditCifar, folder, char *));
    adit_component_class_require(klass, "folder");
    adit_component_class_add_choice(klass, "labels",
                                    "Which labels of CIFAR-100: of 100 classes or of 20", labels,
                                    FINE, ADIT_FIELD(AditCifar, labels, int));
}

ADIT_PLUGIN("cifar", "1.0", "MIT", ADIT_TYPES(adit_cifar_get_type))
