/* core/device/vulkan/adit-vulkan-walk-registers.c - SPDX-License-Identifier: MIT */
#include "adit-vulkan-walk-registers.h"

#include <string.h>

#define MAX_REGISTERS 64

static guint
lanes(const AditWalkRows *self)
{
    return self->making->walk->lanes;
}

guint
adit_walk_rows_count_registers(const AditWalkRows *self, gsize count)
{
    return (guint) ((count + lanes(self) - 1) / lanes(self));
}

const AditInstruction *
adit_walk_rows_get_innermost(const AditWalkRows *self)
{
    return self->nest.n > 0 ? self->nest.loops[self->nest.n - 1] : NULL;
}

gpointer
adit_walk_rows_as_key(int storage)
{
    return GINT_TO_POINTER(storage + 1);
}

void
adit_walk_rows_line(AditWalkRows *self, const char *format, ...)
{
    va_list arguments;

    g_string_append_printf(self->text, "%*s", (int) self->depth * 4, "");
    va_start(arguments, format);
    g_string_append_vprintf(self->text, format, arguments);
    va_end(arguments);
    g_string_append_c(self->text, '\n');
}

/* ---- elements ---- */

static gboolean
is_full(const AditWalkRows *self, gsize count, guint k)
{
    return count == 1 || (k + 1) * lanes(self) <= count;
}

/* The number that lane has in register k, or beyond the end. */
static char *
get_element(const AditWalkRows *self, gsize count, guint k)
{
    if (count == 1)
        return g_strdup("0u");
    return k == 0 ? g_strdup("walk_lane") : g_strdup_printf("(walk_lane + %uu)", k * lanes(self));
}

/* The same, for reading: the last instead of one beyond the end. */
char *
adit_walk_rows_get_inner_element(const AditWalkRows *self, gsize count, guint k)
{
    g_autofree char *element = get_element(self, count, k);

    return is_full(self, count, k) ? g_steal_pointer(&element)
                                   : g_strdup_printf("min(%s, %zuu)", element, count - 1);
}

/* " && lane < 14u" or "" */
static char *
get_condition(const AditWalkRows *self, gsize count, guint k)
{
    g_autofree char *element = get_element(self, count, k);

    return is_full(self, count, k) ? g_strdup("")
                                   : g_strdup_printf(" && %s < %zuu", element, count);
}

AditWalkValue
adit_walk_rows_new_value(AditWalkRows *self, gsize count)
{
    return (AditWalkValue){self->n_values++, count};
}

gboolean
adit_walk_rows_is_in_loop(const AditWalkRows *self)
{
    return self->nest.n > self->n_out;
}

/* ---- early reading ---- */

void
adit_walk_rows_add_before(AditWalkRows *self, const char *text)
{
    g_string_insert(self->text, (gssize) self->loop_at, text);
}

char *
adit_walk_rows_get_first(AditWalkRows *self)
{
    const AditInstruction *loop = adit_walk_rows_get_innermost(self);

    if (!loop->reverse)
        return g_strdup_printf("uint i%u = 0u;", loop->level);
    return g_strdup_printf("uint i%u = WORD(%uu);", loop->level,
                           adit_walk_add_word(self->kernel, loop->n - 1));
}

char *
adit_walk_rows_get_next(AditWalkRows *self)
{
    const AditInstruction *loop = adit_walk_rows_get_innermost(self);
    guint level = loop->level;

    if (loop->reverse)
        return g_strdup_printf("uint next = i%u > 0u ? i%u - 1u : 0u, i%u = next;", level, level,
                               level);
    return g_strdup_printf("uint next = min(i%u + 1u, WORD(%uu)), i%u = next;", level,
                           adit_walk_add_word(self->kernel, loop->n - 1), level);
}

/* A number of memory that an iteration of the innermost loop reads was read in the one before,
 * since who waits for a barrier waits for memory too; gives its name. */
