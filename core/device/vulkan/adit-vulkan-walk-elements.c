/* core/device/vulkan/adit-vulkan-walk-elements.c - SPDX-License-Identifier: MIT */
#include "adit-pointwise.h"
#include "adit-vulkan-walk-private.h"

#include <string.h>

/* Numbers of values without rows that have many, read where one of them is needed: moments of a
 * batch, running statistics, and what is computed of them. */

const AditWalkJoin *
adit_walk_find_join(const AditWalkMaking *self, int storage)
{
    for (guint i = 0; i < self->joins->len && storage >= 0; i++) {
        const AditWalkJoin *join = &g_array_index(self->joins, AditWalkJoin, i);

        if (join->place.storage == storage)
            return join;
    }
    return NULL;
}

static const AditWalkMaker *
find_maker(const AditWalkMaking *self, const AditOperand *operand)
{
    return operand->storage < 0 || operand->arena != ADIT_ARENA_SHARED
               ? NULL
               : g_hash_table_lookup(self->makers, GINT_TO_POINTER(operand->storage + 1));
}

/* @seen: the makers that were asked: a carry may come of itself. */
static gboolean
comes_of_sum(const AditWalkMaking *self, const AditWalkMaker *maker, GHashTable *seen)
{
    const AditInstruction *instruction = maker->instruction;

    if (!g_hash_table_add(seen, (gpointer) maker))
        return FALSE;
    if (instruction->kind == ADIT_INSTRUCTION_COMBINE)
        return adit_walk_find_join(self, instruction->output.storage) == NULL;
    for (guint i = 0; i < instruction->n_inputs; i++) {
        const AditOperand *input = &instruction->inputs[i];
        const AditWalkMaker *other = find_maker(self, input);

        if (other != NULL && adit_walk_find_join(self, input->storage) == NULL &&
            comes_of_sum(self, other, seen))
            return TRUE;
    }
    return FALSE;
}

gboolean
adit_walk_comes_of_sum(const AditWalkMaking *self, const AditWalkMaker *maker)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);

    return comes_of_sum(self, maker, seen);
}

static char *
fail(const AditWalkElement *self, const char *reason)
{
    adit_walk_fail(self->making, "%s", reason);
    return g_strdup("0.0");
}

static gboolean
has_loop(const AditWalkNest *nest, const AditInstruction *loop)
{
    for (guint i = 0; i < nest->n; i++) {
        if (nest->loops[i] == loop)
            return TRUE;
    }
    return FALSE;
}

/* Whether two operands are parts of the same value, of the same iteration. */
static gboolean
is_part(const AditOperand *part, const AditOperand *of)
{
    return part->storage == of->storage && part->arena == of->arena && part->offset >= of->offset &&
           part->offset + part->count <= of->offset + of->count &&
           memcmp(part->strides, of->strides, sizeof part->strides) == 0;
}

/* @count numbers of an operand. */
static AditOperand
take_part(const AditOperand *operand, gsize from, gsize count)
{
    AditOperand part = *operand;

    part.offset += from;
    part.count = count;
    return part;
}

/* ---- memory ---- */

static char *
read_memory(const AditWalkElement *self, const char *buffer, const AditWalkPlace *place,
            const char *e)
{
    g_autofree char *address = adit_walk_add_address(self->kernel, place, 1, 0);

    return g_strdup_printf("%s[%s + %s]", buffer, address, e);
}

/* Whether the numbers are among those that were joined in this dispatch. */
static gboolean
holds(const AditWalkFresh *self, const AditWalkPlace *place, gsize count)
{
    AditWalkPlace first = *place;

    first.base = self->place.base;
    return adit_walk_place_equal(&first, &self->place) && place->base >= self->place.base &&
           place->base + (gint64) count <= self->place.base + (gint64) self->count;
}

/* In shared memory; NULL: they lie in memory. */
static char *
read_fresh(const AditWalkElement *self, const AditWalkPlace *place, gsize count, const char *e)
{
    AditWalkPlace fixed = *place;

    for (guint i = 0; i < self->nest.n; i++) {
        if ((self->entered & 1u << self->nest.loops[i]->level) != 0)
            adit_walk_place_fix_first(&fixed, self->nest.loops[i]);
    }
    for (guint i = 0; self->fresh != NULL && i < self->fresh->len; i++) {
        const AditWalkFresh *fresh = &g_array_index(self->fresh, AditWalkFresh, i);
        const AditWalkPlace *known = holds(fresh, place, count) ? place : &fixed;

        if (holds(fresh, known, count))
            return g_strdup_printf("walk_joined[%s + %zuu]", e,
                                   fresh->at + (gsize) (known->base - fresh->place.base));
        if (adit_walk_place_overlaps(&fresh->place, &fixed, MAX(fresh->count, count)))
            return fail(self, "it reads parts of what it joins");
    }
    return NULL;
}

