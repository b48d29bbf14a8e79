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

static int
compare_phases(gconstpointer a, gconstpointer b)
{
    const AditNode *x = *(AditNode *const *) a;
    const AditNode *y = *(AditNode *const *) b;
    if (x->instruction.phase != y->instruction.phase)
        return x->instruction.phase < y->instruction.phase ? -1 : 1;
    return x->begin < y->begin ? -1 : x->begin > y->begin;
}

void
adit_schedule(GPtrArray *instructions)
{
    for (guint i = 0; i < instructions->len; i++) {
        AditNode *node = instructions->pdata[i];
        guint phase = is_whole(node) ? 0 : 1;
        for (guint j = 0; j < node->needs->len; j++) {
            const AditNode *need = node->needs->pdata[j];
            phase = MAX(phase, need->instruction.phase + (is_whole(need) != is_whole(node)));
        }
        node->instruction.phase = phase;
        node->begin = i;
        if (node->instruction.body != NULL)
            adit_schedule(node->instruction.body);
    }
    for (guint i = 0; i < instructions->len; i++) {
        AditNode *node = instructions->pdata[i];
        g_clear_pointer(&node->needs, g_ptr_array_unref);
    }
    g_ptr_array_sort(instructions, compare_phases);
}
