/* core/device/vulkan/adit-vulkan-walk-text.c - SPDX-License-Identifier: MIT */
#include "adit-vulkan-walk-private.h"

#include "adit-pointwise.h"

/* ---- places ---- */

void
adit_walk_place_init(AditWalkPlace *self, const AditOperand *operand)
{
    *self = (AditWalkPlace){.storage = operand->storage, .base = (gint64) operand->offset};
    for (guint i = 0; i < ADIT_MAX_LOOPS; i++) {
        const AditStride *stride = &operand->strides[i];

        if (stride->stride == 0)
            continue;
        self->loops[i].stride = (gint64) stride->stride;
        self->loops[i].modulo = stride->modulo;
        if (stride->modulo > 0)
            self->loops[i].shift = stride->shift % stride->modulo;
        else
            self->base += (gint64) stride->stride * stride->shift;
    }
}

gboolean
adit_walk_place_equal(const AditWalkPlace *a, const AditWalkPlace *b)
{
    gboolean equal = a->storage == b->storage && a->base == b->base;

    for (guint i = 0; i < ADIT_MAX_LOOPS && equal; i++)
        equal = a->loops[i].stride == b->loops[i].stride &&
                a->loops[i].shift == b->loops[i].shift && a->loops[i].modulo == b->loops[i].modulo;
    return equal;
}

void
adit_walk_place_step_back(AditWalkPlace *self, guint level, gboolean reverse)
{
    guint modulo = self->loops[level].modulo;

    if (modulo > 0)
        self->loops[level].shift = (self->loops[level].shift + (reverse ? 1 : modulo - 1)) % modulo;
    else
        self->base += reverse ? self->loops[level].stride : -self->loops[level].stride;
}

void
adit_walk_place_fix(AditWalkPlace *self, guint level, guint index)
{
    guint modulo = self->loops[level].modulo;
    guint at = modulo > 0 ? (index + self->loops[level].shift) % modulo : index;

    self->base += self->loops[level].stride * at;
    self->loops[level].stride = 0;
    self->loops[level].shift = self->loops[level].modulo = 0;
}

void
adit_walk_place_fix_first(AditWalkPlace *self, const AditInstruction *loop)
{
    adit_walk_place_fix(self, loop->level, loop->reverse ? loop->n - 1 : 0);
}

gboolean
adit_walk_place_overlaps(const AditWalkPlace *a, const AditWalkPlace *b, gsize count)
{
    gboolean alike = TRUE;

    if (a->storage != b->storage)
        return FALSE;
    for (guint i = 0; i < ADIT_MAX_LOOPS; i++) {
        gboolean same =
            a->loops[i].stride == b->loops[i].stride && a->loops[i].modulo == b->loops[i].modulo;

        alike = alike && same && a->loops[i].shift == b->loops[i].shift;
        /* in turn: the places of one iteration are different ones */
        if (same && a->base == b->base && a->loops[i].shift != b->loops[i].shift &&
            a->loops[i].stride >= (gint64) count)
            return FALSE;
    }
    return !alike || ABS(a->base - b->base) < (gint64) count;
}

gsize
adit_walk_nest_count(const AditWalkNest *self)
{
    gsize n = 1;

    for (guint i = 0; i < self->n; i++)
        n *= self->loops[i]->n;
    return n;
}

gboolean
adit_walk_nest_is_dense(const AditWalkNest *self, const AditOperand *operand, gsize step)
{
    gboolean dense = TRUE;

    for (guint i = self->n; i-- > 0; step *= self->loops[i]->n) {
        const AditStride *stride = &operand->strides[self->loops[i]->level];

        dense = dense && stride->modulo == 0 && (stride->stride == step || self->loops[i]->n == 1);
    }
    return dense;
}

/* ---- text ---- */

gboolean
adit_walk_fail(AditWalkMaking *self, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    if (self->reason == NULL)
        self->reason = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    return FALSE;
}

gsize
adit_walk_find_unit(const AditWalkMaking *self, gsize unit)
{
    return self->begin + unit * self->needs->places->room;
}

