/* core/device/cpu/adit-cpu-fuse.c - SPDX-License-Identifier: MIT */
#include "adit-cpu-private.h"

#include "adit-attributes.h"

#include <string.h>

/* Kernels that do the work of several instructions: the same bits as each by itself, and what lies
 * between them stays in registers. The plan lets neighbours that are one kernel share no memory. */

typedef struct {
    const AditExecutable *executable;
    const GPtrArray *instructions;
    const GArray *readers; /* guint, by storage */
    AditCpuFusion *fusion;
} Fuser;

static const AditInstruction *
get_instruction(const Fuser *self, guint i)
{
    return i < self->instructions->len ? self->instructions->pdata[i] : NULL;
}

static gboolean
is_op(const AditInstruction *instruction, const char *name)
{
    return instruction != NULL && instruction->kind == ADIT_INSTRUCTION_OP &&
           instruction->domain == ADIT_DOMAIN_SLICES && strcmp(instruction->op->name, name) == 0;
}

static gboolean
is_same(const AditOperand *a, const AditOperand *b)
{
    return a->arena == b->arena && a->storage == b->storage && a->offset == b->offset &&
           a->count == b->count && memcmp(a->strides, b->strides, sizeof a->strides) == 0;
}

static guint
count_readers(const Fuser *self, const AditOperand *operand)
{
    return operand->storage >= 0 ? g_array_index(self->readers, guint, operand->storage)
                                 : G_MAXUINT;
}

/* Whether @operand is like @result: for every row, or the same for all of them. */
static gboolean
fits(const AditOperand *operand, const AditOperand *result)
{
    return operand->count == result->count &&
           (operand->rows || !result->rows || operand->count > 1);
}

static void
take(Fuser *self, guint i)
{
    self->fusion->instructions[self->fusion->n++] = i;
}

static void
add_input(Fuser *self, const AditOperand *operand)
{
    self->fusion->inputs[self->fusion->n_inputs++] = operand;
}

static void
add_result(Fuser *self, const AditInstruction *instruction)
{
    AditCpuFusion *fusion = self->fusion;

    fusion->partials[fusion->n_results] = instruction->partial;
    fusion->results[fusion->n_results++] = &instruction->output;
}

/* The other input of the sum @add, one of whose inputs is @operand; NULL: it is no such sum. */
static const AditOperand *
find_other(const AditInstruction *add, const AditOperand *operand)
{
    if (!is_op(add, "add") || add->output.count != operand->count || !add->output.rows)
        return NULL;
    for (guint i = 0; i < 2; i++) {
        const AditOperand *other = &add->inputs[1 - i];

        if (is_same(&add->inputs[i], operand) && !is_same(other, operand) &&
            fits(other, &add->output))
            return other;
    }
    return NULL;
}

/* Whether the instructions taken so far can be kernel @name: all are thin, which it must take, or
 * none is. */
static gboolean
find_kernel(Fuser *self, const char *name)
{
    AditCpuFusion *fusion = self->fusion;
    guint n_thin = 0, n_touching = 0;

    for (guint i = 0; i < fusion->n; i++) {
        const AditInstruction *instruction = get_instruction(self, fusion->instructions[i]);

        n_thin += adit_cpu_is_thin(self->executable, instruction);
        n_touching += adit_cpu_touches_thin(self->executable, instruction);
    }
    fusion->is_thin = n_thin > 0;
    fusion->kernel = adit_kernel_find(name, self->executable->isa, self->executable->numbers.f64);
    return fusion->kernel != NULL && n_thin == n_touching &&
           (n_thin == 0 || (n_thin == fusion->n && adit_kernel_takes_pitch(name)));
}

/* Takes what lies ahead as one more instruction: the sum of what the last one gives, @operand, and
 * of another value with rows. If nothing else reads the former, and there is a kernel @name; else
 * all stays as it is. */
