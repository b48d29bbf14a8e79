/* plugins/datasets/idx.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditIdx {
    AditDataset parent_instance;
    char *folder;
    char *inputs;
    char *targets;
    char *test_inputs;
    char *test_targets;
    gint64 classes;
};
ADIT_DEFINE_DATASET(AditIdx, adit_idx, IDX)

/**
 * Header: what stands before the numbers of an IDX file (LeCun, Cortes, Burges, "The MNIST database
 * of handwritten digits": magic 0 0 type rank, then the sizes, all big-endian).
 */
typedef struct {
    AditEncoding encoding;
    AditShape shape; /* without the rows */
    guint64 rows;
} Header;

static gboolean
decode_type(guint8 type, AditEncoding *encoding)
{
    static const struct {
        guint8 type;
        AditEncoding encoding;
    } types[] = {
        {0x08, {ADIT_ENCODING_UNSIGNED, 1, TRUE}}, {0x09, {ADIT_ENCODING_SIGNED, 1, TRUE}},
        {0x0b, {ADIT_ENCODING_SIGNED, 2, TRUE}},   {0x0c, {ADIT_ENCODING_SIGNED, 4, TRUE}},
        {0x0d, {ADIT_ENCODING_REAL, 4, TRUE}},     {0x0e, {ADIT_ENCODING_REAL, 8, TRUE}},
    };

    for (guint i = 0; i < G_N_ELEMENTS(types); i++)
        if (types[i].type == type) {
            *encoding = types[i].encoding;
            return TRUE;
        }
    return FALSE;
}

static gboolean
read_header(AditLoader *loader, GInputStream *stream, Header *header, GError **error)
{
    guint8 magic[4] = {0};
    guint32 sizes[ADIT_MAX_RANK] = {0};
    guint rank = 0;

    *header = (Header){0};
    if (!adit_loader_read(loader, stream, magic, sizeof magic, "the header", error))
        return FALSE;
    rank = magic[3];
    if (magic[0] != 0 || magic[1] != 0 || rank == 0 || rank > ADIT_MAX_RANK - 1 ||
        !decode_type(magic[2], &header->encoding)) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED,
                    "%s: no IDX file: it begins %02x %02x %02x %02x, expected 00 00, a type 08..0e "
                    "and a rank 1..%d",
                    adit_loader_get_name(loader, stream), magic[0], magic[1], magic[2], magic[3],
                    ADIT_MAX_RANK - 1);
        return FALSE;
    }
    if (!adit_loader_read(loader, stream, sizes, rank * sizeof *sizes, "the sizes", error))
        return FALSE;
    header->rows = GUINT32_FROM_BE(sizes[0]);
    for (guint i = 1; i < rank; i++)
        header->shape.size[header->shape.rank++] = GUINT32_FROM_BE(sizes[i]);
    return TRUE;
}

/* Grey images get their channel axis, single numbers an axis of one. */
static AditShape
get_input_shape(const Header *header)
{
    if (header->shape.rank == 0 || header->shape.rank == 2)
        return adit_shape_prepend(&header->shape, 1);
    return header->shape;
}

static gboolean
are_labels(const Header *header)
{
    return header->shape.rank == 0 && header->encoding.kind != ADIT_ENCODING_REAL;
}

/* (transfer full): the first spelling of a file of the folder that exists, else the first. */
static char *
find(AditIdx *self, AditLoader *loader, const char *given, const char *set, const char *what)
{
    g_autofree char *dashed = NULL;
    g_autofree char *dotted = NULL;

    if (given != NULL || self->folder == NULL)
        return g_strdup(given);
    dashed = g_strdup_printf("%s/%s-%s-ubyte", self->folder, set, what);
    dotted = g_strdup_printf("%s/%s-%.6s.%s-ubyte", self->folder, set, what, what + 7);
    if (!adit_loader_exists(loader, dashed) && adit_loader_exists(loader, dotted))
        return g_steal_pointer(&dotted);
    return g_steal_pointer(&dashed);
}

static GInputStream *
open_header(AditLoader *loader, const char *path, Header *header, GError **error)
{
    g_autoptr(GInputStream) stream = adit_loader_open(loader, path, error);

    if (stream == NULL || !read_header(loader, stream, header, error))
        return NULL;
    return g_steal_pointer(&stream);
}

static AditArray *
read_targets(AditLoader *loader, GInputStream *stream, const Header *header, guint *classes,
             GError **error)
{
    AditShape shape = get_input_shape(header);

    if (are_labels(header))
        return adit_loader_read_labels(loader, stream, &header->encoding, header->rows, classes,
                                       error);
    *classes = 0;
    return adit_loader_read_array(loader, stream, &header->encoding, &shape, header->rows,
                                  "the targets", error);
}

