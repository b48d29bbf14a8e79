/* core/tool/adit-tool.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-check.h"
#include "adit-data.h"
#include "adit-device.h"
#include "adit-experiment.h"
#include "adit-study-plan.h"
#include "adit-terminal.h"
#include "adit-verdicts.h"

G_BEGIN_DECLS

/**
 * AditOptions: what the command line says; 0, NULL and FALSE where it is silent.
 */
typedef struct {
    gboolean help;
    GStrv overrides; /* only there for the help: they are taken off the command line before */
    char *data;
    char *device;
    char *run_dir;
    char *runs;
    char *max_time;
    char *time;
    char *split;
    char *checkpoint;
    char *output;
    char *study_dir;
    char *shard;
    char *to;
    char *resolution;
    char *accuracy_drop;
    char *budget;
    char *latency;
    int thresholds; /* 0: one, 1: each */
    char *shares;
    char *among;
    char *th;
    char *rate;
    char *links;
    int by;
    int unit;
    guint64 keep;
    gboolean fold;
    guint64 jobs;
    guint64 together;
    guint64 threads;
    guint64 limit_batches;
    guint64 overfit_batches;
    guint64 batch;
    int colour; /* AditWhen */
    int progress;
    int resume; /* AditResume */
    gboolean dry_run;
    gboolean quiet;
    gboolean verbose;
    gboolean json;
    gboolean layers;
    gboolean receptive_field;
    gboolean except_1x1;
    gboolean border_layers;
    gboolean dot;
    gboolean broken;
    gboolean resolved;
    gboolean full;
    gboolean strict_device;
    gboolean report_only;
    gboolean png;
    gboolean retry;
} AditOptions;

/* What `run` does with a run that is there already. */
typedef enum { ADIT_RESUME_NEVER, ADIT_RESUME_AUTO, ADIT_RESUME_MUST } AditResume;

typedef struct _AditVerb AditVerb;

/**
 * AditInvocation: one call of the command.
 * @arguments: (element-type utf8): the words that are no options and no overrides
 * @overrides: from the word behind the verb on, each "-o", its value, or a word name=value, or ""
 * for any other word, so that each keeps its number
 * @n_overrides: how many of them say something
 * @command_line: all words, the program's name first
 * @device_note: (nullable): why the device is the CPU, until that is told
 * @kernels: (nullable): forms of the device's kernels that are not the best they have, by their
 * names
 */
typedef struct {
    const AditVerb *verb;
    AditOptions options;
    GPtrArray *arguments;
    GPtrArray *overrides;
    guint n_overrides;
    const char *const *command_line;
    AditTerminal terminal;
    char *device_note;
    JsonObject *kernels;
} AditInvocation;

/* Number of the word behind the verb, whose name may be two: "exits eval". */
guint adit_invocation_get_first_word(const AditInvocation *self);

/**
 * AditVerb:
 * @name: a word, or two
 * @usage: what follows the verb: "FILE [name=value ...]"
 * @summary: one line, no full stop
 * @about: paragraphs, one a line of the text, for help and manual
 * @options: (array zero-terminated=1): long names of those it takes
 * @min_arguments, @max_arguments: of words that are no overrides
 * @has_overrides: takes name=value and -o path=value
 * @run: does it; FALSE with an error, whose message is empty if it was told already
 */
struct _AditVerb {
    const char *name;
    const char *usage;
    const char *summary;
    const char *about;
    const char *const *options;
    guint min_arguments;
    guint max_arguments;
    gboolean has_overrides;
    gboolean (*run)(AditInvocation *self, GError **error);
};

extern const AditVerb adit_verb_run;
extern const AditVerb adit_verb_resume;
extern const AditVerb adit_verb_sweep;
extern const AditVerb adit_verb_check;
extern const AditVerb adit_verb_inspect;

