/* core/component/adit-dataset.c - SPDX-License-Identifier: MIT */
#include <adit/adit-block.h>

#include "adit-settings.h"

typedef AditDatasetSettings AditDatasetPrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE(AditDataset, adit_dataset, ADIT_TYPE_COMPONENT)

#define FIELD(member) ((gsize) G_PRIVATE_OFFSET(AditDataset, member))

static void
adit_dataset_class_init(AditDatasetClass *klass)
{
    static const char *const standardize[] = {"none", "features", "channels", NULL};
    static const char *const resident[] = {"auto", "yes", "no", NULL};
    static const double no_limit = G_MAXDOUBLE;
    AditComponentClass *component_class = ADIT_COMPONENT_CLASS(klass);

    component_class->kind = "dataset";
    adit_component_class_add_text(component_class, "name", "Name among several sets; else its kind",
                                  NULL, FIELD(name));
    adit_component_class_add_amount(
        component_class, "test",
        "Samples held out for testing; else the test set that comes with the data, without one "
        "the default share",
        ADIT_FORM_COUNT, 0, no_limit, (AditAmount){.value = -1.0}, FIELD(test));
    adit_component_class_add_amount(component_class, "validation",
                                    "Samples held out for validation", ADIT_FORM_COUNT, 0, no_limit,
                                    (AditAmount){0}, FIELD(validation));
    adit_component_class_add_int(component_class, "split-seed",
                                 "Seed of the split, and of what is generated", 0, G_MAXINT64, 0,
                                 FIELD(split_seed));
    adit_component_class_add_choice(component_class, "standardize",
                                    "Mean 0 and variance 1, by statistics of the training data",
                                    standardize, ADIT_STANDARDIZE_NONE, FIELD(standardize));
    adit_component_class_add_choice(component_class, "resident",
                                    "Whether the data lives on the device; no streams it", resident,
                                    ADIT_RESIDENT_AUTO, FIELD(resident));
    adit_component_class_add_reference(component_class, "augment", "Blocks before all, in training",
                                       ADIT_TYPE_BLOCK, FIELD(augment));
    adit_component_class_add_reference(component_class, "eval-augment",
                                       "Blocks before all, in evaluation", ADIT_TYPE_BLOCK,
                                       FIELD(eval_augment));
    adit_component_class_add_reference(component_class, "transform",
                                       "Blocks between augmentation and network, always",
                                       ADIT_TYPE_BLOCK, FIELD(transform));
}

static void
adit_dataset_init(AditDataset *self)
{
}

const AditDatasetSettings *
adit_dataset_get_settings(AditDataset *self)
{
    return adit_dataset_get_instance_private(self);
}
