/* core/device/vulkan/adit-vulkan-join.c - SPDX-License-Identifier: MIT */
#include "adit-vulkan-join-private.h"

#include "adit-vulkan-together.h"

#include <string.h>

/* ---- kernels ---- */

static char *
make_text(const AditVulkanWalkText *text, const char *head)
{
    GString *whole = g_string_new(head);

    for (guint i = 0; i < text->constants->len; i++)
        g_string_append_printf(whole, "layout(constant_id = %u) const uint c%u = 0u;\n", i, i);
    g_string_append(whole, text->text->str);
    return g_string_free(whole, FALSE);
}

/* Live numbers of a program, with its update's number. */
static guint
count_lives(const AditExecutable *executable)
{
    return executable != NULL ? 1 + executable->program->lives->len : 0;
}

/* Those of all runs. */
static guint
count_all_lives(const AditVulkanJoin *self)
{
    return count_lives(self->gradient) + self->ranges->len * count_lives(self->update);
}

char *
adit_vulkan_join_make_piece_text(const AditVulkanJoin *self, const AditVulkanWalkText *piece,
                                 guint rows)
{
    const AditVulkanWalk *walk = self->walk;
    gboolean takes_call = piece == walk->pieces->pdata[0] && !walk->reads_states;
    g_autofree char *head = g_strdup_printf(
        "#define ROWS %uu\n#define LANES %uu\n#define SIZE %u\n#define STAGE %zuu\n"
        "#define GROUP %uu\n#define JOINED %zu\n"
        "#define RING_SLOTS %uu\n#define RING_WORDS %uu\n#define CALL_WORDS %uu\n%s"
        "#include \"walk-rows.glsl\"\n",
        rows, walk->lanes, rows * walk->lanes, walk->stage, adit_vulkan_join_get_least_rows(self),
        walk->joined, ADIT_RING_SLOTS, ADIT_RING_WORDS,
        ADIT_BLOCK_LIVES - ADIT_BLOCK_SERIAL + count_all_lives(self),
        takes_call ? "#define TAKES_CALL\n" : "");

    return make_text(piece, head);
}

char *
adit_vulkan_join_make_sums_text(const AditVulkanWalk *walk)
{
    g_autofree char *head = g_strdup_printf(
        "#define ADIT_INPUT0_ACCESS\n#define ADIT_INPUT2_ACCESS\n#define ADIT_INPUT3_ACCESS\n#define ADIT_INPUT4_ACCESS\n"
        "#define TILE_ROWS %uu\n#define TILE_COLUMNS %uu\n#include \"walk-sums.glsl\"\n",
        walk->tile_rows, walk->tile_columns);

    return make_text(&walk->sums, head);
}

guint
adit_vulkan_join_get_most_rows(const AditVulkanJoin *self)
{
    const AditVulkanWalk *walk = self->walk;
    guint most = MAX_SIZE / walk->lanes;
    gsize joined = walk->joined > 0 ? walk->joined + 2 * MAX_SIZE : 0;

    while (most > 1 && (2 * most * walk->stage + joined) * sizeof(float) > MAX_SHARED)
        most /= 2;
    return most;
}

guint
adit_vulkan_join_get_least_rows(const AditVulkanJoin *self)
{
    return self->walk->joined > 0 ? MIN(GROUP, adit_vulkan_join_get_most_rows(self)) : 1;
}

gboolean
adit_vulkan_join_set_rows(AditVulkanJoin *self, guint rows, GError **error)
{
    const GPtrArray *pieces = self->walk->pieces;
    g_autoptr(GPtrArray) kernels = g_ptr_array_new();

    for (guint i = 0; i < pieces->len; i++) {
        const AditVulkanWalkText *piece = pieces->pdata[i];
        g_autofree char *text = adit_vulkan_join_make_piece_text(self, piece, rows);
        const AditVulkanKernel *kernel =
            adit_vulkan_kernel_get_walk(self->device, text, piece->constants, error);

        if (kernel == NULL)
            return FALSE;
        g_ptr_array_add(kernels, (gpointer) kernel);
    }
    g_clear_pointer(&self->pieces, g_ptr_array_unref);
    self->pieces = g_steal_pointer(&kernels);
    self->rows_a_group = rows;
    return TRUE;
}

