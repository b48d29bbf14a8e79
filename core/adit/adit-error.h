/* core/adit/adit-error.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-types.h>

G_BEGIN_DECLS

#define ADIT_ERROR (adit_error_quark())

/**
 * AditError:
 * @ADIT_ERROR_FAILED: the run failed for another reason
 * @ADIT_ERROR_INVALID: bad command line or pipeline; nothing was started
 * @ADIT_ERROR_NOT_FOUND: an input does not exist or cannot be read
 * @ADIT_ERROR_DAMAGED: an input is damaged or was refused
 * @ADIT_ERROR_OUTPUT: an output could not be written
 * @ADIT_ERROR_NO_DEVICE: no suitable device
 * @ADIT_ERROR_DEVICE_LOST: the device was lost and did not come back
 * @ADIT_ERROR_MEMORY: out of memory after all retries
 * @ADIT_ERROR_NUMERIC: numeric stop: a non-finite loss
 * @ADIT_ERROR_CHECK: a check or comparison failed
 * @ADIT_ERROR_SWEEP: some points of a sweep failed
 * @ADIT_ERROR_PLUGIN: a plugin was refused
 * @ADIT_ERROR_STOPPED: stopped on request, state saved
 *
 * Errors named by what the user can do about them. The values are the command's exit codes, so that
 * an error needs no second table to become one.
 */
typedef enum {
    ADIT_ERROR_FAILED = 1,
    ADIT_ERROR_INVALID = 2,
    ADIT_ERROR_NOT_FOUND = 3,
    ADIT_ERROR_DAMAGED = 4,
    ADIT_ERROR_OUTPUT = 5,
    ADIT_ERROR_NO_DEVICE = 6,
    ADIT_ERROR_DEVICE_LOST = 7,
    ADIT_ERROR_MEMORY = 8,
    ADIT_ERROR_NUMERIC = 9,
    ADIT_ERROR_CHECK = 10,
    ADIT_ERROR_SWEEP = 11,
    ADIT_ERROR_PLUGIN = 12,
    ADIT_ERROR_STOPPED = 75,
} AditError;

GQuark adit_error_quark(void);

G_END_DECLS
