/* core/device/cpu/adit-team.h - SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * AditTeam: threads that run one function together. The caller is thread 0; with one thread there
 * is no other, and nothing is ever waited for.
 */
typedef struct _AditTeam AditTeam;

typedef void (*AditTeamFunc)(gpointer data, guint thread);

AditTeam *adit_team_new(guint n_threads);
void adit_team_free(AditTeam *self);
guint adit_team_get_size(const AditTeam *self);
/* Returns when all threads have returned from @func. */
void adit_team_run(AditTeam *self, AditTeamFunc func, gpointer data);
/* Within @func: waits until another thread has set @number to @value: what it left until then is
 * seen. */
void adit_team_await(const gint *number, gint value);
/* Within @func: waits until all threads have come here. */
void adit_team_wait(AditTeam *self);
/* The same; before it lets the others go, the thread that comes last calls @func with what it gave
 * itself: what they left it sees, and they see what it leaves. */
void adit_team_meet(AditTeam *self, AditTeamFunc func, gpointer data, guint thread);

G_END_DECLS