static gboolean
make_kernels(AditVulkanJoin *self, GError **error)
{
    const AditVulkanWalk *walk = self->walk;

    if (!adit_vulkan_join_set_rows(self, adit_vulkan_join_get_most_rows(self), error))
        return FALSE;
    if (!walk->has_sums)
        return TRUE;
    g_autofree char *sums = adit_vulkan_join_make_sums_text(walk);
    self->sums = adit_vulkan_kernel_get_walk(self->device, sums, walk->sums.constants, error);
    return self->sums != NULL;
}

/* ---- making ---- */

/* The figures' buffer with room for what is kept behind them. */
static gboolean
make_room(AditVulkanJoin *self, GError **error)
{
    AditExecutable *gradient = self->gradient;
    AditVulkanDevice *device = self->device;
    AditVulkanBuffer buffer;

    if (!adit_vulkan_buffer_init(device, &buffer, self->walk->size * sizeof(float),
                                 ADIT_VULKAN_ON_DEVICE, "what a walk keeps", error))
        return FALSE;
    adit_vulkan_executable_drain(gradient);
    adit_vulkan_executable_forget(gradient);
    adit_vulkan_copies_forget(device, &gradient->log);
    adit_vulkan_buffer_clear(device, &gradient->log);
    gradient->log = buffer;
    return TRUE;
}

/* Whether all that the kernels read can be bound whole. */
static gboolean
fits(const AditVulkanJoin *self)
{
    gsize most = self->device->physical->limits.maxStorageBufferRange;
    const AditVulkanBuffer *arenas = self->gradient->memory->arenas;

    return self->walk->size * sizeof(float) <= most && arenas[ADIT_ARENA_PARAMETERS].size <= most &&
           arenas[ADIT_ARENA_GRADIENTS].size <= most && arenas[ADIT_ARENA_OPTIMIZER].size <= most &&
           arenas[ADIT_ARENA_STATES].size <= most &&
           (self->walk->joined == 0 ||
            adit_vulkan_join_get_most_rows(self) * self->walk->lanes >= MIN_SIZE) &&
           count_all_lives(self) <= ADIT_VULKAN_MAX_LIVES + 1;
}

/* Alone a network would have had the room: beside others it does not go another way, which would
 * be to other bits, but fails. */
static void
fail_beside(AditVulkanJoin *self, const GError *error)
{
    if (g_error_matches(error, ADIT_ERROR, ADIT_ERROR_MEMORY) && self->device->n_memories > 1 &&
        self->device->error == NULL)
        self->device->error = g_error_copy(error);
}

static void
make_walk(AditVulkanJoin *self)
{
    AditVulkanWalkNeeds needs = {.program = self->gradient->program,
                                 .update = self->update != NULL ? self->update->program : NULL,
                                 .ranges = self->ranges,
                                 .places = &self->gradient->places};
    g_autofree char *reason = NULL;
    g_autoptr(GError) error = NULL;

    self->walk = adit_vulkan_walk_new(&needs, &reason);
    if (self->walk == NULL) {
        g_info("it is no walk: %s", reason);
        return;
    }
    if (!fits(self))
        reason = g_strdup("what it keeps is more than can be bound");
    else if (make_kernels(self, &error) && make_room(self, &error))
        return;
    g_info("it is no walk: %s", reason != NULL ? reason : error->message);
    fail_beside(self, error);
    g_clear_pointer(&self->walk, adit_vulkan_walk_free);
}

static void
add_range(AditVulkanJoin *self, const AditCall *call)
{
    AditVulkanWalkRange range = {call->first_row, call->first_row + call->rows,
                                 count_all_lives(self)};

    g_array_append_val(self->ranges, range);
}

