/* core/ops/adit-conv2d.h - SPDX-License-Identifier: MIT */

/* What the kernels of these names do with images that lie [height, width, channels], and with thin
 * ones that do not. */

#pragma once

#include "adit-product.h"

void ADIT_KERNEL(conv2d_last)(const AditKernelCall *call);
void ADIT_KERNEL(conv2d_back_last)(const AditKernelCall *call);
void ADIT_KERNEL(conv2d_rows_last)(const AditKernelCall *call);
void ADIT_KERNEL(conv2d_thin)(const AditKernelCall *call);
void ADIT_KERNEL(conv2d_back_thin)(const AditKernelCall *call);
void ADIT_KERNEL(conv2d_rows_thin)(const AditKernelCall *call);

ADIT_ALWAYS_INLINE gboolean
conv_has_channels_last(const AditKernelCall *call)
{
    return ((const AditConvAttributes *) call->attributes)->channels_last;
}
