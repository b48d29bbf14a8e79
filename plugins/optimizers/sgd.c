/* plugins/optimizers/sgd.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditSgd {
    AditOptimizer parent_instance;
    AditLive *lr;
    double momentum;
    gboolean nesterov;
    double decay;
};
ADIT_DEFINE_OPTIMIZER(AditSgd, adit_sgd, ADIT_SGD)

static guint
count_slots(AditOptimizer *optimizer)
{
    return ADIT_SGD(optimizer)->momentum > 0.0 ? 1 : 0;
}

/* v = momentum v + g, value -= lr v, or lr (g + momentum v) with Nesterov's look-ahead: Sutskever,
 * Martens, Dahl, Hinton, ICML 2013, section 2, with the rate outside the velocity as in PyTorch. */
static void
update(AditOptimizer *optimizer, AditGraph *graph, AditUpdate *update)
{
    AditSgd *self = ADIT_SGD(optimizer);
    AditTensor *rate = adit_mul(adit_live(graph, self->lr), update->factor);
    AditTensor *step = update->gradient;

    if (self->decay > 0.0)
        step = adit_add(step, adit_scale(update->value, self->decay));
    if (self->momentum > 0.0) {
        AditTensor *gradient = step;
        AditTensor *velocity = adit_add(adit_scale(update->slots[0], self->momentum), gradient);
        update->slots[0] = velocity;
        step = velocity;
        if (self->nesterov)
            step = adit_add(gradient, adit_scale(velocity, self->momentum));
    }
    update->value = adit_sub(update->value, adit_mul(rate, step));
}

static gboolean
check(AditComponent *component, GError **error)
{
    AditSgd *self = ADIT_SGD(component);

    if (!self->nesterov || self->momentum > 0.0)
        return TRUE;
    g_set_error_literal(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                        "'nesterov' needs a 'momentum' above 0");
    return FALSE;
}

static void
adit_sgd_class_init(AditComponentClass *klass)
{
    klass->check = check;
    ADIT_OPTIMIZER_CLASS(klass)->count_slots = count_slots;
    ADIT_OPTIMIZER_CLASS(klass)->update = update;
    adit_component_class_describe(klass, "sgd", "Stochastic gradient descent with momentum");
    adit_component_class_add_live(klass, "lr", "Learning rate", 0, 1e6, 0.01,
                                  ADIT_FIELD(AditSgd, lr, AditLive *));
    adit_component_class_add_number(klass, "momentum", "Share of the velocity that is kept", 0, 1,
                                    0, ADIT_FIELD(AditSgd, momentum, double));
    adit_component_class_add_boolean(klass, "nesterov", "Gradient ahead of the momentum's step",
                                     FALSE, ADIT_FIELD(AditSgd, nesterov, gboolean));
    adit_component_class_add_number(klass, "decay", "Weight decay, added to the gradient", 0, 1e6,
                                    0, ADIT_FIELD(AditSgd, decay, double));
}

ADIT_PLUGIN("sgd", "1.0", "MIT", ADIT_TYPES(adit_sgd_get_type))
