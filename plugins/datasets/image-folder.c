/* plugins/datasets/image-folder.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

#include <string.h>

struct _AditImageFolder {
    AditDataset parent_instance;
    char *folder;
    char *train_folder;
    char *test_folder;
    GArray *size;
    int channels;
};
ADIT_DEFINE_DATASET(AditImageFolder, adit_image_folder, IMAGE_FOLDER)

/* A class and its files, as entries of the tree. */
typedef struct {
    char *name;
    GArray *files; /* guint */
} Class;

static void
class_free(gpointer data)
{
    Class *self = data;

    g_free(self->name);
    g_array_unref(self->files);
    g_free(self);
}

static gint
compare_classes(gconstpointer a, gconstpointer b)
{
    return strcmp((*(Class *const *) a)->name, (*(Class *const *) b)->name);
}

static gboolean
fail(AditTree *tree, const char *name, const char *reason, GError **error)
{
    g_autofree char *shown = adit_tree_show(tree, name);

    g_set_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED, "%s: %s", shown, reason);
    return FALSE;
}

static gboolean
has_folder(AditTree *tree, const char *name)
{
    for (guint i = 0; i < adit_tree_count_entries(tree); i++)
        if (g_str_equal(adit_tree_get_entry(tree, i), name))
            return TRUE;
    return FALSE;
}

/* (transfer full): the folder with the training set in @root. */
static char *
get_train(const AditImageFolder *self, const char *root)
{
    return g_strconcat(root, self->train_folder != NULL ? self->train_folder : "train", "/", NULL);
}

/* (transfer full): that with the test set: the one that is said, or what it mostly is called. */
static char *
find_test(const AditImageFolder *self, AditTree *tree, const char *root)
{
    g_autofree char *test = g_strconcat(root, "test/", NULL);

    if (self->test_folder != NULL)
        return g_strconcat(root, self->test_folder, "/", NULL);
    return has_folder(tree, test) ? g_steal_pointer(&test) : g_strconcat(root, "val/", NULL);
}

/* The part of the name of entry @entry behind @root; NULL elsewhere and of @root itself. */
static const char *
get_tail(AditTree *tree, guint entry, const char *root)
{
    const char *name = adit_tree_get_entry(tree, entry);

    if (!g_str_has_prefix(name, root) || name[strlen(root)] == '\0')
        return NULL;
    return name + strlen(root);
}

/* (transfer full): where what interests us begins: archives often have all in one folder, in which
 * there are further ones. */
static char *
find_root(const AditImageFolder *self, AditTree *tree)
{
    const char *only = "";
    guint n_folders = 0, n_below = 0;
    g_autofree char *outer = get_train(self, "");
    g_autofree char *inner = NULL;

    for (guint i = 0; i < adit_tree_count_entries(tree); i++) {
        const char *name = adit_tree_get_entry(tree, i);

        if (!g_str_has_suffix(name, "/"))
            continue;
        if (strchr(name, '/')[1] != '\0') {
            n_below++;
            continue;
        }
        only = name;
        n_folders++;
    }
    inner = get_train(self, only);
    if (n_folders != 1 || n_below == 0 || has_folder(tree, outer) ||
        (self->train_folder != NULL && !has_folder(tree, inner)))
        return g_strdup("");
    return g_strdup(only);
}

/* Adds what stands at @tail below the root to the class it is in. */
static gboolean
add_entry(AditTree *tree, guint entry, const char *tail, GPtrArray *classes, GError **error)
{
    const char *slash = strchr(tail, '/');
    Class *class = classes->len > 0 ? classes->pdata[classes->len - 1] : NULL;

    if (slash == NULL) /* a text about the classes, say */
        return TRUE;
    if (slash[1] == '\0') {
        class = g_new0(Class, 1);
        class->name = g_strndup(tail, (gsize) (slash - tail));
        class->files = g_array_new(FALSE, FALSE, sizeof(guint));
        g_ptr_array_add(classes, class);
        return TRUE;
    }
    if (strchr(slash + 1, '/') != NULL)
        return fail(tree, adit_tree_get_entry(tree, entry),
                    "a folder in the folder of a class, expected images", error);
    g_array_append_val(class->files, entry);
    return TRUE;
}

