/* core/device/adit-selftest-cases.c - SPDX-License-Identifier: MIT */
#include "adit-selftest-expressions.h"
#include "adit-selftest-list.h"

#include <adit/adit-ops.h>

#include "adit-pointwise.h"

/* The cases of every kernel. A new kernel gets a line here; a test compares with the tables. */

/* One below, at and above what a kernel may take together; primes. The first few are those of the
 * quick test. */
static const gsize sizes[] = {17, 1, 2, 7, 16, 64, 65, 129, 1000};
#define QUICK_SIZES 1

static guint
count_sizes(const AditSelftestList *list)
{
    return list->full ? G_N_ELEMENTS(sizes) : QUICK_SIZES;
}

/* ---- making cases ---- */

static void
add_run(AditSelftestCase *self, gsize rows)
{
    self->runs[self->n_runs++] = (AditSelftestRun){.rows = rows};
}

/* Runs of a case that has none yet: by the rows of its inputs. */
static void
add_runs(const AditSelftestList *list, AditSelftestCase *self)
{
    static const gsize many[] = {9, 1, 7, 8, 100, 129};
    gboolean rows = self->n_inputs == 0;

    for (guint i = 0; i < self->n_inputs; i++)
        rows = rows || self->inputs[i].rows;
    for (guint i = 0; i < (rows && list->full ? G_N_ELEMENTS(many) : 1); i++)
        add_run(self, rows ? many[i] : 1);
    if (rows && !list->full)
        add_run(self, 100);
}

AditSelftestCase *
adit_selftest_add(AditSelftestList *list, const char *kernel, AditSelftestBuild build, double limit)
{
    AditSelftestCase *self = g_new0(AditSelftestCase, 1);

    self->kernel = kernel;
    self->target = kernel;
    self->build = build;
    self->limit = limit;
    self->positions = 1;
    g_ptr_array_add(list->cases, self);
    return self;
}

void
adit_selftest_add_input(AditSelftestCase *self, gboolean rows, AditShape shape)
{
    self->inputs[self->n_inputs++] = (AditSelftestInput){rows, shape};
}

AditSelftestCase *
adit_selftest_add_one(AditSelftestList *list, const char *kernel, AditSelftestBuild build,
                      double limit, gboolean rows, AditShape shape)
{
    AditSelftestCase *self = adit_selftest_add(list, kernel, build, limit);

    adit_selftest_add_input(self, rows, shape);
    return self;
}

/* ---- what a device does beside kernels ---- */

static void
list_own(AditSelftestList *list)
{
    static const AditTypeCode types[] = {ADIT_TYPE_CODE_F32, ADIT_TYPE_CODE_U8, ADIT_TYPE_CODE_I32,
                                         ADIT_TYPE_CODE_F64};

    /* each type with and without an order and a subset of the rows, resident and streamed */
    for (guint i = 0; i < 8 * G_N_ELEMENTS(types); i++) {
        guint way = i / G_N_ELEMENTS(types);

        if (!list->full && way != 0 && way != 3 && way != 7)
            continue;
        AditSelftestCase *self =
            adit_selftest_add_one(list, "feed", NULL, ELEMENTS, TRUE, ADIT_SHAPE(7));

        self->kind = ADIT_SELFTEST_FEED;
        self->numbers[0] = types[i % G_N_ELEMENTS(types)];
        self->numbers[1] = way;
        for (gsize rows = 1; rows <= 129; rows = 2 * rows + 5)
            self->runs[self->n_runs++] = (AditSelftestRun){.rows = rows, .feed_row = 130 - rows};
    }
    adit_selftest_add_one(list, "note-rows", NULL, ELEMENTS, TRUE, ADIT_SCALAR)->kind =
        ADIT_SELFTEST_SUMS;

    AditSelftestCase *guard =
        adit_selftest_add_one(list, "guard", NULL, ELEMENTS, TRUE, ADIT_SCALAR);

    guard->kind = ADIT_SELFTEST_GUARD;
    for (guint i = 0; i < 3; i++)
        guard->runs[guard->n_runs++] = (AditSelftestRun){.rows = 20, .feed_row = i % 2 * 20};
}

/* ---- pointwise ---- */

/* Numbers for which the operation and its gradient are defined. */
static const struct {
    const char *name;
    AditSelftestValues first;
} domains[] = {
    {"log", ADIT_VALUES_POSITIVE},
    {"sqrt", ADIT_VALUES_POSITIVE},
    {"sqrt-gradient", ADIT_VALUES_POSITIVE},
    {"pow", ADIT_VALUES_POSITIVE},
    {"pow-base-gradient", ADIT_VALUES_POSITIVE},
    {"pow-exponent-gradient", ADIT_VALUES_POSITIVE},
};

static AditSelftestCase *
add_pointwise(AditSelftestList *list, const AditPointwise *row)
{
    AditSelftestCase *self =
        adit_selftest_add(list, row->name, adit_selftest_build_pointwise, ELEMENTS);

    self->op = row->op;
    for (guint i = 0; i < G_N_ELEMENTS(domains); i++) {
        if (g_str_equal(domains[i].name, row->name))
            self->values[0] = domains[i].first;
    }
    return self;
}

