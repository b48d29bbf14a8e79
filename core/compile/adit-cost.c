/* core/compile/adit-cost.c - SPDX-License-Identifier: MIT */
#include "adit-cost.h"

#include "adit-graph-private.h"

#include <string.h>

static void
add_at(GHashTable *costs, const char *address, gsize length, const AditCost *cost)
{
    g_autofree char *key = g_strndup(address, length);
    AditCost *sum = g_hash_table_lookup(costs, key);

    if (sum == NULL) {
        sum = g_new0(AditCost, 1);
        g_hash_table_insert(costs, g_steal_pointer(&key), sum);
    }
    sum->parameters += cost->parameters;
    sum->multiply_adds += cost->multiply_adds;
}

/* To @address and all that it lies in. */
static void
add_cost(GHashTable *costs, const char *address, const AditCost *cost)
{
    gsize length = strlen(address);

    for (gsize i = 1; i <= length; i++) {
        if (address[i] == '.' || address[i] == '\0')
            add_at(costs, address, i, cost);
    }
    add_at(costs, "", 0, cost);
}

/* Of one instance: the axes that a loop put before its shape are not in its count. */
static void
add_parameter(GHashTable *costs, const AditTensor *tensor)
{
    guint n = g_strv_length(tensor->names);
    AditCost cost = {.parameters = adit_shape_count(&tensor->shape) / MAX(n, 1)};

    for (guint i = 0; i < n; i++) {
        const char *dot = strrchr(tensor->names[i], '.');
        g_autofree char *address =
            g_strndup(tensor->names[i], dot != NULL ? (gsize) (dot - tensor->names[i]) : 0);

        add_cost(costs, address, &cost);
    }
}

/* Products of a product with @left on the left: every line of that is multiplied with all columns
 * of the result. */
static guint64
count_multiplied(const AditShape *left, const AditShape *result)
{
    return (guint64) adit_shape_count(left) * result->size[result->rank - 1];
}

/* The same of a convolution with @weight [filters, ..]: each of @count results sums over all
 * weights of a filter. */
static guint64
count_convolved(gsize count, const AditShape *weight)
{
    return (guint64) count * (adit_shape_count(weight) / weight->size[0]);
}

static gboolean
is_product(const char *op)
{
    return g_str_equal(op, "matmul") || g_str_equal(op, "batch-matmul");
}

/* Products of @n products of all tokens with all tokens, over the whole width of them. */
static guint64
count_attended(const AditShape *tokens, guint n)
{
    return (guint64) n * tokens->size[0] * adit_shape_count(tokens);
}

/* Of one row. */
static guint64
count_of_tensor(const AditTensor *tensor)
{
    const AditShape *shape = &tensor->shape;

    if (g_str_equal(tensor->op->name, "attention"))
        return count_attended(shape, 2);
    if (is_product(tensor->op->name))
        return count_multiplied(&tensor->inputs[0]->shape, shape);
    if (g_str_equal(tensor->op->name, "conv2d"))
        return count_convolved(adit_shape_count(shape), &tensor->inputs[1]->shape);
    return 0;
}

static void
add_products(GHashTable *costs, const AditTensor *tensor)
{
    AditCost cost = {.multiply_adds = count_of_tensor(tensor)};

    if (cost.multiply_adds == 0)
        return;

    for (guint i = 0; i < adit_scope_count(tensor->scope); i++) {
        g_autofree char *address = adit_scope_to_string(tensor->scope, i);

        add_cost(costs, address, &cost);
    }
}

static void
add_graph(GHashTable *costs, const AditGraph *graph)
{
    for (guint i = 0; i < graph->tensors->len; i++) {
        const AditTensor *tensor = graph->tensors->pdata[i];

        if (tensor->kind == ADIT_TENSOR_PARAMETER)
            add_parameter(costs, tensor);
        else if (tensor->kind == ADIT_TENSOR_OP && tensor->rows && tensor->scope != NULL)
            add_products(costs, tensor);
    }
    for (guint i = 0; i < graph->loops->len; i++)
        add_graph(costs, ((const AditLoop *) graph->loops->pdata[i])->body);
}

GHashTable *
adit_graph_count_costs(AditGraph *graph)
{
    GHashTable *costs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

    add_graph(costs, graph->root);
    return costs;
}

AditCost
adit_costs_find(GHashTable *costs, const char *address)
{
    const AditCost *cost = g_hash_table_lookup(costs, address);

    return cost != NULL ? *cost : (AditCost){0};
}

/* Numbers of an operand; linear ones are a number a row. */
static guint64
count_numbers(const AditOperand *operand, gsize rows)
{
    return (operand->rows ? rows : 1) * operand->count;
}

/* Those that sum over rows multiply every element of the first input with all columns of the
 * result, too. In convolutions the gradients take as many products as the operation. */
static guint64
count_products(const AditInstruction *instruction, gsize rows)
{
    const AditOperand *left = &instruction->inputs[0], *output = &instruction->output;
    const AditOperand *right = &instruction->inputs[1];

    if (instruction->kind != ADIT_INSTRUCTION_OP)
        return 0;
    if (is_product(instruction->op->name))
        return (output->rows ? rows : 1) * count_multiplied(&left->shape, &output->shape);
    if (g_str_equal(instruction->op->name, "attention"))
        return rows * count_attended(&left->shape, 2);
    if (g_str_equal(instruction->op->name, "attention-gradient"))
        return rows * count_attended(&left->shape, 5);
    if (g_str_equal(instruction->op->name, "conv2d"))
        return count_convolved(count_numbers(output, rows), &right->shape);
    if (g_str_equal(instruction->op->name, "conv2d-back"))
        return count_convolved(count_numbers(left, rows), &right->shape);
    if (g_str_equal(instruction->op->name, "conv2d-rows"))
        return count_convolved(count_numbers(right, rows), &output->shape);
    if (g_str_equal(instruction->op->name, "matmul-rows") ||
        g_str_equal(instruction->op->name, "matmul-outer"))
        return count_numbers(left, rows) * output->shape.size[1];
    return 0;
}

static void
add_work(const GPtrArray *instructions, gsize rows, guint64 times, AditWork *work)
{
    for (guint i = 0; i < instructions->len; i++) {
        const AditInstruction *instruction = instructions->pdata[i];
        guint64 numbers = count_numbers(&instruction->output, rows);

        if (instruction->kind == ADIT_INSTRUCTION_LOOP) {
            add_work(instruction->body, rows, times * instruction->n, work);
            continue;
        }
        /* what eight slices leave is joined to one result */
        if (instruction->kind == ADIT_INSTRUCTION_COMBINE)
            numbers += (ADIT_SLICES - 1) * instruction->partial;
        else if (instruction->partial > 0)
            numbers = ADIT_SLICES * instruction->partial;
        if (instruction->kind == ADIT_INSTRUCTION_GATHER)
            numbers *= 2;
        for (guint j = 0; j < instruction->n_inputs; j++)
            numbers += count_numbers(&instruction->inputs[j], rows);
        work->bytes += times * numbers * sizeof(float);
        work->multiply_adds += times * count_products(instruction, rows);
    }
}

void
adit_program_add_work(const AditProgram *program, gsize rows, AditWork *work)
{
    add_work(program->instructions, rows, 1, work);
    add_work(program->commits, rows, 1, work);
}
