/* core/infer/adit-truncation.c - SPDX-License-Identifier: MIT */
#include "adit-truncation.h"

#include <adit/adit-ops.h>

#include "adit-component-private.h"
#include "adit-feed.h"
#include "adit-placement.h"
#include "adit-selection.h"

#include <string.h>

#define COLLECTED "trunk.*:collect"
#define MEAN_ROWS 100 /* at a time: all of what is collected is read */

/**
 * Cut: one call of adit_truncation_new().
 * @picks: (element-type AditPick): what is collected behind each item
 * @outputs: (element-type AditProgramOutput): one for each tensor of them
 * @output: of each pick
 * @width: numbers of a row that are collected
 */
typedef struct {
    AditNetwork *network;
    AditGraph *graph;
    AditNetworkTensors tensors;
    GArray *picks;
    GArray *outputs;
    guint *output;
    gsize width;
    AditTruncation *result;
} Cut;

static void
clear_truncated(gpointer data)
{
    AditTruncated *self = data;

    g_free(self->address);
    g_free(self->constant);
}

void
adit_truncation_free(AditTruncation *self)
{
    g_array_unref(self->networks);
    g_free(self);
}

static AditTruncated *
get(const Cut *self, guint i)
{
    return &g_array_index(self->result->networks, AditTruncated, i);
}

static void
cut_clear(Cut *self)
{
    g_clear_pointer(&self->graph, adit_graph_unref);
    g_clear_pointer(&self->picks, g_array_unref);
    g_clear_pointer(&self->outputs, g_array_unref);
    g_clear_pointer(&self->output, g_free);
    g_clear_pointer(&self->result, adit_truncation_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Cut, cut_clear)

/* ---- the graph ---- */

/* Begins anew: another graph is written down. */
static void
copy_graph(Cut *self)
{
    g_clear_pointer(&self->graph, adit_graph_unref);
    g_clear_pointer(&self->picks, g_array_unref);
    g_clear_pointer(&self->outputs, g_array_unref);
    g_clear_pointer(&self->output, g_free);
    self->graph = adit_network_copy_graph(self->network, &self->tensors);
    self->picks = adit_graph_pick(self->graph, COLLECTED);
    self->outputs = g_array_new(FALSE, TRUE, sizeof(AditProgramOutput));
    self->output = g_new0(guint, self->picks->len + 1);
}

static gboolean
list_networks(Cut *self, GError **error)
{
    for (guint i = 0; i < self->picks->len; i++) {
        const AditPick *pick = &g_array_index(self->picks, AditPick, i);
        AditTruncated truncated = {.address =
                                       g_strndup(pick->address, strcspn(pick->address, ":"))};

        g_array_append_val(self->result->networks, truncated);
        if (i == 0)
            self->result->shape = pick->tensor->shape;
        if (adit_shape_equal(&pick->tensor->shape, &self->result->shape))
            continue;
        g_autofree char *first = adit_shape_to_string(&self->result->shape);
        g_autofree char *other = adit_shape_to_string(&pick->tensor->shape);

        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "a trunk that is cut off must collect one shape, but '%s' has %s and '%s' %s",
                    get(self, 0)->address, first, truncated.address, other);
        return FALSE;
    }
    self->width = adit_shape_count(&self->result->shape);
    if (self->picks->len > 1)
        return TRUE;
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID, "'trunk' has no items to cut off");
    return FALSE;
}

/* Constants of all iterations of the loops around @tensor, an axis for each. */
static AditTensor *
make_constants(const Cut *self, AditTensor *tensor)
{
    AditShape shape = tensor->shape;
    gsize n = 1;

    for (const AditLoop *loop = tensor->graph->loop; loop != NULL; loop = loop->parent->loop) {
        shape = adit_shape_prepend(&shape, loop->n);
        n *= loop->n;
    }
    g_autofree double *values = g_new0(double, n * self->width);

    for (guint i = 0; i < self->picks->len; i++) {
        const AditPick *pick = &g_array_index(self->picks, AditPick, i);

        if (pick->tensor == tensor)
            memcpy(values + pick->instance * self->width, get(self, i)->constant,
                   self->width * sizeof *values);
    }
    return adit_constant_array(self->graph, &shape, values);
}

