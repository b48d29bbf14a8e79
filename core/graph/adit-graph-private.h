/* core/graph/adit-graph-private.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-graph.h>
#include <adit/adit-op.h>

G_BEGIN_DECLS

typedef struct _AditLoop AditLoop;
typedef struct _AditCut AditCut;

typedef enum {
    ADIT_TENSOR_OP,
    ADIT_TENSOR_INPUT,
    ADIT_TENSOR_CONSTANT,
    ADIT_TENSOR_LIVE,
    ADIT_TENSOR_STEP,
    ADIT_TENSOR_PARAMETER,
    ADIT_TENSOR_STATE,
    ADIT_TENSOR_CARRY,   /* in a loop's body: what the last iteration left */
    ADIT_TENSOR_EACH,    /* in a loop's body: the iteration's part of a stack */
    ADIT_TENSOR_CAPTURE, /* in a loop's body: a tensor of the graph around it */
    ADIT_TENSOR_LAST,    /* of a loop: a carry after the last iteration */
    ADIT_TENSOR_STACK,   /* of a loop: all iterations' values of a tensor of its body */
} AditTensorKind;

/* Loops within loops; what is nested deeper is unrolled. */
#define ADIT_MAX_LOOPS 4

/**
 * AditScope: one segment of an address: what is being built. Owned by the root graph.
 * @number: position among its siblings, in a loop's body the first instance's; 0 for a root
 * (`trunk`)
 * @strides: distance to the next instance's number, for every loop around by its depth
 * @weights: the number that names its parameters: @number, or that of the instance it shares them
 * with
 * @name: (nullable): the item's own name, or the root's
 * @type: (nullable): component or part
 * @other_types: (nullable): what it is as well: a part that is one reference is that block
 * @loop: (nullable): the innermost loop around it, whose iterations tell the instances apart
 */
typedef struct _AditScope AditScope;
struct _AditScope {
    AditScope *parent;
    guint number;
    guint strides[ADIT_MAX_LOOPS];
    guint weights;
    char *name;
    char *type;
    GStrv other_types;
    AditLoop *loop;
};

/**
 * AditTap: a tensor with an address. @tensor may lie in a loop's body.
 * @before: (nullable): of what is collected: what was before the item; NULL: nothing
 */
typedef struct {
    AditScope *scope;
    const char *port; /* interned */
    AditTensor *tensor;
    AditTensor *before;
} AditTap;

typedef struct {
    AditTensor *state;
    AditTensor *value;
} AditStateUpdate;

typedef struct {
    gpointer component; /* nullable */
    char *message;
} AditWarning;

struct _AditTensor {
    AditGraph *graph;
    guint id; /* position in its graph: inputs of an operation have smaller ones */
    AditTensorKind kind;
    AditShape shape;
    gboolean rows;
    guint lead; /* axes before the rows: those of the loops a stack comes from */
    gboolean failed;
    gpointer component; /* who built it; kept alive by the root graph */
    AditScope *scope;

    const AditOp *op; /* OP */
    AditTensor *inputs[ADIT_MAX_INPUTS];
    guint n_inputs;
    void *attributes;
    gsize attributes_size;
    AditTensor *after; /* OP: is computed when that is there, which it does not read; else NULL */

    char *name;                   /* INPUT */
    guint classes;                /* INPUT */
    gboolean channels_last;       /* INPUT: how the images lie that it is fed with */
    double *values;               /* CONSTANT */
    AditLive *live;               /* LIVE */
    GStrv names;                  /* PARAMETER, STATE, what draws noise: of all instances */
    AditRole role;                /* PARAMETER */
    AditInitializer *initializer; /* PARAMETER; NULL: filled */
    double fill;                  /* PARAMETER, STATE */
    AditLoop *loop;               /* CARRY, EACH, CAPTURE, LAST, STACK */
    AditTensor *other;   /* EACH: the stack, CAPTURE: the outer tensor, LAST: the carry, STACK: the
                          * body's tensor
                          */
    AditTensor *initial; /* CARRY */
    AditTensor *next;    /* CARRY */
};

