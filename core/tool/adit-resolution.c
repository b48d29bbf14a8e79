/* core/tool/adit-resolution.c - SPDX-License-Identifier: MIT */
#include "adit-tool.h"

#include "adit-graph-private.h"
#include "adit-selection.h"

#include <string.h>

/* Sides that a network can be built for. */
#define MAX_SIDE 65536

/* "32" or "24x32". */
static gboolean
parse_resolution(const char *text, gsize *height, gsize *width, GError **error)
{
    g_auto(GStrv) sides = g_strsplit(text, "x", 2);
    guint64 values[2] = {0};
    guint n = g_strv_length(sides);
    gboolean good = n > 0;

    for (guint i = 0; good && i < n; i++)
        good = g_ascii_string_to_unsigned(sides[i], 10, 1, MAX_SIDE, &values[i], NULL);
    *height = values[0];
    *width = values[n > 1 ? 1 : 0];
    if (!good)
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "'--resolution' must be 32 or 24x32 (height x width), of 1..%d, got \"%s\"",
                    MAX_SIDE, text);
    return good;
}

/* FALSE: the input is no image. */
static gboolean
find_channels(AditGraph *graph, gsize *channels, GError **error)
{
    g_autoptr(GArray) picks = adit_graph_pick(graph, "input");
    const AditShape *shape = adit_tensor_get_shape(g_array_index(picks, AditPick, 0).tensor);
    g_autofree char *got = adit_shape_to_string(shape);

    *channels = shape->size[0];
    if (shape->rank == 3)
        return TRUE;
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                "'--resolution' is that of images: expected an input of channels x height x "
                "width, got %s",
                got);
    return FALSE;
}

AditGraph *
adit_tool_build_at_resolution(AditInvocation *self, const AditExperiment *experiment,
                              const AditCheck *check, GError **error)
{
    AditShape shape = ADIT_SHAPE(0, 0, 0);
    const char *text = self->options.resolution;

    if (text == NULL)
        return adit_graph_ref(check->graph);
    if (!parse_resolution(text, &shape.size[1], &shape.size[2], error) ||
        !find_channels(check->graph, &shape.size[0], error))
        return NULL;
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_EVALUATION);

    adit_model_build(&experiment->model, graph, adit_input(graph, "inputs", &shape, 0));
    const GError *failure = adit_graph_get_error(graph);

    if (failure == NULL)
        return g_steal_pointer(&graph);
    g_set_error(error, ADIT_ERROR, failure->code, "at a resolution of %s: %s", text,
                failure->message);
    return NULL;
}
