/* tests/fuzz/mutate.c - SPDX-License-Identifier: MIT */
#include "mutate.h"

#include <string.h>

#define RANGE_MAX 64

static guint
below(GRand *random, guint n)
{
    return n > 1 ? (guint) g_rand_int_range(random, 0, (gint32) n) : 0;
}

/* Puts @size bytes in place of @removed of them. */
static void
splice(GByteArray *self, guint at, guint removed, const void *bytes, guint size)
{
    g_autoptr(GByteArray) result = g_byte_array_sized_new(self->len - removed + size);

    g_byte_array_append(result, self->data, at);
    g_byte_array_append(result, bytes, size);
    g_byte_array_append(result, self->data + at + removed, self->len - at - removed);
    g_byte_array_set_size(self, 0);
    g_byte_array_append(self, result->data, result->len);
}

/* A number at the edge of what some field holds, in one of both orders. */
static void
set_number(GByteArray *self, guint at, GRand *random)
{
    static const guint32 edges[] = {0,      1,      0x7f,       0x80,       0xff,      0x7fff,
                                    0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff};
    guint32 number = edges[below(random, G_N_ELEMENTS(edges))];
    guint size = 1u << below(random, 3);

    number = below(random, 2) == 0 ? GUINT32_TO_LE(number) : GUINT32_TO_BE(number);
    memcpy(self->data + at, &number, MIN(size, self->len - at));
}

static void
move_range(GByteArray *self, guint at, guint size, GRand *random)
{
    g_autofree guint8 *range = g_memdup2(self->data + at, size);
    guint removed = below(random, 2) == 0 ? size : 0;

    splice(self, at, removed, "", 0);
    splice(self, below(random, self->len + 1), 0, range, size);
}

static void
mutate_once(GByteArray *self, GRand *random, const char *const *words)
{
    guint at = below(random, self->len);
    guint length = 1 + below(random, RANGE_MAX), size = MIN(length, self->len - at);
    const char *word = words[below(random, g_strv_length((char **) words))];

    switch (self->len > 0 ? below(random, 7) : 6) {
    case 0:
        self->data[at] ^= (guint8) (1u << below(random, 8));
        break;
    case 1:
        self->data[at] = (guint8) below(random, 256);
        break;
    case 2:
        set_number(self, at, random);
        break;
    case 3:
        splice(self, at, size, "", 0);
        break;
    case 4:
        move_range(self, at, size, random);
        break;
    case 5:
        /* mostly other damage is of more use */
        if (below(random, 4) == 0)
            g_byte_array_set_size(self, at);
        break;
    case 6:
    default:
        splice(self, at, below(random, 2) == 0 ? MIN(strlen(word), self->len - at) : 0, word,
               (guint) strlen(word));
        break;
    }
}

void
mutate(GByteArray *bytes, GRand *random, const char *const *words)
{
    guint times = 1u << below(random, 4);

    for (guint i = 0; i < times; i++)
        mutate_once(bytes, random, words);
}
