/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The agent of a desktop with Windows: tells the broker when its Remote Desktop takes viewers, who is logged on, and does what the broker says. The picture
 * is Windows' own matter. One thread, which waits for events.
 */
#pragma once

#include "agent/windows/disk.h"

struct agent;

struct agent_params {
	const struct disk *disk; /* borrowed */
	const char *seed;        /* a file, or NULL: looked for */
	bool is_service;         /* may restart the computer for its new name */
};

/* Returns owned, NULL with err. */
struct agent *agent_create(const struct agent_params *p, struct pst_err *err);
void agent_destroy(struct agent *a);

/* Runs until agent_stop. PST_E… where it cannot go on. */
int agent_run(struct agent *a, struct pst_err *err);

/* From any thread: the end; and "something happened to a session". */
void agent_stop(struct agent *a);
void agent_wake(struct agent *a);
