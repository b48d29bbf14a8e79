/* core/device/vulkan/adit-vulkan-executable.c - SPDX-License-Identifier: MIT */
#include "adit-vulkan-executable.h"

#include "adit-vulkan-sift.h"

#include <string.h>

/* Rows whose figures wait on the device until they are asked for. */
#define LOG_ROWS ((gsize) 1 << 16)

/* ---- making ready ---- */

static gboolean
has_linear(const GPtrArray *instructions)
{
    for (guint i = 0; i < instructions->len; i++) {
        const AditInstruction *instruction = instructions->pdata[i];

        if (instruction->output.linear ||
            (instruction->body != NULL && has_linear(instruction->body)))
            return TRUE;
        for (guint j = 0; j < instruction->n_inputs; j++) {
            if (instruction->inputs[j].linear)
                return TRUE;
        }
    }
    return FALSE;
}

static void
write_constants(AditExecutable *self)
{
    const GArray *constants = self->program->constants;
    g_autofree float *values = g_new(float, constants->len + 1);

    for (guint i = 0; i < constants->len; i++)
        values[i] = (float) g_array_index(constants, double, i);
    adit_vulkan_write(self->device, &self->constants, 0, constants->len * sizeof(float), values);
}

/* Values that are told when a batch does not fit. */
#define N_LARGEST 3

typedef struct {
    gsize bytes;
    const AditTensor *tensor;
} Value;

/* Puts a value among the largest, each storage once. */
static void
note_value(Value *largest, gsize bytes, const AditTensor *tensor)
{
    Value value = {bytes, tensor};

    for (guint i = 0; i < N_LARGEST; i++) {
        if (value.bytes <= largest[i].bytes)
            continue;
        Value smaller = largest[i];

        largest[i] = value;
        value = smaller;
    }
}

static void
find_largest(const AditExecutable *self, const GPtrArray *instructions, GHashTable *seen,
             Value *largest)
{
    for (guint i = 0; i < instructions->len; i++) {
        const AditInstruction *instruction = instructions->pdata[i];
        int storage = instruction->output.storage;

        if (instruction->body != NULL)
            find_largest(self, instruction->body, seen, largest);
        if (instruction->body != NULL || instruction->output.arena != ADIT_ARENA_ROWS ||
            storage < 0 || !g_hash_table_add(seen, GINT_TO_POINTER(storage)))
            continue;
        note_value(largest,
                   g_array_index(self->program->storages, AditStorage, storage).size *
                       self->places.room * sizeof(float),
                   instruction->tensor);
    }
}

/* The largest values, for whoever has to make something smaller. */
static void
add_largest(AditExecutable *self, GError **error)
{
    Value largest[N_LARGEST] = {0};
    g_autoptr(GHashTable) seen = g_hash_table_new(g_direct_hash, g_direct_equal);
    g_autoptr(GString) text = g_string_new(NULL);

    find_largest(self, self->program->instructions, seen, largest);
    for (guint i = 0; i < N_LARGEST && largest[i].bytes > 0; i++) {
        g_autofree char *size = g_format_size_full(largest[i].bytes, G_FORMAT_SIZE_IEC_UNITS);
        g_autofree char *name = adit_vulkan_name_tensor(largest[i].tensor);

        g_string_append_printf(text, "%s%s of %s", i > 0 ? ", " : "", size, name);
    }
    g_prefix_error(error,
                   "a batch of %" G_GSIZE_FORMAT " rows, the largest values %s: ", self->max_rows,
                   text->str);
}

static gboolean
make_arenas(AditExecutable *self, GError **error)
{
    const AditProgram *program = self->program;
    AditVulkanDevice *device = self->device;
    gsize rows;

    if (__builtin_mul_overflow(program->row_units * sizeof(float), self->places.room, &rows))
        rows = G_MAXSIZE;
    if (adit_vulkan_buffer_init(device, &self->rows, rows, ADIT_VULKAN_ON_DEVICE, "activations",
                                error) &&
        adit_vulkan_buffer_init(device, &self->shared, program->shared_size * sizeof(float),
                                ADIT_VULKAN_ON_DEVICE, "partial results", error) &&
        adit_vulkan_buffer_init(device, &self->constants, program->constants->len * sizeof(float),
                                ADIT_VULKAN_ON_DEVICE, "constants", error) &&
        adit_vulkan_buffer_init(device, &self->log,
                                self->n_sums * self->places.log_room * sizeof(float),
                                ADIT_VULKAN_ON_DEVICE, "figures", error))
        return TRUE;
    add_largest(self, error);
    return FALSE;
}

