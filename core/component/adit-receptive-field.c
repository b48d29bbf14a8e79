/* core/component/adit-receptive-field.c - SPDX-License-Identifier: MIT */
#include "adit-receptive-field.h"

#include "adit-reach.h"
#include "adit-selection.h"

#include <math.h>
#include <string.h>

enum { MIN_PATH, MAX_PATH, N_PATHS };
/* What moving along an axis of a tensor moves along in the image; BOTH: somehow. */
enum { HEIGHT, WIDTH, BOTH, NOTHING };

#define MAX_FACTORS 16

/**
 * Factor: a part of an axis of a tensor: the tokens of a transformer are lines and columns of
 * patches. The factors of an axis multiply to its size, the first being the slowest.
 * @at: the tensor's axis
 * @image: HEIGHT, ...
 * @outer: it goes from one end of the image to the other
 * @jump: pixels from an element to the next, by the paths of each bound
 */
typedef struct {
    guint at;
    gsize size;
    int image;
    gboolean outer;
    double jump[N_PATHS];
} Factor;

/**
 * Field: what an element of a tensor sees of the image.
 */
typedef struct {
    double reach[N_PATHS][2];
    guint n;
    Factor factors[MAX_FACTORS];
} Field;

static const Field whole = {.reach = {{INFINITY, INFINITY}, {INFINITY, INFINITY}}};

static void
add_factor(Field *self, const Factor *factor)
{
    if (self->n == MAX_FACTORS)
        *self = whole; /* more than any network needs */
    else
        self->factors[self->n++] = *factor;
}

/* Every element sees what those along @factor saw. */
static void
mix(Field *self, const Factor *factor)
{
    for (guint p = 0; p < N_PATHS && factor->image != NOTHING; p++) {
        for (int a = 0; a < 2; a++) {
            if (factor->image != BOTH && factor->image != a)
                continue;
            if (factor->outer)
                self->reach[p][a] = INFINITY;
            else
                self->reach[p][a] += (double) (factor->size - 1) * factor->jump[p];
        }
    }
}

/* ---- one operation ---- */

/* Splits or joins factors so that they make axes of @shape. FALSE: they do not fit. */
static gboolean
regroup(const Field *from, const AditShape *shape, Field *to)
{
    Factor rest[MAX_FACTORS];
    guint n = from->n, next = 0;

    memcpy(rest, from->factors, sizeof rest);
    for (guint axis = 0; axis < shape->rank; axis++) {
        gsize remaining = shape->size[axis];
        gboolean last = axis + 1 == shape->rank;

        while (next < n && (remaining > 1 || rest[next].size == 1)) {
            Factor part = rest[next];

            part.at = axis;
            if (part.size > remaining && part.size % remaining == 0) {
                rest[next].size /= remaining;
                rest[next].outer = FALSE;
                for (guint p = 0; p < N_PATHS; p++)
                    part.jump[p] *= (double) rest[next].size;
                part.size = remaining;
            } else if (remaining % part.size == 0) {
                next++;
            } else {
                return FALSE;
            }
            add_factor(to, &part);
            remaining /= part.size;
            if (part.size == 1 && !last && shape->size[axis] == 1)
                break;
        }
    }
    return TRUE;
}

static guint
count_at(const Field *self, guint axis)
{
    guint count = 0;

    for (guint i = 0; i < self->n; i++)
        count += self->factors[i].at == axis;
    return count;
}

/* Adds axis @axis of the result, which moves along axis reach->from[axis] of @from. */
static void
move_along(const Field *from, const AditReach *reach, guint axis, gsize size, Field *to)
{
    guint source = (guint) reach->from[axis], count = count_at(from, source);
    gboolean plain = reach->extent[axis] == 1 && fpclassify(reach->step[axis] - 1.0) == FP_ZERO;
    Factor torn = {.at = axis, .size = size, .image = NOTHING};

    for (guint i = 0; i < from->n; i++) {
        Factor factor = from->factors[i];

        if (factor.at != source)
            continue;
        factor.at = axis;
        if (reach->extent[axis] > 0 && (count == 1 || (plain && factor.size <= size))) {
            for (guint p = 0; p < N_PATHS && factor.image < BOTH; p++) {
                to->reach[p][factor.image] += (double) (reach->extent[axis] - 1) * factor.jump[p];
                factor.jump[p] *= reach->step[axis];
            }
            if (count == 1)
                factor.size = size;
            add_factor(to, &factor);
        } else if (factor.outer) {
            torn.image = BOTH;
            torn.outer = TRUE;
        } else {
            mix(to, &factor);
        }
    }
    if (reach->extent[axis] == 0 || torn.image == BOTH)
        add_factor(to, &torn);
}

