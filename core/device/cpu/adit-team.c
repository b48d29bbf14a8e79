/* core/device/cpu/adit-team.c - SPDX-License-Identifier: MIT */
#include "adit-team.h"

#include <sched.h>

/* Waits within a step and between two are short: spin this often, some 20 us, then let others have
 * the core. */
#define SPINS 1000

struct _AditTeam {
    guint n_threads;
    GThread **threads;

    GMutex mutex;
    GCond start;
    guint n_sleeping;
    guint generation; /* of the current run; wraps */
    gint quit;
    AditTeamFunc func;
    gpointer data;

    gint arrived; /* at the barrier */
    guint round;  /* barriers passed; wraps */
};

typedef struct {
    AditTeam *team;
    guint thread;
} Member;

static inline void
relax(void)
{
#if defined __x86_64__
    __builtin_ia32_pause();
#elif defined __aarch64__
    __asm__ volatile("yield");
#endif
}

void
adit_team_meet(AditTeam *self, AditTeamFunc func, gpointer data, guint thread)
{
    guint round = (guint) g_atomic_int_get(&self->round);
    if (g_atomic_int_add(&self->arrived, 1) == (gint) self->n_threads - 1) {
        if (func != NULL)
            func(data, thread);
        g_atomic_int_set(&self->arrived, 0);
        g_atomic_int_set(&self->round, round + 1);
        return;
    }
    for (guint spins = 0; (guint) g_atomic_int_get(&self->round) == round; spins++) {
        if (spins > SPINS)
            sched_yield();
        else
            relax();
    }
}

void
adit_team_await(const gint *number, gint value)
{
    for (guint spins = 0; g_atomic_int_get(number) != value; spins++) {
        if (spins > SPINS)
            sched_yield();
        else
            relax();
    }
}

void
adit_team_wait(AditTeam *self)
{
    if (self->n_threads > 1)
        adit_team_meet(self, NULL, NULL, 0);
}

/* Waits for a run after @generation. */
static void
wait_for_run(AditTeam *self, guint generation)
{
    for (guint spins = 0; spins < SPINS; spins++) {
        if ((guint) g_atomic_int_get(&self->generation) != generation)
            return;
        relax();
    }
    g_mutex_lock(&self->mutex);
    self->n_sleeping++;
    while ((guint) g_atomic_int_get(&self->generation) == generation)
        g_cond_wait(&self->start, &self->mutex);
    self->n_sleeping--;
    g_mutex_unlock(&self->mutex);
}

static gpointer
work(gpointer data)
{
    g_autofree Member *member = data;
    AditTeam *self = member->team;
    for (guint generation = 0;; generation++) {
        wait_for_run(self, generation);
        if (g_atomic_int_get(&self->quit))
            return NULL;
        self->func(self->data, member->thread);
        adit_team_wait(self);
    }
}

/* Lets the others go. */
static void
wake(AditTeam *self)
{
    g_mutex_lock(&self->mutex);
    g_atomic_int_inc(&self->generation);
    if (self->n_sleeping > 0)
        g_cond_broadcast(&self->start);
    g_mutex_unlock(&self->mutex);
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
    g_atomic_int_set(&self->quit, TRUE);
    wake(self);
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
        self->func = func;
        self->data = data;
        wake(self);
    }
    func(data, 0);
    adit_team_wait(self);
}
