/* core/device/cpu/adit-team.c - SPDX-License-Identifier: MIT */
#include "adit-team.h"

#include <sched.h>

/* Waits within a step are short: spin this often, then let others have the core. */
#define SPINS 2000

struct _AditTeam {
    guint n_threads;
    GThread **threads;

    GMutex mutex;
    GCond start;
    guint generation; /* of the current run */
    gboolean quit;
    AditTeamFunc func;
    gpointer data;

    gint arrived; /* at the barrier */
    guint round;  /* barriers passed; wraps */
};

typedef struct {
    AditTeam *team;
    guint thread;
} Member;

void
adit_team_wait(AditTeam *self)
{
    if (self->n_threads == 1)
        return;
    guint round = (guint) g_atomic_int_get(&self->round);
    if (g_atomic_int_add(&self->arrived, 1) == (gint) self->n_threads - 1) {
        g_atomic_int_set(&self->arrived, 0);
        g_atomic_int_set(&self->round, round + 1);
        return;
    }
    for (guint spins = 0; (guint) g_atomic_int_get(&self->round) == round; spins++) {
        if (spins > SPINS)
            sched_yield();
        else
            __atomic_signal_fence(__ATOMIC_SEQ_CST);
    }
}

static gpointer
work(gpointer data)
{
    g_autofree Member *member = data;
    AditTeam *self = member->team;
    guint generation = 0;
    for (;;) {
        g_mutex_lock(&self->mutex);
        while (self->generation == generation && !self->quit)
            g_cond_wait(&self->start, &self->mutex);
        generation = self->generation;
        gboolean quit = self->quit;
        g_mutex_unlock(&self->mutex);
        if (quit)
            return NULL;
        self->func(self->data, member->thread);
        adit_team_wait(self);
    }
}

AditTeam *
adit_team_new(guint n_threads)
{
    AditTeam *self = g_new0(AditTeam, 1);
    self->n_threads = MAX(n_threads, 1);
    self->threads = g_new0(GThread *, self->n_threads);
    g_mutex_init(&self->mutex);
    g_cond_init(&self->start);
    for (guint i = 1; i < self->n_threads; i++) {
        Member *member = g_new(Member, 1);
        *member = (Member){self, i};
        self->threads[i] = g_thread_new("adit-worker", work, member);
    }
    return self;
}

void
adit_team_free(AditTeam *self)
{
    g_mutex_lock(&self->mutex);
    self->quit = TRUE;
    g_cond_broadcast(&self->start);
    g_mutex_unlock(&self->mutex);
    for (guint i = 1; i < self->n_threads; i++)
        g_thread_join(self->threads[i]);
    g_mutex_clear(&self->mutex);
    g_cond_clear(&self->start);
    g_free(self->threads);
    g_free(self);
}

guint
adit_team_get_size(const AditTeam *self)
{
    return self->n_threads;
}

void
adit_team_run(AditTeam *self, AditTeamFunc func, gpointer data)
{
    if (self->n_threads > 1) {
        g_mutex_lock(&self->mutex);
        self->func = func;
        self->data = data;
        self->generation++;
        g_cond_broadcast(&self->start);
        g_mutex_unlock(&self->mutex);
    }
    func(data, 0);
    adit_team_wait(self);
}
