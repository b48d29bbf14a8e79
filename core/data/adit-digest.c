/* core/data/adit-digest.c - SPDX-License-Identifier: MIT */
#include "adit-digest.h"

#include "adit-file.h"

static void
adit_digest_clear(gpointer data)
{
    AditDigest *self = data;

    g_free(self->path);
    g_free(self->name);
    g_checksum_free(self->checksum);
}

AditDigest *
adit_digest_new(const char *path, const char *name)
{
    AditDigest *self = g_rc_box_new0(AditDigest);

    self->path = g_strdup(path);
    self->name = g_strdup(name);
    self->checksum = g_checksum_new(G_CHECKSUM_SHA256);
    return self;
}

AditDigest *
adit_digest_ref(AditDigest *self)
{
    return g_rc_box_acquire(self);
}

void
adit_digest_unref(AditDigest *self)
{
    g_rc_box_release_full(self, adit_digest_clear);
}

static void
adit_digest_update(AditDigest *self, const void *bytes, gsize size)
{
    g_checksum_update(self->checksum, bytes, (gssize) size);
    self->bytes += size;
}

/* Puts in what nobody has read of the file. */
static gboolean
adit_digest_read_rest(AditDigest *self, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(GFile) file = adit_file_get(self->path);
    g_autoptr(GFileInputStream) stream = g_file_read(file, NULL, &failure);
    g_autofree guint8 *buffer = g_malloc(65536);
    gssize size = -1;

    if (stream != NULL &&
        g_seekable_seek(G_SEEKABLE(stream), (goffset) self->bytes, G_SEEK_SET, NULL, &failure))
        while ((size = g_input_stream_read(G_INPUT_STREAM(stream), buffer, 65536, NULL, &failure)) >
               0)
            adit_digest_update(self, buffer, (gsize) size);
    if (size < 0) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_NOT_FOUND, "cannot read '%s': %s", self->name,
                    failure->message);
        return FALSE;
    }
    return TRUE;
}

const char *
adit_digest_finish(AditDigest *self, GError **error)
{
    if (!self->is_folder && !adit_digest_read_rest(self, error))
        return NULL;
    return g_checksum_get_string(self->checksum);
}

#define ADIT_TYPE_DIGEST_STREAM (adit_digest_stream_get_type())
G_DECLARE_FINAL_TYPE(AditDigestStream, adit_digest_stream, ADIT, DIGEST_STREAM, GFilterInputStream)

struct _AditDigestStream {
    GFilterInputStream parent_instance;

    AditDigest *digest;
};

G_DEFINE_TYPE(AditDigestStream, adit_digest_stream, G_TYPE_FILTER_INPUT_STREAM)

static gssize
adit_digest_stream_read(GInputStream *stream, void *buffer, gsize count, GCancellable *cancellable,
                        GError **error)
{
    GInputStream *base = g_filter_input_stream_get_base_stream(G_FILTER_INPUT_STREAM(stream));
    gssize size = g_input_stream_read(base, buffer, count, cancellable, error);

    if (size > 0)
        adit_digest_update(ADIT_DIGEST_STREAM(stream)->digest, buffer, (gsize) size);
    return size;
}

/* What is skipped counts too. */
static gssize
adit_digest_stream_skip(GInputStream *stream, gsize count, GCancellable *cancellable,
                        GError **error)
{
    guint8 buffer[4096];

    return adit_digest_stream_read(stream, buffer, MIN(count, sizeof buffer), cancellable, error);
}

static void
adit_digest_stream_finalize(GObject *object)
{
    adit_digest_unref(ADIT_DIGEST_STREAM(object)->digest);
    G_OBJECT_CLASS(adit_digest_stream_parent_class)->finalize(object);
}

static void
adit_digest_stream_class_init(AditDigestStreamClass *klass)
{
    G_OBJECT_CLASS(klass)->finalize = adit_digest_stream_finalize;
    G_INPUT_STREAM_CLASS(klass)->read_fn = adit_digest_stream_read;
    G_INPUT_STREAM_CLASS(klass)->skip = adit_digest_stream_skip;
}

static void
adit_digest_stream_init(AditDigestStream *self)
{
}

GInputStream *
adit_digest_stream_new(GInputStream *base, AditDigest *digest)
{
    AditDigestStream *self = g_object_new(ADIT_TYPE_DIGEST_STREAM, "base-stream", base, NULL);

    self->digest = adit_digest_ref(digest);
    return G_INPUT_STREAM(self);
}
