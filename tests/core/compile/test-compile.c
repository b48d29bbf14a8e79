/* tests/core/compile/test-compile.c - SPDX-License-Identifier: MIT */
#include <adit/adit-ops.h>

#include "adit-cost.h"
#include "adit-graph-private.h"
#include "components.h"
#include "rig.h"

static AditProgram *
compile(AditGraph *graph, AditTensor *const *wanted, guint n)
{
    g_autoptr(AditLayout) layout = adit_layout_new(graph);
    g_autofree AditProgramOutput *outputs = g_new0(AditProgramOutput, n + 1);

    g_assert_no_error(adit_graph_get_error(graph));
    for (guint i = 0; i < n; i++)
        outputs[i] = (AditProgramOutput){.kind = ADIT_OUTPUT_READ, .tensor = wanted[i]};
    return adit_compile(graph, layout, NULL, 0, outputs, n, 0);
}

typedef struct {
    guint copies;
    guint ops;
    guint combines;
    guint gathers;
    guint loops;
} Counts;

static void
count(const GPtrArray *instructions, Counts *counts)
{
    for (guint i = 0; i < instructions->len; i++) {
        const AditInstruction *instruction = instructions->pdata[i];
        counts->copies += instruction->kind == ADIT_INSTRUCTION_COPY;
        counts->ops += instruction->kind == ADIT_INSTRUCTION_OP;
        counts->combines += instruction->kind == ADIT_INSTRUCTION_COMBINE;
        counts->gathers += instruction->kind == ADIT_INSTRUCTION_GATHER;
        counts->loops += instruction->kind == ADIT_INSTRUCTION_LOOP;
        if (instruction->body != NULL)
            count(instruction->body, counts);
    }
}

static guint
count_waits(const GPtrArray *instructions)
{
    guint waits = 0;

    for (guint i = 1; i < instructions->len; i++) {
        const AditInstruction *before = instructions->pdata[i - 1];
        const AditInstruction *after = instructions->pdata[i];
        g_assert_cmpuint(before->phase, <=, after->phase);
        waits += before->phase != after->phase;
    }
    return waits;
}

/* What nobody reads. */

static void
test_dead_code(void)
{
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_TRAINING);
    AditTensor *x = adit_input(graph, "x", &ADIT_SHAPE(3), 0);
    AditTensor *unread = adit_input(graph, "unread", &ADIT_SHAPE(100), 0);
    AditTensor *y = adit_relu(x);
    Counts counts = {0};

    adit_exp(y);
    adit_add(adit_tanh(unread), adit_noise_normal(graph, "noise", &ADIT_SHAPE(100)));
    g_autoptr(AditProgram) program = compile(graph, &y, 1);
    count(program->instructions, &counts);
    g_assert_cmpuint(counts.gathers, ==, 1);
    g_assert_cmpuint(counts.ops, ==, 1);
    g_assert_cmpuint(program->instructions->len, ==, 2);
    /* the feeds are those of the inputs that are read */
    g_assert_cmpuint(program->feeds->len, ==, 1);
    g_assert_true(program->feeds->pdata[0] == x);
    g_assert_cmpuint(program->row_units, ==, 6);
}

static void
test_dead_in_loop(void)
{
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_TRAINING);
    AditTensor *x = adit_input(graph, "x", &ADIT_SHAPE(3), 0);
    AditLoop *loop = adit_loop_new(graph, 5, FALSE);
    AditTensor *carry = adit_loop_carry(loop, x);
    AditTensor *other = adit_loop_carry(loop, adit_exp(x));
    Counts counts = {0};

    /* a second carry, a stack and a view that only the dead read */
    adit_loop_set_next(loop, carry, adit_relu(carry));
    adit_loop_set_next(loop, other, adit_tanh(adit_add(other, carry)));
    adit_loop_stack(loop, other);
    adit_loop_last(loop, other);
    AditTensor *y = adit_loop_last(loop, carry);
    g_autoptr(AditProgram) program = compile(graph, &y, 1);
    count(program->instructions, &counts);
    g_assert_cmpuint(counts.ops, ==, 1);
    g_assert_cmpuint(counts.loops, ==, 1);
    /* the input's copy into the carry's first place, and five times relu behind the gather */
    g_assert_cmpuint(counts.copies, ==, 1);
    g_assert_cmpuint(adit_program_count_calls(program), ==, 7);
}

