/* core/component/adit-parameter.c - SPDX-License-Identifier: MIT */
#include "adit-parameter.h"

#include <math.h>

typedef GArray AditNumbers;

static AditAmount *
adit_amount_copy(AditAmount *self)
{
    return g_memdup2(self, sizeof *self);
}

G_DEFINE_BOXED_TYPE(AditAmount, adit_amount, adit_amount_copy, g_free)
G_DEFINE_BOXED_TYPE(AditNumbers, adit_numbers, g_array_ref, g_array_unref)

/* Under which a property keeps its AditField. */
static GQuark
field_quark(void)
{
    return g_quark_from_static_string("adit-field");
}

/* Checks. */

static gboolean
in_range(const AditParameter *parameter, double value)
{
    return isfinite(value) && value >= parameter->min && value <= parameter->max;
}

static gboolean
amount_fits(const AditParameter *parameter, const AditAmount *amount)
{
    static const AditUnit units[] = {
        [ADIT_FORM_SHARE] = ADIT_UNIT_NONE,    [ADIT_FORM_COUNT] = ADIT_UNIT_PERCENT,
        [ADIT_FORM_WIDTH] = ADIT_UNIT_PERCENT, [ADIT_FORM_SPAN] = ADIT_UNIT_STEPS,
        [ADIT_FORM_TIME] = ADIT_UNIT_SECONDS,  [ADIT_FORM_BYTES] = ADIT_UNIT_BYTES,
    };
    gboolean counts = parameter->form == ADIT_FORM_COUNT || parameter->form == ADIT_FORM_WIDTH;

    if (amount->unit != ADIT_UNIT_NONE && amount->unit != units[parameter->form])
        return FALSE;
    if (amount->unit == ADIT_UNIT_PERCENT)
        return isfinite(amount->value) && amount->value >= 0.0 &&
               (amount->value <= 1.0 || parameter->form == ADIT_FORM_WIDTH);
    return in_range(parameter, amount->value) && (!counts || floor(amount->value) == amount->value);
}

static gboolean
live_fits(const AditParameter *parameter, const AditLive *live)
{
    const AditClock start = {.steps = 1, .steps_per_epoch = 1};

    return adit_live_get_schedule(live) != NULL || in_range(parameter, adit_live_get(live, &start));
}

static gboolean
numbers_fit(const AditParameter *parameter, const GArray *numbers)
{
    for (guint i = 0; i < numbers->len; i++) {
        double value = g_array_index(numbers, double, i);
        guint n = parameter->words != NULL ? g_strv_length((char **) parameter->words) : 0;

        if (floor(value) == value && value < 0 && value >= -(double) n)
            continue;
        if (!in_range(parameter, value) || (parameter->whole && floor(value) != value))
            return FALSE;
    }
    return TRUE;
}

/* A property over one of our boxed types that refuses what its parameter does not allow; GLib's own
 * boxed properties take everything. */

static void
set_default(GParamSpec *pspec, GValue *value)
{
    const AditParameter *parameter = &adit_field_from_pspec(pspec)->parameter;

    if (parameter->type == ADIT_PARAMETER_AMOUNT)
        g_value_set_boxed(value, &parameter->def_amount);
    else if (parameter->type == ADIT_PARAMETER_LIVE)
        g_value_take_boxed(value, adit_live_new(parameter->def));
    else
        g_value_take_boxed(value, g_array_new(FALSE, FALSE, sizeof(double)));
}

/* TRUE: @value did not fit and is the default now. */
static gboolean
validate(GParamSpec *pspec, GValue *value)
{
    const AditParameter *parameter = &adit_field_from_pspec(pspec)->parameter;
    gconstpointer boxed = g_value_get_boxed(value);
    gboolean fits = FALSE;

    if (boxed != NULL && parameter->type == ADIT_PARAMETER_AMOUNT)
        fits = amount_fits(parameter, boxed);
    else if (boxed != NULL && parameter->type == ADIT_PARAMETER_LIVE)
        fits = live_fits(parameter, boxed);
    else if (boxed != NULL)
        fits = numbers_fit(parameter, boxed);
    if (!fits)
        set_default(pspec, value);
    return !fits;
}