static gboolean
has_loop(const AditProgram *program)
{
    for (guint i = 0; i < program->instructions->len; i++) {
        if (((const AditInstruction *) program->instructions->pdata[i])->body != NULL)
            return TRUE;
    }
    return FALSE;
}

static AditVulkanJoin *
join_new(AditVulkanDevice *device, const AditDeviceRun *runs, guint n)
{
    AditVulkanJoin *self = g_new0(AditVulkanJoin, 1);

    self->device = device;
    self->gradient = runs[0].executable;
    self->update = n > 1 ? runs[1].executable : NULL;
    self->ranges = g_array_new(FALSE, FALSE, sizeof(AditVulkanWalkRange));
    self->recordings = g_ptr_array_new();
    for (guint i = 1; i < n; i++)
        add_range(self, &runs[i].call);
    /* without a loop it is a handful of kernels anyway */
    if (device->fuses && has_loop(self->gradient->program) &&
        (n == 1 || self->gradient->memory == self->update->memory))
        make_walk(self);
    return self;
}

static void
drop_recording(const AditVulkanJoin *self, AditVulkanRecording *recording)
{
    adit_vulkan_together_forget(self->device, recording);
    adit_vulkan_recording_free(self->device, recording);
}

static void
drop_recordings(AditVulkanJoin *self)
{
    adit_vulkan_queue_drain(self->device->queue);
    for (guint i = 0; i < self->recordings->len; i++)
        drop_recording(self, self->recordings->pdata[i]);
    g_ptr_array_set_size(self->recordings, 0);
}

void
adit_vulkan_join_free(AditVulkanJoin *self)
{
    for (guint i = 0; i < self->recordings->len; i++)
        drop_recording(self, self->recordings->pdata[i]);
    g_ptr_array_unref(self->recordings);
    g_array_unref(self->ranges);
    g_clear_pointer(&self->pieces, g_ptr_array_unref);
    g_clear_pointer(&self->walk, adit_vulkan_walk_free);
    g_free(self);
}

/* ---- recording ---- */

static AditVulkanWindow
bind(const AditVulkanBuffer *buffer, gboolean is_written)
{
    return (AditVulkanWindow){.buffer = buffer, .range = buffer->size, .is_written = is_written};
}

static void
set_groups(const AditVulkanJoin *self, AditVulkanDispatch *dispatch, gsize n)
{
    gsize most = self->device->physical->limits.maxComputeWorkGroupCount[0];

    dispatch->groups[0] = (guint32) MIN(MAX(n, 1), most);
    dispatch->groups[1] = (guint32) ((MAX(n, 1) + dispatch->groups[0] - 1) / dispatch->groups[0]);
    dispatch->groups[2] = 1;
}

static AditVulkanDispatch
make_dispatch(const AditVulkanJoin *self, const AditVulkanKernel *kernel, const char *name,
              gsize rows)
{
    gsize kept = self->walk->size / self->gradient->places.room;
    AditVulkanDispatch dispatch = {.kernel = kernel,
                                   .name = name,
                                   .push = {.rows = (guint32) rows, .batch = (guint32) rows},
                                   /* what a row keeps is a part of a product each */
                                   .work = 1 + (double) rows * (double) kept * self->walk->lanes /
                                                   (1 << 20)};

    dispatch.windows[0] = bind(&self->gradient->memory->block, TRUE);
    dispatch.windows[2] = bind(&self->gradient->log, TRUE);
    dispatch.windows[3] = bind(&self->gradient->memory->arenas[ADIT_ARENA_STATES], FALSE);
    return dispatch;
}

/* Where the words of piece @number begin; of the second kernel, behind all pieces. */
static guint32
find_words(const AditVulkanWalk *walk, guint number)
{
    guint32 at = 0;

    for (guint i = 0; i < number; i++)
        at += ((const AditVulkanWalkText *) walk->pieces->pdata[i])->words->len;
    return at;
}

