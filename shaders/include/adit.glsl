/* shaders/include/adit.glsl - SPDX-License-Identifier: MIT */

/* The head of every shader: where its numbers lie and what it is told about them. The same is told
 * to a CPU kernel in its AditKernelCall; README.md explains the words. */

/* What may be different for every dispatch of a program. Elements are counted from the begin of
 * the bound window. */
layout(push_constant) uniform Push {
    uint words;    /* where this instruction's words begin */
    uint row;      /* number, within the batch, of the first row that the windows hold */
    uint rows;     /* rows of this dispatch; 1 for values without rows */
    uint batch;    /* rows of the whole batch */
    uint slice;    /* number of the first slice: sums over rows */
    uint part;     /* concat: where the input begins along the axis */
    uint key;      /* noise: where the stream's key lies in the words */
    uint out_at;   /* first element of the output */
    uint in_at[5]; /* and of the inputs */
} push;

/* What changes from call to call; the device keeps it. */
#ifndef ADIT_BLOCK_WRITABLE
layout(std430, set = 0, binding = 0) readonly buffer Block { uint block[]; };
#else
layout(std430, set = 0, binding = 0) buffer Block { uint block[]; };
#endif
layout(std430, set = 0, binding = 1) readonly buffer Words { uint words[]; };
layout(std430, set = 0, binding = 2) buffer Output { float output_numbers[]; };
/* Kernels may take some for uint: arithmetic is not to see bits that are no number. */
/* A fused kernel has further outputs: inputs with an empty ADIT_INPUTn_ACCESS. */
#ifndef ADIT_INPUT0_ACCESS
#define ADIT_INPUT0_ACCESS readonly
#endif
#ifndef ADIT_INPUT1_ACCESS
#define ADIT_INPUT1_ACCESS readonly
#endif
#ifndef ADIT_INPUT2_ACCESS
#define ADIT_INPUT2_ACCESS readonly
#endif
#ifndef ADIT_INPUT3_ACCESS
#define ADIT_INPUT3_ACCESS readonly
#endif
#ifndef ADIT_INPUT4_ACCESS
#define ADIT_INPUT4_ACCESS readonly
#endif
#ifndef ADIT_INPUT0_TYPE
#define ADIT_INPUT0_TYPE float
#endif
#ifndef ADIT_INPUT1_TYPE
#define ADIT_INPUT1_TYPE float
#endif
#ifndef ADIT_INPUT3_TYPE
#define ADIT_INPUT3_TYPE float
#endif
#ifndef ADIT_INPUT4_TYPE
#define ADIT_INPUT4_TYPE float
#endif
layout(std430, set = 0, binding = 3) ADIT_INPUT0_ACCESS buffer Input0 { ADIT_INPUT0_TYPE input0_numbers[]; };
layout(std430, set = 0, binding = 4) ADIT_INPUT1_ACCESS buffer Input1 { ADIT_INPUT1_TYPE input1_numbers[]; };
layout(std430, set = 0, binding = 5) ADIT_INPUT2_ACCESS buffer Input2 { float input2_numbers[]; };
layout(std430, set = 0, binding = 6) ADIT_INPUT3_ACCESS buffer Input3 { ADIT_INPUT3_TYPE input3_numbers[]; };
layout(std430, set = 0, binding = 7) ADIT_INPUT4_ACCESS buffer Input4 { ADIT_INPUT4_TYPE input4_numbers[]; };

/* Element e of an operand, counted over the rows of the window. */
#define OUT(e) output_numbers[push.out_at + (e)]
#define IN0(e) input0_numbers[push.in_at[0] + (e)]
#define IN1(e) input1_numbers[push.in_at[1] + (e)]
#define IN2(e) input2_numbers[push.in_at[2] + (e)]
#define IN3(e) input3_numbers[push.in_at[3] + (e)]
#define IN4(e) input4_numbers[push.in_at[4] + (e)]

