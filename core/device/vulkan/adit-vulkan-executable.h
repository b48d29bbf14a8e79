/* core/device/vulkan/adit-vulkan-executable.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-vulkan-join.h"
#include "adit-vulkan-record.h"

G_BEGIN_DECLS

/* Batches of streamed data that there is room for: one half is computed on while the host gathers
 * the other. */
#define ADIT_VULKAN_STREAM_BATCHES 8

/**
 * AditVulkanLogged: figures of one call's rows in the log.
 */
typedef struct {
    guint64 serial;
    gsize first;
    gsize rows;
} AditVulkanLogged;

/**
 * AditVulkanStream: batches of a feed whose data does not live on the device: the host gathers
 * their rows, each batch from a whole word on.
 */
typedef struct {
    AditVulkanBuffer buffer;
    guint64 serials[ADIT_VULKAN_STREAM_BATCHES]; /* of the calls that read each of them */
    guint next;
} AditVulkanStream;

/**
 * AditExecutable:
 * @log: figures; behind them what a walk keeps
 * @join: (nullable): how runs that begin with this executable are done together
 * @left: rows of the last run that a sift left: how many, and from word ADIT_VULKAN_LEFT on which
 * @counts: workgroups of dispatches for rows that a sift left
 * @sifted: (nullable): whose rows the last run was for
 */
struct _AditExecutable {
    AditVulkanDevice *device;
    AditProgram *program;
    AditMemory *memory;
    guint64 seed;
    gsize max_rows;
    AditVulkanPlaces places;
    AditVulkanBuffer rows, shared, constants, log;
    AditVulkanBuffer left, counts;
    AditVulkanStream streams[ADIT_VULKAN_MAX_FEEDS][2]; /* of float32, of bytes */
    gboolean has_linear;
    guint n_sums;
    GPtrArray *recordings; /* AditVulkanRecording */
    AditVulkanJoin *join;

    guint64 serial; /* of the last call that was begun */
    GArray *logged; /* AditVulkanLogged */
    gsize log_used;
    double *sums;
    gsize last_rows;
    const AditExecutable *sifted;
};

/* Where a feed's rows lie: on the device, or else streamed. */
gboolean adit_vulkan_executable_set_source(AditExecutable *self, guint number, const AditFeed *feed,
                                           AditVulkanSource *source, GError **error);
/* The recording that serves @call; NULL: there is none yet. */
AditVulkanRecording *adit_vulkan_executable_find(AditExecutable *self, const GPtrArray *recordings,
                                                 const AditCall *call);
/* Records a plan for calls like @call. */
AditVulkanRecording *adit_vulkan_executable_record(AditExecutable *self, const AditVulkanPlan *plan,
                                                   const AditVulkanSource *sources,
                                                   const AditCall *call, GError **error);
/* Begins a call, the first of @runs, which @recording serves: its words go into the ring, live
 * numbers of all runs one behind the other. FALSE: the device failed. */
gboolean adit_vulkan_executable_begin(AditExecutable *self, const AditVulkanRecording *recording,
                                      const AditDeviceRun *runs, guint n);
/* Notes what a call that was begun leaves: figures of its rows. */
void adit_vulkan_executable_note(AditExecutable *self, const AditCall *call);
/* Notes it and queues it; nothing else may have begun since. */
gboolean adit_vulkan_executable_submit(AditExecutable *self, const AditVulkanRecording *recording,
                                       const AditCall *call);
/* The first element of an output in its arena. */
gsize adit_vulkan_executable_find_output(const AditExecutable *self, guint output);
/* Drops all recordings: what they are bound to goes. */
void adit_vulkan_executable_forget(AditExecutable *self);
/* Adds what has been logged to the sums. */
void adit_vulkan_executable_drain(AditExecutable *self);

G_END_DECLS
