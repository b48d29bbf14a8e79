/* core/train/adit-check.c - SPDX-License-Identifier: MIT */
#include "adit-check.h"

#include <adit/adit-ops.h>

#include "adit-calibration.h"
#include "adit-component-private.h"
#include "adit-cost.h"
#include "adit-exit-table.h"
#include "adit-loader.h"
#include "adit-penalty.h"
#include "adit-probes.h"
#include "adit-settings.h"
#include "adit-stage-plan.h"

#include <string.h>

void
adit_check_clear(AditCheck *self)
{
    g_clear_pointer(&self->graph, adit_graph_unref);
}

/* ---- data ---- */

/* Where the path that @failure speaks of is written; the first path if it names none of them. */
static const AditPlace *
find_path(const AditExperiment *experiment, AditDataset *dataset, const char *data_folder,
          const GError *failure)
{
    g_autoptr(AditLoader) loader = adit_loader_new(data_folder, 0);
    g_autoptr(GPtrArray) parameters =
        adit_component_class_list_parameters(ADIT_COMPONENT_GET_CLASS(dataset));
    const AditPlace *first = NULL;

    for (guint i = 0; i < parameters->len; i++) {
        const AditParameter *parameter = parameters->pdata[i];
        g_autofree char *path = NULL;
        const AditPlace *place =
            parameter->type == ADIT_PARAMETER_PATH
                ? adit_experiment_find_place(experiment, dataset, parameter->name, 0)
                : NULL;

        if (place == NULL)
            continue;
        g_object_get(dataset, parameter->name, &path, NULL);
        g_autofree char *shown = path != NULL ? adit_loader_show_path(loader, path) : NULL;

        if (shown != NULL && strstr(failure->message, shown) != NULL)
            return place;
        first = first != NULL ? first : place;
    }
    return first;
}

void
adit_check_report_data(const AditExperiment *experiment, AditDataset *dataset,
                       const char *data_folder, const GError *failure, AditDiagnostics *diagnostics)
{
    const AditPlace *place = find_path(experiment, dataset, data_folder, failure);
    AditError code = failure->domain == ADIT_ERROR ? (AditError) failure->code : ADIT_ERROR_FAILED;

    if (place == NULL)
        place = adit_component_get_place(ADIT_COMPONENT(dataset));
    g_autofree char *message = adit_loader_explain(failure->message, data_folder);

    adit_diagnostics_error(diagnostics, place, code, "%s", message);
}

static gboolean
describe(const AditExperiment *experiment, AditDataset *dataset, const char *data_folder,
         AditSchema *schema, AditDiagnostics *diagnostics)
{
    g_autoptr(GError) failure = NULL;

    if (adit_data_describe(dataset, data_folder, schema, &failure))
        return TRUE;
    adit_check_report_data(experiment, dataset, data_folder, failure, diagnostics);
    return FALSE;
}

/* All sets meet one network. */
static void
compare_schemas(AditDataset *dataset, const AditSchema *schema, const AditSchema *first,
                AditDiagnostics *diagnostics)
{
    g_autofree char *got = adit_shape_to_string(&schema->inputs);
    g_autofree char *expected = adit_shape_to_string(&first->inputs);
    const AditPlace *place = adit_component_get_place(ADIT_COMPONENT(dataset));

    if (!adit_shape_equal(&schema->inputs, &first->inputs))
        adit_diagnostics_error(diagnostics, place, ADIT_ERROR_INVALID,
                               "this set's inputs are %s, but the first set's are %s", got,
                               expected);
    else if ((schema->classes > 0) != (first->classes > 0) || schema->classes > first->classes)
        adit_diagnostics_error(diagnostics, place, ADIT_ERROR_INVALID,
                               "this set has %u classes, but the first set has %u", schema->classes,
                               first->classes);
}