static void
test_views_cost_nothing(void)
{
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_TRAINING);
    AditTensor *x = adit_input(graph, "x", &ADIT_SHAPE(6), 0);
    AditTensor *y = adit_reshape(adit_reshape(x, &ADIT_SHAPE(2, 3)), &ADIT_SHAPE(3, 2));
    g_autoptr(AditProgram) program = compile(graph, &y, 1);

    g_assert_cmpuint(program->instructions->len, ==, 1);
    g_assert_cmpuint(program->row_units, ==, 6);
}

/* Memory. */

static AditTensor *
chain(AditTensor *x, guint n)
{
    for (guint i = 0; i < n; i++)
        x = i % 2 ? adit_tanh(x) : adit_exp(x);
    return x;
}

static gsize
chain_units(guint n)
{
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_TRAINING);
    AditTensor *y = chain(adit_input(graph, "x", &ADIT_SHAPE(8), 0), n);
    g_autoptr(AditProgram) program = compile(graph, &y, 1);

    return program->row_units;
}

static void
test_memory_is_used_again(void)
{
    /* the result, and behind it those that take turns; two that may be one kernel share nothing */
    g_assert_cmpuint(chain_units(1), ==, 16);
    g_assert_cmpuint(chain_units(2), ==, 24);
    g_assert_cmpuint(chain_units(100), ==, 32);
}

static gsize
loop_units(guint n, guint unused)
{
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_TRAINING);
    AditTensor *x = adit_input(graph, "x", &ADIT_SHAPE(8), 0);
    AditLoop *loop = adit_loop_new(graph, n, FALSE);
    AditTensor *carry = adit_loop_carry(loop, x);

    for (guint i = 0; i < unused; i++)
        adit_loop_stack(loop, chain(carry, i + 1));
    adit_loop_set_next(loop, carry, chain(carry, 5));
    AditTensor *y = adit_loop_last(loop, carry);
    g_autoptr(AditProgram) program = compile(graph, &y, 1);
    return program->row_units;
}

static void
test_memory_of_loops(void)
{
    gsize units = loop_units(2, 0);

    /* without a gradient a loop takes no more for more iterations, nor for stacks nobody reads */
    g_assert_cmpuint(loop_units(1000, 0), ==, units);
    g_assert_cmpuint(loop_units(1000, 20), ==, units);
}

/* What is read only before the slices wait for each other has room for a panel. */
static void
test_stretches(void)
{
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_TRAINING);
    AditTensor *x = adit_input(graph, "x", &ADIT_SHAPE(8), 0);
    AditTensor *mean = adit_reduce_rows(adit_exp(x), ADIT_REDUCE_MEAN);
    AditTensor *y = adit_tanh(adit_sub(x, mean));
    g_autoptr(AditProgram) program = compile(graph, &y, 1);

    /* x is read before and after the wait, y is the result; exp and the difference live within a
     * stretch each and take turns */
    g_assert_cmpuint(program->crossing_units, ==, 16);
    g_assert_cmpuint(program->row_units, ==, 24);
}

typedef enum { PLAIN, GUARDED, MEETING } Update;

/* Two arenas of rows of which each takes what comes of the other. */
static AditProgram *
compile_update(Update update, AditCompileFlags flags)
{
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_TRAINING);
    g_autoptr(AditLayout) layout = adit_layout_new(graph);
    AditTensor *a = adit_input(graph, "a", &ADIT_SCALAR, 0);
    AditTensor *b = adit_input(graph, "b", &ADIT_SCALAR, 0);
    AditTensor *sum = adit_reduce_rows(adit_square(a), ADIT_REDUCE_SUM);
    const AditProgramInput inputs[] = {{a, ADIT_ARENA_PARAMETERS, 0}, {b, ADIT_ARENA_OPTIMIZER, 0}};
    const AditProgramOutput outputs[] = {
        {.kind = ADIT_OUTPUT_ARENA, .tensor = b, .arena = ADIT_ARENA_PARAMETERS},
        {.kind = ADIT_OUTPUT_ARENA,
         .tensor = update == MEETING ? adit_mul(a, sum) : adit_exp(a),
         .arena = ADIT_ARENA_OPTIMIZER},
        {.kind = ADIT_OUTPUT_GUARD, .tensor = sum},
    };

    return adit_compile(graph, layout, inputs, G_N_ELEMENTS(inputs), outputs,
                        update == GUARDED ? 3 : 2, flags);
}

