/* tests/core/tool/command.h - SPDX-License-Identifier: MIT */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * Command: what one call of the built command left.
 */
typedef struct {
    int code;
    char *out;
    char *err;
} Command;

void command_clear(Command *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Command, command_clear)

/* A folder of this test program with the fixtures in it, where the command runs. */
const char *command_get_folder(void);
void command_remove_folder(void);
/* (transfer full): a path below it */
char *command_make_path(const char *name);
void command_write(const char *name, const char *text);
/* (transfer full): contents of a file below it */
char *command_read(const char *name);

/* A launcher that sets the environment; words begin behind the program's name. */
GSubprocess *command_start(const char *const *words, GSubprocessFlags flags);
/* Runs the command to its end. */
Command command_run(const char *const *words);
#define RUN(...) command_run((const char *const[]){__VA_ARGS__, NULL})

/* The same, where the exit code is expected. */
void assert_code(const Command *self, int code);
void assert_contains(const char *text, const char *part);
void assert_lacks(const char *text, const char *part);

G_END_DECLS
