/* tests/support/vulkan-shim/adit-vulkan-shim.h - SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/*
 * adit-vulkan-shim.so stands before the system's Vulkan loader when ADIT_VULKAN_LIBRARY names it:
 * it makes up faults and small devices, counts calls, and ends the process, with one line on
 * stderr, when a call exceeds what the device was said to allow.
 *
 * What it does is a text, of the environment's ADIT_SHIM or of adit_shim_configure(): items with
 * commas between, of which later ones override earlier ones. Bytes are plain numbers; calls are
 * counted from 1.
 *
 * Faults
 *   lost:N[:R]         the Nth call of vkQueueSubmit and vkWaitSemaphores (counted together, for
 *                      each VkDevice) and all later ones return VK_ERROR_DEVICE_LOST; the driver
 *                      gets no more work. It happens to R devices (1).
 *   lost-submit:N[:R]  the same, counting vkQueueSubmit alone
 *   lost-wait:N[:R]    the same, counting vkWaitSemaphores alone
 *   memory:N           the Nth vkAllocateMemory returns VK_ERROR_OUT_OF_DEVICE_MEMORY
 *   memory:N+          and so do all later ones
 *   heap:BYTES         so does what would take the memory of all devices above BYTES; the heaps and
 *                      their budgets are reported as no larger
 *   nobarrier:N        the Nth vkCmdPipelineBarrier is left out
 *
 * Limits, reported and enforced (as are the driver's own where none is given)
 *   shared:BYTES       maxComputeSharedMemorySize: vkCreateComputePipelines adds up the module's
 *                      shared variables
 *   invocations:N      maxComputeWorkGroupInvocations and each maxComputeWorkGroupSize; also at
 *                      vkCreateComputePipelines, with its specialization constants
 *   buffers:N          maxPerStageDescriptorStorageBuffers and maxDescriptorSetStorageBuffers; for
 *                      set layouts and for the sum over the sets of a pipeline layout
 *   range:BYTES        maxStorageBufferRange: vkUpdateDescriptorSets
 *   groups:N           each maxComputeWorkGroupCount: vkCmdDispatch
 *   alignment:BYTES    minStorageBufferOffsetAlignment: vkUpdateDescriptorSets and dynamic offsets
 *   push:BYTES         maxPushConstantsSize: pipeline layouts and vkCmdPushConstants
 *   allocation:BYTES   maxMemoryAllocationSize: vkAllocateMemory
 *   subgroups:none     no properties of subgroups (the size reads 0) nor control of their size;
 *                      vkCreateShaderModule refuses modules that use them
 *   small              shared:16384 invocations:128 buffers:8 range:1048576 groups:65535
 *                      alignment:256 push:128 subgroups:none
 *
 * Features
 *   api:MAJOR.MINOR    devices have no later version, and structures of later ones read zero
 *   notimeline         devices have no timeline semaphores
 *
 * Devices; INDEX counts those that are reported and may be left out: all of them
 *   devices:N          so many, the real ones in turn; each has a UUID of its own
 *   devices:none       the same as devices:0
 *   duplicate          all are reported a second time, with the same UUIDs, behind the others
 *   type:TYPE[:INDEX]  TYPE is discrete, integrated, virtual, cpu or other
 *   name:TEXT[:INDEX]  TEXT may not have a colon
 *   driver:ID[:INDEX]  VkDriverId, as a number
 *
 * Counting
 *   count:FILE         every vkDestroyInstance writes a line "vkName CALLS" for each function that
 *                      is counted, and "ahead WAITS": how many of vkWaitSemaphores left the device
 *                      more to do
 *
 * Entry points that would get around all this (vkQueueSubmit2, vkCmdDispatchBase, ...), and
 * functions of physical devices that the shim does not know, are not there for who asks.
 */

/* From here on Adit, and processes that are started, open the shim instead of the system's loader.
 * Before other threads are there: it sets ADIT_VULKAN_LIBRARY. */
void adit_shim_use(void);
/* Replaces what the shim does, and sets all counts to 0. Devices that were lost stay lost. While
 * no call of Vulkan is under way; a text that cannot be read ends the process. */
void adit_shim_configure(const char *text);
/* From here on nothing is made up; all counts are 0. */
void adit_shim_reset(void);
/* How often @name ("vkCmdDispatch") was called since the last of these two. Ends the process for a
 * function that is not counted. */
guint adit_shim_count(const char *name);

G_END_DECLS
