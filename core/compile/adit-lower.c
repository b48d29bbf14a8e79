/* core/compile/adit-lower.c - SPDX-License-Identifier: MIT */
#include "adit-attributes.h"
#include "adit-compile-private.h"
#include "adit-image-layout.h"

#include <string.h>

/**
 * Lowering: every live tensor gets a place, every operation an instruction.
 *
 * A loop's carries need no copies: a carry has a row of places, one for every iteration and one for
 * its start if somebody keeps its history (the gradient does), else two in turn; the iteration
 * reads one and writes the next. What is stacked is written where it will stay.
 *
 * Images may lie with their channels last (adit-channels-last.c). Who reads one in the other way
 * reads a transposed copy, made where it is first read.
 */
typedef struct {
    AditProgram *program;
    const AditLayout *layout;
    const AditChannelsLast *images;
    AditCompileFlags flags;
    GHashTable *live;
    GHashTable *reads; /* AditTensor -> how many read it, outputs too, stacks apart; 0: not in it */
    GHashTable *places;  /* AditTensor -> AditOperand */
    GHashTable *writers; /* AditTensor -> AditNode that writes it, in its graph's list */
    GHashTable *nexts;   /* CARRY -> AditOperand the next iteration reads */
    GHashTable *turned;  /* AditTensor -> AditOperand: images in the other way than they lie */
    GHashTable *turners; /* AditTensor -> AditNode that writes that */
    GHashTable *apart;   /* stacks that lie elsewhere than the history they repeat */
} Lowering;

typedef struct {
    Lowering *lowering;
    AditGraph *graph;
    GPtrArray *nodes;
    GHashTable *done;
    GPtrArray *deferred; /* AditNode: combines for the graphs around */
} Level;

static void lower_graph(Lowering *self, AditGraph *graph, GPtrArray *nodes, GPtrArray *deferred);
static void visit(Level *level, AditTensor *tensor);

static gboolean
is_live(const Lowering *self, const AditTensor *tensor)
{
    return g_hash_table_contains(self->live, tensor);
}

static gboolean
is_invariant(const AditTensor *carry)
{
    return carry->next == NULL || carry->next == carry;
}

static guint
count_reads(const Lowering *self, const AditTensor *tensor)
{
    return GPOINTER_TO_UINT(g_hash_table_lookup(self->reads, tensor));
}

static gboolean
has_channels_last(const Lowering *self, const AditTensor *tensor)
{
    return adit_channels_last_has(self->images, tensor);
}

/* Whether an operation changes no number but reads an image in the other way than it lies. */
static gboolean
is_turn(const Lowering *self, const AditTensor *tensor)
{
    return tensor->op->is_view && adit_image_is_laid(&tensor->inputs[0]->shape) &&
           has_channels_last(self, tensor->inputs[0]) !=
               adit_channels_last_takes(self->images, tensor);
}

/* Whether an operation's elements are neighbours in its first input, from @offset on, so that there
 * is nothing to compute: operations that are views, and slices of what has no rows along the first
 * axis. */
static gboolean
find_view(const Lowering *self, const AditTensor *tensor, gsize *offset)
{
    const AditSliceAttributes *attributes = tensor->attributes;
    *offset = 0;
    if (is_turn(self, tensor))
        return FALSE;
    if (has_channels_last(self, tensor) || has_channels_last(self, tensor->inputs[0]))
        return tensor->op->is_view;
    if (strcmp(tensor->op->name, "slice") != 0 || tensor->rows || attributes->stride != 1 ||
        attributes->full * attributes->inner != adit_shape_count(&tensor->inputs[0]->shape))
        return tensor->op->is_view;
    *offset = attributes->begin * attributes->inner;
    return TRUE;
}

/* Whether the tensor is the work of an instruction that could write it anywhere. */
static gboolean
is_computed(const Lowering *self, const AditTensor *tensor)
{
    gsize offset;
    return tensor->kind == ADIT_TENSOR_OP && !find_view(self, tensor, &offset);
}

/* Places. */

static AditOperand
new_operand(const AditTensor *tensor)
{
    return (AditOperand){.storage = -1,
                         .rows = tensor->rows,
                         .shape = tensor->shape,
                         .count = adit_shape_count(&tensor->shape)};
}

