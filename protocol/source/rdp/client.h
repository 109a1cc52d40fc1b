/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * FreeRDP's client on a thread of its own: orders of the mailbox in, news out. Everything of FreeRDP happens on that thread, but
 * for the two calls that end it. The server is hostile: sizes have ceilings, and what it sends is decoded in no other process.
 */
#pragma once

#include "protocol/source/rdp/account.h"
#include "protocol/source/rdp/mailbox.h"

struct rdp_client;

struct rdp_client_params {
	int fd;                     /* takes, once it has begun */
	struct rdp_account account; /* takes, once it has begun */
	int32_t width, height;      /* to begin with */
	const char *layout;         /* the viewer's keyboard, borrowed for the call; "" unknown */
	struct rdp_mailbox *box;    /* borrowed until the end */
};

/* Once, while the process may still open files: what FreeRDP and OpenSSL load. */
void rdp_client_prepare(void);

/* Begins to connect. NULL with err, and then nothing was taken. The last news is an end. */
struct rdp_client *rdp_client_start(const struct rdp_client_params *p, struct pst_err *err);
/* Wakes the thread: orders wait. Any thread. */
void rdp_client_ring(struct rdp_client *c);
/* Disconnects, waits for the thread (at most about a second, more while it decodes), frees. Accepts NULL. */
void rdp_client_stop(struct rdp_client *c);
