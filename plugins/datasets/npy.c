/* plugins/datasets/npy.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditNpy {
    AditDataset parent_instance;
    char *inputs;
    char *targets;
    char *test_inputs;
    char *test_targets;
    char *path;
    char *x;
    char *y;
    char *test_x;
    char *test_y;
    gint64 classes;
};
ADIT_DEFINE_DATASET(AditNpy, adit_npy, NPY)

/**
 * Place: a file (@member NULL), a member of an archive, or nothing (@path NULL).
 */
typedef struct {
    const char *path;
    const char *member;
} Place;

static GInputStream *
open_header(AditLoader *loader, const Place *place, AditNpyHeader *header, GError **error)
{
    g_autoptr(GInputStream) stream = NULL;
    g_autofree char *file = NULL;

    if (place->member != NULL) {
        file = g_strconcat(place->member, ".npy", NULL);
        stream = adit_loader_open_member(loader, place->path, file, error);
    } else {
        stream = adit_loader_open(loader, place->path, error);
    }
    if (stream == NULL || !adit_loader_read_npy_header(loader, stream, header, error))
        return NULL;
    return g_steal_pointer(&stream);
}

/* Whole numbers, one a row. */
static gboolean
are_labels(const AditNpyHeader *header)
{
    return header->encoding.kind != ADIT_ENCODING_REAL && adit_shape_count(&header->shape) == 1 &&
           header->shape.rank < 2;
}

/* A number a row is a vector of one. */
static AditShape
get_shape(const AditNpyHeader *header)
{
    return header->shape.rank == 0 ? ADIT_SHAPE(1) : header->shape;
}

static AditArray *
read_values(AditLoader *loader, GInputStream *stream, const AditNpyHeader *header, GError **error)
{
    AditArray *array = adit_loader_read_npy(loader, stream, header, error);

    if (array != NULL)
        array->shape = get_shape(header);
    return array;
}

/* @classes: in: how many there are, 0: as many as there are labels; out: 0 for values. */
static AditArray *
read_targets(AditLoader *loader, GInputStream *stream, const AditNpyHeader *header, guint *classes,
             GError **error)
{
    g_autoptr(AditArray) labels = NULL;

    if (!are_labels(header)) {
        *classes = 0;
        return read_values(loader, stream, header, error);
    }
    labels =
        adit_loader_read_labels(loader, stream, &header->encoding, header->rows, classes, error);
    if (labels == NULL || !adit_loader_read_end(loader, stream, "the labels", error))
        return NULL;
    return g_steal_pointer(&labels);
}

static gboolean
read_pair(AditLoader *loader, const Place *inputs, const Place *targets, AditExamples *examples,
          GError **error)
{
    AditNpyHeader header;
    AditNpyHeader target_header;
    g_autoptr(GInputStream) stream = open_header(loader, inputs, &header, error);
    g_autoptr(GInputStream) target_stream = NULL;

    if (stream == NULL)
        return FALSE;
    if (targets->path != NULL) {
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
        if (examples->targets == NULL)
            return FALSE;
    }
    examples->inputs = read_values(loader, stream, &header, error);
    return examples->inputs != NULL;
}

/* Where a pair lies; @member: NULL or empty: nowhere. */
static Place
find(AditNpy *self, const char *path, const char *member)
{
    if (self->path == NULL)
        return (Place){.path = path};
    if (member == NULL || *member == '\0')
        return (Place){0};
    return (Place){.path = self->path, .member = member};
}

static gboolean
load(AditDataset *dataset, AditLoader *loader, AditExamples *train, AditExamples *test,
     GError **error)
{
    AditNpy *self = NPY(dataset);
    Place inputs = find(self, self->inputs, self->x);
    Place targets = find(self, self->targets, self->y);
    Place test_inputs = find(self, self->test_inputs, self->test_x);
    Place test_targets = find(self, self->test_targets, self->test_y);

    train->classes = (guint) self->classes;
    if (!read_pair(loader, &inputs, &targets, train, error))
        return FALSE;
    if (test_inputs.path == NULL)
        return TRUE;
    test->classes = train->classes;
    return read_pair(loader, &test_inputs, &test_targets, test, error);
}