static char *
read_early(AditWalkRows *self, const char *number)
{
    guint n = self->n_early++;
    g_autoptr(GString) before = g_string_new(NULL);
    g_autofree char *first = adit_walk_rows_get_first(self);
    g_autofree char *next = adit_walk_rows_get_next(self);

    adit_walk_add_line(before, self->depth - 1, "float p%u;", n);
    adit_walk_add_line(before, self->depth - 1, "{");
    adit_walk_add_line(before, self->depth, "%s", first);
    adit_walk_add_line(before, self->depth, "p%u = %s;", n, number);
    adit_walk_add_line(before, self->depth - 1, "}");
    adit_walk_rows_add_before(self, before->str);
    adit_walk_rows_line(self, "float q%u = p%u;", n, n);
    adit_walk_rows_line(self, "{");
    adit_walk_rows_line(self, "    %s", next);
    adit_walk_rows_line(self, "    p%u = %s;", n, number);
    adit_walk_rows_line(self, "}");
    return g_strdup_printf("q%u", n);
}

static gboolean
writes_storage(const GPtrArray *list, int storage)
{
    for (guint i = 0; i < list->len; i++) {
        const AditInstruction *instruction = list->pdata[i];

        if (instruction->body != NULL ? writes_storage(instruction->body, storage)
                                      : instruction->output.storage == storage)
            return TRUE;
    }
    return FALSE;
}

/* Whether what lies in a storage's memory is there before the loops that the text stands in. */
static gboolean
is_there_early(const AditWalkRows *self, int storage)
{
    return adit_walk_rows_is_in_loop(self) &&
           !writes_storage(self->nest.loops[self->n_out]->body, storage);
}

/* ---- memory ---- */

gsize
adit_walk_rows_find_storage(const AditWalkRows *self, int storage)
{
    gsize unit = GPOINTER_TO_SIZE(g_hash_table_lookup(self->kept, adit_walk_rows_as_key(storage)));

    return adit_walk_find_unit(self->making, unit > 0 ? unit - 1 : 0);
}

/* The address of a row's value, of the storage's memory. */
static char *
get_row_address(AditWalkRows *self, const AditWalkPlace *place, gsize count)
{
    g_autofree char *address =
        adit_walk_add_address(self->kernel, place, self->making->needs->places->room,
                              adit_walk_rows_find_storage(self, place->storage));

    return g_strdup_printf("%s + walk_row * %zuu", address, count);
}

void
adit_walk_rows_add_store(AditWalkRows *self, const AditWalkValue *value, const char *address)
{
    for (guint k = 0; k < adit_walk_rows_count_registers(self, value->count); k++) {
        g_autofree char *element = get_element(self, value->count, k);
        g_autofree char *condition = get_condition(self, value->count, k);

        adit_walk_rows_line(self, "if (walk_is_row%s)", condition);
        adit_walk_rows_line(self, "    KEPT[%s + %s] = v%u_%u;", address, element, value->number,
                            k);
    }
}

static void
add_load(AditWalkRows *self, const AditWalkValue *value, const char *address, gboolean is_early)
{
    for (guint k = 0; k < adit_walk_rows_count_registers(self, value->count); k++) {
        g_autofree char *element = adit_walk_rows_get_inner_element(self, value->count, k);
        g_autofree char *number = g_strdup_printf("KEPT[%s + %s]", address, element);
        g_autofree char *early = is_early ? read_early(self, number) : NULL;

        adit_walk_rows_line(self, "float v%u_%u = %s;", value->number, k,
                            early != NULL ? early : number);
    }
}

/* ---- what is in registers ---- */

static gboolean
find_equal(const AditWalkRows *self, const AditWalkPlace *place, AditWalkValue *value)
{
    for (guint i = self->known->len; i-- > 0;) {
        const AditWalkKnown *known = &g_array_index(self->known, AditWalkKnown, i);

        if (adit_walk_place_equal(&known->place, place)) {
            *value = known->value;
            return TRUE;
        }
    }
    return FALSE;
}

/* In the first iteration of a loop that is written out places are those from before it, too. */
static gboolean
find_known(const AditWalkRows *self, const AditWalkPlace *place, AditWalkValue *value)
{
    AditWalkPlace fixed = *place;

    for (guint i = 0; i < self->n_out; i++) {
        const AditInstruction *loop = self->nest.loops[i];

        if ((self->entered & 1u << loop->level) != 0)
            adit_walk_place_fix_first(&fixed, loop);
    }
    return find_equal(self, place, value) || find_equal(self, &fixed, value);
}

void
adit_walk_rows_add_known(AditWalkRows *self, const AditWalkPlace *place, AditWalkValue value)
{
    AditWalkKnown known = {*place, value};

    g_array_append_val(self->known, known);
}

