/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the core is told. Strings are borrowed for the call.
 */
#pragma once

#include "broker/core/rollout.h"

struct core_provider;
struct core_image;
struct core_pool;
struct core_network;
struct core_rollout;

enum core_event_kind {
	EVENT_TICK,
	EVENT_CONFIG, /* providers, images and pools as the tables have them now */
	EVENT_CONNECT,
	EVENT_CONNECT_CANCEL,
	EVENT_GRANT,
	EVENT_LOGOFF,
	EVENT_RESTART,
	EVENT_REFRESH,
	EVENT_DELETE,
	EVENT_DRAIN,
	EVENT_RESTORE, /* desktop, pool, user_id, user_name, restored */
	EVENT_OPERATE, /* operation, word */
	EVENT_POOL_DELETE,
	EVENT_PUBLISH, /* rollout: image_id, version, plan, by; on: the version is known to work */
	EVENT_ROLLOUT, /* word: the image; act; forget: text */
	EVENT_USER_REVOKED,
	EVENT_REAP_ALLOW,
	EVENT_HOST_MAINTENANCE, /* provider, word: its host; on, number: moves at once */
	EVENT_SESSION_KILL,
	EVENT_ENROLLED,
	EVENT_AGENT_HELLO,
	EVENT_AGENT_REPORT,
	EVENT_AGENT_GONE,
	EVENT_PROVISIONER_HELLO,
	EVENT_PROVISIONER_GONE,
	EVENT_INVENTORY,
	EVENT_MACHINE,
	EVENT_TASK_RESULT,
	EVENT_GATEWAY_HELLO,
	EVENT_SESSION_STARTED,
	EVENT_SESSION_ENDED,
	EVENT_COUNT,
};

/* What an agent is told. HELLO: its connection is ended, and it has to say hello again. */
enum agent_tell { AGENT_TELL_LEASE, AGENT_TELL_LOGOFF, AGENT_TELL_MESSAGE, AGENT_TELL_HELLO, AGENT_TELL_MOUNT, AGENT_TELL_UNMOUNT,
	AGENT_TELL_SHUTDOWN };

/* The kind of event that an agent's word is written down as, and nothing else comes of it; NULL for the other words. */
const char *agent_noted(const char *word);

/* The provisioner's answer to one command. */
struct provider_result {
	const char *task;
	bool ok, retryable;
	const char *endpoint;           /* JSON text, or NULL */
	int64_t uid;                    /* 0: not said */
	const char *host;               /* where it is, or NULL */
	const char *error_code, *error; /* when it failed */
};

struct provider_report { /* one provider in the provisioner's hello */
	const char *name, *kind, *reason;
	int capacity; /* 0: no limit */
	bool healthy;
	const char *can; /* what it carries, words with commas between, or NULL */
};

struct host_report { /* one of several hosts of a provider */
	const char *provider, *name, *reason;
	int processors, memory_mb, free_mb, machines, capacity;
	bool usable;
	bool listed; /* the list that comes with it has its machines */
};

/* Every provider of the provisioner, and the networks of all of them. Borrowed. */
struct provider_list {
	const struct provider_report *reports;
	const struct core_network *networks;
	size_t count, network_count;
};

struct machine_report { /* one machine in its hello or inventory, or a report by itself */
	const char *desktop, *task, *state; /* running, stopped, failed, gone */
	const char *reason, *endpoint, *image;
	const char *host; /* or NULL */
	int64_t uid;
};

/* Every machine of every provider but those in unlisted, which could not be asked. Borrowed. */
struct machine_list {
	const struct machine_report *machines;
	const char *const *unlisted; /* names of providers */
	const struct host_report *hosts;
	size_t count, unlisted_count, host_count;
};

/* A desktop that was deleted, as its tombstone has it. */
struct core_restored {
	const char *name, *provider_id, *image_id, *image_version;
	int64_t epoch;
};

struct core_event {
	enum core_event_kind kind;
	const struct core_actor *by; /* NULL: the broker itself */
	const char *desktop, *pool, *session, *user_id, *user_name;
	const char *login_id, *remote, *gateway;
	enum task_kind operation;
	enum rollout_act act;
	const struct core_rollout *rollout;
	const char *word; /* agent report; end code; what an operation is about */
	const char *text; /* a reason from outside; the agent's boot */
	const char *text_es; /* the reason in Spanish */
	int64_t epoch;    /* agent; grant by ticket: the lease it was made for, else 0 */
	bool on;          /* drain, maintenance */
	int number;
	const char *provider;
	enum protocol protocol;
	const struct provider_result *result;
	const struct core_restored *restored;
	const struct provider_report *providers;
	const struct machine_report *machines;
	const struct host_report *hosts; /* hello, inventory */
	const struct core_network *networks; /* hello */
	const char *const *sessions;
	const char *const *unlisted; /* hello, inventory: names of providers that could not be asked */
	size_t provider_count, machine_count, session_count, unlisted_count, host_count, network_count;
	struct core_config *config;
};

/* EVENT_CONFIG: fresh arrays from the tables; the core takes what it needs. */
struct core_config {
	struct core_provider *providers;
	struct core_image *images;
	struct core_pool *pools;
	size_t provider_count, image_count, pool_count;
};

enum connect_state { CONNECT_READY, CONNECT_WAITING, CONNECT_REFUSED };

struct connect_answer {
	enum connect_state state;
	enum stage stage;              /* waiting */
	struct core_reason reason;     /* waiting, refused */
	int position;                  /* waiting for any desktop: 1 is next; else 0 */
	int retry_after_ms;            /* waiting */
	int estimate_s;                /* waiting: seconds that it will take; 0: not known. The reason says it too, in round numbers */
	char desktop_id[CORE_ID_SIZE]; /* ready; else "" or the desktop that is being prepared */
	char desktop_name[CORE_NAME_SIZE];
	int64_t lease_epoch; /* ready */
};
