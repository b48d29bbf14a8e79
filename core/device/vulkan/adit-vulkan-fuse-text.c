/* core/device/vulkan/adit-vulkan-fuse-text.c - SPDX-License-Identifier: MIT */
#include "adit-vulkan-fuse.h"

#include "adit-attributes.h"
#include "adit-pointwise.h"

#include <gio/gio.h>
#include <string.h>

/* The text of a fused kernel: a function for each place where it computes something. Value number i
 * is ti, what a kernel is told of it stands in ADIT_VULKAN_FUSED_WORDS words behind its attributes.
 */

/**
 * Writer: of one place.
 * @is_image: of a convolution: the kernel knows the channel of what it computes
 * @staged: numbers that places before it keep of a channel
 */
typedef struct {
    const AditVulkanFusion *fusion;
    AditVulkanFusedPlace place;
    gboolean is_image;
    guint staged;
    GString *text;
} Writer;

/* ---- operands ---- */

int
adit_vulkan_fusion_find_value(const AditVulkanFusion *self, AditVulkanFusedPlace place,
                              const AditOperand *operand)
{
    for (guint i = self->n; i-- > 0;) {
        if (self->values[i].place == place &&
            adit_vulkan_is_same(operand, &self->values[i].instruction->output))
            return (int) i;
    }
    return -1;
}

int
adit_vulkan_fusion_find_read(const AditVulkanFusion *self, const AditOperand *operand)
{
    for (guint i = 0; i < self->n_reads; i++) {
        if (self->reads[i] != NULL && adit_vulkan_is_same(operand, self->reads[i]))
            return (int) i;
    }
    return -1;
}

gboolean
adit_vulkan_is_by_channel(const AditOperand *operand, const AditShape *image)
{
    const AditShape *shape = &operand->shape;

    return !operand->rows && shape->rank <= 3 &&
           (operand->count == 1 || (shape->rank == 3 && shape->size[0] == image->size[0] &&
                                    operand->count == image->size[0]));
}

static gboolean
is_like(const AditOperand *a, const AditOperand *b)
{
    return a->rows == b->rows && adit_shape_equal(&a->shape, &b->shape);
}

/* Input @number of @instruction, where its result's element e is computed. */
static void
add_argument(const Writer *self, const AditInstruction *instruction, guint number)
{
    const AditOperand *operand = &instruction->inputs[number];
    int value = adit_vulkan_fusion_find_value(self->fusion, self->place, operand);
    int read = adit_vulkan_fusion_find_read(self->fusion, operand);

    if (value >= 0)
        g_string_append_printf(self->text, "t%d", value);
    else if (is_like(operand, &instruction->output))
        g_string_append_printf(self->text, "IN%d(e)", read);
    else if (self->is_image && adit_vulkan_is_by_channel(operand, &instruction->output.shape))
        g_string_append_printf(self->text, "IN%d(%s)", read,
                               operand->count == 1 ? "0u" : "channel");
    else
        g_string_append_printf(self->text, "IN%d(adit_broadcast(%du, e))", read, read + 1);
}

/* ---- operations by channels ---- */

static guint
count_terms(const AditVulkanChannelOp *row)
{
    guint n = 0;

    while (n < G_N_ELEMENTS(row->terms) && row->terms[n] != NULL)
        n++;
    return n;
}

guint
adit_vulkan_fusion_count_staged(const AditVulkanFusion *self, AditVulkanFusedPlace place)
{
    guint n = 0;

    for (guint i = 0; i < self->n; i++) {
        const AditVulkanChannelOp *row = adit_vulkan_find_channel_op(self->values[i].instruction);

        n += row != NULL && self->values[i].place == place ? count_terms(row) : 0;
    }
    return n;
}

/* Whether channel j of what is computed is `channel`. */
static gboolean
knows_channel(const Writer *self, const AditInstruction *instruction)
{
    const AditChannelAttributes *attributes = instruction->attributes;
    const AditShape *shape = &instruction->output.shape;

    return self->is_image && shape->rank == 3 && attributes->size == shape->size[0] &&
           attributes->inner == shape->size[1] * shape->size[2];
}

/* What the terms of value @number are made of; end_terms() ends it. */
static void
begin_terms(const Writer *self, guint number)
{
    static const char *const names[] = {NULL, "B", "C", "D"};
    const AditInstruction *instruction = self->fusion->values[number].instruction;
    guint at = ADIT_MAX_WORDS + ADIT_VULKAN_FUSED_WORDS * number;

    for (guint i = 1; i < instruction->n_inputs; i++)
        g_string_append_printf(self->text, "#define %s(i) IN%d(i)\n", names[i],
                               adit_vulkan_fusion_find_read(self->fusion, &instruction->inputs[i]));
    g_string_append_printf(self->text,
                           "        uint size = adit_attribute(%uu);\n"
                           "        float epsilon = adit_attribute_float(%uu);\n"
                           "        float n = float(push.batch * adit_attribute(%uu));\n",
                           at, at + 2, at + 3);
}

