/* core/pipeline/adit-yaml.c - SPDX-License-Identifier: MIT */
#include <string.h>
#include <yaml.h>

#include "adit-node.h"
#include "adit-yaml-error.h"

/* A collection that is being read. */
typedef struct {
    AditNode *node;
    AditNode *key;    /* of a mapping: waits for its value; NULL: a key comes next */
    GHashTable *seen; /* of a mapping: its keys -> the line of each */
    char *anchor;
    guint first; /* number of nodes when it began */
} Frame;

typedef struct {
    AditNode *node;
    guint size;
} Anchor;

typedef struct {
    yaml_parser_t parser;
    AditSource *source;
    AditDiagnostics *diagnostics;
    GPtrArray *frames;
    GArray *open; /* AditPlace of open flow collections */
    GHashTable *anchors;
    AditNode *root;
    guint n_nodes;
    guint n_aliases;
    guint n_documents;
    guint tab_line; /* the last line a tab was reported in */
    const char *at; /* where the last event began, and its index in characters */
    gsize at_index;
    gboolean failed;
    gboolean stopped; /* nothing more is read */
} Reader;

static void
anchor_free(gpointer data)
{
    Anchor *anchor = (Anchor *) data;

    adit_node_unref(anchor->node);
    g_free(anchor);
}

static void
frame_free(gpointer data)
{
    Frame *frame = (Frame *) data;

    g_clear_pointer(&frame->node, adit_node_unref);
    g_clear_pointer(&frame->key, adit_node_unref);
    g_clear_pointer(&frame->seen, g_hash_table_unref);
    g_free(frame->anchor);
    g_free(frame);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Frame, frame_free)

/* Events come in order, so that all of them together walk the text once. */
static const char *
seek(Reader *self, yaml_mark_t mark)
{
    for (; self->at_index < mark.index && *self->at != '\0'; self->at_index++)
        self->at = g_utf8_next_char(self->at);
    return self->at;
}

static void
reader_fail(Reader *self, const AditPlace *place, gboolean stop, const char *text)
{
    adit_diagnostics_error(self->diagnostics, place, ADIT_ERROR_INVALID, "%s", text);
    self->failed = TRUE;
    self->stopped = self->stopped || stop;
}

static Frame *
get_top(Reader *self)
{
    return self->frames->len > 0 ? (Frame *) g_ptr_array_index(self->frames, self->frames->len - 1)
                                 : NULL;
}

static void
count_node(Reader *self, const AditPlace *place)
{
    if (++self->n_nodes > ADIT_YAML_MAX_NODES)
        reader_fail(self, place, TRUE, "more than 100000 nodes");
}

static void
check_key(Reader *self, const AditNode *key)
{
    if (key->kind != ADIT_NODE_SCALAR)
        reader_fail(self, &key->place, FALSE, "a key must be a word, not a list or a mapping");
    else if (strlen(key->text) > ADIT_YAML_MAX_KEY)
        reader_fail(self, &key->place, FALSE, "a key is longer than 256 bytes");
    else if (*key->text == '\0')
        reader_fail(self, &key->place, FALSE, "a key is missing before ':'");
    else if (key->plain && strcmp(key->text, "<<") == 0)
        reader_fail(self, &key->place, FALSE,
                    "merge key '<<' is not allowed; what repeats is a part");
}

static void
add_pair(Reader *self, Frame *frame, AditNode *value)
{
    g_autoptr(AditNode) key = g_steal_pointer(&frame->key);
    const char *text = key->kind == ADIT_NODE_SCALAR ? key->text : "";
    gpointer line;

    if (g_hash_table_lookup_extended(frame->seen, text, NULL, &line)) {
        g_autofree char *message =
            g_strdup_printf("key '%s' is already set in line %u", text, GPOINTER_TO_UINT(line));

        if (*text != '\0')
            reader_fail(self, &key->place, FALSE, message);
        adit_node_unref(value);
        return;
    }
    g_hash_table_insert(frame->seen, g_strdup(text), GUINT_TO_POINTER(key->place.line));
    g_ptr_array_add(frame->node->keys, g_steal_pointer(&key));
    g_ptr_array_add(frame->node->items, value);
}

/* Puts a finished node where it belongs; takes it. */
static void
add_node(Reader *self, AditNode *node)
{
    Frame *frame = get_top(self);

    if (frame == NULL) {
        g_clear_pointer(&self->root, adit_node_unref);
        self->root = node;
    } else if (frame->node->kind == ADIT_NODE_LIST) {
        adit_node_append(frame->node, node);
    } else if (frame->key == NULL) {
        check_key(self, node);
        frame->key = node;
    } else {
        add_pair(self, frame, node);
    }
}

static void
define_anchor(Reader *self, const char *name, AditNode *node, guint size)
{
    if (g_hash_table_size(self->anchors) >= ADIT_YAML_MAX_ANCHORS) {
        reader_fail(self, &node->place, TRUE, "more than 256 anchors");
        return;
    }
    Anchor *anchor = g_new0(Anchor, 1);

    anchor->node = adit_node_ref(node);
    anchor->size = size;
    g_hash_table_replace(self->anchors, g_strdup(name), anchor);
}

