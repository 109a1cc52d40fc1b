/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A desktop: its row, who has it, what it waits for. Plain data.
 */
#pragma once

#include "broker/core/axes.h"
#include "broker/core/host.h"
#include "broker/core/limits.h"
#include "broker/core/rollout.h"
#include "broker/core/task.h"

struct core_axes {
	enum lifecycle lifecycle;
	enum power power;
	enum agent agent;
	enum lease lease;
	enum session session;
	enum hygiene hygiene;
	enum sleep sleep;
	bool drain;
	bool parked; /* stopped by an administrator: nobody restarts it */
};

struct core_assignment { /* the live one; id "" : none */
	char id[CORE_ID_SIZE], user_id[CORE_ID_SIZE], user_name[CORE_NAME_SIZE];
	enum pool_kind kind;
	int64_t epoch;
};

struct core_session { /* the one that has not ended; id "" : none */
	char id[CORE_ID_SIZE], login_id[CORE_ID_SIZE], gateway[CORE_WORD_SIZE], remote[64];
	enum protocol protocol;
	bool active;
	int64_t epoch;
};

struct core_personal { /* its owner's own disk; see personal.c */
	enum personal phase;
	bool held; /* its provider may have it there */
	char owner[CORE_ID_SIZE];
};

struct core_due { /* monotonic deadlines; 0: none */
	int64_t agent_ms;  /* the agent must be there */
	int64_t logoff_ms; /* a disconnected user is logged off */
	int64_t ending_ms; /* the agent must have logged off */
	int64_t roll_ms;   /* told of it, the user is logged off for a new version */
	int64_t grant_ms;  /* the granted viewer must have come */
	int64_t vacated_ms; /* the gateway must have said why the viewer is gone */
	int64_t claim_ms;  /* the user must have come for the desktop */
	int64_t reap_ms;   /* a failed desktop is removed */
	int64_t personal_ms; /* the guest must have mounted the personal disk, or let go of it */
};

struct core_desktop {
	/* What each round reads of every desktop comes first, close together. */
	struct core_axes x;
	bool agentless; /* by its endpoint: it is shown by a server of the machine's own, and no agent will come */
	bool beside;    /* by its endpoint: the picture is that server's, but an agent is there and sees no grant: it is told each epoch */
	bool keyed;     /* it has enrolled since its disk was made */
	bool probe;     /* made to see a version work: nobody gets it, no pool counts it */
	unsigned touched; /* the round that has a copy of it */
	unsigned seen;    /* the round of the last inventory that had it */
	struct core_due due;
	struct core_personal personal;
	char pool_id[CORE_ID_SIZE], provider_id[CORE_ID_SIZE], image_id[CORE_ID_SIZE], image_version[CORE_WORD_SIZE];
	char endpoint[CORE_ENDPOINT_SIZE]; /* JSON text or ""; set by desktop_set_endpoint */
	struct core_task t;
	struct core_assignment a;
	struct core_session s;
	char id[CORE_ID_SIZE], name[CORE_NAME_SIZE];
	char lease_key[2 * CORE_ID_SIZE]; /* in by_lease; "": it is not there */
	struct core_reason reason;
	int64_t epoch, uid, created_wall;
	struct core_place place;
	struct core_move move;
	char boot[CORE_ID_SIZE];
	struct core_begun begun; /* when its provider was first asked for this disk */
	int failures; /* since it last worked */
	int missing;  /* inventories in a row without it */
	struct core_task last; /* the last operation, for whoever asked; only memory has it */
};

void desktop_set_endpoint(struct core_desktop *d, const char *endpoint);
bool desktop_is_usable(const struct core_desktop *d); /* it could show a picture to its user now */
bool desktop_is_ready(const struct core_desktop *d);  /* it could be given to a new user now */