static void
set_places(AditExecutable *self)
{
    AditVulkanPlaces *places = &self->places;

    for (guint i = 0; i <= ADIT_ARENA_OPTIMIZER; i++)
        places->arenas[i] = &self->memory->arenas[i];
    places->arenas[ADIT_ARENA_ROWS] = &self->rows;
    places->arenas[ADIT_ARENA_SHARED] = &self->shared;
    places->arenas[ADIT_ARENA_CONSTANTS] = &self->constants;
    places->arenas[ADIT_ARENA_LIVE] = &self->memory->block;
    places->ring = &self->memory->ring;
    places->log = &self->log;
    places->seed = self->seed;
    /* so that values begin where every device can bind them: 256 bytes */
    places->room = (self->max_rows + 63) / 64 * 64;
    places->log_room =
        MAX(MIN(LOG_ROWS, self->device->physical->limits.maxStorageBufferRange / sizeof(float)),
            self->max_rows);
}

/* Plans the largest batch: what does not fit or has no shader is found before anything is run, and
 * all kernels are made. */
static gboolean
try_plan(AditExecutable *self, GError **error)
{
    AditVulkanPlan plan;
    AditVulkanPlaces places = self->places;
    const AditVulkanShape shape = {0};

    places.rows = self->max_rows;
    if (self->program->feeds->len > 0 &&
        adit_vulkan_kernel_get(self->device, "feed", NULL, &shape, error) == NULL)
        return FALSE;
    if (!adit_vulkan_plan_init(&plan, self->device, self->program, &places, error))
        return FALSE;
    adit_vulkan_plan_clear(&plan);
    return TRUE;
}

static gboolean
check_limits(AditExecutable *self, GError **error)
{
    const AditProgram *program = self->program;

    if (program->lives->len <= ADIT_VULKAN_MAX_LIVES &&
        program->feeds->len <= ADIT_VULKAN_MAX_FEEDS)
        return TRUE;
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_NO_DEVICE,
                "the pipeline has %u live numbers and %u inputs, a Vulkan device takes at most %d "
                "and %d; use --device cpu",
                program->lives->len, program->feeds->len, ADIT_VULKAN_MAX_LIVES,
                ADIT_VULKAN_MAX_FEEDS);
    return FALSE;
}

AditExecutable *
adit_vulkan_executable_new(AditVulkanDevice *device, AditProgram *program, AditMemory *memory,
                           gsize max_rows, guint64 seed, GError **error)
{
    AditExecutable *self = g_new0(AditExecutable, 1);

    self->device = device;
    self->program = program;
    self->memory = memory;
    self->seed = seed;
    self->max_rows = MAX(max_rows, 1);
    self->has_linear = has_linear(program->instructions) || has_linear(program->commits);
    self->recordings = g_ptr_array_new();
    self->logged = g_array_new(FALSE, FALSE, sizeof(AditVulkanLogged));
    for (guint i = 0; i < program->outputs->len; i++) {
        if (g_array_index(program->outputs, AditProgramOutput, i).kind == ADIT_OUTPUT_SUM)
            self->n_sums++;
    }
    self->sums = g_new0(double, self->n_sums + 1);
    set_places(self);
    if (!check_limits(self, error) || !make_arenas(self, error) || !try_plan(self, error)) {
        adit_vulkan_executable_free(self);
        return NULL;
    }
    write_constants(self);
    return self;
}

void
adit_vulkan_executable_forget(AditExecutable *self)
{
    adit_vulkan_queue_drain(self->device->queue);
    for (guint i = 0; i < self->recordings->len; i++)
        adit_vulkan_recording_free(self->device, self->recordings->pdata[i]);
    g_ptr_array_set_size(self->recordings, 0);
}

