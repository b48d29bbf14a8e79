/* tests/core/pipeline/stand-ins/stand-in.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>
#include <string.h>

/* Components that are read and never built: what the language's examples name. The build says which
 * one a module is. A parameter is written "name:type", with "!" behind it if it has no default. */

#define N_FIELDS 8

typedef struct {
    STAND_IN_PARENT parent_instance;
    gint64 integers[N_FIELDS];
    double numbers[N_FIELDS];
    gboolean booleans[N_FIELDS];
    char *texts[N_FIELDS];
    AditAmount amounts[N_FIELDS];
    GArray *lists[N_FIELDS];
    AditBlock *blocks[N_FIELDS];
    AditInitializer *initializers[N_FIELDS];
    GStrv addresses[N_FIELDS];
    AditLive *lives[N_FIELDS];
} Fields;

struct _STAND_IN_STRUCT {
    Fields fields;
};

#define DEFINE(Type, type, CAST, KIND) ADIT_DEFINE_COMPONENT(Type, type, CAST, KIND)
DEFINE(STAND_IN_TYPE, stand_in, STAND_IN, STAND_IN_KIND)

static const char *const table[][10] = {
    {"moons", "samples:integer", "noise:number", "scale:number"},
    {"csv", "path:path!", "target:text", "target-reduce:text", "target-transform:text"},
    {"idx", "folder:path!"},
    {"cifar", "folder:path!"},
    {"npy", "inputs:path!", "targets:path!"},
    {"conv", "filters:width!", "kernel:list", "stride:integer", "dilation:integer", "padding:text",
     "bias:boolean", "norm:block", "activation:block", "order:text"},
    {"pool", "type:text", "size:integer", "stride:integer", "padding:text", "to:integer"},
    {"global-pool"},
    {"normalize", "mean:list", "std:list"},
    {"random-crop", "padding:integer"},
    {"flip"},
    {"reshape", "shape:list!"},
    {"patch-embed", "patch:integer", "width:integer"},
    {"class-token"},
    {"positions", "initializer:initializer"},
    {"attention", "heads:integer"},
    {"token", "index:integer"},
    {"jumpstart", "weight:live", "aggregation:text", "scope:text"},
    {"block-norm"},
    {"units"},
    {"truncation"},
    {"logistic", "pool:integer"},
    {"cka", "against:addresses", "pool:integer"},
    {"gradient"},
    {"saturation"},
    {"ablation"},
};

static void
add_parameter(AditComponentClass *klass, const char *name, const char *type, guint i)
{
    const AditAmount width = {1, ADIT_UNIT_NONE};

    if (strcmp(type, "integer") == 0)
        adit_component_class_add_int(klass, name, "An integer", 0, G_MAXINT64, 1,
                                     ADIT_FIELD(Fields, integers[i], gint64));
    else if (strcmp(type, "number") == 0)
        adit_component_class_add_number(klass, name, "A number", 0, G_MAXDOUBLE, 0.5,
                                        ADIT_FIELD(Fields, numbers[i], double));
    else if (strcmp(type, "boolean") == 0)
        adit_component_class_add_boolean(klass, name, "A switch", TRUE,
                                         ADIT_FIELD(Fields, booleans[i], gboolean));
    else if (strcmp(type, "text") == 0)
        adit_component_class_add_text(klass, name, "A text", NULL,
                                      ADIT_FIELD(Fields, texts[i], char *));
    else if (strcmp(type, "path") == 0)
        adit_component_class_add_path(klass, name, "A path", NULL,
                                      ADIT_FIELD(Fields, texts[i], char *));
    else if (strcmp(type, "width") == 0)
        adit_component_class_add_amount(klass, name, "A width", ADIT_FORM_WIDTH, 1, 1e9, width,
                                        ADIT_FIELD(Fields, amounts[i], AditAmount));
    else if (strcmp(type, "list") == 0)
        adit_component_class_add_numbers(klass, name, "Numbers", FALSE, -1e9, 1e9,
                                         ADIT_FIELD(Fields, lists[i], GArray *));
    else if (strcmp(type, "block") == 0)
        adit_component_class_add_reference(klass, name, "A block", ADIT_TYPE_BLOCK,
                                           ADIT_FIELD(Fields, blocks[i], AditBlock *));
    else if (strcmp(type, "initializer") == 0)
        adit_component_class_add_reference(klass, name, "An initializer", ADIT_TYPE_INITIALIZER,
                                           ADIT_FIELD(Fields, initializers[i], AditInitializer *));
    else if (strcmp(type, "addresses") == 0)
        adit_component_class_add_addresses(klass, name, "Addresses", NULL,
                                           ADIT_FIELD(Fields, addresses[i], GStrv));
    else if (strcmp(type, "live") == 0)
        adit_component_class_add_live(klass, name, "A live number", 0, 1e9, 0.5,
                                      ADIT_FIELD(Fields, lives[i], AditLive *));
}

static void
stand_in_class_init(AditComponentClass *klass)
{
    adit_component_class_describe(klass, STAND_IN_NAME, "Stands in for a component");
    for (gsize row = 0; row < G_N_ELEMENTS(table); row++) {
        if (strcmp(table[row][0], STAND_IN_NAME) != 0)
            continue;
        for (guint i = 1; i < G_N_ELEMENTS(table[row]) && table[row][i] != NULL; i++) {
            char **words = g_strsplit(table[row][i], ":", 2);
            gboolean required = g_str_has_suffix(words[1], "!");

            if (required)
                words[1][strlen(words[1]) - 1] = '\0';
            /* names live as long as the class */
            add_parameter(klass, g_intern_string(words[0]), words[1], i % N_FIELDS);
            if (required)
                adit_component_class_require(klass, g_intern_string(words[0]));
            g_strfreev(words);
        }
    }
}

ADIT_PLUGIN(STAND_IN_NAME, "1.0", "MIT", ADIT_TYPES(stand_in_get_type))
