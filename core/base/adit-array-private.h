/* core/base/adit-array-private.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-array.h>

G_BEGIN_DECLS

/* (transfer full): "[16, 4]": where element @index of @array stands, counted from 0 as NumPy does.
 */
char *adit_array_describe_index(const AditArray *array, gsize index);

G_END_DECLS
