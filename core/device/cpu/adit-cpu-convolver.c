/* core/device/cpu/adit-cpu-convolver.c - SPDX-License-Identifier: MIT */
#include "adit-cpu-convolver.h"

#include <gmodule.h>
#include <string.h>

#include "adit-attributes.h"
#include "adit-device.h"
#include "adit-installation.h"

#define FOLDER "kernels"
#define SYMBOL "adit_convolvers"

/* ---- the library ---- */

/* (nullable): the module in the folder of kernels below @folder; of several the first by name. */
static char *
find_module(const char *folder)
{
    g_autofree char *path = g_build_filename(folder, FOLDER, NULL), *first = NULL;
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        if (g_str_has_suffix(name, "." G_MODULE_SUFFIX) &&
            (first == NULL || strcmp(name, first) < 0)) {
            g_free(first);
            first = g_strdup(name);
        }
    }
    return first != NULL ? g_build_filename(path, first, NULL) : NULL;
}

/* Stays open: threads of the library may outlive all that used it. */
static const AditConvolvers *
open_module(const char *path)
{
    GModule *module = g_module_open(path, G_MODULE_BIND_LOCAL);
    gpointer symbol = NULL;

    if (module == NULL) {
        g_message("no %s: %s; convolutions are computed without it", path, g_module_error());
        return NULL;
    }
    g_module_make_resident(module);
    if (!g_module_symbol(module, SYMBOL, &symbol) ||
        ((const AditConvolvers *) symbol)->version != ADIT_CONVOLVERS_VERSION) {
        g_message("%s is of another version of Adit; convolutions are computed without it", path);
        return NULL;
    }
    return symbol;
}

static const AditConvolvers *
open_library(AditIsa isa)
{
    g_auto(GStrv) folders = adit_installation_list_plugins();
    const AditConvolvers *library = NULL;

    for (guint i = 0; library == NULL && folders[i] != NULL; i++) {
        g_autofree char *path = find_module(folders[i]);

        library = path != NULL ? open_module(path) : NULL;
    }
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
