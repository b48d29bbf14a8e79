/* core/component/adit-exit.c - SPDX-License-Identifier: MIT */
#include "adit-exit.h"

#include <adit/adit-ops.h>

#include "adit-cut.h"
#include "adit-selection.h"

#include <string.h>

#define PORT ":collect"

struct _AditExit {
    AditComponent parent_instance;
    GStrv at;
    GStrv among;    /* (nullable) */
    GArray *shares; /* (nullable) */
    AditBlock *head;
    char *name;
};

G_DEFINE_FINAL_TYPE(AditExit, adit_exit, ADIT_TYPE_COMPONENT)

static void
finalize(GObject *object)
{
    AditExit *self = ADIT_EXIT(object);

    g_strfreev(self->at);
    g_strfreev(self->among);
    g_clear_pointer(&self->shares, g_array_unref);
    g_clear_object(&self->head);
    g_free(self->name);
    G_OBJECT_CLASS(adit_exit_parent_class)->finalize(object);
}

static void
adit_exit_class_init(AditExitClass *klass)
{
    ADIT_COMPONENT_CLASS(klass)->kind = "exit";
    ADIT_COMPONENT_CLASS(klass)->name = "exit";
    G_OBJECT_CLASS(klass)->finalize = finalize;
}

static void
adit_exit_init(AditExit *self)
{
}

AditExit *
adit_exit_new(const char *const *at, AditBlock *head, const char *name)
{
    AditExit *self = g_object_new(ADIT_TYPE_EXIT, NULL);

    self->at = g_new0(char *, g_strv_length((char **) at) + 1);
    for (guint i = 0; at[i] != NULL; i++)
        self->at[i] = strchr(at[i], ':') != NULL ? g_strdup(at[i]) : g_strconcat(at[i], PORT, NULL);
    self->head = head != NULL ? g_object_ref(head) : NULL;
    self->name = g_strdup(name);
    return self;
}

void
adit_exit_place_by_cost(AditExit *self, GArray *shares)
{
    g_strfreev(self->among);
    self->among = g_strdupv(self->at);
    g_clear_pointer(&self->shares, g_array_unref);
    self->shares = g_array_ref(shares);
}

const GArray *
adit_exit_get_shares(const AditExit *self)
{
    return self->shares;
}

const char *const *
adit_exit_get_among(const AditExit *self)
{
    return (const char *const *) self->among;
}

void
adit_exit_set_places(AditExit *self, const char *const *at)
{
    g_strfreev(self->at);
    self->at = g_strdupv((char **) at);
}

const char *
adit_exit_get_name(const AditExit *self)
{
    return self->name;
}

const char *const *
adit_exit_get_at(const AditExit *self)
{
    return (const char *const *) self->at;
}

AditBlock *
adit_exit_get_head(const AditExit *self)
{
    return self->head;
}

gboolean
adit_exit_is_single(const AditExit *self)
{
    return self->among == NULL && g_strv_length(self->at) == 1 &&
           strchr(self->at[0], '*') == NULL && strstr(self->at[0], "..") == NULL;
}

void
adit_exits_announce(const GPtrArray *exits, AditGraph *graph)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

    for (guint i = 0; exits != NULL && i < exits->len; i++)
        g_strv_builder_addv(builder, (const char **) ((AditExit *) exits->pdata[i])->at);
    adit_graph_set_exits(graph, g_strv_builder_end(builder));
}

/* ---- finding ---- */

/**
 * Place: where an exit is. A pick comes first: places are sorted like picks.
 */
typedef struct {
    AditPick pick;
    AditExit *exit;
} Place;

static void
clear_place(gpointer data)
{
    g_free(((Place *) data)->pick.address);
}

/* The address as an exit's place is called: the port is what exits read anyhow. */
static char *
shorten(const char *address)
{
    gsize length = strlen(address);

    return g_strndup(address, g_str_has_suffix(address, PORT) ? length - strlen(PORT) : length);
}

/* Whether another address of the exit found it. */
static gboolean
is_found(const GArray *places, const AditPick *pick, const AditExit *exit)
{
    for (guint i = 0; i < places->len; i++) {
        const Place *place = &g_array_index(places, Place, i);

        if (place->exit == exit && place->pick.tensor == pick->tensor &&
            place->pick.instance == pick->instance)
            return TRUE;
    }
    return FALSE;
}

