/* core/tool/adit-bench-report.c - SPDX-License-Identifier: MIT */
#include "adit-bench.h"

#include "adit-host.h"
#include "adit-json.h"

/* below this share of the cores' time, others use them too */
#define QUIET 0.95

static double
get_median(const AditBenchmark *benchmark)
{
    return benchmark->rounds[ADIT_BENCHMARK_ROUNDS / 2];
}

/* What the processor can do with the threads that were measured; 0: another device. */
static double
get_peak(const AditBench *self)
{
    return self->threads == 0   ? 0
           : self->threads == 1 ? self->fma_one[self->isa]
                                : self->fma_all[self->isa];
}

/* How much of the time its threads had their cores. */
static double
get_share_of_cores(const AditBench *self)
{
    return MIN(self->run.processor / self->threads, 1);
}

static JsonObject *
describe_pair(double one, double all)
{
    JsonObject *object = json_object_new();

    adit_json_set_double(object, "one", one);
    adit_json_set_double(object, "all", all);
    return object;
}

static JsonObject *
describe_machine(const AditBench *self)
{
    JsonObject *object = json_object_new(), *sets = json_object_new();
    g_autofree char *processor = adit_host_get_processor();
    JsonObject *copy = describe_pair(self->copy_one, self->copy_all);

    for (guint i = 0; i < ADIT_N_ISAS; i++) {
        if (self->fma_one[i] > 0)
            json_object_set_object_member(sets, adit_isa_get_name((AditIsa) i),
                                          describe_pair(self->fma_one[i], self->fma_all[i]));
    }
    adit_json_set_unsigned(copy, "buffer-bytes", adit_rates_get_copy_size());
    json_object_set_string_member(object, "processor", processor);
    adit_json_set_unsigned(object, "cores", self->cores);
    json_object_set_string_member(object, "instruction-set", adit_isa_get_name(self->isa));
    json_object_set_object_member(
        object, "fma", describe_pair(self->fma_one[self->isa], self->fma_all[self->isa]));
    json_object_set_object_member(object, "fma-by-instruction-set", sets);
    json_object_set_object_member(object, "copy", copy);
    return object;
}

static JsonObject *
describe_step(const AditBench *self)
{
    const AditBenchmark *run = &self->run;
    JsonObject *object = json_object_new();
    JsonArray *rounds = json_array_new();
    double best = run->rounds[0];

    for (guint i = 0; i < ADIT_BENCHMARK_ROUNDS; i++)
        json_array_add_double_element(rounds, run->rounds[i]);
    adit_json_set_double(object, "best", best);
    adit_json_set_double(object, "median", get_median(run));
    json_object_set_array_member(object, "rounds", rounds);
    adit_json_set_unsigned(object, "steps", run->steps);
    if (self->threads > 0)
        adit_json_set_double(object, "share-of-cores", get_share_of_cores(self));
    adit_json_set_unsigned(object, "calls", run->calls);
    adit_json_set_unsigned(object, "flop", run->flop);
    adit_json_set_unsigned(object, "compulsory-bytes", run->compulsory);
    adit_json_set_unsigned(object, "planned-bytes", run->planned);
    adit_json_set_double(object, "flop-rate", (double) run->flop / best);
    if (get_peak(self) > 0)
        adit_json_set_double(object, "share-of-peak", (double) run->flop / best / get_peak(self));
    return object;
}

static JsonObject *
describe_scaling(const AditBench *self)
{
    JsonObject *object = json_object_new();

    adit_json_set_double(object, "best", self->one.rounds[0]);
    adit_json_set_double(object, "median", get_median(&self->one));
    adit_json_set_double(object, "speed-up", self->one.rounds[0] / self->run.rounds[0]);
    adit_json_set_double(object, "fma-speed-up",
                         self->fma_all[self->isa] / self->fma_one[self->isa]);
    return object;
}

void
adit_bench_print_json(const AditBench *self)
{
    const AditBenchmark *run = &self->run;
    JsonObject *object = json_object_new(), *device = json_object_new();
    JsonObject *start = json_object_new(), *memory = json_object_new();

    adit_device_describe(self->device, device);
    adit_json_set_double(start, "check", self->check);
    adit_json_set_double(start, "data", self->open);
    adit_json_set_double(start, "compile", run->make);
    adit_json_set_double(start, "first-step", run->first);
    adit_json_set_double(start, "compile-again", run->make_again);
    adit_json_set_double(start, "first-step-again", run->first_again);
    adit_json_set_unsigned(memory, "peak-bytes", self->peak_memory);
    adit_json_set_unsigned(memory, "device-bytes", run->held);
    adit_json_set_unsigned(memory, "data-bytes", self->data_bytes);
    json_object_set_string_member(object, "file", self->path);
    json_object_set_object_member(object, "device", device);
    adit_json_set_unsigned(object, "rows", run->rows);
    adit_json_set_unsigned(object, "parameters", run->parameters);
    json_object_set_object_member(object, "step", describe_step(self));
    if (self->threads > 1)
        json_object_set_object_member(object, "one-thread", describe_scaling(self));
    json_object_set_object_member(object, "start", start);
    json_object_set_object_member(object, "memory", memory);
    json_object_set_object_member(object, "machine", describe_machine(self));
    adit_tool_print_json(self->invocation, object);
}

