/* core/device/vulkan/adit-shader-compiler.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-error.h>
#include <adit/adit-op.h>

G_BEGIN_DECLS

/*
 * GLSL that comes at run time, to SPIR-V 1.5 for Vulkan 1.2, entry point "main". A text may include
 * those of shaders/include and nothing else, as "elements.glsl": they lie in the library. It needs
 * no #version; it is GLSL 4.50 whatever that says.
 *
 * What was compiled is kept for the next run of the program (adit-cache.h: "shaders"), by text,
 * definitions, the texts that may be included, and the versions of Adit and shaderc. All functions
 * may be called from any thread.
 */

/* Whether this build has a compiler (shaderc); without, everything below fails with
 * ADIT_ERROR_FAILED. */
gboolean adit_shader_can_compile(void);

/**
 * adit_shader_compile:
 * @name: what the text is called in messages
 * @defines: (nullable) (array zero-terminated=1): macros, as "NAME=VALUE" or "NAME"
 *
 * ADIT_ERROR_FAILED tells where the text is wrong: "cannot compile the shader sum-17:4: 'x' :
 * undeclared identifier".
 *
 * Returns: (transfer full) (nullable): whole words, at an address that is a multiple of 8
 */
GBytes *adit_shader_compile(const char *name, const char *text, const char *const *defines,
                            GError **error);
/* The same, not optimised: for drivers that break what was. */
GBytes *adit_shader_compile_plain(const char *name, const char *text, const char *const *defines,
                                  GError **error);

/* The kernel of kind ELEMENTS of an operation that a plugin brings, from its `shader`, which comes
 * behind elements.glsl, its lines counted from 1. A text that is wrong is ADIT_ERROR_PLUGIN. */
GBytes *adit_shader_compile_op(const AditOp *op, gboolean optimised, GError **error);

/* SHA-256 of all that is bundled under /org/adit/shaders, in hexadecimal. */
const char *adit_shader_hash_bundle(void);

G_END_DECLS
