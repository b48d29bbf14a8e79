/* shaders/include/philox.glsl - SPDX-License-Identifier: MIT */

/* The random numbers of core/base/adit-philox.c, the same bits. */

/* Philox4x32-10: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011,
 * section 3.3. */
uvec4
adit_philox(uvec4 counter, uvec2 key)
{
    for (uint round = 0; round < 10; round++) {
        uint high0, low0, high1, low1;

        umulExtended(0xd2511f53u, counter.x, high0, low0);
        umulExtended(0xcd9e8d57u, counter.z, high1, low1);
        counter = uvec4(high1 ^ counter.y ^ key.x, low1, high0 ^ counter.w ^ key.y, low0);
        key += uvec2(0x9e3779b9u, 0xbb67ae85u);
    }
    return counter;
}

/* In (0, 1), 23 of the 32 bits kept; exact. */
float
adit_uniform(uint bits)
{
    precise float number = (float(bits >> 9) + 0.5) * 1.1920928955078125e-07;

    return number;
}

/* The four words that element e of the noise from row @row of the batch on is made of, @count numbers
 * a row, and the number of its own: element e of the batch, counted over its rows, takes word e % 4 of
 * block (e / 4, step). */
uvec4
adit_noise_of(uint row, uint count, uint e, uvec2 key, out uint word)
{
    uint high, low, carry;

    umulExtended(ADIT_CALL(BLOCK_FIRST_ROW) + row, count, high, low);
    low = uaddCarry(low, e, carry);
    high += carry;
    word = low & 3u;
    return adit_philox(uvec4(low >> 2 | high << 30, high >> 2, ADIT_CALL(BLOCK_STEP),
                             ADIT_CALL(BLOCK_STEP + 1)),
                       key);
}

/* The same of element e of the dispatch. */
uvec4
adit_noise(uint e, out uint word)
{
    return adit_noise_of(push.row, adit_count(0), e, uvec2(words[push.key], words[push.key + 1u]),
                         word);
}

/* The round function of adit_permutation_at(): the finalizer of MurmurHash3. */
uint
adit_mix(uint x)
{
    x ^= x >> 16;
    x *= 0x85ebca6bu;
    x ^= x >> 13;
    x *= 0xc2b2ae35u;
    return x ^ x >> 16;
}

/* Where the order of a feed, whose words begin at `feed` of the block, has its row `index`: a keyed
 * Feistel network, walked along its cycle until the value is below the size. */
uint
adit_permute(uint feed, uint index)
{
    uint size = ADIT_CALL(feed + 2u), half_bits = ADIT_CALL(feed + 3u);
    uint mask = (1u << half_bits) - 1u;

    if (index >= size)
        return 0;
    do {
        uint left = index >> half_bits, right = index & mask;

        for (uint i = 0; i < 8; i++) {
            uint next = left ^ (adit_mix(right ^ ADIT_CALL(feed + 4u + i)) & mask);

            left = right;
            right = next;
        }
        index = left << half_bits | right;
    } while (index >= size);
    return index;
}
