/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The words of the axes: one table per enum, the same words in the schema and
 * in the API.
 */
#include "broker/core/rollout.h"

#include <string.h>

static bool word_parse(const char *const *words, int count, const char *text, int *ret)
{
	for (int i = 0; text && i < count; i++) {
		if (strcmp(words[i], text) != 0)
			continue;
		*ret = i;
		return true;
	}
	return false;
}

/* Defines NAME_text() and NAME_parse() over a table of words in enum order. */
#define AXIS(name, ...)                                                                    \
	static const char *const name##_words[] = { __VA_ARGS__ };                         \
	const char *name##_text(enum name v)                                               \
	{                                                                                  \
		size_t count = sizeof(name##_words) / sizeof(*name##_words);               \
		return (size_t)v < count ? name##_words[v] : "unknown";                    \
	}                                                                                  \
	AXIS_PARSE(name)

#define AXIS_PARSE(name)                                                                   \
	bool name##_parse(const char *text, enum name *ret)                                \
	{                                                                                  \
		int i, count = (int)(sizeof(name##_words) / sizeof(*name##_words));        \
		if (!word_parse(name##_words, count, text, &i))                            \
			return false;                                                      \
		*ret = (enum name)i;                                                       \
		return true;                                                               \
	}

AXIS(lifecycle, "creating", "live", "failed", "deleting", "deleted")
AXIS(power, "unknown", "off", "starting", "on")
AXIS(agent, "none", "ready", "lost")
AXIS(lease, "free", "held", "ending")
AXIS(session, "none", "granted", "connected", "disconnected")
AXIS(hygiene, "clean", "dirty", "cleaning")
AXIS(sleep, "awake", "suspended", "resuming")
AXIS(pool_kind, "floating", "dedicated")
AXIS(on_logoff, "delete", "refresh", "keep")
AXIS(protocol, "ws", "rfb", "rdp")
AXIS(task_kind, "create", "destroy", "restart", "refresh", "start", "stop", "suspend", "snapshot", "revert", "drop", "resize", "migrate",
     "attach", "detach")
AXIS(task_state, "pending", "sent", "done", "failed")
AXIS(personal, "none", "wanted", "attached", "mounted", "leaving", "left")
AXIS(rollout_phase, "verify", "canary", "rolling", "done", "failed", "reverted")
AXIS(rollout_act, "pause", "continue", "rollback")
AXIS(timing_kind, "create", "refresh", "logon", "resume")

const char *stage_text(enum stage v)
{
	static const char *const words[] = { "queue", "create", "start", "agent" };

	return (size_t)v < sizeof(words) / sizeof(*words) ? words[v] : "unknown";
}
