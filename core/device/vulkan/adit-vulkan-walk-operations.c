/* core/device/vulkan/adit-vulkan-walk-operations.c - SPDX-License-Identifier: MIT */
#include "adit-pointwise.h"
#include "adit-vulkan-walk-registers.h"

/* Sums up to this length are written out, their factors in registers. */
#define MAX_WRITTEN_OUT 32

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

static gboolean
add_pointwise(AditWalkRows *self, const AditInstruction *instruction)
{
    g_auto(AditWalkSources) sources = {0};
    const AditOperand *output = &instruction->output;

    if (!adit_walk_rows_find_sources(self, instruction, adit_walk_rows_find_repeated(instruction),
                                     &sources))
        return FALSE;
    AditWalkValue value = adit_walk_rows_new_value(self, output->count);
    for (guint k = 0; k < adit_walk_rows_count_registers(self, output->count); k++) {
        g_auto(GStrv) arguments = g_new0(char *, instruction->n_inputs + 1);
        g_autofree char *name = g_strdup_printf("v%u_%u", value.number, k);

        for (guint i = 0; i < instruction->n_inputs; i++)
            arguments[i] = adit_walk_rows_read_element(self, &sources.of[i], output, k);
        adit_walk_add_pointwise(self->kernel, self->text, self->depth, name, instruction,
                                arguments);
    }
    adit_walk_rows_set_value(self, output, value);
    return TRUE;
}

/* Its input, repeated; @scale: (GLSL): what it is divided by, or "" */
static gboolean
add_repeated(AditWalkRows *self, const AditInstruction *instruction, const char *scale)
{
    g_auto(AditWalkSources) sources = {0};
    const AditOperand *output = &instruction->output;

    if (!adit_walk_rows_find_sources(self, instruction, adit_walk_rows_find_repeated(instruction),
                                     &sources))
        return FALSE;
    AditWalkValue value = adit_walk_rows_new_value(self, output->count);
    for (guint k = 0; k < adit_walk_rows_count_registers(self, output->count); k++) {
        g_autofree char *from = adit_walk_rows_read_element(self, &sources.of[0], output, k);

        adit_walk_rows_line(self, "precise float v%u_%u = %s%s;", value.number, k, from, scale);
    }
    adit_walk_rows_set_value(self, output, value);
    return TRUE;
}

/**
 * Product: a matrix product, of numbers of a row in shared memory from @to on and a matrix in the
 * parameters from @from on, where neighbouring factors lie @step apart (GLSL).
 */
