/* core/component/adit-component.c - SPDX-License-Identifier: MIT */
#include "adit-parameter.h"

typedef struct {
    AditPlace place;
} AditComponentPrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE(AditComponent, adit_component, G_TYPE_OBJECT)

/* Under which a type keeps what its class declares itself: (element-type AditField). */
static GQuark
own_fields_quark(void)
{
    return g_quark_from_static_string("adit-component-fields");
}

/* All fields of a class, base classes first; a field declared again takes its first one's place. */
static GPtrArray *
list_fields(GType leaf)
{
    g_autoptr(GPtrArray) fields = g_ptr_array_new();
    g_autoptr(GArray) lineage = g_array_new(FALSE, FALSE, sizeof(GType));

    for (GType type = leaf; type != G_TYPE_OBJECT; type = g_type_parent(type))
        g_array_prepend_val(lineage, type);
    for (guint i = 0; i < lineage->len; i++) {
        GPtrArray *own = g_type_get_qdata(g_array_index(lineage, GType, i), own_fields_quark());
        for (guint j = 0; own != NULL && j < own->len; j++) {
            AditField *field = own->pdata[j];
            guint at = 0;
            while (at < fields->len && strcmp(((AditField *) fields->pdata[at])->parameter.name,
                                              field->parameter.name) != 0)
                at++;
            if (at == fields->len)
                g_ptr_array_add(fields, field);
            else
                fields->pdata[at] = field;
        }
    }
    return g_steal_pointer(&fields);
}

static void
set_property(GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
    adit_field_set(adit_field_from_pspec(pspec), object, value);
}

static void
get_property(GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
    adit_field_get(adit_field_from_pspec(pspec), object, value);
}

/* runs before the properties given to g_object_new() are set */
static void
constructed(GObject *object)
{
    g_autoptr(GPtrArray) fields = list_fields(G_OBJECT_TYPE(object));

    for (guint i = 0; i < fields->len; i++)
        adit_field_reset(fields->pdata[i], object);
    G_OBJECT_CLASS(adit_component_parent_class)->constructed(object);
}

static void
finalize(GObject *object)
{
    g_autoptr(GPtrArray) fields = list_fields(G_OBJECT_TYPE(object));

    for (guint i = 0; i < fields->len; i++)
        adit_field_clear(fields->pdata[i], object);
    G_OBJECT_CLASS(adit_component_parent_class)->finalize(object);
}

/* A property tells of what it refuses no more than that it did; pairs are looked at here. */
static gboolean
check(AditComponent *self, GError **error)
{
    g_autoptr(GPtrArray) fields = list_fields(G_OBJECT_TYPE(self));

    for (guint i = 0; i < fields->len; i++)
        if (!adit_field_check(fields->pdata[i], self, error))
            return FALSE;
    return TRUE;
}

static void
adit_component_class_init(AditComponentClass *klass)
{
    klass->check = check;
    G_OBJECT_CLASS(klass)->constructed = constructed;
    G_OBJECT_CLASS(klass)->finalize = finalize;
}

static void
adit_component_init(AditComponent *self)
{
}

/**
 * adit_component_register: (skip)
 *
 * Registers a final component type for ADIT_DEFINE_COMPONENT.
 *
 * Returns: the type; G_TYPE_NONE when another type has this name
 */
GType
adit_component_register(GType parent, const char *name, gsize instance_size,
                        GClassInitFunc class_init)
{
    GTypeQuery query;

    if (g_type_from_name(name) != 0)
        return G_TYPE_NONE;
    g_type_query(parent, &query);

    const GTypeInfo info = {
        .class_size = (guint16) query.class_size,
        .class_init = class_init,
        .instance_size = (guint16) instance_size,
    };
    return g_type_register_static(parent, name, &info, G_TYPE_FLAG_FINAL);
}

/**
 * adit_component_class_describe:
 * @name: (transfer none): the name in YAML, static
 * @blurb: (transfer none): one line, no full stop, static
 */
void
adit_component_class_describe(AditComponentClass *klass, const char *name, const char *blurb)
{
    klass->name = name;
    klass->blurb = blurb;
}

/**
 * adit_component_class_set_example:
 * @yaml: (transfer none): a reference to the component that the tests build, static
 */
void
adit_component_class_set_example(AditComponentClass *klass, const char *yaml)
{
    klass->example = yaml;
}

static AditField *
keep_field(AditComponentClass *klass, const AditField *field)
{
    GType type = G_TYPE_FROM_CLASS(klass);
    GPtrArray *own = g_type_get_qdata(type, own_fields_quark());
    AditField *kept = g_memdup2(field, sizeof *field);

    if (own == NULL) {
        own = g_ptr_array_new();
        g_type_set_qdata(type, own_fields_quark(), own);
    }
    g_ptr_array_add(own, kept);
    return kept;
}