static AditOperand
new_storage(Lowering *self, const AditTensor *tensor, gsize size, guint depth)
{
    AditStorage storage = {.arena = tensor->rows ? ADIT_ARENA_ROWS : ADIT_ARENA_SHARED,
                           .size = size,
                           .level = depth,
                           .begin = G_MAXUINT};
    AditOperand place = new_operand(tensor);
    place.arena = storage.arena;
    place.storage = (int) self->program->storages->len;
    g_array_append_val(self->program->storages, storage);
    return place;
}

/* @place as the place of @tensor, which has as many elements or is one of a stack's. */
static AditOperand
view_place(const AditOperand *place, const AditTensor *tensor, gsize offset)
{
    AditOperand view = *place;
    view.offset += offset;
    view.rows = tensor->rows;
    view.shape = tensor->shape;
    view.count = adit_shape_count(&tensor->shape);
    return view;
}

static void
set_place(Lowering *self, const AditTensor *tensor, const AditOperand *place)
{
    g_hash_table_insert(self->places, (gpointer) tensor, g_memdup2(place, sizeof *place));
}

static gboolean
has_place(Lowering *self, const AditTensor *tensor)
{
    return g_hash_table_contains(self->places, tensor);
}

static AditOperand
kept_place(Lowering *self, const AditTensor *tensor)
{
    AditOperand place = new_operand(tensor);

    place.arena = tensor->kind == ADIT_TENSOR_STATE ? ADIT_ARENA_STATES : ADIT_ARENA_PARAMETERS;
    place.offset = adit_layout_locate(self->layout, tensor->names[0]);
    return place;
}

static AditOperand
constant_place(Lowering *self, const AditTensor *tensor)
{
    AditOperand place = new_operand(tensor);
    place.arena = ADIT_ARENA_CONSTANTS;
    place.offset = self->program->constants->len;
    g_array_append_vals(self->program->constants, tensor->values, (guint) place.count);
    return place;
}

static AditOperand
live_place(Lowering *self, const AditTensor *tensor)
{
    AditOperand place = new_operand(tensor);
    place.arena = ADIT_ARENA_LIVE;
    if (tensor->kind == ADIT_TENSOR_STEP)
        return place;
    guint index;
    if (!g_ptr_array_find(self->program->lives, tensor->live, &index)) {
        index = self->program->lives->len;
        g_ptr_array_add(self->program->lives, tensor->live);
    }
    place.offset = index + 1;
    return place;
}

static AditOperand get_place(Lowering *self, const AditTensor *tensor);

static AditOperand
each_place(Lowering *self, const AditTensor *tensor)
{
    AditOperand stack = get_place(self, tensor->other);
    AditOperand place = view_place(&stack, tensor, 0);
    place.strides[tensor->graph->depth - 1].stride = place.count;
    return place;
}

static AditOperand
make_place(Lowering *self, const AditTensor *tensor)
{
    switch (tensor->kind) {
    case ADIT_TENSOR_PARAMETER:
    case ADIT_TENSOR_STATE:
        return kept_place(self, tensor);
    case ADIT_TENSOR_CONSTANT:
        return constant_place(self, tensor);
    case ADIT_TENSOR_LIVE:
    case ADIT_TENSOR_STEP:
        return live_place(self, tensor);
    case ADIT_TENSOR_EACH:
        return each_place(self, tensor);
    case ADIT_TENSOR_CAPTURE:
        return get_place(self, tensor->other);
    case ADIT_TENSOR_CARRY: /* an invariant one: the others were planned */
        return get_place(self, tensor->initial);
    case ADIT_TENSOR_LAST:
        return get_place(self, tensor->other);
    case ADIT_TENSOR_OP: {
        gsize offset;
        if (!find_view(self, tensor, &offset))
            return new_storage(self, tensor, adit_shape_count(&tensor->shape),
                               tensor->graph->depth);
        AditOperand place = get_place(self, tensor->inputs[0]);
        return view_place(&place, tensor, offset);
    }
    case ADIT_TENSOR_INPUT:
    case ADIT_TENSOR_STACK:
    default:
        return new_storage(self, tensor, adit_shape_count(&tensor->shape), tensor->graph->depth);
    }
}

static AditOperand
get_place(Lowering *self, const AditTensor *tensor)
{
    AditOperand *place = g_hash_table_lookup(self->places, tensor);
    if (place == NULL) {
        AditOperand made = make_place(self, tensor);
        set_place(self, tensor, &made);
        return made;
    }
    return *place;
}

/* Instructions. */

static AditNode *
new_node(Level *level, AditInstructionKind kind, const AditTensor *tensor)
{
    AditNode *node = g_new0(AditNode, 1);
    node->instruction.kind = kind;
    node->instruction.tensor = tensor;
    node->instruction.level = level->graph->depth;
    node->needs = g_ptr_array_new();
    return node;
}