void
adit_vulkan_executable_free(AditExecutable *self)
{
    AditVulkanDevice *device = self->device;
    AditVulkanBuffer *buffers[] = {&self->rows, &self->shared, &self->constants,
                                   &self->log,  &self->left,   &self->counts};

    adit_vulkan_executable_forget(self);
    g_clear_pointer(&self->join, adit_vulkan_join_free);
    g_ptr_array_unref(self->recordings);
    for (guint i = 0; i < G_N_ELEMENTS(buffers); i++) {
        adit_vulkan_copies_forget(device, buffers[i]);
        adit_vulkan_buffer_clear(device, buffers[i]);
    }
    for (guint i = 0; i < ADIT_VULKAN_MAX_FEEDS; i++) {
        for (guint j = 0; j < 2; j++)
            adit_vulkan_buffer_clear(device, &self->streams[i][j].buffer);
    }
    g_array_unref(self->logged);
    g_free(self->sums);
    g_free(self);
}

/* ---- data ---- */

/* Rows that the host looks up at once. */
#define GATHERED 64

static gsize
feed_count(const AditExecutable *self, guint feed)
{
    const AditTensor *tensor = self->program->feeds->pdata[feed];

    return adit_shape_count(&tensor->shape);
}

static AditVulkanStream *
get_stream(AditExecutable *self, guint number, const AditArray *array)
{
    return &self->streams[number][array->type == ADIT_TYPE_CODE_U8];
}

/* Rows of a batch in a stream: so many that also bytes begin with a word. */
static gsize
get_stream_rows(const AditExecutable *self)
{
    return (self->max_rows + 3) / 4 * 4;
}

static gboolean
set_streamed(AditExecutable *self, guint number, const AditArray *array, AditVulkanSource *source,
             GError **error)
{
    AditVulkanStream *stream = get_stream(self, number, array);
    gsize rows = ADIT_VULKAN_STREAM_BATCHES * get_stream_rows(self);
    gsize row = feed_count(self, number) * adit_vulkan_get_number_size(array);

    *source = (AditVulkanSource){.data = &stream->buffer, .array = array, .rows = rows};
    return stream->buffer.handle != VK_NULL_HANDLE ||
           adit_vulkan_buffer_init(self->device, &stream->buffer, rows * row,
                                   ADIT_VULKAN_FOR_WRITING, "streamed data", error);
}

static gboolean
set_resident(AditExecutable *self, const AditFeed *feed, AditVulkanSource *source, GError **error)
{
    *source = (AditVulkanSource){.array = feed->array, .rows = feed->array->rows};
    source->data = adit_vulkan_get_array(self->device, feed->array, FALSE, error);
    if (source->data == NULL)
        return FALSE;
    if (feed->subset == NULL)
        return TRUE;
    source->index_rows = feed->subset->rows;
    source->index = adit_vulkan_get_array(self->device, feed->subset, TRUE, error);
    return source->index != NULL;
}

/* What does not fit beside the rest is streamed. */
gboolean
adit_vulkan_executable_set_source(AditExecutable *self, guint number, const AditFeed *feed,
                                  AditVulkanSource *source, GError **error)
{
    g_autoptr(GError) failure = NULL;

    if (feed->source != NULL) {
        *source = adit_vulkan_sift_get_source(feed);
        return TRUE;
    }
    if (adit_vulkan_lives_on_device(self->device, feed)) {
        if (set_resident(self, feed, source, &failure))
            return TRUE;
        if (self->device->error != NULL) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return FALSE;
        }
        g_info("data is streamed: %s", failure->message);
    }
    return set_streamed(self, number, feed->array, source, error);
}

/* As it would lie on the device. */
static void
stream_row(const AditArray *array, gsize row, gsize count, void *to)
{
    gsize size = adit_type_code_get_size(array->type) * count;
    float *numbers = to;

    if (array->type == ADIT_TYPE_CODE_U8 ||
        (array->type == ADIT_TYPE_CODE_F32 && array->scale == 1)) {
        memcpy(to, (const guint8 *) array->data + row * size, size);
        return;
    }
    for (gsize i = 0; i < count; i++)
        numbers[i] = (float) adit_array_get(array, row * count + i);
}

/* Rows of a feed's batch, @size bytes each. */
static void
gather(const AditFeed *feed, gsize n, gsize count, gsize size, guint8 *to)
{
    gsize rows[GATHERED];

    for (gsize first = 0; first < n; first += GATHERED) {
        gsize some = MIN(n - first, GATHERED);

        adit_feed_get_rows(feed, first, some, rows);
        for (gsize i = 0; i < some; i++)
            stream_row(feed->array, rows[i], count, to + (first + i) * size);
    }
}

