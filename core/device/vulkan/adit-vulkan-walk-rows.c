/* core/device/vulkan/adit-vulkan-walk-rows.c - SPDX-License-Identifier: MIT */
#include "adit-vulkan-walk-registers.h"

#define MAX_LANES 64
/* Numbers a row in shared memory, whose two halves are to fit with one row a workgroup, and of what
 * is joined. */
#define MAX_STAGE 1024

/* A carry: its register, and what the iteration leaves for the next. */
typedef struct {
    AditWalkValue value;
    AditWalkPlace left;
} Carry;

static gboolean add_list(AditWalkRows *self, const GPtrArray *list);

/* ---- what the second kernel reads ---- */

/* A place of its own for every iteration. */
static AditWalkKept
make_room(AditWalkMaking *self, const AditWalkNest *nest, gsize count)
{
    AditWalkKept kept = {adit_walk_find_unit(self, self->units), count * self->needs->places->room,
                         count};

    self->units += count * adit_walk_nest_count(nest);
    return kept;
}

/* Writes a value to such a place, once, whoever asks. @known: (nullable): where another piece that
 * does the same writes it */
static AditWalkKept
shelve(AditWalkRows *self, const AditWalkValue *value, const AditWalkKept *known)
{
    const AditInstruction *loop = adit_walk_rows_get_innermost(self);
    AditWalkPlace place = {.storage = -1};
    gsize stride = value->count;

    for (guint i = 0; i < self->shelves->len; i++) {
        const AditWalkShelf *shelf = &g_array_index(self->shelves, AditWalkShelf, i);

        if (shelf->number == value->number && shelf->loop == loop && shelf->part == self->part &&
            (known == NULL || shelf->kept.at == known->at))
            return shelf->kept;
    }
    AditWalkShelf shelf = {value->number, self->part, loop,
                           known != NULL ? *known
                                         : make_room(self->making, &self->nest, value->count)};
    for (guint i = self->nest.n; i-- > 0; stride *= self->nest.loops[i]->n)
        place.loops[self->nest.loops[i]->level].stride = (gint64) stride;
    g_autofree char *first = adit_walk_add_address(
        self->kernel, &place, self->making->needs->places->room, shelf.kept.at);
    g_autofree char *address = g_strdup_printf("%s + walk_row * %zuu", first, value->count);
    adit_walk_rows_add_store(self, value, address);
    g_array_append_val(self->shelves, shelf);
    return shelf.kept;
}

/* Where the operand lies in a storage that is kept anyway, and that has a place for every
 * iteration. */
static gboolean
find_in_storage(const AditWalkRows *self, const AditOperand *operand, AditWalkKept *kept)
{
    gsize room = self->making->needs->places->room;

    if (self->nest.n == 0 ||
        !g_hash_table_contains(self->kept, adit_walk_rows_as_key(operand->storage)) ||
        !adit_walk_nest_is_dense(&self->nest, operand, operand->count))
        return FALSE;
    AditWalkPlace place;

    adit_walk_place_init(&place, operand);
    *kept = (AditWalkKept){adit_walk_rows_find_storage(self, operand->storage) +
                               (gsize) place.base * room,
                           operand->count * room, operand->count};
    return TRUE;
}

static const AditWalkSum *
find_sum(const AditWalkMaking *self, const AditInstruction *instruction)
{
    for (guint i = 0; i < self->sums->len; i++) {
        if (g_array_index(self->sums, AditWalkSum, i).instruction == instruction)
            return &g_array_index(self->sums, AditWalkSum, i);
    }
    return NULL;
}

