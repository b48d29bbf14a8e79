/* core/tool/adit-verb-resume.c - SPDX-License-Identifier: MIT */
#include "adit-tool.h"

static gboolean
run(AditInvocation *self, GError **error)
{
    g_auto(AditSession) session = {.invocation = self};

    return adit_session_take_up(&session, self->arguments->pdata[0], NULL, error) &&
           (session.run == NULL || adit_session_train(&session, error));
}

const AditVerb adit_verb_resume = {
    .name = "resume",
    .usage = "RUN [options]",
    .summary = "go on with a run that was stopped",
    .about =
        "Takes up the run directory RUN from its newest checkpoint that is whole and trains to "
        "the end, to the same numbers as if it had never stopped. It needs no file: the run "
        "keeps its pipeline. Checkpoints that were passed over are named with the reason.",
    .options = (const char *const[]){"data", "device", "strict-device", "threads", "max-time",
                                     "json", "color", "progress", "quiet", "verbose", "help", NULL},
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run,
};
