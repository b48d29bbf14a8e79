/* core/device/vulkan/adit-vulkan-walk-sums.c - SPDX-License-Identifier: MIT */
#include "adit-vulkan-walk-private.h"

#include "adit-pointwise.h"

#include <string.h>

/* The text of the second kernel: what the program computes without rows of the sums over rows, the
 * guarded values, and the program that updates the parameters. */

/* As in walk-sums.glsl. */
#define JOB_WORDS 12
#define JOB_LIVES 10
#define PRODUCT   0
#define SUM       1
#define ELEMENT   2
#define STATE     3
#define TILES     16
/* Workgroups that are too few for a device: then they are smaller. */
#define FEW_GROUPS 512

/* ---- gradients ---- */

/**
 * Job: a gradient, of all instances; or states that are replaced.
 * @sum: (nullable): NULL: its elements are no sums
 * @count: elements of an instance
 */
typedef struct {
    const AditWalkSum *sum;
    gboolean is_state;
    gsize at;
    gsize count;
    gsize instances;
} Job;

static gsize
divide_up(gsize n, gsize by)
{
    return (n + by - 1) / by;
}

/* Of one instance. */
static gsize
count_groups(const AditVulkanWalk *walk, gsize rows, gsize columns)
{
    return divide_up(divide_up(rows, walk->tile_rows) * divide_up(columns, walk->tile_columns),
                     TILES);
}

static gboolean
is_product(const AditWalkSum *sum)
{
    return sum->instruction->n_inputs == 2;
}

/* Large tiles read less, small ones are more. */
static void
choose_tiles(AditWalkMaking *self)
{
    AditVulkanWalk *walk = self->walk;
    gsize groups = 0;

    walk->tile_rows = 2;
    walk->tile_columns = 4;
    for (guint i = 0; i < self->sums->len; i++) {
        const AditWalkSum *sum = &g_array_index(self->sums, AditWalkSum, i);

        groups += count_groups(walk, is_product(sum) ? sum->inputs[0].count : 1,
                               sum->inputs[is_product(sum) ? 1 : 0].count) *
                  adit_walk_nest_count(&sum->nest);
    }
    if (groups < FEW_GROUPS) {
        walk->tile_rows = 1;
        walk->tile_columns = 2;
    }
}

/* The ranges' place among the live numbers, instance for instance. */
static gboolean
add_ranges(AditWalkMaking *self, const Job *job, guint32 *words)
{
    const GArray *ranges = self->needs->ranges;

    for (gsize i = 0; i < job->instances; i++) {
        gsize begin = job->at + i * job->count, end = begin + job->count;

        words[i] = G_MAXUINT32;
        for (guint k = 0; ranges != NULL && k < ranges->len; k++) {
            const AditVulkanWalkRange *range = &g_array_index(ranges, AditVulkanWalkRange, k);

            if (range->begin <= begin && end <= range->end)
                words[i] = range->lives;
            else if (range->begin < end && begin < range->end)
                return adit_walk_fail(self, "a parameter is updated in parts");
        }
    }
    return TRUE;
}

static gboolean
add_job(AditWalkMaking *self, const Job *job)
{
    AditVulkanWalk *walk = self->walk;
    const AditWalkSum *sum = job->sum;
    const AditWalkKept none = {.count = job->count};
    const AditWalkKept *left = sum != NULL ? &sum->inputs[0] : &none;
    const AditWalkKept *right = sum != NULL && is_product(sum) ? &sum->inputs[1] : left;
    gsize rows = sum != NULL && is_product(sum) ? left->count : 1, columns = right->count;
    gsize groups = count_groups(walk, rows, columns);
    guint kind = job->is_state ? STATE : sum == NULL ? ELEMENT : is_product(sum) ? PRODUCT : SUM;
    g_autofree guint32 *lives = g_new(guint32, job->instances);

    if (job->is_state)
        memset(lives, 0xff, job->instances * sizeof *lives);
    else if (!add_ranges(self, job, lives))
        return FALSE;
    guint32 lives_at = self->lives->len;
    g_array_append_vals(self->lives, lives, (guint) job->instances);
    guint32 words[JOB_WORDS] = {walk->n_groups,
                                (guint32) groups,
                                (guint32) rows,
                                (guint32) columns,
                                (guint32) left->at,
                                (guint32) left->step,
                                (guint32) right->at,
                                (guint32) right->step,
                                kind,
                                (guint32) job->at,
                                lives_at,
                                (guint32) job->count};
    memcpy(&g_array_index(walk->sums.words, guint32, walk->jobs + JOB_WORDS * walk->n_jobs), words,
           sizeof words);
    walk->n_groups += (guint32) (groups * job->instances);
    walk->n_jobs++;
    return TRUE;
}