static gboolean
check_data(const AditExperiment *experiment, const char *data_folder, AditCheck *check,
           AditDiagnostics *diagnostics)
{
    AditSchema first = {0};
    gboolean known = FALSE;

    for (guint i = 0; i < experiment->datasets->len; i++) {
        AditDataset *dataset = experiment->datasets->pdata[i];
        AditSchema schema = {0};

        if (!describe(experiment, dataset, data_folder, &schema, diagnostics))
            continue;
        if (i == 0) {
            known = TRUE;
            first = schema;
        } else if (known) {
            compare_schemas(dataset, &schema, &first, diagnostics);
        }
    }
    check->shape = (AditNetworkShape){first.inputs, first.targets, first.classes};
    check->rows = first.rows;
    return known;
}

/* ---- addresses ---- */

typedef struct {
    const AditExperiment *experiment;
    AditGraph *graph;
    AditDiagnostics *diagnostics;
} Lookup;

static gboolean
has_parameters(AditGraph *graph, const char *address, gboolean weights)
{
    for (guint i = 0; i < graph->tensors->len; i++) {
        const AditTensor *tensor = graph->tensors->pdata[i];

        if (tensor->kind != ADIT_TENSOR_PARAMETER || (weights && tensor->role != ADIT_ROLE_WEIGHT))
            continue;
        for (guint j = 0; tensor->names[j] != NULL; j++) {
            if (adit_parameter_is_at(tensor, j, address))
                return TRUE;
        }
    }
    return FALSE;
}

/* Reports an address that finds no tensor, or no parameter if @parameters. */
static void
check_address(const Lookup *self, const char *address, gboolean parameters, gboolean weights,
              const AditPlace *place)
{
    g_autoptr(GArray) picks = adit_graph_pick(self->graph, address);

    if (parameters ? has_parameters(self->graph, address, weights) : picks->len > 0)
        return;
    g_autofree char *reason = picks->len == 0 ? adit_graph_explain_address(self->graph, address)
                                              : g_strdup_printf("nothing at '%s' has %s", address,
                                                                weights ? "weights" : "parameters");

    adit_diagnostics_error(self->diagnostics, place, ADIT_ERROR_INVALID, "%s", reason);
}

/* The addresses that @owner says under @key, or @standard where it says none. */
static void
check_addresses(const Lookup *self, gpointer owner, const char *key, const char *const *at,
                const char *standard, gboolean parameters, gboolean weights,
                const AditPlace *fallback)
{
    if (at == NULL && standard != NULL)
        check_address(self, standard, parameters, weights, fallback);
    for (guint i = 0; at != NULL && at[i] != NULL; i++) {
        const AditPlace *place = adit_experiment_find_place(self->experiment, owner, key, i);

        check_address(self, at[i], parameters, weights, place != NULL ? place : fallback);
    }
}

/* Whether nothing is where the regularizer looks unless it is told; that is told then. */
static gboolean
lacks_default(const Lookup *self, AditRegularizer *regularizer)
{
    AditRegularizerClass *klass = ADIT_REGULARIZER_GET_CLASS(regularizer);
    g_autoptr(GArray) picks = adit_graph_pick(self->graph, klass->default_at);

    if (picks->len > 0)
        return FALSE;
    adit_diagnostics_error(
        self->diagnostics, adit_component_get_place(ADIT_COMPONENT(regularizer)),
        ADIT_ERROR_INVALID, "'%s' looks at \"%s\", but the network has no %s; say 'at'",
        ADIT_COMPONENT_GET_CLASS(regularizer)->name, klass->default_at, klass->needs);
    return TRUE;
}

static void
check_regularizer(const Lookup *self, AditRegularizer *regularizer)
{
    AditRegularizerClass *klass = ADIT_REGULARIZER_GET_CLASS(regularizer);
    gboolean weights = klass->match == ADIT_MATCH_WEIGHTS;

    if (klass->needs != NULL && adit_regularizer_get_at(regularizer) == NULL &&
        lacks_default(self, regularizer))
        return;
    check_addresses(self, regularizer, "at", adit_regularizer_get_at(regularizer),
                    klass->default_at, weights, weights,
                    adit_component_get_place(ADIT_COMPONENT(regularizer)));
}