static gboolean
take_sum(Fuser *self, guint i, const AditOperand *operand, const char *name)
{
    const AditInstruction *sum = get_instruction(self, i);
    const AditOperand *other = sum != NULL ? find_other(sum, operand) : NULL;

    if (other == NULL || !other->rows || count_readers(self, operand) != 1)
        return FALSE;
    take(self, i);
    if (!find_kernel(self, name)) {
        self->fusion->n--;
        return FALSE;
    }
    add_input(self, other);
    add_result(self, sum);
    return TRUE;
}

/* A layer: product, bias, rectifier, and the sum of all layers' outputs. */
static gboolean
match_layer(Fuser *self, guint first)
{
    const AditInstruction *product = get_instruction(self, first);
    const AditInstruction *sum = get_instruction(self, first + 1);
    const AditInstruction *relu = get_instruction(self, first + 2);
    const AditInstruction *total = get_instruction(self, first + 3);
    const AditOperand *bias, *collect;

    if (!is_op(product, "matmul") || count_readers(self, &product->output) != 1 ||
        (bias = find_other(sum, &product->output)) == NULL)
        return FALSE;
    take(self, first);
    take(self, first + 1);
    add_input(self, &product->inputs[0]);
    add_input(self, &product->inputs[1]);
    add_input(self, bias);
    if (!is_op(relu, "relu") || !is_same(&relu->inputs[0], &sum->output) ||
        count_readers(self, &sum->output) != 1) {
        if (take_sum(self, first + 2, &sum->output, "matmul-add-add"))
            return TRUE;
        add_result(self, sum);
        return find_kernel(self, "matmul-add");
    }
    take(self, first + 2);
    add_result(self, relu);
    collect = total != NULL ? find_other(total, &relu->output) : NULL;
    if (collect == NULL || !collect->rows)
        return find_kernel(self, "matmul-add-relu");
    take(self, first + 3);
    if (!find_kernel(self, "matmul-add-relu-add")) {
        self->fusion->n--;
        return find_kernel(self, "matmul-add-relu");
    }
    add_input(self, collect);
    add_result(self, total);
    return TRUE;
}

/* Number of the instruction @name behind @first, one of whose inputs is @operand; 0: there is none.
 */
static guint
find_later(const Fuser *self, guint first, const char *name, guint input,
           const AditOperand *operand)
{
    for (guint i = first + 1; i < self->instructions->len; i++) {
        const AditInstruction *instruction = get_instruction(self, i);

        if (instruction->body != NULL)
            return 0;
        if (is_op(instruction, name) && is_same(&instruction->inputs[input], operand))
            return i;
    }
    return 0;
}

/* The same, before anything overwrites what it reads. */
static guint
find_reader(const Fuser *self, guint first, const char *name, guint input,
            const AditOperand *operand)
{
    guint found = find_later(self, first, name, input, operand);

    for (guint i = first + 1; i < found; i++) {
        const AditInstruction *between = get_instruction(self, i);

        if (between->output.storage >= 0 &&
            between->output.storage == get_instruction(self, found)->inputs[0].storage)
            return 0;
    }
    return found;
}

/* The product that makes of @delta, which must have no readers but those of the layer itself, the
 * gradient of a thin layer's input; 0: there is none. Wide layers are better off without: their
 * weights do not stay in registers. */
static guint
find_product(const Fuser *self, guint first, const AditOperand *delta)
{
    guint i = find_reader(self, first, "matmul", 0, delta);
    const AditInstruction *product = get_instruction(self, i);
    const AditMatmulAttributes *attributes = product->attributes;

    return i > 0 && count_readers(self, delta) == 3 && attributes->transpose_b &&
                   !product->inputs[1].rows && adit_cpu_is_thin(self->executable, product)
               ? i
               : 0;
}