/* What computes one gradient: `float walk_finish_3(uint e, float sum)`. */
static gboolean
add_gradient(AditWalkMaking *self, const AditWalkMaker *maker, GString *text)
{
    const AditInstruction *instruction = maker->instruction;
    const AditOperand *output = &instruction->output;
    gsize instances = adit_walk_nest_count(&maker->nest);
    AditWalkScope scope;
    const char *name;

    if (!adit_walk_nest_is_dense(&maker->nest, output, output->count))
        return adit_walk_fail(self, "a gradient's instances lie apart");
    adit_walk_scope_init(&scope, self, &self->walk->sums, text, 1, output->count * instances);
    scope.is_second = scope.is_gradient = TRUE;
    adit_walk_add_line(text, 0, "float\nwalk_finish_%u(uint e, float sum)\n{", self->walk->n_jobs);
    name = adit_walk_scope_add_made(&scope, maker);
    if (name != NULL)
        adit_walk_add_line(text, 1, "return %s;\n}", name);
    const AditWalkSum *sum = scope.sum;
    adit_walk_scope_clear(&scope);
    if (name == NULL)
        return FALSE;
    if (sum == NULL)
        return adit_walk_fail(self, "a gradient is no sum over rows");
    gsize all = output->count * instances;
    instances = adit_walk_nest_count(&sum->nest);
    Job job = {sum, FALSE, output->offset, all / instances, instances};
    return add_job(self, &job);
}

static AditWalkElement
make_element(AditWalkMaking *self, GString *text, const AditOperand *state)
{
    adit_walk_add_line(text, 0, "float\nwalk_finish_%u(uint e, float sum)\n{", self->walk->n_jobs);
    return (AditWalkElement){.making = self,
                             .kernel = &self->walk->sums,
                             .text = text,
                             .depth = 1,
                             .is_second = TRUE,
                             .state = state};
}

/* A gradient of what the first kernel has joined. */
static gboolean
add_joined_gradient(AditWalkMaking *self, const AditWalkMaker *maker, GString *text)
{
    const AditOperand *output = &maker->instruction->output;
    const Job job = {NULL, FALSE, output->offset, output->count,
                     adit_walk_nest_count(&maker->around)};

    if (!adit_walk_nest_is_dense(&maker->around, output, output->count))
        return adit_walk_fail(self, "a gradient's instances lie apart");
    const AditWalkElement element = make_element(self, text, NULL);
    g_autofree char *number = adit_walk_element_make(&element, maker, "e");
    adit_walk_add_line(text, 1, "return %s;\n}", number);
    return self->reason == NULL && add_job(self, &job);
}

/* What is written last: states, element for element, if the guards hold; or a gradient that is what
 * the first kernel has joined as it is. */
static gboolean
add_commit_job(AditWalkMaking *self, const AditInstruction *commit, GString *text)
{
    const AditOperand *output = &commit->output, *input = &commit->inputs[0];
    gboolean is_state = output->arena == ADIT_ARENA_STATES;
    const Job job = {NULL, is_state, output->offset, output->count, 1};

    if (commit->kind != ADIT_INSTRUCTION_COPY || output->linear ||
        (!is_state && (output->arena != ADIT_ARENA_GRADIENTS ||
                       adit_walk_find_join(self, input->storage) == NULL)))
        return adit_walk_fail(self, "it ends with gradients that a loop adds up");
    const AditWalkElement element = make_element(self, text, is_state ? output : NULL);
    g_autofree char *number = adit_walk_element_read(&element, input, "e");

    adit_walk_add_line(text, 1, "return %s;\n}", number);
    return self->reason == NULL && add_job(self, &job);
}

static gboolean
is_gradient(const AditWalkMaker *maker)
{
    return maker->instruction->output.arena == ADIT_ARENA_GRADIENTS;
}

/* ---- guarded values ---- */

static gboolean
add_guards(AditWalkMaking *self)
{
    const AditProgram *program = self->needs->program;
    GString *text = self->walk->sums.text;
    AditWalkScope scope;
    gboolean added = TRUE;

    adit_walk_scope_init(&scope, self, &self->walk->sums, text, 1, 1);
    scope.is_second = TRUE;
    adit_walk_add_line(text, 0, "bool\nwalk_is_sound()\n{\n    bool sound = true;");
    for (guint i = 0; i < program->outputs->len && added; i++) {
        const AditProgramOutput *output = &g_array_index(program->outputs, AditProgramOutput, i);

        if (output->kind != ADIT_OUTPUT_GUARD)
            continue;
        const char *name = adit_walk_scope_add(&scope, &output->operand);
        added = name != NULL;
        if (added)
            adit_walk_add_line(text, 1, "sound = sound && adit_is_finite(%s);", name);
    }
    adit_walk_add_line(text, 1, "return sound;\n}");
    adit_walk_scope_clear(&scope);
    return added;
}

