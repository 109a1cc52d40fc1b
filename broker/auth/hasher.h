/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The bounded pool that checks and makes password hashes: a few threads, a short queue, and
 * an answer of "busy" beyond it. One source (address or network) may fill at most half of the
 * queue, and sources take turns, so a flood from one place leaves room for the others.
 * Loop thread only; the work itself happens on threads of our own.
 */
#pragma once

#include "broker/auth/password.h"

#include <uv.h>

#define HASHER_QUEUE_MAX 64
#define HASHER_THREADS_MAX 16
#define HASHER_SOURCE_SIZE 48

struct hasher;

struct hasher_result {
	bool ok;          /* the password is right; for make: phc is filled */
	bool rehash;      /* right, and the stored string has old costs */
	const char *phc;  /* for make: borrowed for the call */
};

typedef void (*hasher_done_cb)(const struct hasher_result *result, void *arg);

/* threads 0: one per core. NULL on no memory. */
struct hasher *hasher_create(uv_loop_t *loop, unsigned threads);

/* Waits for the jobs at work; jobs in the queue end without a callback. Accepts NULL. */
void hasher_destroy(struct hasher *h);

/*
 * done comes once, later. phc and password are copied (the copies are wiped). phc NULL: the
 * same work, answered false. PST_EBUSY when the queue, or this source's share of it, is full.
 */
int hasher_verify(struct hasher *h, const char *source, const char *phc, const char *password,
	hasher_done_cb done, void *arg);
int hasher_make(struct hasher *h, const char *source, const char *password, hasher_done_cb done,
	void *arg);

/* No callback with this arg comes any more. */
void hasher_cancel(struct hasher *h, void *arg);