/* The iteration's part of @stack, which has an axis for each loop around @graph. */
static AditTensor *
take_each(AditGraph *graph, AditTensor *stack)
{
    AditLoop *loops[ADIT_MAX_LOOPS];
    guint depth = 0;

    for (AditLoop *loop = graph->loop; loop != NULL; loop = loop->parent->loop)
        loops[depth++] = loop;
    for (guint i = depth; i > 0; i--)
        stack = adit_loop_each(loops[i - 1], stack);
    return stack;
}

/* [loss, metric] of every row had the trunk ended there, without and with the constant. */
static AditTensor *
build_scores(const Cut *self, AditTensor *x)
{
    const AditExperiment *experiment = adit_network_get_experiment(self->network);
    AditLoss *loss = adit_network_get_loss(self->network);
    AditTensor *constants = take_each(x->graph, make_constants(self, x));
    AditTensor *const scores[] = {
        adit_network_build_scores(experiment, loss, self->tensors.targets, x),
        adit_network_build_scores(experiment, loss, self->tensors.targets, adit_add(x, constants))};

    return adit_concat(scores, 2, 0);
}

/* Outputs of all tensors that hold picks. @scored: their scores; else they themselves */
static gboolean
build_outputs(Cut *self, gboolean scored, GError **error)
{
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);

    for (guint i = 0; i < self->picks->len; i++) {
        AditTensor *tensor = g_array_index(self->picks, AditPick, i).tensor;
        gpointer number = g_hash_table_lookup(seen, tensor);

        if (number == NULL) {
            AditTensor *y = scored ? build_scores(self, tensor) : tensor;
            AditProgramOutput output = {.kind = ADIT_OUTPUT_READ, .tensor = adit_tensor_unroll(y)};

            g_array_append_val(self->outputs, output);
            number = GUINT_TO_POINTER(self->outputs->len);
            g_hash_table_insert(seen, tensor, number);
        }
        self->output[i] = GPOINTER_TO_UINT(number) - 1;
    }
    adit_network_diagnose(self->graph, diagnostics);
    return !adit_diagnostics_fail(diagnostics, error);
}

/* ---- rows ---- */

typedef void (*RowsFunc)(Cut *self, double *const *values, gsize rows);

static gboolean
run_batches(Cut *self, const AditProgram *program, AditExecutable *executable,
            const AditSplit *split, const AditEvaluationSetup *setup, RowsFunc func, GError **error)
{
    AditDevice *device = adit_network_get_device(self->network);
    g_autofree double *lives = adit_lives_new(program, NULL);
    g_autoptr(GPtrArray) values = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < self->outputs->len; i++) {
        const AditTensor *tensor = g_array_index(self->outputs, AditProgramOutput, i).tensor;

        g_ptr_array_add(values, g_new(double, adit_shape_count(&tensor->shape) * setup->batch));
    }
    for (gsize first = 0; first < split->rows; first += setup->batch) {
        AditFeed feeds[ADIT_N_FEEDS];

        if (setup->func != NULL && !setup->func(first, split->rows, setup->user_data, error))
            return FALSE;
        adit_feeds_set(feeds, program, split, NULL, first);
        AditCall call = {
            .rows = MIN(setup->batch, split->rows - first), .feeds = feeds, .lives = lives};

        adit_device_run(device, executable, &call);
        for (guint i = 0; i < self->outputs->len; i++)
            adit_executable_read_output(device, executable, i, values->pdata[i]);
        if (!adit_device_wait(device, error))
            return FALSE;
        func(self, (double *const *) values->pdata, call.rows);
    }
    return TRUE;
}

static gboolean
evaluate(Cut *self, const AditSplit *split, const AditEvaluationSetup *setup, RowsFunc func,
         GError **error)
{
    AditDevice *device = adit_network_get_device(self->network);
    AditEvaluationSetup at_once = *setup;

    at_once.batch = MIN(setup->batch, split->rows);
    g_autoptr(AditProgram) program =
        adit_compile(self->graph, adit_network_get_layout(self->network), NULL, 0,
                     (AditProgramOutput *) self->outputs->data, self->outputs->len,
                     adit_device_get_compile_flags(device));
    AditExecutable *executable =
        adit_device_prepare(device, program, adit_network_get_memory(self->network), at_once.batch,
                            adit_network_get_experiment(self->network)->seed, error);

    if (executable == NULL)
        return FALSE;
    gboolean done = run_batches(self, program, executable, split, &at_once, func, error);

    adit_executable_free(device, executable);
    return done;
}

