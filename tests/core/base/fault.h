/* tests/core/base/fault.h - SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

/*
 * Faults of the file system: fault.c defines open, write, fsync, rename, ... before the C library
 * does, so that a test can let the nth of them fail. Without an armed fault they only pass on.
 */

/* From now on the @nth call (1 is the next) fails with @number. */
void fault_arm(guint nth, int number);
/* From now on the @nth write takes only half of what it is given. */
void fault_arm_short_write(guint nth);
/* Disarms; whether the fault came to pass. */
gboolean fault_disarm(void);
/* Whether exchanging two names fails, as on a file system that cannot. */
void fault_forbid_exchange(gboolean forbid);

/* A folder for a test, empty at first; removed, with what is in it, when the variable goes. */
typedef char *FaultFolder;
FaultFolder fault_make_folder(void);
void fault_remove_folder(FaultFolder folder);
G_DEFINE_AUTO_CLEANUP_FREE_FUNC(FaultFolder, fault_remove_folder, NULL)
/* Number of entries of @folder whose names begin with @prefix. */
guint fault_count_entries(const char *folder, const char *prefix);
