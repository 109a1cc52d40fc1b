/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The body of a control connection, shared by the files ctl*.c. */
#pragma once

#include "base/buf.h"
#include "base/ctl.h"

#define CTL_HEADER 4
#define CTL_HAS_FD 0x80000000u

/* One frame on its way out. */
struct ctl_out {
	struct ctl_out *next;
	size_t len, at;
	int fd; /* travels with the first byte, then closed; -1 for none */
	uint8_t bytes[];
};

/* One call that waits for its reply. */
struct ctl_call {
	struct ctl_call *next;
	int64_t id;
	uint64_t timeout_ms;
	uint64_t deadline_ms; /* loop time; UINT64_MAX for none */
	int fail_code;        /* what its end means when no reply came; 0: timeout */
	pst_ctl_progress_cb progress;
	pst_ctl_done_cb done;
	void *arg;
};

/*
 *	OPEN ──────────► ENDING ──────────► DEAD
 *	  │ close_flush    ▲   the finish timer's turn: calls end, `closed` is told
 *	  └──► FLUSHING ───┘
 */
enum ctl_state {
	CTL_OPEN,
	CTL_FLUSHING, /* closed by its owner; the queue is still being written */
	CTL_ENDING,
	CTL_DEAD, /* handles are closing; the memory goes with the last of them */
};

struct pst_ctl {
	uv_loop_t *loop;
	int fd;
	enum ctl_state state;
	bool is_silent; /* the owner closed it: no `closed` event */
	uv_poll_t poll;
	uv_timer_t finish;
	uv_timer_t timeouts;
	int open_handles;

	const struct pst_ctl_events *events;
	void *arg;
	struct pst_peer peer;
	char reason[160];

	struct pst_buf in;
	size_t frame_max;
	int in_fds[PST_FD_MAX]; /* arrived, not yet claimed by a frame */
	size_t n_in_fds;

	struct ctl_out *out, **out_tail; /* at most PST_CTL_QUEUE_MAX bytes */
	size_t queued;

	struct ctl_call *calls; /* at most PST_CTL_CALLS_MAX, oldest first */
	size_t n_calls;
	int64_t next_id;

	void (*on_freed)(void *arg); /* the server counts its connections */
	void *on_freed_arg;
};

/* Ends the connection in the loop's next turn; the first reason stands. */
void ctl_fail(struct pst_ctl *ctl, const char *reason);

/* Gives a message with "re" to its call; takes fd. */
void ctl_call_answer(struct pst_ctl *ctl, json_t *msg, int fd);

/* Ends every call that is pending now with PST_ECLOSED. */
void ctl_calls_end(struct pst_ctl *ctl);

void ctl_calls_timed_out(uv_timer_t *timer);
