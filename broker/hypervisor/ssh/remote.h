/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A host that is reached by the system's ssh program: no question is ever asked, its key is known before, and one
 * connection carries all commands. Any thread.
 */
#pragma once

#include "base/buf.h"
#include "broker/hypervisor/driver.h"

#include <stdint.h>

struct remote;

/*
 * Reads user (root), port (22), identity, known_hosts, ssh (/usr/bin/ssh) and sessions (8) of the section, and host unless
 * one is given; nothing is connected yet. Returns owned, NULL with err.
 */
struct remote *remote_create(const struct driver_params *p, const char *host, struct pst_err *err);
/* The same with another host, whose connection is made for each command. Returns owned, NULL with err. */
struct remote *remote_clone(const struct remote *r, const char *host, struct pst_err *err);
/* Ends the connection. Accepts NULL. */
void remote_destroy(struct remote *r);

/* "user@host", for messages. Borrowed. */
const char *remote_name(const struct remote *r);

/*
 * Runs script by the host's /bin/sh and keeps what it prints in out, up to out's ceiling (PST_ELIMIT). A script that
 * ends with another status than 0 is PST_EIO with the last line of its stderr, and so is a host that cannot be reached:
 * out says which. PST_ETIMEOUT, PST_ECLOSED when cancel_fd becomes readable.
 */
int remote_run(struct remote *r, const char *script, uint64_t end_ms, int cancel_fd, struct pst_buf *out, struct pst_err *err);