/* Sizes of three operands, of which an operation takes as many as it has; 0: the axis is missing.
 */
static const struct {
    gboolean rows[3];
    gsize size[3][3];
} layouts[] = {
    {{TRUE, FALSE, TRUE}, {{0, 0, 17}, {0, 0, 17}, {0, 0, 0}}},
    {{TRUE, TRUE, TRUE}, {{0, 0, 65}, {0, 0, 65}, {0, 0, 65}}},
    {{TRUE, TRUE, TRUE}, {{0, 0, 0}, {0, 0, 0}, {0, 0, 0}}},
    {{TRUE, TRUE, FALSE}, {{0, 0, 129}, {0, 0, 1}, {0, 0, 129}}},
    {{FALSE, TRUE, TRUE}, {{0, 0, 43}, {0, 3, 43}, {0, 3, 1}}},
    {{TRUE, TRUE, FALSE}, {{5, 1, 7}, {0, 3, 1}, {0, 0, 7}}},
    {{TRUE, FALSE, FALSE}, {{0, 3, 16}, {0, 0, 0}, {0, 3, 1}}},
    {{FALSE, FALSE, FALSE}, {{0, 0, 129}, {0, 0, 129}, {0, 0, 1}}},
    {{FALSE, FALSE, FALSE}, {{0, 5, 1}, {0, 1, 7}, {0, 0, 0}}},
};

static AditShape
make_shape(const gsize *size)
{
    AditShape shape = ADIT_SCALAR;

    for (guint i = 0; i < 3; i++) {
        if (size[i] > 0)
            shape.size[shape.rank++] = size[i];
    }
    return shape;
}

/* How operands are repeated is the same code for all operations; the quick test looks at it for one
 * of each number of operands. */
static void
list_layouts(AditSelftestList *list, const AditPointwise *row)
{
    gboolean is_sample = g_str_equal(row->name, "scale") || g_str_equal(row->name, "mul") ||
                         g_str_equal(row->name, "select");

    if (!list->full && !is_sample)
        return;
    for (guint i = 0; i < G_N_ELEMENTS(layouts); i++) {
        AditSelftestCase *self = add_pointwise(list, row);

        for (guint k = 0; k < row->arity; k++)
            adit_selftest_add_input(self, layouts[i].rows[k], make_shape(layouts[i].size[k]));
    }
}

static void
list_pointwise(AditSelftestList *list)
{
    static const gsize crossings[] = {0, 16, 16 * 16, 8 * 8 * 8};
    guint n;
    const AditPointwise *rows = adit_pointwise_list(&n);

    for (guint i = 0; i < n; i++) {
        AditSelftestCase *crossed = add_pointwise(list, &rows[i]);
        AditSelftestCase *wide = add_pointwise(list, &rows[i]);

        crossed->spread = ADIT_SPREAD_CROSSED;
        wide->spread = ADIT_SPREAD_WIDE;
        for (guint k = 0; k < rows[i].arity; k++) {
            adit_selftest_add_input(crossed, TRUE, ADIT_SHAPE(crossings[rows[i].arity]));
            adit_selftest_add_input(wide, TRUE, ADIT_SHAPE(57));
        }
        add_run(crossed, 1);
        add_run(wide, 9);
        list_layouts(list, &rows[i]);
    }
}

/* ---- products ---- */

/* Depth and width of what is multiplied; the first few are the quick test's. */
static const gsize products[][2] = {
    {17, 65}, {1, 1},   {1, 129},  {129, 1}, {7, 13},   {16, 16}, {64, 64},
    {65, 17}, {128, 3}, {129, 65}, {3, 130}, {300, 33}, {19, 21},
};
#define QUICK_PRODUCTS 1

static AditSelftestCase *
add_matmul(AditSelftestList *list, gboolean rows, AditShape left, gsize width, gboolean transposed)
{
    AditSelftestCase *self =
        adit_selftest_add_one(list, "matmul", adit_selftest_build_matmul, PRODUCTS, rows, left);
    gsize depth = left.size[left.rank - 1];

    adit_selftest_add_input(self, FALSE,
                            transposed ? ADIT_SHAPE(width, depth) : ADIT_SHAPE(depth, width));
    self->numbers[0] = transposed;
    return self;
}

static AditSelftestCase *
add_matmul_rows(AditSelftestList *list, gboolean rows, AditShape left, AditShape right)
{
    AditSelftestCase *self =
        adit_selftest_add_one(list, rows ? "matmul-rows" : "matmul-outer",
                              adit_selftest_build_matmul_rows, PRODUCTS, rows, left);

    adit_selftest_add_input(self, rows, right);
    return self;
}

/* @lines x @depth by @depth x @columns, @n of them a row; @way: 1, 2: the left, the right one is
 * transposed. Rows have nothing to do with each other, so a few will do. */
