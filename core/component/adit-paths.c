/* core/component/adit-paths.c - SPDX-License-Identifier: MIT */
#include "adit-paths.h"

#include <adit/adit-ops.h>

#include "adit-component-private.h"

/**
 * Path: @types: (nullable): what it is as well.
 */
typedef struct {
    char *name;
    AditBlock *block;
    GStrv types;
} Path;

struct _AditPaths {
    AditBlock parent_instance;
    GPtrArray *paths;
    int join;
    int axis;
};

enum { AXIS_WIDTH, AXIS_TOKENS };

G_DEFINE_FINAL_TYPE(AditPaths, adit_paths, ADIT_TYPE_BLOCK)

static const char *const joins[] = {"sum", "mean", "max", "product", "concat", NULL};

static void
path_free(gpointer data)
{
    Path *self = data;

    g_free(self->name);
    g_object_unref(self->block);
    g_strfreev(self->types);
    g_free(self);
}

/* Where they are joined. */

static guint
concat_axis(const AditPaths *self, const AditShape *shape)
{
    return self->axis == AXIS_TOKENS ? 0 : adit_channel_axis(shape);
}

static gboolean
can_join(const AditPaths *self, const AditShape *first, const AditShape *shape)
{
    AditShape equal = *shape;

    if (self->join == ADIT_JOIN_CONCAT && shape->rank == first->rank) {
        guint axis = concat_axis(self, shape);
        equal.size[axis] = first->size[axis];
    }
    return adit_shape_equal(first, &equal);
}

/* "'short' 64x16x16, 'long' 64x32x32" */
static char *
describe_ends(const AditPaths *self, AditTensor *const *ends)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < self->paths->len; i++) {
        const Path *path = self->paths->pdata[i];
        g_autofree char *shape = adit_shape_to_string(adit_tensor_get_shape(ends[i]));

        g_string_append_printf(text, "%s'%s' %s", i > 0 ? ", " : "", path->name, shape);
    }
    return g_string_free(text, FALSE);
}

/* NULL: the ends can be joined; else a failed tensor. */
static AditTensor *
check_ends(const AditPaths *self, AditGraph *graph, AditTensor *const *ends)
{
    const AditShape *first = adit_tensor_get_shape(ends[0]);
    gboolean is_concat = self->join == ADIT_JOIN_CONCAT;
    gboolean tokens = is_concat && self->axis == AXIS_TOKENS;
    guint rank = first->rank;
    gboolean good = TRUE;

    for (guint i = 0; i < self->paths->len; i++) {
        if (adit_tensor_has_failed(ends[i]))
            return ends[i];
    }
    for (guint i = 1; i < self->paths->len; i++)
        good = good && can_join(self, first, adit_tensor_get_shape(ends[i]));
    if (good && !(tokens && rank != 2) && !(is_concat && rank == 0))
        return NULL;
    g_autofree char *shapes = describe_ends(self, ends);
    if (tokens && rank != 2)
        return adit_graph_fail(graph, "'axis' tokens joins tokens x width, but the paths give %s",
                               shapes);
    if (is_concat)
        return adit_graph_fail(graph, "the paths give %s; 'concat' joins what differs in %s alone",
                               shapes,
                               tokens      ? "its tokens"
                               : rank == 3 ? "its channels"
                                           : "its width");
    return adit_graph_fail(graph, "the paths give %s; '%s' joins equal shapes", shapes,
                           joins[self->join]);
}

static AditTensor *
join_two(const AditPaths *self, AditTensor *a, AditTensor *b)
{
    if (self->join == ADIT_JOIN_MAX)
        return adit_max(a, b);
    if (self->join == ADIT_JOIN_PRODUCT)
        return adit_mul(a, b);
    return adit_add(a, b);
}

static AditTensor *
join_ends(const AditPaths *self, AditTensor *const *ends)
{
    guint n = self->paths->len;
    AditTensor *y = ends[0];

    if (self->join == ADIT_JOIN_CONCAT)
        return adit_concat(ends, n, (int) concat_axis(self, adit_tensor_get_shape(y)));
    for (guint i = 1; i < n; i++)
        y = join_two(self, y, ends[i]);
    return self->join == ADIT_JOIN_MEAN ? adit_scale(y, 1.0 / n) : y;
}

static AditTensor *
build(AditBlock *block, AditGraph *graph, AditTensor *x)
{
    AditPaths *self = ADIT_PATHS(block);
    g_autofree AditTensor **ends = g_new(AditTensor *, self->paths->len);

    for (guint i = 0; i < self->paths->len; i++) {
        const Path *path = self->paths->pdata[i];
        ends[i] = adit_block_build_named(path->block, graph, x, path->name,
                                         (const char *const *) path->types);
    }
    AditTensor *failed = check_ends(self, graph, ends);
    return failed != NULL ? failed : join_ends(self, ends);
}

static gboolean
equal(AditComponent *component, AditComponent *other)
{
    const GPtrArray *a = ADIT_PATHS(component)->paths, *b = ADIT_PATHS(other)->paths;

    if (a->len != b->len)
        return FALSE;
    for (guint i = 0; i < a->len; i++) {
        const Path *x = a->pdata[i], *y = b->pdata[i];
        if (!g_str_equal(x->name, y->name) ||
            !adit_component_equal(ADIT_COMPONENT(x->block), ADIT_COMPONENT(y->block)))
            return FALSE;
    }
    return TRUE;
}

static void
adit_paths_finalize(GObject *object)
{
    g_clear_pointer(&ADIT_PATHS(object)->paths, g_ptr_array_unref);
    G_OBJECT_CLASS(adit_paths_parent_class)->finalize(object);
}

static void
adit_paths_class_init(AditPathsClass *klass)
{
    static const char *const axes[] = {"width", "tokens", NULL};
    AditComponentClass *component_class = ADIT_COMPONENT_CLASS(klass);

    G_OBJECT_CLASS(klass)->finalize = adit_paths_finalize;
    ADIT_BLOCK_CLASS(klass)->build = build;
    component_class->equal = equal;
    adit_component_class_describe(component_class, "paths", "Parallel blocks of one input, joined");
    adit_component_class_add_choice(component_class, "join", "How the paths' ends become one",
                                    joins, ADIT_JOIN_SUM, ADIT_FIELD(AditPaths, join, int));
    adit_component_class_add_choice(component_class, "axis",
                                    "What concat joins: channels of images, else the last axis; "
                                    "or tokens",
                                    axes, AXIS_WIDTH, ADIT_FIELD(AditPaths, axis, int));
}

static void
adit_paths_init(AditPaths *self)
{
    self->paths = g_ptr_array_new_with_free_func(path_free);
}

AditPaths *
adit_paths_new(void)
{
    return g_object_new(ADIT_TYPE_PATHS, NULL);
}

void
adit_paths_add(AditPaths *self, const char *name, AditBlock *block, const char *const *types)
{
    Path *path = g_new0(Path, 1);

    path->name = g_strdup(name);
    path->block = g_object_ref(block);
    path->types = types != NULL && types[0] != NULL ? g_strdupv((char **) types) : NULL;
    g_ptr_array_add(self->paths, path);
}

guint
adit_paths_count(AditPaths *self)
{
    return self->paths->len;
}

const char *
adit_paths_get_name(AditPaths *self, guint index)
{
    return ((Path *) self->paths->pdata[index])->name;
}

AditBlock *
adit_paths_get_block(AditPaths *self, guint index)
{
    return ((Path *) self->paths->pdata[index])->block;
}

AditJoin
adit_paths_get_join(AditPaths *self)
{
    return (AditJoin) self->join;
}
