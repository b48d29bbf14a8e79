/* core/device/cpu/adit-cpu-convolver.c - SPDX-License-Identifier: MIT */
#include "adit-cpu-convolver.h"

#include <string.h>

#include "adit-attributes.h"
#include "adit-device.h"
#include "adit-library.h"

#define FOLDER  "kernels"
#define SYMBOL  "adit_convolvers"
#define WITHOUT "convolutions are computed without it"

/* ---- the library ---- */

static const AditConvolvers *
open_library(AditIsa isa)
{
    const AditConvolvers *library =
        adit_library_find(FOLDER, SYMBOL, ADIT_CONVOLVERS_VERSION, WITHOUT);

    if (library == NULL)
        return NULL;
    if (!library->limit(adit_isa_get_name(isa))) {
        g_info("%s does not keep to %s; convolutions are computed without it", library->describe(),
               adit_isa_get_name(isa));
        return NULL;
    }
    g_info("convolutions by %s", library->describe());
    return library;
}

/* ---- instructions ---- */

static gboolean
find_kind(const AditInstruction *instruction, AditConvolutionKind *kind)
{
    static const char *const names[] = {
        [ADIT_CONVOLUTION_FORWARD] = "conv2d",
        [ADIT_CONVOLUTION_BACK] = "conv2d-back",
        [ADIT_CONVOLUTION_ROWS] = "conv2d-rows",
    };

    for (*kind = 0; instruction->kind == ADIT_INSTRUCTION_OP && *kind < G_N_ELEMENTS(names);
         (*kind)++) {
        if (g_str_equal(instruction->op->name, names[*kind]))
            return TRUE;
    }
    return FALSE;
}

static gboolean
has_convolutions(const GPtrArray *instructions)
{
    AditConvolutionKind kind;

    for (guint i = 0; i < instructions->len; i++) {
        const AditInstruction *instruction = instructions->pdata[i];

        if (instruction->body != NULL ? has_convolutions(instruction->body)
                                      : find_kind(instruction, &kind))
            return TRUE;
    }
    return FALSE;
}

gboolean
adit_cpu_has_convolutions(const AditProgram *program)
{
    return has_convolutions(program->instructions);
}

const AditConvolvers *
adit_cpu_convolvers_find(AditIsa isa, gboolean f64)
{
    static gsize opened = 0;
    static const AditConvolvers *library = NULL;

    if (f64 || !adit_may_fuse() || g_strcmp0(g_getenv("ADIT_CONVOLUTIONS"), ADIT_CPU_BUILT_IN) == 0)
        return NULL;
    if (g_once_init_enter(&opened)) {
        library = open_library(isa);
        g_once_init_leave(&opened, 1);
    }
    return library;
}

static void
copy_sizes(gsize *sizes, const AditShape *shape)
{
    for (guint i = 0; i < 3; i++)
        sizes[i] = shape->size[i];
}

AditConvolver *
adit_cpu_convolver_new(const AditConvolvers *convolvers, const AditInstruction *instruction)
{
    const AditConvAttributes *attributes = instruction->attributes;
    const AditShape *first = &instruction->inputs[0].shape;
    const AditShape *second = &instruction->inputs[1].shape, *output = &instruction->output.shape;
    AditConvolutionKind kind;
    AditConvolution convolution;

    if (!find_kind(instruction, &kind) || !attributes->channels_last)
        return NULL;
    convolution = (AditConvolution){.window = attributes->window, .groups = attributes->groups};
    copy_sizes(convolution.image, kind == ADIT_CONVOLUTION_BACK ? output : first);
    copy_sizes(convolution.result, kind == ADIT_CONVOLUTION_BACK   ? first
                                   : kind == ADIT_CONVOLUTION_ROWS ? second
                                                                   : output);
    return convolvers->prepare(&convolution, kind);
}

/* @room: for what is to be packed; NULL: it is packed already */
static gboolean
run_images(const AditConvolvers *convolvers, AditConvolver *self, const AditKernelCall *call,
           const void *packed, void *room, void *scratch)
{
    if (room != NULL && !convolvers->pack(self, call->inputs[1].data, room))
        return FALSE;
    return convolvers->run(self, call->rows, call->inputs[0].data, room != NULL ? room : packed,
                           call->output.data, FALSE, scratch);
}

static gboolean
run_rows(const AditConvolvers *convolvers, AditConvolver *self, const AditKernelCall *call,
         void *room, void *scratch)
{
    void *sum = room != NULL ? room : call->output.data;

    if (room != NULL && call->accumulate && !convolvers->pack(self, call->output.data, room))
        return FALSE;
    if (!convolvers->run(self, call->rows, call->inputs[0].data, call->inputs[1].data, sum,
                         call->accumulate, scratch))
        return FALSE;
    return room == NULL || convolvers->unpack(self, room, call->output.data);
}

gboolean
adit_cpu_convolver_run(const AditConvolvers *convolvers, AditConvolver *self,
                       const AditKernelCall *call, const void *packed)
{
    gsize bytes = packed == NULL ? (self->packed_bytes + 63) / 64 * 64 : 0;
    char *memory = adit_scratch_get(bytes + self->scratch_bytes);
    void *room = packed == NULL ? memory : NULL;

    return self->kind == ADIT_CONVOLUTION_ROWS
               ? run_rows(convolvers, self, call, room, memory + bytes)
               : run_images(convolvers, self, call, packed, room, memory + bytes);
}
