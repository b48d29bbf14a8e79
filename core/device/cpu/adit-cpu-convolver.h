/* core/device/cpu/adit-cpu-convolver.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-convolver.h>

#include "adit-kernels.h"
#include "adit-program.h"

G_BEGIN_DECLS

gboolean adit_cpu_has_convolutions(const AditProgram *program);

/* The library that convolutions are computed by (adit-convolver.h), opened when it is first asked
 * for; NULL: there is none, it cannot keep to @isa, or it is not wanted: in float64, with each
 * operation by itself, or by ADIT_CONVOLUTIONS. */
const AditConvolvers *adit_cpu_convolvers_find(AditIsa isa, gboolean f64);

/* The instruction, made ready; NULL: it is no convolution of images with their channels last, or
 * the library does not take it. */
AditConvolver *adit_cpu_convolver_new(const AditConvolvers *convolvers,
                                      const AditInstruction *instruction);

/* Does what a kernel is called for. @packed: where the weights lie packed or, of ROWS, the output,
 * to say that it is packed and stays so; NULL: neither is. FALSE: the library failed. */
gboolean adit_cpu_convolver_run(const AditConvolvers *convolvers, AditConvolver *self,
                                const AditKernelCall *call, const void *packed);

G_END_DECLS
