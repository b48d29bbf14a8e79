/* plugins/blocks/conv.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>
#include <math.h>

struct _AditConv {
    AditBlock parent_instance;
    AditAmount filters;
    GArray *kernel;
    GArray *stride;
    GArray *padding;
    GArray *dilation;
    AditAmount groups;
    gboolean bias;
    AditBlock *norm;
    AditBlock *activation;
    int order;
    AditInitializer *initializer;
    AditInitializer *bias_initializer;
};
ADIT_DEFINE_BLOCK(AditConv, adit_conv_block, ADIT_CONV)

enum { ORDER_POST, ORDER_PRE };

/* What stands for a padding: -1, -2. */
enum { PADDING_VALID = -2, PADDING_SAME = -1 };

/* Of height (@axis 0) or width: one number is that of both; none, @def. */
static double
pick(const GArray *list, guint axis, double def)
{
    return list->len == 0 ? def : g_array_index(list, double, MIN(axis, list->len - 1));
}

static AditWindow
get_window(AditConv *self)
{
    AditWindow window, same;

    for (guint i = 0; i < 2; i++) {
        window.size[i] = (gsize) pick(self->kernel, i, 3);
        window.stride[i] = (gsize) pick(self->stride, i, 1);
        window.dilation[i] = (gsize) pick(self->dilation, i, 1);
    }
    same = window;
    adit_window_pad_same(&same);
    for (guint i = 0; i < 2; i++) {
        double padding = pick(self->padding, i, PADDING_SAME);
        gsize pixels = padding > 0 ? (gsize) padding : 0;

        window.before[i] = padding == PADDING_SAME ? same.before[i] : pixels;
        window.after[i] = padding == PADDING_SAME ? same.after[i] : pixels;
    }
    return window;
}

/* A number of channels, or a share of them; 0: not whole. */
static gsize
count_channels(const AditAmount *amount, gsize channels)
{
    double count = amount->value;

    if (amount->unit == ADIT_UNIT_PERCENT)
        count *= (double) channels;
    return fabs(count - round(count)) < 1e-6 ? (gsize) round(count) : 0;
}

/* NULL: it can be; else a failed tensor. */
static AditTensor *
count_filters(AditConv *self, AditGraph *graph, const AditShape *shape, gsize *filters,
              gsize *groups)
{
    g_autofree char *got = adit_shape_to_string(shape);
    gsize channels = shape->size[0];

    if (shape->rank != 3)
        return adit_graph_fail(
            graph,
            "'conv' takes an image (channels x height x width), got %s; put 'reshape' before it",
            got);
    *filters = count_channels(&self->filters, channels);
    *groups = count_channels(&self->groups, channels);
    if (*filters == 0)
        return adit_graph_fail(graph, "'filters' must come out whole, got %g%% of %zu",
                               100.0 * self->filters.value, channels);
    if (*groups == 0)
        return adit_graph_fail(graph, "'groups' must come out whole, got %g%% of %zu",
                               100.0 * self->groups.value, channels);
    if (channels % *groups != 0 || *filters % *groups != 0)
        return adit_graph_fail(graph,
                               "'groups' must divide channels and filters, got %zu groups of %zu "
                               "channels and %zu filters",
                               *groups, channels, *filters);
    return NULL;
}

static AditTensor *
convolve(AditConv *self, AditGraph *graph, AditTensor *x)
{
    const AditShape *shape = adit_tensor_get_shape(x);
    AditWindow window = get_window(self);
    gsize filters = 0, groups = 1;
    AditTensor *weight, *y, *failed;

    if (adit_tensor_has_failed(x))
        return x;
    failed = count_filters(self, graph, shape, &filters, &groups);
    if (failed != NULL)
        return failed;
    weight = adit_parameter(
        graph, "weight", ADIT_ROLE_WEIGHT,
        &ADIT_SHAPE(filters, shape->size[0] / groups, window.size[0], window.size[1]),
        self->initializer);
    y = adit_conv2d(x, weight, &window, (guint) groups);
    if (self->bias) {
        AditTensor *bias = adit_bias(weight, "bias", self->bias_initializer);

        y = adit_add(y, adit_reshape(bias, &ADIT_SHAPE(filters, 1, 1)));
    }
    return adit_tap(y, "linear");
}

