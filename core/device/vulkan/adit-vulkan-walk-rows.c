/* core/device/vulkan/adit-vulkan-walk-rows.c - SPDX-License-Identifier: MIT */
#include "adit-vulkan-walk-private.h"

#include "adit-pointwise.h"

#include <string.h>

/* The text of the first kernel. Every value of a row is in registers, `v7_0`, `v7_1`, ...: number e
 * of value 7 is with lane e % lanes, in v7_(e / lanes). Where the text would have to read a value
 * that has no register any more, in the reverse loop, it reads memory, and its storage is kept:
 * written wherever the program writes it. That is known only when the text is done: it is made
 * twice. */

#define MAX_REGISTERS 64
#define MAX_LANES     64
/* Sums up to this length are written out, their factors in registers. */
#define MAX_WRITTEN_OUT 32
/* Numbers a row in shared memory; its two halves are to fit with one row a workgroup. */
#define MAX_STAGE 1024

/**
 * Op: an operation that is neither pointwise nor a product: adit-vulkan-walk-ops.def.
 */
typedef struct {
    const char *name;
    guint staged;
    const char *glsl;
} Op;

static const Op ops[] = {
#define ADIT_WALK_OP(name, staged, glsl) {name, staged, glsl},
#include "adit-vulkan-walk-ops.def"
};

typedef struct {
    guint number;
    gsize count;
} Value;

/* A value in registers, and the place it stands for. */
typedef struct {
    AditWalkPlace place;
    Value value;
} Known;

/* A carry: its register, and what the iteration leaves for the next. */
typedef struct {
    Value value;
    AditWalkPlace left;
} Carry;

/* A value that the second kernel reads, where it was at one point of the text. */
typedef struct {
    guint number;
    const AditInstruction *loop;
    AditWalkKept kept;
} Shelf;

typedef struct {
    AditWalkMaking *making;
    AditVulkanWalkText *kernel;
    GString *text;
    guint depth;
    guint n_values;
    guint n_texts;
    GArray *known;    /* Known */
    GArray *shelves;  /* Shelf */
    GHashTable *read; /* storages that are read from memory */
    GHashTable *kept; /* storage -> its first unit + 1; empty the first time */
    GHashTable *counts;
    AditWalkNest nest;
    gsize loop_at;       /* where the innermost loop begins in the text */
    AditWalkScope scope; /* numbers without rows */
} Rows;

static gboolean add_list(Rows *self, const GPtrArray *list);

static guint
lanes(const Rows *self)
{
    return self->making->walk->lanes;
}

static guint
count_registers(const Rows *self, gsize count)
{
    return (guint) ((count + lanes(self) - 1) / lanes(self));
}

static const AditInstruction *
get_innermost(const Rows *self)
{
    return self->nest.n > 0 ? self->nest.loops[self->nest.n - 1] : NULL;
}

static gpointer
as_key(int storage)
{
    return GINT_TO_POINTER(storage + 1);
}

G_GNUC_PRINTF(2, 3)
static void
line(Rows *self, const char *format, ...)
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
is_full(const Rows *self, gsize count, guint k)
{
    return count == 1 || (k + 1) * lanes(self) <= count;
}

/* The number that lane has in register k, or beyond the end. */
static char *
get_element(const Rows *self, gsize count, guint k)
{
    if (count == 1)
        return g_strdup("0u");
    return k == 0 ? g_strdup("walk_lane") : g_strdup_printf("(walk_lane + %uu)", k * lanes(self));
}

/* The same, for reading: the last instead of one beyond the end. */
static char *
get_inner_element(const Rows *self, gsize count, guint k)
{
    g_autofree char *element = get_element(self, count, k);

    return is_full(self, count, k) ? g_steal_pointer(&element)
                                   : g_strdup_printf("min(%s, %zuu)", element, count - 1);
}

/* " && lane < 14u" or "" */
static char *
get_condition(const Rows *self, gsize count, guint k)
{
    g_autofree char *element = get_element(self, count, k);

    return is_full(self, count, k) ? g_strdup("")
                                   : g_strdup_printf(" && %s < %zuu", element, count);
}

static Value
new_value(Rows *self, gsize count)
{
    return (Value){self->n_values++, count};
}

/* ---- memory ---- */

/* "c3 + c4 * i0 + ...", of numbers @unit apart. */
static char *
get_address(Rows *self, const AditWalkPlace *place, gsize unit, gsize base)
{
    g_autofree char *first =
        adit_walk_add_constant(self->kernel, base + (gsize) place->base * unit);
    GString *text = g_string_new(first);

    for (guint i = 0; i < ADIT_MAX_LOOPS; i++) {
        guint modulo = place->loops[i].modulo;

        if (place->loops[i].stride == 0)
            continue;
        g_autofree char *step =
            adit_walk_add_constant(self->kernel, (gsize) place->loops[i].stride * unit);
        if (modulo > 0)
            g_string_append_printf(text, " + %s * ((i%u + %uu) %% %uu)", step, i,
                                   place->loops[i].shift, modulo);
        else
            g_string_append_printf(text, " + %s * i%u", step, i);
    }
    return g_string_free(text, FALSE);
}

