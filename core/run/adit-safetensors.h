/* core/run/adit-safetensors.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-output.h"
#include "adit-tensor-list.h"

G_BEGIN_DECLS

/*
 * The safetensors format: 8 bytes of header length (little-endian), a JSON header padded with
 * spaces to a multiple of 8, the tensors one after another. "__metadata__" in the header maps texts
 * to texts.
 */

/* Largest header accepted; that of the reference implementation. */
#define ADIT_SAFETENSORS_MAX_HEADER 100000000

/**
 * adit_safetensors_write:
 * @tensors: written sorted by falling alignment of the dtype, then by name, so that equal lists
 * make equal bytes
 * @output: a new file, which the caller finishes
 */
gboolean adit_safetensors_write(const AditTensorList *tensors, AditOutput *output, GError **error);

/**
 * adit_safetensors_read:
 * @path: any file: nothing in it is trusted
 * @sha256: (out) (optional): SHA-256 of the file in hexadecimal, owned by the caller
 *
 * Reads the whole file into memory. Fails with ADIT_ERROR_NOT_FOUND, ADIT_ERROR_MEMORY, or
 * ADIT_ERROR_DAMAGED, which says where, what was expected and what was there.
 *
 * Returns: (transfer full) (nullable): the tensors in the order of their data
 */
AditTensorList *adit_safetensors_read(const char *path, char **sha256, GError **error);

G_END_DECLS
