/* core/ops/adit-kernels.c - SPDX-License-Identifier: MIT */
#include "adit-kernels.h"

#include <string.h>

#define TABLES(isa)                                                                                \
    extern const AditKernelTable adit_kernels_##isa##_f32, adit_kernels_##isa##_f64;               \
    double adit_burst_##isa##_f32(gsize rounds);

TABLES(portable)
#ifdef __x86_64__
TABLES(avx2)
TABLES(avx512)
#endif
#ifdef __aarch64__
TABLES(neon)
#endif

typedef struct {
    const char *name;
    const AditKernelTable *tables[2]; /* f32, f64; NULL: not built */
    double (*burst)(gsize rounds);
} Isa;

static const Isa isas[ADIT_N_ISAS] = {
    [ADIT_ISA_PORTABLE] = {"portable",
                           {&adit_kernels_portable_f32, &adit_kernels_portable_f64},
                           adit_burst_portable_f32},
#ifdef __x86_64__
    [ADIT_ISA_AVX2] = {"avx2",
                       {&adit_kernels_avx2_f32, &adit_kernels_avx2_f64},
                       adit_burst_avx2_f32},
    [ADIT_ISA_AVX512] = {"avx512",
                         {&adit_kernels_avx512_f32, &adit_kernels_avx512_f64},
                         adit_burst_avx512_f32},
#else
    [ADIT_ISA_AVX2] = {"avx2", {NULL, NULL}, NULL},
    [ADIT_ISA_AVX512] = {"avx512", {NULL, NULL}, NULL},
#endif
#ifdef __aarch64__
    [ADIT_ISA_NEON] = {"neon",
                       {&adit_kernels_neon_f32, &adit_kernels_neon_f64},
                       adit_burst_neon_f32},
#else
    [ADIT_ISA_NEON] = {"neon", {NULL, NULL}, NULL},
#endif
};

const char *
adit_isa_get_name(AditIsa isa)
{
    return isas[isa].name;
}

gboolean
adit_isa_is_available(AditIsa isa)
{
    if (isas[isa].tables[0] == NULL)
        return FALSE;
#ifdef __x86_64__
    if (isa == ADIT_ISA_AVX2)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (isa == ADIT_ISA_AVX512)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("fma");
#endif
    return TRUE;
}

static AditIsa
find_best(void)
{
    AditIsa best = ADIT_ISA_PORTABLE;

    for (guint i = 0; i < ADIT_N_ISAS; i++) {
        if (adit_isa_is_available((AditIsa) i))
            best = (AditIsa) i;
    }
    return best;
}

AditIsa
adit_isa_detect(void)
{
    const char *wanted = g_getenv("ADIT_ISA");

    if (wanted == NULL || *wanted == '\0')
        return find_best();
    for (guint i = 0; i < ADIT_N_ISAS; i++) {
        if (strcmp(isas[i].name, wanted) == 0 && adit_isa_is_available((AditIsa) i))
            return (AditIsa) i;
    }
    g_warning("ADIT_ISA is '%s', which this processor or build does not have; using '%s'", wanted,
              isas[find_best()].name);
    return find_best();
}

gboolean
adit_may_fuse(void)
{
    return g_strcmp0(g_getenv("ADIT_FUSE"), "0") != 0;
}

static const AditKernelRow *
find_row(const char *name, AditIsa isa, gboolean f64)
{
    for (const AditKernelRow *row = isas[isa].tables[f64 ? 1 : 0]->rows; row->name != NULL; row++) {
        if (strcmp(row->name, name) == 0)
            return row;
    }
    return NULL;
}

AditKernel
adit_kernel_find(const char *name, AditIsa isa, gboolean f64)
{
    const AditKernelRow *row = find_row(name, isa, f64);

    return row != NULL ? row->kernel : NULL;
}

gboolean
adit_kernel_takes_pitch(const char *name)
{
    const AditKernelRow *row = find_row(name, ADIT_ISA_PORTABLE, FALSE);

    return row != NULL && row->takes_pitch;
}

gsize
adit_kernel_get_lanes(AditIsa isa, gboolean f64)
{
    return isas[isa].tables[f64 ? 1 : 0]->lanes;
}

double
adit_isa_run_burst(AditIsa isa, gsize rounds)
{
    return isas[isa].burst(rounds);
}

typedef struct {
    void *memory;
    gsize size;
} Scratch;

static void
scratch_free(void *data)
{
    Scratch *scratch = data;

    free(scratch->memory);
    g_free(scratch);
}

static void *
get_scratch(GPrivate *key, gsize size)
{
    Scratch *scratch = g_private_get(key);

    if (scratch == NULL) {
        scratch = g_new0(Scratch, 1);
        g_private_set(key, scratch);
    }
    if (scratch->size < size) {
        free(scratch->memory);
        scratch->size = (size + 4095) / 4096 * 4096;
        scratch->memory = aligned_alloc(64, scratch->size);
        if (scratch->memory == NULL)
            g_error("out of memory: %" G_GSIZE_FORMAT " bytes of scratch", scratch->size);
    }
    return scratch->memory;
}

void *
adit_scratch_get(gsize size)
{
    static GPrivate key = G_PRIVATE_INIT(scratch_free);

    return get_scratch(&key, size);
}

void *
adit_scratch_get_further(gsize size)
{
    static GPrivate key = G_PRIVATE_INIT(scratch_free);

    return get_scratch(&key, size);
}