static gsize
find_storage(const Rows *self, int storage)
{
    gsize unit = GPOINTER_TO_SIZE(g_hash_table_lookup(self->kept, as_key(storage)));

    return adit_walk_find_unit(self->making, unit > 0 ? unit - 1 : 0);
}

/* The address of a row's value, of the storage's memory. */
static char *
get_row_address(Rows *self, const AditWalkPlace *place, gsize count)
{
    g_autofree char *address = get_address(self, place, self->making->needs->places->room,
                                           find_storage(self, place->storage));

    return g_strdup_printf("%s + walk_row * %zuu", address, count);
}

static void
add_store(Rows *self, const Value *value, const char *address)
{
    for (guint k = 0; k < count_registers(self, value->count); k++) {
        g_autofree char *element = get_element(self, value->count, k);
        g_autofree char *condition = get_condition(self, value->count, k);

        line(self, "if (walk_is_row%s)", condition);
        line(self, "    KEPT[%s + %s] = v%u_%u;", address, element, value->number, k);
    }
}

static void
add_load(Rows *self, const Value *value, const char *address)
{
    for (guint k = 0; k < count_registers(self, value->count); k++) {
        g_autofree char *element = get_inner_element(self, value->count, k);

        line(self, "float v%u_%u = KEPT[%s + %s];", value->number, k, address, element);
    }
}

/* ---- what is in registers ---- */

static gboolean
find_known(const Rows *self, const AditWalkPlace *place, Value *value)
{
    for (guint i = self->known->len; i-- > 0;) {
        const Known *known = &g_array_index(self->known, Known, i);

        if (adit_walk_place_equal(&known->place, place)) {
            *value = known->value;
            return TRUE;
        }
    }
    return FALSE;
}

static void
add_known(Rows *self, const AditWalkPlace *place, Value value)
{
    Known known = {*place, value};

    g_array_append_val(self->known, known);
}

/* What shares memory with @place is not there any more. */
static void
forget(Rows *self, const AditWalkPlace *place, gsize count)
{
    for (guint i = self->known->len; i-- > 0;) {
        if (adit_walk_place_overlaps(&g_array_index(self->known, Known, i).place, place, count))
            g_array_remove_index(self->known, i);
    }
}

static void
forget_storage(Rows *self, int storage)
{
    for (guint i = self->known->len; i-- > 0;) {
        if (g_array_index(self->known, Known, i).place.storage == storage)
            g_array_remove_index(self->known, i);
    }
}

/* All values of a storage have the same number of numbers, so that a lane reads what it wrote. */
static gboolean
check_count(Rows *self, const AditOperand *operand)
{
    gpointer key = as_key(operand->storage);
    gsize known = GPOINTER_TO_SIZE(g_hash_table_lookup(self->counts, key));

    if (known != 0 && known != operand->count)
        return adit_walk_fail(self->making, "it reads all iterations of a loop at once");
    g_hash_table_insert(self->counts, key, GSIZE_TO_POINTER(operand->count));
    if (count_registers(self, operand->count) > MAX_REGISTERS)
        return adit_walk_fail(self->making, "a row of a value has %zu numbers, more than %u",
                              operand->count, MAX_REGISTERS * lanes(self));
    return TRUE;
}

/* The value at a place, read if it is in no register. */
static Value
get_value(Rows *self, const AditWalkPlace *place, gsize count)
{
    Value value;

    if (find_known(self, place, &value))
        return value;
    g_autofree char *address = get_row_address(self, place, count);
    g_hash_table_add(self->read, as_key(place->storage));
    value = new_value(self, count);
    add_load(self, &value, address);
    add_known(self, place, value);
    return value;
}

static gboolean
find_value(Rows *self, const AditOperand *operand, Value *value)
{
    AditWalkPlace place;

    if (!check_count(self, operand))
        return FALSE;
    adit_walk_place_init(&place, operand);
    *value = get_value(self, &place, operand->count);
    return TRUE;
}

/* Notes what was computed, and writes it where others read it. */
static void
set_value(Rows *self, const AditOperand *operand, Value value)
{
    AditWalkPlace place;

    adit_walk_place_init(&place, operand);
    forget(self, &place, operand->count);
    add_known(self, &place, value);
    if (g_hash_table_contains(self->kept, as_key(operand->storage))) {
        g_autofree char *address = get_row_address(self, &place, operand->count);

        add_store(self, &value, address);
    }
}

/* ---- what instructions read ---- */

/**
 * Source: an input.
 * @staged: its numbers are in shared memory, from number @at of the row's on
 * @text: (nullable): without rows: where its numbers lie, or the number
 */
typedef struct {
    const AditOperand *operand;
    Value value;
    gboolean staged;
    gsize at;
    char *text;
} Source;

typedef struct {
    guint n;
    Source of[ADIT_MAX_INPUTS];
} Sources;

static void
sources_clear(Sources *self)
{
    for (guint i = 0; i < self->n; i++)
        g_free(self->of[i].text);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Sources, sources_clear)

