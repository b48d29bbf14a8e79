/* tests/support/rig.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-device.h"
#include "adit-gradient.h"

/**
 * Rig: a graph compiled and made ready for a device, its parameters drawn with seed 1.
 * @outputs: (element-type AditProgramOutput): what is wanted; added before rig_prepare()
 * @parameters: (element-type AditTensor): of the graph, in the order of their making
 * @feeds: (element-type AditArray): what the inputs are fed with, owned
 * @flags: of the gradients, before they are added
 * @n_slots: optimizer slots of its memory; set before rig_prepare()
 * @device: owned; another than the CPU is set before rig_prepare()
 */
typedef struct {
    AditGraph *graph;
    AditLayout *layout;
    GArray *outputs;
    GPtrArray *parameters;
    GPtrArray *feeds;
    AditGradientFlags flags;
    guint n_slots;
    AditProgram *program;
    AditDevice *device;
    AditMemory *memory;
    AditExecutable *executable;
} Rig;

/* @graph: taken; the test fails if it has an error. */
Rig *rig_new(AditGraph *graph);
void rig_free(Rig *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Rig, rig_free)

/* Adds an output, of which the number is returned. */
guint rig_add(Rig *self, AditOutputKind kind, AditTensor *tensor);
/* Adds the gradients of @loss by all parameters, into their arena. */
void rig_add_gradients(Rig *self, AditTensor *loss);
/* Adds the new values of all states of a training graph. */
void rig_add_states(Rig *self);
/* (transfer full): what tests compute with in float32: the device that the environment's
 * ADIT_TEST_DEVICE names, one for the whole process (the test fails when there is no such device);
 * else the CPU with @threads threads. */
AditDevice *test_device(guint threads);

/* Writes what all parameters and states start with. */
void test_initialize(const AditLayout *layout, guint64 seed, double *parameters, double *states);

/* Compiles and prepares for up to @max_rows rows: in float64 for the CPU, else for test_device().
 */
void rig_prepare(Rig *self, guint threads, gboolean f64, gsize max_rows);
/* Moves all parameters off their initial values, which may be special (0, 1), by up to @by
 * and by their names. */
void rig_scatter(Rig *self, double by);
/* Feeds the next input (in the order the program reads them). @array: taken. */
void rig_feed(Rig *self, AditArray *array);
/* Rows 0..@rows-1 of what is fed, live numbers at the start of a stage. */
void rig_run(Rig *self, gsize rows, guint64 step);
/* The same from row @first on. */
void rig_run_from(Rig *self, gsize first, gsize rows, guint64 step);
/* A READ output: as many numbers as fit, with @rows rows; free with g_free(). */
double *rig_read(Rig *self, guint output, gsize rows);
double rig_read_scalar(Rig *self, guint output);
/* All of an arena of the parameters' or states' size. */
double *rig_read_arena(Rig *self, AditArena arena);
/* The place in its arena of parameter or state @name, which may be an instance of a loop's. */
gsize rig_find(Rig *self, const char *name, gsize *count);

/* Fails unless all parameters (or states) have the same bits in @arena of both. Their layouts may
 * differ, their names not. */
void rig_assert_same(Rig *a, Rig *b, AditArena arena);

/* The names of all instances of all parameters called @name, without it, joined by blanks in the
 * order of their making: "trunk.1 trunk.2"; free with g_free(). */
char *test_list_parameters(AditGraph *graph, const char *name);

/* Normal random numbers (seed @seed), in float64. */
AditArray *test_array(const AditShape *shape, gsize rows, guint64 seed);
/* The same numbers in float32. */
AditArray *test_array_f32(const AditShape *shape, gsize rows, guint64 seed);
/* Class numbers 0, 1, .. in turn. */
AditArray *test_classes(guint classes, gsize rows);
/* A scalar without rows that depends on all elements of @y alike: the mean over the rows of a sum
 * with fixed factors. */
AditTensor *test_weigh(AditTensor *y);

/* Fails unless the gradients of output @loss (a scalar) that the last run left agree with central
 * differences in every parameter: |difference| <= @tolerance max(1, |derivative|). */
void rig_check_gradients(Rig *self, guint loss, gsize rows, double tolerance);
/* The same for input @feed, whose gradient is output @gradient. */
void rig_check_input_gradient(Rig *self, guint loss, guint feed, guint gradient, gsize rows,
                              double tolerance);

/* Fails unless all numbers have the same bits. */
void test_assert_same(const double *a, const double *b, gsize n);
