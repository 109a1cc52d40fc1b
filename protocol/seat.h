/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A machine without an agent, shown by an RDP server of its own, as a display link: what an agent says in a desktop, this says in a process of its own.
 * So any worker shows it, and the library that reads the machine's bytes is in no process that has a viewer's.
 */
#pragma once

#include <uv.h>

#include "base/err.h"

struct seat;

struct seat_params {
	uv_loop_t *loop;
	int ctl_fd;         /* takes; from the gate: {"op": "start", "account"}, with the connection to the machine */
	int link_fd;        /* takes; to the worker */
	const char *source; /* its name */
};

/* NULL with err; everything that was taken is closed. The loop stops when it is over. */
struct seat *seat_create(const struct seat_params *p, struct pst_err *err);
/* Accepts NULL. */
void seat_destroy(struct seat *s);