/* What an element of a result of shape @shape sees through an input that sees @from. */
static Field
look_through(const Field *from, const AditReach *reach, const AditShape *shape)
{
    Field to = {0};
    guint followed = 0;

    memcpy(to.reach, from->reach, sizeof to.reach);
    if (reach->regroups)
        return regroup(from, shape, &to) ? to : whole;
    for (guint axis = 0; axis < shape->rank; axis++) {
        Factor plain = {.at = axis, .size = shape->size[axis], .image = NOTHING};

        if (reach->from[axis] < 0) {
            add_factor(&to, &plain);
            continue;
        }
        followed |= 1u << reach->from[axis];
        move_along(from, reach, axis, shape->size[axis], &to);
    }
    for (guint i = 0; i < from->n; i++) {
        if ((followed & 1u << from->factors[i].at) == 0)
            mix(&to, &from->factors[i]);
    }
    return to;
}

/* ---- where paths meet ---- */

static gboolean
has_positions(const Field *self, guint axis)
{
    for (guint i = 0; i < self->n; i++) {
        if (self->factors[i].at == axis && self->factors[i].image != NOTHING)
            return TRUE;
    }
    return FALSE;
}

static gboolean
is_same_factor(const Factor *a, const Factor *b)
{
    return a->at == b->at && a->size == b->size && a->image == b->image && a->outer == b->outer;
}

/* Whether all axes are made alike, but for how far they jump. */
static gboolean
is_alike(const Field *a, const Field *b)
{
    gboolean alike = a->n == b->n;

    for (guint i = 0; alike && i < a->n; i++)
        alike = is_same_factor(&a->factors[i], &b->factors[i]);
    return alike;
}

/* Axes of paths that are not made alike: those of the one that has positions there. */
static void
join_axes(const Field *a, const Field *b, const AditShape *shape, Field *to)
{
    to->n = 0;
    for (guint axis = 0; axis < shape->rank; axis++) {
        gboolean left = has_positions(a, axis), right = has_positions(b, axis);
        const Field *source = left ? a : b;
        Factor torn = {.at = axis, .size = shape->size[axis], .image = BOTH, .outer = TRUE};

        if (left && right) {
            add_factor(to, &torn);
            continue;
        }
        for (guint i = 0; i < source->n; i++) {
            if (source->factors[i].at == axis)
                add_factor(to, &source->factors[i]);
        }
    }
}

/* Whether bound @path along axis @axis is that of @b: less, or more; where equal, by the jump. */
static gboolean
is_bound(const Field *a, const Field *b, guint path, guint axis, gboolean alike)
{
    double x = a->reach[path][axis], y = b->reach[path][axis];

    for (guint i = 0; alike && !(x < y) && !(x > y) && i < a->n; i++) {
        if (a->factors[i].image == (int) axis) {
            x = a->factors[i].jump[path];
            y = b->factors[i].jump[path];
        }
    }
    return path == MIN_PATH ? y < x : y > x;
}

static void
meet(Field *self, const Field *other, const AditShape *shape)
{
    Field joined = *self;
    gboolean alike = is_alike(self, other);

    if (!alike)
        join_axes(self, other, shape, &joined);
    for (guint path = 0; path < N_PATHS; path++) {
        for (guint axis = 0; axis < 2; axis++) {
            if (!is_bound(self, other, path, axis, alike))
                continue;
            joined.reach[path][axis] = other->reach[path][axis];
            for (guint i = 0; alike && i < joined.n; i++) {
                if (joined.factors[i].image == (int) axis)
                    joined.factors[i].jump[path] = other->factors[i].jump[path];
            }
        }
    }
    *self = joined;
}

/* ---- the graph ---- */

/**
 * Walk:
 * @input: what is looked at
 * @ins, @outs: (element-type GPtrArray): tensor -> scopes of items that are fed it, that give it
 * @found: address -> AditReceptiveField
 */
typedef struct {
    const AditTensor *input;
    GHashTable *ins;
    GHashTable *outs;
    GHashTable *found;
    gboolean except_points;
} Walk;

