/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How the session speaks to its agent: `puesto-agent --logoff`, from the panel's menu, over a socket that
 * only the desktop's own uid may use. */
#pragma once

#include <uv.h>

#include "base/err.h"

struct session;

/* Listens at path. logoff: the user wishes to leave. Returns owned, NULL with err. */
struct session *session_open(
	uv_loop_t *loop, const char *path, void (*logoff)(void *arg), void *arg, struct pst_err *err);
void session_close(struct session *s);

/* The other end: asks the agent at path, and waits for its answer (5 s). 0 or PST_E… with err. */
int session_ask_logoff(const char *path, struct pst_err *err);