/**
 * AditLoop: a body graph run @n times: index 0, 1, ... or, in @reverse, @n - 1, ..., 0.
 */
struct _AditLoop {
    AditGraph *parent;
    AditGraph *body;
    guint n;
    gboolean reverse;
    gboolean tied;
    GPtrArray *carries;  /* AditTensor of kind CARRY, in the body */
    GPtrArray *eaches;   /* EACH */
    GPtrArray *captures; /* CAPTURE */
    GPtrArray *lasts;    /* LAST, in the parent */
    GPtrArray *stacks;   /* STACK, in the parent */
};

/* What goes on in the place of @x, which is tapped in the current scope: @x itself, or what it is
 * changed to. */
typedef AditTensor *(*AditAlter)(AditTensor *x, const char *port, gpointer data);

struct _AditGraph {
    gint ref_count;
    AditGraph *root;   /* itself for the outermost */
    AditGraph *parent; /* of a body */
    AditLoop *loop;    /* of a body */
    guint depth;       /* number of loops around */
    GPtrArray *tensors;
    GPtrArray *loops; /* owned */

    /* root only */
    AditMode mode;
    AditInitializer *initializer;
    GError *error;
    gpointer error_component;
    AditTensor *failed;
    AditScope *scope;
    GPtrArray *scopes;     /* owned */
    GPtrArray *components; /* stack of who is building */
    GPtrArray *kept;       /* every component seen, owned */
    GArray *taps;          /* AditTap */
    GArray *updates;       /* AditStateUpdate */
    GArray *warnings;      /* AditWarning */
    GHashTable *names;     /* name -> root tensor of parameters and states */
    int sharing;           /* tied repeats being built */
    GStrv exits;           /* (nullable): addresses that will have heads of their own */
    AditAlter alter;       /* (nullable) */
    gpointer alter_data;
    AditCut *cut; /* (nullable): where it is taken apart (core/component) */
};

/* Names the streams of all instances that the operation draws random numbers of. @names: (transfer
 * full) (nullable): NULL: it draws none. */
void adit_tensor_set_streams(AditTensor *self, GStrv names);
/* (nullable): those names, seen through the views that loops make. */
GStrv adit_tensor_get_streams(const AditTensor *self);
/* The operation of @self once more, on @inputs, in their graph or, of noise, in @graph: of noise
 * the same numbers. */
AditTensor *adit_tensor_repeat(const AditTensor *self, AditGraph *graph, AditTensor *const *inputs);

/* Building scopes. enter/leave pairs nest; @component NULL: unknown. */
void adit_graph_enter_component(AditGraph *self, gpointer component);
void adit_graph_leave_component(AditGraph *self);
/* @strides: (nullable) (array fixed-size=4): all 0 outside loops. */
void adit_graph_enter_scope(AditGraph *self, guint number, const guint *strides, guint weights,
                            const char *name, const char *type);
/* Further types of the scope that was entered last; NULL: none. */
void adit_graph_set_other_types(AditGraph *self, const char *const *types);
void adit_graph_leave_scope(AditGraph *self);
void adit_graph_set_initializer(AditGraph *self, AditInitializer *initializer);
/* The component that was building when the graph failed; NULL: none. */
gpointer adit_graph_get_error_component(const AditGraph *self);
/* Says, before the network is built, at which addresses it will have exits. @addresses: (transfer
 * full) */
void adit_graph_set_exits(AditGraph *self, GStrv addresses);
/* Lets @alter see every tensor that is tapped from here on, before anybody reads it; what blocks
 * are fed and what is collected stays as it is. */
