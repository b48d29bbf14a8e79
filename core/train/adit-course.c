/* core/train/adit-course.c - SPDX-License-Identifier: MIT */
#include "adit-course.h"

#include <adit/adit-error.h>

#include "adit-json.h"

#include <math.h>

/* The members by name: one table for both directions. */

typedef struct {
    const char *name;
    gsize offset;
    gboolean is_number;   /* a double; else a guint64 */
    gboolean is_optional; /* left out if it is 0, all of whose bits are */
} Member;

#define COUNT(member)                                                                              \
    {                                                                                              \
#member, G_STRUCT_OFFSET(AditCourse, member), FALSE, FALSE                                 \
    }
#define NUMBER(member)                                                                             \
    {                                                                                              \
#member, G_STRUCT_OFFSET(AditCourse, member), TRUE, FALSE                                  \
    }
#define OPTIONAL_COUNT(member)                                                                     \
    {                                                                                              \
#member, G_STRUCT_OFFSET(AditCourse, member), FALSE, TRUE                                  \
    }
#define OPTIONAL(member)                                                                           \
    {                                                                                              \
#member, G_STRUCT_OFFSET(AditCourse, member), TRUE, TRUE                                   \
    }

static const Member members[] = {
    COUNT(stage),
    COUNT(step),
    COUNT(stage_step),
    COUNT(epoch),
    COUNT(position),
    NUMBER(sums[0]),
    NUMBER(sums[1]),
    COUNT(rows),
    NUMBER(score),
    COUNT(score_epoch),
    NUMBER(best),
    COUNT(best_epoch),
    NUMBER(last),
    NUMBER(last_loss),
    NUMBER(seconds),
    OPTIONAL(sums[2]),
    OPTIONAL(sums[3]),
    OPTIONAL(sums[4]),
    OPTIONAL(sums[5]),
    OPTIONAL_COUNT(piece),
    OPTIONAL_COUNT(piece_step),
    OPTIONAL_COUNT(piece_epoch),
};

void
adit_course_begin_stage(AditCourse *self, guint64 stage)
{
    AditCourse fresh = {
        .stage = stage, .step = self->step, .seconds = self->seconds, .stage_began = self->seconds};
    fresh.score = fresh.best = fresh.last = fresh.last_loss = (double) NAN;
    *self = fresh;
}

void
adit_course_begin_piece(AditCourse *self, guint64 piece)
{
    AditCourse now = *self;

    adit_course_begin_stage(self, now.stage);
    self->stage_began = now.stage_began;
    self->stage_step = self->piece_step = now.stage_step;
    self->epoch = self->piece_epoch = self->score_epoch = now.epoch;
    self->piece = piece;
}

JsonObject *
adit_course_to_json(const AditCourse *self)
{
    JsonObject *object = json_object_new();
    for (guint i = 0; i < G_N_ELEMENTS(members); i++) {
        const char *field = (const char *) self + members[i].offset;
        if (members[i].is_optional && *(const guint64 *) field == 0)
            continue;
        if (members[i].is_number)
            adit_json_set_double(object, members[i].name, *(const double *) field);
        else
            adit_json_set_unsigned(object, members[i].name, *(const guint64 *) field);
    }
    return object;
}

gboolean
adit_course_from_json(AditCourse *self, JsonObject *object, GError **error)
{
    for (guint i = 0; i < G_N_ELEMENTS(members); i++) {
        char *field = (char *) self + members[i].offset;
        gboolean found = members[i].is_number
                             ? adit_json_get_double(object, members[i].name, (double *) field)
                             : adit_json_get_unsigned(object, members[i].name, (guint64 *) field);
        if (!found && members[i].is_optional) {
            *(guint64 *) field = 0;
        } else if (!found) {
            g_set_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED, "state.json has no number '%s'",
                        members[i].name);
            return FALSE;
        }
    }
    return TRUE;
}
