/* core/device/vulkan/adit-vulkan-walk-channels.c - SPDX-License-Identifier: MIT */
#include "adit-vulkan-walk-registers.h"

/* The operations of batch statistics in a walk's first kernel. Channels lie along the middle of
 * [lines, size, inner] of a row's numbers. */

/**
 * Channels: what an operation says of them.
 * @lines: of a row
 * @epsilon: the word that has it
 */
typedef struct {
    gsize size;
    gsize inner;
    gsize lines;
    guint epsilon;
} Channels;

static void
channels_init(Channels *self, AditWalkRows *rows, const AditInstruction *instruction)
{
    self->size = adit_walk_get_attribute(instruction, 0);
    self->inner = adit_walk_get_attribute(instruction, 1);
    self->lines = instruction->inputs[0].count / (self->size * self->inner);
    self->epsilon = adit_walk_add_word(rows->kernel, adit_walk_get_attribute(instruction, 2));
}

/* The channel of what register @k has. */
static char *
get_channel(const Channels *self, AditWalkRows *rows, gsize count, guint k)
{
    g_autofree char *e = adit_walk_rows_get_inner_element(rows, count, k);

    if (self->inner == 1 && self->lines == 1)
        return g_steal_pointer(&e);
    return g_strdup_printf("(%s / %zuu %% %zuu)", e, self->inner, self->size);
}

/* Half @half of input @number, a channel each. */
static char *
read_half(AditWalkRows *self, const AditInstruction *instruction, guint number, guint half,
          const Channels *channels, const char *channel)
{
    AditOperand part = instruction->inputs[number];

    if (part.arena == ADIT_ARENA_ROWS || part.count < (half + 1) * channels->size) {
        adit_walk_fail(self->making, "operation '%s' takes moments of other size",
                       instruction->op->name);
        return g_strdup("0.0");
    }
    part.offset += half * channels->size;
    part.count = channels->size;
    return adit_walk_rows_read_outside(self, &part, channel);
}

/* ---- maps ---- */

static char *
map_normalize(AditWalkRows *self, const AditInstruction *instruction, const Channels *channels,
              const char *channel, const char *x)
{
    g_autofree char *mean = read_half(self, instruction, 1, 0, channels, channel);
    g_autofree char *variance = read_half(self, instruction, 1, 1, channels, channel);
    g_autofree char *scale = read_half(self, instruction, 2, 0, channels, channel);
    g_autofree char *shift = read_half(self, instruction, 3, 0, channels, channel);

    return g_strdup_printf("(%s - %s) * (%s * walk_invert_deviation(%s, NUMBER(%uu))) + %s", x,
                           mean, scale, variance, channels->epsilon, shift);
}

static char *
map_normalize_gradient(AditWalkRows *self, const AditInstruction *instruction,
                       const Channels *channels, const char *channel, const char *dy)
{
    g_autofree char *variance = read_half(self, instruction, 1, 1, channels, channel);
    g_autofree char *scale = read_half(self, instruction, 2, 0, channels, channel);

    return g_strdup_printf("%s * (%s * walk_invert_deviation(%s, NUMBER(%uu)))", dy, scale,
                           variance, channels->epsilon);
}

static char *
map_moments_gradient(AditWalkRows *self, const AditInstruction *instruction,
                     const Channels *channels, const char *channel, const char *x)
{
    g_autofree char *mean = read_half(self, instruction, 1, 0, channels, channel);
    g_autofree char *d_mean = read_half(self, instruction, 2, 0, channels, channel);
    g_autofree char *d_variance = read_half(self, instruction, 2, 1, channels, channel);
    g_autofree char *n =
        g_strdup_printf("float(push.batch * %zuu)", channels->lines * channels->inner);

    return g_strdup_printf("(%s - %s) * (2.0 * %s / %s) + %s / %s", x, mean, d_variance, n, d_mean,
                           n);
}

typedef char *(*Map)(AditWalkRows *self, const AditInstruction *instruction,
                     const Channels *channels, const char *channel, const char *x);