/* The rows of this call's batch, gathered here; gives where they begin. */
static gsize
stream_rows(AditExecutable *self, guint number, const AditFeed *feed, const AditCall *call)
{
    AditVulkanStream *stream = get_stream(self, number, feed->array);
    gsize count = feed_count(self, number), first = stream->next * get_stream_rows(self);
    gsize size = count * adit_vulkan_get_number_size(feed->array);
    guint8 *to = (guint8 *) stream->buffer.mapped + first * size;

    /* else all of them would be handed over when there is room for no more, and waited for */
    if (stream->next % (ADIT_VULKAN_STREAM_BATCHES / 2) == 0)
        adit_vulkan_queue_flush(self->device->queue);
    adit_vulkan_queue_wait(self->device->queue, stream->serials[stream->next]);
    gather(feed, call->rows, count, size, to);
    stream->serials[stream->next] = self->device->serial;
    stream->next = (stream->next + 1) % ADIT_VULKAN_STREAM_BATCHES;
    return first;
}

/* ---- running ---- */

static gboolean
has_sift(const AditVulkanRecording *recording, const AditSift *sift)
{
    const AditSift *own = &recording->sift;

    if (sift == NULL || own->source == NULL)
        return sift == NULL && own->source == NULL;
    return own->source == sift->source && own->output == sift->output &&
           own->threshold == sift->threshold && own->rises == sift->rises &&
           recording->before == sift->source->sifted;
}

AditVulkanRecording *
adit_vulkan_executable_find(AditExecutable *self, const GPtrArray *recordings, const AditCall *call)
{
    gsize first_row = self->has_linear ? call->first_row : 0;

    for (guint i = 0; i < recordings->len; i++) {
        AditVulkanRecording *recording = recordings->pdata[i];
        gboolean same = recording->rows == call->rows && recording->first_row == first_row &&
                        has_sift(recording, call->sift);

        for (guint j = 0; j < self->program->feeds->len && same; j++)
            same = recording->arrays[j] == call->feeds[j].array &&
                   recording->subsets[j] == call->feeds[j].subset &&
                   recording->outputs[j] == call->feeds[j].output;
        if (same)
            return recording;
    }
    return NULL;
}

AditVulkanRecording *
adit_vulkan_executable_record(AditExecutable *self, const AditVulkanPlan *plan,
                              const AditVulkanSource *sources, const AditCall *call, GError **error)
{
    AditVulkanRecording *recording =
        adit_vulkan_recording_new(self->device, plan, call->sift, error);

    if (recording == NULL)
        return NULL;
    recording->before = call->sift != NULL ? call->sift->source->sifted : NULL;
    recording->rows = call->rows;
    recording->first_row = self->has_linear ? call->first_row : 0;
    for (guint i = 0; i < self->program->feeds->len; i++) {
        recording->arrays[i] = call->feeds[i].array;
        recording->subsets[i] = call->feeds[i].subset;
        recording->outputs[i] = call->feeds[i].output;
        recording->is_streamed[i] =
            call->feeds[i].source == NULL &&
            sources[i].data == &get_stream(self, i, call->feeds[i].array)->buffer;
    }
    return recording;
}

static AditVulkanRecording *
record(AditExecutable *self, const AditCall *call, GError **error)
{
    AditVulkanSource sources[ADIT_VULKAN_MAX_FEEDS] = {0};
    AditVulkanPlaces places = self->places;
    AditVulkanSift sift;
    AditVulkanPlan plan;

    if (call->sift != NULL && !adit_vulkan_sift_init(&sift, self, call->sift, error))
        return NULL;
    for (guint i = 0; i < self->program->feeds->len; i++) {
        if (!adit_vulkan_executable_set_source(self, i, &call->feeds[i], &sources[i], error))
            return NULL;
    }
    places.rows = call->rows;
    places.first_row = self->has_linear ? call->first_row : 0;
    places.sources = sources;
    places.sift = call->sift != NULL ? &sift : NULL;
    if (!adit_vulkan_plan_init(&plan, self->device, self->program, &places, error))
        return NULL;
    AditVulkanRecording *recording =
        adit_vulkan_executable_record(self, &plan, sources, call, error);
    adit_vulkan_plan_clear(&plan);
    if (recording != NULL)
        g_ptr_array_add(self->recordings, recording);
    return recording;
}

