/* core/infer/adit-network-build.c - SPDX-License-Identifier: MIT */
#include "adit-network.h"

#include <adit/adit-ops.h>

#include "adit-component-private.h"

static void
build_loss(AditGraph *graph, AditLoss *loss, const AditNetworkShape *shape,
           AditNetworkTensors *tensors)
{
    AditLossClass *klass = ADIT_LOSS_GET_CLASS(loss);
    AditTensor *targets = adit_input(graph, "targets", &shape->targets, shape->classes);
    adit_graph_enter_component(graph, loss);
    tensors->loss = klass->build(loss, graph, tensors->logits, targets);
    tensors->metric = klass->metric != NULL ? klass->metric(loss, graph, tensors->logits, targets)
                                            : tensors->loss;
    adit_graph_leave_component(graph);
}

AditGraph *
adit_network_build(const AditModel *model, AditMode mode, const AditNetworkShape *shape,
                   AditBlock *augment, AditLoss *loss, AditNetworkTensors *tensors)
{
    AditGraph *graph = adit_graph_new(mode);
    AditTensor *x = adit_input(graph, "inputs", &shape->inputs, 0);
    if (augment != NULL) {
        adit_graph_enter_scope(graph, 0, NULL, 0, "augment", NULL);
        x = adit_block_build(augment, graph, x);
        adit_graph_leave_scope(graph);
    }
    *tensors = (AditNetworkTensors){.logits = adit_model_build(model, graph, x)};
    if (loss != NULL)
        build_loss(graph, loss, shape, tensors);
    return graph;
}

void
adit_network_diagnose(AditGraph *graph, AditDiagnostics *diagnostics)
{
    const GError *error = adit_graph_get_error(graph);
    if (error == NULL)
        return;
    AditComponent *component = adit_graph_get_error_component(graph);
    const AditPlace *place = component != NULL ? adit_component_get_place(component) : NULL;
    adit_diagnostics_error(diagnostics, place, error->code, "%s", error->message);
}
