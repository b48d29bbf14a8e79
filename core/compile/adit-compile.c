/* core/compile/adit-compile.c - SPDX-License-Identifier: MIT */
#include "adit-compile-private.h"

static void
free_node(gpointer data)
{
    AditNode *node = data;
    g_clear_pointer(&node->needs, g_ptr_array_unref);
    if (node->instruction.body != NULL) {
        g_ptr_array_set_free_func(node->instruction.body, free_node);
        g_ptr_array_unref(node->instruction.body);
    }
    g_free(node);
}

static void
tell(const AditProgram *self)
{
    if (g_log_writer_default_would_drop(G_LOG_LEVEL_DEBUG, G_LOG_DOMAIN))
        return;
    g_autofree char *listing = adit_program_list(self);
    g_debug("program\n%s", listing);
}

static gboolean
has_guard(const AditProgram *self)
{
    for (guint i = 0; i < self->outputs->len; i++) {
        if (g_array_index(self->outputs, AditProgramOutput, i).kind == ADIT_OUTPUT_GUARD)
            return TRUE;
    }
    return FALSE;
}

/* Whether all that is committed is an arena's own rows. */
static gboolean
commits_rows(const AditProgram *self)
{
    for (guint i = 0; i < self->commits->len; i++) {
        const AditInstruction *commit = self->commits->pdata[i];

        if (!commit->output.linear)
            return FALSE;
    }
    return self->commits->len > 0;
}

/* Rows that no guard holds back, and that the last stretch computes of the same rows, can be
 * written as soon as it has them. Both lists are scheduled. */
static void
commit_at_once(AditProgram *self)
{
    const AditInstruction *last =
        self->instructions->len > 0 ? self->instructions->pdata[self->instructions->len - 1] : NULL;

    if (last == NULL || last->domain != ADIT_DOMAIN_SLICES || has_guard(self) ||
        !commits_rows(self))
        return;
    while (self->commits->len > 0) {
        AditNode *commit = g_ptr_array_steal_index(self->commits, 0);

        commit->instruction.phase = last->phase;
        g_ptr_array_add(self->instructions, commit);
    }
}

AditProgram *
adit_compile(AditGraph *graph, const AditLayout *layout, const AditProgramInput *inputs,
             guint n_inputs, const AditProgramOutput *outputs, guint n_outputs,
             AditCompileFlags flags)
{
    g_return_val_if_fail(adit_graph_get_error(graph) == NULL, NULL);

    AditProgram *self = g_new0(AditProgram, 1);
    self->graph = adit_graph_ref(graph);
    self->instructions = g_ptr_array_new_with_free_func(free_node);
    self->commits = g_ptr_array_new_with_free_func(free_node);
    self->feeds = g_ptr_array_new();
    self->outputs = g_array_new(FALSE, FALSE, sizeof(AditProgramOutput));
    self->storages = g_array_new(FALSE, FALSE, sizeof(AditStorage));
    self->constants = g_array_new(FALSE, FALSE, sizeof(double));
    self->lives = g_ptr_array_new();
    self->laid = g_ptr_array_new_with_free_func(g_free);
    g_array_append_vals(self->outputs, outputs, n_outputs);

    g_autoptr(GHashTable) live = adit_simplify(outputs, n_outputs);
    AditChannelsLast images;
    adit_channels_last_init(&images);
    if (flags & ADIT_COMPILE_CHANNELS_LAST)
        adit_channels_last_find(&images, self, live);
    adit_lower(self, layout, inputs, n_inputs, live, &images, flags);
    adit_channels_last_clear(&images);
    adit_schedule(self->instructions);
    adit_schedule(self->commits);
    if (flags & ADIT_COMPILE_AT_ONCE)
        commit_at_once(self);
    adit_plan_memory(self);
    tell(self);
    return self;
}

void
adit_program_free(AditProgram *self)
{
    adit_graph_unref(self->graph);
    g_ptr_array_unref(self->instructions);
    g_ptr_array_unref(self->commits);
    g_ptr_array_unref(self->feeds);
    g_array_unref(self->outputs);
    g_array_unref(self->storages);
    g_array_unref(self->constants);
    g_ptr_array_unref(self->lives);
    g_ptr_array_unref(self->laid);
    g_free(self);
}

static guint64
count_calls(const GPtrArray *instructions)
{
    guint64 count = 0;
    for (guint i = 0; i < instructions->len; i++) {
        const AditInstruction *instruction = instructions->pdata[i];
        count += instruction->body != NULL ? instruction->n * count_calls(instruction->body) : 1;
    }
    return count;
}

guint64
adit_program_count_calls(const AditProgram *self)
{
    return count_calls(self->instructions) + count_calls(self->commits);
}

static void
count_reader(GArray *readers, const AditOperand *operand)
{
    if (operand->storage >= 0)
        g_array_index(readers, guint, operand->storage)++;
}

static void
count_readers(GArray *readers, const GPtrArray *instructions)
{
    for (guint i = 0; i < instructions->len; i++) {
        const AditInstruction *instruction = instructions->pdata[i];
        for (guint j = 0; j < instruction->n_inputs; j++)
            count_reader(readers, &instruction->inputs[j]);
        if (instruction->body != NULL)
            count_readers(readers, instruction->body);
    }
}

GArray *
adit_program_count_readers(const AditProgram *self)
{
    GArray *readers = g_array_sized_new(FALSE, TRUE, sizeof(guint), self->storages->len);
    g_array_set_size(readers, self->storages->len);
    count_readers(readers, self->instructions);
    count_readers(readers, self->commits);
    for (guint i = 0; i < self->outputs->len; i++)
        count_reader(readers, &g_array_index(self->outputs, AditProgramOutput, i).operand);
    return readers;
}