/* Whether all from the one after @first to before @last are taken, so that @last may come first. */
static gboolean
follows(const Fuser *self, guint first, guint last)
{
    const AditCpuFusion *fusion = self->fusion;
    guint n = 0;

    for (guint i = 0; i < fusion->n; i++)
        n += fusion->instructions[i] > first && fusion->instructions[i] < last;
    return n == last - first - 1;
}

/* A layer backwards: what the rectifier lets through of the gradient, to which that of the sum of
 * all layers may have to be added, and from it the gradients of weights and bias, and of the input.
 */
static gboolean
match_backward(Fuser *self, guint first)
{
    const AditInstruction *sum = get_instruction(self, first);
    guint i = is_op(sum, "add") ? first + 1 : first;
    const AditInstruction *gate = get_instruction(self, i);

    if (!is_op(gate, "relu-gradient") || !gate->inputs[1].rows ||
        gate->inputs[1].count != gate->output.count ||
        (i > first &&
         (count_readers(self, &sum->output) != 1 || !sum->inputs[0].rows ||
          !fits(&sum->inputs[0], &gate->output) || !sum->inputs[1].rows ||
          !fits(&sum->inputs[1], &gate->output) || !is_same(&sum->output, &gate->inputs[1]))))
        return FALSE;
    guint weights = find_reader(self, i, "matmul-rows", 1, &gate->output);
    guint bias = find_reader(self, i, "rows-sum", 0, &gate->output);

    if (weights == 0 || bias == 0)
        return FALSE;
    const AditInstruction *product = get_instruction(self, weights);

    if (!product->inputs[0].rows ||
        product->inputs[0].count * gate->output.count != product->output.count)
        return FALSE;
    for (guint j = first; j <= i; j++)
        take(self, j);
    take(self, weights);
    take(self, bias);
    guint back = find_product(self, i, &gate->output);
    const AditInstruction *last = gate;

    if (back > 0 && follows(self, first, back)) {
        take(self, back);
        last = get_instruction(self, back);
    }
    if (!find_kernel(self, last == gate ? "relu-backward" : "relu-backward-matmul"))
        return FALSE;
    add_input(self, &gate->inputs[0]);
    add_input(self, &product->inputs[0]);
    if (last != gate)
        add_input(self, &last->inputs[1]);
    add_input(self, i > first ? &sum->inputs[0] : &gate->inputs[1]);
    if (i > first)
        add_input(self, &sum->inputs[1]);
    add_result(self, last);
    add_result(self, product);
    add_result(self, get_instruction(self, bias));
    return TRUE;
}

/* Whether there is a normalisation and its rectifier, with nothing in between. */
static gboolean
is_normalized(const Fuser *self, guint first)
{
    const AditInstruction *map = get_instruction(self, first);
    const AditInstruction *relu = get_instruction(self, first + 1);

    return is_op(map, "normalize") && map->output.count > 1 && is_op(relu, "relu") &&
           is_same(&relu->inputs[0], &map->output) && count_readers(self, &map->output) == 1;
}

/* A normalisation and its rectifier. */
static gboolean
match_normalize(Fuser *self, guint first)
{
    const AditInstruction *map = get_instruction(self, first);

    if (!is_normalized(self, first))
        return FALSE;
    take(self, first);
    take(self, first + 1);
    for (guint i = 0; i < map->n_inputs; i++)
        add_input(self, &map->inputs[i]);
    add_result(self, get_instruction(self, first + 1));
    return find_kernel(self, "normalize-relu");
}

