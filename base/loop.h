/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Small things around a libuv loop. Loop thread only. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

/*
 * Runs until SIGTERM or SIGINT (on_stop is then called once: close things there) or
 * pst_loop_stop, and then on until no handle is active or 5 s have passed. Ignores
 * SIGPIPE. on_reload (may be NULL) is called at SIGHUP. Returns the signal, 0 for
 * pst_loop_stop, or PST_EIO.
 */
int pst_loop_run_until_signal(uv_loop_t *loop, void (*on_stop)(void *arg),
	void (*on_reload)(void *arg), void *arg);

/* Makes pst_loop_run_until_signal on this loop act as if SIGTERM had come. */
void pst_loop_stop(uv_loop_t *loop);

/* Closes every handle that is still open, runs the callbacks and closes the loop. For tests. */
int pst_loop_drain(uv_loop_t *loop);

/* Calls cb(arg) from the loop's next turn. 0 or PST_ENOMEM. Cannot be taken back. */
int pst_defer(uv_loop_t *loop, void (*cb)(void *arg), void *arg);

/*
 * Watches for these events from now on; 0 for none. *watched, at first 0, remembers them: when they are the
 * same, nothing is done, where libuv would take the descriptor from the kernel's list and put it back at each
 * call. libuv stops watching before a callback with an error: set *watched to 0 there, if it goes on. 0, or
 * libuv's error.
 */
int pst_poll_watch(uv_poll_t *poll, int events, uv_poll_cb cb, int *watched);

/* A one-shot timer. It may be destroyed or started again from its own callback. */
struct pst_timer;
typedef void (*pst_timer_cb)(void *arg);

/* Returns owned; NULL on no memory. */
struct pst_timer *pst_timer_create(uv_loop_t *loop);

/* Starts, or starts anew. ms may be 0: the next turn. */
void pst_timer_start(struct pst_timer *timer, uint64_t ms, pst_timer_cb cb, void *arg);
void pst_timer_stop(struct pst_timer *timer);
bool pst_timer_is_active(const struct pst_timer *timer);

/* Stops; the memory goes in the handle's closed callback. Accepts NULL. */
void pst_timer_destroy(struct pst_timer *timer);
