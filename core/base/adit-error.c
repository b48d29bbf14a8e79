/* core/base/adit-error.c - SPDX-License-Identifier: MIT */
#include <adit/adit-error.h>

/* clang-format would put blanks around the minus signs of the quark's name */
/* clang-format off */
G_DEFINE_QUARK(adit-error-quark, adit_error)
