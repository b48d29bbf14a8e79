/* core/device/cpu/adit-cpu-dnnl.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-program.h"

G_BEGIN_DECLS

/**
 * AditCpuDnnl: a convolution of images with their channels last, in float32, by oneDNN. One thread
 * uses it at a time.
 */
typedef struct _AditCpuDnnl AditCpuDnnl;

/* NULL: the instruction is no such convolution, or oneDNN does not have it or is not there. */
AditCpuDnnl *adit_cpu_dnnl_new(const AditInstruction *instruction);
void adit_cpu_dnnl_free(AditCpuDnnl *self);
/* As the operation's kernel would: a row's result depends on no other row, and what is summed over
 * rows has the same bits in one call and in panels. In the calling thread alone. */
void adit_cpu_dnnl_run(AditCpuDnnl *self, const AditKernelCall *call);

G_END_DECLS