static void
node_needs(Level *level, AditNode *node, const AditTensor *tensor)
{
    AditNode *writer = g_hash_table_lookup(level->lowering->writers, tensor);
    while (writer == NULL && tensor != NULL) { /* a view's writer is its source's */
        tensor = tensor->kind == ADIT_TENSOR_OP ? tensor->inputs[0] : tensor->other;
        if (tensor == NULL || tensor->graph != level->graph)
            return;
        writer = g_hash_table_lookup(level->lowering->writers, tensor);
    }
    if (writer != NULL && writer != node)
        g_ptr_array_add(node->needs, writer);
}

/* Makes an instruction a copy of its input, an image of shape @shape to whoever built the graph,
 * with the channels last, or first again. */
static void
set_transpose(Lowering *self, AditInstruction *instruction, const AditShape *shape,
              gboolean channels_last)
{
    AditTransposeAttributes *attributes = g_new0(AditTransposeAttributes, 1);
    AditShape laid = adit_image_lay(shape);
    for (guint i = 0; i < 3; i++)
        attributes->axes[i] = (i + (channels_last ? 1 : 2)) % 3;
    g_ptr_array_add(self->program->laid, attributes);
    instruction->kind = ADIT_INSTRUCTION_OP;
    instruction->op = &adit_op_transpose;
    instruction->attributes = attributes;
    instruction->inputs[0].shape = channels_last ? *shape : laid;
    instruction->output.shape = channels_last ? laid : *shape;
}

/* @channels_last: how images lie at @to. */
static AditNode *
emit_copy(Level *level, const AditTensor *from, const AditOperand *to, gboolean channels_last)
{
    AditNode *node = new_node(level, ADIT_INSTRUCTION_COPY, from);
    node->instruction.domain = from->rows ? ADIT_DOMAIN_SLICES : ADIT_DOMAIN_WHOLE;
    node->instruction.n_inputs = 1;
    node->instruction.inputs[0] = get_place(level->lowering, from);
    node->instruction.output = *to;
    if (adit_image_is_laid(&from->shape) &&
        has_channels_last(level->lowering, from) != channels_last)
        set_transpose(level->lowering, &node->instruction, &from->shape, channels_last);
    node_needs(level, node, from);
    g_ptr_array_add(level->nodes, node);
    return node;
}

/* Where an image lies in the way that is asked for: its place, or that of a transposed copy. @node
 * comes behind what writes it. */
static AditOperand
read_place(Level *level, AditNode *node, AditTensor *tensor, gboolean channels_last)
{
    Lowering *self = level->lowering;
    if (!adit_image_is_laid(&tensor->shape) || has_channels_last(self, tensor) == channels_last) {
        node_needs(level, node, tensor);
        return get_place(self, tensor);
    }
    AditOperand *turned = g_hash_table_lookup(self->turned, tensor);
    if (turned == NULL) {
        gsize count = adit_shape_count(&tensor->shape);
        AditOperand place = new_storage(self, tensor, count, tensor->graph->depth);
        AditNode *turner = emit_copy(level, tensor, &place, channels_last);
        turned = g_memdup2(&place, sizeof place);
        g_hash_table_insert(self->turned, tensor, turned);
        g_hash_table_insert(self->turners, tensor, turner);
    }
    g_ptr_array_add(node->needs, g_hash_table_lookup(self->turners, tensor));
    return *turned;
}

/* The live stack of a tensor that lies as the tensor does; NULL: there is none. */
static AditTensor *
find_stack(Lowering *self, const AditLoop *loop, const AditTensor *tensor)
{
    for (guint i = 0; i < loop->stacks->len; i++) {
        AditTensor *stack = loop->stacks->pdata[i];
        if (stack->other == tensor && is_live(self, stack) &&
            has_channels_last(self, stack) == has_channels_last(self, tensor))
            return stack;
    }
    return NULL;
}

/* The graph in which a result over rows is first read by anything but a stack: its slices are
 * joined there, once for all iterations. */
static AditGraph *
joining_graph(Lowering *self, const AditTensor *tensor)
{
    while (tensor->graph->loop != NULL && !g_hash_table_contains(self->reads, tensor)) {
        const AditTensor *stack = find_stack(self, tensor->graph->loop, tensor);
        if (stack == NULL)
            break;
        tensor = stack;
    }
    return tensor->graph;
}