static char *
read_joined(const AditWalkElement *self, const AditWalkJoin *join, const AditOperand *operand,
            const char *e)
{
    const AditOperand *output = &join->combine->output;
    AditWalkPlace place;
    char *fresh;

    adit_walk_place_init(&place, operand);
    place.base += join->place.base - (gint64) output->offset;
    for (guint i = 0; i < join->nest.n; i++) {
        guint level = join->nest.loops[i]->level;

        if (output->strides[level].stride > 0)
            continue;
        if (!has_loop(&self->nest, join->nest.loops[i]))
            return fail(self, "it reads what the last iteration of a loop joined");
        place.loops[level] = join->place.loops[level];
    }
    fresh = read_fresh(self, &place, operand->count, e);
    return fresh != NULL ? fresh : read_memory(self, "KEPT", &place, e);
}

/* Whether number e of the states that are replaced is what is read: others are replaced meanwhile.
 */
static gboolean
is_own_state(const AditWalkElement *self, const AditOperand *operand)
{
    return self->state != NULL && operand->offset == self->state->offset &&
           operand->count * adit_walk_nest_count(&self->nest) == self->state->count &&
           adit_walk_nest_is_dense(&self->nest, operand, operand->count);
}

static char *
read_arena(const AditWalkElement *self, const AditOperand *operand, const char *e)
{
    AditWalkPlace place;

    adit_walk_place_init(&place, operand);
    if (operand->arena == ADIT_ARENA_LIVE && operand->count == 1)
        return g_strdup_printf("LIVE(%zuu)", operand->offset);
    if (operand->arena == ADIT_ARENA_CONSTANTS && operand->count == 1)
        return adit_walk_add_number(
            self->kernel,
            g_array_index(self->making->needs->program->constants, double, operand->offset));
    if (operand->arena == ADIT_ARENA_PARAMETERS && !self->is_second)
        return read_memory(self, "PARAMETERS", &place, e);
    if (operand->arena != ADIT_ARENA_STATES)
        return fail(self, "it reads parameters, or constants of many numbers");
    if (self->is_second && !is_own_state(self, operand))
        return fail(self, "a state is computed of others");
    self->making->walk->reads_states = self->making->walk->reads_states || !self->is_second;
    return read_memory(self, "STATES", &place, e);
}

/* ---- operations ---- */

/* Number @e of @count from number @from on of what an instruction computes. */
typedef struct {
    const AditInstruction *instruction;
    gsize from;
    gsize count;
    const char *e;
} Part;

static char *
read_input(const AditWalkElement *self, const Part *part, guint number)
{
    const AditOperand *input = &part->instruction->inputs[number];

    if (input->count == 1)
        return adit_walk_element_read(self, input, "0u");
    if (input->count != part->instruction->output.count)
        return fail(self, "it repeats values without rows");
    AditOperand own = take_part(input, part->from, part->count);
    return adit_walk_element_read(self, &own, part->e);
}

static char *
add_pointwise(const AditWalkElement *self, const Part *part)
{
    g_auto(GStrv) arguments = g_new0(char *, ADIT_MAX_INPUTS + 1);
    char *name;

    for (guint i = 0; i < part->instruction->n_inputs; i++)
        arguments[i] = read_input(self, part, i);
    name = g_strdup_printf("w%u", self->making->n_names++);
    adit_walk_add_pointwise(self->kernel, self->text, self->depth, name, part->instruction,
                            arguments);
    return name;
}

/* Of the input that the numbers come from. */
static char *
add_concat(const AditWalkElement *self, const Part *part)
{
    const AditInstruction *instruction = part->instruction;
    gsize begin = 0;

    for (guint i = 0; i < instruction->n_inputs && adit_walk_get_attribute(instruction, 0) == 0;
         i++) {
        const AditOperand *input = &instruction->inputs[i];

        if (part->from >= begin && part->from + part->count <= begin + input->count) {
            AditOperand own = take_part(input, part->from - begin, part->count);

            return adit_walk_element_read(self, &own, part->e);
        }
        begin += input->count;
    }
    return fail(self, "it reads several parts of what was put together");
}