char *
adit_walk_add_constant(AditVulkanWalkText *self, gsize value)
{
    guint32 word = (guint32) value;

    g_array_append_val(self->constants, word);
    return g_strdup_printf("c%u", self->constants->len - 1);
}

char *
adit_walk_add_address(AditVulkanWalkText *self, const AditWalkPlace *place, gsize unit, gsize base)
{
    g_autofree char *first = adit_walk_add_constant(self, base + (gsize) place->base * unit);
    GString *text = g_string_new(first);

    for (guint i = 0; i < ADIT_MAX_LOOPS; i++) {
        guint modulo = place->loops[i].modulo;

        if (place->loops[i].stride == 0)
            continue;
        g_autofree char *step = adit_walk_add_constant(self, (gsize) place->loops[i].stride * unit);
        if (modulo > 0)
            g_string_append_printf(text, " + %s * ((i%u + %uu) %% %uu)", step, i,
                                   place->loops[i].shift, modulo);
        else
            g_string_append_printf(text, " + %s * i%u", step, i);
    }
    return g_string_free(text, FALSE);
}

guint
adit_walk_add_word(AditVulkanWalkText *self, guint32 value)
{
    g_array_append_val(self->words, value);
    return self->words->len - 1;
}

char *
adit_walk_add_number(AditVulkanWalkText *self, double value)
{
    union {
        float number;
        guint32 bits;
    } both = {.number = (float) value};

    return g_strdup_printf("NUMBER(%uu)", adit_walk_add_word(self, both.bits));
}

void
adit_walk_add_line(GString *text, guint depth, const char *format, ...)
{
    va_list arguments;

    g_string_append_printf(text, "%*s", (int) depth * 4, "");
    va_start(arguments, format);
    g_string_append_vprintf(text, format, arguments);
    va_end(arguments);
    g_string_append_c(text, '\n');
}

guint32
adit_walk_get_attribute(const AditInstruction *instruction, guint index)
{
    guint32 words[ADIT_MAX_WORDS] = {0};

    if (instruction->op->encode != NULL)
        instruction->op->encode(instruction->attributes, words);
    return words[index];
}

void
adit_walk_add_pointwise(AditVulkanWalkText *self, GString *text, guint depth, const char *name,
                        const AditInstruction *instruction, char *const *arguments)
{
    const AditPointwise *row = adit_pointwise_find(instruction->op);

    adit_walk_add_line(text, depth, "precise float %s;", name);
    adit_walk_add_line(text, depth, "{");
    for (guint i = 0; i < instruction->n_inputs; i++)
        adit_walk_add_line(text, depth + 1, "float %c = %s;", 'a' + (int) i, arguments[i]);
    if (row->n_parameters > 0) {
        guint word = adit_walk_add_word(self, adit_walk_get_attribute(instruction, 0));

        adit_walk_add_line(text, depth + 1, "float p = NUMBER(%uu);", word);
    }
    adit_walk_add_line(text, depth + 1, "%s = %s;", name, row->glsl);
    adit_walk_add_line(text, depth, "}");
}

char *
adit_walk_broadcast(const AditShape *from, const AditShape *to, const char *e)
{
    g_autoptr(GString) text = g_string_new(NULL);
    gsize inner = 1, stride = 1;

    if (adit_shape_count(from) == 1)
        return g_strdup("0u");
    if (adit_shape_count(from) == adit_shape_count(to))
        return g_strdup(e);
    for (guint k = 0; k < from->rank; k++) {
        gsize size = from->size[from->rank - 1 - k], full = to->size[to->rank - 1 - k];

        if (size > 1) {
            g_string_append_printf(text, "%s%s / %zuu %% %zuu * %zuu", text->len > 0 ? " + " : "",
                                   e, inner, full, stride);
            stride *= size;
        }
        inner *= full;
    }
    return g_strdup_printf("(%s)", text->str);
}

/* ---- values without rows ---- */