/* What the penalties are sums of, for the first kernel. */
gboolean
adit_walk_add_terms(AditWalkMaking *self)
{
    AditVulkanWalkText *kernel = self->walk->pieces->pdata[0];
    g_autoptr(GString) last = g_string_new("float\nwalk_term(uint term, uint e)\n{\n");

    self->walk->n_terms = self->terms->len;
    self->walk->terms = kernel->words->len;
    for (guint i = 0; i < self->terms->len; i++)
        adit_walk_add_word(kernel, (guint32) ((const AditOperand *) self->terms->pdata[i])->count);
    for (guint i = 0; i < self->terms->len; i++) {
        const AditOperand *operand = self->terms->pdata[i];
        AditWalkScope scope;

        adit_walk_scope_init(&scope, self, kernel, kernel->text, 1, operand->count);
        adit_walk_add_line(kernel->text, 0, "float\nwalk_term_%u(uint e)\n{", i);
        const char *name = adit_walk_scope_add(&scope, operand);
        if (name != NULL)
            adit_walk_add_line(kernel->text, 1, "return %s;\n}", name);
        adit_walk_scope_clear(&scope);
        if (name == NULL)
            return FALSE;
        adit_walk_add_line(last, 1, "if (term == %uu)\n        return walk_term_%u(e);", i, i);
    }
    adit_walk_add_line(last, 1, "return 0.0;\n}");
    g_string_append(kernel->text, last->str);
    return TRUE;
}

/* ---- the update ---- */

/**
 * Update: the program over elements, one of which the text computes: every value is a number.
 */
typedef struct {
    AditWalkMaking *making;
    const AditProgram *program;
    GHashTable *known; /* storage -> name */
    GString *text;
    guint n_names;
} Update;

static char *
read_arena(Update *self, const AditOperand *operand)
{
    AditVulkanWalkText *kernel = &self->making->walk->sums;

    switch (operand->arena) {
    case ADIT_ARENA_PARAMETERS:
        return g_strdup_printf("PARAMETERS[WORD(%uu) + at]",
                               adit_walk_add_word(kernel, (guint32) operand->offset));
    case ADIT_ARENA_OPTIMIZER:
        return g_strdup_printf("SLOTS[WORD(%uu) + at]",
                               adit_walk_add_word(kernel, (guint32) operand->offset));
    case ADIT_ARENA_GRADIENTS:
        return operand->offset == 0 ? g_strdup("gradient") : NULL;
    default:
        return NULL;
    }
}

static char *
read_number(Update *self, const AditOperand *operand)
{
    const char *known = NULL;

    if (operand->count != 1)
        return NULL;
    if (operand->linear)
        return read_arena(self, operand);
    if (operand->arena == ADIT_ARENA_LIVE)
        return g_strdup_printf("LIVE(lives + %zuu)", operand->offset);
    if (operand->arena == ADIT_ARENA_CONSTANTS)
        return adit_walk_add_number(
            &self->making->walk->sums,
            g_array_index(self->program->constants, double, operand->offset));
    if (operand->storage >= 0)
        known = g_hash_table_lookup(self->known, GINT_TO_POINTER(operand->storage + 1));
    return g_strdup(known);
}

static gboolean
add_update_op(Update *self, const AditInstruction *instruction)
{
    g_auto(GStrv) arguments = g_new0(char *, ADIT_MAX_INPUTS + 1);
    char *name;

    if (instruction->kind != ADIT_INSTRUCTION_OP || instruction->output.storage < 0 ||
        adit_pointwise_find(instruction->op) == NULL)
        return adit_walk_fail(self->making, "the update is more than operations on single numbers");
    for (guint i = 0; i < instruction->n_inputs; i++) {
        arguments[i] = read_number(self, &instruction->inputs[i]);
        if (arguments[i] == NULL)
            return adit_walk_fail(self->making, "the update reads more than the own element");
    }
    name = g_strdup_printf("u%u", self->n_names++);
    adit_walk_add_pointwise(&self->making->walk->sums, self->text, 1, name, instruction, arguments);
    g_hash_table_insert(self->known, GINT_TO_POINTER(instruction->output.storage + 1), name);
    return TRUE;
}