/* These and the layer behind them, to which another value may have to be added. */
static gboolean
match_normalized_layer(Fuser *self, guint first)
{
    const AditInstruction *product = get_instruction(self, first + 2);
    const AditInstruction *sum = get_instruction(self, first + 3);
    const AditOperand *bias;

    if (!match_normalize(self, first) || !is_op(product, "matmul") || sum == NULL ||
        ((const AditMatmulAttributes *) product->attributes)->transpose_b ||
        !is_same(&product->inputs[0], self->fusion->results[0]) || product->inputs[1].rows ||
        count_readers(self, &product->inputs[0]) != 1 || product->output.shape.rank != 1 ||
        count_readers(self, &product->output) != 1 ||
        (bias = find_other(sum, &product->output)) == NULL || bias->rows ||
        bias->count != product->output.count)
        return FALSE;
    take(self, first + 2);
    take(self, first + 3);
    add_input(self, &product->inputs[1]);
    add_input(self, bias);
    self->fusion->n_results = 0;
    if (!take_sum(self, first + 4, &sum->output, "normalize-relu-matmul-add"))
        add_result(self, sum);
    add_result(self, get_instruction(self, first + 1));
    return find_kernel(self, "normalize-relu-matmul-add");
}

/* The part of a gradient that goes by way of the moments, and the rest. */
static gboolean
match_moments_gradient(Fuser *self, guint first)
{
    const AditInstruction *map = get_instruction(self, first);

    if (!is_op(map, "moments-gradient") || map->output.count == 1)
        return FALSE;
    take(self, first);
    for (guint i = 0; i < map->n_inputs; i++)
        add_input(self, &map->inputs[i]);
    return take_sum(self, first + 1, &map->output, "moments-gradient-add");
}

/* Whether, from @first on, there is the way back through a rectifier and a normalisation, the only
 * readers of what the rectifier lets through. */
static gboolean
is_normalized_back(const Fuser *self, guint first)
{
    const AditInstruction *gate = get_instruction(self, first);
    const AditInstruction *sums = get_instruction(self, first + 1);
    const AditInstruction *map = get_instruction(self, first + 2);

    if (!is_op(gate, "relu-gradient") || !is_op(sums, "normalize-sums") ||
        !is_op(map, "normalize-gradient") || map->output.count == 1 ||
        count_readers(self, &gate->output) != 2 || !is_same(&sums->inputs[1], &gate->output) ||
        !is_same(&map->inputs[0], &gate->output) || !is_same(&sums->inputs[2], &map->inputs[1]))
        return FALSE;
    for (guint i = 0; i < 2; i++) {
        if (!gate->inputs[i].rows || gate->inputs[i].count != gate->output.count)
            return FALSE;
    }
    return TRUE;
}

/* Takes it, as the end of kernel @name; to the gradient by what was normalised another may have to
 * be added. */
static gboolean
take_normalized_back(Fuser *self, guint first, const char *name)
{
    const AditInstruction *sums = get_instruction(self, first + 1);
    const AditInstruction *map = get_instruction(self, first + 2);

    add_input(self, &sums->inputs[0]);
    add_input(self, &sums->inputs[2]);
    add_input(self, &map->inputs[2]);
    for (guint i = first; i < first + 3; i++)
        take(self, i);
    if (!take_sum(self, first + 3, &map->output, name))
        add_result(self, map);
    add_result(self, sums);
    self->fusion->attributes = sums->attributes;
    return find_kernel(self, name);
}

static gboolean
match_normalize_backward(Fuser *self, guint first)
{
    const AditInstruction *gate = get_instruction(self, first);

    if (!is_normalized_back(self, first))
        return FALSE;
    add_input(self, &gate->inputs[0]);
    add_input(self, &gate->inputs[1]);
    return take_normalized_back(self, first, "normalize-backward");
}

/* The same of what comes back through a layer, whose weights' gradient may stand in between. The
 * plan keeps what the layer's product reads until all is done. */
static gboolean
match_normalized_layer_backward(Fuser *self, guint first)
{
    const AditInstruction *product = get_instruction(self, first);
    const AditInstruction *between = get_instruction(self, first + 1);
    guint gate = first + (is_op(between, "matmul-rows") ? 2 : 1);

    if (!is_op(product, "matmul") || !adit_cpu_is_transposed(self->executable, product) ||
        product->output.shape.rank != 1 || count_readers(self, &product->output) != 1 ||
        !is_normalized_back(self, gate) ||
        !is_same(&get_instruction(self, gate)->inputs[1], &product->output))
        return FALSE;
    take(self, first);
    add_input(self, &get_instruction(self, gate)->inputs[0]);
    add_input(self, &product->inputs[0]);
    add_input(self, &product->inputs[1]);
    self->fusion->transposed = &product->inputs[1];
    self->fusion->place = gate;
    return take_normalized_back(self, gate, "matmul-normalize-backward");
}

