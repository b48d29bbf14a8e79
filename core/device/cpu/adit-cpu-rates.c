/* core/device/cpu/adit-cpu-rates.c - SPDX-License-Identifier: MIT */
#include "adit-rates.h"

#include "adit-cpu-private.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* of a round of multiply-adds: shorter than what a scheduler gives a thread at a time */
#define FMA_USEC 2000
#define MIN_COPY ((gsize) 64 << 20)
#define MAX_COPY ((gsize) 128 << 20)

typedef struct {
    AditIsa isa;
    gsize rounds;
    double *operations; /* of each thread */
} Burst;

static void
run_burst(gpointer data, guint thread)
{
    const Burst *self = data;

    self->operations[thread] = adit_isa_run_burst(self->isa, self->rounds);
}

typedef struct {
    char *to;
    const char *from;
    gsize size;
    guint n_threads;
} Copy;

static void
run_copy(gpointer data, guint thread)
{
    const Copy *self = data;
    gsize begin = self->size / self->n_threads * thread;
    gsize end =
        thread + 1 == self->n_threads ? self->size : self->size / self->n_threads * (thread + 1);

    memcpy(self->to + begin, self->from + begin, end - begin);
}

/* Seconds that the team takes, at the best of all rounds. */
static double
measure(guint threads, AditTeamFunc func, gpointer data, double seconds)
{
    AditTeam *team = adit_team_new(threads);
    gint64 best = G_MAXINT64, first = g_get_monotonic_time(), begin;

    do {
        begin = g_get_monotonic_time();
        adit_team_run(team, func, data);
        best = MIN(best, g_get_monotonic_time() - begin);
    } while (1e-6 * (double) (g_get_monotonic_time() - first) < seconds);
    adit_team_free(team);
    return 1e-6 * (double) MAX(best, 1);
}

/* Rounds of multiply-adds that fill the time. */
static gsize
calibrate(AditIsa isa)
{
    gsize rounds = 1024;
    gint64 begin, taken;

    do {
        rounds *= 2;
        begin = g_get_monotonic_time();
        adit_isa_run_burst(isa, rounds);
        taken = g_get_monotonic_time() - begin;
    } while (taken < FMA_USEC / 2);
    return (gsize) ((double) rounds * FMA_USEC / (double) taken);
}

double
adit_rates_measure_fma(AditIsa isa, guint threads, double seconds)
{
    g_autofree double *operations = g_new0(double, threads);
    Burst burst = {isa, calibrate(isa), operations};
    double taken = measure(threads, run_burst, &burst, seconds), total = 0;

    for (guint i = 0; i < threads; i++)
        total += operations[i];
    return total / taken;
}

gsize
adit_rates_get_copy_size(void)
{
    long cache = sysconf(_SC_LEVEL3_CACHE_SIZE);

    if (cache <= 0)
        cache = sysconf(_SC_LEVEL2_CACHE_SIZE);
    return CLAMP(4 * (gsize) MAX(cache, 0), MIN_COPY, MAX_COPY);
}

double
adit_rates_measure_copy(guint threads, double seconds, GError **error)
{
    gsize size = adit_rates_get_copy_size();
    char *from = adit_cpu_allocate(size, "the copy that is timed", error);
    char *to = from != NULL ? adit_cpu_allocate(size, "the copy that is timed", error) : NULL;
    Copy copy = {to, from, size, threads};
    double rate = to != NULL ? 2 * (double) size / measure(threads, run_copy, &copy, seconds) : 0;

    free(from);
    free(to);
    return rate;
}
