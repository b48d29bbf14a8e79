/* core/device/vulkan/adit-vulkan-fuse.c - SPDX-License-Identifier: MIT */
#include "adit-vulkan-fuse.h"

#include "adit-pointwise.h"

#include <string.h>

/* ---- who reads what ---- */

static void
count_reader(GHashTable *readers, const AditOperand *operand, int n)
{
    gpointer key = GINT_TO_POINTER(operand->storage);
    int before = GPOINTER_TO_INT(g_hash_table_lookup(readers, key));

    if (operand->storage >= 0 && before >= 0)
        g_hash_table_insert(readers, key, GINT_TO_POINTER(n < 0 ? n : before + n));
}

static void
count_list(GHashTable *readers, const GPtrArray *instructions)
{
    for (guint i = 0; i < instructions->len; i++) {
        const AditInstruction *instruction = instructions->pdata[i];

        for (guint j = 0; j < instruction->n_inputs; j++)
            count_reader(readers, &instruction->inputs[j], 1);
        if (instruction->body != NULL)
            count_list(readers, instruction->body);
    }
}

GHashTable *
adit_vulkan_count_readers(const AditProgram *program)
{
    GHashTable *readers = g_hash_table_new(g_direct_hash, g_direct_equal);

    count_list(readers, program->instructions);
    count_list(readers, program->commits);
    for (guint i = 0; i < program->outputs->len; i++) {
        const AditProgramOutput *output = &g_array_index(program->outputs, AditProgramOutput, i);

        if (output->kind != ADIT_OUTPUT_ARENA)
            count_reader(readers, &output->operand, -1);
    }
    return readers;
}

/* ---- what can be one kernel ---- */

typedef struct {
    AditVulkanFusion *fusion;
    const AditProgram *program;
    const AditVulkanPlaces *places;
    GHashTable *readers;
    const guint *index;
    gboolean is_product;
} Fuser;

static gboolean
is_product(const AditInstruction *instruction)
{
    return strcmp(instruction->op->name, "matmul") == 0;
}

static gsize
last_size(const AditOperand *operand)
{
    return operand->shape.size[operand->shape.rank - 1];
}

static gboolean
is_pointwise(const AditInstruction *instruction)
{
    return instruction->kind == ADIT_INSTRUCTION_OP && instruction->partial == 0 &&
           instruction->names == NULL && adit_pointwise_find(instruction->op) != NULL;
}

static gboolean
is_same(const AditOperand *a, const AditOperand *b)
{
    return a->arena == b->arena && a->storage == b->storage && a->offset == b->offset &&
           a->rows == b->rows && a->linear == b->linear &&
           memcmp(a->strides, b->strides, sizeof a->strides) == 0 &&
           adit_shape_equal(&a->shape, &b->shape);
}

/* Number of the instruction whose result @operand is; -1: it comes from outside. */
static int
find_value(const Fuser *self, const AditOperand *operand)
{
    for (guint i = 0; i < self->fusion->n; i++) {
        if (is_same(operand, &self->fusion->instructions[i]->output))
            return (int) i;
    }
    return -1;
}

static gboolean
overlaps(const Fuser *self, const AditOperand *a, const AditOperand *b)
{
    gsize rows = self->places->rows;
    gsize begin = adit_vulkan_find_operand(self->program, self->places, a, self->index);
    gsize other = adit_vulkan_find_operand(self->program, self->places, b, self->index);

    return a->arena == b->arena && begin < other + (b->rows ? rows : 1) * b->count &&
           other < begin + (a->rows ? rows : 1) * a->count;
}

/* Whether @operand shares memory with what the kernel writes. */
static gboolean
is_overwritten(const Fuser *self, const AditOperand *operand)
{
    for (guint i = 0; i < self->fusion->n; i++) {
        if (overlaps(self, operand, &self->fusion->instructions[i]->output))
            return TRUE;
    }
    return FALSE;
}

/* Whether @output shares memory with what the kernel reads. */
static gboolean
is_read(const Fuser *self, const AditOperand *output)
{
    for (guint i = 0; i < self->fusion->n_reads; i++) {
        if (overlaps(self, output, self->fusion->reads[i]))
            return TRUE;
    }
    return FALSE;
}

