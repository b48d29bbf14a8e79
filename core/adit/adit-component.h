/* core/adit/adit-component.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-error.h>
#include <adit/adit-types.h>

G_BEGIN_DECLS

/**
 * AditComponent: the base of everything that has a name in YAML.
 *
 * Its parameters are GObject properties declared once, by struct offset, in class_init. From that
 * one declaration come YAML validation, `adit inspect`, defaults, setting and reading back.
 * Parameters are set before the component is used and stay as they are; what moves is an #AditLive.
 */
#define ADIT_TYPE_COMPONENT (adit_component_get_type())
G_DECLARE_DERIVABLE_TYPE(AditComponent, adit_component, ADIT, COMPONENT, GObject)

/**
 * AditComponentClass:
 * @kind: the word for the kind in messages, set by the kind's base class: "block", "loss"
 * @name: the name in YAML; a vendor's has its prefix: "acme:swish"
 * @blurb: one line, no full stop
 * @example: (nullable): YAML the tests build; without it the defaults are the example
 * @check: (nullable): refuses parameters that do not fit together, with ADIT_ERROR_INVALID; called
 * once by whoever made the component, after all parameters are set; a kind's own check comes first
 * @equal: (nullable): compares what is not a parameter; called with two components of this very
 * type whose parameters are equal. Without it equal parameters are enough.
 */
struct _AditComponentClass {
    GObjectClass parent_class;

    const char *kind;
    const char *name;
    const char *blurb;
    const char *example;
    gboolean (*check)(AditComponent *self, GError **error);
    gboolean (*equal)(AditComponent *self, AditComponent *other);

    gpointer padding[7];
};

void adit_component_class_describe(AditComponentClass *klass, const char *name, const char *blurb);
void adit_component_class_set_example(AditComponentClass *klass, const char *yaml);

/**
 * ADIT_FIELD:
 *
 * The offset of a member for the functions below; does not compile unless the member has the type
 * @ctype that the parameter needs.
 */
#define ADIT_FIELD(Type, member, ctype)                                                            \
    ((gsize) G_STRUCT_OFFSET(Type, member) +                                                       \
     0 * sizeof(char[_Generic(&((Type *) NULL)->member, ctype * : 1)]))

/**
 * AditUnit: what a number with a unit is written in (LANGUAGE 2.2).
 */
typedef enum {
    ADIT_UNIT_NONE,    /* a bare number: samples, channels, epochs, as the form says */
    ADIT_UNIT_PERCENT, /* "20%" is kept as the share 0.2 */
    ADIT_UNIT_STEPS,   /* "500 steps" */
    ADIT_UNIT_SECONDS, /* times */
    ADIT_UNIT_BYTES,
} AditUnit;

/**
 * AditAmount: a number with its unit.
 */
typedef struct {
    double value;
    AditUnit unit;
} AditAmount;

/**
 * AditForm: how an amount is written and what bare numbers mean.
 */
typedef enum {
    ADIT_FORM_SHARE, /* "20%", 0.2: of the whole, kept as a bare number in 0..1 */
    ADIT_FORM_COUNT, /* 5000 samples, or a percentage of them */
    ADIT_FORM_WIDTH, /* 64, or a percentage of the input's channels or last axis */
    ADIT_FORM_SPAN,  /* 50 epochs, or "500 steps" */
    ADIT_FORM_TIME,  /* seconds */
    ADIT_FORM_BYTES,
} AditForm;

/* Parameters. Each is named in kebab-case and has a one-line @blurb, a range and a default. Call
 * them in class_init, in the order `adit inspect` shall print. Strings and objects are owned by the
 * instance: the base class frees them. @max may be G_MAXINT64 or G_MAXDOUBLE. */

void adit_component_class_add_int(AditComponentClass *klass, const char *name, const char *blurb,
                                  gint64 min, gint64 max, gint64 def, gsize field /* gint64 */);
void adit_component_class_add_number(AditComponentClass *klass, const char *name, const char *blurb,
                                     double min, double max, double def, gsize field /* double */);
void adit_component_class_add_boolean(AditComponentClass *klass, const char *name,
                                      const char *blurb, gboolean def, gsize field /* gboolean */);
void adit_component_class_add_text(AditComponentClass *klass, const char *name, const char *blurb,
                                   const char *def, gsize field /* char * */);
/* A path: relative to the file that says it; the reader makes it absolute. */
void adit_component_class_add_path(AditComponentClass *klass, const char *name, const char *blurb,
                                   const char *def, gsize field /* char * */);
/* One of @words (NULL-terminated, static); the field holds its index. */
void adit_component_class_add_choice(AditComponentClass *klass, const char *name, const char *blurb,
                                     const char *const *words, int def, gsize field /* int */);
