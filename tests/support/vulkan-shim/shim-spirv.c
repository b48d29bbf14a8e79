/* tests/support/vulkan-shim/shim-spirv.c - SPDX-License-Identifier: MIT */
#include "shim.h"

#include <string.h>

/* Numbers of the SPIR-V specification, version 1.6. */
#define MAGIC 0x07230203
#define HEAD  5 /* words before the first instruction */

enum {
    OP_ENTRY_POINT = 15,
    OP_EXECUTION_MODE = 16,
    OP_CAPABILITY = 17,
    OP_TYPE_BOOL = 20,
    OP_TYPE_INT = 21,
    OP_TYPE_FLOAT = 22,
    OP_TYPE_VECTOR = 23,
    OP_TYPE_MATRIX = 24,
    OP_TYPE_ARRAY = 28,
    OP_TYPE_STRUCT = 30,
    OP_TYPE_POINTER = 32,
    OP_CONSTANT_TRUE = 41,
    OP_CONSTANT_FALSE = 42,
    OP_CONSTANT = 43,
    OP_CONSTANT_COMPOSITE = 44,
    OP_SPEC_CONSTANT_TRUE = 48,
    OP_SPEC_CONSTANT_FALSE = 49,
    OP_SPEC_CONSTANT = 50,
    OP_SPEC_CONSTANT_COMPOSITE = 51,
    OP_SPEC_CONSTANT_OP = 52,
    OP_VARIABLE = 59,
    OP_DECORATE = 71,
    OP_COMPOSITE_EXTRACT = 81,
    OP_U_CONVERT = 113,
    OP_S_CONVERT = 114,
    OP_BITCAST = 124,
    OP_I_ADD = 128,
    OP_I_SUB = 130,
    OP_I_MUL = 132,
    OP_U_DIV = 134,
    OP_S_DIV = 135,
    OP_U_MOD = 137,
    OP_SELECT = 169,
    OP_I_EQUAL = 170,
    OP_I_NOT_EQUAL = 171,
    OP_U_GREATER_THAN = 172,
    OP_U_GREATER_THAN_EQUAL = 174,
    OP_U_LESS_THAN = 176,
    OP_U_LESS_THAN_EQUAL = 178,
    OP_SHIFT_RIGHT_LOGICAL = 194,
    OP_SHIFT_LEFT_LOGICAL = 196,
    OP_BITWISE_OR = 197,
    OP_BITWISE_XOR = 198,
    OP_BITWISE_AND = 199,
    OP_EXECUTION_MODE_ID = 331,

    MODE_LOCAL_SIZE = 17,
    MODE_LOCAL_SIZE_ID = 38,
    DECORATION_SPEC_ID = 1,
    DECORATION_BUILT_IN = 11,
    BUILT_IN_WORKGROUP_SIZE = 25,
    STORAGE_WORKGROUP = 4,
    CAPABILITY_GROUP_NON_UNIFORM = 61, /* the first of eight */
    CAPABILITY_SUBGROUP_DISPATCH = 58,
    CAPABILITY_SUBGROUP_BALLOT = 4423,
    CAPABILITY_SUBGROUP_VOTE = 4431,
};

typedef struct {
    const guint32 *words;
    gsize n;
    const VkSpecializationInfo *special;
    guint n_ids;
    const guint32 **definitions; /* by id: the instruction that defines it, NULL: another kind */
    const guint32 **decorations; /* by id: its OpDecorate SpecId, NULL: none */
    const guint32 *size_mode;    /* LocalSize or LocalSizeId */
    guint32 size_id;             /* what is decorated as WorkgroupSize, 0: nothing */
    guint n_entries;
} Module;

static guint
get_op(const guint32 *at)
{
    return *at & 0xffff;
}

static guint
get_length(const guint32 *at)
{
    return *at >> 16;
}

/* Returns: (nullable): the next instruction, the first one for NULL */
static const guint32 *
get_next(const guint32 *words, gsize n, const guint32 *at)
{
    if (at == NULL && (n <= HEAD || words[0] != MAGIC))
        shim_fail("a module that is no SPIR-V");
    at = at == NULL ? words + HEAD : at + get_length(at);
    gsize left = n - (gsize) (at - words);
    if (left > 0 && (get_length(at) == 0 || get_length(at) > left))
        shim_fail("a module that is no SPIR-V");
    return left > 0 ? at : NULL;
}

