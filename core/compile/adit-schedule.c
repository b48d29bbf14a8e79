/* core/compile/adit-schedule.c - SPDX-License-Identifier: MIT */
#include "adit-compile-private.h"

/* Phases alternate: even ones hold what runs once, odd ones what runs slice by slice. Slices wait
 * for each other only where the phase changes, so every instruction goes into the first phase it
 * can. */

static gboolean
is_whole(const AditNode *node)
{
    return node->instruction.domain == ADIT_DOMAIN_WHOLE;
}

/* How many phases an instruction comes behind one that it needs, at least. What is joined in turn
 * is there when all slices are through. */
static guint
get_distance(const AditNode *node, const AditNode *need)
{
    if (is_whole(need) != is_whole(node))
        return 1;
    return need->instruction.in_turn ? 2 : 0;
}

static int
compare_phases(gconstpointer a, gconstpointer b)
{
    const AditNode *x = *(AditNode *const *) a;
    const AditNode *y = *(AditNode *const *) b;
    if (x->instruction.phase != y->instruction.phase)
        return x->instruction.phase < y->instruction.phase ? -1 : 1;
    return x->begin < y->begin ? -1 : x->begin > y->begin;
}

/* Whether an instruction's slices need nothing of its list but what is made for it alone: all that
 * could as well run in a later phase. In the order of the list. */
static gboolean
find_free(const AditNode *node)
{
    gboolean is_free = node->instruction.kind == ADIT_INSTRUCTION_OP && !is_whole(node);
    for (guint i = 0; i < node->needs->len && is_free; i++) {
        const AditNode *need = node->needs->pdata[i];
        is_free = need->readers == 1 && need->is_free;
    }
    return is_free;
}

/* What runs once goes into the last phase it can: a phase of its own before the slices would make
 * them wait. What is free goes where it is read, before all that waited for something: there its
 * result lives within a stretch. */
static void
postpone(const GPtrArray *instructions)
{
    for (guint i = 0; i < instructions->len; i++) {
        AditNode *node = instructions->pdata[i];
        node->end = G_MAXUINT;
        node->is_free = find_free(node);
    }
    for (guint i = instructions->len; i > 0; i--) {
        AditNode *node = instructions->pdata[i - 1];
        gboolean moves = node->end != G_MAXUINT && (is_whole(node) || node->is_free);
        if (moves && node->instruction.phase != node->end) {
            node->instruction.phase = node->end;
            node->begin -= is_whole(node) ? 0 : instructions->len;
        }
        for (guint j = 0; j < node->needs->len; j++) {
            AditNode *need = node->needs->pdata[j];
            need->end = MIN(need->end, node->instruction.phase - get_distance(node, need));
        }
    }
}

void
adit_schedule(GPtrArray *instructions)
{
    for (guint i = 0; i < instructions->len; i++) {
        AditNode *node = instructions->pdata[i];
        guint phase = is_whole(node) ? 0 : 1;
        for (guint j = 0; j < node->needs->len; j++) {
            AditNode *need = node->needs->pdata[j];
            phase = MAX(phase, need->instruction.phase + get_distance(node, need));
            need->readers++;
        }
        node->instruction.phase = phase;
        node->begin = instructions->len + i;
        if (node->instruction.body != NULL)
            adit_schedule(node->instruction.body);
    }
    postpone(instructions);
    for (guint i = 0; i < instructions->len; i++) {
        AditNode *node = instructions->pdata[i];
        g_clear_pointer(&node->needs, g_ptr_array_unref);
    }
    g_ptr_array_sort(instructions, compare_phases);
}