void adit_component_class_add_amount(AditComponentClass *klass, const char *name, const char *blurb,
                                     AditForm form, double min, double max, AditAmount def,
                                     gsize field /* AditAmount */);
/* A number that a schedule may move while a network trains. */
void adit_component_class_add_live(AditComponentClass *klass, const char *name, const char *blurb,
                                   double min, double max, double def,
                                   gsize field /* AditLive * */);
/* A list of numbers (GArray of double), empty by default; integers only if @whole. One value is a
 * list of one. */
void adit_component_class_add_numbers(AditComponentClass *klass, const char *name,
                                      const char *blurb, gboolean whole, double min, double max,
                                      gsize field /* GArray * */);
/* One or two whole numbers: a size of both axes of an image, or height and width. The field is a
 * list of numbers, empty if left out, which is read by adit_pair_get(). */
void adit_component_class_add_pair(AditComponentClass *klass, const char *name, const char *blurb,
                                   double min, double max, gsize field /* GArray * */);
/* Lets an item of the list of numbers @name, whose range begins at 0 or above, be one of @words
 * (NULL-terminated, static) as well: it is kept as -1, -2, ... */
void adit_component_class_allow_words(AditComponentClass *klass, const char *name,
                                      const char *const *words);
/* A list of texts, empty (NULL) by default. */
void adit_component_class_add_texts(AditComponentClass *klass, const char *name, const char *blurb,
                                    gsize field /* GStrv */);
/* A list of addresses, checked by the reader. @def is the default pattern or NULL for none. */
void adit_component_class_add_addresses(AditComponentClass *klass, const char *name,
                                        const char *blurb, const char *def,
                                        gsize field /* GStrv */);
/* A reference to a component of kind @type, none (NULL) by default. The field is a pointer to it.
 */
void adit_component_class_add_reference(AditComponentClass *klass, const char *name,
                                        const char *blurb, GType type,
                                        gsize field /* AditComponent * */);
/* Says that parameter @name has no default: leaving it out is an error. */
void adit_component_class_require(AditComponentClass *klass, const char *name);
/* Gives the parameter @name, which the kind declares, another default in this class: an integer,
 * number, boolean or choice. */
void adit_component_class_set_default(AditComponentClass *klass, const char *name, double def);

/**
 * AditLive: a number that may move with training: a constant or a schedule. Boxed,
 * reference-counted.
 */
#define ADIT_TYPE_LIVE (adit_live_get_type())
GType adit_live_get_type(void);
AditLive *adit_live_new(double value);
AditLive *adit_live_new_scheduled(AditSchedule *schedule);
AditLive *adit_live_ref(AditLive *self);
void adit_live_unref(AditLive *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditLive, adit_live_unref)

/**
 * ADIT_DEFINE_COMPONENT:
 * @TypeName: the C type, whose struct `_TypeName` stands complete above and begins with its parent
 *   instance
 * @type_name: the prefix of its functions
 * @CAST: the name of its checked cast
 * @PARENT: the GType of its kind
 *
 * Defines a final type: `type_name_get_type` and the cast. The author writes
 * `static void type_name_class_init(AditComponentClass *klass)`.
 */
#define ADIT_DEFINE_COMPONENT(TypeName, type_name, CAST, PARENT)                                   \
    typedef struct _##TypeName TypeName;                                                           \
    GType type_name##_get_type(void);                                                              \
    static void type_name##_class_init(AditComponentClass *klass);                                 \
    static void type_name##_intern_init(gpointer klass, G_GNUC_UNUSED gpointer data)               \
    {                                                                                              \
        type_name##_class_init((AditComponentClass *) klass);                                      \
    }                                                                                              \
    GType type_name##_get_type(void)                                                               \
    {                                                                                              \
        static gsize type = 0;                                                                     \
        if (g_once_init_enter(&type))                                                              \
            g_once_init_leave(&type, adit_component_register(PARENT, #TypeName, sizeof(TypeName),  \
                                                             type_name##_intern_init));            \
        return type;                                                                               \
    }                                                                                              \
    G_GNUC_UNUSED static inline TypeName *CAST(gpointer instance)                                  \
    {                                                                                              \
        return (TypeName *) g_type_check_instance_cast(instance, type_name##_get_type());          \
    }

/* For ADIT_DEFINE_COMPONENT only. G_TYPE_NONE when the name is taken: the registry refuses the
 * plugin. */
GType adit_component_register(GType parent, const char *name, gsize instance_size,
                              GClassInitFunc class_init);

G_END_DECLS
