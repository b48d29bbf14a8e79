/* shaders/include/slices.glsl - SPDX-License-Identifier: MIT */

/* For kernels that sum over rows, slice by slice. */

/* The slice of this workgroup. */
uint
adit_slice()
{
    return push.slice + gl_WorkGroupID.z;
}

/* Number, within the window, of its first row. */
uint
adit_slice_first()
{
    return adit_slice_begin(adit_slice()) - push.row;
}

uint
adit_slice_rows()
{
    return adit_slice_begin(adit_slice() + 1u) - adit_slice_begin(adit_slice());
}

/* First element of its partial result. */
uint
adit_slice_result()
{
    return adit_slice() * adit_count(0);
}