/* An operation over rows: its inputs are kept. */
static gboolean
add_sum(AditWalkRows *self, const AditInstruction *instruction)
{
    const char *name = instruction->op->name;
    const AditWalkSum *known = find_sum(self->making, instruction);
    AditWalkSum sum = {.instruction = instruction, .nest = self->nest};

    if (!g_str_equal(name, "matmul-rows") && !g_str_equal(name, "rows-sum") &&
        !g_str_equal(name, "rows-mean"))
        return adit_walk_fail(self->making, "operation '%s' is over rows", name);
    for (guint i = 0; i < instruction->n_inputs; i++) {
        const AditOperand *input = &instruction->inputs[i];
        AditWalkValue value;

        if (input->arena != ADIT_ARENA_ROWS || input->linear)
            return adit_walk_fail(self->making, "operation '%s' sums values without rows", name);
        if (instruction->n_inputs == 2 && input->shape.rank != 1)
            return adit_walk_fail(self->making, "operation '%s' sums several lines a row", name);
        if (find_in_storage(self, input, &sum.inputs[i]))
            continue;
        if (!adit_walk_rows_find_value(self, input, &value))
            return FALSE;
        sum.inputs[i] = shelve(self, &value, known != NULL ? &known->inputs[i] : NULL);
    }
    if (known == NULL)
        g_array_append_val(self->making->sums, sum);
    return TRUE;
}

/* ---- loops ---- */

static gboolean
reads_place(const GPtrArray *list, const AditWalkPlace *place)
{
    for (guint i = 0; i < list->len; i++) {
        const AditInstruction *instruction = list->pdata[i];

        if (instruction->body != NULL && reads_place(instruction->body, place))
            return TRUE;
        for (guint j = 0; j < instruction->n_inputs && instruction->body == NULL; j++) {
            AditWalkPlace input;

            adit_walk_place_init(&input, &instruction->inputs[j]);
            if (instruction->inputs[j].arena == ADIT_ARENA_ROWS &&
                adit_walk_place_equal(&input, place))
                return TRUE;
        }
    }
    return FALSE;
}

static void
forget_written(AditWalkRows *self, const GPtrArray *list)
{
    for (guint i = 0; i < list->len; i++) {
        const AditInstruction *instruction = list->pdata[i];

        if (instruction->body != NULL)
            forget_written(self, instruction->body);
        else if (instruction->output.arena == ADIT_ARENA_ROWS)
            adit_walk_rows_forget_storage(self, instruction->output.storage);
    }
}

/* Puts carries into registers before their loop begins. */
static gboolean
find_carries(AditWalkRows *self, const AditInstruction *loop, GArray *carries, GArray *inside)
{
    guint first = loop->reverse ? loop->n - 1 : 0;

    for (guint i = 0; i < loop->body->len; i++) {
        const AditInstruction *instruction = loop->body->pdata[i];
        AditWalkPlace before, start;
        Carry carry;

        if (instruction->body != NULL || instruction->partial > 0 ||
            instruction->output.arena != ADIT_ARENA_ROWS)
            continue;
        /* what is no carry is read by the iteration that wrote it */
        adit_walk_place_init(&carry.left, &instruction->output);
        before = carry.left;
        adit_walk_place_step_back(&before, loop->level, loop->reverse);
        if (carry.left.loops[loop->level].stride == 0 || !reads_place(loop->body, &before))
            continue;
        if (!adit_walk_rows_check_count(self, &instruction->output))
            return FALSE;
        start = before;
        adit_walk_place_fix(&start, loop->level, first);
        AditWalkValue value = adit_walk_rows_get_value(self, &start, instruction->output.count);
        carry.value = adit_walk_rows_new_value(self, value.count);
        for (guint k = 0; k < adit_walk_rows_count_registers(self, value.count); k++)
            adit_walk_rows_line(self, "float v%u_%u = v%u_%u;", carry.value.number, k, value.number,
                                k);
        g_array_append_val(carries, carry);
        AditWalkKnown known = {before, carry.value};
        g_array_append_val(inside, known);
    }
    return TRUE;
}

/* What the iteration leaves becomes what the next one is given. */
static gboolean
hand_on(AditWalkRows *self, const GArray *carries)
{
    for (guint i = 0; i < carries->len; i++) {
        const Carry *carry = &g_array_index(carries, Carry, i);
        AditWalkValue value = adit_walk_rows_get_value(self, &carry->left, carry->value.count);

        for (guint k = 0; k < adit_walk_rows_count_registers(self, value.count); k++)
            adit_walk_rows_line(self, "v%u_%u = v%u_%u;", carry->value.number, k, value.number, k);
    }
    return TRUE;
}