gboolean
shim_spirv_has_subgroups(const guint32 *words, gsize n)
{
    const guint32 *at = NULL;

    while ((at = get_next(words, n, at)) != NULL) {
        if (get_op(at) != OP_CAPABILITY)
            continue;
        if ((at[1] >= CAPABILITY_GROUP_NON_UNIFORM && at[1] < CAPABILITY_GROUP_NON_UNIFORM + 8) ||
            at[1] == CAPABILITY_SUBGROUP_DISPATCH || at[1] == CAPABILITY_SUBGROUP_BALLOT ||
            at[1] == CAPABILITY_SUBGROUP_VOTE)
            return TRUE;
    }
    return FALSE;
}

static const guint32 *
get_definition(const Module *self, guint32 id)
{
    if (id >= self->n_ids || self->definitions[id] == NULL)
        shim_fail("a module whose id %u cannot be read", id);
    return self->definitions[id];
}

static void
read_decoration(Module *self, const guint32 *at)
{
    if (at[2] == DECORATION_SPEC_ID && at[1] < self->n_ids)
        self->decorations[at[1]] = at;
    if (at[2] == DECORATION_BUILT_IN && at[3] == BUILT_IN_WORKGROUP_SIZE)
        self->size_id = at[1];
}

/* Keeps what an instruction tells, if it is needed. */
static void
read_instruction(Module *self, const guint32 *at)
{
    guint op = get_op(at);
    gboolean is_type = op >= OP_TYPE_BOOL && op <= OP_TYPE_POINTER;
    gboolean is_constant = op >= OP_CONSTANT_TRUE && op <= OP_SPEC_CONSTANT_OP;

    if (is_type && at[1] < self->n_ids)
        self->definitions[at[1]] = at;
    if ((is_constant || op == OP_VARIABLE) && at[2] < self->n_ids)
        self->definitions[at[2]] = at;
    if (op == OP_DECORATE && get_length(at) == 4)
        read_decoration(self, at);
    if ((op == OP_EXECUTION_MODE && at[2] == MODE_LOCAL_SIZE) ||
        (op == OP_EXECUTION_MODE_ID && at[2] == MODE_LOCAL_SIZE_ID))
        self->size_mode = at;
    self->n_entries += op == OP_ENTRY_POINT;
}

/* The value given to a specialization constant, else @value. */
static guint64
specialize(const Module *self, guint32 id, guint64 value)
{
    const VkSpecializationInfo *special = self->special;

    for (guint i = 0;
         special != NULL && self->decorations[id] != NULL && i < special->mapEntryCount; i++) {
        const VkSpecializationMapEntry *entry = &special->pMapEntries[i];
        if (entry->constantID != self->decorations[id][3])
            continue;
        value = 0; /* little-endian, as all that Vulkan runs on */
        memcpy(&value, (const char *) special->pData + entry->offset, MIN(entry->size, 8));
    }
    return value;
}

static guint64 evaluate(const Module *self, guint32 id);

/* The @index-th component of a constant vector. */
static guint64
evaluate_component(const Module *self, guint32 id, guint32 index)
{
    const guint32 *at = get_definition(self, id);

    if ((get_op(at) != OP_CONSTANT_COMPOSITE && get_op(at) != OP_SPEC_CONSTANT_COMPOSITE) ||
        3 + index >= get_length(at))
        shim_fail("a module whose id %u is no vector of constants", id);
    return evaluate(self, at[3 + index]);
}

static guint32
compute(guint op, guint32 a, guint32 b)
{
    switch (op) {
    case OP_I_ADD:
        return a + b;
    case OP_I_SUB:
        return a - b;
    case OP_I_MUL:
        return a * b;
    case OP_U_DIV:
        return b != 0 ? a / b : 0;
    case OP_S_DIV:
        return b != 0 ? (guint32) ((gint64) (gint32) a / (gint32) b) : 0;
    case OP_U_MOD:
        return b != 0 ? a % b : 0;
    case OP_I_EQUAL:
        return a == b;
    case OP_I_NOT_EQUAL:
        return a != b;
    case OP_U_GREATER_THAN:
        return a > b;
    case OP_U_GREATER_THAN_EQUAL:
        return a >= b;
    case OP_U_LESS_THAN:
        return a < b;
    case OP_U_LESS_THAN_EQUAL:
        return a <= b;
    case OP_SHIFT_RIGHT_LOGICAL:
        return a >> (b & 31);
    case OP_SHIFT_LEFT_LOGICAL:
        return a << (b & 31);
    case OP_BITWISE_OR:
        return a | b;
    case OP_BITWISE_XOR:
        return a ^ b;
    case OP_BITWISE_AND:
        return a & b;
    default:
        shim_fail("a module that computes a constant with instruction %u", op);
    }
}

