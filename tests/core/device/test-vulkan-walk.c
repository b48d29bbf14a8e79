/* tests/core/device/test-vulkan-walk.c - SPDX-License-Identifier: MIT */
#include "adit-vulkan-walk.h"

#include <adit/adit-ops.h>

#include "adit-gradient.h"
#include "components.h"
#include "rig.h"

#include <string.h>

/* What a program is as a walk, without a device. */

#define ROOM 64

typedef struct {
    const char *aggregator;
    const char *norm;
    guint times;
    gboolean is_tied;
    gboolean is_read; /* the host wants the output */
} Form;

typedef struct {
    AditGraph *graph;
    AditLayout *layout;
    AditProgram *program;
    AditVulkanWalk *walk;
    char *reason;
} Made;

static void
made_clear(Made *self)
{
    g_clear_pointer(&self->walk, adit_vulkan_walk_free);
    g_free(self->reason);
    adit_program_free(self->program);
    adit_layout_unref(self->layout);
    adit_graph_unref(self->graph);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Made, made_clear)

static void
add_gradients(const Made *self, AditTensor *loss, GArray *outputs)
{
    g_autoptr(GPtrArray) parameters = g_ptr_array_new();
    AditTensor *gradients[8];

    for (guint i = 0; i < self->graph->tensors->len; i++) {
        AditTensor *tensor = self->graph->tensors->pdata[i];

        if (tensor->kind == ADIT_TENSOR_PARAMETER)
            g_ptr_array_add(parameters, tensor);
    }
    g_assert_cmpuint(parameters->len, <=, G_N_ELEMENTS(gradients));
    adit_gradient(loss, (AditTensor **) parameters->pdata, parameters->len, ADIT_GRADIENT_KEEP,
                  gradients);
    for (guint i = 0; i < parameters->len; i++) {
        const AditTensor *parameter = parameters->pdata[i];
        AditProgramOutput output = {
            .kind = ADIT_OUTPUT_ARENA,
            .tensor = gradients[i],
            .arena = ADIT_ARENA_GRADIENTS,
            .offset = adit_layout_find(self->layout, parameter->names[0])->offset};

        g_array_append_val(outputs, output);
    }
}

static void
make(Made *self, const Form *form)
{
    g_autoptr(AditSequence) trunk =
        test_sequence(test_component("aggregator", form->aggregator, NULL));
    g_autoptr(AditInitializer) initializer = test_component("initializer", "he-normal", NULL);
    AditModel model = {.trunk = ADIT_BLOCK(trunk), .initializer = initializer};
    g_autoptr(GArray) outputs = g_array_new(FALSE, FALSE, sizeof(AditProgramOutput));
    AditVulkanPlaces places = {.room = ROOM, .log_room = ROOM};
    AditVulkanWalkNeeds needs = {.places = &places};

    self->graph = adit_graph_new(ADIT_MODE_TRAINING);
    test_add_repeat(trunk, form->times, form->is_tied, FALSE, test_dense_pre(4, form->norm, "tanh"),
                    "dense");
    AditTensor *y =
        adit_model_build(&model, self->graph, adit_input(self->graph, "x", &ADIT_SHAPE(4), 0));
    AditTensor *row = adit_sum(adit_square(y));
    AditTensor *loss = adit_reduce_rows(row, ADIT_REDUCE_MEAN);
    AditProgramOutput fixed[] = {{.kind = ADIT_OUTPUT_SUM, .tensor = row},
                                 {.kind = ADIT_OUTPUT_GUARD, .tensor = loss},
                                 {.kind = ADIT_OUTPUT_READ, .tensor = y}};
    g_array_append_vals(outputs, fixed, form->is_read ? 3 : 2);
    self->layout = adit_layout_new(self->graph);
    add_gradients(self, loss, outputs);
    g_assert_no_error(adit_graph_get_error(self->graph));
    needs.program = self->program = adit_compile(
        self->graph, self->layout, NULL, 0, (AditProgramOutput *) outputs->data, outputs->len, 0);
    self->walk = adit_vulkan_walk_new(&needs, &self->reason);
}

/* The pieces of the first kernel do not depend on the depth. */
static void
check_pieces(const AditVulkanWalk *a, const AditVulkanWalk *b)
{
    g_assert_cmpuint(a->pieces->len, ==, b->pieces->len);
    for (guint i = 0; i < a->pieces->len; i++) {
        const AditVulkanWalkText *mine = a->pieces->pdata[i], *other = b->pieces->pdata[i];

        g_assert_cmpstr(mine->text->str, ==, other->text->str);
        g_assert_cmpuint(mine->constants->len, ==, other->constants->len);
    }
}

/* The loop is a loop: text, lanes and what goes through shared memory are those of every depth;
 * what is kept is in proportion. */
