/* shaders/include/product.glsl - SPDX-License-Identifier: MIT */

/* What matrix products are told, whichever way they go: tiles.glsl or direct.glsl. */

#include "adit.glsl"

/* What becomes of a result, element @e of the output. */
#ifndef ADIT_EPILOGUE
#define ADIT_EPILOGUE(value, row, column, e) OUT(e) = value
#endif

/**
 * AditSide: where an input's numbers lie: number k of line i of part p is element
 * first + i line_step + k k_step + p part_step.
 * @end: elements of the window
 */
struct AditSide {
    uint first;
    uint line_step;
    uint k_step;
    uint part_step;
    uint end;
};

/**
 * AditProduct: a sum of @parts products of @rows x @depth and @depth x @columns numbers, to the output
 * from element @to on.
 * @group: number of the workgroup among those of this product
 */
struct AditProduct {
    uint rows;
    uint columns;
    uint depth;
    uint parts;
    uint to;
    uint group;
    AditSide left;
    AditSide right;
};
