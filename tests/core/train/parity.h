/* tests/core/train/parity.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-data.h"
#include "adit-experiment.h"

G_BEGIN_DECLS

/* One training step on the device that ADIT_TEST_DEVICE names beside the same step on the CPU, from
 * states that a run on the CPU passes through: after many steps of each, runs differ whatever the
 * devices do. */

#define PARITY_MAX_LOSS 1e-5
#define PARITY_MAX_NMSE 1e-9

/**
 * Parity: how far a step is from the CPU's.
 * @loss: of the mean over the batch, relative
 * @nmse: of the gradient: squares of the differences over the CPU's squares, of all parameters
 */
typedef struct {
    double loss;
    double nmse;
} Parity;

/**
 * ParityRun:
 * @name: what its lines begin with
 * @first: steps before the first state; 0: it is that of the initial weights
 * @interval: steps from one state to the next
 */
typedef struct {
    const char *name;
    const AditExperiment *experiment;
    const AditData *data;
    gsize batch;
    guint first;
    guint interval;
    guint states;
} ParityRun;

/* Compares in each state; a line for each, with the distances of both devices to float64.
 * @parities: (array) (out caller-allocates): of the states */
void parity_measure(const ParityRun *self, Parity *parities);

/* Fails unless all losses are within PARITY_MAX_LOSS and all gradients within PARITY_MAX_NMSE, or,
 * with @has_kinks, half of them: where rounding turns a rectifier off on one device alone the
 * gradient jumps. Tells the largest, and sorts @parities by their gradients. */
void parity_check(const ParityRun *self, Parity *parities, gboolean has_kinks);

/* (transfer full): the experiment of @path, which must be right. @arguments: (array
 * zero-terminated=1): name=value, and -o with path=value */
AditExperiment *parity_read(const char *path, const char *const *arguments, const char *data);

/* (transfer full): file @name of `pipelines`. */
char *parity_read_pipeline(const char *name);

G_END_DECLS
