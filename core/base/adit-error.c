/* core/base/adit-error.c - SPDX-License-Identifier: MIT */
#include <adit/adit-error.h>

G_DEFINE_QUARK(adit - error - quark, adit_error)
