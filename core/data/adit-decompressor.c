/* core/data/adit-decompressor.c - SPDX-License-Identifier: MIT */
#include "adit-decompressor.h"

#include <lzma.h>
#include <string.h>
#include <zlib.h>

/* A file may be a bomb only once it is large: small ones of many zeros are everyday data. */
#define EXPANSION_FREE   (64 * 1024 * 1024)
#define EXPANSION_FACTOR 100
/* `xz -9` needs 65 MiB to unpack; more is for dictionaries nobody has. */
#define XZ_MEMORY (512 * 1024 * 1024)

struct _AditDecompressor {
    GObject parent_instance;

    AditPacking packing;
    char *name;
    z_stream gzip;
    lzma_stream xz;
    gboolean open;    /* the library's state is there */
    gboolean between; /* behind a gzip member: another one or the end may follow */
    guint64 bytes_in;
    guint64 bytes_out;
};

static void adit_decompressor_converter_init(GConverterIface *iface);

G_DEFINE_TYPE_WITH_CODE(AditDecompressor, adit_decompressor, G_TYPE_OBJECT,
                        G_IMPLEMENT_INTERFACE(G_TYPE_CONVERTER, adit_decompressor_converter_init))

AditPacking
adit_packing_guess(const void *bytes, gsize size)
{
    static const guint8 gzip[] = {0x1f, 0x8b};
    static const guint8 xz[] = {0xfd, '7', 'z', 'X', 'Z', 0x00};

    if (size >= sizeof gzip && memcmp(bytes, gzip, sizeof gzip) == 0)
        return ADIT_PACKING_GZIP;
    if (size >= sizeof xz && memcmp(bytes, xz, sizeof xz) == 0)
        return ADIT_PACKING_XZ;
    return ADIT_PACKING_NONE;
}

static const char *
adit_decompressor_get_format(const AditDecompressor *self)
{
    return self->packing == ADIT_PACKING_XZ ? "xz" : "gzip";
}

static void
adit_decompressor_close(AditDecompressor *self)
{
    if (self->open && self->packing == ADIT_PACKING_GZIP)
        inflateEnd(&self->gzip);
    if (self->open && self->packing == ADIT_PACKING_XZ)
        lzma_end(&self->xz);
    self->open = FALSE;
}

static gboolean
adit_decompressor_ensure_open(AditDecompressor *self, GError **error)
{
    if (self->open)
        return TRUE;
    if (self->packing == ADIT_PACKING_GZIP) {
        memset(&self->gzip, 0, sizeof self->gzip);
        self->open = inflateInit2(&self->gzip, MAX_WBITS + 16) == Z_OK;
    } else {
        self->xz = (lzma_stream) LZMA_STREAM_INIT;
        self->open = lzma_stream_decoder(&self->xz, XZ_MEMORY, LZMA_CONCATENATED) == LZMA_OK;
    }
    if (!self->open)
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_MEMORY, "%s: no memory to unpack %s data",
                    self->name, adit_decompressor_get_format(self));
    return self->open;
}

static GConverterResult
adit_decompressor_fail(AditDecompressor *self, const char *reason, GError **error)
{
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED, "%s: damaged %s data: %s", self->name,
                adit_decompressor_get_format(self), reason);
    return G_CONVERTER_ERROR;
}

/* More input is needed; an error if there is none. */
static GConverterResult
adit_decompressor_starve(AditDecompressor *self, gboolean at_end, GError **error)
{
    if (at_end)
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED,
                    "%s: truncated: the %s data end after %" G_GUINT64_FORMAT " bytes", self->name,
                    adit_decompressor_get_format(self), self->bytes_in);
    else
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT, "more input is needed");
    return G_CONVERTER_ERROR;
}

static GConverterResult
adit_decompressor_step_gzip(AditDecompressor *self, gboolean at_end, GError **error)
{
    int status = Z_OK;

    if (self->between) {
        if (self->gzip.avail_in == 0)
            return at_end ? G_CONVERTER_FINISHED : adit_decompressor_starve(self, FALSE, error);
        inflateReset(&self->gzip);
        self->between = FALSE;
    }
    status = inflate(&self->gzip, Z_NO_FLUSH);
    if (status == Z_STREAM_END)
        self->between = TRUE;
    else if (status == Z_MEM_ERROR)
        return adit_decompressor_fail(self, "no memory", error);
    else if (status != Z_OK && status != Z_BUF_ERROR)
        return adit_decompressor_fail(self, self->gzip.msg != NULL ? self->gzip.msg : "unreadable",
                                      error);
    return G_CONVERTER_CONVERTED;
}