static void
check_stage_addresses(const Lookup *self, AditStage *stage)
{
    for (guint i = 0; stage->regularizers != NULL && i < stage->regularizers->len; i++)
        check_regularizer(self, stage->regularizers->pdata[i]);
    check_addresses(self, stage, "freeze", (const char *const *) stage->freeze, NULL, TRUE, FALSE,
                    &stage->freeze_place);
    for (guint i = 0; stage->rates != NULL && i < stage->rates->len; i++) {
        const AditRate *rate = &g_array_index(stage->rates, AditRate, i);

        for (guint j = 0; rate->at[j] != NULL; j++)
            check_address(self, rate->at[j], TRUE, FALSE, &rate->place);
    }
}

/* ---- the figure that ranks checkpoints ---- */

static AditDataset *
find_dataset(const AditExperiment *experiment, const char *name)
{
    for (guint i = 0; name != NULL && i < experiment->datasets->len; i++) {
        AditDataset *dataset = experiment->datasets->pdata[i];
        const char *own = adit_dataset_get_settings(dataset)->name;

        if (g_str_equal(name, own != NULL ? own : ADIT_COMPONENT_GET_CLASS(dataset)->name))
            return dataset;
    }
    return experiment->datasets->pdata[0];
}

static gboolean
has_split(AditDataset *dataset, const char *split)
{
    const AditDatasetSettings *settings = adit_dataset_get_settings(dataset);
    const AditDatasetClass *klass = ADIT_DATASET_GET_CLASS(dataset);
    gboolean given = settings->test.value >= 0;

    if (g_str_equal(split, "test"))
        return given ? settings->test.value > 0 : klass->has_test || klass->default_test.value > 0;
    return g_str_equal(split, "train") || settings->validation.value > 0;
}

static void
check_best(const AditExperiment *experiment, const AditStage *stage, AditDiagnostics *diagnostics)
{
    AditDataset *dataset = find_dataset(experiment, stage->data);
    const char *metric = ADIT_LOSS_GET_CLASS(stage->loss)->metric_name;
    g_auto(GStrv) words = g_strsplit(stage->best, ".", 2);
    const char *figure = words[0] != NULL && words[1] != NULL ? words[1] : "";

    if ((g_str_equal(figure, "loss") || g_strcmp0(figure, metric) == 0) &&
        has_split(dataset, words[0]))
        return;
    const char *split = has_split(dataset, "test")         ? "test"
                        : has_split(dataset, "validation") ? "validation"
                                                           : "train";

    adit_diagnostics_error(diagnostics, &stage->best_place, ADIT_ERROR_INVALID,
                           "'best' must be one of the run's figures, such as %s.loss or %s.%s, got "
                           "\"%s\"",
                           split, split, metric != NULL ? metric : "loss", stage->best);
}

/* ---- exits ---- */

/* Whether the strategy fits the network. */
static void
check_plan(const Lookup *self, const AditStage *stage)
{
    g_autoptr(AditStagePlan) plan =
        adit_stage_plan_new(self->experiment, stage, self->graph, self->diagnostics);
}

static void
check_policy(const Lookup *self)
{
    guint n_exits = adit_graph_count_exits(self->graph);
    g_autofree double *thresholds = g_new0(double, n_exits + 1);

    adit_experiment_read_thresholds(self->experiment, n_exits, thresholds, self->diagnostics);
    adit_calibration_check(self->experiment, n_exits, self->diagnostics);
}

/* ---- the network ---- */

static void
check_penalty(AditGraph *graph, AditRegularizer *regularizer)
{
    AditTensor *figure;

    adit_penalty_add(adit_constant(graph, 0), regularizer, graph, NULL, &figure);
}

