/* core/compile/adit-plan.c - SPDX-License-Identifier: MIT */
#include "adit-compile-private.h"

#include "adit-pointwise.h"

#include <string.h>

typedef struct {
    guint position;
    guint stretches;
} Numbers;

/* Whether @node is pointwise work on what @before left, so that a device may run both as one
 * kernel. */
static gboolean
continues(const AditNode *node, const AditNode *before)
{
    const AditInstruction *instruction = &node->instruction;
    const AditOperand *result = &before->instruction.output;
    if (instruction->kind != ADIT_INSTRUCTION_OP || adit_pointwise_find(instruction->op) == NULL ||
        instruction->output.count != result->count || result->storage < 0)
        return FALSE;
    for (guint i = 0; i < instruction->n_inputs; i++) {
        if (instruction->inputs[i].storage == result->storage)
            return TRUE;
    }
    return FALSE;
}

static gboolean
is_op(const AditNode *node, const char *name)
{
    return node->instruction.kind == ADIT_INSTRUCTION_OP &&
           strcmp(node->instruction.op->name, name) == 0;
}

/* Whether @node takes the gradient that the rectifier @gate (nullable) lets through on through a
 * normalisation. */
static gboolean
normalizes(const AditNode *node, const AditNode *gate)
{
    const AditInstruction *instruction = &node->instruction;
    if (gate == NULL)
        return FALSE;
    int storage = gate->instruction.output.storage;
    return (is_op(node, "normalize-sums") && instruction->inputs[1].storage == storage) ||
           (is_op(node, "normalize-gradient") && instruction->inputs[0].storage == storage);
}

static gboolean
reads(const AditNode *node, const char *name, guint input, const AditNode *before)
{
    return is_op(node, name) && before->instruction.output.storage >= 0 &&
           node->instruction.inputs[input].storage == before->instruction.output.storage;
}

/* How many instructions a normalisation, its rectifier and the layer's product behind it are, or,
 * on the way back, that product, the gradient of the weights, and the rectifier; 0: not these. */
static guint
count_layer(const GPtrArray *instructions, guint first)
{
    const AditNode *const *nodes = (const AditNode *const *) (gpointer) instructions->pdata + first;
    guint left = instructions->len - first;
    if (left < 3)
        return 0;
    if (is_op(nodes[0], "normalize"))
        return reads(nodes[1], "relu", 0, nodes[0]) && reads(nodes[2], "matmul", 0, nodes[1]) ? 3
                                                                                              : 0;
    guint gate = is_op(nodes[1], "matmul-rows") ? 2 : 1;
    return is_op(nodes[0], "matmul") && gate + 1 < left &&
                   reads(nodes[gate], "relu-gradient", 1, nodes[0]) &&
                   normalizes(nodes[gate + 1], nodes[gate])
               ? gate + 1
               : 0;
}

/* An operation and what continues it, as much as kernels are known to take together, begin and end
 * together. Returns how many they are. Scalars are left alone: an optimizer's update is a long
 * chain of them, and no kernel for itself. */
static guint
number_chain(const GPtrArray *instructions, guint first, Numbers *numbers)
{
    const AditInstruction *start = &((const AditNode *) instructions->pdata[first])->instruction;
    guint layer = count_layer(instructions, first);
    guint most = layer > 0                                ? layer + 2
                 : strcmp(start->op->name, "matmul") == 0 ? 4
                 : start->output.count > 1                ? 2
                                                          : 1;
    const AditNode *gate = NULL;
    guint n = 1;
    while (first + n < instructions->len) {
        const AditNode *before = instructions->pdata[first + n - 1];
        const AditNode *node = instructions->pdata[first + n];
        if (is_op(before, "relu-gradient"))
            gate = before;
        if (normalizes(node, gate))
            most = MAX(most, n + 2); /* and a sum */
        else if (n >= layer && (n >= most || !continues(node, before)))
            break;
        n++;
    }
    for (guint i = 0; i < n; i++) {
        AditNode *node = instructions->pdata[first + i];
        node->begin = numbers->position;
        node->end = numbers->position + 1;
    }
    numbers->position += 2;
    return n;
}