static AditSelftestCase *
add_batch_matmul(AditSelftestList *list, gboolean rows, gsize n, gsize lines, const gsize *product,
                 guint way)
{
    gsize depth = product[0], columns = product[1];
    AditShape left = way & 1 ? ADIT_SHAPE(n, depth, lines) : ADIT_SHAPE(n, lines, depth);
    AditSelftestCase *self = adit_selftest_add_one(
        list, "batch-matmul", adit_selftest_build_batch_matmul, PRODUCTS, rows, left);

    adit_selftest_add_input(
        self, rows, way & 2 ? ADIT_SHAPE(n, columns, depth) : ADIT_SHAPE(n, depth, columns));
    self->numbers[0] = way;
    add_run(self, rows ? 9 : 1);
    if (rows)
        add_run(self, 1);
    return self;
}

static void
list_batch_products(AditSelftestList *list)
{
    static const gsize lines[] = {5, 17, 65, 1};

    for (guint i = 0; i < (list->full ? G_N_ELEMENTS(products) : QUICK_PRODUCTS); i++) {
        for (guint way = 0; way < 4; way++) {
            add_batch_matmul(list, TRUE, 3, lines[(i + way) % 4], products[i], way);
            add_batch_matmul(list, FALSE, 2, lines[i % 4], products[i], way);
        }
    }
    AditSelftestCase *sprinkled = add_batch_matmul(list, TRUE, 2, 5, (gsize[]){19, 21}, 3);

    sprinkled->spread = ADIT_SPREAD_SPRINKLED;
    add_run(sprinkled, 129);
}

/* Of tokens, width and heads; @whole: which of the inputs is the same for all rows: a device is fed
 * with four at most. */
static AditSelftestCase *
add_attention(AditSelftestList *list, const char *kernel, const gsize *attended, gboolean drops,
              guint whole)
{
    AditSelftestCase *self =
        adit_selftest_add(list, kernel, adit_selftest_build_attention, PRODUCTS);

    for (guint i = 0; i < 3; i++)
        adit_selftest_add_input(self, i != whole, ADIT_SHAPE(attended[0], attended[1]));
    self->numbers[0] = attended[2];
    self->numbers[1] = drops;
    self->of_gradient = g_str_equal(kernel, "attention-gradient");
    return self;
}

static void
list_attention(AditSelftestList *list, const char *kernel)
{
    /* more keys than a tile has, too */
    static const gsize attended[][3] = {
        {17, 12, 3}, {1, 1, 1},  {2, 6, 2},   {7, 5, 5},   {8, 16, 4},
        {9, 33, 1},  {65, 8, 2}, {65, 32, 1}, {129, 6, 3}, {500, 4, 2},
    };
    static const gsize few[] = {5, 4, 2};

    for (guint i = 0; i < 2 * (list->full ? G_N_ELEMENTS(attended) : 1); i++) {
        AditSelftestCase *self = add_attention(list, kernel, attended[i / 2], i % 2, (i + 2) % 3);

        self->runs[self->n_runs++] = (AditSelftestRun){.rows = 9};
        self->runs[self->n_runs++] = (AditSelftestRun){.rows = 2, .first_row = 100003, .step = 3};
        if (attended[i / 2][0] < 20)
            self->runs[self->n_runs++] = (AditSelftestRun){.rows = 129};
    }
    add_attention(list, kernel, few, FALSE, 2)->spread = ADIT_SPREAD_SPRINKLED;
}

static void
list_products(AditSelftestList *list)
{
    for (guint i = 0; i < (list->full ? G_N_ELEMENTS(products) : QUICK_PRODUCTS); i++) {
        gsize m = products[i][0], n = products[i][1];

        for (guint transposed = 0; transposed < 2; transposed++) {
            add_matmul(list, TRUE, ADIT_SHAPE(m), n, transposed);
            add_matmul(list, TRUE, ADIT_SHAPE(3, m), n, transposed);
            add_matmul(list, FALSE, ADIT_SHAPE(5, m), n, transposed);
        }
    }
    add_matmul(list, FALSE, ADIT_SHAPE(7), 65, FALSE);
    add_matmul(list, TRUE, ADIT_SHAPE(19), 3, FALSE)->spread = ADIT_SPREAD_SPRINKLED;
    add_matmul(list, TRUE, ADIT_SHAPE(19), 3, TRUE)->spread = ADIT_SPREAD_SPRINKLED;
    for (guint i = 0; i < (list->full ? G_N_ELEMENTS(products) : QUICK_PRODUCTS); i++) {
        gsize m = products[i][0], n = products[i][1];

        add_matmul_rows(list, TRUE, ADIT_SHAPE(m), ADIT_SHAPE(n));
        add_matmul_rows(list, TRUE, ADIT_SHAPE(3, m), ADIT_SHAPE(3, n));
    }
    add_matmul_rows(list, TRUE, ADIT_SHAPE(19), ADIT_SHAPE(21))->spread = ADIT_SPREAD_SPRINKLED;
    for (guint i = 0; i < (list->full ? G_N_ELEMENTS(products) : QUICK_PRODUCTS); i++) {
        gsize m = products[i][0], n = products[i][1];

        add_matmul_rows(list, FALSE, ADIT_SHAPE(m), ADIT_SHAPE(n));
        add_matmul_rows(list, FALSE, ADIT_SHAPE(37, m), ADIT_SHAPE(37, n));
    }
}