static AditNode *
wrap_in_loop(Level *level, AditNode *node, const AditLoop *loop)
{
    AditNode *wrapper = new_node(level, ADIT_INSTRUCTION_LOOP, node->instruction.tensor);
    AditInstruction *instruction = &wrapper->instruction;
    instruction->domain = ADIT_DOMAIN_WHOLE;
    instruction->level = loop->parent->depth;
    instruction->n = loop->n;
    instruction->independent = TRUE;
    instruction->body = g_ptr_array_new();
    g_ptr_array_add(instruction->body, node);
    return wrapper;
}

/* From so many elements on, what a slice leaves is joined at once: all would fill the caches. */
#define LEAST_IN_TURN 32768

static gboolean
joins_in_turn(const Lowering *self, const AditInstruction *writer)
{
    const AditOp *op = writer->op;
    return self->flags & ADIT_COMPILE_IN_TURN && writer->output.count >= LEAST_IN_TURN &&
           op->accumulates && op->combine == NULL && op->combine_f32 == NULL;
}

/* A place for partial results of @size elements in every iteration of the loops between @tensor and
 * @where. */
static AditOperand
parts_place(Lowering *self, const AditTensor *tensor, const AditGraph *where, gsize size,
            AditArena arena)
{
    AditOperand parts = new_operand(tensor);
    guint innermost = tensor->graph->depth;
    for (const AditLoop *loop = tensor->graph->loop; innermost > where->depth;
         loop = loop->parent->loop, innermost--) {
        parts.strides[innermost - 1].stride = size;
        size *= loop->n;
    }
    parts.storage = new_storage(self, tensor, size, where->depth).storage;
    parts.arena = arena;
    g_array_index(self->program->storages, AditStorage, parts.storage).arena = arena;
    return parts;
}

/* Partial results of the slices, and the instruction that joins them: here, or behind the loops. In
 * turn: where they are computed, each in the same place; every iteration of loops that slices go
 * through by themselves has its own, as a slice may come in several panels. */
static void
emit_combine(Level *level, AditNode *writer, AditTensor *tensor)
{
    Lowering *self = level->lowering;
    AditInstruction *from = &writer->instruction;
    gboolean in_turn = joins_in_turn(self, from);
    AditGraph *where = in_turn ? self->program->graph : joining_graph(self, tensor);
    gsize partial = from->output.count;
    AditNode *node = new_node(level, ADIT_INSTRUCTION_COMBINE, tensor);
    node->instruction.domain = in_turn ? ADIT_DOMAIN_SLICES : ADIT_DOMAIN_WHOLE;
    node->instruction.in_turn = in_turn;
    node->instruction.op = from->op;
    node->instruction.attributes = from->attributes;
    node->instruction.partial = partial;
    node->instruction.n_inputs = 1;
    node->instruction.output = from->output;
    from->partial = in_turn ? 0 : partial;
    from->output = parts_place(self, tensor, where, in_turn ? partial : partial * ADIT_SLICES,
                               in_turn ? ADIT_ARENA_THREAD : ADIT_ARENA_SHARED);
    node->instruction.inputs[0] = from->output;
    if (in_turn || where == level->graph) {
        g_ptr_array_add(node->needs, writer);
        g_ptr_array_add(level->nodes, node);
        g_hash_table_insert(self->writers, tensor, node);
        return;
    }
    for (const AditLoop *loop = tensor->graph->loop;; loop = loop->parent->loop) {
        node = wrap_in_loop(level, node, loop);
        if (loop->parent == where)
            break;
    }
    g_ptr_array_add(level->deferred, node);
}

static void
emit_op(Level *level, AditTensor *tensor)
{
    Lowering *self = level->lowering;
    for (guint i = 0; i < tensor->n_inputs; i++)
        visit(level, tensor->inputs[i]);
    if (tensor->after != NULL)
        visit(level, tensor->after);
    if (!is_computed(self, tensor))
        return;
    AditNode *node = new_node(level, ADIT_INSTRUCTION_OP, tensor);
    gboolean channels_last = adit_channels_last_takes(self->images, tensor);
    gboolean turns = is_turn(self, tensor);
    AditInstruction *instruction = &node->instruction;
    instruction->op = tensor->op;
    instruction->attributes = tensor->attributes;
    instruction->names = tensor->names;
    instruction->n_inputs = tensor->n_inputs;
    gboolean rows = tensor->rows;
    for (guint i = 0; i < tensor->n_inputs; i++) {
        instruction->inputs[i] =
            read_place(level, node, tensor->inputs[i], turns ? !channels_last : channels_last);
        rows = rows || tensor->inputs[i]->rows;
    }
    if (tensor->after != NULL)
        node_needs(level, node, tensor->after);
    instruction->domain = rows ? ADIT_DOMAIN_SLICES : ADIT_DOMAIN_WHOLE;
    instruction->output = get_place(self, tensor);
    if (turns)
        set_transpose(self, instruction, &tensor->inputs[0]->shape, channels_last);
    else if (channels_last)
        adit_channels_last_set(self->images, instruction);
    g_ptr_array_add(level->nodes, node);
    g_hash_table_insert(self->writers, tensor, node);
    if (tensor->op->over_rows && rows)
        emit_combine(level, node, tensor);
}

