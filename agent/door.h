/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A listening unix socket that lets in only peers of certain uids: the display link's, and the session's own.
 */
#pragma once

#include <sys/types.h>
#include <uv.h>

#include "base/err.h"

#define DOOR_UIDS_MAX 8

struct door;

struct door_params {
	const char *path; /* copied */
	mode_t mode;
	const uid_t *uids; /* that may come in; copied */
	size_t n_uids;     /* at most DOOR_UIDS_MAX */
};

/* accepted takes fd. Returns owned, NULL with err. */
struct door *door_open(uv_loop_t *loop, const struct door_params *params, void (*accepted)(int fd, void *arg),
	void *arg, struct pst_err *err);

/* Stops listening and removes the name. Accepts NULL. */
void door_close(struct door *d);