static void G_GNUC_PRINTF(3, 4)
    add_line(GPtrArray *table, const char *name, const char *format, ...)
{
    char **row = g_new0(char *, 3);
    va_list arguments;

    va_start(arguments, format);
    row[0] = g_strdup(name);
    row[1] = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_ptr_array_add(table, row);
}

static void
add_step(const AditBench *self, GPtrArray *table)
{
    const AditBenchmark *run = &self->run;
    g_autofree char *steps = adit_tool_format_count(run->steps);
    g_autofree char *calls = adit_tool_format_count(run->calls);
    double best = run->rounds[0], rate = (double) run->flop / best;

    add_line(table, "step", "%.4f ms best, %.4f ms median of %d rounds, %s steps", 1e3 * best,
             1e3 * get_median(run), ADIT_BENCHMARK_ROUNDS, steps);
    if (self->threads > 0 && get_share_of_cores(self) < QUIET)
        add_line(table, "",
                 "the machine is busy: the threads had their cores for %.0f %% of the time",
                 100 * get_share_of_cores(self));
    if (self->threads > 1)
        add_line(table, "threads", "%.2fx of one thread (%.4f ms); multiply-adds alone %.2fx",
                 self->one.rounds[0] / best, 1e3 * self->one.rounds[0],
                 self->fma_all[self->isa] / self->fma_one[self->isa]);
    if (get_peak(self) > 0)
        add_line(table, "products",
                 "%.4g MFLOP a step, %.3g GFLOP/s, %.1f %% of the peak of %s with %u thread%s",
                 1e-6 * (double) run->flop, 1e-9 * rate, 100 * rate / get_peak(self),
                 adit_isa_get_name(self->isa), self->threads, self->threads > 1 ? "s" : "");
    else
        add_line(table, "products",
                 "%.4g MFLOP a step, %.3g GFLOP/s; this device's peak is not measured",
                 1e-6 * (double) run->flop, 1e-9 * rate);
    add_line(table, "bytes", "%.4g MB a step at least, %.4g MB operation by operation",
             1e-6 * (double) run->compulsory, 1e-6 * (double) run->planned);
    add_line(table, "calls", "%s %s a step", calls,
             self->threads > 0 ? "kernel calls" : "dispatches");
}

/* "118.2 GFLOP/s with one thread, 236.1 GFLOP/s with 2" */
static char *
format_pair(const AditBench *self, double one, double all, const char *unit)
{
    guint n = self->all;

    return n > 1 ? g_strdup_printf("%.1f %s with one thread, %.1f %s with %u", 1e-9 * one, unit,
                                   1e-9 * all, unit, n)
                 : g_strdup_printf("%.1f %s with one thread", 1e-9 * one, unit);
}

static void
add_machine(const AditBench *self, GPtrArray *table)
{
    g_autofree char *copy = format_pair(self, self->copy_one, self->copy_all, "GB/s");
    const char *name = "FMA peak";

    for (guint i = ADIT_N_ISAS; i-- > 0;) {
        if (self->fma_one[i] <= 0)
            continue;
        g_autofree char *rates = format_pair(self, self->fma_one[i], self->fma_all[i], "GFLOP/s");

        add_line(table, name, "%s %s", adit_isa_get_name((AditIsa) i), rates);
        name = "";
    }
    add_line(table, "copy", "%s, read and written, of %.0f MiB", copy,
             (double) adit_rates_get_copy_size() / (1 << 20));
}

void
adit_bench_print(const AditBench *self)
{
    const AditBenchmark *run = &self->run;
    g_autoptr(GPtrArray) table = g_ptr_array_new_with_free_func((GDestroyNotify) g_strfreev);
    g_autoptr(JsonObject) device = json_object_new();
    g_autofree char *processor = adit_host_get_processor();
    g_autofree char *parameters = adit_tool_format_count(run->parameters);

    adit_device_describe(self->device, device);
    if (self->threads > 0)
        add_line(table, "device", "cpu, %s, %u thread%s of %u cores, %s",
                 adit_isa_get_name(self->isa), self->threads, self->threads > 1 ? "s" : "",
                 self->cores, processor);
    else
        add_line(table, "device", "%s, %s", adit_json_get_text(device, "name"),
                 adit_json_get_text(device, "device"));
    add_line(table, "network", "%s parameters, batch %" G_GSIZE_FORMAT, parameters, run->rows);
    add_step(self, table);
    add_line(table, "start",
             "check %.1f ms, data %.1f ms, compile %.1f ms, first step %.2f ms; again %.1f ms, "
             "%.2f ms",
             1e3 * self->check, 1e3 * self->open, 1e3 * run->make, 1e3 * run->first,
             1e3 * run->make_again, 1e3 * run->first_again);
    add_line(table, "memory", "%.1f MiB at most, of which %.3g MiB the device's, %.3g MiB the data",
             (double) self->peak_memory / (1 << 20), (double) run->held / (1 << 20),
             (double) self->data_bytes / (1 << 20));
    add_machine(self, table);
    adit_tool_print_table(self->invocation, table, "ll");
}