/* What shares memory with @place is not there any more. */
static void
forget(AditWalkRows *self, const AditWalkPlace *place, gsize count)
{
    for (guint i = self->known->len; i-- > 0;) {
        if (adit_walk_place_overlaps(&g_array_index(self->known, AditWalkKnown, i).place, place,
                                     count))
            g_array_remove_index(self->known, i);
    }
}

void
adit_walk_rows_forget_storage(AditWalkRows *self, int storage)
{
    for (guint i = self->known->len; i-- > 0;) {
        if (g_array_index(self->known, AditWalkKnown, i).place.storage == storage)
            g_array_remove_index(self->known, i);
    }
}

/* All values of a storage have the same number of numbers, so that a lane reads what it wrote. */
gboolean
adit_walk_rows_check_count(AditWalkRows *self, const AditOperand *operand)
{
    gpointer key = adit_walk_rows_as_key(operand->storage);
    gsize known = GPOINTER_TO_SIZE(g_hash_table_lookup(self->counts, key));

    if (known != 0 && known != operand->count)
        return adit_walk_fail(self->making, "it reads all iterations of a loop at once");
    g_hash_table_insert(self->counts, key, GSIZE_TO_POINTER(operand->count));
    if (adit_walk_rows_count_registers(self, operand->count) > MAX_REGISTERS)
        return adit_walk_fail(self->making, "a row of a value has %zu numbers, more than %u",
                              operand->count, MAX_REGISTERS * lanes(self));
    return TRUE;
}

/* The value at a place, read if it is in no register. */
AditWalkValue
adit_walk_rows_get_value(AditWalkRows *self, const AditWalkPlace *place, gsize count)
{
    AditWalkValue value;

    if (find_known(self, place, &value))
        return value;
    g_autofree char *address = get_row_address(self, place, count);
    g_hash_table_add(self->read, adit_walk_rows_as_key(place->storage));
    value = adit_walk_rows_new_value(self, count);
    add_load(self, &value, address, is_there_early(self, place->storage));
    adit_walk_rows_add_known(self, place, value);
    return value;
}

gboolean
adit_walk_rows_find_value(AditWalkRows *self, const AditOperand *operand, AditWalkValue *value)
{
    AditWalkPlace place;

    if (!adit_walk_rows_check_count(self, operand))
        return FALSE;
    adit_walk_place_init(&place, operand);
    *value = adit_walk_rows_get_value(self, &place, operand->count);
    return TRUE;
}

/* Notes what was computed, and writes it where others read it. */
void
adit_walk_rows_set_value(AditWalkRows *self, const AditOperand *operand, AditWalkValue value)
{
    AditWalkPlace place;

    adit_walk_place_init(&place, operand);
    forget(self, &place, operand->count);
    adit_walk_rows_add_known(self, &place, value);
    if (g_hash_table_contains(self->kept, adit_walk_rows_as_key(operand->storage))) {
        g_autofree char *address = get_row_address(self, &place, operand->count);

        adit_walk_rows_add_store(self, &value, address);
    }
}

/* ---- what instructions read ---- */

void
adit_walk_rows_sources_clear(AditWalkSources *self)
{
    for (guint i = 0; i < self->n; i++)
        g_free(self->of[i].text);
}

/* Parameters lie where the loops' indices say; other values without rows are single numbers. */
static gboolean
find_outside(AditWalkRows *self, AditWalkSource *source)
{
    const AditOperand *operand = source->operand;

    if (operand->arena == ADIT_ARENA_PARAMETERS) {
        AditWalkPlace place;

        adit_walk_place_init(&place, operand);
        source->text = adit_walk_add_address(self->kernel, &place, 1, 0);
        return TRUE;
    }
    if (operand->count > 1)
        return TRUE;
    source->text = g_strdup(adit_walk_scope_add(&self->scope, operand));
    return source->text != NULL;
}

