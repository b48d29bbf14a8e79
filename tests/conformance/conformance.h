/* tests/conformance/conformance.h - SPDX-License-Identifier: MIT */
#pragma once

#include "components.h"
#include "rig.h"

/* Adds case /conformance/KIND/NAME/@property for one component. */
void add_case(const AditPlugin *plugin, const char *property, void (*test)(const AditPlugin *));
/* The same for what is computed on test_device(): where the environment names another device than
 * the CPU, these are all cases there are. */
void add_device_case(const AditPlugin *plugin, const char *property,
                     void (*test)(const AditPlugin *));

/* Whether @name is written as names are; a vendor's may stand before it. */
gboolean is_kebab(const char *name);

/* The component as its class's example makes it, else with its defaults; checked. */
gpointer make_example(const AditPlugin *plugin);

/* The cases of a component of each kind. */
void add_described(const AditPlugin *plugin);
void add_block(const AditPlugin *plugin);
void add_aggregator(const AditPlugin *plugin);
void add_loss(const AditPlugin *plugin);
void add_regularizer(const AditPlugin *plugin);
void add_optimizer(const AditPlugin *plugin);
void add_schedule(const AditPlugin *plugin);
void add_initializer(const AditPlugin *plugin);
void add_strategy(const AditPlugin *plugin);
void add_policy(const AditPlugin *plugin);
void add_dataset(const AditPlugin *plugin);
void add_probe(const AditPlugin *plugin);