static void
write_feed(AditExecutable *self, guint number, gboolean is_streamed, const AditCall *call,
           guint32 *words)
{
    const AditFeed *feed = &call->feeds[number];

    if (is_streamed) {
        words[0] = (guint32) stream_rows(self, number, feed, call);
        words[1] = 0;
        return;
    }
    words[0] = (guint32) feed->first;
    words[1] = feed->order != NULL;
    if (feed->order == NULL)
        return;
    words[2] = (guint32) feed->order->size;
    words[3] = feed->order->half_bits;
    memcpy(words + 4, feed->order->round_keys, sizeof feed->order->round_keys);
}

/* What the call's commands find in the block when they begin; where its live numbers go. */
static float *
write_slot(AditExecutable *self, gsize number, const AditVulkanRecording *recording,
           const AditCall *call)
{
    guint32 *slot = (guint32 *) self->memory->ring.mapped + number * ADIT_RING_WORDS;
    guint32 *block = slot - ADIT_BLOCK_SERIAL;

    block[ADIT_BLOCK_SERIAL] = (guint32) self->device->serial;
    block[ADIT_BLOCK_STEP] = (guint32) call->step;
    block[ADIT_BLOCK_STEP + 1] = (guint32) (call->step >> 32);
    block[ADIT_BLOCK_FIRST_ROW] = (guint32) call->first_row;
    block[ADIT_BLOCK_LOG] = (guint32) self->log_used;
    block[ADIT_BLOCK_ROWS] = G_MAXUINT32;
    for (guint i = 0; i < self->program->feeds->len; i++)
        write_feed(self, i, recording->is_streamed[i], call,
                   block + ADIT_BLOCK_FEEDS + i * ADIT_BLOCK_FEED_WORDS);
    return (float *) (block + ADIT_BLOCK_LIVES);
}

static float *
write_lives(const AditExecutable *self, const AditCall *call, float *lives)
{
    *lives++ = (float) call->update;
    for (guint i = 0; i < self->program->lives->len; i++)
        *lives++ = (float) call->lives[i];
    return lives;
}

void
adit_vulkan_executable_note(AditExecutable *self, const AditCall *call)
{
    AditVulkanLogged logged = {self->serial, self->log_used, call->rows};

    self->last_rows = call->rows;
    self->sifted = call->sift != NULL ? call->sift->source : NULL;
    if (self->n_sums == 0)
        return;
    g_array_append_val(self->logged, logged);
    self->log_used += call->rows;
}

/* Adds what has been logged to the sums, row after row as on the CPU: the same for every batch
 * size. Calls from the first that was not finite on left nothing. */
void
adit_vulkan_executable_drain(AditExecutable *self)
{
    guint32 status[ADIT_BLOCK_FAILED_SERIAL + 1];
    gsize size = self->places.log_room * sizeof(float);
    g_autofree float *values = g_malloc(size);

    if (self->logged->len == 0)
        return;
    adit_vulkan_read(self->device, &self->memory->block, 0, sizeof status, status);
    for (guint k = 0; k < self->n_sums; k++) {
        adit_vulkan_read(self->device, &self->log, k * size, size, values);
        for (guint i = 0; i < self->logged->len; i++) {
            const AditVulkanLogged *logged = &g_array_index(self->logged, AditVulkanLogged, i);
            gint32 behind = (gint32) ((guint32) logged->serial - status[ADIT_BLOCK_FAILED_SERIAL]);

            if (status[ADIT_BLOCK_STATUS] != 0 && behind >= 0)
                break;
            for (gsize r = 0; r < logged->rows; r++)
                self->sums[k] += (double) values[logged->first + r];
        }
    }
    g_array_set_size(self->logged, 0);
    self->log_used = 0;
}

gboolean
adit_vulkan_executable_begin(AditExecutable *self, const AditVulkanRecording *recording,
                             const AditDeviceRun *runs, guint n)
{
    AditVulkanDevice *device = self->device;
    gsize slot = self->memory->calls % ADIT_RING_SLOTS;

    if (self->log_used + runs[0].call.rows > self->places.log_room)
        adit_vulkan_executable_drain(self);
    if (!adit_vulkan_queue_wait(device->queue, self->memory->serials[slot]))
        return FALSE;
    self->serial = ++device->serial;
    self->memory->serials[slot] = self->serial;
    self->memory->calls++;
    float *lives = write_slot(self, slot, recording, &runs[0].call);
    for (guint i = 0; i < n; i++)
        lives = write_lives(runs[i].executable, &runs[i].call, lives);
    return TRUE;
}

