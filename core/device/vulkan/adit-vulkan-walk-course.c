/* core/device/vulkan/adit-vulkan-walk-course.c - SPDX-License-Identifier: MIT */
#include "adit-vulkan-walk-registers.h"

#include <string.h>

/* The course of a walk: what its first kernel does, in order, with the loops that have a cut
 * written out. What lies between two cuts is a piece; pieces that do the same are one. */

typedef struct {
    AditWalkCourse *course;
    GPtrArray *pending; /* operations whose parts are not joined yet */
    AditWalkNest nest;
    guint32 index[ADIT_MAX_LOOPS];
} Planner;

static gboolean
has_cut(const GPtrArray *list)
{
    for (guint i = 0; i < list->len; i++) {
        const AditInstruction *instruction = list->pdata[i];

        if (instruction->body != NULL ? has_cut(instruction->body) : adit_walk_is_cut(instruction))
            return TRUE;
    }
    return FALSE;
}

static void
add_event(Planner *self, AditWalkEventKind kind, const AditInstruction *instruction)
{
    const AditWalkEvent event = {kind, instruction};

    g_array_append_val(self->course->events, event);
}

static void
begin_stretch(Planner *self)
{
    AditWalkStretch stretch = {.begin = self->course->events->len, .nest = self->nest};

    memcpy(stretch.step.index, self->index, sizeof self->index);
    g_array_append_val(self->course->stretches, stretch);
}

/* Another dispatch, which joins what this one leaves. */
static void
cut(Planner *self)
{
    if (self->pending->len == 0)
        return;
    begin_stretch(self);
    for (guint i = 0; i < self->pending->len; i++)
        add_event(self, ADIT_WALK_JOIN, self->pending->pdata[i]);
    g_ptr_array_set_size(self->pending, 0);
}

static void add_list(Planner *self, const GPtrArray *list);

static void
add_loop(Planner *self, const AditInstruction *loop)
{
    add_event(self, ADIT_WALK_ENTER, loop);
    self->nest.loops[self->nest.n++] = loop;
    for (guint i = 0; i < loop->n; i++) {
        if (i > 0)
            add_event(self, ADIT_WALK_NEXT, loop);
        self->index[loop->level] = loop->reverse ? loop->n - 1 - i : i;
        add_list(self, loop->body);
        cut(self);
    }
    self->nest.n--;
    self->index[loop->level] = 0;
    add_event(self, ADIT_WALK_LEAVE, loop);
}

static void
add_list(Planner *self, const GPtrArray *list)
{
    for (guint i = 0; i < list->len; i++) {
        const AditInstruction *instruction = list->pdata[i];

        if (instruction->domain == ADIT_DOMAIN_WHOLE) {
            cut(self);
        } else if (instruction->body != NULL && has_cut(instruction->body)) {
            add_loop(self, instruction);
        } else {
            add_event(self, ADIT_WALK_DO, instruction);
            if (instruction->body == NULL && adit_walk_is_cut(instruction))
                g_ptr_array_add(self->pending, (gpointer) instruction);
        }
    }
}

/* Stretches of equal events are one piece. */
static void
number_pieces(AditWalkCourse *self)
{
    g_autoptr(GHashTable) known =
        g_hash_table_new_full(g_bytes_hash, g_bytes_equal, (GDestroyNotify) g_bytes_unref, NULL);

    for (guint i = 0; i < self->stretches->len; i++) {
        AditWalkStretch *stretch = &g_array_index(self->stretches, AditWalkStretch, i);
        const AditWalkEvent *events = &g_array_index(self->events, AditWalkEvent, stretch->begin);
        gpointer number;

        stretch->end = i + 1 < self->stretches->len
                           ? g_array_index(self->stretches, AditWalkStretch, i + 1).begin
                           : self->events->len;
        GBytes *key = g_bytes_new(events, (stretch->end - stretch->begin) * sizeof *events);
        stretch->is_new = !g_hash_table_lookup_extended(known, key, NULL, &number);
        stretch->step.piece = stretch->is_new ? g_hash_table_size(known) : GPOINTER_TO_UINT(number);
        g_hash_table_insert(known, key, GUINT_TO_POINTER(stretch->step.piece));
    }
}

void
adit_walk_course_init(AditWalkCourse *self, const AditProgram *program)
{
    g_autoptr(GPtrArray) pending = g_ptr_array_new();
    Planner planner = {.course = self, .pending = pending};

    self->events = g_array_new(FALSE, FALSE, sizeof(AditWalkEvent));
    self->stretches = g_array_new(FALSE, FALSE, sizeof(AditWalkStretch));
    begin_stretch(&planner);
    add_list(&planner, program->instructions);
    cut(&planner);
    number_pieces(self);
}

void
adit_walk_course_clear(AditWalkCourse *self)
{
    g_array_unref(self->events);
    g_array_unref(self->stretches);
}
