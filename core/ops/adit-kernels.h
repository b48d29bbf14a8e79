/* core/ops/adit-kernels.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-op.h>

G_BEGIN_DECLS

/**
 * AditIsa: instruction sets that the kernels are built for, slowest first. Each gives the same
 * results for a row whatever rows are computed with it; results of two instruction sets differ by
 * rounding.
 */
typedef enum {
    ADIT_ISA_PORTABLE,
    ADIT_ISA_AVX2,
    ADIT_ISA_AVX512,
    ADIT_ISA_NEON,
} AditIsa;

#define ADIT_N_ISAS (ADIT_ISA_NEON + 1)

/* The best one that this program and this processor have. The environment's ADIT_ISA (a name)
 * lowers it; one that is not available is passed over with a warning. */
AditIsa adit_isa_detect(void);
/* "portable", "avx2", "avx512", "neon" */
const char *adit_isa_get_name(AditIsa isa);
gboolean adit_isa_is_available(AditIsa isa);

/* Whether fast paths beside the plain one may be taken: unless the environment's ADIT_FUSE is 0. */
gboolean adit_may_fuse(void);

/* The kernel of one of the core's operations by its name; NULL if there is none of that name. @isa
 * must be available. */
AditKernel adit_kernel_find(const char *name, AditIsa isa, gboolean f64);

/* Whether a kernel of the core honours AditKernelCall's pitch. Beside operations' kernels there are
 * "to-pitch" and "from-pitch", which copy a tensor with rows (their one input) from one form into
 * the other: of the two operands only one is pitched. */
gboolean adit_kernel_takes_pitch(const char *name);

/* Numbers that a vector of the instruction set holds. */
gsize adit_kernel_get_lanes(AditIsa isa, gboolean f64);

/**
 * AditKernelRow: one row of a variant's table of kernels.
 */
typedef struct {
    const char *name;
    AditKernel kernel;
    gboolean takes_pitch;
} AditKernelRow;

/**
 * AditKernelTable: the kernels of a variant.
 * @lanes: numbers of its vectors
 * @rows: (array zero-terminated=1): ends with a NULL name
 */
typedef struct {
    gsize lanes;
    const AditKernelRow *rows;
} AditKernelTable;

/* Does @rounds rounds of multiply-adds of float32 in registers alone, as fast as the processor can
 * with @isa, which must be available; returns how many operations they were: two for each. */
double adit_isa_run_burst(AditIsa isa, gsize rounds);

/* At least @size bytes of this thread's scratch memory, aligned to 64 bytes; the next call in this
 * thread gives the same memory again. */
void *adit_scratch_get(gsize size);
/* The same of what kernels call while they work with theirs. */
void *adit_scratch_get_further(gsize size);

G_END_DECLS