/* Parameters lie where the loops' indices say; other values without rows are single numbers. */
static gboolean
find_outside(Rows *self, Source *source)
{
    const AditOperand *operand = source->operand;

    if (operand->arena == ADIT_ARENA_PARAMETERS) {
        AditWalkPlace place;

        adit_walk_place_init(&place, operand);
        source->text = get_address(self, &place, 1, 0);
        return TRUE;
    }
    if (operand->count > 1)
        return adit_walk_fail(self->making, "it reads states or constants of many numbers");
    source->text = g_strdup(adit_walk_scope_add(&self->scope, operand));
    return source->text != NULL;
}

static void
stage(Rows *self, Sources *sources)
{
    gsize at = 0;

    line(self, "walk_turn();");
    for (guint i = 0; i < sources->n; i++) {
        Source *source = &sources->of[i];

        if (!source->staged)
            continue;
        source->at = at;
        at += source->operand->count;
        for (guint k = 0; k < count_registers(self, source->operand->count); k++) {
            g_autofree char *element = get_element(self, source->operand->count, k);
            g_autofree char *condition = get_condition(self, source->operand->count, k);

            if (source->operand->count == 1)
                line(self, "if (walk_lane == 0u)");
            else if (*condition != '\0')
                line(self, "if (%s)", condition + strlen(" && "));
            line(self, "%swalk_stage[walk_at + %zuu + %s] = v%u_%u;",
                 source->operand->count == 1 || *condition != '\0' ? "    " : "", source->at,
                 element, source->value.number, k);
        }
    }
    line(self, "barrier();");
    self->making->walk->stage = MAX(self->making->walk->stage, at);
}

/* What an instruction reads; @staged: bits of the inputs whose numbers all lanes are to see. */
static gboolean
find_sources(Rows *self, const AditInstruction *instruction, guint staged, Sources *sources)
{
    gboolean any = FALSE;

    for (guint i = 0; i < instruction->n_inputs; i++) {
        Source *source = &sources->of[sources->n++];

        source->operand = &instruction->inputs[i];
        if (source->operand->linear)
            return adit_walk_fail(self->making, "it reads an arena row by row");
        if (source->operand->arena != ADIT_ARENA_ROWS) {
            if (!find_outside(self, source))
                return FALSE;
            continue;
        }
        if (!find_value(self, source->operand, &source->value))
            return FALSE;
        source->staged = (staged & 1u << i) != 0;
        any = any || source->staged;
    }
    if (any)
        stage(self, sources);
    return TRUE;
}

/* Number @element (GLSL) of a source that is not in registers. */
static char *
read_number(const Source *source, const char *element)
{
    if (source->staged)
        return g_strdup_printf("walk_stage[walk_at + %zuu + %s]", source->at, element);
    if (source->operand->arena == ADIT_ARENA_PARAMETERS)
        return g_strdup_printf("PARAMETERS[%s + %s]", source->text, element);
    return g_strdup(source->text);
}

/* The number of a source that goes with what register k of @output has. */
static char *
read_element(Rows *self, const Source *source, const AditOperand *output, guint k)
{
    const AditOperand *operand = source->operand;

    if (operand->arena == ADIT_ARENA_ROWS && !source->staged)
        return g_strdup_printf("v%u_%u", source->value.number, operand->count == 1 ? 0 : k);
    g_autofree char *e = get_inner_element(self, output->count, k);
    g_autofree char *own = adit_walk_broadcast(&operand->shape, &output->shape, e);
    return read_number(source, own);
}

/* Bits of the inputs that are repeated along some axes, but are no single numbers. */
static guint
find_repeated(const AditInstruction *instruction)
{
    guint bits = 0;

    for (guint i = 0; i < instruction->n_inputs; i++) {
        gsize count = instruction->inputs[i].count;

        if (instruction->inputs[i].rows && count != 1 && count != instruction->output.count)
            bits |= 1u << i;
    }
    return bits;
}

/* ---- instructions ---- */

static gboolean
add_pointwise(Rows *self, const AditInstruction *instruction)
{
    g_auto(Sources) sources = {0};
    const AditOperand *output = &instruction->output;

    if (!find_sources(self, instruction, find_repeated(instruction), &sources))
        return FALSE;
    Value value = new_value(self, output->count);
    for (guint k = 0; k < count_registers(self, output->count); k++) {
        g_auto(GStrv) arguments = g_new0(char *, instruction->n_inputs + 1);
        g_autofree char *name = g_strdup_printf("v%u_%u", value.number, k);

        for (guint i = 0; i < instruction->n_inputs; i++)
            arguments[i] = read_element(self, &sources.of[i], output, k);
        adit_walk_add_pointwise(self->kernel, self->text, self->depth, name, instruction,
                                arguments);
    }
    set_value(self, output, value);
    return TRUE;
}

/* Its input, repeated; @scale: (GLSL): what it is divided by, or "" */
static gboolean
add_repeated(Rows *self, const AditInstruction *instruction, const char *scale)
{
    g_auto(Sources) sources = {0};
    const AditOperand *output = &instruction->output;

    if (!find_sources(self, instruction, find_repeated(instruction), &sources))
        return FALSE;
    Value value = new_value(self, output->count);
    for (guint k = 0; k < count_registers(self, output->count); k++) {
        g_autofree char *from = read_element(self, &sources.of[0], output, k);

        line(self, "precise float v%u_%u = %s%s;", value.number, k, from, scale);
    }
    set_value(self, output, value);
    return TRUE;
}

