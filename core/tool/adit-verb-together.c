/* core/tool/adit-verb-together.c - SPDX-License-Identifier: MIT */
#include "adit-tool.h"

#include "adit-json.h"

/* What `sweep` gives several points to at once: `adit run` of each, in one process. */

/* Between the points' words. */
#define SEPARATOR "+"

/**
 * Point: one call of `adit run`.
 * @failure: (nullable): why it failed
 */
typedef struct {
    GPtrArray *words;
    AditInvocation invocation;
    AditSession session;
    GError *failure;
} Point;

static void
point_free(gpointer data)
{
    Point *self = data;

    adit_session_clear(&self->session);
    adit_terminal_clear(&self->invocation.terminal);
    adit_invocation_clear(&self->invocation);
    g_ptr_array_unref(self->words);
    g_clear_error(&self->failure);
    g_free(self);
}

/* @words: (inout): behind them its own begin */
static Point *
point_new(const char *program, const char *const **words)
{
    Point *self = g_new0(Point, 1);

    self->words = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(self->words, g_strdup(program));
    g_ptr_array_add(self->words, g_strdup(adit_verb_run.name));
    for (; **words != NULL && !g_str_equal(**words, SEPARATOR); (*words)++)
        g_ptr_array_add(self->words, g_strdup(**words));
    g_ptr_array_add(self->words, NULL);
    *words += **words != NULL;
    self->invocation.verb = &adit_verb_run;
    self->invocation.command_line = (const char *const *) self->words->pdata;
    self->session.invocation = &self->invocation;
    return self;
}

/* What a process of its own would have written to its standard streams is kept. */
static void
point_begin(Point *self)
{
    AditTerminal *terminal = &self->invocation.terminal;
    gboolean good = adit_invocation_parse(&self->invocation, &self->failure);

    adit_terminal_init(terminal, ADIT_WHEN_NEVER, ADIT_WHEN_NEVER);
    terminal->kept = g_string_new(NULL);
    terminal->quiet = self->invocation.options.quiet;
    terminal->verbose = self->invocation.options.verbose;
    adit_terminal_take_thread(terminal);
    if (!good || !adit_session_begin(&self->session, &self->failure))
        adit_terminal_complain(terminal, adit_verb_run.name, self->failure);
    adit_terminal_take_thread(NULL);
}

/* The points have one device and, where it is the same, one set of data: those of the first. */
static void
begin_points(GPtrArray *points)
{
    g_autoptr(AditDevice) device = NULL;
    JsonObject *kernels = NULL;
    const AditSession *first = NULL;

    for (guint i = 0; i < points->len; i++) {
        Point *point = points->pdata[i];

        if (device != NULL) {
            point->session.device = g_object_ref(device);
            point->invocation.kernels = kernels != NULL ? json_object_ref(kernels) : NULL;
        }
        point->session.other = first;
        point_begin(point);
        if (first == NULL && point->session.data != NULL)
            first = &point->session;
        if (device == NULL && point->session.device != NULL) {
            device = g_object_ref(point->session.device);
            kernels = point->invocation.kernels;
        }
    }
}

static void
train_points(GPtrArray *points)
{
    g_autoptr(GPtrArray) ready = g_ptr_array_new();
    g_autoptr(GPtrArray) sessions = g_ptr_array_new();
    g_autofree GError **failures = g_new0(GError *, points->len);

    for (guint i = 0; i < points->len; i++) {
        Point *point = points->pdata[i];

        if (point->failure != NULL || point->session.run == NULL) {
            g_clear_object(&point->session.device);
            continue;
        }
        g_ptr_array_add(ready, point);
        g_ptr_array_add(sessions, &point->session);
    }
    if (ready->len > 0)
        adit_session_train_together((AditSession *const *) sessions->pdata, sessions->len,
                                    failures);
    for (guint i = 0; i < ready->len; i++)
        ((Point *) ready->pdata[i])->failure = failures[i];
}

static int
get_code(const GError *failure)
{
    if (failure == NULL)
        return 0;
    return failure->domain == ADIT_ERROR ? failure->code : ADIT_ERROR_FAILED;
}

/* What each would have left as a process: code, output and errors. */
static void
print_points(AditInvocation *self, GPtrArray *points)
{
    JsonObject *object = json_object_new();
    JsonArray *array = json_array_new();

    for (guint i = 0; i < points->len; i++) {
        const Point *point = points->pdata[i];
        JsonObject *each = json_object_new();

        adit_json_set_unsigned(each, "code", (guint64) get_code(point->failure));
        json_object_set_string_member(each, "output", point->invocation.terminal.output->str);
        json_object_set_string_member(each, "errors", point->invocation.terminal.kept->str);
        json_array_add_object_element(array, each);
    }
    json_object_set_array_member(object, "points", array);
    adit_tool_print_json(self, object);
}

static gboolean
run(AditInvocation *self, GError **error)
{
    g_autoptr(GPtrArray) points = g_ptr_array_new_with_free_func(point_free);
    const char *const *words = self->command_line + adit_invocation_get_first_word(self);
    guint failed = 0;

    while (*words != NULL)
        g_ptr_array_add(points, point_new(self->command_line[0], &words));
    begin_points(points);
    train_points(points);
    print_points(self, points);
    for (guint i = 0; i < points->len; i++)
        failed += ((Point *) points->pdata[i])->failure != NULL;
    return failed == 0 || adit_tool_fail_told(ADIT_ERROR_SWEEP, error);
}

const AditVerb adit_verb_together = {
    .name = "together",
    .usage = "FILE ... [" SEPARATOR " FILE ...] ...",
    .summary = "train several runs side by side",
    .about = "Does what 'adit run' does with the words of each point, which " SEPARATOR
             " stands between, in one process, and prints what came of each.",
    .options =
        (const char *const[]){"override", "data", "device", "strict-device", "threads", "run-dir",
                              "resume", "json", "color", "quiet", "verbose", "help", NULL},
    .min_arguments = 1,
    .max_arguments = G_MAXUINT16,
    .has_overrides = TRUE,
    .run = run,
};
