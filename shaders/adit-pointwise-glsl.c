/* shaders/adit-pointwise-glsl.c - SPDX-License-Identifier: MIT */

/* Prints pointwise-rows.glsl when Adit is built: the table of pointwise operations as two functions
 * of a row's number. */

#include <stdio.h>

typedef struct {
    const char *name;
    unsigned arity;
    const char *value;
} Row;

static const Row rows[] = {
#define ADIT_POINTWISE(symbol, name, arity, parameters, value, glsl, ...) {name, arity, glsl},
#include "adit-pointwise.def"
};

#define N_ROWS (sizeof rows / sizeof rows[0])

int
main(void)
{
    printf("/* Made of adit-pointwise.def by adit-pointwise-glsl.c. */\n\n"
           "uint\nadit_pointwise_arity(uint row)\n{\n    switch (row) {\n");
    for (unsigned i = 0; i < N_ROWS; i++) {
        if (rows[i].arity > 1)
            printf("    case %uu:\n        return %uu;\n", i, rows[i].arity);
    }
    printf("    default:\n        return 1u;\n    }\n}\n\n"
           "float\nadit_pointwise(uint row, float a, float b, float c, float p)\n{\n"
           "    precise float y = a;\n\n    switch (row) {\n");
    for (unsigned i = 0; i < N_ROWS; i++)
        printf("    case %uu: /* %s */\n        y = %s;\n        break;\n", i, rows[i].name,
               rows[i].value);
    printf("    default:\n        break;\n    }\n    return y;\n}\n");
    return 0;
}