/* ---- reductions ---- */

static const char *const reductions[] = {
    [ADIT_REDUCE_SUM] = "sum", [ADIT_REDUCE_MEAN] = "mean",     [ADIT_REDUCE_MAX] = "max",
    [ADIT_REDUCE_MIN] = "min", [ADIT_REDUCE_ARGMAX] = "argmax",
};

static double
limit_of(guint reduction)
{
    return reduction <= ADIT_REDUCE_MEAN ? ELEMENTS : MOVES;
}

static const char *
name_of(const char *family, guint reduction)
{
    g_autofree char *name = g_strconcat(family, reductions[reduction], NULL);

    return g_intern_string(name);
}

static AditSelftestCase *
add_reduce(AditSelftestList *list, guint reduction, gboolean rows, AditShape shape, gsize first,
           gsize n_axes)
{
    AditSelftestCase *self =
        adit_selftest_add_one(list, name_of("reduce-", reduction), adit_selftest_build_reduce,
                              limit_of(reduction), rows, shape);

    self->numbers[0] = reduction;
    self->numbers[1] = first;
    self->numbers[2] = n_axes;
    return self;
}

static void
list_reductions(AditSelftestList *list)
{
    for (guint r = 0; r < G_N_ELEMENTS(reductions); r++) {
        for (guint i = 0; i < count_sizes(list); i++) {
            add_reduce(list, r, TRUE, ADIT_SHAPE(sizes[i]), 0, 1);
            add_reduce(list, r, TRUE, ADIT_SHAPE(3, sizes[i]), 1, 1);
            add_reduce(list, r, TRUE, ADIT_SHAPE(sizes[i], 5), 0, 1);
            add_reduce(list, r, FALSE, ADIT_SHAPE(2, sizes[i], 3), 1, 1);
        }
        add_reduce(list, r, FALSE, ADIT_SHAPE(65), 0, 1);
        add_reduce(list, r, TRUE, ADIT_SHAPE(5, 37), 1, 1)->spread = ADIT_SPREAD_SPRINKLED;
        if (r != ADIT_REDUCE_ARGMAX)
            add_reduce(list, r, TRUE, ADIT_SHAPE(3, 7, 11), 0, 2);
        if (r != ADIT_REDUCE_ARGMAX)
            add_reduce(list, r, TRUE, ADIT_SHAPE(3, 7, 11), 0, 3);
    }
}

static AditSelftestCase *
add_reduce_rows(AditSelftestList *list, const char *family, guint reduction, AditShape shape)
{
    AditSelftestCase *self =
        adit_selftest_add_one(list, name_of(family, reduction), adit_selftest_build_reduce_rows,
                              limit_of(reduction), TRUE, shape);

    self->numbers[0] = reduction;
    self->target = name_of("rows-", reduction);
    return self;
}

/* A slice of one row is that row: what is summed is summed by the combining. */
static void
add_single_rows(AditSelftestCase *self)
{
    static const gsize rows[] = {8, 1, 2, 7};

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        add_run(self, rows[i]);
}

static void
list_combines(AditSelftestList *list)
{
    for (guint r = ADIT_REDUCE_SUM; r <= ADIT_REDUCE_MIN; r++) {
        for (guint i = 0; i < count_sizes(list); i++)
            add_single_rows(add_reduce_rows(list, "combine-", r, ADIT_SHAPE(sizes[i])));
        AditSelftestCase *special = add_reduce_rows(list, "combine-", r, ADIT_SHAPE(65));

        special->spread = ADIT_SPREAD_SPRINKLED;
        add_single_rows(special);
    }
    for (guint i = 0; i < count_sizes(list); i++) {
        AditSelftestCase *self =
            adit_selftest_add_one(list, "combine-moments", adit_selftest_build_moments, ELEMENTS,
                                  TRUE, ADIT_SHAPE(sizes[i]));

        self->target = "moments";
        add_single_rows(self);
    }
}

static void
list_rows(AditSelftestList *list)
{
    for (guint r = ADIT_REDUCE_SUM; r <= ADIT_REDUCE_MIN; r++) {
        for (guint i = 0; i < count_sizes(list); i++)
            add_reduce_rows(list, "rows-", r, ADIT_SHAPE(sizes[i]));
        add_reduce_rows(list, "rows-", r, ADIT_SCALAR);
        add_reduce_rows(list, "rows-", r, ADIT_SHAPE(3, 5));
        add_run(add_reduce_rows(list, "rows-", r, ADIT_SHAPE(7)), 1003);
        add_reduce_rows(list, "rows-", r, ADIT_SHAPE(65))->spread = ADIT_SPREAD_SPRINKLED;
    }
}