/**
 * Product: a matrix product, of numbers of a row in shared memory from @to on and a matrix in the
 * parameters from @from on, where neighbouring factors lie @step apart (GLSL).
 */
typedef struct {
    Value value;
    guint k;
    gsize depth;
    char *to;
    char *from;
    gsize step;
} Product;

static void
product_clear(Product *self)
{
    g_free(self->to);
    g_free(self->from);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Product, product_clear)

static void
add_factors(const Product *product, GString *text, guint depth, const char *index)
{
    adit_walk_add_line(text, depth, "{");
    if (index != NULL)
        adit_walk_add_line(text, depth + 1, "%s", index);
    adit_walk_add_line(text, depth + 1, "uint from = %s;", product->from);
    for (gsize q = 0; q < product->depth; q++)
        adit_walk_add_line(text, depth + 1, "w%u_%zu = PARAMETERS[from + %zuu];",
                           product->value.number, q, q * product->step);
    adit_walk_add_line(text, depth, "}");
}

static void
declare_factors(const Product *product, GString *text, guint depth)
{
    for (gsize q = 0; q < product->depth; q++)
        adit_walk_add_line(text, depth, "float w%u_%zu;", product->value.number, q);
}

/* The factors of the first iteration are read before the loop, those of the next when those of this
 * one are done with: whoever waits for a neighbour has asked for them already. */
static void
add_early_factors(Rows *self, const Product *product)
{
    const AditInstruction *loop = get_innermost(self);
    guint word = adit_walk_add_word(self->kernel, loop->n - 1), level = loop->level;
    g_autoptr(GString) before = g_string_new(NULL);
    g_autofree char *first = loop->reverse ? g_strdup_printf("uint i%u = WORD(%uu);", level, word)
                                           : g_strdup_printf("uint i%u = 0u;", level);
    g_autofree char *next =
        loop->reverse ? g_strdup_printf("uint next = i%u > 0u ? i%u - 1u : 0u, i%u = next;", level,
                                        level, level)
                      : g_strdup_printf("uint next = min(i%u + 1u, WORD(%uu)), i%u = next;", level,
                                        word, level);

    declare_factors(product, before, self->depth - 1);
    add_factors(product, before, self->depth - 1, first);
    g_string_insert(self->text, (gssize) self->loop_at, before->str);
    add_factors(product, self->text, self->depth, next);
}

static void
add_written_out(Rows *self, const Product *product)
{
    const Value *value = &product->value;

    if (self->nest.n == 0) {
        declare_factors(product, self->text, self->depth);
        add_factors(product, self->text, self->depth, NULL);
    }
    for (gsize q = 0; q < product->depth; q++)
        line(self, "v%u_%u = fma(walk_stage[%s + %zuu], w%u_%zu, v%u_%u);", value->number,
             product->k, product->to, q, value->number, q, value->number, product->k);
    if (self->nest.n > 0)
        add_early_factors(self, product);
}

static void
add_product(Rows *self, const Product *product)
{
    const Value *value = &product->value;

    line(self, "precise float v%u_%u = 0.0;", value->number, product->k);
    if (count_registers(self, value->count) == 1 && product->depth <= MAX_WRITTEN_OUT) {
        add_written_out(self, product);
        return;
    }
    line(self, "{");
    line(self, "    uint to = %s, from = %s;", product->to, product->from);
    line(self, "    for (uint q = 0u; q < %zuu; q++)", product->depth);
    line(self, "        v%u_%u = fma(walk_stage[to + q], PARAMETERS[from + q * %zuu], v%u_%u);",
         value->number, product->k, product->step, value->number, product->k);
    line(self, "}");
}

static gboolean
add_matmul(Rows *self, const AditInstruction *instruction)
{
    g_auto(Sources) sources = {0};
    const AditOperand *left = &instruction->inputs[0], *output = &instruction->output;
    gboolean is_transposed = adit_walk_get_attribute(instruction, 0) != 0;
    gsize depth = left->shape.size[left->shape.rank - 1];
    gsize columns = output->shape.size[output->shape.rank - 1];

    if (instruction->inputs[1].arena != ADIT_ARENA_PARAMETERS)
        return adit_walk_fail(self->making, "a product's matrix is computed");
    if (!find_sources(self, instruction, 1, &sources))
        return FALSE;
    if (!sources.of[0].staged)
        return adit_walk_fail(self->making, "a product of values without rows");
    Value value = new_value(self, output->count);
    for (guint k = 0; k < count_registers(self, output->count); k++) {
        g_autofree char *e = get_inner_element(self, output->count, k);
        g_auto(Product)
            product = {.value = value, .k = k, .depth = depth, .step = is_transposed ? 1 : columns};

        gboolean is_line = output->count == columns;
        gsize step = is_transposed ? depth : 1;

        product.to = is_line ? g_strdup_printf("walk_at + %zuu", sources.of[0].at)
                             : g_strdup_printf("walk_at + %zuu + %s / %zuu * %zuu",
                                               sources.of[0].at, e, columns, depth);
        product.from = is_line ? g_strdup_printf("%s + %s * %zuu", sources.of[1].text, e, step)
                               : g_strdup_printf("%s + %s %% %zuu * %zuu", sources.of[1].text, e,
                                                 columns, step);
        add_product(self, &product);
    }
    set_value(self, output, value);
    return TRUE;
}

