/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One end of a display link: a connected stream socket on a libuv loop that sends and receives whole
 * messages, with descriptors where one travels. Loop thread only. The output queue has a ceiling
 * (LINK_QUEUE_MAX).
 */
#pragma once

#include <uv.h>

#include "protocol/link/link.h"

#define LINK_QUEUE_MAX (16 * 1024 * 1024) /* bytes: a full 4K screen of PIXELS rarely needs half of it */

struct link_channel;

struct link_channel_events {
	/* A message of the other side; borrowed for the call. fd is -1 or a descriptor that the callee takes
	 * (SURFACE only). */
	void (*message)(struct link_channel *ch, const struct link_message *m, int fd, void *arg);
	/* The connection ended by itself: once, and nothing after it. The callee still calls
	 * link_channel_close. */
	void (*closed)(struct link_channel *ch, int code, const char *reason, void *arg);
	/* May be NULL. The output queue became empty. */
	void (*drained)(struct link_channel *ch, void *arg);
};

/* Takes fd (also on failure). side is who we are. events must outlive the channel. NULL with err. */
struct link_channel *link_channel_create(uv_loop_t *loop, int fd, enum link_side side,
	const struct link_channel_events *events, void *arg, struct pst_err *err);

/*
 * Queues one message and writes what the socket takes. fd (-1 for none) is duplicated. 0, PST_EINVAL,
 * PST_ELIMIT (queue full: nothing was queued), PST_ECLOSED. Never calls back from inside.
 */
int link_channel_send(struct link_channel *ch, const struct link_message *m, int fd);

/* Text of any length up to max in CLIPBOARD pieces; all or nothing. */
int link_channel_send_text(struct link_channel *ch, const char *utf8, size_t len);

/* Sends BYE with a reason, which is cut where it is too long. */
int link_channel_send_bye(struct link_channel *ch, int code, const char *reason);

/* Stops and resumes delivery of messages: back pressure reaches the sender through the socket. */
void link_channel_pause(struct link_channel *ch, bool is_paused);

/* Bytes that wait to be written. */
size_t link_channel_queued(const struct link_channel *ch);

/* Ends it without further events; memory goes in a later loop turn. Accepts NULL. */
void link_channel_close(struct link_channel *ch);

/* As above, but first writes what is queued, for at most a second. */
void link_channel_close_flush(struct link_channel *ch);