/* ---- moving ---- */

static AditSelftestCase *
add_with(AditSelftestList *list, const char *kernel, AditSelftestBuild build, gboolean rows,
         AditShape shape, const gsize *numbers)
{
    AditSelftestCase *self = adit_selftest_add_one(list, kernel, build, MOVES, rows, shape);

    for (guint i = 0; i < ADIT_SELFTEST_NUMBERS; i++)
        self->numbers[i] = numbers[i];
    return self;
}

#define NUMBERS(...) ((gsize[ADIT_SELFTEST_NUMBERS]){__VA_ARGS__})

static void
list_broadcasts(AditSelftestList *list)
{
    for (guint rows = 0; rows < 2; rows++) {
        adit_selftest_add_one(list, "broadcast", adit_selftest_build_broadcast, MOVES, rows,
                              ADIT_SHAPE(3, 1, 5))
            ->shape = ADIT_SHAPE(2, 3, 4, 5);
        adit_selftest_add_one(list, "broadcast", adit_selftest_build_broadcast, MOVES, rows,
                              ADIT_SCALAR)
            ->shape = ADIT_SHAPE(129);
        adit_selftest_add_one(list, "broadcast", adit_selftest_build_broadcast, MOVES, rows,
                              ADIT_SHAPE(65))
            ->shape = ADIT_SHAPE(3, 65);
        adit_selftest_add_one(list, "broadcast", adit_selftest_build_broadcast, MOVES, rows,
                              ADIT_SHAPE(7, 1))
            ->shape = ADIT_SHAPE(7, 17);
    }
    for (guint i = 0; i < count_sizes(list); i++)
        adit_selftest_add_one(list, "broadcast-rows", adit_selftest_build_broadcast_rows, MOVES,
                              FALSE, ADIT_SHAPE(sizes[i]));
    for (guint i = 0; i < count_sizes(list); i++)
        adit_selftest_add_one(list, "broadcast-rows-mean", adit_selftest_build_broadcast_rows_mean,
                              ELEMENTS, FALSE, ADIT_SHAPE(sizes[i]));
}

static void
list_transposes(AditSelftestList *list)
{
    static const AditShape shapes[] = {
        {2, {5, 7}},       {3, {2, 3, 4}}, {1, {17}},
        {4, {2, 3, 4, 5}}, {2, {65, 33}},  {8, {2, 1, 3, 1, 2, 2, 1, 2}},
    };

    for (guint i = 0; i < (list->full ? G_N_ELEMENTS(shapes) : 2); i++) {
        add_with(list, "transpose", adit_selftest_build_transpose, TRUE, shapes[i], NUMBERS(1, 0));
        add_with(list, "transpose", adit_selftest_build_transpose, TRUE, shapes[i], NUMBERS(0, 1));
        add_with(list, "transpose", adit_selftest_build_transpose, FALSE, shapes[i], NUMBERS(1, 1));
    }
    add_with(list, "transpose", adit_selftest_build_transpose, TRUE, shapes[3], NUMBERS(2, 0))
        ->spread = ADIT_SPREAD_SPRINKLED;
}

static void
list_joins(AditSelftestList *list)
{
    /* with and without rows, in the first and in the last axis */
    for (guint axis = 0; axis < 2; axis++) {
        for (guint n = 2; n <= ADIT_MAX_INPUTS; n += list->full ? 1 : 4) {
            AditSelftestCase *self =
                adit_selftest_add(list, "concat", adit_selftest_build_concat, MOVES);

            self->numbers[0] = axis;
            for (guint i = 0; i < n; i++)
                adit_selftest_add_input(self, i % 3 == 1,
                                        axis == 0 ? ADIT_SHAPE(3 * i + 1, 5)
                                                  : ADIT_SHAPE(3, 2 * i + 1));
        }
    }
    AditSelftestCase *still = adit_selftest_add_one(list, "concat", adit_selftest_build_concat,
                                                    MOVES, FALSE, ADIT_SHAPE(64));

    adit_selftest_add_input(still, FALSE, ADIT_SHAPE(65));
    still->spread = ADIT_SPREAD_SPRINKLED;
}

