/* tests/core/data/test-no-images.c - SPDX-License-Identifier: MIT */
#include "adit-loader.h"
#include "scratch.h"

/* Where gdk-pixbuf is not there, that is what is said of an image. */
static void
test_no_images(void)
{
    g_auto(Scratch) scratch = {0};
    g_autoptr(AditLoader) loader = NULL;
    g_autoptr(AditTree) tree = NULL;
    g_autoptr(AditArray) images = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *path = NULL;
    AditShape shape = ADIT_SHAPE(3, 0, 0);

    scratch_init(&scratch);
    path = scratch_write_text(&scratch, "a.png", "\x89PNG\r\n\x1a\n");
    loader = adit_loader_new(NULL, 0);
    tree = adit_loader_open_tree(loader, scratch.path, &error);
    g_assert_no_error(error);
    images = adit_tree_read_images(tree, &(guint){0}, 1, &shape, FALSE, &error);
    g_assert_null(images);
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_FAILED);
    g_assert_true(g_str_has_suffix(
        error->message, "/a.png: this build reads no images: it was made without gdk-pixbuf"));
}

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/images/none", test_no_images);
    return g_test_run();
}
