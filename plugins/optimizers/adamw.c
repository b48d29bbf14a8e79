/* plugins/optimizers/adamw.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditAdamw {
    AditOptimizer parent_instance;
    AditLive *lr;
    double beta1;
    double beta2;
    double epsilon;
    double decay;
};
ADIT_DEFINE_OPTIMIZER(AditAdamw, adit_adamw, ADIT_ADAMW)

static guint
count_slots(AditOptimizer *optimizer)
{
    return 2;
}

/* kept + (seen - kept) (1 - beta) */
static AditTensor *
average(AditTensor *kept, AditTensor *seen, double beta)
{
    return adit_add(kept, adit_scale(adit_sub(seen, kept), 1.0 - beta));
}

/* 1 - beta^step */
static AditTensor *
correction(AditGraph *graph, double beta, AditTensor *step)
{
    return adit_offset(adit_neg(adit_pow(adit_constant(graph, beta), step)), 1.0);
}

/* Loshchilov, Hutter, "Decoupled weight decay regularization", ICLR 2019, algorithm 2, the decay
 * times the learning rate; moments as in `adam`. */
static void
update(AditOptimizer *optimizer, AditGraph *graph, AditUpdate *update)
{
    AditAdamw *self = ADIT_ADAMW(optimizer);
    AditTensor *first = average(update->slots[0], update->gradient, self->beta1);
    AditTensor *second = average(update->slots[1], adit_square(update->gradient), self->beta2);
    AditTensor *rate = adit_mul(adit_live(graph, self->lr), update->factor);
    AditTensor *value =
        adit_sub(update->value, adit_mul(rate, adit_scale(update->value, self->decay)));
    AditTensor *scale = adit_div(adit_sqrt(correction(graph, self->beta2, update->step)),
                                 correction(graph, self->beta1, update->step));
    AditTensor *spread = adit_offset(adit_sqrt(second), self->epsilon);

    update->slots[0] = first;
    update->slots[1] = second;
    update->value = adit_sub(value, adit_div(adit_mul(adit_mul(rate, scale), first), spread));
}

static void
adit_adamw_class_init(AditComponentClass *klass)
{
    ADIT_OPTIMIZER_CLASS(klass)->count_slots = count_slots;
    ADIT_OPTIMIZER_CLASS(klass)->update = update;
    adit_component_class_describe(klass, "adamw", "Adaptive moments with decoupled weight decay");
    adit_component_class_add_live(klass, "lr", "Learning rate", 0, 1e6, 0.001,
                                  ADIT_FIELD(AditAdamw, lr, AditLive *));
    adit_component_class_add_number(klass, "beta1", "Decay of the gradient's average", 0, 0.999999,
                                    0.9, ADIT_FIELD(AditAdamw, beta1, double));
    adit_component_class_add_number(klass, "beta2", "Decay of the squared gradient's average", 0,
                                    0.999999, 0.999, ADIT_FIELD(AditAdamw, beta2, double));
    adit_component_class_add_number(klass, "epsilon", "Added to the root of the second average", 0,
                                    1, 1e-7, ADIT_FIELD(AditAdamw, epsilon, double));
    adit_component_class_add_number(klass, "decay",
                                    "Share of each weight that the rate takes off a step", 0, 1e6,
                                    0.01, ADIT_FIELD(AditAdamw, decay, double));
}

ADIT_PLUGIN("adamw", "1.0", "MIT", ADIT_TYPES(adit_adamw_get_type))