static gboolean
add_gather(Rows *self, const AditInstruction *instruction)
{
    const AditOperand *output = &instruction->output;
    guint feed = instruction->feed;

    if (feed > 1)
        return adit_walk_fail(self->making, "it has more than two inputs");
    if (!check_count(self, output))
        return FALSE;
    Value value = new_value(self, output->count);
    guint word = adit_walk_add_word(self->kernel, 0);
    self->making->walk->feeds[feed] = word;
    line(self, "uint r%u = walk_find_row(%uu, WORD(%uu) != 0u) * %zuu;", value.number, feed, word,
         output->count);
    for (guint k = 0; k < count_registers(self, output->count); k++) {
        g_autofree char *e = get_inner_element(self, output->count, k);

        line(self, "float v%u_%u = DATA_%u[r%u + %s];", value.number, k, feed, value.number, e);
    }
    set_value(self, output, value);
    return TRUE;
}

static const Op *
find_op(const char *name)
{
    for (guint i = 0; i < G_N_ELEMENTS(ops); i++) {
        if (g_str_equal(ops[i].name, name))
            return &ops[i];
    }
    return NULL;
}

/* Where inputs lie, and attributes, as the table's expressions call them. */
static gboolean
add_names(Rows *self, const AditInstruction *instruction, const Op *op, const Sources *sources)
{
    static const char *const numbers[] = {"f2", "f5"};
    const AditShape *first = &instruction->inputs[0].shape;
    gsize n = first->rank > 0 ? first->size[first->rank - 1] : 1;

    for (guint i = 0; i < sources->n; i++) {
        const Source *source = &sources->of[i];

        if (source->staged)
            line(self, "    uint %c = walk_at + %zuu;", 'x' + (int) i, source->at);
        else if (source->operand->arena == ADIT_ARENA_PARAMETERS && (op->staged & 1u << i) == 0)
            line(self, "    uint %c = %s;", 'x' + (int) i, source->text);
        else
            return adit_walk_fail(self->making, "operation '%s' reads other than it would",
                                  op->name);
    }
    line(self, "    const uint n = %zuu;", n);
    for (guint i = 0; i < 5; i++)
        line(self, "    const uint a%u = %uu;", i, adit_walk_get_attribute(instruction, i));
    for (guint i = 0; i < G_N_ELEMENTS(numbers); i++) {
        guint attribute = (guint) (numbers[i][1] - '0');
        guint word =
            adit_walk_add_word(self->kernel, adit_walk_get_attribute(instruction, attribute));

        line(self, "    float %s = NUMBER(%uu);", numbers[i], word);
    }
    return TRUE;
}

static gboolean
add_table_op(Rows *self, const AditInstruction *instruction, const Op *op)
{
    g_auto(Sources) sources = {0};
    const AditOperand *output = &instruction->output;

    if (!find_sources(self, instruction, op->staged, &sources))
        return FALSE;
    Value value = new_value(self, output->count);
    for (guint k = 0; k < count_registers(self, output->count); k++) {
        g_autofree char *e = get_inner_element(self, output->count, k);

        line(self, "precise float v%u_%u;", value.number, k);
        line(self, "{");
        line(self, "    uint e = %s;", e);
        if (!add_names(self, instruction, op, &sources))
            return FALSE;
        line(self, "    v%u_%u = %s;", value.number, k, op->glsl);
        line(self, "}");
    }
    set_value(self, output, value);
    return TRUE;
}

/* Noise: the streams of all iterations, one behind the other, are words. */
static gboolean
add_noise(Rows *self, const AditInstruction *instruction)
{
    gboolean is_normal = g_str_equal(instruction->op->name, "noise-normal");
    const AditOperand *output = &instruction->output;
    g_autoptr(GString) iteration = g_string_new("0u");
    guint32 first = self->making->keys->len, stride = 1;

    for (guint i = 0; instruction->names[i] != NULL; i++) {
        guint32 key[2];

        adit_stream_key(self->making->needs->places->seed, instruction->names[i], key);
        g_array_append_vals(self->making->keys, key, 2);
    }
    for (guint i = self->nest.n; i-- > 0; stride *= self->nest.loops[i]->n) {
        g_autofree char *step = adit_walk_add_constant(self->kernel, (gsize) stride * 2);

        g_string_append_printf(iteration, " + %s * i%u", step, self->nest.loops[i]->level);
    }
    Value value = new_value(self, output->count);
    for (guint k = 0; k < count_registers(self, output->count); k++) {
        g_autofree char *e = get_inner_element(self, output->count, k);
        guint number = self->kernel->constants->len;
        g_autofree char *at = adit_walk_add_constant(self->kernel, first);

        g_array_append_val(self->making->key_constants, number);
        line(self, "float v%u_%u;", value.number, k);
        line(self, "{");
        line(self, "    uint word, key = %s + %s;", at, iteration->str);
        line(self,
             "    uvec4 bits = adit_noise_of(walk_row, %zuu, %s, uvec2(WORD(key), WORD(key + 1u)), "
             "word);",
             output->count, e);
        line(self, "    v%u_%u = %s;", value.number, k,
             is_normal ? "adit_normal(bits, word)" : "adit_uniform(bits[word])");
        line(self, "}");
    }
    set_value(self, output, value);
    return TRUE;
}