static AditTensor *
build(AditBlock *block, AditGraph *graph, AditTensor *x)
{
    AditConv *self = ADIT_CONV(block);

    if (self->order == ORDER_POST)
        x = convolve(self, graph, x);
    x = adit_block_build(self->norm, graph, x);
    x = adit_block_build(self->activation, graph, x);
    if (self->order == ORDER_PRE)
        x = convolve(self, graph, x);
    return x;
}

static gboolean
check(AditComponent *component, GError **error)
{
    AditConv *self = ADIT_CONV(component);
    const GArray *lists[] = {self->kernel, self->stride, self->padding, self->dilation};
    const char *const names[] = {"kernel", "stride", "padding", "dilation"};

    for (guint i = 0; i < G_N_ELEMENTS(lists); i++) {
        if (lists[i]->len <= 2)
            continue;
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "'%s' must be one number or height and width, got %u", names[i], lists[i]->len);
        return FALSE;
    }
    return TRUE;
}

static void
add_window(AditComponentClass *klass)
{
    static const char *const paddings[] = {"same", "valid", NULL};

    adit_component_class_add_numbers(klass, "kernel", "Its size; 3 if left out: 3 x 3", TRUE, 1,
                                     1e6, ADIT_FIELD(AditConv, kernel, GArray *));
    adit_component_class_add_numbers(klass, "stride", "Pixels from window to window; else 1", TRUE,
                                     1, 1e6, ADIT_FIELD(AditConv, stride, GArray *));
    adit_component_class_add_numbers(
        klass, "padding",
        "Zeros on each side; valid: none; same, if left out: for size / stride, rounded up", TRUE,
        0, 1e6, ADIT_FIELD(AditConv, padding, GArray *));
    adit_component_class_allow_words(klass, "padding", paddings);
    adit_component_class_add_numbers(klass, "dilation",
                                     "From pixel to pixel that a filter sees; else 1", TRUE, 1, 1e6,
                                     ADIT_FIELD(AditConv, dilation, GArray *));
    adit_component_class_add_amount(
        klass, "groups", "Groups of channels that are looked at apart; 100%: each channel",
        ADIT_FORM_WIDTH, 1, 1e9, (AditAmount){.value = 1.0},
        ADIT_FIELD(AditConv, groups, AditAmount));
}

static void
adit_conv_block_class_init(AditComponentClass *klass)
{
    static const char *const orders[] = {"post", "pre", NULL};

    klass->check = check;
    ADIT_BLOCK_CLASS(klass)->build = build;
    adit_component_class_describe(klass, "conv", "Convolution of an image, with its neighbours");
    adit_component_class_set_example(klass, "{conv: {filters: 4, activation: relu}}");
    adit_component_class_add_amount(klass, "filters", "Channels of the result", ADIT_FORM_WIDTH, 1,
                                    1e9, (AditAmount){.value = 1.0},
                                    ADIT_FIELD(AditConv, filters, AditAmount));
    adit_component_class_require(klass, "filters");
    add_window(klass);
    adit_component_class_add_boolean(klass, "bias",
                                     "Whether a trained number is added to each channel", TRUE,
                                     ADIT_FIELD(AditConv, bias, gboolean));
    adit_component_class_add_reference(klass, "norm", "Normalisation", ADIT_TYPE_BLOCK,
                                       ADIT_FIELD(AditConv, norm, AditBlock *));
    adit_component_class_add_reference(klass, "activation", "Activation", ADIT_TYPE_BLOCK,
                                       ADIT_FIELD(AditConv, activation, AditBlock *));
    adit_component_class_add_choice(
        klass, "order", "post: convolution, norm, activation; pre: norm, activation, convolution",
        orders, ORDER_POST, ADIT_FIELD(AditConv, order, int));
    adit_component_class_add_reference(klass, "initializer", "Of the weights; else the model's",
                                       ADIT_TYPE_INITIALIZER,
                                       ADIT_FIELD(AditConv, initializer, AditInitializer *));
    adit_component_class_add_reference(
        klass, "bias-initializer", "Of the biases, with the fans of the weights; else zeros",
        ADIT_TYPE_INITIALIZER, ADIT_FIELD(AditConv, bias_initializer, AditInitializer *));
}

ADIT_PLUGIN("conv", "1.0", "MIT", ADIT_TYPES(adit_conv_block_get_type))