static void
stage(AditWalkRows *self, AditWalkSources *sources)
{
    gsize at = 0;

    adit_walk_rows_line(self, "walk_turn();");
    for (guint i = 0; i < sources->n; i++) {
        AditWalkSource *source = &sources->of[i];

        if (!source->staged)
            continue;
        source->at = at;
        at += source->operand->count;
        for (guint k = 0; k < adit_walk_rows_count_registers(self, source->operand->count); k++) {
            g_autofree char *element = get_element(self, source->operand->count, k);
            g_autofree char *condition = get_condition(self, source->operand->count, k);

            if (source->operand->count == 1)
                adit_walk_rows_line(self, "if (walk_lane == 0u)");
            else if (*condition != '\0')
                adit_walk_rows_line(self, "if (%s)", condition + strlen(" && "));
            adit_walk_rows_line(self, "%swalk_stage[walk_at + %zuu + %s] = v%u_%u;",
                                source->operand->count == 1 || *condition != '\0' ? "    " : "",
                                source->at, element, source->value.number, k);
        }
    }
    adit_walk_rows_line(self, "barrier();");
    self->making->walk->stage = MAX(self->making->walk->stage, at);
}

/* What an instruction reads; @staged: bits of the inputs whose numbers all lanes are to see. */
gboolean
adit_walk_rows_find_sources(AditWalkRows *self, const AditInstruction *instruction, guint staged,
                            AditWalkSources *sources)
{
    gboolean any = FALSE;

    for (guint i = 0; i < instruction->n_inputs; i++) {
        AditWalkSource *source = &sources->of[sources->n++];

        source->operand = &instruction->inputs[i];
        if (source->operand->linear)
            return adit_walk_fail(self->making, "it reads an arena row by row");
        if (source->operand->arena != ADIT_ARENA_ROWS) {
            if (!find_outside(self, source))
                return FALSE;
            continue;
        }
        if (!adit_walk_rows_find_value(self, source->operand, &source->value))
            return FALSE;
        source->staged = (staged & 1u << i) != 0;
        any = any || source->staged;
    }
    if (any)
        stage(self, sources);
    return TRUE;
}

char *
adit_walk_rows_read_outside(AditWalkRows *self, const AditOperand *operand, const char *e)
{
    const AditWalkElement element = {.making = self->making,
                                     .kernel = self->kernel,
                                     .text = self->text,
                                     .depth = self->depth,
                                     .nest = self->nest,
                                     .entered = self->entered,
                                     .fresh = self->fresh};
    gsize length = self->text->len;
    g_autofree char *number = adit_walk_element_read(&element, operand, e);

    /* what is computed needs the lines before it */
    if (!adit_walk_rows_is_in_loop(self) || self->text->len > length)
        return g_steal_pointer(&number);
    return read_early(self, number);
}

/* Number @element (GLSL) of a source that is not in registers. */
static char *
read_number(AditWalkRows *self, const AditWalkSource *source, const char *element)
{
    if (source->staged)
        return g_strdup_printf("walk_stage[walk_at + %zuu + %s]", source->at, element);
    if (source->operand->arena == ADIT_ARENA_PARAMETERS)
        return g_strdup_printf("PARAMETERS[%s + %s]", source->text, element);
    if (source->text == NULL)
        return adit_walk_rows_read_outside(self, source->operand, element);
    return g_strdup(source->text);
}

/* The number of a source that goes with what register k of @output has. */
char *
adit_walk_rows_read_element(AditWalkRows *self, const AditWalkSource *source,
                            const AditOperand *output, guint k)
{
    const AditOperand *operand = source->operand;

    if (operand->arena == ADIT_ARENA_ROWS && !source->staged)
        return g_strdup_printf("v%u_%u", source->value.number, operand->count == 1 ? 0 : k);
    g_autofree char *e = adit_walk_rows_get_inner_element(self, output->count, k);
    g_autofree char *own = adit_walk_broadcast(&operand->shape, &output->shape, e);
    g_autofree char *number = read_number(self, source, own);
    if (operand->arena == ADIT_ARENA_PARAMETERS && adit_walk_rows_is_in_loop(self))
        return read_early(self, number);
    return g_steal_pointer(&number);
}

/* Bits of the inputs that are repeated along some axes, but are no single numbers. */
guint
adit_walk_rows_find_repeated(const AditInstruction *instruction)
{
    guint bits = 0;

    for (guint i = 0; i < instruction->n_inputs; i++) {
        gsize count = instruction->inputs[i].count;

        if (instruction->inputs[i].rows && count != 1 && count != instruction->output.count)
            bits |= 1u << i;
    }
    return bits;
}