/* (transfer container) (nullable): the classes in the folders of @root, in the order of names. */
static GPtrArray *
list_classes(AditTree *tree, const char *root, GError **error)
{
    g_autoptr(GPtrArray) classes = g_ptr_array_new_with_free_func(class_free);

    for (guint i = 0; i < adit_tree_count_entries(tree); i++) {
        const char *tail = get_tail(tree, i, root);

        if (tail != NULL && !add_entry(tree, i, tail, classes, error))
            return NULL;
    }
    if (classes->len == 0) {
        fail(tree, root,
             adit_tree_count_entries(tree) == 0
                 ? "nothing is in it, expected a folder with images for each class"
                 : "no folders, expected one with images for each class",
             error);
        return NULL;
    }
    for (guint i = 0; i < classes->len; i++) {
        const Class *class = classes->pdata[i];
        g_autofree char *name = g_strconcat(root, class->name, NULL);

        if (class->files->len == 0) {
            fail(tree, name, "the folder of a class is empty, expected images", error);
            return NULL;
        }
    }
    g_ptr_array_sort(classes, compare_classes);
    return g_steal_pointer(&classes);
}

/* What there is: the tree, and where training and test images are in it. */
typedef struct {
    AditTree *tree;
    GPtrArray *train; /* Class */
    GPtrArray *test;  /* (nullable) */
} Contents;

