/* core/tool/adit-verb-exits-truncate.c - SPDX-License-Identifier: MIT */
#include "adit-evaluation.h"

#include "adit-calibration.h"
#include "adit-checkpoint.h"
#include "adit-file.h"
#include "adit-json.h"
#include "adit-prune.h"
#include "adit-safetensors.h"
#include "adit-truncation.h"
#include "adit-weights.h"

#include <math.h>
#include <string.h>

#define PIPELINE "pipeline.yaml"
#define WEIGHTS  "model.safetensors"
#define TRUNK    "trunk."
/* Folding adds in another order than training did. */
#define ALIKE 1e-3

/* ---- both curves ---- */

static gboolean
write_table(const AditTruncation *truncation, const char *metric, const char *run, GError **error)
{
    g_autofree char *folder = g_build_filename(run, ADIT_EXITS_FOLDER, NULL);
    g_autofree char *path = g_build_filename(folder, ADIT_TRUNCATION_FILE, NULL);
    g_autoptr(GString) text = g_string_new(NULL);

    g_string_append_printf(text, "block,address,cost,loss,%s,folded-loss,folded-%s\n", metric,
                           metric);
    for (guint i = 0; i < truncation->networks->len; i++) {
        const AditTruncated *network = &g_array_index(truncation->networks, AditTruncated, i);

        g_string_append_printf(text, "%u,%s,%.9g,%.9g,%.9g,%.9g,%.9g\n", i + 1, network->address,
                               network->cost, network->dropped.loss, network->dropped.metric,
                               network->folded.loss, network->folded.metric);
    }
    return adit_folder_create(folder, error) && adit_file_write(path, text->str, text->len, error);
}

static void
print_table(AditInvocation *self, const AditTruncation *truncation, const char *metric)
{
    g_autoptr(GPtrArray) table = g_ptr_array_new_with_free_func((GDestroyNotify) g_strfreev);
    g_autofree char *dropped = g_strconcat("dropped: ", metric, NULL);
    g_autofree char *folded = g_strconcat("folded: ", metric, NULL);
    const char *const head[] = {"ends at", "cost", "dropped: loss", dropped, "folded: loss",
                                folded,    NULL};

    g_ptr_array_add(table, g_strdupv((char **) head));
    for (guint i = 0; i < truncation->networks->len; i++) {
        const AditTruncated *network = &g_array_index(truncation->networks, AditTruncated, i);
        const double numbers[] = {network->dropped.loss, network->dropped.metric,
                                  network->folded.loss, network->folded.metric};
        char **row = g_new0(char *, G_N_ELEMENTS(head));

        row[0] = g_strdup(network->address);
        row[1] = g_strdup_printf("%.4f", network->cost);
        for (guint j = 0; j < G_N_ELEMENTS(numbers); j++)
            row[j + 2] = g_strdup_printf("%.6g", numbers[j]);
        g_ptr_array_add(table, row);
    }
    adit_tool_print_table(self, table, "lrrrrr");
}

static void
print_json(AditInvocation *self, const AditTruncation *truncation, const char *metric,
           const char *saved)
{
    JsonObject *object = json_object_new();
    JsonArray *networks = json_array_new();

    json_object_set_string_member(object, "metric", metric);
    if (saved != NULL)
        json_object_set_string_member(object, "saved", saved);
    for (guint i = 0; i < truncation->networks->len; i++) {
        const AditTruncated *network = &g_array_index(truncation->networks, AditTruncated, i);
        JsonObject *element = json_object_new();

        json_object_set_string_member(element, "address", network->address);
        adit_json_set_double(element, "cost", network->cost);
        adit_json_set_double(element, "loss", network->dropped.loss);
        adit_json_set_double(element, "value", network->dropped.metric);
        adit_json_set_double(element, "folded-loss", network->folded.loss);
        adit_json_set_double(element, "folded-value", network->folded.metric);
        json_array_add_object_element(networks, element);
    }
    json_object_set_array_member(object, "networks", networks);
    adit_tool_print_json(self, object);
}

/* ---- a smaller network ---- */

/* Whether what is called so belongs to the first @keep items, or to no item of the trunk. */
static gboolean
stays(const char *name, guint64 keep)
{
    if (g_str_has_prefix(name, "exits."))
        return FALSE;
    if (!g_str_has_prefix(name, TRUNK) || !g_ascii_isdigit(name[strlen(TRUNK)]))
        return TRUE;
    return g_ascii_strtoull(name + strlen(TRUNK), NULL, 10) <= keep;
}

