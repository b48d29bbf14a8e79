/* core/device/vulkan/adit-vulkan-walk.c - SPDX-License-Identifier: MIT */
#include "adit-vulkan-walk-private.h"

#include "adit-pointwise.h"

static void
text_init(AditVulkanWalkText *self)
{
    self->text = g_string_new(NULL);
    self->constants = g_array_new(FALSE, FALSE, sizeof(guint32));
    self->words = g_array_new(FALSE, FALSE, sizeof(guint32));
    self->keys = g_array_new(FALSE, FALSE, sizeof(guint32));
    self->key_constants = g_array_new(FALSE, FALSE, sizeof(guint));
}

static void
text_clear(AditVulkanWalkText *self)
{
    g_string_free(self->text, TRUE);
    g_array_unref(self->constants);
    g_array_unref(self->words);
    g_array_unref(self->keys);
    g_array_unref(self->key_constants);
}

static void
text_free(gpointer data)
{
    text_clear(data);
    g_free(data);
}

AditVulkanWalkText *
adit_walk_add_piece(AditVulkanWalk *self)
{
    AditVulkanWalkText *piece = g_new0(AditVulkanWalkText, 1);

    text_init(piece);
    g_ptr_array_add(self->pieces, piece);
    return piece;
}

void
adit_vulkan_walk_free(AditVulkanWalk *self)
{
    g_ptr_array_unref(self->pieces);
    g_array_unref(self->steps);
    text_clear(&self->sums);
    g_free(self);
}

static void
add_maker(AditWalkMaking *self, const AditInstruction *instruction, const AditWalkNest *nest,
          const AditWalkNest *around)
{
    AditWalkMaker *maker = g_new0(AditWalkMaker, 1);

    *maker = (AditWalkMaker){instruction, *nest, *around};
    g_ptr_array_add(self->list, maker);
    if (instruction->output.storage >= 0)
        g_hash_table_insert(self->makers, GINT_TO_POINTER(instruction->output.storage + 1), maker);
}

/* Notes who computes which value without rows. In a loop over rows these are numbers that are the
 * same in every iteration: what is not has strides, and nobody finds it. */
static void
find_makers(AditWalkMaking *self, const GPtrArray *list, const AditWalkNest *nest,
            const AditWalkNest *around)
{
    for (guint i = 0; i < list->len; i++) {
        const AditInstruction *instruction = list->pdata[i];
        gboolean is_mixed = instruction->domain == ADIT_DOMAIN_MIXED;

        if (instruction->domain == ADIT_DOMAIN_SLICES)
            continue;
        if (instruction->body != NULL) {
            AditWalkNest inner = *nest, all = *around;

            all.loops[all.n++] = instruction;
            if (!is_mixed)
                inner.loops[inner.n++] = instruction;
            find_makers(self, instruction->body, &inner, &all);
        } else {
            add_maker(self, instruction, nest, around);
        }
    }
}

static guint
count_outputs(const AditProgram *program, AditOutputKind kind)
{
    guint n = 0;

    for (guint i = 0; i < program->outputs->len; i++)
        n += g_array_index(program->outputs, AditProgramOutput, i).kind == kind;
    return n;
}

/* Behind all other words: the text does not depend on how many there are. */
static void
add_keys(gpointer data, gpointer unused)
{
    AditVulkanWalkText *piece = data;

    for (guint i = 0; i < piece->key_constants->len; i++)
        g_array_index(piece->constants, guint32, g_array_index(piece->key_constants, guint, i)) +=
            piece->words->len;
    g_array_append_vals(piece->words, piece->keys->data, piece->keys->len);
}

static gboolean
add_kernels(AditWalkMaking *self)
{
    const AditProgram *program = self->needs->program;
    const AditVulkanPlaces *places = self->needs->places;
    AditVulkanWalk *walk = self->walk;

    walk->has_sums = count_outputs(program, ADIT_OUTPUT_ARENA) > 0;
    self->begin = (count_outputs(program, ADIT_OUTPUT_SUM) * places->log_room + 63) / 64 * 64;
    if (!adit_walk_add_rows(self))
        return FALSE;
    walk->chunks_at = adit_walk_find_unit(self, self->units);
    if (walk->has_sums && !adit_walk_add_sums(self))
        return FALSE;
    if (!walk->has_sums &&
        (count_outputs(program, ADIT_OUTPUT_GUARD) > 0 || program->commits->len > 0))
        return adit_walk_fail(self, "it guards a value and has no gradient");
    if (walk->reads_states && (walk->has_sums || walk->steps->len > 1))
        return adit_walk_fail(self, "it reads states and is more than one kernel");
    walk->size = walk->chunks_at + walk->n_chunks;
    if (walk->size > G_MAXINT32)
        return adit_walk_fail(self, "what is kept has more numbers than can be counted");
    if (!adit_walk_add_terms(self))
        return FALSE;
    g_ptr_array_foreach(walk->pieces, add_keys, NULL);
    return TRUE;
}

AditVulkanWalk *
adit_vulkan_walk_new(const AditVulkanWalkNeeds *needs, char **reason)
{
    g_autoptr(AditVulkanWalk) walk = g_new0(AditVulkanWalk, 1);
    g_autoptr(GHashTable) makers = g_hash_table_new(NULL, NULL);
    g_autoptr(GArray) sums = g_array_new(FALSE, FALSE, sizeof(AditWalkSum));
    g_autoptr(GArray) joins = g_array_new(FALSE, FALSE, sizeof(AditWalkJoin));
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) terms = g_ptr_array_new();
    g_autoptr(GArray) lives = g_array_new(FALSE, FALSE, sizeof(guint32));
    AditWalkMaking making = {.needs = needs,
                             .walk = walk,
                             .makers = makers,
                             .list = list,
                             .sums = sums,
                             .joins = joins,
                             .terms = terms,
                             .lives = lives};
    AditWalkNest nest = {0};

    walk->pieces = g_ptr_array_new_with_free_func(text_free);
    walk->steps = g_array_new(FALSE, FALSE, sizeof(AditVulkanWalkStep));
    text_init(&walk->sums);
    walk->stage = 1;
    find_makers(&making, needs->program->instructions, &nest, &nest);
    if (add_kernels(&making))
        return g_steal_pointer(&walk);
    *reason = making.reason;
    return NULL;
}
