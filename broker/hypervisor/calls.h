/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Commands that are on their way, each with a descriptor that says when nobody wants it any more. Any thread. */
#pragma once

#include "base/err.h"
#include "base/hash.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct call {
	struct call *next;
	char desktop[PST_UUID_SIZE]; /* "" for a command about none */
	uint64_t end_ms;             /* of the monotonic clock */
	int cancel_fd;               /* readable once it is cancelled */
};

struct calls {
	pthread_mutex_t lock; /* guards the list */
	struct call *first;
};

void calls_init(struct calls *l);
/* No call may be on its way. */
void calls_finish(struct calls *l);

/* c is the caller's until call_end, which has to follow a 0. */
int call_begin(struct calls *l, struct call *c, const char *desktop, uint64_t timeout_ms, struct pst_err *err);
void call_end(struct calls *l, struct call *c);

/* desktop NULL: all. */
void calls_cancel(struct calls *l, const char *desktop);
bool call_is_cancelled(const struct call *c);
