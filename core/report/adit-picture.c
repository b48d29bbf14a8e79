/* core/report/adit-picture.c - SPDX-License-Identifier: MIT */
#include "adit-picture.h"

#include "adit-file.h"
#include "adit-scale.h"

#include <math.h>
#include <string.h>

#define SCRIPT_MAX_SIZE  (1024 * 1024)
#define PICTURE_MAX_SIZE (64 * 1024 * 1024)
#define ALL_FORMATS      "svg png"

struct _AditPicture {
    GString *settings;
    char *caption; /* (nullable) */
};

AditPicture *
adit_picture_new(void)
{
    AditPicture *self = g_new0(AditPicture, 1);

    self->settings = g_string_new(NULL);
    return self;
}

void
adit_picture_free(AditPicture *self)
{
    g_string_free(self->settings, TRUE);
    g_free(self->caption);
    g_free(self);
}

void
adit_picture_set_caption(AditPicture *self, const char *caption)
{
    g_free(self->caption);
    self->caption = g_strdup(caption);
}

/* In single quotes, where gnuplot runs no commands and expands nothing. A quote in the text becomes
 * the typographer's: doubled, as the manual has it, it is misread where a text begins with it. Line
 * ends would end the command. */
static void
append_quoted(GString *text, const char *content)
{
    g_string_append_c(text, '\'');
    for (const char *c = content; *c != '\0'; c++) {
        if (*c == '\'')
            g_string_append(text, "\u2019");
        else
            g_string_append_c(text, g_ascii_iscntrl(*c) ? ' ' : *c);
    }
    g_string_append_c(text, '\'');
}

void
adit_picture_set_number(AditPicture *self, const char *name, double value)
{
    g_autofree char *text = adit_number_to_data(value);

    g_string_append_printf(self->settings, "%s = %s\n", name, isnan(value) ? "NaN" : text);
}

void
adit_picture_set_text(AditPicture *self, const char *name, const char *text)
{
    g_string_append_printf(self->settings, "%s = ", name);
    append_quoted(self->settings, text);
    g_string_append_c(self->settings, '\n');
}

void
adit_picture_set_texts(AditPicture *self, const char *name, const GPtrArray *texts)
{
    g_string_append_printf(self->settings, "n_%s = %u\narray %s[%u]", name, texts->len, name,
                           MAX(texts->len, 1));
    for (guint i = 0; i < texts->len; i++) {
        g_string_append(self->settings, i == 0 ? " = [" : ", ");
        append_quoted(self->settings, g_ptr_array_index(texts, i));
    }
    g_string_append(self->settings, texts->len > 0 ? "]\n" : "\n");
}

void
adit_picture_set_numbers(AditPicture *self, const char *name, const GArray *numbers)
{
    g_string_append_printf(self->settings, "n_%s = %u\narray %s[%u]", name, numbers->len, name,
                           MAX(numbers->len, 1));
    for (guint i = 0; i < numbers->len; i++) {
        g_autofree char *text = adit_number_to_data(g_array_index(numbers, double, i));

        g_string_append_printf(self->settings, "%s%s", i == 0 ? " = [" : ", ", text);
    }
    g_string_append(self->settings, numbers->len > 0 ? "]\n" : "\n");
}

void
adit_picture_set_colours(AditPicture *self, const char *const *names, const GPtrArray *numbers,
                         gboolean is_even)
{
    g_autoptr(GPtrArray) labels = g_ptr_array_new();
    g_autoptr(GArray) wide = g_array_new(FALSE, FALSE, sizeof(double));
    g_autoptr(GArray) low = g_array_new(FALSE, FALSE, sizeof(double));
    g_autoptr(GArray) high = g_array_new(FALSE, FALSE, sizeof(double));

    for (guint i = 0; names[i] != NULL; i++) {
        AditScale scale;

        adit_scale_init(&scale, g_ptr_array_index(numbers, i));
        if (is_even)
            adit_scale_make_even(&scale, g_ptr_array_index(numbers, i));

        double is_wide = scale.is_wide;
        gboolean is_flat = scale.low == scale.high;
        double ends[] = {is_flat ? adit_scale_get(&scale, 0) : scale.low,
                         is_flat ? adit_scale_get(&scale, 1) : scale.high};

        g_array_append_val(wide, is_wide);
        g_array_append_val(low, ends[0]);
        g_array_append_val(high, ends[1]);
        g_ptr_array_add(labels, (gpointer) names[i]);
    }
    adit_picture_set_texts(self, "value_label", labels);
    adit_picture_set_numbers(self, "value_log", wide);
    adit_picture_set_numbers(self, "value_low", low);
    adit_picture_set_numbers(self, "value_high", high);
}

