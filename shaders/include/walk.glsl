/* shaders/include/walk.glsl - SPDX-License-Identifier: MIT */

/* The head of the two kernels that a walk is made of, whose text comes at run time: walk-rows.glsl goes
 * through the network row by row and back, walk-sums.glsl sums over the rows and updates. Nobody runs
 * `begin` for them: the first reads the call's slot of the ring itself, which is the host's memory and
 * far away, once a workgroup, and leaves it in the block for the second. It hands cursor and status on
 * to the second, which alone sets them, so that none reads what its neighbour writes.
 *
 * With TAKES_CALL a text does that; the others have the states instead of the ring. */

#define ADIT_BLOCK_WRITABLE
#ifdef TAKES_CALL
#define ADIT_INPUT0_TYPE uint
#endif
#define ADIT_INPUT1_TYPE uint
#include "adit.glsl"

#include "normal.glsl"

/* What the bindings are: figures and what the first kernel leaves for the second, the ring, numbers of
 * rows of data, then the arenas. */
#define KEPT        output_numbers
#define STATES      input0_numbers
#define ROW_NUMBERS input1_numbers
#define PARAMETERS  input2_numbers
#define GRADIENTS   input3_numbers
#define SLOTS       input4_numbers

/* A word, or a number, of what was recorded. */
#define WORD(index)   words[push.words + (index)]
#define NUMBER(index) uintBitsToFloat(WORD(index))
/* A live number of the call. */
#define LIVE(index) uintBitsToFloat(ADIT_CALL(BLOCK_LIVES + (index)))

float
walk_invert_deviation(float variance, float epsilon)
{
    return 1.0 / adit_sqrt(variance + epsilon);
}