/* New values of rows are written when a panel has them, behind all that reads the old ones; those
 * that a guard may hold back are kept until all are there. */
static void
test_at_once(void)
{
    static const gsize crossing[] = {[PLAIN] = 0, [GUARDED] = 2, [MEETING] = 1};

    for (Update update = PLAIN; update <= MEETING; update++) {
        g_autoptr(AditProgram) late = compile_update(update, 0);
        g_autoptr(AditProgram) now = compile_update(update, ADIT_COMPILE_AT_ONCE);
        const GPtrArray *all = now->instructions;

        g_assert_cmpuint(late->commits->len, ==, 2);
        g_assert_cmpuint(late->crossing_units, ==, 2);
        g_assert_cmpuint(now->commits->len, ==, update == GUARDED ? 2 : 0);
        g_assert_cmpuint(now->crossing_units, ==, crossing[update]);
        g_assert_cmpuint(count_waits(all), ==, count_waits(late->instructions));
        for (guint i = 0; i < all->len; i++) {
            const AditInstruction *instruction = all->pdata[i];

            g_assert_cmpint(instruction->output.linear, ==, update != GUARDED && i + 2 >= all->len);
        }
    }
}

/* No two values that are alive at the same time lie in the same place. */
static void
test_memory_does_not_overlap(void)
{
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_TRAINING);
    AditTensor *x = adit_input(graph, "x", &ADIT_SHAPE(8), 0);
    AditTensor *kept[6];

    for (guint i = 0; i < G_N_ELEMENTS(kept); i++)
        kept[i] = chain(adit_scale(x, i), i + 1);
    g_autoptr(AditProgram) program = compile(graph, kept, G_N_ELEMENTS(kept));
    for (guint i = 0; i < program->storages->len; i++) {
        const AditStorage *a = &g_array_index(program->storages, AditStorage, i);
        g_assert_cmpuint(a->offset + a->size, <=, program->row_units);
        for (guint j = 0; j < i; j++) {
            const AditStorage *b = &g_array_index(program->storages, AditStorage, j);
            gboolean together = a->begin <= b->end && b->begin <= a->end;
            gboolean overlap = a->offset < b->offset + b->size && b->offset < a->offset + a->size;
            g_assert_false(together && overlap);
        }
    }
}

static AditTensor *
add_tanhs(AditTensor *x, guint n, gboolean looped)
{
    if (!looped)
        return n > 0 ? add_tanhs(adit_tanh(x), n - 1, FALSE) : x;
    AditLoop *loop = adit_loop_new(x->graph, n, FALSE);
    AditTensor *carry = adit_loop_carry(loop, x);
    adit_loop_set_next(loop, carry, adit_tanh(carry));
    return adit_loop_last(loop, carry);
}

static double *
run_start(gboolean looped)
{
    AditGraph *graph = adit_graph_new(ADIT_MODE_EVALUATION);
    AditTensor *start = adit_exp(adit_input(graph, "x", &ADIT_SHAPE(8), 0));
    AditTensor *last = add_tanhs(start, 3, looped);
    g_autoptr(Rig) rig = rig_new(graph);
    guint output = rig_add(rig, ADIT_OUTPUT_READ, adit_add(start, last));

    rig_prepare(rig, 1, TRUE, 5);
    rig_feed(rig, test_array(&ADIT_SHAPE(8), 5, 1));
    rig_run(rig, 5, 0);
    return rig_read(rig, output, 5);
}

/* A loop may start in the place of its carry only if nobody reads the start afterwards. */
static void
test_memory_of_starts(void)
{
    g_autofree double *looped = run_start(TRUE);
    g_autofree double *unrolled = run_start(FALSE);

    test_assert_same(looped, unrolled, 40);
}