static const char *
adit_decompressor_explain_xz(lzma_ret status)
{
    switch (status) {
    case LZMA_MEM_ERROR:
        return "no memory";
    case LZMA_MEMLIMIT_ERROR:
        return "it needs more than 512 MiB to unpack";
    case LZMA_FORMAT_ERROR:
        return "not the xz format";
    case LZMA_OPTIONS_ERROR:
        return "unknown options";
    default:
        return "wrong checksum or contents";
    }
}

static GConverterResult
adit_decompressor_step_xz(AditDecompressor *self, gboolean at_end, GError **error)
{
    lzma_ret status = lzma_code(&self->xz, at_end ? LZMA_FINISH : LZMA_RUN);

    if (status == LZMA_STREAM_END)
        return G_CONVERTER_FINISHED;
    if (status != LZMA_OK && status != LZMA_BUF_ERROR)
        return adit_decompressor_fail(self, adit_decompressor_explain_xz(status), error);
    return G_CONVERTER_CONVERTED;
}

static GConverterResult
adit_decompressor_step(AditDecompressor *self, gboolean at_end, GError **error)
{
    return self->packing == ADIT_PACKING_XZ ? adit_decompressor_step_xz(self, at_end, error)
                                            : adit_decompressor_step_gzip(self, at_end, error);
}

static GConverterResult
adit_decompressor_convert(GConverter *converter, const void *inbuf, gsize inbuf_size, void *outbuf,
                          gsize outbuf_size, GConverterFlags flags, gsize *bytes_read,
                          gsize *bytes_written, GError **error)
{
    AditDecompressor *self = ADIT_DECOMPRESSOR(converter);
    gboolean at_end = (flags & G_CONVERTER_INPUT_AT_END) != 0;
    GConverterResult result = G_CONVERTER_ERROR;

    if (!adit_decompressor_ensure_open(self, error))
        return G_CONVERTER_ERROR;
    inbuf_size = MIN(inbuf_size, G_MAXUINT32);
    outbuf_size = MIN(outbuf_size, G_MAXUINT32);
    self->gzip.next_in = (void *) inbuf;
    self->gzip.avail_in = (uInt) inbuf_size;
    self->gzip.next_out = outbuf;
    self->gzip.avail_out = (uInt) outbuf_size;
    self->xz.next_in = inbuf;
    self->xz.avail_in = inbuf_size;
    self->xz.next_out = outbuf;
    self->xz.avail_out = outbuf_size;

    result = adit_decompressor_step(self, at_end, error);
    if (result == G_CONVERTER_ERROR)
        return result;
    if (self->packing == ADIT_PACKING_XZ) {
        *bytes_read = inbuf_size - self->xz.avail_in;
        *bytes_written = outbuf_size - self->xz.avail_out;
    } else {
        *bytes_read = inbuf_size - self->gzip.avail_in;
        *bytes_written = outbuf_size - self->gzip.avail_out;
    }
    self->bytes_in += *bytes_read;
    self->bytes_out += *bytes_written;
    if (result == G_CONVERTER_CONVERTED && *bytes_read == 0 && *bytes_written == 0)
        return adit_decompressor_starve(self, at_end, error);
    if (self->bytes_out > EXPANSION_FREE && self->bytes_out / EXPANSION_FACTOR > self->bytes_in)
        return adit_decompressor_fail(self, "it expands to more than 100 times its size", error);
    return result;
}

static void
adit_decompressor_reset(GConverter *converter)
{
    AditDecompressor *self = ADIT_DECOMPRESSOR(converter);

    adit_decompressor_close(self);
    self->between = FALSE;
    self->bytes_in = 0;
    self->bytes_out = 0;
}

static void
adit_decompressor_converter_init(GConverterIface *iface)
{
    iface->convert = adit_decompressor_convert;
    iface->reset = adit_decompressor_reset;
}

static void
adit_decompressor_finalize(GObject *object)
{
    AditDecompressor *self = ADIT_DECOMPRESSOR(object);

    adit_decompressor_close(self);
    g_free(self->name);
    G_OBJECT_CLASS(adit_decompressor_parent_class)->finalize(object);
}

static void
adit_decompressor_class_init(AditDecompressorClass *klass)
{
    G_OBJECT_CLASS(klass)->finalize = adit_decompressor_finalize;
}

static void
adit_decompressor_init(AditDecompressor *self)
{
}

AditDecompressor *
adit_decompressor_new(AditPacking packing, const char *name)
{
    AditDecompressor *self = g_object_new(ADIT_TYPE_DECOMPRESSOR, NULL);

    self->packing = packing;
    self->name = g_strdup(name);
    return self;
}
