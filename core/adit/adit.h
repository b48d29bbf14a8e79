/* core/adit/adit.h - SPDX-License-Identifier: MIT */
#pragma once

/* Everything a program needs. */

#include <adit/adit-plugin.h>
