/* core/pipeline/adit-binder.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-component-private.h"
#include "adit-experiment.h"
#include "adit-override.h"
#include "adit-registry.h"
#include "adit-sequence.h"
#include "adit-substitute.h"

G_BEGIN_DECLS

#define ADIT_MAX_BLOCKS 65536

typedef struct _AditPipelineFile AditPipelineFile;

/**
 * AditPart: a part of a file.
 * @used: the network needs it
 * @listed: it was looked at by itself
 * @loops: that it uses itself was reported
 */
typedef struct {
    AditPipelineFile *file;
    AditNode *name;
    AditNode *node;
    gboolean used;
    gboolean listed;
    gboolean loops;
} AditPart;

/**
 * AditPipelineFile: a pipeline, or a file of parts that it includes or that is installed.
 * @folder: absolute: where its relative paths begin
 * @scope: its parameters
 * @opaque_scope: the same names, values unknown: for parts nothing uses
 * @includes: (element-type AditPipelineFile): borrowed
 */
struct _AditPipelineFile {
    AditSource *source;
    char *folder;
    AditNode *root;
    AditScope *scope;
    AditScope *opaque_scope;
    GPtrArray *parts;
    GPtrArray *includes;
};

/**
 * AditBinder: what one reading of a pipeline needs. A bind function returns what was bound, or NULL
 * when it is wrong (reported) or depends on something opaque; @resolved, never NULL, gets the value
 * as config.resolved.yaml writes it.
 * @files: all files read: absolute path -> AditPipelineFile
 * @installed: (nullable): files of installed parts, once they are needed
 * @study: (nullable): the file that overrides may be written in
 * @stack: parts that are being bound, one inside the other
 * @taken_exits: `exits` of the run that `model.from` names, if the file writes none; no node: none
 * @checking: parts that nothing uses are looked at: parameters of files are opaque
 */
typedef struct {
    AditSubstitution substitution;
    AditDiagnostics *diagnostics;
    AditRegistry *registry;
    AditExperiment *experiment;
    GPtrArray *overrides;
    AditPipelineFile *main;
    GHashTable *files;
    GPtrArray *installed;
    AditSource *study;
    GPtrArray *stack;
    AditValue taken_exits;
    gboolean checking;
} AditBinder;

/**
 * AditBound: a value of one parameter. @good: it is known and fits.
 */
typedef struct {
    gboolean good;
    gint64 integer; /* INT, BOOLEAN, CHOICE */
    double number;
    AditAmount amount;
    char *text;
    GStrv texts;
    GArray *numbers;
    AditLive *live;
    AditComponent *component;
    AditNode *resolved;
} AditBound;

void adit_bound_clear(AditBound *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AditBound, adit_bound_clear)

/* adit-bind-value.c: @owner is what adit_experiment_find_place() is asked for. @parameters:
 * addresses say where parameters are. */
AditBound adit_bind_value(AditBinder *self, const AditParameter *parameter, AditValue value,
                          gboolean parameters, gconstpointer owner);
/* NULL: nothing is written. */
AditNode *adit_resolve_default(const AditParameter *parameter);
void adit_bind_keep_places(AditBinder *self, gconstpointer owner, const char *key,
                           const AditPlace *places, guint n);

/* adit-bind-component.c */
AditComponent *adit_bind_component(AditBinder *self, const char *kind, AditValue value,
                                   AditNode **resolved);
/* A component with the defaults of its type, which the language names where the file is silent. */
AditComponent *adit_bind_default(AditBinder *self, const char *kind, const char *name,
                                 const AditPlace *place, AditNode **resolved);
/* @known: (array length=n). Reports keys of a mapping that are none of them. @what: "key" or
 * "section"; @of: (nullable): 'train'. */
void adit_bind_check_keys(AditBinder *self, AditValue mapping, const char *const *known,
                          const char *what, const char *of);
void adit_bind_unknown(AditBinder *self, const char *kind, AditValue name);
/* A placeholder for what is wrong. */
AditNode *adit_bind_nothing(void);
const char *adit_article(const char *word);

/**
 * AditNamed: a reference that was read: a name and the mapping of its parameters.
 * @parameters: no node: a bare name
 */
typedef struct {
    AditValue name;
    AditValue parameters;
    gboolean opaque;
} AditNamed;