static void
emit_gather(Level *level, AditTensor *tensor)
{
    Lowering *self = level->lowering;
    if (has_place(self, tensor)) /* linear: an arena itself */
        return;
    AditNode *node = new_node(level, ADIT_INSTRUCTION_GATHER, tensor);
    node->instruction.domain = ADIT_DOMAIN_SLICES;
    node->instruction.feed = self->program->feeds->len;
    node->instruction.output = get_place(self, tensor);
    g_ptr_array_add(self->program->feeds, tensor);
    g_ptr_array_add(level->nodes, node);
    g_hash_table_insert(self->writers, tensor, node);
}

/* Loops. */

/* The history of a carry serves as the stack too, unless the stack has its place elsewhere. */
static void
share_history(Lowering *self, const AditLoop *loop, const AditTensor *tensor,
              const AditOperand *history, guint slot)
{
    AditTensor *stack = find_stack(self, loop, tensor);
    if (stack == NULL)
        return;
    AditOperand place = view_place(history, stack, slot * adit_shape_count(&tensor->shape));
    if (has_place(self, stack))
        g_hash_table_add(self->apart, stack);
    else
        set_place(self, stack, &place);
}

static void
plan_carry(Lowering *self, const AditLoop *loop, AditTensor *carry)
{
    if (is_invariant(carry))
        return;
    gboolean channels_last = has_channels_last(self, carry);
    gboolean bound = is_computed(self, carry->next) && carry->next->graph == loop->body &&
                     has_channels_last(self, carry->next) == channels_last &&
                     !has_place(self, carry->next);
    gboolean history = find_stack(self, loop, carry) != NULL ||
                       (bound && find_stack(self, loop, carry->next) != NULL);
    guint n = loop->n;
    guint slots = history ? n + 1 : 2;
    guint level = loop->body->depth - 1;
    gsize count = adit_shape_count(&carry->shape);
    AditOperand base = new_storage(self, carry, slots * count, loop->parent->depth);

    AditOperand in = view_place(&base, carry, 0);
    in.strides[level] = (AditStride){count, loop->reverse ? 1 : 0, history ? 0 : 2};
    AditOperand out = in;
    out.strides[level].shift = loop->reverse ? 0 : 1;
    set_place(self, carry, &in);
    if (bound)
        set_place(self, carry->next, &out);
    g_hash_table_insert(self->nexts, carry, g_memdup2(&out, sizeof out));
    if (history) {
        share_history(self, loop, carry, &base, loop->reverse ? 1 : 0);
        if (bound)
            share_history(self, loop, carry->next, &base, loop->reverse ? 0 : 1);
    }

    guint first = loop->reverse ? n % slots : 0;
    guint last = loop->reverse ? 0 : n % slots;
    AditOperand start = view_place(&base, carry, first * count);
    /* of places in turn the first is written again: what others read as well stays apart */
    gboolean lasts = history || count_reads(self, carry->initial) == 1;
    if (lasts && is_computed(self, carry->initial) && !has_place(self, carry->initial) &&
        has_channels_last(self, carry->initial) == channels_last)
        set_place(self, carry->initial, &start);
    for (guint i = 0; i < loop->lasts->len; i++) {
        AditTensor *tensor = loop->lasts->pdata[i];
        AditOperand end = view_place(&base, carry, last * count);
        if (tensor->other == carry)
            set_place(self, tensor, &end);
    }
}

static void
plan_stack(Lowering *self, const AditLoop *loop, AditTensor *stack)
{
    AditTensor *tensor = stack->other;
    if (has_place(self, tensor) ||
        !(is_computed(self, tensor) || tensor->kind == ADIT_TENSOR_STACK) ||
        has_channels_last(self, tensor) != has_channels_last(self, stack))
        return;
    AditOperand base = get_place(self, stack);
    AditOperand place = view_place(&base, tensor, 0);
    place.strides[loop->body->depth - 1].stride = place.count;
    set_place(self, tensor, &place);
}

