/* core/device/vulkan/adit-vulkan-walk-private.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-vulkan-walk.h"

G_BEGIN_DECLS

/* Numbers that a workgroup of the first kernel sums of a penalty, as in walk-rows.glsl. */
#define ADIT_WALK_CHUNK 4096

/**
 * AditWalkPlace: where an operand with rows lies among its storage's units: @base and, for each
 * loop,
 * @stride times (index + @shift) modulo @modulo (0: none). One place has one form.
 */
typedef struct {
    int storage;
    gint64 base;
    struct {
        gint64 stride;
        guint shift;
        guint modulo;
    } loops[ADIT_MAX_LOOPS];
} AditWalkPlace;

void adit_walk_place_init(AditWalkPlace *self, const AditOperand *operand);
gboolean adit_walk_place_equal(const AditWalkPlace *a, const AditWalkPlace *b);
/* The place in the iteration of loop @level before this one. */
void adit_walk_place_step_back(AditWalkPlace *self, guint level, gboolean reverse);
/* The place in iteration @index, for those outside the loop. */
void adit_walk_place_fix(AditWalkPlace *self, guint level, guint index);
/* The same in the first iteration of a loop. */
void adit_walk_place_fix_first(AditWalkPlace *self, const AditInstruction *loop);
/* Whether values of @count numbers in both may share memory. */
gboolean adit_walk_place_overlaps(const AditWalkPlace *a, const AditWalkPlace *b, gsize count);

/**
 * AditWalkNest: the loops around an instruction, outermost first.
 */
typedef struct {
    guint n;
    const AditInstruction *loops[ADIT_MAX_LOOPS];
} AditWalkNest;

gsize adit_walk_nest_count(const AditWalkNest *self);
/* Whether the iterations of an operand lie one behind the other. */
gboolean adit_walk_nest_is_dense(const AditWalkNest *self, const AditOperand *operand, gsize step);

/**
 * AditWalkKept: a value of every row, and of every iteration of the loops around it, that the
 * second kernel reads.
 * @at: its first number, @step: from one iteration to the next, in numbers of the buffer
 */
typedef struct {
    gsize at;
    gsize step;
    gsize count;
} AditWalkKept;

/**
 * AditWalkSum: an operation over rows: the second kernel's work.
 */
typedef struct {
    const AditInstruction *instruction;
    AditWalkNest nest;
    AditWalkKept inputs[2];
} AditWalkSum;

/**
 * AditWalkMaker: who computes a value without rows.
 * @nest: without the loops over rows
 * @around: with them
 */
typedef struct {
    const AditInstruction *instruction;
    AditWalkNest nest;
    AditWalkNest around;
} AditWalkMaker;

/**
 * AditWalkJoin: an operation over rows at which the first kernel is cut. Each group of rows leaves
 * two numbers a channel; every workgroup of the next dispatch joins those of all groups.
 * @combine: whose output it is in the end, @nest: the loops around both
 * @size: channels
 * @parts_at: numbers of the groups, in the buffer; dispatches take turns between two such halves,
 * @half apart
 * @place: of the joined numbers of all iterations
 */
typedef struct {
    const AditInstruction *instruction;
    const AditInstruction *combine;
    AditWalkNest nest;
    gsize size;
    gsize parts_at;
    gsize half;
    AditWalkPlace place;
} AditWalkJoin;

/**
 * AditWalkMaking: a walk under way.
 * @list: (element-type AditWalkMaker): in the program's order, @makers: the same by storage
 * @sums: (element-type AditWalkSum)
 * @joins: (element-type AditWalkJoin)
 * @terms: (element-type AditOperand*): what penalties are the sums of
 * @lives: (element-type guint32): the ranges' live numbers of every instance. They grow with the
 * depth, and therefore stand behind all other words
 * @begin: where what is kept begins in the buffer, @units: of a row, kept so far
 * @n_names: of numbers of values without rows
 */
typedef struct {
    const AditVulkanWalkNeeds *needs;
    AditVulkanWalk *walk;
    GPtrArray *list;
    GHashTable *makers;
    GArray *sums;
    GArray *joins;
    GPtrArray *terms;
    GArray *lives;
    gsize begin;
    gsize units;
    guint n_names;
    char *reason;
} AditWalkMaking;