static AditReceptiveField *
get_found(const Walk *self, const AditScope *scope, guint instance)
{
    g_autofree char *address = adit_scope_to_string(scope, instance);
    AditReceptiveField *field = g_hash_table_lookup(self->found, address);

    if (field == NULL) {
        field = g_new0(AditReceptiveField, 1);
        g_hash_table_insert(self->found, g_steal_pointer(&address), field);
    }
    return field;
}

/* A position is all channels of it. */
static void
describe(const Field *field, const AditShape *shape, AditReceptiveField *found)
{
    guint channels = shape->rank == 3 ? 0 : shape->rank - 1;
    Field position = *field;

    memset(found->stride, 0, sizeof found->stride);
    memset(found->map, 0, sizeof found->map);
    for (guint i = 0; i < field->n; i++) {
        const Factor *factor = &field->factors[i];

        if (factor->at == channels)
            mix(&position, factor);
        else if (factor->outer && factor->image < BOTH) {
            found->stride[factor->image] = factor->jump[MIN_PATH];
            found->map[factor->image] = factor->size;
        }
    }
    memcpy(found->min, position.reach[MIN_PATH], sizeof found->min);
    memcpy(found->max, position.reach[MAX_PATH], sizeof found->max);
}

/* Every instance of @scope that @tensor, of iteration @instance, belongs to: an item may give what
 * was made outside of its loop. */
static void
find_instances(const AditScope *scope, const AditTensor *tensor, guint instance, guint *first,
               guint *end)
{
    gboolean is_own = scope->loop == tensor->graph->loop;

    *first = is_own ? instance : 0;
    *end = is_own ? instance + 1 : adit_scope_count(scope);
}

static void
record_fed(const Walk *self, const AditTensor *tensor, const Field *field, guint instance)
{
    const GPtrArray *scopes = g_hash_table_lookup(self->ins, tensor);
    AditReceptiveField fed = {0};
    guint first, end;

    if (scopes == NULL)
        return;
    describe(field, &tensor->shape, &fed);
    for (guint i = 0; i < scopes->len; i++) {
        find_instances(scopes->pdata[i], tensor, instance, &first, &end);
        for (guint j = first; j < end; j++) {
            AditReceptiveField *found = get_found(self, scopes->pdata[i], j);

            memcpy(found->fed, fed.min, sizeof found->fed);
            found->fed_shape = tensor->shape;
        }
    }
}

/* Items that give the same tensor, a path and its last layer, are of one kind. */
static void
record_outputs(const Walk *self, const AditTensor *tensor, const Field *field, guint instance)
{
    const GPtrArray *scopes = g_hash_table_lookup(self->outs, tensor);
    AditLayerKind kind = ADIT_LAYER_NONE;
    guint first, end;

    for (guint i = 0; scopes != NULL && i < scopes->len; i++) {
        find_instances(scopes->pdata[i], tensor, instance, &first, &end);
        for (guint j = first; j < end; j++) {
            AditReceptiveField *found = get_found(self, scopes->pdata[i], j);

            describe(field, &tensor->shape, found);
            found->shape = tensor->shape;
            kind = found->kind != ADIT_LAYER_NONE ? found->kind : kind;
            found->kind = kind;
        }
    }
}

static void
record(const Walk *self, const AditTensor *tensor, const Field *field, guint instance)
{
    record_fed(self, tensor, field, instance);
    record_outputs(self, tensor, field, instance);
}

/* Of a layer that sees @own through @reach, fed with what sees @before. */
static AditLayerKind
judge(const Walk *self, const AditReceptiveField *before, const AditReceptiveField *own,
      const AditReach *reach)
{
    guint beyond = 0, fed = 0, covered = 0, points = 0;

    for (guint a = 0; a < 2; a++) {
        double size = (double) self->input->shape.size[1 + a];

        if (isinf(own->min[a]))
            return ADIT_LAYER_WHOLE;
        beyond += own->min[a] > size;
        fed += before->min[a] >= size;
        covered += before->map[a] > 0 && reach->extent[1 + a] >= before->map[a];
        points += reach->extent[1 + a] == 1;
    }
    if (((fed == 2 && beyond == 2) || covered == 2) && !(points == 2 && self->except_points))
        return ADIT_LAYER_BORDER;
    return beyond == 2 ? ADIT_LAYER_CRITICAL : beyond == 1 ? ADIT_LAYER_PARTLY : ADIT_LAYER_INSIDE;
}

