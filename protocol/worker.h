/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A worker: one display connection from its first message to its last. It joins a source (the desktop) to a front (the viewer) through
 * an encoder, asks the gate for log-in and desktop, and says how it ended. Everything is on one loop thread.
 */
#pragma once

#include <stdbool.h>
#include <uv.h>

#include "base/err.h"

struct worker;

struct worker_params {
	uv_loop_t *loop;
	const char *front;  /* name in the front registry */
	const char *source; /* name in the source registry */
	int ctl_fd;         /* takes; -1 without a gate: source "pattern", nobody is asked */
	int client_fd;      /* takes */
	/* Called once before bytes of the client are read: the door closes. May be NULL. */
	int (*lock_down)(struct pst_err *err);
};

/* Returns owned; stops the loop when the session has ended. */
struct worker *worker_create(const struct worker_params *p, struct pst_err *err);
/* After the loop. Accepts NULL. */
void worker_destroy(struct worker *w);
