/* core/device/cpu/adit-cpu-private.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-device.h"
#include "adit-kernels.h"
#include "adit-team.h"

G_BEGIN_DECLS

#define ADIT_N_ARENAS (ADIT_ARENA_LIVE + 1)

/**
 * AditCpuNumbers: how numbers lie in memory: float32, or float64 for the oracle.
 */
typedef struct {
    gboolean f64;
    gsize size; /* bytes */
} AditCpuNumbers;

struct _AditMemory {
    void *arenas[ADIT_N_ARENAS]; /* those of the model; the others are the executable's */
    gsize bytes;
};

/* Zeroed and aligned to a cache line; NULL with ADIT_ERROR_MEMORY. */
void *adit_cpu_allocate(gsize bytes, const char *what, GError **error);
double adit_cpu_load(const AditCpuNumbers *numbers, const void *data, gsize index);
void adit_cpu_store(const AditCpuNumbers *numbers, void *data, gsize index, double value);

AditExecutable *adit_cpu_executable_new(AditProgram *program, AditMemory *memory, AditIsa isa,
                                        AditTeam *team, AditCpuNumbers numbers, gsize max_rows,
                                        guint64 seed, GError **error);
void adit_cpu_executable_free(AditExecutable *self);
/* Whether all guarded values are finite. */
gboolean adit_cpu_executable_run(AditExecutable *self, const AditCall *call);
/* Kernel calls of all its runs, and the memory it holds in bytes. */
AditDeviceCounts adit_cpu_executable_count(const AditExecutable *self);
void adit_cpu_executable_read_sums(AditExecutable *self, double *sums);
void adit_cpu_executable_set_sums(AditExecutable *self, const double *sums);
void adit_cpu_executable_read_output(AditExecutable *self, guint output, double *values);

G_END_DECLS
