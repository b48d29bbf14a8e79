/* core/probe/adit-capture.c - SPDX-License-Identifier: MIT */
#include "adit-capture.h"

#include "adit-feed.h"

/* Samples a pass goes on with at a time: what is read back is in float64, all instances of a loop.
 */
#define BATCH 256

gsize
adit_pick_count(const AditPick *pick)
{
    return adit_shape_count(&pick->tensor->shape);
}

void
adit_capture_free(AditCapture *self)
{
    g_array_unref(self->features);
    g_free(self);
}

static void
clear_features(gpointer data)
{
    g_free((gpointer) ((AditFeatures *) data)->values);
}

static gboolean
allocate(AditCapture *self, const AditPick *picks, guint n_picks, gsize samples, GError **error)
{
    self->features = g_array_new(FALSE, FALSE, sizeof(AditFeatures));
    g_array_set_clear_func(self->features, clear_features);
    for (guint i = 0; i < n_picks; i++) {
        gsize count = samples * adit_pick_count(&picks[i]);
        AditFeatures features = {.address = picks[i].address,
                                 .shape = picks[i].tensor->shape,
                                 .samples = samples,
                                 .values = g_try_new(float, MAX(count, 1))};
        if (features.values == NULL) {
            g_set_error(error, ADIT_ERROR, ADIT_ERROR_MEMORY,
                        "no memory for %" G_GSIZE_FORMAT " features of '%s'", count,
                        picks[i].address);
            return FALSE;
        }
        g_array_append_val(self->features, features);
    }
    return TRUE;
}

/**
 * Pass: a program that gives the picks' tensors, loops unrolled; picks of one loop share an output.
 */
typedef struct {
    AditNetwork *network;
    AditGraph *graph;
    const AditPick *picks;
    guint n_picks;
    GArray *outputs; /* AditProgramOutput */
    guint *output;   /* of each pick */
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
copy_instance(const Pass *pass, guint index, const double *values, gsize first, gsize rows,
              AditFeatures *features)
{
    const AditPick *pick = &pass->picks[index];
    gsize count = adit_pick_count(pick);
    float *out = (float *) features->values + first * count;
    /* a value without rows is the same for every sample */
    gsize stored = pick->tensor->rows ? rows * count : count;
    const double *own = values + pick->instance * stored;
    for (gsize i = 0; i < rows * count; i++)
        out[i] = (float) own[i % stored];
}

static void
read_batch(const Pass *pass, gsize first, gsize rows, AditCapture *capture)
{
    AditDevice *device = adit_network_get_device(pass->network);
    for (guint i = 0; i < pass->outputs->len; i++) {
        const AditTensor *tensor = g_array_index(pass->outputs, AditProgramOutput, i).tensor;
        gsize count = adit_shape_count(&tensor->shape) * (tensor->rows ? rows : 1);
        g_autofree double *values = g_new(double, count + 1);
        adit_executable_read_output(device, pass->executable, i, values);
        for (guint j = 0; j < pass->n_picks; j++) {
            if (pass->output[j] == i)
                copy_instance(pass, j, values, first, rows,
                              &g_array_index(capture->features, AditFeatures, j));
        }
    }
}

static gboolean
run_pass(Pass *pass, const AditSplit *split, gsize samples, AditCapture *capture, GError **error)
{
    AditDevice *device = adit_network_get_device(pass->network);
    gsize batch = MIN(samples, BATCH);
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
        read_batch(pass, first, call.rows, capture);
    }
    adit_executable_free(device, pass->executable);
    return adit_device_wait(device, error);
}

AditCapture *
adit_capture_new(AditNetwork *network, AditGraph *graph, const AditPick *picks, guint n_picks,
                 const AditSplit *split, gsize samples, GError **error)
{
    g_autoptr(AditCapture) self = g_new0(AditCapture, 1);
    g_autoptr(GArray) outputs = g_array_new(FALSE, FALSE, sizeof(AditProgramOutput));
    g_autofree guint *output = g_new(guint, n_picks + 1);
    Pass pass = {.network = network, .graph = graph, .picks = picks, .n_picks = n_picks};
    pass.outputs = outputs;
    pass.output = output;
    if (!allocate(self, picks, n_picks, samples, error))
        return NULL;
    for (guint i = 0; i < n_picks; i++)
        output[i] = add_output(outputs, adit_tensor_unroll(picks[i].tensor));
    gboolean done = run_pass(&pass, split, samples, self, error);
    g_clear_pointer(&pass.program, adit_program_free);
    return done ? g_steal_pointer(&self) : NULL;
}
