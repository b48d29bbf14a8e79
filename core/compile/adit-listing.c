/* core/compile/adit-listing.c - SPDX-License-Identifier: MIT */
#include "adit-program.h"

static const char *const arena_names[] = {"parameters", "gradients", "states", "optimizer", "rows",
                                          "shared",     "constants", "live",   "thread"};

static void
list_operand(GString *out, const AditOperand *operand)
{
    g_autofree char *shape = adit_shape_to_string(&operand->shape);

    g_string_append_printf(out, " %s", arena_names[operand->arena]);
    if (operand->storage >= 0)
        g_string_append_printf(out, ".%d", operand->storage);
    g_string_append_printf(out, "+%" G_GSIZE_FORMAT, operand->offset);
    for (guint i = 0; i < ADIT_MAX_LOOPS; i++) {
        const AditStride *stride = &operand->strides[i];

        if (stride->stride == 0)
            continue;
        g_string_append_printf(out, "+%" G_GSIZE_FORMAT "(i%u+%u)", stride->stride, i,
                               stride->shift);
        if (stride->modulo > 0)
            g_string_append_printf(out, "%%%u", stride->modulo);
    }
    g_string_append_printf(out, "[%s%s]", operand->rows ? "r " : "", shape);
}

static void
list_instruction(GString *out, const AditInstruction *instruction, guint indent)
{
    static const char *const domains[] = {"slices", "whole", "mixed"};
    static const char *const kinds[] = {"op", "combine", "copy", "gather", "loop"};

    g_string_append_printf(out, "%*s%u %s %s%s", 2 * (int) indent, "", instruction->phase,
                           domains[instruction->domain], kinds[instruction->kind],
                           instruction->in_turn ? " in turn" : "");
    if (instruction->kind == ADIT_INSTRUCTION_LOOP) {
        g_string_append_printf(out, " %u%s%s\n", instruction->n,
                               instruction->reverse ? " reverse" : "",
                               instruction->independent ? " independent" : "");
        for (guint i = 0; i < instruction->body->len; i++)
            list_instruction(out, instruction->body->pdata[i], indent + 1);
        return;
    }
    if (instruction->op != NULL)
        g_string_append_printf(out, " %s", instruction->op->name);
    for (guint i = 0; i < instruction->n_inputs; i++)
        list_operand(out, &instruction->inputs[i]);
    g_string_append(out, " ->");
    list_operand(out, &instruction->output);
    g_string_append_c(out, '\n');
}

char *
adit_program_list(const AditProgram *self)
{
    GString *out = g_string_new(NULL);

    for (guint i = 0; i < self->instructions->len; i++)
        list_instruction(out, self->instructions->pdata[i], 0);
    if (self->commits->len > 0)
        g_string_append(out, "commits\n");
    for (guint i = 0; i < self->commits->len; i++)
        list_instruction(out, self->commits->pdata[i], 1);
    return g_string_free(out, FALSE);
}
