/* core/device/vulkan/adit-vulkan-join-trial.c - SPDX-License-Identifier: MIT */
#include "adit-cache.h"
#include "adit-verdicts.h"
#include "adit-vulkan-join-private.h"

#include <math.h>
#include <string.h>

/* ---- what is known ---- */

/* The texts of both kernels, what they include, and who compiles and runs them. */
static GBytes *
make_key(const AditVulkanJoin *self, const char *what)
{
    const AditVulkanPhysical *physical = self->device->physical;
    const AditVulkanWalk *walk = self->walk;
    g_autofree char *sums = adit_vulkan_join_make_sums_text(walk);
    GString *text = g_string_new(adit_verdicts_get_build());

    g_string_append_printf(text, "\n%s\n%s\n%s %s\n%08x %08x %08x\n", what, physical->name,
                           physical->driver, physical->driver_version, physical->vendor,
                           physical->device, physical->raw_driver_version);
    for (guint i = 0; i < walk->pieces->len; i++) {
        g_autofree char *piece =
            adit_vulkan_join_make_piece_text(self, walk->pieces->pdata[i], self->rows_a_group);

        g_string_append(text, piece);
    }
    g_string_append(text, sums);
    return g_string_free_to_bytes(text);
}

static gboolean
load(const char *kind, GBytes *key, guint8 *value)
{
    g_autoptr(GBytes) known = adit_cache_load(kind, key);

    if (known == NULL || g_bytes_get_size(known) != 1)
        return FALSE;
    memcpy(value, g_bytes_get_data(known, NULL), 1);
    return TRUE;
}

static void
save(const char *kind, GBytes *key, guint8 value)
{
    g_autoptr(GBytes) bytes = g_bytes_new(&value, 1);

    adit_cache_save(kind, key, bytes);
}

/* ---- is it right? ---- */

/* Rows that are tried. */
#define TRIED_ROWS 100
/* Of the normalised mean squared error. The update may divide by what is next to nothing. */
#define MAX_GRADIENT_ERROR 1e-8
#define MAX_UPDATE_ERROR   1e-2

static const AditArena arenas[] = {ADIT_ARENA_PARAMETERS, ADIT_ARENA_OPTIMIZER,
                                   ADIT_ARENA_GRADIENTS, ADIT_ARENA_STATES};
#define N_ARENAS G_N_ELEMENTS(arenas)

#define OPTIMIZER 1
#define FIGURES   N_ARENAS

/**
 * State: the arenas that a step changes and, last, the figures' log.
 */
typedef struct {
    float *values[N_ARENAS + 1];
    gsize counts[N_ARENAS + 1];
} State;