/* GObject clears both accessors in every subclass, so each class that declares a parameter gets
 * them. */
static void
add_parameter(AditComponentClass *klass, const AditParameter *parameter, gsize offset)
{
    GObjectClass *object_class = G_OBJECT_CLASS(klass);
    GPtrArray *own = g_type_get_qdata(G_TYPE_FROM_CLASS(klass), own_fields_quark());
    guint id = own == NULL ? 1 : own->len + 1;
    AditField *field =
        keep_field(klass, &(AditField){.parameter = *parameter, .offset = (gssize) offset});

    object_class->set_property = set_property;
    object_class->get_property = get_property;
    g_object_class_install_property(object_class, id, adit_field_make_pspec(field));
}

void
adit_component_class_add_int(AditComponentClass *klass, const char *name, const char *blurb,
                             gint64 min, gint64 max, gint64 def, gsize field)
{
    add_parameter(klass,
                  &(AditParameter){.name = name,
                                   .blurb = blurb,
                                   .type = ADIT_PARAMETER_INT,
                                   .min = (double) min,
                                   .max = (double) max,
                                   .def = (double) def},
                  field);
}

void
adit_component_class_add_number(AditComponentClass *klass, const char *name, const char *blurb,
                                double min, double max, double def, gsize field)
{
    add_parameter(klass,
                  &(AditParameter){.name = name,
                                   .blurb = blurb,
                                   .type = ADIT_PARAMETER_NUMBER,
                                   .min = min,
                                   .max = max,
                                   .def = def},
                  field);
}

void
adit_component_class_add_boolean(AditComponentClass *klass, const char *name, const char *blurb,
                                 gboolean def, gsize field)
{
    add_parameter(klass,
                  &(AditParameter){.name = name,
                                   .blurb = blurb,
                                   .type = ADIT_PARAMETER_BOOLEAN,
                                   .max = 1.0,
                                   .def = def ? 1.0 : 0.0},
                  field);
}

void
adit_component_class_add_text(AditComponentClass *klass, const char *name, const char *blurb,
                              const char *def, gsize field)
{
    add_parameter(klass,
                  &(AditParameter){
                      .name = name, .blurb = blurb, .type = ADIT_PARAMETER_TEXT, .def_text = def},
                  field);
}

void
adit_component_class_add_path(AditComponentClass *klass, const char *name, const char *blurb,
                              const char *def, gsize field)
{
    add_parameter(klass,
                  &(AditParameter){
                      .name = name, .blurb = blurb, .type = ADIT_PARAMETER_PATH, .def_text = def},
                  field);
}

void
adit_component_class_add_choice(AditComponentClass *klass, const char *name, const char *blurb,
                                const char *const *words, int def, gsize field)
{
    add_parameter(klass,
                  &(AditParameter){.name = name,
                                   .blurb = blurb,
                                   .type = ADIT_PARAMETER_CHOICE,
                                   .max = (double) g_strv_length((char **) words) - 1.0,
                                   .words = words,
                                   .def = def},
                  field);
}

void
adit_component_class_add_amount(AditComponentClass *klass, const char *name, const char *blurb,
                                AditForm form, double min, double max, AditAmount def, gsize field)
{
    add_parameter(klass,
                  &(AditParameter){.name = name,
                                   .blurb = blurb,
                                   .type = ADIT_PARAMETER_AMOUNT,
                                   .form = form,
                                   .min = min,
                                   .max = max,
                                   .def_amount = def},
                  field);
}

void
adit_component_class_add_live(AditComponentClass *klass, const char *name, const char *blurb,
                              double min, double max, double def, gsize field)
{
    add_parameter(klass,
                  &(AditParameter){.name = name,
                                   .blurb = blurb,
                                   .type = ADIT_PARAMETER_LIVE,
                                   .min = min,
                                   .max = max,
                                   .def = def},
                  field);
}

void
adit_component_class_add_numbers(AditComponentClass *klass, const char *name, const char *blurb,
                                 gboolean whole, double min, double max, gsize field)
{
    add_parameter(klass,
                  &(AditParameter){.name = name,
                                   .blurb = blurb,
                                   .type = ADIT_PARAMETER_NUMBERS,
                                   .whole = whole,
                                   .min = min,
                                   .max = max},
                  field);
}

void
adit_component_class_add_pair(AditComponentClass *klass, const char *name, const char *blurb,
                              double min, double max, gsize field)
{
    add_parameter(klass,
                  &(AditParameter){.name = name,
                                   .blurb = blurb,
                                   .type = ADIT_PARAMETER_NUMBERS,
                                   .whole = TRUE,
                                   .pair = TRUE,
                                   .min = min,
                                   .max = max},
                  field);
}