typedef struct {
    AditWalkValue value;
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
add_early_factors(AditWalkRows *self, const Product *product)
{
    g_autoptr(GString) before = g_string_new(NULL);
    g_autofree char *first = adit_walk_rows_get_first(self);
    g_autofree char *next = adit_walk_rows_get_next(self);

    declare_factors(product, before, self->depth - 1);
    add_factors(product, before, self->depth - 1, first);
    adit_walk_rows_add_before(self, before->str);
    add_factors(product, self->text, self->depth, next);
}

static void
add_written_out(AditWalkRows *self, const Product *product)
{
    const AditWalkValue *value = &product->value;

    if (!adit_walk_rows_is_in_loop(self)) {
        declare_factors(product, self->text, self->depth);
        add_factors(product, self->text, self->depth, NULL);
    }
    for (gsize q = 0; q < product->depth; q++)
        adit_walk_rows_line(self, "v%u_%u = fma(walk_stage[%s + %zuu], w%u_%zu, v%u_%u);",
                            value->number, product->k, product->to, q, value->number, q,
                            value->number, product->k);
    if (adit_walk_rows_is_in_loop(self))
        add_early_factors(self, product);
}

static void
add_product(AditWalkRows *self, const Product *product)
{
    const AditWalkValue *value = &product->value;

    adit_walk_rows_line(self, "precise float v%u_%u = 0.0;", value->number, product->k);
    if (adit_walk_rows_count_registers(self, value->count) == 1 &&
        product->depth <= MAX_WRITTEN_OUT) {
        add_written_out(self, product);
        return;
    }
    adit_walk_rows_line(self, "{");
    adit_walk_rows_line(self, "    uint to = %s, from = %s;", product->to, product->from);
    adit_walk_rows_line(self, "    for (uint q = 0u; q < %zuu; q++)", product->depth);
    adit_walk_rows_line(
        self, "        v%u_%u = fma(walk_stage[to + q], PARAMETERS[from + q * %zuu], v%u_%u);",
        value->number, product->k, product->step, value->number, product->k);
    adit_walk_rows_line(self, "}");
}

static gboolean
add_matmul(AditWalkRows *self, const AditInstruction *instruction)
{
    g_auto(AditWalkSources) sources = {0};
    const AditOperand *left = &instruction->inputs[0], *output = &instruction->output;
    gboolean is_transposed = adit_walk_get_attribute(instruction, 0) != 0;
    gsize depth = left->shape.size[left->shape.rank - 1];
    gsize columns = output->shape.size[output->shape.rank - 1];

    if (instruction->inputs[1].arena != ADIT_ARENA_PARAMETERS)
        return adit_walk_fail(self->making, "a product's matrix is computed");
    if (!adit_walk_rows_find_sources(self, instruction, 1, &sources))
        return FALSE;
    if (!sources.of[0].staged)
        return adit_walk_fail(self->making, "a product of values without rows");
    AditWalkValue value = adit_walk_rows_new_value(self, output->count);
    for (guint k = 0; k < adit_walk_rows_count_registers(self, output->count); k++) {
        g_autofree char *e = adit_walk_rows_get_inner_element(self, output->count, k);
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
    adit_walk_rows_set_value(self, output, value);
    return TRUE;
}

gboolean
adit_walk_rows_add_gather(AditWalkRows *self, const AditInstruction *instruction)
{
    const AditOperand *output = &instruction->output;
    guint feed = instruction->feed;

    if (feed > 1)
        return adit_walk_fail(self->making, "it has more than two inputs");
    if (!adit_walk_rows_check_count(self, output))
        return FALSE;
    AditWalkValue value = adit_walk_rows_new_value(self, output->count);
    AditVulkanWalkFeed words = {.piece = self->making->walk->pieces->len - 1};
    words.numbers = adit_walk_add_word(self->kernel, 0);
    words.table = adit_walk_add_word(self->kernel, 0);
    self->making->walk->feeds[feed] = words;
    adit_walk_rows_line(self, "uint r%u = walk_find_row(%uu, WORD(%uu) != 0u) * %zuu;",
                        value.number, feed, words.numbers, output->count);
    adit_walk_rows_line(self, "uint t%u = WORD(%uu);", value.number, words.table);
    for (guint k = 0; k < adit_walk_rows_count_registers(self, output->count); k++) {
        g_autofree char *e = adit_walk_rows_get_inner_element(self, output->count, k);

        adit_walk_rows_line(self, "float v%u_%u = DATA_%u(t%u, r%u + %s);", value.number, k, feed,
                            value.number, value.number, e);
    }
    adit_walk_rows_set_value(self, output, value);
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
add_names(AditWalkRows *self, const AditInstruction *instruction, const Op *op,
          const AditWalkSources *sources)
{
    static const char *const numbers[] = {"f2", "f5"};
    const AditShape *first = &instruction->inputs[0].shape;
    gsize n = first->rank > 0 ? first->size[first->rank - 1] : 1;

    for (guint i = 0; i < sources->n; i++) {
        const AditWalkSource *source = &sources->of[i];

        if (source->staged)
            adit_walk_rows_line(self, "    uint %c = walk_at + %zuu;", 'x' + (int) i, source->at);
        else if (source->operand->arena == ADIT_ARENA_PARAMETERS && (op->staged & 1u << i) == 0)
            adit_walk_rows_line(self, "    uint %c = %s;", 'x' + (int) i, source->text);
        else
            return adit_walk_fail(self->making, "operation '%s' reads other than it would",
                                  op->name);
    }
    adit_walk_rows_line(self, "    const uint n = %zuu;", n);
    for (guint i = 0; i < 5; i++)
        adit_walk_rows_line(self, "    const uint a%u = %uu;", i,
                            adit_walk_get_attribute(instruction, i));
    for (guint i = 0; i < G_N_ELEMENTS(numbers); i++) {
        guint attribute = (guint) (numbers[i][1] - '0');
        guint word =
            adit_walk_add_word(self->kernel, adit_walk_get_attribute(instruction, attribute));

        adit_walk_rows_line(self, "    float %s = NUMBER(%uu);", numbers[i], word);
    }
    return TRUE;
}

static gboolean
add_table_op(AditWalkRows *self, const AditInstruction *instruction, const Op *op)
{
    g_auto(AditWalkSources) sources = {0};
    const AditOperand *output = &instruction->output;

    if (!adit_walk_rows_find_sources(self, instruction, op->staged, &sources))
        return FALSE;
    AditWalkValue value = adit_walk_rows_new_value(self, output->count);
    for (guint k = 0; k < adit_walk_rows_count_registers(self, output->count); k++) {
        g_autofree char *e = adit_walk_rows_get_inner_element(self, output->count, k);

        adit_walk_rows_line(self, "precise float v%u_%u;", value.number, k);
        adit_walk_rows_line(self, "{");
        adit_walk_rows_line(self, "    uint e = %s;", e);
        if (!add_names(self, instruction, op, &sources))
            return FALSE;
        adit_walk_rows_line(self, "    v%u_%u = %s;", value.number, k, op->glsl);
        adit_walk_rows_line(self, "}");
    }
    adit_walk_rows_set_value(self, output, value);
    return TRUE;
}

/* Noise: the streams of all iterations, one behind the other, are words. */
static gboolean
add_noise(AditWalkRows *self, const AditInstruction *instruction)
{
    gboolean is_normal = g_str_equal(instruction->op->name, "noise-normal");
    const AditOperand *output = &instruction->output;
    g_autoptr(GString) iteration = g_string_new("0u");
    guint32 first = self->kernel->keys->len, stride = 1;

    for (guint i = 0; instruction->names[i] != NULL; i++) {
        guint32 key[2];

        adit_stream_key(self->making->needs->places->seed, instruction->names[i], key);
        g_array_append_vals(self->kernel->keys, key, 2);
    }
    for (guint i = self->nest.n; i-- > 0; stride *= self->nest.loops[i]->n) {
        g_autofree char *step = adit_walk_add_constant(self->kernel, (gsize) stride * 2);

        g_string_append_printf(iteration, " + %s * i%u", step, self->nest.loops[i]->level);
    }
    AditWalkValue value = adit_walk_rows_new_value(self, output->count);
    for (guint k = 0; k < adit_walk_rows_count_registers(self, output->count); k++) {
        g_autofree char *e = adit_walk_rows_get_inner_element(self, output->count, k);
        guint number = self->kernel->constants->len;
        g_autofree char *at = adit_walk_add_constant(self->kernel, first);

        g_array_append_val(self->kernel->key_constants, number);
        adit_walk_rows_line(self, "float v%u_%u;", value.number, k);
        adit_walk_rows_line(self, "{");
        adit_walk_rows_line(self, "    uint word, key = %s + %s;", at, iteration->str);
        adit_walk_rows_line(
            self,
            "    uvec4 bits = adit_noise_of(walk_row, %zuu, %s, uvec2(WORD(key), WORD(key + 1u)), "
            "word);",
            output->count, e);
        adit_walk_rows_line(self, "    v%u_%u = %s;", value.number, k,
                            is_normal ? "adit_normal(bits, word)" : "adit_uniform(bits[word])");
        adit_walk_rows_line(self, "}");
    }
    adit_walk_rows_set_value(self, output, value);
    return TRUE;
}

gboolean
adit_walk_rows_add_copy(AditWalkRows *self, const AditInstruction *instruction)
{
    return adit_walk_rows_check_count(self, &instruction->output) &&
           add_repeated(self, instruction, "");
}

/* Of one number there is nothing to reduce; which of them is the greatest is another question. */
static gboolean
is_copied(const AditInstruction *instruction)
{
    const char *name = instruction->op->name;

    return g_str_has_prefix(name, "reduce-") && !g_str_equal(name, "reduce-argmax") &&
           adit_walk_get_attribute(instruction, 0) == 1;
}

gboolean
adit_walk_rows_add_operation(AditWalkRows *self, const AditInstruction *instruction)
{
    const char *name = instruction->op->name;

    if (instruction->output.arena != ADIT_ARENA_ROWS || instruction->output.linear)
        return adit_walk_fail(self->making, "operation '%s' writes to an arena", name);
    if (!adit_walk_rows_check_count(self, &instruction->output))
        return FALSE;
    if (adit_pointwise_find(instruction->op) != NULL)
        return add_pointwise(self, instruction);
    if (g_str_equal(name, "matmul"))
        return add_matmul(self, instruction);
    if (g_str_equal(name, "broadcast") || g_str_equal(name, "broadcast-rows"))
        return add_repeated(self, instruction, "");
    if (g_str_equal(name, "broadcast-rows-mean"))
        return add_repeated(self, instruction, " / float(push.batch)");
    if (is_copied(instruction))
        return add_repeated(self, instruction, "");
    if (instruction->names != NULL)
        return add_noise(self, instruction);
    if (adit_walk_rows_is_map(instruction))
        return adit_walk_rows_add_map(self, instruction);
    if (find_op(name) != NULL)
        return add_table_op(self, instruction, find_op(name));
    return adit_walk_fail(self->making, "operation '%s' is not walked", name);
}
