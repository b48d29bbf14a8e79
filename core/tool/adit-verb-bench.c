/* core/tool/adit-verb-bench.c - SPDX-License-Identifier: MIT */
#include "adit-bench.h"

#include "adit-host.h"
#include "adit-json.h"

#define ROUND_SECONDS 0.3
/* for each rate of the processor, at most */
#define RATE_SECONDS 0.1

static gboolean
measure_rates(AditBench *self, GError **error)
{
    double seconds = MIN(self->seconds, RATE_SECONDS);

    for (guint i = 0; i < ADIT_N_ISAS; i++) {
        if (!adit_isa_is_available((AditIsa) i))
            continue;
        self->fma_one[i] = adit_rates_measure_fma((AditIsa) i, 1, seconds);
        self->fma_all[i] = self->all > 1 ? adit_rates_measure_fma((AditIsa) i, self->all, seconds)
                                         : self->fma_one[i];
    }
    self->copy_one = adit_rates_measure_copy(1, seconds, error);
    self->copy_all = self->all > 1 && self->copy_one > 0
                         ? adit_rates_measure_copy(self->all, seconds, error)
                         : self->copy_one;
    return self->copy_all > 0;
}

static gsize
count_array(const AditArray *array)
{
    return array != NULL ? array->rows * adit_shape_count(&array->shape) *
                               adit_type_code_get_size(array->type)
                         : 0;
}

static gsize
count_data(const GPtrArray *data)
{
    gsize bytes = 0;

    for (guint i = 0; i < data->len; i++) {
        const AditSplit *split = &((const AditData *) data->pdata[i])->train;

        bytes +=
            count_array(split->inputs) + count_array(split->targets) + count_array(split->index);
    }
    return bytes;
}

static gboolean
measure(AditBench *self, const AditExperiment *experiment, GPtrArray *data, GError **error)
{
    if (!adit_benchmark_run(experiment, data, self->device, self->seconds, &self->run, error))
        return FALSE;
    self->peak_memory = adit_host_get_peak_memory();
    self->data_bytes = count_data(data);
    if (self->threads > 1) {
        g_autoptr(AditDevice) alone = adit_cpu_device_new(1, FALSE);

        if (!adit_benchmark_run(experiment, data, alone, self->seconds, &self->one, error))
            return FALSE;
    }
    return measure_rates(self, error);
}

/* The device, its threads if it is the CPU. */
static gboolean
open_device(AditBench *self, GError **error)
{
    g_autoptr(JsonObject) object = json_object_new();

    self->device = adit_tool_open_device(self->invocation, error);
    if (self->device == NULL)
        return FALSE;
    adit_device_describe(self->device, object);
    if (g_str_equal(adit_json_get_text(object, "name"), "cpu"))
        self->threads = adit_cpu_device_get_threads(self->device);
    self->isa = adit_isa_detect();
    self->cores = g_get_num_processors();
    self->all = self->threads > 0 ? self->threads : self->cores;
    return TRUE;
}

static gboolean
run_open(AditBench *self, GError **error)
{
    g_auto(AditCheck) check = {0};
    gint64 begin = g_get_monotonic_time();
    g_autoptr(AditExperiment) experiment =
        adit_tool_read_ready(self->invocation, self->path, &check, error);

    if (experiment == NULL)
        return FALSE;
    self->check = 1e-6 * (double) (g_get_monotonic_time() - begin);
    if (experiment->stages->len == 0) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "%s has no section 'train': there is no step to time", self->path);
        return FALSE;
    }
    begin = g_get_monotonic_time();
    g_autoptr(GPtrArray) data = adit_tool_open_data(self->invocation, experiment, NULL, error);

    if (data == NULL)
        return FALSE;
    self->open = 1e-6 * (double) (g_get_monotonic_time() - begin);
    if (!measure(self, experiment, data, error))
        return FALSE;
    if (self->invocation->options.json)
        adit_bench_print_json(self);
    else
        adit_bench_print(self);
    return TRUE;
}

static gboolean
run(AditInvocation *self, GError **error)
{
    AditBench bench = {
        .invocation = self, .path = self->arguments->pdata[0], .seconds = ROUND_SECONDS};
    const char *time = self->options.time;
    gboolean good = (time == NULL || adit_tool_parse_time("time", time, &bench.seconds, error)) &&
                    open_device(&bench, error) && run_open(&bench, error);

    g_clear_object(&bench.device);
    return good;
}

const AditVerb adit_verb_bench = {
    .name = "bench",
    .usage = "FILE [name=value ...] [-o path=value ...] [options]",
    .summary = "measure a training step of a pipeline",
    .about =
        "Trains the first stage of the pipeline FILE on its data for a moment, in five rounds, "
        "writes nothing, and tells what a step takes: time, kernel calls (on a Vulkan device "
        "dispatches), bytes, the rate of its matrix products (two operations for each "
        "multiply-add, forward and back), time to the first step (and a second time, when what "
        "can be kept was made) and memory.\n"
        "The rate is also told as a share of the processor's peak, which is measured in the same "
        "run: multiply-adds in registers alone, by each instruction set, with one thread and with "
        "all. So is the rate of a copy that no cache holds. With more than one thread a step is "
        "timed with one as well. The peak of a Vulkan device is not measured.",
    .options = (const char *const[]){"override", "data", "device", "strict-device", "threads",
                                     "time", "json", "color", "quiet", "verbose", "help", NULL},
    .min_arguments = 1,
    .max_arguments = 1,
    .has_overrides = TRUE,
    .run = run,
};