static GType
checked_param_get_type(void)
{
    static gsize type = 0;

    if (g_once_init_enter(&type)) {
        const GParamSpecTypeInfo info = {
            .instance_size = sizeof(GParamSpec),
            .value_type = G_TYPE_BOXED,
            .value_set_default = set_default,
            .value_validate = validate,
        };
        g_once_init_leave(&type, g_param_type_register_static("AditParamChecked", &info));
    }
    return type;
}

#define FLAGS (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY)

static GParamSpec *
make_checked(const AditParameter *parameter, GType value_type)
{
    GParamSpec *pspec = g_param_spec_internal(checked_param_get_type(), parameter->name, NULL,
                                              parameter->blurb, FLAGS);

    pspec->value_type = value_type;
    return pspec;
}

static gint64
to_int64(double value)
{
    /* 2^63 is the smallest double beyond the range */
    if (value >= 9223372036854775808.0)
        return G_MAXINT64;
    return value <= -9223372036854775808.0 ? G_MININT64 : (gint64) value;
}

static GParamSpec *
make_pspec(const AditParameter *p)
{
    switch (p->type) {
    case ADIT_PARAMETER_INT:
        return g_param_spec_int64(p->name, NULL, p->blurb, to_int64(p->min), to_int64(p->max),
                                  to_int64(p->def), FLAGS);
    case ADIT_PARAMETER_NUMBER:
        return g_param_spec_double(p->name, NULL, p->blurb, p->min, p->max, p->def, FLAGS);
    case ADIT_PARAMETER_BOOLEAN:
        return g_param_spec_boolean(p->name, NULL, p->blurb, p->def != 0.0, FLAGS);
    case ADIT_PARAMETER_TEXT:
    case ADIT_PARAMETER_PATH:
        return g_param_spec_string(p->name, NULL, p->blurb, p->def_text, FLAGS);
    case ADIT_PARAMETER_CHOICE:
        return g_param_spec_int(p->name, NULL, p->blurb, 0,
                                (int) g_strv_length((char **) p->words) - 1, (int) p->def, FLAGS);
    case ADIT_PARAMETER_AMOUNT:
        return make_checked(p, ADIT_TYPE_AMOUNT);
    case ADIT_PARAMETER_LIVE:
        return make_checked(p, ADIT_TYPE_LIVE);
    case ADIT_PARAMETER_NUMBERS:
        return make_checked(p, ADIT_TYPE_NUMBERS);
    case ADIT_PARAMETER_REFERENCE:
        return g_param_spec_object(p->name, NULL, p->blurb, p->kind, FLAGS);
    case ADIT_PARAMETER_TEXTS:
    case ADIT_PARAMETER_ADDRESSES:
    default:
        return g_param_spec_boxed(p->name, NULL, p->blurb, G_TYPE_STRV, FLAGS);
    }
}

GParamSpec *
adit_field_make_pspec(AditField *field)
{
    GParamSpec *pspec = make_pspec(&field->parameter);

    g_param_spec_set_qdata(pspec, field_quark(), field);
    field->parameter.pspec = pspec;
    return pspec;
}

AditField *
adit_field_from_pspec(GParamSpec *pspec)
{
    return g_param_spec_get_qdata(pspec, field_quark());
}

/* Values. */

#define VALUE(field, instance, ctype) (*(ctype *) ((char *) (instance) + (field)->offset))