/* The gradients of weights and bias, of the same gradient of their layer: where that of the weights
 * stands, which reads what the other does. */
static gboolean
match_weights(Fuser *self, guint first)
{
    const AditInstruction *start = get_instruction(self, first);
    gboolean sums = is_op(start, "rows-sum");

    if (!sums && !is_op(start, "matmul-rows"))
        return FALSE;
    const AditOperand *delta = &start->inputs[sums ? 0 : 1];
    guint other = find_later(self, first, sums ? "matmul-rows" : "rows-sum", sums ? 1 : 0, delta);
    const AditInstruction *product = get_instruction(self, sums ? other : first);
    const AditInstruction *sum = get_instruction(self, sums ? first : other);

    if (other == 0 || !delta->rows || !product->inputs[0].rows ||
        product->inputs[0].count * delta->count != product->output.count)
        return FALSE;
    take(self, first);
    take(self, other);
    self->fusion->place = sums ? other : first;
    add_input(self, &product->inputs[0]);
    add_input(self, delta);
    add_result(self, product);
    add_result(self, sum);
    return find_kernel(self, "matmul-rows-sum");
}

/* Whether something between two instructions reads @operand. */
static gboolean
is_read(const Fuser *self, guint first, guint last, const AditOperand *operand)
{
    for (guint i = first + 1; i < last; i++) {
        const AditInstruction *between = get_instruction(self, i);

        for (guint j = 0; j < between->n_inputs; j++) {
            if (between->inputs[j].storage == operand->storage)
                return TRUE;
        }
    }
    return FALSE;
}

/* Takes the normalisation @map, its rectifier, the gradient @weights of what is fed with it and
 * @bias. They run where that of the weights stands: so nothing may read what is rectified before,
 * and something has to keep what is normalised until then. */
static gboolean
take_normalized_weights(Fuser *self, guint map, guint weights, guint bias)
{
    const AditInstruction *normalize = get_instruction(self, map);
    const AditInstruction *relu = get_instruction(self, map + 1);
    const AditInstruction *product = get_instruction(self, weights);
    const AditOperand *delta = &product->inputs[1];

    if (!delta->rows || normalize->output.shape.rank != 1 || delta->shape.rank != 1 ||
        relu->output.count * delta->count != product->output.count ||
        is_read(self, map + 1, weights, &relu->output) ||
        find_later(self, weights, "normalize-sums", 0, &normalize->inputs[0]) == 0)
        return FALSE;
    take(self, map);
    take(self, map + 1);
    take(self, weights);
    take(self, bias);
    for (guint i = 0; i < normalize->n_inputs; i++)
        add_input(self, &normalize->inputs[i]);
    add_input(self, delta);
    add_result(self, relu);
    add_result(self, product);
    add_result(self, get_instruction(self, bias));
    self->fusion->attributes = normalize->attributes;
    self->fusion->place = weights;
    return find_kernel(self, "normalize-relu-matmul-rows-sum");
}

/* What a layer was fed, computed again on the way back, and the gradients of its weights and bias.
 * The sum for the bias may stand before or behind. */