/* As normalize-moments-gradient.comp. */
static char *
add_moments_gradient(const AditWalkElement *self, const Part *part)
{
    const AditInstruction *instruction = part->instruction;
    const AditOperand *inputs = instruction->inputs;
    gsize size = adit_walk_get_attribute(instruction, 0);
    gboolean is_second = part->from >= size;
    guint word = adit_walk_add_word(self->kernel, adit_walk_get_attribute(instruction, 2));

    if (part->from % size + part->count > size)
        return fail(self, "it reads gradients of mean and variance at once");
    AditOperand sums = take_part(&inputs[0], part->from, part->count);
    AditOperand variance = take_part(&inputs[1], size + part->from % size, part->count);
    AditOperand scale = take_part(&inputs[2], part->from % size, part->count);
    g_autofree char *sum = adit_walk_element_read(self, &sums, part->e);
    g_autofree char *spread = adit_walk_element_read(self, &variance, part->e);
    g_autofree char *factor = adit_walk_element_read(self, &scale, part->e);
    char *name = g_strdup_printf("w%u", self->making->n_names++);

    adit_walk_add_line(self->text, self->depth, "precise float %s;", name);
    adit_walk_add_line(self->text, self->depth, "{");
    adit_walk_add_line(self->text, self->depth + 1,
                       "float inverse = walk_invert_deviation(%s, NUMBER(%uu));", spread, word);
    adit_walk_add_line(self->text, self->depth + 1,
                       is_second ? "%s = -0.5 * %s * inverse * inverse * %s;"
                                 : "%s = -%s * inverse * %s;",
                       name, factor, sum);
    adit_walk_add_line(self->text, self->depth, "}");
    return name;
}

static char *
add_part(const AditWalkElement *self, const Part *part)
{
    const AditInstruction *instruction = part->instruction;
    gboolean is_op = instruction->kind == ADIT_INSTRUCTION_OP;

    if (instruction->kind == ADIT_INSTRUCTION_COPY ||
        (is_op && g_str_equal(instruction->op->name, "broadcast")))
        return read_input(self, part, 0);
    if (is_op && adit_pointwise_find(instruction->op) != NULL)
        return add_pointwise(self, part);
    if (is_op && g_str_equal(instruction->op->name, "concat"))
        return add_concat(self, part);
    if (is_op && g_str_equal(instruction->op->name, "normalize-moments-gradient"))
        return add_moments_gradient(self, part);
    if (is_op)
        adit_walk_fail(self->making, "operation '%s' works on values without rows",
                       instruction->op->name);
    return fail(self, "a sum over rows is read by rows");
}

/* ---- instances ---- */

/* The loops that the text is not in already. */
static void
find_inner(const AditWalkElement *self, const AditWalkMaker *maker, AditWalkNest *inner)
{
    inner->n = 0;
    for (guint i = 0; i < maker->around.n; i++) {
        if (!has_loop(&self->nest, maker->around.loops[i]))
            inner->loops[inner->n++] = maker->around.loops[i];
    }
}

char *
adit_walk_element_make(const AditWalkElement *self, const AditWalkMaker *maker, const char *e)
{
    gsize count = maker->instruction->output.count, step = count;
    AditWalkElement within = *self;
    AditWalkNest inner;

    find_inner(self, maker, &inner);
    if (inner.n == 0)
        return add_part(self, &(Part){maker->instruction, 0, count, e});
    if (!self->is_second)
        return fail(self, "it reads all iterations of a loop at once");
    for (guint i = inner.n; i-- > 0; step *= inner.loops[i]->n) {
        guint word = adit_walk_add_word(self->kernel, (guint32) step);
        guint most = adit_walk_add_word(self->kernel, inner.loops[i]->n);

        within.nest.loops[self->nest.n + i] = inner.loops[i];
        adit_walk_add_line(self->text, self->depth, "uint i%u = %s / WORD(%uu) %% WORD(%uu);",
                           inner.loops[i]->level, e, word, most);
    }
    within.nest.n += inner.n;
    g_autofree char *own = g_strdup_printf("(%s %% %zuu)", e, count);
    return add_part(&within, &(Part){maker->instruction, 0, count, own});
}

/* A stack of what the iterations of loops compute, or a part of one of them. */
static char *
read_made(const AditWalkElement *self, const AditWalkMaker *maker, const AditOperand *operand,
          const char *e)
{
    const AditOperand *output = &maker->instruction->output;
    AditWalkNest inner;

    find_inner(self, maker, &inner);
    if (inner.n == 0 && is_part(operand, output))
        return add_part(
            self, &(Part){maker->instruction, operand->offset - output->offset, operand->count, e});
    if (inner.n == 0 || operand->offset != output->offset ||
        operand->count != output->count * adit_walk_nest_count(&inner) ||
        !adit_walk_nest_is_dense(&inner, output, output->count))
        return fail(self, "it reads parts of values without rows");
    return adit_walk_element_make(self, maker, e);
}

char *
adit_walk_element_read(const AditWalkElement *self, const AditOperand *operand, const char *e)
{
    const AditWalkJoin *join = adit_walk_find_join(self->making, operand->storage);
    const AditWalkMaker *maker = find_maker(self->making, operand);

    if (join != NULL)
        return read_joined(self, join, operand, e);
    if (operand->storage < 0)
        return read_arena(self, operand, e);
    if (maker != NULL)
        return read_made(self, maker, operand, e);
    return fail(self, "a value without rows is computed of values with rows");
}
