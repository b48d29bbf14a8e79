/* core/tool/adit-terminal.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-diagnostics.h"
#include "adit-run.h"

G_BEGIN_DECLS

typedef enum { ADIT_WHEN_AUTO, ADIT_WHEN_ALWAYS, ADIT_WHEN_NEVER } AditWhen;

/**
 * AditTerminal: where the command speaks: data on standard output, everything else on standard
 * error.
 * @quiet: warnings and errors alone on standard error
 * @verbose: what the library says at level info as well
 * @colour: of standard error
 * @bar: a progress line may be redrawn
 * @run: (nullable): borrowed: what is said goes into its console.log as well
 * @bar_shown: there is one on the terminal
 * @output: what was printed and not yet flushed
 * @wait: (nullable): what goes on
 * @kept: (nullable) (owned): gets what is said in place of standard error
 */
typedef struct {
    gboolean quiet;
    gboolean verbose;
    gboolean colour;
    gboolean bar;
    AditRun *run;
    gboolean bar_shown;
    GString *output;
    struct AditWait *wait;
    GString *kept;
} AditTerminal;

void adit_terminal_init(AditTerminal *self, AditWhen colour, AditWhen progress);
void adit_terminal_clear(AditTerminal *self);
/* Sends the library's messages through the console from here on. */
void adit_terminal_take_log(AditTerminal *self);
/* Those of this thread through this one. */
void adit_terminal_take_thread(AditTerminal *self);

/* Data: kept until adit_terminal_flush(). */
void adit_terminal_print(AditTerminal *self, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* Writes what was printed. A reader that went away is no error; ADIT_ERROR_OUTPUT otherwise. */
gboolean adit_terminal_flush(AditTerminal *self, GError **error);

/* One line for people on standard error. */
void adit_terminal_say(AditTerminal *self, const char *format, ...) G_GNUC_PRINTF(2, 3);
void adit_terminal_warn(AditTerminal *self, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* "adit VERB: error: ...", or the error as it is if it names its place. @verb: (nullable) */
void adit_terminal_complain(AditTerminal *self, const char *verb, const GError *error);
/* All messages, if there are any. */
void adit_terminal_show(AditTerminal *self, const AditDiagnostics *diagnostics);

/* Draws @text as the progress line, cut to the terminal's width. */
void adit_terminal_draw_bar(AditTerminal *self, const char *text);
void adit_terminal_clear_bar(AditTerminal *self);
/* What has to be written before a line that does not go through the terminal; NULL: none is to be.
 */
const char *adit_terminal_get_clearing(const AditTerminal *self);
/* Shows that @text goes on until it has ended: in place of the progress line, or, where there is
 * none, as a line if it goes on for long. Nothing else is said in between. */
void adit_terminal_begin_wait(AditTerminal *self, const char *text);
void adit_terminal_end_wait(AditTerminal *self);
/* Columns of the terminal on standard error; 80 if it does not say. */
guint adit_terminal_get_width(const AditTerminal *self);

G_END_DECLS
