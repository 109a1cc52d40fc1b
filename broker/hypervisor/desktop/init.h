/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Process 1 of a desktop: starts the services in order, reaps, restarts, ends. */
#pragma once

#include "broker/hypervisor/desktop/session.h"

/* What the services say is kept up to this and then begins again. */
#define INIT_OUTPUT_MAX (512 * 1024)

/* An X server that fails this often in a row without ever answering ends the desktop. */
#define INIT_X_FAILURES_MAX 5

/*
 * Runs until told to end by a SIGTERM of the parent (for process 1: from outside the namespace), or until
 * there is no hope; returns the exit status. SIGHUP from anybody inside ends the user's session:
 * everything but the services that stay is killed and started anew. After SIGUSR1 from root it rests until root's
 * SIGHUP: nobody uses the home then, and it can be exchanged. Services write to
 * output_fd (borrowed); our own words go to the log.
 */
int init_run(const struct session *s, int output_fd);