static gboolean
add_commit(Update *self, const AditInstruction *instruction)
{
    g_autofree char *from = NULL, *to = NULL;

    if (instruction->kind == ADIT_INSTRUCTION_COPY && instruction->output.linear) {
        from = read_number(self, &instruction->inputs[0]);
        to = read_arena(self, &instruction->output);
    }
    if (from == NULL || to == NULL || g_str_equal(to, "gradient"))
        return adit_walk_fail(self->making, "the update writes more than the own element");
    adit_walk_add_line(self->text, 1, "%s = %s;", to, from);
    return TRUE;
}

static gboolean
add_update(AditWalkMaking *making)
{
    const AditProgram *program = making->needs->update;
    GString *text = making->walk->sums.text;
    g_autoptr(GHashTable) known = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    Update self = {making, program, known, text, 0};
    gboolean added = TRUE;

    adit_walk_add_line(text, 0, "void\nwalk_update(uint at, float gradient, uint lives)\n{");
    for (guint i = 0; program != NULL && i < program->instructions->len && added; i++)
        added = add_update_op(&self, program->instructions->pdata[i]);
    for (guint i = 0; program != NULL && i < program->commits->len && added; i++)
        added = add_commit(&self, program->commits->pdata[i]);
    adit_walk_add_line(text, 0, "}");
    return added;
}

/* ---- the kernel ---- */

static guint
count_gradients(const AditWalkMaking *self)
{
    const GPtrArray *commits = self->needs->program->commits;
    guint n = 0;

    for (guint i = 0; i < self->list->len; i++)
        n += is_gradient(self->list->pdata[i]);
    for (guint i = 0; i < commits->len; i++)
        n += ((const AditInstruction *) commits->pdata[i])->output.arena == ADIT_ARENA_GRADIENTS;
    return n;
}

static guint
count_jobs(const AditWalkMaking *self)
{
    const GPtrArray *commits = self->needs->program->commits;
    guint n = commits->len;

    for (guint i = 0; i < self->list->len; i++)
        n += is_gradient(self->list->pdata[i]);
    return n;
}

/* Every gradient that is an output is computed by one of these. */
static gboolean
check_outputs(AditWalkMaking *self)
{
    const GArray *outputs = self->needs->program->outputs;
    guint n = 0;

    for (guint i = 0; i < outputs->len; i++) {
        const AditProgramOutput *output = &g_array_index(outputs, AditProgramOutput, i);

        if (output->kind != ADIT_OUTPUT_ARENA)
            continue;
        n += output->arena == ADIT_ARENA_GRADIENTS;
    }
    return n == count_gradients(self) || adit_walk_fail(self, "a gradient is computed in parts");
}

static gboolean
add_jobs(AditWalkMaking *self)
{
    const GPtrArray *commits = self->needs->program->commits;
    GString *text = self->walk->sums.text;

    for (guint i = 0; i < self->list->len; i++) {
        const AditWalkMaker *maker = self->list->pdata[i];

        if (!is_gradient(maker))
            continue;
        if (!(adit_walk_comes_of_sum(self, maker) ? add_gradient(self, maker, text)
                                                  : add_joined_gradient(self, maker, text)))
            return FALSE;
    }
    for (guint i = 0; i < commits->len; i++) {
        if (!add_commit_job(self, commits->pdata[i], text))
            return FALSE;
    }
    return TRUE;
}

gboolean
adit_walk_add_sums(AditWalkMaking *self)
{
    AditVulkanWalkText *kernel = &self->walk->sums;
    g_autoptr(GString) last = g_string_new("float\nwalk_finish(uint job, uint e, float sum)\n{\n");
    guint n = count_jobs(self);

    if (!check_outputs(self))
        return FALSE;
    choose_tiles(self);
    self->walk->jobs = kernel->words->len;
    for (guint i = 0; i < n * JOB_WORDS; i++)
        adit_walk_add_word(kernel, 0);
    if (!add_jobs(self))
        return FALSE;
    for (guint i = 0; i < n; i++)
        adit_walk_add_line(last, 1, "if (job == %uu)\n        return walk_finish_%u(e, sum);", i,
                           i);
    adit_walk_add_line(last, 1, "return 0.0;\n}");
    g_string_append(kernel->text, last->str);
    if (!add_guards(self) || !add_update(self))
        return FALSE;
    for (guint i = 0; i < n; i++)
        g_array_index(kernel->words, guint32, self->walk->jobs + JOB_WORDS * i + JOB_LIVES) +=
            kernel->words->len;
    g_array_append_vals(kernel->words, self->lives->data, self->lives->len);
    return TRUE;
}