static int
find_read(const Fuser *self, const AditOperand *operand)
{
    for (guint i = self->is_product ? 2 : 0; i < self->fusion->n_reads; i++) {
        if (is_same(operand, self->fusion->reads[i]))
            return (int) i;
    }
    return -1;
}

/* A result that only the kernel itself reads is not written at all. */
static gboolean
is_inner(const Fuser *self, guint number)
{
    const AditOperand *output = &self->fusion->instructions[number]->output;
    int uses = 0;

    if (output->storage < 0 || number + 1 == self->fusion->n)
        return FALSE;
    for (guint i = number + 1; i < self->fusion->n; i++) {
        for (guint j = 0; j < self->fusion->instructions[i]->n_inputs; j++)
            uses += find_value(self, &self->fusion->instructions[i]->inputs[j]) == (int) number;
    }
    return uses ==
           GPOINTER_TO_INT(g_hash_table_lookup(self->readers, GINT_TO_POINTER(output->storage)));
}

static guint
count_writes(const Fuser *self)
{
    guint n = 0;

    for (guint i = 0; i < self->fusion->n; i++)
        n += !is_inner(self, i);
    return n;
}

/* Adds what @instruction reads from outside; FALSE: there is no room, or it is overwritten. */
static gboolean
add_reads(Fuser *self, const AditInstruction *instruction)
{
    AditVulkanFusion *fusion = self->fusion;

    for (guint i = 0; i < instruction->n_inputs; i++) {
        const AditOperand *input = &instruction->inputs[i];

        if (find_value(self, input) >= 0 || find_read(self, input) >= 0)
            continue;
        if (fusion->n_reads == ADIT_VULKAN_INPUTS || is_overwritten(self, input))
            return FALSE;
        fusion->reads[fusion->n_reads++] = input;
    }
    return TRUE;
}

static gboolean
add_instruction(Fuser *self, const AditInstruction *instruction)
{
    AditVulkanFusion *fusion = self->fusion;
    const AditInstruction *head = fusion->instructions[0];
    guint n_reads = fusion->n_reads;

    if (fusion->n == ADIT_VULKAN_MAX_FUSED || !is_pointwise(instruction) ||
        instruction->domain != head->domain || instruction->output.rows != head->output.rows ||
        !adit_shape_equal(&instruction->output.shape, &head->output.shape))
        return FALSE;
    if (add_reads(self, instruction) && !is_overwritten(self, &instruction->output) &&
        !is_read(self, &instruction->output)) {
        fusion->instructions[fusion->n++] = instruction;
        if (fusion->n_reads + count_writes(self) - 1 <= ADIT_VULKAN_INPUTS)
            return TRUE;
        fusion->n--;
    }
    fusion->n_reads = n_reads;
    return FALSE;
}

/* ---- its text ---- */

static void
add_argument(const Fuser *self, GString *text, const AditInstruction *instruction, guint input)
{
    const AditOperand *operand = &instruction->inputs[input];
    int value = find_value(self, operand);
    int read = find_read(self, operand);

    if (value >= 0)
        g_string_append_printf(text, "t%d", value);
    else if (operand->rows == instruction->output.rows &&
             adit_shape_equal(&operand->shape, &instruction->output.shape))
        g_string_append_printf(text, "IN%d(e)", read);
    else
        g_string_append_printf(text, "IN%d(adit_broadcast(%du, e))", read, read + 1);
}

/* The operation's expression over a, b, c and p, as the table has it. */
static void
add_value(const Fuser *self, GString *text, guint number)
{
    static const char *const names[] = {"a", "b", "c"};
    const AditInstruction *instruction = self->fusion->instructions[number];
    const AditPointwise *row = adit_pointwise_find(instruction->op);

    g_string_append_printf(text, "    precise float t%u;\n    {\n", number);
    for (guint i = 0; i < instruction->n_inputs; i++) {
        g_string_append_printf(text, "        float %s = ", names[i]);
        add_argument(self, text, instruction, i);
        g_string_append(text, ";\n");
    }
    if (row->n_parameters > 0)
        g_string_append_printf(text, "        float p = adit_attribute_float(%uu);\n",
                               ADIT_VULKAN_FUSED_PARAMETERS + number);
    g_string_append_printf(text, "        t%u = %s;\n    }\n", number, row->glsl);
}

