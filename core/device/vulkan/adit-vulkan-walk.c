/* core/device/vulkan/adit-vulkan-walk.c - SPDX-License-Identifier: MIT */
#include "adit-vulkan-walk-private.h"

#include "adit-pointwise.h"

static void
text_init(AditVulkanWalkText *self)
{
    self->text = g_string_new(NULL);
    self->constants = g_array_new(FALSE, FALSE, sizeof(guint32));
    self->words = g_array_new(FALSE, FALSE, sizeof(guint32));
}

static void
text_clear(AditVulkanWalkText *self)
{
    g_string_free(self->text, TRUE);
    g_array_unref(self->constants);
    g_array_unref(self->words);
}

void
adit_vulkan_walk_free(AditVulkanWalk *self)
{
    text_clear(&self->rows);
    text_clear(&self->sums);
    g_free(self);
}

static void
add_maker(AditWalkMaking *self, const AditInstruction *instruction, const AditWalkNest *nest)
{
    AditWalkMaker *maker = g_new0(AditWalkMaker, 1);

    *maker = (AditWalkMaker){instruction, *nest};
    g_ptr_array_add(self->list, maker);
    if (instruction->output.storage >= 0)
        g_hash_table_insert(self->makers, GINT_TO_POINTER(instruction->output.storage + 1), maker);
}

/* Notes who computes which value without rows. In a loop over rows these are numbers that are the
 * same in every iteration: what is not has strides, and nobody finds it. */
static void
find_makers(AditWalkMaking *self, const GPtrArray *list, const AditWalkNest *nest)
{
    for (guint i = 0; i < list->len; i++) {
        const AditInstruction *instruction = list->pdata[i];
        gboolean is_mixed = instruction->domain == ADIT_DOMAIN_MIXED;

        if (instruction->domain == ADIT_DOMAIN_SLICES)
            continue;
        if (instruction->body != NULL) {
            AditWalkNest inner = *nest;

            if (!is_mixed)
                inner.loops[inner.n++] = instruction;
            find_makers(self, instruction->body, &inner);
        } else {
            add_maker(self, instruction, nest);
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
add_keys(AditWalkMaking *self)
{
    AditVulkanWalkText *rows = &self->walk->rows;

    for (guint i = 0; i < self->key_constants->len; i++)
        g_array_index(rows->constants, guint32, g_array_index(self->key_constants, guint, i)) +=
            rows->words->len;
    g_array_append_vals(rows->words, self->keys->data, self->keys->len);
}

static gboolean
add_kernels(AditWalkMaking *self)
{
    const AditProgram *program = self->needs->program;
    const AditVulkanPlaces *places = self->needs->places;
    AditVulkanWalk *walk = self->walk;

    if (program->commits->len > 0)
        return adit_walk_fail(self, "it ends with states, or with gradients that a loop adds up");
    walk->has_sums = count_outputs(program, ADIT_OUTPUT_ARENA) > 0;
    self->begin = (count_outputs(program, ADIT_OUTPUT_SUM) * places->log_room + 63) / 64 * 64;
    if (!adit_walk_add_rows(self))
        return FALSE;
    walk->chunks_at = adit_walk_find_unit(self, self->units);
    if (walk->has_sums && !adit_walk_add_sums(self))
        return FALSE;
    if (!walk->has_sums && count_outputs(program, ADIT_OUTPUT_GUARD) > 0)
        return adit_walk_fail(self, "it guards a value and has no gradient");
    walk->size = walk->chunks_at + walk->n_chunks;
    if (walk->size > G_MAXINT32)
        return adit_walk_fail(self, "what is kept has more numbers than can be counted");
    if (!adit_walk_add_terms(self))
        return FALSE;
    add_keys(self);
    return TRUE;
}

AditVulkanWalk *
adit_vulkan_walk_new(const AditVulkanWalkNeeds *needs, char **reason)
{
    g_autoptr(AditVulkanWalk) walk = g_new0(AditVulkanWalk, 1);
    g_autoptr(GHashTable) makers = g_hash_table_new(NULL, NULL);
    g_autoptr(GArray) sums = g_array_new(FALSE, FALSE, sizeof(AditWalkSum));
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) terms = g_ptr_array_new();
    g_autoptr(GArray) lives = g_array_new(FALSE, FALSE, sizeof(guint32));
    g_autoptr(GArray) keys = g_array_new(FALSE, FALSE, sizeof(guint32));
    g_autoptr(GArray) key_constants = g_array_new(FALSE, FALSE, sizeof(guint));
    AditWalkMaking making = {.needs = needs,
                             .walk = walk,
                             .makers = makers,
                             .list = list,
                             .sums = sums,
                             .terms = terms,
                             .lives = lives,
                             .keys = keys,
                             .key_constants = key_constants};
    AditWalkNest nest = {0};

    text_init(&walk->rows);
    text_init(&walk->sums);
    walk->stage = 1;
    find_makers(&making, needs->program->instructions, &nest);
    if (add_kernels(&making))
        return g_steal_pointer(&walk);
    *reason = making.reason;
    return NULL;
}