static gboolean
is_open_anchor(Reader *self, const char *name)
{
    for (guint i = 0; i < self->frames->len; i++)
        if (g_strcmp0(((Frame *) g_ptr_array_index(self->frames, i))->anchor, name) == 0)
            return TRUE;
    return FALSE;
}

static void
read_alias(Reader *self, const yaml_event_t *event)
{
    const char *name = (const char *) event->data.alias.anchor;
    AditPlace place =
        adit_yaml_place(self->source, event->start_mark, (guint) g_utf8_strlen(name, -1) + 1);
    const Anchor *anchor = (const Anchor *) g_hash_table_lookup(self->anchors, name);
    g_autofree char *text = NULL;

    if (anchor == NULL) {
        if (is_open_anchor(self, name))
            text = g_strdup_printf("alias '*%s' stands inside its own anchor", name);
        else
            text = g_strdup_printf("no anchor '%s' above; an address that begins with '*' must be "
                                   "quoted: \"*%s\"",
                                   name, name);
        reader_fail(self, &place, FALSE, text);
        add_node(self, adit_node_new_scalar("~", TRUE, &place));
        return;
    }
    if (++self->n_aliases > ADIT_YAML_MAX_ALIASES) {
        reader_fail(self, &place, TRUE, "more than 1024 aliases");
        return;
    }
    self->n_nodes += anchor->size;
    if (self->n_nodes > ADIT_YAML_MAX_NODES) {
        reader_fail(self, &place, TRUE, "aliases unfold to more than 100000 nodes");
        return;
    }
    /* nothing is unfolded before all is counted */
    AditNode *copy = adit_node_copy_top(anchor->node);

    copy->via = place;
    copy->via_note = "unfolded from an alias here";
    add_node(self, copy);
}

/* A tab may separate, but not stand before the first thing in a line. */
static void
check_tab(Reader *self, const yaml_event_t *event)
{
    yaml_mark_t start = event->start_mark;

    if (start.column == 0 || self->tab_line == start.line + 1)
        return;
    const char *end = self->at;
    const char *at = end;

    while (at > self->source->text && (at[-1] == ' ' || at[-1] == '\t'))
        at--;
    if (at > self->source->text && at[-1] != '\n')
        return;
    const char *tab = (const char *) memchr(at, '\t', (gsize) (end - at));

    if (tab != NULL) {
        AditPlace place = {self->source, (guint) start.line + 1, (guint) (tab - at) + 1, 1};

        self->tab_line = place.line;
        reader_fail(self, &place, FALSE, "a tab cannot indent; use spaces");
    }
}

static void
check_tag(Reader *self, const yaml_event_t *event, const yaml_char_t *tag,
          const yaml_char_t *anchor)
{
    if (tag == NULL)
        return;
    yaml_mark_t mark = event->start_mark;
    const char *at = self->at;

    if (anchor != NULL && *at == '&') {
        gsize skipped = strcspn(at, " \t\n");

        skipped += strspn(at + skipped, " \t");
        mark.column += (gsize) g_utf8_strlen(at, (gssize) skipped);
        at += skipped;
    }
    g_autofree char *text = adit_yaml_cut(at);
    g_autofree char *message = g_strdup_printf("tag '%s' is not allowed", text);
    AditPlace place = adit_yaml_place(self->source, mark, (guint) g_utf8_strlen(text, -1));

    reader_fail(self, &place, FALSE, message);
}

static void
read_scalar(Reader *self, const yaml_event_t *event)
{
    const char *value = (const char *) event->data.scalar.value;
    yaml_mark_t start = event->start_mark, end = event->end_mark;
    gboolean plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    gsize length = event->data.scalar.length;
    AditPlace place = adit_yaml_place(self->source, start, 1);

    if (start.line == end.line)
        place.length = (guint) MAX(end.column - start.column, 1);
    if (plain && start.line == end.line && event->data.scalar.anchor != NULL) {
        place.length = (guint) MAX(g_utf8_strlen(value, -1), 1);
        place.column = (guint) end.column + 1 - place.length;
    }
    check_tag(self, event, event->data.scalar.tag, event->data.scalar.anchor);
    if (length > ADIT_YAML_MAX_SCALAR) {
        reader_fail(self, &place, TRUE, "text is longer than 64 KiB");
        return;
    }
    if (strlen(value) != length) {
        reader_fail(self, &place, FALSE, "text cannot hold the character U+0000");
        length = strlen(value);
    }
    AditNode *node = adit_node_new_scalar(value, plain, &place);

    count_node(self, &place);
    if (event->data.scalar.anchor != NULL)
        define_anchor(self, (const char *) event->data.scalar.anchor, node, 1);
    add_node(self, node);
}