/* Fails the graph if nothing is at one of its addresses. */
static void
find(AditExit *self, AditGraph *graph, GArray *places)
{
    for (guint i = 0; self->at[i] != NULL; i++) {
        g_autoptr(GArray) picks = adit_graph_pick(graph, self->at[i]);

        if (picks->len == 0) {
            g_autofree char *address = shorten(self->at[i]);
            g_autofree char *reason = adit_graph_explain_address(graph, address);

            adit_graph_fail(graph, "%s", reason);
        }
        for (guint j = 0; j < picks->len; j++) {
            Place place = {g_array_index(picks, AditPick, j), self};

            if (is_found(places, &place.pick, self))
                continue;
            place.pick.address = g_strdup(place.pick.address);
            g_array_append_val(places, place);
        }
    }
}

/* (element-type Place): of all exits, by number */
static GArray *
find_all(const GPtrArray *exits, AditGraph *graph)
{
    GArray *places = g_array_new(FALSE, FALSE, sizeof(Place));

    g_array_set_clear_func(places, clear_place);
    for (guint i = 0; exits != NULL && i < exits->len; i++) {
        adit_graph_enter_component(graph, exits->pdata[i]);
        find(exits->pdata[i], graph, places);
        adit_graph_leave_component(graph);
    }
    g_array_sort(places, adit_pick_compare);
    return places;
}

static void
clear_exit_place(gpointer data)
{
    g_free(((AditExitPlace *) data)->address);
}

GArray *
adit_exits_list_places(const GPtrArray *exits, AditGraph *graph)
{
    g_autoptr(GArray) found = find_all(exits, graph);
    GArray *places = g_array_new(FALSE, FALSE, sizeof(AditExitPlace));

    g_array_set_clear_func(places, clear_exit_place);
    for (guint i = 0; i < found->len; i++) {
        const Place *place = &g_array_index(found, Place, i);
        AditExitPlace listed = {.address = shorten(place->pick.address)};

        g_ptr_array_find((GPtrArray *) exits, place->exit, &listed.index);
        g_array_append_val(places, listed);
    }
    return places;
}

/* ---- building ---- */

/**
 * Numbers: what exits a tensor has: that of its instance 0 is number @first, and @strides further
 * on it is in the next iteration of each loop around.
 */
typedef struct {
    guint first;
    guint strides[ADIT_MAX_LOOPS];
} Numbers;

/* Number of the exit at instance @instance of @tensor. */
static guint
get_number(const Numbers *self, const AditTensor *tensor, guint instance)
{
    guint number = self->first;

    for (const AditLoop *loop = tensor->graph->loop; loop != NULL; loop = loop->parent->loop) {
        number += instance % loop->n * self->strides[loop->parent->depth];
        instance /= loop->n;
    }
    return number;
}

/* The places from @index on that are of one tensor and one exit, all of whose instances they must
 * be: loops were built so. @done: gets TRUE for each. */
static gboolean
number_instances(const GArray *places, guint index, gboolean *done, Numbers *numbers)
{
    const Place *first = &g_array_index(places, Place, index);
    AditTensor *tensor = first->pick.tensor;
    guint n = 1;
    g_autofree guint *found = NULL;

    for (const AditLoop *loop = tensor->graph->loop; loop != NULL; loop = loop->parent->loop)
        n *= loop->n;
    found = g_new0(guint, n);
    for (guint i = index; i < places->len; i++) {
        const Place *place = &g_array_index(places, Place, i);

        if (place->pick.tensor != tensor || place->exit != first->exit)
            continue;
        found[place->pick.instance] = i + 1;
        done[i] = TRUE;
    }
    numbers->first = found[0];
    guint step = 1;
    for (const AditLoop *loop = tensor->graph->loop; loop != NULL; loop = loop->parent->loop) {
        numbers->strides[loop->parent->depth] = loop->n > 1 ? found[step] - found[0] : 0;
        step *= loop->n;
    }
    for (guint i = 0; i < n; i++) {
        if (found[i] == 0 || get_number(numbers, tensor, i) != found[i])
            return FALSE;
    }
    return TRUE;
}

/**
 * Answer: what the model's own head does, which exits are compared with.
 */
typedef struct {
    const AditModel *model;
    AditTensor *x;
    AditTensor *logits;
} Answer;