/* The number of classes needs the labels: a few bytes for each row. */
static gboolean
describe(AditDataset *dataset, AditLoader *loader, AditSchema *schema, GError **error)
{
    AditNpy *self = NPY(dataset);
    Place inputs = find(self, self->inputs, self->x);
    Place targets = find(self, self->targets, self->y);
    AditNpyHeader header;
    g_autoptr(GInputStream) stream = open_header(loader, &inputs, &header, error);
    g_autoptr(GInputStream) target_stream = NULL;
    g_autoptr(AditArray) labels = NULL;

    if (stream == NULL)
        return FALSE;
    schema->inputs = get_shape(&header);
    schema->rows = header.rows;
    if (targets.path == NULL)
        return TRUE;
    target_stream = open_header(loader, &targets, &header, error);
    if (target_stream == NULL)
        return FALSE;
    if (!are_labels(&header)) {
        schema->targets = get_shape(&header);
        return TRUE;
    }
    schema->classes = (guint) self->classes;
    if (self->classes == 0)
        labels = adit_loader_read_labels(loader, target_stream, &header.encoding, header.rows,
                                         &schema->classes, error);
    return self->classes > 0 || labels != NULL;
}

static gboolean
check(AditComponent *component, GError **error)
{
    AditNpy *self = NPY(component);

    if ((self->path != NULL) == (self->inputs != NULL)) {
        g_set_error_literal(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                            "'npy' needs either 'inputs' or the 'path' of an archive");
        return FALSE;
    }
    return TRUE;
}

static void
adit_npy_class_init(AditComponentClass *klass)
{
    AditDatasetClass *dataset_class = ADIT_DATASET_CLASS(klass);

    klass->check = check;
    dataset_class->describe = describe;
    dataset_class->load = load;
    dataset_class->has_test = TRUE;
    dataset_class->default_test = (AditAmount){.value = 0.2, .unit = ADIT_UNIT_PERCENT};
    adit_component_class_describe(klass, "npy", "Arrays of NumPy, in NPY files or an NPZ archive");
    adit_component_class_add_path(klass, "inputs", "NPY file; the first axis counts the examples",
                                  NULL, ADIT_FIELD(AditNpy, inputs, char *));
    adit_component_class_add_path(klass, "targets",
                                  "NPY file; whole numbers, one an example, are classes", NULL,
                                  ADIT_FIELD(AditNpy, targets, char *));
    adit_component_class_add_path(klass, "test-inputs", "NPY file of the test set", NULL,
                                  ADIT_FIELD(AditNpy, test_inputs, char *));
    adit_component_class_add_path(klass, "test-targets", "NPY file of the test set", NULL,
                                  ADIT_FIELD(AditNpy, test_targets, char *));
    adit_component_class_add_path(klass, "path", "NPZ archive, instead of NPY files", NULL,
                                  ADIT_FIELD(AditNpy, path, char *));
    adit_component_class_add_text(klass, "x", "The inputs' name in the archive", "x",
                                  ADIT_FIELD(AditNpy, x, char *));
    adit_component_class_add_text(klass, "y", "The targets' name in the archive; \"\": none", "y",
                                  ADIT_FIELD(AditNpy, y, char *));
    adit_component_class_add_text(klass, "test-x", "The test set's inputs in the archive", NULL,
                                  ADIT_FIELD(AditNpy, test_x, char *));
    adit_component_class_add_text(klass, "test-y", "The test set's targets in the archive", NULL,
                                  ADIT_FIELD(AditNpy, test_y, char *));
    adit_component_class_add_int(klass, "classes", "Number of classes; 0: the highest label plus 1",
                                 0, 1000000, 0, ADIT_FIELD(AditNpy, classes, gint64));
}

ADIT_PLUGIN("npy", "1.0", "MIT", ADIT_TYPES(adit_npy_get_type))