static gboolean
add_body(AditWalkRows *self, const AditInstruction *loop, const GArray *carries)
{
    guint word = adit_walk_add_word(self->kernel, loop->n);
    guint level = loop->level;
    gsize around = self->loop_at;

    self->loop_at = self->text->len;
    if (loop->reverse)
        adit_walk_rows_line(self, "for (uint i%u = WORD(%uu); i%u-- > 0u;) {", level, word, level);
    else
        adit_walk_rows_line(self, "for (uint i%u = 0u; i%u < WORD(%uu); i%u++) {", level, level,
                            word, level);
    self->depth++;
    self->nest.loops[self->nest.n++] = loop;
    gboolean added = add_list(self, loop->body) && hand_on(self, carries);
    self->nest.n--;
    self->depth--;
    adit_walk_rows_line(self, "}");
    self->loop_at = around;
    return added;
}

static gboolean
add_loop(AditWalkRows *self, const AditInstruction *loop)
{
    g_autoptr(GArray) carries = g_array_new(FALSE, FALSE, sizeof(Carry));
    g_autoptr(GArray) inside = g_array_new(FALSE, FALSE, sizeof(AditWalkKnown));
    guint last = loop->reverse ? 0 : loop->n - 1;

    if (!find_carries(self, loop, carries, inside))
        return FALSE;
    /* what the loop writes is another value in each iteration */
    forget_written(self, loop->body);
    guint n_known = self->known->len;
    g_array_append_vals(self->known, inside->data, inside->len);
    g_autoptr(GArray) around = g_array_copy(self->known);
    if (!add_body(self, loop, carries))
        return FALSE;
    g_array_set_size(self->known, 0);
    g_array_append_vals(self->known, around->data, n_known);
    adit_walk_scope_forget(&self->scope);
    for (guint i = 0; i < carries->len; i++) {
        Carry *carry = &g_array_index(carries, Carry, i);

        adit_walk_place_fix(&carry->left, loop->level, last);
        adit_walk_rows_add_known(self, &carry->left, carry->value);
    }
    return TRUE;
}

/* ---- the list ---- */

static gboolean
add_instruction(AditWalkRows *self, const AditInstruction *instruction)
{
    switch (instruction->kind) {
    case ADIT_INSTRUCTION_OP:
        if (adit_walk_is_cut(instruction))
            return adit_walk_rows_add_cut(self, instruction);
        return instruction->partial > 0 ? add_sum(self, instruction)
                                        : adit_walk_rows_add_operation(self, instruction);
    case ADIT_INSTRUCTION_COPY:
        return adit_walk_rows_add_copy(self, instruction);
    case ADIT_INSTRUCTION_GATHER:
        return adit_walk_rows_add_gather(self, instruction);
    case ADIT_INSTRUCTION_LOOP:
        return add_loop(self, instruction);
    case ADIT_INSTRUCTION_COMBINE:
    default:
        return adit_walk_fail(self->making, "slices join partial results");
    }
}

static gboolean
add_list(AditWalkRows *self, const GPtrArray *list)
{
    for (guint i = 0; i < list->len; i++) {
        const AditInstruction *instruction = list->pdata[i];

        if (instruction->domain != ADIT_DOMAIN_WHOLE && !add_instruction(self, instruction))
            return FALSE;
    }
    return TRUE;
}

/* ---- loops that are written out ---- */

static void
enter_loop(AditWalkRows *self, const AditInstruction *loop)
{
    if (loop->reverse)
        adit_walk_rows_line(self, "i%u = WORD(%uu);", loop->level,
                            adit_walk_add_word(self->kernel, loop->n - 1));
    else
        adit_walk_rows_line(self, "i%u = 0u;", loop->level);
    self->part++;
    self->nest.loops[self->nest.n++] = loop;
    self->n_out++;
    self->entered |= 1u << loop->level;
}