/* ---- what the second kernel reads ---- */

/* Writes a value to a place of its own for every iteration; once, whoever asks. */
static AditWalkKept
shelve(Rows *self, const Value *value)
{
    AditWalkMaking *making = self->making;
    gsize step = value->count * making->needs->places->room;
    AditWalkPlace place = {.storage = -1};
    gsize stride = value->count;

    for (guint i = 0; i < self->shelves->len; i++) {
        const Shelf *shelf = &g_array_index(self->shelves, Shelf, i);

        if (shelf->number == value->number && shelf->loop == get_innermost(self))
            return shelf->kept;
    }
    Shelf shelf = {value->number,
                   get_innermost(self),
                   {adit_walk_find_unit(making, making->units), step, value->count}};
    for (guint i = self->nest.n; i-- > 0; stride *= self->nest.loops[i]->n)
        place.loops[self->nest.loops[i]->level].stride = (gint64) stride;
    making->units += stride;
    g_autofree char *first = get_address(self, &place, making->needs->places->room, shelf.kept.at);
    g_autofree char *address = g_strdup_printf("%s + walk_row * %zuu", first, value->count);
    add_store(self, value, address);
    g_array_append_val(self->shelves, shelf);
    return shelf.kept;
}

/* Where the operand lies in a storage that is kept anyway, and that has a place for every
 * iteration. */
static gboolean
find_in_storage(const Rows *self, const AditOperand *operand, AditWalkKept *kept)
{
    gsize room = self->making->needs->places->room;

    if (self->nest.n == 0 || !g_hash_table_contains(self->kept, as_key(operand->storage)) ||
        !adit_walk_nest_is_dense(&self->nest, operand, operand->count))
        return FALSE;
    AditWalkPlace place;

    adit_walk_place_init(&place, operand);
    *kept = (AditWalkKept){find_storage(self, operand->storage) + (gsize) place.base * room,
                           operand->count * room, operand->count};
    return TRUE;
}

/* An operation over rows: its inputs are kept. */
static gboolean
add_sum(Rows *self, const AditInstruction *instruction)
{
    const char *name = instruction->op->name;
    AditWalkSum sum = {.instruction = instruction, .nest = self->nest};

    if (!g_str_equal(name, "matmul-rows") && !g_str_equal(name, "rows-sum") &&
        !g_str_equal(name, "rows-mean"))
        return adit_walk_fail(self->making, "operation '%s' is over rows", name);
    for (guint i = 0; i < instruction->n_inputs; i++) {
        const AditOperand *input = &instruction->inputs[i];
        Value value;

        if (input->arena != ADIT_ARENA_ROWS || input->linear)
            return adit_walk_fail(self->making, "operation '%s' sums values without rows", name);
        if (instruction->n_inputs == 2 && input->shape.rank != 1)
            return adit_walk_fail(self->making, "operation '%s' sums several lines a row", name);
        if (find_in_storage(self, input, &sum.inputs[i]))
            continue;
        if (!find_value(self, input, &value))
            return FALSE;
        sum.inputs[i] = shelve(self, &value);
    }
    g_array_append_val(self->making->sums, sum);
    return TRUE;
}

/* ---- loops ---- */

static gboolean
reads_place(const GPtrArray *list, const AditWalkPlace *place)
{
    for (guint i = 0; i < list->len; i++) {
        const AditInstruction *instruction = list->pdata[i];

        if (instruction->body != NULL && reads_place(instruction->body, place))
            return TRUE;
        for (guint j = 0; j < instruction->n_inputs && instruction->body == NULL; j++) {
            AditWalkPlace input;

            adit_walk_place_init(&input, &instruction->inputs[j]);
            if (instruction->inputs[j].arena == ADIT_ARENA_ROWS &&
                adit_walk_place_equal(&input, place))
                return TRUE;
        }
    }
    return FALSE;
}

static void
forget_written(Rows *self, const GPtrArray *list)
{
    for (guint i = 0; i < list->len; i++) {
        const AditInstruction *instruction = list->pdata[i];

        if (instruction->body != NULL)
            forget_written(self, instruction->body);
        else if (instruction->output.arena == ADIT_ARENA_ROWS)
            forget_storage(self, instruction->output.storage);
    }
}