static void
list_cuts(AditSelftestList *list)
{
    for (guint rows = 0; rows < 2; rows++) {
        add_with(list, "slice", adit_selftest_build_slice, rows, ADIT_SHAPE(17),
                 NUMBERS(0, 3, 15, 2));
        add_with(list, "slice", adit_selftest_build_slice, rows, ADIT_SHAPE(5, 7),
                 NUMBERS(1, 1, 4, 1));
        add_with(list, "slice", adit_selftest_build_slice, rows, ADIT_SHAPE(2, 9, 3),
                 NUMBERS(1, 0, 9, 4));
    }
    /* along the first axis only with rows: it is no work without */
    add_with(list, "slice", adit_selftest_build_slice, TRUE, ADIT_SHAPE(5, 7), NUMBERS(0, 1, 4, 1));
    add_with(list, "slice", adit_selftest_build_slice, TRUE, ADIT_SHAPE(130),
             NUMBERS(0, 1, 130, 1));
    for (guint rows = 0; rows < 2; rows++) {
        add_with(list, "pad", adit_selftest_build_pad, rows, ADIT_SHAPE(5), NUMBERS(0, 2, 3));
        add_with(list, "pad", adit_selftest_build_pad, rows, ADIT_SHAPE(3, 7), NUMBERS(0, 1, 0));
        add_with(list, "pad", adit_selftest_build_pad, rows, ADIT_SHAPE(2, 9, 3), NUMBERS(1, 0, 4));
        add_with(list, "pad", adit_selftest_build_slice, rows, ADIT_SHAPE(2, 9, 3),
                 NUMBERS(1, 1, 9, 3))
            ->of_gradient = TRUE;
    }
}

static AditSelftestCase *
add_gather(AditSelftestList *list, const char *kernel, AditShape table, gboolean rows,
           AditShape index, gboolean of_gradient)
{
    AditSelftestCase *self = adit_selftest_add_one(list, kernel, adit_selftest_build_gather,
                                                   of_gradient ? ELEMENTS : MOVES, FALSE, table);

    adit_selftest_add_input(self, rows, index);
    self->positions = table.size[0];
    self->of_gradient = of_gradient;
    self->values[of_gradient ? 0 : 1] = ADIT_VALUES_POSITIONS;
    return self;
}

static void
list_gathers(AditSelftestList *list, const char *kernel, gboolean rows, gboolean of_gradient)
{
    add_gather(list, kernel, ADIT_SHAPE(11, 5), rows, ADIT_SCALAR, of_gradient);
    add_gather(list, kernel, ADIT_SHAPE(7), rows, ADIT_SHAPE(3), of_gradient);
    add_gather(list, kernel, ADIT_SHAPE(65, 17), rows, ADIT_SHAPE(2, 3), of_gradient);
    add_gather(list, kernel, ADIT_SHAPE(1, 129), rows, ADIT_SHAPE(5), of_gradient);
    add_gather(list, kernel, ADIT_SHAPE(5, 3), rows, ADIT_SHAPE(19), of_gradient)->spread =
        ADIT_SPREAD_SPRINKLED;
}

static void
list_positions(AditSelftestList *list)
{
    list_gathers(list, "gather", TRUE, FALSE);
    list_gathers(list, "gather", FALSE, FALSE);
    list_gathers(list, "gather-gradient", TRUE, TRUE);
    list_gathers(list, "gather-gradient-outer", FALSE, TRUE);
    for (guint i = 0; i < 4 * count_sizes(list); i++) {
        AditSelftestCase *self =
            adit_selftest_add_one(list, "one-hot", adit_selftest_build_one_hot, MOVES, i % 2 == 0,
                                  i % 4 < 2 ? ADIT_SCALAR : ADIT_SHAPE(3));

        self->positions = sizes[i / 4];
        self->values[0] = ADIT_VALUES_POSITIONS;
        self->spread = i % 4 == 3 ? ADIT_SPREAD_SPRINKLED : ADIT_SPREAD_PLAIN;
    }
}

/* ---- lines ---- */

/* Lines of all sizes; alone, several in a row, without rows; large and special numbers. */
static const struct {
    gboolean rows;
    guint lines; /* 0: no axis of them */
    AditSelftestSpread spread;
} line_forms[] = {
    {TRUE, 0, ADIT_SPREAD_PLAIN}, {TRUE, 3, ADIT_SPREAD_PLAIN},     {FALSE, 5, ADIT_SPREAD_PLAIN},
    {TRUE, 0, ADIT_SPREAD_LARGE}, {TRUE, 3, ADIT_SPREAD_SPRINKLED},
};

static AditShape
line_shape(guint form, gsize size)
{
    return line_forms[form].lines > 0 ? ADIT_SHAPE(line_forms[form].lines, size) : ADIT_SHAPE(size);
}

static void
list_softmax(AditSelftestList *list, const char *kernel, AditSelftestBuild build,
             gboolean of_gradient)
{
    for (guint i = 0; i < count_sizes(list) * G_N_ELEMENTS(line_forms); i++) {
        guint form = i % G_N_ELEMENTS(line_forms);
        AditShape shape = line_shape(form, sizes[i / G_N_ELEMENTS(line_forms)]);

        /* the gradient's first input is no logit */
        if (of_gradient && line_forms[form].spread == ADIT_SPREAD_LARGE)
            continue;
        AditSelftestCase *self =
            adit_selftest_add_one(list, kernel, build, ELEMENTS, line_forms[form].rows, shape);

        self->spread = line_forms[form].spread;
        self->of_gradient = of_gradient;
    }
}