static void
end_terms(const Writer *self)
{
    g_string_append(self->text, "#undef B\n#undef C\n#undef D\n");
}

/* u, v and w of value @number, from shared memory if they are there. */
static void
add_terms(Writer *self, guint number)
{
    static const char *const names[] = {"u", "v", "w"};
    const AditInstruction *instruction = self->fusion->values[number].instruction;
    const AditVulkanChannelOp *row = adit_vulkan_find_channel_op(instruction);
    guint at = ADIT_MAX_WORDS + ADIT_VULKAN_FUSED_WORDS * number;

    if (self->place != ADIT_FUSED_RESULT) {
        for (guint i = 0; i < count_terms(row); i++)
            g_string_append_printf(self->text,
                                   "        float %s = adit_staged[%uu * ADIT_STAGED + channel];\n",
                                   names[i], self->staged++);
        return;
    }
    begin_terms(self, number);
    if (knows_channel(self, instruction))
        g_string_append(self->text, "        uint j = channel;\n");
    else
        g_string_append_printf(self->text, "        uint j = e / adit_attribute(%uu) %% size;\n",
                               at + 1);
    for (guint i = 0; i < count_terms(row); i++)
        g_string_append_printf(self->text, "        precise float %s = %s;\n", names[i],
                               row->terms[i]);
    end_terms(self);
}

/* Puts the terms of value @number into shared memory. */
static void
stage_terms(Writer *self, guint number)
{
    const AditVulkanChannelOp *row =
        adit_vulkan_find_channel_op(self->fusion->values[number].instruction);

    g_string_append(self->text, "    {\n");
    begin_terms(self, number);
    g_string_append(self->text,
                    "        for (uint j = gl_LocalInvocationID.x; j < size; j += THREADS) {\n");
    for (guint i = 0; i < count_terms(row); i++, self->staged++)
        g_string_append_printf(self->text,
                               "            precise float term%u = %s;\n"
                               "            adit_staged[%uu * ADIT_STAGED + j] = term%u;\n",
                               i, row->terms[i], self->staged, i);
    g_string_append(self->text, "        }\n");
    end_terms(self);
    g_string_append(self->text, "    }\n");
}

/* ---- values ---- */

/* The operation's expression over a, b, c and p, as its table has it. */
static void
add_value(Writer *self, guint number)
{
    static const char *const names[] = {"a", "b", "c"};
    const AditInstruction *instruction = self->fusion->values[number].instruction;
    const AditPointwise *row = adit_pointwise_find(instruction->op);
    guint n = row != NULL ? instruction->n_inputs : 1;

    g_string_append_printf(self->text, "    precise float t%u;\n    {\n", number);
    for (guint i = 0; i < n; i++) {
        g_string_append_printf(self->text, "        float %s = ", names[i]);
        add_argument(self, instruction, i);
        g_string_append(self->text, ";\n");
    }
    if (row == NULL)
        add_terms(self, number);
    else if (row->n_parameters > 0)
        g_string_append_printf(self->text, "        float p = adit_attribute_float(%uu);\n",
                               ADIT_MAX_WORDS + ADIT_VULKAN_FUSED_WORDS * number);
    g_string_append_printf(self->text, "        t%u = %s;\n    }\n", number,
                           row != NULL ? row->glsl
                                       : adit_vulkan_find_channel_op(instruction)->value);
}

/* Those of the writer's place, but for a product's own; gives the last. */
static guint
add_values(Writer *self, gboolean is_product)
{
    const AditVulkanFusion *fusion = self->fusion;
    guint last = 0;

    for (guint i = 0; i < fusion->n; i++) {
        if (fusion->values[i].place != self->place)
            continue;
        if (!is_product || i != fusion->head)
            add_value(self, i);
        last = i;
    }
    return last;
}

/* ---- the text ---- */

static const char *
find_shader(const AditVulkanFusion *self)
{
    if (self->kind == ADIT_VULKAN_TILES)
        return adit_vulkan_find_product(self->kind, &self->shape);
    return self->values[self->head].instruction->op->name;
}

