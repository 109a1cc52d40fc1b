/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Root's helper in a machine of its own: mounts and unmounts the user's disk when the agent, which is not root, asks. */
#pragma once

#define PERSONAL_SOCKET "/run/puesto-personal.sock"
#define PERSONAL_SESSION_PID "/run/puesto-session.pid" /* of the session's supervisor; root writes it */

/* Serves until it is told to end. Returns an exit status. */
int personal_main(void);