static const struct {
    const char *name;
    Map map;
} maps[] = {
    {"normalize", map_normalize},
    {"normalize-gradient", map_normalize_gradient},
    {"moments-gradient", map_moments_gradient},
};

static Map
find_map(const AditInstruction *instruction)
{
    for (guint i = 0; i < G_N_ELEMENTS(maps); i++) {
        if (g_str_equal(maps[i].name, instruction->op->name))
            return maps[i].map;
    }
    return NULL;
}

gboolean
adit_walk_rows_is_map(const AditInstruction *instruction)
{
    return find_map(instruction) != NULL;
}

gboolean
adit_walk_rows_add_map(AditWalkRows *self, const AditInstruction *instruction)
{
    const AditOperand *output = &instruction->output;
    Map map = find_map(instruction);
    AditWalkValue x;
    Channels channels;

    if (instruction->inputs[0].arena != ADIT_ARENA_ROWS || instruction->inputs[0].linear ||
        !adit_walk_rows_find_value(self, &instruction->inputs[0], &x))
        return adit_walk_fail(self->making, "operation '%s' is of a value without rows",
                              instruction->op->name);
    channels_init(&channels, self, instruction);
    AditWalkValue value = adit_walk_rows_new_value(self, output->count);
    for (guint k = 0; k < adit_walk_rows_count_registers(self, output->count); k++) {
        g_autofree char *channel = get_channel(&channels, self, output->count, k);
        g_autofree char *number = g_strdup_printf("v%u_%u", x.number, k);
        g_autofree char *text = map(self, instruction, &channels, channel, number);

        adit_walk_rows_line(self, "precise float v%u_%u = %s;", value.number, k, text);
    }
    adit_walk_rows_set_value(self, output, value);
    return TRUE;
}

/* ---- cuts ---- */

gboolean
adit_walk_is_cut(const AditInstruction *instruction)
{
    return instruction->kind == ADIT_INSTRUCTION_OP && instruction->partial > 0 &&
           (g_str_equal(instruction->op->name, "moments") ||
            g_str_equal(instruction->op->name, "normalize-sums"));
}

static const AditInstruction *
find_combine(const AditWalkMaking *self, const AditInstruction *instruction)
{
    for (guint i = 0; i < self->list->len; i++) {
        const AditInstruction *combine =
            ((const AditWalkMaker *) self->list->pdata[i])->instruction;

        if (combine->kind == ADIT_INSTRUCTION_COMBINE &&
            combine->inputs[0].storage == instruction->output.storage)
            return combine;
    }
    return NULL;
}

/* Units that have room for @n numbers. */
static gsize
take_units(AditWalkMaking *self, gsize n)
{
    gsize at = adit_walk_find_unit(self, self->units);

    self->units += (n + self->needs->places->room - 1) / self->needs->places->room;
    return at;
}

/* What is joined is kept for all iterations of the loops around. */
static void
place_joined(AditWalkRows *self, AditWalkJoin *join)
{
    const AditOperand *output = &join->combine->output;
    gsize size =
        g_array_index(self->making->needs->program->storages, AditStorage, output->storage).size;

    adit_walk_place_init(&join->place, output);
    for (guint i = join->nest.n; i-- > 0;) {
        guint level = join->nest.loops[i]->level;

        if (join->place.loops[level].stride > 0)
            continue;
        join->place.loops[level].stride = (gint64) size;
        size *= join->nest.loops[i]->n;
    }
    join->place.base += (gint64) take_units(self->making, size);
}

static const AditWalkJoin *
get_join(AditWalkRows *self, const AditInstruction *instruction)
{
    GArray *joins = self->making->joins;
    AditWalkJoin join = {.instruction = instruction,
                         .combine = find_combine(self->making, instruction),
                         .nest = self->nest,
                         .size = adit_walk_get_attribute(instruction, 0)};

    for (guint i = 0; i < joins->len; i++) {
        if (g_array_index(joins, AditWalkJoin, i).instruction == instruction)
            return &g_array_index(joins, AditWalkJoin, i);
    }
    if (join.combine == NULL || join.combine->output.storage < 0 ||
        join.combine->level != instruction->level) {
        adit_walk_fail(self->making, "operation '%s' is joined behind its loop",
                       instruction->op->name);
        return NULL;
    }
    /* a group has one row at least */
    join.half = 2 * join.size * self->making->needs->places->room;
    join.parts_at = take_units(self->making, 2 * join.half);
    place_joined(self, &join);
    g_array_append_val(joins, join);
    return &g_array_index(joins, AditWalkJoin, joins->len - 1);
}

