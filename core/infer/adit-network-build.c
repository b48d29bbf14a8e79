/* core/infer/adit-network-build.c - SPDX-License-Identifier: MIT */
#include "adit-network.h"

#include <adit/adit-ops.h>

#include "adit-component-private.h"
#include "adit-graph-private.h"
#include "adit-outcome.h"
#include "adit-placement.h"
#include "adit-selection.h"

void
adit_network_build_loss(AditLoss *loss, AditNetworkTensors *tensors)
{
    AditLossClass *klass = ADIT_LOSS_GET_CLASS(loss);
    AditGraph *graph = adit_tensor_get_graph(tensors->logits);
    AditTensor *targets = adit_graph_import(graph, tensors->targets);
    adit_graph_enter_component(graph, loss);
    tensors->loss = klass->build(loss, graph, tensors->logits, targets);
    tensors->metric = klass->metric != NULL ? klass->metric(loss, graph, tensors->logits, targets)
                                            : tensors->loss;
    adit_graph_leave_component(graph);
}

AditTensor *
adit_network_join_scores(const AditNetworkTensors *tensors)
{
    AditTensor *const scores[] = {adit_reshape(tensors->loss, &ADIT_SHAPE(1)),
                                  adit_reshape(tensors->metric, &ADIT_SHAPE(1))};

    return adit_concat(scores, G_N_ELEMENTS(scores), 0);
}

AditTensor *
adit_network_build_scores(const AditExperiment *experiment, AditLoss *loss, AditTensor *targets,
                          AditTensor *x)
{
    AditNetworkTensors tensors = {.logits = adit_model_build_head(&experiment->model, x),
                                  .targets = targets};
    adit_network_build_loss(loss, &tensors);
    return adit_network_join_scores(&tensors);
}

/* The rows as the network sees them in @mode. The network's parameters are those of its evaluation,
 * so that what changes rows in training alone can have none. */
static AditTensor *
augment_rows(AditBlock *augment, AditGraph *graph, AditTensor *x)
{
    adit_graph_enter_scope(graph, 0, NULL, 0, "augment", NULL);
    x = adit_block_build(augment, graph, x);
    adit_graph_enter_component(graph, augment);
    if (g_hash_table_size(graph->names) > 0)
        x = adit_graph_fail(graph, "what augments the data cannot have parameters");
    adit_graph_leave_component(graph);
    adit_graph_leave_scope(graph);
    return x;
}

/* What comes of augmentation has one shape in training and in evaluation: the network's. */
static AditTensor *
check_augmented(const AditDatasetSettings *settings, const AditShape *inputs, AditTensor *x)
{
    g_autoptr(AditGraph) other = adit_graph_new(ADIT_MODE_EVALUATION);
    AditGraph *graph = adit_tensor_get_graph(x);
    AditTensor *y =
        augment_rows(settings->eval_augment, other, adit_input(other, "inputs", inputs, 0));
    g_autofree char *got = adit_shape_to_string(adit_tensor_get_shape(x));
    g_autofree char *expected = adit_shape_to_string(adit_tensor_get_shape(y));

    if (adit_tensor_has_failed(x) || adit_tensor_has_failed(y) || g_str_equal(got, expected))
        return x;
    adit_graph_enter_component(graph, settings->augment != NULL ? settings->augment
                                                                : settings->eval_augment);
    x = adit_graph_fail(graph,
                        "'augment' gives %s, but 'eval-augment' %s; both must give one shape", got,
                        expected);
    adit_graph_leave_component(graph);
    return x;
}

/* What the network says of a row. */
static AditTensor *
build_outcome(const AditExperiment *experiment, const AditNetworkShape *shape,
              const AditNetworkUse *use, AditTensor *last)
{
    AditGraph *graph = adit_tensor_get_graph(last);
    g_autoptr(GArray) exits = NULL;

    if (adit_graph_get_error(graph) != NULL)
        return last;
    exits = adit_graph_pick(graph, ADIT_EXITS_ROOT ".*");
    adit_outcomes_declare(experiment, exits->len, last, shape->classes);
    AditOutcomeInputs inputs = {exits, last, use->loss, shape->classes};

    return adit_outcome_build(&use->outcome, &inputs);
}

AditTensor *
adit_network_build_model(const AditExperiment *experiment, const AditModel *of,
                         const AditNetworkShape *shape, AditGraph *graph)
{
    AditMode mode = adit_graph_get_mode(graph);
    AditTensor *x = adit_input(graph, "inputs", &shape->inputs, 0);
    AditModel model = *of;

    model.feedback = adit_experiment_has_feedback(experiment);
    if (experiment->datasets->len > 0) {
        const AditDatasetSettings *settings =
            adit_dataset_get_settings(experiment->datasets->pdata[0]);
        AditBlock *augment =
            mode == ADIT_MODE_TRAINING ? settings->augment : settings->eval_augment;
        x = augment_rows(augment, graph, x);
        if (mode == ADIT_MODE_TRAINING)
            x = check_augmented(settings, &shape->inputs, x);
        model.transform = settings->transform;
    }
    return adit_model_build(&model, graph, x);
}

AditGraph *
adit_network_build(const AditExperiment *experiment, AditMode mode, const AditNetworkShape *shape,
                   const AditNetworkUse *use, AditNetworkTensors *tensors)
{
    AditGraph *graph = adit_graph_new(mode);
    AditTensor *last;

    adit_graph_set_alter(graph, use->alter, use->alter_data);
    adit_graph_set_cut(graph, use->cut);
    adit_placement_resolve(experiment, shape, graph);
    last = adit_network_build_model(experiment, &experiment->model, shape, graph);
    *tensors =
        (AditNetworkTensors){.last = last, .logits = build_outcome(experiment, shape, use, last)};
    if (use->loss != NULL) {
        tensors->targets = adit_input(graph, "targets", &shape->targets, shape->classes);
        adit_network_build_loss(use->loss, tensors);
    }
    return graph;
}

static const AditPlace *
get_place(AditComponent *component)
{
    return component != NULL ? adit_component_get_place(component) : NULL;
}

void
adit_network_diagnose(AditGraph *graph, AditDiagnostics *diagnostics)
{
    for (guint i = 0; i < graph->warnings->len; i++) {
        const AditWarning *warning = &g_array_index(graph->warnings, AditWarning, i);
        adit_diagnostics_warning(diagnostics, get_place(warning->component), "%s",
                                 warning->message);
    }
    const GError *error = adit_graph_get_error(graph);
    if (error != NULL)
        adit_diagnostics_error(diagnostics, get_place(adit_graph_get_error_component(graph)),
                               error->code, "%s", error->message);
}
