/* plugins/blocks/pool.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditPool {
    AditBlock parent_instance;
    int type;
    GArray *size;
    GArray *stride;
    GArray *padding;
    GArray *to;
    AditInitializer *initializer;
};
ADIT_DEFINE_BLOCK(AditPool, adit_pool, ADIT_POOL)

enum { TYPE_MAX, TYPE_AVERAGE, TYPE_MIX };

static AditWindow
get_window(AditPool *self)
{
    AditWindow window;

    for (guint i = 0; i < 2; i++) {
        window.size[i] = (gsize) adit_pair_get(self->size, i, 2);
        window.stride[i] = (gsize) adit_pair_get(self->stride, i, (double) window.size[i]);
        window.dilation[i] = 1;
    }
    adit_window_pad(&window, self->padding, ADIT_PADDING_VALID);
    return window;
}

static AditTensor *
pool(AditPool *self, AditTensor *x, AditPooling pooling)
{
    const AditShape *shape = adit_tensor_get_shape(x);
    AditWindow window = get_window(self);
    gsize to[2];

    if (self->to->len == 0)
        return adit_pool2d(x, pooling, &window);
    for (guint i = 0; i < 2; i++)
        to[i] = MIN((gsize) adit_pair_get(self->to, i, 1), shape->size[i + 1]);
    return adit_pool2d_to(x, pooling, to);
}

/* A trained mixture of both, as the internal classifiers of Kaya, Hong and Dumitras, "Shallow-Deep
 * Networks", ICML 2019, have it: alpha max + (1 - alpha) average, alpha any number. */
static AditTensor *
mix(AditPool *self, AditGraph *graph, AditTensor *x)
{
    AditTensor *most = pool(self, x, ADIT_POOL_MAX), *mean = pool(self, x, ADIT_POOL_AVERAGE);
    AditTensor *alpha =
        self->initializer != NULL
            ? adit_parameter(graph, "alpha", ADIT_ROLE_OTHER, &ADIT_SHAPE(1), self->initializer)
            : adit_parameter_filled(graph, "alpha", ADIT_ROLE_OTHER, &ADIT_SHAPE(1), 0.5);

    return adit_add(mean, adit_mul(alpha, adit_sub(most, mean)));
}

static AditTensor *
build(AditBlock *block, AditGraph *graph, AditTensor *x)
{
    AditPool *self = ADIT_POOL(block);

    x = adit_block_expect_image(block, x, "reshape");
    if (adit_tensor_has_failed(x))
        return x;
    if (self->type == TYPE_MIX)
        return mix(self, graph, x);
    return pool(self, x, self->type == TYPE_MAX ? ADIT_POOL_MAX : ADIT_POOL_AVERAGE);
}

static gboolean
check(AditComponent *component, GError **error)
{
    AditPool *self = ADIT_POOL(component);
    const GArray *pairs[] = {self->size, self->stride, self->padding};
    const char *const names[] = {"size", "stride", "padding"};

    for (guint i = 0; i < G_N_ELEMENTS(pairs); i++) {
        if (self->to->len == 0 || pairs[i]->len == 0)
            continue;
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "'to' says what comes out and '%s' how; set one of them", names[i]);
        return FALSE;
    }
    return TRUE;
}

static void
adit_pool_class_init(AditComponentClass *klass)
{
    static const char *const types[] = {"max", "average", "mix", NULL};

    klass->check = check;
    ADIT_BLOCK_CLASS(klass)->build = build;
    adit_component_class_describe(klass, "pool", "One number for each window of an image");
    adit_component_class_add_choice(
        klass, "type", "The largest number, the mean without padding, or a trained mixture of both",
        types, TYPE_MAX, ADIT_FIELD(AditPool, type, int));
    adit_component_class_add_pair(klass, "size", "Of the window; 2 if left out: 2 x 2", 1, 1e6,
                                  ADIT_FIELD(AditPool, size, GArray *));
    adit_component_class_add_pair(klass, "stride", "Pixels from window to window; else the size", 1,
                                  1e6, ADIT_FIELD(AditPool, stride, GArray *));
    adit_component_class_add_pair(
        klass, "padding",
        "Pixels on each side; same: for size / stride, rounded up; end: as many, behind alone; "
        "valid, if left out: none",
        0, 1e6, ADIT_FIELD(AditPool, padding, GArray *));
    adit_component_class_allow_words(klass, "padding", adit_padding_list_words());
    adit_component_class_add_pair(
        klass, "to", "Size of what comes out, of windows as equal as can be; smaller images stay",
        1, 1e6, ADIT_FIELD(AditPool, to, GArray *));
    adit_component_class_add_reference(
        klass, "initializer", "Of the mixture; else it starts at 0.5", ADIT_TYPE_INITIALIZER,
        ADIT_FIELD(AditPool, initializer, AditInitializer *));
}

ADIT_PLUGIN("pool", "1.0", "MIT", ADIT_TYPES(adit_pool_get_type))