/* Where dispatch number push.slice + @later has the groups' numbers. */
static char *
get_parts(AditWalkRows *self, const AditWalkJoin *join, guint later)
{
    g_autofree char *at = adit_walk_add_constant(self->kernel, join->parts_at);
    g_autofree char *half = adit_walk_add_constant(self->kernel, join->half);

    return g_strdup_printf("%s + %s * ((push.slice + %uu) %% 2u)", at, half, later);
}

gboolean
adit_walk_rows_add_cut(AditWalkRows *self, const AditInstruction *instruction)
{
    g_auto(AditWalkSources) sources = {0};
    gboolean is_sums = instruction->n_inputs > 1;
    const AditWalkJoin *join = get_join(self, instruction);
    Channels channels;

    if (join == NULL || !adit_walk_rows_find_sources(self, instruction, 3, &sources))
        return FALSE;
    if (!sources.of[0].staged || (is_sums && !sources.of[1].staged))
        return adit_walk_fail(self->making, "operation '%s' is of a value without rows",
                              instruction->op->name);
    channels_init(&channels, self, instruction);
    g_autofree char *to = get_parts(self, join, 0);
    adit_walk_rows_line(self,
                        "for (uint task = gl_LocalInvocationID.x; task < ROWS / GROUP * "
                        "%zuu; task += SIZE) {",
                        join->size);
    self->depth++;
    adit_walk_rows_line(self, "uint channel = task %% %zuu;", join->size);
    if (is_sums) {
        g_autofree char *mean = read_half(self, instruction, 2, 0, &channels, "channel");
        g_autofree char *variance = read_half(self, instruction, 2, 1, &channels, "channel");

        adit_walk_rows_line(self, "float mean = %s, variance = %s;", mean, variance);
        adit_walk_rows_line(self,
                            "walk_part_sums(task, %zuu, %zuu, %zuu, %zuu, %zuu, mean, "
                            "walk_invert_deviation(variance, NUMBER(%uu)), %s);",
                            sources.of[0].at, sources.of[1].at, channels.lines, channels.size,
                            channels.inner, channels.epsilon, to);
    } else {
        adit_walk_rows_line(self, "walk_part_moments(task, %zuu, %zuu, %zuu, %zuu, %s);",
                            sources.of[0].at, channels.lines, channels.size, channels.inner, to);
    }
    self->depth--;
    adit_walk_rows_line(self, "}");
    return TRUE;
}

gboolean
adit_walk_rows_add_join(AditWalkRows *self, const AditInstruction *instruction)
{
    const AditWalkJoin *join = get_join(self, instruction);

    if (join == NULL)
        return FALSE;
    g_autofree char *from = get_parts(self, join, 1);
    g_autofree char *kept = adit_walk_add_address(self->kernel, &join->place, 1, 0);
    gboolean is_sums = instruction->n_inputs > 1;
    gsize a_row = instruction->inputs[0].count / join->size;

    if (is_sums)
        adit_walk_rows_line(self, "walk_join_sums(%s, %zuu, %zuu, %s);", from, join->size,
                            self->joined, kept);
    else
        adit_walk_rows_line(self, "walk_join_moments(%s, %zuu, %zuu, %zuu, %s);", from, join->size,
                            a_row, self->joined, kept);
    const AditWalkFresh fresh = {join->place, 2 * join->size, self->joined};
    g_array_append_val(self->fresh, fresh);
    self->joined += fresh.count;
    self->making->walk->joined = MAX(self->making->walk->joined, self->joined);
    return TRUE;
}