/* One pair of files. @examples->classes: in: how many there are, 0: as many as there are labels. */
static gboolean
read_pair(AditLoader *loader, const char *inputs, const char *targets, AditExamples *examples,
          GError **error)
{
    Header header;
    Header target_header;
    AditShape shape;
    g_autoptr(GInputStream) stream = open_header(loader, inputs, &header, error);
    g_autoptr(GInputStream) target_stream = NULL;

    if (stream == NULL)
        return FALSE;
    shape = get_input_shape(&header);
    if (targets != NULL) {
        target_stream = open_header(loader, targets, &target_header, error);
        if (target_stream == NULL)
            return FALSE;
        if (target_header.rows != header.rows) {
            g_set_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED,
                        "%s has %" G_GUINT64_FORMAT " rows, but %s has %" G_GUINT64_FORMAT,
                        adit_loader_get_name(loader, stream), header.rows,
                        adit_loader_get_name(loader, target_stream), target_header.rows);
            return FALSE;
        }
        examples->targets =
            read_targets(loader, target_stream, &target_header, &examples->classes, error);
        if (examples->targets == NULL ||
            !adit_loader_read_end(loader, target_stream, "the targets", error))
            return FALSE;
    }
    examples->inputs = adit_loader_read_array(loader, stream, &header.encoding, &shape, header.rows,
                                              "the inputs", error);
    return examples->inputs != NULL && adit_loader_read_end(loader, stream, "the inputs", error);
}

static gboolean
load(AditDataset *dataset, AditLoader *loader, AditExamples *train, AditExamples *test,
     GError **error)
{
    AditIdx *self = IDX(dataset);
    g_autofree char *inputs = find(self, loader, self->inputs, "train", "images-idx3");
    g_autofree char *targets = find(self, loader, self->targets, "train", "labels-idx1");
    g_autofree char *test_inputs = find(self, loader, self->test_inputs, "t10k", "images-idx3");
    g_autofree char *test_targets = find(self, loader, self->test_targets, "t10k", "labels-idx1");

    train->classes = (guint) self->classes;
    if (!read_pair(loader, inputs, targets, train, error))
        return FALSE;
    if (test_inputs == NULL)
        return TRUE;
    /* a folder may hold training files alone; one half of a pair is a mistake */
    if (self->test_inputs == NULL && !adit_loader_exists(loader, test_inputs) &&
        !adit_loader_exists(loader, test_targets))
        return TRUE;
    test->classes = train->classes;
    return read_pair(loader, test_inputs, test_targets, test, error);
}

/* The number of classes needs the labels: a byte or a few for each row. */
static gboolean
describe(AditDataset *dataset, AditLoader *loader, AditSchema *schema, GError **error)
{
    AditIdx *self = IDX(dataset);
    g_autofree char *inputs = find(self, loader, self->inputs, "train", "images-idx3");
    g_autofree char *targets = find(self, loader, self->targets, "train", "labels-idx1");
    Header header;
    g_autoptr(GInputStream) stream = open_header(loader, inputs, &header, error);
    g_autoptr(GInputStream) target_stream = NULL;
    g_autoptr(AditArray) labels = NULL;

    if (stream == NULL)
        return FALSE;
    schema->inputs = get_input_shape(&header);
    schema->rows = header.rows;
    if (targets == NULL)
        return TRUE;
    target_stream = open_header(loader, targets, &header, error);
    if (target_stream == NULL)
        return FALSE;
    schema->targets = are_labels(&header) ? ADIT_SCALAR : get_input_shape(&header);
    schema->classes = (guint) self->classes;
    if (!are_labels(&header) || self->classes > 0)
        return TRUE;
    labels = adit_loader_read_labels(loader, target_stream, &header.encoding, header.rows,
                                     &schema->classes, error);
    return labels != NULL;
}

static gboolean
check(AditComponent *component, GError **error)
{
    AditIdx *self = IDX(component);

    if (self->folder == NULL && self->inputs == NULL) {
        g_set_error_literal(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                            "'idx' needs a 'folder', or 'inputs' and 'targets'");
        return FALSE;
    }
    return TRUE;
}

static void
adit_idx_class_init(AditComponentClass *klass)
{
    AditDatasetClass *dataset_class = ADIT_DATASET_CLASS(klass);

    klass->check = check;
    dataset_class->describe = describe;
    dataset_class->load = load;
    dataset_class->has_test = TRUE;
    dataset_class->default_test = (AditAmount){.value = 0.2, .unit = ADIT_UNIT_PERCENT};
    adit_component_class_describe(klass, "idx", "IDX files, as MNIST and its kin come");
    adit_component_class_add_path(
        klass, "folder",
        "Folder with train-images-idx3-ubyte, train-labels-idx1-ubyte and "
        "the same with t10k; .gz and .xz are unpacked",
        NULL, ADIT_FIELD(AditIdx, folder, char *));
    adit_component_class_add_path(klass, "inputs", "File of the inputs, instead of the folder's",
                                  NULL, ADIT_FIELD(AditIdx, inputs, char *));
    adit_component_class_add_path(klass, "targets", "File of the targets", NULL,
                                  ADIT_FIELD(AditIdx, targets, char *));
    adit_component_class_add_path(klass, "test-inputs", "File of the test set's inputs", NULL,
                                  ADIT_FIELD(AditIdx, test_inputs, char *));
    adit_component_class_add_path(klass, "test-targets", "File of the test set's targets", NULL,
                                  ADIT_FIELD(AditIdx, test_targets, char *));
    adit_component_class_add_int(klass, "classes", "Number of classes; 0: the highest label plus 1",
                                 0, 1000000, 0, ADIT_FIELD(AditIdx, classes, gint64));
}

ADIT_PLUGIN("idx", "1.0", "MIT", ADIT_TYPES(adit_idx_get_type))
