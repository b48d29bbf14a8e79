/* core/component/adit-component-private.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-aggregator.h>
#include <adit/adit-block.h>
#include <adit/adit-component.h>
#include <adit/adit-schedule.h>

#include "adit-diagnostics.h"

G_BEGIN_DECLS

/* Beside each: the field, which is also what the property's GValue holds. */
typedef enum {
    ADIT_PARAMETER_INT,       /* gint64 */
    ADIT_PARAMETER_NUMBER,    /* double */
    ADIT_PARAMETER_BOOLEAN,   /* gboolean */
    ADIT_PARAMETER_TEXT,      /* char * */
    ADIT_PARAMETER_PATH,      /* char * */
    ADIT_PARAMETER_CHOICE,    /* int, index into words */
    ADIT_PARAMETER_AMOUNT,    /* AditAmount */
    ADIT_PARAMETER_LIVE,      /* AditLive * */
    ADIT_PARAMETER_NUMBERS,   /* GArray of double, never NULL */
    ADIT_PARAMETER_TEXTS,     /* GStrv */
    ADIT_PARAMETER_ADDRESSES, /* GStrv */
    ADIT_PARAMETER_REFERENCE, /* AditComponent * of type kind */
} AditParameterType;

/**
 * AditParameter: one declared parameter, in the order of declaration, base classes first. Static:
 * lives as long as the program.
 */
typedef struct {
    const char *name;
    const char *blurb;
    AditParameterType type;
    AditForm form;   /* AMOUNT */
    double min, max; /* INT, NUMBER, AMOUNT, LIVE, NUMBERS */
    gboolean whole;  /* NUMBERS */
    gboolean pair;   /* NUMBERS: two at most, and one at least if it is required */
    gboolean required;
    const char *const *words; /* CHOICE; NUMBERS: (nullable): what -1, -2, ... are written as */
    GType kind;               /* REFERENCE */
    double def;               /* INT, NUMBER, BOOLEAN, CHOICE, LIVE */
    AditAmount def_amount;    /* AMOUNT */
    const char *def_text;     /* TEXT, PATH, ADDRESSES */
    GParamSpec *pspec;        /* boxed types for AMOUNT, LIVE, NUMBERS, TEXTS */
} AditParameter;

/* (transfer container) (element-type AditParameter): all parameters of a component class. */
GPtrArray *adit_component_class_list_parameters(AditComponentClass *klass);
const AditParameter *adit_component_class_find_parameter(AditComponentClass *klass,
                                                         const char *name);

/* GType of AditAmount and of GArray-of-double, boxed, for g_object_set_property. */
#define ADIT_TYPE_AMOUNT (adit_amount_get_type())
GType adit_amount_get_type(void);
#define ADIT_TYPE_NUMBERS (adit_numbers_get_type())
GType adit_numbers_get_type(void);

/* Where the component was written; its source is kept alive by the caller. */
void adit_component_set_place(AditComponent *self, const AditPlace *place);
/* NULL: unknown. */
const AditPlace *adit_component_get_place(AditComponent *self);
/* Calls the checks of its classes, the kind's first. */
gboolean adit_component_check(AditComponent *self, GError **error);
/* Whether two components are of one type and have equal parameters: instances of a repeat that
 * share a loop. References are compared by content. */
gboolean adit_component_equal(AditComponent *a, AditComponent *b);

/* Builds a block at an address of its own that no number has: a section of the model, a path.
 * @self: (nullable): NULL is the identity. @types: (nullable): what it is in addresses as well, at
 * least one. */
AditTensor *adit_block_build_named(AditBlock *self, AditGraph *graph, AditTensor *x,
                                   const char *name, const char *const *types);

/* NULL: a constant. */
AditSchedule *adit_live_get_schedule(const AditLive *self);

G_END_DECLS