static gboolean
match_normalized_weights(Fuser *self, guint first)
{
    const AditInstruction *start = get_instruction(self, first);
    guint weights = 0, bias = 0, map = first;

    if (is_normalized(self, first)) {
        const AditOperand *lines = &get_instruction(self, first + 1)->output;

        weights = find_later(self, first, "matmul-rows", 0, lines);
        if (weights > 0)
            bias =
                find_later(self, first, "rows-sum", 0, &get_instruction(self, weights)->inputs[1]);
        return bias > 0 && take_normalized_weights(self, map, weights, bias);
    }
    if (!is_op(start, "rows-sum"))
        return FALSE;
    weights = find_later(self, first, "matmul-rows", 1, &start->inputs[0]);
    for (map = first + 1; map + 1 < weights; map++) {
        if (is_normalized(self, map) && is_same(&get_instruction(self, map + 1)->output,
                                                &get_instruction(self, weights)->inputs[0]))
            return take_normalized_weights(self, map, weights, first);
    }
    return FALSE;
}

/* ---- extrema ---- */

/* Whether extrema are of lines of channels, whose numbers are neighbours, and over rows of the same
 * numbers as they lie. */
static gboolean
are_of_lines(const AditInstruction *lines, const AditOperand *line, const AditInstruction *units)
{
    const AditExtremaAttributes *axes = lines->attributes, *rows = units->attributes;
    gsize points = line->count / 4;

    return !axes->joins && !rows->joins && axes->inner == 1 &&
           rows->inner == (points > 1 ? axes->size : 1);
}

/* A rectifier, extrema of what it is given, and the deficits of lines. They run where the last of
 * them stands, before which nothing may read what comes of the others. */
static gboolean
match_extrema(Fuser *self, guint first)
{
    const AditInstruction *relu = get_instruction(self, first);

    if (!is_op(relu, "relu"))
        return FALSE;
    guint rows = find_later(self, first, "rows-extrema", 0, &relu->inputs[0]);
    guint axes = find_later(self, first, "extrema", 0, &relu->inputs[0]);

    if (rows == 0 || axes == 0)
        return FALSE;
    const AditInstruction *units = get_instruction(self, rows),
                          *lines = get_instruction(self, axes);
    guint last = find_later(self, axes, "rows-deficits", 0, &lines->output);
    const AditInstruction *deficits = get_instruction(self, last);

    if (last != axes + 1 || last < rows || relu->output.count == 1 ||
        !are_of_lines(lines, &lines->output, units) || is_read(self, first, last, &relu->output))
        return FALSE;
    take(self, first);
    take(self, rows);
    take(self, axes);
    take(self, last);
    add_input(self, &relu->inputs[0]);
    add_result(self, relu);
    add_result(self, units);
    add_result(self, lines);
    add_result(self, deficits);
    self->fusion->attributes = deficits->attributes;
    self->fusion->place = last;
    return find_kernel(self, "relu-extrema");
}

/* Whether the result lies apart from all inputs, some of which may be done with before its place is
 * written: the kernel reads them while it writes. */
static gboolean
lies_apart(const Fuser *self)
{
    const GArray *storages = self->executable->program->storages;
    const AditOperand *result = self->fusion->results[0];
    const AditStorage *to = &g_array_index(storages, AditStorage, MAX(result->storage, 0));

    for (guint i = 0; i < self->fusion->n_inputs && result->storage >= 0; i++) {
        const AditOperand *input = self->fusion->inputs[i];

        if (input->storage < 0 || input->arena != result->arena)
            continue;
        const AditStorage *from = &g_array_index(storages, AditStorage, input->storage);

        if (from->offset < to->offset + to->size && to->offset < from->offset + from->size)
            return FALSE;
    }
    return TRUE;
}

/* The way back through them: gradients of deficits, of lines' extrema and of those over rows, their
 * sum, what the rectifier lets through, and the sum of that and the others. */
