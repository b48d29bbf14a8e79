/* core/device/vulkan/adit-vulkan-walk-registers.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-vulkan-walk-private.h"

G_BEGIN_DECLS

/*
 * The text of a walk's first kernel. Every value of a row is in registers, `v7_0`, `v7_1`, ...:
 * number e of value 7 is with lane e % lanes, in v7_(e / lanes). Where the text would have to read
 * a value that has no register any more, in the reverse loop, it reads memory, and its storage is
 * kept: written wherever the program writes it. That is known only when the text is done: it is
 * made twice.
 */

/* A value in registers. */
typedef struct {
    guint number;
    gsize count;
} AditWalkValue;

/* A value in registers, and the place it stands for. */
typedef struct {
    AditWalkPlace place;
    AditWalkValue value;
} AditWalkKnown;

/* A value that the second kernel reads, where it was at one point of the text: @part counts the
 * iterations that the text has written out. */
typedef struct {
    guint number;
    guint part;
    const AditInstruction *loop;
    AditWalkKept kept;
} AditWalkShelf;

/* What the first kernel does: an instruction; enter, go on in, leave a loop that has a cut; join
 * what an operation over rows left in the dispatch before. */
typedef enum {
    ADIT_WALK_DO,
    ADIT_WALK_ENTER,
    ADIT_WALK_NEXT,
    ADIT_WALK_LEAVE,
    ADIT_WALK_JOIN,
} AditWalkEventKind;

typedef struct {
    gsize kind; /* AditWalkEventKind; without a gap: events are compared as bytes */
    const AditInstruction *instruction;
} AditWalkEvent;

/* Events @begin to @end - 1, a dispatch; in the loops of @nest when it begins.
 * @is_new: the first that does this */
typedef struct {
    guint begin;
    guint end;
    AditWalkNest nest;
    AditVulkanWalkStep step;
    gboolean is_new;
} AditWalkStretch;

typedef struct {
    GArray *events;    /* AditWalkEvent */
    GArray *stretches; /* AditWalkStretch */
} AditWalkCourse;

/* adit-vulkan-walk-course.c */
void adit_walk_course_init(AditWalkCourse *self, const AditProgram *program);
void adit_walk_course_clear(AditWalkCourse *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AditWalkCourse, adit_walk_course_clear)

/**
 * AditWalkRows: the text under way.
 */
typedef struct {
    AditWalkMaking *making;
    AditVulkanWalkText *kernel;
    GString *text;
    guint depth;
    guint n_values;
    guint n_early;
    GArray *known;    /* AditWalkKnown */
    GArray *shelves;  /* AditWalkShelf */
    GHashTable *read; /* storages that are read from memory */
    GHashTable *kept; /* storage -> its first unit + 1; empty the first time */
    GHashTable *counts;
    GArray *fresh; /* AditWalkFresh */
    gsize joined;  /* numbers of them */
    AditWalkNest nest;
    guint n_out;         /* the first of them are written out: the text is in one iteration */
    guint entered;       /* bits of those of which it is the first */
    guint part;          /* iterations written out so far */
    gsize loop_at;       /* where the innermost loop begins in the text */
    AditWalkScope scope; /* numbers without rows */
} AditWalkRows;

/**
 * AditWalkSource: an input.
 * @staged: its numbers are in shared memory, from number @at of the row's on
 * @text: (nullable): without rows: where its numbers lie, or the number
 */
typedef struct {
    const AditOperand *operand;
    AditWalkValue value;
    gboolean staged;
    gsize at;
    char *text;
} AditWalkSource;

typedef struct {
    guint n;
    AditWalkSource of[ADIT_MAX_INPUTS];
} AditWalkSources;

void adit_walk_rows_sources_clear(AditWalkSources *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AditWalkSources, adit_walk_rows_sources_clear)