void
adit_field_reset(const AditField *field, gpointer instance)
{
    const AditParameter *p = &field->parameter;

    switch (p->type) {
    case ADIT_PARAMETER_INT:
        VALUE(field, instance, gint64) = to_int64(p->def);
        break;
    case ADIT_PARAMETER_NUMBER:
        VALUE(field, instance, double) = p->def;
        break;
    case ADIT_PARAMETER_BOOLEAN:
        VALUE(field, instance, gboolean) = p->def != 0.0;
        break;
    case ADIT_PARAMETER_CHOICE:
        VALUE(field, instance, int) = (int) p->def;
        break;
    case ADIT_PARAMETER_TEXT:
    case ADIT_PARAMETER_PATH:
        VALUE(field, instance, char *) = g_strdup(p->def_text);
        break;
    case ADIT_PARAMETER_AMOUNT:
        VALUE(field, instance, AditAmount) = p->def_amount;
        break;
    case ADIT_PARAMETER_LIVE:
        VALUE(field, instance, AditLive *) = adit_live_new(p->def);
        break;
    case ADIT_PARAMETER_NUMBERS:
        VALUE(field, instance, GArray *) = g_array_new(FALSE, FALSE, sizeof(double));
        break;
    case ADIT_PARAMETER_ADDRESSES:
        if (p->def_text != NULL)
            VALUE(field, instance, GStrv) = g_strsplit(p->def_text, " ", -1);
        break;
    case ADIT_PARAMETER_TEXTS:
    case ADIT_PARAMETER_REFERENCE:
    default:
        break; /* NULL, as instances are born */
    }
}

void
adit_field_clear(const AditField *field, gpointer instance)
{
    switch (field->parameter.type) {
    case ADIT_PARAMETER_TEXT:
    case ADIT_PARAMETER_PATH:
        g_clear_pointer(&VALUE(field, instance, char *), g_free);
        break;
    case ADIT_PARAMETER_LIVE:
        g_clear_pointer(&VALUE(field, instance, AditLive *), adit_live_unref);
        break;
    case ADIT_PARAMETER_NUMBERS:
        g_clear_pointer(&VALUE(field, instance, GArray *), g_array_unref);
        break;
    case ADIT_PARAMETER_TEXTS:
    case ADIT_PARAMETER_ADDRESSES:
        g_clear_pointer(&VALUE(field, instance, GStrv), g_strfreev);
        break;
    case ADIT_PARAMETER_REFERENCE:
        g_clear_object(&VALUE(field, instance, GObject *));
        break;
    case ADIT_PARAMETER_INT:
    case ADIT_PARAMETER_NUMBER:
    case ADIT_PARAMETER_BOOLEAN:
    case ADIT_PARAMETER_CHOICE:
    case ADIT_PARAMETER_AMOUNT:
    default:
        break; /* lies in the instance itself */
    }
}

void
adit_field_set(const AditField *field, gpointer instance, const GValue *value)
{
    adit_field_clear(field, instance);
    switch (field->parameter.type) {
    case ADIT_PARAMETER_INT:
        VALUE(field, instance, gint64) = g_value_get_int64(value);
        break;
    case ADIT_PARAMETER_NUMBER:
        VALUE(field, instance, double) = g_value_get_double(value);
        break;
    case ADIT_PARAMETER_BOOLEAN:
        VALUE(field, instance, gboolean) = g_value_get_boolean(value);
        break;
    case ADIT_PARAMETER_CHOICE:
        VALUE(field, instance, int) = g_value_get_int(value);
        break;
    case ADIT_PARAMETER_TEXT:
    case ADIT_PARAMETER_PATH:
        VALUE(field, instance, char *) = g_value_dup_string(value);
        break;
    case ADIT_PARAMETER_AMOUNT:
        VALUE(field, instance, AditAmount) = *(const AditAmount *) g_value_get_boxed(value);
        break;
    case ADIT_PARAMETER_REFERENCE:
        VALUE(field, instance, gpointer) = g_value_dup_object(value);
        break;
    case ADIT_PARAMETER_LIVE:
    case ADIT_PARAMETER_NUMBERS:
    case ADIT_PARAMETER_TEXTS:
    case ADIT_PARAMETER_ADDRESSES:
    default:
        VALUE(field, instance, gpointer) = g_value_dup_boxed(value);
        break;
    }
}

