/* core/run/adit-checkpoints.c - SPDX-License-Identifier: MIT */
#include "adit-checkpoints.h"

#include "adit-file.h"
#include "adit-manifest.h"
#include "adit-output.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <math.h>

static char *
format_name(guint64 step)
{
    return g_strdup_printf("step-%08" G_GUINT64_FORMAT, step);
}

char *
adit_checkpoints_get_path(const char *folder, guint64 step)
{
    g_autofree char *name = format_name(step);

    return g_build_filename(folder, name, NULL);
}

static gboolean
parse_name(const char *name, guint64 *step)
{
    g_autofree char *back = NULL;

    if (!g_str_has_prefix(name, "step-") ||
        !g_ascii_string_to_unsigned(name + strlen("step-"), 10, 0, G_MAXUINT64, step, NULL))
        return FALSE;
    back = format_name(*step);
    return g_str_equal(name, back);
}

static gint
compare_steps(gconstpointer a, gconstpointer b)
{
    guint64 left = *(const guint64 *) a;
    guint64 right = *(const guint64 *) b;

    return (left < right) - (left > right);
}

GArray *
adit_checkpoints_list(const char *folder)
{
    GArray *steps = g_array_new(FALSE, FALSE, sizeof(guint64));
    g_autoptr(GDir) entries = g_dir_open(folder, 0, NULL);
    const char *name;
    guint64 step;

    while (entries != NULL && (name = g_dir_read_name(entries)) != NULL) {
        if (parse_name(name, &step))
            g_array_append_val(steps, step);
    }
    g_array_sort(steps, compare_steps);
    return steps;
}

GPtrArray *
adit_checkpoints_list_whole(const char *folder, guint64 step)
{
    GPtrArray *whole = g_ptr_array_new_with_free_func((GDestroyNotify) adit_manifest_free);
    g_autoptr(GArray) steps = adit_checkpoints_list(folder);

    for (guint i = 0; i < steps->len; i++) {
        guint64 candidate = g_array_index(steps, guint64, i);
        g_autofree char *path = adit_checkpoints_get_path(folder, candidate);
        g_autoptr(AditManifest) manifest = NULL;

        if (candidate > step)
            continue;
        manifest = adit_manifest_read(path, NULL);
        if (manifest != NULL && manifest->step == candidate &&
            adit_manifest_check_sizes(manifest, path, NULL))
            g_ptr_array_add(whole, g_steal_pointer(&manifest));
    }
    return whole;
}

/* Lowest score first, of equal ones the earlier; unmeasured ones last. */
static gint
compare_scores(gconstpointer a, gconstpointer b)
{
    const AditManifest *left = *(AditManifest *const *) a;
    const AditManifest *right = *(AditManifest *const *) b;

    if (isnan(left->score) || isnan(right->score))
        return isnan(left->score) - isnan(right->score);
    if (left->score != right->score)
        return left->score < right->score ? -1 : 1;
    return (left->step > right->step) - (left->step < right->step);
}

/* The measured ones of @whole, best first; borrows. */
static GPtrArray *
rank(GPtrArray *whole)
{
    GPtrArray *ranked = g_ptr_array_new();

    for (guint i = 0; i < whole->len; i++) {
        AditManifest *manifest = g_ptr_array_index(whole, i);

        if (!isnan(manifest->score))
            g_ptr_array_add(ranked, manifest);
    }
    g_ptr_array_sort(ranked, compare_scores);
    return ranked;
}

static gboolean
set_link(const char *folder, const char *name, const AditManifest *to, GError **error)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autofree char *target = to != NULL ? format_name(to->step) : NULL;
    g_autofree char *current = g_file_read_link(path, NULL);

    if (g_strcmp0(current, target) == 0)
        return TRUE;
    if (target != NULL)
        return adit_link_write(path, target, error);
    if (g_unlink(path) < 0 && errno != ENOENT) {
        return adit_output_fail(error, "remove", path, errno);
    }
    return TRUE;
}

gboolean
adit_checkpoints_set_links(const char *folder, GPtrArray *whole, gboolean want_best, GError **error)
{
    g_autoptr(GPtrArray) ranked = rank(whole);
    const AditManifest *best = want_best && ranked->len > 0 ? ranked->pdata[0] : NULL;

    return set_link(folder, "last", whole->len > 0 ? whole->pdata[0] : NULL, error) &&
           set_link(folder, "best", best, error);
}

static void
keep_first(GHashTable *kept, GPtrArray *manifests, guint count)
{
    for (guint i = 0; i < MIN(count, manifests->len); i++)
        g_hash_table_add(kept, g_ptr_array_index(manifests, i));
}

gboolean
adit_checkpoints_retain(const char *folder, GPtrArray *whole, const AditRetention *retention,
                        GError **error)
{
    g_autoptr(GHashTable) kept = g_hash_table_new(NULL, NULL);
    g_autoptr(GPtrArray) ranked = rank(whole);
    const AditManifest *finite = NULL;

    keep_first(kept, whole, MAX(retention->last, 1));
    keep_first(kept, ranked, retention->best);
    for (guint i = 0; i < whole->len && finite == NULL; i++) {
        AditManifest *manifest = g_ptr_array_index(whole, i);

        if (manifest->finite)
            finite = manifest;
    }
    for (guint i = 0; i < whole->len; i++) {
        const AditManifest *manifest = g_ptr_array_index(whole, i);
        g_autofree char *path = adit_checkpoints_get_path(folder, manifest->step);

        if (manifest == finite || g_hash_table_contains(kept, manifest))
            continue;
        if (!adit_folder_retire(path, error))
            return FALSE;
    }
    return TRUE;
}