void
adit_walk_scope_init(AditWalkScope *self, AditWalkMaking *making, AditVulkanWalkText *kernel,
                     GString *text, guint depth, gsize count)
{
    *self = (AditWalkScope){.making = making,
                            .kernel = kernel,
                            .text = text,
                            .depth = depth,
                            .count = count,
                            .known = g_hash_table_new_full(NULL, NULL, NULL, g_free)};
}

void
adit_walk_scope_clear(AditWalkScope *self)
{
    g_clear_pointer(&self->known, g_hash_table_unref);
}

void
adit_walk_scope_forget(AditWalkScope *self)
{
    g_hash_table_remove_all(self->known);
}

/* Keeps a name by its storage or, outside the planned arenas, for ever. */
static const char *
keep_name(AditWalkScope *self, const AditOperand *operand, char *name)
{
    gpointer key = operand->storage >= 0 ? GINT_TO_POINTER(operand->storage + 1)
                                         : GINT_TO_POINTER(-1 - (int) self->n_names++);

    g_hash_table_insert(self->known, key, name);
    return name;
}

static char *
make_name(AditWalkScope *self)
{
    return g_strdup_printf("s%u", self->n_names++);
}

static const char *
add_outside(AditWalkScope *self, const AditOperand *operand)
{
    const GArray *constants = self->making->needs->program->constants;
    gsize n = operand->offset;
    char *text = NULL;

    if (operand->arena == ADIT_ARENA_CONSTANTS && operand->count == 1)
        text = adit_walk_add_number(self->kernel, g_array_index(constants, double, n));
    else if (operand->arena == ADIT_ARENA_LIVE)
        text = g_strdup_printf("LIVE(%zuu)", n);
    else if (operand->arena == ADIT_ARENA_PARAMETERS)
        text = g_strdup_printf("PARAMETERS[WORD(%uu)%s]",
                               adit_walk_add_word(self->kernel, (guint32) n),
                               operand->count > 1 ? " + e" : "");
    if (text != NULL)
        return keep_name(self, operand, text);
    adit_walk_fail(self->making, "it reads states or constants of many numbers");
    return NULL;
}

static const char *
add_pointwise(AditWalkScope *self, const AditInstruction *instruction)
{
    char *arguments[ADIT_MAX_INPUTS];

    for (guint i = 0; i < instruction->n_inputs; i++) {
        arguments[i] = (char *) adit_walk_scope_add(self, &instruction->inputs[i]);
        if (arguments[i] == NULL)
            return NULL;
    }
    char *name = make_name(self);
    adit_walk_add_pointwise(self->kernel, self->text, self->depth, name, instruction, arguments);
    return keep_name(self, &instruction->output, name);
}

static AditWalkSum *
find_sum(AditWalkScope *self, const AditOperand *partial)
{
    GArray *sums = self->making->sums;

    for (guint i = 0; i < sums->len; i++) {
        AditWalkSum *sum = &g_array_index(sums, AditWalkSum, i);

        if (sum->instruction->output.storage == partial->storage)
            return sum;
    }
    return NULL;
}

/* A number that is a sum over rows. */
static const char *
add_fold(AditWalkScope *self, const AditWalkMaker *maker, const AditWalkSum *sum)
{
    gboolean is_mean = g_str_equal(sum->instruction->op->name, "rows-mean");
    char *name = make_name(self);

    adit_walk_add_line(self->text, self->depth,
                       "precise float %s = walk_fold(WORD(%uu), push.batch)%s;", name,
                       adit_walk_add_word(self->kernel, (guint32) sum->inputs[0].at),
                       is_mean ? " / float(push.batch)" : "");
    return keep_name(self, &maker->instruction->output, name);
}

