/* core/plugin/adit-crash-guard.c - SPDX-License-Identifier: MIT */
#include "adit-crash-guard.h"

#include <adit/adit-error.h>

#include <signal.h>
#include <string.h>
#include <unistd.h>

static const int signals[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};

static char message[512];
static gsize message_length;
static struct sigaction previous[G_N_ELEMENTS(signals)];

/* Only what is safe in a signal handler: the message was made before. */
static void
report(int number)
{
    if (write(STDERR_FILENO, message, message_length) < 0)
        _exit(ADIT_ERROR_FAILED);
    _exit(ADIT_ERROR_PLUGIN);
}

void
adit_crash_guard_enter(const char *module)
{
    struct sigaction action = {.sa_handler = report};

    g_snprintf(message, sizeof message, "error: plugin %s crashed in its class_init\n", module);
    message_length = strlen(message);
    sigemptyset(&action.sa_mask);
    for (guint i = 0; i < G_N_ELEMENTS(signals); i++)
        sigaction(signals[i], &action, &previous[i]);
}

void
adit_crash_guard_leave(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(signals); i++)
        sigaction(signals[i], &previous[i], NULL);
}