extern const AditVerb adit_verb_prune;
extern const AditVerb adit_verb_devices;
extern const AditVerb adit_verb_selftest;
extern const AditVerb adit_verb_eval;
extern const AditVerb adit_verb_exits_calibrate;
extern const AditVerb adit_verb_exits_eval;
extern const AditVerb adit_verb_exits_place;
extern const AditVerb adit_verb_exits_truncate;
extern const AditVerb adit_verb_predict;
extern const AditVerb adit_verb_probe;
extern const AditVerb adit_verb_report;
extern const AditVerb adit_verb_compare;
extern const AditVerb adit_verb_bench;
extern const AditVerb adit_verb_config;
extern const AditVerb adit_verb_convert;
extern const AditVerb adit_verb_together;
extern const AditVerb adit_verb_man;

/* adit-options.c */

/**
 * AditOptionKind: how the value of an option is written.
 */
typedef enum {
    ADIT_OPTION_FLAG,
    ADIT_OPTION_TEXT,
    ADIT_OPTION_COUNT, /* a whole number above 0 */
    ADIT_OPTION_WORD,  /* one of @words */
} AditOptionKind;

/**
 * AditOptionRow: an option, described once for parser, help and manual.
 * @letter: 0: none
 * @field: offset in AditOptions
 * @argument: (nullable): how the value is called in the help
 * @words: (nullable): NULL-terminated
 */
typedef struct {
    const char *name;
    char letter;
    AditOptionKind kind;
    gsize field;
    const char *argument;
    const char *help;
    const char *const *words;
} AditOptionRow;

/* NULL: there is none called so. */
const AditOptionRow *adit_option_find(const char *name);
/* "-o, --override PATH=VALUE" */
char *adit_option_describe(const AditOptionRow *row);
/* All verbs, NULL-terminated; the last ones are not shown. */
const AditVerb *const *adit_verbs_list(void);
/* The help of a verb, or of the command (NULL): at most 80 columns. */
char *adit_help_make(const AditVerb *verb);
/* Appends the words of @text and a newline, lines filled up to 79 columns; the first begins at
 * @column, the others are indented by @indent. */
void adit_help_fill(GString *out, const char *text, gsize column, gsize indent);
/* Reads the words behind the verb; ADIT_ERROR_INVALID. */
gboolean adit_invocation_parse(AditInvocation *self, GError **error);
void adit_invocation_clear(AditInvocation *self);

/* adit-tool.c: what verbs share. */

/* (nullable): what $data stands for: --data, else ADIT_DATA */
const char *adit_tool_get_data_folder(const AditInvocation *self);
/* Sets an error that was told already. */
gboolean adit_tool_fail_told(int code, GError **error);
/* Reads a pipeline with the overrides, and tells what is wrong. */
AditExperiment *adit_tool_read(AditInvocation *self, const char *path, GError **error);
/* The same, and checks it against its data's headers. @check: (out caller-allocates) */
AditExperiment *adit_tool_read_checked(AditInvocation *self, const char *path, AditCheck *check,
                                       GError **error);
/* The same of a pipeline with data: without, shapes are not known. */
AditExperiment *adit_tool_read_shaped(AditInvocation *self, const char *path, AditCheck *check,
                                      GError **error);
/* As adit_tool_read_checked(), and checks the weights at `model.from` as well: a run can begin. */
AditExperiment *adit_tool_read_ready(AditInvocation *self, const char *path, AditCheck *check,
                                     GError **error);
/* Reads a study with what the command line narrows and adds, and every point of it.
 * @study: (out): what the plan borrows */
AditStudyPlan *adit_tool_read_plan(AditInvocation *self, const char *path, AditStudy **study,
                                   GError **error);
/* The device that --device names, else ADIT_DEVICE, else the best; why that is the CPU is kept for
 * who wants to tell it. Fails as adit_device_open(). */
AditDevice *adit_tool_open_untested(AditInvocation *self, GError **error);
/* The same, whose kernels compute rightly: as adit_tool_check_kernels(). */
AditDevice *adit_tool_open_silently(AditInvocation *self, GError **error);
/* The same, and tells why that is the CPU. */
AditDevice *adit_tool_open_device(AditInvocation *self, GError **error);
/* Tells it once, when there is something to tell of. */
void adit_tool_tell_device_note(AditInvocation *self);
/* Threads of the CPU: --threads; 0: as many as there are cores. */
guint adit_tool_get_threads(const AditInvocation *self);
/* Opens all data sets: (element-type AditData). @run: (nullable): members of run.json: what
 * the inputs are standardised by. */
