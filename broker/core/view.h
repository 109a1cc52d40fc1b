/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What people see: one word and one reason, computed from the axes. Nothing here
 * is stored.
 */
#pragma once

#include "broker/core/rollout.h"

struct core_state;
struct core_desktop;

struct desktop_view {
	/* creating, starting, ready, assigned, connected, disconnected, logging_off,
	 * refreshing, restarting, suspended, stopped, busy, failed, deleting, unreachable */
	const char *state;
	struct core_reason reason; /* always readable, also when all is well */
};

struct pool_counts {
	int total, ready, assigned, connected, starting, failed, deleting, suspended;
};

struct pool_view {
	/* ready, busy, starting, maintenance, empty, failed, disabled, draining, deleting */
	const char *state;
	struct core_reason reason;
	struct pool_counts counts;
	int waiting; /* users in the queue */
	struct core_reason tier; /* why fewer are suspended than should be; code "": they are not */
};

/* The tile of a pool in one user's portal. */
struct user_pool_view {
	/* ready, busy, starting, maintenance, empty, failed */
	const char *state;
	struct core_reason reason;
	bool has_desktop;
	char desktop_id[CORE_ID_SIZE];
	char desktop_name[CORE_NAME_SIZE];
	const char *desktop_state, *session_state; /* while has_desktop */
};

void desktop_view(const struct core_state *st, const struct core_desktop *d, int64_t mono_ms, struct desktop_view *ret);
/* False: there is no such pool. */
bool pool_view(const struct core_state *st, const char *pool_id, int64_t mono_ms, struct pool_view *ret);
/* How far an image's roll-out is, or its last one was. Desktops of the pools that follow the image. */
struct rollout_view {
	struct core_reason reason;
	int total, updated;  /* which have the new version */
	int in_use, free;    /* old ones that wait for a log-off; that will be replaced */
	int left_alone;      /* old ones that stay: kept disks, switched off, drained */
	int ms[TIMING_KINDS][2]; /* medians of the version before and of the new one; -1: none is known */
};
/* False: there was none. */
bool rollout_view(const struct core_state *st, const char *image_id, struct rollout_view *ret);
bool user_pool_view(const struct core_state *st, const char *pool_id, const char *user_id, int64_t mono_ms,
                    struct user_pool_view *ret);