static void
plan_loop(Lowering *self, const AditLoop *loop)
{
    for (guint i = 0; i < loop->carries->len; i++) {
        if (is_live(self, loop->carries->pdata[i]))
            plan_carry(self, loop, loop->carries->pdata[i]);
    }
    for (guint i = 0; i < loop->stacks->len; i++) {
        if (is_live(self, loop->stacks->pdata[i]))
            plan_stack(self, loop, loop->stacks->pdata[i]);
    }
}

static gboolean
same_place(const AditOperand *a, const AditOperand *b)
{
    if (a->arena != b->arena || a->storage != b->storage || a->offset != b->offset)
        return FALSE;
    for (guint i = 0; i < ADIT_MAX_LOOPS; i++) {
        if (a->strides[i].stride != b->strides[i].stride ||
            a->strides[i].shift != b->strides[i].shift)
            return FALSE;
    }
    return TRUE;
}

/* What an iteration leaves somewhere else than it was computed. */
static void
finish_body(Level *level, const AditLoop *loop)
{
    Lowering *self = level->lowering;
    for (guint i = 0; i < loop->stacks->len; i++) {
        AditTensor *stack = loop->stacks->pdata[i];
        if (!is_live(self, stack))
            continue;
        AditOperand base = get_place(self, stack);
        AditOperand place = view_place(&base, stack->other, 0);
        place.strides[loop->body->depth - 1].stride = place.count;
        AditOperand written = get_place(self, stack->other);
        gboolean is_history = written.storage == base.storage && base.storage >= 0 &&
                              !g_hash_table_contains(self->apart, stack);
        if (!is_history && !same_place(&written, &place))
            emit_copy(level, stack->other, &place, has_channels_last(self, stack));
    }
    for (guint i = 0; i < loop->carries->len; i++) {
        AditTensor *carry = loop->carries->pdata[i];
        if (!is_live(self, carry) || is_invariant(carry))
            continue;
        AditOperand *out = g_hash_table_lookup(self->nexts, carry);
        AditOperand written = get_place(self, carry->next);
        if (!same_place(&written, out))
            emit_copy(level, carry->next, out, has_channels_last(self, carry));
    }
}

static AditDomain
domain_of(const GPtrArray *nodes)
{
    gboolean slices = FALSE, whole = FALSE;
    for (guint i = 0; i < nodes->len; i++) {
        const AditInstruction *instruction = nodes->pdata[i];
        slices = slices || instruction->domain != ADIT_DOMAIN_WHOLE;
        whole = whole || instruction->domain != ADIT_DOMAIN_SLICES;
    }
    return slices && whole ? ADIT_DOMAIN_MIXED : whole ? ADIT_DOMAIN_WHOLE : ADIT_DOMAIN_SLICES;
}

static void
loop_needs(Level *level, AditNode *node, AditTensor *tensor)
{
    visit(level, tensor);
    node_needs(level, node, tensor);
}

static void
emit_starts(Level *level, AditNode *node, const AditLoop *loop)
{
    Lowering *self = level->lowering;
    for (guint i = 0; i < loop->carries->len; i++) {
        AditTensor *carry = loop->carries->pdata[i];
        if (!is_live(self, carry))
            continue;
        loop_needs(level, node, carry->initial);
        if (is_invariant(carry))
            continue;
        AditOperand start = get_place(self, carry);
        const AditStride *stride = &start.strides[loop->body->depth - 1];
        guint first = loop->reverse ? loop->n : 0;
        start.offset += stride->stride * (stride->modulo > 0 ? first % stride->modulo : first);
        start.strides[loop->body->depth - 1] = (AditStride){0};
        AditOperand initial = get_place(self, carry->initial);
        if (!same_place(&initial, &start))
            g_ptr_array_add(node->needs, emit_copy(level, carry->initial, &start,
                                                   has_channels_last(self, carry)));
    }
}