/* Puts carries into registers before their loop begins. */
static gboolean
find_carries(Rows *self, const AditInstruction *loop, GArray *carries, GArray *inside)
{
    guint first = loop->reverse ? loop->n - 1 : 0;

    for (guint i = 0; i < loop->body->len; i++) {
        const AditInstruction *instruction = loop->body->pdata[i];
        AditWalkPlace before, start;
        Carry carry;

        if (instruction->body != NULL || instruction->partial > 0 ||
            instruction->output.arena != ADIT_ARENA_ROWS)
            continue;
        /* what is no carry is read by the iteration that wrote it */
        adit_walk_place_init(&carry.left, &instruction->output);
        before = carry.left;
        adit_walk_place_step_back(&before, loop->level, loop->reverse);
        if (carry.left.loops[loop->level].stride == 0 || !reads_place(loop->body, &before))
            continue;
        if (!check_count(self, &instruction->output))
            return FALSE;
        start = before;
        adit_walk_place_fix(&start, loop->level, first);
        Value value = get_value(self, &start, instruction->output.count);
        carry.value = new_value(self, value.count);
        for (guint k = 0; k < count_registers(self, value.count); k++)
            line(self, "float v%u_%u = v%u_%u;", carry.value.number, k, value.number, k);
        g_array_append_val(carries, carry);
        Known known = {before, carry.value};
        g_array_append_val(inside, known);
    }
    return TRUE;
}

/* What the iteration leaves becomes what the next one is given. */
static gboolean
hand_on(Rows *self, const GArray *carries)
{
    for (guint i = 0; i < carries->len; i++) {
        const Carry *carry = &g_array_index(carries, Carry, i);
        Value value = get_value(self, &carry->left, carry->value.count);

        for (guint k = 0; k < count_registers(self, value.count); k++)
            line(self, "v%u_%u = v%u_%u;", carry->value.number, k, value.number, k);
    }
    return TRUE;
}

static gboolean
add_body(Rows *self, const AditInstruction *loop, const GArray *carries)
{
    guint word = adit_walk_add_word(self->kernel, loop->n);
    guint level = loop->level;
    gsize around = self->loop_at;

    self->loop_at = self->text->len;
    if (loop->reverse)
        line(self, "for (uint i%u = WORD(%uu); i%u-- > 0u;) {", level, word, level);
    else
        line(self, "for (uint i%u = 0u; i%u < WORD(%uu); i%u++) {", level, level, word, level);
    self->depth++;
    self->nest.loops[self->nest.n++] = loop;
    gboolean added = add_list(self, loop->body) && hand_on(self, carries);
    self->nest.n--;
    self->depth--;
    line(self, "}");
    self->loop_at = around;
    return added;
}

static gboolean
add_loop(Rows *self, const AditInstruction *loop)
{
    g_autoptr(GArray) carries = g_array_new(FALSE, FALSE, sizeof(Carry));
    g_autoptr(GArray) inside = g_array_new(FALSE, FALSE, sizeof(Known));
    guint last = loop->reverse ? 0 : loop->n - 1;

    if (!find_carries(self, loop, carries, inside))
        return FALSE;
    /* what the loop writes is another value in each iteration */
    forget_written(self, loop->body);
    guint n_known = self->known->len;
    g_array_append_vals(self->known, inside->data, inside->len);
    g_autoptr(GArray) around = g_array_copy(self->known);
    if (!add_body(self, loop, carries))
        return FALSE;
    g_array_set_size(self->known, 0);
    g_array_append_vals(self->known, around->data, n_known);
    adit_walk_scope_forget(&self->scope);
    for (guint i = 0; i < carries->len; i++) {
        Carry *carry = &g_array_index(carries, Carry, i);

        adit_walk_place_fix(&carry->left, loop->level, last);
        add_known(self, &carry->left, carry->value);
    }
    return TRUE;
}

/* ---- the list ---- */

static gboolean
add_op(Rows *self, const AditInstruction *instruction)
{
    const char *name = instruction->op->name;

    if (instruction->partial > 0)
        return add_sum(self, instruction);
    if (instruction->output.arena != ADIT_ARENA_ROWS || instruction->output.linear)
        return adit_walk_fail(self->making, "operation '%s' writes to an arena", name);
    if (!check_count(self, &instruction->output))
        return FALSE;
    if (adit_pointwise_find(instruction->op) != NULL)
        return add_pointwise(self, instruction);
    if (g_str_equal(name, "matmul"))
        return add_matmul(self, instruction);
    if (g_str_equal(name, "broadcast") || g_str_equal(name, "broadcast-rows"))
        return add_repeated(self, instruction, "");
    if (g_str_equal(name, "broadcast-rows-mean"))
        return add_repeated(self, instruction, " / float(push.batch)");
    if (g_str_has_prefix(name, "reduce-") && adit_walk_get_attribute(instruction, 0) == 1)
        return add_repeated(self, instruction, "");
    if (instruction->names != NULL)
        return add_noise(self, instruction);
    if (find_op(name) != NULL)
        return add_table_op(self, instruction, find_op(name));
    return adit_walk_fail(self->making, "operation '%s' is not walked", name);
}

static gboolean
add_list(Rows *self, const GPtrArray *list)
{
    for (guint i = 0; i < list->len; i++) {
        const AditInstruction *instruction = list->pdata[i];
        gboolean added = TRUE;

        if (instruction->domain == ADIT_DOMAIN_WHOLE)
            continue;
        if (instruction->kind == ADIT_INSTRUCTION_OP)
            added = add_op(self, instruction);
        else if (instruction->kind == ADIT_INSTRUCTION_COPY)
            added = check_count(self, &instruction->output) && add_repeated(self, instruction, "");
        else if (instruction->kind == ADIT_INSTRUCTION_GATHER)
            added = add_gather(self, instruction);
        else if (instruction->kind == ADIT_INSTRUCTION_LOOP)
            added = add_loop(self, instruction);
        else
            added = adit_walk_fail(self->making, "slices join partial results");
        if (!added)
            return FALSE;
    }
    return TRUE;
}