/* A GloNet's step. */

static Rig *
build_step(const char *aggregator, const char *norm, guint depth)
{
    AditGraph *graph = adit_graph_new(ADIT_MODE_TRAINING);
    g_autoptr(AditInitializer) initializer = test_component("initializer", "he-normal", NULL);
    g_autoptr(AditSequence) trunk = test_sequence(test_component("aggregator", aggregator, NULL));
    g_autoptr(AditBlock) stem = test_dense(16, NULL);
    g_autoptr(AditBlock) head = test_dense(1, NULL);
    AditModel model = {.stem = stem, .trunk = ADIT_BLOCK(trunk), .head = head};

    model.initializer = initializer;
    test_add_repeat(trunk, depth, FALSE, FALSE,
                    norm != NULL ? test_dense_pre(16, norm, "relu") : test_dense(16, "relu"),
                    "dense");
    AditTensor *x = adit_input(graph, "x", &ADIT_SHAPE(14), 0);
    AditTensor *target = adit_input(graph, "target", &ADIT_SHAPE(1), 0);
    AditTensor *outputs = adit_model_build(&model, graph, x);
    AditTensor *rows = adit_sum(adit_square(adit_sub(outputs, target)));
    AditTensor *loss = adit_reduce_rows(rows, ADIT_REDUCE_MEAN);
    Rig *rig = rig_new(graph);
    rig_add(rig, ADIT_OUTPUT_GUARD, loss);
    rig_add_gradients(rig, loss);
    rig_add_states(rig);
    rig_prepare(rig, 1, FALSE, 64);
    return rig;
}

static void
test_step_shares_history(void)
{
    g_autoptr(Rig) rig = build_step("glonet", NULL, 50);
    Counts counts = {0};

    count(rig->program->instructions, &counts);
    /* the activations are the carry's history; what the sum carries needs none. One copy for a
     * start that is read as well: the first block's output is fed on and begins the sum */
    g_assert_cmpuint(counts.copies, <=, 1);
    g_assert_cmpuint(counts.loops, >=, 2);
}

static void
test_step_memory(void)
{
    g_autoptr(Rig) small = build_step("glonet", NULL, 20);
    g_autoptr(Rig) large = build_step("glonet", NULL, 40);
    gsize grown = large->program->row_units - small->program->row_units;

    /* for each block more: one activation of width 16, which is the next one's input as well */
    g_assert_cmpuint(grown, ==, 20 * 16);
}

static void
test_step_memory_of_moments(void)
{
    g_autoptr(Rig) small = build_step("residual", "batch-norm", 20);
    g_autoptr(Rig) large = build_step("residual", "batch-norm", 40);
    const AditProgram *program = large->program;

    /* what is normalised is kept, the sums of the residual; the rest is computed again */
    g_assert_cmpuint(program->crossing_units - small->program->crossing_units, ==, 20 * 16);
    g_assert_cmpuint(program->row_units - small->program->row_units, ==, 20 * 16);
}

static void
test_step_calls(void)
{
    g_autoptr(Rig) small = build_step("glonet", NULL, 20);
    g_autoptr(Rig) large = build_step("glonet", NULL, 40);
    guint64 few = adit_program_count_calls(small->program);
    guint64 many = adit_program_count_calls(large->program);

    /* every block costs the same, and the program is as long for any depth */
    g_autoptr(Rig) third = build_step("glonet", NULL, 60);
    g_assert_cmpuint(adit_program_count_calls(third->program) - many, ==, many - few);
    g_assert_cmpuint((many - few) % 20, ==, 0);
    g_assert_cmpuint(small->program->instructions->len, ==, large->program->instructions->len);
}

static void
test_step_waits(void)
{
    g_autoptr(Rig) rig = build_step("glonet", NULL, 50);
    g_autoptr(Rig) residual = build_step("residual", NULL, 50);

    /* slices, then the joining of their sums for loss and gradients */
    g_assert_cmpuint(count_waits(rig->program->instructions), ==, 1);
    g_assert_cmpuint(count_waits(residual->program->instructions), ==, 1);
}

