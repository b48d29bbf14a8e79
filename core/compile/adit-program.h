/* core/compile/adit-program.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-op.h>

#include "adit-graph-private.h"
#include "adit-layout.h"

G_BEGIN_DECLS

/**
 * AditArena: the memory an operand lies in.
 * @ADIT_ARENA_ROWS: values with rows, each of the eight slices' in a block of its own, so that
 * slices never wait for each other; offsets are in units of the rows of a slice
 * @ADIT_ARENA_SHARED: values without rows, and the slices' partial results
 * @ADIT_ARENA_CONSTANTS: written once
 * @ADIT_ARENA_LIVE: the live numbers and, last, the step; written before every run
 * @ADIT_ARENA_THREAD: a thread's own: the partial result of the slice that it is at
 */
typedef enum {
    ADIT_ARENA_PARAMETERS,
    ADIT_ARENA_GRADIENTS,
    ADIT_ARENA_STATES,
    ADIT_ARENA_OPTIMIZER,
    ADIT_ARENA_ROWS,
    ADIT_ARENA_SHARED,
    ADIT_ARENA_CONSTANTS,
    ADIT_ARENA_LIVE,
    ADIT_ARENA_THREAD,
} AditArena;

/**
 * AditStride: how an operand moves with the index of one loop: by @stride elements (units in the
 * ROWS arena) times (index + @shift) mod @modulo; 0: no modulo.
 */
typedef struct {
    gsize stride;
    guint shift;
    guint modulo;
} AditStride;

/**
 * AditOperand: where a value lies.
 * @storage: number of the storage it lies in, or -1 outside the planned arenas
 * @offset: elements (units in the ROWS arena) from the storage's or arena's begin
 * @linear: rows lie one behind the other in the arena itself (the optimizer's update: an element is
 * a row)
 */
typedef struct {
    AditArena arena;
    int storage;
    gsize offset;
    gboolean rows;
    gboolean linear;
    AditShape shape;
    gsize count;
    AditStride strides[ADIT_MAX_LOOPS];
} AditOperand;

typedef enum {
    ADIT_DOMAIN_SLICES, /* slice by slice, no slice waits for another */
    ADIT_DOMAIN_WHOLE,  /* once, when all slices are there */
    ADIT_DOMAIN_MIXED,  /* a loop with both in its body */
} AditDomain;

typedef enum {
    ADIT_INSTRUCTION_OP,
    ADIT_INSTRUCTION_COMBINE, /* joins the slices' partial results of an operation over rows */
    ADIT_INSTRUCTION_COPY,
    ADIT_INSTRUCTION_GATHER, /* the batch's rows of feed @feed */
    ADIT_INSTRUCTION_LOOP,
} AditInstructionKind;

/**
 * AditInstruction:
 * @level: number of loops around it
 * @partial: (OP over rows): elements of one slice's partial result; the slices' lie one behind the
 * other. 0: they are joined in turn
 * @in_turn: (COMBINE): runs slice by slice, each behind the one before it, with the partial result
 * of that slice alone; (LOOP): has such in its body
 * @tensor: what it computes, for messages
 */
typedef struct {
    AditInstructionKind kind;
    AditDomain domain;
    guint phase;
    guint level;

    const AditOp *op;
    const void *attributes;
    guint n_inputs;
    AditOperand inputs[ADIT_MAX_INPUTS];
    AditOperand output;
    gsize partial;
    gboolean in_turn;
    guint feed;   /* GATHER */
    char **names; /* noise: stream names of all iterations, owned by the graph */
    const AditTensor *tensor;

    guint n; /* LOOP */
    gboolean reverse;
    gboolean independent; /* iterations may run in any order: no carry */
    GPtrArray *body;      /* AditInstruction */
} AditInstruction;

/**
 * AditProgramInput: an input that is an arena itself, from element @offset on, an element a row.
 */
typedef struct {
    const AditTensor *tensor;
    AditArena arena;
    gsize offset;
} AditProgramInput;

typedef enum {
    ADIT_OUTPUT_ARENA, /* goes to an arena: gradients; states and parameters if the guards hold */
    ADIT_OUTPUT_SUM,   /* a scalar for every row, or one that counts for each of them: summed in row
                        * order, in float64 */
    ADIT_OUTPUT_READ,  /* kept where it is until the next run, to be read by the host */
    ADIT_OUTPUT_HANDED, /* the same, as it lies: for another program to be fed with */
    ADIT_OUTPUT_GUARD,  /* a scalar without rows that must be finite */
} AditOutputKind;