/* Numbers instructions in the order they run, a loop's span its body's, and finds the stretches;
 * @stretch: (nullable): the node whose stretch they are in. */
static void
number(const GPtrArray *instructions, const AditNode *stretch, Numbers *numbers)
{
    const AditNode *before = NULL;
    for (guint i = 0; i < instructions->len; i++) {
        AditNode *node = instructions->pdata[i];
        if (stretch != NULL) {
            node->stretch = stretch->stretch;
            node->stretch_level = stretch->stretch_level;
        } else if (node->instruction.domain == ADIT_DOMAIN_SLICES) {
            gboolean goes_on = before != NULL && before->stretch != 0;
            node->stretch = goes_on ? before->stretch : ++numbers->stretches;
            node->stretch_level = node->instruction.level;
        }
        before = node;
    }
    for (guint i = 0; i < instructions->len;) {
        AditNode *node = instructions->pdata[i];
        if (node->instruction.kind == ADIT_INSTRUCTION_OP) {
            i += number_chain(instructions, i, numbers);
            continue;
        }
        node->begin = numbers->position++;
        if (node->instruction.body != NULL)
            number(node->instruction.body, node->stretch != 0 ? node : NULL, numbers);
        node->end = numbers->position++;
        i++;
    }
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

/* What belongs outside the loops around a stretch is still there when it runs again. */
static void
note_stretch(Walk *walk, const AditNode *node, const AditOperand *operand)
{
    if (operand->storage < 0)
        return;
    AditStorage *storage = &g_array_index(walk->program->storages, AditStorage, operand->storage);
    if (storage->begin == G_MAXUINT)
        storage->stretch = node->stretch;
    if (storage->stretch != node->stretch || storage->level < node->stretch_level)
        storage->stretch = 0;
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
        for (guint j = 0; j <= node->instruction.n_inputs; j++) {
            const AditOperand *operand = j < node->instruction.n_inputs
                                             ? &node->instruction.inputs[j]
                                             : &node->instruction.output;
            note_stretch(walk, node, operand);
            use(walk, node, operand);
        }
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

/* A value of so many elements a row begins a line of cache, however many rows a slice has. */
#define LEAST_ALIGNED 256
#define LINE          16

static gsize
fill_line(gsize size)
{
    return (size + LINE - 1) / LINE * LINE;
}

/* The lowest offset at which @storage overlaps none of the @placed ones (sorted by offset) that
 * live at the same time. */
static gsize
find_gap(const GArray *storages, const GArray *placed, const AditStorage *storage)
{
    gboolean aligned = storage->size >= LEAST_ALIGNED;
    gsize offset = 0;
    for (guint i = 0; i < placed->len; i++) {
        const AditStorage *other =
            &g_array_index(storages, AditStorage, g_array_index(placed, guint, i));
        if (other->end < storage->begin || other->begin > storage->end)
            continue;
        if (other->offset >= offset + storage->size)
            break;
        gsize end = other->offset + other->size;
        offset = MAX(offset, aligned ? fill_line(end) : end);
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

/* Values with rows share memory by lifetime: those used in several stretches, then, behind them,
 * the others. What all slices share does not: slices run apart, so one may still read what another
 * has done with. */
static void
place_rows(AditProgram *program, const GArray *order, gboolean local)
{
    GArray *storages = program->storages;
    g_autoptr(GArray) placed = g_array_new(FALSE, FALSE, sizeof(guint));
    for (guint i = 0; i < order->len; i++) {
        guint index = g_array_index(order, guint, i);
        AditStorage *storage = &g_array_index(storages, AditStorage, index);
        if (storage->arena != ADIT_ARENA_ROWS || (storage->stretch != 0) != local)
            continue;
        drop_ended(storages, placed, storage->begin);
        storage->offset = find_gap(storages, placed, storage);
        insert_by_offset(storages, placed, index);
        program->row_units =
            MAX(program->row_units, program->crossing_units + storage->offset + storage->size);
    }
}

/* What a thread keeps of a stretch is of one iteration of the loops around it. */
static void
fit_parts(AditProgram *program, GPtrArray *instructions)
{
    for (guint i = 0; i < instructions->len; i++) {
        AditNode *node = instructions->pdata[i];
        AditInstruction *instruction = &node->instruction;
        AditOperand *part = instruction->in_turn ? &instruction->inputs[0] : &instruction->output;
        guint level = node->stretch_level;
        if (instruction->body != NULL)
            fit_parts(program, instruction->body);
        if (instruction->body != NULL || part->arena != ADIT_ARENA_THREAD)
            continue;
        AditStorage *storage = &g_array_index(program->storages, AditStorage, part->storage);
        if (level > 0 && part->strides[level - 1].stride > 0)
            storage->size = part->strides[level - 1].stride;
        storage->level = level;
        memset(part->strides, 0, level * sizeof *part->strides);
    }
}

/* A thread's storages are there for as long as a stretch takes, whose panels run one after the
 * other; those used in several stretches stay. */
static void
place_thread(AditProgram *program, gboolean local)
{
    g_autoptr(GHashTable) ends = g_hash_table_new(NULL, NULL); /* stretch -> elements */
    gsize begin = program->thread_size;
    for (guint i = 0; i < program->storages->len; i++) {
        AditStorage *storage = &g_array_index(program->storages, AditStorage, i);
        gpointer stretch = GUINT_TO_POINTER(storage->stretch);
        if (storage->arena != ADIT_ARENA_THREAD || (storage->stretch != 0) != local)
            continue;
        storage->offset = begin + GPOINTER_TO_SIZE(g_hash_table_lookup(ends, stretch));
        gsize end = storage->offset + fill_line(storage->size);
        g_hash_table_insert(ends, stretch, GSIZE_TO_POINTER(end - begin));
        program->thread_size = MAX(program->thread_size, end);
    }
}

static void
place_storages(AditProgram *program)
{
    GArray *storages = program->storages;
    g_autoptr(GArray) order = g_array_new(FALSE, FALSE, sizeof(guint));
    for (guint i = 0; i < storages->len; i++)
        g_array_append_val(order, i);
    g_array_sort_with_data(order, compare_begins, storages);
    place_rows(program, order, FALSE);
    if (program->row_units >= LEAST_ALIGNED)
        program->row_units = fill_line(program->row_units);
    program->crossing_units = program->row_units;
    place_rows(program, order, TRUE);
    place_thread(program, FALSE);
    place_thread(program, TRUE);
    for (guint i = 0; i < order->len; i++) {
        AditStorage *storage =
            &g_array_index(storages, AditStorage, g_array_index(order, guint, i));
        if (storage->arena == ADIT_ARENA_ROWS) {
            storage->offset += storage->stretch != 0 ? program->crossing_units : 0;
            continue;
        }
        if (storage->arena != ADIT_ARENA_SHARED)
            continue;
        storage->offset = program->shared_size;
        program->shared_size += fill_line(storage->size);
    }
}

void
adit_plan_memory(AditProgram *program)
{
    Numbers numbers = {0};
    Walk walk = {.program = program};
    number(program->instructions, NULL, &numbers);
    number(program->commits, NULL, &numbers);
    fit_parts(program, program->instructions);
    collect_uses(&walk, program->instructions);
    collect_uses(&walk, program->commits);
    for (guint i = 0; i < program->outputs->len; i++) {
        const AditProgramOutput *output = &g_array_index(program->outputs, AditProgramOutput, i);
        if (output->operand.storage < 0)
            continue;
        AditStorage *storage =
            &g_array_index(program->storages, AditStorage, output->operand.storage);
        storage->end = numbers.position;
        storage->stretch = 0;
    }
    place_storages(program);
}