static void
list_cross_entropy(AditSelftestList *list, const char *kernel, gboolean of_gradient)
{
    for (guint i = 0; i < count_sizes(list) * G_N_ELEMENTS(line_forms); i++) {
        guint form = i % G_N_ELEMENTS(line_forms);
        gsize size = sizes[i / G_N_ELEMENTS(line_forms)];
        AditSelftestCase *self =
            adit_selftest_add_one(list, kernel, adit_selftest_build_cross_entropy, ELEMENTS,
                                  line_forms[form].rows, line_shape(form, size));

        /* logits without rows: the same for every row's target */
        adit_selftest_add_input(self, TRUE,
                                line_forms[form].lines > 0 ? ADIT_SHAPE(line_forms[form].lines)
                                                           : ADIT_SCALAR);
        self->values[1] = ADIT_VALUES_POSITIONS;
        self->positions = size;
        self->spread = line_forms[form].spread;
        self->of_gradient = of_gradient;
    }
}

static void
list_layer_norm(AditSelftestList *list, const char *kernel, gboolean of_gradient)
{
    for (guint i = 0; i < count_sizes(list) * G_N_ELEMENTS(line_forms); i++) {
        guint form = i % G_N_ELEMENTS(line_forms);
        gsize size = sizes[i / G_N_ELEMENTS(line_forms)];

        /* two numbers may be nearly equal: their variance, and what is left of them, is rounding */
        if (size == 2)
            continue;
        AditSelftestCase *self =
            adit_selftest_add_one(list, kernel, adit_selftest_build_layer_norm, ELEMENTS,
                                  line_forms[form].rows, line_shape(form, size));

        adit_selftest_add_input(self, FALSE, ADIT_SHAPE(size));
        adit_selftest_add_input(self, FALSE, ADIT_SHAPE(size));
        self->spread = line_forms[form].spread;
        self->of_gradient = of_gradient;
    }
}

static void
list_lines(AditSelftestList *list)
{
    list_softmax(list, "softmax", adit_selftest_build_softmax, FALSE);
    list_softmax(list, "softmax-gradient", adit_selftest_build_softmax, TRUE);
    list_softmax(list, "log-softmax", adit_selftest_build_log_softmax, FALSE);
    list_softmax(list, "log-softmax-gradient", adit_selftest_build_log_softmax, TRUE);
    list_cross_entropy(list, "cross-entropy", FALSE);
    list_cross_entropy(list, "cross-entropy-gradient", TRUE);
    list_layer_norm(list, "layer-norm", FALSE);
    list_layer_norm(list, "standardize", TRUE);
    list_layer_norm(list, "layer-norm-gradient", TRUE);
}

/* ---- channels ---- */

/* Shapes and the axis of their channels; the first few are the quick test's. */
static const struct {
    AditShape shape;
    gsize axis;
} channels[] = {
    {{1, {17}}, 0},       {{3, {3, 5, 5}}, 0}, {{1, {1}}, 0},
    {{1, {129}}, 0},      {{2, {4, 6}}, 1},    {{3, {2, 7, 3}}, 1},
    {{3, {16, 4, 4}}, 0}, {{2, {65, 17}}, 0},  {{3, {1, 9, 11}}, 0},
};
#define QUICK_CHANNELS 2

/* @moments: which of the operation's inputs they are: variances are no less than 0 */
static void
list_normalize(AditSelftestList *list, const char *kernel, gboolean of_gradient, guint moments)
{
    guint n = list->full ? G_N_ELEMENTS(channels) : QUICK_CHANNELS;

    for (guint i = 0; i < 2 * n; i++) {
        gsize size = channels[i / 2].shape.size[channels[i / 2].axis];
        AditSelftestCase *self = adit_selftest_add_one(list, kernel, adit_selftest_build_normalize,
                                                       ELEMENTS, TRUE, channels[i / 2].shape);

        adit_selftest_add_input(self, FALSE, ADIT_SHAPE(2, size));
        adit_selftest_add_input(self, FALSE, ADIT_SHAPE(size));
        adit_selftest_add_input(self, FALSE, ADIT_SHAPE(size));
        self->numbers[0] = channels[i / 2].axis;
        self->of_gradient = of_gradient;
        self->values[moments] = ADIT_VALUES_POSITIVE;
        self->spread = i % 2 == 0 ? ADIT_SPREAD_PLAIN : ADIT_SPREAD_SPRINKLED;
    }
}

static void
list_moments(AditSelftestList *list, const char *kernel, gboolean of_gradient)
{
    guint n = list->full ? G_N_ELEMENTS(channels) : QUICK_CHANNELS;

    for (guint i = 0; i < 2 * n; i++) {
        AditSelftestCase *self = adit_selftest_add_one(list, kernel, adit_selftest_build_moments,
                                                       ELEMENTS, TRUE, channels[i / 2].shape);

        self->numbers[0] = channels[i / 2].axis;
        self->of_gradient = of_gradient;
        self->spread = i % 2 == 0 ? ADIT_SPREAD_PLAIN : ADIT_SPREAD_SPRINKLED;
    }
}