static void
begin_collection(Reader *self, const yaml_event_t *event, gboolean is_list)
{
    const yaml_char_t *anchor =
        is_list ? event->data.sequence_start.anchor : event->data.mapping_start.anchor;
    const yaml_char_t *tag =
        is_list ? event->data.sequence_start.tag : event->data.mapping_start.tag;
    gboolean flow = is_list ? event->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE
                            : event->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE;
    AditPlace place = adit_yaml_place(self->source, event->start_mark, 1);
    Frame *frame = g_new0(Frame, 1);

    frame->first = self->n_nodes;
    frame->anchor = g_strdup((const char *) anchor);
    if (is_list) {
        frame->node = adit_node_new_list(&place);
    } else {
        frame->node = adit_node_new_mapping(&place);
        frame->seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    }
    check_tag(self, event, tag, anchor);
    count_node(self, &place);
    g_ptr_array_add(self->frames, frame);
    if (flow) {
        AditPlace bracket = place;

        /* an anchor or a tag stands before the bracket */
        if (anchor != NULL || tag != NULL)
            bracket.column += (guint) strcspn(self->at, "[{");
        g_array_append_val(self->open, bracket);
    }
    if (self->frames->len > ADIT_YAML_MAX_DEPTH)
        reader_fail(self, &place, TRUE, "nested deeper than 64");
}

static void
end_collection(Reader *self, const yaml_event_t *event)
{
    g_autoptr(Frame) frame = (Frame *) g_ptr_array_steal_index(self->frames, self->frames->len - 1);

    /* block collections end without a bracket */
    if (event->end_mark.index > event->start_mark.index && self->open->len > 0)
        g_array_set_size(self->open, self->open->len - 1);
    if (frame->anchor != NULL)
        define_anchor(self, frame->anchor, frame->node, self->n_nodes - frame->first);
    add_node(self, g_steal_pointer(&frame->node));
}

static void
read_event(Reader *self, const yaml_event_t *event)
{
    AditPlace place = adit_yaml_place(self->source, event->start_mark, 1);

    seek(self, event->start_mark);
    if (event->type == YAML_SCALAR_EVENT || event->type == YAML_ALIAS_EVENT ||
        event->type == YAML_SEQUENCE_START_EVENT || event->type == YAML_MAPPING_START_EVENT)
        check_tab(self, event);
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (++self->n_documents > 1)
            reader_fail(self, &place, TRUE, "a file holds one document; this starts another");
        break;
    case YAML_SCALAR_EVENT:
        read_scalar(self, event);
        break;
    case YAML_ALIAS_EVENT:
        read_alias(self, event);
        break;
    case YAML_SEQUENCE_START_EVENT:
        begin_collection(self, event, TRUE);
        break;
    case YAML_MAPPING_START_EVENT:
        begin_collection(self, event, FALSE);
        break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        end_collection(self, event);
        break;
    case YAML_STREAM_END_EVENT:
        self->stopped = TRUE;
        break;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_DOCUMENT_END_EVENT:
    default:
        break;
    }
}

static gboolean
check_source(AditSource *source, AditDiagnostics *diagnostics)
{
    AditPlace place = {source, 1, 1, 1};
    const char *end;

    if (strlen(source->text) > ADIT_YAML_MAX_BYTES) {
        adit_diagnostics_error(diagnostics, &place, ADIT_ERROR_INVALID,
                               "the file is larger than 1 MiB");
        return FALSE;
    }
    if (g_utf8_validate(source->text, -1, &end))
        return TRUE;
    for (const char *at = source->text; at < end; at = g_utf8_next_char(at)) {
        place.column++;
        if (*at == '\n') {
            place.line++;
            place.column = 1;
        }
    }
    adit_diagnostics_error(diagnostics, &place, ADIT_ERROR_INVALID, "byte 0x%02x is not UTF-8",
                           (guchar) *end);
    return FALSE;
}

static void
read_events(Reader *self)
{
    while (!self->stopped) {
        yaml_event_t event;

        if (!yaml_parser_parse(&self->parser, &event)) {
            adit_yaml_report(&self->parser, self->source, self->open, self->diagnostics);
            self->failed = TRUE;
            return;
        }
        read_event(self, &event);
        yaml_event_delete(&event);
    }
}

AditNode *
adit_yaml_read(AditSource *source, AditDiagnostics *diagnostics)
{
    Reader reader = {.source = source, .diagnostics = diagnostics};

    if (!check_source(source, diagnostics))
        return NULL;
    reader.at = source->text;
    reader.frames = g_ptr_array_new_with_free_func(frame_free);
    reader.open = g_array_new(FALSE, TRUE, sizeof(AditPlace));
    reader.anchors = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, anchor_free);
    yaml_parser_initialize(&reader.parser);
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *) source->text,
                                 strlen(source->text));
    read_events(&reader);
    yaml_parser_delete(&reader.parser);
    g_ptr_array_unref(reader.frames);
    g_array_unref(reader.open);
    g_hash_table_unref(reader.anchors);
    if (reader.failed)
        g_clear_pointer(&reader.root, adit_node_unref);
    else if (reader.root == NULL)
        reader.root = adit_node_new_scalar("", TRUE, &(AditPlace){source, 1, 1, 1});
    if (reader.root != NULL && reader.n_aliases > 0) {
        g_autoptr(AditNode) shared = reader.root;

        reader.root = adit_node_copy(shared);
    }
    return reader.root;
}