/* Places of the iteration before are called otherwise in this one, and behind the loop. */
static void
rename_place(AditWalkPlace *place, const AditInstruction *loop, gboolean is_left)
{
    if (place->loops[loop->level].stride == 0)
        return;
    if (is_left)
        adit_walk_place_fix(place, loop->level, loop->reverse ? 0 : loop->n - 1);
    else
        adit_walk_place_step_back(place, loop->level, loop->reverse);
}

static void
rename_places(AditWalkRows *self, const AditInstruction *loop, gboolean is_left)
{
    self->part++;
    self->entered &= ~(1u << loop->level);
    for (guint i = 0; i < self->known->len; i++)
        rename_place(&g_array_index(self->known, AditWalkKnown, i).place, loop, is_left);
    for (guint i = 0; i < self->fresh->len; i++)
        rename_place(&g_array_index(self->fresh, AditWalkFresh, i).place, loop, is_left);
}

static void
go_on(AditWalkRows *self, const AditInstruction *loop)
{
    adit_walk_rows_line(self, loop->reverse ? "i%u--;" : "i%u++;", loop->level);
    rename_places(self, loop, FALSE);
}

static void
leave_loop(AditWalkRows *self, const AditInstruction *loop)
{
    rename_places(self, loop, TRUE);
    self->n_out--;
    self->nest.n--;
}

static gboolean
add_event(AditWalkRows *self, const AditWalkEvent *event)
{
    switch ((AditWalkEventKind) event->kind) {
    case ADIT_WALK_ENTER:
        enter_loop(self, event->instruction);
        return TRUE;
    case ADIT_WALK_NEXT:
        go_on(self, event->instruction);
        return TRUE;
    case ADIT_WALK_LEAVE:
        leave_loop(self, event->instruction);
        return TRUE;
    case ADIT_WALK_JOIN:
        return adit_walk_rows_add_join(self, event->instruction);
    case ADIT_WALK_DO:
    default:
        return add_instruction(self, event->instruction);
    }
}

/* ---- figures ---- */

/* The numbers that are summed over all rows go to the log. */
static gboolean
add_figures(AditWalkRows *self)
{
    const AditProgram *program = self->making->needs->program;
    gsize n = 0;

    for (guint i = 0; i < program->outputs->len; i++) {
        const AditProgramOutput *output = &g_array_index(program->outputs, AditProgramOutput, i);
        AditWalkValue value;

        if (output->kind == ADIT_OUTPUT_READ || output->kind == ADIT_OUTPUT_HANDED)
            return adit_walk_fail(self->making, "a value is read by the host");
        if (output->kind != ADIT_OUTPUT_SUM)
            continue;
        if (output->operand.arena != ADIT_ARENA_ROWS || output->operand.count != 1)
            return adit_walk_fail(self->making, "a figure is no number of a row");
        if (!adit_walk_rows_find_value(self, &output->operand, &value))
            return FALSE;
        adit_walk_rows_line(self, "if (walk_is_row && walk_lane == 0u)");
        adit_walk_rows_line(self, "    KEPT[%zuu + ADIT_CALL(BLOCK_LOG) + walk_row] = v%u_0;",
                            n * self->making->needs->places->log_room, value.number);
        n++;
    }
    return TRUE;
}

/* ---- both times ---- */

/* The text of a piece. */
static gboolean
add_piece(AditWalkRows *self, const AditWalkCourse *course, const AditWalkStretch *stretch)
{
    AditWalkMaking *making = self->making;
    gboolean added = TRUE;

    self->kernel = adit_walk_add_piece(making->walk);
    self->text = g_string_new(NULL);
    self->depth = 1;
    self->nest = stretch->nest;
    self->n_out = stretch->nest.n;
    self->entered = 0;
    self->joined = 0;
    self->part++;
    g_array_set_size(self->known, 0);
    g_array_set_size(self->fresh, 0);
    adit_walk_scope_init(&self->scope, making, self->kernel, self->text, 1, 1);
    for (guint i = stretch->begin; i < stretch->end && added; i++)
        added = add_event(self, &g_array_index(course->events, AditWalkEvent, i));
    if (stretch->end == course->events->len)
        added = added && add_figures(self);
    adit_walk_scope_clear(&self->scope);
    g_string_append_printf(self->kernel->text, "void\nwalk()\n{\n%s}\n", self->text->str);
    g_string_free(self->text, TRUE);
    return added && making->reason == NULL;
}