void adit_graph_set_alter(AditGraph *self, AditAlter alter, gpointer data);
/* From here on a parameter whose name exists is that parameter (+1), or no more (-1). Nests. */
void adit_graph_share_weights(AditGraph *self, int change);
/* As adit_tap(), of what an item leaves collected; @before: (nullable): what it found collected. */
void adit_tap_collect(AditTensor *collect, AditTensor *before);
/* Every instance's name of @name in the current scope: "trunk.1.weight", "trunk.2.weight", ...;
 * those of a loop that shares its weights have one name if @tied, else one each. */
GStrv adit_graph_list_names(AditGraph *self, const char *name, gboolean tied);
/* Dotted address of instance @index of a scope. */
char *adit_scope_to_string(const AditScope *self, guint index);
/* Number of instances of a scope: the iterations of all loops around it. */
guint adit_scope_count(const AditScope *self);
/* Whether the iterations of @loop, which is around, are different items here. They are not where a
 * section that lies outside of the loop is used again inside it, like the head on what each block
 * leaves: its weights are the same in all of them. @self: (nullable): the graph itself */
gboolean adit_scope_moves(const AditScope *self, const AditLoop *loop);

/* Loops. */
AditGraph *adit_graph_new_body(AditGraph *parent, AditLoop *loop);
AditLoop *adit_loop_new(AditGraph *parent, guint n, gboolean reverse);
/* The body's view of a carry that starts as @initial. */
AditTensor *adit_loop_carry(AditLoop *self, AditTensor *initial);
void adit_loop_set_next(AditLoop *self, AditTensor *carry, AditTensor *next);
/* The body's view of the iteration's part of @stack: its first axis has n elements. */
AditTensor *adit_loop_each(AditLoop *self, AditTensor *stack);
/* In the parent: a carry's value after the last iteration. */
AditTensor *adit_loop_last(AditLoop *self, AditTensor *carry);
/* In the parent: all iterations' values of @tensor, stacked before its shape. */
AditTensor *adit_loop_stack(AditLoop *self, AditTensor *tensor);
/* The view of an outer tensor from inside @graph. */
AditTensor *adit_graph_import(AditGraph *graph, AditTensor *tensor);
/* In the root graph: @tensor with the axes of all loops around it before its shape. */
AditTensor *adit_tensor_unroll(AditTensor *tensor);

/**
 * AditMark: a state of a graph under construction that can be returned to: what a trial body added
 * goes.
 */
typedef struct {
    guint tensors[8];
    guint loops[8];
    guint taps, updates, scopes;
} AditMark;

AditMark adit_graph_mark(AditGraph *self);
void adit_graph_rollback(AditGraph *self, const AditMark *mark);

/* Sets @values[0..@n-1] for the instance that is called @name. */
typedef void (*AditDraw)(const char *name, double *values, gsize n, gpointer data);

/* A constant of @shape for every instance of the current scope, drawn by the instance's name of
 * @name, as the weights of parameters are: loops that share weights share it. */
AditTensor *adit_constant_drawn(AditGraph *graph, const char *name, const AditShape *shape,
                                AditDraw draw, gpointer data);

/* Sets @values[0..@n-1] for instance @instance of the current scope. */
typedef void (*AditFill)(guint instance, double *values, gsize n, gpointer data);

/* The same, by the instance alone: those that share weights have each their own. */
AditTensor *adit_constant_each(AditGraph *graph, const AditShape *shape, AditFill fill,
                               gpointer data);

/* A constant of @shape for every iteration of all loops around @graph. @kept: (out): all of them,
 * as a tensor of the root graph, at first 0; may be filled until a program is made of it. */
AditTensor *adit_constant_stack(AditGraph *graph, const AditShape *shape, AditTensor **kept);

AditTensor *adit_tensor_new(AditGraph *graph, AditTensorKind kind, const AditShape *shape,
                            gboolean rows);

extern const AditOp adit_op_noise_uniform;
extern const AditOp adit_op_noise_normal;

G_END_DECLS
