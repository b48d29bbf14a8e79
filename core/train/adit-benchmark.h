/* core/train/adit-benchmark.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-network.h"

G_BEGIN_DECLS

#define ADIT_BENCHMARK_ROUNDS 5

/**
 * AditBenchmark: what a training step of an experiment's first stage takes. Times are in seconds.
 * @rows: of a batch
 * @make: building, compiling and preparing everything, up to the first step
 * @first: the first step, until it is done
 * @make_again, @first_again: the same once more, in the same process
 * @rounds: mean time of a step, of each round, shortest first
 * @steps: of all rounds
 * @processor: time that all threads of the process had a core for in the rounds, a second of them
 * @calls: kernel calls a step, on a Vulkan device dispatches
 * @parameters: trained numbers
 * @flop: a step, of the matrix products: two for each multiply-add
 * @compulsory: bytes a step has to move: parameters and what the optimizer keeps of them are read
 * and written, the batch is read
 * @planned: bytes a step moves if every operation reads its operands and writes its result
 * @held: bytes of the device's memories and executables
 */
typedef struct {
    gsize rows;
    double make;
    double first;
    double make_again;
    double first_again;
    double rounds[ADIT_BENCHMARK_ROUNDS];
    guint64 steps;
    double processor;
    guint64 calls;
    guint64 parameters;
    guint64 flop;
    guint64 compulsory;
    guint64 planned;
    guint64 held;
} AditBenchmark;

/**
 * adit_benchmark_run:
 * @data: (element-type AditData): the experiment's data sets, in their order
 * @seconds: of a round
 * @result: (out caller-allocates)
 *
 * Trains the first stage for a moment from drawn weights, on full batches of its data in the order
 * of its epochs, as adit_train() does but for what that writes and evaluates. Fails with
 * ADIT_ERROR_NUMERIC (a loss is not finite: steps that do nothing cannot be timed),
 * ADIT_ERROR_INVALID, ADIT_ERROR_MEMORY or ADIT_ERROR_DEVICE_LOST.
 */
gboolean adit_benchmark_run(const AditExperiment *experiment, GPtrArray *data, AditDevice *device,
                            double seconds, AditBenchmark *result, GError **error);

G_END_DECLS
