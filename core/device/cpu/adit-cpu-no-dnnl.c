/* core/device/cpu/adit-cpu-no-dnnl.c - SPDX-License-Identifier: MIT */
#include "adit-cpu-dnnl.h"

/* In a build without oneDNN it has no convolution. */

AditCpuDnnl *
adit_cpu_dnnl_new(const AditInstruction *instruction)
{
    return NULL;
}

void
adit_cpu_dnnl_free(AditCpuDnnl *self)
{
}

void
adit_cpu_dnnl_run(AditCpuDnnl *self, const AditKernelCall *call)
{
    g_assert_not_reached();
}