static void
list_channels(AditSelftestList *list)
{
    list_moments(list, "moments", FALSE);
    list_moments(list, "moments-gradient", TRUE);
    list_normalize(list, "normalize", FALSE, 1);
    list_normalize(list, "normalize-sums", TRUE, 2);
    list_normalize(list, "normalize-moments-gradient", TRUE, 1);
    list_normalize(list, "normalize-gradient", TRUE, 1);
}

/* ---- noise ---- */

static void
list_noise(AditSelftestList *list, const char *kernel, AditSelftestBuild build, double limit)
{
    for (guint i = 0; i < count_sizes(list); i++) {
        AditSelftestCase *self = adit_selftest_add(list, kernel, build, limit);

        self->shape = sizes[i] == 7 ? ADIT_SHAPE(3, 7) : ADIT_SHAPE(sizes[i]);
        add_run(self, 9);
        add_run(self, 1);
        self->runs[self->n_runs++] = (AditSelftestRun){.rows = 7, .first_row = 5, .step = 3};
        self->runs[self->n_runs++] = (AditSelftestRun){
            .rows = 129, .first_row = 100003, .step = G_GUINT64_CONSTANT(0x500000007)};
    }
}

/* ---- several operations ---- */

static AditSelftestCase *
add_fused(AditSelftestList *list, AditSelftestBuild build, AditShape shape, AditShape second,
          AditShape third)
{
    AditSelftestCase *self = adit_selftest_add(list, "fused", build, PRODUCTS);

    self->kind = ADIT_SELFTEST_FUSED;
    adit_selftest_add_input(self, TRUE, shape);
    adit_selftest_add_input(self, FALSE, second);
    adit_selftest_add_input(self, build == adit_selftest_build_chain, third);
    return self;
}

static void
list_fused_products(AditSelftestList *list, gsize depth, gsize width)
{
    static const AditSelftestBuild builds[] = {adit_selftest_build_dense_gelu,
                                               adit_selftest_build_dense_transposed,
                                               adit_selftest_build_dense_shared};

    for (guint i = 0; i < G_N_ELEMENTS(builds); i++) {
        AditShape matrix = builds[i] == adit_selftest_build_dense_transposed
                               ? ADIT_SHAPE(width, depth)
                               : ADIT_SHAPE(depth, width);

        add_fused(list, builds[i], ADIT_SHAPE(depth), matrix, ADIT_SHAPE(width));
        add_fused(list, builds[i], ADIT_SHAPE(3, depth), matrix, ADIT_SHAPE(width));
        /* the gradient of a kink may be that of its other side */
        if (builds[i] != adit_selftest_build_dense_transposed)
            add_fused(list, builds[i], ADIT_SHAPE(3, depth), matrix, ADIT_SHAPE(width))
                ->of_gradient = TRUE;
    }
}

static void
list_fused(AditSelftestList *list)
{
    /* what is made at run time takes its time: the quick test looks at the smallest tile */
    add_fused(list, adit_selftest_build_dense_shared, ADIT_SHAPE(17), ADIT_SHAPE(17, 3),
              ADIT_SHAPE(3));
    add_fused(list, adit_selftest_build_chain, ADIT_SHAPE(3, 17), ADIT_SHAPE(17), ADIT_SHAPE(3, 1));
    if (!list->full)
        return;
    for (guint i = 0; i < G_N_ELEMENTS(products); i++)
        list_fused_products(list, products[i][0], products[i][1]);
    for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
        gsize size = sizes[i];

        add_fused(list, adit_selftest_build_chain, ADIT_SHAPE(3, size), ADIT_SHAPE(size),
                  ADIT_SHAPE(3, 1));
        add_fused(list, adit_selftest_build_chain, ADIT_SHAPE(size), ADIT_SCALAR, ADIT_SHAPE(size))
            ->spread = ADIT_SPREAD_SPRINKLED;
    }
}

GPtrArray *
adit_selftest_list_cases(gboolean full)
{
    AditSelftestList list = {g_ptr_array_new_with_free_func(g_free), full};

    list_own(&list);
    list_combines(&list);
    list_rows(&list);
    adit_selftest_list_extrema(&list);
    list_pointwise(&list);
    list_broadcasts(&list);
    list_transposes(&list);
    list_joins(&list);
    list_cuts(&list);
    list_positions(&list);
    list_reductions(&list);
    list_products(&list);
    list_batch_products(&list);
    list_attention(&list, "attention");
    list_attention(&list, "attention-gradient");
    adit_selftest_list_images(&list);
    list_lines(&list);
    list_channels(&list);
    list_noise(&list, "noise-uniform", adit_selftest_build_noise_uniform, MOVES);
    list_noise(&list, "noise-normal", adit_selftest_build_noise_normal, ELEMENTS);
    list_fused(&list);
    for (guint i = 0; i < list.cases->len; i++) {
        AditSelftestCase *self = list.cases->pdata[i];

        if (self->n_runs == 0)
            add_runs(&list, self);
    }
    return list.cases;
}