static void
emit_loop(Level *level, AditLoop *loop)
{
    Lowering *self = level->lowering;
    if (!g_hash_table_add(level->done, loop))
        return;
    AditNode *node = new_node(level, ADIT_INSTRUCTION_LOOP, NULL);
    AditInstruction *instruction = &node->instruction;
    for (guint i = 0; i < loop->eaches->len; i++) {
        AditTensor *each = loop->eaches->pdata[i];
        if (is_live(self, each))
            loop_needs(level, node, each->other);
    }
    for (guint i = 0; i < loop->captures->len; i++) {
        AditTensor *capture = loop->captures->pdata[i];
        if (is_live(self, capture))
            loop_needs(level, node, capture->other);
    }
    emit_starts(level, node, loop);

    instruction->n = loop->n;
    instruction->reverse = loop->reverse;
    instruction->body = g_ptr_array_new();
    g_autoptr(GPtrArray) deferred = g_ptr_array_new();
    lower_graph(self, loop->body, instruction->body, deferred);
    instruction->domain = domain_of(instruction->body);
    for (guint i = 0; i < instruction->body->len; i++)
        instruction->in_turn |=
            ((const AditNode *) instruction->body->pdata[i])->instruction.in_turn;
    g_ptr_array_add(level->nodes, node);
    for (guint i = 0; i < loop->lasts->len; i++)
        g_hash_table_insert(self->writers, loop->lasts->pdata[i], node);
    for (guint i = 0; i < loop->stacks->len; i++)
        g_hash_table_insert(self->writers, loop->stacks->pdata[i], node);

    for (guint i = 0; i < deferred->len; i++) {
        AditNode *combine = deferred->pdata[i];
        if (combine->instruction.level != level->graph->depth) {
            g_ptr_array_add(level->deferred, combine);
            continue;
        }
        g_ptr_array_add(combine->needs, node);
        g_ptr_array_add(level->nodes, combine);
        AditTensor *joined = (AditTensor *) combine->instruction.tensor;
        while (joined->graph != level->graph)
            joined = find_stack(self, joined->graph->loop, joined);
        g_hash_table_insert(self->writers, joined, combine);
    }
}

static void
visit(Level *level, AditTensor *tensor)
{
    if (tensor->graph != level->graph || !g_hash_table_add(level->done, tensor))
        return;
    switch (tensor->kind) {
    case ADIT_TENSOR_OP:
        emit_op(level, tensor);
        break;
    case ADIT_TENSOR_INPUT:
        emit_gather(level, tensor);
        break;
    case ADIT_TENSOR_LAST:
    case ADIT_TENSOR_STACK:
        emit_loop(level, tensor->loop);
        break;
    case ADIT_TENSOR_CONSTANT:
    case ADIT_TENSOR_LIVE:
    case ADIT_TENSOR_STEP:
    case ADIT_TENSOR_PARAMETER:
    case ADIT_TENSOR_STATE:
    case ADIT_TENSOR_CARRY:
    case ADIT_TENSOR_EACH:
    case ADIT_TENSOR_CAPTURE:
    default:
        break;
    }
}

static void
lower_graph(Lowering *self, AditGraph *graph, GPtrArray *nodes, GPtrArray *deferred)
{
    Level level = {self, graph, nodes, g_hash_table_new(NULL, NULL), deferred};
    for (guint i = 0; i < graph->loops->len; i++)
        plan_loop(self, graph->loops->pdata[i]);
    for (guint i = 0; i < graph->tensors->len; i++) {
        AditTensor *tensor = graph->tensors->pdata[i];
        if (is_live(self, tensor))
            visit(&level, tensor);
    }
    if (graph->loop != NULL)
        finish_body(&level, graph->loop);
    g_hash_table_unref(level.done);
}

/* Outputs. */

/* Gradients are written where they belong at once. What replaces something that may still be read
 * (parameters, states, an arena's elements as rows) is copied when all is done. */
static void
bind_outputs(Lowering *self)
{
    for (guint i = 0; i < self->program->outputs->len; i++) {
        const AditProgramOutput *output =
            &g_array_index(self->program->outputs, AditProgramOutput, i);
        AditTensor *tensor = output->tensor;
        gboolean can_bind = (is_computed(self, tensor) || tensor->kind == ADIT_TENSOR_STACK) &&
                            !tensor->rows && !has_place(self, tensor) &&
                            !has_channels_last(self, tensor);
        if (output->kind != ADIT_OUTPUT_ARENA || output->arena != ADIT_ARENA_GRADIENTS || !can_bind)
            continue;
        AditOperand place = new_operand(tensor);
        place.arena = output->arena;
        place.offset = output->offset;
        set_place(self, tensor, &place);
    }
}

