/* shaders/include/data.glsl - SPDX-License-Identifier: MIT */

/* Data as it lies on the device, read as words: a float32 each, or four bytes, the first of them lowest.
 * What each of the 256 bytes is read as the host has worked out: a table among the words, so that it is
 * the same bits on every device. @table: where it begins, counted from the words of the kernel; 0: it is
 * float32. */

/* The word that has number @e. */
uint
adit_data_word(uint table, uint e)
{
    return table != 0u ? e / 4u : e;
}

/* Number @e, which @word has. */
float
adit_data_number(uint table, uint e, uint word)
{
    uint byte = (word >> (8u * (e % 4u))) & 255u;

    return uintBitsToFloat(table != 0u ? words[push.words + table + byte] : word);
}