/* The text of a shader without the line that a text that comes at run time has not. */
static char *
load_shader(const AditVulkanFusion *self)
{
    g_autofree char *path = g_strconcat("/org/adit/shaders/", find_shader(self), ".comp", NULL);
    g_autoptr(GBytes) bytes = g_resources_lookup_data(path, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
    g_auto(GStrv) parts = NULL;
    gsize size;

    g_return_val_if_fail(bytes != NULL, g_strdup(""));
    const char *data = g_bytes_get_data(bytes, &size);
    g_autofree char *text = g_strndup(data, size);
    parts = g_strsplit(text, "#version 450", 2);
    return g_strjoinv("", parts);
}

/* Which inputs there are, and which bindings they and what is written have. */
static void
add_bindings(const AditVulkanFusion *self, GString *text)
{
    guint n = self->n_reads + self->n_writes;

    g_string_append(text, "#define ADIT_INPUTS\n");
    for (guint i = 0; i < n; i++)
        g_string_append_printf(text, "#define IN%u(e) input%u_numbers[push.in_at[%u] + (e)]\n", i,
                               self->bindings[i], i);
    for (guint i = self->n_reads; i < n; i++)
        g_string_append_printf(text, "#define ADIT_INPUT%u_ACCESS\n", self->bindings[i]);
}

/* What a number that is read becomes. */
static void
add_load(Writer *self, GString *head, AditVulkanFusedPlace place)
{
    guint number = place - ADIT_FUSED_LOAD0;
    gboolean found = FALSE;

    for (guint i = 0; i < self->fusion->n; i++)
        found = found || self->fusion->values[i].place == place;
    if (!found)
        return;
    self->place = place;
    g_string_append_printf(head,
                           "#define ADIT_LOAD%u adit_load%u\n"
                           "float adit_load%u(uint e, uint channel);\n",
                           number, number, number);
    g_string_append_printf(self->text, "float adit_load%u(uint e, uint channel)\n{\n", number);
    guint last = add_values(self, TRUE);
    g_string_append_printf(self->text, "    return t%u;\n}\n", last);
}

/* What loads need of whole channels. */
static void
add_stage(const AditVulkanFusion *self, GString *head, GString *body)
{
    Writer writer = {self, ADIT_FUSED_LOAD0, TRUE, 0, body};

    if (self->n_staged == 0)
        return;
    g_string_append(head, "#define ADIT_STAGE adit_stage\nvoid adit_stage();\n");
    g_string_append_printf(body,
                           "layout(constant_id = 6) const uint ADIT_STAGED = 1u;\n"
                           "shared float adit_staged[%uu * ADIT_STAGED];\n"
                           "void adit_stage()\n{\n",
                           self->n_staged);
    for (; writer.place <= ADIT_FUSED_LOAD1; writer.place++) {
        for (guint i = 0; i < self->n; i++) {
            if (self->values[i].place == writer.place &&
                adit_vulkan_find_channel_op(self->values[i].instruction) != NULL)
                stage_terms(&writer, i);
        }
    }
    g_string_append(body, "    barrier();\n}\n");
}

static void
add_results(Writer *self, const gboolean *is_written, gboolean is_product)
{
    const AditVulkanFusion *fusion = self->fusion;
    guint n = 0;

    self->place = ADIT_FUSED_RESULT;
    add_values(self, is_product);
    for (guint i = 0; i + 1 < fusion->n; i++) {
        if (is_written[i])
            g_string_append_printf(self->text, "    IN%u(e) = t%u;\n", fusion->n_reads + n++, i);
    }
    g_string_append_printf(self->text, "    OUT(e) = t%u;\n}\n", fusion->n - 1);
}

static char *
make_product_text(const AditVulkanFusion *self, const gboolean *is_written)
{
    static const char *const includes = "#include \"broadcast.glsl\"\n#include \"math.glsl\"\n";
    g_autoptr(GString) body = g_string_new(NULL);
    g_autofree char *shader = load_shader(self);
    GString *text = g_string_new(NULL);
    Writer writer = {self, ADIT_FUSED_LOAD0, self->kind != ADIT_VULKAN_TILES, 0, body};

    add_bindings(self, text);
    add_stage(self, text, body);
    add_load(&writer, text, ADIT_FUSED_LOAD0);
    add_load(&writer, text, ADIT_FUSED_LOAD1);
    if (self->head + 1 < self->n) {
        g_string_append_printf(text,
                               "#define ADIT_EPILOGUE(value, row, column, e) "
                               "adit_finish(value, e, row)\n"
                               "void adit_finish(precise float t%u, uint e, uint row);\n",
                               self->head);
        g_string_append_printf(
            body, "void adit_finish(precise float t%u, uint e, uint row)\n{\n%s", self->head,
            writer.is_image ? "    uint channel = conv_first_line + row;\n" : "");
        add_results(&writer, is_written, TRUE);
    }
    g_string_append_printf(text, "%s%s%s", shader, includes, body->str);
    return g_string_free(text, FALSE);
}

char *
adit_vulkan_fusion_make_text(const AditVulkanFusion *self, const gboolean *is_written)
{
    GString *text;

    if (self->kind != ADIT_VULKAN_ELEMENTS)
        return make_product_text(self, is_written);
    text = g_string_new(NULL);
    add_bindings(self, text);
    g_string_append(text, "#include \"elements.glsl\"\n#include \"broadcast.glsl\"\n"
                          "#include \"math.glsl\"\nvoid compute(uint e)\n{\n");
    Writer writer = {self, ADIT_FUSED_RESULT, FALSE, 0, text};
    add_results(&writer, is_written, FALSE);
    return g_string_free(text, FALSE);
}