static void
contents_clear(Contents *self)
{
    g_clear_pointer(&self->train, g_ptr_array_unref);
    g_clear_pointer(&self->test, g_ptr_array_unref);
    g_clear_pointer(&self->tree, adit_tree_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Contents, contents_clear)

static gboolean
fail_missing(AditTree *tree, const char *folder, GError **error)
{
    g_autofree char *shown = adit_tree_show(tree, folder);

    g_set_error(error, ADIT_ERROR, ADIT_ERROR_NOT_FOUND, "no folder '%s'", shown);
    return FALSE;
}

/* The number of the class of that name among @classes, or -1. */
static gint32
find_class(const GPtrArray *classes, const char *name)
{
    for (guint i = 0; i < classes->len; i++)
        if (g_str_equal(((const Class *) classes->pdata[i])->name, name))
            return (gint32) i;
    return -1;
}

/* Every class of the test set is one of the training set's; that has more, perhaps. */
static gboolean
check_test(const Contents *self, GError **error)
{
    for (guint i = 0; i < self->test->len; i++) {
        const char *name = ((const Class *) self->test->pdata[i])->name;
        g_autofree char *text =
            g_strdup_printf("test images of class '%s', which has no training images", name);

        if (find_class(self->train, name) < 0)
            return fail(self->tree, "", text, error);
    }
    return TRUE;
}

/* Finds what there is in the tree; without one it has failed already. */
static gboolean
list_contents(const AditImageFolder *self, Contents *contents, GError **error)
{
    g_autofree char *root = NULL;
    g_autofree char *train = NULL;
    g_autofree char *test = NULL;

    if (contents->tree == NULL)
        return FALSE;
    root = find_root(self, contents->tree);
    train = get_train(self, root);
    if (!has_folder(contents->tree, train)) {
        if (self->train_folder != NULL || self->test_folder != NULL)
            return fail_missing(contents->tree, train, error);
        contents->train = list_classes(contents->tree, root, error);
        return contents->train != NULL;
    }
    contents->train = list_classes(contents->tree, train, error);
    test = find_test(self, contents->tree, root);
    if (contents->train == NULL)
        return FALSE;
    if (!has_folder(contents->tree, test))
        return self->test_folder == NULL || fail_missing(contents->tree, test, error);
    contents->test = list_classes(contents->tree, test, error);
    return contents->test != NULL && check_test(contents, error);
}

/* What the images are to be; sizes of 0 are those of the first. */
static AditShape
get_shape(AditImageFolder *self)
{
    return ADIT_SHAPE(self->channels == 0 ? 3 : 1, (gsize) adit_pair_get(self->size, 0, 0),
                      (gsize) adit_pair_get(self->size, 1, 0));
}

/* Images and class numbers of @classes, a subset of the training set's. */
static gboolean
read_examples(AditImageFolder *self, const Contents *contents, const GPtrArray *classes,
              AditShape *shape, AditExamples *examples, GError **error)
{
    g_autoptr(GArray) files = g_array_new(FALSE, FALSE, sizeof(guint));

    examples->classes = contents->train->len;
    examples->targets = adit_array_new(ADIT_TYPE_CODE_I32, &ADIT_SCALAR, 0, error);
    for (guint i = 0; i < classes->len; i++) {
        const Class *class = classes->pdata[i];
        gint32 label = find_class(contents->train, class->name);

        g_array_append_vals(files, class->files->data, class->files->len);
        for (guint row = 0; row < class->files->len; row++)
            if (!adit_array_append(examples->targets, &label, error))
                return FALSE;
    }
    examples->inputs = adit_tree_read_images(contents->tree, (const guint *) (gpointer) files->data,
                                             files->len, shape, self->size->len > 0, error);
    return examples->inputs != NULL;
}

static gboolean
load(AditDataset *dataset, AditLoader *loader, AditExamples *train, AditExamples *test,
     GError **error)
{
    AditImageFolder *self = IMAGE_FOLDER(dataset);
    AditShape shape = get_shape(self);
    g_auto(Contents) contents = {.tree = adit_loader_open_tree(loader, self->folder, error)};

    return list_contents(self, &contents, error) &&
           read_examples(self, &contents, contents.train, &shape, train, error) &&
           (contents.test == NULL ||
            read_examples(self, &contents, contents.test, &shape, test, error));
}

/* One image is decoded: all are like it, or are made so. */
static gboolean
describe(AditDataset *dataset, AditLoader *loader, AditSchema *schema, GError **error)
{
    AditImageFolder *self = IMAGE_FOLDER(dataset);
    g_auto(Contents) contents = {.tree = adit_loader_list_tree(loader, self->folder, error)};
    g_autoptr(AditArray) image = NULL;
    const Class *first = NULL;

    if (!list_contents(self, &contents, error))
        return FALSE;
    schema->inputs = get_shape(self);
    schema->targets = ADIT_SCALAR;
    schema->classes = contents.train->len;
    for (guint i = 0; i < contents.train->len; i++)
        schema->rows += ((const Class *) contents.train->pdata[i])->files->len;
    first = contents.train->pdata[0];
    image = adit_tree_read_images(contents.tree, &g_array_index(first->files, guint, 0), 1,
                                  &schema->inputs, self->size->len > 0, error);
    return image != NULL;
}

static void
adit_image_folder_class_init(AditComponentClass *klass)
{
    static const char *const channels[] = {"rgb", "grey", NULL};
    AditDatasetClass *dataset_class = ADIT_DATASET_CLASS(klass);

    dataset_class->describe = describe;
    dataset_class->load = load;
    dataset_class->has_test = TRUE;
    dataset_class->default_test = (AditAmount){.value = 0.2, .unit = ADIT_UNIT_PERCENT};
    adit_component_class_describe(klass, "image-folder",
                                  "JPEG and PNG files, a folder of them for each class");
    adit_component_class_add_path(klass, "folder",
                                  "Folder, or tar archive (.gz and .xz are unpacked), with a "
                                  "folder for each class; classes are numbered by name",
                                  NULL, ADIT_FIELD(AditImageFolder, folder, char *));
    adit_component_class_require(klass, "folder");
    adit_component_class_add_text(klass, "train-folder",
                                  "Folder in it that has the classes' folders; else 'train', if "
                                  "there is one",
                                  NULL, ADIT_FIELD(AditImageFolder, train_folder, char *));
    adit_component_class_add_text(klass, "test-folder",
                                  "Folder beside it with the test set's; else 'test' or 'val', if "
                                  "there is one. A class may be missing there",
                                  NULL, ADIT_FIELD(AditImageFolder, test_folder, char *));
    adit_component_class_add_pair(klass, "size",
                                  "Height and width that images are scaled to, what stands out cut "
                                  "off; without it all must be of one size",
                                  1, 65536, ADIT_FIELD(AditImageFolder, size, GArray *));
    adit_component_class_add_choice(klass, "channels",
                                    "Red, green and blue, of grey images three times the same, or "
                                    "brightness alone; transparency is left away",
                                    channels, 0, ADIT_FIELD(AditImageFolder, channels, int));
}

ADIT_PLUGIN("image-folder", "1.0", "MIT", ADIT_TYPES(adit_image_folder_get_type))