static const double *
get_numbers(const Cut *self, double *const *values, guint i, gsize rows, gsize width)
{
    return values[self->output[i]] +
           g_array_index(self->picks, AditPick, i).instance * rows * width;
}

/* What comes behind each item: the last sum less that one. */
static void
add_constants(Cut *self, double *const *values, gsize rows)
{
    guint n = self->picks->len;
    const double *last = get_numbers(self, values, n - 1, rows, self->width);

    for (guint i = 0; i < n; i++) {
        const double *here = get_numbers(self, values, i, rows, self->width);

        for (gsize j = 0; j < rows * self->width; j++)
            get(self, i)->constant[j % self->width] += last[j] - here[j];
    }
}

static void
add_scores(Cut *self, double *const *values, gsize rows)
{
    for (guint i = 0; i < self->picks->len; i++) {
        const double *numbers = get_numbers(self, values, i, rows, 4);
        AditScores *scores[] = {&get(self, i)->dropped, &get(self, i)->folded};

        for (gsize j = 0; j < rows * 2; j++, numbers += 2) {
            scores[j % 2]->rows++;
            scores[j % 2]->loss += numbers[0];
            scores[j % 2]->metric += numbers[1];
        }
    }
}

static gboolean
find_constants(Cut *self, const AditSplit *training, const AditEvaluationSetup *setup,
               GError **error)
{
    AditEvaluationSetup little = *setup;

    little.batch = MIN(setup->batch, MEAN_ROWS);
    for (guint i = 0; i < self->picks->len; i++)
        get(self, i)->constant = g_new0(double, self->width);
    if (!build_outputs(self, FALSE, error) ||
        !evaluate(self, training, &little, add_constants, error))
        return FALSE;
    for (guint i = 0; i < self->picks->len; i++) {
        for (gsize j = 0; j < self->width; j++)
            get(self, i)->constant[j] /= (double) MAX(training->rows, 1);
    }
    return TRUE;
}

static gboolean
find_scores(Cut *self, const AditSplit *split, const AditEvaluationSetup *setup, GError **error)
{
    copy_graph(self);
    if (!build_outputs(self, TRUE, error) || !evaluate(self, split, setup, add_scores, error))
        return FALSE;
    for (guint i = 0; i < self->picks->len; i++) {
        AditScores *scores[] = {&get(self, i)->dropped, &get(self, i)->folded};

        for (guint j = 0; j < 2; j++) {
            scores[j]->loss /= (double) MAX(scores[j]->rows, 1);
            scores[j]->metric /= (double) MAX(scores[j]->rows, 1);
        }
    }
    return TRUE;
}

/* The head is paid for wherever the trunk ends. */
static void
count_costs(Cut *self)
{
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_EVALUATION);
    const char *const among[] = {COLLECTED, NULL};
    g_autoptr(AditCandidates) found =
        adit_candidates_new(adit_network_get_experiment(self->network),
                            adit_network_get_shape(self->network), among, graph);
    guint n = found->addresses->len;

    for (guint i = 0; i < n && i < self->picks->len; i++)
        get(self, i)->cost =
            (found->costs[i] + found->costs[n] - found->costs[n - 1]) / MAX(found->costs[n], 1);
}

AditTruncation *
adit_truncation_new(AditNetwork *network, const AditSplit *split, const AditSplit *training,
                    const AditEvaluationSetup *setup, GError **error)
{
    g_auto(Cut) self = {.network = network};

    g_return_val_if_fail(adit_network_get_loss(network) != NULL && split->rows > 0, NULL);
    self.result = g_new0(AditTruncation, 1);
    self.result->networks = g_array_new(FALSE, TRUE, sizeof(AditTruncated));
    g_array_set_clear_func(self.result->networks, clear_truncated);
    copy_graph(&self);
    if (!list_networks(&self, error) || !find_constants(&self, training, setup, error) ||
        !find_scores(&self, split, setup, error))
        return NULL;
    count_costs(&self);
    return g_steal_pointer(&self.result);
}