static void
add_body(const Fuser *self, GString *text)
{
    AditVulkanFusion *fusion = self->fusion;

    for (guint i = self->is_product ? 1 : 0; i < fusion->n; i++)
        add_value(self, text, i);
    fusion->n_writes = 0;
    for (guint i = 0; i + 1 < fusion->n; i++) {
        if (is_inner(self, i))
            continue;
        g_string_append_printf(text, "    IN%u(e) = t%u;\n", fusion->n_reads + fusion->n_writes, i);
        fusion->writes[fusion->n_writes++] = &fusion->instructions[i]->output;
    }
    g_string_append_printf(text, "    OUT(e) = t%u;\n}\n", fusion->n - 1);
}

static char *
load_product(const AditVulkanShape *shape)
{
    g_autofree char *path = g_strconcat(
        "/org/adit/shaders/", adit_vulkan_find_product(ADIT_VULKAN_TILES, shape), ".comp", NULL);
    g_autoptr(GBytes) bytes = g_resources_lookup_data(path, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
    g_auto(GStrv) parts = NULL;
    gsize size;

    if (bytes == NULL)
        return NULL;
    const char *data = g_bytes_get_data(bytes, &size);
    g_autofree char *text = g_strndup(data, size);
    /* a text that comes at run time has none */
    parts = g_strsplit(text, "#version 450", 2);
    return g_strjoinv("", parts);
}

static char *
make_text(const Fuser *self)
{
    static const char *const includes = "#include \"broadcast.glsl\"\n#include \"math.glsl\"\n";
    g_autofree char *product = self->is_product ? load_product(&self->fusion->shape) : NULL;
    GString *body = g_string_new(NULL), *text = g_string_new(NULL);

    add_body(self, body);
    for (guint i = 0; i < self->fusion->n_writes; i++)
        g_string_append_printf(text, "#define ADIT_INPUT%u_ACCESS\n", self->fusion->n_reads + i);
    if (self->is_product)
        g_string_append_printf(
            text,
            "#define ADIT_EPILOGUE(value, row, column, e) adit_finish(value, e)\n"
            "void adit_finish(precise float t0, uint e);\n%s%s"
            "void adit_finish(precise float t0, uint e)\n{\n",
            product, includes);
    else
        g_string_append_printf(text, "#include \"elements.glsl\"\n%svoid compute(uint e)\n{\n",
                               includes);
    g_string_append(text, body->str);
    g_string_free(body, TRUE);
    return g_string_free(text, FALSE);
}

gboolean
adit_vulkan_fusion_init(AditVulkanFusion *self, const AditProgram *program,
                        const AditVulkanPlaces *places, GHashTable *readers, const GPtrArray *list,
                        guint first, const guint *index)
{
    const AditInstruction *head = list->pdata[first];
    Fuser fuser = {self, program, places, readers, index, FALSE};

    *self = (AditVulkanFusion){0};
    if (head->kind != ADIT_INSTRUCTION_OP || (!is_pointwise(head) && !is_product(head)))
        return FALSE;
    fuser.is_product = is_product(head);
    if (fuser.is_product)
        self->shape = (AditVulkanShape){.columns = last_size(&head->output),
                                        .depth = last_size(&head->inputs[0])};
    for (guint i = 0; i < head->n_inputs; i++) {
        if (fuser.is_product || find_read(&fuser, &head->inputs[i]) < 0)
            self->reads[self->n_reads++] = &head->inputs[i];
    }
    self->instructions[self->n++] = head;
    for (guint i = first + 1; i < list->len && add_instruction(&fuser, list->pdata[i]); i++)
        continue;
    if (self->n < 2)
        return FALSE;
    self->text = make_text(&fuser);
    return TRUE;
}

void
adit_vulkan_fusion_clear(AditVulkanFusion *self)
{
    g_clear_pointer(&self->text, g_free);
}