/* @constant: (nullable): in the shape @shape */
static gboolean
write_weights(const AditTensorList *all, guint64 keep, const double *constant,
              const AditShape *shape, const char *path, GError **error)
{
    g_autoptr(AditTensorList) kept = adit_tensor_list_new();
    g_autofree float *values = g_new0(float, adit_shape_count(shape) + 1);
    g_autofree char *name = g_strdup_printf(TRUNK "%" G_GUINT64_FORMAT ".value", keep + 1);

    for (guint i = 0; i < adit_tensor_list_get_length(all); i++) {
        const AditStoredTensor *tensor = adit_tensor_list_get(all, i);

        if (stays(tensor->name, keep))
            adit_tensor_list_add(kept, tensor->name, tensor->dtype, &tensor->shape, tensor->data);
    }
    for (gsize i = 0; constant != NULL && i < adit_shape_count(shape); i++)
        values[i] = (float) constant[i];
    if (constant != NULL)
        adit_tensor_list_add(kept, name, ADIT_DTYPE_F32, shape, values);
    g_autoptr(AditOutput) output = adit_output_new_replacing(path, error);

    return output != NULL && adit_safetensors_write(kept, output, error) &&
           adit_output_finish(output, error);
}

/* What the network that was saved comes to on the split. */
static gboolean
evaluate_saved(AditInvocation *self, const AditEvaluation *evaluation, const char *path,
               AditScores *scores, GError **error)
{
    const char *const nothing[] = {NULL};
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();
    g_autoptr(AditExperiment) experiment =
        adit_experiment_read(path, nothing, 0, adit_tool_get_data_folder(self), diagnostics);
    g_auto(AditWeights) weights = {0};

    if (experiment == NULL) {
        adit_diagnostics_fail(diagnostics, error);
        return FALSE;
    }
    g_autoptr(AditNetwork) network =
        adit_network_new(experiment, adit_network_get_shape(evaluation->network), evaluation->loss,
                         evaluation->device, 0, error);

    return network != NULL && adit_network_take_from(network, experiment, &weights, error) &&
           adit_network_evaluate(network, evaluation->split, evaluation->batch, scores, error);
}

/* That it is the network of the curve: a trunk that does not add up what its items give has no
 * place for a constant, and what belongs to all items together is not that of fewer. */
static gboolean
check_saved(const AditTruncated *network, gboolean fold, const AditScores *scores, GError **error)
{
    double expected = fold ? network->folded.loss : network->dropped.loss;

    if (fabs(scores->loss - expected) <= ALIKE * MAX(fabs(expected), 1))
        return TRUE;
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                "a network with %s cannot be written down: its loss is %.6g, but %.6g is that of "
                "'%s'%s",
                fold ? "a constant in the place of blocks" : "fewer blocks", scores->loss, expected,
                network->address, fold ? "; does the trunk add up what its items give?" : "");
    return FALSE;
}

/* The pipeline and its weights, and that both come to what the curve says. */
static gboolean
write_network(AditInvocation *self, const AditEvaluation *evaluation,
              const AditTruncation *truncation, const char *folder, AditScores *scores,
              GError **error)
{
    guint64 keep = self->options.keep;
    gboolean fold = self->options.fold;
    const AditTruncated *network =
        &g_array_index(truncation->networks, AditTruncated, (guint) keep - 1);
    g_auto(AditCheckpoint) checkpoint = {0};
    g_autofree char *path = g_build_filename(folder, PIPELINE, NULL);
    g_autofree char *weights = g_build_filename(folder, WEIGHTS, NULL);
    g_autofree char *text =
        adit_prune_trunk(evaluation->experiment, (guint) keep, fold, WEIGHTS, error);

    return text != NULL && adit_checkpoint_read(evaluation->checkpoint, &checkpoint, error) &&
           adit_folder_create(folder, error) &&
           write_weights(checkpoint.model, keep, fold ? network->constant : NULL,
                         &truncation->shape, weights, error) &&
           adit_file_write(path, text, strlen(text), error) &&
           evaluate_saved(self, evaluation, path, scores, error) &&
           check_saved(network, fold, scores, error) && adit_folder_sync(folder, error);
}