static gboolean
add_text(AditWalkRows *self, const AditWalkCourse *course)
{
    AditWalkMaking *making = self->making;
    gboolean added = TRUE;

    self->known = g_array_new(FALSE, FALSE, sizeof(AditWalkKnown));
    self->shelves = g_array_new(FALSE, FALSE, sizeof(AditWalkShelf));
    self->counts = g_hash_table_new(NULL, NULL);
    self->fresh = g_array_new(FALSE, FALSE, sizeof(AditWalkFresh));
    g_ptr_array_set_size(making->walk->pieces, 0);
    g_array_set_size(making->walk->steps, 0);
    g_array_set_size(making->sums, 0);
    g_array_set_size(making->joins, 0);
    for (guint i = 0; i < course->stretches->len && added; i++) {
        const AditWalkStretch *stretch = &g_array_index(course->stretches, AditWalkStretch, i);

        g_array_append_val(making->walk->steps, stretch->step);
        added = !stretch->is_new || add_piece(self, course, stretch);
    }
    g_array_unref(self->fresh);
    g_hash_table_unref(self->counts);
    g_array_unref(self->shelves);
    g_array_unref(self->known);
    return added;
}

/* Every storage that was read has memory of its own, before what is shelved. */
static void
keep_storages(AditWalkRows *self)
{
    GHashTableIter iter;
    gpointer key;

    g_hash_table_iter_init(&iter, self->read);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        const AditStorage *storage = &g_array_index(self->making->needs->program->storages,
                                                    AditStorage, GPOINTER_TO_INT(key) - 1);

        g_hash_table_insert(self->kept, key, GSIZE_TO_POINTER(self->making->units + 1));
        self->making->units += storage->size;
    }
}

static gsize
find_widest(const GPtrArray *list)
{
    gsize widest = 1;

    for (guint i = 0; i < list->len; i++) {
        const AditInstruction *instruction = list->pdata[i];
        gsize count = instruction->body != NULL ? find_widest(instruction->body)
                      : instruction->domain == ADIT_DOMAIN_SLICES && instruction->partial == 0
                          ? instruction->output.count
                          : 1;

        widest = MAX(widest, count);
    }
    return widest;
}

/* As many as a loop's values are wide, else as the widest value. */
static guint
choose_lanes(const AditProgram *program)
{
    gsize widest = 1;
    guint n = 1;

    for (guint i = 0; i < program->instructions->len; i++) {
        const AditInstruction *instruction = program->instructions->pdata[i];

        if (instruction->kind == ADIT_INSTRUCTION_LOOP)
            widest = MAX(widest, find_widest(instruction->body));
    }
    if (widest == 1)
        widest = find_widest(program->instructions);
    while (n < widest && n < MAX_LANES)
        n *= 2;
    return n;
}

gboolean
adit_walk_add_rows(AditWalkMaking *making)
{
    g_autoptr(GHashTable) read = g_hash_table_new(NULL, NULL);
    g_autoptr(GHashTable) kept = g_hash_table_new(NULL, NULL);
    g_auto(AditWalkCourse) course = {0};
    AditWalkRows self = {.making = making, .read = read, .kept = kept};
    gsize begin = making->units;

    making->walk->lanes = choose_lanes(making->needs->program);
    adit_walk_course_init(&course, making->needs->program);
    if (!add_text(&self, &course))
        return FALSE;
    making->units = begin;
    keep_storages(&self);
    self.n_values = self.n_early = 0;
    making->n_names = 0;
    if (!add_text(&self, &course))
        return FALSE;
    if (making->walk->stage <= MAX_STAGE && making->walk->joined <= MAX_STAGE)
        return TRUE;
    return adit_walk_fail(making, "a row's values are too wide");
}