/* A dispatch of a piece. */
static void
add_step(const AditVulkanJoin *self, const AditVulkanSource *sources, guint number, gsize rows,
         AditVulkanPlan *plan)
{
    const AditVulkanWalk *walk = self->walk;
    const AditVulkanWalkStep *step = &g_array_index(walk->steps, AditVulkanWalkStep, number);
    AditVulkanDispatch dispatch =
        make_dispatch(self, self->pieces->pdata[step->piece], "walk-rows", rows);
    const AditVulkanBuffer *index = &self->gradient->memory->ring;
    guint n_chunks = number == 0 ? walk->n_chunks : 0;

    for (guint i = 0; i < 2; i++) {
        guint feed = MIN(i, self->gradient->program->feeds->len - 1);

        dispatch.windows[6 + i] = bind(sources[feed].data, FALSE);
        if (sources[feed].index != NULL)
            index = sources[feed].index;
    }
    dispatch.windows[4] = bind(index, FALSE);
    dispatch.windows[5] = bind(&self->gradient->memory->arenas[ADIT_ARENA_PARAMETERS], FALSE);
    if (number == 0 && !walk->reads_states)
        dispatch.windows[3] = bind(&self->gradient->memory->ring, FALSE);
    dispatch.work /= walk->steps->len;
    dispatch.push.words = find_words(walk, step->piece);
    dispatch.push.slice = number;
    dispatch.push.key = walk->terms;
    dispatch.push.part = n_chunks;
    dispatch.push.out_at = (guint32) walk->chunks_at;
    memcpy(dispatch.push.in_at, step->index, sizeof step->index);
    set_groups(self, &dispatch, (rows + self->rows_a_group - 1) / self->rows_a_group + n_chunks);
    g_array_append_val(plan->dispatches, dispatch);
}

/* Nobody else takes the call off the ring; what reads states finds it in the block. */
static gboolean
add_begin(const AditVulkanJoin *self, gsize rows, AditVulkanPlan *plan, GError **error)
{
    const guint32 attributes[] = {ADIT_RING_SLOTS, ADIT_RING_WORDS};
    const AditVulkanShape shape = {0};
    const AditVulkanKernel *kernel =
        adit_vulkan_kernel_get(self->device, "begin", NULL, &shape, error);

    if (kernel == NULL)
        return FALSE;
    AditVulkanDispatch dispatch = make_dispatch(self, kernel, "begin", rows);
    for (guint i = 2; i < ADIT_VULKAN_BINDINGS; i++)
        dispatch.windows[i] = bind(&self->gradient->memory->ring, FALSE);
    dispatch.push.words = adit_vulkan_add_attributes(plan, attributes, G_N_ELEMENTS(attributes));
    dispatch.work = 1;
    set_groups(self, &dispatch, 1);
    g_array_append_val(plan->dispatches, dispatch);
    return TRUE;
}

static void
add_sums(const AditVulkanJoin *self, gsize rows, AditVulkanPlan *plan)
{
    const AditVulkanWalk *walk = self->walk;
    AditVulkanDispatch dispatch = make_dispatch(self, self->sums, "walk-sums", rows);

    dispatch.windows[3].is_written = TRUE;
    dispatch.windows[4] = bind(&self->gradient->memory->ring, FALSE);
    for (guint i = 0; i < 3; i++) {
        static const AditArena arenas[] = {ADIT_ARENA_PARAMETERS, ADIT_ARENA_GRADIENTS,
                                           ADIT_ARENA_OPTIMIZER};

        dispatch.windows[5 + i] = bind(&self->gradient->memory->arenas[arenas[i]], TRUE);
    }
    dispatch.push.words = find_words(walk, walk->pieces->len);
    dispatch.push.key = walk->jobs;
    dispatch.push.part = walk->n_jobs;
    dispatch.push.slice = walk->n_groups;
    set_groups(self, &dispatch, walk->n_groups);
    g_array_append_val(plan->dispatches, dispatch);
}

