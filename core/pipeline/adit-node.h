/* core/pipeline/adit-node.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-diagnostics.h"

G_BEGIN_DECLS

/* Limits of a pipeline file, counted while it is read. */
#define ADIT_YAML_MAX_BYTES   (1024 * 1024)
#define ADIT_YAML_MAX_DEPTH   64
#define ADIT_YAML_MAX_ANCHORS 256
#define ADIT_YAML_MAX_ALIASES 1024
#define ADIT_YAML_MAX_NODES   100000
#define ADIT_YAML_MAX_SCALAR  (64 * 1024)
#define ADIT_YAML_MAX_KEY     256

typedef enum { ADIT_NODE_SCALAR, ADIT_NODE_LIST, ADIT_NODE_MAPPING } AditNodeKind;

/**
 * AditNode: one value of a file, with the place it was written at. Reference-counted; shared nodes
 * are not changed.
 * @plain: (scalars) written without quotes, so that it may be a number, a boolean or null
 * @literal: (scalars) `$` in it was substituted already
 * @live: (in resolved trees) it is the value of a live parameter
 * @text: (scalars) the text, quotes and escapes resolved
 * @origin: (scalars) (nullable): what was written where @text was computed: "$(depth / 3)"
 * @keys: (mappings) scalars, as many as @items
 * @items: values of a list or a mapping
 * @via: a place it passed through: an alias, or the value an override replaced; no source: none
 * @via_note: (nullable): what happened there; static
 */
typedef struct _AditNode AditNode;
struct _AditNode {
    int references;
    AditNodeKind kind;
    gboolean plain;
    gboolean literal;
    gboolean live;
    char *text;
    char *origin;
    GPtrArray *keys;
    GPtrArray *items;
    AditPlace place;
    AditPlace via;
    const char *via_note;
};

AditNode *adit_node_new_scalar(const char *text, gboolean plain, const AditPlace *place);
AditNode *adit_node_new_list(const AditPlace *place);
AditNode *adit_node_new_mapping(const AditPlace *place);
AditNode *adit_node_ref(AditNode *self);
void adit_node_unref(AditNode *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditNode, adit_node_unref)
/* A tree of its own. */
AditNode *adit_node_copy(const AditNode *self);
/* A node of its own over the same items. */
AditNode *adit_node_copy_top(const AditNode *self);

/* Adding takes what is added (transfer full). */
void adit_node_append(AditNode *list, AditNode *item);
void adit_node_set(AditNode *mapping, AditNode *key, AditNode *value);
void adit_node_remove(AditNode *self, guint index);
/* Sets a plain key without a place of its own. */
void adit_node_set_new(AditNode *mapping, const char *key, AditNode *value);

static inline guint
adit_node_count(const AditNode *self)
{
    return self->items != NULL ? self->items->len : 0;
}
AditNode *adit_node_get_item(const AditNode *self, guint index);
AditNode *adit_node_get_key(const AditNode *mapping, guint index);
/* FALSE: there is no such key. */
gboolean adit_node_find(const AditNode *mapping, const char *key, guint *index);
/* (nullable) */
AditNode *adit_node_get(const AditNode *mapping, const char *key);

typedef enum {
    ADIT_SCALAR_NULL,
    ADIT_SCALAR_BOOLEAN,
    ADIT_SCALAR_INTEGER,
    ADIT_SCALAR_NUMBER,
    ADIT_SCALAR_TEXT,
} AditScalarType;

/**
 * AditScalar: a scalar by the YAML 1.2 core schema.
 * @number: also of an integer
 * @huge: an integer that does not fit @integer
 */
typedef struct {
    AditScalarType type;
    gboolean boolean;
    gint64 integer;
    double number;
    gboolean huge;
} AditScalar;

AditScalar adit_node_get_scalar(const AditNode *self);
gboolean adit_node_is_null(const AditNode *self);
/* word = [a-z][a-z0-9-]* */
gboolean adit_is_word(const char *text);
/* The node as messages print it after "got": 12, "two", a list, 6.66667 from $(depth / 3). */
char *adit_node_describe(const AditNode *self);
/* Doubles the dollars in what was substituted already, as it is to be read again. */
void adit_node_escape(AditNode *self);
/* The shortest text that reads back as @value. */
char *adit_number_to_string(double value);

/* Object data (g_object_get_data()) of components: the AditNode that they are written as, every
 * parameter bound; ADIT_NODE_PART: of a block that is a part, how it was referred to. */
#define ADIT_NODE_OWN  "adit-node"
#define ADIT_NODE_PART "adit-node-part"

/* The document in @source; NULL after errors of form, which are added to @diagnostics. */
AditNode *adit_yaml_read(AditSource *source, AditDiagnostics *diagnostics);
/* YAML text that reads back as @self. Scalars that are not plain are quoted where they need it. */
char *adit_yaml_write(const AditNode *self);
/* The same on one line, so that it can stand behind "name: " or in a list. */
char *adit_yaml_write_line(const AditNode *self);

G_END_DECLS