void adit_walk_rows_line(AditWalkRows *self, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* Registers of a value of @count numbers. */
guint adit_walk_rows_count_registers(const AditWalkRows *self, gsize count);
/* The loop that the text stands in; NULL: none. */
const AditInstruction *adit_walk_rows_get_innermost(const AditWalkRows *self);
/* Whether that is a loop of the text too. */
gboolean adit_walk_rows_is_in_loop(const AditWalkRows *self);
/* Puts @text before the innermost loop. */
void adit_walk_rows_add_before(AditWalkRows *self, const char *text);
/* "uint i0 = 0u;", of the innermost loop's first iteration. */
char *adit_walk_rows_get_first(AditWalkRows *self);
/* "uint next = ..., i0 = next;": of the next, or of this one again. */
char *adit_walk_rows_get_next(AditWalkRows *self);
/* A storage in a table. */
gpointer adit_walk_rows_as_key(int storage);
/* The number that a lane has in register @k, for reading: the last instead of one beyond the end.
 */
char *adit_walk_rows_get_inner_element(const AditWalkRows *self, gsize count, guint k);
AditWalkValue adit_walk_rows_new_value(AditWalkRows *self, gsize count);

/* Where the memory of a storage that is kept begins. */
gsize adit_walk_rows_find_storage(const AditWalkRows *self, int storage);
void adit_walk_rows_add_store(AditWalkRows *self, const AditWalkValue *value, const char *address);

void adit_walk_rows_add_known(AditWalkRows *self, const AditWalkPlace *place, AditWalkValue value);
/* All values of a storage have the same number of numbers, so that a lane reads what it wrote. */
gboolean adit_walk_rows_check_count(AditWalkRows *self, const AditOperand *operand);
void adit_walk_rows_forget_storage(AditWalkRows *self, int storage);
/* The value at a place, read if it is in no register. */
AditWalkValue adit_walk_rows_get_value(AditWalkRows *self, const AditWalkPlace *place, gsize count);
gboolean adit_walk_rows_find_value(AditWalkRows *self, const AditOperand *operand,
                                   AditWalkValue *value);
/* Notes what was computed, and writes it where others read it. */
void adit_walk_rows_set_value(AditWalkRows *self, const AditOperand *operand, AditWalkValue value);

/* What an instruction reads; @staged: bits of the inputs whose numbers all lanes are to see. */
gboolean adit_walk_rows_find_sources(AditWalkRows *self, const AditInstruction *instruction,
                                     guint staged, AditWalkSources *sources);
/* The number of a source that goes with what register k of @output has. */
char *adit_walk_rows_read_element(AditWalkRows *self, const AditWalkSource *source,
                                  const AditOperand *output, guint k);
/* Number @e (GLSL) of a value without rows, read before it is needed where that may be. */
char *adit_walk_rows_read_outside(AditWalkRows *self, const AditOperand *operand, const char *e);
/* Bits of the inputs that are repeated along some axes, but are no single numbers. */
guint adit_walk_rows_find_repeated(const AditInstruction *instruction);

/* adit-vulkan-walk-operations.c: the text of one instruction. */
gboolean adit_walk_rows_add_operation(AditWalkRows *self, const AditInstruction *instruction);
gboolean adit_walk_rows_add_copy(AditWalkRows *self, const AditInstruction *instruction);
gboolean adit_walk_rows_add_gather(AditWalkRows *self, const AditInstruction *instruction);

/* adit-vulkan-walk-channels.c: batch statistics. */
gboolean adit_walk_rows_is_map(const AditInstruction *instruction);
gboolean adit_walk_rows_add_map(AditWalkRows *self, const AditInstruction *instruction);
/* Whether the first kernel ends behind an operation. */
gboolean adit_walk_is_cut(const AditInstruction *instruction);
/* What a group of rows leaves of it, and what all of them come to in the next dispatch. */
gboolean adit_walk_rows_add_cut(AditWalkRows *self, const AditInstruction *instruction);
gboolean adit_walk_rows_add_join(AditWalkRows *self, const AditInstruction *instruction);

G_END_DECLS