static void
test_depths(gconstpointer user_data)
{
    Form form = {.aggregator = user_data, .times = 10};
    g_auto(Made) shallow = {0}, deep = {0};

    make(&shallow, &form);
    form.times = 500;
    make(&deep, &form);
    g_assert_cmpstr(shallow.reason, ==, NULL);
    check_pieces(deep.walk, shallow.walk);
    g_assert_cmpstr(deep.walk->sums.text->str, ==, shallow.walk->sums.text->str);
    g_assert_cmpuint(shallow.walk->lanes, ==, 4);
    g_assert_cmpuint(shallow.walk->stage, ==, 4);
    g_assert_cmpuint(deep.walk->n_jobs, ==, shallow.walk->n_jobs);
    /* of each layer its output and the gradient by what it activates */
    gsize more = (deep.walk->size - shallow.walk->size) / ROOM;
    g_assert_cmpuint(more, ==, 490 * (4 + 4));
}

/* A batch-norm is a cut forward and one back: dispatches are in proportion to the depth, their
 * texts are not. */
static void
test_cuts(gconstpointer user_data)
{
    Form form = {.aggregator = user_data, .norm = "batch-norm", .times = 10};
    g_auto(Made) shallow = {0}, deep = {0};

    make(&shallow, &form);
    form.times = 500;
    make(&deep, &form);
    g_assert_cmpstr(deep.reason, ==, NULL);
    check_pieces(deep.walk, shallow.walk);
    /* begin, from one layer to the next, the way round, from one to the next, end; and two where
     * the first layer stands alone */
    g_assert_cmpuint(deep.walk->pieces->len, ==, g_str_equal(form.aggregator, "glonet") ? 7 : 5);
    g_assert_cmpuint(shallow.walk->steps->len, ==, 1 + 2 * 10);
    g_assert_cmpuint(deep.walk->steps->len, ==, 1 + 2 * 500);
    g_assert_cmpstr(deep.walk->sums.text->str, ==, shallow.walk->sums.text->str);
    g_assert_cmpuint(deep.walk->joined, ==, 2 * 4);
    g_assert_cmpuint(deep.walk->n_jobs, ==, shallow.walk->n_jobs);
}

/* On the way round the last layer's moments are joined and read again by the gradient. The first
 * workgroup writes them to memory meanwhile: there the others must not read. */
static void
test_turning_point(void)
{
    const Form form = {.aggregator = "chain", .norm = "batch-norm", .times = 7};
    g_auto(Made) made = {0};

    make(&made, &form);
    const AditVulkanWalkStep *step = &g_array_index(made.walk->steps, AditVulkanWalkStep, 7);
    const AditVulkanWalkText *piece = made.walk->pieces->pdata[step->piece];
    g_assert_nonnull(strstr(piece->text->str, "walk_join_moments("));
    g_assert_nonnull(strstr(piece->text->str, "walk_part_sums("));
    g_assert_nonnull(strstr(piece->text->str, "float mean = walk_joined["));
}

/* Every gradient's elements belong to one job. */
static void
test_jobs(void)
{
    const Form form = {.aggregator = "chain", .times = 7};
    g_auto(Made) made = {0};

    make(&made, &form);
    g_assert_true(made.walk->has_sums);
    g_assert_cmpuint(made.walk->n_jobs, ==, 2); /* weights and biases, of all layers */
    g_assert_cmpuint(made.walk->n_groups, ==, 14);
    g_assert_cmpuint(made.walk->n_terms, ==, 0);
}

typedef struct {
    const char *name;
    Form form;
    const char *reason;
} Refusal;

static const Refusal refusals[] = {
    {"tied", {.aggregator = "chain", .times = 3, .is_tied = TRUE}, "gradients that a loop adds up"},
    {"read", {.aggregator = "chain", .times = 3, .is_read = TRUE}, "a value is read by the host"},
};

static void
test_refusal(gconstpointer user_data)
{
    const Refusal *refusal = user_data;
    g_auto(Made) made = {0};

    make(&made, &refusal->form);
    g_assert_null(made.walk);
    g_test_message("%s", made.reason);
    g_assert_nonnull(strstr(made.reason, refusal->reason));
}

int
main(int argc, char *argv[])
{
    static const char *const aggregators[] = {"chain", "glonet", "residual"};

    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(aggregators); i++) {
        g_autofree char *path = g_strdup_printf("/vulkan-walk/depths/%s", aggregators[i]);

        g_test_add_data_func(path, aggregators[i], test_depths);
        g_autofree char *cuts = g_strdup_printf("/vulkan-walk/cuts/%s", aggregators[i]);
        g_test_add_data_func(cuts, aggregators[i], test_cuts);
    }
    g_test_add_func("/vulkan-walk/turning-point", test_turning_point);
    g_test_add_func("/vulkan-walk/jobs", test_jobs);
    for (guint i = 0; i < G_N_ELEMENTS(refusals); i++) {
        g_autofree char *path = g_strdup_printf("/vulkan-walk/not/%s", refusals[i].name);

        g_test_add_data_func(path, &refusals[i], test_refusal);
    }
    return g_test_run();
}