gboolean
adit_vulkan_executable_submit(AditExecutable *self, const AditVulkanRecording *recording,
                              const AditCall *call)
{
    adit_vulkan_executable_note(self, call);
    adit_vulkan_recording_queue(self->device, recording, call);
    return self->device->error == NULL;
}

void
adit_vulkan_executable_run(AditExecutable *self, const AditCall *call)
{
    AditVulkanDevice *device = self->device;
    AditDeviceRun run = {self, *call};
    g_autoptr(GError) error = NULL;

    if (device->error != NULL)
        return;
    AditVulkanRecording *recording = adit_vulkan_executable_find(self, self->recordings, call);
    if (recording == NULL)
        recording = record(self, call, &error);
    if (recording == NULL) {
        if (device->error == NULL)
            device->error = g_steal_pointer(&error);
        return;
    }
    if (adit_vulkan_executable_begin(self, recording, &run, 1))
        adit_vulkan_executable_submit(self, recording, call);
}

/* ---- reading ---- */

void
adit_vulkan_executable_read_sums(AditExecutable *self, double *sums)
{
    adit_vulkan_executable_drain(self);
    memcpy(sums, self->sums, self->n_sums * sizeof *sums);
}

void
adit_vulkan_executable_set_sums(AditExecutable *self, const double *sums)
{
    adit_vulkan_executable_drain(self);
    memcpy(self->sums, sums, self->n_sums * sizeof *sums);
}

static void
read_values(AditExecutable *self, const AditOperand *operand, gsize first, gsize count,
            double *values)
{
    g_autofree float *numbers = g_new(float, count + 1);
    const AditVulkanBuffer *buffer = self->places.arenas[operand->arena];

    adit_vulkan_read(self->device, buffer, first * sizeof(float), count * sizeof(float), numbers);
    for (gsize i = 0; i < count; i++)
        values[i] = (double) numbers[i];
}

gsize
adit_vulkan_executable_read_left(AditExecutable *self, gint32 *rows)
{
    g_autofree guint32 *words = g_new(guint32, ADIT_VULKAN_LEFT + self->max_rows);

    adit_vulkan_read(self->device, &self->left, 0,
                     (ADIT_VULKAN_LEFT + self->last_rows) * sizeof *words, words);
    if (self->device->error != NULL)
        return 0;
    memcpy(rows, words + ADIT_VULKAN_LEFT, words[0] * sizeof *rows);
    return words[0];
}

gsize
adit_vulkan_executable_find_output(const AditExecutable *self, guint output)
{
    const AditOperand *operand =
        &g_array_index(self->program->outputs, AditProgramOutput, output).operand;
    const guint start[ADIT_MAX_LOOPS] = {0};

    return adit_vulkan_find_operand(self->program, &self->places, operand, start);
}

/* Of how many rows there are numbers to be read. */
static gsize
count_read(const AditExecutable *self)
{
    guint32 n = 0;

    if (self->sifted == NULL)
        return self->last_rows;
    adit_vulkan_read(self->device, &self->sifted->left, 0, sizeof n, &n);
    return self->device->error == NULL ? n : 0;
}

void
adit_vulkan_executable_read_output(AditExecutable *self, guint index, double *values)
{
    const AditProgramOutput *output =
        &g_array_index(self->program->outputs, AditProgramOutput, index);
    const AditOperand *operand = &output->operand;
    gsize first = adit_vulkan_executable_find_output(self, index), rows = count_read(self),
          instances = 1;

    if (!operand->rows) {
        read_values(self, operand, first, operand->count, values);
        return;
    }
    for (guint i = 0; i < output->tensor->lead; i++)
        instances *= output->tensor->shape.size[i];
    gsize width = operand->count / instances;
    for (gsize instance = 0; instance < instances; instance++) {
        read_values(self, operand, first + instance * self->places.room * width, rows * width,
                    values);
        values += rows * width;
    }
}