static gboolean
match_extrema_backward(Fuser *self, guint first)
{
    static const char *const names[] = {"rows-deficits-gradient", "extrema-gradient",
                                        "rows-extrema-gradient",  "add",
                                        "relu-gradient",          "add"};
    const AditInstruction *each[G_N_ELEMENTS(names)];

    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        each[i] = get_instruction(self, first + i);
        if (!is_op(each[i], names[i]) ||
            (i + 1 < G_N_ELEMENTS(names) && count_readers(self, &each[i]->output) != 1))
            return FALSE;
    }
    const AditInstruction *gate = each[4];

    if (!is_same(&each[0]->inputs[0], &each[1]->inputs[0]) ||
        !is_same(&each[1]->inputs[1], &each[0]->output) ||
        !is_same(&each[3]->inputs[0], &each[1]->output) ||
        !is_same(&each[3]->inputs[1], &each[2]->output) ||
        !is_same(&each[5]->inputs[0], &each[3]->output) ||
        !is_same(&each[5]->inputs[1], &gate->output) || gate->output.count == 1 ||
        !are_of_lines(each[1], &each[1]->inputs[0], each[2]))
        return FALSE;
    for (guint i = 0; i < 2; i++) {
        if (!gate->inputs[i].rows || gate->inputs[i].count != gate->output.count)
            return FALSE;
        add_input(self, &gate->inputs[i]);
    }
    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        take(self, first + i);
    for (guint i = 0; i < 2; i++)
        add_input(self, &each[0]->inputs[i]);
    for (guint i = 0; i < 2; i++)
        add_input(self, &each[2]->inputs[i]);
    add_result(self, each[5]);
    self->fusion->place = first + 5;
    return lies_apart(self) && find_kernel(self, "relu-gradient-extrema");
}

/* The same of extrema along axes alone: their gradient, what the rectifier lets through, and the
 * sum of both. */
static gboolean
match_axes_backward(Fuser *self, guint first)
{
    const AditInstruction *extrema = get_instruction(self, first);
    const AditInstruction *gate = get_instruction(self, first + 1);
    const AditInstruction *sum = get_instruction(self, first + 2);

    if (!is_op(extrema, "extrema-gradient") || !is_op(gate, "relu-gradient") ||
        !is_op(sum, "add") || ((const AditExtremaAttributes *) extrema->attributes)->joins ||
        count_readers(self, &extrema->output) != 1 || count_readers(self, &gate->output) != 1 ||
        !is_same(&sum->inputs[0], &extrema->output) || !is_same(&sum->inputs[1], &gate->output) ||
        gate->output.count == 1)
        return FALSE;
    for (guint i = 0; i < 2; i++) {
        if (!gate->inputs[i].rows || gate->inputs[i].count != gate->output.count ||
            !extrema->inputs[i].rows)
            return FALSE;
        add_input(self, &gate->inputs[i]);
    }
    for (guint i = 0; i < 2; i++)
        add_input(self, &extrema->inputs[i]);
    for (guint i = 0; i < 3; i++)
        take(self, first + i);
    add_result(self, sum);
    self->fusion->attributes = extrema->attributes;
    self->fusion->place = first + 2;
    return lies_apart(self) && find_kernel(self, "relu-gradient-extrema");
}

gboolean
adit_cpu_fuse(const AditExecutable *self, const GPtrArray *instructions, guint first,
              const GArray *readers, AditCpuFusion *fusion)
{
    static gboolean (*const matches[])(Fuser * self,
                                       guint first) = {match_layer,
                                                       match_backward,
                                                       match_normalized_weights,
                                                       match_normalized_layer,
                                                       match_normalize,
                                                       match_moments_gradient,
                                                       match_normalize_backward,
                                                       match_normalized_layer_backward,
                                                       match_weights,
                                                       match_extrema,
                                                       match_extrema_backward,
                                                       match_axes_backward};
    Fuser fuser = {self, instructions, readers, fusion};

    for (guint i = 0; self->fuses && i < G_N_ELEMENTS(matches); i++) {
        *fusion = (AditCpuFusion){.attributes = get_instruction(&fuser, first)->attributes,
                                  .place = first};
        if (matches[i](&fuser, first))
            return TRUE;
    }
    return FALSE;
}