/* ---- figures ---- */

/* The numbers that are summed over all rows go to the log. */
static gboolean
add_figures(Rows *self)
{
    const AditProgram *program = self->making->needs->program;
    gsize n = 0;

    for (guint i = 0; i < program->outputs->len; i++) {
        const AditProgramOutput *output = &g_array_index(program->outputs, AditProgramOutput, i);
        Value value;

        if (output->kind == ADIT_OUTPUT_READ)
            return adit_walk_fail(self->making, "a value is read by the host");
        if (output->kind != ADIT_OUTPUT_SUM)
            continue;
        if (output->operand.arena != ADIT_ARENA_ROWS || output->operand.count != 1)
            return adit_walk_fail(self->making, "a figure is no number of a row");
        if (!find_value(self, &output->operand, &value))
            return FALSE;
        line(self, "if (walk_is_row && walk_lane == 0u)");
        line(self, "    KEPT[%zuu + ADIT_CALL(BLOCK_LOG) + walk_row] = v%u_0;",
             n * self->making->needs->places->log_room, value.number);
        n++;
    }
    return TRUE;
}

/* ---- both times ---- */

static gboolean
add_text(Rows *self)
{
    AditWalkMaking *making = self->making;
    const AditProgram *program = making->needs->program;

    self->known = g_array_new(FALSE, FALSE, sizeof(Known));
    self->shelves = g_array_new(FALSE, FALSE, sizeof(Shelf));
    self->counts = g_hash_table_new(NULL, NULL);
    self->text = g_string_new(NULL);
    self->depth = 1;
    adit_walk_scope_init(&self->scope, making, self->kernel, self->text, 1, 1);
    g_array_set_size(self->kernel->constants, 0);
    g_array_set_size(self->kernel->words, 0);
    g_array_set_size(making->sums, 0);
    g_array_set_size(making->keys, 0);
    g_array_set_size(making->key_constants, 0);
    gboolean added = add_list(self, program->instructions) && add_figures(self);

    adit_walk_scope_clear(&self->scope);
    g_hash_table_unref(self->counts);
    g_array_unref(self->shelves);
    g_array_unref(self->known);
    if (added)
        g_string_append_printf(self->kernel->text, "void\nwalk()\n{\n%s}\n", self->text->str);
    g_string_free(self->text, TRUE);
    return added;
}

/* Every storage that was read has memory of its own, before what is shelved. */
static void
keep_storages(Rows *self)
{
    GHashTableIter iter;
    gpointer key;

    g_hash_table_iter_init(&iter, self->read);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        const AditStorage *storage = &g_array_index(self->making->needs->program->storages,
                                                    AditStorage, GPOINTER_TO_INT(key) - 1);

        g_hash_table_insert(self->kept, key, GSIZE_TO_POINTER(self->making->units + 1));
        self->making->units += storage->size;
    }
}

static gsize
find_widest(const GPtrArray *list)
{
    gsize widest = 1;

    for (guint i = 0; i < list->len; i++) {
        const AditInstruction *instruction = list->pdata[i];
        gsize count = instruction->body != NULL ? find_widest(instruction->body)
                      : instruction->domain == ADIT_DOMAIN_SLICES && instruction->partial == 0
                          ? instruction->output.count
                          : 1;

        widest = MAX(widest, count);
    }
    return widest;
}

/* As many as a loop's values are wide, else as the widest value. */
static guint
choose_lanes(const AditProgram *program)
{
    gsize widest = 1;
    guint n = 1;

    for (guint i = 0; i < program->instructions->len; i++) {
        const AditInstruction *instruction = program->instructions->pdata[i];

        if (instruction->kind == ADIT_INSTRUCTION_LOOP)
            widest = MAX(widest, find_widest(instruction->body));
    }
    if (widest == 1)
        widest = find_widest(program->instructions);
    while (n < widest && n < MAX_LANES)
        n *= 2;
    return n;
}

gboolean
adit_walk_add_rows(AditWalkMaking *making)
{
    g_autoptr(GHashTable) read = g_hash_table_new(NULL, NULL);
    g_autoptr(GHashTable) kept = g_hash_table_new(NULL, NULL);
    Rows self = {.making = making, .kernel = &making->walk->rows, .read = read, .kept = kept};
    gsize begin = making->units;

    making->walk->lanes = choose_lanes(making->needs->program);
    if (!add_text(&self))
        return FALSE;
    making->units = begin;
    keep_storages(&self);
    g_string_truncate(self.kernel->text, 0);
    self.n_values = 0;
    if (!add_text(&self))
        return FALSE;
    if (making->walk->stage <= MAX_STAGE)
        return TRUE;
    return adit_walk_fail(making, "a row's values are too wide");
}
