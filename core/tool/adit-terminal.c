/* core/tool/adit-terminal.c - SPDX-License-Identifier: MIT */
#include "adit-terminal.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define DEFAULT_WIDTH 80
#define CLEARING      "\r\033[K"
/* what takes longer is told of without a bar too */
#define LONG_WAIT (5 * G_USEC_PER_SEC)

/* Neither a terminal that cannot do it nor a person who asks for none gets colour. */
static gboolean
wants_colour(AditWhen when)
{
    const char *none = g_getenv("NO_COLOR");
    const char *terminal = g_getenv("TERM");

    if (when != ADIT_WHEN_AUTO)
        return when == ADIT_WHEN_ALWAYS;
    return (none == NULL || *none == '\0') && g_strcmp0(terminal, "dumb") != 0 &&
           isatty(STDERR_FILENO);
}

void
adit_terminal_init(AditTerminal *self, AditWhen colour, AditWhen progress)
{
    self->output = g_string_new(NULL);
    self->colour = wants_colour(colour);
    self->bar =
        progress == ADIT_WHEN_ALWAYS || (progress == ADIT_WHEN_AUTO && isatty(STDERR_FILENO) &&
                                         g_strcmp0(g_getenv("TERM"), "dumb") != 0);
}

void
adit_terminal_clear(AditTerminal *self)
{
    adit_terminal_clear_bar(self);
    g_string_free(self->output, TRUE);
    self->output = NULL;
    if (self->kept != NULL)
        g_string_free(g_steal_pointer(&self->kept), TRUE);
}

/* 0, or the errno of what could not be written. */
static int
write_all(int descriptor, const char *text, gsize length)
{
    while (length > 0) {
        ssize_t n = write(descriptor, text, length);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno;
        text += n;
        length -= (gsize) n;
    }
    return 0;
}

void
adit_terminal_print(AditTerminal *self, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_string_append_vprintf(self->output, format, arguments);
    va_end(arguments);
}

gboolean
adit_terminal_flush(AditTerminal *self, GError **error)
{
    int number = write_all(STDOUT_FILENO, self->output->str, self->output->len);

    g_string_truncate(self->output, 0);
    if (number == 0 || number == EPIPE)
        return TRUE;
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_OUTPUT, "cannot write standard output: %s",
                g_strerror(number));
    return FALSE;
}

/* Nothing is lost that matters if standard error or the log cannot take it. */
static void
tell(AditTerminal *self, const char *text)
{
    gsize length = strlen(text);

    adit_terminal_clear_bar(self);
    if (self->kept != NULL)
        g_string_append(self->kept, text);
    else
        write_all(STDERR_FILENO, text, length);
    if (self->run != NULL)
        adit_run_log(self->run, text, NULL);
}

void
adit_terminal_say(AditTerminal *self, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_autofree char *line = g_strconcat(text, "\n", NULL);

    if (!self->quiet)
        tell(self, line);
    else if (self->run != NULL)
        adit_run_log(self->run, line, NULL);
}

static void
tell_level(AditTerminal *self, const char *colour, const char *level, const char *text)
{
    g_autofree char *line = g_strdup_printf("%s%s:%s %s\n", self->colour ? colour : "", level,
                                            self->colour ? "\033[0m" : "", text);

    tell(self, line);
}

void
adit_terminal_warn(AditTerminal *self, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    tell_level(self, "\033[1;35m", "warning", text);
}

void
adit_terminal_complain(AditTerminal *self, const char *verb, const GError *error)
{
    if (*error->message == '\0')
        return; /* told already */
    if (strstr(error->message, ": error: ") != NULL) {
        g_autofree char *line = g_strconcat(error->message, "\n", NULL);

        tell(self, line);
        return;
    }
    g_autofree char *level =
        g_strdup_printf("adit%s%s: error", verb != NULL ? " " : "", verb != NULL ? verb : "");

    tell_level(self, "\033[1;31m", level, error->message);
}

void
adit_terminal_show(AditTerminal *self, const AditDiagnostics *diagnostics)
{
    g_autofree char *text = adit_diagnostics_to_string(diagnostics, self->colour);

    if (*text != '\0')
        tell(self, text);
}

