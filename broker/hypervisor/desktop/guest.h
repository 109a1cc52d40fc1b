/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The session of a desktop that is a machine of its own, or a container that others made: no namespaces, no
 * layers. */
#pragma once

/* What puesto-seed(8) writes and what the session reads. */
#define GUEST_SESSION_CONF "/etc/puesto/session.conf"
#define GUEST_AGENT_CONF "/etc/puesto/agent.conf"
#define GUEST_AGENT_DIR "/var/lib/puesto/agent"

/* A file that is there once the desktop has been painted. */
#define GUEST_PAINTED DESKTOP_X_DIR "/painted"

/*
 * As root: makes the folders and the home, becomes the account "user" for good, and supervises its session
 * until the parent says SIGTERM. The agent starts once GUEST_AGENT_CONF is there. Returns an exit status.
 */
int guest_main(void);