/* Notes why there is no walk, if nothing was noted before; FALSE. */
gboolean adit_walk_fail(AditWalkMaking *self, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* Where unit @unit of all rows lies in the buffer. */
gsize adit_walk_find_unit(const AditWalkMaking *self, gsize unit);

/* Text. The names returned are owned by the caller. */
/* The text of another piece, the last so far. */
AditVulkanWalkText *adit_walk_add_piece(AditVulkanWalk *self);
/* "c3 + c4 * i0 + ...", of a place in numbers @unit apart. */
char *adit_walk_add_address(AditVulkanWalkText *self, const AditWalkPlace *place, gsize unit,
                            gsize base);
char *adit_walk_add_constant(AditVulkanWalkText *self, gsize value);
guint adit_walk_add_word(AditVulkanWalkText *self, guint32 value);
char *adit_walk_add_number(AditVulkanWalkText *self, double value);
void adit_walk_add_line(GString *text, guint depth, const char *format, ...) G_GNUC_PRINTF(3, 4);
/* "precise float NAME = EXPRESSION", of a pointwise operation with the arguments @arguments. */
void adit_walk_add_pointwise(AditVulkanWalkText *self, GString *text, guint depth, const char *name,
                             const AditInstruction *instruction, char *const *arguments);
/* Number @e (GLSL) of an input that goes with element e of an output: shapes are aligned at their
 * last axes. */
char *adit_walk_broadcast(const AditShape *from, const AditShape *to, const char *e);
guint32 adit_walk_get_attribute(const AditInstruction *instruction, guint index);

/**
 * AditWalkScope: a function that computes values without rows, element by element.
 * @count: numbers of a value; others have one
 * @is_gradient: it is one
 * @is_second: it belongs to the second kernel, which may read sums over rows
 * @sum: (nullable): of a gradient: the only one it may read, "sum" in the text
 * @known: storage -> name
 */
typedef struct {
    AditWalkMaking *making;
    AditVulkanWalkText *kernel;
    GString *text;
    guint depth;
    gsize count;
    gboolean is_second;
    gboolean is_gradient;
    const AditWalkSum *sum;
    GHashTable *known;
    guint n_names;
} AditWalkScope;

void adit_walk_scope_init(AditWalkScope *self, AditWalkMaking *making, AditVulkanWalkText *kernel,
                          GString *text, guint depth, gsize count);
void adit_walk_scope_clear(AditWalkScope *self);
/* What was computed so far is not there any more: the text left the block it stands in. */
void adit_walk_scope_forget(AditWalkScope *self);
/* Adds what computes the element `e` of an operand; the name of the result, owned by the scope;
 * NULL: it cannot. */
const char *adit_walk_scope_add(AditWalkScope *self, const AditOperand *operand);
/* The same of what an instruction computes. */
const char *adit_walk_scope_add_made(AditWalkScope *self, const AditWalkMaker *maker);

/**
 * AditWalkFresh: numbers that were joined in this dispatch: in shared memory, from walk_joined[@at]
 * on. In memory, at @place, the first workgroup is writing them: others must not read there.
 */
typedef struct {
    AditWalkPlace place;
    gsize count;
    gsize at;
} AditWalkFresh;

/**
 * AditWalkElement: where a number of a value without rows is computed.
 * @nest: the loops whose indices i0, i1, ... the text has
 * @entered: bits of those of which it is the first iteration
 * @fresh: (element-type AditWalkFresh) (nullable)
 * @state: (nullable): of the second kernel: the states that are replaced, of which no others are
 * read
 */
typedef struct {
    AditWalkMaking *making;
    AditVulkanWalkText *kernel;
    GString *text;
    guint depth;
    AditWalkNest nest;
    guint entered;
    const GArray *fresh;
    gboolean is_second;
    const AditOperand *state;
} AditWalkElement;

/* adit-vulkan-walk-elements.c */

/* Number @e (GLSL) of a value without rows (GLSL, owned by the caller). What it cannot be made of
 * is noted as with adit_walk_fail(), and "0.0". */
char *adit_walk_element_read(const AditWalkElement *self, const AditOperand *operand,
                             const char *e);
/* Number @e of all instances of what an instruction computes. */
char *adit_walk_element_make(const AditWalkElement *self, const AditWalkMaker *maker,
                             const char *e);
/* The operation that a storage is the joined result of; NULL: none. */
const AditWalkJoin *adit_walk_find_join(const AditWalkMaking *self, int storage);
/* Whether a value comes of a sum over rows that the second kernel takes. */
gboolean adit_walk_comes_of_sum(const AditWalkMaking *self, const AditWalkMaker *maker);

/* adit-vulkan-walk-rows.c, -sums.c: the kernels' texts. */
gboolean adit_walk_add_rows(AditWalkMaking *self);
gboolean adit_walk_add_sums(AditWalkMaking *self);
gboolean adit_walk_add_terms(AditWalkMaking *self);

G_END_DECLS
