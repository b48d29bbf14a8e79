/* core/adit/adit-op.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-graph.h>

G_BEGIN_DECLS

#define ADIT_MAX_INPUTS 8
/* Rows are summed in this many fixed slices, so that the order of a sum depends on shapes alone. */
#define ADIT_SLICES 8
/* A panel of a slice's rows, unless it is the slice's last, has a multiple of this many. */
#define ADIT_PANEL_ROWS 16
/* Rows of pitched operands that are summed together. */
#define ADIT_PITCHED_ROWS 128
/* Words of an operation's attributes that a shader can read. */
#define ADIT_MAX_WORDS 16

/* Number of the first row of a slice; slice ADIT_SLICES begins at @batch_rows. Slices are equally
 * long, the last ones shorter or empty. */
static inline gsize
adit_slice_begin(gsize batch_rows, guint slice)
{
    gsize length = (batch_rows + ADIT_SLICES - 1) / ADIT_SLICES;

    return MIN(slice * length, batch_rows);
}

/**
 * AditView: the part of a tensor a kernel call works on.
 * @data: the first row's first element; float or double, as the kernel was built
 * @rows: whether there is a value for every row, one behind the other; else every row reads the
 * same
 * @count: elements a row
 */
typedef struct {
    void *data;
    gboolean rows;
    AditShape shape;
    gsize count;
} AditView;

/**
 * AditKernelCall: one call of a kernel: a run of rows, or once (rows 1) for a tensor without rows.
 * @rows: rows of this call; never 0
 * @first_row: number of the first within the batch
 * @batch_rows: rows of the whole batch
 * @slice: number of the slice the rows belong to
 * @step: number of the training step, for counters
 * @key: (nullable): the random stream's key
 * @attributes: what the builder gave
 * @accumulate: an operation over rows is called for a further panel of the slice: it goes on from
 *   what the output holds. Only where the operation `accumulates`
 * @pitch: 0, or: operands with rows lie feature by feature, element i of row r at [i * pitch + r].
 *   Only where the kernel takes it (adit_kernel_takes_pitch()). A multiple of ADIT_PANEL_ROWS, at
 *   least @rows; such operands are aligned to 64 bytes. Rows beyond @rows up to the next multiple
 *   of ADIT_PANEL_ROWS are read and written, whatever they hold
 *
 * A kernel of an operation over rows is called once for every slice that has rows, with all of
 * them, and writes that slice's partial result, of the result's shape. Its combine kernel then gets
 * the partial results one behind the other as inputs[0], `rows` of them: slices without rows are
 * left out. It has the operation's attributes; how many rows partial result i stands for follows
 * from adit_slice_begin(). The output overlaps no input.
 *
 * If the operation `accumulates`, a slice may come in several calls instead: panels, in order, each
 * but the last of a multiple of ADIT_PANEL_ROWS rows, the first without @accumulate and the others
 * with it. The result has the same bits as that of one call. Of pitched operands, whose rows are
 * summed by ADIT_PITCHED_ROWS of them, only if panels have a multiple of that many rows.
 */
typedef struct {
    gsize rows;
    gsize first_row;
    gsize batch_rows;
    guint slice;
    guint64 step;
    const guint32 *key;
    const void *attributes;
    gboolean accumulate;
    gsize pitch;
    guint n_inputs;
    AditView inputs[ADIT_MAX_INPUTS];
    AditView output;
} AditKernelCall;

typedef void (*AditKernel)(const AditKernelCall *call);

/**
 * AditOp: an operation: a shape rule, a gradient rule, a pair of kernels of the same name.
 * @name: kebab-case, the shader's too; a plugin's carries its vendor: "acme:fft"
 * @infer: (nullable): sets @shape and @rows of the result from the inputs, or fails the graph by
 *   returning FALSE with @error; on entry both are those of the inputs broadcast together
 * @gradient: (nullable): sets @dx[i] to the gradient of input i given the result @y and its
 * gradient
 *   @dy, in graph operations; entries left NULL get none. NULL: not differentiable
 * @kernel_f32, @kernel_f64: the CPU kernels of an operation that a plugin brings; the core's own
 * are found by name for each instruction set
 * @combine_f32, @combine_f64: for a plugin's operation over rows: joins the slices' partial results
 * @combine: the core's own kernel for this, by name; all three NULL: "combine-sum"
 * @shader: (nullable): GLSL of an operation that a plugin brings, for Vulkan devices: `void
 *   compute(uint e)`, called for every element of the output, in the words of
 *   shaders/include/adit.glsl, which stands before it; for at most 5 inputs, not over rows. NULL:
 *   programs with it run on the CPU only. The core's own are found by name
 * @encode: (nullable): writes the attributes as the words that adit_attribute() reads, at most
 *   ADIT_MAX_WORDS, and returns how many; a float by its bits
 * @lay_channels_last: (nullable): the operation can take images [channels, height, width] as
 *   [height, width, channels] and leave them so, with the same result up to rounding: changes
 *   @attributes, a copy of what the builder gave, into what this takes; the shape of its first
 *   image was @image. FALSE: not with these. Operands that are no images stay as they are
 * @over_rows: the result has no rows though its inputs do: every slice gives a partial result
 * @accumulates: over rows: the kernel honours `accumulate`
 * @is_view: the operation is a view of its input: no work, no memory of its own (reshape)
 */
struct _AditOp {
    const char *name;
    gboolean (*infer)(AditTensor *const *inputs, guint n_inputs, const void *attributes,
                      AditShape *shape, gboolean *rows, GError **error);
    void (*gradient)(AditTensor *y, AditTensor *dy, AditTensor *const *inputs, AditTensor **dx);
    AditKernel kernel_f32;
    AditKernel kernel_f64;
    AditKernel combine_f32;
    AditKernel combine_f64;
    const char *combine;
    const char *shader;
    guint (*encode)(const void *attributes, guint32 *words);
    gboolean (*lay_channels_last)(const AditShape *image, void *attributes);
    gboolean over_rows;
    gboolean accumulates;
    gboolean is_view;
};

/* Adds an operation to the inputs' graph. @attributes is copied. */
AditTensor *adit_apply(const AditOp *op, AditTensor *const *inputs, guint n_inputs,
                       const void *attributes, gsize attributes_size);
/* What the builder gave, for shape and gradient rules; seen through the views that loops make. */
const void *adit_tensor_get_attributes(const AditTensor *self);

G_END_DECLS
