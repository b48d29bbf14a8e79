/* core/pipeline/adit-yaml-write.c - SPDX-License-Identifier: MIT */
#include "adit-node.h"

#include <string.h>
#include <yaml.h>

/* collections that fit into a line are written in flow form */
#define LINE_WIDTH 100

static int
append_cb(void *data, unsigned char *buffer, size_t size)
{
    g_string_append_len((GString *) data, (const char *) buffer, (gssize) size);
    return 1;
}

static gsize
measure(const AditNode *node)
{
    gsize width = 2;

    if (node->kind == ADIT_NODE_SCALAR)
        return strlen(node->text) + (node->plain ? 0 : 2);
    for (guint i = 0; i < node->items->len && width <= LINE_WIDTH; i++) {
        width += measure(adit_node_get_item(node, i)) + 2;
        if (node->kind == ADIT_NODE_MAPPING)
            width += measure(adit_node_get_key(node, i)) + 2;
    }
    return width;
}

/* Text that was quoted keeps its quotes only where it would read as something else. */
static yaml_scalar_style_t
choose_style(const AditNode *node)
{
    AditNode bare = *node;

    bare.plain = TRUE;
    if (!node->plain && adit_node_get_scalar(&bare).type != ADIT_SCALAR_TEXT)
        return YAML_DOUBLE_QUOTED_SCALAR_STYLE;
    return YAML_PLAIN_SCALAR_STYLE;
}

static void emit(yaml_emitter_t *emitter, const AditNode *node, guint indent, gboolean flow);

static void
emit_scalar(yaml_emitter_t *emitter, const AditNode *node)
{
    yaml_event_t event;

    yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *) node->text,
                                 (int) strlen(node->text), TRUE, TRUE, choose_style(node));
    yaml_emitter_emit(emitter, &event);
}

static void
emit_mapping(yaml_emitter_t *emitter, const AditNode *node, guint indent, gboolean flow)
{
    yaml_event_t event;

    yaml_mapping_start_event_initialize(&event, NULL, NULL, TRUE,
                                        flow ? YAML_FLOW_MAPPING_STYLE : YAML_BLOCK_MAPPING_STYLE);
    yaml_emitter_emit(emitter, &event);
    for (guint i = 0; i < node->items->len; i++) {
        const AditNode *key = adit_node_get_key(node, i);
        const AditNode *item = adit_node_get_item(node, i);
        gboolean fits = indent + strlen(key->text) + 2 + measure(item) <= LINE_WIDTH;

        emit_scalar(emitter, key);
        emit(emitter, item, indent + 2, flow || fits);
    }
    yaml_mapping_end_event_initialize(&event);
    yaml_emitter_emit(emitter, &event);
}

static void
emit(yaml_emitter_t *emitter, const AditNode *node, guint indent, gboolean flow)
{
    yaml_event_t event;

    if (node->kind == ADIT_NODE_SCALAR) {
        emit_scalar(emitter, node);
    } else if (node->kind == ADIT_NODE_MAPPING) {
        emit_mapping(emitter, node, indent, flow || node->items->len == 0);
    } else {
        yaml_sequence_start_event_initialize(
            &event, NULL, NULL, TRUE,
            flow || node->items->len == 0 ? YAML_FLOW_SEQUENCE_STYLE : YAML_BLOCK_SEQUENCE_STYLE);
        yaml_emitter_emit(emitter, &event);
        for (guint i = 0; i < node->items->len; i++) {
            const AditNode *item = adit_node_get_item(node, i);

            emit(emitter, item, indent + 2, flow || indent + 2 + measure(item) <= LINE_WIDTH);
        }
        yaml_sequence_end_event_initialize(&event);
        yaml_emitter_emit(emitter, &event);
    }
}

/* @flow: on one line */
static GString *
write_text(const AditNode *self, gboolean flow)
{
    GString *out = g_string_new(NULL);
    yaml_emitter_t emitter;
    yaml_event_t event;

    yaml_emitter_initialize(&emitter);
    yaml_emitter_set_output(&emitter, append_cb, out);
    yaml_emitter_set_unicode(&emitter, TRUE);
    yaml_emitter_set_width(&emitter, -1);
    yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING);
    yaml_emitter_emit(&emitter, &event);
    yaml_document_start_event_initialize(&event, NULL, NULL, NULL, TRUE);
    yaml_emitter_emit(&emitter, &event);
    emit(&emitter, self, 0, flow);
    yaml_document_end_event_initialize(&event, TRUE);
    yaml_emitter_emit(&emitter, &event);
    yaml_stream_end_event_initialize(&event);
    yaml_emitter_emit(&emitter, &event);
    yaml_emitter_delete(&emitter);
    return out;
}

char *
adit_yaml_write(const AditNode *self)
{
    return g_string_free(write_text(self, FALSE), FALSE);
}

/* Within a list a scalar gets the quotes that it needs between commas and brackets. */
char *
adit_yaml_write_line(const AditNode *self)
{
    g_autoptr(AditNode) list = adit_node_new_list(NULL);
    g_autofree char *text = NULL;
    gsize length;

    adit_node_append(list, adit_node_ref((AditNode *) self));
    text = g_strchomp(g_string_free(write_text(list, TRUE), FALSE));
    length = strlen(text);
    return g_strndup(text + 1, length - 2);
}