static void
test_step_waits_for_moments(void)
{
    g_autoptr(Rig) rig = build_step("residual", "batch-norm", 10);
    guint n_mixed = 0;

    for (guint i = 0; i < rig->program->instructions->len; i++) {
        const AditInstruction *instruction = rig->program->instructions->pdata[i];
        if (instruction->domain != ADIT_DOMAIN_MIXED)
            continue;
        n_mixed++;
        /* a batch-norm cell: one wait on the way there, one on the way back */
        g_assert_cmpuint(count_waits(instruction->body), <=, 2);
    }
    g_assert_cmpuint(n_mixed, ==, 2);
}

/* A value with rows made of a loop's number without rows, a sum over rows within a loop that the
 * next iteration reads: everything comes behind what it reads. */
static void
check_order(const GPtrArray *instructions, GHashTable *written)
{
    for (guint i = 0; i < instructions->len; i++) {
        const AditInstruction *instruction = instructions->pdata[i];
        if (instruction->body != NULL) {
            check_order(instruction->body, written);
            continue;
        }
        for (guint j = 0; j < instruction->n_inputs; j++) {
            int storage = instruction->inputs[j].storage;
            if (storage >= 0)
                g_assert_true(g_hash_table_contains(written, GINT_TO_POINTER(storage)));
        }
        g_hash_table_add(written, GINT_TO_POINTER(instruction->output.storage));
    }
}

static void
test_order(void)
{
    static const char *const norms[] = {NULL, "layer-norm", "batch-norm"};

    for (guint i = 0; i < G_N_ELEMENTS(norms); i++) {
        g_autoptr(Rig) rig = build_step("residual", norms[i], 7);
        g_autoptr(GHashTable) written = g_hash_table_new(NULL, NULL);
        check_order(rig->program->instructions, written);
    }
}

/* Layouts. */

static void
test_layout(void)
{
    g_autoptr(Rig) rig = build_step("residual", "batch-norm", 3);
    const AditSlot *slot = adit_layout_find(rig->layout, "trunk.1.weight");
    gsize end = 0;

    g_assert_nonnull(slot);
    g_assert_cmpuint(slot->n, ==, 3);
    g_assert_true(adit_shape_equal(&slot->shape, &ADIT_SHAPE(16, 16)));
    g_assert_false(slot->is_state);
    g_assert_cmpint(slot->role, ==, ADIT_ROLE_WEIGHT);
    /* found by the name it begins with alone */
    g_assert_null(adit_layout_find(rig->layout, "trunk.2.weight"));
    g_assert_true(adit_layout_find(rig->layout, "trunk.1.mean")->is_state);
    for (guint i = 0; i < rig->layout->slots->len; i++) {
        const AditSlot *other = rig->layout->slots->pdata[i];
        if (other->is_state)
            continue;
        g_assert_cmpuint(other->offset, >=, end);
        end = other->offset + other->n * adit_shape_count(&other->shape);
    }
    g_assert_cmpuint(rig->layout->n_parameters, >=, end);
}

static void
test_layout_initialize(void)
{
    g_autoptr(Rig) looped = build_step("residual", NULL, 3);
    g_autoptr(AditLayout) layout = adit_layout_ref(looped->layout);
    gsize n = layout->n_parameters, count;
    g_autofree double *a = g_new0(double, n);
    g_autofree double *b = g_new0(double, n);
    gsize first = rig_find(looped, "trunk.1.weight", &count);
    gsize second = rig_find(looped, "trunk.2.weight", &count);

    test_initialize(layout, 5, a, NULL);
    test_initialize(layout, 5, b, NULL);
    test_assert_same(a, b, n);
    /* each instance from its own stream, each seed others */
    g_assert_cmpfloat(a[first], !=, a[second]);
    test_initialize(layout, 6, b, NULL);
    g_assert_cmpfloat(a[first], !=, b[first]);
    g_assert_cmpfloat(a[rig_find(looped, "trunk.2.bias", &count)], ==, 0);
}

/* The work of a run: products by the rows or whole, loops by their iterations. */