/* OpSpecConstantOp: result type, result, instruction, operands. */
static guint64
evaluate_operation(const Module *self, const guint32 *at)
{
    switch (at[3]) {
    case OP_COMPOSITE_EXTRACT:
        return evaluate_component(self, at[4], at[5]);
    case OP_U_CONVERT:
    case OP_S_CONVERT:
    case OP_BITCAST:
        return evaluate(self, at[4]);
    case OP_SELECT:
        return evaluate(self, evaluate(self, at[4]) != 0 ? at[5] : at[6]);
    default:
        if (get_length(at) != 6)
            shim_fail("a module that computes a constant with instruction %u", at[3]);
        return compute(at[3], (guint32) evaluate(self, at[4]), (guint32) evaluate(self, at[5]));
    }
}

static guint64
evaluate(const Module *self, guint32 id)
{
    const guint32 *at = get_definition(self, id);

    switch (get_op(at)) {
    case OP_CONSTANT_FALSE:
        return 0;
    case OP_CONSTANT_TRUE:
        return 1;
    case OP_CONSTANT:
        return at[3];
    case OP_SPEC_CONSTANT_TRUE:
    case OP_SPEC_CONSTANT_FALSE:
        return specialize(self, id, get_op(at) == OP_SPEC_CONSTANT_TRUE);
    case OP_SPEC_CONSTANT:
        return specialize(self, id, at[3]);
    case OP_SPEC_CONSTANT_OP:
        return evaluate_operation(self, at);
    default:
        shim_fail("a module whose id %u is no constant", id);
    }
}

/* Bytes of a type, without padding. */
static guint64
measure_type(const Module *self, guint32 id)
{
    const guint32 *at = get_definition(self, id);
    guint64 sum = 0;

    switch (get_op(at)) {
    case OP_TYPE_BOOL:
        return 4;
    case OP_TYPE_INT:
    case OP_TYPE_FLOAT:
        return at[2] / 8;
    case OP_TYPE_VECTOR:
    case OP_TYPE_MATRIX:
        return at[3] * measure_type(self, at[2]);
    case OP_TYPE_ARRAY:
        return evaluate(self, at[3]) * measure_type(self, at[2]);
    case OP_TYPE_STRUCT:
        for (guint i = 2; i < get_length(at); i++)
            sum += measure_type(self, at[i]);
        return sum;
    default:
        shim_fail("a module with shared variables of type instruction %u", get_op(at));
    }
}

static void
measure_group(const Module *self, guint64 *size)
{
    for (guint i = 0; i < 3; i++) {
        if (self->size_id != 0)
            size[i] = evaluate_component(self, self->size_id, i);
        else if (self->size_mode == NULL)
            shim_fail("a module without a workgroup's size");
        else if (get_op(self->size_mode) == OP_EXECUTION_MODE_ID)
            size[i] = evaluate(self, self->size_mode[3 + i]);
        else
            size[i] = self->size_mode[3 + i];
    }
}

/* Bytes of all shared variables. */
static guint64
measure_shared(const Module *self)
{
    guint64 sum = 0;

    for (guint id = 0; id < self->n_ids; id++) {
        const guint32 *at = self->definitions[id];
        if (at != NULL && get_op(at) == OP_VARIABLE && at[3] == STORAGE_WORKGROUP)
            sum += measure_type(self, get_definition(self, at[1])[3]);
    }
    return sum;
}

ShimKernel
shim_spirv_measure(const guint32 *words, gsize n, const VkSpecializationInfo *special)
{
    Module self = {.words = words, .n = n, .special = special};
    const guint32 *at = NULL;
    ShimKernel kernel;

    self.n_ids = n > HEAD ? words[3] : 0;
    g_autofree const guint32 **definitions = g_new0(const guint32 *, self.n_ids);
    g_autofree const guint32 **decorations = g_new0(const guint32 *, self.n_ids);
    self.definitions = definitions;
    self.decorations = decorations;
    while ((at = get_next(words, n, at)) != NULL)
        read_instruction(&self, at);
    if (self.n_entries != 1)
        shim_fail("a module with %u entry points", self.n_entries);
    measure_group(&self, kernel.size);
    kernel.shared = measure_shared(&self);
    return kernel;
}