/* (nullable): of the thread */
static GPrivate own_terminal;

static GLogWriterOutput
write_log(GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer user_data)
{
    AditTerminal *own = g_private_get(&own_terminal);
    AditTerminal *self = own != NULL ? own : user_data;
    const char *text = "";

    for (gsize i = 0; i < n_fields; i++) {
        if (g_str_equal(fields[i].key, "MESSAGE"))
            text = fields[i].value;
    }
    if (level & (G_LOG_LEVEL_DEBUG | G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_ERROR))
        return g_log_writer_default(level, fields, n_fields, NULL);
    if (level & G_LOG_LEVEL_WARNING)
        adit_terminal_warn(self, "%s", text);
    else if (self->verbose || (level & G_LOG_LEVEL_MESSAGE))
        adit_terminal_say(self, "%s", text);
    return G_LOG_WRITER_HANDLED;
}

void
adit_terminal_take_log(AditTerminal *self)
{
    g_log_set_writer_func(write_log, self, NULL);
}

void
adit_terminal_take_thread(AditTerminal *self)
{
    g_private_set(&own_terminal, self);
}

guint
adit_terminal_get_width(const AditTerminal *self)
{
    struct winsize size = {0};

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return DEFAULT_WIDTH;
}

/* One cell of the last column stays free: some terminals wrap when it is written. */
void
adit_terminal_draw_bar(AditTerminal *self, const char *text)
{
    g_autofree char *shown = g_utf8_substring(
        text, 0, MIN(g_utf8_strlen(text, -1), (glong) adit_terminal_get_width(self) - 1));
    g_autofree char *line = g_strconcat(CLEARING, shown, NULL);

    if (!self->bar || self->quiet)
        return;
    self->bar_shown = TRUE;
    write_all(STDERR_FILENO, line, strlen(line));
}

void
adit_terminal_clear_bar(AditTerminal *self)
{
    if (!self->bar_shown)
        return;
    self->bar_shown = FALSE;
    write_all(STDERR_FILENO, CLEARING, strlen(CLEARING));
}

const char *
adit_terminal_get_clearing(const AditTerminal *self)
{
    if (self->quiet || self->kept != NULL)
        return NULL;
    return self->bar ? CLEARING : "";
}

/* ---- waits ---- */

/* Who waits is inside of a call that tells nothing, so that another thread looks at the clock. */
typedef struct AditWait {
    AditTerminal *terminal;
    char *text;
    GThread *thread;
    GMutex lock;
    GCond ended;
    gboolean is_over;
} AditWait;

static gpointer
look_at_clock(gpointer data)
{
    AditWait *self = data;
    gint64 end = g_get_monotonic_time() + LONG_WAIT;
    gboolean is_early = TRUE;

    g_mutex_lock(&self->lock);
    while (!self->is_over && is_early)
        is_early = g_cond_wait_until(&self->ended, &self->lock, end);
    if (!self->is_over)
        adit_terminal_say(self->terminal, "%s", self->text);
    g_mutex_unlock(&self->lock);
    return NULL;
}

void
adit_terminal_begin_wait(AditTerminal *self, const char *text)
{
    g_return_if_fail(self->wait == NULL);
    if (self->bar) {
        adit_terminal_draw_bar(self, text);
        return;
    }
    if (self->quiet || self->kept != NULL)
        return;
    self->wait = g_new0(AditWait, 1);
    self->wait->terminal = self;
    self->wait->text = g_strdup(text);
    g_mutex_init(&self->wait->lock);
    g_cond_init(&self->wait->ended);
    self->wait->thread = g_thread_new("wait", look_at_clock, self->wait);
}

void
adit_terminal_end_wait(AditTerminal *self)
{
    AditWait *wait = g_steal_pointer(&self->wait);

    adit_terminal_clear_bar(self);
    if (wait == NULL)
        return;
    g_mutex_lock(&wait->lock);
    wait->is_over = TRUE;
    g_cond_signal(&wait->ended);
    g_mutex_unlock(&wait->lock);
    g_thread_join(wait->thread);
    g_mutex_clear(&wait->lock);
    g_cond_clear(&wait->ended);
    g_free(wait->text);
    g_free(wait);
}