static void
state_clear(State *self)
{
    for (guint i = 0; i <= N_ARENAS; i++)
        g_free(self->values[i]);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(State, state_clear)

/* @rows: of the figures, which begin the log */
static void
state_read(State *self, const AditVulkanJoin *join, gsize rows)
{
    const AditExecutable *gradient = join->gradient;
    gsize step = gradient->places.log_room * sizeof(float);

    for (guint i = 0; i < N_ARENAS; i++) {
        const AditVulkanBuffer *buffer = &gradient->memory->arenas[arenas[i]];

        self->counts[i] = buffer->size / sizeof(float);
        self->values[i] = g_malloc(buffer->size);
        adit_vulkan_read(join->device, buffer, 0, buffer->size, self->values[i]);
    }
    self->counts[FIGURES] = gradient->n_sums * rows;
    self->values[FIGURES] = g_new0(float, gradient->n_sums *rows + 1);
    for (guint i = 0; i < gradient->n_sums; i++)
        adit_vulkan_read(join->device, &gradient->log, i * step, rows * sizeof(float),
                         self->values[FIGURES] + i * rows);
}

static void
state_write(const State *self, const AditVulkanJoin *join)
{
    for (guint i = 0; i < N_ARENAS; i++)
        adit_vulkan_write(join->device, &join->gradient->memory->arenas[arenas[i]], 0,
                          self->counts[i] * sizeof(float), self->values[i]);
}

/* Whether all that is compared is finite. The optimizer's numbers may overflow in runs that go on
 * to train. */
static gboolean
state_is_finite(const State *self)
{
    for (guint i = 0; i <= N_ARENAS; i++) {
        for (gsize j = 0; j < self->counts[i] && i != OPTIMIZER; j++) {
            if (!isfinite(self->values[i][j]))
                return FALSE;
        }
    }
    return TRUE;
}

/* Squares of the differences over the squares of what @expected is off from @before. */
static double
compare(const State *got, const State *expected, const State *before, guint arena)
{
    double error = 0, power = 0;

    for (gsize i = 0; i < got->counts[arena]; i++) {
        double start = before != NULL ? (double) before->values[arena][i] : 0;
        double wanted = (double) expected->values[arena][i] - start;
        double off = (double) got->values[arena][i] - start - wanted;

        error += off * off;
        power += wanted * wanted;
    }
    return power > 0 ? error / power : error;
}

/* What a run logs in a trial is nobody's figure. */
static void
forget_figures(const AditVulkanJoin *self)
{
    g_array_set_size(self->gradient->logged, 0);
    self->gradient->log_used = 0;
}

/* Whether all guarded values were finite; others are to learn of it. */
static gboolean
is_finite(const AditVulkanJoin *self)
{
    guint32 status;

    adit_vulkan_read(self->device, &self->gradient->memory->block, 0, sizeof status, &status);
    return status == 0 && self->device->error == NULL;
}

/* FALSE: a value was not finite. */
static gboolean
run_in_turn(const AditVulkanJoin *self, const AditDeviceRun *runs, guint n)
{
    for (guint i = 0; i < n; i++)
        adit_vulkan_executable_run(runs[i].executable, &runs[i].call);
    return is_finite(self);
}

static gboolean
run_joined(AditVulkanJoin *self, const AditDeviceRun *runs, guint n)
{
    g_autoptr(GError) error = NULL;
    AditVulkanRecording *recording = adit_vulkan_join_record(self, &runs[0].call, TRUE, &error);

    if (recording == NULL)
        return FALSE;
    gboolean done = adit_vulkan_executable_begin(self->gradient, recording, runs, n) &&
                    adit_vulkan_executable_submit(self->gradient, recording, &runs[0].call) &&
                    is_finite(self);

    adit_vulkan_queue_drain(self->device->queue);
    adit_vulkan_recording_free(self->device, recording);
    return done;
}

/* FALSE: they disagree. @compared: (out): FALSE: a value was not finite, and nobody knows. */
static gboolean
agree(AditVulkanJoin *self, const AditDeviceRun *runs, guint n, gboolean *compared)
{
    g_auto(State) before = {0}, expected = {0}, got = {0};
    const guint32 well = 0;
    gsize rows = runs[0].call.rows;
    gboolean right = TRUE;

    state_read(&before, self, 0);
    *compared = run_in_turn(self, runs, n);
    if (*compared) {
        state_read(&expected, self, rows);
        *compared = state_is_finite(&expected);
    }
    if (*compared) {
        state_write(&before, self);
        forget_figures(self);
        right = run_joined(self, runs, n);
        state_read(&got, self, rows);
        right = right && compare(&got, &expected, NULL, 2) <= MAX_GRADIENT_ERROR &&
                compare(&got, &expected, NULL, FIGURES) <= MAX_GRADIENT_ERROR &&
                compare(&got, &expected, NULL, 3) <= MAX_GRADIENT_ERROR &&
                compare(&got, &expected, &before, 0) <= MAX_UPDATE_ERROR;
    }
    state_write(&before, self);
    adit_vulkan_write(self->device, &self->gradient->memory->block, 0, sizeof well, &well);
    return right;
}

gboolean
adit_vulkan_join_try(AditVulkanJoin *self, const AditDeviceRun *runs, guint n)
{
    g_autoptr(GBytes) key = make_key(self, "agrees");
    g_autofree AditDeviceRun *few = g_memdup2(runs, n * sizeof *runs);
    gboolean compared;
    guint8 right;

    if (load("walks", key, &right))
        return right;
    few[0].call.rows = MIN(runs[0].call.rows, TRIED_ROWS);
    if (!is_finite(self))
        return TRUE;
    adit_vulkan_executable_drain(self->gradient);
    right = agree(self, few, n, &compared);
    forget_figures(self);
    adit_vulkan_executable_forget(self->gradient);
    if (self->device->error != NULL)
        return FALSE;
    if (compared)
        save("walks", key, right);
    return right;
}

/* ---- how many rows a workgroup? ---- */

/* The best of so many runs. */
#define MEASURED 3

/* Microseconds that the first kernel takes; 0: it cannot be known. */
static gint64
measure(AditVulkanJoin *self, const AditCall *call)
{
    g_autoptr(GError) error = NULL;
    AditVulkanRecording *recording = adit_vulkan_join_record(self, call, FALSE, &error);
    gint64 best = 0;

    if (recording == NULL)
        return 0;
    for (guint i = 0; i <= MEASURED; i++) {
        const AditVulkanCommands *commands =
            &g_array_index(recording->commands, AditVulkanCommands, 0);
        gint64 begin = g_get_monotonic_time();

        if (!adit_vulkan_queue_run(self->device->queue, commands->handle, "measuring"))
            break;
        gint64 time = MAX(g_get_monotonic_time() - begin, 1);
        /* the first warms the caches */
        best = i > 0 && (best == 0 || time < best) ? time : best;
    }
    adit_vulkan_recording_free(self->device, recording);
    return best;
}

static guint
find_fastest(AditVulkanJoin *self, const AditCall *call)
{
    guint most = adit_vulkan_join_get_most_rows(self), found = most;
    guint least = adit_vulkan_join_get_least_rows(self);
    gint64 best = G_MAXINT64;

    for (guint rows = most; rows >= least; rows /= 2) {
        gint64 time;

        if (!adit_vulkan_join_set_rows(self, rows, NULL))
            continue;
        time = measure(self, call);
        g_debug("a walk of %" G_GSIZE_FORMAT " rows, %u a workgroup: %" G_GINT64_FORMAT " us",
                call->rows, rows, time);
        if (time > 0 && time < best) {
            best = time;
            found = rows;
        }
    }
    return found;
}

/* What the environment wants; 0: nothing. */
static guint
get_wanted_rows(const AditVulkanJoin *self)
{
    const char *text = g_getenv("ADIT_WALK_ROWS");
    guint64 rows = 0;

    if (text == NULL ||
        !g_ascii_string_to_unsigned(text, 10, 1, adit_vulkan_join_get_most_rows(self), &rows, NULL))
        return 0;
    return MAX(1u << (g_bit_storage((gulong) rows) - 1), adit_vulkan_join_get_least_rows(self));
}

/* A processor's caches are the same for all. */
static gboolean
may_measure(const AditVulkanJoin *self)
{
    return g_strcmp0(g_getenv("ADIT_WALK_ROWS"), "measure") == 0 ||
           !g_str_equal(self->device->physical->type, "cpu");
}

guint
adit_vulkan_join_tune(AditVulkanJoin *self, const AditCall *call)
{
    guint wanted = get_wanted_rows(self), before = self->rows_a_group;

    if (wanted > 0 || !may_measure(self))
        return wanted > 0 ? wanted : before;
    g_autofree char *what = g_strdup_printf("%" G_GSIZE_FORMAT " rows", call->rows);
    g_autoptr(GBytes) key = make_key(self, what);
    guint most = adit_vulkan_join_get_most_rows(self);
    guint8 rows;

    if (!load("walks", key, &rows) || rows < adit_vulkan_join_get_least_rows(self) || rows > most) {
        rows = (guint8) find_fastest(self, call);
        save("walks", key, rows);
        adit_vulkan_join_set_rows(self, before, NULL);
    }
    g_debug("a walk has %u rows a workgroup", rows);
    return rows;
}
