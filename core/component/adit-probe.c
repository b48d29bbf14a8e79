/* core/component/adit-probe.c - SPDX-License-Identifier: MIT */
#include "adit-settings.h"

typedef AditProbeSettings AditProbePrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE(AditProbe, adit_probe, ADIT_TYPE_COMPONENT)

#define FIELD(member) ((gsize) G_PRIVATE_OFFSET(AditProbe, member))

static gboolean
check_when(const char *const *when, GError **error)
{
    for (; when != NULL && *when != NULL; when++) {
        if (strcmp(*when, "start") == 0 || strcmp(*when, "end") == 0)
            continue;
        if (!g_ascii_string_to_unsigned(*when, 10, 1, G_MAXINT64, NULL, NULL)) {
            g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                        "'when' must be start, end or an epoch, got \"%s\"", *when);
            return FALSE;
        }
    }
    return TRUE;
}

/* Maps are in values alone. */
static gboolean
check_pool(AditProbe *self, GError **error)
{
    const AditProbeClass *klass = ADIT_PROBE_GET_CLASS(self);
    gboolean has_values = klass->n_readings == 0;

    for (guint i = 0; i < klass->n_readings; i++)
        has_values = has_values || klass->readings[i].kind == ADIT_READ_VALUES;
    if (has_values || adit_probe_get_settings(self)->pool == 0)
        return TRUE;
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                "'pool' averages maps of values, and '%s' reads none",
                ADIT_COMPONENT_GET_CLASS(self)->name);
    return FALSE;
}

static gboolean
check(AditComponent *component, GError **error)
{
    static const char *const splits[] = {"train", "validation", "test", NULL};
    const AditProbeSettings *settings = adit_probe_get_settings(ADIT_PROBE(component));

    if (settings->split == NULL || !g_strv_contains(splits, settings->split)) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "'split' must be train, validation or test, got \"%s\"",
                    settings->split != NULL ? settings->split : "");
        return FALSE;
    }
    return check_when((const char *const *) settings->when, error) &&
           check_pool(ADIT_PROBE(component), error);
}

static void
adit_probe_class_init(AditProbeClass *klass)
{
    static const double no_limit = G_MAXDOUBLE;
    const AditAmount all = {.value = 1.0, .unit = ADIT_UNIT_PERCENT};
    const AditAmount gibibyte = {.value = 1024.0 * 1024.0 * 1024.0, .unit = ADIT_UNIT_BYTES};
    AditComponentClass *component_class = ADIT_COMPONENT_CLASS(klass);

    component_class->kind = "probe";
    component_class->check = check;
    adit_component_class_add_text(component_class, "name", "Name of its table; else its kind", NULL,
                                  FIELD(name));
    adit_component_class_add_addresses(component_class, "at", "What is looked at", NULL, FIELD(at));
    adit_component_class_add_text(component_class, "split",
                                  "Which samples: train, validation or test", "test", FIELD(split));
    adit_component_class_add_texts(component_class, "data", "Names of data sets; else all",
                                   FIELD(data));
    adit_component_class_add_amount(component_class, "samples", "How many samples are looked at",
                                    ADIT_FORM_COUNT, 1, no_limit, all, FIELD(samples));
    adit_component_class_add_texts(
        component_class, "when", "start, end or epochs; else at the end of training", FIELD(when));
    adit_component_class_add_amount(component_class, "every", "How often as well; 0 is never",
                                    ADIT_FORM_SPAN, 0, no_limit, (AditAmount){0}, FIELD(every));
    adit_component_class_add_int(component_class, "pool",
                                 "Maps are averaged to so many x so many; 0: they stay as they are",
                                 0, 4096, 0, FIELD(pool));
    adit_component_class_add_amount(component_class, "memory", "Memory for what is captured",
                                    ADIT_FORM_BYTES, 1, no_limit, gibibyte, FIELD(memory));
}

static void
adit_probe_init(AditProbe *self)
{
}

const AditProbeSettings *
adit_probe_get_settings(AditProbe *self)
{
    return adit_probe_get_instance_private(self);
}

const char *
adit_probe_get_name(AditProbe *self)
{
    const char *name = adit_probe_get_settings(self)->name;

    return name != NULL ? name : ADIT_COMPONENT_GET_CLASS(self)->name;
}