/* The network as @stage trains it, its regularizers' terms included. */
static void
check_stage(const AditExperiment *experiment, AditStage *stage, const AditNetworkShape *shape,
            AditDiagnostics *diagnostics)
{
    AditNetworkTensors tensors;
    g_autoptr(AditGraph) graph = adit_network_build(
        experiment, ADIT_MODE_TRAINING, shape, &(AditNetworkUse){.loss = stage->loss}, &tensors);
    Lookup lookup = {experiment, graph, diagnostics};

    if (stage->best != NULL)
        check_best(experiment, stage, diagnostics);

    if (adit_graph_get_error(graph) == NULL) {
        check_stage_addresses(&lookup, stage);
        check_plan(&lookup, stage);
        for (guint i = 0; stage->regularizers != NULL && i < stage->regularizers->len; i++)
            check_penalty(graph, stage->regularizers->pdata[i]);
    }
    adit_network_diagnose(graph, diagnostics);
}

/* Items of the trunk, repeats unrolled. */
static guint
count_blocks(AditGraph *graph)
{
    const char *in = g_intern_string("in");
    guint count = 0;

    for (guint i = 0; i < graph->taps->len; i++) {
        const AditTap *tap = &g_array_index(graph->taps, AditTap, i);
        const AditScope *parent = tap->scope->parent;

        if (tap->port == in && parent != NULL && parent->parent == NULL &&
            g_strcmp0(parent->name, "trunk") == 0)
            count += adit_scope_count(tap->scope);
    }
    return count;
}

/* A section as a whole may have no parameters; there is nothing to take then. */
static void
check_load(const Lookup *self)
{
    static const char *const whole[] = {"stem", "trunk", "head", "exits", NULL};
    const AditExperiment *experiment = self->experiment;

    for (guint i = 0; experiment->load[i] != NULL; i++) {
        if (!g_strv_contains(whole, experiment->load[i]))
            check_address(self, experiment->load[i], TRUE, FALSE,
                          adit_experiment_find_place(experiment, experiment, "load", i));
    }
}

static void
check_network(const AditExperiment *experiment, AditCheck *check, AditDiagnostics *diagnostics)
{
    AditStage *last =
        experiment->stages->len > 0 ? experiment->stages->pdata[experiment->stages->len - 1] : NULL;
    AditNetworkTensors tensors;

    check->graph =
        adit_network_build(experiment, ADIT_MODE_EVALUATION, &check->shape,
                           &(AditNetworkUse){.loss = last != NULL ? last->loss : NULL}, &tensors);
    adit_network_diagnose(check->graph, diagnostics);
    if (adit_graph_get_error(check->graph) != NULL)
        return;
    g_autoptr(GHashTable) costs = adit_graph_count_costs(check->graph);
    AditCost total = adit_costs_find(costs, "");
    Lookup lookup = {experiment, check->graph, diagnostics};

    check->outputs = *adit_tensor_get_shape(tensors.logits);
    check->parameters = total.parameters;
    check->multiply_adds = total.multiply_adds;
    check->blocks = count_blocks(check->graph);
    for (guint i = 0; i < experiment->probes->len; i++)
        adit_probe_check(experiment->probes->pdata[i], experiment, check->graph, diagnostics);
    check_load(&lookup);
    check_policy(&lookup);
}

gboolean
adit_check_experiment(const AditExperiment *experiment, const char *data_folder, AditCheck *check,
                      AditDiagnostics *diagnostics)
{
    guint errors = adit_diagnostics_count_errors(diagnostics);

    *check = (AditCheck){0};
    if (check_data(experiment, data_folder, check, diagnostics)) {
        check_network(experiment, check, diagnostics);
        for (guint i = 0; i < experiment->stages->len; i++)
            check_stage(experiment, experiment->stages->pdata[i], &check->shape, diagnostics);
    }
    return adit_diagnostics_count_errors(diagnostics) == errors;
}