/* The block, as adit-vulkan-private.h. */
#define BLOCK_STATUS        0 /* not 0: a guarded value was not finite; nothing is computed */
#define BLOCK_FAILED_SERIAL 1
#define BLOCK_FAILED_STEP   2 /* two words */
#define BLOCK_CURSOR        4 /* calls begun */
#define BLOCK_SERIAL        5 /* number of the call */
#define BLOCK_STEP          6 /* two words */
#define BLOCK_FIRST_ROW     8 /* number of the batch's first row */
#define BLOCK_LOG           9 /* where the call's rows go in the logs */
#define BLOCK_WALK_CURSOR   10 /* of a walk's first kernel for its second: the cursor, the status */
#define BLOCK_WALK_STATUS   11
#define BLOCK_ROWS          12 /* of the call that are there, as far as they are counted here */
#define BLOCK_FEEDS         16
#define BLOCK_FEED_WORDS    12 /* first row, has an order, its size, its half bits, 8 round keys */
#define BLOCK_LIVES         64 /* the update's number, then the live numbers */

/* A word of the call's slot. */
#ifndef ADIT_CALL
#define ADIT_CALL(word) block[word]
#endif

bool
adit_is_running()
{
    return block[BLOCK_STATUS] == 0u;
}

/* Operands: 0 is the output, 1 the first input, ... */
#define VIEW_WORDS 11

bool
adit_has_rows(uint view)
{
    return words[push.words + view * VIEW_WORDS] != 0u;
}

/* Elements a row. */
uint
adit_count(uint view)
{
    return words[push.words + view * VIEW_WORDS + 1u];
}

uint
adit_rank(uint view)
{
    return words[push.words + view * VIEW_WORDS + 2u];
}

uint
adit_size(uint view, uint axis)
{
    return words[push.words + view * VIEW_WORDS + 3u + axis];
}

/* What the operation's builder gave, as its `encode` wrote it; behind output and five inputs. */
uint
adit_attribute(uint index)
{
    return words[push.words + 6u * VIEW_WORDS + index];
}

float
adit_attribute_float(uint index)
{
    return uintBitsToFloat(adit_attribute(index));
}

/* First element of row r (of this dispatch) of an input: inputs without rows are the same for all. */
uint
adit_row_of(uint view, uint r)
{
    return adit_has_rows(view) ? r * adit_count(view) : 0u;
}

/* Rows of this dispatch that are there: a call may be for some of them, which come first. Those beyond
 * may be computed too. */
uint
adit_present_rows()
{
    return min(push.rows, block[BLOCK_ROWS] - min(push.row, block[BLOCK_ROWS]));
}

/* Elements of the output in this dispatch. */
uint
adit_output_elements()
{
    return (adit_has_rows(0) ? push.rows : 1u) * adit_count(0);
}

/* Number of the workgroup and of the invocation: what does not fit into x goes on in y. */
uint
adit_group()
{
    return gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
}

/* A macro: a function would be given the workgroup's size as it stands here, which is before the kernel
 * has said it: 1. */
#define adit_invocation() (adit_group() * gl_WorkGroupSize.x + gl_LocalInvocationID.x)

/* First row of slice s within the batch, as adit_slice_begin(). */
uint
adit_slice_begin(uint s)
{
    return min(s * ((push.batch + 7u) / 8u), push.batch);
}

/* By the bits: compilers may take x != x for false. */
bool
adit_is_nan(float x)
{
    return (floatBitsToUint(x) & 0x7fffffffu) > 0x7f800000u;
}

bool
adit_is_finite(float x)
{
    return (floatBitsToUint(x) & 0x7f800000u) != 0x7f800000u;
}

/* NaN wins. */
float
adit_max_of(float a, float b)
{
    return adit_is_nan(a) ? a : adit_is_nan(b) ? b : max(a, b);
}

float
adit_min_of(float a, float b)
{
    return adit_is_nan(a) ? a : adit_is_nan(b) ? b : min(a, b);
}
