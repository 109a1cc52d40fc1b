/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Makes a machine the one that its seed says: names, keys, and what agent and session read at their start. */
#pragma once

#include "agent/seed/seed.h"

#include <stdbool.h>
#include <sys/types.h>

/* Below root. */
#define SEED_AGENT_DIR "/var/lib/puesto/agent" /* the agent's run folder; of the desktop's uid, mode 0700 */
#define SEED_USED "/var/lib/puesto/seed.used"  /* the last seed that was applied whole: its hash, and that without its token */
#define SEED_AGENT_CONF "/etc/puesto/agent.conf"
#define SEED_SESSION_CONF "/etc/puesto/session.conf"
#define SEED_CA "/etc/puesto/ca.pem"

struct seed_target {
	const char *root; /* "" for the running system, whose names and clock are then set too */
	uid_t uid;        /* of the desktop's user */
	gid_t gid;
};

/* Was this seed applied already? Then it has nothing more to say. */
bool seed_is_used(const struct seed_target *t, const struct seed *s);

/* Has any seed been applied? A machine that was seeded once does not wait for another. */
bool seed_was_any(const struct seed_target *t);

/*
 * Writes everything, the mark of having used it last: a crash on the way repeats the whole. Host name,
 * machine id and SSH host keys are renewed; the enrolment is left for the agent. Clock and kernel's random
 * pool are fed where the seed has something for them.
 */
int seed_apply(const struct seed_target *t, const struct seed *s, struct pst_err *err);
