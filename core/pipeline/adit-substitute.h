/* core/pipeline/adit-substitute.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-node.h"

G_BEGIN_DECLS

/* values that one file may unfold to, all substitutions together */
#define ADIT_MAX_WORK (2 * 1000 * 1000)

typedef struct _AditScope AditScope;

/**
 * AditPass: a place that a value passed through, the last one first.
 */
typedef struct _AditPass AditPass;
struct _AditPass {
    const AditPass *next;
    AditPlace place;
    char *text;
};

/**
 * AditValue: a node with the names it may use. Substitution is lazy: a node is resolved where its
 * value is needed.
 * @node: NULL: wrong, and reported already
 * @opaque: it depends on a parameter that is not known here, because a part is looked at by itself;
 * @node is its text
 */
typedef struct {
    AditNode *node;
    AditScope *scope;
    const AditPass *pass;
    gboolean opaque;
} AditValue;

typedef enum {
    ADIT_SCOPE_VALUE,
    ADIT_SCOPE_MISSING, /* a parameter of the file without default, not given */
    ADIT_SCOPE_OPAQUE,
} AditScopeState;

/**
 * AditScope: one name and what it stands for; the names above it are its parents.
 * @used: it was looked up
 */
struct _AditScope {
    AditScope *parent;
    const char *name;
    AditScopeState state;
    AditValue value;
    gboolean used;
};

/**
 * AditSubstitution: what substitution needs and owns: everything it makes lives as long as it.
 */
typedef struct {
    AditDiagnostics *diagnostics;
    const char *data_folder;
    GPtrArray *nodes;
    GPtrArray *scopes;
    GPtrArray *passes;
    guint64 work;
    gboolean exhausted; /* too much work was reported */
    guint depth;
} AditSubstitution;

void adit_substitution_init(AditSubstitution *self, AditDiagnostics *diagnostics,
                            const char *data_folder);
void adit_substitution_clear(AditSubstitution *self);

AditScope *adit_scope_new(AditSubstitution *self, AditScope *parent, const char *name,
                          AditScopeState state, AditValue value);
/* NULL: no such name. */
AditScope *adit_scope_find(AditSubstitution *self, AditScope *scope, const char *name);
const AditPass *adit_pass_new(AditSubstitution *self, const AditPass *next, const AditPlace *place,
                              const char *format, ...) G_GNUC_PRINTF(4, 5);
/* Keeps @node until the end; returns it. */
AditNode *adit_substitution_keep(AditSubstitution *self, AditNode *node);
/* Counts work; FALSE, with an error at @place, when the file unfolds to too much. */
gboolean adit_substitution_work(AditSubstitution *self, const AditPlace *place, guint64 amount);

/* What @value stands for: the same node, or what `$` in it leads to; not resolved inside lists and
 * mappings. */
AditValue adit_substitute(AditSubstitution *self, AditValue value);
/* A tree in which everything known is substituted; what is opaque stays as text. NULL after errors.
 */
AditNode *adit_substitute_all(AditSubstitution *self, AditValue value);

/* Parts of a list or mapping, with its scope. */
AditValue adit_value_item(AditValue value, guint index);
/* No node: there is no such key. */
AditValue adit_value_get(AditValue value, const char *key);

/* An error where the value was written, with a note for each place it passed through. */
void adit_value_error(AditSubstitution *self, AditValue value, AditError code, const char *format,
                      ...) G_GNUC_PRINTF(4, 5);

/**
 * AditQuantity: a number in an expression.
 * @wrong: an error was reported
 */
typedef struct {
    gboolean is_integer;
    gint64 integer;
    double number;
    gboolean opaque;
    gboolean wrong;
} AditQuantity;

/* Looks up a word of an expression: sets its value. */
typedef AditQuantity (*AditLookup)(const char *word, gpointer user_data);

/* The value of @text, the inside of "$(...)". @bound gets the text with known words replaced by
 * their values. On errors @message is set and the value is wrong; it is not set when @lookup was
 * wrong. */
AditQuantity adit_arithmetic(const char *text, AditLookup lookup, gpointer user_data,
                             GString *bound, char **message);
char *adit_quantity_to_string(AditQuantity quantity);

G_END_DECLS