/**
 * AditProgramOutput: what a program leaves.
 * @tensor: of the root graph
 * @operand: set by the compiler: where it is read
 * @channels_last: set by the compiler, of what is handed on: how images lie
 */
typedef struct {
    AditOutputKind kind;
    AditTensor *tensor;
    AditArena arena;
    gsize offset;
    AditOperand operand;
    gboolean channels_last;
} AditProgramOutput;

/**
 * AditStorage: memory of a value, or of a loop's values.
 * @arena: ROWS, SHARED or THREAD
 * @size, @offset: units or elements
 * @level: number of loops around where it belongs
 * @begin, @end: first and last position it is used at
 * @stretch: number of the stretch of instructions that it is used in, 0: it is used in several, or
 * by the host. A stretch runs slice by slice without waiting for anything in between, so that it
 * can as well run for a few rows at a time: then a value used in no other needs room for these only
 */
typedef struct {
    AditArena arena;
    gsize size;
    gsize offset;
    guint level;
    guint begin;
    guint end;
    guint stretch;
} AditStorage;

/**
 * AditProgram: instructions for any number of rows up to what the device has room for. Holds its
 * graph.
 */
typedef struct {
    AditGraph *graph;
    GPtrArray *instructions; /* AditInstruction */
    GPtrArray *commits;      /* AditInstruction: run last, and only if the guards are finite */
    GPtrArray *feeds;        /* AditTensor: the inputs that are fed with rows of data, in order */
    GArray *outputs;         /* AditProgramOutput */
    GArray *storages;        /* AditStorage */
    GArray *constants;       /* double */
    GPtrArray *lives;        /* AditLive; the step comes behind them */
    GPtrArray *laid;         /* attributes of instructions that the graph has not, owned */
    gsize row_units;         /* elements the ROWS arena needs for each row: */
    gsize crossing_units;    /* the first of them are of values used in several stretches */
    gsize shared_size;       /* elements of the SHARED arena */
    gsize thread_size;       /* elements of the THREAD arena */
} AditProgram;

/**
 * AditCompileFlags: what a program's device wants of it.
 * @ADIT_COMPILE_CHANNELS_LAST: images that convolutions and poolings work on lie [height, width,
 * channels]; its outputs, and what it is fed with, do not
 * @ADIT_COMPILE_IN_TURN: sums of many elements over rows are joined slice by slice, so that there
 * is a partial result for each thread, not for each slice
 * @ADIT_COMPILE_AT_ONCE: new values of an arena's rows are written when a stretch has them, not
 * kept until all are there, where that makes no difference
 */
typedef enum {
    ADIT_COMPILE_CHANNELS_LAST = 1 << 0,
    ADIT_COMPILE_IN_TURN = 1 << 1,
    ADIT_COMPILE_AT_ONCE = 1 << 2,
} AditCompileFlags;

/**
 * adit_compile:
 * @graph: a root graph without an error
 * @layout: where its parameters and states lie
 * @inputs: (array length=n_inputs): the inputs that are arenas; the others are fed with rows of
 * data
 * @outputs: (array length=n_outputs): what is wanted; everything else is dropped
 * @flags: what adit_device_get_compile_flags() says
 *
 * Simplify (drop what nobody reads), lay out images, schedule (as few waits between slices as
 * possible), plan memory. Does not fail: the graph was checked while it was built.
 */
AditProgram *adit_compile(AditGraph *graph, const AditLayout *layout,
                          const AditProgramInput *inputs, guint n_inputs,
                          const AditProgramOutput *outputs, guint n_outputs,
                          AditCompileFlags flags);
void adit_program_free(AditProgram *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditProgram, adit_program_free)

/* Number of kernel calls a step needs if nothing is fused: loops count their iterations. */
guint64 adit_program_count_calls(const AditProgram *self);
/* For each storage how often an instruction or the host reads it: (element-type guint) */
GArray *adit_program_count_readers(const AditProgram *self);
/* Its instructions, one a line, for debugging: phase, domain, operation, operands. */
char *adit_program_list(const AditProgram *self);

G_END_DECLS