/* Whether the data can be bound whole, its rows found by one table of numbers. */
static gboolean
can_bind(const AditVulkanJoin *self, const AditVulkanSource *sources)
{
    gsize most = self->device->physical->limits.maxStorageBufferRange;
    const AditVulkanBuffer *index = NULL;

    for (guint i = 0; i < self->gradient->program->feeds->len; i++) {
        const AditVulkanSource *source = &sources[i];

        if (source->data->size > most || (source->index != NULL && source->index->size > most) ||
            (source->index != NULL && index != NULL && source->index != index))
            return FALSE;
        index = source->index != NULL ? source->index : index;
    }
    return TRUE;
}

static void
add_words(const AditVulkanJoin *self, const AditVulkanSource *sources, AditVulkanPlan *plan)
{
    const AditVulkanWalk *walk = self->walk;

    for (guint i = 0; i < walk->pieces->len; i++) {
        const GArray *words = ((const AditVulkanWalkText *) walk->pieces->pdata[i])->words;

        g_array_append_vals(plan->words, words->data, words->len);
    }
    g_array_append_vals(plan->words, walk->sums.words->data, walk->sums.words->len);
    for (guint i = 0; i < self->gradient->program->feeds->len; i++) {
        const AditVulkanWalkFeed *feed = &walk->feeds[i];
        guint32 at = find_words(walk, feed->piece);
        guint32 table = adit_vulkan_add_table(plan, sources[i].array);

        g_array_index(plan->words, guint32, at + feed->numbers) = sources[i].index != NULL;
        g_array_index(plan->words, guint32, at + feed->table) = table > 0 ? table - at : 0;
    }
}

static gboolean
add_dispatches(const AditVulkanJoin *self, const AditVulkanSource *sources, gsize rows,
               gboolean whole, AditVulkanPlan *plan, GError **error)
{
    const AditVulkanWalk *walk = self->walk;
    gboolean found = TRUE;

    if (whole && walk->reads_states)
        found = add_begin(self, rows, plan, error);
    for (guint i = 0; i < walk->steps->len; i++)
        add_step(self, sources, i, rows, plan);
    if (whole && walk->has_sums)
        add_sums(self, rows, plan);
    else if (whole && !walk->reads_states)
        found = add_begin(self, rows, plan, error);
    return found;
}

AditVulkanRecording *
adit_vulkan_join_record(AditVulkanJoin *self, const AditCall *call, gboolean whole, GError **error)
{
    AditVulkanSource sources[ADIT_VULKAN_MAX_FEEDS] = {0};
    AditVulkanPlan plan = {.dispatches = g_array_new(FALSE, FALSE, sizeof(AditVulkanDispatch)),
                           .words = g_array_new(FALSE, FALSE, sizeof(guint32))};
    AditVulkanRecording *recording = NULL;
    gboolean found = TRUE;

    for (guint i = 0; i < self->gradient->program->feeds->len && found; i++)
        found = adit_vulkan_executable_set_source(self->gradient, i, &call->feeds[i], &sources[i],
                                                  error);
    if (found && can_bind(self, sources)) {
        add_words(self, sources, &plan);
        found = add_dispatches(self, sources, call->rows, whole, &plan, error);
        if (found)
            recording = adit_vulkan_executable_record(self->gradient, &plan, sources, call, error);
        if (recording != NULL)
            adit_vulkan_recording_keep(recording, &plan);
    }
    adit_vulkan_plan_clear(&plan);
    return recording;
}

/* ---- running ---- */

/* Whether these are the runs that were joined. */
static gboolean
is_same(const AditVulkanJoin *self, const AditDeviceRun *runs, guint n)
{
    gboolean same = n == self->ranges->len + 1;

    for (guint i = 1; i < n && same; i++) {
        const AditVulkanWalkRange *range = &g_array_index(self->ranges, AditVulkanWalkRange, i - 1);
        const AditCall *call = &runs[i].call;

        same = runs[i].executable == self->update && range->begin == call->first_row &&
               range->end == call->first_row + call->rows && call->step == runs[0].call.step &&
               call->update == runs[0].call.update;
    }
    return same;
}

