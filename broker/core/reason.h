/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Every "why" of the core: one code, one English and one Spanish sentence.
 */
#pragma once

#include "broker/core/axes.h"

enum reason {
	REASON_NONE,
	/* why a user waits or is refused */
	REASON_QUEUE, REASON_POOL_FULL, REASON_HOST_FULL, REASON_STARTING, REASON_CREATING, REASON_AGENT_WAIT,
	REASON_LOGGING_OFF, REASON_REFRESHING, REASON_RESTARTING, REASON_POOL_DISABLED, REASON_POOL_DRAIN,
	REASON_POOL_MAINTENANCE, REASON_POOL_DELETING, REASON_NO_POOL, REASON_TOO_MANY_WAITERS, REASON_POOL_ZERO,
	/* why a pool does not grow */
	REASON_NO_PROVISIONER, REASON_NO_PROVIDER, REASON_PROVIDER_DISABLED, REASON_PROVIDER_UNHEALTHY,
	REASON_NO_HOST, REASON_NO_IMAGE, REASON_BREAKER, REASON_PACED, REASON_PREPARING_LIMIT,
	/* why a machine is as it is */
	REASON_READY, REASON_ASSIGNED, REASON_CONNECTED, REASON_DISCONNECTED, REASON_DELETING, REASON_DRAINED, REASON_PARKED, REASON_OPERATING,
	REASON_TASK_RETRY, REASON_TASK_FAILED, REASON_TASK_SILENT, REASON_AGENT_SILENT, REASON_MACHINE_GONE,
	REASON_MACHINE_DOWN, REASON_MACHINE_UNKNOWN, REASON_MACHINE_MISSING, REASON_AGENT_FAILED, REASON_REAPER_PAUSED,
	/* why a host is as it is, and why a desktop is still there */
	REASON_HOST_AWAY, REASON_HOST_DRAINING, REASON_HOST_EMPTY, REASON_MOVE_STOPPED, REASON_MOVE_FAILED,
	/* why a session ended */
	REASON_MOVED, REASON_LOGOFF_USER, REASON_LOGOFF_ADMIN, REASON_LOGOFF_IDLE, REASON_END_RESTART, REASON_END_REFRESH,
	REASON_END_DELETE, REASON_END_STOP, REASON_END_REVERT, REASON_END_ADMIN, REASON_NOT_STARTED, REASON_VIEWER_LEFT, REASON_GATEWAY_LOST, REASON_REVOKED,
	REASON_UNKNOWN_SESSION, REASON_FOREIGN_USER,
	/* why a call is refused */
	REASON_NO_DESKTOP, REASON_NO_SESSION, REASON_NOT_YOURS, REASON_NOT_READY, REASON_STALE_TICKET, REASON_BUSY_TASK,
	REASON_NOT_ASSIGNED, REASON_NO_MEMORY, REASON_NOT_LIVE, REASON_NOT_CARRIED, REASON_HOST_UNKNOWN, REASON_HOST_CLOSED,
	/* all is well */
	REASON_POOL_READY, REASON_POOL_EMPTY, REASON_POOL_STARTING, REASON_YOURS,
	REASON_COUNT,
};

/* {0} and {1} of the sentences become a and b (NULL reads as ""). */
void reason_set(struct core_reason *r, enum reason which, const char *a, const char *b);
void reason_set_numbers(struct core_reason *r, enum reason which, int64_t a, int64_t b);
/* The Spanish alone, where an argument has words of its own. */
void reason_set_spanish(struct core_reason *r, enum reason which, const char *a, const char *b);
const char *reason_code(enum reason which);
/* The Spanish of a sentence that reason_set() made; false: it is none of these. */
bool reason_spanish(const char *en, char *es, size_t size);