/* What commits write is no place to commit from: another may have come before. */
static void
keep_apart(Lowering *self, const AditTensor *tensor, const AditOperand *to)
{
    Level level = {self, self->program->graph, self->program->instructions, NULL, NULL};
    AditOperand from = get_place(self, tensor);
    gboolean is_kept = from.arena == ADIT_ARENA_PARAMETERS || from.arena == ADIT_ARENA_STATES ||
                       from.arena == ADIT_ARENA_OPTIMIZER;
    if (!is_kept || same_place(&from, to))
        return;
    AditOperand place = new_storage(self, tensor, from.count, 0);
    emit_copy(&level, tensor, &place, FALSE);
    set_place(self, tensor, &place);
}

/* Where an output is read: by the host images with their channels first. */
static AditOperand
output_place(Lowering *self, const AditProgramOutput *output)
{
    Level level = {self, self->program->graph, self->program->instructions, NULL, NULL};
    AditTensor *tensor = output->tensor;
    if (!has_channels_last(self, tensor) || output->channels_last)
        return get_place(self, tensor);
    AditOperand *turned = g_hash_table_lookup(self->turned, tensor);
    if (turned != NULL)
        return *turned;
    AditOperand place = new_storage(self, tensor, adit_shape_count(&tensor->shape), 0);
    emit_copy(&level, tensor, &place, FALSE);
    g_hash_table_insert(self->turned, tensor, g_memdup2(&place, sizeof place));
    return place;
}

static void
finish_outputs(Lowering *self)
{
    Level level = {self, self->program->graph, self->program->commits, NULL, NULL};
    for (guint i = 0; i < self->program->outputs->len; i++) {
        AditProgramOutput *output = &g_array_index(self->program->outputs, AditProgramOutput, i);
        output->operand = output_place(self, output);
        if (output->kind != ADIT_OUTPUT_ARENA)
            continue;
        AditOperand place = new_operand(output->tensor);
        place.arena = output->arena;
        place.offset = output->offset;
        place.linear = place.rows;
        keep_apart(self, output->tensor, &place);
        output->operand = output_place(self, output);
        if (same_place(&output->operand, &place))
            continue;
        AditNode *copy = emit_copy(&level, output->tensor, &place, FALSE);
        g_ptr_array_set_size(copy->needs, 0); /* commits come behind all instructions */
        output->operand = place;
    }
}

static void
note_read(Lowering *self, const AditTensor *tensor)
{
    if (tensor != NULL)
        g_hash_table_insert(self->reads, (gpointer) tensor,
                            GUINT_TO_POINTER(count_reads(self, tensor) + 1));
}

static void
collect_reads(Lowering *self)
{
    GHashTableIter iter;
    gpointer key;
    g_hash_table_iter_init(&iter, self->live);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        const AditTensor *tensor = key;
        for (guint i = 0; i < tensor->n_inputs; i++)
            note_read(self, tensor->inputs[i]);
        note_read(self, tensor->initial);
        note_read(self, tensor->next);
        if (tensor->kind != ADIT_TENSOR_STACK)
            note_read(self, tensor->other);
    }
    for (guint i = 0; i < self->program->outputs->len; i++)
        note_read(self, g_array_index(self->program->outputs, AditProgramOutput, i).tensor);
}

void
adit_lower(AditProgram *program, const AditLayout *layout, const AditProgramInput *inputs,
           guint n_inputs, GHashTable *live, const AditChannelsLast *images, AditCompileFlags flags)
{
    Lowering self = {program, layout, images, flags, live};
    self.reads = g_hash_table_new(NULL, NULL);
    self.places = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    self.writers = g_hash_table_new(NULL, NULL);
    self.nexts = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    self.turned = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    self.turners = g_hash_table_new(NULL, NULL);
    self.apart = g_hash_table_new(NULL, NULL);
    collect_reads(&self);
    for (guint i = 0; i < n_inputs; i++) {
        AditOperand place = new_operand(inputs[i].tensor);
        place.arena = inputs[i].arena;
        place.offset = inputs[i].offset;
        place.linear = TRUE;
        set_place(&self, inputs[i].tensor, &place);
    }
    bind_outputs(&self);
    g_autoptr(GPtrArray) deferred = g_ptr_array_new();
    lower_graph(&self, program->graph, program->instructions, deferred);
    finish_outputs(&self);
    g_hash_table_unref(self.reads);
    g_hash_table_unref(self.places);
    g_hash_table_unref(self.writers);
    g_hash_table_unref(self.nexts);
    g_hash_table_unref(self.turned);
    g_hash_table_unref(self.turners);
    g_hash_table_unref(self.apart);
}