static void
test_work(void)
{
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_TRAINING);
    g_autofree double *numbers = g_new0(double, 15);
    AditTensor *x = adit_input(graph, "x", &ADIT_SHAPE(3), 0);
    AditTensor *w = adit_constant_array(graph, &ADIT_SHAPE(3, 5), numbers);
    AditTensor *wanted[] = {adit_matmul(x, w, FALSE), adit_matmul_rows(x, x),
                            adit_matmul_rows(w, w)};
    const guint64 products[] = {10 * 3 * 5, 10 * 3 * 3, 3 * 5 * 5};
    /* the batch is gathered: read and written; each of the slices leaves a result, all are joined
     */
    const guint64 numbers_moved[] = {
        2 * 10 * 3 + 10 * 3 + 3 * 5 + 10 * 5,
        2 * 10 * 3 + 2 * 10 * 3 + 2 * ADIT_SLICES * 9 + 9,
        2 * 3 * 5 + 5 * 5,
    };

    for (guint i = 0; i < G_N_ELEMENTS(wanted); i++) {
        g_autoptr(AditProgram) program = compile(graph, &wanted[i], 1);
        AditWork work = {.multiply_adds = 7};

        adit_program_add_work(program, 10, &work);
        g_assert_cmpuint(work.multiply_adds, ==, 7 + products[i]);
        g_assert_cmpuint(work.bytes, ==, numbers_moved[i] * sizeof(float));
    }
}

/* A convolution and its gradients take the same products, by groups. */
static void
test_convolution_work(void)
{
    static const AditWindow window = {{3, 2}, {2, 1}, {1, 1}, {1, 0}, {1, 1}};
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_TRAINING);
    g_autofree double *numbers = g_new0(double, 6 * 2 * 6);
    AditTensor *x = adit_input(graph, "x", &ADIT_SHAPE(4, 9, 7), 0);
    AditTensor *w = adit_constant_array(graph, &ADIT_SHAPE(6, 2, 3, 2), numbers);
    AditTensor *y = adit_conv2d(x, w, &window, 2);
    AditTensor *wanted[] = {y, adit_conv2d_back(y, w, &window, 2, (gsize[]){9, 7}),
                            adit_conv2d_rows(x, y, &window, 2)};
    const guint64 products = 10 * (6 * 5 * 7) * (2 * 3 * 2);

    for (guint i = 0; i < G_N_ELEMENTS(wanted); i++) {
        g_autoptr(AditProgram) program = compile(graph, &wanted[i], 1);
        AditWork work = {0};

        adit_program_add_work(program, 10, &work);
        /* the gradients are of the forward result, which is computed as well */
        g_assert_cmpuint(work.multiply_adds, ==, (i == 0 ? 1 : 2) * products);
    }
}

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/compile/dead/code", test_dead_code);
    g_test_add_func("/compile/dead/in-loop", test_dead_in_loop);
    g_test_add_func("/compile/dead/views", test_views_cost_nothing);
    g_test_add_func("/compile/memory/used-again", test_memory_is_used_again);
    g_test_add_func("/compile/memory/loops", test_memory_of_loops);
    g_test_add_func("/compile/memory/starts", test_memory_of_starts);
    g_test_add_func("/compile/memory/no-overlap", test_memory_does_not_overlap);
    g_test_add_func("/compile/memory/stretches", test_stretches);
    g_test_add_func("/compile/memory/at-once", test_at_once);
    g_test_add_func("/compile/step/shares-history", test_step_shares_history);
    g_test_add_func("/compile/step/memory", test_step_memory);
    g_test_add_func("/compile/step/memory-of-moments", test_step_memory_of_moments);
    g_test_add_func("/compile/step/calls", test_step_calls);
    g_test_add_func("/compile/step/waits", test_step_waits);
    g_test_add_func("/compile/step/waits-for-moments", test_step_waits_for_moments);
    g_test_add_func("/compile/order", test_order);
    g_test_add_func("/compile/layout/slots", test_layout);
    g_test_add_func("/compile/layout/initialize", test_layout_initialize);
    g_test_add_func("/compile/work", test_work);
    g_test_add_func("/compile/work/convolution", test_convolution_work);
    return g_test_run();
}
