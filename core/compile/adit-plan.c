/* core/compile/adit-plan.c - SPDX-License-Identifier: MIT */
#include "adit-compile-private.h"

/* Numbers the instructions in the order they run; a loop's span covers its body. */
static guint
number(GPtrArray *instructions, guint position)
{
    for (guint i = 0; i < instructions->len; i++) {
        AditNode *node = instructions->pdata[i];
        node->begin = position++;
        if (node->instruction.body != NULL)
            position = number(node->instruction.body, position);
        node->end = position++;
    }
    return position;
}

typedef struct {
    AditProgram *program;
    const AditNode *loops[ADIT_MAX_LOOPS + 1]; /* by the level of the graph they stand in */
} Walk;

/* A value that belongs outside a loop and is used inside lives through all iterations. */
static void
use(Walk *walk, const AditNode *node, const AditOperand *operand)
{
    if (operand->storage < 0)
        return;
    AditStorage *storage = &g_array_index(walk->program->storages, AditStorage, operand->storage);
    if (storage->level < node->instruction.level)
        node = walk->loops[storage->level];
    storage->begin = MIN(storage->begin, node->begin);
    storage->end = MAX(storage->end, node->end);
}

static void
collect_uses(Walk *walk, const GPtrArray *instructions)
{
    for (guint i = 0; i < instructions->len; i++) {
        const AditNode *node = instructions->pdata[i];
        if (node->instruction.body != NULL) {
            walk->loops[node->instruction.level] = node;
            collect_uses(walk, node->instruction.body);
            continue;
        }
        for (guint j = 0; j < node->instruction.n_inputs; j++)
            use(walk, node, &node->instruction.inputs[j]);
        use(walk, node, &node->instruction.output);
    }
}

static int
compare_begins(gconstpointer a, gconstpointer b, gpointer user_data)
{
    const GArray *storages = user_data;
    const AditStorage *x = &g_array_index(storages, AditStorage, *(const guint *) a);
    const AditStorage *y = &g_array_index(storages, AditStorage, *(const guint *) b);
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    return *(const guint *) a < *(const guint *) b ? -1 : 1;
}

/* The lowest offset at which @storage overlaps none of the @placed ones (sorted by offset) that
 * live at the same time. */
static gsize
find_gap(const GArray *storages, const GArray *placed, const AditStorage *storage)
{
    gsize offset = 0;
    for (guint i = 0; i < placed->len; i++) {
        const AditStorage *other =
            &g_array_index(storages, AditStorage, g_array_index(placed, guint, i));
        if (other->end < storage->begin || other->begin > storage->end)
            continue;
        if (other->offset >= offset + storage->size)
            break;
        offset = MAX(offset, other->offset + other->size);
    }
    return offset;
}

static void
insert_by_offset(const GArray *storages, GArray *placed, guint index)
{
    gsize offset = g_array_index(storages, AditStorage, index).offset;
    guint i = placed->len;
    while (i > 0 &&
           g_array_index(storages, AditStorage, g_array_index(placed, guint, i - 1)).offset >
               offset)
        i--;
    g_array_insert_val(placed, i, index);
}

static void
drop_ended(const GArray *storages, GArray *placed, guint begin)
{
    guint kept = 0;
    for (guint i = 0; i < placed->len; i++) {
        guint index = g_array_index(placed, guint, i);
        if (g_array_index(storages, AditStorage, index).end >= begin)
            g_array_index(placed, guint, kept++) = index;
    }
    g_array_set_size(placed, kept);
}

/* Values with rows share memory by lifetime. What all slices share does not: slices run apart, so
 * one may still read what another has done with. */
static void
place_storages(AditProgram *program)
{
    GArray *storages = program->storages;
    g_autoptr(GArray) order = g_array_new(FALSE, FALSE, sizeof(guint));
    g_autoptr(GArray) placed = g_array_new(FALSE, FALSE, sizeof(guint));
    for (guint i = 0; i < storages->len; i++)
        g_array_append_val(order, i);
    g_array_sort_with_data(order, compare_begins, storages);

    for (guint i = 0; i < order->len; i++) {
        guint index = g_array_index(order, guint, i);
        AditStorage *storage = &g_array_index(storages, AditStorage, index);
        if (storage->arena == ADIT_ARENA_SHARED) {
            storage->offset = program->shared_size;
            program->shared_size += (storage->size + 15) / 16 * 16;
            continue;
        }
        drop_ended(storages, placed, storage->begin);
        storage->offset = find_gap(storages, placed, storage);
        insert_by_offset(storages, placed, index);
        program->row_units = MAX(program->row_units, storage->offset + storage->size);
    }
}

void
adit_plan_memory(AditProgram *program)
{
    guint end = number(program->commits, number(program->instructions, 0));
    Walk walk = {.program = program};
    collect_uses(&walk, program->instructions);
    collect_uses(&walk, program->commits);
    for (guint i = 0; i < program->outputs->len; i++) {
        const AditProgramOutput *output = &g_array_index(program->outputs, AditProgramOutput, i);
        if (output->operand.storage >= 0)
            g_array_index(program->storages, AditStorage, output->operand.storage).end = end;
    }
    place_storages(program);
}
