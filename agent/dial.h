/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The agent's way to a broker on another host: TLS to its port, a local socket for who speaks. Loop thread only. */
#pragma once

#include "agent/identity.h"

struct dial;

/* address is "ADDRESS:PORT", copied; identity is borrowed. Returns owned, NULL with err. */
struct dial *dial_create(uv_loop_t *loop, const char *address, struct identity *identity, struct pst_err *err);
void dial_destroy(struct dial *d);

/* For pst_ctl_client: begins a connection (the last one, if any, is over) and returns its local end at once. */
int dial_begin(void *arg, struct pst_err *err);