/* It costs time, so that whoever waits is told, each time. */
static void
tell_otherwise(const AditVulkanJoin *self)
{
    const AditVulkanPhysical *physical = self->device->physical;

    if (self->device->error == NULL)
        g_message("device '%s' (%s %s) computes a training step otherwise when it is done in two "
                  "kernels: each operation is a kernel of its own",
                  physical->name, physical->driver, physical->driver_version);
}

/* From now on the runs are done in turn; NULL. */
static AditVulkanRecording *
give_up(AditVulkanJoin *self, const char *reason)
{
    g_info("it is no walk: %s", reason);
    drop_recordings(self);
    g_clear_pointer(&self->walk, adit_vulkan_walk_free);
    return NULL;
}

/* Recorded when it is first needed. Before the first is run the walk is tried. */
static AditVulkanRecording *
find_recording(AditVulkanJoin *self, const AditDeviceRun *runs, guint n)
{
    const AditCall *call = &runs[0].call;
    g_autoptr(GError) error = NULL;
    AditVulkanRecording *recording =
        adit_vulkan_executable_find(self->gradient, self->recordings, call);

    if (recording != NULL)
        return recording;
    recording = adit_vulkan_join_record(self, call, TRUE, &error);
    fail_beside(self, error);
    if (recording == NULL)
        return give_up(self, error != NULL ? error->message : "its data cannot be bound whole");
    g_ptr_array_add(self->recordings, recording);
    if (!self->is_tried && !adit_vulkan_join_try(self, runs, n)) {
        tell_otherwise(self);
        return give_up(self, "it computes otherwise");
    }
    self->is_tried = TRUE;
    return recording;
}

/* Of a call that has begun; the calls behind it are done so. */
static void
tune(AditVulkanJoin *self, const AditCall *call)
{
    if (!self->is_tuned)
        self->fastest = adit_vulkan_join_tune(self, call);
    self->is_tuned = TRUE;
}

static gboolean
is_fastest(const AditVulkanJoin *self)
{
    return self->is_tuned && self->fastest == self->rows_a_group;
}

/* Takes the fastest kernels if they, too, do what the runs do in turn. */
static void
take_fastest(AditVulkanJoin *self, const AditDeviceRun *runs, guint n)
{
    guint before = self->rows_a_group;

    adit_vulkan_queue_drain(self->device->queue);
    if (adit_vulkan_join_set_rows(self, self->fastest, NULL) &&
        adit_vulkan_join_try(self, runs, n)) {
        drop_recordings(self);
        return;
    }
    g_debug("%u rows a workgroup compute otherwise: it stays at %u", self->fastest, before);
    adit_vulkan_join_set_rows(self, before, NULL);
    self->fastest = before;
}

AditVulkanRecording *
adit_vulkan_join_find(AditVulkanDevice *device, const AditDeviceRun *runs, guint n)
{
    AditExecutable *gradient = runs[0].executable;
    const AditVulkanJoin *self = gradient->join;

    if (device->error != NULL || self == NULL || self->walk == NULL || !is_fastest(self) ||
        !is_same(self, runs, n))
        return NULL;
    return adit_vulkan_executable_find(gradient, self->recordings, &runs[0].call);
}

gboolean
adit_vulkan_join_run(AditVulkanDevice *device, const AditDeviceRun *runs, guint n)
{
    AditExecutable *gradient = runs[0].executable;

    if (device->error != NULL || gradient->program->feeds->len == 0)
        return FALSE;
    if (gradient->join == NULL)
        gradient->join = join_new(device, runs, n);
    AditVulkanJoin *self = gradient->join;
    if (self->walk == NULL || !is_same(self, runs, n))
        return FALSE;
    AditVulkanRecording *recording = find_recording(self, runs, n);
    if (recording == NULL)
        return FALSE;
    if (adit_vulkan_executable_begin(gradient, recording, runs, n)) {
        tune(self, &runs[0].call);
        adit_vulkan_executable_submit(gradient, recording, &runs[0].call);
    }
    if (self->is_tuned && !is_fastest(self))
        take_fastest(self, runs, n);
    return TRUE;
}