void
adit_component_class_add_texts(AditComponentClass *klass, const char *name, const char *blurb,
                               gsize field)
{
    add_parameter(
        klass, &(AditParameter){.name = name, .blurb = blurb, .type = ADIT_PARAMETER_TEXTS}, field);
}

void
adit_component_class_add_addresses(AditComponentClass *klass, const char *name, const char *blurb,
                                   const char *def, gsize field)
{
    add_parameter(
        klass,
        &(AditParameter){
            .name = name, .blurb = blurb, .type = ADIT_PARAMETER_ADDRESSES, .def_text = def},
        field);
}

void
adit_component_class_add_reference(AditComponentClass *klass, const char *name, const char *blurb,
                                   GType type, gsize field)
{
    add_parameter(klass,
                  &(AditParameter){
                      .name = name, .blurb = blurb, .type = ADIT_PARAMETER_REFERENCE, .kind = type},
                  field);
}

/* The class's own field @name; an inherited one is copied, so that it can differ here alone. */
static AditField *
ensure_own_field(AditComponentClass *klass, const char *name)
{
    GType type = G_TYPE_FROM_CLASS(klass);
    GPtrArray *own = g_type_get_qdata(type, own_fields_quark());
    g_autoptr(GPtrArray) fields = list_fields(type);

    for (guint i = 0; i < fields->len; i++) {
        AditField *field = fields->pdata[i];
        if (strcmp(field->parameter.name, name) != 0)
            continue;
        if (own != NULL && g_ptr_array_find(own, field, NULL))
            return field;
        return keep_field(klass, field);
    }
    g_critical("'%s' has no parameter '%s'", G_OBJECT_CLASS_NAME(klass), name);
    return NULL;
}

void
adit_component_class_require(AditComponentClass *klass, const char *name)
{
    AditField *field = ensure_own_field(klass, name);

    if (field != NULL)
        field->parameter.required = TRUE;
}

void
adit_component_class_set_default(AditComponentClass *klass, const char *name, double def)
{
    AditField *field = ensure_own_field(klass, name);

    if (field != NULL)
        field->parameter.def = def;
}

void
adit_component_class_allow_words(AditComponentClass *klass, const char *name,
                                 const char *const *words)
{
    AditField *field = ensure_own_field(klass, name);

    g_return_if_fail(field != NULL && field->parameter.type == ADIT_PARAMETER_NUMBERS);
    field->parameter.words = words;
}

GPtrArray *
adit_component_class_list_parameters(AditComponentClass *klass)
{
    /* an AditField begins with its AditParameter */
    return list_fields(G_TYPE_FROM_CLASS(klass));
}

const AditParameter *
adit_component_class_find_parameter(AditComponentClass *klass, const char *name)
{
    g_autoptr(GPtrArray) parameters = adit_component_class_list_parameters(klass);

    for (guint i = 0; i < parameters->len; i++) {
        const AditParameter *parameter = parameters->pdata[i];
        if (strcmp(parameter->name, name) == 0)
            return parameter;
    }
    return NULL;
}

void
adit_component_set_place(AditComponent *self, const AditPlace *place)
{
    AditComponentPrivate *priv = adit_component_get_instance_private(self);

    priv->place = place != NULL ? *place : (AditPlace){0};
}

const AditPlace *
adit_component_get_place(AditComponent *self)
{
    AditComponentPrivate *priv = adit_component_get_instance_private(self);

    return priv->place.line != 0 ? &priv->place : NULL;
}

static gboolean
check_as(AditComponent *self, GType type, GError **error)
{
    if (type == G_TYPE_OBJECT)
        return TRUE;

    GType parent = g_type_parent(type);
    AditComponentClass *klass = g_type_class_peek(type);
    AditComponentClass *parent_class = parent != G_TYPE_OBJECT ? g_type_class_peek(parent) : NULL;

    if (!check_as(self, parent, error))
        return FALSE;
    if (klass->check == NULL || (parent_class != NULL && parent_class->check == klass->check))
        return TRUE;
    return klass->check(self, error);
}

gboolean
adit_component_check(AditComponent *self, GError **error)
{
    return check_as(self, G_OBJECT_TYPE(self), error);
}

gboolean
adit_component_equal(AditComponent *a, AditComponent *b)
{
    if (a == b)
        return TRUE;
    if (a == NULL || b == NULL || G_OBJECT_TYPE(a) != G_OBJECT_TYPE(b))
        return FALSE;

    g_autoptr(GPtrArray) fields = list_fields(G_OBJECT_TYPE(a));
    for (guint i = 0; i < fields->len; i++) {
        if (!adit_field_equal(fields->pdata[i], a, b))
            return FALSE;
    }
    AditComponentClass *klass = ADIT_COMPONENT_GET_CLASS(a);
    return klass->equal == NULL || klass->equal(a, b);
}