/* Fails the graph unless @got is shaped like @expected; @what is said of it. */
static AditTensor *
match(AditTensor *got, AditTensor *expected, const char *address, const char *what)
{
    AditGraph *graph = adit_tensor_get_graph(got);
    g_autofree char *a = adit_shape_to_string(adit_tensor_get_shape(got));
    g_autofree char *b = adit_shape_to_string(adit_tensor_get_shape(expected));

    if (adit_tensor_has_failed(got) || adit_tensor_has_failed(expected) || g_str_equal(a, b))
        return got;
    return adit_graph_fail(graph, "the exit at '%s' gives %s, but %s %s", address, a, what, b);
}

static void
enter_exit(const Place *place, const Numbers *numbers)
{
    AditGraph *graph = adit_tensor_get_graph(place->pick.tensor);

    adit_graph_enter_scope(graph, 0, NULL, 0, ADIT_EXITS_ROOT, NULL);
    adit_graph_enter_scope(graph, numbers->first, numbers->strides, numbers->first,
                           place->exit->name, NULL);
}

static void
leave_exit(AditGraph *graph)
{
    adit_graph_leave_scope(graph);
    adit_graph_leave_scope(graph);
}

/* What the head reads: with noise, if there is to be some. */
static AditTensor *
add_noise(const Place *place, const Numbers *numbers)
{
    AditTensor *x = place->pick.tensor, *noise;
    AditGraph *graph = adit_tensor_get_graph(x);
    const AditCut *cut = graph->root->cut;

    if (cut == NULL || cut->noise == 0 || adit_graph_get_mode(graph) != ADIT_MODE_TRAINING)
        return x;
    enter_exit(place, numbers);
    noise = adit_noise_normal(graph, "noise", adit_tensor_get_shape(x));
    leave_exit(graph);
    return adit_add(x, adit_scale(noise, cut->noise));
}

/* @y, whose gradient stays in its head; what goes back to @x is that of another head, whose weights
 * nobody trains (feedback alignment: Lillicrap et al. 2016; of local errors: Mostafa et al. 2018,
 * section 2). */
static AditTensor *
add_feedback(const Place *place, const Answer *answer, AditTensor *x, AditTensor *y, gboolean used)
{
    AditGraph *graph = adit_tensor_get_graph(x);
    AditBlock *head = place->exit->head != NULL ? place->exit->head : answer->model->head;
    AditTensor *other;

    adit_graph_enter_scope(graph, 0, NULL, 0, ADIT_EXIT_FEEDBACK, NULL);
    other = adit_block_build(head, graph, x);
    adit_graph_leave_scope(graph);
    return used ? adit_add(y, adit_sub(other, adit_stop_gradient(other))) : y;
}

static void
build_head(const Place *place, const Numbers *numbers, const Answer *answer)
{
    AditTensor *x = place->pick.tensor, *y = NULL, *seen = add_noise(place, numbers), *own;
    AditGraph *graph = adit_tensor_get_graph(x);
    const AditCut *cut = graph->root->cut;
    gboolean used = answer->model->feedback && cut != NULL && cut->feedback;
    AditBlock *head = place->exit->head;
    g_autofree char *address = shorten(place->pick.address);

    own = used ? adit_stop_gradient(seen) : seen;
    if (head == NULL)
        y = adit_model_build_head(answer->model,
                                  match(own, answer->x, address, "the shared head takes"));
    enter_exit(place, numbers);
    adit_tap(x, "in");
    if (head != NULL)
        y = adit_block_build(head, graph, own);
    if (answer->model->feedback)
        y = add_feedback(place, answer, seen, y, used);
    adit_tap(match(y, answer->logits, address, "the last answer is"), "out");
    leave_exit(graph);
}

void
adit_exits_build(const AditModel *model, AditTensor *x, AditTensor *logits)
{
    const GPtrArray *exits = model->exits;
    AditGraph *graph = adit_tensor_get_graph(logits);
    const Answer answer = {model, x, logits};
    g_autoptr(GArray) places = find_all(exits, graph);

    g_autofree gboolean *done = g_new0(gboolean, places->len + 1);
    for (guint i = 0; i < places->len && adit_graph_get_error(graph) == NULL; i++) {
        const Place *place = &g_array_index(places, Place, i);
        Numbers numbers = {0};

        if (done[i])
            continue;
        adit_graph_enter_component(graph, place->exit);
        if (number_instances(places, i, done, &numbers))
            build_head(place, &numbers, &answer);
        else
            adit_graph_fail(graph, "'%s' lies in a loop, not all of which are exits of one kind",
                            place->pick.address);
        adit_graph_leave_component(graph);
    }
}
