/* core/tool/adit-verb-run.c - SPDX-License-Identifier: MIT */
#include "adit-tool.h"

static gboolean
run(AditInvocation *self, GError **error)
{
    g_auto(AditSession) session = {.invocation = self};

    return adit_session_begin(&session, error) &&
           (session.run == NULL || adit_session_train(&session, error));
}

const AditVerb adit_verb_run = {
    .name = "run",
    .usage = "FILE [name=value ...] [-o path=value ...] [options]",
    .summary = "train a pipeline",
    .about =
        "Checks the pipeline FILE whole, then trains it and writes a run directory: the pipeline, "
        "metrics, checkpoints and what the probes found. name=value sets one of the file's "
        "parameters.\n"
        "Ctrl-C once, SIGTERM or SIGUSR1 finishes the step, or the batch of an evaluation, writes "
        "a checkpoint and exits with 75; 'adit resume' goes on from there to the same numbers. "
        "Probes are finished first. A second signal, and one before training begins, ends it at "
        "once.",
    .options = (const char *const[]){"override", "data", "device", "strict-device", "threads",
                                     "run-dir", "runs", "resume", "limit-batches",
                                     "overfit-batches", "max-time", "dry-run", "json", "color",
                                     "progress", "quiet", "verbose", "help", NULL},
    .min_arguments = 1,
    .max_arguments = 1,
    .has_overrides = TRUE,
    .run = run,
};