/* FALSE: wrong. */
gboolean adit_bind_read_name(AditBinder *self, const char *kind, AditValue value, AditNamed *named);
AditNode *adit_named_resolve(const AditNamed *named, AditNode *parameters);
/* Keeps what @component is written as: ADIT_NODE_OWN, ADIT_NODE_PART. */
void adit_bind_keep_node(gpointer component, const char *which, AditNode *node);
/* Sets the parameters of a component whose type is known. @item_name: (nullable): `name` is the
 * item's and goes there. */
AditComponent *adit_bind_type(AditBinder *self, GType type, const AditNamed *named,
                              char **item_name, AditNode **resolved);

/* adit-bind-sequence.c: a sequence in any of its forms, also one reference. @types: (nullable)
 * (element-type utf8): gets what an item of it is called in addresses, from the outermost part that
 * is one reference to the component. */
AditBlock *adit_bind_sequence(AditBinder *self, AditValue value, AditNode **resolved);
AditBlock *adit_bind_typed_sequence(AditBinder *self, AditValue value, GPtrArray *types,
                                    AditNode **resolved);
/* The mapping {aggregator, blocks, ...}; @resolved gets these two keys. */
AditBlock *adit_bind_wired(AditBinder *self, AditValue mapping, const AditPlace *place,
                           GPtrArray *types, AditNode *resolved);
/* Whether @name, said at @value, can be that of @what ("an item", "a path"): a word that no block
 * has. */
gboolean adit_bind_check_name(AditBinder *self, AditValue value, const char *name,
                              const char *what);
/* A block by its name: component or part. */
AditBlock *adit_bind_block(AditBinder *self, AditValue value, char **item_name, GPtrArray *types,
                           AditNode **resolved);

/* adit-bind-paths.c: what stands under `paths`. @place: of the word */
AditBlock *adit_bind_paths(AditBinder *self, AditValue value, const AditPlace *place,
                           AditNode **resolved);

/* adit-experiment.c: "adit: 1" comes first; FALSE: there is nothing to go on with. */
gboolean adit_bind_check_start(AditSource *source, const AditNode *root,
                               AditDiagnostics *diagnostics);
/* The text of a file; FALSE: it has none, reported at @place (nullable). */
gboolean adit_bind_read_text(const char *path, const AditPlace *place, char **text,
                             AditDiagnostics *diagnostics);

/* adit-part.c */
AditPipelineFile *adit_pipeline_file_new(AditBinder *self, AditSource *source, const char *path,
                                         AditNode *root);
void adit_pipeline_file_free(AditPipelineFile *self);
/* Reads parameters, includes and parts of a file. */
void adit_pipeline_file_open(AditBinder *self, AditPipelineFile *file);
/* NULL: no part of that name can be seen from the file that says it. */
AditPart *adit_part_find(AditBinder *self, const AditNode *name);
/* Adds the names of the parts seen from where @name stands. */
void adit_part_list_names(AditBinder *self, const AditNode *name, GPtrArray *names);
AditBlock *adit_part_bind(AditBinder *self, AditPart *part, const AditNamed *named,
                          char **item_name, GPtrArray *types, AditNode **resolved);
/* Looks at all parts by themselves; returns the used ones as the resolved file has them. */
AditNode *adit_part_resolve_all(AditBinder *self);
AditPipelineFile *adit_pipeline_file_of(AditBinder *self, const AditNode *node);

/* adit-bind-model.c */
void adit_bind_model(AditBinder *self, AditValue value, AditNode *resolved);

/* adit-origin.c: the `model` of the run that @from names, read from its config.resolved.yaml as a
 * document of its own; also its exits, and the loss of a file that does not train. No node: nothing
 * is taken, because the file @model is in writes all itself, because @path holds weights alone, or
 * because it is wrong (reported). */
AditValue adit_bind_origin(AditBinder *self, AditValue model, AditValue from, const char *path);

/* adit-experiment.c: that @file begins with `adit: 1`. */

/* adit-bind-exits.c */
void adit_bind_exits(AditBinder *self, AditValue value, AditNode *resolved);

/* adit-bind-inference.c */
void adit_bind_inference(AditBinder *self, AditValue value, AditNode *resolved);

/* adit-bind-train.c */
void adit_bind_train(AditBinder *self, AditValue value, AditNode *resolved);

G_END_DECLS