void
adit_field_get(const AditField *field, gpointer instance, GValue *value)
{
    switch (field->parameter.type) {
    case ADIT_PARAMETER_INT:
        g_value_set_int64(value, VALUE(field, instance, gint64));
        break;
    case ADIT_PARAMETER_NUMBER:
        g_value_set_double(value, VALUE(field, instance, double));
        break;
    case ADIT_PARAMETER_BOOLEAN:
        g_value_set_boolean(value, VALUE(field, instance, gboolean));
        break;
    case ADIT_PARAMETER_CHOICE:
        g_value_set_int(value, VALUE(field, instance, int));
        break;
    case ADIT_PARAMETER_TEXT:
    case ADIT_PARAMETER_PATH:
        g_value_set_string(value, VALUE(field, instance, char *));
        break;
    case ADIT_PARAMETER_AMOUNT:
        g_value_set_boxed(value, &VALUE(field, instance, AditAmount));
        break;
    case ADIT_PARAMETER_REFERENCE:
        g_value_set_object(value, VALUE(field, instance, gpointer));
        break;
    case ADIT_PARAMETER_LIVE:
    case ADIT_PARAMETER_NUMBERS:
    case ADIT_PARAMETER_TEXTS:
    case ADIT_PARAMETER_ADDRESSES:
    default:
        g_value_set_boxed(value, VALUE(field, instance, gpointer));
        break;
    }
}

gboolean
adit_field_check(const AditField *field, gpointer instance, GError **error)
{
    const AditParameter *p = &field->parameter;
    guint n = p->pair ? VALUE(field, instance, GArray *)->len : 1;

    if (n == 1 || n == 2 || (n == 0 && !p->required))
        return TRUE;
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                "'%s' must be one number or height and width, got %u", p->name, n);
    return FALSE;
}

static gboolean
numbers_equal(const GArray *a, const GArray *b)
{
    return a->len == b->len &&
           (a->len == 0 || memcmp(a->data, b->data, a->len * sizeof(double)) == 0);
}

static gboolean
texts_equal(const char *const *a, const char *const *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    return g_strv_equal(a, b);
}

gboolean
adit_field_equal(const AditField *field, gpointer a, gpointer b)
{
    switch (field->parameter.type) {
    case ADIT_PARAMETER_INT:
        return VALUE(field, a, gint64) == VALUE(field, b, gint64);
    case ADIT_PARAMETER_NUMBER:
        return VALUE(field, a, double) == VALUE(field, b, double);
    case ADIT_PARAMETER_BOOLEAN:
        return !VALUE(field, a, gboolean) == !VALUE(field, b, gboolean);
    case ADIT_PARAMETER_CHOICE:
        return VALUE(field, a, int) == VALUE(field, b, int);
    case ADIT_PARAMETER_TEXT:
    case ADIT_PARAMETER_PATH:
        return g_strcmp0(VALUE(field, a, char *), VALUE(field, b, char *)) == 0;
    case ADIT_PARAMETER_AMOUNT:
        return VALUE(field, a, AditAmount).value == VALUE(field, b, AditAmount).value &&
               VALUE(field, a, AditAmount).unit == VALUE(field, b, AditAmount).unit;
    case ADIT_PARAMETER_LIVE:
        return adit_live_equal(VALUE(field, a, AditLive *), VALUE(field, b, AditLive *));
    case ADIT_PARAMETER_NUMBERS:
        return numbers_equal(VALUE(field, a, GArray *), VALUE(field, b, GArray *));
    case ADIT_PARAMETER_REFERENCE:
        return adit_component_equal(VALUE(field, a, AditComponent *),
                                    VALUE(field, b, AditComponent *));
    case ADIT_PARAMETER_TEXTS:
    case ADIT_PARAMETER_ADDRESSES:
    default:
        return texts_equal(VALUE(field, a, const char *const *),
                           VALUE(field, b, const char *const *));
    }
}
