/* core/tool/adit-bench.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-benchmark.h"
#include "adit-rates.h"
#include "adit-tool.h"

G_BEGIN_DECLS

/**
 * AditBench: all that is measured. Times are in seconds, rates a second.
 * @seconds: of a round
 * @threads: of the CPU; 0: the device is another
 * @one: with one thread, if @threads are more
 * @all: threads that the processor's rates are measured with, beside one
 * @fma_one, @fma_all: multiply-add operations in registers, with one thread and with all there are
 */
typedef struct {
    AditInvocation *invocation;
    const char *path;
    double seconds;
    AditDevice *device;
    guint threads;
    double check;
    double open;
    AditBenchmark run;
    AditBenchmark one;
    guint64 peak_memory;
    gsize data_bytes;
    AditIsa isa;
    guint cores;
    guint all;
    double fma_one[ADIT_N_ISAS];
    double fma_all[ADIT_N_ISAS];
    double copy_one;
    double copy_all;
} AditBench;

/* Prints it: a line for each matter; or JSON. */
void adit_bench_print(const AditBench *self);
void adit_bench_print_json(const AditBench *self);

G_END_DECLS