/* A component made of several layers is as the least of them. */
static void
judge_layer(const Walk *self, const AditTensor *y, const Field *before, const Field *field,
            const AditReach *reach, guint instance)
{
    AditReceptiveField fed = {0}, own = {0};
    AditReceptiveField *found = get_found(self, y->scope, instance);

    describe(before, &y->inputs[0]->shape, &fed);
    describe(field, &y->shape, &own);
    AditLayerKind kind = judge(self, &fed, &own, reach);

    found->kind = found->kind == ADIT_LAYER_NONE ? kind : MIN(found->kind, kind);
}

/* NULL: it sees nothing of the image. */
static Field *
compute(const Walk *self, const AditTensor *y, Field *const *values, guint instance)
{
    Field *result = NULL;

    for (guint i = 0; i < y->n_inputs; i++) {
        const Field *input = values[y->inputs[i]->id];
        AditReach reach;

        if (input == NULL)
            continue;
        adit_reach_find(y, i, &reach);
        Field seen = look_through(input, &reach, &y->shape);

        if (reach.window && y->scope != NULL && i == 0)
            judge_layer(self, y, input, &seen, &reach, instance);
        if (result == NULL)
            result = g_memdup2(&seen, sizeof seen);
        else
            meet(result, &seen, &y->shape);
    }
    return result;
}

static void walk_graph(const Walk *self, const AditGraph *graph, guint instance, Field **values,
                       Field *const *outer);

static void
replace(Field **place, const Field *value)
{
    Field *copy = value != NULL ? g_memdup2(value, sizeof *value) : NULL;

    g_free(*place);
    *place = copy;
}

static Field **
values_new(const AditGraph *graph)
{
    return g_new0(Field *, graph->tensors->len);
}

static void
values_free(Field **values, const AditGraph *graph)
{
    for (guint i = 0; i < graph->tensors->len; i++)
        g_free(values[i]);
    g_free(values);
}

/* What the iterations left of a tensor of the body, with an axis for them in front. */
static void
stack_value(Field **place, const Field *value, const AditShape *shape, guint n)
{
    Field stacked = {0};

    if (value == NULL)
        return;
    memcpy(stacked.reach, value->reach, sizeof stacked.reach);
    add_factor(&stacked, &(Factor){.at = 0, .size = n, .image = NOTHING});
    for (guint i = 0; i < value->n; i++) {
        Factor factor = value->factors[i];

        factor.at++;
        add_factor(&stacked, &factor);
    }
    if (*place == NULL)
        replace(place, &stacked);
    else
        meet(*place, &stacked, shape);
}

/* Goes through the iterations; fills in what the loop leaves in the graph around it. */
static void
walk_loop(const Walk *self, const AditLoop *loop, guint instance, Field **around)
{
    Field **values = values_new(loop->body);
    Field **carried = g_new0(Field *, loop->carries->len);

    for (guint i = 0; i < loop->carries->len; i++)
        replace(&carried[i], around[((AditTensor *) loop->carries->pdata[i])->initial->id]);
    for (guint iteration = 0; iteration < loop->n; iteration++) {
        for (guint i = 0; i < loop->carries->len; i++)
            replace(&values[((AditTensor *) loop->carries->pdata[i])->id], carried[i]);
        walk_graph(self, loop->body, instance * loop->n + iteration, values, around);
        for (guint i = 0; i < loop->carries->len; i++)
            replace(&carried[i], values[((AditTensor *) loop->carries->pdata[i])->next->id]);
        for (guint i = 0; i < loop->stacks->len; i++) {
            const AditTensor *stack = loop->stacks->pdata[i];

            stack_value(&around[stack->id], values[stack->other->id], &stack->shape, loop->n);
        }
    }
    for (guint i = 0; i < loop->lasts->len; i++) {
        const AditTensor *last = loop->lasts->pdata[i];

        replace(&around[last->id], values[last->other->next->id]);
    }
    for (guint i = 0; i < loop->carries->len; i++)
        g_free(carried[i]);
    g_free(carried);
    values_free(values, loop->body);
}

