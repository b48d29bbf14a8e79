/* core/probe/adit-capture.c - SPDX-License-Identifier: MIT */
#include "adit-capture.h"

#include "adit-feed.h"

/**
 * Pass: a program that gives the items' tensors; items of one loop share an output.
 */
typedef struct {
    AditNetwork *network;
    AditGraph *graph;
    const AditCaptureItem *items;
    guint n_items;
    AditCaptureFunc func;
    gpointer user_data;
    GArray *outputs; /* AditProgramOutput */
    guint *output;   /* of each item */
    float **values;  /* of each item, of the samples that came last */
    AditProgram *program;
    AditExecutable *executable;
} Pass;

static guint
add_output(GArray *outputs, AditTensor *tensor)
{
    for (guint i = 0; i < outputs->len; i++) {
        if (g_array_index(outputs, AditProgramOutput, i).tensor == tensor)
            return i;
    }
    AditProgramOutput output = {.kind = ADIT_OUTPUT_READ, .tensor = tensor};
    g_array_append_val(outputs, output);
    return outputs->len - 1;
}

static void
copy_instance(const Pass *pass, guint index, const double *values, gsize rows)
{
    const AditCaptureItem *item = &pass->items[index];
    gsize count = adit_shape_count(&item->shape);
    float *out = pass->values[index];
    /* a value without rows is the same for every sample */
    gsize stored = item->tensor->rows ? rows * count : count;
    const double *own = values + item->instance * stored;
    for (gsize i = 0; i < rows * count; i++)
        out[i] = (float) own[i % stored];
}

static void
read_batch(const Pass *pass, gsize rows)
{
    AditDevice *device = adit_network_get_device(pass->network);
    for (guint i = 0; i < pass->outputs->len; i++) {
        const AditTensor *tensor = g_array_index(pass->outputs, AditProgramOutput, i).tensor;
        gsize count = adit_shape_count(&tensor->shape) * (tensor->rows ? rows : 1);
        g_autofree double *values = g_new(double, count + 1);
        adit_executable_read_output(device, pass->executable, i, values);
        for (guint j = 0; j < pass->n_items; j++) {
            if (pass->output[j] == i)
                copy_instance(pass, j, values, rows);
        }
    }
}

static gboolean
run_pass(Pass *pass, const AditSplit *split, gsize samples, GError **error)
{
    AditDevice *device = adit_network_get_device(pass->network);
    gsize batch = MIN(samples, ADIT_CAPTURE_SAMPLES);
    pass->program = adit_compile(pass->graph, adit_network_get_layout(pass->network), NULL, 0,
                                 (AditProgramOutput *) pass->outputs->data, pass->outputs->len,
                                 adit_device_get_compile_flags(device));
    pass->executable = adit_device_prepare(device, pass->program,
                                           adit_network_get_memory(pass->network), batch, 0, error);
    if (pass->executable == NULL)
        return FALSE;
    g_autofree double *lives = adit_lives_new(pass->program, NULL);
    for (gsize first = 0; first < samples; first += batch) {
        AditFeed feeds[ADIT_N_FEEDS];
        adit_feeds_set(feeds, pass->program, split, NULL, first);
        AditCall call = {.rows = MIN(batch, samples - first), .feeds = feeds, .lives = lives};
        adit_device_run(device, pass->executable, &call);
        read_batch(pass, call.rows);
        pass->func(first, call.rows, pass->values, pass->user_data);
    }
    adit_executable_free(device, pass->executable);
    return adit_device_wait(device, error);
}

static gboolean
allocate(Pass *pass, gsize samples, GError **error)
{
    for (guint i = 0; i < pass->n_items; i++) {
        gsize count = MIN(samples, ADIT_CAPTURE_SAMPLES) * adit_shape_count(&pass->items[i].shape);
        pass->values[i] = g_try_new(float, count + 1);
        if (pass->values[i] == NULL) {
            g_set_error(error, ADIT_ERROR, ADIT_ERROR_MEMORY,
                        "no memory for %" G_GSIZE_FORMAT " features of '%s'", count,
                        pass->items[i].address);
            return FALSE;
        }
    }
    return TRUE;
}

gboolean
adit_capture(AditNetwork *network, AditGraph *graph, const AditCaptureItem *items, guint n_items,
             const AditSplit *split, gsize samples, AditCaptureFunc func, gpointer user_data,
             GError **error)
{
    g_autoptr(GArray) outputs = g_array_new(FALSE, FALSE, sizeof(AditProgramOutput));
    g_autofree guint *output = g_new(guint, n_items + 1);
    g_autofree float **values = g_new0(float *, n_items + 1);
    Pass pass = {.network = network,
                 .graph = graph,
                 .items = items,
                 .n_items = n_items,
                 .func = func,
                 .user_data = user_data,
                 .outputs = outputs,
                 .output = output,
                 .values = values};
    for (guint i = 0; i < n_items; i++)
        output[i] = add_output(outputs, items[i].tensor);
    gboolean done = allocate(&pass, samples, error) && run_pass(&pass, split, samples, error);
    g_clear_pointer(&pass.program, adit_program_free);
    for (guint i = 0; i < n_items; i++)
        g_free(values[i]);
    return done;
}