GPtrArray *adit_tool_open_data(AditInvocation *self, const AditExperiment *experiment,
                               JsonObject *run, GError **error);
/* "0.5%" or 0.005 as 0.005: 1 at most. */
gboolean adit_tool_parse_share(const char *option, const char *text, double *share, GError **error);
/* "250 ms", "30 s", "5 min", "2 h" in seconds. */
gboolean adit_tool_parse_time(const char *option, const char *text, double *seconds,
                              GError **error);
/* "1:05", "2:03:10"; "-:--" if it is not known */
char *adit_tool_format_seconds(double seconds);
/* 6785 -> "6,785" */
char *adit_tool_format_count(guint64 count);
/* Prints @table (array of rows, each an array of texts; the first is the head) with aligned
 * columns; column i is flush right if @align[i] is 'r'. */
void adit_tool_print_table(AditInvocation *self, GPtrArray *table, const char *align);
/* Prints @object and unrefs it. */
void adit_tool_print_json(AditInvocation *self, JsonObject *object);

/* adit-kernel-check.c: whether a device computes rightly. */

/**
 * adit_tool_check_kernels:
 * @device: (inout): before programs are prepared for it
 *
 * Takes those forms of its kernels that are known to compute rightly, or finds them out at its
 * first use. If a kernel has none, *@device becomes the CPU, or with --strict-device it fails with
 * ADIT_ERROR_CHECK, as it does there when one needs a plainer form. Fills self->kernels.
 */
gboolean adit_tool_check_kernels(AditInvocation *self, AditDevice **device, GError **error);
/* Whether there is more than one form of a kernel, and a verdict to be kept. */
gboolean adit_tool_has_forms(AditDevice *device);
/* Keeps the results of a self-test; that it cannot is a warning. */
AditVerdicts *adit_tool_save_verdicts(AditInvocation *self, AditDevice *device,
                                      const GPtrArray *results, gboolean full);

/* adit-session.c, adit-start.c, adit-resume.c: training a run from the command. */

typedef struct _AditSession AditSession;

/**
 * AditSession: a run under way.
 * @invocation: borrowed
 * @other: (nullable): borrowed: one whose data serves here too if its data sets are the same
 * @device: (nullable): where it is to be trained; training takes it over
 * @run: (nullable): NULL: there is nothing to train
 */
struct _AditSession {
    AditInvocation *invocation;
    const AditSession *other;
    AditExperiment *experiment;
    GPtrArray *data;
    AditDevice *device;
    AditRun *run;
};

void adit_session_clear(AditSession *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AditSession, adit_session_clear)

/* Opens the experiment's data. */
gboolean adit_session_open_data(AditSession *self, GError **error);
/* Makes all ready that `run` needs: a new run, or one that goes on, as the options say. What can be
 * found wrong before anything is started is. A device that the session has is taken, else one is
 * opened. */
gboolean adit_session_begin(AditSession *self, GError **error);
/* The same of the run in @folder. @path: (nullable): the pipeline it must have been made from. */
gboolean adit_session_take_up(AditSession *self, const char *folder, const char *path,
                              GError **error);
/* Trains with progress, statuses and the summary; signals stop it with a checkpoint. */
gboolean adit_session_train(AditSession *self, GError **error);
/* The same of several, which have one device, side by side; each tells of itself. @failures: (array
 * length=n): (out): NULL, or why a run failed */
void adit_session_train_together(AditSession *const *sessions, guint n, GError **failures);

/* adit-layers.c: what `inspect FILE --layers` prints, with --receptive-field what each layer sees.
 */
gboolean adit_layers_print(AditInvocation *self, AditGraph *graph, GError **error);

/* adit-resolution.c */

/* The network for evaluation of a checked experiment, on images of --resolution: @check's own if
 * that is not given. The same but for `transform`, which may resize what it is given. */
AditGraph *adit_tool_build_at_resolution(AditInvocation *self, const AditExperiment *experiment,
                                         const AditCheck *check, GError **error);

G_END_DECLS
