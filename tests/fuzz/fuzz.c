/* tests/fuzz/fuzz.c - SPDX-License-Identifier: MIT */
#include "fuzz.h"
#include "mutate.h"

/* Each reader is given what it reads, damaged in every way: it reads it or says where it is wrong,
 * and does neither crash nor go on for ever. The damage is the same in every run; `-m slow` goes
 * on for longer, best with the sanitizers. The folder that a failure leaves behind has the file. */

#define RUNS      1500
#define RUNS_SLOW 50000

static void
assert_told(const Reader *reader, Scratch *scratch, guint number, const GError *error)
{
    gboolean is_ours = error->domain == ADIT_ERROR;

    /* the folder is $data, and the pipeline is called by its path */
    if (is_ours &&
        (strstr(error->message, "$data/") != NULL || strstr(error->message, scratch->path) != NULL))
        return;
    g_test_message("%s: input %u in %s: %s: %s", reader->name, number, scratch->path,
                   g_quark_to_string(error->domain), error->message);
    g_test_fail();
}

static void
write_bytes(const char *path, const GByteArray *bytes)
{
    g_autoptr(GError) error = NULL;

    /* no waiting for the disk */
    g_file_set_contents_full(path, (const char *) bytes->data, bytes->len, G_FILE_SET_CONTENTS_NONE,
                             0600, &error);
    g_assert_no_error(error);
}

/* One form of what @reader reads. */
static void
run_form(const Reader *reader, guint form, const GByteArray *good, Scratch *scratch)
{
    static const char *const no_words[] = {"", NULL};
    g_autoptr(GRand) random = g_rand_new_with_seed(form);
    g_autofree char *path = g_build_filename(scratch->path, reader->file, NULL);
    g_autoptr(GError) failure = NULL;
    guint n = g_test_slow() ? RUNS_SLOW : RUNS, refused = 0;

    write_bytes(path, good);
    reader->read(scratch, path, &failure);
    g_assert_no_error(failure);
    for (guint i = 0; i < n; i++) {
        g_autoptr(GByteArray) bytes = g_byte_array_new();
        g_autoptr(GError) error = NULL;
        gboolean is_read = FALSE;

        g_byte_array_append(bytes, good->data, good->len);
        mutate(bytes, random, reader->words != NULL ? reader->words : no_words);
        if (reader->mend != NULL && i % 4 > 0)
            reader->mend(bytes);
        write_bytes(path, bytes);
        is_read = reader->read(scratch, path, &error);
        g_assert_true(is_read == (error == NULL));
        refused += !is_read;
        if (!is_read)
            assert_told(reader, scratch, i, error);
        if (g_test_failed())
            g_error("%s, form %u, input %u: see %s", reader->name, form, i, path);
    }
    g_assert_cmpuint(refused, >, n / 10);
}

static void
run_reader(gconstpointer data)
{
    const Reader *reader = data;

    for (guint form = 0;; form++) {
        g_auto(Scratch) scratch = {0};
        g_autoptr(GByteArray) good = NULL;

        scratch_init(&scratch);
        g_test_message("form %u in %s", form, scratch.path);
        good = reader->make(&scratch, form);
        if (good == NULL)
            return;
        run_form(reader, form, good, &scratch);
    }
}

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; readers[i] != NULL; i++) {
        g_autofree char *path = g_strconcat("/fuzz/", readers[i]->name, NULL);

        g_test_add_data_func(path, readers[i], run_reader);
    }
    return g_test_run();
}