/* Beside @folder first: what fails leaves nothing behind, and what was there before as it was. */
static gboolean
save(AditInvocation *self, const AditEvaluation *evaluation, const AditTruncation *truncation,
     const char *folder, GError **error)
{
    const AditTruncated *network =
        &g_array_index(truncation->networks, AditTruncated, (guint) self->options.keep - 1);
    g_autofree char *path = g_build_filename(folder, PIPELINE, NULL);
    /* "out/" and "." have their place beside them as well */
    g_autofree char *final = g_canonicalize_filename(folder, NULL);
    g_autofree char *temporary = adit_file_make_temporary_path(final);
    AditScores scores;

    if (g_file_test(folder, G_FILE_TEST_EXISTS) && self->options.output != NULL &&
        !adit_folder_is_empty(folder)) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "'--output' must be a new or empty folder, got '%s' with files in it", folder);
        return FALSE;
    }
    if (!write_network(self, evaluation, truncation, temporary, &scores, error) ||
        !adit_folder_replace(temporary, final, error)) {
        adit_folder_remove(temporary, NULL);
        return FALSE;
    }
    adit_terminal_say(&self->terminal,
                      "saved in %s: loss %.6g, %s %.6g at %.4g of the cost; adit eval %s", folder,
                      scores.loss, ADIT_LOSS_GET_CLASS(evaluation->loss)->metric_name,
                      scores.metric, network->cost, path);
    return TRUE;
}

static gboolean
check_keep(const AditInvocation *self, const AditTruncation *truncation, GError **error)
{
    guint n = truncation->networks->len;

    if (self->options.fold && self->options.keep == 0) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "'--fold' says how the network is saved that '--keep' cuts off");
        return FALSE;
    }
    if (self->options.keep < n)
        return TRUE;
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                "'--keep' must be below %u, the items of the trunk, got %" G_GUINT64_FORMAT, n,
                self->options.keep);
    return FALSE;
}

static gboolean
tell_batch(gsize done, gsize rows, gpointer user_data, G_GNUC_UNUSED GError **error)
{
    g_autofree char *text =
        g_strdup_printf("evaluating %" G_GSIZE_FORMAT "/%" G_GSIZE_FORMAT, done, rows);

    adit_terminal_draw_bar(user_data, text);
    return TRUE;
}

static gboolean
run(AditInvocation *self, GError **error)
{
    g_auto(AditEvaluation) evaluation = {0};
    g_autofree char *folder = g_strdup(self->options.output);

    if (!adit_evaluation_open(&evaluation, self, error) ||
        !adit_evaluation_choose_split(&evaluation, self, error))
        return FALSE;
    if (evaluation.checkpoint == NULL || evaluation.loss == NULL ||
        evaluation.split->targets == NULL) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "a network is cut off where it was trained; give a run directory");
        return FALSE;
    }
    const char *metric = ADIT_LOSS_GET_CLASS(evaluation.loss)->metric_name;
    const AditData *data = evaluation.data->pdata[0];
    AditEvaluationSetup setup = {
        .batch = evaluation.batch, .func = tell_batch, .user_data = &self->terminal};
    g_autoptr(AditTruncation) truncation =
        adit_truncation_new(evaluation.network, evaluation.split, &data->train, &setup, error);

    adit_terminal_clear_bar(&self->terminal);
    if (folder == NULL)
        folder = g_strdup_printf("%s/truncated-%" G_GUINT64_FORMAT "%s", evaluation.run,
                                 self->options.keep, self->options.fold ? "-folded" : "");
    if (truncation == NULL || !check_keep(self, truncation, error) ||
        !write_table(truncation, metric, evaluation.run, error) ||
        (self->options.keep > 0 && !save(self, &evaluation, truncation, folder, error)))
        return FALSE;
    if (self->options.json)
        print_json(self, truncation, metric, self->options.keep > 0 ? folder : NULL);
    else
        print_table(self, truncation, metric);
    return TRUE;
}

const AditVerb adit_verb_exits_truncate = {
    .name = "exits truncate",
    .usage = "RUN [--keep=N [--fold]] [options]",
    .summary = "a trained network with a shorter trunk, nothing retrained",
    .about =
        "Tells what a network comes to when its trunk ends behind each of its items, as a GloNet "
        "allows: its cost, and loss and metric in two ways. Dropped: the head sees what is collected "
        "until there. Folded: and the mean, over the training rows, of what all later items add, as "
        "one constant: late blocks of a trained network often add little but that. Both curves "
        "are kept in the run's exits/truncation.csv, and its page draws them.\n"
        "--keep=N saves the network with N items in RUN/truncated-N, or --output: a pipeline and its "
        "weights, which eval and predict take, with --fold the constant as one more block.",
    .options = (const char *const[]){"keep", "fold", "output", "override", "data", "split",
                                     "checkpoint", "batch", "device", "strict-device", "threads",
                                     "json", "color", "quiet", "verbose", "help", NULL},
    .min_arguments = 1,
    .max_arguments = 1,
    .has_overrides = TRUE,
    .run = run,
};
