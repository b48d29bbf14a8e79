/* core/adit/adit-types.h - SPDX-License-Identifier: MIT */
#pragma once

#include <gio/gio.h>
#include <glib-object.h>
#include <gmodule.h>

G_BEGIN_DECLS

/**
 * ADIT_ABI:
 *
 * The plugin interface's version. A plugin loads only into a program of the same number.
 */
#define ADIT_ABI 5

typedef struct _AditGraph AditGraph;
typedef struct _AditTensor AditTensor;
typedef struct _AditOp AditOp;
typedef struct _AditLive AditLive;
typedef struct _AditArray AditArray;
typedef struct _AditRandom AditRandom;

typedef struct _AditComponent AditComponent;
typedef struct _AditBlock AditBlock;
typedef struct _AditAggregator AditAggregator;
typedef struct _AditInitializer AditInitializer;
typedef struct _AditSchedule AditSchedule;

G_END_DECLS