static const char *
add_combined(AditWalkScope *self, const AditWalkMaker *maker)
{
    const AditWalkSum *sum = find_sum(self, &maker->instruction->inputs[0]);
    gsize count = maker->instruction->output.count;

    if (sum != NULL && self->is_gradient && (self->sum == NULL || self->sum == sum) &&
        count * adit_walk_nest_count(&maker->nest) == self->count &&
        !g_str_equal(sum->instruction->op->name, "rows-mean") && sum->nest.n == maker->nest.n &&
        adit_walk_nest_is_dense(&maker->nest, &maker->instruction->output, count)) {
        self->sum = sum;
        return keep_name(self, &maker->instruction->output, g_strdup("sum"));
    }
    if (sum != NULL && self->is_second && !self->is_gradient && count == 1 && sum->nest.n == 0 &&
        g_str_has_prefix(sum->instruction->op->name, "rows-"))
        return add_fold(self, maker, sum);
    adit_walk_fail(self->making, "a gradient has several sums over rows, or is read as a whole");
    return NULL;
}

/* A number that is a sum over parameters: the first kernel takes it, in chunks. */
static const char *
add_term(AditWalkScope *self, const AditInstruction *instruction)
{
    AditVulkanWalk *walk = self->making->walk;
    const AditOperand *input = &instruction->inputs[0];
    gboolean is_mean = g_str_equal(instruction->op->name, "reduce-mean");
    guint n = (guint) ((input->count + ADIT_WALK_CHUNK - 1) / ADIT_WALK_CHUNK);
    char *name = make_name(self);
    g_autofree char *divisor =
        adit_walk_add_number(self->kernel, is_mean ? (double) input->count : 1);
    guint at = adit_walk_add_word(self->kernel, (guint32) walk->chunks_at + walk->n_chunks);
    guint many = adit_walk_add_word(self->kernel, n);

    adit_walk_add_line(self->text, self->depth,
                       "precise float %s = walk_fold(WORD(%uu), WORD(%uu)) / %s;", name, at, many,
                       divisor);
    g_ptr_array_add(self->making->terms, (gpointer) input);
    walk->n_chunks += n;
    return keep_name(self, &instruction->output, name);
}

const char *
adit_walk_scope_add_made(AditWalkScope *self, const AditWalkMaker *maker)
{
    const AditInstruction *instruction = maker->instruction;
    const char *op = instruction->op->name;

    if (instruction->kind == ADIT_INSTRUCTION_COMBINE)
        return add_combined(self, maker);
    if (instruction->kind == ADIT_INSTRUCTION_OP && maker->nest.n == 0 &&
        adit_pointwise_find(instruction->op) != NULL)
        return add_pointwise(self, instruction);
    if (maker->nest.n == 0 && g_str_equal(op, "broadcast") && instruction->inputs[0].count == 1)
        return adit_walk_scope_add(self, &instruction->inputs[0]);
    if (maker->nest.n == 0 && self->is_second && instruction->output.count == 1 &&
        (g_str_equal(op, "reduce-sum") || g_str_equal(op, "reduce-mean")))
        return add_term(self, instruction);
    adit_walk_fail(self->making, "operation '%s' works on values without rows", op);
    return NULL;
}

const char *
adit_walk_scope_add(AditWalkScope *self, const AditOperand *operand)
{
    const AditWalkMaker *maker = NULL;
    const char *known = NULL;

    if (operand->count != 1 && operand->count != self->count) {
        adit_walk_fail(self->making, "it reads parts of values without rows");
        return NULL;
    }
    for (guint i = 0; i < ADIT_MAX_LOOPS; i++) {
        if (operand->strides[i].stride > 0) {
            adit_walk_fail(self->making, "values without rows are computed in a loop");
            return NULL;
        }
    }
    if (operand->storage < 0)
        return add_outside(self, operand);
    known = g_hash_table_lookup(self->known, GINT_TO_POINTER(operand->storage + 1));
    if (known != NULL)
        return known;
    maker = g_hash_table_lookup(self->making->makers, GINT_TO_POINTER(operand->storage + 1));
    if (maker != NULL && operand->arena == ADIT_ARENA_SHARED)
        return adit_walk_scope_add_made(self, maker);
    adit_walk_fail(self->making, "a value without rows is computed of values with rows");
    return NULL;
}