static gboolean
append_script(GString *text, const AditReportWriter *writer, const char *script, GError **error)
{
    g_autofree char *path = g_build_filename(writer->plots, script, NULL);
    g_autofree char *contents = NULL;

    if (!adit_file_read(path, SCRIPT_MAX_SIZE, &contents, NULL, error))
        return FALSE;
    g_string_append_printf(text, "\n%s", contents);
    return TRUE;
}

/* The last line that gnuplot said: what stopped it. */
static const char *
get_last_line(char *said)
{
    const char *line = strrchr(g_strstrip(said), '\n');

    return line != NULL ? line + 1 : said;
}

/* Without the files of the user's own that gnuplot reads at its start (-d). */
static gboolean
draw(const AditReportWriter *writer, const char *name, GError **error)
{
    g_autofree char *script = g_strconcat(name, ".gp", NULL);
    const char *const arguments[] = {writer->gnuplot, "-d", script, NULL};
    g_autoptr(GError) failure = NULL;
    g_autofree char *said = NULL;
    int status = 0;

    if (g_spawn_sync(writer->folder, (char **) arguments, NULL, G_SPAWN_STDOUT_TO_DEV_NULL, NULL,
                     NULL, NULL, &said, &status, &failure) &&
        g_spawn_check_wait_status(status, &failure)) {
        if (*said != '\0')
            g_info("%s: %s", script, g_strstrip(said));
        return TRUE;
    }
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_FAILED, "gnuplot cannot draw %s/%s: %s",
                writer->folder, script,
                said != NULL && *said != '\0' ? get_last_line(said) : failure->message);
    return FALSE;
}

/* Into the page. */
static gboolean
show(const AditPicture *self, const AditReportWriter *writer, const char *name, GError **error)
{
    const char *formats = writer->formats != NULL ? writer->formats : ALL_FORMATS;
    g_autofree char *stem = g_build_filename("report", name, NULL);
    g_autofree char *file = g_strconcat(name, ".svg", NULL);
    g_autofree char *path = g_build_filename(writer->folder, file, NULL);
    g_autofree char *svg = NULL;

    if (writer->gnuplot != NULL && !adit_file_read(path, PICTURE_MAX_SIZE, &svg, NULL, error))
        return FALSE;
    adit_page_add_figure(writer->page, stem, self->caption != NULL ? self->caption : name, svg,
                         strstr(formats, "png") != NULL, !writer->is_narrow);
    return TRUE;
}

gboolean
adit_picture_write(AditPicture *self, const AditReportWriter *writer, const char *name,
                   const char *script, const GString *data, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);

    g_string_append(text, "# Draws the pictures beside it: gnuplot FILE\n");
    adit_picture_set_text(self, "name", name);
    adit_picture_set_text(self, "formats", writer->formats != NULL ? writer->formats : ALL_FORMATS);
    adit_picture_set_number(self, "is_narrow", writer->is_narrow);
    g_string_append(text, self->settings->str);
    if (!append_script(text, writer, "common.gp", error) ||
        !append_script(text, writer, script, error) ||
        !adit_report_write_file(writer, name, ".csv", data, error) ||
        !adit_report_write_file(writer, name, ".gp", text, error))
        return FALSE;
    if (writer->gnuplot != NULL && !draw(writer, name, error))
        return FALSE;
    return writer->page == NULL || show(self, writer, name, error);
}
