/* core/ops/adit-table.kernel.c - SPDX-License-Identifier: MIT */
#include "adit-kernel.h"

extern const AditKernelTable ADIT_PASTE(adit, _kernels, ADIT_VARIANT);

static const AditKernelRow rows[] = {
#define ADIT_KERNEL_ROW(symbol, name, pitch) {name, ADIT_KERNEL(symbol), pitch},
#include "adit-kernels.def"
#undef ADIT_KERNEL_ROW
#define ADIT_POINTWISE(symbol, name, ...) {name, ADIT_KERNEL(symbol), TRUE},
#include "adit-pointwise.def"
    {NULL, NULL, FALSE},
};

const AditKernelTable ADIT_PASTE(adit, _kernels, ADIT_VARIANT) = {.lanes = LANES, .rows = rows};
