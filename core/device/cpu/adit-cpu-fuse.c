/* core/device/cpu/adit-cpu-fuse.c - SPDX-License-Identifier: MIT */
#include "adit-cpu-private.h"

#include <string.h>

/* Kernels that do the work of several instructions, longest first: the same bits as each by itself,
 * and what lies between them stays in registers. */
static const struct {
    const char *kernel;
    const char *names[ADIT_CPU_MAX_FUSED + 1];
} fusions[] = {
    {"matmul-add-relu", {"matmul", "add", "relu"}},
    {"matmul-add", {"matmul", "add"}},
};

/* Number of the input of @next that is what @before left and nobody else reads; -1: there is none.
 */
static int
find_link(const AditInstruction *before, const AditInstruction *next, const GArray *readers)
{
    const AditOperand *result = &before->output;

    if (result->storage < 0 || g_array_index(readers, guint, result->storage) != 1 ||
        next->output.count != result->count || next->output.rows != result->rows)
        return -1;
    for (guint i = 0; i < next->n_inputs; i++) {
        if (next->inputs[i].storage == result->storage)
            return (int) i;
    }
    return -1;
}

/* What the kernel reads besides what comes from the instruction before: like the result, or the
 * same for every row. */
static gboolean
adds_inputs(AditCpuFusion *fusion, const AditInstruction *next, guint link)
{
    for (guint i = 0; i < next->n_inputs; i++) {
        if (i == link)
            continue;
        if (next->inputs[i].count != next->output.count ||
            fusion->n_inputs == G_N_ELEMENTS(fusion->inputs))
            return FALSE;
        fusion->inputs[fusion->n_inputs++] = &next->inputs[i];
    }
    return TRUE;
}

static gboolean
matches(AditCpuFusion *fusion, const char *const *names, const GPtrArray *instructions, guint first,
        const GArray *readers)
{
    const AditInstruction *before = NULL;

    fusion->n_inputs = 0;
    for (fusion->n = 0; names[fusion->n] != NULL; fusion->n++) {
        if (first + fusion->n >= instructions->len)
            return FALSE;
        const AditInstruction *next = instructions->pdata[first + fusion->n];

        if (next->kind != ADIT_INSTRUCTION_OP || next->partial > 0 ||
            next->domain != ADIT_DOMAIN_SLICES || strcmp(next->op->name, names[fusion->n]) != 0)
            return FALSE;
        int link = before != NULL ? find_link(before, next, readers) : -1;

        if (before == NULL) {
            for (guint i = 0; i < next->n_inputs; i++)
                fusion->inputs[fusion->n_inputs++] = &next->inputs[i];
        } else if (link < 0 || !adds_inputs(fusion, next, (guint) link)) {
            return FALSE;
        }
        before = next;
    }
    fusion->output = &before->output;
    return TRUE;
}

gboolean
adit_cpu_fuse(const AditExecutable *self, const GPtrArray *instructions, guint first,
              const GArray *readers, AditCpuFusion *fusion)
{
    for (guint i = 0; self->fuses && i < G_N_ELEMENTS(fusions); i++) {
        fusion->kernel = adit_kernel_find(fusions[i].kernel, self->isa, self->numbers.f64);
        if (fusion->kernel != NULL &&
            matches(fusion, fusions[i].names, instructions, first, readers))
            return TRUE;
    }
    return FALSE;
}