/* An iteration's part of a stack: the stack's first axis is gone. */
static Field *
take_part(const Field *stack)
{
    Field part = {0};

    if (stack == NULL)
        return NULL;
    memcpy(part.reach, stack->reach, sizeof part.reach);
    for (guint i = 0; i < stack->n; i++) {
        Factor factor = stack->factors[i];

        if (factor.at-- == 0)
            mix(&part, &stack->factors[i]);
        else
            add_factor(&part, &factor);
    }
    return g_memdup2(&part, sizeof part);
}

static Field *
look_at_image(const AditTensor *input)
{
    Field field = {.reach = {{1, 1}, {1, 1}}};

    for (guint i = 0; i < 3; i++)
        add_factor(&field, &(Factor){.at = i,
                                     .size = input->shape.size[i],
                                     .image = i == 0 ? NOTHING : (int) i - 1,
                                     .outer = i > 0,
                                     .jump = {1, 1}});
    return g_memdup2(&field, sizeof field);
}

/* @values: those of carries are there; @outer: (nullable): of the graph around it */
static void
walk_graph(const Walk *self, const AditGraph *graph, guint instance, Field **values,
           Field *const *outer)
{
    g_autoptr(GHashTable) done = g_hash_table_new(NULL, NULL);

    for (guint i = 0; i < graph->tensors->len; i++) {
        const AditTensor *tensor = graph->tensors->pdata[i];
        gboolean leaves_loop =
            tensor->kind == ADIT_TENSOR_LAST || tensor->kind == ADIT_TENSOR_STACK;

        if (leaves_loop && g_hash_table_add(done, tensor->loop))
            walk_loop(self, tensor->loop, instance, values);
        if (tensor->kind != ADIT_TENSOR_CARRY && !leaves_loop)
            g_clear_pointer(&values[i], g_free);
        if (tensor == self->input)
            values[i] = look_at_image(tensor);
        else if (tensor->kind == ADIT_TENSOR_OP)
            values[i] = compute(self, tensor, values, instance);
        else if (tensor->kind == ADIT_TENSOR_CAPTURE)
            replace(&values[i], outer[tensor->other->id]);
        else if (tensor->kind == ADIT_TENSOR_EACH)
            values[i] = take_part(outer[tensor->other->id]);
        if (values[i] != NULL)
            record(self, tensor, values[i], instance);
    }
}

/* tensor -> scopes that have it at @port, the inner ones first */
static GHashTable *
collect_taps(const AditGraph *graph, const char *port)
{
    GHashTable *taps = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify) g_ptr_array_unref);
    const char *name = g_intern_string(port);

    for (guint i = 0; i < graph->taps->len; i++) {
        const AditTap *tap = &g_array_index(graph->taps, AditTap, i);
        GPtrArray *scopes = g_hash_table_lookup(taps, tap->tensor);

        if (tap->port != name)
            continue;
        if (scopes == NULL) {
            scopes = g_ptr_array_new();
            g_hash_table_insert(taps, tap->tensor, scopes);
        }
        g_ptr_array_add(scopes, tap->scope);
    }
    return taps;
}

static const AditTensor *
find_input(AditGraph *graph, GError **error)
{
    g_autoptr(GArray) picks = adit_graph_pick(graph, "input");
    const AditTensor *input = picks->len > 0 ? g_array_index(picks, AditPick, 0).tensor : NULL;

    if (input != NULL && input->shape.rank == 3)
        return input;
    g_autofree char *got = input != NULL ? adit_shape_to_string(&input->shape) : NULL;

    g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                "receptive fields are of images: expected an input of channels x height x width, "
                "got %s",
                got != NULL ? got : "none");
    return NULL;
}

const char *
adit_layer_kind_to_string(AditLayerKind kind)
{
    static const char *const names[] = {"", "inside", "partly", "critical", "border", "whole"};

    return names[kind];
}

GHashTable *
adit_graph_find_receptive_fields(AditGraph *graph, gboolean except_points, GError **error)
{
    const AditTensor *input = find_input(graph, error);

    if (input == NULL)
        return NULL;
    g_autoptr(GHashTable) ins = collect_taps(graph, "in");
    g_autoptr(GHashTable) outs = collect_taps(graph, "out");
    Walk walk = {input, ins, outs, g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
                 except_points};
    Field **values = values_new(graph);

    walk_graph(&walk, graph, 0, values, NULL);
    values_free(values, graph);
    return walk.found;
}
