/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A control connection: JSON messages, with a file descriptor where one must travel,
 * over a connected unix stream socket on a libuv loop.
 *
 * Frame: 4 bytes big-endian length of the JSON text, then that text: one object in UTF-8.
 * The length's top bit says that a descriptor travels with the first byte of this frame.
 *
 *	request   {"op": "open", "id": 7, ...}
 *	progress  {"re": 7, "op": "progress", ...}     any number, also "stream"
 *	reply     {"re": 7, ...}                       ends the call
 *	refusal   {"re": 7, "error": {"code": "not_found", "title": "...", "status": 404}}
 *	event     {"op": "changed", ...}               no id: no reply is wanted
 *
 * The output queue is bounded (PST_CTL_QUEUE_MAX): a peer that does not read loses the
 * connection. All calls and callbacks are on the loop's thread. Every callback may close
 * the connection; its memory goes away later, in a loop turn of its own.
 */
#pragma once

#include "base/err.h"
#include "base/unixsock.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#define PST_CTL_FRAME_MAX (1024 * 1024)
#define PST_CTL_QUEUE_MAX (16 * 1024 * 1024)
#define PST_CTL_CALLS_MAX 4096 /* calls in flight on one connection */

struct pst_ctl;

struct pst_ctl_events {
	/*
	 * A request or event (replies to our calls do not come here). msg is borrowed for the
	 * call (json_incref to keep). fd is -1 or a descriptor that the callee takes.
	 */
	void (*message)(struct pst_ctl *ctl, json_t *msg, int fd, void *arg);
	/*
	 * Exactly once, unless pst_ctl_close was called first. Every pending call has been
	 * answered with PST_ECLOSED before. The pointer dies after this returns.
	 */
	void (*closed)(struct pst_ctl *ctl, const char *reason, void *arg);
};

/*
 * The end of a call: reply is borrowed and NULL on failure (err then says why: PST_ECLOSED,
 * PST_ETIMEOUT, PST_ELIMIT). fd is -1 or taken by the callee. A reply with "error" is a
 * reply: see pst_ctl_reply_check.
 */
typedef void (*pst_ctl_done_cb)(json_t *reply, int fd, const struct pst_err *err, void *arg);

/* An intermediate message of a call; msg borrowed, fd -1 or taken. */
typedef void (*pst_ctl_progress_cb)(json_t *msg, int fd, void *arg);

/*
 * Takes fd (closed with the connection, and also on failure). events must outlive the
 * connection. NULL on no memory or a bad descriptor.
 */
struct pst_ctl *pst_ctl_create(
	uv_loop_t *loop, int fd, const struct pst_ctl_events *events, void *arg);

/* Replaces events and argument, for connections that come from a server. */
void pst_ctl_set_events(struct pst_ctl *ctl, const struct pst_ctl_events *events, void *arg);

/* Ceiling of incoming and outgoing frames, PST_CTL_FRAME_MAX unless set. */
void pst_ctl_set_frame_max(struct pst_ctl *ctl, size_t bytes);

/*
 * Ends the connection. Pending calls end with PST_ECLOSED in a later loop turn; `closed`
 * does not come. Accepts NULL; after it the pointer may not be used. Queued output is
 * lost: see pst_ctl_close_flush.
 */
void pst_ctl_close(struct pst_ctl *ctl);

/* As pst_ctl_close, but first writes what is queued; 1 s without progress ends that too. */
void pst_ctl_close_flush(struct pst_ctl *ctl);

/*
 * Takes msg (also on failure). 0, PST_EINVAL (not an object), PST_ELIMIT (frame too long,
 * or queue full: then the connection also ends), PST_ECLOSED, PST_ENOMEM.
 */
int pst_ctl_send(struct pst_ctl *ctl, json_t *msg);

/* As above with a descriptor, which is duplicated: the caller keeps its own. */
int pst_ctl_send_fd(struct pst_ctl *ctl, json_t *msg, int fd);

/*
 * Sends msg (taken, also on failure) with a fresh "id" and calls done exactly once, never
 * from inside this call. timeout_ms 0 means none.
 */
void pst_ctl_call(struct pst_ctl *ctl, json_t *msg, uint64_t timeout_ms, pst_ctl_done_cb done,
	void *arg);

/* As above; progress (may be NULL) gets {"re": id, "op": "progress"|"stream"} messages, and
 * each of them starts timeout_ms anew. fd (-1 for none) is duplicated. */
void pst_ctl_call_progress(struct pst_ctl *ctl, json_t *msg, int fd, uint64_t timeout_ms,
	pst_ctl_progress_cb progress, pst_ctl_done_cb done, void *arg);

/* Forgets every pending call with this arg: neither done nor progress come any more. */
void pst_ctl_call_cancel(struct pst_ctl *ctl, void *arg);

/*
 * Answers request (its "id" is copied to "re"; without one nothing is sent). body is
 * taken; NULL means {}.
 */
int pst_ctl_reply(struct pst_ctl *ctl, const json_t *request, json_t *body);
int pst_ctl_reply_fd(struct pst_ctl *ctl, const json_t *request, json_t *body, int fd /* dup'ed */);

/*
 * {"re", "error": {"code", "title", "status"}}: code (snake_case) and status (HTTP) from
 * e->code, title from e->text.
 */
int pst_ctl_reply_err(struct pst_ctl *ctl, const json_t *request, const struct pst_err *e);

/* As above in the caller's words; code is snake_case, status an HTTP status. */
int pst_ctl_reply_refusal(struct pst_ctl *ctl, const json_t *request, const char *code,
	int status, const char *title);

/* {"re", "op": op, ...body}; op is "progress" or "stream"; body is taken. */
int pst_ctl_progress(struct pst_ctl *ctl, const json_t *request, const char *op, json_t *body);

/* Turns what a done callback got into 0 or an error: transport failure or a refusal. */
int pst_ctl_reply_check(const json_t *reply, const struct pst_err *call_err, struct pst_err *err);

/* Credentials of the peer as the kernel gave them when the connection was made. */
const struct pst_peer *pst_ctl_peer(const struct pst_ctl *ctl);

bool pst_ctl_is_closing(const struct pst_ctl *ctl);
size_t pst_ctl_queued(const struct pst_ctl *ctl); /* bytes */
void *pst_ctl_arg(const struct pst_ctl *ctl);

/*
 * One frame from bytes. Returns the frame's length with its header, and ret_msg owned; 0
 * when more bytes are needed; PST_EPROTO or PST_ELIMIT.
 */
long pst_ctl_frame_parse(const void *data, size_t len, size_t frame_max, json_t **ret_msg,
	bool *ret_has_fd, struct pst_err *err);
